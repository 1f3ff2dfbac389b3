"""What is paid is received, what is kept back is borne by others, and nobody is in two places."""

from __future__ import annotations

import numpy as np
import pytest

from kolabsim.model import laws
from kolabsim.model.levers import (
    BUSINESS,
    FORMS,
    GOVERNMENT,
    LEVERS,
    SHARES,
    SUPPORTERS,
    UNIT_COSTS,
)
from kolabsim.model.measures import CHANNELS, MEASURES, REGION_MEASURES
from kolabsim.model.state import NOBODY, PAID, ROW
from tests.builders import (
    Run,
    check_structure,
    figure,
    make_scenario,
    measure,
    random_scenario,
    simulate,
)

WORLDS = 6
STRATEGIES = ("mixed", *make_scenario(2).strategies)
RUNNING = [name for name in CHANNELS if name not in ("entry", "programme")]


def close(value: object, scale: float = 1.0) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-9 * scale)


def money_of(run: Run) -> np.ndarray:
    """What each slot would pay alone in a quarter, in money."""
    slot = run.state.slot
    return slot["people"] * slot["alone"] * run.state.area["cost_per_resident"] / 4


def check_bodies(run: Run) -> None:
    """People add up, shares add up to joint cost, and what some keep back others bear."""
    s = run.state
    for b, members in run.bodies().items():
        a, slot = s.body["area"][b], s.slot[members, s.body["area"][b]]
        row = s.sums[s.slot.size + b]
        assert row[ROW.members] == len(members)
        assert row[ROW.people] == close(slot["people"].sum())
        assert row[ROW.residents] == close(s.region["population"][members].sum())
        alone = slot["people"] * slot["alone"]
        # What members bear and what they gain from neighbours is the joint cost.
        joint = slot["due"].sum()
        assert (alone * (slot["cost"] + slot["spill"])).sum() == close(joint)
        assert (alone * slot["conduct"]).sum() == close(0, joint)
        # E4: the joint cost is that of the scale, and what coordination, haul and newness add.
        area = run.scenario.areas[list(run.scenario.areas)[a]]
        curve = UNIT_COSTS.index(run.scenario.unit_cost)
        economics = (area.efficient_scale, area.curvature_below, area.curvature_above)
        bare = row[ROW.people] * laws.unit_cost(row[ROW.people], *economics, curve)
        added = -sum((alone * slot[name]).sum() for name in ("coordination", "distance", "newness"))
        assert joint == close(bare + added)
        assert (alone * (1 - slot["scale"])).sum() == close(bare)
        # Shares follow the rule.
        stress = s.region["stress"][members]
        weight = {
            "population": slot["people"],
            "equal": np.ones(len(members)),
            "ability": slot["people"] * np.maximum(1 - stress, 0.01),
            "benefit": alone,
        }[run.scenario.shares]
        assert slot["due"] / joint == close(weight / weight.sum())


def check_channels(run: Run) -> None:
    slot = run.state.slot
    assert sum(slot[name] for name in RUNNING) == close(slot["realised"])
    alone = slot["body"] == NOBODY
    assert (slot["cost"][alone] == 1).all()
    assert (slot["quality"] == slot["reference"])[alone].all()


def check_money(run: Run) -> None:
    """Grants received are grants paid, budgets hold, and what levers cost somebody bears."""
    s = run.state
    slot, price = s.slot, s.area["cost_per_resident"]
    alone = slot["people"] * slot["alone"]
    paid = s.ledger[PAID]
    granted = (slot["granted"] * price).sum()
    cofinanced = (slot["cofinanced"] * price).sum()
    assert paid[GOVERNMENT] == close(granted)
    assert paid[BUSINESS] >= cofinanced - 1e-9 * paid[BUSINESS]
    assert (slot["granted"] + slot["cofinanced"] <= slot["startup"] * (1 + 1e-12)).all()
    own = slot["startup"] - slot["granted"] - slot["cofinanced"]
    assert slot["entry"] * alone == close(-4 * own, alone.max())
    period = run.policy.period[run.quarter - 1]
    budget = run.policy.budget[period]
    assert (paid[GOVERNMENT : len(LEVERS)] <= budget * (1 + 1e-12)).all()
    now = s.moment[0]
    assert now.paid_members + now.paid_centre + now.paid_supporter == close(paid.sum())
    assert (slot["programme"] * money_of(run)).sum() == close(now.paid_members)
    assert (paid >= 0).all()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(WORLDS))
def test_everything_adds_up_in_every_quarter(seed: int, strategy: str) -> None:
    run = Run(random_scenario(seed), strategy, seed=seed)
    for _quarter in range(run.scenario.horizon):
        run.advance("produce")
        check_structure(run)
        check_bodies(run)
        check_channels(run)
        run.advance()
        check_money(run)


