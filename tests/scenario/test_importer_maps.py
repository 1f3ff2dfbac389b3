"""Workbooks and maps: sheets, merged cells, projections, places, areas and borders."""

import io
import json
import sqlite3
import zipfile
from datetime import datetime

import numpy as np
import pytest

import kolabsim as ks
from kolabsim.errors import InputError
from kolabsim.scenario.importer.maps import from_utm, own_rule
from tests.scenario.test_importer import people

shapely = pytest.importorskip("shapely")


FEATURE = (
    '{{"type": "Feature", "properties": {{"name": "{name}", "population": {people}, "height": {x}}}'
    ', "geometry": {{"type": "Polygon", "coordinates": [[[{x}, 0], [9, 1], [9, 0], [{x}, 0]]]}}}}'
)


def two_features(name="A", x="8"):
    rows = [FEATURE.format(name=n, people=k, x=x) for n, k in ((name, 5000), ("B", 7000))]
    return {
        "m.geojson": f'{{"type": "FeatureCollection", "features": [{", ".join(rows)}]}}'.encode()
    }


@pytest.mark.parametrize("x", ["1e300", "1e400", "9" * 400])
def test_numbers_that_no_place_has_end_in_a_sentence(x):
    """They ended in an error of the library that writes numbers, or of Python."""
    with pytest.raises(InputError, match=r"m\.geojson: "):
        ks.regions.read(two_features(x=x))


def test_half_a_letter_is_replaced():
    """No file can hold it; Arrow raised an error."""
    found = ks.regions.read(two_features(r"\ud83d"))
    assert found.regions["name"].tolist() == ["\ufffd", "B"]
    found = ks.regions.read(two_features(r"\ud83d\ude00"))
    assert found.regions["name"].tolist() == ["\U0001f600", "B"]


def workbook(**sheets):
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, (rows, merged) in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for cells in merged:
            sheet.merge_cells(cells)
    content = io.BytesIO()
    book.save(content)
    return {"book.xlsx": content.getvalue()}


MERGED = (
    [
        ["PENDUDUK MENURUT KABUPATEN/KOTA"],
        [],
        ["Kode", "Kabupaten/Kota", "Jumlah Penduduk", None, None, None, "Luas"],
        [None, None, "Laki-laki", None, "Jumlah", None, "km2"],
        [None, None, 2022, 2023, 2022, 2023, None],
        [34.1, "Kota Uji*", 10, 20, 1000, 1100, 12.5],
        [34.02, "Kabupaten Coba", 10, 20, 2000, 2300, 40],
        [34.13, "Kabupaten Misal", 10, 20, 4000, 4700, 30],
        ["* angka sementara"],
    ],
    ["A3:A5", "B3:B5", "C3:F3", "C4:D4", "E4:F4"],
)


def test_merged_headers_and_codes_that_are_numbers():
    found = ks.regions.read(workbook(Catatan=([["Lihat lembar berikutnya"]], []), Tabel=MERGED))
    assert people(found) == {"34.10": 1100, "34.02": 2300, "34.13": 4700}
    assert found.columns["population"] == "Jumlah Penduduk Jumlah 2023"
    assert found.regions["name"].tolist()[0] == "Kota Uji"
    assert found.regions["area_km2"].tolist() == [12.5, 40.0, 30.0]


def test_a_sheet_can_be_named():
    one = ([["name", "population"], ["A", 100], ["B", 200]], [])
    two = ([["name", "population"], ["A", 101], ["B", 205]], [])
    book = workbook(first=one, second=two)
    assert people(ks.regions.read(book)) == {"A": 100, "B": 200}
    assert people(ks.regions.read(book, sheet="second")) == {"A": 101, "B": 205}
    assert people(ks.regions.read(book, sheet=2)) == {"A": 101, "B": 205}
    with pytest.raises(InputError, match="did you mean 'second'"):
        ks.regions.read(book, sheet="secnd")
    with pytest.raises(InputError, match="empty"):
        ks.regions.read(workbook(empty=([], [])))


