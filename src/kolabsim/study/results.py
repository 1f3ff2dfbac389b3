"""What a study gives: tidy tables of runs, quarters and regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.engine.ensemble import BLOCK
from kolabsim.model.measures import LAST_YEAR, MEASURES, RATIO, REGION_MEASURES

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.study.kept import KeptStudy
    from kolabsim.world.scenario import Scenario


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


def run_figures(history: np.ndarray) -> np.ndarray:
    """Each run's figure of every measure, [runs, measures], from [runs, quarters, measures].

    The mean of the last four quarters in which it is defined, a sum over the run, or a ratio of
    two sums; NaN where it is undefined.
    """
    figures = np.empty((len(history), len(MEASURES)))
    place = {name: k for k, name in enumerate(MEASURES)}
    sums = np.nansum(history, axis=1)
    last = history[:, -4:]
    defined = np.isfinite(last).sum(axis=1)
    total = np.nansum(last, axis=1)
    means = np.divide(total, defined, out=np.full_like(total, np.nan), where=defined > 0)
    for name, measure in MEASURES.items():
        k = place[name]
        if measure.figure == LAST_YEAR:
            figures[:, k] = means[:, k]
        elif measure.figure == RATIO:
            above, below = (sums[:, place[part]] for part in measure.ratio)
            figures[:, k] = np.divide(
                above, below, out=np.full_like(above, np.nan), where=below > 0
            )
        else:
            figures[:, k] = sums[:, k]
    return figures


def keys(parts: Mapping[str, tuple[list[str], np.ndarray]]) -> dict[str, object]:
    """Columns of names from their places, as categories in the order given."""
    import pandas as pd

    return {
        name: pd.Categorical.from_codes(places, names) for name, (names, places) in parts.items()
    }


def run_table(names: tuple[list[str], list[str]], figures: np.ndarray) -> pd.DataFrame:
    """The table of runs, from figures [strategies, futures, runs, measures]."""
    import pandas as pd

    grid = np.indices(figures.shape[:3]).reshape(3, -1)
    columns = keys({"strategy": (names[0], grid[0]), "future": (names[1], grid[1])})
    flat = figures.reshape(-1, figures.shape[-1])
    return pd.DataFrame(
        columns | {"run": grid[2]} | {name: flat[:, k] for k, name in enumerate(MEASURES)}
    )


def quarter_table(names: tuple[list[str], list[str]], history: np.ndarray) -> pd.DataFrame:
    """The table of quarters, from [strategies, futures, runs, quarters, measures]."""
    import pandas as pd

    grid = np.indices(history.shape[:4], dtype=np.int32).reshape(4, -1)
    columns = keys({"strategy": (names[0], grid[0]), "future": (names[1], grid[1])})
    flat = history.reshape(-1, history.shape[-1])
    return pd.DataFrame(
        columns
        | {"run": grid[2], "quarter": grid[3]}
        | {name: flat[:, k] for k, name in enumerate(MEASURES)}
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


def read_results(study: KeptStudy, scenario: Scenario, futures: Mapping[str, object]) -> Results:
    """The finished runs of a kept study, with the scenario and futures that they are of."""
    return Results(
        scenario=scenario,
        strategies=tuple(dict.fromkeys(point.strategy for point in study.points)),
        futures=dict(futures),
        seed=study.seed,
        **read_tables(study),
    )


def read_tables(study: KeptStudy) -> dict[str, pd.DataFrame]:
    """The finished runs of a kept study as tables, in the order of its points and run numbers.

    Quarters and regions are there for as many runs of each point as detail is kept of.
    """
    strategies, futures = (
        list(dict.fromkeys(getattr(point, name) for point in study.points))
        for name in ("strategy", "future")
    )
    order = {point: k for k, point in enumerate(study.points)}
    blocks = {
        point.block(first): order[point]
        for point in study.points
        for first in range(0, study.runs, BLOCK)
    }
    return {
        kind: _joined(study, kind, keys, limit, blocks, strategies, futures)
        for kind, keys, limit in (
            ("runs", ["run"], study.runs),
            ("quarters", ["run", "quarter"], min(study.runs, study.detail)),
            ("regions", ["run", "region", "area"], min(study.runs, study.detail)),
        )
    }


def _joined(
    study: KeptStudy,
    kind: str,
    keys: list[str],
    limit: int,
    blocks: Mapping[str, int],
    strategies: list[str],
    futures: list[str],
) -> pd.DataFrame:
    """All parts of a kind as one table that does not show how they were grouped."""
    import pandas as pd
    import pyarrow as pa

    measures = list(REGION_MEASURES if kind == "regions" else MEASURES)
    found = []
    for batch in study.store.batches(kind, ["block", *keys, *measures]):
        names = batch.column("block").dictionary.to_pylist()
        places = np.array([blocks.get(name, -1) for name in names])[batch.column("block").indices]
        here = (places >= 0) & (batch.column("run").to_numpy() < limit)
        if here.any():
            rows = pa.Table.from_batches([batch]).drop_columns(["block"]).filter(pa.array(here))
            found.append(rows.append_column("point", pa.array(places[here])))
    if not found:
        return pd.DataFrame(columns=["strategy", "future", *keys, *measures])
    table = pa.concat_tables(found).unify_dictionaries().to_pandas()
    for name, values in (("region", study.names[0]), ("area", study.names[1])):
        if name in table:
            table[name] = table[name].cat.set_categories(list(values))
    table = table.sort_values(["point", *keys], kind="stable").drop_duplicates(["point", *keys])
    number = {
        "strategy": ([p.strategy for p in study.points], strategies),
        "future": ([p.future for p in study.points], futures),
    }
    at = table.pop("point").to_numpy()
    for position, (name, (of, order)) in enumerate(number.items()):
        codes = np.array([order.index(value) for value in of])[at]
        table.insert(position, name, pd.Categorical.from_codes(codes, order))
    return table.reset_index(drop=True)
