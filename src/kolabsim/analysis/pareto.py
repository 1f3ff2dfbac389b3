"""Pareto fronts of packages: dominance, knee, hypervolume, and how a front does in many futures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import settings_table
from kolabsim.analysis.statistics import (
    mean_interval,
    quantiles,
    resample_counts,
    share_better,
    worst_mean,
)
from kolabsim.errors import KolabsimError
from kolabsim.i18n import _
from kolabsim.study.factors import Factor, Value

EvaluateInFutures: TypeAlias = "Callable[[np.ndarray, range], np.ndarray]"
"""Simulates points of the unit cube [N, factors] in many futures with the runs of these numbers,
and returns [N, columns, futures, runs]; the columns are those of :func:`column_names`."""

FUTURES_RANGE = (0.05, 0.5, 0.95)
"""Quantiles over futures of a difference to doing nothing."""
MORE, LESS = 1, -1
"""Directions of objectives: more is better, less is better."""


@dataclass(frozen=True)
class Objective:
    """An outcome to improve, as a mean over runs."""

    name: str
    direction: int


@dataclass(frozen=True)
class Budget:
    """Largest cost of a package, as a mean over runs."""

    most: float
    name: str = "programme_cost"
    """The outcome that is the cost; it may be an objective as well."""


class Generation(NamedTuple):
    """Progress of a search."""

    number: int
    candidates: int
    """Distinct candidates so far."""
    runs: int
    """Runs simulated for them."""
    members: int
    """Current front: survivors within the budget that none dominates by present knowledge."""


@dataclass(frozen=True)
class Front:
    """Packages within the budget that no other dominates: the Pareto front found.

    It includes candidates of all generations and excludes those that are on the front by chance
    alone (:func:`distinct`). The means come from the runs that selected the front and are a little
    too good; :func:`reevaluate` judges the members on other draws.
    """

    factors: tuple[Factor, ...]
    objectives: tuple[Objective, ...]
    budget: Budget | None
    level: float
    points: np.ndarray = field(repr=False)
    """[members, factors] of the unit cube, by increasing cost, or if the cost is no objective by
    increasing first objective."""
    values: np.ndarray = field(repr=False)
    """[members, columns, runs]; all members have the same runs."""
    history: tuple[Generation, ...] = field(repr=False)
    """All generations; the last includes the runs that decided the front."""
    hypervolume: np.ndarray = field(repr=False)
    """[generations] share of the box between the best and the worst of each objective that the
    candidates up to the generation dominate, by final knowledge [zitzler_thiele_1999]."""
    knee: int
    """The member beyond which more of one objective costs most of another: :func:`knee_of`."""
    knee_shares: np.ndarray = field(repr=False)
    """[members] share of bootstrap resamples of the runs in which each is the knee."""

    def __len__(self) -> int:
        return len(self.points)

    @property
    def columns(self) -> tuple[str, ...]:
        """The objectives, then the cost unless it is one of them."""
        return column_names(self.objectives, self.budget)

    @property
    def cost(self) -> int | None:
        """The column of the cost; None without a budget."""
        return None if self.budget is None else self.columns.index(self.budget.name)

    @property
    def price(self) -> int | None:
        """The column of the cost if it is an objective: only then do members trade it."""
        return None if self.cost is None or self.cost >= len(self.objectives) else self.cost

    @property
    def senses(self) -> np.ndarray:
        """[columns] 1 where more is better, -1 where less is, as for a cost."""
        known = {objective.name: objective.direction for objective in self.objectives}
        return np.array([known.get(name, LESS) for name in self.columns])

    @property
    def means(self) -> np.ndarray:
        """[members, columns] means over runs."""
        return self.values.mean(axis=2)

    @property
    def intervals(self) -> np.ndarray:
        """[members, columns, 2] intervals of the means."""
        return np.stack(mean_interval(self.values, self.level, axis=2)[1:3], axis=2)

    def against(self, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return mean, low and high of the paired differences of all members to [columns, runs].

        Runs that only one side has are left out.
        """
        runs = min(other.shape[-1], self.values.shape[2])
        difference = self.values[..., :runs] - other[..., :runs]
        mean, low, high, _n = mean_interval(difference, self.level, axis=2)
        return mean, low, high

    def settings(self, member: int) -> dict[str, Value]:
        """Return the setting of each factor in a member."""
        return settings_at(self.factors, self.points[member])

    @property
    def extremes(self) -> dict[str, int]:
        """The best member in each objective."""
        best = (self.means * self.senses).argmax(axis=0)
        return {objective.name: int(best[k]) for k, objective in enumerate(self.objectives)}

    def spread(self, number: int) -> list[int]:
        """Return at most so many members in order: the knee, the extremes, others in between."""
        chosen = list(dict.fromkeys([self.knee, *self.extremes.values()]))[:number]
        goals = self.means[:, : len(self.objectives)]
        place = scaled(goals, goals.min(axis=0), goals.max(axis=0))
        while len(chosen) < min(number, len(self)):
            gap = np.linalg.norm(place[:, None] - place[chosen], axis=2).min(axis=1)
            gap[chosen] = -1.0
            chosen.append(int(gap.argmax()))
        return sorted(chosen)

    def table(self) -> pd.DataFrame:
        """Return a row for each member: factors, means with ``_low``, ``_high``, ``knee_share``."""
        table = settings_table(self.factors, self.points)
        for k, name in enumerate(self.columns):
            table[name] = self.means[:, k]
            table[[f"{name}_low", f"{name}_high"]] = self.intervals[:, k]
        return table.assign(knee_share=self.knee_shares)


