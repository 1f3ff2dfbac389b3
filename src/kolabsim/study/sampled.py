"""A study of many design points, kept like any other: the points of a design instead of futures.

Every strategy is simulated at every point with the same run numbers, so all of them are on common
draws. Only each run's figures are kept, and measures at single quarters where they are asked for.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.engine.ensemble import BLOCK, new_state
from kolabsim.engine.overrides import Base, base_of, is_quick, vary
from kolabsim.errors import InputError, Problem
from kolabsim.files import table_csv, write_whole
from kolabsim.i18n import _
from kolabsim.study.runner import (
    INPUTS,
    MOST_BLOCKS,
    Failure,
    Study,
    attempts,
    spans,
    unless_stopped,
)
from kolabsim.study.store import intact, read_footer
from kolabsim.study.tasks import (
    Plain,
    Point,
    from_bytes,
    has_obstacle,
    hash_of,
    pack,
    run_figures,
    shape_of,
    to_bytes,
    unpack,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kolabsim.engine.ensemble import Block, Task
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.factors import Value

ROWS = "rows.npz"
"""File that says what decides each point: its base, and what is written into that."""
DESIGN = "design.csv"
"""File of a study's folder that says what each point is."""


@dataclass(frozen=True)
class SampledStudy(Study):
    """Strategies at the points of a design, and the folder in which their runs are kept."""

    table: pd.DataFrame = field(default=None, repr=False)
    """The settings of each point: a row a point, a column a factor."""
    strategies: tuple[str, ...] = ()
    moments: tuple[tuple[str, int], ...] = ()
    """Measures that are also kept at a quarter."""
    place: np.ndarray = field(default=None, repr=False)
    """[strategies, rows] which of the points each is: rows with the same settings are one."""
    bases: Mapping[str, Plain] = field(default_factory=dict, repr=False)
    """What points have in common, by its hash."""

    @classmethod
    def plan_sample(
        cls,
        scenario: Scenario,
        strategies: Sequence[str],
        table: pd.DataFrame,
        folder: Path | str,
        *,
        runs: int,
        seed: int,
        moments: Sequence[tuple[str, int]] = (),
    ) -> SampledStudy:
        """The study of a design, and what a folder already has of it.

        ``table`` holds the settings of each point under the dotted names of its columns, ``runs``
        are done of each strategy at each point. What was kept of other points, or of fewer runs,
        is used again.
        """
        quick = [name for name in table.columns if is_quick(name)]
        slow = [name for name in table.columns if name not in quick]
        numbers = table[quick].to_numpy(np.float64) if quick else np.zeros((len(table), 0))
        bases = _Bases(scenario, seed, quick)
        points: dict[str, Point] = {}
        packed, place = {}, np.empty((len(strategies), len(table)), np.int64)
        choices = table[slow].to_dict("records") if slow else [{}] * len(table)
        order: dict[str, int] = {}
        for s, strategy in enumerate(strategies):
            for row, choice in enumerate(choices):
                about = (bases.of(strategy, choice), tuple(quick), numbers[row], tuple(moments))
                name = _hash(*about)
                place[s, row] = order.setdefault(name, len(order))
                points.setdefault(name, Point(strategy, str(row), name))
                packed[name] = about
        return cls(
            folder=Path(folder),
            points=tuple(points.values()),
            packed=packed,
            runs=runs,
            seed=seed,
            detail=0,
            names=(scenario.regions.codes, tuple(scenario.areas)),
            currency=scenario.currency,
            table=table,
            strategies=tuple(strategies),
            moments=tuple(moments),
            bases=bases.packed,
            place=place,
        )

    def write_inputs(self) -> None:
        """Keep the design, and what its points have in common."""
        for base, plain in self.bases.items():
            path = self.folder / INPUTS / f"{base}.npz"
            if not path.is_file():
                write_whole(path, to_bytes(plain))
        about = [self.packed[point.hash] for point in self.points]
        rows = io.BytesIO()
        np.savez_compressed(
            rows,
            hash=np.array([point.hash for point in self.points]),
            base=np.array([one[0] for one in about]),
            names=np.array(about[0][1], np.str_),
            values=np.array([one[2] for one in about], np.float64),
            moments=np.array(json.dumps(self.moments)),
        )
        write_whole(self.folder / INPUTS / ROWS, rows.getvalue())
        write_whole(self.folder / DESIGN, table_csv(self.table, index_label="point"))

    def known_points(self, before: Mapping[str, object]) -> dict[str, str]:
        """None: another design numbers its points anew; what decides them finds their runs."""
        return {}

    def check_manifest(self) -> None:
        """Any design may share a folder with another: points are known by what decides them."""

    def needs_processes(self) -> bool:
        """Whether a decision rule cannot be compiled, so that threads would wait for each other."""
        ruled = {plain["sources"]: plain for plain in self.bases.values()}
        return any(map(has_obstacle, ruled.values()))

    def batches(
        self, work: list[tuple[Point, np.ndarray]], blocks: Callable[[], int]
    ) -> Iterator[Plain]:
        """Points travel together, as many as make up as many runs as ``blocks`` have."""
        position = 0
        while position < len(work):
            most, end, number = max(blocks(), 1) * BLOCK, position, 0
            while end < len(work) and number < most and end - position < MOST_BLOCKS * 4:
                number += len(work[end][1])
                end += 1
            some = [
                (point, self.packed[point.hash], numbers) for point, numbers in work[position:end]
            ]
            bases = dict.fromkeys(about[0] for _point, about, _runs in some)
            yield {"rows": some, "bases": {base: self.bases[base] for base in bases}}
            position = end

    def values(self, outcomes: Sequence[str]) -> np.ndarray:
        """Each run's figures of outcomes, [outcomes, strategies, points, runs]; NaN if undefined.

        An outcome is a measure, or a measure at a quarter: ``trust@8``.
        """
        import pyarrow.parquet as pq

        found = np.full((len(outcomes), len(self.points), self.runs), np.nan)
        number = {
            point.block(first): k
            for k, point in enumerate(self.points)
            for first in range(0, self.runs, BLOCK)
        }
        for path in self.store.files("runs"):
            if not number.keys() & {part.block for part in read_footer(path)}:
                continue
            table = pq.read_table(path, columns=["block", "run", *dict.fromkeys(outcomes)])
            block = table.column("block").combine_chunks()
            names = np.array([number.get(name, -1) for name in block.dictionary.to_pylist()])
            point, run = names[block.indices.to_numpy()], table.column("run").to_numpy()
            here = (point >= 0) & (run < self.runs)
            for k, name in enumerate(outcomes):
                found[k, point[here], run[here]] = table.column(name).to_numpy()[here]
        return found[:, self.place]


