"""Shapefiles as they come: without a shape, cut off, changed on the way, or in another projection.

And outlines that cross themselves, which must not cost more time the worse they are.
"""

import io
import json
import math
import random

import numpy as np
import pytest

from kolabsim.errors import InputError, Problems
from kolabsim.scenario.importer import read as read_regions
from kolabsim.scenario.notices import find_notices
from kolabsim.scenario.outlines import MOST_CROSSINGS, MOST_SHAPES, count_crossings, repair
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.shapefiles import read_shapefile
from kolabsim.scenario.shapes import read_shapes

shapely = pytest.importorskip("shapely")
pyshp = pytest.importorskip("shapefile")

CODES = ("1", "2", "3")
PLACES = np.array([[110.3, -7.8], [110.4, -7.7], [110.5, -7.6]])
TRIANGLE = ((0, 0), (0, 0.1), (0.1, 0.1), (0, 0))


def shapefile(shapes=CODES, *, moved=1.0):
    """The parts of a shapefile of triangles; codes that are not wanted have no shape."""
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with pyshp.Writer(shp=shp, shx=shx, dbf=dbf) as writer:
        writer.field("code", "C")
        for code, (x, y) in zip(CODES, PLACES, strict=True):
            if code in shapes:
                writer.poly(
                    [[[moved * (x + east), moved * (y + north)] for east, north in TRIANGLE]]
                )
            else:
                writer.null()
            writer.record(code)
    return {".shp": shp.getvalue(), ".dbf": dbf.getvalue()}


def read(parts, folder):
    """The shapes in these parts, and what is wrong with them."""
    for ending, content in parts.items():
        (folder / f"m{ending}").write_bytes(content)
    problems = Problems()
    found = read_shapes(folder / "m.shp", "code", CODES, PLACES, problems)
    return found, [problem.message for problem in problems.found]


def test_a_row_without_a_shape_is_a_region_without_one(tmp_path):
    found, problems = read(shapefile(("1", "3")), tmp_path)
    assert set(found) == {"1", "3"}
    assert not problems
    rows = "".join(f"{c},5000,{y},{x}\n" for c, (x, y) in zip(CODES, PLACES, strict=True))
    (tmp_path / "r.csv").write_text("code,population,latitude,longitude\n" + rows)
    world = "regions: {table: r.csv, shapes: m.shp}\nfamilies: [administration]\n"
    (tmp_path / "x.yaml").write_text(world)
    told = [str(notice) for notice in find_notices(Scenario.load(tmp_path / "x.yaml"))]
    assert any("x.yaml:1: 1 region has no shape in the map" in text for text in told)


@pytest.mark.parametrize("size", [0, 10, 50, 99, 100, 107, 120, 200, 300])
def test_a_shapefile_that_is_cut_off_says_so(tmp_path, size):
    parts = shapefile()
    found, problems = read(parts | {".shp": parts[".shp"][:size]}, tmp_path)
    assert not found
    assert len(problems) == 1
    assert "this shapefile cannot be read (a part of the file is missing" in problems[0]


def test_a_table_that_is_cut_off_says_so(tmp_path):
    parts = shapefile()
    for size in (0, 20, 40, len(parts[".dbf"]) - 10):
        found, problems = read(parts | {".dbf": parts[".dbf"][:size]}, tmp_path)
        assert not found
        assert len(problems) == 1, size


def test_shapes_and_rows_that_do_not_belong_together_are_refused():
    parts = shapefile()
    rows = io.BytesIO()
    with pyshp.Writer(dbf=rows) as writer:
        writer.field("code", "C")
        writer.record("1")
    with pytest.raises(ValueError, match="3 shapes, but 1 row"):
        read_shapefile(parts | {".dbf": rows.getvalue()})


def test_a_shapefile_without_its_table_says_so(tmp_path):
    (tmp_path / "m.shp").write_bytes(shapefile()[".shp"])
    problems = Problems()
    read_shapes(tmp_path / "m.shp", "code", CODES, PLACES, problems)
    assert "needs its table m.dbf" in str(*problems.found)


def test_a_projection_is_named_with_the_way_out(tmp_path):
    crs = b'PROJCS["WGS_1984_UTM_Zone_49S",GEOGCS["GCS_WGS_1984"]]'
    _found, problems = read(shapefile(moved=1e4) | {".prj": crs}, tmp_path)
    assert "in the projection WGS_1984_UTM_Zone_49S" in problems[0]
    assert "EPSG:4326" in problems[0]
    degrees = 'GEOGCS["GCS_WGS_1984"]'
    for text in (degrees, f"\ufeff{degrees}", f'COMPD_CS["WGS 84 + height",{degrees},VERT_CS[]]'):
        found, problems = read(shapefile() | {".prj": text.encode()}, tmp_path)
        assert set(found) == set(CODES)
        assert not problems


