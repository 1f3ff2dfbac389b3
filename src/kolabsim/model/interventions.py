"""The conditions of a quarter: populations, levers, offers of supporters, and their cost."""

from __future__ import annotations

from math import ceil, isnan

import numpy as np

from kolabsim.model import laws
from kolabsim.model.bodies import refresh_slot, remember, tally_all
from kolabsim.model.jit import allocating_device, argsort, device, stage
from kolabsim.model.levers import (
    ALL,
    BEST,
    BUSINESS,
    COMMUNITY,
    CUSTOM,
    FORUM,
    GOVERNMENT,
    INFORMATION,
    LISTED,
    MANDATE,
    MONITORING,
    NEWEST,
    NGO,
    PLANNING,
    TEAM,
)
from kolabsim.model.parameters import MEETING_PRICE, QUARTERS
from kolabsim.model.state import NOBODY, PAID, RATION, ROW
from kolabsim.model.targeting import score_region, scores_regions

MEMBERS_PAY, CENTRE_PAYS, SUPPORTER_PAYS, TIER_PAYS = range(4)
ON_JOINT_COST = 1
"""Payers and the base of a price: positions in PAYERS and BASES."""
BEARER = 3
"""Column of a mandate: the bearer of its cost."""
REGION, AREA, LEAVES, RETURNS = range(4)
"""Columns of a leaving: region, area, quarter, and first quarter in which it may join again."""
SUPPORTERS_AT = GOVERNMENT
"""Position of the first supporter among the levers."""


@stage
def start_quarter(w, s, policy, p, quarter):
    """Start a quarter: read the levers in force, apply shocks, and reset the counters."""
    now = s.moment[0]
    now.refused = now.concluded = now.left = now.deciding = 0.0
    now.matter_months = now.matters = 0.0
    remember(s)
    regions, areas = s.slot.shape
    phase = policy.period[quarter]
    if quarter == 0 or phase != policy.period[quarter - 1]:
        for i in range(regions):
            s.region[i].forum = policy.forum[phase, i]
    for a in range(areas):
        area, lever = s.area[a], policy.lever[phase, a]
        area.forum, area.planning, area.team = lever[FORUM], lever[PLANNING], lever[TEAM]
        area.information, area.monitoring = lever[INFORMATION], lever[MONITORING]
        area.government, area.ngo = lever[GOVERNMENT], lever[NGO]
        area.business, area.community = lever[BUSINESS], lever[COMMUNITY]
        if quarter == 0 or phase != policy.period[quarter - 1]:
            for term in range(s.effect.shape[1]):
                one = policy.effect[phase, a, term]
                s.effect[a, term, 0], s.effect[a, term, 1] = one[0], one[1]
    if quarter == 0 or w.period[quarter] != w.period[quarter - 1]:
        apply_period(w, s, p, w.period[quarter])
    for k in range(len(w.shock)):
        since = quarter - w.shock[k].first
        if since >= 0 and quarter < w.shock[k].until and since % w.shock[k].every == 0:
            apply_shock(w.shock[k], w.shocked[k], s, p)
    keep_away(w.leaving, s.slot, quarter)
    for i in range(regions):
        if s.region[i].entering > 0:
            s.region[i].entering = 0
            for a in range(areas):
                slot = s.slot[i, a]
                slot.startup = slot.granted = slot.cofinanced = 0.0
    now.members_before = 0.0
    for body in range(len(s.body)):
        now.members_before += s.body[body].members


@stage
def support(s, policy, p, custom, quarter):
    """Let all supporters make their offers, and update the rows of parties.

    ``custom`` are the parameters of user-defined rules.
    """
    scores = np.empty(len(s.region))
    for k in range(COMMUNITY - GOVERNMENT + 1):
        score_regions(policy.target[policy.period[quarter], k], s, custom, scores)
        offer(k, s, policy, p, scores, quarter)
    keep_to_ceiling(s, policy, p, quarter)
    tally_all(s, p, quarter)


@device
def apply_period(w, s, p, period):
    """Give every region the population, stress and demand of a period."""
    regions, areas = s.slot.shape
    for i in range(regions):
        region = s.region[i]
        region.population = w.population[period, i]
        region.stress = laws.clip(region.stress_start + w.stress_change[period, i], 0.0, 1.0)
        for a in range(areas):
            s.slot[i, a].demand = w.demand[period, i, a]
            refresh_slot(s, p, i, a)


