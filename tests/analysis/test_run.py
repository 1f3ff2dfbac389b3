"""Experiments from their file to their result, through the sampler, the runner and the analysis."""

import sys

import numpy as np
import pandas as pd
import pytest

import kolabsim as ks
from kolabsim.analysis.run import run_experiment
from kolabsim.analysis.search import is_plain, known_packages
from kolabsim.engine.ensemble import Block
from kolabsim.errors import InputError
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import PARAMETERS
from kolabsim.study import worker
from kolabsim.study.experiment import Experiment

NAMES = ("exit_base", "notice", "startup_cost", "horizon_years")
PLACE = list(MEASURES).index("net_efficiency")


def places(task):
    """Where each parameter stands between low (0) and high (1), as factors draw them."""
    found = []
    for name in NAMES:
        entry, value = PARAMETERS[name], task.parameters[name]
        if entry.high / entry.low > 3.9:
            found.append(np.log(value / entry.low) / np.log(entry.high / entry.low))
        else:
            found.append((value - entry.low) / (entry.high - entry.low))
    return np.array(found)


def ishigami(u):
    x = np.pi * (2 * u - 1)
    return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


def sobol_g(u):
    a = np.array([0.0, 1.0, 4.5, 9.0])
    return float(np.prod((np.abs(4 * u - 2) + a) / (1 + a)))


@pytest.fixture
def instead(monkeypatch):
    """Let a function of four parameters stand in for the simulation."""

    def put(function, noise=0.0):
        def run_block(task, runs, **_how):
            shape = (len(runs), int(task.world.setting[0].horizon), len(MEASURES))
            history = np.zeros(shape)
            chance = np.array([np.random.default_rng((7, int(k))).standard_normal() for k in runs])
            history[..., PLACE] = (function(places(task)) + noise * chance)[:, None]
            return Block(history, np.zeros((0, 1, 1, 1)), np.zeros((0,) * 5))

        monkeypatch.setattr(worker, "run_block", run_block)

    return put


def experiment(tmp_path, text):
    path = tmp_path / "e.yaml"
    names = ", ".join(f"parameters.{name}" for name in NAMES)
    text = f"kind: sensitivity\nscenario: kartamantul\nfactors: [{names}]\n" + text
    path.write_text(text, encoding="utf-8")
    return Experiment.load(path)


def indices(result, name):
    (found,) = result.indices
    return {
        unit.removeprefix("parameters."): value
        for unit, value in zip(found.units, found.found[name].value, strict=True)
    }


def test_ishigami_through_the_whole_chain(tmp_path, instead):
    """Analytic: S1 = .3139, .4424, 0; ST = .5576, .4424, .2437."""
    instead(ishigami)
    loaded = experiment(tmp_path, "samples: 512\nruns: 2\n")
    result = run_experiment(loaded, tmp_path / "r")
    whole, alone = indices(result, "ST"), indices(result, "S1")
    for name, st, s1 in zip(
        NAMES, (0.5576, 0.4424, 0.2437, 0.0), (0.3139, 0.4424, 0, 0), strict=True
    ):
        assert whole[name] == pytest.approx(st, abs=0.03)
        assert alone[name] == pytest.approx(s1, abs=0.03)
    assert whole["dummy"] == pytest.approx(0.0, abs=0.005)


@pytest.mark.long
def test_sobol_g_through_the_whole_chain(tmp_path, instead):
    """Analytic: V_i = 1 / (3 (1 + a_i)^2); the shares alone follow."""
    instead(sobol_g)
    parts = 1 / (3 * (1 + np.array([0.0, 1.0, 4.5, 9.0])) ** 2)
    total = np.prod(1 + parts) - 1
    loaded = experiment(tmp_path, "samples: 1024\nruns: 1\n")
    result = run_experiment(loaded, tmp_path / "r")
    alone, whole = indices(result, "S1"), indices(result, "ST")
    for k, name in enumerate(NAMES):
        assert alone[name] == pytest.approx(parts[k] / total, abs=0.03)
        others = np.prod(1 + np.delete(parts, k))
        assert whole[name] == pytest.approx(parts[k] * others / total, abs=0.03)


def test_a_sample_grows_until_the_ranking_is_stable(tmp_path, instead):
    instead(ishigami)
    loaded = experiment(tmp_path, "samples: 16\nruns: 1\nuntil: settled\nmost: 4096\n")
    sizes = []

    def grow(study):
        sizes.append(len(study.table))
        return study.run()

    result = run_experiment(
        loaded, tmp_path / "r", lambda study: (sizes.append(len(study.table)), study.run())
    )
    assert result.is_converged
    assert result.design.samples > 16
    assert sizes == sorted(sizes), "each sample holds the one before"
    short = experiment(tmp_path, "samples: 16\nruns: 1\nuntil: settled\nmost: 16\n")
    assert run_experiment(short, tmp_path / "r").is_converged is False


def test_a_constant_outcome_is_left_out_with_a_sentence(tmp_path, instead):
    instead(lambda u: 3.0)
    loaded = experiment(tmp_path, "samples: 16\nruns: 2\n")
    result = run_experiment(loaded, tmp_path / "r")
    assert result.indices == ()
    [sentence] = result.left_out
    assert sentence.startswith("net_efficiency is 3 at all")
    assert sentence.endswith("no factor changes it")


