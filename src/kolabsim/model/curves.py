"""What each law claims: a curve over one of its arguments, and a sentence about it.

A reader disagrees with a curve faster than with a formula. Each :class:`Curve` evaluates the law
itself, so that none can be out of date.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kolabsim.i18n import N_
from kolabsim.model import laws
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.levers import (
    BOARD,
    CAP,
    CONTRACT,
    FORM_TITLES,
    HYPERBOLA,
    LEAD,
    LOG_QUADRATIC,
    POWER,
)
from kolabsim.model.parameters import (
    HAUL_UNIT,
    OBSERVATION,
    PARAMETERS,
    PARTNERS_BOARD,
    PARTNERS_CONTRACT,
    PARTNERS_LEAD,
    REFERENCE_COMMITMENT,
    REFERENCE_GOODWILL,
    REFERENCE_TRUST,
    parameter_record,
)

POINTS = 61
"""Points at which a curve is evaluated."""

RISES, FALLS, BENDS = 1, -1, 0
"""Directions that a law claims: it rises, it falls, or it has a lowest or highest point."""

STEPS = {
    "costs": N_("Costs"),
    "value": N_("Quality and benefit"),
    "partners": N_("Attention, partners and form"),
    "decisions": N_("Decisions"),
    "conduct": N_("Conduct and leaving"),
    "start": N_("The first state"),
    "learning": N_("Learning"),
}
"""Titles of the groups of laws, in the order of a quarter."""


@dataclass(frozen=True)
class Curve:
    """A law over one of its arguments, all others fixed."""

    law: str
    """Name of a function in :mod:`kolabsim.model.laws`."""
    argument: str
    """The argument that varies, from ``low`` to ``high``."""
    low: float
    high: float
    group: str
    """One of :data:`STEPS`."""
    title: str
    """What the law gives, with its unit."""
    along: str
    """What the argument is, with its unit."""
    claim: str
    """The sentence that says what it claims."""
    direction: int = RISES
    given: Mapping[str, float] = field(default_factory=dict)
    """Values of the other arguments; those that are not given are 0."""
    lines: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: {"": {}})
    """Variants by title, with the values that differ; by default one without a title."""
    then: str = ""
    """Name of a law of one argument that is applied to the result."""
    is_log: bool = False
    """Whether the argument has a logarithmic axis."""

    @property
    def name(self) -> str:
        """The law and its argument."""
        return f"{self.law}({self.argument})"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that the law reads, in the order of their declaration."""
        read = set(_read_by(getattr(laws, self.law)))
        if self.then:
            read |= set(_read_by(getattr(laws, self.then)))
        return tuple(name for name in PARAMETERS if name in read)

    def points(self) -> np.ndarray:
        """The values of the argument at which the curve is evaluated."""
        space = np.geomspace if self.is_log else np.linspace
        return space(self.low, self.high, POINTS)

    def values(
        self, settings: Mapping[str, float] | None = None, line: str | None = None
    ) -> np.ndarray:
        """The law at all points, with these parameters; by default its first line."""
        function, p = getattr(laws, self.law), parameter_record(settings)
        given = {**self.given, **self.lines[next(iter(self.lines)) if line is None else line]}
        names = [*inspect.signature(_plain(function)).parameters]
        after = getattr(laws, self.then) if self.then else None
        found = np.empty(POINTS)
        for k, value in enumerate(self.points()):
            at = given | {self.argument: float(value), "p": p}
            result = function(*(at.get(name, 0.0) for name in names))
            found[k] = result if after is None else after(result)
        return found


def _plain(function: Any) -> Any:
    """The Python function behind a compiled one."""
    return getattr(function, "py_func", function)


def _read_by(function: Callable) -> Iterator[str]:
    """Names of the parameters that a law reads, itself or through the laws that it calls."""
    plain = _plain(function)
    for step in dis.get_instructions(plain):
        if step.opname == "LOAD_GLOBAL":
            called = plain.__globals__.get(step.argval)
            if hasattr(_plain(called), "__code__"):
                yield from _read_by(called)
        elif step.argval in PARAMETERS and "ATTR" in step.opname:
            yield step.argval


