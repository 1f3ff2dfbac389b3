"""The model against observed joint bodies: partners, structure, and where sharing pays.

The model starts without joint bodies. Those that it forms are compared with the observed ones: does
it rank the pairs that share better than distance or a regression does, and do its bodies and its
network have the observed structure?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kolabsim.engine.ensemble import Task, build_task, cores, new_state, run_block
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import N_, _
from kolabsim.scenario.geometry import great_circle, on_sphere
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.validation.bodies import ANY_AREA, Body, ObservedBodies, read_bodies
from kolabsim.validation.pairs import (
    Effect,
    PairFit,
    Pairs,
    PairScore,
    auc,
    chance_to_share,
    compare_effects,
    describe_pairs,
    fit_pairs,
    share_any,
    share_body,
)
from kolabsim.validation.runs import NEAR, near_pairs
from kolabsim.validation.structure import (
    Layers,
    StructureFit,
    draw_ties,
    fit_structure,
    ties_between,
)

RUNS, QUICK = 400, 40
"""Runs from which the chance of each pair is estimated, and those of a quick look."""
MOST_REGIONS = 1000
"""Regions among which all pairs are compared with those of a body; of more, only near pairs."""


@dataclass(frozen=True, eq=False)
class Network:
    """Regions with observed joint bodies, and how they are compared. R regions."""

    scenario: Scenario
    """The regions and service areas, without joint bodies at the start."""
    observed: ObservedBodies
    strategy: str
    """The strategy under which the model runs."""
    held_out: np.ndarray
    """[R] whether a region is only scored: nothing is fitted to it."""
    incomplete: np.ndarray
    """[R] whether the bodies of a region were reported incompletely."""
    within: float
    """Largest distance between the regions of a pair, except of land neighbours, in kilometres."""
    by: str = ""
    """Column of the table of regions by which gains are summed; by default the tier."""

    def task(self, settings: Mapping[str, object] | None = None, *, seed: int) -> Task:
        """What runs need, with changed settings of the scenario by dotted names."""
        scenario = self.scenario.with_(dict(settings)) if settings else self.scenario
        return build_task(scenario, scenario.strategies[self.strategy], seed=seed)

    @cached_property
    def pairs(self) -> Pairs:
        """All pairs of regions that are near each other or share a land border."""
        found = near_pairs(self.task(seed=1).world, self.within)
        return describe_pairs(self.scenario, *found, self.within)

    @cached_property
    def groups(self) -> dict[str, np.ndarray]:
        """Groups of regions that are judged separately, [R] each; the last one counts most."""
        seen = ~self.held_out
        if self.held_out.any():
            titles = (
                N_("Regions used for fitting"),
                N_("Regions used for fitting, without incompletely reported ones"),
            )
        else:
            titles = N_("All regions"), N_("All regions, without incompletely reported ones")
        found = {titles[0]: seen}
        if (seen & self.incomplete).any():
            found[titles[1]] = seen & ~self.incomplete
        if self.held_out.any():
            found[N_("Held-out regions")] = self.held_out
        return found

    def columns(self, area: str) -> list[int]:
        """Columns of the model's areas that correspond to an observed area."""
        names = list(self.scenario.areas)
        return list(range(len(names))) if area == ANY_AREA else [names.index(area)]

    @property
    def strata(self) -> np.ndarray:
        """Label of the group of each region by which gains are summed [R]."""
        regions = self.scenario.regions
        return np.array(regions.extra[self.by] if self.by else regions.tier)

    @property
    def compared(self) -> list[int]:
        """Columns of all of the model's areas that are compared."""
        return sorted({column for area in self.observed.areas for column in self.columns(area)})

    def observed_layers(self, rows: np.ndarray) -> Layers:
        """The observed bodies of some regions, by area."""
        slots = self.observed.slots[rows]
        return {area: slots[:, [k]] for k, area in enumerate(self.observed.areas)}

    def model_layers(self, bodies: np.ndarray, rows: np.ndarray) -> Layers:
        """The model's bodies [R, A] of some regions, by observed area."""
        return {area: bodies[rows][:, self.columns(area)] for area in self.observed.areas}

    @property
    def beyond(self) -> int:
        """Pairs that share an area but are not compared, because they are not near each other."""
        return int(ties_between(self.observed.slots).sum() / 2 - self.shares.sum())

    @cached_property
    def shares(self) -> np.ndarray:
        """[P] whether a pair shares any area, observed."""
        return share_any(self.observed.slots, self.pairs.rows)


