"""What facts compare, against hand-worked numbers."""

import numpy as np
import pytest

from kolabsim.model.measures import TRACE
from kolabsim.model.parameters import PARAMETERS
from kolabsim.validation import contrasts as c
from kolabsim.validation.runs import Run, Setting, simulate_run

AREAS = ("finance", "procurement", "training", "technology")


def observed(*, quarters=30, history=None, listed=(), **columns) -> Run:
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
        listed=listed,
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


ROLE = np.array([[1.0, 0, 0, 0], [2, 0, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]])
"""Region 0 provides finance to 1 and 2; 3 is alone."""


def star(**how) -> Run:
    body = np.full((4, 4), -1.0)
    body[:3, 0] = 7.0
    return observed(body=body, **how)


def test_buyers_of_one_provider_are_no_partners():
    board, contract = star(), star(role=ROLE)
    assert board.ties.sum() == 6
    assert contract.ties.sum() == 4
    assert contract.tied[:, 0].tolist() == [True, True, False, False], "buyers share no tie"
    assert contract.in_contract[:, 0].tolist() == [True, True, True, False]
    assert contract.provider.sum() == 1
    assert not board.in_contract.any()
    assert c.transitivity(board) == 1.0
    assert c.transitivity(contract) == 0.0
    assert c.median_size(contract) == 3.0
    assert np.isnan(c.median_size(observed(body=np.full((4, 4), -1.0))))


def test_providers_that_buy_from_their_buyers_are_reciprocal():
    """Pairs (0, 1) and (0, 2) trade; in the second world 1 sells technology to 0."""
    body, role = np.full((4, 4), -1.0), ROLE.copy()
    body[:3, 0], body[:2, 3] = 7.0, 8.0
    role[:2, 3] = 2.0, 1.0
    there, back = observed(body=body, role=role), star(role=ROLE)
    assert c.reciprocity(there) > c.reciprocity(back)
    role[:2, 3] = 1.0, 2.0  # 0 sells both
    assert c.reciprocity(observed(body=body, role=role)) < c.reciprocity(there)
    assert np.isnan(c.reciprocity(star()))


def test_documented_bodies_are_kept_if_members_stay_together_throughout():
    listed = ((0, (0, 1)), (3, (2, 3)))
    body = np.full((30, 4, 4), -1.0)
    body[:, :2, 0], body[:, 2:, 3] = 7.0, 8.0
    assert c.listed_kept(observed(body=body, listed=listed)) == 1.0
    body[12, 1, 0] = -1.0  # leaves and returns in the next quarter
    assert c.listed_kept(observed(body=body, listed=listed)) == 0.5
    body[20:, 3, 3] = 9.0
    assert c.listed_kept(observed(body=body, listed=listed)) == 0.0
    assert np.isnan(c.listed_kept(observed(body=body))), "the scenario lists no body"


def test_members_that_share_another_area_are_found():
    body = np.full((4, 4), -1.0)
    body[:3, 0], body[:2, 3], body[2, 3] = 7.0, 8.0, 9.0
    found = c.shares_elsewhere(observed(body=body))[-1]
    assert found.tolist() == [
        [True, False, False, True], [True, False, False, True], [False] * 4, [False] * 4,
    ]  # fmt: skip
    role = np.zeros((4, 4))
    role[:3, 0] = 2.0, 2.0, 1.0
    assert not c.shares_elsewhere(observed(body=body, role=role)).any(), "both buy from a third"


def test_results_are_compared_with_expectations():
    realised, expected = np.zeros((4, 4)), np.zeros((4, 4))
    realised[:2, 0], expected[:2, 0] = (0.2, 0.1), (0.1, 0.2)
    assert c.surprise(observed(realised=realised, expected=expected)) == 0.0
    expected[1, 0] = 0.05
    assert c.surprise(observed(realised=realised, expected=expected)) == 1.0


def test_hosts_and_their_partners_are_compared_by_size():
    """In a body of 40, 20 and 10 thousand, the host is 2 and 4 times as large as its partners."""
    body = np.full((4, 4), -1.0)
    body[:3, 0] = 7.0
    people = np.full((4, 4), 1.0)
    people[:3, 0] = 40.0, 20.0, 10.0
    quality = np.full((4, 4), 0.5)
    quality[1, 0], quality[2, 0] = 0.55, 0.6  # gains of .1 and .2
    o = observed(body=body, people=people, quality=quality)
    host, ratio = c.hosts(o)
    assert host.sum() == host[0, 0] == 1
    np.testing.assert_allclose(ratio[:3, 0], [40 / 15, 2.0, 4.0])
    assert np.isnan(c.partner_gain(o)), "two partners are too few for a slope"


def test_neighbours_that_share_are_counted():
    """Sixty regions on a line: those beside a region that shares at half time join later."""
    n, rng = 60, np.random.default_rng(4)
    body = np.full((40, n, 4), -1.0)
    sharing = np.arange(n) % 6 < 2
    body[:, sharing, 0] = np.arange(n)[sharing] // 6
    beside = ~sharing & (np.roll(sharing, 1) | np.roll(sharing, -1))
    joining = beside & (rng.random(n) < 0.7) | ~sharing & (rng.random(n) < 0.1)
    body[20:, joining, 0] = 100.0
    column = {name: np.zeros((40, n, 4)) for name in TRACE} | {"body": body}
    pairs = np.column_stack([np.arange(n - 1), np.arange(1, n)])
    run = Run(
        areas=AREAS, scale=np.ones(4), column=column, history={},
        population=rng.lognormal(10.0, 0.5, n), stress=np.zeros(n), tier=np.zeros(n),
        capacity=np.ones((n, 4)), alone=np.ones((n, 4)), culture=np.zeros((n, 3)), pairs=pairs,
        distance=np.ones(n - 1), land=np.ones(n - 1, bool),
    )  # fmt: skip
    assert c.contagion(run) > 1.0


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
    wanted = ("misperception", "culture_cost")
    future = {f"parameters.{name}": PARAMETERS[name].high for name in wanted}
    setting = Setting("kartamantul", {"parameters.misperception": 0.0})
    task = setting.prepare(future, 1).task
    assert task.parameters.misperception == 0.0
    assert task.parameters.culture_cost == PARAMETERS["culture_cost"].high


def test_runs_are_the_same_in_arrays_that_were_used_before():
    setting = Setting("kartamantul", {"horizon": 8})
    first = simulate_run(setting, 3, future={}, seed=2)
    other = {"parameters.trust_start": 0.9, "parameters.capacity_spread": 0.2}
    for number in (3, 4):
        simulate_run(setting, number, future=other, seed=5)
    again = simulate_run(setting, 3, future={}, seed=2)
    for name in ("population", "stress", "tier", "capacity", "alone", "culture"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    for name, values in first.column.items():
        np.testing.assert_array_equal(values, again.column[name])
