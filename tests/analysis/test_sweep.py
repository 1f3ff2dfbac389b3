"""Maps of outcomes over grids of levels."""

import numpy as np
import pandas as pd
import pytest

import kolabsim as ks
from kolabsim import Experiment
from kolabsim.analysis.sweep import map_outcome, run_sweep, sign_changes
from kolabsim.errors import InputError
from kolabsim.study.spec import SweepSpec
from kolabsim.study.sweep import draw_points, read_points
from tests.sweeps import LEVELS, draw, write_sweep


def test_the_best_point_is_found_and_only_its_equals_are_unclear():
    means = np.array([0.0, 0.1, 0.2, 1.0, 0.999, 0.3])
    found = map_outcome(draw(means), LEVELS, outcome="trust", better=1)
    assert found.setting(found.best) == {"team": 1.0, "trust": 0.1}
    assert found.setting(found.worst) == {"team": 0.0, "trust": 0.1}
    assert found.unclear.tolist() == [False, False, False, True, True, False]
    assert found.grid(found.value).shape == (2, 3)
    less = map_outcome(draw(means), LEVELS, outcome="worse_off", better=-1)
    assert less.best == found.worst


def test_intervals_hold_the_mean_and_differences_are_compared_with_zero():
    means = np.array([-1.0, -0.001, 0.0, 0.001, 0.5, 1.0])
    found = map_outcome(
        draw(means, common=0.01), LEVELS, outcome="trust", better=1, is_difference=True
    )
    assert ((found.low < found.value) & (found.value < found.high)).all()
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
    assert [one.done for one in ran] == [6 * 4, 6 * 4]
    first = result.maps[0]
    assert first.is_difference
    np.testing.assert_allclose(first.value, result.values["net_efficiency"].mean(axis=(1, 2)))
    table = result.table()
    assert len(table) == 2 * 6
    assert set(table["outcome"]) == {"net_efficiency", "spread(trust)"}
    spread = result.maps[1]
    np.testing.assert_array_equal(spread.low, spread.high)
    again = run_sweep(experiment, tmp_path / "r", run)
    assert [one.done for one in ran[2:]] == [0, 0]
    np.testing.assert_array_equal(again.maps[0].value, first.value)


def test_more_levels_keep_the_runs_of_levels_that_stay(tmp_path):
    write_sweep(tmp_path)
    ran = []
    for levels in (3, 5):
        experiment = Experiment.load(tmp_path / "sweep.yaml", levels=levels)
        run_sweep(experiment, tmp_path / "r", lambda study: ran.append(study.run()))
    assert (ran[0].done, ran[1].reused, ran[1].done) == (2 * 3 * 4, 2 * 3 * 4, 2 * 2 * 4)


# Changes of sign ----------------------------------------------------------------------------------

LINE = {"price": tuple(np.linspace(0.0, 1.0, 6))}


def falling(places, runs=40, noise=0.01):
    """Values [points, futures, runs] that fall from above to below zero at a place a future."""
    rng = np.random.default_rng(7)
    exact = np.array(places)[None, :, None] - np.array(LINE["price"])[:, None, None]
    return exact + noise * rng.standard_normal((1, len(places), runs))


def test_the_sign_changes_where_it_is_known_to_and_ranges_are_those_of_futures():
    places = np.linspace(0.2, 0.6, 40)
    found = map_outcome(falling(places), LINE, outcome="trust", better=1, is_difference=True)
    [one] = found.crossings
    assert one.at == pytest.approx(0.4, abs=0.01)
    assert not one.rises
    assert (one.low, one.high) == pytest.approx((0.22, 0.58), abs=0.02)
    assert one.chance_low <= one.at <= one.chance_high
    assert one.chance_high - one.chance_low < 0.1
    assert one.share == 1.0
    first, *_open, middle, _fourth, last = found.verdict[[0, 1, 2, 3, 5]]
    assert (first, middle, last) == ("robustly better", "depends", "robustly worse")


def test_futures_that_never_change_lie_beyond_the_levels():
    places = [*np.linspace(0.2, 0.6, 14), *[2.0] * 6]
    [one] = map_outcome(
        falling(places), LINE, outcome="trust", better=1, is_difference=True
    ).crossings
    assert one.high == np.inf
    assert one.share == pytest.approx(14 / 20)


def test_chance_covers_the_true_change_of_sign():
    rng, hits = np.random.default_rng(2), 0
    exact = 0.5 - np.array(LINE["price"])[:, None, None]
    for _sample in range(100):
        values = exact + rng.standard_normal((1, 1, 30))  # common to all points
        found = map_outcome(values, LINE, outcome="trust", better=1, is_difference=True).crossings
        hits += bool(found) and found[0].chance_low <= 0.5 <= found[0].chance_high
    assert hits >= 85


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([0.0, 1.0, 2.0], []),
        ([1.0, 0.0, 2.0], []),
        ([1.0, 0.0, -1.0], [(0.5, False)]),
        ([-1.0, 3.0, -3.0], [(0.125, True), (0.75, False)]),
        ([0.0, 0.0, 0.0], []),
    ],
)
def test_a_line_that_only_touches_zero_does_not_change_its_sign(y, expected):
    assert sign_changes(np.array([0.0, 0.5, 1.0]), np.array(y)) == expected


