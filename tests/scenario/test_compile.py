import numpy as np
import pytest

import kolabsim as ks
from kolabsim.errors import InputError
from kolabsim.model.levers import FORMS, LEVERS, PAYERS
from kolabsim.scenario.compile import (
    NEVER,
    border_pairs,
    build_changes,
    build_contacts,
    build_policy,
    build_world,
    great_circle,
    nearest_pairs,
    on_sphere,
    split_tier,
)
from tests.builders import make_scenario


def sphere(points):
    north, east = np.radians(np.asarray(points, float)).T
    return np.column_stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)]
    )


def test_distance_along_the_earth():
    # A quarter of a great circle, and one degree of the equator.
    assert great_circle(*sphere([(0, 0), (90, 0)])) == pytest.approx(6371 * np.pi / 2)
    assert great_circle(*sphere([(0, 179.5), (0, -179.5)])) == pytest.approx(6371 * np.pi / 180)


def test_the_nearest_are_the_nearest():
    places = sphere([(0, x) for x in (0, 1, 2, 4, 8)])
    pairs = {tuple(pair) for pair in nearest_pairs(places, 2).tolist()}
    assert pairs == {(0, 1), (0, 2), (1, 0), (1, 2), (2, 1), (2, 0), (3, 2), (3, 1), (4, 3), (4, 2)}


def test_where_all_may_be_near_all_are():
    places = sphere([(0, x) for x in (0, 1, 2, 4)] + [(0, 0)])
    everybody = {(i, j) for i in range(5) for j in range(5) if i != j}
    for number in (4, 5, 100):
        assert {tuple(pair) for pair in nearest_pairs(places, number).tolist()} == everybody


def test_places_that_coincide_have_as_many_nearest_as_others():
    pairs = nearest_pairs(sphere([(0, 0)] * 6), 3)
    assert np.bincount(pairs[:, 0], minlength=6).tolist() == [3] * 6
    assert (pairs[:, 0] != pairs[:, 1]).all()


def test_borders_where_no_other_region_lies_between():
    # A cross: its four arms border the middle, which lies between opposite arms.
    cross = sphere([(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)])
    pairs = {tuple(pair) for pair in border_pairs(cross).tolist()}
    assert {(0, 1), (0, 2), (0, 3), (0, 4)} <= pairs
    assert (1, 2) not in pairs
    assert (3, 4) not in pairs
    line = {tuple(pair) for pair in border_pairs(sphere([(0, x) for x in range(6)])).tolist()}
    assert line == {(k, k + 1) for k in range(5)}


def test_contacts_are_symmetric_and_know_their_reverse():
    scenario = ks.load("kedungsepur")
    region, contact = build_contacts(scenario)
    source = np.repeat(np.arange(len(region)), region["end"] - region["first"])
    assert (contact["target"] != source).all()
    back = contact["reverse"]
    np.testing.assert_array_equal(contact["target"][back], source)
    np.testing.assert_array_equal(source[back], contact["target"])
    np.testing.assert_array_equal(contact["land"][back], contact["land"])
    listed = sum(row.land for row in scenario.contacts.list)
    assert contact["land"].sum() == 2 * listed


def test_nearness_has_mean_1_and_spill_adds_up_to_1():
    region, contact = build_contacts(ks.load("sarbagita"))
    for place in region:
        part = slice(place.first, place.end)
        assert contact["near"][part].mean() == pytest.approx(1)
        assert contact["spill"][part].sum() == pytest.approx(1)
        assert (contact["spill"][part][contact["land"][part] == 0] == 0).all()


def test_far_regions_change_nothing_for_near_ones():
    rows = [
        {"code": f"R{i}", "population": 1000, "latitude": 0, "longitude": 0.1 * i} for i in range(5)
    ]
    far = [
        {"code": f"Z{i}", "population": 9000, "latitude": 40, "longitude": 0.1 * i}
        for i in range(5)
    ]
    one, other = (build_contacts(make_scenario(r, nearest=3)) for r in (rows, rows + far))
    number = len(one[1])
    for name in ("target", "reverse", "land", "near", "spill"):
        np.testing.assert_allclose(other[1][name][:number], one[1][name], rtol=1e-12)
    np.testing.assert_array_equal(other[0]["id"][:5], one[0]["id"])


@pytest.mark.parametrize(("within", "targets"), [("tier", [2, 3, 0, 1]), ("all", None)])
def test_regions_of_a_tier_or_all_know_each_other(within, targets):
    rows = [{"code": c, "population": 9, "tier": t} for c, t in zip("abcd", "xyxy", strict=True)]
    areas = {"roads": {"haul": 0}}
    scenario = make_scenario(rows, nearest=0, areas=areas).with_({"contacts.within": within})
    region, contact = build_contacts(scenario)
    degree = region["end"] - region["first"]
    assert (degree == (1 if targets else 3)).all()
    assert (contact["near"] == 1.0).all(), "without coordinates, all are equally near"
    if targets:
        assert contact["target"].tolist() == targets


def test_too_many_regions_cannot_all_know_each_other():
    scenario = make_scenario(301)
    with pytest.raises(InputError, match="301 regions are too many to all know each other"):
        scenario.with_({"contacts.within": "all"})


