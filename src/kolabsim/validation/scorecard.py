"""The scorecard: each fact with the model's value, its interval and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, nan
from typing import NamedTuple

import numpy as np

from kolabsim.analysis.statistics import LEAST_RANGE, RANGE, mean_interval
from kolabsim.engine.ensemble import in_threads
from kolabsim.validation.facts import FACTS, SETTINGS, Fact
from kolabsim.validation.runs import Run, Setting, simulate_runs

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

    ``effect`` is Cohen's f; .4 is a large one.

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
    """Mean of the contrast over runs, and its 95% interval."""
    runs: int
    """Runs that define the contrast."""
    verdict: str
    elsewhere: float = nan
    """Share of the plausible futures in which the fact holds; NaN if it was judged in none."""
    middle: float = nan
    """Median over these futures of the mean of the contrast."""
    least: float = nan
    most: float = nan
    """The range of 90% of these futures; from the least to the most of fewer than 20."""


def judge(fact: Fact, low: float, high: float) -> str:
    """Judge a fact by the interval of its contrast."""
    if not fact.is_expressed:
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


def contrasts(
    number: int,
    facts: Sequence[Fact],
    future: Mapping[str, object],
    seed: int,
    settings: Mapping[str, Setting] = SETTINGS,
) -> list[float]:
    """The contrast of each fact in the runs with one number; NaN where the model has none.

    Where a setting has several runs for each of the others, it is the mean over them.
    """
    last = {name: k for k, fact in enumerate(facts) for name in fact.settings}
    runs: dict[str, list[Run]] = {}

    def simulated(name: str) -> list[Run]:
        if name not in runs:
            each = settings[name].repeats
            numbers = range(number * each, (number + 1) * each)
            runs[name] = [*simulate_runs(settings[name], numbers, future=future, seed=seed)]
        return runs[name]

    found = []
    for k, fact in enumerate(facts):
        value = nan
        if fact.contrast is not None and fact.is_expressed:
            repeats = zip(*map(simulated, fact.settings), strict=False)
            value = float(np.mean([fact.contrast(*each) for each in repeats]))
        found.append(value)
        for name in fact.settings:
            if last[name] == k:  # a run takes some ten megabytes
                runs.pop(name, None)
    return found


def score(
    facts: Sequence[Fact] = FACTS,
    *,
    runs: int | None = None,
    seed: int = 1,
    settings: Mapping[str, Setting] = SETTINGS,
    elsewhere: Sequence[Mapping[str, object]] = (),
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Finding]:
    """Judge the model by facts.

    Each setting is simulated ``runs`` times, by default as often as :func:`runs_needed` says; all
    settings share their random draws, so contrasts compare paired runs. ``elsewhere`` are plausible
    futures in which the facts are judged too, with :data:`FEW` runs each. ``progress`` is called
    with the number of finished runs of all settings.
    """
    runs = runs_needed() if runs is None else runs
    found = in_threads(
        lambda part: contrasts(part[0], facts, part[1], seed, settings), parts(runs, elsewhere),
        threads=threads, progress=progress,
    )  # fmt: skip
    return read_findings(facts, np.array(list(found)), runs)


def parts(
    runs: int, elsewhere: Sequence[Mapping[str, object]]
) -> list[tuple[int, Mapping[str, object]]]:
    """The number and the future of each run of the settings by which facts are judged."""
    work: list[tuple[int, Mapping[str, object]]] = [(k, {}) for k in range(runs)]
    return work + [(k, future) for future in elsewhere for k in range(FEW)]


def read_findings(facts: Sequence[Fact], found: np.ndarray, runs: int) -> list[Finding]:
    """Judge facts by their contrasts in all :func:`parts`, [parts, facts].

    The first ``runs`` are of the model as it is, the rest of plausible futures.
    """
    findings = []
    for fact, column in zip(facts, found.T, strict=True):
        value, low, high, n = (float(part) for part in mean_interval(column[:runs]))
        held, spread = [], (nan, nan, nan)
        if len(column) > runs and fact.is_expressed:
            each = mean_interval(column[runs:].reshape(-1, FEW), axis=1)
            held = [holds(fact, *map(float, one)) for one in zip(*each[:3], strict=True)]
            spread = median_and_range(each.mean)
        share = float(np.mean(held)) if held else nan
        verdict = judge(fact, low, high)
        findings.append(Finding(fact, value, low, high, int(n), verdict, share, *spread))
    return findings


def median_and_range(values: np.ndarray) -> tuple[float, float, float]:
    """The median of numbers, one of each future, and the range of 90% of them.

    Undefined numbers are left out; of fewer than 20, the range is that of all.
    """
    defined = values[np.isfinite(values)]
    if not len(defined):
        return nan, nan, nan
    ends = RANGE if len(defined) >= LEAST_RANGE else (0.0, 1.0)
    low, middle, high = np.quantile(defined, (ends[0], 0.5, ends[1]))
    return float(middle), float(low), float(high)
