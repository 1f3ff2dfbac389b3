"""The equations of the model, each as one function of plain numbers.

They have no arrays, randomness or state, so that both engines, the documentation and a hand
calculator can evaluate them. The effects of mechanisms and supporters in them are declared in
:mod:`kolabsim.model.mechanisms`. Exponents are clipped and divisors guarded, so that no values
within the ranges give infinity or NaN. Shares and probabilities are between 0 and 1; times are in
years unless a rate is per quarter; costs are shares of the cost they are compared with. The file is
long because it is the one home of all equations.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, sqrt

from kolabsim.model.jit import kernel
from kolabsim.model.levers import (
    BY_ABILITY,
    BY_BENEFIT,
    BY_POPULATION,
    CONTRACT,
    HYPERBOLA,
    LEAD,
    MAJORITY,
    POWER,
    TERMS,
    UNANIMITY,
    Term,
)
from kolabsim.model.mechanisms import (
    business_on_pooling,
    community_on_conduct_odds,
    forum_on_attention_odds,
    forum_on_error,
    forum_on_information,
    forum_on_notice,
    forum_on_pooling,
    forum_on_trust,
    government_on_attention_odds,
    information_on_error,
    information_on_information,
    information_on_observation,
    information_on_pooling,
    monitoring_on_enforcement,
    monitoring_on_observation,
    ngo_on_conclusion,
    ngo_on_negotiation,
    ngo_on_trust,
    planning_on_conclusion,
    planning_on_error,
    planning_on_negotiation,
    team_on_conclusion,
    team_on_negotiation,
    team_on_steering,
    team_on_trust,
)

STEEPEST = 50.0
"""Largest exponent: beyond it a probability is 0 or 1, and a hazard certain, to the last digit."""


@kernel
def where(condition, then, otherwise):
    """One of two numbers."""
    return then if condition else otherwise


@kernel
def clip(value, low, high):
    """The value, kept between two bounds."""
    return min(max(value, low), high)


@kernel
def logistic(odds):
    """Probability from log odds."""
    return 1.0 / (1.0 + exp(-clip(odds, -STEEPEST, STEEPEST)))


# E1 ---------------------------------------------------------------------------------------------
SIXTH = log(6.0)
"""Where the unit cost was measured: at a sixth of efficient scale. [niaounakis_blank_2017]"""


@kernel
def unit_cost(people, efficient_scale, curvature_below, curvature_above, curve):
    """Cost per person served, 1 at efficient scale. [niaounakis_blank_2017] E1

    Below it, by ``curve``: log-quadratic, a power of scale, or a fixed cost that is spread over the
    people (hyperbola); all three agree at efficient scale and at a sixth of it, where it was
    measured. Above it, log-quadratic.
    """
    distance = log(people / efficient_scale)
    if distance >= 0.0:
        return exp(min(0.5 * curvature_above * distance * distance, STEEPEST))
    if curve == POWER:
        return exp(min(-0.5 * curvature_below * SIXTH * distance, STEEPEST))
    if curve == HYPERBOLA:
        rise = exp(0.5 * curvature_below * SIXTH * SIXTH) - 1.0
        fixed = rise / (5.0 - rise)
        return (1.0 + fixed * exp(min(-distance, STEEPEST))) / (1.0 + fixed)
    return exp(min(0.5 * curvature_below * distance * distance, STEEPEST))


# E14 --------------------------------------------------------------------------------------------
@kernel
def effect(term, times, plus, least, most):
    """A term under user-defined mechanisms: scaled, shifted, and kept within its bounds. E14"""
    return clip(times * term + plus, least, most)


def term(
    name: str, meaning: str, unit: str = "0..1", least: float = 0.0, most: float = 1.0
) -> Callable:
    """Declare a term, and get the function that lets user-defined mechanisms act on it.

    That function takes the value and the area's row of ``State.effect``. Terms are declared at the
    top of ``bodies.py`` and ``stages.py``, so that no order of imports changes their order.
    """
    place = len(TERMS)
    TERMS[name] = Term(meaning, unit, least, most)

    def act(value, effects):
        return effect(value, effects[place, 0], effects[place, 1], least, most)

    return kernel(act)


# E2 ---------------------------------------------------------------------------------------------
@kernel
def culture_distance(members, squares, square_of_sum, dimensions):
    """Mean cultural distance between members, 1 on average. [kogut_singh_1988], halved. E2

    From sums over members of scores standardised over all regions: of their squares, and the
    squared length of the sum.
    """
    pairs = members * (members - 1.0)
    return max(members * squares - square_of_sum, 0.0) / max(pairs * dimensions, 1.0)


@kernel
def interest_distance(members, square_of_sum, mean_distance):
    """Mean misalignment of interests between members, 1 on average. E2

    ``square_of_sum`` is the squared length of the sum of the members' interest vectors, each of
    length 1; ``mean_distance`` the mean of 1 - cos over all pairs of regions, 0 where all agree.
    """
    pairs = max(members * (members - 1.0), 1.0)
    apart = max(1.0 - (square_of_sum - members) / pairs, 0.0)
    return where(mean_distance > 1e-12, apart / max(mean_distance, 1e-12), 0.0)


# E3 ---------------------------------------------------------------------------------------------
@kernel
def information_cost(distance, forum, system, p):
    """Cost of informing each other, share of joint cost. [feiock_2007] E3"""
    cost = p.information_cost * max(1.0 + p.culture_weight * (distance - 1.0), 0.0)
    return information_on_information(forum_on_information(cost, forum, p), system, p)


@kernel
def steering(team, p):
    """Ease of agreement among members, 1 as under a lead region. Assumed. E3"""
    return team_on_steering(0.0, team, p)


@kernel
def negotiation_cost(distance, members, growth, steering, planning, team, mediation, p):
    """Cost of agreeing, share of joint cost; grows with partners. [feiock_2007, blaka_2017] E3

    ``growth`` is the exponent of the legal form; ``steering`` moves it towards a lead region's.
    """
    exponent = growth - steering * max(0.0, growth - p.partners_lead)
    cost = (
        p.negotiation_cost
        * max(1.0 + p.interest_weight * (distance - 1.0), 0.0)
        * max(members - 1.0, 1.0) ** exponent
    )
    cost = team_on_negotiation(planning_on_negotiation(cost, planning, p), team, p)
    return ngo_on_negotiation(cost, mediation, p)


@kernel
def enforcement_cost(trust, difficulty, monitoring, p):
    """Cost of enforcing promises, share of joint cost; lower with more trust. [feiock_2007] E3"""
    cost = p.enforcement_cost * (1.0 - trust) * (1.0 + 0.5 * difficulty)
    return monitoring_on_enforcement(cost, monitoring, p)


# E4 ---------------------------------------------------------------------------------------------
@kernel
def transition(age, p):
    """Penalty on cost and quality of a body of this age. [dijkgraaf_gradus_2013] E4"""
    return p.transition_cost * exp(-clip(age / p.transition_years, 0.0, STEEPEST))


@kernel
def mean_transition(p):
    """Mean penalty over the horizon, which the founders of a body expect. E4"""
    spent = 1.0 - exp(-clip(p.horizon_years / p.transition_years, 0.0, STEEPEST))
    return p.transition_cost * p.transition_years / p.horizon_years * spent


@kernel
def haul_cost(haul, radius):
    """Cost of distance, share of joint cost; radius in km. Assumed. E4"""
    return haul * radius / 50.0


@kernel
def radius(people, x, y, z, earth):
    """Root-mean-square distance (km) of the people from their centroid. E4

    ``x``, ``y`` and ``z`` are sums over members of people times place on the unit sphere.
    """
    inside = 1.0 - (x * x + y * y + z * z) / max(people * people, 1e-300)
    return earth * sqrt(max(inside, 0.0))


@kernel
def joint_cost(people, unit, coordination, haul, penalty):
    """Yearly cost of serving these people together, in persons at efficient scale. E4"""
    return people * unit * (1.0 + coordination + haul + penalty)


@kernel
def startup(stress, first_year, p):
    """One-time cost of an entering member; regions under fiscal stress pay more. E4"""
    return p.startup_cost * (1.0 + stress) * first_year


@kernel
def aided(government, business, p):
    """Share of a start-up that grants and co-finance offer to pay, at most all of it. E4"""
    return min(1.0, p.grant_share * government + p.cofinance_share * business)


# E5 ---------------------------------------------------------------------------------------------
@kernel
def strained(demand, p):
    """Share of quality left when demand, relative to normal, exceeds 1. Assumed. E5"""
    return exp(-p.strain * log(max(demand, 1.0)))


@kernel
def pooling(system, forum, business, p):
    """Use of the best member's capacity, 1 without any lever. Assumed. E5"""
    shared = forum_on_pooling(information_on_pooling(1.0, system, p), forum, p)
    return business_on_pooling(shared, business, p)


