"""Parties and joint bodies: their rows of sums, the benefit of a union, and their membership.

The file is long because negotiating, voting, producing and starting a run all judge bodies by the
same rows, whose functions call each other.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from kolabsim.model import laws, rng
from kolabsim.model.jit import ahead_of_body, device, shared_device
from kolabsim.model.levers import BOARD, CHOICE, CONTRACT
from kolabsim.model.parameters import EARTH, QUARTERS
from kolabsim.model.state import BUYER, CULTURE, DIMENSIONS, INTERESTS, NOBODY, PROVIDER, ROW

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
on_practice = laws.term("practice", "cost of unlike practice (E3)", "share of joint cost", most=inf)
on_unforeseen = laws.term(
    "unforeseen", "share of coordination cost that founders do not foresee (E3)"
)
on_pooling = laws.term("pooling", "how far a body works with its best member's capacity (E5)")
on_remoteness = laws.term("remoteness", "share of quality lost with distance (E5)")
on_fit = laws.term(
    "fit", "loss from a joint service unlike a member's wishes (E6)", "share of stand-alone cost",
    most=inf,
)  # fmt: skip
on_capacity = laws.term("capacity", "capacity that a joint body works with (E5)")
on_quality = laws.term("quality", "service quality of a joint body (E5)")
on_error = laws.term(
    "error", "error in judging a union (E7)", "share of stand-alone cost", most=inf
)


class Differences(NamedTuple):
    """How unlike partners are: means over their ties, 1 for two random regions."""

    culture: float
    interests: float
    practice: float


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
    coordination: float
    """Cost of information, practice, negotiation, enforcement and overhead, as foreseen."""
    haul: float
    penalty: float
    """Haul and transition; like coordination, shares of joint cost."""
    trust: float
    """Mean trust between partners."""
    load: float
    """Information, practice and negotiation cost, which drive members to leave."""
    wish: float
    """Priority of the area that the joint service is made for."""
    apart: Differences
    """Differences between partners."""
    again: float
    """Share of the ties that are between partners of another area."""


class Present(NamedTuple):
    """What a body's members learn when its row is summed: columns of its outlook."""

    price: float
    load: float
    trust: float


class Sides(NamedTuple):
    """The form and host of a union, and the parties that enter it."""

    penalty: float
    """Transition penalty of the united body."""
    form: int
    """Its legal form."""
    provider: int
    """The region that provides under contracts, or NOBODY in other forms."""
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
def is_away(slot):
    """Whether an event of the scenario keeps a region that serves alone out of joint bodies."""
    return slot.away > 0 and slot.body == NOBODY


@device
def may_unite(s, i, j, a, first, second):
    """Whether region i may propose a union to region j, of which these are the parties.

    Buyers look no further and cannot sell; a provider takes single buyers, and is bought from by
    single regions; its body does not merge. A region that an event keeps away serves alone.
    """
    if is_away(s.slot[i, a]) or is_away(s.slot[j, a]):
        return False
    if first == second or s.slot[i, a].role == BUYER or s.slot[j, a].role == BUYER:
        return False
    if s.slot[i, a].role == PROVIDER and party_body(s.slot, second) != NOBODY:
        return False
    return s.slot[j, a].role != PROVIDER or party_body(s.slot, first) == NOBODY


@device
def are_partners(one, other):
    """Whether two slots of an area are partners: of one body, and not both buyers."""
    return (
        one.body != NOBODY and one.body == other.body and (one.role != BUYER or other.role != BUYER)
    )


@device
def partners_before(slot, i, j, a):
    """1 if two regions were partners in an area other than a when the quarter began."""
    for b in range(slot.shape[1]):
        one, other = slot[i, b], slot[j, b]
        same = b != a and one.before != NOBODY and one.before == other.before
        if same and (one.role_before != BUYER or other.role_before != BUYER):
            return 1.0
    return 0.0


