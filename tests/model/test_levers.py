"""What each lever, institution and change does, and when and for whom."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kolabsim.model.interventions import fund
from kolabsim.model.jit import host_entry
from kolabsim.model.levers import BUSINESS, FORMS, GOVERNMENT, LEVERS, MECHANISMS, NGO, SUPPORTERS
from kolabsim.model.state import NOBODY, PAID, RATION
from kolabsim.scenario.scenario import Scenario
from tests.builders import Run, figure, make_scenario, measure, region_rows, simulate

STILL = {"attention_base": -20, "exit_base": 0}
"""Nobody turns to an area, and nobody leaves: what a test sets stays."""
A, B, C, D = range(4)


def four(*populations: int, **more: list[object]) -> list[dict[str, object]]:
    """Regions A, B, C, ... side by side, 10 km apart."""
    return [
        {"code": "ABCDEFGH"[i], "population": people, "latitude": 0, "longitude": 0.09 * i}
        | {name: values[i] for name, values in more.items()}
        for i, people in enumerate(populations)
    ]


def body(*members: str, **more: object) -> dict[str, object]:
    return {"area": "roads", "members": list(members)} | more


def roads(**more: object) -> dict[str, object]:
    """The only area, in a scenario whose regions do nothing of themselves."""
    parameters = STILL | more.pop("parameters", {})
    attributes = {
        key: more.pop(key) for key in ("spillover", "haul", "efficient_scale", "curvature_below",
                                       "curvature_above", "difficulty") if key in more
    }  # fmt: skip
    return {"areas": {"roads": attributes}, "parameters": parameters} | more


def open_talks(run: Run, i: int, j: int) -> None:
    """Let region i have opened a negotiation with region j in the quarter before."""
    contact = run.state.contact
    found = [
        c
        for c in range(run.state.region[i].first, run.state.region[i].end)
        if contact[c].target == j
    ]
    run.state.slot["contact"][i, 0] = found[0]
    run.state.slot["opened"][i, 0] = run.quarter - 1


# More of it lowers its term -----------------------------------------------------------------------


def with_lever(name: str, intensity: float, **more: object) -> Scenario:
    kind = "mechanisms" if name in MECHANISMS else "support"
    phase: dict[str, object] = {"intensity": intensity}
    if name == "forum":
        phase["members"] = "all"
    return make_scenario(
        four(40_000, 30_000, 20_000, 50_000),
        bodies=[body("A", "B", "C")],
        strategies={"s": {kind: {name: phase}}},
        **roads(**more),
    )


def produced(scenario: Scenario) -> Run:
    """The first quarter, in which everybody keeps its promises."""
    run = Run(scenario, "s").advance("coordinate")
    run.state.slot["kept"] = 1
    return run.advance("produce")


@pytest.mark.parametrize("name", [*MECHANISMS, "ngo"])
@pytest.mark.parametrize("form", FORMS)
def test_more_of_a_mechanism_or_mediation_makes_coordination_cheaper(name: str, form: str) -> None:
    costs = [
        -produced(with_lever(name, x, form=form)).slot("coordination")[:3, 0]
        for x in (0.0, 0.3, 0.7, 1.0)
    ]
    assert (np.diff(costs, axis=0) < 0).all()


@pytest.mark.parametrize("name", ["forum", "information", "business"])
def test_more_of_it_pools_more_capacity(name: str) -> None:
    # In the rest of their effects these levers are the same for quality: only conduct differs.
    quality = [produced(with_lever(name, x)).slot("quality")[:3, 0] for x in (0.0, 0.5, 1.0)]
    assert (np.diff(quality, axis=0) > 0).all()


@pytest.mark.parametrize("name", ["forum", "team", "ngo"])
def test_more_of_it_builds_more_trust(name: str) -> None:
    runs = [Run(with_lever(name, x), "s").advance("communicate") for x in (0.0, 0.5, 1.0)]
    inside = [pair for pair in runs[0].trust() if D not in pair]
    trust = [[run.trust()[pair] for pair in inside] for run in runs]
    assert (np.diff(trust, axis=0) > 0).all()


@pytest.mark.parametrize("name", ["monitoring", "community", "information"])
def test_more_of_it_keeps_more_promises(name: str) -> None:
    """Common draws: whoever keeps its promises keeps them with more of the lever too."""
    kept = []
    for x in (0.0, 0.5, 1.0):
        scenario = with_lever(name, x, parameters={"honour_base": 0.5})
        runs = [Run(scenario, "s", run=run).advance("coordinate") for run in range(60)]
        kept.append([run.slot("kept")[:3, 0] for run in runs])
    assert (np.diff(kept, axis=0) >= 0).all()
    assert np.mean(kept[2]) > np.mean(kept[0]) + 0.02


@pytest.mark.parametrize("name", ["planning", "team", "ngo"])
def test_more_of_it_concludes_more_negotiations(name: str) -> None:
    found = []
    for x in (0.0, 0.5, 1.0):
        scenario = with_lever(name, x)
        number = 0
        for k in range(80):
            run = Run(scenario, "s", run=k)
            open_talks(run, D, C)
            number += run.advance("plan").slot("order")[D, 0] >= 0
        found.append(number)
    assert found[0] < found[1] < found[2]


@pytest.mark.parametrize("name", ["government", "forum"])
def test_more_of_it_turns_more_attention_to_sharing(name: str) -> None:
    more = {"parameters": {"attention_base": -2.5, "notice": 1.0, "misperception": 0.0}}
    opened = [
        measure(simulate(with_lever(name, x, horizon=1, **more), "s", runs=300), "opened").sum()
        for x in (0.0, 0.5, 1.0)
    ]
    assert opened[0] < opened[1] < opened[2]


def test_grants_and_co_finance_pay_for_start_ups() -> None:
    for name, column in (("government", "granted"), ("business", "cofinanced")):
        scenario = make_scenario(
            four(40_000, 30_000, 20_000),
            strategies={
                "s": {"support": {name: 0.6}, "mandates": [{"groups": [["A", "B"]]}]},
            },
            **roads(),
        )
        run = Run(scenario, "s").advance("produce")
        due = run.slot("startup")[:2, 0]
        assert (due > 0).all()
        assert run.slot(column)[:2, 0] == pytest.approx(0.3 * due)
        alone = run.slot("people") * run.slot("alone")
        assert run.slot("entry")[:2, 0] == pytest.approx(-4 * 0.7 * due / alone[:2, 0])


def test_grants_and_co_finance_together_pay_at_most_the_whole() -> None:
    scenario = make_scenario(
        four(40_000, 30_000),
        strategies={
            "s": {
                "support": {"government": 1.0, "business": 1.0},
                "mandates": [{"groups": [["A", "B"]]}],
            }
        },
        **roads(parameters={"grant_share": 0.9, "cofinance_share": 0.3}),
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
        four(50_000, 20_000, 40_000, 30_000),
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
        four(40_000, 30_000, 20_000),
        bodies=[body("A", "B")],
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


# What it costs, and who pays ----------------------------------------------------------------------


@pytest.mark.parametrize("name", [*LEVERS])
@pytest.mark.parametrize("payer", ["members", "centre", "supporter"])
def test_each_lever_costs_its_price_and_its_payer_pays(name: str, payer: str) -> None:
    kind = "mechanisms" if name in MECHANISMS else "support"
    phase: dict[str, object] = {"intensity": 0.5, "paid_by": payer}
    if name == "forum":
        phase["members"] = [["A", "B", "D"]]  # C is in no forum
    scenario = make_scenario(
        four(40_000, 30_000, 20_000, 50_000),
        bodies=[body("A", "B", "C")],
        strategies={"s": {kind: {name: phase}, "mandates": [{"groups": [["A", "B", "C", "D"]]}]}},
        **roads(),
    )
    run = Run(scenario, "s").advance()
    due = run.slot("due")[:, 0]
    rate = {
        "forum": 0.002, "planning": 0.005, "team": 0.01, "information": 0.02, "monitoring": 0.005,
        "ngo": 0.005, "business": 0.005, "community": 0.001, "government": 0.0,
    }[name]  # fmt: skip
    base = due.sum() - (due[C] if name == "forum" else 0)
    expected = 0.5 * rate * base / 4 * 10  # a quarter of a year, at 10 a head
    if name in ("government", "business"):
        expected += 0.5 * 0.5 * run.slot("startup").sum() * 10
    paid = run.state.ledger[PAID, list(LEVERS).index(name)]
    assert paid == pytest.approx(expected)
    assert paid > 0
    block = simulate(scenario.with_(horizon=1), "s")
    for column in ("members", "centre", "supporters"):
        value = measure(block, f"programme_{column}")[0, 0]
        assert value == pytest.approx(paid if column.startswith(payer) else 0)
    borne = figure(block, "programme").sum()
    assert (borne < 0) == (payer == "members")


def test_forum_and_voice_cost_where_regions_serve_alone_too() -> None:
    scenario = make_scenario(
        four(40_000, 30_000),
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
    assert paid["forum"] == pytest.approx(0.002 * alone)
    assert paid["community"] == pytest.approx(0.001 * alone)
    assert paid["team"] == paid["ngo"] == 0


# For whom -----------------------------------------------------------------------------------------


def offered(targets: object, share: float, **more: object) -> list[str]:
    """Codes of the regions to which government offers a grant in the first quarter."""
    scenario = make_scenario(
        four(50_000, 20_000, 40_000, 30_000, stress=[0.1, 0.9, 0.5, 0.5]),
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
    bodies = [body("A", "B", began=-40), body("C", "D", began=-4)]
    assert offered("newest", 0.5, bodies=bodies) == ["C", "D"]
    assert offered("newest", 1.0, bodies=bodies) == ["A", "B", "C", "D"]
    # A region alone could found the newest of all.
    assert offered("newest", 0.5, bodies=[body("A", "B", began=-40)]) == ["A", "B", "C", "D"]
    assert offered("best", 1.0, bodies=[body("A", "B", began=-40)]) == ["A", "B"]
    assert offered("best", 0.3) == []
    # The best is the one whose members gain most: B has the longest way to efficient scale.
    assert offered(
        "best", 0.5, bodies=bodies, efficient_scale=1_000_000, curvature_below=0.3, haul=0,
        parameters={"trust_spread": 0, "trust_culture": 0, "transition_cost": 0, "pooling": 0,
                    "quality_value": 0, "autonomy_cost": 0, "culture_weight": 0},
    ) == ["A", "B"]  # fmt: skip


def test_forums_are_those_of_tiers_or_all_or_lists() -> None:
    rows = four(50_000, 20_000, 40_000, 30_000, tier=["x", "x", "y", "y"])
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
        "negotiation_cost": 0, "enforcement_cost": 0, "overhead_cost": 0, "culture_weight": 0,
    }  # fmt: skip
    for name, members in {
        "none": [["A", "D"]], "pair": [["A", "B"]], "pairs": [["A", "B"], ["C", "D"]], "all": "all",
    }.items():  # fmt: skip
        scenario = make_scenario(
            four(40_000, 30_000, 20_000, 50_000),
            bodies=[body("A", "B", "C")],
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
        four(40_000, 30_000, 20_000, 50_000),
        strategies={
            "s": {
                "support": {name: phase},
                "mandates": [{"groups": [["A", "B"], ["C", "D"]], "from": 1}],
            }
        },
        **roads(**more),
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
    running = 0.005 * free.slot("due").sum() * 10 / 4
    startups = (free.slot("cofinanced") * 10).sum()
    assert free.state.ledger[PAID, BUSINESS] == pytest.approx(running + startups)
    tight = budget_run("business", 4 * (running + 0.5 * startups))
    paid = tight.state.ledger[PAID, BUSINESS]
    assert paid == pytest.approx(running + 0.5 * startups, rel=0.05)
    assert paid <= running + 0.5 * startups + 1e-9


# Mandates -----------------------------------------------------------------------------------------


def mandate_run(bodies: list[dict[str, object]], group: str, **more: object) -> Run:
    scenario = make_scenario(
        four(40_000, 30_000, 20_000, 50_000, 10_000, 15_000),
        bodies=bodies,
        strategies={"s": {"mandates": [{"groups": [list(group)], "from": 2, "until": 6}]}},
        **roads(**more),
    )
    return Run(scenario, "s").advance(quarters=3)


def test_a_mandate_unites_regions_that_were_alone() -> None:
    run = mandate_run([], "ACD")
    assert list(run.bodies().values()) == [[A, C, D]]
    assert (run.slot("entered")[[A, C, D], 0] == 2).all()
    assert (run.slot("startup")[:, 0] > 0).tolist() == [True, False, True, True, False, False]
    assert run.slot("bound_until")[:, 0].tolist() == [6, 0, 6, 6, 0, 0]
    # Start-up is .13 (1 + f) of one's own part of the first year.
    due, stress = run.slot("due")[:, 0], run.region("stress")
    rate = run.slot("startup")[[A, C, D], 0] / due[[A, C, D]] / (1 + stress[[A, C, D]])
    # The first year was reckoned with the conduct that reputations promise: here all the same.
    assert rate == pytest.approx(0.13)


def test_under_a_mandate_members_first_leave_other_bodies() -> None:
    """B is left alone, and E and F, whom nobody obliges, go on without D."""
    run = mandate_run([body("A", "B", began=-20), body("D", "E", "F", began=-20)], "ACD")
    assert sorted(run.bodies().values()) == [[A, C, D], [4, 5]]
    assert run.slot("body")[B, 0] == NOBODY
    assert run.state.moment[0].left == 3  # A's, B's and D's
    assert (run.slot("startup")[[A, C, D], 0] > 0).all()


def test_under_a_mandate_a_body_without_others_goes_on() -> None:
    """{B, C} is in the group, and so is {D, E}, which has more people: it goes on, at its age."""
    run = mandate_run([body("B", "C", began=-20), body("D", "E", began=-8, form="lead")], "BCDE")
    assert list(run.bodies().values()) == [[B, C, D, 4]]
    place = int(run.slot("body")[B, 0])
    assert run.state.body["began"][place] == -8
    assert FORMS[run.state.body["form"][place]] == "lead"
    assert (run.slot("startup")[:, 0] > 0).tolist() == [False, True, True, False, False, False]
    assert run.slot("entered")[[B, C, D, 4], 0].tolist() == [2, 2, -8, -8]
    assert run.slot("bound_until")[[B, C, D, 4], 0].tolist() == [6] * 4


def test_who_is_in_the_body_that_goes_on_pays_nothing_for_it() -> None:
    """Even if the body began in the quarter in which the mandate does."""
    scenario = make_scenario(
        four(40_000, 30_000, 20_000),
        bodies=[body("A", "B", began=0)],
        **roads(mandates=[{"groups": [["A", "B", "C"]]}]),
    )
    run = Run(scenario).advance("form_agreements")
    assert list(run.bodies().values()) == [[A, B, C]]
    assert (run.slot("startup")[:3, 0] > 0).tolist() == [False, False, True]


def test_under_a_mandate_goodwill_and_commitment_are_less() -> None:
    duty = mandate_run([], "ACD")
    free = mandate_run([body("A", "C", "D", began=-2)], "BE")
    for run in (duty, free):
        run.state.region["commitment"] = 0.6
        run.advance("produce")
        run.state.slot["realised"] = 0.1
        run.state.region["aspiration"] = 0.1
        run.advance()
    goal = 1 / (1 + math.exp(-0.405))
    step = 1 - 0.8**0.25
    assert free.region("commitment")[A] == pytest.approx(0.6 + step * (goal - 0.6))
    assert duty.region("commitment")[A] == pytest.approx(0.6 + step * (0.7 * goal - 0.6))


def test_a_mandated_body_that_exists_binds_its_members_for_good() -> None:
    parameters = {"exit_base": 50.0, "first_term": 0.0}
    left = {}
    for mandated in (True, False):
        scenario = make_scenario(
            four(40_000, 30_000, 20_000),
            bodies=[body("A", "B", "C", mandated=mandated)],
            **roads(parameters=parameters),
        )
        left[mandated] = Run(scenario).advance(quarters=12).bodies()
    assert list(left[True].values()) == [[A, B, C]]
    assert left[False] == {}


# Votes --------------------------------------------------------------------------------------------

FLAT = {
    "curvature_below": 0.0, "curvature_above": 0.0, "haul": 0, "spillover": 0.5,
    "parameters": {
        "information_cost": 0, "negotiation_cost": 0, "enforcement_cost": 0, "overhead_cost": 0,
        "transition_cost": 0, "startup_cost": 0, "quality_value": 0, "misperception": 0,
        "conclude": 1, "conclude_interests": 0,
    },
}  # fmt: skip
"""Nothing to gain but from neighbours, and a little autonomy to lose."""


def vote(
    neighbours: str,
    *,
    consent: str,
    populations: tuple[int, ...] = (50_000, 25_000, 25_000, 30_000),
    opener: int = D,
    members: str = "ABC",
) -> Run:
    """D wants to unite with the body of A, B and C; those who border D gain from it."""
    contacts = [(code, "D", code in neighbours, 10) for code in "ABC"]
    contacts += [("A", "B", "no", 10), ("B", "C", "no", 10)]
    scenario = make_scenario(
        four(*populations), contacts=contacts, consent=consent,
        bodies=[body(*members)] if len(members) > 1 else [], **roads(**FLAT),
    )  # fmt: skip
    run = Run(scenario)
    run.state.region["autonomy"], run.state.region["goodwill"] = 1.0, 0.0
    open_talks(run, opener, D if opener != D else A)
    return run.advance()


@pytest.mark.parametrize(
    ("neighbours", "people", "passes"),
    [
        ("A", 50, ""),  # half is not more than half
        ("BC", 50, ""),
        ("AB", 75, "majority three_quarters"),  # three quarters are at least three quarters
        ("ABC", 100, "majority three_quarters unanimity"),
    ],
)
@pytest.mark.parametrize("consent", ["majority", "three_quarters", "unanimity", "open"])
def test_a_party_agrees_if_enough_of_its_people_gain(neighbours, people, passes, consent) -> None:
    run = vote(neighbours, consent=consent)
    agreed = consent == "open" or consent in passes.split()
    assert len(next(iter(run.bodies().values()))) == (4 if agreed else 3)
    now = run.state.moment[0]
    assert (now.concluded, now.refused) == (agreed, not agreed)
    assert run.slot("contact")[D, 0] == NOBODY


def test_governments_vote_with_the_people_they_govern() -> None:
    big = (60_000, 20_000, 20_000, 30_000)
    assert len(vote("A", consent="majority", populations=big).bodies()[0]) == 4
    assert len(vote("BC", consent="majority", populations=big).bodies()[0]) == 3


def test_under_open_consent_only_the_party_that_asks_votes() -> None:
    # D has no neighbour among them, would lose a little autonomy, and so does not agree itself.
    assert vote("", consent="open").state.moment[0].refused == 1
    # A body that asks D votes itself: of A, B and C, only A gains.
    assert vote("A", consent="open", opener=A).state.moment[0].refused == 1
    assert vote("ABC", consent="open", opener=A).state.moment[0].concluded == 1


def test_a_lone_opener_is_its_whole_party() -> None:
    run = vote("A", consent="unanimity", members="A")
    assert list(run.bodies().values()) == [[A, D]]


def test_what_others_gain_moves_who_has_goodwill() -> None:
    """B and C lose a little; with goodwill, what A gains from D moves them to agree."""
    contacts = [("A", "D", "yes", 10), ("B", "D", "no", 10), ("C", "D", "no", 10)]
    scenario = make_scenario(
        four(50_000, 25_000, 25_000, 30_000), contacts=contacts, consent="unanimity",
        bodies=[body("A", "B", "C")], **roads(**FLAT),
    )  # fmt: skip
    for goodwill, size in ((0.0, 3), (0.5, 4)):
        run = Run(scenario)
        run.state.region["autonomy"], run.state.region["goodwill"] = 1.0, goodwill
        open_talks(run, D, A)
        assert len(run.advance().bodies()[0]) == size


def test_goodwill_counts_what_others_gain_and_not_what_one_gains_oneself() -> None:
    """A opens for {A, B, C}, to which D is a neighbour of B alone.

    A has no part in what B and D gain but by its goodwill. That they are neighbours A cannot know
    when it looks, but at the vote they do.
    """
    contacts = [("A", "D", "no", 10), ("B", "D", "yes", 10), ("A", "B", "no", 10),
                ("A", "C", "no", 10)]  # fmt: skip
    scenario = make_scenario(
        four(50_000, 25_000, 25_000, 30_000), contacts=contacts, consent="unanimity",
        bodies=[body("A", "B", "C")], **roads(**FLAT),
    )  # fmt: skip
    run = Run(scenario)
    run.state.region["autonomy"] = 1.0
    # Only B and D gain, half of their cost each; A and C see a third of that, times their
    # goodwill, against a loss of autonomy below .02.
    run.state.region["goodwill"] = [0.1, 0.0, 0.1, 0.0]
    open_talks(run, A, D)
    assert run.advance().state.moment[0].concluded == 1


# Who joins whom -----------------------------------------------------------------------------------


def merger(populations: tuple[int, ...], bodies: list[dict[str, object]], opener: int, asked: int):
    scenario = make_scenario(
        four(*populations), nearest=5, consent="open", bodies=bodies,
        **roads(parameters={"conclude": 1, "conclude_interests": 0, "misperception": 0,
                            "trust_spread": 0, "quality_value": 0},
                efficient_scale=10_000_000, curvature_below=0.3, haul=0),
    )  # fmt: skip
    run = Run(scenario)
    run.advance()  # a quarter in which nothing happens
    open_talks(run, opener, asked)
    run.advance()
    assert run.state.moment[0].concluded == 1
    assert len(run.bodies()) == 1
    return run


@pytest.mark.parametrize(("opener", "asked"), [(A, C), (C, A)])
def test_of_two_bodies_the_one_with_more_people_goes_on(opener: int, asked: int) -> None:
    bodies = [body("A", "B", began=-20, form="contract"), body("C", "D", began=-4, form="lead")]
    run = merger((40_000, 30_000, 50_000, 40_000), bodies, opener, asked)
    place = int(run.slot("body")[A, 0])
    assert run.bodies()[place] == [A, B, C, D]
    assert run.state.body["began"][place] == -4
    assert FORMS[run.state.body["form"][place]] == "lead"
    # The members of the other enter, pay start-up, and begin a term.
    assert (run.slot("startup")[:, 0] > 0).tolist() == [True, True, False, False]
    assert run.slot("entered")[:, 0].tolist() == [1, 1, -4, -4]


@pytest.mark.parametrize(("opener", "asked"), [(C, A), (A, C)])
def test_a_region_that_joins_a_larger_body_enters_and_pays(opener: int, asked: int) -> None:
    run = merger((40_000, 30_000, 50_000), [body("A", "B", began=-20)], opener, asked)
    assert (run.slot("startup")[:, 0] > 0).tolist() == [False, False, True]
    assert run.state.body["began"][run.slot("body")[A, 0]] == -20
    assert run.slot("entered")[:, 0].tolist() == [-20, -20, 1]


@pytest.mark.parametrize(("opener", "asked"), [(C, A), (A, C)])
def test_a_small_body_that_takes_in_a_large_region_pays(opener: int, asked: int) -> None:
    """The party with fewer people enters; a body that exists already keeps its age all the same."""
    run = merger((40_000, 30_000, 90_000), [body("A", "B", began=-20)], opener, asked)
    assert (run.slot("startup")[:, 0] > 0).tolist() == [True, True, False]
    assert run.state.body["began"][run.slot("body")[A, 0]] == -20


def test_at_a_founding_both_pay() -> None:
    run = merger((40_000, 30_000), [], A, B)
    assert (run.slot("startup")[:, 0] > 0).all()
    assert run.state.body["began"][run.slot("body")[A, 0]] == 1


def test_a_new_body_has_the_form_of_the_scenario() -> None:
    for form in FORMS:
        scenario = make_scenario(
            four(40_000, 30_000),
            form=form,
            strategies={"s": {"mandates": [{"groups": [["A", "B"]]}]}},
            **roads(),
        )
        run = Run(scenario, "s").advance()
        assert FORMS[run.state.body["form"][run.slot("body")[A, 0]]] == form


def test_forms_differ_in_overhead_and_in_what_partners_cost() -> None:
    parameters = {
        "information_cost": 0, "enforcement_cost": 0, "interest_weight": 0, "transition_cost": 0,
    }  # fmt: skip
    expected = {
        "contract": 0.012 * 3**1.2,
        "board": 0.012 * 3**1.0 + 0.01,
        "lead": 0.012 * 3**0.6 + 0.01,
    }
    for form, cost in expected.items():
        scenario = make_scenario(
            four(40_000, 30_000, 20_000, 10_000),
            bodies=[body("A", "B", "C", "D", form=form)],
            **roads(parameters=parameters, curvature_below=0, curvature_above=0, haul=0),
        )
        run = Run(scenario).advance()
        assert run.slot("coordination")[:, 0] == pytest.approx(-cost)


def test_no_body_grows_beyond_the_cap() -> None:
    for cap in (2, 3, 5):
        scenario = make_scenario(
            region_rows(12),
            cap=cap,
            nearest=11,
            parameters={"attention_base": 3, "notice": 1, "conclude": 1, "autonomy_cost": 0},
            areas={"roads": {"efficient_scale": 5_000_000, "curvature_below": 0.3, "haul": 0}},
        )
        assert measure(simulate(scenario, runs=5), "largest_body").max() == cap


def test_a_negotiation_lapses_when_the_union_would_be_too_large() -> None:
    scenario = make_scenario(
        four(40_000, 30_000, 20_000, 10_000), nearest=3, cap=3, bodies=[body("A", "B", "C")],
        **roads(parameters={"conclude": 1}),
    )  # fmt: skip
    run = Run(scenario)
    open_talks(run, D, C)
    run.advance("plan")
    assert run.slot("contact")[D, 0] == NOBODY
    assert run.advance().state.moment[0].refused == 0


def test_a_negotiation_lapses_when_both_are_in_one_body() -> None:
    scenario = make_scenario(
        four(40_000, 30_000, 20_000), nearest=3, bodies=[body("A", "B", "C")], **roads()
    )
    run = Run(scenario)
    open_talks(run, B, C)
    assert run.advance("plan").slot("contact")[B, 0] == NOBODY


def test_a_negotiation_concludes_from_the_next_quarter_on() -> None:
    scenario = make_scenario(
        six := four(*[30_000] * 6),
        nearest=5,
        horizon=3,
        parameters={"attention_base": 20, "notice": 1, "conclude": 1, "conclude_interests": 0},
        areas={"roads": {"efficient_scale": 5_000_000, "curvature_below": 0.3, "haul": 0}},
    )
    block = simulate(scenario, runs=20)
    assert len(six) == 6
    assert measure(block, "opened")[:, 0].min() > 0
    assert measure(block, "agreements")[:, 0].max() == 0
    assert measure(block, "agreements")[:, 1].min() > 0
    assert np.nanmin(measure(block, "decision_time")) == 1


# Terms --------------------------------------------------------------------------------------------


def test_nobody_leaves_in_a_first_term() -> None:
    """A body of one year; a term of three years; and then a hazard that nobody survives."""
    scenario = make_scenario(
        four(40_000, 30_000, 20_000),
        bodies=[body("A", "B", "C", began=-4)],
        **roads(parameters={"exit_base": 1000.0, "first_term": 3.0}),
    )
    run = Run(scenario)
    for quarter in range(10):
        run.advance()
        assert len(run.bodies()) == (1 if quarter < 8 else 0)


def test_members_of_a_body_that_exists_know_it_when_they_first_think_of_leaving() -> None:
    """Before, they left in the first quarter as if nobody trusted anybody in it."""
    scenario = make_scenario(
        four(40_000, 30_000, 20_000), bodies=[body("A", "B", "C", began=-40)], **roads()
    )
    run = Run(scenario)
    load, trust, realised = (run.slot(name)[:, 0] for name in ("load", "body_trust", "realised"))
    run.advance()
    run.state.slot["kept"] = 1
    assert load == pytest.approx(run.slot("load")[:, 0], rel=1e-6)
    assert trust == pytest.approx(run.slot("body_trust")[:, 0], rel=1e-6)
    assert realised == pytest.approx(run.slot("judged")[:, 0], rel=1e-2)
    assert (trust > 0).all()


# Shares -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "shares"),
    [
        ("population", [0.25, 0.75]),
        ("equal", [0.5, 0.5]),
        ("ability", [5 / 32, 27 / 32]),  # 10,000 x .5 and 30,000 x .9
        # exp(.1 ln(.1)^2) = 1.6993, exp(.1 ln(.3)^2) = 1.1560: 16,993 and 34,680
        ("benefit", [0.32886, 0.67114]),
    ],
)
def test_each_rule_shares_the_cost_in_its_way(rule: str, shares: list[float]) -> None:
    scenario = make_scenario(
        four(10_000, 30_000, stress=[0.5, 0.1]), shares=rule, bodies=[body("A", "B")],
        **roads(efficient_scale=100_000, curvature_below=0.2),
    )  # fmt: skip
    due = Run(scenario).advance().slot("due")[:, 0]
    assert due / due.sum() == pytest.approx(shares, abs=1e-5)


# Changes ------------------------------------------------------------------------------------------


def test_populations_grow_and_stay_grown() -> None:
    scenario = make_scenario(
        four(40_000, 30_000),
        changes=[
            {"what": "population", "growth": 0.1, "from": 2, "until": 6},
            {"what": "population", "factor": 2.0, "from": 4, "until": 5, "regions": ["B"]},
        ],
        **roads(),
    )
    run, found = Run(scenario), []
    for _quarter in range(8):
        found.append(run.advance().region("population"))
    year = 1.1**0.25
    growth = [1, 1, 1, year, year**2, year**3, year**4, year**4]
    assert np.array(found)[:, A] == pytest.approx(40_000 * np.array(growth))
    once = np.where(np.arange(8) == 4, 2, 1)
    assert np.array(found)[:, B] == pytest.approx(30_000 * np.array(growth) * once)


def test_stress_is_added_and_stays_a_share() -> None:
    scenario = make_scenario(
        four(40_000, 30_000, stress=[0.2, 0.9]),
        changes=[{"what": "stress", "add": 0.3, "from": 1, "until": 3}],
        **roads(),
    )
    run = Run(scenario)
    found = [run.advance().region("stress").tolist() for _quarter in range(4)]
    assert found == [pytest.approx(x) for x in ([0.2, 0.9], [0.5, 1.0], [0.5, 1.0], [0.2, 0.9])]


def test_demand_multiplies_who_is_served_and_strains_quality() -> None:
    scenario = make_scenario(
        four(40_000, 30_000, 20_000, capacity=[0.8, 0.8, 0.8]),
        bodies=[body("A", "B")],
        changes=[{"what": "demand", "factor": 1.44, "from": 1, "until": 2}],
        **roads(parameters={"transition_cost": 0}),
    )
    run = Run(scenario)
    people, quality = [], []
    for _quarter in range(3):
        run.advance("coordinate")
        run.state.slot["kept"] = 1
        run.advance()
        people.append(run.slot("people")[:, 0])
        quality.append(run.slot("quality")[:, 0])
    normal = np.array([40_000, 30_000, 20_000])
    assert np.array(people) == pytest.approx(np.array([normal, 1.44 * normal, normal]))
    assert np.array(quality) == pytest.approx(0.8 * np.array([[1] * 3, [1 / 1.2] * 3, [1] * 3]))
    assert run.region("population").tolist() == normal.tolist()


# Shocks to trust, and elections -------------------------------------------------------------------


def shaken(*changes: dict[str, object], **parameters: float) -> Run:
    """A in touch with B, and C with D and B, all with trust .8 that began at .5."""
    scenario = make_scenario(
        four(40_000, 50_000, 60_000, 70_000),
        contacts=[("A", "B"), ("B", "C"), ("C", "D")],
        **roads(changes=list(changes), parameters={"commitment_start": 0.6} | parameters),
    )
    run = Run(scenario)
    run.state.contact["trust"], run.state.contact["trust_start"] = 0.8, 0.5
    run.state.region["commitment"] = 0.2
    return run


def test_a_shock_lowers_trust_in_and_of_a_region_once() -> None:
    run = shaken({"what": "trust", "factor": 0.75, "from": 1, "regions": ["A", "B"]})
    run.advance("identify")
    assert set(run.trust().values()) == {0.8}
    run.advance("evaluate")
    before = run.trust()
    run.advance("identify")  # .75 of what it was, and between A and B once, though both are struck
    for pair, trust in before.items():
        factor = 1 if pair in {(C, D), (D, C)} else 0.75
        assert run.trust()[pair] == pytest.approx(factor * trust, abs=1e-15)
    run.advance("evaluate")
    after = run.trust()
    run.advance("identify")
    assert run.trust() == after


def test_an_election_resets_part_of_trust_and_of_commitment() -> None:
    run = shaken({"what": "election", "reset": 0.3, "regions": ["A"]})
    run.state.contact["damage"][0] = 0.9  # of A in B: what can be had is .1
    run.advance("identify")
    assert run.trust() == pytest.approx({
        (A, B): 0.8 + 0.3 * (0.1 - 0.8), (B, A): 0.8 + 0.3 * (0.5 - 0.8),
        (B, C): 0.8, (C, B): 0.8, (C, D): 0.8, (D, C): 0.8,
    })  # fmt: skip
    assert run.region("commitment") == pytest.approx([0.2 + 0.3 * (0.6 - 0.2), 0.2, 0.2, 0.2])


def test_elections_come_again_until_they_end_and_happen_in_order() -> None:
    run = shaken(
        {"what": "election", "reset": 1, "every": 3, "from": 2, "until": 8, "regions": ["A"]},
        {"what": "trust", "factor": 0.5, "from": 5, "regions": ["B"]},
    )
    voted = []
    for quarter in range(12):
        run.state.contact["trust"] = 0.8
        run.advance("identify")
        if run.trust()[A, B] == pytest.approx(0.5 if quarter < 5 else 0.25):
            voted.append(quarter)
        run.advance("evaluate")
    assert voted == [2, 5]


def test_an_election_every_five_years_if_nothing_is_said() -> None:
    scenario = make_scenario(4, horizon=48, changes=[{"what": "election", "reset": 0.2, "from": 6}])
    (election,) = scenario.changes
    assert (election.every, election.until) == (20, 48)


def test_an_election_that_resets_nothing_changes_nothing() -> None:
    changes = [{"what": "election", "reset": 0, "every": 1}, {"what": "trust", "factor": 1}]
    plain = make_scenario(6, horizon=16)
    for name in ("voluntary", "full_package"):
        one = simulate(plain, name, runs=3)
        other = simulate(plain.with_({"changes": changes}), name, runs=3)
        np.testing.assert_array_equal(one.history, other.history)


def test_an_election_takes_away_trust_that_was_built() -> None:
    plain = make_scenario(8, horizon=24, parameters={"attention_base": 0, "honour_base": 4})
    election = plain.with_({"changes": [{"what": "election", "reset": 0.5, "from": 20}]})
    trust = [measure(simulate(one, "full_package", runs=4), "trust") for one in (plain, election)]
    np.testing.assert_array_equal(trust[0][:, :20], trust[1][:, :20])
    assert (trust[1][:, 20:] < trust[0][:, 20:]).all()
