"""Scenarios: the model of their files, and the object that everything else reads.

:meth:`Scenario.load` reads a file over its parents, validates it, and resolves all names in it.
All problems of all files are raised together, each with its file, line and column.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from inspect import Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, PrivateAttr

from kolabsim.errors import Problems
from kolabsim.i18n import _
from kolabsim.model.areas import AREA_ATTRIBUTES, FAMILIES, Area
from kolabsim.model.levers import (
    CAP,
    CONSENTS,
    FORM_SETTINGS,
    LEVERS,
    SHARES,
    STEPS,
    TRUSTS,
    UNIT_COSTS,
    Lever,
)
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.scenario.areas import AreaName, AreaSettings, resolve_areas
from kolabsim.scenario.contacts import LARGEST_CIRCLE, Contacts, ContactSource
from kolabsim.scenario.editions import update_edition
from kolabsim.scenario.extensions import check_settings, find_declared, resolve_extensions
from kolabsim.scenario.files import shipped as shipped
from kolabsim.scenario.inheritance import find_scenario, lay_over, nest, read_tree
from kolabsim.scenario.inheritance import shipped_names as shipped_names
from kolabsim.scenario.names import plain, tell_apart
from kolabsim.scenario.region_source import RegionSource
from kolabsim.scenario.regions import Columns, Regions
from kolabsim.scenario.resolve import Resolver
from kolabsim.scenario.schema import (
    LONGEST,
    Codes,
    OneOf,
    Title,
    WrittenAs,
    in_language,
    validate,
)
from kolabsim.scenario.source import DEEPEST, NOWHERE, Location, Node, python_node
from kolabsim.scenario.strategy import (
    Body,
    Change,
    Leaving,
    Levers,
    PopulationChange,
    Strategy,
    resolve_bodies,
)

if TYPE_CHECKING:
    from kolabsim.model.declare import Declared

BASELINE = "voluntary"
"""The strategy without any intervention."""

FILES = (("regions", "table"), ("regions", "shapes"), ("contacts", "list"))
"""Keys that name files, besides ``extends`` and ``extensions``."""


@dataclass(frozen=True)
class Origin:
    """Where a scenario comes from."""

    name: str
    files: tuple[Path, ...]
    tree: Node
    regions: RegionSource
    rule_parameters: Mapping[str, Parameter] | None


class Scenario(Levers):
    """Regions, service areas, and the rules and strategies to compare.

    The fields are the keys of a scenario file. A loaded scenario is resolved: areas have all their
    attributes, phases their quarters, lists their codes. ``mechanisms``, ``support`` and
    ``mandates`` are in force under every strategy.

    >>> Scenario.load("small-towns").with_(horizon=8).horizon
    8
    """

    titles: Title = Field(default={}, alias="title", repr=False)
    descriptions: Title = Field(default={}, alias="description", repr=False)
    extends: str | None = Field(default=None, repr=False)
    """One parent: a path relative to this file, or the name of a shipped scenario."""
    regions: Annotated[
        Regions,
        WrittenAs(RegionSource),
        Field(default=RegionSource(), repr=False, description=RegionSource.__doc__),
    ]
    contacts: Annotated[
        Contacts,
        WrittenAs(ContactSource),
        Field(default=ContactSource(), repr=False, description=ContactSource.__doc__),
    ]
    horizon: int = Field(default=40, ge=1, le=LONGEST)
    """Quarters."""
    discount: float = Field(default=0.04, ge=0, le=1)
    """Yearly rate at which net saving is discounted."""
    start_year: int = Field(default=2026, ge=1, le=9999)
    """Budget year of quarter 0."""
    currency: str = Field(default="", max_length=12)
    """Letters before money; default: cost units."""
    families: tuple[Annotated[str, OneOf(tuple(FAMILIES))], ...] = Field(default=(), repr=False)
    """Families of service areas, all of whose areas take part."""
    areas: Annotated[Mapping[str, Area], WrittenAs(dict[AreaName, AreaSettings])] = Field(
        default={}, repr=False
    )
    """More areas, or changes to those of the families."""
    form: Annotated[str, OneOf(FORM_SETTINGS)] = "choice"
    """Legal form of new joint bodies; ``choice`` leaves it to their founders."""
    shares: Annotated[str, OneOf(SHARES)] = "population"
    """Rule of cost sharing."""
    consent: Annotated[str, OneOf(CONSENTS)] = "three_quarters"
    """Share of a party's population that must be in favour."""
    decision: str = Field(default="best_response", min_length=1)
    """Decision rule: a built-in one, or one from ``extensions``."""
    unit_cost: Annotated[str, OneOf(UNIT_COSTS)] = "log_quadratic"
    """Form of the rise of unit cost below efficient scale."""
    trust: Annotated[str, OneOf(TRUSTS)] = "recovering"
    """Effect of broken agreements on trust."""
    cap: int = Field(default=CAP, ge=2, le=CAP)
    """Maximum number of members of a joint body."""
    extensions: Annotated[tuple[Path, ...], WrittenAs(tuple[str, ...])] = Field(
        default=(), repr=False
    )
    """Python files with rules of your own, relative to this file, or names of those that installed
    packages bring."""
    parameters: Mapping[str, float] = Field(default={})
    """Settings of uncertain parameters; those of a decision rule as ``rule.parameter``."""
    population: PopulationChange | None = Field(default=None, repr=False)
    """A change of population, as in ``changes``: ``{growth: 0.01}``."""
    changes: tuple[Change, ...] = Field(default=(), repr=False)
    """Shocks and trends."""
    leaves: tuple[Leaving, ...] = Field(default=(), repr=False)
    """Departures of regions from joint bodies, whatever they decide themselves."""
    bodies: tuple[Body, ...] = Field(default=(), repr=False)
    """Joint bodies that exist at the start."""
    groups: Mapping[str, Codes] = Field(default={}, repr=False)
    """Named lists of regions."""
    strategies: Mapping[
        Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")],
        Annotated[Strategy, BeforeValidator(lambda value: {} if value is None else value)],
    ] = Field(default={}, repr=False)
    """Strategies of your own, or changes to the shipped ones."""
    _origin: Origin = PrivateAttr()

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    # Mesa's batch_run would take an iterable scenario for a list of scenarios.
    __iter__ = None  # type: ignore[assignment]

    @classmethod
    def load(
        cls, source: str | Path, *, rule_parameters: Mapping[str, Parameter] | None = None
    ) -> Scenario:
        """Load a scenario.

        ``source`` is the name of a shipped scenario or the path of a file; ``rule_parameters`` are
        the parameters of decision rules by ``rule.parameter``, by default those of all loaded
        rules. Raises :class:`~kolabsim.errors.InputError` with all problems of all files.
        """
        problems = Problems()
        path = find_scenario(source)
        tree, files = read_tree(path, problems)
        return _resolve(tree, path.stem, files, problems, rule_parameters)

    def with_(self, changes: Mapping[str, object] | None = None, /, **dotted: object) -> Scenario:
        """Return a copy with some settings changed, by dotted keys, and checked again.

        Mappings are changed key by key, lists as a whole:
        ``scenario.with_(horizon=20, **{"parameters.quality_value": 0.7, "areas.waste.haul": 0})``.
        A key of the items of a list is changed in one of them, by its position
        (``mechanisms.team.0.intensity``), or without one in all (``mechanisms.team.intensity``).
        Raises :class:`~kolabsim.errors.InputError` for keys and values that are not allowed.
        """
        origin, problems = self._origin, Problems()
        tree, parameters = origin.tree, Node(NOWHERE, children={})
        changes = {**(changes or {}), **dotted}
        for key, value in changes.items():
            if key == "extends":
                problems.add(_("extends: a loaded scenario keeps its parent"))
            if key.count(".") >= DEEPEST:
                message = _("{key}: nested more than {deepest} deep")
                problems.add(message, key=key, deepest=DEEPEST)
                continue
            if value is None:
                problems.add(_("{key}: the value is missing"), key=key)
                continue
            over = nest(key, python_node(value, key, problems), tree)
            if key.startswith("parameters.") and "parameters" not in changes:
                parameters = parameters.merged(over)  # a future has sixty: laid over at once
            else:
                tree = lay_over(tree, over)
        tree = lay_over(tree, parameters)
        rules = origin.rule_parameters
        return _resolve(tree, origin.name, origin.files, problems, rules, self)

    @property
    def name(self) -> str:
        """Name of its file, without the suffix."""
        return self._origin.name

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that were read."""
        return self._origin.files

    @property
    def columns(self) -> Columns | None:
        """How the columns of its table became attributes; None for synthetic regions."""
        return None if self._origin.regions.synthetic else self._origin.regions.columns

    @cached_property
    def declared(self) -> Declared:
        """The user-defined extensions that it uses; the first access runs their files.

        Raises :class:`~kolabsim.errors.InputError` if a file cannot be run, and for every decision
        rule, mechanism, targeting rule or parameter that nothing declares.
        """
        strategies = [(("strategies", name), one) for name, one in self.strategies.items()]
        places = [((), self), *strategies]
        tree = self._origin.tree
        return find_declared(self.extensions, self.decision, self.parameters, places, tree)

    def states(self, name: str) -> bool:
        """Whether its files, or later changes to it, state a setting by its dotted name."""
        node = self._origin.tree.get(*name.split("."))
        return node is not None and not node.is_empty

    def locate(self, *path: str | int) -> Location:
        """Return where its files state a setting, or what the setting would belong to."""
        node = self._origin.tree.trace(path)[2]
        return node.key or node.location

    @property
    def levers(self) -> dict[str, Lever]:
        """All levers by name, user-defined ones too, in the order of the steps they serve."""
        custom = {name: mechanism.lever for name, mechanism in self.declared.mechanisms.items()}
        order = list(STEPS)
        return dict(sorted((LEVERS | custom).items(), key=lambda one: order.index(one[1].step)))

    @property
    def is_extended(self) -> bool:
        """Whether it may use user-defined levers, so that :attr:`declared` is needed."""
        named = {name for one in (self, *self.strategies.values()) for name in one.phases()}
        return bool(self.extensions) or not named <= set(LEVERS)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures of the whole system: the built-in ones, then user-defined ones."""
        return (*MEASURES, *(self.declared.measures if self.extensions else ()))

    def title(self, language: str) -> str:
        """Return the title in a language; the name if there is no title."""
        return in_language(self.titles, language) or self.name

    def description(self, language: str) -> str:
        """Return the description in a language."""
        return in_language(self.descriptions, language)

    @property
    def offered(self) -> tuple[str, ...]:
        """Names of the strategies that are compared where none are named."""
        return tuple(name for name, one in self.strategies.items() if one.offered)

    def strategy_titles(self, language: str) -> dict[str, str]:
        """Return the titles of strategies in a language; equal ones have the name added."""
        return tell_apart({name: one.title(language) for name, one in self.strategies.items()})

    def resolved(self) -> dict[str, object]:
        """Return everything that determines results as plain data, without paths and titles.

        Extensions are represented by a hash of their files.
        """
        plain = [
            "form",
            "shares",
            "consent",
            "decision",
            "unit_cost",
            "trust",
            "cap",
            "horizon",
            "discount",
        ]
        defaults = {name: entry.default for name, entry in PARAMETERS.items()}
        synthetic = self._origin.regions.synthetic
        return {
            **{name: getattr(self, name) for name in plain},
            "regions": synthetic.model_dump() if synthetic else _plain_arrays(self.regions),
            "areas": {name: _without_source(asdict(area)) for name, area in self.areas.items()},
            "parameters": defaults | dict(self.parameters),
            "contacts": asdict(self.contacts),
            "bodies": [_without_source(body.model_dump()) for body in self.bodies],
            "changes": [change.model_dump() for change in self.changes],
            "leaves": [event.model_dump() for event in self.leaves],
            "always": self.plain_levers(),
            "strategies": {name: one.plain_levers() for name, one in self.strategies.items()},
            "extensions": {
                path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.extensions
            },
        }


