"""The shapes of regions on a map, from a GeoJSON file or a shapefile: for pictures, and no more.

What is simulated never depends on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.errors import Problems, require, suggestion
from kolabsim.i18n import _, ngettext
from kolabsim.scenario.source import read_bytes, read_text

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from kolabsim.scenario.regions import Regions

LARGEST_SHAPES = 100_000_000
"""Most bytes of a file of shapes."""
FINEST = 0.001
"""Bends smaller than this part of the map's extent are straightened."""
NAMED = 5
"""Most codes that a message lists."""


class Shape(NamedTuple):
    """Where a region lies, in degrees east and north."""

    rings: tuple[np.ndarray, ...]
    """Closed rings [N, 2]: outer ones run anticlockwise, those of holes clockwise."""
    middle: tuple[float, float]
    """A point well inside its largest part."""


def read_shapes(path: Path, code: str, regions: Regions, problems: Problems) -> dict[str, Shape]:
    """The shapes of regions by their codes, which stand in the property ``code`` of each feature.

    Features that are no region are left out; regions may be without a shape. All shapes are
    simplified together, so that borders which two of them share stay shared. Raises
    :class:`~kolabsim.errors.InputError` where an extra is missing; all else is noted.
    """
    require("shapely", extra="maps", what=_("a map with the shapes of regions"))
    before = len(problems.found)
    reader = _shapefile if path.suffix.lower() == ".shp" else _geojson
    parts: dict[str, list[Geometry]] = {}
    properties: set[str] = set()
    for values, geometry in reader(path, problems):
        properties |= set(values)
        if values.get(code) is not None and geometry:
            parts.setdefault(_as_code(values[code]), []).append(geometry)
    if len(problems.found) > before:
        return {}
    if code not in properties:
        message = _("no feature has the property '{code}'{suggestion}")
        hint = suggestion(code, sorted(properties))
        problems.add(message.format(code=code, suggestion=hint), file=path)
        return {}
    wanted = {name: parts[name] for name in regions.codes if name in parts}
    if not wanted:
        message = _(
            "no feature is one of the regions: '{code}' is {found}, and the codes of regions are "
            "{codes}"
        )
        found, codes = _some(sorted(parts)), _some(regions.codes)
        problems.add(message.format(code=code, found=found, codes=codes), file=path)
        return {}
    shapes = _simplified(wanted, path, problems)
    _check_places(shapes, regions, path, problems)
    return shapes


def without_shape(regions: Regions) -> str:
    """Which regions have no shape though others have one, in a sentence; '' if there are none."""
    missing = [code for code in regions.codes if code not in regions.shapes]
    if not missing or not regions.shapes:
        return ""
    text = ngettext(
        "{number} region has no shape and is a circle: {codes}.",
        "{number} regions have no shape and are circles: {codes}.",
        len(missing),
    )
    return text.format(number=len(missing), codes=_some(missing))


def _some(names: Sequence[str]) -> str:
    """The first few of some names."""
    return ", ".join(names[:NAMED]) + (" ..." if len(names) > NAMED else "")


