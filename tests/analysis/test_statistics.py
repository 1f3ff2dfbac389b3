"""Intervals, shares, resampling and components of variance against formulas and simulation."""

import numpy as np
import pytest
from scipy import stats

from kolabsim.analysis.statistics import (
    Criteria,
    chance_share,
    corrected_interval,
    crossed_resamples,
    effects,
    familywise_p,
    fieller,
    half_samples,
    halvings,
    mean_interval,
    noise_floor,
    plausible_columns,
    rank_share,
    resample_counts,
    share_best,
    standardised_ranks,
    variance_components,
    variance_share,
    verdicts,
    worst_mean,
)

RNG = np.random.default_rng(20260101)


def test_the_interval_of_a_mean_is_that_of_student():
    values = RNG.normal(size=(12, 3))
    found = mean_interval(values, 0.9)
    low, high = stats.t.interval(0.9, 11, values.mean(axis=0), stats.sem(values))
    np.testing.assert_allclose(found.low, low)
    np.testing.assert_allclose(found.high, high)
    gaps = values.copy()
    gaps[3:7, 1] = np.nan
    np.testing.assert_allclose(
        mean_interval(gaps).mean[1], np.delete(values[:, 1], range(3, 7)).mean()
    )
    assert mean_interval(gaps).n.tolist() == [12, 8, 12]
    np.testing.assert_array_equal(mean_interval(values.T, axis=1).low, mean_interval(values).low)


def test_a_single_value_has_no_interval_and_none_no_mean():
    found = mean_interval(np.array([[2.0, np.nan]]))
    assert found.mean[0] == 2.0
    assert np.isnan([found.low[0], found.high[0], found.mean[1], found.low[1]]).all()


def test_the_worst_tenth_of_futures_is_a_tenth():
    # A tenth of 70 is 7, although 0.1 * 70 is a little more in floating point.
    assert worst_mean(np.arange(70.0)) == np.arange(7.0).mean()
    assert worst_mean(np.array([5.0, 1.0, 3.0])) == 1.0
    assert worst_mean(np.array([np.nan, 4.0, np.nan])) == 4.0
    values = RNG.normal(size=(2, 40, 3))
    assert worst_mean(values, axis=1).shape == (2, 3)
    assert worst_mean(values, axis=1)[1, 2] == pytest.approx(np.sort(values[1, :, 2])[:4].mean())


def test_ties_divide_the_best():
    values = np.array([[1.0, 2.0, np.nan], [1.0, 0.0, np.nan]])
    np.testing.assert_allclose(share_best(values), [0.75, 0.25])
    np.testing.assert_allclose(share_best(values, -1), [0.25, 0.75])
    assert np.isnan(share_best(values, 0)).all()


def test_a_noise_floor_is_higher_among_more_tests():
    assert noise_floor(np.arange(1.0, 101.0), 0.95, 1) == 96.0
    assert noise_floor(np.arange(1.0, 101.0), 0.95, 5) == 100.0


def test_familywise_p_is_that_of_the_best_of_all_columns():
    statistics = np.vstack([[9.0, 0.0], np.random.default_rng(3).random((99, 2))])
    assert familywise_p(statistics).tolist() == [0.02, 1.0]  # the best of either column
    twice = np.column_stack([statistics[:, 0]] * 2)
    np.testing.assert_allclose(familywise_p(twice), [0.01, 0.01])


def test_ranks_explain_what_follows_them():
    values = RNG.random(12)
    ranks = standardised_ranks(values)[None]
    assert rank_share(ranks, np.exp(values))[0] == pytest.approx(1.0)
    groups = np.where(values > np.median(values), "high", "low").astype(object)
    assert 0.5 < rank_share(ranks, groups)[0] < 1.0
    rho = stats.spearmanr(values, values**2 % 0.3).statistic
    assert rank_share(ranks, values**2 % 0.3)[0] == pytest.approx(rho**2)


def test_resamples_hold_as_many_items_as_there_are():
    rng = np.random.default_rng(1)
    assert (resample_counts(7, 20, rng).sum(axis=1) == 7).all()
    halves = half_samples(7, 20, rng)
    assert (halves.sum(axis=1) == 3).all()
    assert resample_counts(7, 0, rng).shape == half_samples(7, 0, rng).shape == (0, 7)


