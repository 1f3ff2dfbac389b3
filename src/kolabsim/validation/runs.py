"""Simulated runs as arrays, from which contrasts are computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from kolabsim.engine.ensemble import Task, build_task, new_state, run_block
from kolabsim.model.measures import MEASURES, TRACE
from kolabsim.model.parameters import EARTH
from kolabsim.model.state import CULTURE, DIMENSIONS, NOBODY, State, World
from kolabsim.scenario.geometry import great_circle
from kolabsim.scenario.scenario import Scenario

NEAR = 50.0
"""Kilometres within which pairs of regions are compared, unless a caller says otherwise."""


@dataclass(frozen=True)
class Setting:
    """A simulation that facts are read from: a scenario with changes, under one strategy."""

    scenario: str = "small-towns"
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings that differ from the scenario's, by dotted names."""
    strategy: str = "voluntary"


@dataclass(frozen=True)
class Run:
    """What an outside observer could record of a run: R regions, A areas, Q quarters."""

    areas: tuple[str, ...]
    scale: np.ndarray
    """[A] efficient scale."""
    column: Mapping[str, np.ndarray]
    """Each column of :data:`kolabsim.model.measures.TRACE`, [Q, R, A]."""
    history: Mapping[str, np.ndarray]
    """Each measure, [Q]."""
    population: np.ndarray
    stress: np.ndarray
    """[R] at the start of the run."""
    tier: np.ndarray
    capacity: np.ndarray
    """[R, A] capacity at the start."""
    alone: np.ndarray
    """[R, A] unit cost when serving alone, at the end."""
    culture: np.ndarray
    """[R, 3]."""
    pairs: np.ndarray
    """[P, 2] rows of pairs of regions that are near each other (see :func:`near_pairs`)."""
    distance: np.ndarray
    """[P] kilometres between them."""
    land: np.ndarray
    """[P] whether they share a land border."""

    @property
    def quarters(self) -> int:
        """Quarters that were simulated."""
        return len(self.column["body"])

    def at(self, name: str, quarter: int = -1) -> np.ndarray:
        """A column in one quarter, [R, A]."""
        return self.column[name][quarter]

    def area(self, name: str) -> int:
        """The place of an area."""
        return self.areas.index(name)

    @cached_property
    def member(self) -> np.ndarray:
        """[Q, R, A] whether a joint body provides the area."""
        return self.column["body"] >= 0

    @cached_property
    def age(self) -> np.ndarray:
        """[Q, R, A] quarters since the membership began; NaN for non-members."""
        quarter = np.arange(self.quarters)[:, None, None]
        return np.where(self.member, quarter - self.column["entered"], np.nan)

    @cached_property
    def saving(self) -> np.ndarray:
        """[Q, R, A] saving as a share of stand-alone cost; NaN for non-members."""
        return np.where(self.member, 1.0 - self.column["cost"], np.nan)

    @cached_property
    def tied(self) -> np.ndarray:
        """[P, A] whether a pair shares a joint body at the end."""
        body = self.at("body")
        one, other = body[self.pairs[:, 0]], body[self.pairs[:, 1]]
        return (one == other) & (one != NOBODY)

    @cached_property
    def unlike(self) -> np.ndarray:
        """[P] half the Kogut-Singh distance of cultures [kogut_singh_1988]; its mean is 1."""
        spread = self.culture.var(axis=0)
        apart = self.culture[self.pairs[:, 0]] - self.culture[self.pairs[:, 1]]
        return (apart**2 / np.where(spread > 0.0, spread, 1.0)).sum(axis=1) / (2 * DIMENSIONS)

    def bodies(self, quarter: int = -1) -> np.ndarray:
        """One row for each joint body: members, people, mean saving, area, trust, net benefit."""
        body = self.at("body", quarter).astype(int)
        areas = np.broadcast_to(np.arange(len(self.areas)), body.shape)
        here = body >= 0
        _names, first, of, size = np.unique(
            body[here], return_index=True, return_inverse=True, return_counts=True
        )

        def total(values: np.ndarray) -> np.ndarray:
            return np.bincount(of, values[here], len(size))

        people = total(self.at("people", quarter))
        means = [
            total(self.at(name, quarter)) / size for name in ("cost", "body_trust", "realised")
        ]
        cost, trust, net = means
        return np.column_stack([size, people, 1.0 - cost, areas[here][first], trust, net])


def near_pairs(world: World, within: float = NEAR) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the pairs of regions that are near each other or share a land border.

    Parameters
    ----------
    world
        What the engine reads of a scenario.
    within
        Distance in kilometres up to which a pair counts as near.

    Returns
    -------
    tuple
        Rows of the pairs, the smaller first [P, 2]; kilometres between them [P]; whether they share
        a land border [P].
    """
    from scipy.spatial import cKDTree

    places = np.column_stack([world.region[axis] for axis in "xyz"])
    chord = 2.0 * np.sin(min(within / EARTH, np.pi) / 2.0)
    near = cKDTree(places).query_pairs(chord, output_type="ndarray")
    source = np.repeat(np.arange(len(places)), world.region["end"] - world.region["first"])
    borders = np.column_stack([source, world.contact["target"]])[world.contact["land"] > 0]
    borders = borders[borders[:, 0] < borders[:, 1]]
    pairs = np.unique(np.concatenate([np.sort(near, axis=1), borders]), axis=0)
    code = len(places)
    land = np.isin(pairs[:, 0] * code + pairs[:, 1], borders[:, 0] * code + borders[:, 1])
    return pairs, great_circle(places[pairs[:, 0]], places[pairs[:, 1]]), land


def prepare(setting: Setting, future: Mapping[str, object], seed: int) -> tuple[Scenario, Task]:
    """The scenario of a setting in a future, and what its runs need; the setting's changes win."""
    scenario = Scenario.load(setting.scenario).with_({**future, **setting.changes})
    return scenario, build_task(scenario, scenario.strategies[setting.strategy], seed=seed)


def simulate_runs(
    setting: Setting, numbers: Sequence[int], *, future: Mapping[str, object], seed: int
) -> Iterator[Run]:
    """Simulate runs of a setting one by one.

    Parameters
    ----------
    setting
        The scenario, its changes and the strategy.
    numbers
        Numbers of the runs, which address their random draws.
    future
        Further settings by dotted names; where both name one, ``setting`` wins.
    seed
        Seed of all draws.
    """
    scenario, task = prepare(setting, future, seed)
    pairs, distance, land = near_pairs(task.world)
    state = new_state(task.world)
    for number in numbers:
        block = run_block(task, np.array([number]), regions=False, trace=True, state=state)
        yield Run(
            areas=tuple(scenario.areas),
            scale=task.world.area["efficient_scale"].copy(),
            column=dict(zip(TRACE, np.moveaxis(block.trace[0], -1, 0), strict=True)),
            history=dict(zip(MEASURES, block.history[0].T, strict=True)),
            population=state.region["population"].copy(),
            stress=state.region["stress_start"].copy(),
            tier=state.region["tier"].copy(),
            capacity=state.slot["capacity_start"].copy(),
            alone=state.slot["alone"].copy(),
            culture=culture_of(state),
            pairs=pairs,
            distance=distance,
            land=land,
        )


def culture_of(state: State) -> np.ndarray:
    """Culture scores of the regions of the last run [R, 3]."""
    areas = state.slot.shape[1]
    rows = state.sums[: state.slot.size : areas]
    return rows[:, CULTURE : CULTURE + DIMENSIONS].copy()
