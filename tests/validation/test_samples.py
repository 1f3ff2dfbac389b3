"""The script that prepares samples of real regions: on made-up tables of the same form."""

import importlib.util
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from kolabsim.errors import Problems
from kolabsim.scenario.scenario import shipped
from kolabsim.scenario.source import read_yaml
from kolabsim.validation import fitting
from kolabsim.validation.network import load_network
from tests.validation.towns import read, write

TOOL = Path(__file__).parents[2] / "tools" / "validation_samples.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("validation_samples", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def prepared(tool, tmp_path_factory):
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("out")
    write_dutch(source / "netherlands")
    write_indonesian(source / "indonesia")
    tool.main(source, out)
    return out


def write_dutch(folder):
    codes = [f"{k:04d}" for k in range(1, 13)]
    rng = np.random.default_rng(4)
    head = [
        "municipality_code_2016", "name", "province", "population_2014", "centroid_lat",
        "centroid_lon", *(f"vote_share_pct_{party}" for party in "abcd"),
    ]  # fmt: skip
    rows = [
        [c, f"T{c}", ("Drenthe", "Utrecht")[k // 6], 20_000 + k, 52.0, 5.0 + 0.073 * k,
         *rng.dirichlet(np.ones(4)).round(3)]
        for k, c in enumerate(codes)
    ]  # fmt: skip
    write(folder / "municipalities.csv", head, rows)
    pairs = [[a, b, 5.0] for a, b in pairwise([*codes, "9999"])]
    write(folder / "adjacency.csv", ["code_a", "code_b", "distance_km"], pairs)
    bodies = [
        ["A", "Afval", "waste", 4, "no", "no", ""],
        ["B", "Belasting", "tax_collection", 3, "yes", "no", ""],
        ["C", "Oud", "waste", 3, "no", "yes", ""], ["D", "Dubbel", "waste", 3, "no", "no", "A"],
        ["E", "Groot", "social_services", 17, "no", "no", ""],
        ["F", "Archief", "archives", 4, "no", "no", ""],
    ]  # fmt: skip
    head = ["body_id", "body", "service_area", "n_municipalities", "statutory_region",
            "dissolved_flag", "possible_duplicate_of"]  # fmt: skip
    write(folder / "bodies.csv", head, bodies)
    members = {"A": codes[:4], "B": codes[:3], "C": codes[:3], "D": codes[:3],
               "E": [*codes[:3], "9999"], "F": codes}  # fmt: skip
    rows = [[body, code] for body, those in members.items() for code in those]
    write(folder / "memberships.csv", ["body_id", "municipality_code_2016"], rows)


def write_indonesian(folder):
    head = [
        "code", "name", "province", "island_group", "autonomous", "population_registered_2025",
        "centroid_lat", "centroid_lon", "hdi_2021", "poverty_rate_pct_2021",
    ]  # fmt: skip
    rows = [
        [f"33.{k:02d}", f"Kabupaten {k}", "Jawa Tengah", "Jawa", "yes", 900_000, -7.0,
         110.0 + 0.3 * k, 70.0, 12.0]
        for k in range(1, 9)
    ]  # fmt: skip
    rows += [
        ["31.71", "Jakarta Pusat", "DKI Jakarta", "Jawa", "no", 1_000_000, -6.2, 106.8, 80, 4],
        ["31.72", "Jakarta Utara", "DKI Jakarta", "Jawa", "no", 3_000_000, -6.0, 106.9, 84, 8],
    ]
    write(folder / "districts.csv", head, rows)
    borders = [["33.01", "33.02"], ["31.71", "31.72"]]
    write(folder / "adjacency.csv", ["code_a", "code_b"], borders)
    write(folder / "island_nearest.csv", ["code", "nearest_code"], [["33.08", "31.72"]])
    write(folder / "cooperation_bodies.csv", ["body", "voluntary", "service_areas"],
          [["Dua", "yes", "roads;waste;transport"], ["Rencana", "no", "waste"],
           ["Wisata", "yes", "tourism"], ["Satu", "mixed", "drinking_water"]])  # fmt: skip
    write(folder / "cooperation_memberships.csv", ["body", "district_code"],
          [["Dua", "33.01"], ["Dua", "33.02"], ["Dua", "33.01"], ["Rencana", "33.03"],
           ["Rencana", "33.04"], ["Satu", "33.05"], ["Satu", "33.06"]])  # fmt: skip


def test_dutch_municipalities(prepared):
    folder = prepared / "netherlands"
    network = load_network(folder / "scenario.yaml", folder / "bodies.csv", held_out=["Drenthe"])
    regions = network.scenario.regions
    assert regions.population[1] == 20_001
    assert network.task(seed=1).world.contact["land"].sum() == 2 * 11
    np.testing.assert_allclose(regions.culture.std(axis=0), 1.0)
    np.testing.assert_allclose(np.corrcoef(regions.culture.T), np.eye(3), atol=1e-9)
    assert [(body.name, body.areas) for body in network.observed.bodies] == [("A", ("waste",))]
    assert network.observed.left_out == {
        "prescribed by law": 1, "dissolved": 1, "listed twice": 1,
        "with more members than the model allows": 1,
    }  # fmt: skip


def test_components_are_of_centred_shares(tool):
    votes = np.array([[10.0, 20, 70], [20, 20, 60], [30, 20, 50], [40, 20, 40]])
    first = tool.components(np.column_stack([votes, votes[:, ::-1] ** 2]))[:, 0]
    assert abs(np.corrcoef(first, votes[:, 0])[0, 1]) > 0.99


def test_indonesian_districts(prepared):
    folder = prepared / "indonesia"
    network = load_network(folder / "scenario.yaml", folder / "bodies.csv", by="island")
    regions = network.scenario.regions
    assert len(regions) == 9, "Jakarta is one government"
    i = regions.codes.index("31")
    assert regions.names[i] == "DKI Jakarta"
    assert regions.population[i] == 4_000_000
    assert regions.latitude[i] == pytest.approx((-6.2 + 3 * -6.0) / 4)
    # HDI 83: (83 - 53.4) / (82.1 - 53.4) is beyond 1, so capacity is at its upper end.
    assert regions.capacity[i, 0] == pytest.approx(0.8)
    pairs = {(row.code_a, row.code_b, row.land) for row in network.scenario.contacts.list}
    assert pairs == {("33.01", "33.02", True), ("31", "33.08", False)}
    assert set(network.strata) == {"Jawa"}
    assert [(body.name, body.areas) for body in network.observed.bodies] == [
        ("Dua", ("waste", "transport")), ("Satu", ("drinking_water",)),
    ]  # fmt: skip
    assert network.observed.left_out == {"prescribed by law": 1}
    assert len(read(folder / "bodies.csv")) == 2 * 2 + 2 + 2


def test_the_shipped_scenario_states_what_was_fitted():
    """Every attribute that was open, and no parameter that was not fitted."""
    tree = read_yaml(shipped("scenarios") / "netherlands.yaml", Problems())
    for area in ("waste", "social_services", "sheltered_employment"):
        for name in fitting.OPEN:
            assert tree.get("areas", area, name) is not None, (area, name)
    found = tree.get("parameters")  # none until it is fitted anew
    assert found is None or set(found.plain()) == set(fitting.GENERAL)
