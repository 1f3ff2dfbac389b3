"""The common look of all figures, and their export to SVG and PNG: the same bytes everywhere."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from html import escape
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

import numpy as np

from kolabsim.analysis.statistics import BETTER, DIFFERENT, GAINS, LOSES, UNDECIDED, WORSE
from kolabsim.errors import InputError, Problem
from kolabsim.figures.formatting import decimal
from kolabsim.files import write_whole
from kolabsim.i18n import _

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    Panels = Axes | Sequence[Axes] | np.ndarray
    """The axes to draw in: one, or as many as a figure has panels, row by row."""

P = ParamSpec("P")
R = TypeVar("R")

# Okabe and Ito (2008): distinguishable with every kind of colour vision.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, YELLOW, BROWN = "#56B4E9", "#CC79A7", "#F0E442", "#8C564B"
INK, GREY, PALE = "#222222", "#6B6B6B", "#D9D9D9"
SERIES = (BLUE, ORANGE, GREEN, PURPLE)
"""Colours of categories without an order."""
DASHED = (0, (4, 3))
MARKS: dict[str, tuple[str, str, str]] = {
    BETTER: ("▲", "^", BLUE),
    GAINS: ("▲", "^", BLUE),
    WORSE: ("▼", "v", VERMILION),
    LOSES: ("▼", "v", VERMILION),
    UNDECIDED: ("○", "o", GREY),
    DIFFERENT: ("◆", "D", INK),
}
"""Verdicts as a character, as a marker of matplotlib, and as a colour: never by colour alone."""
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Verdana, Arial, sans-serif"
"""Fonts of text in SVG. Space is measured in DejaVu Sans, which comes with matplotlib and is wider
than the others, so that nothing overlaps in whichever of them a reader has."""
WIDTH = 9.2
"""Width of a figure in inches."""
LETTER, HANDLE = 4.7, 32.0
"""Width in points of a letter in a legend, and of a mark with the space around it."""
STYLE: Any = {
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


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Let a function draw in the look of kolabsim, whatever the user's settings of matplotlib."""

    @wraps(draw)
    def drawn(*args: P.args, **keywords: P.kwargs) -> R:
        import matplotlib

        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(STYLE)
            return draw(*args, **keywords)

    return drawn


# Where figures are drawn ------------------------------------------------------------------------


@dataclass(frozen=True)
class Canvas:
    """A figure and the panels to draw in: new ones, or the axes that a caller gave."""

    figure: Figure
    panels: Sequence[Axes]
    is_new: bool

    def add_legend(self, handles: Sequence[Artist], columns: int | None = None) -> None:
        """Explain marks above all panels; in given axes, above the first of them.

        Call it last: in given axes it stands above titles and tick labels.
        """
        labels = [str(handle.get_label()) for handle in handles]
        columns = columns or len(handles)
        if self.is_new:
            columns = fit_columns(labels, columns, 72.0 * self.figure.get_figwidth())
            self.figure.legend(
                handles, labels, loc="outside upper left", ncols=columns, borderaxespad=0.2,
                columnspacing=1.4,
            )  # fmt: skip
            return
        from matplotlib.transforms import ScaledTranslation

        axes, points = self.panels[0], 72.0 / self.figure.dpi
        self.figure.draw_without_rendering()
        box = axes.get_window_extent()
        above = (max(part.y1 for part in (axes.get_tightbbox(), box) if part) - box.y1) * points
        columns = fit_columns(labels, columns, box.width * points)
        shift = ScaledTranslation(0.0, above / 72.0, self.figure.dpi_scale_trans)
        axes.legend(
            handles, labels, loc="lower left", ncols=columns,
            bbox_to_anchor=(0.0, 1.0), bbox_transform=axes.transAxes + shift, borderaxespad=0.2,
        )  # fmt: skip

    def add_colorbar(
        self, mappable: ScalarMappable, label: str, divisor: float, **options: Any
    ) -> None:
        """Draw the scale of colours below all panels, in units of ``divisor``."""
        given: dict[str, Any] = {"ax": list(self.panels), "shrink": 0.6, "aspect": 40, "pad": 0.02}
        bar = self.figure.colorbar(mappable, orientation="horizontal", **(given | options))
        bar.outline.set_visible(False)
        bar.set_label(label)
        write_ticks(bar.ax.xaxis, divisor)

    def label_y(self, text: str) -> None:
        """Label the vertical axis that all panels share."""
        if self.is_new:
            self.figure.supylabel(text, fontsize=8.0)
        else:
            self.panels[0].set_ylabel(text)