@device
def remember(s):
    """Note which body every slot is in, as the quarter begins."""
    for i in range(s.slot.shape[0]):
        for a in range(s.slot.shape[1]):
            slot = s.slot[i, a]
            if slot.before != slot.body or slot.role_before != slot.role:
                slot.before, slot.role_before = slot.body, slot.role


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
    slot.reference = slot.capacity * laws.strained(slot.demand)
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
    row[ROW.commitment] = region.commitment
    row[ROW.trust] = 0.0
    row[ROW.spill] = 0.0
    row[ROW.judged] = 0.0
    row[ROW.again] = 0.0
    row[ROW.mediation] = slot.ngo
    row[ROW.business] = slot.business
    row[ROW.voice] = slot.community
    row[ROW.practice] = slot.practice
    row[ROW.practice_squares] = slot.practice * slot.practice
    row[ROW.wish_people] = slot.interest * region.population
    row[ROW.wish_squares] = slot.interest * slot.interest
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
def hub_row(s, provider, a):
    """Place of the row of a contract's provider, alone; in other forms, of some region's."""
    return max(provider, 0) * s.slot.shape[1] + a


@device
def differences(row, hub, form):
    """How unlike the partners in a row of sums are (E2); ``hub`` is the row of the provider."""
    n, areas = row[ROW.members], float(len(row) - INTERESTS)
    culture, interests, by_culture, by_interests = 0.0, 0.0, 0.0, 0.0
    for d in range(CULTURE, INTERESTS):
        culture += row[d] * row[d]
        by_culture += row[d] * hub[d]
    for f in range(INTERESTS, len(row)):
        interests += row[f] * row[f]
        by_interests += row[f] * hub[f]
    practice = row[ROW.practice] * row[ROW.practice]
    by_practice = row[ROW.practice] * hub[ROW.practice]
    one = laws.culture_reference(float(DIMENSIONS))
    two, three = laws.interest_reference(areas), laws.practice_reference()
    if form == CONTRACT:
        return Differences(
            laws.distance_from(
                n, row[ROW.culture_squares], hub[ROW.culture_squares], by_culture, one
            ),
            laws.distance_from(
                n, row[ROW.interest_squares], hub[ROW.interest_squares], by_interests, two
            ),
            laws.distance_from(
                n, row[ROW.practice_squares], hub[ROW.practice_squares], by_practice, three
            ),
        )
    return Differences(
        laws.distance(n, row[ROW.culture_squares], culture, one),
        laws.distance(n, row[ROW.interest_squares], interests, two),
        laws.distance(n, row[ROW.practice_squares], practice, three),
    )


