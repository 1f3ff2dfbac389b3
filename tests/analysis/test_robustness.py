"""Robustness: criteria by hand, intervals by how often they cover, sizes by their power."""

import math

import numpy as np
import pytest

from kolabsim.analysis import robustness as r
from kolabsim.analysis import statistics
from kolabsim.analysis.robustness import CRITERIA, robustness, sample_sizes
from kolabsim.analysis.statistics import sample_size, variance_components
from kolabsim.errors import InputError, KolabsimError

MEANS = np.array([[0.0, 1.0, 2.0, 3.0], [2.0, 2.0, 2.0, 2.0], [3.0, 0.0, 1.0, 3.0]])
NAMES = ("rising", "steady", "uneven")


def certain(means=MEANS, runs=3):
    """Values without any chance."""
    return np.repeat(means[:, :, None], runs, axis=2)


def figures(found, criterion, column="value"):
    return found.table(criterion)[column].tolist()


def drawn(rng, futures, runs, noise):
    """Four strategies that move with three things a future has; and their true means."""
    base = np.array([0.0, 0.1, 0.15, 0.05])
    slopes = np.array([[0.1, 0.0, 0.2], [0.6, 0.0, 0.1], [-0.3, 0.5, 0.0], [0.2, 0.2, 0.2]])
    means = base[:, None] + slopes @ rng.normal(size=(3, futures))
    chance = 0.3 * rng.normal(size=(1, 1, runs)) + 0.1 * rng.normal(size=(4, 1, runs))
    return means, means[:, :, None] + chance + noise * rng.normal(size=(4, futures, runs))


def test_every_criterion_is_what_it_is_by_hand():
    found = robustness(certain(), NAMES, better=1, baseline="steady", threshold=2.0)
    np.testing.assert_array_equal(found.regret, [[3, 1, 0, 0], [1, 0, 0, 1], [0, 2, 1, 0]])
    assert figures(found, "regret_max") == [3, 1, 2]
    assert figures(found, "regret_90") == pytest.approx([2.4, 1.0, 1.7])
    assert figures(found, "satisficing") == [0.5, 1.0, 0.5]
    assert figures(found, "worst") == [0, 2, 0]
    assert figures(found, "worst_tenth") == [0, 2, 0]
    assert figures(found, "mean") == [1.5, 2.0, 1.75]
    assert figures(found, "spread") == pytest.approx([MEANS[k].std(ddof=1) for k in range(3)])
    assert figures(found, "mean_spread") == pytest.approx(
        [MEANS[k].mean() - MEANS[k].std(ddof=1) for k in range(3)]
    )
    assert figures(found, "best") == pytest.approx([0.25, 0.375, 0.375])
    assert figures(found, "difference") == [-0.5, 0.0, -0.25]
    assert figures(found, "ahead") == [0.375, 0.5, 0.5]
    assert set(found.criteria) == set(CRITERIA)
    assert found.order() == ["steady", "uneven", "rising"]
    assert figures(found, "best", "rank") == [3, 1, 1]
    assert np.isnan(figures(found, "spread", "rank")).all()


def test_less_can_be_better():
    more = robustness(certain(), NAMES, better=1, baseline="steady", threshold=2.0, seed=3)
    less = robustness(certain(-MEANS), NAMES, better=-1, baseline="steady", threshold=-2.0, seed=3)
    for name, one in CRITERIA.items():
        sign = -1.0 if one.kind == r.LEVEL else 1.0
        assert figures(less, name) == pytest.approx([sign * v for v in figures(more, name)])
        ends = ("high", "low") if sign < 0 else ("low", "high")
        for ours, theirs in zip(("low", "high"), ends, strict=True):
            assert figures(less, name, ours) == pytest.approx(
                [sign * v for v in figures(more, name, theirs)]
            )
        np.testing.assert_array_equal(figures(less, name, "rank"), figures(more, name, "rank"))
    np.testing.assert_allclose(less.satisficing.share, more.satisficing.share[:, ::-1])
    assert (np.diff(less.satisficing.thresholds) > 0).all()


def test_what_was_not_asked_is_left_out():
    found = robustness(certain(), NAMES, better=1)
    assert {"satisficing", "difference", "ahead"} == set(CRITERIA) - set(found.criteria)


