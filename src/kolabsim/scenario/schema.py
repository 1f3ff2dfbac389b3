"""What a scenario file may say, key by key.

These models check shape and type; what the values refer to is checked in
:mod:`kolabsim.scenario.references` and :mod:`kolabsim.scenario.scenario`, once all files are read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from kolabsim.errors import Problems, suggestion
from kolabsim.i18n import LANGUAGES, _
from kolabsim.model.areas import AREA_ATTRIBUTES, FAMILIES
from kolabsim.model.levers import (
    CAP,
    CONSENTS,
    FORMS,
    MECHANISMS,
    PAYERS,
    SHARES,
    SUPPORTERS,
    TRUSTS,
    UNIT_COSTS,
)
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.scenario.source import Node, as_written

BORDERS = ("listed", "places")
"""Where land borders come from."""
LONGEST = 400
"""Most quarters of a run."""


class Section(BaseModel):
    """A part of a scenario file. A key without a value says nothing."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_empty(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: v for key, v in data.items() if v is not None or key not in known}


Model = TypeVar("Model", bound=Section)

# Shapes ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Keywords:
    """Instead of its own shape, a value may be one of these words."""

    words: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(self.words)}, handler(schema)]}

    def check(self, value: Any, shape: core_schema.ValidatorFunctionWrapHandler) -> Any:
        """The word, or the value in its own shape."""
        if not isinstance(value, str):
            return shape(value)
        if value not in self.words:
            raise PydanticCustomError("word", "{words}", {"words": self.words})  # noqa: EM101
        return value


@dataclass(frozen=True)
class Shorthand:
    """Instead of a list, a value may be one item; instead of an item, the number ``key`` of it."""

    key: str | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.unfold, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        whole = handler(schema)
        number = [{"type": "number", "minimum": 0, "maximum": 1}] if self.key else []
        return {"anyOf": [*number, whole["items"], whole]}

    def unfold(self, value: Any) -> Any:
        """The value as a list of items."""
        if self.key and isinstance(value, (int, float)):
            value = {self.key: value}
        return value if isinstance(value, (tuple, list)) else (value,)


def _source_text(value: Any) -> Any:
    """A code written without quotes as it stands in the file: 34.10 stays 34.10."""
    return getattr(value, "text", value)


def both_languages(value: Any) -> Any:
    """A text by language; what is written once is said in all languages."""
    text = _source_text(value)
    return dict.fromkeys(LANGUAGES, text) if isinstance(text, str) else value


def _nothing(value: Any) -> Any:
    return {} if value is None else value


Code = Annotated[str, BeforeValidator(_source_text), Field(min_length=1)]
Codes = tuple[Code, ...]
Group = Annotated[Codes, Shorthand()]
Title = Annotated[
    dict[Literal[tuple(LANGUAGES)], str],
    BeforeValidator(both_languages, json_schema_input_type=str | dict[str, str]),
]
Reason = Annotated[
    dict[Literal[tuple(LANGUAGES)], Annotated[str, Field(min_length=1)]],
    Field(min_length=1),
    BeforeValidator(both_languages, json_schema_input_type=str | dict[str, str]),
]
AreaNames = Annotated[tuple[str, ...], Keywords(("all",))]
From = Annotated[int, Field(ge=0, lt=LONGEST, alias="from", description="first quarter in force")]
Until = Annotated[
    int, Field(ge=1, le=LONGEST, description="first quarter no longer in force; default: the end")
]
Share = Annotated[float, Field(ge=0, le=1)]
Pair = Annotated[tuple[float, float], Field(description="two numbers")]

# Validation --------------------------------------------------------------------------------------

MOST_PROBLEMS = 1000
"""Maximum number of problems that validation reports."""


