"""Figures of a comparison: over time, differences with intervals, channels, cost.

Strategies are always in the order of their realised net benefit, the best first. Differences are to
the comparison's baseline, with its intervals; verdicts are told by shape as well as by colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import (
    BETTER,
    NET_BENEFIT,
    PROGRAMME,
    UNDECIDED,
    WORSE,
    cube,
    verdicts,
)
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
    GREEN,
    GREY,
    INK,
    MARKS,
    ORANGE,
    PALE,
    PURPLE,
    SERIES,
    SKY,
    VERMILION,
    YELLOW,
    add_verdict_legend,
    blank,
    marker_face,
    styled,
    write_ticks,
)
from kolabsim.i18n import _, language
from kolabsim.model.measures import MEASURES, RATIO, SUM
from kolabsim.model.parameters import QUARTERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.study.collect import Results

OVERLAID = 4
"""Most strategies that are drawn over each other in one envelope; more get a panel each."""
SMALL = 0.04
"""Channels that nowhere reach this share of the longest bar are drawn as one."""
CHANNEL_COLOURS = {
    "scale": BLUE, "spill": SKY, "pooled": GREEN, "coordination": VERMILION, "distance": ORANGE,
    PROGRAMME: PURPLE, "entry": YELLOW, "newness": "#8C564B", "conduct": "#44AA99",
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
) -> Figure:
    """Median and bands of 50 and 90 % of the runs over time, year by year.

    With a ``baseline``, of the difference to it, run by run. Up to four strategies share a panel;
    of more, each has its own.

    Parameters
    ----------
    results
        From :func:`kolabsim.simulate`.
    measure
        Name of a measure.
    strategies
        Names of strategies.
    baseline
        Name of the strategy to which differences are taken.
    future
        Name of the future, by default the first.

    Examples
    --------
    >>> figures.envelopes(results, "trust", ["voluntary", "forum"])
    """
    time, values = yearly(results, measure, strategies, baseline=baseline, future=future)
    bands = quantiles(values, (0.05, 0.25, 0.5, 0.75, 0.95))
    scale = choose_scale(
        MEASURES[measure].unit, bands.ravel(), currency=results.scenario.currency,
        difference=baseline is not None,
    )  # fmt: skip
    titles = [results.scenario.strategies[name].title(language()) for name in strategies]
    together = len(strategies) <= OVERLAID
    columns = 1 if together else min(4, math.ceil(math.sqrt(len(strategies))))
    rows = 1 if together else math.ceil(len(strategies) / columns)
    figure, panels = blank(
        3.4 if together else 0.7 + 1.6 * rows, rows, columns, sharex=True, sharey=True
    )
    panels = panels.ravel()
    for k, title in enumerate(titles):
        axes = panels[0 if together else k]
        draw_bands(axes, time, bands[:, k] / scale.divisor, SERIES[k] if together else BLUE, title)
        if not together:
            axes.set_title(wrap_lines(title, 26), fontsize=8.5)
    for axes in panels:
        axes.set_axis_off() if axes not in panels[: len(titles)] else axes.grid(axis="y")
        axes.set_xlim(time[0], time[-1])
        if baseline is not None:
            axes.axhline(0.0, color=INK, linewidth=0.8)
        write_ticks(axes.yaxis, 1.0)
        axes.xaxis.get_major_locator().set_params(integer=True, nbins=6 if together else 3)
    explain_bands(figure, panels[0] if together else None)
    figure.supylabel(wrap_lines(measure_label(measure, scale), 60), fontsize=8.0)
    return figure


def draw_bands(axes: Axes, time: np.ndarray, bands: np.ndarray, colour: str, title: str) -> None:
    """Draw a median and the bands of half and of nine tenths of the runs around it."""
    low, lower, middle, upper, high = bands
    axes.fill_between(time, lower, upper, color=colour, alpha=0.25, linewidth=0)
    for edge in (low, high):
        axes.plot(time, edge, color=colour, linewidth=0.9, linestyle=(0, (2, 2)))
    axes.plot(time, middle, color=colour, linewidth=2.0, label=title)


def explain_bands(figure: Figure, axes: Axes | None) -> None:
    """Say above the panels what lines and bands are, after the strategies of ``axes``."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = axes.get_legend_handles_labels()[0] if axes else []
    colour = GREY if axes else BLUE
    handles += [
        Line2D([], [], color=colour, linewidth=2.0, label=_("median of the runs")),
        Patch(color=colour, alpha=0.25, linewidth=0, label=_("half of the runs")),
        Line2D([], [], color=colour, linewidth=0.9, linestyle=(0, (2, 2)),
               label=_("nine tenths of the runs")),
    ]  # fmt: skip
    columns = 4 if axes else 3
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, borderaxespad=0.2)


