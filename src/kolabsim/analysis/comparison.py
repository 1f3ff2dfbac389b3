"""Compare strategies with a baseline on common random numbers.

Runs of two strategies with the same future and number are a pair: they share every draw and differ
only by what the strategy changes. All intervals are of means of such paired differences.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import arrange, check_known, check_level, positions
from kolabsim.analysis.outlook import stand_alone_cost
from kolabsim.analysis.plausible import (
    PER_COST,
    PlausibleRange,
    check_criteria,
    cost_ranges,
    paired,
    plausible_range,
    region_ranges,
    threshold_for,
)
from kolabsim.analysis.statistics import (
    CRITERIA,
    GAINS,
    LOSES,
    PLAIN,
    ROUNDING,
    Criteria,
    Mean,
    fieller,
    halvings,
    interval_verdicts,
    mean_interval,
    ratio,
    share_best,
    share_better,
    variance,
)
from kolabsim.i18n import _
from kolabsim.model.measures import CHANNELS, MEASURES, Measure, shown_in
from kolabsim.model.measures import COSTS as COST_TABLE
from kolabsim.scenario.futures import plausible_names
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.study.collect import Results, tidy

if TYPE_CHECKING:
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.spec import ComparisonSpec

Values: TypeAlias = "Callable[..., np.ndarray]"
"""Returns the values of the named measures, [baseline and others, futures, runs, measures]."""
NET_BENEFIT = "realised_benefit"
"""The measure that ranks strategies by default."""
COSTS = shown_in(COST_TABLE)
"""Costs and savings in money, beyond the baseline's."""
PROGRAMME = "programme"
LEAST_RUNS = 8
"""Fewest runs from which convergence shows an interval."""
RANGE_COLUMNS = (
    "strategy", "measure", "difference", "low", "high", "chance_low", "chance_high", "verdict",
    "better_share", "worse_share", "best_share", "futures", "runs",
)  # fmt: skip
"""Columns of the table of plausible ranges."""