def _as_code(value: object) -> str:
    """A property as a code: 3401.0, as shapefiles hold whole numbers, is 3401."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return text.strip()


# Files ------------------------------------------------------------------------------------------

Geometry = Mapping[str, object]
"""A geometry as GeoJSON has it."""
Feature = tuple[Mapping[str, object], Geometry | None]
"""The properties of a feature, and its geometry."""


def _geojson(path: Path, problems: Problems) -> Iterator[Feature]:
    text = read_text(path, LARGEST_SHAPES, problems)
    if text is None:
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = _("this is not GeoJSON ({reason})").format(reason=error)
        problems.add(message, file=path, line=getattr(error, "lineno", None))
        return
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        message = _("this is not GeoJSON with features; it needs a FeatureCollection")
        if isinstance(found, dict) and found.get("type") == "Topology":
            message = _("this is TopoJSON; save it as GeoJSON")
        problems.add(message, file=path)
        return
    for one in features:
        values = one.get("properties")
        values = dict(values) if isinstance(values, dict) else {}
        yield ({"id": one["id"]} if "id" in one else {}) | values, one.get("geometry")


def _shapefile(path: Path, problems: Problems) -> Iterator[Feature]:
    require("shapefile", extra="maps", what=_("a shapefile"))
    import shapefile

    if read_bytes(path, LARGEST_SHAPES, problems) is None:
        return
    try:
        with shapefile.Reader(path) as reader:
            found = [(one.record.as_dict(), one.shape.__geo_interface__) for one in reader]
    except (OSError, ValueError, KeyError, IndexError, shapefile.ShapefileException) as error:
        message = _("this shapefile cannot be read, which needs a .dbf and a .shx beside it")
        problems.add(f"{message} ({error})", file=path)
        return
    yield from found


# Geometry ---------------------------------------------------------------------------------------


def _simplified(
    parts: Mapping[str, Sequence[Geometry]], path: Path, problems: Problems
) -> dict[str, Shape]:
    """All shapes, with no more bends than can be seen."""
    import shapely
    from shapely.geometry import shape

    whole: dict[str, BaseGeometry] = {}
    for code, geometries in parts.items():
        try:
            found = [shapely.make_valid(shape(geometry)) for geometry in geometries]
        except (shapely.errors.ShapelyError, TypeError, ValueError, KeyError, AttributeError,
                IndexError):  # fmt: skip
            problems.add(_("{code}: this is no geometry of GeoJSON").format(code=code), file=path)
            continue
        whole[code] = _surface(shapely.union_all(found))
        if whole[code].is_empty:
            message = _("{code}: the shape of a region is a Polygon or a MultiPolygon, not {kind}")
            kind = str(geometries[0].get("type"))
            problems.add(message.format(code=code, kind=kind), file=path)
    solid = {code: one for code, one in whole.items() if not one.is_empty}
    if not solid:
        return {}
    west, south, east, north = shapely.total_bounds([*solid.values()])
    if west < -180.0 or east > 180.0 or south < -90.0 or north > 90.0:
        message = _(
            "coordinates from {low} to {high} are not degrees; save the file again in the "
            "coordinate system WGS 84 (EPSG:4326)"
        )
        if max(-west, east) <= 90.0 and max(-south, north) <= 180.0:
            message = _("latitude comes before longitude here; it must be the other way round")
        low, high = min(west, south), max(east, north)
        problems.add(message.format(low=f"{low:g}", high=f"{high:g}"), file=path)
        return {}
    finest = FINEST * max(east - west, north - south)
    simple = shapely.coverage_simplify([*solid.values()], finest)
    simple = [
        new if not new.is_empty else old
        for new, old in zip(map(_surface, simple), solid.values(), strict=True)
    ]
    return {code: _shape(one) for code, one in zip(solid, simple, strict=True)}


def _check_places(
    shapes: Mapping[str, Shape], regions: Regions, path: Path, problems: Problems
) -> None:
    """See that shapes lie where their regions do, where the table gives places."""
    if not shapes or not regions.placed:
        return
    middles = np.array([one.middle for one in shapes.values()])
    rows = [regions.codes.index(code) for code in shapes]
    apart = np.abs(middles - np.c_[regions.longitude, regions.latitude][rows]).max(axis=1)
    if np.median(apart) > 1.0 + np.ptp(middles, axis=0).max():
        code = next(iter(shapes))
        (east, north), row = shapes[code].middle, rows[0]
        message = _(
            "shapes lie elsewhere than their regions: that of {code} at longitude {east} and "
            "latitude {north}, where the table has {longitude} and {latitude}"
        )
        message = message.format(
            code=code, east=f"{east:.1f}", north=f"{north:.1f}",
            longitude=f"{regions.longitude[row]:g}", latitude=f"{regions.latitude[row]:g}",
        )  # fmt: skip
        problems.add(message, file=path)


def _surface(geometry: BaseGeometry) -> BaseGeometry:
    """What of a geometry has an area."""
    import shapely

    parts = shapely.get_parts(shapely.get_parts(geometry))  # of collections, their members' parts
    return shapely.union_all([part for part in parts if part.geom_type == "Polygon"])


def _shape(geometry: BaseGeometry) -> Shape:
    import shapely

    parts = sorted(shapely.get_parts(geometry), key=lambda part: -part.area)
    rings = []
    for part in (shapely.orient_polygons(part) for part in parts):
        rings += [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
    inside = shapely.maximum_inscribed_circle(parts[0]).coords[0]
    return Shape(tuple(rings), (float(inside[0]), float(inside[1])))
