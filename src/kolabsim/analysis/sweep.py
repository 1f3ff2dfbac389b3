"""Sweeps: outcomes over levers and factors, and where a difference changes its sign.

All points share their random draws in a future, so that two points are compared run by run. Each
point is simulated in plausible futures, in all of which its factors keep their values, so that
every number shows what assumptions do to it. Where points are compared with a strategy, this one is
simulated in the same futures without the levers among the factors.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from kolabsim.analysis.arrays import RunStudy, outcome_values
from kolabsim.analysis.novelty import Patterns, explore
from kolabsim.analysis.plausible import paired, threshold_for
from kolabsim.analysis.statistics import (
    BETTER,
    CRITERIA,
    DIFFERENT,
    LEAST_RANGE,
    PLAIN,
    RANGE,
    WORSE,
    Criteria,
    effects,
    interval_verdicts,
    mean_interval,
    plausible_columns,
    ratio,
)
from kolabsim.engine.overrides import SEED
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.measures import MEASURES
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.schema import explain
from kolabsim.study.design import draw_seeds
from kolabsim.study.experiment import (
    Experiment,
    compared_points,
    own_levers,
    resolve_sweep,
    sweep_futures,
)
from kolabsim.study.factors import Value, choose_factors
from kolabsim.study.record import future_names
from kolabsim.study.runner import Study
from kolabsim.study.spec import CELLS, KINDS, PATTERNS, SweepSpec, parse_outcome
from kolabsim.study.sweep import grid_levels, reference, take_points


@dataclass(frozen=True)
class Crossing:
    """Where a difference changes its sign along a factor, by linear interpolation.

    It is that of the median over futures. Ends are minus or plus infinity where the change lies
    below or above the levels that were simulated.
    """

    factor: str
    others: Mapping[str, Value]
    """The levels of the other factors."""
    at: float
    low: float
    """The range over futures: where 90% of them change their sign; from the least to the most of
    fewer than 20."""
    high: float
    chance_low: float
    chance_high: float
    """What chance leaves open: where the interval of the median includes no difference."""
    rises: bool
    """Whether the difference turns from below zero to above zero."""
    share: float
    """Share of futures whose sign changes in this direction within the levels."""


@dataclass(frozen=True, eq=False)
class OutcomeMap:
    """An outcome at each point. N points, F futures; those of a grid have their last factor first.

    Over several futures, values are medians with the range of 90% of futures, and chance intervals
    those of the median. In one future they are means with their intervals over runs.
    """

    outcome: str
    better: int
    """1 if more is better, -1 if less is, 0 if neither."""
    points: pd.DataFrame = field(repr=False)
    """[N, factors] the settings at each point."""
    levels: Mapping[str, tuple[Value, ...]]
    """Levels of each factor, whose product is the grid; empty if the points are no grid."""
    is_difference: bool
    """Whether values are differences from a strategy that the points are compared with."""
    value: np.ndarray = field(repr=False)
    low: np.ndarray = field(repr=False)
    high: np.ndarray = field(repr=False)
    """[N] ends of ranges or intervals; equal to the value where there is one number a point."""
    chance_low: np.ndarray = field(repr=False)
    chance_high: np.ndarray = field(repr=False)
    """[N] what chance leaves open of the value."""
    verdict: np.ndarray = field(repr=False)
    """[N] verdicts on differences, in the words of comparisons; empty texts if there are none."""
    better_share: np.ndarray = field(repr=False)
    worse_share: np.ndarray = field(repr=False)
    """[N] shares of futures, or of runs in one future, in which a difference is better or worse by
    more than the practical threshold; NaN if there is none."""
    unclear: np.ndarray = field(repr=False)
    """[N] whether a point cannot be told apart: from no difference or, without one, from the best
    point."""
    by_future: np.ndarray = field(repr=False)
    """[N, F] the value in each future, without the chance of its runs."""
    crossings: tuple[Crossing, ...]
    """Where a difference changes its sign along the first factor that is a number."""
    runs: int
    """Runs at each point in each future."""
    level: float

    @property
    def futures(self) -> int:
        """Number of futures."""
        return self.by_future.shape[1]

    @property
    def numbers(self) -> np.ndarray:
        """Numbers of the plausible futures, from 1; 0 if there are none."""
        return np.arange(1, self.futures + 1) if self.is_varied else np.zeros(1, np.int64)

    @property
    def is_varied(self) -> bool:
        """Whether its result is over several futures."""
        return self.futures > 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of levels of each factor; of points that are no grid, their number."""
        return tuple(map(len, self.levels.values())) or (len(self.points),)

    @property
    def best(self) -> int:
        """The point with the best value; with the largest if neither direction is better."""
        return int(np.nanargmax(self.value * (self.better or 1)))

    @property
    def worst(self) -> int:
        """The point with the worst value; with the smallest if neither direction is better."""
        return int(np.nanargmin(self.value * (self.better or 1)))

    def setting(self, point: int) -> dict[str, Value]:
        """The level of each factor at a point."""
        return {str(name): self.points[name].tolist()[point] for name in self.points}

    def grid(self, values: np.ndarray) -> np.ndarray:
        """Values [N] as an array with an axis for each factor."""
        return values.reshape(self.shape)

    def table(self) -> pd.DataFrame:
        """A row for each point (:ref:`columns <map-table>`)."""
        columns = {
            "value": self.value, "low": self.low, "high": self.high,
            "chance_low": self.chance_low, "chance_high": self.chance_high,
            "verdict": self.verdict, "better_share": self.better_share,
            "worse_share": self.worse_share, "unclear": self.unclear,
        }  # fmt: skip
        numbered = self.points.assign(position=np.arange(1, len(self.points) + 1), **columns)
        return numbered.assign(futures=self.futures, outcome=self.outcome)

    def crossing_table(self) -> pd.DataFrame:
        """A row for each change of sign (:ref:`columns <crossings-table>`)."""
        rows = [
            {
                "outcome": self.outcome, **one.others, "factor": one.factor, "at": one.at,
                "low": one.low, "high": one.high, "chance_low": one.chance_low,
                "chance_high": one.chance_high, "rises": one.rises, "share": one.share,
            }
            for one in self.crossings
        ]  # fmt: skip
        return pd.DataFrame(rows)


