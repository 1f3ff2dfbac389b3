"""What strategies change: differences to a baseline on common draws, with their intervals.

Runs of two strategies with the same future and number are a pair: they share every draw, and differ
only by what the strategy changes. All intervals here are of means of such paired differences.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from kolabsim.errors import InputError, Problem, suggestion
from kolabsim.i18n import _
from kolabsim.model import laws
from kolabsim.model.levers import UNIT_COSTS
from kolabsim.model.measures import CHANNELS, MEASURES, Measure, shown_in
from kolabsim.model.measures import COSTS as IN_COSTS
from kolabsim.model.parameters import QUARTERS
from kolabsim.scenario.compile import build_changes
from kolabsim.scenario.scenario import BASELINE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.collect import Results

Values: TypeAlias = "Callable[..., np.ndarray]"
"""Gives for names of measures their values [baseline and others, futures, runs, measures]."""
NET_BENEFIT = "realised_benefit"
"""The measure by which strategies are put in order unless one says otherwise."""
COSTS = shown_in(IN_COSTS)
"""What strategies cost and save, in money, beyond the baseline."""
PROGRAMME = "programme"
BETTER, WORSE, UNDECIDED, DIFFERENT = "better", "worse", "undecided", "different"
"""What an interval says of a difference: clear of zero to the better or worse side, or not clear of
zero; clear of zero in a measure of which neither more nor less is better."""
GAINS, LOSES = "gains", "loses"
NOISE = 1e-12
"""A remainder of sums of channels below this is rounding."""


@dataclass(frozen=True)
class Comparison:
    """Strategies against a baseline, as tidy tables; null says undefined."""

    scenario: Scenario = field(repr=False)
    baseline: str
    level: float
    """Confidence level of all intervals."""
    strategies: tuple[str, ...]
    """All but the baseline."""
    futures: tuple[str, ...]
    runs: int
    """Runs of each strategy under each future."""
    differences: pd.DataFrame = field(repr=False)
    """strategy, future, measure; then the means of the pairs used (``baseline``, ``mean``), their
    ``difference`` with its interval (``low``, ``high``), the ``verdict`` of the interval (better,
    worse, undecided, or different where neither more nor less is better); ``better_share``: the
    share of runs in which the strategy does better than the baseline, ties counting half;
    ``best_share``: the share in which it does best of all strategies, ties divided; ``runs``: pairs
    used; ``undefined``: pairs left out because either side is null; ``variance_reduction``:
    variance of the difference had the runs been independent, over its variance as paired."""
    winners: pd.DataFrame = field(repr=False)
    """strategy, future, region, name; ``difference``, ``low``, ``high``: realised net benefit over
    the run, after the programme cost that the region bears, as a share of what the region would
    pay alone over the run; ``money``, ``money_low``, ``money_high``: the same in money;
    ``verdict``: gains, loses or undecided, by the interval; ``better_share``, ``runs``."""
    costs: pd.DataFrame = field(repr=False)
    """strategy, future, item; ``value``, ``low``, ``high``, ``runs``: programme cost by payer and
    in all, saving, net saving, all beyond the baseline and summed over the run; and
    ``saving_per_cost``: the ratio of the mean saving to the mean cost, by Fieller's interval."""
    channels: pd.DataFrame = field(repr=False)
    """strategy, future, channel; ``difference``, ``low``, ``high``, ``runs``: through what the
    realised net benefit of the last year differs. The channels, with the programme cost whoever
    bears it, add up to the difference."""

    def table(self, measure: str, *, future: str | None = None) -> pd.DataFrame:
        """The differences of one measure under one future (default: the first), by strategy."""
        found = self.differences
        here = (found["measure"] == measure) & (found["future"] == (future or self.futures[0]))
        return found[here].set_index("strategy")

    def order(self, measure: str = NET_BENEFIT, *, future: str | None = None) -> list[str]:
        """Strategies by their difference, the best first; undefined ones last."""
        sense = MEASURES[measure].better or 1
        difference = self.table(measure, future=future)["difference"] * sense
        return list(difference.sort_values(ascending=False, kind="stable").index)


