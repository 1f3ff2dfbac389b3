"""Figures of regions: gains and losses as a grid, as counts, and on a map.

:func:`draw_regions` is the one map of the package: every figure with a map draws regions with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.analysis.statistics import GAINS, LOSES, UNDECIDED
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
    open_canvas,
    patch,
    place_labels,
    styled,
)
from kolabsim.i18n import _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.figures.style import Panels
    from kolabsim.scenario.regions import Regions
    from kolabsim.scenario.shapes import Shape

NAMED = 30
"""Most regions that are drawn one by one; of more, only counts are shown."""
NEUTRAL = "#FAFAFA"
"""Colour of neither gain nor loss."""


# Gains and losses -------------------------------------------------------------------------------


@styled
def winners(
    comparison: Comparison,
    strategies: Sequence[str] | None = None,
    *,
    future: str | None = None,
    ax: Panels | None = None,
) -> Figure:
    """Draw the gain or loss of each region under each strategy, with its verdict.

    Of more than 30 regions, the figure shows how many gain and how many lose.

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
    >>> figure = figures.winners(ks.compare(results), ["forum"])
    """
    chosen = [s for s in comparison.order(future=future) if strategies is None or s in strategies]
    table = comparison.winners
    table = table[table["future"] == (future or comparison.futures[0])]
    if table["region"].nunique() > NAMED:
        return winner_counts(comparison, table, chosen, ax)
    grid = table.pivot(index="name", columns="strategy", values="difference")[chosen]
    verdicts = table.pivot(index="name", columns="strategy", values="verdict")[chosen]
    titles = {name: strategy_title(comparison, name) for name in chosen}
    grid, verdicts = (part.rename(columns=titles) for part in (grid, verdicts))
    if len(grid) < len(chosen):
        grid, verdicts = grid.T, verdicts.T
    scale, limit = choose_winner_scale(comparison), colour_limit(comparison, future)
    canvas = open_canvas(ax, 1.2 + 0.3 * len(grid))
    [axes] = canvas.panels
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
    axes.set_xlabel(_("Difference in realised net benefit, {unit}").format(unit=scale.label))
    add_verdict_legend(canvas, winner_labels(comparison))
    return canvas.figure


def winner_counts(
    comparison: Comparison, table: pd.DataFrame, chosen: Sequence[str], ax: Panels | None
) -> Figure:
    """Draw how many regions gain, lose, or neither, under each strategy."""
    counts = table.groupby(["strategy", "verdict"], observed=True).size().unstack(fill_value=0)
    counts = counts.reindex(index=chosen[::-1], columns=[GAINS, UNDECIDED, LOSES], fill_value=0)
    canvas = open_canvas(ax, 0.9 + 0.26 * len(chosen))
    [axes] = canvas.panels
    colours = {GAINS: BLUE, UNDECIDED: PALE, LOSES: VERMILION}
    labels = winner_labels(comparison)
    start = np.zeros(len(counts))
    for verdict, colour in colours.items():
        wide = counts[verdict].to_numpy()
        axes.barh(range(len(counts)), wide, left=start, color=colour, height=0.72,
                  label=labels[verdict])  # fmt: skip
        for y, (left, width) in enumerate(zip(start, wide, strict=True)):
            if width > 0.04 * counts.sum(axis=1).max():
                axes.text(left + width / 2.0, y, f"{MARKS[verdict][0]} {decimal(width, 0)}",
                          ha="center", va="center", fontsize=7.5,
                          color=INK if verdict == UNDECIDED else "white")  # fmt: skip
        start += wide
    axes.set_yticks(range(len(counts)), [strategy_title(comparison, name) for name in counts.index])
    axes.set_xlabel(_("Regions"))
    axes.margins(x=0.0, y=0.02)
    canvas.add_legend(axes.get_legend_handles_labels()[0])
    return canvas.figure


@styled
def regions_map(
    comparison: Comparison,
    strategy: str,
    *,
    future: str | None = None,
    ax: Panels | None = None,
) -> Figure:
    """Draw the gains and losses of regions under a strategy on a map.

    Regions are drawn by their shapes where the scenario has them (``regions.shapes``), and
    otherwise as circles proportional to population; thin lines then join land neighbours. The
    colour shows the size of a gain or loss, the mark or hatching its verdict. All maps of a
    comparison share one scale of colours.

    Parameters
    ----------
    comparison
        From :func:`kolabsim.compare`.
    strategy
        Name of the strategy.
    future
        Name of the future, by default the first.
    ax
        Axes to draw in.

    Examples
    --------
    >>> import kolabsim as ks
    >>> from kolabsim import figures
    >>> results = ks.simulate("kartamantul", ["voluntary", "forum"], runs=4, seed=1)
    >>> figure = figures.regions_map(ks.compare(results), "forum")
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
    place = RegionMap(regions)
    east, north = np.maximum(np.ptp(place.bounds, axis=0), 1e-9)
    wide = place.aspect * east / north
    canvas = open_canvas(ax, 5.0, width=min(max(1.6 + 3.6 * wide, 4.6), WIDTH))
    [axes] = canvas.panels
    if not place.shapes:
        draw_neighbours(axes, place, comparison)
    radii = circle_radii(regions)
    undecided = np.array([verdict == UNDECIDED for verdict in verdicts])
    draw_regions(
        axes, place, colours(norm(difference)), radii=radii, hatched=undecided,
        edges=[MARKS[verdict][2] for verdict in verdicts], widths=1.3 if few else 0.5,
    )  # fmt: skip
    scale = choose_winner_scale(comparison)
    label = _("Difference in realised net benefit, {unit}").format(unit=scale.label)
    bar = ScalarMappable(norm, colours)
    canvas.add_colorbar(bar, label, scale.divisor, aspect=30, pad=0.01)
    labels = winner_labels(comparison) | {UNDECIDED: _("undecided")}
    if place.shapes and not few:
        hatch = patch(NEUTRAL, labels[UNDECIDED], GREY, hatch="////")
        gains, loses = (
            patch(colour, labels[v]) for v, colour in ((GAINS, BLUE), (LOSES, VERMILION))
        )
        canvas.add_legend([gains, loses, hatch])
    else:
        add_verdict_legend(canvas, labels)
    if few:
        for i, (x, y) in enumerate(place.points):
            axes.text(x, y, MARKS[verdicts[i]][0], ha="center", va="center", fontsize=7.0,
                      color=contrasting_ink(difference[i], limit), zorder=4)  # fmt: skip
        texts = [
            f"{name}\n{scale.bare(value, signed=True)}"
            for name, value in zip(regions.names, difference, strict=True)
        ]
        label_regions(axes, place, texts, radii)
    return canvas.figure


