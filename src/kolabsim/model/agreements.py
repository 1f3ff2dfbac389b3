"""Forming agreements: the one stage of a quarter that the model takes as a whole.

Members leave, mandates take effect, and negotiations conclude in an order that is drawn for the
quarter; each union is judged and voted on with the bodies as they stand then. At last grants are
paid.
"""

from __future__ import annotations

import numpy as np

from kolabsim.model import laws
from kolabsim.model.bodies import (
    benefit,
    choose_provider,
    cross_omega,
    current_goodwill,
    enter,
    judge_union,
    may_unite,
    misjudgement,
    move_members,
    open_body,
    own_change,
    party_body,
    party_member,
    party_row,
    tally_one,
    union_member,
    withdraw,
)
from kolabsim.model.interventions import fund
from kolabsim.model.jit import (
    ahead_of_negotiation,
    allocating_device,
    argsort,
    device,
    inlined,
    shared_device,
    stage,
)
from kolabsim.model.levers import BOARD, CAP, CHOICE, CONTRACT, OPEN
from kolabsim.model.state import BUYER, NOBODY, ROW

AREA, FIRST, END, BEARER, LISTED = range(5)
"""Columns of a mandate: area, first quarter, first quarter after its end, bearer of its cost, and
first member."""


@inlined
def form_agreements(s, policy, p, quarter):
    """Carry out this quarter's decisions about joint bodies."""
    carry_out_leavings(s, p, quarter)
    impose_mandates(s, policy, p, quarter)
    conclude_negotiations(s, p, quarter)
    fund(s, policy, p, quarter)


@stage
def carry_out_leavings(s, p, quarter):
    """Let members leave that decided to; a body of one dissolves."""
    for i in range(s.slot.shape[0]):
        if s.region[i].moving > 0:
            for a in range(s.slot.shape[1]):
                slot = s.slot[i, a]
                if slot.leaves > 0 and slot.body != NOBODY:
                    leave_body(s, p, i, a, quarter)
                slot.leaves = 0


@device
def leave_body(s, p, i, a, quarter):
    """Take region i out of its body in area a, and count the memberships that end."""
    body = s.slot[i, a].body
    ends = s.body[body].members == 2 or s.body[body].provider == i
    s.moment[0].left += s.body[body].members if ends else 1
    withdraw(s, body, i)
    if s.body[body].members > 0:
        tally_one(s, p, body, quarter)


@stage
def impose_mandates(s, policy, p, quarter):
    """Unite the regions of each mandate that begins now, without a vote.

    Of the bodies whose members all belong to the group, the largest continues; the other regions of
    the group leave their bodies, enter it, and pay start-up.
    """
    for g in range(len(policy.mandate)):
        if policy.mandate[g, FIRST] == quarter:
            mandate(s, policy.mandate[g], g, p, quarter)


@device
def mandate(s, order, number, p, quarter):
    """Unite the regions of one mandate; a form that founders may choose becomes a joint board."""
    a, group = order[AREA], order[LISTED:]
    host, most, listed = NOBODY, 0.0, 0
    for k in range(CAP):
        if group[k] == NOBODY:
            break
        listed += 1
        body = s.slot[group[k], a].body
        if body != NOBODY and body != host:
            within = 0
            for m in range(s.body[body].members):
                for n in range(CAP):
                    within += s.members[body, m] == group[n]
            people = s.sums[s.slot.size + body, ROW.residents]
            if within == s.body[body].members and people > most:
                host, most = body, people
    if listed < 2:
        return
    for k in range(listed):
        body = s.slot[group[k], a].body
        if body not in (NOBODY, host):
            leave_body(s, p, group[k], a, quarter)
    if host == NOBODY:
        form, provider = s.area[a].form, NOBODY
        if form == CHOICE:
            form = BOARD
        elif form == CONTRACT:
            provider = most_capable(s, group, listed, a)
        host = open_body(s, group[0], a, form, provider, quarter)
    entering = 0  # one bit for each region: a device function may not allocate an array
    for k in range(listed):
        if s.slot[group[k], a].body != host:
            enter(s, host, group[k], quarter)
            s.slot[group[k], a].contact = NOBODY
            entering |= 1 << k
    price = tally_one(s, p, host, quarter).price
    for k in range(listed):
        i = group[k]
        slot = s.slot[i, a]
        slot.bound_until, slot.mandate = order[END], number
        if entering >> k & 1:
            pay_startup(s, p, i, a, price)
            record_expectation(s, i, a, slot.judged, True)