class _Bases:
    """What points have in common, one for each strategy and combination of slow settings."""

    def __init__(self, scenario: Scenario, seed: int, quick: Sequence[str]) -> None:
        self.scenario, self.seed, self.quick = scenario, seed, quick
        self.packed: dict[str, Plain] = {}
        self.known: dict[tuple[object, ...], str] = {}

    def of(self, strategy: str, choice: Mapping[str, Value]) -> str:
        """The hash of a base; it is made where it is new."""
        key = (strategy, *choice.values())
        if key not in self.known:
            support = {name for name in choice if name.startswith("support.")}
            free = {name: value for name, value in choice.items() if name not in support}
            scenario = self.scenario.with_(free) if free else self.scenario
            if shape_of(scenario) != shape_of(self.scenario):
                text = _("a factor must not change regions, areas or the horizon")
                raise InputError([Problem(text)])
            whom = {name: choice[name] for name in support}
            base = base_of(scenario, strategy, seed=self.seed, names=self.quick, settings=whom)
            plain = pack_base(base)
            self.known[key] = hash_of(plain)
            self.packed[self.known[key]] = plain
        return self.known[key]


def pack_base(base: Base) -> Plain:
    """A base as plain arrays, numbers and texts."""
    more = {"distance": base.distance, "lever_on": base.lever_on, "areas": ",".join(base.areas)}
    return pack(base.task) | {f"base.{name}": value for name, value in more.items()}


def unpack_base(plain: Plain) -> Base:
    """The base that was packed."""
    distance, lever_on, areas = (plain[f"base.{n}"] for n in ("distance", "lever_on", "areas"))
    return Base(unpack(plain), distance, lever_on, tuple(str(areas).split(",")))


