"""The model against observed joint bodies: partners, structure, and where sharing pays.

The model starts without joint bodies. Those that it forms are compared with the observed ones: does
it rank the pairs that share better than distance or a regression does, and do its bodies and its
network have the observed structure?
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.engine.ensemble import Task, build_task, in_threads, new_state, run_block
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import N_, _
from kolabsim.model.state import BUYER
from kolabsim.scenario.geometry import great_circle, on_sphere
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.validation import pairs as p
from kolabsim.validation.bodies import ANY_AREA, Body, ObservedBodies, read_bodies
from kolabsim.validation.runs import NEAR, near_pairs, share_body
from kolabsim.validation.structure import (
    Layers,
    StructureFit,
    draw_ties,
    fit_structure,
    ties_between,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

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
    def pairs(self) -> p.Pairs:
        """All pairs of regions that are near each other or share a land border."""
        found = near_pairs(self.task(seed=1).world, self.within)
        return p.describe_pairs(self.scenario, *found, self.within)

    @cached_property
    def groups(self) -> dict[str, np.ndarray]:
        """Groups of regions that are judged separately, [R] each; the last one counts most."""
        names = (
            (N_("Regions used for fitting"),
             N_("Regions used for fitting, without incompletely reported ones"))
            if self.held_out.any()
            else (N_("All regions"), N_("All regions, without incompletely reported ones"))
        )  # fmt: skip
        groups = (
            (names[0], ~self.held_out, True),
            (names[1], ~self.held_out & ~self.incomplete, (~self.held_out & self.incomplete).any()),
            (N_("Held-out regions"), self.held_out, self.held_out.any()),
        )
        return {name: rows for name, rows, exists in groups if exists}

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

    def model_ties(self, bodies: np.ndarray, buyers: np.ndarray, rows: np.ndarray) -> csr_array:
        """The model's ties between some regions, from bodies and buyers [R, A]."""
        return ties_between(bodies[rows][:, self.compared], buyers[rows][:, self.compared])

    @property
    def beyond(self) -> int:
        """Pairs that share an area but are not compared, because they are not near each other."""
        return int(ties_between(self.observed.slots).sum() / 2 - self.shares.sum())

    @cached_property
    def shares(self) -> np.ndarray:
        """[P] whether a pair shares any area, observed."""
        return p.share_any(self.observed.slots, self.pairs.rows)