def test_population_that_grows_stays_where_it_is_when_growth_ends():
    changes = [
        {"what": "population", "growth": 0.21, "from": 0, "until": 8, "regions": ["R000"]},
        {"what": "population", "factor": 2, "from": 4, "until": 6},
    ]
    scenario = make_scenario(2, changes=changes)
    period, population, _stress, _demand = build_changes(scenario)
    path = population[period] / scenario.regions.population
    assert path[0, 0] == pytest.approx(1)
    assert path[4, 0] == pytest.approx(2 * 1.21)
    assert path[8, 0] == path[11, 0] == pytest.approx(1.21**2)
    assert path[:, 1].tolist() == [1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 1, 1]


def test_stress_and_demand_change_where_and_when_it_is_said():
    changes = [
        {"what": "stress", "add": 0.2, "from": 3, "regions": ["R001"]},
        {"what": "demand", "factor": 1.5, "until": 2, "areas": ["water"]},
    ]
    period, _population, stress, demand = build_changes(make_scenario(2, changes=changes))
    assert stress[period][:, 1].tolist() == [0] * 3 + [0.2] * 9
    assert (stress[period][:, 0] == 0).all()
    assert (demand[period][:2, :, 1] == 1.5).all()
    assert (demand[period][2:] == 1).all()
    assert (demand[period][:, :, 0] == 1).all()


def test_a_world_in_which_nothing_changes_has_one_period():
    period, population, *_ = build_changes(make_scenario(3))
    assert (period == 0).all()
    assert len(population) == 1


STRATEGY = {
    "phased": {
        "mechanisms": {
            "team": [
                {"intensity": 0.3, "until": 8},
                {"intensity": 0.9, "from": 4, "until": 6, "areas": ["water"]},
            ],
            "forum": {"intensity": 0.5, "members": [["R000", "R001"], ["R003", "R002"]]},
        },
        "support": {
            "government": {"intensity": 1, "targets": ["R002"], "budget": 80, "from": 2},
            "ngo": {"intensity": 0.4, "targets": "smallest", "share": 0.5, "paid_by": "members"},
        },
        "mandates": [{"areas": ["roads"], "groups": [["R000", "R003"]], "from": 2, "until": 9}],
    }
}


def test_a_strategy_as_the_engine_reads_it():
    scenario = make_scenario(5, strategies=STRATEGY)
    policy = build_policy(scenario, scenario.strategies["phased"])
    place = list(LEVERS).index
    lever = policy.lever[policy.period]
    assert lever[:, 0, place("team")].tolist() == [0.3] * 8 + [0] * 4
    assert lever[:, 1, place("team")].tolist() == [0.3] * 4 + [0.9] * 2 + [0.3] * 2 + [0] * 4
    assert policy.forum[0].tolist() == [0, 0, 1, 1, -1]
    assert policy.budget[policy.period][:, 0].tolist() == [np.inf] * 2 + [20] * 10
    assert policy.listed[2, 0].tolist() == [0, 0, 1, 0, 0]
    assert policy.part[0, 1] == 0.5
    assert policy.payer[0, place("ngo")] == 0
    assert policy.payer[0, place("government")] == 1
    centre = PAYERS.index("centre")
    assert policy.mandate[:, :6].tolist() == [[0, 2, 9, centre, 0, 3]]
    assert np.isnan(policy.mandate_price).all(), "that of a full lever"
    assert np.isnan(policy.price).all()
    priced = {
        "mechanisms": {"team": {"intensity": 1, "price": 0.02, "paid_by": "tier"}},
        "mandates": [{"groups": [["R000", "R003"]], "paid_by": "tier", "price": 0.01}],
    }
    scenario = make_scenario(5, strategies={"priced": priced})
    policy = build_policy(scenario, scenario.strategies["priced"])
    assert policy.price[0, place("team")] == 0.02
    assert policy.payer[0, place("team")] == PAYERS.index("tier")
    assert policy.mandate[0, 3] == PAYERS.index("tier")
    assert policy.mandate_price.tolist() == [0.01, 0.01], "one for each area"


def test_what_is_always_in_force_is_there_in_every_strategy():
    scenario = make_scenario(3, mechanisms={"team": 0.2})
    policy = build_policy(scenario, scenario.strategies["voluntary"])
    assert (policy.lever[:, :, list(LEVERS).index("team")] == 0.2).all()


def test_a_tier_is_cut_into_pieces_that_lie_together():
    places = on_sphere(ks.load("small-towns").regions)
    pieces = split_tier(places, list(range(40)), 5)
    assert sorted(i for piece in pieces for i in piece) == list(range(40))
    assert max(map(len, pieces)) <= 5
    inside = np.mean([np.ptp(places[piece], axis=0).max() for piece in pieces])
    assert inside < np.ptp(places[:40], axis=0).max() / 2


def test_bodies_that_exist():
    bodies = [
        {"area": "water", "members": ["R003", "R001"], "began": -9, "mandated": True},
        {"area": "roads", "members": ["R000", "R003", "R002"], "provider": "R002"},
    ]
    world = build_world(make_scenario(4, bodies=bodies))
    board, contract, nobody = FORMS.index("board"), FORMS.index("contract"), -1
    assert world.body[0, :8].tolist() == [1, board, -9, NEVER, nobody, 1, 3, nobody]
    assert world.body[1, :8].tolist() == [0, contract, 0, 0, 2, 0, 2, 3]
