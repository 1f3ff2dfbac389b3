"""Parties and joint bodies: their rows of sums, the benefit of a union, and their membership.

The file is long because negotiating, voting, producing and starting a run all judge bodies by the
same rows, whose functions call each other.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from kolabsim.model import laws, rng
from kolabsim.model.jit import ahead_of_body, device
from kolabsim.model.parameters import EARTH, QUARTERS
from kolabsim.model.state import CULTURE, DIMENSIONS, INTERESTS, NOBODY, ROW

on_information = laws.term(
    "information", "cost of informing each other (E3)", "share of joint cost", most=inf
)
on_negotiation = laws.term(
    "negotiation", "cost of negotiating (E3)", "share of joint cost", most=inf
)
on_enforcement = laws.term(
    "enforcement", "cost of enforcing promises (E3)", "share of joint cost", most=inf
)
on_steering = laws.term("steering", "ease of agreement in a body, 1 as under a lead region (E3)")
on_pooling = laws.term("pooling", "pooling of capacity, 1 without any lever (E5)", "1", most=inf)
on_capacity = laws.term("capacity", "capacity that a joint body works with (E5)")
on_quality = laws.term("quality", "service quality of a joint body (E5)")
on_error = laws.term(
    "error", "error in judging a union (E7)", "share of stand-alone cost", most=inf
)


class Outlook(NamedTuple):
    """The production of a body, or of a union that is judged, from the row of its sums."""

    price: float
    """Joint cost per unit of sharing weight."""
    quality: float
    """Service quality if members keep their promises as their reputations suggest."""
    capacity: float
    """Capacity that it works with, less the strain of demand."""
    unit: float
    """Unit cost of its scale."""
    information: float
    negotiation: float
    enforcement: float
    overhead: float
    haul: float
    penalty: float
    """Coordination, haul and transition, shares of joint cost."""
    trust: float
    """Mean trust between members."""
    load: float
    """Information and negotiation cost, which drives members to leave."""


class Sides(NamedTuple):
    """The form and host of a union, and the parties that enter it."""

    penalty: float
    """Transition penalty of the united body."""
    form: int
    """Its legal form."""
    host: int
    """The body that continues, or NOBODY at a founding."""
    first_enters: bool
    """Whether the opener's party enters and pays start-up."""
    second_enters: bool
    """Whether the other party does."""


@device
def party_row(slot, i, a):
    """The row of the party that region i belongs to in area a; ``slot`` are all slots."""
    body = slot[i, a].body
    return i * slot.shape[1] + a if body == NOBODY else slot.size + body


@device
def party_body(slot, party):
    """The body behind a party's row, or NOBODY where it is a region alone."""
    return party - slot.size if party >= slot.size else NOBODY


@device
def party_member(slot, members, party, k):
    """The k-th member of a party."""
    body = party_body(slot, party)
    return party // slot.shape[1] if body == NOBODY else members[body, k]


@device
def same_forum(one, other):
    """1 if two regions meet in one forum."""
    return 1.0 if one.forum >= 0 and one.forum == other.forum else 0.0


@device
def mean_interest_distance(s):
    """Mean of 1 - cos of interests over all pairs of regions."""
    regions, areas = s.slot.shape
    if regions < 2:
        return 0.0
    squares = 0.0
    for a in range(areas):
        total = 0.0
        for i in range(regions):
            total += s.slot[i, a].direction
        squares += total * total
    return max(1.0 - (squares - regions) / (regions * (regions - 1.0)), 0.0)


@device
def refresh_slot(s, p, i, a):
    """Update all that follows from a slot's population, demand, stress and capacity, with its row.

    The row holds culture and interests from the start.
    """
    region, slot, area = s.region[i], s.slot[i, a], s.area[a]
    slot.people = region.population * slot.demand
    slot.alone = laws.unit_cost(
        slot.people, area.efficient_scale, area.curvature_below, area.curvature_above,
        s.moment[0].unit_cost,
    )  # fmt: skip
    slot.reference = slot.capacity * laws.strained(slot.demand, p)
    weight = laws.sharing_weight(s.moment[0].shares, slot.people, slot.alone, region.stress)
    slot.weight = weight
    slot.burden = weight / (slot.people * slot.alone)
    row = s.sums[i * s.slot.shape[1] + a]
    row[ROW.members] = 1.0
    row[ROW.people] = slot.people
    row[ROW.residents] = region.population
    row[ROW.capacity] = slot.people * slot.capacity
    row[ROW.best] = slot.capacity
    row[ROW.reference] = slot.reference
    row[ROW.weight] = weight
    row[ROW.burden] = slot.burden
    aid = laws.aided(slot.government, slot.business, p)
    row[ROW.entry] = laws.entry_weight(region.stress, slot.burden, aid)
    row[ROW.autonomy] = region.autonomy
    row[ROW.autonomy_people] = region.autonomy * region.population
    row[ROW.reputation] = region.reputation
    row[ROW.trust] = 0.0
    row[ROW.spill] = 0.0
    row[ROW.judged] = 0.0
    row[ROW.mediation] = slot.ngo
    row[ROW.business] = slot.business
    row[ROW.x] = region.population * region.x
    row[ROW.y] = region.population * region.y
    row[ROW.z] = region.population * region.z
    if slot.body == NOBODY:
        slot.judged = 0.0
        slot.omega = 0.0


