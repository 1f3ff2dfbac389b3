"""The stages of a quarter for one region: the five steps of building collaboration.

Each stage reads the state that the stage before it left, and writes only to its own region, so the
order of regions cannot matter. Both engines call these functions. The file is long because one
reading of it, from top to bottom, is one quarter of the model.
"""

from __future__ import annotations

from math import inf

from kolabsim.model import laws, rng
from kolabsim.model.bodies import (
    add_rows,
    are_partners,
    assign_sides,
    body_forum_share,
    cost_channels,
    cross_omega,
    current_goodwill,
    differences,
    hub_row,
    judge_union,
    may_unite,
    misfit,
    misjudgement,
    outlook,
    own_change,
    partners_before,
    party_row,
    same_forum,
)
from kolabsim.model.decision_rules import built_in
from kolabsim.model.interventions import bill
from kolabsim.model.jit import ahead_of_body, device, inlined, shared_device, stage
from kolabsim.model.levers import BOARD, LASTING, TERMS
from kolabsim.model.parameters import (
    ASPIRATION_LEARNING,
    FIRST_TERM,
    QUARTERS,
    TRUST_DAMAGE,
    TRUST_DRIFT,
    TRUST_GAIN,
    TRUST_LOSS,
    TRUST_MENDING,
)
from kolabsim.model.state import BUYER, NOBODY, PROVIDER, ROW, Me

on_attention_odds = laws.term(
    "attention_odds", "odds that a region considers an area in a quarter (E7)", "log odds",
    least=-inf, most=inf,
)  # fmt: skip
on_attention = laws.term("attention", "chance in a quarter that a region considers an area (E7)")
on_notice = laws.term("notice", "chance in a quarter of noticing a contact (E7)")
on_conclusion = laws.term(
    "conclusion", "rate at which joint decisions are taken (E9)", "1/quarter", most=inf
)
on_observation = laws.term("observation", "chance that a member's conduct is observed (E10)")
on_conduct_odds = laws.term(
    "conduct_odds", "odds that a member keeps its promises (E10)", "log odds", least=-inf, most=inf
)
on_conduct = laws.term("conduct", "chance that a member keeps its promises (E10)")
on_leaving = laws.term("leaving", "chance in a quarter that a member leaves (E11)")
on_trust = laws.term(
    "trust", "share of missing trust built in a quarter between members of a body (E12)"
)
TRUST_TERM, ODDS_TERM, ATTENTION_TERM = map(
    list(TERMS).index, ("trust", "attention_odds", "attention")
)

DRIFT, DAMAGE, MENDING = (
    1.0 - (1.0 - yearly) ** (1.0 / QUARTERS)
    for yearly in (TRUST_DRIFT, TRUST_DAMAGE, TRUST_MENDING)
)
"""Yearly shares as shares of a quarter."""


