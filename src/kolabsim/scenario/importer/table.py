"""Where a table begins and ends: its header of one or several lines, its body, its footnotes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from kolabsim.i18n import N_, _
from kolabsim.scenario.importer.decisions import LIKELY, Record, Rows
from kolabsim.scenario.importer.numbers import AFTER
from kolabsim.scenario.importer.sheets import Sheet
from kolabsim.scenario.importer.words import MISSING

LOOKED_AT = 200
"""First rows among which the header is looked for."""
MOST_HEADER = 5
"""Most lines of a header."""
NUMBER = re.compile(
    r"(?:Rp\.?|[$€£])?\s*[-+−]?(?:\d[\d.,' ’\u00a0\u202f\u2009]*|[.,]\d+)(?:[eE][-+]?\d+|[a-z])?"
    + AFTER
)
YEAR = re.compile(
    r"(?:1[89]|20)\d\d(?:[*)rpRP]*|年|[-/.]\d{1,2}(?:[-/.]\d{1,2})?)|"
    r"\d{1,2}[./-]\d{1,2}[./-](?:1[89]|20)\d\d"
)
"""A year or a date."""
UNKNOWN = MISSING - {""}
MOST_HEADINGS = 3
"""Most headings of parts between the header and the first row with numbers."""
SHORT_LABEL = 60
"""Most letters of a label above other labels; a longer text is a title."""


@dataclass(frozen=True, eq=False)
class Layout:
    """A sheet whose header is known."""

    sheet: Sheet
    header: tuple[int, ...]
    """Rows of the header; empty if there is none."""
    labels: tuple[str, ...]
    """Name of each column, no two alike."""
    own: tuple[str, ...]
    """Name of each column in the last line of the header alone."""
    titles: tuple[str, ...]
    """Texts above the header."""
    rows: np.ndarray
    """Rows of the body."""

    @property
    def lines(self) -> np.ndarray:
        """Lines of the file in which the rows of the body begin."""
        return np.asarray(self.sheet.lines[self.rows])

    def texts(self, column: int) -> np.ndarray:
        """Return the cells of a column."""
        return np.asarray(self.sheet.cells[self.rows, column])

    def typed(self, column: int) -> np.ndarray | None:
        """Return the cells of a column that are stored as numbers; None for a text file."""
        return None if self.sheet.typed is None else self.sheet.typed[self.rows, column]


def is_number(text: str) -> bool:
    """Whether a cell holds a number that is not a year, as in ``2020`` and ``2020 est``."""
    is_year = YEAR.fullmatch(text) or re.match(r"(?:1[89]|20)\d\d\s+[A-Za-z]{2}", text)
    return bool(NUMBER.fullmatch(text)) and not is_year


def find_layout(sheet: Sheet, record: Record, *, quiet: bool = False) -> Layout | None:
    """Find the header of a sheet; None if it holds no table.

    With ``quiet``, nothing is noted in the record.
    """
    cells = sheet.cells
    if not cells.size or cells.shape[1] < 2:
        return None
    given = record.given.get("header")
    if sheet.has_header:
        header: tuple[int, ...] = (0,)
    elif given:
        header = given_header(sheet, str(given), record)
    else:
        first = first_data_row(cells[:LOOKED_AT])
        if first is None:
            return None
        header = header_above(cells, first)
    top = header[0] if header else 0
    labels, own = make_labels(sheet, header)
    body = np.arange((header[-1] + 1) if header else 0, len(cells))
    body = body[(cells[body] != "").any(axis=1)]
    if header and not sheet.has_header:
        body = body[~is_repeated(cells, body, header[-1])]
        body = body[[not is_numbering(cells[row]) for row in body[:2]] + [True] * (len(body) - 2)]
    check_width(sheet, header, body, record)
    titles = tuple(" ".join(c for c in row if c) for row in cells[:top] if any(row))
    layout = Layout(sheet, header, labels, own, titles, body)
    if not quiet and not sheet.has_header:
        note_header(layout, record, is_given=bool(given))
    return layout


def note_header(layout: Layout, record: Record, *, is_given: bool) -> None:
    """Note which lines are the header."""
    lines = [int(layout.sheet.lines[row]) for row in layout.header]
    if is_given:
        record.note("header", lines, N_("you named its line"), certainty="given", answer="header")
    elif not lines:
        why = N_("no line above the numbers names the columns, so they are numbered")
        record.note("header", [], why, certainty=LIKELY, answer="header")
    elif len(lines) > 1 or layout.titles:
        why = N_("the names above the first line with numbers (line {line})")
        line = int(layout.lines[0]) if len(layout.rows) else lines[-1] + 1
        record.note("header", lines, why, certainty=LIKELY, answer="header", line=line)


def check_width(sheet: Sheet, header: tuple[int, ...], body: np.ndarray, record: Record) -> None:
    """Refuse a text file in which numbers were cut at their own commas."""
    if sheet.typed is not None or not header:
        return
    named = np.flatnonzero((sheet.cells[list(header)] != "").any(axis=0))
    surplus = sheet.cells[body][:, int(np.max(named, initial=-1)) + 1 :]
    cut = (surplus != "").any(axis=1)
    cut[cut] = [any(map(is_number, row)) for row in surplus[cut]]
    if not cut.any():
        return
    lines = sheet.lines[body[cut]].tolist()
    texts = [" ".join(cell for cell in row if cell) for row in sheet.cells[body[cut]][:3]]
    message = _(
        "rows have more cells than the header names: {rows}; put cells that contain the separator "
        "into quotes, or name another one with --separator"
    )
    rows = Rows.of(lines, texts + [""] * (len(lines) - len(texts)))
    raise record.fail(message, rows=rows, line=lines[0])


def given_header(sheet: Sheet, given: str, record: Record) -> tuple[int, ...]:
    """Return the rows of the lines that the user named, as 5 or 3-4."""
    match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", given)
    if not match:
        raise record.fail(_("--header: '{value}' is not a line, such as 5 or 3-4"), value=given)
    low, high = int(match[1]), int(match[2] or match[1])
    rows = tuple(np.flatnonzero((sheet.lines >= low) & (sheet.lines <= high)).tolist())
    if not rows or low > high or len(rows) > 20:
        message = _("--header: the table has no line {value}; its lines are 1 to {last}")
        raise record.fail(message, value=given, last=int(sheet.lines[-1]))
    return rows


def first_data_row(cells: np.ndarray) -> int | None:
    """Return the first row with a number in a column that goes on with numbers.

    Numbers that may be years count if the row above names their columns, each differently.
    """
    numbers = np.array([[is_number(cell) for cell in row] for row in cells])
    years = np.array([[bool(YEAR.fullmatch(cell)) for cell in row] for row in cells])
    unknown = np.array([[cell in UNKNOWN for cell in row] for row in cells])
    filled = cells != ""
    wide = filled.sum(axis=1) >= 2
    for row in np.flatnonzero(wide & (numbers | years).any(axis=1)):
        if is_numbering(cells[row]):
            continue
        after = np.flatnonzero(wide[row + 1 :])[:8] + row + 1
        known = np.maximum((~unknown[after]).sum(axis=0), 1)
        goes_on = (numbers | years)[after].sum(axis=0) / known >= 0.5 if len(after) else filled[row]
        if names_columns(cells[row], goes_on, filled[after].any(axis=0)):
            continue
        if (numbers[row] & goes_on).any():
            return int(row)
        above = np.flatnonzero(filled[:row].any(axis=1))
        if not len(above) or not (years[row] & goes_on).any() or is_numbering(cells[above[-1]]):
            continue
        labels = cells[above[-1], years[row]].tolist()
        all_numbers = bool((numbers | years)[row][goes_on].all())
        if all_numbers and all(labels) and len(set(labels)) == len(labels):
            return int(row)
    return None


def names_columns(row: np.ndarray, goes_on: np.ndarray, filled_below: np.ndarray) -> bool:
    """Whether a row with numbers is one of the header: years alone, or ages 0, 1, 2 after a name.

    ``goes_on`` has the columns with numbers below, and ``filled_below`` those with any content.
    """
    texts = [cell for cell in row if cell]
    if all(map(YEAR.fullmatch, texts)):
        return bool(((row == "") & filled_below).any())
    ages = [int(cell) for cell in texts if cell.isdecimal()]
    is_row = len(ages) > 2 and ages == list(range(ages[0], ages[0] + len(ages)))
    is_named = any(not is_number(cell) and cell not in UNKNOWN for cell in row[goes_on] if cell)
    return is_row and is_named


def is_numbering(row: np.ndarray) -> bool:
    """Whether a row numbers the columns, as (1) (2) (3) or 1 2 3."""
    found = [re.fullmatch(r"\(?(\d{1,3})\)?", cell) for cell in row if cell]
    numbers = [int(match[1]) for match in found if match]
    if len(numbers) < len(found) or len(numbers) < 2:
        return False
    return numbers[0] <= 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def is_repeated(cells: np.ndarray, body: np.ndarray, header: int) -> np.ndarray:
    """Return which rows repeat the last line of the header, as on a new page."""
    same = np.ones(len(body), bool)
    for column, text in enumerate(cells[header]):
        same[same] = cells[body[same], column] == text
    return same


def header_above(cells: np.ndarray, first: int) -> tuple[int, ...]:
    """Return the rows of the header above the first row with numbers.

    Between them may be blank rows, a row that numbers the columns, and headings of parts.
    """
    row, filled = first - 1, (cells != "").sum(axis=1)
    while row >= 0 and (filled[row] == 0 or is_numbering(cells[row])):
        row -= 1
    headings = 0
    while row > 0 and filled[row] < 2 and headings < MOST_HEADINGS:
        row, headings = row - 1, headings + 1
    if row < 0 or filled[row] < 2:
        return ()
    below = cells[first : first + 8]
    goes_on = np.array([any(map(is_number, column)) for column in below.T])
    if any(map(is_number, cells[row])) and not names_columns(cells[row], goes_on, goes_on):
        return ()
    header, bottom = [row], cells[row] != ""
    while row > 0 and len(header) < MOST_HEADER:
        row -= 1
        filled = np.flatnonzero(cells[row] != "")
        texts = [cells[row, column] for column in filled]
        is_title = (
            not len(filled)
            or any(map(is_number, texts))
            or max(map(len, texts)) > 3 * SHORT_LABEL
            or (len(filled) == 1 and (filled[0] == 0 or len(texts[0]) > SHORT_LABEL))
            or (bottom.all() and filled[0] == 0 and 2 * len(filled) <= len(bottom))
        )
        if is_title:
            break
        header.insert(0, row)
        bottom = bottom | (cells[row] != "")
    return tuple(header)


def make_labels(sheet: Sheet, header: tuple[int, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the columns, from all lines of the header and from its last line."""
    width = sheet.cells.shape[1]
    own = tuple(sheet.cells[header[-1]]) if header else ("",) * width
    parts: list[list[str]] = [[] for _column in range(width)]
    for row in header:
        texts = list(sheet.cells[row])
        if row != header[-1]:
            texts = spread(sheet, row, texts, own)
        for column, text in enumerate(texts):
            if text and text not in parts[column]:
                parts[column].append(text)
    labels = [" ".join(one) for one in parts]
    seen: Counter[str] = Counter()
    for column, label in enumerate(labels):
        name = label or f"#{column + 1}"  # the same in every language, because users type it
        seen[name] += 1
        labels[column] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return tuple(labels), own


