"""A first study from a table: understood, answered, commented, and that it runs."""

import io
import json
import shlex
import zipfile

import pytest

import kolabsim as ks
from kolabsim import i18n
from kolabsim.errors import InputError, StorageError
from kolabsim.scenario.scenario import Scenario
from kolabsim.study import scaffold
from kolabsim.study.experiment import Experiment
from tests.terminal import kolabsim

ENGLISH = """\
code,name,population_2025,latitude,longitude,debt_per_head
A,Upper Ford,8200,46.31,7.12,900
B,Lower Ford,14500,46.28,7.20,2100
C,"Old Bridge, East",31000,46.22,7.31,1500
"""
INDONESIAN = """\
Kode Wilayah;Nama Kabupaten/Kota;Provinsi;Penduduk (jiwa) 2023;Jumlah Penduduk 2024;Lintang;Bujur
34.71;Kota Yogyakarta;DIY;373.000;375.000;-7,80;110,36
34.04;Sleman;DIY;1.140.000;1.150.000;-7,72;110,36
34.10;Bantul;DIY;970.000;980.000;-7,90;110,35
"""
NO_PLACES = "name,population\nUpper Ford,8200\nLower Ford,14500\n"
ONE = "code,population,lat,lon\n1,5000,-7,110\n"
TABLES = {
    "english": ENGLISH,
    "indonesian": INDONESIAN,
    "no places": NO_PLACES,
    "one region": ONE,
    "byte-order mark": "\ufeff" + ENGLISH,
    "tabs": ENGLISH.replace('"Old Bridge, East"', "Old Bridge").replace(",", "\t"),
    "windows": INDONESIAN.replace("\n", "\r\n"),
}
SQUARES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"kode": f"34.{k:02}", "nama": f"Daerah {k}", "penduduk": 90_000 + k},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, -8], [x + 0.1, -8], [x + 0.1, -7.9], [x, -7.9], [x, -8]]],
            },
        }
        for k, x in enumerate((110.0, 110.1, 110.2), 1)
    ],
}


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(i18n, "_chosen", ["en"])


def begin(folder, text, **answers):
    return ks.new_study(folder / "made", {"mine.csv": text.encode()}, **answers)


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("spoken", ["en", "id"])
def test_what_is_made_is_a_scenario_and_an_experiment_without_problems(text, spoken, tmp_path):
    i18n.set_language(spoken)
    begin(tmp_path, text)
    scenario = Scenario.load(tmp_path / "made/scenario.yaml")
    assert len(scenario.regions) == len(text.strip().splitlines()) - 1
    assert Experiment.load(tmp_path / "made").strategies[0] == "voluntary"
    longest = max(map(len, (tmp_path / "made/scenario.yaml").read_text("utf-8").splitlines()))
    assert longest <= 100