@dataclass(frozen=True)
class SweepResult:
    """Maps of all outcomes of a sweep, and the runs behind them."""

    study: Study
    settings: pd.DataFrame = field(repr=False)
    """[points, factors] the settings at each point."""
    futures: Sequence[str] = field(repr=False)
    """Each point in each plausible future, as the study numbers them; the future moves first."""
    maps: tuple[OutcomeMap, ...]
    values: Mapping[str, np.ndarray] = field(repr=False)
    """[points, futures, runs] of each outcome; differences where points are compared."""
    left_out: tuple[str, ...] = ()
    """Why an outcome has no map, in a sentence each."""
    patterns: Patterns | None = None
    """The combinations of outcomes that a search for patterns reached."""

    def table(self) -> pd.DataFrame:
        """All maps as one table, with a row for each outcome and point."""
        tables = [one.table() for one in self.maps]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def crossings(self) -> pd.DataFrame:
        """Where differences change their sign, as one table."""
        tables = [one.crossing_table() for one in self.maps if one.crossings]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def by_future(self) -> pd.DataFrame:
        """The value of each outcome at each point in each future."""
        parts = [
            pd.DataFrame({
                "outcome": one.outcome,
                "position": np.repeat(np.arange(1, len(one.points) + 1), one.futures),
                "plausible": np.tile(one.numbers, len(one.points)),
                "future": self.futures,
                "value": one.by_future.ravel(),
            })
            for one in self.maps
        ]  # fmt: skip
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def map_outcome(
    values: np.ndarray,
    levels: Mapping[str, tuple[Value, ...]] | pd.DataFrame,
    *,
    outcome: str,
    better: int,
    is_difference: bool = False,
    size: np.ndarray | float = 0.0,
    threshold: float = 0.0,
    criteria: Criteria = CRITERIA,
) -> OutcomeMap:
    """Compute the map of an outcome.

    From values [points, runs] or [points, futures, runs], and the levels of each factor, whose last
    one moves first; or a table of points that are no grid. ``size`` is that of the numbers that
    differences come from, and ``threshold`` the smallest difference that matters. Comparisons of
    points hold together at the level of the criteria (Bonferroni).

    Examples
    --------
    >>> first, second = [0.0, 0.1, 0.0, 0.1], [1.0, 1.1, 1.0, 1.1]
    >>> runs = np.array([first, second, [0.1, 0.2, 0.1, 0.2], [1.0, 1.2, 1.1, 1.1]])
    >>> found = map_outcome(runs, {"a": (0, 1), "b": (0, 1)}, outcome="trust", better=1)
    >>> found.setting(found.best), found.unclear.tolist()
    ({'a': 1, 'b': 1}, [False, True, False, True])
    """
    values = np.asarray(values, np.float64)
    values = values[:, None, :] if values.ndim == 2 else values
    grid = {} if isinstance(levels, pd.DataFrame) else dict(levels)
    points = levels if isinstance(levels, pd.DataFrame) else _product(grid)
    number = len(values)
    if values.shape[1] > 1:
        found = effects(values, size)
        columns = plausible_columns(
            found, sense=better, threshold=threshold, criteria=criteria, comparisons=number
        )
        by_future = found.values
        columns["value"] = columns.pop("difference")
    else:
        one = values[:, 0]
        estimate = mean_interval(one, criteria.level, axis=1, size=np.ravel(size))
        nothing = np.full(number, np.nan)
        ends = (estimate.low, estimate.high) if one.shape[1] > 1 else (estimate.mean,) * 2
        columns = {
            "value": estimate.mean, "low": ends[0], "high": ends[1],
            "chance_low": ends[0], "chance_high": ends[1],
            "verdict": interval_verdicts(
                one, criteria, number, sense=better, threshold=threshold, size=np.ravel(size),
                axis=1,
            ),
            "better_share": _share_beyond(one * better, threshold) if better else nothing,
            "worse_share": _share_beyond(-one * better, threshold) if better else nothing,
        }  # fmt: skip
        by_future = estimate.mean[:, None]
    undefined = int(np.isnan(columns["value"]).sum())
    if undefined:
        text = _("{outcome} is undefined at {number} of {points} points")
        raise InputError.of(text, outcome=outcome, number=undefined, points=number)
    if is_difference:
        plain = [PLAIN.get(word, word) for word in columns["verdict"]]
        unclear = ~np.isin(np.array(plain, dtype=str), (BETTER, WORSE, DIFFERENT))
    else:
        unclear = _equal_to_best(values, columns["value"] * (better or 1), criteria.level)
        columns["verdict"] = np.full(number, "", dtype=object)
        columns["better_share"] = columns["worse_share"] = np.full(number, np.nan)
    names = ("value", "low", "high", "chance_low", "chance_high", "verdict", "better_share",
             "worse_share")  # fmt: skip
    kept = {name: columns[name] for name in names}
    crossings = find_crossings(kept, by_future, points, grid) if is_difference else ()
    return OutcomeMap(
        outcome=outcome, better=better, points=points, levels=grid, is_difference=is_difference,
        unclear=unclear, by_future=by_future, crossings=crossings, runs=values.shape[2],
        level=criteria.level, **kept,
    )  # fmt: skip


