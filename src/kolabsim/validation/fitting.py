"""Fitting a scenario to observed joint bodies: general parameters, and attributes of open areas.

A cross-entropy search [rubinstein_1999] from the defaults, within the ranges that the model
declares. It sees the regions that were not held out and the facts for calibration, and nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from kolabsim.engine.ensemble import in_threads
from kolabsim.errors import Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.parameters import PARAMETERS, Parameter, between, number, place_in
from kolabsim.validation.evidence import misfit
from kolabsim.validation.network import Network, simulate_bodies
from kolabsim.validation.pairs import auc, cross_validated
from kolabsim.validation.structure import NOT_COUNTED, describe_network, feature_distance, is_count

GENERAL = (
    "attention_base", "attention_cost", "notice", "misperception", "foreseen", "decision_speed",
    "decision_trust", "startup_cost", "transition_cost", "horizon_years", "quality_value",
    "autonomy_cost", "interest_fit", "scope", "information_cost", "culture_cost", "practice_cost",
    "negotiation_cost", "interest_weight", "contract_difficulty", "overhead_cost", "exit_base",
    "exit_trust",
)  # fmt: skip
"""Assumed parameters that decide who agrees with whom; they serve all regions."""

OPEN: dict[str, Parameter] = {
    "efficient_scale": number(200_000.0, "", "", low=40_000.0, high=1_000_000.0),
    "curvature_below": number(0.15, "", "", low=0.05, high=0.3),
    "haul": number(0.15, "", "", low=0.0, high=0.6),
}
"""Attributes of an area that no study measured, with assumed ranges."""

BATCH, BEST = 40, 10
"""Settings that are tried in a round, and those of them that the next round starts from."""
RUNS = 16
"""Runs by which a setting is judged."""

Space = Mapping[str, Parameter]
"""What is fitted, by dotted names."""


def search_space(network: Network, areas: Iterable[str] = ()) -> Space:
    """What is fitted: the general parameters, and the open attributes of some areas.

    Raises :class:`~kolabsim.errors.InputError` for each area that the scenario does not have.
    """
    problems, known, areas = Problems(), network.scenario.areas, list(areas)
    for area in areas:
        if area not in known:
            message = _("the scenario has no service area '{area}'{suggestion}")
            problems.add(message.format(area=area, suggestion=suggestion(area, known)))
    problems.raise_if_any()
    space = {f"parameters.{name}": PARAMETERS[name] for name in GENERAL}
    return space | {f"areas.{a}.{name}": entry for a in areas for name, entry in OPEN.items()}


def setting_at(space: Space, point: np.ndarray) -> dict[str, float]:
    """The setting at a point of the unit cube: each entry from low (0) to high (1) of its range."""
    places = zip(space.items(), np.clip(point, 0.0, 1.0), strict=True)
    return {name: between(entry.low, entry.high, u) for (name, entry), u in places}


def point_of(space: Space, setting: Mapping[str, float]) -> np.ndarray:
    """The point of the unit cube at which a setting lies."""
    return np.array(
        [place_in(entry.low, entry.high, setting[name]) for name, entry in space.items()]
    )


class Loss(NamedTuple):
    """How badly a setting fits, in parts that are 1 where the misfit is clearly visible."""

    structure: float
    """Squared distances of shares (in units of .1), sizes and partners (.15 in logarithms), and
    indices (.05)."""
    pairs: float
    """Squared shortfall of the AUC against the regression's, in units of .01."""
    facts: float
    """Excess over the bands of the facts for calibration, times 20."""

    @property
    def total(self) -> float:
        """The sum of its parts."""
        return self.structure + self.pairs + self.facts


def loss_of(network: Network, setting: Mapping[str, float]) -> Loss:
    """How badly a setting fits the regions that were not held out."""
    rows, pairs = ~network.held_out, network.pairs
    simulated = simulate_bodies(network.task(setting, seed=2), RUNS, threads=1)
    observed = describe_network(network.observed_layers(rows))
    runs = [
        describe_network(network.model_layers(one, rows), network.model_ties(one, buys, rows))
        for one, buys in zip(simulated.bodies, simulated.buyers, strict=True)
    ]
    apart = 0.0
    for name, value in observed.items():
        if np.isfinite(value) and name not in NOT_COUNTED:
            mean = float(np.mean(np.nan_to_num([one[name] for one in runs])))
            unit = 0.1 if name.startswith("share.") else 0.15 if is_count(name) else 0.05
            apart += (feature_distance(name, value, mean) / unit) ** 2
    here = pairs.inside(rows)
    y = network.shares[here].astype(float)
    rival = auc(y, cross_validated(y, pairs.x[here]))
    chance = simulated.chance(network.compared, pairs.rows[here])
    short = float(np.nan_to_num(max(rival - auc(y, chance), 0.0))) / 0.01
    general = {name: value for name, value in setting.items() if name.startswith("parameters.")}
    return Loss(apart, short**2, 20.0 * min(misfit(general, runs=1, seed=1), 5.0))


def fit_network(
    network: Network,
    space: Space,
    *,
    rounds: int = 30,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int, Loss], None] | None = None,
) -> dict[str, float]:
    """Fit what a space names to observed joint bodies, by a number of rounds.

    ``progress`` is called after each round with its number and the smallest loss in it. The result
    is the setting around which the best ones of the last round lie; threads change nothing.
    """
    rng = np.random.default_rng(seed)
    middle = point_of(space, {name: entry.default for name, entry in space.items()})
    spread = np.full(len(middle), 0.25)
    for k in range(rounds):
        points = np.clip(middle + spread * rng.standard_normal((BATCH, len(middle))), 0.0, 1.0)
        found = in_threads(
            lambda point: loss_of(network, setting_at(space, point)), points, threads=threads
        )
        losses = list(found)
        order = np.argsort([loss.total for loss in losses], kind="stable")[:BEST]
        middle = 0.4 * middle + 0.6 * points[order].mean(axis=0)
        spread = np.maximum(0.4 * spread + 0.6 * points[order].std(axis=0), 0.03)
        if progress is not None:
            progress(k + 1, losses[order[0]])
    return setting_at(space, middle)
