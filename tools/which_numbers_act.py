"""Vary every parameter of the model in three scenarios, and keep what each does to six outcomes.

    python tools/which_numbers_act.py OUT

All levers work at half intensity, so that their strengths act too. Elementary effects [morris_1991]
are taken between points at which an outcome is defined; the figures go to
``docs/reference/numbers.json``, which the page on parameters shows. The studies stay in OUT, from
which an interrupted run continues.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "docs" / "reference" / "numbers.json"
SIZES = {"kartamantul": (40, 8), "sarbagita": (40, 8), "small-towns": (20, 6)}
"""Trajectories and runs of each point, by scenario."""
OUTCOMES = (
    "cooperation", "net_efficiency", "quality_change", "decision_time", "trust", "exit_rate",
)  # fmt: skip
WORLD = """extends: {scenario}
strategies:
  everything:
    mechanisms: {{forum: 0.5, planning: 0.5, team: 0.5, information: 0.5, monitoring: 0.5}}
    support: {{government: 0.5, ngo: 0.5, business: 0.5, community: 0.5}}
"""
STUDY = """kind: sensitivity
scenario: world-{scenario}.yaml
strategy: everything
method: morris
samples: {samples}
runs: {runs}
outcomes: [cooperation, net_efficiency, quality_change, trust]
factors:
"""


def study(scenario: str, folder: Path) -> Path:
    """Run the study of one scenario, and export its tables."""
    from kolabsim.model.parameters import PARAMETERS

    samples, runs = SIZES[scenario]
    (folder / f"world-{scenario}.yaml").write_text(WORLD.format(scenario=scenario))
    text = STUDY.format(scenario=scenario, samples=samples, runs=runs)
    text += "".join(f"  parameters.{name}: null\n" for name in PARAMETERS)
    (folder / f"{scenario}.yaml").write_text(text)
    command = [sys.executable, "-m", "kolabsim"]
    out, tables = f"runs-{scenario}", f"tables-{scenario}"
    subprocess.run([*command, "run", f"{scenario}.yaml", "--out", out], check=True, cwd=folder)
    subprocess.run([*command, "results", out, "--out", tables], check=True, cwd=folder)
    return folder / tables


def effects(tables: Path) -> dict[str, dict[str, float]]:
    """Mean absolute elementary effect of each parameter over its range, by outcome."""
    from kolabsim.model.parameters import PARAMETERS, place_in

    points = pd.read_csv(tables / "futures.csv").set_index("future")
    runs = pd.read_csv(tables / "runs.csv", usecols=["future", *OUTCOMES])
    means = runs.groupby("future").mean().reindex(points.index)
    places = np.array([
        [place_in(one.low, one.high, x) for x in points[f"parameters.{name}"]]
        for name, one in PARAMETERS.items()
    ]).T  # fmt: skip
    steps = np.diff(places, axis=0)
    one_moved = (np.abs(steps) > 1e-9).sum(axis=1) == 1
    moved = np.abs(steps).argmax(axis=1)
    found: dict[str, dict[str, float]] = {}
    for outcome in OUTCOMES:
        change = np.abs(np.diff(means[outcome].to_numpy())) / np.abs(steps).max(axis=1)
        usable = one_moved & np.isfinite(change)
        found[outcome] = {
            name: float(change[usable & (moved == k)].mean()) for k, name in enumerate(PARAMETERS)
        }
    return found


def main(folder: Path) -> None:
    """Run the studies and keep each effect as a share of the largest on its outcome."""
    folder.mkdir(parents=True, exist_ok=True)
    kept: dict[str, dict[str, dict[str, float]]] = {}
    for scenario in SIZES:
        found = effects(study(scenario, folder))
        kept[scenario] = {
            outcome: {name: round(x / max(some.values()), 3) for name, x in some.items()}
            for outcome, some in found.items()
        }
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
