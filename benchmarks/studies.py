"""Whole commands: what they cost besides simulation, in time, memory and files."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.reading import ROOT, Reading, fresh, timed
from benchmarks.worlds import task, towns

STUDY = """\
kind: comparison
scenario: world.yaml
strategies: [voluntary, team]
runs: {runs}
plausible: 0
detail: 2
"""
TOWNS = (
    "regions: {synthetic: {number: 30, median_population: 26000, extent_km: 50}}\n"
    "families: [administration]\n"
)

KEEP = """
import sys, time
from kolabsim.study.experiment import Experiment
from kolabsim.study.runner import Study
study = Study.plan(Experiment.load(sys.argv[1]), sys.argv[2])
started = time.perf_counter()
state = study.run(workers=1)
print(time.perf_counter() - started, state.simulating)
"""
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def runner() -> list[Reading]:
    """Storing a study of 50,000 runs over simulating it; resuming and memory of 100,000; 120 s."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "world.yaml").write_text(TOWNS, encoding="utf-8")
        file, out = folder / "study.yaml", folder / "out"
        file.write_text(STUDY.format(runs=25_000), encoding="utf-8")
        fresh(KEEP, "kartamantul", folder / "warm")  # compiles, and is not measured
        wall, simulated = map(float, fresh(KEEP, file, out).split())
        file.write_text(STUDY.format(runs=50_000), encoding="utf-8")
        command = [sys.executable, "-m", "kolabsim", "run", str(file), "--out", str(out)]
        peak = float(fresh(PEAK, *command))
        again = min(timed(command)[1] for _ in range(3))
    return [
        Reading("storing 50,000 runs, share of simulating them (clock)", wall / simulated - 1,
                at_most=0.05),
        Reading("resuming 100,000 finished runs, processor time", again, "s", at_most=3),
        Reading("most memory of a command with 100,000 runs", peak, "MB", at_most=400,
                why="libraries, machine code and figures: a command of 200 runs has 430 MB"),
    ]  # fmt: skip


def sensitivity() -> list[Reading]:
    """Sobol, N = 512, 5 replicates, 30 regions: plan, runs and reading over runs alone; 90 s."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    from kolabsim.analysis.arrays import settings_table
    from kolabsim.engine.ensemble import cores, new_state, run_block
    from kolabsim.engine.overrides import build_base, vary
    from kolabsim.study.design import make_design
    from kolabsim.study.factors import choose_factors
    from kolabsim.study.runner import Study

    scenario = towns(30)
    work = task(scenario)
    wanted = ["mechanisms", "support", "exit", "parameters.notice", "parameters.past_trust"]
    wanted += [f"parameters.{n}" for n in ("misperception", "startup_cost", "autonomy_cost")]
    wanted.append("parameters.quality_value")
    factors = choose_factors(scenario, wanted)
    names, runs = [factor.name for factor in factors], np.arange(5)
    design = make_design("sobol", names, samples=512, seed=1, dummy=False)
    table = settings_table(factors, design.points)
    run_block(work, np.arange(1))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        study = Study.plan_design(scenario, ["voluntary"], table, folder, runs=5, seed=1)
        study.run()
        study.values(["net_efficiency"])
        whole = time.perf_counter() - started
    some = np.random.default_rng(1).choice(len(table), 1500, replace=False)
    base = build_base(scenario, "voluntary", seed=1, names=names)
    tasks = [vary(base, names, table.iloc[row]) for row in some]
    parts = [tasks[k :: cores()] for k in range(cores())]

    def simulate(part) -> None:
        state = new_state(base.task.world)
        for one in part:
            run_block(one, runs, regions=False, state=state)

    started = time.perf_counter()
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(simulate, parts))
    pure = (time.perf_counter() - started) * len(table) / len(some)
    return [
        Reading(f"a Sobol design of {len(factors)} factors over its simulation (clock)",
                whole / pure, at_most=1.1),
    ]  # fmt: skip


PURE = (
    "import sys, time, numpy as np; from kolabsim.engine.ensemble import new_state, run_block;"
    "from kolabsim.study.experiment import Experiment; from kolabsim.study.runner import Study;"
    "from kolabsim.study.tasks import unpack_base;"
    "study = Study.plan(Experiment.load(sys.argv[1], plausible=50, runs=20), sys.argv[2]);"
    "tasks = [unpack_base(plain).task for plain in study.bases.values()];"
    "state = new_state(tasks[0].world); run_block(tasks[0], np.arange(1), state=state);"
    "began = time.process_time();"
    "[run_block(task, np.arange(20), state=state) for task in tasks];"
    "print(time.process_time() - began)"
)
DEMO = ROOT / "experiments" / "kartamantul"


def size(folder: Path) -> tuple[float, int]:
    """Megabytes and number of the files in a folder."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(sizes) / 1e6, len(sizes)


