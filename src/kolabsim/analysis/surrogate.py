"""Surrogates for costly runs: regression on a few simulated points predicts all others.

A Gaussian process or gradient boosting, whichever has the smaller cross-validated error. A
surrogate reports that error and refuses to predict if it is too large.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from kolabsim.analysis.statistics import one_thread
from kolabsim.errors import KolabsimError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.study.factors import Factor

GAUSSIAN, BOOSTING = "gaussian process", "gradient boosting"
KINDS = (GAUSSIAN, BOOSTING)
MOST_FOR_GAUSSIAN = 1000
"""Points above which no Gaussian process is tried: its cost grows with their cube."""
LEAST = 0.5
"""Cross-validated R² below which a surrogate refuses to predict."""
FOLDS = 5
"""Folds of cross-validation."""
SOME = 150
"""Points from which a Gaussian process estimates its length scales: more take minutes."""


class Quality(NamedTuple):
    """Cross-validated accuracy of a surrogate."""

    r2: float
    """1 minus the mean squared error over the variance; 0 is no better than the mean, and where
    nothing varies."""
    rmse: float
    """Root of the mean squared error, in the unit of the outcome."""
    coverage: float
    """Share of left-out points within their 95% interval: mean ± 1.96 standard deviations."""

    def __str__(self) -> str:
        return f"R² {self.r2:.2f}, RMSE {self.rmse:.3g}, coverage {self.coverage:.0%}"


@dataclass(frozen=True)
class Surrogate:
    """A regression that stands in for the model, for one outcome."""

    kind: str
    qualities: Mapping[str, Quality]
    """Cross-validated accuracy of each kind that was tried."""
    points: int
    least: float
    factors: tuple[Factor, ...] = field(repr=False)
    model: GaussianProcess | Boosting = field(repr=False)

    @property
    def quality(self) -> Quality:
        """Its cross-validated accuracy."""
        return self.qualities[self.kind]

    def predict(self, points: np.ndarray, *, force: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Predict the outcome at points of the unit cube [N, factors].

        Returns means and standard deviations [N] of outcomes as they were given, their noise
        included. Raises :class:`~kolabsim.errors.KolabsimError` if the cross-validated R² is below
        the least, unless ``force`` is given.
        """
        if self.quality.r2 < self.least and not force:
            text = _(
                "the surrogate is too inaccurate to predict: its cross-validated R² is {r2}, and "
                "at least {least} is needed; simulate more points, or more runs of each"
            )
            raise KolabsimError(text.format(r2=f"{self.quality.r2:.2f}", least=self.least))
        points = np.asarray(points, np.float64)
        check_points(points, self.factors)
        with one_thread():
            return self.model.predict(inputs_of(points, self.factors))


def fit_surrogate(
    points: np.ndarray,
    outcomes: np.ndarray,
    factors: Sequence[Factor],
    *,
    kinds: Sequence[str] = KINDS,
    least: float = LEAST,
    seed: int = 1,
) -> Surrogate:
    """Fit the surrogate with the smallest cross-validated error to simulated points.

    From points [N, factors] of the unit cube, at least 20 and at least 2 for each factor, and means
    over runs of one outcome [N]. Choices among words have no order. Below a cross-validated R² of
    ``least`` the surrogate refuses to predict. ``seed`` decides the folds and boosting; nothing
    else is random.
    """
    points, outcomes = np.asarray(points, np.float64), np.asarray(outcomes, np.float64)
    factors = tuple(factors)
    check_points(points, factors, outcomes, kinds)
    inputs = inputs_of(points, factors)
    if len(points) > MOST_FOR_GAUSSIAN and BOOSTING in kinds:
        kinds = [kind for kind in kinds if kind != GAUSSIAN]
    with one_thread():
        qualities, models = fitted(inputs, outcomes, kinds, seed)
    best = min(qualities, key=lambda kind: qualities[kind].rmse)
    return Surrogate(best, qualities, len(points), least, factors, models[best])


def fitted(
    inputs: np.ndarray, outcomes: np.ndarray, kinds: Sequence[str], seed: int
) -> tuple[dict[str, Quality], dict[str, GaussianProcess | Boosting]]:
    """Fit a model of each kind, and measure its cross-validated accuracy."""
    fold = np.random.default_rng(seed).permutation(np.arange(len(inputs)) % FOLDS)
    qualities: dict[str, Quality] = {}
    models: dict[str, GaussianProcess | Boosting] = {}
    for kind in kinds:
        mean, spread = np.empty_like(outcomes), np.empty_like(outcomes)
        new_model = GaussianProcess if kind == GAUSSIAN else Boosting
        for k in range(FOLDS):
            out = fold == k
            model = new_model(seed).fit(inputs[~out], outcomes[~out])
            mean[out], spread[out] = model.predict(inputs[out])
        model = models[kind] = new_model(seed).fit(inputs, outcomes)
        square = (outcomes - mean) ** 2
        rmse, variance = float(np.sqrt(square.mean())), float(outcomes.var())
        if isinstance(model, Boosting):  # its standard deviation is the error in the other folds
            spread = np.sqrt([square[fold != k].mean() for k in range(FOLDS)])[fold]
            model.spread = rmse
        r2 = 1.0 - float(square.mean()) / variance if variance > 0.0 else 0.0
        inside = np.abs(outcomes - mean) <= 1.96 * spread
        qualities[kind] = Quality(r2, rmse, float(inside.mean()))
    return qualities, models


