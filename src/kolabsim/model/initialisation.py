"""The first state of a run: values that no table gives are drawn, alike for every strategy."""

from __future__ import annotations

from math import isnan, log, sqrt

from kolabsim.model import laws, rng
from kolabsim.model.agreements import record_expectation
from kolabsim.model.bodies import (
    enter,
    mean_interest_distance,
    open_body,
    present_outlook,
    refresh_slot,
    tally,
)
from kolabsim.model.jit import device, inlined, kernel
from kolabsim.model.levers import CAP
from kolabsim.model.state import CULTURE, DIMENSIONS, INTERESTS, NOBODY, PAID, RATION, ROW

BODY_AREA, BODY_FORM, BODY_BEGAN, BODY_BOUND, BODY_MEMBERS = range(5)
"""Columns of an existing body: area, form, quarter it began, bound until, first member."""


@inlined
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
    standardise(s)
    for i in range(regions):
        for c in range(s.region[i].first, s.region[i].end):
            draw_trust(s.region[i], s.contact[c], i, s, p, key)
        for a in range(areas):
            refresh_slot(s, p, i, a)
            slot = s.slot[i, a]
            slot.capacity_start = slot.capacity
            slot.due = slot.people * slot.alone
    now.mean_interest = mean_interest_distance(s)
    for k in range(len(w.body)):
        place_body(w.body[k], s, p, key.quarter)


@device
def draw_region(w, s, p, i, key):
    """Draw the traits of a region that no column gives."""
    areas, region = s.slot.shape[1], s.region[i]
    code = region.id
    region.population = w.population[w.period[0], i]
    size = log(region.population / s.moment[0].median_population)
    length, total = 0.0, 0.0
    for block in range((areas + 3) // 4):
        spread = rng.normals(rng.words(key, rng.CAPACITY, block, code, code))
        one = rng.words(key, rng.INTERESTS, 2 * block, code, code)
        two = rng.words(key, rng.INTERESTS, 2 * block + 1, code, code)
        for k in range(min(4, areas - 4 * block)):
            a = 4 * block + k
            slot = s.slot[i, a]
            capacity = w.capacity[i, a]
            if isnan(capacity):
                capacity = laws.initial_capacity(size, spread[k], p)
            slot.capacity = laws.clip(capacity, 0.0, 1.0)
            # A Dirichlet(2) draw: gamma numbers of shape 2, scaled to sum to 1.
            interest = w.interest[i, a]
            if isnan(interest):
                interest = -log(rng.unit(rng.pick(one, k))) - log(rng.unit(rng.pick(two, k)))
            slot.interest = interest
            total += interest
            slot.demand = w.demand[w.period[0], i, a]
            slot.body = slot.contact = NOBODY
            slot.entered = slot.bound_until = slot.leaves = 0
            slot.opened, slot.order = -1, -1.0
            slot.government = slot.ngo = slot.business = slot.community = 0.0
            slot.omega = slot.judged = slot.expected = slot.realised = 0.0
            slot.kept = slot.seen = slot.load = slot.body_trust = 0.0
            slot.startup = slot.granted = slot.cofinanced = slot.programme = 0.0
            slot.cost, slot.cleared = 1.0, 0
    for a in range(areas):
        slot = s.slot[i, a]
        slot.interest /= total
        length += slot.interest * slot.interest
    scores = rng.normals(rng.words(key, rng.CULTURE, rng.ONLY, code, code))
    for a in range(areas):
        s.slot[i, a].direction = s.slot[i, a].interest / sqrt(length)
        row = s.sums[i * areas + a]
        for d in range(DIMENSIONS):
            given = w.culture[i, d]
            row[CULTURE + d] = scores[d] if isnan(given) else given
        for b in range(areas):
            row[INTERESTS + b] = s.slot[i, b].interest / sqrt(length)
    stress = w.stress[i]
    if isnan(stress):
        stress = laws.initial_stress(scores[3], p)
    region.stress_start = stress
    region.stress = laws.clip(stress + w.stress_change[w.period[0], i], 0.0, 1.0)
    # Beta(3, 3) and Beta(2, 6): ratios of gamma numbers, which are sums of exponential ones.
    high, low, kind, selfish = 0.0, 0.0, 0.0, 0.0
    for k in range(14):
        four = rng.words(key, rng.PREFERENCES, k // 4, code, code)
        exponential = -log(rng.unit(rng.pick(four, k % 4)))
        if k < 3:
            high += exponential
        elif k < 6:
            low += exponential
        elif k < 8:
            kind += exponential
        else:
            selfish += exponential
    region.autonomy = high / (high + low)
    region.goodwill = kind / (kind + selfish)
    region.commitment, region.reputation = p.commitment_start, p.reputation_start
    region.aspiration = region.success = 0.0
    region.moving = region.entering = 0


@device
def standardise(s):
    """Scale each dimension of culture to variance 1 over the regions; 0 where all are alike."""
    regions, areas = s.slot.shape
    for d in range(DIMENSIONS):
        mean, squares = 0.0, 0.0
        for i in range(regions):
            mean += s.sums[i * areas, CULTURE + d] / regions
        for i in range(regions):
            squares += (s.sums[i * areas, CULTURE + d] - mean) ** 2
        variance = squares / max(regions - 1.0, 1.0)
        scale = laws.standardising(variance)
        for k in range(regions * areas):
            s.sums[k, CULTURE + d] = (s.sums[k, CULTURE + d] - mean) * scale
    for k in range(regions * areas):
        squares = 0.0
        for d in range(DIMENSIONS):
            squares += s.sums[k, CULTURE + d] ** 2
        s.sums[k, ROW.culture_squares] = squares


@device
def draw_trust(region, contact, i, s, p, key):
    """Draw a region's initial trust in a contact."""
    areas, j, squares = s.slot.shape[1], contact.target, 0.0
    for d in range(DIMENSIONS):
        squares += (s.sums[i * areas, CULTURE + d] - s.sums[j * areas, CULTURE + d]) ** 2
    draw = rng.normals(rng.words(key, rng.TRUST, rng.ONLY, region.id, s.region[j].id))[0]
    distance = squares / (2.0 * DIMENSIONS)
    contact.trust = contact.trust_start = laws.initial_trust(distance, draw, p)
    contact.damage = 0.0


@device
def place_body(given, s, p, quarter):
    """Set up a body that exists at the start, with the benefits that its members expect."""
    a, began = given[BODY_AREA], given[BODY_BEGAN]
    body = open_body(s, given[BODY_MEMBERS], a, given[BODY_FORM], began)
    for m in range(CAP):
        if given[BODY_MEMBERS + m] != NOBODY:
            i = given[BODY_MEMBERS + m]
            enter(s, body, i, began)
            s.slot[i, a].bound_until = given[BODY_BOUND]
    tally(s, p, body, quarter)
    view = present_outlook(s, p, a, body, quarter)
    for m in range(s.body[body].members):
        i = s.members[body, m]
        slot = s.slot[i, a]
        record_expectation(s, i, a, slot.judged, began <= quarter)
        # The members' knowledge of the body when they first decide whether to leave it.
        slot.load, slot.body_trust, slot.realised = view.load, view.trust, slot.judged


@kernel
def place_contacts(region, contact, distance, p):
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
            contact[c].near = laws.nearness(distance[c], mean, contact[c].land, p)
            total += contact[c].near
        for c in range(first, end):
            contact[c].near = contact[c].near * (end - first) / total if total > 0.0 else 1.0
