"""What is paid is received, what is kept back is borne by others, and nobody is in two places."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kolabsim.model import laws
from kolabsim.model.levers import (
    BUSINESS,
    CONTRACT,
    FORMS,
    GOVERNMENT,
    LEVERS,
    MANDATE,
    SHARES,
    SUPPORTERS,
    UNIT_COSTS,
)
from kolabsim.model.measures import CHANNELS, MEASURES, REGION_MEASURES
from kolabsim.model.state import BUYER, INTERESTS, NOBODY, PAID, PROVIDER, ROW
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


def ties_of(run: Run, b: int, members: list[int]) -> list[tuple[int, int]]:
    """Pairs of partners in a body: of a contract, its provider and each buyer."""
    hub = run.state.body["provider"][b]
    return [pair for pair in itertools.combinations(members, 2) if hub == NOBODY or hub in pair]


def check_roles(run: Run) -> None:
    """Each contract has one provider, in no other role, and buyers; other bodies have neither."""
    s, bodies = run.state, run.bodies()
    roles = np.zeros(s.slot.shape, np.int64)
    for b, members in bodies.items():
        if s.body["form"][b] == CONTRACT:
            roles[members, s.body["area"][b]] = BUYER
            roles[s.body["provider"][b], s.body["area"][b]] = PROVIDER
            assert s.body["provider"][b] in members
        else:
            assert s.body["provider"][b] == NOBODY
    assert (s.slot["role"] == roles).all()


def check_sums(run: Run) -> None:
    """The sums of each body, against its members one by one."""
    s, trust = run.state, run.trust()
    together = {
        (a, pair)
        for a in range(s.slot.shape[1])
        for b in set(s.slot["before"][:, a].tolist()) - {NOBODY}
        for pair in itertools.combinations(np.flatnonzero(s.slot["before"][:, a] == b).tolist(), 2)
        if not (s.slot["role_before"][list(pair), a] == BUYER).all()
    }
    for b, members in run.bodies().items():
        a, row, region = int(s.body["area"][b]), s.sums[s.slot.size + b], s.region[members]
        slot, people = s.slot[members, a], s.region["population"][members]
        ties = ties_of(run, b, members)
        reputation = s.region["reputation"]
        omega = [
            sum(
                s.contact["spill"][c]
                for c in range(s.region[i].first, s.region[i].end)
                if s.contact["target"][c] in members
            )
            for i in members
        ]
        expected = {
            "members": len(members),
            "people": slot["people"].sum(),
            "residents": people.sum(),
            "capacity": (slot["people"] * slot["capacity"]).sum(),
            "best": slot["capacity"].max(),
            "reference": slot["reference"].sum(),
            "weight": slot["weight"].sum(),
            "burden": slot["burden"].sum(),
            "autonomy": region["autonomy"].sum(),
            "autonomy_people": (region["autonomy"] * people).sum(),
            "reputation": region["reputation"].sum(),
            "commitment": region["commitment"].sum(),
            "trust": sum(
                trust.get((i, j), reputation[j]) + trust.get((j, i), reputation[i])
                for i, j in ties
            ),
            "again": sum(any((k, pair) in together for k in range(len(s.area)) if k != a)
                         for pair in ties),
            "spill": (omega / slot["alone"]).sum(),
            "mediation": slot["ngo"].sum(),
            "business": slot["business"].sum(),
            "voice": slot["community"].sum(),
            "practice": slot["practice"].sum(),
            "practice_squares": (slot["practice"] ** 2).sum(),
            "wish_people": (slot["interest"] * people).sum(),
            "wish_squares": (slot["interest"] ** 2).sum(),
            "interest_squares": (s.slot["interest"][members] ** 2).sum(),
        }  # fmt: skip
        for name, value in expected.items():
            assert row[getattr(ROW, name)] == close(value, 1 + abs(value)), name
        interests = s.slot["interest"][members].sum(axis=0)
        assert row[INTERESTS:] == close(interests)
        assert s.slot["omega"][members, a] == close(np.array(omega))


def check_bodies(run: Run) -> None:
    """Shares add up to joint cost, what some keep back others bear, and wishes are met in part."""
    s, p = run.state, run.p
    for b, members in run.bodies().items():
        a, slot = int(s.body["area"][b]), s.slot[members, s.body["area"][b]]
        row, people = s.sums[s.slot.size + b], s.region["population"][members]
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
        # E6: the service is made for the mean wish of the people, or for the provider's.
        hub, areas = s.body["provider"][b], s.slot.shape[1]
        wish = np.average(slot["interest"], weights=people)
        wish = wish if hub == NOBODY else s.slot["interest"][hub, a]
        apart = areas * (slot["interest"] - wish)
        planned = 1 - p.planning_strength * s.area["planning"][a]
        assert slot["fit"] == close(-p.interest_fit * apart**2 * planned)
        if hub in members:
            assert slot["fit"][members.index(hub)] == pytest.approx(0, abs=1e-15)


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
    by_payer = now.paid_members + now.paid_centre + now.paid_supporter + now.paid_tier
    assert by_payer == close(paid.sum())
    bound = (slot["mandate"] != NOBODY) & (slot["bound_until"] > run.quarter - 1)
    prices = np.nan_to_num(run.policy.mandate_price, nan=run.p.lever_price)
    due = (slot["due"] * price)[bound]
    rates = prices[slot["mandate"][bound]] if bound.any() else 0.0
    assert paid[MANDATE] == close((rates * due).sum() / 4)
    assert (slot["programme"] * money_of(run)).sum() == close(now.paid_members)
    assert (paid >= 0).all()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(WORLDS))
def test_everything_adds_up_in_every_quarter(seed: int, strategy: str) -> None:
    run = Run(random_scenario(seed), strategy, seed=seed)
    for _quarter in range(run.scenario.horizon):
        run.advance("produce")
        check_structure(run)
        check_roles(run)
        check_sums(run)
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
        payers = ("members", "centre", "supporters", "tiers")
        spent = sum(measure(block, f"programme_{who}") for who in payers)
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
    """Grants, co-finance, mandates, budgets that bind, shortfalls, all shares and forms."""
    found = set()
    for seed in range(WORLDS):
        scenario = random_scenario(seed)
        found |= {scenario.shares}
        run = Run(scenario, "mixed", seed=seed)
        for _quarter in range(scenario.horizon):
            run.advance()
            paid, period = run.state.ledger[PAID], run.policy.period[run.quarter - 1]
            levers = zip(LEVERS, paid[: len(LEVERS)], strict=True)
            found |= {name for name, money in levers if money > 0}
            found |= {"mandate"} if paid[MANDATE] > 0 else set()
            forms = run.state.body["form"][list(run.bodies())]
            found |= {FORMS[form] for form in forms}
            sizes = [len(run.bodies()[b]) for b in run.bodies()]
            found |= {
                "star"
                for form, n in zip(forms, sizes, strict=True)
                if (form, n > 2) == (CONTRACT, True)
            }
            found |= (
                {"again"}
                if (run.state.sums[run.state.slot.size : -1, ROW.again] > 0).any()
                else set()
            )
            help_ = paid[GOVERNMENT : len(LEVERS)]
            capped = help_ >= run.policy.budget[period] * (1 - 1e-9)
            found |= {"budget"} if (capped & (help_ > 0)).any() else set()
            short = (run.slot("body") != NOBODY) & (run.slot("kept") == 0)
            found |= {"shortfall"} if (short & (run.slot("seen") == 0)).any() else set()
    assert set(LEVERS) | set(FORMS) | {"budget", "shortfall", "mandate", "star", "again"} <= found
    assert len(found & set(SHARES)) >= 3


def test_grants_that_members_pay_for_are_borne_by_members() -> None:
    scenario = make_scenario(
        6,
        horizon=6,
        parameters={"attention_base": 0, "decision_speed": 5, "notice": 1},
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
    first, until, horizon = 2, 14, 18
    scenario = make_scenario(
        8,
        horizon=horizon,
        parameters={"exit_base": 1e6, "attention_base": -20},
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
    # Its first term is over too, and with this hazard nobody stays when nothing binds it any more.
    assert run.bodies() == {}
