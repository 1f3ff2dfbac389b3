"""Value of information: EVPI and EVPPI of the factors that futures vary.

The expected value of perfect information (EVPI) is the mean over futures of the best outcome in
each, less the best mean of a single choice. The expected value of partial perfect information
(EVPPI) is the same for one factor known and the others unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import check_scores, check_settings, is_numeric
from kolabsim.analysis.statistics import (
    RESAMPLING_MEMORY,
    corrected_interval,
    crossed_resamples,
    noise_floor,
    one_thread,
    permutations,
)

PERMUTATIONS = 200
"""Least number of permutations of each factor for its noise floor."""
PIECES = 10
"""Pieces of a spline along the range of a factor."""
FEW_VALUES = 4
"""Numbers with at most so many different values are treated as words."""
STRENGTHS = np.logspace(-6.0, 4.0, 31)
"""Smoothing strengths among which cross-validation chooses."""
CAUTION = 1.4
"""Factor by which cross-validation inflates a curve's degrees of freedom [kim_gu_2004]."""
TINY = 1e-9
"""Keeps equations solvable where a piece of the range, or a word, has no future."""

Resamples: TypeAlias = "Sequence[tuple[np.ndarray, np.ndarray]]"
"""Mean scores [strategies, futures, resamples] and weights of futures [futures, resamples]."""


class Evpi(NamedTuple):
    """Expected value of perfect information, in the outcome's unit."""

    value: float
    """Geometric mean of upper and lower: with normal noise one is too large by the factor by which
    the other is too small."""
    low: float
    high: float
    upper: float
    """Plug-in estimate from the means over runs: it counts the noise of runs as information."""
    lower: float
    """Cross-fitted estimate: each run is judged by the choices of all other runs, which know less
    than there is to know. With a single run, equal to upper."""


@dataclass(frozen=True, eq=False)
class Information:
    """Value of information before a choice between strategies."""

    names: tuple[str, ...]
    outcome: str
    chosen: str
    """The strategy with the best mean: the choice without further information."""
    futures: int
    runs: int
    level: float
    evpi: Evpi
    factors: pd.DataFrame = field(repr=False)
    """A row for each factor, sorted by value (:ref:`columns <information-table>`, without the
    outcome)."""

    @property
    def above_floor(self) -> list[str]:
        """Factors whose value exceeds the noise floor, the most valuable first."""
        return list(self.factors["factor"][self.factors["above"]])


@one_thread()
def information(
    values: np.ndarray,
    names: Sequence[str],
    settings: pd.DataFrame,
    *,
    better: int,
    outcome: str = "",
    level: float = 0.95,
    resamples: int = 400,
    seed: int = 1,
) -> Information:
    """Estimate the EVPI and the EVPPI of each factor.

    EVPPI is estimated by regression of score differences between strategies on the factor, over
    futures [strong_2014]. For numbers the regression is a cubic spline with penalised second
    differences of its coefficients [eilers_marx_1996]: the same kind of curve as the additive model
    of that paper, a straight line where futures show no more. Generalised cross-validation chooses
    the smoothing of each strategy. For words, and for numbers with at most four different values,
    the regression is the mean of each group.

    Regressions find something in any noise, so EVPPI is biased upwards. The noise floor is the same
    estimate for permuted values of the factor, at a level that holds for all factors together.
    Intervals resample futures and runs, less the bias that the resamples show.
    """
    scores = check_scores(values, names, better, outcome)
    check_settings(settings, scores.shape[1])
    rng = np.random.default_rng(seed)
    means = scores.mean(axis=2)
    chosen = int(means.mean(axis=1).argmax())
    draws = [
        (drawn, future_weights(places))
        for drawn, places in crossed_resamples(scores, resamples, rng)
    ]
    evpi = estimate_evpi(scores, draws, level)
    rows = []
    for name in settings.columns:
        curve = Curve.of(settings[name])
        found, ends = estimate_evppi(curve, means, chosen, draws, level, len(settings.columns), rng)
        share = min(found["value"] / evpi.value, 1.0) if evpi.value > 0.0 else np.nan
        best = [names[one] if curve.has_order else None for one in ends]
        rows.append(
            {"factor": name, **found, "share": share, "lowest": best[0], "highest": best[1]}
        )
    table = pd.DataFrame(rows).sort_values("value", ascending=False, kind="stable")
    return Information(
        names=tuple(names),
        outcome=outcome,
        chosen=names[chosen],
        futures=scores.shape[1],
        runs=scores.shape[2],
        level=level,
        evpi=evpi,
        factors=table.reset_index(drop=True),
    )


