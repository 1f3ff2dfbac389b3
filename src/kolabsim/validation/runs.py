"""Simulated runs as arrays, from which contrasts are computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from kolabsim.engine.ensemble import Task, new_state, run_block, state_size
from kolabsim.engine.overrides import Base, build_base, is_quick, vary
from kolabsim.model.measures import TRACE
from kolabsim.model.parameters import EARTH
from kolabsim.model.state import BUYER, CULTURE, DIMENSIONS, NOBODY, PROVIDER, State, World
from kolabsim.scenario.futures import in_scenario
from kolabsim.scenario.geometry import great_circle
from kolabsim.scenario.scenario import Scenario

MOST_WORLDS = 100
"""Worlds of a setting that are kept, one for each combination of structures."""
NEAR = 50.0
"""Kilometres within which pairs of regions are compared, unless a caller says otherwise."""


class Prepared(NamedTuple):
    """What the runs of a setting need."""

    scenario: Scenario
    task: Task
    near: tuple[np.ndarray, np.ndarray, np.ndarray]
    """Pairs of regions that are near each other (see :func:`near_pairs`)."""


@dataclass(frozen=True)
class Setting:
    """A simulation that facts are read from: a scenario with changes, under one strategy."""

    scenario: str | Scenario = "small-towns"
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings that differ from the scenario's, by dotted names."""
    strategy: str = "voluntary"
    repeats: int = 1
    """Runs for each run of the other settings: more where a run is short and its outcome rough."""
    _made: dict[str, tuple[Prepared, Base]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def world(self) -> Scenario:
        """The scenario without the changes."""
        return (
            self.scenario if isinstance(self.scenario, Scenario) else Scenario.load(self.scenario)
        )

    @property
    def horizon(self) -> int:
        """Quarters of a run."""
        return int(self.changes.get("horizon", self.world.horizon))

    def prepare(self, future: Mapping[str, object], seed: int) -> Prepared:
        """What the runs in a future need; the setting's own changes win.

        Numbers are written into a world that was built before, which takes a hundredth of the time.
        """
        found = {
            name: value for name, value in in_scenario(future, self.world).items()
            if name not in self.changes
        }  # fmt: skip
        quick = {name: value for name, value in found.items() if is_quick(name)}
        rest = {name: value for name, value in found.items() if name not in quick}
        key = repr((seed, sorted(rest.items())))
        known = self._made.get(key)
        if known is None:
            scenario = self.world.with_({**rest, **self.changes})
            base = build_base(scenario, self.strategy, seed=seed, names=())
            near = near_pairs(base.task.world, is_placed=scenario.regions.placed)
            if len(self._made) >= MOST_WORLDS:
                self._made.clear()
            known = self._made[key] = Prepared(scenario, base.task, near), base
        made, base = known
        values = [float(str(value)) for value in quick.values()]
        return made._replace(task=vary(base, [*quick], values) if quick else base.task)


class Bodies(NamedTuple):
    """Joint bodies at the end of a run, a value for each."""

    size: np.ndarray
    """Numbers of members."""
    people: np.ndarray
    saving: np.ndarray
    area: np.ndarray
    """Rows of the service areas."""
    trust: np.ndarray
    net: np.ndarray
    """Mean realised net benefit of the members."""


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
    listed: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """The joint bodies that the scenario lists: row of the area, and rows of the members."""

    @property
    def quarters(self) -> int:
        """Quarters that were simulated."""
        return len(self.column["body"])

    def at(self, name: str) -> np.ndarray:
        """A column at the end, [R, A]."""
        return self.column[name][-1]

    def area(self, name: str) -> int:
        """The row of an area."""
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
    def gain(self) -> np.ndarray:
        """[Q, R, A] relative change of quality since the start; NaN for non-members."""
        change = self.column["quality"] / np.maximum(self.capacity, 0.05) - 1.0
        return np.where(self.member, change, np.nan)

    @cached_property
    def served(self) -> np.ndarray:
        """[R, A] people whom the provider of each region serves at the end."""
        body, people = self.at("body"), self.at("people")
        served = people.copy()
        for name in np.unique(body[body >= 0]):
            served[body == name] = people[body == name].sum()
        return served

    @cached_property
    def tied(self) -> np.ndarray:
        """[P, A] whether the regions of a pair are partners at the end."""
        return share_body(self.at("body"), self.pairs, self.at("role") == BUYER)

    @cached_property
    def ties(self) -> np.ndarray:
        """[R, R, A] whether two regions are partners at the end."""
        return self.ties_in(-1)

    def ties_in(self, quarter: int) -> np.ndarray:
        """[R, R, A] whether two regions are partners at the end of a quarter.

        All members of a board or under a lead are; under a contract, the provider and each buyer.
        """
        body, buys = self.column["body"][quarter], self.column["role"][quarter] == BUYER
        together = (body[:, None] == body[None, :]) & self.member[quarter]
        together &= ~(buys[:, None] & buys[None, :])
        together[np.arange(len(body)), np.arange(len(body))] = False
        return together

    @cached_property
    def provider(self) -> np.ndarray:
        """[R, A] whether a region provides an area for others under a contract at the end."""
        return self.at("role") == PROVIDER

    @cached_property
    def in_contract(self) -> np.ndarray:
        """[R, A] whether a region provides or buys an area under a contract at the end."""
        return self.provider | (self.at("role") == BUYER)

    @cached_property
    def unlike(self) -> np.ndarray:
        """[P] half the Kogut-Singh distance of cultures [kogut_singh_1988]; its mean is 1."""
        spread = self.culture.var(axis=0)
        apart = self.culture[self.pairs[:, 0]] - self.culture[self.pairs[:, 1]]
        return (apart**2 / np.where(spread > 0.0, spread, 1.0)).sum(axis=1) / (2 * DIMENSIONS)

    @cached_property
    def bodies(self) -> Bodies:
        """The joint bodies at the end."""
        here = self.member[-1]
        areas = np.broadcast_to(np.arange(len(self.areas)), here.shape)
        _names, first, of, size = np.unique(
            self.at("body")[here], return_index=True, return_inverse=True, return_counts=True
        )

        def total(name: str) -> np.ndarray:
            return np.bincount(of, self.at(name)[here], len(size))

        cost, trust, net = (total(name) / size for name in ("cost", "body_trust", "realised"))
        return Bodies(size, total("people"), 1.0 - cost, areas[here][first], trust, net)


def share_body(
    bodies: np.ndarray, pairs: np.ndarray, buyers: np.ndarray | None = None
) -> np.ndarray:
    """Whether the two regions of each pair are partners in one body, by area.

    ``bodies`` [R, A] are the numbers of the bodies that provide each area, NOBODY where there is
    none; ``pairs`` [P, 2] are rows of regions. ``buyers`` [R, A] are those who buy the area under a
    contract: two buyers are no partners. The result is [P, A].

    Examples
    --------
    >>> import numpy as np
    >>> share_body(np.array([[4], [4], [NOBODY]]), np.array([[0, 1], [1, 2]])).tolist()
    [[True], [False]]
    """
    one, other = bodies[pairs[:, 0]], bodies[pairs[:, 1]]
    together = (one == other) & (one != NOBODY)
    return together if buyers is None else together & ~buyers[pairs].all(axis=1)


def near_pairs(
    world: World, within: float = NEAR, *, is_placed: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the pairs of regions within some kilometres of each other or with a land border.

    Where regions have no places, only those with a land border are near, at an unknown distance.

    Returns their rows, the smaller first [P, 2], the kilometres between them [P], and whether they
    share a land border [P].
    """
    from scipy.spatial import cKDTree

    places = np.column_stack([world.region[axis] for axis in "xyz"])
    chord = 2.0 * np.sin(min(within / EARTH, np.pi) / 2.0)
    near = np.zeros((0, 2), np.int64)
    if is_placed:
        near = cKDTree(places).query_pairs(chord, output_type="ndarray")
    source = np.repeat(np.arange(len(places)), world.region["end"] - world.region["first"])
    borders = np.column_stack([source, world.contact["target"]])[world.contact["land"] > 0]
    borders = borders[borders[:, 0] < borders[:, 1]]
    pairs = np.unique(np.concatenate([np.sort(near, axis=1), borders]), axis=0)
    code = len(places)
    land = np.isin(pairs[:, 0] * code + pairs[:, 1], borders[:, 0] * code + borders[:, 1])
    apart = great_circle(places[pairs[:, 0]], places[pairs[:, 1]])
    return pairs, apart if is_placed else np.full(len(pairs), np.nan), land


def listed_bodies(scenario: Scenario) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The joint bodies at the start: row of the area, and rows of the members."""
    row = {code: i for i, code in enumerate(scenario.regions.codes)}
    areas = tuple(scenario.areas)
    return tuple(
        (areas.index(body.area), tuple(row[code] for code in body.members))
        for body in scenario.bodies
    )


_free: dict[tuple[int, ...], list[State]] = {}


@contextmanager
def borrowed_state(world: World) -> Iterator[State]:
    """Arrays that fit a world, used again by later runs of worlds of the same size.

    numba does not release arrays that were passed to a generator, so new ones for each of thousands
    of runs would fill the memory.
    """
    free = _free.setdefault(state_size(world), [])
    try:
        state = free.pop()  # atomic, so threads may do so
    except IndexError:
        state = new_state(world)
    try:
        yield state
    finally:
        free.append(state)


def simulate_run(setting: Setting, number: int, *, future: Mapping[str, object], seed: int) -> Run:
    """Simulate one run of a setting in a future; seed and number address its random draws."""
    (run,) = simulate_runs(setting, [number], future=future, seed=seed)
    return run


def simulate_runs(
    setting: Setting, numbers: Iterable[int], *, future: Mapping[str, object], seed: int
) -> Iterator[Run]:
    """Simulate the runs of a setting with these numbers, one after the other."""
    scenario, task, (pairs, distance, land) = setting.prepare(future, seed)
    for number in numbers:
        with borrowed_state(task.world) as state:
            block = run_block(task, np.array([number]), regions=False, trace=True, state=state)
            own_rows = state.sums[: state.slot.size : len(scenario.areas)]  # of their first areas
            culture = own_rows[:, CULTURE : CULTURE + DIMENSIONS].copy()
            region, slot = state.region.copy(), state.slot.copy()
        yield Run(
            areas=tuple(scenario.areas),
            scale=task.world.area["efficient_scale"],
            column=dict(zip(TRACE, np.moveaxis(block.trace[0], -1, 0), strict=True)),
            history=dict(zip(block.measures, block.history[0].T, strict=True)),
            population=region["population"],
            stress=region["stress_start"],
            tier=region["tier"],
            capacity=slot["capacity_start"],
            alone=slot["alone"],
            culture=culture,
            pairs=pairs,
            distance=distance,
            land=land,
            listed=listed_bodies(scenario),
        )