@device
def outlook(area, effects, now, p, row, hub, form, penalty, forum, shortfall, foreseen, expected):
    """The production of a body with this row of sums in an area (E3 to E5).

    ``hub`` is the row of the provider of a contract, ``effects`` are those of user-defined
    mechanisms in the area, ``forum`` is the share of its pairs inside one forum, ``shortfall`` the
    share of its people whose region is expected (or was seen) to fall short, ``foreseen`` the share
    of coordination cost that is counted, ``expected`` the members that negotiation is expected of.
    """
    n, system = row[ROW.members], area.information
    meeting, ties = area.forum * forum, laws.ties(n, form)
    trust, again = laws.mean_trust(row[ROW.trust], ties), row[ROW.again] / ties
    apart = differences(row, hub, form)
    information = on_information(laws.information_cost(apart.culture, meeting, system, p), effects)
    practice = on_practice(laws.practice_cost(apart.practice, system, p), effects)
    steering = on_steering(laws.steering(area.team, p), effects)
    negotiation = laws.negotiation_cost(
        apart.interests, expected, laws.partner_exponent(form), steering, area.planning, area.team,
        row[ROW.mediation] / n, p,
    )  # fmt: skip
    negotiation = on_negotiation(laws.scoped(negotiation, again, p), effects)
    enforcement = on_enforcement(
        laws.enforcement_cost(trust, area.difficulty, form, area.monitoring, p), effects
    )
    overhead = laws.scoped(laws.overhead_cost(form, p), again, p)
    radius = laws.radius(row[ROW.residents], row[ROW.x], row[ROW.y], row[ROW.z], EARTH)
    haul = laws.haul_cost(area.haul, radius)
    unit = laws.unit_cost(
        row[ROW.people], area.efficient_scale, area.curvature_below, area.curvature_above,
        now.unit_cost,
    )  # fmt: skip
    load = information + practice + negotiation
    coordination = foreseen * (load + enforcement + overhead)
    cost = laws.joint_cost(row[ROW.people], unit, coordination, haul, penalty)
    if form == CONTRACT:
        capacity = hub[ROW.best]
    else:
        pooling = on_pooling(laws.pooling(meeting, row[ROW.business] / n, p), effects)
        mean = row[ROW.capacity] / row[ROW.people]
        capacity = laws.pooled_capacity(mean, row[ROW.best], pooling)
    if row[ROW.people] > row[ROW.residents]:
        capacity *= laws.strained(row[ROW.people] / row[ROW.residents])
    capacity = on_capacity(capacity, effects)
    remoteness = on_remoteness(laws.remoteness(radius, row[ROW.voice] / n, p), effects)
    quality = on_quality(laws.joint_quality(capacity, shortfall, penalty, remoteness), effects)
    made_for = hub if form == CONTRACT else row
    return Outlook(
        cost / row[ROW.weight], quality, capacity, unit, coordination, haul, penalty, trust, load,
        made_for[ROW.wish_people] / made_for[ROW.residents], apart, again,
    )  # fmt: skip


@device
def present_outlook(s, p, a, body, quarter):
    """The present production of a body, with the conduct that reputations suggest."""
    party = s.slot.size + body
    row = s.sums[party]
    penalty = laws.transition((quarter - s.body[body].began) / QUARTERS, p)
    forum = body_forum_share(s, body)
    shortfall = 1.0 - row[ROW.reputation] / row[ROW.members]
    hub = s.sums[hub_row(s, s.body[body].provider, a)]
    return outlook(
        s.area[a], s.effect[a], s.moment[0], p, row, hub, s.body[body].form, penalty, forum,
        shortfall, 1.0, row[ROW.members],
    )  # fmt: skip


@device
def cost_channels(row, view, burden):
    """A member's cost of a body by channel: scale, coordination, distance and newness (E4).

    Gains are positive; all are shares of the stand-alone cost of a member with this ``burden``.
    """
    base = row[ROW.people] * view.unit / row[ROW.weight] * burden
    return 1.0 - base, -base * view.coordination, -base * view.haul, -base * view.penalty


@device
def misfit(slot, area, effects, p, view, areas):
    """Loss of a member from a joint service unlike its wishes (E6)."""
    loss = laws.fit_loss(slot.interest, view.wish, float(areas), p)
    return on_fit(laws.planned_fit(loss, area.planning, p), effects)


@device
def benefit(s, i, a, p, view, omega, people):
    """Net benefit of a region in a body with this outlook (E6), without start-up and goodwill."""
    region, slot, area = s.region[i], s.slot[i, a], s.area[a]
    cost_ratio = view.price * slot.burden - area.spillover * omega / slot.alone
    lost = laws.autonomy_loss(region.autonomy, region.population / people, p)
    loss = misfit(slot, area, s.effect[a], p, view, s.slot.shape[1])
    return laws.net_benefit(cost_ratio, view.quality - slot.reference, lost, loss, p)


@device
def entry_cost(region, slot, p, price):
    """Start-up that a region would pay itself, per year of the horizon and stand-alone cost."""
    aid = laws.aided(slot.government, slot.business, p)
    return laws.entry_cost(region.stress, price * slot.burden, aid, p)