def compare(results: Results, *, baseline: str = BASELINE, level: float = 0.95) -> Comparison:
    """Compare strategies with a baseline, run by run.

    Parameters
    ----------
    results
        Runs of at least two strategies.
    baseline
        The strategy with which the others are compared.
    level
        Confidence level of the intervals, between 0 and 1.

    Raises
    ------
    InputError
        If there is no such baseline, nothing to compare with it, or no such level.
    """
    others = tuple(name for name in results.strategies if name != baseline)
    check_request(results.strategies, others, baseline, level)
    futures = tuple(results.futures)
    numbers = np.unique(results.columns(["run"])["run"])
    keys = {"strategy": others, "future": futures}
    every = {"strategy": (baseline, *others), "future": futures, "run": numbers}

    at = place_in(results.columns([*every]), every)

    def values(*names: str) -> np.ndarray:
        # A few columns at a time: a study may have more runs than memory has room for all.
        return arranged(results.columns(names), at, every, names)

    differences = measure_table(values, keys, results.measures, level)
    return Comparison(
        scenario=results.scenario,
        baseline=baseline,
        level=level,
        strategies=others,
        futures=futures,
        runs=len(numbers),
        differences=differences,
        winners=winner_table(results, every, level),
        costs=cost_table(differences, values, keys, level),
        channels=channel_table(values, keys, level),
    )


def check_request(
    strategies: Sequence[str], others: Sequence[str], baseline: str, level: float
) -> None:
    """Refuse a baseline that was not simulated, or that is all there is, and levels like 95."""
    message = ""
    if baseline not in strategies:
        message = _("'{name}' was not simulated{suggestion}").format(
            name=baseline, suggestion=suggestion(baseline, strategies)
        )
    elif not others:
        message = _("only '{name}' was simulated: there is nothing to compare with it")
        message = message.format(name=baseline)
    elif not 0.0 < level < 1.0:
        message = _("level: {value} is not between 0 and 1").format(value=level)
    if message:
        raise InputError([Problem(message)])


# Arrays -----------------------------------------------------------------------------------------


def place_in(table: pd.DataFrame, keys: Mapping[str, Sequence[object]]) -> np.ndarray:
    """Where each row of a table goes in an array with an axis for each key, counted through it.

    One past its end for rows with other values than the keys have.
    """
    at, end = np.zeros(len(table), np.int64), 1
    for name, values in keys.items():
        place = places(table[name], values)
        at = np.where((at < 0) | (place < 0), -1, at * len(values) + place)
        end *= len(values)
    at[at < 0] = end
    return at


def arranged(
    table: pd.DataFrame,
    at: np.ndarray,
    keys: Mapping[str, Sequence[object]],
    columns: Sequence[str],
) -> np.ndarray:
    """Columns of a table as an array with an axis for each key, in the order of its values.

    ``at`` says where each row goes (:func:`place_in`); NaN where the table has no row.
    """
    shape = [len(values) for values in keys.values()]
    values = np.full((int(np.prod(shape)) + 1, len(columns)), np.nan)
    for number, name in enumerate(columns):
        values[at, number] = table[name].to_numpy(np.float64, na_value=np.nan)
    return values[:-1].reshape(*shape, len(columns))


def cube(
    table: pd.DataFrame, keys: Mapping[str, Sequence[object]], columns: Sequence[str]
) -> np.ndarray:
    """Columns of a table with an axis for each key; rows with other values are left out."""
    return arranged(table, place_in(table, keys), keys, columns)


def places(column: pd.Series, values: Sequence[object]) -> np.ndarray:
    """Where each value of a column stands among some values; -1 where it does not."""
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Index(values).get_indexer(column.cat.categories)[column.cat.codes]
    return pd.Index(values).get_indexer(column)


def paired(difference: np.ndarray, level: float) -> tuple[np.ndarray, ...]:
    """Mean of paired differences over runs (axis 2), its t interval, and the pairs used.

    Without a pair all is NaN, with a single one the interval is.
    """
    from scipy.special import stdtrit

    used = np.isfinite(difference)
    n = used.sum(axis=2)
    mean = ratio(np.where(used, difference, 0.0).sum(axis=2), n)
    spread = np.where(used, difference - mean[:, :, None], 0.0)
    error = np.sqrt(ratio((spread**2).sum(axis=2), (n - 1) * n))
    half = stdtrit(np.maximum(n - 1, 1), 0.5 + level / 2.0) * error
    return mean, mean - half, mean + half, n


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """A ratio, NaN where there is nothing to divide by."""
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), below)
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def variance(values: np.ndarray) -> np.ndarray:
    """Sample variance over runs (axis 2) of what is defined."""
    used = np.isfinite(values)
    n = used.sum(axis=2)
    mean = ratio(np.where(used, values, 0.0).sum(axis=2), n)
    return ratio((np.where(used, values - mean[:, :, None], 0.0) ** 2).sum(axis=2), n - 1)


