"""From runs to arrays and from arrays to tables: what all kinds of experiments share.

Scores are arrays [strategies, futures, runs] on common random numbers of which more is better.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from kolabsim.analysis.statistics import ratio
from kolabsim.engine.overrides import SEED
from kolabsim.errors import Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.measures import MEASURES, RATIO, SUM
from kolabsim.model.parameters import QUARTERS
from kolabsim.scenario.futures import plausible_names
from kolabsim.study.collect import Results
from kolabsim.study.execution import Progress
from kolabsim.study.experiment import Experiment
from kolabsim.study.factors import Factor
from kolabsim.study.runner import Study
from kolabsim.study.spec import Outcome

RunStudy: TypeAlias = "Callable[[Study], Progress]"
"""Simulates the missing runs of a study and returns how many there were."""


# Runs -------------------------------------------------------------------------------------------


def settings_table(
    factors: Sequence[Factor], points: np.ndarray, seeds: np.ndarray | None = None
) -> pd.DataFrame:
    """Return the settings at points of the unit cube [N, D]: a row a point, a column a factor.

    With ``seeds`` [N] points have random draws of their own.
    """
    table = pd.DataFrame(
        {factor.name: [factor.at(u) for u in points[:, k]] for k, factor in enumerate(factors)}
    )
    return table if seeds is None else table.assign(**{SEED: seeds})


def run_sample(
    experiment: Experiment, settings: pd.DataFrame, folder: Path, runs: int, run: RunStudy
) -> Study:
    """Simulate an experiment's strategies under settings, a row a point; finished runs are kept."""
    study = Study.plan_design(
        experiment.scenario, experiment.strategies, settings, folder, runs=runs,
        seed=experiment.seed, moments=experiment.moments, identity=experiment.identity,
    )  # fmt: skip
    run(study)
    return study


def outcome_values(study: Study, outcome: Outcome) -> np.ndarray:
    """Return an outcome of every run [strategies, points, runs]; of a spread, 1 stands for runs."""
    (values,) = study.values([outcome.column])
    return values.std(axis=-1, ddof=1, keepdims=True) if outcome.is_spread else values


def contrast_values(study: Study, outcome: Outcome) -> np.ndarray:
    """Return an outcome of every run [points, runs]: of two strategies, their difference."""
    values = outcome_values(study, outcome)
    return values[0] - values[1] if len(values) > 1 else values[0]


# Checks -----------------------------------------------------------------------------------------


def check_known(names: Sequence[str], *chosen: str | None) -> Problems:
    """Return problems with strategies that were not simulated."""
    problems = Problems()
    for name in chosen:
        if name is not None and name not in names:
            message = _("'{name}' was not simulated{suggestion}")
            problems.add(message.format(name=name, suggestion=suggestion(name, names)))
    return problems


def check_level(level: float, problems: Problems) -> None:
    """Add a problem with a level such as 95."""
    if not 0.0 < level < 1.0:
        problems.add(_("level: {value} is not between 0 and 1").format(value=level))


def check_scores(
    values: np.ndarray, names: Sequence[str], better: int, outcome: str = ""
) -> np.ndarray:
    """Return the values [strategies, futures, runs] of an outcome as scores: more is better.

    ``better`` is 1 if more of the outcome is better, -1 if less is. Raises
    :class:`~kolabsim.errors.InputError` with all problems at once: shapes and names that do not
    fit, undefined values.
    """
    values, problems = np.asarray(values, np.float64), Problems()
    called = outcome or _("the outcome")
    if better not in (1, -1):
        message = _("better: {value} is not allowed; 1 if more is better, -1 if less is")
        problems.add(message.format(value=better))
    if len(set(names)) < len(names):
        problems.add(_("strategies: a name is given twice"))
    if values.ndim != 3 or len(values) != len(names) or not values.size:
        message = _("{outcome}: the shape is {shape}; allowed: {number} strategies, futures, runs")
        problems.add(message.format(outcome=called, shape=values.shape, number=len(names)))
    elif len(names) < 2:
        message = _("only '{name}' was simulated: there is nothing to compare with it")
        problems.add(message.format(name=names[0]))
    elif not np.isfinite(values).all():
        undefined = ~np.isfinite(values)
        message = _(
            "{outcome} is undefined in {number} of {all} runs, in {futures} of {every} futures "
            "and under these strategies: {names}; choose an outcome that is always defined"
        )
        here = [name for name, some in zip(names, undefined, strict=True) if some.any()]
        problems.add(
            message.format(
                outcome=called, number=f"{undefined.sum():,}", all=f"{values.size:,}",
                futures=int(undefined.any(axis=(0, 2)).sum()), every=values.shape[1],
                names=", ".join(here),
            )
        )  # fmt: skip
    problems.raise_if_any()
    return values * better


