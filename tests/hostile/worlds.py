"""Small worlds as people bring them: a table of regions, a scenario and an experiment in files."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

HEAD = ("code", "name", "population", "latitude", "longitude")
TOWNS = (
    ("n1", "North", 21_000, 51.3, 4.0), ("e1", "East", 34_000, 51.0, 4.4),
    ("s1", "South", 9_000, 50.8, 4.1), ("w1", "West", 55_000, 51.1, 3.7),
)  # fmt: skip
"""Four towns within some kilometres, as rows of a table."""


def write_world(
    folder: Path,
    rows: Sequence[Sequence[object]] = TOWNS,
    *,
    scenario: Mapping[str, object] | None = None,
    **experiment: object,
) -> Path:
    """Write the files of a world; return the file of its experiment, by default a comparison."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "regions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    world = {
        "title": "A world", "regions": {"table": "regions.csv"}, "contacts": {"nearest": 2},
        "families": ["administration"], "horizon": 8,
    }  # fmt: skip
    study: dict[str, object] = {"kind": "comparison", "scenario": "world.yaml", "runs": 3}
    if experiment.get("kind", "comparison") in ("comparison", "robustness"):
        study["strategies"] = ["voluntary", "team"]
    for name, content in (("world", world | dict(scenario or {})), ("study", study | experiment)):
        text = json.dumps(content, ensure_ascii=False, indent=1)  # which is YAML, too
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / "study.yaml"
