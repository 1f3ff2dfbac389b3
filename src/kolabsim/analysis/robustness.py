"""Which strategy stands up in many futures: regret, satisficing, worst cases, and how surely.

Every figure is of the means over runs in each future. Intervals draw futures and runs anew, both at
once and the same for all strategies: a run of one number has the same draws in all strategies and
futures, so that futures and runs are crossed, not nested [owen_2007].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.analysis.comparison import tidy
from kolabsim.errors import Problems, suggestion
from kolabsim.i18n import _

if TYPE_CHECKING:
    import pandas as pd

RESAMPLED = 1000
"""Samples of futures and runs, drawn anew, from which intervals come."""
ROOM = 4_000_000
"""Most numbers that resampling holds at once in one array: 32 MB."""
THRESHOLDS = 61
"""Places of a curve of satisficing."""
TAIL = 0.1
"""The worst part of the futures, over which the mean of bad cases is taken."""

LOSS, LEVEL, SHARE = "loss", "level", "share"
"""What a criterion is: in the outcome's unit and never below zero, less is better; in the outcome's
unit and sense; or a share of futures, more is better."""


# Criteria ---------------------------------------------------------------------------------------


class Aim(NamedTuple):
    """What criteria need to know beside the means; all as scores, of which more is better."""

    threshold: float
    """NaN where none was set."""
    baseline: int
    """Its place among the strategies; -1 where there is none."""
    aversion: float


class Criterion(NamedTuple):
    """A way to say how well strategies stand up."""

    tell: Callable[[np.ndarray, Aim], np.ndarray]
    """From mean scores [strategies, futures, ...] to [strategies, ...]."""
    kind: str
    ranks: bool = True
    """Whether strategies can be put in order by it alone."""
    needs: str = ""
    """The part of the aim without which it says nothing: threshold or baseline."""
    extreme: bool = False
    """Whether it is of a single future. What others would bring cannot be told from it: it is one
    of these very futures, and its intervals draw runs alone."""


def regrets(means: np.ndarray) -> np.ndarray:
    """How far each strategy stays behind the best of its future, [strategies, futures, ...]."""
    return means.max(axis=0) - means


def shares_of_first(values: np.ndarray) -> np.ndarray:
    """1 for the largest along the first axis, 0 for the others; ties are divided."""
    first = values == values.max(axis=0)
    return first / first.sum(axis=0)


def regret_quantile(means: np.ndarray, _aim: Aim) -> np.ndarray:
    """The regret that nine futures of ten do not exceed."""
    return np.quantile(regrets(means), 0.9, axis=1)


def worst_tenth(means: np.ndarray, _aim: Aim) -> np.ndarray:
    """Mean over the worst tenth of the futures, of one future at least."""
    number = math.ceil(TAIL * means.shape[1])
    return np.partition(means, number - 1, axis=1)[:, :number].mean(axis=1)


def spread(means: np.ndarray, _aim: Aim) -> np.ndarray:
    """Standard deviation over futures; 0 of a single one."""
    return means.std(axis=1, ddof=min(1, means.shape[1] - 1))


CRITERIA: dict[str, Criterion] = {
    "regret_max": Criterion(lambda m, _aim: regrets(m).max(axis=1), LOSS, extreme=True),
    "regret_90": Criterion(regret_quantile, LOSS),
    "satisficing": Criterion(
        lambda m, aim: (m >= aim.threshold).mean(axis=1), SHARE, needs="threshold"
    ),
    "worst": Criterion(lambda m, _aim: m.min(axis=1), LEVEL, extreme=True),
    "worst_tenth": Criterion(worst_tenth, LEVEL),
    "mean": Criterion(lambda m, _aim: m.mean(axis=1), LEVEL),
    # What changes least may be what does least: a spread alone puts nothing in order.
    "spread": Criterion(spread, LOSS, ranks=False),
    "mean_spread": Criterion(lambda m, aim: m.mean(axis=1) - aim.aversion * spread(m, aim), LEVEL),
    "best": Criterion(lambda m, _aim: shares_of_first(m).mean(axis=1), SHARE),
    "difference": Criterion(
        lambda m, aim: (m - m[aim.baseline]).mean(axis=1), LEVEL, needs="baseline"
    ),
    "ahead": Criterion(
        lambda m, aim: (np.sign(m - m[aim.baseline]) / 2.0 + 0.5).mean(axis=1), SHARE,
        needs="baseline",
    ),
}  # fmt: skip
"""All criteria, by name: the largest regret (Savage's) and that which 90 % of futures do not
exceed; the share of futures at or beyond a threshold; the mean in the worst future (Wald's maximin)
and over the worst tenth; mean and standard deviation over futures, and the mean less so many
standard deviations; the share of futures in which it is best, ties divided; the difference to the
baseline, and the share of futures in which it is ahead of it, ties counting half
[savage_1951] [wald_1950] [herman_2015] [mcphail_2018]."""


# What is found ----------------------------------------------------------------------------------


class Satisficing(NamedTuple):
    """How many futures are good enough, for whatever is thought so. S strategies, T thresholds."""

    thresholds: np.ndarray
    """[T] in the outcome's unit, rising."""
    share: np.ndarray
    """[S, T] share of futures whose mean is at or beyond the threshold."""
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Robustness:
    """How strategies stand up in many futures. S strategies, F futures."""

    names: tuple[str, ...]
    """[S]"""
    outcome: str
    """What strategies are judged by: name of a measure, or a title; '' if it was not told."""
    better: int
    """1 if more of the outcome is better, -1 if less is."""
    main: str
    """The criterion by which strategies are put in order unless one says otherwise."""
    baseline: str | None
    threshold: float | None
    aversion: float
    """Standard deviations that the criterion ``mean_spread`` takes off the mean."""
    level: float
    """Confidence level of all intervals."""
    runs: int
    means: np.ndarray = field(repr=False)
    """[S, F] means over runs, in the outcome's unit."""
    figures: pd.DataFrame = field(repr=False)
    """strategy, criterion, ``value``, ``low``, ``high``; ``rank`` by the criterion, 1 for the best,
    equals sharing the better rank; ``first``: share of resamples in which it is first by it, ties
    divided. Rank and first are null where the criterion ranks nothing. Criteria without a
    threshold or baseline are left out."""
    satisficing: Satisficing = field(repr=False)

    @property
    def regret(self) -> np.ndarray:
        """[S, F] regret of each strategy in each future, in the outcome's unit."""
        return regrets(self.means * self.better)

    @property
    def criteria(self) -> list[str]:
        """The criteria that were told, in their order."""
        return list(dict.fromkeys(self.figures["criterion"]))

    def table(self, criterion: str | None = None) -> pd.DataFrame:
        """The figures of one criterion (default: the main one), by strategy."""
        here = self.figures["criterion"] == (criterion or self.main)
        return self.figures[here].drop(columns="criterion").set_index("strategy")

    def order(self, criterion: str | None = None) -> list[str]:
        """Strategies by a criterion, the best first, equals in their order."""
        return list(self.table(criterion)["rank"].sort_values(kind="stable").index)

    def sureness(self, criterion: str | None = None) -> float:
        """Share of resamples in which the first of a ranking is first again."""
        return float(self.table(criterion)["first"][self.order(criterion)[0]])

    def by_future(self, futures: Sequence[str]) -> pd.DataFrame:
        """Tidy: strategy, future (as named here), ``mean``, ``regret``, ``best``."""
        keys = {"strategy": self.names, "future": futures}
        columns = {"mean": self.means, "regret": self.regret, "best": self.regret == 0.0}
        return tidy(keys, columns)


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
    resamples: int = RESAMPLED,
    seed: int = 1,
) -> Robustness:
    """Say how strategies stand up in many futures, and how surely.

    Intervals are quantiles of resamples, less the bias that resamples show: the best of several
    noisy means is too good, more so once they are resampled. The largest regret and the worst
    future are those of the very futures that were simulated, and their intervals draw runs alone:
    from none of them can be told what another future would bring. Where the luck of
    the mean over runs is near half of what futures differ by, intervals of extremes, of the spread
    and of the share of futures in which a strategy is best are too short: 95 % become 70 to 90 %.

    Parameters
    ----------
    values
        [strategies, futures, runs] of one outcome, on common draws.
    names
        The strategies.
    better
        1 if more of the outcome is better, -1 if less is.
    baseline
        The strategy with which others are compared; without it, differences are left out.
    threshold
        What is good enough, in the outcome's unit; without it, the criterion ``satisficing`` is
        left out.
    main
        The criterion by which strategies are put in order.
    aversion
        Standard deviations that ``mean_spread`` takes off the mean.
    outcome
        Its name, for messages.
    level
        Confidence level of the intervals.
    resamples
        How many times futures and runs are drawn anew.
    seed
        Decides which are drawn.

    Raises
    ------
    InputError
        With all problems at once: undefined values and how many, shapes and names that do not fit.
    """
    scores = checked(values, names, better, outcome)
    names = tuple(names)
    check_aim(names, baseline, threshold, main, level)
    aim = Aim(
        np.nan if threshold is None else threshold * better,
        -1 if baseline is None else names.index(baseline),
        aversion,
    )
    given = {"threshold": threshold is not None, "baseline": baseline is not None}
    told = {name: one for name, one in CRITERIA.items() if given.get(one.needs, True)}
    means = scores.mean(axis=2)
    grid = np.linspace(means.min(), means.max(), THRESHOLDS)
    again: dict[str, list[np.ndarray]] = {name: [] for name in told}
    curves = []
    for drawn, places in drawn_anew(scores, resamples, np.random.default_rng(seed)):
        here = np.take_along_axis(drawn, places[None], axis=1)
        for name, one in told.items():
            again[name].append(one.tell(drawn if one.extreme else here, aim))
        curves.append(reached(here, grid))
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
        figures=figures_of(means, told, aim, again, names, better, level),
        satisficing=curve_of(means, grid, np.concatenate(curves, axis=2), better, level),
    )


