"""A replayed run is the run of the ensemble, and its log explains every change in it."""

import numpy as np
import pandas as pd
import pytest

import kolabsim as ks
from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.errors import InputError
from kolabsim.model.measures import TRACE
from kolabsim.model.state import NOBODY
from kolabsim.study.replay import JUDGED, replay_task
from tests.builders import make_scenario, random_scenario

CHANCY = ("notice", "conclude", "keep", "leave")


def replayed(seed, strategy="mixed", run=0):
    scenario = random_scenario(seed)
    task = build_task(scenario, scenario.strategies[strategy], seed=seed)
    return replay_task(scenario, task, strategy=strategy, run=run, future="default"), task


@pytest.fixture(
    scope="module",
    params=[*range(6), *(pytest.param(k, marks=pytest.mark.long) for k in range(6, 12))],
)
def world(request):
    return replayed(request.param)


def bits(array):
    return np.ascontiguousarray(array).view(np.int64)


def same_history(found, task):
    block = run_block(task, np.array([found.run]), trace=True)
    assert (bits(found.quarters.to_numpy()) == bits(block.history[0])).all()
    return block.trace[0]


def test_a_replay_is_the_run_of_the_ensemble_bit_for_bit(world):
    same_history(*world)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12, 112))
def test_a_hundred_more_worlds_are_replayed_bit_for_bit(seed):
    same_history(*replayed(seed, run=seed % 3))


def test_events_account_for_every_change_of_membership(world):
    found, task = world
    trace = same_history(found, task)
    codes, areas = list(found.scenario.regions.codes), list(found.scenario.areas)
    member = np.zeros((len(codes), len(areas)), bool)
    for body in found.bodies[0]:
        for code in body["members"]:
            member[codes.index(code), areas.index(body["area"])] = True
    for quarter in range(found.scenario.horizon):
        for row in found.events[found.events["quarter"] == quarter].itertuples():
            a = areas.index(row.area)
            if row.event in ("left", "withdrawn", "dissolved"):
                member[codes.index(row.region), a] = False
            elif row.event in ("founded", "joined", "mandated"):
                member[[codes.index(code) for code in (row.region, *row.partners)], a] = True
        assert (member == (trace[quarter, :, :, TRACE.index("body")] != NOBODY)).all(), quarter


def test_chances_and_draws_give_the_outcomes(world):
    rows = world[0].decisions.query("kind in @CHANCY")
    assert (rows["outcome"] == (rows["draw"] < rows["chance"])).all()
    assert rows["chance"].between(0.0, 1.0).all()


def test_channels_add_up_to_the_net_benefit_that_decides(world):
    rows = world[0].decisions.query("kind in ('judge', 'vote')")
    np.testing.assert_allclose(rows[list(JUDGED)].sum(axis=1), rows["own"], atol=1e-12)
    total = rows["own"] + rows["goodwill"] + rows["error"]
    np.testing.assert_allclose(total, rows["gain"], atol=1e-12)
    votes = rows[rows["kind"] == "vote"]
    assert (votes["outcome"] == (votes["gain"] > 0.0)).all()


def test_judgements_are_those_that_the_region_chose_from(world):
    decisions = world[0].decisions
    judged = decisions.query("kind == 'judge'")
    keys = ["quarter", "region", "area"]
    chosen = decisions.query("kind == 'choose' and outcome == 1").merge(
        judged[judged["outcome"] == 1], on=keys, how="left", suffixes=("", "_judged")
    )
    assert len(chosen) == (judged["outcome"] == 1).sum()
    assert chosen["gain"].to_numpy().tolist() == chosen["gain_judged"].to_numpy().tolist()


def test_counts_of_events_are_those_that_the_model_counts(world):
    found = world[0]
    counted = found.events.groupby(["quarter", "event"]).size().unstack(fill_value=0)
    counted = counted.reindex(
        index=range(found.scenario.horizon), columns=["opened", "refused"], fill_value=0
    )
    # The measure counts slots whose last negotiation opened in a quarter.
    assert counted["opened"].tolist() == found.quarters["opened"].tolist()
    assert counted["refused"].tolist() == found.quarters["refused"].tolist()


def test_a_vote_by_hand():
    found = replayed(3)[0]
    names = found.decisions.query("kind == 'vote'")
    for row in found.events.query("event in ('founded', 'joined', 'refused')").itertuples():
        if row.decision < 0:
            continue
        vote = names.loc[row.decision]
        assert vote["region"] == row.region
        assert set(vote["partners"]) == set(row.partners)


def test_futures_and_runs_are_those_of_simulate():
    scenario = make_scenario(4, horizon=6)
    settings = {"parameters.attention_base": 1.0}
    results = ks.simulate(
        scenario, ["voluntary"], futures={"default": settings}, runs=3, regions=False
    )
    found = ks.replay(scenario, "voluntary", run=2, future=settings)
    stored = results.quarters.query("run == 2")
    assert found.quarters["trust"].tolist() == stored["trust"].tolist()
    plausible = ks.replay(scenario, "voluntary", run=1, future="plausible-2")
    assert plausible.seed != found.seed
    pd.testing.assert_frame_equal(
        ks.replay(scenario, "voluntary", run=1, future="plausible-2").events, plausible.events
    )


def test_fewer_regions_are_the_same_run_with_a_shorter_log():
    scenario = random_scenario(5)
    whole = ks.replay(scenario, "mixed", run=1)
    code = scenario.regions.codes[1]
    part = ks.replay(scenario, "mixed", run=1, regions=[code])
    pd.testing.assert_frame_equal(whole.quarters, part.quarters)
    keys = ["quarter", "kind", "area", "region", "outcome", "gain", "chance"]
    one, other = (
        found.decisions.loc[found.decisions["region"] == code, keys].reset_index(drop=True)
        for found in (whole, part)
    )
    pd.testing.assert_frame_equal(one, other)
    assert set(part.decisions.query("kind == 'judge'")["region"]) <= {code}
    search = ("considered", "noticed", "judged")
    one, other = (
        found.events.loc[
            (found.events["region"] == code) | ~found.events["event"].isin(search),
            ["quarter", "event", "area", "region", "partners"],
        ].reset_index(drop=True)
        for found in (whole, part)
    )
    pd.testing.assert_frame_equal(one, other)


def test_traits_may_be_those_of_another_run():
    scenario = make_scenario(4, horizon=6, parameters={"attention_base": 2.0})
    found = ks.replay(scenario, "voluntary", traits=5)
    other = ks.replay(scenario, "voluntary", traits=6)
    assert found.quarters["trust"].tolist() != other.quarters["trust"].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": -1}, "run: -1 is not a whole number from 0"),
        ({"run": 1.5}, "run: 1.5 is not"),
        ({"traits": True}, "run: True is not"),
        ({"strategy": "voluntry"}, "did you mean 'voluntary'"),
        ({"future": "plausibel-1"}, "'plausibel-1' is not a future; did you mean 'plausible-1'"),
        ({"regions": ["R00"]}, "no region has the code 'R00'"),
        ({"seed": -1}, "seed: -1"),
    ],
)
def test_what_is_not_there_is_refused(change, message):
    scenario = make_scenario(3, horizon=2)
    arguments = {"strategy": "voluntary", "run": 0} | change
    with pytest.raises(InputError) as caught:
        ks.replay(scenario, **arguments)
    assert message in str(caught.value)
