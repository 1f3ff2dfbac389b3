"""The worlds that are measured: small towns as dense as Dutch municipalities at every size."""

from __future__ import annotations

from typing import Any


def towns(number: int, **changes: object) -> Any:
    """A scenario of so many regions with four areas and 40 quarters."""
    from kolabsim.scenario.scenario import Scenario

    size = {
        "regions.synthetic.number": number,
        "regions.synthetic.tiers": max(1, number // 32),
        "regions.synthetic.extent_km": 180 * (number / 390) ** 0.5,
    }
    return Scenario.load("small-towns").with_(size | changes)


def task(scenario: Any, strategy: str = "voluntary") -> Any:
    """What the ensemble needs for runs of a strategy."""
    from kolabsim.engine.ensemble import build_task

    return build_task(scenario, scenario.strategies[strategy], seed=1)


def runner(scenario: Any, runs: int, strategy: str = "voluntary", *, blocks: int = 1) -> Any:
    """A function that simulates so many runs on one core, in some blocks, once it is compiled."""
    import numpy as np

    from kolabsim.engine.ensemble import new_state, run_block

    work = task(scenario, strategy)
    state = new_state(work.world)
    run_block(work, np.arange(1), state=state)
    parts = np.array_split(np.arange(runs), blocks)
    return lambda: [run_block(work, part, state=state) for part in parts]


def seconds_a_run(number: int, runs: int, repeats: int = 3) -> float:
    """Shortest processor time of a run in the ensemble."""
    from benchmarks.reading import interleaved

    return interleaved({"run": (runner(towns(number), runs), runs)}, repeats)["run"]
