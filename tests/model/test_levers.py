"""What each lever does, when and for whom, what it costs, and who pays."""

from __future__ import annotations

import numpy as np
import pytest

from kolabsim.model.interventions import fund
from kolabsim.model.jit import host_entry
from kolabsim.model.levers import (
    BUSINESS,
    FORMS,
    GOVERNMENT,
    LEVERS,
    MANDATE,
    MECHANISMS,
    NGO,
    PAYERS,
    SUPPORTERS,
)
from kolabsim.model.parameters import MEETING_PRICE
from kolabsim.model.state import NOBODY, PAID, RATION
from kolabsim.scenario.scenario import Scenario
from tests.builders import (
    Run,
    body,
    figure,
    in_a_row,
    make_scenario,
    measure,
    open_talks,
    roads,
    simulate,
)

A, B, C, D = range(4)
INTENSITIES = (0.0, 0.5, 1.0)

# More of it ---------------------------------------------------------------------------------------


def with_lever(name: str, intensity: float, form: str = "board", **more: object) -> Scenario:
    kind = "mechanisms" if name in MECHANISMS else "support"
    phase: dict[str, object] = {"intensity": intensity}
    if name == "forum":
        phase["members"] = "all"
    provider = {"provider": "A"} if form == "contract" else {}
    return make_scenario(
        in_a_row(40_000, 30_000, 20_000, 50_000),
        bodies=[body("ABC", form=form, **provider)],
        strategies={"s": {kind: {name: phase}}},
        **roads(**more),
    )


def levels(name: str, column: str, **more: object) -> np.ndarray:
    """A column of the members in a first quarter in which all keep promises, by intensity."""
    found = []
    for x in INTENSITIES:
        run = Run(with_lever(name, x, **more), "s").advance("coordinate")
        run.state.slot["kept"] = 1
        found.append(run.advance("produce").slot(column)[:3, 0])
    return np.array(found)


@pytest.mark.parametrize("name", [*MECHANISMS, "ngo"])
@pytest.mark.parametrize("form", FORMS)
def test_mechanisms_and_mediation_make_coordination_cheaper(name: str, form: str) -> None:
    assert (np.diff(levels(name, "coordination", form=form), axis=0) > 0).all()


@pytest.mark.parametrize("name", ["forum", "business", "community"])
def test_pooling_and_voice_make_services_better(name: str) -> None:
    # In the rest of their effects these levers are the same for quality: only conduct differs.
    assert (np.diff(levels(name, "quality"), axis=0) > 0).all()


def test_what_a_provider_can_do_is_its_own() -> None:
    """Pooling is nothing that a contract knows: buyers get what their provider can do."""
    for name in ("forum", "business"):
        assert (np.diff(levels(name, "quality", form="contract"), axis=0) == 0).all()


def test_only_central_government_leaves_a_body_that_exists_as_it_is() -> None:
    for column in ("coordination", "quality", "fit"):
        assert (np.diff(levels("government", column), axis=0) == 0).all()


@pytest.mark.parametrize("name", LEVERS)
def test_only_plans_make_room_for_unlike_wishes(name: str) -> None:
    two = {"areas": {"roads": {}, "water": {}}}
    plain, scenario = (with_lever(name, x, **two) for x in (0.0, 1.0))
    fit = [Run(one, "s").advance("produce").slot("fit")[:3, 0] for one in (plain, scenario)]
    assert (fit[0] < 0).all()
    kept = 1 - Run(plain).p.planning_strength if name == "planning" else 1
    assert fit[1] == pytest.approx(kept * fit[0])


@pytest.mark.parametrize("name", ["forum", "team", "ngo"])
def test_those_who_bring_people_together_build_trust(name: str) -> None:
    runs = [Run(with_lever(name, x), "s").advance("communicate") for x in INTENSITIES]
    inside = [pair for pair in runs[0].trust() if D not in pair]
    trust = [[run.trust()[pair] for pair in inside] for run in runs]
    assert (np.diff(trust, axis=0) > 0).all()
    # Of what is missing, learning takes its share of a strength of .3.
    step = 1 - np.array(trust[2])
    assert step == pytest.approx((1 - runs[0].p.learning * 0.3) * (1 - np.array(trust[0])))


