"""The runs of a study as tables: tidy, in one order, whatever their grouping when they ran.

Tables are read and written chunk by chunk, so that memory does not grow with the number of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd

from kolabsim.engine.ensemble import BLOCK
from kolabsim.files import table_csv, write_whole
from kolabsim.model.measures import REGION_MEASURES
from kolabsim.study.runner import Study
from kolabsim.study.tasks import run_figures

if TYPE_CHECKING:
    import pyarrow as pa

    from kolabsim.scenario.scenario import Scenario

CHUNK = {"runs": 64, "quarters": 8, "regions": 8}
"""Blocks that are in memory at a time."""
KEYS = {"runs": ["run"], "quarters": ["run", "quarter"], "regions": ["run", "region", "area"]}
"""Columns that identify a row among those of a strategy and future."""


@dataclass(frozen=True)
class Results:
    """Runs of strategies under futures, all on common random numbers.

    Rows of different strategies with the same future and run are pairs: they differ only by what
    the strategy changes. Null means undefined (a decision time where nobody agreed). Money is in
    the scenario's currency, or in cost units if it has none.
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
    regions: pd.DataFrame | None = field(repr=False)
    """strategy, future, run, region, area, then the figures of the measures by region and area."""

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures."""
        return tuple(self.scenario.measures)

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """The runs with these columns only; where runs are on disk, only these are read."""
        return self.runs[list(names)]

    @classmethod
    def from_arrays(
        cls,
        scenario: Scenario,
        strategies: Sequence[str],
        futures: Mapping[str, Mapping[str, object]],
        seed: int,
        history: np.ndarray,
        figures: np.ndarray | None,
    ) -> Results:
        """Make tables from arrays.

        ``history`` holds [strategies, futures, runs, quarters, measures], and ``figures``, if any,
        [strategies, futures, runs, regions, areas, measures by region].
        """
        measures = tuple(scenario.measures)
        keys = {"strategy": list(strategies), "future": list(futures), "run": None}
        flat = run_figures(history.reshape(-1, *history.shape[-2:]), measures)
        runs = flat.reshape(*history.shape[:3], len(measures))
        places = {"region": list(scenario.regions.codes), "area": list(scenario.areas)}

        def table(
            values: np.ndarray, names: Iterable[str], **more: list[str] | None
        ) -> pd.DataFrame:
            return tidy(keys | more, dict(zip(names, np.moveaxis(values, -1, 0), strict=True)))

        return cls(
            scenario=scenario,
            strategies=tuple(strategies),
            futures=dict(futures),
            seed=seed,
            runs=table(runs, measures),
            quarters=table(history, measures, quarter=None),
            regions=None if figures is None else table(figures, REGION_MEASURES, **places),
        )


def tidy(
    keys: Mapping[str, Collection[Any] | None], columns: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """A table with a row for each combination of the keys, which are the axes of the columns.

    A key without labels counts from 0.
    """
    shape = next(iter(columns.values())).shape
    grid = np.indices(shape, dtype=np.int32).reshape(len(keys), -1)
    table = {
        name: place.astype(np.int64 if name == "run" else np.int32)
        if labels is None
        else pd.Categorical.from_codes(place, list(labels))
        for (name, labels), place in zip(keys.items(), grid, strict=True)
    }
    return pd.DataFrame(table | {name: values.ravel() for name, values in columns.items()})


def chunks(study: Study, kind: str) -> Iterator[pd.DataFrame]:
    """Read the finished rows of a kind in the order of tasks and run numbers, some at a time.

    ``kind`` is runs, quarters or regions. Columns: strategy, future, run (and quarter, or region
    and area), then measures. Quarters and regions are there for the first runs, as many as the
    study stores in detail.
    """
    import pyarrow.parquet as pq

    limit = study.runs if kind == "runs" else min(study.runs, study.detail)
    # Tasks that are equal have the same blocks.
    wanted = pd.DataFrame(
        [
            (number, task.block(first))
            for number, task in enumerate(study.tasks)
            for first in range(0, limit, BLOCK)
        ],
        columns=["task", "block"],
    )
    ledger = study.ledger
    index = ledger.index(kind)
    read = lru_cache(maxsize=2)(lambda name: pq.read_table(ledger.checked(name)))
    for first in range(0, len(wanted), CHUNK[kind]):
        some = wanted[first : first + CHUNK[kind]]
        files = dict.fromkeys(name for block in some["block"] for name in index.get(block, ()))
        table = _ordered(study, kind, list(map(read, files)), some, limit) if files else None
        if table is not None:
            yield table


def _ordered(
    study: Study, kind: str, tables: list[pa.Table], wanted: pd.DataFrame, limit: int
) -> pd.DataFrame | None:
    """The wanted blocks of some parts, up to a number of runs, in the order of tasks and runs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts, blocks = [], pa.array(wanted["block"].unique(), pa.string())
    for part in tables:
        block = pc.cast(part.column("block"), pa.string())
        here = pc.and_(pc.is_in(block, blocks), pc.less(part.column("run"), limit))
        place = part.schema.get_field_index("block")
        parts.append(part.set_column(place, "block", block).filter(here))
    keys = ["task", *KEYS[kind]]
    table = pa.concat_tables(parts).unify_dictionaries().to_pandas()
    if table.empty:
        return None
    for name, values in (("region", study.regions), ("area", study.areas)):
        if name in table:
            table[name] = table[name].cat.set_categories(list(values))
    table = wanted.merge(table, on="block").drop(columns="block")
    table = table.sort_values(keys, kind="stable").drop_duplicates(keys)
    position = table.pop("task").to_numpy()
    for place, name in enumerate(("strategy", "future")):
        names = [getattr(task, name) for task in study.tasks]
        labels = pd.Categorical(names, list(dict.fromkeys(names)))[position]
        table.insert(place, name, labels)
    return table.reset_index(drop=True)


