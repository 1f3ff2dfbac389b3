import numpy as np
import pandas as pd
import pytest

from kolabsim.analysis.comparison import compare
from kolabsim.analysis.convergence import convergence, sizes
from kolabsim.analysis.influence import influence, ranking
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate


@pytest.fixture(scope="module")
def results():
    scenario = Scenario.load("kartamantul").with_(horizon=8)
    futures = {
        "first": {},
        "same": {"parameters.attention_base": scenario.parameters.get("attention_base", -5.0)},
        "dear": {"parameters.startup_cost": 1.0, "parameters.transition_cost": 0.1},
    }
    return simulate(scenario, ["voluntary", "forum", "team"], futures=futures, runs=20, seed=2)


def drawn(number: int, seed: int = 0) -> dict[str, dict[str, object]]:
    """Futures in which two numbers and a word vary together."""
    luck = np.random.default_rng(seed)
    return {
        f"f{k}": {"a": luck.random(), "b": luck.random(), "word": str(luck.choice(list("xyz")))}
        for k in range(number)
    }


def test_what_the_difference_follows_is_found_and_comes_first():
    futures = drawn(20)
    difference = pd.Series({name: 3.0 - one["b"] for name, one in futures.items()})
    found = ranking(futures, difference, 0.05, 1)
    assert found["setting"].iloc[0] == "b"
    assert found["correlation"].iloc[0] == pytest.approx(-1.0)
    assert found["lower"].iloc[0] > found["upper"].iloc[0]
    assert found["moves"].tolist() == [True, False, False]


def test_a_word_can_come_first_too():
    futures = drawn(24)
    worth = {"x": 0.0, "y": 2.0, "z": 1.0}
    difference = pd.Series(
        {name: worth[one["word"]] + one["a"] / 100 for name, one in futures.items()}
    )
    found = ranking(futures, difference, 0.05, 1)
    assert found["setting"].iloc[0] == "word"
    assert found["moves"].iloc[0]
    assert np.isnan(found["correlation"].iloc[0])


def test_chance_is_taken_for_influence_no_more_often_than_the_level_allows():
    luck = np.random.default_rng(5)
    futures = drawn(12)
    alarms = [
        ranking(futures, pd.Series(luck.random(12), list(futures)), 0.05, k)["moves"].any()
        for k in range(60)
    ]
    assert sum(alarms) <= 8  # at 5 % more than 8 of 60 come once in a hundred times


def test_few_futures_are_not_ranked():
    futures = drawn(7)
    difference = pd.Series({name: one["a"] for name, one in futures.items()})
    assert not len(ranking(futures, difference, 0.05, 1))


def test_a_future_that_changes_little_is_told_by_itself(results):
    comparison = compare(results)
    found = influence(results, comparison, "team")
    assert set(found.alone["future"]) == {"same", "dear"}
    assert not len(found.ranked)
    here = comparison.table("realised_benefit", future="dear").loc["team", "difference"]
    usual = comparison.table("realised_benefit").loc["team", "difference"]
    row = found.alone.set_index("future").loc["dear"]
    assert row["difference"] == pytest.approx(here)
    assert row["shift"] == pytest.approx(here - usual)
    assert row["low"] <= row["shift"] <= row["high"]


def test_all_runs_say_what_the_comparison_says(results):
    comparison = compare(results)
    found = convergence(results, comparison)
    assert found["runs"].tolist() == [10, 20]
    last, order = found.iloc[-1], comparison.order()
    row = comparison.table("realised_benefit").loc[order[0]]
    assert last["best"] == order[0]
    assert tuple(last[["difference", "low", "high"]]) == pytest.approx(
        tuple(row[["difference", "low", "high"]])
    )
    next_ = compare(results, baseline=order[1]).table("realised_benefit").loc[order[0]]
    assert last["lead"] == pytest.approx(next_["difference"])
    fewer = compare(
        type(results)(**{**vars(results), "runs": results.runs[results.runs["run"] < 10]})
    )
    row = fewer.table("realised_benefit").loc[order[0]]
    assert found["low"].iloc[0] == pytest.approx(row["low"])


def test_runs_are_halved_until_they_are_few():
    assert sizes(500) == [15, 31, 62, 125, 250, 500]
    assert sizes(9) == [9]
    assert sizes(2) == [2]
