"""Text tables of any encoding and separator, as cells."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from kolabsim.i18n import N_, _
from kolabsim.scenario.importer.decisions import CERTAIN, LIKELY, Record
from kolabsim.scenario.importer.letters import MARKS, guess_encoding
from kolabsim.scenario.importer.sheets import Sheet, make_sheet

SEPARATORS = {"semicolon": ";", "tab": "\t", "comma": ",", "bar": "|"}
SAMPLE = 200_000
"""Most bytes in which zeros are counted."""
LINES = 200
"""Most lines by which a separator is recognised."""


def decode(data: bytes, record: Record) -> str:
    """Return the text of a file, by its byte-order mark, as UTF-8, or by its likely letters."""
    given = record.given.get("encoding")
    if given:
        try:
            text = data.decode(given)
        except (LookupError, UnicodeError):
            message = _("the encoding '{name}' does not fit this file; try --encoding cp1252")
            raise record.fail(message, name=given) from None
        record.note("encoding", given, N_("you named the encoding"), certainty="given")
        return text.removeprefix("\ufeff")
    mark = next((name for start, name in MARKS.items() if data.startswith(start)), None)
    why = N_("the file begins with the mark of this encoding")
    zeros = data[:SAMPLE].count(0)
    if mark is None and zeros > len(data[:SAMPLE]) // 10:
        mark = "utf-16-le" if data[1:SAMPLE:2].count(0) * 2 > zeros else "utf-16-be"
        why = N_("each letter of the file has two bytes")
    for name in (mark, "utf-8"):
        if name is None:
            continue
        try:
            text = data.decode(name)
        except UnicodeError:
            continue
        if mark:
            record.note("encoding", name, why)
        elif not text.isascii():
            record.note("encoding", "utf-8", N_("all bytes are valid UTF-8"))
        return text.removeprefix("\ufeff")
    name, others = guess_encoding(data)
    reason = N_("the file is not UTF-8; with this encoding its letters are those of words")
    record.note(
        "encoding", name, reason, certainty=LIKELY, alternatives=others, answer="encoding"
    )  # fmt: skip
    return data.decode(name, "replace")


def read_text_table(data: bytes, record: Record) -> Sheet:
    """Read a table whose cells are separated by a sign."""
    text = decode(data, record)
    if "\x00" in text:
        raise record.fail(_("this is not a table: it holds zero bytes; save it as CSV or .xlsx"))
    if not text.strip():
        raise record.fail(_("this table is empty; choose the file that holds the regions"))
    text = text.lstrip("\ufeff")
    if re.match(r"[\w,]+\\\w+\t", text):  # Eurostat: geo\\TIME_PERIOD
        rows, lines = split(text, "\t", record)
        rows = [[*row[0].partition("\\")[0].split(","), *row[1:]] for row in rows if row]
        return make_sheet("", rows, lines)
    separator = find_separator(text, record)
    rows, lines = split(text, separator, record)
    return make_sheet("", rows, lines)


def find_separator(text: str, record: Record) -> str:
    """Return the sign between cells: the one that cuts most lines into the same number."""
    given = record.given.get("separator")
    if given:
        return SEPARATORS[given]
    stated = re.match(r"sep=(.)[\r\n]", text)
    if stated:
        return stated[1]
    sample = text[: 400 * LINES]
    scores = {}
    for name, sign in SEPARATORS.items():
        try:
            reader = csv.reader(io.StringIO(sample, newline=""), delimiter=sign)
            counts = [len(row) for row, _n in zip(reader, range(LINES), strict=False) if any(row)]
        except csv.Error:
            counts = []
        wide = Counter(n for n in counts[: max(1, len(counts) - 1)] if n > 1)
        if wide:
            usual, number = max(wide.items(), key=lambda item: (item[1], item[0]))
            scores[name] = (round(number / len(counts), 1), usual)
    if not scores:
        return ","
    best = max(scores, key=lambda name: scores[name])
    others = [name for name in scores if scores[name][0] >= scores[best][0] and name != best]
    record.note(
        "separator", best, N_("it splits most lines into {number} cells"), number=scores[best][1],
        certainty=LIKELY if others else CERTAIN, alternatives=others, answer="separator",
    )  # fmt: skip
    return SEPARATORS[best]


def split(text: str, separator: str, record: Record) -> tuple[list[list[str]], list[int]]:
    """Return the rows, and the line on which each begins."""
    rows: list[list[str]] = []
    lines: list[int] = []
    begins = 1
    if re.match(r"sep=.[\r\n]", text):
        _first, text = re.split(r"\r\n|\r|\n", text, maxsplit=1)
        begins = 2
    if '"' not in text:  # every line is a row
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        return rows, list(range(begins, begins + len(rows)))
    offset = begins - 1
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # outlines as text are long
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row in reader:
            rows.append(row)
            lines.append(begins)
            begins = reader.line_num + 1 + offset
    except csv.Error as error:
        message = _("this is not a table ({reason}); save it again as CSV UTF-8 or as .xlsx")
        raise record.fail(message, reason=error, line=begins) from None
    return rows, lines
