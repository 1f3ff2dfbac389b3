"""The built-in decision rules, by which a region chooses between the status quo and unions.

A rule takes the options (the first is the status quo), the deciding region, a random draw, and its
parameters; it returns the position of the chosen option, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, log

import numpy as np

from kolabsim.model.declare import RULES, DecisionRule, decision_rule, fill_record
from kolabsim.model.jit import device
from kolabsim.model.laws import logistic
from kolabsim.model.parameters import Parameter


@decision_rule()
def best_response(options, me, draw, p):
    """Take the option with the highest net benefit, if it is better than the status quo."""
    best = 0
    for k in range(1, len(options)):
        if options[k].gain > options[best].gain:
            best = k
    return best


@decision_rule(
    temperature=Parameter(
        0.02, 0.005, 0.08, least=1e-6, symbol=r"\tau_l", unit="share of stand-alone cost",
        meaning="net benefit that makes an option 2.7 times as likely",
    )
)  # fmt: skip
def logit(options, me, draw, p):
    """Take better options more often (logit choice): add a Gumbel draw to each gain."""
    best, highest = 0, -inf
    for k in range(len(options)):
        worth = options[k].gain / p.temperature - log(-log(options[k].draw))
        if worth > highest:
            best, highest = k, worth
    return best


@decision_rule(
    threshold=Parameter(
        0.05, 0.0, 0.15, least=-1.0, symbol=r"\pi", unit="share of stand-alone cost",
        meaning="net benefit that is good enough",
    )
)  # fmt: skip
def satisficing(options, me, draw, p):
    """Take the first option that is good enough, in random order."""
    best, first = 0, 2.0
    for k in range(1, len(options)):
        if options[k].gain > p.threshold and options[k].draw < first:
            best, first = k, options[k].draw
    return best


@decision_rule(
    intensity=Parameter(
        20.0, 5.0, 80.0, symbol=r"\beta", unit="1/share of stand-alone cost",
        meaning="how strongly a region follows contacts that do better",
    )
)  # fmt: skip
def imitation(options, me, draw, p):
    """Follow a contact drawn at random; the better it does, the more likely.

    A Fermi rule [traulsen_2006].
    """
    model, first = 0, 2.0
    for k in range(1, len(options)):
        if options[k].draw < first:
            model, first = k, options[k].draw
    follow = logistic(p.intensity * (options[model].success - me.success))
    return model if draw < follow else 0


BUILT_IN = tuple(RULES)
"""Names of the built-in rules, in the order of their numbers."""


def rule_record(rule: DecisionRule, settings: Mapping[str, float]) -> np.record:
    """The record of a rule's parameters, as its compiled function takes them.

    All built-in rules share one type of record, so that one loop serves them all.
    """
    shared = {n: q for name in BUILT_IN for n, q in RULES[name].parameters.items()}
    return fill_record(shared if rule.name in BUILT_IN else rule.parameters, settings)


_BEST_RESPONSE, _LOGIT, _SATISFICING, _IMITATION = (RULES[name].compiled for name in BUILT_IN)


@device
def built_in(number, options, me, draw, p):
    """Apply a built-in rule by its number, so that the compiled model can be kept on disk."""
    if number == 1:
        return _LOGIT(options, me, draw, p)
    if number == 2:
        return _SATISFICING(options, me, draw, p)
    if number == 3:
        return _IMITATION(options, me, draw, p)
    return _BEST_RESPONSE(options, me, draw, p)
