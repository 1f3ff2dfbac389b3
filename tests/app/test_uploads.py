"""Uploads: read as data, never executed, and the same study as that of ``kolabsim new``."""

import io
import zipfile
from dataclasses import replace

import pytest

from kolabsim.app.importing import Preview
from kolabsim.app.session import YOURS, Session, refused
from kolabsim.app.settings import Settings
from kolabsim.app.uploads import LARGEST, LARGEST_SCENARIO, STORED
from kolabsim.errors import InputError
from kolabsim.scenario.scenario import Scenario
from tests.app.test_settings import MOVED

GOOD = b"code,population,latitude,longitude\na,1000,0,0\nb,2000,0.1,0\nc,3500,0,0.1\n"
TEXT = b"""\
title: mine
regions: {table: mine.csv, columns: {latitude: latitude, longitude: longitude}}
families: [infrastructure]
"""


def make_study(uploads, files):
    """Make a study of a table without a question, as its page does."""
    preview = uploads.preview(uploads.open(files))
    view = preview.look(preview.form)
    return uploads.add(view.draft.files, study=preview.form.name)


def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_table_becomes_a_study(uploads, going):
    name = make_study(uploads, {"mine.csv": GOOD})
    assert make_study(uploads, {"mine.csv": GOOD}) == name
    found = uploads.load(name)
    assert found.scenario.regions.codes == ("a", "b", "c")
    next(Session(Settings(scenario=name), found.scenario, upload=found).estimates(going))


@pytest.mark.parametrize(
    "name", ["regions (1).csv", "Regions.CSV", "kab. a & b.csv", "2025+x.csv", "wilayah"]
)
def test_a_table_may_have_any_name(uploads, name):
    assert uploads.load(make_study(uploads, {name: GOOD})).scenario.regions.codes == ("a", "b", "c")


def test_a_study_can_be_taken_home_after_many_other_uploads(uploads, going, monkeypatch):
    monkeypatch.setattr("kolabsim.app.uploads.STORED", 3)
    monkeypatch.setattr("kolabsim.app.work.RUNS", (8, 16))
    name = make_study(uploads, {"mine.csv": GOOD})
    upload = uploads.load(name)
    estimate = next(
        Session(Settings(scenario=name), upload.scenario, upload=upload).estimates(going)
    )
    file, content = estimate.download("scenario")
    for k in range(3):
        make_study(uploads, {f"other{k}.csv": GOOD})
    assert name not in uploads.names()
    assert estimate.download("scenario") == (file, content) == ("mine.zip", content)
    assert unpacked(content) == dict(upload.files)
    assert {"regions.csv", "import.json", "experiment.yaml", "README.md"} < set(unpacked(content))
    assert unpacked(estimate.data())["study/scenario.yaml"] == upload.files["scenario.yaml"]


def test_a_study_with_moved_sliders_has_a_scenario_more(uploads, tmp_path):
    name = make_study(uploads, {"mine.csv": GOOD})
    upload = uploads.load(name)
    session = Session(replace(MOVED, scenario=name), upload.scenario, upload=upload)
    for file, content in session.study_files().items():
        (tmp_path / file).write_bytes(content)
    found = Scenario.load(tmp_path / "your-strategy.yaml")
    assert found.strategies[YOURS] == session.scenario.strategies[YOURS]
    assert found.parameters == session.scenario.parameters


def test_a_scenario_comes_with_its_files(uploads, tmp_path):
    name = uploads.add({"mine.csv": GOOD, "mine.yaml": TEXT})
    upload = uploads.load(name)
    assert upload.scenario.regions.codes == ("a", "b", "c")
    session = Session(MOVED, upload.scenario, upload=upload)
    assert session.scenario_text().startswith("extends: mine.yaml")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"x.yaml": b"a: [1"}, "x.yaml:"),
        ({"x.yaml": b"extends: kartamantul\nextensions: [rule.py]\n"}, "programs cannot be"),
        ({"x.yaml": b"extends: ../../secret.yaml\n"}, "was not uploaded"),
        ({"x.yaml": b"regions: {table: /etc/passwd}\n"}, "was not uploaded"),
        ({"x.yaml": b"extends: kartamantul\ncontacts: {list: ../a.csv}\n"}, "was not uploaded"),
        ({"x.yaml": b"extends: indonesia\nregions: {synthetic: {number: 900000, "
          b"median_population: 9}}\n"}, "900000 regions are too many"),
        ({"x.yaml": b"!!python/object/apply:os.system ['true']\n"}, "x.yaml:1"),
        ({"x.yaml": b"a: 1", "../x.csv": GOOD}, "please rename"),
        ({"x.yaml": b"a: 1", "x.csv": b"0" * LARGEST_SCENARIO}, "at most 5 MB"),
        ({"x.yaml": b"a: 1", "x.csv": b"0" * LARGEST}, "of at most 20 MB"),
        ({"x.yaml": b"a: 1", "y.yml": b"a: 1"}, "one scenario"),
        ({"x.yaml": b"extends: kartamantul\n", "y.geojson": b"{}"}, "does not name it"),
        ({"x.yaml": b"extends: kartamantul\n", "y.csv": GOOD}, "y.csv: the scenario does not name"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_its_place(uploads, files, message):
    with pytest.raises(InputError) as refusal:
        uploads.add(files)
    printed = "\n".join(map(str, refused(refusal.value)))
    assert message in printed
    assert "/tmp" not in printed
    assert uploads.names() == ()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../x.csv": GOOD}, "please rename"),
        ({".csv": GOOD}, "may not begin with a dot"),
        ({"": GOOD}, "may not begin with a dot"),
        ({"a\nb.csv": GOOD}, "holds signs that nobody sees"),
        ({"a\u202evsc.csv": GOOD}, "holds signs that nobody sees"),
        ({"\ud800.csv": GOOD}, "holds signs that nobody sees"),
        ({"a?.csv": GOOD}, "may not hold"),
        ({"a" * 250 + ".csv": GOOD}, "at most 200 bytes"),
        ({"x.csv": b"0" * (LARGEST + 1)}, "at most"),
        ({f"{k}.csv": GOOD for k in range(9)}, "at most 8 files"),
        ({}, "at most"),
        ({"import.json": b"{}"}, "with it"),
        ({"x.csv": GOOD, "import.json": b"[1]"}, "import.json"),
        ({"x.csv": GOOD, "import.json": b"{"}, "import.json"),
    ],
)
def test_what_cannot_be_previewed_is_refused(uploads, files, message):
    with pytest.raises(InputError) as refusal:
        uploads.open(files)
    assert message in "\n".join(map(str, refused(refusal.value)))


def test_previews_make_room(uploads, monkeypatch):
    tokens = [uploads.open({"m.csv": GOOD}) for _k in range(STORED + 1)]
    assert isinstance(uploads.preview(tokens[1]), Preview)
    monkeypatch.setattr("kolabsim.app.uploads.MOST_BYTES", 2 * len(GOOD))
    newest = uploads.open({"m.csv": GOOD})
    assert uploads.preview(newest)
    for token in (tokens[0], tokens[2], "", "../x"):
        with pytest.raises(InputError, match="upload them again"):
            uploads.preview(token)


def test_names_are_never_paths(uploads):
    for name in ("../kartamantul", "/etc/passwd", "kartamantul.yaml", "strategies", "indonesia"):
        with pytest.raises(InputError, match="there is no scenario"):
            uploads.load(name)
    with pytest.raises(InputError, match="upload them again"):
        uploads.load("upload-0123456789ab")
