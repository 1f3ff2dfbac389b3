"""Figures of a comparison: over time, differences with intervals, channels, cost, convergence.

Strategies are in the order of their realised net benefit, the best first. Differences are to the
baseline of the comparison, over plausible futures if it has any and no ``future`` is named, and
else in the first future; shape and colour both show the verdict.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.analysis.arrays import yearly
from kolabsim.analysis.comparison import NET_BENEFIT, PROGRAMME
from kolabsim.analysis.statistics import UNDECIDED, quantiles, verdicts
from kolabsim.figures.formatting import choose_scale, count, never_varies, percent
from kolabsim.figures.labels import (
    channel_title,
    choose_measure_scale,
    measure_hint,
    measure_label,
    measure_title,
    strategy_title,
    verdict_labels,
    wrap_lines,
)
from kolabsim.figures.marks import draw_chance, draw_diamonds, draw_estimates, line, patch
from kolabsim.figures.palette import (
    BLUE,
    BROWN,
    DASHED,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PURPLE,
    SERIES,
    SKY,
    VERMILION,
    YELLOW,
)
from kolabsim.figures.style import Canvas, open_canvas, styled, write_names
from kolabsim.i18n import _, language
from kolabsim.model.measures import MEASURES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.figures.style import Panels
    from kolabsim.study.collect import Results

OVERLAID = 4
"""Most strategies in one panel over time; more get a panel each."""
SMALL = 0.04
"""Channels that nowhere reach this share of the longest bar are drawn as one."""
SPREAD = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of the runs that are drawn over time."""
DOTTED: Any = {"linewidth": 0.9, "linestyle": (0, (2, 2))}
"""The edges of the outer band of the runs."""
CHANNEL_COLOURS = {
    "scale": BLUE, "spill": SKY, "pooled": GREEN, "coordination": VERMILION, "distance": ORANGE,
    PROGRAMME: PURPLE, "entry": YELLOW, "newness": BROWN, "conduct": "#44AA99",
    "self_rule": INK, "fit": "#AA4499",
}  # fmt: skip


# Over time --------------------------------------------------------------------------------------


