"""All Indonesian districts: whether known bodies are where the model looks, and where sharing pays.

What is documented is no census, so nothing is said of levels: known pairs are ranked among all
pairs of their provinces, and what sharing brings is a contrast with serving alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kolabsim.engine.ensemble import build_task, cores, new_state, run_block
from kolabsim.model.areas import FAMILIES
from kolabsim.model.measures import CHANNELS, REGION_MEASURES
from kolabsim.scenario.compile import great_circle, on_sphere
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.scenario.tables import Table
from kolabsim.validation.network import tied
from kolabsim.validation.samples import folder_of, numbers, populated, read_table

FILES = (
    "districts.csv", "adjacency.csv", "island_nearest.csv", "cooperation_bodies.csv",
    "cooperation_memberships.csv",
)  # fmt: skip
JAKARTA = "31"
"""Code of Jakarta, whose six units have no government of their own."""
TOGETHER = "full_package"
"""The strategy beside which nothing being done is set: the five mechanisms together."""

NUMBERS = (
    "population_registered_2025", "centroid_lat", "centroid_lon", "hdi_2021",
    "poverty_rate_pct_2021",
)  # fmt: skip
HEAD = (
    "code", "name", "province", "island", "population_2025", "latitude", "longitude", "hdi_2021",
    "poverty_rate_2021",
)  # fmt: skip


@dataclass(frozen=True)
class Body:
    """A documented body that works in areas of the scenario."""

    name: str
    areas: tuple[str, ...]
    members: tuple[str, ...]
    """Codes."""


@dataclass(frozen=True, eq=False)
class Nation:
    """All governments of districts, Jakarta as one, and the bodies that are documented."""

    scenario: Scenario
    bodies: tuple[Body, ...]

    @property
    def island(self) -> np.ndarray:
        """The group of islands of each region [R]."""
        return np.array(self.scenario.regions.extra["island"])


def read_indonesia(data: Path) -> Nation:
    """The districts, from the folder ``indonesia`` of the folder of all data."""
    folder = folder_of(data, "indonesia", FILES)
    texts = ("code", "name", "province", "island_group", "autonomous")
    rows = government_rows(read_table(folder / FILES[0], (*texts, *NUMBERS)), texts)
    borders = read_table(folder / FILES[1], ("code_a", "code_b"))
    by_sea = read_table(folder / FILES[2], ("code", "nearest_code"))
    pairs: dict[tuple[str, str], str] = {}
    for table, land, one, other in (
        (borders, "yes", "code_a", "code_b"), (by_sea, "no", "code", "nearest_code"),
    ):  # fmt: skip
        for a, b in zip(table.texts(one), table.texts(other), strict=True):
            pair = tuple(sorted((government(a), government(b))))
            if pair[0] != pair[1]:
                pairs.setdefault(pair, land)
    contacts = [(a, b, land, "") for (a, b), land in pairs.items()]
    bodies = documented(
        read_table(folder / FILES[3], ("body", "voluntary", "service_areas")),
        read_table(folder / FILES[4], ("body", "district_code")),
    )
    return Nation(populated("indonesia", HEAD, rows, contacts), bodies)


def government(code: str) -> str:
    """The government that a unit has: its own, or that of Jakarta."""
    return JAKARTA if code.startswith(f"{JAKARTA}.") else code


def government_rows(table: Table, texts: Sequence[str]) -> list[tuple[object, ...]]:
    """A row for each government; Jakarta's means are weighted by the people of its units."""
    code, name, province, island, autonomous = (table.texts(column) for column in texts)
    figures = np.array(numbers(table, NUMBERS, "name")).T
    own = np.array(autonomous) == "yes"
    rows: list[tuple[object, ...]] = [
        (code[i], name[i], province[i], island[i], *figures[i]) for i in np.flatnonzero(own)
    ]
    if (~own).any():
        people = figures[~own, 0]
        means = people @ figures[~own, 1:] / people.sum()
        first = int(np.flatnonzero(~own)[0])
        rows.append(
            (JAKARTA, province[first], province[first], island[first], people.sum(), *means)
        )
    return rows


def documented(bodies: Table, memberships: Table) -> tuple[Body, ...]:
    """The bodies that are not prescribed and work in urban infrastructure."""
    members: dict[str, dict[str, None]] = {}
    for body, code in zip(
        memberships.texts("body"), memberships.texts("district_code"), strict=True
    ):
        members.setdefault(body, {})[government(code)] = None
    found = []
    kinds = (bodies.texts(column) for column in ("body", "voluntary", "service_areas"))
    for name, voluntary, areas in zip(*kinds, strict=True):
        works = tuple(a for a in areas.split(";") if a in FAMILIES["infrastructure"])
        if voluntary != "no" and works:
            found.append(Body(name, works, tuple(members.get(name, ()))))
    return tuple(found)


# What runs show ---------------------------------------------------------------------------------


class NationRuns(NamedTuple):
    """What many runs of one strategy show."""

    bodies: np.ndarray
    """[runs, R, A] the body of each slot at the end."""
    figures: np.ndarray
    """[R, A, measures of regions], mean over runs of the last year (money: of all years)."""


