"""PRIM, the patient rule induction method: boxes of settings in which failures are dense.

A box restricts a few factors: numbers to a range, choices to some of their words. Its coverage is
the share of all failures that lie inside, its density the share of its futures that fail
[friedman_fisher_1999] [bryant_lempert_2010].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import is_numeric

PEELED = 0.05
"""Share of a box's futures that one step peels off or pastes back; at least one future."""
SMALLEST = 0.05
"""Least share of all futures in a box."""
QUASI_P = 0.05
"""Quasi-p value from which a restriction is dropped."""


class Range(NamedTuple):
    """The range of a number, ends included; infinite where it is not restricted."""

    low: float
    high: float


Limit: TypeAlias = "Range | frozenset[object]"
"""The range of a number, or the words that a choice may take."""
Limits: TypeAlias = "Mapping[str, Limit]"
"""Limits by factor; factors without one are not restricted."""


@dataclass(frozen=True, eq=False)
class Box:
    """A part of the futures, and how many fail in it."""

    limits: Limits
    futures: int
    failures: int
    mass: float
    """Share of all futures that lie inside."""
    density: float
    coverage: float
    quasi_p: Mapping[str, float]
    """For each restriction the probability of so many failures inside if it were dropped and
    failures were spread evenly over the larger box. The search for the box is not accounted for."""

    @property
    def score(self) -> float:
        """Harmonic mean of density and coverage."""
        both = self.density + self.coverage
        return 2.0 * self.density * self.coverage / both if both > 0.0 else 0.0

    def holds(self, settings: pd.DataFrame) -> np.ndarray:
        """Return which futures lie inside, [futures]."""
        inside = np.ones(len(settings), bool)
        for name, limit in self.limits.items():
            inside &= within(settings[name].to_numpy(), limit)
        return inside


def within(column: np.ndarray, limit: Limit) -> np.ndarray:
    """Return which values of a column lie within a limit."""
    if isinstance(limit, Range):
        return (column >= limit.low) & (column <= limit.high)
    return np.array([value in limit for value in column], bool)


def share_a_side(limit: Limit, other: Limit | None, whole: Limit) -> bool:
    """Whether two limits restrict the same end of a number, or exclude a common word."""
    if other is None:
        return False
    if isinstance(limit, Range) and isinstance(other, Range):
        low, high = (np.isfinite(limit) & np.isfinite(other)).tolist()
        return low or high
    assert isinstance(whole, frozenset)
    assert isinstance(limit, frozenset)
    assert isinstance(other, frozenset)
    return bool((whole - limit) & (whole - other))


