"""What carries a difference, where it is known by hand."""

import numpy as np
import pandas as pd
import pytest

from kolabsim.analysis import drivers as d


def nested(futures, worlds, repeats, spread, seed):
    """Values with normal effects of futures, worlds and repeats of these standard deviations."""
    rng = np.random.default_rng(seed)
    shapes = ((futures, 1, 1), (futures, worlds, 1), (futures, worlds, repeats))
    parts = (s * rng.normal(size=shape) for s, shape in zip(spread, shapes, strict=True))
    return sum(parts, np.zeros((futures, worlds, repeats)))


def sampled(futures, seed, noise=0.1):
    """Settings of which x and z matter, and a difference: 2 (x - 0.25) + 0.5 z + noise."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.random((futures, 6)), columns=["a", "x", "b", "z", "c", "d"])
    y = 2.0 * (table["x"] - 0.25) + 0.5 * table["z"] - 0.25 + noise * rng.normal(size=futures)
    return y.to_numpy(), table


# Variance by source -----------------------------------------------------------------------------


def test_components_by_hand():
    # Repeats differ by 2 everywhere: variance 2. World means are 1 and 3, or 5 and 7: variance 2,
    # of which 2 / 2 is chance. Future means are 2 and 6: variance 8, less (1 + 2 / 2) / 2.
    values = np.array([[[0.0, 2.0], [2.0, 4.0]], [[4.0, 6.0], [6.0, 8.0]]])
    found = d.variance_by_source(values).set_index("source")
    assert found["variance"].tolist() == pytest.approx([7.0, 1.0, 2.0])
    assert found["share"].tolist() == pytest.approx([0.7, 0.1, 0.2])
    assert found[["low", "high"]].isna().all(axis=None)  # of two futures


def test_components_have_no_bias():
    spread = (2.0, 1.0, 1.5)
    found = [
        d.variance_by_source(nested(12, 2, 2, spread, seed), resamples=1)["variance"]
        for seed in range(300)
    ]
    assert np.mean(found, axis=0) == pytest.approx(np.square(spread), rel=0.1)


def test_shares_lie_in_their_intervals_as_often_as_they_say():
    spread, hits = (2.0, 1.0, 1.5), 0
    for seed in range(100):
        found = d.variance_by_source(nested(60, 2, 2, spread, seed), resamples=200)
        share = np.square(spread) / np.square(spread).sum()
        hits += ((found["low"] <= share) & (share <= found["high"])).to_numpy()
    assert (hits >= 86).all()


def test_one_future_has_no_variance_by_assumptions():
    found = d.variance_by_source(nested(1, 200, 2, (9.0, 1.0, 1.0), 1)).set_index("source")
    assert found.loc["assumptions", ["variance", "share", "high"]].tolist() == [0.0, 0.0, 0.0]
    assert found.loc["traits", "low"] < 0.5 < found.loc["traits", "high"]
    assert found["share"].sum() == pytest.approx(1.0)


def test_no_variance_has_no_shares():
    found = d.variance_by_source(np.ones((9, 2, 2)))
    assert (found["variance"] == 0.0).all()
    assert found["share"].isna().all()


# Assumptions ------------------------------------------------------------------------------------


def test_the_strongest_assumption_comes_first_with_its_share():
    y, table = sampled(400, 1)
    found = d.find_drivers(y, table, permuted=300, resamples=50)
    assert found.ranked["assumption"].tolist()[:2] == ["x", "z"]
    # The variances are 4 / 12, 0.25 / 12 and 0.01.
    assert found.ranked["share"][0] == pytest.approx(4.0 / (4.25 + 0.12), abs=0.03)
    assert found.ranked["moves"].tolist() == [True, True, False, False, False, False]
    assert [one.name for one in found.curves][:2] == ["x", "z"]
    assert (found.moving, len(found.curves), found.turning.name) == (2, 3, "x")
    assert found.ranked.loc[0, ["lowest", "highest"]].tolist() == pytest.approx(
        [-0.5, 1.5], abs=0.1
    )


def test_noise_passes_the_floor_of_all_assumptions_in_few_cases():
    rng, passed = np.random.default_rng(1), 0
    for _case in range(60):
        table = pd.DataFrame(rng.random((40, 10)), columns=list("abcdefghij"))
        found = d.find_drivers(rng.normal(size=40), table, permuted=200, resamples=1)
        passed += bool(found.ranked["moves"].any())
    assert passed <= 9  # of 3 expected


def test_the_break_even_of_a_line_by_hand():
    x = np.linspace(0.0, 1.0, 21)
    found = d.find_drivers(x - 0.3, pd.DataFrame({"x": x}), permuted=50, resamples=50)
    turn = found.turning.turn
    assert turn.side == d.BELOW
    assert (turn.at, turn.low, turn.high) == pytest.approx((0.3, 0.3, 0.3), abs=1e-4)
    falling = d.find_drivers(0.7 - x, pd.DataFrame({"x": x}), permuted=50, resamples=50)
    assert falling.turning.turn.side == d.ABOVE
    assert falling.turning.turn.at == pytest.approx(0.7, abs=1e-4)


def test_the_interval_of_a_break_even_covers_it():
    hits = 0
    for seed in range(60):
        y, table = sampled(100, seed, noise=0.3)
        turn = d.find_drivers(y, table, permuted=20, resamples=200).turning.turn
        hits += turn.low <= 0.25 <= turn.high
    assert hits >= 52


def test_an_assumption_may_not_turn_the_sign_within_its_range():
    x = np.linspace(0.0, 1.0, 21)
    found = d.find_drivers(x + 0.1, pd.DataFrame({"x": x}), permuted=50, resamples=50)
    assert len(found.curves) == 1
    assert found.turning is None


def test_resamples_that_keep_the_sign_turn_at_the_end_of_the_range():
    values, fitted = np.arange(4.0), np.array([-1.0, 1.0, 2.0, 3.0])
    bands = np.column_stack([fitted + 2.0, fitted, fitted - 1.5, fitted - 9.0])
    turn = d.find_turn(values, fitted, bands, 1.0, 0.999, has_order=True)
    assert (turn.at, turn.side) == (0.5, d.BELOW)
    assert (turn.low, turn.high) == pytest.approx((0.0, 3.0), abs=0.01)
    falling = d.find_turn(values, fitted[::-1], bands[::-1], 1.0, 0.999, has_order=True)
    assert (falling.at, falling.side) == (2.5, d.ABOVE)
    assert (falling.low, falling.high) == pytest.approx((0.0, 3.0), abs=0.01)


def test_words_turn_the_sign_by_name():
    rng = np.random.default_rng(1)
    word = rng.choice(["board", "contract", "lead"], 90)
    y = np.where(word == "lead", -1.0, 2.0) + 0.1 * rng.normal(size=90)
    found = d.find_drivers(y, pd.DataFrame({"form": word}), permuted=50, resamples=50)
    (driver,) = found.curves
    assert driver.values == ("board", "contract", "lead")
    assert driver.mean == pytest.approx([2.0, 2.0, -1.0], abs=0.05)
    assert driver.turn.words == ("lead",)
    assert driver.effect == pytest.approx((-1.0, 2.0), abs=0.05)


def test_settings_that_move_together_are_one_assumption():
    y, table = sampled(50, 1)
    table["areas.water.x"], table["fixed"] = 3.0 * table["x"], 1.0
    found = d.find_drivers(y, table, permuted=50, resamples=10)
    assert found.together["x"] == ("areas.water.x",)
    assert not {"areas.water.x", "fixed"} & {*found.ranked["assumption"]}


def test_undefined_differences_are_left_out():
    y, table = sampled(50, 1)
    y = np.where(np.arange(50) < 5, np.nan, y)
    assert d.find_drivers(y, table, permuted=50, resamples=10).futures == 45


@pytest.mark.parametrize("case", ["few", "equal", "fixed"])
def test_nothing_is_ranked_without_futures_or_variance(case):
    y, table = sampled(7 if case == "few" else 20, 1)
    y = np.ones(20) if case == "equal" else y
    table = table * 0.0 if case == "fixed" else table
    assert d.find_drivers(y, table) is None


def test_the_same_request_gives_the_same_drivers():
    y, table = sampled(40, 1)
    one, two = (d.find_drivers(y, table, permuted=50, resamples=50) for _k in range(2))
    assert one.floor == two.floor
    assert (one.curves[0].low == two.curves[0].low).all()
