"""The runs of a study as tables: tidy, in one order, whatever their grouping when they ran.

Tables are read and written chunk by chunk, so that memory does not grow with the number of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
import pandas as pd

from kolabsim.engine.ensemble import BLOCK
from kolabsim.files import table_csv, write_whole
from kolabsim.model.measures import REGION_MEASURES
from kolabsim.study.parts import encoding, read_part
from kolabsim.study.runner import Study
from kolabsim.study.tables import TABLES
from kolabsim.study.tasks import in_future, run_figures

if TYPE_CHECKING:
    import pyarrow as pa

    from kolabsim.scenario.scenario import Scenario

CHUNK = {"runs": 4096, "quarters": 512, "regions": 512}
"""Runs whose rows are in memory at a time."""
KEYS = {"runs": ["run"], "quarters": ["run", "quarter"], "regions": ["run", "region", "area"]}
"""Columns that identify a row among those of a strategy and future."""
RUNS = "runs.parquet"
"""The figures of all runs of a comparison, in one file."""


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

    def columns(self, names: Sequence[str], kind: str = "runs") -> pd.DataFrame:
        """The runs, quarters or regions with these columns only; on disk, only these are read."""
        table: pd.DataFrame = getattr(self, kind)
        return table[list(names)]

    def worlds(self) -> Iterable[Scenario]:
        """The scenario in each future."""
        return (in_future(self.scenario, settings) for settings in self.futures.values())

    @property
    def has_regions(self) -> bool:
        """Whether there are figures by region."""
        return self.regions is not None

    @classmethod
    def from_arrays(
        cls,
        scenario: Scenario,
        strategies: Sequence[str],
        futures: Mapping[str, Mapping[str, object]],
        seed: int,
        history: np.ndarray,
        figures: np.ndarray | None,
        *,
        runs: np.ndarray | None = None,
        quarterly: Sequence[str] | None = None,
    ) -> Self:
        """Make tables from arrays.

        ``history`` holds [strategies, futures, runs, quarters, measures], and ``figures``, if any,
        [strategies, futures, runs, regions, areas, measures by region]. If it has only the measures
        ``quarterly``, ``runs`` has the figures of all [strategies, futures, runs, measures].
        """
        measures = tuple(scenario.measures)
        keys = {"strategy": list(strategies), "future": list(futures), "run": None}
        if runs is None:
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
            quarters=table(history, quarterly or measures, quarter=None),
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


def chunks(
    study: Study, kind: str, columns: Collection[str] | None = None
) -> Iterator[pd.DataFrame]:
    """Read the finished rows of a kind in the order of tasks and run numbers, some at a time.

    ``kind`` is runs, quarters or regions. Columns: strategy, future, run (and quarter, or region
    and area), then measures: those among ``columns``, or all. Quarters and regions are there for
    the first runs, as many as the study stores in detail, as 32-bit floats.
    """
    limit = study.runs if kind == "runs" else min(study.runs, study.detail)
    ledger = study.ledger
    wanted = ["block", *head(study, kind, columns)[2:]]
    index = ledger.index(kind)
    read = lru_cache(maxsize=4)(
        lambda name: read_part(ledger.checked(name), kind, wanted).unify_dictionaries()
    )
    some: list[tuple[int, str]] = []
    number = 0

    def rows() -> pd.DataFrame | None:
        files = dict.fromkeys(name for _task, block in some for name in index.get(block, ()))
        return _ordered(study, list(map(read, files)), some, limit) if files else None

    for place, key in enumerate(study.tasks):
        for first in range(0, limit, BLOCK):
            some.append((place, key.block(first)))
            number += min(BLOCK, limit - first)
            if number >= CHUNK[kind]:
                if (table := rows()) is not None:
                    yield table
                some, number = [], 0
    if (table := rows()) is not None:
        yield table


def _ordered(
    study: Study, parts: Sequence[pa.Table], wanted: Sequence[tuple[int, str]], limit: int
) -> pd.DataFrame | None:
    """Rows of the wanted blocks, each with its task, in the order of tasks and runs.

    Tasks that are equal have the same blocks. A run that is in several parts is the same in each.
    """
    import pyarrow as pa

    tasks: dict[str, list[int]] = {}
    for task, block in wanted:
        tasks.setdefault(block, []).append(task)
    tables, keys = [], []
    for source_number, part in enumerate(parts):
        block, run = part.column("block").combine_chunks(), part.column("run").to_numpy()
        for layer in range(max(map(len, tasks.values()))):
            here = [tasks.get(name, [])[layer : layer + 1] for name in block.dictionary.to_pylist()]
            task = np.array([of[0] if of else -1 for of in here])[block.indices.to_numpy()]
            rows = np.flatnonzero((task >= 0) & (run < limit))
            tables.append(part.drop_columns("block").take(rows))
            keys.append((task[rows], run[rows], np.full(len(rows), source_number)))
    position, run, source = (np.concatenate(column) for column in zip(*keys, strict=True))
    order = np.lexsort((source, run, position))
    if not len(order):
        return None
    position, run, source = position[order], run[order], source[order]
    begins = np.concatenate([[True], (np.diff(position) != 0) | (np.diff(run) != 0)])
    keep = source == source[np.flatnonzero(begins)[np.cumsum(begins) - 1]]
    table = pa.concat_tables(tables).unify_dictionaries().take(order[keep]).to_pandas()
    for name, values in (("region", study.regions), ("area", study.areas)):
        if name in table:
            table[name] = table[name].cat.set_categories(list(values))
    for place, name in enumerate(("strategy", "future")):
        names = [getattr(one, name) for one in study.tasks]
        labels = pd.Categorical(names, list(dict.fromkeys(names)))[position[keep]]
        table.insert(place, name, labels)
    return table


def read_table(study: Study, kind: str, columns: Collection[str] | None = None) -> pd.DataFrame:
    """The finished rows of a kind (runs, quarters or regions), with all measures or some."""
    found = list(chunks(study, kind, columns))
    if found:
        return pd.concat(found, ignore_index=True)
    return pd.DataFrame(columns=head(study, kind, columns))


def head(study: Study, kind: str, columns: Collection[str] | None = None) -> list[str]:
    """The columns of a kind: its keys, and those among ``columns``, or all.

    Of runs, measures at a quarter are among them.
    """
    moments = [f"{measure}@{quarter}" for measure, quarter in study.moments]
    names = TABLES[kind].names({"MEASURE": list(study.measures), "MOMENT": moments})
    keys = ("strategy", "future", *KEYS[kind])
    return [name for name in names if columns is None or name in keys or name in columns]


def read_tables(study: Study) -> dict[str, pd.DataFrame]:
    """All finished rows: runs, quarters and regions."""
    return {kind: read_table(study, kind) for kind in KEYS}


class StoredResults(Results):
    """Results that stay on disk and are read column by column.

    Quarters and regions are 32-bit floats.
    """

    study: Study

    def __init__(self, study: Study, scenario: Scenario, futures: Mapping[str, object]) -> None:
        vars(self).update(
            scenario=scenario, strategies=study.strategies, futures=dict(futures),
            seed=study.seed, study=study,
        )  # fmt: skip

    @property
    def runs(self) -> pd.DataFrame:
        """All runs with all measures, read from disk."""
        return self._read()

    def _read(self, names: list[str] | None = None) -> pd.DataFrame:
        with self.study.ledger.checked(RUNS).open("rb") as file:
            return pd.read_parquet(file, columns=names)

    @property
    def quarters(self) -> pd.DataFrame:
        """All quarters with all measures, read from disk."""
        return read_table(self.study, "quarters")

    @property
    def regions(self) -> pd.DataFrame:
        """All regions with all measures, read from disk."""
        return read_table(self.study, "regions")

    @property
    def has_regions(self) -> bool:
        """Whether there are figures by region: always."""
        return True

    def columns(self, names: Sequence[str], kind: str = "runs") -> pd.DataFrame:
        """The runs, quarters or regions with these columns only."""
        if kind == "runs":
            return self._read(list(names))
        return read_table(self.study, kind, names)[list(names)]


def arrow_table(table: pd.DataFrame, name: str, study: Study) -> pa.Table:
    """A published table for Parquet, with the unit and the meaning of each column."""
    import pyarrow as pa

    found = pa.Table.from_pandas(table, preserve_index=False)
    about = study.terms.describe(name, list(table))
    fields = [
        field.with_metadata({"unit": about[field.name].unit, "meaning": about[field.name].meaning})
        for field in found.schema
    ]
    return found.cast(pa.schema(fields, metadata=found.schema.metadata))


def collect(study: Study, scenario: Scenario, futures: Mapping[str, object]) -> StoredResults:
    """Write the figures of all runs of a study into one file in its folder, and read that.

    Quarters and regions, which take far more room, stay in the parts. The folder must be held
    (:func:`kolabsim.study.ledger.hold`).
    """
    import pyarrow as pa

    # Arrow's own pools hold on to freed memory: a quarter more for nothing here.
    pa.set_memory_pool(pa.system_memory_pool())
    write_whole(study.folder / RUNS, joined(study, "runs"))
    return StoredResults(study, scenario, futures)


def joined(study: Study, kind: str, ending: str = ".parquet") -> Callable[[BinaryIO], None]:
    """A function that writes all finished rows of a kind into a file: CSV or Parquet."""
    import pyarrow.parquet as pq

    def write(file: BinaryIO) -> None:
        writer = None
        # A file without rows has its columns.
        for number, chunk in enumerate(chain(chunks(study, kind), [None])):
            if chunk is None and number:
                break
            rows = read_table(study, kind) if chunk is None else chunk
            if ending == ".csv":
                file.write(table_csv(rows, header=number == 0))
                continue
            table = arrow_table(rows, kind, study)
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema, **encoding(table))
            writer.write_table(table)
        if writer is not None:
            writer.close()

    return write