def validate(tree: Node, problems: Problems, model: type[Model]) -> tuple[Node, Model]:
    """What a file of this shape says, and the tree it says it in, without what is wrong.

    What is wrong is told and set aside, so that the rest can be checked further.
    """
    set_aside: set[tuple[str, ...]] = set()  # and everything above it
    while True:
        try:
            return tree, model.model_validate(tree.plain())
        except ValidationError as found:
            errors = found.errors(include_url=False)
        pruned = set()
        for error in errors:
            path = error["loc"]
            written, missing, _node = tree.trace(path)
            of_key = missing == ["[key]"]
            if of_key:
                path, missing = path[:-1], []
            whole = tuple(map(str, (*written, *missing)))
            if whole not in set_aside and len(problems.found) < MOST_PROBLEMS:
                at_key = of_key or error["type"] == "extra_forbidden"
                tree.add_problem(path, explain(error, model), problems, at_key=at_key)
            set_aside.update(whole[:length] for length in range(len(whole) + 1))
            pruned.add(tuple(written))
        tree = tree.without(*pruned)


def keys_at(path: tuple[str | int, ...], shape: Any) -> list[str]:
    """The keys that a file of this shape may have at a path; none where any are allowed."""
    for part in path:
        shape = _inside(shape, part)
    model = next((s for s in _parts(shape) if isinstance(s, type) and issubclass(s, Section)), None)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _parts(shape: Any) -> list[Any]:
    """The shape itself, or what it is made of, without annotations and alternatives."""
    if get_origin(shape) in (Annotated, Union, UnionType):
        return [part for inner in get_args(shape) for part in _parts(inner)]
    return [shape]


def _inside(shape: Any, part: str | int) -> Any:
    for candidate in _parts(shape):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            for name, field in candidate.model_fields.items():
                if part == (field.alias or name):
                    return field.annotation
        elif isinstance(part, int) and get_origin(candidate) is tuple:
            return get_args(candidate)[0]
        elif isinstance(part, str) and get_origin(candidate) is dict:
            return get_args(candidate)[1]
    return None


def explain(error: ErrorDetails, shape: Any) -> str:
    """What is wrong, and what is allowed, in one sentence."""
    kind, context, value = error["type"], error.get("ctx", {}), as_written(error["input"])
    match kind:
        case "missing" if isinstance(error["loc"][-1], int):
            return _("two numbers are needed here, such as [60, 90]")
        case "missing":
            return _("missing")
        case "extra_forbidden":
            path = error["loc"]
            hint = suggestion(str(path[-1]), keys_at(path[:-1], shape))
            return _("not a key that is known here{suggestion}").format(suggestion=hint)
        case "literal_error":
            words = re.findall(r"'([^']*)'", context["expected"])
            return _not_a_word(error["input"], value, words)
        case "word":
            return _not_a_word(error["input"], value, context["words"])
        case "greater_than_equal":
            return _("{value} is too small; allowed: at least {limit}").format(
                value=value, limit=f"{context['ge']:g}"
            )
        case "greater_than":
            return _("{value} is too small; allowed: above {limit}").format(
                value=value, limit=f"{context['gt']:g}"
            )
        case "less_than_equal":
            return _("{value} is too large; allowed: at most {limit}").format(
                value=value, limit=f"{context['le']:g}"
            )
        case "less_than":
            return _("{value} is too large; allowed: below {limit}").format(
                value=value, limit=f"{context['lt']:g}"
            )
        case "int_type":
            return _("{value} is not a whole number").format(value=value)
        case "float_type":
            return _("{value} is not a number").format(value=value)
        case "finite_number":
            return _("{value} is not a finite number").format(value=value)
        case "bool_type":
            return _("{value} is neither true nor false").format(value=value)
        case "string_type":
            return _("{value} is not text; write it in quotes").format(value=value)
        case "string_too_short":
            return _("empty")
        case "string_pattern_mismatch":
            return _("{value} is not a name: letters, digits and _, a letter first").format(
                value=value
            )
        case "tuple_type":
            return _("a list is needed here, such as [a, b], and not {value}").format(value=value)
        case "dict_type" | "model_type":
            return _("keys with values are needed here, and not {value}").format(value=value)
        case "too_long" | "string_too_long":
            return _("too long; allowed: at most {limit}").format(limit=context["max_length"])
        case "same":
            return _("the two values of 'from' must differ")
        case _:
            return error["msg"]


