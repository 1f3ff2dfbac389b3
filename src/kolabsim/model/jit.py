"""What is compiled, and how: functions of the model, prefetching memory, sorting.

Functions are compiled when they are first called, once for each version of the model, and kept on
disk; declaring them does not import numba. In worlds too large for a processor's cache, loops
prefetch the next records while the stages work on the present ones (:func:`ahead_of_region`,
:func:`ahead_of_body`, :func:`ahead_of_negotiation`); this changes no result.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, update_wrapper
from pathlib import Path
from threading import RLock
from types import FunctionType
from typing import Any

import numpy as np

from kolabsim.garbage import uncollected
from kolabsim.model.version import cache_folder, shipped_code

IS_PLAIN = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
"""Whether the model runs as plain Python, which is some thousand times slower."""

MAKING = RLock()

_IN_PYTHON: ContextVar[bool] = ContextVar("in_python", default=False)


@contextmanager
def in_python() -> Iterator[None]:
    """Call functions that are not compiled yet in plain Python, as for a single example."""
    before = _IN_PYTHON.set(True)
    try:
        yield
    finally:
        _IN_PYTHON.reset(before)


class Compiled:
    """A function that is compiled when Python first calls it, or another function that calls it.

    It is compiled apart for Python (``entry``) and for compiled functions (``dispatcher``), because
    most functions are needed by one of them only. Everything but ``py_func``, the plain function,
    is asked of numba's dispatchers.
    """

    def __init__(self, function: Callable, make: Callable[[bool], Any]) -> None:
        update_wrapper(self, function)
        self.py_func, self._make = function, make
        self._made: dict[bool, Any] = {}

    def _face(self, *, for_python: bool) -> Any:
        if for_python not in self._made:
            with MAKING:
                if for_python not in self._made:
                    self._made[for_python] = self._make(for_python)
        return self._made[for_python]

    @property
    def entry(self) -> Any:
        """Numba's dispatcher of the function as Python calls it."""
        return self._face(for_python=True)

    @property
    def dispatcher(self) -> Any:
        """Numba's dispatcher of the function as compiled functions call it."""
        return self._face(for_python=False)

    @property
    def signatures(self) -> list:
        """The types of arguments for which Python has called it in this process."""
        return self.entry.signatures if True in self._made else []

    @property
    def overloads(self) -> dict:
        """What is compiled for these."""
        return self.entry.overloads if True in self._made else {}

    def __call__(self, *arguments: Any) -> Any:
        """Call it, compiled but :func:`in_python`."""
        if True not in self._made and _IN_PYTHON.get():
            return self.py_func(*arguments)
        if self.overloads:
            return self.entry(*arguments)
        with uncollected():
            return self.entry(*arguments)

    def __getattr__(self, name: str) -> Any:
        # Numba finds the function's type and options here where another function calls it.
        if name == "_numba_type_" or not name.startswith("_"):
            return getattr(self.dispatcher, name)
        raise AttributeError(name)


def _compiler() -> Any:
    from kolabsim.model import compiler  # late: it imports numba

    return compiler


def compiled(function: Callable, *, kept: bool = True, **options: bool | str) -> Callable:
    """Compile a function of the model: without the GIL, with numpy's rules for divisions.

    Never in parallel: inside a parallel loop, writes through a field of a NamedTuple are lost
    without a word (numba #5872). Threads run whole blocks of runs instead.
    """
    if IS_PLAIN:
        return function
    # Without the first option a callee would inherit its caller's counting of references.
    options = {"_nrt": True} | options
    options |= {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}

    def make(for_python: bool) -> Any:
        more = {"no_cpython_wrapper": not for_python}
        return _compiler().make_dispatcher(function, kept, options | more)

    return Compiled(function, make)


def kernel(function: Callable) -> Callable:
    """A compiled function that Python calls: a law, or the loop of the ensemble."""
    return compiled(function)


