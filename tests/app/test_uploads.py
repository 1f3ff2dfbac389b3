"""Uploaded scenarios: read as data, and never executed."""

import json

import pytest

from kolabsim.app import charts
from kolabsim.app.session import YOURS, Session, refused
from kolabsim.app.settings import Settings
from kolabsim.app.uploads import LARGEST, LARGEST_SHAPES, STORED
from kolabsim.errors import InputError
from kolabsim.scenario.scenario import Scenario
from tests.app.test_settings import MOVED

GOOD = b"code,population,latitude,longitude\na,1000,0,0\nb,2000,0.1,0\nc,3000,0,0.1\n"


def test_a_table_becomes_a_scenario(uploads, going):
    name = uploads.add({"mine.csv": GOOD})
    assert uploads.add({"mine.csv": GOOD}) == name
    found = uploads.load(name)
    assert found.regions.codes == ("a", "b", "c")
    assert uploads.written(name)["regions"]["table"] == "mine.csv"
    next(Session(Settings(scenario=name), found).estimates(going))


def test_the_scenario_of_an_upload_can_be_taken_home(uploads, tmp_path):
    name = uploads.add({"mine.csv": GOOD})
    session = Session(MOVED, uploads.load(name), written=uploads.written(name))
    (tmp_path / "mine.csv").write_bytes(GOOD)
    (tmp_path / "mine.yaml").write_text(session.scenario_text(), encoding="utf-8")
    found = Scenario.load(tmp_path / "mine.yaml")
    assert found.strategies[YOURS] == session.scenario.strategies[YOURS]
    assert found.parameters == session.scenario.parameters


def shapes_of(codes):
    features = [
        {
            "type": "Feature", "properties": {"code": code},
            "geometry": {"type": "Polygon", "coordinates": [[
                [x - 0.04, y - 0.04], [x + 0.04, y - 0.04], [x + 0.04, y + 0.04],
                [x - 0.04, y + 0.04], [x - 0.04, y - 0.04],
            ]]},
        }
        for code, (x, y) in codes.items()
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_shapes_come_with_a_table_or_a_scenario_and_are_drawn(uploads, going):
    shapes = shapes_of({"a": (0, 0), "b": (0, 0.1), "c": (0.1, 0)})
    text = (
        b"title: mine\nregions: {table: mine.csv, shapes: mine.geojson, columns: {latitude: "
        b"latitude, longitude: longitude}}\nfamilies: [infrastructure]\n"
    )
    for more in ({}, {"mine.yaml": text}):
        name = uploads.add({"mine.csv": GOOD, "mine.geojson": shapes, **more})
        found = uploads.load(name)
        assert set(found.regions.shapes) == {"a", "b", "c"}
        estimate = next(Session(Settings(scenario=name), found).estimates(going))
        drawn = charts.regions_map(estimate).options["geo"]["regions"]
        assert {region["name"] for region in drawn} == {"", "a", "b", "c"}
        assert len(charts.geography(found.regions)["features"]) == 4


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"x.csv": b"code,population\na,-3\n"}, "x.csv:2: population: -3"),
        ({"x.csv": b"code,population\na,3\n"}, "latitude"),
        ({"x.csv": b"\x00\xff\x00"}, "x.csv"),
        ({"x.yaml": b"a: [1"}, "x.yaml:"),
        ({"x.yaml": b"extends: kartamantul\nextensions: [rule.py]\n"}, "programs cannot be"),
        ({"x.yaml": b"extends: ../../secret.yaml\n"}, "was not uploaded"),
        ({"x.yaml": b"regions: {table: /etc/passwd}\n"}, "was not uploaded"),
        ({"x.yaml": b"extends: kartamantul\ncontacts: {list: ../a.csv}\n"}, "was not uploaded"),
        ({"x.yaml": b"extends: indonesia\nregions: {synthetic: {number: 900000, "
          b"median_population: 9}}\n"}, "900000 regions are too many"),
        ({"x.yaml": b"!!python/object/apply:os.system ['true']\n"}, "x.yaml:1"),
        ({"x.py": b"print(1)"}, "only files that end in"),
        ({"../x.csv": GOOD}, "only files that end in"),
        ({"x.csv": b"0" * (LARGEST + 1)}, "at most"),
        ({"x.csv": GOOD, "y.csv": GOOD}, "one table of regions"),
        ({"y.geojson": b"{}"}, "one table of regions"),
        ({"x.yaml": b"extends: kartamantul\n", "y.geojson": b"{}"}, "does not name it"),
        ({"x.csv": GOOD, "y.geojson": b"{}", "z.geojson": b"{}"}, "one table of regions"),
        ({"x.csv": GOOD, "y.geojson": b"{"}, "y.geojson"),
        ({"x.csv": GOOD, "y.geojson": b"[" * 100_000}, "y.geojson"),
        ({"x.csv": GOOD, "y.json": b'{"type": "FeatureCollection", "features": []}'}, "'code'"),
        ({"x.csv": GOOD, "y.json": b"0" * (LARGEST_SHAPES + 1)}, "at most"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_its_place(uploads, files, message):
    with pytest.raises(InputError) as refusal:
        uploads.add(files)
    printed = "\n".join(map(str, refused(refusal.value)))
    assert message in printed
    assert "/tmp" not in printed
    assert uploads.names() == ()


def test_names_are_never_paths(uploads):
    for name in ("../kartamantul", "/etc/passwd", "kartamantul.yaml", "strategies", "indonesia"):
        with pytest.raises(InputError, match="there is no scenario"):
            uploads.load(name)
    with pytest.raises(InputError, match="upload them again"):
        uploads.load("upload-0123456789ab")


def test_old_uploads_make_room(uploads):
    names = [
        uploads.add({"m.csv": GOOD.replace(b"1000", str(1000 + k).encode())})
        for k in range(STORED + 1)
    ]
    assert uploads.names() == tuple(names[1:])