@pytest.mark.parametrize("name", ["monitoring", "community", "information"])
def test_those_who_look_on_let_promises_be_kept(name: str) -> None:
    """Common draws: whoever keeps its promises keeps them with more of the lever too."""
    kept = []
    for x in INTENSITIES:
        scenario = with_lever(name, x, parameters={"honour_base": 0.5})
        runs = [Run(scenario, "s", run=run).advance("coordinate") for run in range(60)]
        kept.append([run.slot("kept")[:3, 0] for run in runs])
    assert (np.diff(kept, axis=0) >= 0).all()
    assert np.mean(kept[2]) > np.mean(kept[0]) + 0.02


@pytest.mark.parametrize("name", ["planning", "team", "ngo"])
def test_those_who_prepare_decisions_conclude_more_negotiations(name: str) -> None:
    found = []
    for x in INTENSITIES:
        scenario, number = with_lever(name, x), 0
        for k in range(80):
            run = Run(scenario, "s", run=k)
            open_talks(run, D, C)
            number += run.advance("plan").slot("order")[D, 0] >= 0
        found.append(number)
    assert found[0] < found[1] < found[2]


@pytest.mark.parametrize("name", ["government", "forum"])
def test_grants_and_meetings_turn_attention_to_sharing(name: str) -> None:
    more = {"parameters": {"attention_base": -2.5, "notice": 1.0, "misperception": 0.0}}
    opened = [
        measure(simulate(with_lever(name, x, horizon=1, **more), "s", runs=300), "opened").sum()
        for x in INTENSITIES
    ]
    assert opened[0] < opened[1] < opened[2]


@pytest.mark.parametrize(
    ("name", "column"), [("government", "granted"), ("business", "cofinanced")]
)
def test_grants_and_co_finance_pay_for_start_ups(name: str, column: str) -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000),
        strategies={"s": {"support": {name: 0.6}, "mandates": [{"groups": [["A", "B"]]}]}},
        **roads(parameters={"grant_strength": 0.5, "business_strength": 0.5}),
    )
    run = Run(scenario, "s").advance("produce")
    due = run.slot("startup")[:2, 0]
    assert (due > 0).all()
    assert run.slot(column)[:2, 0] == pytest.approx(0.3 * due)
    alone = run.slot("people") * run.slot("alone")
    assert run.slot("entry")[:2, 0] == pytest.approx(-4 * 0.7 * due / alone[:2, 0])


def test_grants_and_co_finance_together_pay_at_most_the_whole() -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000),
        strategies={
            "s": {
                "support": {"government": 1.0, "business": 1.0},
                "mandates": [{"groups": [["A", "B"]]}],
            }
        },
        **roads(parameters={"grant_strength": 0.9, "business_strength": 0.3}),
    )
    run = Run(scenario, "s").advance("produce")
    assert run.slot("granted") == pytest.approx(0.75 * run.slot("startup"))
    assert run.slot("cofinanced") == pytest.approx(0.25 * run.slot("startup"))
    assert run.slot("entry") == pytest.approx(0, abs=1e-12)


# When ---------------------------------------------------------------------------------------------


def test_a_phase_is_in_force_from_its_first_quarter_until_the_first_after() -> None:
    phases = [
        {"intensity": 0.3, "until": 6},
        {"intensity": 0.8, "from": 4, "until": 7},
        {"intensity": 0.5, "from": 9},
    ]
    expected = [0.3] * 4 + [0.8] * 3 + [0.0] * 2 + [0.5] * 3
    scenario = make_scenario(
        4,
        strategies={
            "s": {
                "mechanisms": dict.fromkeys(MECHANISMS, phases),
                "support": dict.fromkeys(SUPPORTERS, phases),
            }
        },
    )
    run = Run(scenario, "s")
    for quarter in range(12):
        run.advance()
        for name in LEVERS:
            assert run.state.area[name].tolist() == [expected[quarter]] * 2
        for name in SUPPORTERS:
            assert (run.slot(name) == expected[quarter]).all()


def test_a_phase_can_be_for_one_area() -> None:
    scenario = make_scenario(
        3,
        strategies={
            "s": {
                "mechanisms": {
                    "team": [{"intensity": 0.2}, {"intensity": 0.7, "areas": ["water"], "from": 2}]
                },
                "support": {"ngo": {"intensity": 0.4, "areas": ["roads"]}},
            }
        },
    )
    run = Run(scenario, "s").advance("start")
    assert run.state.area["team"].tolist() == [0.2, 0.2]
    run.advance("start", quarters=3)
    assert run.state.area["team"].tolist() == [0.2, 0.7]
    assert run.slot("ngo").tolist() == [[0.4, 0.0]] * 3


