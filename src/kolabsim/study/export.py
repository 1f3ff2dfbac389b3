"""Kept results as files for other tools: tidy tables with units, a NetCDF data set, a workbook."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.errors import InputError, Problem, require
from kolabsim.files import begins_as_formula, table_csv, unescape, write_whole
from kolabsim.i18n import _
from kolabsim.model.measures import REGION_MEASURES, Measure
from kolabsim.study.collect import chunks, read_tables
from kolabsim.study.runner import Study
from kolabsim.study.store import KINDS, intact

if TYPE_CHECKING:
    import pandas as pd
    from openpyxl import Workbook
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

FORMATS = ("csv", "parquet", "netcdf", "xlsx")
"""What results can be exported to."""
MOST_ROWS = 1_048_575
"""Most rows of a sheet below its head: Excel reads no more."""
WORDS = frozenset(
    ("strategy", "future", "region", "name", "area", "item", "channel", "measure", "verdict")
)
"""Columns that hold words even where they look like numbers: the code 34.10 is not 34.1."""


def unit_of(measure: Measure, currency: str) -> str:
    """The unit of a measure; money is in the scenario's currency, or in cost units."""
    return (currency or "cost units") if measure.unit == "currency" else measure.unit


def export(folder: Path, *, to: str, out: Path) -> list[Path]:
    """Write the tables of a kept study into the folder ``out`` and tell the files.

    ``to`` is csv or parquet (runs, quarters, regions, and columns with their units and meanings),
    netcdf (one file; needs the extra ``export``), or xlsx (one workbook of the runs and of every
    CSV table that the report left in the folder; needs the extra ``export``).
    """
    study = Study.open(folder)
    if to == "xlsx":
        return [_write_workbook(study, out / "results.xlsx")]
    tables = read_tables(study)
    if to == "netcdf":
        return [_write_netcdf(tables, study, out / "results.nc")]
    tables["columns"] = column_table(study.measures, study.currency)
    written = []
    for name in (*KINDS, "columns"):
        path = out / f"{name}.{to}"
        write_whole(path, content_of(tables[name], to, study))
        written.append(path)
    return written


