"""Whether a scenario has the shape that it must have, and in words what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kolabsim.errors import Problems, suggestion
from kolabsim.i18n import _
from kolabsim.scenario.schema import ScenarioText, Written
from kolabsim.scenario.source import Node, as_written, tell

Text = TypeVar("Text", bound=Written)
"""The shape of a file: a scenario, or an experiment."""

MOST = 1000
"""Most problems of shape that are told."""


def check_shape(
    tree: Node, problems: Problems, shape: type[Text] = ScenarioText
) -> tuple[Node, Text]:
    """What a file of this shape says, and the tree it says it in, without what is wrong.

    What is wrong is told and set aside, so that the rest can be checked further.
    """
    set_aside: set[tuple[str, ...]] = set()  # and everything above it
    while True:
        try:
            return tree, shape.model_validate(tree.plain())
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
            if whole not in set_aside and len(problems.found) < MOST:
                at_key = of_key or error["type"] == "extra_forbidden"
                tell(tree, path, explain(error, shape), problems, at_key=at_key)
            set_aside.update(whole[:length] for length in range(len(whole) + 1))
            pruned.add(tuple(written))
        tree = tree.without(*pruned)


def keys_at(path: tuple[str | int, ...], shape: Any = ScenarioText) -> list[str]:
    """The keys that a file of this shape may have at a path; none where any are allowed."""
    for part in path:
        shape = _inside(shape, part)
    model = next((s for s in _parts(shape) if isinstance(s, type) and issubclass(s, Written)), None)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _parts(shape: Any) -> list[Any]:
    """The shape itself, or what it is made of, without annotations and alternatives."""
    if get_origin(shape) in (Annotated, Union, UnionType):
        return [part for inner in get_args(shape) for part in _parts(inner)]
    return [shape]


def _inside(shape: Any, part: str | int) -> Any:
    for candidate in _parts(shape):
        if isinstance(candidate, type) and issubclass(candidate, Written):
            for name, field in candidate.model_fields.items():
                if part == (field.alias or name):
                    return field.annotation
        elif isinstance(part, int) and get_origin(candidate) is tuple:
            return get_args(candidate)[0]
        elif isinstance(part, str) and get_origin(candidate) is dict:
            return get_args(candidate)[1]
    return None


def explain(error: ErrorDetails, shape: Any = ScenarioText) -> str:
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