@device
def most_capable(s, group, listed, a):
    """The region of a group that provides under contracts, chosen as between two founders."""
    best = group[0]
    for k in range(1, listed):
        best = choose_provider(s, best, group[k], a)
    return best


@device
def pay_startup(s, p, i, a, price):
    """Charge an entering member its start-up, and request the aid that it was offered."""
    slot = s.slot[i, a]
    due = laws.startup(s.region[i].stress, price * slot.weight, p)
    s.region[i].entering = 1
    slot.startup += due
    slot.granted += laws.granted(due, slot.government, slot.business, p)
    slot.cofinanced += laws.cofinanced(due, slot.government, slot.business, p)


@device
def record_expectation(s, i, a, benefit_seen, is_new):
    """Record the benefit that a region expects; for a new member it also moves its aspiration."""
    areas = s.slot.shape[1]
    s.slot[i, a].expected = benefit_seen
    if is_new:
        before, now = 0.0, 0.0
        for b in range(areas):
            slot = s.slot[i, b]
            cost = slot.people * slot.alone * s.area[b].cost_per_resident
            if b == a:
                now = cost
            elif slot.body != NOBODY:
                before += cost
        region = s.region[i]
        region.aspiration = (region.aspiration * before + benefit_seen * now) / (before + now)


@stage
def conclude_negotiations(s, p, quarter):
    """Conclude or refuse the negotiations of this quarter in the drawn order."""
    queue, areas, ballot = queue_negotiations(s), s.slot.shape[1], np.empty(CAP)
    for k in range(len(queue)):
        ahead_of_negotiation(s, queue, k)
        i, a = queue[k] // areas, queue[k] % areas
        conclude_negotiation(s, p, i, a, ballot, quarter)


@allocating_device
def queue_negotiations(s):
    """The negotiations that conclude this quarter (slots as i A + a), in the drawn order."""
    areas, number = s.slot.shape[1], 0
    for i in range(s.slot.shape[0]):
        if s.region[i].moving > 0:
            for a in range(areas):
                number += s.slot[i, a].order >= 0.0
    queue, orders, number = np.empty(number, np.int64), np.empty(number), 0
    for i in range(s.slot.shape[0]):
        for a in range(areas if s.region[i].moving > 0 else 0):
            if s.slot[i, a].order >= 0.0:
                queue[number], orders[number] = i * areas + a, s.slot[i, a].order
                number += 1
    return queue[argsort(orders)]


@device
def conclude_negotiation(s, p, i, a, ballot, quarter):
    """Conclude the negotiation of region i in an area, unless an earlier one took it up."""
    if s.slot[i, a].contact != NOBODY:
        decide(s, p, i, a, ballot, quarter)
    s.slot[i, a].order = -1.0


