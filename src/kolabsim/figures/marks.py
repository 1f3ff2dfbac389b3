"""Marks of estimates, entries of legends, and labels that keep clear of each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.figures.palette import GREY, HOLLOW, INK, MARKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from numpy.typing import ArrayLike

STAND_OFF = np.repeat((0.0, 14.0, 30.0), 8)
"""Distance of a label from its mark in points: close by, or further off, in eight directions."""
SEEN = 0.035
"""Share of an axis that a mark takes; shorter lines are hidden by it."""
DIRECTIONS = np.tile([(math.cos(a), math.sin(a)) for a in np.radians(range(0, 360, 45))], (3, 1))
"""Directions from a mark to its label."""


def draw_estimates(
    axes: Axes, verdicts: Iterable[str], *estimates: Iterable[float], undefined: str = "",
    constant: str = "", neutral: float = 0.0,
) -> None:  # fmt: skip
    """Draw estimates and their intervals as horizontal lines, marked by their verdicts.

    The estimates are given as values, low and high ends. The text ``undefined`` stands beside the
    ``neutral`` value where there is none, ``constant`` beside a value without an interval because
    it never varies.
    """
    for y, (verdict, value, low, high) in enumerate(zip(verdicts, *estimates, strict=True)):
        if not math.isfinite(value):
            axes.text(neutral, y, f" {undefined}", va="center", fontsize=7.0, color=GREY)
            continue
        _sign, marker, colour = MARKS[verdict]
        axes.hlines(y, low, high, color=colour, linewidth=1.5, zorder=2)
        face = "white" if verdict in HOLLOW else colour
        axes.plot(value, y, marker, color=colour, markersize=5.0, markerfacecolor=face, zorder=3)
        if constant and not low < high:
            axes.annotate(constant, (value, y), xytext=(5.0, 0.0), textcoords="offset points",
                          va="center", fontsize=6.5, color=GREY)  # fmt: skip


def draw_chance(
    axes: Axes, verdicts: Iterable[str], low: Iterable[float], high: Iterable[float]
) -> None:
    """Draw what chance leaves open as thicker parts of lines, where they are longer than a mark."""
    left, right = axes.get_xlim()
    visible = SEEN * (right - left)
    for y, (verdict, start, end) in enumerate(zip(verdicts, low, high, strict=True)):
        if math.isfinite(start) and end - start > visible:
            axes.hlines(y, start, end, color=MARKS[verdict][2], linewidth=4.0, zorder=2.5)


def draw_diamonds(
    axes: Axes, title: str, value: ArrayLike, low: ArrayLike, high: ArrayLike
) -> None:
    """Draw estimates as diamonds on their intervals, above other marks of the same lines."""
    y = range(np.size(value))
    axes.hlines(y, low, high, color=INK, linewidth=1.6, zorder=4)
    axes.plot(value, y, "D", color=INK, markerfacecolor="white", markersize=5.0, zorder=5,
              label=title)  # fmt: skip


def draw_cells(
    axes: Axes, faces: np.ndarray, texts: Sequence[Sequence[str]], *, edge: str = "white",
) -> None:  # fmt: skip
    """Draw a table of coloured cells [rows, columns, 4], the first row at the top, with texts."""
    rows, columns = faces.shape[:2]
    axes.pcolormesh(np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5, faces, edgecolors=edge,
                    linewidth=1.2)  # fmt: skip
    for y, x in np.ndindex(rows, columns):
        axes.text(x, y, texts[y][x], ha="center", va="center", fontsize=7.5,
                  color=contrasting_ink(faces[y, x]))  # fmt: skip
    axes.set_ylim(rows - 0.5, -0.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def shades(low: float, high: float, *colours: str) -> ScalarMappable:
    """A continuous scale of colours between two values."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    return ScalarMappable(
        Normalize(low, high), LinearSegmentedColormap.from_list("shades", list(colours))
    )


def contrasting_ink(face: Any) -> str:
    """The colour of text that is legible on a colour."""
    from matplotlib.colors import to_rgb

    return "white" if np.dot(to_rgb(face), (0.299, 0.587, 0.114)) < 0.5 else INK


# Legends ----------------------------------------------------------------------------------------


def mark(marker: str, colour: str, label: str, *, hollow: bool = False, **options: Any) -> Line2D:
    """Make a legend entry of a mark."""
    face = "white" if hollow else colour
    given = {"linestyle": "", "markersize": 5.5, "markerfacecolor": face, "marker": marker}
    return line(colour, label, **(given | options))


def line(colour: str, label: str, **options: Any) -> Line2D:
    """Make a legend entry of a line."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, label=label, **options)


def patch(face: str, label: str, edge: str | None = None, **options: Any) -> Patch:
    """Make a legend entry of an area."""
    from matplotlib.patches import Patch

    given: dict[str, Any] = {"edgecolor": edge} if edge else {"linewidth": 0.0}
    return Patch(facecolor=face, label=label, **given, **options)


# Labels that keep clear of each other -----------------------------------------------------------


def root_figure(axes: Axes) -> Figure:
    """The whole figure of axes, also where they are in a part of it."""
    figure: Any = axes.figure
    return figure.figure


def place_labels(
    axes: Axes, places: Sequence[tuple[float, float]], texts: Sequence[str], *,
    radii: Sequence[float], avoid: Sequence[Sequence[float]] = (),
) -> None:  # fmt: skip
    """Write a label near each mark, where it covers the least of other marks and labels.

    ``places`` are data coordinates, ``radii`` the radii of the marks in points; an empty text
    leaves a mark without a label. Labels also keep clear of the points ``avoid``. Earlier labels
    are placed first; a label without room beside its mark stands off and is joined to it by a line.
    """
    figure, size = root_figure(axes), 7.5
    figure.draw_without_rendering()
    scale = 72.0 / figure.dpi
    points = axes.transData.transform([*places, *avoid]) * scale
    frame = np.asarray(axes.get_window_extent().extents) * scale
    reach = np.array([*radii, *(2.0 for _point in avoid)])[:, None]
    taken = np.hstack([points - reach, points + reach])
    sides = np.sign(DIRECTIONS.round(1)).astype(int)
    for place, point, radius, text in zip(places, points, radii, texts, strict=False):
        if not text:
            continue
        lines = text.split("\n")
        room = size * np.array([0.62 * max(map(len, lines)), 1.3 * len(lines)])
        shifts = (radius + 3.0 + STAND_OFF)[:, None] * DIRECTIONS
        corners = point + shifts - room * (1 - sides) / 2.0
        boxes = np.hstack([corners, corners + room])
        covered = overlap(boxes[:, None], taken).sum(axis=1)
        outside = room.prod() - overlap(boxes, frame)
        best = np.argmin((covered + 4.0 * outside + 2.0 * STAND_OFF).round(6))
        taken = np.vstack([taken, boxes[best]])
        x, y = sides[best]
        join = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": radius}
        axes.annotate(
            text, place, xytext=shifts[best], textcoords="offset points", fontsize=size,
            ha=("center", "left", "right")[x], va=("center", "bottom", "top")[y], linespacing=1.15,
            arrowprops=join if STAND_OFF[best] else None,
        )  # fmt: skip


def overlap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The areas that boxes share; a box is its left, low, right and high end."""
    ends = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    return np.maximum(ends, 0.0).prod(axis=-1)
