"""User-defined rules: decorators that turn plain functions into parts of the model.

There are four kinds: decision rules of regions (:func:`decision_rule`), mechanisms of planners
(:func:`mechanism`), targeting rules of supporters (:func:`target_rule`), and measures
(:func:`measure`). A declared function is called once on an example, so that a mistake is reported
in one sentence, and then sampled, shown and documented like a built-in one; the Mesa agents and the
ensemble call the same function.

The file is long because the decorators share their records and checks, which nothing else needs,
and because they carry the reference text for authors of extensions.
"""

from __future__ import annotations

import importlib
import inspect
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import N_, _
from kolabsim.model.jit import compiled, in_python, inlined, obstacle
from kolabsim.model.levers import BASES, LEVERS, PAYERS, STEPS, TERMS, Lever
from kolabsim.model.measures import CUSTOM, LAST_YEAR, MEASURES, REGION_MEASURES, SUM, Measure
from kolabsim.model.parameters import Parameter
from kolabsim.model.state import NOBODY, OPTION, REGION, SLOT, Me, State, allocate, empty_records

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
    options = empty_records(3, OPTION)
    options["gain"], options["trust"] = (0.0, 0.04, 0.07), (0.0, 0.6, 0.4)
    options["draw"], options["members"] = (0.9, 0.2, 0.5), (2.0, 3.0, 4.0)
    options["people"], options["contact"] = (50_000.0, 100_000.0, 150_000.0), (-1, 0, 1)
    options["culture"] = 1.0
    return options


def example_state() -> State:
    """A plausible state: four regions and two areas, of which two regions share the first area."""
    state = allocate(4, 2, 12, 3)
    for records in (state.region, state.slot, state.contact, state.area):
        for name in records.dtype.names or ():
            records[name] = 0.5 if records.dtype[name].kind == "f" else 0
    state.region["population"] = [20_000.0, 40_000.0, 60_000.0, 80_000.0]
    state.region["rank"] = range(4)
    state.region["first"], state.region["end"] = range(0, 12, 3), range(3, 15, 3)
    pairs = [(i, j) for i in range(4) for j in range(4) if j != i]
    state.contact["target"] = [j for _i, j in pairs]
    state.contact["reverse"] = [pairs.index((j, i)) for i, j in pairs]
    state.slot["people"] = state.region["population"][:, None]
    state.slot["alone"], state.slot["body"] = 1.0, NOBODY
    state.slot["body"][:2, 0] = 0
    state.body["members"][0] = 2
    state.members[0, :2] = 0, 1
    state.sums[:, 0] = 1.0
    return state


def example(kind: str) -> tuple:
    """Arguments, but for the parameters, of a call that checks a function of this kind."""
    if kind == DECISION:
        return example_options(), Me(*(0.5 for _name in Me._fields)), 0.5
    state = example_state()
    return (state.region[0], state.slot[0]) if kind == TARGET else (state,)


