"""``kolabsim verify`` and ``kolabsim results``: commands about a finished study."""

import json

import numpy as np
import pandas as pd
import pytest

from kolabsim.report.geojson import polygons
from kolabsim.scenario.shapes import Shape
from tests.terminal import kolabsim

pytestmark = pytest.mark.usefixtures("sketched_figures")


def test_verified_runs_are_identical(finished, tmp_path, refused):
    done = kolabsim("verify", finished[0] / "results/small", "--sample", 5, folder=tmp_path)
    assert done.returncode == 0
    assert "36 of 36 runs present, 5 recomputed" in done.stdout
    assert "identical to the last bit" in done.stdout
    assert "there is no study" in refused(kolabsim("verify", tmp_path, folder=tmp_path))


def test_results_are_exported_with_the_units_of_their_columns(finished, tmp_path, refused):
    study = finished[0] / "results/small"
    assert kolabsim("results", study, "--out", "tables", folder=tmp_path).returncode == 0
    units = pd.read_csv(tmp_path / "tables/columns.csv").set_index(["table", "column"])["unit"]
    assert units["runs", "programme_cost"] == "IDR"
    assert len(pd.read_csv(tmp_path / "tables/quarters.csv")) % 12 == 0
    message = refused(kolabsim("results", study, "--to", "cvs", folder=tmp_path))
    assert "allowed: csv, parquet, netcdf" in message


def test_results_by_region_are_exported_to_maps(finished, tmp_path, refused):
    study = finished[0] / "results/small"
    done = kolabsim("results", study, "--to", "geojson", "--out", "x", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "x/regions.geojson").read_text(encoding="utf-8"))
    winners = pd.read_csv(study / "winners.csv", dtype={"region": str})
    first = winners.iloc[0]
    [feature] = [one for one in found["features"] if one["id"] == first["region"]]
    assert feature["properties"]["name"] == first["name"]
    assert f"{first['strategy']}_difference" in feature["properties"]
    assert feature["geometry"]["type"] == "Point"


def test_holes_lie_in_the_polygon_around_them():
    square = np.array([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], float)
    hole, far = square[::-1] / 4 + 1, square + 10
    found = polygons(Shape((far, square, hole), (2.0, 3.0)))
    assert [len(rings) for rings in found] == [1, 2]
    assert found[1][1] == hole.tolist()