@kernel
def pooled_capacity(mean, best, pooling, p):
    """Capacity that a body works with, between its mean and its best member's. E5"""
    drawn = min(1.0, p.pooling * pooling)
    return mean + drawn * (best - mean)


@kernel
def joint_quality(capacity, shortfall, penalty, p):
    """Service quality; ``shortfall`` is the share of people whose region falls short. E5"""
    return capacity * (1.0 - p.shortfall_quality * shortfall) * (1.0 - min(penalty, 1.0))


# E6 ---------------------------------------------------------------------------------------------
@kernel
def autonomy_loss(autonomy, part, p):
    """Value of the autonomy that a region gives up in its body. E6"""
    return p.autonomy_cost * autonomy * (1.0 - part)


@kernel
def net_benefit(cost_ratio, quality_gain, lost_autonomy, p):
    """Net benefit a year per unit of stand-alone cost: saving, quality, less lost autonomy. E6"""
    return 1.0 - cost_ratio + p.quality_value * quality_gain - lost_autonomy


# E7 ---------------------------------------------------------------------------------------------
@kernel
def attention_odds(unit, stress, peers, priority, grant, forum, p):
    """Log odds that a region considers an area in a quarter. [kwon_feiock_2010] E7

    ``unit`` is its stand-alone unit cost, ``peers`` the share of its contacts that share the area,
    ``priority`` its interest in the area relative to an equal one.
    """
    reasons = (
        p.attention_base
        + p.attention_cost * (unit - 1.0)
        + p.attention_stress * stress
        + p.attention_peers * peers
        + p.attention_interest * (priority - 1.0)
    )
    return forum_on_attention_odds(government_on_attention_odds(reasons, grant, p), forum, p)


