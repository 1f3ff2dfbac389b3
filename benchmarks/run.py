"""Speed as ratios, each measured in this same run; prints one JSON, says what it does on stderr.

python benchmarks/run.py [NAME ...]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = str(Path(__file__).parent)


def task(number: int):
    """So many regions of small towns, four areas, 40 quarters, the voluntary strategy."""
    from kolabsim.engine.ensemble import build_task
    from kolabsim.scenario.scenario import Scenario

    changes = {
        "regions.synthetic.number": number,
        "regions.synthetic.tiers": max(1, number // 32),
        "regions.synthetic.extent_km": 180 * (number / 390) ** 0.5,  # as dense as the Dutch
    }
    scenario = Scenario.load("small-towns").with_(changes)
    return scenario, build_task(scenario, scenario.strategies["voluntary"], seed=1)


def seconds_a_run(number: int, runs: int, repeats: int = 3) -> float:
    """Shortest time of a run in the ensemble on one core, once it is compiled."""
    import numpy as np

    from kolabsim.engine.ensemble import new_state, run_block

    _scenario, work = task(number)
    state = new_state(work.world)
    run_block(work, np.arange(1), state=state)
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        run_block(work, np.arange(runs), state=state)
        best = min(best, (time.perf_counter() - started) / runs)
    return best


def here(code: str, **environment: str) -> str:
    """What a fresh process prints that runs code of this file."""
    code = f"import sys; sys.path.insert(0, {FOLDER!r}); from run import *; {code}"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def against_plain_python() -> dict[str, float]:
    """Time of one run in plain Python over that of a run in the ensemble, both on one core."""
    plain = float(here("print(seconds_a_run(30, 1, repeats=1))", NUMBA_DISABLE_JIT="1"))
    return {"ensemble_over_plain_python": plain / seconds_a_run(30, 200), "goal_at_least": 300}


def against_mesa() -> dict[str, float]:
    """Time of a run through mesa.batch_run with one process over that of a run in the ensemble."""
    import inspect

    from mesa.batchrunner import batch_run

    from kolabsim.engine.mesa_model import CollaborationModel

    scenario, _work = task(30)
    takes_seeds = "rng" in inspect.signature(batch_run).parameters
    more = {"rng": [1]} if takes_seeds else {}

    def batch(runs: int) -> float:
        given = {"scenario": scenario, "run": range(runs)}
        started = time.perf_counter()
        batch_run(
            CollaborationModel, given, number_processes=1, max_steps=40, display_progress=False,
            **more,
        )  # fmt: skip
        return (time.perf_counter() - started) / runs

    batch(1)
    own = min(batch(5) for _ in range(5))
    return {
        "mesa_batch_run_over_ensemble": own / seconds_a_run(30, 200), "goal_at_most": 8,
        "milliseconds": 1e3 * own, "milliseconds_goal_at_most": 10,
    }  # fmt: skip


FIRST = (
    "import numpy as np; from kolabsim.engine.ensemble import run_block;"
    "run_block(task(30)[1], np.arange(1)); print(time.perf_counter() - started)"
)


def first_result() -> dict[str, float]:
    """A fresh process, from its start to the first result: its cache empty (cold) or filled."""
    code = f"import time; started = time.perf_counter(); from run import *; {FIRST}"
    code = f"import sys; sys.path.insert(0, {FOLDER!r}); {code}"

    def fresh(folder: str) -> float:
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"NUMBA_CACHE_DIR": folder},
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - started

    with tempfile.TemporaryDirectory() as folder:
        cold, warm = fresh(folder), min(fresh(folder) for _ in range(3))
    return {
        "cold_seconds": cold, "cold_goal_below": 20, "warm_seconds": warm, "warm_goal_below": 3,
        "cold_over_warm": cold / warm,
    }  # fmt: skip


def scale() -> dict[str, float]:
    """Time per region of one run of 100,000 regions over that of runs of 500, and peak memory."""
    code = (
        "import resource; big = seconds_a_run(100_000, 1, repeats=2) / 100_000;"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20;"
        "small = seconds_a_run(500, 10) / 500; print(big / small, peak)"
    )
    ratio, peak = map(float, here(code).split())
    return {
        "time_per_region_100000_over_500": ratio, "goal_at_most": 2,
        "peak_gigabytes_100000": peak, "peak_goal_below": 2,
    }  # fmt: skip


def threads() -> dict[str, float]:
    """Time of 2,048 runs on one thread over that on two."""
    from kolabsim.study.api import simulate

    scenario, _work = task(30)

    def once(number: int) -> float:
        started = time.perf_counter()
        simulate(scenario, ["voluntary"], runs=2048, threads=number, regions=False)
        return time.perf_counter() - started

    once(2)
    one, two = min(once(1) for _ in range(2)), min(once(2) for _ in range(2))
    return {"two_cores_over_one": one / two, "goal_at_least": 1.8}


STUDY = "kind: comparison\nscenario: world.yaml\nstrategies: [voluntary]\nruns: {runs}\ndetail: 2\n"
TOWNS = (
    "regions: {synthetic: {number: 30, median_population: 26000, extent_km: 50}}\n"
    "families: [administration]\n"
)


def runner() -> dict[str, float]:
    """What keeping a study costs, what resuming a finished one takes, and how much memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "world.yaml").write_text(TOWNS, encoding="utf-8")
        (folder / "study.yaml").write_text(STUDY.format(runs=50_000), encoding="utf-8")
        code = (
            "import resource, time; from kolabsim.study.experiment import Experiment;"
            "from kolabsim.study.runner import Study;"
            "study = Study.plan(Experiment.load(sys.argv[1]), sys.argv[2]);"
            "study.run(workers=1, executor=None) if len(sys.argv) > 4 else None;"
            "started = time.perf_counter(); state = study.run(workers=1);"
            "print(time.perf_counter() - started, state.simulating)"
        )
        command = [sys.executable, "-c", "import sys; " + code, str(folder / "study.yaml")]
        subprocess.run(  # compiles, and is not measured
            [sys.executable, "-c", "import sys; " + code, "kartamantul", str(folder / "warm")],
            check=True, capture_output=True,
        )  # fmt: skip
        done = subprocess.run(
            [*command, str(folder / "out")], capture_output=True, text=True, check=True
        )
        wall, simulated = map(float, done.stdout.split())
        shown = [sys.executable, "-m", "kolabsim", "run", str(folder / "study.yaml")]
        two = STUDY.replace("[voluntary]", "[voluntary, team]").format(runs=50_000)
        (folder / "study.yaml").write_text(two, encoding="utf-8")
        watch = (
            "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True,"
            "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
        )
        told = subprocess.run(
            [sys.executable, "-c", watch, *shown, "--out", str(folder / "out")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        started = time.perf_counter()
        subprocess.run([*shown, "--out", str(folder / "out")], check=True, capture_output=True)
        again = time.perf_counter() - started
    return {
        "overhead_of_keeping": wall / simulated - 1.0, "overhead_goal_below": 0.05,
        "resume_of_100000_runs_seconds": again, "resume_goal_below": 3,
        "peak_megabytes_100000_runs": float(told.stdout), "peak_goal_below": 400,
    }  # fmt: skip


def sensitivity() -> dict[str, float]:
    """Sobol, 20 factors, N = 512, 5 replicates, 30 regions: plan, runs and reading over runs."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    from kolabsim.analysis.arrays import settings_table
    from kolabsim.engine.ensemble import cores, new_state, run_block
    from kolabsim.engine.overrides import build_base, vary
    from kolabsim.study.design import make_design
    from kolabsim.study.factors import choose_factors
    from kolabsim.study.runner import Study

    scenario, work = task(30)
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
    return {
        "factors": len(factors), "runs": 5 * len(table), "seconds": whole,
        "over_pure_simulation": whole / pure, "goal_below": 1.1,
    }  # fmt: skip


CLUSTER = """kind: comparison
scenario: kartamantul
strategies: [voluntary, team]
runs: 12000
detail: 12000
"""
CLIENT = """
import re, subprocess, sys, tempfile, time
from pathlib import Path
import numpy as np
from distributed import Client
from distributed.comm import tcp
from kolabsim.study import cluster
from kolabsim.study.experiment import Experiment
from kolabsim.study.runner import Study

counted = {"messages": 0, "bytes": 0}
read, write, unpack = tcp.TCP.read, tcp.TCP.write, tcp.from_frames

async def counted_read(self, *words, **more):
    counted["messages"] += 1
    return await read(self, *words, **more)

async def counted_write(self, *words, **more):
    counted["messages"] += 1
    size = await write(self, *words, **more)
    counted["bytes"] += size
    return size

async def counted_unpack(frames, *words, **more):
    counted["bytes"] += sum(memoryview(frame).nbytes for frame in frames)
    return await unpack(frames, *words, **more)

tcp.TCP.read, tcp.TCP.write, tcp.from_frames = counted_read, counted_write, counted_unpack

def started(*words):
    command = [sys.executable, "-m", f"distributed.cli.{words[0]}", *words[1:], "--no-dashboard"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

def used(client):
    # Processor time of client, worker and scheduler, messages, bytes, and the time.
    scheduler = client.run_on_scheduler(lambda dask_scheduler: __import__("time").process_time())
    worker = sum(client.run(time.process_time).values())
    found = [time.process_time(), scheduler, worker, *counted.values(), time.perf_counter()]
    return np.array(found)

sees_folder = sys.argv[2] == "here"
if not sees_folder:
    cluster.Desk.open_slip = lambda _desk: None
experiment, places = Experiment.load(sys.argv[1]), Path(sys.argv[1]).parent
scheduler = started("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
address = next(m[0] for line in scheduler.stderr if (m := re.search(r"tcp://[0-9.:]+", line)))
worker = started("dask_worker", address, "--nthreads", "1", "--no-nanny")
try:
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(1)
        workers = cluster.Cluster(client)
        Study.plan(Experiment.load(sys.argv[1], runs=128), places / "warm").run(executor=workers)
        study = Study.plan(experiment, places / "out")
        first = used(client)
        time.sleep(5)
        before = used(client)
        study.run(executor=workers)
        after = used(client)
finally:
    worker.kill(), scheduler.kill()
tasks = len(list((places / "out/parts").glob("*.runs.parquet")))
# What a process uses while nothing happens does not grow with tasks.
idle = (before - first) / (before - first)[-1]
idle[[2, 3, 4]] = 0.0
spent = after - before
client, _scheduler, worker, messages, size, _seconds = (spent - idle * spent[-1]) / tasks
print(tasks, messages, size, client, worker, spent[1] / tasks, (1 - idle[0]) * worker / client)
"""


def cluster() -> dict[str, float]:
    """What a task costs client, worker and scheduler (CPU), all runs with detail, on loopback."""
    found: dict[str, float] = {}
    for name in ("here", "elsewhere"):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "study.yaml")
            file.write_text(CLUSTER, encoding="utf-8")
            done = subprocess.run(
                [sys.executable, "-c", CLIENT, str(file), name], capture_output=True, text=True,
                check=True,
            )  # fmt: skip
        tasks, messages, size, *seconds, fed = map(float, done.stdout.split())
        found |= {
            f"{name}_tasks": tasks, f"{name}_messages_a_task": messages,
            f"{name}_kilobytes_a_task": size / 1000,
            f"{name}_workers_that_one_client_feeds": fed,
        }  # fmt: skip
        for process, value in zip(("client", "worker", "scheduler"), seconds, strict=True):
            found[f"{name}_{process}_seconds_a_task"] = value
    return found | {"workers_goal_above": 35}


MOVES = """values => new Promise(done => {
  const state = document.getElementById('state'), seconds = [];
  const slider = document.getElementById('mechanisms.team');
  let began;
  const move = () => {
    if (seconds.length === values.length) return done(seconds);
    began = performance.now();
    slider.value = values[seconds.length];
    slider.dispatchEvent(new Event('input', {bubbles: true}));
  };
  new MutationObserver(() => {
    if (!state.innerText.startsWith('100 ')) return;
    seconds.push((performance.now() - began) / 1000);
    setTimeout(move, 1000);
  }).observe(state, {childList: true, characterData: true, subtree: true});
  move();
})"""
"""Moves a slider and waits for the first answer, one value after the other."""


def page() -> dict[str, float]:
    """From a move on the web page to its answer, in a browser: 30 regions, 100 runs; the median."""
    import shutil
    import statistics

    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        return {}
    regions = "{synthetic: {number: 30, median_population: 500000, tiers: 2}}"
    scenario = f"extends: indonesia\ntitle: Thirty\nregions: {regions}\n"
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "kolabsim", "app", "--no-browser", "--port", "0"],
            cwd=folder, env=os.environ | {"KOLABSIM_LANG": "en"}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            address = next(w for w in server.stdout.readline().split() if w.startswith("http"))
            wait_for(address)
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                shown = browser.new_page()
                shown.set_default_timeout(120_000)
                shown.goto(address)
                shown.locator("input[type=file]").set_input_files(
                    {"name": "a.yaml", "mimeType": "text/yaml", "buffer": scenario.encode()}
                )
                shown.wait_for_url("**scenario=upload-**")
                shown.locator("#headline[aria-busy=false]").wait_for()
                seconds = shown.evaluate(MOVES, [f"{0.05 * k:g}" for k in range(13, 20)])
                browser.close()
        finally:
            server.terminate()
            server.wait()
    return {"moves": len(seconds), "seconds": statistics.median(seconds), "goal_below": 0.5}


def wait_for(address: str) -> None:
    """Until somebody answers there; two minutes at most."""
    from urllib.request import urlopen

    for _ in range(1200):
        try:
            return urlopen(address).close()
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


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
WATCH = (
    "import resource, subprocess, sys;"
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
    "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime)"
)


def storage() -> dict[str, float]:
    """Room of the demo, and the share of simulation in the processor time of 50 futures."""
    demo = Path(__file__).parents[1] / "experiments" / "kartamantul"

    def size(folder: Path) -> tuple[float, int]:
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        return sum(sizes) / 1e6, len(sizes)

    def fresh(*words: object) -> float:
        command = [sys.executable, "-c", *map(str, words)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = [sys.executable, "-m", "kolabsim", "run", demo, "--out"]
        fresh(WATCH, *run, folder / "warm", "--quick")
        whole = fresh(WATCH, *run, folder / "demo")
        futures = ("--plausible", 50, "--runs", 20)
        spent = fresh(WATCH, *run, folder / "futures", *futures)
        pure = fresh(PURE, demo, folder / "plan")
        megabytes, _files = size(folder / "demo")
        many, files = size(folder / "futures")
        facts = json.loads((folder / "futures/provenance.json").read_text(encoding="utf-8"))
    return {
        "megabytes_of_demo": megabytes, "demo_goal_at_most": 30, "cpu_seconds_of_demo": whole,
        "megabytes_of_50_futures": many, "files_of_50_futures": files,
        "cpu_seconds_of_50_futures": spent,
        "share_simulating": pure / spent, "share_goal_at_least": 0.5,
        **{f"cpu_ms_per_run_{name}": value for name, value in facts["cpu_ms_per_run"].items()},
        **{f"bytes_per_run_{name}": value for name, value in facts["bytes_per_run"].items()},
    }  # fmt: skip


BENCHMARKS = {
    "plain_python": against_plain_python,
    "mesa": against_mesa,
    "first_result": first_result,
    "scale": scale,
    "threads": threads,
    "runner": runner,
    "storage": storage,
    "sensitivity": sensitivity,
    "cluster": cluster,
    "page": page,
}

if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    found = {}
    for name, measure in BENCHMARKS.items():
        if name in sys.argv[1:] or len(sys.argv) == 1:
            print(f"measuring {name} ...", file=sys.stderr)
            values = {key: round(value, 3) for key, value in measure().items()}
            found[name] = {"how": measure.__doc__} | values
    print(json.dumps(found, indent=1))
