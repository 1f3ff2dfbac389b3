"""User-defined rules, mechanisms and measures that a scenario uses, and their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kolabsim.errors import Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.declare import (
    DECISION,
    KNOWN,
    MECHANISM,
    RULES,
    TARGET,
    Declared,
    shipped_mechanisms,
)
from kolabsim.model.levers import LEVERS, MECHANISMS, TARGETS
from kolabsim.model.load import installed, run_extensions
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.scenario.files import read_bytes
from kolabsim.scenario.resolve import Resolver
from kolabsim.scenario.source import LARGEST_YAML, Node, NodePath
from kolabsim.scenario.strategy import Levers, SupportPhase

BUILT_IN_NAMES: Mapping[str, tuple[str, ...]] = {
    DECISION: tuple(BUILT_IN), MECHANISM: tuple(MECHANISMS),
    TARGET: tuple(word for word in TARGETS if word != "list"),
}  # fmt: skip
"""Names of the built-in extensions of each kind."""

Places = Sequence[tuple[NodePath, Levers]]
"""The scenario and its strategies, each with its path."""


def resolve_extensions(known: Resolver) -> tuple[Path, ...]:
    """Return the files of the extensions: beside the scenario, or of installed packages."""
    written = known.tree.get("extensions")
    if written is None:
        return ()
    # One extension may be written without a list.
    paths = {("extensions", position): Path() for position in written.children or ()}
    for path in paths:
        node = known.tree.get(*path)
        name = str(node.value) if node else ""
        found = None if name.endswith(".py") else installed(name)
        paths[path] = found or known.locate_file(*path)
        unreadable = Problems()
        read_bytes(paths[path], LARGEST_YAML, unreadable)
        for problem in unreadable.found:
            known.add_problem(path, f"{problem.file}: {problem.message}")
    known.files |= dict.fromkeys(paths.values())
    return tuple(paths.values())


def check_settings(
    decision: str,
    parameters: Mapping[str, float],
    of_rules: Mapping[str, Parameter] | None,
    known: Resolver,
) -> None:
    """Check the decision rule and the parameters, as far as no extension file has to run.

    ``of_rules`` are the parameters of rules, by default those of all loaded ones.
    """
    if of_rules is None:
        loaded = [extension for of_kind in KNOWN.values() for extension in of_kind.values()]
        of_rules = {k: entry for extension in loaded for k, entry in extension.settable.items()}
    if not known.extended and decision not in RULES:
        message = _("no decision rule '{name}'{suggestion}; your own rules need 'extensions'")
        hint = suggestion(decision, BUILT_IN)
        known.add_problem(("decision",), message, name=decision, suggestion=hint)
    for name, value in parameters.items():
        of_extension = known.extended and "." in name and name.partition(".")[0] not in BUILT_IN
        if name in of_rules or not of_extension:
            _check_parameter(name, value, of_rules, known)


def _check_parameter(
    name: str, value: float, of_rules: Mapping[str, Parameter], known: Resolver
) -> None:
    """Check that a parameter exists, and is within its bounds."""
    path, entry = ("parameters", name), PARAMETERS.get(name) or of_rules.get(name)
    if entry is not None:
        known.check_number(path, entry, value)
    else:
        hint = suggestion(name, [*of_rules, *PARAMETERS])
        known.add_problem(path, _("not a parameter{suggestion}"), at_key=True, suggestion=hint)


def find_declared(
    extensions: Sequence[Path],
    decision: str,
    parameters: Mapping[str, float],
    places: Places,
    tree: Node,
) -> Declared:
    """Run extension files and return what they, or Python itself, declare.

    Raises :class:`~kolabsim.errors.InputError` for every name and parameter of a scenario that
    nothing declares.
    """
    found, problems = run_extensions(extensions), Problems()
    parts: dict[str, dict[str, Any]] = {
        DECISION: dict(found.rules), TARGET: dict(found.targets),
        MECHANISM: shipped_mechanisms() | dict(found.mechanisms),
    }  # fmt: skip
    for kind, name, path in _user_defined_names(decision, places):
        part = parts[kind]
        if name not in part and name in KNOWN[kind]:
            part[name] = KNOWN[kind][name]
        elif name not in part:
            message = _("no extension declares the {kind} '{name}'{hint}")
            hint = suggestion(name, [*BUILT_IN_NAMES[kind], *part])
            tree.add_problem(path, message, problems, kind=_(kind), name=name, hint=hint)
    whole = Declared(parts[DECISION], parts[MECHANISM], parts[TARGET], found.measures)
    known = Resolver(tree, tree, problems, ())
    for name, value in parameters.items():
        if name not in PARAMETERS and name.partition(".")[0] not in BUILT_IN:
            _check_parameter(name, value, whole.parameters, known)
    problems.raise_if_any()
    return whole


def _user_defined_names(decision: str, places: Places) -> Iterator[tuple[str, str, NodePath]]:
    """Yield the kind, name and path of every name that is not built in."""
    if decision not in BUILT_IN:
        yield DECISION, decision, ("decision",)
    for place, levers in places:
        for kind in ("mechanisms", "support"):
            for name, phases in getattr(levers, kind).items():
                path = (*place, kind, name)
                if name not in LEVERS:
                    yield MECHANISM, name, path
                for position, phase in enumerate(phases):
                    targets = phase.targets if isinstance(phase, SupportPhase) else ()
                    if isinstance(targets, str) and targets not in TARGETS:
                        yield TARGET, targets, (*path, position, "targets")
