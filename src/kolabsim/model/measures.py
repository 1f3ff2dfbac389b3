"""The measures of a run, each declared once, and how a quarter is recorded.

A run's *figure* of a measure is the mean of its last four quarters or, for money, the sum over the
run. An undefined value (a decision time without an agreement) is NaN here and null in results. The
file is long because half of it is the table of declarations, which belongs beside its computation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kolabsim.model.jit import allocating_device, argsort, device, inlined, kernel
from kolabsim.model.levers import CAP
from kolabsim.model.parameters import NEGLIGIBLE, QUARTERS
from kolabsim.model.state import NOBODY, PAID, ROW, places

REPORT, PAGE, STEPPER, COSTS, TRAITS = "report", "page", "stepper", "costs", "traits"
"""Places that show measures: the report of an experiment, the page's differences, the page's
quarter-by-quarter view, the table of costs, and the share of variance that traits explain."""

LAST_YEAR, SUM, RATIO = "mean of the last four quarters", "sum over the run", "ratio over the run"


@dataclass(frozen=True)
class Measure:
    """An outcome: its meaning, its unit, whether more is better, and how a run is summarised.

    ``better`` is 1 if more is better, -1 if less is, 0 if neither. A figure that is a ratio over
    the run is (numerator, denominator): sums over the quarters of two other measures. ``shown``
    names the places that show the measure (:func:`shown_in`), in the order of ``order``.
    """

    title: str
    meaning: str
    unit: str = "share"
    better: int = 0
    figure: str = LAST_YEAR
    ratio: tuple[str, str] = ("", "")
    shown: tuple[str, ...] = ()
    order: int = 100


class Measures(dict[str, Measure]):
    """Measures by name: a lookup also finds user-defined ones, a listing only built-in ones."""

    def __missing__(self, name: str) -> Measure:
        return CUSTOM[name]


CUSTOM: dict[str, Measure] = {}
"""Measures of loaded extensions."""


def _channel(title: str, meaning: str) -> Measure:
    return Measure(title, meaning, "share of stand-alone cost", 1)


CHANNELS: dict[str, Measure] = {
    "scale": _channel("scale", "saving from production at another scale, as divided among members"),
    "spill": _channel("spillover", "gain from serving together with neighbours"),
    "pooled": _channel("pooled capacity", "value of the change in service quality"),
    "coordination": _channel("coordination cost", "cost of informing, agreeing and enforcing"),
    "distance": _channel("haul", "cost of distance between members"),
    "newness": _channel("transition", "extra cost of a new joint body"),
    "conduct": _channel("conduct", "gain or loss of a region from shortfalls"),
    "self_rule": _channel("autonomy", "value of the autonomy given up"),
    "entry": _channel("start-up cost", "start-up cost paid by the region itself"),
    "programme": _channel("programme", "cost of levers borne by the region itself"),
}
"""The sources of a region's gains and losses, which add up to its realised net benefit."""

REGION_MEASURES: dict[str, Measure] = {
    "cooperation": Measure("cooperation", "share of time in a joint body"),
    "efficiency": Measure(
        "efficiency", "1 - realised cost / stand-alone cost, before programme cost", better=1,
    ),
    "quality_change": Measure(
        "service quality change", "change in service quality since the start", "0..1",
        better=1,
    ),
    "perceived_benefit": Measure(
        "perceived net benefit",
        "net benefit that the region expected when it voted on the present agreement",
        "share of stand-alone cost", better=1,
    ),
    "realised_benefit": Measure(
        "realised net benefit",
        "realised net benefit after the programme cost that the region bears",
        "share of stand-alone cost", better=1,
    ),
    "saving": Measure(
        "net saving",
        "stand-alone cost less realised cost and the programme cost that the region bears",
        "currency", better=1, figure=SUM,
    ),
    "benefit_money": Measure(
        "realised net benefit in money",
        "realised net benefit after the programme cost that the region bears",
        "currency", better=1, figure=SUM,
    ),
    **CHANNELS,
}  # fmt: skip
"""Measures for each region and area."""