@device
def keep_away(leaving, slot, quarter):
    """Note which regions events of the scenario keep out of joint bodies; takes all slots."""
    for k in range(len(leaving)):
        slot[leaving[k, REGION], leaving[k, AREA]].away = 0
    for k in range(len(leaving)):
        if leaving[k, LEAVES] <= quarter < leaving[k, RETURNS]:
            slot[leaving[k, REGION], leaving[k, AREA]].away = 1


@device
def apply_shock(shock, shocked, s, p):
    """Apply a shock to the trust of some regions, and renew their commitment (E12).

    Trust in and of their contacts falls by a factor, and then moves part of the way to where drift
    leads.
    """
    for i in range(len(shocked)):
        region = s.region[i]
        for c in range(region.first, region.end):
            contact = s.contact[c]
            if shocked[i] == 1 or shocked[contact.target] == 1:
                start = min(contact.trust_start, 1.0 - contact.damage)
                contact.trust = laws.closer(shock.factor * contact.trust, start, shock.reset)
        if shocked[i] == 1:
            region.commitment = laws.closer(region.commitment, p.commitment_start, shock.reset)
            for a in range(s.slot.shape[1]):
                s.sums[i * s.slot.shape[1] + a, ROW.commitment] = region.commitment


@allocating_device
def threshold(values, share):
    """The lowest of the top ``share`` of some values; infinite if there are none."""
    number = len(values)
    if number == 0 or share <= 0.0:
        return np.inf
    top = int(ceil(share * number))  # noqa: RUF046 (compiled, ceil gives a float)
    return values[argsort(values)[max(number - top, 0)]]


@device
def body_success(s, body):
    """Mean realised net benefit of a body's members."""
    total, a = 0.0, s.body[body].area
    for k in range(s.body[body].members):
        total += s.slot[s.members[body, k], a].realised
    return total / s.body[body].members


@device
def score_regions(target, s, custom, scores):
    """Write the score of each region by a target, if that target scores regions."""
    if scores_regions(target):
        for i in range(len(s.region)):
            scores[i] = score_region(target, s.region[i], s.slot[i], custom)


@device
def offer(k, s, policy, p, scores, quarter):
    """Make this quarter's offers of supporter k (0 government, 1 NGO, 2 business, 3 community).

    The offer goes to its targets: the regions with the highest scores, or the newest or best
    bodies. A region without a body counts as newest, because a body that it founds would be; it has
    no performance yet, so it is never best.
    """
    phase = policy.period[quarter]
    lever, target, portion = SUPPORTERS_AT + k, policy.target[phase, k], policy.part[phase, k]
    if not (is_offered(policy, lever, quarter) or is_offered(policy, lever, quarter - 1)):
        return
    regions, areas = s.slot.shape
    bar = target_bar(s, target, portion, scores)
    for i in range(regions):
        is_chosen = target == ALL or (target == LISTED and policy.listed[phase, k, i] > 0)
        if scores_regions(target):
            is_chosen = scores[i] >= bar
        for a in range(areas):
            slot, chosen = s.slot[i, a], is_chosen
            if target == NEWEST:
                is_new = slot.body == NOBODY or s.body[slot.body].began >= bar
                chosen = portion > 0.0 and is_new
            elif target == BEST:
                chosen = slot.body != NOBODY and body_success(s, slot.body) >= bar
            set_offer(slot, lever, policy.lever[phase, a, lever] if chosen else 0.0)
    budget = policy.budget[phase, k]
    if lever == GOVERNMENT:
        # Regions expect the part of a full grant that the budget would have paid in the last
        # quarter in which a region entered; after a change of budget they expect all of it.
        if quarter > 0 and budget != policy.budget[policy.period[quarter - 1], k]:
            s.ledger[RATION, lever] = 1.0
        elif policy.ceiling[0] < np.inf and s.ledger[RATION, lever] == 0.0 < budget:
            # Nobody asks any more, but other levers may leave something again.
            s.ledger[RATION, lever] = 1.0 if unspent(s, policy, p, quarter) > 0.0 else 0.0
    else:  # running support is rationed by the present cost of its targets
        need = running_cost(lever, s, policy.price[phase, lever], p)
        s.ledger[RATION, lever] = 1.0 if need <= budget else budget / need
    ration(lever, s, p)


