"""What carries a difference between two strategies: its variance by source, and its assumptions.

A difference varies for three reasons: assumptions differ between futures; attributes of regions
that no table gives (traits) are drawn; and chance decides the rest of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import is_numeric
from kolabsim.analysis.smoothing import Smoother
from kolabsim.analysis.statistics import (
    one_thread,
    percentile_interval,
    permutations,
    resample_counts,
    standardised_ranks,
    variance_share,
)

MOST = 3
"""Assumptions with a curve."""
LEAST_FUTURES = 8
"""Fewest futures among which assumptions are ranked, or that are resampled."""
PERMUTATIONS = 2000
"""Permutations of differences among futures, for the floor of shares."""
RESAMPLES = 400
"""Resamples of futures, for intervals."""
FREEDOM = 4.0
"""Most degrees of freedom of a main effect: a line with two bends."""
TOGETHER = 0.999
"""Rank correlation from which two settings are one assumption."""
ASSUMPTIONS, TRAITS, CHANCE = SOURCES = ("assumptions", "traits", "chance")
"""Why differences vary."""
ABOVE, BELOW = "above", "below"
"""On which side of its break-even an assumption turns a difference."""


# Variance by source -----------------------------------------------------------------------------


def variance_by_source(
    values: np.ndarray, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 1
) -> pd.DataFrame:
    """Split the variance of a difference into assumptions, traits and chance.

    From values [futures, worlds, repeats], at least two worlds and repeats: worlds differ in traits
    and repeats of a world in all other draws; each future has draws of its own. A nested analysis
    of variance estimates the components without bias [searle_1971], so that one may be below zero.
    Columns: source; ``variance``; ``share`` of the sum of the components, those below zero counting
    as none; ``low``, ``high``: the interval of the share, which resamples futures (exact for normal
    values if there is one future, NaN for fewer than eight). The assumptions of a single future do
    not vary.
    """
    values = np.asarray(values, np.float64)
    futures, worlds, repeats = values.shape
    chance = values.var(axis=2, ddof=1).mean(axis=1)
    traits = values.mean(axis=2).var(axis=1, ddof=1) - chance / repeats
    means = values.mean(axis=(1, 2))

    def components(counts: np.ndarray) -> np.ndarray:
        """Return the components [samples, sources] with futures as often as ``counts`` say."""
        within = (counts @ np.column_stack([traits, chance]) / futures).T
        between = counts @ means**2 - (counts @ means) ** 2 / futures
        noise = (within[0] + within[1] / repeats) / worlds
        return np.column_stack([between / max(futures - 1, 1) - noise, *within])

    found = components(np.ones((1, futures)))
    ends = np.full((2, len(SOURCES)), np.nan)
    if futures == 1:
        found[0, 0] = 0.0
        _share, low, high = variance_share(values[0], level=level)
        ends = np.array([[0.0, low, 1.0 - high], [0.0, high, 1.0 - low]])
    elif futures >= LEAST_FUTURES:
        counts = resample_counts(futures, resamples, np.random.default_rng(seed))
        ends = np.array(percentile_interval(shares(components(counts)), level, axis=0))
    columns = {"variance": found[0], "share": shares(found)[0], "low": ends[0], "high": ends[1]}
    return pd.DataFrame({"source": SOURCES, **columns})


def shares(components: np.ndarray) -> np.ndarray:
    """Return components along the last axis as shares of their sum, those below zero as none."""
    above = np.maximum(components, 0.0)
    total = above.sum(axis=-1, keepdims=True)
    return np.divide(above, total, out=np.full(above.shape, np.nan), where=total > 0.0)


# Assumptions ------------------------------------------------------------------------------------


class Turn(NamedTuple):
    """Where a difference turns its sign along one assumption."""

    at: float
    """The break-even; NaN for words."""
    low: float
    high: float
    """Its interval, within the range of the assumption."""
    side: str
    """On which side of it the sign is other than that of the median: :data:`ABOVE` or
    :data:`BELOW`; empty for words."""
    words: tuple[object, ...] = ()
    """The words with the other sign."""


@dataclass(frozen=True, eq=False)
class Driver:
    """The main effect of an assumption on a difference: its mean where the assumption is known."""

    name: str
    share: float
    """Share of the variance between futures that it explains alone."""
    values: tuple[Any, ...]
    """Its values in the futures, each once, rising; or words."""
    mean: np.ndarray = field(repr=False)
    """Mean difference at each value."""
    low: np.ndarray = field(repr=False)
    high: np.ndarray = field(repr=False)
    turn: Turn | None
    """None if the curve keeps its sign within the range of the assumption."""
    has_order: bool

    @property
    def effect(self) -> tuple[float, float]:
        """The mean difference at the lowest and the highest value; of words, the least and most."""
        ends = self.mean[[0, -1]] if self.has_order else np.sort(self.mean)[[0, -1]]
        return float(ends[0]), float(ends[1])


@dataclass(frozen=True, eq=False)
class Drivers:
    """Which assumptions move a difference between strategies, over many futures."""

    futures: int
    """Futures among which they are ranked."""
    level: float
    median: float
    """The median difference over these futures."""
    floor: float
    """Share that the strongest of permuted assumptions exceeds with a chance of 1 - level."""
    ranked: pd.DataFrame = field(repr=False)
    """All assumptions, the strongest first. Columns: assumption, ``share`` of the variance between
    futures that it explains alone, ``lowest``, ``highest``: mean difference at the ends of its
    range (of words, the least and the most), and ``moves``: whether the share exceeds the
    floor."""
    together: Mapping[str, tuple[str, ...]] = field(repr=False)
    """Settings that move with an assumption in all futures and cannot be separated from it."""
    difference: np.ndarray = field(repr=False)
    """The difference in each of these futures."""
    settings: pd.DataFrame = field(repr=False)
    """The settings of each of these futures."""
    curves: tuple[Driver, ...] = field(repr=False)
    """The three strongest."""
    turning: Driver | None = field(repr=False)
    """The strongest assumption that turns the sign of the difference alone, among those that exceed
    the floor."""

    @property
    def moving(self) -> int:
        """How many assumptions exceed the floor."""
        return int(self.ranked["moves"].sum())


@one_thread()
def find_drivers(
    difference: np.ndarray,
    settings: pd.DataFrame,
    *,
    level: float = 0.95,
    permuted: int = PERMUTATIONS,
    resamples: int = RESAMPLES,
    seed: int = 1,
    grouped: Grouped | None = None,
) -> Drivers | None:
    """Rank assumptions by the share of the variance between futures that each explains alone.

    From the mean difference in each future [futures] and the settings of the futures [futures,
    settings]. The main effect of an assumption is a regression of the difference on it
    (:class:`~kolabsim.analysis.smoothing.Smoother`), and its share is R² adjusted for the degrees
    of freedom of the curve. Regressions find something in any noise: the floor comes from permuted
    differences, and holds for all assumptions together [westfall_young_1993]. Intervals resample
    futures. Settings that always move together count as one assumption; those that do not vary are
    left out. None for fewer than eight futures, or if nothing varies.

    ``grouped`` are these settings (:func:`group_settings`), if they were ranked before.
    """
    defined = np.isfinite(difference)
    y, settings = np.asarray(difference, np.float64)[defined], settings[defined]
    if grouped is None or not defined.all():
        grouped = group_settings(settings)
    together, smoothers = grouped
    if len(y) < LEAST_FUTURES or not together or not y.var() > 0.0:
        return None
    rng = np.random.default_rng(seed)
    orders = permutations(len(y), permuted, rng)
    columns = np.column_stack([y, y[orders].T]) - y.mean()
    explained = np.array([adjusted_share(one, columns) for one in smoothers.values()])
    floor = float(np.quantile(explained[:, 1:].max(axis=0), level, method="higher"))
    order = np.argsort(-explained[:, 0], kind="stable")
    names = [[*smoothers][k] for k in order]
    counts = resample_counts(len(y), resamples, rng).T.astype(np.float64)
    rows, curves, turning = [], list[Driver](), None
    for place, (name, share) in enumerate(zip(names, explained[order, 0], strict=True)):
        moves = bool(share > floor)
        is_shown = place < MOST or (moves and turning is None)
        weights = counts if is_shown else counts[:, :0]
        found = main_effect(name, smoothers[name], settings[name], y, float(share), weights, level)
        curves += [found] if place < MOST else []
        turning = turning or (found if moves and found.turn else None)
        rows.append((name, max(float(share), 0.0), *found.effect, moves))
    names = ["assumption", "share", "lowest", "highest", "moves"]
    return Drivers(
        len(y), level, float(np.median(y)), floor, pd.DataFrame(rows, columns=names), together,
        y, settings, tuple(curves), turning,
    )  # fmt: skip


class Grouped(NamedTuple):
    """Settings of futures, ready to be ranked by any number of differences."""

    together: dict[str, tuple[str, ...]]
    """The settings that vary, each with those that move with it."""
    smoothers: dict[str, Smoother]


def group_settings(settings: pd.DataFrame) -> Grouped:
    """Return the settings that vary in futures, with their regressions."""
    together = join_settings(settings)
    if len(settings) < LEAST_FUTURES:
        return Grouped(together, {})
    return Grouped(together, {name: Smoother.of(settings[name]) for name in together})


def join_settings(settings: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the settings that vary, each with the later ones that move with it in all futures."""
    found: dict[str, list[str]] = {}
    seen: dict[str, np.ndarray] = {}
    for name in settings.columns:
        column = settings[name]
        if column.nunique() < 2:
            continue
        codes = column if is_numeric(column) else pd.Series(pd.factorize(column)[0])
        ranks = standardised_ranks(codes.to_numpy())
        same = next((one for one, of in seen.items() if abs(of @ ranks) >= TOGETHER), None)
        if same is None:
            seen[name], found[name] = ranks, []
        else:
            found[same].append(name)
    return {name: tuple(others) for name, others in found.items()}


