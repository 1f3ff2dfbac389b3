"""What an ensemble predicts, before and after calibration, and which facts conflict.

Predictions use random draws that calibration did not see, so that a set which agreed by chance is
found out. Each set has draws of its own, and ranges over sets do not contain the chance of runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import isfinite
from typing import NamedTuple

import numpy as np

from kolabsim.analysis.statistics import CRITERIA, effects, mean_interval
from kolabsim.engine.ensemble import in_threads
from kolabsim.study.tasks import future_seed
from kolabsim.validation.calibration import Calibration
from kolabsim.validation.evidence import Evidence, half_width, judge
from kolabsim.validation.facts import Fact
from kolabsim.validation.prior import Axis, future_at, point_of
from kolabsim.validation.sampling import Population

PRIOR = 100
"""Points of a uniform draw that show what was expected before calibration."""
PREDICTED = "plausible-prediction-"
"""Begins the names of random draws: as plausible futures do, each set has its own."""
PROBES = 4
"""Runs by which it is found out whether a setting changes a fact."""
SAMPLE = 16
"""Sets by which the time of a search is estimated."""
EXPECTED = 5.0
"""Judged sets in which two facts would agree by chance, from which their never agreeing counts."""


# Before -----------------------------------------------------------------------------------------


def find_acting(
    evidence: Evidence,
    *,
    seed: int,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Evidence:
    """Search only what changes a fact; all else is drawn, since no fact can narrow it.

    Each setting is moved to both ends of its range, or to each other word, with all others at their
    defaults. Random draws are shared, so a setting that acts at all changes some run in some bit.
    """
    work = list(probes(evidence.axes))
    numbers = range(min(PROBES, evidence.looks[-1]))

    def outcome(point: np.ndarray) -> bytes:
        future = future_at(point, evidence.axes)
        found = [
            evidence.simulated(name, facts, numbers, future, seed)
            for name, facts in evidence.groups.items()
        ]
        return b"".join(one.tobytes() for one in found)

    usual = point_of({}, evidence.axes)
    found = list(
        in_threads(
            outcome, [usual, *(point for _k, point in work)], threads=threads, progress=progress
        )
    )
    acting = {k for (k, _point), one in zip(work, found[1:], strict=True) if one != found[0]}
    return replace(
        evidence,
        axes=tuple(one for k, one in enumerate(evidence.axes) if k in acting),
        free=tuple(one for k, one in enumerate(evidence.axes) if k not in acting),
    )


def probes(along: Sequence[Axis]) -> Iterator[tuple[int, np.ndarray]]:
    """The points at which each axis, by its position, is tried."""
    usual = point_of({}, along)
    for k, axis in enumerate(along):
        places = [axis.place(word) for word in axis.words[1:]] if axis.words else [0.0, 1.0]
        for place in places:
            point = usual.copy()
            point[k] = place
            yield k, point


class Outset(NamedTuple):
    """What the scenario says of the facts before calibration, and what a set costs."""

    seconds: float
    """Seconds that a set takes, with all threads at work."""
    noise: Mapping[str, float]
    """Half the width of the 95% interval of each fact with the runs of the last look, over half the
    width of its band; NaN where it is not defined."""


def measure_outset(evidence: Evidence, *, seed: int, threads: int | None = None) -> Outset:
    """Judge the scenario as it is and a few sets, and measure how rough and how slow that is."""
    noise, numbers = {}, range(evidence.looks[-1])
    for name, facts in evidence.groups.items():
        values = evidence.simulated(name, facts, numbers, {}, seed)
        found = mean_interval(values)
        for k, fact in enumerate(facts):
            noise[fact.id] = float(found.high[k] - found.low[k]) / 2.0 / half_width(fact)
    points = np.random.default_rng(seed).random((SAMPLE, len(evidence.axes)))
    for again in (False, True):  # the first time builds worlds
        started = time.perf_counter()
        list(
            in_threads(
                lambda point: judge(
                    future_at(point, evidence.axes), seed=seed, evidence=evidence
                ),
                points if again else points[:1], threads=threads,
            )
        )  # fmt: skip
    return Outset((time.perf_counter() - started) / SAMPLE, noise)


# After ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prediction:
    """What the prior and the ensemble say of one fact."""

    fact: Fact
    prior: np.ndarray
    """[points of a uniform draw] expected value, without the chance of the runs."""
    posterior: np.ndarray
    """[sets] the same."""

    @property
    def share(self) -> float:
        """Share of the sets in which the fact holds, among those in which it is defined."""
        return self.share_of(self.posterior)

    @property
    def before(self) -> float:
        """The same for a uniform draw."""
        return self.share_of(self.prior)

    def share_of(self, values: np.ndarray) -> float:
        """Share of values that lie in the band; NaN if none is defined."""
        values = values[np.isfinite(values)]
        inside = (self.fact.low <= values) & (values <= self.fact.high)
        return float(inside.mean()) if len(values) else np.nan

    @property
    def holds(self) -> bool | None:
        """Whether the fact holds in most sets; None if it holds in some only."""
        if not isfinite(self.share):
            return None
        if self.share >= CRITERIA.likely:
            return True
        return False if self.share <= 1.0 - CRITERIA.likely else None


def predict(
    found: Calibration,
    *,
    runs: int | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[Prediction, ...]:
    """Predict all facts, held-out ones too, with draws that calibration did not see.

    ``progress`` is called with the number of finished sets, of :data:`PRIOR` and those found.
    """
    evidence = found.evidence
    runs = evidence.looks[-1] if runs is None else runs
    rng = np.random.default_rng((found.seed, PRIOR))
    drawn = rng.random((PRIOR, len(evidence.axes)))
    futures = [future_at(point, evidence.axes) for point in (*drawn, *found.points)]
    groups = evidence.grouped(evidence.facts)

    def outcome(work: tuple[int, Mapping[str, object]]) -> np.ndarray:
        number, future = work
        seed = future_seed(found.seed, f"{PREDICTED}{number}")
        contrasts = [
            evidence.simulated(name, facts, range(runs), future, seed)
            for name, facts in groups.items()
        ]
        return np.concatenate(contrasts, axis=1)

    work = enumerate(futures)
    values = np.array(list(in_threads(outcome, work, threads=threads, progress=progress)))
    values = np.moveaxis(values, 2, 0)  # facts, sets, runs
    before, after = (effects(part).values for part in (values[:, :PRIOR], values[:, PRIOR:]))
    facts = [fact for some in groups.values() for fact in some]
    made = {
        fact.id: Prediction(fact, *pair) for fact, *pair in zip(facts, before, after, strict=True)
    }
    return tuple(made[fact.id] for fact in evidence.facts if fact.id in made)


# Conflicts --------------------------------------------------------------------------------------


class Clash(NamedTuple):
    """Two facts that hold in some judged sets each, and in none together."""

    one: Fact
    other: Fact
    holds_one: int
    holds_other: int
    """Judged sets in which each of them holds."""


class Conflicts(NamedTuple):
    """What keeps facts from holding together, among all sets that were judged."""

    unreached: tuple[tuple[Fact, float], ...]
    """Facts that hold in no judged set, with the nearest value."""
    clashes: tuple[Clash, ...]


def find_conflicts(evidence: Evidence, population: Population) -> Conflicts:
    """Find facts that no judged set reaches, and pairs that none satisfies together."""
    places, facts = population.places, evidence.calibration
    one_sided = np.array(evidence.space.one_sided)
    known = np.isfinite(places)
    inside = known & (places >= -1.0) & (one_sided | (places <= 1.0))
    unreached, clashes = [], []
    for k, fact in enumerate(facts):
        if known[:, k].any() and not inside[:, k].any():
            far = np.abs(np.where(known[:, k], places[:, k], np.inf))
            unreached.append((fact, value_at(fact, float(places[np.argmin(far), k]))))
    for a, b in combinations(range(len(facts)), 2):
        both = known[:, a] & known[:, b]
        one, other = (inside[both, k] for k in (a, b))
        expected = one.mean() * other.sum() if both.any() else 0.0
        if expected >= EXPECTED and not (one & other).any():
            clashes.append(Clash(facts[a], facts[b], int(one.sum()), int(other.sum())))
    return Conflicts(tuple(unreached), tuple(clashes))


def value_at(fact: Fact, place: float) -> float:
    """The value at a place in the band of a fact: -1 and 1 are its ends."""
    if isfinite(fact.low):
        return fact.low + (place + 1.0) * half_width(fact)
    return fact.high - (place + 1.0) * half_width(fact)
