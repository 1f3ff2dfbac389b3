"""Clusters: the workers of a Dask scheduler, and what happens when they do not answer.

A worker that sees the folder of the study leaves the files of its parts there, so that only their
hashes travel; any other worker returns their compressed content. The batches of a worker that
falls silent are given to others as well, and the first result counts: all are the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import secrets
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kolabsim.files import WrittenFile
from kolabsim.i18n import _
from kolabsim.study.ledger import Ledger
from kolabsim.study.parts import KINDS, PARTS
from kolabsim.study.rows import File
from kolabsim.study.worker import Finished

if TYPE_CHECKING:
    from distributed import Client, Scheduler

PATIENCE = 10.0
"""Seconds after which a worker or scheduler that does not answer is called silent."""
GRACE = 5.0
"""Seconds without workers before that is reported: a worker that restarts takes less."""
INTERVAL = 1.0
"""Seconds between questions to the scheduler."""
ARRIVING = "arriving"
"""Role of files that workers leave in the folder, until they are files of a part."""
LISTED = 5
"""Most workers that a warning names."""
LOT = 64
"""Names for such files that are entered into the ledger at a time."""


class LostWorkersError(Exception):
    """Workers that will not answer any more; its text says why, and where that depends, what next.

    The second part follows on "the same command continues from there".
    """

    def __init__(self, text: str, later: str = "") -> None:
        super().__init__(text)
        self.later = later


# On a worker --------------------------------------------------------------------------------------


def work_at(
    slip: str | None, function: Callable[..., Finished], /, *words: Any, **more: Any
) -> Finished:
    """Call a function on a worker, and leave the files that it gives beside a slip.

    A slip is an empty file in the folder of the study. A worker that does not see it is elsewhere,
    or its batch was finished by another worker: it returns the content of the files.
    """
    found = function(*words, **more)
    if slip is not None:
        files = {kind: leave(content, Path(slip), kind) for kind, content in found.files.items()}
        found.files = files
    return found


def leave(content: bytes | WrittenFile, slip: Path, kind: str) -> bytes | WrittenFile:
    """Write a file beside a slip that is there; if that is impossible, give the content back."""
    assert isinstance(content, bytes)
    path = slip.with_name(f"{slip.name}.{kind}")
    try:
        if not slip.is_file():
            return content
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if slip.is_file():
            return WrittenFile(path, hashlib.sha256(content).hexdigest(), len(content))
        path.unlink()
    except OSError:
        pass
    return content


# In the folder ------------------------------------------------------------------------------------


class Desk:
    """Slips in the folder of a study; what lies beside them is in the ledger before it is written.

    Whatever a client that was killed leaves is therefore removed by the next one.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._free: deque[str] = deque()
        self._listed: set[str] = set()
        self._open: set[str] = set()

    def open_slip(self) -> str | None:
        """The absolute path of a new slip; None if the disk refuses."""
        if not self._free:
            self.clear()
            # Nobody finds such a name who does not see the folder.
            self._free.extend(f"{PARTS}/arriving-{secrets.token_hex(8)}" for _ in range(LOT))
            self._listed |= set(self._free)
            rows = [File(n, ARRIVING, "", 0, "[]", 0) for s in self._free for n in beside(s)]
            self.ledger.put(*rows)
        name = self._free.popleft()
        path = self.ledger.folder.absolute() / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError:
            return None
        self._open.add(name)
        return str(path)

    def close_slip(self, path: str) -> None:
        """Remove a slip: from now on, nothing is left beside it."""
        Path(path).unlink(missing_ok=True)
        self._open.discard(f"{PARTS}/{Path(path).name}")

    def clear(self) -> None:
        """Remove all files beside closed slips, and their names from the ledger."""
        gone = self._listed - self._open - set(self._free)
        self.ledger.remove(name for slip in sorted(gone) for name in beside(slip))
        self._listed -= gone

    def close(self) -> None:
        """Remove all that is left."""
        self._open.clear()
        self._free.clear()
        self.clear()


def beside(slip: str) -> list[str]:
    """The names of a slip and of the files beside it."""
    return [slip, *(f"{slip}.{kind}" for kind in KINDS)]


# At the scheduler ---------------------------------------------------------------------------------


class View(NamedTuple):
    """What a scheduler knows of its workers and of some tasks."""

    workers: dict[str, tuple[float, int, bool]]
    """By address: seconds since it was heard, its threads, and whether it takes tasks."""
    tasks: dict[str, tuple[str, list[str]]]
    """By key: its state, and the workers that have it or its result."""


