"""Mesa agents and the ensemble give the same histories, to the last bit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.engine.mesa_model import CollaborationModel, RegionalGovernment
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.jit import LARGE
from kolabsim.model.levers import (
    CONSENTS,
    FORM_SETTINGS,
    LEVERS,
    MECHANISMS,
    SHARES,
    SUPPORTERS,
    TARGETS,
    TRUSTS,
    UNIT_COSTS,
)
from kolabsim.model.measures import MEASURES
from kolabsim.scenario.scenario import Scenario
from tests.builders import make_scenario, random_scenario


def history_of(model):
    while model.running:
        model.step()
    return model.datacollector.get_model_vars_dataframe()[list(MEASURES)].to_numpy()


def block_of(scenario, strategy, seed=7, run=3):
    return run_block(
        build_task(scenario, scenario.strategies[strategy], seed=seed), np.array([run])
    )


def ensemble_of(scenario, strategy):
    return block_of(scenario, strategy).history[0]


class Own(RegionalGovernment):
    """Takes every step itself, so that a quarter is many calls in place of one."""

    def identify(self):
        super().identify()

    def communicate(self):
        super().communicate()

    def plan(self):
        super().plan()

    def coordinate(self):
        super().coordinate()

    def evaluate(self):
        super().evaluate()


def assert_equal(scenario, strategy="mixed", agents=Own):
    model = CollaborationModel(scenario, strategy, seed=7, run=3, agents=agents)
    np.testing.assert_array_equal(history_of(model), ensemble_of(scenario, strategy))


@pytest.mark.parametrize("seed", range(24))
def test_random_worlds(seed):
    """Random sizes, areas, levers, targets, budgets, mandates, bodies, changes and institutions."""
    scenario = random_scenario(seed)
    assert_equal(scenario)
    assert_equal(scenario, agents=RegionalGovernment)


@pytest.mark.parametrize("step", ["identify", "communicate", "plan", "coordinate", "evaluate"])
def test_one_region_that_does_otherwise_is_asked(step):
    """The quick way of a whole quarter at once is left for any agent that has a step of its own."""
    taken = []
    model = CollaborationModel(random_scenario(2), "mixed", seed=7, run=3)
    region = model.regional_governments[0]
    by_the_model = getattr(region, step)
    setattr(region, step, lambda: (taken.append(model.quarter), by_the_model()))
    for _quarter in range(3):
        model.step()
    assert taken == [0, 1, 2]


def test_what_is_changed_before_the_first_quarter_stays_changed():
    histories = []
    for agents in (RegionalGovernment, Own):
        model = CollaborationModel(random_scenario(2), "mixed", seed=7, run=3, agents=agents)
        for region in model.regional_governments:
            region.commitment = 0.97
        histories.append(history_of(model))
    np.testing.assert_array_equal(*histories)
    assert not np.array_equal(histories[0], ensemble_of(random_scenario(2), "mixed"))


def test_the_random_worlds_reach_everything():
    worlds = [random_scenario(seed) for seed in range(24)]
    assert {world.consent for world in worlds} == set(CONSENTS)
    assert {world.shares for world in worlds} == set(SHARES)
    assert {world.form for world in worlds} == set(FORM_SETTINGS)
    assert {world.decision for world in worlds} == set(BUILT_IN)
    assert {world.unit_cost for world in worlds} == set(UNIT_COSTS)
    assert {world.trust for world in worlds} == set(TRUSTS)
    strategies = [world.strategies["mixed"] for world in worlds]
    assert {name for one in strategies for name in one.levers} == set(LEVERS)
    targets = [
        phase.targets for one in strategies for part in one.support.values() for phase in part
    ]
    assert {target for target in targets if isinstance(target, str)} == set(TARGETS) - {"list"}
    assert any(not isinstance(target, str) for target in targets)
    assert any(
        phase.budget for one in strategies for part in one.support.values() for phase in part
    )
    assert any(one.mandates for one in strategies)
    assert any(body.mandated for world in worlds for body in world.bodies)
    assert any(not body.mandated for world in worlds for body in world.bodies)
    changed = {change.what for world in worlds for change in world.changes}
    assert changed == {"population", "stress", "demand", "trust", "election"}
    assert {len(world.areas) for world in worlds} >= {1, 3, 4, 5}


@pytest.mark.parametrize("regions", [1, 2, 3, 12])
def test_worlds_of_any_size(regions):
    areas = {name: {} for name in "abcdefghi"[: 10 - min(regions, 9)]}  # also more than two fours
    help_ = {"mechanisms": {"forum": 1.0, "planning": 1.0}, "support": {"government": 1.0}}
    scenario = make_scenario(
        regions, areas=areas, horizon=12, strategies={"s": help_}, parameters={"attention_base": -1}
    )
    assert_equal(scenario, "s")


@pytest.mark.parametrize("lever", LEVERS)
def test_each_lever_alone_at_full_intensity(lever):
    kind = "mechanisms" if lever in MECHANISMS else "support"
    scenario = make_scenario(5, horizon=16, strategies={"s": {kind: {lever: 1.0}}})
    assert_equal(scenario, "s")


@pytest.mark.parametrize("target", TARGETS[:-1])
@pytest.mark.parametrize("supporter", SUPPORTERS)
def test_each_target_of_each_supporter_within_a_budget(supporter, target):
    phase = {"intensity": 0.9, "targets": target, "share": 0.4, "budget": 20_000}
    scenario = make_scenario(5, horizon=12, strategies={"s": {"support": {supporter: phase}}})
    assert_equal(scenario, "s")


class Best(RegionalGovernment):
    """Best response in plain Python."""

    def choose(self, options, me, draw):
        return int(np.argmax(options.gain))


class Hermit(RegionalGovernment):
    """Never unites with anybody."""

    def choose(self, options, me, draw):
        return 0


def test_a_choice_overridden_in_python():
    assert_equal(random_scenario(4), agents=Best)  # seed 4: best response is the built-in rule
    model = CollaborationModel(make_scenario(6, horizon=12), agents=Hermit)
    assert history_of(model)[:, list(MEASURES).index("cooperation")].max() == 0


def test_the_order_of_agents_does_not_matter():
    orders = set()

    class Shuffled(CollaborationModel):
        def step(self):
            for agents in self.agents_by_type.values():
                agents.shuffle(inplace=True)
            orders.add(tuple(self.agents_by_type[Own].get("row")))
            super().step()

    for seed in (1, 2, 4):
        scenario = random_scenario(seed)
        model = Shuffled(scenario, "mixed", seed=7, run=3, agents=Own)
        np.testing.assert_array_equal(history_of(model), ensemble_of(scenario, "mixed"))
    assert len(orders) > 10


def test_plain_python_gives_the_same_bits(tmp_path):
    code = (
        "import numpy as np; from tests.builders import random_scenario;"
        "from tests.engine.test_parity import CollaborationModel, Own, block_of, history_of;"
        "s = random_scenario(2);"
        "model = CollaborationModel(s, 'mixed', seed=7, run=3, agents=Own);"
        "block = block_of(s, 'mixed');"
        f"np.savez({str(tmp_path / 'plain.npz')!r}, block.history[0], history_of(model),"
        "block.figures)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=root, capture_output=True, text=True,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    compiled = block_of(random_scenario(2), "mixed")
    expected = (compiled.history[0], compiled.history[0], compiled.figures)
    for plain, values in zip(np.load(tmp_path / "plain.npz").values(), expected, strict=True):
        np.testing.assert_array_equal(plain, values)


def test_a_world_too_large_for_a_cache():
    number = LARGE + 200
    changes = {"regions.synthetic.number": number, "regions.synthetic.tiers": 30}
    scenario = Scenario.load("small-towns").with_(
        changes | {"horizon": 10, "parameters": {"attention_base": 0.0}}
    )
    model = CollaborationModel(scenario, "voluntary", seed=7, run=3)
    np.testing.assert_array_equal(history_of(model), ensemble_of(scenario, "voluntary"))
    assert (model.state.body["members"] > 0).sum() > number / 2
