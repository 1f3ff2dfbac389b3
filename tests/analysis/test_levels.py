"""Strategies at other intensities: levels by hand, and cost in small worlds."""

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from kolabsim.analysis import levels as l
from kolabsim.errors import InputError
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.experiment import Experiment


class Made(l.Ladder):
    """Strategies whose cost is 1000 times a power of their level; mandates have none."""

    powers: ClassVar = {"a": 1.0, "b": 2.0}

    def __init__(self, *names):
        spec = SimpleNamespace(baseline="none", equal_cost=None)
        super().__init__(SimpleNamespace(spec=spec, strategies=("none", *names)), None, None)
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
    assert l.find_levels(Made("a"), 0.01) == {"a": 1}
    assert l.find_levels(Made("a"), 1001.0) == {"a": l.FULL}


def test_a_cost_out_of_reach_is_refused_with_what_is_possible():
    with pytest.raises(InputError) as refusal:
        l.find_levels(Made("a", "mandate", "b"), 2000.0)
    assert [problem.message for problem in refusal.value.problems] == [
        "equal_cost: 'a' costs 1e+03 a year at full intensity, less than 2000; lower equal_cost, "
        "or leave it out of 'strategies'",
        "equal_cost: 'mandate' has no programme cost at any intensity; leave it out of "
        "'strategies'",
        "equal_cost: 'b' costs 1e+03 a year at full intensity, less than 2000; lower equal_cost, "
        "or leave it out of 'strategies'",
        "equal_cost: at most 1e+03 a year is possible for all strategies with a cost",
    ]


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
        "strategies: [voluntary, forum, team]\nruns: 2\nequal_cost: 2.0e+9\n"
        "futures: {usual: {}, dear: {parameters.startup_cost: 1.0}}\n"
    )
    return Experiment.load(path)


def test_strategies_cost_the_same_and_nothing_is_simulated_twice(experiment, tmp_path):
    runs = []

    def run(study):
        runs.append(study.run())
        return runs[-1]

    scaled, ladder = l.equalise(experiment, tmp_path / "out", run)
    found = l.find_levels(ladder, 2e9)
    for name, level in found.items():
        assert ladder.cost(name, level) == pytest.approx(2e9, rel=0.01)
    levers = scaled.scenario.strategies["forum"].levers
    assert levers["forum"][0].intensity == pytest.approx(found["forum"] / l.FULL)
    assert sum(one.done for one in runs) > 0
    runs.clear()
    again, _ladder = l.equalise(experiment, tmp_path / "out", run)
    assert sum(one.done for one in runs) == 0
    assert again.scenario.strategies == scaled.scenario.strategies
