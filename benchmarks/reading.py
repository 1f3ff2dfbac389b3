"""A measured value with its goal and verdict, and ways to measure."""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Reading:
    """One row of the table."""

    what: str
    value: float
    unit: str = ""
    """Nothing for a ratio."""
    at_most: float | None = None
    at_least: float | None = None
    why: str = ""
    """Why the goal is missed, where that is known."""

    @property
    def verdict(self) -> str:
        """Whether the goal is met, or by how much it is missed."""
        goal = self.at_most if self.at_most is not None else self.at_least
        if goal is None:
            return ""
        if math.isnan(self.value):
            return "not measured"
        met = self.value <= goal if self.at_most is not None else self.value >= goal
        if met:
            return "met"
        if goal == 0:
            return f"missed by {self.value:.3g}"
        return f"missed by {100 * abs(self.value / goal - 1):.0f} %"

    @property
    def goal(self) -> str:
        if self.at_most is not None:
            return f"at most {self.at_most:g}"
        return "" if self.at_least is None else f"at least {self.at_least:g}"

    def line(self) -> str:
        """The row as text, with the reason below it if the goal is missed."""
        value = f"{self.value:,.3g}" if abs(self.value) < 1000 else f"{self.value:,.0f}"
        shown = f"  {self.what:<74} {f'{value} {self.unit}'.strip():>12}  {self.goal:<14}"
        text = f"{shown} {self.verdict}".rstrip()
        is_missed = self.verdict.startswith("missed")
        return f"{text}\n      why: {self.why}" if is_missed and self.why else text

    def record(self) -> dict[str, object]:
        """The row as data."""
        found = {
            "what": self.what, "value": self.value, "unit": self.unit, "at_most": self.at_most,
            "at_least": self.at_least, "verdict": self.verdict,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value not in (None, "")}


class SkippedError(Exception):
    """A measurement that this machine cannot make."""


def interleaved(
    works: Mapping[str, tuple[Callable[[], object], float]], repeats: int = 5
) -> dict[str, float]:
    """Shortest processor time (s) of each piece of work, in turn, per unit of its size.

    What else the machine does then meets all of them alike.
    """
    best = dict.fromkeys(works, math.inf)
    for _ in range(repeats):
        for name, (work, size) in works.items():
            started = time.process_time()
            work()
            best[name] = min(best[name], (time.process_time() - started) / size)
    return best


def environment(**more: str) -> dict[str, str]:
    """The environment of a fresh process that sees these files."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path.strip(os.pathsep)} | more


def fresh(code: str, *words: object, **more: str) -> str:
    """What a fresh process prints that runs this code."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], env=environment(**more),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return done.stdout.strip()


def timed(command: list[str], **more: str) -> tuple[float, float]:
    """Seconds on the clock, and of processors, of a command with its children."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, env=environment(**more), capture_output=True, text=True, check=False
    )
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, spent