def test_what_a_scenario_always_does_a_strategy_can_change() -> None:
    scenario = make_scenario(
        3,
        mechanisms={"team": 0.2, "planning": 0.1},
        strategies={"s": {"mechanisms": {"team": {"intensity": 0.9, "from": 1, "until": 2}}}},
    )
    run = Run(scenario, "s")
    found = []
    for _quarter in range(3):
        run.advance()
        found.append((run.state.area["team"][0], run.state.area["planning"][0]))
    assert found == [(0.2, 0.1), (0.9, 0.1), (0.2, 0.1)]


def test_each_phase_has_its_own_targets_forum_and_payer() -> None:
    scenario = make_scenario(
        in_a_row(50_000, 20_000, 40_000, 30_000),
        strategies={
            "s": {
                "mechanisms": {
                    "forum": [
                        {"intensity": 1.0, "members": "all", "paid_by": "centre", "until": 2},
                        {"intensity": 1.0, "members": [["A", "B"]], "from": 2},
                    ]
                },
                "support": {
                    "government": [
                        {"intensity": 0.6, "targets": "smallest", "share": 0.25, "until": 2},
                        {"intensity": 0.6, "targets": ["D"], "from": 2},
                    ]
                },
            }
        },
        **roads(),
    )
    run, found = Run(scenario, "s"), []
    for _quarter in range(4):
        run.advance()
        grants = run.slot("government")[:, 0] > 0
        forum, centre_pays = run.region("forum").tolist(), run.state.moment[0].paid_centre > 0
        found.append((grants.tolist(), forum, bool(centre_pays)))
    before = ([False, True, False, False], [0] * 4, True)
    after = ([False, False, False, True], [0, 0, NOBODY, NOBODY], False)
    assert found == [before] * 2 + [after] * 2


def test_nothing_is_paid_when_nothing_is_in_force() -> None:
    phase = {"intensity": 1.0, "from": 2, "until": 5}
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000),
        bodies=[body("AB")],
        horizon=8,
        strategies={
            "s": {
                "mechanisms": dict.fromkeys(MECHANISMS, phase),
                "support": dict.fromkeys(SUPPORTERS, phase),
            }
        },
        **roads(),
    )
    cost = measure(simulate(scenario, "s"), "programme_cost")[0]
    assert (cost > 0).tolist() == [False, False, True, True, True, False, False, False]


def with_team_and_grants(**keys: object) -> object:
    """Four regions, three of them in a body, under a full team and grants."""
    levers = {"mechanisms": {"team": 1.0}, "support": {"government": 1.0, "ngo": 1.0}}
    return make_scenario(
        in_a_row(40_000, 30_000, 20_000, 50_000, tier=["east"] * 4),
        bodies=[body("ABC")],
        strategies={"s": levers | keys},
        **roads(parameters={"lever_price": 0.006, "attention_base": 0.0, "notice": 1.0}),
    )


def test_a_phase_out_falls_in_equal_steps_and_ends() -> None:
    lever = {"intensity": 0.8, "until": 8, "phase_out": 3}
    run = Run(with_team_and_grants(mechanisms={"team": lever}), "s")
    found = []
    for _quarter in range(9):
        run.advance()
        found.append(run.state.area["team"][0])
    assert found == pytest.approx([0.8] * 5 + [0.6, 0.4, 0.2, 0.0])


def test_a_strategy_costs_no_more_than_its_budget_and_all_of_it_where_it_could_cost_more() -> None:
    names = ["programme_cost", "programme_centre"]
    free = [measure(simulate(with_team_and_grants(), "s"), name)[0] for name in names]
    most = free[0].min() / 2
    scenario = with_team_and_grants(budget=4 * most)
    cut = [measure(simulate(scenario, "s"), name)[0] for name in names]
    assert (cut[0] <= most * (1 + 1e-9)).all()
    assert (cut[0] > 0.95 * most).all(), "levers are cut by the cost of the quarter before"
    assert not cut[1].any(), "grants come last"
    run = Run(scenario, "s").advance()
    area, slot = run.state.area[0], run.state.slot[0, 0]
    assert area.team == pytest.approx(slot.ngo)
    assert 0 < area.team < 1
    nothing = measure(simulate(with_team_and_grants(budget=0.0), "s"), "programme_cost")
    without = measure(simulate(with_team_and_grants(mechanisms={}, support={}), "s"), "cooperation")
    assert not nothing.any()
    idle = measure(simulate(with_team_and_grants(budget=0.0, support={}), "s"), "cooperation")
    assert (idle == without).all(), "what is not paid has no effect"


