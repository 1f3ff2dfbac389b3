"""What a page holds: sections of paragraphs, tables, pictures and other blocks, in reading order.

Every report is a :class:`Page`. :mod:`kolabsim.report.html` writes it as one file for browsers,
:mod:`kolabsim.report.workbook` writes its tables for spreadsheets. Where a text or a cell takes a
number, whole numbers become counts and others percentages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from traceback import format_exc
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from kolabsim.analysis.statistics import (
    BETTER,
    DEPENDS,
    DIFFERENT,
    GAINS,
    LIKELY,
    LOSES,
    ROBUST,
    SAME,
    UNDECIDED,
    WORSE,
)
from kolabsim.errors import StorageError
from kolabsim.figures.formatting import SPACE, Scale, write_interval
from kolabsim.figures.palette import MARKS
from kolabsim.figures.style import to_svg
from kolabsim.i18n import _
from kolabsim.report.wording import fill, write

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.figures.style import Figure
    from kolabsim.scenario.notices import Notice

B = TypeVar("B")
P = ParamSpec("P")


# Tables -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """The content of a cell: a number, its interval below it, and a remark below that."""

    main: str
    below: str = ""
    remark: str = ""
    verdict: str = ""

    @property
    def mark(self) -> str:
        """The verdict as a character."""
        return MARKS[self.verdict][0] if self.verdict else ""

    @property
    def verdict_title(self) -> str:
        """The verdict in a word, for screen readers and spreadsheets."""
        titles = {
            BETTER: _("better"), WORSE: _("worse"), UNDECIDED: _("undecided"),
            DIFFERENT: _("different"), GAINS: _("gains"), LOSES: _("loses"),
            SAME: _("hardly changes"), DEPENDS: _("depends on assumptions"),
        }  # fmt: skip
        for names, text in ((ROBUST, _("robust: {verdict}")), (LIKELY, _("likely: {verdict}"))):
            titles |= {names[word]: text.format(verdict=titles[word]) for word in names}
        return titles.get(self.verdict, "")

    @property
    def line(self) -> str:
        """The cell in one line, for a terminal."""
        return SPACE.join(part for part in (self.mark, self.main, self.below) if part)


def interval_cell(
    scale: Scale,
    value: float,
    low: float,
    high: float,
    *,
    signed: bool = False,
    verdict: str = "",
    remark: str = "",
    runs: float = 0,
    futures: float = 0,
) -> Cell:
    """Return a cell with a number and its interval, or why its runs or futures give none."""
    below = scale.interval(low, high, signed=signed)
    if math.isfinite(value):
        below = write_interval(scale, low, high, runs=runs, futures=futures, signed=signed)
    return Cell(scale.bare(value, signed=signed), below, remark, verdict)


class Table:
    """A table with a heading for each row and column.

    Each of ``rows`` begins with its heading; other values that are no cells become cells.
    ``prose`` says that cells hold text; ``links`` are addresses of pages, by headings of rows.
    """

    def __init__(
        self,
        caption: str,
        head: Sequence[str],
        rows: Iterable[Sequence[Any]],
        *,
        prose: bool = False,
        links: Mapping[str, str] | None = None,
    ) -> None:
        """Make a table of the rows."""
        self.caption, self.head, self.prose, self.links = caption, head, prose, links or {}
        made = [[v if isinstance(v, Cell) else Cell(write(v)) for v in row] for row in rows]
        self.rows = [(first.main, cells) for first, *cells in made]


# Other blocks -----------------------------------------------------------------------------------


class Picture:
    """A figure with alternative text, a caption, and the name of its file, without a suffix.

    The figure is drawn when the page is written, so that the page survives it.
    """

    error = ""
    """Why it could not be drawn, with the traceback."""

    def __init__(
        self, draw: Callable[[], Figure], alt: str, caption: str, name: str = "", **values: Any
    ) -> None:
        """Make a picture; the places in its texts are filled with ``values``."""
        self.draw, self.name = draw, name
        self.alt, self.caption = fill(alt, **values), fill(caption, **values)

    @cached_property
    def figure(self) -> Figure:
        """The figure."""
        return self.draw()

    @cached_property
    def svg(self) -> str:
        """The figure as one ``<svg>`` element, rendered once; '' if it cannot be drawn."""
        try:
            return to_svg(self.figure, alt=self.alt)
        except Exception:  # whatever it is, the rest of the page is worth having
            self.error = format_exc()
            return ""


class Headline(NamedTuple):
    """One of the findings that open a page: a label, the finding in brief, and in a sentence."""

    label: str
    brief: str
    text: str
    more: tuple[str, ...] = ()
    """Further sentences, which follow in the section on the subject."""


class Headlines(NamedTuple):
    """Up to three headlines, side by side."""

    parts: Sequence[Headline]


class Heading(NamedTuple):
    """A heading within a section."""

    title: str


class Folded(NamedTuple):
    """Blocks that a reader unfolds; printed pages show them."""

    title: str
    blocks: Sequence[Block]


class Note(NamedTuple):
    """Paragraphs that are set apart; ``is_alarm`` where something went wrong."""

    paragraphs: Sequence[str]
    is_alarm: bool = False
    error: str = ""
    """The traceback of what went wrong."""


class Facts(NamedTuple):
    """Short facts, each with its title; ``is_code`` where they are hashes and commands."""

    rows: Sequence[tuple[str, str]]
    is_code: bool = False


class Quote(NamedTuple):
    """A paragraph to be copied, with its heading."""

    title: str
    text: str


class Gallery(NamedTuple):
    """Pictures side by side where there is room."""

    pictures: Sequence[Picture]


class Animation(NamedTuple):
    """A map that moves over time, and the picture that stands for it on paper.

    The ``data`` is read by the script of the page, which draws nothing without it.
    """

    data: Mapping[str, Any]
    still: Picture


Block = (
    str | Table | Picture | Headlines | Heading | Folded | Note | Facts | Quote | Gallery
    | Animation
)  # fmt: skip
"""What a section is made of; a string is a paragraph."""


# Sections and pages -----------------------------------------------------------------------------


class Section:
    """A part of a page with a heading: a name to link to, a title, and blocks in order.

    Blocks that are None or empty are left out, so that callers can write
    ``Section("costs", title, note or None, table)``.
    """

    def __init__(self, name: str, title: str, *blocks: Block | None) -> None:
        """Make a section of the blocks that are there."""
        self.name, self.title = name, title
        self.blocks: tuple[Block, ...] = tuple(block for block in blocks if block)

    @property
    def paragraphs(self) -> list[str]:
        """Its paragraphs, without those that are folded."""
        return [block for block in self.blocks if isinstance(block, str)]

    @property
    def notes(self) -> list[str]:
        """The paragraphs of its notes."""
        return [text for note in select(Note, self.blocks) for text in note.paragraphs]

    @property
    def headlines(self) -> list[Headline]:
        """Its headlines."""
        return [part for block in select(Headlines, self.blocks) for part in block.parts]

    @property
    def summary(self) -> list[str]:
        """Its headlines as sentences, then its paragraphs: what a terminal shows of the answer."""
        return [*(part.text for part in self.headlines), *self.paragraphs]

    @property
    def tables(self) -> list[Table]:
        """Its tables, those that are folded too."""
        return list(select(Table, self.blocks))

    @property
    def pictures(self) -> list[Picture]:
        """Its pictures."""
        return list(select(Picture, self.blocks))


def separate(make: Callable[P, Section]) -> Callable[P, Section]:
    """Let a function that makes a section fail alone: the section then says so."""

    @wraps(make)
    def made(*args: P.args, **keywords: P.kwargs) -> Section:
        try:
            return make(*args, **keywords)
        except StorageError:
            raise
        except Exception as error:  # whatever it is, the other sections are worth having
            return missing_section(make.__name__.replace("_", "-"), error)

    return made


def missing_section(name: str, error: Exception) -> Section:
    """The section in the place of one that raised an error, which is being handled."""
    text = _("This section is missing, because it could not be made ({reason}).")
    text = text.format(reason=f"{type(error).__name__}: {error}")
    return Section(name, _("Missing section"), Note([text], is_alarm=True, error=format_exc()))


def select(kind: type[B], blocks: Iterable[Block]) -> Iterator[B]:
    """Yield the blocks of a kind, those within others too."""
    for block in blocks:
        if isinstance(block, kind):
            yield block
        elif isinstance(block, Folded):
            yield from select(kind, block.blocks)
        elif isinstance(block, Gallery):
            yield from select(kind, block.pictures)
        elif isinstance(block, Animation):
            yield from select(kind, [block.still])


@dataclass(frozen=True)
class Page:
    """A report: its title, some facts in a line, and its sections; the first is the answer."""

    title: str
    sections: Sequence[Section]
    lines: Sequence[str] = ()
    """What was simulated, in a few words each."""
    kind: str = ""
    """What stands above the title."""
    notices: Sequence[Notice] = ()
    """What keeps the regions from cooperating; stands before everything else."""

    @property
    def tables(self) -> list[Table]:
        """All tables in the order of the page."""
        return [table for section in self.sections for table in section.tables]

    @property
    def pictures(self) -> dict[str, Picture]:
        """All pictures, by the names of their files."""
        return {
            picture.name or f"{section.name}-{number}": picture
            for section in self.sections
            for number, picture in enumerate(section.pictures, 1)
        }

    @property
    def is_moving(self) -> bool:
        """Whether it has an animation, and so needs a script."""
        blocks = [block for section in self.sections for block in section.blocks]
        return next(select(Animation, blocks), None) is not None

    @property
    def errors(self) -> list[str]:
        """The tracebacks of its sections and pictures that could not be made."""
        blocks = [block for section in self.sections for block in section.blocks]
        found = [note.error for note in select(Note, blocks)]
        for picture in select(Picture, blocks):
            _drawn = picture.svg
            found.append(picture.error)
        return [error for error in found if error]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Content of the first sheet of a workbook: the key findings, and how to reproduce them."""
        first = self.sections[0]
        found = [(part.label, part.text) for part in first.headlines]
        found += [(first.title, text) for text in first.paragraphs]
        for section in self.sections:
            for facts in select(Facts, section.blocks):
                found += facts.rows
            found += [(quote.title, quote.text) for quote in select(Quote, section.blocks)]
        return found


class KindReport(NamedTuple):
    """What the report of one kind of experiment adds to the page that all kinds share."""

    sections: Sequence[Section]
    """Its sections; the first is the answer."""
    uncertainty: Sequence[Block]
    """Blocks of the section on uncertainty; the first states the size of the sample."""
    assumptions: str
    """Which assumptions were varied, and where they are ranked."""
    methods: str
    """The first sentence of the paragraph on methods."""
    tables: Mapping[str, pd.DataFrame]
    """Tables that are written as CSV, by the names of their files."""
