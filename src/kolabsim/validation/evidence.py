"""Evidence: facts, the simulations behind them, and how a future is judged by them.

Published facts and those of a user are the same kind of object, judged by the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from math import inf, isfinite

import numpy as np

from kolabsim.analysis.statistics import mean_interval
from kolabsim.validation.facts import CALIBRATION, FACTS, SETTINGS, Fact
from kolabsim.validation.prior import Axis, axes
from kolabsim.validation.runs import Setting, simulate_runs
from kolabsim.validation.sampling import Judged, Space

UNDEFINED = 20.0
"""Excess of a fact whose contrast the runs do not define."""
FAR = 1.0
"""Excess at the first of two looks beyond which a set is not looked at with more runs."""
LOOKS = (1, 4)
"""Runs of the first and of the second look at the published facts."""
WIDTH = 0.1
"""Half the width of the band of a fact that has one end only and says nothing else."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Facts, the simulations behind them, and what varies when parameters are fitted to them."""

    facts: tuple[Fact, ...]
    """Facts of all classes; parameters are fitted to those for calibration."""
    settings: Mapping[str, Setting]
    axes: tuple[Axis, ...]
    """What calibration searches."""
    looks: tuple[int, ...] = LOOKS
    """Runs by which a future is judged: of each setting, in all up to each look."""
    free: tuple[Axis, ...] = ()
    """What varies too, but changes none of the facts: it is drawn, and not searched."""
    places: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """File and line of each fact that a user wrote."""
    origin: str = ""
    """A hash of the scenario of a user's facts."""
    is_chosen: bool = False
    """Whether a user named what varies."""

    @cached_property
    def groups(self) -> dict[tuple[str, ...], tuple[Fact, ...]]:
        """The facts for calibration by their settings, the cheapest settings first."""
        return self.grouped(fact for fact in self.facts if fact.use == CALIBRATION)

    def grouped(self, facts: Iterable[Fact]) -> dict[tuple[str, ...], tuple[Fact, ...]]:
        """Facts that the model can express by their settings, the cheapest settings first."""
        found: dict[tuple[str, ...], list[Fact]] = {}
        for fact in facts:
            if fact.is_expressed:
                found.setdefault(fact.settings, []).append(fact)
        order = sorted(found, key=lambda some: sum(self.settings[n].horizon for n in some))
        return {name: tuple(found[name]) for name in order}

    @property
    def calibration(self) -> tuple[Fact, ...]:
        """The facts for calibration, in the order in which a future is judged by them."""
        return tuple(fact for some in self.groups.values() for fact in some)

    @property
    def space(self) -> Space:
        """The unit cube of what is searched, and of the facts for calibration."""
        return Space(
            tuple(len(axis.words) for axis in self.axes),
            tuple(fact.kind == "direction" for fact in self.calibration),
        )

    def simulated(
        self, some: Sequence[str], facts: Sequence[Fact], numbers: range,
        future: Mapping[str, object], seed: int,
    ) -> np.ndarray:  # fmt: skip
        """[numbers, facts] contrasts of facts that compare these settings."""
        settings = [self.settings[name] for name in some]
        each = settings[0].repeats
        runs = range(numbers.start * each, numbers.stop * each)
        together = zip(
            *(simulate_runs(one, runs, future=future, seed=seed) for one in settings), strict=True
        )
        found = [
            [float(fact.contrast(*compared)) for fact in facts if fact.contrast]
            for compared in together
        ]
        return np.array(found).reshape(len(numbers), each, -1).mean(axis=1)


@cache
def published() -> Evidence:
    """The published facts by which the model is judged, and everything that is assumed."""
    return Evidence(FACTS, SETTINGS, axes())


# Judging ----------------------------------------------------------------------------------------


def half_width(fact: Fact) -> float:
    """Half the width of the band of a fact; of one with one end only, what it says itself."""
    width = (fact.high - fact.low) / 2.0
    return width if isfinite(width) else fact.width or WIDTH


def position(fact: Fact, value: float) -> float:
    """The place of a value in the band of a fact: -1 and 1 are its ends.

    A fact with one end only counts as agreeing from that end on, which is -1.

    Examples
    --------
    >>> (share,) = (fact for fact in FACTS if fact.id == "SF18")  # 15 to 40 percent
    >>> round(position(share, 0.275), 3), round(position(share, 0.45), 3)
    (0.0, 1.4)
    """
    if not isfinite(value):
        return np.nan
    if isfinite(fact.low):
        return (value - fact.low) / half_width(fact) - 1.0
    return (fact.high - value) / half_width(fact) - 1.0


def excess(fact: Fact, value: float) -> float:
    """How far a value lies outside the band of a fact, in half-widths of the band; 0 inside.

    Examples
    --------
    >>> (share,) = (fact for fact in FACTS if fact.id == "SF18")  # 15 to 40 percent
    >>> round(excess(share, 0.45), 3)
    0.4
    """
    if not isfinite(value):
        return UNDEFINED
    return min(max(fact.low - value, value - fact.high, 0.0) / half_width(fact), UNDEFINED)


def judge(
    future: Mapping[str, object],
    enough: float = inf,
    *,
    seed: int = 1,
    evidence: Evidence | None = None,
) -> Judged:
    """Judge a future by all facts for calibration, by default the published ones.

    A first look with few runs of each setting is final if a fact is :data:`FAR` outside its band;
    otherwise a second look with more decides. All futures share their random draws. Beyond an
    excess of ``enough``, the remaining settings are not simulated.
    """
    evidence = published() if evidence is None else evidence
    places = {fact.id: np.nan for fact in evidence.calibration}
    values: dict[tuple[str, ...], list[np.ndarray]] = {name: [] for name in evidence.groups}
    worst = 0.0
    for runs in evidence.looks:
        is_last = runs == evidence.looks[-1]
        limit = enough if is_last else max(enough, FAR)
        worst = 0.0
        for name, some in evidence.groups.items():
            numbers = range(len(values[name]), runs)
            values[name] += [*evidence.simulated(name, some, numbers, future, seed)]
            means = mean_interval(np.array(values[name])).mean
            for fact, value in zip(some, means, strict=True):
                places[fact.id] = position(fact, value)
                worst = max(worst, excess(fact, value))
            if worst > limit:
                break
        if worst > FAR or worst > limit:
            break
    return Judged(np.array(list(places.values())), worst)


def misfit(future: Mapping[str, object], *, runs: int, seed: int, enough: float = inf) -> float:
    """Largest excess over all published facts for calibration, with ``runs`` runs of each setting.

    All futures share their random draws. Beyond an excess of ``enough``, the remaining settings are
    not simulated.
    """
    worst, evidence = 0.0, published()
    for name, facts in evidence.groups.items():
        found = evidence.simulated(name, facts, range(runs), future, seed)
        worst = max(worst, *map(excess, facts, mean_interval(found).mean))
        if worst > enough:
            break
    return worst