def test_the_table_is_written_clean_and_every_decision_is_kept(tmp_path):
    begin(tmp_path, INDONESIAN, prices="preset")
    lines = (tmp_path / "made/regions.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("code,name,population,tier,latitude,longitude")
    assert lines[1].startswith("34.71,Kota Yogyakarta,375000,DIY,-7.8,110.36")
    record = json.loads((tmp_path / "made/import.json").read_text(encoding="utf-8"))
    assert record["population"] == 375_000 + 1_150_000 + 980_000
    assert record["study"] == {"prices": "preset"}
    assert record["answered"]["services"] == "indonesia"
    assert len(record["source"]["sha256"]) == 64
    scenario = Scenario.load(tmp_path / "made/scenario.yaml")
    assert scenario.currency == "IDR"
    assert scenario.areas["waste"].cost_per_resident == 40_000


def test_the_language_changes_words_and_nothing_else(tmp_path):
    found = {}
    for spoken in ("en", "id"):
        i18n.set_language(spoken)
        study = ks.new_study(tmp_path / spoken / "made", {"mine.csv": INDONESIAN.encode()})
        found[spoken] = study.scenario.resolved()
        for name in ("regions.csv", "import.json"):
            found[spoken][name] = (tmp_path / spoken / "made" / name).read_bytes()
    assert found["en"] == found["id"]


def test_a_column_of_culture_is_proposed_with_the_scale_of_the_table(tmp_path):
    table = "Town;Inhabitants;debt\nUpper Ford;8200;3.25\nLower Ford;14500;17.5\nMid;9000;9\n"
    ks.new_study(tmp_path / "made", {"mine.csv": table.encode()}, services="administration")
    path = tmp_path / "made/scenario.yaml"
    text = path.read_text(encoding="utf-8")
    assert "  #       scale: 5.85\n" in text
    head, _start, rest = text.partition("  # columns:\n")
    block, blank, rest = rest.partition("\n\n")
    path.write_text(head + "  columns:\n" + block.replace("  # ", "  ") + blank + rest)
    (culture,) = Scenario.load(path).columns.culture
    assert (culture.column, culture.scale) == ("debt", 5.85)


def test_without_a_price_no_money_is_shown(tmp_path):
    assert begin(tmp_path, ENGLISH).scenario.currency == ""


def test_an_import_is_repeated_with_next_years_file(tmp_path):
    table = ENGLISH + "Total,All,53700,46.3,7.2,1500\n"
    answers = {"drop_totals": True, "acquaintance": "nearest:1", "neighbourhood": "list:A,B"}
    first = begin(tmp_path, table, **answers)
    assert first.scenario.regions.codes == ("A", "B")
    later = table.replace("2025", "2026").replace("8200", "8400").replace("53700", "53900")
    record = tmp_path / "made/import.json"
    second = ks.new_study(tmp_path / "next", {"mine.csv": later.encode()}, decisions=record)
    assert second.scenario.regions.population[0] == 8400
    assert second.setup.contacts == first.setup.contacts
    changed = ks.new_study(
        tmp_path / "other", {"mine.csv": later.encode()}, decisions=record, neighbourhood="all"
    )
    assert len(changed.scenario.regions) == 3


def test_a_map_gives_borders_shapes_and_places(tmp_path):
    pytest.importorskip("shapely")
    content = json.dumps(SQUARES).encode()
    study = ks.new_study(tmp_path / "made", {"areas.geojson": content}, neighbourhood="all")
    assert [(row.code_a, row.code_b) for row in study.scenario.contacts.list] == [
        ("34.01", "34.02"), ("34.02", "34.03"),
    ]  # fmt: skip
    assert all(row.land for row in study.scenario.contacts.list)
    assert set(study.scenario.regions.shapes) == set(study.scenario.regions.codes)
    part = ks.new_study(
        tmp_path / "part", {"areas.geojson": content}, neighbourhood="list:34.01,34.02"
    )
    assert len(part.scenario.contacts.list) == 1
    assert len(json.loads((tmp_path / "part/shapes.geojson").read_text())["features"]) == 2
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("areas.geojson", content)
    zipped = ks.new_study(tmp_path / "zipped", {"areas.zip": archive.getvalue()})
    assert zipped.scenario.regions == study.scenario.regions


def test_places_of_some_regions_only_are_not_used(tmp_path):
    study = begin(tmp_path, ENGLISH + "D,Far Hill,900,,,700\n")
    assert "1 region has no place" in study.notices[0].text
    assert not study.scenario.regions.placed
    placed = ks.new_study(
        tmp_path / "x", {"mine.csv": (ENGLISH + "D,Far Hill,900,,,700\n").encode()},
        neighbourhood="list:A,B,C",
    )  # fmt: skip
    assert placed.scenario.regions.placed


def test_borders_of_a_list_are_those_between_chosen_regions(tmp_path):
    (tmp_path / "borders.csv").write_text("code_a,code_b\nA,B\nB,C\n", encoding="utf-8")
    answers = {"neighbours": f"list:{tmp_path / 'borders.csv'}", "neighbourhood": "list:A,B"}
    study = begin(tmp_path, ENGLISH, **answers)
    assert [(row.code_a, row.code_b) for row in study.scenario.contacts.list] == [("A", "B")]
    (tmp_path / "borders.csv").write_text("code_a,code_b\nA,D\n", encoding="utf-8")
    with pytest.raises(InputError, match="no region has the code 'D'"):
        ks.new_study(tmp_path / "x", {"mine.csv": ENGLISH.encode()}, **answers)


def test_a_study_in_which_nothing_can_happen_is_told(tmp_path):
    assert [notice.is_total for notice in begin(tmp_path, ONE).notices] == [True]


BAD = {
    "code,area\nA,5.5\nB,6.5\n": "no column is the population",
    "code,population\nA,5\nA,6\n": "--duplicates",
    "": "empty",
    "code,population\nA,5\nB,\nC,7\n": "--missing leave-out",
}


@pytest.mark.parametrize("text", BAD, ids=BAD.values())
def test_a_table_that_is_none_of_regions_is_refused_and_nothing_is_written(text, tmp_path):
    with pytest.raises(InputError, match=BAD[text]):
        begin(tmp_path, text)
    assert not (tmp_path / "made").exists()


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path, monkeypatch):
    write = scaffold.write_whole

    def refuse(path, content):
        if path.name == "experiment.yaml":
            raise StorageError("full")
        write(path, content)

    monkeypatch.setattr(scaffold, "write_whole", refuse)
    with pytest.raises(StorageError):
        begin(tmp_path, ENGLISH)
    assert not (tmp_path / "made").exists()


