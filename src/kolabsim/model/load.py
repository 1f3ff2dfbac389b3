"""Loading extensions: files of user-defined rules, whose code runs here and nowhere else.

An extension runs with the rights of its user: never load one from a stranger. A program that must
warn before an extension runs adds a function to :data:`listeners`.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from kolabsim.errors import InputError, Problem
from kolabsim.i18n import _
from kolabsim.model.declare import KNOWN, Declared, load_built_in, register
from kolabsim.model.parameters import PARAMETERS

GROUP = "kolabsim.extensions"
"""Group of entry points through which installed packages provide extensions."""

listeners: list[Callable[[Path], None]] = []
"""Functions that are called with the path of each extension just before it runs."""

OWN = frozenset(("kolabsim", *sys.stdlib_module_names))
"""Packages whose code another hash covers, or the version of Python."""

_LOADED: dict[tuple[Path, bytes], Declared] = {}
"""The declarations of each extension file, with its content."""


def installed(name: str) -> Path | None:
    """The file of an installed extension, or None if no package provides one of this name."""
    for entry in entry_points(group=GROUP, name=name):
        found = importlib.util.find_spec(entry.module)
        if found is not None and found.origin:
            return Path(found.origin)
    return None


def run_extensions(paths: Iterable[Path]) -> Declared:
    """Call all listeners, run the extension files, and return their declarations.

    Raises :class:`~kolabsim.errors.InputError` if a file cannot be run, or if two files declare the
    same name.
    """
    paths = tuple(paths)
    for path in paths:
        for listener in listeners:
            listener(path)
    return _combine(paths)


def imports(path: Path, seen: dict[str, str] | None = None) -> dict[str, str]:
    """The SHA-256 of each module that a Python file imports, and that these import, by its name.

    Modules of Python itself and of kolabsim are left out; those of installed packages are not
    followed further.
    """
    found = {} if seen is None else seen
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            module = sys.modules.get(name)
            file = getattr(module, "__file__", None)
            if name.partition(".")[0] in OWN or name in found or file is None:
                continue
            found[name] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
            if "site-packages" not in file and file.endswith(".py"):
                imports(Path(file), found)
    return found


def load_extension(path: Path) -> Declared:
    """Run a Python file of user-defined rules, and return its declarations.

    The file is code and runs with your rights: never load one from a stranger.

    Raises :class:`~kolabsim.errors.InputError` if the file cannot be run.
    """
    if not path.is_file():
        raise InputError.of(_("the extension file does not exist"), str(path))
    version = (path.resolve(), path.read_bytes())
    if version not in _LOADED:
        _LOADED[version] = _run(path, version[1])
    found = _LOADED[version]
    # The same functions again, so that they need not be compiled again.
    for entry in found:
        register(entry)
    return found


def _run(path: Path, source: bytes) -> Declared:
    load_built_in()
    before = {kind: dict(known) for kind, known in KNOWN.items()}
    name = f"kolabsim_extension_{path.stem}_{hashlib.sha256(source).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError.of(_("an extension is a Python file"), str(path))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        for kind, known in before.items():
            KNOWN[kind].clear()
            KNOWN[kind].update(known)
        if isinstance(error, InputError):
            raise InputError(Problem(one.message, str(path)) for one in error.problems) from error
        if isinstance(error, SystemExit):
            text = _("the extension ends the program instead of declaring rules")
        else:
            text = _("the extension cannot be loaded: {error}")
        raise InputError.of(text, str(path), error=str(error) or type(error).__name__) from error
    new = (
        {name: one for name, one in known.items() if before[kind].get(name) is not one}
        for kind, known in KNOWN.items()
    )
    return Declared(*new)


def _combine(paths: Iterable[Path]) -> Declared:
    """Merge the declarations of several files; two that declare one name are refused."""
    parts: dict[str, dict[str, Any]] = {kind: {} for kind in KNOWN}
    for path in paths:
        for entry in load_extension(path):
            first = parts[entry.kind].setdefault(entry.name, entry)
            if first is not entry:
                text = _("{kind} {rule} is also declared by {file}")
                words = {"kind": _(entry.kind), "rule": entry.name, "file": first.file}
                raise InputError.of(text, str(path), **words)
    names = [entry.name for part in parts.values() for entry in part.values()]
    for name in names:
        if names.count(name) > 1 or name in PARAMETERS:
            text = _("'{name}' has two meanings; give each extension a name of its own")
            raise InputError.of(text, name=name)
    return Declared(*parts.values())
