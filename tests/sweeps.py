"""Small sweeps for the tests of every room that they pass through."""

import numpy as np

from kolabsim import Experiment

LEVELS = {"team": (0.0, 1.0), "trust": (0.1, 0.2, 0.3)}
SWEEP = """\
kind: sweep
question: What does the cap change?
scenario: kartamantul
set: {horizon: 8}
factors:
  cap: {levels: [4, 6]}
  parameters.trust_start: [0.2, 0.8]
levels: 3
outcomes: [net_efficiency, spread(trust)]
runs: 4
plausible: 0
"""


def draw(means, *, runs=200, common=1.0, seed=5):
    """Values [points, runs] with these means: noise of each point, and more that all share."""
    rng = np.random.default_rng(seed)
    own = 0.05 * rng.standard_normal((len(means), runs))
    return means[:, None] + own + common * rng.standard_normal(runs)


def write_sweep(folder, more=""):
    """A small sweep over a choice and a number."""
    path = folder / "sweep.yaml"
    path.write_text(SWEEP + more, encoding="utf-8")
    return Experiment.load(path)