# Points -------------------------------------------------------------------------------------------


def test_a_lever_is_compared_with_its_absence_in_the_same_futures():
    """At zero intensity nothing differs; the runs are those of the scenario in that future."""
    scenario = ks.load("kartamantul").with_({"horizon": 12})
    found = ks.sweep(scenario, {"mechanisms.forum": [0.0, 1.0]}, levels=2, plausible=2, runs=3)
    [one] = found.maps
    assert one.value[0] == one.low[0] == one.high[0] == 0.0
    assert found.values["realised_benefit"][1].any()
    plain = ks.sweep(scenario, {"mechanisms.forum": [0.0, 1.0]}, levels=2, plausible=0, runs=3)
    with_forum, without = (
        ks.simulate(scenario.with_(settings), ["voluntary"], runs=3).runs["realised_benefit"]
        for settings in ({"mechanisms.forum": 1.0}, {})
    )
    expected = (with_forum - without).to_numpy()
    np.testing.assert_allclose(plain.values["realised_benefit"][1, 0], expected, atol=1e-12)


def test_a_file_and_python_give_the_same(tmp_path):
    experiment = write_sweep(tmp_path)
    by_file = run_sweep(experiment, tmp_path / "r", lambda study: study.run())
    by_call = ks.sweep(
        experiment.scenario, {"cap": {"levels": [4, 6]}, "parameters.trust_start": [0.2, 0.8]},
        levels=3, outcomes=["net_efficiency", "spread(trust)"], runs=4, plausible=0,
    )  # fmt: skip
    pd.testing.assert_frame_equal(by_file.table(), by_call.table())


def test_more_halton_points_keep_the_first_ones():
    few, many = (
        draw_points(
            SweepSpec(kind="sweep", method="halton", samples=number, seed=4),
            Experiment.load("team-and-trust").factors,
        )
        for number in (8, 16)
    )
    pd.testing.assert_frame_equal(few, many.head(8))


def test_points_of_a_table_are_simulated_and_a_full_grid_is_one(tmp_path):
    (tmp_path / "p.csv").write_text("cap,parameters.trust_start\n6,0.2\n4,0.2\n4,0.8\n6,0.8\n")
    (tmp_path / "s.yaml").write_text(
        "kind: sweep\nscenario: kartamantul\nset: {horizon: 4}\npoints: p.csv\nruns: 2\n"
        "plausible: 0\n"
    )
    experiment = Experiment.load(tmp_path / "s.yaml")
    found = run_sweep(experiment, tmp_path / "r", lambda study: study.run())
    assert found.maps[0].levels == {"cap": (4, 6), "parameters.trust_start": (0.2, 0.8)}
    (tmp_path / "p.csv").write_text("cap,parameters.trust_start\n6,0.2\n4,0.2\n4,0.9\n")
    scattered = Experiment.load(tmp_path / "s.yaml")
    found = run_sweep(scattered, tmp_path / "r2", lambda study: study.run())
    assert not found.maps[0].levels
    assert found.settings["parameters.trust_start"].tolist() == [0.2, 0.2, 0.9]


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        (
            "parameters.notis\n0.2\n0.3\n",
            1,
            "'parameters.notis' is not a factor.*notice",
        ),
        ("parameters.notice\n0.2\n7\n", 3, "7 is not allowed; allowed: from 0 to 1"),
        ("parameters.notice\n0.2\nx\n", 3, "not a number"),
        ("parameters.notice,decision\n0.2,logit\n0.2,logits\n", 3, "did you mean 'logit'"),
        ("parameters.notice\n0.2\n0.3\n0.2\n", 4, "the same point as on line 2"),
        ("parameters.notice\n", 1, "0 points; a sweep needs at least two"),
        ("parameters.notice,cap\n0.2,4\n0.3,4\n", 1, "cap: all rows have 4"),
    ],
)
def test_what_is_wrong_in_a_table_is_told_with_its_line(tmp_path, table, line, message):
    (tmp_path / "p.csv").write_text(table)
    with pytest.raises(InputError, match=message) as error:
        read_points(tmp_path / "p.csv", ks.load("kartamantul"))
    assert error.value.problems[0].line == line


def test_python_refuses_what_files_refuse():
    scenario = ks.load("kartamantul")
    for options, message in (
        ({"factors": ["mechanisms.forum"], "levels": 1}, "at least 2"),
        ({"factors": ["mechanisms.forum"], "strategy": "forums"}, "did you mean 'forum'"),
        ({"factors": None}, "either 'factors' or 'points'"),
        ({"points": pd.DataFrame({"cap": [4, 4]})}, "the same point as on line 1"),
        ({"factors": ["mechanisms.forum"], "runs": 10_000, "levels": 1000}, "5000000 runs"),
    ):
        with pytest.raises(InputError, match=message):
            ks.sweep(scenario, **options)
