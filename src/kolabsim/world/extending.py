"""What the extensions of a scenario declare, and whether that is all that the scenario names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kolabsim.errors import Problems, suggestion
from kolabsim.language import _
from kolabsim.model.extension import (
    DECISION,
    KNOWN,
    MECHANISM,
    TARGET,
    Declared,
)
from kolabsim.model.levers import LEVERS, MECHANISMS, TARGETS
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.model.rules import BUILT_IN
from kolabsim.world.programs import run_extensions
from kolabsim.world.reading import tell

if TYPE_CHECKING:
    from kolabsim.world.references import Path
    from kolabsim.world.scenario import Scenario
    from kolabsim.world.strategy import Phase


def declared_in(scenario: Scenario) -> Declared:
    """What a scenario's extension files declare, and what Python itself declared of what it names.

    Raises :class:`~kolabsim.errors.InputError` as :attr:`Scenario.declared` says.
    """
    found, problems = run_extensions(scenario.extensions), Problems()
    rules, mechanisms, targets = (
        dict(part) for part in (found.rules, found.mechanisms, found.targets)
    )
    here = ((DECISION, rules, BUILT_IN), (MECHANISM, mechanisms, MECHANISMS))
    places = {kind: (part, built_in) for kind, part, built_in in here}
    places[TARGET] = (targets, [word for word in TARGETS if word != "list"])
    for kind, name, path in names_in(scenario):
        part, built_in = places[kind]
        if name not in part and name in KNOWN[kind]:
            part[name] = KNOWN[kind][name]
        elif name not in part:
            message = _("no extension declares the {kind} '{name}'{hint}")
            hint = suggestion(name, [*built_in, *part])
            message = message.format(kind=_(kind), name=name, hint=hint)
            tell(scenario._tree, path, message, problems)
    whole = Declared(rules, mechanisms, targets, found.measures)
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
    for path, of in (((), scenario), *((("strategies", n), s) for n, s in named(scenario))):
        for kind in ("mechanisms", "support"):
            for name, phases in getattr(of, kind).items():
                yield (*path, kind, name), phases


def named(scenario: Scenario) -> list[tuple[str, object]]:
    """The strategies with their names."""
    return list(scenario.strategies.items())


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
            tell(scenario._tree, ("parameters", name), message, problems)
