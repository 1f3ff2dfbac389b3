"""Figures of one region: channels of its gain, net saving over the years, and its best groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.statistics import quantiles
from kolabsim.figures.comparison import SPREAD, draw_bands, explain_bands
from kolabsim.figures.formatting import Scale, choose_scale, never_varies
from kolabsim.figures.labels import area_title, channel_title, winner_labels, wrap_lines
from kolabsim.figures.marks import draw_estimates, mark
from kolabsim.figures.palette import BLUE, GREY, INK
from kolabsim.figures.style import open_canvas, styled, write_names
from kolabsim.i18n import _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from kolabsim.analysis.region import RegionOutlook
    from kolabsim.figures.style import Panels


NAMES = 46
"""Most letters of a line of the names of groups."""


def share_scale(table: pd.DataFrame, column: str) -> Scale:
    """Choose the scale of shares of stand-alone cost: at most two decimals of a per cent."""
    values, half = table[[column, "low", "high"]], (table["high"] - table["low"]) / 2.0
    return choose_scale("share of stand-alone cost", values, half).with_decimals(most=2)


def money_scale(found: RegionOutlook, values: ArrayLike) -> Scale:
    """Choose the scale of sums of money of a table."""
    return choose_scale("currency", values, currency=found.scenario.currency)


@styled
def region_channels(found: RegionOutlook, *, ax: Panels | None = None) -> Figure:
    """Draw what each channel adds to the gain of a region, with its range or interval."""
    table, scale = found.channels, share_scale(found.channels, "difference")
    value, low, high = (table[name].to_numpy() for name in ("difference", "low", "high"))
    canvas = open_canvas(ax, 0.9 + 0.27 * len(table), grid="x")
    axes = canvas.axes
    axes.axvline(0.0, color=INK, linewidth=0.9, zorder=1)
    ends = (part / scale.divisor for part in (value, low, high))
    constant = never_varies(is_varied=found.is_varied)
    draw_estimates(axes, table["verdict"], *ends, constant=constant)
    write_names(axes, [channel_title(name) for name in table["channel"]])
    axes.set_xlabel(_("Difference, {unit}").format(unit=scale.label))
    seen = {*table["verdict"]}
    labels = winner_labels(found)
    canvas.explain_verdicts({name: text for name, text in labels.items() if name in seen})
    return canvas.figure


@styled
def region_saving(found: RegionOutlook, *, ax: Panels | None = None) -> Figure:
    """Draw the net saving of a region up to each year: median and bands of futures, or of runs."""
    time = np.concatenate([[0.0], found.years])
    paths = np.column_stack([np.zeros(len(found.paths)), found.paths])
    bands = quantiles(paths, SPREAD)
    scale = money_scale(found, bands)
    canvas = open_canvas(ax, 3.0, grid="y")
    axes = canvas.axes
    draw_bands(axes, time, bands / scale.divisor, BLUE, "")
    axes.axhline(0.0, color=INK, linewidth=0.9)
    axes.set_xlim(time[0], time[-1])
    axes.set_xlabel(_("Years"))
    axes.set_ylabel(_("Net saving so far, {unit}").format(unit=scale.label))
    axes.locator_params(axis="x", integer=True)
    explain_bands(canvas, with_titles=False, is_varied=found.is_varied)
    return canvas.figure


@styled
def region_groups(found: RegionOutlook, *, ax: Panels | None = None) -> Figure:
    """Draw the gain of a region in its best groups, with the gains of their other members.

    Where no group is good, the closest is drawn, so that it shows who would lose.
    """
    table = found.groups.table
    scale, codes = share_scale(table, "gain"), found.scenario.regions.codes
    labels = dict(zip(codes, found.scenario.regions.labels, strict=True))
    names = [
        f"{area_title(row.area)}: {', '.join(labels[code] for code in row.members[1:])}"
        for row in table.itertuples()
    ]
    lines = max(wrap_lines(name, NAMES).count("\n") + 1 for name in names)
    canvas = open_canvas(ax, 0.9 + (0.14 + 0.14 * lines) * len(table), grid="x")
    axes = canvas.axes
    axes.axvline(0.0, color=INK, linewidth=0.9, zorder=1)
    ends = (table[name].astype(float) / scale.divisor for name in ("gain", "low", "high"))
    draw_estimates(axes, table["verdict"], *ends, constant=never_varies(is_varied=found.is_varied))
    for y, gains in enumerate(table["gains"]):
        at = np.divide(gains, scale.divisor)
        axes.plot(at, [y] * len(at), "|", color=GREY, markersize=9.0, markeredgewidth=1.6)
    write_names(axes, names, NAMES)
    axes.set_xlabel(_("Annual gain, {unit}").format(unit=scale.label))
    texts = winner_labels(found)
    canvas.explain_verdicts(
        {name: text for name, text in texts.items() if name in {*table["verdict"]}},
        mark("|", GREY, _("another member"), markeredgewidth=1.6),
    )
    return canvas.figure