_AREA = {name: entry.default for name, entry in AREA_ATTRIBUTES.items()}
_USUAL = {
    "trust": REFERENCE_TRUST, "commitment": REFERENCE_COMMITMENT, "goodwill": REFERENCE_GOODWILL,
    "stress": PARAMETERS["stress_mean"].default,
}  # fmt: skip
_FORMS = {
    FORM_TITLES["contract"]: {"form": CONTRACT, "exponent": PARTNERS_CONTRACT},
    FORM_TITLES["board"]: {"form": BOARD, "exponent": PARTNERS_BOARD},
    FORM_TITLES["lead"]: {"form": LEAD, "exponent": PARTNERS_LEAD},
}
_TWO_FORMS = {name: one for name, one in _FORMS.items() if one["form"] != LEAD}
_UNLIKE = N_("difference, 1 for two random regions")
_INTENSITY = N_("intensity of the lever")

CURVES: tuple[Curve, ...] = (
    # Costs
    Curve("unit_cost", "people", 6e3, 6e5, "costs", N_("unit cost, 1 at efficient scale"),
          N_("people served (efficient scale 60,000)"),
          N_("A unit costs least at efficient scale; below it, cost rises faster than above."),
          direction=BENDS, given=_AREA, is_log=True,
          lines={N_("log-quadratic"): {"curve": LOG_QUADRATIC}, N_("power"): {"curve": POWER},
                 N_("fixed cost"): {"curve": HYPERBOLA}}),
    Curve("information_cost", "distance", 0.0, 3.0, "costs",
          N_("information, share of joint cost"), N_("cultural difference, 1 for random regions"),
          N_("Informing each other costs something among equals too, and more across cultures.")),
    Curve("practice_cost", "distance", 0.0, 3.0, "costs",
          N_("unlike practice, share of joint cost"),
          N_("difference of practice, 1 for random regions"),
          N_("Regions that work alike pay nothing for working together.")),
    Curve("negotiation_cost", "members", 2.0, 10.0, "costs",
          N_("negotiation, share of joint cost"), N_("members"),
          N_("Agreeing costs more with each member, most under contracts and least under a lead."),
          given={"distance": 1.0}, lines=_FORMS),
    Curve("negotiation_cost", "distance", 0.0, 3.0, "costs",
          N_("negotiation of a pair, share of joint cost"),
          N_("difference of interests, 1 for random regions"),
          N_("Unlike interests make agreement costlier."),
          given={"members": 2.0, "exponent": PARTNERS_BOARD}),
    Curve("scoped", "again", 0.0, 1.0, "costs", N_("negotiation and overhead that are left"),
          N_("share of ties that exist in another area"),
          N_("Partners who already share another area save part of negotiation and overhead."),
          direction=FALLS, given={"cost": 1.0}),
    Curve("enforcement_cost", "trust", 0.0, 1.0, "costs",
          N_("enforcement, share of joint cost"), N_("trust"),
          N_("Trust saves enforcement; a contract pays more of it than a board, where results are "
             "difficult to measure."),
          direction=FALLS, given={"difficulty": _AREA["difficulty"]}, lines=_TWO_FORMS),
    Curve("enforcement_cost", "difficulty", 0.0, 1.0, "costs",
          N_("enforcement at trust 0.5, share of joint cost"), N_("difficulty of measurement"),
          N_("A contract must say in advance what can hardly be measured."),
          given=_USUAL, lines=_TWO_FORMS),
    Curve("unforeseen", "planning", 0.0, 1.0, "costs",
          N_("coordination cost not foreseen by founders"), _INTENSITY,
          N_("Founders overlook part of the cost of coordination, and less of it with a plan."),
          direction=FALLS),
    Curve("transition", "age", 0.0, 8.0, "costs", N_("transition, share of joint cost"),
          N_("age of the body, years"), N_("A new body costs more, and the penalty fades."),
          direction=FALLS),
    Curve("haul_cost", "radius", 0.0, HAUL_UNIT, "costs", N_("haul, share of joint cost"),
          N_("distance of its people from their centre, km"),
          N_("Distance costs in proportion; how much is an attribute of the area."),
          given={"haul": _AREA["haul"]}),
    Curve("startup", "stress", 0.0, 1.0, "costs", N_("start-up, share of a year's cost"),
          N_("fiscal stress"), N_("To enter costs once, and regions under fiscal stress more."),
          given={"first_year": 1.0}),
    Curve("aided", "government", 0.0, 1.0, "costs", N_("start-up paid by the centre"),
          N_("intensity of grants"), N_("Grants pay a share of start-up.")),
    # Quality and benefit
    Curve("pooling", "forum", 0.0, 1.0, "value", N_("way from mean to best capacity"), _INTENSITY,
          N_("A board works with more than its mean capacity: members learn from the best.")),
    Curve("joint_quality", "shortfall", 0.0, 1.0, "value", N_("quality left"),
          N_("share of people whose region falls short"),
          N_("Members that do not keep their promises lower the quality for all."),
          direction=FALLS, given={"capacity": 1.0}),
    Curve("remoteness", "radius", 0.0, 2.0 * HAUL_UNIT, "value", N_("quality lost with distance"),
          N_("distance of its people from their centre, km"),
          N_("A distant service is a little worse.")),
    Curve("strained", "demand", 1.0, 2.0, "value", N_("quality left"), N_("demand, 1 as usual"),
          N_("Demand above normal strains capacity."), direction=FALLS),
    Curve("net_benefit", "quality_gain", -0.2, 0.2, "value",
          N_("net benefit, share of stand-alone cost"), N_("gain of quality"),
          N_("Quality is worth money: a unit of it so much of the stand-alone cost."),
          given={"cost_ratio": 1.0}),
    Curve("autonomy_loss", "part", 0.0, 1.0, "value",
          N_("autonomy lost, share of stand-alone cost"), N_("the region's part of the people"),
          N_("The smaller its part in a body, the more autonomy a region gives up."),
          direction=FALLS, given={"autonomy": 1.0}),
    Curve("fit_loss", "wish", 0.0, 1.0, "value", N_("misfit, share of stand-alone cost"),
          N_("the member's priority of the area (service made for 0.25)"),
          N_("One service for unlike wishes loses with the square of the difference (Oates)."),
          direction=BENDS, given={"joint": 0.25, "areas": 4.0}),
    # Attention, partners and form
    Curve("attention_odds", "unit", 1.0, 1.6, "partners",
          N_("chance a quarter to consider an area"), N_("stand-alone unit cost"),
          N_("Regions that are too small for a service consider sharing it sooner."),
          given=_USUAL, then="logistic"),
    Curve("attention_odds", "stress", 0.0, 1.0, "partners",
          N_("chance a quarter to consider an area"), N_("fiscal stress"),
          N_("Fiscal stress makes regions look for partners."),
          given={"unit": 1.2}, then="logistic"),
    Curve("attention_odds", "peers", 0.0, 1.0, "partners",
          N_("chance a quarter to consider an area"), N_("contacts that share the area"),
          N_("Sharing spreads among contacts."), given=_USUAL | {"unit": 1.2},
          then="logistic"),
    Curve("noticing", "trust", 0.0, 1.0, "partners", N_("chance of noticing a contact"),
          N_("trust in it"), N_("Regions see partners in those they trust and that are near."),
          given={"near": 1.0}),
    Curve("misperception", "forum", 0.0, 1.0, "partners",
          N_("error in judging, share of stand-alone cost"), _INTENSITY,
          N_("Regions judge with an error, and those that meet with a smaller one."),
          direction=FALLS),
    Curve("expected_members", "people", 5e3, 6e4, "partners",
          N_("members to be expected"), N_("people of each founder (efficient scale 60,000)"),
          N_("Founders choose a form for the body that efficient scale asks for in the end."),
          direction=FALLS, given=_AREA | {"cap": float(CAP)}, is_log=True),
    # Decisions
    Curve("decision_rate", "trust", 0.0, 1.0, "decisions",
          N_("chance a quarter that a negotiation concludes"), N_("trust"),
          N_("Regions that trust each other decide sooner."),
          given=_USUAL | {"members": 2.0, "culture": 1.0, "interests": 1.0}, then="conclusion"),
    Curve("decision_rate", "culture", 0.0, 3.0, "decisions",
          N_("chance a quarter that a negotiation concludes"),
          N_("cultural difference, 1 for random regions"),
          N_("Difference delays decisions: of culture, and equally of interests."),
          direction=FALLS, given=_USUAL | {"members": 2.0}, then="conclusion"),
    Curve("decision_rate", "members", 2.0, 10.0, "decisions",
          N_("chance a quarter that a negotiation concludes"), N_("members"),
          N_("A board decides more slowly with each member; a provider decides alone."),
          direction=FALLS, given=_USUAL, lines=_TWO_FORMS, then="conclusion"),
    Curve("decision_rate", "commitment", 0.0, 1.0, "decisions",
          N_("months that a joint matter takes"), N_("commitment"),
          N_("Committed members of a running body conclude a joint matter sooner."),
          direction=FALLS, given=_USUAL | {"members": 3.0, "form": BOARD}, then="matter_time"),
    Curve("decision_rate", "planning", 0.0, 1.0, "decisions",
          N_("months that a joint matter takes"), _INTENSITY,
          N_("A plan shortens decisions; so do a team and a mediator."),
          direction=FALLS, given=_USUAL | {"members": 3.0, "form": BOARD}, then="matter_time"),
    # Conduct and leaving
    Curve("observed", "monitoring", 0.0, 1.0, "conduct", N_("chance that conduct is observed"),
          _INTENSITY, N_("Monitoring shows more often who keeps its promises.")),
    Curve("conduct_odds", "goodwill", 0.0, 1.0, "conduct", N_("chance of keeping promises"),
          N_("goodwill"), N_("Goodwill makes members keep their promises."),
          given=_USUAL | {"part": 0.3, "seen": OBSERVATION}, then="logistic"),
    Curve("conduct_odds", "trust", 0.0, 1.0, "conduct", N_("chance of keeping promises"),
          N_("trust in the body"), N_("Trust is answered; so is commitment."),
          given=_USUAL | {"part": 0.3, "seen": OBSERVATION}, then="logistic"),
    Curve("conduct_odds", "seen", 0.0, 1.0, "conduct", N_("chance of keeping promises"),
          N_("chance of being seen"), N_("Who can be seen is tempted less."),
          given=_USUAL | {"part": 0.3}, then="logistic"),
    Curve("leaving", "trust", 0.0, 1.0, "conduct", N_("chance a quarter to leave"),
          N_("trust in the body"), N_("Members leave by distrust first; old partners stay."),
          direction=FALLS, given=_USUAL | {"load": 0.07}),
    Curve("leaving", "load", 0.0, 0.15, "conduct", N_("chance a quarter to leave"),
          N_("coordination load, share of joint cost"),
          N_("Members leave bodies that cost them much coordination."),
          given={"trust": 0.7, "commitment": 0.6}),
    Curve("leaving", "commitment", 0.0, 1.0, "conduct", N_("chance a quarter to leave"),
          N_("commitment"), N_("Committed members stay."), direction=FALLS,
          given={"trust": 0.7, "load": 0.07}),
    # The first state
    Curve("initial_trust", "distance", 0.0, 3.0, "start", N_("trust at the start"), _UNLIKE,
          N_("Unlike cultures estrange: trust begins lower."), direction=FALLS),
    Curve("initial_capacity", "population", 5e3, 2e6, "start", N_("capacity at the start"),
          N_("inhabitants"), N_("Larger governments are a little more capable."), is_log=True),
    Curve("settled_trust", "years", 0.0, 30.0, "start", N_("trust among old partners"),
          N_("years that a listed body has worked together"),
          N_("A shared past leaves trust, more of it with the years."), given=_USUAL),
    Curve("settled_practice", "years", 0.0, 30.0, "start", N_("way to a common practice"),
          N_("years that a listed body has worked together"),
          N_("Partners come to work alike.")),
    # Learning
    Curve("trust_built", "forum", 0.0, 1.0, "learning", N_("missing trust built in a quarter"),
          _INTENSITY, N_("Meeting builds trust; so do a team and a mediator.")),
    Curve("commitment_goal", "realised", -0.2, 0.2, "learning",
          N_("commitment that results earn"), N_("net benefit above what was expected"),
          N_("Better results than expected earn commitment, worse ones cost it.")),
)  # fmt: skip
"""All curves, by group."""


def chosen(names: Sequence[str] | None = None) -> tuple[Curve, ...]:
    """The curves of these laws or groups; by default all."""
    if names is None:
        return CURVES
    return tuple(one for one in CURVES if {one.law, one.group, one.name} & set(names))
