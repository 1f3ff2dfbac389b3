"""Figures of regions: who gains and who loses, as a grid, as counts, and on a map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import GAINS, LOSES, UNDECIDED
from kolabsim.figures.formatting import decimal
from kolabsim.figures.labels import choose_winner_scale, strategy_title, winner_labels, wrap_lines
from kolabsim.figures.style import (
    BLUE,
    GREY,
    INK,
    MARKS,
    PALE,
    VERMILION,
    WIDTH,
    add_verdict_legend,
    blank,
    place_labels,
    styled,
    write_ticks,
)
from kolabsim.i18n import _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.scenario.regions import Regions
    from kolabsim.scenario.shapes import Shape

NAMED = 30
"""Most regions that are drawn one by one; of more, only how many gain and lose."""


def verdict_colours() -> object:
    """Colours from losing through nothing to gaining."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("verdict", [VERMILION, "#FAFAFA", BLUE])


def colour_limit(comparison: Comparison, future: str | None) -> float:
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
    >>> figures.winners(comparison, ["forum", "mandate"])
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
    scale, limit = choose_winner_scale(comparison), colour_limit(comparison, future)
    figure, panels = blank(1.2 + 0.3 * len(grid))
    axes = panels[0, 0]
    axes.pcolormesh(
        grid.to_numpy(), cmap=verdict_colours(), vmin=-limit, vmax=limit, edgecolors="white",
        linewidth=1.5,
    )  # fmt: skip
    for (y, x), value in np.ndenumerate(grid.to_numpy()):
        axes.text(
            x + 0.5, y + 0.5, f"{MARKS[verdicts.iat[y, x]][0]} {scale.bare(value, signed=True)}",
            ha="center", va="center", fontsize=7.5, color=contrasting_ink(value, limit),
        )  # fmt: skip
    axes.set_yticks(np.arange(len(grid)) + 0.5, grid.index)
    slanted = len(grid.columns) > 8
    axes.set_xticks(
        np.arange(len(grid.columns)) + 0.5,
        [wrap_lines(name, 22 if slanted else 15) for name in grid.columns],
        fontsize=7.5, rotation=38 if slanted else 0, ha="left" if slanted else "center",
        rotation_mode="anchor",
    )  # fmt: skip
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    add_verdict_legend(figure, winner_labels(comparison))
    axes.set_xlabel(_("Difference in realised net benefit, {unit}").format(unit=scale.label))
    return figure


def contrasting_ink(value: float, limit: float) -> str:
    """A colour of text that can be read on the colour of a gain or loss."""
    return "white" if abs(value) > 0.62 * limit else INK


