"""Prepare two samples of real regions for ``kolabsim evidence``.

The samples are tables of Dutch municipalities around 2015 and of all Indonesian districts, with the
joint bodies known among them. They do not come with kolabsim, because their licences differ. This
script turns a folder that holds them into what the command reads:

    python tools/validation_samples.py FOLDER OUT

writes ``OUT/netherlands/`` and ``OUT/indonesia/``, each with ``scenario.yaml``, ``regions.csv``,
``contacts.csv`` and ``bodies.csv``. Then, for instance:

    cd OUT/netherlands
    kolabsim evidence --scenario scenario.yaml --bodies bodies.csv --held-out Drenthe,Zuid-Holland
    cd ../indonesia
    kolabsim evidence --scenario scenario.yaml --bodies bodies.csv --by island
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

Row = dict[str, str]

DUTCH_AREAS = {
    "tax_collection": "finance",
    "procurement_ict_shared_services": "technology",
    "waste": "waste",
    "social_services": "social_services",
    "sheltered_employment": "sheltered_employment",
}
"""Classes of Dutch bodies, and the service areas of the scenario that they stand for."""
JAKARTA = "31"
"""Code of Jakarta, whose six units have no government of their own."""
INFRASTRUCTURE = ("waste", "wastewater", "drinking_water", "transport")
"""Service areas in which Indonesian bodies are compared."""
INDONESIAN_FIGURES = (
    "population_registered_2025", "centroid_lat", "centroid_lon", "hdi_2021",
    "poverty_rate_pct_2021",
)  # fmt: skip


def read(path: Path) -> list[Row]:
    """Rows of a CSV table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def write_scenario(folder: Path, parent: str) -> None:
    """Write a scenario that extends a shipped one without regions."""
    text = f"extends: {parent}\nregions: {{table: regions.csv}}\ncontacts: {{list: contacts.csv}}\n"
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")


# The Netherlands --------------------------------------------------------------------------------


def prepare_netherlands(source: Path, out: Path) -> None:
    """Municipalities with political culture, and their joint bodies around 2015."""
    code = "municipality_code_2016"
    towns = read(source / "municipalities.csv")
    parties = [column for column in towns[0] if column.startswith("vote_share_pct_")]
    culture = components(np.array([[float(row[party]) for party in parties] for row in towns]))
    write(
        out / "regions.csv",
        ("code", "name", "province", "population", "latitude", "longitude", "c1", "c2", "c3"),
        (
            (row[code], row["name"], row["province"], row["population_2014"], row["centroid_lat"],
             row["centroid_lon"], *scores)
            for row, scores in zip(towns, culture, strict=True)
        ),
    )  # fmt: skip
    here = {row[code] for row in towns}
    write(
        out / "contacts.csv",
        ("code_a", "code_b", "land", "distance_km"),
        (
            (row["code_a"], row["code_b"], "yes", row["distance_km"])
            for row in read(source / "adjacency.csv")
            if {row["code_a"], row["code_b"]} <= here
        ),
    )
    bodies = {
        row["body_id"]: row
        for row in read(source / "bodies.csv")
        if row["service_area"] in DUTCH_AREAS
    }
    write(
        out / "bodies.csv",
        ("body", "region", "area", "members", "left_out", "name"),
        (
            (row["body_id"], row[code], DUTCH_AREAS[body["service_area"]],
             body["n_municipalities"], dutch_reason(body), body["body"])
            for row in read(source / "memberships.csv")
            if (body := bodies.get(row["body_id"])) and row[code] in here
        ),
    )  # fmt: skip
    write_scenario(out, "netherlands")


def dutch_reason(body: Row) -> str:
    """Why a Dutch body is not compared, if so."""
    if body["statutory_region"] == "yes":
        return "prescribed by law"
    if body["dissolved_flag"] == "yes":
        return "dissolved"
    return "listed twice" if body["possible_duplicate_of"] else ""


def components(votes: np.ndarray) -> np.ndarray:
    """First three principal components of vote shares [R, parties], scaled to 1, as [R, 3]."""
    centred = votes - votes.mean(axis=0)
    left, sizes, _right = np.linalg.svd(centred, full_matrices=False)
    found = left[:, :3] * sizes[:3]
    return found / found.std(axis=0)


# Indonesia --------------------------------------------------------------------------------------


def prepare_indonesia(source: Path, out: Path) -> None:
    """All districts, Jakarta as one government, and the documented bodies in infrastructure."""
    write(
        out / "regions.csv",
        ("code", "name", "province", "island", "population_2025", "latitude", "longitude",
         "hdi_2021", "poverty_rate_2021"),
        governments(read(source / "districts.csv")),
    )  # fmt: skip
    pairs: dict[tuple[str, str], str] = {}
    for file, land, one, other in (
        ("adjacency.csv", "yes", "code_a", "code_b"),
        ("island_nearest.csv", "no", "code", "nearest_code"),
    ):
        for row in read(source / file):
            a, b = sorted((government(row[one]), government(row[other])))
            if a != b:
                pairs.setdefault((a, b), land)
    rows = ((a, b, land, "") for (a, b), land in pairs.items())
    write(out / "contacts.csv", ("code_a", "code_b", "land", "distance_km"), rows)
    members: dict[str, dict[str, None]] = {}
    for row in read(source / "cooperation_memberships.csv"):
        members.setdefault(row["body"], {})[government(row["district_code"])] = None
    write(
        out / "bodies.csv",
        ("body", "region", "area", "left_out"),
        (
            (row["body"], code, area, "prescribed by law" if row["voluntary"] == "no" else "")
            for row in read(source / "cooperation_bodies.csv")
            for area in row["service_areas"].split(";")
            if area in INFRASTRUCTURE
            for code in members.get(row["body"], ())
        ),
    )
    write_scenario(out, "indonesia")


def government(code: str) -> str:
    """The government that a unit has: its own, or that of Jakarta."""
    return JAKARTA if code.startswith(f"{JAKARTA}.") else code


def governments(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """One row for each government; Jakarta's means are weighted by the population of its units."""

    def figures(row: Row) -> list[float]:
        return [float(row[column]) for column in INDONESIAN_FIGURES]

    found: list[tuple[object, ...]] = [
        (row["code"], row["name"], row["province"], row["island_group"], *figures(row))
        for row in rows
        if row["autonomous"] == "yes"
    ]
    units = [row for row in rows if row["autonomous"] != "yes"]
    if units:
        numbers = np.array([figures(row) for row in units])
        people, name = numbers[:, 0], units[0]["province"]
        means = people @ numbers[:, 1:] / people.sum()
        found.append((JAKARTA, name, name, units[0]["island_group"], people.sum(), *means))
    return found


def main(folder: Path, out: Path) -> None:
    """Prepare both samples."""
    for name, prepare in (("netherlands", prepare_netherlands), ("indonesia", prepare_indonesia)):
        prepare(folder / name, out / name)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
