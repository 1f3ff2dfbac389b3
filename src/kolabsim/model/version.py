"""The version of the model, and the folders with its machine code."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import warnings
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

SOURCES = Path(__file__).parent.parent
"""Folder of the package. An edit in any compiled module must empty the cache, because numba itself
does not notice an edit in another file and would run the old machine code."""


@cache
def digest(*rooms: str) -> str:
    """Version of the model: a hash of the sources that decide a run's result, and of numba's.

    With ``rooms``, of the sources in these packages. It is computed once: a process keeps the
    sources that it has loaded, even after an edit.
    """
    text = hashlib.sha256(version("numba").encode())
    for room in rooms or ("model", "engine"):
        for path in sorted((SOURCES / room).rglob("*.py")):
            text.update(path.name.encode())
            text.update(path.read_bytes())
    return text.hexdigest()[:16]


def code_name() -> str:
    """The name of a folder with machine code: the version of the model, and that of Python."""
    return f"{digest()}-{sys.version_info.major}{sys.version_info.minor}"


@cache
def shipped_code() -> Path | None:
    """The folder of machine code that this installation brought for its Python and numba, if any.

    It can be used on processors that have what it needs
    (:func:`kolabsim.model.jit.is_compiled_before`).
    """
    folder = SOURCES / "compiled" / code_name()
    return folder if folder.is_dir() else None


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
    for start in (given, home and f"{home}/kolabsim", temporary):
        if not start:
            continue
        folder = Path(start) / code_name()
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
