"""The programs that a scenario brings: run in one place, and never before it is said.

An extension is code, with all the rights of who runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kolabsim.model.declare import Declared

listeners: list[Callable[[Path], None]] = []
"""What is called with the file of each extension just before it is run."""


def run_extensions(paths: Iterable[Path]) -> Declared:
    """What extensions declare, once they are run; who is to be told is told before."""
    from kolabsim.model.declare import load_extensions

    paths = tuple(paths)
    for path in paths:
        for tell in listeners:
            tell(path)
    return load_extensions(paths)
