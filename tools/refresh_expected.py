"""Run the quick size of every shipped experiment and keep the figures that its test expects.

After a change of results that is meant:

    python tools/refresh_expected.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
TABLES = {
    "sensitivity": "indices.csv", "robustness": "robustness.csv", "comparison": "differences.csv",
    "sweep": "map.csv",
}  # fmt: skip
"""The table of each kind that holds its figures. A search has none: which packages it meets hangs
on the last digit of every comparison on its way, and on the version of its library."""
DIGITS = 6


def figures(kind: str, folder: Path) -> pd.DataFrame:
    """The figures of a quick run."""
    ranges = folder / "ranges.csv"
    table = pd.read_csv(ranges if ranges.exists() else folder / TABLES[kind])
    if kind == "comparison":
        table = table[table["measure"] == "net_efficiency"]
    return table.round(DIGITS)


def run(name: str, folder: Path) -> None:
    """Run the quick size of an experiment."""
    command = [sys.executable, "-m", "kolabsim", "run", str(ROOT / "experiments" / name), "--quick"]
    subprocess.run([*command, "--out", str(folder)], check=True, cwd=ROOT)


def main() -> None:
    """Refresh all."""
    from kolabsim.scenario.scenario import shipped_names
    from kolabsim.study.experiment import Experiment

    for name in shipped_names("experiments"):
        kind = Experiment.load(name).kind
        if kind not in TABLES:
            continue
        with tempfile.TemporaryDirectory() as room:
            folder = Path(room) / name
            run(name, folder)
            path = ROOT / "experiments" / name / "expected.csv"
            figures(kind, folder).to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