def adjusted_share(smoother: Smoother, y: np.ndarray) -> np.ndarray:
    """Return the share of the variance of each column of y [F, N] that its curve explains.

    Columns have a mean of zero. Adjusted for degrees of freedom: zero on average where the factor
    has no effect.
    """
    strengths = smoother.strengths(y, most=FREEDOM)
    error = ((y - smoother.fit(y, strengths)) ** 2).sum(axis=0)
    left = np.maximum(len(y) - smoother.freedom(strengths), 1.0)
    return 1.0 - error / left / ((y**2).sum(axis=0) / (len(y) - 1))


def main_effect(
    name: str,
    smoother: Smoother,
    column: pd.Series,
    y: np.ndarray,
    share: float,
    counts: np.ndarray,
    level: float,
) -> Driver:
    """Return the curve of an assumption, its band, and where it turns the sign of the median.

    ``counts`` [futures, resamples] are how often each future is in a resample.
    """
    strengths = smoother.strengths(y[:, None] - y.mean(), most=FREEDOM)
    values, places = np.unique(column.to_numpy(), return_index=True)
    fitted = smoother.fit(y[:, None] - y.mean(), strengths)[places, 0] + y.mean()
    bands = np.full((len(values), 0), np.nan)
    low = high = np.full(len(values), np.nan)
    if counts.shape[1]:
        drawn = np.broadcast_to(y[:, None], counts.shape)[None]
        bands = smoother.refit(drawn, counts / len(y), strengths)[0, places]
        low, high = percentile_interval(bands, level)
    usual, has_order = float(np.median(y)), smoother.has_order
    turn = find_turn(values, fitted, bands, usual, level, has_order=has_order)
    listed = tuple(values.tolist())
    return Driver(name, share, listed, fitted, low, high, turn, has_order)


