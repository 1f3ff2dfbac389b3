"""Calibration: the futures that agree with the facts, kept as an ensemble and not as a best one.

History matching [craig_1997] without an emulator, because a future is judged in a tenth of a
second: futures are drawn evenly from the ranges of all assumed parameters and from the alternatives
of all structures; a first look with few runs rules out those that are far from a fact, a second
with more runs those that disagree with any. What is left is an even draw from all that is not ruled
out: nothing is moved or weighted, so futures are independent, and what the facts do not speak of is
left as wide as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import numpy as np

from kolabsim.engine.ensemble import cores
from kolabsim.evidence.facts import CALIBRATION, FACTS, Fact
from kolabsim.evidence.scorecard import contrasts, interval
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.world.futures import STRUCTURES, Future

Misfit = Callable[[np.ndarray, int], float]
"""How badly a point of the unit cube disagrees, judged by so many runs; 0 where it agrees."""

NEVER = 1e6
"""Distance of what cannot be compared: a fact that the runs do not define."""
FAR = 0.5
"""Excess at the first look beyond which a set is ruled out: its few runs may err by less."""
BATCH = 64
"""Sets that are looked at together."""


def assumed() -> dict[str, Parameter]:
    """The parameters that nobody has measured, by name.

    Not among them: how fast trust comes and goes, whose ratio the literature bounds (SF24).
    """
    return {name: entry for name, entry in PARAMETERS.items() if entry.source == "assumed"}


def is_scale(entry: Parameter) -> bool:
    """Whether a range is of a factor, half to double, rather than of a difference."""
    return entry.low > 0.0 and entry.high / entry.low > 3.9


def dimensions() -> tuple[str, ...]:
    """What is drawn, by dotted names: all assumed parameters, then all structures."""
    return (*(f"parameters.{name}" for name in assumed()), *STRUCTURES)


def future_at(point: np.ndarray) -> Future:
    """The future at a point of the unit cube.

    Each parameter goes from low (0) to high (1) of its range; each alternative of a structure has
    an equal part.
    """
    found: Future = {}
    for name, u in zip(dimensions(), point, strict=True):
        if name in STRUCTURES:
            found[name] = STRUCTURES[name][int(u * len(STRUCTURES[name]))]
            continue
        entry = PARAMETERS[name.partition(".")[2]]
        if is_scale(entry):
            found[name] = float(entry.low * (entry.high / entry.low) ** u)
        else:
            found[name] = float(entry.low + u * (entry.high - entry.low))
    return found


def calibration_facts() -> tuple[Fact, ...]:
    """The facts that may be calibrated on."""
    return tuple(fact for fact in FACTS if fact.use == CALIBRATION)


def excess(fact: Fact, value: float) -> float:
    """How far a value lies outside the band of a fact, in half-widths of the band; 0 inside."""
    if not isfinite(value):
        return NEVER
    width = (fact.high - fact.low) / 2.0
    width = width if isfinite(width) else 0.1
    return max(fact.low - value, value - fact.high, 0.0) / width


def misfit(future: Mapping[str, object], *, runs: int, seed: int) -> float:
    """Largest excess over all calibration facts; all futures are judged on the same draws."""
    facts = calibration_facts()
    found = [contrasts(k, facts, future, seed) for k in range(runs)]
    values = (interval(one)[0] for one in zip(*found, strict=True))
    return max(excess(fact, value) for fact, value in zip(facts, values, strict=True))


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
    looks: tuple[int, int] = (1, 4),
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[Narrowed], None] | None = None,
) -> Narrowed:
    """Draw points of the unit cube evenly until ``wanted`` of them agree, or ``most`` are drawn.

    ``looks`` are the runs of the first and the second look. Every draw is of ``seed``, so that
    threads change nothing.
    """
    luck = np.random.default_rng(seed)
    kept: list[np.ndarray] = []
    drawn = near = 0
    with ThreadPoolExecutor(threads or cores()) as pool:

        def look(points: np.ndarray, runs: int) -> np.ndarray:
            return np.array(list(pool.map(lambda point: misfit(point, runs), points)))

        while len(kept) < wanted and drawn < most:
            points = luck.random((min(BATCH, most - drawn), dimensions))
            drawn += len(points)
            points = points[look(points, looks[0]) <= FAR]
            near += len(points)
            kept += list(points[look(points, looks[1]) <= 0.0]) if len(points) else []
            found = Narrowed(np.array(kept[:wanted]).reshape(-1, dimensions), drawn, near)
            if progress is not None:
                progress(found)
    return found


def calibrate(
    *,
    sets: int = 100,
    most: int = 50_000,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[Narrowed], None] | None = None,
) -> Narrowed:
    """Futures that agree with all calibration facts; see :func:`narrow`."""
    return narrow(
        lambda point, runs: misfit(future_at(point), runs=runs, seed=seed),
        len(dimensions()),
        wanted=sets,
        most=most,
        seed=seed,
        threads=threads,
        progress=progress,
    )


class Identified(NamedTuple):
    """What the facts say of a parameter or structure."""

    left: float
    """Width of its middle nine tenths, over that of an even draw; of a structure, how many of its
    alternatives are left, counted by their entropy, over all."""
    p: float
    """p-value of an even draw: Kolmogorov-Smirnov, or chi-squared for a structure."""
    usual: float
    """Of a structure: share of its usual alternative; NaN for a parameter."""


def identified(points: np.ndarray, names: Sequence[str]) -> dict[str, Identified]:
    """How much the facts say of each dimension, given what they left of the unit cube."""
    from scipy.special import chdtrc, kolmogorov

    found = {}
    n = len(points)
    for name, values in zip(names, np.sort(points, axis=0).T, strict=True):
        if name in STRUCTURES:
            number = len(STRUCTURES[name])
            count = np.bincount((values * number).astype(int), minlength=number)
            share, even = count / n, n / number
            entropy = -(share * np.log(np.maximum(share, 1e-300))).sum()
            p = float(chdtrc(number - 1, ((count - even) ** 2 / even).sum()))
            found[name] = Identified(float(np.exp(entropy)) / number, p, float(share[0]))
            continue
        width = float(np.subtract(*np.quantile(values, (0.95, 0.05))) / 0.9)
        rank = np.arange(n)
        apart = float(max(np.max((rank + 1) / n - values), np.max(values - rank / n)))
        p = float(kolmogorov((np.sqrt(n) + 0.12 + 0.11 / np.sqrt(n)) * apart))
        found[name] = Identified(width, p, np.nan)
    return found
