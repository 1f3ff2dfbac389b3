"""Strategies, existing bodies and changes, with nothing left open that a file may leave open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kolabsim.errors import suggestion
from kolabsim.i18n import LANGUAGES, _
from kolabsim.model.levers import LEVERS, MECHANISMS, TARGETS
from kolabsim.scenario.references import Path, References
from kolabsim.scenario.schema import BodyText, ChangeText, LeversText, MandateText, StrategyText

Lists = str | tuple[tuple[str, ...], ...]
"""Lists of codes of regions, or a word for them: ``tiers`` or ``all``."""


def in_language(texts: Mapping[str, str], language: str) -> str:
    """A text in a language, or else in the one it is written in; '' if there is none."""
    return next((texts[code] for code in (language, *LANGUAGES) if code in texts), "")


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A mechanism or support in force, from quarter ``from_`` up to, but not in, ``until``."""

    intensity: float
    """0 to 1."""
    from_: int
    until: int
    areas: tuple[str, ...]
    paid_by: str
    """members, centre or supporter; empty where a mechanism of one's own says who."""
    members: Lists = "all"
    """Of a forum: who meets."""
    targets: str | tuple[str, ...] = "all"
    """Of support: who is helped; a tuple of codes, a word, or the name of a targeting rule."""
    share: float = 1.0
    """Of support: the share of regions or bodies that is helped."""
    budget: float | None = None
    """Of support: most that is spent in a year, in the scenario's currency; None: no limit."""


@dataclass(frozen=True, kw_only=True)
class Mandate:
    """Groups of regions that must share services in some areas, for some quarters."""

    groups: Lists
    size: int
    """Most regions in a piece of a tier, where ``groups`` are the tiers."""
    areas: tuple[str, ...]
    from_: int
    until: int