def test_the_curve_of_satisficing_goes_from_all_to_few_and_agrees_with_the_share():
    _means, values = drawn(np.random.default_rng(1), 60, 6, 0.3)
    found = robustness(values, "abcd", better=1, threshold=0.1)
    curve = found.satisficing
    assert (np.diff(curve.share, axis=1) <= 0).all()
    assert (curve.share[:, 0] == 1.0).all()
    at = np.searchsorted(curve.thresholds, 0.1)
    share = np.array(figures(found, "satisficing"))
    assert (curve.share[:, at - 1] >= share).all()
    assert (share >= curve.share[:, at]).all()
    assert ((curve.low <= curve.share) & (curve.share <= curve.high)).mean() > 0.98


@pytest.mark.parametrize("noise", [0.2, pytest.param(0.8, marks=pytest.mark.long)])
def test_intervals_cover_as_often_as_they_say(noise):
    rng = np.random.default_rng(5)
    many, _values = drawn(rng, 100_000, 1, 0.0)
    aim = r.Aim(0.0, 0, 1.0)
    truth = {name: one.compute(many, aim) for name, one in CRITERIA.items()}
    hits = {name: 0.0 for name in CRITERIA}
    trials = 80 if noise > 0.5 else 40
    for _trial in range(trials):
        means, values = drawn(rng, 60, 12, noise)
        found = robustness(values, "abcd", better=1, baseline="a", threshold=0.0, resamples=300)
        truth |= {"regret_max": r.regrets(means).max(axis=1), "worst": means.min(axis=1)}
        for name in hits:
            table = found.table(name)
            low, high = table["low"].to_numpy() - 1e-12, table["high"].to_numpy() + 1e-12
            hits[name] += ((low <= truth[name]) & (truth[name] <= high)).mean() / trials
    for name, share in hits.items():
        hidden = noise > 0.5 and name in ("regret_max", "worst", "spread", "best")
        assert share >= (0.7 if hidden else 0.88), (name, share)


def test_the_first_of_equals_is_not_stable_and_a_clear_first_is():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(4, 50, 8))
    assert robustness(values, "abcd", better=1, main="mean").stability() < 0.95
    values[2] += 3.0
    found = robustness(values, "abcd", better=1, main="mean")
    assert found.order()[0] == "c"
    assert found.stability() == 1.0
    for name in found.criteria:
        if CRITERIA[name].ranks:
            assert found.table(name)["first"].sum() == pytest.approx(1.0)


def test_common_draws_make_differences_sharp():
    rng = np.random.default_rng(3)
    chance = rng.normal(size=(1, 40, 10))
    values = np.concatenate([chance, chance + 0.1]) + 0.01 * rng.normal(size=(2, 40, 10))
    found = robustness(values, "ab", better=1, baseline="a")
    wide, sharp = found.table("mean").loc["b"], found.table("difference").loc["b"]
    assert sharp["high"] - sharp["low"] < 0.05 * (wide["high"] - wide["low"])
    assert sharp["low"] > 0.09


def test_resamples_are_the_same_each_time_and_however_many_fit(monkeypatch):
    _means, values = drawn(np.random.default_rng(4), 30, 5, 0.5)
    one = robustness(values, "abcd", better=1, resamples=50)
    two = robustness(values, "abcd", better=1, resamples=50)
    assert one.estimates.equals(two.estimates)
    monkeypatch.setattr(statistics, "RESAMPLING_MEMORY", 1000)
    few = robustness(values, "abcd", better=1, resamples=50)
    assert few.table("mean")["value"].equals(one.table("mean")["value"])
    assert few.table("mean")["low"].to_numpy() == pytest.approx(
        one.table("mean")["low"].to_numpy(), abs=0.15
    )


def test_a_single_future_or_run_is_no_reason_to_fail():
    found = robustness(certain(MEANS[:, :1], 1), NAMES, better=1, threshold=1.0)
    assert figures(found, "spread") == [0, 0, 0]
    assert found.order("mean") == ["uneven", "steady", "rising"]


