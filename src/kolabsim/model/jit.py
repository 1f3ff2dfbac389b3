"""All use of numba: compiling and caching the model, prefetching memory, sorting.

Functions are compiled once for each version of the model and kept on disk. In worlds too large for
a processor's cache, loops prefetch the next records while the stages work on the present ones
(:func:`ahead_of_region`, :func:`ahead_of_body`, :func:`ahead_of_negotiation`); this changes no
result.
"""

from __future__ import annotations

import gc
import hashlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FunctionType

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import config
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

SOURCES = Path(__file__).parent.parent
"""Folder of the package. An edit in any compiled module must empty the cache, because numba itself
does not notice an edit in another file and would run the old machine code."""


@cache
def digest(*rooms: str) -> str:
    """Version of the model: a hash of the sources that decide a run's result, and of numba's.

    With ``rooms``, of the sources in these packages. It is computed once: a process keeps the
    sources that it has loaded, even after an edit.
    """
    text = hashlib.sha256(numba.__version__.encode())
    for room in rooms or ("model", "engine"):
        for path in sorted((SOURCES / room).rglob("*.py")):
            text.update(path.name.encode())
            text.update(path.read_bytes())
    return text.hexdigest()[:16]


@cache
def cache_folder() -> str | None:
    """A writable folder for machine code that belongs to this version of the model, or None."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME")
    if not home:
        with suppress(RuntimeError):  # containers have users without a home
            home = str(Path("~/.cache").expanduser())
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    temporary = Path(tempfile.gettempdir()) / f"kolabsim-{user}"
    python = f"{sys.version_info.major}{sys.version_info.minor}"
    for start in (given, home and f"{home}/kolabsim", temporary):
        if not start:
            continue
        folder = Path(start) / f"{digest()}-{python}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=folder):
                return str(folder)
        except OSError:
            continue
    warnings.warn(
        "kolabsim found no writable folder for its compiled model: it compiles again each time",
        stacklevel=2,
    )
    return None


def is_compiled_before() -> bool:
    """Whether an earlier process left machine code of this version of the model on disk.

    Only the loop of the ensemble counts: importing the model already compiles a few laws.
    """
    folder = cache_folder()
    return folder is not None and any(Path(folder).rglob("ensemble.simulate_runs-*.nbi"))


def compiled(function: Callable, *, kept: bool = True, **options: bool | str) -> Callable:
    """Compile a function of the model: without the GIL, with numpy's rules for divisions.

    Never in parallel: inside a parallel loop, writes through a field of a NamedTuple are lost
    without a word (numba #5872). Threads run whole blocks of runs instead.
    """
    folder, before = cache_folder() if kept else None, config.CACHE_DIR
    # Without this option a callee would inherit its caller's counting of references.
    options = {"_nrt": True} | options
    options |= {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    try:
        if folder:
            config.CACHE_DIR = folder
        return numba.njit(cache=bool(folder), **options)(function)
    finally:
        config.CACHE_DIR = before


def kernel(function: Callable) -> Callable:
    """A compiled function that Python calls: a law, or the loop of the ensemble."""
    return compiled(function)


def device(function: Callable) -> Callable:
    """A device function, as numba.cuda says: compiled functions call it, Python does not.

    It has no entry for Python (:func:`host_entry` makes one where it is needed) and does not count
    references: passing the state would otherwise cost twenty atomic operations a call, more than
    most device functions do. It must therefore neither create nor return an array. Its machine code
    is copied into that of its callers: a call would write the arrays of the state, some ninety
    words, to memory and read them again, which takes two fifths of the time of a run.
    """
    return compiled(function, no_cpython_wrapper=True, _nrt=False, forceinline=True)


def shared_device(function: Callable) -> Callable:
    """A long device function with several callers: copies would take more time to compile."""
    return compiled(function, no_cpython_wrapper=True, _nrt=False)


def allocating_device(function: Callable) -> Callable:
    """A device function that creates arrays."""
    return compiled(function, no_cpython_wrapper=True)


def inlined(function: Callable) -> Callable:
    """A function that is copied into its callers before they are compiled; Python may call it.

    Each level between the loop of the ensemble and the laws compiles all levels below it once more.
    Inlining the functions with one caller, and the very short ones, saves a quarter of that time.
    """
    return compiled(function, inline="always")


@cache
def host_entry(function: Callable, **names: Callable) -> Callable:
    """An entry from Python to a device function; ``names`` as in :func:`rebind`."""
    return compiled(_copy(function, "entry", names), kept=not names)


def obstacle(function: Callable, arguments: tuple) -> str:
    """Why a compiled function cannot be compiled for these arguments, in a line; empty if it can.

    In plain Python the function must accept the arguments: numba may raise any error.
    """
    try:
        with first_call(function):
            function(*arguments)
    except NumbaError as error:
        lines = (line.strip() for line in str(error).splitlines())
        return next((line for line in lines if line and not line.startswith("Failed in ")), "?")
    except Exception as error:
        return f"numba: {error!r}"
    return ""


@contextmanager
def first_call(function: Callable) -> Iterator[None]:
    """Pause garbage collection during a call that compiles; it would take a tenth of the time."""
    pauses = gc.isenabled() and not getattr(function, "signatures", True)
    if pauses:
        gc.disable()
    try:
        yield
    finally:
        if pauses:
            gc.enable()


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

LINE = 64
"""Bytes that a processor takes from memory at a time."""

LARGE = 1_000
"""Number of regions from which a world outgrows the cache; smaller ones would only lose time."""

AHEAD = 12
"""Regions ahead of the one at work: far enough to hide the delay of memory."""

PLACES = 24
"""Bodies ahead of the one at work; most of their places are free."""


@intrinsic
def _fetch_line(_context, array, place):
    """Prefetch one line of an array, ``place`` bytes from its start."""

    def generate(context, builder, signature, arguments):
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        address = builder.gep(builder.bitcast(data, byte), [arguments[1]])
        to_read, all_caches, data_not_code = (ir.Constant(number, k) for k in (0, 3, 1))
        builder.call(function, [address, to_read, all_caches, data_not_code])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@device
def fetch(array, start, size):
    """Prefetch ``size`` bytes of an array from byte ``start``; in plain Python do nothing."""
    if not config.DISABLE_JIT:
        for place in range(start, start + size, LINE):
            _fetch_line(array, place)


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
