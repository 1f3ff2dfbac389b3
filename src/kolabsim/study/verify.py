"""Whether a results folder is what kolabsim wrote, complete, and what its inputs give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from kolabsim.engine.ensemble import Task, run_block
from kolabsim.errors import InputError, shown
from kolabsim.i18n import _
from kolabsim.model.version import digest
from kolabsim.study.collect import read_table
from kolabsim.study.inputs import read_inputs
from kolabsim.study.ledger import INPUT, PART, PUBLISHED, Ledger
from kolabsim.study.record import ledger_recipe
from kolabsim.study.runner import Study
from kolabsim.study.spec import MOST_RUNS
from kolabsim.study.tasks import CODE, TaskKey, hash_packed, unpack_base
from kolabsim.study.worker import Batch, Simulated, make_tables


@dataclass(frozen=True)
class Verdict:
    """The outcome of verifying a folder."""

    faults: dict[str, str]
    """Files that are missing or damaged, and which of both."""
    files: int
    """Files that the ledger lists."""
    strategies: int
    futures: int
    stages: int
    wanted: int
    present: int
    checked: int
    """Runs that were repeated."""
    differing: tuple[tuple[str, str, int, str], ...] = ()
    """Strategy, future, run and the first column that differs, for each run that differs."""
    strangers: tuple[str, ...] = ()
    """Points whose inputs are missing, or are not what their hash says."""
    version: str = ""
    """The other version of kolabsim that made the runs, if it was another one."""

    @property
    def is_good(self) -> bool:
        """Whether everything is there, and every repeated run is what was stored."""
        complete = self.present == self.wanted
        return complete and not (self.faults or self.differing or self.strangers or self.version)


def verify(folder: Path, *, sample: int = 20, seed: int = 0) -> Verdict:
    """Check all hashes, count the runs, repeat a sample of them, and compare every bit.

    The sample has at least one run of each stage, if it is large enough; others are drawn evenly
    from all runs. Quarters and regions are compared where they are stored. If a part is damaged, or
    another version of kolabsim made the runs, none is repeated.

    Raises :class:`~kolabsim.errors.KolabsimError` if no finished run is there.
    """
    study = Study.open(folder)
    ledger = study.ledger
    faults = ledger.faults(INPUT, PART, PUBLISHED)
    wanted, present = count_runs(ledger, faults)
    parts = [name for name, file in ledger.files.items() if file.role == PART]
    if not present and all(faults.get(name) == "missing" for name in parts):
        text = _("no finished run is in this folder")
        raise InputError.of(text, shown(folder))
    stages = {name: one.stage for name, one in ledger.futures.items()}
    whole = Verdict(
        faults, len(ledger.files), len(study.strategies), len({one.future for one in study.tasks}),
        max(stages.values(), default=1), wanted, present, 0,
    )  # fmt: skip
    assert ledger.identity is not None
    if ledger.identity.code != digest(*CODE):
        return replace(whole, version=f"{ledger.identity.version}, {ledger.identity.code}")
    if not faults.keys().isdisjoint(parts):
        return whole
    # Futures with equal tasks have the same runs.
    different = {task.hash: task for task in reversed(study.tasks)}
    table = read_table(replace(study, tasks=tuple(reversed(different.values()))), "runs", ())
    number = min(max(sample, 1), len(table))
    rows = draw_sample(table["future"].astype(object).map(stages).fillna(0), number, seed)
    groups = dict(iter(table.iloc[rows].groupby(["strategy", "future"], observed=True)))
    keys = [key for key in study.tasks if (key.strategy, key.future) in groups]
    tasks = read_tasks(ledger, keys)
    differing, strangers = [], []
    for key in keys:
        task = tasks[key.name]
        if task is None:
            strangers.append(f"{key.strategy}, {key.future}")
            continue
        numbers = groups[key.strategy, key.future]["run"].to_numpy()
        differing += [
            (key.strategy, key.future, run, column)
            for run, column in repeat(study, ledger, key, task, numbers).items()
        ]
    return replace(whole, checked=number, differing=tuple(differing), strangers=tuple(strangers))


def draw_sample(stages: pd.Series, number: int, seed: int) -> np.ndarray:
    """The places of a sample of runs, given the stage of each: one of each stage, then any."""
    order = np.random.default_rng(seed).permutation(len(stages))
    first = np.unique(stages.to_numpy()[order], return_index=True)[1]
    return np.sort(np.concatenate([order[first], np.delete(order, first)])[:number])


def count_runs(ledger: Ledger, faults: dict[str, str]) -> tuple[int, int]:
    """How many runs the points of a folder want, and how many are in parts without faults."""
    wanted: dict[str, tuple[TaskKey, int]] = {}
    for point in ledger.points.values():
        most = max(point.runs, wanted[point.hash][1] if point.hash in wanted else 0)
        wanted[point.hash] = TaskKey(point.strategy, point.future, point.hash), most
    there = ledger.finished(without=faults)
    present = sum(
        sum(run in there.get(key.block(run), ()) for run in range(most))
        for key, most in wanted.values()
    )
    return sum(most for _key, most in wanted.values()), present


def repeat(
    study: Study, ledger: Ledger, key: TaskKey, task: Task, numbers: np.ndarray
) -> dict[int, str]:
    """Repeat runs of a task; the first column that differs from what is stored, by run."""
    _recipe, moments = ledger_recipe(ledger, ledger.points[key.name])
    batch = Batch([], {}, MOST_RUNS, moments, study.regions, study.areas)
    alone, found = replace(study, tasks=(key,)), dict[int, str]()
    simulated = [Simulated("", numbers, run_block(task, numbers))]
    for kind, table, _spans in make_tables(simulated, batch):
        new = table.to_pandas().drop(columns="block")
        stored = read_table(alone, kind, list(new))
        stored = stored[stored["run"].isin(numbers)]
        if kind != "runs":  # some runs have no detail
            new = new[new["run"].isin(stored["run"])]
        for run, name in differing_columns(new, stored).items():
            found.setdefault(run, name)
    return found


def differing_columns(new: pd.DataFrame, stored: pd.DataFrame) -> dict[int, str]:
    """The first column that differs in a bit between two tables of the same runs, by run."""
    lengths = (table["run"].value_counts() for table in (new, stored))
    one, other = (number.sort_index() for number in lengths)
    one, other = one.align(other, fill_value=0)
    found = dict.fromkeys(one.index[one != other].tolist(), "run")
    new, stored = (
        table[~table["run"].isin([*found])].sort_values("run", kind="stable", ignore_index=True)
        for table in (new, stored)
    )
    for name in new:
        same = same_bits(new[name], stored[name])
        for run in new["run"][~same].unique().tolist():
            found.setdefault(run, str(name))
    return found


def same_bits(new: pd.Series, stored: pd.Series) -> np.ndarray:
    """Where two columns hold the same: the same bits of a number, or both nothing."""
    if new.dtype == stored.dtype and new.dtype.kind == "f":
        same = new.to_numpy().view(f"i{new.dtype.itemsize}") == stored.to_numpy().view(
            f"i{new.dtype.itemsize}"
        )
    else:
        same = (new.astype(str) == stored.astype(str)).to_numpy(bool)
    return same | (new.isna() & stored.isna()).to_numpy()


def read_tasks(ledger: Ledger, keys: Sequence[TaskKey]) -> dict[str, Task | None]:
    """The stored inputs of tasks by name; None where they are not what their hash says."""
    stored = read_inputs(ledger, {ledger.points[key.name].base for key in keys})
    bases = {name: unpack_base(of) for name, of in stored.items() if hash_packed(of) == name}
    found: dict[str, Task | None] = {}
    for key in keys:
        point = ledger.points[key.name]
        recipe, moments = ledger_recipe(ledger, point)
        alike = point.base == point.hash or recipe.hash(moments) == point.hash
        found[key.name] = recipe.make(bases) if alike and point.base in bases else None
    return found
