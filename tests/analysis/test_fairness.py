from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kolabsim.analysis.fairness import EXACT, fairness, shapley_shares
from kolabsim.errors import InputError
from kolabsim.model.levers import SHARES
from tests.builders import Run, make_scenario, region_rows

BUSY = {
    "attention_base": 0, "notice": 1, "decision_speed": 5, "exit_base": 0, "misperception": 0.12,
    "startup_cost": 0, "practice_cost": 0,
}  # fmt: skip


@st.composite
def games(draw: st.DrawFn) -> tuple[int, dict[tuple[int, ...], float]]:
    """A cost for every set of up to five members."""
    members = draw(st.integers(1, 5))
    costs = {(): 0.0}
    for size in range(1, members + 1):
        for some in itertools.combinations(range(members), size):
            costs[some] = draw(st.floats(0, 100))
    return members, costs


# Shapley's value ----------------------------------------------------------------------------------


def test_the_airport_of_three_by_hand() -> None:
    """A runway costs 12, 28 or 30 for the aircraft of members 0, 1 and 2: who needs more pays more.

    All share the first 12 equally: 4 each; 1 and 2 the next 16: 8 each; 2 alone the last 2.
    """
    needs = (12.0, 28.0, 30.0)
    shares = shapley_shares(lambda some: max(needs[k] for k in some), 3)
    assert shares == pytest.approx([4, 12, 14])


def test_a_game_of_three_by_hand() -> None:
    """c(A) = 6, c(B) = 8, c(C) = 10, c(AB) = 11, c(AC) = 13, c(BC) = 14, c(ABC) = 17.

    What each adds in the orders ABC, ACB, BAC, BCA, CAB, CBA:
    A 6 6 3 3 3 3 = 24; B 5 4 8 8 4 4 = 33; C 6 7 6 6 10 10 = 45; over six.
    """
    costs = {
        (0,): 6, (1,): 8, (2,): 10, (0, 1): 11, (0, 2): 13, (1, 2): 14, (0, 1, 2): 17,
    }  # fmt: skip
    assert shapley_shares(costs.__getitem__, 3) == pytest.approx([24 / 6, 33 / 6, 45 / 6])


@given(games())
def test_it_is_the_mean_over_all_orders(game) -> None:
    members, costs = game
    mean = np.zeros(members)
    orders = list(itertools.permutations(range(members)))
    for order in orders:
        for position, k in enumerate(order):
            before = tuple(sorted(order[:position]))
            mean[k] += costs[tuple(sorted((*before, k)))] - costs[before]
    shares = shapley_shares(costs.__getitem__, members)
    assert shares == pytest.approx(mean / len(orders), abs=1e-9)
    assert shares.sum() == pytest.approx(costs[tuple(range(members))], abs=1e-9)


@given(st.integers(1, 7), st.floats(0, 10), st.floats(0, 10))
def test_who_is_alike_pays_alike_and_who_adds_nothing_pays_nothing(members, fixed, each) -> None:
    """The last member is a dummy: it adds nothing to any others."""
    shares = shapley_shares(
        lambda some: fixed * bool(set(some) - {members}) + each * len(set(some) - {members}),
        members + 1,
    )
    assert shares[:-1] == pytest.approx([(fixed + each * members) / members] * members, abs=1e-9)
    assert shares[-1] == pytest.approx(0, abs=1e-9)


def test_of_large_bodies_orders_are_drawn_and_the_parts_still_add_up() -> None:
    sizes = np.arange(1.0, 13.0)
    assert len(sizes) > EXACT

    def cost(some: tuple[int, ...]) -> float:
        return sizes[list(some)].sum() ** 0.8

    shares = shapley_shares(cost, 12, orders=400)
    assert shares.sum() == pytest.approx(cost(tuple(range(12))))
    assert (np.diff(shares) > 0).all()
    np.testing.assert_array_equal(shares, shapley_shares(cost, 12, orders=400))
    other = shapley_shares(cost, 12, orders=400, seed=0)
    assert (other != shares).any()
    assert other == pytest.approx(shares, rel=0.05)
    # A game whose parts are known: each adds its own size to whomever, whatever the order.
    plain = shapley_shares(lambda some: sizes[list(some)].sum(), 12, orders=3)
    assert plain == pytest.approx(sizes)


def test_drawn_orders_come_near_all_orders(monkeypatch) -> None:
    sizes = np.array([1.0, 2.0, 3.0, 5.0, 8.0])

    def cost(some: tuple[int, ...]) -> float:
        return sizes[list(some)].sum() ** 0.7

    exact = shapley_shares(cost, 5)
    monkeypatch.setattr("kolabsim.analysis.fairness.EXACT", 2)
    assert shapley_shares(cost, 5, orders=2000) == pytest.approx(exact, rel=0.02)


def test_nobody_has_no_shares() -> None:
    with pytest.raises(ValueError, match="at least one"):
        shapley_shares(lambda some: 0.0, 0)


# Of bodies ----------------------------------------------------------------------------------------


