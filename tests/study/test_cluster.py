"""Workers that leave their files in the folder or elsewhere, and workers that fall silent.

The scheduler and its workers are threads here; tests/study/test_dask.py has true ones.
"""

import asyncio
import threading
import time
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from kolabsim.errors import StoppedError
from kolabsim.files import WrittenFile
from kolabsim.study import cluster
from kolabsim.study.cluster import Cluster, Desk, beside, leave, work_at
from kolabsim.study.ledger import Ledger, hold
from kolabsim.study.rows import Fact
from kolabsim.study.runner import Study
from tests.study.test_ledger import contents
from tests.study.test_runner import experiment

SIZE = {"runs": 66, "detail": 9}


class KilledWorker(Exception):  # noqa: N818
    """Named as Dask names it."""


class Fakes:
    """A client of Dask with its scheduler and workers; a test says what these do."""

    scheduler = SimpleNamespace(address="tcp://fake:1")

    def __init__(self, *workers: str) -> None:
        self.workers: dict[str, SimpleNamespace] = {}
        self.tasks: dict[str, SimpleNamespace] = {}
        self.results: list[Future] = []
        self.given: list[object] = []
        self.see_folder = self.scheduler_answers = True
        self.error: Exception | None = None
        self.asked = 0
        self.held: dict[str, list[tuple]] = {}
        """Tasks of workers that do nothing; those of no worker have the name ""."""
        self.threads = ThreadPoolExecutor(2)
        self.loop = SimpleNamespace(asyncio_loop=asyncio.new_event_loop())
        threading.Thread(target=self.loop.asyncio_loop.run_forever, daemon=True).start()
        for name in workers:
            self.join(name)

    def join(self, name: str) -> None:
        status = SimpleNamespace(name="running")
        self.workers[name] = SimpleNamespace(address=name, last_seen=0.0, nthreads=1, status=status)
        for task in self.held.pop("", []):
            self.begin((), *task)

    def leave(self, name: str) -> None:
        del self.workers[name]
        self.held[""] = []

    def freeze(self, name: str, status: str = "running") -> None:
        self.held.setdefault(name, [])
        self.workers[name].status.name = status

    def wake(self, name: str) -> None:
        self.workers[name].status.name = "running"
        for _key, *task in self.held.pop(name):
            self.threads.submit(self.carry_out, *task)

    # What a client of Dask offers:

    def nthreads(self) -> dict[str, int]:
        return {name: one.nthreads for name, one in self.workers.items()}

    def get_executor(self, pure: bool) -> "Fakes":
        assert not pure
        return self

    def submit(self, function, slip, call, *, key, workers=()) -> Future:
        self.results.append(Future())
        self.tasks[key] = SimpleNamespace(state="no-worker", processing_on=None, who_has=())
        self.begin(workers, key, self.results[-1], function, slip, call)
        return self.results[-1]

    async def run_on_scheduler(self, view):
        self.asked += 1
        if self.asked > 3000:  # let a test fail that would wait for ever
            _ended = [result.cancel() for result in self.results]
        while not self.scheduler_answers:
            await asyncio.sleep(0.01)
        for name, one in self.workers.items():
            is_mute = name in self.held and one.status.name == "running"
            one.last_seen = time.time() - (60.0 if is_mute else 0.0)
        return view(dask_scheduler=self)

    # What a scheduler does:

    def begin(self, wanted, key, result, function, slip, call) -> None:
        able = [name for name in self.workers if not wanted or name in wanted] or [""]
        name = able[len(self.results) % len(able)]
        if name:
            self.tasks[key].state, self.tasks[key].processing_on = "processing", self.workers[name]
        if name in self.held:
            self.held[name].append((key, result, function, slip, call))
        else:
            self.threads.submit(self.carry_out, result, function, slip, call)

    def carry_out(self, result, function, slip, call) -> None:
        if self.error:
            result.set_exception(self.error)
            return
        found = function(slip if self.see_folder else f"/elsewhere{slip}", call)
        self.given += found.files.values()
        if result.set_running_or_notify_cancel():
            result.set_result(found)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Let a second take ten milliseconds, and give each block a batch of its own."""
    for name in ("PATIENCE", "GRACE", "INTERVAL"):
        monkeypatch.setattr(cluster, name, getattr(cluster, name) / 100)
    monkeypatch.setattr("kolabsim.study.execution.INTERVAL", 0.01)
    monkeypatch.setattr("kolabsim.study.execution.SECONDS", 1e-9)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The files of a study that threads of this process have run, a block in each batch."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kolabsim.study.execution.SECONDS", 1e-9)
        Study.plan(experiment(folder, **SIZE), folder / "out").run(workers=1)
    return parts(folder / "out")


def parts(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(folder).items() if name.startswith("parts/")}


def finish(folder: Path, fakes: Fakes, *, fault=None, cure=None) -> list[str]:
    """Run a study on a cluster and return its warnings.

    ``fault`` happens after the first batch, ``cure`` after the first warning.
    """
    told, faults, cures = [], [fault] if fault else [], [cure] if cure else []

    def warned(message, *_place, **_more) -> None:
        told.append(str(message))
        while cures:
            cures.pop()()

    def progress(_state: object) -> None:
        while faults:
            faults.pop()()

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = warned
        study = Study.plan(experiment(folder, **SIZE), folder / "out")
        study.run(executor=Cluster(fakes), progress=progress)
    assert not faults
    assert not cures
    listed = Ledger.read(folder / "out").files
    assert all(file.is_whole and file.role != cluster.ARRIVING for file in listed.values())
    return told


def test_workers_leave_the_files_of_parts_in_the_folder(tmp_path, whole) -> None:
    fakes = Fakes("a", "b")
    assert finish(tmp_path, fakes) == []
    assert len(fakes.given) == len(whole)
    assert all(isinstance(content, WrittenFile) for content in fakes.given)
    assert parts(tmp_path / "out") == whole


def test_workers_elsewhere_return_the_compressed_files(tmp_path, whole) -> None:
    fakes = Fakes("a", "b")
    fakes.see_folder = False
    assert finish(tmp_path, fakes) == []
    assert all(isinstance(content, bytes) for content in fakes.given)
    assert parts(tmp_path / "out") == whole


def test_batches_of_a_silent_worker_are_given_to_others(tmp_path, whole) -> None:
    fakes = Fakes("a", "b")
    fakes.freeze("a")
    told = finish(tmp_path, fakes)
    assert len(told) == 1
    assert "have not answered for 0.1 seconds: a." in told[0]
    assert "other workers take over their batches" in told[0]
    assert parts(tmp_path / "out") == whole
    assert fakes.held["a"]
    fakes.wake("a")  # what it does now is late
    fakes.threads.shutdown()
    assert parts(tmp_path / "out") == whole


WAITING = {
    "none": "tcp://fake:1 has no workers any more",
    "silent": "no worker has answered for 0.1 seconds (a)",
    "paused": "their memory is nearly full",
    "scheduler": "tcp://fake:1 has not answered for 0.1 seconds",
}


@pytest.mark.parametrize("fault", WAITING)
def test_a_study_that_waits_says_so_and_continues_automatically(fault, tmp_path, whole) -> None:
    fakes = Fakes("a")
    begin, end = {
        "none": (lambda: fakes.leave("a"), lambda: fakes.join("b")),
        "silent": (lambda: fakes.freeze("a"), lambda: fakes.wake("a")),
        "paused": (lambda: fakes.freeze("a", "paused"), lambda: fakes.wake("a")),
        "scheduler": (
            lambda: (fakes.freeze("a"), setattr(fakes, "scheduler_answers", False)),
            lambda: (fakes.wake("a"), setattr(fakes, "scheduler_answers", True)),
        ),
    }[fault]
    told = finish(tmp_path, fakes, fault=begin, cure=end)
    assert WAITING[fault] in told[0]
    assert "continues automatically as soon as" in told[0]
    assert "stop with Ctrl-C" in told[0]
    assert told[1:] in ([], ["the workers answer again, and the study continues"])
    assert parts(tmp_path / "out") == whole


def test_a_copy_for_a_worker_that_falls_silent_too_is_given_on(tmp_path, whole) -> None:
    fakes = Fakes("a", "b")
    for name in "ab":
        fakes.freeze(name)
    told = finish(
        tmp_path, fakes, cure=lambda: (fakes.join("c"), fakes.freeze("c"), fakes.wake("b"))
    )
    assert "(a, b)" in told[0]
    assert ": a, c." in told[1]
    assert parts(tmp_path / "out") == whole


def test_what_stops_a_study_is_told_with_what_to_do(tmp_path) -> None:
    fakes = Fakes("a")
    with pytest.raises(StoppedError) as lost:
        finish(
            tmp_path, fakes, fault=lambda: fakes.freeze("a"),
            cure=lambda: [one.cancel() for one in fakes.results],
        )  # fmt: skip
    assert "the Dask scheduler at tcp://fake:1 was lost; " in str(lost.value)
    assert "without --scheduler" in str(lost.value)
    assert not [name for name in contents(tmp_path / "out") if "arriving" in name]
    fakes.held.clear()
    fakes.error = KilledWorker("task", "worker")
    with pytest.raises(StoppedError, match="lack of memory"):
        finish(tmp_path, fakes)
    fakes.error = None
    assert finish(tmp_path, fakes) == []


def test_what_workers_left_for_a_client_that_was_killed_is_removed(tmp_path) -> None:
    with hold(tmp_path / "out") as ledger:
        ledger.put(Fact("study", "{}"))
        slip = Desk(ledger).open_slip()
        left = leave(b"half", Path(slip), "runs")
    assert {name.partition("-")[0] for name in parts(tmp_path / "out")} == {"parts/arriving"}
    assert left.path.read_bytes() == b"half"
    with hold(tmp_path / "out") as ledger:
        assert ledger.files == {}
    assert parts(tmp_path / "out") == {}
    assert leave(b"late", Path(slip), "runs") == b"late"
    assert parts(tmp_path / "out") == {}


def test_names_of_slips_do_not_pile_up_in_the_ledger(tmp_path) -> None:
    with hold(tmp_path / "out") as ledger:
        desk = Desk(ledger)
        for _number in range(3 * cluster.LOT):
            desk.close_slip(desk.open_slip())
        assert len(ledger.files) <= cluster.LOT * len(beside(""))
        desk.close()
        assert ledger.files == {}


def test_a_worker_whose_disk_refuses_returns_the_content(tmp_path) -> None:
    slip = tmp_path / "slip"
    slip.touch()
    (tmp_path / "slip.runs").mkdir()
    found = work_at(str(slip), lambda: SimpleNamespace(files={"runs": b"x", "regions": b"y"}))
    assert found.files["runs"] == b"x"
    assert found.files["regions"].path.read_bytes() == b"y"