def open_canvas(
    ax: Panels | None, height: float, rows: int = 1, columns: int = 1, *,
    number: int | None = None, width: float = WIDTH, **options: Any,
) -> Canvas:  # fmt: skip
    """Open a new figure, without any global state, or draw in the axes that a caller gives.

    Parameters
    ----------
    ax
        Axes to draw in, one for each panel; None for a new figure.
    height, width
        Size of a new figure in inches.
    rows, columns
        Grid of its panels.
    number
        How many panels there are, if not rows times columns.
    options
        Further options of :meth:`matplotlib.figure.Figure.subplots`.

    Raises
    ------
    InputError
        If the number of given axes is wrong.
    """
    number = rows * columns if number is None else number
    if ax is not None:
        given: list[Axes] = [*np.ravel(np.array(ax, dtype=object))]
        if len(given) != number:
            text = _("this figure has {number} panels, but {given} axes were given")
            raise InputError([Problem(text.format(number=number, given=len(given)))])
        for axes in given:
            adopt(axes)
        return Canvas(root_figure(given[0]), given, is_new=False)
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure((width, height), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06))
    panels = [*figure.subplots(rows, columns, squeeze=False, **options).ravel()]
    for unused in panels[number:]:
        unused.set_axis_off()
    return Canvas(figure, panels[:number], is_new=True)


