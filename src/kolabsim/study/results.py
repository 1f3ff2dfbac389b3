"""What a study gives: tidy tables of runs, quarters and regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.model.measures import LAST_YEAR, MEASURES, RATIO, REGION_MEASURES

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.scenario.scenario import Scenario


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


def run_figures(history: np.ndarray, measures: Sequence[str] = tuple(MEASURES)) -> np.ndarray:
    """Each run's figure of every measure, [runs, measures], from [runs, quarters, measures].

    The mean of the last four quarters in which it is defined, a sum over the run, or a ratio of
    two sums; NaN where it is undefined.
    """
    figures = np.empty((len(history), len(measures)))
    place = {name: k for k, name in enumerate(measures)}
    sums = np.nansum(history, axis=1)
    last = history[:, -4:]
    defined = np.isfinite(last).sum(axis=1)
    total = np.nansum(last, axis=1)
    means = np.divide(total, defined, out=np.full_like(total, np.nan), where=defined > 0)
    for name, k in place.items():
        measure = MEASURES[name]
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