def simulate_nation(
    nation: Nation,
    strategy: str,
    runs: int,
    *,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> NationRuns:
    """Let all governments act under a strategy, from no bodies at all."""
    scenario = nation.scenario
    task = build_task(scenario, scenario.strategies[strategy], seed=seed)

    def one(number: int) -> tuple[np.ndarray, np.ndarray]:
        state = new_state(task.world)
        block = run_block(task, np.array([number]), state=state)
        return state.slot["body"].copy(), block.figures[0]

    bodies, total = [], 0.0
    with ThreadPoolExecutor(threads or cores()) as pool:
        for ends, figures in pool.map(one, range(runs)):
            bodies.append(ends)
            total = total + np.nan_to_num(figures)
            if progress is not None:
                progress(len(bodies))
    return NationRuns(np.array(bodies), total / runs)


# Known bodies -----------------------------------------------------------------------------------


class BodyRank(NamedTuple):
    """How high the pairs of a documented body rank among all pairs of its provinces."""

    body: Body
    pairs: int
    among: int
    model: float
    distance: float
    """Mean share of the other pairs that are ranked below a pair of the body, ties counting half:
    by the chance that the model gives, and by plain nearness."""


def rank_bodies(nation: Nation, runs: NationRuns) -> tuple[BodyRank, ...]:
    """The ranks of all documented bodies."""
    regions, areas = nation.scenario.regions, list(nation.scenario.areas)
    row = {code: i for i, code in enumerate(regions.codes)}
    tier, places = np.array(regions.tier), on_sphere(regions)
    found = []
    for body in nation.bodies:
        members = [row[code] for code in body.members if code in row]
        if len(members) < 2:
            continue
        rows = np.flatnonzero(np.isin(tier, tier[members]))
        pairs = np.array(list(combinations(rows, 2)))
        which = [areas.index(name) for name in body.areas]
        chance = np.mean([tied(one[:, which], pairs).any(axis=1) for one in runs.bodies], axis=0)
        near = -great_circle(places[pairs[:, 0]], places[pairs[:, 1]])
        known = np.isin(pairs, members).all(axis=1)
        ranks = (rank_share(chance, known), rank_share(near, known))
        found.append(BodyRank(body, int(known.sum()), len(pairs), *ranks))
    return tuple(found)


def rank_share(score: np.ndarray, known: np.ndarray) -> float:
    """Mean share of the pairs that are not known that a known one is ranked above."""
    others = np.sort(score[~known])
    below = np.searchsorted(others, score[known], "left")
    not_above = np.searchsorted(others, score[known], "right")
    return float(np.mean((below + not_above) / 2.0 / len(others)))


# Where sharing pays -----------------------------------------------------------------------------


class AreaGain(NamedTuple):
    """What sharing an area brings to those who share it, a year, per unit of their cost alone."""

    area: str
    sharing: float
    """Share of governments in a body of the area."""
    benefit: float
    """Realised net benefit of those who share."""
    winners: float
    """Share of the governments that share somewhere for which it is positive on average."""
    channels: Mapping[str, float]
    """What it is made of."""


FIGURE = {name: k for k, name in enumerate(REGION_MEASURES)}


def gains(runs: NationRuns, areas: Sequence[str], rows: np.ndarray) -> tuple[AreaGain, ...]:
    """What sharing brings to some regions [R], area by area."""
    found = []
    for a, area in enumerate(areas):
        figures = runs.figures[rows, a]
        sharing = figures[:, FIGURE["cooperation"]]
        some = max(float(sharing.sum()), 1e-12)
        benefit = figures[:, FIGURE["realised_benefit"]]
        shares = sharing > 0.02
        channels = {name: float(figures[:, FIGURE[name]].sum() / some) for name in CHANNELS}
        winners = float((benefit[shares] > 0.0).mean()) if shares.any() else np.nan
        found.append(
            AreaGain(area, float(sharing.mean()), float(benefit.sum() / some), winners, channels)
        )
    return tuple(found)


class NationJudgement(NamedTuple):
    """What all Indonesian districts say."""

    nation: Nation
    ranks: tuple[BodyRank, ...]
    runs: int
    voluntary: NationRuns
    together: NationRuns

    @property
    def mean_rank(self) -> tuple[float, float]:
        """Mean over bodies, of the model and of plain distance."""
        return tuple(
            float(np.mean([getattr(one, name) for one in self.ranks]))
            for name in ("model", "distance")
        )


def judge_nation(
    nation: Nation,
    *,
    runs: int,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> NationJudgement:
    """Rank the known bodies, and see where sharing pays if nothing is done and under all levers."""
    voluntary = simulate_nation(
        nation, BASELINE, runs, seed=seed, threads=threads, progress=progress
    )
    together = simulate_nation(nation, TOGETHER, runs, seed=seed, threads=threads)
    return NationJudgement(nation, rank_bodies(nation, voluntary), runs, voluntary, together)
