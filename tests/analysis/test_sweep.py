"""Maps of outcomes over grids of levels."""

import numpy as np
import pytest

from kolabsim import Experiment
from kolabsim.analysis.sweep import map_outcome, run_sweep
from kolabsim.errors import InputError
from tests.sweeps import LEVELS, draw, write_sweep


def test_the_best_point_is_found_and_only_its_equals_are_unclear():
    means = np.array([0.0, 0.1, 0.2, 1.0, 0.999, 0.3])
    found = map_outcome(draw(means), LEVELS, outcome="trust", better=1)
    assert found.setting(found.best) == {"team": 1.0, "trust": 0.1}
    assert found.setting(found.worst) == {"team": 0.0, "trust": 0.1}
    assert found.unclear.tolist() == [False, False, False, True, True, False]
    assert found.grid(found.mean).shape == (2, 3)
    less = map_outcome(draw(means), LEVELS, outcome="worse_off", better=-1)
    assert less.best == found.worst


def test_intervals_hold_the_mean_and_differences_are_compared_with_zero():
    means = np.array([-1.0, -0.001, 0.0, 0.001, 0.5, 1.0])
    found = map_outcome(
        draw(means, common=0.01), LEVELS, outcome="trust", better=1, is_difference=True
    )
    assert ((found.low < found.mean) & (found.mean < found.high)).all()
    assert found.unclear.tolist() == [False, True, True, True, False, False]


def test_points_of_equal_mean_are_seldom_told_apart_from_the_best():
    """Comparisons with the best point hold together: few of many equal maps show a difference."""
    rng, wrong = np.random.default_rng(3), 0
    for _map in range(200):
        found = map_outcome(rng.normal(size=(6, 30)), LEVELS, outcome="trust", better=1)
        wrong += not found.unclear.all()
    assert wrong < 60


def test_an_undefined_outcome_is_refused():
    values = draw(np.zeros(6))
    values[2] = np.nan
    with pytest.raises(InputError, match="undefined at 1 of 6 points"):
        map_outcome(values, LEVELS, outcome="decision_time", better=-1)


def test_a_sweep_simulates_every_combination_once(tmp_path):
    experiment = write_sweep(tmp_path, "against: voluntary\nstrategy: team\n")
    ran = []

    def run(study):
        ran.append(study.run())
        return ran[-1]

    result = run_sweep(experiment, tmp_path / "r", run)
    assert result.settings["cap"].tolist() == [4, 4, 4, 6, 6, 6]
    assert ran[0].done == 2 * 6 * 4
    first = result.maps[0]
    assert first.is_difference
    np.testing.assert_allclose(first.mean, result.values["net_efficiency"].mean(axis=1))
    table = result.table()
    assert len(table) == 2 * 6
    assert set(table["outcome"]) == {"net_efficiency", "spread(trust)"}
    spread = result.maps[1]
    np.testing.assert_array_equal(spread.low, spread.high)
    again = run_sweep(experiment, tmp_path / "r", run)
    assert ran[1].done == 0
    np.testing.assert_array_equal(again.maps[0].mean, first.mean)


def test_more_levels_keep_the_runs_of_levels_that_stay(tmp_path):
    write_sweep(tmp_path)
    ran = []
    for levels in (3, 5):
        experiment = Experiment.load(tmp_path / "sweep.yaml", levels=levels)
        run_sweep(experiment, tmp_path / "r", lambda study: ran.append(study.run()))
    assert (ran[0].done, ran[1].reused, ran[1].done) == (2 * 3 * 4, 2 * 3 * 4, 2 * 2 * 4)
