"""Strategies and their levers, joint bodies at the start, shocks and trends.

Each class is the model of its section in a file. ``resolve`` returns a copy in which names are
replaced by what they refer to and defaults that depend on the scenario are filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, create_model
from pydantic_core import PydanticCustomError

from kolabsim.errors import suggestion
from kolabsim.i18n import _
from kolabsim.model.declare import KNOWN, load_built_in
from kolabsim.model.levers import CAP, FORMS, LEVERS, MECHANISMS, PAYERS, SUPPORTERS, TARGETS
from kolabsim.model.parameters import QUARTERS
from kolabsim.scenario.resolve import Resolver, resolve_fields
from kolabsim.scenario.schema import (
    LONGEST,
    Code,
    Codes,
    Groups,
    Keywords,
    OneOf,
    Section,
    Share,
    Shorthand,
    Title,
    WrittenAs,
    in_language,
)
from kolabsim.scenario.source import NodePath

TIMES = ("from_", "until", "phase_out", "paid_by")
"""Settings of a strategy that hold for each of its levers that does not state its own."""

Lists = str | tuple[tuple[str, ...], ...]
"""Lists of codes of regions, or a word for them: ``tiers`` or ``all``."""


class Period(Section):
    """What is in force in some areas from quarter ``from`` up to, but not including, ``until``."""

    from_: Annotated[
        int, Field(ge=0, lt=LONGEST, alias="from", description="first quarter in force")
    ] = 0
    until: Annotated[
        int, WrittenAs(Annotated[int, Field(ge=1, le=LONGEST)] | None), Field(default=None)
    ]
    """First quarter no longer in force; default: the end."""
    areas: Annotated[
        tuple[str, ...],
        WrittenAs(Annotated[tuple[str, ...], Keywords(("all",))], Resolver.area_names),
        Field(default="all"),
    ]

    def resolve(self, path: NodePath, known: Resolver) -> Self:
        """Return a copy with names and defaults resolved."""
        until = known.until(self.from_, self.until, path)
        return resolve_fields(self, path, known).model_copy(update={"until": until})


AnyPeriod = TypeVar("AnyPeriod", bound=Period)

# Levers -----------------------------------------------------------------------------------------


class Phase(Period):
    """A phase of a coordination mechanism.

    It lasts from quarter ``from`` up to, but not including, ``until``.
    """

    intensity: Share
    paid_by: Annotated[str, WrittenAs(Annotated[str, OneOf(PAYERS)] | None), Field(default=None)]
    """Who pays; default: the usual payer of the lever. Empty where a mechanism of your own says."""
    price: float | None = Field(default=None, ge=0, le=1)
    """Yearly price at full intensity, share of the cost it applies to; default: the parameter."""
    phase_out: int = Field(default=0, ge=0, le=LONGEST)
    """Number of its last quarters in which the intensity falls in equal steps, to 0 at the end."""

    @property
    def edges(self) -> tuple[int, ...]:
        """Quarters in which it begins, changes its intensity, or ends."""
        return (self.from_, *range(self.until - self.phase_out, self.until + 1))

    def intensity_in(self, quarter: int) -> float:
        """The intensity in a quarter of the phase.

        >>> [Phase(intensity=0.9, until=4, phase_out=2).intensity_in(q) for q in range(4)]
        [0.9, 0.9, 0.6, 0.3]
        """
        left = self.until - quarter
        if left > self.phase_out:
            return self.intensity
        return round(self.intensity * left / (self.phase_out + 1), 12)

    def resolve(self, path: NodePath, known: Resolver) -> Self:
        """Return a copy with names and defaults resolved."""
        known.check_payer(self.paid_by, path)
        found = super().resolve(path, known)
        length = found.until - found.from_
        if found.phase_out > length > 0:
            message = _("{number} quarters; allowed: at most the {most} of the phase")
            words = {"number": found.phase_out, "most": length}
            known.add_problem((*path, "phase_out"), message, **words)
        return found


class ForumPhase(Phase):
    """A phase of a forum with training."""

    members: Annotated[
        Lists, WrittenAs(Annotated[Groups, Keywords(("tiers", "all"))], Resolver.lists)
    ] = "tiers"
    """Members: the regions of each tier, all regions, or lists of regions or groups."""


def _resolve_targets(known: Resolver, targets: str | Codes, path: NodePath) -> str | Codes:
    """Check that a targeting rule exists; those of extension files are checked when they run."""
    words = [word for word in TARGETS if word != "list"]
    if isinstance(targets, str) and not (
        known.extended or targets in words or targets in declared("targeting rule")
    ):
        message, hint = _("{value} is not known here{suggestion}"), suggestion(targets, words)
        known.add_problem(path, message, value=f"'{targets}'", suggestion=hint)
    return known.regions_or_word(targets, path)


class SupportPhase(Phase):
    """A phase of external support."""

    targets: Annotated[str | Codes, WrittenAs(str | Codes, _resolve_targets)] = "all"
    """Recipients: all, smallest, poorest, newest, best, or a targeting rule of your own; a list
    names regions or groups."""
    share: Share = 0.3
    """Share of regions or bodies that receive it, unless all do or a list names them."""
    budget: float | None = Field(default=None, ge=0)
    """Maximum expenditure a year, in the scenario's currency; default: no limit."""


