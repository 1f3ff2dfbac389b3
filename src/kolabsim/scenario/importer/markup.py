"""Tables of web pages and of XML Spreadsheet 2003, which offices save as .xls."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np

from kolabsim.scenario.importer.sheets import Sheet, make_sheet

MOST_SPAN = 1000
"""Most rows or columns that one cell may span."""


class _Tables(HTMLParser):
    """Collects the cells of every table, with the columns and rows that they span."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[tuple[str, int, int]]]] = []
        self.text: list[str] | None = None
        self.span = (1, 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.close_cell()
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.close_cell()
            self.tables[-1].append([])
        elif tag in {"td", "th"} and self.tables and self.tables[-1]:
            self.close_cell()
            stated = dict(attrs)
            wide, high = (str(stated.get(name) or "1") for name in ("colspan", "rowspan"))
            self.span = tuple(  # type: ignore[assignment]
                min(int(n), MOST_SPAN) if n.isdecimal() and int(n) else 1 for n in (wide, high)
            )
            self.text = []
        elif tag == "br" and self.text is not None:
            self.text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th", "tr", "table"}:
            self.close_cell()

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text.append(data)

    def close_cell(self) -> None:
        """End a cell, whose end tag may be missing."""
        if self.text is not None and self.tables and self.tables[-1]:
            self.tables[-1][-1].append(("".join(self.text).strip(), *self.span))
        self.text = None


def read_html(text: str) -> list[Sheet]:
    """Return the tables of a web page that have at least two rows and columns."""
    parser = _Tables()
    parser.feed(text)
    parser.close_cell()
    sheets = [_sheet_of_spans(f"table {k}", one) for k, one in enumerate(parser.tables, 1)]
    return [sheet for sheet in sheets if min(sheet.cells.shape) >= 2]


def _sheet_of_spans(name: str, table: list[list[tuple[str, int, int]]]) -> Sheet:
    """Return a sheet whose merged cells have their text in the first of them."""
    rows: list[list[str]] = []
    taken: set[tuple[int, int]] = set()
    merged = []
    for line, cells in enumerate(table):
        row: list[str] = []
        for text, wide, high in cells:
            while (line, len(row)) in taken:
                row.append("")
            if wide > 1 or high > 1:
                last = (line + high - 1, len(row) + wide - 1)
                merged.append(((line, len(row)), last))
                taken.update((r, c) for r in range(line + 1, last[0] + 1)
                             for c in range(len(row), last[1] + 1))  # fmt: skip
            row += [text, *[""] * (wide - 1)]
        rows.append(row)
    return make_sheet(name, rows, range(1, len(rows) + 1), merged=tuple(merged))


def read_xml_workbook(data: bytes) -> list[Sheet] | None:
    """Return the sheets of XML Spreadsheet 2003; None if the XML is something else or damaged."""
    if re.search(rb"<!(?:DOCTYPE|ENTITY)", data[:5000]):
        return None
    try:
        book = ElementTree.fromstring(data)
    except ElementTree.ParseError:
        return None
    space = "{urn:schemas-microsoft-com:office:spreadsheet}"
    if book.tag != f"{space}Workbook":
        return None
    sheets = []
    for sheet in book.iter(f"{space}Worksheet"):
        rows: list[list[str]] = []
        for row in sheet.iter(f"{space}Row"):
            rows += [[]] * (_index(row, space, len(rows) + 1) - 1 - len(rows))
            cells: list[str] = []
            for cell in row.iter(f"{space}Cell"):
                cells += [""] * (_index(cell, space, len(cells) + 1) - 1 - len(cells))
                found = cell.find(f"{space}Data")
                cells.append("" if found is None else "".join(found.itertext()))
                cells += [""] * min(int(cell.get(f"{space}MergeAcross", "0")), MOST_SPAN)
            rows.append(cells)
        sheets.append(make_sheet(sheet.get(f"{space}Name", ""), rows, range(1, len(rows) + 1)))
    return [sheet for sheet in sheets if np.prod(sheet.cells.shape)]


def _index(element: ElementTree.Element, space: str, following: int) -> int:
    """Return the number of a row or cell, which is stated only after a gap."""
    stated = element.get(f"{space}Index", "")
    return min(int(stated), following + MOST_SPAN) if stated.isdecimal() else following
