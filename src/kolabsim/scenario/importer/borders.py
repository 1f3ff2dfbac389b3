"""What shapes tell about regions: places, areas, and land neighbours with the length of borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.model.parameters import EARTH
from kolabsim.scenario.importer.sheets import Geometry

if TYPE_CHECKING:
    import pandas as pd

NEAR = 1e-4
"""Degrees, some 11 m, within which two outlines are the same border."""
SHORTEST = 10.0 * NEAR
"""Degrees of border below which two regions only touch in a corner."""


class Outlines(NamedTuple):
    """What follows from the shapes of regions."""

    latitude: np.ndarray
    longitude: np.ndarray
    area_km2: np.ndarray
    """NaN for points."""
    shapes: dict[str, Geometry]
    """Surfaces by code, those of one code united."""
    neighbours: pd.DataFrame
    """Pairs with a common border: ``code_a``, ``code_b`` and ``border_km``."""


def read_outlines(codes: Sequence[str], surfaces: np.ndarray) -> Outlines:
    """Return places, areas and borders of regions, each with a valid shape in degrees."""
    import pandas as pd
    import shapely
    from shapely.geometry import mapping

    surfaces = np.where(shapely.is_missing(surfaces), shapely.Point(), surfaces)
    is_area = shapely.area(surfaces) > 0.0
    middle = shapely.centroid(surfaces)
    outside = is_area & ~shapely.covers(surfaces, middle)
    middle[outside] = shapely.point_on_surface(surfaces[outside])
    known = ~shapely.is_empty(middle)
    places = np.full((len(surfaces), 2), np.nan)
    places[known] = shapely.get_coordinates(middle[known])
    pairs = common_borders(surfaces)
    named = zip(codes, surfaces, is_area, strict=True)
    return Outlines(
        places[:, 1],
        places[:, 0],
        np.where(is_area, square_km(surfaces), np.nan),
        {code: mapping(one) for code, one, good in named if good},
        pd.DataFrame(
            [(codes[i], codes[j], round(km, 3)) for (i, j), km in sorted(pairs.items())],
            columns=["code_a", "code_b", "border_km"],
        ),
    )


def rings_of(surfaces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all rings of the polygons among surfaces, and the surface of each."""
    import shapely

    polygons, owner = shapely.get_parts(surfaces, return_index=True)
    polygons, inner = shapely.get_parts(polygons, return_index=True)  # those of collections
    is_polygon = shapely.get_type_id(polygons) == 3
    rings, part = shapely.get_rings(polygons[is_polygon], return_index=True)
    return rings, owner[inner][is_polygon][part]


def square_km(surfaces: np.ndarray) -> np.ndarray:
    """Return areas on the sphere, which is as wide as its cylinder at every latitude."""
    import shapely

    polygons = shapely.orient_polygons(surfaces)  # outer rings anticlockwise, holes clockwise
    rings, owner = rings_of(polygons)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    x, y = np.radians(points[:, 0]), np.sin(np.radians(points[:, 1]))
    strips = -np.diff(x) * (y[1:] + y[:-1]) / 2.0
    inside = ring[1:] == ring[:-1]
    sums = np.bincount(owner[ring[:-1][inside]], strips[inside], minlength=len(surfaces))
    return np.asarray(EARTH**2 * sums)


def common_borders(surfaces: np.ndarray) -> dict[tuple[int, int], float]:
    """Return the pairs of surfaces with a common border, and its length in km.

    Most maps draw a common border twice with the same points, so equal segments are found first.
    The others are compared within :data:`NEAR`.
    """
    import shapely

    found: dict[tuple[int, int], float] = {}
    starts, ends, owners = _segments(surfaces)
    if not len(owners):
        return found
    keys = np.round(np.column_stack([starts, ends]) / 1e-7).astype(np.int64)
    order = np.lexsort(keys.T)
    same = (keys[order][1:] == keys[order][:-1]).all(axis=1)
    one, other = owners[order][:-1][same], owners[order][1:][same]
    lengths = _km(starts[order][:-1][same], ends[order][:-1][same])
    for i, j, km in zip(one.tolist(), other.tolist(), lengths.tolist(), strict=True):
        if i != j:
            pair = (min(i, j), max(i, j))
            found[pair] = found.get(pair, 0.0) + km
    tree = shapely.STRtree(surfaces)
    near = tree.query(surfaces, predicate="dwithin", distance=NEAR).T
    near = near[near[:, 0] < near[:, 1]]
    unknown = np.array([tuple(pair) not in found for pair in near.tolist()], dtype=bool)
    pairs = near[unknown] if len(near) else near
    boxes = shapely.bounds(surfaces)
    low = np.maximum(boxes[pairs[:, 0], :2], boxes[pairs[:, 1], :2])
    high = np.minimum(boxes[pairs[:, 0], 2:], boxes[pairs[:, 1], 2:])
    pairs = pairs[(high - low).max(axis=1, initial=0.0) > SHORTEST]  # others touch in a corner
    lines = shapely.boundary(surfaces)
    common = shapely.intersection(
        lines[pairs[:, 0]], shapely.buffer(lines[pairs[:, 1]], NEAR, quad_segs=2)
    )
    for pair, line in zip(pairs.tolist(), common, strict=True):
        if shapely.length(line) > SHORTEST:
            found[(pair[0], pair[1])] = _line_km(line)
    return found


def _segments(surfaces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the segments of all outlines, each from its lesser to its greater end, with owners."""
    import shapely

    rings, owner = rings_of(surfaces)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    starts, ends = points[:-1][inside], points[1:][inside]
    owners = owner[ring[:-1][inside]]
    swap = (starts[:, 0] > ends[:, 0]) | (
        (starts[:, 0] == ends[:, 0]) & (starts[:, 1] > ends[:, 1])
    )
    return np.where(swap[:, None], ends, starts), np.where(swap[:, None], starts, ends), owners


def _line_km(line: object) -> float:
    """Return the length of lines on the earth."""
    import shapely

    parts = [shapely.get_coordinates(part) for part in shapely.get_parts(line)]
    return float(sum(_km(points[:-1], points[1:]).sum() for points in parts))


def _km(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the distances between points that are near each other."""
    middle = np.radians((starts[:, 1] + ends[:, 1]) / 2.0)
    east = np.radians(ends[:, 0] - starts[:, 0]) * np.cos(middle)
    north = np.radians(ends[:, 1] - starts[:, 1])
    return np.asarray(EARTH * np.hypot(east, north))
