"""The one look of all figures, and how they become SVG and PNG: the same bytes on every machine."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from html import escape
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.analysis.comparison import BETTER, DIFFERENT, GAINS, LOSES, UNDECIDED, WORSE
from kolabsim.figures.formatting import decimal
from kolabsim.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart by people with every kind of colour vision.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, YELLOW = "#56B4E9", "#CC79A7", "#F0E442"
INK, GREY, PALE = "#222222", "#6B6B6B", "#D9D9D9"
SERIES = (BLUE, ORANGE, GREEN, PURPLE)
"""Colours of things that are merely different."""
MARKS: dict[str, tuple[str, str, str]] = {
    BETTER: ("▲", "^", BLUE),
    GAINS: ("▲", "^", BLUE),
    WORSE: ("▼", "v", VERMILION),
    LOSES: ("▼", "v", VERMILION),
    UNDECIDED: ("○", "o", GREY),
    DIFFERENT: ("◆", "D", INK),
}
"""Verdicts as a character, as a marker of matplotlib's, and as a colour: never by colour alone."""
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Verdana, Arial, sans-serif"
"""Fonts of text in SVG. Room is measured in DejaVu Sans, which comes with matplotlib and is wider
than the others, so that whichever of them a machine has, nothing overlaps."""
WIDTH = 9.2
"""Inches across."""

LEGEND = 115
"""Most letters of a legend in one line."""
STYLE: dict[str, object] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "text.parse_math": False,  # a title with two dollar signs is no formula
    "axes.titlesize": 9.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.0,
    "axes.labelcolor": "#444444",
    "axes.edgecolor": "#999999",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#E8E8E8",
    "grid.linewidth": 0.7,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.5,
    "xtick.color": "#777777",
    "ytick.color": "#777777",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.solid_capstyle": "butt",
    "hatch.linewidth": 0.6,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "kolabsim",
}


def styled(draw: Callable) -> Callable:
    """Let a function draw in kolabsim's look, whatever the user's own settings of matplotlib."""

    @wraps(draw)
    def drawn(*args: object, **keywords: object) -> object:
        import matplotlib

        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(STYLE)
            return draw(*args, **keywords)

    return drawn


def blank(
    height: float, rows: int = 1, columns: int = 1, *, width: float = WIDTH, **options: object
) -> tuple:
    """A figure so many inches high, without any global state, and its axes [rows, columns]."""
    from matplotlib.figure import Figure

    figure = Figure((width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


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


def add_verdict_legend(figure: Figure, words: dict[str, str]) -> None:
    """What the marks mean, above all panels."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], linestyle="", marker=MARKS[verdict][1], markersize=5.5, label=text,
            color=MARKS[verdict][2], markerfacecolor=marker_face(verdict),
        )
        for verdict, text in words.items()
    ]  # fmt: skip
    columns = len(handles) if sum(map(len, words.values())) < LEGEND else 2
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, borderaxespad=0.2)


def marker_face(verdict: str) -> str:
    """The inside of a mark: hollow where the interval decides nothing."""
    return "white" if verdict == UNDECIDED else MARKS[verdict][2]


def place_labels(
    axes: Axes,
    places: Sequence[tuple[float, float]],
    texts: Sequence[str],
    *,
    radii: Sequence[float],
    size: float = 8.0,
) -> None:
    """Write a label near each mark, where it covers the least of other marks and labels.

    ``places`` are data coordinates, ``radii`` the marks' radii in points. What stands first is
    placed first; a label that finds no room beside its mark stands off and is joined to it.
    """
    axes.figure.draw_without_rendering()
    points = axes.transData.transform(places) * 72.0 / axes.figure.dpi
    frame = axes.get_window_extent().extents * 72.0 / axes.figure.dpi
    taken = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(points, radii, strict=True)]
    for place, point, radius, text in zip(places, points, radii, texts, strict=True):
        lines = text.split("\n")
        room = (0.62 * size * max(map(len, lines)), 1.3 * size * len(lines))
        options = [spot for off in STAND_OFF for spot in spots(point, radius, room, off)]

        def cost(spot: Spot, area: float = room[0] * room[1]) -> float:
            covered = sum(overlap(spot.box, other) for other in taken)
            return covered + 4.0 * (area - overlap(spot.box, frame)) + 2.0 * spot.off

        best = min(options, key=cost)
        taken.append(best.box)
        line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": radius}
        axes.annotate(
            text, place, xytext=best.shift, textcoords="offset points", ha=best.across,
            va=best.along, fontsize=size, linespacing=1.15,
            arrowprops=line if best.off else None,
        )  # fmt: skip


class Spot(NamedTuple):
    """Where a label may stand: its shift and alignment, the box it fills, how far off it is."""

    shift: tuple[float, float]
    across: str
    along: str
    box: tuple[float, float, float, float]
    off: float


STAND_OFF = (0.0, 14.0, 30.0)
"""How far from its mark a label may stand, in points."""


def spots(
    point: Sequence[float], radius: float, room: tuple[float, float], off: float
) -> Iterator[Spot]:
    """The eight places of a label around a mark."""
    for angle in range(0, 360, 45):
        x, y = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        across = "left" if x > 0.1 else "right" if x < -0.1 else "center"
        along = "bottom" if y > 0.1 else "top" if y < -0.1 else "center"
        shift = ((radius + 3.0 + off) * x, (radius + 3.0 + off) * y)
        left = point[0] + shift[0] - room[0] * {"left": 0.0, "center": 0.5, "right": 1.0}[across]
        low = point[1] + shift[1] - room[1] * {"bottom": 0.0, "center": 0.5, "top": 1.0}[along]
        yield Spot(shift, across, along, (left, low, left + room[0], low + room[1]), off)


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """The area that two boxes (left, low, right, high) share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


@styled
def to_svg(figure: Figure, *, alt: str) -> str:
    """A figure as one ``<svg>`` element, to stand in a page or in a file of its own.

    Text stays text: it can be read aloud, found and copied. The same figure gives the same
    characters, and its ids do not clash with those of other figures on a page. ``alt`` says in a
    sentence what is to be seen.
    """
    written = StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    text = written.getvalue()
    start, body = re.search(r"<svg ([^>]*)>(.*)</svg>", text, re.DOTALL).groups()
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    # A rule for * would hold for the whole page around the figure.
    body = re.sub(r'\s*<defs>\s*<style type="text/css">.*?</defs>', "", body, flags=re.DOTALL)
    own = hashlib.sha256(text.encode()).hexdigest()[:8]

    def settled(tag: re.Match[str]) -> str:
        """A tag without a font of its own, and with ids of this figure's own."""
        found = re.sub(r"font-family: [^;\"]*;? ?", "", tag[0])
        return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>f{own}-", found)

    body = re.sub(r"<[^>]*>", settled, body)  # what is written between tags stays as it is
    title = f"f{own}-title"
    return (
        f'<svg {start} role="img" aria-labelledby="{title}" font-family="{FONTS}"'
        f' stroke-linejoin="round"><title id="{title}">{escape(alt)}</title>{body}</svg>'
    )


@styled
def to_png(figure: Figure, path: Path) -> None:
    """Write a figure to a file as PNG, 200 dots an inch.

    Raises :class:`~kolabsim.errors.StorageError` if the disk refuses.
    """
    written = BytesIO()
    figure.savefig(written, format="png", metadata={"Software": None})
    write_whole(path, written.getvalue())
