"""Whether runs became slower than in the last landed version: a pair, measured in turn.

python benchmarks/regression.py [COMMIT]

The other version is the commit given, else the last one of `main` that this one builds on. Each
version simulates in a process of its own; they take turns, and the median of the ratios of
neighbouring turns counts, or the ratio of the shortest times if it is smaller. Fails if that
exceeds 1.1, which CI reports and does not count as a
failure. Takes at most 90 seconds.
"""

from __future__ import annotations

import os
import select
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT, TURNS = 80.0, 15
SLOWER = 1.1

SIDE = """
import sys, time
import numpy as np
from kolabsim.engine.ensemble import build_task, new_state, run_block
from kolabsim.engine.mesa_model import CollaborationModel
from kolabsim.scenario.scenario import Scenario

scenario = Scenario.load("small-towns").with_({
    "regions.synthetic.number": 30, "regions.synthetic.tiers": 1,
    "regions.synthetic.extent_km": 50,
})
task = build_task(scenario, scenario.strategies["full_package"], seed=1)
state = new_state(task.world)

def ensemble():
    run_block(task, np.arange(100), state=state)

def mesa():
    for run in range(8):
        model = CollaborationModel(scenario, "full_package", run=run, seed=1)
        for _ in range(scenario.horizon):
            model.step()

works = {"ensemble": ensemble, "mesa": mesa}
for work in works.values():
    work()
print("ready", flush=True)
for line in sys.stdin:
    started = time.process_time()
    works[line.strip()]()
    print(time.process_time() - started, flush=True)
"""
TITLES = {"ensemble": "a run of the ensemble", "mesa": "a run in Mesa"}


def git(*words: str) -> str:
    """What git prints; nothing if it fails."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def landed() -> str:
    """The last landed commit that this one builds on; nothing if it is not there."""
    here = git("rev-parse", "HEAD")
    for branch in ("origin/main", "main"):
        found = git("merge-base", "HEAD", branch)
        if found and found != here:
            return found
    return git("rev-parse", "--verify", "--quiet", "HEAD^")


def side(tree: Path) -> subprocess.Popen[str]:
    """A process that simulates with the version in a folder when it is asked to."""
    return subprocess.Popen(
        [sys.executable, "-c", SIDE], env=os.environ | {"PYTHONPATH": str(tree / "src")},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree,
    )  # fmt: skip


def answer(process: subprocess.Popen[str], name: str = "") -> str:
    """What a process prints next, after it was asked for a piece of work."""
    assert process.stdin is not None
    assert process.stdout is not None
    if name:
        print(name, file=process.stdin, flush=True)
    line = process.stdout.readline().strip()
    if not line:
        raise RuntimeError("one of the versions ended before it had simulated")
    return line


def measure(before: Path, until: float) -> dict[str, list[tuple[float, float]]]:
    """Processor time of another version and of the present one, turn by turn."""
    sides = [side(before), side(ROOT)]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in TITLES}
    try:
        for process in sides:  # which compile, both at a time, unless they did before
            if not select.select([process.stdout], [], [], max(until - time.monotonic(), 0.0))[0]:
                return found
            answer(process)
        for turn in range(TURNS):
            for name, values in found.items():
                if time.monotonic() > until:
                    return found
                order = sides if turn % 2 == 0 else sides[::-1]
                times = {process: float(answer(process, name)) for process in order}
                values.append((times[sides[0]], times[sides[1]]))
    finally:
        for process in sides:
            process.kill()
            process.wait()
    return found


def main(commit: str = "") -> None:
    until = time.monotonic() + LIMIT
    commit = commit or landed()
    if not commit:
        print("not compared: the version before this one is not here (a shallow clone?)")
        return
    with tempfile.TemporaryDirectory() as name:
        packed, tree = Path(name, "tree.tar"), Path(name, "tree")
        if git("archive", f"--output={packed}", commit) or not packed.exists():
            print(f"not compared: git cannot give the files of {commit}")
            return
        with tarfile.open(packed) as archive:
            archive.extractall(tree, filter="data")
        found = measure(tree, until)
    slower = []
    for kind, turns in found.items():
        if len(turns) < 5:
            print(f"not compared: {TITLES[kind]}; compiling took too long")
            continue
        values = [now / then for then, now in turns]
        middle = min(
            statistics.median(values),
            min(now for _then, now in turns) / min(then for then, _now in turns),
        )
        print(
            f"{TITLES[kind]} takes {middle:.2f} of the time it took at {commit[:7]} "
            f"({min(values):.2f} to {max(values):.2f} in {len(values)} turns)"
        )
        if middle > SLOWER:
            slower.append(TITLES[kind])
    if slower:
        sys.exit(f"SLOWER by more than {100 * (SLOWER - 1):.0f} %: {', '.join(slower)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