def test_a_surrogate_finds_what_the_model_says(tmp_path, instead):
    instead(sobol_g)
    loaded = experiment(tmp_path, "samples: 512\nruns: 1\nsurrogate: 400\n")
    result = run_experiment(loaded, tmp_path / "r")
    assert len(result.study.table) == 400
    alone = indices(result, "S1")
    assert list(sorted(alone, key=alone.get, reverse=True))[:2] == ["exit_base", "notice"]
    assert result.surrogates["net_efficiency"].quality.r2 > 0.8


def test_a_spread_is_of_the_runs_of_a_point(tmp_path, instead):
    instead(lambda u: u[0], noise=0.5)
    loaded = experiment(tmp_path, "samples: 16\nruns: 6\noutcomes: [net_efficiency]\n")
    result = run_experiment(loaded, tmp_path / "r")
    chance = [np.random.default_rng((7, k)).standard_normal() for k in range(6)]
    spread = result.values["net_efficiency"].std(axis=1, ddof=1)
    np.testing.assert_allclose(spread, 0.5 * np.std(chance, ddof=1))


def search(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "kind: search\nscenario: kartamantul\nset: {horizon: 8}\nlevers: [mechanisms]\n"
        "objectives: [net_efficiency, programme_cost]\nbudget: 2.0e+10\npopulation: 8\n"
        "generations: 3\nruns: [2, 4]\nplausible: 2\n",
        encoding="utf-8",
    )
    return Experiment.load(path)


def test_a_search_that_is_interrupted_simulates_nothing_twice(tmp_path):
    done = []

    def run(study):
        progress = study.run()
        done.append(progress.done)
        return progress

    whole = run_experiment(search(tmp_path), tmp_path / "whole", run)
    total, calls = sum(done), len(done)
    done.clear()

    def stop_at(limit):
        def stopping(study):
            if len(done) >= limit:
                raise KeyboardInterrupt
            return run(study)

        return stopping

    with pytest.raises(KeyboardInterrupt):
        run_experiment(search(tmp_path), tmp_path / "part", stop_at(calls // 2))
    first = sum(done)
    assert 0 < first < total
    again = run_experiment(search(tmp_path), tmp_path / "part", run)
    assert sum(done) == total
    np.testing.assert_array_equal(again.front.points, whole.front.points)
    np.testing.assert_array_equal(again.front.values, whole.front.values)
    assert again.robustness is not None


def test_known_packages_are_the_strategies_that_levers_alone_make(tmp_path):
    loaded = search(tmp_path)
    found = known_packages(loaded)
    assert set(found) == {
        "voluntary", "forum", "planning", "team", "information", "monitoring",
        "team_and_monitoring", "full_package",
    }  # fmt: skip
    # A quarter of each lever, and the secretariat that is there already.
    np.testing.assert_allclose(sorted(found["full_package"]), [0.15, 0.15, 0.15, 0.15, 0.6])
    (phase,) = loaded.scenario.strategies["team"].mechanisms["team"]
    assert is_plain(phase, loaded.scenario)
    later = loaded.scenario.with_(
        {"strategies.team.mechanisms.team": {"intensity": 0.6, "from": 2}}
    ).strategies["team"]
    assert not is_plain(later.mechanisms["team"][0], loaded.scenario)


def test_robustness_of_a_strategy_that_always_loses(tmp_path):
    path = tmp_path / "u.yaml"
    path.write_text(
        "kind: robustness\nscenario: kartamantul\nset: {horizon: 12}\nplausible: 6\n"
        "strategies: [voluntary, team, monitoring]\nruns: 4\n",
        encoding="utf-8",
    )
    loaded = Experiment.load(path)
    result = run_experiment(loaded, tmp_path / "r")
    assert result.values.shape == (3, 6, 4)
    assert set(result.failing) == {"team", "monitoring"}
    assert result.robustness.names == ("voluntary", "team", "monitoring")
    assert list(result.settings.columns[-5:]) == [
        "unit_cost", "decision", "trust", "shares", "consent",
    ]  # fmt: skip
    assert {"value", "floor"} <= set(result.information.factors.columns)


@pytest.mark.parametrize(
    ("package", "extra", "text"),
    [
        ("pymoo", "search", "kind: search\nscenario: kartamantul\n"),
        (
            "sklearn", "learning",
            "kind: sensitivity\nscenario: kartamantul\nfactors: [mechanisms]\nsurrogate: 40\n",
        ),
    ],
)  # fmt: skip
def test_a_missing_extra_is_reported_first(tmp_path, monkeypatch, package, extra, text):
    monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / "e.yaml"
    path.write_text(text, encoding="utf-8")
    ran = []
    with pytest.raises(InputError, match=rf"pip install -e '\.\[{extra}\]'"):
        run_experiment(Experiment.load(path), tmp_path / "r", ran.append)
    assert not ran


def test_a_comparison_runs_like_the_other_kinds(tmp_path):
    (tmp_path / "c.yaml").write_text(
        "kind: comparison\nscenario: kartamantul\nplausible: 0\n"
        "strategies: [voluntary, forum]\nruns: 4\nset: {horizon: 4}\n",
        encoding="utf-8",
    )
    experiment = ks.Experiment.load(tmp_path / "c.yaml")
    found = ks.run_experiment(experiment, tmp_path / "out")
    scenario = ks.load("kartamantul").with_(horizon=4)
    direct = ks.compare(ks.simulate(scenario, ["voluntary", "forum"], runs=4, seed=experiment.seed))
    pd.testing.assert_frame_equal(found.differences, direct.differences)
