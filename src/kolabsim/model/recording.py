"""How a quarter is recorded: the measures of the system and of regions, and the trace of a run."""

from __future__ import annotations

import numpy as np

from kolabsim.model import laws
from kolabsim.model.bodies import are_partners
from kolabsim.model.jit import (
    allocating_device,
    argsort,
    device,
    inlined,
    kernel,
    shared_device,
    stage,
)
from kolabsim.model.levers import CAP, CONTRACT
from kolabsim.model.measures import AT, CHANNEL_COUNT, FIRST_CHANNEL
from kolabsim.model.parameters import NEGLIGIBLE, QUARTERS
from kolabsim.model.state import NOBODY, PAID, ROW

UNDEFINED = np.nan


@device
def safe_ratio(part, whole):
    """A ratio, or NaN if the divisor is 0."""
    return part / whole if whole > 0.0 else UNDEFINED


@kernel
def gini_from(total, weighted, number):
    """Gini coefficient of numbers from their sum, and their sum weighted by their rank from 1."""
    return 2.0 * weighted / (number * total) - (number + 1.0) / number if total > 0.0 else 0.0


@kernel
def gini(values, order):
    """Gini coefficient of numbers that are not negative, in this order; 0 where all are 0."""
    total, weighted = 0.0, 0.0
    for k in range(len(values)):
        total += values[order[k]]
        weighted += (k + 1.0) * values[order[k]]
    return gini_from(total, weighted, float(len(values)))


@kernel
def gini_of_counts(counts):
    """Gini coefficient of whole numbers, given how many of them are 0, 1, 2 ..."""
    total, weighted, number = 0.0, 0.0, 0.0
    for value in range(len(counts)):
        equal = float(counts[value])
        total += value * equal
        weighted += value * equal * (number + (equal + 1.0) / 2.0)
        number += equal
    return gini_from(total, weighted, number)


@device
def add_channels(slot, factor, out, at):
    """Add a slot's channels (all but the programme cost it bears) in the order of CHANNELS."""
    out[at] += factor * slot.scale
    out[at + 1] += factor * slot.spill
    out[at + 2] += factor * slot.pooled
    out[at + 3] += factor * slot.coordination
    out[at + 4] += factor * slot.distance
    out[at + 5] += factor * slot.newness
    out[at + 6] += factor * slot.conduct
    out[at + 7] += factor * slot.self_rule
    out[at + 8] += factor * slot.fit
    out[at + 9] += factor * slot.entry


@shared_device
def record_region(i, s, part, out):
    """Add a quarter to the figures of a region in each area, [R, A, measures].

    ``part`` is the weight of the quarter in a mean over the last year, 0 before it.
    """
    for a in range(s.slot.shape[1]):
        slot, figure = s.slot[i, a], out[i, a]
        money = slot.people * slot.alone * s.area[a].cost_per_resident / QUARTERS
        net = slot.realised + slot.entry - slot.programme
        saved = 1.0 - slot.cost + slot.entry
        figure[5] += (saved - slot.programme) * money
        figure[6] += net * money
        if part > 0.0:
            figure[0] += part * (slot.body != NOBODY)
            figure[1] += part * saved
            figure[2] += part * (slot.quality - slot.capacity_start)
            figure[3] += part * slot.expected
            figure[4] += part * net
            add_channels(slot, part, figure, 7)
            figure[7 + CHANNEL_COUNT] -= part * slot.programme


@device
def trace_region(i, s, out):
    """Keep a region's slots of this quarter, [R, A, columns of TRACE]."""
    for a in range(s.slot.shape[1]):
        slot, kept = s.slot[i, a], out[i, a]
        kept[0], kept[1], kept[2] = slot.body, slot.entered, slot.bound_until
        kept[3], kept[4], kept[5] = slot.cost, slot.realised, slot.expected
        kept[6], kept[7], kept[8] = slot.quality, slot.load, slot.body_trust
        kept[9], kept[10], kept[11] = slot.people, slot.entry, slot.role


@inlined
def record(s, p, custom, quarter, out):
    """Write the measures of a quarter."""
    quality = np.empty(len(s.region))
    clear(out)
    for i in range(len(s.region)):
        add_region(i, s, quarter, quality, out)
    conclude(s, p, custom, quarter, quality, out)


