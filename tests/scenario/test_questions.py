"""The five questions about a table of regions."""

from dataclasses import replace

import numpy as np
import pytest

from kolabsim import InputError, load
from kolabsim.model.laws import unit_cost
from kolabsim.scenario.presets import PRESETS
from kolabsim.scenario.questions import QUESTIONS, answer_questions, inside

KARTAMANTUL = load("kartamantul").regions


def without_places(regions):
    nowhere = np.full(len(regions), np.nan)
    return replace(regions, latitude=nowhere, longitude=nowhere)


def refused(given, regions=KARTAMANTUL):
    with pytest.raises(InputError) as caught:
        answer_questions(regions, None, given)
    [problem] = caught.value.problems
    return problem.message


def test_defaults_follow_from_the_data():
    setup = answer_questions(KARTAMANTUL, None, {})
    assert {name: answer.value for name, answer in setup.answers.items()} == {
        "neighbourhood": "all",
        "services": "indonesia",
        "prices": "units",
        "neighbours": "places",
        "acquaintance": "everybody",
    }
    assert list(setup.answers) == list(QUESTIONS)
    assert not any(answer.is_given for answer in setup.answers.values())
    small = answer_questions(load("small-towns").regions, None, {})
    assert small.answers["services"].value == "administration"
    assert small.answers["acquaintance"].value == "nearest:8"


def test_without_places_nothing_that_needs_distances_is_the_default():
    regions = without_places(KARTAMANTUL)
    setup = answer_questions(regions, None, {})
    assert setup.answers["services"].value == "administration_indonesia"
    assert setup.answers["neighbours"].value == "none"
    assert setup.contacts == {"borders": "listed", "nearest": 0, "within": "all"}
    for given in (
        {"services": "infrastructure"}, {"services": "indonesia"}, {"acquaintance": "nearest:3"},
        {"neighbourhood": "around:34.71:20"}, {"neighbours": "places"},
    ):  # fmt: skip
        assert "add latitude and longitude" in refused(given, regions)


def test_a_neighbourhood_chooses_regions_and_their_borders():
    borders = [("34.02", "34.71", 9.0), ("33.10", "34.04", 5.0)]
    for value, number in (("tier:Jawa Tengah", 2), ("list:34.71, Sleman,34.02", 3),
                          ("around:34.71:20", 3), ("around:Kota Yogyakarta:20 km", 3)):  # fmt: skip
        if value.startswith("list"):
            value = value.replace("Sleman", "34.04")
        setup = answer_questions(KARTAMANTUL, borders, {"neighbourhood": value})
        assert len(setup.regions) == number, value
        codes = set(setup.regions.codes)
        assert setup.borders == [pair for pair in borders if {*pair[:2]} <= codes]
        assert set(setup.regions.extra["code"]) == codes


def test_money_is_shared_so_that_regions_spend_it_at_their_own_scale():
    regions = load("small-towns").regions
    given = {"services": "administration", "prices": "total: 2500000 eur"}
    setup = answer_questions(regions, None, given)
    assert setup.currency == "EUR"
    spent = sum(
        people * setup.prices[name]
        * unit_cost(people, a.efficient_scale, a.curvature_below, a.curvature_above, 0)
        for name, a in setup.areas.items()
        for people in regions.population
    )  # fmt: skip
    assert spent == pytest.approx(2_500_000)
    shares = "finance=3, procurement=1, training=1, technology=5"
    split = answer_questions(regions, None, given | {"prices": f"total:2500000 EUR; {shares}"})
    assert split.prices["technology"] == pytest.approx(5 * split.prices["training"])


def test_a_column_of_costs_gives_the_same_prices_as_its_sum():
    regions = load("small-towns").regions
    column = tuple(str(1000 + k) for k in range(len(regions)))
    regions = replace(regions, extra={**regions.extra, "cost": column})
    total = sum(map(float, column))
    one = answer_questions(regions, None, {"prices": "column:cost EUR"})
    assert one.prices == answer_questions(regions, None, {"prices": f"total:{total} EUR"}).prices


def test_no_price_means_no_currency():
    setup = answer_questions(KARTAMANTUL, None, {})
    assert setup.currency is None
    assert sum(setup.prices.values()) == pytest.approx(len(setup.prices))
    priced = answer_questions(KARTAMANTUL, None, {"prices": "preset"})
    assert priced.currency == "IDR"
    assert priced.prices["waste"] / priced.prices["finance"] == pytest.approx(
        setup.prices["waste"] / setup.prices["finance"]
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"services": "admin"}, "did you mean 'administration'"),
        ({"services": "indonesia,infrastructure,administration"}, "both have finance"),
        ({"prices": "30 EUR"}, "answers are units, preset, total:AMOUNT CURRENCY"),
        ({"prices": "total:much EUR"}, "'much' is not an amount above 0"),
        ({"prices": "column:cost EUR"}, "the table has no column 'cost'"),
        ({"prices": "column:name EUR"}, "does not hold an amount above 0"),
        ({"prices": "units; waste=3"}, "a number above 0 for wastewater"),
        ({"prices": "preset", "services": "administration"}, "no known prices"),
        ({"neighbours": "shapes"}, "the table has no shapes"),
        ({"neighbours": "list:nowhere.csv"}, "there is no file 'nowhere.csv'"),
        ({"neighbours": "bridges"}, "answers are shapes"),
        ({"acquaintance": "friends"}, "answers are everybody"),
        ({"neighbourhood": "tier:Jawa Tengh"}, "did you mean 'Jawa Tengah'"),
        ({"neighbourhood": "list:34.7"}, "did you mean '34.71'"),
        ({"neighbourhood": "near"}, "answers are all"),
        ({"neighbourhod": "all"}, "did you mean 'neighbourhood'"),
    ],
)
def test_an_answer_that_is_not_understood_is_refused_in_one_sentence(given, words):
    assert words in refused(given)


def test_presets_say_for_which_populations_they_were_made():
    people = np.array([4_000, 6_000, 90_000, 100_000])
    assert inside(PRESETS["administration"], people).tolist() == [False, True, True, False]
