"""The ledger of a results folder: one SQLite file that lists everything which kolabsim wrote there.

It names the study (kind, keys of its file, seed, code), its points, the runs that failed, and each
file with its SHA-256. A file is entered before it is written and confirmed afterwards, so a process
that dies leaves nothing unlisted. Readers check the hash of a file before they use it; only what
the ledger lists is ever removed. Each row has a checksum, and one process writes at a time.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import threading
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from kolabsim.errors import InputError, StorageError, shown
from kolabsim.files import Content, WrittenFile, replace_whole, routed, unfinished
from kolabsim.i18n import _
from kolabsim.study.identity import Identity, changed_worlds
from kolabsim.study.rows import (
    FORMAT,
    LEDGER,
    Entry,
    Fact,
    Failure,
    File,
    Point,
    Row,
    Settings,
    Span,
    create,
    enter,
    explained,
    no_rights,
    rows,
    sha256,
)

EARLIER = "study.json"
"""The file in which the first edition listed a study."""
LEAST = 512
"""Bytes of the smallest page, and so of the smallest ledger."""
ASIDE = "set-aside"
"""Folder of files that are not what kolabsim wrote: damaged, or edited by somebody."""
INPUT, PART, PUBLISHED = "input", "part", "published"
"""Roles of files."""


@dataclass
class Ledger:
    """Everything that the folder of a study holds; :func:`hold` opens it for writing."""

    folder: Path
    database: sqlite3.Connection | None = field(default=None, repr=False)
    _shown: set[str] = field(default_factory=set, repr=False)
    """Published files that were written since they began to be published."""
    _whole: set[str] = field(default_factory=set, repr=False)
    """Files that were found whole since the folder is held."""
    _told: set[str] = field(default_factory=set, repr=False)
    """Files of whose faults the user was warned."""

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """Read the ledger of a folder; of a folder without one, an empty ledger.

        Raises :class:`~kolabsim.errors.KolabsimError` if it is damaged, of a later version, or in
        use by a process that writes.
        """
        found = cls(folder)
        if (folder / LEDGER).is_file():
            uri = (
                folder / LEDGER
            ).resolve().as_uri() + "?mode=rw"  # which also undoes what a killed process began
            with explained(folder), closing(sqlite3.connect(uri, uri=True, timeout=2)) as database:
                found.load(database)
        return found

    def load(self, database: sqlite3.Connection) -> None:
        """Read all rows but points, and refuse damaged ones."""
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > FORMAT:
            text = _("a later version of kolabsim wrote this folder; use that one")
            raise InputError.of(text, shown(self.folder / LEDGER))
        (state,) = database.execute("PRAGMA integrity_check(1)").fetchone()
        if state != "ok" or version < 1:
            raise sqlite3.DatabaseError(state if version else "no tables")
        self.facts = {row.name: json.loads(row.value) for row in rows(database, Fact)}
        self.files = {row.name: row for row in rows(database, File)}
        self.failed = {row.name: row for row in rows(database, Failure)}
        self.points = {row.name: row for row in rows(database, Point)}
        if version > 1:
            self.futures = {row.future: row for row in rows(database, Settings)}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Facts by name."""
        return {}

    @cached_property
    def files(self) -> dict[str, File]:
        """Files by name."""
        return {}

    @cached_property
    def failed(self) -> dict[str, Failure]:
        """Failed runs by name."""
        return {}

    @cached_property
    def points(self) -> dict[str, Point]:
        """Points by name, in the order in which they were planned."""
        return {}

    @cached_property
    def futures(self) -> dict[str, Settings]:
        """Futures by name, in the order in which they were planned."""
        return {}

    # Writing --------------------------------------------------------------------------------------

    def put(self, *entries: Entry) -> None:
        """Enter rows, all or none of them."""
        with self._changing() as database:
            enter(database, entries)
        for row in entries:
            self._rows(type(row))[row[0]] = json.loads(row.value) if isinstance(row, Fact) else row

    def drop(self, kind: type[Row], names: Iterable[str]) -> None:
        """Strike rows out."""
        kept = self._rows(kind)
        gone = [(name,) for name in names if name in kept]
        if gone:
            with self._changing() as database:
                text = f"DELETE FROM {kind.__name__} WHERE {kind._fields[0]} = ?"
                database.executemany(text, gone)
        for (name,) in gone:
            del kept[name]

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        assert self.database is not None, "the folder is not held"
        with explained(self.folder), self.database:
            self.database.execute("BEGIN IMMEDIATE")
            yield self.database

    def _rows(self, kind: type) -> dict[str, Any]:
        return {
            Fact: self.facts, Settings: self.futures, Point: self.points, File: self.files,
            Failure: self.failed,
        }[kind]  # fmt: skip

    def write(
        self,
        contents: Mapping[str, Content | WrittenFile],
        role: str,
        spans: Mapping[str, Sequence[object]] | None = None,
    ) -> None:
        """Write files, except those that are there already with the same content."""
        if role == PUBLISHED:
            self._shown |= contents.keys()
        hashes = {
            name: "" if callable(content) else hash_content(content)
            for name, content in contents.items()
        }
        before = {
            name: self.files[name].sha256
            for name in contents
            if name in self.files and not self.state(name)
        }
        new = [
            File(name, role, hash, 0, json.dumps((spans or {}).get(name, [])), 0)
            for name, hash in hashes.items()
            if not hash or before.get(name) != hash
        ]
        if not new:
            return
        self.put(*new)
        done = []
        for file in new:
            path, unless = self.folder / file.name, before.get(file.name, "")
            hash, size = replace_whole(path, contents[file.name], mark=self.mark, unless=unless)
            done.append(file._replace(sha256=hash, size=size, is_whole=1))
        self.put(*done)

    @property
    def mark(self) -> str:
        """The end of the names of files that this folder's processes have not finished."""
        return str(self.facts["mark"])

    def remove(self, names: Iterable[str]) -> None:
        """Delete files that the ledger lists: nothing else deletes results."""
        gone = [name for name in names if name in self.files]
        for name in gone:
            path = self.folder / name
            for one in (path, unfinished(path, self.mark)):
                with suppress(OSError):
                    one.unlink()
            with suppress(OSError):
                if path.parent != self.folder:
                    path.parent.rmdir()
        self.drop(File, gone)

    def recover(self) -> None:
        """Confirm or remove the files that a process was writing when it died."""
        half = [name for name, file in self.files.items() if not file.is_whole]
        whole = [name for name in half if self.files[name].sha256 and self.state(name) == ""]
        self.put(
            *(
                self.files[name]._replace(is_whole=1, size=(self.folder / name).stat().st_size)
                for name in whole
            )
        )
        self.remove(name for name in half if name not in whole)

    @contextmanager
    def publishing(self, key: str) -> Iterator[dict[str, Any]]:
        """List what is published within the block, and at its end remove older published files.

        ``key`` stands for all that the files show; what the block puts into the dictionary is kept
        with it.
        """
        about: dict[str, Any] = {}
        self._shown.clear()
        self.put(Fact("published", "null"))
        yield about
        listed = [name for name, file in self.files.items() if file.role == PUBLISHED]
        self.remove(name for name in listed if name not in self._shown)
        self.put(Fact("published", json.dumps({"key": key, "about": about})))

    def keep(self, path: Path, content: Content) -> None:
        """Write a published file."""
        name = path.absolute().relative_to(self.folder.absolute()).as_posix()
        self.write({name: content}, PUBLISHED)

    def published(self, key: str) -> dict[str, Any] | None:
        """What was kept with the files that show exactly this; None if other files are there."""
        found = self.facts.get("published")
        return found["about"] if found and found["key"] == key else None

    # The study ------------------------------------------------------------------------------------

    @property
    def identity(self) -> Identity | None:
        """The study that the folder holds, if any."""
        return Identity(**self.facts["identity"]) if "identity" in self.facts else None

    def refuse_other(self, wanted: Identity, points: Iterable[tuple[str, str, str]] = ()) -> None:
        """Refuse a study that cannot continue the one in the folder.

        ``points`` are strategies, futures, and hashes of the tasks that they name.
        Raises :class:`~kolabsim.errors.InputError`.
        """
        before = self.identity
        if before is None:
            return
        known = {(one.strategy, one.future): one.hash for one in self.points.values()}
        changed = [one[0] for one in points if known.get(one[:2], one[2]) != one[2]]
        what = wanted.differences(before) or changed_worlds(dict.fromkeys(changed))
        if what:
            text = _(
                "this folder holds the runs of another study: {what}; add --fresh to use a new "
                "folder, or choose one with --out"
            )
            raise InputError.of(text, shown(self.folder), what=what)

    # Checking -------------------------------------------------------------------------------------

    def state(self, name: str) -> str:
        """Whether a listed file is as it was written: ``""``, ``"missing"`` or ``"damaged"``.

        Raises :class:`~kolabsim.errors.StorageError` if nobody may read it: what it holds is not
        known then.
        """
        path = self.folder / name
        try:
            if path.exists() and not path.is_file():  # as a pipe, which would never answer
                return "damaged"
            with path.open("rb") as file:
                hash = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return "missing"
        except PermissionError as error:
            raise StorageError(no_rights(self.folder / name)) from error
        except OSError:
            return "damaged"
        return "" if hash == self.files[name].sha256 else "damaged"

    def faults(self, *roles: str, without: Collection[str] = ()) -> dict[str, str]:
        """The listed files of some roles that are missing or damaged."""
        listed = [
            name for name, file in self.files.items() if file.role in roles and name not in without
        ]
        states = {name: self.state(name) for name in listed}
        return {name: state for name, state in states.items() if state}

    def mend(self, *roles: str) -> list[str]:
        """Set damaged files of some roles aside and warn of them; return these and missing ones.

        As long as the folder is held, a file that was found whole is not read again.
        """
        faults = self.faults(*roles, without=self._whole)
        listed = {name for name, file in self.files.items() if file.role in roles}
        self._whole |= listed - faults.keys()
        for name, state in faults.items():
            if state == "damaged":
                place = self.folder / ASIDE / name
                while place.exists():
                    place = place.with_name(f"{place.name}-{secrets.token_hex(2)}")
                with suppress(OSError):
                    place.parent.mkdir(parents=True, exist_ok=True)
                    (self.folder / name).rename(place)
        texts = {
            "damaged": _("not as kolabsim wrote them, set aside and made again: {files}"),
            "missing": _("missing, and made again: {files}"),
        }
        for state, text in texts.items():
            names = sorted(name for name, one in faults.items() if one == state)
            names = [name for name in names if name not in self._told]
            self._told |= set(names)
            if names:
                warnings.warn(text.format(files=", ".join(names)), stacklevel=2)
        return list(faults)

    def checked(self, name: str) -> Path:
        """The path of a listed file whose content is what was written.

        Raises :class:`~kolabsim.errors.InputError` if it is not.
        """
        state = self.state(name) if name in self.files else "missing"
        if state:
            text = {
                "missing": _("this file of results is missing; 'kolabsim run' makes it again"),
                "damaged": _("this file of results is damaged; 'kolabsim run' makes it again"),
            }[state]
            raise InputError.of(text, shown(self.folder / name))
        return self.folder / name

    # Parts ----------------------------------------------------------------------------------------

    def spans(self, name: str) -> list[Span]:
        """The runs in a part's file."""
        return [Span(*span) for span in json.loads(self.files[name].spans)]

    def index(self, kind: str = "runs") -> dict[str, dict[str, list[range]]]:
        """The finished runs of each block, by the files of a kind in which they are."""
        found: dict[str, dict[str, list[range]]] = {}
        for name, file in self.files.items():
            if file.role == PART and file.is_whole and name.endswith(f".{kind}.parquet"):
                for block, first, end in json.loads(file.spans):
                    found.setdefault(block, {}).setdefault(name, []).append(range(first, end))
        return found

    def finished(self, kind: str = "runs", *, without: Collection[str] = ()) -> dict[str, set[int]]:
        """The finished runs of each block, those ``without`` some files."""
        return {
            block: {
                run
                for name, ranges in files.items()
                if name not in without
                for run in chain.from_iterable(ranges)
            }
            for block, files in self.index(kind).items()
        }