def test_what_is_typed(tmp_path, sketched_figures):
    (tmp_path / "mine.csv").write_text(INDONESIAN, encoding="utf-8")
    done = kolabsim("new", "my valley", "--regions", "mine.csv", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "kolabsim run 'my valley'" in done.stdout
    assert "3 regions with 2,505,000 people" in done.stdout
    files = "my valley/scenario.yaml", "my valley/experiment.yaml"
    done = kolabsim("check", *files, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    done = kolabsim("run", "my valley", "--quick", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results/my valley/report.html").is_file()

    again = kolabsim("new", "my valley", "--regions", "mine.csv", folder=tmp_path)
    assert again.returncode == 2
    assert "not empty" in again.stderr
    gone = kolabsim("new", "other", "--regions", "mine.cvs", folder=tmp_path)
    assert gone.returncode == 2
    assert "mine.cvs" in gone.stderr
    assert "Traceback" not in again.stderr + gone.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", ["-valley", "it's $HOME; ls"])
def test_a_command_that_is_shown_can_be_typed(tmp_path, name):
    (tmp_path / "mine.csv").write_text(INDONESIAN, encoding="utf-8")
    done = kolabsim("new", "--regions", "mine.csv", "--", name, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    readme = (tmp_path / name / "README.md").read_text("utf-8")
    for text in (done.stdout.splitlines()[-1].split("run: ")[1], *readme.splitlines()):
        if text.startswith("kolabsim "):
            words = ["check" if word == "run" else word for word in shlex.split(text)[1:]]
            words = [f"{word}/experiment.yaml" if word.endswith(name) else word for word in words]
            assert kolabsim(*words, folder=tmp_path).returncode == 0


def test_open_questions_name_flags_that_answer_them(tmp_path):
    (tmp_path / "mine.csv").write_text(ENGLISH + "Total,All,53700,46.3,7.2,1500\n", "utf-8")
    typed = "new", "made", "--regions", "mine.csv"
    open_ = kolabsim(*typed, folder=tmp_path)
    assert open_.returncode == 2
    assert "--drop-totals" in open_.stderr
    done = kolabsim(*typed, "--drop-totals", "--acquaintance", "nearest:1", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Scenario.load(tmp_path / "made/scenario.yaml").contacts.nearest == 1
    wrong = kolabsim(*typed[:1], "x", *typed[2:], "--services", "administraton", folder=tmp_path)
    assert wrong.returncode == 2


def test_questions_are_asked_on_a_terminal(tmp_path):
    (tmp_path / "mine.csv").write_text(ENGLISH + "Total,All,53700,46.3,7.2,1500\n", "utf-8")
    typed = "1\nlist:A,B\n\nmoney\nunits\nnone\neverybody\n"
    done = kolabsim("new", "made", "--regions", "mine.csv", "--ask", folder=tmp_path, typed=typed)
    assert done.returncode == 0, done.stderr
    assert "answers are units" in done.stderr
    scenario = Scenario.load(tmp_path / "made/scenario.yaml")
    assert scenario.regions.codes == ("A", "B")
    assert (scenario.contacts.within, scenario.contacts.borders) == ("all", "listed")


@pytest.mark.long
@pytest.mark.parametrize("name", ["no places", "one region", "byte-order mark"])
def test_it_runs(name, tmp_path):
    begin(tmp_path, TABLES[name])
    done = kolabsim("run", "made", "--runs", "4", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results/made/report.html").is_file()
