"""The common look of all figures, and their export to SVG and PNG: the same bytes everywhere."""

from __future__ import annotations

import hashlib
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

import numpy as np

from kolabsim.errors import InputError
from kolabsim.figures.formatting import decimal
from kolabsim.figures.labels import wrap_lines
from kolabsim.figures.marks import mark, root_figure
from kolabsim.figures.palette import FONTS, HANDLE, HOLLOW, LETTER, MARKS, STYLE, WIDTH
from kolabsim.files import write_whole
from kolabsim.i18n import _

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    Panels = Axes | Sequence[Axes] | np.ndarray
    """The axes to draw in: one, or as many as a figure has panels, row by row."""
    Grid = Literal["x", "y", "both"]

P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Let a function draw in the look of kolabsim, whatever the user's settings of matplotlib."""

    @wraps(draw)
    def drawn(*args: P.args, **keywords: P.kwargs) -> R:
        import matplotlib

        with matplotlib.rc_context(), warnings.catch_warnings():
            for start in ("Glyph", "constrained_layout"):  # fonts are chosen when it is saved
                warnings.filterwarnings("ignore", start)
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

    @property
    def axes(self) -> Axes:
        """The only panel, or the first."""
        return self.panels[0]

    def add_legend(
        self, handles: Sequence[Artist] | None = None, columns: int | None = None
    ) -> None:
        """Explain marks above all panels; in given axes, above the first of them.

        The marks are by default all in the first panel that have a label. Call this last: in given
        axes the legend stands above titles and tick labels.
        """
        handles = self.axes.get_legend_handles_labels()[0] if handles is None else handles
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

        axes, points = self.axes, 72.0 / self.figure.dpi
        self.figure.draw_without_rendering()
        box = axes.get_window_extent()
        above = (max(part.y1 for part in (axes.get_tightbbox(), box) if part) - box.y1) * points
        columns = fit_columns(labels, columns, box.width * points)
        shift = ScaledTranslation(0.0, above / 72.0, self.figure.dpi_scale_trans)
        axes.legend(
            handles, labels, loc="lower left", ncols=columns,
            bbox_to_anchor=(0.0, 1.0), bbox_transform=axes.transAxes + shift, borderaxespad=0.2,
        )  # fmt: skip

    def explain_verdicts(self, labels: Mapping[str, str], *others: Line2D) -> None:
        """Explain the marks of verdicts, and other marks."""
        self.add_legend([
            *(mark(*MARKS[verdict][1:], text, hollow=verdict in HOLLOW)
              for verdict, text in labels.items()),
            *others,
        ])  # fmt: skip

    def add_colorbar(
        self, colours: ScalarMappable, label: str, divisor: float, **options: Any
    ) -> None:
        """Draw the scale of colours below all panels, in units of ``divisor``."""
        given: dict[str, Any] = {"ax": list(self.panels), "shrink": 0.6, "aspect": 40, "pad": 0.02}
        bar = self.figure.colorbar(colours, orientation="horizontal", **(given | options))
        bar.outline.set_visible(False)
        bar.set_label(label)
        write_ticks(bar.ax.xaxis, divisor)

    def label_y(self, text: str) -> None:
        """Label the vertical axis that all panels share."""
        if self.is_new:
            self.figure.supylabel(text, fontsize=8.0)
        else:
            self.axes.set_ylabel(text)


def open_canvas(
    ax: Panels | None, height: float, number: int = 1, columns: int = 1, *,
    row: float = 0.0, width: float = WIDTH, grid: Grid | None = None, **options: Any,
) -> Canvas:  # fmt: skip
    """Open a new figure, without any global state, or draw in the axes that a caller gives.

    A new figure has so many panels in so many columns. Its size is in inches; ``row`` is added to
    the height for each row of panels. Numbers on axes are in the current language, and the axes
    of ``grid`` have grid lines. Further options are those of
    :meth:`matplotlib.figure.Figure.subplots`.
    """
    if ax is not None:
        panels: list[Axes] = [*np.ravel(np.array(ax, dtype=object))]
        if len(panels) != number:
            text = _("this figure has {number} panels, but {given} axes were given")
            raise InputError.of(text, number=number, given=len(panels))
        for axes in panels:  # give them the common look
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(
                labelsize=STYLE["xtick.labelsize"], grid_color=STYLE["grid.color"],
                grid_linewidth=STYLE["grid.linewidth"],
            )  # fmt: skip
            axes.xaxis.label.set_fontsize(STYLE["axes.labelsize"])
            axes.yaxis.label.set_fontsize(STYLE["axes.labelsize"])
        figure = root_figure(panels[0])
    else:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        rows, layout = math.ceil(number / columns), ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06)
        figure = Figure((width, height + rows * row), layout=layout)
        panels = [*figure.subplots(rows, columns, squeeze=False, **options).ravel()]
        for unused in panels[number:]:
            unused.set_axis_off()
    for axes in panels[:number]:
        write_ticks(axes.xaxis)
        write_ticks(axes.yaxis)
        if grid:
            axes.grid(axis=grid)
    return Canvas(figure, panels[:number], is_new=ax is None)


def fit_columns(labels: Sequence[str], columns: int, width: float) -> int:
    """The most columns of a legend, up to ``columns``, that fit into a width in points."""
    for number in range(min(columns, len(labels)), 1, -1):
        wide = [max(map(len, part)) for part in np.array_split(list(labels), number)]
        if sum(LETTER * letters + HANDLE for letters in wide) <= width:
            return number
    return 1