def verdict_colours() -> Colormap:
    """Colours from a loss through nothing to a gain."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("verdict", [VERMILION, NEUTRAL, BLUE])


def colour_limit(comparison: Comparison, future: str | None) -> float:
    """The gain or loss of a region with full colour, common to all figures of a comparison.

    The largest 2% do not count: they would leave all others pale.
    """
    table = comparison.winners
    here = table[table["future"] == (future or comparison.futures[0])]
    sizes = here["difference"].abs().dropna()
    return float(sizes.quantile(0.98)) if len(sizes) and sizes.max() > 0.0 else 1.0


def contrasting_ink(value: float, limit: float) -> str:
    """A colour of text that is legible on the colour of a gain or loss."""
    return "white" if abs(value) > 0.62 * limit else INK


# The map ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RegionMap:
    """Positions and extent of regions on a map."""

    regions: Regions

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """Shapes by the codes of regions; none if the positions of other regions are unknown."""
        return self.regions.shapes if self.regions.mapped else {}

    @cached_property
    def points(self) -> np.ndarray:
        """Positions in degrees east and north [R, 2]: in the shape, or where the table says.

        Regions without positions stand on a circle.
        """
        regions = self.regions
        if regions.mapped:
            points = np.c_[regions.longitude, regions.latitude]
            for i, code in enumerate(regions.codes):
                if code in regions.shapes:
                    points[i] = regions.shapes[code].middle
            return points
        angle = 2.0 * math.pi * np.arange(len(regions)) / len(regions)
        return np.c_[np.sin(angle), np.cos(angle)]

    @cached_property
    def bounds(self) -> np.ndarray:
        """South-west and north-east corner in degrees [2, 2]."""
        rings = [ring for shape in self.shapes.values() for ring in shape.rings]
        every = np.vstack([self.points, *rings])
        return np.stack([every.min(axis=0), every.max(axis=0)])

    @cached_property
    def aspect(self) -> float:
        """Length of a degree east in degrees north, at the middle of the map."""
        return math.cos(math.radians(float(self.bounds[:, 1].mean())))


def draw_regions(
    axes: Axes,
    place: RegionMap,
    colours: Sequence[Any] | np.ndarray,
    *,
    radii: np.ndarray,
    edges: Sequence[str] | str = GREY,
    widths: Sequence[float] | float = 0.5,
    hatched: np.ndarray | None = None,
    dots: bool = False,
    room: float | None = None,
    ground: str | None = None,
) -> None:
    """Draw regions on a map, by their shapes or else as circles, and frame it.

    Parameters
    ----------
    axes
        Axes to draw in.
    place
        Positions of the regions.
    colours
        Fill colours [R].
    radii
        Radii of circles in points [R].
    edges, widths
        Colours and widths of the edges of circles, one for all or [R].
    hatched
        Which regions are hatched or, as circles, have a dashed edge [R].
    dots
        Whether regions with shapes have a circle too.
    room
        Free room around the map, as a share of its extent; by default enough for names.
    ground
        Colour of the ground; by default none.
    """
    from matplotlib.patches import PathPatch

    codes = place.regions.codes
    hatched = np.zeros(len(codes), bool) if hatched is None else hatched
    for i, code in enumerate(codes):
        if code in place.shapes:
            path = outline(place.shapes[code])
            axes.add_patch(
                PathPatch(path, facecolor=colours[i], edgecolor="#999999", linewidth=0.5, zorder=1)
            )
            if hatched[i]:
                axes.add_patch(
                    PathPatch(path, fill=False, edgecolor=GREY, linewidth=0.0, hatch="////",
                              alpha=0.5, zorder=1.5)
                )  # fmt: skip
    order = np.argsort(-radii, kind="stable")  # the largest first, so that none is covered
    order = order[[dots or codes[i] not in place.shapes for i in order]]
    east, north = place.points[order].T
    circles = axes.scatter(east, north, s=(2.0 * radii[order]) ** 2, zorder=3)
    circles.set_facecolor([colours[i] for i in order])
    circles.set_edgecolor(edges if isinstance(edges, str) else [edges[i] for i in order])
    circles.set_linewidth(np.broadcast_to(widths, len(codes))[order].tolist())
    circles.set_linestyle(["--" if hatched[i] else "-" for i in order])
    frame_map(axes, place, room, ground)


def outline(shape: Shape) -> Any:
    """A shape as a path of matplotlib; holes stay holes, because they run the other way."""
    from matplotlib.path import Path

    return Path.make_compound_path(*(Path(ring, closed=True) for ring in shape.rings))


def frame_map(axes: Axes, place: RegionMap, room: float | None, ground: str | None) -> None:
    """Let axes show the whole map, true to scale."""
    low, high = place.bounds
    few = len(place.regions) <= NAMED
    # Regions on a line have room across it too.
    thin = np.maximum(0.25 * (high - low).max() - (high - low), 0.0) / 2.0
    low, high = low - thin, high + thin
    size = np.maximum(high - low, 1e-3)
    if room is None and len(place.shapes) == len(place.regions):
        room = 0.04
    across, along = (0.3 if few else 0.05, 0.14 if few else 0.05) if room is None else (room, room)
    axes.set_aspect(1.0 / place.aspect)
    axes.set_xlim(low[0] - across * size[0], high[0] + across * size[0])
    axes.set_ylim(low[1] - along * size[1], high[1] + along * size[1])
    if ground is None:
        axes.set_axis_off()
        return
    axes.set(xticks=[], yticks=[], facecolor=ground)
    axes.spines[:].set_visible(False)


def label_regions(axes: Axes, place: RegionMap, texts: Sequence[str], radii: np.ndarray) -> None:
    """Write a label at each region, the largest first."""
    regions = place.regions
    shaped = np.isin(regions.codes, [*place.shapes])
    order = np.argsort(-regions.population, kind="stable")
    before = len(axes.texts)
    place_labels(
        axes, place.points[order].tolist(), [texts[i] for i in order],
        radii=np.where(shaped, 4.0, radii)[order].tolist(),
    )  # fmt: skip
    for text in list(axes.texts)[before:] if place.shapes else ():  # legible on every colour
        text.set_bbox({"facecolor": "white", "alpha": 0.7, "linewidth": 0.0, "pad": 0.8})


def circle_radii(regions: Regions) -> np.ndarray:
    """Radii of circles in points, whose areas are proportional to population [R]."""
    largest = 21.0 * min(1.0, math.sqrt(NAMED / len(regions)))
    return np.maximum(largest * np.sqrt(regions.population / regions.population.max()), 2.0)


def draw_neighbours(axes: Axes, place: RegionMap, comparison: Comparison) -> None:
    """Join land neighbours by thin lines."""
    from matplotlib.collections import LineCollection

    lines = [place.points[[i, j]] for i, j in neighbours(comparison)]
    axes.add_collection(LineCollection(lines, colors="#BBBBBB", linewidths=0.7, zorder=1))


def neighbours(comparison: Comparison) -> Iterator[tuple[int, int]]:
    """Pairs of land neighbours, or of contacts where no land neighbours are known."""
    from kolabsim.model.parameters import parameter_record
    from kolabsim.scenario.compile import build_contacts

    place, contact = build_contacts(comparison.scenario, parameter_record())
    source = np.repeat(np.arange(len(place)), place["end"] - place["first"])
    target = contact["target"]
    land = contact["land"] > 0.0
    kept = (source < target) & (land if land.any() else True)
    return zip(source[kept].tolist(), target[kept].tolist(), strict=True)