def run(what: object, out: Path, *words: object) -> float:
    """Processor time of ``kolabsim run``."""
    return timed(
        [sys.executable, "-m", "kolabsim", "run", str(what), "--out", str(out), *map(str, words)]
    )[1]


def phase_readings(out: Path, title: str) -> list[Reading]:
    """Processor time by phase, as the provenance of a study records it."""
    facts = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    return [
        Reading(f"{title}: {name}", spent["cpu_seconds"], "s")
        for name, spent in facts["phases"].items()
    ]


def demo() -> list[Reading]:
    """Processor time, phases and megabytes of the demo, once compiled; 90 s."""
    with tempfile.TemporaryDirectory() as name:
        run(DEMO, Path(name, "warm"), "--quick")
        out = Path(name, "demo")
        spent = run(DEMO, out)
        found = [
            Reading("the demo, processor time", spent, "s", at_most=15,
                    why="simulating and storing take 6, planning 2, and reporting 10: "
                        "ten figures, each as SVG and as PNG, and more runs for equal money and "
                        "for sources of variance"),
            *phase_readings(out, "the demo, processor time"),
            Reading("the demo, on the disk", size(out)[0], "MB", at_most=30,
                    why="two thirds are quarters and regions of all runs, 16 MB that hardly "
                        "compress, and differences in each future, 15 MB of CSV"),
        ]  # fmt: skip
    return found


def futures() -> list[Reading]:
    """Simulation's share of the demo in 50 futures with 20 runs of each, and its disk; 60 s."""
    words = ("--plausible", 50, "--runs", 20)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(DEMO, folder / "warm", "--quick")
        spent = run(DEMO, folder / "out", *words)
        pure = float(fresh(PURE, DEMO, folder / "plan"))
        megabytes, files = size(folder / "out")
        facts = json.loads((folder / "out/provenance.json").read_text(encoding="utf-8"))
    return [
        Reading("50 futures, processor time", spent, "s"),
        Reading("50 futures, share of it that simulates", pure / spent, at_least=0.5,
                why="planning, drawing and imports cost as much for few runs as for many"),
        Reading("50 futures, on the disk", megabytes, "MB"),
        Reading("50 futures, files", files),
        *(Reading(f"50 futures, bytes of a run: {kind}", value)
          for kind, value in facts["bytes_per_run"].items()),
    ]  # fmt: skip


def publish() -> list[Reading]:
    """Reports of a search and of a robustness experiment, as their provenance records; 120 s.

    The search has its quick size; its report draws the same figures.
    """
    found = []
    with tempfile.TemporaryDirectory() as name:
        for kind, experiment, words in (
            ("search", "best-package", ("--quick",)), ("robustness", "mandate", ()),
        ):  # fmt: skip
            out = Path(name, kind)
            run(ROOT / "experiments" / experiment, out, *words)
            facts = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
            seconds = facts["phases"]["reporting"]["cpu_seconds"]
            what = f"report of a {kind} experiment, processor time"
            found.append(Reading(what, seconds, "s", at_most=5))
    return found
