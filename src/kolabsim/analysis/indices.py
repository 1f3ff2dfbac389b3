"""Estimators of sensitivity indices, one for each method, from weighted parts of a design.

A design consists of parts that can be resampled: trajectories, rows of base points, curves, points.
Each estimator takes weights [resamples, parts] and returns its indices for all resamples. For most
methods these are sums over parts, so one product with the weights gives all resamples at once; the
estimators of PAWN, delta and RBD-FAST are SALib's and are called for one resample at a time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from itertools import combinations
from typing import NamedTuple, TypeAlias

import numpy as np

from kolabsim.analysis.statistics import ROUNDING, half_samples, resample_counts
from kolabsim.study.design import CURVES, HARMONICS, LEVELS, PLACES, Design, salib_problem

Estimates: TypeAlias = dict[str, np.ndarray]
"""Indices by name, each [resamples, units]."""
Estimator: TypeAlias = Callable[[Design, np.ndarray, np.ndarray], Estimates]
"""From the design, [points, replicates], and weights [resamples, parts]."""
OfResample: TypeAlias = Callable[[Design, np.ndarray, np.ndarray], list[list[float]]]

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


def average(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return weighted means, [resamples, units] from [resamples, parts] and [parts, units]."""
    return weights @ values / weights.sum(axis=1, keepdims=True)


