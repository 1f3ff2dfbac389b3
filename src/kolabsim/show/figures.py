"""Figures of a comparison: each a function that returns a matplotlib figure, without global state.

Strategies are always in the order of their realised net benefit, the best first. Differences are to
the comparison's baseline, with its intervals; verdicts are told by shape as well as by colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.compare import (
    BETTER,
    DIFFERENT,
    GAINS,
    LOSES,
    NET_BENEFIT,
    PROGRAMME,
    UNDECIDED,
    WORSE,
    cube,
)
from kolabsim.language import _, language
from kolabsim.model.measures import CHANNELS, MEASURES, RATIO, SUM
from kolabsim.model.parameters import QUARTERS
from kolabsim.show.drawing import (
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
    WIDTH,
    YELLOW,
    blank,
    place_labels,
    styled,
    to_png,
    to_svg,
)
from kolabsim.show.numbers import Scale, decimal, percent, scale_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.analysis.compare import Comparison
    from kolabsim.study.results import Results

__all__ = [
    "channels",
    "cost_effectiveness",
    "envelopes",
    "forest",
    "regions_map",
    "to_png",
    "to_svg",
    "winners",
]

OVERLAID = 4
"""Most strategies that are drawn over each other in one envelope; more get a panel each."""
NAMED = 30
"""Most regions that are drawn one by one; of more, only how many gain and lose."""
SMALL = 0.04
"""Channels that nowhere reach this share of the longest bar are drawn as one."""
CHANNEL_COLOURS = {
    "scale": BLUE, "spill": SKY, "pooled": GREEN, "coordination": VERMILION, "distance": ORANGE,
    PROGRAMME: PURPLE, "entry": YELLOW, "newness": "#8C564B", "conduct": "#44AA99",
    "self_rule": INK,
}  # fmt: skip


def title_of(measure: str) -> str:
    """What a measure is called, with a capital."""
    return capital(_(MEASURES[measure].title))


def capital(text: str) -> str:
    """A text that begins a line."""
    return text[:1].upper() + text[1:]


def strategy_title(comparison: Comparison, name: str) -> str:
    """What a strategy is called, in the language spoken now."""
    return comparison.scenario.strategies[name].title(language())


def channel_title(name: str) -> str:
    """What a channel is called."""
    title = MEASURES["programme_cost"].title if name == PROGRAMME else CHANNELS[name].title
    return capital(_(title))


def measure_scale(comparison: Comparison, measure: str, table: pd.DataFrame) -> Scale:
    """How differences of a measure are written; ``table`` has difference, low and high."""
    return scale_of(
        MEASURES[measure].unit,
        np.concatenate([table["difference"], table["low"], table["high"]]),
        (table["high"] - table["low"]) / 2.0,
        currency=comparison.scenario.currency,
    )


def wrapped(text: str, width: int) -> str:
    """A text broken into lines of so many characters."""
    from textwrap import wrap

    return "\n".join(wrap(text, width))


def write_ticks(axis: object, divisor: float) -> None:
    """Write an axis' numbers in the language spoken now, with no more decimals than they need."""
    from matplotlib.ticker import FuncFormatter

    def written(value: float, _position: int | None) -> str:
        ticks = np.asarray(axis.get_majorticklocs()) / divisor
        step = np.diff(ticks).min() if len(ticks) > 1 else max(abs(value / divisor), 1.0)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0.0 else 0
        if any(abs(t * 10**decimals - round(t * 10**decimals)) > 1e-6 for t in ticks):
            decimals += 1
        return decimal(value / divisor, decimals)

    axis.set_major_formatter(FuncFormatter(written))