# 1 identify -------------------------------------------------------------------------------------
@device
def identify(i, s, p, rule, key):
    """A region may consider an area, look for partners, and open a negotiation."""
    code, four = s.region[i].id, rng.NO_WORDS
    for a in range(s.slot.shape[1]):
        if a % 4 == 0:
            four = rng.words(key, rng.ATTENTION, a // 4, code, code)
        number = list_drawn(i, a, rng.uniform_of(four, a), s, p, key)
        if number > 1:
            draw = choice_draw(s.region[i], a, key)
            me = describe_region(i, a, s)
            taken = built_in(s.moment[0].decision, s.option[:number], me, draw, rule)
            negotiate(i, a, taken, s, key)


@device
def choice_draw(region, a, key):
    """The random draw of a region for its choice in an area."""
    return rng.uniform_by_area(key, rng.CHOICE, region.id, region.id, a)


@device
def describe_region(i, a, s):
    """The view that a decision rule has of the deciding region."""
    region, slot = s.region[i], s.slot[i, a]
    return Me(
        region.stress, region.autonomy, region.goodwill, region.commitment, region.reputation,
        region.aspiration, slot.capacity, slot.interest, region.success,
        1.0 if slot.body != NOBODY else 0.0,
    )  # fmt: skip


@device
def negotiate(i, a, taken, s, key):
    """Open the chosen negotiation; the first option is the status quo."""
    if taken > 0:
        slot = s.slot[i, a]
        slot.contact, slot.opened, slot.order = s.option[taken].contact, key.quarter, -1.0


@inlined
def list_options(i, a, s, p, key):
    """List the options of region i in area a in ``s.option``; return their number (E7).

    The number is 0 if the region does not consider the area in this quarter.
    """
    code = s.region[i].id
    draw = rng.uniform_by_area(key, rng.ATTENTION, code, code, a)
    return list_drawn(i, a, draw, s, p, key)


@inlined
def list_drawn(i, a, draw, s, p, key):
    """The same with the draw of attention, which areas share four at a time."""
    slot, region = s.slot[i, a], s.region[i]
    if slot.contact != NOBODY or region.end == region.first or slot.role == BUYER:
        return 0
    if not is_attentive(region, slot, s.area[a], s.effect[a], s.slot, s.contact, a, draw, p):
        return 0
    own = party_row(s.slot, i, a)
    room = s.moment[0].cap - s.sums[own, ROW.members]
    number = 1
    for c in range(region.first, region.end):
        contact = s.contact[c]
        party = party_row(s.slot, contact.target, a)
        if party == own or s.sums[party, ROW.members] > room:
            continue
        if not may_unite(s, i, contact.target, a, own, party):
            continue
        other = s.region[contact.target]
        if not notices(region, other, contact, s.area[a], s.effect[a], a, p, key):
            continue
        k = 1
        while k < number and s.option[k].party != party:
            k += 1
        if k == number:
            s.option[k].party, s.option[k].contact = party, c
            number += 1
        elif contact.trust > s.contact[s.option[k].contact].trust:
            s.option[k].contact = c
    keep = s.option[0]
    keep.gain, keep.trust, keep.members, keep.culture = 0.0, 1.0, s.sums[own, ROW.members], 0.0
    keep.people, keep.contact, keep.party = s.sums[own, ROW.residents], NOBODY, own
    keep.form = NOBODY
    keep.draw = rng.uniform_by_area(key, rng.STATUS_QUO, region.id, region.id, a)
    keep.success = region.success
    for k in range(1, number):
        judge(i, a, k, s, p, key)
    return number


@device
def is_attentive(region, slot, area, effects, slots, contact, a, draw, p):
    """Whether a region considers an area this quarter; takes all slots and contacts."""
    forum = area.forum if region.forum >= 0 else 0.0
    # Most draws fail even if every contact shared the area, so that no count is needed; and most of
    # those so clearly that no exponential is.
    if not acts_on_attention(effects) and is_beyond(draw, region, slot, forum, p):
        return False
    if draw > attention(region, slot, effects, 1.0, forum, p):
        return False
    sharing = 0.0
    for c in range(region.first, region.end):
        sharing += slots[contact[c].target, a].body != NOBODY
    peers = sharing / (region.end - region.first)
    return draw <= attention(region, slot, effects, peers, forum, p)


@device
def acts_on_attention(effects):
    """Whether a user-defined mechanism changes the attention to an area."""
    return (
        effects[ODDS_TERM, 0] != 1.0
        or effects[ODDS_TERM, 1] != 0.0
        or effects[ATTENTION_TERM, 0] != 1.0
        or effects[ATTENTION_TERM, 1] != 0.0
    )


@device
def is_beyond(draw, region, slot, forum, p):
    """Whether a draw of attention fails whatever contacts do, as far as a bound can tell."""
    bound = rng.logistic_bound(laws.attention_odds(slot.alone, region.stress, 1.0, p))
    bound = laws.government_on_attention(bound, slot.government, p)
    return draw > laws.forum_on_attention(bound, forum, p)


@device
def attention(region, slot, effects, peers, forum, p):
    """Chance in a quarter that a region considers an area (E7)."""
    odds = on_attention_odds(laws.attention_odds(slot.alone, region.stress, peers, p), effects)
    return on_attention(laws.attention(odds, slot.government, forum, p), effects)


@device
def notices(region, other, contact, area, effects, a, p, key):
    """Whether a region notices a contact in an area this quarter."""
    forum = area.forum * same_forum(region, other)
    tier = 1.0 if region.tier == other.tier else 0.0
    chance = on_notice(laws.noticing(contact.near, contact.trust, forum, tier, p), effects)
    return rng.uniform_by_area(key, rng.NOTICE, region.id, other.id, a) < chance


@inlined
def judge(i, a, k, s, p, key):
    """Judge, with an error, the benefit of uniting with the party of option k (E6)."""
    option, region, slot = s.option[k], s.region[i], s.slot[i, a]
    contact = s.contact[option.contact]
    first, second = party_row(s.slot, i, a), option.party
    sides, view, whole = judge_union(s, p, i, a, first, second, 0.0, key.quarter)
    row = s.sums[-1]
    omega = slot.omega + cross_omega(region, s.slot, s.contact, a, second)
    own = own_change(s, i, a, p, view, omega, row[ROW.residents], sides.first_enters)
    goodwill = current_goodwill(region, slot, key.quarter)
    gain = laws.with_goodwill(own, whole, row[ROW.members] - 1.0, goodwill)
    option.gain = gain + misjudgement(s, p, i, a, option.contact, 0.0)
    option.trust = contact.trust
    option.success = s.region[contact.target].success
    option.members, option.people = row[ROW.members], row[ROW.residents]
    option.culture, option.form = view.apart.culture, sides.form
    other = s.region[contact.target].id
    option.draw = rng.uniform_by_area(key, rng.CHOICE, region.id, other, a)


# 2 communicate ----------------------------------------------------------------------------------
@device
def builds_trust(s):
    """Whether a forum, a team, mediation or a user-defined mechanism can build trust now."""
    for a in range(len(s.area)):
        if s.area[a].forum > 0.0 or s.area[a].team > 0.0 or s.area[a].ngo > 0.0:
            return True
        if acts_on_trust(s.effect[a]):
            return True
    return False


@device
def acts_on_trust(effects):
    """Whether a user-defined mechanism changes how trust is built in an area."""
    return effects[TRUST_TERM, 0] != 1.0 or effects[TRUST_TERM, 1] != 0.0


@device
def communicate(i, s, p, key):
    """Meetings, teams and mediators build a region's trust in its contacts (E12)."""
    areas = s.slot.shape[1]
    forum, mediation, team = 0.0, 0.0, False
    for a in range(areas):
        forum += s.area[a].forum / areas
        mediation += s.slot[i, a].ngo / areas
        team = team or s.area[a].team > 0.0 or acts_on_trust(s.effect[a])
    if forum == 0.0 and mediation == 0.0 and not team:
        return
    for c in range(s.region[i].first, s.region[i].end):
        j, shared, together = s.contact[c].target, 0.0, False
        for a in range(areas):
            if are_partners(s.slot[i, a], s.slot[j, a]):
                shared = max(shared, s.area[a].team)
                together = True
        meeting = forum * same_forum(s.region[i], s.region[j])
        built = laws.trust_built(meeting, shared, mediation, p)
        if together:
            built = most_trust(i, j, min(built, 1.0), s)
        reach = laws.reach(s.contact[c].trust, s.contact[c].damage)
        s.contact[c].trust = laws.closer(s.contact[c].trust, reach, min(built, 1.0))


@device
def most_trust(i, j, built, s):
    """Trust built between two partners, with the effect of user-defined mechanisms (E14).

    Of the areas that they share, the one counts in which most trust is built.
    """
    most = 0.0
    for a in range(s.slot.shape[1]):
        if are_partners(s.slot[i, a], s.slot[j, a]):
            most = max(most, on_trust(built, s.effect[a]))
    return most


# 3 plan -----------------------------------------------------------------------------------------
@shared_device
def plan(i, s, p, key):
    """A region's negotiations advance, and it decides whether to leave its bodies (E9, E11)."""
    region, block, leaving = s.region[i], NOBODY, rng.NO_WORDS
    region.moving = 0
    for a in range(s.slot.shape[1]):
        slot = s.slot[i, a]
        is_free = slot.body != NOBODY and slot.bound_until <= key.quarter
        # A provider stays while it has buyers.
        is_free = is_free and slot.role != PROVIDER
        if is_free and key.quarter - slot.entered >= QUARTERS * FIRST_TERM:
            chance = laws.leaving(slot.load, slot.body_trust, region.commitment, p)
            chance = on_leaving(chance, s.effect[a])
            if block != a // 4:
                block = a // 4
                leaving = rng.words(key, rng.LEAVING, block, region.id, region.id)
            slot.leaves = rng.uniform_of(leaving, a) < chance
            region.moving = max(region.moving, slot.leaves)
        if is_taken_out(slot, key.quarter):
            slot.leaves = region.moving = 1
        if slot.contact != NOBODY and slot.opened < key.quarter:
            advance(i, a, s, p, key)


@device
def is_taken_out(slot, quarter):
    """Whether an event of the scenario takes a region out of its body; mandates come first."""
    return slot.away > 0 and slot.body != NOBODY and slot.bound_until <= quarter


@device
def advance(i, a, s, p, key):
    """Advance one negotiation: it is given up, stays open, or concludes this quarter (E9)."""
    region, slot = s.region[i], s.slot[i, a]
    contact = s.contact[slot.contact]
    j = contact.target
    first, second = party_row(s.slot, i, a), party_row(s.slot, j, a)
    members = s.sums[first, ROW.members] + s.sums[second, ROW.members]
    if members > s.moment[0].cap or not may_unite(s, i, j, a, first, second):
        slot.contact = NOBODY
        return
    sides = assign_sides(s, p, first, second, a, key.quarter)
    # At a founding nobody provides yet: two founders decide as the two members of a board would.
    form = BOARD if sides.host == NOBODY else sides.form
    add_rows(s, first, second)
    row, hub = s.sums[-1], s.sums[hub_row(s, sides.provider, a)]
    apart = differences(row, hub, form)
    trust = 0.5 * (contact.trust + s.contact[contact.reverse].trust)
    partners = partners_before(s.slot, i, j, a)
    rate = decision_rate(s.area[a], s.effect[a], p, row, apart, trust, partners, form)
    if rng.uniform_by_area(key, rng.CONCLUSION, region.id, region.id, a) < laws.conclusion(rate):
        slot.order = rng.uniform_by_area(key, rng.ORDER, region.id, region.id, a)
        region.moving = 1


@device
def decision_rate(area, effects, p, row, apart, trust, partners, form):
    """Rate at which the members in a row of sums take a joint decision (E9)."""
    n = row[ROW.members]
    rate = laws.decision_rate(
        trust, row[ROW.commitment] / n, apart.culture, apart.interests, partners, n, form,
        area.planning, area.team, row[ROW.mediation] / n, p,
    )  # fmt: skip
    return on_conclusion(rate, effects)


# 4 coordinate -----------------------------------------------------------------------------------
@device
def coordinate(i, s, p, key):
    """A member keeps its promises or falls short; a region without partners serves alone (E10)."""
    region, block, honour, observation = s.region[i], NOBODY, rng.NO_WORDS, rng.NO_WORDS
    for a in range(s.slot.shape[1]):
        slot = s.slot[i, a]
        if slot.body == NOBODY:
            serve_alone(slot)
            continue
        if block != a // 4:
            block = a // 4
            honour = rng.words(key, rng.HONOUR, block, region.id, region.id)
            observation = rng.words(key, rng.OBSERVATION, block, region.id, region.id)
        row, area = s.sums[s.slot.size + slot.body], s.area[a]
        seen = on_observation(laws.observed(area.monitoring, area.information, p), s.effect[a])
        ties = laws.ties(row[ROW.members], s.body[slot.body].form)
        odds = laws.conduct_odds(
            current_goodwill(region, slot, key.quarter), region.commitment,
            laws.mean_trust(row[ROW.trust], ties), region.stress,
            region.population / row[ROW.residents], seen, p,
        )  # fmt: skip
        chance = laws.conduct(on_conduct_odds(odds, s.effect[a]), slot.community, p)
        chance = on_conduct(chance, s.effect[a])
        slot.kept = rng.uniform_of(honour, a) < chance
        slot.seen = rng.uniform_of(observation, a) < seen


@device
def serve_alone(slot):
    """Set the cost and quality of a region that serves an area alone.

    Most slots are alone in most quarters, so only changes are written: in a large world, writing to
    memory takes most of the time.
    """
    if slot.quality != slot.reference:
        slot.quality = slot.reference
    if slot.due != slot.people * slot.alone:
        slot.due = slot.people * slot.alone
    if slot.cleared == 0 or slot.startup > 0.0:
        slot.cleared = 1
        slot.cost, slot.realised = 1.0, 0.0
        slot.load = slot.body_trust = 0.0
        slot.scale = slot.coordination = slot.distance = slot.newness = 0.0
        slot.spill = slot.conduct = slot.pooled = slot.self_rule = slot.fit = 0.0
        slot.entry = paid_to_enter(slot)
        if slot.entry != 0.0:
            slot.cleared = 0


@device
def paid_to_enter(slot):
    """Start-up that a region paid itself this quarter, yearly, negative, even if it left since."""
    own = slot.startup - slot.granted - slot.cofinanced
    return -QUARTERS * own / (slot.people * slot.alone)


@stage
def produce(s, policy, p, quarter):
    """Let all joint bodies produce, and bill the levers."""
    for body in range(len(s.body)):
        ahead_of_body(s, body)
        if s.body[body].members > 0:
            produce_body(s, p, body, quarter)
    bill(s, policy, p, quarter)


@device
def produce_body(s, p, body, quarter):
    """Set the yearly costs and benefits of the members of one body (E4 to E6, E10)."""
    a, size, party = s.body[body].area, s.body[body].members, s.slot.size + body
    row = s.sums[party]
    short = 0.0
    for k in range(size):
        i = s.members[body, k]
        short += (1.0 - s.slot[i, a].kept) * s.slot[i, a].people
    penalty = laws.transition((quarter - s.body[body].began) / QUARTERS, p)
    forum = body_forum_share(s, body)
    short /= row[ROW.people]
    form, area, now = s.body[body].form, s.area[a], s.moment[0]
    view = outlook(
        area, s.effect[a], now, p, row, s.sums[hub_row(s, s.body[body].provider, a)], form, penalty,
        forum, short, 1.0, row[ROW.members],
    )  # fmt: skip
    rate = decision_rate(area, s.effect[a], p, row, view.apart, view.trust, view.again, form)
    now.matter_months += laws.matter_time(rate)
    now.matters += 1.0
    missing = 0.0
    for k in range(size):
        slot = s.slot[s.members[body, k], a]
        missing += laws.kept_back(slot.kept, slot.seen) * view.price * slot.weight
    spread = missing / (view.price * row[ROW.weight])
    for k in range(size):
        i = s.members[body, k]
        slot, region = s.slot[i, a], s.region[i]
        shifted = view.price * slot.burden * (spread - laws.kept_back(slot.kept, slot.seen))
        slot.due = view.price * slot.weight
        slot.scale, slot.coordination, slot.distance, slot.newness = cost_channels(
            row, view, slot.burden
        )
        slot.conduct = -shifted
        slot.spill = area.spillover * slot.omega / slot.alone
        slot.cost = view.price * slot.burden + shifted - slot.spill
        slot.quality = view.quality
        slot.pooled = laws.quality_worth(view.quality - slot.reference, p)
        lost = laws.autonomy_loss(region.autonomy, region.population / row[ROW.residents], p)
        loss = misfit(slot, area, s.effect[a], p, view, s.slot.shape[1])
        slot.self_rule, slot.fit = -lost, -loss
        slot.realised = laws.net_benefit(slot.cost, view.quality - slot.reference, lost, loss, p)
        slot.load, slot.body_trust = view.load, view.trust
        slot.entry = paid_to_enter(slot)
        slot.cleared = 0


# 5 evaluate -------------------------------------------------------------------------------------
@device
def evaluate(i, s, p, key):
    """A region observes its partners; trust, reputation, commitment and practice learn (E12)."""
    region, areas = s.region[i], s.slot.shape[1]
    costs, joint, bound, total, seen, kept = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for a in range(areas):
        slot = s.slot[i, a]
        cost = slot.people * slot.alone * s.area[a].cost_per_resident
        costs += cost
        if slot.body != NOBODY:
            joint += cost
            total += cost * slot.realised
            if slot.bound_until > key.quarter:
                bound += cost
            seen += slot.seen
            kept += slot.seen * slot.kept
            learn_practice(slot, s.body[slot.body].provider, a, s, p)
    region.success = total / costs
    for c in range(region.first, region.end):
        learn_trust(i, s.contact[c], joint > 0.0, s.moment[0].trust, s.slot, p)
    if seen > 0.0:
        region.reputation = laws.closer(region.reputation, kept / seen, p.learning)
    if joint > 0.0:
        realised = total / joint
        goal = laws.commitment_goal(realised, region.aspiration)
        goal = laws.bound_goal(goal, bound, joint)
        region.commitment = laws.closer(region.commitment, goal, p.learning)
        part = laws.faster(p.learning, ASPIRATION_LEARNING)
        region.aspiration = laws.closer(region.aspiration, realised, part)
    else:
        region.commitment = laws.closer(region.commitment, p.commitment_start, DRIFT)
    # Of a region that has never had a partner, nothing in its rows has changed.
    if joint > 0.0 or s.sums[i * areas, ROW.commitment] != region.commitment:
        for a in range(areas):
            slot, row = s.slot[i, a], s.sums[i * areas + a]
            row[ROW.practice] = slot.practice
            row[ROW.practice_squares] = slot.practice * slot.practice
            row[ROW.reputation] = region.reputation
            row[ROW.commitment] = region.commitment


@device
def learn_practice(slot, provider, a, s, p):
    """Move a member's practice towards its body's mean, a buyer's towards its provider's (E12)."""
    if slot.role == PROVIDER:
        return
    row = s.sums[s.slot.size + slot.body]
    goal = row[ROW.practice] / row[ROW.members]
    if provider != NOBODY:
        goal = s.sums[provider * s.slot.shape[1] + a, ROW.practice]
    slot.practice = laws.closer(slot.practice, goal, p.learning)


@device
def learn_trust(i, contact, shares, rule, slot, p):
    """Move trust in one contact with its observed conduct, or let it drift to its start.

    Under the ``lasting`` rule, broken promises also lower what trust can reach. [pant_yu_2025]
    """
    observed = False
    if shares:
        for a in range(slot.shape[1]):
            other = slot[contact.target, a]
            if are_partners(slot[i, a], other) and other.seen > 0.0:
                observed = True
                if other.kept > 0.0:
                    reach = laws.reach(contact.trust, contact.damage)
                    gain = laws.faster(p.learning, TRUST_GAIN)
                    contact.trust = laws.closer(contact.trust, reach, gain)
                    contact.damage = laws.closer(contact.damage, 0.0, MENDING)
                else:
                    loss = laws.faster(p.learning, TRUST_LOSS)
                    contact.trust = laws.closer(contact.trust, 0.0, loss)
                    if rule == LASTING:
                        contact.damage = laws.closer(contact.damage, 1.0, DAMAGE)
    if not observed:
        start = min(contact.trust_start, 1.0 - contact.damage)
        contact.trust = laws.closer(contact.trust, start, DRIFT)