# Checking ---------------------------------------------------------------------------------------


def checked(values: np.ndarray, names: Sequence[str], better: int, outcome: str = "") -> np.ndarray:
    """Scores [strategies, futures, runs] of which more is better; refused where not all is there.

    Raises :class:`~kolabsim.errors.InputError` with all problems at once.
    """
    values, problems = np.asarray(values, np.float64), Problems()
    called = outcome or _("the outcome")
    if better not in (1, -1):
        message = _("better: {value} is not allowed; 1 if more is better, -1 if less is")
        problems.add(message.format(value=better))
    if len(set(names)) < len(names):
        problems.add(_("strategies: a name stands twice"))
    if values.ndim != 3 or len(values) != len(names) or not values.size:
        message = _("{outcome}: the shape is {shape}; allowed: {number} strategies, futures, runs")
        problems.add(message.format(outcome=called, shape=values.shape, number=len(names)))
    elif len(names) < 2:
        message = _("only '{name}' was simulated: there is nothing to compare with it")
        problems.add(message.format(name=names[0]))
    else:
        undefined = ~np.isfinite(values)
        if undefined.any():
            message = _(
                "{outcome} is undefined in {number} of {all} runs, in {futures} of {every} futures "
                "and under these strategies: {names}; choose an outcome that is always defined"
            )
            problems.add(
                message.format(
                    outcome=called,
                    number=f"{undefined.sum():,}",
                    all=f"{values.size:,}",
                    futures=int(undefined.any(axis=(0, 2)).sum()),
                    every=values.shape[1],
                    names=", ".join(
                        name
                        for name, some in zip(names, undefined.any(axis=(1, 2)), strict=True)
                        if some
                    ),
                )
            )
    problems.raise_if_any()
    return values * better


