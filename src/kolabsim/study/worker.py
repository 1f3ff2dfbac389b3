"""The work of one worker: simulate a batch of blocks and give their tables back."""

from __future__ import annotations

import io
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.engine.ensemble import Block, new_state, run_block
from kolabsim.errors import KolabsimError
from kolabsim.model.measures import REGION_MEASURES
from kolabsim.study.ledger import Failure, Span
from kolabsim.study.tasks import Moments, Plain, Recipe, TaskKey, run_figures, unpack_base

if TYPE_CHECKING:
    import pyarrow as pa

    from kolabsim.engine.ensemble import Task
    from kolabsim.model.state import State


class Work(NamedTuple):
    """Runs of one block that are to be simulated."""

    task: TaskKey
    recipe: Recipe
    runs: np.ndarray


@dataclass(frozen=True)
class Batch:
    """Blocks that are simulated together, with everything that a worker needs for them."""

    work: list[Work]
    bases: dict[str, Plain]
    detail: int
    """Runs of each task whose quarters and regions are stored."""
    moments: Moments
    regions: tuple[str, ...]
    areas: tuple[str, ...]


@dataclass
class Finished:
    """The outcome of a batch."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    spans: dict[str, list[Span]] = field(default_factory=dict)
    """The runs that each table holds."""
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def runs(self) -> int:
        """Number of runs that finished."""
        return sum(span.end - span.first for span in self.spans.get("runs", ()))


class GivenUpError(Exception):
    """A batch gave up because the study is being stopped."""


def simulate_batch(batch: Batch, stop: np.ndarray | None = None) -> Finished:
    """Simulate a batch, in this process or any other.

    ``stop[0] != 0`` makes it give up, with :class:`GivenUpError`.
    """
    import pyarrow as pa

    started, found = time.perf_counter(), Finished()
    bases = {name: unpack_base(plain) for name, plain in batch.bases.items()}
    states: dict[str, State] = {}
    tables: dict[str, list[pa.Table]] = {}

    def add(kind: str, table: pa.Table, block: str, runs: np.ndarray) -> None:
        tables.setdefault(kind, []).append(table)
        breaks = np.flatnonzero(np.diff(runs) != 1) + 1
        consecutive = np.split(runs, breaks)
        spans = [Span(block, int(part[0]), int(part[-1]) + 1) for part in consecutive]
        found.spans.setdefault(kind, []).extend(spans)

    for key, recipe, runs in batch.work:
        task, block = recipe.make(bases), key.block(int(runs[0]))
        if recipe.base not in states:
            states[recipe.base] = new_state(task.world)
        state = states[recipe.base]
        for done, given in attempts(task, key, runs, batch.detail, state, stop, found.failures):
            for kind, table, finished in make_tables(block, done, given, batch):
                add(kind, table, block, finished)
    found.tables = {
        kind: pa.concat_tables(parts).unify_dictionaries() for kind, parts in tables.items()
    }
    found.seconds = time.perf_counter() - started
    return found


def make_tables(
    block: str, runs: np.ndarray, given: Block, batch: Batch
) -> Iterator[tuple[str, pa.Table, np.ndarray]]:
    """Figures of runs, and quarters and regions of those with detail: kind, table, runs in it."""
    names, regional = given.measures, runs < batch.detail
    moments = [given.history[:, q, names.index(name), None] for name, q in batch.moments]
    figures = np.concatenate([run_figures(given.history, names), *moments], axis=1)
    columns = [*names, *(f"{name}@{quarter}" for name, quarter in batch.moments)]
    yield "runs", rows(block, runs, {}, columns, figures), runs
    if regional.any():
        runs, history, by_region = runs[regional], given.history[regional], given.figures[regional]
        yield "quarters", rows(block, runs, {"quarter": None}, names, history), runs
        places = {"region": batch.regions, "area": batch.areas}
        yield "regions", rows(block, runs, places, tuple(REGION_MEASURES), by_region), runs


def attempts(
    task: Task,
    key: TaskKey,
    runs: np.ndarray,
    detail: int,
    state: State,
    stop: np.ndarray | None,
    failures: list[Failure],
) -> Iterator[tuple[np.ndarray, Block]]:
    """Simulate the runs of a block; if one raises, each separately, and add its failure."""
    try:
        given = run_block(task, runs, stop=stop, state=state, regions=bool(runs[0] < detail))
    except KolabsimError:
        raise
    except Exception as error:  # a user-defined rule may raise anything
        if len(runs) > 1:
            for number in runs:
                one = np.array([number])
                yield from attempts(task, key, one, detail, state, stop, failures)
            return
        number, text = int(runs[0]), "".join(traceback.format_exception(error))
        reason = f"{type(error).__name__}: {error}"
        block = key.block(number)
        name = f"{block}-{number}"
        failures.append(Failure(name, key.strategy, key.future, number, block, reason, text))
        return
    if stop is not None and stop[0] != 0:
        raise GivenUpError
    yield runs, given


def rows(
    block: str,
    runs: np.ndarray,
    axes: Mapping[str, Sequence[str] | None],
    names: Sequence[str],
    values: np.ndarray,
) -> pa.Table:
    """A table with a row for each place on the axes: block, run, the other axes, and the names.

    The axes of ``values`` are the runs, ``axes`` (with their labels; without, they count from 0)
    and the names.
    """
    import pyarrow as pa

    run, *places = np.indices(values.shape[:-1], dtype=np.int32).reshape(len(axes) + 1, -1)
    flat = values.reshape(-1, values.shape[-1])
    labels = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(flat), np.int32)), [block])
    keys = {"block": labels, "run": runs[run]}
    for (name, words), place in zip(axes.items(), places, strict=True):
        keys[name] = place if words is None else pa.DictionaryArray.from_arrays(place, list(words))
    columns = {name: np.ascontiguousarray(flat[:, k]) for k, name in enumerate(names)}
    return pa.table(keys | columns)


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as the content of a Parquet file; it does not depend on how rows came together."""
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(table.combine_chunks(), stream, compression="zstd")
    return stream.getvalue()