@dataclass(frozen=True)
class Comparison:
    """Strategies against a baseline, as tidy tables; null says undefined.

    Its result is over plausible futures if there are several, and else that of the first future.
    Tables of all futures have a row for each future; :attr:`ranges` and the other tables of ranges
    are over plausible futures, and empty if there are none.
    """

    scenario: Scenario = field(repr=False)
    baseline: str
    criteria: Criteria
    """When a difference matters, and in how many futures it must hold."""
    strategies: tuple[str, ...]
    """All but the baseline."""
    futures: tuple[str, ...]
    plausible: tuple[str, ...]
    """The plausible futures among them, over which ranges are taken; empty unless several."""
    runs: int
    """Runs of each strategy in each future."""
    differences: pd.DataFrame = field(repr=False)
    """A row for each strategy, future and measure (:ref:`columns <differences-table>`)."""
    winners: pd.DataFrame = field(repr=False)
    """A row for each strategy, future and region (:ref:`columns <winners-table>`)."""
    costs: pd.DataFrame = field(repr=False)
    """A row for each strategy, future and item: programme cost by payer and in total, saving, net
    saving, and saving per unit of cost (:ref:`columns <costs-table>`)."""
    channels: pd.DataFrame = field(repr=False)
    """A row for each strategy, future and channel of the difference in realised net benefit. The
    channels and the programme cost, no matter who bears it, add up to the difference
    (:ref:`columns <channels-table>`)."""
    headline: PlausibleRange | None = field(repr=False)
    """Realised net benefit over plausible futures, with the difference of every run; None if
    assumptions were not varied."""
    ranges: pd.DataFrame = field(repr=False)
    """A row for each strategy and measure (:ref:`columns <ranges-table>`)."""
    winner_ranges: pd.DataFrame = field(repr=False)
    """A row for each strategy and region (:ref:`columns <winner_ranges-table>`)."""
    cost_ranges: pd.DataFrame = field(repr=False)
    """A row for each strategy and item of cost (:ref:`columns <cost_ranges-table>`)."""
    same_money: pd.DataFrame | None = field(default=None, repr=False)
    """A row for each strategy that can be scaled to the cost of the cheapest that is better than
    the baseline (:ref:`columns <same_money-table>`); None if it was not simulated."""

    @property
    def level(self) -> float:
        """Confidence level of intervals, which show what chance leaves open."""
        return self.criteria.level

    @property
    def is_varied(self) -> bool:
        """Whether its result is over plausible futures."""
        return bool(self.plausible)

    def table(self, measure: str, *, future: str | None = None) -> pd.DataFrame:
        """Return the differences of one measure by strategy.

        Those in one future, or by default the result: medians and ranges over plausible futures
        if there are any, and else the differences in the first future.
        """
        if self.is_varied and future is None:
            return self.ranges[self.ranges["measure"] == measure].set_index("strategy")
        found = self.differences
        here = (found["measure"] == measure) & (found["future"] == (future or self.futures[0]))
        return found[here].set_index("strategy")

    def regions(self, *, future: str | None = None) -> pd.DataFrame:
        """Return gains and losses of regions, as :meth:`table` does for measures."""
        if self.is_varied and future is None:
            return self.winner_ranges
        return self.winners[self.winners["future"] == (future or self.futures[0])]

    def money(self, *, future: str | None = None) -> pd.DataFrame:
        """Return costs and savings, as :meth:`table` does for measures."""
        if self.is_varied and future is None:
            return self.cost_ranges
        return self.costs[self.costs["future"] == (future or self.futures[0])]

    def channel_grid(self, *, future: str | None = None) -> pd.DataFrame:
        """Return the channels of each strategy, [strategies, channels].

        Over plausible futures they are means, which add up as medians do not.
        """
        names = (
            self.plausible if self.is_varied and future is None else (future or self.futures[0],)
        )
        here = self.channels[self.channels["future"].isin(names)]
        grid = here.groupby(["strategy", "channel"], observed=True)["difference"].mean()
        return grid.unstack("channel")

    def losers(self, *, future: str | None = None) -> pd.DataFrame:
        """Return the rows of :meth:`regions` that lose, likely or robustly if over futures.

        This is the one definition of a region that loses: against the baseline, and by more than
        the practical threshold. The measure ``worse_off`` compares with serving alone instead.
        """
        return self._regions_that(LOSES, future)

    def gainers(self, *, future: str | None = None) -> pd.DataFrame:
        """Return the rows of :meth:`regions` that gain, by the definition of :meth:`losers`."""
        return self._regions_that(GAINS, future)

    def _regions_that(self, verdict: str, future: str | None) -> pd.DataFrame:
        table = self.regions(future=future)
        return table[table["verdict"].astype(object).replace(PLAIN) == verdict]

    def order(self, measure: str = NET_BENEFIT, *, future: str | None = None) -> list[str]:
        """Return the strategies by their difference, the best first, undefined ones last."""
        sense = MEASURES[measure].better or 1
        difference = self.table(measure, future=future)["difference"] * sense
        return list(difference.sort_values(ascending=False, kind="stable").index)


