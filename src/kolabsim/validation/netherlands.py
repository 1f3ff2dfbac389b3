"""The Dutch sample: 261 municipalities around 2015, and the joint bodies that they were in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from kolabsim.i18n import N_
from kolabsim.model.levers import CAP
from kolabsim.model.state import DIMENSIONS, NOBODY
from kolabsim.scenario.tables import Table
from kolabsim.validation.network import Network
from kolabsim.validation.samples import folder_of, numbers, populated, read_table

FILES = ("municipalities.csv", "bodies.csv", "memberships.csv", "adjacency.csv")

AREAS = {
    "tax_collection": "finance",
    "procurement_ict_shared_services": "technology",
    "waste": "waste",
    "social_services": "social_services",
    "sheltered_employment": "sheltered_employment",
}
"""The classes of the sample that stand for service areas of the scenario."""

HELD = ("Drenthe", "Zuid-Holland")
"""Provinces that are only scored: nothing was chosen by looking at them."""
THIN = ("Limburg (NL)", "Overijssel")
"""Provinces that reported few of their bodies, as the source says."""

CODE = "municipality_code_2016"


def read_netherlands(data: Path) -> Network:
    """The sample, from the folder ``netherlands`` of the folder of all data."""
    folder = folder_of(data, "netherlands", FILES)
    people = ("population_2014", "centroid_lat", "centroid_lon")
    towns = read_table(folder / FILES[0], (CODE, "name", "province", *people))
    codes, names, provinces = (towns.texts(column) for column in (CODE, "name", "province"))
    votes = [column for column in towns.header if column.startswith("vote_share_pct_")]
    population, north, east = numbers(towns, people, CODE)
    culture = components(np.array(numbers(towns, votes, CODE)).T)
    borders = read_table(folder / FILES[3], ("code_a", "code_b", "distance_km"))
    (apart,) = numbers(borders, ("distance_km",), "code_a")
    here = set(codes)
    contacts = [
        (a, b, "yes", km)
        for a, b, km in zip(borders.texts("code_a"), borders.texts("code_b"), apart, strict=True)
        if a in here and b in here
    ]
    head = ("code", "name", "province", "population", "latitude", "longitude", "c1", "c2", "c3")
    rows = zip(codes, names, provinces, population, north, east, *culture.T, strict=True)
    scenario = populated("netherlands", head, rows, contacts)
    bodies, left_out = observed_bodies(
        read_table(folder / FILES[1], (*BODY_COLUMNS, "n_municipalities")),
        read_table(folder / FILES[2], ("body_id", CODE)),
        scenario.regions.codes, tuple(scenario.areas),
    )  # fmt: skip
    tier = np.array(scenario.regions.tier)
    return Network(
        scenario=scenario, bodies=bodies, held=np.isin(tier, HELD), thin=np.isin(tier, THIN),
        left_out=left_out,
    )  # fmt: skip


def components(votes: np.ndarray) -> np.ndarray:
    """Political culture [R, 3]: the first three principal components of vote shares [R, parties].

    Each is scaled to a standard deviation of 1, as the model scales dimensions of culture anyway.
    """
    centred = votes - votes.mean(axis=0)
    left, sizes, _right = np.linalg.svd(centred, full_matrices=False)
    found = left[:, :DIMENSIONS] * sizes[:DIMENSIONS]
    return found / found.std(axis=0)


BODY_COLUMNS = (
    "body_id",
    "service_area",
    "statutory_region",
    "dissolved_flag",
    "possible_duplicate_of",
)


def observed_bodies(
    bodies: Table, memberships: Table, codes: tuple[str, ...], areas: tuple[str, ...]
) -> tuple[np.ndarray, dict[str, int]]:
    """The body of each region and area [R, A], and how many bodies were left out, and why.

    Bodies of other classes are not counted as left out. Where a region is in several bodies of an
    area, the one with the most members counts; who is then left by itself is in none.
    """
    members: dict[str, list[str]] = {}
    known = set(codes)
    for body, code in zip(memberships.texts("body_id"), memberships.texts(CODE), strict=True):
        if code in known:
            members.setdefault(body, []).append(code)
    left_out: Counter[str] = Counter()
    taken: list[tuple[int, str, str]] = []
    (sizes,) = numbers(bodies, ("n_municipalities",), "body_id")
    told = (bodies.texts(column) for column in BODY_COLUMNS)
    for body, kind, statutory, dissolved, twin, size in zip(*told, sizes, strict=True):
        if kind not in AREAS:
            continue
        here = members.get(body, [])
        if statutory == "yes":
            left_out[N_("prescribed by law")] += 1
        elif dissolved == "yes":
            left_out[N_("dissolved")] += 1
        elif twin:
            left_out[N_("listed twice")] += 1
        elif size > CAP:
            left_out[N_("of more members than the model allows")] += 1
        elif len(here) < 2:
            left_out[N_("of fewer than two members in the sample")] += 1
        else:
            taken.append((len(here), body, AREAS[kind]))
    found = np.full((len(codes), len(areas)), NOBODY, np.int64)
    row = {code: i for i, code in enumerate(codes)}
    # From the smallest to the largest, so that the largest body has the last word.
    for number, (_size, body, area) in enumerate(sorted(taken)):
        found[[row[code] for code in members[body]], areas.index(area)] = number
    for column in found.T:
        present, number = np.unique(column, return_counts=True)
        column[np.isin(column, present[number < 2])] = NOBODY
    return found, dict(left_out)