def test_crossed_resamples_show_the_error_of_a_mean_over_futures_and_runs():
    rng = np.random.default_rng(4)
    scores = rng.normal(size=(1, 40, 1)) + 2.0 * rng.normal(size=(1, 1, 30))
    means = np.concatenate(
        [
            np.take_along_axis(drawn, places[None], axis=1).mean(axis=1)[0]
            for drawn, places in crossed_resamples(scores, 4000, rng)
        ]
    )
    by_future, by_run = scores[0].mean(axis=1), scores[0].mean(axis=0)
    error = np.sqrt(by_future.var() / 40 + by_run.var() / 30)
    assert means.std() == pytest.approx(error, rel=0.05)
    low, high = corrected_interval(scores.mean(), means, 0.95)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert low < scores.mean() < high


def test_runs_are_halved_until_they_are_few():
    assert halvings(500, 8) == [15, 31, 62, 125, 250, 500]
    assert halvings(9, 8) == [9]
    assert halvings(2, 8) == [2]


# Ratios ---------------------------------------------------------------------------------------


def test_the_ratio_of_two_means_has_the_interval_of_fieller():
    # Means 12 and 4 of 16 pairs: the interval solves a quadratic, here by hand.
    below = 4 + np.tile([-1.0, 1.0], 8)
    above = 12 + np.repeat([-2.0, 2.0], 8)
    value, low, high, n = (float(part) for part in fieller(above, below, 0.95))
    assert (value, n) == (3.0, 16)
    t = stats.t.isf(0.025, 15)
    xx, yy, xy = (t**2 * np.cov(below, above)[i] / 16 for i in ((0, 0), (1, 1), (0, 1)))
    roots = np.roots([16 - xx, -2 * (48 - xy), 144 - yy])
    assert sorted((low, high)) == pytest.approx(sorted(roots))


def test_intervals_of_ratios_cover_as_often_as_they_say():
    studies, runs = 4000, 12
    cost = 2.0 + 0.5 * RNG.normal(size=(1, studies, runs))
    saving = 3.0 * cost + RNG.normal(size=cost.shape) - 1.0
    _value, low, high, _n = fieller(saving, cost, 0.9, axis=2)
    covered = ((low <= 2.5) & (high >= 2.5)).mean()
    assert covered == pytest.approx(0.9, abs=0.02)


def test_nothing_spent_has_no_ratio_and_little_spent_no_bounded_interval():
    saving = np.array([[[1.0, 2.0, 3.0]]])
    value, low, _high, _n = fieller(saving, np.zeros_like(saving), 0.95, axis=2)
    assert np.isnan(value).all()
    assert np.isnan(low).all()
    value, low, _high, _n = fieller(saving, np.array([[[-1.0, 0.5, 2.0]]]), 0.95, axis=2)
    assert value[0, 0] == pytest.approx(4)
    assert np.isnan(low).all()


# Components of variance -------------------------------------------------------------------------


def test_components_of_variance_are_found():
    rng = np.random.default_rng(1)

    def difference():
        apart = 0.3 * rng.normal(size=(30, 1)) + 0.2 * rng.normal(size=12)
        return apart + 0.8 * rng.normal(size=(30, 12))

    found = np.mean([variance_components(difference()) for _trial in range(300)], axis=0)
    assert found == pytest.approx([0.09, 0.04, 0.64], rel=0.1)


def made_up(share, groups, repeats, seed):
    chance = np.random.default_rng(seed)
    between = np.sqrt(share) * chance.standard_normal((groups, 1))
    return between + np.sqrt(1 - share) * chance.standard_normal((groups, repeats))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_the_interval_holds_the_truth_as_often_as_it_says(share):
    cases = [variance_share(made_up(share, 20, 8, seed)) for seed in range(1200)]
    inside = np.mean([low <= share <= high for _share, low, high in cases])
    assert 0.92 <= inside <= (0.99 if share == 0.0 else 0.98)  # at zero only one end can miss
    assert np.mean([found for found, _low, _high in cases]) == pytest.approx(share, abs=0.05)


