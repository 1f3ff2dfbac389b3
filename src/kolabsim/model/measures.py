"""The measures of a run, each declared once; :mod:`kolabsim.model.recording` computes them.

A run's *figure* of a measure is the mean of its last four quarters or, for money, the sum over the
run. An undefined value (a decision time without an agreement) is NaN here and null in results.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kolabsim.errors import suggestion
from kolabsim.model.state import places

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
    "fit": _channel("fit", "loss from a joint service unlike the member's wishes"),
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
    "matter_time": Measure(
        "time of a joint matter", "months that a joint matter takes in a running body", "months",
        better=-1, shown=(REPORT,), order=8,
    ),
    "trust": Measure(
        "trust", "mean trust in contacts", "0..1", better=1, shown=(REPORT, PAGE, STEPPER, TRAITS),
        order=9,
    ),
    "trust_in_bodies": Measure("trust in bodies", "mean trust between members", "0..1", better=1),
    "shortfall": Measure(
        "shortfall rate", "share of members that fall short", better=-1,
        shown=(REPORT, PAGE, STEPPER), order=10,
    ),
    "commitment": Measure(
        "commitment", "mean commitment of regions", "0..1", better=1, shown=(REPORT,), order=11,
    ),
    "quality_gini": Measure("Gini of quality", "inequality of service quality", "0..1", better=-1),
    "worst_tenth": Measure(
        "quality of the worst-off tenth", "mean quality of the tenth of regions that is worst off",
        "0..1", better=1, shown=(REPORT,), order=12,
    ),
    "worse_off": Measure(
        "regions worse off than alone",
        "share of regions whose net benefit is negative: they would be better off serving alone",
        better=-1, shown=(REPORT, PAGE), order=13,
    ),
    "exit_rate": Measure(
        "exit rate", "share of memberships that end in a year", "share/year", better=-1,
        figure=RATIO, ratio=("ended", "membership_years"), shown=(REPORT, PAGE), order=14,
    ),
    "membership_age": Measure("age of memberships", "mean age of memberships", "years"),
    "body_age": Measure("age of bodies", "mean age of joint bodies", "years"),
    "bodies": Measure(
        "joint bodies", "number of joint bodies", "bodies", shown=(STEPPER,), order=15,
    ),
    "contracts": Measure(
        "contracts", "share of memberships that are under a contract",
    ),
    "listed_bodies_kept": Measure(
        "listed bodies kept",
        "share of the joint bodies listed at the start that have kept all their members",
    ),
    "body_size": Measure("size of bodies", "mean number of members", "regions"),
    "largest_body": Measure("largest body", "members of the largest body", "regions"),
    "density": Measure("density", "share of pairs of regions that are partners"),
    "transitivity": Measure("transitivity", "share of connected triples that are closed"),
    "isolates": Measure("isolates", "share of regions in no joint body"),
    "degree_gini": Measure("Gini of partners", "inequality of the number of partners", "0..1"),
    "saving": Measure(
        "saving", "stand-alone cost less realised cost, before programme cost", "currency",
        better=1, figure=SUM, shown=(COSTS,), order=21,
    ),
    "programme_cost": Measure(
        "programme cost", "cost of levers and supporters, no matter who bears it", "currency",
        better=-1, figure=SUM, shown=(REPORT, PAGE, COSTS), order=20,
    ),
    "programme_members": Measure(
        "programme cost of members", "programme cost that regions bear", "currency", better=-1,
        figure=SUM, shown=(COSTS,), order=16,
    ),
    "programme_centre": Measure(
        "programme cost of central government", "programme cost that central government bears",
        "currency",
        better=-1, figure=SUM, shown=(COSTS,), order=17,
    ),
    "programme_tiers": Measure(
        "programme cost of higher tiers", "programme cost that higher tiers bear", "currency",
        better=-1, figure=SUM, shown=(COSTS,), order=18,
    ),
    "programme_supporters": Measure(
        "programme cost of supporters", "programme cost that supporters bear", "currency",
        better=-1, figure=SUM, shown=(COSTS,), order=19,
    ),
    "net_saving": Measure(
        "net saving", "saving less programme cost, no matter who bears it", "currency", better=1,
        figure=SUM, shown=(REPORT, PAGE, COSTS), order=22,
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
        ratio=("saving", "programme_cost"), shown=(REPORT,), order=23,
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

RENAMED = {"losers": "worse_off"}
"""Former names of measures, with the present ones."""


def measure_hint(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that is no measure: its present name, or the nearest."""
    return suggestion(RENAMED.get(name, name), known)


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

TRACE = (
    "body", "entered", "bound_until", "cost", "realised", "expected", "quality", "load",
    "body_trust", "people", "entry",
    "role",
)  # fmt: skip
"""Columns of a slot that the trace of a run keeps for every quarter."""