@device
def tally(s, p, body, quarter):
    """Sum a body's row over its members, judge the net benefit of each, and return its outlook."""
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
    hub = s.body[body].provider
    for k in range(size):
        i = s.members[body, k]
        slot, omega = s.slot[i, a], 0.0
        if hub in (NOBODY, i):
            trust = row[ROW.reputation] - s.region[i].reputation
        else:
            trust = s.region[hub].reputation
        for c in range(s.region[i].first, s.region[i].end):
            contact = s.contact[c]
            if s.slot[contact.target, a].body == body:
                omega += contact.spill
                if hub in (NOBODY, i, contact.target):
                    trust += contact.trust - s.region[contact.target].reputation
        slot.omega = omega
        row[ROW.trust] += trust
        row[ROW.spill] += omega / slot.alone
        for m in range(k):
            if hub in (NOBODY, i, s.members[body, m]):
                row[ROW.again] += partners_before(s.slot, i, s.members[body, m], a)
    view = present_outlook(s, p, a, body, quarter)
    for k in range(size):
        i = s.members[body, k]
        slot = s.slot[i, a]
        slot.judged = benefit(s, i, a, p, view, slot.omega, row[ROW.residents])
        row[ROW.judged] += slot.judged
    return view


@shared_device
def tally_range(s, p, first, end, quarter):
    """Sum the rows of the bodies from one place to another; return the last one's terms.

    There is one loop for all bodies and for a single one, so that the state is passed once a
    quarter and its code is compiled once.
    """
    terms = Present(0.0, 0.0, 0.0)
    for body in range(first, end):
        ahead_of_body(s, body)
        if s.body[body].members > 0:
            view = tally(s, p, body, quarter)
            terms = Present(view.price, view.load, view.trust)
    return terms


@device
def tally_one(s, p, body, quarter):
    """Sum the row of one body, and return its present terms."""
    return tally_range(s, p, body, body + 1, quarter)


@device
def tally_all(s, p, quarter):
    """Sum the rows of all bodies."""
    tally_range(s, p, 0, len(s.body), quarter)


@device
def cross_omega(region, slot, contact, a, other):
    """Weight of a region's land neighbours in another party; takes all slots and contacts."""
    omega = 0.0
    for c in range(region.first, region.end):
        if contact[c].spill > 0.0 and party_row(slot, contact[c].target, a) == other:
            omega += contact[c].spill
    return omega


@device
def add_rows(s, first, second):
    """Write the sum of the rows of two parties into the last row, without their common ties."""
    row, one, two = s.sums[-1], s.sums[first], s.sums[second]
    for f in range(len(row)):
        row[f] = one[f] + two[f]
    row[ROW.best] = max(one[ROW.best], two[ROW.best])


@device
def unite_rows(s, i, a, first, second, provider):
    """Write the row of the union of i's party with another into the last row.

    Of the ties across the union only those of i's contacts are known; for all others, trust is the
    partner's reputation. ``provider`` is that of a contract, which only has ties with it.
    """
    add_rows(s, first, second)
    row, one, two = s.sums[-1], s.sums[first], s.sums[second]
    split = int(one[ROW.members])
    number = split + int(two[ROW.members])
    if provider == NOBODY:
        row[ROW.trust] += (
            one[ROW.members] * two[ROW.reputation] + two[ROW.members] * one[ROW.reputation]
        )
    for k in range(split):
        x = union_member(s, first, second, split, k)
        for m in range(split, number):
            y = union_member(s, first, second, split, m)
            if provider in (NOBODY, x, y):
                row[ROW.again] += partners_before(s.slot, x, y, a)
                if provider != NOBODY:
                    row[ROW.trust] += s.region[x].reputation + s.region[y].reputation
    own = s.region[i].reputation
    for c in range(s.region[i].first, s.region[i].end):
        contact = s.contact[c]
        j = contact.target
        if party_row(s.slot, j, a) == second:
            back = s.contact[contact.reverse]
            if provider in (NOBODY, i, j):
                row[ROW.trust] += contact.trust - s.region[j].reputation
                row[ROW.trust] += back.trust - own
            row[ROW.spill] += contact.spill / s.slot[i, a].alone
            row[ROW.spill] += back.spill / s.slot[j, a].alone