def test_a_share_of_variance_by_hand():
    # Means 1 and 3: between = 2 * 2 = 4. Within: 4 * 0.5^2 over 2 degrees of freedom = 0.5.
    values = np.array([[0.5, 1.5], [2.5, 3.5]])
    share = (4 - 0.5) / (4 + 0.5)
    assert variance_share(values)[0] == pytest.approx(share)


def test_without_variance_there_is_no_share():
    assert np.isnan(variance_share(np.ones((4, 3)))).all()
    assert variance_share(np.arange(4.0)[:, None] * np.ones((4, 3))) == (1.0, 1.0, 1.0)


def test_chance_is_told_from_factors():
    rng = np.random.default_rng(4)
    values = rng.normal(0.0, 2.0, (400, 1)) + rng.normal(0.0, 1.0, (400, 3))
    share, low, high = chance_share(values)
    assert share == pytest.approx(0.2, abs=0.04)
    assert low < 0.2 < high
    assert high - low < 0.1
    assert np.isnan(chance_share(values[:, :1])).all()


def test_intervals_of_chance_hold_what_they_promise():
    inside = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        values = rng.normal(0.0, 2.0, (100, 1)) + rng.normal(0.0, 1.0, (100, 3))
        _share, low, high = chance_share(values)
        inside.append(low < 0.2 < high)
    assert np.mean(inside) > 0.88


def test_chance_that_points_share_is_chance_too():
    """By blocks of three points: variance 1 between blocks, and 1 of chance, of which they share
    half."""
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        mean, alike = rng.normal(size=(40, 1, 1)), rng.normal(size=(40, 1, 2)) / np.sqrt(2.0)
        values = mean + alike + rng.normal(size=(40, 3, 2)) / np.sqrt(2.0)
        share, low, high = chance_share(values.reshape(120, 2), blocks=40)
        found.append((share, low < 0.5 < high))
    share, inside = np.mean(found, axis=0)
    assert share == pytest.approx(0.5, abs=0.02)
    assert inside >= 0.9
    assert chance_share(np.arange(6.0)[:, None] * np.ones((6, 2))) == (0.0, 0.0, 0.0)


# Ranges over futures ----------------------------------------------------------------------------


def test_effects_without_chance_are_the_means_of_futures():
    found = effects(np.array([[1.0, 1.0], [3.0, 3.0], [8.0, 8.0]]))
    assert found.values.tolist() == [1.0, 3.0, 8.0]
    assert (found.median(), found.error) == (3.0, 0.0)
    assert [end.item() for end in found.ends()] == [1.0, 8.0]  # fewer than 20: all of them


def test_a_plausible_range_has_ninety_per_cent_of_futures():
    low, high = effects(np.repeat(np.arange(101.0)[:, None], 2, axis=1)).ends()
    assert (low, high) == (5.0, 95.0)


def test_variance_between_futures_worked_by_hand():
    # Means 0, 2, 4: variance 4. Runs 1 below and above: variance 2, of a mean of two runs 1.
    found = effects(np.array([[-1.0, 1.0], [1.0, 3.0], [3.0, 5.0]]))
    # The difference 3 has the variance 2 * 4^2 / 2 + 2 * 1^2 / 3; cut off below zero its mean is
    # more by that of a normal distribution.
    error = (16.0 + 2.0 / 3.0) ** 0.5
    place = 3.0 / error
    more = error * stats.norm.pdf(place) / stats.norm.cdf(place)
    kept = min((3.0 + more) / 4.0, 1.0)
    assert found.values == pytest.approx([2.0 - 2.0 * kept**0.5, 2.0, 2.0 + 2.0 * kept**0.5])
    assert found.freedom == 3


def test_futures_that_differ_by_chance_alone_come_close_and_leave_the_error_of_a_median():
    rng = np.random.default_rng(1)
    found = effects(rng.normal(size=(300, 100, 5)))
    raw = (1.0 / 5.0) ** 0.5
    assert found.values.std(axis=1).mean() < 0.5 * raw
    assert found.error.mean() == pytest.approx(raw * (np.pi / 2.0 / 100) ** 0.5, rel=0.1)


