"""Maps as tables: GeoJSON, shapefiles and GeoPackage, in degrees whatever their projection."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from kolabsim.errors import require
from kolabsim.i18n import N_, Amount, _
from kolabsim.scenario.importer.decisions import LIKELY, Record, list_names
from kolabsim.scenario.importer.sheets import Geometry, Sheet, sheet_of_records
from kolabsim.scenario.shapefiles import DEGREES
from kolabsim.scenario.shapefiles import read_shapefile as read_parts

SURFACES = ("Polygon", "MultiPolygon")
Move = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From x and y of a projection to degrees east and north."""


def sheet_of_features(features: object, crs: object, record: Record, name: str = "") -> Sheet:
    """Return the features of GeoJSON as a sheet whose lines count features from 1."""
    good = isinstance(features, list) and all(isinstance(one, dict) for one in features)
    if not good or not features:
        raise record.fail(_("this map has no features; choose the file that holds the regions"))
    assert isinstance(features, list)
    records = []
    for one in features:
        values = one.get("properties")
        values = dict(values) if isinstance(values, dict) else {}
        plain = {k: v for k, v in values.items() if not isinstance(v, dict | list)}
        records.append(({"id": one["id"]} if "id" in one and "id" not in plain else {}) | plain)
    stated = ""
    if isinstance(crs, dict):
        properties = crs.get("properties")
        stated = str(properties.get("name", "")) if isinstance(properties, dict) else ""
    geometries = tuple(one.get("geometry") for one in features)
    return sheet_of_records(name, records, geometries=geometries, projection=stated)


def features_of_topology(topology: Mapping[str, Any], record: Record) -> dict[str, list[Any]]:
    """Return the features of each object of TopoJSON, whose shapes share their arcs."""
    try:
        scale, shift = (
            np.array((topology.get("transform") or {}).get(key, standard), dtype=float)
            for key, standard in (("scale", (1.0, 1.0)), ("translate", (0.0, 0.0)))
        )
        arcs = [np.array([point[:2] for point in arc], dtype=float) for arc in topology["arcs"]]
        if topology.get("transform"):
            arcs = [np.cumsum(arc, axis=0) * scale + shift for arc in arcs]

        def line(numbers: list[int]) -> list[list[float]]:
            parts = [arcs[k] if k >= 0 else arcs[~k][::-1] for k in numbers]
            joined = [part[int(k > 0) :] for k, part in enumerate(parts)]
            return [list(map(float, point)) for part in joined for point in part]

        def shape(one: Mapping[str, Any]) -> dict[str, Any] | None:
            kind = one.get("type")
            if kind == "Polygon":
                return {"type": kind, "coordinates": [line(ring) for ring in one["arcs"]]}
            if kind == "MultiPolygon":
                whole = [[line(ring) for ring in part] for part in one["arcs"]]
                return {"type": kind, "coordinates": whole}
            if kind == "Point":
                place = np.array(one["coordinates"][:2], dtype=float) * scale + shift
                return {"type": kind, "coordinates": place.tolist()}
            return None

        return {
            str(name): [
                {"properties": one.get("properties"), "geometry": shape(one)}
                | ({"id": one["id"]} if "id" in one else {})
                for one in thing.get("geometries", [thing])
            ]
            for name, thing in topology["objects"].items()
        }
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        message = _("this TopoJSON is damaged ({reason}); download it again, or save it as GeoJSON")
        raise record.fail(message, reason=error) from None


def read_shapefile(name: str, files: Mapping[str, bytes], record: Record) -> Sheet:
    """Read a shapefile with its table, and its projection if it is there."""
    stem = name.rpartition(".")[0]
    endings = (".shp", ".dbf", ".prj", ".cpg")
    parts = {ending: files[f"{stem}{ending}"] for ending in endings if f"{stem}{ending}" in files}
    parts[".shp"] = files[name]
    if ".dbf" not in parts:
        message = _(
            "a shapefile needs its table {name}.dbf beside it; use the .zip file with all parts"
        )
        raise record.fail(message, name=stem)
    try:
        found = read_parts(parts, record.given.get("encoding"))
    except ValueError as error:
        message = _("this shapefile cannot be read ({reason}); download it again")
        raise record.fail(message, reason=error) from None
    if found.encoding != "utf-8":
        why = N_("the encoding of the texts in the map's table")
        record.note("encoding", found.encoding, why, certainty=LIKELY, answer="encoding")
    clean = [
        {k: v for k, v in one.items() if not isinstance(v, dict | list)} for one in found.records
    ]
    return sheet_of_records("", clean, geometries=found.geometries, projection=found.projection)


