"""Which combinations of outcomes a model can reach: pattern space exploration [cherel_2015].

The space of outcomes is divided into cells. New points are changes of earlier ones whose cells hold
few points, so that the search goes where outcomes are rare, whether they are good or bad.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kolabsim.study.factors import Factor
from kolabsim.study.sweep import first_points, settings_at

GENERATIONS = 20
"""Number of generations into which the points after the first ones are divided."""
STEPS = (0.02, 0.1, 0.3)
"""Standard deviations of changes, as shares of a factor's range: near, middling and far ones."""
MIXED = 0.25
"""Share of new points that mix two earlier ones."""

Evaluate = Callable[[pd.DataFrame], np.ndarray]
"""Takes a table of settings [points, factors], and returns outcomes [points, outcomes]."""


@dataclass(frozen=True, eq=False)
class Patterns:
    """The combinations of outcomes that were reached. N points, K outcomes, C cells."""

    outcomes: tuple[str, ...]
    values: np.ndarray = field(repr=False)
    """[N, K] outcomes of each point."""
    baseline: np.ndarray = field(repr=False)
    """[K] outcomes of the scenario as it is."""
    origin: np.ndarray = field(repr=False)
    width: np.ndarray = field(repr=False)
    """[K] lower edge of cell 0, and the width of cells."""
    cells: np.ndarray = field(repr=False)
    """[C, K] numbers of the reached cells along each outcome, in the order in which they were
    reached."""
    position: np.ndarray = field(repr=False)
    """[C] the first point that reached each cell, from 0."""
    hits: np.ndarray = field(repr=False)
    """[C] number of points in each cell."""
    first: int
    """Number of points that were spread evenly at first."""

    @property
    def reached(self) -> int:
        """Number of cells that were reached."""
        return len(self.cells)

    @property
    def reached_first(self) -> int:
        """Number of cells that the first points reached."""
        return int((self.position < self.first).sum())

    def edges(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper edges [C] of the reached cells along an outcome."""
        low = self.origin[k] + self.cells[:, k] * self.width[k]
        return low, low + self.width[k]

    def table(self) -> pd.DataFrame:
        """A row for each reached cell and outcome (:ref:`columns <patterns-table>`)."""
        parts = []
        for k, outcome in enumerate(self.outcomes):
            low, high = self.edges(k)
            parts.append(pd.DataFrame({
                "cell": np.arange(1, self.reached + 1), "outcome": outcome, "low": low,
                "high": high, "value": self.values[self.position, k],
                "position": self.position + 1, "hits": self.hits,
            }))  # fmt: skip
        return pd.concat(parts).sort_values("cell", kind="stable", ignore_index=True)


def explore(
    evaluate: Evaluate,
    factors: Sequence[Factor],
    *,
    outcomes: Sequence[str],
    samples: int,
    cells: int = 10,
    seed: int = 1,
) -> tuple[pd.DataFrame, Patterns]:
    """Search for points with rare combinations of outcomes; return all points and the cells.

    The first fifth of ``samples`` is spread evenly (Halton); a cell is one part in ``cells`` of the
    range of their outcomes wide. Cells go on beyond this range. The same request returns the same
    points, and points without a defined outcome reach no cell.
    """
    rng = np.random.default_rng([seed, 1])
    places = first_points(len(factors), samples, seed)
    first, points = len(places), settings_at(factors, places)
    values = evaluate(points)
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    width = np.where(high > low, high - low, 1.0) / cells
    size = max(1, -(-(samples - first) // GENERATIONS))
    while len(places) < samples:
        fresh = propose(places, cells_of(values, low, width), min(size, samples - len(places)), rng)
        places = np.vstack([places, fresh])
        points = settings_at(factors, places)
        values = evaluate(points)
    found = cells_of(values, low, width)
    kept = np.flatnonzero(np.isfinite(values).all(axis=1))
    _cells, place, hits = np.unique(found[kept], axis=0, return_index=True, return_counts=True)
    order = np.argsort(place, kind="stable")
    position = kept[place[order]]
    baseline = evaluate(pd.DataFrame(index=[0]))[0]
    return points, Patterns(
        tuple(outcomes), values, baseline, low, width, found[position], position, hits[order],
        first,
    )  # fmt: skip


def cells_of(values: np.ndarray, origin: np.ndarray, width: np.ndarray) -> np.ndarray:
    """The cell of each point [N, K]; undefined outcomes count as cell 0."""
    # The largest of the first outcomes belongs to the last cell of their range.
    places = (values - origin) / width
    return np.floor(np.nan_to_num(places - 1e-9 * (places > 0.5))).astype(np.int64)


def propose(
    places: np.ndarray, cells: np.ndarray, number: int, rng: np.random.Generator
) -> np.ndarray:
    """New places in the unit cube: changes of earlier ones in cells that hold few points.

    >>> rng = np.random.default_rng(1)
    >>> places = np.array([[0.1, 0.1], [0.1, 0.1], [0.9, 0.9]])
    >>> fresh = propose(places, np.array([[0], [0], [5]]), 200, rng)
    >>> bool((fresh > 0.5).mean() > 0.55)  # the cell with one point is chosen twice as often
    True
    """
    _cells, cell, hits = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    cell = np.ravel(cell)
    odds = 1.0 / hits[cell] ** 2  # a cell inversely to its points, of which each counts alike
    parents = rng.choice(len(places), (number, 2), p=odds / odds.sum())
    fresh = places[parents[:, 0]]
    swaps = (rng.random((number, 1)) < MIXED) & (rng.random(fresh.shape) < 0.5)
    fresh = np.where(swaps, places[parents[:, 1]], fresh)
    moves = rng.random(fresh.shape) < max(0.5, 1.0 / fresh.shape[1])
    moves[np.arange(number), rng.integers(fresh.shape[1], size=number)] = True
    steps = rng.choice(STEPS, (number, 1)) * rng.standard_normal(fresh.shape)
    fresh = np.abs(fresh + moves * steps)  # reflected at both ends
    return np.clip(np.where(fresh > 1.0, 2.0 - fresh, fresh), 0.0, 1.0 - 1e-9)
