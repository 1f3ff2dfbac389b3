"""Compare strategies in many futures: regret, satisficing and worst cases, with intervals.

Every criterion is computed from means over the runs in each future. Intervals resample futures and
runs together, the same for all strategies
(:func:`kolabsim.analysis.statistics.crossed_resamples`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import (
    RunStudy,
    check_known,
    check_level,
    check_scores,
    outcome_values,
    run_sample,
    settings_table,
)
from kolabsim.analysis.discovery import Discovery, Tree, failures, locate_failures
from kolabsim.analysis.information import Information, information
from kolabsim.analysis.statistics import (
    corrected_interval,
    crossed_resamples,
    first_share,
    one_thread,
    percentile_interval,
    sample_size,
    share_better,
    share_interval,
    tail_interval,
    tail_size,
    variance_components,
    worst_mean,
)
from kolabsim.errors import Problems, suggestion
from kolabsim.i18n import _
from kolabsim.scenario.futures import plausible_futures
from kolabsim.study.collect import tidy
from kolabsim.study.experiment import Experiment
from kolabsim.study.record import future_names
from kolabsim.study.runner import Study
from kolabsim.study.spec import RobustnessSpec

THRESHOLDS = 61
"""Thresholds of a satisficing curve."""

LOSS, LEVEL, SHARE = "loss", "level", "share"
"""Kinds of criteria: in the outcome's unit, at least zero, less is better; in the outcome's unit
and direction; a share of futures, more is better."""


# Criteria ---------------------------------------------------------------------------------------


class Aim(NamedTuple):
    """What criteria need besides the means; all as scores, of which more is better."""

    threshold: float
    """NaN without a threshold."""
    baseline: int
    """Position among the strategies; -1 without a baseline."""
    aversion: float


class Criterion(NamedTuple):
    """A measure of how well strategies do over many futures."""

    compute: Callable[[np.ndarray, Aim], np.ndarray]
    """From mean scores [strategies, futures, ...] to [strategies, ...]."""
    kind: str
    ranks: bool = True
    needs: str = ""
    """The part of the aim that it needs: threshold or baseline."""
    extreme: bool = False
    """Whether it is the value of a single future. Such a value says nothing of futures that were
    not simulated, so its intervals resample runs only."""


def regrets(means: np.ndarray) -> np.ndarray:
    """Return how far each strategy is behind the best of each future, [strategies, futures, ...].

    >>> regrets(np.array([[3.0, 1.0], [2.0, 4.0]])).tolist()
    [[0.0, 3.0], [1.0, 0.0]]
    """
    return means.max(axis=0) - means


def spread(means: np.ndarray, _aim: Aim) -> np.ndarray:
    """Return the standard deviation over futures; 0 for a single one."""
    return means.std(axis=1, ddof=min(1, means.shape[1] - 1))


CRITERIA: dict[str, Criterion] = {
    "regret_max": Criterion(lambda m, _aim: regrets(m).max(axis=1), LOSS, extreme=True),
    "regret_90": Criterion(lambda m, _aim: np.quantile(regrets(m), 0.9, axis=1), LOSS),
    "satisficing": Criterion(
        lambda m, aim: (m >= aim.threshold).mean(axis=1), SHARE, needs="threshold"
    ),
    "worst": Criterion(lambda m, _aim: m.min(axis=1), LEVEL, extreme=True),
    "worst_tenth": Criterion(lambda m, _aim: worst_mean(m, axis=1), LEVEL),
    "mean": Criterion(lambda m, _aim: m.mean(axis=1), LEVEL),
    # The strategy that varies least may be the one that does least: a spread ranks nothing.
    "spread": Criterion(spread, LOSS, ranks=False),
    "mean_spread": Criterion(lambda m, aim: m.mean(axis=1) - aim.aversion * spread(m, aim), LEVEL),
    "best": Criterion(lambda m, _aim: first_share(m).mean(axis=1), SHARE),
    "difference": Criterion(
        lambda m, aim: (m - m[aim.baseline]).mean(axis=1), LEVEL, needs="baseline"
    ),
    "ahead": Criterion(
        lambda m, aim: share_better(m - m[aim.baseline], axis=1), SHARE, needs="baseline"
    ),
}
"""All criteria by name: the maximum regret (Savage) and the 90% quantile of regret; the share of
futures at or beyond a threshold; the mean in the worst future (Wald's maximin) and over the worst
tenth; mean and standard deviation over futures, and the mean less ``aversion`` standard deviations;
the share of futures in which the strategy is best, ties divided; the difference to the baseline,
and the share of futures ahead of it, ties counting half
[savage_1951] [wald_1950] [herman_2015] [mcphail_2018]."""


class Satisficing(NamedTuple):
    """Share of futures that reach a threshold, for all thresholds. S strategies, T thresholds."""

    thresholds: np.ndarray
    """[T] in the outcome's unit, increasing."""
    share: np.ndarray
    """[S, T] share of futures whose mean is at or beyond the threshold."""
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Robustness:
    """How strategies do in many futures. S strategies, F futures."""

    names: tuple[str, ...]
    outcome: str
    better: int
    main: str
    """The criterion that ranks strategies by default."""
    baseline: str | None
    threshold: float | None
    aversion: float
    level: float
    runs: int
    means: np.ndarray = field(repr=False)
    """[S, F] means over runs, in the outcome's unit."""
    estimates: pd.DataFrame = field(repr=False)
    """A row for each strategy and criterion (:ref:`columns <robustness-table>`, without the
    outcome)."""
    satisficing: Satisficing = field(repr=False)

    @property
    def regret(self) -> np.ndarray:
        """[S, F] regret of each strategy in each future, in the outcome's unit."""
        return regrets(self.means * self.better)

    @property
    def criteria(self) -> list[str]:
        """The criteria that were computed, in their order."""
        return list(dict.fromkeys(self.estimates["criterion"]))

    def table(self, criterion: str | None = None) -> pd.DataFrame:
        """Return the estimates of one criterion (default: the main one), by strategy."""
        here = self.estimates["criterion"] == (criterion or self.main)
        return self.estimates[here].drop(columns="criterion").set_index("strategy")

    def order(self, criterion: str | None = None) -> list[str]:
        """Return the strategies by a criterion, the best first, ties in their order."""
        return list(self.table(criterion)["rank"].sort_values(kind="stable").index)

    def stability(self, criterion: str | None = None) -> float:
        """Return the share of resamples in which the first strategy ranks first again."""
        return float(self.table(criterion)["first"][self.order(criterion)[0]])

    def by_future(self, futures: Sequence[str]) -> pd.DataFrame:
        """Return a tidy table: strategy, future (as named here), ``mean``, ``regret``, ``best``.

        Futures of the same name are the same, and have one row for each strategy.
        """
        keys = {"strategy": self.names, "future": None}
        columns = {"mean": self.means, "regret": self.regret, "best": self.regret == 0.0}
        table = tidy(keys, columns)
        names = pd.Categorical(futures, list(dict.fromkeys(futures)))
        table["future"] = names[table["future"].to_numpy()]
        return table.drop_duplicates(["strategy", "future"], ignore_index=True)


@one_thread()
def robustness(
    values: np.ndarray,
    names: Sequence[str],
    *,
    better: int,
    baseline: str | None = None,
    threshold: float | None = None,
    main: str = "regret_90",
    aversion: float = 1.0,
    outcome: str = "",
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 1,
) -> Robustness:
    """Compute all criteria of robustness, with intervals.

    Intervals are quantiles of resamples, less the bias that the resamples show: the best of several
    noisy means is too good, and more so once they are resampled. Maximum regret and worst future
    are values of the simulated futures and their intervals resample runs only. Where the
    standard error of the mean over runs is near half of the spread between futures, intervals of
    extremes, of the spread and of the share of futures in which a strategy is best are too short:
    nominal 95% become 70 to 90%.

    ``main`` is the criterion that ranks strategies; ``aversion`` the standard deviations that
    ``mean_spread`` takes off the mean. Without a threshold ``satisficing`` is left out, without a
    baseline the differences to it.

    Examples
    --------
    >>> values = np.array([[[1.0, 1.2], [0.0, 0.2]], [[0.5, 0.7], [0.5, 0.7]]])
    >>> robustness(values, ["bold", "safe"], better=1).order("worst")
    ['safe', 'bold']
    """
    scores = check_scores(values, names, better, outcome)
    names = tuple(names)
    check_aim(names, baseline, threshold, main, level)
    aim = Aim(
        np.nan if threshold is None else threshold * better,
        -1 if baseline is None else names.index(baseline),
        aversion,
    )
    given = {"threshold": threshold is not None, "baseline": baseline is not None}
    criteria = {name: one for name, one in CRITERIA.items() if given.get(one.needs, True)}
    means = scores.mean(axis=2)
    grid = np.linspace(means.min(), means.max(), THRESHOLDS)
    resampled: dict[str, list[np.ndarray]] = {name: [] for name in criteria}
    curves = []
    for drawn, places in crossed_resamples(scores, resamples, np.random.default_rng(seed)):
        here = np.take_along_axis(drawn, places[None], axis=1)
        for name, one in criteria.items():
            resampled[name].append(one.compute(drawn if one.extreme else here, aim))
        curves.append(reached(here, grid))
    joined = {name: np.concatenate(parts, axis=1) for name, parts in resampled.items()}
    # A share of all or of no futures has no bias to take off.
    ends = percentile_interval(np.concatenate(curves, axis=2), level)
    parts = grid * better, reached(means, grid), *ends
    return Robustness(
        names=names,
        outcome=outcome,
        better=better,
        main=main,
        baseline=baseline,
        threshold=threshold,
        aversion=aversion,
        level=level,
        runs=scores.shape[2],
        means=means * better,
        estimates=estimate_table(means, criteria, aim, joined, names, better, level),
        satisficing=Satisficing(*(part[..., ::better] for part in parts)),
    )


def check_aim(
    names: Sequence[str],
    baseline: str | None,
    threshold: float | None,
    main: str,
    level: float,
) -> None:
    """Refuse unknown strategies and criteria, and numbers that make no sense."""
    problems = check_known(names, baseline)
    ranking = [name for name, one in CRITERIA.items() if one.ranks]
    if main not in ranking:
        message = _("'{name}' is not a criterion to rank by{suggestion}")
        problems.add(message.format(name=main, suggestion=suggestion(main, ranking)))
    else:
        needs = CRITERIA[main].needs
        if {"threshold": threshold, "baseline": baseline, "": 0.0}[needs] is None:
            message = _("the criterion '{name}' needs a {needs}")
            problems.add(message.format(name=main, needs=needs))
    if threshold is not None and not math.isfinite(threshold):
        problems.add(_("threshold: {value} is not a number").format(value=threshold))
    check_level(level, problems)
    problems.raise_if_any()


def reached(means: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return the share of futures at or above each threshold, [strategies, thresholds, ...]."""
    return np.stack([(means >= threshold).mean(axis=1) for threshold in grid], axis=1)


def estimate_table(
    means: np.ndarray,
    criteria: Mapping[str, Criterion],
    aim: Aim,
    resampled: Mapping[str, np.ndarray],
    names: Sequence[str],
    better: int,
    level: float,
) -> pd.DataFrame:
    """Return all criteria of all strategies, in the outcome's unit and direction."""
    found = []
    for name, one in criteria.items():
        value, drawn = one.compute(means, aim), resampled[name]
        low, high = corrected_interval(value, drawn, level)
        if name == "worst_tenth":
            low, high = tail_interval(value, drawn, level, int(tail_size(means.shape[1])))
        elif one.kind == SHARE:  # resamples of a share of all futures have no spread
            ends = share_interval(value, means.shape[1], level)
            low, high = np.minimum(low, ends[0]), np.maximum(high, ends[1])
        drawn = drawn - (drawn.mean(axis=1) - value)[:, None]  # else bias would decide the first
        if one.kind != LEVEL:  # regrets and shares are not below zero, shares not above one
            most = 1.0 if one.kind == SHARE else np.inf
            low, high = np.clip(low, 0.0, most), np.clip(high, 0.0, most)
        # Rounding errors must not break ties.
        rated = np.round(value / (np.abs(value).max() or 1.0), 12)
        sense = -1.0 if one.kind == LOSS else 1.0
        rank = first = np.full(len(names), np.nan)
        if one.ranks:
            rank = pd.Series(-sense * rated).rank(method="min").to_numpy()
            first = first_share(sense * drawn).mean(axis=1)
        if one.kind == LEVEL and better < 0:
            value, low, high = -value, -high, -low
        found.append((value, low, high, rank, first))
    keys = {"strategy": names, "criterion": tuple(criteria)}
    columns = zip(("value", "low", "high", "rank", "first"), zip(*found, strict=True), strict=True)
    return tidy(keys, {name: np.stack(parts, axis=1) for name, parts in columns})


def sample_sizes(
    values: np.ndarray,
    names: Sequence[str],
    *,
    against: str,
    difference: float,
    power: float = 0.9,
    level: float = 0.95,
    outcome: str = "",
) -> pd.DataFrame:
    """Estimate how many runs or futures distinguish strategies from one of them.

    Sizes follow from the variance components of paired differences and normal quantiles: with them
    an interval of this level excludes zero with this power, if the true difference is as stated.
    With a handful of runs and futures, Student's t would ask for a few more.

    ``difference`` is the difference of means that matters, in the outcome's unit, and ``power`` the
    probability of detecting it; ``against`` names the strategy that others are compared with. There
    must be at least two futures and two runs.

    Columns: ``strategy``; the observed ``difference`` and its standard ``error`` over futures and
    runs; ``detectable``: the least difference that the present size detects with this power;
    ``runs``: runs needed in the present number of futures; ``futures``: futures needed with the
    present number of runs; ``runs_here``: runs needed if only the simulated futures count. Infinite
    where no number would do.
    """
    from scipy.special import ndtri

    scores = check_scores(values, names, 1, outcome)
    check_aim(names, against, None, "mean", level)
    futures, runs = scores.shape[1:]
    problems = Problems()
    if min(futures, runs) < 2:
        problems.add(_("a variance needs at least two futures and two runs"))
    if not difference > 0.0:
        problems.add(_("difference: {value} is not above 0").format(value=difference))
    if not 0.0 < power < 1.0:
        problems.add(_("power: {value} is not between 0 and 1").format(value=power))
    problems.raise_if_any()
    quantiles = float(ndtri(0.5 + level / 2.0) + ndtri(power))
    allowed = (difference / quantiles) ** 2
    base, rows = scores[list(names).index(against)], []
    for name, score in zip(names, scores, strict=True):
        if name == against:
            continue
        parts = variance_components(score - base)
        error = parts.error(futures, runs)
        by_run, by_future = parts.run + parts.rest / futures, parts.future + parts.rest / runs
        rows.append(
            {
                "strategy": name,
                "difference": float((score - base).mean()),
                "error": error,
                "detectable": quantiles * error,
                "runs": sample_size(by_run, allowed - parts.future / futures),
                "futures": sample_size(by_future, allowed - parts.run / runs),
                "runs_here": sample_size(by_run, allowed),
            }
        )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class RobustnessResult:
    """Strategies in many futures: which is robust, where others fail, what to measure first."""

    study: Study
    settings: pd.DataFrame
    futures: Sequence[str]
    """Names of the futures, whose settings these are."""
    values: np.ndarray
    robustness: Robustness
    information: Information
    failing: Mapping[str, tuple[Discovery, Tree | None]]
    sizes: pd.DataFrame
    """How many runs and futures distinguish strategies (:func:`sample_sizes`)."""


def run_robustness(
    experiment: Experiment[RobustnessSpec], folder: Path, run: RunStudy
) -> RobustnessResult:
    """Simulate all strategies in all futures on common random numbers, and analyse them."""
    spec = experiment.spec
    if spec.plausible:
        futures = plausible_futures(spec.plausible, experiment.scenario)
        settings = pd.DataFrame(list(futures.values()))
    else:
        # Independent points: futures can be resampled, and more of them keep the first ones.
        rng = np.random.default_rng(experiment.seed)
        points = rng.random((spec.samples, len(experiment.factors)))
        settings = settings_table(experiment.factors, points)
    study = run_sample(experiment, settings, folder, spec.runs, run)
    (outcome,) = experiment.outcomes
    values, names = outcome_values(study, outcome), study.strategies
    better, title, seed = outcome.better, outcome.name, experiment.seed
    differences = (values[1:] - values[:1]).mean(axis=(1, 2))
    typical = float(np.abs(differences).max(initial=0.0)) / 2.0
    # A strategy fails below the threshold, or else below the baseline.
    baseline = spec.baseline if spec.threshold is None else None
    failing = {
        name: failures(
            values, names, name, better=better, threshold=spec.threshold, baseline=baseline,
            outcome=title,
        )
        for name in names[1:]
    }  # fmt: skip
    return RobustnessResult(
        study,
        settings,
        future_names(study.ledger, settings),
        values,
        robustness(
            values, names, baseline=spec.baseline, threshold=spec.threshold, better=better,
            outcome=title, seed=seed,
        ),
        information(values, names, settings, better=better, outcome=title, seed=seed),
        {
            name: locate_failures(settings, fails, seed=spec.seed)
            for name, fails in failing.items()
        },
        sample_sizes(
            values, names, against=spec.baseline, difference=typical or 1.0, outcome=title
        ),
    )  # fmt: skip
