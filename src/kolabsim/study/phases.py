"""The time of a command by phase, on the clock and of processors."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kolabsim.study.execution import Progress

PLANNING, SIMULATING, STORING, REPORTING = "planning", "simulating", "storing", "reporting"


class Spent(NamedTuple):
    """Time of a phase."""

    seconds: float = 0.0
    """On the clock."""
    cpu_seconds: float = 0.0
    """Of processors, summed over threads, processes and workers."""


class Phases:
    """A clock of the phases of a command, one after the other.

    Storing goes on while runs are simulated, so :meth:`spent` adds its own figures.
    """

    def __init__(self) -> None:
        self.known: dict[str, Spent] = {}
        self.phase, self.since = PLANNING, _now()

    def begin(self, phase: str) -> None:
        """End the phase that lasts, and begin another, or go on with an earlier one."""
        now, known = _now(), self.known.get(self.phase, Spent())
        passed = zip(known, now, self.since, strict=True)
        self.known[self.phase] = Spent(*(total + end - begin for total, end, begin in passed))
        self.phase, self.since = phase, now

    def spent(self, progress: Progress, *, is_local: bool) -> dict[str, Spent]:
        """Time by phase so far; ``is_local`` says that threads of this process simulated.

        ``planning``, ``simulating`` and ``reporting`` add up to the time on the clock; ``storing``
        happens within ``simulating``.
        """
        self.begin(self.phase)
        inside = self.known.get(SIMULATING, Spent())
        others = -progress.simulating if is_local else progress.storing
        found = {
            PLANNING: self.known.get(PLANNING, Spent()),
            SIMULATING: Spent(inside.seconds, progress.simulating),
            STORING: Spent(progress.writing, max(inside.cpu_seconds + others, 0.0)),
        }
        if REPORTING in self.known:
            found[REPORTING] = self.known[REPORTING]
        return found


def _now() -> Spent:
    times = os.times()  # children are processes that draw
    return Spent(time.perf_counter(), sum(times[:4]))
