"""Files as people write them: YAML 1.2 in which every value knows its file, line and column.

Only data are read: no tags, anchors or aliases, so that no file can make more of itself than it is.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from kolabsim.errors import UNPRINTABLE, Problems, suggestion
from kolabsim.i18n import N_, _

LARGEST_YAML = 5_000_000
"""Most bytes of a YAML file."""
LARGEST_TABLE = 100_000_000
"""Most bytes of a table."""
DEEPEST = 50
"""Most levels of a YAML file."""
LONGEST_NUMBER = 40
"""Most characters of a number."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile(f"[{UNPRINTABLE}]")
_NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?", re.ASCII)
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}


class Whole(int):
    """A whole number that remembers how it was written: the code of a region may look like one."""

    text: str


class Decimal(float):
    """A number that remembers how it was written: ``34.10`` is a code, and not ``34.1``."""

    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written; nowhere, if it was set from Python or the command line."""

    file: Path | None = None
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A value, where it is written, and where its key is.

    Mappings and lists have ``children`` (those of a list keyed by position), all else a ``value``.
    """

    place: Place
    value: object = None
    children: dict[str | int, Node] | None = None
    is_list: bool = False
    key: Place | None = None

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping of keys to values."""
        return self.children is not None and not self.is_list

    @property
    def is_empty(self) -> bool:
        """Whether a key is written here without a value."""
        return self.children is None and self.value is None

    def plain(self) -> object:
        """The value as plain Python: dictionaries, tuples, numbers, texts."""
        if self.children is None:
            return self.value
        if self.is_list:
            return tuple(child.plain() for child in self.children.values())
        return {key: child.plain() for key, child in self.children.items()}

    def get(self, *path: str | int) -> Node | None:
        """What is written at this path, if anything."""
        node: Node | None = self
        for part in path:
            node = (node.children or {}).get(part) if node else None
        return node

    def trace(self, path: Sequence[str | int]) -> tuple[list[str | int], list[str | int], Node]:
        """The part of a path that is written, the part that is not, and the node where it ends.

        Where one value stands for a list of one, the position 0 is passed over.
        """
        written, node = [], self
        for position, part in enumerate(path):
            if isinstance(part, int) and not node.is_list:
                continue
            if node.is_list and isinstance(part, int) and part < len(node.children):
                # Where items were left out, positions differ from keys.
                has_gaps = next(reversed(node.children)) >= len(node.children)
                part = list(node.children)[part] if has_gaps else part
            if part not in (node.children or {}):
                return written, [p for p in path[position:] if isinstance(p, str)], node
            written.append(part)
            node = node.children[part]
        return written, [], node

    def add_problem(
        self,
        path: Sequence[str | int],
        message: str,
        problems: Problems,
        *,
        at_key: bool = False,
    ) -> None:
        """Add a problem with the value at a path, or, ``at_key``, with its key."""
        written, missing, node = self.trace(path)
        place = (node.key if at_key else None) or node.place
        dotted = ".".join(map(str, (*written, *missing)))
        text = f"{dotted}: {message}" if dotted else message
        problems.add(text, file=place.file, line=place.line, column=place.column)

    def without(self, *paths: Sequence[str | int]) -> Node:
        """The same, but for what is written at these paths (as :meth:`trace` gives them)."""
        below: dict[str | int, list[Sequence[str | int]]] = {}
        for first, *rest in paths:
            below.setdefault(first, []).append(rest)
        children = {
            key: child.without(*below[key]) if key in below else child
            for key, child in self.children.items()
            if all(below.get(key, [True]))
        }
        return replace(self, children=children)

    def merged(self, over: Node) -> Node:
        """The same, changed by ``over``: mappings key by key, everything else as a whole.

        A key without a value changes nothing. A number under a mapping is its intensity. A mapping
        of positions changes those items of a list.
        """
        if over.is_empty:
            return self
        if not over.is_mapping:
            return over
        under = self
        if isinstance(self.value, (int, float)) and not isinstance(self.value, bool):
            under = Node(self.place, children={"intensity": self})
        elif self.is_list:
            items = {int(k): v for k, v in over.children.items() if k.isdecimal()}
            if len(items) != len(over.children) or not items.keys() <= self.children.keys():
                return over
            return replace(self, children=_joined(self.children, items))
        elif not self.is_mapping:
            return over
        place = over.place if over.place.file else self.place
        return replace(over, place=place, children=_joined(under.children, over.children))


def _joined(
    under: Mapping[str | int, Node], over: Mapping[str | int, Node]
) -> dict[str | int, Node]:
    changed = {
        key: under[key].merged(child) if key in under else child for key, child in over.items()
    }
    return {**under, **changed}


def as_written(value: object) -> str:
    """A value as a file has it, cut short."""
    text = _("nothing") if value is None else getattr(value, "text", None) or repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def python_node(value: object, key: str, problems: Problems, *, depth: int = 0) -> Node:
    """A value from Python as if it were written in a file that has no name.

    What no file could hold is a problem with ``key``.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Path):
        value = str(value)
    if depth > DEEPEST:
        problems.add(_("{key}: nested more than {deepest} deep").format(key=key, deepest=DEEPEST))
    elif isinstance(value, Mapping):
        children = {
            str(k): python_node(v, key, problems, depth=depth + 1) for k, v in value.items()
        }
        return Node(Place(), children=children)
    elif isinstance(value, (list, tuple)):
        children = {k: python_node(v, key, problems, depth=depth + 1) for k, v in enumerate(value)}
        return Node(Place(), children=children, is_list=True)
    elif isinstance(value, str) and (found := _UNPRINTABLE.search(value)):
        problems.add(f"{key}: {unprintable(found[0])}")
        return Node(Place())
    elif value is not None and not isinstance(value, (str, bool, int, float)):
        problems.add(
            _("{key}: what has the type {kind} cannot be part of a scenario").format(
                key=key, kind=type(value).__name__
            )
        )
        return Node(Place())
    return Node(Place(), value)