def _product(levels: Mapping[str, tuple[Value, ...]]) -> pd.DataFrame:
    """All combinations of levels, the last factor first."""
    index = pd.MultiIndex.from_product(list(levels.values()), names=list(levels))
    return index.to_frame(index=False)


def _share_beyond(values: np.ndarray, threshold: float) -> np.ndarray:
    """The share of defined values [points, runs] above a threshold, [points]."""
    return ratio((values > threshold).sum(axis=1), np.isfinite(values).sum(axis=1))


def _equal_to_best(values: np.ndarray, scores: np.ndarray, level: float) -> np.ndarray:
    """Whether points [points, futures, runs] cannot be told apart from the one that scores best.

    This one is chosen after the fact: comparisons with it hold together (Bonferroni).
    """
    best, others = int(np.argmax(scores)), max(len(values) - 1, 1)
    behind = values[best] - values
    if values.shape[1] > 1:
        found = effects(behind)
        middle, half = found.median(), found.half_width(level, others)
        unclear = ~(np.abs(middle) > half)
    else:
        apart = mean_interval(behind[:, 0], 1.0 - (1.0 - level) / others, axis=1)
        unclear = ~((apart.low > 0.0) | (apart.high < 0.0))
    unclear[best] = True
    return unclear


# Changes of sign --------------------------------------------------------------------------------