@device
def is_offered(policy, lever, quarter):
    """Whether a lever has any intensity in a quarter."""
    if quarter < 0:
        return False
    for a in range(policy.lever.shape[1]):
        if policy.lever[policy.period[quarter], a, lever] > 0.0:
            return True
    return False


@allocating_device
def target_bar(s, target, part, scores):
    """The lowest score, age or success of the regions or bodies that are helped."""
    if scores_regions(target):
        return threshold(scores, part)
    values, number = np.empty(len(s.body)), 0
    if target in (NEWEST, BEST):
        for body in range(len(s.body)):
            if s.body[body].members > 0:
                newness = float(s.body[body].began)
                values[number] = newness if target == NEWEST else body_success(s, body)
                number += 1
    return threshold(values[:number], part)


@device
def set_offer(slot, lever, value):
    """Set the offer of a supporter to a slot."""
    if lever == GOVERNMENT:
        slot.government = value
    elif lever == NGO:
        slot.ngo = value
    elif lever == BUSINESS:
        slot.business = value
    else:
        slot.community = value


@device
def ration(lever, s, p):
    """Cut an offer pro rata to the supporter's budget, and update the rows of the parties."""
    cut_offer(lever, s.ledger[RATION, lever], s, p)


@device
def cut_offer(lever, part, s, p):
    """Cut an offer to a part, and update the rows of the parties."""
    areas = s.slot.shape[1]
    for i in range(s.slot.shape[0]):
        for a in range(areas):
            slot, row = s.slot[i, a], s.sums[i * areas + a]
            set_offer(slot, lever, read_offer(slot, lever) * part)
            aid = laws.aided(slot.government, slot.business, p)
            row[ROW.entry] = laws.entry_weight(s.region[i].stress, slot.burden, aid)
            row[ROW.mediation] = slot.ngo
            row[ROW.business] = slot.business
            row[ROW.voice] = slot.community


@device
def keep_to_ceiling(s, policy, p, quarter):
    """Cut running levers pro rata to what the strategy may cost in this quarter (E13).

    Levers of the scenario do not count. Mandates and user-defined mechanisms cannot be cut, so that
    they come first.
    """
    if policy.ceiling[0] == np.inf:
        return
    need, rest = 0.0, max(policy.ceiling[0] - firm_cost(s, policy, p, quarter), 0.0)
    for lever in range(CUSTOM):
        need += payable(lever, 0.0, s, policy, p, quarter)
    if need <= rest:
        return
    part, counted = rest / need, policy.counted[policy.period[quarter]]
    for a in range(s.slot.shape[1]):
        area = s.area[a]
        area.forum *= part if counted[FORUM] > 0 else 1.0
        area.planning *= part if counted[PLANNING] > 0 else 1.0
        area.team *= part if counted[TEAM] > 0 else 1.0
        area.information *= part if counted[INFORMATION] > 0 else 1.0
        area.monitoring *= part if counted[MONITORING] > 0 else 1.0
    for lever in range(NGO, CUSTOM):
        if counted[lever] > 0:
            cut_offer(lever, part, s, p)


@device
def read_offer(slot, lever):
    """The offer of a supporter to a slot."""
    if lever == GOVERNMENT:
        return slot.government
    if lever == NGO:
        return slot.ngo
    return slot.business if lever == BUSINESS else slot.community


@device
def charge(lever, region, slot, area, price, p):
    """Yearly price of a lever for one slot, in persons at efficient scale (E13).

    It is the price at full intensity, a share of the cost it applies to, times the intensity; NaN
    stands for the price that the parameter gives.
    """
    usual, intensity = p.lever_price, 0.0
    if lever == FORUM:
        usual *= MEETING_PRICE
        intensity = area.forum if region.forum >= 0 else 0.0
    elif lever == COMMUNITY:
        usual *= MEETING_PRICE
        intensity = slot.community
    elif slot.body == NOBODY:
        return 0.0
    elif lever == NGO:
        intensity = slot.ngo
    elif lever == BUSINESS:
        intensity = slot.business
    elif lever == PLANNING:
        intensity = area.planning
    elif lever == TEAM:
        intensity = area.team
    elif lever == INFORMATION:
        intensity = area.information
    elif lever == MONITORING:
        intensity = area.monitoring
    return (usual if isnan(price) else price) * intensity * service_cost(slot)


@device
def service_cost(slot):
    """Yearly cost of a slot, joint or alone, in persons at efficient scale."""
    return slot.due if slot.body != NOBODY else slot.people * slot.alone