def legend_of_verdicts(figure: Figure, words: dict[str, str]) -> None:
    """What the marks mean, above all panels."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], linestyle="", marker=MARKS[verdict][1], markersize=5.5, label=text,
            color=MARKS[verdict][2], markerfacecolor=face_of(verdict),
        )
        for verdict, text in words.items()
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), borderaxespad=0.2)


def face_of(verdict: str) -> str:
    """The inside of a mark: hollow where the interval decides nothing."""
    return "white" if verdict == UNDECIDED else MARKS[verdict][2]


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
    """
    time, values = yearly(results, measure, strategies, baseline=baseline, future=future)
    bands = quantiles(values, (0.05, 0.25, 0.5, 0.75, 0.95))
    scale = scale_of(
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
            axes.set_title(wrapped(title, 26), fontsize=8.5)
    for axes in panels:
        axes.set_axis_off() if axes not in panels[: len(titles)] else axes.grid(axis="y")
        axes.set_xlim(time[0], time[-1])
        if baseline is not None:
            axes.axhline(0.0, color=INK, linewidth=0.8)
        write_ticks(axes.yaxis, 1.0)
        axes.xaxis.get_major_locator().set_params(integer=True, nbins=6 if together else 3)
    explain_bands(figure, panels[0] if together else None)
    figure.supylabel(wrapped(label_of(measure, scale), 60), fontsize=8.0)
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


def label_of(measure: str, scale: Scale) -> str:
    """A measure and its unit."""
    title = title_of(measure)
    return f"{title} ({scale.label})" if scale.label else title


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
        scale = measure_scale(comparison, measure, table)
        seen |= set(draw_differences(axes, table, scale.divisor))
        axes.set_title(wrapped(title_of(measure), 30))
        axes.set_xlabel(hint_of(measure, scale), labelpad=2.0)
        axes.xaxis.get_major_locator().set_params(nbins=4)
        write_ticks(axes.xaxis, 1.0)
        axes.set_yticks(range(len(order)))
        axes.set_yticklabels([strategy_title(comparison, name) for name in order])
        axes.set_ylim(-0.7, len(order) - 0.3)
    for axes in panels[len(measures) :]:
        axes.set_axis_off()
    words = verdict_words(comparison)
    legend_of_verdicts(figure, {verdict: words[verdict] for verdict in words if verdict in seen})
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
            markerfacecolor=face_of(row.verdict),
        )  # fmt: skip
    return list(table["verdict"][np.isfinite(table["difference"])])


def hint_of(measure: str, scale: Scale) -> str:
    """The unit of a measure, and where better lies when it is not to the right."""
    if MEASURES[measure].better < 0:
        return _("{unit}; less is better").format(unit=scale.label)
    return scale.label


def verdict_words(comparison: Comparison) -> dict[str, str]:
    """What the marks of differences mean."""
    words = {
        "baseline": strategy_title(comparison, comparison.baseline),
        "level": percent(comparison.level),
    }
    return {
        BETTER: _("better than {baseline}").format(**words),
        WORSE: _("worse than {baseline}").format(**words),
        DIFFERENT: _("different, neither better nor worse"),
        UNDECIDED: _("the {level} interval includes no difference").format(**words),
    }


# Winners and losers -----------------------------------------------------------------------------


def winner_words(comparison: Comparison) -> dict[str, str]:
    """What the marks of winners and losers mean."""
    level = percent(comparison.level)
    return {
        GAINS: _("gains"),
        LOSES: _("loses"),
        UNDECIDED: _("undecided: the {level} interval includes no difference").format(level=level),
    }


def winner_scale(comparison: Comparison) -> Scale:
    """How the gains and losses of regions are written: two decimals of a per cent at most."""
    scale = measure_scale(comparison, NET_BENEFIT, comparison.winners)
    return replace(scale, decimals=min(scale.decimals, 2))