def read_geopackage(data: bytes, record: Record) -> list[Sheet]:
    """Read the layers of a GeoPackage."""
    require("shapely", extra="maps", what=_("a GeoPackage"))
    import shapely

    base = sqlite3.connect(":memory:")
    try:
        base.deserialize(data)
        layers = base.execute(
            "select c.table_name, g.column_name, s.organization || ':' || "
            "s.organization_coordsys_id from gpkg_contents c join gpkg_geometry_columns g "
            "on g.table_name = c.table_name join gpkg_spatial_ref_sys s on s.srs_id = g.srs_id"
        ).fetchall()
        sheets = []
        for table, column, projection in layers:
            quoted = '"' + table.replace('"', '""') + '"'
            cursor = base.execute(f"select * from {quoted}")
            names = [one[0] for one in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor]
            shapes = tuple(_geometry(row.pop(column), shapely) for row in rows)
            rows = [{k: v for k, v in r.items() if not isinstance(v, bytes)} for r in rows]
            sheets.append(
                sheet_of_records(table, rows, geometries=shapes, projection=projection)
            )  # fmt: skip
    except (sqlite3.Error, shapely.errors.ShapelyError, IndexError) as error:
        message = _("this GeoPackage cannot be read ({reason}); save the map as GeoJSON")
        raise record.fail(message, reason=error) from None
    finally:
        base.close()
    if not sheets:
        raise record.fail(_("this database holds no map; save the map as GeoJSON"))
    return sheets


def _geometry(blob: bytes | None, shapely: Any) -> Geometry | None:
    """Return a geometry of a GeoPackage, whose header has an envelope of up to 64 bytes."""
    if not blob:
        return None
    size = 8 + (0, 32, 48, 48, 64)[(blob[3] >> 1) & 7]
    geometry: Geometry = json.loads(shapely.to_geojson(shapely.from_wkb(blob[size:])))
    return geometry


# Projections --------------------------------------------------------------------------------------

EPSG = re.compile(r"EPSG:{1,2}(?:[\d.]*:)?(\d{4,6})\s*$", re.IGNORECASE)


def in_degrees(sheet: Sheet, record: Record) -> np.ndarray:
    """Return the shapes of a map in degrees, moved there if they are in a projection.

    Shapes are those of shapely, None where there is none. Raises
    :class:`~kolabsim.errors.InputError` for a projection that is unknown or has no name.
    """
    require("shapely", extra="maps", what=_("a map with the shapes of regions"))
    import shapely

    kinds = {str(one.get("type")) for one in sheet.geometries if isinstance(one, Mapping)}
    if not kinds & {*SURFACES, "Point", "MultiPoint", "GeometryCollection"}:
        message = _("this map shows {kinds}; regions are surfaces (Polygon) or points")
        raise record.fail(message, kinds=list_names(sorted(kinds)))
    texts = [json.dumps(one) if isinstance(one, Mapping) else None for one in sheet.geometries]
    with np.errstate(all="ignore"):  # of numbers with hundreds of digits
        found = shapely.force_2d(shapely.from_geojson(texts, on_invalid="ignore"))
    west, south, east, north = shapely.total_bounds(found)
    if not np.isfinite([west, south, east, north]).all():
        raise record.fail(_("this map has no shapes that can be read; save it again as GeoJSON"))
    given = record.given.get("projection")
    stated = given or sheet.projection
    if not given and west >= -180.5 and east <= 180.5 and south >= -90.5 and north <= 90.5:
        return np.asarray(found)
    if not stated or (DEGREES.search(stated) and not given):
        if max(-west, east) <= 90.5 and max(-south, north) <= 180.5:
            record.note(
                "projection", "EPSG:4326", N_("latitude comes before longitude in this map"),
                certainty=LIKELY, answer="projection",
            )  # fmt: skip
            return np.asarray(shapely.transform(found, lambda points: points[:, ::-1]))
        message = _(
            "coordinates from {low} to {high} are not degrees, and the map does not name its "
            "projection; name it, as --projection EPSG:32748"
        )
        raise record.fail(message, low=Amount(min(west, south)), high=Amount(max(east, north)))
    move, name = find_move(stated, record)
    record.note(
        "projection", name, N_("coordinates were moved from this projection to degrees"),
        certainty="given" if given else "certain", answer="projection",
    )  # fmt: skip
    moved = shapely.transform(
        found, lambda points: np.column_stack(move(points[:, 0], points[:, 1]))
    )
    if not (np.abs(shapely.total_bounds(moved)) <= (180.5, 90.5, 180.5, 90.5)).all():
        message = _("the projection {name} does not fit the coordinates; try another --projection")
        raise record.fail(message, name=name)
    return np.asarray(moved)