def test_dates_name_columns():
    rows = [
        ["Population estimates"],
        ["Code", "District", datetime(2022, 7, 1), datetime(2023, 7, 1)],
        *[[f"E{k}", name, 90 * k, 101 * k * k] for k, name in enumerate("ABC", 1)],
    ]
    contents = [["Table", "Title", "Page"], ["1", "Population by district", 3], ["2", "Area", 7]]
    found = ks.regions.read(workbook(Contents=(contents, []), Data=(rows, [])))
    assert found.columns["population"] == "2023-07-01"
    assert people(found) == {"E1": 101, "E2": 404, "E3": 909}


def test_an_open_document_is_read():
    pytest.importorskip("python_calamine")
    rows = [["name", "population"], ["A", "1 200"], ["B", "2 300"]]
    cells = "".join(
        "<table:table-row>"
        + "".join(
            '<table:table-cell office:value-type="string">'
            f"<text:p>{cell}</text:p></table:table-cell>"
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body>'
        f'<office:spreadsheet><table:table table:name="T">{cells}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", body)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    assert people(ks.regions.read({"a.ods": content.getvalue()})) == {"A": 1200, "B": 2300}


# Maps ---------------------------------------------------------------------------------------------


def square(x, y, size=1.0):
    corners = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}


def features(shapes, **crs):
    rows = [
        {
            "type": "Feature",
            "properties": {"kode": f"0{k}", "nama": f"R{k}", "penduduk": 1000 + k},
            "geometry": shape,
        }
        for k, shape in enumerate(shapes)
    ]
    return {
        "map.geojson": json.dumps({"type": "FeatureCollection", "features": rows} | crs).encode()
    }


GRID = [square(110 + x, -8 + y) for y in range(2) for x in range(3)]


def test_a_map_gives_places_areas_and_borders():
    found = ks.regions.read(features(GRID))
    assert found.regions["latitude"].tolist()[:3] == [-7.5] * 3
    assert found.regions["area_km2"][0] == pytest.approx(12_258, rel=1e-3)
    pairs = set(zip(found.neighbours["code_a"], found.neighbours["code_b"], strict=True))
    assert pairs == {("00", "01"), ("01", "02"), ("03", "04"), ("04", "05"),
                     ("00", "03"), ("01", "04"), ("02", "05")}  # fmt: skip
    assert found.neighbours["border_km"].max() == pytest.approx(111.2, rel=1e-3)
    assert set(found.shapes) == {f"0{k}" for k in range(6)}
    assert {"regions.csv", "contacts.csv", "shapes.geojson"} <= set(found.files())


@pytest.mark.parametrize(
    "shape",
    [None, {"type": "Polygon", "coordinates": [[["x", 0], [1]]]}, {"type": "Point"}],
)
def test_a_map_that_leaves_a_region_out_is_refused_by_its_code(shape):
    with pytest.raises(InputError, match=r"some regions \(02\) have no shape in the map"):
        ks.regions.read(features([*GRID[:2], shape]))


def test_borders_are_found_where_points_differ():
    left = square(0, 0)
    right = {
        "type": "Polygon",
        "coordinates": [[[1, 0], [2, 0], [2, 1], [1, 1], [1, 0.7], [1.00002, 0.3], [1, 0]]],
    }
    corner = square(2, 1)
    found = ks.regions.read(features([left, right, corner]))
    assert found.neighbours[["code_a", "code_b"]].values.tolist() == [["00", "01"]]
    assert found.neighbours["border_km"][0] == pytest.approx(111.2, rel=1e-2)


def test_parts_of_one_region_are_united():
    shapes = features([square(0, 0), square(1, 0), square(5, 5)])
    text = shapes["map.geojson"].decode().replace("01", "00").replace("R1", "R0")
    found = ks.regions.read({"map.geojson": text.replace("1001", "1000").encode()})
    assert people(found) == {"00": 1000, "02": 1002}
    assert found.shapes["00"]["type"] == "Polygon"


def moved(code, shapes):
    pyproj = pytest.importorskip("pyproj")
    move = pyproj.Transformer.from_crs("EPSG:4326", code, always_xy=True).transform
    return [
        {
            "type": "Polygon",
            "coordinates": [[list(move(*point)) for point in shape["coordinates"][0]]],
        }
        for shape in shapes
    ]


@pytest.mark.parametrize("code", ["EPSG:3857", "EPSG:32749", "EPSG:23830"])
def test_projections_become_degrees(code):
    shapes = moved(code, GRID)
    named = {"crs": {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{code[5:]}"}}}
    found = ks.regions.read(features(shapes, **named))
    assert found.regions["latitude"].tolist()[0] == pytest.approx(-7.5, abs=0.01)
    assert len(found.neighbours) == 7
    with pytest.raises(InputError, match="--projection EPSG:32748"):
        ks.regions.read(features(shapes))
    assert len(ks.regions.read(features(shapes), projection=code).neighbours) == 7
    with pytest.raises(InputError, match="EPSG:99999 is unknown"):
        ks.regions.read(features(shapes), projection="EPSG:99999")


def test_own_projections_agree_with_pyproj():
    pyproj = pytest.importorskip("pyproj")
    east, north = np.array([105.0, 107.9, 110.2]), np.array([-8.0, -6.1, -0.5])
    for code in (32748, 3857):
        x, y = pyproj.Transformer.from_crs(4326, code, always_xy=True).transform(east, north)
        back = own_rule(f"EPSG:{code}", code)(x, y)
        assert np.allclose(back, (east, north), atol=1e-6)
    assert from_utm(np.array([5e5]), np.array([0.0]), 31, False)[0] == pytest.approx(3.0)


def shapefile(shapes, projection=None):
    pyshp = pytest.importorskip("shapefile")
    parts = {end: io.BytesIO() for end in ("shp", "shx", "dbf")}
    with pyshp.Writer(**parts, encoding="cp1252") as writer:
        writer.field("KODE", "C", 10)
        writer.field("NAMA", "C", 20)
        writer.field("JML_PDDK", "N", 10)
        for k, shape in enumerate(shapes):
            writer.record(f"0{k}", f"Région {k}", 1000 + k)
            writer.shape(shape)
    files = {f"map.{end}": part.getvalue() for end, part in parts.items()}
    return files | ({"map.prj": projection} if projection else {})


def test_shapefiles_are_read_with_their_parts_and_zipped(tmp_path):
    pyproj = pytest.importorskip("pyproj")
    files = shapefile(moved("EPSG:32749", GRID), pyproj.CRS(32749).to_wkt("WKT1_ESRI").encode())
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"folder/{name}", data)
    sources = (files, tmp_path / "map.shp", tmp_path / "map.dbf", {"map.zip": content.getvalue()})
    for source in sources:
        found = ks.regions.read(source)
        assert found.regions["name"][1] == "Région 1"
        assert len(found.neighbours) == 7
    with pytest.raises(InputError, match=r"map\.dbf"):
        ks.regions.read({"map.shp": files["map.shp"]})


def test_geopackages_are_read():
    base = sqlite3.connect(":memory:")
    base.executescript(
        "create table gpkg_contents (table_name text);"
        "create table gpkg_geometry_columns (table_name text, column_name text, srs_id int);"
        "create table gpkg_spatial_ref_sys (srs_id int, organization text,"
        " organization_coordsys_id int);"
        "insert into gpkg_contents values ('r'); "
        "insert into gpkg_geometry_columns values ('r', 'geom', 4326);"
        "insert into gpkg_spatial_ref_sys values (4326, 'EPSG', 4326);"
        "create table r (fid int, geom blob, code text, name text, population int)"
    )
    for k, shape in enumerate(GRID):
        blob = b"GP\x00\x01" + bytes(4) + shapely.from_geojson(json.dumps(shape)).wkb
        base.execute("insert into r values (?, ?, ?, ?, ?)", (k, blob, f"0{k}", f"R{k}", 100 + k))
    base.commit()
    found = ks.regions.read({"map.gpkg": base.serialize()})
    assert people(found) == {f"0{k}": 100 + k for k in range(6)}
    assert len(found.neighbours) == 7


def test_a_table_takes_the_shapes_of_a_map():
    table = "code,name,population\n" + "".join(f"{k},R{k},{50 + k}\n" for k in range(6))
    for source, shapes in (
        ({"t.csv": table.encode()}, features(GRID)),
        ({"t.csv": table.encode(), **features(GRID)}, None),
    ):
        found = ks.regions.read(source, shapes=shapes)
        assert len(found.neighbours) == 7
        assert found.regions["population"].tolist() == [50 + k for k in range(6)]
    other = table.replace("R", "X").replace("\n", "\n9")
    with pytest.raises(InputError, match="few of the regions"):
        ks.regions.read({"t.csv": other.rstrip("9").encode()}, shapes=features(GRID))
