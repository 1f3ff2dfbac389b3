"""What facts compare, against hand-worked numbers."""

import numpy as np
import pytest

from kolabsim.model.measures import TRACE
from kolabsim.model.parameters import PARAMETERS
from kolabsim.validation import contrasts as c
from kolabsim.validation.runs import Run, Setting, simulate_run

AREAS = ("finance", "procurement", "training", "technology")


def observed(*, quarters=30, history=None, **columns) -> Run:
    """Four regions, four areas; regions 0 and 1 share finance since the start."""
    shape = (quarters, 4, 4)
    given = {name: np.zeros(shape) for name in TRACE}
    given["body"][:], given["cost"][:], given["people"][:] = -1.0, 1.0, 10_000.0
    given["body"][:, :2, 0] = 7.0
    for name, values in columns.items():
        given[name] = np.broadcast_to(values, shape).copy()
    return Run(
        areas=AREAS, scale=np.full(4, 60_000.0), column=given, history=history or {},
        population=np.array([1e4, 1e4, 2e4, 4e4]), stress=np.array([0.1, 0.2, 0.8, 0.9]),
        tier=np.array([0, 0, 1, 1]), capacity=np.full((4, 4), 0.5), alone=np.ones((4, 4)),
        culture=np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]]),
        pairs=np.array([[0, 1], [0, 2], [1, 2], [2, 3]]),
        distance=np.array([5.0, 20.0, 30.0, 40.0]), land=np.array([True, False, False, False]),
    )  # fmt: skip


def test_savings_of_established_members_are_counted_by_size():
    cost = np.ones((4, 4))
    cost[0, 0], cost[1, 0] = 0.9, 1.02
    o = observed(cost=cost)
    assert (c.share_saving(o), c.share_similar(o), c.share_costlier(o)) == (0.5, 0.5, 0.0)
    assert c.small_saving(o) == pytest.approx((0.1 - 0.02) / 2)
    assert np.isnan(c.share_saving(observed(quarters=20, cost=cost))), "none is six years old"
    assert np.isnan(c.large_saving(o)), "none has efficient scale by itself"


def test_benefits_add_up_by_age_of_membership():
    realised = np.zeros((30, 4, 4))
    realised[:, :2, 0] = 0.1
    entry = np.zeros((30, 4, 4))
    entry[0, :2, 0] = -1.05  # a yearly figure of the first quarter
    o = observed(realised=realised, entry=entry)
    np.testing.assert_allclose(c.net_by_age(o)[:3], [-0.95, 0.1, 0.1])
    assert c.first_year(o) == pytest.approx((-0.95 + 0.3) / 4)
    assert c.break_even(o) == pytest.approx(11 / 4), "after ten quarters of a tenth"
    assert np.isnan(c.break_even(observed(realised=-realised)))


def test_ties_and_distances_of_culture():
    o = observed()
    assert o.tied.sum() == 1
    assert o.tied[0, 0]
    spread = o.culture[:, 0].var()
    np.testing.assert_allclose(o.unlike, np.array([1, 4, 1, 1]) / spread / 6)
    assert c.ties_within_tiers(o) == 1
    assert c.cooperation(o) == pytest.approx(2 / 16)


def test_the_body_is_summed_over_its_members():
    realised = np.zeros((4, 4))
    realised[0, 0], realised[1, 0] = 0.2, 0.4
    bodies = observed(realised=realised).bodies
    np.testing.assert_allclose(bodies, [[2], [20_000], [0.0], [0], [0.0], [0.3]])


def test_logistic_regression_finds_what_made_the_data():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(20_000, 2))
    chance = 1 / (1 + np.exp(-(0.5 + 1.0 * x[:, 0] - 2.0 * x[:, 1])))
    y = (rng.random(20_000) < chance).astype(float)
    np.testing.assert_allclose(c.logit(y, x), [1.0, -2.0, 0.5], atol=0.1)
    assert np.isnan(c.logit(np.ones(100), rng.random((100, 1)))).all()


def test_a_slope_with_others_held_fixed():
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=(2, 500))
    assert c.slope(3 * x - 2 * z + 1, x, z) == pytest.approx(3)
    assert np.isnan(c.slope(x, np.ones(500)))


def test_a_run_is_seen_as_it_was():
    setting = Setting("kartamantul", {"horizon": 8})
    o = simulate_run(setting, 3, future={}, seed=2)
    assert o.quarters == 8
    assert o.member[-1].mean() == pytest.approx(o.history["cooperation"][-1])
    assert (o.distance > 0).all()
    assert o.land.any()
    assert (o.pairs[:, 0] < o.pairs[:, 1]).all()


def test_parameters_apply_but_not_where_the_setting_says_otherwise():
    wanted = ("misperception", "culture_weight")
    future = {f"parameters.{name}": PARAMETERS[name].high for name in wanted}
    setting = Setting("kartamantul", {"parameters.misperception": 0.0})
    _scenario, task = setting.prepare(future, 1)
    assert task.parameters.misperception == 0.0
    assert task.parameters.culture_weight == PARAMETERS["culture_weight"].high
