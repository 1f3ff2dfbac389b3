"""``kolabsim verify`` and ``kolabsim results``: commands about a finished study."""

import pandas as pd
import pytest

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
