"""Tables as people save them: CSV with commas, semicolons or tabs, every cell with its line."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kolabsim.errors import Problems, suggestion
from kolabsim.i18n import _, ngettext
from kolabsim.scenario.files import read_text
from kolabsim.scenario.source import format_value

LARGEST_TABLE = 100_000_000
"""Maximum size of a table in bytes."""

MOST_COLUMNS = 2000
"""Maximum number of columns of a table."""
AMBIGUOUS = re.compile(r"[-+]?[1-9]\d{0,2}\.\d{3}")
"""A number whose point may separate thousands, as in Indonesia, or decimals."""
_AROUND = re.compile(r"^(?:Rp\.?|IDR|[$€£])\s*|\s*(?:%|,-|jiwa|orang|km)$", re.IGNORECASE)
"""Currencies and units that people write around a number."""


@dataclass(frozen=True)
class Table:
    """Rows of a CSV file, the names in its first line, and the line of each row."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    problems: Problems

    def add_problem(self, line: int, message: str, /, **words: object) -> None:
        """Add a problem on a line of this table, formatted with ``words``."""
        text = message.format(**words) if words else message
        self.problems.add(text, file=self.path, line=line)

    def has(self, column: str, *, why: str = "") -> bool:
        """Whether the column exists; a missing column is a problem, which ``why`` explains."""
        if column not in self.header:
            message = _("there is no column '{column}'{why}{suggestion}")
            hint = suggestion(column, self.header)
            self.add_problem(1, message, column=column, why=why, suggestion=hint)
        return column in self.header

    def texts(self, column: str) -> tuple[str, ...]:
        """Return the cells of a column."""
        position = self.header.index(column)
        return tuple(row[position] for row in self.rows)

    def texts_or(self, column: str | None, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return the cells of a column, or the default if there is no such column."""
        return default if column is None or column not in self.header else self.texts(column)

    def numbers(self, column: str, named: Sequence[str]) -> list[float]:
        """Return the numbers of a column; any other cell is a problem, and NaN.

        ``named`` has the name of the region, or pair of regions, of each row.
        """
        rows = zip(self.lines, self.texts(column), named, strict=True)
        return [self.number(line, column, text, name) for line, text, name in rows]

    def number(self, line: int, column: str, text: str, name: str) -> float:
        """Return the number in a cell; any other text is a problem, and NaN."""
        value = as_number(text)
        if math.isfinite(value):
            return value
        self.add_problem(line, f"{column}: {not_a_number(text)} ({name})")
        return math.nan

    def check_points(
        self, column: str, named: Sequence[str], usual: tuple[float, float] | None = None
    ) -> None:
        """Check that points separate decimals, which is unclear if three digits follow each.

        They do if some number lies in the ``usual`` range and no number times 1000 does.
        """
        texts = self.texts(column)
        unsure = [bool(AMBIGUOUS.fullmatch(text)) for text in texts]
        if not any(unsure) or any("." in t and not u for t, u in zip(texts, unsure, strict=True)):
            return
        low, high = sorted(usual or (math.nan, math.nan))
        found = [as_number(text) for text, u in zip(texts, unsure, strict=True) if u]
        if any(low <= v <= high for v in found) and not any(low <= 1e3 * v <= high for v in found):
            return
        for line, text, name, is_unsure in zip(self.lines, texts, named, unsure, strict=True):
            if is_unsure:
                message = _(
                    "{column}: {value} can be read in two ways; write {whole}, or {fraction} if "
                    "the point begins decimals ({name})"
                )
                whole, fraction = text.replace(".", ""), f"{text}0"
                words = {"column": column, "value": text, "whole": whole, "fraction": fraction}
                self.add_problem(line, message, name=name, **words)

    def columns(self) -> dict[str, tuple[str, ...]]:
        """Return all cells by column."""
        return {name: self.texts(name) for name in self.header}


def read_csv(path: Path, problems: Problems) -> Table | None:
    """Read a table with a header; None, after adding the problem, if the file is not one."""
    text = read_text(path, LARGEST_TABLE, problems)
    if text is None:
        return None
    if not text.strip():
        problems.add(_("this table is empty"), file=path, line=1)
        return None
    first = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    separator = max(",;\t", key=re.sub(r'"[^"]*"', "", first).count)
    header: tuple[str, ...] = ()
    rows, lines = [], []
    for line, cells in _lines(text, separator, path, problems):
        if not header:
            header = cells
            if len(header) > MOST_COLUMNS:
                message = _("{number} columns; allowed: at most {most}")
                number = len(header)
                problems.add(message, file=path, line=line, number=number, most=MOST_COLUMNS)
                return None
        elif len(cells) != len(header):
            message = ngettext(
                "{number} cell, where the first line names {columns} columns",
                "{number} cells, where the first line names {columns} columns",
                len(cells),
            )
            message = message.format(number=len(cells), columns=len(header))
            if separator == "," and len(cells) > len(header):
                message += _('; a cell with a comma in it needs quotes: "12,5"')
            problems.add(message, file=path, line=line)
        else:
            rows.append(cells)
            lines.append(line)
    for name in sorted(name for name, number in Counter(header).items() if name and number > 1):
        message = _("there are two columns '{column}'").format(column=name)
        problems.add(message, file=path, line=1)
    return Table(path, header, tuple(rows), tuple(lines), problems)


def _lines(
    text: str, separator: str, path: Path, problems: Problems
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the non-empty rows of a table, each with the number of its first line.

    Cells are stripped, and the lines of a cell with line breaks are joined.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    begins = 1
    try:
        for row in reader:
            cells = tuple(re.sub(r"\s*[\n\r]\s*", " ", cell.strip()) for cell in row)
            if any(cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        problems.add(_("this is not a table ({reason})"), file=path, line=begins, reason=error)


def as_number(text: str) -> float:
    """Parse the number in a cell; NaN for any other text."""
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


_SPELLINGS = (
    r"([-+]?\d{1,3}(?:([.,' ])\d{3})(?:\2\d{3})+)(?P<rest>[.,]\d+)?",  # 1.234.567,8
    r"([-+]?\d{1,3}\.\d{3})(?P<rest>,\d+)",  # 1.234,5
    r"([-+]?\d{1,3},\d{3})(?P<rest>\.\d+)",  # 1,234.5
    r"([-+]?\d*)(?P<rest>,\d+)",  # 0,5
    r"([-+]?\d{1,3}[ ']\d{3})(?P<rest>)",  # 1 234
)
"""How people write numbers: a whole part with separators, and the rest."""


def not_a_number(text: str) -> str:
    """Explain why a cell is not a number, and how to write it."""
    if not text:
        return _("the cell is empty; write a number")
    value = format_value(text)
    bare = _AROUND.sub("", re.sub(r"[\s’]", " ", text).replace("\u2212", "-"))
    has_unit = len(bare) < len(text)
    if re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", bare) or (has_unit and AMBIGUOUS.fullmatch(bare)):
        text = _("{value} is not written as a number here; write {whole}, or {fraction}")
        whole, fraction = re.sub(r"[.,]", "", bare), bare.replace(",", ".") + "0"
        return text.format(value=value, whole=whole, fraction=fraction)
    right = bare if math.isfinite(as_number(bare)) else ""
    found = next(filter(None, (re.fullmatch(one, bare) for one in _SPELLINGS)), None)
    if found:
        right = re.sub(r"[^-+\d]", "", found[1]) + (found["rest"] or "").replace(",", ".")
    if not right:
        return _("{value} is not a number").format(value=value)
    text = _("{value} is not written as a number here; write {right}")
    return text.format(value=value, right=right)
