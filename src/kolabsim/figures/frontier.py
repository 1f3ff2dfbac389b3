"""Figure of net benefit over programme cost, along the intensity of each strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.figures.formatting import choose_scale
from kolabsim.figures.labels import measure_label, strategy_title, wrap_lines
from kolabsim.figures.marks import line, place_labels
from kolabsim.figures.palette import DASHED, GREY, INK, SERIES
from kolabsim.figures.style import open_canvas, styled, write_ticks
from kolabsim.i18n import _
from kolabsim.model.measures import MEASURES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.figures.style import Panels


DENSE = 24
"""Points of a curve of which labels keep clear."""


@styled
def cost_frontier(
    comparison: Comparison, along: pd.DataFrame, equal_cost: float | None = None, *,
    ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw net benefit over yearly programme cost: a curve a strategy, from no intensity to full.

    ``along`` is the table of :func:`kolabsim.analysis.levels.frontier`; ``equal_cost`` is marked.
    Strategies beyond the eighth are grey, the best at full intensity being first.
    """
    money = choose_scale("currency", along["cost"], currency=comparison.scenario.currency)
    scale = choose_scale(
        MEASURES[NET_BENEFIT].unit, along["difference"], currency=comparison.scenario.currency
    )
    canvas = open_canvas(ax, 4.2, grid="both")
    axes = canvas.axes
    axes.axhline(0.0, color=INK, linewidth=0.9, zorder=1)
    full = along.groupby("strategy", sort=False)["difference"].last()
    ends, texts, points = [], [], []
    for k, name in enumerate(full.sort_values(ascending=False, kind="stable").index):
        curve = along[along["strategy"] == name]
        x, y = curve["cost"] / money.divisor, curve["difference"] / scale.divisor
        colour = SERIES[k] if k < len(SERIES) else GREY
        axes.plot(x, y, color=colour, linewidth=1.8, zorder=3)
        axes.plot(x.iloc[1:], y.iloc[1:], "o", color=colour, markersize=3.0, zorder=4)
        ends.append((float(x.iloc[-1]), float(y.iloc[-1])))
        between = np.linspace(0.0, len(x) - 1.0, DENSE)
        places = np.arange(len(x))
        points += np.column_stack([np.interp(between, places, one) for one in (x, y)]).tolist()
        texts.append(wrap_lines(strategy_title(comparison, str(name)), 24))
    if equal_cost is not None:
        axes.axvline(equal_cost / money.divisor, color=INK, linestyle=DASHED, linewidth=1.0)
    axes.set_xlabel(_("Programme cost a year ({unit})").format(unit=money.label))
    axes.set_ylabel(wrap_lines(measure_label(NET_BENEFIT, scale), 44))
    axes.margins(0.12)
    axes.set_xlim(left=0.0)
    for axis in (axes.xaxis, axes.yaxis):
        write_ticks(axis)
    handles = [
        line(SERIES[0], _("a strategy from no to full intensity"), marker="o", markersize=3.0)
    ]
    if equal_cost is not None:
        handles.append(line(INK, _("the cost that is compared"), linestyle=DASHED, linewidth=1.0))
    canvas.add_legend(handles)
    place_labels(axes, ends, texts, radii=[3.0] * len(ends), avoid=points)
    return canvas.figure