def test_regions_add_up_to_the_system() -> None:
    for seed in range(WORLDS):
        scenario = random_scenario(seed)
        block = simulate(scenario, "mixed", seed=seed, runs=3)
        borne = measure(block, "programme_members").sum(axis=1)
        for name in ("saving", "benefit_money"):
            regional = figure(block, name).sum(axis=(1, 2))
            system = measure(block, "net_saving" if name == "saving" else name).sum(axis=1)
            spent = measure(block, "programme_cost").sum(axis=1)
            scale = np.abs(measure(block, "saving")).sum()
            assert regional == close(system + spent - borne, scale)
        spent = sum(measure(block, f"programme_{who}") for who in ("members", "centre"))
        spent = spent + measure(block, "programme_supporters")
        assert spent == close(measure(block, "programme_cost"))


def test_channels_add_up_to_net_benefit() -> None:
    names = list(REGION_MEASURES)
    first = names.index(next(iter(CHANNELS)))
    for seed in range(WORLDS):
        block = simulate(random_scenario(seed), "mixed", seed=seed, runs=3)
        total = block.figures[..., first : first + len(CHANNELS)].sum(axis=-1)
        assert total == close(figure(block, "realised_benefit"))
        system = sum(measure(block, name) for name in CHANNELS if name in MEASURES)
        net = measure(block, "efficiency") - measure(block, "net_efficiency")
        assert system == close(measure(block, "realised_benefit") + net)


def test_some_worlds_have_all_that_must_add_up() -> None:
    """Grants, co-finance, budgets that bind, shortfalls, all shares and forms."""
    found = set()
    for seed in range(WORLDS):
        scenario = random_scenario(seed)
        found |= {scenario.shares, scenario.form}
        run = Run(scenario, "mixed", seed=seed)
        for _quarter in range(scenario.horizon):
            run.advance()
            paid, period = run.state.ledger[PAID], run.policy.period[run.quarter - 1]
            levers = zip(LEVERS, paid[: len(LEVERS)], strict=True)
            found |= {name for name, money in levers if money > 0}
            help_ = paid[GOVERNMENT : len(LEVERS)]
            capped = help_ >= run.policy.budget[period] * (1 - 1e-9)
            found |= {"budget"} if (capped & (help_ > 0)).any() else set()
            short = (run.slot("body") != NOBODY) & (run.slot("kept") == 0)
            found |= {"shortfall"} if (short & (run.slot("seen") == 0)).any() else set()
    assert set(LEVERS) | set(FORMS) | {"budget", "shortfall"} <= found
    assert len(found & set(SHARES)) >= 3


def test_grants_that_members_pay_for_are_borne_by_members() -> None:
    scenario = make_scenario(
        6,
        horizon=6,
        parameters={"attention_base": 0, "conclude": 1, "notice": 1},
        strategies={
            "own": {"support": {s: {"intensity": 0.8, "paid_by": "members"} for s in SUPPORTERS}}
        },
    )
    run, paid = Run(scenario, "own"), 0.0
    for _quarter in range(6):
        run.advance()
        check_money(run)
        paid += run.state.ledger[PAID, GOVERNMENT]
    assert paid > 0


def test_who_is_moved_on_in_the_quarter_of_its_entry_has_paid_all_the_same() -> None:
    """Two mandates at once: R000 enters a body that R001 must leave for another."""
    groups = [["R000", "R001"], ["R001", "R002"]]
    scenario = make_scenario(
        3, strategies={"duty": {"mandates": [{"groups": [g], "from": 1} for g in groups]}}
    )
    run = Run(scenario, "duty").advance(quarters=2)
    assert sorted(run.bodies().values()) == [[1, 2], [1, 2]]
    assert (run.slot("entry")[0] < 0).all()
    check_money(run)


@pytest.mark.parametrize("seed", range(8))
def test_nobody_leaves_a_mandate_before_it_ends(seed: int) -> None:
    first, until, horizon = 2, 9, 14
    scenario = make_scenario(
        8,
        horizon=horizon,
        parameters={"exit_base": 50.0, "first_term": 0.0, "attention_base": -20},
        strategies={
            "duty": {
                "mandates": [
                    {
                        "areas": ["water"],
                        "groups": [["R000", "R001", "R004"], ["R002", "R003"]],
                        "from": first,
                        "until": until,
                    }
                ]
            }
        },
    )
    run = Run(scenario, "duty", seed=seed)
    groups = [[0, 1, 4], [2, 3]]
    for quarter in range(horizon):
        run.advance()
        bodies = sorted(run.bodies().values())
        if quarter < first:
            assert bodies == []
        elif quarter < until:
            assert bodies == groups
            bound = run.slot("bound_until")
            assert (bound[[0, 1, 2, 3, 4], 1] == until).all()
    # With a hazard of 50 a year, nobody stays when nothing binds it any more.
    assert run.bodies() == {}
