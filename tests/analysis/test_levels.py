"""Strategies at other intensities: levels by hand, and cost in small worlds."""

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from kolabsim.analysis import levels as l
from kolabsim.analysis.comparison import compare
from kolabsim.errors import InputError
from kolabsim.scenario.futures import plausible_futures
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate
from kolabsim.study.experiment import Experiment
from kolabsim.study.tables import TABLES


class Made(l.Ladder):
    """Strategies whose cost is 1000 times a power of their level; mandates have none."""

    powers: ClassVar = {"a": 1.0, "b": 2.0}

    def __init__(self, *names):
        spec = SimpleNamespace(baseline="none", equal_cost=None)
        made = {
            name: SimpleNamespace(levers={}, mandates=["all"] if name == "mandate" else [])
            for name in ("none", *names)
        }
        super().__init__(
            SimpleNamespace(
                spec=spec, strategies=("none", *names), scenario=SimpleNamespace(strategies=made)
            ),
            None, None,
        )  # fmt: skip
        self.climbed = []

    @property
    def scalable(self):
        return [name for name in self.experiment.strategies if name in self.powers]

    @property
    def futures(self):
        return dict.fromkeys("xyz")

    def climb(self, wanted):
        for name, level in wanted:
            self.climbed.append((name, level))
            cost = 1000.0 * (level / l.FULL) ** self.powers[name]
            self.known[name, level] = np.full((2, 3, 2), cost)
        self.known["none", 0] = np.zeros((2, 3, 2))


def test_levels_of_equal_cost_by_hand():
    ladder = Made("a", "b")
    assert l.find_levels(ladder, 250.0) == {"a": 250, "b": 500}
    assert len(ladder.climbed) == 5  # full each, 500 each, 250 of a


def test_a_cost_between_two_levels_gets_the_nearer_one():
    assert l.find_levels(Made("a"), 3.3) == {"a": 3}
    assert l.find_levels(Made("a"), 1001.0) == {"a": l.FULL}


def test_a_cost_out_of_reach_is_refused_with_what_is_possible():
    with pytest.raises(InputError) as refusal:
        l.find_levels(Made("a", "free", "b"), 2000.0)
    assert [problem.message for problem in refusal.value.problems] == [
        "equal_cost: 'a' costs 1e+03 a year at full intensity, less than 2000; lower equal_cost, "
        "or leave it out of 'strategies'",
        "equal_cost: 'free' has no programme cost at any intensity; leave it out of 'strategies'",
        "equal_cost: 'b' costs 1e+03 a year at full intensity, less than 2000; lower equal_cost, "
        "or leave it out of 'strategies'",
        "equal_cost: at most 1e+03 a year is possible for all strategies with a cost",
    ]


def test_the_cost_that_is_equal_is_beyond_the_baselines():
    """Reports show costs beyond the baseline's, so the same number is asked for."""

    class Costly(Made):
        def climb(self, wanted):
            super().climb(wanted)
            for values in self.known.values():
                values += 400.0
            self.known["none", 0] = np.full((2, 3, 2), 400.0)

    ladder = Costly("a")
    ladder.climb([("a", l.FULL)])
    assert ladder.cost("a", l.FULL) == pytest.approx(1000.0)


def test_a_cost_below_the_least_level_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="no intensity of 'a' costs about"):
        l.find_levels(Made("a"), 0.01)


def test_mandates_take_part_as_they_are():
    """A duty has no intensity: the others are scaled, and it keeps its own cost."""
    assert l.find_levels(Made("a", "mandate"), 250.0) == {"a": 250}


def test_the_frontier_begins_at_nothing_and_rises_with_the_level():
    found = l.frontier(Made("a", "b", "mandate"))
    assert found["strategy"].tolist() == ["a"] * 5 + ["b"] * 5
    assert found["cost"].tolist() == [
        0.0,
        250.0,
        500.0,
        750.0,
        1000.0,
        0.0,
        62.5,
        250.0,
        562.5,
        1000.0,
    ]
    assert (found["difference"] == found["cost"]).all()
    assert (found["futures"] == 3).all()


