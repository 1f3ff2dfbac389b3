"""Shapes of regions on a map, from GeoJSON or a shapefile; they have no effect on results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.errors import Problems, require, suggestion
from kolabsim.i18n import _
from kolabsim.scenario.files import read_bytes, read_text
from kolabsim.scenario.names import plain
from kolabsim.scenario.outlines import polygons_of, repair, too_tangled
from kolabsim.scenario.shapefiles import DEGREES, read_shapefile

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

LARGEST_SHAPES = 100_000_000
"""Maximum size of a file of shapes in bytes."""
FINEST = 0.001
"""Tolerance of simplification, as a share of the map's extent."""
PROJECTED = re.compile(
    r"EPSG:.*\b(3857|900913|3395|32[67]\d\d|238[3-9]\d)$|UTM|MERCATOR", re.IGNORECASE
)
"""Names of usual projections: web and world Mercator, UTM, and those of Indonesia."""
NAMED = 5
"""Maximum number of codes that a message lists."""


LONGEST = 40
"""Maximum number of letters of a code in a message."""


class Shape(NamedTuple):
    """The outline of a region, in degrees east and north."""

    rings: tuple[np.ndarray, ...]
    """Closed rings [N, 2]: outer rings run anticlockwise, holes clockwise."""
    middle: tuple[float, float]
    """A point well inside its largest part."""


def read_shapes(
    path: Path,
    key: str,
    codes: Sequence[str],
    places: np.ndarray | None,
    problems: Problems,
) -> dict[str, Shape]:
    """Read the shapes of regions by their codes, from a GeoJSON file or a shapefile.

    ``key`` is the property of features that holds a code. Other features are ignored, and a region
    may lack a shape. All shapes are simplified together, so shared borders stay shared. ``places``,
    the longitude and latitude of regions [R, 2], serve to check that the shapes lie where the
    regions do. Raises :class:`~kolabsim.errors.InputError` if an optional package is missing.
    """
    require("shapely", extra="maps", what=_("a map with the shapes of regions"))
    before = len(problems.found)
    reader = _shapefile if path.suffix.lower() == ".shp" else _geojson
    parts: dict[str, list[Geometry]] = {}
    properties: set[str] = set()
    for values, geometry in reader(path, problems):
        properties |= set(values)
        if values.get(key) is not None and geometry:
            parts.setdefault(_as_code(values[key]), []).append(geometry)
    if len(problems.found) > before:
        return {}
    if key not in properties:
        message = _("no feature has the property '{code}'{suggestion}")
        hint = suggestion(key, sorted(properties))
        problems.add(message, file=path, code=key, suggestion=hint)
        return {}
    if not parts:
        message = _("no feature has both the property '{code}' and a shape")
        problems.add(message, file=path, code=key)
        return {}
    wanted = {name: parts[name] for name in codes if name in parts}
    if not wanted:
        message = _(
            "no feature is one of the regions: '{code}' is {found}, and the codes of regions are "
            "{codes}"
        )
        found, wished = some(sorted(parts)), some(codes)
        problems.add(message, file=path, code=key, found=found, codes=wished)
        return {}
    shapes = simplify(wanted, path, problems)
    if shapes and places is not None:
        _check_places(shapes, dict(zip(codes, places, strict=True)), path, problems)
    return shapes


def some(names: Sequence[str]) -> str:
    """List the first few names."""
    shortened = [name if len(name) <= LONGEST else f"{name[:LONGEST]}..." for name in names[:NAMED]]
    return ", ".join(shortened) + (" ..." if len(names) > NAMED else "")