@pytest.mark.parametrize(("spread", "runs"), [(0.5, 5), (1.0, 5), (1.0, 2)])
def test_ranges_and_intervals_of_the_median_cover_what_is_behind_the_runs(spread, runs):
    rng = np.random.default_rng(2)
    truth = 1.0 + spread * rng.normal(size=(800, 100))
    found = effects(truth[..., None] + rng.normal(size=(800, 100, runs)))
    low, high = found.ends()
    exact = np.quantile(truth, (0.05, 0.95), axis=1)
    assert (high - low).mean() == pytest.approx((exact[1] - exact[0]).mean(), rel=0.06)
    median, half = np.median(truth, axis=1), found.half_width(0.95)
    assert 0.9 <= (np.abs(found.median() - median) <= half).mean() <= 0.99


def test_one_run_in_each_future_leaves_chance_in_the_range():
    values = np.random.default_rng(3).normal(size=(100, 1))
    found = effects(values)
    assert found.values == pytest.approx(values[:, 0])
    assert 0.1 < found.error < 0.2


def over(values, **options):
    """The columns of effects without chance."""
    found = plausible_columns(effects(np.repeat(np.asarray(values)[:, None], 2, axis=1)), **options)
    return {name: column.item() for name, column in found.items()}


@pytest.mark.parametrize(
    ("better", "worse", "verdict"),
    [
        (100, 0, "robustly better"),
        (95, 5, "robustly better"),
        (94, 6, "likely better"),
        (80, 20, "likely better"),
        (79, 21, "depends"),
        (20, 80, "likely worse"),
        (3, 97, "robustly worse"),
    ],
)
def test_a_verdict_counts_futures(better, worse, verdict):
    found = over([0.5] * better + [-0.5] * worse)
    assert found["verdict"] == verdict
    assert (found["better_share"], found["worse_share"]) == (better / 100, worse / 100)
    assert over([-0.5] * better + [0.5] * worse, sense=-1)["verdict"] == verdict


def test_the_practical_threshold_separates_a_difference_from_hardly_any():
    values = [0.0005] * 90 + [0.01] * 10
    found = over(values, threshold=0.001)
    assert (found["verdict"], found["better_share"], found["worse_share"]) == (
        "hardly changes", 0.1, 0.0,
    )  # fmt: skip
    assert over(values)["verdict"] == "robustly better"
    low, high = np.array([-0.0005, 0.002, -0.01, 0.0005]), np.array([0.0009, 0.003, -0.002, 0.002])
    words = ["hardly changes", "better", "worse", "undecided"]
    assert verdicts(low, high, 1, threshold=0.001).tolist() == words


def test_levels_of_robust_and_likely_can_be_set():
    values = [0.5] * 90 + [-0.5] * 10
    assert over(values)["verdict"] == "likely better"
    assert over(values, criteria=Criteria(robust=0.9))["verdict"] == "robustly better"
    assert over(values, criteria=Criteria(robust=0.99, likely=0.95))["verdict"] == "depends"


@pytest.mark.parametrize(
    ("futures", "verdict"),
    [(2, "undecided"), (4, "undecided"), (5, "likely better"), (19, "likely better")],
)
def test_few_futures_do_not_make_a_robust_verdict(futures, verdict):
    assert over(np.full(futures, 0.5))["verdict"] == verdict


def test_a_verdict_that_chance_may_turn_is_undecided_and_more_so_among_many():
    # In 85 of 100 futures the effect is 0.1; chance leaves some of that open.
    rng = np.random.default_rng(4)
    truth = np.where(np.arange(100) < 85, 0.1, -0.1)
    exact = np.repeat(truth[:, None], 2, axis=1)
    assert plausible_columns(effects(exact))["verdict"] == "likely better"
    noise = rng.normal(size=(100, 4))
    found = effects(truth[:, None] + 0.3 * (noise - noise.mean(axis=1, keepdims=True)))
    one, many = (plausible_columns(found, comparisons=m)["verdict"] for m in (1, 10**9))
    assert (one, many) == ("likely better", "undecided")