def compare(
    results: Results,
    *,
    baseline: str = BASELINE,
    level: float = CRITERIA.level,
    practical_threshold: float = CRITERIA.threshold,
    robust: float = CRITERIA.robust,
    likely: float = CRITERIA.likely,
) -> Comparison:
    """Compare strategies with a baseline, run by run and over plausible futures.

    Parameters
    ----------
    results
        The runs; futures named ``plausible-1``, ``plausible-2``, ... are summarised.
    baseline
        The strategy with which the others are compared.
    level
        Confidence level of intervals, between 0 and 1.
    practical_threshold
        Smallest net benefit that matters, as a share of stand-alone cost.
    robust, likely
        Shares of plausible futures in which a statement must hold to be called so.

    Raises
    ------
    InputError
        If there is no such baseline, nothing to compare with it, or a number is out of range.

    Examples
    --------
    >>> import kolabsim as ks
    >>> results = ks.simulate("kartamantul", ["voluntary", "forum"], runs=4, seed=1)
    >>> ks.compare(results).strategies
    ('forum',)
    """
    others = tuple(name for name in results.strategies if name != baseline)
    problems = check_known(results.strategies, baseline)
    if not others:
        message = _("only '{name}' was simulated: there is nothing to compare with it")
        problems.add(message.format(name=baseline))
    check_level(level, problems)
    criteria = Criteria(practical_threshold, robust, likely, level)
    check_criteria(criteria, problems)
    problems.raise_if_any()
    keys = {"strategy": others, "future": tuple(results.futures)}
    every = all_keys(results, (baseline, *others), keys["future"])
    at = positions(results.columns([*every]), every)

    def values(*names: str) -> np.ndarray:
        # A few columns at a time: a study may have more runs than fit in memory.
        return arrange(results.columns(names), every, names, at)

    plausible = plausible_names(results.futures)
    chosen = [keys["future"].index(name) for name in plausible]
    parts, ranges = [], {}
    for name in results.measures:
        found = values(name)[..., 0]
        parts.append(measure_columns(found, MEASURES[name], criteria))
        if plausible:
            some = found[:, chosen]
            ranges[name] = plausible_range(some, others, plausible, MEASURES[name], criteria)
    columns = {name: np.stack([part[name] for part in parts], axis=2) for name in parts[0]}
    differences = tidy({**keys, "measure": results.measures}, columns)
    money = cost_table(differences, values, keys, level)
    winners, winner_ranges = winner_tables(results, every, chosen, criteria)
    over_futures = range_table(ranges, keys["strategy"], results.measures)
    return Comparison(
        scenario=results.scenario,
        baseline=baseline,
        criteria=criteria,
        strategies=others,
        futures=keys["future"],
        plausible=plausible,
        runs=len(every["run"]),
        differences=differences,
        winners=winners,
        costs=money,
        channels=channel_table(values, keys, level),
        headline=ranges.get(NET_BENEFIT),
        ranges=over_futures,
        winner_ranges=winner_ranges,
        cost_ranges=cost_ranges(over_futures, money, plausible, COSTS),
    )


class RunArrays(NamedTuple):
    """The runs of a baseline and of other strategies, in this order, as arrays."""

    measures: Mapping[str, np.ndarray]
    """The figures of each measure [strategies, futures, runs]."""
    money: np.ndarray
    """Net benefit of regions, summed over areas [strategies, futures, runs, regions]."""
    alone: np.ndarray
    """Stand-alone cost of regions [futures, regions]."""


def compare_ranges(
    runs: RunArrays, scenario: Scenario, strategies: Sequence[str], futures: Sequence[str]
) -> Comparison:
    """Compare strategies over plausible futures, with the tables of ranges only.

    They are those of :func:`compare`, by the usual criteria, in a fraction of its time. The other
    tables are empty, but for the levels of the baseline in :attr:`Comparison.differences`. The
    first of the strategies is the baseline.
    """
    criteria, others, codes = CRITERIA, tuple(strategies[1:]), scenario.regions.codes
    futures, names = tuple(futures), tuple(runs.measures)
    ranges, levels = {}, []
    for name, values in runs.measures.items():
        found = plausible_range(values, others, futures, MEASURES[name], criteria)
        ranges[name] = found
        used = np.isfinite(found.differences)
        total = np.nansum(np.where(used, values[:1], np.nan), axis=2)
        levels.append(ratio(total, used.sum(axis=2)))
    keys = {"strategy": others, "future": futures, "measure": names}
    return Comparison(
        scenario=scenario,
        baseline=strategies[0],
        criteria=criteria,
        strategies=others,
        futures=futures,
        plausible=futures,
        runs=runs.money.shape[2],
        differences=tidy(keys, {"baseline": np.stack(levels, axis=2)}),
        winners=pd.DataFrame(),
        costs=pd.DataFrame(),
        channels=pd.DataFrame(),
        headline=ranges.get(NET_BENEFIT),
        ranges=range_table(ranges, others, names),
        winner_ranges=region_ranges(
            runs.money, runs.alone, {"strategy": others, "region": codes},
            dict(zip(codes, scenario.regions.labels, strict=True)), criteria,
        ),
        cost_ranges=pd.DataFrame(),
    )  # fmt: skip