def test_a_budget_that_is_never_reached_changes_nothing() -> None:
    one, other = (
        simulate(with_team_and_grants(**keys), "s").history for keys in ({}, {"budget": 1e15})
    )
    np.testing.assert_array_equal(one, other)


def test_a_budget_leaves_the_levers_of_the_scenario_alone() -> None:
    """The scenario's own team is neither cut nor counted; the strategy's forum is."""
    levers = {"mechanisms": {"forum": {"intensity": 1.0, "members": "all"}}, "support": {}}
    names, found = ["team", "forum"], {}
    for budget in (1e15, 0.0):
        scenario = with_team_and_grants(**levers, budget=budget)
        run = Run(scenario.with_({"mechanisms": {"team": 0.7}}), "s").advance()
        found[budget] = [float(run.state.area[name][0]) for name in names]
    assert found == {1e15: [0.7, 1.0], 0.0: [0.7, 0.0]}


# What it costs, and who pays ----------------------------------------------------------------------


@pytest.mark.parametrize("price", [None, 0.02])
@pytest.mark.parametrize("payer", PAYERS)
@pytest.mark.parametrize("name", [*LEVERS])
def test_each_lever_costs_its_price_and_its_payer_pays(name, payer, price) -> None:
    kind = "mechanisms" if name in MECHANISMS else "support"
    phase: dict[str, object] = {"intensity": 0.5, "paid_by": payer}
    if name == "forum":
        phase["members"] = [["A", "B", "D"]]  # C is in no forum
    if price is not None:
        phase["price"] = price
    free = {"groups": [["A", "B", "C", "D"]], "price": 0}
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000, 50_000, tier=["east"] * 4),
        bodies=[body("ABC")],
        strategies={"s": {kind: {name: phase}, "mandates": [free]}},
        **roads(parameters={"lever_price": 0.006}),
    )
    run = Run(scenario, "s").advance()
    due = run.slot("due")[:, 0]
    meeting = name in ("forum", "community")
    rate = (0.006 * (MEETING_PRICE if meeting else 1)) if price is None else price
    base = due.sum() - (due[C] if name == "forum" else 0)
    expected = 0.0 if name == "government" else 0.5 * rate * base / 4 * 10  # at 10 a head and year
    if name in ("government", "business"):
        expected += (
            0.5
            * run.p[f"{name.replace('government', 'grant')}_strength"]
            * (run.slot("startup").sum() * 10)
        )
    paid = run.state.ledger[PAID, list(LEVERS).index(name)]
    assert paid == pytest.approx(expected)
    assert paid > 0
    block = simulate(scenario.with_(horizon=1), "s")
    columns = {"members": "members", "centre": "centre", "supporter": "supporters", "tier": "tiers"}
    who = columns.get(payer, "supporters")  # whom measures count NGOs and firms with
    for column in columns.values():
        value = measure(block, f"programme_{column}")[0, 0]
        assert value == pytest.approx(paid if column == who else 0)
    borne = figure(block, "programme").sum()
    assert (borne < 0) == (payer == "members")


@pytest.mark.parametrize(("price", "rate"), [(None, 0.006), (0.03, 0.03), (0, 0)])
@pytest.mark.parametrize("payer", PAYERS)
def test_a_mandate_costs_its_price_while_it_binds(payer, price, rate) -> None:
    order = {"groups": [["A", "B", "C"]], "from": 1, "until": 3, "paid_by": payer}
    order |= {} if price is None else {"price": price}
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000, 50_000, tier=["east"] * 4),
        strategies={"s": {"mandates": [order]}},
        **roads(parameters={"lever_price": 0.006}),
    )
    run, found, expected = Run(scenario, "s"), [], []
    for quarter in range(5):
        run.advance()
        found.append(run.state.ledger[PAID, MANDATE])
        due = run.slot("due")[:3, 0].sum() * 10 / 4
        expected.append(rate * due if quarter in (1, 2) else 0)
    assert run.bodies()  # it goes on when nobody is obliged any more
    assert found == pytest.approx(expected)
    columns = {"members": "members", "centre": "centre", "supporter": "supporters", "tier": "tiers"}
    block = simulate(scenario, "s")
    who = columns.get(payer, "supporters")
    for column in columns.values():
        paid = measure(block, f"programme_{column}")[0, :5]
        assert paid == pytest.approx(expected if column == who else 0)