def winner_counts(comparison: Comparison, table: pd.DataFrame, chosen: Sequence[str]) -> Figure:
    """How many regions gain, lose, or neither, under each strategy."""
    counts = table.groupby(["strategy", "verdict"], observed=True).size().unstack(fill_value=0)
    counts = counts.reindex(index=chosen[::-1], columns=[GAINS, UNDECIDED, LOSES], fill_value=0)
    figure, panels = blank(0.9 + 0.26 * len(chosen))
    axes = panels[0, 0]
    colours = {GAINS: BLUE, UNDECIDED: PALE, LOSES: VERMILION}
    words = winner_labels(comparison)
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
    """Where regions gain and lose under a strategy, on a map.

    Regions are drawn by their shapes where the scenario gives these (``regions.shapes``), and else
    as circles where they lie, as large as their population; thin lines then join land neighbours.
    Colour says how much a region gains or loses, its mark or its hatching whether that is decided.
    All maps of a comparison share one scale of colours.

    Parameters
    ----------
    comparison
        From :func:`kolabsim.compare`.
    strategy
        Name of the strategy.
    future
        Name of the future, by default the first.

    Examples
    --------
    >>> figures.regions_map(comparison, "secretariat")
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    regions = comparison.scenario.regions
    table = comparison.winners
    table = table[
        (table["future"] == (future or comparison.futures[0])) & (table["strategy"] == strategy)
    ].set_index("region")
    difference = table["difference"].reindex(regions.codes).to_numpy()
    verdicts = table["verdict"].reindex(regions.codes).tolist()
    limit, colours = colour_limit(comparison, future), verdict_colours()
    norm, few = Normalize(-limit, limit), len(regions) <= NAMED
    figure, axes = blank_map(regions, 5.0)
    shapes = shapes_of(regions)
    shaped = [i for i, code in enumerate(regions.codes) if code in shapes]
    round_ones = [i for i, code in enumerate(regions.codes) if code not in shapes]
    if not shapes:
        draw_neighbours(axes, comparison)
    for i in shaped:
        undecided = verdicts[i] == UNDECIDED
        draw_shape(
            axes, shapes[regions.codes[i]], colours(norm(difference[i])),
            hatch="////" if undecided else None,
        )  # fmt: skip
    radii = circle_radii(regions)
    draw_circles(axes, regions, round_ones, colours(norm(difference)), verdicts, radii)
    scale = choose_winner_scale(comparison)
    bar = figure.colorbar(
        ScalarMappable(norm, colours), ax=axes, orientation="horizontal", shrink=0.6, aspect=30,
        pad=0.01,
    )  # fmt: skip
    bar.outline.set_visible(False)
    bar.set_label(_("Difference in realised net benefit, {unit}").format(unit=scale.label))
    write_ticks(bar.ax.xaxis, scale.divisor)
    if few:
        places = points_of(regions)
        order = np.argsort(-regions.population, kind="stable")
        for i in order:
            axes.text(*places[i], MARKS[verdicts[i]][0], ha="center", va="center", fontsize=7.0,
                      color=contrasting_ink(difference[i], limit), zorder=3)  # fmt: skip
        texts = [f"{regions.names[i]}\n{scale.bare(difference[i], signed=True)}" for i in order]
        sizes = np.where(np.isin(np.arange(len(regions)), shaped), 4.0, radii)
        place_labels(axes, places[order].tolist(), texts, radii=list(sizes[order]), size=7.5)
        for text in axes.texts[len(regions) :] if shaped else ():  # names, on whatever colour
            text.set_bbox({"facecolor": "white", "alpha": 0.7, "linewidth": 0.0, "pad": 0.8})
    words = {GAINS: _("gains"), LOSES: _("loses"), UNDECIDED: _("undecided")}
    legend_of_regions(figure, words, hatched=bool(shaped) and not few)
    return figure


# Maps -------------------------------------------------------------------------------------------


def shapes_of(regions: Regions) -> Mapping[str, Shape]:
    """Shapes by the codes of regions; none where it is not known where the others lie."""
    return regions.shapes if regions.mapped else {}


def points_of(regions: Regions) -> np.ndarray:
    """Where regions stand, in degrees east and north [R, 2]; around a circle if that is unknown.

    Inside their shapes, or else at their places.
    """
    if regions.mapped:
        shapes, places = regions.shapes, np.c_[regions.longitude, regions.latitude]
        for i, code in enumerate(regions.codes):
            if code in shapes:
                places[i] = shapes[code].middle
        return places
    angle = 2.0 * math.pi * np.arange(len(regions)) / len(regions)
    return np.c_[np.sin(angle), np.cos(angle)]


def bounds_of(regions: Regions) -> np.ndarray:
    """The west and south, and the east and north end of a map [2, 2]."""
    rings = [ring for shape in shapes_of(regions).values() for ring in shape.rings]
    every = np.vstack([points_of(regions), *rings])
    return np.stack([every.min(axis=0), every.max(axis=0)])


def lean_of(regions: Regions) -> float:
    """How long a degree east is, in degrees north, at the middle of a map."""
    return math.cos(math.radians(float(bounds_of(regions)[:, 1].mean())))


def blank_map(regions: Regions, height: float) -> tuple[Figure, Axes]:
    """A figure of so many inches for a map, as wide as the regions need."""
    east, north = np.maximum(np.ptp(bounds_of(regions), axis=0), 1e-9)
    wide = lean_of(regions) * east / north
    figure, panels = blank(height, width=min(max(1.6 + 3.6 * wide, 4.6), WIDTH))
    axes = panels[0, 0]
    frame_map(axes, regions)
    return figure, axes


def frame_map(axes: Axes, regions: Regions, room: float | None = None) -> None:
    """Let axes show all regions, true in length and breadth, with so much room around them."""
    low, high = bounds_of(regions)
    few = len(regions) <= NAMED
    size = np.maximum(high - low, 1e-3)
    if room is None:
        room = 0.04 if shapes_of(regions) else None
    across, along = (0.3 if few else 0.05, 0.14 if few else 0.05) if room is None else (room, room)
    axes.set_aspect(1.0 / lean_of(regions))
    axes.set_xlim(low[0] - across * size[0], high[0] + across * size[0])
    axes.set_ylim(low[1] - along * size[1], high[1] + along * size[1])
    axes.set_axis_off()


def outline(shape: Shape) -> Path:
    """A shape as a path of matplotlib's; holes stay holes, because they run the other way."""
    from matplotlib.path import Path

    return Path.make_compound_path(*(Path(ring, closed=True) for ring in shape.rings))