def viewer(keys: list[str]) -> Callable[..., Any]:
    """A function that a scheduler runs to give its view.

    As it has no name in this module, it travels with its code: a scheduler needs no kolabsim.
    """

    def view(dask_scheduler: Scheduler) -> tuple[dict[str, Any], dict[str, Any]]:
        now, tasks = time.time(), {}
        workers = {
            one.address: (now - one.last_seen, one.nthreads, one.status.name == "running")
            for one in dask_scheduler.workers.values()
        }
        for key in keys:
            if key in dask_scheduler.tasks:
                task = dask_scheduler.tasks[key]
                at = [task.processing_on] if task.processing_on else task.who_has or []
                tasks[key] = (task.state, [one.address for one in at])
        return workers, tasks

    return view


@dataclass
class Order:
    """A call that one worker or several are to carry out; the first result counts."""

    call: Callable[..., Any]
    result: Future[Any] = field(default_factory=Future)
    copies: dict[str, Future[Any]] = field(default_factory=dict)
    """The calls on workers, by their Dask keys."""
    slips: list[str] = field(default_factory=list)

    def is_stuck(self, view: View, silent: set[str]) -> bool:
        """Whether no copy can end before a silent worker answers."""
        states = [view.tasks.get(key, ("", [])) for key in self.copies]
        return all(
            state == "no-worker" or (bool(at) and silent.issuperset(at)) for state, at in states
        )


