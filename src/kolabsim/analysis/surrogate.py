"""A surrogate where runs are dear: what a few simulated points say of all others, and how surely.

A Gaussian process or gradient boosting, whichever foretells left-out points better. It carries the
error of these foretellings wherever it goes, and refuses to foretell where that is too large.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from kolabsim.analysis.statistics import one_thread
from kolabsim.errors import KolabsimError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.study.factors import Factor

GAUSSIAN, BOOSTING = "gaussian process", "gradient boosting"
KINDS = (GAUSSIAN, BOOSTING)
MOST_FOR_GAUSSIAN = 1000
"""Points above which a Gaussian process is not tried: its work grows with their cube."""
LEAST = 0.5
"""Cross-validated R² below which a surrogate foretells nothing."""
FOLDS = 5
"""Parts of the points, each left out once."""
SOME = 150
"""Points on which a Gaussian process looks for its lengths: on more, it takes minutes."""


class Model(Protocol):
    """What foretells: fitted on [N, inputs], gives means and standard deviations [N]."""

    def fit(self, inputs: np.ndarray, outcomes: np.ndarray) -> Model:
        """Fit to outcomes."""

    def foretell(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Foretell means and standard deviations."""


class Quality(NamedTuple):
    """How well points are foretold that a surrogate was not fitted to."""

    r2: float
    """1 minus the mean squared error over the variance; 0 is no better than the mean."""
    rmse: float
    """Root of the mean squared error, in the unit of the outcome."""
    coverage: float
    """Share of these points that lie in their 95 % interval: mean ± 1.96 spreads."""

    def __str__(self) -> str:
        return f"R² {self.r2:.2f}, RMSE {self.rmse:.3g}, coverage {self.coverage:.0%}"


@dataclass(frozen=True)
class Surrogate:
    """What stands in for the model, for one outcome."""

    kind: str
    """Gaussian process or gradient boosting."""
    qualities: Mapping[str, Quality]
    """Cross-validated, of each kind that was tried."""
    points: int
    """Points that it was fitted to."""
    least: float
    """R² below which it foretells nothing."""
    factors: tuple[Factor, ...] = field(repr=False)
    model: Model = field(repr=False)

    @property
    def quality(self) -> Quality:
        """How well it foretells, by cross-validation."""
        return self.qualities[self.kind]

    def predict(self, points: np.ndarray, *, anyway: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Foretell the outcome at points of the unit cube [N, factors].

        Returns means and standard deviations [N], of outcomes as they were given: their own noise
        counts. ``anyway``: even where it was found to know too little.

        Raises
        ------
        KolabsimError
            If its cross-validated R² is below the least.
        InputError
            If the points are not of the cube.
        """
        if self.quality.r2 < self.least and not anyway:
            text = _(
                "the surrogate is too inaccurate to predict: its cross-validated R² is {r2}, and "
                "at least {least} is needed; simulate more points, or more runs of each"
            )
            raise KolabsimError(text.format(r2=f"{self.quality.r2:.2f}", least=self.least))
        points = np.asarray(points, np.float64)
        check_points(points, self.factors)
        with one_thread():
            return self.model.foretell(inputs_of(points, self.factors))


def fit_surrogate(
    points: np.ndarray,
    outcomes: np.ndarray,
    factors: Sequence[Factor],
    *,
    kinds: Sequence[str] = KINDS,
    least: float = LEAST,
    seed: int = 1,
) -> Surrogate:
    """Fit a surrogate to simulated points, of the kind with the smallest cross-validated error.

    Parameters
    ----------
    points
        [N, factors] of the unit cube, at least 20 and at least 2 for each factor.
    outcomes
        [N] means over runs of one outcome.
    factors
        The columns of the points; choices among words have no order.
    kinds
        What is tried.
    least
        Cross-validated R² below which the surrogate foretells nothing.
    seed
        Seed of the folds and of boosting; all else is determined.

    Raises
    ------
    InputError
        With all problems at once: too few points, shapes that do not fit, undefined outcomes,
        unknown kinds.
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
) -> tuple[dict[str, Quality], dict[str, Model]]:
    """A model of each kind, and how well it foretells points that are left out."""
    fold = np.random.default_rng(seed).permutation(np.arange(len(inputs)) % FOLDS)
    qualities: dict[str, Quality] = {}
    models: dict[str, Model] = {}
    for kind in kinds:
        mean, spread = np.empty_like(outcomes), np.empty_like(outcomes)
        for k in range(FOLDS):
            out = fold == k
            model = new_model(kind, seed).fit(inputs[~out], outcomes[~out])
            mean[out], spread[out] = model.foretell(inputs[out])
        if kind == GAUSSIAN:
            models[kind] = new_model(kind, seed).fit(inputs, outcomes)
        else:  # which has no spread but its error, and that in the other folds
            square = (outcomes - mean) ** 2
            spread = np.sqrt([square[fold != k].mean() for k in range(FOLDS)])[fold]
            models[kind] = Boosting(seed, float(np.sqrt(square.mean()))).fit(inputs, outcomes)
        qualities[kind] = quality_of(outcomes, mean, spread)
    return qualities, models