# EVPI -------------------------------------------------------------------------------------------


def future_weights(places: np.ndarray) -> np.ndarray:
    """Return the weights [futures, resamples], of sum 1, of resampled futures of the same shape."""
    futures, resamples = places.shape
    flat = places + futures * np.arange(resamples)
    number = np.bincount(flat.ravel(), minlength=futures * resamples)
    return number.reshape(resamples, futures).T / futures


def expected_gain(scores: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the mean of the best less the best of the means, [resamples].

    From scores [strategies, futures, resamples], simulated or fitted, and weights of the futures
    [futures, resamples]; default: equal ones.
    """
    if weights is None:
        weights = np.full(scores.shape[1:], 1.0 / scores.shape[1])
    chosen = np.einsum("sfb,fb->sb", scores, weights).max(axis=0)
    return np.einsum("fb,fb->b", scores.max(axis=0), weights) - chosen


def estimate_evpi(scores: np.ndarray, draws: Resamples, level: float) -> Evpi:
    """Estimate the EVPI; its interval is in proportion that of the upper estimate."""
    upper = float(expected_gain(scores.mean(axis=2, keepdims=True))[0])
    lower, runs = upper, scores.shape[2]
    if runs > 1:  # each run is judged by the choices of all other runs
        others = scores.sum(axis=2, keepdims=True) - scores
        best = np.take_along_axis(scores, others.argmax(axis=0)[None], axis=0)
        chosen = others.sum(axis=1).argmax(axis=0)
        lower = max(float(best.mean() - scores[chosen, :, np.arange(runs)].mean()), 0.0)
    value = float(np.sqrt(upper * lower))
    resampled = np.concatenate([expected_gain(*draw) for draw in draws])
    scale = value / upper if upper > 0.0 else 1.0
    low, high = np.maximum(corrected_interval(upper, resampled, level), 0.0) * scale
    return Evpi(value, float(low), float(high), upper, lower)


# EVPPI ------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Curve:
    """A regression on one factor, ready to be fitted. F futures, K columns."""

    columns: np.ndarray
    """[F, K], orthonormal over futures with equal weights."""
    penalty: np.ndarray
    """[K] penalty of a unit of each column."""
    ends: tuple[int, int]
    """Positions of the futures with the lowest and the highest value."""
    has_order: bool

    @classmethod
    def of(cls, column: pd.Series) -> Curve:
        """Return the curve of a column of settings: a spline for numbers, group means for words."""
        from scipy.linalg import eigh

        has_order = is_numeric(column)
        if has_order and column.nunique() > FEW_VALUES:
            basis, rough = spline(column.to_numpy(np.float64))
        else:
            codes = pd.factorize(column)[0]
            basis = np.eye(codes.max() + 1)[codes]
            rough = np.zeros((basis.shape[1],) * 2)
        gram = basis.T @ basis / len(basis)
        penalty, turn = eigh(rough, gram + TINY * np.eye(len(gram)))
        ends = (0, 0)
        if has_order:
            ends = (int(column.to_numpy().argmin()), int(column.to_numpy().argmax()))
        return cls(basis @ turn, np.maximum(penalty, 0.0), ends, has_order)

    def strengths(self, y: np.ndarray) -> np.ndarray:
        """Choose the smoothing strength of each column of y [F, N]: an index of STRENGTHS."""
        futures = len(y)
        z2 = (self.columns.T @ y / futures) ** 2
        kept = 1.0 / (1.0 + STRENGTHS[:, None] * self.penalty)
        error = (y**2).mean(axis=0) - (kept * (2.0 - kept)) @ z2
        free = np.maximum(1.0 - CAUTION * kept.sum(axis=1) / futures, TINY)
        return (error / free[:, None] ** 2).argmin(axis=0)

    def fit(self, y: np.ndarray, strengths: np.ndarray) -> np.ndarray:
        """Return fitted y [F, N], each column with its strength."""
        kept = 1.0 / (1.0 + STRENGTHS[strengths] * self.penalty[:, None])
        return self.columns @ (kept * (self.columns.T @ y / len(y)))

    def refit(self, y: np.ndarray, weights: np.ndarray, strengths: np.ndarray) -> np.ndarray:
        """Return fitted y [N, F, resamples] with weights [F, resamples] and strengths [N]."""
        size = self.columns.shape[1]
        products = np.einsum("fj,fk->fjk", self.columns, self.columns)
        gram = (weights.T @ products.reshape(len(weights), -1)).reshape(-1, size, size)
        right = np.einsum("nfb,fb,fk->nbk", y, weights, self.columns, optimize=True)
        smooth = STRENGTHS[strengths][:, None, None] * np.diag(self.penalty)
        left = gram + smooth[:, None] + TINY * np.eye(size)
        found = np.linalg.solve(left, right[..., None])[..., 0]
        return np.einsum("fk,nbk->nfb", self.columns, found, optimize=True)


def spline(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cubic B-splines [F, K] over equal pieces of the range, and their penalty [K, K]."""
    from scipy.interpolate import BSpline

    place = (x - x.min()) / np.ptp(x)
    knots = np.arange(-3, PIECES + 4) / PIECES
    basis = BSpline.design_matrix(place, knots, 3).toarray()
    bends = np.diff(np.eye(basis.shape[1]), 2, axis=0)
    return basis, bends.T @ bends


def estimate_evppi(
    curve: Curve,
    means: np.ndarray,
    chosen: int,
    draws: Resamples,
    level: float,
    factors: int,
    rng: np.random.Generator,
) -> tuple[dict[str, float], tuple[int, int]]:
    """Estimate one factor's EVPPI, interval and floor, and the best strategies at its ends.

    Differences are to the strategy that is chosen without information.
    """
    y = (means - means[chosen]).T
    strengths = curve.strengths(y)
    fitted = curve.fit(y, strengths)
    value = float(expected_gain(fitted.T[..., None])[0])
    resampled = np.concatenate(
        [
            expected_gain(curve.refit(drawn - drawn[chosen], weights, strengths), weights)
            for drawn, weights in draws
        ]
    )
    low, high = np.maximum(corrected_interval(value, resampled, level), 0.0)
    floor = evppi_floor(curve, y, level, factors, rng)
    found = {
        "value": value, "low": float(low), "high": float(high), "floor": floor,
        "above": value > floor,
    }  # fmt: skip
    first, last = (int(fitted[end].argmax()) for end in curve.ends)
    return found, (first, last)


def evppi_floor(
    curve: Curve, y: np.ndarray, level: float, factors: int, rng: np.random.Generator
) -> float:
    """Return the EVPPI that one of so many permuted factors exceeds with a chance of 1 - level."""
    number = max(PERMUTATIONS, int(np.ceil(1.0 / ((1.0 - level) / factors))))
    futures, strategies = y.shape
    together = max(1, RESAMPLING_MEMORY // y.size)
    found = []
    for start in range(0, number, together):
        size = min(together, number - start)
        permuted = y[permutations(futures, size, rng)].transpose(1, 2, 0)
        flat = permuted.reshape(futures, strategies * size)
        fitted = curve.fit(flat, curve.strengths(flat)).reshape(futures, strategies, size)
        found.append(expected_gain(fitted.transpose(1, 0, 2)))
    return noise_floor(np.concatenate(found), level, factors)
