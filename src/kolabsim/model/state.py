"""The state of the model: every column of region, slot, contact and body, declared once.

A *slot* is a region in a service area. A *party* can agree to a union: it is a region alone in an
area, or a whole joint body. Each party has a row of sums over its members; the row of a union of
two parties is the sum of their rows, so that any union can be judged without visiting its members.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.levers import CAP, LEVERS, TERMS

NOBODY = -1
"""The value of an index column where there is no body or no contact."""

DIMENSIONS = 3
"""Dimensions of organisational culture."""


@dataclass(frozen=True)
class Column:
    """A column: its meaning, unit and type."""

    meaning: str
    unit: str = "1"
    symbol: str = ""
    kind: type = np.float64


def places(title: str, names: Iterable[str]) -> Any:
    """The place of each name, as an attribute: compiled code reads ``places.name``, a constant."""
    names = tuple(names)
    return namedtuple(title, names)(*range(len(names)))


def _index(meaning: str, symbol: str = "") -> Column:
    return Column(meaning, "index", symbol, np.int64)


REGION: dict[str, Column] = {
    "id": Column("number that identifies it in random draws: a hash of its code", "", "", np.int64),
    "tier": _index("higher tier that it belongs to"),
    "tier_id": Column(
        "number that identifies its higher tier in random draws: a hash of its name",
        "",
        "",
        np.int64,
    ),
    "forum": _index("forum that it is in"),
    "rank": _index("rank by population, from the smallest"),
    "first": _index("first of its contacts"),
    "end": _index("first contact after its own"),
    "x": Column("place on the unit sphere", "earth radii"),
    "y": Column("place on the unit sphere", "earth radii"),
    "z": Column("place on the unit sphere", "earth radii"),
    "population": Column("inhabitants", "persons > 0", "N"),
    "stress": Column("fiscal stress", "0..1", "f"),
    "stress_start": Column("fiscal stress at the start", "0..1", "f_0"),
    "autonomy": Column("preference for autonomy", "0..1", "v"),
    "goodwill": Column("weight on the benefit of partners", "0..1", "g"),
    "commitment": Column("commitment to cooperation", "0..1", "m"),
    "reputation": Column("probability that it keeps promises, as others see it", "0..1", "r"),
    "aspiration": Column("net benefit that it expects", "share of stand-alone cost", "u"),
    "success": Column("realised net benefit over its areas", "share of stand-alone cost"),
    "moving": _index("1 if it leaves a body or concludes a negotiation this quarter"),
    "entering": _index("1 if start-up is due from it this quarter"),
}

# In the order of use: what every quarter reads of every slot lies together, so that a large world
# moves half as much memory.
SLOT: dict[str, Column] = {
    "body": _index("joint body that provides the area", "body"),
    "contact": _index("contact through which it negotiates", "party"),
    "role": _index("1 if it provides the area to others under contracts, 2 if it buys it, else 0"),
    "away": _index("1 while an event of the scenario keeps it out of joint bodies"),
    "people": Column("people served: population times demand", "persons", r"N\delta"),
    "alone": Column("unit cost when serving alone", "1 at efficient scale", "ac"),
    "interest": Column("priority of the area, sums to 1 over areas", "0..1", "w"),
    "government": Column("central grant offered to it", "0..1", "G"),
    "leaves": _index("1 if it leaves its body this quarter"),
    "order": Column("place among this quarter's conclusions, -1 if none", "0..1"),
    "startup": Column("start-up due this quarter", "person-years at efficient scale"),
    "programme": Column("programme cost that it bears this quarter", "share of stand-alone cost"),
    "before": _index("joint body at the start of the quarter", "body"),
    "role_before": _index("role at the start of the quarter"),
    "mandate": _index("mandate that binds it, -1 if none"),
    "reference": Column(
        "service quality if it serves alone: capacity, less the strain of demand", "0..1", ""
    ),
    "quality": Column("service quality", "0..1"),
    "cleared": _index("1 while it serves alone and nothing of a body is left in its figures"),
    "due": Column(
        "joint cost that it owes under the rule, before shortfalls and spillover", "persons"
    ),
    "cost": Column("running cost borne, less spillover", "share of stand-alone cost"),
    "entry": Column("channel: start-up that it pays itself, negative", "share"),
    "realised": Column("net benefit of serving together, as realised", "share", "U"),
    "capacity_start": Column("capacity at the start", "0..1", "k_0"),
    "load": Column("information, practice and negotiation cost of its body", "share of joint cost"),
    "body_trust": Column("mean trust in its body", "0..1", "T_S"),
    "entered": _index("quarter in which its membership began", "since"),
    "bound_until": _index("quarter until which a mandate binds it"),
    "opened": _index("quarter in which its last negotiation opened, -1 if none has"),
    "judged": Column("net benefit of its present arrangement, as judged", "share", "U"),
    "capacity": Column("administrative capacity", "0..1", "k"),
    "weight": Column("weight in the division of joint cost", "persons", "W"),
    "burden": Column("its weight over its stand-alone cost", "1", ""),
    "omega": Column("weight of the neighbours served together", "0..1", r"\omega"),
    "demand": Column("demand relative to normal", "> 0", r"\delta"),
    "practice": Column("how the work is done in it", "standard deviations", "y"),
    "expected": Column("net benefit seen when its present agreement was voted on", "share", "U"),
    "kept": Column("1 if it keeps its promises this quarter", "0 or 1"),
    "seen": Column("1 if its conduct is observed this quarter", "0 or 1"),
    "ngo": Column("mediation offered to it", "0..1", "O"),
    "business": Column("co-finance and technology offered to it", "0..1", "B"),
    "community": Column("community voice in it", "0..1", "V"),
    "granted": Column("start-up paid by central government this quarter", "person-years"),
    "cofinanced": Column("start-up paid by business this quarter", "person-years"),
    "scale": Column("channel: saving from scale and sharing", "share of stand-alone cost"),
    "coordination": Column("channel: cost of coordination, negative", "share"),
    "distance": Column("channel: cost of haul, negative", "share"),
    "newness": Column("channel: cost of transition, negative", "share"),
    "spill": Column("channel: spillover from serving neighbours together", "share"),
    "conduct": Column("channel: gain or loss from shortfalls", "share"),
    "pooled": Column("channel: value of the change in quality", "share"),
    "self_rule": Column("channel: value of the autonomy given up, negative", "share"),
    "listed": _index("number from 1 of the unbroken body of the scenario that it is in, else 0"),
    "fit": Column("channel: misfit of the joint service, negative", "share"),
}

CONTACT: dict[str, Column] = {
    "target": _index("the other region", "j"),
    "reverse": _index("the same pair, seen from the other region"),
    "land": Column("1 if the two share a land border", "0 or 1"),
    "near": Column("nearness, mean 1 over a region's contacts", "1"),
    "spill": Column(
        "share among the region's land neighbours, by people over distance squared", "0..1"
    ),
    "trust": Column("trust of the region in this contact", "0..1", "T"),
    "trust_start": Column("trust at the start", "0..1", "T_0"),
    "damage": Column("trust put out of reach by broken promises", "0..1", "D"),
}

BODY: dict[str, Column] = {
    "area": _index("service area"),
    "members": _index("number of members, 0 if the place is free", "n"),
    "form": _index("legal form"),
    "provider": _index("region that provides under contracts, -1 in other forms"),
    "began": _index("quarter in which it began"),
}

AREA: dict[str, Column] = {
    **{
        name: Column(entry.meaning, entry.unit, entry.symbol)
        for name, entry in AREA_ATTRIBUTES.items()
    },
    **{
        name: Column(f"intensity this quarter: {lever.title}", "0..1", lever.symbol)
        for name, lever in LEVERS.items()
    },
    "form": _index("legal form of new bodies; CHOICE leaves it to their founders"),
}

SUMS = (
    "members", "people", "residents", "capacity", "best", "reference", "weight", "burden", "entry",
    "autonomy", "autonomy_people", "reputation", "commitment", "trust", "spill", "judged",
    "mediation", "business", "voice", "x", "y", "z", "practice", "practice_squares", "wish_people",
    "wish_squares", "again", "interest_squares", "culture_squares",
)  # fmt: skip
"""The sums over the members in the row of a party: ``best`` is their maximum; ``trust`` is summed
over both ways of each tie, and ``again`` counts the ties between partners of another area. After
them come the sums of the culture scores, one per dimension, and of priorities, one per area."""

ROW = places("Row", SUMS)
"""Places of the sums in a row, by name: ``row[ROW.trust]``."""
CULTURE = len(SUMS)
INTERESTS = CULTURE + DIMENSIONS
"""Where the culture scores and the priorities begin in a row."""

PROVIDER, BUYER = 1, 2
"""Roles of a slot under contracts."""

OPTION: dict[str, Column] = {
    "gain": Column("perceived change of net benefit", "share of stand-alone cost"),
    "trust": Column("trust in the contact", "0..1"),
    "success": Column("contact's realised net benefit over its areas", "share"),
    "members": Column("members of the union", "regions"),
    "people": Column("people in the union", "persons"),
    "culture": Column("mean cultural distance in the union", "1 for two random regions"),
    "draw": Column("random draw of this option", "0..1"),
    "contact": _index("contact that speaks for the other party; -1 for the status quo"),
    "party": _index("the other party"),
    "form": _index("legal form of the union"),
}
"""Columns of an option, as a decision rule sees it."""


class Me(NamedTuple):
    """The deciding region, as a decision rule sees it: columns of region and slot."""

    stress: float
    autonomy: float
    goodwill: float
    commitment: float
    reputation: float
    aspiration: float
    capacity: float
    interest: float
    success: float
    """Its own realised net benefit over its areas."""
    in_body: float
    """1 if the area is provided by a joint body."""


MOMENT: dict[str, Column] = {
    "shares": _index("rule by which joint cost is shared"),
    "consent": _index("share of a party that must be in favour"),
    "decision": _index("number of the decision rule, -1 for a user's own"),
    "unit_cost": _index("curve of unit cost below efficient scale"),
    "trust": _index("1 if broken promises leave lasting damage to trust"),
    "cap": _index("most members of a body"),
    "discount": Column("yearly discount rate", "1/year"),
    "horizon": _index("quarters of the run"),
    "seed": Column("seed of all draws", "", "", np.int64),
    "traits": Column("run whose draws of traits are used", "", "", np.int64),
    "founding_penalty": Column("transition penalty that founders expect", "share of joint cost"),
    "changed": _index("1 if memberships changed since the network was measured"),
    "members_before": Column("memberships at the start of the quarter"),
    "refused": Column("negotiations refused this quarter"),
    "concluded": Column("agreements concluded this quarter"),
    "left": Column("memberships left this quarter"),
    "deciding": Column("quarters from opening to conclusion, summed over agreements", "quarters"),
    "listed": Column("joint bodies that the scenario lists at the start", "bodies"),
    "listed_kept": Column("those that have kept all their members so far", "bodies"),
    "matter_months": Column("months of a joint matter, summed over bodies", "months"),
    "matters": Column("bodies over which they are summed", "bodies"),
    "paid_members": Column("programme cost borne by members this quarter", "currency"),
    "paid_centre": Column("programme cost borne by central government this quarter", "currency"),
    "paid_supporter": Column("programme cost borne by supporters this quarter", "currency"),
    "paid_tier": Column("programme cost borne by higher tiers this quarter", "currency"),
    "density": Column("network measures, kept until memberships change", "0..1"),
    "transitivity": Column("closed share of triples", "0..1"),
    "isolates": Column("share of regions without a partner", "0..1"),
    "degree_gini": Column("Gini of the number of partners", "0..1"),
}
"""Counters of the quarter, and figures that are kept between quarters."""


SHOCK: dict[str, Column] = {
    "first": _index("quarter in which it happens for the first time"),
    "until": _index("quarter from which on it happens no more"),
    "every": _index("quarters after which it happens again"),
    "factor": Column("what trust is multiplied by", "0..1", r"\chi"),
    "reset": Column("part of the way back to the start", "0..1", r"\rho"),
}
"""Sudden events of a quarter: shocks to trust, and elections."""


def record_type(columns: dict[str, Column]) -> np.dtype:
    """The array type that holds these columns: all are eight bytes wide, so none needs padding."""
    return np.dtype([(name, column.kind) for name, column in columns.items()])


def empty_records(shape: int | tuple[int, int], columns: dict[str, Column]) -> np.recarray:
    """An array of records with these columns, all zero."""
    return np.zeros(shape, record_type(columns)).view(np.recarray)


class State(NamedTuple):
    """One run at one moment. R regions, A areas, E contacts, B places for bodies.

    It has few arrays of records rather than many of numbers, so that related values lie together in
    memory and a call passes few arguments.
    """

    region: np.ndarray
    """[R] of :data:`REGION`."""
    slot: np.ndarray
    """[R, A] of :data:`SLOT`."""
    contact: np.ndarray
    """[E] of :data:`CONTACT`; those of a region lie together, sorted by target."""
    area: np.ndarray
    """[A] of :data:`AREA`."""
    effect: np.ndarray
    """[A, T, 2] factor and addition by which user-defined mechanisms change each of TERMS."""
    body: np.ndarray
    """[B] of :data:`BODY`."""
    members: np.ndarray
    """[B, 16] the regions in each body, in code order."""
    sums: np.ndarray
    """[R A + B + 1, F] the row of each party: regions alone first (i A + a), then bodies; the last
    row is room for a union that is being judged."""
    moment: np.ndarray
    """[1] of :data:`MOMENT`."""
    option: np.ndarray
    """[most contacts + 1] of :data:`OPTION`: room for the options of a region."""
    ledger: np.ndarray
    """[2, 11] cost of each lever in this quarter, in money, then of user-defined mechanisms and of
    mandates; and, from position 5 on, the part of its offer that the budget of each supporter
    pays."""


PAID, RATION = 0, 1
"""Rows of the ledger."""


def allocate(regions: int, areas: int, contacts: int, most_contacts: int) -> State:
    """Empty arrays for one run."""
    bodies = max(regions // 2, 1) * areas
    return State(
        region=empty_records(regions, REGION),
        slot=empty_records((regions, areas), SLOT),
        contact=empty_records(contacts, CONTACT),
        area=empty_records(areas, AREA),
        effect=np.zeros((areas, len(TERMS), 2)),
        body=empty_records(bodies, BODY),
        members=np.full((bodies, CAP), NOBODY, np.int64),
        sums=np.zeros((regions * areas + bodies + 1, INTERESTS + areas)),
        moment=empty_records(1, MOMENT),
        option=empty_records(most_contacts + 1, OPTION),
        ledger=np.zeros((2, len(LEVERS) + 2)),
    )


class World(NamedTuple):
    """The fixed part of a run: regions, contacts, areas, institutions, and shocks."""

    region: np.ndarray
    """[R] of :data:`REGION`: id, tier, contacts and place are filled."""
    contact: np.ndarray
    """[E] of :data:`CONTACT`: all but trust is filled."""
    area: np.ndarray
    """[A] of :data:`AREA`: the attributes are filled."""
    setting: np.ndarray
    """[1] of :data:`MOMENT`: institutions and horizon are filled."""
    capacity: np.ndarray
    """[R, A] capacity from a column, NaN where it is drawn."""
    stress: np.ndarray
    """[R] fiscal stress from a column, NaN where it is drawn."""
    culture: np.ndarray
    """[R, 3] culture from columns, in units of their scales, NaN where it is drawn."""
    goodwill: np.ndarray
    """[R] goodwill from a column, NaN where it is drawn."""
    autonomy: np.ndarray
    """[R] preference for autonomy from a column, NaN where it is drawn."""
    interest: np.ndarray
    """[R, A] relative priorities from columns, NaN where they are drawn."""
    body: np.ndarray
    """[K, 5 + 16] existing bodies: area, form, quarter it began, mandated until, provider (-1 in
    other forms than contracts), members."""
    period: np.ndarray
    """[Q] which row of the three arrays below each quarter reads."""
    population: np.ndarray
    """[P, R] inhabitants."""
    stress_change: np.ndarray
    """[P, R] changes of fiscal stress."""
    demand: np.ndarray
    """[P, R, A] demand relative to normal."""
    shock: np.ndarray
    """[K] of :data:`SHOCK`, in the order in which they act."""
    shocked: np.ndarray
    """[K, R] 1 where a region is hit."""
    leaving: np.ndarray
    """[L, 4] regions that leave: region, area, quarter, and the first quarter after which it may
    belong to a joint body of the area again."""


class Policy(NamedTuple):
    """A strategy as the engine reads it."""

    period: np.ndarray
    """[Q] which row of all but ``mandate`` each quarter reads."""
    lever: np.ndarray
    """[P, A, 9] intensities."""
    budget: np.ndarray
    """[P, 4] most that each supporter spends in a quarter, in money; infinite if not capped."""
    target: np.ndarray
    """[P, 4] targets of each supporter, positions in TARGETS."""
    part: np.ndarray
    """[P, 4] share of regions or bodies that it helps."""
    listed: np.ndarray
    """[P, 4, R] 1 where a region is on a supporter's list."""
    payer: np.ndarray
    """[P, 9] bearers of the cost of each lever, positions in PAYERS."""
    price: np.ndarray
    """[P, 9] yearly price of each lever, share of its base; NaN where the parameter holds."""
    effect: np.ndarray
    """[P, A, T, 2] factor and addition by which user-defined mechanisms change each of TERMS."""
    rate: np.ndarray
    """[P, A, U] yearly price of each user-defined mechanism, times its intensity."""
    base: np.ndarray
    """[U] bases of that price, positions in BASES."""
    bearer: np.ndarray
    """[P, U] bearers of the cost of each user-defined mechanism, positions in PAYERS."""
    forum: np.ndarray
    """[P, R] number of the forum that a region is in, or -1."""
    ceiling: np.ndarray
    """[1] most that the levers of the strategy cost in a quarter, in money; infinite if not
    capped."""
    counted: np.ndarray
    """[P, 9 + U] 1 where a lever, then a user-defined mechanism, counts towards the ceiling."""
    mandate: np.ndarray
    """[G, 4 + 16] mandates: area, first quarter, first quarter after, bearer, members."""
    mandate_price: np.ndarray
    """[G] yearly price of each mandate, share of joint cost; NaN where the parameter holds."""
    mandate_counted: np.ndarray
    """[G] 1 where a mandate counts towards the ceiling."""
