"""Strategies over plausible futures: the difference to the baseline under many assumptions.

In each future all strategies share their random draws; different futures have draws of their own,
so that chance averages out over futures. What remains is what the assumptions do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from kolabsim.analysis.statistics import (
    CRITERIA,
    GAINS,
    LOSES,
    ROUNDING,
    Criteria,
    Effects,
    effects,
    first_share,
    interval_verdicts,
    mean_interval,
    plausible_columns,
    share_better,
)
from kolabsim.errors import Problems
from kolabsim.i18n import _
from kolabsim.model.measures import Measure
from kolabsim.study.collect import tidy

OF_COST = "share of stand-alone cost"
"""The unit of measures to which the practical threshold applies."""
PER_COST = "saving_per_cost"
"""The item of costs that is a ratio, not a sum of money."""


@dataclass(frozen=True)
class PlausibleRange:
    """One measure of all strategies against the baseline, over plausible futures.

    Arrays have the strategies as their first axis, in the order of ``strategies``; the baseline is
    not among them.
    """

    strategies: tuple[str, ...]
    futures: tuple[str, ...]
    differences: np.ndarray = field(repr=False)
    """[strategies, futures, runs] paired difference to the baseline of each run; NaN where
    undefined."""
    effects: Effects = field(repr=False)
    """[strategies, futures] the effect in each future, without the chance of its runs."""
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    """The plausible range: 90% of futures; from the least to the most of fewer than 20."""
    chance_low: np.ndarray
    chance_high: np.ndarray
    """The interval of the median, which shows what chance leaves open."""
    better: np.ndarray
    worse: np.ndarray
    """Shares of futures in which it is better or worse than the baseline by more than the practical
    threshold."""
    first: np.ndarray
    """Share of futures in which it is best of all, the baseline among them; ties are divided."""
    verdict: np.ndarray
    """``robustly better``, ``likely better``, ``hardly changes``, ``likely worse`` or ``robustly
    worse``; ``depends`` on assumptions; ``undecided`` by chance. ``different`` stands for better
    and worse where no direction is better."""

    def columns(self) -> dict[str, np.ndarray]:
        """Return what a table says of each strategy, [strategies]."""
        futures = np.isfinite(self.effects.values).sum(axis=-1)
        runs = np.isfinite(self.differences).sum(axis=(1, 2))
        return {
            "difference": self.median, "low": self.low, "high": self.high,
            "chance_low": self.chance_low, "chance_high": self.chance_high,
            "verdict": self.verdict, "better_share": self.better, "worse_share": self.worse,
            "best_share": self.first, "futures": futures, "runs": runs,
        }  # fmt: skip

    def table(self) -> pd.DataFrame:
        """Return all but the arrays as a table, a row for each strategy."""
        return pd.DataFrame({"strategy": self.strategies, **self.columns()})


def plausible_range(
    values: np.ndarray,
    strategies: Sequence[str],
    futures: Sequence[str],
    measure: Measure,
    criteria: Criteria = CRITERIA,
) -> PlausibleRange:
    """Return what plausible futures say of a measure, from its values in all runs.

    ``values`` are [baseline and strategies, futures, runs]. The practical threshold applies to
    measures that are shares of stand-alone cost; of others, any difference counts.
    """
    difference, size = paired(values)
    found = effects(difference, size)
    sense = measure.better
    columns = plausible_columns(
        found, sense=sense, threshold=threshold_for(measure, criteria), criteria=criteria,
        comparisons=len(difference),
    )  # fmt: skip
    scores = np.concatenate([np.zeros((1, len(futures))), found.values * (sense or 1)])
    first = first_share(np.where(np.isfinite(scores), scores, -np.inf))[1:].mean(axis=1)
    return PlausibleRange(
        strategies=tuple(strategies),
        futures=tuple(futures),
        differences=difference,
        effects=found,
        median=columns["difference"],
        better=columns["better_share"],
        worse=columns["worse_share"],
        first=first if sense else np.full(len(difference), np.nan),
        **{name: columns[name] for name in ("low", "high", "chance_low", "chance_high", "verdict")},
    )


def paired(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return differences to the first of [baseline and others, ..., runs], and their size.

    Differences that are rounding errors of the numbers are zero. The size of the numbers is
    [others, ...].
    """
    base, other = np.broadcast_arrays(values[:1], values[1:])
    difference = other - base
    used = np.isfinite(difference)
    sides = (np.abs(np.where(used, side, 0.0)) for side in (base, other))
    size = np.maximum(*sides).max(axis=-1)
    difference[np.abs(difference) <= ROUNDING * size[..., None]] = 0.0
    return difference, size