def sign_changes(x: np.ndarray, y: np.ndarray) -> list[tuple[float, bool]]:
    """Where a line through points changes its sign, and whether it rises there.

    A line that only touches zero, or begins or ends there, does not change its sign.

    >>> sign_changes(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, -3.0]))
    [(0.625, False)]
    """
    used = np.flatnonzero(np.nan_to_num(y))
    found = []
    for a, b in pairwise(used):
        if (y[a] > 0.0) != (y[b] > 0.0):
            if b == a + 1:
                at = x[a] + (x[b] - x[a]) * y[a] / (y[a] - y[b])
            else:  # zero at the points between
                at = (x[a + 1] + x[b - 1]) / 2.0
            found.append((float(at), bool(y[b] > 0.0)))
    return found


def find_crossings(
    columns: Mapping[str, np.ndarray],
    by_future: np.ndarray,
    points: pd.DataFrame,
    levels: Mapping[str, tuple[Value, ...]],
) -> tuple[Crossing, ...]:
    """Where differences change their sign along a factor that is a number.

    At each combination of the levels of the others; of several factors along the one on which the
    sign changes once at most combinations, the first of equals. None if the points of several
    factors are no grid.
    """
    if not (levels or points.shape[1] == 1):
        return ()
    best: tuple[Crossing, ...] = ()
    most = -1.0
    for name in map(str, points):
        if isinstance(points[name].iloc[0], str):
            continue
        groups = changes_along(name, columns, by_future, points)
        share = sum(len(one) == 1 for one in groups) / len(groups)
        if share > most:
            best, most = tuple(one for group in groups for one in group), share
    return best


def changes_along(
    name: str, columns: Mapping[str, np.ndarray], by_future: np.ndarray, points: pd.DataFrame
) -> list[list[Crossing]]:
    """The changes of sign along a factor, for each combination of the levels of the others."""
    rest = [str(other) for other in points if other != name]
    places: dict[tuple[Value, ...], list[int]] = {}
    for k, row in enumerate(points[rest].itertuples(index=False, name=None)):
        places.setdefault(row, []).append(k)
    if not rest:
        places = {(): [*range(len(points))]}
    found = []
    for key, place in places.items():
        rows = np.array(place)
        x = points[name].to_numpy(np.float64)[rows]
        rows, x = rows[np.argsort(x)], np.sort(x)
        middle, low, high = (columns[one][rows] for one in ("value", "chance_low", "chance_high"))
        lines, group = by_future[rows].T, list[Crossing]()
        for at, rises in sign_changes(x, middle):
            places_of_change = sorted(nearest_change(x, one, at, rises=rises) for one in lines)
            inside = np.isfinite(places_of_change)
            ends = range_of(places_of_change)
            first, last = (high, low) if rises else (low, high)
            chance = [nearest_change(x, one, at, rises=rises) for one in (first, last)]
            group.append(
                Crossing(
                    name, dict(zip(rest, key, strict=True)), at, *ends, min(*chance, at),
                    max(*chance, at), rises, float(inside.mean()),
                )
            )  # fmt: skip
        found.append(group)
    return found


def range_of(places: Sequence[float]) -> tuple[float, float]:
    """The ends of the range over futures of ordered places, some of which may be infinite."""
    number = len(places)
    if number < LEAST_RANGE:
        return places[0], places[-1]
    out = round(RANGE[0] * (number - 1))
    return places[out], places[number - 1 - out]


def nearest_change(x: np.ndarray, y: np.ndarray, at: float, *, rises: bool) -> float:
    """The change of sign in one direction nearest to a place.

    Without one it lies beyond the levels: below them if the line has the sign that it takes after
    the change where it is largest, and above them otherwise.
    """
    found = [place for place, up in sign_changes(x, y) if up == rises]
    if found:
        return min(found, key=lambda place: abs(place - at))
    is_after = bool(np.nansum(np.sign(y)) > 0.0) == rises
    return -np.inf if is_after else np.inf