@device
def body_forum_share(s, body):
    """Share of the pairs inside a body that meet in one forum."""
    if s.area[s.body[body].area].forum == 0.0:
        return 0.0
    n, pairs = s.body[body].members, 0.0
    for k in range(n):
        for m in range(k):
            pairs += same_forum(s.region[s.members[body, k]], s.region[s.members[body, m]])
    return pairs / (0.5 * n * (n - 1.0))


@device
def union_forum_share(s, a, first, second):
    """Share of the pairs inside the union of two parties that meet in one forum."""
    if s.area[a].forum == 0.0:
        return 0.0
    split, pairs = int(s.sums[first, ROW.members]), 0.0
    n = split + int(s.sums[second, ROW.members])
    for k in range(n):
        i = union_member(s, first, second, split, k)
        for m in range(k):
            j = union_member(s, first, second, split, m)
            pairs += same_forum(s.region[i], s.region[j])
    return pairs / (0.5 * n * (n - 1.0))


@device
def union_member(s, first, second, split, k):
    """The k-th member of a union whose first ``split`` members are the first party's."""
    if k < split:
        return party_member(s.slot, s.members, first, k)
    return party_member(s.slot, s.members, second, k - split)


@device
def interests_apart(row, mean_interest):
    """Mean misalignment of interests (E2) in a row of sums."""
    squares = 0.0
    for f in range(INTERESTS, len(row)):
        squares += row[f] * row[f]
    return laws.interest_distance(row[ROW.members], squares, mean_interest)


@device
def cultures_apart(row):
    """Mean cultural distance (E2) in a row of sums."""
    squares = 0.0
    for d in range(DIMENSIONS):
        squares += row[CULTURE + d] * row[CULTURE + d]
    return laws.culture_distance(
        row[ROW.members], row[ROW.culture_squares], squares, float(DIMENSIONS)
    )


@device
def outlook(area, effects, now, p, row, form, penalty, forum, shortfall):
    """The production of a body with this row of sums in an area (E3 to E5).

    ``effects`` are those of user-defined mechanisms in the area, ``forum`` is the share of its
    pairs inside one forum, ``shortfall`` the share of its people whose region is expected (or was
    seen) to fall short.
    """
    n = row[ROW.members]
    meeting, system = area.forum * forum, area.information
    trust = laws.mean_trust(row[ROW.trust], n)
    information = on_information(
        laws.information_cost(cultures_apart(row), meeting, system, p), effects
    )
    steering = on_steering(laws.steering(area.team, p), effects)
    negotiation = laws.negotiation_cost(
        interests_apart(row, now.mean_interest), n, laws.partner_exponent(form, p), steering,
        area.planning, area.team, row[ROW.mediation] / n, p,
    )  # fmt: skip
    negotiation = on_negotiation(negotiation, effects)
    enforcement = on_enforcement(
        laws.enforcement_cost(trust, area.difficulty, area.monitoring, p), effects
    )
    overhead = laws.overhead_cost(form, p)
    haul = laws.haul_cost(
        area.haul, laws.radius(row[ROW.residents], row[ROW.x], row[ROW.y], row[ROW.z], EARTH)
    )
    unit = laws.unit_cost(
        row[ROW.people], area.efficient_scale, area.curvature_below, area.curvature_above,
        now.unit_cost,
    )  # fmt: skip
    coordination = information + negotiation + enforcement + overhead
    cost = laws.joint_cost(row[ROW.people], unit, coordination, haul, penalty)
    pooling = on_pooling(laws.pooling(system, meeting, row[ROW.business] / n, p), effects)
    capacity = laws.pooled_capacity(row[ROW.capacity] / row[ROW.people], row[ROW.best], pooling, p)
    if row[ROW.people] > row[ROW.residents]:
        capacity *= laws.strained(row[ROW.people] / row[ROW.residents], p)
    capacity = on_capacity(capacity, effects)
    quality = on_quality(laws.joint_quality(capacity, shortfall, penalty, p), effects)
    return Outlook(
        cost / row[ROW.weight], quality, capacity, unit, information, negotiation, enforcement,
        overhead, haul, penalty, trust, information + negotiation,
    )  # fmt: skip


