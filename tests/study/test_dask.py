"""A real Dask scheduler and worker processes on loopback, and what can go wrong with them."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from kolabsim.study.collect import read_tables
from kolabsim.study.runner import Study
from tests.study.test_runner import SMALL, careless, experiment, finish, same

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.name == "nt", reason="processes are killed by signals"),
]


def start(*words, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]],
        env=os.environ | {"DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1"} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


class Cluster:
    """A scheduler and workers as processes of their own."""

    def __init__(self, folder):
        self.folder, self.workers = folder, []
        self.scheduler = start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"
        )
        for line in self.scheduler.stderr:
            if found := re.search(r"tcp://127\.0\.0\.1:\d+", line):
                self.address = found[0]
                break

    def add_worker(self, **environment):
        self.workers.append(
            start(
                "dask_worker", self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny",
                "--local-directory", str(self.folder), **environment,
            )
        )  # fmt: skip
        return self.workers[-1]

    def close(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
            process.stderr.close()


@pytest.fixture
def cluster(tmp_path):
    found = Cluster(tmp_path)
    yield found
    found.close()


def run(folder, address, *words):
    command = [sys.executable, "-m", "kolabsim", "run", "study.yaml", "--out", "out"]
    return subprocess.Popen(
        [*command, "--scheduler", address, *words],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def some_part(folder, process):
    deadline = time.monotonic() + 120
    while not list((folder / "out/parts").glob("*.runs.parquet")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    study, _state = finish(tmp_path_factory.mktemp("whole"), "out")
    return read_tables(study)


def long_study(folder):
    (folder / "study.yaml").write_text(SMALL.format(runs=4000, detail=2), encoding="utf-8")


def test_workers_give_what_this_machine_gives(cluster, tmp_path, whole):
    for _ in range(2):
        cluster.add_worker()
    experiment(tmp_path)
    process = run(tmp_path, cluster.address)
    _out, message = process.communicate(timeout=240)
    assert process.returncode == 0, message
    study = Study.plan(experiment(tmp_path), tmp_path / "out")
    assert not study.missing()
    same(read_tables(study), whole)


def test_a_user_defined_rule_travels_to_the_workers(cluster, tmp_path):
    cluster.add_worker()
    study = careless(tmp_path)
    process = run(tmp_path, cluster.address)
    _out, message = process.communicate(timeout=240)
    assert process.returncode == 0, message
    assert not study.missing()


def test_a_worker_that_is_killed_costs_nothing(cluster, tmp_path):
    one, _other = cluster.add_worker(), cluster.add_worker()
    long_study(tmp_path)
    process = run(tmp_path, cluster.address)
    some_part(tmp_path, process)
    one.send_signal(signal.SIGKILL)
    _out, message = process.communicate(timeout=240)
    assert process.returncode == 0, message


def report_of(process, text):
    """The first line of what a command reports that has this text."""
    for line in process.stderr:
        if text in line:
            return line
    raise AssertionError(text)


def test_a_study_without_workers_says_so_and_goes_on_when_one_joins(cluster, tmp_path, whole):
    only = cluster.add_worker()
    long_study(tmp_path)
    process = run(tmp_path, cluster.address)
    some_part(tmp_path, process)
    only.kill()
    line = report_of(process, "has no workers any more")
    assert "continues automatically as soon as one joins" in line
    assert f"dask worker {cluster.address} --nthreads 1" in line
    cluster.add_worker()
    _out, message = process.communicate(timeout=240)
    assert process.returncode == 0, message
    assert "the workers answer again" in message


def test_a_frozen_worker_is_reported_and_its_batches_go_to_the_other(cluster, tmp_path):
    frozen, _other = cluster.add_worker(), cluster.add_worker()
    long_study(tmp_path)
    process = run(tmp_path, cluster.address)
    some_part(tmp_path, process)
    frozen.send_signal(signal.SIGSTOP)
    line = report_of(process, "have not answered for 10 seconds")
    assert "other workers take over their batches" in line
    _out, message = process.communicate(timeout=240)
    assert process.returncode == 0, message
    assert not [path for path in (tmp_path / "out/parts").iterdir() if "arriving" in path.name]


def test_a_frozen_scheduler_is_reported_and_the_study_can_be_stopped(cluster, tmp_path):
    cluster.add_worker()
    long_study(tmp_path)
    process = run(tmp_path, cluster.address)
    some_part(tmp_path, process)
    cluster.scheduler.send_signal(signal.SIGSTOP)
    line = report_of(process, "has not answered for 10 seconds")
    assert "stop with Ctrl-C" in line
    process.terminate()
    _out, message = process.communicate(timeout=60)
    assert process.returncode == 130, message
    assert "the same command continues from there" in " ".join(message.split())


def test_a_lost_scheduler_is_reported_and_the_study_resumes(cluster, tmp_path):
    cluster.add_worker()
    long_study(tmp_path)
    process = run(tmp_path, cluster.address)
    some_part(tmp_path, process)
    cluster.scheduler.kill()
    _out, message = process.communicate(timeout=240)
    assert process.returncode == 130, message
    message = " ".join(message.split())
    assert f"the Dask scheduler at {cluster.address} was lost" in message
    assert "without --scheduler" in message
    assert "Traceback" not in message
    assert "the same command continues from there" in message
    again = subprocess.run(
        [sys.executable, "-m", "kolabsim", "run", "study.yaml", "--out", "out"],
        cwd=tmp_path, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr


def test_a_worker_with_another_version_of_the_model_is_refused(cluster, tmp_path):
    sitecustomize = (
        "from kolabsim.model import version\nversion.digest = lambda *_sources: 'another version'\n"
    )
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(sitecustomize, encoding="utf-8")
    cluster.add_worker(PYTHONPATH=str(folder))
    experiment(tmp_path)
    process = run(tmp_path, cluster.address)
    _out, message = process.communicate(timeout=240)
    assert process.returncode == 2, message
    assert "this worker has version another version of the model" in " ".join(message.split())


def test_a_scheduler_without_workers_is_refused(cluster, tmp_path):
    experiment(tmp_path)
    process = run(tmp_path, cluster.address)
    _out, message = process.communicate(timeout=240)
    assert process.returncode == 2
    assert "has no workers" in message
    assert f"dask worker {cluster.address} --nthreads 1" in message
