import json
import re
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

import numpy as np
import pytest
import yaml

from kolabsim.app import charts
from kolabsim.app.session import (
    ASSUMPTIONS,
    MAIN,
    WHAT_IF,
    Answer,
    Settings,
    WhatIf,
    intensity,
    lever_name,
    read_query,
    refused,
    shared_services,
    steps_of,
    strategy_text,
)
from kolabsim.app.stepper import Lesson
from kolabsim.app.uploads import KEPT, LARGEST, LARGEST_SHAPES, Uploads
from kolabsim.errors import InputError, Problems
from kolabsim.i18n import language, set_language, speaking
from kolabsim.model.areas import FAMILIES
from kolabsim.model.levers import LEVERS
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate

MOVED = Settings(
    scenario="kartamantul", start="full_package", baseline="grants", measure="trust", seed=3,
    lang="id", levers={"team": 0.25, "ngo": 1.0}, assumptions={"trust_start": 0.4},
)  # fmt: skip


@pytest.fixture(scope="module")
def scenario():
    return Scenario.load("kartamantul").with_(horizon=12)


@pytest.fixture(scope="module")
def answer(scenario):
    return next(WhatIf(Settings(levers={"ngo": 0.5}), scenario).answers(going()))


@pytest.fixture
def uploads():
    found = Uploads()
    yield found
    found.close()


@pytest.fixture(autouse=True)
def speak_english():
    set_language("en")


def going():
    return np.zeros(1, np.int64)


def read(query):
    problems = Problems()
    return read_query(dict(parse_qsl(query)), problems), [p.message for p in problems.found]


# The address --------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [Settings(), MOVED, Settings(seed=7, levers={"forum": 0.0})])
def test_an_address_carries_all_settings(settings):
    assert read(settings.query) == (settings, [])


def test_the_address_of_the_usual_settings_is_empty():
    assert Settings().query == ""


def test_every_lever_and_the_assumptions_can_be_moved_over_their_whole_range():
    for name in LEVERS:
        for value in (0.0, 1.0):
            assert read(f"{lever_name(name)}={value}")[0].levers == {name: value}
    for name in ASSUMPTIONS:
        for value in (PARAMETERS[name].low, PARAMETERS[name].high):
            assert read(f"parameters.{name}={value}")[0].assumptions == {name: value}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("mechanisms.team=2", "mechanisms.team: 2 is not a number from 0 to 1"),
        ("mechanisms.team=nan", "mechanisms.team: nan is not a number from 0 to 1"),
        (
            "mechanisms.teem=1",
            "'mechanisms.teem' is not known here; did you mean 'mechanisms.team'",
        ),
        ("measure=trusty", "'trusty' is not known here; did you mean 'trust'?"),
        ("seed=-1", "seed: -1 is not a number from 0 to"),
        ("lang=fr", "'fr' is not known here"),
    ],
)
def test_what_an_address_cannot_mean_is_told_and_left_as_it_is(query, message):
    settings, problems = read(query)
    assert settings == Settings()
    assert len(problems) == 1
    assert problems[0].startswith(message)


def test_a_lever_is_put_back():
    assert MOVED.moved("mechanisms.team", None).levers == {"ngo": 1.0}
    assert MOVED.moved("parameters.trust_start", None).assumptions == {}


# The strategy -------------------------------------------------------------------------------------


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
        WhatIf(Settings(start="teem", baseline="nothing"), scenario)
    assert len(refusal.value.problems) == 2
    assert "did you mean 'team'?" in str(refusal.value)


# Answers ------------------------------------------------------------------------------------------


def test_answers_are_those_of_a_study_to_the_last_bit(scenario, answer, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(answer.of.scenario_text(), encoding="utf-8")
    mine = Scenario.load(path).with_(horizon=12)
    study = simulate(mine, ["voluntary", WHAT_IF], runs=100)
    for table in ("runs", "quarters", "regions"):
        found, wanted = getattr(answer.results, table), getattr(study, table)
        assert found.equals(wanted), table


def test_more_runs_keep_the_first_ones(scenario, monkeypatch):
    monkeypatch.setattr("kolabsim.app.session.STEPS", (30, 70))
    what_if = WhatIf(Settings(), scenario)
    first, last = list(what_if.answers(going()))
    assert (first.runs, last.runs) == (30, 70)
    assert not first.is_last
    assert last.is_last
    both = last.results.runs
    assert both[both["run"] < 30].reset_index(drop=True).equals(first.results.runs)
    assert len(first.comparison.table(MAIN[0])) == 1


def test_the_baseline_is_simulated_once_while_only_levers_move(scenario, answer):
    before = answer.of
    again = WhatIf(Settings(levers={"ngo": 1.0}), scenario, earlier=before)
    assert again._baseline is before._baseline
    for other in (
        Settings(assumptions={"trust_start": 0.3}), Settings(seed=2), Settings(baseline="forum")
    ):  # fmt: skip
        assert WhatIf(other, scenario, earlier=before)._baseline == {}
    renewed, fresh = (next(w.answers(going())) for w in (again, WhatIf(again.settings, scenario)))
    assert renewed.results.runs.equals(fresh.results.runs)


def test_stopped_work_gives_no_answer_and_leaves_nothing_unfinished(scenario):
    stop = np.ones(1, np.int64)
    what_if = WhatIf(Settings(), scenario)
    assert list(what_if.answers(stop)) == []
    assert what_if.blocks(1000) == [[], []]
    assert next(what_if.answers(going())).results.runs.notna()["trust"].all()


def test_large_worlds_have_fewer_runs(scenario):
    assert steps_of(scenario) == (100, 300, 1000)
    first, second, last = steps_of(Scenario.load("small-towns"))
    assert 8 <= first < second < last < 300


def test_shared_services_are_counted_by_pairs():
    body = np.array([[[0, 5], [0, -1], [-1, 5]]])
    expected = [[0, 0.5, 0.5], [0.5, 0, 0], [0.5, 0, 0]]
    assert shared_services(body).tolist() == expected


def test_large_tables_are_let_go_and_come_back(answer):
    runs, comparison = answer.results.runs, answer.comparison
    answer.let_go()
    assert answer.comparison is comparison
    assert answer.results.runs.equals(runs)


def test_the_data_are_tables_and_the_scenario(answer):
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(answer.data())) as archive:
        assert len(archive.read("runs.csv").splitlines()) == 201
        assert yaml.safe_load(archive.read("scenario.yaml"))["extends"] == "kartamantul"