def test_forum_and_voice_cost_where_regions_serve_alone_too() -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000),
        strategies={
            "s": {
                "mechanisms": {"forum": {"intensity": 1.0, "members": "all"}, "team": 1.0},
                "support": {"community": 1.0, "ngo": 1.0},
            }
        },
        **roads(),
    )
    run = Run(scenario, "s").advance()
    alone = (run.slot("people") * run.slot("alone")).sum() * 10 / 4
    paid = dict(zip(LEVERS, run.state.ledger[PAID, : len(LEVERS)], strict=True))
    assert paid["forum"] == pytest.approx(MEETING_PRICE * run.p.lever_price * alone)
    assert paid["community"] == pytest.approx(MEETING_PRICE * run.p.lever_price * alone)
    assert paid["team"] == paid["ngo"] == 0


# For whom -----------------------------------------------------------------------------------------


def offered(targets: object, share: float, **more: object) -> list[str]:
    """Codes of the regions to which government offers a grant in the first quarter."""
    scenario = make_scenario(
        in_a_row(50_000, 20_000, 40_000, 30_000, stress=[0.1, 0.9, 0.5, 0.5]),
        strategies={
            "s": {"support": {"government": {"intensity": 0.6, "targets": targets, "share": share}}}
        },
        **roads(**more),
    )
    run = Run(scenario, "s").advance("start")
    found = run.slot("government")[:, 0]
    assert set(found.tolist()) <= {0.0, 0.6}
    return [scenario.regions.codes[i] for i in np.flatnonzero(found)]


def test_supporters_help_whom_they_target() -> None:
    assert offered("all", 0.3) == ["A", "B", "C", "D"]
    assert offered("smallest", 0.25) == ["B"]
    assert offered("smallest", 0.26) == ["B", "D"]  # a part of a region is a region
    assert offered("smallest", 0.0) == []
    assert offered("poorest", 0.25) == ["B"]
    assert offered("poorest", 0.5) == ["B", "C", "D"]  # who is as poor is as eligible
    assert offered(["D", "A"], 0.3) == ["A", "D"]
    assert offered("smallest", 1.0) == ["A", "B", "C", "D"]


def test_supporters_can_help_the_newest_or_the_best_bodies() -> None:
    bodies = [body("AB", began=-40), body("CD", began=-4)]
    assert offered("newest", 0.5, bodies=bodies) == ["C", "D"]
    assert offered("newest", 1.0, bodies=bodies) == ["A", "B", "C", "D"]
    # A region alone could found the newest of all.
    assert offered("newest", 0.5, bodies=[body("AB", began=-40)]) == ["A", "B", "C", "D"]
    assert offered("best", 1.0, bodies=[body("AB", began=-40)]) == ["A", "B"]
    assert offered("best", 0.3) == []
    # The best is the one whose members gain most: B has the longest way to efficient scale.
    assert offered(
        "best", 0.5, bodies=bodies, efficient_scale=1_000_000, curvature_below=0.3, haul=0,
        parameters={"transition_cost": 0, "quality_value": 0, "practice_cost": 0,
                    "autonomy_cost": 0, "culture_cost": 0, "enforcement_cost": 0},
    ) == ["A", "B"]  # fmt: skip


def test_forums_are_those_of_tiers_or_all_or_lists() -> None:
    rows = in_a_row(50_000, 20_000, 40_000, 30_000, tier=["x", "x", "y", "y"])
    expected = {
        "tiers": [0, 0, 1, 1],
        "all": [0, 0, 0, 0],
        "lists": [NOBODY, 0, 0, NOBODY],
    }
    for members, forums in expected.items():
        given = [["B", "C"]] if members == "lists" else members
        scenario = make_scenario(
            rows,
            strategies={"s": {"mechanisms": {"forum": {"intensity": 1.0, "members": given}}}},
            **roads(),
        )
        assert Run(scenario, "s").region("forum").tolist() == forums


