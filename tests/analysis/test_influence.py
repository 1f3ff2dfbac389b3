"""What moves the result of a comparison, in small worlds."""

import numpy as np
import pytest

from kolabsim.analysis.comparison import compare
from kolabsim.analysis.influence import difference_sources, influence, varied_settings
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate
from tests.builders import make_scenario


@pytest.fixture(scope="module")
def scenario():
    return Scenario.load("kartamantul").with_(horizon=8)


@pytest.fixture(scope="module")
def simulated(scenario):
    futures = {
        "first": {},
        "same": {"parameters.attention_base": scenario.parameters.get("attention_base", -5.0)},
        "costly": {"parameters.startup_cost": 1.0, "parameters.transition_cost": 0.1},
    }
    return simulate(scenario, ["voluntary", "forum", "team"], futures=futures, runs=20, seed=2)


def drawn_futures(number):
    """Futures that differ in five settings, of which the start-up cost matters most."""
    rng, names = (
        np.random.default_rng(1),
        ("notice", "decision_speed", "exit_base", "grant_strength"),
    )
    return {
        f"f{k}": {f"parameters.{name}": float(0.2 + 0.1 * rng.random()) for name in names}
        | {"parameters.startup_cost": k / number}
        for k in range(number)
    }


def test_a_future_that_changes_little_is_told_by_itself(simulated):
    comparison = compare(simulated)
    found = influence(simulated, comparison, "team")
    assert set(found.single["future"]) == {"same", "costly"}
    assert found.drivers is None
    here = comparison.table("realised_benefit", future="costly").loc["team", "difference"]
    usual = comparison.table("realised_benefit").loc["team", "difference"]
    row = found.single.set_index("future").loc["costly"]
    assert row["difference"] == pytest.approx(here)
    assert row["shift"] == pytest.approx(here - usual)
    assert row["low"] <= row["shift"] <= row["high"]


def test_futures_that_vary_settings_together_rank_them(scenario):
    futures = {"first": {}} | drawn_futures(24)
    results = simulate(scenario, ["voluntary", "mandate"], futures=futures, runs=3, seed=2)
    found = influence(results, compare(results), "mandate")
    assert found.drivers.futures == 24
    assert found.drivers.ranked["assumption"][0] == "parameters.startup_cost"
    assert found.drivers.ranked["moves"][0]
    assert not len(found.single)


def test_settings_that_few_futures_have_are_no_assumptions():
    futures = drawn_futures(9)
    futures["f1"]["form"] = "board"
    found = varied_settings({"first": {}, **futures, "alone": {"form": "lead"}}, ["alone"])
    assert [*found.index] == [*futures]
    assert "form" not in found


def test_variance_by_source_of_several_measures(scenario):
    names = ["trust", "realised_benefit"]
    found = difference_sources(scenario, "voluntary", "full_package", drawn_futures(9), names)
    assert found["measure"].tolist() == ["trust"] * 3 + ["realised_benefit"] * 3
    assert found["source"].tolist() == ["assumptions", "traits", "chance"] * 2
    assert found["share"].groupby(found["measure"]).sum().tolist() == pytest.approx([1.0, 1.0])
    assert (found["low"] <= found["high"]).all()
    again = difference_sources(scenario, "voluntary", "full_package", drawn_futures(9), names)
    assert found.equals(again)


def test_a_world_in_which_all_is_given_leaves_everything_to_chance():
    rows = [
        {
            "code": f"R{i}", "population": 20_000, "latitude": 0.1 * i, "longitude": 0.0,
            "capacity": 0.6, "stress": 0.3, "culture_1": 0, "culture_2": 0, "culture_3": 0,
            "interest_roads": 1, "goodwill": 0.25, "autonomy": 0.5,
        }
        for i in range(4)
    ]  # fmt: skip
    drawn = {"parameters": {"practice_cost": 0.0, "misperception": 0.0, "attention_base": -1.0}}
    drawn["strategies"] = {"voluntary": {}, "helped": {"mechanisms": {"team": 1.0, "forum": 1.0}}}
    scenario = make_scenario(rows, areas={"roads": {"curvature_below": 0.3}}, **drawn)
    found = difference_sources(scenario, "voluntary", "helped", {"": {}}, ["trust"])
    # Trust at the start and practice are still drawn, and weigh little.
    assert found.set_index("source").loc["traits", "low"] < 0.25
