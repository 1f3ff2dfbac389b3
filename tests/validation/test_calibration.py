"""Calibration: on problems whose answer is known, and on the model's own bands."""

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from kolabsim.errors import InputError
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.futures import STRUCTURES, as_text, in_scenario, plausible_sets
from kolabsim.scenario.scenario import Scenario, shipped
from kolabsim.study.experiment import Experiment
from kolabsim.validation import calibration as c
from kolabsim.validation import evidence as e
from kolabsim.validation import prior, sampling
from kolabsim.validation.facts import FACTS
from kolabsim.validation.sampling import Judged
from kolabsim.validation.scorecard import contrasts
from tests.terminal import kolabsim


def test_a_point_is_a_setting_of_everything_that_varies():
    names = [axis.name for axis in prior.axes()]
    low, high = (prior.future_at(np.full(len(names), u)) for u in (0.0, 1.0 - 1e-12))
    for name, entry in prior.assumed().items():
        ends = low[f"parameters.{name}"], high[f"parameters.{name}"]
        assert ends == (pytest.approx(entry.low), pytest.approx(entry.high))
    assert {n for n, entry in PARAMETERS.items() if entry.source == "assumed"} == set(
        prior.assumed()
    )
    assert set(low) == set(names)
    for name, words in STRUCTURES.items():
        assert low[name] == words[0]
        assert high[name] == words[-1]


def test_a_setting_lies_at_a_point():
    rng = np.random.default_rng(1)
    future = prior.future_at(rng.random(len(prior.axes())))
    again = prior.future_at(prior.point_of(future))
    for name, value in future.items():
        assert again[name] == (value if isinstance(value, str) else pytest.approx(value))
    usual = prior.future_at(prior.point_of({}))
    for axis in prior.axes():
        expected = axis.words[0] if axis.words else pytest.approx(axis.default)
        assert usual[axis.name] == expected


def test_factors_of_areas_apply_to_the_areas_of_any_scenario():
    future = {"area_factors.haul": 2.0, "parameters.notice": 0.4}
    for name in ("small-towns", "kartamantul"):
        scenario = Scenario.load(name)
        changed = scenario.with_(in_scenario(future, scenario))
        assert changed.areas.keys() == scenario.areas.keys()
        for area, one in scenario.areas.items():
            assert changed.areas[area].haul == pytest.approx(2.0 * one.haul)
            assert changed.areas[area].efficient_scale == one.efficient_scale


def test_only_calibration_facts_are_calibrated_on():
    facts = e.published().groups
    assert list(facts) == [("kartamantul",), ("towns",), ("long",)], (
        "the cheapest setting comes first"
    )
    assert {fact.use for some in facts.values() for fact in some} == {"calibration"}
    assert sum(map(len, facts.values())) == sum(fact.use == "calibration" for fact in FACTS)
    (share,) = (fact for fact in FACTS if fact.id == "SF18")
    assert e.excess(share, 0.2) == 0.0
    assert e.excess(share, 0.40 + 0.125) == pytest.approx(1.0)
    assert e.excess(share, np.nan) == e.UNDEFINED


def test_places_in_a_band_count_as_misfit_beyond_its_ends():
    for fact in e.published().calibration:
        ends = [end for end in (fact.low, fact.high) if np.isfinite(end)]
        for end in ends:
            assert abs(e.position(fact, end)) == pytest.approx(1.0)
            assert e.excess(fact, end) == 0.0
        assert np.isnan(e.position(fact, np.nan))
        assert e.excess(fact, np.nan) == e.UNDEFINED


def test_a_future_is_judged_by_runs_as_a_whole():
    """Judged with a limit, the verdict is the same; a near one is judged by four runs."""
    beside = prior.future_at(prior.point_of({"parameters.attention_base": -3.5}))
    facts = e.published().groups["towns",]
    towns = replace(e.published(), facts=facts)
    one = e.judge(beside, evidence=towns)
    assert one.worst > 0.0, "all facts agree: the test says nothing of limits"
    assert one.worst == e.judge(beside, evidence=towns).worst
    limit = one.worst / 2.0
    assert e.judge(beside, limit, evidence=towns).worst > limit
    assert e.judge(beside, 2.0 * one.worst + 1.0, evidence=towns).worst == one.worst
    found = zip(facts, by_hand(beside, facts), strict=True)
    assert one.worst == pytest.approx(max(e.excess(fact, value) for fact, value in found))


