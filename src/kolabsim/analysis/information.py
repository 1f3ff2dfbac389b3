"""What it is worth to know more before choosing: everything, or one factor of the futures.

The value of information is what better choices would add to the outcome: the mean over futures of
the best that could be chosen knowing something, less the best single choice that knows nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.analysis.robustness import ROOM, checked, drawn_anew, interval
from kolabsim.errors import Problems
from kolabsim.i18n import _

if TYPE_CHECKING:
    import pandas as pd

RESAMPLED = 400
"""Samples of futures and runs, drawn anew, from which intervals come."""
SHUFFLED = 200
"""Least dummies of each factor: its values dealt anew to futures."""
PIECES = 10
"""Pieces of a curve along the range of a factor."""
FEW = 4
"""Numbers with no more different values than this are taken as words."""
STRENGTHS = np.logspace(-6.0, 4.0, 31)
"""Strengths of smoothing among which cross-validation chooses."""
CAUTION = 1.4
"""How many times a curve's degrees of freedom count in cross-validation [kim_gu_2004]."""
TINY = 1e-9
"""Keeps equations solvable where a piece of the range, or a word, has no future."""


# What is found ----------------------------------------------------------------------------------


class Worth(NamedTuple):
    """What perfect knowledge of the future is worth, in the outcome's unit."""

    value: float
    """The geometric mean of most and least: where luck is normal, one is too large by the same
    factor by which the other is too small."""
    low: float
    high: float
    most: float
    """Mean over futures of the best mean over runs, less the best of the means: it takes for worth
    what is the luck of runs."""
    least: float
    """The same if what is best in each future is chosen without the run by which it is judged, as
    if one knew less than there is to know. Of a single run, as the most."""


@dataclass(frozen=True, eq=False)
class Information:
    """What knowing would be worth before a choice between strategies."""

    names: tuple[str, ...]
    outcome: str
    """What strategies are judged by: name of a measure, or a title; '' if it was not told."""
    chosen: str
    """The strategy with the best mean, which one would choose knowing nothing."""
    futures: int
    runs: int
    level: float
    """Confidence level of all intervals and of the floor."""
    perfect: Worth
    factors: pd.DataFrame = field(repr=False)
    """factor; ``value`` of knowing it alone, in the outcome's unit, with ``low`` and ``high``;
    ``share`` of the value of perfect knowledge; ``floor``: what a factor with the same values that
    has nothing to do with the outcome would seem to be worth, at most; ``above``: whether the value
    is above the floor; ``lowest``, ``highest``: the strategy that is best at the lower and at the
    upper end of its range (of words: null). The most valuable come first."""

    @property
    def worthwhile(self) -> list[str]:
        """Factors whose value is above the floor, the most valuable first."""
        return list(self.factors["factor"][self.factors["above"]])


def information(
    values: np.ndarray,
    names: Sequence[str],
    settings: pd.DataFrame,
    *,
    better: int,
    outcome: str = "",
    level: float = 0.95,
    resamples: int = RESAMPLED,
    seed: int = 1,
) -> Information:
    """Say what perfect knowledge is worth (EVPI), and that of each factor alone (EVPPI).

    The value of a factor is estimated by regression of score differences between strategies on it,
    over futures [strong_2014]. The regression on a number is a cubic spline with penalised second
    differences of its coefficients [eilers_marx_1996], which is the same kind of curve as the
    additive model of that paper, needs nothing but linear algebra, and becomes a straight line
    where futures tell no more; its strength is chosen for each strategy by generalised
    cross-validation.
    On words, and on numbers with at most four different values, it is the mean of each group.

    Regressions find something in any noise, and so the value is never below zero. Against this
    stands the floor: the same estimate for dummies, which have the factor's own values dealt anew
    to futures; it is so high that with this level of confidence no factor of all exceeds it by
    chance. Intervals draw futures and runs anew, and take off the bias that resamples show.

    Parameters
    ----------
    values
        [strategies, futures, runs] of one outcome, on common draws.
    names
        The strategies.
    settings
        [futures, factors] what each future is: numbers or words.
    better
        1 if more of the outcome is better, -1 if less is.
    outcome
        Its name, for messages.
    level
        Confidence level of intervals and of the floor.
    resamples
        How many times futures and runs are drawn anew.
    seed
        Decides which are drawn, and how dummies are dealt.

    Raises
    ------
    InputError
        With all problems at once: undefined values and how many, shapes that do not fit.
    """
    import pandas as pd

    scores = checked(values, names, better, outcome)
    check_settings(settings, scores.shape[1])
    rng = np.random.default_rng(seed)
    means = scores.mean(axis=2)
    chosen = int(means.mean(axis=1).argmax())
    draws = [(drawn, counts(places)) for drawn, places in drawn_anew(scores, resamples, rng)]
    perfect = perfect_worth(scores, draws, level)
    rows = []
    for name in settings.columns:
        curve = Curve.of(settings[name])
        row = worth_of_factor(curve, means, chosen, draws, level, len(settings.columns), rng)
        share = min(row["value"] / perfect.value, 1.0) if perfect.value > 0.0 else np.nan
        ends = {end: names[row.pop(end)] for end in ("lowest", "highest")}
        if not curve.has_order:
            ends = dict.fromkeys(ends)
        rows.append({"factor": name, **row, "share": share, **ends})
    table = pd.DataFrame(rows).sort_values("value", ascending=False, kind="stable")
    return Information(
        names=tuple(names),
        outcome=outcome,
        chosen=names[chosen],
        futures=scores.shape[1],
        runs=scores.shape[2],
        level=level,
        perfect=perfect,
        factors=table.reset_index(drop=True),
    )