# Running ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Simulated:
    """A strategy at points in futures: what is simulated, and its settings."""

    study: Study
    table: pd.DataFrame = field(repr=False)
    """[points × futures, settings]; the future moves first."""


def plan_points(
    experiment: Experiment[SweepSpec], folder: Path, strategy: str, points: pd.DataFrame
) -> Simulated:
    """Plan the runs of a strategy at points, in all futures of a sweep.

    A lever that the strategy sets itself is varied where it does.
    """
    futures = sweep_futures(experiment)
    if strategy == experiment.spec.strategy:
        points = points.rename(
            columns=own_levers(experiment.scenario, strategy, experiment.factors)
        )
    table = pd.DataFrame([{**future, **row} for row in points.to_dict("records")
                          for future in futures])  # fmt: skip
    if len(futures) > 1:  # runs are independent between futures, and common to all points
        seeds = draw_seeds(experiment.seed, np.arange(len(futures))).tolist()
        table[SEED] = seeds * len(points)
    study = Study.plan_design(
        experiment.scenario, (strategy,), table, folder, runs=experiment.spec.runs or 2,
        seed=experiment.seed, moments=experiment.moments, identity=experiment.identity,
    )  # fmt: skip
    return Simulated(study, table)


def run_sweep(experiment: Experiment[SweepSpec], folder: Path, run: RunStudy) -> SweepResult:
    """Simulate every point that is missing, and compute the maps."""
    spec, points = experiment.spec, experiment.points
    assert points is not None  # since the experiment was loaded
    assert spec.runs is not None

    def simulated(strategy: str, rows: pd.DataFrame) -> Simulated:
        found = plan_points(experiment, folder, strategy, rows)
        run(found.study)
        return found

    def values(study: Study) -> Values:
        return {one.name: outcome_values(study, one)[0] for one in experiment.outcomes}

    patterns = None
    if spec.method == PATTERNS:

        def typical(rows: pd.DataFrame) -> np.ndarray:
            """The median over futures of the mean over runs, [points, outcomes]."""
            found = values(simulated(spec.strategy, rows).study)
            each = [found[one.name].reshape(len(rows), -1, found[one.name].shape[-1])
                    for one in experiment.outcomes]  # fmt: skip
            return np.stack([np.median(one.mean(axis=2), axis=1) for one in each], axis=1)

        points, patterns = explore(
            typical, experiment.factors, outcomes=[one.name for one in experiment.outcomes],
            samples=spec.samples or 2, cells=spec.cells or CELLS, seed=spec.seed,
        )  # fmt: skip
    at_points = simulated(spec.strategy, points)
    study, base = at_points.study, None
    if experiment.reference is not None:
        others = compared_points(points, experiment.factors)
        base = values(simulated(experiment.reference, others).study)
    return SweepResult(
        study, points, future_names(study.ledger, at_points.table),
        *map_outcomes(experiment, points, values(study), base, is_grid=patterns is None), patterns,
    )  # fmt: skip


Values = Mapping[str, np.ndarray]
"""Outcomes by name in all runs, [points × futures, runs]."""


def map_outcomes(
    experiment: Experiment[SweepSpec], points: pd.DataFrame, values: Values,
    base: Values | None = None, *, is_grid: bool = True,
) -> tuple[tuple[OutcomeMap, ...], dict[str, np.ndarray], tuple[str, ...]]:  # fmt: skip
    """Compute the map of each outcome of a sweep from its values at points.

    ``base`` are those of the strategy that points are compared with, at
    :func:`~kolabsim.study.experiment.compared_points`. Also returns what maps are made of, [points,
    futures, runs], and why an outcome has no map.
    """
    spec = experiment.spec
    place = np.zeros(0, np.int64)
    if base is not None:
        others = compared_points(points, experiment.factors)
        known = {row: k for k, row in enumerate(others.itertuples(index=False, name=None))}
        rows = points[[*others]].itertuples(index=False, name=None)
        place = np.array([known[row] for row in rows])
    criteria = Criteria(spec.practical_threshold, spec.robust, spec.likely)
    levels = grid_levels(points, experiment.factors) if is_grid else {}
    kept, maps, left_out = dict[str, np.ndarray](), [], []
    for one in experiment.outcomes:
        runs = values[one.name]
        found, size = runs.reshape(len(points), -1, runs.shape[-1]), np.zeros(1)
        if base is not None:
            before = base[one.name].reshape(-1, *found.shape[1:])[place]
            found, size = (part[0] for part in paired(np.stack([before, found])))
        kept[one.name] = found
        try:
            maps.append(map_outcome(
                found, levels or points, outcome=one.name, better=one.better,
                is_difference=base is not None, size=size, criteria=criteria,
                threshold=0.0 if one.is_spread else threshold_for(MEASURES[one.measure], criteria),
            ))  # fmt: skip
        except InputError as error:  # it is undefined somewhere; others may not be
            left_out.append(error.problems[0].message)
    return tuple(maps), kept, tuple(left_out)