@kernel
def nearness(distance, mean_distance, land, p):
    """Nearness of a contact, before it is scaled to mean 1 over a region's contacts. E7"""
    reach = max(p.near_reach * mean_distance, 1e-9)
    return exp(-min(distance / reach, STEEPEST)) * (1.0 + p.near_land * land)


@kernel
def noticing(near, trust, forum, tier, p):
    """Chance of noticing a contact as a possible partner. [leroux_2010] E7"""
    chance = forum_on_notice(p.notice * near * (0.5 + trust), forum, p)
    return clip(chance * (1.0 + p.notice_tier * tier), 0.0, 1.0)


@kernel
def misperception(forum, system, planning, p):
    """Standard deviation of the error in judging a union, per unit of stand-alone cost. E7"""
    left = information_on_error(forum_on_error(1.0, forum, p), system, p)
    return planning_on_error(p.misperception * left, planning, p)


# E9 ---------------------------------------------------------------------------------------------
@kernel
def conclusion(distance, planning, team, mediation, p):
    """Chance in a quarter that a negotiation concludes. [choi_robertson_2014], assumed form. E9"""
    helped = team_on_conclusion(planning_on_conclusion(1.0, planning, p), team, p)
    helped = ngo_on_conclusion(helped, mediation, p)
    return clip(p.conclude * helped / (1.0 + p.conclude_interests * distance), 0.0, 1.0)


# E10 --------------------------------------------------------------------------------------------
@kernel
def observed(monitoring, system, p):
    """Chance that a member's conduct is observed in a quarter. E10, E12"""
    return max(
        monitoring_on_observation(p.observation, monitoring, p),
        information_on_observation(p.observation, system, p),
    )


@kernel
def conduct_odds(goodwill, commitment, trust, voice, stress, part, seen, p):
    """Log odds that a member keeps its promises in a quarter. Assumed. E10

    ``part`` is its share of the body's people, ``seen`` the chance that its conduct is observed.
    """
    temptation = p.shortfall_share * (1.0 - part) * (1.0 - seen)
    will = (
        p.honour_base
        + p.honour_goodwill * (goodwill - 0.25)
        + p.honour_commitment * (commitment - 0.5)
        + p.honour_trust * (trust - 0.5)
    )
    return (
        community_on_conduct_odds(will, voice, p)
        - p.honour_stress * stress
        - p.honour_temptation * temptation / 0.05
    )


# E11 --------------------------------------------------------------------------------------------
@kernel
def leaving(load, trust, realised, p):
    """Chance in a quarter that a member leaves. [elston_rackwitz_bel_2023] E11

    ``load`` is information and negotiation cost, ``realised`` its realised net benefit a year.
    """
    reasons = (
        p.exit_load * (load / 0.03 - 1.0)
        + p.exit_trust * (0.5 - trust) / 0.15
        - p.exit_saving * realised / 0.10
    )
    hazard = p.exit_base * exp(clip(reasons, -STEEPEST, STEEPEST))
    return 1.0 - exp(-min(hazard / 4.0, STEEPEST))


# E12 --------------------------------------------------------------------------------------------
@kernel
def closer(value, goal, part):
    """A value that moves a part of the way towards a goal. E12"""
    return value + part * (goal - value)


@kernel
def trust_built(forum, team, mediation, p):
    """Share of missing trust that communication builds in a quarter. E12"""
    built = team_on_trust(forum_on_trust(0.0, forum, p), team, p)
    return ngo_on_trust(built, mediation, p)


@kernel
def reach(trust, damage):
    """Trust that good conduct and meetings can reach, given lasting damage. [pant_yu_2025] E12"""
    return max(trust, 1.0 - damage)