# Scenarios come from `load` and `with_`; nobody constructs them from fields.
Scenario.__signature__ = Signature()


def _without_source(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "source"}


def _plain_arrays(regions: Regions) -> dict[str, object]:
    """Return the attributes of regions as lists, with None for values to be drawn."""
    plain: dict[str, object] = {"codes": regions.codes, "tier": regions.tier}
    for name, values in vars(regions).items():
        if isinstance(values, np.ndarray):
            cells = values.astype(object)
            cells[np.isnan(values)] = None
            plain[name] = cells.tolist()
    return plain


# Resolving --------------------------------------------------------------------------------------


def _resolve(
    tree: Node,
    name: str,
    files: Iterable[Path],
    problems: Problems,
    rule_parameters: Mapping[str, Parameter] | None,
    earlier: Scenario | None = None,
) -> Scenario:
    """Validate a tree and resolve the names in it.

    Regions and contacts are taken from the ``earlier`` scenario where their settings are the same.
    """
    tree = update_edition(tree)
    valid, scenario = validate(tree, problems, Scenario)
    if not problems.found:  # with former spellings replaced
        tree = valid
    # Before resolving, fields with WrittenAs still have their shape in the file.
    written: Any = scenario
    known = Resolver(valid, tree, problems, files)
    known.cap, known.extended = scenario.cap, bool(scenario.extensions)
    known.start_year = scenario.start_year
    areas = resolve_areas(scenario.families, written.areas, known)
    known.areas = tuple(areas)
    extension_files = resolve_extensions(known) if known.extended else ()
    check_settings(scenario.decision, scenario.parameters, rule_parameters, known)
    before = len(problems.found)
    source: RegionSource = written.regions
    same = earlier and tuple(earlier.areas) == known.areas and _is_same("regions", earlier, known)
    regions = earlier.regions if earlier and same else source.resolve(known)
    known.has_tiers = regions is None or any(regions.tier)
    has_sound_regions = len(problems.found) == before
    known.codes = dict.fromkeys(regions.codes) if regions and known.is_valid("groups") else None
    known.horizon = scenario.horizon if known.is_valid("horizon") else LONGEST
    known.groups = _resolve_groups(scenario.groups, known)
    for kind in ("capacity_by_area", "interests"):
        for area in getattr(source.columns, kind):
            known.check_area(area, ("regions", "columns", kind, area))
    if earlier and same and _is_same("contacts", earlier, known):
        contacts = earlier.contacts
    else:
        codes = regions.codes if regions else None
        contacts = written.contacts.resolve(codes, bool(source.synthetic), known)
    if regions and has_sound_regions:
        _check_circles(regions, contacts, known)
    if regions and has_sound_regions and not regions.placed:
        _check_without_places(len(regions), areas, contacts, known)
    changes = [
        change.resolve(("changes", position), known)
        for position, change in enumerate(scenario.changes)
    ]
    if scenario.population:
        changes.insert(0, scenario.population.resolve(("population",), known))
    strategies = {name: one.resolve(name, known) for name, one in scenario.strategies.items()}
    _check_baseline(strategies, known)
    fields = {
        "regions": regions,
        "areas": areas,
        "parameters": dict(scenario.parameters),
        "contacts": contacts,
        "groups": known.groups,
        "bodies": resolve_bodies(scenario.bodies, scenario.form, known),
        "changes": tuple(changes),
        "leaves": tuple(
            event.resolve(("leaves", position), known)
            for position, event in enumerate(scenario.leaves)
        ),
        "strategies": strategies,
        "extensions": extension_files,
        **scenario.resolve_levers((), known),
    }
    problems.raise_if_any()
    resolved = scenario.model_copy(update=fields)
    resolved._origin = Origin(name, tuple(known.files), tree, source, rule_parameters)
    return resolved


