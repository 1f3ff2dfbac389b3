"""Contracts for authors of extensions: checks of what kolabsim expects of a rule.

Each check takes a declared rule or the name of a built-in one, and the number of cases that
Hypothesis draws. It raises :class:`ContractError` with the simplest case that breaks the contract:
the rule has a docstring, gives the same when called twice and when compiled, changes none of its
arguments, and a short run of the ensemble with it equals one of the Mesa agents. The built-in
rules, mechanisms, targets and measures keep the same contracts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np

from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.engine.mesa_model import CollaborationModel
from kolabsim.errors import InputError, KolabsimError, require, suggestion
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
            found.append(_copy_state(model.state))
    return tuple(found)


def _copy_state(state: State) -> State:
    """The same state in arrays of its own."""
    return State(*(np.copy(part).view(type(part)) for part in state))


def busy_scenario() -> Scenario:
    """A scenario in which regions often share, so that every mechanism has an effect."""
    scenario = Scenario.load("kartamantul")
    # Without the secretariat that is in place there, so that intensity 0 means no team.
    busy = {"attention_base": -1.0, "decision_speed": 1.0}
    changes = {f"parameters.{name}": value for name, value in busy.items()}
    return scenario.with_(changes | {"mechanisms.team": 0.0}, horizon=QUARTERS)


class _Case(NamedTuple):
    """The result of a rule in a case, plain and compiled, with the settings of its parameters."""

    of: Extension
    answer: float
    compiled: float
    settings: dict[str, float]

    def fail(self, text: str, **words: object) -> NoReturn:
        """Report a contract that this case breaks."""
        about = {"answer": self.answer, "compiled": self.compiled, "settings": self.settings}
        _fail(self.of, text.format(**about, **words))

    def check_same(self, again: float) -> None:
        """Check that the result is the same when called twice and when compiled."""
        if not np.array_equal([self.answer], [again], equal_nan=True):
            self.fail(_("called twice, its results differ ({settings})"))
        if not np.isclose(self.answer, self.compiled, rtol=1e-9, atol=1e-12, equal_nan=True):
            self.fail(_("compiled, it returns {compiled}; in plain Python, {answer} ({settings})"))


# Contracts ----------------------------------------------------------------------------------------


def check_rule(rule: DecisionRule, *, cases: int = 200) -> None:
    """Check the contract of a decision rule.

    Besides the contract of all rules, it returns the position of an option for all values of its
    parameters.
    """
    _has_docstring(rule)

    def keeps(data: DataObject) -> None:
        settings = draw_settings(data, rule.parameters)
        options, me, draw = draw_options(data), draw_me(data), data.draw(numbers(0.0, 1.0))
        p, before = rule_record(rule, settings), options.copy()
        answer, again = (rule.python(options, me, draw, p) for _time in range(2))
        case = _Case(rule, answer, rule.fastest(options, me, draw, p), settings)
        if not 0 <= answer < len(options):
            text = _("it returns {answer} for {options} options ({settings})")
            case.fail(text, options=len(options))
        if not np.array_equal(options, before):
            case.fail(_("it changes the options it receives ({settings})"))
        case.check_same(again)

    check_cases(keeps, cases)
    _engines_agree(rule, with_extension(busy_scenario(), rule, decision=rule.name))


def check_mechanism(mechanism: Mechanism | str, *, cases: int = 200) -> None:
    """Check the contract of a mechanism, or of a built-in mechanism or supporter.

    Besides the contract of all rules, its effect on each term is linear, and none at intensity 0:
    then runs equal those without it, and it costs nothing.
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
        case = {"term": term, "value": value, "intensity": intensity, "settings": settings}
        try:
            factors(mechanism, term, intensity, p)
            answer, again = (effect(value, intensity, p) for _time in range(2))
        except (InputError, ArithmeticError, ValueError) as error:
            text = _("{problem} (intensity {intensity}, {settings})")
            problem = error.problems[0].message if isinstance(error, InputError) else error
            _fail(mechanism, text.format(problem=problem, **case))
        text = ""
        if answer != again:
            text = _("called twice for {term}, its results differ ({settings})")
        elif intensity == 0.0 and not math.isclose(answer, value, abs_tol=1e-9):
            text = _("at intensity 0 it changes {term} from {value:g} to {answer:g} ({settings})")
        elif not math.isfinite(answer):
            text = _("it changes {term} from {value:g} to {answer} ({settings})")
        if text:
            _fail(mechanism, text.format(answer=answer, **case))


def check_target(rule: TargetRule | str, *, cases: int = 200) -> None:
    """Check the contract of a targeting rule; of a built-in one, only that both engines agree.

    Besides the contract of all rules, it gives every region a finite score. In the short run all
    supporters use it.
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
    score, again = (rule.python(region[0], slots, p) for _time in range(2))
    case = _Case(rule, score, rule.fastest(region[0], slots, p), settings)
    if not (math.isfinite(score) and math.isfinite(case.compiled)):
        case.fail(_("it gives a region the score {answer} ({settings})"))
    case.check_same(again)
    if not (np.array_equal(region, before[0]) and np.array_equal(slots, before[1])):
        case.fail(_("it changes its arguments ({settings})"))


def check_measure(measure: CustomMeasure | str, *, cases: int = 100) -> None:
    """Check the contract of a measure; of a built-in one, that it is finite and both engines agree.

    Besides the contract of all rules, it is a finite number at the end of each quarter, or NaN if
    it is undefined.
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
    state = _copy_state(states[number])
    settings = draw_settings(data, measure.parameters)
    before, p = [part.copy() for part in state], fill_record(measure.parameters, settings)
    value, again = (float(measure.python(state, p)) for _time in range(2))
    case = _Case(measure, value, float(measure.fastest(state, p)), settings)
    if math.isinf(value) or math.isinf(case.compiled):
        text = _("in quarter {quarter} it is {answer}, which is not finite ({settings})")
        case.fail(text, quarter=number % QUARTERS)
    case.check_same(again)
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
        raise InputError.of(text, value=name, suggestion=suggestion(name, allowed))


def _has_docstring(of: Extension) -> None:
    if not (of.python.__doc__ or "").strip():
        _fail(of, _("it has no docstring"))


def _fail(of: Extension | str, what: str) -> NoReturn:
    text = f"{of}: {what}" if isinstance(of, str) else f"{_(of.kind)} {of.name}: {what}"
    raise ContractError(text)
