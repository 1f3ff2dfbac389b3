"""Intervals at the sizes that ship contain the truth in 92 to 98% of cases, on made-up data.

Where they do not, the reference of results says so.
"""

import numpy as np
import pytest

from kolabsim.analysis.information import estimate_evpi, future_weights
from kolabsim.analysis.robustness import robustness
from kolabsim.analysis.statistics import (
    chance_share,
    crossed_resamples,
    fieller,
    first_share,
    mean_interval,
    share_interval,
    tail_interval,
    tail_size,
    variance_share,
    worst_mean,
)
from kolabsim.analysis.surrogate import BOOSTING, GAUSSIAN, fit_surrogate
from kolabsim.study.factors import Factor

pytestmark = pytest.mark.long

STUDIES = 4000


def covered(low, high, truth):
    """The share of intervals that contain the truth, of those that are there."""
    there = np.isfinite(low)
    return float(((low <= truth) & (truth <= high))[there].mean())


def normal(rng, shape):
    return rng.normal(size=shape)


def skewed(rng, shape):
    return rng.exponential(size=shape) - 1.0


# Means, ratios and shares -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "changed", "runs"),
    [
        (normal, 1.0, 2), (normal, 1.0, 8), (normal, 1.0, 20), (normal, 1.0, 200),
        (skewed, 1.0, 50), (skewed, 1.0, 200), (normal, 0.2, 20), (normal, 0.2, 200),
        (normal, 0.05, 50), (normal, 0.05, 200),
    ],
)  # fmt: skip
def test_paired_differences_of_which_most_may_be_zero(law, changed, runs):
    rng = np.random.default_rng(runs)
    values = law(rng, (STUDIES, runs)) + 1.0
    values = np.where(rng.random(values.shape) < changed, values, 0.0)
    _mean, low, high, _n = mean_interval(values[values.any(axis=1)], axis=1)
    assert 0.92 <= covered(low, high, changed) <= 0.98


@pytest.mark.parametrize(("law", "runs"), [(normal, 8), (normal, 20), (normal, 200), (skewed, 200)])
def test_ratios(law, runs):
    rng = np.random.default_rng(1)
    cost = 2.0 + 0.5 * law(rng, (STUDIES, runs))
    saving = 3.0 * cost + law(rng, cost.shape) - 1.0
    _value, low, high, _n = fieller(saving, cost, 0.95, axis=1)
    assert 0.92 <= covered(low, high, 2.5) <= 0.98


def test_shares_of_futures():
    rng = np.random.default_rng(2)
    levels = []
    for share in (0.02, 0.1, 0.3, 0.5, 0.9, 0.97):
        seen = rng.binomial(100, share, STUDIES) / 100
        levels.append(covered(*share_interval(seen, 100, 0.95), share))
    assert min(levels) >= 0.92
    assert 0.92 <= np.mean(levels) <= 0.98


@pytest.mark.parametrize("law", [normal, skewed])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_worst_tenth(law, sign):
    """Resamples alone covered 81 of 95 cases."""
    rng = np.random.default_rng(3)
    truth = worst_mean(sign * law(rng, 1_000_000))
    hits = []
    for _study in range(400):
        values = sign * law(rng, 100)
        drawn = worst_mean(values[rng.integers(100, size=(200, 100))])
        low, high = tail_interval(worst_mean(values), drawn, 0.95, int(tail_size(100)))
        hits.append(low <= truth <= high)
    assert 0.92 <= np.mean(hits) <= 0.98


# Shares of the variance ---------------------------------------------------------------------------


@pytest.mark.parametrize("law", [normal, skewed])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_the_share_of_drawn_traits(law, share):
    """32 worlds of 16 runs; the jackknife alone covered 88 of 95 cases with long tails."""
    rng, hits = np.random.default_rng(4), []
    for _study in range(1000):
        between = np.sqrt(share) * law(rng, (32, 1))
        values = between + np.sqrt(1.0 - share) * law(rng, (32, 16))
        _found, low, high = variance_share(values)
        hits.append(low <= share <= high)
    assert 0.92 <= np.mean(hits) <= 0.98