def unprintable(character: str) -> str:
    """That a character cannot be part of a text."""
    message = _("the control character U+{code} cannot be part of a text")
    return message.format(code=f"{ord(character):04X}")


def is_file(path: Path) -> bool:
    """Whether there is such a file; a path that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_bytes(path: Path, largest: int, problems: Problems) -> bytes | None:
    """The bytes of a file; a problem, and None, where there is no such file to be read."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                data = file.read(largest + 1)
            if len(data) <= largest:
                return data
            message = _("larger than {megabytes} MB").format(megabytes=largest // 1_000_000)
        elif path.is_dir():
            message = _("a folder, where a file is needed")
        elif path.exists():
            message = _("not an ordinary file")
        else:
            message = _("there is no such file{suggestion}")
            message = message.format(suggestion=_neighbour(path))
    except PermissionError:
        message = _("you are not allowed to read this file")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = _("this file cannot be read ({reason})").format(reason=reason)
    problems.add(message, file=path)
    return None


def _neighbour(path: Path) -> str:
    """The nearest spelling among the files of the same kind beside the one that is not there."""
    beside = [p.name for p in path.parent.glob(f"*{path.suffix}")] if path.parent.is_dir() else []
    hint = suggestion(path.name, beside)
    return hint if hint.endswith("?") else ""


def read_text(path: Path, largest: int, problems: Problems) -> str | None:
    """The text of a file in UTF-8, or in UTF-16 with the byte-order mark that Excel writes."""
    data = read_bytes(path, largest, problems)
    if data is None:
        return None
    line = None
    try:
        text = data.decode("utf-16" if data.startswith(_WIDE) else "utf-8-sig")
    except UnicodeDecodeError as error:
        message = _binary(data)
        if message is None:
            line, byte = data.count(b"\n", 0, error.start) + 1, data[error.start]
            letter = bytes([byte]).decode("cp1252", "replace")
            message = _(
                "this is not UTF-8 text (the byte {byte} is '{letter}' in Windows-1252); save the "
                "file again with the encoding UTF-8, which Excel calls CSV UTF-8"
            ).format(byte=f"0x{byte:02X}", letter=letter)
    else:
        found = _UNPRINTABLE.search(text)
        if found is None:
            return text
        message = _binary(data)
        if message is None:
            line, message = text.count("\n", 0, found.start()) + 1, unprintable(found[0])
    problems.add(message, file=path, line=line)
    return None


_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAGIC: Mapping[bytes, str] = {
    b"PK\x03\x04": N_("an Excel workbook"),
    b"\xd0\xcf\x11\xe0": N_("an Excel workbook"),
    b"%PDF": N_("a PDF file"),
    b"\x1f\x8b": N_("a packed file"),
}
"""What files begin with that are often taken for tables."""


def _binary(data: bytes) -> str | None:
    """What a file is that holds no text, and what to do about it."""
    kind = next((kind for start, kind in _MAGIC.items() if data.startswith(start)), None)
    if kind is None:
        return None
    message = _("this is {kind}, and not a text file; save the table as CSV UTF-8")
    return message.format(kind=_(kind))


def read_yaml(path: Path, problems: Problems) -> Node | None:
    """The mapping that a YAML file holds; None, and the problem, where it holds no such thing."""
    text = read_text(path, LARGEST_YAML, problems)
    root = None if text is None else _tree(text, path, problems)
    if root is None or root.is_mapping:
        return root
    message = _("this file must hold keys with values, such as 'horizon: 40'")
    problems.add(message, file=path, line=root.place.line, column=root.place.column)
    return None


def read_value(text: str, problems: Problems) -> Node | None:
    """What a text says as the value of a key in a YAML file; None, and the problem, if nothing."""
    return _tree(text, None, problems)


def _tree(text: str, path: Path | None, problems: Problems) -> Node | None:
    """What is written in a YAML text; None, and the problem, where it is none."""
    try:
        return _Builder(path, problems).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        reason = ", ".join(filter(None, (error.context, error.problem)))
    except yaml.reader.ReaderError as error:
        line, column, reason = text.count("\n", 0, error.position) + 1, None, error.reason
    except UnicodeError as error:  # half of a surrogate pair, as only a command line can hold it
        line, column, reason = None, None, error.reason
    problems.add(
        _("this is not YAML ({reason})").format(reason=reason), file=path, line=line, column=column
    )
    return None


class _Builder:
    """Builds nodes from the events of a YAML parser, which needs no recursion for deep files."""

    def __init__(self, path: Path | None, problems: Problems) -> None:
        self.path, self.problems = path, problems

    def place(self, event: yaml.Event) -> Place:
        if self.path is None:
            return Place()
        return Place(self.path, event.start_mark.line + 1, event.start_mark.column + 1)

    def add_problem(self, event: yaml.Event, message: str) -> None:
        place = self.place(event)
        self.problems.add(message, file=self.path, line=place.line, column=place.column)

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        root = Node(Place(self.path, 1, 1) if self.path else Place())
        holders: list[Node] = []  # the mappings and lists that are open, outermost first
        keys: list[yaml.ScalarEvent | None] = []  # for each, the key that waits for its value
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.add_problem(event, _("a second document starts here; a file holds one"))
                    return None
            if isinstance(event, yaml.CollectionEndEvent):
                holders.pop()
                keys.pop()
            if not isinstance(event, yaml.NodeEvent):
                continue
            if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
                message = _("anchors (&) and aliases (*) are not read; use 'groups' or 'extends'")
                self.add_problem(event, message)
                return None
            if event.tag is not None:
                self.add_problem(event, _("tags (!) are not read"))
                return None
            if isinstance(event, yaml.ScalarEvent) and (bad := _UNPRINTABLE.search(event.value)):
                self.add_problem(event, unprintable(bad[0]))  # written as "\e"
                return None
            holder = holders[-1] if holders else None
            wants_key = holder is not None and holder.is_mapping and keys[-1] is None
            if wants_key:
                if not isinstance(event, yaml.ScalarEvent):
                    self.add_problem(event, _("a key must be one word"))
                    return None
                first = holder.children.get(event.value)
                if first is not None:
                    message = _("'{key}' is written twice, first on line {line}")
                    self.add_problem(event, message.format(key=event.value, line=first.key.line))
                keys[-1] = event
                continue
            node = self.node(event, keys[-1] if keys else None)
            if holder is None:
                root = node
            elif holder.is_list:
                holder.children[len(holder.children)] = node
            else:
                holder.children.setdefault(keys[-1].value, node)
                keys[-1] = None
            if node.children is not None:
                if len(holders) == DEEPEST:
                    message = _("nested more than {deepest} deep").format(deepest=DEEPEST)
                    self.add_problem(event, message)
                    return None
                holders.append(node)
                keys.append(None)
        return root

    def node(self, event: yaml.NodeEvent, key: yaml.ScalarEvent | None) -> Node:
        place, key_place = self.place(event), self.place(key) if key else None
        if isinstance(event, yaml.ScalarEvent):
            value = self.scalar(event) if event.implicit[0] else event.value
            return Node(place, value, key=key_place)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        return Node(place, children={}, is_list=is_list, key=key_place)

    def scalar(self, event: yaml.ScalarEvent) -> object:
        """What an unquoted word means by the core schema of YAML 1.2: ``no`` is a word."""
        text = event.value
        if text in _WORDS:
            return _WORDS[text]
        digits = re.fullmatch(r"0o([0-7]+)|0x([0-9a-fA-F]+)", text)
        number = _NUMBER.fullmatch(text)
        if not (digits or number):
            return text
        if len(text) > LONGEST_NUMBER:
            self.add_problem(
                event, _("a number of more than {n} characters").format(n=LONGEST_NUMBER)
            )
            return 0
        if digits:
            value = Whole(int(digits[1], 8) if digits[1] else int(digits[2], 16))
        else:
            value = Decimal(text) if "." in text or number[3] else Whole(text)
        value.text = text
        return value
