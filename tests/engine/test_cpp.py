"""The port to C++ in benchmarks/ gives the same results: one more transcription of the model."""

import numpy as np
import pytest

from benchmarks import cpp
from kolabsim.engine.ensemble import build_task
from tests.builders import make_scenario, random_scenario

RUNS = np.arange(1)
QUICK = ("-O0",)


def needs_compiler(test):
    return pytest.mark.skipif(cpp.compiler() is None, reason=cpp.NO_COMPILER)(test)


@needs_compiler
def test_random_worlds_give_the_same_bits():
    """Worlds of all rules, levers, targets, budgets, mandates, bodies and changes."""
    for seed in range(6):
        scenario = random_scenario(seed)
        task = build_task(scenario, scenario.strategies["mixed"], seed=7)
        assert cpp.unlike(task, RUNS, QUICK) == 0, seed


@needs_compiler
def test_another_world_is_told_apart():
    one, other = (
        build_task(scenario, scenario.strategies["voluntary"], seed=1)
        for scenario in (make_scenario(4, horizon=8), make_scenario(4, horizon=8, parameters={
            "quality_value": 0.7}))
    )  # fmt: skip
    history = cpp.run_port(one, RUNS, flags=QUICK)[0]
    assert np.array_equal(history, cpp.run_port(one, RUNS, flags=QUICK)[0], equal_nan=True)
    assert not np.array_equal(history, cpp.run_port(other, RUNS, flags=QUICK)[0], equal_nan=True)


def test_a_machine_without_a_compiler_is_told(monkeypatch):
    monkeypatch.setattr(cpp.shutil, "which", lambda _program: None)
    with pytest.raises(SystemExit, match="needs g\\+\\+"):
        cpp.build("-O1", "-DNEVER_BUILT")
