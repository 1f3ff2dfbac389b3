"""The folder of a study: parts with finished runs, inputs, failures and a manifest.

A part is up to three Parquet files of one name: quarters and regions, where detail is stored, and
runs, which is written last and without which the part does not count. The footer of each names the
runs that it holds. Two processes that write the same runs write the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from kolabsim.errors import InputError, KolabsimError, Problem, StorageError, shown
from kolabsim.files import table_csv, write_whole
from kolabsim.i18n import _
from kolabsim.model.measures import CUSTOM, Measure
from kolabsim.scenario.files import is_file
from kolabsim.study.spec import MOST_RUNS
from kolabsim.study.tasks import Plain, Recipe, TaskKey, from_bytes, to_bytes

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ABANDONED = 600.0
"""Seconds after which no process still writes a file under a temporary name."""
PARTS = "parts"
INPUTS = "inputs"
FAILURES = "failures"
MANIFEST = "study.json"
RECIPES = "rows.npz"
"""Among the inputs of a design: the recipe of each task."""
DESIGN = "design.csv"
"""The settings of each point of a design, to be read by people."""
SPANS = b"kolabsim.holds"
KINDS = ("quarters", "regions", "runs")
"""Files of a part, in the order in which they are written."""


class Span(NamedTuple):
    """Consecutive runs of a block: from ``first`` up to, but not including, ``end``."""

    block: str
    first: int
    end: int


@dataclass(frozen=True)
class Failure:
    """A run that raised an error."""

    strategy: str
    future: str
    run: int
    block: str
    error: str
    traceback: str


class Manifest(BaseModel):
    """What the folder of a study holds."""

    model_config = ConfigDict(strict=True)

    model: str
    """Version of the model."""
    seed: int
    runs: int = Field(ge=0, le=MOST_RUNS)
    detail: int = Field(ge=0, le=MOST_RUNS)
    regions: list[str]
    areas: list[str]
    currency: str
    measures: dict[str, Measure] = {}
    """User-defined measures."""
    points: dict[str, Annotated[str, Field(pattern="^[0-9a-f]+$")]]
    """The hash of each task by its label."""

    @property
    def tasks(self) -> tuple[TaskKey, ...]:
        """The tasks."""
        labels = {label: json.loads(label) for label in self.points}
        return tuple(
            TaskKey(strategy, future, self.points[label])
            for label, (strategy, future) in labels.items()
        )


@contextmanager
def intact(path: Path) -> Iterator[None]:
    """Report that a file of results is damaged if reading it fails.

    Raises :class:`~kolabsim.errors.InputError` then, and :class:`~kolabsim.errors.StorageError` if
    the disk refuses.
    """
    try:
        yield
    except KolabsimError:
        raise
    except Exception as error:  # a damaged file may raise anything
        if isinstance(error, OSError) and error.errno is not None:
            text = _("{file}: the disk refused to read ({reason})")
            raise StorageError(text.format(file=shown(path), reason=error.strerror)) from error
        text = _("this file of results is damaged ({reason}); add --fresh to make new ones")
        reason = f"{type(error).__name__}: {error}"
        raise InputError([Problem(text.format(reason=reason), file=shown(path))]) from error


@dataclass(frozen=True)
class Store:
    """Everything that the folder of a study holds."""

    folder: Path

    # Parts ----------------------------------------------------------------------------------------

    @property
    def parts(self) -> Path:
        """The folder of the parts."""
        return self.folder / PARTS

    def files(self, kind: str) -> list[Path]:
        """The files of one kind (of :data:`KINDS`) of all parts that count, sorted by name."""
        if not self.parts.is_dir():
            return []
        names = sorted(path.name.split(".")[0] for path in self.parts.glob("[!.]*.runs.parquet"))
        found = (self.parts / f"{name}.{kind}.parquet" for name in names)
        return [path for path in found if path.is_file()]

    def index(self, kind: str = "runs") -> dict[str, dict[Path, set[int]]]:
        """The finished runs of each block, by the files in which they are.

        A damaged file holds none.
        """
        found: dict[str, dict[Path, set[int]]] = {}
        for path in self.files(kind):
            for span in read_footer(path):
                runs = found.setdefault(span.block, {}).setdefault(path, set())
                runs.update(range(span.first, span.end))
        return found

    def finished(self, kind: str = "runs") -> dict[str, set[int]]:
        """The finished runs of each block."""
        return {block: set().union(*files.values()) for block, files in self.index(kind).items()}

    def write_part(self, tables: Mapping[str, pa.Table], spans: Mapping[str, list[Span]]) -> None:
        """Write a part whole; its name follows from the runs that it holds."""
        text = json.dumps(spans["runs"], separators=(",", ":"))
        name = hashlib.sha256(text.encode()).hexdigest()[:20]
        for kind in KINDS:
            if kind in tables:
                path = self.parts / f"{name}.{kind}.parquet"
                write_whole(path, parquet_bytes(tables[kind], spans[kind]))

    def tidy(self) -> None:
        """Remove files that killed processes left half-written, but none that is still growing."""
        for path in self.folder.rglob(".*-*"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()

    # Manifest and inputs --------------------------------------------------------------------------

    def read_manifest(self) -> Manifest | None:
        """The manifest; None if the folder holds no study.

        User-defined measures become known by it, without running the extension that declares them.
        """
        path = self.folder / MANIFEST
        if not is_file(path):
            return None
        with intact(path):
            found = Manifest.model_validate_json(path.read_bytes())
            _labels = found.tasks
        CUSTOM.update({name: entry for name, entry in found.measures.items() if name not in CUSTOM})
        return found

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the manifest."""
        text = json.dumps(manifest.model_dump(), indent=1, ensure_ascii=False)
        write_whole(self.folder / MANIFEST, text.encode())

    def write_bases(self, bases: Mapping[str, Plain]) -> None:
        """Write packed tasks or bases under their hashes."""
        for name, plain in bases.items():
            path = self.folder / INPUTS / f"{name}.npz"
            if not path.is_file():
                write_whole(path, to_bytes(plain))

    def read_base(self, name: str) -> Plain:
        """The packed task or base of this hash."""
        path = self.folder / INPUTS / f"{name}.npz"
        with intact(path):
            return from_bytes(path.read_bytes())

    def write_design(
        self,
        table: pd.DataFrame,
        recipes: Mapping[str, Recipe],
        moments: tuple[tuple[str, int], ...],
    ) -> None:
        """Write the settings of all points, and the recipe of each task by its hash."""
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            hash=np.array(list(recipes)),
            base=np.array([recipe.base for recipe in recipes.values()]),
            names=np.array(next(iter(recipes.values())).names, np.str_),
            values=np.array([recipe.values for recipe in recipes.values()], np.float64),
            moments=np.array(json.dumps(moments)),
        )
        write_whole(self.folder / INPUTS / RECIPES, stream.getvalue())
        write_whole(self.folder / DESIGN, table_csv(table, index_label="point"))

    def read_recipes(self) -> dict[str, Recipe] | None:
        """The recipes of a design that are what their hashes say; None if there is no design."""
        path = self.folder / INPUTS / RECIPES
        if not path.is_file():
            return None
        with intact(path), np.load(path, allow_pickle=False) as held:
            rows = {name: held[name] for name in held.files}
            moments = tuple((name, quarter) for name, quarter in json.loads(str(rows["moments"])))
            names = tuple(str(name) for name in rows["names"])
            bases, values = rows["base"], rows["values"]
            found = {
                str(hash): Recipe(str(bases[k]), names, values[k])
                for k, hash in enumerate(rows["hash"])
            }
        return {hash: one for hash, one in found.items() if one.hash(moments) == hash}

    # Failures -------------------------------------------------------------------------------------

    def _failure_path(self, block: str, run: int) -> Path:
        return self.folder / FAILURES / f"{block}-{run}.json"

    def failures(self) -> list[Failure]:
        """All runs that raised an error and have not been repeated since."""
        found = []
        for path in sorted((self.folder / FAILURES).glob("[!.]*.json")):
            with intact(path):
                found.append(Failure(**json.loads(path.read_text(encoding="utf-8"))))
        return found

    def write_failure(self, failure: Failure) -> None:
        """Record a run that raised an error."""
        text = json.dumps(vars(failure), indent=1, ensure_ascii=False)
        write_whole(self._failure_path(failure.block, failure.run), text.encode())

    def clear_failures(self, spans: Iterable[Span]) -> None:
        """Forget the failures of runs that have finished."""
        for span in spans:
            for run in range(span.first, span.end):
                self._failure_path(span.block, run).unlink(missing_ok=True)


def read_footer(path: Path) -> list[Span]:
    """The runs in a file of a part, from its footer alone; none if the file is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
        return [Span(*span) for span in json.loads(metadata[SPANS])]
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError):
        return []


def parquet_bytes(table: pa.Table, spans: Iterable[Span]) -> bytes:
    """A table as the content of a Parquet file whose footer names the runs that it holds."""
    import pyarrow.parquet as pq

    text = json.dumps([list(span) for span in spans], separators=(",", ":")).encode()
    stream = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({SPANS: text}), stream, compression="zstd")
    return stream.getvalue()
