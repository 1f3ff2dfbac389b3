"""Files that people and attackers might bring: what ships, changed a little; and plain rubbish."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from hypothesis import strategies as st

from kolabsim.errors import printable
from kolabsim.scenario.scenario import Scenario


class Raw(str):
    """What stands in a YAML file as it is, without quotes."""

    __slots__ = ()


def deep(opening: str, closing: str, times: int) -> Raw:
    """Something within itself, again and again."""
    return Raw(opening * times + "1" + closing * times)


def laughs(levels: int) -> Raw:
    """A billion laughs: a list of aliases of lists of aliases."""
    parts = ["&a0 [lol, lol]"] + [
        f"&a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, levels)
    ]
    return Raw(f"[{', '.join(parts)}]")


WORDS = (
    "", "~", "null", "true", "no", ".nan", ".inf", "-.inf", "1e400", "-1e400", "1e-400", "0x10",
    "0o17", "1:30:00", "2026-02-31", "2026-01-01", "1_000", "-1", "0", "1", "0.5", "-0.0", "40",
    "9" * 30, "9" * 5000, "0x" + "f" * 38, "1." + "0" * 5000, "all", "tiers", "list", "a: b: c",
    "!!python/object/apply:os.system ['true']", "!!binary aGVsbG8=", "!!set {a, b}", "!x y",
    "&a [*a]", "*nothing", "&a 1", "{<<: {a: 1}}", "{a: 1, a: 2}", "{? [a, b] : c}", "[a, [b]]",
    "{1: 2, true: 3, ~: 4}", "[]", "{}", "[[]]", "[{}]", '""', '"\\e[31m"', '"\\0"', '"\\ud800"',
    '"\\u202e"', '"\\uffff"', "'${HOME}'", "{{7*7}}", "<script>alert(1)</script>", "'=1+1'",
    "../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/stdin", ".", "..", "/", "~/x", "a\\b",
    "x.yaml", "link.yaml", "pipe", "folder", "program.py", "kartamantul", "kartamantul.yaml",
    "regions.csv", "file:///etc/passwd", "http://localhost/x", "CON", "x" * 300, "x/" * 3000,
    "1.234", "'1.234,5'", "'Rp 1.000'", "|\n    a\n     b", "> \n  x", "\t", "\x07", "\x85",
    "\u2028",
    "\ufeff", "\u200f", "%", "@", "`", "- - - a", "--- a", "...", "# nothing", "'", '"', "[", "{",
)  # fmt: skip
RAW = (
    *map(Raw, WORDS),
    deep("[", "]", 49), deep("[", "]", 1000), deep("{a: ", "}", 1000), deep("[", "", 20_000),
    laughs(9), Raw("[" + ", ".join("a" for _ in range(2000)) + "]"),
    Raw("{" + ", ".join(f"k{k}: 1" for k in range(2000)) + "}"),
)  # fmt: skip
"""Values as a YAML file has them."""

KEYS = tuple(
    sorted(
        {*Scenario.model_json_schema()["properties"], "kind", "question", "scenario", "runs"}
        | {"seed", "baseline", "futures", "plausible", "structures", "detail", "measures", "set"}
        | {"quick", "factors", "method", "samples", "outcomes", "levers", "objectives", "budget"}
        | {
            "table",
            "columns",
            "synthetic",
            "number",
            "list",
            "nearest",
            "from",
            "until",
            "to",
            "column",
        }
        | {
            "intensity",
            "areas",
            "members",
            "targets",
            "growth",
            "factor",
            "add",
            "what",
            "forum",
            "team",
        }
        | {"<<", "", "a.b", "a" * 300, "=", "\t", "0", "-1", "__class__", "{x}", "a\nb", "\x1b[0m"}
    )
)


def emitted(value: object) -> str:
    """A value as YAML in one line, raw parts as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{json.dumps(str(k))}: {emitted(v)}" for k, v in value.items()) + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(emitted, value)) + "]"
    return json.dumps(value, default=str)


def document(tree: dict[str, object]) -> str:
    """A mapping as a YAML file: a line for each of its keys."""
    return "".join(f"{json.dumps(key)}: {emitted(value)}\n" for key, value in tree.items())


def places(tree: object, at: tuple = ()) -> Iterator[tuple]:
    """The paths of all values in a tree, outermost first."""
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for key, child in items:
        yield (*at, key)
        yield from places(child, (*at, key))