def draw_shape(axes: Axes, shape: Shape, colour: object, *, hatch: str | None = None) -> None:
    """Fill a region, within a thin border."""
    from matplotlib.patches import PathPatch

    axes.add_patch(
        PathPatch(outline(shape), facecolor=colour, edgecolor="#999999", linewidth=0.5, zorder=1)
    )
    if hatch:
        axes.add_patch(
            PathPatch(outline(shape), fill=False, edgecolor=GREY, linewidth=0.0, hatch=hatch,
                      alpha=0.5, zorder=1.5)
        )  # fmt: skip


def circle_radii(regions: Regions) -> np.ndarray:
    """Radii of circles in points, whose areas are proportional to population [R]."""
    largest = 21.0 * min(1.0, math.sqrt(NAMED / len(regions)))
    return np.maximum(largest * np.sqrt(regions.population / regions.population.max()), 2.0)


def draw_circles(
    axes: Axes,
    regions: Regions,
    which: Sequence[int],
    colours: np.ndarray,
    verdicts: Sequence[str],
    radii: np.ndarray,
) -> None:
    """Draw some regions as circles, the largest first; the edge is the verdict's."""
    places, few = points_of(regions), len(regions) <= NAMED
    order = [i for i in np.argsort(-regions.population, kind="stable") if i in set(which)]
    for verdict in (UNDECIDED, GAINS, LOSES):
        some = [i for i in order if verdicts[i] == verdict]
        axes.scatter(
            *places[some].T, s=(2.0 * radii[some]) ** 2, c=colours[some],
            edgecolors=MARKS[verdict][2], linewidths=1.3 if few else 0.5, zorder=2,
            linestyle="--" if verdict == UNDECIDED else "-",
        )  # fmt: skip


def draw_neighbours(axes: Axes, comparison: Comparison) -> None:
    """Join land neighbours by thin lines."""
    from matplotlib.collections import LineCollection

    places = points_of(comparison.scenario.regions)
    lines = [[places[i], places[j]] for i, j in neighbours(comparison)]
    axes.add_collection(LineCollection(lines, colors="#BBBBBB", linewidths=0.7, zorder=1))


def legend_of_regions(figure: Figure, words: dict[str, str], *, hatched: bool) -> None:
    """What the marks of regions mean; ``hatched`` where there are too many for marks."""
    from matplotlib.patches import Patch

    if not hatched:
        add_verdict_legend(figure, words)
        return
    handles = [
        Patch(facecolor=BLUE, label=words[GAINS]),
        Patch(facecolor=VERMILION, label=words[LOSES]),
        Patch(facecolor="#FAFAFA", edgecolor=GREY, hatch="////", label=words[UNDECIDED]),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3, borderaxespad=0.2)


def neighbours(comparison: Comparison) -> list[tuple[int, int]]:
    """Pairs of land neighbours, or of contacts where no land neighbours are known."""
    from kolabsim.model.parameters import settle_parameters
    from kolabsim.scenario.compile import build_contacts

    place, contact = build_contacts(comparison.scenario, settle_parameters())
    source = np.repeat(np.arange(len(place)), place["end"] - place["first"])
    target = contact["target"]
    land = contact["land"] > 0.0
    kept = (source < target) & (land if land.any() else True)
    return list(zip(source[kept], target[kept], strict=True))