@styled
def envelopes(
    results: Results, measure: str, strategies: Sequence[str], *, baseline: str | None = None,
    future: str | None = None, ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw median and bands of 50% and 90% of the runs, year by year.

    Up to four strategies share a panel; more get a panel each, on one scale. With a ``baseline``,
    the figure shows the difference to this strategy, run by run.
    """
    time, values = yearly(results, measure, strategies, baseline=baseline, future=future)
    bands = quantiles(values, SPREAD, axis=1)
    scale = choose_scale(
        MEASURES[measure].unit, bands, currency=results.scenario.currency,
        difference=baseline is not None,
    )  # fmt: skip
    together = len(strategies) <= OVERLAID
    number = 1 if together else len(strategies)
    canvas = open_canvas(
        ax, 0.7, number, min(4, math.ceil(math.sqrt(number))), row=2.7 if together else 1.6,
        grid="y", sharex=True, sharey=True,
    )  # fmt: skip
    for k, name in enumerate(strategies):
        axes = canvas.panels[0 if together else k]
        title = results.scenario.strategy_titles(language())[name]
        draw_bands(axes, time, bands[:, k] / scale.divisor, SERIES[k] if together else BLUE, title)
        if not together:
            axes.set_title(wrap_lines(title, 26), fontsize=8.5)
    for axes in canvas.panels:
        if len(time) > 1:
            axes.set_xlim(time[0], time[-1])
        if baseline is not None:
            axes.axhline(0.0, color=INK, linewidth=0.8)
        axes.xaxis.set_major_formatter("{x:.0f}")  # years are not grouped as numbers are
        axes.locator_params(axis="x", integer=True, nbins=6 if together else 3)
    explain_bands(canvas, with_titles=together)
    canvas.label_y(wrap_lines(measure_label(measure, scale), 60))
    return canvas.figure


def draw_bands(axes: Axes, time: np.ndarray, bands: np.ndarray, colour: str, title: str) -> None:
    """Draw a median and the bands of 50% and 90% of the runs around it."""
    if len(time) == 1:  # a line through one point would not be seen
        time, bands = time[0] + np.array([-0.25, 0.25]), np.repeat(bands, 2, axis=-1)
    low, lower, middle, upper, high = bands
    axes.fill_between(time, lower, upper, color=colour, alpha=0.25, linewidth=0)
    for edge in (low, high):
        axes.plot(time, edge, color=colour, **DOTTED)
    axes.plot(time, middle, color=colour, linewidth=2.0, label=title)


def explain_bands(canvas: Canvas, *, with_titles: bool, is_varied: bool = False) -> None:
    """Explain lines and bands, of runs or of futures, after the strategies that share a panel."""
    colour = GREY if with_titles else BLUE
    texts = _("median of the runs"), _("middle 50% of the runs"), _("middle 90% of the runs")
    if is_varied:
        texts = (
            _("median of the futures"), _("middle 50% of the futures"),
            _("middle 90% of the futures"),
        )  # fmt: skip
    handles = [
        line(colour, texts[0], linewidth=2.0),
        patch(colour, texts[1], alpha=0.25),
        line(colour, texts[2], **DOTTED),
    ]
    titles = canvas.axes.get_legend_handles_labels()[0] if with_titles else []
    canvas.add_legend([*titles, *handles], columns=4 if with_titles else 3)


# Differences ------------------------------------------------------------------------------------


@styled
def forest(
    comparison: Comparison, measures: Sequence[str], *, future: str | None = None,
    same_scale: bool = False, ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw differences to the baseline with their intervals: a panel a measure, a line a strategy.

    Over plausible futures, lines are ranges of 90% of them, and what chance leaves is thicker.
    With ``same_scale``, all panels share one axis, for measures with the same unit.
    """
    order = comparison.order(future=future)
    columns = min(len(measures), 3)
    canvas = open_canvas(
        ax, 0.35, len(measures), columns, row=0.9 + 0.19 * len(order), grid="x",
        sharey=True, sharex="all" if same_scale else "none",
    )  # fmt: skip
    seen: set[str] = set()
    width = 24 if columns == 3 else 40  # characters that fit beside the titles of strategies
    for axes, measure in zip(canvas.panels, measures, strict=True):
        table = comparison.table(measure, future=future).loc[order]
        scale = choose_measure_scale(comparison, measure, table)
        seen |= {*table["verdict"][np.isfinite(table["difference"])]}
        axes.axvline(0.0, color=INK, linewidth=0.9, zorder=1)
        ends = (table[name] / scale.divisor for name in ("difference", "low", "high"))
        draw_estimates(
            axes, table["verdict"], *ends, undefined=_("undefined"),
            constant=never_varies(is_varied="chance_low" in table),
        )  # fmt: skip
        if "chance_low" in table:
            chance = (table[name] / scale.divisor for name in ("chance_low", "chance_high"))
            draw_chance(axes, table["verdict"], *chance)
        axes.set_title(wrap_lines(measure_title(measure), width))
        axes.set_xlabel(wrap_lines(measure_hint(measure, scale), width), labelpad=2.0)
        axes.locator_params(axis="x", nbins=7 if columns < 3 else 4)
        write_names(axes, [strategy_title(comparison, name) for name in order])
    labels = verdict_labels(comparison)
    canvas.explain_verdicts({name: text for name, text in labels.items() if name in seen})
    return canvas.figure


# Reasons and cost -------------------------------------------------------------------------------


@styled
def channels(
    comparison: Comparison, strategies: Sequence[str] | None = None, *, future: str | None = None,
    ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw the channels through which each strategy changes net benefit, and their sum.

    What adds to net benefit is drawn to the right, what reduces it to the left; the diamond is the
    sum with its interval. Channels that are small everywhere are drawn as one.
    """
    order = [s for s in comparison.order(future=future) if strategies is None or s in strategies]
    grid = comparison.channel_grid(future=future).loc[order]
    total = comparison.table(NET_BENEFIT, future=future).loc[order]
    scale = choose_measure_scale(comparison, NET_BENEFIT, total)
    grid = grid / scale.divisor
    longest = max(grid.clip(lower=0.0).sum(axis=1).max(), -grid.clip(upper=0.0).sum(axis=1).min())
    large = [name for name in grid.columns if grid[name].abs().max() >= SMALL * longest]
    parts = [(channel_title(name), CHANNEL_COLOURS[name], grid[name]) for name in large]
    if len(large) < len(grid.columns):
        parts.append((_("All other channels"), PALE, grid.drop(columns=large).sum(axis=1)))
    canvas = open_canvas(ax, 1.1 + 0.27 * len(order), grid="x")
    axes = canvas.axes
    draw_stacks(axes, parts)
    axes.axvline(0.0, color=INK, linewidth=0.9)
    text = _("Sum, with its {level} interval").format(level=percent(comparison.level))
    if comparison.is_varied and future is None:
        text = _("Median, with its plausible range")
    sums = (total[name] / scale.divisor for name in ("difference", "low", "high"))
    draw_diamonds(axes, text, *sums)
    write_names(axes, [strategy_title(comparison, name) for name in order])
    axes.set_xlabel(_("Difference in realised net benefit, {unit}").format(unit=scale.label))
    canvas.add_legend(columns=4)
    return canvas.figure


def draw_stacks(axes: Axes, parts: Iterable[tuple[str, str, pd.Series]]) -> None:
    """Draw parts as stacked bars: gains to the right of zero, losses to the left."""
    gained, lost = 0.0, 0.0
    for title, colour, part in parts:
        wide = part.to_numpy()
        axes.barh(
            range(len(wide)), wide, left=np.where(wide >= 0.0, gained, lost), height=0.7,
            color=colour, label=title, edgecolor="white", linewidth=0.5,
        )  # fmt: skip
        gained, lost = gained + np.maximum(wide, 0.0), lost + np.minimum(wide, 0.0)


@styled
def cost_effectiveness(
    comparison: Comparison, *, future: str | None = None, ax: Panels | None = None
) -> Figure:
    """Draw the cost of programmes, by payer, and the saving; beside it, the saving per unit spent.

    The two panels are of differences to the baseline over the run; the net saving and the ratio
    have intervals.
    """
    order, table = comparison.order(future=future), comparison.money(future=future)
    value, low, high = (
        table.pivot(index="strategy", columns="item", values=name).loc[order]
        for name in ("value", "low", "high")
    )
    scale = choose_scale(
        "currency", value[["programme_cost", "saving"]], currency=comparison.scenario.currency
    )
    canvas = open_canvas(
        ax, 1.2 + 0.27 * len(order), 2, 2, grid="x", sharey=True,
        gridspec_kw={"width_ratios": [2.6, 1.0]},
    )  # fmt: skip
    money, ratio = canvas.panels
    payers = {
        "programme_members": (_("Programme cost to members"), VERMILION),
        "programme_centre": (_("Programme cost to central government"), ORANGE),
        "programme_tiers": (_("Programme cost to higher tiers"), YELLOW),
        "programme_supporters": (_("Programme cost to supporters"), PURPLE),
    }
    parts = [(_("Saving in services"), BLUE, value["saving"] / scale.divisor)]
    parts += [
        (title, colour, -value[item] / scale.divisor)
        for item, (title, colour) in payers.items() if value[item].any()
    ]  # fmt: skip
    draw_stacks(money, parts)
    text = _("Net saving, with its {level} interval").format(level=percent(comparison.level))
    if comparison.is_varied and future is None:
        text = _("Net saving, with its plausible range")
    draw_diamonds(money, text, *(part["net_saving"] / scale.divisor for part in (value, low, high)))
    money.set(xlabel=scale.label, title=_("Saving and cost over the run"))
    draw_ratios(ratio, *(part["saving_per_cost"] for part in (value, low, high)))
    for axes, place in ((money, 0.0), (ratio, 1.0)):
        write_names(axes, [strategy_title(comparison, name) for name in order])
        axes.axvline(place, color=INK, linewidth=0.9, zorder=1)
        axes.use_sticky_edges = False
        axes.margins(x=0.04)
    canvas.add_legend(columns=3)
    return canvas.figure


def draw_ratios(axes: Axes, value: pd.Series, low: pd.Series, high: pd.Series) -> None:
    """Draw the saving per unit spent, with its interval, and the line where a programme pays."""
    title = wrap_lines(_("Saving per unit spent"), 22)
    axes.set(title=title, xlabel=_("above 1: pays for itself"))
    pays = verdicts(low.to_numpy() - 1.0, high.to_numpy() - 1.0, 1)
    draw_estimates(axes, pays, value, low, high, undefined=_("no cost"), neutral=1.0)
    left, right = axes.get_xlim()
    # The words "no cost" begin at 1, and must not lie outside.
    axes.set_xlim(min(0.0, left), right if np.isfinite(value).all() else max(right, 2.0))


# Convergence ------------------------------------------------------------------------------------


@styled
def convergence_by_runs(
    comparison: Comparison, found: pd.DataFrame, *, ax: Panels | None = None
) -> Figure:
    """Draw the difference of the best strategy to the baseline, by number of runs.

    ``found`` has difference and interval by number of runs, from
    :func:`kolabsim.analysis.convergence.convergence`.
    """
    scale = choose_measure_scale(comparison, NET_BENEFIT, found.tail(1))
    canvas = open_canvas(ax, 2.2, grid="y")
    axes, at = canvas.axes, range(len(found))
    axes.axhline(0.0, color=INK, linewidth=0.9, zorder=1)
    low, middle, high = (found[name] / scale.divisor for name in ("low", "difference", "high"))
    axes.axhline(middle.iloc[-1], color=BLUE, linewidth=0.7, linestyle=DASHED, zorder=1)
    axes.vlines(at, low, high, color=BLUE, linewidth=1.8, zorder=2)
    undecided = verdicts(low.to_numpy(), high.to_numpy(), 1) == UNDECIDED
    faces = np.where(undecided, "white", BLUE).tolist()
    axes.scatter(at, middle, s=30.0, c=faces, edgecolors=BLUE, zorder=3)
    axes.set_xticks(at, [count(runs) for runs in found["runs"]])
    axes.set(xlabel=_("Runs"), ylabel=wrap_lines(scale.label, 18))
    axes.margins(x=0.06, y=0.08)
    return canvas.figure
