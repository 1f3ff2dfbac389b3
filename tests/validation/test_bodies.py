"""Tables of observed joint bodies: what is compared, what is left out, what is refused."""

import numpy as np
import pytest

from kolabsim.errors import InputError
from kolabsim.model.state import NOBODY
from kolabsim.scenario.scenario import Scenario
from kolabsim.validation.bodies import read_bodies
from tests.validation.towns import CODES, write


@pytest.fixture(scope="module")
def scenario(towns):
    return Scenario.load(towns / "towns.yaml")


def test_the_largest_body_counts_and_the_rest_is_reported(network):
    waste, finance = network.observed.slots.T
    assert network.observed.areas == ("waste", "finance"), "in the order of the scenario"
    assert len(set(waste[0:4])) == 1, "the body of four holds the town that is in two"
    assert waste[0] != NOBODY
    assert waste[4] == NOBODY, "a region whose only partner is in a larger body has none"
    assert waste[5] == waste[6] != NOBODY
    assert len(set(finance[8:13])) == 1
    assert network.observed.left_out == {
        "prescribed by law": 1,
        "with more members than the model allows": 1,
        "with fewer than two members among these regions": 1,
    }
    assert [body.name for body in network.observed.bodies] == ["A", "B", "C", "E", "F", "I", "J"]


def test_a_body_may_work_in_several_areas_or_in_unknown_ones(tmp_path, scenario):
    rows = [
        ["One", "0001", "waste"], ["One", "0002", "waste"], ["One", "0001", "finance"],
        ["One", "0002", "finance"], ["Two", "0003", ""], ["Two", "0004", ""],
    ]  # fmt: skip
    path = write(tmp_path / "b.csv", ["body", "region", "area"], rows)
    found = read_bodies(path, scenario)
    assert found.areas == ("waste", "finance", "")
    assert [body.areas for body in found.bodies] == [("waste", "finance"), ("",)]
    assert found.bodies[1].members == (2, 3)
    bare = write(tmp_path / "c.csv", ["body", "region", "notes"], [[*row[:2], "x"] for row in rows])
    found = read_bodies(bare, scenario)
    assert found.areas == ("",)
    assert found.ignored == ("notes",)
    assert found.slots.shape == (30, 1)


def test_years_select_memberships(tmp_path, scenario):
    rows = [
        ["Old", code, since, until]
        for code, since, until in (("0001", "", ""), ("0002", "2001", ""), ("0003", "1990", "2010"))
    ]
    path = write(tmp_path / "b.csv", ["body", "region", "since", "until"], rows)
    assert read_bodies(path, scenario).bodies[0].members == (0, 1), "no end is given for these"
    assert read_bodies(path, scenario, year=2005).bodies[0].members == (0, 1, 2)
    assert read_bodies(path, scenario, year=1995).bodies[0].members == (0, 2)
    assert read_bodies(path, scenario, year=2010).bodies[0].members == (0, 1)
    with pytest.raises(InputError, match="no joint body with at least two members"):
        read_bodies(path, scenario, year=1980)


def test_a_body_is_as_large_as_the_table_says(tmp_path, scenario):
    rows = [["Big", "0001", 17], ["Big", "0002", 17], ["Small", "0003", 5], ["Small", "0004", ""]]
    path = write(tmp_path / "b.csv", ["body", "region", "members"], rows)
    found = read_bodies(path, scenario)
    assert [body.name for body in found.bodies] == ["Small"]
    assert found.left_out == {"with more members than the model allows": 1}


def test_all_problems_are_reported_at_once(tmp_path, scenario):
    rows = [
        ["One", "0001x", "waste", "2001", "", ""], ["One", "0002", "wast", "", "", ""],
        ["", "0003", "", "", "", ""], ["Two", "", "", "", "", ""],
        ["Two", "0004", "", "soon", "", ""], ["Two", "0005", "", "2010", "2001", ""],
        ["Two", "0006", "", "", "", "few"], ["Off", "0007", "tourism", "", "", ""],
    ]  # fmt: skip
    head = ["body", "region", "area", "since", "until", "members"]
    with pytest.raises(InputError) as caught:
        read_bodies(write(tmp_path / "b.csv", head, rows), scenario)
    reported = {(problem.line, problem.message) for problem in caught.value.problems}
    assert reported == {
        (2, "region: the scenario has no region '0001x'; did you mean '0001'?"),
        (3, "area: the scenario has no service area 'wast'; did you mean 'waste'?"),
        (4, "body: the cell is empty"),
        (5, "region: the cell is empty"),
        (6, "since: 'soon' is not a year"),
        (7, "until: the membership ends in 2001, before it begins in 2010"),
        (8, "members: 'few' is not a number of members"),
        (9, "area: the scenario has no service area 'tourism'; allowed: waste, finance"),
    }


def test_a_body_that_is_left_out_needs_no_area_of_the_scenario(tmp_path, scenario):
    rows = [["One", "0001", "waste", ""], ["One", "0002", "waste", ""],
            ["Off", "0007", "tourism", "another service"]]  # fmt: skip
    path = write(tmp_path / "b.csv", ["body", "region", "area", "left_out"], rows)
    assert read_bodies(path, scenario).left_out == {"another service": 1}


def test_columns_are_checked_before_rows(tmp_path, scenario):
    path = write(tmp_path / "b.csv", ["bodi", "region"], [["One", "0001"]])
    with pytest.raises(InputError, match="no column 'body'; did you mean 'bodi'"):
        read_bodies(path, scenario)
    rows = [["One", code, "waste"] for code in CODES[:2]]
    path = write(tmp_path / "c.csv", ["body", "region", "arae"], rows)
    with pytest.raises(InputError, match="column 'arae'; did you mean 'area'"):
        read_bodies(path, scenario)


def test_the_order_of_rows_changes_nothing(towns, tmp_path, scenario):
    lines = (towns / "bodies.csv").read_text(encoding="utf-8").splitlines()
    shuffled = [lines[0], *reversed(lines[1:])]
    (tmp_path / "b.csv").write_text("\n".join(shuffled), encoding="utf-8")
    one, other = (
        read_bodies(towns / "bodies.csv", scenario),
        read_bodies(tmp_path / "b.csv", scenario),
    )
    np.testing.assert_array_equal(one.slots, other.slots)
    assert one.bodies == other.bodies