class Mandate(Period):
    """Regions that must share services, without a vote."""

    groups: Annotated[Lists, WrittenAs(Annotated[Groups, Keywords(("tiers",))], Resolver.pieces)]
    """Groups of at most ``cap`` regions; ``tiers``: each tier, in pieces that lie together."""
    size: Annotated[
        int, WrittenAs(Annotated[int, Field(ge=2, le=CAP)], lambda known, n, _: min(n, known.cap))
    ] = CAP
    """Maximum number of regions in a piece of a tier; never more than ``cap``."""
    paid_by: Annotated[str, OneOf(PAYERS)] = "centre"
    """Who pays for setting up and keeping the mandate."""
    price: float | None = Field(default=None, ge=0, le=1)
    """Its yearly price, share of joint cost; default: that of a full lever."""

    def resolve(self, path: NodePath, known: Resolver) -> Self:
        """Return a copy with names and defaults resolved."""
        known.check_payer(self.paid_by, path)
        return super().resolve(path, known)


def _phases(kind: type[Phase], meaning: str) -> tuple[Any, Any]:
    shape = Annotated[tuple[kind, ...], Shorthand("intensity")]  # type: ignore[valid-type]
    return (shape, Field(default=(), description=meaning))


_BuiltInMechanisms: Any = create_model(
    "_BuiltInMechanisms",
    __base__=Section,
    **{
        name: _phases(ForumPhase if name == "forum" else Phase, lever.meaning)
        for name, lever in MECHANISMS.items()
    },  # type: ignore[call-overload]
)


