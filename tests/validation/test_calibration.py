"""Calibration: on problems whose answer is known, and on the model's own bands."""

import numpy as np
import pytest

from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.futures import STRUCTURES, as_text, plausible_sets
from kolabsim.study.experiment import Experiment
from kolabsim.validation import calibration as c
from kolabsim.validation.facts import FACTS
from tests.terminal import kolabsim


def band(point: np.ndarray) -> float:
    """Nothing where x0 + x1 lies within .2 of 1 and x2 is below .3."""
    return max(abs(point[0] + point[1] - 1.0) - 0.2, point[2] - 0.3, 0.0)


def test_what_is_left_is_an_even_draw_from_all_that_agrees():
    found = c.narrow(lambda point, _runs, _enough: band(point), 5, wanted=400, seed=3)
    x = found.points
    assert len(x) == 400
    assert found.near >= 400
    assert found.drawn == pytest.approx(400 / (0.36 * 0.3), rel=0.15), "the band's share, by hand"
    assert max(band(point) for point in x) == 0.0
    np.testing.assert_allclose(x.mean(axis=0), [0.5, 0.5, 0.15, 0.5, 0.5], atol=0.05)
    narrowed = c.identified(x, list("abcde"))
    assert narrowed["c"].left == pytest.approx(0.3, abs=0.02)
    assert narrowed["c"].p < 1e-6
    assert min(narrowed["d"].p, narrowed["e"].p) > 1e-3, "without effect, no narrowing"


def test_structures_are_drawn_from_those_that_agree():
    """Of two sets, the first agrees under a lasting trust rule too, unless by another curve."""
    sets = [{"parameters.notice": 0.5}, {"parameters.notice": 0.9}]

    def judge(future):
        if future["parameters.notice"] > 0.7:
            return float(any(future.get(n, w[0]) != w[0] for n, w in STRUCTURES.items()))
        allowed = {"trust": "lasting", "unit_cost": "power"}
        other = {n: future[n] for n, w in STRUCTURES.items() if future.get(n, w[0]) != w[0]}
        return float(len(other) > 1 or any(allowed.get(n) != word for n, word in other.items()))

    allowed = c.alternatives(sets, judge, 2)
    assert [set(names) for names in allowed] == [{"trust-lasting", "unit-cost-power"}, set()]
    seen = set()
    for seed in range(30):
        one, two = c.combined(sets, allowed, judge, seed=seed, threads=1)
        assert judge(one) == judge(two) == 0.0
        assert set(one) == {"parameters.notice", *STRUCTURES}
        seen.add((one["trust"], one["unit_cost"]))
    assert seen == {
        ("recovering", "log_quadratic"), ("lasting", "log_quadratic"), ("recovering", "power"),
    }  # fmt: skip


def test_threads_change_nothing_and_the_search_ends():
    def misfit(point, runs, _enough):
        return band(point) + 0.01 / runs * (point[0] > 0.9)

    one, two = (c.narrow(misfit, 3, wanted=20, threads=threads) for threads in (1, 3))
    np.testing.assert_array_equal(one.points, two.points)
    never = c.narrow(lambda _point, _runs, _enough: 1.0, 3, wanted=1, most=100)
    assert (len(never.points), never.drawn, never.near) == (0, 100, 0)


def test_the_second_look_decides():
    looks = []

    def misfit(point, runs, _enough):
        looks.append(runs)
        return 0.4 if runs == 1 else 0.0

    found = c.narrow(misfit, 2, wanted=64, most=64, threads=1)
    assert len(found.points) == 64
    assert looks == [1] * 64 + [4] * 64


def test_a_point_is_a_setting_of_all_assumed_parameters():
    names = c.assumed()
    low, high = (c.future_at(np.full(len(names), u)) for u in (0.0, 1.0 - 1e-12))
    for name, entry in c.assumed().items():
        ends = low[f"parameters.{name}"], high[f"parameters.{name}"]
        assert ends == (pytest.approx(entry.low), pytest.approx(entry.high))
    assert {n for n, entry in PARAMETERS.items() if entry.source == "assumed"} == set(c.assumed())
    assert set(low) == {f"parameters.{name}" for name in c.assumed()}


def test_only_calibration_facts_are_calibrated_on():
    facts = c.calibration_facts()
    assert list(facts) == ["kartamantul", "towns", "long"], "the cheapest setting comes first"
    assert {fact.use for some in facts.values() for fact in some} == {"calibration"}
    assert sum(map(len, facts.values())) == sum(fact.use == "calibration" for fact in FACTS)
    (share,) = (fact for fact in FACTS if fact.id == "SF18")
    assert c.excess(share, 0.2) == 0.0
    assert c.excess(share, 0.40 + 0.125) == pytest.approx(1.0)
    assert c.excess(share, np.nan) == c.NEVER


def test_the_misfit_of_a_setting_is_the_same_whenever_asked():
    settings = {f"parameters.{name}": entry.default for name, entry in c.assumed().items()}
    one = c.misfit(settings, runs=1, seed=1)
    assert one == c.misfit(settings, runs=1, seed=1)
    wild = settings | {"parameters.exit_base": PARAMETERS["exit_base"].high * 2}
    assert c.misfit(wild, runs=1, seed=1) > one
    soon = c.misfit(wild, runs=1, seed=1, enough=0.0)
    assert 0.0 < soon <= c.misfit(wild, runs=1, seed=1), "the long setting is not asked any more"


def test_plausible_futures_ship_and_agree_with_the_facts(monkeypatch):
    """The first of them, judged as calibration did; they were found before KEEP was a fact."""
    older = {name: facts for name, facts in c.calibration_facts().items() if name != "kartamantul"}
    monkeypatch.setattr(c, "calibration_facts", lambda: older)
    sets = plausible_sets()
    assert len(sets) >= 50
    for one in sets:
        assert tuple(one) == (*(f"parameters.{name}" for name in c.assumed()), *STRUCTURES)
        for name, value in one.items():
            if name in STRUCTURES:
                assert value in STRUCTURES[name]
                continue
            entry = PARAMETERS[name.removeprefix("parameters.")]
            slack = 1e-5 * (abs(entry.low) + abs(entry.high))
            assert entry.low - slack <= value <= entry.high + slack
    assert c.misfit(sets[0], runs=4, seed=1) < 0.01, "digits that were cut hardly matter"


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
    assert list(study.futures) == ["default", "plausible-1", "plausible-2", "plausible-3"]
    scenario = study.scenario.with_(study.futures["plausible-2"])
    for name, value in plausible_sets()[1].items():
        if name in STRUCTURES:
            assert getattr(scenario, name) == value
        else:
            assert scenario.parameters[name.removeprefix("parameters.")] == value


def test_a_search_that_finds_nothing_says_so_and_writes_nothing(tmp_path):
    """Of ten sets none agrees: about one in seventy does."""
    done = kolabsim(
        "calibrate", "--sets", 10, "--most", 10, "--seed", 5, "--out", "c", folder=tmp_path
    )
    assert done.returncode == 2
    assert "no parameter set agrees" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "c").exists()


def test_each_alternative_of_a_structure_can_be_a_future(tmp_path):
    text = "kind: comparison\nscenario: kartamantul\nstrategies: [voluntary, team]\nruns: 2\n"
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
