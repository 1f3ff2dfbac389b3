"""User-defined rules: decorators that turn plain functions into parts of the model.

There are four kinds: decision rules of regions (:func:`decision_rule`), mechanisms of planners
(:func:`mechanism`), targeting rules of supporters (:func:`target_rule`), and measures
(:func:`measure`). A declared function is checked at once, and then sampled, shown and documented
like a built-in one; the Mesa agents and the ensemble call the same function.

The file is long because the four decorators share their records and checks, which nothing else
needs, and because they carry the reference text for authors of extensions.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from kolabsim.errors import InputError, Problem, suggestion
from kolabsim.i18n import N_, _
from kolabsim.model.jit import compiled, inlined, obstacle
from kolabsim.model.levers import BASES, LEVERS, PAYERS, STEPS, TERMS, Lever
from kolabsim.model.measures import CUSTOM, LAST_YEAR, MEASURES, REGION_MEASURES, SUM, Measure
from kolabsim.model.parameters import Parameter
from kolabsim.model.state import OPTION, REGION, SLOT, Me, State, allocate, record_type

DECISION, MECHANISM = N_("decision rule"), N_("mechanism")
TARGET, MEASURE = N_("targeting rule"), N_("measure")
"""Kinds of user-defined rules."""
TAKES = {
    DECISION: ("options", "me", "draw", "p"),
    MECHANISM: ("term", "intensity", "p"),
    TARGET: ("region", "slots", "p"),
    MEASURE: ("state", "p"),
}
"""Arguments of a function of each kind, in this order."""


# Examples on which functions are tried ------------------------------------------------------------


def example_options() -> np.recarray:
    """Three options as a rule sees them: the status quo and two unions."""
    options = np.zeros(3, record_type(OPTION)).view(np.recarray)
    for k, (gain, trust, draw) in enumerate(((0.0, 0.0, 0.9), (0.04, 0.6, 0.2), (0.07, 0.4, 0.5))):
        options[k].gain, options[k].trust, options[k].draw = gain, trust, draw
        options[k].members, options[k].people, options[k].culture = 2.0 + k, 50_000.0 * (k + 1), 1.0
        options[k].contact = k - 1
    return options


def example_me() -> Me:
    """An average region, as a rule sees it."""
    return Me(*(0.5 for _name in Me._fields))


def example_state() -> State:
    """A plausible state: four regions and two areas, of which two regions share the first area."""
    state = allocate(4, 2, 12, 3)
    for records in (state.region, state.slot, state.contact, state.area):
        for name in records.dtype.names or ():
            records[name] = 0.5 if records.dtype[name].kind == "f" else 0
    state.region["population"] = [20_000.0, 40_000.0, 60_000.0, 80_000.0]
    state.region["rank"] = range(4)
    state.region["first"], state.region["end"] = range(0, 12, 3), range(3, 15, 3)
    state.contact["target"] = [j for i in range(4) for j in range(4) if j != i]
    pairs = [(i, j) for i in range(4) for j in range(4) if j != i]
    state.contact["reverse"] = [pairs.index((j, i)) for i, j in pairs]
    state.slot["people"] = state.region["population"][:, None]
    state.slot["alone"] = 1.0
    state.slot["body"] = -1
    state.slot["body"][:2, 0] = 0
    state.body["members"][0] = 2
    state.members[0, :2] = 0, 1
    state.sums[:, 0] = 1.0
    return state


# What can be declared -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Extension:
    """A declared function with its parameters."""

    kind: str
    name: str
    python: Callable
    """The function as it was written."""
    compiled: Callable
    """Its compiled version; of a user-defined mechanism, the function itself."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    file: str | None = None

    def __call__(self, *seen: object) -> object:
        """Call the function in plain Python."""
        return self.python(*seen)

    @property
    def meaning(self) -> str:
        """Its meaning: the first line of the docstring."""
        return (inspect.getdoc(self.python) or self.name).splitlines()[0].rstrip(".")

    @property
    def is_built_in(self) -> bool:
        """Whether it ships with kolabsim."""
        return is_shipped(self.python)

    @property
    def settable(self) -> dict[str, Parameter]:
        """Its parameters, by the names that scenarios give them: ``name.parameter``."""
        return {f"{self.name}.{name}": entry for name, entry in self.parameters.items()}

    def example(self) -> tuple:
        """Arguments, but for the parameters, of a call that checks it."""
        if self.kind == DECISION:
            return example_options(), example_me(), 0.5
        state = example_state()
        return (state.region[0], state.slot[0]) if self.kind == TARGET else (state,)

    @cached_property
    def obstacle(self) -> str:
        """The reason why numba cannot compile it, in a line, or an empty string."""
        if self.is_built_in or self.kind == MECHANISM:
            return ""
        return obstacle(self.compiled, (*self.example(), fill_record(self.parameters, {})))

    def parameter_record(self, settings: Mapping[str, float] | None = None) -> np.record:
        """Return one setting of the parameters; those without a value have their default.

        Raises :class:`~kolabsim.errors.InputError` for an unknown name, or a value out of bounds.
        """
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


