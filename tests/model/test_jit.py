"""Sorting gives numpy's stable order; machine code is kept by what it depends on."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kolabsim.analysis import fairness
from kolabsim.engine.ensemble import build_task, new_state, run_block
from kolabsim.model import compiler, laws, rng
from kolabsim.model.jit import argsort, in_python
from kolabsim.model.version import digest
from kolabsim.scenario.scenario import Scenario

VALUES = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)


def agrees(values: np.ndarray) -> None:
    np.testing.assert_array_equal(argsort(values), np.argsort(values, kind="stable"))


@settings(deadline=None)  # the first compiles
@given(st.lists(VALUES, max_size=80))
def test_any_values(values) -> None:
    agrees(np.array(values))


@pytest.mark.parametrize("high", [1.7e308, np.inf])
def test_values_further_apart_than_numbers_reach(high) -> None:
    agrees(np.array([high, -high, 0.0] * 10))


@settings(deadline=None)  # the first compiles
@given(st.lists(st.sampled_from([0.0, -0.0, 0.25, 1.0, 3.0]), max_size=80))
def test_equal_values_stay_in_their_order(values) -> None:
    agrees(np.array(values))


@pytest.mark.parametrize("number", [1, 2, 3, 100, 3_000])
@pytest.mark.parametrize("shape", ["uniform", "peaked", "outlier", "few", "tiny", "huge"])
def test_many_values_of_any_shape(number, shape) -> None:
    random = np.random.default_rng(number)
    values = {
        "uniform": random.random(number),
        "peaked": random.beta(40, 40, number),
        "outlier": np.append(random.random(number - 1), 1e9),
        "few": random.integers(0, 4, number) / 3,
        "tiny": random.random(number) * 1e-320,
        "huge": (random.random(number) - 0.5) * 3e308,
    }[shape]
    agrees(values)


def test_code_that_is_kept_depends_on_all_files_of_its_room():
    """It is shared by all installations, and calls what other files of the room define."""
    inside = compiler._Locator(fairness.shapley_shares, fairness.__file__)
    assert inside.get_source_stamp() == digest("analysis") != digest("report")
    assert Path(inside.get_cache_path()).name == "analysis"
    outside = compiler._Locator(agrees, __file__)
    assert outside.get_source_stamp() != digest("analysis")
    assert "analysis" not in outside.get_cache_path()


def test_a_call_keeps_no_references_to_the_state() -> None:
    world = Scenario.load("kartamantul").with_({"horizon": 2})
    task = build_task(world, world.strategies["voluntary"], seed=1)
    state = new_state(task.world)
    before = [sys.getrefcount(array) for array in (*state, *task.world, *task.policy)]
    run_block(task, np.arange(2), state=state)
    after = [sys.getrefcount(array) for array in (*state, *task.world, *task.policy)]
    assert after == before, "arrays would stay in memory for ever"


def test_python_calls_functions_that_a_simulation_has_called() -> None:
    world = Scenario.load("kartamantul").with_({"horizon": 2})
    run_block(build_task(world, world.strategies["voluntary"], seed=1), np.arange(1))
    arguments = rng.Key(1, 2, 3), rng.CULTURE, 0, 3_583_516_155, 7
    with in_python():
        expected = rng.words.py_func(*arguments)
    assert rng.words(*arguments) == expected


def test_damaged_code_is_not_read_and_makes_room(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(compiler, "cache_folder", lambda: str(tmp_path))
    file = tmp_path / "linked" / ("0" * 20)
    file.parent.mkdir()
    file.write_bytes(b"half of it")
    with pytest.raises(FileNotFoundError):
        compiler._read(file.name, None)
    assert not file.exists()


@pytest.mark.parametrize(
    ("copied", "longest", "said"),
    [(True, 270, {"alwaysinline"}), (True, 0, set()), (False, 270, {"noinline"})],
)
def test_short_functions_are_copied_and_stages_are_not(copied, longest, said, monkeypatch) -> None:
    """What becomes of a long device function is left to LLVM."""
    monkeypatch.setattr(compiler, "SHORT", longest)
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}
    dispatcher = compiler.make_dispatcher(
        laws.closer.py_func, False, options | {"forceinline": copied}
    )
    dispatcher.compile((compiler.types.float64,) * 3)
    (made,) = dispatcher.overloads.values()
    assert {"alwaysinline", "noinline"} & set(made.library.get_llvm_str().split()) == said