def test_a_forum_counts_for_a_body_by_the_pairs_inside_one() -> None:
    costs = {}
    parameters = {
        "information_cost": 0.03, "negotiation_cost": 0, "practice_cost": 0, "culture_cost": 0,
        "forum_strength": 0.25,
    }  # fmt: skip
    for name, members in {
        "none": [["A", "D"]], "pair": [["A", "B"]], "pairs": [["A", "B"], ["C", "D"]], "all": "all",
    }.items():  # fmt: skip
        scenario = make_scenario(
            in_a_row(40_000, 30_000, 20_000, 50_000),
            bodies=[body("ABC")],
            strategies={"s": {"mechanisms": {"forum": {"intensity": 1.0, "members": members}}}},
            **roads(parameters=parameters),
        )
        run = Run(scenario, "s").advance()
        costs[name] = run.slot("load")[A, 0]
    assert costs["none"] == pytest.approx(0.03)
    assert costs["pair"] == costs["pairs"] == pytest.approx(0.03 * (1 - 0.25 / 3))
    assert costs["all"] == pytest.approx(0.03 * 0.75)


# Budgets ------------------------------------------------------------------------------------------


def budget_run(name: str, budget: float | None, **more: object) -> Run:
    phase = {"intensity": 1.0} | ({} if budget is None else {"budget": budget})
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000, 50_000),
        strategies={
            "s": {
                "support": {name: phase},
                "mandates": [{"groups": [["A", "B"], ["C", "D"]], "from": 1}],
            }
        },
        **roads(parameters={"grant_strength": 0.5}, **more),
    )
    return Run(scenario, "s").advance(quarters=2)


def test_a_budget_for_grants_is_shared_pro_rata() -> None:
    free = budget_run("government", None)
    asked = free.state.ledger[PAID, GOVERNMENT]
    tight = budget_run("government", 4 * asked * 0.4)
    assert tight.state.ledger[PAID, GOVERNMENT] == pytest.approx(0.4 * asked)
    assert tight.slot("granted") == pytest.approx(0.4 * free.slot("granted"))
    assert tight.slot("startup") == pytest.approx(free.slot("startup"))
    # From then on, regions expect the part that was paid.
    assert tight.advance("start").slot("government") == pytest.approx(0.4)
    # Asked for that part, the budget pays all of it: they go on expecting it, and no more.
    s = tight.state
    s.region["entering"], s.slot["startup"], s.slot["granted"] = 1, 1.0, 0.0
    s.slot["granted"][0, 0] = 0.4 * asked / s.area["cost_per_resident"][0]
    host_entry(fund)(s, tight.policy, tight.p, tight.quarter)
    assert s.ledger[PAID, GOVERNMENT] == pytest.approx(0.4 * asked)
    assert s.ledger[RATION, GOVERNMENT] == pytest.approx(0.4)
    # A budget that is ample changes nothing.
    ample = budget_run("government", 4 * asked * 1.001)
    assert (ample.slot("granted") == free.slot("granted")).all()


def test_a_budget_for_mediation_is_shared_pro_rata_over_joint_cost() -> None:
    free = budget_run("ngo", None).advance()
    spent = free.state.ledger[PAID, NGO]
    tight = budget_run("ngo", 4 * spent * 0.5).advance()
    assert tight.state.ledger[PAID, NGO] <= 4 * spent * 0.5 / 4 * (1 + 1e-12)
    assert tight.slot("ngo") == pytest.approx(0.5, abs=0.01)
    assert len(set(tight.slot("ngo").ravel().tolist())) == 1


def test_co_finance_takes_what_running_support_leaves() -> None:
    free = budget_run("business", None)
    running = free.p.lever_price * free.slot("due").sum() * 10 / 4
    startups = (free.slot("cofinanced") * 10).sum()
    assert free.state.ledger[PAID, BUSINESS] == pytest.approx(running + startups)
    tight = budget_run("business", 4 * (running + 0.5 * startups))
    paid = tight.state.ledger[PAID, BUSINESS]
    assert paid == pytest.approx(running + 0.5 * startups, rel=0.05)
    assert paid <= running + 0.5 * startups + 1e-9