def spread(sheet: Sheet, row: int, texts: list[str], own: tuple[str, ...]) -> list[str]:
    """Return the texts of a line of the header, those of merged cells above each of their columns.

    A text file does not say which cells were merged: a text then goes on over named columns until
    the next text.
    """
    spans = [(a, b) for a, b in sheet.merged if a[0] <= row <= b[0]]
    if sheet.merged:
        for (_top, left), (_bottom, right) in spans:
            for column in range(left, min(right + 1, len(texts))):
                texts[column] = texts[column] or texts[left]
        return texts
    for column in range(1, len(texts)):
        if not texts[column] and own[column] and own[column - 1] and texts[column - 1]:
            texts[column] = texts[column - 1]
    return texts


FOOTNOTE = re.compile(
    r"\s*(?:\*|†|\d\)|\(\d\)|[¹²³]|[-_=—]{3}|\(c\)|©|(?:sumber|catatan|keterangan|ket|sources?|"
    r"notes?|remark|quelle|anmerkung|hinweis|bron|noot|fonte|notas?|fuente|źródło|uwaga|pinagmulan|"
    r"stand|copyright|halaman|page|seite|página|lanjutan|continued|tabel|table|tabelle|last update|"
    r"data extracted)\b)",
    re.IGNORECASE,
)
"""How footnotes begin."""