def column_names(objectives: Sequence[Objective], budget: Budget | None) -> tuple[str, ...]:
    """Return the outcomes that are simulated: objectives, then the cost unless it is one."""
    names = [objective.name for objective in objectives]
    return tuple(dict.fromkeys([*names, *([budget.name] if budget else [])]))


def settings_at(factors: Sequence[Factor], point: np.ndarray) -> dict[str, Value]:
    """Return the setting of each factor at a point of the unit cube."""
    return {factor.name: factor.at(float(u)) for factor, u in zip(factors, point, strict=True)}


# Dominance --------------------------------------------------------------------------------------


def undominated(costs: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return which of [N, objectives], less being better, are allowed and not dominated.

    One candidate dominates another if it is nowhere worse and somewhere better.

    >>> undominated(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0]]), np.ones(3, bool)).tolist()
    [True, True, False]
    """
    found = np.zeros(len(costs), bool)
    kept = np.empty((0, costs.shape[1]))
    # In this order a candidate comes after all that dominate it.
    for k in np.lexsort(costs.T[::-1]):
        here = costs[k]
        if allowed[k] and not ((kept <= here).all(axis=1) & (kept < here).any(axis=1)).any():
            found[k] = True
            kept = np.vstack([kept, here])
    return found


def beaten(values: np.ndarray, leads: np.ndarray, level: float) -> np.ndarray:
    """Return which of [N, objectives, runs], more being better, a leader clearly dominates.

    Clearly: by the intervals of the paired differences it is nowhere worse and somewhere better.
    """
    found = np.zeros(len(values), bool)
    for k in np.flatnonzero(leads):
        low = mean_interval(values[k] - values, level, axis=2).low
        found |= (low >= 0.0).all(axis=1) & (low > 0.0).any(axis=1)
    return found


def distinct(values: np.ndarray, level: float) -> np.ndarray:
    """Return which members of a front [N, objectives, runs], more being better, are distinct.

    A member is dropped if one that stays is clearly better in something, by the interval of the
    paired differences, and nowhere clearly worse; or if an earlier one is the same in every run.
    Members that the fewest others would drop are kept first, so that of a row of members, each
    not clearly apart from the next, some stay all along it.
    """
    outdoes = np.empty((len(values), len(values)), bool)
    for k in range(len(values)):
        _mean, low, high, _n = mean_interval(values[k] - values, level, axis=2)
        outdoes[k] = (low > 0.0).any(axis=1) & ~(high < 0.0).any(axis=1)
        outdoes[k, k + 1 :] |= (values[k] == values[k + 1 :]).all(axis=(1, 2))
    stays = np.zeros(len(values), bool)
    for k in np.argsort(outdoes.sum(axis=0), kind="stable"):
        stays[k] = not outdoes[stays, k].any()
    return stays


# Knee and hypervolume ---------------------------------------------------------------------------


def scaled(costs: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return costs scaled from 0 at the best to 1 at the worst; 0 where all are the same."""
    width = np.where(high > low, high - low, 1.0)
    return (costs - low) / width


def knee_of(costs: np.ndarray) -> int:
    """Return the knee of a front [members, objectives], less being better.

    Objectives are scaled from the best (0) to the worst (1) on the front. The knee lies farthest on
    the better side of the line, plane or hyperplane through the best member in each objective
    [das_1999]. Where these do not span one that faces the best point, it is the hyperplane through
    the worst of each objective. A front without a bulge has an extreme as its knee.

    >>> knee_of(np.array([[0.0, 1.0], [0.1, 0.1], [1.0, 0.0]]))
    1
    """
    z = scaled(costs, costs.min(axis=0), costs.max(axis=0))
    normal = facing(z[z.argmin(axis=0)])
    return int(((1.0 - z @ normal) / np.linalg.norm(normal)).argmax())


def facing(extremes: np.ndarray) -> np.ndarray:
    """Return the normal n of the plane n·z = 1 through extremes [M, M]; ones where none faces 0.

    If one member is the best in several objectives, of all planes through the extremes the one
    with the shortest normal: these objectives then share the weight of one.
    """
    ones = np.ones(len(extremes))
    normal = np.linalg.lstsq(extremes, ones)[0]
    return normal if (normal > 1e-9).all() else ones