def adopt(axes: Axes) -> None:
    """Give axes of a caller the common look."""
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(
        labelsize=STYLE["xtick.labelsize"], grid_color=STYLE["grid.color"],
        grid_linewidth=STYLE["grid.linewidth"],
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_fontsize(STYLE["axes.labelsize"])


def root_figure(axes: Axes) -> Figure:
    """The whole figure of axes, also where they are in a part of it."""
    figure: Any = axes.figure
    return figure.figure


def fit_columns(labels: Sequence[str], columns: int, width: float) -> int:
    """The most columns of a legend, up to ``columns``, that fit into a width in points."""
    for number in range(min(columns, len(labels)), 1, -1):
        wide = [max(map(len, part)) for part in np.array_split(list(labels), number)]
        if sum(LETTER * letters + HANDLE for letters in wide) <= width:
            return number
    return 1


def write_ticks(axis: Axis, divisor: float = 1.0) -> None:
    """Write the numbers of an axis in the current language, with the decimals that they need."""
    from matplotlib.ticker import FuncFormatter

    def written(value: float, _position: int | None) -> str:
        ticks = np.asarray(axis.get_majorticklocs()) / divisor
        step = np.diff(ticks).min() if len(ticks) > 1 else max(abs(value / divisor), 1.0)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0.0 else 0
        if any(abs(t * 10**decimals - round(t * 10**decimals)) > 1e-6 for t in ticks):
            decimals += 1
        return decimal(value / divisor, decimals)

    axis.set_major_formatter(FuncFormatter(written))


def limit_ticks(axis: Axis, **options: Any) -> None:
    """Set options of the tick locator of an axis, such as ``integer`` and ``nbins``."""
    locator: Any = axis.get_major_locator()
    locator.set_params(**options)


def write_names(axes: Axes, names: Sequence[str], width: int = 38) -> None:
    """Write the names of lines beside them, the first at the top."""
    from kolabsim.figures.labels import wrap_lines

    axes.set_yticks(range(len(names)), [wrap_lines(name, width) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)


# Marks and legends ------------------------------------------------------------------------------


def marker_face(verdict: str) -> str:
    """Fill colour of a mark: white where the interval includes zero."""
    return "white" if verdict == UNDECIDED else MARKS[verdict][2]


def draw_estimate(
    axes: Axes, y: float, verdict: str, low: float, value: float, high: float
) -> None:
    """Draw an estimate and its interval as a horizontal line, marked by its verdict."""
    _sign, marker, colour = MARKS[verdict]
    axes.plot([low, high], [y, y], color=colour, linewidth=1.5, zorder=2)
    axes.plot(
        value, y, marker=marker, markersize=5.0, color=colour, zorder=3,
        markerfacecolor=marker_face(verdict),
    )  # fmt: skip


def mark(marker: str, colour: str, label: str, *, hollow: bool = False, **options: Any) -> Line2D:
    """Make a legend entry of a mark."""
    from matplotlib.lines import Line2D

    face = "white" if hollow else colour
    given: dict[str, Any] = {"linestyle": "", "markersize": 5.5, "markerfacecolor": face}
    return Line2D([], [], marker=marker, color=colour, label=label, **(given | options))


def line(colour: str, label: str, **options: Any) -> Line2D:
    """Make a legend entry of a line."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, label=label, **options)


def patch(face: str, label: str, edge: str | None = None, **options: Any) -> Patch:
    """Make a legend entry of an area."""
    from matplotlib.patches import Patch

    given: dict[str, Any] = {"edgecolor": edge} if edge else {"linewidth": 0.0}
    return Patch(facecolor=face, label=label, **given, **options)


def add_verdict_legend(canvas: Canvas, labels: Mapping[str, str]) -> None:
    """Explain the marks of verdicts."""
    handles = [
        mark(MARKS[verdict][1], MARKS[verdict][2], text, hollow=verdict == UNDECIDED)
        for verdict, text in labels.items()
    ]
    canvas.add_legend(handles)


# Labels that keep clear of each other -----------------------------------------------------------


def place_labels(
    axes: Axes,
    places: Sequence[tuple[float, float]],
    texts: Sequence[str],
    *,
    radii: Sequence[float],
    avoid: Sequence[tuple[float, float]] = (),
    size: float = 7.5,
) -> None:
    """Write a label near each mark, where it covers the least of other marks and labels.

    ``places`` are data coordinates, ``radii`` the radii of the marks in points; an empty text
    leaves a mark without a label. Labels also keep clear of the points ``avoid``. Earlier labels
    are placed first; a label without room beside its mark stands off and is joined to it by a line.
    """
    figure = root_figure(axes)
    figure.draw_without_rendering()
    scale = 72.0 / figure.dpi
    points = axes.transData.transform(places) * scale
    frame = tuple(np.asarray(axes.get_window_extent().extents) * scale)
    taken: list[Box] = [
        (x - r, y - r, x + r, y + r) for (x, y), r in zip(points, radii, strict=True)
    ]
    if len(avoid):
        taken += [(x - 2, y - 2, x + 2, y + 2) for x, y in axes.transData.transform(avoid) * scale]
    for place, point, radius, text in zip(places, points, radii, texts, strict=True):
        if not text:
            continue
        lines = text.split("\n")
        room = (0.62 * size * max(map(len, lines)), 1.3 * size * len(lines))
        options = [spot for off in STAND_OFF for spot in spots(point, radius, room, off)]

        def cost(spot: Spot, area: float = room[0] * room[1]) -> float:
            covered = sum(overlap(spot.box, other) for other in taken)
            return covered + 4.0 * (area - overlap(spot.box, frame)) + 2.0 * spot.off

        best = min(options, key=cost)
        taken.append(best.box)
        join = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": radius}
        axes.annotate(
            text, place, xytext=best.shift, textcoords="offset points", ha=best.across,
            va=best.along, fontsize=size, linespacing=1.15, arrowprops=join if best.off else None,
        )  # fmt: skip


Box = tuple[float, ...]
"""Left, low, right and high end."""


class Spot(NamedTuple):
    """A possible place of a label: its shift and alignment, its box, and its distance."""

    shift: tuple[float, float]
    across: str
    along: str
    box: Box
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


def overlap(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


# Export -----------------------------------------------------------------------------------------


@styled
def to_svg(figure: Figure, *, alt: str) -> str:
    """Export a figure as one ``<svg>`` element, for a page or a file of its own.

    Text stays text: it can be read aloud, found and copied. The same figure gives the same
    characters, and its ids do not clash with those of other figures on a page.

    Parameters
    ----------
    figure
        A figure of this package.
    alt
        What it shows, in one sentence, for readers who cannot see it.
    """
    written = StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    text = written.getvalue()
    start, body = re.findall(r"<svg ([^>]*)>(.*)</svg>", text, re.DOTALL)[0]
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    # A rule for * would apply to the whole page around the figure.
    body = re.sub(r'\s*<defs>\s*<style type="text/css">.*?</defs>', "", body, flags=re.DOTALL)
    own = hashlib.sha256(text.encode()).hexdigest()[:8]

    def mend(tag: re.Match[str]) -> str:
        """Take the font out of a tag, and give its ids a prefix of this figure."""
        found = re.sub(r"font-family: [^;\"]*;? ?", "", tag[0])
        return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>f{own}-", found)

    body = re.sub(r"<[^>]*>", mend, body)  # text between tags stays as it is
    title = f"f{own}-title"
    return (
        f'<svg {start} role="img" aria-labelledby="{title}" font-family="{FONTS}"'
        f' stroke-linejoin="round"><title id="{title}">{escape(alt)}</title>{body}</svg>'
    )


@styled
def to_png(figure: Figure, path: Path) -> None:
    """Write a figure to a PNG file, 200 dots an inch.

    Parameters
    ----------
    figure
        A figure of this package.
    path
        The file.

    Raises
    ------
    StorageError
        If the disk refuses to write.
    """
    written = BytesIO()
    figure.savefig(written, format="png", metadata={"Software": None})
    write_whole(path, written.getvalue())
