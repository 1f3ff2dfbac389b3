"""Contracts for authors of extensions: what kolabsim expects of a rule, tried out."""

from __future__ import annotations

from itertools import product

import numpy as np

from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.engine.mesa_model import CollaborationModel
from kolabsim.errors import KolabsimError
from kolabsim.language import _
from kolabsim.model.extension import DecisionRule
from kolabsim.model.measures import MEASURES
from kolabsim.model.rules import parameters_of
from kolabsim.model.state import OPTION, Me, empty_records
from kolabsim.world.scenario import Scenario


class ContractError(KolabsimError):
    """A rule that does not keep its contract, with a case that shows it."""


def random_options(luck: np.random.Generator) -> np.recarray:
    """Options such as a rule may see: to keep things as they are, and up to seven unions."""
    options = empty_records(int(luck.integers(2, 9)), OPTION)
    for name in ("gain", "success"):
        options[name] = luck.normal(0.0, 0.1, len(options))
    for name in ("trust", "luck"):
        options[name] = luck.random(len(options))
    options["members"] = luck.integers(2, 17, len(options))
    options["people"] = np.exp(luck.normal(11.0, 1.0, len(options)))
    options["culture"] = luck.gamma(2.0, 0.5, len(options))
    options["contact"] = np.arange(-1, len(options) - 1)
    options["gain"][0], options["trust"][0], options["culture"][0] = 0.0, 1.0, 0.0
    return options


def random_me(luck: np.random.Generator) -> Me:
    """A region such as decides."""
    me = Me(*luck.random(len(Me._fields)).tolist())
    return me._replace(success=float(luck.normal(0.0, 0.1)), in_body=float(luck.integers(2)))


def check_rule(rule: DecisionRule, *, cases: int = 200, seed: int = 0) -> None:
    """See that a decision rule keeps its contract; raise :class:`ContractError` if not.

    It has a docstring; it answers with the place of an option, for every corner of its parameters;
    asked twice it answers the same, and changes nothing that it sees; compiled (if it can be) it
    answers as in plain Python; and a short ensemble under it equals a run of Mesa agents.
    """
    if not (rule.python.__doc__ or "").strip():
        _fail(rule, _("it has no docstring that says what it does"))
    corners = [
        dict(zip(rule.parameters, values, strict=True))
        for values in product(*((q.low, q.default, q.high) for q in rule.parameters.values()))
    ]
    luck = np.random.default_rng(seed)
    for case in range(cases):
        settings = corners[case % len(corners)]
        options, me, draw = random_options(luck), random_me(luck), float(luck.random())
        p, before = parameters_of(rule, settings), options.copy()
        answers = [rule.python(options, me, draw, p) for _again in range(2)]
        answers.append((rule.python if rule.obstacle else rule.compiled)(options, me, draw, p))
        shown = {"answer": answers[0], "options": len(options), "settings": settings}
        if not 0 <= answers[0] < len(options):
            _fail(rule, _("it answers {answer} to {options} options ({settings})").format(**shown))
        if not np.array_equal(options, before):
            _fail(rule, _("it changes the options that it sees ({settings})").format(**shown))
        if answers[0] != answers[1]:
            _fail(rule, _("asked twice, it answers differently ({settings})").format(**shown))
        if answers[0] != answers[2]:
            text = _("compiled it answers {compiled}, in plain Python {answer} ({settings})")
            _fail(rule, text.format(compiled=answers[2], **shown))
    check_engines(rule)


def check_engines(rule: DecisionRule) -> None:
    """See that Mesa agents and the ensemble agree to the last bit under a rule."""
    scenario = Scenario.load("kartamantul").with_(horizon=8)
    if rule.file is not None:
        scenario = scenario.with_(extensions=[rule.file], decision=rule.name)
    else:
        scenario = scenario.with_(decision=rule.name)
    model = CollaborationModel(scenario, seed=1)
    while model.running:
        model.step()
    seen = model.datacollector.get_model_vars_dataframe()[list(MEASURES)].to_numpy()
    task = build_task(scenario, model.strategy, seed=1)
    if not np.array_equal(seen, run_block(task, np.arange(1)).history[0], equal_nan=True):
        _fail(rule, _("Mesa agents and the ensemble do not agree under it"))


def _fail(rule: DecisionRule, what: str) -> None:
    text = _("decision rule {rule}: {what}").format(rule=rule.name, what=what)
    raise ContractError(text)