def load_network(
    scenario: str | Path,
    bodies: Path,
    *,
    held_out: Sequence[str] = (),
    incomplete: Sequence[str] = (),
    within: float = NEAR,
    year: float | None = None,
    strategy: str = BASELINE,
    by: str = "",
    settings: Mapping[str, object] | None = None,
) -> Network:
    """Load a scenario and the joint bodies that were observed among its regions.

    Parameters
    ----------
    scenario
        Name or file of any scenario whose regions have places. Its own joint bodies are ignored.
    bodies
        A CSV table of observed joint bodies (see :func:`kolabsim.validation.bodies.read_bodies`).
    held_out
        Tiers (such as provinces) whose regions are only scored.
    incomplete
        Tiers whose bodies were reported incompletely.
    within
        Kilometres within which pairs of regions are compared.
    year
        Year of the comparison.
    strategy
        The strategy under which the model runs.
    by
        Column of the table of regions by which gains are summed, by default the tier.
    settings
        Settings that differ from the scenario's, by dotted names.

    Raises
    ------
    kolabsim.errors.InputError
        With everything that is wrong with these inputs.
    """
    loaded = Scenario.load(scenario)
    changes = {**(settings or {}), **({"bodies": []} if loaded.bodies else {})}
    loaded = loaded.with_(changes) if changes else loaded
    regions, problems = loaded.regions, Problems()
    if strategy not in loaded.strategies:
        message = _("the scenario has no strategy '{name}'{suggestion}")
        hint = suggestion(strategy, loaded.strategies)
        problems.add(message.format(name=strategy, suggestion=hint))
    for tier in dict.fromkeys((*held_out, *incomplete)):
        if tier not in regions.tier:
            message = _("no region belongs to '{tier}'{suggestion}")
            problems.add(message.format(tier=tier, suggestion=suggestion(tier, regions.tiers())))
    if by and by not in regions.extra:
        message = _("the table of regions has no column '{column}'{suggestion}")
        problems.add(message.format(column=by, suggestion=suggestion(by, regions.extra)))
    if not regions.placed:
        problems.add(_("the regions of this scenario have no places, so distances are unknown"))
    try:
        observed = read_bodies(bodies, loaded, year=year)
    except InputError as error:
        raise InputError([*problems.found, *error.problems]) from None
    problems.raise_if_any()
    tiers = np.array(regions.tier)
    return Network(
        scenario=loaded, observed=observed, strategy=strategy,
        held_out=np.isin(tiers, list(held_out)), incomplete=np.isin(tiers, list(incomplete)),
        within=within, by=by,
    )  # fmt: skip


# Runs -------------------------------------------------------------------------------------------


class Simulated(NamedTuple):
    """What many runs of the model show."""

    bodies: np.ndarray
    """[runs, R, A] number of the body that provides each area at the end."""
    figures: np.ndarray
    """[R, A, measures] measures of regions, means over runs; empty if they were not asked for."""


