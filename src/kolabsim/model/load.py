"""Loading extensions: files of user-defined rules, whose code runs here and nowhere else.

An extension has all rights of the person who runs it: never load one from a stranger. Who has to
know of it before it runs adds a function to :data:`listeners`.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kolabsim.errors import InputError, Problem
from kolabsim.i18n import _
from kolabsim.model.parameters import PARAMETERS

if TYPE_CHECKING:
    from kolabsim.model.declare import Declared

GROUP = "kolabsim.extensions"
"""Entry points by which installed packages bring extensions."""

listeners: list[Callable[[Path], None]] = []
"""Functions that are called with the file of each extension just before it runs."""

_LOADED: dict[tuple[Path, bytes], Declared] = {}
"""The declarations of each extension file, with its content."""


def installed(name: str) -> Path | None:
    """The file of an installed extension, or None if no package brings one of this name."""
    for entry in entry_points(group=GROUP, name=name):
        found = importlib.util.find_spec(entry.module)
        if found is not None and found.origin:
            return Path(found.origin)
    return None


def installed_names() -> list[str]:
    """Names of the extensions that installed packages bring."""
    return sorted(entry_points(group=GROUP).names)


def run_extensions(paths: Iterable[Path]) -> Declared:
    """Run extension files, after all listeners have been called, and return what they declare.

    Raises :class:`~kolabsim.errors.InputError` where a file cannot be run, or where two files
    declare the same name.
    """
    paths = tuple(paths)
    for path in paths:
        for listener in listeners:
            listener(path)
    return _combine(paths)


def load_extension(path: Path) -> Declared:
    """Run a Python file of user-defined rules, and return what it declares.

    The file is code and runs with your rights: never load one from a stranger.
    Raises :class:`~kolabsim.errors.InputError` where it cannot be run, or takes a name that
    another file has taken.
    """
    from kolabsim.model.declare import register  # late: it brings the compiler

    if not path.is_file():
        raise InputError([Problem(_("the extension file does not exist"), file=str(path))])
    version = (path.resolve(), path.read_bytes())
    if version not in _LOADED:
        _LOADED[version] = _run(path, version[1])
    found = _LOADED[version]
    # The same functions again, so that what was compiled for them is not compiled again.
    for entry in found:
        register(entry)
    return found


def _run(path: Path, source: bytes) -> Declared:
    from kolabsim.model.declare import (
        DECISION,
        KNOWN,
        MEASURE,
        MECHANISM,
        TARGET,
        Declared,
        know_built_in,
    )

    know_built_in()
    before = {kind: dict(known) for kind, known in KNOWN.items()}
    name = f"kolabsim_extension_{path.stem}_{hashlib.sha256(source).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError([Problem(_("an extension is a Python file"), file=str(path))])
    module = importlib.util.module_from_spec(spec)
    problems = []
    try:
        spec.loader.exec_module(module)
    except InputError as error:
        problems = [Problem(problem.message, file=str(path)) for problem in error.problems]
        cause: BaseException = error
    except SystemExit as error:
        text = _("the extension ends the program instead of declaring rules")
        problems, cause = [Problem(text, file=str(path))], error
    except Exception as error:
        reason = str(error) or type(error).__name__
        text = _("the extension cannot be loaded: {error}").format(error=reason)
        problems, cause = [Problem(text, file=str(path))], error
    if problems:
        for kind, known in before.items():
            KNOWN[kind].clear()
            KNOWN[kind].update(known)
        raise InputError(problems) from cause
    new: dict[str, dict[str, Any]] = {
        kind: {name: one for name, one in known.items() if before[kind].get(name) is not one}
        for kind, known in KNOWN.items()
    }
    return Declared(new[DECISION], new[MECHANISM], new[TARGET], new[MEASURE])


def _combine(paths: Iterable[Path]) -> Declared:
    """What several files declare together; a name that two of them take is refused."""
    from kolabsim.model.declare import DECISION, KNOWN, MEASURE, MECHANISM, TARGET, Declared

    parts: dict[str, dict[str, Any]] = {kind: {} for kind in KNOWN}
    for path in paths:
        for entry in load_extension(path):
            first = parts[entry.kind].setdefault(entry.name, entry)
            if first is not entry:
                text = _("{kind} {rule} is also declared by {file}").format(
                    kind=_(entry.kind), rule=entry.name, file=first.file
                )
                raise InputError([Problem(text, file=str(path))])
    names = [entry.name for part in parts.values() for entry in part.values()]
    for name in names:
        if names.count(name) > 1 or name in PARAMETERS:
            text = _("'{name}' has two meanings; give each extension a name of its own")
            raise InputError([Problem(text.format(name=name))])
    return Declared(parts[DECISION], parts[MECHANISM], parts[TARGET], parts[MEASURE])
