"""Where there is no reason for something, it does not happen."""

from __future__ import annotations

import numpy as np
import pytest

from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.levers import CONSENTS
from kolabsim.model.state import NOBODY
from kolabsim.scenario.scenario import Scenario
from tests.builders import Run, make_scenario, measure, region_rows, simulate

EAGER = {"attention_base": 5, "notice": 1, "conclude": 1, "conclude_interests": 0}
"""Everybody looks at everything, and talks do not last."""


# Nothing to gain ----------------------------------------------------------------------------------


def large_regions(**settings: object) -> Scenario:
    """Regions of ten times efficient scale and more, alike in capacity and without spillover."""
    rows = [
        row | {"population": 1_000_000 + 100_000 * i, "capacity": 0.6}
        for i, row in enumerate(region_rows(12))
    ]
    areas = {name: {"efficient_scale": 100_000, "spillover": 0} for name in ("roads", "water")}
    parameters = EAGER | {"misperception": 0} | settings.pop("parameters", {})
    return make_scenario(
        rows, nearest=6, areas=areas, horizon=24, parameters=parameters, **settings
    )


@pytest.mark.parametrize("consent", CONSENTS)
@pytest.mark.parametrize("decision", BUILT_IN)
def test_who_gains_nothing_by_sharing_does_not_share(consent: str, decision: str) -> None:
    block = simulate(large_regions(consent=consent, decision=decision), runs=8)
    assert measure(block, "agreements").sum() == 0
    assert (measure(block, "cooperation") == 0).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters.misperception": 0.3},
        {f"areas.{area}.spillover": 0.5 for area in ("roads", "water")},
        {f"areas.{area}.efficient_scale": 100_000_000 for area in ("roads", "water")},
    ],
)
def test_each_reason_that_is_put_back_is_enough(changes: dict[str, float]) -> None:
    """The null above is no accident of a world in which nothing can happen."""
    rows = {"contacts": [(f"R{i:03d}", f"R{i + 1:03d}") for i in range(11)]}
    scenario = large_regions(**rows).with_(changes)
    assert measure(simulate(scenario, runs=8), "agreements").sum() > 0


def test_under_a_mandate_they_share_all_the_same_and_lose() -> None:
    block = simulate(large_regions(), "mandate", runs=8)
    assert (measure(block, "cooperation")[:, -1] == 1).all()
    assert (measure(block, "realised_benefit") < 0).all()


def test_who_knows_nobody_shares_nothing() -> None:
    scenario = make_scenario(6, nearest=0, parameters=EAGER)
    assert measure(simulate(scenario, "full_package", runs=5), "opened").sum() == 0


# Nothing to lose ----------------------------------------------------------------------------------

FREE = EAGER | {
    "misperception": 0, "information_cost": 0, "negotiation_cost": 0, "enforcement_cost": 0,
    "overhead_cost": 0, "autonomy_cost": 0, "startup_cost": 0, "transition_cost": 0,
    "quality_value": 0, "exit_base": 0,
}  # fmt: skip


def pooled(run: Run) -> np.ndarray:
    """People served by the party of each region."""
    people, body = run.slot("people")[:, 0], run.slot("body")[:, 0]
    return np.array(
        [people[i] if b == NOBODY else people[body == b].sum() for i, b in enumerate(body)]
    )


def free_world(rows: list[dict[str, object]], cap: int, above: float) -> Scenario:
    """Everybody knows everybody, sharing is free, and scale is all there is to gain."""
    area = {"efficient_scale": 100_000, "spillover": 0, "haul": 0, "curvature_above": above}
    return make_scenario(
        rows, nearest=len(rows) - 1, cap=cap, areas={"roads": area}, horizon=40, parameters=FREE
    )


@pytest.mark.parametrize(("cap", "reach"), [(2, 50_000), (16, 100_000)])
@pytest.mark.parametrize("above", [0.0, 0.02])
def test_where_sharing_is_free_bodies_reach_efficient_scale(cap, reach, above) -> None:
    """16 regions of a quarter of efficient scale: in pairs under a cap of two, or else enough.

    The mean over regions of the people in their party, and over runs, is at least N* or what the
    cap can reach. Caps between these two can leave, say, pairs that no third region is free to
    join, so that the mean stays below what the cap could reach if somebody planned it.
    """
    rows = [row | {"population": 25_000} for row in region_rows(16)]
    scenario = free_world(rows, cap, above)
    means = [pooled(Run(scenario, run=k).advance(quarters=40)).mean() for k in range(8)]
    assert np.mean(means) >= reach


