"""A page of sections: paragraphs, tables and figures in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kolabsim.language import _, language
from kolabsim.show.report import Picture
from kolabsim.show.tables import Table
from kolabsim.study.store import write_whole


@dataclass(frozen=True)
class Section:
    """A part of a page: paragraphs, then tables, then figures."""

    name: str
    """By which the page links to it."""
    title: str
    paragraphs: Sequence[str]
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    notes: Sequence[str] = ()
    """What must be known to read it right, set apart at its end."""


def write_page(
    path: Path, title: str, *, lines: Sequence[str], sections: Sequence[Section]
) -> Path:
    """Write a page, whole, in the language spoken now; the first section is the answer.

    ``lines`` say in short how it came about.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from kolabsim import __version__

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["_"] = _
    text = environment.get_template("page.html.j2").render(
        lang=language(), version=__version__, title=title, lines=lines, sections=sections
    )
    write_whole(path, text.encode())
    return path
