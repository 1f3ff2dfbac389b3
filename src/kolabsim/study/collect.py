"""All parts of a kept study as one table, in one order, however its runs were grouped.

Tables are read and written chunk by chunk, so that memory does not grow with the number of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from kolabsim.engine.ensemble import BLOCK
from kolabsim.files import table_csv, write_whole
from kolabsim.model.measures import MEASURES, REGION_MEASURES
from kolabsim.study.store import intact

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.runner import Study


@dataclass(frozen=True)
class Results:
    """Runs of strategies under futures, all on common draws.

    Rows of different strategies with the same future and run are pairs: they differ only by what
    the strategy changes. Null says undefined (a decision time where nobody agreed). Money is in
    the scenario's currency, or in cost units where it has none.
    """

    scenario: Scenario = field(repr=False)
    strategies: tuple[str, ...]
    futures: Mapping[str, Mapping[str, object]]
    """Settings of each future, by dotted names."""
    seed: int
    runs: pd.DataFrame = field(repr=False)
    """strategy, future, run, then the run's figure of every measure."""
    quarters: pd.DataFrame = field(repr=False)
    """strategy, future, run, quarter, then every measure."""
    regions: pd.DataFrame = field(repr=False)
    """strategy, future, run, region, area, then the figures of the measures by region and area."""

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures that there are."""
        return tuple(self.scenario.measures)

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """The runs with these columns only: all that is in memory where runs are kept on disk."""
        return self.runs[list(names)]


def keys(parts: Mapping[str, tuple[list[str], np.ndarray]]) -> dict[str, object]:
    """Columns of names from their places, as categories in the order given."""
    import pandas as pd

    return {
        name: pd.Categorical.from_codes(places, names) for name, (names, places) in parts.items()
    }


def run_table(
    names: tuple[list[str], list[str]],
    figures: np.ndarray,
    measures: Sequence[str] = tuple(MEASURES),
) -> pd.DataFrame:
    """The table of runs, from figures [strategies, futures, runs, measures]."""
    import pandas as pd

    grid = np.indices(figures.shape[:3]).reshape(3, -1)
    columns = keys({"strategy": (names[0], grid[0]), "future": (names[1], grid[1])})
    flat = figures.reshape(-1, figures.shape[-1])
    return pd.DataFrame(
        columns | {"run": grid[2]} | {name: flat[:, k] for k, name in enumerate(measures)}
    )


def quarter_table(
    names: tuple[list[str], list[str]],
    history: np.ndarray,
    measures: Sequence[str] = tuple(MEASURES),
) -> pd.DataFrame:
    """The table of quarters, from [strategies, futures, runs, quarters, measures]."""
    import pandas as pd

    grid = np.indices(history.shape[:4], dtype=np.int32).reshape(4, -1)
    columns = keys({"strategy": (names[0], grid[0]), "future": (names[1], grid[1])})
    flat = history.reshape(-1, history.shape[-1])
    return pd.DataFrame(
        columns
        | {"run": grid[2], "quarter": grid[3]}
        | {name: flat[:, k] for k, name in enumerate(measures)}
    )


def region_table(
    names: tuple[list[str], list[str]], scenario: Scenario, figures: np.ndarray
) -> pd.DataFrame:
    """The table of regions, from [strategies, futures, runs, regions, areas, measures]."""
    import pandas as pd

    grid = np.indices(figures.shape[:5], dtype=np.int32).reshape(5, -1)
    columns = keys({"strategy": (names[0], grid[0]), "future": (names[1], grid[1])})
    places = {
        "region": (list(scenario.regions.codes), grid[3]),
        "area": (list(scenario.areas), grid[4]),
    }
    flat = figures.reshape(-1, figures.shape[-1])
    return pd.DataFrame(
        columns
        | {"run": grid[2]}
        | keys(places)
        | {name: flat[:, k] for k, name in enumerate(REGION_MEASURES)}
    )


CHUNK = {"runs": 64, "quarters": 8, "regions": 8}
"""Blocks that are in memory at a time."""
KEYS = {"runs": ["run"], "quarters": ["run", "quarter"], "regions": ["run", "region", "area"]}
"""Columns that tell the rows of a point apart."""


def chunks(study: Study, kind: str) -> Iterator[pd.DataFrame]:
    """The finished rows of a kind in the order of points and run numbers, some blocks at a time.

    Columns: strategy, future, run (and quarter, or region and area), then measures. A point's
    quarters and regions are there for as many runs as detail is kept of.
    """
    limit = study.runs if kind == "runs" else min(study.runs, study.detail)
    wanted = [
        (number, point.block(first))
        for number, point in enumerate(study.points)
        for first in range(0, limit, BLOCK)
    ]
    index = study.store.index(kind)
    read = lru_cache(maxsize=2)(_read)
    for first in range(0, len(wanted), CHUNK[kind]):
        found = []
        with intact(study.store.parts):
            for places in layers(wanted[first : first + CHUNK[kind]]):
                files = dict.fromkeys(path for block in places for path in index.get(block, ()))
                found += [_of(read(path), places, limit) for path in files]
            found = [part for part in found if part is not None]
            table = _ordered(study, kind, found) if found else None
        if table is not None:
            yield table


def layers(wanted: Sequence[tuple[int, str]]) -> list[dict[str, int]]:
    """Which point each block is of; points that the same decides have the same blocks, in turn."""
    found: list[dict[str, int]] = []
    for number, block in wanted:
        layer = next((layer for layer in found if block not in layer), None)
        if layer is None:
            found.append(layer := {})
        layer[block] = number
    return found


def _read(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    with intact(path):
        return pq.read_table(path)


def _of(table: pa.Table, places: Mapping[str, int], limit: int) -> pa.Table | None:
    """The rows of some blocks, with the number of their point; None if there are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    block = pc.cast(table.column("block"), pa.string())
    names = pa.array(list(places), pa.string())
    at = pc.index_in(block, names)
    here = pc.and_(pc.is_valid(at), pc.less(table.column("run"), limit))
    rows = table.drop_columns(["block"]).append_column("at", at).filter(here)
    if not len(rows):
        return None
    points = np.array(list(places.values()))[rows.column("at").to_numpy()]
    return rows.drop_columns(["at"]).append_column("point", pa.array(points))