class Cluster(Executor):
    """The workers of a Dask scheduler, as the executor of a study.

    ``client`` is a ``distributed.Client``. While a study runs, it warns within 15 seconds if
    workers or the scheduler do not answer (:class:`UserWarning`).

    >>> from distributed import Client
    >>> with Client(processes=False, dashboard_address=None) as client:
    ...     study.run(executor=Cluster(client))  # doctest: +SKIP
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pool = client.get_executor(pure=False)
        self._orders: dict[Future[Any], Order] = {}
        self._desk: Desk | None = None
        self._question: Future[Any] | None = None
        self._asked = self._staffed = self._steady = -math.inf
        """When the scheduler was asked, last had workers, and last was silent itself."""
        self._told: tuple[str, frozenset[str]] = ("", frozenset())
        self.workers = max(sum(client.nthreads().values()), 1)
        """Batches that are simulated at a time: at least one, for workers that will join."""

    @property
    def address(self) -> str:
        """The address of the scheduler."""
        return str(self._client.scheduler.address)

    @contextmanager
    def serving(self, ledger: Ledger) -> Iterator[None]:
        """Let workers that see the folder of a ledger leave their files there."""
        self._desk = Desk(ledger)
        self._staffed = time.monotonic()
        try:
            yield
        finally:
            for result in list(self._orders):
                result.cancel()
                self.release(result)
            self._desk.close()
            self._desk = None

    def submit(self, function: Callable[..., Any], /, *words: Any, **more: Any) -> Future[Any]:
        """Call a function on a worker."""
        order = Order(partial(function, *words, **more))
        self._orders[order.result] = order
        self._send(order)
        return order.result

    def release(self, result: Future[Any]) -> None:
        """Forget a result whose files have been taken, and call off what else was to give it."""
        order = self._orders.pop(result)
        for copy in order.copies.values():
            copy.cancel()
        for slip in order.slips:
            if self._desk:
                self._desk.close_slip(slip)

    def _send(self, order: Order, workers: list[str] | None = None) -> None:
        slip = self._desk.open_slip() if self._desk else None
        key = f"kolabsim-{secrets.token_hex(8)}"
        where = {"workers": workers} if workers else {}
        copy = self._pool.submit(work_at, slip, order.call, key=key, **where)
        order.copies[key] = copy
        if slip:
            order.slips.append(slip)
        copy.add_done_callback(partial(self._receive, order))

    def _receive(self, order: Order, copy: Future[Any]) -> None:
        """Pass on what one of the copies gave, unless another one was faster."""
        with suppress(InvalidStateError):
            if copy.cancelled():
                if not order.result.done():  # not by this cluster, which has a result then
                    text = _("the Dask scheduler at {address} was lost")
                    later = _("once it runs again with workers or, without --scheduler, right away")
                    lost = LostWorkersError(text.format(address=self.address), later)
                    order.result.set_exception(lost)
            elif isinstance(error := copy.exception(), Exception):
                order.result.set_exception(_explained(error))
            else:
                order.result.set_result(copy.result())

    # Watching -------------------------------------------------------------------------------------

    def check(self) -> None:
        """Ask the scheduler for its view, and act on it: call this every second or so.

        It never waits for an answer.
        """
        now = time.monotonic()
        if self._question is None:
            if now - self._asked >= INTERVAL:
                self._asked, self._question = now, self._ask()
            return
        if not self._question.done():
            if now - self._asked >= PATIENCE:
                self._steady = now
                self._tell("scheduler", ())
            return
        question, self._question, self._asked = self._question, None, now
        try:
            view = View(*question.result())
        except Exception:  # it is lost, or lets nobody ask: results show which
            return
        self._act(view, now)

    def _ask(self) -> Future[Any]:
        keys = [
            key
            for result, order in list(self._orders.items())
            if not result.done()
            for key in order.copies
        ]
        view = viewer(keys)

        async def ask() -> Any:
            return await self._client.run_on_scheduler(view)

        loop: Any = self._client.loop
        return asyncio.run_coroutine_threadsafe(ask(), loop.asyncio_loop)

    def _act(self, view: View, now: float) -> None:
        # After a silence of the scheduler itself, workers get the time to be heard.
        is_fair = now - self._steady >= PATIENCE
        silent = {name for name, (age, *_) in view.workers.items() if is_fair and age >= PATIENCE}
        able = {
            name: threads
            for name, (_age, threads, is_running) in view.workers.items()
            if is_running and name not in silent
        }
        self.workers = max(sum(able.values()), 1)
        if able:
            self._staffed = now
        if silent and able:
            self._tell("some", silent)
        elif not silent and able:
            self._tell("", ())
        elif silent:
            self._tell("silent", silent)
        elif now - self._staffed >= GRACE:
            self._tell("paused" if view.workers else "none", ())
        for order in list(self._orders.values()) if able else ():
            if not order.result.done() and order.is_stuck(view, silent):
                self._send(order, sorted(able))

    def _tell(self, state: str, names: Iterable[str]) -> None:
        """Warn of a state, once."""
        told, self._told = self._told, (state, frozenset(names))
        if self._told == told or not (state or told[0]):
            return
        some = sorted(names)
        more = _(" and {number} more").format(number=len(some) - LISTED)
        words = {
            "address": self.address,
            "seconds": f"{PATIENCE:g}",
            "names": ", ".join(some[:LISTED]) + (more if len(some) > LISTED else ""),
        }
        warnings.warn(_texts()[state].format(**words), stacklevel=3)


def _texts() -> dict[str, str]:
    """What is reported of each state, what happens automatically, and what a user can do."""
    stop = _(
        "You can also stop with Ctrl-C: finished runs are stored, and the same command continues "
        "from there, on this machine if you leave out --scheduler."
    )
    texts = {
        "scheduler": _(
            "the Dask scheduler at {address} has not answered for {seconds} seconds. The study "
            "continues automatically as soon as it answers. If it hangs, restart it and its "
            "workers, and type the same command again."
        ),
        "none": _(
            "the Dask scheduler at {address} has no workers any more. The study waits, and "
            "continues automatically as soon as one joins. Start one with 'dask worker {address} "
            "--nthreads 1', where this version of kolabsim is installed."
        ),
        "silent": _(
            "no worker has answered for {seconds} seconds ({names}). The study waits, and "
            "continues automatically as soon as one answers or another one joins. Start one with "
            "'dask worker {address} --nthreads 1'."
        ),
        "paused": _(
            "all workers are paused, because their memory is nearly full. The study waits, and "
            "continues automatically as soon as one has room or another one joins. Start one with "
            "'dask worker {address} --nthreads 1 --memory-limit SIZE'."
        ),
    }
    return {name: f"{text} {stop}" for name, text in texts.items()} | {
        "some": _(
            "these workers have not answered for {seconds} seconds: {names}. The study continues: "
            "other workers take over their batches, and they are used again as soon as they "
            "answer. Restart them if they hang."
        ),
        "": _("the workers answer again, and the study continues"),
    }


def _explained(error: Exception) -> Exception:
    """An error of Dask as a sentence; errors of other kinds as they are."""
    if type(error).__name__ == "KilledWorker":
        text = _(
            "several workers died while they simulated the same runs, perhaps for lack of memory; "
            "give each more of it, with --memory-limit of 'dask worker' or where you start them"
        )
        return LostWorkersError(text)
    return error