def knee_shares(costs: np.ndarray, seed: int, *, resamples: int = 1000) -> np.ndarray:
    """Return the share of bootstrap resamples of the runs in which each member is the knee.

    From costs [members, objectives, runs], less being better, on common random numbers.
    """
    members, _objectives, runs = costs.shape
    weights = resample_counts(runs, resamples, np.random.default_rng(seed)) / runs
    means = np.einsum("mor,br->bmo", costs, weights)
    return np.bincount([knee_of(one) for one in means], minlength=members) / resamples


def hypervolumes(costs: np.ndarray, violation: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """Return the hypervolume of the first ``numbers`` candidates each, as shares of one box.

    From costs [N, objectives], less being better; candidates with a violation [N] above 0 do not
    count. The box reaches from the best to the worst of each objective of the others.
    """
    from pymoo.indicators.hv import HV

    within = violation <= 0.0
    low, high = costs[within].min(axis=0), costs[within].max(axis=0)
    volume = HV(ref_point=np.ones(costs.shape[1]))
    z, found = scaled(costs, low, high), []
    for number in numbers:
        front = z[:number][undominated(costs[:number], within[:number])]
        found.append(float(volume(front)) if len(front) else 0.0)
    return np.array(found)


@dataclass(frozen=True)
class FrontRobustness:
    """The members of a front in many futures, on draws that did not select them."""

    futures: tuple[str, ...]
    members: tuple[int, ...]
    """The members that were simulated, by their positions in the front."""
    means: np.ndarray
    """[members, columns] means over futures of the means over runs, of what is defined."""
    intervals: np.ndarray
    """[members, columns, 2] t intervals of these over futures; NaN for one future."""
    worst: np.ndarray
    """[members, columns] means over the worst tenth of the futures, at least one."""
    within: np.ndarray
    """[members] share of futures in which the member is within the budget."""
    stays: np.ndarray
    """[members] share of futures in which it is, and no other member within the budget dominates
    it."""
    best: int
    """The knee over futures, by its position among ``members``: that of the medians over futures of
    members that are within the budget in at least half of the futures, if there are any."""
    gains: np.ndarray | None = None
    """[members, columns, futures] difference to doing nothing, if that was simulated."""

    def gain(self, row: int, column: int, sense: int) -> tuple[float, float, float, float]:
        """Return median, 5% and 95% of the difference to doing nothing, and the share better."""
        assert self.gains is not None
        found = self.gains[row, column]
        low, median, high = (float(part) for part in quantiles(found, FUTURES_RANGE))
        return median, low, high, float(share_better(found, sense))


def reevaluate(
    front: Front,
    evaluate: EvaluateInFutures,
    futures: Sequence[str],
    *,
    runs: range = range(16),
    members: Sequence[int] | None = None,
    nothing: np.ndarray | None = None,
) -> FrontRobustness:
    """Evaluate the members of a front in many futures.

    Draws that the search did not use (the numbers ``runs``) are unbiased. ``members`` are those to
    evaluate, such as ``front.spread(12)``; default: all. ``nothing`` [columns, futures, runs] are
    outcomes without any package, in the same runs.
    """
    members = tuple(range(len(front)) if members is None else members)
    values = np.asarray(evaluate(front.points[list(members)], runs), np.float64)
    expected = (len(members), len(front.columns), len(futures), len(runs))
    if values.shape != expected or not values.size:
        raise wrong_shape(values.shape, expected)
    each = mean_interval(values, front.level, axis=3).mean
    mean, low, high, _n = mean_interval(each, front.level, axis=2)
    within = np.ones((len(members), len(futures)), bool)
    if front.budget is not None:
        within = each[:, front.cost] <= front.budget.most
    costs = -front.senses[: len(front.objectives), None] * each[:, : len(front.objectives)]
    allowed = within & np.isfinite(costs).all(axis=1)
    stays = [undominated(costs[..., k], allowed[:, k]) for k in range(len(futures))]
    middle, often = np.nanmedian(costs, axis=2), np.flatnonzero(within.mean(axis=1) >= 0.5)
    often = often if len(often) else np.arange(len(members))
    gains = None
    if nothing is not None:
        gains = each - mean_interval(nothing, front.level, axis=2).mean
    worst = front.senses * worst_mean(each * front.senses[:, None])
    return FrontRobustness(
        tuple(futures), members, mean, np.stack([low, high], axis=2), worst,
        within.mean(axis=1), np.mean(stays, axis=0), int(often[knee_of(middle[often])]), gains,
    )  # fmt: skip


def wrong_shape(found: tuple[int, ...], expected: tuple[int, ...]) -> KolabsimError:
    """Return the error for an ``evaluate`` that returns values of another shape."""
    text = _("evaluate returned values of shape {found}; expected: {expected}")
    return KolabsimError(text.format(found=found, expected=expected))