@device
def present_outlook(s, p, a, body, quarter):
    """The present production of a body, with the conduct that reputations suggest."""
    party = s.slot.size + body
    row = s.sums[party]
    penalty = laws.transition((quarter - s.body[body].began) / QUARTERS, p)
    forum = body_forum_share(s, body)
    shortfall = 1.0 - row[ROW.reputation] / row[ROW.members]
    return outlook(
        s.area[a], s.effect[a], s.moment[0], p, row, s.body[body].form, penalty, forum, shortfall
    )


@device
def benefit(region, slot, p, view, omega, spillover, people):
    """Net benefit of a region in a body with this outlook (E6), without start-up and goodwill."""
    cost_ratio = view.price * slot.burden - spillover * omega / slot.alone
    lost = laws.autonomy_loss(region.autonomy, region.population / people, p)
    return laws.net_benefit(cost_ratio, view.quality - slot.reference, lost, p)


@device
def entry_cost(region, slot, p, price):
    """Start-up that a region would pay itself, per year of the horizon and stand-alone cost."""
    aid = laws.aided(slot.government, slot.business, p)
    return laws.entry_cost(region.stress, price * slot.burden, aid, p)


@device
def tally(s, p, body, quarter):
    """Sum a body's row over its members, and judge the net benefit of each."""
    a, party = s.body[body].area, s.slot.size + body
    row, size, areas = s.sums[party], s.body[body].members, s.slot.shape[1]
    for f in range(len(row)):
        row[f] = 0.0
    for k in range(size):
        i = s.members[body, k]
        alone = s.sums[i * areas + a]
        best = max(row[ROW.best], alone[ROW.best])
        for f in range(len(row)):
            row[f] += alone[f]
        row[ROW.best] = best
    for k in range(size):
        i = s.members[body, k]
        slot, omega = s.slot[i, a], 0.0
        trust = row[ROW.reputation] - s.region[i].reputation
        for c in range(s.region[i].first, s.region[i].end):
            contact = s.contact[c]
            if s.slot[contact.target, a].body == body:
                trust += contact.trust - s.region[contact.target].reputation
                omega += contact.spill
        slot.omega = omega
        row[ROW.trust] += trust
        row[ROW.spill] += omega / slot.alone
    view = present_outlook(s, p, a, body, quarter)
    for k in range(size):
        i = s.members[body, k]
        slot = s.slot[i, a]
        slot.judged = benefit(
            s.region[i], slot, p, view, slot.omega, s.area[a].spillover, row[ROW.residents]
        )
        row[ROW.judged] += slot.judged


@device
def tally_all(s, p, quarter):
    """Sum the rows of all bodies."""
    for body in range(len(s.body)):
        ahead_of_body(s, body)
        if s.body[body].members > 0:
            tally(s, p, body, quarter)


@device
def cross_omega(region, slot, contact, a, other):
    """Weight of a region's land neighbours in another party; takes all slots and contacts."""
    omega = 0.0
    for c in range(region.first, region.end):
        if contact[c].spill > 0.0 and party_row(slot, contact[c].target, a) == other:
            omega += contact[c].spill
    return omega


@device
def unite_rows(s, i, a, first, second):
    """Write the row of the union of i's party with another into the last row.

    Of the pairs across the union only i's contacts are known; for all others, trust is the
    partner's reputation.
    """
    row, one, two = s.sums[-1], s.sums[first], s.sums[second]
    for f in range(len(row)):
        row[f] = one[f] + two[f]
    row[ROW.best] = max(one[ROW.best], two[ROW.best])
    row[ROW.trust] += (
        one[ROW.members] * two[ROW.reputation] + two[ROW.members] * one[ROW.reputation]
    )
    own = s.region[i].reputation
    for c in range(s.region[i].first, s.region[i].end):
        contact = s.contact[c]
        j = contact.target
        if party_row(s.slot, j, a) == second:
            back = s.contact[contact.reverse]
            row[ROW.trust] += contact.trust - s.region[j].reputation
            row[ROW.trust] += back.trust - own
            row[ROW.spill] += contact.spill / s.slot[i, a].alone
            row[ROW.spill] += back.spill / s.slot[j, a].alone


@device
def assign_sides(s, p, first, second, quarter):
    """Decide which party enters, which body continues, and how new the union is.

    At a founding both parties enter. Otherwise the one with fewer people enters, and the existing
    body keeps its age and form; of two bodies, the one with more people continues.
    """
    one, two = party_body(s.slot, first), party_body(s.slot, second)
    if one == NOBODY and two == NOBODY:
        return Sides(s.moment[0].founding_penalty, s.moment[0].form, NOBODY, True, True)
    first_is_larger = s.sums[first, ROW.residents] > s.sums[second, ROW.residents]
    host = one if two == NOBODY or (one != NOBODY and first_is_larger) else two
    age = (quarter - s.body[host].began) / QUARTERS
    return Sides(
        laws.transition(age, p), s.body[host].form, host, not first_is_larger, first_is_larger
    )