def by_hand(future, facts):
    runs = np.array([contrasts(k, facts, future, 1) for k in range(4)])
    means = runs.mean(axis=0)
    near = max(e.excess(fact, value) for fact, value in zip(facts, runs[0], strict=True)) <= e.FAR
    return means if near else runs[0]


def test_the_misfit_of_a_setting_is_the_same_whenever_asked():
    settings = {f"parameters.{name}": entry.default for name, entry in prior.assumed().items()}
    one = e.misfit(settings, runs=1, seed=1)
    assert one == e.misfit(settings, runs=1, seed=1)
    wild = settings | {"parameters.exit_base": PARAMETERS["exit_base"].high * 2}
    assert e.misfit(wild, runs=1, seed=1) > one
    soon = e.misfit(wild, runs=1, seed=1, enough=0.0)
    assert 0.0 < soon <= e.misfit(wild, runs=1, seed=1), "the long setting is not asked any more"


def test_plausible_futures_ship_and_agree_with_the_facts():
    """The first of them, judged as calibration did, by the facts that it was calibrated to."""
    result = shipped("scenarios") / "calibration.json"
    used = set(json.loads(result.read_text(encoding="utf-8"))["facts"])
    assert used == {fact.id for fact in e.published().calibration}, "calibrate again"
    sets, known = plausible_sets(), {axis.name: axis for axis in prior.axes()}
    assert len(sets) >= 50
    for one in sets:
        assert set(one) <= set(known)
        for name, value in one.items():
            axis = known[name]
            if axis.words:
                assert value in axis.words
                continue
            slack = 1e-5 * (abs(axis.low) + abs(axis.high))
            assert axis.low - slack <= value <= axis.high + slack
    assert e.misfit(sets[0], runs=4, seed=1) < 0.01, "digits that were cut hardly matter"


def test_the_defaults_are_the_medoid_of_the_sets_that_ship():
    axes, sets = prior.axes(), plausible_sets()
    assert len(sets) == 200
    assert sets[0] == pytest.approx({axis.name: axis.default for axis in axes if not axis.words} | {
        axis.name: axis.words[0] for axis in axes if axis.words
    })  # fmt: skip
    numbers = [k for k, axis in enumerate(axes) if not axis.words]
    points = np.array([prior.point_of(one)[numbers] for one in sets])
    apart = np.sqrt(((points[:, None] - points[None, :]) ** 2).mean(axis=2)).mean(axis=1)
    assert apart.argmin() == 0


def test_sets_are_written_and_read_again(tmp_path):
    sets = [
        {"a": 0.123456789, "b": 2.0, "trust": "lasting"},
        {"a": 1e-9, "b": -3.5, "trust": "recovering"},
    ]
    (tmp_path / "p.csv").write_text(as_text(sets), encoding="utf-8")
    assert plausible_sets(tmp_path / "p.csv")[0] == {"a": 0.123457, "b": 2.0, "trust": "lasting"}
    assert plausible_sets(tmp_path / "p.csv")[1] == sets[1]


def test_an_experiment_may_draw_plausible_futures(tmp_path):
    text = "kind: comparison\nscenario: kartamantul\nstrategies: [voluntary, team]\nruns: 2\n"
    (tmp_path / "e.yaml").write_text(text + "plausible: 3\n", encoding="utf-8")
    study = Experiment.load(tmp_path / "e.yaml")
    assert list(study.futures) == ["plausible-1", "plausible-2", "plausible-3"]
    scenario = study.scenario.with_(study.futures["plausible-2"])
    for name, value in plausible_sets()[1].items():
        family, _dot, rest = name.partition(".")
        if name in STRUCTURES:
            assert getattr(scenario, name) == value
        elif family == "parameters":
            assert scenario.parameters[rest] == value
    for area, one in study.scenario.areas.items():
        factor = plausible_sets()[1]["area_factors.haul"]
        assert scenario.areas[area].haul == pytest.approx(factor * one.haul)