def read_table(study: Study, kind: str) -> pd.DataFrame:
    """All finished rows of a kind: runs, quarters or regions."""
    found = list(chunks(study, kind))
    if found:
        return pd.concat(found, ignore_index=True)
    measures = REGION_MEASURES if kind == "regions" else study.measures
    return pd.DataFrame(columns=["strategy", "future", *KEYS[kind], *measures])


def read_tables(study: Study) -> dict[str, pd.DataFrame]:
    """All finished rows: runs, quarters and regions."""
    return {kind: read_table(study, kind) for kind in KEYS}


class StoredResults(Results):
    """Results whose runs stay on disk and are read column by column."""

    study: Study

    def __init__(self, study: Study, scenario: Scenario, futures: Mapping[str, object]) -> None:
        vars(self).update(
            scenario=scenario,
            strategies=study.strategies,
            futures=dict(futures),
            seed=study.seed,
            quarters=read_table(study, "quarters"),
            regions=read_table(study, "regions"),
            study=study,
        )

    @property
    def runs(self) -> pd.DataFrame:
        """All runs with all measures, read from disk."""
        return pd.read_parquet(self.study.ledger.checked("runs.parquet"))

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """The runs with these columns only."""
        file = self.study.ledger.checked("runs.parquet")
        return pd.read_parquet(file, columns=list(names))


def collect(study: Study, scenario: Scenario, futures: Mapping[str, object]) -> StoredResults:
    """Write the runs of a study into one file of each kind in its folder, and read those.

    The folder must be held (:func:`kolabsim.study.ledger.hold`).
    """
    import pyarrow as pa

    # Arrow's own pools hold on to freed memory: a quarter more for nothing here.
    pa.set_memory_pool(pa.system_memory_pool())
    for kind in KEYS:
        write_whole(study.folder / f"{kind}.parquet", joined(study, kind))
    return StoredResults(study, scenario, futures)


def joined(study: Study, kind: str, ending: str = ".parquet") -> Callable[[BinaryIO], None]:
    """A function that writes all finished rows of a kind into a file: CSV or Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write(file: BinaryIO) -> None:
        writer = None
        for number, chunk in enumerate(chunks(study, kind)):
            if ending == ".csv":
                file.write(table_csv(chunk, header=number == 0))
                continue
            table = pa.Table.from_pandas(chunk, preserve_index=False)
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema, compression="zstd")
            writer.write_table(table)
        if writer is not None:
            writer.close()

    return write