@pytest.mark.parametrize("moved", [1e4, 1e300, -1e9, float("inf"), float("nan")])
def test_coordinates_that_no_place_has_are_refused(tmp_path, moved):
    found, problems = read(shapefile(moved=moved), tmp_path)
    assert not found
    assert problems
    with pytest.raises(InputError):
        read_regions(tmp_path / "m.shp")


@pytest.mark.filterwarnings("error")  # the library's remarks reach nobody
@pytest.mark.parametrize("part", [".shp", ".dbf"])
def test_bytes_that_changed_on_the_way_never_end_in_anything_but_a_sentence(tmp_path, part):
    chance, parts = random.Random(1), shapefile()
    for _trial in range(150):
        changed = bytearray(parts[part])
        for _byte in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.choice((0, 1, 127, 255, 128))
        found, problems = read(parts | {part: bytes(changed)}, tmp_path)
        assert found or problems


# Outlines that cross themselves -------------------------------------------------------------------


def scribble(points, seed=1):
    """A ring of random points, which crosses itself some tenth of points**2 times."""
    chance = random.Random(seed)
    return [[chance.random(), chance.random()] for _point in range(points)]


def test_an_outline_that_crosses_itself_keeps_the_parts_on_both_sides():
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    found, tangled = repair([bow, None, shapely.Point(1, 1), shapely.box(0, 0, 1, 1)])
    assert not len(tangled)
    assert shapely.area(found).tolist() == pytest.approx([0.5, np.nan, 0, 1], nan_ok=True)
    assert found[0].is_valid


def test_crossings_are_counted():
    assert count_crossings(shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])) == 1
    assert count_crossings(shapely.box(0, 0, 1, 1)) == 0
    ring = shapely.Polygon(scribble(2000))
    assert count_crossings(ring) == pytest.approx(2000**2 / 9, rel=0.2)


@pytest.mark.parametrize("points", [300, 400, 3000, 10_000])
def test_outlines_that_are_too_tangled_are_refused_soon(tmp_path, points):
    """They took a minute with 300 points, and the time grew with the third power."""
    ring = scribble(points)
    shape = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    feature = {
        "type": "Feature",
        "properties": {"code": "1", "population": 9000},
        "geometry": shape,
    }
    path = tmp_path / "m.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature] * 2}))
    problems = Problems()
    assert not read_shapes(path, "code", ["1"], None, problems)
    assert "the outlines of some regions (1) cross at too many places" in str(*problems.found)
    with pytest.raises(InputError, match="cross at too many places"):
        read_regions(path, duplicates="first")


def test_a_map_of_many_tangled_outlines_is_bounded_as_a_whole():
    shapes = [shapely.Polygon(scribble(160, seed)) for seed in range(60)]
    assert all(count_crossings(shape) < MOST_CROSSINGS for shape in shapes)
    found, tangled = repair(shapes)
    assert 0 < len(tangled) < 60
    assert shapely.is_valid(found).all()


def bars(number, is_upright):
    """Parallel bars across the unit square, which cross those of the other direction."""
    sides = [(k / number, (k + 0.1) / number) for k in range(number)]
    return [shapely.box(a, 0, b, 1) if is_upright else shapely.box(0, a, 1, b) for a, b in sides]


TANGLES = {
    "a segment again and again": [shapely.Polygon([(0, 0), (1, 0)] * 900 + [(1, 1)])],
    "spikes from one point": [
        shapely.Polygon([p for point in scribble(900) for p in ((0, 0), point)])
    ],
    "a collection in a collection": [
        shapely.GeometryCollection([
            shapely.GeometryCollection([shapely.MultiPolygon([shapely.Polygon(scribble(400))])])
        ])
    ],
    "parts that cross each other": [*bars(120, True), *bars(120, False)],
    "two parts that cross each other": [
        shapely.MultiPolygon(bars(120, True)), shapely.MultiPolygon(bars(120, False))
    ],
    "very many parts": [shapely.box(0, 0, 1, 1)] * (MOST_SHAPES + 1),
}  # fmt: skip


@pytest.mark.parametrize("kind", TANGLES)
def test_every_kind_of_tangle_is_found_before_it_is_repaired(kind):
    """Repairs or unions of some thousand points took minutes and gigabytes."""
    shapes = TANGLES[kind]
    found, tangled = repair(shapes, [7] * len(shapes))
    assert tangled.tolist() == [*range(len(shapes))]
    assert shapely.is_empty(found).all()


def test_outlines_drawn_twice_and_common_borders_are_no_tangles():
    points = [(math.cos(k / 1000), math.sin(k / 1000)) for k in range(6000)]
    twice = shapely.Polygon(points, [[*points[:10], (0, 0)]] * 2)
    grid = [shapely.box(k % 60, k // 60, k % 60 + 1, k // 60 + 1) for k in range(3600)]
    found, tangled = repair([twice, shapely.Polygon(points, [points]), *grid], [0, 1, *[2] * 3600])
    assert not len(tangled)
    assert shapely.area(found[2:]).sum() == 3600.0
