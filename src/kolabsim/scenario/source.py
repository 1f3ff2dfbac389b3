"""YAML files as trees of nodes that know their file, line and column.

ruamel.yaml parses YAML 1.2. This module adds the checks that it lacks: no tags, anchors or aliases
(so a small file cannot expand into a large one), no repeated keys, and limits on size and depth.
Numbers keep their spelling, because the code of a region may look like one: ``34.10`` is not
``34.1``. Dates and ``1_000`` stay text, as in the core schema of YAML 1.2.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.composer import ComposerError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import Node as YamlNode
from ruamel.yaml.nodes import ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from kolabsim.errors import UNPRINTABLE, Problems, warn_renamed
from kolabsim.i18n import _
from kolabsim.scenario.files import read_text, unprintable

LARGEST_YAML = 1_000_000
"""Maximum size of a YAML file in bytes: ruamel.yaml takes about 15 seconds to parse as much."""
DEEPEST = 50
"""Maximum depth of nesting in a YAML file."""
LONGEST_NUMBER = 40
"""Maximum length of a number in characters."""
CACHED = 100_000
"""Maximum length, in characters, of a text whose parse is cached."""

_UNPRINTABLE = re.compile(f"[{UNPRINTABLE}]")
_TAG = "tag:yaml.org,2002:"

NodePath = Sequence[str | int]
"""Keys and positions that lead to a value, outermost first."""


class SourceInt(int):
    """An integer that keeps its spelling in the file as ``text``."""

    text: str


class SourceFloat(float):
    """A floating-point number that keeps its spelling in the file as ``text``."""

    text: str


@dataclass(frozen=True, slots=True)
class Location:
    """File, line and column of a value; all None for a value from Python or the command line."""

    file: Path | None = None
    line: int | None = None
    column: int | None = None


NOWHERE = Location()


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its location and that of its key.

    Mappings and lists have ``children`` (those of a list by position), scalars a ``value``.
    """

    location: Location
    value: object = None
    children: dict[str | int, Node] | None = None
    is_list: bool = False
    key: Location | None = None

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping of keys to values."""
        return self.children is not None and not self.is_list

    @property
    def is_empty(self) -> bool:
        """Whether a key stands here without a value."""
        return self.children is None and self.value is None

    def plain(self) -> object:
        """Return the value as plain Python: dictionaries, tuples, numbers, strings."""
        if self.children is None:
            return self.value
        if self.is_list:
            return tuple(child.plain() for child in self.children.values())
        return {key: child.plain() for key, child in self.children.items()}

    def get(self, *path: str | int) -> Node | None:
        """Return the node at a path, or None."""
        node: Node | None = self
        for part in path:
            node = (node.children or {}).get(part) if node else None
        return node

    def trace(self, path: NodePath) -> tuple[list[str | int], list[str | int], Node]:
        """Follow a path as far as it exists.

        Returns the part that exists, the part that is missing, and the last node. Where a single
        value stands for a list of one, position 0 is skipped.
        """
        found: list[str | int] = []
        node = self
        for position, part in enumerate(path):
            children = node.children or {}
            if isinstance(part, int):
                if not node.is_list:
                    continue
                # Positions differ from keys where invalid items were removed.
                part = list(children)[part] if part < len(children) else part
            if part not in children:
                return found, [p for p in path[position:] if isinstance(p, str)], node
            found.append(part)
            node = children[part]
        return found, [], node

    def add_problem(
        self,
        path: NodePath,
        message: str,
        problems: Problems,
        /,
        *,
        at_key: bool = False,
        **words: object,
    ) -> None:
        """Add a problem with the value at a path, or, ``at_key``, with its key.

        The message is formatted with ``words``.
        """
        found, missing, node = self.trace(path)
        location = (node.key if at_key else None) or node.location
        text = message.format(**words) if words else message
        if found or missing:
            text = f"{'.'.join(map(str, (*found, *missing)))}: {text}"
        problems.add(text, file=location.file, line=location.line, column=location.column)

    def respelled(self, old: str, new: str, mapping: object) -> Node:
        """Return the tree with another spelling of a key of a mapping, and warn of the old one."""
        if self.children is None:
            return self
        children = self.children
        if old in children and self.plain() == mapping:
            place = children[old].key or children[old].location
            warn_renamed(old, new, file=place.file, line=place.line)
            children = {new if key == old else key: child for key, child in children.items()}
        found = {key: child.respelled(old, new, mapping) for key, child in children.items()}
        same = children is self.children and all(found[key] is children[key] for key in found)
        return self if same else replace(self, children=found)

    def without(self, *paths: NodePath) -> Node:
        """Return a copy without the nodes at these paths (as :meth:`trace` returns them)."""
        below: dict[str | int, list[NodePath]] = {}
        for first, *rest in paths:
            below.setdefault(first, []).append(rest)
        children = {
            key: child.without(*below[key]) if key in below else child
            for key, child in (self.children or {}).items()
            if all(below.get(key, [True]))
        }
        return replace(self, children=children)

    def merged(self, over: Node) -> Node:
        """Return a copy changed by ``over``: mappings key by key, everything else as a whole.

        A key without a value changes nothing. A mapping over a number takes the number as its
        intensity. A mapping of positions changes those items of a list.
        """
        if over.is_empty:
            return self
        if not over.is_mapping:
            return over
        assert over.children is not None
        under = self.children or {}
        if isinstance(self.value, (int, float)) and not isinstance(self.value, bool):
            under = {"intensity": self}
        elif self.is_list:
            places = {str(place): place for place in under}
            if not {str(key) for key in over.children} <= places.keys():
                return over
            items = {places[str(key)]: child for key, child in over.children.items()}
            return replace(self, children=_merge(under, items))
        elif not self.is_mapping:
            return over
        location = over.location if over.location.file else self.location
        return replace(over, location=location, children=_merge(under, over.children))


def _merge(under: Mapping[str | int, Node], over: Mapping[Any, Node]) -> dict[str | int, Node]:
    changed = {key: under[key].merged(new) if key in under else new for key, new in over.items()}
    return {**under, **changed}


def format_value(value: object) -> str:
    """Return a value as the file spells it, cut to 60 characters.

    >>> format_value("centre")
    "'centre'"
    """
    text = _("nothing") if value is None else getattr(value, "text", None) or repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def python_node(value: object, key: str, problems: Problems, *, depth: int = 0) -> Node:
    """Return a value from Python as a node without a location.

    Values that no file could hold are problems with ``key``.
    """

    def inside(items: Iterable[tuple[Any, object]]) -> dict[str | int, Node]:
        return {name: python_node(v, key, problems, depth=depth + 1) for name, v in items}

    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Path):
        value = str(value)
    if depth > DEEPEST:
        problems.add(f"{key}: {_too_deep()}")
    elif isinstance(value, Mapping):
        return Node(NOWHERE, children=inside((str(k), v) for k, v in value.items()))
    elif isinstance(value, (list, tuple)):
        return Node(NOWHERE, children=inside(enumerate(value)), is_list=True)
    elif isinstance(value, str) and (found := _UNPRINTABLE.search(value)):
        problems.add(f"{key}: {unprintable(found[0])}")
    elif value is None or isinstance(value, (str, bool, int, float)):
        return Node(NOWHERE, value)
    else:
        message = _("{key}: a value of type {kind} cannot be part of a scenario")
        problems.add(message, key=key, kind=type(value).__name__)
    return Node(NOWHERE)


def read_yaml(path: Path, problems: Problems) -> Node | None:
    """Read a YAML file whose top level is a mapping.

    Returns None, after adding the problem, for any other file.
    """
    text = read_text(path, LARGEST_YAML, problems)
    root = None if text is None else _parse(text, path, problems)
    if root is None or root.is_mapping:
        return root
    message = _("this file must hold keys with values, such as 'horizon: 40'")
    root.add_problem((), message, problems)
    return None


def read_value(text: str, problems: Problems) -> Node | None:
    """Parse a text as the value of a key in a YAML file; None, after adding the problem."""
    return _parse(text, None, problems)


def write_yaml(data: Mapping[str, object]) -> str:
    r"""Return plain data as the text of a YAML file, keys in their order.

    >>> write_yaml({"horizon": 40, "areas": ["waste", "no"]})
    'horizon: 40\nareas:\n- waste\n- no\n'
    """
    yaml: Any = YAML(typ="safe", pure=True)
    stream = io.StringIO()
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.dump(data, stream)
    return stream.getvalue()


def _parse(text: str, path: Path | None, problems: Problems) -> Node | None:
    """Parse a YAML text; None, after adding the problem."""
    line: int | None = None
    column: int | None = None
    message, reason = _("this is not YAML ({reason})"), ""
    try:
        return _Converter(path, problems).convert_document(text)
    except _RefusedError:
        return None
    except RecursionError:
        message = _too_deep()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark:
            line, column = mark.line + 1, mark.column + 1
        reason = ", ".join(filter(None, (error.context, error.problem)))
        if isinstance(error, ComposerError) and "another document" in reason:
            message = _("a second document starts here; a file holds one")
    except ReaderError as error:
        line, reason = text.count("\n", 0, error.position) + 1, error.reason
    except (YAMLError, ValueError) as error:
        reason = str(error)
    if path is None:
        line = column = None
    problems.add(message, file=path, line=line, column=column, reason=reason)
    return None


def _too_deep() -> str:
    return _("nested more than {deepest} deep").format(deepest=DEEPEST)


@lru_cache(maxsize=16)
def _compose(text: str) -> YamlNode | None:
    """Parse a YAML text; cached, because every scenario includes the shipped strategies."""
    parser = YAML(typ="safe", pure=True)
    parser.composer.warn_double_anchors = False  # all anchors are refused below, with their place
    return parser.compose(text)


class _RefusedError(Exception):
    """Valid YAML that is not read; the problem has been added."""


class _Converter:
    """Converts the nodes of ruamel.yaml to ours, with the checks that this module adds."""

    def __init__(self, path: Path | None, problems: Problems) -> None:
        self.path, self.problems = path, problems
        self.yaml = YAML(typ="safe", pure=True)

    def convert_document(self, text: str) -> Node:
        compose = _compose if len(text) <= CACHED else _compose.__wrapped__
        root = compose(text)
        if root is None:
            return Node(Location(self.path, 1, 1) if self.path else NOWHERE)
        return self.convert(root)

    def locate(self, node: YamlNode) -> Location:
        if self.path is None:
            return NOWHERE
        return Location(self.path, node.start_mark.line + 1, node.start_mark.column + 1)

    def add_problem(self, node: YamlNode, message: str) -> _RefusedError:
        at = self.locate(node)
        self.problems.add(message, file=self.path, line=at.line, column=at.column)
        return _RefusedError()

    def convert(self, node: YamlNode, key: Location | None = None, *, depth: int = 0) -> Node:
        self.check(node)
        if isinstance(node, ScalarNode):
            return Node(self.locate(node), self.scalar(node), key=key)
        if depth >= DEEPEST:
            raise self.add_problem(node, _too_deep())
        children: dict[str | int, Node] = {}
        if isinstance(node, SequenceNode):
            for position, item in enumerate(node.value):
                children[position] = self.convert(item, depth=depth + 1)
            return Node(self.locate(node), children=children, is_list=True, key=key)
        for name, item in node.value:
            self.check(name)
            if not isinstance(name, ScalarNode):
                raise self.add_problem(name, _("a key must be one word"))
            child = self.convert(item, self.locate(name), depth=depth + 1)
            first = children.setdefault(name.value, child)
            if first is not child:
                message = _("'{key}' is written twice, first on line {line}")
                line = first.key.line if first.key else None
                self.add_problem(name, message.format(key=name.value, line=line))
        return Node(self.locate(node), children=children, key=key)

    def check(self, node: YamlNode) -> None:
        """Refuse anchors, aliases, tags and control characters."""
        if node.anchor is not None:
            message = _("anchors (&) and aliases (*) are not read; use 'groups' or 'extends'")
            raise self.add_problem(node, message)
        is_plain, value = True, None
        if isinstance(node, ScalarNode):
            is_plain, value = node.style is None, node.value
            if found := _UNPRINTABLE.search(node.value):  # written as "\e"
                raise self.add_problem(node, unprintable(found[0]))
        usual = self.yaml.resolver.resolve(type(node), value, (is_plain, not is_plain))
        if str(node.tag) != str(usual):
            raise self.add_problem(node, _("tags (!) are not read"))

    def scalar(self, node: ScalarNode) -> object:
        """Return the value of an unquoted word in the core schema of YAML 1.2."""
        text, kind = node.value, str(node.tag).removeprefix(_TAG)
        if node.style is not None or "_" in text:
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind not in ("int", "float"):
            return text
        if text[-3:].lower() in ("inf", "nan"):
            return float(text.replace(".", ""))
        if len(text) > LONGEST_NUMBER:
            message = _("a number of more than {n} characters").format(n=LONGEST_NUMBER)
            self.add_problem(node, message)
            return 0
        has_base = text.lstrip("+-")[:2].lower() in ("0x", "0o", "0b")
        value = SourceFloat(text) if kind == "float" else SourceInt(text, 0 if has_base else 10)
        value.text = text
        return value