def _ordered(study: Study, kind: str, found: list[pa.Table]) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    keys = ["point", *KEYS[kind]]
    table = pa.concat_tables(found).unify_dictionaries().to_pandas()
    for name, values in (("region", study.names[0]), ("area", study.names[1])):
        if name in table:
            table[name] = table[name].cat.set_categories(list(values))
    table = table.sort_values(keys, kind="stable").drop_duplicates(keys)
    at = table.pop("point").to_numpy()
    for position, name in enumerate(("strategy", "future")):
        names = [getattr(point, name) for point in study.points]
        order = list(dict.fromkeys(names))
        codes = np.array([order.index(value) for value in names])[at]
        table.insert(position, name, pd.Categorical.from_codes(codes, order))
    return table.reset_index(drop=True)


def read_table(study: Study, kind: str) -> pd.DataFrame:
    """All finished rows of a kind."""
    import pandas as pd

    found = list(chunks(study, kind))
    if found:
        return pd.concat(found, ignore_index=True)
    measures = REGION_MEASURES if kind == "regions" else study.measures
    return pd.DataFrame(columns=["strategy", "future", *KEYS[kind], *measures])


def read_tables(study: Study) -> dict[str, pd.DataFrame]:
    """All finished rows: runs, quarters and regions."""
    return {kind: read_table(study, kind) for kind in KEYS}


class KeptResults(Results):
    """Results whose runs stay on disk, and are read column by column."""

    def __init__(
        self, study: Study, scenario: Scenario, futures: Mapping[str, object], file: Path
    ) -> None:
        fields = {
            "scenario": scenario,
            "strategies": tuple(dict.fromkeys(point.strategy for point in study.points)),
            "futures": dict(futures),
            "seed": study.seed,
            "quarters": read_table(study, "quarters"),
            "regions": read_table(study, "regions"),
            "file": file,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def runs(self) -> pd.DataFrame:
        """All runs with all measures, read from disk."""
        import pandas as pd

        return pd.read_parquet(self.file)

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """The runs with these columns only."""
        import pandas as pd

        return pd.read_parquet(self.file, columns=list(names))


def join(study: Study, scenario: Scenario, futures: Mapping[str, object]) -> KeptResults:
    """Join the parts of a study into one file of each kind in its folder, and read those."""
    import pyarrow as pa

    # Arrow's own pools keep what they freed: a quarter more memory for nothing here.
    pa.set_memory_pool(pa.system_memory_pool())
    for kind in KEYS:
        write_joined(study, kind, study.folder / f"{kind}.parquet")
    return KeptResults(study, scenario, futures, study.folder / "runs.parquet")


def write_joined(study: Study, kind: str, path: Path) -> None:
    """Write all finished rows of a kind into one file, whole: Parquet, or CSV by its name."""
    write = _write_csv if path.suffix == ".csv" else _write_parquet
    write_whole(path, write(study, kind))


def _write_csv(study: Study, kind: str) -> Callable[[BinaryIO], None]:
    def write(file: BinaryIO) -> None:
        for number, chunk in enumerate(chunks(study, kind)):
            file.write(table_csv(chunk, header=number == 0))

    return write


def _write_parquet(study: Study, kind: str) -> Callable[[BinaryIO], None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write(file: BinaryIO) -> None:
        writer = None
        for chunk in chunks(study, kind):
            table = pa.Table.from_pandas(chunk, preserve_index=False)
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema, compression="zstd")
            writer.write_table(table)
        if writer is not None:
            writer.close()

    return write