@device
def decide(s, p, i, a, ballot, quarter):
    """Let both parties vote on the union that region i opened, and carry it out if they agree.

    ``ballot`` is space for the net benefit that each member sees in the union.
    """
    slot, now = s.slot[i, a], s.moment[0]
    contact, opened = slot.contact, slot.opened
    slot.contact = NOBODY
    j = s.contact[contact].target
    first, second = party_row(s.slot, i, a), party_row(s.slot, j, a)
    if s.sums[first, ROW.members] + s.sums[second, ROW.members] > now.cap:
        return
    if not may_unite(s, i, j, a, first, second):
        return
    sides, view, whole = judge_union(s, p, i, a, first, second, s.area[a].planning, quarter)
    # The opener counted only spillover with its own contacts; at the vote every member does.
    whole += s.area[a].spillover * further_spill(s, i, a, first, second)
    split = int(s.sums[first, ROW.members])
    agreed = vote(
        s, p, i, a, first, second, contact, sides.first_enters, view, whole, ballot[:split], quarter
    )
    back = s.contact[contact].reverse
    asked = vote(
        s, p, i, a, second, first, back, sides.second_enters, view, whole, ballot[split:], quarter
    )
    if not (agreed and (asked or now.consent == OPEN)):
        now.refused += 1
        return
    now.concluded += 1
    now.deciding += quarter - opened
    carry_out(s, p, a, first, second, sides, ballot, quarter)


@device
def further_spill(s, opener, a, first, second):
    """Spillover across a union between members other than its opener, by their weights."""
    split, total = int(s.sums[first, ROW.members]), 0.0
    for k in range(split + int(s.sums[second, ROW.members])):
        i = union_member(s, first, second, split, k)
        other = second if k < split else first
        for c in range(s.region[i].first, s.region[i].end):
            contact = s.contact[c]
            if opener not in (i, contact.target) and party_row(s.slot, contact.target, a) == other:
                total += contact.spill / s.slot[i, a].alone
    return total


@shared_device
def vote(s, p, opener, a, party, other, contact, enters, view, whole, ballot, quarter):
    """Whether a party agrees to a union; ``ballot`` gets the net benefit that each member sees.

    Only the opener and regions without a body judge with error, each through its own contact. The
    buyers of a provider do not vote.
    """
    votes, people, area, row = 0.0, 0.0, s.area[a], s.sums[-1]
    for k in range(int(s.sums[party, ROW.members])):
        i = party_member(s.slot, s.members, party, k)
        region, slot, error = s.region[i], s.slot[i, a], 0.0
        if i == opener or party_body(s.slot, party) == NOBODY:
            error = misjudgement(s, p, i, a, contact, area.planning)
        omega = slot.omega + cross_omega(region, s.slot, s.contact, a, other)
        own = own_change(s, i, a, p, view, omega, row[ROW.residents], enters)
        goodwill = current_goodwill(region, slot, quarter)
        change = laws.with_goodwill(own, whole, row[ROW.members] - 1.0, goodwill) + error
        seen = benefit(s, i, a, p, view, omega, row[ROW.residents])
        ballot[k] = seen + error
        if slot.role == BUYER:
            continue
        people += region.population
        if change > 0.0:
            votes += region.population
    return laws.consents(votes, people, s.moment[0].consent)


@allocating_device
def carry_out(s, p, a, first, second, sides, ballot, quarter):
    """Unite two parties: founding, accession, invitation and merger are one event."""
    one, two = party_body(s.slot, first), party_body(s.slot, second)
    split = int(s.sums[first, ROW.members])
    number = split + int(s.sums[second, ROW.members])
    joining, new = np.empty(number, np.int64), np.empty(number, np.bool_)
    for k in range(number):
        joining[k] = union_member(s, first, second, split, k)
        new[k] = (one if k < split else two) == NOBODY
    host = sides.host
    if host == NOBODY:
        host = open_body(s, joining[0], a, sides.form, sides.provider, quarter)
    for k in range(number):
        if new[k]:
            enter(s, host, joining[k], quarter)
    guest = two if host == one else one
    if guest != NOBODY:
        move_members(s, guest, host, quarter)
    # Founders foresaw a part of the cost of coordination, and pay for all of it.
    price = tally_one(s, p, host, quarter).price
    for k in range(number):
        if sides.first_enters if k < split else sides.second_enters:
            pay_startup(s, p, joining[k], a, price)
        record_expectation(s, joining[k], a, ballot[k], new[k])