def _is_same(key: str, earlier: Scenario, known: Resolver) -> bool:
    return earlier._origin.tree.get(key) == known.tree.get(key)


def _resolve_groups(groups: Mapping[str, Codes], known: Resolver) -> dict[str, tuple[str, ...]]:
    found = {}
    for name, codes in groups.items():
        if name in (known.codes or ()):
            message = _("'{name}' is the code of a region, and cannot name a group")
            known.add_problem(("groups", name), message, at_key=True, name=name)
        found[plain(name)] = known.regions(codes, ("groups", name))
    return found


def _check_circles(regions: Regions, contacts: Contacts, known: Resolver) -> None:
    """Check that no group of regions is too large for all of them to know each other."""
    if contacts.within is None:
        return
    circles = [regions.codes] if contacts.within == "all" else list(regions.tiers().values())
    largest = max(map(len, circles))
    if largest > LARGEST_CIRCLE:
        message = _("{number} regions are too many to all know each other (at most {most})")
        known.add_problem(("contacts", "within"), message, number=largest, most=LARGEST_CIRCLE)


def _check_without_places(
    number: int, areas: Mapping[str, Area], contacts: Contacts, known: Resolver
) -> None:
    """Check that nothing needs coordinates, which the table does not give."""
    message = _("must be 0, because the table gives no latitude and longitude")
    if contacts.nearest and number > 1:
        known.add_problem(("contacts", "nearest"), message)
    if contacts.borders == "places":
        of_borders = _("must be listed, because the table gives no latitude and longitude")
        known.add_problem(("contacts", "borders"), of_borders)
    for name, area in areas.items():
        if area.haul:
            known.add_problem(("areas", name, "haul"), message)
    if any(row.distance_km is None for row in contacts.list):
        message = _("each needs a distance_km, because the table gives no latitude, longitude")
        known.add_problem(("contacts", "list"), message)