def yearly(
    results: Results,
    measure: str,
    strategies: Sequence[str],
    *,
    baseline: str | None,
    future: str | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Years, and a measure [strategies, runs, years]; quarters where there are less than two years.

    A year is the mean or sum of its quarters, or the ratio of two sums, as the measure is made.
    """
    entry, quarters = MEASURES[measure], results.scenario.horizon
    keys = {
        "strategy": [*strategies] if baseline is None else [*strategies, baseline],
        "future": [future or next(iter(results.futures))],
        "run": np.unique(results.quarters["run"]),
        "quarter": range(quarters),
    }
    columns = [measure, *entry.ratio] if entry.figure == RATIO else [measure]
    values = cube(results.quarters, keys, columns)[:, 0]
    time = np.arange(quarters)
    if quarters >= 2 * QUARTERS:
        years = quarters // QUARTERS
        time = results.scenario.start_year + np.arange(years)
        shape = (*values.shape[:2], years, QUARTERS, len(columns))
        values = values[:, :, : years * QUARTERS].reshape(shape)
        if entry.figure == RATIO:
            above, below = values[..., 1].sum(axis=3), values[..., 2].sum(axis=3)
            ratio = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0.0)
            values = ratio[..., None]
        else:
            defined = np.isfinite(values).sum(axis=3)
            total = np.nansum(values, axis=3)
            divisor = np.where(defined > 0, 1 if entry.figure == SUM else defined, np.nan)
            values = total / divisor
    values = values[..., 0]
    return time, values if baseline is None else values[:-1] - values[-1:]


def quantiles(values: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Quantiles over runs (axis 1) of what is defined, [shares, strategies, years]."""
    found = np.full((len(shares), values.shape[0], values.shape[2]), np.nan)
    some = np.isfinite(values).any(axis=1)
    masked = np.where(some[:, None], values, 0.0)
    found[:] = np.nanquantile(masked, shares, axis=1)
    return np.where(some, found, np.nan)


# Differences ------------------------------------------------------------------------------------


@styled
def forest(
    comparison: Comparison,
    measures: Sequence[str],
    *,
    future: str | None = None,
    same_scale: bool = False,
) -> Figure:
    """Differences to the baseline with their intervals: a panel a measure, a line a strategy.

    ``same_scale`` lets all panels share one axis, for measures with the same unit.

    Parameters
    ----------
    comparison
        From :func:`kolabsim.compare`.
    measures
        Names of measures.
    future
        Name of the future, by default the first.
    same_scale
        Whether all panels share one axis.

    Examples
    --------
    >>> figures.forest(comparison, ["realised_benefit", "net_saving"])
    """
    order = comparison.order(future=future)[::-1]
    columns = min(len(measures), 3)
    rows = math.ceil(len(measures) / columns)
    figure, panels = blank(
        0.35 + rows * (0.75 + 0.19 * len(order)), rows, columns, sharey=True,
        sharex="all" if same_scale else "none",
    )  # fmt: skip
    panels, seen = panels.ravel(), set()
    for axes, measure in zip(panels, measures, strict=False):
        table = comparison.table(measure, future=future).loc[order]
        scale = choose_measure_scale(comparison, measure, table)
        seen |= set(draw_differences(axes, table, scale.divisor))
        axes.set_title(wrap_lines(measure_title(measure), 30))
        axes.set_xlabel(measure_hint(measure, scale), labelpad=2.0)
        axes.xaxis.get_major_locator().set_params(nbins=7 if columns < 3 else 4)
        write_ticks(axes.xaxis, 1.0)
        axes.set_yticks(range(len(order)))
        axes.set_yticklabels([strategy_title(comparison, name) for name in order])
        axes.set_ylim(-0.7, len(order) - 0.3)
    for axes in panels[len(measures) :]:
        axes.set_axis_off()
    words = verdict_labels(comparison)
    add_verdict_legend(figure, {verdict: words[verdict] for verdict in words if verdict in seen})
    return figure


def draw_differences(axes: Axes, table: pd.DataFrame, divisor: float) -> list[str]:
    """Draw a line for each row of a table of differences; the verdicts that were drawn."""
    axes.axvline(0.0, color=INK, linewidth=0.9, zorder=1)
    axes.grid(axis="x")
    for y, row in enumerate(table.itertuples()):
        if not math.isfinite(row.difference):
            axes.text(0.0, y, " " + _("undefined"), va="center", fontsize=7.0, color=GREY)
            continue
        _sign, marker, colour = MARKS[row.verdict]
        ends = [row.low / divisor, row.high / divisor]
        axes.plot(ends, [y, y], color=colour, linewidth=1.5, zorder=2)
        axes.plot(
            row.difference / divisor, y, marker=marker, markersize=5.0, color=colour, zorder=3,
            markerfacecolor=marker_face(row.verdict),
        )  # fmt: skip
    return list(table["verdict"][np.isfinite(table["difference"])])


# Why, and at what cost --------------------------------------------------------------------------


@styled
def channels(
    comparison: Comparison, strategies: Sequence[str] | None = None, *, future: str | None = None
) -> Figure:
    """Through what each strategy changes net benefit: what adds to the right, what takes away left.

    The diamond is the sum, with its interval. Channels that are small everywhere are one.

    Parameters
    ----------
    comparison
        From :func:`kolabsim.compare`.
    strategies
        Names of strategies; by default all.
    future
        Name of the future, by default the first.

    Examples
    --------
    >>> figures.channels(comparison)
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
    figure, panels = blank(1.1 + 0.27 * len(order))
    axes = panels[0, 0]
    axes.grid(axis="x")
    reach = {1: np.zeros(len(order)), -1: np.zeros(len(order))}
    for title, colour, wide in parts:
        wide = wide.to_numpy()
        left = np.where(wide >= 0.0, reach[1], reach[-1])
        axes.barh(range(len(order)), wide, left=left, height=0.7, color=colour, label=title,
                  edgecolor="white", linewidth=0.5)  # fmt: skip
        reach[1] += np.maximum(wide, 0.0)
        reach[-1] += np.minimum(wide, 0.0)
    axes.axvline(0.0, color=INK, linewidth=0.9)
    middle = total["difference"] / scale.divisor
    ends = [(total["low"] / scale.divisor), (total["high"] / scale.divisor)]
    axes.hlines(range(len(order)), *ends, color=INK, linewidth=1.6, zorder=4)
    axes.plot(
        middle, range(len(order)), "D", color=INK, markerfacecolor="white", markersize=5.0,
        linestyle="", zorder=5,
        label=_("Sum, with its {level} interval").format(level=percent(comparison.level)),
    )  # fmt: skip
    axes.set_yticks(range(len(order)), [strategy_title(comparison, name) for name in order])
    axes.set_xlabel(_("Difference in realised net benefit, {unit}").format(unit=scale.label))
    axes.margins(y=0.02)
    write_ticks(axes.xaxis, 1.0)
    figure.legend(loc="outside upper left", ncols=4, columnspacing=1.4)
    return figure


@styled
def cost_effectiveness(comparison: Comparison, *, future: str | None = None) -> Figure:
    """What programmes cost, by who pays, and what they save; beside it, saving per unit spent.

    Everything is over the run and beyond the baseline; intervals are drawn for the net saving and
    for the ratio.

    Parameters
    ----------
    comparison
        From :func:`kolabsim.compare`.
    future
        Name of the future, by default the first.

    Examples
    --------
    >>> figures.cost_effectiveness(comparison)
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
    figure, panels = blank(
        1.2 + 0.27 * len(order), 1, 2, sharey=True, gridspec_kw={"width_ratios": [2.6, 1.0]}
    )
    money, ratio = panels[0]
    at = np.arange(len(order))
    spent = np.zeros(len(order))
    bars = [
        ("saving", BLUE, 1, _("Saving in services")),
        ("programme_members", VERMILION, -1, _("Programme cost to members")),
        ("programme_centre", ORANGE, -1, _("Programme cost to the centre")),
        ("programme_supporters", PURPLE, -1, _("Programme cost to supporters")),
    ]
    for item, colour, sense, text in bars:
        wide = sense * value[item].to_numpy() / scale.divisor
        left = 0.0 if item == "saving" else spent
        if np.abs(wide).max() > 0.0:
            money.barh(at, wide, left=left, height=0.7, color=colour, label=text,
                       edgecolor="white", linewidth=0.5)  # fmt: skip
        if item != "saving":
            spent = spent + wide
    net = [part["net_saving"] / scale.divisor for part in (value, low, high)]
    money.hlines(at, net[1], net[2], color=INK, linewidth=1.6, zorder=4)
    money.plot(
        net[0], at, "D", color=INK, markerfacecolor="white", markersize=5.0, linestyle="", zorder=5,
        label=_("Net saving, with its {level} interval").format(level=percent(comparison.level)),
    )  # fmt: skip
    money.set_xlabel(scale.label)
    money.set_title(_("Saving and cost over the run"))
    money.set_yticks(at, [strategy_title(comparison, name) for name in order])
    draw_ratios(ratio, *(part["saving_per_cost"] for part in (value, low, high)))
    for axes, line in ((money, 0.0), (ratio, 1.0)):
        axes.grid(axis="x")
        axes.axvline(line, color=INK, linewidth=0.9, zorder=1)
        axes.use_sticky_edges = False
        axes.margins(x=0.04, y=0.03)
        write_ticks(axes.xaxis, 1.0)
    figure.legend(loc="outside upper left", ncols=3, columnspacing=1.4)
    return figure


def draw_ratios(axes: Axes, value: pd.Series, low: pd.Series, high: pd.Series) -> None:
    """Draw what each unit spent saves, with its interval, and where it pays for itself."""
    axes.set_title(_("Saved per unit spent"))
    axes.set_xlabel(_("above 1 it pays for itself"))
    for y, (middle, start, end) in enumerate(zip(value, low, high, strict=True)):
        if not math.isfinite(middle):
            axes.text(1.0, y, " " + _("nothing spent"), va="center", fontsize=7.5, color=GREY)
            continue
        verdict = BETTER if start > 1.0 else WORSE if end < 1.0 else UNDECIDED
        _sign, marker, colour = MARKS[verdict]
        axes.plot([start, end], [y, y], color=colour, linewidth=1.5, zorder=2)
        axes.plot(
            middle, y, marker=marker, color=colour, markerfacecolor=marker_face(verdict),
            markersize=5.0, zorder=3,
        )  # fmt: skip
    left, right = axes.get_xlim()
    # The words "nothing spent" begin at 1, and must not lie outside.
    axes.set_xlim(min(0.0, left), right if np.isfinite(value).all() else max(right, 2.0))


def convergence_scale(comparison: Comparison, found: pd.DataFrame) -> Scale:
    """How the differences are written: as those of all runs."""
    last = found.iloc[-1]
    values = [last[name] for name in ("difference", "low", "high")]
    half = (last["high"] - last["low"]) / 2.0
    unit, currency = MEASURES[NET_BENEFIT].unit, comparison.scenario.currency
    return choose_scale(unit, values, [half], currency=currency)


@styled
def convergence_by_runs(comparison: Comparison, found: pd.DataFrame) -> Figure:
    """A mark with its interval for each number of runs."""
    scale = convergence_scale(comparison, found)
    figure, panels = blank(2.2)
    axes = panels[0, 0]
    axes.grid(axis="y")
    axes.axhline(0.0, color=INK, linewidth=0.9, zorder=1)
    at = range(len(found))
    low, middle, high = (found[name] / scale.divisor for name in ("low", "difference", "high"))
    axes.axhline(middle.iloc[-1], color=BLUE, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    axes.vlines(at, low, high, color=BLUE, linewidth=1.8, zorder=2)
    hollow = [verdict == UNDECIDED for verdict in verdicts(low.to_numpy(), high.to_numpy(), 1)]
    for x, y, is_hollow in zip(at, middle, hollow, strict=True):
        face = "white" if is_hollow else BLUE
        axes.plot(x, y, "o", color=BLUE, markerfacecolor=face, markersize=5.5, zorder=3)
    axes.set_xticks(at, [count(runs) for runs in found["runs"]])
    axes.set_xlabel(_("Runs"))
    axes.set_ylabel(wrap_lines(scale.label, 18))
    axes.margins(x=0.06, y=0.08)
    write_ticks(axes.yaxis, 1.0)
    return figure
