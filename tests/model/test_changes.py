"""What happens to regions: populations, stress, demand, shocks to trust, and elections."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builders import (
    Run,
    body,
    in_a_row,
    make_scenario,
    measure,
    open_talks,
    roads,
    simulate,
)

A, B, C, D = range(4)

# Changes ------------------------------------------------------------------------------------------


def test_populations_grow_and_stay_grown() -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000),
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
        in_a_row(40_000, 30_000, stress=[0.2, 0.9]),
        changes=[{"what": "stress", "add": 0.3, "from": 1, "until": 3}],
        **roads(),
    )
    run = Run(scenario)
    found = [run.advance().region("stress").tolist() for _quarter in range(4)]
    assert found == [pytest.approx(x) for x in ([0.2, 0.9], [0.5, 1.0], [0.5, 1.0], [0.2, 0.9])]


def test_demand_multiplies_who_is_served_and_strains_quality() -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000, capacity=[0.8, 0.8, 0.8], longitude=[0, 0, 0]),
        bodies=[body("AB")],
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
        in_a_row(40_000, 50_000, 60_000, 70_000),
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


# Departures ---------------------------------------------------------------------------------------


def together(*leaves: dict[str, object], quarters: int = 6, **more: object) -> list[list[int]]:
    """In how many bodies of three A, B and C are in each quarter, one of all three at the start."""
    scenario = make_scenario(
        in_a_row(40_000, 50_000, 60_000),
        contacts=[("A", "B"), ("B", "C"), ("A", "C")],
        leaves=list(leaves),
        **{"bodies": [body("ABC")], **roads(parameters={"exit_base": 0}), **more},
    )
    run, found = Run(scenario), []
    for _quarter in range(quarters):
        run.advance()
        found.append((run.slot("body")[:, 0] >= 0).tolist())
    return found


def test_a_region_leaves_in_its_quarter_and_stays_out() -> None:
    found = together({"regions": ["C"], "from": 2, "until": 4})
    within, out = [True, True, True], [True, True, False]
    assert found == [within, within, out, out, out, out]


@pytest.mark.parametrize(("until", "may"), [(3, True), (None, False)])
def test_a_region_that_left_may_unite_again_when_the_event_ends(until, may) -> None:
    event = {"regions": ["C"], "from": 1} | ({"until": until} if until else {})
    scenario = make_scenario(
        in_a_row(40_000, 50_000, 60_000),
        contacts=[("A", "B"), ("B", "C")], bodies=[body("ABC")], leaves=[event], **roads(),
    )  # fmt: skip
    run = Run(scenario)
    for _quarter in range(3):
        run.advance()
    open_talks(run, C, B)
    run.advance("plan")
    assert (run.state.slot["contact"][C, 0] >= 0) == may


def test_a_provider_that_leaves_ends_its_contract() -> None:
    bodies = [body("ABC", form="contract", provider="B")]
    found = together({"regions": ["B"], "from": 1}, quarters=2, bodies=bodies)
    assert found == [[True, True, True], [False, False, False]]


def test_a_mandate_comes_before_a_departure() -> None:
    bound = together({"regions": ["C"], "from": 1}, bodies=[body("ABC", mandated=True)])
    assert bound == [[True, True, True]] * 6
    for_a_while = {"areas": ["roads"], "groups": [["A", "B", "C"]], "from": 2, "until": 4}
    found = together({"regions": ["C"], "from": 1}, mandates=[for_a_while])
    out, within = [True, True, False], [True, True, True]
    assert found == [within, out, within, within, out, out]
