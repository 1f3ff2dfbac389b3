"""Whether there were runs enough: what fewer of them would have said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT, Comparison, arranged, paired, place_in
from kolabsim.model.measures import MEASURES

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.study.collect import Results

LEAST = 8
"""Fewest runs from which an interval is shown."""
HALVINGS = 6
"""How many times the runs are halved, at most."""


def convergence(
    results: Results,
    comparison: Comparison,
    *,
    measure: str = NET_BENEFIT,
    future: str | None = None,
) -> pd.DataFrame:
    """What the first runs alone say of the best strategy, from few of them to all.

    Columns: ``runs``: the first so many; ``best``: the strategy that does best in them;
    ``difference``, ``low``, ``high``: of the strategy that is best in all runs to the baseline;
    ``lead``, ``lead_low``, ``lead_high``: of the same to the next best in all runs, NaN where
    there is no other.
    """
    import pandas as pd

    future = future or comparison.futures[0]
    order = comparison.order(measure, future=future)
    numbers = np.unique(results.columns(["run"])["run"])
    keys = {"strategy": (comparison.baseline, *order), "future": (future,), "run": numbers}
    table = results.columns([*keys, measure])
    values = arranged(table, place_in(table, keys), keys, [measure])[:, 0, :, 0]
    sense = MEASURES[measure].better or 1
    rows = []
    for size in sizes(len(numbers)):
        some = values[:, None, :size]
        difference = paired(some[1:2] - some[:1], comparison.level)[:3]
        lead = [np.full((1, 1), np.nan)] * 3
        if len(order) > 1:
            lead = paired(some[1:2] - some[2:3], comparison.level)[:3]
        means = paired((some[1:] - some[:1]) * sense, comparison.level)[0][:, 0]
        best = order[int(np.nanargmax(means))] if np.isfinite(means).any() else order[0]
        rows.append([size, best, *(float(part[0, 0]) for part in (*difference, *lead))])
    names = ["runs", "best", "difference", "low", "high", "lead", "lead_low", "lead_high"]
    return pd.DataFrame(rows, columns=names)


def sizes(runs: int) -> list[int]:
    """Numbers of runs, each about half of the next, up to all."""
    found = {runs >> k for k in range(HALVINGS) if runs >> k >= LEAST} | {runs}
    return sorted(found)
