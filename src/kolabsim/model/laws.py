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
    BOARD,
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
    community_on_conduct,
    community_on_remoteness,
    forum_on_attention,
    forum_on_error,
    forum_on_information,
    forum_on_notice,
    forum_on_pooling,
    forum_on_trust,
    government_on_attention,
    information_on_information,
    information_on_observation,
    information_on_practice,
    information_on_unforeseen,
    monitoring_on_enforcement,
    monitoring_on_observation,
    ngo_on_conclusion,
    ngo_on_negotiation,
    ngo_on_trust,
    planning_on_conclusion,
    planning_on_error,
    planning_on_fit,
    planning_on_negotiation,
    planning_on_unforeseen,
    team_on_conclusion,
    team_on_negotiation,
    team_on_steering,
    team_on_trust,
)
from kolabsim.model.parameters import (
    ATTENTION_PEERS,
    ATTENTION_STRESS,
    CAPACITY_BY_SIZE,
    DECISION_DIFFERENCE,
    DECISION_MEMBERS,
    DECISION_PARTNERS,
    DISTRUST_UNIT,
    EARNED,
    EARNED_UNIT,
    EXIT_COMMITMENT,
    EXIT_LOAD,
    HAUL_UNIT,
    HONOUR_COMMITMENT,
    HONOUR_GOODWILL,
    HONOUR_STRESS,
    HONOUR_TEMPTATION,
    HONOUR_TRUST,
    LOAD_UNIT,
    MANDATED,
    MATTER_MONTHS,
    MEAN_CAPACITY,
    NEAR_LAND,
    NEAR_REACH,
    NOTICE_TIER,
    OBSERVATION,
    PARTNERS_BOARD,
    PARTNERS_CONTRACT,
    PARTNERS_LEAD,
    PAST_YEARS,
    QUARTERS,
    REFERENCE_COMMITMENT,
    REFERENCE_CONCENTRATION,
    REFERENCE_GOODWILL,
    REFERENCE_POPULATION,
    REFERENCE_TRUST,
    REMOTENESS,
    SHORTFALL_QUALITY,
    SHORTFALL_SHARE,
    STRAIN,
    TEMPTATION_UNIT,
    TRANSITION_YEARS,
    TRUST_SPREAD,
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
# Every distance is 0 between members that are alike, and 1 on average between two regions drawn at
# random from the reference population, whatever the other regions of a scenario.


@kernel
def distance(members, squares, square_of_sum, reference):
    """Mean squared distance over pairs of members, over that of two random regions. E2

    From sums over the members: of their squared lengths, and the squared length of the sum.
    """
    pairs = members * (members - 1.0)
    apart = max(members * squares - square_of_sum, 0.0)
    return 2.0 * apart / (pairs * reference) if pairs * reference > 0.0 else 0.0


@kernel
def distance_from(members, squares, square, product, reference):
    """Mean squared distance of members from one of them, the provider of a contract. E2

    ``square`` is the squared length of the provider's vector, ``product`` its product with the sum
    over all members.
    """
    apart = max(members * square - 2.0 * product + squares, 0.0)
    others = members - 1.0
    return apart / (others * reference) if others * reference > 0.0 else 0.0


@kernel
def culture_reference(dimensions):
    """Mean squared distance of two standard normal vectors. [kogut_singh_1988] E2"""
    return 2.0 * dimensions


@kernel
def interest_reference(areas):
    """Mean squared distance of two draws of priorities over so many areas. E2"""
    return 2.0 * (1.0 - 1.0 / areas) / (REFERENCE_CONCENTRATION * areas + 1.0)


@kernel
def practice_reference():
    """Mean squared distance of two standard normal numbers. E2"""
    return 2.0


# E3 ---------------------------------------------------------------------------------------------
@kernel
def information_cost(distance, forum, system, p):
    """Cost of informing each other, share of joint cost. [feiock_2007] E3"""
    cost = p.information_cost + p.culture_cost * distance
    return information_on_information(forum_on_information(cost, forum, p), system, p)


@kernel
def practice_cost(distance, system, p):
    """Cost of working together with unlike practice, share of joint cost. Assumed. E3"""
    return information_on_practice(p.practice_cost * distance, system, p)


@kernel
def steering(team, p):
    """Ease of agreement among members, 1 as under a lead region. Assumed. E3"""
    return team_on_steering(0.0, team, p)


@kernel
def negotiation_cost(distance, members, exponent, steering, planning, team, mediation, p):
    """Cost of agreeing, share of joint cost; grows with partners. [feiock_2007, blaka_2017] E3

    ``exponent`` is that of the legal form; ``steering`` moves it towards a lead region's.
    """
    growth = exponent - steering * max(0.0, exponent - PARTNERS_LEAD)
    cost = (
        p.negotiation_cost
        * (1.0 + p.interest_weight * distance)
        * max(members - 1.0, 1.0) ** growth
    )
    cost = team_on_negotiation(planning_on_negotiation(cost, planning, p), team, p)
    return ngo_on_negotiation(cost, mediation, p)


@kernel
def scoped(cost, again, p):
    """Cost of negotiation or overhead, less what partners of other areas save. E3

    ``again`` is the share of the pairs of members that are partners in another area.
    """
    return cost * (1.0 - p.scope * again)


@kernel
def enforcement_cost(trust, difficulty, form, monitoring, p):
    """Cost of enforcing promises, share of joint cost; lower with more trust. [feiock_2007] E3

    A contract must say in advance what can hardly be measured.
    """
    weight = p.contract_difficulty if form == CONTRACT else 1.0
    cost = p.enforcement_cost * (1.0 - trust) * (1.0 + weight * difficulty)
    return monitoring_on_enforcement(cost, monitoring, p)


@kernel
def foresight(unforeseen):
    """Share of coordination cost that founders foresee. E3"""
    return 1.0 - unforeseen


@kernel
def unforeseen(system, planning, p):
    """Share of coordination cost that founders do not foresee. E3"""
    missed = information_on_unforeseen(1.0 - p.foreseen, system, p)
    return planning_on_unforeseen(missed, planning, p)


# E4 ---------------------------------------------------------------------------------------------
@kernel
def transition(age, p):
    """Penalty on cost and quality of a body of this age. [dijkgraaf_gradus_2013] E4"""
    return p.transition_cost * exp(-clip(age / TRANSITION_YEARS, 0.0, STEEPEST))


@kernel
def mean_transition(p):
    """Mean penalty over the horizon, which the founders of a body expect. E4"""
    spent = 1.0 - exp(-clip(p.horizon_years / TRANSITION_YEARS, 0.0, STEEPEST))
    return p.transition_cost * TRANSITION_YEARS / p.horizon_years * spent


@kernel
def haul_cost(haul, radius):
    """Cost of distance, share of joint cost; radius in km. Assumed. E4"""
    return haul * radius / HAUL_UNIT


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
    return min(1.0, p.grant_strength * government + p.business_strength * business)


# E5 ---------------------------------------------------------------------------------------------
@kernel
def strained(demand):
    """Share of quality left when demand, relative to normal, exceeds 1. Assumed. E5"""
    return exp(-STRAIN * log(max(demand, 1.0)))


@kernel
def pooling(forum, business, p):
    """How far a body works with its best member's capacity, 0 to 1. Assumed. E5"""
    learnt = forum_on_pooling(p.pooling, forum, p)
    return business_on_pooling(learnt, business, p)


@kernel
def pooled_capacity(mean, best, pooling):
    """Capacity that a body works with, between its mean and its best member's. E5"""
    return mean + pooling * (best - mean)


@kernel
def remoteness(radius, voice, p):
    """Share of quality lost with distance; radius in km. Assumed. E5"""
    return community_on_remoteness(min(REMOTENESS * radius / HAUL_UNIT, 1.0), voice, p)


@kernel
def joint_quality(capacity, shortfall, penalty, remoteness):
    """Service quality; ``shortfall`` is the share of people whose region falls short. E5"""
    left = (1.0 - SHORTFALL_QUALITY * shortfall) * (1.0 - min(penalty, 1.0))
    return capacity * left * (1.0 - remoteness)


# E6 ---------------------------------------------------------------------------------------------
@kernel
def autonomy_loss(autonomy, part, p):
    """Value of the autonomy that a region gives up in its body. E6"""
    return p.autonomy_cost * autonomy * (1.0 - part)


@kernel
def fit_loss(wish, joint, areas, p):
    """Loss of a member from a joint service unlike its wishes. [oates_1972] E6

    ``wish`` is its priority of the area, ``joint`` the priority that the service is made for.
    """
    apart = areas * (wish - joint)
    return p.interest_fit * apart * apart


@kernel
def fit_loss_of_all(squares, total, members, joint, areas, p):
    """The same, summed over members: from sums of the squares and values of their wishes. E6"""
    apart = squares - 2.0 * joint * total + members * joint * joint
    return p.interest_fit * areas * areas * max(apart, 0.0)


@kernel
def planned_fit(loss, planning, p):
    """The same with a plan that makes room for unlike wishes. E6"""
    return planning_on_fit(loss, planning, p)


@kernel
def net_benefit(cost_ratio, quality_gain, lost_autonomy, misfit, p):
    """Net benefit a year per unit of stand-alone cost. E6

    Saving and quality, less lost autonomy and the misfit of the joint service.
    """
    return 1.0 - cost_ratio + p.quality_value * quality_gain - lost_autonomy - misfit


# E7 ---------------------------------------------------------------------------------------------
@kernel
def attention_odds(unit, stress, peers, p):
    """Log odds that a region considers an area in a quarter. [kwon_feiock_2010] E7

    ``unit`` is its stand-alone unit cost, ``peers`` the share of its contacts that share the area.
    """
    return (
        p.attention_base
        + p.attention_cost * (unit - 1.0)
        + ATTENTION_STRESS * stress
        + ATTENTION_PEERS * peers
    )


@kernel
def attention(odds, grant, forum, p):
    """Chance that a region considers an area in a quarter. E7"""
    return forum_on_attention(government_on_attention(logistic(odds), grant, p), forum, p)


@kernel
def nearness(distance, mean_distance, land):
    """Nearness of a contact, before it is scaled to mean 1 over a region's contacts. E7"""
    reach = max(NEAR_REACH * mean_distance, 1e-9)
    return exp(-min(distance / reach, STEEPEST)) * (1.0 + NEAR_LAND * land)


@kernel
def noticing(near, trust, forum, tier, p):
    """Chance of noticing a contact as a possible partner. [leroux_2010] E7"""
    chance = clip(p.notice * near * (0.5 + trust) * (1.0 + NOTICE_TIER * tier), 0.0, 1.0)
    return forum_on_notice(chance, forum, p)


@kernel
def misperception(forum, planning, p):
    """Standard deviation of the error in judging a union, per unit of stand-alone cost. E7"""
    return planning_on_error(forum_on_error(p.misperception, forum, p), planning, p)


# E9 ---------------------------------------------------------------------------------------------
@kernel
def decision_rate(
    trust, commitment, culture, interests, partners, members, form, planning, team, mediation, p
):
    """Rate at which members take a joint decision, a quarter. [choi_robertson_2014] E9

    It holds for the conclusion of a negotiation and for a joint matter in a running body.
    ``partners`` is 1 where the two parties are partners in another area.
    """
    power = (
        p.decision_trust * (trust - REFERENCE_TRUST)
        + p.decision_commitment * (commitment - REFERENCE_COMMITMENT)
        - DECISION_DIFFERENCE * (culture + interests)
        + DECISION_PARTNERS * partners
    )
    slow = max(members - 1.0, 1.0) ** DECISION_MEMBERS if form == BOARD else 1.0
    rate = p.decision_speed * exp(clip(power, -STEEPEST, STEEPEST)) / slow
    rate = team_on_conclusion(planning_on_conclusion(rate, planning, p), team, p)
    return ngo_on_conclusion(rate, mediation, p)


@kernel
def conclusion(rate):
    """Chance in a quarter that a negotiation concludes. E9"""
    return 1.0 - exp(-min(rate, STEEPEST))


@kernel
def matter_time(rate):
    """Months that a joint matter takes in a running body. E9"""
    return MATTER_MONTHS / max(rate, 1e-9)


# E10 --------------------------------------------------------------------------------------------
@kernel
def observed(monitoring, system, p):
    """Chance that a member's conduct is observed in a quarter. E10, E12"""
    seen = monitoring_on_observation(OBSERVATION, monitoring, p)
    return information_on_observation(seen, system, p)


@kernel
def conduct_odds(goodwill, commitment, trust, stress, part, seen, p):
    """Log odds that a member keeps its promises in a quarter. Assumed. E10

    ``part`` is its share of the body's people, ``seen`` the chance that its conduct is observed.
    """
    temptation = SHORTFALL_SHARE * (1.0 - part) * (1.0 - seen)
    return (
        p.honour_base
        + HONOUR_GOODWILL * (goodwill - REFERENCE_GOODWILL)
        + HONOUR_COMMITMENT * (commitment - REFERENCE_COMMITMENT)
        + HONOUR_TRUST * (trust - REFERENCE_TRUST)
        - HONOUR_STRESS * stress
        - HONOUR_TEMPTATION * temptation / TEMPTATION_UNIT
    )


@kernel
def conduct(odds, voice, p):
    """Chance that a member keeps its promises in a quarter. E10"""
    chance = logistic(odds)
    return community_on_conduct(chance, voice, p)


# E11 --------------------------------------------------------------------------------------------
@kernel
def leaving(load, trust, commitment, p):
    """Chance in a quarter that a member leaves. [elston_rackwitz_bel_2023] E11

    ``load`` is information, practice and negotiation cost, ``trust`` that within its body.
    """
    reasons = (
        EXIT_LOAD * (load / LOAD_UNIT - 1.0)
        + p.exit_trust * (REFERENCE_TRUST - trust) / DISTRUST_UNIT
        - EXIT_COMMITMENT * (commitment - REFERENCE_COMMITMENT)
    )
    hazard = p.exit_base * exp(clip(reasons, -STEEPEST, STEEPEST))
    return 1.0 - exp(-min(hazard / QUARTERS, STEEPEST))


# E12 --------------------------------------------------------------------------------------------
@kernel
def closer(value, goal, part):
    """A value that moves a part of the way towards a goal. E12"""
    return value + part * (goal - value)


@kernel
def faster(part, times):
    """Share of a quarter at so many times the speed of another. E12"""
    return 1.0 - (1.0 - part) ** times


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
    return logistic(EARNED + (realised - expected) / EARNED_UNIT)


# Bookkeeping --------------------------------------------------------------------------------------
# Sums, shares and starting values; the page of the model describes them in words.


@kernel
def ties(members, form):
    """Pairs of partners: of a contract the provider with each buyer, otherwise all pairs."""
    return members - 1.0 if form == CONTRACT else 0.5 * members * (members - 1.0)


@kernel
def mean_trust(total, ties):
    """Mean trust over both ways of each tie, from its sum."""
    return total / max(2.0 * ties, 1.0)


@kernel
def partner_exponent(form):
    """Exponent of partners in negotiation cost for a legal form."""
    if form == CONTRACT:
        return PARTNERS_CONTRACT
    return PARTNERS_LEAD if form == LEAD else PARTNERS_BOARD


@kernel
def expected_members(efficient_scale, people, cap):
    """Members to be expected in the end: as many as efficient scale asks for. E8

    ``people`` is the mean served by the two that choose a form.
    """
    return clip(efficient_scale / people, 2.0, max(cap, 2.0))


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
    grant, share = p.grant_strength * government, p.business_strength * business
    return due * grant / max(grant + share, 1.0)


@kernel
def cofinanced(due, government, business, p):
    """Start-up that business pays; together with grants at most all of it."""
    grant, share = p.grant_strength * government, p.business_strength * business
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
def union_change(members, cost, spill, quality, autonomy, misfit, price, entry, judged, p):
    """Change of judged net benefit that a union makes to all its members together.

    All but ``price`` are sums over the members: cost and spillover per unit of stand-alone cost,
    gained quality, lost autonomy, misfit, the weight of start-up, and net benefit as judged before.
    """
    after = members - cost + spill + p.quality_value * quality - p.autonomy_cost * autonomy - misfit
    return after - p.startup_cost * price * entry / p.horizon_years - judged


@kernel
def mandated_goodwill(goodwill, is_bound):
    """Goodwill of a region in an area: less of it under a mandate."""
    return goodwill * (MANDATED if is_bound else 1.0)


@kernel
def consents(votes, people, consent):
    """Whether the votes in a party, in people governed, are enough under a rule of consent."""
    if consent == UNANIMITY:
        return votes >= people
    return votes > 0.5 * people if consent == MAJORITY else votes >= 0.75 * people


@kernel
def kept_back(kept, seen):
    """Share of its due that a member keeps back: nothing if it keeps its promises or is seen."""
    return (1.0 - kept) * (1.0 - seen) * SHORTFALL_SHARE


@kernel
def bound_goal(goal, bound, joint):
    """Commitment goal of a region with mandates on part of its joint cost."""
    return goal * (1.0 - (1.0 - MANDATED) * bound / joint)


# E1: the first state ------------------------------------------------------------------------------


@kernel
def initial_culture(tier, own, p):
    """A culture score from two standard normal numbers: of the higher tier and of the region."""
    between = sqrt(p.culture_between) * tier + sqrt(1.0 - p.culture_between) * own
    return p.culture_spread * between


@kernel
def given_culture(value, p):
    """A culture score from a column, in units of its scale."""
    return p.culture_spread * value


@kernel
def initial_capacity(population, deviation, p):
    """Capacity at the start, from population and a standard normal number."""
    size = log(population / REFERENCE_POPULATION)
    capacity = MEAN_CAPACITY + CAPACITY_BY_SIZE * size + p.capacity_spread * deviation
    return clip(capacity, 0.0, 1.0)


@kernel
def initial_trust(distance, deviation, p):
    """Trust at the start, from cultural distance and a standard normal number."""
    trust = p.trust_start - p.trust_culture * (distance - 1.0) + TRUST_SPREAD * deviation
    return clip(trust, 0.0, 1.0)


@kernel
def settled_trust(trust, years, p):
    """Trust of partners who have worked together for these years. Assumed."""
    passed = 1.0 - exp(-clip(years / PAST_YEARS, 0.0, STEEPEST))
    return trust + max(p.past_trust - trust, 0.0) * passed


@kernel
def settled_practice(years, p):
    """Part of the way to a common practice that partners have gone in these years."""
    return 1.0 - (1.0 - p.learning) ** (QUARTERS * max(years, 0.0))