@device
def clear(out):
    """Set all measures to zero."""
    for k in range(len(out)):
        out[k] = 0.0


@shared_device
def add_region(i, s, quarter, quality, out):
    """Add a region to sums over regions and areas; ``quality`` takes its mean quality.

    The sums take the positions of their measures; those of money take positions without a sum.
    """
    areas, residents = s.slot.shape[1], s.region[i].population
    mean, gain, costs, members = 0.0, 0.0, 0.0, 0.0
    for a in range(areas):
        slot = s.slot[i, a]
        yearly = slot.people * slot.alone * s.area[a].cost_per_resident
        cost = yearly / QUARTERS
        mean += slot.quality / areas
        gain += yearly * (slot.realised + slot.entry - slot.programme)
        costs += yearly
        out[MONEY] += cost
        out[PERSONS] += residents
        out[AT.saving] += cost * (1.0 - slot.cost + slot.entry)
        out[AT.benefit_money] += cost * (slot.realised + slot.entry)
        out[AT.opened] += slot.opened == quarter
        out[AT.quality] += residents * slot.quality
        out[AT.quality_change] += residents * (slot.quality - slot.capacity_start)
        if slot.body != NOBODY:
            members += 1.0
            out[AT.shortfall] += 1.0 - slot.kept
            out[AT.membership_age] += (quarter - slot.entered) / QUARTERS
            out[AT.perceived_benefit] += cost * slot.expected
            add_channels(slot, cost, out, FIRST_CHANNEL)
    for c in range(s.region[i].first, s.region[i].end):
        out[AT.trust] += s.contact[c].trust
    quality[i] = mean
    out[AT.cooperation] += members
    out[AT.worse_off] += gain < -NEGLIGIBLE * costs
    out[AT.commitment] += s.region[i].commitment


@stage
def conclude(s, p, custom, quarter, quality, out):
    """Make the measures of a quarter from the sums over its regions, bodies and the ledger.

    User-defined measures follow them; ``custom`` are the parameters of user-defined rules.
    """
    conclude_slots(s, p, quarter, out)
    record_bodies(s, quarter, out)
    record_spread(quality, out)
    now = s.moment[0]
    if now.changed > 0:
        measure_network(s)
        now.changed = 0
    out[AT.density], out[AT.transitivity] = now.density, now.transitivity
    out[AT.isolates], out[AT.degree_gini] = now.isolates, now.degree_gini
    out[AT.refused], out[AT.agreements] = now.refused, now.concluded
    out[AT.deciding], out[AT.ended] = now.deciding, now.left
    out[AT.membership_years] = now.members_before / QUARTERS
    out[AT.matter_time] = safe_ratio(now.matter_months, now.matters)
    out[AT.listed_bodies_kept] = safe_ratio(now.listed_kept, now.listed)
    out[AT.decision_time] = safe_ratio(now.deciding, now.concluded)
    out[AT.exit_rate] = safe_ratio(QUARTERS * now.left, now.members_before)


MONEY, PERSONS = AT.efficiency, AT.net_efficiency
"""Positions that hold the sums of stand-alone cost and of people until the division."""


@device
def conclude_slots(s, p, quarter, out):
    """Divide sums by their totals, and add the cost of levers."""
    regions, areas = s.slot.shape
    money, people, members = out[MONEY], out[PERSONS], out[AT.cooperation]
    saved, net, spent = out[AT.saving], out[AT.benefit_money], 0.0
    for lever in range(s.ledger.shape[1]):
        spent += s.ledger[PAID, lever]
    out[AT.worse_off] /= regions
    out[AT.commitment] /= regions
    out[AT.cooperation] = members / (regions * areas)
    out[AT.efficiency] = saved / money
    out[AT.net_efficiency] = (saved - spent) / money
    out[AT.quality] /= people
    out[AT.quality_change] /= people
    out[AT.perceived_benefit] /= money
    out[AT.realised_benefit] = (net - spent) / money
    for k in range(CHANNEL_COUNT):
        out[FIRST_CHANNEL + k] /= money
    out[AT.shortfall] = safe_ratio(out[AT.shortfall], members)
    out[AT.membership_age] = safe_ratio(out[AT.membership_age], members)
    out[AT.trust] = safe_ratio(out[AT.trust], float(len(s.contact)))
    now = s.moment[0]
    out[AT.programme_cost] = spent
    out[AT.programme_members], out[AT.programme_centre] = now.paid_members, now.paid_centre
    out[AT.programme_tiers], out[AT.programme_supporters] = now.paid_tier, now.paid_supporter
    out[AT.net_saving] = saved - spent
    years = (quarter + 0.5) / QUARTERS
    out[AT.net_saving_discounted] = (saved - spent) * (1.0 + now.discount) ** (-years)
    out[AT.benefit_money] = net - spent
    out[AT.saving_per_cost] = safe_ratio(saved, spent)


