"""Calibration: an ensemble of futures that agree with the facts, rather than one best fit.

History matching [craig_1997] without an emulator, because judging a set of parameters takes a tenth
of a second. Sets are drawn uniformly from the ranges of all assumed parameters. A first look with
one run rules out those that are far from a fact; a second with more runs rules out those that
disagree with any. What remains is a uniform draw from everything that is not ruled out: nothing is
moved or weighted, so sets are independent, and a range that the facts do not constrain stays as
wide as it was.

Each set is then tried with each alternative of each structure, and continues with a drawn
combination of those that agree. The ensemble thus leaves open what the facts leave open of the
model's form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import NamedTuple

import numpy as np

from kolabsim.analysis.statistics import mean_interval
from kolabsim.engine.ensemble import in_threads
from kolabsim.model.parameters import PARAMETERS, Parameter, between
from kolabsim.scenario.futures import STRUCTURES, Future, structural_futures
from kolabsim.validation.facts import CALIBRATION, FACTS, SETTINGS, Fact
from kolabsim.validation.scorecard import contrasts

Misfit = Callable[[np.ndarray, int, float], float]
"""How far a point of the unit cube disagrees with the facts, judged by a number of runs; 0 where it
agrees. Beyond the third argument it need not be exact."""

NEVER = 1e6
"""Excess of a fact whose contrast the runs do not define."""
FAR = 0.5
"""Excess at the first look beyond which a set is ruled out; noise of so few runs is smaller."""
LOOKS = (1, 4)
"""Runs of the first and of the second look."""
BATCH = 64
"""Sets that are judged together."""
TRIES = 5
"""Combinations of structures that are tried before a set keeps the default ones."""


def assumed() -> dict[str, Parameter]:
    """The assumed parameters, by name.

    The speeds at which trust grows and falls are not among them: the literature bounds their ratio
    (SF24).
    """
    return {name: entry for name, entry in PARAMETERS.items() if entry.source == "assumed"}


def future_at(point: np.ndarray) -> Future:
    """The future at a point of the unit cube: each parameter from low (0) to high (1)."""
    return {
        f"parameters.{name}": between(entry.low, entry.high, u)
        for (name, entry), u in zip(assumed().items(), point, strict=True)
    }


# Judging ----------------------------------------------------------------------------------------


def calibration_facts() -> dict[str, tuple[Fact, ...]]:
    """The facts for calibration by setting; the setting with the fewest quarters comes first."""
    found: dict[str, list[Fact]] = {}
    for fact in FACTS:
        if fact.use == CALIBRATION:
            (setting,) = fact.settings
            found.setdefault(setting, []).append(fact)
    order = sorted(found, key=lambda name: SETTINGS[name].changes["horizon"])
    return {name: tuple(found[name]) for name in order}


def excess(fact: Fact, value: float) -> float:
    """How far a value lies outside the band of a fact, in half-widths of the band; 0 inside.

    Examples
    --------
    >>> (share,) = (fact for fact in FACTS if fact.id == "SF18")  # 15 to 40 percent
    >>> round(excess(share, 0.45), 3)
    0.4
    """
    if not isfinite(value):
        return NEVER
    width = (fact.high - fact.low) / 2.0
    width = width if isfinite(width) else 0.1
    return max(fact.low - value, value - fact.high, 0.0) / width


def misfit(future: Mapping[str, object], *, runs: int, seed: int, enough: float = inf) -> float:
    """Largest excess over all facts for calibration, with ``runs`` runs of each setting.

    All futures share their random draws. Beyond an excess of ``enough``, the remaining settings are
    not simulated.
    """
    worst = 0.0
    for facts in calibration_facts().values():
        found = [contrasts(k, facts, future, seed) for k in range(runs)]
        worst = max(worst, *map(excess, facts, mean_interval(np.array(found)).mean))
        if worst > enough:
            break
    return worst


# Parameters -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Narrowed:
    """The part of the unit cube that is not ruled out."""

    points: np.ndarray
    """Sets that agree with all facts [sets, dimensions]."""
    drawn: int
    """Sets that were judged."""
    near: int
    """Sets that the first look did not rule out."""


def narrow(
    misfit: Misfit,
    dimensions: int,
    *,
    wanted: int,
    most: int = 50_000,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[Narrowed], None] | None = None,
) -> Narrowed:
    """Draw points of the unit cube uniformly until enough of them agree.

    The search ends with ``wanted`` points, or once ``most`` are judged. ``progress`` is called
    after each batch with what was found so far; threads change nothing.
    """
    rng = np.random.default_rng(seed)
    kept: list[np.ndarray] = []
    drawn = near = 0

    def left(points: np.ndarray, runs: int, enough: float) -> np.ndarray:
        found = in_threads(lambda point: misfit(point, runs, enough), points, threads=threads)
        return points[np.array(list(found)) <= enough]

    while len(kept) < wanted and drawn < most:
        points = rng.random((min(BATCH, most - drawn), dimensions))
        drawn += len(points)
        points = left(points, LOOKS[0], FAR)
        near += len(points)
        kept += list(left(points, LOOKS[1], 0.0)) if len(points) else []
        found = Narrowed(np.array(kept[:wanted]).reshape(-1, dimensions), drawn, near)
        if progress is not None:
            progress(found)
    return found


class Identified(NamedTuple):
    """How far the facts narrow a parameter."""

    left: float
    """Width of the middle 90% of what is left, relative to a uniform draw."""
    p: float
    """p-value of a Kolmogorov-Smirnov test against a uniform draw."""


def identified(points: np.ndarray, names: Sequence[str]) -> dict[str, Identified]:
    """How far the facts narrow each dimension, given the points [sets, dimensions] they left."""
    from scipy.special import kolmogorov

    found = {}
    n = len(points)
    rank = np.arange(n)
    for name, values in zip(names, np.sort(points, axis=0).T, strict=True):
        width = float(np.subtract(*np.quantile(values, (0.95, 0.05))) / 0.9)
        apart = max(np.max((rank + 1) / n - values), np.max(values - rank / n))
        p = kolmogorov((np.sqrt(n) + 0.12 + 0.11 / np.sqrt(n)) * float(apart))
        found[name] = Identified(width, float(p))
    return found


# Structures -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calibration:
    """An ensemble of futures that agree with all facts for calibration."""

    futures: tuple[Future, ...]
    """Parameters and structures of each."""
    narrowed: Narrowed
    identified: Mapping[str, Identified]
    """How far the facts narrow each parameter."""
    agreeing: Mapping[str, float]
    """Share of the sets that also agree under an alternative structure, by its name."""


def alternatives(
    sets: Sequence[Future], judge: Callable[[Future], float], threads: int | None = None
) -> list[tuple[str, ...]]:
    """For each set, the names of the structural alternatives under which it still agrees."""
    others = structural_futures()
    work = [(one, name) for one in sets for name in others]
    found = in_threads(lambda part: judge(part[0] | others[part[1]]) <= 0.0, work, threads=threads)
    agrees = np.array(list(found)).reshape(len(sets), len(others))
    return [tuple(np.array(list(others))[row]) for row in agrees]


def combined(
    sets: Sequence[Future],
    allowed: Sequence[Sequence[str]],
    judge: Callable[[Future], float],
    *,
    seed: int = 1,
    threads: int | None = None,
) -> tuple[Future, ...]:
    """Give each set structures drawn from the default ones and those under which it agrees.

    The combination must agree too; after some tries a set keeps the default structures.
    """
    others = structural_futures()
    usual: Future = {name: words[0] for name, words in STRUCTURES.items()}

    def one(k: int) -> Future:
        rng = np.random.default_rng((seed, k))
        agreeing = [usual, *(others[name] for name in allowed[k])]
        choices = {name: [one[name] for one in agreeing if name in one] for name in usual}
        for _try in range(TRIES):
            drawn = {name: words[rng.integers(len(words))] for name, words in choices.items()}
            if drawn == usual or judge(sets[k] | drawn) <= 0.0:
                return sets[k] | drawn
        return sets[k] | usual

    return tuple(in_threads(one, range(len(sets)), threads=threads))


def calibrate(
    *,
    sets: int = 100,
    most: int = 50_000,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[Narrowed], None] | None = None,
) -> Calibration:
    """Find ``sets`` futures that agree with all facts for calibration, as :func:`narrow` does."""

    def judge(future: Future, runs: int = LOOKS[1], enough: float = 0.0) -> float:
        return misfit(future, runs=runs, seed=seed, enough=enough)

    narrowed = narrow(
        lambda point, runs, enough: judge(future_at(point), runs, enough),
        len(assumed()), wanted=sets, most=most, seed=seed, threads=threads, progress=progress,
    )  # fmt: skip
    found = [future_at(point) for point in narrowed.points]
    allowed = alternatives(found, judge, threads)
    return Calibration(
        combined(found, allowed, judge, seed=seed, threads=threads),
        narrowed,
        identified(narrowed.points, list(assumed())) if found else {},
        {
            name: float(np.mean([name in names for names in allowed])) if found else np.nan
            for name in structural_futures()
        },
    )