@dataclass(frozen=True, kw_only=True)
class Change:
    """What befalls regions: a shock or trend of what :data:`SAYS` names, or an election."""

    what: str
    from_: int
    until: int
    growth: float | None
    factor: float | None
    add: float | None
    reset: float | None
    every: int
    """Quarters after which it happens again, of what happens at once; 0: it does not."""
    regions: str | tuple[str, ...]
    """Codes, or ``all``."""
    areas: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Body:
    """A joint body that exists at the start."""

    area: str
    form: str
    members: tuple[str, ...]
    began: int
    """Quarter in which it began, 0 or below."""
    mandated: bool
    source: str | None


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A named set of lever settings: what a planner chooses."""

    name: str
    mechanisms: Mapping[str, tuple[Phase, ...]] = field(default_factory=dict)
    support: Mapping[str, tuple[Phase, ...]] = field(default_factory=dict)
    mandates: tuple[Mandate, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)

    @property
    def levers(self) -> dict[str, tuple[Phase, ...]]:
        """The phases of mechanisms and support alike; where they overlap, the later one wins."""
        return {**self.mechanisms, **self.support}

    def title(self, language: str) -> str:
        """What the strategy is called, in a language; its name if it has no title."""
        return in_language(self.titles, language) or self.name

    def description(self, language: str) -> str:
        """What is done, in a sentence in a language."""
        return in_language(self.descriptions, language)


def settle_strategy(name: str, text: StrategyText, path: Path, known: References) -> Strategy:
    """A strategy whose lists refer to what there is; problems are told."""
    return Strategy(
        name=name,
        mechanisms=settle_levers(text, "mechanisms", path, known),
        support=settle_levers(text, "support", path, known),
        mandates=settle_mandates(text, path, known),
        titles=text.title,
        descriptions=text.description,
    )


def settle_levers(
    text: LeversText, kind: str, path: Path, known: References
) -> dict[str, tuple[Phase, ...]]:
    """The phases of all mechanisms, or of all support, that are written."""
    settled = {}
    for name, written in getattr(text, kind):
        phases: list[Phase] = []
        if not known.extended and name not in LEVERS and name not in loaded("mechanism"):
            message = _("not a key that is known here{suggestion}")
            message = message.format(suggestion=suggestion(name, MECHANISMS))
            known.add_problem((*path, kind, name), message, at_key=True)
            continue
        for position, phase in enumerate(written):
            here = (*path, kind, name, position)
            more = {}
            if hasattr(phase, "members"):
                more["members"] = known.lists(phase.members, (*here, "members"))
            if hasattr(phase, "targets"):
                targets = phase.targets
                if not isinstance(targets, str):
                    targets = known.regions(targets, (*here, "targets"))
                else:
                    check_target(targets, (*here, "targets"), known)
                more |= {"targets": targets, "share": phase.share, "budget": phase.budget}
            phases.append(
                Phase(
                    intensity=phase.intensity,
                    from_=phase.from_,
                    until=known.until(phase.from_, phase.until, here),
                    areas=known.area_names(phase.areas, (*here, "areas")),
                    paid_by=phase.paid_by or (LEVERS[name].payer if name in LEVERS else ""),
                    **more,
                )
            )
        if phases:
            settled[name] = tuple(phases)
    return settled


def loaded(kind: str) -> Mapping[str, object]:
    """What extensions that were loaded, or Python itself, declared of a kind."""
    from kolabsim.model.declare import KNOWN  # late: it brings the compiler

    return KNOWN[kind]


def check_target(name: str, path: Path, known: References) -> None:
    """See that there is such a target; those of extensions are looked for when they are run."""
    words = [word for word in TARGETS if word != "list"]
    if not known.extended and name not in words and name not in loaded("targeting rule"):
        message = _("{value} is not known here{suggestion}")
        known.add_problem(
            path, message.format(value=f"'{name}'", suggestion=suggestion(name, words))
        )


def settle_mandates(text: LeversText, path: Path, known: References) -> tuple[Mandate, ...]:
    """The mandates that are written."""
    return tuple(
        _settle_mandate(mandate, (*path, "mandates", position), known)
        for position, mandate in enumerate(text.mandates)
    )


def _settle_mandate(text: MandateText, path: Path, known: References) -> Mandate:
    return Mandate(
        groups=known.lists(text.groups, (*path, "groups"), most=known.cap),
        size=min(text.size, known.cap),
        areas=known.area_names(text.areas, (*path, "areas")),
        from_=text.from_,
        until=known.until(text.from_, text.until, path),
    )


SAYS = {
    "population": ("growth", "factor"),
    "stress": ("add",),
    "demand": ("growth", "factor"),
    "trust": ("factor",),
    "election": ("reset",),
}
"""How each thing that changes may be said to change."""

AT_ONCE = ("trust", "election")
"""What happens in a quarter, rather than being in force for some quarters."""

FIVE_YEARS = 20
"""Quarters from one election to the next where nothing is said."""


def settle_change(text: ChangeText, path: Path, known: References) -> Change:
    """A shock or trend that says one thing, and says it of what can change so."""
    ways = dict.fromkeys(way for allowed in SAYS.values() for way in allowed)
    said = [name for name in ways if getattr(text, name) is not None]
    allowed = SAYS[text.what]
    if len(said) != 1 or said[0] not in allowed:
        message = _("a change of {what} needs {allowed}, and nothing else")
        if text.what == "election":
            message = _("an election needs {allowed}, and no other size")
        known.add_problem(path, message.format(what=text.what, allowed=_(" or ").join(allowed)))
    if text.what != "demand" and text.areas != "all":
        known.add_problem((*path, "areas"), _("only demand can change in single areas"))
    if text.every is not None and text.what != "election":
        known.add_problem((*path, "every"), _("only an election comes again and again"))
    every = FIVE_YEARS if text.every is None else text.every
    if text.what == "trust":
        if text.until is not None:
            message = _("a shock to trust happens once, in quarter 'from'; it has no end")
            known.add_problem((*path, "until"), message)
        if text.factor is not None and text.factor > 1.0:
            message = _("{value} is too large; allowed: at most {limit}")
            known.add_problem((*path, "factor"), message.format(value=f"{text.factor:g}", limit=1))
    regions = text.regions
    if not isinstance(regions, str):
        regions = known.regions(regions, (*path, "regions"))
    return Change(
        what=text.what,
        from_=text.from_,
        until=known.until(text.from_, text.until, path),
        growth=text.growth,
        factor=text.factor,
        add=text.add,
        reset=text.reset,
        every=every if text.what == "election" else 0,
        regions=regions,
        areas=known.area_names(text.areas, (*path, "areas")),
    )


def settle_bodies(texts: tuple[BodyText, ...], form: str, known: References) -> tuple[Body, ...]:
    """The joint bodies at the start: in one area, a region is in one of them at most."""
    place: dict[tuple[str, str], int] = {}
    bodies = []
    for position, text in enumerate(texts):
        path: Path = ("bodies", position)
        known.check_area(text.area, (*path, "area"))
        members = known.regions(text.members, (*path, "members"))
        known.check_size(members, (*path, "members"), most=known.cap)
        for code in members:
            first = place.setdefault((text.area, code), position)
            if first != position:
                message = _("'{code}' is already in body {number} of this list for {area}")
                message = message.format(code=code, number=first + 1, area=text.area)
                known.add_problem((*path, "members"), message)
        bodies.append(
            Body(
                area=text.area,
                form=text.form or form,
                members=members,
                began=text.began,
                mandated=text.mandated,
                source=text.source,
            )
        )
    return tuple(bodies)
