"""Results by region as GeoJSON, for programs that draw maps."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.errors import InputError, shown
from kolabsim.files import write_whole
from kolabsim.i18n import _
from kolabsim.report.derive import stored_experiment
from kolabsim.study.export import published_tables
from kolabsim.study.runner import Study

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from kolabsim.scenario.regions import Regions
    from kolabsim.scenario.shapes import Shape

RESULTS = (
    "difference", "low", "high", "money", "money_low", "money_high", "verdict", "better_share",
)  # fmt: skip
"""Columns of the tables of regions that become properties, each with the strategy before it."""


def export_geojson(folder: Path, out: Path) -> list[Path]:
    """Write what regions gain and lose in a comparison as ``regions.geojson``, and return it.

    A feature is a region: its shape or else its point, ``code``, ``name``, and for each strategy
    ``STRATEGY_difference``, ``STRATEGY_low``, ... (the columns of ``winner_ranges`` over plausible
    futures, and else those of ``winners`` in the first future). Coordinates are degrees east and
    north.

    Raises :class:`~kolabsim.errors.InputError` for a study without results by region, and where
    regions have neither shapes nor points.
    """
    study = Study.open(folder)
    about = study.ledger.facts.get("published")
    tables = published_tables(study)
    if not about or not {"winners", "winner_ranges"} & tables.keys():
        text = _("only the results of a comparison are by region; export others to csv or parquet")
        raise InputError.of(text, shown(folder))
    regions = stored_experiment(study.ledger, about["about"]).scenario.regions
    if all(geometry(regions, place) is None for place in range(len(regions))):
        raise InputError.of(_("the regions have neither shapes nor points"), shown(folder))
    table = tables.get("winner_ranges")
    if table is None or not len(table):
        table = tables["winners"]
        table = table[table["future"] == table["future"].iloc[0]]
    found = {"type": "FeatureCollection", "features": features(regions, table)}
    path = out / "regions.geojson"
    text = json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    write_whole(path, f"{text}\n".encode())
    return [path]


def features(regions: Regions, table: pd.DataFrame) -> list[dict[str, Any]]:
    """A feature for each region, with the columns of its rows, a row for each strategy."""
    rows: dict[str, dict[str, object]] = {code: {} for code in regions.codes}
    columns = [name for name in RESULTS if name in table]
    for row in table.to_dict("records"):
        for name in columns:
            rows[row["region"]][f"{row['strategy']}_{name}"] = plain(row[name])
    return [
        {
            "type": "Feature",
            "id": code,
            "geometry": geometry(regions, k),
            "properties": {"code": code, "name": regions.labels[k], **rows[code]},
        }
        for k, code in enumerate(regions.codes)
    ]


def plain(value: object) -> object:
    """A value as JSON has it; what is undefined is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def geometry(regions: Regions, place: int) -> dict[str, Any] | None:
    """The shape of a region, or else its point; None if it has neither."""
    shape = regions.shapes.get(regions.codes[place])
    if shape is not None:
        return {"type": "MultiPolygon", "coordinates": polygons(shape)}
    point = [float(regions.longitude[place]), float(regions.latitude[place])]
    return {"type": "Point", "coordinates": point} if np.isfinite(point).all() else None


def polygons(shape: Shape) -> list[list[list[list[float]]]]:
    """The polygons of a shape: each an outer ring, which runs anticlockwise, and its holes."""
    outer = [ring for ring in shape.rings if area(ring) >= 0.0]
    found = [[ring.tolist()] for ring in outer]
    for hole in (ring for ring in shape.rings if area(ring) < 0.0):
        around = [k for k, ring in enumerate(outer) if contains(ring, hole.mean(axis=0))]
        smallest = min(around or range(len(outer)), key=lambda k: area(outer[k]))
        found[smallest].append(hole.tolist())
    return found


def area(ring: np.ndarray) -> float:
    """The area in a closed ring, below zero if it runs clockwise."""
    x, y = ring.T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2.0)


def contains(ring: np.ndarray, point: np.ndarray) -> bool:
    """Whether a point lies in a closed ring.

    >>> contains(np.array([[0, 0], [1, 0], [1, 1], [0, 0]]), np.array([0.7, 0.2]))
    True
    """
    (x, y), (ends_x, ends_y) = ring[:-1].T, ring[1:].T
    crosses = (y > point[1]) != (ends_y > point[1])
    rise = np.where(crosses, ends_y - y, 1.0)
    at = x + (point[1] - y) * (ends_x - x) / rise
    return bool((crosses & (at > point[0])).sum() % 2)
