"""All figures, in one look, to be drawn from Python: ``from kolabsim.show import figures``.

Each is a function that takes results and returns a :class:`matplotlib.figure.Figure`; notebooks
show it, :func:`to_png` and :func:`to_svg` write it. Pyplot is not used, and settings of matplotlib
are neither read nor changed. Words and numbers are in the language spoken
(:func:`kolabsim.language.set_language`).

Figures of an inquiry take :class:`Words`, which say what factors, outcomes and strategies are
called: ``figures.Words.of(inquiry)``. Without them everything keeps its own name.
"""

from __future__ import annotations

from kolabsim.show.bodies import bodies_over_time
from kolabsim.show.differences import channels, cost_effectiveness, envelopes, forest
from kolabsim.show.drawing import to_png, to_svg
from kolabsim.show.fronts import Reference, front_in_futures, hypervolume, packages, pareto_front
from kolabsim.show.futures import (
    best_shares,
    prim_box,
    regret,
    regret_table,
    satisficing,
    spread_plane,
    value_of_information,
)
from kolabsim.show.influences import convergence, ice, index_bars, morris_plane, tornado
from kolabsim.show.places import regions_map, winners
from kolabsim.show.words import Words

__all__ = [
    "Reference",
    "Words",
    "best_shares",
    "bodies_over_time",
    "channels",
    "convergence",
    "cost_effectiveness",
    "envelopes",
    "forest",
    "front_in_futures",
    "hypervolume",
    "ice",
    "index_bars",
    "morris_plane",
    "packages",
    "pareto_front",
    "prim_box",
    "regions_map",
    "regret",
    "regret_table",
    "satisficing",
    "spread_plane",
    "to_png",
    "to_svg",
    "tornado",
    "value_of_information",
    "winners",
]
