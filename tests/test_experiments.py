"""Every experiment that ships, in its quick size, as a user runs it."""

import importlib.util
import json
import re
import shutil
from functools import cache
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
EVERY_DAY = ("best-package", "mandate", "team-and-trust", "what-drives")
"""One experiment of each kind but the comparison, which the README's demo tries."""


def tool():
    spec = importlib.util.spec_from_file_location("refresh", ROOT / "tools/refresh_expected.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The folder of an experiment that has been run in its quick size, once for all tests."""

    @cache
    def run(name):
        folder = tmp_path_factory.mktemp(name)
        done = kolabsim("run", name, "--quick", "--out", "r", folder=folder)
        assert done.returncode == 0, done.stderr
        return folder

    return run


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in EVERY_DAY else pytest.mark.long) for n in NAMES]
)
def test_quick_size(name, quick):
    experiment, folder = Experiment.load(name), quick(name)
    page = (folder / "r" / "report.html").read_text(encoding="utf-8")
    assert experiment.question("en") in page
    assert "<svg" in page
    assert list((folder / "r" / "figures").glob("*.png"))
    sections = re.findall(r'<section id="([\w-]+)"', page)
    assert sections[0] == "answer"
    assert sections[-3:] == ["uncertainty", "assumptions", "reproduce"]
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert max(after - before for before, after in pairwise(levels)) == 1
    for told in (f"<dd>kolabsim run {name} --quick --out r</dd>", "<blockquote>"):
        assert told in page
    book = openpyxl.load_workbook(folder / "r" / "report.xlsx", read_only=True)
    assert len(book.sheetnames) - 1 == page.count("<caption>")
    if experiment.kind == "search":
        front = pd.read_csv(folder / "r" / "front.csv")
        assert (front["programme_cost"] <= experiment.spec.budget * 10).all()
        return
    found = tool().figures(experiment.kind, folder / "r")
    expected = pd.read_csv(shipped("experiments") / name / "expected.csv")
    pd.testing.assert_frame_equal(
        found[list(expected)].reset_index(drop=True),
        expected,
        rtol=1e-3,
        atol=2e-6,
        check_dtype=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_has_a_question_in_both_languages_and_a_page_of_its_own(name):
    experiment = Experiment.load(name)
    assert experiment.question("id") != experiment.question("en")
    readme = (shipped("experiments") / name / "README.md").read_text(encoding="utf-8")
    assert f"kolabsim run experiments/{name}" in readme
    assert "2026" in readme, "the full-size result with its date"


def test_every_kind_is_tried_every_day():
    kinds = {name: Experiment.load(name).kind for name in NAMES}
    assert {kinds[name] for name in EVERY_DAY} | {"comparison"} == set(kinds.values())


def test_another_language_writes_the_report_again_and_runs_nothing(
    quick, tmp_path, sketched_figures
):
    shutil.copytree(quick("mandate") / "r", tmp_path / "r")
    done = kolabsim(
        "run", "mandate", "--quick", "--out", "r", "--lang", "id", folder=tmp_path
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert 'lang="id"' in page
    assert Experiment.load("mandate").question("id") in page
    facts = json.loads((tmp_path / "r" / "provenance.json").read_text(encoding="utf-8"))
    assert facts["runs_done"] == 0


@pytest.mark.long  # by the command; test_runner_designs tries it in the library
def test_a_larger_sample_keeps_the_runs_of_the_smaller(quick, tmp_path):
    shutil.copytree(quick("what-drives") / "r", tmp_path / "r")
    done = kolabsim(
        "run", "what-drives", "--quick", "--samples", 32, "--out", "r", folder=tmp_path
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "r" / "provenance.json").read_text(encoding="utf-8"))
    assert facts["runs_reused"] == facts["runs_done"] > 0, (
        "half of the points are those of the smaller sample"
    )