@device
def running_cost(lever, s, price, p):
    """Cost of a lever in this quarter, without start-up, in money."""
    regions, areas = s.slot.shape
    total = 0.0
    for i in range(regions):
        for a in range(areas):
            area = s.area[a]
            yearly = charge(lever, s.region[i], s.slot[i, a], area, price, p)
            total += yearly * area.cost_per_resident / QUARTERS
    return total


@device
def payable(lever, startup, s, policy, p, quarter):
    """What a lever that counts costs in this quarter besides start-up, within its own budget."""
    phase = policy.period[quarter]
    is_counted = policy.counted[phase, lever] > 0
    if lever == GOVERNMENT or not is_counted or not is_offered(policy, lever, quarter):
        return 0.0
    running = running_cost(lever, s, policy.price[phase, lever], p)
    if lever > GOVERNMENT:
        running = min(running, max(policy.budget[phase, lever - SUPPORTERS_AT] - startup, 0.0))
    return running


@device
def firm_cost(s, policy, p, quarter):
    """What mandates and user-defined mechanisms that count cost in this quarter, in money."""
    phase, total = policy.period[quarter], 0.0
    for i in range(s.slot.shape[0]):
        for a in range(s.slot.shape[1]):
            slot, money = s.slot[i, a], s.area[a].cost_per_resident / QUARTERS
            for u in range(policy.rate.shape[2]):
                if policy.counted[phase, CUSTOM + u] > 0:
                    total += custom_charge(policy.rate[phase, a, u], policy.base[u], slot) * money
            is_bound = slot.mandate != NOBODY and slot.bound_until > quarter
            if is_bound and policy.mandate_counted[slot.mandate] > 0:
                price = policy.mandate_price[slot.mandate]
                total += (p.lever_price if isnan(price) else price) * slot.due * money
    return total


@device
def unspent(s, policy, p, quarter):
    """What the ceiling of the strategy leaves for start-up in this quarter, in money."""
    left = policy.ceiling[0]
    if left < np.inf:
        left -= firm_cost(s, policy, p, quarter)
        for lever in range(CUSTOM):
            left -= payable(lever, 0.0, s, policy, p, quarter)
    return max(left, 0.0)


@device
def custom_charge(rate, base, slot):
    """Yearly cost of a user-defined mechanism for one slot, in persons at efficient scale."""
    if base == ON_JOINT_COST and slot.body == NOBODY:
        return 0.0
    return rate * service_cost(slot)


@device
def bill_custom(s, policy, phase):
    """Add up the cost of user-defined mechanisms in this quarter, by payer (E13)."""
    regions, areas = s.slot.shape
    s.ledger[PAID, CUSTOM] = 0.0
    for u in range(policy.rate.shape[2]):
        payer, total = policy.bearer[phase, u], 0.0
        for i in range(regions):
            for a in range(areas):
                slot = s.slot[i, a]
                yearly = custom_charge(policy.rate[phase, a, u], policy.base[u], slot)
                total += yearly * s.area[a].cost_per_resident / QUARTERS
                if payer == MEMBERS_PAY:
                    slot.programme += yearly / (slot.people * slot.alone)
        s.ledger[PAID, CUSTOM] += total
        pay(s.moment[0], payer, total)


@device
def bill_mandates(s, policy, p, quarter):
    """Add up the cost of the mandates in force this quarter, by payer (E13)."""
    s.ledger[PAID, MANDATE] = 0.0
    if len(policy.mandate) == 0:
        return
    for i in range(s.slot.shape[0]):
        for a in range(s.slot.shape[1]):
            slot = s.slot[i, a]
            if slot.mandate == NOBODY or slot.bound_until <= quarter:
                continue
            price, payer = policy.mandate_price[slot.mandate], policy.mandate[slot.mandate, BEARER]
            yearly = (p.lever_price if isnan(price) else price) * slot.due
            money = yearly * s.area[a].cost_per_resident / QUARTERS
            if payer == MEMBERS_PAY:
                slot.programme += yearly / (slot.people * slot.alone)
            s.ledger[PAID, MANDATE] += money
            pay(s.moment[0], payer, money)


@device
def pay(now, payer, money):
    """Add an amount to the account of its payer."""
    if payer == MEMBERS_PAY:
        now.paid_members += money
    elif payer == CENTRE_PAYS:
        now.paid_centre += money
    elif payer == TIER_PAYS:
        now.paid_tier += money
    else:
        now.paid_supporter += money