def check_points(
    points: np.ndarray,
    factors: Sequence[Factor],
    outcomes: np.ndarray | None = None,
    kinds: Sequence[str] = KINDS,
) -> None:
    """Refuse points outside the unit cube, and outcomes to which nothing can be fitted."""
    problems = Problems()
    if points.ndim != 2 or points.shape[1] != len(factors):
        text = _("points: the shape is {shape}; allowed: any number of points, {number} factors")
        problems.add(text.format(shape=points.shape, number=len(factors)))
    elif not ((points >= 0.0) & (points <= 1.0)).all():
        problems.add(_("points: not all points lie in the unit cube"))
    if outcomes is not None:
        least = max(20, 2 * len(factors))
        if len(points) < least:
            text = _("points: {number} are too few; at least {least} are needed")
            problems.add(text.format(number=len(points), least=least))
        if outcomes.shape != points.shape[:1]:
            text = _("outcomes: the shape is {shape}; allowed: one for each point")
            problems.add(text.format(shape=outcomes.shape))
        elif not np.isfinite(outcomes).all():
            problems.add(_("outcomes: not all are defined"))
        if not kinds:
            problems.add(_("kinds: give at least one"))
    for kind in kinds:
        if kind not in KINDS:
            text = _("'{name}' is not a kind of surrogate{hint}")
            problems.add(text.format(name=kind, hint=suggestion(kind, KINDS)))
    problems.raise_if_any()


def inputs_of(points: np.ndarray, factors: Sequence[Factor]) -> np.ndarray:
    """Return points with a column of 0 and 1 for each word of a choice: words have no order."""
    columns = []
    for u, factor in zip(points.T, factors, strict=True):
        if factor.is_choice:
            words = len(factor.words)
            place = np.minimum((u * words).astype(int), words - 1)
            columns += list(np.eye(words)[place].T)
        else:
            columns.append(u)
    return np.column_stack(columns)


class GaussianProcess:
    """Smooth regression with a length scale for each input, and noise [rasmussen_2006].

    Its standard deviation is larger where points are few. Length scales and noise are estimated
    from some of the points and kept for all.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, inputs: np.ndarray, outcomes: np.ndarray) -> GaussianProcess:
        """Estimate length scales and noise by maximum likelihood, then condition on all points."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        lengths = np.ones(inputs.shape[1])
        kernel = ConstantKernel(1.0, (1e-3, 1e3)) * Matern(lengths, (0.05, 100.0), nu=2.5)
        kernel += WhiteKernel(0.1, (1e-8, 10.0))
        some = np.random.default_rng(self.seed).permutation(len(inputs))[:SOME]
        with warnings.catch_warnings():
            # A length scale at its bound only shows an input without effect.
            warnings.simplefilter("ignore", ConvergenceWarning)
            first = GaussianProcessRegressor(kernel, normalize_y=True)
            first.fit(inputs[some], outcomes[some])
        self.process = GaussianProcessRegressor(first.kernel_, optimizer=None, normalize_y=True)
        self.process.fit(inputs, outcomes)
        return self

    def predict(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predict means and standard deviations [N]."""
        return self.process.predict(inputs, return_std=True)


class Boosting:
    """Many small trees, each fitted to the residuals of the earlier ones [friedman_2001].

    Its standard deviation is the cross-validated error, the same everywhere.
    """

    def __init__(self, seed: int) -> None:
        self.seed, self.spread = seed, np.nan

    def fit(self, inputs: np.ndarray, outcomes: np.ndarray) -> Boosting:
        """Fit the trees."""
        from sklearn.ensemble import GradientBoostingRegressor

        self.trees = GradientBoostingRegressor(
            n_estimators=300, learning_rate=0.05, max_depth=3, subsample=0.7,
            random_state=self.seed,
        )  # fmt: skip
        self.trees.fit(inputs, outcomes)
        return self

    def predict(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predict means, with the one standard deviation."""
        return self.trees.predict(inputs), np.full(len(inputs), self.spread)
