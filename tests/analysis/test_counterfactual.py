"""Nearest counterfactuals turn a decision, and nothing nearer does."""

import numpy as np
import pytest

import kolabsim as ks
from kolabsim.analysis.counterfactual import LEVER, PARAMETER, TERM, Branches, nearest_changes
from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.errors import InputError
from kolabsim.model import laws
from kolabsim.model.measures import TRACE
from kolabsim.model.state import NOBODY
from tests.builders import make_scenario

KEEN = {"attention_base": 2.0, "decision_speed": 3.0, "exit_base": 1.5, "misperception": 0.1}


@pytest.fixture(scope="module")
def history():
    scenario = make_scenario(6, horizon=30, parameters=KEEN)
    return ks.replay(scenario, "voluntary", run=0)


@pytest.fixture(scope="module")
def exits(history):
    """Decisions to leave with their counterfactuals, those of lone decisions first."""
    rows = history.decisions.query("kind == 'leave' and outcome == 1")
    branches = Branches(history)
    return [(row, nearest_changes(branches, int(row.name))) for _k, row in rows.head(6).iterrows()]


@pytest.fixture(scope="module")
def votes(history):
    rows = history.events.query("event in ('refused', 'founded', 'joined') and decision >= 0")
    branches = Branches(history)
    return [
        (row, nearest_changes(branches, int(row.decision))) for row in rows.head(8).itertuples()
    ]


def test_terms_of_an_exit_are_those_of_the_law(history, exits):
    p, checked = history.task.parameters, 0
    for row, table in exits:
        known = {name: row[name] for name in ("load", "trust", "commitment")}
        for name in known:
            one = table.set_index("name").loc[f"{name}_now"]
            if np.isnan(one["needed"]):
                continue
            # Rounding moves a value by less than a fiftieth of its range.
            back = np.sign(one["value"] - one["needed"]) * 0.03 * (one["high"] - one["low"])
            kept = laws.leaving(*(known | {name: one["needed"]}).values(), p)
            left = laws.leaving(*(known | {name: one["needed"] + back}).values(), p)
            assert kept <= row["draw"]
            if abs(one["needed"] - one["value"]) > abs(back):
                assert left > row["draw"]
            checked += 1
    assert checked


def test_a_membership_that_lasts_needs_no_smaller_change(history, exits):
    branches = Branches(history)
    for row, table in exits[:3]:
        lasting = nearest_changes(branches, int(row.name), lasting=True)
        keys = ["name", "region"]
        both = table.merge(lasting, on=keys, suffixes=("", "_lasting"))
        found = both.dropna(subset="needed_lasting")
        end = found["holds_lasting"] + row["quarter"]
        assert (end == history.scenario.horizon).all()
        nearest = table["distance"].min()
        assert not len(found) or found["distance_lasting"].min() >= nearest - 0.02


def member_at(history, row, strategy, scenario):
    task = build_task(scenario, scenario.strategies[strategy], seed=history.seed)
    trace = run_block(task, np.array([history.run]), trace=True).trace[0]
    i = scenario.regions.codes.index(row["region"])
    a = list(scenario.areas).index(row["area"])
    return trace[row["quarter"], i, a, TRACE.index("body")] != NOBODY


def test_a_lever_that_would_have_kept_a_member_does_so_in_the_ensemble(history, exits):
    checked = 0
    for row, table in exits:
        for one in table[table["kind"] == LEVER].dropna(subset="needed").itertuples():
            phase = {"intensity": one.needed, "from": int(one.since)}
            scenario = history.scenario.with_({one.name: phase})
            assert member_at(history, row, "voluntary", scenario), one.name
            checked += 1
    assert not member_at(history, exits[0][0], "voluntary", history.scenario)
    assert checked


def test_what_is_found_turns_the_decision_and_half_of_it_does_not(history, exits):
    for _row, table in exits:
        found = table.dropna(subset="needed")
        assert found["distance"].is_monotonic_increasing
        change = (found["needed"] - found["value"]).abs() / (found["high"] - found["low"])
        np.testing.assert_allclose(change, found["distance"])
        assert (found["needed"].between(found["low"], found["high"])).all()
        assert (found["holds"] >= 1).all()
    assert {TERM, LEVER, PARAMETER} <= {kind for _row, table in exits for kind in table["kind"]}


def test_a_vote_turns_with_the_net_benefit_of_the_only_one_against(history, votes):
    for event, table in votes:
        margin = table[table["name"] == "gain"].dropna(subset="needed")
        against = history.decisions.query(
            "kind == 'vote' and quarter == @event.quarter and area == @event.area and outcome == 0"
        )
        if event.event == "refused" and len(margin):
            assert margin["region"].iloc[0] in set(against["region"])
            assert margin["value"].iloc[0] <= 0.0


def test_before_the_change_everything_stays_as_it_was(history, exits):
    branches = Branches(history)
    state = branches.state(5)
    again = branches.state(5)
    assert state.slot.tobytes() == again.slot.tobytes()
    later = branches.go_on(history.task, state, 5, 9)
    task = history.task
    whole = run_block(task, np.array([history.run]), trace=True).trace[0]
    np.testing.assert_array_equal(later, whole[5:9])


def test_rows_that_have_no_counterfactual_are_refused(history):
    noticed = int(history.decisions.query("kind == 'notice'").index[0])
    with pytest.raises(InputError, match="'notice' have no counterfactual"):
        ks.counterfactuals(history, noticed)
    with pytest.raises(InputError, match="decision 123456 is not in this run"):
        ks.counterfactuals(history, 123456)


@pytest.mark.parametrize("kind", ["choose", "keep"])
def test_other_decisions_have_counterfactuals_too(history, kind):
    rows = history.decisions
    wanted = (rows["kind"] == kind) & (rows["outcome"] == float(kind == "choose"))
    table = ks.counterfactuals(history, int(rows.index[wanted & (rows["quarter"] > 0)][0]))
    assert table["distance"].dropna().between(0.0, 1.0).all()