def fields(kind: str) -> str:
    """The fields of these arguments, for the message about a function that fails."""
    if kind == DECISION:
        text, records = (
            _("an option has {option}; me has {me}"),
            {"option": OPTION, "me": Me._fields},
        )
    elif kind == TARGET:
        text, records = (
            _("a region has {region}; a slot has {slot}"),
            {"region": REGION, "slot": SLOT},
        )
    else:
        text, records = _("state has {fields}"), {"fields": State._fields}
    return text.format(**{name: ", ".join(names) for name, names in records.items()})


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
    parameters: dict[str, Parameter] = field(default_factory=dict)
    file: str | None = None

    def __call__(self, *seen: object) -> object:
        """Call the function in plain Python."""
        return self.python(*seen)

    @property
    def meaning(self) -> str:
        """Its meaning: the first line of the docstring."""
        return meaning(self.python)

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
        return example(self.kind)

    @cached_property
    def obstacle(self) -> str:
        """The reason why numba cannot compile it, in a line, or an empty string."""
        if self.is_built_in or self.kind == MECHANISM:
            return ""
        return obstacle(self.compiled, (*self.example(), fill_record(self.parameters, {})))

    @property
    def fastest(self) -> Callable:
        """Its compiled version, or the plain one if numba cannot compile it."""
        return self.python if self.obstacle else self.compiled

    def parameter_record(self, settings: Mapping[str, float] | None = None) -> np.record:
        """Return one setting of the parameters; those without a value have their default.

        Raises :class:`~kolabsim.errors.InputError` for an unknown name, or a value out of bounds.
        """
        given, problems = dict(settings or {}), Problems()
        for name, value in given.items():
            entry = self.parameters.get(name)
            if entry is None:
                hint = suggestion(name, self.parameters)
                text = _("{rule} has no parameter {name!r}{hint}")
                problems.add(text.format(rule=self.name, name=name, hint=hint))
            elif not entry.least <= value <= entry.most:
                text = _("{rule}.{name} = {value} is outside {least} to {most}")
                bounds = {"least": entry.least, "most": entry.most}
                problems.add(text.format(rule=self.name, name=name, value=value, **bounds))
        problems.raise_if_any()
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

    @property
    def settable(self) -> dict[str, Parameter]:
        """Its parameters, or none if it is a lever of the laws: then they belong to the model."""
        return {} if self.name in LEVERS else super().settable

    def also(self, acts_on: str, **parameters: Parameter) -> Callable[[Callable], Callable]:
        """Declare the effect of the mechanism on another term, with the parameters it needs.

        It returns a decorator for ``effect(term, intensity, p)``, as in :func:`mechanism`, where
        ``term`` is ``acts_on`` of :data:`kolabsim.model.levers.TERMS`. The effect of a built-in
        mechanism is compiled, because the laws call it.

        Raises
        ------
        InputError
            If a parameter is declared twice, the term is unknown, or the effect is not linear.
        """

        def add(function: Callable) -> Callable:
            check_signature(MECHANISM, function)
            for name in parameters:
                if name in self.parameters:
                    raise InputError.of(
                        _("{rule}.{name} is declared twice"), rule=self.name, name=name
                    )
            check_parameters(self.name, parameters)
            if not is_shipped(function):
                check_term(self.name, acts_on)
            self.parameters.update(parameters)
            self.effects[acts_on] = function
            factors(self, acts_on, 0.5, fill_record(self.parameters, {}))
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


def meaning(function: Callable) -> str:
    """The first line of a function's docstring, or else its name."""
    return (inspect.getdoc(function) or function.__name__).splitlines()[0].rstrip(".")


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


Made = TypeVar("Made", bound=Extension)

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
    ``p`` holds the declared parameters.

    Parameters
    ----------
    **parameters
        Numbers that the function needs, each a :class:`kolabsim.Parameter`. Scenarios set them, and
        analyses vary them, under the name ``parameters.RULE.NAME``.

    Raises
    ------
    InputError
        If the function takes other arguments, has the name of a built-in one, fails on an example,
        or returns anything but the position of an option.

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

    def declare(function: Callable) -> DecisionRule:
        taken = _try_declaration(DECISION, function, parameters)
        name, number = function.__name__, len(example_options())
        if isinstance(taken, bool) or not isinstance(taken, int | np.integer):
            text = _("decision rule {rule} must return the position of an option, not {taken!r}")
            raise InputError.of(text, rule=name, taken=taken)
        if not 0 <= taken < number:
            text = _("decision rule {rule} returned {taken}, but there are {number} options")
            raise InputError.of(text, rule=name, taken=taken, number=number)
        return register(_make(DecisionRule, DECISION, function, parameters))

    return declare