def shares_better(difference: np.ndarray, sense: np.ndarray) -> np.ndarray:
    """Share of pairs in which the difference has the sense of better; ties count half."""
    used = np.isfinite(difference)
    better = (difference * sense > 0.0) + 0.5 * (difference == 0.0)
    share = ratio(np.where(used, better, 0.0).sum(axis=2), used.sum(axis=2))
    return np.where(sense == 0, np.nan, share)


def shares_best(values: np.ndarray, sense: np.ndarray) -> np.ndarray:
    """Share of runs in which each strategy (axis 0) does best of all; ties are divided."""
    score = np.where(np.isfinite(values), values * sense, -np.inf)
    top = score.max(axis=0)
    best = (score == top) & np.isfinite(top)
    share = ratio(best, best.sum(axis=0))
    share = ratio(np.nansum(share, axis=2), np.isfinite(top).sum(axis=1))
    return np.where(sense == 0, np.nan, share)


def verdicts(
    low: np.ndarray, high: np.ndarray, sense: np.ndarray | int, *, words=(BETTER, WORSE)
) -> np.ndarray:
    """What intervals say, given whether more is better (1), less is (-1), or neither (0)."""
    above, below = low > 0.0, high < 0.0
    better = np.where(sense > 0, above, below)
    clear = np.where(sense == 0, DIFFERENT, np.where(better, *words))
    return np.where(above | below, clear, UNDECIDED).astype(object)


# Tables -----------------------------------------------------------------------------------------


