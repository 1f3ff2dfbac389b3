"""Contracts for authors of extensions: checks of what kolabsim expects of a rule.

Hypothesis draws the cases, and a broken contract is shown by the simplest case that breaks it. The
built-in rules, mechanisms, targets and measures keep the same contracts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.engine.mesa_model import CollaborationModel
from kolabsim.errors import InputError, KolabsimError, Problem, require, suggestion
from kolabsim.i18n import _
from kolabsim.model.decision_rules import rule_record
from kolabsim.model.declare import (
    ACTING,
    CustomMeasure,
    DecisionRule,
    Extension,
    Mechanism,
    TargetRule,
    factors,
    fill_record,
)
from kolabsim.model.levers import LEVERS, SUPPORTERS, TARGETS, TERMS
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import Parameter
from kolabsim.model.state import OPTION, REGION, SLOT, Me, State, empty_records
from kolabsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject, SearchStrategy

QUARTERS = 12
"""Quarters that both engines simulate."""


class ContractError(KolabsimError):
    """Raised for an extension that breaks its contract, with a case that shows it."""


# Cases --------------------------------------------------------------------------------------------


def check_cases(test: Callable[[DataObject], None], cases: int) -> None:
    """Check a property on drawn cases; its error is that of the simplest case that fails."""
    require("hypothesis", extra="contracts", what="kolabsim.testing")
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    plain = settings(
        max_examples=cases, database=None, deadline=None, derandomize=True, print_blob=False,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    plain(given(st.data())(test))()


def numbers(low: float, high: float) -> SearchStrategy[float]:
    """Numbers between two bounds, shrinking towards simple ones."""
    from hypothesis import strategies as st

    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


def draw_settings(data: DataObject, parameters: Mapping[str, Parameter]) -> dict[str, float]:
    """A value for each parameter: its default, an end of its range, or a value in between."""
    from hypothesis import strategies as st

    found = {}
    for name, entry in parameters.items():
        ends = st.sampled_from([entry.default, entry.low, entry.high])
        found[name] = data.draw(ends | numbers(entry.low, entry.high), label=name)
    return found


def draw_options(data: DataObject) -> np.recarray:
    """Options as a rule may see them: the status quo and up to seven unions."""
    from hypothesis import strategies as st

    number = data.draw(st.integers(2, 8), label="options")
    options = empty_records(number, OPTION)
    for k in range(number):
        one = options[k]
        one.gain, one.success = (data.draw(numbers(-1.0, 1.0)) for _part in range(2))
        one.trust = data.draw(numbers(0.0, 1.0))
        one.draw = data.draw(numbers(2.0**-53, 1.0 - 2.0**-53))
        one.members, one.people = float(data.draw(st.integers(2, 16))), data.draw(numbers(1, 1e9))
        one.culture, one.contact = data.draw(numbers(0.0, 10.0)), k - 1
    options[0].gain, options[0].trust, options[0].culture = 0.0, 1.0, 0.0
    return options


def draw_me(data: DataObject) -> Me:
    """A region as a decision rule may see it."""
    from hypothesis import strategies as st

    me = Me(*(data.draw(numbers(0.0, 1.0), label=name) for name in Me._fields))
    in_body = float(data.draw(st.integers(0, 1), label="in_body"))
    return me._replace(success=data.draw(numbers(-1.0, 1.0)), in_body=in_body)


@cache
def _states() -> tuple[State, ...]:
    """States at the ends of quarters, from runs in which regions share many services."""
    found = []
    for run in range(3):
        model = CollaborationModel(busy_scenario(), "team", run=run, seed=1)
        while model.running:
            model.step()
            found.append(State(*(np.copy(part).view(type(part)) for part in model.state)))
    return tuple(found)


def busy_scenario() -> Scenario:
    """A scenario in which regions often share, so that every mechanism has an effect."""
    scenario = Scenario.load("kartamantul")
    return scenario.with_(
        horizon=QUARTERS, **{"parameters.attention_base": -1.0, "parameters.first_term": 1.0}
    )


# Contracts ----------------------------------------------------------------------------------------


def check_rule(rule: DecisionRule, *, cases: int = 200) -> None:
    """Check the contract of a decision rule.

    The rule has a docstring. For all values of its parameters it returns the position of an option,
    returns the same one when called twice, and changes none of its arguments. If numba can compile
    it, the compiled rule returns the same as plain Python. A short run of the ensemble equals one
    of the Mesa agents.

    Parameters
    ----------
    rule
        A rule declared with :func:`kolabsim.decision_rule`.
    cases
        Number of cases that Hypothesis draws.

    Raises
    ------
    ContractError
        If the contract is broken, with the simplest case found.
    """
    _has_docstring(rule)
    apply = rule.python if rule.obstacle else rule.compiled

    def keeps(data: DataObject) -> None:
        settings = draw_settings(data, rule.parameters)
        options, me, draw = draw_options(data), draw_me(data), data.draw(numbers(0.0, 1.0))
        p, before = rule_record(rule, settings), options.copy()
        answers = [rule.python(options, me, draw, p) for _again in range(2)]
        answers.append(apply(options, me, draw, p))
        shown = {"answer": answers[0], "options": len(options), "settings": settings}
        if not 0 <= answers[0] < len(options):
            _fail(rule, _("it returns {answer} for {options} options ({settings})").format(**shown))
        if not np.array_equal(options, before):
            _fail(rule, _("it changes the options it receives ({settings})").format(**shown))
        if answers[0] != answers[1]:
            _fail(rule, _("called twice, its results differ ({settings})").format(**shown))
        if answers[0] != answers[2]:
            text = _("compiled, it returns {compiled}; in plain Python, {answer} ({settings})")
            _fail(rule, text.format(compiled=answers[2], **shown))

    check_cases(keeps, cases)
    _engines_agree(rule, with_extension(busy_scenario(), rule, decision=rule.name))


def check_mechanism(mechanism: Mechanism | str, *, cases: int = 200) -> None:
    """Check the contract of a mechanism.

    The mechanism has a docstring. Its effect on each term is linear, the same when called twice,
    and none at intensity 0: then runs equal those without it, and it costs nothing. A short run of
    the ensemble equals one of the Mesa agents.

    Parameters
    ----------
    mechanism
        A mechanism declared with :func:`kolabsim.mechanism`, or the name of a built-in mechanism or
        supporter.
    cases
        Number of cases that Hypothesis draws.

    Raises
    ------
    ContractError
        If the contract is broken, with the simplest case found.
    """
    if isinstance(mechanism, str):
        _known(mechanism, LEVERS)
        mechanism = ACTING[mechanism]
    _has_docstring(mechanism)
    check_cases(lambda data: _acts_well(mechanism, data), cases)
    scenario = with_extension(busy_scenario(), mechanism)
    without = history_of(scenario, "voluntary")
    kind = "support" if mechanism.name in SUPPORTERS else "mechanisms"
    idle = scenario.with_({f"strategies.tried.{kind}.{mechanism.name}": 0.0})
    if not np.array_equal(history_of(idle, "tried"), without, equal_nan=True):
        _fail(mechanism, _("at intensity 0, runs differ from those without it"))
    full = scenario.with_({f"strategies.tried.{kind}.{mechanism.name}": 1.0})
    _engines_agree(mechanism, full, "tried")


def _acts_well(mechanism: Mechanism, data: DataObject) -> None:
    from hypothesis import strategies as st

    settings = draw_settings(data, mechanism.parameters)
    intensity = data.draw(st.sampled_from([0.0, 1.0]) | numbers(0.0, 1.0), label="intensity")
    p = fill_record(mechanism.parameters, settings)
    for term, effect in mechanism.effects.items():
        least, most = max(TERMS[term].least, -10.0), min(TERMS[term].most, 10.0)
        value = data.draw(numbers(least, most), label=term)
        shown = {"term": term, "value": value, "intensity": intensity, "settings": settings}
        try:
            factors(mechanism, term, intensity, p)
            answers = [effect(value, intensity, p) for _again in range(2)]
        except (InputError, ArithmeticError, ValueError) as error:
            text = _("{problem} (intensity {intensity}, {settings})")
            problem = error.problems[0].message if isinstance(error, InputError) else error
            _fail(mechanism, text.format(problem=problem, **shown))
        if answers[0] != answers[1]:
            text = _("called twice for {term}, its results differ ({settings})")
            _fail(mechanism, text.format(**shown))
        if intensity == 0.0 and not math.isclose(answers[0], value, abs_tol=1e-9):
            text = _("at intensity 0 it changes {term} from {value:g} to {answer:g} ({settings})")
            _fail(mechanism, text.format(answer=answers[0], **shown))
        if not math.isfinite(answers[0]):
            text = _("it changes {term} from {value:g} to {answer} ({settings})")
            _fail(mechanism, text.format(answer=answers[0], **shown))


def check_target(rule: TargetRule | str, *, cases: int = 200) -> None:
    """Check the contract of a targeting rule.

    The rule has a docstring. It gives every region a finite score, the same when called twice and
    when compiled, and changes none of its arguments. A short run of the ensemble, in which all
    supporters use the rule, equals one of the Mesa agents; for a built-in rule, given by name, only
    this is checked.

    Parameters
    ----------
    rule
        A rule declared with :func:`kolabsim.target_rule`, or the name of a built-in one.
    cases
        Number of cases that Hypothesis draws.

    Raises
    ------
    ContractError
        If the contract is broken, with the simplest case found.
    """
    name = rule if isinstance(rule, str) else rule.name
    scenario = busy_scenario()
    if isinstance(rule, str):
        _known(rule, [word for word in TARGETS if word != "list"])
    else:
        _has_docstring(rule)
        check_cases(lambda data: _scores_well(rule, data), cases)
        if not rule.is_built_in:
            scenario = with_extension(scenario, rule)
    helped = {
        f"strategies.tried.support.{supporter}": {"intensity": 0.8, "targets": name, "share": 0.4}
        for supporter in SUPPORTERS
    }
    _engines_agree(rule, scenario.with_(helped), "tried")


def _scores_well(rule: TargetRule, data: DataObject) -> None:
    region, slots = empty_records(1, REGION), empty_records(3, SLOT)
    for records in (region, slots):
        for name in records.dtype.names or ():
            if records.dtype[name].kind == "f":
                records[name] = data.draw(numbers(0.0, 1.0), label=name)
    region["population"] = data.draw(numbers(1.0, 1e9), label="population")
    settings = draw_settings(data, rule.parameters)
    p, before = fill_record(rule.parameters, settings), (region.copy(), slots.copy())
    scores = [rule.python(region[0], slots, p) for _again in range(2)]
    scores.append((rule.python if rule.obstacle else rule.compiled)(region[0], slots, p))
    shown = {"answer": scores[0], "compiled": scores[2], "settings": settings}
    if not all(math.isfinite(score) for score in scores):
        _fail(rule, _("it gives a region the score {answer} ({settings})").format(**shown))
    if scores[0] != scores[1]:
        _fail(rule, _("called twice, its results differ ({settings})").format(**shown))
    if not np.isclose(scores[0], scores[2], rtol=1e-9, atol=1e-12):
        text = _("compiled, it returns {compiled}; in plain Python, {answer} ({settings})")
        _fail(rule, text.format(**shown))
    if not (np.array_equal(region, before[0]) and np.array_equal(slots, before[1])):
        _fail(rule, _("it changes its arguments ({settings})").format(**shown))


def check_measure(measure: CustomMeasure | str, *, cases: int = 100) -> None:
    """Check the contract of a measure.

    The measure has a docstring. At the end of each quarter it is a finite number, or NaN if it is
    undefined; it is the same when taken twice and when compiled, and changes nothing in the state.
    A short run of the ensemble equals one of the Mesa agents. For a built-in measure, given by
    name, only its finiteness and this are checked.

    Parameters
    ----------
    measure
        A measure declared with :func:`kolabsim.measure`, or the name of a built-in one.
    cases
        Number of cases that Hypothesis draws.

    Raises
    ------
    ContractError
        If the contract is broken, with the simplest case found.
    """
    scenario = busy_scenario()
    if isinstance(measure, str):
        _known(measure, list(MEASURES))
        found = history_of(scenario, "team", measures=(measure,))
        if np.isinf(found).any():
            _fail(measure, _("it is infinite"))
    else:
        _has_docstring(measure)
        check_cases(lambda data: _measures_well(measure, data), cases)
        scenario = with_extension(scenario, measure)
    _engines_agree(measure, scenario, "team")


def _measures_well(measure: CustomMeasure, data: DataObject) -> None:
    from hypothesis import strategies as st

    states = _states()
    number = data.draw(st.integers(0, len(states) - 1), label="quarter")
    state = State(*(np.copy(part).view(type(part)) for part in states[number]))
    settings = draw_settings(data, measure.parameters)
    before, p = [part.copy() for part in state], fill_record(measure.parameters, settings)
    values = [float(measure.python(state, p)) for _again in range(2)]
    look = measure.python if measure.obstacle else measure.compiled
    values.append(float(look(state, p)))
    shown = {"answer": values[0], "compiled": values[2], "settings": settings}
    shown["quarter"] = number % QUARTERS
    if any(map(math.isinf, values)):
        text = _("in quarter {quarter} it is {answer}, which is not finite ({settings})")
        _fail(measure, text.format(**shown))
    if not np.array_equal(values[:1], values[1:2], equal_nan=True):
        _fail(measure, _("called twice, its results differ ({settings})").format(**shown))
    if not np.isclose(values[0], values[2], rtol=1e-9, atol=1e-12, equal_nan=True):
        text = _("compiled, it returns {compiled}; in plain Python, {answer} ({settings})")
        _fail(measure, text.format(**shown))
    for name, part, earlier in zip(State._fields, state, before, strict=True):
        if part.tobytes() != earlier.tobytes():
            _fail(measure, _("it changes the state it receives: {part}").format(part=name))


# Both engines -------------------------------------------------------------------------------------


def with_extension(scenario: Scenario, of: Extension, **changes: object) -> Scenario:
    """The scenario with an extension added, unless it is built in, and with other changes."""
    if of.file is not None and not of.is_built_in:
        changes["extensions"] = [of.file]
    return scenario.with_(changes)


def history_of(
    scenario: Scenario, strategy: str, measures: tuple[str, ...] = tuple(MEASURES)
) -> np.ndarray:
    """The history of a run of the ensemble, [quarters, measures]."""
    task = build_task(scenario, scenario.strategies[strategy], seed=1)
    block = run_block(task, np.arange(1), regions=False)
    return block.history[0][:, [block.measures.index(name) for name in measures]]


def _engines_agree(of: Extension | str, scenario: Scenario, strategy: str = "voluntary") -> None:
    model = CollaborationModel(scenario, strategy, seed=1)
    while model.running:
        model.step()
    if isinstance(of, Extension) and of.obstacle:
        return  # the ensemble does not run it
    seen = model.datacollector.get_model_vars_dataframe()[list(scenario.measures)].to_numpy()
    if not np.array_equal(seen, history_of(scenario, strategy, scenario.measures), equal_nan=True):
        _fail(of, _("Mesa agents and the ensemble give different results with it"))


def _known(name: str, allowed: Collection[str]) -> None:
    if name not in allowed:
        text = _("{value} is not known here{suggestion}")
        raise InputError([Problem(text.format(value=name, suggestion=suggestion(name, allowed)))])


def _has_docstring(of: Extension) -> None:
    if not (of.python.__doc__ or "").strip():
        _fail(of, _("it has no docstring"))


def _fail(of: Extension | str, what: str) -> None:
    text = f"{of}: {what}" if isinstance(of, str) else f"{_(of.kind)} {of.name}: {what}"
    raise ContractError(text)
