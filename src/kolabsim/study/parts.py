"""Parts: the files in which finished runs are stored, each with the runs of several points.

A part has a Parquet file of each kind: figures of runs, and quarters and regions of the runs with
detail. Figures of runs are 64-bit floats, because results are calculated from them. Quarters and
regions, which figures and tables show to four digits at most, are 32-bit floats, and columns that
follow from others are left out and derived on reading.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.model.measures import CHANNELS, MEASURES, RATIO

if TYPE_CHECKING:
    import pyarrow as pa

    from kolabsim.study.rows import Span

PARTS = "parts"
KINDS = ("quarters", "regions", "runs")
"""Files of a part, in the order in which they are written."""
SAMPLE, STRETCHES = 4096, 16
"""Values of a column from which its encoding is chosen, in stretches from all over a part: its
first rows may be those of a strategy without costs."""
FEW = 0.05
"""Share of distinct values up to which a dictionary is smaller, and share of values equal to the
one before up to which bytes of equal place compress better together."""


# Columns that follow from others ------------------------------------------------------------------


class Derived(NamedTuple):
    """A column that follows from others of the same row."""

    parts: tuple[str, ...]
    value: Callable[..., np.ndarray]


def _total(*parts: np.ndarray) -> np.ndarray:
    return np.sum(parts, axis=0)


def _quotient(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    nothing = np.full_like(above, np.nan)
    return np.divide(above, below, out=nothing, where=below > 0.0)


PAYERS = ("programme_members", "programme_centre", "programme_tiers", "programme_supporters")
DERIVED: Mapping[str, Mapping[str, Derived]] = {
    "quarters": {
        "programme_cost": Derived(PAYERS, _total),
        "net_saving": Derived(("saving", "programme_cost"), np.subtract),
        **{
            name: Derived(entry.ratio, _quotient)
            for name, entry in MEASURES.items()
            if entry.figure == RATIO
        },
    },
    "regions": {"realised_benefit": Derived(tuple(CHANNELS), _total)},
    "runs": {},
}
"""Columns that are derived on reading, by kind."""


def stored_columns(kind: str, names: Iterable[str]) -> list[str]:
    """The columns of a kind that are stored: those that do not follow from others."""
    return [name for name in names if name not in DERIVED[kind]]


def _needed(kind: str, names: Iterable[str]) -> list[str]:
    """The stored columns from which columns are read or derived."""
    found: dict[str, None] = {}
    for name in names:
        derived = DERIVED[kind].get(name)
        found |= dict.fromkeys(_needed(kind, derived.parts) if derived else [name])
    return list(found)


# Writing ------------------------------------------------------------------------------------------


def part_name(spans: Sequence[Span]) -> str:
    """The name of the part with these runs, without the ending of its kind.

    It follows from the runs alone: a part that is made again is the same file.
    """
    text = json.dumps(spans, separators=(",", ":"))
    return f"{PARTS}/{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def part_files(part: str) -> dict[str, str]:
    """The names of a part's files by kind."""
    return {kind: f"{part}.{kind}.parquet" for kind in KINDS}


def part_table(
    kind: str,
    blocks: Sequence[tuple[str, np.ndarray]],
    axes: Mapping[str, Sequence[str] | None],
    names: Sequence[str],
    values: np.ndarray,
) -> pa.Table:
    """The stored rows of a kind: block, run, the other axes, and the columns.

    ``blocks`` are the hashes of blocks, each with the numbers of its runs. The axes of ``values``
    are all these runs, ``axes`` (with their labels; without, they count from 0) and the names.
    """
    import pyarrow as pa

    shape = values.shape[1:-1]
    rows = int(np.prod(shape))
    number = {block: k for k, block in enumerate(dict.fromkeys(block for block, _ in blocks))}
    order = [np.full(len(runs) * rows, number[block], np.int32) for block, runs in blocks]
    labels = pa.DictionaryArray.from_arrays(np.concatenate(order), list(number))
    runs = np.concatenate([runs for _block, runs in blocks])
    keys = {"block": labels, "run": np.repeat(runs, rows)}
    grid = np.indices(shape, dtype=np.int32).reshape(len(shape), rows)
    for (name, words), place in zip(axes.items(), grid, strict=True):
        at = np.tile(place, len(runs))
        keys[name] = at if words is None else pa.DictionaryArray.from_arrays(at, list(words))
    flat = values.reshape(-1, len(names))
    place_of = {name: k for k, name in enumerate(names)}
    dtype = np.float64 if kind == "runs" else np.float32
    with np.errstate(over="ignore"):  # of a user-defined measure: infinite from 3.4e38 on
        columns = {
            name: flat[:, place_of[name]].astype(dtype) for name in stored_columns(kind, names)
        }
    return pa.table(keys | columns)


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as the content of a Parquet file; it does not depend on how rows came together."""
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    table = table.unify_dictionaries().combine_chunks()
    pq.write_table(table, stream, **encoding(table))
    return stream.getvalue()


def encoding(table: pa.Table) -> dict[str, object]:
    """Options for a Parquet file of a table in which each column is as small as it can be.

    Money and shares are noise but for their first bytes, so equal places are compressed together
    (byte-stream split). Columns with runs of equal values, or with few values, are smaller plain or
    with a dictionary.
    """
    import pyarrow as pa

    dictionary, split = [], []
    length = min(SAMPLE // STRETCHES, len(table))
    first = np.linspace(0, len(table) - length, STRETCHES).astype(np.int64)
    rows = (first[:, None] + np.arange(length)).ravel()
    for field in table.schema:
        if pa.types.is_floating(field.type):
            some = table.column(field.name).to_numpy()[rows]
            bits = some.view(f"u{some.itemsize}")
            ordered = np.sort(bits)  # many times faster than np.unique, which hashes
            distinct = np.count_nonzero(ordered[1:] != ordered[:-1]) + min(len(bits), 1)
            if distinct <= FEW * len(bits):
                dictionary.append(field.name)
            elif np.count_nonzero(bits[1:] == bits[:-1]) <= FEW * len(bits):
                split.append(field.name)
        else:
            dictionary.append(field.name)
    return {
        "compression": "zstd", "compression_level": 5, "write_statistics": False,
        "use_dictionary": dictionary,
        "column_encoding": dict.fromkeys(split, "BYTE_STREAM_SPLIT") or None,
    }  # fmt: skip


# Reading ------------------------------------------------------------------------------------------


def read_part(path: Path, kind: str, columns: Collection[str]) -> pa.Table:
    """Read columns of a part's file, among them columns that follow from others.

    A measure that its runs do not have is null.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as file:  # Arrow takes no path that is not UTF-8
        table = pq.read_table(file, columns=_needed(kind, columns))
    for name in columns:
        if name not in table.column_names and name not in DERIVED[kind]:
            table = table.append_column(name, pa.nulls(len(table), pa.float64()))
    return with_derived(table, kind, columns)


def with_derived(table: pa.Table, kind: str, columns: Collection[str]) -> pa.Table:
    """A table of these columns, with those that follow from others."""
    import pyarrow as pa

    found: dict[str, np.ndarray] = {}

    def value(name: str) -> np.ndarray:
        if name not in found:
            derived = DERIVED[kind].get(name)
            found[name] = (
                derived.value(*map(value, derived.parts))
                if derived
                else table.column(name).to_numpy().astype(np.float64)
            )
        return found[name]

    dtype = np.float64 if kind == "runs" else np.float32
    return pa.table({
        name: value(name).astype(dtype) if name in DERIVED[kind] else table.column(name)
        for name in columns
    })  # fmt: skip
