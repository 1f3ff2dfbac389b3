"""Estimators of sensitivity indices, one for each method, from weighted parts of a design.

A design consists of parts that can be resampled: trajectories, rows of base points, curves, points.
Each estimator takes weights [resamples, parts] and returns its indices for all resamples. For most
methods these are sums over parts, so one product with the weights gives all resamples at once; the
estimators of PAWN and delta are SALib's and are called for one resample at a time.

Outcomes are [points, replicates]. Indices are those of the mean response: products are taken across
replicates, whose random draws differ.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from itertools import combinations
from typing import NamedTuple, TypeAlias

import numpy as np

from kolabsim.analysis.statistics import ROUNDING, half_samples, resample_counts
from kolabsim.study.design import CURVES, HARMONICS, LEVELS, PLACES, Design

Estimates: TypeAlias = dict[str, np.ndarray]
"""Indices by name, each [resamples, units]."""
Estimator: TypeAlias = Callable[[Design, np.ndarray, np.ndarray], Estimates]
"""From the design, [points, replicates], and weights [resamples, parts]."""
OfResample: TypeAlias = Callable[[np.ndarray, np.ndarray], list[list[float]]]

OVERTONES = 10
"""Harmonics that RBD-FAST attributes to the factor [tarantola_2006]."""
SLICES = 10
"""Slices of a factor's range that PAWN compares with the whole [pianosi_2018]."""
GRID = 100
"""Values of the outcome at which delta compares densities."""

BOOTSTRAP, FEW_PARTS, HALVES, CORRECTED = "bootstrap", "few parts", "halves", "corrected"
"""Kinds of intervals: quantiles of bootstrap resamples; Student's t from the standard deviation of
bootstrap resamples, for a handful of parts; Student's t from that of half-samples, where repeated
points would look like structure; Student's t from bootstrap resamples, with the value corrected for
the bias that they show."""


# Across replicates ------------------------------------------------------------------------------


def crossed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the mean product of two outcomes over pairs of different replicates (last axis).

    Different replicates have different random draws, so the mean product is that of the mean
    responses: chance, which would add its variance to a square, cancels [mazo_2021].
    A single replicate is multiplied with itself.
    """
    replicates = one.shape[-1]
    same = (one * other).mean(axis=-1)
    if replicates < 2:
        return same
    product = one.mean(axis=-1) * other.mean(axis=-1)
    return (replicates * product - same) / (replicates - 1)


def others(values: np.ndarray) -> np.ndarray:
    """Return for each replicate (last axis) the mean of all others, or of itself if it is alone."""
    replicates = values.shape[-1]
    if replicates < 2:
        return values
    return (values.sum(axis=-1, keepdims=True) - values) / (replicates - 1)


def absolute(effects: np.ndarray) -> np.ndarray:
    """Return absolute mean effects, without what chance adds to them.

    Each replicate (last axis) gets the sign that all others have: a factor without effect has 0 on
    average, where the absolute mean would be the larger, the more the outcome varies by chance.
    """
    return (np.sign(others(effects)) * effects).mean(axis=-1)


def reach(curves: np.ndarray) -> np.ndarray:
    """Return the range of mean curves [..., places, replicates], without what chance adds.

    The places of the ends in each replicate are those of all others.
    """
    rest = others(curves)
    ends = [place.argmax(axis=-2)[..., None, :] for place in (rest, -rest)]
    high, low = (np.take_along_axis(curves, end, axis=-2) for end in ends)
    return (high - low)[..., 0, :].mean(axis=-1)


def average(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return weighted means, [resamples, units] from [resamples, parts] and [parts, units]."""
    return weights @ values / weights.sum(axis=1, keepdims=True)