@device
def assign_sides(s, p, first, second, a, quarter):
    """Decide which party enters, which body continues, and how new the union is.

    At a founding both parties enter, under the form that the area has or CHOICE. Otherwise the one
    with fewer people enters, and the existing body keeps its age and form; of two bodies, the one
    with more people continues. A buyer always enters the contracts of its provider.
    """
    one, two = party_body(s.slot, first), party_body(s.slot, second)
    if one == NOBODY and two == NOBODY:
        penalty, form = s.moment[0].founding_penalty, s.area[a].form
        return Sides(penalty, form, NOBODY, NOBODY, True, True)
    first_is_larger = s.sums[first, ROW.residents] > s.sums[second, ROW.residents]
    host = one if two == NOBODY or (one != NOBODY and first_is_larger) else two
    body = s.body[host]
    first_enters = not first_is_larger
    if body.form == CONTRACT:
        first_enters = one == NOBODY
    age = (quarter - body.began) / QUARTERS
    return Sides(
        laws.transition(age, p), body.form, body.provider, host, first_enters,
        not first_enters,
    )  # fmt: skip


@device
def choose_provider(s, i, j, a):
    """The more capable of two founders provides; of equals the larger, then the first by code."""
    one, two = s.slot[i, a], s.slot[j, a]
    if one.capacity != two.capacity:
        return i if one.capacity > two.capacity else j
    if s.region[i].population != s.region[j].population:
        return i if s.region[i].population > s.region[j].population else j
    return min(i, j)


@shared_device
def judge_union(s, p, i, a, first, second, planning, quarter):
    """The sides and production of the union of i's party with another, and the change for all.

    ``planning`` is the intensity of planning that helps them to judge. The row of the union is in
    the last row.
    """
    sides = assign_sides(s, p, first, second, a, quarter)
    unite_rows(s, i, a, first, second, sides.provider)
    row, now, founding = s.sums[-1], s.moment[0], sides.host == NOBODY
    forum = union_forum_share(s, a, first, second)
    shortfall, foreseen = 1.0 - row[ROW.reputation] / row[ROW.members], 1.0
    if founding:
        j, form, provider = second // s.slot.shape[1], sides.form, NOBODY
        missed = laws.unforeseen(s.area[a].information, planning, p)
        foreseen = laws.foresight(on_unforeseen(missed, s.effect[a]))
        if form == CHOICE:
            form = choose_form(s, p, i, j, a, first, second, forum, shortfall, foreseen)
        if form == CONTRACT:
            provider = choose_provider(s, i, j, a)
        sides = Sides(sides.penalty, form, provider, NOBODY, True, True)
    view = outlook(
        s.area[a], s.effect[a], now, p, row, s.sums[hub_row(s, sides.provider, a)], sides.form,
        sides.penalty, forum, shortfall, foreseen, row[ROW.members],
    )  # fmt: skip
    entry = 0.0
    if sides.first_enters:
        entry += s.sums[first, ROW.entry]
    if sides.second_enters:
        entry += s.sums[second, ROW.entry]
    return sides, view, change_for_all(s, p, a, row, view, entry)