def test_levels_keep_the_proportions_of_levers_and_their_phases():
    scenario = Scenario.load("kartamantul").with_(
        {
            "strategies.two.mechanisms.forum": [
                {"from": 0, "until": 8, "intensity": 0.4}, {"from": 8, "intensity": 0.2}
            ],
            "strategies.two.support.ngo": {"intensity": 0.1, "targets": "poorest"},
        }
    )  # fmt: skip
    assert l.strength(scenario, "two") == 0.4
    found = l.with_levels(scenario, {"two": 500}).strategies["two"].levers
    assert [phase.intensity for phase in found["forum"]] == [0.5, 0.25]
    assert [phase.from_ for phase in found["forum"]] == [0, 8]
    assert (found["ngo"][0].intensity, found["ngo"][0].targets) == (0.125, "poorest")
    as_before = l.with_levels(scenario, {"two": 400})
    assert as_before.strategies["two"].levers == scenario.strategies["two"].levers


@pytest.fixture
def experiment(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(
        "kind: comparison\nscenario: kartamantul\nset: {horizon: 8}\n"
        "strategies: [voluntary, forum, team]\nruns: 2\nequal_cost: 3.0e+8\n"
        "futures: {usual: {}, dear: {parameters.startup_cost: 1.0}}\n"
    )
    return Experiment.load(path)


def test_strategies_cost_the_same_and_nothing_is_simulated_twice(experiment, tmp_path):
    runs = []

    def run(study):
        runs.append(study.run())
        return runs[-1]

    scaled, ladder = l.equalise(experiment, tmp_path / "out", run)
    found = l.find_levels(ladder, 3e8)
    for name, level in found.items():
        assert ladder.cost(name, level) == pytest.approx(3e8, rel=0.01)
    levers = scaled.scenario.strategies["forum"].levers
    assert levers["forum"][0].intensity == pytest.approx(found["forum"] / l.FULL)
    assert sum(one.done for one in runs) > 0
    runs.clear()
    again, _ladder = l.equalise(experiment, tmp_path / "out", run)
    assert sum(one.done for one in runs) == 0
    assert again.scenario.strategies == scaled.scenario.strategies


@pytest.fixture(scope="module")
def varied():
    scenario = Scenario.load("kartamantul").with_(horizon=8)
    names = ["voluntary", "forum", "full_package", "mandate", "grants"]
    results = simulate(scenario, names, futures=plausible_futures(8, scenario), runs=2, seed=5)
    return results, compare(results)


def test_strategies_for_the_same_money_cost_the_same(varied):
    results, comparison = varied
    table = l.same_money(results, comparison).set_index("strategy")
    reference = table["reference"].iloc[0]
    target = table.loc[reference, "cost"]
    assert table["cost"].to_numpy() == pytest.approx(target, rel=2 * l.NEAR)
    assert table["level"].drop(reference).ne(1.0).any()
    assert "mandate" not in table.index or table.loc["mandate", "level"] == 1.0
    assert (table["futures"] == 8).all()
    assert table["difference"].is_monotonic_decreasing
    assert ["strategy", *table.columns] == [*TABLES["same_money"].names({})]


def test_a_strategy_that_is_not_scaled_has_the_numbers_of_the_comparison(varied):
    results, comparison = varied
    table = l.same_money(results, comparison).set_index("strategy")
    net = comparison.table("realised_benefit")
    for name in table.index[table["level"] == 1.0]:
        for column in ("difference", "low", "high", "better_share"):
            assert table.loc[name, column] == pytest.approx(net.loc[name, column])


def test_the_same_money_is_that_of_the_cheapest_that_is_better(varied, monkeypatch):
    """Whatever is not better than the baseline cannot set the cost, however cheap."""
    results, comparison = varied
    net = comparison.ranges.copy()
    here = (net["measure"] == "realised_benefit") & (net["strategy"] == "full_package")
    net["verdict"] = np.where(here, "likely better", "depends")
    monkeypatch.setattr(comparison.__class__, "table", lambda _self, measure: (
        net[net["measure"] == measure].set_index("strategy")))  # fmt: skip
    assert set(l.same_money(results, comparison)["reference"]) == {"full_package"}


def test_nothing_is_scaled_where_fewer_than_two_strategies_cost_anything():
    scenario = Scenario.load("kartamantul").with_(horizon=4)
    results = simulate(scenario, ["voluntary", "forum"], runs=3)
    assert l.same_money(results, compare(results)).empty


def test_in_one_future_the_same_money_has_intervals_over_runs():
    scenario = Scenario.load("kartamantul").with_(horizon=4)
    results = simulate(scenario, ["voluntary", "forum", "full_package"], runs=12)
    table = l.same_money(results, compare(results))
    assert len(table) == 2
    assert (table["futures"] == 1).all()
    assert (table["low"] < table["high"]).all()
