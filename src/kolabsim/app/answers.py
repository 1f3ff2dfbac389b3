"""Answers to visitors: simulated and drawn once, however many ask the same."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from functools import partial
from weakref import WeakValueDictionary

import numpy as np

from kolabsim.app.charts import Drawing, draw
from kolabsim.app.queue import Line
from kolabsim.app.recent import Recent
from kolabsim.app.session import Estimate, Session

STORED = 100
"""Number of drawings that are kept; each has some 200 kB."""


class Answers:
    """Drawings of estimates, by all that they depend on, shared by all visitors."""

    def __init__(self, stored: int = STORED) -> None:
        self._drawings: Recent[Drawing] = Recent(stored)
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def steps(self, session: Session) -> tuple[int, ...]:
        """Return the numbers of runs that are still of interest: the last, if it is there."""
        last = session.steps[-1]
        return session.steps if self._drawings.get(key_of(session, last)) is None else (last,)

    async def find(
        self, session: Session, runs: int, line: Line, stop: np.ndarray, *, is_urgent: bool
    ) -> Drawing | None:
        """Return the drawing of an estimate after some runs; None if ``stop[0] != 0``.

        The work has ``stop`` as its purpose, so that what waits can be cancelled.
        Those who ask the same at the same time wait for the first of them.
        """
        key = key_of(session, runs)
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        run = partial(line.run, is_urgent=is_urgent, purpose=stop)
        async with lock:
            found = self._drawings.get(key)
            if found is None:
                try:
                    await asyncio.gather(*map(run, session.jobs(runs, stop)))
                    if not stop[0]:
                        # Nobody waits for the drawing of a refinement, which keeps Python busy.
                        found = await run(draw, Estimate(session, runs), is_long=not is_urgent)
                except asyncio.CancelledError:
                    if not stop[0]:
                        raise
                    return None
                if found is not None:
                    self._drawings.put(key, found)
        return found


def key_of(session: Session, runs: int) -> Hashable:
    """Return all that the drawing of an estimate depends on."""
    return session.keys, session.settings.measure, session.settings.lang, runs
