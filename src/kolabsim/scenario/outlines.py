"""Outlines that cross themselves: repaired, in a time that does not depend on how badly they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kolabsim.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_CROSSINGS = 5_000
"""Most places at which one outline crosses itself; outlines of regions do so at a few."""
MOST_TOGETHER = 100_000
"""Most such places of all outlines of a map: a few seconds of repairs."""
MOST_SHAPES = 20_000
"""Most polygons of a region that are united: it takes some seconds, and with 100,000 minutes."""
USUAL = 6
"""Segments that one touches where an outline is drawn twice: both, and the four neighbours."""
NAMED = 5
"""Most regions that the message names."""
TRIED = 256
"""Segments of an outline whose crossings are counted; the others are taken to be like them."""
AT_ONCE = 500_000
"""Pairs of segments that are compared at once: some 50 MB."""
POLYGON = 3
"""The number of this kind of shape; those of collections are larger."""


def repair(
    shapes: Sequence[Any] | np.ndarray, regions: Sequence[int] | np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return shapes whose outlines do not cross, and the numbers of those that are too tangled.

    Shapes that are too tangled, and coordinates that are no numbers, become empty. Rings that cross
    themselves bound the parts on both sides of each crossing. ``regions`` are the numbers of the
    regions whose parts the shapes are: these will be united, so they may not be tangled together
    either.
    """
    import shapely

    found = np.array(shapes, dtype=object)
    region = np.arange(len(found)) if regions is None else np.asarray(regions)
    is_wrong = ~shapely.is_valid(found) & ~shapely.is_missing(found)
    is_number = np.isfinite(shapely.bounds(found)).all(axis=1)
    found[is_wrong & ~is_number] = shapely.Point()
    is_wrong &= is_number
    names, of = np.unique(region, return_inverse=True)
    is_tried = (np.bincount(of) > 1) | (np.bincount(of, is_wrong) > 0)
    order = np.argsort(of, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(of))[:-1])
    crossings = np.zeros(len(names))
    for k in np.flatnonzero(is_tried):
        crossings[k] = count_crossings(found[groups[k]])
    by_number = np.argsort(crossings, kind="stable")
    together = np.empty(len(names))
    together[by_number] = np.cumsum(crossings[by_number])
    is_tangled = ((crossings > MOST_CROSSINGS) | (together > MOST_TOGETHER))[of]
    found[is_tangled] = shapely.Point()
    good = is_wrong & ~is_tangled
    # The other method of GEOS takes a minute for a ring of 300 random points.
    with np.errstate(all="ignore"):
        found[good] = shapely.make_valid(found[good], method="structure", keep_collapsed=False)
    return found, np.flatnonzero(is_tangled)


def polygons_of(shapes: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the polygons of shapes, also in collections, and the number of the shape of each."""
    import shapely

    parts = np.atleast_1d(np.asarray(shapes, dtype=object))
    shape = np.arange(len(parts))
    while (shapely.get_type_id(parts) > POLYGON).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        shape = shape[inner]
    is_polygon = shapely.get_type_id(parts) == POLYGON
    return parts[is_polygon], shape[is_polygon]


def count_crossings(shapes: Any) -> float:
    """Return about how often the outlines of shapes cross each other: the exact number if few.

    Segments that touch many others of their shape are counted like crossings; infinite if there are
    more than :data:`MOST_SHAPES` polygons.
    """
    import shapely

    polygons, shape = polygons_of(shapes)
    if len(polygons) > MOST_SHAPES:
        return np.inf
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inside = (ring[1:] == ring[:-1]) & (points[1:] != points[:-1]).any(axis=1)
    segments = Segments(points[:-1][inside], points[1:][inside], shape[polygon][ring[:-1][inside]])
    number = len(segments.shape)
    if not number:
        return 0.0
    tried = np.linspace(0, number - 1, min(TRIED, number)).astype(int)
    rows = max(1, AT_ONCE // number)
    hits = sum(
        _crossed(segments, tried[first : first + rows]) for first in range(0, len(tried), rows)
    )
    return hits / 2.0 * number / len(tried)


class Segments(NamedTuple):
    """The segments of outlines, each with the number of its shape."""

    start: np.ndarray
    end: np.ndarray
    shape: np.ndarray


def _crossed(segments: Segments, tried: np.ndarray) -> int:
    """Return how often some segments cross others: the ends lie on different sides."""
    start, end, shape = segments
    low, high = np.minimum(start, end), np.maximum(start, end)
    is_near = np.ones((len(tried), len(start)), bool)
    for axis in range(2):
        is_near &= low[tried, axis, None] <= high[:, axis]
        is_near &= low[:, axis] <= high[tried, axis, None]
    one, other = np.nonzero(is_near)
    a, b, c, d = start[tried][one], end[tried][one], start[other], end[other]

    def side(start: np.ndarray, end: np.ndarray, point: np.ndarray) -> np.ndarray:
        along, to = end - start, point - start
        return along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0]

    across, back = side(a, b, c) * side(a, b, d), side(c, d, a) * side(c, d, b)
    is_crossed = (across < 0.0) & (back < 0.0)
    is_met = (across <= 0.0) & (back <= 0.0) & ~is_crossed & (shape[tried][one] == shape[other])
    met = np.bincount(one[is_met], minlength=len(tried))
    return int(is_crossed.sum() + np.maximum(met - USUAL, 0).sum())


def too_tangled(regions: Sequence[str]) -> str:
    """Return the message on outlines that are too tangled to be repaired."""
    text = _(
        "the outlines of some regions ({regions}) cross at too many places, or consist of too many "
        "shapes; correct the map in a program for maps, as with 'Fix geometries' and 'Dissolve' "
        "of QGIS"
    )
    return text.format(regions=name_some(regions))


def name_some(regions: Sequence[str]) -> str:
    """Return the codes of some regions, those of a few if there are many."""
    return ", ".join(regions[:NAMED]) + (" ..." if len(regions) > NAMED else "")