def deviation(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return weighted standard deviations of mean effects, [resamples, units].

    From [parts, units, replicates], whose chance does not count.
    """
    values, size = values - values.mean(axis=(0, 2), keepdims=True), weights.sum(axis=1)[:, None]
    means = np.stack([average(weights, one) for one in np.moveaxis(values, -1, 0)], axis=-1)
    square = average(weights, crossed(values, values)) - crossed(means, means)
    return np.sqrt(np.maximum(square, 0.0) * size / (size - 1.0))


def is_single(design: Design) -> np.ndarray:
    """Return for each unit whether it is one factor: only then do effects have a direction."""
    return design.members.sum(axis=1) == 1


# Our own estimators -----------------------------------------------------------------------------


def elementary(design: Design, values: np.ndarray) -> np.ndarray:
    """Return elementary effects [trajectories, units, replicates] over a factor's whole range."""
    units = len(design.units)
    points = design.points.reshape(design.samples, units + 1, -1)
    change = np.diff(values.reshape(design.samples, units + 1, -1), axis=1)
    moves = np.diff(points, axis=1)
    which = (np.abs(moves) > ROUNDING) @ design.members.T
    step = LEVELS / (2.0 * (LEVELS - 1.0))
    effects = np.empty_like(change)
    signed = change / step * np.sign(moves.sum(axis=2))[..., None]
    np.put_along_axis(effects, which.argmax(axis=2)[..., None], signed, axis=1)
    return effects


def morris(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return elementary effects, as changes of the outcome over the whole range of a factor.

    ``mu_star``: their mean size; ``mu``: their mean; ``sigma``: their standard deviation, large
    where the effect depends on other factors or is not linear [morris_1991] [campolongo_2007].
    """
    return of_effects(design, elementary(design, values), weights, ("mu_star", "mu", "sigma"))


def of_effects(
    design: Design, effects: np.ndarray, weights: np.ndarray, names: Sequence[str]
) -> Estimates:
    """Return the mean size, the mean and the standard deviation of effects."""
    single = is_single(design)
    found = (
        average(weights, absolute(effects)),
        np.where(single, average(weights, effects.mean(axis=2)), np.nan),
        np.where(single, deviation(weights, effects), np.nan),
    )
    return dict(zip(names, found, strict=True))


class Crossing(NamedTuple):
    """The outcomes of a Sobol design, [base points, units or one, replicates]."""

    a: np.ndarray
    ab: np.ndarray
    """At the first base point, with each unit from the second one."""
    ba: np.ndarray
    """At the second base point, with each unit from the first one; empty without pairs."""
    b: np.ndarray


def crossing(design: Design, values: np.ndarray) -> Crossing:
    """Return the outcomes of a Sobol design by their points, less their mean."""
    units = len(design.units)
    y = (values - values.mean()).reshape(design.samples, -1, values.shape[1])
    return Crossing(y[:, :1], y[:, 1 : units + 1], y[:, units + 1 : -1], y[:, -1:])


def response_variance(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the variance of the mean response, [resamples, 1]; NaN where it is not above zero.

    From [parts, points of a part, replicates].
    """
    square = average(weights, crossed(values, values).mean(axis=1)[:, None])
    mean = average(weights, values.mean(axis=1))
    found = square - crossed(mean, mean)[:, None]
    return np.where(found > 0.0, found, np.nan)


def sobol(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return shares of the variance of the mean response [saltelli_2010].

    ``ST``: the share left if all other factors were known (Jansen's estimator); ``S1``: the share
    explained by the factor alone; ``S2``, for each pair: the share of their interaction.
    """
    units = len(design.units)
    a, ab, ba, b = crossing(design, values)
    variance = response_variance(weights, np.concatenate([a, b], axis=1))
    first = average(weights, crossed(b, ab - a)) / variance
    found = {"ST": average(weights, crossed(a - ab, a - ab)) / 2.0 / variance, "S1": first}
    if design.second_order:
        j, k = np.array(list(combinations(range(units), 2))).T
        both = average(weights, crossed(ba[:, j], ab[:, k]) - crossed(a, b)) / variance
        found["S2"] = both - first[:, j] - first[:, k]
    return found


def fast(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return shares of the variance by frequency along search curves [saltelli_1999].

    ``S1``: at the factor's own frequency and its harmonics; ``ST``: at all but the frequencies
    below half of it, which belong to the other factors.
    """
    y = values.reshape(CURVES, len(design.units), -1, values.shape[1])
    length = y.shape[2]
    own = (length - 1) // (2 * HARMONICS)
    power = spectrum(y)[..., : (length - 1) // 2]
    whole = average(weights, power.sum(axis=2))
    harmonics = own * np.arange(1, HARMONICS + 1) - 1
    return {
        "ST": 1.0 - average(weights, power[..., : own // 2].sum(axis=2)) / whole,
        "S1": average(weights, power[..., harmonics].sum(axis=2)) / whole,
    }


def spectrum(y: np.ndarray) -> np.ndarray:
    """Return the power of mean responses [..., places, replicates] at all frequencies above 0."""
    waves = np.fft.rfft(y, axis=-2)[..., 1:, :]
    return crossed(waves.real, waves.real) + crossed(waves.imag, waves.imag)


def one_at_a_time(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return ``range``: from the lowest to the highest mean along a factor's curve.

    Replicates are resampled, so that each cannot be judged by others: chance widens ranges.
    """
    mean = average(weights, values.T).reshape(len(weights), len(design.units), design.samples)
    return {"range": np.ptp(mean, axis=2)}


def ice(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return indices of individual conditional expectation curves [goldstein_2015].

    ``range``: mean range of a factor's curves; ``variety``: standard deviation between curves that
    are moved to the same level, large where the factor works differently at other base points.
    """
    units, replicates = len(design.units), values.shape[1]
    y = values.reshape(design.samples, units, PLACES, replicates)
    level = y - y.mean(axis=2, keepdims=True)
    spread = deviation(weights, level.reshape(design.samples, -1, replicates))
    return {
        "range": average(weights, reach(y)),
        "variety": np.sqrt((spread.reshape(-1, units, PLACES) ** 2).mean(axis=2)),
    }


def changes(design: Design, values: np.ndarray) -> np.ndarray:
    """Return changes of the outcome from the lower to the higher place of each unit.

    The shape is [samples, units, replicates]. For a group, whose factors move in several
    directions, only the size has a meaning.
    """
    y = values.reshape(design.samples, len(design.units) + 1, -1)
    points = design.points.reshape(design.samples, len(design.units) + 1, -1)
    up = ((points[:, 1:] > points[:, :1]) & design.members).any(axis=2)
    return (y[:, 1:] - y[:, :1]) * np.where(up, 1.0, -1.0)[..., None]


def factorial(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return finite changes at random base points [borgonovo_2010].

    ``absolute``: their mean size; ``mean``; ``spread``: their standard deviation.
    """
    return of_effects(design, changes(design, values), weights, ("absolute", "mean", "spread"))


# From points alone ------------------------------------------------------------------------------


def by_resample(*names: str) -> Callable[[OfResample], Estimator]:
    """Make an estimator from one that takes points [n, D] and outcomes [n, replicates].

    It is called for one resample at a time.
    """

    def decorate(estimate: OfResample) -> Estimator:
        @wraps(estimate)
        def of_all(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
            found = []
            for row in weights:
                chosen = np.repeat(np.arange(len(values)), row.astype(int))
                found.append(estimate(design.points[chosen], values[chosen]))
            shape = (len(weights), len(names), len(design.units))
            return dict(zip(names, np.reshape(found, shape).swapaxes(0, 1), strict=True))

        return of_all

    return decorate


@by_resample("S1")
def rbd_fast(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Return ``S1``: share of the variance at low frequencies along a factor's order.

    Corrected for the bias of what other factors add at these frequencies [tarantola_2006]
    [tissot_2012].
    """
    order = np.argsort(x, axis=0)
    order = np.concatenate([order[::2], order[1::2][::-1]])  # up and down again: a whole period
    power = spectrum(np.moveaxis(y[order], 1, 0))
    if len(y) % 2 == 0:
        power[:, -1] /= 2.0  # the highest frequency has no second half
    share = power[:, :OVERTONES].sum(axis=1) / power.sum(axis=1)
    noise = 2.0 * OVERTONES / len(y)
    return [(share - noise / (1.0 - noise) * (1.0 - share)).tolist()]


@by_resample("delta", "S1")
def delta(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Return how far the density of the outcome moves once a factor is known.

    ``delta``: half of the mean area between the density of all and that within a class of the
    factor [borgonovo_2007] [plischke_2013]; ``S1``: from the means of classes. The densities are
    those of means over replicates, whose chance is part of them. ``SALib.analyze.delta.analyze``
    would add a bootstrap of its own, use NumPy's global random state and change the filters of
    warnings, so its estimators are called directly.
    """
    from SALib.analyze.delta import calc_delta, sobol_first

    means = y.mean(axis=1)
    if not np.ptp(means) > 0.0:  # SALib returns 0 for a constant outcome
        return [[np.nan] * x.shape[1]] * 2
    size = len(means)
    exponent = 2.0 / (7.0 + np.tanh((1500.0 - size) / 500.0))
    classes = np.linspace(0, size, min(int(np.ceil(size**exponent)), 48) + 1)
    grid = np.linspace(means.min(), means.max(), GRID)
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes in which the outcome does not vary
        moved = [calc_delta(means, grid, column, classes) for column in x.T]
        first = [sobol_first(means, column, classes) for column in x.T]
        part = means.var() / (crossed(y, y).mean() - crossed(y.mean(axis=0), y.mean(axis=0)))
        return [moved, [share * part for share in first]]


@by_resample("median", "maximum")
def pawn(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Return the distance between the outcome's distribution in all and in a slice of a factor.

    ``median`` and ``maximum`` over slices of the Kolmogorov-Smirnov statistic [pianosi_2018]. The
    distributions are those of means over replicates, whose chance is part of them.
    """
    from SALib.analyze.pawn import analyze

    names = [str(k) for k in range(x.shape[1])]
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    found = analyze(problem, x, y.mean(axis=1), S=SLICES)
    return [found["median"], found["maximum"]]


class Kind(NamedTuple):
    """How the indices of a method are estimated."""

    estimate: Estimator
    main: str
    """The index that ranks units."""
    interval: str = BOOTSTRAP
    resamples: int = 400
    """Fewer where each resample is a call of SALib; the t interval allows for it."""


KINDS: dict[str, Kind] = {
    "morris": Kind(morris, "mu_star"),
    "sobol": Kind(sobol, "ST"),
    "fast": Kind(fast, "ST", FEW_PARTS),
    "rbd_fast": Kind(rbd_fast, "S1", HALVES, 100),
    "delta": Kind(delta, "delta", CORRECTED, 40),
    "pawn": Kind(pawn, "median", HALVES, 40),
    "one_at_a_time": Kind(one_at_a_time, "range", FEW_PARTS),
    "ice": Kind(ice, "range"),
    "factorial": Kind(factorial, "absolute"),
}
"""The estimator of each method of :data:`kolabsim.study.design.METHODS`."""


def part_count(design: Design, values: np.ndarray) -> int:
    """Return how many parts of a design can be resampled.

    Each curve of one_at_a_time is the only one of its kind: its replicates are resampled.
    """
    if design.method == "one_at_a_time":
        return values.shape[1]
    return CURVES if design.method == "fast" else design.samples


def resampled(
    design: Design,
    values: np.ndarray,
    number: int,
    rng: np.random.Generator,
    first: int | None = None,
) -> tuple[Estimates, Estimates]:
    """Estimate indices from all parts, or the first few, [1, units], and from resampled parts."""
    kind, size = KINDS[design.method], part_count(design, values)
    here = size if first is None else first
    weights = np.zeros((1 + number, size))
    weights[0, :here] = 1.0
    draw = half_samples if kind.interval == HALVES else resample_counts
    weights[1:, :here] = draw(here, number, rng)
    if here < 2:
        weights = weights[:1]
    with np.errstate(divide="ignore", invalid="ignore"):  # undefined where nothing varies
        whole = kind.estimate(design, values, weights[:1])
        return whole, kind.estimate(design, values, weights[1:])
