"""Smooth regressions of outcomes on one factor over futures, fitted to many outcomes at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import is_numeric

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


@dataclass(frozen=True, eq=False)
class Smoother:
    """A regression on one factor, ready to be fitted. F futures, K columns.

    For numbers it is a cubic spline with penalised second differences of its coefficients
    [eilers_marx_1996], a straight line where futures show no more; for words, and for numbers with
    at most four different values, the mean of each group.
    """

    columns: np.ndarray
    """[F, K], orthonormal over futures with equal weights."""
    penalty: np.ndarray
    """[K] penalty of a unit of each column."""
    ends: tuple[int, int]
    """Positions of the futures with the lowest and the highest value."""
    has_order: bool

    @classmethod
    def of(cls, column: pd.Series) -> Smoother:
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

    def strengths(self, y: np.ndarray, *, most: float = np.inf) -> np.ndarray:
        """Choose the smoothing strength of each column of y [F, N]: an index of STRENGTHS.

        ``most`` are the degrees of freedom that a curve may have; group means have as many as there
        are groups.
        """
        futures = len(y)
        z2 = (self.columns.T @ y / futures) ** 2
        kept = 1.0 / (1.0 + STRENGTHS[:, None] * self.penalty)
        error = (y**2).mean(axis=0) - (kept * (2.0 - kept)) @ z2
        freedom = kept.sum(axis=1)
        free = np.maximum(1.0 - CAUTION * freedom / futures, TINY)
        score = error / free[:, None] ** 2
        score[freedom > max(most, freedom.min() + TINY)] = np.inf
        return score.argmin(axis=0)

    def freedom(self, strengths: np.ndarray) -> np.ndarray:
        """Return the degrees of freedom of curves of these strengths, the mean among them."""
        return (1.0 / (1.0 + STRENGTHS[strengths] * self.penalty[:, None])).sum(axis=0)

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