def changed(tree: object, path: tuple, change: Callable[[dict | list, object], None]) -> object:
    """A copy of a tree in which the holder of a path is changed."""
    copy = json.loads(json.dumps(tree, default=str))
    copy = keep_raw(tree, copy)
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return copy


def keep_raw(tree: object, copy: object) -> object:
    """The copy, with what was raw in the tree as raw as before."""
    if isinstance(tree, Raw):
        return tree
    if isinstance(tree, dict):
        return {str(k): keep_raw(v, copy[str(k)]) for k, v in tree.items()}
    if isinstance(tree, list | tuple):
        return [keep_raw(v, copy[k]) for k, v in enumerate(tree)]
    return copy


@st.composite
def trees(draw, texts: tuple[str, ...]) -> str:
    """A file that ships, with up to four of its values, keys or items changed."""
    tree = yaml.safe_load(draw(st.sampled_from(texts)))
    return document(mutated(draw, json.loads(json.dumps(tree, default=str))))


@st.composite
def shapes(draw, texts: tuple[str, ...]) -> str:
    """A GeoJSON file, with up to four of its values, keys or items changed."""
    return json.dumps(mutated(draw, json.loads(draw(st.sampled_from(texts)))), default=str)


def mutated(draw: Callable, tree: object) -> object:
    """The tree, with up to four of its values, keys or items changed."""
    for _time in range(draw(st.integers(0, 4))):
        paths = list(places(tree))
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        value = draw(st.one_of(st.sampled_from(RAW), plain()))
        kind = draw(st.sampled_from(("value", "value", "value", "key", "away", "wrap", "more")))
        tree = changed(tree, path, _CHANGES[kind](draw, value))
    return tree


def plain() -> st.SearchStrategy[object]:
    """Numbers and texts of all kinds."""
    return st.one_of(
        st.integers(-(10**6), 10**6), st.integers(), st.floats(), st.text(max_size=20),
        st.booleans(),
        st.none(), st.lists(st.integers(-3, 50), max_size=3),
    )  # fmt: skip


def _set(_draw, value):
    return lambda holder, key: holder.__setitem__(key, value)


def _key(draw, _value):
    name = draw(st.sampled_from(KEYS))

    def change(holder, key):
        if isinstance(holder, dict):
            holder[name] = holder.pop(key)

    return change


def _away(_draw, _value):
    return lambda holder, key: holder.__delitem__(key)


def _wrap(draw, _value):
    inside = draw(st.booleans())
    return lambda holder, key: holder.__setitem__(
        key, [holder[key]] if inside else {"a": holder[key]}
    )


def _more(draw, value):
    name = draw(st.sampled_from(KEYS))

    def change(holder, _key):
        if isinstance(holder, dict):
            holder[name] = value
        else:
            holder.append(value)

    return change


_CHANGES = {"value": _set, "key": _key, "away": _away, "wrap": _wrap, "more": _more}


@st.composite
def lines(draw, texts: tuple[str, ...]) -> str:
    """A text that ships, with up to four of its lines changed, doubled, moved or lost."""
    found = draw(st.sampled_from(texts)).splitlines()
    for _time in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(found) - 1, 0)))
        what = draw(st.sampled_from(("double", "lose", "indent", "value", "cut", "splice", "end")))
        line = found[at] if found else ""
        if what == "double":
            found.insert(draw(st.integers(0, len(found))), line)
        elif what == "lose":
            found[at : at + 1] = []
        elif what == "indent":
            found[at : at + 1] = [draw(st.sampled_from((" ", "  ", "\t", "- "))) + line]
        elif what == "value":
            found[at : at + 1] = [f"{line.partition(':')[0]}: {draw(st.sampled_from(RAW))}"]
        elif what == "cut":
            found[at : at + 1] = [line[: draw(st.integers(0, len(line)))]]
        elif what == "splice":
            cut = draw(st.integers(0, len(line)))
            found[at : at + 1] = [line[:cut] + draw(st.sampled_from(RAW)) + line[cut:]]
        else:
            found = found[:at]
    return "\n".join(found) + "\n"


