"""A page as one HTML file that needs no network: styles and figures are inside."""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kolabsim import __version__
from kolabsim.errors import shown
from kolabsim.files import is_routed, write_whole
from kolabsim.i18n import _, language, ngettext
from kolabsim.report.page import Page, Section
from kolabsim.report.workbook import write_workbook

TEMPLATES = Path(__file__).parent / "templates"
SCRIPT = "animation.js"
"""The script of pages with an animation; all others have none."""


def templates() -> Environment:
    """The templates, with what they call."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["_"] = _
    environment.filters |= {
        "kind": lambda block: type(block).__name__.lower(), "markup": Markup, "data": as_data,
    }  # fmt: skip
    return environment


def render_sections(sections: Iterable[Section]) -> str:
    """Return sections as a part of a page that has styles of its own."""
    return templates().get_template("sections.html.j2").render(sections=sections)


def render(page: Page) -> str:
    """Return a page as HTML, in the current language."""
    script = (TEMPLATES / SCRIPT).read_text(encoding="utf-8") if page.is_moving else ""
    template = templates().get_template("page.html.j2")
    return template.render(
        page=page, language=language(), version=__version__, script=script, hash=script_hash(script)
    )


def script_hash(script: str) -> str:
    """The hash by which a page allows its own script, and no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def as_data(value: object) -> Markup:
    """A value as JSON inside a page, in which no text can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))


FAILURES = "failures"
"""Folder of the errors of pages."""


def errors_file(path: Path) -> Path:
    """The file with the errors of a page's missing parts; it exists only if there are any."""
    return path.parent / FAILURES / f"{path.stem}.txt"


def write_page(page: Page, path: Path, *, workbook: bool = False) -> Path:
    """Write a page to a file, in the current language; the file is complete or not there at all.

    With ``workbook``, its tables are written beside it for spreadsheets, if openpyxl is installed.
    Parts that could not be made are warned of; their tracebacks are written to a file that
    :func:`errors_file` names. Raises :class:`~kolabsim.errors.StorageError` if the disk refuses.
    """
    write_whole(path, render(page).encode())
    file, errors = errors_file(path), page.errors
    if not is_routed(file):  # the ledger of a results folder removes what no longer belongs
        file.unlink(missing_ok=True)
    if errors:
        write_whole(file, "\n".join(errors).encode(errors="backslashreplace"))
        text = ngettext(
            "{number} part of {page} is missing; its error is in {file}",
            "{number} parts of {page} are missing; their errors are in {file}",
            len(errors),
        )
        words = {"page": shown(path), "file": shown(file), "number": len(errors)}
        warnings.warn(text.format(**words), stacklevel=2)
    if workbook:
        write_workbook(path.with_suffix(".xlsx"), page.title, page.tables, facts=page.facts)
    return path