def split_notes(
    layout: Layout, has_people: np.ndarray, record: Record
) -> tuple[np.ndarray, dict[int, str]]:
    """Return which rows of the body are regions, and the headings of parts by their rows.

    Rows after the last number and rows with one text and no number are notes or headings. Headings
    stand above the first region; otherwise such a row is a region whose population is missing.
    """
    cells = layout.sheet.cells[layout.rows]
    filled = (cells != "").sum(axis=1)
    first = cells[np.arange(len(cells)), (cells != "").argmax(axis=1)]
    last = int(np.max(np.flatnonzero(has_people), initial=-1))
    alone = (filled == 1) & ~has_people
    marked = np.zeros(len(cells), bool)
    suspects = np.flatnonzero(~has_people & (filled <= 2))
    marked[suspects] = [bool(FOOTNOTE.match(first[row])) for row in suspects]
    after = np.arange(len(cells)) > last
    notes = marked | (alone & after)
    headings = alone & ~notes
    if not headings[: int(np.argmax(has_people))].any():
        headings[:] = False
    if notes.any():
        rows = np.flatnonzero(notes)
        record.note(
            "footnotes", len(rows), N_("notes left out, which have no population: {rows}"),
            rows=Rows.of(layout.lines[rows], first[rows]),
        )  # fmt: skip
    parts = {int(row): str(first[row]) for row in np.flatnonzero(headings)}
    return ~notes & ~headings, parts