def read_base(folder: Path, base: str) -> Plain:
    """What the points of a study have in common, as it was kept."""
    path = folder / INPUTS / f"{base}.npz"
    with intact(path):
        plain = from_bytes(path.read_bytes())
        return plain | {"base.areas": str(plain["base.areas"])}


def kept_tasks(folder: Path, points: Iterable[str]) -> dict[str, Task | None]:
    """What decided the results of points by their hashes; None where it is not what that says."""
    path = folder / INPUTS / ROWS
    with intact(path), np.load(path, allow_pickle=False) as held:
        rows = {name: held[name] for name in held.files}
        moments = tuple((measure, quarter) for measure, quarter in json.loads(str(rows["moments"])))
        names = tuple(str(name) for name in rows["names"])
        place = {str(name): k for k, name in enumerate(rows["hash"])}
    bases: dict[str, Base | None] = {}
    found: dict[str, Task | None] = {}
    for point in points:
        k = place.get(point)
        base = None if k is None else str(rows["base"][k])
        if base is not None and base not in bases:
            plain = read_base(folder, base)
            bases[base] = unpack_base(plain) if hash_of(plain) == base else None
        values = None if k is None else rows["values"][k]
        same = base is not None and _hash(base, names, values, moments) == point
        known = bases.get(base) if same else None
        found[point] = None if known is None else vary(known, names, values)
    return found


def _hash(
    base: str, names: tuple[str, ...], values: np.ndarray, moments: tuple[tuple[str, int], ...]
) -> str:
    text = hashlib.sha256(f"{base}:{names}:{moments}".encode())
    text.update(np.ascontiguousarray(values).tobytes())
    return text.hexdigest()


# In a worker --------------------------------------------------------------------------------------


def simulate_rows(batch: Plain, stop: np.ndarray | None = None) -> dict[str, object]:
    """Simulate the points of a batch; what a worker does, wherever it is.

    Gives the table of their runs, which blocks it holds, the runs that raised, and the seconds.
    """
    started = time.perf_counter()
    bases = {name: unpack_base(plain) for name, plain in batch["bases"].items()}
    states: dict[str, object] = {}
    blocks, numbers, figures, holds = [], [], [], []
    failures: list[Failure] = []
    for point, (base, names, values, moments), runs in batch["rows"]:
        task = vary(bases[base], names, values)
        state = states.setdefault(base, new_state(task.world))
        block = point.block(int(runs[0]))
        simulate = partial(unless_stopped, task, state=state, stop=stop, regions=False)
        for done, given in attempts(simulate, runs, point, failures):
            blocks.append((block, len(done)))
            measures = given.measures
            numbers.append(done)
            figures.append(
                np.column_stack([run_figures(given.history, given.measures), *_at(given, moments)])
            )
            holds += spans(block, done)
    moments = batch["rows"][0][1][3]
    tables = {"runs": _rows(blocks, numbers, figures, measures, moments)} if blocks else {}
    seconds = time.perf_counter() - started
    return {
        "tables": tables, "holds": {"runs": holds}, "failures": failures, "seconds": seconds,
    }  # fmt: skip


SampledStudy.work = staticmethod(simulate_rows)


def _at(given: Block, moments: Sequence[tuple[str, int]]) -> list[np.ndarray]:
    places = {name: k for k, name in enumerate(given.measures)}
    return [given.history[:, quarter, places[measure]] for measure, quarter in moments]


def _rows(
    blocks: Sequence[tuple[str, int]],
    numbers: Sequence[np.ndarray],
    figures: Sequence[np.ndarray],
    measures: Sequence[str],
    moments: Sequence[tuple[str, int]],
) -> pa.Table:
    import pyarrow as pa

    labels = np.repeat(np.arange(len(blocks), dtype=np.int32), [n for _block, n in blocks])
    block = pa.DictionaryArray.from_arrays(pa.array(labels), [name for name, _n in blocks])
    values = np.concatenate(figures)
    names = [*measures, *(f"{measure}@{quarter}" for measure, quarter in moments)]
    columns = {name: np.ascontiguousarray(values[:, k]) for k, name in enumerate(names)}
    return pa.table({"block": block, "run": np.concatenate(numbers)} | columns)
