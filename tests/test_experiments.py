"""Every experiment that ships, in its quick size, as a user runs it."""

import importlib.util
import re
from itertools import pairwise
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from kolabsim.scenario.scenario import shipped, shipped_names
from kolabsim.study.experiment import Experiment
from tests.terminal import kolabsim

ROOT = Path(__file__).parents[1]
NAMES = shipped_names("experiments")


def tool():
    spec = importlib.util.spec_from_file_location("refresh", ROOT / "tools/refresh_expected.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_quick_size(name, tmp_path):
    experiment = Experiment.load(name)
    done = kolabsim("run", name, "--quick", "--out", "r", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert experiment.question("en") in page
    assert "<svg" in page
    assert list((tmp_path / "r" / "figures").glob("*.png"))
    sections = re.findall(r'<section id="([\w-]+)"', page)
    assert sections[0] == "answer"
    assert sections[-3:] == ["surety", "assumptions", "again"]
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert max(after - before for before, after in pairwise(levels)) == 1
    for told in (f"<dd>kolabsim run {name} --quick --out r</dd>", "<blockquote>"):
        assert told in page
    book = openpyxl.load_workbook(tmp_path / "r" / "report.xlsx", read_only=True)
    assert len(book.sheetnames) - 1 == page.count("<caption>")
    if experiment.kind == "search":
        front = pd.read_csv(tmp_path / "r" / "front.csv")
        assert (front["programme_cost"] <= experiment.text.budget * 10).all()
        return
    found = tool().figures(experiment.kind, tmp_path / "r")
    expected = pd.read_csv(shipped("experiments") / name / "expected.csv")
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True), expected, rtol=1e-3, atol=2e-6, check_dtype=False
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_has_a_question_in_both_languages_and_a_page_of_its_own(name):
    experiment = Experiment.load(name)
    assert experiment.question("id") != experiment.question("en")
    readme = (shipped("experiments") / name / "README.md").read_text(encoding="utf-8")
    assert f"kolabsim run experiments/{name}" in readme
    assert "2026" in readme, "the full-size result with its date"


def test_a_page_in_indonesian(tmp_path):
    done = kolabsim("run", "mandate", "--quick", "--out", "r", "--lang", "id", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert 'lang="id"' in page
    assert Experiment.load("mandate").question("id") in page


def test_the_same_command_again_runs_nothing(tmp_path):
    for _time in range(2):
        done = kolabsim("run", "what-drives", "--quick", "--out", "r", folder=tmp_path)
        assert done.returncode == 0, done.stderr
    facts = (tmp_path / "r" / "provenance.json").read_text(encoding="utf-8")
    assert '"runs_done": 0' in facts


def test_a_larger_sample_keeps_the_runs_of_the_smaller(tmp_path):
    kolabsim("run", "what-drives", "--quick", "--out", "r", folder=tmp_path)
    done = kolabsim(
        "run", "what-drives", "--quick", "--samples", 32, "--out", "r", folder=tmp_path
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    facts = (tmp_path / "r" / "provenance.json").read_text(encoding="utf-8")
    reused = int(facts.split('"runs_reused": ')[1].split(",")[0])
    ran = int(facts.split('"runs_done": ')[1].split(",")[0])
    assert reused == ran > 0, "half of the points are those of the smaller sample"
