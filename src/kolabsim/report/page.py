"""A page of sections: paragraphs, tables and figures in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kolabsim.figures.style import to_svg
from kolabsim.files import write_whole
from kolabsim.i18n import _, language
from kolabsim.report.tables import Table
from kolabsim.report.workbook import write_workbook

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure with what it shows in a sentence, and how it is to be read."""

    figure: Figure
    alt: str
    caption: str

    @classmethod
    def of(cls, figure: Figure, alt: str, caption: str, **words: str) -> Picture:
        """A figure with sentences whose places are filled."""
        return cls(figure, alt.format(**words), caption.format(**words))

    @property
    def svg(self) -> str:
        """The figure as one element of a page."""
        from markupsafe import Markup

        return Markup(to_svg(self.figure, alt=self.alt))


class Answer(NamedTuple):
    """A part of the answer: what it is about, in a few words, in a sentence, and what else."""

    heading: str
    brief: str
    text: str
    """One sentence, with how sure it is."""
    more: tuple[str, ...] = ()
    """Further sentences, which stand where the page goes into it."""


@dataclass(frozen=True)
class Section:
    """A part of a page: answers, paragraphs, then tables, then figures."""

    name: str
    """By which the page links to it."""
    title: str
    paragraphs: Sequence[str]
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    notes: Sequence[str] = ()
    """What must be known to read it right, set apart at its end."""
    folded: Sequence[tuple[str, Sequence[Table]]] = ()
    """Tables that a reader unfolds, under a title; on paper they are not folded."""
    facts: Sequence[tuple[str, str]] = ()
    """Short facts, each with its title."""
    quote: tuple[str, str] | None = None
    """A title, and a paragraph to be cited."""
    answers: Sequence[Answer] = ()
    """What it says in short: at most three sentences, side by side."""


def template(name: str) -> Template:
    """A template of a page, in the language spoken now."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["_"] = _
    return environment.get_template(name)


def write_page(
    path: Path,
    title: str,
    *,
    lines: Sequence[str],
    sections: Sequence[Section],
    workbook: bool = False,
) -> Path:
    """Write a page, whole, in the language spoken now; the first section is the answer.

    ``lines`` say in short how it came about. With ``workbook`` its tables are written beside it
    for Excel too, where that is possible.
    """
    from kolabsim import __version__

    text = template("page.html.j2").render(
        lang=language(), version=__version__, title=title, lines=lines, sections=sections
    )
    write_whole(path, text.encode())
    if workbook:
        facts = [(answer.heading, answer.text) for answer in sections[0].answers]
        facts += [(sections[0].title, text) for text in sections[0].paragraphs]
        for section in sections:
            facts += [*section.facts, *([section.quote] if section.quote else [])]
        write_workbook(path.with_suffix(".xlsx"), title, tables_of(sections), facts=facts)
    return path


def tables_of(sections: Sequence[Section]) -> list[Table]:
    """All tables of a page, in its order."""
    return [
        table
        for section in sections
        for tables in (section.tables, *(tables for _title, tables in section.folded))
        for table in tables
    ]
