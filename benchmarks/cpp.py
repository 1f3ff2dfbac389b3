"""The loop of the ensemble against a port of it to C++: equal results first, then times.

python benchmarks/cpp.py [REGIONS ...]
"""

from __future__ import annotations

import ctypes
import json
import math
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from kolabsim.engine.ensemble import Task, build_task, new_state, run_block
from kolabsim.model import decision_rules, laws, levers, measures, parameters, rng, stages, state
from kolabsim.model.compiler import PORTABLE, is_portable
from kolabsim.scenario.scenario import Scenario

SOURCES = Path(__file__).parent / "cpp"
FLAGS = ("-O3", "-ffp-contract=off", "-std=c++17", "-shared", "-fPIC")
"""No -ffast-math: it would change results."""
SIZES = (7, 30, 390, 5000)
NO_COMPILER = "the comparison with C++ needs g++, which this machine lacks"


# The port -----------------------------------------------------------------------------------------


def compiler() -> str | None:
    """The C++ compiler, if there is one."""
    return shutil.which("g++")


def number(value: float) -> str:
    """A number as C++ writes it, exactly."""
    if isinstance(value, int):
        return str(value)
    return f"{'-' if value < 0 else ''}{INFINITY}" if math.isinf(value) else float(value).hex()


INFINITY = "std::numeric_limits<double>::infinity()"


def constants(names: Iterable[str], module: ModuleType) -> str:
    """Declarations of the numbers of a module."""
    lines = []
    for name in names:
        value = getattr(module, name)
        kind = "int64_t" if isinstance(value, int) else "double"
        lines.append(f"constexpr {kind} {name} = {number(value)};")
    return "\n".join(lines)


def numbers_of(module: ModuleType) -> list[str]:
    """Names of the numbers that a module declares or shares."""
    return [
        name for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int | float) and not isinstance(value, bool)
    ]  # fmt: skip


def record(title: str, kind: np.dtype) -> str:
    """The declaration of a record: all columns are eight bytes wide."""
    columns = " ".join(
        f"{'double' if kind[name] == np.float64 else 'int64_t'} {name};" for name in kind.names
    )
    return f"struct {title} {{ {columns} }};"


def layout() -> str:
    """The header that says how Python lays out its arrays, and the numbers of the model."""
    rule = decision_rules.rule_record(decision_rules.RULES["logit"], {}).dtype
    records = {
        "Region": state.REGION, "Slot": state.SLOT, "Contact": state.CONTACT, "Body": state.BODY,
        "Area": state.AREA, "Moment": state.MOMENT, "Option": state.OPTION, "Shock": state.SHOCK,
    }  # fmt: skip
    shared, seen = [], set()
    for module in (parameters, levers):
        names = [name for name in numbers_of(module) if name not in seen]
        seen.update(names)
        shared.append(constants(names, module))
    terms = levers.TERMS
    return "\n".join([
        "#pragma once",
        "#include <cstdint>",
        "#include <limits>",
        "using std::int64_t;",
        *(record(title, state.record_type(columns)) for title, columns in records.items()),
        record("Parameters", parameters.RECORD),
        record("Rule", rule),
        *shared,
        constants(("NOBODY", "DIMENSIONS", "CULTURE", "INTERESTS", "PROVIDER", "BUYER"), state),
        constants(("STEEPEST", "SIXTH"), laws),
        constants(("DRIFT", "DAMAGE", "MENDING"), stages),
        constants(("FIRST_CHANNEL", "CHANNEL_COUNT"), measures),
        f"constexpr int64_t MEASURE_COUNT = {len(measures.MEASURES)};",
        f"constexpr int64_t REGION_WIDTH = {len(measures.REGION_MEASURES)};",
        f"namespace rng {{ {constants(numbers_of(rng), rng)} }}",
        f"namespace Row {{ enum : int {{ {', '.join(state.SUMS)} }}; }}",
        f"namespace At {{ enum : int {{ {', '.join(measures.MEASURES)} }}; }}",
        f"namespace Term {{ enum : int {{ {', '.join(terms)} }}; }}",
        f"constexpr int64_t TERMS = {len(terms)};",
        f"constexpr double LEAST[] = {{{', '.join(number(t.least) for t in terms.values())}}};",
        f"constexpr double MOST[] = {{{', '.join(number(t.most) for t in terms.values())}}};",
        "",
    ])  # fmt: skip


@cache
def build(*flags: str) -> Callable:
    """Compile the port; the function runs a block and writes its results into arrays."""
    program = compiler()
    if program is None:
        raise SystemExit(NO_COMPILER)
    level = ()
    if platform.machine() == "x86_64" and is_portable():
        level = (f"-march={PORTABLE['x86_64']}",)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "layout.hpp").write_text(layout(), encoding="utf-8")
        subprocess.run(
            [program, *FLAGS, *level, *flags, f"-I{folder}", str(SOURCES / "loop.cpp"),
             "-o", str(folder / "loop.so")],
            check=True,
        )  # fmt: skip
        return ctypes.CDLL(str(folder / "loop.so")).simulate_runs