def check_aim(
    names: Sequence[str],
    baseline: str | None,
    threshold: float | None,
    main: str,
    level: float,
) -> None:
    """Refuse what was not simulated and what cannot be told."""
    problems = Problems()
    if baseline is not None and baseline not in names:
        message = _("'{name}' was not simulated{suggestion}")
        problems.add(message.format(name=baseline, suggestion=suggestion(baseline, names)))
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
    if not 0.0 < level < 1.0:
        problems.add(_("level: {value} is not between 0 and 1").format(value=level))
    problems.raise_if_any()


# Resampling -------------------------------------------------------------------------------------


def drawn_anew(
    scores: np.ndarray, number: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Means over runs drawn anew [strategies, futures, resamples], and which futures are drawn.

    The second is [futures, resamples] places of futures. A few resamples at a time, so that many
    futures do not need much room.
    """
    strategies, futures, runs = scores.shape
    together = max(1, ROOM // (strategies * futures))
    while number > 0:
        size = min(number, together)
        counts = rng.multinomial(runs, np.full(runs, 1.0 / runs), size=size)
        yield scores @ (counts.T / runs), rng.integers(futures, size=(futures, size))
        number -= size


def interval(value: np.ndarray, again: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends of an interval: quantiles of resamples (last axis), less the bias that they show."""
    low, high = np.quantile(again, (0.5 - level / 2.0, 0.5 + level / 2.0), axis=-1)
    bias = again.mean(axis=-1) - value
    return low - bias, high - bias


def reached(means: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Share of futures whose mean score is at least each threshold, [strategies, grid, ...]."""
    return np.stack([(means >= threshold).mean(axis=1) for threshold in grid], axis=1)


# Tables -----------------------------------------------------------------------------------------


def figures_of(
    means: np.ndarray,
    told: Mapping[str, Criterion],
    aim: Aim,
    again: Mapping[str, Sequence[np.ndarray]],
    names: Sequence[str],
    better: int,
    level: float,
) -> pd.DataFrame:
    """All criteria of all strategies, tidy, in the outcome's unit and sense."""
    from scipy.stats import rankdata

    columns: dict[str, list[np.ndarray]] = {
        name: [] for name in ("value", "low", "high", "rank", "first")
    }
    for name, one in told.items():
        value, drawn = one.tell(means, aim), np.concatenate(again[name], axis=1)
        low, high = interval(value, drawn, level)
        drawn = drawn - (drawn.mean(axis=1) - value)[:, None]  # else bias would decide who is first
        if one.kind != LEVEL:  # neither a regret nor a share is below zero, and no share above one
            most = 1.0 if one.kind == SHARE else np.inf
            low, high = np.clip(low, 0.0, most), np.clip(high, 0.0, most)
        # Rounding must not part what is equal.
        rated = np.round(value / (np.abs(value).max() or 1.0), 12)
        sense = -1.0 if one.kind == LOSS else 1.0
        if one.ranks:
            rank = rankdata(-sense * rated, method="min")
            first = shares_of_first(sense * drawn).mean(axis=1)
        else:
            rank = first = np.full(len(names), np.nan)
        if one.kind == LEVEL and better < 0:
            value, low, high = -value, -high, -low
        for column, part in zip(columns.values(), (value, low, high, rank, first), strict=True):
            column.append(part)
    keys = {"strategy": tuple(names), "criterion": tuple(told)}
    return tidy(keys, {name: np.stack(parts, axis=1) for name, parts in columns.items()})


def curve_of(
    means: np.ndarray, grid: np.ndarray, again: np.ndarray, better: int, level: float
) -> Satisficing:
    """The curve of satisficing with its intervals, thresholds in the outcome's unit and rising."""
    share = reached(means, grid)
    # A share of all or no futures has no bias to be taken off.
    low, high = np.quantile(again, (0.5 - level / 2.0, 0.5 + level / 2.0), axis=2)
    parts = grid * better, share, low, high
    return Satisficing(*(part[..., ::better] for part in parts))


# Sample size ------------------------------------------------------------------------------------


class Components(NamedTuple):
    """Of what the variance of paired differences consists, in the square of the outcome's unit."""

    future: float
    """Between futures, whatever the run."""
    run: float
    """Between runs, whatever the future."""
    rest: float
    """What is particular to a run in a future."""

    def error(self, futures: float, runs: float) -> float:
        """Standard error of the mean difference over so many futures and runs."""
        return math.sqrt(self.future / futures + self.run / runs + self.rest / (futures * runs))


def components(difference: np.ndarray) -> Components:
    """Components of the variance of paired differences [futures, runs], two at least of each.

    Crossed random effects by the method of moments; none is below zero [searle_1971].
    """
    futures, runs = difference.shape
    by_future, by_run = difference.mean(axis=1), difference.mean(axis=0)
    rest = difference - by_future[:, None] - by_run + difference.mean()
    noise = float((rest**2).sum()) / ((futures - 1) * (runs - 1))
    return Components(
        max(float(by_future.var(ddof=1)) - noise / runs, 0.0),
        max(float(by_run.var(ddof=1)) - noise / futures, 0.0),
        noise,
    )


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
    """How many runs or futures it takes to tell strategies from one of them.

    Sizes follow from the observed variance of paired differences and normal quantiles: they are the
    least at which an interval of this level excludes zero with this power if the true difference is
    the one stated. With a handful of runs and futures Student's t would ask for a few more.

    Parameters
    ----------
    values
        [strategies, futures, runs] on common draws; two at least of each.
    names
        The strategies.
    against
        The strategy from which the others are to be told.
    difference
        The difference of means that matters, in the outcome's unit.
    power
        Chance of telling them apart if they differ by so much.
    level
        Confidence level of the interval.

    Returns
    -------
    pandas.DataFrame
        ``strategy``; ``difference`` as observed and its standard ``error`` over futures and runs;
        ``detectable``: the least difference that the present size tells apart with this power;
        ``runs``: how many are needed in as many futures as now; ``futures``: how many are needed
        with as many runs as now; ``runs_here``: how many runs if only these very futures count.
        Infinite where no number would do.

    Raises
    ------
    InputError
        If anything is undefined, unknown, or not positive.
    """
    import pandas as pd
    from scipy.special import ndtri

    scores = checked(values, names, 1, outcome)
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
        parts = components(score - base)
        error = parts.error(futures, runs)
        rows.append(
            {
                "strategy": name,
                "difference": float((score - base).mean()),
                "error": error,
                "detectable": quantiles * error,
                "runs": needed(parts.run + parts.rest / futures, allowed - parts.future / futures),
                "futures": needed(parts.future + parts.rest / runs, allowed - parts.run / runs),
                "runs_here": needed(parts.run + parts.rest / futures, allowed),
            }
        )
    return pd.DataFrame(rows)


def needed(variance: float, allowed: float) -> float:
    """How many it takes to bring a variance down to what is allowed, two at least."""
    return max(2.0, math.ceil(variance / allowed - 1e-9)) if allowed > 0.0 else math.inf