def simulate_bodies(
    task: Task,
    runs: int,
    *,
    figures: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Simulated:
    """Simulate runs and keep the joint bodies at their end.

    Parameters
    ----------
    task
        A scenario and a strategy, compiled.
    runs
        Number of runs.
    figures
        Whether to keep measures of regions too.
    threads
        Threads that simulate, by default one for each core.
    progress
        Called with the number of finished runs after each of them.
    """

    def one(number: int) -> tuple[np.ndarray, np.ndarray]:
        state = new_state(task.world)
        block = run_block(task, np.array([number]), regions=figures, state=state)
        return state.slot["body"].copy(), block.figures[0] if figures else np.zeros(0)

    bodies: list[np.ndarray] = []
    total: np.ndarray | None = None
    with ThreadPoolExecutor(threads or cores()) as pool:
        for ends, measured in pool.map(one, range(runs)):
            bodies.append(ends)
            total = np.nan_to_num(measured) if total is None else total + np.nan_to_num(measured)
            if progress is not None:
                progress(len(bodies))
    assert total is not None  # there is at least one run
    return Simulated(np.array(bodies), total / runs)


# Judging ----------------------------------------------------------------------------------------


class AreaFit(NamedTuple):
    """How well scores rank the pairs that share one service area."""

    area: str
    pairs: int
    share: float
    """Share of the pairs that share the area."""
    scores: tuple[PairScore, ...]
    """Of the model, the regression and distance, as far as they are defined."""


class BodyFit(NamedTuple):
    """How high the pairs of one observed body rank among all pairs of its tiers."""

    body: Body
    pairs: int
    among: int
    model: float
    distance: float
    """Mean share of the other pairs that rank below a pair of the body, ties counting half: by the
    model's chance, and by distance."""


@dataclass(frozen=True, eq=False)
class NetworkFit:
    """The model against observed joint bodies."""

    network: Network
    runs: int
    seed: int
    simulated: Simulated
    chance: np.ndarray
    """[P] the model's chance that each pair shares any compared area."""
    pairs: tuple[PairFit, ...]
    """Who shares with whom, by group of regions."""
    areas: tuple[AreaFit, ...]
    """The same for each service area, in the last group."""
    bodies: tuple[BodyFit, ...]
    effects: tuple[Effect, ...]
    """What brings regions of the last group together."""
    structures: tuple[StructureFit, ...]
    """How regions share, by group."""

    def mean_rank(self) -> tuple[float, float]:
        """Mean rank of the observed bodies by the model's chance, and by distance."""
        ranks = np.array([(one.model, one.distance) for one in self.bodies])
        model, distance = ranks.mean(axis=0) if len(ranks) else (np.nan, np.nan)
        return float(model), float(distance)


def compare_network(
    network: Network,
    *,
    runs: int = RUNS,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> NetworkFit:
    """Run the model from no joint bodies at all, and compare what it forms with the observed ones.

    Parameters
    ----------
    network
        Regions and observed bodies, from :func:`load_network`.
    runs
        Number of runs.
    seed
        Seed of all draws of the model.
    threads
        Threads that simulate, by default one for each core.
    progress
        Called with the number of finished runs after each of them.
    """
    task = network.task(seed=seed)
    simulated = simulate_bodies(task, runs, figures=True, threads=threads, progress=progress)
    pairs, bodies = network.pairs, simulated.bodies
    chance = chance_to_share(bodies[:, :, network.compared], pairs.rows)
    last = list(network.groups.values())[-1]
    each_run = [share_any(one[:, network.compared], pairs.rows) for one in bodies]
    return NetworkFit(
        network, runs, seed, simulated, chance,
        pairs=tuple(
            fit_pairs(pairs, network.shares, chance, rows, network.held_out, group=group)
            for group, rows in network.groups.items()
        ),
        areas=tuple(fit_areas(network, bodies, last)),
        bodies=tuple(rank_bodies(network, bodies)),
        effects=compare_effects(pairs, network.shares, each_run, last),
        structures=tuple(
            fit_structure(
                network.observed_layers(rows),
                [network.model_layers(one, rows) for one in bodies],
                draw_ties(
                    pairs, network.observed.slots, rows, network.held_out, runs,
                    areas=network.observed.areas,
                ),
                group=group,
            )
            for group, rows in network.groups.items()
        ),
    )  # fmt: skip


def fit_areas(network: Network, bodies: np.ndarray, rows: np.ndarray) -> Iterator[AreaFit]:
    """Judge each observed service area separately, in a group of regions [R]."""
    pairs = network.pairs
    shares = share_body(network.observed.slots, pairs.rows)
    for k, area in enumerate(network.observed.areas):
        chance = chance_to_share(bodies[:, :, network.columns(area)], pairs.rows)
        fit = fit_pairs(pairs, shares[:, k], chance, rows, network.held_out)
        main = tuple(one for one in fit.scores if one.name in ("model", "regression", "distance"))
        yield AreaFit(area, fit.pairs, fit.share, main)


def rank_bodies(network: Network, bodies: np.ndarray) -> Iterator[BodyFit]:
    """Rank the pairs of each observed body among all pairs of the tiers that its members are in."""
    regions = network.scenario.regions
    tier, places = np.array(regions.tier), on_sphere(regions)
    known: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[np.ndarray, ...]] = {}
    for body in network.observed.bodies:
        tiers = tuple(sorted(set(tier[list(body.members)])))
        key = (body.areas, tiers)
        if key not in known:
            rows = np.flatnonzero(np.isin(tier, tiers))
            if len(rows) <= MOST_REGIONS:
                pairs = np.array(list(combinations(rows, 2)))
            else:
                pairs = network.pairs.rows[np.isin(network.pairs.rows, rows).all(axis=1)]
            columns = sorted({c for area in body.areas for c in network.columns(area)})
            chance = chance_to_share(bodies[:, :, columns], pairs)
            near = -great_circle(places[pairs[:, 0]], places[pairs[:, 1]])
            known[key] = pairs, chance, near
        pairs, chance, near = known[key]
        own = np.isin(pairs, body.members).all(axis=1)
        ranks = (auc(own.astype(float), score) for score in (chance, near))
        yield BodyFit(body, int(own.sum()), len(pairs), *ranks)