def verdict_colours() -> object:
    """Colours from losing through nothing to gaining."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("verdict", [VERMILION, "#FAFAFA", BLUE])


def limit_of(comparison: Comparison, future: str | None) -> float:
    """The largest gain or loss of a region under any strategy, so that figures share colours.

    The few largest of many do not count: they would leave all others pale.
    """
    table = comparison.winners
    here = table[table["future"] == (future or comparison.futures[0])]
    sizes = here["difference"].abs().dropna()
    return float(sizes.quantile(0.98)) if len(sizes) and sizes.max() > 0.0 else 1.0


@styled
def winners(
    comparison: Comparison, strategies: Sequence[str] | None = None, *, future: str | None = None
) -> Figure:
    """Who gains and who loses: a line a region, a column a strategy, each with its verdict.

    Of more than 30 regions, how many gain and how many lose.
    """
    chosen = [s for s in comparison.order(future=future) if strategies is None or s in strategies]
    table = comparison.winners
    table = table[table["future"] == (future or comparison.futures[0])]
    if table["region"].nunique() > NAMED:
        return winner_counts(comparison, table, chosen)
    grid = table.pivot(index="name", columns="strategy", values="difference")[chosen]
    verdicts = table.pivot(index="name", columns="strategy", values="verdict")[chosen]
    titles = {name: strategy_title(comparison, name) for name in chosen}
    grid, verdicts = (part.rename(columns=titles) for part in (grid, verdicts))
    if len(grid) < len(chosen):
        grid, verdicts = grid.T, verdicts.T
    scale, limit = winner_scale(comparison), limit_of(comparison, future)
    figure, panels = blank(1.2 + 0.3 * len(grid))
    axes = panels[0, 0]
    axes.pcolormesh(
        grid.to_numpy(), cmap=verdict_colours(), vmin=-limit, vmax=limit, edgecolors="white",
        linewidth=1.5,
    )  # fmt: skip
    for (y, x), value in np.ndenumerate(grid.to_numpy()):
        axes.text(
            x + 0.5, y + 0.5, f"{MARKS[verdicts.iat[y, x]][0]} {scale.bare(value, signed=True)}",
            ha="center", va="center", fontsize=7.5, color=text_on(value, limit),
        )  # fmt: skip
    axes.set_yticks(np.arange(len(grid)) + 0.5, grid.index)
    slanted = len(grid.columns) > 8
    axes.set_xticks(
        np.arange(len(grid.columns)) + 0.5,
        [wrapped(name, 22 if slanted else 15) for name in grid.columns],
        fontsize=7.5, rotation=38 if slanted else 0, ha="left" if slanted else "center",
        rotation_mode="anchor",
    )  # fmt: skip
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    legend_of_verdicts(figure, winner_words(comparison))
    axes.set_xlabel(_("Difference in realised net benefit, {unit}").format(unit=scale.label))
    return figure


def text_on(value: float, limit: float) -> str:
    """A colour of text that can be read on the colour of a gain or loss."""
    return "white" if abs(value) > 0.62 * limit else INK


def winner_counts(comparison: Comparison, table: pd.DataFrame, chosen: Sequence[str]) -> Figure:
    """How many regions gain, lose, or neither, under each strategy."""
    counts = table.groupby(["strategy", "verdict"], observed=True).size().unstack(fill_value=0)
    counts = counts.reindex(index=chosen[::-1], columns=[GAINS, UNDECIDED, LOSES], fill_value=0)
    figure, panels = blank(0.9 + 0.26 * len(chosen))
    axes = panels[0, 0]
    colours = {GAINS: BLUE, UNDECIDED: PALE, LOSES: VERMILION}
    words = winner_words(comparison)
    start = np.zeros(len(counts))
    for verdict, colour in colours.items():
        wide = counts[verdict].to_numpy()
        axes.barh(range(len(counts)), wide, left=start, color=colour, height=0.72,
                  label=words[verdict])  # fmt: skip
        for y, (left, width) in enumerate(zip(start, wide, strict=True)):
            if width > 0.04 * counts.sum(axis=1).max():
                axes.text(left + width / 2.0, y, f"{MARKS[verdict][0]} {decimal(width, 0)}",
                          ha="center", va="center", fontsize=7.5,
                          color=INK if verdict == UNDECIDED else "white")  # fmt: skip
        start += wide
    axes.set_yticks(range(len(counts)), [strategy_title(comparison, name) for name in counts.index])
    axes.set_xlabel(_("Regions"))
    axes.margins(x=0.0, y=0.02)
    figure.legend(loc="outside upper left", ncols=3)
    return figure


@styled
def regions_map(comparison: Comparison, strategy: str, *, future: str | None = None) -> Figure:
    """Regions where they lie, as large as their population, coloured by what they gain or lose.

    Thin lines join land neighbours. All maps of a comparison share one scale of colours.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import LineCollection
    from matplotlib.colors import Normalize

    regions = comparison.scenario.regions
    table = comparison.winners
    table = table[
        (table["future"] == (future or comparison.futures[0])) & (table["strategy"] == strategy)
    ].set_index("region")
    difference = table["difference"].reindex(regions.codes).to_numpy()
    verdicts = table["verdict"].reindex(regions.codes)
    limit, colours = limit_of(comparison, future), verdict_colours()
    east, north = regions.longitude, regions.latitude
    few = len(regions) <= NAMED
    largest = 21.0 if few else 21.0 * math.sqrt(NAMED / len(regions))
    radii = np.maximum(largest * np.sqrt(regions.population / regions.population.max()), 2.0)
    lean = math.cos(math.radians(float(north.mean())))
    shape = lean * max(np.ptp(east), 1e-9) / max(np.ptp(north), 1e-9)
    figure, panels = blank(5.0, width=min(max(1.6 + 3.6 * shape, 4.6), WIDTH))
    axes = panels[0, 0]
    lines = [[(east[i], north[i]), (east[j], north[j])] for i, j in neighbours(comparison)]
    axes.add_collection(LineCollection(lines, colors="#BBBBBB", linewidths=0.7, zorder=1))
    order = np.argsort(-regions.population, kind="stable")
    norm = Normalize(-limit, limit)
    for verdict in (UNDECIDED, GAINS, LOSES):
        some = [i for i in order if verdicts.iloc[i] == verdict]
        axes.scatter(
            east[some], north[some], s=(2.0 * radii[some]) ** 2, c=difference[some], cmap=colours,
            norm=norm, edgecolors=MARKS[verdict][2], linewidths=1.3 if few else 0.5, zorder=2,
            linestyle="--" if verdict == UNDECIDED else "-",
        )  # fmt: skip
    axes.set_aspect(1.0 / lean)
    axes.margins(x=0.3 if few else 0.05, y=0.14 if few else 0.05)
    axes.set_axis_off()
    scale = winner_scale(comparison)
    bar = figure.colorbar(
        ScalarMappable(norm, colours), ax=axes, orientation="horizontal", shrink=0.6, aspect=30,
        pad=0.01,
    )  # fmt: skip
    bar.outline.set_visible(False)
    bar.set_label(_("Difference in realised net benefit, {unit}").format(unit=scale.label))
    write_ticks(bar.ax.xaxis, scale.divisor)
    if few:
        for i in order:
            sign = MARKS[verdicts.iloc[i]][0]
            axes.text(east[i], north[i], sign, ha="center", va="center", fontsize=7.0, zorder=3,
                      color=text_on(difference[i], limit))  # fmt: skip
        texts = [f"{regions.names[i]}\n{scale.bare(difference[i], signed=True)}" for i in order]
        place_labels(
            axes, [(east[i], north[i]) for i in order], texts, radii=list(radii[order]), size=7.5
        )
    words = {GAINS: _("gains"), LOSES: _("loses"), UNDECIDED: _("undecided")}
    legend_of_verdicts(figure, words)
    return figure