def find_turn(
    values: np.ndarray,
    fitted: np.ndarray,
    bands: np.ndarray,
    usual: float,
    level: float,
    *,
    has_order: bool,
) -> Turn | None:
    """Return where a curve [values] turns the sign of a usual value, with its interval.

    Of several places the one nearest to the middle value counts. A resampled curve [values,
    resamples] that keeps its sign turns beyond the end of the range.
    """
    flipped = fitted * usual < 0.0
    if not flipped.any() or flipped.all():
        return None
    if not has_order:
        return Turn(np.nan, np.nan, np.nan, "", tuple(values[flipped].tolist()))
    middle = float(np.median(values))
    at, step = nearest_crossing(values, fitted * usual, middle)
    side = ABOVE if step < 0.0 else BELOW
    found = []
    for curve in (bands * usual).T:
        crossing, direction = nearest_crossing(values, curve, at)
        if direction * step <= 0.0:  # it keeps its sign, or turns the other way only
            stays = curve[-1 if side == ABOVE else 0] > 0.0
            crossing = values[-1] if stays == (side == ABOVE) else values[0]
        found.append(crossing)
    low, high = percentile_interval(np.array(found), level) if found else (np.nan, np.nan)
    return Turn(at, float(low), float(high), side)


def nearest_crossing(values: np.ndarray, curve: np.ndarray, near: float) -> tuple[float, float]:
    """Return where a curve through points crosses zero nearest to a value, and its change there.

    NaN and 0 if it does not.
    """
    before, after = curve[:-1], curve[1:]
    (steps,) = np.nonzero((before < 0.0) != (after < 0.0))
    if not len(steps):
        return float("nan"), 0.0
    change = after[steps] - before[steps]
    at = values[steps] - before[steps] / change * (values[steps + 1] - values[steps])
    nearest = int(np.abs(at - near).argmin())
    return float(at[nearest]), float(change[nearest])