@pytest.mark.parametrize("law", [normal, skewed])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_of_chance_where_points_share_draws(law, share):
    """128 base points of four points, five runs each."""
    rng, hits = np.random.default_rng(5), []
    for _study in range(400):
        mean = np.sqrt(0.7) * law(rng, (128, 1, 1)) + np.sqrt(0.3) * law(rng, (128, 4, 1))
        chance = np.sqrt(0.6) * law(rng, (128, 1, 5)) + np.sqrt(0.4) * law(rng, (128, 4, 5))
        values = np.sqrt(1.0 - share) * mean + np.sqrt(share) * chance
        _found, low, high = chance_share(values.reshape(512, 5), blocks=128)
        hits.append(low <= share <= high)
    assert 0.92 <= np.mean(hits) <= 0.98


# Many futures -------------------------------------------------------------------------------------


BASE, SLOPE = np.array([0.0, 0.3, 0.4]), np.array([1.0, 0.8, 1.3])


def means(rng, futures, law):
    """Means of three strategies in futures, [strategies, futures]."""
    common = law(rng, (1, futures))
    return BASE[:, None] + SLOPE[:, None] * common + 0.5 * rng.normal(size=(3, futures))


def runs_of(rng, mean, number, sd):
    """Runs with chance that strategies and futures share in part, [strategies, futures, runs]."""
    shared = 0.6 * rng.normal(size=(1, 1, number)) + 0.4 * rng.normal(size=(3, 1, number))
    return mean[..., None] + sd * (shared + 0.7 * rng.normal(size=(*mean.shape, number)))


@pytest.mark.parametrize("law", [normal, skewed])
def test_criteria_of_robustness_the_rank_and_the_value_of_information(law):
    """100 futures of 16 runs, whose standard error is a fifth of the spread of futures."""
    rng = np.random.default_rng(6)
    many = means(rng, 400_000, law)
    truth = {
        "mean": many.mean(axis=1),
        "worst_tenth": worst_mean(many),
        "best": first_share(many).mean(axis=1),
        "ahead": (many > many[0]).mean(axis=1) + 0.5 * (many == many[0]).mean(axis=1),
        "satisficing": (many >= 0.0).mean(axis=1),
        "difference": (many - many[0]).mean(axis=1),
    }
    evpi = many.max(axis=0).mean() - many.mean(axis=1).max()
    hits, known, first = {name: [] for name in truth}, [], []
    for study in range(200):
        values = runs_of(rng, means(rng, 100, law), 16, 0.5)
        found = robustness(
            values, ["a", "b", "c"], better=1, baseline="a", threshold=0.0, main="mean",
            resamples=300, seed=study,
        )  # fmt: skip
        for name, true in truth.items():
            table = found.table(name)
            low, high = table["low"].to_numpy(), table["high"].to_numpy()
            hits[name].append((low <= true + 1e-9) & (true - 1e-9 <= high))
        first.append((found.stability(), found.order()[0] == "c"))
        draws = [
            (drawn, future_weights(places))
            for drawn, places in crossed_resamples(values, 300, np.random.default_rng(study))
        ]
        gain = estimate_evpi(values, draws, 0.95)
        known.append(gain.low <= evpi <= gain.high)
    for name, each in hits.items():
        kept = np.array(each)[:, 1:] if name in ("ahead", "difference") else each  # not itself
        assert 0.92 <= np.mean(kept) <= 0.98, name
    assert 0.92 <= np.mean(known) <= 0.98
    said, right = np.mean(first, axis=0)
    assert said == pytest.approx(right, abs=0.12)  # how often the first is first again


# Surrogates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [GAUSSIAN, BOOSTING])
def test_the_error_of_a_surrogate(kind):
    """New points with chance, of which the stated 95% intervals should contain as many."""
    factors = tuple(Factor(name, "", "attention") for name in "abcd")
    inside, errors = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        points = rng.random((1200, 4))
        values = 3.0 * points[:, 0] + np.sin(6.0 * points[:, 1]) + points[:, 2] * points[:, 0]
        values = values + 0.3 * rng.normal(size=1200)
        fitted = fit_surrogate(points[:200], values[:200], factors, kinds=[kind], seed=seed)
        mean, deviation = fitted.predict(points[200:])
        inside.append(np.abs(values[200:] - mean) <= 1.96 * deviation)
        errors.append(np.sqrt(((values[200:] - mean) ** 2).mean()) / fitted.quality.rmse)
    assert 0.92 <= np.mean(inside) <= 0.98
    assert np.mean(errors) == pytest.approx(1.0, abs=0.1)
