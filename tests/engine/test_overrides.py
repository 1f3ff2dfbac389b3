"""Settings written straight into a task give the bits of the scenario with that setting."""

import numpy as np
import pytest

from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.engine.overrides import build_base, is_lever, is_quick, vary
from kolabsim.model.declare import decision_rule
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.factors import list_factors

RUNS = np.arange(3)


def histories(task):
    return run_block(task, RUNS, regions=False).history


@pytest.fixture(scope="module")
def scenario():
    return Scenario.load("kartamantul").with_({"horizon": 16})


@pytest.mark.parametrize("strategy", ["voluntary", "team_and_monitoring", "grants", "mandate"])
def test_all_quick_factors_at_once(scenario, strategy):
    names = [name for name in list_factors(scenario) if is_quick(name)]
    draw = np.random.default_rng(3)
    base = build_base(scenario, strategy, seed=5, names=names)
    for _try in range(3):
        values = [list_factors(scenario)[name].at(draw.random()) for name in names]
        keys = [f"{name}.intensity" if is_lever(name) else name for name in names]
        changed = scenario.with_(dict(zip(keys, values, strict=True)))
        expected = histories(build_task(changed, changed.strategies[strategy], seed=5))
        np.testing.assert_array_equal(histories(vary(base, names, values)), expected)


@pytest.mark.parametrize("name", ["culture_spread", "past_trust", "honour_base", "learning"])
def test_one_parameter_changes_what_it_should(scenario, name):
    base = build_base(scenario, "voluntary", seed=5, names=[])
    value = PARAMETERS[name].high
    changed = scenario.with_({f"parameters.{name}": value})
    expected = histories(build_task(changed, changed.strategies["voluntary"], seed=5))
    found = histories(vary(base, [f"parameters.{name}"], [value]))
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found, histories(base.task), equal_nan=True)


def test_a_lever_of_nothing_is_no_lever(scenario):
    names = [f"{kind}.{name}" for kind, name in (("mechanisms", "forum"), ("support", "ngo"))]
    base = build_base(scenario, "voluntary", seed=5, names=names)
    plain = histories(build_task(scenario, scenario.strategies["voluntary"], seed=5))
    np.testing.assert_array_equal(histories(vary(base, names, [0.0, 0.0])), plain)


def test_whom_support_helps_and_what_it_may_spend(scenario):
    names = ["support.government", "support.government.budget"]
    whom = {"support.government.targets": "smallest"}
    base = build_base(scenario, "voluntary", seed=5, names=names, settings=whom)
    found = histories(vary(base, names, [0.8, 2.0e9]))
    changed = scenario.with_(
        {"support.government": {"intensity": 0.8, "targets": "smallest", "budget": 2.0e9}}
    )
    expected = histories(build_task(changed, changed.strategies["voluntary"], seed=5))
    np.testing.assert_array_equal(found, expected)
    everybody = build_base(scenario, "voluntary", seed=5, names=names)
    assert not np.array_equal(
        found, histories(vary(everybody, names, [0.8, 2.0e9])), equal_nan=True
    )


def test_a_rule_parameter(scenario):
    logit = scenario.with_({"decision": "logit"})
    base = build_base(logit, "voluntary", seed=5, names=[])
    changed = logit.with_({"parameters.logit.temperature": 0.08})
    expected = histories(build_task(changed, changed.strategies["voluntary"], seed=5))
    found = histories(vary(base, ["parameters.logit.temperature"], [0.08]))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.long
def test_a_rate_of_a_rule_of_ones_own_is_used_by_the_quarter_and_is_no_other_rules(scenario):
    """The rule follows its draw at a yearly pace; another rule has a parameter of the same name."""
    pace = Parameter(0.2, 0.1, 0.9, most=0.99, rate=True, meaning="chance a year to act")

    @decision_rule(pace=pace)
    def paced(options, me, draw, p):
        """Act at a pace."""
        return 1 if draw < p.pace else 0

    @decision_rule(pace=pace)
    def other(options, me, draw, p):
        """Act at a pace, too."""
        return 1 if draw < p.pace else 0

    busy = scenario.with_({"decision": "paced", "parameters.attention_base": 0})
    base = build_base(busy, "voluntary", seed=5, names=[])
    usual, changed = histories(base.task), busy.with_({"parameters.paced.pace": 0.9})
    expected = histories(build_task(changed, changed.strategies["voluntary"], seed=5))
    assert not np.array_equal(expected, usual, equal_nan=True)
    found = histories(vary(base, ["parameters.paced.pace"], [0.9]))
    np.testing.assert_array_equal(found, expected)
    same = histories(vary(base, ["parameters.other.pace"], [0.9]))
    np.testing.assert_array_equal(same, usual)


def test_a_lever_of_one_strategy_keeps_its_times_and_payer():
    phase = {"intensity": 1.0, "from": 2, "until": 9, "phase_out": 3, "paid_by": "tier"}
    scenario = Scenario.load("kartamantul").with_({"strategies.mine.mechanisms.forum": phase})
    name = "strategies.mine.mechanisms.forum"
    assert is_quick(name)
    made = vary(build_base(scenario, "mine", seed=1, names=[name]), [name], [0.3])
    other = scenario.with_({f"{name}.intensity": 0.3})
    expected = build_task(other, other.strategies["mine"], seed=1)
    for part in ("lever", "payer", "period", "counted"):
        one, two = (getattr(task.policy, part) for task in (made, expected))
        np.testing.assert_allclose(one, two, rtol=1e-12)