def load_network(
    scenario: str | Path | Scenario,
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

    ``scenario`` is a scenario, its name or its file; its regions must have places, and its own
    joint bodies are ignored. ``bodies`` is a CSV table, of which those of a ``year`` are compared
    (:func:`kolabsim.validation.bodies.read_bodies`). Regions of the tiers ``held_out`` are only
    scored, and bodies in the tiers ``incomplete`` were reported incompletely. ``settings`` differ
    from the scenario's, by dotted names; the other arguments are those of :class:`Network`.

    Raises :class:`~kolabsim.errors.InputError` with everything that is wrong with these inputs.
    """
    loaded = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    changes = {**(settings or {}), **({"bodies": []} if loaded.bodies else {})}
    loaded = loaded.with_(changes) if changes else loaded
    regions, problems = loaded.regions, Problems()

    def check(text: str, value: str, known: Collection[str]) -> None:
        if value not in known:
            problems.add(text.format(name=value, suggestion=suggestion(value, known)))

    check(_("the scenario has no strategy '{name}'{suggestion}"), strategy, loaded.strategies)
    for tier in dict.fromkeys((*held_out, *incomplete)):
        check(_("no region belongs to '{name}'{suggestion}"), tier, regions.tiers())
    if by:
        text = _("the table of regions has no column '{name}'{suggestion}")
        check(text, by, regions.extra)
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
    """Results of many runs of the model."""

    bodies: np.ndarray
    """[runs, R, A] number of the body that provides each area at the end."""
    buyers: np.ndarray
    """[runs, R, A] whether a region buys the area under a contract."""
    figures: np.ndarray
    """[R, A, measures] measures of regions, means over runs; 0 if they were not asked for."""

    def chance(self, columns: Sequence[int], pairs: np.ndarray) -> np.ndarray:
        """[P] share of runs in which the regions of each pair are partners in any of some areas."""
        return p.chance_to_share(self.bodies[:, :, columns], pairs, self.buyers[:, :, columns])


def simulate_bodies(
    task: Task,
    runs: int,
    *,
    figures: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Simulated:
    """Simulate runs and keep the joint bodies at their end, and measures of regions if asked."""

    def one(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        state = new_state(task.world)
        block = run_block(task, np.array([number]), regions=figures, state=state)
        slot, measured = state.slot, block.figures[0] if figures else np.zeros(1)
        return slot["body"].copy(), slot["role"] == BUYER, measured

    bodies, buyers = [], []
    total = np.zeros(1)
    for ends, buys, measured in in_threads(one, range(runs), threads=threads, progress=progress):
        bodies.append(ends)
        buyers.append(buys)
        total = total + np.nan_to_num(measured)
    return Simulated(np.array(bodies), np.array(buyers), total / runs)


# Judging ----------------------------------------------------------------------------------------


class AreaFit(NamedTuple):
    """How well scores rank the pairs that share one service area."""

    area: str
    pairs: int
    share: float
    """Share of the pairs that share the area."""
    scores: tuple[p.PairScore, ...]
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
    pairs: tuple[p.PairFit, ...]
    """Who shares with whom, by group of regions."""
    areas: tuple[AreaFit, ...]
    """The same for each service area, in the last group."""
    bodies: tuple[BodyFit, ...]
    effects: tuple[p.Effect, ...]
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

    ``progress`` is called with the number of finished runs after each of them; threads change
    nothing.
    """
    task = network.task(seed=seed)
    simulated = simulate_bodies(task, runs, figures=True, threads=threads, progress=progress)
    pairs, bodies, buyers = network.pairs, simulated.bodies, simulated.buyers
    compared = bodies[:, :, network.compared], buyers[:, :, network.compared]
    chance = simulated.chance(network.compared, pairs.rows)
    last = list(network.groups.values())[-1]
    each_run = [p.share_any(one, pairs.rows, buys) for one, buys in zip(*compared, strict=True)]
    return NetworkFit(
        network, runs, seed, simulated, chance,
        pairs=tuple(
            p.fit_pairs(pairs, network.shares, chance, rows, network.held_out, group=group)
            for group, rows in network.groups.items()
        ),
        areas=tuple(fit_areas(network, simulated, last)),
        bodies=tuple(rank_bodies(network, simulated)),
        effects=p.compare_effects(pairs, network.shares, each_run, last),
        structures=tuple(
            fit_structure(
                network.observed_layers(rows),
                [network.model_layers(one, rows) for one in bodies],
                draw_ties(
                    pairs, network.observed.slots, rows, network.held_out, runs,
                    areas=network.observed.areas,
                ),
                ties=[
                    network.model_ties(*one, rows) for one in zip(bodies, buyers, strict=True)
                ],
                group=group,
            )
            for group, rows in network.groups.items()
        ),
    )  # fmt: skip


def fit_areas(network: Network, simulated: Simulated, rows: np.ndarray) -> Iterator[AreaFit]:
    """Judge each observed service area separately, in a group of regions [R]."""
    pairs = network.pairs
    shares = share_body(network.observed.slots, pairs.rows)
    for k, area in enumerate(network.observed.areas):
        chance = simulated.chance(network.columns(area), pairs.rows)
        fit = p.fit_pairs(pairs, shares[:, k], chance, rows, network.held_out)
        main = tuple(one for one in fit.scores if one.name in ("model", "regression", "distance"))
        yield AreaFit(area, fit.pairs, fit.share, main)


def rank_bodies(network: Network, simulated: Simulated) -> Iterator[BodyFit]:
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
            chance = simulated.chance(columns, pairs)
            near = -great_circle(places[pairs[:, 0]], places[pairs[:, 1]])
            known[key] = pairs, chance, near
        pairs, chance, near = known[key]
        own = np.isin(pairs, body.members).all(axis=1)
        ranks = (p.auc(own.astype(float), score) for score in (chance, near))
        yield BodyFit(body, int(own.sum()), len(pairs), *ranks)