@pytest.fixture
def quick(monkeypatch):
    """A misfit that is known: the first number must lie in the middle of its range."""
    facts = e.published().calibration

    def judge(future, _enough=np.inf, *, seed=1, evidence=None):
        u = prior.point_of(future)[0]
        places = np.zeros(len(e.published().calibration))
        places[0], places[1] = (u - 0.5) / 0.1, -0.6 + 0.1 * u
        return Judged(places, max(abs(places[0]) - 1.0, 0.0))

    monkeypatch.setattr(c, "judge", judge)
    monkeypatch.setattr(sampling, "STEPS", 1)
    return facts


def test_a_calibration_says_what_was_narrowed_and_by_which_fact(quick, tmp_path):
    found = c.calibrate(sets=60, seed=2, checkpoint=tmp_path / "search.npz")
    first, *others = found.identified.items()
    assert first[1].left == pytest.approx(0.2, abs=0.05)
    assert first[1].p < 1e-6
    assert np.mean([one.p < 0.01 for _name, one in others]) < 0.1, "without effect, no narrowing"
    effects = found.effects
    assert effects[0, 0] == pytest.approx(10.0, rel=0.05), "from 0 to 1, ten half-widths"
    assert not effects[2:].any()
    assert len(found.futures) == 60
    for future in found.futures:
        assert c.judge(future).worst == 0.0
    result = json.loads(found.as_json())
    assert result["sets"] == 60
    assert result["numbers"][first[0]]["effects"][quick[0].id] == pytest.approx(10.0, rel=0.05)
    usual = found.futures[found.medoid]
    for name, words in STRUCTURES.items():
        assert sum(found.shares[name].values()) == pytest.approx(1.0)
        some = any(all(one[n] == w[0] for n, w in STRUCTURES.items()) for one in found.futures)
        assert not some or usual[name] == words[0]


def test_facts_that_ask_for_opposite_changes_pull_against_each_other(quick, monkeypatch):
    def judge(future, _enough=np.inf, *, seed=1, evidence=None):
        u = prior.point_of(future)[0]
        places = np.zeros(len(e.published().calibration))
        places[0], places[1] = 4.0 * (u - 0.5) + 0.5, 4.0 * (u - 0.5) - 0.5
        return Judged(places, float(max(np.abs(places).max() - 1.0, 0.0)))

    monkeypatch.setattr(c, "judge", judge)
    found = c.calibrate(sets=60, seed=2)
    assert [pull[:2] for pull in found.pulls] == [(quick[0].id, quick[1].id)]
    assert found.pulls[0].cosine == pytest.approx(-1.0)