def _not_a_word(word: Any, value: str, allowed: Sequence[str]) -> str:
    hint = suggestion(word if isinstance(word, str) else "", allowed)
    return _("{value} is not known here{suggestion}").format(value=value, suggestion=hint)


# Regions --------------------------------------------------------------------------------------


class Measure(Section):
    """A numeric column of the table that stands for an attribute."""

    column: str
    """Name of the column."""
    because: Reason
    """Why this column says something about the attribute."""


class Scaled(Measure):
    """A column whose values ``from`` become the values ``to``, in a straight line, clipped."""

    from_: Pair = Field(alias="from")
    """Two values of the column."""
    to: Pair
    """The values of the attribute that they stand for, which are also its bounds."""

    @model_validator(mode="after")
    def _two_values(self) -> Scaled:
        if self.from_[0] == self.from_[1]:
            raise PydanticCustomError("same", "from")  # noqa: EM101
        return self


class ShareScaled(Scaled):
    """A column that becomes a share between 0 and 1."""

    to: tuple[Share, Share]
    """The shares, between 0 and 1, that the two values of ``from`` stand for."""


class PriorityScaled(Scaled):
    """A column that becomes a relative priority."""

    to: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
    """The priorities, above 0, that the two values of ``from`` stand for."""


class Columns(Section):
    """How the columns of a table become attributes of regions."""

    code: str = "code"
    """Column of the code that names a region."""
    name: str | None = None
    """Column of its name; default ``name``, or else the code."""
    population: str = "population"
    """Column of the number of people, above 0."""
    latitude: str | None = None
    """Column of degrees north; default ``latitude`` where there is one."""
    longitude: str | None = None
    """Column of degrees east; default ``longitude`` where there is one."""
    tier: str | None = None
    """Column of the higher tier it belongs to; default ``tier``, or else all share one."""
    capacity: ShareScaled | None = None
    """Administrative capacity in every area; default: drawn."""
    capacity_by_area: dict[str, ShareScaled] = {}
    """Administrative capacity in single areas."""
    stress: ShareScaled | None = None
    """Fiscal stress; default: drawn."""
    culture: tuple[Measure, ...] = Field(default=(), max_length=3)
    """Up to three dimensions of organisational culture; the others are drawn."""
    interests: dict[str, PriorityScaled] = {}
    """Relative priority of single areas; the others are drawn."""


class Synthetic(Section):
    """Regions that are made up: a jittered grid of places with log-normal populations."""

    number: int = Field(ge=1, le=1_000_000)
    """How many regions."""
    median_population: float = Field(ge=1, le=1e9)
    """Median number of people."""
    spread: float = Field(default=0.8, ge=0, le=3)
    """Standard deviation of the logarithm of population."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    """Seed of places and populations."""
    extent_km: float = Field(default=250, gt=0, le=10_000)
    """Side of the square they lie in."""
    tiers: int = Field(default=1, ge=1)
    """Number of higher tiers, each a compact block."""


class RegionsText(Section):
    """Where the regions come from: a table, or made up."""

    table: str | None = None
    """CSV file, relative to the file in which this is written."""
    columns: Columns = Columns()
    shapes: str | None = None
    """GeoJSON file or shapefile with the shapes of the table's regions, relative to the file in
    which this is written. For maps only: it changes no results."""
    shapes_code: str = "code"
    """Property of its features that holds the code of a region."""
    synthetic: Synthetic | None = None


class ContactsText(Section):
    """Which regions know each other."""

    list_: str | None = Field(default=None, alias="list")
    """CSV file with code_a, code_b, land (yes or no) and distance_km, the last two optional."""
    borders: Literal[BORDERS] | None = None
    """Which regions share a land border: those ``listed`` so, or as ``places`` suggest: two between
    which no other region lies. Default: listed, or for made-up regions places."""
    nearest: int = Field(default=8, ge=0, le=100)
    """Contacts to this many nearest regions besides; 0: the list only."""


FILES = (("regions", "table"), ("regions", "shapes"), ("contacts", "list"))
"""Where a scenario names other files, besides ``extends`` and ``extensions``."""


# Levers ---------------------------------------------------------------------------------------


class MechanismText(Section):
    """A phase of a coordination mechanism."""

    intensity: Share
    from_: From = 0
    until: Until | None = None
    areas: AreaNames = "all"
    paid_by: Literal[PAYERS] | None = None


class ForumText(MechanismText):
    """A phase of a forum with training."""

    members: Annotated[tuple[Group, ...], Keywords(("tiers", "all"))] = "tiers"
    """Who meets: the regions of each tier, all regions, or lists of regions or groups."""


class SupportText(MechanismText):
    """A phase of external support."""

    targets: str | Codes = "all"
    """Who is helped: all, smallest, poorest, newest, best, or a targeting rule of one's own; a list
    names regions or groups."""
    share: Share = 0.3
    """Share of regions or bodies that is helped, unless all are or a list names them."""
    budget: float | None = Field(default=None, ge=0)
    """Most that is spent in a year, in the scenario's currency; default: no limit."""


