"""A fair queue: the work of all visitors on a few threads.

The visitor who has used least time comes first, so a second request waits for the first requests of
others, and nobody waits for somebody who asks for much.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any

from kolabsim.engine.ensemble import cores


@dataclass
class Job:
    """Work that waits."""

    call: Callable[[], Any]
    purpose: object
    future: Future[Any] = field(default_factory=Future)


class Line:
    """The work of one visitor.

    Urgent work, on which the visitor waits, is done before the other work of all visitors.
    """

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.urgent: deque[Job] = deque()
        self.other: deque[Job] = deque()
        self.running = 0
        self.used = 0.0
        """Seconds of work, or those of the queue's clock when this visitor asked again."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or runs."""
        return not (self.urgent or self.other or self.running)

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: object,
        is_urgent: bool = False,
        purpose: object = None,
    ) -> Future[Any]:
        """Let a thread call a function, in the language spoken now, when it is this line's turn.

        Work with a ``purpose`` can be cancelled together, see :meth:`cancel`.
        """
        context = contextvars.copy_context()
        job = Job(lambda: context.run(function, *arguments), purpose)
        self.queue.add(self, job, is_urgent=is_urgent)
        return job.future

    async def run(
        self,
        function: Callable[..., Any],
        *arguments: object,
        is_urgent: bool = True,
        purpose: object = None,
    ) -> Any:
        """Return what a function returns, called when it is this line's turn."""
        future = self.submit(function, *arguments, is_urgent=is_urgent, purpose=purpose)
        return await asyncio.wrap_future(future)

    def cancel(self, purpose: object) -> None:
        """Cancel what waits and has this purpose."""
        self.queue.clear(self, lambda job: job.purpose is purpose)

    def close(self) -> None:
        """Cancel everything that waits."""
        self.queue.clear(self, lambda _job: True)


class Queue:
    """Threads that do the work of all lines."""

    def __init__(
        self, threads: int, name: str, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._threads, self._name, self._time = threads, name, clock
        self._started: list[Thread] = []
        self._changed = Condition()
        self._lines: set[Line] = set()
        """Lines with work that waits."""
        self._clock = 0.0
        """The used time of the line that was served last."""

    def line(self) -> Line:
        """Return the line of a new visitor."""
        return Line(self)

    def add(self, line: Line, job: Job, *, is_urgent: bool) -> None:
        """Add work to a line."""
        with self._changed:
            if line.is_idle:  # what others used in the meantime is no credit
                line.used = max(line.used, self._clock)
            (line.urgent if is_urgent else line.other).append(job)
            self._lines.add(line)
            if len(self._started) < self._threads:
                self._started.append(Thread(target=self._serve, name=self._name, daemon=True))
                self._started[-1].start()
            self._changed.notify()

    def clear(self, line: Line, is_meant: Callable[[Job], bool]) -> None:
        """Cancel some of the work of a line that waits."""
        with self._changed:
            jobs = [job for job in (*line.urgent, *line.other) if is_meant(job)]
            line.urgent = deque(job for job in line.urgent if not is_meant(job))
            line.other = deque(job for job in line.other if not is_meant(job))
            if not (line.urgent or line.other):
                self._lines.discard(line)
        for job in jobs:
            job.future.cancel()

    def _next(self) -> tuple[Line, Job]:
        """Wait for work, and take it from the line that comes first."""
        with self._changed:
            while not self._lines:
                self._changed.wait()
            line = min(self._lines, key=lambda one: (not one.urgent, one.used))
            job = (line.urgent or line.other).popleft()
            self._clock = max(self._clock, line.used)
            line.running += 1
            if not (line.urgent or line.other):
                self._lines.discard(line)
        return line, job

    def _serve(self) -> None:
        while True:
            line, job = self._next()
            started = self._time()
            if job.future.set_running_or_notify_cancel():
                try:
                    result = job.call()
                except BaseException as error:
                    job.future.set_exception(error)
                else:
                    job.future.set_result(result)
                    del result
            del job  # the thread may wait for hours until its next work
            with self._changed:
                line.used += self._time() - started
                line.running -= 1
            del line


CORES = Queue(cores(), "simulation")
"""The cores of the machine, shared by all visitors."""
READERS = Queue(max(1, cores() // 2), "reading", time.monotonic)
"""Readers of uploads, each in a process of its own, so that their threads only wait."""