def _check_baseline(strategies: Mapping[str, Strategy], known: Resolver) -> None:
    """Check that the baseline exists and has no intervention."""
    baseline = strategies.get(BASELINE)
    if baseline is None:
        if known.is_valid("strategies"):
            message = _("the strategy '{name}', the baseline without intervention, is missing")
            known.add_problem(("strategies",), message, name=BASELINE)
    elif baseline.levers or baseline.mandates:
        message = _(
            "the baseline has no intervention; put what holds in every strategy outside strategies"
        )
        known.add_problem(("strategies", BASELINE), message)


# JSON Schema ------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, which editors use to complete and check it."""
    described = Scenario.model_json_schema()
    described["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    described["title"] = "kolabsim scenario"
    described["properties"]["parameters"]["properties"] = {
        name: _describe_number(entry) for name, entry in PARAMETERS.items()
    }
    for name, entry in AREA_ATTRIBUTES.items():
        described["$defs"]["AreaSettings"]["properties"][name] = _describe_number(entry)
    return described


def _describe_number(entry: Parameter) -> dict[str, Any]:
    bounds = {"minimum": entry.least, "maximum": entry.most}
    meaning = f"{entry.meaning} [{entry.unit}; {entry.low:g} to {entry.high:g}]"
    described = {"type": "number", "default": entry.default, "description": meaning}
    return described | {name: bound for name, bound in bounds.items() if math.isfinite(bound)}
