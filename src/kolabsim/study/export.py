"""Kept results as files for other tools: tidy tables with units, or one NetCDF data set."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.errors import InputError, Problem
from kolabsim.language import _
from kolabsim.model.measures import MEASURES, REGION_MEASURES, Measure
from kolabsim.study.joined import read_tables
from kolabsim.study.kept import KeptStudy
from kolabsim.study.store import KINDS, write_whole

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "parquet", "netcdf")
"""What results can be exported to."""


def unit_of(measure: Measure, currency: str) -> str:
    """The unit of a measure; money is in the scenario's currency, or in cost units."""
    return (currency or "cost units") if measure.unit == "currency" else measure.unit


def export(folder: Path, *, to: str, out: Path) -> list[Path]:
    """Write the tables of a kept study into the folder ``out`` and tell the files.

    ``to`` is csv or parquet (runs, quarters, regions, and columns with their units and meanings),
    or netcdf (one file; needs the extra ``export``).
    """
    study = KeptStudy.open(folder)
    tables = read_tables(study)
    if to == "netcdf":
        return [_write_netcdf(tables, study, out / "results.nc")]
    tables["columns"] = column_table(study.currency)
    written = []
    for name in (*KINDS, "columns"):
        path = out / f"{name}.{to}"
        write_whole(path, content_of(tables[name], to, study.currency))
        written.append(path)
    return written


def column_table(currency: str) -> pd.DataFrame:
    """What the columns of the tables mean, and in which unit they are."""
    import pandas as pd

    rows = [
        {"table": table, "column": name, "unit": unit_of(entry, currency),
         "meaning": entry.meaning, "figure": entry.figure}
        for table, entries in (
            ("runs", MEASURES), ("quarters", MEASURES), ("regions", REGION_MEASURES)
        )
        for name, entry in entries.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def content_of(table: pd.DataFrame, to: str, currency: str) -> bytes:
    """A table as the content of a CSV file, or of a Parquet file that says its units."""
    if to == "csv":
        return table.to_csv(index=False, lineterminator="\n").encode()
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = pa.Table.from_pandas(table, preserve_index=False)
    entries = REGION_MEASURES | MEASURES
    fields = [
        part.with_metadata({"unit": unit_of(entries[part.name], currency)})
        if part.name in entries
        else part
        for part in found.schema
    ]
    room = io.BytesIO()
    schema = pa.schema(fields, metadata=found.schema.metadata)
    pq.write_table(found.cast(schema), room, compression="zstd")
    return room.getvalue()


def _write_netcdf(tables: Mapping[str, pd.DataFrame], study: KeptStudy, path: Path) -> Path:
    try:
        import netCDF4  # noqa: F401 (xarray writes with it)
        import xarray as xr
    except ImportError as error:
        text = _("netcdf needs the extra 'export': pip install kolabsim[export]")
        raise InputError([Problem(text)]) from error

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
    found = dict(variables(tables["runs"], points, MEASURES, ""))
    found |= variables(tables["quarters"], [*points, "quarter"], MEASURES, "_by_quarter")
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
