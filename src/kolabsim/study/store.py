"""Finished runs on disk: parts that are written whole, found again by the blocks that they hold.

A part is up to three Parquet files of one name: quarters and regions, where detail is kept, and
runs, which is written last and without which the part does not count. Each says in its footer which
runs of which blocks it holds. Two processes that write the same runs write the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.errors import InputError, KolabsimError, Problem, StorageError, shown
from kolabsim.files import write_whole
from kolabsim.i18n import _
from kolabsim.model.measures import REGION_MEASURES

if TYPE_CHECKING:
    import pyarrow as pa

    from kolabsim.engine.ensemble import Block

ABANDONED = 600.0
"""Seconds after which a file under a temporary name belongs to nobody."""
PARTS = "parts"
HOLDS = b"kolabsim.holds"
KINDS = ("quarters", "regions", "runs")
"""Files of a part, in the order in which they are written."""


class Held(NamedTuple):
    """Consecutive runs of a block: from ``first`` up to, but not, ``end``."""

    block: str
    first: int
    end: int


@contextmanager
def intact(path: Path) -> Iterator[None]:
    """Say that a file of kept results is damaged, where what it holds makes no sense.

    Raises :class:`~kolabsim.errors.InputError` then, and :class:`~kolabsim.errors.StorageError` if
    the disk refuses.
    """
    try:
        yield
    except KolabsimError:
        raise
    except Exception as error:  # who reads what is damaged may raise anything
        if isinstance(error, OSError) and error.errno is not None:
            text = _("{file}: the disk refuses to read ({reason})")
            raise StorageError(text.format(file=shown(path), reason=error.strerror)) from error
        text = _("this file of the results is damaged ({reason}); add --fresh to make new ones")
        reason = f"{type(error).__name__}: {error}"
        raise InputError([Problem(text.format(reason=reason), file=shown(path))]) from error


@dataclass(frozen=True)
class Store:
    """The finished runs of a study in a folder."""

    folder: Path

    @property
    def parts(self) -> Path:
        """The folder of the parts."""
        return self.folder / PARTS

    def files(self, kind: str) -> list[Path]:
        """The files of one kind of all parts that count, by name."""
        if not self.parts.is_dir():
            return []
        names = sorted(path.name.split(".")[0] for path in self.parts.glob("[!.]*.runs.parquet"))
        found = (self.parts / f"{name}.{kind}.parquet" for name in names)
        return [path for path in found if path.is_file()]

    def held(self, kind: str = "runs") -> dict[str, set[int]]:
        """The finished runs of every block; a file that cannot be read holds none."""
        found: dict[str, set[int]] = {}
        for path in self.files(kind):
            for part in read_footer(path):
                found.setdefault(part.block, set()).update(range(part.first, part.end))
        return found

    def write(self, tables: dict[str, pa.Table], holds: dict[str, list[Held]]) -> str:
        """Write a part whole and give its name, which follows from the runs that it holds."""
        text = json.dumps(holds["runs"], separators=(",", ":"))
        name = hashlib.sha256(text.encode()).hexdigest()[:20]
        for kind in KINDS:
            if kind in tables:
                path = self.parts / f"{name}.{kind}.parquet"
                write_whole(path, parquet_bytes(tables[kind], holds[kind]))
        return name

    def tidy(self) -> None:
        """Remove what killed processes left half-written; what is young may still be growing."""
        for path in self.folder.rglob(".*-*"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()

    def index(self, kind: str) -> dict[str, list[Path]]:
        """The files of a kind in which the runs of each block lie."""
        found: dict[str, list[Path]] = {}
        for path in self.files(kind):
            for block in dict.fromkeys(part.block for part in read_footer(path)):
                found.setdefault(block, []).append(path)
        return found


def read_footer(path: Path) -> list[Held]:
    """What a file of a part holds, from its footer alone; nothing if it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
        return [Held(*part) for part in json.loads(metadata[HOLDS])]
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError):
        return []


def parquet_bytes(table: pa.Table, holds: Iterable[Held]) -> bytes:
    """A table as the content of a Parquet file that says what it holds."""
    import pyarrow.parquet as pq

    said = json.dumps([list(part) for part in holds], separators=(",", ":")).encode()
    room = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({HOLDS: said}), room, compression="zstd")
    return room.getvalue()


# Tables of blocks ---------------------------------------------------------------------------------


def _numbers(names: Iterable[str], values: np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(values[..., k]).ravel() for k, name in enumerate(names)}


def run_rows(
    block: str, numbers: np.ndarray, figures: np.ndarray, measures: Sequence[str]
) -> pa.Table:
    """The rows of a block's runs, from figures [runs, measures]."""
    import pyarrow as pa

    labels = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(numbers), np.int32)), [block])
    return pa.table({"block": labels, "run": numbers} | _numbers(measures, figures))


def quarter_rows(block: str, numbers: np.ndarray, given: Block) -> pa.Table:
    """The rows of a block's quarters."""
    import pyarrow as pa

    runs, quarters = np.indices(given.history.shape[:2], dtype=np.int32).reshape(2, -1)
    labels = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(runs), np.int32)), [block])
    keys = {"block": labels, "run": numbers[runs], "quarter": quarters}
    return pa.table(keys | _numbers(given.measures, given.history))


def region_rows(
    block: str, numbers: np.ndarray, of: tuple[Sequence[str], Sequence[str]], given: Block
) -> pa.Table:
    """The rows of a block's regions and areas, with the names ``of`` each."""
    import pyarrow as pa

    runs, region, area = np.indices(given.figures.shape[:3], dtype=np.int32).reshape(3, -1)
    labels = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(runs), np.int32)), [block])
    keys = {
        "block": labels,
        "run": numbers[runs],
        "region": pa.DictionaryArray.from_arrays(pa.array(region), list(of[0])),
        "area": pa.DictionaryArray.from_arrays(pa.array(area), list(of[1])),
    }
    return pa.table(keys | _numbers(REGION_MEASURES, given.figures))
