"""Building blocks of the models of files, and their validation against a tree.

A model declares the keys, types and bounds of a file once; validation, the JSON Schema and every
reader use it. It checks values one by one. Names that refer to other parts of a scenario are
checked when the scenario is resolved (:mod:`kolabsim.scenario.resolve`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from kolabsim.errors import Problems, suggestion, warn_renamed
from kolabsim.i18n import LANGUAGES, N_, _
from kolabsim.scenario.names import plain
from kolabsim.scenario.source import Node, NodePath, format_value

LONGEST = 400
"""Maximum number of quarters of a run."""
LARGEST = 1e18
"""Largest size of numbers without a bound of their own, people and money among them: sums,
products and axes of larger ones overflow."""
_FORMER: ContextVar[list[tuple[str, str, object]] | None] = ContextVar("former", default=None)
"""Former spellings in the file that is validated: old and new key, and the mapping with it."""


class Section(BaseModel):
    """A frozen section of a scenario or experiment file. A key without a value counts as absent."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False,
        use_attribute_docstrings=True, validate_by_name=True, validate_by_alias=True,
    )  # fmt: skip
    renamed: ClassVar[Mapping[str, str]] = {}
    """Former spellings of keys, which still work with a warning for one version."""

    @model_validator(mode="before")
    @classmethod
    def _prepare(cls, data: Any) -> Any:
        """Drop known keys without a value, and accept former spellings with a warning."""
        if not isinstance(data, dict):
            return data
        for old, new in cls.renamed.items():
            if data.get(old) is not None and new not in data:
                if (former := _FORMER.get()) is None:
                    warn_renamed(old, new)
                else:
                    former.append((old, new, data))
                data = {new if key == old else key: value for key, value in data.items()}
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: v for key, v in data.items() if v is not None or key not in known}


Model = TypeVar("Model", bound=Section)

# Shapes of values -----------------------------------------------------------------------------


@dataclass(frozen=True)
class WrittenAs:
    """In a file, the value has another shape, which resolving the scenario replaces.

    The annotated type is that of the resolved value: ``Annotated[int, WrittenAs(int | None)]``.
    """

    shape: Any
    resolve: Callable[[Any, Any, NodePath], object] | None = None
    """Returns the resolved value, given a resolver, the value and its path."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema: Any = handler.generate_schema(self.shape)
        # Only resolved values are dumped, and they are plain already.
        as_it_is = core_schema.plain_serializer_function_ser_schema(lambda value: value)
        return schema | {"serialization": as_it_is}


@dataclass(frozen=True)
class OneOf:
    """The value is one of these words."""

    words: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.literal_schema(list(self.words))


@dataclass(frozen=True)
class Keywords:
    """The value has its own shape or is one of these words."""

    words: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            self.check,
            handler(source),
            # The serializer of the shape would warn of a word, which is none of it.
            serialization=core_schema.wrap_serializer_function_ser_schema(
                lambda value, shape: value if isinstance(value, str) else shape(value)
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(self.words)}, handler(schema)]}

    def check(self, value: Any, shape: core_schema.ValidatorFunctionWrapHandler) -> Any:
        """Return the word, or the value validated in its own shape."""
        if not isinstance(value, str):
            return shape(value)
        if value not in self.words:
            raise PydanticCustomError("word", "{words}", {"words": self.words})  # noqa: EM101
        return value


@dataclass(frozen=True)
class Shorthand:
    """A single item may stand for a list, and a number for an item with this number at ``key``."""

    key: str | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        whole = handler(schema)
        number = [{"type": "number", "minimum": 0, "maximum": 1}] if self.key else []
        return {"anyOf": [*number, whole["items"], whole]}

    def expand(self, value: Any) -> Any:
        """Return the value as a list of items."""
        if self.key and isinstance(value, (int, float)):
            value = {self.key: value}
        return value if isinstance(value, (tuple, list)) else (value,)


def _source_text(value: Any) -> Any:
    """Return an unquoted code as the file spells it: 34.10 stays 34.10."""
    return getattr(value, "text", value)


def _source_code(value: Any) -> Any:
    text = _source_text(value)
    return plain(text) if isinstance(text, str) else text


def both_languages(value: Any) -> Any:
    """Return a text by language; a single text serves all languages."""
    text = _source_text(value)
    return dict.fromkeys(LANGUAGES, text) if isinstance(text, str) else value


def in_language(texts: Mapping[str, str], language: str) -> str:
    """Return the text in a language, else in the language that it has; '' if there is none."""
    return next((texts[code] for code in (language, *LANGUAGES) if code in texts), "")


Language = Annotated[str, OneOf(tuple(LANGUAGES))]
Code = Annotated[str, BeforeValidator(_source_code), Field(min_length=1)]
Codes = tuple[Code, ...]
Groups = tuple[Annotated[Codes, Shorthand()], ...]
_Both = BeforeValidator(both_languages, json_schema_input_type=str | dict[str, str])
Title = Annotated[dict[Language, str], _Both]
Reason = Annotated[dict[Language, Annotated[str, Field(min_length=1)]], Field(min_length=1), _Both]
Share = Annotated[float, Field(ge=0, le=1)]
Pair = Annotated[tuple[float, float], Field(description="two numbers")]

# Validation --------------------------------------------------------------------------------------

MOST_PROBLEMS = 1000
"""Maximum number of problems that validation reports."""


def validate(
    tree: Node, problems: Problems, model: type[Model], context: Mapping[str, object] | None = None
) -> tuple[Node, Model]:
    """Validate the tree of a file; return it without its invalid parts, and the model of the rest.

    The valid parts can thus be checked further. At most ``MOST_PROBLEMS`` problems are added.
    Former spellings are replaced, with a warning of each place. ``context`` is what validators
    must know besides.
    """
    set_aside: set[tuple[str, ...]] = set()  # invalid paths and all paths above them
    while True:
        former: list[tuple[str, str, object]] = []
        token = _FORMER.set(former)
        try:
            valid = model.model_validate(
                tree.plain(), context=context, by_alias=True, by_name=False
            )
        except ValidationError as found:
            errors = found.errors(include_url=False)
        else:
            for old, new, mapping in former:
                tree = tree.respelled(old, new, mapping)
            return tree, valid
        finally:
            _FORMER.reset(token)
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
    """Return the keys that a file of this shape may have at a path; [] where any are allowed."""
    for part in path:
        shape = _inside(shape, part)
    for candidate in _parts(shape):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return [field.alias or name for name, field in candidate.model_fields.items()]
    return []


def _parts(shape: Any, metadata: Sequence[Any] = ()) -> list[Any]:
    """Return the alternatives of a shape, without annotations."""
    if get_origin(shape) is Annotated:
        shape, *metadata = get_args(shape)
    for one in metadata:
        if isinstance(one, WrittenAs):
            return _parts(one.shape)
    if get_origin(shape) in (Annotated, Union, UnionType):
        return [part for inner in get_args(shape) for part in _parts(inner)]
    return [shape]


def _inside(shape: Any, part: str | int) -> Any:
    """Return the shape of a value inside a shape, as one that :func:`_parts` takes; or None."""
    for candidate in _parts(shape):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            for name, field in candidate.model_fields.items():
                if part == (field.alias or name):
                    return Union[tuple(_parts(field.annotation, field.metadata))]  # noqa: UP007
        elif isinstance(part, int) and get_origin(candidate) is tuple:
            return get_args(candidate)[0]
        elif isinstance(part, str) and get_origin(candidate) is dict:
            return get_args(candidate)[1]
    return None


def explain(error: ErrorDetails, shape: Any) -> str:
    """Return one sentence on what is wrong and what is allowed."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    path, limits = error["loc"], [context[name] for name in LIMITS if name in context]
    hint = ""
    if kind == "missing" and isinstance(path[-1], int):
        kind = "missing_number"
    elif kind == "extra_forbidden":
        hint = suggestion(str(path[-1]), keys_at(path[:-1], shape))
    elif kind in ("word", "literal_error"):
        allowed = context.get("words") or re.findall(r"'([^']*)'", context["expected"])
        hint = suggestion(value if isinstance(value, str) else "", allowed)
    if kind not in MESSAGES:
        return error["msg"]
    limit = f"{limits[0]:.15g}" if limits else ""
    return _(MESSAGES[kind]).format(value=format_value(value), suggestion=hint, limit=limit)


