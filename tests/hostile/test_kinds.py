"""Kinds of inputs that once ended in a traceback or in a wrong sentence, one by one."""

from __future__ import annotations

import html
import math
import re
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kolabsim import compare, figures, load
from kolabsim.engine.mesa_model import CHANGEABLE, CollaborationModel
from kolabsim.errors import InputError
from kolabsim.figures import style
from kolabsim.figures.maps import RegionMap
from kolabsim.scenario.shapes import Shape
from kolabsim.study.api import simulate
from kolabsim.study.factors import choose_factors
from tests.builders import make_scenario
from tests.hostile.worlds import RAW, TOWNS, write_world
from tests.sketches import sketching
from tests.terminal import kolabsim

sketched = pytest.mark.usefixtures("sketched_figures")
MORRIS = {"kind": "sensitivity", "method": "morris", "samples": 4, "runs": 2}
FACTORS = {"parameters.trust_start": None, "parameters.quality_value": None}


def finished(folder, **environment):
    """Run the experiment of a folder, and return what was printed and the text of its report."""
    done = kolabsim("run", "study.yaml", "--out", "out", folder=folder, **environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert not re.search(RAW, done.stderr), done.stderr
    return done, (folder / "out/report.html").read_text(encoding="utf-8")


# Checks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"strategies": ["voluntary", "team", "team"]}, "strategies.2: 'team' is listed twice"),
        ({"strategies": ["voluntary"]}, "there is nothing to compare 'voluntary' with"),
        ({"strategies": ["team"], "baseline": "team"}, "nothing to compare 'team' with"),
        ({"measures": ["trust", "saving", "trust"]}, "'trust' is listed twice"),
        (MORRIS | {"factors": ["parameters.notice"] * 2}, "'parameters.notice' is listed twice"),
        (MORRIS | {"factors": FACTORS, "strategy": "team", "against": "team"}, "nothing to"),
        (MORRIS | {"factors": {"form": ["board", "contract", "board"]}}, "each once"),
        (MORRIS | {"factors": {"form": [["board"], ["contract"]]}}, "each once"),
        (MORRIS | {"factors": {"parameters.startup_cost": [0, float("inf")]}}, "finite numbers"),
        ({"kind": "sweep", "factors": {"mechanisms.team": {"levels": [0.1, float("inf")]},
                                       "parameters.notice": None}}, "finite numbers"),
        ({"runs": 10**9}, "1000000000 is too large; allowed: at most 1000000"),
        ({"set": {"horizon": None}}, "horizon: the value is missing"),
        ({"futures": {"a": {"parameters.notice": None}}}, "notice: the value is missing"),
    ],
)  # fmt: skip
def test_what_run_would_refuse_is_told_by_check_with_its_line(tmp_path, keys, told):
    path = write_world(tmp_path, **keys)
    path.write_text(path.read_text(encoding="utf-8").replace("Infinity", ".inf"), encoding="utf-8")
    for command in (("check", "study.yaml"), ("run", "study.yaml", "--out", "out")):
        done = kolabsim(*command, folder=tmp_path)
        assert done.returncode == 2
        assert told in done.stderr
        assert re.search(r"study.yaml:\d+:\d+: ", done.stderr)
    assert not (tmp_path / "out").exists()