@device
def choose_form(s, p, i, j, a, first, second, forum, shortfall, foreseen):
    """The form whose smaller net benefit of two founders is larger (E8).

    They look ahead: negotiation counts the members to be expected in the end.
    """
    row, area, now = s.sums[-1], s.area[a], s.moment[0]
    one, other = s.slot[i, a], s.slot[j, a]
    expected = laws.expected_members(area.efficient_scale, 0.5 * row[ROW.people], float(now.cap))
    hub = s.sums[hub_row(s, choose_provider(s, i, j, a), a)]
    here = one.omega + cross_omega(s.region[i], s.slot, s.contact, a, second)
    there = other.omega + cross_omega(s.region[j], s.slot, s.contact, a, first)
    taken, best = BOARD, -inf
    for form in (CONTRACT, BOARD):
        view = outlook(
            area, s.effect[a], now, p, row, hub, form, now.founding_penalty, forum, shortfall,
            foreseen, expected,
        )  # fmt: skip
        worse = min(
            own_change(s, i, a, p, view, here, row[ROW.residents], True),
            own_change(s, j, a, p, view, there, row[ROW.residents], True),
        )
        if worse > best:
            taken, best = form, worse
    return taken


@device
def change_for_all(s, p, a, row, view, entry):
    """Change of judged net benefit that a union makes to all its members together (E6).

    ``entry`` is the summed weight of the start-up of those who enter.
    """
    area, members, areas = s.area[a], row[ROW.members], float(s.slot.shape[1])
    gain = members * view.quality - row[ROW.reference]
    lost = row[ROW.autonomy] - row[ROW.autonomy_people] / row[ROW.residents]
    loss = laws.fit_loss_of_all(
        row[ROW.wish_squares], row[INTERESTS + a], members, view.wish, areas, p
    )
    loss = members * on_fit(laws.planned_fit(loss / members, area.planning, p), s.effect[a])
    return laws.union_change(
        members, view.price * row[ROW.burden], area.spillover * row[ROW.spill], gain, lost, loss,
        view.price, entry, row[ROW.judged], p,
    )  # fmt: skip


@device
def own_change(s, i, a, p, view, omega, people, enters):
    """Change of a region's judged net benefit by a union, less its start-up if it enters."""
    own = benefit(s, i, a, p, view, omega, people)
    if enters:
        own -= entry_cost(s.region[i], s.slot[i, a], p, view.price)
    return own - s.slot[i, a].judged


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
    spread = laws.misperception(meeting, planning, p)
    return error * on_error(spread, s.effect[a])


@device
def current_goodwill(region, slot, quarter):
    """Goodwill of a region in an area: less of it under a mandate."""
    return laws.mandated_goodwill(region.goodwill, slot.bound_until > quarter)


@device
def open_body(s, i, a, form, provider, quarter):
    """Open a new body, still without members, that region i will belong to.

    It takes the first free place after the one the region would have if every two regions shared a
    body: so bodies lie in memory in the order of their regions, and a large world is read from one
    end to the other.
    """
    body = (i * s.slot.shape[1] + a) // 2 % len(s.body)
    while s.body[body].members > 0:
        body = (body + 1) % len(s.body)
    new = s.body[body]
    new.area, new.form, new.provider, new.began = a, form, provider, quarter
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
    if s.body[body].form == CONTRACT:
        s.slot[i, a].role = PROVIDER if s.body[body].provider == i else BUYER
    s.moment[0].changed = 1


@device
def withdraw(s, body, i):
    """Take region i out of a body, which dissolves if one is left or if its provider goes."""
    a, size = s.body[body].area, s.body[body].members
    break_listed(s, body, s.slot[i, a].listed)
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
    if size - 1 == 1 or s.body[body].provider == i:
        for m in range(size - 1):
            break_listed(s, body, s.slot[s.members[body, m], a].listed)
            clear_membership(s, s.members[body, m], a)
            s.members[body, m] = NOBODY
        s.body[body].members = 0


@device
def break_listed(s, body, number):
    """Note that a body of the scenario has lost a member."""
    if number == 0:
        return
    s.moment[0].listed_kept -= 1.0
    for m in range(s.body[body].members):
        slot = s.slot[s.members[body, m], s.body[body].area]
        if slot.listed == number:
            slot.listed = 0


@device
def clear_membership(s, i, a):
    """Reset the slot of a region that serves an area alone from now on."""
    slot = s.slot[i, a]
    slot.body = slot.mandate = NOBODY
    slot.role = slot.bound_until = 0
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
