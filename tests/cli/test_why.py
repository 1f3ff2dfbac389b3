"""``kolabsim why``: what it tells, what it writes, and what it refuses."""

import json
import re
import shutil

import pandas as pd
import pytest

from kolabsim.model import version
from tests.terminal import kolabsim

pytestmark = pytest.mark.usefixtures("sketched_figures")
ASKED = ("why", "Klaten", "--scenario", "kartamantul", "--area", "technology")
FEW = ("--runs", "80")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("why")
    return folder, kolabsim(*ASKED, *FEW, "--left", "--out", "why.html", folder=folder)


def test_the_history_is_told_in_sentences(told):
    _folder, done = told
    assert done.returncode == 0, done.stderr
    assert "Kabupaten Klaten under “Voluntary”" in done.stdout
    assert "nearest to the median of the runs in which it loses a membership" in done.stdout
    assert "What would have" in done.stdout
    assert re.search(r"at least once in \d+ of the 80 runs", done.stdout)


def test_the_page_is_self_contained_and_still_without_its_script(told):
    page = (told[0] / "why.html").read_text(encoding="utf-8")
    assert "script-src 'sha256-" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)
    data = json.loads(re.search(r'class="animation-data">(.*?)</script>', page)[1])
    assert len(data["bodies"]) == len(data["moments"]) == 41
    assert len(data["points"]) == len(data["names"]) == 7
    assert data["names"][data["me"]] == "Kabupaten Klaten"
    assert all(0.0 <= x <= 1000.0 and 0.0 <= y <= data["height"] for x, y in data["points"])
    assert {event["quarter"] for event in data["events"]} <= set(range(40))
    assert "Joint bodies over time in the run" in page, "the still picture for paper"


def test_it_speaks_indonesian(told):
    number = re.search(r"Run (\d+)", told[1].stdout)[1]
    done = kolabsim(
        *ASKED, "--runs", int(number) + 1, "--run", number, "--lang", "id", folder=told[0]
    )
    assert "Apa yang akan" in done.stdout
    assert "What would" not in done.stdout
    assert "triwulan" in done.stdout


def test_events_are_a_table_and_a_file(told):
    folder = told[0]
    done = kolabsim(*ASKED, *FEW, "--run", "3", "--table", "--out", "why.csv", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "Random number" in done.stdout
    table = pd.read_csv(folder / "why.csv")
    assert {"year", "event", "area", "region", "partners", "chance", "draw", "gain"} <= set(table)
    assert (table["area"] == "technology").all()
    assert len(table) > 0


def test_runs_of_a_study_are_told(finished):
    folder = finished[0]
    done = kolabsim("why", "34.04", "--results", "results/small", "--run", "5", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "Run 5 of 12" in done.stdout


def test_a_study_of_another_version_is_refused(finished, tmp_path, monkeypatch):
    shutil.copytree(finished[0] / "results/small", tmp_path / "small")
    monkeypatch.setattr("kolabsim.report.derive.digest", lambda *rooms: "another")
    assert version.digest() != "another"
    done = kolabsim("why", "34.04", "--results", "small", folder=tmp_path)
    assert done.returncode == 2
    assert "another version made these runs" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scenario", "kartamantul", "--run", "200"], "run 200 is not there"),
        (["--scenario", "kartamantul", "--strategy", "forun"], "did you mean 'forum'"),
        (["--scenario", "kartamantul", "--future", "plausible-1000"], "is not a future"),
        (["--scenario", "kartamantul", "--area", "wast"], "did you mean 'waste'"),
        (["--scenario", "kartamantul", "--worst", "--best"], "--worst, --best: give one of them"),
        (["--scenario", "kartamantul", "--out", "why.pdf"], "the ending of the name"),
        ([], "give one of --scenario, --experiment and --results"),
        (["--results", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_sentence(words, message, tmp_path):
    done = kolabsim("why", "Klaten", *words, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_unknown_region_is_one_sentence(tmp_path):
    done = kolabsim("why", "Klatn", "--scenario", "kartamantul", folder=tmp_path)
    assert done.returncode == 2
    assert "did you mean '33.10' (Kabupaten Klaten)?" in done.stderr