@dataclass(frozen=True, eq=False)
class Field:
    """Settings prepared for the search. F futures."""

    columns: Mapping[str, np.ndarray]
    numbers: tuple[str, ...]
    """The factors that are numbers; the others are words."""

    @classmethod
    def of(cls, settings: pd.DataFrame) -> Field:
        """Return the field of a table of settings; every column that is not numeric is words."""
        numbers = tuple(name for name in settings.columns if is_numeric(settings[name]))
        columns = {
            name: settings[name].to_numpy(np.float64 if name in numbers else object)
            for name in settings.columns
        }
        return cls(columns, numbers)

    @property
    def words(self) -> list[str]:
        """The factors that are words."""
        return [name for name in self.columns if name not in self.numbers]

    def whole(self, name: str) -> Limit:
        """Return the limit that restricts nothing."""
        if name in self.numbers:
            return Range(-np.inf, np.inf)
        return frozenset(self.columns[name])

    def inside(self, limits: Limits) -> np.ndarray:
        """Return whether each future is within each limit, [F, limits]."""
        found = [within(self.columns[name], limit) for name, limit in limits.items()]
        number = len(next(iter(self.columns.values())))
        return np.column_stack(found) if found else np.empty((number, 0), bool)

    def box(self, limits: Limits, fails: np.ndarray) -> Box:
        """Return the box of these limits."""
        inside = self.inside(limits)
        here = inside.all(axis=1)
        n, k = int(here.sum()), int(fails[here].sum())
        return Box(
            limits=dict(limits),
            futures=n,
            failures=k,
            mass=n / len(fails),
            density=k / n if n else 0.0,
            coverage=k / max(int(fails.sum()), 1),
            quasi_p=dict(zip(limits, quasi_p(inside, fails), strict=True)),
        )

    # Peeling and pasting

    def peel(self, fails: np.ndarray) -> list[dict[str, Limit]]:
        """Return the peeling trajectory: limits from none to those of the smallest box.

        Each step takes the peel with the largest gain in density for each future that is lost
        [kwakkel_jaxa_rozen_2016].
        """
        limits: dict[str, Limit] = {}
        path: list[dict[str, Limit]] = [{}]
        here = np.ones(len(fails), bool)
        least = max(SMALLEST * len(fails), 1.0)
        while not fails[here].all():
            peels = [*self.number_peels(here, fails, limits), *self.word_peels(here, fails, limits)]
            if not peels:
                break
            gain, name, limit = max(peels, key=lambda peel: peel[0])
            left = here & within(self.columns[name], limit)
            if gain <= 0.0 or left.sum() < least:
                break
            limits, here = {**limits, name: limit}, left
            path.append(limits)
        return path

    def number_peels(
        self, here: np.ndarray, fails: np.ndarray, limits: Limits
    ) -> list[tuple[float, str, Limit]]:
        """Return the gain of peeling each end of each number, and the limit that would be left."""
        if not self.numbers:
            return []
        x, y = np.column_stack([self.columns[name] for name in self.numbers])[here], fails[here]
        ordered = np.sort(x, axis=0)
        off = max(int(PEELED * len(y)), 1) - 1  # a peel takes all values equal to its edge
        peels: list[tuple[float, str, Limit]] = []
        for sign, edge in ((1, ordered[off]), (-1, ordered[-1 - off])):
            left = sign * (x - edge) > 0.0
            gain = peel_gain(left.sum(axis=0), left[y].sum(axis=0), len(y), int(y.sum()))
            for j, name in enumerate(self.numbers):
                if np.isfinite(gain[j]):
                    limit = limits.get(name, self.whole(name))
                    assert isinstance(limit, Range)
                    ends = x[left[:, j], j]
                    side = {"low": ends.min()} if sign > 0 else {"high": ends.max()}
                    peels.append((float(gain[j]), name, limit._replace(**side)))
        return peels

    def word_peels(
        self, here: np.ndarray, fails: np.ndarray, limits: Limits
    ) -> list[tuple[float, str, Limit]]:
        """Return the gain of dropping each word, and the words that would be left."""
        peels: list[tuple[float, str, Limit]] = []
        for name in self.words:
            words, y = limits.get(name, self.whole(name)), fails[here]
            assert isinstance(words, frozenset)
            for word in sorted(words, key=str):
                left = self.columns[name][here] != word
                n, k = np.array(left.sum()), np.array(y[left].sum())
                gain = float(peel_gain(n, k, len(y), int(y.sum())))
                if np.isfinite(gain):
                    peels.append((gain, name, words - {word}))
        return peels

    def paste(self, limits: Limits, fails: np.ndarray) -> dict[str, Limit]:
        """Return limits with pieces pasted back where that raises the score.

        Limits that restrict nothing are dropped.
        """
        best = self.box(limits, fails)
        while True:
            wider = [
                self.box(self.without_whole({**best.limits, name: limit}), fails)
                for name in best.limits
                for limit in self.pastes(best, name)
            ]
            top = max(wider, key=merit, default=best)
            if merit(top) <= merit(best):
                return dict(best.limits)
            best = top

    def pastes(self, box: Box, name: str) -> list[Limit]:
        """Return the next wider limits of a factor: a piece at either end, or one more word."""
        limit = box.limits[name]
        if not isinstance(limit, Range):
            whole = self.whole(name)
            assert isinstance(whole, frozenset)
            return [limit | {word} for word in sorted(whole - limit, key=str)]
        others = {other: one for other, one in box.limits.items() if other != name}
        column = self.columns[name][self.inside(others).all(axis=1)]
        number = max(int(PEELED * box.futures), 1)
        below, above = np.sort(column[column < limit.low]), np.sort(column[column > limit.high])
        low = float(below[-number]) if len(below) > number else -np.inf
        high = float(above[number - 1]) if len(above) > number else np.inf
        return [Range(low, limit.high), Range(limit.low, high)]

    def without_whole(self, limits: Limits) -> dict[str, Limit]:
        """Return limits without those that restrict nothing."""
        return {name: limit for name, limit in limits.items() if limit != self.whole(name)}

    # Choosing

    def supported(self, limits: Limits, fails: np.ndarray, most: int) -> dict[str, Limit]:
        """Return limits without unsupported ones, dropping the largest quasi-p value first."""
        names, inside = list(limits), self.inside(limits)
        while names:
            p = quasi_p(inside, fails)
            worst = int(p.argmax())
            if len(names) <= most and p[worst] < QUASI_P:
                break
            names.pop(worst)
            inside = np.delete(inside, worst, axis=1)
        return {name: limits[name] for name in names}

    def best_box(self, trajectory: Sequence[Limits], fails: np.ndarray, most: int) -> Box | None:
        """Return the best supported box of a trajectory, pasted; None if none is supported."""
        kept = [self.supported(limits, fails, most) for limits in trajectory]
        boxes = [self.box(limits, fails) for limits in kept if limits]
        if not boxes:
            return None
        best = max(boxes, key=lambda box: box.score)
        limits = self.supported(self.paste(best.limits, fails), fails, most)
        return self.box(limits, fails) if limits else best