# Pictures -----------------------------------------------------------------------------------------


def pictures(answer: Answer):
    yield charts.envelopes(answer, "realised_benefit")
    yield charts.envelopes(answer, "decision_time")
    yield charts.regions_map(answer)
    yield charts.network(answer.of.scenario.regions, answer.links, "Who shares with whom")


@pytest.mark.parametrize("language", ["en", "id"])
def test_pictures_are_well_formed_and_say_what_they_show(answer, language):
    with speaking(language):
        for picture in pictures(answer):
            assert ET.fromstring(picture).get("aria-label")
            assert not re.search(r"\bnan\b", picture)
        table = charts.differences(answer, MAIN)
        assert table.count('<th scope="row"') == len(MAIN)
        assert not re.search(r"\bnan\b", table)


def test_regions_without_places_stand_in_a_circle(uploads):
    rows = "".join(f"R{k},{1000 * (k + 1)}\n" for k in range(6))
    still = "".join(f"  {area}: {{haul: 0}}\n" for area in FAMILIES["infrastructure"])
    text = "regions: {table: t.csv}\nfamilies: [infrastructure]\nareas:\n" + still
    text = (text + "contacts: {list: c.csv, nearest: 0}\n").encode()
    pairs = "code_a,code_b,distance_km\n" + "".join(f"R{k},R{k + 1},10\n" for k in range(5))
    files = {"s.yaml": text, "t.csv": b"code,population\n" + rows.encode(), "c.csv": pairs.encode()}
    found = uploads.load(uploads.add(files))
    places = charts.spots(found.regions)
    assert len(np.unique(places.round(3), axis=0)) == 6
    assert (places > 0).all()


def test_texts_of_others_stay_texts(scenario):
    named = scenario.with_(
        {"strategies.voluntary.title": "<script>alert(1)</script>", "currency": "<img src=x>"}
    )
    answer = next(WhatIf(Settings(), named).answers(going()))
    shown = [charts.envelopes(answer, "net_saving"), charts.differences(answer, MAIN)]
    assert "<script" not in "".join(shown)
    assert "<img" not in "".join(shown)


@pytest.mark.parametrize(
    "values", [[0.0, 1.0], [3.0], [], [-0.02, 0.013], [1e9, 3e9], [-5.0, -4.9]]
)
def test_ticks_are_round_and_reach_around_the_values(values):
    ticks = charts.round_ticks(np.array(values))
    assert 2 <= len(ticks) <= 8
    if values:
        assert ticks[0] <= min(values) + 1e-9
        assert ticks[-1] >= max(values) - 1e-9


def test_a_language_is_spoken_in_one_thread_while_another_keeps_its_own():
    with speaking("id"), ThreadPoolExecutor(1) as beside:
        assert language() == "id"
        assert beside.submit(language).result() == "en"
    assert language() == "en"


# The lesson ---------------------------------------------------------------------------------------


def test_a_lesson_is_run_0_of_the_comparison(answer):
    lesson = Lesson(answer.of)
    lesson.step(12)
    assert lesson.is_over
    quarters = answer.results.quarters
    last = quarters[
        (quarters["strategy"] == WHAT_IF) & (quarters["run"] == 0) & (quarters["quarter"] == 11)
    ].iloc[0]
    assert lesson.model.measures["trust"] == last["trust"]
    assert ET.fromstring(lesson.picture()) is not None
    assert "<li>" in lesson.told()


# Uploads ------------------------------------------------------------------------------------------

GOOD = b"code,population,latitude,longitude\na,1000,0,0\nb,2000,0.1,0\nc,3000,0,0.1\n"


