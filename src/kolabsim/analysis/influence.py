"""What moves the result of a comparison: single changes, assumptions, traits of regions, chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import arrange
from kolabsim.analysis.comparison import NET_BENEFIT, Comparison, all_keys, measure_values
from kolabsim.analysis.drivers import Drivers, find_drivers, variance_by_source
from kolabsim.analysis.statistics import mean_interval
from kolabsim.model.measures import TRAITS, shown_in
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate
from kolabsim.study.collect import Results

FEW_SETTINGS = 3
"""A future that changes no more settings than this shows their own effect."""
MOST_FUTURES = 64
"""Most futures over which variance is split by source."""
LEAST_WORLDS = 2
"""Fewest worlds with traits of their own in each future."""
REPEATS = 2
"""Runs of each world, on other draws."""


@dataclass(frozen=True)
class Influence:
    """What moves a strategy's difference to the baseline between futures."""

    strategy: str
    level: float
    """Confidence level of intervals, and of the floor for all assumptions at once."""
    single: pd.DataFrame = field(repr=False)
    """Futures that change few settings, the largest shift first. Columns: future,
    ``difference``, ``shift`` of the difference against the first future on the same draws, its
    interval ``low``, ``high``, and ``moves``: whether the interval excludes zero."""
    drivers: Drivers | None = field(repr=False)
    """Assumptions that many futures vary together; None if there are too few such futures."""


def influence(
    results: Results,
    comparison: Comparison,
    strategy: str,
    *,
    measure: str = NET_BENEFIT,
    seed: int = 1,
) -> Influence:
    """Find what moves a strategy's difference to the baseline.

    A future that changes few settings shows their own effect. Where many futures vary the same
    settings together, each is an assumption with a main effect
    (:func:`~kolabsim.analysis.drivers.find_drivers`); ``seed`` decides permutations and resamples.
    """
    names, level, single = comparison.futures, comparison.level, single_changes(results)
    values = measure_values(results, measure, (comparison.baseline, strategy), names)
    change = values[1] - values[0]
    means = pd.Series(mean_interval(change, level, axis=1).mean, names)
    settings = varied_settings(results.futures, single)
    drivers = find_drivers(means[settings.index].to_numpy(), settings, level=level, seed=seed)
    here = change[[names.index(name) for name in single]]
    shift = mean_interval(here - change[:1], level, axis=1).columns("shift")
    shifts = pd.DataFrame({"future": single, "difference": means[single].to_numpy()} | shift)
    shifts["moves"] = (shifts["low"] > 0.0) | (shifts["high"] < 0.0)
    order = shifts["shift"].abs().sort_values(ascending=False, kind="stable").index
    return Influence(
        strategy=strategy,
        level=level,
        single=shifts.drop(columns="runs").loc[order].reset_index(drop=True),
        drivers=drivers,
    )


def varied_futures(results: Results) -> Mapping[str, Mapping[str, object]]:
    """Return the futures that vary many settings together; the first one if there are no two."""
    names = [*results.futures]
    found = varied_settings(results.futures, single_changes(results)).index
    return {name: results.futures[name] for name in (found if len(found) > 1 else names[:1])}


def single_changes(results: Results) -> list[str]:
    """Return the futures that change few settings of the first one."""
    first, *others = results.futures.items()
    return [
        name
        for name, settings in others
        if sum(first[1].get(key) != value for key, value in settings.items()) <= FEW_SETTINGS
    ]


def varied_settings(
    futures: Mapping[str, Mapping[str, object]], single: Sequence[str]
) -> pd.DataFrame:
    """Return the settings that futures vary together, a row a future.

    Those are the settings that most futures have; futures without them, and ``single`` ones, are
    left out.
    """
    rest = {name: of for name, of in futures.items() if name not in single and of}
    counts = Counter(key for settings in rest.values() for key in settings)
    shared = [key for key, number in counts.items() if 2 * number > len(rest)]
    whole = {name: of for name, of in rest.items() if all(key in of for key in shared)}
    return pd.DataFrame({key: [of[key] for of in whole.values()] for key in shared}, index=[*whole])


def difference_sources(
    scenario: Scenario,
    baseline: str,
    strategy: str,
    futures: Mapping[str, Mapping[str, object]],
    measures: Sequence[str] = shown_in(TRAITS),
    *,
    level: float = 0.95,
    seed: int = 1,
    progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Split the variance of a strategy's difference to the baseline in single runs by its source.

    Traits that no table gives (culture, interests, autonomy, goodwill, initial trust, errors of
    judgement, and without a map capacity and stress) are drawn for a few worlds in each of at most
    64 futures, and each world is run twice (:ref:`columns <variance-table>`).
    """
    names = [*futures]
    number = min(len(names), MOST_FUTURES)
    chosen = [names[k * len(names) // number] for k in range(number)]
    worlds = max(LEAST_WORLDS, MOST_FUTURES // number)
    runs = worlds * REPEATS
    traits = np.repeat(np.arange(worlds), REPEATS).tolist()
    parts = []
    for k, name in enumerate(chosen):  # each future has draws of its own
        results = simulate(
            scenario, [baseline, strategy], futures={name: futures[name]}, runs=runs,
            seed=(seed + k) % 2**63, regions=False, traits=traits, progress=progress,
        )  # fmt: skip
        keys = all_keys(results, (baseline, strategy), (name,))
        values = arrange(results.columns([*keys, *measures]), keys, measures)[:, 0]
        parts.append((values[1] - values[0]).reshape(worlds, REPEATS, len(measures)))
    difference = np.array(parts)
    found = [
        variance_by_source(difference[..., m], level=level, seed=seed).assign(
            measure=measure, runs=number * runs
        )
        for m, measure in enumerate(measures)
    ]
    columns = ["measure", "source", "variance", "share", "low", "high", "runs"]
    return pd.concat(found, ignore_index=True)[columns]
