"""Whether kept results are what their inputs give: runs done again, and compared bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kolabsim.engine.ensemble import Task, run_block
from kolabsim.study.collect import read_tables
from kolabsim.study.runner import INPUTS, Study, read_inputs
from kolabsim.study.sampled import ROWS, kept_tasks
from kolabsim.study.tasks import Point, hash_of, run_figures, unpack


@dataclass(frozen=True)
class Verdict:
    """What verifying a study found."""

    checked: int
    """Runs that were done again."""
    differing: tuple[tuple[str, str, int, str], ...]
    """strategy, future, run and the first measure that differs, for each run that does."""
    strangers: tuple[str, ...]
    """Points whose inputs are not what their hash says."""

    @property
    def is_good(self) -> bool:
        """Whether everything was as kept."""
        return not self.differing and not self.strangers


def verify(folder: Path, *, sample: int = 20, seed: int = 0) -> Verdict:
    """Do a sample of a study's finished runs again and compare every bit.

    The sample is drawn with ``seed``, evenly over all runs; at least one run is done again. Raises
    :class:`~kolabsim.errors.KolabsimError` if another version of the model made the runs.
    """
    study = Study.open(folder)
    table = read_tables(study)["runs"]
    number = min(max(sample, 1), len(table))
    rows = np.random.default_rng(seed).choice(len(table), number, replace=False)
    chosen = table.iloc[np.sort(rows)]
    differing, strangers = [], []
    groups = dict(iter(chosen.groupby(["strategy", "future"], observed=True)))
    points = [point for point in study.points if (point.strategy, point.future) in groups]
    tasks = tasks_of(folder, points)
    for point in points:
        here, task = groups[point.strategy, point.future], tasks[point.hash]
        if task is None:
            strangers.append(f"{point.strategy}, {point.future}")
            continue
        numbers = here["run"].to_numpy()
        block = run_block(task, numbers, regions=False)
        again = run_figures(block.history, block.measures)
        kept = here[list(block.measures)].to_numpy(np.float64)
        same = (again.view(np.int64) == kept.view(np.int64)) | (np.isnan(again) & np.isnan(kept))
        for k in np.flatnonzero(~same.all(axis=1)):
            measure = block.measures[int(np.argmin(same[k]))]
            differing.append((point.strategy, point.future, int(numbers[k]), measure))
    return Verdict(number, tuple(differing), tuple(strangers))


def tasks_of(folder: Path, points: Sequence[Point]) -> dict[str, Task | None]:
    """What decided the results of points; None where that is not what their hash says."""
    if (folder / INPUTS / ROWS).is_file():
        return kept_tasks(folder, [point.hash for point in points])
    found: dict[str, Task | None] = {}
    for point in points:
        packed = read_inputs(folder, point.hash)
        found[point.hash] = unpack(packed) if hash_of(packed) == point.hash else None
    return found