@device
def record_bodies(s, quarter, out):
    """Joint bodies: number, size, age, and trust between members."""
    bodies, members, age, trust, ties, largest, bought = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for body in range(len(s.body)):
        size = s.body[body].members
        if size > 0:
            row = s.sums[s.slot.size + body]
            bodies += 1.0
            members += size
            largest = max(largest, float(size))
            age += (quarter - s.body[body].began) / QUARTERS
            trust += row[ROW.trust]
            ties += laws.ties(row[ROW.members], s.body[body].form)
            bought += size if s.body[body].form == CONTRACT else 0.0
    out[AT.bodies], out[AT.largest_body] = bodies, largest
    out[AT.body_size], out[AT.body_age] = safe_ratio(members, bodies), safe_ratio(age, bodies)
    out[AT.trust_in_bodies] = safe_ratio(trust, 2.0 * ties)
    out[AT.contracts] = safe_ratio(bought, members)


@allocating_device
def record_spread(quality, out):
    """How quality is spread over regions."""
    order, tenth = argsort(quality), (len(quality) + 9) // 10
    for k in range(tenth):
        out[AT.worst_tenth] += quality[order[k]] / tenth
    out[AT.quality_gini] = gini(quality, order)


@device
def list_partners(s, i, marks, found):
    """Write the partners of region i, in any body, into ``found``; return their number."""
    number = 0
    for a in range(s.slot.shape[1]):
        body = s.slot[i, a].body
        if body != NOBODY:
            for k in range(s.body[body].members):
                j = s.members[body, k]
                if j != i and marks[j] != i and are_partners(s.slot[i, a], s.slot[j, a]):
                    marks[j] = i
                    found[number] = j
                    number += 1
    return number


@device
def clear_marks(marks):
    """Remove all marks."""
    for i in range(len(marks)):
        marks[i] = NOBODY


@allocating_device
def measure_network(s):
    """Measure the network of partners; the values are kept until memberships change."""
    regions, areas = s.slot.shape
    most = areas * (CAP - 1)
    marks, found = np.empty(regions, np.int64), np.empty(most, np.int64)
    start, links = np.empty(regions + 1, np.int64), 0
    for body in range(len(s.body)):
        links += s.body[body].members * (s.body[body].members - 1)
    partners = np.empty(links, np.int64)
    start[0] = 0
    clear_marks(marks)
    for i in range(regions):
        number = list_partners(s, i, marks, found)
        for k in range(number):
            partners[start[i] + k] = found[k]
        start[i + 1] = start[i] + number
    clear_marks(marks)
    isolates, triples, closed = 0.0, 0.0, 0.0
    counts = np.zeros(most + 1, np.int64)
    for i in range(regions):
        degree = start[i + 1] - start[i]
        counts[degree] += 1
        isolates += degree == 0
        triples += degree * (degree - 1.0)
        for k in range(start[i], start[i + 1]):
            marks[partners[k]] = i
        for k in range(start[i], start[i + 1]):
            j = partners[k]
            for m in range(start[j], start[j + 1]):
                closed += marks[partners[m]] == i
    now = s.moment[0]
    now.density = start[regions] / max(regions * (regions - 1.0), 1.0)
    now.transitivity = safe_ratio(closed, triples)
    now.isolates = isolates / regions
    now.degree_gini = gini_of_counts(counts)
