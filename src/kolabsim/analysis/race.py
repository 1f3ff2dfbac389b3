"""Racing of candidates: how many runs each gets, and where simulated values are kept."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias

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
from kolabsim.errors import InputError, Problem, StoppedError, StorageError, shown
from kolabsim.files import write_whole
from kolabsim.i18n import _

Evaluate: TypeAlias = "Callable[[np.ndarray, range], np.ndarray]"
"""Simulates points of the unit cube [N, factors], all with the runs of these numbers, and returns
[N, columns, runs]; the columns are those of :func:`~kolabsim.analysis.pareto.column_names`. Run k
of a point shares its draws with run k of every other and is always the same; NaN is undefined."""


def point_keys(points: np.ndarray) -> list[bytes]:
    """Return a key for each point: its bytes."""
    return [point.tobytes() for point in np.ascontiguousarray(points, np.float64)]


@dataclass
class Archive:
    """The values of all simulated points, in memory and in a file."""

    evaluate: Evaluate
    columns: int
    stop: Callable[[], bool] | None
    path: Path | None
    request: str
    values: dict[bytes, np.ndarray] = field(default_factory=dict)
    """[columns, runs] of each point."""

    def provide(self, wanted: Mapping[bytes, int]) -> None:
        """Simulate what is missing for these points to have that many runs each."""
        nothing = np.empty((self.columns, 0))
        missing: dict[tuple[int, int], list[bytes]] = {}
        for key, runs in wanted.items():
            held = self.values.get(key, nothing).shape[1]
            if held < runs:
                missing.setdefault((held, runs), []).append(key)
        for (first, end), keys in sorted(missing.items()):
            if self.stop is not None and self.stop():
                raise StoppedError(_("stopped; what was simulated is kept"))
            points = np.array([np.frombuffer(key) for key in keys])
            found = np.asarray(self.evaluate(points, range(first, end)), np.float64)
            expected = (len(keys), self.columns, end - first)
            if found.shape != expected:
                raise wrong_shape(found.shape, expected)
            for key, part in zip(keys, found, strict=True):
                self.values[key] = np.hstack([self.values.get(key, nothing), part])
            self.write()

    def write(self) -> None:
        """Write everything to the file, if there is to be one."""
        if self.path is None:
            return

        def content(file: BinaryIO) -> None:
            np.savez(
                file,
                request=np.array(self.request),
                points=np.array([np.frombuffer(key) for key in self.values]),
                runs=np.array([part.shape[1] for part in self.values.values()]),
                values=np.concatenate([part.ravel() for part in self.values.values()]),
            )

        write_whole(self.path, content)

    def read(self) -> None:
        """Read the file, if there is one; nothing in it is executed.

        Raises :class:`~kolabsim.errors.InputError` if it belongs to another search or is damaged.
        """
        if self.path is None or not self.path.exists():
            return
        try:
            held = self.path.read_bytes()
        except OSError as error:
            text = _("{file}: the disk refuses to read ({reason})")
            text = text.format(file=shown(self.path), reason=error.strerror or error)
            raise StorageError(text) from error
        text = _("this file holds no search, or it is damaged; name another file, or remove it")
        try:
            with np.load(io.BytesIO(held), allow_pickle=False) as file:
                request = str(file["request"])
                points, runs, values = file["points"], file["runs"], file["values"]
            parts = np.split(values, np.cumsum(runs * self.columns))
            if request == self.request:
                text = ""
                self.values = {
                    point.tobytes(): part.reshape(self.columns, -1)
                    for point, part in zip(points, parts[:-1], strict=True)
                }
            else:
                text = _(
                    "this file holds another search: its factors, outcomes, scenario or model "
                    "differ; name another file, or remove it"
                )
        except (KeyError, ValueError, TypeError, EOFError, OSError, zipfile.BadZipFile):
            self.values = {}
        if text:
            raise InputError([Problem(text, shown(self.path))])


@dataclass
class Race:
    """Candidates and the runs granted to each: more where the comparison is undecided.

    Grants depend on the steps of the search alone, not on what the archive already holds.
    """

    archive: Archive
    objectives: tuple[Objective, ...]
    budget: Budget | None
    runs: tuple[int, int]
    level: float
    granted: dict[bytes, int] = field(default_factory=dict)
    run_means: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    """[columns, runs] means over the candidates with the most runs: the effect of each run."""

    @property
    def senses(self) -> np.ndarray:
        """[objectives] their directions."""
        return np.array([objective.direction for objective in self.objectives], np.float64)

    @property
    def points(self) -> np.ndarray:
        """[N, factors] all candidates in order of arrival."""
        return np.array([np.frombuffer(key) for key in self.granted])

    def costs_of(self, values: np.ndarray) -> np.ndarray:
        """Return the cost from values [N, columns, ...]; NaN without a budget."""
        if self.budget is None:
            return np.full((len(values), *values.shape[2:]), np.nan)
        return values[:, column_names(self.objectives, self.budget).index(self.budget.name)]

    def enter(self, points: np.ndarray) -> None:
        """Grant new candidates the fewest runs."""
        self._grant({key: self.runs[0] for key in point_keys(points) if key not in self.granted})

    def extend(self, points: np.ndarray) -> None:
        """Double the runs of candidates, up to the most."""
        self._grant({key: min(2 * self.granted[key], self.runs[1]) for key in point_keys(points)})

    def _grant(self, runs: Mapping[bytes, int]) -> None:
        self.archive.provide(runs)
        self.granted |= runs
        most = max(self.granted.values())
        found = [self.archive.values[key][:, :most] for key, n in self.granted.items() if n == most]
        found = [values for values in found if np.isfinite(values).all()]
        nothing = np.zeros((self.archive.columns, most))
        self.run_means = np.mean(found, axis=0) if found else nothing

    def values(self, points: np.ndarray) -> np.ndarray:
        """Return the granted runs of candidates, [N, columns, runs]; NaN past the runs of each."""
        keys = point_keys(points)
        most = max(self.granted[key] for key in keys)
        found = np.full((len(keys), self.archive.columns, most), np.nan)
        for row, key in zip(found, keys, strict=True):
            row[:, : self.granted[key]] = self.archive.values[key][:, : self.granted[key]]
        return found

    def judge(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return costs [N, objectives], less being better, and constraint violations [N].

        A mean over fewer runs is adjusted by the effect of the runs that it lacks. The violation is
        the excess over the budget, as a share of it, plus the share of runs in which anything is
        undefined.
        """
        mean = self.run_means.mean(axis=1)
        means = np.empty((len(points), self.archive.columns))
        violation = np.empty(len(points))
        for k, key in enumerate(point_keys(points)):
            values = self.archive.values[key][:, : self.granted[key]]
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
        keys = point_keys(points)
        left = np.array([self.granted[key] < self.runs[1] for key in keys])
        leads, values = self.leaders(points), self.values(points)
        out = beaten(self.senses[:, None] * values[:, : len(self.objectives)], leads, self.level)
        if self.budget is not None:
            out |= mean_interval(self.costs_of(values), self.level, axis=1).low > self.budget.most
        out |= np.array([not np.isfinite(self.archive.values[key]).all() for key in keys])
        return left & (leads | ~out)

    def decide(self) -> np.ndarray:
        """Return the leaders of all candidates once each of them has the most runs."""
        points = self.points
        while True:
            leaders = points[self.leaders(points)]
            left = [self.granted[key] < self.runs[1] for key in point_keys(leaders)]
            if not any(left):
                return leaders
            self.extend(leaders[left])
