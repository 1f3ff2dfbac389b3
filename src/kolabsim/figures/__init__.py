"""All figures, in one look, to be drawn from Python: ``from kolabsim import figures``.

Each is a function that takes results and returns a :class:`matplotlib.figure.Figure`; notebooks
show it, :func:`to_png` and :func:`to_svg` write it. Pyplot is not used, and settings of matplotlib
are neither read nor changed. Words and numbers are in the language spoken
(:func:`kolabsim.i18n.set_language`).

Figures of an experiment take :class:`Labels`, which say what factors, outcomes and strategies are
called: ``figures.Labels.from_experiment(experiment)``. Without them everything keeps its own name.
"""

from __future__ import annotations

from kolabsim.figures.comparison import (
    channels,
    convergence_by_runs,
    cost_effectiveness,
    envelopes,
    forest,
)
from kolabsim.figures.labels import Labels
from kolabsim.figures.maps import regions_map, winners
from kolabsim.figures.network import bodies_over_time
from kolabsim.figures.region import region_channels, region_saving
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
from kolabsim.figures.validation import (
    gains_map,
    pair_ranking,
    shared_pairs_map,
    sharing_and_sizes,
)

__all__ = [
    "Labels",
    "Reference",
    "best_shares",
    "bodies_over_time",
    "channels",
    "convergence",
    "convergence_by_runs",
    "cost_effectiveness",
    "envelopes",
    "forest",
    "front_in_futures",
    "gains_map",
    "hypervolume",
    "ice",
    "index_bars",
    "morris_plane",
    "packages",
    "pair_ranking",
    "pareto_front",
    "prim_box",
    "region_channels",
    "region_saving",
    "regions_map",
    "regret",
    "regret_table",
    "satisficing",
    "shared_pairs_map",
    "sharing_and_sizes",
    "spread_plane",
    "to_png",
    "to_svg",
    "tornado",
    "value_of_information",
    "winners",
]
