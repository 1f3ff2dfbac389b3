"""Hostile worlds through every door: an answer, or a sentence that says why there is none.

Each world goes through ``check``, ``run``, Mesa and Python, in either language. No door shows a
traceback or a warning of a library, writes elsewhere, or changes a label or a number; and ``run``
finishes whatever ``check`` accepts.
"""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from kolabsim import cli
from kolabsim.engine.mesa_model import CollaborationModel
from kolabsim.errors import RenamedWarning
from kolabsim.i18n import speaking
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate
from tests.hostile.test_files import ANEW, LANGUAGES, cases, refused_or, tried
from tests.hostile.worlds import (
    KINDS,
    RAW,
    TOWNS,
    hostile_rows,
    hostile_scenarios,
    hostile_studies,
    write_world,
)
from tests.sketches import sketching
from tests.terminal import kolabsim

UNDEFINED = "undefined|defined objectives|terdefinisi"
"""What a kind with one answer says after its runs where this answer is nowhere defined."""


def told(folder: Path, *words: object) -> tuple[int, str]:
    """Run a command; return its code and what it printed, which no library has written."""
    raw: list[str] = []

    def watch(message, kind, *_place, **_more) -> None:
        is_own = issubclass(kind, RenamedWarning) or kind is UserWarning
        if not is_own or re.search(RAW, str(message)):
            raw.append(f"{kind.__name__}: {message}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "warn", watch)
        done = kolabsim(*words, folder=folder)
    assert not raw, raw
    assert "Traceback" not in done.stderr + done.stdout
    assert done.returncode in (0, 2), (words, done.stderr)
    assert done.returncode == 0 or done.stderr.strip()
    return done.returncode, done.stderr


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def through_files(folder: Path, language: str, *, run: bool) -> bool:
    """Check a world and, if it is accepted, run and verify it; return whether it was accepted."""
    before, study = files_in(folder.parent), (folder / "study.yaml").read_text(encoding="utf-8")
    code, problems = told(folder, "--lang", language, "check", "study.yaml")
    assert files_in(folder.parent) == before
    if code == 2:
        assert told(folder, "--lang", language, "run", "study.yaml", "--out", "out")[0] == 2
        return False
    if not run:
        return True
    code, problems = told(folder, "--lang", language, "run", "study.yaml", "--out", "out")
    if code == 2 and re.search(UNDEFINED, problems):
        assert '"kind": "robustness"' in study or '"kind": "search"' in study
        return True
    assert code == 0, problems
    assert all(path.is_relative_to(folder / "out") for path in files_in(folder.parent) - before)
    report = (folder / "out/report.html").read_text(encoding="utf-8")
    words = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", report, flags=re.DOTALL)
    scenario = Scenario.load(folder / "world.yaml")
    seen = "".join(html.unescape(words).split())
    labels = [scenario.title(language)]
    if (folder / "out/winners.csv").exists():
        labels += scenario.regions.names
    assert all("".join(label.split()) in seen for label in labels)
    assert told(folder, "--lang", language, "verify", "out")[0] == 0
    assert told(folder, "--lang", language, "results", "out", "--to", "csv")[0] == 0
    return True


def through_python(folder: Path, language: str) -> None:
    """Simulate a world at once and with Mesa, step by step: the same numbers."""
    with speaking(language):
        scenario = refused_or(lambda: Scenario.load(folder / "world.yaml"))
        if scenario is None:
            return
        results = simulate(scenario, ["voluntary", "team"], runs=2, threads=2)
        again = simulate(scenario, ["team"], runs=1, threads=1)
        model = CollaborationModel(scenario, "team")
        model.run_model()
    last = results.quarters.query("strategy == 'team' and run == 0").iloc[-1]
    alone = again.quarters.iloc[-1]
    for name, value in model.measures.items():
        np.testing.assert_array_equal([last[name], alone[name]], value)


# The worlds -------------------------------------------------------------------------------------

AWFUL = [("<b>\u202f\u6771</b>", "Port", 1, 0.0, 179.9), ("=1+1", "Port", 1, 0.0, -179.9),
         ("x/../../y", "\u0645\u062f\u064a\u0646\u0629 \ua9a0", 1_000_000_000, 90.0, 0.0),
         ("team", "Long name " * 60, 5000, -90.0, 180.0)]  # fmt: skip
AWFUL_SCENARIO = {
    "title": "{{7*7}} <i>$x^2$", "horizon": 1, "currency": "<b>",
    "strategies": {"mine": {"title": "Coordination team", "mechanisms": {"team": 1e-12}},
                   "yours": {"title": "W" * 400}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "scenario", "study", "language"),
    [
        (AWFUL, AWFUL_SCENARIO, {"strategies": ["voluntary", "team", "mine", "yours"]}, "id"),
        (TOWNS[:1], {"horizon": 1}, {"runs": 2}, "en"),
        pytest.param([(k, k, 5, 0, 0) for k in "abc"], {}, {}, "id", marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_awful_worlds_have_a_report(tmp_path, rows, scenario, study, language) -> None:
    write_world(tmp_path / "world", rows, scenario=scenario, **study)
    folder = tmp_path / "world"
    with sketching():
        assert through_files(folder, language, run=True)
    if len(rows) > 1:  # test_small_worlds draws the figures of a single region
        command = "--lang", language, "run", "study.yaml", "--out", "drawn"
        assert told(folder, *command)[0] == 0
        assert list((folder / "drawn/figures").glob("*.svg"))
    through_python(folder, language)


@cases(15, 300)
def test_worlds_are_checked_and_simulated(number, tmp_path) -> None:
    def check(rows: list, scenario: dict, study: dict, language: str) -> None:
        write_world(tmp_path / "world", rows, scenario=scenario, **study)
        through_files(tmp_path / "world", language, run=False)
        through_python(tmp_path / "world", language)

    tried(number, check, rows=hostile_rows(), scenario=hostile_scenarios(),
          study=hostile_studies(), language=LANGUAGES)  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", KINDS)
def test_worlds_of_each_kind_have_a_report(kind, tmp_path) -> None:
    room = tmp_path / "room"

    def check(rows: list, scenario: dict, study: dict, language: str) -> None:
        shutil.rmtree(room, ignore_errors=True)
        write_world(room / "world", rows, scenario=scenario, **study)
        through_files(room / "world", language, run=True)

    tried(ANEW or 6, check, rows=hostile_rows(), scenario=hostile_scenarios(),
          study=hostile_studies((kind,)), language=st.sampled_from(("en", "id")))  # fmt: skip
