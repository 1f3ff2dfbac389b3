"""Figures of regions: who gains and who loses, as a grid, as counts, and on a map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.compare import GAINS, LOSES, UNDECIDED
from kolabsim.language import _
from kolabsim.show.drawing import (
    BLUE,
    INK,
    MARKS,
    PALE,
    VERMILION,
    WIDTH,
    blank,
    legend_of_verdicts,
    place_labels,
    styled,
    write_ticks,
)
from kolabsim.show.numbers import decimal
from kolabsim.show.words import strategy_title, winner_scale, winner_words, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from kolabsim.analysis.compare import Comparison

NAMED = 30
"""Most regions that are drawn one by one; of more, only how many gain and lose."""


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
