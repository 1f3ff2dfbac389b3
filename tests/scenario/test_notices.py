"""Scenarios in which nothing, or less than expected, can happen."""

import pytest

from kolabsim.i18n import speaking
from kolabsim.scenario.notices import find_notices
from tests.builders import make_scenario

PLACELESS = [{"code": code, "population": 9000} for code in "abc"]
FLAT = {"roads": {"haul": 0, "efficient_scale": 60000, "spillover": 0}}


def notices(rows=PLACELESS, areas=FLAT, **settings):
    scenario = make_scenario(rows, nearest=0, areas=areas, **settings)
    return [(notice.is_total, notice.text) for notice in find_notices(scenario)]


def test_one_region_and_regions_without_contacts_are_told_of():
    assert notices(PLACELESS[:1]) == [(True, "Nothing can happen: there is only one region.")]
    [(is_total, text)] = notices()
    assert is_total
    assert "no region has a contact" in text


def test_a_usual_scenario_has_no_notices():
    assert notices(contacts=[("a", "b", "yes", 9), ("b", "c", "yes", 9)]) == []


def test_members_of_a_body_who_are_no_contacts_of_each_other_are_named():
    contacts = [("a", "b", "yes", 9), ("b", "c", "yes", 9)]
    body = {"area": "roads", "members": ["a", "b", "c"]}
    assert notices(contacts=contacts, bodies=[body]) == [], "each knows one of the others"
    assert notices(contacts=contacts, bodies=[body | {"provider": "b"}]) == []
    assert notices(contacts=contacts, bodies=[body | {"provider": "a"}]) == [
        (False, "In the body for roads, no partner is a contact of c, so trust never grows between "
         "them: add contacts.")
    ]  # fmt: skip


@pytest.mark.parametrize(("spillover", "is_total"), [(0, True), (0.1, False)])
def test_regions_above_efficient_scale_gain_only_by_spillover(spillover, is_total):
    areas = {"roads": FLAT["roads"] | {"efficient_scale": 5000, "spillover": spillover}}
    found = notices(areas=areas, contacts=[(a, b, "yes", 9) for a, b in ("ab", "bc")])
    assert [total for total, _text in found] == ([True] if is_total else [])
    if is_total:
        assert "(9,000 people)" in found[0][1]
        assert "at most 5,000)" in found[0][1]
        with speaking("id"):
            found = notices(areas=areas, contacts=[(a, b, "yes", 9) for a, b in ("ab", "bc")])
        assert "(9.000 jiwa)" in found[0][1]


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        (1400, "roads: even the smallest region (9,000 people) has more than six times"),
        (1600, ""),
        (27_000 * 6, ""),
        (27_000 * 7, "roads: even the largest possible joint body (27,000 people) has less than a"),
    ],
)
def test_services_made_for_regions_of_another_size_are_named(scale, text):
    roads = FLAT["roads"] | {"efficient_scale": scale, "spillover": 0.1}
    found = notices(areas={"roads": roads}, contacts=[(a, b, "yes", 9) for a, b in ("ab", "bc")])
    assert [is_total for is_total, _told in found] == [False] * bool(text)
    assert not text or found[0][1].startswith(text)


def test_a_currency_without_prices_is_told():
    contacts = [("a", "b", "yes", 9), ("b", "c", "yes", 9)]
    two = {
        "roads": FLAT["roads"] | {"cost_per_resident": 1},
        "parks": FLAT["roads"] | {"cost_per_resident": 20},
    }
    assert notices(contacts=contacts, areas=two) == []
    [(is_total, text)] = notices(contacts=contacts, areas=two, currency="EUR")
    assert not is_total
    assert text.startswith("roads: without a price (areas: cost_per_resident), they cost 1 EUR")


def test_lonely_regions_and_islands_are_named():
    areas = {"roads": FLAT["roads"] | {"spillover": 0.1}}
    found = notices(areas=areas, contacts=[("a", "b", "no", 9)])
    assert [text.split(":")[0].split(",")[0] for _total, text in found] == [
        "1 region has no contact and stays alone",
        "No two regions share a land border",
    ]
    found = notices(areas=areas, contacts=[("a", "b", "yes", 9), ("b", "c", "no", 9)])
    assert [text for _total, text in found] == [
        "1 region has no land neighbour, so nothing spills over to it: c."
    ]


# Without effect ---------------------------------------------------------------------------------

KNOWN = {"contacts": [("a", "b", "yes", 9), ("b", "c", "yes", 9)]}


def strategies(**own):
    """Notices on strategies that are called a, b, ..., without those of the library."""
    scenario = make_scenario(PLACELESS, nearest=0, areas=FLAT, strategies=own, **KNOWN)
    return [notice.text for notice in find_notices(scenario, list(own))]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"mechanisms": {"team": 0.5}}, {"mechanisms": {"team": {"intensity": 0.5}}}, True),
        ({"mechanisms": {"team": 0.5}},
         {"mechanisms": {"team": [{"intensity": 0.5, "until": 4}, {"intensity": 0.5, "from": 4}]}},
         True),
        ({"mechanisms": {"team": 0.5}}, {"mechanisms": {"team": 0.6}}, False),
        ({"mechanisms": {"team": 0.5}}, {"mechanisms": {"forum": 0.5}}, False),
        ({"support": {"ngo": 0.5}}, {"support": {"ngo": {"intensity": 0.5, "share": 0.9}}}, True),
        ({"support": {"ngo": 0.5}}, {"support": {"ngo": {"intensity": 0.5, "budget": 1}}}, False),
        ({"mechanisms": {"team": 0.5}}, {"mechanisms": {"team": 0.5}, "budget": 1000}, False),
        ({"mechanisms": {"team": 0.5}, "budget": 9}, {"mechanisms": {"team": 0.5}, "budget": 8},
         False),
        ({"mechanisms": {"team": 0.5}, "budget": 9}, {"mechanisms": {"team": 0.5}, "budget": 9},
         True),
        ({"mechanisms": {"team": {"intensity": 0.5, "until": 8}}},
         {"mechanisms": {"team": {"intensity": 0.5, "until": 8, "phase_out": 4}}}, False),
        ({"mechanisms": {"team": 0.5}, "paid_by": "centre"},
         {"mechanisms": {"team": {"intensity": 0.5, "paid_by": "centre"}}}, True),
        ({"mandates": [{"groups": [["a", "b"]]}]}, {"mandates": [{"groups": [["a", "b"]]}]}, True),
        ({"mandates": [{"groups": [["a", "b"]]}]}, {"mandates": [{"groups": [["a", "c"]]}]}, False),
    ],
)  # fmt: skip
def test_strategies_are_the_same_by_their_effect(one, other, is_same):
    found = strategies(one=one, other=other)
    told = "one, other are the same strategy under 2 names, so their results are equal."
    assert found == ([told] if is_same else [])


def test_levers_without_intensity_are_told_unless_they_switch_one_off():
    off = {"mechanisms": {"team": 0}, "support": {"ngo": {"intensity": 0, "budget": 5}}}
    assert strategies(a=off | {"mandates": [{"groups": [["a", "b"]]}]}) == [
        f"strategies.a.{lever} has the intensity 0, so it does nothing."
        for lever in ("mechanisms.team", "support.ngo")
    ]
    always = {"mechanisms": {"team": 0.5}}
    scenario = make_scenario(
        PLACELESS, nearest=0, areas=FLAT, strategies={"a": {"mechanisms": {"team": 0}}},
        **KNOWN, **always,
    )  # fmt: skip
    assert find_notices(scenario, ["voluntary", "a"]) == []
