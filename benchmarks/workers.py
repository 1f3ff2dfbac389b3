"""What a task costs client, worker and scheduler of Dask."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.reading import Reading, environment

CLUSTER = """kind: comparison
scenario: kartamantul
strategies: [voluntary, team]
runs: 12000
plausible: 0
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


def cluster() -> list[Reading]:
    """A Dask task on loopback, all runs with detail, the folder in sight or not; 120 s."""
    found = []
    for name in ("here", "elsewhere"):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "study.yaml")
            file.write_text(CLUSTER, encoding="utf-8")
            done = subprocess.run(
                [sys.executable, "-c", CLIENT, str(file), name], capture_output=True, text=True,
                check=False, env=environment(),
            )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr[-3000:])
        _tasks, messages, size, client, worker, scheduler, fed = map(float, done.stdout.split())
        where = "workers see the folder" if name == "here" else "workers do not see the folder"
        found += [
            Reading(f"messages a task, {where}", messages),
            Reading(f"kilobytes a task, {where}", size / 1000, "kB"),
            Reading(f"processor time of the client a task, {where}", 1e3 * client, "ms"),
            Reading(f"processor time of a worker a task, {where}", 1e3 * worker, "ms"),
            Reading(f"processor time of the scheduler a task, {where}", 1e3 * scheduler, "ms"),
            Reading(f"workers that one client feeds, {where}", fed, at_least=35,
                    why="the client checks and stores what comes over the network itself"),
        ]  # fmt: skip
    return found
