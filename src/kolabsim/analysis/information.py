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

from kolabsim.analysis.arrays import check_scores, check_settings
from kolabsim.analysis.smoothing import Smoother
from kolabsim.analysis.statistics import (
    RESAMPLING_MEMORY,
    corrected_interval,
    crossed_resamples,
    noise_floor,
    one_thread,
    percentile_interval,
    permutations,
)

PERMUTATIONS = 200
"""Least number of permutations of each factor for its noise floor."""

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
    Intervals resample futures and runs; those of EVPPI less the bias that the resamples show.
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
        curve = Smoother.of(settings[name])
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


def mean_regrets(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean of the best less the mean of each choice, [strategies, resamples]."""
    best = np.einsum("fb,fb->b", scores.max(axis=0), weights)
    return best - np.einsum("sfb,fb->sb", scores, weights)


def estimate_evpi(scores: np.ndarray, draws: Resamples, level: float) -> Evpi:
    """Estimate the EVPI; its interval is in proportion that of the upper estimate.

    The EVPI is the least mean regret of a single choice, and its interval goes from the least lower
    to the least upper end of the intervals of all choices, as for intersection bounds
    [chernozhukov_2013]. Resamples of the least regret itself vary too little: each takes whichever
    choice suits it.
    """
    upper = float(expected_gain(scores.mean(axis=2, keepdims=True))[0])
    lower, runs = upper, scores.shape[2]
    if runs > 1:  # each run is judged by the choices of all other runs
        others = scores.sum(axis=2, keepdims=True) - scores
        best = np.take_along_axis(scores, others.argmax(axis=0)[None], axis=0)
        chosen = others.sum(axis=1).argmax(axis=0)
        lower = max(float(best.mean() - scores[chosen, :, np.arange(runs)].mean()), 0.0)
    value = float(np.sqrt(upper * lower))
    regrets = np.concatenate([mean_regrets(*draw) for draw in draws], axis=1)
    scale = value / upper if upper > 0.0 else 1.0
    low, high = (ends.min() * scale for ends in percentile_interval(regrets, level))
    return Evpi(value, float(low), float(high), upper, lower)


# EVPPI ------------------------------------------------------------------------------------------


def estimate_evppi(
    curve: Smoother,
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
    curve: Smoother, y: np.ndarray, level: float, factors: int, rng: np.random.Generator
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
