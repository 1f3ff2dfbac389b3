"""Statistics that all kinds of experiments share: intervals, resampling, shares, noise floors.

Every interval, bootstrap, permutation test and variance component of kolabsim is computed here.
Functions take arrays and know nothing of scenarios, strategies or files. ``axis`` is the axis of
the sample (runs or futures); it disappears from the results.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

BETTER, WORSE, UNDECIDED, DIFFERENT = "better", "worse", "undecided", "different"
"""Verdicts on a difference: its interval excludes zero on the better or on the worse side, or
includes zero; or it excludes zero for a measure that has no better direction."""
GAINS, LOSES = "gains", "loses"
"""The first two verdicts where the difference is one region's net benefit."""
SAME = "hardly changes"
"""The verdict on a difference that the practical threshold holds for too small to matter."""
DEPENDS = "depends"
"""The verdict over futures on a difference whose sign depends on assumptions."""
ROBUST = {word: f"robustly {word}" for word in (BETTER, WORSE, GAINS, LOSES, DIFFERENT)}
LIKELY = {word: f"likely {word}" for word in (BETTER, WORSE, GAINS, LOSES, DIFFERENT)}
"""Verdicts over futures, by what they say: in nearly all futures, or in most."""
PLAIN = {one[word]: word for one in (ROBUST, LIKELY) for word in one}
"""What a verdict over futures says, without the share of futures in which it holds."""
RESAMPLING_MEMORY = 4_000_000
"""Most numbers that resampling holds in one array at a time: 32 MB."""
PERMUTATIONS = 200
"""Least number of permutations for a noise floor."""
ROUNDING = 1e-12
"""Relative size of rounding errors."""
MOST_LOG = 700.0
"""Largest logarithm of a ratio; its exponential still is a number."""
TAIL = 0.1
"""Share of futures over which the mean of bad cases is taken."""

Interval: TypeAlias = tuple[float, float, float]
"""A value and the ends of its interval; NaN where undefined."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit linear algebra to one thread; a context and a decorator.

    Threads take several times longer for matrices as small as those of an analysis, and the order
    of their sums varies.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


class Criteria(NamedTuple):
    """When a difference matters, and in how many futures it must hold to be called robust."""

    threshold: float = 0.001
    """Smallest net benefit that matters, as a share of stand-alone cost."""
    robust: float = 0.95
    """Share of futures in which a robust statement holds, at least."""
    likely: float = 0.8
    """Share of futures in which a likely statement holds, at least."""
    level: float = 0.95
    """Confidence level of intervals, which show what chance leaves open."""


CRITERIA = Criteria()
RANGE = (0.05, 0.95)
"""Quantiles over futures between which a plausible range lies."""


def least_futures(share: float) -> int:
    """Return how many futures can show that something holds in a share of them: one may differ.

    >>> least_futures(0.95), least_futures(0.8)
    (20, 5)
    """
    return math.ceil(1.0 / (1.0 - share) - 1e-9) if share < 1.0 else 2


LEAST_RANGE = least_futures(RANGE[1])
"""Fewest futures that have a 90% range; of fewer, it is from the least to the most."""


# Means and ratios -------------------------------------------------------------------------------


class Mean(NamedTuple):
    """Means with their intervals, and the size of the sample behind each."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
    """How many values are defined."""

    def distinct(self, level: float) -> Mean:
        """Return it without the intervals of too few values, all of which are equal.

        So many equal values show the sign of a median at this level only if chance would give all
        of them the same sign less often.
        """
        is_tied = (self.low == self.high) & (2.0 ** (1.0 - self.n) > 1.0 - level)
        low, high = (np.where(is_tied, np.nan, end) for end in (self.low, self.high))
        return self._replace(low=low, high=high)

    def columns(self, name: str = "difference") -> dict[str, np.ndarray]:
        """Return the columns of a table: the mean under a name, low, high, and runs."""
        return {name: self.mean, "low": self.low, "high": self.high, "runs": self.n}


def t_quantile(freedom: np.ndarray | int, level: float) -> np.ndarray:
    """Half-width of a Student's t interval in standard errors, for degrees of freedom of any shape.

    >>> round(float(t_quantile(10, 0.95)), 3)
    2.228
    """
    from scipy.special import stdtrit  # scipy.stats would take 60 MB for this one function

    return stdtrit(np.maximum(freedom, 1), 0.5 + level / 2.0)


