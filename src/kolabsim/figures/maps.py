"""Figures of regions: gains and losses as a grid, as counts, and on a map.

:func:`draw_regions` is the one map of the package: every figure with a map draws regions with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.analysis.statistics import DEPENDS, GAINS, LIKELY, LOSES, ROBUST, SAME, UNDECIDED
from kolabsim.figures.formatting import count
from kolabsim.figures.labels import choose_winner_scale, strategy_title, winner_labels, wrap_lines
from kolabsim.figures.marks import contrasting_ink, draw_cells, patch, place_labels, shades
from kolabsim.figures.palette import BLUE, GREY, MARKS, ORANGE, PALE, SKY, VERMILION, WIDTH
from kolabsim.figures.style import open_canvas, styled, write_names
from kolabsim.i18n import _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.figures.style import Panels
    from kolabsim.scenario.regions import Regions
    from kolabsim.scenario.shapes import Shape

NAMED = 30
"""Most regions that are drawn one by one; of more, only counts are shown."""
WEST = -180.0
"""Longitude at which maps begin that need not cross 180 degrees."""
OPEN = (UNDECIDED, DEPENDS, SAME)
"""Verdicts of neither gain nor loss."""
NEUTRAL = "#FAFAFA"
"""Colour of neither gain nor loss."""
TALLEST, FLATTEST, KEYS = 5.0, 1.2, 1.3
"""Inches: greatest height of a map with its keys, least height of a map alone, and height of the
keys."""


# Gains and losses -------------------------------------------------------------------------------


@styled
def winners(
    comparison: Comparison, strategies: Sequence[str] | None = None, *, future: str | None = None,
    ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw the gain or loss of each region under each strategy, with its verdict.

    Of more than 30 regions, the figure shows how many gain and how many lose.
    """
    chosen = [s for s in comparison.order(future=future) if strategies is None or s in strategies]
    titles = {name: strategy_title(comparison, name) for name in chosen}
    table = comparison.regions(future=future).query("strategy in @chosen")
    if table["region"].nunique() > NAMED:
        return winner_counts(comparison, table, titles, ax)
    grid, verdicts = (
        table.pivot(index="region", columns="strategy", values=name)[chosen]
        for name in ("difference", "verdict")
    )
    regions = comparison.scenario.regions
    lines, columns = dict(zip(regions.codes, regions.labels, strict=True)), titles
    if len(grid) < len(chosen):
        grid, verdicts, lines, columns = grid.T, verdicts.T, columns, lines
    scale = choose_winner_scale(comparison)
    canvas = open_canvas(ax, 1.2 + 0.3 * len(grid))
    axes, faces = canvas.axes, gain_shades(comparison, future).to_rgba(grid.to_numpy())
    texts = [
        [
            f"{MARKS[verdict][0]} {scale.bare(value, signed=True)}"
            for verdict, value in zip(verdicts.loc[name], grid.loc[name], strict=True)
        ]
        for name in grid.index
    ]
    draw_cells(axes, faces, texts)
    axes.set_yticks(range(len(grid)), [wrap_lines(lines[name], 38) for name in grid.index])
    slanted = len(grid.columns) > 8
    axes.set_xticks(
        range(len(grid.columns)),
        [wrap_lines(columns[name], 22 if slanted else 15) for name in grid.columns],
        fontsize=7.5, rotation=38 if slanted else 0, ha="left" if slanted else "center",
        rotation_mode="anchor",
    )  # fmt: skip
    axes.set_xlabel(_("Difference in realised net benefit, {unit}").format(unit=scale.label))
    seen, labels = {*verdicts.to_numpy().ravel()}, winner_labels(comparison)
    canvas.explain_verdicts({name: text for name, text in labels.items() if name in seen})
    return canvas.figure


def winner_counts(
    comparison: Comparison, table: pd.DataFrame, titles: Mapping[str, str], ax: Panels | None
) -> Figure:
    """Draw how many regions gain, lose, or neither, under each strategy."""
    colours = {GAINS: BLUE, SAME: "#EFEFEF", UNDECIDED: PALE, LOSES: VERMILION}
    if comparison.is_varied:
        likely = {LIKELY[GAINS]: SKY, SAME: "#EFEFEF", DEPENDS: PALE, UNDECIDED: "#F7F7F7"}
        colours = {ROBUST[GAINS]: BLUE, **likely, LIKELY[LOSES]: ORANGE, ROBUST[LOSES]: VERMILION}
    table = table.assign(verdict=table["verdict"].astype(object))
    counts = table.groupby(["strategy", "verdict"], observed=True).size().unstack(fill_value=0)
    counts = counts.reindex(index=[*titles], columns=[*colours], fill_value=0)
    legible = 0.04 * counts.sum(axis=1).max()
    canvas = open_canvas(ax, 0.9 + 0.26 * len(titles))
    axes, labels = canvas.axes, winner_labels(comparison)
    start = np.zeros(len(titles))
    for verdict, colour in colours.items():
        wide, sign = counts[verdict].to_numpy(), MARKS[verdict][0]
        bars = axes.barh(
            range(len(wide)), wide, left=start, color=colour, height=0.72, label=labels[verdict]
        )
        axes.bar_label(
            bars, [f"{sign} {count(number)}" if number > legible else "" for number in wide],
            label_type="center", fontsize=7.5, color=contrasting_ink(colour),
        )  # fmt: skip
        start += wide
    write_names(axes, [*titles.values()])
    axes.set_xlabel(_("Regions"))
    axes.margins(x=0.0)
    canvas.add_legend()
    return canvas.figure


