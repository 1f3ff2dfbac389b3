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