@device
def fund(s, policy, p, quarter):
    """Pay grants and co-finance for this quarter's start-ups, pro rata within the budgets."""
    regions, areas = s.slot.shape
    grants, shares = 0.0, 0.0
    for i in range(regions):
        for a in range(areas if s.region[i].entering > 0 else 0):
            slot = s.slot[i, a]
            if slot.startup > 0.0:
                money = s.area[a].cost_per_resident
                grants += slot.granted * money
                shares += slot.cofinanced * money
    free = unspent(s, policy, p, quarter) if grants + shares > 0.0 else np.inf
    counted = policy.counted[policy.period[quarter]]
    budget = policy.budget[policy.period[quarter], 0]
    if counted[GOVERNMENT] > 0:
        budget = min(budget, free)
        free -= min(grants, budget)
    paid = 1.0 if grants <= budget else budget / grants
    if grants > 0.0:
        # The requests were already cut to the part that regions expected.
        whole = grants / s.ledger[RATION, GOVERNMENT]
        s.ledger[RATION, GOVERNMENT] = 1.0 if whole <= budget else budget / whole
    left = policy.budget[policy.period[quarter], 2]
    if left < np.inf and shares > 0.0:
        price = policy.price[policy.period[quarter], BUSINESS]
        left = max(left - running_cost(BUSINESS, s, price, p), 0.0)
    if counted[BUSINESS] > 0:
        left = min(left, max(free, 0.0))
    met = 1.0 if shares <= left else left / shares
    if paid < 1.0 or met < 1.0:
        for i in range(regions):
            for a in range(areas):
                s.slot[i, a].granted *= paid
                s.slot[i, a].cofinanced *= met
    s.ledger[PAID, GOVERNMENT] = grants * paid
    s.ledger[PAID, BUSINESS] = shares * met


@device
def covered_part(s, policy, p, quarter):
    """Part of the running cost of levers that the ceiling of the strategy covers.

    Bodies that began in this quarter may have raised it since the levers were cut.
    """
    if policy.ceiling[0] == np.inf:
        return 1.0
    left, need = policy.ceiling[0] - firm_cost(s, policy, p, quarter), 0.0
    for lever in range(CUSTOM):
        startup = s.ledger[PAID, lever] if lever in (GOVERNMENT, BUSINESS) else 0.0
        left -= startup if policy.counted[policy.period[quarter], lever] > 0 else 0.0
        need += payable(lever, startup, s, policy, p, quarter)
    left = max(left, 0.0)
    return 1.0 if need <= left else left / need


@device
def bill(s, policy, p, quarter):
    """Add up the cost of the levers in this quarter, by payer (E13)."""
    regions, areas = s.slot.shape
    now = s.moment[0]
    if now.paid_members > 0.0:
        for i in range(regions):
            for a in range(areas):
                s.slot[i, a].programme = 0.0
    now.paid_members = now.paid_centre = now.paid_supporter = now.paid_tier = 0.0
    phase, covered = policy.period[quarter], covered_part(s, policy, p, quarter)
    for lever in range(CUSTOM):
        payer, price = policy.payer[phase, lever], policy.price[phase, lever]
        startup = s.ledger[PAID, lever] if lever in (GOVERNMENT, BUSINESS) else 0.0
        running, part = 0.0, 1.0
        if lever != GOVERNMENT and is_offered(policy, lever, quarter):
            running = running_cost(lever, s, price, p)
            if lever > GOVERNMENT:
                budget = policy.budget[phase, lever - SUPPORTERS_AT]
                left = max(budget - startup, 0.0)
                part = 1.0 if running <= left else left / running
            if policy.counted[phase, lever] > 0:
                part *= covered
            running *= part
        if payer == MEMBERS_PAY and running + startup > 0.0:
            for i in range(regions):
                for a in range(areas):
                    slot = s.slot[i, a]
                    own = charge(lever, s.region[i], slot, s.area[a], price, p) * part
                    # Members that pay for start-up aid themselves gain nothing from it.
                    if lever == GOVERNMENT:
                        own += QUARTERS * slot.granted
                    elif lever == BUSINESS:
                        own += QUARTERS * slot.cofinanced
                    slot.programme += own / (slot.people * slot.alone)
        s.ledger[PAID, lever] = running + startup
        pay(now, payer, running + startup)
    bill_custom(s, policy, phase)
    bill_mandates(s, policy, p, quarter)
