"""Figures of what moves the result of a comparison: variance by source, and assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.drivers import ASSUMPTIONS, CHANCE, TRAITS
from kolabsim.figures.formatting import choose_scale, percent, significant
from kolabsim.figures.labels import (
    BARE_UNITS,
    assumption_title,
    measure_label,
    measure_title,
    wrap_lines,
)
from kolabsim.figures.marks import contrasting_ink, line, mark, patch
from kolabsim.figures.palette import BLUE, DASHED, GREY, INK, ORANGE, PALE, SKY, VERMILION
from kolabsim.figures.style import open_canvas, styled, write_names, write_ticks
from kolabsim.i18n import _
from kolabsim.model.measures import MEASURES
from kolabsim.study.factors import list_factors

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.analysis.drivers import Driver
    from kolabsim.analysis.influence import Influence
    from kolabsim.figures.style import Panels

SOURCE_COLOURS = {ASSUMPTIONS: ORANGE, TRAITS: SKY, CHANCE: PALE}
READABLE = 0.06
"""Share of a bar from which its number fits inside."""


def source_titles() -> dict[str, str]:
    """Titles of the sources of variance."""
    return {
        ASSUMPTIONS: _("assumptions"),
        TRAITS: _("attributes of regions that no table gives"),
        CHANCE: _("chance"),
    }


@styled
def variance_sources(
    variance: pd.DataFrame, measures: Sequence[str] = (NET_BENEFIT,), *, ax: Panels | None = None
) -> Figure:
    """Draw the variance of a difference by source, a bar a measure.

    ``variance`` is the table of :func:`kolabsim.analysis.influence.difference_sources`; a measure
    that does not vary has no bar.
    """
    shares = variance.pivot(index="measure", columns="source", values="share").loc[[*measures]]
    canvas = open_canvas(ax, 0.75 + 0.3 * len(measures), grid="x")
    axes, left = canvas.axes, np.zeros(len(measures))
    for source, colour in SOURCE_COLOURS.items():
        wide = 100.0 * shares[source].fillna(0.0).to_numpy()
        axes.barh(range(len(wide)), wide, left=left, height=0.62, color=colour, edgecolor="white",
                  linewidth=0.5)  # fmt: skip
        for y, (start, part) in enumerate(zip(left, wide, strict=True)):
            if part >= 100.0 * READABLE:
                axes.text(start + part / 2.0, y, percent(part / 100.0), ha="center", va="center",
                          fontsize=8.0, color=contrasting_ink(colour))  # fmt: skip
        left = left + wide
    write_names(axes, [measure_title(name) for name in measures])
    axes.set(xlim=(0.0, 100.0), xlabel=_("% of the variance of the difference in single runs"))
    titles = source_titles()
    canvas.add_legend([patch(colour, titles[name]) for name, colour in SOURCE_COLOURS.items()])
    return canvas.figure


@styled
def main_effects(
    comparison: Comparison, influence: Influence, measure: str = NET_BENEFIT, *,
    ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw how a strategy's difference follows the assumptions that move it most, a panel each.

    ``influence`` is that of :func:`kolabsim.analysis.influence.influence`, with at least one curve.
    Dots are futures; a dashed line marks the break-even.
    """
    found = influence.drivers
    curves = found.curves if found else ()
    values = np.zeros(0) if found is None else found.difference
    scale = choose_scale(MEASURES[measure].unit, values, currency=comparison.scenario.currency)
    scale = scale.with_decimals(most=2)
    canvas = open_canvas(ax, 0.55, len(curves), len(curves), row=2.6, grid="y", sharey=True)
    factors = list_factors(comparison.scenario)
    for axes, driver in zip(canvas.panels, curves, strict=True):
        assert found is not None
        title = assumption_title(comparison.scenario, driver.name, found.together[driver.name])
        axes.axhline(0.0, color=INK, linewidth=0.9, zorder=1)
        settings = found.settings[driver.name].to_numpy()
        draw_effect(axes, driver, settings, found.difference / scale.divisor, scale.divisor)
        axes.set_title(wrap_lines(title, 96 // len(curves)))
        factor = factors.get(driver.name)
        unit = "" if factor is None or factor.unit in BARE_UNITS else f", {_(factor.unit)}"
        text = _("Value{unit}; explains {share} of the variance between futures")
        label = text.format(unit=unit, share=percent(driver.share))
        axes.set_xlabel(wrap_lines(label, 110 // len(curves)))
        write_ticks(axes.yaxis)
    handles = [
        mark("o", GREY, _("a plausible future"), markersize=3.0),
        line(BLUE, _("mean difference, with its {level} band").format(
            level=percent(influence.level)), linewidth=2.0),
    ]  # fmt: skip
    if any(one.turn and one.has_order for one in curves):
        handles.append(line(VERMILION, _("break-even"), linestyle=DASHED, linewidth=1.2))
    canvas.add_legend(handles)
    canvas.label_y(wrap_lines(measure_label(measure, scale), 44))
    return canvas.figure


def draw_effect(
    axes: Axes, driver: Driver, settings: np.ndarray, difference: np.ndarray, divisor: float
) -> None:
    """Draw the futures, the curve of an assumption with its band, and its break-even."""
    mean, low, high = (part / divisor for part in (driver.mean, driver.low, driver.high))
    if not driver.has_order:
        places = np.arange(len(driver.values))
        at = np.array([driver.values.index(value) for value in settings])
        axes.plot(at, difference, "o", color=GREY, markersize=2.2, alpha=0.45, zorder=2)
        axes.vlines(places, low, high, color=BLUE, linewidth=2.0, zorder=3)
        axes.plot(places, mean, "o", color=BLUE, markersize=5.5, zorder=4)
        names = [str(value).replace("_", " ") for value in driver.values]
        axes.set_xticks(places, [wrap_lines(name, 14) for name in names])
        axes.margins(x=0.12)
        return
    axes.plot(settings, difference, "o", color=GREY, markersize=2.2, alpha=0.45, zorder=2)
    axes.fill_between(driver.values, low, high, color=BLUE, alpha=0.22, linewidth=0, zorder=3)
    axes.plot(driver.values, mean, color=BLUE, linewidth=2.0, zorder=4)
    if driver.turn is not None:
        axes.axvline(driver.turn.at, color=VERMILION, linestyle=DASHED, linewidth=1.2, zorder=3)
        axes.annotate(
            significant(driver.turn.at, 2), (driver.turn.at, 0.98), xytext=(3.0, 0.0),
            xycoords=("data", "axes fraction"), textcoords="offset points", va="top",
            fontsize=7.5, color=VERMILION,
        )  # fmt: skip
    axes.locator_params(axis="x", nbins=5)
    write_ticks(axes.xaxis)
