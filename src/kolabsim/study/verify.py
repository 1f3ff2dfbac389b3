"""Whether stored results are what their inputs give: runs repeated and compared bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kolabsim.engine.ensemble import Task, run_block
from kolabsim.engine.overrides import Base
from kolabsim.study.collect import read_table
from kolabsim.study.runner import Study
from kolabsim.study.store import Store
from kolabsim.study.tasks import Recipe, TaskKey, hash_packed, run_figures, unpack_base


@dataclass(frozen=True)
class Verdict:
    """The outcome of verifying a study."""

    checked: int
    differing: tuple[tuple[str, str, int, str], ...]
    """Strategy, future, run and the first measure that differs, for each run that differs."""
    strangers: tuple[str, ...]
    """Tasks whose inputs are not what their hash says."""

    @property
    def is_good(self) -> bool:
        """Whether every repeated run is what was stored."""
        return not self.differing and not self.strangers


def verify(folder: Path, *, sample: int = 20, seed: int = 0) -> Verdict:
    """Repeat a sample of a study's finished runs, drawn evenly from all, and compare every bit.

    Raises :class:`~kolabsim.errors.KolabsimError` if another version of the model made the runs.
    """
    study = Study.open(folder)
    table = read_table(study, "runs")
    number = min(max(sample, 1), len(table))
    rows = np.random.default_rng(seed).choice(len(table), number, replace=False)
    chosen = table.iloc[np.sort(rows)]
    groups = dict(iter(chosen.groupby(["strategy", "future"], observed=True)))
    keys = [key for key in study.tasks if (key.strategy, key.future) in groups]
    tasks = read_tasks(study.store, keys)
    differing, strangers = [], []
    for key in keys:
        here, task = groups[key.strategy, key.future], tasks[key.hash]
        if task is None:
            strangers.append(f"{key.strategy}, {key.future}")
            continue
        numbers = here["run"].to_numpy()
        block = run_block(task, numbers, regions=False)
        again = run_figures(block.history, block.measures)
        stored = here[list(block.measures)].to_numpy(np.float64)
        same = (again.view(np.int64) == stored.view(np.int64)) | (
            np.isnan(again) & np.isnan(stored)
        )
        for k in np.flatnonzero(~same.all(axis=1)):
            measure = block.measures[int(np.argmin(same[k]))]
            differing.append((key.strategy, key.future, int(numbers[k]), measure))
    return Verdict(number, tuple(differing), tuple(strangers))


def read_tasks(store: Store, keys: Sequence[TaskKey]) -> dict[str, Task | None]:
    """The stored inputs of tasks by their hashes; None where they are not what their hash says."""
    recipes = store.read_recipes()
    if recipes is None:  # no design: every task is a base of its own
        recipes = {key.hash: Recipe(key.hash) for key in keys}
    bases: dict[str, Base | None] = {}
    found: dict[str, Task | None] = {}
    for key in keys:
        recipe = recipes.get(key.hash)
        if recipe is not None and recipe.base not in bases:
            plain = store.read_base(recipe.base)
            is_same = hash_packed(plain) == recipe.base
            bases[recipe.base] = unpack_base(plain) if is_same else None
        base = bases[recipe.base] if recipe else None
        found[key.hash] = recipe.make({recipe.base: base}) if recipe and base else None
    return found