MEASURES = Measures({
    "cooperation": Measure(
        "cooperation rate",
        "share of pairs of a region and a service area that are in a joint body",
        shown=(REPORT, PAGE, STEPPER, TRAITS), order=6,
    ),
    "efficiency": Measure(
        "efficiency", "1 - realised cost / stand-alone cost, before programme cost", better=1,
        shown=(REPORT, TRAITS), order=4,
    ),
    "net_efficiency": Measure(
        "efficiency after programme cost", "efficiency less programme cost, no matter who bears it",
        better=1, shown=(REPORT, PAGE), order=3,
    ),
    "quality": Measure(
        "service quality", "mean service quality, weighted by population", "0..1", better=1,
    ),
    "quality_change": Measure(
        "service quality change",
        "mean change in service quality since the start, weighted by population", "0..1", better=1,
        shown=(REPORT, PAGE, TRAITS), order=5,
    ),
    "perceived_benefit": Measure(
        "perceived net benefit",
        "net benefit that regions expected when they voted on the present agreements",
        "share of stand-alone cost", better=1, shown=(REPORT,), order=2,
    ),
    "realised_benefit": Measure(
        "realised net benefit",
        "realised net benefit after programme cost, no matter who bears it",
        "share of stand-alone cost", better=1, shown=(REPORT, PAGE, STEPPER, TRAITS), order=1,
    ),
    **{name: measure for name, measure in CHANNELS.items() if name != "programme"},
    "decision_time": Measure(
        "decision time", "quarters from opening a negotiation to its conclusion", "quarters",
        better=-1, figure=RATIO, ratio=("deciding", "agreements"), shown=(REPORT, PAGE), order=7,
    ),
    "trust": Measure(
        "trust", "mean trust in contacts", "0..1", better=1, shown=(REPORT, PAGE, STEPPER, TRAITS),
        order=8,
    ),
    "trust_in_bodies": Measure("trust in bodies", "mean trust between members", "0..1", better=1),
    "shortfall": Measure(
        "shortfall rate", "share of members that fall short", better=-1,
        shown=(REPORT, PAGE, STEPPER), order=9,
    ),
    "commitment": Measure(
        "commitment", "mean commitment of regions", "0..1", better=1, shown=(REPORT,), order=10,
    ),
    "quality_gini": Measure("Gini of quality", "inequality of service quality", "0..1", better=-1),
    "worst_tenth": Measure(
        "quality of the worst-off tenth", "mean quality of the tenth of regions that is worst off",
        "0..1", better=1, shown=(REPORT,), order=11,
    ),
    "losers": Measure(
        "regions that lose", "share of regions with a negative net benefit", better=-1,
        shown=(REPORT, PAGE), order=12,
    ),
    "exit_rate": Measure(
        "exit rate", "share of memberships that end in a year", "share/year", better=-1,
        figure=RATIO, ratio=("ended", "membership_years"), shown=(REPORT, PAGE), order=13,
    ),
    "membership_age": Measure("age of memberships", "mean age of memberships", "years"),
    "body_age": Measure("age of bodies", "mean age of joint bodies", "years"),
    "bodies": Measure(
        "joint bodies", "number of joint bodies", "bodies", shown=(STEPPER,), order=14,
    ),
    "body_size": Measure("size of bodies", "mean number of members", "regions"),
    "largest_body": Measure("largest body", "members of the largest body", "regions"),
    "density": Measure("density", "share of pairs of regions that share a body"),
    "transitivity": Measure("transitivity", "share of connected triples that are closed"),
    "isolates": Measure("isolates", "share of regions in no joint body"),
    "degree_gini": Measure("Gini of partners", "inequality of the number of partners", "0..1"),
    "saving": Measure(
        "saving", "stand-alone cost less realised cost, before programme cost", "currency",
        better=1, figure=SUM, shown=(COSTS,), order=19,
    ),
    "programme_cost": Measure(
        "programme cost", "cost of levers and supporters, no matter who bears it", "currency",
        better=-1, figure=SUM, shown=(REPORT, PAGE, COSTS), order=18,
    ),
    "programme_members": Measure(
        "programme cost of members", "programme cost that regions bear", "currency", better=-1,
        figure=SUM, shown=(COSTS,), order=15,
    ),
    "programme_centre": Measure(
        "programme cost of central government", "programme cost that central government bears",
        "currency",
        better=-1, figure=SUM, shown=(COSTS,), order=16,
    ),
    "programme_supporters": Measure(
        "programme cost of supporters", "programme cost that supporters bear", "currency",
        better=-1, figure=SUM, shown=(COSTS,), order=17,
    ),
    "net_saving": Measure(
        "net saving", "saving less programme cost, no matter who bears it", "currency", better=1,
        figure=SUM, shown=(REPORT, PAGE, COSTS), order=20,
    ),
    "net_saving_discounted": Measure(
        "net saving, discounted", "net saving, discounted to the start", "currency", better=1,
        figure=SUM,
    ),
    "benefit_money": Measure(
        "realised net benefit in money", "realised net benefit after programme cost", "currency",
        better=1, figure=SUM,
    ),
    "saving_per_cost": Measure(
        "saving per unit spent", "saving per unit of programme cost", "1", better=1, figure=RATIO,
        ratio=("saving", "programme_cost"), shown=(REPORT,), order=21,
    ),
    "opened": Measure("negotiations opened", "negotiations opened", "negotiations", figure=SUM),
    "refused": Measure("negotiations refused", "negotiations refused", "negotiations", figure=SUM),
    "agreements": Measure("agreements", "agreements concluded", "agreements", figure=SUM),
    "deciding": Measure(
        "time spent deciding", "quarters from opening to conclusion, summed", "quarters",
        figure=SUM,
    ),
    "ended": Measure("memberships ended", "memberships that ended", "memberships", figure=SUM),
    "membership_years": Measure(
        "membership years", "memberships at the start of the quarter, over four", "years",
        figure=SUM,
    ),
})  # fmt: skip
"""Measures of the whole system, one value per quarter and run."""


