"""The work of one worker: simulate a batch of blocks and give their tables back."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.engine.ensemble import Block, new_state, run_block, state_size
from kolabsim.errors import KolabsimError
from kolabsim.files import WrittenFile
from kolabsim.model.measures import REGION_MEASURES
from kolabsim.study.parts import parquet_bytes, part_table
from kolabsim.study.rows import Failure, Span
from kolabsim.study.tasks import Moments, Plain, Recipe, TaskKey, run_figures, unpack_base

if TYPE_CHECKING:
    import pyarrow as pa

    from kolabsim.engine.ensemble import Task
    from kolabsim.model.state import State

TOGETHER = 128
"""Runs that become tables together: those of many points, so that a point costs next to nothing."""


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
    """The outcome of a batch: a part, which is compressed where it was simulated."""

    files: dict[str, bytes | WrittenFile] = field(default_factory=dict)
    """The content of the part's file of each kind."""
    spans: dict[str, list[Span]] = field(default_factory=dict)
    """The runs that each file holds."""
    failures: list[Failure] = field(default_factory=list)
    simulating: float = 0.0
    """Seconds of processor time for simulating."""
    storing: float = 0.0
    """Seconds of processor time for compressing what was simulated."""

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

    # Arrow's own pools hold on to freed memory: a quarter more for nothing here.
    pa.set_memory_pool(pa.system_memory_pool())
    bases = {name: unpack_base(plain) for name, plain in batch.bases.items()}
    # No runs: the first batch of a process, which loads the compiled model, would else seem slow.
    with suppress(Exception):  # which the first run then raises again
        run_block(batch.work[0].recipe.make(bases), np.zeros(0, np.int64))
    began, found = time.thread_time(), Finished()
    states: dict[tuple[int, ...], State] = {}
    tables: dict[str, list[pa.Table]] = {}
    waiting: list[Simulated] = []
    number = 0

    def add_tables() -> None:
        nonlocal number
        began = time.thread_time()
        for kind, table, spans in make_tables(waiting, batch):
            tables.setdefault(kind, []).append(table)
            found.spans.setdefault(kind, []).extend(spans)
        waiting.clear()
        number, found.storing = 0, found.storing + time.thread_time() - began

    for key, recipe, runs in batch.work:
        task, block = recipe.make(bases), key.block(int(runs[0]))
        size = state_size(task.world)
        if size not in states:
            states[size] = new_state(task.world)
        state = states[size]
        for done, given in attempts(task, key, runs, batch.detail, state, stop, found.failures):
            waiting.append(Simulated(block, done, given))
            number += len(done)
            if number >= TOGETHER:
                add_tables()
    add_tables()
    simulated = time.thread_time()
    found.simulating = simulated - began - found.storing
    found.files = {kind: parquet_bytes(pa.concat_tables(parts)) for kind, parts in tables.items()}
    found.storing += time.thread_time() - simulated
    return found


class Simulated(NamedTuple):
    """Finished runs of a block."""

    block: str
    runs: np.ndarray
    given: Block


def make_tables(
    simulated: Sequence[Simulated], batch: Batch
) -> Iterator[tuple[str, pa.Table, list[Span]]]:
    """Figures of runs, and quarters and regions of those with detail: kind, table, runs in it."""
    if not simulated:
        return
    names = simulated[0].given.measures
    history = np.concatenate([one.given.history for one in simulated])
    moments = [history[:, q, names.index(name), None] for name, q in batch.moments]
    figures = np.concatenate([run_figures(history, names), *moments], axis=1)
    columns = [*names, *(f"{name}@{quarter}" for name, quarter in batch.moments)]
    blocks = [(one.block, one.runs) for one in simulated]
    yield "runs", part_table("runs", blocks, {}, columns, figures), spans_of(blocks)
    is_detailed = [one.runs < batch.detail for one in simulated]
    blocks = [
        (block, runs[here])
        for (block, runs), here in zip(blocks, is_detailed, strict=True)
        if here.any()
    ]
    if not blocks:
        return
    spans, history = spans_of(blocks), history[np.concatenate(is_detailed)]
    yield "quarters", part_table("quarters", blocks, {"quarter": None}, names, history), spans
    figures = np.concatenate([
        one.given.figures[here]
        for one, here in zip(simulated, is_detailed, strict=True)
        if here.any()
    ])  # fmt: skip
    places = {"region": batch.regions, "area": batch.areas}
    yield "regions", part_table("regions", blocks, places, tuple(REGION_MEASURES), figures), spans


def spans_of(blocks: Sequence[tuple[str, np.ndarray]]) -> list[Span]:
    """The runs of blocks, as spans of consecutive numbers."""
    return [
        Span(block, int(part[0]), int(part[-1]) + 1)
        for block, runs in blocks
        for part in np.split(runs, np.flatnonzero(np.diff(runs) != 1) + 1)
    ]


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
