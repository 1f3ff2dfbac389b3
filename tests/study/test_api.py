import numpy as np
import pandas as pd
import pytest

import kolabsim as ks
from kolabsim.model.measures import MEASURES, REGION_MEASURES
from kolabsim.study.tasks import in_future, run_figures
from tests.builders import make_scenario


@pytest.fixture(scope="module")
def tiny():
    return make_scenario(5, strategies={"both": {"mechanisms": {"team": 0.8, "forum": 0.4}}})


@pytest.fixture(scope="module")
def results(tiny):
    futures = {"as_is": {}, "dear": {"parameters.information_cost": 0.06}}
    return ks.simulate(tiny, ["voluntary", "both"], futures=futures, runs=70, seed=3)


def test_tables_have_a_row_for_everything_and_a_column_for_every_measure(results):
    assert list(results.runs) == ["strategy", "future", "run", *MEASURES]
    assert len(results.runs) == 2 * 2 * 70
    assert list(results.quarters) == ["strategy", "future", "run", "quarter", *MEASURES]
    assert len(results.quarters) == 2 * 2 * 70 * 12
    assert list(results.regions)[:5] == ["strategy", "future", "run", "region", "area"]
    assert set(REGION_MEASURES) <= set(results.regions)
    assert len(results.regions) == 2 * 2 * 70 * 5 * 2
    assert not results.runs.duplicated(["strategy", "future", "run"]).any()


def test_a_future_is_resolved_once(tiny):
    settings = {"parameters.information_cost": 0.06}
    world = in_future(tiny, settings)
    assert world is in_future(tiny, dict(settings))
    assert world.resolved() == tiny.with_(settings).resolved() != tiny.resolved()
    assert in_future(tiny.with_(horizon=4), settings).horizon == 4


def test_strategies_and_futures_keep_the_order_given(results):
    assert list(results.runs["strategy"].cat.categories) == ["voluntary", "both"]
    assert list(results.runs["future"].cat.categories) == ["as_is", "dear"]


def test_more_runs_keep_the_first_ones(tiny, results):
    more = ks.simulate(tiny, ["voluntary"], runs=130, seed=3, regions=False)
    first = more.runs[more.runs["run"] < 70].drop(columns=["strategy", "future"])
    before = results.runs.query("strategy == 'voluntary' and future == 'as_is'")
    pd.testing.assert_frame_equal(
        first.reset_index(drop=True),
        before.drop(columns=["strategy", "future"]).reset_index(drop=True),
        check_exact=True,
    )


def test_a_future_is_what_the_changed_scenario_gives(tiny, results):
    changed = tiny.with_({"parameters.information_cost": 0.06})
    alone = ks.simulate(changed, ["both"], runs=70, seed=3)
    there = results.runs.query("strategy == 'both' and future == 'dear'")
    names = list(MEASURES)
    np.testing.assert_array_equal(alone.runs[names].to_numpy(), there[names].to_numpy())


def test_threads_do_not_matter(tiny):
    one = ks.simulate(tiny, runs=70, threads=1)
    two = ks.simulate(tiny, runs=70, threads=2)
    for name in ("runs", "quarters", "regions"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)


def test_progress_adds_up(tiny):
    seen = []
    ks.simulate(tiny, ["voluntary", "both"], runs=70, progress=seen.append)
    assert sum(seen) == 140


def test_traits_share_what_regions_are(tiny):
    same = ks.simulate(tiny, ["voluntary"], runs=4, traits=[0, 0, 1, 1])
    start = same.quarters.query("quarter == 0").set_index("run")["quality"]
    assert start[0] == start[1]
    assert start[2] == start[3]
    assert start[0] != start[2]


def test_everything_wrong_is_reported_at_once_before_the_first_run(tiny):
    with pytest.raises(ks.InputError) as message:
        ks.simulate(tiny, ["voluntry", "both"], runs=0, seed=-1)
    text = str(message.value)
    assert "did you mean 'voluntary'" in text
    assert "runs: 0" in text
    assert "seed: -1" in text


def test_more_runs_than_an_experiment_may_have_are_refused(tiny):
    with pytest.raises(ks.InputError, match="runs: 1000000000000 is too large"):
        ks.simulate(tiny, ["voluntary"], runs=10**12)
    with pytest.raises(ks.InputError, match="'1' is not a strategy"):
        ks.simulate(tiny, [1], runs=2)


@pytest.mark.parametrize("seed", [None, 1.5, True, -1])
def test_a_seed_is_a_whole_number(tiny, seed):
    with pytest.raises(ks.InputError, match="seed"):
        ks.simulate(tiny, runs=2, seed=seed)


def test_seed_0_is_a_seed_like_any_other(tiny):
    zero, one, again = (ks.simulate(tiny, ["voluntary"], runs=8, seed=s) for s in (0, 1, 0))
    assert not zero.runs.equals(one.runs)
    pd.testing.assert_frame_equal(zero.runs, again.runs, check_exact=True)


def test_a_future_must_not_change_what_there_is(tiny):
    with pytest.raises(ks.InputError, match="must not change regions, areas or the horizon"):
        ks.simulate(tiny, runs=2, futures={"longer": {"horizon": 20}})


def test_figures_are_last_year_sums_and_ratios():
    names = list(MEASURES)
    history = np.zeros((1, 6, len(names)))
    history[0, :, names.index("trust")] = [9, 9, 1, 2, 3, 4]
    history[0, :, names.index("saving")] = [1, 2, 3, 4, 5, 6]
    history[0, :, names.index("deciding")] = [0, 6, 0, 0, 0, 2]
    history[0, :, names.index("agreements")] = [0, 2, 0, 0, 0, 2]
    history[0, :, names.index("decision_time")] = [np.nan, 3, np.nan, np.nan, np.nan, 1]
    history[0, :, names.index("trust_in_bodies")] = [1, 1, np.nan, np.nan, np.nan, 0.5]
    history[0, :, names.index("body_age")] = np.nan
    figures = dict(zip(names, run_figures(history)[0], strict=True))
    assert figures["trust"] == 2.5
    assert figures["saving"] == 21
    assert figures["decision_time"] == 8 / 4
    assert figures["trust_in_bodies"] == 0.5
    assert np.isnan(figures["body_age"])
    assert np.isnan(figures["saving_per_cost"])
