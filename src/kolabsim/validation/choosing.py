"""Choosing what the Dutch sample leaves open: attributes of its areas, and who agrees with whom.

A cross-entropy search [rubinstein_1999] from the defaults, within the ranges that the model
declares. It looks at the provinces that may be looked at, and at the calibration facts; never at a
province that is only scored, nor at any other fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from kolabsim.engine.ensemble import build_task, cores
from kolabsim.model.parameters import PARAMETERS, Parameter, between, number, place_in
from kolabsim.scenario.scenario import BASELINE
from kolabsim.validation.calibration import misfit
from kolabsim.validation.network import (
    Network,
    auc,
    chances,
    distance,
    grown,
    regression,
    structure,
    tied,
)

GENERAL = (
    "attention_base", "attention_cost", "attention_peers", "notice", "notice_tier", "near_reach",
    "near_land", "misperception", "conclude", "conclude_interests", "startup_cost",
    "transition_cost", "horizon_years", "quality_value", "autonomy_cost", "information_cost",
    "negotiation_cost", "overhead_cost", "partners_board", "culture_weight", "interest_weight",
    "exit_base",
)  # fmt: skip
"""Assumed parameters of the model that decide who agrees with whom; they serve all regions."""

OPEN: dict[str, Parameter] = {
    f"areas.{area}.{name}": entry
    for area in ("waste", "social_services", "sheltered_employment")
    for name, entry in {
        "efficient_scale": number(200_000.0, "", "", low=40_000.0, high=1_000_000.0),
        "curvature_below": number(0.15, "", "", low=0.05, high=0.3),
        "haul": number(0.15, "", "", low=0.0, high=0.6),
    }.items()
}
"""Attributes of areas that no study measured; those of tax collection and technology are known, or
shipped."""

SOUGHT: dict[str, Parameter] = {f"parameters.{name}": PARAMETERS[name] for name in GENERAL} | OPEN
"""What is sought, by dotted names."""

BATCH, BEST = 40, 10
"""Settings that are tried at a time, and those of them that the next ones come from."""
RUNS = 16
"""Runs by which a setting is judged."""


def setting_at(point: np.ndarray) -> dict[str, float]:
    """The setting at a point of the unit cube: each from low (0) to high (1) of its range."""
    return {
        name: between(entry.low, entry.high, u)
        for (name, entry), u in zip(SOUGHT.items(), np.clip(point, 0.0, 1.0), strict=True)
    }


def point_of(setting: Mapping[str, float]) -> np.ndarray:
    """The point of the unit cube at which a setting lies."""
    return np.array(
        [place_in(entry.low, entry.high, setting[name]) for name, entry in SOUGHT.items()]
    )


@dataclass(frozen=True)
class Loss:
    """How badly a setting does, in parts that are 1 where they are clearly visible."""

    structure: float
    """Squared distances of shares (by .1), sizes and partners (by .15 in logarithms), and indices
    (by .05)."""
    pairs: float
    """Squared AUC short of the regression's, by .01."""
    facts: float
    """Excess over the bands of the calibration facts, times 20."""

    @property
    def all(self) -> float:
        """Their sum."""
        return self.structure + self.pairs + self.facts


def unit_of(name: str) -> float:
    """Distance of a figure of structure that counts as one."""
    if name.startswith("share."):
        return 0.1
    return 0.15 if name == "partners" or name.startswith("size.") else 0.05


def loss_of(network: Network, setting: Mapping[str, float]) -> Loss:
    """How badly a setting does on what may be looked at."""
    rows = ~network.held
    scenario = network.scenario.with_(dict(setting))
    task = build_task(scenario, scenario.strategies[BASELINE], seed=2)
    bodies = grown(task, RUNS, threads=1)
    observed = structure(network.bodies[rows])
    runs = [structure(one[rows]) for one in bodies]
    apart = 0.0
    for name, value in observed.items():
        if np.isfinite(value):
            mean = float(np.mean(np.nan_to_num([one[name] for one in runs])))
            apart += (distance(name, value, mean) / unit_of(name)) ** 2
    pairs = network.pairs
    here = pairs.within(rows)
    y = tied(network.bodies, pairs.rows[here]).any(axis=1).astype(float)
    rival = auc(y, regression(y, [column[here] for column in pairs.columns]))
    short = max(rival - auc(y, chances(bodies, pairs.rows[here])), 0.0) / 0.01
    general = {name: value for name, value in setting.items() if name.startswith("parameters.")}
    return Loss(apart, short**2, 20.0 * min(misfit(general, runs=1, seed=1), 5.0))


def choose(
    network: Network,
    *,
    rounds: int = 30,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int, Loss], None] | None = None,
) -> dict[str, float]:
    """The setting around which the best ones of the last round lie."""
    luck = np.random.default_rng(seed)
    start = {name: entry.default for name, entry in SOUGHT.items()}
    middle, spread = point_of(start), np.full(len(SOUGHT), 0.25)
    with ThreadPoolExecutor(threads or cores()) as pool:
        for k in range(rounds):
            points = np.clip(middle + spread * luck.standard_normal((BATCH, len(middle))), 0.0, 1.0)
            losses = list(pool.map(lambda point: loss_of(network, setting_at(point)), points))
            order = np.argsort([loss.all for loss in losses], kind="stable")[:BEST]
            middle = 0.4 * middle + 0.6 * points[order].mean(axis=0)
            spread = np.maximum(0.4 * spread + 0.6 * points[order].std(axis=0), 0.03)
            if progress is not None:
                progress(k + 1, losses[order[0]])
    return setting_at(middle)
