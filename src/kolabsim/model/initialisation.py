"""The first state of a run: values that no table gives are drawn, alike for every strategy."""

from __future__ import annotations

from math import isnan

from kolabsim.model import laws, rng
from kolabsim.model.bodies import (
    are_partners,
    enter,
    open_body,
    refresh_slot,
    remember,
    tally_one,
)
from kolabsim.model.jit import device, kernel, stage
from kolabsim.model.levers import CAP
from kolabsim.model.parameters import (
    AUTONOMY_CONCENTRATION,
    GOODWILL_CONCENTRATION,
    QUARTERS,
    STRESS_CONCENTRATION,
)
from kolabsim.model.state import CULTURE, DIMENSIONS, INTERESTS, NOBODY, PAID, RATION, ROW

BODY_AREA, BODY_FORM, BODY_BEGAN, BODY_BOUND, BODY_PROVIDER, BODY_MEMBERS = range(6)
"""Columns of an existing body: area, form, quarter it began, end of mandate, provider, member."""

GOODWILL, AUTONOMY, STRESS = range(0, 6, 2)
"""First of the two numbers of each trait among the draws of PREFERENCES."""


@stage
def initialise(w, s, policy, p, key):
    """Set up a run; ``key`` addresses the draws of the traits of regions, not of their actions."""
    regions, areas = s.slot.shape
    s.moment[0] = w.setting[0]
    now = s.moment[0]
    now.seed, now.traits, now.changed = key.seed, key.run, 1
    now.founding_penalty = laws.mean_transition(p)
    for k in range(s.ledger.shape[1]):
        s.ledger[PAID, k], s.ledger[RATION, k] = 0.0, 1.0
    for b in range(len(s.body)):
        s.body[b].members = 0
    for a in range(areas):
        s.area[a] = w.area[a]
        for term in range(s.effect.shape[1]):
            s.effect[a, term, 0], s.effect[a, term, 1] = 1.0, 0.0
    for c in range(len(s.contact)):
        s.contact[c] = w.contact[c]
    for i in range(regions):
        s.region[i] = w.region[i]
        s.region[i].forum = policy.forum[policy.period[0], i]
        draw_region(w, s, p, i, key)
    for k in range(regions * areas):
        measure_row(s.sums[k])
    for i in range(regions):
        for c in range(s.region[i].first, s.region[i].end):
            draw_trust(s.region[i], s.contact[c], i, s, p, key)
        for a in range(areas):
            refresh_slot(s, p, i, a)
            slot = s.slot[i, a]
            slot.capacity_start = slot.capacity
            slot.due = slot.people * slot.alone
    # All bodies have their members before the first is summed, so that each knows of the others.
    for k in range(len(w.body)):
        place_body(w.body[k], k + 1, s, p)
    for c in range(len(s.contact)):
        s.contact[c].trust_start = s.contact[c].trust
    remember(s)
    for body in range(len(s.body)):
        if s.body[body].members > 0:
            start_body(s, p, body, key.quarter)
    for i in range(regions):
        aspire(s, i)


