"""Look for words and patterns that the project does not use, in all that people read.

Read are messages (and their Indonesian), docstrings and comments of the package, documentation and
notebooks. The rules, what to write instead, and their exceptions are in ``tools/prose.toml``:

    python tools/check_prose.py [FILE ...]
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
READ = ("*.md", "src/**/*.py", "src/**/*.po", "src/**/*.j2", "docs/**/*.md", "docs/**/*.po",
        "notebooks/*.ipynb", "experiments/**/*.md", "scenarios/**/*.yaml", "scenarios/**/*.md",
        "benchmarks/*.md", "tools/*.py")  # fmt: skip
CODE = re.compile(r"```.*?```|``[^`]+``|`[^`]+`|\{%.*?%\}", re.DOTALL)
INDONESIAN = re.compile(r"\b(yang|dengan|untuk|adalah|tidak)\b")


@dataclass(frozen=True)
class Rule:
    """A pattern that is not used, what to write instead, and where it is fine all the same."""

    pattern: re.Pattern[str]
    instead: str
    allow: tuple[str, ...] = ()

    def breaches(self, text: str) -> Iterator[str]:
        """What breaks the rule in a text, each with a few words around it."""
        for found in self.pattern.finditer(text):
            around = " ".join(text[max(0, found.start() - 40) : found.end() + 40].split())
            if not any(part.lower() in around.lower() for part in self.allow):
                yield f"{found[0]!r} in '{around}': write {self.instead}"


def read_rules() -> tuple[dict[str, list[Rule]], set[str]]:
    """The rules by language, and the files that are not read."""
    given = tomllib.loads((ROOT / "tools" / "prose.toml").read_text(encoding="utf-8"))
    return {
        language: [
            Rule(re.compile(r["pattern"], re.IGNORECASE), r["instead"], tuple(r.get("allow", ())))
            for r in given[language]
        ]
        for language in ("english", "indonesian")
    }, set(given["except"])


def texts(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, language and content of each text in a file that people read."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(content)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                yield node.lineno, "english", node.value
        for token in tokenize.generate_tokens(io.StringIO(content).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], "english", token.string
    elif path.suffix == ".po":
        with path.open("rb") as file:
            for message in read_po(file, "id"):
                for text in (
                    (message.string,) if isinstance(message.string, str) else message.string
                ):
                    if message.id:
                        yield message.lineno or 0, "indonesian", text
    elif path.suffix == ".ipynb":
        for cell in json.loads(content)["cells"]:
            text = "".join(cell["source"])
            yield 0, language_of(text), text
    elif path.suffix == ".yaml":
        for number, line in enumerate(content.splitlines(), 1):
            yield number, "indonesian" if re.match(r"\s*id:", line) else language_of(line), line
    else:
        number = 1
        for paragraph in re.split(r"(\n\s*\n)", content):
            yield number, language_of(paragraph), paragraph
            number += paragraph.count("\n")


def language_of(text: str) -> str:
    """The language of a paragraph, by its most common words."""
    return "indonesian" if len(INDONESIAN.findall(text)) > 1 else "english"


def breaches(path: Path, rules: dict[str, list[Rule]]) -> Iterator[str]:
    """What breaks a rule in a file, each with its line."""
    for line, language, text in texts(path):
        prose = CODE.sub("", text)
        for rule in rules[language]:
            for found in rule.breaches(prose):
                yield f"{path.relative_to(ROOT)}:{line}: {found}"


def main(names: list[str]) -> int:
    """Check these files, or all; the exit code says whether any rule is broken."""
    rules, left_out = read_rules()
    paths = [Path(name).resolve() for name in names] or [
        path
        for pattern in READ
        for path in sorted(ROOT.glob(pattern))
        if "_build" not in path.parts
    ]
    found = [
        breach
        for path in paths
        if path.relative_to(ROOT).as_posix() not in left_out
        for breach in breaches(path, rules)
    ]
    for breach in found:
        sys.stdout.write(breach + "\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