class Mechanisms(_BuiltInMechanisms):
    """Coordination mechanisms, also your own: a number is an intensity for all quarters."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[tuple[Phase, ...], Shorthand("intensity")]]


Supporters: Any = create_model(
    "Supporters",
    __base__=Section,
    __doc__="External supporters: a number is an intensity for the whole horizon.",
    **{name: _phases(SupportPhase, lever.meaning) for name, lever in SUPPORTERS.items()},  # type: ignore[call-overload]
)


class Levers(Section):
    """Lever settings: mechanisms, support and mandates."""

    mechanisms: Annotated[Mapping[str, tuple[Phase, ...]], WrittenAs(Mechanisms)] = Field(
        default={}, description=Mechanisms.__doc__, repr=False
    )
    support: Annotated[Mapping[str, tuple[SupportPhase, ...]], WrittenAs(Supporters)] = Field(
        default={}, description=Supporters.__doc__, repr=False
    )
    mandates: tuple[Mandate, ...] = Field(default=(), repr=False)

    def phases(self) -> dict[str, tuple[Phase, ...]]:
        """Return the phases of mechanisms and support; where phases overlap, the later one wins."""
        return {**self.mechanisms, **self.support}

    def resolve_levers(
        self, path: NodePath, known: Resolver, usual: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """Return the fields of this class with names and defaults resolved.

        ``usual`` are settings of phases and mandates that do not state them.
        """
        written: Any = self  # before resolving, levers still have their shape in the file
        usual = usual or {}
        return {
            "mechanisms": _resolve_phases(
                written.mechanisms or (), (*path, "mechanisms"), known, usual
            ),
            "support": _resolve_phases(written.support or (), (*path, "support"), known, usual),
            "mandates": tuple(
                _completed(mandate, usual).resolve((*path, "mandates", position), known)
                for position, mandate in enumerate(self.mandates)
            ),
        }

    def plain_levers(self) -> dict[str, Any]:
        """Return everything about the levers that determines results, as plain data."""
        return {
            "levers": {
                name: [_plain_phase(phase) for phase in phases]
                for name, phases in self.phases().items()
            },
            "mandates": [mandate.model_dump() for mandate in self.mandates],
        }


def _plain_phase(phase: Phase) -> dict[str, Any]:
    """Return a phase as plain data; without a phase-out, as before there were any."""
    return phase.model_dump(exclude=set() if phase.phase_out else {"phase_out"})


def _completed(period: AnyPeriod, usual: Mapping[str, object]) -> AnyPeriod:
    """Return a phase or mandate with usual settings where it states none."""
    stated, known = set(period.model_fields_set), type(period).model_fields
    if "until" in stated:
        stated.add("phase_out")  # which is the way to the end that the strategy states
    update = {key: v for key, v in usual.items() if key in known and key not in stated}
    return period.model_copy(update=update)


def _resolve_phases(
    levers: Iterable[tuple[str, tuple[Phase, ...]]],
    path: NodePath,
    known: Resolver,
    usual: Mapping[str, object],
) -> dict[str, tuple[Phase, ...]]:
    resolved = {}
    for name, phases in levers:
        here = (*path, name)
        if not known.extended and name not in LEVERS and name not in declared("mechanism"):
            hint = suggestion(name, MECHANISMS)
            known.add_problem(here, _("unknown key{suggestion}"), at_key=True, suggestion=hint)
        elif phases:
            payer = LEVERS[name].payer if name in LEVERS else None
            whole = [_completed(phase, usual) for phase in phases]
            resolved[name] = tuple(
                phase.resolve((*here, k), known).model_copy(
                    update={"paid_by": phase.paid_by or payer}
                )
                for k, phase in enumerate(whole)
            )
    return resolved


def declared(kind: str) -> Mapping[str, object]:
    """Return the user-defined extensions of a kind that are loaded, by name."""
    load_built_in()
    return KNOWN[kind]


class Strategy(Levers):
    """A named set of lever settings: the choice of a planner.

    Times and payer hold for each of its levers and mandates that does not state its own.
    """

    titles: Title = Field(default={}, alias="title")
    descriptions: Title = Field(default={}, alias="description", repr=False)
    offered: bool = Field(default=True, repr=False)
    """Whether it is compared where no strategies are named; ``false`` for what is in place already
    or allowed nowhere in these regions."""
    from_: int = Field(default=0, ge=0, lt=LONGEST, alias="from", repr=False)
    """First quarter of its levers."""
    until: int | None = Field(default=None, ge=1, le=LONGEST, repr=False)
    """First quarter in which they are no longer in force; default: the end."""
    phase_out: int = Field(default=0, ge=0, le=LONGEST, repr=False)
    """Number of their last quarters in which intensities fall in equal steps, to 0 at the end."""
    paid_by: Annotated[str, OneOf(PAYERS)] | None = Field(default=None, repr=False)
    """Who pays for them; default: the usual payer of each."""
    budget: float | None = Field(default=None, ge=0, repr=False)
    """Most that its levers may cost in a year, in the scenario's currency; default: no limit.
    Running levers are cut in proportion to keep it, and start-up aid gets what is left."""
    _name: str = PrivateAttr(default="")

    @property
    def name(self) -> str:
        """Its key in the scenario."""
        return self._name

    @property
    def levers(self) -> dict[str, tuple[Phase, ...]]:
        """The phases of mechanisms and support; where phases overlap, the later one wins."""
        return self.phases()

    def title(self, language: str) -> str:
        """Return the title in a language; the name if there is no title."""
        return in_language(self.titles, language) or self.name

    def description(self, language: str) -> str:
        """Return one sentence on what is done, in a language."""
        return in_language(self.descriptions, language)

    def resolve(self, name: str, known: Resolver) -> Strategy:
        """Return a copy under a name with names and defaults resolved."""
        path: NodePath = ("strategies", name)
        before = len(known.problems.found)
        known.check_payer(self.paid_by, path)
        known.until(self.from_, self.until, path)
        stated = self.model_fields_set if len(known.problems.found) == before else set()
        usual = {key: getattr(self, key) for key in TIMES if key in stated}
        found = self.model_copy(update=self.resolve_levers(path, known, usual))
        found._name = name
        return found

    def plain_levers(self) -> dict[str, Any]:
        """Return everything about the levers that determines results, as plain data."""
        budget = {} if self.budget is None else {"budget": self.budget}
        return super().plain_levers() | budget


# The course of events ---------------------------------------------------------------------------

SIZES = {
    "population": ("growth", "factor"),
    "stress": ("add",),
    "demand": ("growth", "factor"),
    "trust": ("factor",),
    "election": ("reset",),
}
"""The keys that may give the size of each kind of change."""

AT_ONCE = ("trust", "election")
"""Kinds of change that happen in one quarter; the others last for some quarters."""

FIRST_YEAR = 1000
"""The smallest number that is taken for a year where a quarter is expected."""
FIVE_YEARS = 20
"""Quarters from one election to the next by default."""


class Change(Period):
    """A shock or trend: growth a year, a factor, or an addition; or an election."""

    what: Annotated[str, OneOf(tuple(SIZES))]
    growth: float | None = Field(default=None, gt=-1, le=1)
    """Growth a year, as a share (population, demand)."""
    factor: float | None = Field(default=None, gt=0, le=100)
    """Factor (population, demand; trust, once and at most 1)."""
    add: float | None = Field(default=None, ge=-1, le=1)
    """Addition (stress)."""
    reset: float | None = Field(default=None, ge=0, le=1)
    """Share of the way that trust and commitment return to their start (election)."""
    every: Annotated[
        int, WrittenAs(Annotated[int, Field(ge=1, le=LONGEST)] | None), Field(default=None)
    ]
    """Quarters from one election to the next; default: 20, five years."""
    regions: Annotated[
        str | tuple[str, ...],
        WrittenAs(Annotated[Codes, Keywords(("all",))], Resolver.regions_or_word),
    ] = "all"

    def resolve(self, path: NodePath, known: Resolver) -> Self:
        """Return a copy with names and defaults resolved, after checking that it has one size."""
        sizes = dict.fromkeys(size for allowed in SIZES.values() for size in allowed)
        given = [name for name in sizes if getattr(self, name) is not None]
        allowed = SIZES[self.what]
        if len(given) != 1 or given[0] not in allowed:
            message = _("a change of {what} needs {allowed}, and nothing else")
            if self.what == "election":
                message = _("an election needs {allowed}, and no other size")
            known.add_problem(path, message, what=self.what, allowed=_(" or ").join(allowed))
        if self.what != "demand" and self.areas != "all":
            known.add_problem((*path, "areas"), _("only demand can change in single areas"))
        if self.every is not None and self.what != "election":
            known.add_problem((*path, "every"), _("only an election recurs"))
        if self.what == "trust":
            if self.until is not None:
                message = _("a shock to trust happens once, in quarter 'from'; it has no end")
                known.add_problem((*path, "until"), message)
            if self.factor is not None and self.factor > 1.0:
                message = _("{value} is too large; allowed: at most {limit}")
                known.add_problem((*path, "factor"), message, value=f"{self.factor:g}", limit=1)
        every = FIVE_YEARS if self.every is None else self.every
        found = super().resolve(path, known)
        return found.model_copy(update={"every": every if self.what == "election" else 0})


class Leaving(Period):
    """Regions that leave their joint bodies in quarter ``from`` and keep out of others.

    They may join again from quarter ``until`` on. A mandate that binds them comes first.
    """

    regions: Annotated[Codes, WrittenAs(Codes, Resolver.regions)]


class PopulationChange(Change):
    """A change of population."""

    what: Annotated[str, OneOf(("population",))] = "population"


def _one_provider(value: object) -> object:
    if isinstance(value, (list, tuple)):
        raise PydanticCustomError("one_provider", "a list")  # noqa: EM101
    return value


class Body(Section):
    """A joint body that exists at the start."""

    area: str
    form: Annotated[str, WrittenAs(Annotated[str, OneOf(FORMS)] | None), Field(default=None)]
    """Legal form; default: that of the scenario."""
    members: Codes
    provider: Annotated[Code, BeforeValidator(_one_provider)] | None = None
    """Of a contract: the member that provides the service to the others, its buyers."""
    began: int = Field(default=0, ge=-1000, json_schema_extra={"maximum": 0})
    """Quarter in which it began: 0 or negative."""
    mandated: bool = False
    source: str | None = None


def _form(body: Body, members: tuple[str, ...], usual: str, path: NodePath, known: Resolver) -> str:
    """Return the legal form of a body; check that a contract has a provider, and no other has."""
    form = body.form or ("contract" if body.provider else usual)
    # Whatever is assumed of new bodies, a listed one without a provider is no contract.
    if form == "choice" or (form == "contract" and not body.form and not body.provider):
        form = "board"
    here = (*path, "provider")
    if form == "contract" and body.provider is None:
        message = _("a contract needs a 'provider', one of its members: {members}")
        if known.is_valid("bodies"):
            known.add_problem(path, message, members=", ".join(members))
    elif form != "contract" and body.provider is not None:
        message = _("only a contract has a provider; a {form} has none")
        known.add_problem(here, message, form=form)
    elif body.provider is not None and body.provider not in members:
        message = _("'{code}' is not a member of this body{suggestion}")
        hint = suggestion(body.provider, members)
        known.add_problem(here, message, code=body.provider, suggestion=hint)
    return form


def _check_start(body: Body, path: NodePath, known: Resolver) -> None:
    """Check that a body of the start began by then; propose the quarter of a year."""
    if body.began <= 0:
        return
    message, quarter = _("{value} is in the future: a body of the start began by quarter 0"), 0
    if body.began >= FIRST_YEAR:
        quarter = (body.began - known.start_year) * QUARTERS
        message = _(
            "{value} is in the future: a body of the start began by quarter 0, the first of {start}"
        )
        if quarter <= 0:
            message = _(
                "{value} is a year, and not a quarter: write {quarter} for its first quarter, "
                "counted from that of {start}"
            )
    words = {"value": body.began, "quarter": quarter, "start": known.start_year}
    known.add_problem((*path, "began"), message, **words)


def resolve_bodies(bodies: Iterable[Body], form: str, known: Resolver) -> tuple[Body, ...]:
    """Resolve the joint bodies; in one area, a region may be in one of them only."""
    first_body: dict[tuple[str, str], int] = {}
    providers: dict[tuple[str, str], int] = {}
    found = []
    for position, body in enumerate(bodies):
        path: NodePath = ("bodies", position)
        known.check_area(body.area, (*path, "area"))
        members = known.regions(body.members, (*path, "members"))
        known.check_size(members, (*path, "members"), most=known.cap)
        _check_start(body, path, known)
        if body.provider in members:
            providers[body.area, str(body.provider)] = position
        for code in members:
            first = first_body.setdefault((body.area, code), position)
            if first == position:
                continue
            message = _("'{code}' is already in body {number} of this list for {area}")
            if providers.get((body.area, code)) in (first, position):
                message = _(
                    "'{code}' is already in body {number} of this list for {area}; "
                    "a region has one role in an area, provider or buyer"
                )
            words = {"code": code, "number": first + 1, "area": body.area}
            known.add_problem((*path, "members"), message, **words)
        changes = {"members": members, "form": _form(body, members, form, path, known)}
        found.append(body.model_copy(update=changes))
    return tuple(found)
