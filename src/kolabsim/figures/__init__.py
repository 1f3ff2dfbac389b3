"""All figures, with one look: ``from kolabsim import figures``.

Each function takes a result and returns a :class:`matplotlib.figure.Figure`. A notebook shows it;
:func:`to_png` and :func:`to_svg` export it. Figures do not use pyplot, and neither read nor change
the settings of matplotlib. They are in the current language
(:func:`kolabsim.i18n.set_language`).

These parameters mean the same in all functions:

``ax``
    The axes to draw in, one for each panel, row by row; by default, a new figure is drawn. The
    wrong number of axes raises :class:`kolabsim.errors.InputError`.
``comparison``, ``results``
    From :func:`kolabsim.compare` and :func:`kolabsim.simulate`.
``strategies``, ``measures``, ``future``
    Names; by default, all strategies and the first future.
``labels``
    Titles and units of factors, outcomes and strategies,
    ``figures.Labels.from_experiment(experiment)``; without labels, figures show names.
``indices``, ``curves``, ``robust``, ``information``, ``front``
    Parts of the ``result`` of :func:`kolabsim.run_experiment`: ``result.indices[0]``,
    ``result.curves["trust"]``, ``result.robustness``, ``result.information``, ``result.front``. A
    map of a sweep is ``result.maps[0]``.
``found``
    Of :func:`posteriors`, from :func:`kolabsim.validation.calibration.calibrate`; of
    :func:`predictions`, from :func:`kolabsim.validation.predictive.predict`.

Examples
--------
>>> import kolabsim as ks
>>> from kolabsim import figures
>>> results = ks.simulate("kartamantul", ["voluntary", "forum"], runs=4, seed=1)
>>> over_time = figures.envelopes(results, "trust", ["voluntary", "forum"])
>>> comparison = ks.compare(results)
>>> differences = figures.forest(comparison, ["realised_benefit", "net_saving"])
>>> gains = figures.regions_map(comparison, "forum")
"""

from __future__ import annotations

from kolabsim.figures.calibration import posteriors, predictions
from kolabsim.figures.comparison import (
    channels,
    convergence_by_runs,
    cost_effectiveness,
    envelopes,
    forest,
)
from kolabsim.figures.frontier import cost_frontier
from kolabsim.figures.influence import main_effects, variance_sources
from kolabsim.figures.labels import Labels
from kolabsim.figures.law_curves import laws
from kolabsim.figures.maps import regions_map, winners
from kolabsim.figures.network import bodies_over_time, joint_bodies
from kolabsim.figures.region import region_channels, region_groups, region_saving
from kolabsim.figures.robustness import (
    best_shares,
    prim_box,
    regret,
    regret_table,
    satisficing,
    spread_plane,
    value_of_information,
)
from kolabsim.figures.search import Reference, front_in_futures, hypervolume, packages, pareto_front
from kolabsim.figures.sensitivity import convergence, ice, index_bars, morris_plane, tornado
from kolabsim.figures.style import to_png, to_svg
from kolabsim.figures.sweep import sweep_curve, sweep_map, sweep_patterns, sweep_points
from kolabsim.figures.validation import (
    gains_map,
    pair_ranking,
    shared_pairs_map,
    sharing_and_sizes,
)

__all__ = [
    "Labels", "Reference", "best_shares", "bodies_over_time", "channels", "convergence",
    "convergence_by_runs", "cost_effectiveness", "cost_frontier", "envelopes", "forest",
    "front_in_futures", "gains_map", "hypervolume", "ice", "index_bars", "joint_bodies", "laws",
    "main_effects", "morris_plane", "packages", "pair_ranking", "pareto_front", "posteriors",
    "predictions", "prim_box", "region_channels", "region_groups", "region_saving",
    "regions_map", "regret", "regret_table", "satisficing", "shared_pairs_map",
    "sharing_and_sizes", "spread_plane", "sweep_curve", "sweep_map", "sweep_patterns",
    "sweep_points", "to_png", "to_svg", "tornado", "value_of_information", "variance_sources",
    "winners",
]  # fmt: skip