def neighbours(comparison: Comparison) -> list[tuple[int, int]]:
    """Pairs of land neighbours, or of contacts where no land neighbours are known."""
    from kolabsim.model.parameters import settle_parameters
    from kolabsim.world.world import build_contacts

    place, contact = build_contacts(comparison.scenario, settle_parameters())
    source = np.repeat(np.arange(len(place)), place["end"] - place["first"])
    target = contact["target"]
    land = contact["land"] > 0.0
    kept = (source < target) & (land if land.any() else True)
    return list(zip(source[kept], target[kept], strict=True))


# Why, and at what cost --------------------------------------------------------------------------


@styled
def channels(
    comparison: Comparison, strategies: Sequence[str] | None = None, *, future: str | None = None
) -> Figure:
    """Through what each strategy changes net benefit: what adds to the right, what takes away left.

    The diamond is the sum, with its interval. Channels that are small everywhere are one.
    """
    order = [s for s in comparison.order(future=future) if strategies is None or s in strategies]
    order = order[::-1]
    table = comparison.channels
    table = table[table["future"] == (future or comparison.futures[0])]
    grid = table.pivot(index="strategy", columns="channel", values="difference").loc[order]
    total = comparison.table(NET_BENEFIT, future=future).loc[order]
    scale = measure_scale(comparison, NET_BENEFIT, total)
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
    """
    table = comparison.costs
    table = table[table["future"] == (future or comparison.futures[0])]
    order = comparison.order(future=future)[::-1]
    value, low, high = (
        table.pivot(index="strategy", columns="item", values=name).loc[order]
        for name in ("value", "low", "high")
    )
    scale = scale_of(
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
        axes.margins(x=0.06, y=0.02)
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
            middle, y, marker=marker, color=colour, markerfacecolor=face_of(verdict),
            markersize=5.0, zorder=3,
        )  # fmt: skip
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
