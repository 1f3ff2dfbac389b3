"""The tables of a page as an Excel workbook: numbers as numbers, and no text ever a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.figures.formatting import UNDEFINED, Interval, Number
from kolabsim.i18n import _
from kolabsim.study.export import make_cell, save_book

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from kolabsim.report.page import Cell, Table

Column = tuple[str, Sequence[str]]
"""Its head, and what stands in each row."""
NARROW, WIDE = 15, 44
"""Widths of columns of numbers and of words, in characters."""
LONG = 18
"""Words longer than this have a wide column."""
TITLE_LENGTH = 31
"""Most characters of the title of a sheet."""


def is_possible() -> bool:
    """Whether the package that writes workbooks is installed."""
    return find_spec("openpyxl") is not None


def write_workbook(
    path: Path, title: str, tables: Sequence[Table], *, facts: Iterable[tuple[str, str]] = ()
) -> Path | None:
    """Write the tables of a page, each on a sheet of its own; None where nothing can write it.

    Intervals have a column for each end, verdicts and remarks one of their own; numbers keep all
    their digits, and look as they do on the page. The first sheet has the title, ``facts`` in
    short, and what the other sheets hold. Raises :class:`~kolabsim.errors.StorageError` if the
    disk refuses.
    """
    if not is_possible():
        return None
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    names = [sheet_title(number, table.caption) for number, table in enumerate(tables, 1)]
    first = book.create_sheet(_("Contents"))
    captions = [(name, table.caption) for name, table in zip(names, tables, strict=True)]
    write_rows(first, [WIDE, 2 * WIDE], [[title], [], *facts, [], *captions])
    for name, table in zip(names, tables, strict=True):
        sheet, columns = book.create_sheet(name), list(columns_of(table))
        sheet.freeze_panes = "B3"
        heads, *rows = zip(*([head, *cells] for head, cells in columns), strict=True)
        widths = [
            WIDE
            if any(len(cell) > LONG and not isinstance(cell, Number) for cell in cells)
            else NARROW
            for _head, cells in columns
        ]
        write_rows(sheet, widths, [[table.caption], heads, *rows], 2)
    return save_book(book, path)


def sheet_title(number: int, caption: str) -> str:
    """A title that no other sheet has, without the characters that Excel does not take."""
    words = " ".join(re.sub(r"[\[\]:*?/\\']", " ", caption).split())
    return f"{number} {words}"[:TITLE_LENGTH].rstrip()


def columns_of(table: Table) -> Iterator[Column]:
    """The columns of a table; a cell that holds more than a number has a column for each part."""
    yield table.head[0], [head for head, _cells in table.rows]
    for place, head in enumerate(table.head[1:]):
        yield from parts_of(head, [cells[place] for _head, cells in table.rows])


def parts_of(head: str, cells: Sequence[Cell]) -> Iterator[Column]:
    """What stands in the cells of a column, part by part; parts that no cell has are left out."""
    mains = ["" if isinstance(cell.main, Interval) else cell.main for cell in cells]
    ends = [
        next((part.ends for part in (cell.main, cell.below) if isinstance(part, Interval)), None)
        for cell in cells
    ]
    below = ["" if isinstance(cell.below, Interval) else cell.below for cell in cells]
    remarks = [
        "; ".join(part for part in (text, cell.remark) if part and part != UNDEFINED)
        for text, cell in zip(below, cells, strict=True)
    ]
    parts = [
        (head, mains),
        (_("{head}: from").format(head=head), [pair[0] if pair else "" for pair in ends]),
        (_("{head}: to").format(head=head), [pair[1] if pair else "" for pair in ends]),
        (_("{head}: verdict").format(head=head), [cell.verdict_title for cell in cells]),
        (_("{head}: remark").format(head=head), remarks),
    ]
    found = [part for part in parts if any(part[1])]
    yield from found or [(head, mains)]


def write_rows(
    sheet: WriteOnlyWorksheet, widths: Sequence[int], rows: Iterable[Sequence[str]], bold: int = 1
) -> None:
    """Write rows, the first of them bold, into columns that are so wide."""
    from openpyxl.cell import Cell, WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    strong, plain = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for number, row in enumerate(rows):
        written = []
        for text in row:
            value = text.value if isinstance(text, Number) else "" if text == UNDEFINED else text
            cell = make_cell(sheet, value)
            cell = cell if isinstance(cell, Cell) else WriteOnlyCell(sheet, cell)
            if isinstance(text, Number):
                cell.number_format = text.pattern
            if number < bold:
                cell.font = strong
            if len(row) > 1:
                cell.alignment = plain
            written.append(cell)
        sheet.append(written)