def device(function: Callable) -> Callable:
    """A device function, as numba.cuda says: compiled functions call it, Python does not.

    (:func:`host_entry` makes an entry for Python where one is needed.) It does not count
    references: passing the state would otherwise cost twenty atomic operations a call, more than
    most device functions do. It must therefore neither create nor return an array. The machine code
    of a short one is copied into that of its callers, which saves the time of the calls.
    """
    return compiled(function, _nrt=False, forceinline=True)


def shared_device(function: Callable) -> Callable:
    """A device function that is never copied: it has several callers, or the loop calls it."""
    return compiled(function, _nrt=False, forceinline=False)


def stage(function: Callable) -> Callable:
    """A device function that may create arrays, and is never copied into the loop that calls it.

    The time to optimise a function and to choose its registers grows faster than its length.
    """
    return compiled(function, forceinline=False)


def allocating_device(function: Callable) -> Callable:
    """A device function that creates arrays."""
    return compiled(function)


def inlined(function: Callable) -> Callable:
    """A function that is copied into its callers before they are compiled; Python may call it.

    Numba copies its statements before it looks for their types, which takes longer than a call:
    for the few functions whose calls would cost time in each run.
    """
    return compiled(function, inline="always")


def is_compiled_before() -> bool:
    """Whether there is machine code of this version of the model: kept on disk, or installed.

    Only the loop of the ensemble counts: single laws are compiled by other commands too.
    """
    folder, loop = cache_folder(), "ensemble.simulate_runs-*.nbi"
    if folder is not None and any(Path(folder).rglob(loop)):
        return True
    shipped = shipped_code()
    return shipped is not None and any(shipped.rglob(loop)) and bool(_compiler().is_portable())


@cache
def host_entry(function: Callable, **names: Callable) -> Callable:
    """An entry from Python to a device function; ``names`` as in :func:`rebind`."""
    return compiled(_copy(function, "entry", names), kept=not names)


def obstacle(function: Callable, arguments: tuple) -> str:
    """Why a compiled function cannot be compiled for these arguments, in a line; empty if it can.

    In plain Python the function must accept the arguments: numba may raise any error.
    """
    try:
        function(*arguments)
    except Exception as error:
        if not isinstance(error, _compiler().NumbaError):
            return f"numba: {error!r}"
        lines = (line.strip() for line in str(error).splitlines())
        return next((line for line in lines if line and not line.startswith("Failed in ")), "?")
    return ""


def rebind(function: Callable, **names: Callable) -> Callable:
    """Return a function of the model that calls other functions under the given names.

    A user-defined decision rule thus replaces the built-in ones without a second copy of any code.
    Only the rebound functions are compiled again, in each process.
    """
    return compiled(_copy(function, "rebound", names), kept=False)


def _copy(function: Callable, word: str, names: Mapping[str, Callable]) -> Callable:
    plain = getattr(function, "py_func", function)
    copy = FunctionType(
        plain.__code__, plain.__globals__ | dict(names), f"{plain.__name__}_{word}",
        plain.__defaults__, plain.__closure__,
    )  # fmt: skip
    # Numba looks up its cache on disk by this name: with the old one it would take the copy for
    # the original.
    copy.__qualname__, copy.__module__ = copy.__name__, plain.__module__
    return copy


# Fetching memory ahead ----------------------------------------------------------------------------

LARGE = 1_000
"""Number of regions from which a world outgrows the cache; smaller ones would only lose time."""

AHEAD = 12
"""Regions ahead of the one at work: far enough to hide the delay of memory."""

PLACES = 24
"""Bodies ahead of the one at work; most of their places are free."""


def fetch(array, start, size):
    """Prefetch ``size`` bytes of an array from byte ``start``; in plain Python do nothing."""


if not IS_PLAIN:
    fetch = Compiled(fetch, lambda _for_python: _compiler().make_fetch())


@device
def fetch_items(array, start, number):
    """Prefetch items of an array's first axis."""
    fetch(array, start * array.strides[0], number * array.strides[0])


@device
def fetch_slot(s, i, a):
    """Prefetch a slot, its region and its own row."""
    fetch(s.slot, i * s.slot.strides[0] + a * s.slot.strides[1], s.slot.strides[1])
    fetch_items(s.region, i, 1)
    fetch_items(s.sums, i * s.slot.shape[1] + a, 1)


