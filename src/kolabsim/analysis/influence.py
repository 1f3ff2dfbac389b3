"""Which assumptions move the difference between two strategies, judged by the simulated futures.

A future that changes little says what that change does by itself. Where many futures set the same
parameters all at once, each parameter is ranked by how closely the difference follows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT, Comparison, arranged, paired, place_in

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.study.collect import Results

FEW = 3
"""A future that changes no more settings than this says what they do by themselves."""
LEAST = 8
"""Fewest futures with a setting of their own among which it is ranked."""
DEALT = 4000
"""How many times differences are dealt anew to futures, to see what chance alone would show."""


@dataclass(frozen=True)
class Influence:
    """What moves the difference of a strategy to the baseline, between futures."""

    strategy: str
    futures: int
    """Futures among which settings are ranked; 0 if none are."""
    level: float
    """Confidence level of intervals, and of being told from chance among all settings at once."""
    alone: pd.DataFrame = field(repr=False)
    """Futures that change little, those that move the difference most first: future,
    ``difference`` in it, ``shift`` against the first future, with its interval ``low``, ``high``
    from runs on the same draws, and ``moves``: whether the interval is clear of zero."""
    ranked: pd.DataFrame = field(repr=False)
    """Settings that many futures vary together, the strongest first: setting, ``correlation`` of
    ranks with the difference (NaN for words), ``share`` of the variance of its ranks that goes
    with the setting, ``lower``, ``upper``: mean difference in the futures with the lower and with
    the upper half of its values (NaN for words), ``p``: how often chance alone shows so much in
    any setting, and ``moves``: whether that is rarer than the level allows."""


def influence(
    results: Results,
    comparison: Comparison,
    strategy: str,
    *,
    measure: str = NET_BENEFIT,
    seed: int = 1,
) -> Influence:
    """Rank assumptions by how much they move a strategy's difference to the baseline.

    ``seed`` decides how differences are dealt anew. Both tables are empty for a single future.
    """
    futures = comparison.futures
    table = comparison.differences
    here = (table["measure"] == measure) & (table["strategy"] == strategy)
    difference = table[here].set_index("future")["difference"].astype(float)
    first = results.futures[futures[0]]
    alone = [
        name
        for name in futures[1:]
        if sum(first.get(key) != value for key, value in results.futures[name].items()) <= FEW
    ]
    rest = {name: results.futures[name] for name in futures[1:] if name not in alone}
    ranked = ranking(rest, difference, 1.0 - comparison.level, seed)
    return Influence(
        strategy=strategy,
        futures=len(rest) if len(ranked) else 0,
        level=comparison.level,
        alone=shifts(results, comparison, strategy, measure, alone),
        ranked=ranked,
    )


def shifts(
    results: Results, comparison: Comparison, strategy: str, measure: str, names: list[str]
) -> pd.DataFrame:
    """How far the difference is from that of the first future, run by run."""
    import pandas as pd

    numbers = np.unique(results.columns(["run"])["run"])
    keys = {
        "strategy": (comparison.baseline, strategy),
        "future": (comparison.futures[0], *names),
        "run": numbers,
    }
    table = results.columns([*keys, measure])
    values = arranged(table, place_in(table, keys), keys, [measure])[..., 0]
    differences = values[1:] - values[:1]
    mean = paired(differences, comparison.level)[0][0]
    shift, low, high, _n = (
        part[0] for part in paired(differences[:, 1:] - differences[:, :1], comparison.level)
    )
    found = pd.DataFrame(
        {"future": names, "difference": mean[1:], "shift": shift, "low": low, "high": high}
    )
    found["moves"] = (found["low"] > 0.0) | (found["high"] < 0.0)
    order = found["shift"].abs().sort_values(ascending=False, kind="stable").index
    return found.loc[order].reset_index(drop=True)


def ranking(
    futures: Mapping[str, Mapping[str, object]], difference: pd.Series, risk: float, seed: int
) -> pd.DataFrame:
    """Settings by how closely the difference follows them, against what chance would show."""
    import pandas as pd

    columns = ["setting", "correlation", "share", "lower", "upper", "p", "moves"]
    counts = Counter(key for settings in futures.values() for key in settings)
    names = [key for key, number in counts.items() if number == len(futures) >= LEAST]
    table = pd.DataFrame(
        {key: [settings[key] for settings in futures.values()] for key in names}, list(futures)
    )
    table = table.loc[:, table.nunique() > 1]
    outcome = difference[list(futures)]
    if not len(table.columns) or outcome.nunique() < 2 or outcome.isna().any():
        return pd.DataFrame(columns=columns)
    ranks = standardised(outcome.rank().to_numpy())
    rng = np.random.default_rng(seed)
    dealt = np.stack([ranks, *(rng.permutation(ranks) for _time in range(DEALT))])
    shares = np.column_stack([explained(table[name], dealt) for name in table])
    p = chance_of(shares)
    rows = []
    for k, name in enumerate(table):
        column = table[name]
        correlation = lower = upper = np.nan
        if is_number(column):
            correlation = float(standardised(column.rank().to_numpy()) @ ranks)
            is_low = column <= column.median()
            lower, upper = outcome[is_low].mean(), outcome[~is_low].mean()
        rows.append([name, correlation, shares[0, k], lower, upper, p[k], bool(p[k] <= risk)])
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values(["p", "share"], ascending=[True, False], ignore_index=True)


def is_number(column: pd.Series) -> bool:
    """Whether a setting is a number, and not a word."""
    return column.dtype.kind in "fiu"


def standardised(ranks: np.ndarray) -> np.ndarray:
    """Ranks about zero, of length one."""
    centred = ranks - ranks.mean()
    return centred / np.sqrt((centred**2).sum())


def explained(column: pd.Series, ranks: np.ndarray) -> np.ndarray:
    """The share of the variance of ranks [times, futures] that goes with a setting.

    Of numbers the square of the rank correlation, of words that between groups.
    """
    if is_number(column):
        return (ranks @ standardised(column.rank().to_numpy())) ** 2
    codes, _words = column.factorize()
    member = np.eye(codes.max() + 1)[codes]
    return ((ranks @ member) ** 2 / member.sum(axis=0)).sum(axis=1)


def chance_of(shares: np.ndarray) -> np.ndarray:
    """How often chance alone shows, in any column, what the first row shows in each.

    From [1 + times, settings], whose first row is what was found and the others what chance shows
    [westfall_young_1993]: each share is weighed against its own column, so that words with many
    alternatives have no advantage.
    """
    times = len(shares)
    ordered = np.sort(np.round(shares, 12), axis=0)
    own = np.column_stack(
        [
            times - np.searchsorted(ordered[:, k], np.round(shares[:, k], 12), side="left")
            for k in range(shares.shape[1])
        ]
    )
    rarest = own.min(axis=1)
    return (rarest[:, None] <= own[0]).mean(axis=0)
