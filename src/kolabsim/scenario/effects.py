"""Which levers of a strategy do nothing, and which strategies are the same to the engine."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.model.levers import LEVERS, SUPPORTERS, TARGETS
from kolabsim.scenario.compile import build_policy

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.scenario.strategy import Levers

Path = tuple[str, ...]
"""Keys that lead to a setting of a scenario."""


def idle_levers(scenario: Scenario, strategies: Collection[str]) -> Iterator[Path]:
    """Yield where levers have no intensity, in force always or under some strategies.

    A strategy may switch off a lever that is in force otherwise: such a zero has an effect.

    >>> from kolabsim import load
    >>> idle = load("small-towns").with_({"strategies.team.mechanisms.team": 0})
    >>> list(idle_levers(idle, ["team"]))
    [('strategies', 'team', 'mechanisms', 'team')]
    """
    always = scenario.phases()
    places: dict[Path, Levers] = {(): scenario}
    places |= {("strategies", name): scenario.strategies[name] for name in strategies}
    for path, levers in places.items():
        for kind in ("mechanisms", "support"):
            for name, phases in getattr(levers, kind).items():
                is_off = not any(phase.intensity for phase in phases)
                if is_off and not (path and name in always):
                    yield (*path, kind, name)


def same_strategies(scenario: Scenario, strategies: Collection[str]) -> list[list[str]]:
    """Return the strategies that do the same, together: whatever they are called.

    >>> from kolabsim import load
    >>> towns = load("small-towns")
    >>> idle = towns.with_({"strategies.mine.mechanisms.forum": 0})
    >>> same_strategies(idle, ["voluntary", "team", "mine"])
    [['voluntary', 'mine']]
    """
    found: dict[bytes, list[str]] = {}
    for name in dict.fromkeys(strategies):
        found.setdefault(effect(scenario, scenario.strategies[name]), []).append(name)
    return [names for names in found.values() if len(names) > 1]


def effect(scenario: Scenario, strategy: Levers) -> bytes:
    """Return what a strategy makes the engine do, on top of the scenario's own levers.

    It is the same however phases are written: settings of a lever without intensity, and the share
    of support for all, do not count.
    """
    policy = build_policy(scenario, strategy)
    period = policy.period
    lever = policy.lever[period]
    is_on = lever.any(axis=1)  # [Q, levers]
    supported = is_on[:, [name in SUPPORTERS for name in LEVERS]]
    forum = is_on[:, [*LEVERS].index("forum")]
    is_capped = bool(np.isfinite(policy.ceiling).all())
    rates = policy.rate[period].any(axis=1)  # [Q, user-defined mechanisms]
    counts = np.concatenate([is_on, rates], axis=1) & is_capped
    is_shared = ~np.isin(policy.target[period], [TARGETS.index("all"), TARGETS.index("list")])
    parts = [
        lever,
        np.where(is_on, policy.payer[period], -1),
        np.where(is_on, policy.price[period], math.nan),
        np.where(supported, policy.budget[period], 0.0),
        np.where(supported, policy.target[period], 0),
        np.where(supported & is_shared, policy.part[period], 0.0),
        np.where(supported[..., None], policy.listed[period], 0),
        np.where(forum[:, None], policy.forum[period], 0),
        policy.effect[period],
        policy.rate[period],
        np.where(rates, policy.bearer[period], -1),
        policy.ceiling,
        np.where(counts, policy.counted[period], 0),
        policy.mandate,
        policy.mandate_price,
        policy.mandate_counted * is_capped,
    ]
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