@kernel
def commitment_goal(realised, expected):
    """Commitment that results earn, 0.6 if as expected: small wins. [ansell_gash_2008] E12"""
    return logistic(0.405 + (realised - expected) / 0.05)


# Bookkeeping --------------------------------------------------------------------------------------
# Sums, shares and starting values; the page of the model describes them in words.


@kernel
def mean_trust(total, members):
    """Mean trust over the ordered pairs of members, from its sum."""
    return total / max(members * (members - 1.0), 1.0)


@kernel
def partner_exponent(form, p):
    """Exponent of partners in negotiation cost for a legal form."""
    if form == CONTRACT:
        return p.partners_contract
    return p.partners_lead if form == LEAD else p.partners_board


@kernel
def overhead_cost(form, p):
    """Overhead of a legal form, share of joint cost."""
    return 0.0 if form == CONTRACT else p.overhead_cost


@kernel
def sharing_weight(rule, people, alone, stress):
    """Weight of a member in joint cost: its people, 1, its ability to pay, or its stand-alone cost.

    ``alone`` is its stand-alone unit cost.
    """
    if rule == BY_POPULATION:
        return people
    if rule == BY_ABILITY:
        return people * max(1.0 - stress, 0.01)
    return people * alone if rule == BY_BENEFIT else 1.0


@kernel
def entry_weight(stress, burden, aid):
    """Weight of the start-up of an entering member: strain, its share of cost, less aid."""
    return (1.0 + stress) * burden * (1.0 - aid)


@kernel
def entry_cost(stress, first_year, aid, p):
    """Start-up that an entering member pays itself, per year of the horizon."""
    return startup(stress, first_year, p) * (1.0 - aid) / p.horizon_years


@kernel
def granted(due, government, business, p):
    """Start-up that central government pays; together with co-finance at most all of it."""
    grant, share = p.grant_share * government, p.cofinance_share * business
    return due * grant / max(grant + share, 1.0)


@kernel
def cofinanced(due, government, business, p):
    """Start-up that business pays; together with grants at most all of it."""
    grant, share = p.grant_share * government, p.cofinance_share * business
    return due * share / max(grant + share, 1.0)


@kernel
def quality_worth(gain, p):
    """Value of a gain of quality, share of stand-alone cost."""
    return p.quality_value * gain


@kernel
def with_goodwill(own, whole, others, goodwill):
    """A region's change of net benefit, and by goodwill the mean change of the others."""
    return own + goodwill * (whole - own) / max(others, 1.0)


@kernel
def union_change(members, cost, spill, quality, autonomy, price, entry, judged, p):
    """Change of judged net benefit that a union makes to all its members together.

    All but ``price`` are sums over the members: cost and spillover per unit of stand-alone cost,
    gained quality, lost autonomy, the weight of start-up, and net benefit as judged before.
    """
    after = members - cost + spill + p.quality_value * quality - p.autonomy_cost * autonomy
    return after - p.startup_cost * price * entry / p.horizon_years - judged


@kernel
def mandated_goodwill(goodwill, is_bound, p):
    """Goodwill of a region in an area: less of it under a mandate."""
    return goodwill * (p.mandate_goodwill if is_bound else 1.0)


@kernel
def consents(votes, people, consent):
    """Whether the votes in a party, in people governed, are enough under a rule of consent."""
    if consent == UNANIMITY:
        return votes >= people
    return votes > 0.5 * people if consent == MAJORITY else votes >= 0.75 * people


@kernel
def kept_back(kept, seen, p):
    """Share of its due that a member keeps back: nothing if it keeps its promises or is seen."""
    return (1.0 - kept) * (1.0 - seen) * p.shortfall_share


@kernel
def bound_goal(goal, bound, joint, p):
    """Commitment goal of a region with mandates on part of its joint cost."""
    return goal * (1.0 - (1.0 - p.mandate_commitment) * bound / joint)


@kernel
def initial_capacity(size, deviation, p):
    """Capacity at the start, from the logarithm of relative population and a standard normal."""
    return clip(p.capacity_mean + p.capacity_size * size + p.capacity_spread * deviation, 0.0, 1.0)


@kernel
def initial_stress(deviation, p):
    """Fiscal stress at the start, from a standard normal number."""
    return clip(p.stress_mean + p.stress_spread * deviation, 0.0, 1.0)


@kernel
def initial_trust(distance, deviation, p):
    """Trust at the start, from cultural distance and a standard normal number."""
    trust = p.trust_start - p.trust_culture * (distance - 1.0) + p.trust_spread * deviation
    return clip(trust, 0.0, 1.0)


@kernel
def standardising(variance):
    """Factor that brings scores to variance 1; 0 where all are alike."""
    return 1.0 / sqrt(variance) if variance > 1e-18 else 0.0