class MandateText(Section):
    """Regions that must share services, without a vote."""

    areas: AreaNames = "all"
    groups: Annotated[tuple[Group, ...], Keywords(("tiers",))]
    """Groups of at most ``cap`` regions; ``tiers``: each tier, in pieces that lie together."""
    size: int = Field(default=CAP, ge=2, le=CAP)
    """Most regions in a piece of a tier; never more than ``cap``."""
    from_: From = 0
    until: Until | None = None


def _phases(kind: type[MechanismText], meaning: str) -> tuple[Any, Any]:
    shape = Annotated[tuple[kind, ...], Shorthand("intensity")]
    return (shape, Field(default=(), description=meaning))


_BuiltInMechanisms = create_model(
    "_BuiltInMechanisms",
    __base__=Section,
    **{
        name: _phases(ForumText if name == "forum" else MechanismText, lever.meaning)
        for name, lever in MECHANISMS.items()
    },
)


class MechanismsText(_BuiltInMechanisms):
    """Coordination mechanisms, also of one's own: a number is an intensity for all quarters."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[tuple[MechanismText, ...], Shorthand("intensity")]]


SupportersText = create_model(
    "SupportersText",
    __base__=Section,
    __doc__="External supporters: a number is an intensity for the whole horizon.",
    **{name: _phases(SupportText, lever.meaning) for name, lever in SUPPORTERS.items()},
)


class LeversText(Section):
    """What is done: mechanisms, support, mandates."""

    mechanisms: MechanismsText = MechanismsText()
    support: SupportersText = SupportersText()
    mandates: tuple[MandateText, ...] = ()


class StrategyText(LeversText):
    """A named set of lever settings: what a planner chooses."""

    title: Title = {}
    description: Title = {}


# Scenario -------------------------------------------------------------------------------------

AreaText = create_model(
    "AreaText",
    __base__=Section,
    __doc__="A service area, or changes to one.",
    source=(str | None, None),
    **{
        name: (float | None, Field(default=None, description=entry.meaning))
        for name, entry in AREA_ATTRIBUTES.items()
    },
)


class ChangeText(Section):
    """A shock or trend: growth a year, a factor, or an addition; or an election."""

    what: Literal["population", "stress", "demand", "trust", "election"]
    growth: float | None = Field(default=None, gt=-1, le=1)
    """Share by which it grows in a year (population, demand)."""
    factor: float | None = Field(default=None, gt=0, le=100)
    """What it is multiplied by (population, demand; trust, once and at most 1)."""
    add: float | None = Field(default=None, ge=-1, le=1)
    """What is added to it (stress)."""
    reset: float | None = Field(default=None, ge=0, le=1)
    """Part of the way that trust and commitment go back to their start (election)."""
    every: int | None = Field(default=None, ge=1, le=LONGEST)
    """Quarters from one election to the next; default: 20, five years."""
    from_: From = 0
    until: Until | None = None
    regions: Annotated[Codes, Keywords(("all",))] = "all"
    areas: AreaNames = "all"
    """Areas of which demand changes."""


class PopulationText(ChangeText):
    """A change of population."""

    what: Literal["population"] = "population"


class BodyText(Section):
    """A joint body that exists at the start."""

    area: str
    form: Literal[FORMS] | None = None
    """Legal form; default: that of the scenario."""
    members: Codes
    began: int = Field(default=0, le=0, ge=-1000)
    """Quarter in which it began: 0, or below."""
    mandated: bool = False
    source: str | None = None


class ScenarioText(LeversText):
    """A scenario: regions, service areas, and the rules they live by."""

    title: Title = {}
    description: Title = {}
    extends: str | None = None
    """One parent: a path relative to this file, or the name of a shipped scenario."""
    regions: RegionsText = RegionsText()
    contacts: ContactsText = ContactsText()
    horizon: int = Field(default=40, ge=1, le=LONGEST)
    """Quarters."""
    start_year: int = Field(default=2026, ge=1, le=9999)
    """Budget year of quarter 0."""
    currency: str = Field(default="", max_length=12)
    """Letters before money; default: cost units."""
    families: tuple[Literal[tuple(FAMILIES)], ...] = ()
    """Families of service areas, all of whose areas take part."""
    areas: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], AreaText] = {}
    """More areas, or changes to those of the families."""
    form: Literal[FORMS] = "board"
    """Legal form of new joint bodies."""
    shares: Literal[SHARES] = "population"
    """How joint cost is divided."""
    consent: Literal[CONSENTS] = "three_quarters"
    """Which part of a party's people must be in favour."""
    decision: str = Field(default="best_response", min_length=1)
    """Decision rule: a built-in one, or one from ``extensions``."""
    unit_cost: Literal[UNIT_COSTS] = "log_quadratic"
    """How unit cost rises below efficient scale."""
    trust: Literal[TRUSTS] = "recovering"
    """What broken promises do to trust."""
    cap: int = Field(default=CAP, ge=2, le=CAP)
    """Most members of a joint body."""
    extensions: tuple[str, ...] = ()
    """Python files with rules of your own, relative to this file, or names of those that installed
    packages bring."""
    parameters: dict[str, float] = {}
    """Settings of uncertain parameters."""
    population: PopulationText | None = None
    """A change of population, as in ``changes``: ``{growth: 0.01}``."""
    changes: tuple[ChangeText, ...] = ()
    """Shocks and trends."""
    bodies: tuple[BodyText, ...] = ()
    """Joint bodies that exist at the start."""
    groups: dict[str, Codes] = {}
    """Named lists of regions."""
    strategies: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")],
        Annotated[StrategyText, BeforeValidator(_nothing)],
    ] = {}
    """Strategies of your own, or changes to the shipped ones."""


# JSON Schema -------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, with which editors complete and check what one writes."""
    described = ScenarioText.model_json_schema()
    described["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    described["title"] = "kolabsim scenario"
    described["properties"]["parameters"]["properties"] = {
        name: _numbers(entry) for name, entry in PARAMETERS.items()
    }
    for name, entry in AREA_ATTRIBUTES.items():
        described["$defs"]["AreaText"]["properties"][name] = _numbers(entry)
    return described


def _numbers(entry: Parameter) -> dict[str, Any]:
    """A parameter in the words of JSON Schema."""
    bounds = {"minimum": entry.least, "maximum": entry.most}
    return {
        "type": "number",
        "default": entry.default,
        "description": f"{entry.meaning} [{entry.unit}; {entry.low:g} to {entry.high:g}]",
        **{name: bound for name, bound in bounds.items() if math.isfinite(bound)},
    }