CELLS = (
    "", " ", "0", "-1", "1", "1e400", "nan", "inf", "-inf", "9" * 400, "1_000", "0x10", "1.234.567",
    "1.234.567,89", "Rp 1.000", "12,5", "1,234.5", "1.234", "1 234", "1\u00a0234", "−5", "12%", "٣",
    "=1+1", "+1", "@SUM(A1)", "-x", "\t", "'", '"', '""', 'a"b', "a\nb", "a\rb", "a,b", "a;b",
    "\x00",
    "\x1b[31m", "\u202e", "\ud7ff", "\uffff", "\u2028", "\x85", "<script>", "x" * 200_000, "34.10",
    "34.04", "yes", "no", "YES", "#REF!", "NULL", "N/A", "-", "90.0001", "-180", "181", "1e-320",
)  # fmt: skip
"""What cells of tables may hold."""


@st.composite
def tables(draw, texts: tuple[str, ...]) -> str:
    """A table that ships, with cells, rows, columns and separators changed."""
    rows = list(csv.reader(io.StringIO(draw(st.sampled_from(texts)))))
    for _time in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(rows) - 1)) if rows else 0
        what = draw(
            st.sampled_from(("cell", "cell", "cell", "row", "double", "lose", "column", "head"))
        )
        if not rows or not rows[at]:
            break
        column = draw(st.integers(0, len(rows[at]) - 1))
        cell = draw(st.one_of(st.sampled_from(CELLS), st.text(max_size=10)))
        if what == "cell":
            rows[at] = [*rows[at][:column], cell, *rows[at][column + 1 :]]
        elif what == "row":
            rows[at] = [*rows[at], cell]
        elif what == "double":
            rows.append(rows[at])
        elif what == "lose":
            rows = rows[:at] + rows[at + 1 :]
        elif what == "column":
            rows = [row[:column] + row[column + 1 :] for row in rows]
        else:
            rows[0] = [*rows[0][:column], cell, *rows[0][column + 1 :]] if rows[0] else []
    stream = io.StringIO()
    csv.writer(
        stream,
        delimiter=draw(st.sampled_from(",;\t|")),
        lineterminator=draw(st.sampled_from(("\n", "\r\n", "\r", "\n\n"))),
        quoting=draw(st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))),
    ).writerows(rows)
    return stream.getvalue()


@st.composite
def files(draw, texts: st.SearchStrategy[str]) -> bytes:
    """A text in some encoding, with some of its bytes changed; or bytes that are no text at all."""
    if draw(st.integers(0, 19)) == 7:
        return draw(st.one_of(st.binary(max_size=300), st.sampled_from(BINARIES)))
    text = draw(texts)
    encoding = draw(
        st.sampled_from(
            ("utf-8",) * 8
            + ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-7")
        )
    )
    data = text.encode(
        encoding, "replace" if encoding in ("latin-1", "cp1252") else "surrogatepass"
    )
    ends = draw(st.sampled_from((b"\n",) * 6 + (b"\r\n", b"\r")))
    data = data.replace(b"\n", ends) if encoding.startswith("utf-8") else data
    for _time in range(draw(st.sampled_from((0,) * 6 + (1, 3)))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=3)) + data[at + draw(st.integers(0, 3)) :]
    return data


BINARIES = (
    b"", b"\x00" * 100, b"PK\x03\x04" + b"\x00" * 50, b"\x1f\x8b\x08" + b"\x00" * 20,
    b"%PDF-1.7\n\xff",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff" * 10,
    b"\xff\xfe\x00\xd8", "a: 1".encode("utf-16-le"), b"a: \xc3", b"\x89PNG\r\n\x1a\n", b"\x7fELF",
)  # fmt: skip
"""Files of other kinds, and halves of files."""


def explained(error: Exception) -> None:
    """See that an error says something, and nothing that does harm where it is shown."""
    told = str(error)
    assert getattr(error, "problems", (error,))
    assert told.strip(), repr(error)
    assert told == printable(told) or len(told) > 1900
    assert "\x1b" not in told
    for problem in getattr(error, "problems", ()):
        assert problem.message.strip()


def surroundings(folder: Path) -> None:
    """What lies beside the files that are tried: a program, a link out of the folder, a pipe."""
    import os

    (folder / "folder").mkdir()
    (folder / "program.py").write_text(
        "raise SystemError('this program was run')\n", encoding="utf-8"
    )
    (folder / "link.yaml").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
