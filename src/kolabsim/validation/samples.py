"""Samples of real regions: their tables are read where they lie, and become scenarios."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from kolabsim.errors import InputError, Problem, Problems
from kolabsim.i18n import _
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.tables import Table, read_csv


def folder_of(data: Path, name: str, needed: Sequence[str]) -> Path:
    """The folder of a sample inside the folder of all data, which must hold these files."""
    folder = data / name
    missing = [file for file in needed if not (folder / file).is_file()]
    if missing:
        text = _("{folder} does not hold {files}; --data names the folder of all samples")
        text = text.format(folder=folder.as_posix(), files=", ".join(missing))
        raise InputError([Problem(text)])
    return folder


def read_table(path: Path, columns: Iterable[str]) -> Table:
    """A table with at least these columns.

    Raises :class:`~kolabsim.errors.InputError` with everything that is wrong with it.
    """
    problems = Problems()
    table = read_csv(path, problems)
    if table is not None:
        for column in columns:
            table.has(column)
    problems.raise_if_any()
    return table


def numbers(table: Table, columns: Sequence[str], named: str) -> list[list[float]]:
    """Columns of numbers; ``named`` is the column that says whom a row is about."""
    names = table.texts(named)
    found = [table.numbers(column, names) for column in columns]
    table.problems.raise_if_any()
    return found


def populated(
    parent: str, head: Sequence[str], rows: Iterable[Sequence[object]],
    contacts: Iterable[tuple[str, str, str, float]],
) -> Scenario:  # fmt: skip
    """A scenario that ships without regions, with these regions and contacts.

    ``contacts`` are two codes, whether they share a land border (yes or no), and kilometres.
    """
    with TemporaryDirectory(prefix="kolabsim-") as room:
        folder = Path(room)
        _write(folder / "regions.csv", head, rows)
        _write(folder / "contacts.csv", ("code_a", "code_b", "land", "distance_km"), contacts)
        text = (
            f"extends: {parent}\nregions: {{table: regions.csv}}\ncontacts: {{list: contacts.csv}}"
        )
        path = folder / f"{parent}.yaml"
        path.write_text(text, encoding="utf-8")
        return Scenario.load(path)


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
