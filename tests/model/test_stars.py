"""Contracts are stars: a provider and its buyers, in worlds small enough to reckon by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kolabsim.model.levers import FORMS
from kolabsim.model.state import BUYER, NOBODY, PROVIDER
from tests.builders import (
    Run,
    body,
    check_structure,
    in_a_row,
    make_scenario,
    measure,
    open_talks,
    roads,
    simulate,
)

A, B, C, D = range(4)
EAGER = {"attention_base": 20, "notice": 1, "decision_speed": 50, "misperception": 0, "foreseen": 1}
ROUND = {
    "information_cost": 0.02, "culture_cost": 0.012, "practice_cost": 0, "negotiation_cost": 0.01,
    "enforcement_cost": 0.016, "contract_difficulty": 12, "overhead_cost": 0.011, "scope": 0.5,
    "transition_cost": 0, "startup_cost": 0.1, "pooling": 0.25, "autonomy_cost": 0,
    "quality_value": 0.5,
}  # fmt: skip


def star(letters: str = "ABC", **more: object) -> dict[str, object]:
    """A contract of which the first provides."""
    return body(letters, form="contract", provider=letters[0]) | more


def small_world(form: str, **more: object) -> Run:
    """A provides for B and C in one place, at no cost of scale; or they form a board."""
    scenario = make_scenario(
        in_a_row(
            40_000, 30_000, 30_000, longitude=[0, 0, 0], capacity=[0.8, 0.4, 0.6],
            culture_1=[0, 1, 0], culture_2=[0, 0, 2], culture_3=[0, 0, 0],
        ),
        nearest=2,
        bodies=[star() if form == "contract" else body("ABC", form=form)],
        **roads(curvature_below=0, curvature_above=0, difficulty=0.5, spillover=0,
                parameters=ROUND | more),
    )  # fmt: skip
    run = Run(scenario)
    run.set_trust(0.6)
    run.advance("coordinate")
    run.state.slot["kept"] = 1
    return run.advance("produce")


def test_a_star_by_hand() -> None:
    run = small_world("contract")
    # From A at (0, 0) to B at (1, 0) and C at (0, 2): 1 and 4, mean 2.5, over 6. Two ties.
    # (.02 + .012 x 2.5/6) + .01 x 2^1.2 + .016 x .4 (1 + 12 x .5), and no overhead
    by_hand = 0.025 + 0.01 * 2**1.2 + 0.0448
    assert run.slot("coordination")[:, 0] == pytest.approx(-by_hand)
    assert run.slot("cost")[:, 0] == pytest.approx(1 + by_hand)
    # It works with the capacity of its provider, which gains nothing.
    assert run.slot("quality")[:, 0] == pytest.approx(0.8)
    assert run.slot("pooled")[:, 0] == pytest.approx(0.5 * np.array([0, 0.4, 0.2]))
    assert run.slot("load")[:, 0] == pytest.approx(0.025 + 0.01 * 2**1.2)
    assert run.slot("body_trust")[:, 0] == pytest.approx(0.6)


def test_a_board_of_the_same_by_hand() -> None:
    run = small_world("board")
    # Three pairs: 1, 4 and 5, mean 10/3, over 6.
    # (.02 + .012 x 10/18) + .01 x 2 + .016 x .4 (1 + .5) + .011
    by_hand = 0.02 + 0.012 * 10 / 18 + 0.02 + 0.0096 + 0.011
    assert run.slot("coordination")[:, 0] == pytest.approx(-by_hand)
    # A quarter of the way from the mean, .62 by people, to the best, .8
    assert run.slot("quality")[:, 0] == pytest.approx(0.665)


def test_a_buyer_takes_over_the_practice_of_its_provider() -> None:
    run = small_world("contract")
    before = run.slot("practice")[:, 0]
    run.advance()
    after = run.slot("practice")[:, 0]
    assert after[A] == before[A]
    assert after[1:] == pytest.approx(before[1:] + run.p.learning * (before[A] - before[1:]))


def test_buyers_of_one_provider_are_no_partners() -> None:
    run = small_world("contract")
    run.state.slot["seen"] = 1
    run.advance()
    trust = run.trust()
    assert trust[B, C] == trust[C, B] == pytest.approx(0.6)
    for pair in ((A, B), (B, A), (A, C), (C, A)):
        assert trust[pair] > 0.6


def test_ties_are_those_of_a_star() -> None:
    for form, density, closed in (("contract", 3 / 6, 0), ("board", 1, 1)):
        one = star("ABCD") if form == "contract" else body("ABCD", form=form)
        scenario = make_scenario(in_a_row(*[30_000] * 4), bodies=[one], horizon=1, **roads())
        block = simulate(scenario)
        assert measure(block, "density")[0, 0] == pytest.approx(density)
        assert measure(block, "transitivity")[0, 0] == closed
        assert measure(block, "contracts")[0, 0] == (form == "contract")


# Corner worlds ------------------------------------------------------------------------------------


def test_a_star_of_one_buyer_ends_when_it_leaves() -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000),
        bodies=[star("AB", began=-40)],
        **roads(parameters={"exit_base": 1e6}),
    )
    run = Run(scenario).advance()
    assert run.bodies() == {}
    assert run.state.moment[0].left == 2
    assert (run.slot("role") == 0).all()
    assert (run.slot("body") == NOBODY).all()


def test_a_provider_stays_while_it_has_buyers() -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000),
        bodies=[star(began=-40)],
        **roads(parameters={"exit_base": 1e6}),
    )
    run = Run(scenario)
    run.state.slot["bound_until"][C] = 100
    run.advance()
    assert list(run.bodies().values()) == [[A, C]]
    assert run.slot("role")[:, 0].tolist() == [PROVIDER, 0, BUYER]
    check_structure(run.advance(quarters=5))
    assert list(run.bodies().values()) == [[A, C]]


def test_where_all_provide_nothing_is_left_to_agree_on() -> None:
    """Two regions, each of which provides one service to the other."""
    scenario = make_scenario(
        in_a_row(40_000, 30_000),
        areas={"roads": {}, "water": {}},
        bodies=[star("AB"), star("BA") | {"area": "water", "members": ["A", "B"]}],
        parameters=EAGER | {"exit_base": 0},
    )
    run = Run(scenario).advance(quarters=12)
    assert run.slot("role").tolist() == [[PROVIDER, BUYER], [BUYER, PROVIDER]]
    block = simulate(scenario, runs=5)
    assert measure(block, "opened").sum() == 0
    assert (measure(block, "cooperation") == 1).all()
    assert (measure(block, "contracts") == 1).all()
    # Partners elsewhere save half of the cost of agreeing.
    agree = run.p.negotiation_cost * (1 - run.p.scope)
    free = scenario.with_({"parameters.interest_weight": 0, "parameters.culture_cost": 0,
                           "parameters.practice_cost": 0})  # fmt: skip
    load = Run(free).advance().slot("load")
    assert load == pytest.approx(run.p.information_cost + agree)


def test_of_a_provider_alone_nothing_is_bought() -> None:
    """All provide, to nobody: one region with no contact at all."""
    block = simulate(make_scenario(1, form="contract", parameters=EAGER), runs=3)
    assert (measure(block, "cooperation") == 0).all()
    assert np.isnan(measure(block, "contracts")).all()


# Who may agree with whom --------------------------------------------------------------------------


def openings(*contacts: tuple[str, str], bodies: list[dict[str, object]]) -> int:
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000, 50_000),
        contacts=contacts,
        bodies=bodies,
        horizon=4,
        **roads(
            parameters=EAGER | {"autonomy_cost": 0},
            efficient_scale=5_000_000,
            curvature_below=0.3,
            haul=0,
        ),
    )
    return int(measure(simulate(scenario, runs=5), "opened").sum())


def test_buyers_neither_look_nor_sell() -> None:
    inside = [("A", "B"), ("A", "C")]
    assert openings(*inside, ("B", "D"), bodies=[star()]) == 0
    assert openings(*inside, ("A", "D"), bodies=[star()]) > 0
    assert openings(*inside, ("B", "D"), bodies=[body("ABC", form="board")]) > 0


def test_bodies_of_providers_do_not_merge() -> None:
    ties = [("A", "B"), ("C", "D"), ("A", "C")]
    two = [star("AB"), star("CD")]
    assert openings(*ties, bodies=two) == 0
    assert openings(*ties, bodies=[two[0], body("CD", form="board")]) == 0
    assert openings(*ties, bodies=[body("AB", form="board"), body("CD", form="board")]) > 0


def accession(one: dict[str, object], people: int = 30_000) -> Run:
    """D borders A alone, and asks to join; only those two gain, and all lose some autonomy."""
    costs = ("information", "negotiation", "enforcement", "overhead", "transition", "startup")
    contacts = [("A", "D", "yes", 10), ("A", "B", "no", 10), ("A", "C", "no", 10)]
    scenario = make_scenario(
        in_a_row(40_000, 20_000, 20_000, people), contacts=contacts, consent="unanimity",
        bodies=[one],
        **roads(
            curvature_below=0, curvature_above=0, haul=0, spillover=0.5,
            parameters={f"{name}_cost": 0 for name in (*costs, "practice", "culture")}
            | {"quality_value": 0, "misperception": 0, "decision_speed": 50, "startup_cost": 0.01},
        ),
    )  # fmt: skip
    run = Run(scenario)
    run.state.region["autonomy"], run.state.region["goodwill"] = 1.0, 0.0
    open_talks(run, D, A)
    return run.advance()


def test_a_buyer_joins_with_the_agreement_of_its_provider_alone() -> None:
    assert accession(body("ABC", form="board")).state.moment[0].refused == 1
    run = accession(star())
    assert run.state.moment[0].concluded == 1
    assert list(run.bodies().values()) == [[A, B, C, D]]
    assert run.slot("role")[:, 0].tolist() == [PROVIDER, BUYER, BUYER, BUYER]


def test_a_buyer_enters_and_pays_however_large_it_is() -> None:
    run = accession(star(), people=900_000)
    assert (run.slot("startup")[:, 0] > 0).tolist() == [False, False, False, True]


def test_a_star_whose_provider_is_taken_away_ends() -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000, 50_000),
        bodies=[star()],
        strategies={"duty": {"mandates": [{"groups": [["A", "D"]], "from": 1}]}},
        **roads(),
    )
    run = Run(scenario, "duty").advance(quarters=2)
    assert list(run.bodies().values()) == [[A, D]]
    assert run.state.moment[0].left == 3
    assert (run.slot("role") == 0).all()


# The choice of a form -----------------------------------------------------------------------------


def chosen(difficulty: float, capacities: list[float], **parameters: float) -> tuple[str, int]:
    """The form on which A and B agree, and who provides."""
    scenario = make_scenario(
        in_a_row(40_000, 40_000, capacity=capacities),
        **roads(difficulty=difficulty, curvature_below=0.3, efficient_scale=100_000, haul=0,
                parameters=ROUND | {"decision_speed": 50, "misperception": 0} | parameters),
    )  # fmt: skip
    run = Run(scenario)
    run.advance()
    open_talks(run, A, B)
    run.advance()
    (place,) = run.bodies()
    return FORMS[run.state.body["form"][place]], int(run.state.body["provider"][place])


def test_what_is_easily_measured_is_bought_and_what_is_not_is_shared() -> None:
    assert chosen(0.0, [0.5, 0.5]) == ("contract", A)  # of equals the first by code
    assert chosen(0.0, [0.5, 0.6]) == ("contract", B)
    assert chosen(1.0, [0.5, 0.5]) == ("board", NOBODY)
    # For want of trust a contract is dear; where trust is full, nothing has to be enforced.
    assert chosen(1.0, [0.5, 0.5], trust_start=1.0, trust_culture=0.0) == ("contract", A)
