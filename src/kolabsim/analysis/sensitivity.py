"""Which factors matter: indices of a design's outcomes, with intervals, a noise floor and chance.

Estimates are sums over the parts of which a design consists (trajectories, rows of base points,
curves), so that one product with a matrix of weights gives them for all resamples at once. What
SALib gives for the whole sample is the same, and tested; intervals come from parts drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.study.design import CURVES, DUMMY, HARMONICS, LEVELS, METHODS, PLACES, Design

if TYPE_CHECKING:
    import pandas as pd

Interval: TypeAlias = tuple[float, float, float]
"""A value and the ends of its interval; NaN where there is none."""
Estimates: TypeAlias = dict[str, np.ndarray]
"""Indices by name, each [weights, units]."""

RESAMPLED = 400
"""Samples of parts, drawn anew, from which intervals come."""
STEPS = 6
"""Most sizes of a sample at which convergence is looked at, each half of the next."""
OVERTONES = 10
"""Harmonics that RBD-FAST counts as the factor's own [tarantola_2006]."""
SLICES = 10
"""Parts of a factor's range whose distributions PAWN compares with the whole [pianosi_2018]."""
GRID = 100
"""Values of the outcome at which densities are compared."""
ROUNDING = 1e-12
"""Differences below this share of the largest value are rounding."""

PERCENTILE, HALVES, REDUCED, FEW = "percentile", "halves", "reduced", "few"
"""How an interval comes about: quantiles of parts drawn anew with replacement; the same of halves
of the parts drawn without, around the estimate, where repeated points would look like structure;
with replacement and less the bias that it shows; with replacement and wider by Student's t, for a
handful of parts."""


# What is found ----------------------------------------------------------------------------------