@device
def judge_union(s, p, i, a, first, second, sides):
    """The production of the union of i's party with another, and the change for all its members."""
    unite_rows(s, i, a, first, second)
    row = s.sums[-1]
    forum = union_forum_share(s, a, first, second)
    shortfall = 1.0 - row[ROW.reputation] / row[ROW.members]
    view = outlook(
        s.area[a], s.effect[a], s.moment[0], p, row, sides.form, sides.penalty, forum, shortfall
    )
    entry = 0.0
    if sides.first_enters:
        entry += s.sums[first, ROW.entry]
    if sides.second_enters:
        entry += s.sums[second, ROW.entry]
    return view, change_for_all(s.area[a].spillover, p, row, view, entry)


@device
def change_for_all(spillover, p, row, view, entry):
    """Change of judged net benefit that a union makes to all its members together (E6).

    ``entry`` is the summed weight of the start-up of those who enter.
    """
    gain = row[ROW.members] * view.quality - row[ROW.reference]
    lost = row[ROW.autonomy] - row[ROW.autonomy_people] / row[ROW.residents]
    return laws.union_change(
        row[ROW.members], view.price * row[ROW.burden], spillover * row[ROW.spill], gain, lost,
        view.price, entry, row[ROW.judged], p,
    )  # fmt: skip


@device
def own_change(region, slot, p, view, omega, spillover, people, enters):
    """Change of a region's judged net benefit by a union, less its start-up if it enters."""
    own = benefit(region, slot, p, view, omega, spillover, people)
    if enters:
        own -= entry_cost(region, slot, p, view.price)
    return own - slot.judged


@device
def misjudgement(s, p, i, a, contact, planning):
    """A region's error in judging unions through a contact: one draw that lasts a whole run."""
    j = s.contact[contact].target
    one, other = s.region[i], s.region[j]
    now = s.moment[0]
    key = rng.Key(now.seed, now.traits, 0)
    error = rng.normal_by_area(key, rng.ERROR, one.id, other.id, a)
    area = s.area[a]
    meeting = area.forum * same_forum(one, other)
    spread = laws.misperception(meeting, area.information, planning, p)
    return error * on_error(spread, s.effect[a])


@device
def current_goodwill(region, slot, p, quarter):
    """Goodwill of a region in an area: less of it under a mandate."""
    return laws.mandated_goodwill(region.goodwill, slot.bound_until > quarter, p)


@device
def open_body(s, i, a, form, quarter):
    """Open a new body, still without members, that region i will belong to.

    It takes the first free place after the one the region would have if every two regions shared a
    body: so bodies lie in memory in the order of their regions, and a large world is read from one
    end to the other.
    """
    body = (i * s.slot.shape[1] + a) // 2 % len(s.body)
    while s.body[body].members > 0:
        body = (body + 1) % len(s.body)
    new = s.body[body]
    new.area, new.form, new.began = a, form, quarter
    return body


@device
def enter(s, body, i, quarter):
    """Add region i to a body; members stay in the order of their codes."""
    a, k = s.body[body].area, s.body[body].members
    while k > 0 and s.members[body, k - 1] > i:
        s.members[body, k] = s.members[body, k - 1]
        k -= 1
    s.members[body, k] = i
    s.body[body].members += 1
    s.slot[i, a].body = body
    s.slot[i, a].entered = quarter
    s.moment[0].changed = 1


@device
def withdraw(s, body, i):
    """Take region i out of a body; a body of one dissolves."""
    a, size = s.body[body].area, s.body[body].members
    k = 0
    while s.members[body, k] != i:
        k += 1
    while k < size - 1:
        s.members[body, k] = s.members[body, k + 1]
        k += 1
    s.members[body, size - 1] = NOBODY
    s.body[body].members = size - 1
    clear_membership(s, i, a)
    s.moment[0].changed = 1
    if size - 1 == 1:
        last = s.members[body, 0]
        s.members[body, 0] = NOBODY
        s.body[body].members = 0
        clear_membership(s, last, a)


@device
def clear_membership(s, i, a):
    """Reset the slot of a region that serves an area alone from now on."""
    slot = s.slot[i, a]
    slot.body = NOBODY
    slot.bound_until = 0
    slot.omega = 0.0
    slot.judged = 0.0
    slot.expected = 0.0


@device
def move_members(s, source, host, quarter):
    """Move all members of one body into another, which they enter now."""
    for k in range(s.body[source].members):
        enter(s, host, s.members[source, k], quarter)
        s.members[source, k] = NOBODY
    s.body[source].members = 0