# Opening ------------------------------------------------------------------------------------------

_held = threading.local()


@contextmanager
def hold(folder: Path) -> Iterator[Ledger]:
    """The ledger of a folder, for writing; no other process can write there meanwhile.

    Within the block, the same thread may hold it again. A folder in which nothing was written is as
    it was before. Raises :class:`~kolabsim.errors.KolabsimError` if the disk refuses, another
    process holds the folder, or the ledger is damaged.
    """
    ledgers: dict[Path, Ledger] = vars(_held).setdefault("ledgers", {})
    place = folder.resolve()
    if place in ledgers:
        yield ledgers[place]
        return
    made = [path for path in (place, *place.parents) if not path.exists()]
    with explained(folder):
        place.mkdir(parents=True, exist_ok=True)
        size = (place / LEDGER).stat().st_size if (place / LEDGER).is_file() else LEAST
        # SQLite would make a new database of less than a page.
        has_more = any(not p.name.startswith((".", LEDGER)) for p in place.iterdir())
        if 0 < size < LEAST or (not size and has_more):
            text = _("it is cut off")
            raise ValueError(text)
        database = sqlite3.connect(place / LEDGER, timeout=0, isolation_level=None)
    try:
        ledger = ledgers[place] = Ledger(folder, database)
        with explained(folder):
            # The lock is kept until the end, also between transactions.
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            if not (place / LEDGER).stat().st_size:
                create(database)
            database.execute("COMMIT")
            ledger.load(database)
        ledger.recover()
        with routed(folder, ledger.keep):
            yield ledger
    finally:
        is_new = place in ledgers and vars(ledgers[place]).get("facts", {}).keys() == {"mark"}
        ledgers.pop(place, None)
        database.close()
        if is_new:
            with suppress(OSError):
                (place / LEDGER).unlink()
                for path in made:
                    path.rmdir()


def held(folder: Path) -> Ledger | None:
    """The ledger of a folder, if this thread holds it."""
    ledgers: dict[Path, Ledger] = vars(_held).get("ledgers", {})
    return ledgers.get(folder.resolve()) if ledgers else None


def hash_content(content: bytes | WrittenFile) -> str:
    """The SHA-256 of the content of a file."""
    return content.sha256 if isinstance(content, WrittenFile) else sha256(content)


def no_study(folder: Path) -> InputError:
    """Say why a folder holds no study."""
    text = _("there is no study in this folder")
    if not folder.exists():
        text = _("this folder does not exist")
    elif not folder.is_dir():
        text = _("this is a file; results are in a folder")
    elif (folder / EARLIER).is_file():
        text = _("an earlier version of kolabsim wrote these results; read them with that version")
    return InputError.of(text, shown(folder))
