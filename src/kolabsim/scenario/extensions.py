"""What the extensions of a scenario declare, and whether that is all that the scenario names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kolabsim.errors import Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.declare import (
    DECISION,
    KNOWN,
    MECHANISM,
    TARGET,
    Declared,
)
from kolabsim.model.levers import LEVERS, MECHANISMS, TARGETS
from kolabsim.model.load import run_extensions
from kolabsim.model.parameters import PARAMETERS, Parameter

if TYPE_CHECKING:
    from kolabsim.scenario.references import Path
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.scenario.strategy import Phase


WORDS = {
    DECISION: BUILT_IN, MECHANISM: tuple(MECHANISMS),
    TARGET: tuple(word for word in TARGETS if word != "list"),
}  # fmt: skip
"""What is built in of each kind."""


def declared_in(scenario: Scenario) -> Declared:
    """What a scenario's extension files declare, and what Python itself declared of what it names.

    Raises :class:`~kolabsim.errors.InputError` as :attr:`Scenario.declared` says.
    """
    found, problems = run_extensions(scenario.extensions), Problems()
    parts = {
        DECISION: dict(found.rules), MECHANISM: dict(found.mechanisms), TARGET: dict(found.targets),
    }  # fmt: skip
    for kind, name, path in names_in(scenario):
        part = parts[kind]
        if name not in part and name in KNOWN[kind]:
            part[name] = KNOWN[kind][name]
        elif name not in part:
            message = _("no extension declares the {kind} '{name}'{hint}")
            hint = suggestion(name, [*WORDS[kind], *part])
            message = message.format(kind=_(kind), name=name, hint=hint)
            scenario._tree.add_problem(path, message, problems)
    whole = Declared(*parts.values(), found.measures)
    check_parameters(scenario, whole.parameters, problems)
    problems.raise_if_any()
    return whole


def names_in(scenario: Scenario) -> Iterator[tuple[str, str, Path]]:
    """What a scenario names that is not built in: its kind, its name, and where it is written."""
    if scenario.decision not in BUILT_IN:
        yield DECISION, scenario.decision, ("decision",)
    for path, phases in lever_phases(scenario):
        name = path[-1]
        if name not in LEVERS:
            yield MECHANISM, name, path
        for position, phase in enumerate(phases):
            if isinstance(phase.targets, str) and phase.targets not in TARGETS:
                yield TARGET, phase.targets, (*path, position, "targets")


def lever_phases(scenario: Scenario) -> Iterator[tuple[Path, tuple[Phase, ...]]]:
    """Every lever that is written, in the scenario or a strategy, with its phases."""
    strategies = ((("strategies", name), one) for name, one in scenario.strategies.items())
    for path, of in (((), scenario), *strategies):
        for kind in ("mechanisms", "support"):
            for name, phases in getattr(of, kind).items():
                yield (*path, kind, name), phases


def check_parameters(scenario: Scenario, own: dict[str, Parameter], problems: Problems) -> None:
    """See that what is set of extensions is declared, and within its bounds."""
    for name, value in scenario.parameters.items():
        if name in PARAMETERS or name.partition(".")[0] in BUILT_IN:
            continue
        entry, message = own.get(name), ""
        if entry is None:
            message = _("not a parameter{suggestion}")
            message = message.format(suggestion=suggestion(name, [*own, *PARAMETERS]))
        elif not entry.least <= value <= entry.most:
            message = _("{value} is not allowed; allowed: {least} to {most}")
            ends = {"least": f"{entry.least:g}", "most": f"{entry.most:g}"}
            message = message.format(value=f"{value:g}", **ends)
        if message:
            scenario._tree.add_problem(("parameters", name), message, problems)