def compare_experiment(results: Results, experiment: Experiment[ComparisonSpec]) -> Comparison:
    """Compare the strategies of an experiment, by the criteria of its file."""
    spec = experiment.spec
    return compare(
        results, baseline=spec.baseline, practical_threshold=spec.practical_threshold,
        robust=spec.robust, likely=spec.likely,
    )  # fmt: skip


def all_keys(
    results: Results, strategies: Sequence[str], futures: Sequence[str]
) -> dict[str, Collection[Any]]:
    """Return the keys of an array of runs: strategies, futures, and the numbers of all runs."""
    numbers = np.unique(results.columns(["run"])["run"])
    return {"strategy": strategies, "future": futures, "run": numbers}


def measure_values(
    results: Results, measure: str, strategies: Sequence[str], futures: Sequence[str]
) -> np.ndarray:
    """Return a measure of all runs, [strategies, futures, runs]."""
    keys = all_keys(results, strategies, futures)
    return arrange(results.columns([*keys, measure]), keys, [measure])[..., 0]


# Tables -----------------------------------------------------------------------------------------


def range_table(
    ranges: Mapping[str, PlausibleRange], strategies: Sequence[str], measures: Sequence[str]
) -> pd.DataFrame:
    """Return the plausible ranges of all measures as one table, a row a strategy and measure."""
    if not ranges:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in RANGE_COLUMNS})
    names = [name for name in measures if name in ranges]
    found = [ranges[name].columns() for name in names]
    columns = {name: np.stack([part[name] for part in found], axis=1) for name in found[0]}
    table = tidy({"strategy": strategies, "measure": names}, columns)
    table["measure"] = table["measure"].cat.set_categories([*measures])
    return table[[*RANGE_COLUMNS]]


def measure_columns(
    values: np.ndarray, measure: Measure, criteria: Criteria
) -> dict[str, np.ndarray]:
    """Return the differences of one measure, from [baseline and others, futures, runs]."""
    sense, level = measure.better, criteria.level
    difference, size = paired(values)
    used = np.isfinite(difference)
    base, other = np.broadcast_arrays(values[:1], values[1:])
    one, two = (np.where(used, side, np.nan) for side in (base, other))
    found = mean_interval(difference, level, axis=2, size=size).distinct(level)
    apart = variance(one, axis=2) + variance(two, axis=2)
    gain = ratio(apart, variance(difference, axis=2, size=size))
    return {
        "baseline": ratio(np.nansum(one, axis=2), found.n),
        "mean": ratio(np.nansum(two, axis=2), found.n),
        "difference": found.mean,
        "low": found.low,
        "high": found.high,
        "verdict": interval_verdicts(
            difference, criteria, len(difference), sense=sense, size=size,
            threshold=threshold_for(measure, criteria), axis=2,
        ),
        "better_share": share_better(difference, sense, axis=2),
        "best_share": share_best(values, sense, axis=2)[1:],
        "runs": found.n,
        "undefined": difference.shape[2] - found.n,
        "variance_reduction": np.where(apart > 0.0, gain, np.nan),
    }  # fmt: skip