def check_settings(settings: pd.DataFrame, futures: int) -> None:
    """Refuse settings that are not defined for each of the futures."""
    problems = Problems()
    if len(settings) != futures:
        message = _("settings: there are {number} rows for {futures} futures")
        problems.add(message.format(number=len(settings), futures=futures))
    if not len(settings.columns):
        problems.add(_("settings: there is no factor"))
    if not settings.columns.is_unique:
        problems.add(_("settings: a factor is given twice"))
    else:
        for name, number in settings.isna().sum().items():
            if number:
                message = _("settings: '{name}' is undefined in {number} of {futures} futures")
                problems.add(message.format(name=name, number=number, futures=len(settings)))
    problems.raise_if_any()


def is_numeric(column: pd.Series) -> bool:
    """Whether a column of settings holds numbers, not words or truth values."""
    return column.dtype.kind in "fiu"


# Tables -----------------------------------------------------------------------------------------


def positions(table: pd.DataFrame, keys: Mapping[str, Collection[Any]]) -> np.ndarray:
    """Return where each row of a table goes in a flattened array with an axis for each key.

    Rows with values that the keys do not have get the position one past the end.
    """
    at, end = np.zeros(len(table), np.int64), 1
    for name, values in keys.items():
        column, index = table[name], pd.Index(values)
        if isinstance(column.dtype, pd.CategoricalDtype):
            place = index.get_indexer(column.cat.categories)[column.cat.codes]
        else:
            place = index.get_indexer(column)
        at = np.where((at < 0) | (place < 0), -1, at * len(values) + place)
        end *= len(values)
    at[at < 0] = end
    return at


def arrange(
    table: pd.DataFrame,
    keys: Mapping[str, Collection[Any]],
    columns: Sequence[str],
    at: np.ndarray | None = None,
) -> np.ndarray:
    """Return columns of a table as an array with an axis for each key, then one for the columns.

    ``at`` is where each row goes (:func:`positions`), if that is known. NaN where the table has no
    row; rows with other values than the keys have are left out.
    """
    shape = [len(values) for values in keys.values()]
    values = np.full((int(np.prod(shape)) + 1, len(columns)), np.nan)
    at = positions(table, keys) if at is None else at
    for number, name in enumerate(columns):
        values[at, number] = table[name].to_numpy(np.float64, na_value=np.nan)
    return values[:-1].reshape(*shape, len(columns))


def quarterly_columns(measure: str) -> list[str]:
    """Return the measures of quarters from which a measure of years is made."""
    entry = MEASURES[measure]
    return [measure, *entry.ratio] if entry.figure == RATIO else [measure]


def yearly(
    results: Results,
    measure: str,
    strategies: Sequence[str],
    *,
    baseline: str | None,
    future: str | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Years, and a measure [strategies, runs, years]; quarters if there are fewer than two years.

    A year is the mean or sum of its quarters, or the ratio of two sums, as the measure is made.
    Runs are those of one future, by default of all plausible ones or else of the first.
    """
    quarters, columns = results.scenario.horizon, quarterly_columns(measure)
    names = ("strategy", "future", "run", "quarter")
    every = plausible_names(results.futures) if future is None else ()
    futures = [*every] or [future or next(iter(results.futures))]
    table = results.columns([*names, *columns], "quarters")
    keys: dict[str, Sequence[object]] = {
        "strategy": [*strategies] if baseline is None else [*strategies, baseline],
        "future": futures,
        "run": np.unique(table["run"]).tolist(),
        "quarter": range(quarters),
    }
    # Runs of several futures stand side by side.
    values = arrange(table, keys, columns)
    values = values.reshape(len(values), -1, *values.shape[3:])
    time, values = over_years(values, measure, results.scenario.start_year)
    return time, values if baseline is None else values[:-1] - values[-1:]


def over_years(values: np.ndarray, measure: str, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Years, and a measure [strategies, runs, years], from that of all quarters, as in `yearly`.

    ``values`` [strategies, runs, quarters, 1 or 3] have what a ratio is made of after a ratio;
    ``start`` is the first year.
    """
    entry, quarters = MEASURES[measure], values.shape[2]
    time = np.arange(quarters)
    if quarters >= 2 * QUARTERS:
        years = quarters // QUARTERS
        time = start + np.arange(years)
        shape = (*values.shape[:2], years, QUARTERS, values.shape[3])
        values = values[:, :, : years * QUARTERS].reshape(shape)
        if entry.figure == RATIO:
            values = ratio(values[..., 1].sum(axis=3), values[..., 2].sum(axis=3))[..., None]
        else:
            defined = np.isfinite(values).sum(axis=3)
            total = np.nansum(values, axis=3)
            divisor = np.where(defined > 0, 1 if entry.figure == SUM else defined, np.nan)
            values = total / divisor
    return time, values[..., 0]