@styled
def regions_map(
    comparison: Comparison, strategy: str, *, future: str | None = None, ax: Panels | None = None
) -> Figure:
    """Draw the gains and losses of regions under a strategy on a map.

    Regions are drawn by their shapes where the scenario has them (``regions.shapes``), and
    otherwise as circles proportional to population; thin lines then join land neighbours, or
    contacts where none are known. The colour shows the size of a gain or loss, the mark or hatching
    its verdict. All maps of a comparison share one scale of colours.
    """
    from matplotlib.collections import LineCollection

    regions = comparison.scenario.regions
    table = comparison.regions(future=future).query("strategy == @strategy")
    table = table.set_index("region").reindex(regions.codes)
    difference, verdicts = table["difference"].to_numpy(), table["verdict"].tolist()
    colours, few = gain_shades(comparison, future), len(regions) <= NAMED
    faces = colours.to_rgba(difference)
    place, radii = RegionMap(regions), circle_radii(regions)
    width = min(max(1.6 + 3.6 * place.breadth, 4.6), WIDTH)
    # A flat map would stand in the middle of a white page.
    height = min(KEYS + max(width / place.framed_breadth, FLATTEST), TALLEST)
    canvas = open_canvas(ax, height, width=width)
    axes = canvas.axes
    if not place.shapes:
        lines = [place.points[[i, j]] for i, j in neighbours(comparison)[0]]
        axes.add_collection(LineCollection(lines, colors="#BBBBBB", linewidths=0.7, zorder=1))
    draw_regions(
        axes, place, faces, radii=radii, hatched=table["verdict"].isin(OPEN).to_numpy(),
        edges=[MARKS[verdict][2] for verdict in verdicts], widths=1.3 if few else 0.5,
    )  # fmt: skip
    scale = choose_winner_scale(comparison)
    label = _("Difference in realised net benefit, {unit}").format(unit=scale.label)
    canvas.add_colorbar(colours, label, scale.divisor, aspect=30, pad=0.01)
    labels = winner_labels(comparison)
    if place.shapes and not few:
        canvas.add_legend([
            patch(BLUE, _("gains")),
            patch(VERMILION, _("loses")),
            patch(NEUTRAL, _("undecided"), GREY, hatch="////"),
        ])  # fmt: skip
    else:
        canvas.explain_verdicts({name: labels[name] for name in labels if name in verdicts})
    if few:
        for (x, y), verdict, face in zip(place.points, verdicts, faces, strict=True):
            axes.text(x, y, MARKS[verdict][0], ha="center", va="center", fontsize=7.0,
                      color=contrasting_ink(face), zorder=4)  # fmt: skip
        texts = [
            f"{wrap_lines(name, 40, most=2)}\n{scale.bare(value, signed=True)}"
            for name, value in zip(regions.labels, difference, strict=True)
        ]
        label_regions(axes, place, texts, radii)
    return canvas.figure


def gain_shades(comparison: Comparison, future: str | None) -> ScalarMappable:
    """Colours from a loss to a gain, common to all figures of a comparison.

    The largest 2% do not count: they would leave all others pale.
    """
    sizes = comparison.regions(future=future)["difference"].abs().dropna()
    limit = float(sizes.quantile(0.98)) if sizes.any() else 1.0
    return shades(-limit, limit, VERMILION, NEUTRAL, BLUE)


def turns(east: Any, west: float) -> Any:
    """Degrees, a multiple of 360, that bring longitudes between ``west`` and once around."""
    return -360.0 * np.floor((east - west + 1e-9) / 360.0)