def test_regrets_future_by_future_are_tidy():
    table = robustness(certain(), NAMES, better=1).by_future(["w", "x", "y", "z"])
    here = table[(table["strategy"] == "uneven") & (table["future"] == "x")].iloc[0]
    assert (here["mean"], here["regret"], here["best"]) == (0.0, 2.0, False)
    assert len(table) == 12
    table = robustness(certain(), NAMES, better=1).by_future(["w", "x", "y", "w"])
    assert len(table) == 9


def holes():
    values = certain()
    values[1, 2:, 0] = np.nan
    return values


@pytest.mark.parametrize(
    ("values", "how", "message"),
    [
        (holes(), {}, r"waste is undefined in 2 of 36 runs, in 2 of 4 futures .* steady; choose"),
        (certain()[:2], {}, r"waste: the shape is \(2, 4, 3\); allowed: 3 strategies"),
        (certain()[..., 0], {}, r"the shape is \(3, 4\)"),
        (certain(), {"better": 0}, "better: 0 is not allowed"),
        (certain(), {"baseline": "stedy"}, "'stedy' was not simulated; did you mean 'steady'"),
        (certain(), {"main": "spread"}, "'spread' is not a criterion to rank by"),
        (certain(), {"main": "satisficing"}, "the criterion 'satisficing' needs a threshold"),
        (certain(), {"threshold": np.nan}, "threshold: nan is not a number"),
        (certain(), {"level": 95}, "level: 95 is not between 0 and 1"),
    ],
)
def test_what_cannot_be_told_is_refused(values, how, message):
    with pytest.raises(InputError, match=message):
        robustness(values, NAMES, **{"better": 1, "outcome": "waste", **how})


def test_two_names_alike_and_one_strategy_alone_are_refused():
    with pytest.raises(KolabsimError, match="a name is given twice"):
        robustness(certain(), ("a", "a", "b"), better=1)
    with pytest.raises(KolabsimError, match="nothing to compare"):
        robustness(certain()[:1], ("a",), better=1)


# Sample size ------------------------------------------------------------------------------------


def differing(rng, futures, runs, shift, future=0.3, run=0.2, rest=0.8):
    """Two strategies whose difference has known components of variance."""
    apart = shift + future * rng.normal(size=(futures, 1)) + run * rng.normal(size=runs)
    apart = apart + rest * rng.normal(size=(futures, runs))
    base = rng.normal(size=(futures, runs))
    return np.stack([base, base + apart])


def test_the_stated_size_has_the_stated_power():
    rng = np.random.default_rng(2)
    pilot = differing(rng, 400, 200, 0.15)
    sizes = sample_sizes(pilot, "ab", against="a", difference=0.15, power=0.8)
    row = sizes.iloc[0]
    parts = variance_components(pilot[1] - pilot[0])
    futures = 60
    allowed = (0.15 / (1.959964 + 0.841621)) ** 2
    runs = int(sample_size(parts.run + parts.rest / futures, allowed - parts.future / futures))
    detected = 0
    for _trial in range(600):
        two = differing(rng, futures, runs, 0.15)
        now = variance_components(two[1] - two[0])
        detected += (two[1] - two[0]).mean() > 1.959964 * now.error(futures, runs)
    assert detected / 600 == pytest.approx(0.8, abs=0.06)
    assert row["runs_here"] <= row["runs"]


def test_no_number_of_runs_makes_up_for_too_few_futures():
    values = differing(np.random.default_rng(3), 5, 50, 0.5, future=1.0, run=0.0, rest=0.1)
    row = sample_sizes(values, "ab", against="a", difference=0.2).iloc[0]
    assert math.isinf(row["runs"])
    assert np.isfinite(row["futures"])
    assert row["futures"] > 50
    assert row["runs_here"] == 2
    assert row["detectable"] > 0.2


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"against": "c"}, "'c' was not simulated"),
        ({"difference": 0.0}, "difference: 0.0 is not above 0"),
        ({"power": 1.0}, "power: 1.0 is not between 0 and 1"),
    ],
)
def test_sizes_that_cannot_be_told_are_refused(how, message):
    values = differing(np.random.default_rng(3), 5, 5, 0.5)
    with pytest.raises(InputError, match=message):
        sample_sizes(values, "ab", **{"against": "a", "difference": 1.0, **how})
    with pytest.raises(InputError, match="at least two futures and two runs"):
        sample_sizes(values[:, :, :1], "ab", against="a", difference=1.0)
