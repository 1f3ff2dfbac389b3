"""Results for other tools: tables with units, NetCDF, a workbook, a graph of agreements."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pandas as pd

from kolabsim.errors import InputError, require, shown, suggestion
from kolabsim.files import begins_as_formula, rows_csv, table_csv, unescape, write_whole
from kolabsim.i18n import _
from kolabsim.model.measures import REGION_MEASURES, Measure
from kolabsim.study.collect import chunks, read_tables
from kolabsim.study.ledger import PUBLISHED
from kolabsim.study.parts import KINDS
from kolabsim.study.runner import Study

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from kolabsim.engine.mesa_model import CollaborationModel

FORMATS = ("csv", "parquet", "netcdf", "xlsx")
"""Formats of exported results."""
MOST_ROWS = 1_048_575
"""Most rows of a sheet below its head that Excel reads."""
LABELS = frozenset(
    ("strategy", "future", "region", "name", "area", "item", "channel", "measure", "verdict")
)
"""Columns of text, even where it looks like a number: the code 34.10 is not 34.1."""


def measure_unit(measure: Measure, currency: str) -> str:
    """The unit of a measure; of money the scenario's currency, or cost units."""
    return (currency or "cost units") if measure.unit == "currency" else measure.unit


def export(folder: Path, *, to: str, out: Path) -> list[Path]:
    """Write the tables of the study in a folder for other tools, and return the files.

    ``to`` is csv or parquet: runs, quarters, regions, and columns with their units and meanings;
    netcdf: one file; or xlsx: one workbook of the runs and of every CSV table that the report left
    in the folder. The last two need the extra ``export``.
    """
    study = Study.open(folder)
    ledger = study.ledger
    if not any((folder / name).is_file() for files in ledger.index().values() for name in files):
        raise InputError.of(_("no finished run is in this folder"), shown(folder))
    if to == "xlsx":
        return [_write_workbook(study, out / "results.xlsx")]
    tables = read_tables(study)
    if to == "netcdf":
        return [_write_netcdf(tables, study, out / "results.nc")]
    tables["columns"] = column_table(study.measures, study.currency)
    written = []
    for name in (*KINDS, "columns"):
        path = out / f"{name}.{to}"
        write_whole(path, table_content(tables[name], to, study))
        written.append(path)
    return written