class DecisionRule(Extension):
    """A rule by which a region chooses among its options."""


class TargetRule(Extension):
    """A rule that scores regions: a supporter helps those with the highest scores."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mechanism(Extension):
    """A coordination mechanism: effects on terms of the model, and a price."""

    lever: Lever
    effects: dict[str, Callable]
    """Its effect on each term of :data:`~kolabsim.model.levers.TERMS` that it acts on."""
    own: dict[str, Parameter]
    """The same mapping as ``parameters``, to which :meth:`also` adds."""

    @property
    def settable(self) -> dict[str, Parameter]:
        """Its parameters, or none if it is a lever of the laws: then they belong to the model."""
        return {} if self.name in LEVERS else super().settable

    def also(self, acts_on: str, **parameters: Parameter) -> Callable[[Callable], Callable]:
        """Declare the effect of the mechanism on another term, with the parameters it needs.

        The effect of a built-in mechanism is compiled, because the laws call it.

        Parameters
        ----------
        acts_on
            A term of :data:`kolabsim.model.levers.TERMS`.
        **parameters
            Further numbers that ``p`` holds. Each name is declared once in a mechanism.

        Returns
        -------
        Callable
            A decorator for ``effect(term, intensity, p)``, as in :func:`mechanism`.

        Raises
        ------
        InputError
            If a parameter is declared twice, the term is unknown, or the effect is not linear.
        """

        def add(function: Callable) -> Callable:
            check_signature(MECHANISM, function)
            for name in parameters:
                if name in self.own:
                    text = _("{rule}.{name} is declared twice")
                    raise InputError([Problem(text.format(rule=self.name, name=name))])
            check_parameters(self.name, parameters)
            if not is_shipped(function):
                check_term(self.name, acts_on)
            self.own.update(parameters)
            self.effects[acts_on] = function
            factors(self, acts_on, 0.5, fill_record(self.own, {}))
            return inlined(function) if self.is_built_in else function

        return add


@dataclass(frozen=True, kw_only=True, eq=False)
class CustomMeasure(Extension):
    """A user-defined outcome, measured at the end of each quarter."""

    entry: Measure


@dataclass(frozen=True)
class Declared:
    """The declarations of extension files, by kind and name."""

    rules: Mapping[str, DecisionRule] = field(default_factory=dict)
    mechanisms: Mapping[str, Mechanism] = field(default_factory=dict)
    targets: Mapping[str, TargetRule] = field(default_factory=dict)
    measures: Mapping[str, CustomMeasure] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Extension]:
        for kind in (self.rules, self.mechanisms, self.targets, self.measures):
            yield from kind.values()

    @property
    def parameters(self) -> dict[str, Parameter]:
        """All their parameters, by ``name.parameter``."""
        return {name: entry for of in self for name, entry in of.settable.items()}


def is_shipped(function: Callable) -> bool:
    """Whether a function ships with kolabsim; one without a file, as in an example, does not."""
    return function.__module__.startswith("kolabsim.") and function.__code__.co_filename[0] != "<"


def fill_record(parameters: Mapping[str, Parameter], given: Mapping[str, float]) -> np.record:
    """Return a record with one field per parameter, at its default unless a value is given.

    Rates become shares per quarter, as the model uses them.
    """
    names = list(parameters) or ["none"]
    values = np.zeros(1, np.dtype([(name, np.float64) for name in names])).view(np.recarray)
    for name, entry in parameters.items():
        values[name] = entry.per_quarter(float(given.get(name, entry.default)))
    return values[0]


RULES: dict[str, DecisionRule] = {}
"""All decision rules by name: built-in ones and those of loaded extensions."""
ACTING: dict[str, Mechanism] = {}
"""All mechanisms and supporters by name: built-in ones and those of loaded extensions."""
TARGET_RULES: dict[str, TargetRule] = {}
"""Targeting rules that score regions: built-in ones and those of loaded extensions."""
CUSTOM_MEASURES: dict[str, CustomMeasure] = {}
"""Measures of loaded extensions."""

KNOWN: dict[str, dict[str, Any]] = {
    DECISION: RULES, MECHANISM: ACTING, TARGET: TARGET_RULES, MEASURE: CUSTOM_MEASURES,
}  # fmt: skip


# Declaring ----------------------------------------------------------------------------------------


def decision_rule(**parameters: Parameter) -> Callable[[Callable], DecisionRule]:
    """Declare a decision rule: ``choose(options, me, draw, p) -> position of an option``.

    ``options`` is an array of records, shape (options,), with the fields of
    :data:`kolabsim.model.state.OPTION`; ``options[0]`` is the status quo. ``me`` is a
    :class:`kolabsim.model.state.Me`, ``draw`` a random number between 0 and 1 of the region, and
    ``p`` holds the declared parameters. The rule is called once in plain Python when it is
    declared, so that a mistake is reported in one sentence.

    Parameters
    ----------
    **parameters
        Numbers that the rule needs, each a :class:`kolabsim.Parameter`. Scenarios set them, and
        analyses vary them, under the name ``parameters.RULE.NAME``.

    Returns
    -------
    Callable
        A decorator that turns the function into a :class:`DecisionRule`.

    Raises
    ------
    InputError
        If the function takes other arguments, has the name of a built-in rule, fails, or returns
        anything but the position of an option.

    Examples
    --------
    >>> from kolabsim import Parameter, decision_rule
    >>> @decision_rule(least=Parameter(0.02, 0.0, 0.1, meaning="smallest gain worth the effort"))
    ... def cautious(options, me, draw, p):
    ...     "Take the first option that gains enough."
    ...     for k in range(1, len(options)):
    ...         if options[k].gain >= p.least:
    ...             return k
    ...     return 0
    >>> cautious(*cautious.example(), cautious.parameter_record())
    1
    >>> cautious(*cautious.example(), cautious.parameter_record({"least": 0.05}))
    2
    """

    def register(function: Callable) -> DecisionRule:
        name = _check_declaration(DECISION, function, parameters)
        options = example_options()
        fields = {"option": ", ".join(OPTION), "me": ", ".join(Me._fields)}
        taken = _try_example(
            DECISION, function, (options, example_me(), 0.5, fill_record(parameters, {})),
            _("an option has {option}; me has {me}").format(**fields),
        )  # fmt: skip
        if isinstance(taken, bool) or not isinstance(taken, int | np.integer):
            text = _("decision rule {rule} must return the position of an option, not {taken!r}")
            raise InputError([Problem(text.format(rule=name, taken=taken))])
        if not 0 <= taken < len(options):
            text = _("decision rule {rule} returned {taken}, but there are {number} options")
            raise InputError([Problem(text.format(rule=name, taken=taken, number=len(options)))])
        return _register_as(DecisionRule, DECISION, function, parameters)

    return register


def target_rule(**parameters: Parameter) -> Callable[[Callable], TargetRule]:
    """Declare a targeting rule: ``score(region, slots, p) -> number``.

    A supporter helps the regions with the highest scores, as many as the ``share`` of its phase
    says. ``region`` has the columns of :data:`kolabsim.model.state.REGION`; ``slots``, shape
    (areas,), those of :data:`kolabsim.model.state.SLOT`; and ``p`` the declared parameters.

    Parameters
    ----------
    **parameters
        Numbers that the rule needs, each a :class:`kolabsim.Parameter`.

    Returns
    -------
    Callable
        A decorator that turns the function into a :class:`TargetRule`.

    Raises
    ------
    InputError
        If the function takes other arguments, has the name of a built-in rule, fails, or returns
        anything but a finite number.

    Examples
    --------
    >>> from kolabsim import target_rule
    >>> @target_rule()
    ... def willing(region, slots, p):
    ...     "The regions with the most commitment."
    ...     return region.commitment
    >>> float(willing(*willing.example(), willing.parameter_record()))
    0.5
    """

    def register(function: Callable) -> TargetRule:
        _check_declaration(TARGET, function, parameters)
        state = example_state()
        fields = {"region": ", ".join(REGION), "slot": ", ".join(SLOT)}
        score = _try_example(
            TARGET, function, (state.region[0], state.slot[0], fill_record(parameters, {})),
            _("a region has {region}; a slot has {slot}").format(**fields),
        )  # fmt: skip
        _check_number(TARGET, function.__name__, score)
        return _register_as(TargetRule, TARGET, function, parameters)

    return register


def measure(
    *, title: str = "", unit: str = "share", better: int = 0, total: bool = False,
    **parameters: Parameter,
) -> Callable[[Callable], CustomMeasure]:  # fmt: skip
    """Declare a measure: ``value(state, p) -> number``, taken at the end of each quarter.

    ``state`` is a :class:`kolabsim.model.state.State`, which the function must not change. NaN
    means that the measure is undefined.

    Parameters
    ----------
    title
        Its name in tables; by default the function's name. The docstring gives its meaning.
    unit
        ``currency``, ``share``, or any other word.
    better
        1 if more is better, -1 if less is, 0 if neither.
    total
        Whether the result of a run is the sum over its quarters, instead of the mean of the last
        four.
    **parameters
        Numbers that it needs, each a :class:`kolabsim.Parameter`.

    Returns
    -------
    Callable
        A decorator that turns the function into a :class:`CustomMeasure`.

    Raises
    ------
    InputError
        If the function takes other arguments, has the name of a built-in measure, fails, or returns
        anything but a number that is finite or NaN; or if ``better`` is another number.

    Examples
    --------
    >>> from kolabsim import measure
    >>> @measure(title="members", unit="regions")
    ... def members(state, p):
    ...     "Memberships in joint bodies."
    ...     return float(state.body["members"].sum())
    >>> members(*members.example(), members.parameter_record())
    2.0
    """

    def register(function: Callable) -> CustomMeasure:
        name = _check_declaration(MEASURE, function, parameters)
        if name in MEASURES or name in REGION_MEASURES:
            text = _("measure {rule} has the name of a built-in one; choose another")
            raise InputError([Problem(text.format(rule=name))])
        if better not in (-1, 0, 1):
            text = _("measure {rule}: better is {value}; allowed: 1, 0, -1")
            raise InputError([Problem(text.format(rule=name, value=better))])
        value = _try_example(
            MEASURE, function, (example_state(), fill_record(parameters, {})),
            _("state has {fields}").format(fields=", ".join(State._fields)),
        )  # fmt: skip
        _check_number(MEASURE, name, value, is_defined=False)
        meaning = (inspect.getdoc(function) or name).splitlines()[0].rstrip(".")
        words = title or name.replace("_", " ")
        entry = Measure(words, meaning, unit, better, SUM if total else LAST_YEAR)
        return _register_as(CustomMeasure, MEASURE, function, parameters, entry=entry)

    return register


def mechanism(
    *, acts_on: str, base: str = "joint", payer: str = "members", step: str = "coordinate",
    title: str = "", price: Parameter | None = None, lever: Lever | None = None,
    **parameters: Parameter,
) -> Callable[[Callable], Mechanism]:  # fmt: skip
    """Declare a mechanism: ``effect(term, intensity, p) -> the changed term``.

    An effect is linear in the term: it returns ``a * term + b``, where ``a`` is at least 0 and both
    may depend in any way on the intensity and the parameters. At intensity 0 it returns the term
    unchanged. Effects are therefore evaluated once per phase, need no compiling, and act one after
    another in the order of their declaration.

    Parameters
    ----------
    acts_on
        A term of :data:`kolabsim.model.levers.TERMS`; :meth:`Mechanism.also` adds others.
    base
        Cost that the price is a share of: ``joint`` cost, or all service cost of ``members``.
    payer
        Bearer of the cost unless a scenario names another: members, centre or supporter.
    step
        The step of building collaboration that it serves, of :data:`kolabsim.model.levers.STEPS`.
    title
        Its name in tables; by default the function's name. The docstring gives its meaning.
    price
        Yearly cost at full intensity, share of the base; by default 0.005, assumed.
    lever
        The declaration of a built-in mechanism or supporter, which replaces the five above.
    **parameters
        Numbers that it needs, each a :class:`kolabsim.Parameter`.

    Returns
    -------
    Callable
        A decorator that turns the function into a :class:`Mechanism`.

    Raises
    ------
    InputError
        If the function takes other arguments, has the name of a built-in mechanism or fails; if the
        effect is not linear, or the term, base, payer or step is unknown.

    Examples
    --------
    >>> from kolabsim import Parameter, mechanism
    >>> @mechanism(acts_on="negotiation", saved=Parameter(0.3, 0.1, 0.6))
    ... def rotating_chair(term, intensity, p):
    ...     "The chair rotates among the members, so that they agree more easily."
    ...     return term * (1.0 - p.saved * intensity)
    >>> float(rotating_chair(0.02, 0.5, rotating_chair.parameter_record()))
    0.017
    """
    price = price or Parameter(
        0.005, symbol="c", unit="share/year", meaning=f"yearly cost, share of {base} cost"
    )

    def register(function: Callable) -> Mechanism:
        own = dict(parameters) if lever else {"price": price, **parameters}
        name = _check_declaration(MECHANISM, function, own)
        if not is_shipped(function):  # built-in ones precede the terms; a test checks them
            check_term(name, acts_on)
        for word, value, allowed in (
            ("base", base, BASES), ("payer", payer, PAYERS), ("step", step, tuple(STEPS)),
        ):  # fmt: skip
            if value not in allowed:
                text = _("mechanism {rule}: {word} is '{value}'{hint}")
                hint = suggestion(str(value), allowed)
                text = text.format(rule=name, word=word, value=value, hint=hint)
                raise InputError([Problem(text)])
        meaning = (inspect.getdoc(function) or name).splitlines()[0].rstrip(".")
        words = title or name.replace("_", " ")
        found = _register_as(
            Mechanism, MECHANISM, function, own, effects={acts_on: function}, own=own,
            lever=lever or Lever("", words, meaning, base, f"{name}.price", payer, step),
        )  # fmt: skip
        try:
            factors(found, acts_on, 0.5, fill_record(own, {}))
        except InputError:
            del ACTING[name]
            raise
        return found

    return register


def factors(of: Mechanism, term: str, intensity: float, p: np.record) -> tuple[float, float]:
    """Return the factor and the addition by which a mechanism changes a term at an intensity.

    Raises :class:`~kolabsim.errors.InputError` if the effect is not linear or reverses the term.
    """
    function, tried = of.effects[term], (0.0, 1.0, 0.25, 0.5, 2.0)
    found = [_try_example(MECHANISM, function, (x, intensity, p), "", name=of.name) for x in tried]
    for value in found:
        _check_number(MECHANISM, of.name, value)
    plus, times = found[0], found[1] - found[0]
    scale = max(1.0, *map(abs, found))
    straight = all(
        math.isclose(plus + times * x, value, rel_tol=0.0, abs_tol=1e-9 * scale)
        for x, value in zip(tried, found, strict=True)
    )
    problem = ""
    if not straight:
        problem = _("its effect on {term} is not linear")
    elif times < -1e-12:
        problem = _("it reverses {term}: a larger value becomes smaller")
    elif intensity == 0.0 and (abs(plus) > 1e-12 or abs(times - 1.0) > 1e-12):
        problem = _("at intensity 0 it changes {term}")
    if problem:
        text = _("mechanism {rule}: {problem}; for {tried} it returns {found}")
        results = ", ".join(f"{value:g}" for value in found)
        raise InputError([
            Problem(text.format(
                rule=of.name, problem=problem.format(term=term), found=results,
                tried=", ".join(f"{x:g}" for x in tried),
            ))
        ])  # fmt: skip
    if abs(times - 1.0) < 1e-12:
        times = 1.0
    return float(max(times, 0.0)), float(plus)


def check_signature(kind: str, function: Callable) -> None:
    """Refuse a function with other arguments than those of its kind."""
    takes = TAKES[kind]
    if tuple(inspect.signature(function).parameters) != takes:
        text = _("{kind} {rule} must take exactly ({takes})")
        words = {"kind": _(kind), "rule": function.__name__, "takes": ", ".join(takes)}
        raise InputError([Problem(text.format(**words))])


def check_parameters(name: str, parameters: Mapping[str, object]) -> None:
    """Refuse anything but a Parameter, and names that records of numpy already use."""
    for label, entry in parameters.items():
        if not isinstance(entry, Parameter):
            text = _("{rule}.{name} must be a Parameter(default, low, high, ...)")
            raise InputError([Problem(text.format(rule=name, name=label))])
        if hasattr(np.record, label):
            text = _("{rule}.{name}: numpy uses this name itself; choose another")
            raise InputError([Problem(text.format(rule=name, name=label))])


def check_term(name: str, term: str) -> None:
    """Refuse a term that the model does not have."""
    if term not in TERMS:
        text = _("mechanism {rule} acts on '{term}', which is not a term of the model{hint}")
        hint = suggestion(str(term), TERMS)
        raise InputError([Problem(text.format(rule=name, term=term, hint=hint))])


def _check_declaration(kind: str, function: Callable, parameters: Mapping[str, object]) -> str:
    name = function.__name__
    check_signature(kind, function)
    check_parameters(name, parameters)
    if not is_shipped(function):
        load_built_in()
        if name in KNOWN[kind] and KNOWN[kind][name].is_built_in:
            text = _("{kind} {rule} has the name of a built-in one; choose another")
            raise InputError([Problem(text.format(kind=_(kind), rule=name))])
    return name


def shipped_mechanisms() -> dict[str, Mechanism]:
    """Mechanisms that ship with kolabsim but act like user-defined ones, outside the laws."""
    load_built_in()
    return {name: one for name, one in ACTING.items() if one.is_built_in and name not in LEVERS}


def load_built_in() -> None:
    """Import the built-in declarations, so that no extension takes their names."""
    for room in ("mechanisms", "decision_rules", "targeting", "stages"):
        importlib.import_module(f"kolabsim.model.{room}")


def _register_as(
    of: type[Extension],
    kind: str,
    function: Callable,
    parameters: Mapping[str, Parameter],
    **more: object,
) -> Any:
    # Numba loads cached code only if it can import the function's module by name, which does not
    # work for a user's file.
    kept = is_shipped(function)
    if kind == MECHANISM:
        twin = inlined(function) if kept else function
    else:
        twin = compiled(function, kept=kept)
    made = of(
        kind=kind, name=function.__name__, python=function, compiled=twin, parameters=parameters,
        file=inspect.getsourcefile(function), **more,
    )  # fmt: skip
    register(made)
    return made


def register(made: Any) -> None:
    """Register an extension under its name."""
    KNOWN[made.kind][made.name] = made
    if made.kind == MEASURE:
        CUSTOM[made.name] = made.entry


def _try_example(kind: str, function: Callable, seen: tuple, fields: str, *, name: str = "") -> Any:
    """Call a function once in plain Python, and report in one sentence how it fails."""
    try:
        return function(*seen)
    except Exception as error:
        text = _("{kind} {rule} fails on an example: {error}").format(
            kind=_(kind), rule=name or function.__name__, error=error
        )
        raise InputError([Problem(f"{text}; {fields}" if fields else text)]) from error


def _check_number(kind: str, name: str, value: Any, *, is_defined: bool = True) -> None:
    """Refuse anything but a finite number, or NaN where a value may be undefined."""
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or isinstance(value, bool):
        text = _("{kind} {rule} must return a number, not {value!r}")
    elif math.isinf(value) or (is_defined and math.isnan(value)):
        text = _("{kind} {rule} returns {value}, which is not finite")
    else:
        return
    raise InputError([Problem(text.format(kind=_(kind), rule=name, value=value))])
