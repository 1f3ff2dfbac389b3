"""What Python does with memory: when garbage is looked for, and what goes back to the system."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause garbage collection while hundreds of thousands of objects are made that stay.

    Imports, and loading or compiling the model, take a tenth less time.
    """
    pauses = gc.isenabled()
    if pauses:
        gc.disable()
    try:
        yield
    finally:
        if pauses:
            gc.enable()


def return_memory() -> None:
    """Return freed memory to the system, where the C library is one that otherwise keeps it."""
    with suppress(AttributeError, OSError, TypeError):  # as on macOS and Windows
        ctypes.CDLL(None).malloc_trim(0)