def column_table(measures: Mapping[str, Measure], currency: str) -> pd.DataFrame:
    """The meaning and the unit of each column of the tables."""
    rows = [
        {"table": table, "column": name, "unit": measure_unit(entry, currency),
         "meaning": entry.meaning, "figure": entry.figure}
        for table, entries in (
            ("runs", measures), ("quarters", measures), ("regions", REGION_MEASURES)
        )
        for name, entry in entries.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def table_content(table: pd.DataFrame, to: str, study: Study) -> bytes:
    """A table as the content of a CSV file, or of a Parquet file with units."""
    if to == "csv":
        return table_csv(table)
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = pa.Table.from_pandas(table, preserve_index=False)
    entries = REGION_MEASURES | study.measures
    fields = []
    for part in found.schema:
        about = entries.get(part.name)
        unit = about and {"unit": measure_unit(about, study.currency)}
        fields.append(part.with_metadata(unit) if unit else part)
    stream = io.BytesIO()
    schema = pa.schema(fields, metadata=found.schema.metadata)
    pq.write_table(found.cast(schema), stream, compression="zstd")
    return stream.getvalue()


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
            about = {"units": measure_unit(entry, study.currency), "long_name": entry.meaning}
            yield f"{name}{tail}", (dims, grid, about)

    points = ["strategy", "future", "run"]
    found = dict(variables(tables["runs"], points, study.measures, ""))
    found |= variables(tables["quarters"], [*points, "quarter"], study.measures, "_by_quarter")
    places = [*points, "region", "area"]
    found |= variables(tables["regions"], places, REGION_MEASURES, "_by_region")
    labels = {name: list(tables["runs"][name].cat.categories) for name in ("strategy", "future")}
    labels |= {"region": list(study.regions), "area": list(study.areas)}
    data = xr.Dataset(found, coords=labels, attrs={"title": "kolabsim results"})
    write_whole(path, bytes(data.to_netcdf(engine="netcdf4")))
    return path


def _write_workbook(study: Study, path: Path) -> Path:
    """A workbook with a sheet for runs, each CSV table beside them, and the meaning of measures."""
    require("openpyxl", extra="export", what="xlsx")
    from openpyxl import Workbook

    rows = study.runs * len(study.tasks)
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
    ledger = study.ledger
    for name in sorted(name for name, file in ledger.files.items() if file.role == PUBLISHED):
        file = study.folder / name
        if file.suffix == ".csv" and file.stem not in {"runs", "measures"}:
            names, *body = _read_rows(ledger.checked(name))
            if len(body) > MOST_ROWS:
                _refuse_rows(file.name, len(body))
            title = re.sub(r"[\\*?:/\[\]]", "_", file.stem)[:31]
            _write_sheet(book, title, list(map(str, names)), body)
    about = column_table(study.measures, study.currency)
    _write_sheet(book, "measures", list(about), about.itertuples(index=False))


def _refuse_rows(what: str, number: int) -> None:
    text = _("{what}: {number} rows, and a sheet holds {most}; export to csv or parquet instead")
    raise InputError.of(text, what=what, number=number, most=MOST_ROWS)


def _read_rows(file: Path) -> Iterator[Sequence[object]]:
    """The head of a CSV table, and its rows with numbers as numbers."""

    def value(name: str, text: str) -> object:
        with suppress(ValueError):
            return unescape(text) if name in LABELS else float(text)
        return unescape(text)

    with file.open(encoding="utf-8", newline="") as opened:
        reader = csv.reader(opened)
        head = next(reader, [])
        yield head
        for row in reader:
            yield list(map(value, head, row))


def _write_sheet(
    book: Workbook, title: str, head: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a table whose head stays in sight."""
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append([make_cell(sheet, name) for name in head])
    for row in rows:
        sheet.append([make_cell(sheet, value) for value in row])


def make_cell(sheet: WriteOnlyWorksheet, value: object) -> object:
    """A value as a sheet takes it: undefined is empty, and no text is ever a formula."""
    if isinstance(value, str):
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

        text = ILLEGAL_CHARACTERS_RE.sub("", value)
        if begins_as_formula(text):
            cell = WriteOnlyCell(sheet, text)
            cell.data_type = "s"
            cell.quotePrefix = True  # stays text when somebody edits it
            return cell
        return text or None
    number = float(cast("float", value))
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


TIMES = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
"""When a workbook was made, among its properties."""


def save_book(book: Workbook, path: Path) -> Path:
    """Write a workbook, whole and without the time: the same tables give the same bytes."""
    dated, stream = io.BytesIO(), io.BytesIO()
    book.save(dated)
    with ZipFile(dated) as parts, ZipFile(stream, "w", ZIP_DEFLATED) as timeless:
        for name in parts.namelist():
            content = TIMES.sub(rb"\g<1>2000-01-01T00:00:00Z", parts.read(name))
            timeless.writestr(ZipInfo(name), content, ZIP_DEFLATED)
    write_whole(path, stream.getvalue())
    return path


# Graphs of agreements -----------------------------------------------------------------------------

COLUMNS = ("body", "area", "form", "age_years", "region", "name")
"""Columns of a table of agreements: a row for each member of each joint body."""
ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold."""


def write_graph(model: CollaborationModel, path: Path) -> Path:
    """Write the present agreements of a model.

    The file ends in ``.graphml`` (:meth:`~kolabsim.engine.mesa_model.CollaborationModel.graph`) or
    ``.csv`` (a row for each member of each joint body); others are refused.
    """
    write_whole(path, WRITERS[ending(path)](model))
    return path


def ending(path: Path) -> str:
    """The ending of a file to which a graph can be written; others are refused."""
    found = path.suffix.lower()
    if found not in WRITERS:
        text = _("{file}: the ending of the name must say the format{hint}")
        hint = suggestion(found, WRITERS)
        raise InputError.of(text, file=path.as_posix(), hint=hint)
    return found


def _graphml(model: CollaborationModel) -> bytes:
    import networkx as nx

    graph, stream = model.graph(), io.BytesIO()
    for _code, about in graph.nodes(data=True):
        about |= {key: ILLEGAL.sub("", about[key]) for key in ("name", "tier")}
    nx.write_graphml_xml(graph, stream)
    return stream.getvalue()


def _agreements(model: CollaborationModel) -> bytes:
    names = dict(zip(model.simulated.regions.codes, model.simulated.regions.names, strict=True))
    rows = [
        (number, agreement["area"], agreement["form"], agreement["age"], code, names[code])
        for number, agreement in enumerate(model.agreements(), start=1)
        for code in cast("list[str]", agreement["members"])
    ]
    return rows_csv([COLUMNS, *rows])


WRITERS = {".graphml": _graphml, ".csv": _agreements}
"""Formats of a graph, by the ending of the file."""
