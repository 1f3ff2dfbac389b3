"""Which run is told, its turning points, and what is said of how often they happen."""

from functools import cache

import numpy as np
import pytest

from kolabsim.analysis.counterfactual import LEVER
from kolabsim.analysis.why import (
    BEST,
    GRAVITY,
    TYPICAL,
    WORST,
    conduct_before,
    entry_quarter,
    exit_factors,
    explain,
    find_region,
    survey,
)
from kolabsim.engine.ensemble import run_block
from kolabsim.errors import InputError
from kolabsim.model import laws
from kolabsim.model.parameters import FIRST_TERM, LOAD_UNIT, QUARTERS, REFERENCE_TRUST
from kolabsim.report.history import turn_sentences
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.replay import prepare, replay_task
from tests.builders import make_scenario, region_rows

RUNS = 12
KEEN = {"attention_base": 2.0, "decision_speed": 3.0, "exit_base": 2.0, "misperception": 0.1}


@pytest.fixture(scope="module")
def world():
    rows = [row | {"name": name} for row, name in zip(
        region_rows(5), ("Kabupaten Satu", "Kota Satu", "Kota Dua", "Kota Tiga", "Empat"),
        strict=True,
    )]  # fmt: skip
    return prepare(make_scenario(rows, horizon=26, parameters=KEEN), "voluntary", None, seed=1)


@pytest.fixture(scope="module")
def ask(world):
    """The history of a region, told once for each question."""
    scenario, task, future = world

    @cache
    def told(region="R002", **more):
        return explain(
            scenario, task, region, strategy="voluntary", future=future, runs=RUNS, threads=1,
            **more,
        )  # fmt: skip

    return told


def test_the_run_is_the_one_that_was_asked_for(world, monkeypatch):
    monkeypatch.setattr("kolabsim.analysis.why.search_turns", lambda *_given: [])
    scenario, task, future = world

    def ask(**more):
        return explain(
            scenario, task, "R002", strategy="voluntary", future=future, runs=RUNS, **more
        )

    benefits, exits = survey(task, scenario, 2, slice(None), RUNS, 1)
    chosen = {choice: ask(choice=choice).replay.run for choice in (TYPICAL, WORST, BEST)}
    assert benefits[chosen[WORST]] == benefits.min()
    assert benefits[chosen[BEST]] == benefits.max()
    apart = np.abs(benefits - np.median(benefits))
    assert apart[chosen[TYPICAL]] == apart.min()
    assert ask(run=7).replay.run == 7
    left = ask(left=True, choice=BEST)
    among = exits.any(axis=1)
    assert benefits[left.replay.run] == benefits[among].max()
    assert left.exits == among.mean()


def test_the_replayed_run_has_the_benefit_by_which_it_was_chosen(world, ask):
    task = world[1]
    found = ask(left=True)
    block = run_block(task, np.array([found.replay.run]))
    np.testing.assert_array_equal(found.replay.quarters.to_numpy(), block.history[0])


def test_turning_points_are_in_order_and_come_with_their_changes(ask):
    found = ask(left=True)
    quarters = [turn.quarter for turn in found.turns]
    assert quarters == sorted(quarters)
    assert {turn.event for turn in found.turns} <= set(GRAVITY)
    exits = [turn for turn in found.turns if turn.event in ("left", "dissolved")]
    assert exits
    for turn in exits:
        assert turn.changes is not None
        assert turn.lasting is not None
        assert 0.0 < turn.often[0] <= 1.0
        levers = turn.lasting[turn.lasting["kind"] == LEVER].dropna(subset="needed")
        assert np.isnan(turn.often[1]) == (len(levers) == 0)


def test_one_area_has_only_its_own_turning_points(ask):
    found = ask(area="water")
    assert {turn.area for turn in found.turns} <= {"water"}
    assert set(found.events["area"]) <= {"water"}


def test_factors_of_an_exit_compare_with_their_references(ask):
    found = ask(left=True).replay
    row = found.decisions.query("kind == 'leave' and outcome == 1").iloc[0]
    factors, p = exit_factors(found, int(row.name)), found.task.parameters
    chance = laws.leaving(row["load"], row["trust"], row["commitment"], p)
    without = laws.leaving(row["load"], REFERENCE_TRUST, row["commitment"], p)
    assert factors["trust"] == chance / without
    assert (factors["load"] > 1.0) == (row["load"] > LOAD_UNIT)


def test_conduct_before_an_exit_counts_the_partners_only(ask):
    why = ask(left=True)
    turn = next(turn for turn in why.turns if turn.event in ("left", "dissolved"))
    table = conduct_before(why.replay, why.region, turn.area, turn.quarter)
    assert why.region not in set(table["region"])
    assert (table["observed"] <= table["fell_short"]).all()
    assert (table["fell_short"] <= table["quarters"]).all()


def test_nobody_leaves_before_the_end_of_a_first_term(world):
    scenario, task, future = world
    left = 0
    for run in range(4):
        found = replay_task(scenario, task, strategy="voluntary", run=run, future=future)
        left += (found.events["event"] == "left").sum()
        for row in found.events[found.events["event"] == "left"].itertuples():
            since = entry_quarter(found, row.region, row.area, row.quarter)
            entered = found.events[
                found.events["event"].isin(["founded", "joined"])
                & (found.events["quarter"] == since)
                & (found.events["area"] == row.area)
            ]
            assert row.quarter - since >= QUARTERS * FIRST_TERM
            assert any(row.region in {one.region, *one.partners} for one in entered.itertuples())
    assert left > 0


def test_sentences_name_the_regions_and_the_year(ask):
    why = ask(left=True)
    for turn in why.turns:
        text = " ".join(turn_sentences(why, turn))
        assert str(why.replay.scenario.start_year + turn.quarter // 4) in text
        assert "{" not in text


def test_a_region_may_be_called_by_a_name_that_only_one_has(world):
    scenario = world[0]
    assert find_region(scenario, "R003") == 3
    assert find_region(scenario, "empat") == 4
    assert find_region(scenario, "dua") == 2
    with pytest.raises(InputError, match="did you mean"):
        find_region(scenario, "Satu")
    assert find_region(Scenario.load("kartamantul"), "Klaten") == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"region": "R0002"}, "no region has the code 'R0002'; did you mean 'R002'"),
        ({"area": "watr"}, "'watr' is not a service area; did you mean 'water'"),
        ({"run": RUNS}, "run 12 is not there: the 12 runs have the numbers 0 to 11"),
    ],
)
def test_what_is_not_there_is_refused(ask, asked, message):
    with pytest.raises(InputError) as caught:
        ask(**asked)
    assert message in str(caught.value)


def test_a_region_that_never_leaves_says_so():
    scenario, task, future = prepare(make_scenario(3, horizon=3), "voluntary", None, seed=1)
    with pytest.raises(InputError, match="loses no membership in any of the 4 runs"):
        explain(
            scenario, task, "R000", strategy="voluntary", future=future, runs=4, left=True,
        )  # fmt: skip
