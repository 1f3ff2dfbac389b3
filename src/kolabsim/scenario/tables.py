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
from kolabsim.scenario.source import LARGEST_TABLE, as_written, read_text

MOST_COLUMNS = 2000
"""Most columns of a table."""
AMBIGUOUS = re.compile(r"[-+]?[1-9]\d{0,2}\.\d{3}")
"""A number whose point may group thousands, as in Indonesia, or begin the decimals."""
_AROUND = re.compile(r"^(?:Rp\.?|IDR|[$€£])\s*|\s*(?:%|,-|jiwa|orang|km)$", re.IGNORECASE)
"""What people write before and after a number."""


@dataclass(frozen=True)
class Table:
    """The rows of a table under the names in its first line, and the line of each row."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    problems: Problems

    def add_problem(self, line: int, message: str) -> None:
        """Note a problem on a line of this table."""
        self.problems.add(message, file=self.path, line=line)

    def has(self, column: str, *, why: str = "") -> bool:
        """Whether there is such a column; if not, it is a problem."""
        if column not in self.header:
            message = _("there is no column '{column}'{why}{suggestion}")
            hint = suggestion(column, self.header)
            self.add_problem(1, message.format(column=column, why=why, suggestion=hint))
        return column in self.header

    def texts(self, column: str) -> tuple[str, ...]:
        """The cells of a column."""
        position = self.header.index(column)
        return tuple(row[position] for row in self.rows)

    def numbers(self, column: str, named: Sequence[str]) -> list[float]:
        """The numbers of a column; a cell that holds none is a problem, and NaN.

        ``named`` says for each row whom it is about.
        """
        rows = zip(self.lines, self.texts(column), named, strict=True)
        return [self.number(line, column, text, name) for line, text, name in rows]

    def number(self, line: int, column: str, text: str, name: str) -> float:
        """The number in a cell; if there is none it is a problem, and NaN."""
        value = as_number(text)
        if math.isfinite(value):
            return value
        self.add_problem(line, f"{column}: {not_a_number(text)} ({name})")
        return math.nan

    def check_points(
        self, column: str, named: Sequence[str], usual: tuple[float, float] | None = None
    ) -> None:
        """See that points begin decimals, which cannot be told where three digits follow each.

        They do if one of the numbers then lies within what is ``usual``, and none otherwise.
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
                self.add_problem(line, message.format(name=name, **words))

    def columns(self) -> dict[str, tuple[str, ...]]:
        """The whole table, column by column."""
        return {name: self.texts(name) for name in self.header}


def read_csv(path: Path, problems: Problems) -> Table | None:
    """A table; its problems, and None, where the file holds no such thing."""
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
                message = message.format(number=len(header), most=MOST_COLUMNS)
                problems.add(message, file=path, line=line)
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
    """The filled lines of a table, each with the number of the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, tuple(map(_one_line, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        message = _("this is not a table ({reason})").format(reason=error)
        problems.add(message, file=path, line=begins)


def _one_line(cell: str) -> str:
    """What is in a cell, without the line breaks that people make in long ones."""
    return " ".join(cell.split()) if "\n" in cell or "\r" in cell else cell.strip()


def as_number(text: str) -> float:
    """The number in a cell; NaN if there is none."""
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def not_a_number(text: str) -> str:
    """What is wrong with a cell that should hold a number, and how to write it."""
    if not text:
        return _("the cell is empty; write a number")
    shown_value = as_written(text)
    bare = _AROUND.sub("", re.sub(r"[\s’]", " ", text).replace("\u2212", "-"))
    has_unit = len(bare) < len(text)
    grouped = re.fullmatch(r"([-+]?\d{1,3}(?:([.,' ])\d{3})(?:\2\d{3})+)([.,]\d+)?", bare)
    if grouped:
        digits = re.sub(r"[^-+\d]", "", grouped[1])
        right = digits + (grouped[3] or "").replace(",", ".")
    elif re.fullmatch(r"[-+]?\d{1,3}\.\d{3},\d+", bare):
        right = bare.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[-+]?\d{1,3},\d{3}\.\d+", bare):
        right = bare.replace(",", "")
    elif re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", bare) or (has_unit and AMBIGUOUS.fullmatch(bare)):
        text = _("{value} is not written as a number here; write {whole}, or {fraction}")
        whole, fraction = re.sub(r"[.,]", "", bare), bare.replace(",", ".") + "0"
        return text.format(value=shown_value, whole=whole, fraction=fraction)
    elif re.fullmatch(r"[-+]?\d*,\d+", bare):
        right = bare.replace(",", ".")
    elif re.fullmatch(r"[-+]?\d{1,3}[ ']\d{3}", bare):
        right = re.sub("[ ']", "", bare)
    elif math.isfinite(as_number(bare)):
        right = bare
    else:
        return _("{value} is not a number").format(value=shown_value)
    return _("{value} is not written as a number here; write {right}").format(
        value=shown_value, right=right
    )