def busy(**settings: object):
    return make_scenario(
        12,
        horizon=12,
        parameters=BUSY,
        strategies={"forum": {"mechanisms": {"forum": 1.0, "team": 0.5}, "support": {"ngo": 0.5}}},
        **settings,
    )


@pytest.mark.parametrize("shares", SHARES)
def test_the_table_has_a_row_for_each_member_and_its_shares_add_up(shares: str) -> None:
    scenario = busy(shares=shares)
    table = fairness(scenario, "forum", seed=2, run=1)
    run = Run(scenario, "forum", seed=2, run=1).advance(quarters=12)
    codes = scenario.regions.codes
    expected = {
        (list(scenario.areas)[run.state.body["area"][b]], codes[i])
        for b, members in run.bodies().items()
        for i in members
    }
    assert len(table) == len(expected) > 0
    assert set(zip(table["area"], table["region"], strict=True)) == expected
    by_body = table.groupby(["area", "body"])
    for rule in (*SHARES, "shapley"):
        assert by_body[rule].sum().to_numpy() == pytest.approx(1)
    # What members owe in the model, by the rule of the scenario.
    slots = run.state.slot
    for row in table.itertuples():
        i, a = codes.index(row.region), list(scenario.areas).index(row.area)
        members = run.bodies()[slots["body"][i, a]]
        due = slots["due"][members, a]
        assert getattr(row, shares) == pytest.approx(slots["due"][i, a] / due.sum())
        # Trust has moved since, so the joint cost is a little other than that of the last quarter.
        assert row.joint_cost == pytest.approx(10 * due.sum(), rel=5e-3)
        alone = slots["people"][i, a] * slots["alone"][i, a]
        assert row.alone == pytest.approx(10 * alone / row.joint_cost)


def test_shapley_in_a_body_of_two_splits_what_is_saved_equally() -> None:
    """c(A) and c(B) alone: each pays its own cost, less half of the saving."""
    scenario = make_scenario(
        [row | {"population": n} for row, n in zip(region_rows(2), (40_000, 10_000), strict=True)],
        bodies=[{"area": "roads", "members": ["R000", "R001"]}],
        parameters={"exit_base": 0, "attention_base": -20},
        areas={"roads": {"haul": 0}},
    )
    table = fairness(scenario)
    saving = table["alone"].sum() - 1
    assert table["shapley"].to_numpy() == pytest.approx((table["alone"] - saving / 2).to_numpy())
    assert table["population"].tolist() == pytest.approx([0.8, 0.2])
    assert table["equal"].tolist() == [0.5, 0.5]


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 100))
def test_regions_that_are_alike_in_all_pay_alike(seed: int) -> None:
    same = {"culture_1": 0, "capacity": 0.6, "stress": 0.3, "latitude": 0, "longitude": 0}
    rows = [{"code": code, "population": 20_000} | same for code in "ABCD"]
    scenario = make_scenario(
        rows,
        nearest=3,
        areas={"roads": {}},
        bodies=[{"area": "roads", "members": list("ABCD")}],
        parameters={
            "exit_base": 0, "attention_base": -20, "culture_cost": 0, "interest_weight": 0,
            "practice_cost": 0, "enforcement_cost": 0,
        },
    )  # fmt: skip
    table = fairness(scenario, seed=seed)
    for rule in (*SHARES, "shapley"):
        assert table[rule].tolist() == pytest.approx([0.25] * 4)


def test_without_its_provider_no_buyer_saves_anything() -> None:
    """B serves A and C, which are alike: c(AC) = c(A) + c(C), and c(AB) = c(BC)."""
    still = {
        "exit_base": 0, "attention_base": -20, "culture_cost": 0, "interest_weight": 0,
        "practice_cost": 0, "enforcement_cost": 0,
    }  # fmt: skip
    rows = [
        {"code": code, "population": n, "latitude": 0, "longitude": 0, "stress": 0.3}
        for code, n in {"A": 10_000, "B": 40_000, "C": 10_000}.items()
    ]

    def costs(members: str) -> tuple[dict[str, float], dict[str, float], float]:
        body = {"area": "roads", "members": [*members], "form": "contract", "provider": "B"}
        scenario = make_scenario(
            rows, nearest=2, areas={"roads": {}}, bodies=[body], parameters=still
        )
        table = fairness(scenario).set_index("region")
        joint = table["joint_cost"].iloc[0]
        return (table["shapley"] * joint).to_dict(), (table["alone"] * joint).to_dict(), joint

    shapley, alone, joint = costs("ABC")
    pair = costs("AB")[2]
    expected = (3 * alone["A"] - alone["B"] - pair + 2 * joint) / 6
    assert shapley["A"] == pytest.approx(expected)
    assert shapley["C"] == pytest.approx(expected)


def test_without_bodies_the_table_is_empty() -> None:
    table = fairness(make_scenario(3, parameters={"attention_base": -20}))
    assert table.empty
    assert list(table.columns)[-1] == "shapley"


def test_an_unknown_strategy_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match="voluntary"):
        fairness(make_scenario(3), "voluntry")
