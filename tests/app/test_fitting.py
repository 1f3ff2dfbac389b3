"""A visitor's own evidence on the page: what may be uploaded, and the answer of the command."""

import zipfile
from io import BytesIO

import numpy as np
import pytest

from kolabsim.app import fitting
from kolabsim.app.fitting import (
    FitWork,
    Own,
    answer_html,
    bodies_chart,
    check_own,
    commands,
    download,
    facts_chart,
    read_own,
    sentence,
)
from kolabsim.app.settings import Settings
from kolabsim.errors import InputError
from kolabsim.i18n import speaking
from kolabsim.scenario.futures import plausible_futures
from kolabsim.validation.facts_file import read_evidence
from kolabsim.validation.persistence import follow_bodies, kept_bodies
from kolabsim.validation.runs import Setting, simulate_run
from kolabsim.validation.scorecard import score

FACTS = b"""\
facts:
  cooperation: {title: Shared services, measure: cooperation, low: 0, high: 0.9, source: Office}
  trust: {title: Trust, measure: trust, year: 1, low: 0.9, high: 1, source: Survey, use: held out}
"""
BODIES = b"body,region,area\nA,34.71,wastewater\nA,34.04,wastewater\nA,34.02,wastewater\n"
OWN = Own({"facts.yaml": FACTS, "bodies.csv": BODIES})


@pytest.fixture(scope="module")
def few():
    """Few futures and runs, so that tests are quick."""
    patch = pytest.MonkeyPatch()
    patch.setattr(fitting, "FUTURES", 2)
    patch.setattr(fitting, "runs_needed", lambda: 3)
    yield
    patch.undo()


def fitted(own, scenario, settings=None):
    work = FitWork(own, settings or Settings(), scenario)
    work.prepare()
    assert sum(piece() for piece in work.pieces()) == work.all_runs
    return work.fit()


@pytest.fixture(scope="module")
def found(few, scenario):
    return fitted(OWN, scenario)


def test_facts_are_judged_as_the_command_judges_them(found, scenario, tmp_path):
    for name, content in OWN.files.items():
        (tmp_path / name).write_bytes(content)
    evidence = read_evidence(scenario, tmp_path / "facts.yaml", bodies=tmp_path / "bodies.csv")
    futures = [*plausible_futures(2, scenario).values()]
    told = score(evidence.facts, settings=evidence.settings, runs=3, elsewhere=futures)
    assert [one[1:] for one in found.findings] == [one[1:] for one in told]
    names = [one.fact.id for one in found.findings]
    assert names == ["cooperation", "trust", "SHARE_wastewater", "PARTNERS", "PAIRS"]
    assert all(one.least <= one.middle <= one.most for one in found.findings)
    assert {one.fact.source for one in found.findings} == {"Office", "Survey", "bodies.csv"}


def test_without_files_the_bodies_of_the_scenario_are_followed(few, scenario):
    found = fitted(Own(), scenario)
    assert [one.area for one in found.kept] == ["wastewater", "drinking_water", "transport"]
    assert [one.fact.id for one in found.findings] == ["KEEP"]
    for one in found.kept:
        assert one.whole + one.parts + one.ended == pytest.approx(1.0)
        assert one.low <= one.together <= one.high <= len(one.members)
    assert "joint bodies of today" in sentence(found, Own())
    with pytest.raises(InputError, match="lists no joint bodies"):
        read_own(scenario.with_({"bodies": []}), Own())


def test_a_body_is_followed_to_its_end(scenario):
    run = simulate_run(Setting(scenario), 0, future={}, seed=1)
    (rows, area) = run.listed[0][1], run.listed[0][0]
    column = run.at("body")[:, area]
    size = (column == column[rows[0]]).sum()
    assert follow_bodies(run)[0].tolist() == [3, size]
    column[rows[0]] = -1
    assert follow_bodies(run)[0].tolist() == [2, size - 1]
    column[list(rows)] = -1
    assert follow_bodies(run)[0].tolist() == [0, 0]
    followed = np.array([[[[3, 3]], [[2, 4]]], [[[3, 3]], [[0, 0]]]], float)
    (one,) = kept_bodies([("waste", ("a", "b", "c"))], followed)
    assert (one.whole, one.parts, one.ended) == (0.5, 0.25, 0.25)
    assert (one.low, one.together, one.high) == (1.5, 2.0, 2.5)
    assert one.size == pytest.approx(10 / 3)


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_answer_has_a_sentence_charts_tables_and_files(found, scenario, language):
    with speaking(language):
        html, said = answer_html(found, scenario), sentence(found, OWN)
        charts = facts_chart(found), bodies_chart(found, scenario)
    if language == "en":
        assert said.startswith("The model as it is fits")
        assert "of 5 facts" in said
    assert html.count("<table") == 3  # held out, for calibration, and joint bodies
    assert "{" not in html + said
    assert len(charts[0].options["yAxis"]["data"]) == 5
    assert [one["stack"] for one in charts[1].options["series"]] == ["all"] * 3
    with zipfile.ZipFile(BytesIO(download(found))) as files:
        assert files.namelist() == ["scorecard.csv", "bodies.csv"]
        assert b"range_high" in files.read("scorecard.csv")


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (
            {"facts.yaml": FACTS.replace(b"trust,", b"trsut,")},
            r"facts.yaml:3:.*did you mean 'trust'",
        ),
        ({"bodies.csv": BODIES + b"A,99,waste\n"}, r"bodies.csv:5: region: .*no region '99'"),
        ({"facts.yaml": b"bodies: {table: ../x.csv}\n"}, r"facts.yaml:1:.*'../x.csv' was not upl"),
        ({"facts.yaml": b"facts: {a: ["}, r"facts.yaml:1:.*this is not YAML"),
    ],
)
def test_bad_files_are_told_with_file_and_line(scenario, files, text):
    with pytest.raises(InputError, match=text):
        read_own(scenario, check_own(files))


@pytest.mark.parametrize("names", [["a.yaml", "b.yml"], ["a.csv", "b.csv"], ["a.txt"], []])
def test_only_one_file_of_each_kind_is_taken(names):
    with pytest.raises(InputError, match=r"one file of facts|at most"):
        check_own(dict.fromkeys(names, b""))


def test_the_commands_say_the_same(scenario):
    settings = Settings(assumptions={"trust_start": 0.6})
    told = commands(OWN, settings, "kartamantul", is_shipped=True)
    assert told[0] == (
        "kolabsim evidence --scenario kartamantul --facts facts.yaml --bodies bodies.csv "
        "--set parameters.trust_start=0.6"
    )
    assert told[1:] == [
        "echo 'extends: kartamantul' > mine.yaml",
        "kolabsim calibrate --scenario mine.yaml --facts facts.yaml --bodies bodies.csv",
    ]
    assert commands(Own(), Settings(), "my towns.yaml", is_shipped=False) == [
        "kolabsim calibrate --scenario 'my towns.yaml' --facts facts.yaml"
    ]
    work = FitWork(OWN, settings, scenario)
    assert work.scenario.parameters["trust_start"] == 0.6
    assert work.is_on(settings.moved("mechanisms.team", 0.3))
    assert not work.is_on(Settings())


def test_more_work_than_the_page_takes_on_is_refused(scenario):
    with pytest.raises(InputError, match="times the work that this page takes on"):
        FitWork(OWN, Settings(), scenario, factor=1e-4).prepare()
