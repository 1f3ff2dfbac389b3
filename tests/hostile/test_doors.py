"""The doors of a hostile world besides ``check`` and ``run``: what its files are taken to.

Each takes the files of one world, and either does its work or says in a sentence why not. One awful
world goes through all of them always; as a long test, worlds that nobody tried do.
"""

from __future__ import annotations

import contextlib
import inspect
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from kolabsim.app.charts import draw
from kolabsim.app.session import Estimate, Session
from kolabsim.app.settings import Settings
from kolabsim.app.stepper import Stepper
from kolabsim.app.texts import history_html, quarter_html
from kolabsim.app.uploads import Uploads
from kolabsim.engine.mesa_model import CHANGEABLE, CollaborationModel
from kolabsim.errors import InputError
from kolabsim.i18n import speaking
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate
from tests.hostile.test_files import ANEW, refused_or, tried
from tests.hostile.test_worlds import AWFUL, AWFUL_SCENARIO, files_in, told
from tests.hostile.worlds import hostile_rows, hostile_scenarios, hostile_studies, write_world
from tests.sketches import sketching

FORMATS = ("csv", "parquet", "netcdf", "xlsx", "geojson")


def world_of(folder: Path) -> Scenario | None:
    return refused_or(lambda: Scenario.load(folder / "world.yaml"))


def page_of_a_region(folder: Path, language: str) -> None:
    scenario = world_of(folder)
    code = scenario.regions.codes[-1] if scenario else "a"
    done, _said = told(
        folder, "region", "--scenario", "world.yaml", "--strategy", "team", "--runs", "2",
        "--plausible", "2", "--out", "r.html", "--lang", language, "--", code,
    )  # fmt: skip
    assert (folder / "r.html").exists() == (done == 0)


def page_of_a_group(folder: Path, language: str) -> None:
    scenario = world_of(folder)
    codes = [*scenario.regions.codes] if scenario else ["a", "b"]
    area = next(iter(scenario.areas)) if scenario else "waste"
    done, _said = told(
        folder, "region", "--scenario", "world.yaml", f"--with={codes[0]}", "--area", area,
        "--runs", "2", "--plausible", "2", "--out", "g.html", "--lang", language, "--", codes[-1],
    )  # fmt: skip
    assert (folder / "g.html").exists() == (done == 0)


def history(folder: Path, language: str) -> None:
    scenario = world_of(folder)
    code = scenario.regions.codes[0] if scenario else "a"
    for more in (("--table",), ("--out", "why.html")):
        done, _said = told(
            folder, "why", "--scenario", "world.yaml", "--strategy", "team", "--runs", "2", *more,
            "--lang", language, "--", code,
        )  # fmt: skip
        assert (folder / more[-1]).exists() == (done == 0 and more[0] == "--out")


def exports(folder: Path, language: str) -> None:
    """All formats, and pages of all regions where the experiment can have them."""
    lang, study = ("--lang", language), folder / "study.yaml"
    pages = ("--regions", "all") if '"comparison"' in study.read_text(encoding="utf-8") else ()
    if told(folder, "run", "study.yaml", "--out", "out", *pages, *lang)[0]:
        return
    before = files_in(folder)
    for to in FORMATS:
        code, said = told(folder, "results", "out", "--to", to, "--out", f"as-{to}", *lang)
        # No map has places without coordinates; all else can be exported.
        assert code == 0 or (to == "geojson" and said), said
        assert bool(files_in(folder / f"as-{to}")) == (code == 0)
    inside = [folder / f"as-{to}" for to in FORMATS]
    for path in files_in(folder) - before:
        assert any(path.is_relative_to(one) for one in inside), path
    assert told(folder, "verify", "out", "--sample", "2", *lang)[0] == 0


