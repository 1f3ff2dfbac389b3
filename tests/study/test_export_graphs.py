"""Who shares with whom, as other tools read it."""

import csv
from itertools import combinations, groupby
from pathlib import Path

import networkx as nx
import pytest

from kolabsim.engine.mesa_model import CollaborationModel
from kolabsim.errors import InputError
from kolabsim.study.export import write_graph
from tests.builders import make_scenario, region_rows
from tests.terminal import kolabsim


@pytest.fixture(scope="module")
def model():
    rows = region_rows(6)
    for row in rows:
        row["name"] = f"=1+{row['code']}"
    codes = [row["code"] for row in rows]
    bodies = [
        {"area": "water", "members": codes[:3]},
        {"area": "roads", "members": codes[1:4], "form": "contract", "provider": codes[2]},
    ]
    model = CollaborationModel(make_scenario(rows, bodies=bodies, horizon=4))
    model.step()
    return model


def pairs_of(agreements):
    found = {}
    for one in agreements:
        for pair in combinations(one["members"], 2):
            if one["provider"] in (None, *pair):
                found.setdefault(pair, []).append(one["area"])
    return {pair: sorted(areas) for pair, areas in found.items()}


def test_a_graph_links_those_who_share_a_body(model):
    graph, expected = model.graph(), pairs_of(model.agreements())
    assert list(graph) == list(model.simulated.regions.codes)
    assert expected, "nobody shares: the test says nothing"
    assert {tuple(sorted(pair)) for pair in graph.edges} == set(expected)
    for (a, b), areas in expected.items():
        edge = graph.edges[a, b]
        assert edge["areas"].split(", ") == areas
        assert edge["bodies"] == len(areas)
        trust = {region.code: region.trust for region in model.regional_governments}
        if b in trust[a]:
            assert edge["trust"] == pytest.approx((trust[a][b] + trust[b][a]) / 2)
    region = model.regional_governments[0]
    assert graph.nodes[region.code]["population"] == region.population
    assert graph.nodes[region.code]["tier"] == region.tier


def test_graphml_is_read_again(model, tmp_path):
    written = nx.read_graphml(write_graph(model, tmp_path / "shared.graphml"))
    graph = model.graph()
    assert nx.utils.edges_equal(written.edges(data=True), graph.edges(data=True))
    assert set(written) == set(graph)
    assert written.nodes["R000"]["name"] == "=1+R000", "what XML cannot hold is left out"
    assert written.graph["quarter"] == 1


def test_a_table_of_agreements_has_a_row_for_each_member_and_no_formula(model, tmp_path):
    path = write_graph(model, tmp_path / "new" / "shared.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [
        {
            "area": members[0]["area"],
            "form": members[0]["form"],
            "age": float(members[0]["age_years"]),
            "members": [row["region"] for row in members],
            "provider": next((row["region"] for row in members if row["role"] == "provider"), None),
        }
        for _number, group in groupby(rows, key=lambda row: row["body"])
        for members in [list(group)]
    ]
    assert found == model.agreements()
    assert all(row["name"].startswith("'=1+R") for row in rows)


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.graphm", "did you mean '.graphml'"), ("a", r"allowed: \.graphml, \.csv")],
)
def test_other_formats_are_refused(model, tmp_path, name, words):
    with pytest.raises(InputError, match=words):
        write_graph(model, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_the_command_writes_a_quarter_of_a_run(tmp_path):
    words = ("kartamantul", "voluntary", "--quarter", "1", "--run", "2", "--seed", "3")
    done = kolabsim("graph", *words, "--out", "out/a.graphml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    model = CollaborationModel("kartamantul", "voluntary", run=2, seed=3)
    model.step()
    write_graph(model, tmp_path / "b.graphml")
    text = Path(tmp_path / "out/a.graphml").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.graphml").read_text(encoding="utf-8")
    said = f"joint bodies: {len(model.agreements())}, after quarter 1 of 40"
    assert done.stdout == f"out/a.graphml: {said}\n"


def test_the_command_refuses_a_quarter_after_the_end(tmp_path):
    words = ("kartamantul", "voluntary", "--quarter", "41", "--out", "a.csv")
    done = kolabsim("graph", *words, folder=tmp_path)
    assert done.returncode == 2
    assert "kartamantul ends after 40 quarters" in done.stderr
    assert not list(tmp_path.iterdir())
