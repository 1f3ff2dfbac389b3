"""Sweeps: an outcome at every combination of the levels of two or more factors.

All points share their random draws, so that two points are compared run by run. A map marks the
points that cannot be told apart from the best one or, where the outcome is the difference between
two strategies, from no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import RunStudy, contrast_values, run_sample
from kolabsim.analysis.statistics import Mean, mean_interval
from kolabsim.errors import InputError
from kolabsim.i18n import _
from kolabsim.study.experiment import Experiment, sweep_table
from kolabsim.study.factors import Value
from kolabsim.study.record import future_names
from kolabsim.study.runner import Study
from kolabsim.study.spec import SweepSpec


@dataclass(frozen=True, eq=False)
class OutcomeMap:
    """An outcome over a grid. N points, whose last factor moves first."""

    outcome: str
    better: int
    """1 if more is better, -1 if less is, 0 if neither."""
    levels: Mapping[str, tuple[Value, ...]]
    """Levels of each factor; their product is the grid."""
    is_difference: bool
    """Whether the outcome is the difference between two strategies."""
    mean: np.ndarray = field(repr=False)
    low: np.ndarray = field(repr=False)
    high: np.ndarray = field(repr=False)
    """[N] ends of their intervals; equal to the mean for a spread, which has one value a point."""
    unclear: np.ndarray = field(repr=False)
    """[N] whether a point cannot be told apart: from no difference or, without a second strategy,
    from the best point."""
    runs: int
    level: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of levels of each factor."""
        return tuple(map(len, self.levels.values()))

    @property
    def best(self) -> int:
        """The point with the best mean; with the largest if neither direction is better."""
        return int(np.nanargmax(self.mean * (self.better or 1)))

    @property
    def worst(self) -> int:
        """The point with the worst mean; with the smallest if neither direction is better."""
        return int(np.nanargmin(self.mean * (self.better or 1)))

    def setting(self, point: int) -> dict[str, Value]:
        """The level of each factor at a point."""
        place = np.unravel_index(point, self.shape)
        return {name: of[k] for (name, of), k in zip(self.levels.items(), place, strict=True)}

    def grid(self, values: np.ndarray) -> np.ndarray:
        """Values [N] as an array with an axis for each factor."""
        return values.reshape(self.shape)

    def table(self) -> pd.DataFrame:
        """A row for each point: outcome, levels, mean, low, high, and whether it is unclear."""
        rows = [self.setting(point) for point in range(len(self.mean))]
        numbers = {
            "mean": self.mean, "low": self.low, "high": self.high, "unclear": self.unclear,
        }  # fmt: skip
        return pd.DataFrame(rows).assign(**numbers).assign(outcome=self.outcome)


@dataclass(frozen=True)
class SweepResult:
    """Maps of all outcomes of a sweep, and the runs behind them."""

    study: Study
    settings: pd.DataFrame = field(repr=False)
    futures: Sequence[str] = field(repr=False)
    """The future of each point, as the study numbers it."""
    maps: tuple[OutcomeMap, ...]
    values: Mapping[str, np.ndarray] = field(repr=False)
    """[points, runs] of each outcome."""
    left_out: tuple[str, ...] = ()
    """Why an outcome has no map, in a sentence each."""

    def table(self) -> pd.DataFrame:
        """All maps as one table, with a row for each outcome and point."""
        tables = [one.table().assign(future=self.futures) for one in self.maps]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def map_outcome(
    values: np.ndarray,
    levels: Mapping[str, tuple[Value, ...]],
    *,
    outcome: str,
    better: int,
    is_difference: bool = False,
    level: float = 0.95,
) -> OutcomeMap:
    """Compute the map of an outcome.

    From values [points, runs], whose last factor moves first, and the levels of each factor.
    Comparisons with the best point, which is chosen after the fact, hold together at ``level``
    (Bonferroni).

    Examples
    --------
    >>> first, second = [0.0, 0.1, 0.0, 0.1], [1.0, 1.1, 1.0, 1.1]
    >>> runs = np.array([first, second, [0.1, 0.2, 0.1, 0.2], [1.0, 1.2, 1.1, 1.1]])
    >>> found = map_outcome(runs, {"a": (0, 1), "b": (0, 1)}, outcome="trust", better=1)
    >>> found.setting(found.best), found.unclear.tolist()
    ({'a': 1, 'b': 1}, [False, True, False, True])
    """
    values = np.asarray(values, np.float64)
    estimate = mean_interval(values, level, axis=1)
    undefined = int(np.isnan(estimate.mean).sum())
    if undefined:
        text = _("{outcome} is undefined at {number} of {points} points")
        text = text.format(outcome=outcome, number=undefined, points=len(values))
        raise InputError.of(text)
    if values.shape[1] < 2:  # a spread over runs has one value for each point
        estimate = Mean(estimate.mean, estimate.mean, estimate.mean, estimate.n)
    if is_difference:
        unclear = (estimate.low <= 0.0) & (estimate.high >= 0.0)
    else:
        best = int(np.argmax(estimate.mean * (better or 1)))
        others = max(len(values) - 1, 1)
        behind = mean_interval(values[best] - values, 1.0 - (1.0 - level) / others, axis=1)
        unclear = ~((behind.low > 0.0) | (behind.high < 0.0))
        unclear[best] = True
    return OutcomeMap(
        outcome, better, dict(levels), is_difference, estimate.mean, estimate.low, estimate.high,
        unclear, values.shape[1], level,
    )  # fmt: skip


def run_sweep(experiment: Experiment[SweepSpec], folder: Path, run: RunStudy) -> SweepResult:
    """Simulate every combination of levels that is missing, and compute the maps."""
    settings = sweep_table(experiment)
    study = run_sample(experiment, settings, folder, experiment.spec.runs, run)
    levels = {one.name: one.levels(experiment.spec.levels) for one in experiment.factors}
    found = {one.name: contrast_values(study, one) for one in experiment.outcomes}
    maps, left_out, is_difference = [], [], len(study.strategies) > 1
    for one in experiment.outcomes:
        try:
            drawn = map_outcome(
                found[one.name], levels, outcome=one.name, better=one.better,
                is_difference=is_difference,
            )  # fmt: skip
            maps.append(drawn)
        except InputError as error:  # it is undefined somewhere; others may not be
            left_out.append(error.problems[0].message)
    futures = future_names(study.ledger, settings)
    return SweepResult(study, settings, futures, tuple(maps), found, tuple(left_out))