def write_ticks(axis: Axis, divisor: float = 1.0) -> None:
    """Write the numbers of an axis in the current language, with the decimals that they need."""
    from matplotlib.ticker import Formatter

    class Written(Formatter):
        """Numbers with the decimals that tell all ticks apart."""

        def format_ticks(self, values: Sequence[float]) -> list[str]:
            # At once: to ask for the ticks again for each of them takes longer than all else.
            ticks = np.asarray(values) / divisor
            return [written(tick, ticks) for tick in ticks]

        def __call__(self, x: float, pos: int | None = None) -> str:
            return written(x / divisor, np.asarray(axis.get_majorticklocs()) / divisor)

    def written(value: float, ticks: np.ndarray) -> str:
        step = np.diff(ticks).min() if len(ticks) > 1 else max(abs(value), 1.0)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0.0 else 0
        if any(abs(t * 10**decimals - round(t * 10**decimals)) > 1e-6 for t in ticks):
            decimals += 1
        return decimal(value, decimals)

    axis.set_major_formatter(Written())


def write_names(axes: Axes, names: Sequence[str], width: int = 38) -> None:
    """Write the names of lines beside them, the first at the top."""
    axes.set_yticks(range(len(names)), [wrap_lines(name, width) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)


# Letters ----------------------------------------------------------------------------------------

LONGEST = 130
"""Most letters of a line in a figure; longer ones would leave no room for the figure."""
told: set[str] = set()
"""Letters of which it was said that no font has them."""


def save(figure: Figure, **options: Any) -> bytes:
    """Save a figure, with fonts that have all letters; say once which letters no font has."""
    for text in find_texts(figure):
        lines = text.get_text().split("\n")
        if max(map(len, lines)) > LONGEST:
            lines = [line if len(line) <= LONGEST else f"{line[:LONGEST]}…" for line in lines]
            text.set_text("\n".join(lines))
    written, missing = attempt_to_save(figure, options)
    fonts = fonts_with(frozenset(missing))
    if fonts:
        for text in find_texts(figure):
            if missing & {*text.get_text()}:
                text.set_fontfamily([STYLE["font.family"], *fonts])
        written, missing = attempt_to_save(figure, options)
    if missing - told:
        told.update(missing)
        message = _(
            "no installed font has the letters {letters}, which are boxes in PNG figures; install "
            "one that has them, such as Noto Sans"
        )
        letters = "".join(sorted(missing)[:20]) + ("…" if len(missing) > 20 else "")
        warnings.warn(message.format(letters=letters), stacklevel=2)
    return written


def attempt_to_save(figure: Figure, options: Mapping[str, Any]) -> tuple[bytes, set[str]]:
    """Save a figure and return it with the letters that its fonts lack, without warnings."""
    written = BytesIO()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        draw_into(written, figure, **options)
    found = (re.match(r"Glyph (\d+)", str(one.message)) for one in caught)
    return written.getvalue(), {chr(int(match[1])) for match in found if match}


def draw_into(
    written: BytesIO, figure: Figure, *, format: str, metadata: Mapping[str, None]
) -> None:
    """Draw a figure into an SVG or PNG file in one pass, which finds the layout too.

    ``savefig`` gives the same and takes a pass more, in which all is drawn for the layout alone.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    before, dpi = figure.canvas, figure.dpi
    try:
        figure.set_dpi(STYLE["savefig.dpi"])
        if format == "svg":
            FigureCanvasSVG(figure).print_svg(written, metadata=metadata)
        else:
            FigureCanvasAgg(figure).print_png(written, metadata=metadata)
    finally:
        figure.set_dpi(dpi)
        figure.set_canvas(before)


def find_texts(figure: Figure) -> list[Text]:
    """All texts of a figure."""
    from matplotlib.text import Text

    found: list[Any] = figure.findobj(Text)
    return found


@cache
def fonts_with(letters: frozenset[str]) -> tuple[str, ...]:
    """Names of as few installed fonts as have the letters, as far as any has."""
    from matplotlib.font_manager import fontManager, get_font

    found: list[str] = []
    wanted = {ord(letter) for letter in letters}
    for entry in fontManager.ttflist if wanted else ():
        if not wanted or entry.name in found or entry.name.startswith("Last Resort"):
            continue  # Last Resort has a box for every letter
        if entry.style == "normal":
            had = wanted & set(get_font(entry.fname).get_charmap())
            if had:
                found.append(entry.name)
            wanted -= had
    return tuple(found)


# Export -----------------------------------------------------------------------------------------


@styled
def to_svg(figure: Figure, *, alt: str) -> str:
    """Export a figure as one ``<svg>`` element, for a page or a file of its own.

    Text stays text: it can be read aloud, found and copied. The same figure gives the same
    characters, and its ids do not clash with those of other figures on a page. The text ``alt``
    says in one sentence what the figure shows, for readers who cannot see it.
    """
    text = save(figure, format="svg", metadata={"Date": None}).decode()
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
def to_png(figure: Figure, path: Path | str, *, is_laid_out: bool = False) -> None:
    """Write a figure to a PNG file, 200 dots an inch.

    ``is_laid_out`` keeps the places that it got when it was exported before, which saves time.
    A disk that refuses to write raises :class:`kolabsim.errors.StorageError`.
    """
    if is_laid_out:
        figure.set_layout_engine("none")
    write_whole(Path(path), save(figure, format="png", metadata={"Software": None}))
