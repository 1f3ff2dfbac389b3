"""The scorecard: each fact with the model's value, its interval and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import isfinite, nan
from typing import NamedTuple

import numpy as np

from kolabsim.engine.ensemble import cores
from kolabsim.validation.facts import FACTS, SETTINGS, Fact
from kolabsim.validation.runs import simulate_runs

REPRODUCED, MISSED, UNDECIDED, ABSENT = (
    "reproduced", "not reproduced", "undecided", "not represented"
)  # fmt: skip
"""Verdicts; a fact that the model cannot express counts as not reproduced."""

QUICK = 8
"""Runs of a quick look."""
FEW = 4
"""Runs of each setting in each plausible future, as in calibration."""
FUTURES = 20
"""Plausible futures in which facts are judged by default."""


def runs_needed(*, configurations: int = 2, effect: float = 0.4) -> int:
    """Runs of each setting for a power of .95 at a level of .01 [seri_secchi_2017].

    Parameters
    ----------
    configurations
        Settings that are compared.
    effect
        Size of the effect as Cohen's f; .4 is a large one.

    Examples
    --------
    >>> runs_needed()
    56
    """
    return int(np.ceil(14.091 * configurations**-0.640 * effect**-1.986))


class Finding(NamedTuple):
    """A fact with the model's value of its contrast."""

    fact: Fact
    value: float
    low: float
    high: float
    """Mean of the contrast over runs, and its 95 % interval."""
    runs: int
    """Runs that define the contrast."""
    verdict: str
    elsewhere: float = nan
    """Share of the plausible futures in which the fact holds; NaN if it was judged in none."""


def judge(fact: Fact, low: float, high: float) -> str:
    """Judge a fact by the interval of its contrast."""
    if not fact.is_represented:
        return ABSENT
    if not (isfinite(low) and isfinite(high)):
        return UNDECIDED
    if fact.includes is not None:
        return REPRODUCED if low <= fact.includes <= high else MISSED
    if fact.not_above is not None:
        return REPRODUCED if low <= fact.not_above else MISSED
    if fact.low <= low and high <= fact.high:
        return REPRODUCED
    return MISSED if high < fact.low or low > fact.high else UNDECIDED


def holds(fact: Fact, value: float, low: float, high: float) -> bool:
    """Whether a fact holds on average, by the mean of its contrast and the interval."""
    if fact.includes is not None or fact.not_above is not None:
        return judge(fact, low, high) == REPRODUCED
    return fact.low <= value <= fact.high


def interval(values: Sequence[float], *, level: float = 0.95) -> tuple[float, float, float, int]:
    """Mean over runs, its t interval, and how many runs are defined; NaN without two."""
    from scipy.special import stdtrit

    defined = np.asarray([value for value in values if isfinite(value)])
    n = len(defined)
    if n < 2:
        return (float(defined[0]) if n else np.nan), np.nan, np.nan, n
    half = stdtrit(n - 1, 0.5 + level / 2.0) * defined.std(ddof=1) / np.sqrt(n)
    return float(defined.mean()), float(defined.mean() - half), float(defined.mean() + half), n


def contrasts(
    number: int, facts: Sequence[Fact], future: Mapping[str, object], seed: int
) -> list[float]:
    """The contrast of each fact in the runs with one number; NaN where the model has none."""
    wanted = dict.fromkeys(name for fact in facts for name in fact.settings)
    runs = {
        name: next(simulate_runs(SETTINGS[name], [number], future=future, seed=seed))
        for name in wanted
    }
    return [
        float(fact.contrast(*(runs[name] for name in fact.settings)))
        if fact.contrast is not None
        else np.nan
        for fact in facts
    ]


def score(
    facts: Sequence[Fact] = FACTS,
    *,
    runs: int | None = None,
    seed: int = 1,
    future: Mapping[str, object] | None = None,
    elsewhere: Sequence[Mapping[str, object]] = (),
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Finding]:
    """Judge the model by facts.

    Parameters
    ----------
    facts
        The facts to judge by.
    runs
        Runs of each setting, by default as many as :func:`runs_needed`.
    seed
        Seed of all draws. All settings share them, so contrasts compare paired runs.
    future
        Settings that differ from the scenario's, by dotted names.
    elsewhere
        Plausible futures in which the facts are judged too, with :data:`FEW` runs each.
    threads
        Threads that simulate, by default one for each core.
    progress
        Called with the number of finished runs of all settings after each of them.
    """
    runs = runs_needed() if runs is None else runs
    work = [(k, future or {}) for k in range(runs)]
    work += [(k, other) for other in elsewhere for k in range(FEW)]
    found: list[list[float]] = []
    with ThreadPoolExecutor(threads or cores()) as pool:
        calls = pool.map(lambda part: contrasts(part[0], facts, part[1], seed), work)
        for values in calls:
            found.append(values)
            if progress is not None:
                progress(len(found))
    findings = []
    for k, fact in enumerate(facts):
        values = [row[k] for row in found]
        value, low, high, n = interval(values[:runs])
        others = [values[i : i + FEW] for i in range(runs, len(values), FEW)]
        held = [holds(fact, *interval(few)[:3]) for few in others if fact.is_represented]
        share = float(np.mean(held)) if held else nan
        findings.append(Finding(fact, value, low, high, n, judge(fact, low, high), share))
    return findings
