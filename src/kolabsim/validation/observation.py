"""What one run showed, in arrays that facts are read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from kolabsim.engine.ensemble import Task, build_task, new_state, run_block
from kolabsim.model.bodies import EARTH
from kolabsim.model.measures import MEASURES, TRACE
from kolabsim.model.state import CULTURE, DIMENSIONS, NOBODY, State
from kolabsim.scenario.scenario import Scenario

NEAR = 50.0
"""Pairs of regions that are compared lie within so many kilometres, as in the Dutch sample."""


@dataclass(frozen=True)
class Setting:
    """A simulated experiment that facts are read from: a scenario, changed, under a strategy."""

    scenario: str = "small-towns"
    changes: Mapping[str, object] = field(default_factory=dict)
    strategy: str = "voluntary"

    def task(self, future: Mapping[str, object], seed: int) -> tuple[Scenario, Task]:
        """The scenario and what its runs need, in a future: other settings, by dotted names."""
        scenario = Scenario.load(self.scenario).with_({**future, **self.changes})
        return scenario, build_task(scenario, scenario.strategies[self.strategy], seed=seed)


@dataclass(frozen=True)
class Observed:
    """A run as an outsider sees it: R regions, A areas, Q quarters."""

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
    """[P, 2] pairs of regions within :data:`NEAR`, or that share a land border."""
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
        """[Q, R, A] quarters since the membership began, NaN without one."""
        quarter = np.arange(self.quarters)[:, None, None]
        return np.where(self.member, quarter - self.column["entered"], np.nan)

    @cached_property
    def saving(self) -> np.ndarray:
        """[Q, R, A] what a slot saves of its stand-alone cost, NaN where it is alone."""
        return np.where(self.member, 1.0 - self.column["cost"], np.nan)

    @cached_property
    def tied(self) -> np.ndarray:
        """[P, A] whether the two of a pair are in one body at the end."""
        body = self.at("body")
        one, other = body[self.pairs[:, 0]], body[self.pairs[:, 1]]
        return (one == other) & (one != NOBODY)

    @cached_property
    def unlike(self) -> np.ndarray:
        """[P] how far cultures are apart, halved Kogut-Singh [kogut_singh_1988]: mean 1."""
        spread = self.culture.var(axis=0)
        apart = self.culture[self.pairs[:, 0]] - self.culture[self.pairs[:, 1]]
        return (apart**2 / np.where(spread > 0.0, spread, 1.0)).sum(axis=1) / (2 * DIMENSIONS)

    def bodies(self, quarter: int = -1) -> np.ndarray:
        """A row a joint body: number of members, people, mean saving, area, trust, net benefit."""
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


def near_pairs(task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs within :data:`NEAR` or with a land border: rows, kilometres, and whether by land."""
    from scipy.spatial import cKDTree

    world = task.world
    places = np.column_stack([world.region["x"], world.region["y"], world.region["z"]])
    found = cKDTree(places).query_pairs(2.0 * np.sin(NEAR / EARTH / 2.0), output_type="ndarray")
    source = np.repeat(np.arange(len(places)), world.region["end"] - world.region["first"])
    by_land = world.contact["land"] > 0
    borders = np.column_stack([source, world.contact["target"]])[by_land]
    borders = borders[borders[:, 0] < borders[:, 1]]
    pairs = np.unique(np.concatenate([np.sort(found, axis=1), borders]), axis=0)
    code = len(places)
    land = np.isin(pairs[:, 0] * code + pairs[:, 1], borders[:, 0] * code + borders[:, 1])
    chord = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    return pairs, 2.0 * EARTH * np.arcsin(np.minimum(chord / 2.0, 1.0)), land


def observe(
    setting: Setting, numbers: Sequence[int], *, future: Mapping[str, object], seed: int
) -> Iterator[Observed]:
    """The runs of a setting with these numbers, one after the other."""
    scenario, task = setting.task(future, seed)
    pairs, distance, land = near_pairs(task)
    state = new_state(task.world)
    for number in numbers:
        block = run_block(task, np.array([number]), regions=False, trace=True, state=state)
        yield Observed(
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
    """The culture scores of the last run's regions, [R, 3]."""
    areas = state.slot.shape[1]
    rows = state.sums[: state.slot.size : areas]
    return rows[:, CULTURE : CULTURE + DIMENSIONS].copy()
