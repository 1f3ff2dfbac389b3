"""A fair queue: the work of all visitors on a few threads.

The visitor who has used least time comes first, so a second request waits for the first requests of
others. Work cannot be interrupted, so one thread is free of long work while others are about:
nobody waits for somebody who asks for much. Those who submit work say whether it is long, because
a queue that only finds out would give all its threads to a newcomer whose work is.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Thread
from typing import Any
from weakref import WeakSet

from kolabsim.engine.ensemble import cores

CREDIT = 10.0
"""Seconds by which urgent work is ahead of other work: as long as a handful of answers take until
their last refinement. While a class moves sliders, refinements wait. Those who used more than that
beyond others wait for all of their work."""
CREDIT_OF_HEAVY = 0.5 * CREDIT
"""The same for those all of whose work is long: while a class moves sliders, they wait for answers,
but not for refinements."""
ABOUT = 5.0
"""Seconds for which a visitor is about after their last work: as long as people think."""


@dataclass(eq=False)
class Job:
    """Work that waits."""

    call: Callable[[], Any]
    purpose: object
    is_long: bool
    future: Future[Any] = field(default_factory=Future)


class Line:
    """The work of one visitor.

    Urgent work, on which the visitor waits, is done before the visitor's other work, and before
    that of others who have not used much less.
    """

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.urgent: deque[Job] = deque()
        self.other: deque[Job] = deque()
        self.running = 0
        self.used = 0.0
        """Seconds of work, or those of the queue's clock when this visitor asked again."""
        self.is_heavy = False
        """Whether all work of this visitor is long, as that on a large scenario."""
        self.last = -math.inf
        """When the last piece of work ended."""

    @property
    def rank(self) -> float:
        """Place among the lines: the lowest comes first."""
        credit = CREDIT_OF_HEAVY if self.is_heavy else CREDIT
        return self.used - (credit if self.urgent else 0.0)

    def next(self, *, is_short: bool = False) -> tuple[deque[Job], Job] | None:
        """The work that is done next, of any or of short work, and the jobs that it is among."""
        for jobs in (self.urgent, self.other):
            for job in jobs:
                if not (is_short and job.is_long):
                    return jobs, job
        return None

    @property
    def is_about(self) -> bool:
        """Whether there is work, or was a few seconds ago."""
        return not self.is_idle or time.monotonic() - self.last < ABOUT

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or runs."""
        return not (self.urgent or self.other or self.running)

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: object,
        is_urgent: bool = False,
        is_long: bool = False,
        purpose: object = None,
    ) -> Future[Any]:
        """Let a thread call a function, in the language spoken now, when it is this line's turn.

        Work ``is_long`` if it takes longer than a first estimate does at a time: some 0.1 seconds.
        Work with a ``purpose`` can be cancelled together, see :meth:`cancel`.
        """
        context = contextvars.copy_context()
        call = partial(context.run, function, *arguments)
        job = Job(call, purpose, is_long or self.is_heavy)
        self.queue.add(self, job, is_urgent=is_urgent)
        return job.future

    async def run(
        self,
        function: Callable[..., Any],
        *arguments: object,
        is_urgent: bool = True,
        is_long: bool = False,
        purpose: object = None,
    ) -> Any:
        """Return what a function returns, called when it is this line's turn."""
        future = self.submit(
            function, *arguments, is_urgent=is_urgent, is_long=is_long, purpose=purpose
        )
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
        self._all: WeakSet[Line] = WeakSet()
        self._long = 0
        """Threads that do long work."""
        self._clock = 0.0
        """The used time of the line that was served last."""

    def line(self) -> Line:
        """Return the line of a new visitor."""
        line = Line(self)
        with self._changed:
            self._all.add(line)
        return line

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

    def _first(self) -> tuple[Line, deque[Job], Job] | None:
        """The line whose turn it is, if any, and its work."""
        # The last thread is free of long work while those whose work is short are about.
        is_short = self._long >= self._threads - 1 > 0 and any(
            line.is_about and not line.is_heavy for line in self._all
        )
        for line in sorted(self._lines, key=lambda line: line.rank):
            found = line.next(is_short=is_short)
            if found is not None:
                return line, *found
        return None

    def _next(self) -> tuple[Line, Job]:
        """Wait for work, and take it from the line that comes first."""
        with self._changed:
            while (found := self._first()) is None:
                # Nobody else may be about after a while.
                self._changed.wait(ABOUT if self._lines else None)
            line, jobs, job = found
            jobs.remove(job)
            self._clock = max(self._clock, line.used)
            line.running += 1
            self._long += job.is_long
            if not (line.urgent or line.other):
                self._lines.discard(line)
        return line, job

    def _serve(self) -> None:
        while True:
            line, job = self._next()
            is_long, started = job.is_long, self._time()
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
                seconds = self._time() - started
                line.used += seconds
                line.running -= 1
                line.last = time.monotonic()
                self._long -= is_long
                if self._lines:
                    self._changed.notify_all()
            del line


CORES = Queue(cores(), "simulation")
"""The cores of the machine, shared by all visitors."""
READERS = Queue(max(1, cores() // 2), "reading", time.monotonic)
"""Readers of uploads, each in a process of its own, so that their threads only wait."""
WRITERS = Queue(max(1, cores() // 2), "writing", time.monotonic)
"""Writers of files to take away, in processes as well: reports keep Python busy for seconds."""
