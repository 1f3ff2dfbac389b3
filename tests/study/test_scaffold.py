"""A first scenario from a table: recognised columns, comments, and that it runs."""

import pytest

from kolabsim import i18n
from kolabsim.errors import InputError, StorageError
from kolabsim.scenario.headers import match_header
from kolabsim.scenario.scenario import Scenario
from kolabsim.study import scaffold
from kolabsim.study.experiment import Experiment
from kolabsim.study.scaffold import start
from tests.terminal import kolabsim

ENGLISH = """\
code,name,population_2025,latitude,longitude,debt_per_head
A,Upper Ford,8200,46.31,7.12,900
B,Lower Ford,14500,46.28,7.20,2100
C,"Old Bridge, East",31000,46.22,7.31,1500
"""
INDONESIAN = """\
Kode Wilayah;Nama Kabupaten/Kota;Provinsi;Penduduk (jiwa) 2023;Jumlah Penduduk 2024;Lintang;Bujur
34.71;Kota Yogyakarta;DIY;373000;375000;-7.80;110.36
34.04;Sleman;DIY;1140000;1150000;-7.72;110.36
34.10;Bantul;DIY;970000;980000;-7.90;110.35
"""
NO_PLACES = "name,population\nUpper Ford,8200\nLower Ford,14500\n"
ONE = "code,population,lat,lon\n1,5000,-7,110\n"
ODD = 'id,"People\n2020","a: ""b"" #"\n007,10,5\n010,20,6\n'
TABLES = {
    "english": ENGLISH,
    "indonesian": INDONESIAN,
    "no places": NO_PLACES,
    "one region": ONE,
    "odd names": ODD,
    "byte-order mark": "\ufeff" + ENGLISH,
    "tabs": ENGLISH.replace('"Old Bridge, East"', "Old Bridge").replace(",", "\t"),
    "windows": INDONESIAN.replace("\n", "\r\n"),
}


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(i18n, "_chosen", ["en"])


def begin(folder, text):
    (folder / "mine.csv").write_bytes(text.encode())
    start(folder / "made", folder / "mine.csv")
    return folder / "made"


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("spoken", ["en", "id"])
def test_what_is_made_is_a_scenario_and_an_experiment_without_problems(text, spoken, tmp_path):
    i18n.set_language(spoken)
    folder = begin(tmp_path, text)
    scenario = Scenario.load(folder / "scenario.yaml")
    assert len(scenario.regions) == len(text.strip().splitlines()) - 1 - (text is ODD)
    assert Experiment.load(folder).strategies[0] == "voluntary"
    assert (folder / "regions.csv").read_bytes() == text.encode()
    assert scenario.contacts.borders == ("places" if scenario.regions.placed else "listed")
    assert (scenario.contacts.nearest == 0) == (not scenario.regions.placed)
    longest = max(map(len, (folder / "scenario.yaml").read_text("utf-8").splitlines()))
    assert longest <= 100


def test_columns_are_found_in_indonesian_and_the_latest_year_is_taken(tmp_path):
    folder = begin(tmp_path, INDONESIAN)
    scenario = Scenario.load(folder / "scenario.yaml")
    assert scenario.regions.codes == ("34.04", "34.10", "34.71")
    assert scenario.regions.names[0] == "Sleman"
    assert scenario.regions.population[0] == 1_150_000
    assert set(scenario.regions.tier) == {"DIY"}
    assert scenario.currency == "IDR"
    assert "waste" in scenario.areas
    assert scenario.areas["waste"].cost_per_resident == 40_000


def test_the_language_changes_no_setting(tmp_path):
    found = []
    for spoken in ("en", "id"):
        i18n.set_language(spoken)
        (tmp_path / spoken).mkdir()
        found.append(Scenario.load(begin(tmp_path / spoken, ENGLISH) / "scenario.yaml").resolved())
    assert found[0] == found[1]


def test_other_regions_get_the_administration(tmp_path):
    scenario = Scenario.load(begin(tmp_path, ENGLISH) / "scenario.yaml")
    assert set(scenario.areas) == {"finance", "procurement", "training", "technology"}
    assert scenario.areas["finance"].efficient_scale == 60_000
    assert scenario.currency == ""


def test_the_file_says_what_was_taken_and_what_is_drawn(tmp_path):
    text = (begin(tmp_path, ENGLISH) / "scenario.yaml").read_text(encoding="utf-8")
    assert 'population: "population_2025"' in text
    assert "tier: no column was found" in text
    assert "at random" in text
    assert '"debt_per_head"' in text
    assert "from: [900, 2100]" in text


def test_without_places_it_says_how_to_list_contacts(tmp_path):
    folder = begin(tmp_path, NO_PLACES)
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    assert "contacts.csv" in text
    assert "Lower Ford,Upper Ford,yes,25" in text.replace("\n# ", " ")
    with (folder / "contacts.csv").open("a", encoding="utf-8") as file:
        file.write("Lower Ford,Upper Ford,yes,25\n")
    assert len(Scenario.load(folder / "scenario.yaml").contacts.list) == 1


@pytest.mark.parametrize(
    ("header", "column"),
    [
        (["kode", "penduduk"], "penduduk"),
        (["kode", "kepadatan penduduk", "populasi"], "populasi"),
        (["kode", "Penduduk (ribu)"], None),
        (["code", "population_density", "population_growth"], None),
        (["code", "Total population", "population"], "Total population"),
        (["code", "population 2019", "population 2021", "population 2020"], "population 2021"),
    ],
)
def test_only_a_number_of_people_is_taken_for_population(header, column):
    assert match_header(header).get("population") == column


BAD = {
    "code,name\nA,B\n": "no column for the population",
    "people\n5\n": "no column for the code or name of a region",
    "kode;penduduk\nA;1.345.662\n": "write 1345662",
    "code,population\nA,5\nA,6\n": "is there twice",
    "code,population\n": "no regions",
    "": "empty",
    "code,population,latitude,longitude\nA,5,100,1\n": "not between -90 and 90",
    "code,population\nA,5,6\n": "3 cells",
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


def test_what_is_typed(tmp_path):
    (tmp_path / "mine.csv").write_text(INDONESIAN, encoding="utf-8")
    done = kolabsim("new", "made", "--regions", "mine.csv", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "kolabsim run made" in done.stdout
    done = kolabsim("check", "made/scenario.yaml", "made/experiment.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    done = kolabsim("run", "made", "--runs", "4", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results/made/report.html").is_file()

    again = kolabsim("new", "made", "--regions", "mine.csv", folder=tmp_path)
    assert again.returncode == 2
    assert "not empty" in again.stderr
    gone = kolabsim("new", "other", "--regions", "mine.cvs", folder=tmp_path)
    assert gone.returncode == 2
    assert "there is no such file" in gone.stderr
    assert "Traceback" not in again.stderr + gone.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    "name",
    [
        "no places",
        pytest.param("one region", marks=pytest.mark.long),
        pytest.param("byte-order mark", marks=pytest.mark.long),
    ],
)
def test_it_runs(name, tmp_path):
    begin(tmp_path, TABLES[name])
    done = kolabsim("run", "made", "--runs", "4", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results/made/report.html").is_file()