@device
def draw_region(w, s, p, i, key):
    """Draw the traits of a region that no column gives."""
    areas, region = s.slot.shape[1], s.region[i]
    code = region.id
    region.population = w.population[w.period[0], i]
    total = 0.0
    for block in range((areas + 3) // 4):
        spread = rng.normals(rng.words(key, rng.CAPACITY, block, code, code))
        practice = rng.normals(rng.words(key, rng.PRACTICE, block, code, code))
        for k in range(min(4, areas - 4 * block)):
            a = 4 * block + k
            slot = s.slot[i, a]
            capacity = w.capacity[i, a]
            if isnan(capacity):
                capacity = laws.initial_capacity(region.population, spread[k], p)
            slot.capacity = laws.clip(capacity, 0.0, 1.0)
            slot.practice = practice[k]
            # A Dirichlet draw: gamma numbers, scaled to sum to 1.
            interest = w.interest[i, a]
            if isnan(interest):
                interest = rng.gamma(key, rng.INTERESTS, code, a, p.interest_concentration)
            slot.interest = interest
            total += interest
            slot.demand = w.demand[w.period[0], i, a]
            slot.body = slot.contact = slot.before = slot.mandate = NOBODY
            slot.entered = slot.bound_until = slot.leaves = slot.listed = 0
            slot.role = slot.role_before = slot.away = 0
            slot.opened, slot.order = -1, -1.0
            slot.government = slot.ngo = slot.business = slot.community = 0.0
            slot.omega = slot.judged = slot.expected = slot.realised = 0.0
            slot.kept = slot.seen = slot.load = slot.body_trust = 0.0
            slot.startup = slot.granted = slot.cofinanced = slot.programme = 0.0
            slot.cost, slot.cleared = 1.0, 0
    # Where all priorities are 0, as far as numbers can tell, they are equal.
    for a in range(areas):
        slot = s.slot[i, a]
        slot.interest = slot.interest / total if total > 0.0 else 1.0 / areas
    own = rng.normals(rng.words(key, rng.CULTURE, rng.ONLY, code, code))
    tier = rng.normals(rng.words(key, rng.TIER, rng.ONLY, region.tier_id, region.tier_id))
    for a in range(areas):
        row = s.sums[i * areas + a]
        for d in range(DIMENSIONS):
            given = w.culture[i, d]
            if isnan(given):
                row[CULTURE + d] = laws.initial_culture(tier[d], own[d], p)
            else:
                row[CULTURE + d] = laws.given_culture(given, p)
        for b in range(areas):
            row[INTERESTS + b] = s.slot[i, b].interest
    region.stress_start = draw_trait(
        w.stress[i], p.stress_mean, STRESS_CONCENTRATION, STRESS, code, key
    )
    region.stress = laws.clip(region.stress_start + w.stress_change[w.period[0], i], 0.0, 1.0)
    region.goodwill = draw_trait(
        w.goodwill[i], p.goodwill_mean, GOODWILL_CONCENTRATION, GOODWILL, code, key
    )
    region.autonomy = draw_trait(
        w.autonomy[i], p.autonomy_mean, AUTONOMY_CONCENTRATION, AUTONOMY, code, key
    )
    region.commitment, region.reputation = p.commitment_start, p.reputation_start
    region.aspiration = region.success = 0.0
    region.moving = region.entering = 0


@device
def draw_trait(given, mean, concentration, place, code, key):
    """A trait from a column, or else a draw from a Beta distribution."""
    if not isnan(given):
        return given
    high = rng.gamma(key, rng.PREFERENCES, code, place, mean * concentration)
    low = rng.gamma(key, rng.PREFERENCES, code, place + 1, (1.0 - mean) * concentration)
    return high / (high + low) if high + low > 0.0 else mean


@device
def measure_row(row):
    """Set the squared lengths of culture and priorities in the row of a region."""
    culture, interests = 0.0, 0.0
    for d in range(CULTURE, INTERESTS):
        culture += row[d] * row[d]
    for f in range(INTERESTS, len(row)):
        interests += row[f] * row[f]
    row[ROW.culture_squares], row[ROW.interest_squares] = culture, interests


@device
def draw_trust(region, contact, i, s, p, key):
    """Draw a region's initial trust in a contact."""
    areas, j, squares = s.slot.shape[1], contact.target, 0.0
    for d in range(DIMENSIONS):
        squares += (s.sums[i * areas, CULTURE + d] - s.sums[j * areas, CULTURE + d]) ** 2
    draw = rng.normals(rng.words(key, rng.TRUST, rng.ONLY, region.id, s.region[j].id))[0]
    distance = squares / laws.culture_reference(float(DIMENSIONS))
    contact.trust = contact.trust_start = laws.initial_trust(distance, draw, p)
    contact.damage = 0.0


@device
def place_body(given, number, s, p):
    """Set up a body that exists at the start; its members have worked together since it began."""
    a, began = given[BODY_AREA], given[BODY_BEGAN]
    body = open_body(s, given[BODY_MEMBERS], a, given[BODY_FORM], given[BODY_PROVIDER], began)
    s.moment[0].listed += 1.0
    s.moment[0].listed_kept += 1.0
    for m in range(CAP):
        if given[BODY_MEMBERS + m] != NOBODY:
            i = given[BODY_MEMBERS + m]
            enter(s, body, i, began)
            s.slot[i, a].bound_until, s.slot[i, a].listed = given[BODY_BOUND], number
    settle(s, p, body, max(-began, 0) / QUARTERS)


@device
def settle(s, p, body, years):
    """Let the members of a body have learnt from each other for these years."""
    a, size, provider = s.body[body].area, s.body[body].members, s.body[body].provider
    goal = 0.0
    for k in range(size):
        goal += s.slot[s.members[body, k], a].practice / size
    if provider != NOBODY:
        goal = s.slot[provider, a].practice
    for k in range(size):
        i = s.members[body, k]
        slot, row = s.slot[i, a], s.sums[i * s.slot.shape[1] + a]
        if i != provider:
            slot.practice = laws.closer(slot.practice, goal, laws.settled_practice(years, p))
        row[ROW.practice] = slot.practice
        row[ROW.practice_squares] = slot.practice * slot.practice
        for c in range(s.region[i].first, s.region[i].end):
            contact = s.contact[c]
            if are_partners(slot, s.slot[contact.target, a]):
                trust = laws.settled_trust(contact.trust_start, years, p)
                contact.trust = max(contact.trust, trust)


@device
def start_body(s, p, body, quarter):
    """Sum a body that exists at the start, and note the benefits that its members expect."""
    a = s.body[body].area
    terms = tally_one(s, p, body, quarter)
    for m in range(s.body[body].members):
        i = s.members[body, m]
        slot = s.slot[i, a]
        slot.expected = slot.judged
        # The members' knowledge of the body when they first decide whether to leave it.
        slot.load, slot.body_trust, slot.realised = terms.load, terms.trust, slot.judged


@device
def aspire(s, i):
    """Let a region that is in bodies at the start aspire to what it expects of them, by cost."""
    hoped, joint = 0.0, 0.0
    for a in range(s.slot.shape[1]):
        slot = s.slot[i, a]
        if slot.body != NOBODY:
            cost = slot.people * slot.alone * s.area[a].cost_per_resident
            hoped += cost * slot.judged
            joint += cost
    if joint > 0.0:
        s.region[i].aspiration = hoped / joint


@kernel
def place_contacts(region, contact, distance):
    """Set the nearness of each contact, scaled to mean 1 over a region's contacts (E7).

    Without the scaling, results on one island would depend on whether a distant island is in the
    table.
    """
    for i in range(len(region)):
        first, end = region[i].first, region[i].end
        mean, total = 0.0, 0.0
        for c in range(first, end):
            mean += distance[c] / (end - first)
        for c in range(first, end):
            contact[c].near = laws.nearness(distance[c], mean, contact[c].land)
            total += contact[c].near
        for c in range(first, end):
            contact[c].near = contact[c].near * (end - first) / total if total > 0.0 else 1.0