def _as_code(value: object) -> str:
    """Return a property as a code: 3401.0, the integer of a shapefile, becomes 3401."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return plain(text)


# Files ------------------------------------------------------------------------------------------

Geometry = Mapping[str, object]
"""A geometry in the format of GeoJSON."""
Feature = tuple[Mapping[str, object], Geometry | None]
"""The properties of a feature, and its geometry."""


def _geojson(path: Path, problems: Problems) -> Iterator[Feature]:
    text = read_text(path, LARGEST_SHAPES, problems)
    if text is None:
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        problems.add(_("this is not GeoJSON ({reason})"), file=path, line=line, reason=error)
        return
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        message = _("this is not GeoJSON with features; it needs a FeatureCollection")
        if isinstance(found, dict) and found.get("type") == "Topology":
            message = _("this is TopoJSON; save it as GeoJSON")
        problems.add(message, file=path)
        return
    if (stated := stated_projection(found)) and PROJECTED.search(stated):
        add_projected(stated, path, problems)
        return
    for one in features:
        values = one.get("properties")
        values = dict(values) if isinstance(values, dict) else {}
        yield ({"id": one["id"]} if "id" in one else {}) | values, one.get("geometry")


def _shapefile(path: Path, problems: Problems) -> Iterator[Feature]:
    data = read_bytes(path, LARGEST_SHAPES, problems)
    if data is None:
        return
    beside = {one.suffix.lower(): one for one in path.parent.glob(f"{escape(path.stem)}.*")}
    if ".dbf" not in beside:
        message = _("a shapefile needs its table {name}.dbf beside it")
        problems.add(message, file=path, name=path.stem)
        return
    parts = {".shp": data}
    for ending in (".dbf", ".prj", ".cpg"):
        if ending in beside:
            part = read_bytes(beside[ending], LARGEST_SHAPES, problems)
            if part is None:
                return
            parts[ending] = part
    try:
        found = read_shapefile(parts)
    except ValueError as error:
        message = _("this shapefile cannot be read ({reason}); download it again")
        problems.add(message, file=path, reason=error)
        return
    if found.projection and not DEGREES.search(found.projection):
        name = re.search(r'"([^"]+)"', found.projection)
        add_projected(name[1] if name else found.projection[:60], path, problems)
        return
    yield from zip(found.records, found.geometries, strict=True)


def stated_projection(found: Mapping[str, object]) -> str:
    """Return the coordinate system that GeoJSON states, as older files do; '' if it states none."""
    crs = found.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    return str(properties.get("name", ""))[:60] if isinstance(properties, dict) else ""


def add_projected(name: str, path: Path, problems: Problems) -> None:
    """Refuse a map that is in a projection."""
    message = _(
        "this map is in the projection {name}, and not in degrees; save the file again in the "
        "coordinate system WGS 84 (EPSG:4326)"
    )
    problems.add(message, file=path, name=name)


# Geometry ---------------------------------------------------------------------------------------


def simplify(
    parts: Mapping[str, Sequence[Geometry]], path: Path, problems: Problems
) -> dict[str, Shape]:
    """Return all shapes, simplified to what a map can show."""
    import shapely
    from shapely.geometry import shape

    read: dict[str, list[BaseGeometry]] = {}
    for code, geometries in parts.items():
        try:
            read[code] = [*shapely.force_2d([shape(geometry) for geometry in geometries])]
        except (shapely.errors.ShapelyError, TypeError, ValueError, KeyError, AttributeError,
                IndexError, OverflowError, RecursionError):  # fmt: skip
            problems.add(_("{code}: this is no geometry of GeoJSON"), file=path, code=code)
    everything = [one for found in read.values() for one in found]
    if not everything:
        return {}
    west, south, east, north = shapely.total_bounds(everything)
    if west < -180.0 or east > 180.0 or south < -90.0 or north > 90.0:
        message = _(
            "coordinates from {low} to {high} are not degrees; save the file again in the "
            "coordinate system WGS 84 (EPSG:4326)"
        )
        if max(-west, east) <= 90.0 and max(-south, north) <= 180.0:
            message = _("latitude comes before longitude here; it must be the other way round")
        elif max(-west, east) <= 360.0 and max(-south, north) <= 90.0:
            message = _(
                "longitudes run from {west} to {east}, and not from -180 to 180; cut the map at "
                "180 degrees, as with 'ogr2ogr -wrapdateline'"
            )
        low, high = f"{min(west, south):g}", f"{max(east, north):g}"
        sides = {"west": f"{west:g}", "east": f"{east:g}"}
        problems.add(message.format(low=low, high=high, **sides), file=path)
        return {}
    owners = [code for code, found in read.items() for _one in found]
    repaired, tangled = repair(everything, np.unique(owners, return_inverse=True)[1])
    lost = [*dict.fromkeys(owners[k] for k in tangled)]
    if lost:
        problems.add(too_tangled(lost), file=path)
    for code in lost:
        del read[code]
    good: dict[str, list[BaseGeometry]] = {code: [] for code in read}
    for code, one in zip(owners, repaired, strict=True):
        if code in good:
            good[code].append(one)
    whole = {code: _surface(_union(found)) for code, found in good.items()}
    for code, one in whole.items():
        if one.is_empty:
            kind = read[code][0].geom_type
            message = _("{code}: the shape of a region is a Polygon or a MultiPolygon, not {kind}")
            if kind.endswith("Polygon"):
                message = _("{code}: this shape has no area, or coordinates that are not numbers")
            problems.add(message, file=path, code=code, kind=kind)
    solid = {code: one for code, one in whole.items() if not one.is_empty}
    if not solid:
        return {}
    west, south, east, north = shapely.total_bounds([*solid.values()])
    finest = FINEST * max(east - west, north - south)
    simple = map(_surface, shapely.coverage_simplify([*solid.values()], finest))
    return {
        code: _shape(whole[code] if new.is_empty else new)
        for code, new in zip(solid, simple, strict=True)
    }


def _check_places(
    shapes: Mapping[str, Shape], places: Mapping[str, np.ndarray], path: Path, problems: Problems
) -> None:
    """Check that shapes lie where their regions do, by longitude and latitude."""
    middles = np.array([one.middle for one in shapes.values()])
    apart = np.abs(middles - [places[code] for code in shapes]).max(axis=1)
    if np.median(apart) > 1.0 + np.ptp(middles, axis=0).max():
        code = next(iter(shapes))
        message = _(
            "shapes lie elsewhere than their regions: that of {code} at longitude {east} and "
            "latitude {north}, where the table has {longitude} and {latitude}"
        )
        (east, north), (longitude, latitude) = shapes[code].middle, places[code]
        problems.add(
            message, file=path, code=code, east=f"{east:.1f}", north=f"{north:.1f}",
            longitude=f"{longitude:g}", latitude=f"{latitude:g}",
        )  # fmt: skip


def _union(found: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return the union of shapes; within one, only the members of a collection may overlap."""
    import shapely

    is_plain = len(found) == 1 and found[0].geom_type != "GeometryCollection"
    return found[0] if is_plain else shapely.union_all(found)


def _surface(geometry: BaseGeometry) -> BaseGeometry:
    """Return the polygons of a geometry whose parts do not overlap."""
    import shapely

    return shapely.multipolygons(polygons_of(geometry)[0])


def _shape(geometry: BaseGeometry) -> Shape:
    import shapely

    parts = sorted(shapely.get_parts(geometry), key=lambda part: -part.area)
    rings = []
    for part in (shapely.orient_polygons(part) for part in parts):
        holes = [ring for ring in part.interiors if not ring.is_empty]
        rings += [shapely.get_coordinates(ring) for ring in (part.exterior, *holes)]
    with np.errstate(invalid="ignore"):  # an empty hole sets the processor's flag, no more
        inside = shapely.maximum_inscribed_circle(parts[0]).coords[0]
    return Shape(tuple(rings), (float(inside[0]), float(inside[1])))
