"""How the model's functions are compiled: once for each version of the model, and kept on disk."""

from __future__ import annotations

import gc
import hashlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FunctionType

import numba
from numba.core import config

SOURCES = Path(__file__).parent.parent
"""Folder of the package: an edit in any of its compiled wings must empty the cache, because numba
itself does not notice an edit in another file and would run the old machine code."""


@cache
def digest() -> str:
    """Version of the model: a hash of the sources that decide a run's result, and of numba's.

    Taken once: a process goes on with the sources that it has loaded, whoever edits them meanwhile.
    """
    text = hashlib.sha256(numba.__version__.encode())
    for wing in ("model", "engine"):
        for path in sorted((SOURCES / wing).glob("*.py")):
            text.update(path.name.encode())
            text.update(path.read_bytes())
    return text.hexdigest()[:16]


@cache
def cache_folder() -> str | None:
    """A writable folder for machine code that belongs to this version of the model, or None."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    temporary = Path(tempfile.gettempdir()) / f"kolabsim-{user}"
    python = f"{sys.version_info.major}{sys.version_info.minor}"
    for start in (Path(given) if given else home / "kolabsim", temporary):
        folder = start / f"{digest()}-{python}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=folder):
                return str(folder)
        except OSError:
            continue
    warnings.warn(
        "kolabsim found no writable folder for its compiled model: it compiles anew each time",
        stacklevel=2,
    )
    return None


def is_compiled_before() -> bool:
    """Whether an earlier process left machine code of this version of the model on disk."""
    folder = cache_folder()
    return folder is not None and any(Path(folder).rglob("*.nbi"))


def compiled(function: Callable, *, kept: bool = True, **options: bool | str) -> Callable:
    """Compile a function of the model: without the GIL, with numpy's rules for divisions.

    Never in parallel: inside a parallel loop, writes through a field of a NamedTuple are lost
    without a word (numba #5872). Threads run whole blocks of runs instead.
    """
    folder, before = cache_folder() if kept else None, config.CACHE_DIR
    # A callee that does not say so would inherit its caller's way with references.
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


def part(function: Callable) -> Callable:
    """A compiled function that only other compiled functions call, and that makes no array.

    Without a door for Python (:func:`entry` opens one where it is needed) and without counting
    references: passing the state would else cost twenty atomic operations a call, more than most
    parts of the model do. Such a function must not return an array.
    """
    return compiled(function, no_cpython_wrapper=True, _nrt=False)


def roomy_part(function: Callable) -> Callable:
    """A :func:`part` that makes arrays of its own."""
    return compiled(function, no_cpython_wrapper=True)


def passage(function: Callable) -> Callable:
    """A part that one function calls, written into that function before it is compiled.

    A compiled function carries all that it calls, so each further step on the way from the loop of
    the ensemble to the laws costs the code of everything below it once more. Steps whose only
    caller is the loop, or a step like them, are taken out by this: a quarter of the time that the
    model takes to compile.
    """
    return compiled(function, inline="always", no_cpython_wrapper=True)


def phrase(function: Callable) -> Callable:
    """A short function that Python may call, and that is written into those that call it compiled.

    So it takes no compiling of its own.
    """
    return compiled(function, inline="always")


def entry(function: Callable, **names: Callable) -> Callable:
    """A door for Python to a part of the model; ``names`` as in :func:`rebind`."""
    return compiled(_copy(function, "entry", names), kept=not names)


door = cache(entry)
"""Python's way into a part of the model, opened when it is first used."""


@contextmanager
def first_call(function: Callable) -> Iterator[None]:
    """Around a call that may have to compile the function first.

    Python's search for garbage rests meanwhile: the compiler makes so many objects that looking
    through them all takes a tenth of the time.
    """
    rests = gc.isenabled() and not getattr(function, "signatures", True)
    if rests:
        gc.disable()
    try:
        yield
    finally:
        if rests:
            gc.enable()


def rebind(function: Callable, **names: Callable) -> Callable:
    """The same function of the model with other functions under the names that it calls.

    So a user's decision rule takes the place of the built-in ones without a second copy of any
    code. Only what is rebound is compiled anew, in each process.
    """
    return compiled(_copy(function, "rebound", names), kept=False)


def _copy(function: Callable, word: str, names: Mapping[str, Callable]) -> Callable:
    plain = getattr(function, "py_func", function)
    copy = FunctionType(
        plain.__code__, plain.__globals__ | dict(names), f"{plain.__name__}_{word}",
        plain.__defaults__, plain.__closure__,
    )  # fmt: skip
    # Numba finds what it kept on disk by this name: without another one it would mistake the
    # copy for the original.
    copy.__qualname__, copy.__module__ = copy.__name__, plain.__module__
    return copy
