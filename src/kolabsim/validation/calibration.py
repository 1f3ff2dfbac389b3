"""Calibration: the futures that agree with the facts, kept as an ensemble and not as a best one.

History matching [craig_1997] without an emulator, because a set of parameters is judged in a tenth
of a second: sets are drawn evenly from the ranges of all assumed parameters; a first look with one
run rules out those that are far from a fact, a second with more runs those that disagree with any.
What is left is an even draw from all that is not ruled out: nothing is moved or weighted, so sets
are independent, and what the facts do not speak of is left as wide as it was.

Then each set is tried with each alternative of each structure, and goes on with a drawn combination
of those that agree: what the facts leave open of the model's form is open in the ensemble too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import inf, isfinite
from typing import NamedTuple

import numpy as np

from kolabsim.engine.ensemble import cores
from kolabsim.model.parameters import PARAMETERS, Parameter, between
from kolabsim.scenario.futures import STRUCTURES, Future, structural_futures
from kolabsim.validation.facts import CALIBRATION, FACTS, SETTINGS, Fact
from kolabsim.validation.scorecard import contrasts, interval

Misfit = Callable[[np.ndarray, int, float], float]
"""How badly a point of the unit cube disagrees, judged by so many runs; 0 where it agrees. It need
not be exact beyond the third."""

NEVER = 1e6
"""Distance of what cannot be compared: a fact that the runs do not define."""
FAR = 0.5
"""Excess at the first look beyond which a set is ruled out: its few runs may err by less."""
LOOKS = (1, 4)
"""Runs of the first and of the second look."""
BATCH = 64
"""Sets that are looked at together."""
TRIES = 5
"""Combinations of structures that are tried for a set before it stays with the usual ones."""


def assumed() -> dict[str, Parameter]:
    """The parameters that nobody has measured, by name.

    Not among them: how fast trust comes and goes, whose ratio the literature bounds (SF24).
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
    """The facts that may be calibrated on, by the setting that they are read from.

    The setting that takes the fewest quarters comes first.
    """
    found: dict[str, list[Fact]] = {}
    for fact in FACTS:
        if fact.use == CALIBRATION:
            (setting,) = fact.settings
            found.setdefault(setting, []).append(fact)
    order = sorted(found, key=lambda name: SETTINGS[name].changes["horizon"])
    return {name: tuple(found[name]) for name in order}


def excess(fact: Fact, value: float) -> float:
    """How far a value lies outside the band of a fact, in half-widths of the band; 0 inside."""
    if not isfinite(value):
        return NEVER
    width = (fact.high - fact.low) / 2.0
    width = width if isfinite(width) else 0.1
    return max(fact.low - value, value - fact.high, 0.0) / width


def misfit(future: Mapping[str, object], *, runs: int, seed: int, enough: float = inf) -> float:
    """Largest excess over all calibration facts; all futures are judged on the same draws.

    Beyond ``enough`` the settings that are left are not simulated.
    """
    worst = 0.0
    for facts in calibration_facts().values():
        found = [contrasts(k, facts, future, seed) for k in range(runs)]
        values = (interval(one)[0] for one in zip(*found, strict=True))
        pairs = zip(facts, values, strict=True)
        worst = max(worst, *(excess(fact, value) for fact, value in pairs))
        if worst > enough:
            break
    return worst


# Parameters -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Narrowed:
    """What is not ruled out of the unit cube."""

    points: np.ndarray
    """[sets, dimensions] that agree with all facts."""
    drawn: int
    """Sets that were looked at."""
    near: int
    """Of these, how many the first look left."""


def narrow(
    misfit: Misfit,
    dimensions: int,
    *,
    wanted: int,
    most: int = 50_000,
    looks: tuple[int, int] = LOOKS,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[Narrowed], None] | None = None,
) -> Narrowed:
    """Draw points of the unit cube evenly until ``wanted`` of them agree, or ``most`` are drawn.

    Every draw is of ``seed``, so that threads change nothing.
    """
    luck = np.random.default_rng(seed)
    kept: list[np.ndarray] = []
    drawn = near = 0
    with ThreadPoolExecutor(threads or cores()) as pool:

        def left(points: np.ndarray, runs: int, enough: float) -> np.ndarray:
            found = list(pool.map(lambda point: misfit(point, runs, enough), points))
            return points[np.array(found) <= enough]

        while len(kept) < wanted and drawn < most:
            points = luck.random((min(BATCH, most - drawn), dimensions))
            drawn += len(points)
            points = left(points, looks[0], FAR)
            near += len(points)
            kept += list(left(points, looks[1], 0.0)) if len(points) else []
            found = Narrowed(np.array(kept[:wanted]).reshape(-1, dimensions), drawn, near)
            if progress is not None:
                progress(found)
    return found