def merit(box: Box) -> tuple[float, int]:
    """Return what boxes are compared by: the score, and for ties the fewer finite ends."""
    ranges = [limit for limit in box.limits.values() if isinstance(limit, Range)]
    return box.score, -int(np.isfinite(ranges).sum())


def peel_gain(n: np.ndarray, k: np.ndarray, size: int, failures: int) -> np.ndarray:
    """Return the gain in density times futures left for each future lost.

    From ``n`` futures left with ``k`` failures, of ``size`` with ``failures``; NaN where none or
    all are lost.
    """
    valid = (n > 0) & (n < size)
    left = np.where(valid, n, 1)
    gain = (k / left - failures / size) * left / np.where(valid, size - n, 1)
    return np.where(valid, gain, np.nan)


def quasi_p(inside: np.ndarray, fails: np.ndarray) -> np.ndarray:
    """Return the quasi-p value of each restriction, from membership [futures, limits]."""
    from scipy.special import betainc

    outside = ~inside
    broken = outside.sum(axis=1)
    here = broken == 0
    n, k = here.sum(), fails[here].sum()
    without = (broken[:, None] - outside) == 0
    number = without.sum(axis=0)
    rate = np.divide(
        without[fails].sum(axis=0), number, out=np.zeros(len(number)), where=number > 0
    )
    # The binomial probability of k or more failures of n.
    return betainc(k, n - k + 1, rate) if k > 0 else np.ones(len(number))


def likelihood_ratio(box: Box | None, fails: np.ndarray) -> float:
    """Return twice the log likelihood ratio of failure rates inside and outside against one rate.

    0 without a box, or where failures are not denser inside.
    """
    from scipy.special import xlogy

    size, number = len(fails), int(fails.sum())
    if box is None or box.failures * size <= number * box.futures:
        return 0.0

    def fit(k: int, n: int) -> float:
        return float(xlogy(k, k / n) + xlogy(n - k, 1.0 - k / n)) if n else 0.0

    inside = fit(box.failures, box.futures)
    outside = fit(number - box.failures, size - box.futures)
    return 2.0 * (inside + outside - fit(number, size))
