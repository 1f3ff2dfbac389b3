"""Results for other tools: tables with units, NetCDF, a workbook, a graph of agreements."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pandas as pd

from kolabsim.errors import InputError, require, shown, suggestion
from kolabsim.files import (
    Content,
    begins_as_formula,
    rows_csv,
    table_csv,
    unescape,
    write_whole,
)
from kolabsim.i18n import _
from kolabsim.study.collect import (
    KEYS,
    arrow_table,
    chunks,
    head,
    joined,
    read_table,
)
from kolabsim.study.ledger import PART
from kolabsim.study.runner import Study
from kolabsim.study.tables import TABLES, Column

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from kolabsim.engine.mesa_model import CollaborationModel

FORMATS = ("csv", "parquet", "netcdf", "xlsx")
"""Formats of exported results."""
MOST_ROWS = 1_048_575
"""Most rows of a sheet below its head that Excel reads."""


def export(folder: Path, *, to: str, out: Path) -> list[Path]:
    """Write the tables of the study in a folder for other tools, and return the files.

    These are the runs of all points and stages and, where they are stored, quarters and regions;
    the tables that the report left in the folder; and the unit and the meaning of each column
    (:data:`kolabsim.study.tables.TABLES`). ``to`` is csv or parquet: a file for each table;
    netcdf: one file; or xlsx: one workbook without quarters and regions. The last two need the
    extra ``export``.

    Raises :class:`~kolabsim.errors.KolabsimError` if there is no finished run or the disk refuses.
    """
    study = Study.open(folder)
    ledger = study.ledger
    if not any((folder / name).is_file() for files in ledger.index().values() for name in files):
        raise InputError.of(_("no finished run is in this folder"), shown(folder))
    for name in ledger.faults(PART):  # nothing is written beside a part that cannot be used
        ledger.checked(name)
    published = published_tables(study)
    if to == "xlsx":
        return [_write_workbook(study, published, out / "results.xlsx")]
    if to == "netcdf":
        return [_write_netcdf(study, published, out / "results.nc")]
    kinds = [kind for kind in KEYS if ledger.index(kind)]
    contents: dict[str, Content] = {kind: joined(study, kind, f".{to}") for kind in kinds}
    heads = {kind: head(study, kind) for kind in kinds}
    heads |= {name: list(table) for name, table in published.items()}
    tables = dict(published) | {"columns": study.terms.column_table(heads)}
    contents |= {name: table_content(table, name, to, study) for name, table in tables.items()}
    for name, content in contents.items():
        write_whole(out / f"{name}.{to}", content)
    return [out / f"{name}.{to}" for name in contents]


def published_tables(study: Study) -> dict[str, pd.DataFrame]:
    """The tables in the folder of a study besides its runs, futures first."""
    names = [name for name in TABLES if name not in KEYS and f"{name}.csv" in study.ledger.files]
    return {name: read_published(study.ledger.checked(f"{name}.csv"), name) for name in names}


def read_published(file: Path, name: str) -> pd.DataFrame:
    """A published table, texts as texts: the code 34.10 is not 34.1, and NA is a code too."""
    found = pd.read_csv(file, dtype=str, keep_default_na=False)
    try:
        declared = TABLES[name].recognise(found.columns)
    except ValueError as error:
        text = _("another version of kolabsim wrote this table; export it with that version")
        raise InputError.of(text, shown(file)) from error
    return pd.DataFrame({column: read_column(found[column], declared[column]) for column in found})


def read_column(cells: pd.Series, declared: Column) -> pd.Series:
    """The values of a column of CSV: numbers, truth values, or texts; empty ones are null."""
    is_empty = cells == ""
    given = cells[~is_empty]
    kinds: list[tuple[type, Callable[[str], object]]] = [(int, int), (float, float)]
    if declared.is_text:
        kinds = [(bool, {"True": True, "False": False}.__getitem__)]
    for kind, read in kinds:
        with suppress(ValueError, KeyError, OverflowError):  # a number may exceed 64 bits
            values = [read(cell) for cell in given]
            if not is_empty.any():
                return pd.Series(values, dtype=kind)
            table = pd.Series(np.nan, cells.index, float if kind is not bool else object)
            table[~is_empty] = values
            return table
    return cells.map(unescape).mask(is_empty, None)


def table_content(table: pd.DataFrame, name: str, to: str, study: Study) -> bytes:
    """A table as the content of a CSV file, or of a Parquet file with units."""
    if to == "csv":
        return table_csv(table)
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(arrow_table(table, name, study), stream, compression="zstd")
    return stream.getvalue()


def _write_netcdf(study: Study, published: Mapping[str, pd.DataFrame], path: Path) -> Path:
    """A file with an array of each measure, and the columns of the tables as vectors."""
    for package in ("netCDF4", "xarray"):
        require(package, extra="export", what="netcdf")
    import xarray as xr

    ledger, variables, labels = study.ledger, {}, {}
    for kind, keys in KEYS.items():
        if not ledger.index(kind):
            continue
        table = read_table(study, kind)
        tail = "" if kind == "runs" else f"_by_{keys[1]}"
        shape, places, dims = [], [], []
        for key in ("strategy", "future", *keys):
            values = table[key]
            is_label = values.dtype == "category"
            shape.append(len(values.cat.categories) if is_label else int(values.max()) + 1)
            places.append(values.cat.codes if is_label else values)
            dims.append(f"{key}_detailed" if key == "run" and tail else key)
            if is_label:
                labels[key] = list(values.cat.categories)
        about = study.terms.describe(kind, list(table))
        for name in [name for name in about if name not in ("strategy", "future", *keys)]:
            grid = np.full(shape, np.nan)
            grid[tuple(np.asarray(place) for place in places)] = table[name]
            units = {"units": about[name].unit, "long_name": about[name].meaning}
            variables[f"{name}{tail}"] = (dims, grid, units)
    for name, table in published.items():
        for column, one in study.terms.describe(name, list(table)).items():
            values = table[column]
            array = values.fillna("").to_numpy(str) if values.dtype == object else values.to_numpy()
            units = {"units": one.unit, "long_name": one.meaning}
            variables[f"{name}.{column}"] = ([f"{name}_row"], array, units)
    data = xr.Dataset(variables, coords=labels, attrs={"title": "kolabsim results"})
    packed = {
        name: {"zlib": True, "complevel": 1}
        for name, values in variables.items()
        if values[1].dtype.kind == "f"
    }
    write_whole(path, bytes(data.to_netcdf(engine="netcdf4", encoding=packed)))
    return path


def _write_workbook(study: Study, published: Mapping[str, pd.DataFrame], path: Path) -> Path:
    """A workbook with a sheet for runs, each table beside them, and the meaning of columns."""
    require("openpyxl", extra="export", what="xlsx")
    from openpyxl import Workbook

    sizes = {"runs": study.runs * len(study.tasks)}
    for name, number in (sizes | {name: len(table) for name, table in published.items()}).items():
        if number > MOST_ROWS:
            _refuse_rows(name, number)
    book = Workbook(write_only=True)
    try:
        _fill(book, study, published)
    except BaseException:
        with suppress(Exception):
            book.save(io.BytesIO())  # sheets that are not closed leave files and complaints behind
        raise
    return save_book(book, path)


def _fill(book: Workbook, study: Study, published: Mapping[str, pd.DataFrame]) -> None:
    """Write all sheets of a workbook."""
    runs = head(study, "runs")
    rows = (row for table in chunks(study, "runs") for row in table.itertuples(index=False))
    _write_sheet(book, "runs", runs, rows)
    heads = {"runs": runs} | {name: list(table) for name, table in published.items()}
    tables = dict(published) | {"columns": study.terms.column_table(heads)}
    for name, table in tables.items():
        _write_sheet(book, name, list(table), table.itertuples(index=False))


def _refuse_rows(what: str, number: int) -> None:
    text = _("{what}: {number} rows, and a sheet holds {most}; export to csv or parquet instead")
    raise InputError.of(text, what=what, number=number, most=MOST_ROWS)


def _write_sheet(
    book: Workbook, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a table whose head stays in sight."""
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append([make_cell(sheet, name) for name in columns])
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
    if isinstance(value, bool | np.bool_):
        return bool(value)
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

COLUMNS = ("body", "area", "form", "age_years", "role", "region", "name")
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
        (
            number,
            agreement["area"],
            agreement["form"],
            agreement["age"],
            role_of(code, agreement["provider"]),
            code,
            names[code],
        )
        for number, agreement in enumerate(model.agreements(), start=1)
        for code in cast("list[str]", agreement["members"])
    ]
    return rows_csv([COLUMNS, *rows])


def role_of(code: str, provider: str | None) -> str:
    """The role of a member: ``provider`` or ``buyer`` under a contract, else ``member``."""
    if provider is None:
        return "member"
    return "provider" if code == provider else "buyer"


WRITERS = {".graphml": _graphml, ".csv": _agreements}
"""Formats of a graph, by the ending of the file."""