SET = {"set": {"parameters.notice": 0.5, "mechanisms": {"forum": {"intensity": 0.5}}}}
VARIED = {"factors": ["parameters.notice", "mechanisms.forum"]}
WITHOUT = "is a factor, so the value that 'set' gives it has no effect"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"strategies": ["voluntary", "mine", "team", "twin"]},
         [r"world.yaml:1\d: strategies.mine.mechanisms.team has the intensity 0",
          r"world.yaml:1\d: voluntary, mine are the same", r"world.yaml:1\d: team, twin are the"]),
        ({"futures": {"a": {}, "b": {"form": "board"}, "c": {}}},
         [r"study.yaml:\d+: a, c are the same future under 2 names"]),
        (MORRIS | VARIED | SET, [rf"study.yaml:\d+: {name} {WITHOUT}" for name in
                                VARIED["factors"]]),
        (MORRIS | VARIED | SET | {"method": "one_at_a_time"}, []),
        ({"kind": "sweep", "plausible": 2} | VARIED | SET,
         [rf"study.yaml:\d+: parameters.notice {WITHOUT}",
          r"study.yaml:\d+: mechanisms.forum is a factor, so the value .* only on the strategy"]),
        ({"kind": "robustness", "strategies": ["voluntary", "mine", "twin"],
          "factors": ["parameters.notice", "mechanisms.team"]},
         [r"study.yaml:\d+: mechanisms.team: the factor has no effect on mine, twin, which set",
          "strategies.mine.mechanisms.team has", "voluntary, mine are"]),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_told_by_check_with_its_line(tmp_path, keys, told):
    team = load("kartamantul").strategies["team"].plain_levers()["levers"]["team"]
    mine = {"mine": {"mechanisms": {"team": 0}},
            "twin": {"mechanisms": {"team": team[0]["intensity"]}}}  # fmt: skip
    pairs = "code_a,code_b,land\n" + "".join(
        f"{one},{other},yes\n" for one, other in (("n1", "e1"), ("e1", "s1"), ("s1", "w1"))
    )
    (tmp_path / "pairs.csv").write_text(pairs, encoding="utf-8")
    write_world(tmp_path, scenario={"strategies": mine, "contacts": {"list": "pairs.csv"}}, **keys)
    done = kolabsim("check", "study.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    warned = done.stderr.strip().splitlines()
    assert len(warned) == len(told), warned
    assert all(re.search(text, done.stderr) for text in told), done.stderr


@sketched
def test_what_has_no_effect_stands_beside_the_answer(tmp_path):
    factors = {"factors": ["parameters.notice", "parameters.trust_start"]}
    write_world(tmp_path / "m", **MORRIS, **factors, set={"parameters.notice": 0.5})
    done, report = finished(tmp_path / "m")
    assert WITHOUT in done.stderr
    assert re.search(rf">study.yaml:\d+: parameters.notice {WITHOUT}", html.unescape(report))
    write_world(tmp_path / "c", futures={"a": {}, "b": {}}, runs=2)
    done, report = finished(tmp_path / "c")
    assert re.search(r">study.yaml:\d+: a, b are the same future", report)


def test_a_factor_that_every_strategy_sets_itself_is_refused(tmp_path):
    write_world(
        tmp_path, kind="robustness", strategies=["team"], baseline="full_package",
        factors=["parameters.notice", "mechanisms.team"],
    )  # fmt: skip
    done = kolabsim("check", "study.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert re.search(r"study.yaml:\d+:\d+: factors: mechanisms.team: .* no effect", done.stderr)


def test_a_problem_is_told_at_the_key_that_it_is_about(tmp_path):
    study = write_world(
        tmp_path, kind="sweep", strategy="team", against="nobody", plausible=0, levels=3,
        factors={"parameters.trust_start": [0, 1]},
    )  # fmt: skip
    lines = study.read_text("utf-8").splitlines()
    line = next(k for k, text in enumerate(lines, 1) if "against" in text)
    told = kolabsim("check", "study.yaml", folder=tmp_path).stderr
    assert re.search(rf"study.yaml:{line}:\d+: against: 'nobody' is not a strategy", told)
    write_world(tmp_path, kind="sensitivity", samples=4, factors={"parameters.trust_start": [7, 9]})
    told = kolabsim("check", "study.yaml", folder=tmp_path).stderr
    lines = study.read_text("utf-8").splitlines()
    line = next(k for k, text in enumerate(lines, 1) if "trust_start" in text)
    assert re.search(rf"study.yaml:{line}:\d+: factors.parameters.trust_start: ", told)


@pytest.mark.parametrize("setting", ["horizon=", "horizon= ", "parameters.notice=~"])
def test_a_setting_without_a_value_is_refused(tmp_path, setting):
    write_world(tmp_path)
    done = kolabsim("run", "study.yaml", "--set", setting, folder=tmp_path)
    assert done.returncode == 2
    assert f"{setting.partition('=')[0]}: the value is missing" in done.stderr


def test_lists_of_strategies_in_python_have_each_once():
    with pytest.raises(InputError, match="'team' is listed twice"):
        simulate("kartamantul", ["team", "team"], runs=2)


@pytest.mark.parametrize("order", [1, -1])
def test_a_range_of_its_own_stays_whatever_stands_before_it(order):
    wanted = [("mechanisms.forum", [0, 0.1]), ("mechanisms", None)][::order]
    found = {one.name: one for one in choose_factors(load("kartamantul"), dict(wanted))}
    assert (found["mechanisms.forum"].low, found["mechanisms.forum"].high) == (0, 0.1)
    assert found["mechanisms.team"].high == 1.0


# Statistics -------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcomes", [["trust", "programme_cost"], ["programme_cost"]])
def test_an_outcome_that_nothing_changes_is_said_beside_the_others(tmp_path, outcomes):
    write_world(tmp_path, **MORRIS, factors=FACTORS, outcomes=outcomes)
    done, report = finished(tmp_path)
    for text in (done.stdout, report):
        assert "programme_cost is 0 at all 16 points: no factor changes it" in text
        told = "Trust depends most on" in text or "Trust: no factor can be" in text
        assert told == (len(outcomes) == 2)


def test_factors_without_any_effect_are_drawn(tmp_path):
    write_world(tmp_path, **MORRIS, factors=FACTORS, outcomes=["saving"])
    finished(tmp_path)


@pytest.mark.parametrize("outcomes", [["trust", "saving"], ["trust"]])
def test_an_outcome_that_is_undefined_is_said_beside_the_others(tmp_path, outcomes):
    factors = {"parameters.trust_start": None, "parameters.notice": None}
    write_world(tmp_path, TOWNS[:1], kind="sweep", levels=2, factors=factors, outcomes=outcomes)
    done, report = finished(tmp_path)
    assert all("trust is undefined at 4 of 4 points" in text for text in (done.stdout, report))
    assert ("Saving" in done.stdout) == (len(outcomes) == 2)


def test_a_sweep_that_changes_nothing_has_no_best_point(tmp_path):
    write_world(tmp_path, kind="sweep", levels=2, factors=FACTORS, outcomes=["programme_cost"])
    _done, report = finished(tmp_path)
    assert "at all 4 points: no factor changes it" in report
    assert "it is best at" not in report


@pytest.mark.parametrize("runs", [2, pytest.param(3, marks=pytest.mark.long)])
def test_differences_without_spread_have_a_word_and_no_interval(tmp_path, runs):
    rows = [("a", "A", 5_000, 0.0, 0.0), ("b", "B", 5_000, 0.0, 1.0)]
    write_world(tmp_path, rows, runs=runs, plausible=0, scenario={"horizon": 1})
    _done, report = finished(tmp_path)
    words = f"identical in all {runs} runs"
    assert words in report
    table = pd.read_csv(tmp_path / "out/differences.csv")
    assert (table["verdict"][table["low"].isna()] == "undecided").all()
    assert (table["low"] < table["high"])[table["low"].notna()].all()


# Labels -----------------------------------------------------------------------------------------


def test_equal_names_and_titles_are_told_apart_by_what_declares_them(tmp_path):
    rows = [("p1", "Port", 9_000, 0.0, 0.0), ("p2", "Port", 8_000, 0.0, 0.1),
            ("p3", "Po\u200brt", 7_000, 0.1, 0.1), ("team", "\u200b", 6_000, 0.1, 0.0)]  # fmt: skip
    mine = {"title": "Coordination team", "mechanisms": {"team": 1.0}}
    write_world(
        tmp_path, rows, scenario={"strategies": {"mine": mine}},
        strategies=["voluntary", "team", "mine"],
    )  # fmt: skip
    checked = kolabsim("check", "world.yaml", folder=tmp_path).stderr
    assert "3 regions are called “Port”; reports add their codes: p1, p2, p3." in checked
    assert "2 strategies are titled “Coordination team”" in checked
    _done, report = finished(tmp_path)
    drawn = (tmp_path / "out/figures/winners.svg").read_text(encoding="utf-8")
    for label in ("Port (p1)", "Port (p2)", "Po\u200brt (p3)", "Coordination team (mine)"):
        assert label in report
    assert all(label in drawn for label in ("Port (p1)", "Port (p2)", "Po\u200brt (p3)"))


@sketched
def test_codes_that_look_the_same_are_the_same(tmp_path):
    composed, decomposed = "\u00c7a", "C\u0327a"
    rows = [(composed, "One", 9_000, 0.0, 0.0), ("B", "Two", 8_000, 0.0, 0.1)]
    groups = {"groups": {"both": [decomposed, "B\u200b"]}, "contacts": {"list": "pairs.csv"}}
    write_world(tmp_path, rows, scenario=groups)
    pairs = f"code_a,code_b,land\n{decomposed},\ufeffB,yes\n"
    (tmp_path / "pairs.csv").write_text(pairs, encoding="utf-8")
    assert kolabsim("check", "study.yaml", folder=tmp_path).returncode == 0
    done = kolabsim("run", "study.yaml", "--regions", decomposed, "--out", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    write_world(tmp_path, [*rows, (decomposed, "Three", 7_000, 0.1, 0.1)])
    done = kolabsim("check", "study.yaml", folder=tmp_path)
    assert "regions.csv:4: code: 'Ça' is there twice, first on line 2" in done.stderr


# Mesa ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHANGEABLE)
def test_regions_of_mesa_refuse_what_a_scenario_refuses(name):
    model = CollaborationModel("kartamantul", horizon=2)
    region, (least, most) = model.regional_governments[0], CHANGEABLE[name]
    before = getattr(region, name)
    outside = math.nextafter(least, -math.inf), math.nextafter(most, math.inf)
    for value in (*outside, math.nan, math.inf, -math.inf, None, "1", True):
        with pytest.raises(InputError, match=name):
            setattr(region, name, value)
    assert getattr(region, name) == before
    for value in (1, np.float32(1.0), least if math.isfinite(least) else -1e9):
        setattr(region, name, value)
        assert getattr(region, name) == value
    assert name in dir(region)
    model.run_model()
    assert 0.0 <= model.measures["commitment"] <= 1.0


# Reports ----------------------------------------------------------------------------------------


def fail(*_given, **_more):
    """Take the place of a part of a report."""
    raise ZeroDivisionError("a part that fails")


@sketched
def test_a_report_survives_that_of_its_kind(tmp_path, monkeypatch):
    monkeypatch.setattr("kolabsim.report.sensitivity.chance_table", fail)
    write_world(tmp_path, **MORRIS, factors=FACTORS, outcomes=["trust"])
    done = kolabsim("run", "study.yaml", "--out", "out", folder=tmp_path)
    assert done.returncode == 1
    report = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "This section is missing" in report
    assert 'id="reproduce"' in report


@pytest.mark.parametrize(
    ("place", "missing", "kept"),
    [
        ("kolabsim.report.comparison.tables.cost_table", "This section is missing", "winners.svg"),
        ("kolabsim.figures.forest", "This figure is missing", "winners.svg"),
        ("kolabsim.figures.style.draw_into", "This figure is missing", ""),
    ],
)  # fmt: skip
def test_a_report_survives_its_parts(tmp_path, monkeypatch, place, missing, kept):
    write_world(tmp_path)
    run = ("run", "study.yaml", "--out", "out")
    drawn = sketching() if "tables" in place else nullcontext()
    with drawn, monkeypatch.context() as broken:
        broken.setattr(place, fail)
        done = kolabsim(*run, folder=tmp_path)
    assert done.returncode == 1
    assert "missing" in done.stderr
    assert "Traceback" not in done.stderr
    report = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert missing in report
    assert "a part that fails" in (tmp_path / "out/failures/report.txt").read_text(encoding="utf-8")
    assert (tmp_path / "out/figures" / kept).exists() == bool(kept)
    with sketching():
        done = kolabsim(*run, folder=tmp_path)  # it is written again, because it is not whole
    assert done.returncode == 0
    assert "missing" not in (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert not (tmp_path / "out/failures/report.txt").exists()


# Maps and letters -------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [(179.0, -179.0), (-170.0, 179.9), (90.0, -91.0), (10.0, 12.0)])
def test_a_map_goes_across_180_degrees(ends):
    rows = [{"code": f"R{k}", "population": 9_000, "latitude": 0.1 * k, "longitude": east}
            for k, east in enumerate(ends)]  # fmt: skip
    square = np.array([[0.0, 0.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5], [0.0, 0.0]])
    ring = square + np.array([min(ends), 0.0])
    plain = make_scenario(rows, nearest=1).regions
    shaped = replace(plain, shapes={plain.codes[np.argmin(ends)]: Shape((ring,), (min(ends), 0.2))})
    apart = abs(ends[0] - ends[1])
    for place in (RegionMap(plain), RegionMap(shaped)):
        assert np.ptp(place.points[:, 0]) == pytest.approx(min(apart, 360.0 - apart))
    (east, _north), shape = place.points[np.argmin(ends)], next(iter(place.shapes.values()))
    assert shape.rings[0][0, 0] == pytest.approx(east)
    assert plain.longitude.min() == min(ends)


@pytest.mark.parametrize(("north", "least", "most"), [(0.0, 2.0, 3.5), (2.0, 4.9, 5.1)])
def test_a_flat_map_has_no_white_page_around_it(north, least, most):
    rows = [{"code": f"R{k}", "population": 9_000, "latitude": north * (k % 2), "longitude": east}
            for k, east in enumerate((178.0, 179.0, -179.5))]  # fmt: skip
    scenario = make_scenario(rows, nearest=1)
    results = simulate(scenario.with_(horizon=2), ["voluntary", "team"], runs=2)
    drawn = figures.regions_map(compare(results), "team")
    assert least < drawn.get_size_inches()[1] < most
    place = RegionMap(scenario.regions)
    low, high = place.frame()
    assert (low < place.points.min(axis=0)).all()
    assert (high > place.points.max(axis=0)).all()


@sketched
def test_a_map_says_which_lines_it_has(tmp_path):
    write_world(tmp_path)
    _done, report = finished(tmp_path)
    assert "thin lines join contacts" in report
    pairs = "code_a,code_b,land\nn1,e1,yes\n"
    (tmp_path / "pairs.csv").write_text(pairs, encoding="utf-8")
    write_world(tmp_path, scenario={"contacts": {"list": "pairs.csv"}})
    done = kolabsim("run", "study.yaml", "--out", "other", folder=tmp_path)
    assert done.returncode == 0
    report = (tmp_path / "other/report.html").read_text(encoding="utf-8")
    assert "thin lines join neighbours on land" in report


@pytest.mark.parametrize("baseline", [None, "voluntary"])
def test_a_single_quarter_is_drawn_where_it_can_be_seen(recwarn, baseline):
    results = simulate(load("kartamantul").with_(horizon=1), ["voluntary", "team"], runs=2)
    (axes,) = figures.envelopes(results, "trust", ["team"], baseline=baseline).axes
    left, right = axes.get_xlim()
    drawn = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) > 1]
    assert any(left < min(x) < max(x) < right for x in drawn)
    assert not recwarn.list


def test_drawing_letters_without_a_font_warns_of_nothing(recwarn):
    @style.styled
    def draw():
        figure = style.open_canvas(None, 2.0).figure
        figure.suptitle("\ua9a0")
        figure.draw_without_rendering()

    draw()
    assert not recwarn.list


def test_letters_without_a_font_are_told_once_and_names_as_long_as_books_are_cut(tmp_path):
    style.told.clear()
    names = "\ua9a0\ua9b2", "\ua9a0", "North " * 300, "S" * 2000
    rows = [(code, name, *rest) for (code, _n, *rest), name in zip(TOWNS, names, strict=True)]
    write_world(tmp_path, rows)
    done, report = finished(tmp_path)
    warned = [line for line in done.stderr.splitlines() if line.startswith("Warning: ")]
    assert sum("no installed font has the letters \ua9a0" in line for line in warned) == 1
    assert not any("Glyph" in line or "layout" in line for line in warned)
    assert all(name.strip() in report for name in names)
