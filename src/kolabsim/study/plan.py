"""Plans: the tasks of an experiment, and which of their runs a ledger lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.engine.ensemble import BLOCK
from kolabsim.model.measures import MEASURES, Measure
from kolabsim.study.identity import Identity
from kolabsim.study.ledger import Ledger
from kolabsim.study.rows import Failure
from kolabsim.study.tasks import Moments, Plain, Recipe, TaskKey

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The tasks of an experiment, and everything that decides their results."""

    tasks: tuple[TaskKey, ...]
    recipes: Mapping[str, Recipe] = field(default_factory=dict, repr=False)
    """How each task is made, by its hash."""
    bases: Mapping[str, Plain] = field(default_factory=dict, repr=False)
    """What recipes begin with, by its hash."""
    runs: int
    seed: int
    detail: int = 0
    """Runs of each task whose quarters and regions are stored."""
    regions: tuple[str, ...] = field(repr=False)
    areas: tuple[str, ...]
    currency: str = ""
    custom_measures: Mapping[str, Measure] = field(default_factory=dict, repr=False)
    """Measures that extensions of the scenario declare."""
    strategies: tuple[str, ...] = ()
    factors: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    """The unit and the meaning of each setting of its futures that is a factor."""
    futures: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The settings of each future by its name (:func:`~kolabsim.study.tasks.settings_text`)."""
    table: pd.DataFrame | None = field(default=None, repr=False)
    """Of a design: the settings of each point, a row for a point and a column for a factor."""
    moments: Moments = ()
    """Measures that are also stored at a quarter."""
    place: np.ndarray | None = field(default=None, repr=False)
    """Of a design: [strategies, points] the position in ``tasks``; equal points share a task, and
    points with the same settings a future."""
    identity: Identity | None = field(default=None, repr=False)
    """What decides whether it may continue the study in its folder."""

    @property
    def measures(self) -> dict[str, Measure]:
        """All measures of the whole system that its runs have."""
        return {**MEASURES, **self.custom_measures}

    @property
    def blocks(self) -> Iterator[tuple[int, int, str]]:
        """The position of the task, the first run and the hash of each block.

        Tasks that are equal have the same blocks, which come once.
        """
        known: set[str] = set()
        for k, task in enumerate(self.tasks):
            if task.hash not in known:
                known.add(task.hash)
                for first in range(0, self.runs, BLOCK):
                    yield k, first, task.block(first)

    @property
    def size(self) -> int:
        """Number of different runs that it wants."""
        return len({task.hash for task in self.tasks}) * self.runs

    def failures_in(self, ledger: Ledger) -> list[Failure]:
        """The runs of this study that raised an error and have not been repeated since."""
        blocks = {block for _k, _first, block in self.blocks}
        found = ledger.failed.values()
        return [one for one in found if one.block in blocks and one.run < self.runs]

    def missing_in(
        self, ledger: Ledger, *, retry_failed: bool = False
    ) -> list[tuple[TaskKey, np.ndarray]]:
        """The numbers of the runs that have neither finished nor failed, block by block."""
        finished = ledger.finished()
        detailed = ledger.finished("quarters") if self.detail else {}
        failed: dict[str, set[int]] = {}
        for failure in [] if retry_failed else self.failures_in(ledger):
            failed.setdefault(failure.block, set()).add(failure.run)
        found = []
        for k, first, block in self.blocks:
            numbers = set(range(first, min(first + BLOCK, self.runs)))
            there = finished.get(block, set())
            # A run without its detail is repeated where detail is now wanted.
            bare = {r for r in numbers & there if r < self.detail} - detailed.get(block, set())
            left = numbers - (there - bare) - failed.get(block, set())
            if left:
                found.append((self.tasks[k], np.array(sorted(left), np.int64)))
        return found
