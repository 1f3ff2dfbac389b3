"""Work in a process of its own, which can be ended, and stands back behind simulations.

The files of strangers are read there, and reports written, which would keep Python from all other
visitors for seconds. A process that takes too much time or memory is killed, and its visitor reads
why. Processes are forked from a server that has imported what they need, so a call costs some 20 ms
more.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from kolabsim.errors import InputError, Problem
from kolabsim.i18n import _, language, speaking

NEEDED = [
    "kolabsim.app.fitting",
    "kolabsim.app.session",
    "kolabsim.app.uploads",
    "kolabsim.model.compiler",
    "kolabsim.report.comparison",
    "kolabsim.report.html",
    "kolabsim.scenario.importer.understanding",
    "kolabsim.study.scaffold",
    "matplotlib.backends.backend_svg",
    "scipy.spatial",
    "scipy.special",
]
"""Modules that processes need, and those that others import late."""
POLITENESS = 10
"""How far processes stand back behind simulations, as with the command ``nice``."""
PATIENCE = 4
"""Seconds that may pass for each second of processor time, on a machine that is busy."""


@dataclass(frozen=True)
class Limits:
    """What one call of a visitor may take."""

    seconds: int = 20
    """Seconds of processor time."""
    megabytes: int = 1500
    """Megabytes of memory, beyond those of a process that does nothing."""

    def scaled(self, factor: float) -> Limits:
        """Return limits that are higher or lower by a factor."""
        seconds, megabytes = round(factor * self.seconds), round(factor * self.megabytes)
        return Limits(max(1, seconds), max(100, megabytes))


class FailedError(Exception):
    """A call ended in an error that nobody expected; its text is that of the process."""


def call(function: Callable[..., Any], *arguments: object, limits: Limits | None = None) -> Any:
    """Return what a function returns, called in a process of its own in the language spoken now.

    Function, arguments and result are pickled. Raises :class:`~kolabsim.errors.InputError` with the
    problems of the function, or if it takes more than the limits allow.
    """
    limits = limits or Limits()
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = context().Process(  # type: ignore[attr-defined]
        target=_work, args=(theirs, limits, language(), function, arguments), daemon=True
    )
    process.start()
    theirs.close()
    try:
        if not ours.poll(PATIENCE * limits.seconds):
            raise too_slow(limits)
        kind, content = ours.recv()
    except EOFError:  # it was killed: by the system if not for its processor time
        process.join()
        raise (
            too_slow(limits) if is_out_of_time(process.exitcode) else too_large(limits)
        ) from None
    finally:
        ours.close()
        process.kill()
        process.join()
    if kind == "refused":
        raise InputError(content)
    if kind == "memory":
        raise too_large(limits)
    if kind == "failed":
        raise FailedError(content)
    return content


@cache
def context() -> BaseContext:
    """Return how processes are started: from a server that has no threads, where there is one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(NEEDED)
    return found


def _work(
    pipe: Connection, limits: Limits, lang: str, function: Callable[..., Any],
    arguments: tuple[object, ...],
) -> None:  # fmt: skip
    """Call a function within limits, and send what comes of it."""
    _limit(limits)
    answer: tuple[str, object]
    with speaking(lang):
        try:
            answer = "done", function(*arguments)
        except InputError as error:
            answer = "refused", error.problems
        except MemoryError:
            answer = "memory", None
        except Exception as error:
            if "bad_alloc" in str(error):  # how libraries written in C++ say it
                answer = "memory", None
            else:
                traceback.print_exc()
                answer = "failed", f"{type(error).__name__}: {error}"
    with suppress(BrokenPipeError):  # the server was ended meanwhile
        try:
            pipe.send(answer)
        except MemoryError:
            pipe.send(("memory", None))


def _limit(limits: Limits) -> None:
    """Limit this process, as far as the system knows limits."""
    if sys.platform == "win32":
        return
    import resource

    os.nice(POLITENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
    pages = Path("/proc/self/statm")
    if pages.exists():
        used = int(pages.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        most = used + limits.megabytes * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def is_out_of_time(exitcode: int | None) -> bool:
    """Whether a process was ended because of its processor time."""
    if sys.platform == "win32":
        return False
    import signal

    return exitcode in (-signal.SIGXCPU, -signal.SIGKILL)


def too_slow(limits: Limits) -> InputError:
    """The error of a call that takes too long."""
    text = _(
        "this takes more than the {seconds} seconds that this page allows; the commands 'kolabsim "
        "new' and 'kolabsim run' have no limit"
    )
    return InputError([Problem(text.format(seconds=limits.seconds))])


def too_large(limits: Limits) -> InputError:
    """The error of a call that needs too much memory."""
    text = _(
        "this needs more than the {megabytes} MB of memory that this page allows; the commands "
        "'kolabsim new' and 'kolabsim run' have no limit"
    )
    return InputError([Problem(text.format(megabytes=limits.megabytes))])
