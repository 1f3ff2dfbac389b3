"""Outlines that cross themselves: repaired, in a time that does not depend on how badly they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_CROSSINGS = 5_000
"""Most places at which one outline crosses itself; outlines of regions do so at a few."""
MOST_TOGETHER = 100_000
"""Most such places of all outlines of a map: a few seconds of repairs."""
NAMED = 5
"""Most regions that the message names."""
TRIED = 256
"""Segments of an outline whose crossings are counted; the others are taken to be like them."""
AT_ONCE = 500_000
"""Pairs of segments that are compared at once: some 50 MB."""


def repair(shapes: Sequence[Any] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return shapes whose outlines do not cross, and the numbers of those that are too tangled.

    Shapes that are too tangled, and coordinates that are no numbers, become empty. Rings that cross
    themselves bound the parts on both sides of each crossing.
    """
    import shapely

    found = np.array(shapes, dtype=object)
    is_wrong = np.flatnonzero(~shapely.is_valid(found) & ~shapely.is_missing(found))
    is_finite = np.array([np.isfinite(shapely.bounds(found[k])).all() for k in is_wrong], bool)
    found[is_wrong[~is_finite]] = shapely.Point()
    is_wrong = is_wrong[is_finite]
    crossings = np.array([count_crossings(found[k]) for k in is_wrong])
    order = np.argsort(crossings, kind="stable")
    together = np.empty(len(order))
    together[order] = np.cumsum(crossings[order])
    is_tangled = (crossings > MOST_CROSSINGS) | (together > MOST_TOGETHER)
    found[is_wrong[is_tangled]] = shapely.Point()
    good = is_wrong[~is_tangled]
    # The other method of GEOS takes a minute for a ring of 300 random points.
    with np.errstate(all="ignore"):
        found[good] = shapely.make_valid(found[good], method="structure", keep_collapsed=False)
    return found, is_wrong[is_tangled]


def count_crossings(shape: Any) -> float:
    """Return about how often the outlines of a shape cross each other: the exact number if few."""
    import shapely

    points, ring = shapely.get_coordinates(
        shapely.get_rings(shapely.get_parts(shape)), return_index=True
    )
    inside = ring[1:] == ring[:-1]
    starts, ends = points[:-1][inside], points[1:][inside]
    number = len(starts)
    if not number:
        return 0.0
    tried = np.linspace(0, number - 1, min(TRIED, number)).astype(int)
    rows = max(1, AT_ONCE // number)
    hits = sum(
        _crossed(starts[some], ends[some], starts, ends)
        for some in (tried[first : first + rows] for first in range(0, len(tried), rows))
    )
    return hits / 2.0 * number / len(tried)


def _crossed(
    starts: np.ndarray, ends: np.ndarray, others: np.ndarray, other_ends: np.ndarray
) -> int:
    """Return the number of times that segments cross others: the ends lie on different sides."""

    def side(start: np.ndarray, end: np.ndarray, point: np.ndarray) -> np.ndarray:
        along, to = end - start, point - start
        return along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]

    a, b, c, d = starts[:, None], ends[:, None], others[None], other_ends[None]
    return int(
        ((side(a, b, c) * side(a, b, d) < 0.0) & (side(c, d, a) * side(c, d, b) < 0.0)).sum()
    )


def too_tangled(regions: Sequence[str]) -> str:
    """Return the message on outlines that are too tangled to be repaired."""
    text = _(
        "the outlines of some regions ({regions}) cross themselves at too many places; correct the "
        "map in a program for maps, as with 'Fix geometries' of QGIS"
    )
    more = " ..." if len(regions) > NAMED else ""
    return text.format(regions=", ".join(regions[:NAMED]) + more)
