"""The user's strategy as a scenario, and its estimates."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import yaml

from kolabsim.analysis.arrays import yearly
from kolabsim.analysis.comparison import compare
from kolabsim.analysis.outlook import stand_alone_cost
from kolabsim.app import apart
from kolabsim.app.charts import draw
from kolabsim.app.futures import find_worlds
from kolabsim.app.recent import RunStore
from kolabsim.app.session import (
    YOURS,
    Estimate,
    Session,
    open_scenario,
    shared_services,
    strategy_text,
    write_file,
)
from kolabsim.app.settings import SHOWN, Settings, fixable, intensity
from kolabsim.engine.ensemble import build_task
from kolabsim.errors import InputError, Problems
from kolabsim.i18n import language, speaking
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate

# The user's strategy ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(Scenario.load("kartamantul").strategies))
def test_a_strategy_is_written_as_it_is(scenario, name):
    strategy = scenario.strategies[name]
    text = yaml.safe_load(yaml.safe_dump(strategy_text(strategy, {}, scenario)))
    again = scenario.with_({"strategies.again": text}).strategies["again"]
    assert again.plain_levers() == strategy.plain_levers()


def test_a_lever_that_is_moved_keeps_its_phases_areas_and_targets(scenario):
    phase = {"intensity": 0.5, "from": 4, "areas": ["waste"], "targets": "smallest", "share": 0.2}
    forum = {"intensity": 0.3, "members": "all", "until": 8}
    rich = scenario.with_(
        {"strategies.rich": {"support": {"ngo": phase}, "mechanisms": {"forum": forum}}}
    )
    text = strategy_text(rich.strategies["rich"], {"ngo": 0.9}, rich)
    again = rich.with_({"strategies.again": text}).strategies["again"]
    before, after = rich.strategies["rich"], again
    assert after.support["ngo"] == (before.support["ngo"][0].model_copy(update={"intensity": 0.9}),)
    assert after.mechanisms == before.mechanisms
    assert intensity(after, "ngo") == 0.9
    assert intensity(after, "team") == 0.0


def test_strategies_that_are_not_there_are_refused_together(scenario):
    with pytest.raises(InputError) as refusal:
        Session(Settings(start="teem", baseline="nothing"), scenario)
    assert len(refusal.value.problems) == 2
    assert "did you mean 'team'?" in str(refusal.value)


# Estimates ----------------------------------------------------------------------------------------


def in_a_study(session, folder, runs):
    """The runs of a study of the file to take away, in the futures of a session."""
    path = folder / "mine.yaml"
    path.write_text(session.scenario_text(), encoding="utf-8")
    mine = Scenario.load(path).with_(horizon=12)
    return simulate(mine, ["voluntary", YOURS], futures=session.futures, runs=runs)


def test_answers_are_those_of_a_study_to_the_last_bit(scenario, estimate, tmp_path):
    study = in_a_study(estimate.session, tmp_path, 1)
    for table in ("runs", "quarters", "regions"):
        found, wanted = getattr(estimate.results, table), getattr(study, table)
        assert found.equals(wanted), table
    compared = compare(study)
    for name in SHOWN:
        one, other = (
            found.table(name).astype({"measure": object})
            for found in (estimate.comparison, compared)
        )
        assert one.equals(other), name
    assert estimate.comparison.regions().equals(compared.regions())
    for name in SHOWN:
        levels = [
            table[table["measure"] == name]["baseline"].to_numpy()
            for table in (estimate.comparison.differences, compared.differences)
        ]
        assert np.array_equal(*levels, equal_nan=True), name
        time, values = yearly(study, name, ["voluntary", YOURS], baseline=None, future=None)
        found = estimate.over_years(name)
        assert (found[0] == time).all()
        assert np.array_equal(found[1], values, equal_nan=True), name


def test_a_fixed_assumption_has_its_value_in_every_future(monkeypatch, scenario, tmp_path):
    monkeypatch.setattr("kolabsim.app.work.RUNS", (8, 16))
    free = Session(Settings(), scenario)
    name = next(iter(fixable(free.futures, Settings()))).removeprefix("parameters.")
    value = PARAMETERS[name].high
    session = Session(Settings(assumptions={name: value}), scenario)
    assert [*session.futures] == [*free.futures]
    assert all(f"parameters.{name}" in future for future in free.futures.values())
    assert not any(f"parameters.{name}" in future for future in session.futures.values())
    study = in_a_study(session, tmp_path, 2)
    estimate = Estimate(session, 16)
    assert estimate.results.runs.equals(study.runs)
    assert estimate.comparison.regions().equals(compare(study).regions())


def test_each_run_has_a_future_of_its_own_as_long_as_there_are_enough(scenario, going):
    session = Session(Settings(levers={"ngo": 0.5}), scenario)
    assert 1 < len(session.futures) <= session.steps[0]
    assert not any(runs % len(session.futures) for runs in session.steps)
    estimate = next(session.estimates(going))
    assert estimate.comparison.plausible == tuple(session.futures)
    assert estimate.comparison.is_varied


def test_a_scenario_without_futures_is_simulated_as_it_is(monkeypatch, scenario, going):
    monkeypatch.setattr("kolabsim.app.futures.plausible_futures", lambda _number, _scenario: {})
    monkeypatch.setattr("kolabsim.app.work.RUNS", (8, 16))
    other = scenario.with_(horizon=4)
    estimate = next(Session(Settings(), other).estimates(going))
    assert not estimate.comparison.is_varied
    study = simulate(estimate.session.scenario, ["voluntary", YOURS], runs=8)
    assert estimate.results.runs.equals(study.runs)
    drawing = draw(estimate)
    assert "95% interval" in drawing.headline
    assert not drawing.drivers


@pytest.fixture
def store(monkeypatch):
    found = RunStore()
    monkeypatch.setattr("kolabsim.app.session.RUNS", found)
    return found


def test_more_runs_keep_the_first_ones(store, scenario, monkeypatch, going):
    monkeypatch.setattr("kolabsim.app.work.RUNS", (30, 70))
    session = Session(Settings(), scenario)
    first, last = list(session.estimates(going))
    assert (first.runs, last.runs) == (30, 60)
    assert not first.is_last
    assert last.is_last
    both = last.results.runs
    assert both[both["run"] < 1].reset_index(drop=True).equals(first.results.runs)
    assert len(first.comparison.table(SHOWN[0])) == 1


def test_sessions_share_the_runs_that_are_the_same(store, scenario, going):
    before = Session(Settings(levers={"ngo": 0.5}), scenario)
    estimate = next(before.estimates(going))
    assert not before.jobs(estimate.runs, going)
    again = Session(Settings(levers={"ngo": 1.0}), scenario)
    assert len(again.jobs(100, going)) == 4, "the user's strategy alone"
    others = (
        Settings(assumptions={"trust_start": 0.3}), Settings(seed=2), Settings(baseline="forum")
    )  # fmt: skip
    for other in others:
        assert not Session(other, scenario).held[0].blocks
    elsewhere = scenario.with_(horizon=4)
    assert not Session(before.settings, elsewhere).held[0].blocks
    renewed = next(again.estimates(going))
    store.clear()
    fresh = next(Session(again.settings, scenario).estimates(going))
    assert renewed.results.runs.equals(fresh.results.runs)


def test_runs_that_made_room_are_simulated_again_for_a_download(
    store, scenario, going, monkeypatch
):
    monkeypatch.setattr("kolabsim.app.work.RUNS", (10, 20))
    session = Session(Settings(levers={"ngo": 0.5}), scenario)
    estimate = next(session.estimates(going))
    links, before = estimate.links, estimate.data()
    store.most = 1
    estimate.release()
    session.release()
    other = Session(Settings(seed=2), scenario)
    next(other.estimates(going))
    other.release()
    assert not session.held[0].blocks
    assert estimate.data() == before
    assert (estimate.links == links).all()


def test_little_is_kept_of_an_estimate_that_was_drawn(store, scenario, going):
    session = Session(Settings(levers={"ngo": 0.5}), scenario)
    estimate = next(session.estimates(going))
    draw(estimate)
    assert "shown" not in vars(estimate)
    blocks = [block for blocks in session.blocks(estimate.runs) for block in blocks.values()]
    assert blocks
    assert all(block.quarters.shape[2] < 0.5 * len(scenario.measures) for block in blocks)


def test_blocks_are_the_same_however_they_are_asked_for(store, scenario, going):
    """A single run, as the network needs it, must not leave runs out for others."""
    session = Session(Settings(), scenario)
    session.fill(1)
    session.fill(60)
    assert next(session.estimates(going)).results.runs.notna()["trust"].all()


def test_stopped_work_gives_no_answer_and_leaves_nothing_unfinished(store, scenario, going):
    stop = np.ones(1, np.int64)
    session = Session(Settings(), scenario)
    assert list(session.estimates(stop)) == []
    assert session.blocks(1000) == [{}, {}]
    assert next(session.estimates(going)).results.runs.notna()["trust"].all()


def test_large_worlds_have_fewer_runs(scenario):
    assert Session(Settings(), scenario).steps == (100, 300, 1000)
    small = Session(Settings(), Scenario.load("small-towns"))
    assert 8 <= small.steps[0] < small.steps[1] < small.steps[2] < 300


def test_shared_services_are_counted_by_pairs():
    body = np.array([[[0, 5], [0, -1], [-1, 5]]])
    expected = [[0, 0.5, 0.5], [0.5, 0, 0], [0.5, 0, 0]]
    assert shared_services(body, np.zeros_like(body)).tolist() == expected
    star = np.array([[[4], [4], [4]]])
    between = shared_services(star, np.array([[[1], [2], [2]]]))
    assert between.tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]], "buyers are no partners"


def test_large_tables_are_release_and_come_back(estimate):
    runs, comparison = estimate.results.runs, estimate.comparison
    estimate.release()
    assert estimate.comparison is comparison
    assert estimate.results.runs.equals(runs)


@pytest.fixture(scope="module")
def downloads(estimate):
    return {kind: estimate.download(kind) for kind in ("scenario", "differences", "data")}


def test_the_data_are_tables_and_the_scenario(downloads):
    with zipfile.ZipFile(io.BytesIO(downloads["data"][1])) as archive:
        assert len(archive.read("runs.csv").splitlines()) == 201
        assert yaml.safe_load(archive.read("scenario.yaml"))["extends"] == "kartamantul"


def test_every_download_has_a_name_and_a_content(downloads):
    for kind, ending in {"scenario": "yaml", "differences": "csv", "data": "zip"}.items():
        name, content = downloads[kind]
        assert name.endswith(ending)
        assert content


def test_another_process_writes_the_same_file(estimate, downloads):
    one = estimate.session
    given = one.settings, one.source, one.upload, estimate.runs
    assert apart.call(write_file, "differences", *given) == downloads["differences"]


@pytest.mark.long
def test_the_report_is_in_the_language_spoken(estimate):
    with speaking("id"):
        name, content = estimate.download("report")
    assert name == "kolabsim.html"
    assert b'lang="id"' in content


def test_what_is_impossible_is_reported_and_replaced_by_the_defaults(uploads):
    problems = Problems()
    settings = Settings(scenario="upload-gone", start="teem", levers={"ngo": 0.5})
    settings, upload = open_scenario(settings, uploads.load, problems)
    assert upload.scenario.name == "kartamantul"
    assert settings == Settings(levers={"ngo": 0.5})
    assert len(problems.found) == 2


def test_a_language_is_spoken_in_one_thread_while_another_keeps_its_own():
    with speaking("id"), ThreadPoolExecutor(1) as beside:
        assert language() == "id"
        assert beside.submit(language).result() == "en"
    assert language() == "en"


def test_a_future_is_the_same_as_when_the_scenario_is_checked_with_it(scenario):
    worlds = find_worlds(scenario)
    for name in [*worlds.futures][:: max(1, len(worlds.futures) // 12)]:
        quick, full = worlds.find(name), scenario.with_(worlds.futures[name])
        assert dict(quick.scenario.parameters) == dict(full.parameters)
        assert quick.scenario.areas == full.areas
        first = next(iter(full.strategies.values()))
        made, wanted = quick.base.task, build_task(full, first, seed=0)
        for one, other in zip(
            (*made.world, *made.policy), (*wanted.world, *wanted.policy), strict=True
        ):
            assert (one.dtype, one.tobytes()) == (other.dtype, other.tobytes())
        assert made.parameters == wanted.parameters
        assert made.rule is wanted.rule
        assert made.rule_parameters == wanted.rule_parameters
        assert (stand_alone_cost(quick.scenario) == stand_alone_cost(full)).all()
