"""Rules of one's own: a plain function and the parameters it declares.

What is declared here is at once checked, sampled, shown and documented like a built-in; the same
compiled function serves the Mesa agents and the ensemble.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numba.core.errors import NumbaError

from kolabsim.errors import InputError, Problem, suggestion
from kolabsim.language import _
from kolabsim.model.kernel import compiled, first_call
from kolabsim.model.parameters import Parameter
from kolabsim.model.state import OPTION, Me, record_type

TAKES = ("options", "me", "luck", "p")
"""What a decision rule is given, in this order."""


def example_options() -> np.recarray:
    """Three options as a rule sees them: keep things as they are, and two unions."""
    options = np.zeros(3, record_type(OPTION)).view(np.recarray)
    for k, (gain, trust, luck) in enumerate(((0.0, 0.0, 0.9), (0.04, 0.6, 0.2), (0.07, 0.4, 0.5))):
        options[k].gain, options[k].trust, options[k].luck = gain, trust, luck
        options[k].members, options[k].people, options[k].culture = 2.0 + k, 50_000.0 * (k + 1), 1.0
        options[k].contact = k - 1
    return options


def example_me() -> Me:
    """A region of average temper, as a rule sees it."""
    return Me(*(0.5 for _name in Me._fields))


@dataclass(frozen=True)
class DecisionRule:
    """A decision rule: its plain function, its compiled twin, and the parameters it declares."""

    name: str
    python: Callable
    compiled: Callable
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    file: str | None = None

    @cached_property
    def obstacle(self) -> str:
        """Why it cannot be compiled, in a line; empty if it can. Then it is run as it stands."""
        if self.python.__module__.startswith("kolabsim."):
            return ""  # built in, and compiled for a record that all built-in rules share
        p = fill_record(self.parameters, {})
        try:
            with first_call(self.compiled):
                self.compiled(example_options(), example_me(), 0.5, p)
        except Exception as error:  # in plain Python the same went well: numba may raise anything
            told = [line for line in str(error).splitlines() if line.strip()]
            told = [line for line in told if not line.startswith("Failed in ")] or ["?"]
            return told[0].strip() if isinstance(error, NumbaError) else f"numba: {error!r}"
        return ""

    def settle(self, settings: Mapping[str, float] | None = None) -> np.record:
        """One setting of the rule's parameters; unknown names and wild values are refused."""
        given = dict(settings or {})
        problems = []
        for name, value in given.items():
            if name not in self.parameters:
                text = _("{rule} has no parameter {name!r}{hint}").format(
                    rule=self.name, name=name, hint=suggestion(name, self.parameters)
                )
                problems.append(Problem(text))
                continue
            entry = self.parameters[name]
            if not entry.least <= value <= entry.most:
                text = _("{rule}.{name} = {value} is outside {least} to {most}").format(
                    rule=self.name, name=name, value=value, least=entry.least, most=entry.most
                )
                problems.append(Problem(text))
        if problems:
            raise InputError(problems)
        return fill_record(self.parameters, given)


def fill_record(parameters: Mapping[str, Parameter], given: Mapping[str, float]) -> np.record:
    """A record with one field for each parameter, at its default where none is given."""
    names = list(parameters) or ["none"]
    values = np.zeros(1, np.dtype([(name, np.float64) for name in names])).view(np.recarray)
    for name, entry in parameters.items():
        values[name] = float(given.get(name, entry.default))
    return values[0]


RULES: dict[str, DecisionRule] = {}
"""All decision rules by name: the built-in ones, and those of extensions that were loaded."""


def decision_rule(**parameters: Parameter) -> Callable[[Callable], DecisionRule]:
    """Declare a decision rule ``choose(options, me, luck, p) -> place of the option it takes``.

    ``options[0]`` keeps things as they are; every option has the fields of
    :data:`kolabsim.model.state.OPTION`, ``me`` those of :class:`kolabsim.model.state.Me`, ``luck``
    is a draw between 0 and 1 of the region's own, and ``p`` has the declared parameters. The rule
    is tried in plain Python at once, so that a slip is told in one sentence.
    """

    def register(function: Callable) -> DecisionRule:
        name = function.__name__
        if tuple(inspect.signature(function).parameters) != TAKES:
            text = _("decision rule {rule} must take exactly ({takes})")
            raise InputError([Problem(text.format(rule=name, takes=", ".join(TAKES)))])
        for label, entry in parameters.items():
            if not isinstance(entry, Parameter):
                text = _("{rule}.{name} must be a Parameter(default, low, high, ...)")
                raise InputError([Problem(text.format(rule=name, name=label))])
            if hasattr(np.record, label):
                text = _("{rule}.{name}: numpy uses this name itself; choose another")
                raise InputError([Problem(text.format(rule=name, name=label))])
        _try(name, function, fill_record(parameters, {}))
        # Numba can only load what it kept where the function's module can be imported by its name,
        # which a user's file cannot.
        own = compiled(function, kept=function.__module__.startswith("kolabsim."))
        rule = DecisionRule(name, function, own, parameters, inspect.getsourcefile(function))
        RULES[name] = rule
        return rule

    return register


def _try(name: str, function: Callable, p: np.record) -> None:
    """Apply a rule once in plain Python and say in one sentence what is wrong with it."""
    options = example_options()
    try:
        taken = function(options, example_me(), 0.5, p)
    except Exception as error:
        text = _(
            "decision rule {rule} fails on an example: {error}; an option has {option}; me has {me}"
        )
        fields = {"option": ", ".join(OPTION), "me": ", ".join(Me._fields)}
        raise InputError([Problem(text.format(rule=name, error=error, **fields))]) from error
    if isinstance(taken, bool) or not isinstance(taken, int | np.integer):
        text = _("decision rule {rule} must return the place of an option, not {taken!r}")
        raise InputError([Problem(text.format(rule=name, taken=taken))])
    if not 0 <= taken < len(options):
        text = _("decision rule {rule} returned {taken}, but there are {number} options")
        raise InputError([Problem(text.format(rule=name, taken=taken, number=len(options)))])


_LOADED: dict[tuple[Path, bytes], dict[str, DecisionRule]] = {}
"""What each extension file, with its content, declared."""


def load_extension(path: Path) -> list[str]:
    """Run a Python file of a user's rules and tell the names of the rules it declares.

    The file is code and runs with the rights of who calls this: never load one from a stranger.
    """
    if not path.is_file():
        raise InputError([Problem(_("there is no such extension file"), file=str(path))])
    version = (path.resolve(), path.read_bytes())
    if version in _LOADED:
        # The same functions again, so that what was compiled for them is not compiled anew.
        RULES.update(_LOADED[version])
        return list(_LOADED[version])
    before = dict(RULES)
    spec = importlib.util.spec_from_file_location(f"kolabsim_extension_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError([Problem(_("an extension is a Python file"), file=str(path))])
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except InputError as error:
        raise InputError(
            [Problem(problem.message, file=str(path)) for problem in error.problems]
        ) from error
    except Exception as error:
        text = _("the extension cannot be loaded: {error}").format(error=error)
        raise InputError([Problem(text, file=str(path))]) from error
    new = {name: rule for name, rule in RULES.items() if before.get(name) is not rule}
    _LOADED[version] = new
    return list(new)
