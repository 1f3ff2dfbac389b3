from __future__ import annotations

from pathlib import Path

import pytest

from kolabsim.validation.network import compare_network, load_network
from tests.validation.towns import write_towns


@pytest.fixture(scope="session")
def towns(tmp_path_factory) -> Path:
    return write_towns(tmp_path_factory.mktemp("towns"))


@pytest.fixture(scope="session")
def network(towns):
    return load_network(
        towns / "towns.yaml", towns / "bodies.csv", held_out=["East"], incomplete=["Middle"]
    )


@pytest.fixture(scope="session")
def fit(network):
    return compare_network(network, runs=4)