def pointers(arrays: Iterable[np.ndarray]) -> ctypes.Array:
    """The addresses of arrays, which must lie as the port expects."""
    found = []
    for array in arrays:
        if not array.flags.c_contiguous or array.dtype.kind == "b":
            raise TypeError("the port reads contiguous arrays of records and 64-bit numbers")
        found.append(array.ctypes.data)
    return (ctypes.c_void_p * len(found))(*found)


def run_port(
    task: Task, runs: np.ndarray, room: state.State | None = None, flags: tuple[str, ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """A block of runs in C++: history and figures, as ``run_block`` gives them."""
    if task.rule is not None or task.extensions.rules:
        raise ValueError("the port has the built-in rules only")
    loop, world, policy = build(*flags), task.world, task.policy
    runs, room = np.array(runs, np.int64), room or new_state(world)
    regions, areas = room.slot.shape
    sizes = (
        regions, areas, len(room.contact), len(room.body), room.sums.shape[1], len(world.shock),
        len(world.body), len(world.leaving), policy.rate.shape[2], len(policy.mandate),
    )  # fmt: skip
    history = np.full((len(runs), int(world.setting[0].horizon), len(task.measures)), np.nan)
    figures = np.zeros((len(runs), regions, areas, len(measures.REGION_MEASURES)))
    loop(
        pointers(world), pointers(room), pointers(policy), (ctypes.c_int64 * len(sizes))(*sizes),
        ctypes.c_void_p(task.parameters.__array_interface__["data"][0]),
        ctypes.c_void_p(task.rule_parameters.__array_interface__["data"][0]),
        ctypes.c_int64(task.seed), ctypes.c_void_p(runs.ctypes.data), ctypes.c_int64(len(runs)),
        ctypes.c_void_p(history.ctypes.data), ctypes.c_void_p(figures.ctypes.data),
    )  # fmt: skip
    return history, figures


def unlike(task: Task, runs: np.ndarray, flags: tuple[str, ...] = ()) -> int:
    """How many numbers of a block differ between the port and the ensemble, to the last bit."""
    block, (history, figures) = run_block(task, runs), run_port(task, runs, flags=flags)
    pairs = ((block.history, history), (block.figures, figures))
    return sum(int((~((one == two) | (np.isnan(one) & np.isnan(two)))).sum()) for one, two in pairs)


# Measuring ----------------------------------------------------------------------------------------


EVERYTHING = {
    "mechanisms": dict.fromkeys(levers.MECHANISMS, 0.5),
    "support": dict.fromkeys(levers.SUPPORTERS, 0.5),
}


def task(regions: int, strategy: str = "voluntary") -> Task:
    """So many regions of small towns, as dense at every size; 7 are those of kartamantul.

    The strategy ``everything`` has all mechanisms and supporters.
    """
    changes: dict[str, object] = {"strategies.everything": EVERYTHING}
    if regions == 7:
        scenario = Scenario.load("kartamantul").with_(changes)
    else:
        scenario = Scenario.load("small-towns").with_(changes | {
            "regions.synthetic.number": regions,
            "regions.synthetic.tiers": max(1, regions // 32),
            "regions.synthetic.extent_km": 180 * (regions / 390) ** 0.5,
        })  # fmt: skip
    return build_task(scenario, scenario.strategies[strategy], seed=1)


def ratio(regions: int, strategy: str = "voluntary", repeats: int = 0) -> dict[str, float]:
    """Time of a block of runs in the ensemble over that in C++, in turn, the shortest of each.

    Blocks are short and there are many of them, so that each side finds the machine idle once.
    """
    work = task(regions, strategy)
    found = unlike(work, np.arange(3 if regions < 1000 else 1))
    if found:
        raise SystemExit(f"{found} numbers of {regions} regions, {strategy}, differ from the port")
    room, runs = new_state(work.world), np.arange(max(1, 300 // regions))
    sides = (lambda: run_block(work, runs, state=room), lambda: run_port(work, runs, room))
    best = [math.inf, math.inf]
    for _ in range(repeats or (40 if regions < 1000 else 10)):
        for side, run in enumerate(sides):
            started = time.process_time()
            run()
            best[side] = min(best[side], time.process_time() - started)
    own, other = best
    return {
        "over_cpp": own / other, "milliseconds_a_run": 1e3 * own / len(runs),
        "milliseconds_a_run_cpp": 1e3 * other / len(runs),
    }  # fmt: skip


def ratios(sizes: Iterable[int] = SIZES) -> dict[str, dict[str, float]]:
    """The ratio at each number of regions, once results were found equal to the last bit.

    Two strategies: ``voluntary``, and one with all mechanisms and supporters.
    """
    return {
        f"{regions}_{strategy}": ratio(regions, strategy)
        for regions in sizes
        for strategy in ("voluntary", "everything")
    }


if __name__ == "__main__":
    print(json.dumps(ratios([int(word) for word in sys.argv[1:]] or SIZES), indent=2))
