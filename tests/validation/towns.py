"""Thirty towns on a line through three provinces, five kilometres apart, and their joint bodies."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np

CODES = tuple(f"{k:04d}" for k in range(1, 31))
PROVINCES = ("West", "Middle", "East")

SCENARIO = """
title: {en: Towns on a line, id: Kota-kota pada satu garis}
regions:
  table: regions.csv
  columns:
    tier: province
    culture:
      - {column: c1, scale: 1, reason: made up}
      - {column: c2, scale: 1, reason: made up}
      - {column: c3, scale: 1, reason: made up}
contacts: {list: contacts.csv}
horizon: 24
areas:
  waste:
    {efficient_scale: 200000, curvature_below: 0.15, curvature_above: 0.02, difficulty: 0.2,
     spillover: 0.03, haul: 0.2, source: assumed}
  finance:
    {efficient_scale: 60000, curvature_below: 0.19, curvature_above: 0.02, difficulty: 0.3,
     spillover: 0.03, haul: 0, source: assumed}
"""

MEMBERS = {
    ("A", "waste", ""): CODES[0:4],
    ("B", "waste", ""): CODES[3:5],
    ("C", "waste", ""): CODES[5:7],
    ("D", "finance", "prescribed by law"): CODES[:3],
    ("E", "finance", ""): CODES[10:13],
    ("F", "finance", ""): CODES[8:13],
    ("G", "finance", ""): CODES[:17],
    ("H", "finance", ""): CODES[:1],
    ("I", "waste", ""): CODES[21:24],
    ("J", "finance", ""): CODES[24:27],
}


def write(path: Path, head, rows) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_towns(folder: Path) -> Path:
    """Write the scenario, its tables, and ``bodies.csv``."""
    rng = np.random.default_rng(4)
    culture = rng.standard_normal((30, 3)).round(3)
    write(
        folder / "regions.csv",
        ["code", "name", "province", "population", "latitude", "longitude", "c1", "c2", "c3"],
        [
            [c, f"T{c}", PROVINCES[k // 10], 20_000 + 3_000 * (k % 7), 52.0, 5.0 + 0.073 * k,
             *culture[k]]
            for k, c in enumerate(CODES)
        ],
    )  # fmt: skip
    write(
        folder / "contacts.csv",
        ["code_a", "code_b", "land", "distance_km"],
        [[a, b, "yes", 5.0] for a, b in pairwise(CODES)],
    )
    (folder / "towns.yaml").write_text(SCENARIO, encoding="utf-8")
    rows = [
        [body, code, area, reason]
        for (body, area, reason), codes in MEMBERS.items()
        for code in codes
    ]
    write(folder / "bodies.csv", ["body", "region", "area", "left_out"], rows)
    return folder
