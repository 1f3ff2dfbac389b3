"""The tables of a ledger: what a row of each says, how it is sealed, written and read."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from kolabsim.errors import InputError, StorageError, shown
from kolabsim.i18n import _

LEDGER = "ledger.sqlite"
FORMAT = 2
"""Version of the tables; a ledger of a later one is refused, one of an earlier one is read."""


class Fact(NamedTuple):
    """Anything that the folder has once, as JSON."""

    name: str
    value: str


class Settings(NamedTuple):
    """A future: settings under which every strategy runs, in a comparison or in a design."""

    future: str
    """Its name in a comparison; in a design its number, from 0 in the order of planning."""
    stage: int
    """The number of the plan that first wanted it, from 1: searches and growing samples have
    several."""
    settings: str
    """The settings by their dotted names, as JSON (:func:`kolabsim.study.tasks.settings_text`)."""


class Point(NamedTuple):
    """A task: a strategy under a future."""

    name: str
    """Its strategy and future as JSON: points with other names may have the same hash."""
    hash: str
    strategy: str
    future: str
    runs: int
    """Most runs that were ever wanted of it."""
    detail: int
    base: str
    columns: str
    """The fact with the names of its values, and the measures that are read at a quarter."""
    numbers: bytes
    """The values that are written into the base."""


class File(NamedTuple):
    """A file that kolabsim wrote, or was writing when it stopped."""

    name: str
    role: str
    sha256: str
    size: int
    spans: str
    """Of a part: the runs in it, as a list of block, first, and the number after the last; of
    inputs: the hashes of the bases in them."""
    is_whole: int


class Failure(NamedTuple):
    """A run that raised an error."""

    name: str
    """Its block and number."""
    strategy: str
    future: str
    run: int
    block: str
    error: str
    traceback: str


class Span(NamedTuple):
    """Consecutive runs of a block: from ``first`` up to, but not including, ``end``."""

    block: str
    first: int
    end: int


TABLES = (Fact, Settings, Point, File, Failure)
Entry = Fact | Settings | Point | File | Failure
Row = TypeVar("Row", Fact, Settings, Point, File, Failure)


def create(database: sqlite3.Connection) -> None:
    """Make the tables of a new ledger."""
    for kind in TABLES:
        names = ", ".join((f"{kind._fields[0]} PRIMARY KEY", *kind._fields[1:], "seal"))
        database.execute(f"CREATE TABLE {kind.__name__} ({names})")
    mark = Fact("mark", json.dumps(secrets.token_hex(8)))
    database.execute("INSERT INTO Fact VALUES (?, ?, ?)", (*mark, seal(mark)))
    database.execute(f"PRAGMA user_version = {FORMAT}")


def rows(database: sqlite3.Connection, kind: type[Row]) -> Iterator[Row]:
    """All rows of a table; one that is not what was entered raises an error."""
    for *values, sealed in database.execute(f"SELECT * FROM {kind.__name__} ORDER BY rowid"):
        row = kind(*values)
        if seal(row) != sealed:
            text = f"{kind.__name__} {row[0]}"
            raise sqlite3.DatabaseError(text)
        yield row


def seal(row: Entry) -> str:
    """The checksum of a row."""
    return sha256(repr((type(row).__name__, *row)).encode(errors="replace"))[:16]


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def enter(database: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Write rows into their tables, in the place of those of the same name."""
    for row in entries:
        places = ", ".join("?" * (len(row) + 1))
        named = ", ".join(f"{name} = excluded.{name}" for name in (*row._fields, "seal"))
        database.execute(
            f"INSERT INTO {type(row).__name__} VALUES ({places})"
            f" ON CONFLICT ({row._fields[0]}) DO UPDATE SET {named}",
            (*row, seal(row)),
        )


def no_rights(file: Path) -> str:
    """Say that a file cannot be opened."""
    text = _("{file}: this file cannot be opened; check the rights to it and to its folder")
    return text.format(file=shown(file))


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Say what keeps a ledger from being used."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            text = _("another process is working in this folder; wait for its end, or use --fresh")
            raise InputError.of(text, shown(folder)) from error
        if "unable to open" in str(error):
            raise StorageError(no_rights(folder / LEDGER)) from error
        text = _("{folder}: the disk refuses to write ({reason})")
        raise StorageError(text.format(folder=shown(folder / LEDGER), reason=error)) from error
    except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
        text = _("this ledger is damaged ({reason}); add --fresh to simulate in a new folder")
        raise InputError.of(text, shown(folder / LEDGER), reason=error) from error
    except OSError as error:
        text = _("{folder}: the disk refuses to write ({reason})")
        reason = error.strerror or error
        raise StorageError(text.format(folder=shown(folder), reason=reason)) from error