def test_where_sharing_is_free_no_two_parties_below_efficient_scale_stay_apart() -> None:
    """Unlike sizes: whatever is still below N* cannot unite with another that is, for the cap."""
    for seed in range(8):
        scenario = free_world(region_rows(20, seed=seed), 16, 0.0)
        run = Run(scenario, seed=seed).advance(quarters=40)
        party = {}
        for i, people in enumerate(pooled(run)):
            body = run.slot("body")[i, 0]
            party.setdefault((i, NOBODY) if body == NOBODY else (NOBODY, body), people)
        small = [people for people in party.values() if people < 100_000]
        assert len(small) <= 1
        assert pooled(run).mean() >= min(100_000, run.region("population").sum())


# Culture ------------------------------------------------------------------------------------------


def cultures(seed: int, **parameters: float) -> Scenario:
    luck = np.random.default_rng(seed)
    rows = [
        row | {f"culture_{d}": round(luck.standard_normal(), 3) for d in (1, 2, 3)}
        for row in region_rows(20)
    ]
    return make_scenario(
        rows, horizon=20, parameters={"attention_base": -1, "notice": 1, "conclude": 1} | parameters
    )


def test_culture_that_weighs_nothing_has_no_effect_at_all() -> None:
    """Other scores on every dimension, and every number of every run is the same."""
    out = {"culture_weight": 0, "trust_culture": 0}
    one, other = (simulate(cultures(seed, **out), runs=6) for seed in (1, 2))
    assert measure(one, "agreements").sum() > 0
    np.testing.assert_array_equal(one.history, other.history)
    np.testing.assert_array_equal(one.figures, other.figures)


def similarity(scenario: Scenario, runs: int = 60) -> tuple[float, float]:
    """How much nearer in culture partners are than contacts are, and the error of that figure."""
    apart = []
    for k in range(runs):
        run = Run(scenario, run=k).advance(quarters=scenario.horizon)
        s = run.state
        first = s.sums.shape[1] - len(scenario.areas) - 3
        x = s.sums[: s.slot.size : len(scenario.areas), first : first + 3]
        known = {pair: ((x[pair[0]] - x[pair[1]]) ** 2).sum() / 6 for pair in run.trust()}
        body = run.slot("body")
        shared = [
            distance
            for (i, j), distance in known.items()
            for a in range(len(scenario.areas))
            if body[i, a] != NOBODY and body[i, a] == body[j, a]
        ]
        if shared:
            apart.append(np.mean(list(known.values())) - np.mean(shared))
    return float(np.mean(apart)), float(np.std(apart, ddof=1) / np.sqrt(len(apart)))


def test_only_culture_that_weighs_makes_partners_alike() -> None:
    settings = {"horizon": 16, "nearest": 6}
    busy = {"attention_base": -1, "notice": 0.6, "conclude": 1}
    drawn = make_scenario(20, parameters=busy, **settings)
    out = {"parameters.culture_weight": 0.0, "parameters.trust_culture": 0.0}
    much = {"parameters.culture_weight": 1.0, "parameters.trust_culture": 0.15}
    effect, error = similarity(drawn.with_(out))
    assert abs(effect) < 3.5 * error
    effect, error = similarity(drawn.with_(much))
    assert effect > 5 * error


# Trust --------------------------------------------------------------------------------------------


def trust_after(conduct: list[int], **parameters: float) -> float:
    """Trust of A in B, which are in one body, after B kept promises (1) or fell short (0)."""
    rows = [row | {"culture_1": 0} for row in region_rows(3)]
    scenario = make_scenario(
        rows,
        horizon=len(conduct),
        areas={"roads": {}},
        bodies=[{"area": "roads", "members": ["R000", "R001"]}],
        parameters={"exit_base": 0, "attention_base": -20, "trust_culture": 0} | parameters,
    )
    run = Run(scenario)
    run.set_trust(0.5)
    for kept in conduct:
        run.advance("coordinate")
        run.state.slot["kept"], run.state.slot["seen"] = kept, 1
        run.advance()
    return run.trust()[0, 1]


def test_where_gain_and_loss_are_alike_trust_comes_back_in_any_order() -> None:
    alike = {"trust_gain": 0.2, "trust_loss": 0.2}
    orders = ([1] * 6 + [0] * 6, [0] * 6 + [1] * 6, [1, 0] * 6, [0, 1] * 6)
    found = [trust_after(order, **alike) for order in orders]
    assert found == pytest.approx([0.5] * 4, abs=0.06)
    # What comes later weighs more, so the orders lie on both sides, as far from the start.
    assert found[0] + found[1] == pytest.approx(1, abs=1e-12)
    assert found[2] + found[3] == pytest.approx(1, abs=1e-12)
    assert found[0] < found[2] < 0.5 < found[3] < found[1]


def test_where_loss_is_faster_trust_does_not_come_back() -> None:
    for order in ([1] * 6 + [0] * 6, [0] * 6 + [1] * 6, [1, 0] * 6):
        assert trust_after(order, trust_gain=0.1, trust_loss=0.3) < 0.45