def sweep(
    scenario: Scenario | str | Path,
    factors: Mapping[str, object] | Sequence[str] | None = None,
    *,
    points: pd.DataFrame | None = None,
    folder: Path | str | None = None,
    **keys: Any,
) -> SweepResult:
    """Simulate a scenario over the levels of levers and factors, as ``kind: sweep`` does.

    Parameters
    ----------
    scenario
        A scenario, the name of a shipped one, or the path of a file.
    factors
        Names of factors, or a mapping from them to ranges, words or ``{"levels": [...]}``.
    points
        Instead: a table with a column for each factor and a row for each point.
    folder
        Where runs are kept, so that they are not repeated; default: they are not kept.
    keys
        Other keys of experiment files: ``strategy``, ``against``, ``method``, ``levels``,
        ``samples``, ``outcomes``, ``plausible``, ``runs``, ``seed``, ...; with the same defaults.

    Returns
    -------
    SweepResult
        Maps, changes of sign, the values of all runs and, of ``method="patterns"``, the reached
        combinations of outcomes.

    Raises
    ------
    InputError
        With all problems at once, before the first run.

    Examples
    --------
    >>> import kolabsim as ks
    >>> found = ks.sweep("kartamantul", ["mechanisms.forum"], levels=3, plausible=2, runs=2)
    >>> found.table()["mechanisms.forum"].tolist()
    [0.0, 0.5, 1.0]
    """
    experiment = plan_sweep(scenario, factors, points=points, **keys)
    if folder is not None:
        return run_sweep(experiment, Path(folder), lambda study: study.run())
    with tempfile.TemporaryDirectory() as scratch:
        return run_sweep(experiment, Path(scratch), lambda study: study.run())


def plan_sweep(
    scenario: Scenario | str | Path,
    factors: Mapping[str, object] | Sequence[str] | None = None,
    *,
    points: pd.DataFrame | None = None,
    **keys: Any,
) -> Experiment[SweepSpec]:
    """Return the experiment that :func:`sweep` simulates; arguments and errors are the same."""
    if not isinstance(scenario, Scenario):
        scenario = Scenario.load(scenario)
    problems = Problems()
    if (points is None) == (not factors):
        problems.add(_("give either 'factors' or 'points', and not both"))
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in keys.items()}
    asked = {"kind": "sweep", "scenario": scenario.name, "factors": factors or {}, **given}
    try:
        spec = SweepSpec.model_validate(asked)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            where = ".".join(str(part) for part in one["loc"])
            problems.add(f"{where}: {explain(one, KINDS['sweep'])}")
    problems.raise_if_any()
    if spec.strategy not in scenario.strategies:
        text = _("'{name}' is not a strategy of {scenario}{hint}")
        hint = suggestion(spec.strategy, scenario.strategies)
        raise InputError.of(text, name=spec.strategy, scenario=scenario.name, hint=hint)
    outcomes = tuple(
        parse_outcome(word, scenario.horizon, scenario.measures) for word in spec.outcomes
    )
    table = None if points is None else take_points(points, scenario)
    chosen = () if table is not None else choose_factors(scenario, spec.factors)
    spec, chosen, made = resolve_sweep(spec, scenario, chosen, table)
    compared = reference(spec, chosen)
    return Experiment(
        name="sweep", spec=spec, scenario=scenario,
        strategies=tuple(dict.fromkeys(filter(None, (spec.strategy, compared)))),
        factors=chosen, outcomes=outcomes, reference=compared, points=made,
        file=Path("sweep.yaml"),
    )  # fmt: skip