def winner_tables(
    results: Results,
    every: Mapping[str, Collection[Any]],
    plausible: Sequence[int],
    criteria: Criteria,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what regions gain and lose in each future, and over plausible ones.

    It is their net benefit in money, summed over areas. ``plausible`` are positions of futures.
    """
    scenario, level = results.scenario, criteria.level
    codes = scenario.regions.codes if results.has_regions else ()
    money = np.empty((*(len(values) for values in every.values()), 0))
    alone = np.empty((len(results.futures), 0))
    if results.has_regions:
        columns = ("strategy", "future", "run", "region", "area", "benefit_money")
        table = results.columns(columns, "regions")
        # A study may keep the regions of fewer runs.
        axes = {**every, "run": np.unique(table["run"]), "region": codes, "area": [*scenario.areas]}
        money = arrange(table, axes, ["benefit_money"])[..., 0].sum(axis=4)
        alone = np.array([stand_alone_cost(world) for world in results.worlds()])
    difference = money[1:] - money[:1]
    found = mean_interval(difference, level, axis=2).distinct(level)
    winners = tidy(
        {"strategy": [*every["strategy"]][1:], "future": every["future"], "region": codes},
        {
            "difference": found.mean / alone,
            "low": found.low / alone,
            "high": found.high / alone,
            "money": found.mean,
            "money_low": found.low,
            "money_high": found.high,
            "verdict": interval_verdicts(
                difference / alone[:, None], criteria, len(difference) * len(codes),
                threshold=criteria.threshold, words=(GAINS, LOSES), axis=2,
            ),
            "better_share": share_better(difference, axis=2),
            "runs": found.n,
        },
    )  # fmt: skip
    names = dict(zip(scenario.regions.codes, scenario.regions.labels, strict=True))
    winners.insert(3, "name", winners["region"].astype(object).map(names))
    keys = {"strategy": [*every["strategy"]][1:], "region": codes if plausible else ()}
    chosen = [*plausible]
    some = money[:, chosen] if plausible else money[:, :, :, :0]
    ranges = region_ranges(
        some, alone[chosen or slice(None), : some.shape[3]], keys, names, criteria
    )
    return winners, ranges


def cost_table(
    differences: pd.DataFrame, values: Values, keys: Mapping[str, Collection[Any]], level: float
) -> pd.DataFrame:
    """Return costs and savings beyond the baseline's, and the saving per unit of cost."""
    both = values("saving", "programme_cost")
    saving, cost = np.moveaxis(both[1:] - both[:1], -1, 0)
    found = Mean(*(part[..., None] for part in fieller(saving, cost, level, axis=2)))
    per_unit = tidy({**keys, "item": (PER_COST,)}, found.columns("value"))
    money = differences[differences["measure"].isin(COSTS)]
    money = money.rename(columns={"measure": "item", "difference": "value"})[per_unit.columns]
    table = pd.concat([money.astype({"item": object}), per_unit.astype({"item": object})])
    table["item"] = pd.Categorical(table["item"], categories=[*COSTS, PER_COST])
    return table.sort_values(["strategy", "future", "item"], ignore_index=True)


def channel_table(
    values: Values, keys: Mapping[str, Collection[Any]], level: float
) -> pd.DataFrame:
    """Return the channels of net benefit; the programme cost is what they leave."""
    own = [name for name in CHANNELS if name in MEASURES]
    rest, found = values(NET_BENEFIT), []
    for name in own:  # one at a time, to save memory
        part = values(name)
        rest -= part
        found.append(mean_interval(part[1:] - part[:1], level, axis=2))
    rest[np.abs(rest) < ROUNDING] = 0.0
    found.append(mean_interval(rest[1:] - rest[:1], level, axis=2))
    every = Mean(*(np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True)))
    return tidy({**keys, "channel": (*own, PROGRAMME)}, every.columns())


def convergence(
    results: Results,
    comparison: Comparison,
    *,
    measure: str = NET_BENEFIT,
    future: str | None = None,
) -> pd.DataFrame:
    """Return what the first runs alone show of the best strategy, from few runs to all.

    Columns: ``runs``: how many of the first runs; ``best``: the best strategy in them;
    ``difference``, ``low``, ``high``: difference to the baseline of the strategy that is best in
    all runs; ``lead``, ``lead_low``, ``lead_high``: its difference to the next best in all runs,
    NaN where there is no other.
    """
    future = future or comparison.futures[0]
    order = comparison.order(measure, future=future)
    values = measure_values(results, measure, (comparison.baseline, *order), (future,))[:, 0]
    sense, level = MEASURES[measure].better or 1, comparison.level
    rows = []
    for size in halvings(values.shape[1], LEAST_RUNS):
        some = values[:, :size]
        difference = mean_interval(some[1] - some[0], level)[:3]
        lead = mean_interval(some[1] - some[2], level)[:3] if len(order) > 1 else (np.nan,) * 3
        means = mean_interval((some[1:] - some[0]) * sense, level, axis=1).mean
        best = order[int(np.nanargmax(means))] if np.isfinite(means).any() else order[0]
        rows.append([size, best, *(float(part) for part in (*difference, *lead))])
    names = ["runs", "best", "difference", "low", "high", "lead", "lead_low", "lead_high"]
    return pd.DataFrame(rows, columns=names)
