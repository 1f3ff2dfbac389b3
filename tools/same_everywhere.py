"""Print a digest of results, which must be the same with every Python, Mesa and numba.

Histories and regional figures of three shipped scenarios under two strategies, two runs each, to
the last bit; ``make compatibility`` compares what the interpreters print:

    python tools/same_everywhere.py
"""

from __future__ import annotations

import hashlib
import sys

import numpy as np

from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.scenario.scenario import Scenario

SCENARIOS = ("kartamantul", "jabodetabek", "small-towns")
STRATEGIES = ("voluntary", "forum")


def digest() -> str:
    """SHA-256 over all histories and figures."""
    found = hashlib.sha256()
    for name in SCENARIOS:
        scenario = Scenario.load(name)
        for strategy in STRATEGIES:
            task = build_task(scenario, scenario.strategies[strategy], seed=1)
            block = run_block(task, np.arange(2))
            found.update(block.history.astype("<f8").tobytes())
            found.update(block.figures.astype("<f8").tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(f"{digest()}\n")