def shown_in(place: str) -> tuple[str, ...]:
    """Names of the built-in measures that a place shows, in the order in which it shows them.

    >>> shown_in(STEPPER)
    ('realised_benefit', 'cooperation', 'trust', 'shortfall', 'bodies')
    """
    found = [name for name, measure in MEASURES.items() if place in measure.shown]
    return tuple(sorted(found, key=lambda name: MEASURES[name].order))


AT = places("Places", MEASURES)
"""Places of the measures in the history of a run, by name: ``out[AT.trust]``."""
FIRST_CHANNEL, CHANNEL_COUNT = AT.scale, len(CHANNELS) - 1

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
    out[at + 8] += factor * slot.entry


@device
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


TRACE = (
    "body", "entered", "bound_until", "cost", "realised", "expected", "quality", "load",
    "body_trust", "people", "entry",
)  # fmt: skip
"""Columns of a slot that the trace of a run keeps for every quarter."""


@device
def trace_region(i, s, out):
    """Keep a region's slots of this quarter, [R, A, columns of TRACE]."""
    for a in range(s.slot.shape[1]):
        slot, kept = s.slot[i, a], out[i, a]
        kept[0], kept[1], kept[2] = slot.body, slot.entered, slot.bound_until
        kept[3], kept[4], kept[5] = slot.cost, slot.realised, slot.expected
        kept[6], kept[7], kept[8] = slot.quality, slot.load, slot.body_trust
        kept[9], kept[10] = slot.people, slot.entry


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


@device
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
    out[AT.losers] += gain < -NEGLIGIBLE * costs
    out[AT.commitment] += s.region[i].commitment


@inlined
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
    out[AT.losers] /= regions
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
    out[AT.programme_supporters] = now.paid_supporter
    out[AT.net_saving] = saved - spent
    years = (quarter + 0.5) / QUARTERS
    out[AT.net_saving_discounted] = (saved - spent) * (1.0 + p.discount) ** (-years)
    out[AT.benefit_money] = net - spent
    out[AT.saving_per_cost] = safe_ratio(saved, spent)


@device
def record_bodies(s, quarter, out):
    """Joint bodies: number, size, age, and trust between members."""
    bodies, members, age, trust, pairs, largest = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for body in range(len(s.body)):
        size = s.body[body].members
        if size > 0:
            row = s.sums[s.slot.size + body]
            bodies += 1.0
            members += size
            largest = max(largest, float(size))
            age += (quarter - s.body[body].began) / QUARTERS
            trust += row[ROW.trust]
            pairs += row[ROW.members] * (row[ROW.members] - 1.0)
    out[AT.bodies], out[AT.largest_body] = bodies, largest
    out[AT.body_size], out[AT.body_age] = safe_ratio(members, bodies), safe_ratio(age, bodies)
    out[AT.trust_in_bodies] = safe_ratio(trust, pairs)


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
                if j != i and marks[j] != i:
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
