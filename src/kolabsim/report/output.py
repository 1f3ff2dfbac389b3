"""The folder of results: where it may be, and how tables, figures and the report get into it.

Each file is written under another name and then moved to its place. A file that exists is
therefore complete, and what was there before stays until then.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.errors import InputError, StorageError, shown
from kolabsim.figures.style import to_png
from kolabsim.files import table_csv, write_whole
from kolabsim.i18n import _
from kolabsim.report.html import write_page
from kolabsim.report.page import Page
from kolabsim.report.provenance import PROVENANCE
from kolabsim.study.ledger import EARLIER
from kolabsim.study.rows import LEDGER
from kolabsim.study.tables import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.scenario.scenario import Scenario

REPORT = "report.html"
FIGURES = "figures"
SCENARIO = "scenario.json"


def is_bare(path: Path) -> bool:
    """Whether there is a folder without any file in it."""
    return path.is_dir() and not any(inside.is_file() for inside in path.rglob("*"))


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot take the results of a study, before the first run.

    Raises :class:`~kolabsim.errors.InputError` for a file, or a folder with other content, and
    :class:`~kolabsim.errors.StorageError` if the disk refuses to write.
    """
    check_writable(folder)
    # A disk that was full before the first file leaves empty folders.
    found = {path.name for path in folder.glob("[!.]*") if not is_bare(path)}
    text = _("this folder does not hold results; choose another one with --out")
    if EARLIER in found and LEDGER not in found:
        text = _("an earlier version wrote these results; add --fresh to use a new folder")
    if found and LEDGER not in found:
        raise InputError.of(text, shown(folder))


def check_writable(folder: Path) -> None:
    """Refuse a folder to which nothing can be written; leave nothing there."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        if folder.exists() and not folder.is_dir():
            text = _("this is a file; results need a folder")
            raise InputError.of(text, shown(folder))
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        with suppress(OSError):  # another process may have put something there meanwhile
            for place in missing:
                place.rmdir()
    except OSError as error:
        text = _("{folder}: the disk refuses to write ({reason})")
        text = text.format(folder=shown(folder), reason=error.strerror or error)
        raise StorageError(text) from error


def fresh_folder(folder: Path) -> Path:
    """Return the folder itself if it is empty or missing, or else the next free one: NAME-2."""
    found, number = folder, 1
    while found.exists() and (not found.is_dir() or any(found.iterdir())):
        number += 1
        found = folder.with_name(f"{folder.name}-{number}")
    return found


def publish(
    page: Page,
    folder: Path,
    *,
    tables: Mapping[str, pd.DataFrame],
    facts: Mapping[str, object],
    scenario: Scenario,
) -> None:
    """Write a page with its figures, tables and provenance into the folder of its runs.

    The page is written as HTML and as a workbook, each of its pictures as SVG and PNG, and each of
    ``tables`` as CSV under its name, with the columns that :mod:`kolabsim.study.tables` declares.
    ``scenario`` is written as JSON with everything that it resolves to. The provenance (``facts``)
    comes last, so that a folder that has it is complete. Raises
    :class:`~kolabsim.errors.StorageError` if the disk refuses.
    """
    resolved = json.dumps(scenario.resolved(), indent=1, sort_keys=True)
    write_whole(folder / SCENARIO, resolved.encode())
    for name, table in tables.items():
        write_whole(folder / f"{name}.csv", table_csv(TABLES[name].arrange(table)))
    for name, picture in page.pictures.items():
        if picture.svg:
            write_whole(folder / FIGURES / f"{name}.svg", picture.svg.encode())
            to_png(picture.figure, folder / FIGURES / f"{name}.png", is_laid_out=True)
    write_page(page, folder / REPORT, workbook=True)
    write_facts(folder, facts)


def write_facts(folder: Path, facts: Mapping[str, object]) -> None:
    """Write the provenance of results into their folder."""
    write_whole(folder / PROVENANCE, json.dumps(facts, indent=1, ensure_ascii=False).encode())