LIMITS = ("ge", "gt", "le", "lt", "max_length")
"""Keys of errors that hold a limit."""
MESSAGES = {
    "missing": N_("missing"),
    "missing_number": N_("two numbers are needed here, such as [60, 90]"),
    "extra_forbidden": N_("unknown key{suggestion}"),
    "literal_error": N_("{value} is not known here{suggestion}"),
    "word": N_("{value} is not known here{suggestion}"),
    "greater_than_equal": N_("{value} is too small; allowed: at least {limit}"),
    "greater_than": N_("{value} is too small; allowed: above {limit}"),
    "less_than_equal": N_("{value} is too large; allowed: at most {limit}"),
    "less_than": N_("{value} is too large; allowed: below {limit}"),
    "int_type": N_("{value} is not a whole number"),
    "float_type": N_("{value} is not a number"),
    "finite_number": N_("{value} is not a finite number"),
    "bool_type": N_("{value} is neither true nor false"),
    "string_type": N_("{value} is not text; write it in quotes"),
    "string_too_short": N_("empty"),
    "string_pattern_mismatch": N_("{value} is not a name: letters, digits and _, a letter first"),
    "tuple_type": N_("a list is needed here, such as [a, b], and not {value}"),
    "dict_type": N_("keys with values are needed here, and not {value}"),
    "model_type": N_("keys with values are needed here, and not {value}"),
    "too_long": N_("too long; allowed: at most {limit}"),
    "string_too_long": N_("too long; allowed: at most {limit}"),
    "one_provider": N_("a contract has one provider, and not a list"),
    "plausible": N_("{value} is not allowed; allowed: all, or a whole number from 0 to {limit}"),
    "points": N_(
        "{value} is not the name of a table; 'levels' says how many levels each factor has, and "
        "'samples' how many points are drawn (method: latin, halton)"
    ),
    "same": N_("the two values of 'from' must differ"),
}
"""What is wrong, by pydantic's types of errors and our own."""