def gain_columns(
    values: np.ndarray, criteria: Criteria, *, threshold: float = 0.0, comparisons: int = 1
) -> dict[str, np.ndarray]:
    """Return the gains and losses of one region, by the rule of comparisons.

    ``values`` are [baseline and strategy, ..., futures, runs]; columns are [...]. Over several
    futures they are those of :func:`~kolabsim.analysis.statistics.plausible_columns`; in one
    future, means with intervals, and shares of runs.
    """
    difference, size = (part[0] for part in paired(values))
    if difference.shape[-2] > 1:
        return plausible_columns(
            effects(difference, size), threshold=threshold, criteria=criteria,
            comparisons=comparisons, words=(GAINS, LOSES),
        )  # fmt: skip
    difference, size = difference[..., 0, :], size[..., 0]
    found = mean_interval(difference, criteria.level, axis=-1, size=size).distinct(criteria.level)
    return {
        "difference": found.mean, "low": found.low, "high": found.high,
        "chance_low": found.low, "chance_high": found.high,
        "verdict": interval_verdicts(
            difference, criteria, comparisons, size=size, threshold=threshold, words=(GAINS, LOSES),
        ),
        "better_share": share_better(difference, axis=-1),
        "worse_share": share_better(difference, -1, axis=-1),
        "futures": np.ones(found.n.shape, np.int64),
    }  # fmt: skip


def threshold_for(measure: Measure, criteria: Criteria) -> float:
    """Return the smallest difference in a measure that matters."""
    return criteria.threshold if measure.unit == OF_COST else 0.0


def check_criteria(criteria: Criteria, problems: Problems) -> None:
    """Add problems with criteria that make no sense."""
    threshold, robust, likely = criteria.threshold, criteria.robust, criteria.likely
    if not 0.0 <= threshold < 1.0:
        message = _("practical_threshold: {value} is not allowed; allowed: from 0 to below 1")
        problems.add(message.format(value=threshold))
    for name, value in (("robust", robust), ("likely", likely)):
        if not 0.5 < value < 1.0:
            message = _("{name}: {value} is not allowed; allowed: more than 0.5 and less than 1")
            problems.add(message.format(name=name, value=value))
    if likely > robust:
        message = _("likely: {value} is more than robust: {robust}")
        problems.add(message.format(value=likely, robust=robust))


# Tables -----------------------------------------------------------------------------------------


def region_ranges(
    money: np.ndarray,
    alone: np.ndarray,
    keys: Mapping[str, Sequence[Any]],
    names: Mapping[str, str],
    criteria: Criteria = CRITERIA,
) -> pd.DataFrame:
    """Return the plausible ranges of what each region gains or loses under each strategy.

    ``money`` is net benefit [baseline and strategies, futures, runs, regions], ``alone`` the
    stand-alone cost of regions [futures, regions]; ``keys`` name strategies and regions.
    """
    sums, size = paired(np.moveaxis(money, -1, 1))
    share = alone.T[None, :, :]
    shares = plausible_columns(
        effects(sums / share[..., None], size / share), threshold=criteria.threshold,
        criteria=criteria, comparisons=sums.shape[0] * sums.shape[1], words=(GAINS, LOSES),
    )  # fmt: skip
    found = effects(sums, size)
    low, high = found.ends()
    cash = {"money": found.median(), "money_low": low, "money_high": high}
    columns = shares | cash | {"runs": np.isfinite(sums).sum(axis=(2, 3))}
    table = tidy(keys, columns)
    table.insert(2, "name", table["region"].astype(object).map(names))
    return table


def cost_ranges(
    ranges: pd.DataFrame, costs: pd.DataFrame, futures: Sequence[str], items: Sequence[str]
) -> pd.DataFrame:
    """Return the plausible ranges of costs and savings, and of the saving per unit of cost.

    ``ranges`` are those of all measures, some of which are ``items`` of cost; ``costs`` has the
    saving per unit of cost in each future, whose range contains the chance of its runs.
    """
    columns = ["strategy", "item", "value", "low", "high", "futures"]
    money = ranges.rename(columns={"measure": "item", "difference": "value"})
    money = money[money["item"].isin(items)][columns]
    each = costs[(costs["item"] == PER_COST) & costs["future"].isin(futures)]
    grid = each.pivot(index="strategy", columns="future", values="value")
    strategies = list(dict.fromkeys(money["strategy"]))
    values = grid.reindex(strategies).to_numpy(np.float64)
    made = Effects(values, np.zeros(len(values)), np.ones(len(values)))
    low, high = made.ends()
    ratios = pd.DataFrame({
        "strategy": strategies, "item": PER_COST, "value": made.median(), "low": low, "high": high,
        "futures": np.isfinite(values).sum(axis=1),
    })  # fmt: skip
    table = pd.concat([money.astype({"item": object, "strategy": object}), ratios])
    table["item"] = pd.Categorical(table["item"], categories=[*items, PER_COST])
    table["strategy"] = pd.Categorical(table["strategy"], categories=strategies)
    return table.sort_values(["strategy", "item"], ignore_index=True)
