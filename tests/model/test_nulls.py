"""Where there is no reason for something, it does not happen."""

from __future__ import annotations

import numpy as np
import pytest

from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.levers import CONSENTS
from kolabsim.model.measures import MEASURES
from kolabsim.model.state import BUYER, CULTURE, DIMENSIONS, NOBODY
from kolabsim.scenario.scenario import Scenario
from tests.builders import Run, make_scenario, measure, region_rows, simulate

EAGER = {"attention_base": 5, "notice": 1, "decision_speed": 1e6}
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
    "misperception": 0, "information_cost": 0, "culture_cost": 0, "practice_cost": 0,
    "negotiation_cost": 0, "enforcement_cost": 0, "overhead_cost": 0, "autonomy_cost": 0,
    "interest_fit": 0, "startup_cost": 0, "transition_cost": 0, "quality_value": 0, "exit_base": 0,
}  # fmt: skip


def pooled(run: Run) -> np.ndarray:
    """People served by the party of each region."""
    people, body = run.slot("people")[:, 0], run.slot("body")[:, 0]
    return np.array(
        [people[i] if b == NOBODY else people[body == b].sum() for i, b in enumerate(body)]
    )


def free_world(rows: list[dict[str, object]], cap: int, above: float) -> Scenario:
    """Everybody knows everybody, sharing is free, and scale is all there is to gain.

    Bodies are boards: contracts, which do not merge, can leave pairs that nobody else may join.
    """
    area = {"efficient_scale": 100_000, "spillover": 0, "haul": 0, "curvature_above": above}
    return make_scenario(
        rows,
        nearest=len(rows) - 1,
        cap=cap,
        areas={"roads": area},
        horizon=40,
        parameters=FREE,
        form="board",
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
    return make_scenario(rows, horizon=20, parameters=BUSY | parameters)


BUSY = {"attention_base": -1, "notice": 1, "decision_speed": 1e6}
WITHOUT = {"culture_cost": 0, "trust_culture": 0}
"""Where talks conclude at once, culture only acts through these."""


def test_culture_that_weighs_nothing_has_no_effect_at_all() -> None:
    """Other scores on every dimension, and every number of every run is the same.

    But for the time of joint matters, which takes as long as partners are unlike.
    """
    one, other = (simulate(cultures(seed, **WITHOUT), runs=6) for seed in (1, 2))
    assert measure(one, "agreements").sum() > 0
    same = [k for k, name in enumerate(MEASURES) if name != "matter_time"]
    np.testing.assert_array_equal(one.history[..., same], other.history[..., same])
    np.testing.assert_array_equal(one.figures, other.figures)


def test_culture_without_any_spread_has_no_effect_at_all() -> None:
    one, other = (simulate(cultures(seed, culture_spread=0), runs=6) for seed in (1, 2))
    np.testing.assert_array_equal(one.history, other.history)


def similarity(scenario: Scenario, runs: int = 60) -> tuple[float, float]:
    """How much nearer in culture partners are than contacts are, and the error of that figure."""
    apart = []
    for k in range(runs):
        run = Run(scenario, run=k).advance(quarters=scenario.horizon)
        s = run.state
        x = s.sums[: s.slot.size : len(scenario.areas), CULTURE : CULTURE + DIMENSIONS]
        known = {pair: ((x[pair[0]] - x[pair[1]]) ** 2).sum() / 6 for pair in run.trust()}
        body, buys = run.slot("body"), run.slot("role") == BUYER
        shared = [
            distance
            for (i, j), distance in known.items()
            for a in range(len(scenario.areas))
            if body[i, a] != NOBODY and body[i, a] == body[j, a] and not (buys[i, a] and buys[j, a])
        ]
        if shared:
            apart.append(np.mean(list(known.values())) - np.mean(shared))
    return float(np.mean(apart)), float(np.std(apart, ddof=1) / np.sqrt(len(apart)))


def test_only_culture_that_weighs_makes_partners_alike() -> None:
    settings = {"horizon": 16, "nearest": 6}
    # Nothing lies between tiers, whose regions notice each other more often.
    parameters = BUSY | {"notice": 0.6, "culture_between": 0}
    drawn = make_scenario(20, parameters=parameters, **settings)
    effect, error = similarity(drawn.with_({f"parameters.{name}": 0.0 for name in WITHOUT}))
    assert abs(effect) < 3.5 * error
    much = {"parameters.culture_cost": 0.05, "parameters.trust_culture": 0.2}
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


def test_one_broken_promise_weighs_as_much_as_three_kept_ones() -> None:
    """What trust loses by one it gains by three, seen from the middle, at any speed of learning."""
    for learning in (0.1, 0.2, 0.4):
        lost, gained = (trust_after(order, learning=learning) for order in ([0], [1, 1, 1]))
        assert lost == pytest.approx(0.5 * (1 - learning) ** (1.5 / 4), abs=1e-12)
        assert lost + gained == pytest.approx(1, abs=1e-12)
    assert trust_after([1, 1, 1, 0]) == pytest.approx(trust_after([0, 1, 1, 1]), abs=0.03)


def test_where_nothing_is_learnt_trust_stays() -> None:
    assert trust_after([1, 0, 1, 0], learning=0.0) == 0.5


def test_after_as_many_broken_promises_as_kept_ones_trust_does_not_come_back() -> None:
    for order in ([1] * 6 + [0] * 6, [0] * 6 + [1] * 6, [1, 0] * 6):
        assert trust_after(order) < 0.45