def column_table(measures: Mapping[str, Measure], currency: str) -> pd.DataFrame:
    """What the columns of the tables mean, and in which unit they are."""
    import pandas as pd

    rows = [
        {"table": table, "column": name, "unit": unit_of(entry, currency),
         "meaning": entry.meaning, "figure": entry.figure}
        for table, entries in (
            ("runs", measures), ("quarters", measures), ("regions", REGION_MEASURES)
        )
        for name, entry in entries.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def content_of(table: pd.DataFrame, to: str, study: Study) -> bytes:
    """A table as the content of a CSV file, or of a Parquet file that says its units."""
    if to == "csv":
        return table_csv(table)
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = pa.Table.from_pandas(table, preserve_index=False)
    entries = REGION_MEASURES | study.measures
    fields = [
        part.with_metadata({"unit": unit_of(entries[part.name], study.currency)})
        if part.name in entries
        else part
        for part in found.schema
    ]
    room = io.BytesIO()
    schema = pa.schema(fields, metadata=found.schema.metadata)
    pq.write_table(found.cast(schema), room, compression="zstd")
    return room.getvalue()


def _write_netcdf(tables: Mapping[str, pd.DataFrame], study: Study, path: Path) -> Path:
    for package in ("netCDF4", "xarray"):
        require(package, extra="export", what="netcdf")
    import xarray as xr

    def variables(table: pd.DataFrame, keys: list[str], entries: Mapping[str, Measure], tail: str):
        shape, places = [], []
        for key in keys:
            values = table[key]
            is_label = values.dtype == "category"
            shape.append(len(values.cat.categories) if is_label else int(values.max()) + 1)
            places.append(values.cat.codes if is_label else values)
        for name, entry in entries.items():
            grid = np.full(shape, np.nan)
            grid[tuple(np.asarray(place) for place in places)] = table[name]
            dims = [f"{key}_detailed" if key == "run" and tail else key for key in keys]
            about = {"units": unit_of(entry, study.currency), "long_name": entry.meaning}
            yield f"{name}{tail}", (dims, grid, about)

    points = ["strategy", "future", "run"]
    found = dict(variables(tables["runs"], points, study.measures, ""))
    found |= variables(tables["quarters"], [*points, "quarter"], study.measures, "_by_quarter")
    found |= variables(
        tables["regions"], [*points, "region", "area"], REGION_MEASURES, "_by_region"
    )
    labels = {
        "strategy": list(tables["runs"]["strategy"].cat.categories),
        "future": list(tables["runs"]["future"].cat.categories),
        "region": list(study.names[0]),
        "area": list(study.names[1]),
    }
    data = xr.Dataset(found, coords=labels, attrs={"title": "kolabsim results"})
    write_whole(path, bytes(data.to_netcdf(engine="netcdf4")))
    return path


def _write_workbook(study: Study, path: Path) -> Path:
    """Runs, every CSV table beside them, and what measures mean, each on a sheet of its own."""
    require("openpyxl", extra="export", what="xlsx")
    from openpyxl import Workbook

    rows = study.runs * len(study.points)
    if rows > MOST_ROWS:
        _refuse_rows("runs", rows)
    book = Workbook(write_only=True)
    try:
        _fill(book, study)
    except BaseException:
        with suppress(Exception):
            book.save(io.BytesIO())  # sheets that are not closed leave files and complaints behind
        raise
    return save_book(book, path)


def _fill(book: Workbook, study: Study) -> None:
    """Write all sheets of a workbook."""
    head = ["strategy", "future", "run", *study.measures]
    runs = (row for table in chunks(study, "runs") for row in table[head].itertuples(index=False))
    _write_sheet(book, "runs", head, runs)
    for file in sorted(study.folder.glob("*.csv")):
        if file.stem not in {"runs", "measures"}:
            with intact(file):
                head, *body = _read_rows(file)
            if len(body) > MOST_ROWS:
                _refuse_rows(file.name, len(body))
            _write_sheet(book, re.sub(r"[\\*?:/\[\]]", "_", file.stem)[:31], head, body)
    about = column_table(study.measures, study.currency)
    _write_sheet(book, "measures", list(about), about.itertuples(index=False))


def _refuse_rows(what: str, number: int) -> None:
    text = _("{what}: {number} rows, and a sheet holds {most}; export to csv or parquet instead")
    raise InputError([Problem(text.format(what=what, number=number, most=MOST_ROWS))])


def _read_rows(file: Path) -> Iterator[Sequence[object]]:
    """The head of a CSV table, and its rows with numbers as numbers."""
    with file.open(encoding="utf-8", newline="") as opened:
        reader = csv.reader(opened)
        head = next(reader, [])
        yield head
        for row in reader:
            yield [
                unescape(text) if name in WORDS else _as_value(text)
                for name, text in zip(head, row, strict=False)
            ]


def _as_value(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return unescape(text)


def _write_sheet(
    book: Workbook, title: str, head: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a table; the head stays in sight."""
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append([cell_of(sheet, name) for name in head])
    for row in rows:
        sheet.append([cell_of(sheet, value) for value in row])


def cell_of(sheet: WriteOnlyWorksheet, value: object) -> object:
    """A value as a sheet takes it: undefined is empty, and no text is ever a formula."""
    if isinstance(value, str):
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

        value = ILLEGAL_CHARACTERS_RE.sub("", value)
        if begins_as_formula(value):
            cell = WriteOnlyCell(sheet, value)
            cell.data_type = "s"
            cell.quotePrefix = True  # stays text when somebody edits it
            return cell
        return value or None
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def save_book(book: Workbook, path: Path) -> Path:
    """Write a workbook, whole."""
    room = io.BytesIO()
    book.save(room)
    write_whole(path, room.getvalue())
    return path
