"""Figures of a comparison: over time, differences with intervals, channels, cost, convergence.

Strategies are in the order of their realised net benefit, the best first. Differences are to the
baseline of the comparison, with its intervals; shape and colour both show the verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.arrays import yearly
from kolabsim.analysis.comparison import NET_BENEFIT, PROGRAMME
from kolabsim.analysis.statistics import BETTER, UNDECIDED, WORSE, quantiles, verdicts
from kolabsim.figures.formatting import Scale, choose_scale, count, percent
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
from kolabsim.figures.style import (
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
    Canvas,
    add_verdict_legend,
    draw_estimate,
    limit_ticks,
    line,
    open_canvas,
    patch,
    styled,
    write_ticks,
)
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
CHANNEL_COLOURS = {
    "scale": BLUE, "spill": SKY, "pooled": GREEN, "coordination": VERMILION, "distance": ORANGE,
    PROGRAMME: PURPLE, "entry": YELLOW, "newness": BROWN, "conduct": "#44AA99",
    "self_rule": INK,
}  # fmt: skip


# Over time --------------------------------------------------------------------------------------


@styled
def envelopes(
    results: Results,
    measure: str,
    strategies: Sequence[str],
    *,
    baseline: str | None = None,
    future: str | None = None,
    ax: Panels | None = None,
) -> Figure:
    """Draw median and bands of 50% and 90% of the runs, year by year.

    Up to four strategies share a panel; more get a panel each, on one scale.

    Parameters
    ----------
    results
        From :func:`kolabsim.simulate`.
    measure
        Name of a measure.
    strategies
        Names of strategies.
    baseline
        A strategy; then the figure shows the difference to it, run by run.
    future
        Name of the future, by default the first.
    ax
        Axes to draw in: one, or one a strategy if there are more than four.

    Examples
    --------
    >>> import kolabsim as ks
    >>> from kolabsim import figures
    >>> results = ks.simulate("kartamantul", ["voluntary", "forum"], runs=4, seed=1)
    >>> figure = figures.envelopes(results, "trust", ["voluntary", "forum"])
    """
    time, values = yearly(results, measure, strategies, baseline=baseline, future=future)
    bands = quantiles(values, SPREAD, axis=1)
    scale = choose_scale(
        MEASURES[measure].unit, bands.ravel(), currency=results.scenario.currency,
        difference=baseline is not None,
    )  # fmt: skip
    titles = [results.scenario.strategies[name].title(language()) for name in strategies]
    together = len(strategies) <= OVERLAID
    number = 1 if together else len(strategies)
    columns = min(4, math.ceil(math.sqrt(number)))
    rows = math.ceil(number / columns)
    canvas = open_canvas(
        ax, 3.4 if together else 0.7 + 1.6 * rows, rows, columns, number=number,
        sharex=True, sharey=True,
    )  # fmt: skip
    for k, title in enumerate(titles):
        axes = canvas.panels[0 if together else k]
        draw_bands(axes, time, bands[:, k] / scale.divisor, SERIES[k] if together else BLUE, title)
        if not together:
            axes.set_title(wrap_lines(title, 26), fontsize=8.5)
    for axes in canvas.panels:
        axes.grid(axis="y")
        axes.set_xlim(time[0], time[-1])
        if baseline is not None:
            axes.axhline(0.0, color=INK, linewidth=0.8)
        write_ticks(axes.yaxis)
        limit_ticks(axes.xaxis, integer=True, nbins=6 if together else 3)
    explain_bands(canvas, canvas.panels[0] if together else None)
    canvas.label_y(wrap_lines(measure_label(measure, scale), 60))
    return canvas.figure


def draw_bands(axes: Axes, time: np.ndarray, bands: np.ndarray, colour: str, title: str) -> None:
    """Draw a median and the bands of 50% and 90% of the runs around it."""
    low, lower, middle, upper, high = bands
    axes.fill_between(time, lower, upper, color=colour, alpha=0.25, linewidth=0)
    for edge in (low, high):
        axes.plot(time, edge, color=colour, linewidth=0.9, linestyle=(0, (2, 2)))
    axes.plot(time, middle, color=colour, linewidth=2.0, label=title)


def explain_bands(canvas: Canvas, axes: Axes | None) -> None:
    """Explain lines and bands, after the strategies of ``axes``."""
    colour = GREY if axes else BLUE
    canvas.add_legend(
        [
            *(axes.get_legend_handles_labels()[0] if axes else []),
            line(colour, _("median of the runs"), linewidth=2.0),
            patch(colour, _("middle 50% of the runs"), alpha=0.25),
            line(colour, _("middle 90% of the runs"), linewidth=0.9, linestyle=(0, (2, 2))),
        ],
        columns=4 if axes else 3,
    )


# Differences ------------------------------------------------------------------------------------


@styled
def forest(
    comparison: Comparison,
    measures: Sequence[str],
    *,
    future: str | None = None,
    same_scale: bool = False,
    ax: Panels | None = None,
) -> Figure:
    """Draw differences to the baseline with their intervals: a panel a measure, a line a strategy.

    Parameters
    ----------
    comparison
        From :func:`kolabsim.compare`.
    measures
        Names of measures.
    future
        Name of the future, by default the first.
    same_scale
        Whether all panels share one axis, for measures with the same unit.
    ax
        Axes to draw in, one a measure.

    Examples
    --------
    >>> import kolabsim as ks
    >>> from kolabsim import figures
    >>> results = ks.simulate("kartamantul", ["voluntary", "forum"], runs=4, seed=1)
    >>> figure = figures.forest(ks.compare(results), ["realised_benefit", "net_saving"])
    """
    order = comparison.order(future=future)[::-1]
    columns = min(len(measures), 3)
    rows = math.ceil(len(measures) / columns)
    canvas = open_canvas(
        ax, 0.35 + rows * (0.9 + 0.19 * len(order)), rows, columns, number=len(measures),
        sharey=True, sharex="all" if same_scale else "none",
    )  # fmt: skip
    seen = set()
    width = 24 if columns == 3 else 40  # characters that fit beside the titles of strategies
    for axes, measure in zip(canvas.panels, measures, strict=True):
        table = comparison.table(measure, future=future).loc[order]
        scale = choose_measure_scale(comparison, measure, table)
        seen |= set(draw_differences(axes, table, scale.divisor))
        axes.set_title(wrap_lines(measure_title(measure), width))
        axes.set_xlabel(wrap_lines(measure_hint(measure, scale), width), labelpad=2.0)
        limit_ticks(axes.xaxis, nbins=7 if columns < 3 else 4)
        write_ticks(axes.xaxis)
        axes.set_yticks(range(len(order)))
        axes.set_yticklabels([strategy_title(comparison, name) for name in order])
        axes.set_ylim(-0.7, len(order) - 0.3)
    labels = verdict_labels(comparison)
    add_verdict_legend(canvas, {verdict: labels[verdict] for verdict in labels if verdict in seen})
    return canvas.figure


def draw_differences(axes: Axes, table: pd.DataFrame, divisor: float) -> list[str]:
    """Draw a line for each row of a table of differences; return the verdicts drawn."""
    axes.axvline(0.0, color=INK, linewidth=0.9, zorder=1)
    axes.grid(axis="x")
    for y, row in enumerate(table.itertuples()):
        if math.isfinite(row.difference):
            ends = (row.low / divisor, row.difference / divisor, row.high / divisor)
            draw_estimate(axes, y, row.verdict, *ends)
        else:
            axes.text(0.0, y, " " + _("undefined"), va="center", fontsize=7.0, color=GREY)
    return list(table["verdict"][np.isfinite(table["difference"])])


# Reasons and cost -------------------------------------------------------------------------------


@styled
def channels(
    comparison: Comparison,
    strategies: Sequence[str] | None = None,
    *,
    future: str | None = None,
    ax: Panels | None = None,
) -> Figure:
    """Draw the channels through which each strategy changes net benefit, and their sum.

    What adds to net benefit is drawn to the right, what reduces it to the left; the diamond is the
    sum with its interval. Channels that are small everywhere are drawn as one.

    Parameters
    ----------
    comparison
        From :func:`kolabsim.compare`.
    strategies
        Names of strategies; by default all.
    future
        Name of the future, by default the first.
    ax
        Axes to draw in.

    Examples
    --------
    >>> import kolabsim as ks
    >>> from kolabsim import figures
    >>> results = ks.simulate("kartamantul", ["voluntary", "forum"], runs=4, seed=1)
    >>> figure = figures.channels(ks.compare(results))
    """
    order = [s for s in comparison.order(future=future) if strategies is None or s in strategies]
    order = order[::-1]
    table = comparison.channels
    table = table[table["future"] == (future or comparison.futures[0])]
    grid = table.pivot(index="strategy", columns="channel", values="difference").loc[order]
    total = comparison.table(NET_BENEFIT, future=future).loc[order]
    scale = choose_measure_scale(comparison, NET_BENEFIT, total)
    grid = grid / scale.divisor
    longest = max(grid.clip(lower=0.0).sum(axis=1).max(), -grid.clip(upper=0.0).sum(axis=1).min())
    large = [name for name in grid.columns if grid[name].abs().max() >= SMALL * longest]
    parts = [(channel_title(name), CHANNEL_COLOURS[name], grid[name]) for name in large]
    small = grid.drop(columns=large)
    if len(small.columns):
        parts.append((_("All other channels"), PALE, small.sum(axis=1)))
    canvas = open_canvas(ax, 1.1 + 0.27 * len(order))
    [axes] = canvas.panels
    axes.grid(axis="x")
    reach = {1: np.zeros(len(order)), -1: np.zeros(len(order))}
    for title, colour, column in parts:
        wide = column.to_numpy()
        left = np.where(wide >= 0.0, reach[1], reach[-1])
        draw_part(axes, wide, left, colour, title)
        reach[1] += np.maximum(wide, 0.0)
        reach[-1] += np.minimum(wide, 0.0)
    axes.axvline(0.0, color=INK, linewidth=0.9)
    text = _("Sum, with its {level} interval").format(level=percent(comparison.level))
    sums = (total[name] / scale.divisor for name in ("difference", "low", "high"))
    draw_sums(axes, text, *sums)
    axes.set_yticks(range(len(order)), [strategy_title(comparison, name) for name in order])
    axes.set_xlabel(_("Difference in realised net benefit, {unit}").format(unit=scale.label))
    axes.margins(y=0.02)
    write_ticks(axes.xaxis)
    canvas.add_legend(axes.get_legend_handles_labels()[0], columns=4)
    return canvas.figure


def draw_part(axes: Axes, wide: np.ndarray, left: np.ndarray, colour: str, title: str) -> None:
    """Draw one part of stacked bars, a line a strategy."""
    axes.barh(range(len(wide)), wide, left=left, height=0.7, color=colour, label=title,
              edgecolor="white", linewidth=0.5)  # fmt: skip


def draw_sums(axes: Axes, title: str, value: pd.Series, low: pd.Series, high: pd.Series) -> None:
    """Draw the sums of stacked bars as diamonds with intervals."""
    axes.hlines(range(len(value)), low, high, color=INK, linewidth=1.6, zorder=4)
    axes.plot(value, range(len(value)), "D", color=INK, markerfacecolor="white", markersize=5.0,
              linestyle="", zorder=5, label=title)  # fmt: skip


@styled
def cost_effectiveness(
    comparison: Comparison, *, future: str | None = None, ax: Panels | None = None
) -> Figure:
    """Draw the cost of programmes, by payer, and the saving; beside it, the saving per unit spent.

    All values are over the run and differences to the baseline; the net saving and the ratio have
    intervals.

    Parameters
    ----------
    comparison
        From :func:`kolabsim.compare`.
    future
        Name of the future, by default the first.
    ax
        Axes to draw in: one for the cost, one for the ratio.

    Examples
    --------
    >>> import kolabsim as ks
    >>> from kolabsim import figures
    >>> results = ks.simulate("kartamantul", ["voluntary", "forum"], runs=4, seed=1)
    >>> figure = figures.cost_effectiveness(ks.compare(results))
    """
    table = comparison.costs
    table = table[table["future"] == (future or comparison.futures[0])]
    order = comparison.order(future=future)[::-1]
    value, low, high = (
        table.pivot(index="strategy", columns="item", values=name).loc[order]
        for name in ("value", "low", "high")
    )
    scale = choose_scale(
        "currency", value[["programme_cost", "saving"]].to_numpy().ravel(),
        currency=comparison.scenario.currency,
    )  # fmt: skip
    canvas = open_canvas(
        ax, 1.2 + 0.27 * len(order), 1, 2, sharey=True, gridspec_kw={"width_ratios": [2.6, 1.0]}
    )
    money, ratio = canvas.panels
    left = np.zeros(len(order))
    draw_part(money, value["saving"] / scale.divisor, left, BLUE, _("Saving in services"))
    for item, colour, text in (
        ("programme_members", VERMILION, _("Programme cost to members")),
        ("programme_centre", ORANGE, _("Programme cost to central government")),
        ("programme_supporters", PURPLE, _("Programme cost to supporters")),
    ):
        wide = -value[item].to_numpy() / scale.divisor
        if np.abs(wide).max() > 0.0:
            draw_part(money, wide, left, colour, text)
        left = left + wide
    text = _("Net saving, with its {level} interval").format(level=percent(comparison.level))
    draw_sums(money, text, *(part["net_saving"] / scale.divisor for part in (value, low, high)))
    money.set_xlabel(scale.label)
    money.set_title(_("Saving and cost over the run"))
    draw_ratios(ratio, *(part["saving_per_cost"] for part in (value, low, high)))
    for axes, place in ((money, 0.0), (ratio, 1.0)):
        axes.set_yticks(range(len(order)), [strategy_title(comparison, name) for name in order])
        axes.grid(axis="x")
        axes.axvline(place, color=INK, linewidth=0.9, zorder=1)
        axes.use_sticky_edges = False
        axes.margins(x=0.04, y=0.03)
        write_ticks(axes.xaxis)
    if canvas.is_new:
        ratio.tick_params(labelleft=False)
    canvas.add_legend(money.get_legend_handles_labels()[0], columns=3)
    return canvas.figure


def draw_ratios(axes: Axes, value: pd.Series, low: pd.Series, high: pd.Series) -> None:
    """Draw the saving per unit spent, with its interval, and the line where a programme pays."""
    axes.set_title(wrap_lines(_("Saving per unit spent"), 22))
    axes.set_xlabel(_("above 1: pays for itself"))
    for y, (middle, start, end) in enumerate(zip(value, low, high, strict=True)):
        if math.isfinite(middle):
            verdict = BETTER if start > 1.0 else WORSE if end < 1.0 else UNDECIDED
            draw_estimate(axes, y, verdict, start, middle, end)
        else:
            axes.text(1.0, y, " " + _("no cost"), va="center", fontsize=7.5, color=GREY)
    left, right = axes.get_xlim()
    # The words "no cost" begin at 1, and must not lie outside.
    axes.set_xlim(min(0.0, left), right if np.isfinite(value).all() else max(right, 2.0))


# Convergence ------------------------------------------------------------------------------------


def convergence_scale(comparison: Comparison, found: pd.DataFrame) -> Scale:
    """Choose the scale of differences by number of runs: that of all runs."""
    last = found.iloc[-1]
    values = [last[name] for name in ("difference", "low", "high")]
    half = (last["high"] - last["low"]) / 2.0
    unit, currency = MEASURES[NET_BENEFIT].unit, comparison.scenario.currency
    return choose_scale(unit, values, [half], currency=currency)


@styled
def convergence_by_runs(
    comparison: Comparison, found: pd.DataFrame, *, ax: Panels | None = None
) -> Figure:
    """Draw the difference of the best strategy to the baseline, by number of runs.

    Parameters
    ----------
    comparison
        From :func:`kolabsim.compare`.
    found
        Difference and interval by number of runs, from
        :func:`kolabsim.analysis.convergence.convergence`.
    ax
        Axes to draw in.
    """
    scale = convergence_scale(comparison, found)
    canvas = open_canvas(ax, 2.2)
    [axes] = canvas.panels
    axes.grid(axis="y")
    axes.axhline(0.0, color=INK, linewidth=0.9, zorder=1)
    at = range(len(found))
    low, middle, high = (found[name] / scale.divisor for name in ("low", "difference", "high"))
    axes.axhline(middle.iloc[-1], color=BLUE, linewidth=0.7, linestyle=DASHED, zorder=1)
    axes.vlines(at, low, high, color=BLUE, linewidth=1.8, zorder=2)
    undecided = verdicts(low.to_numpy(), high.to_numpy(), 1) == UNDECIDED
    faces = np.where(undecided, "white", BLUE).tolist()
    axes.scatter(at, middle, s=30.0, c=faces, edgecolors=BLUE, zorder=3)
    axes.set_xticks(at, [count(runs) for runs in found["runs"]])
    axes.set_xlabel(_("Runs"))
    axes.set_ylabel(wrap_lines(scale.label, 18))
    axes.margins(x=0.06, y=0.08)
    write_ticks(axes.yaxis)
    return canvas.figure
