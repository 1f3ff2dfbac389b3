"""A sheet: the cells of a table or map before anything about them is understood."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Geometry = Mapping[str, Any]
"""A geometry in the format of GeoJSON."""

OTHER_DIGITS = re.compile(r"[^\W_a-zA-Z0-9](?<=\d)|(?<=\d)[，．](?=\d)|[－　]")
"""Digits of other scripts, full-width ones too, and the full-width signs between them."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """Cells [rows, columns] as text, and what else the file says about them."""

    name: str
    """Name of the sheet, or of the file in an archive; '' if the source has one table only."""
    cells: np.ndarray
    """Texts without blanks around them."""
    lines: np.ndarray
    """Line or row of the file of each row [rows]."""
    indents: np.ndarray
    """Blanks before the text in the first columns [rows, up to 3]."""
    typed: np.ndarray | None = None
    """Cells that the file stores as numbers, NaN elsewhere; None for text files."""
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    """First and last cells of merged cells; empty if the file does not say."""
    has_header: bool = False
    """Whether the first row is surely the only line of the header."""
    geometries: tuple[Geometry | None, ...] = ()
    """Geometries of the rows after the header, for maps."""
    projection: str = ""
    """The coordinate system of the geometries, as the file states it."""


def make_sheet(
    name: str,
    rows: Sequence[Sequence[str]],
    lines: Sequence[int],
    typed: np.ndarray | None = None,
    **details: Any,
) -> Sheet:
    """Return a sheet of rows that may differ in length; empty columns and last rows are cut off."""
    width = max(map(len, rows), default=0)
    blank = [""] * width
    flat = [cell for row in rows for cell in (row if len(row) == width else [*row, *blank][:width])]
    cells = list(map(str.strip, flat))
    whole = "".join(cells)
    if not whole.isascii() and OTHER_DIGITS.search(whole):
        cells = [OTHER_DIGITS.sub(_ascii, cell) for cell in cells]
    if "\n" in whole or "\r" in whole:
        cells = [" ".join(c.split()) if "\n" in c or "\r" in c else c for c in cells]
    grid = np.array(cells, dtype=object).reshape(len(rows), width)
    filled = grid != ""
    high = int(np.max(np.flatnonzero(filled.any(axis=1)), initial=-1)) + 1
    wide = int(np.max(np.flatnonzero(filled.any(axis=0)), initial=-1)) + 1
    indents = np.zeros((high, min(3, wide)), dtype=int)
    for column in range(indents.shape[1]):
        texts = flat[column : high * width : width]
        if not any(one.isspace() or one in {".", ">"} for one in {text[:1] for text in texts}):
            continue
        bare = [re.sub(r"^[\s.]*(?:\.{2}|>>)\s*(?=[^\s.])|^\s+", "", text) for text in texts]
        if sum(map(str.__ne__, bare, texts)) > 1:  # blanks, or dots as in ......Zürich
            indents[:, column] = [len(a) - len(b) for a, b in zip(texts, bare, strict=True)]
            grid[:high, column] = [text.strip() for text in bare]
    return Sheet(
        name, grid[:high, :wide], np.asarray(lines[:high], dtype=int), indents,
        None if typed is None else typed[:high, :wide], **details,
    )  # fmt: skip


def _ascii(found: re.Match[str]) -> str:
    return str(unicodedata.decimal(found[0], unicodedata.normalize("NFKC", found[0])))


def sheet_of_records(
    name: str, records: Sequence[Mapping[str, Any]], first_line: int = 1, **details: Any
) -> Sheet:
    """Return a sheet of named values: objects of JSON, or the properties of features."""
    columns = list(dict.fromkeys(key for record in records for key in record))
    values = [[record.get(key) for key in columns] for record in records]
    typed = np.full((len(records) + 1, len(columns)), np.nan)
    if records and columns:
        typed[1:] = [[as_float(value) for value in row] for row in values]
    rows = [[str(key) for key in columns], *[[as_text(value) for value in row] for row in values]]
    lines = range(first_line - 1, first_line + len(records))
    return make_sheet(name, rows, list(lines), typed, has_header=True, **details)


def as_float(value: object) -> float:
    """Return a value that is stored as a number; NaN for any other."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return np.nan
    return float(value) if abs(value) <= sys.float_info.max else np.nan


def as_text(value: object) -> str:
    """Return a value as the text of a cell: 2020.0 becomes 2020."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else repr(value)
    return str(value).removesuffix(" 00:00:00")  # the time of a date
