"""Each equation against numbers worked out by hand, at its corners, and in its direction."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kolabsim.model import laws
from kolabsim.model.levers import (
    BOARD,
    CONSENTS,
    CONTRACT,
    LEAD,
    LEVERS,
    SHARES,
    UNIT_COSTS,
)
from kolabsim.model.mechanisms import BUILT_IN
from kolabsim.model.parameters import PARAMETERS, parameter_record

SETTING = {
    "culture_spread": 1, "culture_between": 0.3, "capacity_spread": 0.08, "trust_start": 0.5,
    "trust_culture": 0.1, "past_trust": 0.92, "transition_cost": 0.04, "startup_cost": 0.24,
    "horizon_years": 13, "pooling": 0.23, "quality_value": 0.65, "autonomy_cost": 0.021,
    "interest_fit": 0.02, "scope": 0.5, "information_cost": 0.025, "culture_cost": 0.012,
    "practice_cost": 0.047, "negotiation_cost": 0.013, "interest_weight": 0.5,
    "enforcement_cost": 0.016, "contract_difficulty": 12, "overhead_cost": 0.011,
    "attention_base": -3.3, "attention_cost": 2.4, "notice": 0.59, "misperception": 0.05,
    "foreseen": 0.7, "decision_speed": 0.32, "decision_trust": 1.5, "decision_commitment": 1,
    "honour_base": 3.2, "exit_base": 1.05, "exit_trust": 2.6, "learning": 0.2,
    "grant_strength": 0.5, "lever_price": 0.006,
} | {f"{lever}_strength": 0.3 for lever in LEVERS if lever != "government"}  # fmt: skip
"""Round numbers to reckon with, whatever the defaults are."""
P = parameter_record(SETTING)
"""The same as the engine reads it: rates are shares a quarter."""

SHARE = st.floats(0, 1)
SIZE = st.floats(1, 1e9)
DISTANCE = st.floats(0, 20)


def close(value: float) -> object:
    return pytest.approx(value, abs=1e-7, rel=1e-7)


def unit_cost(people, scale, below, above, curve="log_quadratic") -> float:
    return laws.unit_cost(people, scale, below, above, UNIT_COSTS.index(curve))


# By hand ------------------------------------------------------------------------------------------


def test_e1_unit_cost() -> None:
    # N = 20,000 at N* = 60,000: ln(1/3) = -1.0986123, squared 1.2069490; exp(.5 x .19 x 1.2069490)
    assert unit_cost(20_000, 60_000, 0.19, 0.02) == close(1.1214922)
    # N = 240,000: ln 4 = 1.3862944, squared 1.9218121; exp(.5 x .02 x 1.9218121)
    assert unit_cost(240_000, 60_000, 0.19, 0.02) == close(1.0194040)
    assert unit_cost(60_000, 60_000, 0.19, 0.02) == 1


def test_e1_other_curves() -> None:
    # The power of scale: ln 6 = 1.7917595; exp(.5 x .19 x 1.7917595 x 1.0986123) = exp(.1870027).
    assert unit_cost(20_000, 60_000, 0.19, 0.02, "power") == close(1.2056305)
    # A fixed cost: at a sixth exp(.5 x .19 x 3.2104020) = 1.3566090, so F/N* = .3566090 / 4.6433910
    # = .0767993; at a third (1 + 3 x .0767993) / 1.0767993.
    assert unit_cost(20_000, 60_000, 0.19, 0.02, "hyperbola") == close(1.1426436)
    for curve in UNIT_COSTS:
        assert unit_cost(10_000, 60_000, 0.19, 0.02, curve) == close(1.3566090)
        assert unit_cost(60_000, 60_000, 0.19, 0.02, curve) == 1
        assert unit_cost(240_000, 60_000, 0.19, 0.02, curve) == close(1.0194040)


def test_e1_the_first_state() -> None:
    # sqrt(.3) x .5 - sqrt(.7) x 1.2 = .2738613 - 1.0039920
    assert laws.initial_culture(0.5, -1.2, P) == close(-0.7301307)
    assert laws.given_culture(1.5, parameter_record({"culture_spread": 0.4})) == close(0.6)
    # .6 + .04 ln(260,000 / 26,000) + .08 x .5 = .6 + .04 x 2.3025851 + .04
    assert laws.initial_capacity(260_000, 0.5, P) == close(0.7321034)
    assert laws.initial_capacity(26_000, 0.0, P) == close(0.6)
    assert laws.initial_capacity(1, -9.0, P) == 0
    # .5 - .1 (1.4 - 1) + .08 x 1.5
    assert laws.initial_trust(1.4, 1.5, P) == close(0.58)
    assert laws.initial_trust(0.0, 9.0, P) == 1
    # Six years are 63% of the way from .5 to .92: .5 + .42 (1 - exp(-1))
    assert laws.settled_trust(0.5, 6.0, P) == close(0.7654906)
    assert laws.settled_trust(0.95, 6.0, P) == 0.95  # who trusts more goes on doing so
    # A fifth a year of what is left: 1 - .8^3
    assert laws.settled_practice(3.0, P) == close(0.488)
    assert laws.settled_practice(-1.0, P) == 0


def test_e2_distances() -> None:
    culture = laws.culture_reference(3.0)
    assert culture == 6
    # Scores (1, 0, 0) and (-1, 0, 0): (1 - -1)^2 over 6. Squares 2, sum 0.
    assert laws.distance(2.0, 2.0, 0.0, culture) == close(4 / 6)
    # And a third at (0, 2, 0): pairs 4, 5, 5, mean 14/3. Squares 6, squared sum 4.
    assert laws.distance(3.0, 6.0, 4.0, culture) == close(14 / 18)
    # From the third, which provides: squares of it 4, product with the sum (0, 2, 0) 4: both at 5.
    assert laws.distance_from(3.0, 6.0, 4.0, 4.0, culture) == close(5 / 6)
    # From the first, at (1, 0, 0): product with the sum 0: 4 and 5.
    assert laws.distance_from(3.0, 6.0, 1.0, 0.0, culture) == close(4.5 / 6)
    assert laws.practice_reference() == 2
    # Practices .5, -1 and 2: pairs 2.25, 2.25 and 9, mean 4.5. Squares 5.25, squared sum 2.25.
    assert laws.distance(3.0, 5.25, 2.25, 2.0) == close(4.5 / 2)


def test_e2_interests() -> None:
    # Four areas: 2 (1 - 1/4) / (2 x 4 + 1) = 1.5 / 9
    assert laws.interest_reference(4.0) == close(1.5 / 9)
    # All of one and all of another: squared distance 2, over 1.5/9.
    assert laws.distance(2.0, 2.0, 2.0, laws.interest_reference(4.0)) == close(12)
    # One area leaves nothing to differ in.
    assert laws.interest_reference(1.0) == 0
    assert laws.distance(2.0, 2.0, 4.0, 0.0) == 0
    assert laws.distance_from(2.0, 2.0, 1.0, 2.0, 0.0) == 0


def test_e3_information_and_practice() -> None:
    # (.025 + .012 x 2) (1 - .3 x .6) (1 - .3 x .4) = .049 x .82 x .88
    assert laws.information_cost(2.0, 0.6, 0.4, P) == close(0.0353584)
    assert laws.information_cost(0.0, 0.0, 0.0, P) == close(0.025)
    # .047 x 1.5 x (1 - .3 x .4)
    assert laws.practice_cost(1.5, 0.4, P) == close(0.06204)
    assert laws.practice_cost(0.0, 0.4, P) == 0


def test_e3_negotiation() -> None:
    # Five under a contract, team .5: the exponent is 1.2 - .15 (1.2 - .6) = 1.11
    steering = laws.steering(0.5, P)
    assert steering == close(0.15)
    # .013 (1 + .5 x 1.4) 4^1.11 (1 - .3 x .2) (1 - .3 x .5) (1 - .3 x .3)
    by_hand = 0.013 * 1.7 * 4**1.11 * 0.94 * 0.85 * 0.91
    assert laws.negotiation_cost(1.4, 5.0, 1.2, steering, 0.2, 0.5, 0.3, P) == close(by_hand)
    # A lead's exponent is at the bottom already.
    lead = laws.negotiation_cost(0.0, 5.0, 0.6, 1.0, 0.0, 1.0, 0.0, P)
    assert lead == close(0.013 * 4**0.6 * 0.7)
    assert laws.negotiation_cost(0.0, 2.0, 1.2, 0.0, 0.0, 0.0, 0.0, P) == close(0.013)
    assert laws.negotiation_cost(0.0, 1.0, 1.2, 0.0, 0.0, 0.0, 0.0, P) == close(0.013)
    assert [laws.partner_exponent(form) for form in (CONTRACT, BOARD, LEAD)] == [1.2, 1.0, 0.6]
    # Of partners of whom two thirds are partners elsewhere: .02 (1 - .5 x 2/3)
    assert laws.scoped(0.02, 2 / 3, P) == close(0.04 / 3)
    # Efficient scale asks for 500,000 / 80,000 = 6.25 members.
    assert laws.expected_members(500_000, 80_000, 16.0) == close(6.25)
    assert laws.expected_members(500_000, 80_000, 4.0) == 4
    assert laws.expected_members(100_000, 80_000, 16.0) == 2


def test_e3_enforcement_and_overhead() -> None:
    # .016 (1 - .6) (1 + .9) (1 - .3 x .5) = .0064 x 1.9 x .85
    assert laws.enforcement_cost(0.6, 0.9, BOARD, 0.5, P) == close(0.010336)
    assert laws.enforcement_cost(0.6, 0.9, LEAD, 0.5, P) == close(0.010336)
    # Under a contract 1 + 12 x .9 = 11.8: .0064 x 11.8 x .85
    assert laws.enforcement_cost(0.6, 0.9, CONTRACT, 0.5, P) == close(0.064192)
    assert laws.enforcement_cost(0.6, 0.0, CONTRACT, 0.0, P) == close(0.0064)
    assert [laws.overhead_cost(form, P) for form in (CONTRACT, BOARD, LEAD)] == [0, 0.011, 0.011]


def test_e3_what_founders_foresee() -> None:
    # Of the .3 they would miss, a system .5 and a plan 1 leave .3 x .85 x .7 = .1785.
    assert laws.unforeseen(0.0, 0.0, P) == close(0.3)
    assert laws.unforeseen(0.5, 1.0, P) == close(0.1785)
    assert laws.foresight(0.1785) == close(0.8215)


def test_e4_joint_cost() -> None:
    # .04 exp(-1.5/1.5) = .04 x .3678794
    assert laws.transition(1.5, P) == close(0.0147152)
    # The mean over 13 years: .04 (1.5/13) (1 - exp(-13/1.5)) = .04 x .1153647
    assert laws.mean_transition(P) == close(0.0046146)
    ages = np.linspace(0, 13, 401)
    mean = np.trapezoid([laws.transition(age, P) for age in ages], ages) / 13
    assert laws.mean_transition(P) == pytest.approx(mean, rel=1e-3)
    # 100,000 x 1.1 (1 + .05 + .06 + .02)
    assert laws.joint_cost(100_000, 1.1, 0.05, 0.06, 0.02) == close(124_300)
    assert laws.haul_cost(0.3, 25.0) == close(0.15)


def test_e4_startup_and_who_pays_it() -> None:
    # .24 (1 + .4) x 1000
    assert laws.startup(0.4, 1000.0, P) == close(336)
    # Grants pay half at full intensity, business .3; together at most all.
    assert laws.aided(0.6, 0.0, P) == close(0.3)
    assert laws.aided(1.0, 0.5, P) == close(0.65)
    rich = parameter_record({"grant_strength": 0.8, "business_strength": 0.4})
    assert laws.aided(1.0, 1.0, rich) == 1
    # Of 336, grants of .5 pay 168 and business .3 x .5 pays 50.4; 117.6 is the region's own.
    assert laws.granted(336, 1.0, 0.5, P) == close(168)
    assert laws.cofinanced(336, 1.0, 0.5, P) == close(50.4)
    assert laws.entry_cost(0.4, 1000.0, 0.65, P) == close(117.6 / 13)
    # Where both offer more than all, they share it: 336 x .8/1.2 and 336 x .4/1.2.
    assert laws.granted(336, 1.0, 1.0, rich) == close(224)
    assert laws.cofinanced(336, 1.0, 1.0, rich) == close(112)
    # The weight in a sum over those who enter: 1.4 x .9 x .35
    assert laws.entry_weight(0.4, 0.9, 0.65) == close(0.441)


def test_e4_radius() -> None:
    # Two places on the equator 90 degrees apart, as many people in both: the centroid is half
    # of (1, 1, 0), both places lie sqrt(1/2) of an earth's radius from it.
    assert laws.radius(2.0, 1.0, 1.0, 0.0, 6371.0) == close(6371 * math.sqrt(0.5))
    assert laws.radius(5.0, 5.0, 0.0, 0.0, 6371.0) == 0
    # Three quarters of the people in one of two places d apart: d sqrt(3/16).
    d = 0.01
    x, y = 3 + math.cos(d), math.sin(d)
    assert laws.radius(4.0, x, y, 0.0, 6371.0) == pytest.approx(6371 * d * math.sqrt(3) / 4, 1e-4)


def test_e5_quality() -> None:
    # .23, then .3 x .4 of what is left: .23 + .77 x .12 = .3224; then .3 x .6: .3224 + .6776 x .18
    pooling = laws.pooling(0.4, 0.6, P)
    assert pooling == close(0.444368)
    # .444368 of the way from .5 to .8
    assert laws.pooled_capacity(0.5, 0.8, pooling) == close(0.6333104)
    # .02 x 25/50 (1 - .3 x .5)
    assert laws.remoteness(25.0, 0.5, P) == close(0.0085)
    assert laws.remoteness(1e9, 0.0, P) == 1
    # .6333104 (1 - .15 x .25) (1 - .02) (1 - .0085)
    assert laws.joint_quality(0.6333104, 0.25, 0.02, 0.0085) == close(0.5922924)
    assert laws.joint_quality(0.68, 0.0, 1.7, 0.0) == 0
    # 1.44^-.5 = 1/1.2; less demand than normal is no gain
    assert laws.strained(1.44) == close(0.8333333)
    assert laws.strained(0.5) == 1


def test_e6_net_benefit() -> None:
    # .021 x .5 (1 - .25)
    assert laws.autonomy_loss(0.5, 0.25, P) == close(0.007875)
    # .02 (5 (.35 - .2))^2 = .02 x .5625, and with a plan .7 of it
    assert laws.fit_loss(0.35, 0.2, 5.0, P) == close(0.01125)
    assert laws.planned_fit(0.01125, 1.0, P) == close(0.007875)
    # Wishes .35, .2 and .05 for a service made for .2: twice that. Squares .165, sum .6.
    assert laws.fit_loss_of_all(0.165, 0.6, 3.0, 0.2, 5.0, P) == close(0.0225)
    # 1 - .9 + .65 x .04 - .0075 - .01
    assert laws.net_benefit(0.9, 0.04, 0.0075, 0.01, P) == close(0.1085)
    assert laws.quality_worth(0.04, P) == close(0.026)


def test_e6_the_change_for_all() -> None:
    # Three members: 3 - 2.6 + .02 + .65 x .09 - .021 x 1.2 - .03 = .4233; start-up .24 x 1.1 x .9
    # = .2376, over 13 years; judged before .1
    found = laws.union_change(3.0, 2.6, 0.02, 0.09, 1.2, 0.03, 1.1, 0.9, 0.1, P)
    assert found == close(0.4233 - 0.2376 / 13 - 0.1)
    # Own change .02 of .08 in all, two others: .02 + .25 (.06/2)
    assert laws.with_goodwill(0.02, 0.08, 2.0, 0.25) == close(0.0275)
    assert laws.mandated_goodwill(0.25, False) == 0.25
    assert laws.mandated_goodwill(0.25, True) == close(0.175)


def test_e7_attention_and_noticing() -> None:
    # -3.3 + 2.4 (1.2 - 1) + .3 + 1.5 x .5 = -1.77; 1 / (1 + exp(1.77))
    odds = laws.attention_odds(1.2, 0.3, 0.5, P)
    assert odds == close(-1.77)
    assert laws.logistic(odds) == close(0.1455423)
    # Divided by 1 - .5 x .8 and by 1 - .3 x .5
    assert laws.attention(odds, 0.8, 0.5, P) == close(0.1455423 / 0.6 / 0.85)
    # A land neighbour 10 km off, contacts 20 km off on average: exp(-10/30) x 3
    assert laws.nearness(10.0, 20.0, 1.0) == close(2.1495939)
    assert laws.nearness(10.0, 20.0, 0.0) == close(0.7165313)
    # .59 x .8 (.5 + .6) = .5192, and .3 x .4 of the rest: .5192 + .4808 x .12
    assert laws.noticing(0.8, 0.6, 0.4, 0.0, P) == close(0.576896)
    assert laws.noticing(0.4, 0.6, 0.0, 1.0, P) == close(0.5192)  # the same tier: twice as near
    assert laws.noticing(2.0, 0.6, 0.3, 1.0, P) == 1
    # .05 (1 - .3 x .5) (1 - .3 x .4)
    assert laws.misperception(0.5, 0.4, P) == close(0.0374)


def test_e9_decisions() -> None:
    # 1.5 (.7 - .5) + (.6 - .5) - .25 (1.2 + .8) + .5 = .4; .32 exp(.4) = .4773839
    alike = (0.7, 0.6, 1.2, 0.8, 1.0)
    rate = laws.decision_rate(*alike, 2.0, BOARD, 0.0, 0.0, 0.0, P)
    assert rate == close(0.4773839)
    # Four members of a board: over 3^.4 = 1.5518456; of the other forms not.
    assert laws.decision_rate(*alike, 4.0, BOARD, 0.0, 0.0, 0.0, P) == close(0.4773839 / 1.5518456)
    for form in (CONTRACT, LEAD):
        assert laws.decision_rate(*alike, 4.0, form, 0.0, 0.0, 0.0, P) == close(0.4773839)
    # Planning .5, a team 1, mediation .2: over .85 x .7 x .94
    helped = laws.decision_rate(*alike, 2.0, LEAD, 0.5, 1.0, 0.2, P)
    assert helped == close(0.4773839 / 0.5593)
    # At the reference of all, h0; 1 - exp(-.32); 3 months over .32
    assert laws.decision_rate(0.5, 0.5, 0, 0, 0, 2.0, BOARD, 0, 0, 0, P) == close(0.32)
    assert laws.conclusion(0.32) == close(0.2738510)
    assert laws.matter_time(0.32) == close(9.375)


def test_e9_consent() -> None:
    majority, three_quarters, unanimity = (CONSENTS.index(name) for name in CONSENTS[:3])
    assert laws.consents(51, 100, majority)
    assert not laws.consents(50, 100, majority)
    assert laws.consents(75, 100, three_quarters)
    assert not laws.consents(74, 100, three_quarters)
    assert laws.consents(100, 100, unanimity)
    assert not laws.consents(99, 100, unanimity)


def test_e10_conduct() -> None:
    # .4, then .3 x .5 and .3 x .2 of what is left: .4 + .6 x .15 = .49; .49 + .51 x .06
    assert laws.observed(0.5, 0.2, P) == close(0.5206)
    assert laws.observed(0.0, 0.0, P) == close(0.4)
    # temptation .1 (1 - .25) (1 - .4) = .045; 3.2 + 3 (.35 - .25) + 2 (.7 - .5) + 2 (.4 - .5)
    # - .2 - .045/.05 = 2.6
    odds = laws.conduct_odds(0.35, 0.7, 0.4, 0.2, 0.25, 0.4, P)
    assert odds == close(2.6)
    # 1 / (1 + exp(-2.6)) = .9308616, and .3 x .5 of the rest
    assert laws.conduct(odds, 0.5, P) == close(0.9412323)
    # Who breaks a promise unseen keeps back a tenth.
    assert [laws.kept_back(k, s) for k in (0, 1) for s in (0, 1)] == [close(0.1), 0, 0, 0]


def test_e11_leaving() -> None:
    # .7 (.0675/.045 - 1) + 2.6 (.5 - .44)/.15 - 2 (.6 - .5) = .35 + 1.04 - .2 = 1.19;
    # 1.05 exp(1.19) / 4 = .8628588
    assert laws.leaving(0.0675, 0.44, 0.6, P) == close(1 - math.exp(-0.8628588))
    assert laws.leaving(0.045, 0.5, 0.5, P) == close(1 - math.exp(-0.2625))


def test_e12_learning() -> None:
    assert laws.closer(0.6, 1.0, 0.25) == close(0.7)
    assert laws.closer(0.6, 0.0, 0.25) == close(0.45)
    # .2 a year, four quarters long: .2 of the way.
    value = 0.5
    for _quarter in range(4):
        value = laws.closer(value, 0.0, P.learning)
    assert value == close(0.4)
    # One and a half times as fast, a year: 1 - .8^1.5
    for _quarter in range(4):
        value = laws.closer(value, 0.0, laws.faster(P.learning, 1.5))
    assert value == close(0.4 * 0.8**1.5)
    # A forum .5, a team 1, mediation .2 build .3 times their sum of what learning takes.
    assert laws.trust_built(0.5, 1.0, 0.2, P) == close(P.learning * 0.3 * 1.7)
    assert laws.reach(0.4, 0.3) == close(0.7)
    assert laws.reach(0.8, 0.3) == 0.8  # damage takes no trust away by itself
    # Results as expected: logistic(.405) = .5998884; .05 better: logistic(1.405)
    assert laws.commitment_goal(0.1, 0.1) == close(0.5998884)
    assert laws.commitment_goal(0.15, 0.1) == close(0.8029761)
    # Half of its joint cost under a mandate: .6 (1 - .3 x .5)
    assert laws.bound_goal(0.6, 50.0, 100.0) == close(0.51)


def test_e14_effects() -> None:
    assert laws.effect(0.4, 1.5, 0.1, 0.0, 1.0) == close(0.7)
    assert laws.effect(0.4, 3.0, 0.1, 0.0, 1.0) == 1
    assert laws.effect(0.4, 1.0, -0.5, 0.0, 1.0) == 0


def test_ties_and_their_trust() -> None:
    # Five members: a board has ten pairs, a contract four, each with two ways of trust.
    assert laws.ties(5.0, BOARD) == laws.ties(5.0, LEAD) == 10
    assert laws.ties(5.0, CONTRACT) == 4
    assert laws.ties(2.0, CONTRACT) == laws.ties(2.0, BOARD) == 1
    assert laws.mean_trust(4.8, 4.0) == close(0.6)


def test_rules_of_sharing() -> None:
    # 20,000 people, unit cost 1.2, stress .4
    weights = {"population": 20_000, "equal": 1, "ability": 12_000, "benefit": 24_000}
    for name, weight in weights.items():
        assert laws.sharing_weight(SHARES.index(name), 20_000, 1.2, 0.4) == close(weight)
    assert laws.sharing_weight(SHARES.index("ability"), 20_000, 1.2, 1.0) > 0


def test_rates_are_a_year_and_hazards_too() -> None:
    defaults = parameter_record()
    for name, entry in PARAMETERS.items():
        value = getattr(defaults, name)
        if entry.rate:
            assert 1 - (1 - value) ** 4 == close(entry.default), name
        else:
            assert value == entry.default


# Directions ---------------------------------------------------------------------------------------


def decide(
    trust=0.5, commitment=0.5, culture=1.0, interests=1.0, partners=0.0, members=4.0, form=BOARD,
    planning=0.3, team=0.3, mediation=0.3,
):  # fmt: skip
    return laws.decision_rate(
        trust, commitment, culture, interests, partners, members, form, planning, team, mediation, P
    )


def agree(interests=1.0, members=4.0, form=1.0, steering=0.3, planning=0.3, team=0.3, ngo=0.3):
    return laws.negotiation_cost(interests, members, form, steering, planning, team, ngo, P)


LESS = {
    "forum, information": lambda x: laws.information_cost(1.5, x, 0.3, P),
    "system, information": lambda x: laws.information_cost(1.5, 0.3, x, P),
    "system, practice": lambda x: laws.practice_cost(1.5, x, P),
    "system, unforeseen": lambda x: laws.unforeseen(x, 0.3, P),
    "planning, unforeseen": lambda x: laws.unforeseen(0.3, x, P),
    "planning, fit": lambda x: laws.planned_fit(0.1, x, P),
    "planning, negotiation": lambda x: agree(planning=x),
    "team, negotiation": lambda x: agree(team=x),
    "team, steering, negotiation": lambda x: agree(steering=laws.steering(x, P)),
    "steering, negotiation": lambda x: agree(steering=x),
    "mediation, negotiation": lambda x: agree(ngo=x),
    "partners elsewhere, negotiation": lambda x: laws.scoped(0.02, x, P),
    "monitoring, enforcement": lambda x: laws.enforcement_cost(0.5, 0.5, CONTRACT, x, P),
    "trust, enforcement": lambda x: laws.enforcement_cost(x, 0.5, BOARD, 0.3, P),
    "forum, misperception": lambda x: laws.misperception(x, 0.3, P),
    "planning, misperception": lambda x: laws.misperception(0.3, x, P),
    "culture, decisions": lambda x: decide(culture=4 * x),
    "interests, decisions": lambda x: decide(interests=4 * x),
    "members, decisions of boards": lambda x: decide(members=2 + 14 * x),
    "speed, matters": lambda x: laws.matter_time(0.1 + x),
    "age, transition": lambda x: laws.transition(10 * x, P),
    "trust, leaving": lambda x: laws.leaving(0.03, x, 0.5, P),
    "commitment, leaving": lambda x: laws.leaving(0.03, 0.5, x, P),
    "stress, conduct": lambda x: laws.conduct_odds(0.3, 0.5, 0.5, x, 0.3, 0.5, P),
    "voice, remoteness": lambda x: laws.remoteness(25.0, x, P),
    "shortfall, quality": lambda x: laws.joint_quality(0.6, x, 0.02, 0.01),
    "distance, quality": lambda x: laws.joint_quality(0.6, 0.1, 0.02, x),
    "part, autonomy lost": lambda x: laws.autonomy_loss(0.5, x, P),
    "demand, quality": lambda x: laws.strained(1 + x),
    "distance, trust": lambda x: laws.initial_trust(4 * x, 0.3, P),
}
MORE = {
    "culture, information": lambda x: laws.information_cost(4 * x, 0.3, 0.3, P),
    "practice, its cost": lambda x: laws.practice_cost(4 * x, 0.3, P),
    "interests, negotiation": lambda x: agree(interests=4 * x),
    "interests, fit": lambda x: laws.fit_loss(0.2 + 0.8 * x, 0.2, 5.0, P),
    "partners, negotiation": lambda x: agree(members=2 + 14 * x),
    "form, negotiation": lambda x: agree(form=0.6 + x),
    "difficulty, enforcement": lambda x: laws.enforcement_cost(0.5, x, BOARD, 0.3, P),
    "difficulty, contracts": lambda x: laws.enforcement_cost(0.5, x, CONTRACT, 0.3, P),
    "distance, haul": lambda x: laws.haul_cost(0.3, 100 * x),
    "distance, remoteness": lambda x: laws.remoteness(100 * x, 0.3, P),
    "stress, start-up": lambda x: laws.startup(x, 100.0, P),
    "grant, aid": lambda x: laws.aided(x, 0.3, P),
    "co-finance, aid": lambda x: laws.aided(0.3, x, P),
    "forum, pooling": lambda x: laws.pooling(x, 0.3, P),
    "business, pooling": lambda x: laws.pooling(0.3, x, P),
    "pooling, capacity": lambda x: laws.pooled_capacity(0.5, 0.8, x),
    "unit cost, attention": lambda x: laws.attention_odds(1 + x, 0.3, 0.3, P),
    "stress, attention": lambda x: laws.attention_odds(1.1, x, 0.3, P),
    "peers, attention": lambda x: laws.attention_odds(1.1, 0.3, x, P),
    "grant, attention": lambda x: laws.attention(-2.0, x, 0.3, P),
    "forum, attention": lambda x: laws.attention(-2.0, 0.3, x, P),
    "nearness, noticing": lambda x: laws.noticing(x, 0.5, 0.3, 0.0, P),
    "trust, noticing": lambda x: laws.noticing(0.6, x, 0.3, 0.0, P),
    "forum, noticing": lambda x: laws.noticing(0.6, 0.5, x, 0.0, P),
    "trust, decisions": lambda x: decide(trust=x),
    "commitment, decisions": lambda x: decide(commitment=x),
    "partners elsewhere, decisions": lambda x: decide(partners=x),
    "planning, decisions": lambda x: decide(planning=x),
    "team, decisions": lambda x: decide(team=x),
    "mediation, decisions": lambda x: decide(mediation=x),
    "speed, conclusion": lambda x: laws.conclusion(x),
    "monitoring, observed": lambda x: laws.observed(x, 0.3, P),
    "system, observed": lambda x: laws.observed(0.3, x, P),
    "goodwill, conduct": lambda x: laws.conduct_odds(x, 0.5, 0.5, 0.3, 0.3, 0.5, P),
    "commitment, conduct": lambda x: laws.conduct_odds(0.3, x, 0.5, 0.3, 0.3, 0.5, P),
    "trust, conduct": lambda x: laws.conduct_odds(0.3, 0.5, x, 0.3, 0.3, 0.5, P),
    "part, conduct": lambda x: laws.conduct_odds(0.3, 0.5, 0.5, 0.3, x, 0.5, P),
    "seen, conduct": lambda x: laws.conduct_odds(0.3, 0.5, 0.5, 0.3, 0.3, x, P),
    "voice, conduct": lambda x: laws.conduct(1.0, x, P),
    "load, leaving": lambda x: laws.leaving(0.1 * x, 0.5, 0.5, P),
    "results, commitment": lambda x: laws.commitment_goal(x - 0.5, 0.0),
    "forum, trust": lambda x: laws.trust_built(x, 0.3, 0.3, P),
    "team, trust": lambda x: laws.trust_built(0.3, x, 0.3, P),
    "mediation, trust": lambda x: laws.trust_built(0.3, 0.3, x, P),
    "past, trust": lambda x: laws.settled_trust(0.4, 20 * x, P),
    "past, practice": lambda x: laws.settled_practice(20 * x, P),
}


@pytest.mark.parametrize("name", LESS)
@settings(max_examples=30)
@given(one=SHARE, other=SHARE)
def test_more_of_it_is_less_of_that(name, one, other) -> None:
    low, high = sorted((one, other))
    assert LESS[name](high) <= LESS[name](low) + 1e-14 * abs(LESS[name](low))
    assert LESS[name](1.0) < LESS[name](0.0)


@pytest.mark.parametrize("name", MORE)
@settings(max_examples=30)
@given(one=SHARE, other=SHARE)
def test_more_of_it_is_more_of_that(name, one, other) -> None:
    low, high = sorted((one, other))
    assert MORE[name](low) <= MORE[name](high) + 1e-14 * abs(MORE[name](high))
    assert MORE[name](0.0) < MORE[name](1.0)


@given(SIZE, SIZE, SHARE, SHARE)
def test_a_unit_costs_least_at_efficient_scale(people, scale, below, above) -> None:
    for curve in UNIT_COSTS:
        cost = unit_cost(people, scale, below, above, curve)
        assert 1 <= cost <= math.exp(laws.STEEPEST) * (1 + 1e-12)
        nearer = math.sqrt(people * scale)
        assert unit_cost(nearer, scale, below, above, curve) <= cost * (1 + 1e-12)


@given(st.lists(st.tuples(*[st.floats(-4, 4)] * 3), min_size=2, max_size=16), st.integers(0, 15))
def test_mean_distance_of_partners_is_exact_from_sums(scores, hub) -> None:
    scores = np.array(scores)
    n, hub = len(scores), hub % len(scores)

    def apart(i: int, j: int) -> float:
        return ((scores[i] - scores[j]) ** 2).sum() / 6

    squares, total = (scores**2).sum(), scores.sum(axis=0)
    found = laws.distance(float(n), squares, (total**2).sum(), 6.0)
    plain = np.mean([apart(i, j) for i, j in itertools.combinations(range(n), 2)])
    assert found == pytest.approx(plain, abs=1e-10)
    own, product = (scores[hub] ** 2).sum(), (scores[hub] * total).sum()
    found = laws.distance_from(float(n), squares, own, product, 6.0)
    plain = np.mean([apart(hub, j) for j in range(n) if j != hub])
    assert found == pytest.approx(plain, abs=1e-10)


@given(st.lists(SHARE, min_size=2, max_size=16), SHARE)
def test_misfit_of_all_is_exact_from_sums(wishes, joint) -> None:
    wishes = np.array(wishes)
    plain = sum(laws.fit_loss(wish, joint, 5.0, P) for wish in wishes)
    squares, total = (wishes**2).sum(), wishes.sum()
    found = laws.fit_loss_of_all(squares, total, float(len(wishes)), joint, 5.0, P)
    assert found == pytest.approx(plain, abs=1e-12)


# Corners ------------------------------------------------------------------------------------------


def corner_settings(largest: float = 1e6) -> list[np.record]:
    """Parameters all at their low, high, least and most, and each in turn at its least or most.

    What has no upper bound goes up to ``largest``.
    """

    def top(name: str) -> float:
        entry = PARAMETERS[name]
        return entry.most if math.isfinite(entry.most) else max(largest, entry.high)

    ends = [{name: getattr(q, end) for name, q in PARAMETERS.items()} for end in ("low", "high")]
    least = {name: q.least for name, q in PARAMETERS.items()}
    most = {name: top(name) for name in PARAMETERS}
    single = [{name: end[name]} for name in PARAMETERS for end in (least, most)]
    return [parameter_record(settings) for settings in [*ends, least, most, *single]]


CORNERS = corner_settings()
EVERY_SHARE = (0.0, 0.5, 1.0)


def assert_finite(law, *ranges, low: float = 0.0, high: float = math.inf) -> None:
    for p in CORNERS:
        for values in itertools.product(*ranges):
            value = law(*values, p)
            assert math.isfinite(value), (law.__name__, values)
            assert low - 1e-12 <= value <= high + 1e-12, (law.__name__, values, value)


def test_no_corner_gives_infinity_nan_or_what_is_out_of_range() -> None:
    share, apart = EVERY_SHARE, (0.0, 1.0, 30.0)
    forms, ends, members = (CONTRACT, BOARD, LEAD), (0.0, 1.0), (2.0, 16.0)
    assert_finite(laws.information_cost, apart, share, share)
    assert_finite(laws.practice_cost, apart, share)
    assert_finite(laws.negotiation_cost, apart, members, (0.6, 1.2), ends, ends, ends, ends)
    assert_finite(laws.scoped, (0.0, 1e6), share)
    assert_finite(laws.enforcement_cost, share, share, forms, share)
    assert_finite(laws.overhead_cost, forms)
    assert_finite(laws.unforeseen, share, share, high=1.0)
    assert_finite(laws.transition, (0.0, 1.0, 350.0))
    assert_finite(laws.startup, share, (0.0, 1e12))
    assert_finite(laws.aided, share, share, high=1.0)
    assert_finite(laws.granted, (0.0, 1e12), share, share, high=1e12)
    assert_finite(laws.cofinanced, (0.0, 1e12), share, share, high=1e12)
    assert_finite(laws.pooling, share, share, high=1.0)
    assert_finite(laws.remoteness, (0.0, 25.0, 2e4), share, high=1.0)
    assert_finite(laws.autonomy_loss, share, share)
    assert_finite(laws.fit_loss, share, share, (1.0, 20.0))
    assert_finite(laws.net_benefit, (-1e6, 1e6), ends, (0.0, 1e6), (0.0, 1e6), low=-math.inf)
    costs = (1.0, math.exp(laws.STEEPEST))
    assert_finite(laws.attention_odds, costs, share, share, low=-math.inf)
    assert_finite(laws.attention, (-1e20, -3.0, 1e20), share, share)
    assert_finite(laws.steering, share, high=1.0)
    assert_finite(laws.trust_built, share, share, share, high=3.0)
    assert_finite(laws.noticing, (0.0, 1.0, 100.0), share, share, (0.0, 1.0), high=1.0)
    assert_finite(laws.misperception, share, share)
    assert_finite(
        laws.decision_rate, ends, ends, apart, apart, ends, members, forms, ends, ends, ends
    )
    assert_finite(laws.observed, share, share, high=1.0)
    assert_finite(laws.conduct_odds, ends, ends, ends, ends, share, share, low=-math.inf)
    assert_finite(laws.conduct, (-1e20, 0.0, 1e20), share, high=1.0)
    assert_finite(laws.leaving, (0.0, 1e6), ends, ends, high=1.0)
    assert_finite(laws.initial_capacity, (1.0, 1e9), (-6.0, 6.0), high=1.0)
    assert_finite(laws.initial_trust, apart, (-6.0, 6.0), high=1.0)
    assert_finite(laws.settled_trust, ends, (0.0, 6.0, 1e4), high=1.0)
    assert_finite(laws.settled_practice, (0.0, 6.0, 1e4), high=1.0)
    for p in CORNERS:
        assert math.isfinite(laws.mean_transition(p))
        assert 0 <= laws.mean_transition(p) <= p.transition_cost
    for near in itertools.product((1.0, 2e4), (1.0, 2e4), ends):
        assert math.isfinite(laws.nearness(*near))
    for demand in (0.01, 1.0, 100.0):
        assert 0 < laws.strained(demand) <= 1
    for rate in (0.0, 1.0, 1e20):
        assert 0 <= laws.conclusion(rate) <= 1
        assert math.isfinite(laws.matter_time(rate))


@given(SIZE, st.floats(1, 1e12), SHARE, SHARE)
def test_unit_cost_is_finite(people, scale, below, above) -> None:
    for curve in UNIT_COSTS:
        assert math.isfinite(unit_cost(people, scale, below, above, curve))


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_commitment_is_a_share(realised, expected) -> None:
    assert 0 <= laws.commitment_goal(realised, expected) <= 1


def test_every_effect_of_every_lever_has_a_direction() -> None:
    """Each term that a built-in lever acts on is tried above under the words of both."""
    words = {
        "forum": "forum", "planning": "planning", "team": "team", "information": "system",
        "monitoring": "monitoring", "government": "grant", "ngo": "mediation",
        "business": "business", "community": "voice",
    }  # fmt: skip
    terms = {
        "error": "misperception", "notice": "noticing", "conclusion": "decisions",
        "observation": "observed",
    }  # fmt: skip
    assert set(words) == set(LEVERS)
    for one in BUILT_IN:
        for term in one.effects:
            tried = [
                name
                for name in LESS | MORE
                if words[one.name] in name and terms.get(term, term) in name
            ]
            assert tried, (one.name, term)