class Identified(NamedTuple):
    """What the facts say of a parameter."""

    left: float
    """Width of the middle nine tenths of what is left, over that of an even draw."""
    p: float
    """p-value of an even draw, by Kolmogorov and Smirnov."""


def identified(points: np.ndarray, names: Sequence[str]) -> dict[str, Identified]:
    """How much the facts say of each dimension, given what they left of the unit cube."""
    from scipy.special import kolmogorov

    found = {}
    n = len(points)
    for name, values in zip(names, np.sort(points, axis=0).T, strict=True):
        width = float(np.subtract(*np.quantile(values, (0.95, 0.05))) / 0.9)
        rank = np.arange(n)
        apart = float(max(np.max((rank + 1) / n - values), np.max(values - rank / n)))
        p = float(kolmogorov((np.sqrt(n) + 0.12 + 0.11 / np.sqrt(n)) * apart))
        found[name] = Identified(width, p)
    return found


# Structures -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calibration:
    """An ensemble of futures that agree with all calibration facts."""

    futures: tuple[Future, ...]
    """Parameters and structures of each."""
    narrowed: Narrowed
    said: Mapping[str, Identified]
    """What the facts say of each parameter."""
    agreeing: Mapping[str, float]
    """Share of the sets that agree with the facts under an alternative structure as well."""


def alternatives(
    sets: Sequence[Future], judge: Callable[[Future], float], threads: int | None = None
) -> list[tuple[str, ...]]:
    """For each set, the names of the structural alternatives under which it still agrees."""
    others = structural_futures()
    work = [(one, name) for one in sets for name in others]
    with ThreadPoolExecutor(threads or cores()) as pool:
        found = list(pool.map(lambda part: judge(part[0] | others[part[1]]) <= 0.0, work))
    agrees = np.array(found).reshape(len(sets), len(others))
    return [tuple(np.array(list(others))[row]) for row in agrees]


def combined(
    sets: Sequence[Future],
    allowed: Sequence[Sequence[str]],
    judge: Callable[[Future], float],
    *,
    seed: int = 1,
    threads: int | None = None,
) -> tuple[Future, ...]:
    """Each set with structures drawn from the usual ones and those under which it agrees.

    A combination must agree too: after some tries a set stays with the usual structures.
    """
    others = structural_futures()
    usual: Future = {name: words[0] for name, words in STRUCTURES.items()}

    def one(k: int) -> Future:
        luck = np.random.default_rng((seed, k))
        for _try in range(TRIES):
            drawn = dict(usual)
            for name, word in usual.items():
                choice = [
                    word,
                    *(others[other][name] for other in allowed[k] if name in others[other]),
                ]
                drawn[name] = choice[luck.integers(len(choice))]
            if drawn == usual or judge(sets[k] | drawn) <= 0.0:
                return sets[k] | drawn
        return sets[k] | usual

    with ThreadPoolExecutor(threads or cores()) as pool:
        return tuple(pool.map(one, range(len(sets))))


def calibrate(
    *,
    sets: int = 100,
    most: int = 50_000,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[Narrowed], None] | None = None,
) -> Calibration:
    """Futures that agree with all calibration facts; see :func:`narrow` and :func:`combined`."""

    def judge(future: Future) -> float:
        return misfit(future, runs=LOOKS[1], seed=seed, enough=0.0)

    narrowed = narrow(
        lambda point, runs, enough: misfit(future_at(point), runs=runs, seed=seed, enough=enough),
        len(assumed()),
        wanted=sets,
        most=most,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    found = [future_at(point) for point in narrowed.points]
    allowed = alternatives(found, judge, threads)
    return Calibration(
        combined(found, allowed, judge, seed=seed, threads=threads),
        narrowed,
        identified(narrowed.points, list(assumed())) if len(found) else {},
        {
            name: float(np.mean([name in names for names in allowed])) if found else np.nan
            for name in structural_futures()
        },
    )
