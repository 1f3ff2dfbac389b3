"""Scores of pairs: on small samples whose values are known by hand."""

import numpy as np
import pytest

from kolabsim.model.state import NOBODY
from kolabsim.validation import pairs as p


def test_auc_and_average_precision_by_hand():
    y, score = np.array([1.0, 0, 1, 0, 0]), np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    # Of six pairs of one that shares and one that does not, all but (.7 against .8) are in order.
    assert p.auc(y, score) == pytest.approx(5 / 6)
    assert np.isnan(p.auc(np.ones(3), score[:3]))
    assert np.isnan(p.auc(y, np.full(5, np.nan)))
    # Precision at the two that share: 1 and 2/3.
    assert p.average_precision(y, score) == pytest.approx((1 + 2 / 3) / 2)
    # All tie: any order is a random one.
    assert p.auc(y, np.zeros(5)) == 0.5
    assert p.average_precision(y, np.zeros(5)) == pytest.approx(2 / 5)


def test_weights_count_pairs_more_than_once():
    rng = np.random.default_rng(5)
    y, score = (rng.random(40) < 0.4).astype(float), rng.integers(0, 9, 40).astype(float)
    weights = rng.integers(0, 4, 40)
    repeated = p.auc(np.repeat(y, weights), np.repeat(score, weights))
    assert p.auc(y, score, weights.astype(float)) == pytest.approx(repeated)


def test_scores_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the extra 'learning'")
    rng = np.random.default_rng(6)
    y, score = (rng.random(300) < 0.2).astype(float), rng.integers(0, 30, 300).astype(float)
    assert p.auc(y, score) == pytest.approx(metrics.roc_auc_score(y, score))
    assert p.average_precision(y, score) == pytest.approx(metrics.average_precision_score(y, score))


def test_pairs_share_within_a_body_only():
    bodies = np.array([[3, NOBODY], [3, 1], [4, NOBODY], [NOBODY, 1]])
    pairs = np.array([[0, 1], [0, 2], [1, 3], [2, 3]])
    assert p.share_body(bodies, pairs).tolist() == [
        [True, False], [False, False], [False, True], [False, False],
    ]  # fmt: skip
    buyers = np.array([[1, 0], [1, 0], [0, 0], [0, 1]], bool)
    assert p.share_any(bodies, pairs, buyers).tolist() == [False, False, True, False]
    apart = np.full_like(bodies, NOBODY)
    assert p.chance_to_share(np.array([bodies, apart]), pairs).tolist() == [0.5, 0.0, 0.5, 0.0]


def test_means_by_distance_by_hand():
    found = p.mean_by_distance(np.array([1.0, 4.0, 12.0]), 5.0, np.array([1.0, 0.0, 1.0]))
    np.testing.assert_allclose(found, [[2.5, 12.5], [2, 1], [0.5, 1.0]])


def test_a_regression_predicts_each_part_from_the_others():
    """Pure noise that the parts would memorise gives no skill."""
    rng = np.random.default_rng(8)
    y = (rng.random(400) < 0.4).astype(float)
    noise = rng.standard_normal((30, 400)).T
    assert p.auc(y, p.cross_validated(y, noise)) < 0.6
    signal = y + 0.5 * rng.standard_normal(400)
    assert p.auc(y, p.cross_validated(y, np.column_stack([signal, noise]))) > 0.85


def test_a_perfect_score_beats_the_regression(network):
    group, rows = next(iter(network.groups.items()))
    truth = network.shares.astype(float)
    fit = p.fit_pairs(network.pairs, network.shares, truth, rows, network.held_out, group=group)
    assert fit.score("model").auc == (1.0, 1.0, 1.0)
    gap, low, high = fit.gaps["regression"]
    assert 0.0 < low <= gap <= high
    assert fit.pairs == network.pairs.inside(~network.held_out).sum()


def test_attributes_that_do_not_vary_are_no_predictors(network):
    assert set(network.pairs.predictors) == {"land", "distance", "near", "size", "tier", "alike"}
    east = p.compare_effects(network.pairs, network.shares, [network.shares] * 3, network.held_out)
    assert "tier" not in {one.name for one in east}, "all of these pairs are of one province"


def test_observed_effects_agree_with_themselves(network):
    rows = ~network.held_out
    effects = p.compare_effects(network.pairs, network.shares, [network.shares] * 3, rows)
    assert {one.name for one in effects} == {"land", "near", "size", "tier", "alike"}
    near = next(one for one in effects if one.name == "near")
    assert near.model == pytest.approx((near.observed[0],) * 3)
    assert near.agrees
    assert near.overlaps
    assert near.observed[0] > 0.0
