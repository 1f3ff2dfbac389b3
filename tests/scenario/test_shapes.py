"""Shapes on the map: read from what people have, refused with the way out, never in the results."""

import json

import numpy as np
import pytest

from kolabsim.errors import InputError
from kolabsim.scenario import shapes
from kolabsim.scenario.scenario import Scenario

shapely = pytest.importorskip("shapely")

PLACES = {"34.71": (110.37, -7.80), "34.04": (110.36, -7.70), "33.10": (110.62, -7.68)}


def square(east, north, half=0.04):
    """A closed ring, clockwise: GeoJSON of old does not mind which way it runs."""
    corners = [(-half, -half), (-half, half), (half, half), (half, -half), (-half, -half)]
    return [[east + x, north + y] for x, y in corners]


def feature(code, geometry, key="code"):
    return {"type": "Feature", "properties": {key: code}, "geometry": geometry}


def squares(key="code", codes=PLACES, turn=False):
    places = {code: PLACES[code][::-1] if turn else PLACES[code] for code in codes}
    return [
        feature(code, {"type": "Polygon", "coordinates": [square(*place)]}, key)
        for code, place in places.items()
    ]


@pytest.fixture
def load(tmp_path):
    """A scenario with these features: its regions, or what is wrong as a list of texts."""

    def load(features, *, placed=True, **keys):
        table = tmp_path / "regions.csv"
        lines = ["code,population,latitude,longitude" if placed else "code,population"]
        for code, (east, north) in PLACES.items():
            lines.append(f"{code},100000" + (f",{north},{east}" if placed else ""))
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path = tmp_path / "regions.geojson"
        if isinstance(features, bytes):
            path.write_bytes(features)
        elif features is not None:
            found = {"type": "FeatureCollection", "features": features}
            path.write_text(json.dumps(found), encoding="utf-8")
        regions = {"table": "regions.csv", "shapes": "regions.geojson", **keys}
        text = {"regions": regions, "families": ["administration"]}
        if not placed:
            text["contacts"] = {"nearest": 0}
            text["areas"] = {}
        scenario = tmp_path / "scenario.yaml"
        scenario.write_text(json.dumps(text), encoding="utf-8")
        try:
            return Scenario.load(scenario)
        except InputError as error:
            return [str(problem).replace(str(tmp_path) + "/", "") for problem in error.problems]

    return load


def test_shapes_change_the_picture_and_nothing_else(load):
    with_shapes = load(squares())
    plain = load(squares(), shapes=None)
    assert set(with_shapes.regions.shapes) == set(PLACES)
    assert not plain.regions.shapes
    assert with_shapes.resolved() == plain.resolved()
    assert with_shapes.regions == plain.regions
    for code, shape in with_shapes.regions.shapes.items():
        assert shape.middle == pytest.approx(PLACES[code], abs=0.005)


def test_outer_rings_run_anticlockwise_and_holes_clockwise(load):
    place = PLACES["34.71"]
    hole = square(*place, half=0.01)
    island = [square(place[0] + 0.1, place[1], half=0.02)]
    geometry = {"type": "MultiPolygon", "coordinates": [[square(*place), hole], island]}
    shape = load([feature("34.71", geometry)]).regions.shapes["34.71"]
    assert [shapely.LinearRing(ring).is_ccw for ring in shape.rings] == [True, False, True]
    # The middle lies beside the hole, inside the larger part.
    inside = shapely.Polygon(square(*place), [hole])
    assert inside.contains(shapely.Point(shape.middle))


def test_neighbours_keep_their_common_border_when_bends_are_straightened(load):
    north = np.linspace(-7.9, -7.5, 4001)
    border = [[110.45 + 0.0001 * np.sin(900 * y), y] for y in north]
    west = [*border, [110.2, -7.5], [110.2, -7.9], border[0]]
    east = [*border, [110.8, -7.5], [110.8, -7.9], border[0]]
    found = load(
        [
            feature("34.71", {"type": "Polygon", "coordinates": [west]}),
            feature("33.10", {"type": "Polygon", "coordinates": [east]}),
        ]
    ).regions.shapes
    one, other = (shapely.Polygon(found[code].rings[0]) for code in ("34.71", "33.10"))
    assert sum(len(shape.rings[0]) for shape in found.values()) < 400  # of 8,000
    assert one.intersection(other).area == pytest.approx(0.0, abs=1e-12)
    assert one.union(other).geom_type == "Polygon"


def test_parts_of_a_region_may_stand_in_features_of_their_own(load):
    far = square(110.5, -7.8)
    features = [*squares(), feature("34.71", {"type": "Polygon", "coordinates": [far]})]
    assert len(load(features).regions.shapes["34.71"].rings) == 2