def find_move(stated: str, record: Record) -> tuple[Move, str]:
    """Return the way from a projection to degrees, and the projection's name."""
    match = EPSG.search(stated)
    if stated.isdigit():
        stated = f"EPSG:{stated}"
    first = re.search(r'"([^"]+)"', stated)
    name = f"EPSG:{match[1]}" if match else first[1] if first else stated[:60]
    own = own_rule(stated, int(match[1]) if match else None)
    if own is not None and not find_spec("pyproj"):
        return own, name
    require("pyproj", extra="maps", what=_("the projection {name}").format(name=name))
    import pyproj

    try:
        source = pyproj.CRS.from_user_input(name if match else stated)
        transformer = pyproj.Transformer.from_crs(source, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.ProjError:
        message = _("the projection {name} is unknown; save the map in WGS 84 (EPSG:4326)")
        raise record.fail(message, name=name) from None
    return transformer.transform, name


def own_rule(stated: str, epsg: int | None) -> Move | None:
    """Return the way from web mercator or UTM to degrees, which needs no further package."""
    if epsg in {3857, 900913} or re.search("Pseudo-Mercator|Web_Mercator|Auxiliary_Sph", stated):
        return from_web_mercator
    zone = re.search(r"UTM[ _]zone[ _](\d{1,2})([NS])", stated, re.IGNORECASE)
    if zone and re.search("WGS[ _]?(19)?84|DGN95|ETRS|NAD83|GDA", stated):
        number, is_south = int(zone[1]), zone[2].upper() == "S"
    elif epsg is not None and (32601 <= epsg <= 32660 or 32701 <= epsg <= 32760):
        number, is_south = epsg % 100, epsg >= 32700
    else:
        return None
    return lambda x, y: from_utm(x, y, number, is_south)


def from_web_mercator(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return degrees east and north of metres in web mercator."""
    radius = 6_378_137.0
    return np.degrees(x / radius), np.degrees(2.0 * np.arctan(np.exp(y / radius)) - np.pi / 2.0)


def from_utm(
    x: np.ndarray, y: np.ndarray, zone: int, is_south: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return degrees east and north of metres in a zone of UTM on WGS 84 (Krüger's series)."""
    flattening = 1.0 / 298.257223563
    n = flattening / (2.0 - flattening)
    mean_radius = 6_378_137.0 / (1.0 + n) * (1.0 + n**2 / 4.0 + n**4 / 64.0)
    along = (y - (10_000_000.0 if is_south else 0.0)) / (0.9996 * mean_radius)
    across = (x - 500_000.0) / (0.9996 * mean_radius)
    beta = (n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96, n**2 / 48 + n**3 / 15, 17 * n**3 / 480)
    delta = (2 * n - 2 * n**2 / 3 - 2 * n**3, 7 * n**2 / 3 - 8 * n**3 / 5, 56 * n**3 / 15)
    k = 2.0 * np.arange(1, 4)
    north = along - sum(
        b * np.sin(j * along) * np.cosh(j * across) for b, j in zip(beta, k, strict=True)
    )
    east = across - sum(
        b * np.cos(j * along) * np.sinh(j * across) for b, j in zip(beta, k, strict=True)
    )
    conformal = np.arcsin(np.sin(north) / np.cosh(east))
    latitude = conformal + sum(d * np.sin(j * conformal) for d, j in zip(delta, k, strict=True))
    longitude = np.degrees(np.arctan2(np.sinh(east), np.cos(north))) + zone * 6.0 - 183.0
    return longitude, np.degrees(latitude)