def check_settings(settings: pd.DataFrame, futures: int) -> None:
    """Refuse settings that are not of these futures, or not told for all of them."""
    problems = Problems()
    if len(settings) != futures:
        message = _("settings: there are {number} rows for {futures} futures")
        problems.add(message.format(number=len(settings), futures=futures))
    if not len(settings.columns):
        problems.add(_("settings: there is no factor"))
    if not settings.columns.is_unique:
        problems.add(_("settings: a factor stands twice"))
    else:
        for name, number in settings.isna().sum().items():
            if number:
                message = _("settings: '{name}' is undefined in {number} of {futures} futures")
                problems.add(message.format(name=name, number=number, futures=len(settings)))
    problems.raise_if_any()


# Everything -------------------------------------------------------------------------------------


def counts(places: np.ndarray) -> np.ndarray:
    """Weights [futures, resamples], of sum 1, of futures that were drawn [futures, resamples]."""
    futures, resamples = places.shape
    flat = places + futures * np.arange(resamples)
    number = np.bincount(flat.ravel(), minlength=futures * resamples)
    return number.reshape(resamples, futures).T / futures


def even(futures: int) -> np.ndarray:
    """The same weight for each future, [futures, 1]."""
    return np.full((futures, 1), 1.0 / futures)


def worth_of_all(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of the best less best of the means, [resamples].

    From scores [strategies, futures, resamples], known or smoothed, and weights of the futures
    [futures, resamples].
    """
    chosen = np.einsum("sfb,fb->sb", scores, weights).max(axis=0)
    return np.einsum("fb,fb->b", scores.max(axis=0), weights) - chosen


def perfect_worth(
    scores: np.ndarray, draws: Sequence[tuple[np.ndarray, np.ndarray]], level: float
) -> Worth:
    """What perfect knowledge is worth; its interval is in proportion that of the most."""
    means = scores.mean(axis=2, keepdims=True)
    most = float(worth_of_all(means, even(scores.shape[1]))[0])
    least = max(worth_without_luck(scores), 0.0) if scores.shape[2] > 1 else most
    value = float(np.sqrt(most * least))
    again = np.concatenate([worth_of_all(*draw) for draw in draws])
    ends = np.maximum(interval(most, again, level), 0.0) * (value / most if most > 0.0 else 1.0)
    return Worth(value, float(ends[0]), float(ends[1]), most, least)


def worth_without_luck(scores: np.ndarray) -> float:
    """What perfect knowledge is worth if each run is judged by what all other runs chose."""
    others = scores.sum(axis=2, keepdims=True) - scores
    best = np.take_along_axis(scores, others.argmax(axis=0)[None], axis=0)
    chosen = others.sum(axis=1).argmax(axis=0)
    return float(best.mean() - scores[chosen, :, np.arange(scores.shape[2])].mean())


# One factor -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve along one factor, ready to be fitted. F futures, K columns."""

    columns: np.ndarray
    """[F, K], orthonormal over futures with even weights."""
    penalty: np.ndarray
    """[K] how much a unit of each column is penalised."""
    ends: tuple[int, int]
    """Places of the futures with the lowest and the highest value."""
    has_order: bool
    """Whether the factor is a number."""

    @classmethod
    def of(cls, column: pd.Series) -> Curve:
        """The curve of a column of settings: a spline of numbers, or a mean for each word."""
        import pandas as pd
        from scipy.linalg import eigh

        is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        if is_number and column.nunique() > FEW:
            basis, rough = spline(column.to_numpy(np.float64))
        else:
            codes = pd.factorize(column)[0]
            basis = np.eye(codes.max() + 1)[codes]
            rough = np.zeros((basis.shape[1],) * 2)
        gram = basis.T @ basis / len(basis)
        penalty, turn = eigh(rough, gram + TINY * np.eye(len(gram)))
        ends = (0, 0)
        if is_number:
            ends = (int(column.to_numpy().argmin()), int(column.to_numpy().argmax()))
        return cls(basis @ turn, np.maximum(penalty, 0.0), ends, is_number)

    def strengths(self, y: np.ndarray) -> np.ndarray:
        """Index of the strength of smoothing for each column of y [F, N], by cross-validation."""
        futures = len(y)
        z2 = (self.columns.T @ y / futures) ** 2
        kept = 1.0 / (1.0 + STRENGTHS[:, None] * self.penalty)
        error = (y**2).mean(axis=0) - (kept * (2.0 - kept)) @ z2
        free = np.maximum(1.0 - CAUTION * kept.sum(axis=1) / futures, TINY)
        return (error / free[:, None] ** 2).argmin(axis=0)

    def fit(self, y: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Smoothed y [F, N], each column with its strength."""
        kept = 1.0 / (1.0 + STRENGTHS[chosen] * self.penalty[:, None])
        return self.columns @ (kept * (self.columns.T @ y / len(y)))

    def fit_again(self, y: np.ndarray, weights: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Smoothed y [N, F, resamples] with weights [F, resamples]; strengths [N] stay."""
        size = self.columns.shape[1]
        products = np.einsum("fj,fk->fjk", self.columns, self.columns)
        gram = (weights.T @ products.reshape(len(weights), -1)).reshape(-1, size, size)
        right = np.einsum("nfb,fb,fk->nbk", y, weights, self.columns, optimize=True)
        smooth = STRENGTHS[chosen][:, None, None] * np.diag(self.penalty)
        left = gram + smooth[:, None] + TINY * np.eye(size)
        found = np.linalg.solve(left, right[..., None])[..., 0]
        return np.einsum("fk,nbk->nfb", self.columns, found, optimize=True)


def spline(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cubic B-splines [F, K] over equal pieces of the range, and the penalty [K, K] of bends."""
    from scipy.interpolate import BSpline

    place = (x - x.min()) / np.ptp(x)
    knots = np.arange(-3, PIECES + 4) / PIECES
    basis = BSpline.design_matrix(place, knots, 3).toarray()
    bends = np.diff(np.eye(basis.shape[1]), 2, axis=0)
    return basis, bends.T @ bends


def worth_of_factor(
    curve: Curve,
    means: np.ndarray,
    chosen: int,
    draws: Sequence[tuple[np.ndarray, np.ndarray]],
    level: float,
    factors: int,
    rng: np.random.Generator,
) -> dict[str, object]:
    """What it is worth to know one factor, its interval and floor, and what is best at its ends.

    Differences are to the strategy that would be chosen knowing nothing.
    """
    y = (means - means[chosen]).T
    strengths = curve.strengths(y)
    fitted = curve.fit(y, strengths)
    value = float(worth_of_all(fitted.T[..., None], even(len(y)))[0])
    again = np.concatenate(
        [
            worth_of_all(curve.fit_again(drawn - drawn[chosen], weights, strengths), weights)
            for drawn, weights in draws
        ]
    )
    low, high = np.maximum(interval(value, again, level), 0.0)
    floor = floor_of(curve, y, level, factors, rng)
    return {
        "value": value,
        "low": float(low),
        "high": float(high),
        "floor": floor,
        "above": value > floor,
        "lowest": int(fitted[curve.ends[0]].argmax()),
        "highest": int(fitted[curve.ends[1]].argmax()),
    }


def floor_of(
    curve: Curve, y: np.ndarray, level: float, factors: int, rng: np.random.Generator
) -> float:
    """What dummies with a factor's values reach; one of all factors may be above it by chance."""
    exceeded = (1.0 - level) / factors
    number = max(SHUFFLED, int(np.ceil(1.0 / exceeded)))
    futures, strategies = y.shape
    together = max(1, ROOM // y.size)
    found = []
    for start in range(0, number, together):
        size = min(together, number - start)
        order = rng.permuted(np.tile(np.arange(futures), (size, 1)), axis=1)
        dealt = y[order].transpose(1, 2, 0).reshape(futures, strategies * size)
        fitted = curve.fit(dealt, curve.strengths(dealt)).reshape(futures, strategies, size)
        weights = np.broadcast_to(even(futures), (futures, size))
        found.append(worth_of_all(fitted.transpose(1, 0, 2), weights))
    return float(np.quantile(np.concatenate(found), 1.0 - exceeded, method="higher"))
