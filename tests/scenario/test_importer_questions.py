"""What an import asks and refuses: one sentence each, with what was seen and what to type."""

import gzip
import io
import json
import zipfile
from functools import cache

import pytest

import kolabsim as ks
from kolabsim import i18n
from kolabsim.errors import InputError
from kolabsim.scenario.importer import examine
from tests.scenario.test_importer import INDIAN, people, read, refused

TOTALS = """\
kode;nama;penduduk 2022;penduduk 2023
;Provinsi Uji;6.000;6.600
01.01;Kota A;1.000;1.100
01.02;Kota B;2.000;2.300
01.03;Kabupaten C;3.000;3.200
"""
NESTED = """\
REGION / PROVINCE / CITY,Total Population
PHILIPPINES,"1,000"
REGION I,600
ILOCOS NORTE,350
Adams,100
Bacarra,250
ILOCOS SUR,250
Alilem,50
Banayoyo,200
REGION II,400
BATANES,400
Basco,150
Itbayat,250
"""
PLACES = "code,name,population,latitude,longitude\n" + "".join(
    f"R{k},Name{k},{1000 + 7 * k},{-7 - 0.1 * k},{110 + 0.1 * k}\n" for k in range(6)
)
QUESTIONS = {
    "total row": (
        TOTALS, "--drop-totals", {"drop_totals": True},
        {"01.01": 1100, "01.02": 2300, "01.03": 3200},
    ),
    "levels of totals": (
        NESTED, "--drop-totals", {"drop_totals": True},
        {"Adams": 100, "Bacarra": 250, "Alilem": 50, "Banayoyo": 200, "Basco": 150, "Itbayat": 250},
    ),
    "parts and levels": (
        INDIAN, '--rows "TRU=Total,Level=DISTRICT"', {"rows": "TRU=Total,Level=DISTRICT"},
        {"01001": 1500, "01002": 2500, "02003": 2000, "02004": 3000},
    ),
    "missing people": (
        "code,name,population\n1,A,1000\n2,B,..\n3,C,1500\n4,D,n/a\n", "--missing leave-out",
        {"missing": "leave-out"}, {"1": 1000, "3": 1500},
    ),
    "no numbers": (
        "code,name,population\n1,A,1000\n2,B,many\n3,C,1500\n", "--missing leave-out",
        {"missing": "leave-out"}, {"1": 1000, "3": 1500},
    ),
    "two populations": (
        "code,name,population,inhabitants\n1,A,1000,5000\n2,B,2000,900\n3,C,1500,100\n",
        '--column population="inhabitants"', {"columns": ["population=inhabitants"]},
        {"1": 5000, "2": 900, "3": 100},
    ),
    "a code twice": (
        "code,name,population\n" + "".join(f"{max(k, 1)},N{k},{100 + k}\n" for k in range(12)),
        "--duplicates sum", {"duplicates": "sum"},
        {"1": 201, **{str(k): 100 + k for k in range(2, 12)}},
    ),
    "a code twice with other names": (
        "code,name,population\nA1,Upper,5000\nA1,Middle,5100\nA2,Lower,7000\n",
        "--duplicates sum", {"duplicates": "sum"}, {"A1": 10100, "A2": 7000},
    ),
    "decimals": (
        "code,name,population\n1,A,10.5\n2,B,3.2\n3,C,7.7\n", "--unit thousands",
        {"unit": "thousands"}, {"1": 10500, "2": 3200, "3": 7700},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", QUESTIONS)
def test_what_changes_results_is_asked_and_answered(kind):
    text, flag, answers, expected = QUESTIONS[kind]
    messages = refused(text)
    assert any(flag.partition("=")[0] in message for message in messages), messages
    found = examine({"table.csv": text.encode()})
    assert [one.question for one in found.questions] == messages
    assert any(flag in one.typed for one in found.questions)
    assert people(read(text, **answers)) == expected


def test_kept_totals_are_regions():
    found = read(TOTALS, drop_totals=False, columns={"code": "nama"})
    assert len(found.regions) == 4


def test_totals_give_the_tier_of_the_rows_below():
    found = read(NESTED, drop_totals=True)
    assert (
        found.regions["tier"].tolist()
        == ["ILOCOS NORTE"] * 2 + ["ILOCOS SUR"] * 2 + ["BATANES"] * 2
    )


def test_regions_of_many_sizes_are_no_totals():
    text = "name,population\n" + "".join(f"N{k},{(k * 7919) % 1009 + 5}\n" for k in range(300))
    assert len(read(text).regions) == 300


def test_far_places_are_asked_about():
    swapped = PLACES.replace("-7.3,110.3", "110.3,-7.3")
    assert "--places swap" in refused(swapped)[0]
    assert read(swapped, places="swap").regions["latitude"][3] == -7.3
    far = PLACES.replace("-7.3,110.3", "52.3,4.9")
    assert "--places keep" in refused(far)[0]
    assert read(far, places="keep").regions["latitude"][3] == 52.3
    assert read(far, places="leave-out").regions["latitude"].isna().sum() == 1


def test_exchanged_columns_of_places_are_noticed():
    lines = [line.split(",") for line in PLACES.splitlines()[1:]]
    text = "code,name,population,lat,lon\n" + "".join(
        f"{a},{b},{c},{e},{d}\n" for a, b, c, d, e in lines
    )
    found = read(text)
    assert found.columns["latitude"] == "lon"
    assert found.regions["latitude"].max() < 0


def packed(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return content.getvalue()


@cache
def bomb():
    return packed(**{"[Content_Types].xml": "x", "xl__sheet1.xml": b"0" * 210_000_000})


SMALLER = (210_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")
PROTECTED = (
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
)
BAD = {
    "picture": ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00abc", "a picture"),
    "PDF": ("a.csv", b"%PDF-1.4\n...", "a PDF file"),
    "empty": ("a.csv", b"", "empty"),
    "blank": ("a.csv", b"\n \n", "empty"),
    "header alone": ("a.csv", b"code,name,population\n", "--header"),
    "protected": ("a.xlsx", PROTECTED, "password"),
    "damaged workbook": ("a.xlsx", b"PK\x03\x04abc", "download it again"),
    "old workbook": ("a.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 5000, "save it again as .xlsx"),
    "bomb": ("a.xlsx", bomb, "200 MB"),
    "bomb of gzip": ("a.csv.gz", lambda: gzip.compress(b"0" * 210_000_000, 1), "200 MB"),
    "damaged gzip": ("a.csv.gz", b"\x1f\x8b\x08" + b"1" * 40, "download it again"),
    "bomb that lies": ("a.xlsx", lambda: bomb().replace(*SMALLER), "200 MB"),
    "other archive": ("a.zip", packed(**{"readme.md": "x"}), "'readme.md'"),
    "two tables": ("a.zip", packed(**{"a.csv": "x", "b.csv": "y"}), '--sheet "a.csv"'),
    "text document": (
        "a.docx", packed(**{"[Content_Types].xml": "x", "word__a.xml": "x"}), "text document"
    ),
    "web page": ("a.xls", b"<html><table></table></html>", "web page"),
    "no people": ("a.csv", b"kode,nama,luas\n1,A,5.5\n2,B,6.5\n", "'kode', 'nama', 'luas'"),
    "people in words": ("a.csv", b"code,name,population\n1,A,few\n2,B,many\n", "not numbers"),
    "cut numbers": ("a.csv", b"code,name,population\n1,A,1,000\n2,B,22,500\n", "quotes"),
    "JSON": ("a.json", b'{"a": [1,', "not JSON"),
    "TopoJSON": ("a.json", b'{"type": "Topology"}', "save it as GeoJSON"),
    "XML": ("a.xml", b"<?xml version='1.0'?><a><b/></a>", "XML without a table"),
    "entities": ("a.xls", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "XML"),
    "no list": ("a.json", b'{"a": 1}', "no list"),
    "zero bytes": ("a.csv", b"code,name\x00,population\n1,A,5\n2,B,6\n", "zero bytes"),
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_refused_in_one_sentence(kind, language):
    name, data, part = BAD[kind]
    data = data() if callable(data) else data
    with i18n.speaking(language):
        (message,) = refused(data, name=name)
    assert language == "id" or part in message
    assert "\n" not in message
    assert ";" in message or "," in message  # what was seen, and what to do


@pytest.mark.parametrize(
    ("answers", "part"),
    [
        ({"missing": "zero"}, "allowed: leave-out"),
        ({"columns": {"people": "x"}}, "regions have no 'people'"),
        ({"columns": {"population": "popu"}}, "did you mean 'population'?"),
        ({"columns": ["population"]}, "needs a sign ="),
        ({"rows": "Level=X"}, "there is no column 'Level'"),
        ({"rows": "name=X"}, "no row has 'X'"),
        ({"header": 99}, "no line 99"),
        ({"header": "first"}, "such as 5 or 3-4"),
        ({"encoding": "utf-99"}, "try --encoding"),
        ({"decimal": "dot"}, "did you mean"),
    ],
)
def test_answers_that_do_not_fit_are_refused(answers, part):
    (message,) = refused("code,name,population\n1,A,5\n2,B,6\n", **answers)
    assert part in message or "allowed" in message


def test_many_wrong_rows_are_one_problem():
    rows = 30_000
    text = "code,name,population\n" + "".join(f"{k},N{k},x{k}\n" for k in range(rows))
    (message,) = refused(text)
    assert f"{rows} (line 2 'x0', line 3 'x1', line 4 'x2', ...)" in message


def test_an_import_is_repeated_with_the_file_of_next_year(tmp_path):
    first = read(TOTALS, drop_totals=True)
    record = tmp_path / "import.json"
    record.write_bytes(first.files()["import.json"])
    again = read(TOTALS, decisions=record)
    assert again.to_json() == first.to_json()
    later = TOTALS.replace("2023", "2024").replace("3.200", "3.300").replace("6.600", "6.700")
    found = read("Judul tabel\n\n" + later, decisions=record)
    assert people(found) == {"01.01": 1100, "01.02": 2300, "01.03": 3300}
    assert found.columns["population"] == "penduduk 2024"


@pytest.mark.parametrize(
    ("first", "later", "answers", "column"),
    [
        ("id;nama;POB22\n1;A;50\n2;B;60\n", "id;nama;POB22;POB23\n1;A;50;51\n2;B;60;62\n",
         {"columns": {"population": "POB22"}}, "POB23"),
        ("name,1 July 2022,x\nA,50,1\nB,60,2\n", "name,1 July 2022,1 July 2023\nA,5,51\nB,6,62\n",
         {"columns": {"population": "1 July 2022"}}, "1 July 2023"),
        ("unit,geo\\time\t2022 \nNR,A\t50 \nNR,B\t60 \n",
         "unit,geo\\time\t2022 \t2023 \nNR,A\t50 \t51 \nNR,B\t60 \t62 \n",
         {"columns": {"population": "2022"}}, "2023"),
        ("name;m22;f22\nA;20;30\nB;25;35\n", "name;m22;f22;m23;f23\nA;20;30;21;30\nB;25;35;26;36\n",
         {"columns": {"population": "m22 + f22"}}, "m23 + f23"),
        ("name;year;population\nA;2022;50\nB;2022;60\n",
         "name;year;population\nA;2022;50\nB;2022;60\nA;2023;51\nB;2023;62\n",
         {"rows": {"year": "2022"}}, "population"),
    ],
)  # fmt: skip
def test_an_answer_that_names_a_year_means_the_latest(first, later, answers, column):
    record = json.loads(read(first, **answers).to_json())
    found = read(later, decisions=record)
    assert found.columns["population"] == column
    assert people(found) == dict(zip(found.regions["code"], [51, 62], strict=True))


def test_a_sheet_that_is_called_after_a_year_is_that_of_the_latest():
    pytest.importorskip("openpyxl")
    from tests.scenario.test_importer_maps import workbook

    table = ([["name", "population"], ["A", 50], ["B", 60]], [])
    newer = ([["name", "population"], ["A", 51], ["B", 62]], [])
    first = ks.regions.read(workbook(Notes=table, T2022=table), sheet="T2022")
    book = workbook(Notes=table, T2022=table, T2023=newer)
    assert people(ks.regions.read(book, decisions=json.loads(first.to_json()))) == {
        "A": 51,
        "B": 62,
    }


@pytest.mark.long
def test_a_table_of_a_million_rows_is_refused():
    rows = "".join(f"{k},{k % 97}\n" for k in range(300_001))
    assert "300001 regions, too many" in refused("name,population\n" + rows)[0]


def test_a_record_that_is_none_is_refused(tmp_path):
    path = tmp_path / "import.json"
    path.write_text("[1]")
    with pytest.raises(InputError, match=r"import\.json"):
        read(TOTALS, decisions=path)


def test_the_files_of_an_import_are_read_as_a_scenario(tmp_path):
    found = read(TOTALS, drop_totals=True)
    for name, data in found.files().items():
        (tmp_path / name).write_bytes(data)
    again = ks.regions.read(tmp_path / "regions.csv")
    assert again.regions.equals(found.regions)
    assert json.loads((tmp_path / "import.json").read_text())["answers"] == {"drop_totals": True}


def test_a_projection_without_coordinates_is_refused(tmp_path) -> None:
    table = b"code,name,population,x,y\nA,Up,5000,430000,9140000\nB,Low,7000,431000,9141000\n"
    with pytest.raises(InputError, match="--projection has no coordinates to act on"):
        examine({"a.csv": table}, projection="EPSG:32749")
    pytest.importorskip("pyproj")
    columns = {"longitude": "x", "latitude": "y"}
    found = examine({"a.csv": table}, projection="EPSG:32749", columns=columns)
    assert found.regions["latitude"].between(-8, -7).all()