# The map ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RegionMap:
    """Positions and extent of regions on a map."""

    regions: Regions

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """Shapes by the codes of regions; none if the positions of other regions are unknown."""
        found = self.regions.shapes if self.regions.mapped else {}
        if self.west == WEST:
            return found
        return {code: self._across(shape) for code, shape in found.items()}

    @cached_property
    def west(self) -> float:
        """Longitude at which the map begins: east of the widest gap, so that it may cross 180."""
        rings = [ring for shape in self.regions.shapes.values() for ring in shape.rings]
        east = np.concatenate([self.regions.longitude, *(ring[:, 0] for ring in rings)])
        east = np.sort(east[np.isfinite(east)])
        if len(east) < 2 or np.ptp(east) <= 180.0:
            return WEST
        gaps = np.diff(east, append=east[0] + 360.0)
        return float(east[(np.argmax(gaps) + 1) % len(east)])

    def _across(self, shape: Shape) -> Shape:
        """A shape at longitudes from that at which the map begins."""
        rings = []
        for ring in shape.rings:
            east = np.unwrap(ring[:, 0], period=360.0)
            rings.append(np.c_[east + turns(east.min(), self.west), ring[:, 1]])
        middle, north = shape.middle
        return shape._replace(rings=tuple(rings), middle=(middle + turns(middle, self.west), north))

    @cached_property
    def points(self) -> np.ndarray:
        """Positions in degrees east and north [R, 2]: in the shape, or where the table says.

        Regions without positions stand on a circle.
        """
        regions = self.regions
        if regions.mapped:
            points = np.c_[regions.longitude, regions.latitude]
            points[:, 0] += turns(points[:, 0], self.west)
            for i, code in enumerate(regions.codes):
                if code in self.shapes:
                    points[i] = self.shapes[code].middle
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
        return max(math.cos(math.radians(float(self.bounds[:, 1].mean()))), 0.01)

    @property
    def breadth(self) -> float:
        """Extent from west to east, as a multiple of that from south to north."""
        east, north = np.maximum(np.ptp(self.bounds, axis=0), 1e-9)
        return float(self.aspect * east / north)

    def frame(self, room: float | None = None) -> np.ndarray:
        """South-west and north-east corner of the map with room around it [2, 2].

        The ``room`` is a share of the extent; by default, names fit into it.
        """
        low, high = self.bounds
        few = len(self.regions) <= NAMED
        # Regions on a line have room across it too.
        thin = np.maximum(0.25 * (high - low).max() - (high - low), 0.0) / 2.0
        low, high = low - thin, high + thin
        size = np.maximum(high - low, 1e-3)
        if room is None and len(self.shapes) == len(self.regions):
            room = 0.04
        wide, tall = (0.3, 0.14) if few else (0.05, 0.05)
        margin = size * ([wide, tall] if room is None else [room, room])
        return np.stack([low - margin, high + margin])

    @property
    def framed_breadth(self) -> float:
        """The breadth with the usual room around it."""
        east, north = np.ptp(self.frame(), axis=0)
        return float(self.aspect * east / north)


def draw_regions(
    axes: Axes, place: RegionMap, colours: Sequence[Any] | np.ndarray, *, radii: np.ndarray,
    edges: Sequence[str] | str = GREY, widths: Sequence[float] | float = 0.5,
    hatched: np.ndarray | None = None, dots: bool = False, room: float | None = None,
    ground: str | None = None,
) -> None:  # fmt: skip
    """Draw regions [R] on a map, by their shapes or else as circles, and frame it.

    Radii and edges are those of circles, in points; with ``dots``, regions with shapes have a
    circle too. Regions that are ``hatched`` have a dashed edge as circles. The ``room`` around the
    map is a share of its extent; by default names fit into it. The ``ground`` has by default no
    colour.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    codes = place.regions.codes
    hatched = np.zeros(len(codes), bool) if hatched is None else hatched
    for i, code in enumerate(codes):
        if shape := place.shapes.get(code):
            # Holes stay holes, because they run the other way.
            path = Path.make_compound_path(*(Path(ring, closed=True) for ring in shape.rings))
            style = {"facecolor": colours[i], "edgecolor": "#999999", "linewidth": 0.5}
            axes.add_patch(PathPatch(path, **style, zorder=1))
            if hatched[i]:
                style = {"fill": False, "edgecolor": GREY, "linewidth": 0.0, "hatch": "////"}
                axes.add_patch(PathPatch(path, **style, alpha=0.5, zorder=1.5))
    order = np.argsort(-radii, kind="stable")  # the largest first, so that none is covered
    order = order[[dots or codes[i] not in place.shapes for i in order]]
    east, north = place.points[order].T
    axes.scatter(
        east, north, s=(2.0 * radii[order]) ** 2, zorder=3,
        facecolor=[colours[i] for i in order],
        edgecolor=np.broadcast_to(edges, len(codes))[order].tolist(),
        linewidth=np.broadcast_to(widths, len(codes))[order].tolist(),
        linestyle=np.where(hatched, "--", "-")[order].tolist(),
    )  # fmt: skip
    frame_map(axes, place, room, ground)


def frame_map(axes: Axes, place: RegionMap, room: float | None, ground: str | None) -> None:
    """Let axes show the whole map, true to scale."""
    low, high = place.frame(room)
    axes.set_aspect(1.0 / place.aspect)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
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


def neighbours(comparison: Comparison) -> tuple[list[tuple[int, int]], bool]:
    """Pairs of land neighbours, or of contacts where none are known; and whether they are known."""
    from kolabsim.scenario.compile import build_contacts

    place, contact = build_contacts(comparison.scenario)
    source = np.repeat(np.arange(len(place)), place["end"] - place["first"])
    target = contact["target"]
    land = contact["land"] > 0.0
    is_known = bool(land.any())
    kept = (source < target) & (land if is_known else True)
    return list(zip(source[kept].tolist(), target[kept].tolist(), strict=True)), is_known