class Index(NamedTuple):
    """One index of all units."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    floor: float
    """How far the interval of the dummy reaches from zero; NaN without a dummy or intervals."""

    @property
    def has_floor(self) -> bool:
        """Whether there is a noise floor."""
        return bool(np.isfinite(self.floor))

    @property
    def above(self) -> np.ndarray:
        """Whether the interval of each unit lies beyond the floor; nothing does without a floor."""
        floor = self.floor + ROUNDING * np.abs(self.value).max(initial=0.0)
        return (self.low > floor) | (self.high < -floor)


class Pair(NamedTuple):
    """What two units do together beyond what each does alone: a share of the variance."""

    one: str
    other: str
    value: float
    low: float
    high: float


class Step(NamedTuple):
    """The main index as the first samples alone would give it."""

    samples: int
    points: int
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Stability(NamedTuple):
    """Whether the units that lead would lead again."""

    units: tuple[str, ...]
    """Those that lead and are above the floor, if there is one."""
    same: float
    """Share of resamples in which the same units lead, in whatever order."""
    ordered: float
    """Share of resamples in which they lead in the same order."""


class Curve(NamedTuple):
    """How an outcome moves with one factor. K curves, L places."""

    places: np.ndarray
    """[L] places of the factor between 0 and 1."""
    each: np.ndarray
    """[K, L] a curve for each base point (ice) or replicate (one_at_a_time)."""
    middle: np.ndarray
    """[L] their mean."""
    low: np.ndarray
    high: np.ndarray
    """[L] ends of the mean's interval, of ice once all curves are moved to the same level; NaN
    where there is a single curve."""


@dataclass(frozen=True, eq=False)
class Indices:
    """What a design says of one outcome. U units: factors or groups."""

    method: str
    outcome: str
    units: tuple[str, ...]
    """[U]; the dummy comes last."""
    main: str
    """The index by which units are ranked."""
    found: Mapping[str, Index] = field(repr=False)
    """Each index, [U]."""
    pairs: tuple[Pair, ...] = field(repr=False)
    """Second order indices (Sobol), the largest first."""
    chance: Interval
    """Share of the variance between single runs that is chance: runs of one point differ by it."""
    steps: tuple[Step, ...] = field(repr=False)
    """Convergence, from few samples to all."""
    resampled: np.ndarray = field(repr=False)
    """[resamples, U] the main index of each resample."""
    points: int
    replicates: int
    common: bool
    """Whether a replicate has the same draws at all points."""
    level: float
    """Confidence level of all intervals."""

    @property
    def leading(self) -> Index:
        """The main index."""
        return self.found[self.main]

    @property
    def has_dummy(self) -> bool:
        """Whether the last unit changes nothing."""
        return self.units[-1] == DUMMY

    @property
    def chance_left(self) -> float:
        """Share of the variance between points that is chance, after the mean over replicates.

        It is in all indices. Draws that all points share cancel, so that less is left then.
        """
        share, many = self.chance[0], self.replicates
        return share / (share + many * (1.0 - share)) if share > 0.0 else share

    def order(self) -> list[str]:
        """Units by their main index, the largest first; without the dummy."""
        return [self.units[u] for u in ranked(self.leading.value[: self.real])]

    @property
    def real(self) -> int:
        """How many units there are without the dummy."""
        return len(self.units) - self.has_dummy

    def stability(self, leading: int = 5) -> Stability:
        """Whether the same units lead in resamples.

        Units that are not above the noise floor have no rank to keep; of all units, the last has
        none either, because it follows from the others.
        """
        order = ranked(self.leading.value[: self.real])
        if self.leading.has_floor:
            order = order[self.leading.above[order]]
        first = order[: min(leading, self.real - 1)]
        if not len(first) or not len(self.resampled):
            return Stability((), np.nan, np.nan)
        again = ranked(self.resampled[:, : self.real])[:, : len(first)]
        same = (np.sort(again, axis=1) == np.sort(first)).all(axis=1).mean()
        ordered = (again == first).all(axis=1).mean()
        return Stability(tuple(self.units[u] for u in first), float(same), float(ordered))

    def table(self) -> pd.DataFrame:
        """All indices, tidy.

        Columns: outcome, method, factor, other (the second of a pair, or ''), index, value, low,
        high, floor, above (null without a floor).
        """
        import pandas as pd

        rows = [
            (
                factor, "", name, index.value[u], index.low[u], index.high[u], index.floor,
                bool(index.above[u]) if index.has_floor else pd.NA,
            )
            for name, index in self.found.items()
            for u, factor in enumerate(self.units)
        ]  # fmt: skip
        rows += [
            (one, other, "S2", value, low, high, np.nan, pd.NA)
            for one, other, value, low, high in self.pairs
        ]
        names = ("factor", "other", "index", "value", "low", "high", "floor", "above")
        table = pd.DataFrame(rows, columns=names).astype({"above": "boolean"})
        table.insert(0, "method", self.method)
        table.insert(0, "outcome", self.outcome)
        return table


def ranked(values: np.ndarray) -> np.ndarray:
    """Places of values along the last axis, the largest first, equals in their order."""
    return np.argsort(-values, axis=-1, kind="stable")


# Asking -----------------------------------------------------------------------------------------


def analyse(
    design: Design,
    values: np.ndarray,
    *,
    outcome: str = "",
    common: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLED,
    seed: int = 1,
) -> Indices:
    """Say which factors an outcome depends on.

    Parameters
    ----------
    design
        The points at which it was looked at.
    values
        [points, replicates] of one outcome; [points] where each was run once. Indices are those of
        the means over replicates.
    outcome
        Its name, for messages and tables.
    common
        Whether a replicate has the same draws at all points. Chance then moves all points alike,
        which the variance between points does not show, and what the dummy shows is exactly
        nothing in designs that compare points with each other.
    level
        Confidence level of the intervals.
    resamples
        How many times the parts of the design are drawn anew.
    seed
        Decides which parts are drawn.

    Raises
    ------
    InputError
        If there is not one value for each point, if some are undefined, or if all are the same.
    """
    values = checked(design, values, outcome)
    kind, rng = KINDS[design.method], np.random.default_rng(seed)
    whole, again = resampled(design, values, resamples, rng)
    found, pairs = {}, ()
    for name, value in whole.items():
        value, low, high = interval(kind, value, again[name], level, parts(design, values))
        if name == "S2":
            pairs = named_pairs(design, value, low, high)
            continue
        floor = max(abs(low[-1]), abs(high[-1])) if design.has_dummy else np.nan
        found[name] = Index(value, low, high, float(floor))
    return Indices(
        method=design.method,
        outcome=outcome,
        units=design.units,
        main=kind.main,
        found=found,
        pairs=pairs,
        chance=chance_share(values, blocks=blocks(design), common=common, level=level),
        steps=tuple(convergence(design, values, level, resamples, rng)),
        resampled=again[kind.main],
        points=values.shape[0],
        replicates=values.shape[1],
        common=common,
        level=level,
    )


def settled(
    design: Design,
    values: np.ndarray,
    leading: int = 5,
    level: float = 0.9,
    *,
    ordered: bool = False,
) -> bool:
    """Whether the leading factors are known well enough to stop.

    They are if at least a share ``level`` of resamples has the same leading factors, ``ordered``
    in the same order. Only factors above the noise floor lead; while none is, nothing is settled.
    Raises like :func:`analyse`.
    """
    found = analyse(design, values).stability(leading)
    return (found.ordered if ordered else found.same) >= level


def checked(design: Design, values: np.ndarray, outcome: str) -> np.ndarray:
    """Values as [points, replicates]; refused where no index could be told from them."""
    values = np.asarray(values, np.float64)
    values = values[:, None] if values.ndim == 1 else values
    words = {"outcome": outcome or _("the outcome"), "points": f"{len(design.points):,}"}
    if values.ndim != 2 or len(values) != len(design.points) or not values.shape[1]:
        message = _("{outcome}: values have the shape {shape}; there are {points} points")
        raise InputError([Problem(message.format(shape=values.shape, **words))])
    undefined = int((~np.isfinite(values)).any(axis=1).sum())
    if undefined:
        message = _(
            "{outcome} is undefined at {number} of {points} points; choose an outcome that is "
            "always defined, or narrow the ranges of factors"
        )
        raise InputError([Problem(message.format(number=f"{undefined:,}", **words))])
    means = values.mean(axis=1)
    if np.ptp(means) <= ROUNDING * np.abs(values).max():
        message = _("{outcome} is {value} at all {points} points: no factor changes it")
        raise InputError([Problem(message.format(value=f"{means[0]:g}", **words))])
    return values


def named_pairs(
    design: Design, value: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[Pair, ...]:
    """Second order indices with the names of their units, the largest first."""
    names = list(combinations(design.units, 2))
    return tuple(
        Pair(*names[k], float(value[k]), float(low[k]), float(high[k])) for k in ranked(value)
    )


# Resampling -------------------------------------------------------------------------------------


def parts(design: Design, values: np.ndarray) -> int:
    """Of how many parts, that are drawn anew, a design consists.

    The curves of one_at_a_time are the only ones of their kind: their replicates are drawn anew.
    """
    if design.method == "one_at_a_time":
        return values.shape[1]
    return CURVES if design.method == "fast" else design.samples


def blocks(design: Design) -> int:
    """Into how many equal blocks, that are independent of each other, its points fall in turn."""
    units = len(design.units)
    return {"one_at_a_time": units, "fast": CURVES * units}.get(design.method, design.samples)


def drawn_anew(spread: str, size: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Weights [number, size] of parts in each resample."""
    if spread == HALVES:
        return (rng.permuted(np.tile(np.arange(size), (number, 1)), axis=1) < size // 2) * 1.0
    if number == 0:
        return np.empty((0, size))
    return rng.multinomial(size, np.full(size, 1.0 / size), size=number).astype(np.float64)


def resampled(
    design: Design,
    values: np.ndarray,
    number: int,
    rng: np.random.Generator,
    first: int | None = None,
) -> tuple[Estimates, Estimates]:
    """Estimates from all parts, or the first few, [1, units]; and from parts drawn anew."""
    kind, size = KINDS[design.method], parts(design, values)
    here = size if first is None else first
    weights = np.zeros((1 + number, size))
    weights[0, :here] = 1.0
    weights[1:, :here] = drawn_anew(kind.spread, here, number, rng)
    if here < 2:
        weights = weights[:1]
    with np.errstate(divide="ignore", invalid="ignore"):  # of parts that do not vary: undefined
        whole = kind.estimate(design, values, weights[:1])
        again = kind.estimate(design, values, weights[1:])
    return whole, again


def interval(
    kind: Kind, whole: np.ndarray, again: np.ndarray, level: float, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The estimate and the ends of its interval, [units] each; NaN where none can be told.

    From the estimate of all ``size`` parts [1, units] and those of parts drawn anew.
    """
    whole, nothing = whole[0], np.full(whole.shape[1], np.nan)
    if len(again) < 2:
        return whole, nothing, nothing
    if kind.spread == FEW:
        from scipy.special import stdtrit

        error = again.std(axis=0) * np.sqrt(size / (size - 1.0))
        half = stdtrit(size - 1, 0.5 + level / 2.0) * error
        return whole, whole - half, whole + half
    defined = np.isfinite(again).all(axis=0)
    again = np.where(defined, again, 0.0)
    middle = again.mean(axis=0)
    low, high = np.quantile(again, (0.5 - level / 2.0, 0.5 + level / 2.0), axis=0)
    if kind.spread == REDUCED:
        whole = 2.0 * whole - middle
    if kind.spread != PERCENTILE:
        low, high = whole + low - middle, whole + high - middle
    return whole, np.where(defined, low, np.nan), np.where(defined, high, np.nan)


def convergence(
    design: Design, values: np.ndarray, level: float, resamples: int, rng: np.random.Generator
) -> Iterator[Step]:
    """The main index of the first samples, twice as many at each step."""
    if design.method == "one_at_a_time":  # its samples are no sample
        return
    size, kind = parts(design, values), KINDS[design.method]
    least = 1 if design.method == "fast" else METHODS[design.method].least
    sizes = [size // 2**k for k in range(STEPS) if size // 2**k >= least]
    for first in reversed(sizes):
        whole, again = resampled(design, values, resamples // 2, rng, first)
        # Of two curves an interval would say nothing, and dwarf all others.
        again = again[kind.main][: 0 if kind.spread == FEW and first < 3 else None]
        value, low, high = interval(kind, whole[kind.main], again, level, first)
        share = first / size
        points = round(share * len(design.points))
        yield Step(round(share * design.samples), points, value, low, high)


# Chance -----------------------------------------------------------------------------------------


def chance_share(
    values: np.ndarray,
    *,
    blocks: int | None = None,
    common: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLED,
    seed: int = 1,
) -> Interval:
    """Share of the variance between single runs that is chance, from [points, replicates].

    Runs of one point differ by chance alone; a one-way analysis of variance tells it from what
    differs between points [searle_1971]. With ``common`` draws a replicate moves all points alike:
    then only what it does not move alike is taken off the variance between points. The interval
    comes from blocks of points drawn anew (by default each point is one); with common draws it
    holds for these draws. NaN without replicates.
    """
    points, replicates = values.shape
    if replicates < 2:
        return np.nan, np.nan, np.nan
    blocks = blocks or points
    means = values.mean(axis=1) - values.mean()
    within = values.var(axis=1, ddof=1)
    noise = within
    if common:
        rest = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
        noise = (rest**2).sum(axis=1) / (replicates - 1) * points / (points - 1)
    sums = np.stack([means, means**2, within, noise]).reshape(4, blocks, -1).mean(axis=2)
    rng = np.random.default_rng(seed)
    weights = np.ones((1 + resamples, blocks))
    weights[1:] = drawn_anew(PERCENTILE, blocks, resamples, rng)
    mean, square, within, noise = (weights @ sums.T / blocks).T
    between = (square - mean**2) * points / (points - 1) - noise / replicates
    total = within + np.maximum(between, 0.0)
    share = np.divide(within, total, out=np.zeros_like(total), where=total > 0.0)
    low, high = np.quantile(share[1:], (0.5 - level / 2.0, 0.5 + level / 2.0))
    return float(share[0]), float(low), float(high)


# Methods ----------------------------------------------------------------------------------------


def average(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Means over parts, [weights, units] from [weights, parts] and [parts, units]."""
    return weights @ values / weights.sum(axis=1, keepdims=True)


def deviation(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Standard deviations over parts."""
    values, size = values - values.mean(axis=0), weights.sum(axis=1, keepdims=True)
    square = average(weights, values**2) - average(weights, values) ** 2
    return np.sqrt(np.maximum(square, 0.0) * size / (size - 1.0))


def single(design: Design) -> np.ndarray:
    """[units] whether a unit is one factor, so that a direction can be told of it."""
    return design.members.sum(axis=1) == 1


def morris(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Elementary effects, as changes of the outcome over the whole range of a factor.

    ``mu_star``: their mean size; ``mu``: their mean; ``sigma``: their standard deviation, which is
    large where the effect is not the same everywhere [morris_1991] [campolongo_2007].
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
    alone = single(design)
    return {
        "mu_star": average(weights, np.abs(effects)),
        "mu": np.where(alone, average(weights, effects), np.nan),
        "sigma": np.where(alone, deviation(weights, effects), np.nan),
    }


def sobol(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Shares of the variance.

    ``ST``: what would be left if all but the factor were known (Jansen's estimator); ``S1``: what
    would go if it were known; ``S2``, for each pair: what both do together beyond that
    [saltelli_2010].
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
    """Shares of the variance by the frequencies at which the outcome moves along curves.

    ``S1``: at the factor's own frequency and its harmonics; ``ST``: at all but those below half of
    it, which are the others' [saltelli_1999].
    """
    y = values.mean(axis=1).reshape(CURVES, len(design.units), -1)
    length = y.shape[2]
    own = (length - 1) // (2 * HARMONICS)
    power = np.abs(np.fft.rfft(y, axis=2)[..., 1 : (length + 1) // 2]) ** 2
    whole = average(weights, power.sum(axis=2))
    return {
        "ST": 1.0 - average(weights, power[..., : own // 2].sum(axis=2)) / whole,
        "S1": average(weights, power[..., own * np.arange(1, HARMONICS + 1) - 1].sum(axis=2))
        / whole,
    }


def rbd_fast(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """``S1``: share of the variance at low frequencies once points are put in a factor's order.

    Up and down again through the factor's range; less the bias of noise [tarantola_2006]
    [tissot_2012]. Weights are 0 or 1, with the same sum in each resample.
    """
    mean, found = values.mean(axis=1), []
    for x in design.points.T:
        order = np.argsort(x, kind="stable")
        taken = weights[:, order] > 0.0
        y = np.broadcast_to(mean[order], taken.shape)[taken].reshape(len(weights), -1)
        y = np.concatenate([y[:, ::2], y[:, 1::2][:, ::-1]], axis=1)
        size = y.shape[1]
        power = np.abs(np.fft.rfft(y - y.mean(axis=1, keepdims=True), axis=1)[:, 1:]) ** 2
        if size % 2 == 0:  # the highest frequency has no twin
            power[:, -1] /= 2.0
        share = power[:, :OVERTONES].sum(axis=1) / power.sum(axis=1)
        bias = 2.0 * OVERTONES / size
        found.append(share - bias / (1.0 - bias) * (1.0 - share))
    return {"S1": np.stack(found, axis=1)}


def classes(x: np.ndarray, number: int) -> np.ndarray:
    """In which of so many parts of its range, with as many points each, a factor lies."""
    rank = np.empty(len(x), np.int64)
    rank[np.argsort(x, kind="stable")] = np.arange(len(x))
    return rank * number // len(x)


def delta(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """``delta``: by how much the outcome's density moves, on average, once a factor is known.

    Half of the area between the density of all and that within a class of the factor
    [borgonovo_2007] [plischke_2013]; and ``S1`` from the means of classes. Kernels have Scott's
    width for the whole sample everywhere: were they wider within classes, as SALib's are, a factor
    that changes nothing would seem to move the density.
    """
    y = values.mean(axis=1)
    size = len(y)
    number = min(int(np.ceil(size ** (2.0 / (7.0 + np.tanh((1500.0 - size) / 500.0))))), 48)
    grid = np.linspace(y.min(), y.max(), GRID)
    gaps = np.full(GRID, grid[1] - grid[0])
    gaps[[0, -1]] /= 2.0
    sums = weights.sum(axis=1, keepdims=True)
    width = max(y.std(ddof=1) * size**-0.2, grid[1] - grid[0])  # the grid sees nothing narrower
    kernels = np.exp(-0.5 * ((y[:, None] - grid) / width) ** 2) / (width * np.sqrt(2.0 * np.pi))
    density = weights @ kernels / sums
    centred = y - y.mean()
    mean, variance = average(weights, centred[:, None]), deviation(weights, centred[:, None]) ** 2
    variance = variance * (sums - 1.0) / sums
    moved, between = [], []
    for x in design.points.T:
        part = classes(x, number)
        apart, explained = 0.0, 0.0
        for c in range(number):
            here = part == c
            count = weights[:, here].sum(axis=1, keepdims=True)
            divisor = np.maximum(count, 1.0)  # a class that is not drawn counts nothing
            within = weights[:, here] @ kernels[here] / divisor
            apart = apart + count / sums * (np.abs(within - density) @ gaps[:, None]) / 2.0
            of_class = weights[:, here] @ centred[here, None] / divisor
            explained = explained + count / sums * (of_class - mean) ** 2
        moved.append(apart)
        between.append(explained / variance)
    return {"delta": np.hstack(moved), "S1": np.hstack(between)}


def pawn(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Largest distance between the outcome's distribution in all and within a slice of a factor.

    ``median`` and ``maximum`` over slices [pianosi_2018].
    """
    y = values.mean(axis=1)
    order = np.argsort(y, kind="stable")
    last = np.append(np.diff(y[order]) > 0.0, True)  # a distribution steps once for equal values
    weights = weights[:, order]
    whole = np.cumsum(weights, axis=1)[:, last] / weights.sum(axis=1, keepdims=True)
    middle, most = [], []
    for x in design.points[order].T:
        part, apart = classes(x, SLICES), []
        for s in range(SLICES):
            within = np.cumsum(weights * (part == s), axis=1)[:, last]
            apart.append(np.abs(within / within[:, -1:] - whole).max(axis=1, initial=0.0))
        middle.append(np.nanmedian(apart, axis=0))
        most.append(np.nanmax(apart, axis=0))
    return {"median": np.stack(middle, axis=1), "maximum": np.stack(most, axis=1)}


def one_at_a_time(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """``range``: from the lowest to the highest mean along a factor's curve."""
    mean = average(weights, values.T).reshape(len(weights), len(design.units), design.samples)
    return {"range": np.ptp(mean, axis=2)}


def ice_indices(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """``range``: of each curve of a factor, on average over base points.

    ``variety``: standard deviation between curves that are moved to the same level: how differently
    a factor works elsewhere [goldstein_2015].
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
    """Changes of the outcome from the lower to the higher place of each unit, [samples, units].

    Of a group, whose factors move in several directions, only the size means something.
    """
    y = values.mean(axis=1).reshape(design.samples, -1)
    points = design.points.reshape(design.samples, len(design.units) + 1, -1)
    up = ((points[:, 1:] > points[:, :1]) & design.members).any(axis=2)
    return (y[:, 1:] - y[:, :1]) * np.where(up, 1.0, -1.0)


def factorial(design: Design, values: np.ndarray, weights: np.ndarray) -> Estimates:
    """Finite changes, everything else drawn at random.

    ``absolute``: their mean size; ``mean``; ``spread``: their standard deviation
    [borgonovo_2010].
    """
    change, alone = changes(design, values), single(design)
    return {
        "absolute": average(weights, np.abs(change)),
        "mean": np.where(alone, average(weights, change), np.nan),
        "spread": np.where(alone, deviation(weights, change), np.nan),
    }


class Kind(NamedTuple):
    """How the indices of a method are told."""

    estimate: Callable[[Design, np.ndarray, np.ndarray], Estimates]
    """From the design, [points, replicates], and weights [resamples, parts]."""
    main: str
    spread: str = PERCENTILE


KINDS: dict[str, Kind] = {
    "morris": Kind(morris, "mu_star"),
    "sobol": Kind(sobol, "ST"),
    "fast": Kind(fast, "ST", FEW),
    "rbd_fast": Kind(rbd_fast, "S1", HALVES),
    "delta": Kind(delta, "delta", REDUCED),
    "pawn": Kind(pawn, "median", HALVES),
    "one_at_a_time": Kind(one_at_a_time, "range", FEW),
    "ice": Kind(ice_indices, "range"),
    "factorial": Kind(factorial, "absolute"),
}
"""How each method of :data:`kolabsim.study.design.METHODS` is analysed."""


# Curves and choices -----------------------------------------------------------------------------


def unit_number(design: Design, unit: str, *methods: str) -> int:
    """Where a unit stands; refused where the design has none of this name or is another method."""
    problems = Problems()
    if design.method not in methods:
        message = _("{method} has no such points; allowed: {methods}")
        problems.add(message.format(method=design.method, methods=", ".join(methods)))
    if unit not in design.units:
        message = _("'{name}' is not in the design{suggestion}")
        problems.add(message.format(name=unit, suggestion=suggestion(unit, design.units)))
    problems.raise_if_any()
    return design.units.index(unit)


def curve(
    design: Design, values: np.ndarray, unit: str, *, outcome: str = "", level: float = 0.95
) -> Curve:
    """How the outcome moves with one factor or group, from one_at_a_time or ice.

    Raises :class:`~kolabsim.errors.InputError` like :func:`analyse`, and for other designs.
    """
    u, values = unit_number(design, unit, "one_at_a_time", "ice"), checked(design, values, outcome)
    units = len(design.units)
    if design.method == "ice":
        places = np.arange(PLACES) / (PLACES - 1)
        each = values.mean(axis=1).reshape(-1, units, PLACES)[:, u]
        shifted = each - each.mean(axis=1, keepdims=True) + each.mean()
        return Curve(places, each, *mean_interval(shifted, level))
    places = np.arange(design.samples) / (design.samples - 1)
    each = values.reshape(units, -1, values.shape[1])[u].T
    return Curve(places, each, *mean_interval(each, level))


def mean_interval(each: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means over the first axis with their t intervals; NaN for those of a single value."""
    from scipy.special import stdtrit

    middle, size = each.mean(axis=0), len(each)
    if size < 2:
        return middle, np.full_like(middle, np.nan), np.full_like(middle, np.nan)
    half = stdtrit(size - 1, 0.5 + level / 2.0) * each.std(axis=0, ddof=1) / np.sqrt(size)
    return middle, middle - half, middle + half


def contrasts(
    design: Design,
    values: np.ndarray,
    unit: str,
    words: int,
    *,
    outcome: str = "",
    level: float = 0.95,
) -> pd.DataFrame:
    """What it changes to go from one word of a choice to another, from a factorial design.

    Columns: from, to (numbers of the words, of which there are ``words``), change, low, high,
    pairs. Raises :class:`~kolabsim.errors.InputError` like :func:`analyse`, and for other designs.
    """
    import pandas as pd

    u, values = unit_number(design, unit, "factorial"), checked(design, values, outcome)
    change = changes(design, values)[:, u]
    column = np.flatnonzero(design.members[u])[0]
    points = design.points.reshape(design.samples, len(design.units) + 1, -1)
    places = np.sort(points[:, [0, u + 1], column], axis=1)
    lower, upper = np.minimum((places * words).astype(int), words - 1).T
    rows = []
    for one, other in combinations(range(words), 2):
        here = change[(lower == one) & (upper == other)]
        if len(here):
            found = (float(end[0]) for end in mean_interval(here[:, None], level))
            rows.append((one, other, *found, len(here)))
    return pd.DataFrame(rows, columns=["from", "to", "change", "low", "high", "pairs"])