def deviation(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return weighted standard deviations, of the same shape as :func:`average`."""
    values, size = values - values.mean(axis=0), weights.sum(axis=1, keepdims=True)
    square = average(weights, values**2) - average(weights, values) ** 2
    return np.sqrt(np.maximum(square, 0.0) * size / (size - 1.0))


def is_single(design: Design) -> np.ndarray:
    """Return for each unit whether it is one factor: only then do effects have a direction."""
    return design.members.sum(axis=1) == 1


# Our own estimators -----------------------------------------------------------------------------


def morris(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return elementary effects, as changes of the outcome over the whole range of a factor.

    ``mu_star``: their mean size; ``mu``: their mean; ``sigma``: their standard deviation, large
    where the effect depends on other factors or is not linear [morris_1991] [campolongo_2007].
    """
    units = len(design.units)
    points = design.points.reshape(design.samples, units + 1, -1)
    change = np.diff(values.mean(axis=1).reshape(design.samples, units + 1), axis=1)
    moves = np.diff(points, axis=1)
    which = (np.abs(moves) > ROUNDING) @ design.members.T
    step = LEVELS / (2.0 * (LEVELS - 1.0))
    effects = np.empty_like(change)
    np.put_along_axis(
        effects, which.argmax(axis=2), change / step * np.sign(moves.sum(axis=2)), axis=1
    )
    single = is_single(design)
    return {
        "mu_star": average(weights, np.abs(effects)),
        "mu": np.where(single, average(weights, effects), np.nan),
        "sigma": np.where(single, deviation(weights, effects), np.nan),
    }


def sobol(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return shares of the variance [saltelli_2010].

    ``ST``: the share left if all other factors were known (Jansen's estimator); ``S1``: the share
    explained by the factor alone; ``S2``, for each pair: the share of their interaction.
    """
    units = len(design.units)
    mean = values.mean(axis=1)
    y = (mean - mean.mean()).reshape(design.samples, -1)
    a, ab, b = y[:, :1], y[:, 1 : units + 1], y[:, -1:]
    variance = average(weights, (a**2 + b**2) / 2.0) - average(weights, (a + b) / 2.0) ** 2
    first = average(weights, b * (ab - a)) / variance
    found = {"ST": average(weights, (a - ab) ** 2) / 2.0 / variance, "S1": first}
    if design.second_order:
        ba = y[:, units + 1 : 2 * units + 1]
        j, k = np.array(list(combinations(range(units), 2))).T
        both = average(weights, ba[:, j] * ab[:, k] - a * b) / variance
        found["S2"] = both - first[:, j] - first[:, k]
    return found


def fast(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return shares of the variance by frequency along search curves [saltelli_1999].

    ``S1``: at the factor's own frequency and its harmonics; ``ST``: at all but the frequencies
    below half of it, which belong to the other factors.
    """
    y = values.mean(axis=1).reshape(CURVES, len(design.units), -1)
    length = y.shape[2]
    own = (length - 1) // (2 * HARMONICS)
    power = np.abs(np.fft.rfft(y, axis=2)[..., 1 : (length + 1) // 2]) ** 2
    whole = average(weights, power.sum(axis=2))
    harmonics = own * np.arange(1, HARMONICS + 1) - 1
    return {
        "ST": 1.0 - average(weights, power[..., : own // 2].sum(axis=2)) / whole,
        "S1": average(weights, power[..., harmonics].sum(axis=2)) / whole,
    }


def one_at_a_time(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return ``range``: from the lowest to the highest mean along a factor's curve."""
    mean = average(weights, values.T).reshape(len(weights), len(design.units), design.samples)
    return {"range": np.ptp(mean, axis=2)}


def ice(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return indices of individual conditional expectation curves [goldstein_2015].

    ``range``: mean range of a factor's curves; ``variety``: standard deviation between curves that
    are moved to the same level, large where the factor works differently at other base points.
    """
    y = values.mean(axis=1).reshape(design.samples, len(design.units), PLACES)
    level = y - y.mean(axis=2, keepdims=True)
    shape = (len(weights), *level.shape[1:])
    spread = deviation(weights, level.reshape(design.samples, -1)).reshape(shape)
    return {
        "range": average(weights, np.ptp(y, axis=2)),
        "variety": np.sqrt((spread**2).mean(axis=2)),
    }


def changes(design: Design, values: np.ndarray) -> np.ndarray:
    """Return changes of the outcome from the lower to the higher place of each unit.

    The shape is [samples, units]. For a group, whose factors move in several directions, only the
    size has a meaning.
    """
    y = values.mean(axis=1).reshape(design.samples, -1)
    points = design.points.reshape(design.samples, len(design.units) + 1, -1)
    up = ((points[:, 1:] > points[:, :1]) & design.members).any(axis=2)
    return (y[:, 1:] - y[:, :1]) * np.where(up, 1.0, -1.0)


def factorial(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Return finite changes at random base points [borgonovo_2010].

    ``absolute``: their mean size; ``mean``; ``spread``: their standard deviation.
    """
    change, single = changes(design, values), is_single(design)
    return {
        "absolute": average(weights, np.abs(change)),
        "mean": np.where(single, average(weights, change), np.nan),
        "spread": np.where(single, deviation(weights, change), np.nan),
    }


# SALib's estimators -----------------------------------------------------------------------------


def by_resample(*names: str) -> Callable[[OfResample], Estimator]:
    """Make an estimator from one that takes the points [n, D] and outcomes [n] of one resample."""

    def decorate(estimate: OfResample) -> Estimator:
        @wraps(estimate)
        def of_all(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
            y, found = values.mean(axis=1), []
            for row in weights:
                chosen = np.repeat(np.arange(len(y)), row.astype(int))
                found.append(estimate(design, design.points[chosen], y[chosen]))
            shape = (len(weights), len(names), len(design.units))
            return dict(zip(names, np.reshape(found, shape).swapaxes(0, 1), strict=True))

        return of_all

    return decorate


@by_resample("S1")
def rbd_fast(_design: Design, x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Return ``S1``: share of the variance at low frequencies along a factor's order.

    Corrected for the bias of noise [tarantola_2006] [tissot_2012]. SALib's own bootstrap repeats
    points, which would look like structure, so its estimator is called without it.
    """
    from SALib.analyze.rbd_fast import compute_first_order, permute_outputs, unskew_S1

    first = (compute_first_order(permute_outputs(column, y), OVERTONES) for column in x.T)
    return [[unskew_S1(share, OVERTONES, len(y)) for share in first]]


@by_resample("delta", "S1")
def delta(_design: Design, x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Return how far the outcome's density moves once a factor is known.

    ``delta``: half of the mean area between the density of all and that within a class of the
    factor [borgonovo_2007] [plischke_2013]; ``S1``: from the means of classes. ``SALib.analyze.
    delta.analyze`` would add a bootstrap of its own, use NumPy's global random state and change
    the filters of warnings, so its estimators are called directly.
    """
    from SALib.analyze.delta import calc_delta, sobol_first

    if not np.ptp(y) > 0.0:  # SALib returns 0 for a constant outcome
        return [[np.nan] * x.shape[1]] * 2
    size = len(y)
    exponent = 2.0 / (7.0 + np.tanh((1500.0 - size) / 500.0))
    classes = np.linspace(0, size, min(int(np.ceil(size**exponent)), 48) + 1)
    grid = np.linspace(y.min(), y.max(), GRID)
    with warnings.catch_warnings():  # of classes in which the outcome does not vary
        warnings.simplefilter("ignore")
        moved = [calc_delta(y, grid, column, classes) for column in x.T]
        return [moved, [sobol_first(y, column, classes) for column in x.T]]


@by_resample("median", "maximum")
def pawn(design: Design, x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Return the distance between the outcome's distribution in all and in a slice of a factor.

    ``median`` and ``maximum`` over slices of the Kolmogorov-Smirnov statistic [pianosi_2018].
    """
    from SALib.analyze.pawn import analyze

    found = analyze(salib_problem(design), x, y, S=SLICES)  # SALib changes the problem it gets
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


def block_count(design: Design) -> int:
    """Return how many equal, independent blocks the points of a design form, in their order."""
    units = len(design.units)
    return {"one_at_a_time": units, "fast": CURVES * units}.get(design.method, design.samples)


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