def test_a_table_becomes_a_scenario(uploads):
    name = uploads.add({"mine.csv": GOOD})
    assert uploads.add({"mine.csv": GOOD}) == name
    found = uploads.load(name)
    assert found.regions.codes == ("a", "b", "c")
    assert uploads.written(name)["regions"]["table"] == "mine.csv"
    next(WhatIf(Settings(scenario=name), found).answers(going()))


def test_the_scenario_of_an_upload_can_be_taken_home(uploads, tmp_path):
    name = uploads.add({"mine.csv": GOOD})
    what_if = WhatIf(MOVED, uploads.load(name), written=uploads.written(name))
    (tmp_path / "mine.csv").write_bytes(GOOD)
    (tmp_path / "what-if.yaml").write_text(what_if.scenario_text(), encoding="utf-8")
    found = Scenario.load(tmp_path / "what-if.yaml")
    assert found.strategies[WHAT_IF] == what_if.scenario.strategies[WHAT_IF]
    assert found.parameters == what_if.scenario.parameters


def shapes_of(codes):
    features = [
        {
            "type": "Feature", "properties": {"code": code},
            "geometry": {"type": "Polygon", "coordinates": [[
                [x - 0.04, y - 0.04], [x + 0.04, y - 0.04], [x + 0.04, y + 0.04],
                [x - 0.04, y + 0.04], [x - 0.04, y - 0.04],
            ]]},
        }
        for code, (x, y) in codes.items()
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_shapes_come_with_a_table_or_a_scenario_and_are_drawn(uploads):
    shapes = shapes_of({"a": (0, 0), "b": (0, 0.1), "c": (0.1, 0)})
    text = (
        b"title: mine\nregions: {table: mine.csv, shapes: mine.geojson, columns: {latitude: "
        b"latitude, longitude: longitude}}\nfamilies: [infrastructure]\n"
    )
    for more in ({}, {"mine.yaml": text}):
        name = uploads.add({"mine.csv": GOOD, "mine.geojson": shapes, **more})
        found = uploads.load(name)
        assert set(found.regions.shapes) == {"a", "b", "c"}
        drawn = charts.regions_map(next(WhatIf(Settings(scenario=name), found).answers(going())))
        assert drawn.count("<path") >= 3


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"x.csv": b"code,population\na,-3\n"}, "x.csv:2: population: -3"),
        ({"x.csv": b"code,population\na,3\n"}, "latitude"),
        ({"x.csv": b"\x00\xff\x00"}, "x.csv"),
        ({"x.yaml": b"a: [1"}, "x.yaml:"),
        ({"x.yaml": b"extends: kartamantul\nextensions: [rule.py]\n"}, "programs cannot be"),
        ({"x.yaml": b"extends: ../../secret.yaml\n"}, "was not uploaded"),
        ({"x.yaml": b"regions: {table: /etc/passwd}\n"}, "was not uploaded"),
        ({"x.yaml": b"extends: kartamantul\ncontacts: {list: ../a.csv}\n"}, "was not uploaded"),
        ({"x.yaml": b"extends: indonesia\nregions: {synthetic: {number: 900000, "
          b"median_population: 9}}\n"}, "900000 regions are too many"),
        ({"x.yaml": b"!!python/object/apply:os.system ['true']\n"}, "x.yaml:1"),
        ({"x.py": b"print(1)"}, "only files that end in"),
        ({"../x.csv": GOOD}, "only files that end in"),
        ({"x.csv": b"0" * (LARGEST + 1)}, "at most"),
        ({"x.csv": GOOD, "y.csv": GOOD}, "one table of regions"),
        ({"y.geojson": b"{}"}, "one table of regions"),
        ({"x.yaml": b"extends: kartamantul\n", "y.geojson": b"{}"}, "does not name it"),
        ({"x.csv": GOOD, "y.geojson": b"{}", "z.geojson": b"{}"}, "one table of regions"),
        ({"x.csv": GOOD, "y.geojson": b"{"}, "y.geojson"),
        ({"x.csv": GOOD, "y.geojson": b"[" * 100_000}, "y.geojson"),
        ({"x.csv": GOOD, "y.json": b'{"type": "FeatureCollection", "features": []}'}, "'code'"),
        ({"x.csv": GOOD, "y.json": b"0" * (LARGEST_SHAPES + 1)}, "at most"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_its_place(uploads, files, message):
    with pytest.raises(InputError) as refusal:
        uploads.add(files)
    told = "\n".join(map(str, refused(refusal.value)))
    assert message in told
    assert "/tmp" not in told
    assert uploads.names() == ()


def test_names_are_never_paths(uploads):
    for name in ("../kartamantul", "/etc/passwd", "kartamantul.yaml", "strategies", "indonesia"):
        with pytest.raises(InputError, match="there is no scenario"):
            uploads.load(name)
    with pytest.raises(InputError, match="upload them again"):
        uploads.load("upload-0123456789ab")


def test_old_uploads_make_room(uploads):
    names = [
        uploads.add({"m.csv": GOOD.replace(b"1000", str(1000 + k).encode())})
        for k in range(KEPT + 1)
    ]
    assert uploads.names() == tuple(names[1:])
