"""How much of what differs between runs is what regions are, and how much is luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.model.measures import TRAITS, shown_in
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate

if TYPE_CHECKING:
    import pandas as pd


def share_of_nature(values: np.ndarray, *, level: float = 0.95) -> tuple[float, float, float]:
    """Share of variance between groups, with its interval, from [groups, repeats].

    One-way random effects: groups are worlds whose drawn attributes differ, repeats are runs of a
    world that differ by luck alone. The interval is exact for normal numbers [searle_1971]. NaN
    where nothing varies.
    """
    from scipy.special import fdtri  # scipy.stats would take 60 MB for this one function

    groups, repeats = values.shape
    means = values.mean(axis=1)
    between = repeats * means.var(ddof=1)
    within = ((values - means[:, None]) ** 2).sum() / (groups * (repeats - 1))
    if within <= 0.0 or not np.isfinite(values).all():
        return (1.0, 1.0, 1.0) if between > 0.0 and np.isfinite(between) else (np.nan,) * 3
    ratio, free = between / within, (groups - 1, groups * (repeats - 1))
    tail = (1.0 - level) / 2.0

    def share(f: float) -> float:
        return float(np.clip((f - 1.0) / (f + repeats - 1.0), 0.0, 1.0))

    return (
        share(ratio),
        share(ratio / fdtri(*free, 1.0 - tail)),
        share(ratio / fdtri(*free, tail)),
    )


def attributes_share(
    scenario: Scenario,
    strategy: str,
    measures: Sequence[str],
    *,
    worlds: int = 32,
    repeats: int = 16,
    seed: int = 1,
    progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Share of the variance between runs that drawn attributes of regions carry, by measure.

    What no table gives (culture, interests, autonomy, goodwill, and where not mapped capacity and
    stress, with first trust and the errors of judgement) is drawn for ``worlds`` worlds; each is
    run ``repeats`` times with other luck. Columns: measure, share, low, high (95 %), runs.
    """
    import pandas as pd

    runs = worlds * repeats
    traits = np.repeat(np.arange(worlds), repeats)
    results = simulate(
        scenario, [strategy], runs=runs, seed=seed, traits=traits, regions=False,
        progress=progress,
    )  # fmt: skip
    rows = []
    for name in measures:
        values = results.runs[name].to_numpy().reshape(worlds, repeats)
        share, low, high = share_of_nature(values)
        rows.append({"measure": name, "share": share, "low": low, "high": high, "runs": runs})
    return pd.DataFrame(rows, columns=["measure", "share", "low", "high", "runs"])


def default_measures() -> tuple[str, ...]:
    """Measures for which the share is told unless others are asked for."""
    return shown_in(TRAITS)