def test_regions_without_a_shape_are_reported(load):
    found = load([*squares(codes=["34.71"]), *squares(codes=[])])
    text = found.regions.describe_missing_shapes()
    assert text == "2 regions have no shape and are circles: 33.10, 34.04."
    assert load(squares()).regions.describe_missing_shapes() == ""


def test_a_number_is_a_code_too(load, tmp_path):
    codes = [feature(34.71, {"type": "Polygon", "coordinates": [square(*PLACES["34.71"])]}, "KODE")]
    assert set(load(codes, shapes_code="KODE").regions.shapes) == {"34.71"}


def test_a_map_needs_no_places_where_all_have_shapes(load):
    found = load(squares(), placed=False)
    assert found.regions.mapped
    assert not found.regions.placed
    assert not load(squares(codes=["34.71"]), placed=False).regions.mapped


NESTED = json.loads("[" * 800 + "]" * 800)


@pytest.mark.parametrize(
    ("features", "keys", "message"),
    [
        (squares("kode"), {}, "no feature has the property 'code'; did you mean 'kode'?"),
        (squares("name"), {}, "no feature has the property 'code'; allowed: name"),
        ([feature("x", {"type": "Polygon", "coordinates": [square(110, -7)]})], {},
         "'code' is x, and the codes of regions are 33.10, 34.04, 34.71"),
        (squares(turn=True), {}, "latitude comes before longitude here"),
        ([feature("34.71", {"type": "Polygon", "coordinates": [square(430000, 9138000, 5000)]})],
         {}, "coordinates from 425000 to 9.143e+06 are not degrees"),
        ([feature("34.71", {"type": "Polygon", "coordinates": [square(10, 50)]})], {},
         "shapes lie elsewhere than their regions: that of 34.71 at longitude 10.0"),
        ([feature("34.71", {"type": "Point", "coordinates": [110.4, -7.8]})], {},
         "34.71: the shape of a region is a Polygon or a MultiPolygon, not Point"),
        *(([feature("34.71", {"type": "Polygon", "coordinates": given})], {},
           "34.71: this is no geometry of GeoJSON")
          for given in ("here", NESTED, [[[10**400, 0]] * 4])),
        ([feature("34.71", {"type": "Polygon", "coordinates": [square(180, -7, 5)]})], {},
         "longitudes run from 175 to 185, and not from -180 to 180"),
        ([feature("34.71", None)], {}, "no feature has both the property 'code' and a shape"),
        (json.dumps({
            "type": "FeatureCollection", "features": squares(),
            "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32749"}},
        }).encode(), {}, "this map is in the projection urn:ogc:def:crs:EPSG::32749"),
        (b"{", {}, "this is not GeoJSON"),
        (b"[1]", {}, "it needs a FeatureCollection"),
        (b'{"type": "Topology"}', {}, "this is TopoJSON; save it as GeoJSON"),
        (b"\xff\xfe", {}, "this is not GeoJSON"),
        (None, {"shapes": "region.geojson"}, "there is no such file"),
        (squares(), {"shape": "regions.geojson"}, "did you mean 'shapes'?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_reported_with_the_way_out(load, features, keys, message):
    found = load(features, **keys)
    assert isinstance(found, list)
    assert any(message in text for text in found), found


def test_a_file_that_is_too_large_is_refused(load, monkeypatch):
    monkeypatch.setattr(shapes, "LARGEST_SHAPES", 1_000_000)
    [text] = load(json.dumps({"features": [], "x": "x" * 1_000_000}).encode())
    assert text == "regions.geojson: larger than 1 MB"


def test_regions_that_are_made_up_have_no_shapes(load):
    [text] = load(squares(), table=None, synthetic={"number": 3, "median_population": 1000})
    assert "only the regions of a table have shapes" in text


def test_without_the_extra_it_is_said_how_to_get_it(load, monkeypatch):
    monkeypatch.setattr("kolabsim.errors.find_spec", lambda name: None)
    [text] = load(squares())
    assert "needs the extra 'maps'" in text


def test_a_shapefile_is_read_with_its_table(load, tmp_path):
    shapefile = pytest.importorskip("shapefile")
    with shapefile.Writer(tmp_path / "regions.shp") as writer:
        writer.field("code", "C", 10)
        for code, place in PLACES.items():
            writer.poly([square(*place)])
            writer.record(code)
    found = load(None, shapes="regions.shp")
    assert set(found.regions.shapes) == set(PLACES)
    (tmp_path / "regions.dbf").unlink()
    [text] = load(None, shapes="regions.shp")
    assert text.startswith("regions.shp: a shapefile needs its table regions.dbf")