def mean_interval(
    values: np.ndarray, level: float = 0.95, *, axis: int = 0, size: np.ndarray | float = 0.0
) -> Mean:
    """Return means along an axis and their t intervals; NaN values are left out.

    The mean is NaN if no value is defined, and so is the interval if fewer than two are. For
    paired differences on common random numbers this is the paired t interval; ``size`` is then
    that of the numbers that were subtracted, below whose rounding errors nothing varies. Where most
    pairs are equal, the spread comes from few of them: there are no more degrees of freedom
    than values other than zero.

    >>> mean_interval(np.array([1.0, 2.0, 3.0, np.nan])).n.item()
    3
    """
    mean, squares, n = moments(values, axis, size)
    changed = (np.nan_to_num(np.asarray(values, np.float64)) != 0.0).sum(axis=axis)
    half = t_quantile(np.minimum(n - 1, changed), level) * np.sqrt(ratio(squares, (n - 1) * n))
    return Mean(mean, mean - half, mean + half, n)


def variance(values: np.ndarray, *, axis: int = 0, size: np.ndarray | float = 0.0) -> np.ndarray:
    """Return the sample variance along an axis, as :func:`mean_interval` does."""
    _mean, squares, n = moments(values, axis, size)
    return ratio(squares, n - 1)


def moments(
    values: np.ndarray, axis: int, size: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, sum of squared deviations and number of the defined values along an axis.

    Deviations that all are rounding errors of numbers of this size, or of the mean, are zero.
    """
    values = np.asarray(values, np.float64)
    used = np.isfinite(values)
    n = used.sum(axis=axis)
    mean = ratio(np.where(used, values, 0.0).sum(axis=axis), n)
    spread = np.abs(np.where(used, values - np.expand_dims(mean, axis), 0.0))
    largest = spread.max(axis=axis, initial=0.0)
    varies = largest > ROUNDING * np.fmax(np.abs(mean), size)
    return mean, np.where(varies, (spread**2).sum(axis=axis), 0.0), n


def ratio(above: np.ndarray, below: np.ndarray | float) -> np.ndarray:
    """Return above / below, and NaN where the divisor is not positive."""
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), below)
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def fieller(above: np.ndarray, below: np.ndarray, level: float, *, axis: int = 0) -> Mean:
    """Return the ratio of two means and its interval by Fieller (1954).

    The ratio is NaN where the divisor's mean is not positive. The interval is NaN where the
    divisor's mean may be zero: no bounded interval then covers the ratio at this level.
    """
    used = np.isfinite(above) & np.isfinite(below)
    n = used.sum(axis=axis)
    y, x = (np.where(used, part, np.nan) for part in (above, below))
    my, mx = (ratio(np.nansum(part, axis=axis), n) for part in (y, x))
    dy, dx = (
        np.where(used, part - np.expand_dims(mean, axis), 0.0) for part, mean in ((y, my), (x, mx))
    )
    t2 = t_quantile(n - 1, level) ** 2
    yy, xx, xy = (
        t2 * ratio(product.sum(axis=axis), n * (n - 1)) for product in (dy * dy, dx * dx, dx * dy)
    )
    lead, middle, last = mx**2 - xx, mx * my - xy, my**2 - yy
    bounded = (mx > 0.0) & (lead > 0.0)
    root = np.sqrt(np.where(bounded, np.maximum(middle**2 - lead * last, 0.0), np.nan))
    low, high = (ratio(middle + sign * root, np.where(bounded, lead, 0.0)) for sign in (-1, 1))
    return Mean(ratio(my, mx), low, high, n).distinct(level)


def worst_mean(values: np.ndarray, *, axis: int = -1) -> np.ndarray:
    """Return the mean of the lowest tenth along an axis, of at least one value; NaN do not count.

    >>> float(worst_mean(np.arange(30.0)))
    1.0
    """
    ordered = np.sort(np.moveaxis(values, axis, -1), axis=-1)  # NaN come last
    number = tail_size(np.isfinite(ordered).sum(axis=-1))
    chosen = np.arange(ordered.shape[-1]) < number[..., None]
    return np.where(chosen, ordered, 0.0).sum(axis=-1) / number


# Ranges over futures ----------------------------------------------------------------------------


class Effects(NamedTuple):
    """What differs between futures, without the chance of the runs behind it."""

    values: np.ndarray
    """[..., futures]"""
    error: np.ndarray
    """[...] standard error of the median over these futures: what chance leaves open."""
    freedom: np.ndarray
    """[...] degrees of freedom of that error."""

    def median(self) -> np.ndarray:
        """Return the median over futures, [...]."""
        return quantiles(self.values, (0.5,), axis=-1)[0]

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the 90% range over futures; from the least to the most of few."""
        shares = RANGE if self.values.shape[-1] >= LEAST_RANGE else (0.0, 1.0)
        low, high = quantiles(self.values, shares, axis=-1)
        return low, high

    def half_width(self, level: float, comparisons: int = 1) -> np.ndarray:
        """Return the half-width of the interval of the median.

        Of several ``comparisons``, all intervals hold together at the level (Bonferroni).
        """
        return t_quantile(self.freedom, 1.0 - (1.0 - level) / max(comparisons, 1)) * self.error


def effects(differences: np.ndarray, size: np.ndarray | float = 0.0) -> Effects:
    """Estimate the effect in each future from paired differences [..., futures, runs].

    The means over a few runs differ between futures by chance too. They are drawn towards their
    common mean until their variance is that between futures [louis_1984], so that quantiles and
    shares over futures do not contain the chance of the runs. Runs are independent between futures;
    with one run in each, chance cannot be told apart and stays in.

    The error of the median is that of a median of effects with normal noise, given these futures.
    It is approximate: where effects are skewed and chance is large, the median leans to the mean.

    >>> effects(np.array([[1.0, 1.0], [3.0, 3.0]])).values.tolist()
    [1.0, 3.0]
    """
    from scipy.special import ndtr

    means, squares, n = moments(differences, -1, size)
    within = ratio(ratio(squares, n - 1), n)
    futures = np.isfinite(means).sum(axis=-1)
    centre, deviations, _n = moments(means, -1)
    total = ratio(deviations, futures - 1)
    known = np.isfinite(within).sum(axis=-1)
    noise = ratio(np.nansum(within, axis=-1), known)
    kept = between_share(total, np.nan_to_num(noise), futures - 1, (n - 1).clip(0).sum(axis=-1))
    middle = centre[..., None]
    values = middle + np.sqrt(kept)[..., None] * (means - middle)
    # Without replicates, all variance between futures may be chance.
    noise = np.where(known > 0, noise, total)
    spread = np.sqrt(np.where(noise > 0.0, noise, np.nan))[..., None]
    found = Effects(values, noise, np.where(known > 0, (n - 1).clip(0).sum(axis=-1), futures - 1))
    place = (found.median()[..., None] - values) / spread
    below = ndtr(place)
    odds = ratio(np.nansum(below * (1.0 - below), axis=-1), futures)
    density = ratio(np.nansum(np.exp(-(place**2) / 2.0) / spread, axis=-1), futures)
    density = density / math.sqrt(2.0 * math.pi)
    error = ratio(np.sqrt(ratio(odds, futures)), density)
    return found._replace(error=np.where(noise > 0.0, error, np.where(noise == 0.0, 0.0, np.nan)))


def between_share(
    total: np.ndarray, noise: np.ndarray, freedom: np.ndarray, of_noise: np.ndarray
) -> np.ndarray:
    """Return the share of the variance of means that lies between futures, not in their noise.

    The difference of two estimated variances may be zero or less by chance. Its expected value,
    given that the true one is not below zero, is taken instead [morris_1983]: futures are never
    held to be equal only because few runs could not tell them apart.
    """
    from scipy.special import log_ndtr

    error = np.sqrt(ratio(2.0 * total**2, freedom) + np.nan_to_num(ratio(2 * noise**2, of_noise)))
    between = total - noise
    place = ratio(between, error)
    hazard = np.exp(-(place**2) / 2.0 - log_ndtr(place)) / math.sqrt(2.0 * math.pi)
    share = ratio(between + np.where(noise > 0.0, error * hazard, 0.0), total)
    return np.clip(np.where(np.isfinite(share), share, 0.0), 0.0, 1.0)


def plausible_columns(
    found: Effects,
    *,
    sense: np.ndarray | int = 1,
    threshold: float = 0.0,
    criteria: Criteria = CRITERIA,
    comparisons: int = 1,
    words: tuple[str, str] = (BETTER, WORSE),
) -> dict[str, np.ndarray]:
    """Return median, ranges, shares and verdicts of effects over futures, each [...].

    ``chance_low`` and ``chance_high`` are the interval of the median; ``better_share`` and
    ``worse_share`` the shares of futures in which the effect is better or worse by more than the
    ``threshold``. A verdict holds in at least the share of futures that the criteria demand,
    wherever the effects lie within what chance leaves open after a correction for so many
    ``comparisons``; it is ``undecided`` if it would only hold at the effects themselves.
    """
    median, (low, high), half = found.median(), found.ends(), found.half_width(criteria.level)
    sense = np.asarray(sense)
    values = found.values * np.where(sense < 0, -1.0, 1.0)[..., None]
    used = np.isfinite(values)
    futures = used.sum(axis=-1)

    def share(holds: np.ndarray) -> np.ndarray:
        return ratio((holds & used).sum(axis=-1), futures)

    chance = np.nan_to_num(found.half_width(criteria.level, comparisons), nan=np.inf)[..., None]
    up, down = share(values - chance > threshold), share(values + chance < -threshold)
    same = share(np.abs(values) + chance <= threshold) if threshold > 0.0 else np.zeros(up.shape)
    # Statements that would hold if chance left nothing open, and those of too few futures, are
    # undecided.
    seen = np.maximum(share(values > threshold), share(values < -threshold))
    if threshold > 0.0:
        seen = np.maximum(seen, share(np.abs(values) <= threshold))
    is_open = (seen >= criteria.likely - ROUNDING) | (futures < least_futures(criteria.likely))
    verdict = np.where(is_open, UNDECIDED, DEPENDS).astype(object)
    for names, least in ((LIKELY, criteria.likely), (ROBUST, criteria.robust)):
        enough = futures >= least_futures(least)
        for holds, word in zip((up, down), words, strict=True):
            said = np.where(sense == 0, names[DIFFERENT], names[word])
            verdict = np.where(enough & (holds >= least - ROUNDING), said, verdict)
        if names is LIKELY:
            verdict = np.where(enough & (same >= least - ROUNDING), SAME, verdict)
    is_neutral = sense == 0
    return {
        "difference": median, "low": low, "high": high,
        "chance_low": median - half, "chance_high": median + half,
        "verdict": verdict.astype(object),
        "better_share": np.where(is_neutral, np.nan, share(values > threshold)),
        "worse_share": np.where(is_neutral, np.nan, share(values < -threshold)),
        "futures": futures,
    }  # fmt: skip


def tail_size(size: np.ndarray | int) -> np.ndarray:
    """Return a tenth of so many values, at least one."""
    return np.maximum(np.ceil(TAIL * np.asarray(size) - 1e-9), 1)


# Verdicts and shares ----------------------------------------------------------------------------


def verdicts(
    low: np.ndarray,
    high: np.ndarray,
    sense: np.ndarray | int,
    *,
    words: tuple[str, str] = (BETTER, WORSE),
    threshold: float = 0.0,
) -> np.ndarray:
    """Return the verdict of each interval.

    ``sense`` is 1 where more is better, -1 where less is, and 0 where neither is. Differences up to
    the ``threshold`` hardly change anything.

    >>> verdicts(np.array([0.1, -0.2]), np.array([0.3, 0.2]), 1).tolist()
    ['better', 'undecided']
    """
    above, below = low > threshold, high < -threshold
    better = np.where(np.asarray(sense) > 0, above, below)
    clear = np.where(np.asarray(sense) == 0, DIFFERENT, np.where(better, *words))
    small = (low >= -threshold) & (high <= threshold) & (threshold > 0.0)
    return np.where(above | below, clear, np.where(small, SAME, UNDECIDED)).astype(object)


def interval_verdicts(
    difference: np.ndarray,
    criteria: Criteria,
    comparisons: int,
    *,
    sense: int = 1,
    threshold: float = 0.0,
    size: np.ndarray | float = 0.0,
    words: tuple[str, str] = (BETTER, WORSE),
    axis: int = -1,
) -> np.ndarray:
    """Return the verdicts on means of paired differences over the runs of one future (``axis``).

    Of several comparisons, all verdicts hold together at the level (Bonferroni).
    """
    strict = 1.0 - (1.0 - criteria.level) / max(comparisons, 1)
    found = mean_interval(difference, strict, axis=axis, size=size).distinct(strict)
    return verdicts(found.low, found.high, sense, words=words, threshold=threshold)


def share_better(
    difference: np.ndarray, sense: np.ndarray | int = 1, *, axis: int = 0
) -> np.ndarray:
    """Return the share of pairs whose difference is better; ties count half, NaN not at all."""
    used = np.isfinite(difference)
    better = (difference * sense > 0.0) + 0.5 * (difference == 0.0)
    share = ratio(np.where(used, better, 0.0).sum(axis=axis), used.sum(axis=axis))
    return np.where(np.asarray(sense) == 0, np.nan, share)


def first_share(values: np.ndarray) -> np.ndarray:
    """Return 1 for the largest along the first axis, 0 for the others; ties are divided.

    >>> first_share(np.array([2.0, 2.0, 1.0])).tolist()
    [0.5, 0.5, 0.0]
    """
    top = values.max(axis=0)
    first = (values == top) & np.isfinite(top)
    return ratio(first, first.sum(axis=0))


def share_best(values: np.ndarray, sense: np.ndarray | int = 1, *, axis: int = 1) -> np.ndarray:
    """Return the share of runs in which each strategy (first axis) is best; ties are divided.

    Runs in which no strategy is defined do not count.
    """
    first = first_share(np.where(np.isfinite(values), values * sense, -np.inf))
    share = ratio(np.nansum(first, axis=axis), np.isfinite(first).sum(axis=axis))
    return np.where(np.asarray(sense) == 0, np.nan, share)


def ranked(values: np.ndarray) -> np.ndarray:
    """Return positions along the last axis from the largest to the smallest; ties keep order."""
    return np.argsort(-values, axis=-1, kind="stable")


# Resampling -------------------------------------------------------------------------------------


def resample_counts(size: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Draw bootstrap samples: how often each of ``size`` items is in each [number, size]."""
    return rng.multinomial(size, np.full(size, 1.0 / size), size=number)


def half_samples(size: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Draw halves without replacement: 1 for the items in each half, else 0 [number, size].

    Half-samples vary about the estimate as the estimate does about the truth, and hold no item
    twice: repeated points would look like structure to some estimators.
    """
    return permutations(size, number, rng) < size // 2


def permutations(size: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Draw orders of ``size`` items, [number, size]."""
    return rng.permuted(np.tile(np.arange(size), (number, 1)), axis=1)


def crossed_resamples(
    scores: np.ndarray, number: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Resample futures and runs at the same time [owen_2007].

    A run of one number has the same draws in all strategies and futures: futures and runs are
    crossed, not nested. From scores [strategies, futures, runs] each item holds the means over
    resampled runs [strategies, futures, resamples] and the positions of resampled futures
    [futures, resamples], for as many resamples as memory allows.
    """
    strategies, futures, runs = scores.shape
    together = max(1, RESAMPLING_MEMORY // (strategies * futures))
    while number > 0:
        size = min(number, together)
        counts = resample_counts(runs, size, rng)
        yield scores @ (counts.T / runs), rng.integers(futures, size=(futures, size))
        number -= size


def percentile_interval(
    resamples: np.ndarray, level: float, *, axis: int = -1
) -> tuple[np.ndarray, np.ndarray]:
    """Return the quantiles of resamples between which the middle share ``level`` lies."""
    low, high = np.quantile(resamples, (0.5 - level / 2.0, 0.5 + level / 2.0), axis=axis)
    return low, high


def tail_interval(
    value: np.ndarray | float, resamples: np.ndarray, level: float, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of a mean over so few of the values (last axis: resamples).

    Quantiles of resamples are too near for a tail of ten: they cover four times in five. Student's
    t allows for the number, around the value less the bias that the resamples show.
    """
    error = resamples.std(axis=-1, ddof=1) * math.sqrt(size / max(size - 1.0, 1.0))
    centre = 2.0 * np.asarray(value) - resamples.mean(axis=-1)
    half = t_quantile(size - 1, level) * error
    return centre - half, centre + half


def share_interval(share: np.ndarray, size: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of a share of independent cases [wilson_1927].

    >>> [round(float(end), 3) for end in share_interval(np.array(1.0), 100, 0.95)]
    [0.963, 1.0]
    """
    from scipy.special import ndtri

    z2 = ndtri(0.5 + level / 2.0) ** 2 / size
    centre = (share + z2 / 2.0) / (1.0 + z2)
    half = np.sqrt(z2 * (share * (1.0 - share) + z2 / 4.0)) / (1.0 + z2)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def jackknife(
    whole: np.ndarray | float, without: np.ndarray, level: float
) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Return the interval of an estimate from those without each of its parts [efron_1982]."""
    size = len(without)
    error = math.sqrt((size - 1.0) / size * float(((without - without.mean()) ** 2).sum()))
    half = float(t_quantile(size - 1, level)) * error
    return whole - half, whole + half


def corrected_interval(
    value: np.ndarray | float, resamples: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile interval (last axis) less the bias that the resamples show."""
    low, high = percentile_interval(resamples, level)
    bias = resamples.mean(axis=-1) - value
    return low - bias, high - bias


def quantiles(values: np.ndarray, shares: Sequence[float], *, axis: int = 0) -> np.ndarray:
    """Return quantiles along an axis, [shares, ...]; NaN values are left out."""
    some = np.isfinite(values).any(axis=axis, keepdims=True)
    if not some.size or not values.size:
        return np.full((len(shares), *some.squeeze(axis).shape), np.nan)
    filled = np.where(some, values, 0.0)
    # The same numbers, but numpy goes from row to row where values may be undefined.
    find = np.nanquantile if np.isnan(filled).any() else np.quantile
    found = find(filled, shares, axis=axis)
    return np.where(some.squeeze(axis), found, np.nan)


def halvings(total: int, least: int, most: int = 6) -> list[int]:
    """Return sample sizes for a convergence plot: each about half the next, up to the total.

    >>> halvings(100, 8)
    [12, 25, 50, 100]
    """
    return sorted({total >> k for k in range(most) if total >> k >= least} | {total})


def familywise_p(statistics: np.ndarray) -> np.ndarray:
    """Return for each column how often chance shows so much in any column [westfall_young_1993].

    The first row of [1 + permutations, columns] is observed, the others are under permutations.
    Each statistic is compared with its own column, so that a column with a wide distribution has
    no advantage.
    """
    rounded = np.round(statistics, 12)
    ordered, times = np.sort(rounded, axis=0), len(statistics)
    pairs = zip(ordered.T, rounded.T, strict=True)
    own = np.column_stack([times - np.searchsorted(of, column) for of, column in pairs])
    rarest = own.min(axis=1)
    return (rarest[:, None] <= own[0]).mean(axis=0)


def noise_floor(permuted: np.ndarray, level: float, tests: int) -> float:
    """Return what permuted values exceed in one of so many tests with a chance of 1 - level."""
    return float(np.quantile(permuted, 1.0 - (1.0 - level) / tests, method="higher"))


# Components of variance -------------------------------------------------------------------------


def variance_share(values: np.ndarray, *, level: float = 0.95) -> Interval:
    """Return the share of variance between groups, with its interval.

    One-way random effects for [groups, repeats] [searle_1971]. The interval is that of the
    jackknife over groups for the logarithm of the ratio of variances [arvesen_layard_1975], which
    unlike that of F does not need normal values; NaN for fewer than three groups. NaN where nothing
    varies. Groups with long tails seldom show them, so that variance and error are both found too
    small: the factor of [bonett_2006] raises the one and, squared, the other.
    """
    from scipy.special import ndtri

    groups, repeats = values.shape
    means, within = values.mean(axis=1), values.var(axis=1, ddof=1)
    between = repeats * means.var(ddof=1)
    if within.sum() <= 0.0 or not np.isfinite(values).all():
        known = between > 0.0 and np.isfinite(between)
        return (1.0, 1.0, 1.0) if known else (np.nan, np.nan, np.nan)

    def share(f: float) -> float:
        return float(np.clip((f - 1.0) / (f + repeats - 1.0), 0.0, 1.0))

    f = between / within.mean()
    rest = [np.delete(np.arange(groups), k) for k in range(groups)]
    z = float(ndtri(0.5 + level / 2.0))
    if groups < 3 or groups <= z or min(within[some].sum() for some in rest) <= 0.0 or f <= 0.0:
        return share(f), np.nan, np.nan
    without = np.log([repeats * means[some].var(ddof=1) / within[some].mean() for some in rest])
    unbiased = groups * math.log(f) - (groups - 1) * without.mean()
    low, high = jackknife(unbiased, without, level)
    factor = groups / (groups - z)
    centre, half = unbiased + math.log(factor), factor**2 * (high - low) / 2.0
    ends = centre - half, centre + half
    low, high = (share(math.exp(min(end, MOST_LOG))) for end in ends)
    return share(f), low, high


def chance_share(values: np.ndarray, *, blocks: int | None = None, level: float = 0.95) -> Interval:
    """Return the share of the variance between single runs that is chance; NaN without replicates.

    Runs [points, replicates] at one point differ by chance alone. Products of different replicates
    give the variance of the mean response between points; what is left of all variance is chance
    [searle_1971]. The points form equal ``blocks``, in their order, each with random draws of its
    own; default: each point is one. The interval is that of the jackknife over blocks for the
    logarithm of the odds, so that draws vary with points.
    """
    points, replicates = values.shape
    blocks = blocks or points
    if replicates < 2 or blocks < 2:
        return np.nan, np.nan, np.nan
    centred = values - values.mean()
    parts = (centred**2).mean(axis=1), centred.var(axis=1, ddof=1), centred.mean(axis=1)
    square, within, mean = np.stack(parts).reshape(3, blocks, -1).mean(axis=2)

    def shares(sums: np.ndarray, size: int) -> np.ndarray:
        whole, inside, middle, squares = sums / size
        # The mean varies between blocks too, and its square is larger by its variance.
        spread = (squares - middle**2) / (size - 1.0)
        found = ratio(inside, whole - middle**2 + spread)
        return np.clip(np.nan_to_num(found, nan=1.0), ROUNDING, 1.0 - ROUNDING)

    if not within.any():
        return 0.0, 0.0, 0.0
    columns = np.stack([square, within, mean, mean**2])
    sums = columns.sum(axis=1, keepdims=True)
    share = float(shares(sums, blocks)[0])
    if blocks < 3:
        return share, np.nan, np.nan
    without = shares(sums - columns, blocks - 1)
    odds = np.log(without / (1.0 - without))
    ends = jackknife(math.log(share / (1.0 - share)), odds, level)
    low, high = (1.0 / (1.0 + math.exp(-end)) for end in ends)
    return share, low, high


class Components(NamedTuple):
    """Components of the variance of paired differences, in the square of the outcome's unit."""

    future: float
    """Between futures, common to all runs."""
    run: float
    """Between runs, common to all futures."""
    rest: float
    """Particular to a run in a future."""

    def error(self, futures: float, runs: float) -> float:
        """Return the standard error of the mean difference over so many futures and runs."""
        return math.sqrt(self.future / futures + self.run / runs + self.rest / (futures * runs))


def variance_components(difference: np.ndarray) -> Components:
    """Estimate the components of paired differences [futures, runs], at least two of each.

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


def sample_size(variance: float, allowed: float) -> float:
    """Return how many values bring a variance down to what is allowed: two or more, or infinity."""
    return max(2.0, math.ceil(variance / allowed - 1e-9)) if allowed > 0.0 else math.inf


def standardised_ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks of values, centred and scaled to length one."""
    ranks = pd.Series(values).rank().to_numpy()
    centred = ranks - ranks.mean()
    return centred / np.sqrt((centred**2).sum())


def rank_share(ranks: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return the share of the variance of standardised ranks [times, n] explained by a column [n].

    For numbers the square of the rank correlation, for words the variance between groups.
    """
    if column.dtype.kind in "fiu":
        return (ranks @ standardised_ranks(column)) ** 2
    codes = np.unique(column.astype(str), return_inverse=True)[1]
    member = np.eye(codes.max() + 1)[codes]
    return ((ranks @ member) ** 2 / member.sum(axis=0)).sum(axis=1)