def test_an_interrupted_calibration_continues(quick, tmp_path):
    whole = c.calibrate(sets=20, seed=4)
    most = whole.population.judged - 1
    part = c.calibrate(sets=20, seed=4, most=most - 30, checkpoint=tmp_path / "s.npz")
    assert part.population.judged < whole.population.judged
    again = c.calibrate(sets=20, seed=4, checkpoint=tmp_path / "s.npz")
    assert again.futures == whole.futures
    with pytest.raises(InputError, match=r"s\.npz: this search has other facts"):
        c.calibrate(sets=20, seed=5, checkpoint=tmp_path / "s.npz")
    (tmp_path / "s.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"s\.npz: this is not a saved search"):
        c.calibrate(sets=20, seed=4, checkpoint=tmp_path / "s.npz")


def test_the_command_writes_sets_results_and_the_medoid(quick, tmp_path):
    done = kolabsim("calibrate", "--sets", 20, "--seed", 4, "--out", "c", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "20 of" in done.stdout
    sets = plausible_sets(tmp_path / "c" / "plausible.csv")
    assert len(sets) == 20
    scenario = Scenario.load("small-towns")
    scenario.with_(in_scenario(sets[0], scenario))
    middle = yaml.safe_load((tmp_path / "c" / "medoid.yaml").read_text(encoding="utf-8"))
    assert set(middle) == {"parameters", "area_factors", *STRUCTURES}
    assert set(middle["parameters"]) == set(prior.assumed())
    assert json.loads((tmp_path / "c" / "calibration.json").read_text(encoding="utf-8"))["sets"]
    again = kolabsim("calibrate", "--sets", 20, "--seed", 5, "--out", "c", folder=tmp_path)
    assert again.returncode == 2
    assert "this search has other facts" in again.stderr


def test_a_search_begins_with_the_sets_of_an_earlier_one_that_agree(quick, tmp_path):
    first = prior.axes()[0]
    known = [{first.name: first.at(u)} for u in (0.45, 0.5, 0.55, 0.9)]
    found = c.calibrate(sets=20, most=4, seed=3, known=known)
    assert found.population.level == 0.0
    assert len(found.population.distinct) == 3, "the last disagrees"
    assert len(found.population.points) > 20
    found = c.calibrate(sets=20, seed=3, known=known)
    assert len(found.points) == 20
    assert (np.abs(found.points[:, 0] - 0.5) <= 0.1).all()
    lines = as_text(found.futures)
    (tmp_path / "known.csv").write_text(lines, encoding="utf-8")
    assert len(c.read_known(tmp_path / "known.csv")) == 20
    with pytest.raises(InputError, match="none of the sets to begin with agrees"):
        c.calibrate(sets=20, seed=3, known=[{first.name: first.high}])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parameters.nothing\n1\n", "1: parameters.nothing: not a setting that calibration varies"),
        ("parameters.notice\n7\n", "2: parameters.notice: '7' must be a number from 0.2 to 0.95"),
        ("trust\nlastin\n", "2: trust: 'lastin' is not one of its words; did you mean 'lasting'?"),
        ("trust\n", "no rows"),
        ("", "empty"),
    ],
)
def test_sets_to_begin_with_are_checked(text, message, tmp_path):
    (tmp_path / "known.csv").write_text(text, encoding="utf-8")
    done = kolabsim("calibrate", "--begin", "known.csv", "--out", "c", folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "c").exists()


def test_a_search_that_finds_nothing_says_so_and_writes_no_sets(tmp_path, monkeypatch):
    monkeypatch.setattr(c, "judge", lambda *_how, **_more: Judged(np.full(11, 5.0), 4.0))
    done = kolabsim(
        "calibrate", "--sets", 10, "--most", 10, "--seed", 5, "--out", "c", folder=tmp_path
    )
    assert done.returncode == 2
    assert "no parameter set agrees" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "c" / "plausible.csv").exists()


def test_each_alternative_of_a_structure_can_be_a_future(tmp_path):
    text = (
        "kind: comparison\nscenario: kartamantul\nplausible: 0\n"
        "strategies: [voluntary, team]\nruns: 2\n"
    )
    (tmp_path / "e.yaml").write_text(text + "structures: [unit_cost, trust]\n", encoding="utf-8")
    study = Experiment.load(tmp_path / "e.yaml")
    assert list(study.futures) == [
        "default", "unit-cost-power", "unit-cost-hyperbola", "trust-lasting",
    ]  # fmt: skip
    assert study.scenario.with_(study.futures["trust-lasting"]).trust == "lasting"
    (tmp_path / "all.yaml").write_text(text + "structures: all\n", encoding="utf-8")
    everything = Experiment.load(tmp_path / "all.yaml").futures
    assert len(everything) == 1 + sum(len(words) - 1 for words in STRUCTURES.values())
    (tmp_path / "wrong.yaml").write_text(text + "structures: [trusts]\n", encoding="utf-8")
    done = kolabsim("check", "wrong.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'trust'" in done.stderr