def target_rule(**parameters: Parameter) -> Callable[[Callable], TargetRule]:
    """Declare a targeting rule: ``score(region, slots, p) -> number``.

    A supporter helps the regions with the highest scores, as many as the ``share`` of its phase
    says. ``region`` has the columns of :data:`kolabsim.model.state.REGION`; ``slots``, shape
    (areas,), those of :data:`kolabsim.model.state.SLOT`; and ``p`` the declared parameters. The
    score is a finite number. Parameters and errors are as in :func:`decision_rule`.

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

    def declare(function: Callable) -> TargetRule:
        score = _try_declaration(TARGET, function, parameters)
        _check_number(TARGET, function.__name__, score)
        return register(_make(TargetRule, TARGET, function, parameters))

    return declare


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
        As in :func:`decision_rule`.

    Raises
    ------
    InputError
        As in :func:`decision_rule`; or if ``better`` is another number.

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

    def declare(function: Callable) -> CustomMeasure:
        name = function.__name__
        value = _try_declaration(MEASURE, function, parameters)
        if name in MEASURES or name in REGION_MEASURES:
            text = _("measure {rule} has the name of a built-in one; choose another")
            raise InputError.of(text, rule=name)
        if better not in (-1, 0, 1):
            text = _("measure {rule}: better is {value}; allowed: 1, 0, -1")
            raise InputError.of(text, rule=name, value=better)
        _check_number(MEASURE, name, value, is_defined=False)
        figure, words = SUM if total else LAST_YEAR, title or name.replace("_", " ")
        entry = Measure(words, meaning(function), unit, better, figure)
        return register(_make(CustomMeasure, MEASURE, function, parameters, entry=entry))

    return declare


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
        Bearer of the cost unless a scenario names another: members, centre, supporter or tier.
    step
        The step of building collaboration that it serves, of :data:`kolabsim.model.levers.STEPS`.
    title
        Its name in tables; by default the function's name. The docstring gives its meaning.
    price
        Yearly cost at full intensity, share of the base; by default 0.005, assumed.
    lever
        The declaration of a built-in mechanism or supporter, which replaces the five above.
    **parameters
        As in :func:`decision_rule`.

    Raises
    ------
    InputError
        As in :func:`decision_rule`; or if the effect is not linear, or the term, base, payer or
        step is unknown.

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

    def declare(function: Callable) -> Mechanism:
        own = dict(parameters) if lever else {"price": price, **parameters}
        _check_declaration(MECHANISM, function, own)
        name = function.__name__
        if not is_shipped(function):  # built-in ones precede the terms; a test checks them
            check_term(name, acts_on)
        for word, value, allowed in (
            ("base", base, BASES), ("payer", payer, PAYERS), ("step", step, tuple(STEPS)),
        ):  # fmt: skip
            if value not in allowed:
                text = _("mechanism {rule}: {word} is '{value}'{hint}")
                hint = suggestion(str(value), allowed)
                raise InputError.of(text, rule=name, word=word, value=value, hint=hint)
        words = title or name.replace("_", " ")
        found = _make(
            Mechanism, MECHANISM, function, own, effects={acts_on: function},
            lever=lever or Lever("", words, meaning(function), base, payer, step, f"{name}.price"),
        )  # fmt: skip
        factors(found, acts_on, 0.5, fill_record(own, {}))
        return register(found)

    return declare


def factors(of: Mechanism, term: str, intensity: float, p: np.record) -> tuple[float, float]:
    """Return the factor and the addition by which a mechanism changes a term at an intensity.

    Raises :class:`~kolabsim.errors.InputError` if the effect is not linear or reverses the term.
    """
    function, tried = of.effects[term], (0.0, 1.0, 0.25, 0.5, 2.0)
    found = [_try_example(MECHANISM, of.name, function, (x, intensity, p)) for x in tried]
    for value in found:
        _check_number(MECHANISM, of.name, value)
    plus, times = found[0], found[1] - found[0]
    straight = np.allclose(
        plus + times * np.array(tried), found, rtol=0.0, atol=1e-9 * max(1.0, *map(abs, found))
    )
    problem = ""
    if not straight:
        problem = _("its effect on {term} is not linear")
    elif times < -1e-12:
        problem = _("it reverses {term}: a larger value becomes smaller")
    elif intensity == 0.0 and (abs(plus) > 1e-12 or abs(times - 1.0) > 1e-12):
        problem = _("at intensity 0 it changes {term}")
    if problem:
        raise InputError.of(
            _("mechanism {rule}: {problem}; for {tried} it returns {found}"),
            rule=of.name, problem=problem.format(term=term),
            tried=", ".join(f"{x:g}" for x in tried), found=", ".join(f"{x:g}" for x in found),
        )  # fmt: skip
    if abs(times - 1.0) < 1e-12:
        times = 1.0
    return float(max(times, 0.0)), float(plus)


def check_signature(kind: str, function: Callable) -> None:
    """Refuse a function with other arguments than those of its kind."""
    if tuple(inspect.signature(function).parameters) != TAKES[kind]:
        text, takes = _("{kind} {rule} must take exactly ({takes})"), ", ".join(TAKES[kind])
        raise InputError.of(text, kind=_(kind), rule=function.__name__, takes=takes)


def check_parameters(name: str, parameters: Mapping[str, object]) -> None:
    """Refuse anything but a Parameter, and names that records of numpy already use."""
    for label, entry in parameters.items():
        if not isinstance(entry, Parameter):
            text = _("{rule}.{name} must be a Parameter(default, low, high, ...)")
            raise InputError.of(text, rule=name, name=label)
        if hasattr(np.record, label):
            text = _("{rule}.{name}: numpy uses this name itself; choose another")
            raise InputError.of(text, rule=name, name=label)


def check_term(name: str, term: str) -> None:
    """Refuse a term that the model does not have."""
    if term not in TERMS:
        text = _("mechanism {rule} acts on '{term}', which is not a term of the model{hint}")
        raise InputError.of(text, rule=name, term=term, hint=suggestion(str(term), TERMS))


def _check_declaration(kind: str, function: Callable, parameters: Mapping[str, object]) -> None:
    check_signature(kind, function)
    check_parameters(function.__name__, parameters)
    if not is_shipped(function):
        load_built_in()
        namesake = KNOWN[kind].get(function.__name__)
        if namesake is not None and namesake.is_built_in:
            text = _("{kind} {rule} has the name of a built-in one; choose another")
            raise InputError.of(text, kind=_(kind), rule=function.__name__)


def _try_declaration(kind: str, function: Callable, parameters: Mapping[str, Parameter]) -> Any:
    """Check a declaration, and return what the function makes of the example."""
    _check_declaration(kind, function, parameters)
    seen = (*example(kind), fill_record(parameters, {}))
    return _try_example(kind, function.__name__, function, seen, fields(kind))


def shipped_mechanisms() -> dict[str, Mechanism]:
    """Mechanisms that ship with kolabsim but act like user-defined ones, outside the laws."""
    load_built_in()
    return {name: one for name, one in ACTING.items() if one.is_built_in and name not in LEVERS}


def load_built_in() -> None:
    """Import the built-in declarations, so that no extension takes their names."""
    for room in ("mechanisms", "decision_rules", "targeting", "stages"):
        importlib.import_module(f"kolabsim.model.{room}")


def _make(
    of: type[Made], kind: str, function: Callable, parameters: dict[str, Parameter], **more: Any
) -> Made:
    # Numba loads cached code only if it can import the function's module by name, which does not
    # work for a user's file.
    kept = is_shipped(function)
    if kind == MECHANISM:
        twin = inlined(function) if kept else function
    else:
        twin = compiled(function, kept=kept)
    return of(
        kind=kind, name=function.__name__, python=function, compiled=twin, parameters=parameters,
        file=inspect.getsourcefile(function), **more,
    )  # fmt: skip


def register(made: Made) -> Made:
    """Register an extension under its name."""
    KNOWN[made.kind][made.name] = made
    if isinstance(made, CustomMeasure):
        CUSTOM[made.name] = made.entry
    return made


@contextmanager
def undefined_as_nan() -> Iterator[None]:
    """Let numpy return NaN and infinity within the block without a remark: they are judged here."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _try_example(kind: str, name: str, function: Callable, seen: tuple, fields: str = "") -> Any:
    """Call a function once in plain Python, and report in one sentence how it fails."""
    try:
        with in_python(), undefined_as_nan():
            return function(*seen)
    except Exception as error:
        text = _("{kind} {rule} fails on an example: {error}")
        text += "; {fields}" if fields else ""
        raise InputError.of(text, kind=_(kind), rule=name, error=error, fields=fields) from error


def _check_number(kind: str, name: str, value: Any, *, is_defined: bool = True) -> None:
    """Refuse anything but a finite number, or NaN where a value may be undefined."""
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or isinstance(value, bool):
        text = _("{kind} {rule} must return a number, not {value!r}")
    elif math.isinf(value) or (is_defined and math.isnan(value)):
        text = _("{kind} {rule} returns {value}, which is not finite")
    else:
        return
    raise InputError.of(text, kind=_(kind), rule=name, value=value)