def check_points(
    points: np.ndarray,
    factors: Sequence[Factor],
    outcomes: np.ndarray | None = None,
    kinds: Sequence[str] = KINDS,
) -> None:
    """Refuse points that are not of the unit cube, and outcomes that nothing can be fitted to."""
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
    """Points with a column of 0 and 1 for each word of a choice, as no word is nearer another."""
    columns = []
    for u, factor in zip(points.T, factors, strict=True):
        if factor.is_choice:
            words = len(factor.words)
            place = np.minimum((u * words).astype(int), words - 1)
            columns += list(np.eye(words)[place].T)
        else:
            columns.append(u)
    return np.column_stack(columns)


def quality_of(outcomes: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> Quality:
    """How well outcomes were foretold; R² is 0 where nothing varies."""
    error = outcomes - mean
    variance = float(outcomes.var())
    r2 = 1.0 - float((error**2).mean()) / variance if variance > 0.0 else 0.0
    inside = np.abs(error) <= 1.96 * spread
    return Quality(r2, float(np.sqrt((error**2).mean())), float(inside.mean()))


# Models -----------------------------------------------------------------------------------------


def new_model(kind: str, seed: int) -> Model:
    """A model of a kind, not fitted to anything yet."""
    return GaussianProcess(seed) if kind == GAUSSIAN else Boosting(seed)


class GaussianProcess:
    """Smooth, with a length for each input, and noise; knows where it knows less [rasmussen_2006].

    Lengths and noise are found on some of the points, and kept for all.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, inputs: np.ndarray, outcomes: np.ndarray) -> GaussianProcess:
        """Find lengths and noise by their likelihood, then learn all points."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        lengths = np.ones(inputs.shape[1])
        kernel = ConstantKernel(1.0, (1e-3, 1e3)) * Matern(lengths, (0.05, 100.0), nu=2.5)
        kernel += WhiteKernel(0.1, (1e-8, 10.0))
        some = np.random.default_rng(self.seed).permutation(len(inputs))[:SOME]
        with warnings.catch_warnings():
            # A length at its bound says that an input does nothing: no cause for alarm.
            warnings.simplefilter("ignore", ConvergenceWarning)
            first = GaussianProcessRegressor(kernel, normalize_y=True)
            first.fit(inputs[some], outcomes[some])
        self.process = GaussianProcessRegressor(first.kernel_, optimizer=None, normalize_y=True)
        self.process.fit(inputs, outcomes)
        return self

    def foretell(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Foretell means and standard deviations."""
        return self.process.predict(inputs, return_std=True)


class Boosting:
    """Many small trees, each fitted to what the earlier ones leave [friedman_2001].

    Its spread is not its own, and the same everywhere: the cross-validated error.
    """

    def __init__(self, seed: int, spread: float = np.nan) -> None:
        self.seed, self.spread = seed, spread

    def fit(self, inputs: np.ndarray, outcomes: np.ndarray) -> Boosting:
        """Fit the trees."""
        from sklearn.ensemble import GradientBoostingRegressor

        self.trees = GradientBoostingRegressor(
            n_estimators=300, learning_rate=0.05, max_depth=3, subsample=0.7,
            random_state=self.seed,
        )  # fmt: skip
        self.trees.fit(inputs, outcomes)
        return self

    def foretell(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Foretell means, with the one spread."""
        return self.trees.predict(inputs), np.full(len(inputs), self.spread)