@device
def fetch_contacts(s, i):
    """Prefetch a region's contacts."""
    fetch_items(s.contact, s.region[i].first, s.region[i].end - s.region[i].first)


@device
def fetch_region(s, i):
    """Prefetch a later region, its slots and their rows, and the contacts of a nearer one.

    The record that holds an address must have arrived before: hence the nearer one.
    """
    far, near, areas = i + AHEAD, i + AHEAD // 2, s.slot.shape[1]
    fetch_items(s.slot, far, 1)
    fetch_items(s.region, far, 1)
    fetch_items(s.sums, far * areas, areas)
    if near < len(s.region):
        fetch_contacts(s, near)


@device
def fetch_parties(s, i):
    """Prefetch the rows of the parties with which a later region negotiates."""
    near, areas = i + AHEAD // 2, s.slot.shape[1]
    for a in range(areas if near < len(s.region) else 0):
        contact = s.slot[near, a].contact
        if contact >= 0:
            j = s.contact[contact].target
            body = s.slot[j, a].body
            fetch_items(s.sums, j * areas + a if body < 0 else s.slot.size + body, 1)


@device
def fetch_body(s, body):
    """Prefetch a later body, the members of a nearer one, and the contacts of one nearer still."""
    far, near, soon = body + 2 * PLACES, body + PLACES, body + PLACES // 2
    if far < len(s.body) and s.body[far].members > 0:
        fetch_items(s.members, far, 1)
        fetch_items(s.sums, s.slot.size + far, 1)
    for k in range(s.body[near].members if near < len(s.body) else 0):
        fetch_slot(s, s.members[near, k], s.body[near].area)
    for k in range(s.body[soon].members if soon < len(s.body) else 0):
        fetch_contacts(s, s.members[soon, k])


@device
def fetch_negotiation(s, queue, k):
    """Prefetch both sides of the next negotiations in the queue (slots as i A + a)."""
    areas = s.slot.shape[1]
    if k + 8 < len(queue):
        fetch_slot(s, queue[k + 8] // areas, queue[k + 8] % areas)
    if k + 4 < len(queue):
        i, a = queue[k + 4] // areas, queue[k + 4] % areas
        fetch_contacts(s, i)
        if s.slot[i, a].contact >= 0:
            fetch_slot(s, s.contact[s.slot[i, a].contact].target, a)
    if k + 2 < len(queue):
        i, a = queue[k + 2] // areas, queue[k + 2] % areas
        if s.slot[i, a].contact >= 0:
            fetch_contacts(s, s.contact[s.slot[i, a].contact].target)


@device
def ahead_of_region(s, i, parties):
    """Prefetch what a loop over regions reads soon; ``parties``: with their negotiations.

    (A generator would be shorter, but numba never lets go of the arrays that it was given.)
    """
    if len(s.region) >= LARGE:
        fetch_region(s, i)
        if parties:
            fetch_parties(s, i)


@device
def ahead_of_body(s, body):
    """Prefetch what a loop over the places of bodies reads soon."""
    if len(s.region) >= LARGE:
        fetch_body(s, body)


@device
def ahead_of_negotiation(s, queue, k):
    """Prefetch what a loop over a queue of negotiations (slots as i A + a) reads soon."""
    if len(s.region) >= LARGE:
        fetch_negotiation(s, queue, k)


# Sorting ------------------------------------------------------------------------------------------


@kernel
def argsort(values):
    """Positions of the values from lowest to highest; equal values keep their order.

    It is a merge sort; numpy's would take seconds to compile into the model.
    """
    number = len(values)
    order, room, width = np.arange(number), np.empty(number, np.int64), 1
    while width < number:
        for start in range(0, number, 2 * width):
            middle, end = min(start + width, number), min(start + 2 * width, number)
            left, right = start, middle
            for k in range(start, end):
                if left < middle and (right >= end or values[order[left]] <= values[order[right]]):
                    room[k] = order[left]
                    left += 1
                else:
                    room[k] = order[right]
                    right += 1
        order, room = room, order
        width *= 2
    return order