def web_page(folder: Path, language: str) -> None:
    """An upload, an estimate with its charts, one run step by step, and the downloads."""
    uploads = Uploads()
    given = {name: (folder / name).read_bytes() for name in ("world.yaml", "regions.csv")}
    with speaking(language):
        try:
            name = refused_or(lambda: uploads.add(given))
            if name is None:
                return
            upload = uploads.load(name)
            settings = Settings(scenario=name, lang=language, levers={"forum": 0.5})
            session = Session(settings, upload.scenario, upload=upload)
            estimate = Estimate(session, session.steps[0])
            drawing = draw(estimate)
            assert drawing.headline
            assert upload.scenario.regions.labels
            stepper = Stepper(session)
            for quarters in (0, 1, 4, 400):
                stepper.step(quarters)
                stepper.chart()
                assert quarter_html(stepper.measures(), stepper.events())
            history_html(stepper.tell(upload.scenario.regions.codes[0]))
            for kind in ("scenario", "differences", "data"):
                assert estimate.download(kind)[1]
            alone = simulate(
                session.worlds.find(next(iter(session.futures))).scenario,
                [settings.baseline], runs=1, threads=1,
                seed=session.first_world[1],
            )  # fmt: skip
            shown = estimate.shown.runs.query(f"strategy == '{settings.baseline}'").iloc[0]
            for measure in estimate.shown.measures:
                np.testing.assert_array_equal(shown[measure], alone.runs[measure].iloc[0])
        finally:
            uploads.close()


def mesa(folder: Path, language: str) -> None:
    """``batch_run``, and attributes set to anything."""
    from mesa.batchrunner import batch_run

    with speaking(language):
        scenario = world_of(folder)
        if scenario is None:
            return
        takes_seeds = "rng" in inspect.signature(batch_run).parameters
        rows = batch_run(
            CollaborationModel,
            {"scenario": scenario, "strategy": ["voluntary", "team"]}
            | ({} if takes_seeds else {"seed": 5}),
            number_processes=1, max_steps=500, data_collection_period=-1, display_progress=False,
            **({"rng": [5]} if takes_seeds else {}),
        )  # fmt: skip
        again = simulate(scenario, ["voluntary", "team"], runs=1, seed=5, threads=1)
        last = again.quarters.groupby("strategy", observed=True).last()
        for row in rows:
            np.testing.assert_array_equal(row["trust"], last["trust"][row["strategy"]])
        model = CollaborationModel(scenario, "team")
        for name in CHANGEABLE:
            for value in (np.nan, np.inf, -1e300, 0.5, 1, 1e12):
                with contextlib.suppress(InputError):  # its words are tried elsewhere
                    setattr(model.regional_governments[0], name, value)
        model.run_model()


DOORS = {
    "region": page_of_a_region, "group": page_of_a_group, "why": history, "exports": exports,
    "page": web_page, "mesa": mesa,
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_an_awful_world_goes_through_every_door(door, tmp_path, monkeypatch) -> None:
    """In a terminal of twenty columns; the language is that of every other door."""
    monkeypatch.setenv("COLUMNS", "20")
    study = {"strategies": ["voluntary", "mine"], "runs": 2}
    write_world(tmp_path / "world", AWFUL[1:], scenario=AWFUL_SCENARIO, **study)
    before = files_in(tmp_path)
    with sketching():
        DOORS[door](tmp_path / "world", ("en", "id")[list(DOORS).index(door) % 2])
    assert all(path.is_relative_to(tmp_path / "world") for path in files_in(tmp_path) - before)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("door", DOORS)
def test_worlds_go_through_every_door(door, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    room = tmp_path / "room"

    def check(rows: list, scenario: dict, study: dict, language: str) -> None:
        shutil.rmtree(room, ignore_errors=True)
        write_world(room / "world", rows, scenario=scenario, **study)
        with sketching():
            DOORS[door](room / "world", language)
        assert all(path.is_relative_to(room / "world") for path in files_in(room))

    tried(ANEW or 5, check, rows=hostile_rows(), scenario=hostile_scenarios(),
          study=hostile_studies(), language=st.sampled_from(("en", "id")))  # fmt: skip
