"""Regions as points on the earth: distances, nearest regions, and likely land borders."""

from __future__ import annotations

import numpy as np

from kolabsim.model.parameters import EARTH
from kolabsim.scenario.regions import Regions


def on_sphere(regions: Regions) -> np.ndarray:
    """Return the points of R regions on the unit sphere, [R, 3].

    Regions without coordinates all get the same point.
    """
    north, east = np.radians(regions.latitude), np.radians(regions.longitude)
    places = np.column_stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)]
    )
    return np.where(np.isfinite(places), places, np.array([1.0, 0.0, 0.0]))


def great_circle(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the distance in km along the earth's surface between points on the unit sphere."""
    chord = np.sqrt(((one - other) ** 2).sum(axis=-1))
    return 2.0 * EARTH * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0))


def nearest_pairs(places: np.ndarray, nearest: int) -> np.ndarray:
    """Return the pairs (i, j) in which j is among the nearest regions of i, [pairs, 2]."""
    number = min(nearest, len(places) - 1)
    if number < 1:
        return np.empty((0, 2), np.int64)
    if number == len(places) - 1:  # few regions need no search, and no half second for its import
        return np.argwhere(~np.eye(len(places), dtype=bool))
    from scipy.spatial import cKDTree

    # Query one more, because each region is its own nearest. Where points coincide, the region
    # itself may be missing from the result, and one too many is dropped.
    found = cKDTree(places).query(places, number + 1)[1].reshape(len(places), number + 1)
    own = np.arange(len(places))
    by_rank = [
        (own[rows], found[rows, k]) for k in range(number + 1) if (rows := found[:, k] != own).any()
    ]
    pairs = np.column_stack([np.concatenate(part) for part in zip(*by_rank, strict=True)])
    order = np.argsort(pairs[:, 0], kind="stable")
    pairs = pairs[order]
    starts = np.searchsorted(pairs[:, 0], own)
    rank = np.arange(len(pairs)) - starts[pairs[:, 0]]
    return pairs[rank < number]


def border_pairs(places: np.ndarray) -> np.ndarray:
    """Return the pairs (i, j), i < j, between which no other region lies, [pairs, 2].

    The circle with the two points as its diameter contains no other point (a Gabriel graph). It
    approximates land borders where only coordinates are known. Its edges are edges of a Delaunay
    triangulation, computed in the plane that touches the earth amid the regions.
    """
    from scipy.spatial import Delaunay, QhullError, cKDTree

    middle = places.mean(axis=0)
    axes = np.linalg.svd(places - middle, full_matrices=False)[2][:2]
    flat = (places - middle) @ axes.T
    if len(flat) < 4:
        pairs = np.array([(i, j) for j in range(len(flat)) for i in range(j)], np.int64)
    else:
        try:
            corners = Delaunay(flat).simplices
            pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
        except QhullError:  # all on one line
            order = np.lexsort((flat[:, 1], flat[:, 0]))
            pairs = np.column_stack([order[:-1], order[1:]])
    pairs = np.unique(np.sort(pairs.reshape(-1, 2), axis=1), axis=0)
    ends = flat[pairs]
    half = np.sqrt(((ends[:, 0] - ends[:, 1]) ** 2).sum(axis=1)) / 2.0
    closest = cKDTree(flat).query(ends.mean(axis=1))[0]
    return pairs[closest >= half * (1.0 - 1e-9)]
