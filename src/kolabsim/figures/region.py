"""Figures of one region: the channels of its gain, and its net saving over the years."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import GAINS, LOSES, verdicts
from kolabsim.figures.comparison import draw_bands, explain_bands, quantiles
from kolabsim.figures.formatting import Scale, choose_scale
from kolabsim.figures.labels import channel_title
from kolabsim.figures.style import BLUE, INK, MARKS, blank, marker_face, styled, write_ticks
from kolabsim.i18n import _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from kolabsim.analysis.region import RegionOutlook


def share_scale(table: pd.DataFrame, column: str) -> Scale:
    """How shares of stand-alone cost are written, two decimals of a per cent at most."""
    scale = choose_scale(
        "share of stand-alone cost",
        np.concatenate([table[column], table["low"], table["high"]]),
        (table["high"] - table["low"]) / 2.0,
    )
    return scale.with_decimals(most=2)


def money_scale(found: RegionOutlook, values: Iterable[float]) -> Scale:
    """How sums of money of a table are written."""
    return choose_scale("currency", values, currency=found.scenario.currency)


def verdict_of(low: float, high: float) -> str:
    """What an interval says of a gain."""
    return verdicts(np.array([low]), np.array([high]), 1, words=(GAINS, LOSES))[0]


@styled
def region_channels(found: RegionOutlook) -> Figure:
    """A mark with its interval for each channel."""
    table = found.channels.iloc[::-1]
    scale = share_scale(table, "difference")
    figure, panels = blank(0.9 + 0.27 * len(table))
    axes = panels[0, 0]
    axes.grid(axis="x")
    axes.axvline(0.0, color=INK, linewidth=0.9, zorder=1)
    for y, row in enumerate(table.itertuples()):
        verdict = verdict_of(row.low, row.high)
        _sign, marker, colour = MARKS[verdict]
        ends = [row.low / scale.divisor, row.high / scale.divisor]
        axes.plot(ends, [y, y], color=colour, linewidth=1.6, zorder=2)
        axes.plot(
            row.difference / scale.divisor, y, marker=marker, markersize=5.5, color=colour,
            markerfacecolor=marker_face(verdict), zorder=3,
        )  # fmt: skip
    axes.set_yticks(range(len(table)), [channel_title(name) for name in table["channel"]])
    axes.set_xlabel(_("Difference, {unit}").format(unit=scale.label))
    axes.margins(x=0.05, y=0.05)
    write_ticks(axes.xaxis, 1.0)
    return figure


@styled
def region_saving(found: RegionOutlook) -> Figure:
    """Net saving up to each year, with the bands of the runs."""
    time = np.concatenate([[0.0], found.years])
    paths = np.column_stack([np.zeros(len(found.paths)), found.paths])
    bands = quantiles(paths[None], (0.05, 0.25, 0.5, 0.75, 0.95))[:, 0]
    scale = money_scale(found, bands.ravel())
    figure, panels = blank(3.0)
    axes = panels[0, 0]
    draw_bands(axes, time, bands / scale.divisor, BLUE, "")
    axes.grid(axis="y")
    axes.axhline(0.0, color=INK, linewidth=0.9)
    axes.set_xlim(time[0], time[-1])
    axes.set_xlabel(_("Years"))
    axes.set_ylabel(_("Net saving so far, {unit}").format(unit=scale.label))
    axes.xaxis.get_major_locator().set_params(integer=True)
    write_ticks(axes.yaxis, 1.0)
    explain_bands(figure, None)
    return figure
