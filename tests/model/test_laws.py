"""Each equation against numbers worked out by hand, at its corners, and in its direction."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolabsim.model import laws
from kolabsim.model.levers import LEVERS, UNIT_COSTS
from kolabsim.model.parameters import PARAMETERS, parameter_record

P = parameter_record()
"""The defaults; rates are shares a quarter."""

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


def test_e2_distances() -> None:
    # Scores (1, 0, 0) and (-1, 0, 0): (1/2D) (1 - -1)^2 = 4/6. Sums: squares 2, sum 0.
    assert laws.culture_distance(2.0, 2.0, 0.0, 3.0) == close(2 / 3)
    # And a third at (0, 2, 0): pairs 4, 5, 5, mean 14/3, halved by D = 3: 14/18. Squares 6, sum 4.
    assert laws.culture_distance(3.0, 6.0, 4.0, 3.0) == close(14 / 18)
    # Directions (1, 0), (0, 1), (.6, .8): 1 - cos = 1, .4, .2, mean .5333333; sum (1.6, 1.8): 5.8.
    assert laws.interest_distance(3.0, 5.8, 0.4) == close(0.5333333 / 0.4)
    assert laws.interest_distance(3.0, 5.8, 0.0) == 0  # all regions alike


def test_e3_coordination_cost() -> None:
    # .03 (1 + .25 (2 - 1)) (1 - .25 x .6) (1 - .35 x .4) = .03 x 1.25 x .85 x .86
    assert laws.information_cost(2.0, 0.6, 0.4, P) == close(0.0274125)
    # A distance so small that the bracket would be negative costs nothing, and not less.
    wild = parameter_record({"culture_weight": 2.0, "interest_weight": 3.0})
    assert laws.information_cost(0.0, 0.0, 0.0, wild) == 0
    assert laws.negotiation_cost(0.5, 4.0, 1.0, 0.0, 0.0, 0.0, 0.0, wild) == 0
    # Five members under a contract, team .5: the exponent is 1.2 - .5 (1.2 - .6) = .9,
    # 4^.9 = 3.4822022
    # .012 (1 + .5 (1.4 - 1)) 3.4822022 (1 - .25 x .2) (1 - .3 x .5) (1 - .2 x .3)
    steering = laws.steering(0.5, P)
    assert laws.negotiation_cost(1.4, 5.0, 1.2, steering, 0.2, 0.5, 0.3, P) == close(0.0380616)
    # A lead's exponent is at the bottom already.
    lead = laws.negotiation_cost(1.0, 5.0, 0.6, 1.0, 0.0, 1.0, 0.0, P)
    assert lead == close(0.012 * 4**0.6 * 0.7)
    assert laws.negotiation_cost(1.0, 2.0, 1.2, 0.0, 0.0, 0.0, 0.0, P) == close(0.012)
    # .03 (1 - .6) (1 + .9/2) (1 - .35 x .5) = .03 x .4 x 1.45 x .825
    assert laws.enforcement_cost(0.6, 0.9, 0.5, P) == close(0.0143550)


def test_e4_joint_cost() -> None:
    # .05 exp(-1.5/2)
    assert laws.transition(1.5, P) == close(0.0236183)
    # .05 (2/5) (1 - exp(-5/2)): the mean of the above over five years
    assert laws.mean_transition(P) == close(0.0183583)
    ages = np.linspace(0, 5, 200_001)
    assert np.mean([laws.transition(age, P) for age in ages[::500]]) == pytest.approx(
        laws.mean_transition(P), rel=2e-3
    )
    # 100,000 x 1.1 (1 + .05 + .06 + .02)
    assert laws.joint_cost(100_000, 1.1, 0.05, 0.06, 0.02) == close(124_300)
    assert laws.haul_cost(0.3, 25.0) == close(0.15)
    # .13 (1 + .4) x 1000
    assert laws.startup(0.4, 1000.0, P) == close(182)
    # Grants pay half at full intensity, business too; together all, and never more.
    assert laws.aided(0.6, 0.0, P) == close(0.3)
    assert laws.aided(1.0, 0.5, P) == close(0.75)
    assert laws.aided(1.0, 1.0, parameter_record({"grant_share": 0.8})) == 1


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
    # .3 (1 + .5 + .5 x .4 + .5 x .6) = .6 of the way from .5 to .8
    assert laws.pooled_capacity(0.5, 0.8, laws.pooling(0.5, 0.4, 0.6, P), P) == close(0.68)
    full = parameter_record({"pooling": 0.6})
    assert laws.pooled_capacity(0.5, 0.8, laws.pooling(1.0, 1.0, 1.0, P), full) == close(0.8)
    # .68 (1 - .15 x .25) (1 - .02)
    assert laws.joint_quality(0.68, 0.25, 0.02, P) == close(0.6414100)
    assert laws.joint_quality(0.68, 0.0, 1.7, P) == 0
    # 1.44^-.5 = 1/1.2; less demand than normal is no gain
    assert laws.strained(1.44, P) == close(0.8333333)
    assert laws.strained(0.5, P) == 1


def test_e6_net_benefit() -> None:
    # .02 x .5 (1 - .25)
    assert laws.autonomy_loss(0.5, 0.25, P) == close(0.0075)
    # 1 - .9 + .5 x .04 - .0075
    assert laws.net_benefit(0.9, 0.04, 0.0075, P) == close(0.1125)


def test_e7_attention_and_noticing() -> None:
    # -4 + 3 (1.2 - 1) + .3 + 1.5 x .5 + .5 (1.4 - 1) + 1.5 x .6 + .7 x .6 = -.83
    odds = laws.attention_odds(1.2, 0.3, 0.5, 1.4, 0.6, 0.6, P)
    assert odds == close(-0.83)
    assert laws.logistic(odds) == close(0.3036450)
    # A land neighbour 10 km off, contacts 20 km off on average: exp(-10/30) x 3
    assert laws.nearness(10.0, 20.0, 1.0, P) == close(2.1495939)
    assert laws.nearness(10.0, 20.0, 0.0, P) == close(0.7165313)
    # .5 x .8 (.5 + .6) (1 + 1.4 x .3) (1 + 0)
    assert laws.noticing(0.8, 0.6, 0.3, 0.0, P) == close(0.6248)
    assert laws.noticing(2.0, 0.6, 0.3, 1.0, P) == 1
    # .12 (1 - .3 x .5) (1 - .3 x .4) (1 - .5 x .6)
    assert laws.misperception(0.5, 0.4, 0.6, P) == close(0.0628320)


def test_e9_conclusion() -> None:
    # .25 (1 + .2) (1 + .5 x .4) (1 + .5 x .6) / (1 + .5 x 1.5)
    assert laws.conclusion(1.5, 0.2, 0.4, 0.6, P) == close(0.2674286)
    assert laws.conclusion(0.0, 1.0, 1.0, 1.0, P) == 1


def test_e10_conduct() -> None:
    # .4 + .6 max(.2, .5 x .6)
    assert laws.observed(0.2, 0.6, P) == close(0.58)
    assert laws.observed(0.5, 0.6, P) == close(0.70)
    # temptation .1 (1 - .25) (1 - .4) = .045; 2.4 + 1.5 (.35 - .25) + (.7 - .5) + 2 (.4 - .5)
    # + .7 x .5 - .2 - .045/.05 = 1.8
    odds = laws.conduct_odds(0.35, 0.7, 0.4, 0.5, 0.2, 0.25, 0.4, P)
    assert odds == close(1.8)
    assert laws.logistic(odds) == close(0.8581489)
    # "About .8 at default": goodwill .25, commitment .6, trust .5, stress .3, a third of the body.
    odds = laws.conduct_odds(0.25, 0.6, 0.5, 0.0, 0.3, 1 / 3, 0.4, P)
    assert laws.logistic(odds) == pytest.approx(0.8, abs=0.03)


def test_e11_leaving() -> None:
    # .06 exp(.045/.03 - 1 + .5 (.5 - .35)/.15 - .1 x .2/.1) = .06 exp(.8) = .1335325 a year;
    # in a quarter 1 - exp(-.0333831)
    assert laws.leaving(0.045, 0.35, 0.2, P) == close(0.0328320)
    assert laws.leaving(0.03, 0.5, 0.0, P) == close(1 - math.exp(-0.015))


def test_e12_learning() -> None:
    assert laws.closer(0.6, 1.0, 0.25) == close(0.7)
    assert laws.closer(0.6, 0.0, 0.25) == close(0.45)
    # A rate of .3 a year, four quarters long: .3 of the way.
    value = 0.5
    for _quarter in range(4):
        value = laws.closer(value, 0.0, P.trust_loss)
    assert value == close(0.35)
    # Results as expected: logistic(.405) = .5998884; .05 better: logistic(1.405)
    assert laws.commitment_goal(0.1, 0.1) == close(0.5998884)
    assert laws.commitment_goal(0.15, 0.1) == close(0.8029761)


def test_rates_are_a_year_and_hazards_too() -> None:
    for name, entry in PARAMETERS.items():
        value = getattr(P, name)
        if entry.rate:
            assert 1 - (1 - value) ** 4 == close(entry.default), name
        else:
            assert value == entry.default


# Directions ---------------------------------------------------------------------------------------

LESS = {
    "forum, information": lambda x: laws.information_cost(1.5, x, 0.3, P),
    "system, information": lambda x: laws.information_cost(1.5, 0.3, x, P),
    "planning, negotiation": lambda x: laws.negotiation_cost(1.5, 4.0, 1.0, 0.3, x, 0.3, 0.3, P),
    "team, negotiation": lambda x: laws.negotiation_cost(
        1.5, 4.0, 1.0, laws.steering(x, P), 0.3, x, 0.3, P
    ),
    "steering, negotiation": lambda x: laws.negotiation_cost(1.5, 4.0, 1.0, x, 0.3, 0.3, 0.3, P),
    "mediation, negotiation": lambda x: laws.negotiation_cost(1.5, 4.0, 1.0, 0.3, 0.3, 0.3, x, P),
    "monitoring, enforcement": lambda x: laws.enforcement_cost(0.5, 0.5, x, P),
    "trust, enforcement": lambda x: laws.enforcement_cost(x, 0.5, 0.3, P),
    "forum, misperception": lambda x: laws.misperception(x, 0.3, 0.3, P),
    "system, misperception": lambda x: laws.misperception(0.3, x, 0.3, P),
    "planning, misperception": lambda x: laws.misperception(0.3, 0.3, x, P),
    "interests, conclusion": lambda x: laws.conclusion(4 * x, 0.3, 0.3, 0.3, P),
    "age, transition": lambda x: laws.transition(10 * x, P),
    "trust, leaving": lambda x: laws.leaving(0.03, x, 0.1, P),
    "benefit, leaving": lambda x: laws.leaving(0.03, 0.5, x - 0.5, P),
    "stress, conduct": lambda x: laws.conduct_odds(0.3, 0.5, 0.5, 0.3, x, 0.3, 0.5, P),
    "shortfall, quality": lambda x: laws.joint_quality(0.6, x, 0.02, P),
    "part, autonomy lost": lambda x: laws.autonomy_loss(0.5, x, P),
    "demand, quality": lambda x: laws.strained(1 + x, P),
}
MORE = {
    "culture, information": lambda x: laws.information_cost(4 * x, 0.3, 0.3, P),
    "interests, negotiation": lambda x: laws.negotiation_cost(
        4 * x, 4.0, 1.0, 0.3, 0.3, 0.3, 0.3, P
    ),
    "partners, negotiation": lambda x: laws.negotiation_cost(
        1.0, 2.0 + 14 * x, 1.0, 0.3, 0.3, 0.3, 0.3, P
    ),
    "form, negotiation": lambda x: laws.negotiation_cost(1.0, 4.0, 0.6 + x, 0.3, 0.3, 0.3, 0.3, P),
    "difficulty, enforcement": lambda x: laws.enforcement_cost(0.5, x, 0.3, P),
    "distance, haul": lambda x: laws.haul_cost(0.3, 100 * x),
    "stress, start-up": lambda x: laws.startup(x, 100.0, P),
    "grant, aid": lambda x: laws.aided(x, 0.3, P),
    "co-finance, aid": lambda x: laws.aided(0.3, x, P),
    "system, capacity": lambda x: laws.pooling(x, 0.3, 0.3, P),
    "forum, capacity": lambda x: laws.pooling(0.3, x, 0.3, P),
    "business, capacity": lambda x: laws.pooling(0.3, 0.3, x, P),
    "pooling, capacity": lambda x: laws.pooled_capacity(0.5, 0.8, 3 * x, P),
    "unit cost, attention": lambda x: laws.attention_odds(1 + x, 0.3, 0.3, 1.0, 0.3, 0.3, P),
    "stress, attention": lambda x: laws.attention_odds(1.1, x, 0.3, 1.0, 0.3, 0.3, P),
    "peers, attention": lambda x: laws.attention_odds(1.1, 0.3, x, 1.0, 0.3, 0.3, P),
    "interest, attention": lambda x: laws.attention_odds(1.1, 0.3, 0.3, 4 * x, 0.3, 0.3, P),
    "grant, attention": lambda x: laws.attention_odds(1.1, 0.3, 0.3, 1.0, x, 0.3, P),
    "forum, attention": lambda x: laws.attention_odds(1.1, 0.3, 0.3, 1.0, 0.3, x, P),
    "nearness, noticing": lambda x: laws.noticing(x, 0.5, 0.3, 0.0, P),
    "trust, noticing": lambda x: laws.noticing(0.6, x, 0.3, 0.0, P),
    "forum, noticing": lambda x: laws.noticing(0.6, 0.5, x, 0.0, P),
    "planning, conclusion": lambda x: laws.conclusion(1.0, x, 0.3, 0.3, P),
    "team, conclusion": lambda x: laws.conclusion(1.0, 0.3, x, 0.3, P),
    "mediation, conclusion": lambda x: laws.conclusion(1.0, 0.3, 0.3, x, P),
    "monitoring, observed": lambda x: laws.observed(x, 0.3, P),
    "system, observed": lambda x: laws.observed(0.3, x, P),
    "goodwill, conduct": lambda x: laws.conduct_odds(x, 0.5, 0.5, 0.3, 0.3, 0.3, 0.5, P),
    "commitment, conduct": lambda x: laws.conduct_odds(0.3, x, 0.5, 0.3, 0.3, 0.3, 0.5, P),
    "trust, conduct": lambda x: laws.conduct_odds(0.3, 0.5, x, 0.3, 0.3, 0.3, 0.5, P),
    "voice, conduct": lambda x: laws.conduct_odds(0.3, 0.5, 0.5, x, 0.3, 0.3, 0.5, P),
    "part, conduct": lambda x: laws.conduct_odds(0.3, 0.5, 0.5, 0.3, 0.3, x, 0.5, P),
    "seen, conduct": lambda x: laws.conduct_odds(0.3, 0.5, 0.5, 0.3, 0.3, 0.3, x, P),
    "load, leaving": lambda x: laws.leaving(0.1 * x, 0.5, 0.1, P),
    "results, commitment": lambda x: laws.commitment_goal(x - 0.5, 0.0),
}


@pytest.mark.parametrize("name", LESS)
@given(one=SHARE, other=SHARE)
def test_more_of_it_is_less_of_that(name, one, other) -> None:
    low, high = sorted((one, other))
    assert LESS[name](high) <= LESS[name](low) + 1e-14 * abs(LESS[name](low))
    assert LESS[name](1.0) < LESS[name](0.0)


@pytest.mark.parametrize("name", MORE)
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


@given(st.lists(st.tuples(*[st.floats(-4, 4)] * 3), min_size=2, max_size=16))
def test_mean_distance_of_a_body_is_exact_from_sums(scores) -> None:
    scores = np.array(scores)
    pairs = list(itertools.combinations(range(len(scores)), 2))
    plain = np.mean([((scores[i] - scores[j]) ** 2).sum() / 6 for i, j in pairs])
    squares, total = (scores**2).sum(), (scores.sum(axis=0) ** 2).sum()
    found = laws.culture_distance(float(len(scores)), squares, total, 3.0)
    assert found == pytest.approx(plain, abs=1e-10)


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
    assert_finite(laws.information_cost, apart, share, share)
    assert_finite(laws.enforcement_cost, share, share, share)
    assert_finite(laws.transition, (0.0, 1.0, 350.0))
    assert_finite(laws.startup, share, (0.0, 1e12))
    assert_finite(laws.aided, share, share, high=1.0)
    assert_finite(laws.strained, (0.01, 1.0, 100.0), low=1e-300, high=1.0)
    assert_finite(laws.pooling, share, share, share, low=1.0, high=3.0)
    assert_finite(laws.pooled_capacity, (0.2,), (0.2, 1.0), (0.0, 1.0, 3.0), low=0.2, high=1.0)
    assert_finite(laws.joint_quality, share, share, (0.0, 1.0, 5.0), high=1.0)
    assert_finite(laws.autonomy_loss, share, share)
    assert_finite(laws.net_benefit, (-1e6, 1e6), (-1.0, 1.0), (0.0, 1e6), low=-math.inf)
    costs = (1.0, math.exp(laws.STEEPEST))
    assert_finite(laws.attention_odds, costs, share, share, (0.0, 8.0), share, share, low=-math.inf)
    assert_finite(laws.steering, share, high=1.0)
    assert_finite(laws.trust_built, share, share, share, high=3.0)
    assert_finite(laws.nearness, (1.0, 2e4), (1.0, 2e4), (0.0, 1.0))
    assert_finite(laws.noticing, (0.0, 1.0, 100.0), share, share, (0.0, 1.0), high=1.0)
    assert_finite(laws.misperception, share, share, share)
    assert_finite(laws.conclusion, apart, share, share, share, high=1.0)
    assert_finite(laws.observed, share, share, high=1.0)
    ends = (0.0, 1.0)
    assert_finite(laws.conduct_odds, ends, ends, ends, ends, ends, share, share, low=-math.inf)
    assert_finite(laws.leaving, (0.0, 1e6), ends, (-1e6, 1e6), high=1.0)
    for p in CORNERS:
        assert math.isfinite(laws.mean_transition(p))
        assert 0 <= laws.mean_transition(p) <= p.transition_cost


def test_negotiation_is_finite_as_far_as_its_exponent_goes() -> None:
    p = parameter_record({"partners_contract": 100.0, "negotiation_cost": 10.0})
    assert math.isfinite(laws.negotiation_cost(30.0, 16.0, 100.0, 0.0, 0.0, 0.0, 0.0, p))


@given(SIZE, st.floats(1, 1e12), SHARE, SHARE)
def test_unit_cost_is_finite(people, scale, below, above) -> None:
    for curve in UNIT_COSTS:
        assert math.isfinite(unit_cost(people, scale, below, above, curve))


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_commitment_is_a_share(realised, expected) -> None:
    assert 0 <= laws.commitment_goal(realised, expected) <= 1


def test_every_lever_acts_on_some_term() -> None:
    words = " ".join(LESS | MORE)
    named = {
        "forum": "forum", "planning": "planning", "team": "team", "information": "system",
        "monitoring": "monitoring", "government": "grant", "ngo": "mediation",
        "business": "co-finance", "community": "voice",
    }  # fmt: skip
    assert set(named) == set(LEVERS)
    assert all(word in words for word in named.values())
