"""Racing of candidates: how many runs each gets. No run is simulated twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from kolabsim.analysis.pareto import (
    Budget,
    Objective,
    beaten,
    column_names,
    undominated,
    wrong_shape,
)
from kolabsim.analysis.statistics import mean_interval

Evaluate: TypeAlias = "Callable[[np.ndarray, range], np.ndarray]"
"""Simulates points of the unit cube [N, factors], all with the runs of these numbers, and returns
[N, columns, runs]; the columns are those of :func:`~kolabsim.analysis.pareto.column_names`. Run k
of a point shares its draws with run k of every other and is always the same; NaN is undefined."""


def point_keys(points: np.ndarray) -> list[bytes]:
    """Return a key for each point: its bytes."""
    return [point.tobytes() for point in np.ascontiguousarray(points, np.float64)]


@dataclass
class Race:
    """Candidates and the runs granted to each: more where the comparison is undecided."""

    evaluate: Evaluate
    objectives: tuple[Objective, ...]
    budget: Budget | None
    runs: tuple[int, int]
    level: float
    simulated: dict[bytes, np.ndarray] = field(default_factory=dict)
    """[columns, runs] of each candidate: the runs that are granted to it."""
    run_means: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    """[columns, runs] means over the candidates with the most runs: the effect of each run."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The outcomes that are simulated."""
        return column_names(self.objectives, self.budget)

    @property
    def granted(self) -> dict[bytes, int]:
        """The number of runs of each candidate."""
        return {key: values.shape[1] for key, values in self.simulated.items()}

    @property
    def senses(self) -> np.ndarray:
        """[objectives] their directions."""
        return np.array([objective.direction for objective in self.objectives], np.float64)

    @property
    def points(self) -> np.ndarray:
        """[N, factors] all candidates in order of arrival."""
        return np.array([np.frombuffer(key) for key in self.simulated])

    def costs_of(self, values: np.ndarray) -> np.ndarray:
        """Return the cost from values [N, columns, ...]; NaN without a budget."""
        if self.budget is None:
            return np.full((len(values), *values.shape[2:]), np.nan)
        return values[:, self.columns.index(self.budget.name)]

    def enter(self, points: np.ndarray) -> None:
        """Grant new candidates the fewest runs."""
        new = [key for key in point_keys(points) if key not in self.simulated]
        self._grant(dict.fromkeys(new, self.runs[0]))

    def extend(self, points: np.ndarray) -> None:
        """Double the runs of candidates, up to the most."""
        granted = self.granted
        self._grant({key: min(2 * granted[key], self.runs[1]) for key in point_keys(points)})

    def _grant(self, wanted: Mapping[bytes, int]) -> None:
        """Simulate what candidates lack of the runs that they are granted."""
        nothing = np.empty((len(self.columns), 0))
        missing: dict[tuple[int, int], list[bytes]] = {}
        for key, runs in wanted.items():
            first = self.simulated.setdefault(key, nothing).shape[1]
            if first < runs:
                missing.setdefault((first, runs), []).append(key)
        for (first, end), keys in sorted(missing.items()):
            points = np.array([np.frombuffer(key) for key in keys])
            found = np.asarray(self.evaluate(points, range(first, end)), np.float64)
            expected = (len(keys), len(self.columns), end - first)
            if found.shape != expected:
                raise wrong_shape(found.shape, expected)
            for key, part in zip(keys, found, strict=True):
                self.simulated[key] = np.hstack([self.simulated[key], part])
        most = max(self.granted.values())
        full = [values for values in self.simulated.values() if values.shape[1] == most]
        full = [values for values in full if np.isfinite(values).all()]
        self.run_means = np.mean(full, axis=0) if full else np.zeros((len(self.columns), most))

    def values(self, points: np.ndarray) -> np.ndarray:
        """Return the runs of candidates, [N, columns, runs]; NaN past the runs of each."""
        each = [self.simulated[key] for key in point_keys(points)]
        found = np.full((len(each), len(self.columns), max(v.shape[1] for v in each)), np.nan)
        for row, values in zip(found, each, strict=True):
            row[:, : values.shape[1]] = values
        return found

    def judge(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return costs [N, objectives], less being better, and constraint violations [N].

        A mean over fewer runs is adjusted by the effect of the runs that it lacks. The violation is
        the excess over the budget, as a share of it, plus the share of runs in which anything is
        undefined.
        """
        mean = self.run_means.mean(axis=1)
        means = np.empty((len(points), len(self.columns)))
        violation = np.empty(len(points))
        for k, key in enumerate(point_keys(points)):
            values = self.simulated[key]
            shared = self.run_means[:, : values.shape[1]].mean(axis=1)
            means[k] = values.mean(axis=1) + mean - shared
            violation[k] = (~np.isfinite(values)).any(axis=0).mean()
        if self.budget is not None:
            most = self.budget.most
            excess = (self.costs_of(means) - most) / (abs(most) or 1.0)
            violation += np.nan_to_num(np.maximum(excess, 0.0), posinf=1e9)
        costs = -self.senses * means[:, : len(self.objectives)]
        return np.nan_to_num(costs, posinf=0.0, neginf=0.0), violation

    def leaders(self, points: np.ndarray) -> np.ndarray:
        """Return which candidates are within the budget and not dominated in the means."""
        costs, violation = self.judge(points)
        return undominated(costs, violation <= 0.0)

    def undecided(self, points: np.ndarray) -> np.ndarray:
        """Return which candidates may and should get more runs.

        Leaders, and candidates whose intervals show them neither over the budget nor dominated.
        """
        each = [self.simulated[key] for key in point_keys(points)]
        left = np.array([values.shape[1] < self.runs[1] for values in each])
        leads, values = self.leaders(points), self.values(points)
        out = beaten(self.senses[:, None] * values[:, : len(self.objectives)], leads, self.level)
        if self.budget is not None:
            out |= mean_interval(self.costs_of(values), self.level, axis=1).low > self.budget.most
        out |= np.array([not np.isfinite(values).all() for values in each])
        return left & (leads | ~out)

    def decide(self) -> np.ndarray:
        """Return the leaders of all candidates once each of them has the most runs."""
        points = self.points
        while True:
            leaders = points[self.leaders(points)]
            left = [self.simulated[key].shape[1] < self.runs[1] for key in point_keys(leaders)]
            if not any(left):
                return leaders
            self.extend(leaders[left])