def tidy(keys: Mapping[str, Sequence[str]], columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """A row for each combination of the keys, which are the axes of the columns, in their order."""
    import pandas as pd

    grid = np.indices([len(names) for names in keys.values()]).reshape(len(keys), -1)
    labels = {
        name: pd.Categorical.from_codes(codes, list(keys[name]))
        for name, codes in zip(keys, grid, strict=True)
    }
    return pd.DataFrame(labels | {name: part.ravel() for name, part in columns.items()})


def measure_table(
    values: Values, keys: Mapping[str, Sequence[str]], measures: Sequence[str], level: float
) -> pd.DataFrame:
    """The differences of all measures, of each its [baseline and others, futures, runs]."""
    found = [measure_columns(values(name), MEASURES[name], level) for name in measures]
    columns = {name: np.concatenate([part[name] for part in found], axis=2) for name in found[0]}
    return tidy({**keys, "measure": tuple(measures)}, columns)


def measure_columns(values: np.ndarray, measure: Measure, level: float) -> dict[str, np.ndarray]:
    """The columns of one measure, from [baseline and others, futures, runs, 1]."""
    sense = np.array([measure.better])
    base, other = np.broadcast_arrays(values[:1], values[1:])
    difference = other - base
    used = np.isfinite(difference)
    mean, low, high, n = paired(difference, level)
    sides = [np.where(used, side, np.nan) for side in (base, other)]
    apart, joint = sum(variance(side) for side in sides), variance(difference)
    return {
        "baseline": ratio(np.nansum(sides[0], axis=2), n),
        "mean": ratio(np.nansum(sides[1], axis=2), n),
        "difference": mean,
        "low": low,
        "high": high,
        "verdict": verdicts(low, high, sense),
        "better_share": shares_better(difference, sense),
        "best_share": shares_best(values, sense)[1:],
        "runs": n,
        "undefined": difference.shape[2] - n,
        "variance_reduction": np.where(apart > 0.0, ratio(apart, joint), np.nan),
    }


def winner_table(
    results: Results, every: Mapping[str, Sequence[object]], level: float
) -> pd.DataFrame:
    """Who gains and who loses: net benefit in money, summed over areas, region by region."""
    scenario, table = results.scenario, results.regions
    codes = scenario.regions.codes if table is not None else ()
    keys = {"strategy": every["strategy"][1:], "future": every["future"], "region": codes}
    money = np.empty((*(len(values) for values in every.values()), 0))
    alone = np.empty((len(results.futures), 0))
    if table is not None:
        # Regions may be kept of fewer runs than there are.
        every = {**every, "run": np.unique(table["run"])}
        axes = {**every, "region": codes, "area": tuple(scenario.areas)}
        money = cube(table, axes, ["benefit_money"])[..., 0].sum(axis=4)
        alone = np.array([stand_alone_cost(scenario.with_(of)) for of in results.futures.values()])
    difference = money[1:] - money[:1]
    mean, low, high, n = paired(difference, level)
    table = tidy(
        keys,
        {
            "difference": mean / alone,
            "low": low / alone,
            "high": high / alone,
            "money": mean,
            "money_low": low,
            "money_high": high,
            "verdict": verdicts(low, high, 1, words=(GAINS, LOSES)),
            "better_share": shares_better(difference, np.ones(1)),
            "runs": n,
        },
    )
    names = dict(zip(scenario.regions.codes, scenario.regions.names, strict=True))
    table.insert(3, "name", table["region"].astype(object).map(names))
    return table


def stand_alone_cost(scenario: Scenario) -> np.ndarray:
    """What each region would pay over the run if it shared nothing, in money [R]."""
    period, population, _stress, demand = build_changes(scenario)
    people = population[:, :, None] * demand
    areas = scenario.areas.values()
    economics = (
        np.array([getattr(area, name) for area in areas])
        for name in ("efficient_scale", "curvature_below", "curvature_above")
    )
    curve = UNIT_COSTS.index(scenario.unit_cost)
    unit = np.vectorize(laws.unit_cost, otypes=[np.float64])(people, *economics, curve)
    price = np.array([area.cost_per_resident for area in areas])
    return (people * unit * price).sum(axis=2)[period].sum(axis=0) / QUARTERS


def cost_table(
    differences: pd.DataFrame, values: Values, keys: Mapping[str, Sequence[str]], level: float
) -> pd.DataFrame:
    """What strategies cost and save beyond the baseline, and what a unit spent saves."""
    import pandas as pd

    both = values("saving", "programme_cost")
    saving, cost = np.moveaxis(both[1:] - both[:1], -1, 0)
    value, low, high, n = fieller(saving, cost, level)
    per_unit = tidy(
        {**keys, "item": ("saving_per_cost",)},
        {"value": value, "low": low, "high": high, "runs": n},
    )
    money = differences[differences["measure"].isin(COSTS)]
    money = money.rename(columns={"measure": "item", "difference": "value"})[per_unit.columns]
    table = pd.concat([money.astype({"item": object}), per_unit.astype({"item": object})])
    table["item"] = pd.Categorical(table["item"], categories=[*COSTS, "saving_per_cost"])
    return table.sort_values(["strategy", "future", "item"], ignore_index=True)


def fieller(above: np.ndarray, below: np.ndarray, level: float) -> tuple[np.ndarray, ...]:
    """Ratio of two means over runs (axis 2), its interval by Fieller (1954), and the pairs used.

    NaN where the mean below is not above zero. The interval is NaN where the mean below may be
    zero, because then no bounded interval covers the ratio at this level.
    """
    from scipy.special import stdtrit

    used = np.isfinite(above) & np.isfinite(below)
    n = used.sum(axis=2)
    y, x = (np.where(used, part, np.nan) for part in (above, below))
    my, mx = (ratio(np.nansum(part, axis=2), n) for part in (y, x))
    dy, dx = (np.where(used, part - mean[:, :, None], 0.0) for part, mean in ((y, my), (x, mx)))
    t2 = stdtrit(np.maximum(n - 1, 1), 0.5 + level / 2.0) ** 2
    yy, xx, xy = (
        t2 * ratio(product.sum(axis=2), n * (n - 1)) for product in (dy * dy, dx * dx, dx * dy)
    )
    lead, middle, last = mx**2 - xx, mx * my - xy, my**2 - yy
    bounded = (mx > 0.0) & (lead > 0.0)
    root = np.sqrt(np.where(bounded, np.maximum(middle**2 - lead * last, 0.0), np.nan))
    low, high = (ratio(middle + sign * root, np.where(bounded, lead, 0.0)) for sign in (-1, 1))
    return ratio(my, mx), low, high, n


def channel_table(values: Values, keys: Mapping[str, Sequence[str]], level: float) -> pd.DataFrame:
    """Through what net benefit differs: the channels, and the programme cost as what remains."""
    own = [name for name in CHANNELS if name in MEASURES]
    rest, found = values(NET_BENEFIT), []
    for name in own:  # one at a time: a study may have more runs than memory has room for all
        part = values(name)
        rest -= part
        found.append(paired(part[1:] - part[:1], level))
    rest[np.abs(rest) < NOISE] = 0.0
    found.append(paired(rest[1:] - rest[:1], level))
    mean, low, high, n = (np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True))
    return tidy(
        {**keys, "channel": (*own, PROGRAMME)},
        {"difference": mean, "low": low, "high": high, "runs": n},
    )
