"""Tables as CSV that spreadsheets open too: no text in them is ever taken for a formula.

A text that a spreadsheet would calculate, such as a region called ``=1+1``, is written with an
apostrophe before it, which spreadsheets show as text; :func:`as_it_was` takes it away again.
Numbers, also negative ones, stay as they are.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def begins_as_formula(text: str) -> bool:
    """Whether a spreadsheet might calculate a text instead of showing it."""
    return bool(_FORMULA.match(text))


def harmless(value: object) -> object:
    """A value of a cell, with an apostrophe before a text that begins as formulas do."""
    if not isinstance(value, str) or not begins_as_formula(value) or _is_number(value):
        return value
    return f"'{value}"


def as_it_was(text: str) -> str:
    """The text of a cell before :func:`harmless`."""
    return text[1:] if text.startswith("'") and begins_as_formula(text) else text


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def table_csv(table: pd.DataFrame, *, header: bool = True, index_label: str | None = None) -> bytes:
    """A table as the content of a CSV file; with its index if that has a label."""
    safe = table.rename(columns=harmless, index=harmless if index_label else None)
    for place, kind in enumerate(safe.dtypes):
        column = safe.iloc[:, place]
        if kind == "category":
            safe.isetitem(place, column.cat.rename_categories(harmless))
        elif kind.kind not in "biuf":
            safe.isetitem(place, column.map(harmless, na_action="ignore"))
    text = safe.to_csv(
        index=index_label is not None, index_label=index_label, header=header, lineterminator="\n"
    )
    return text.encode()


def rows_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows, the head among them, as the content of a CSV file."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([harmless(value) for value in row] for row in rows)
    return stream.getvalue().encode()
