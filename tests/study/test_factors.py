"""Factors: every dotted name that an experiment may vary, with ranges that the model accepts."""

import numpy as np
import pytest

from kolabsim.errors import InputError
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.factors import choose_factors, list_factors


@pytest.fixture(scope="module")
def scenario():
    return Scenario.load("kartamantul")


def test_every_factor_can_be_set_at_both_ends(scenario):
    for name, factor in list_factors(scenario).items():
        # Whom support helps, and for how much, is nothing without an intensity.
        lever = ".".join(name.split(".")[:2])
        with_it = {f"{lever}.intensity": 0.5} if factor.group in ("targets", "budgets") else {}
        for u in (0.0, 0.5, np.nextafter(1.0, 0.0), 1.0):
            scenario.with_(with_it | {name: factor.at(u)})


def test_every_parameter_is_a_factor_with_its_range(scenario):
    known = list_factors(scenario)
    for name, entry in PARAMETERS.items():
        factor = known[f"parameters.{name}"]
        assert (factor.low, factor.high, factor.group) == (entry.low, entry.high, entry.group)


def test_a_number_goes_from_low_to_high_and_a_factor_of_it_by_logarithm(scenario):
    known = list_factors(scenario)
    share = known["parameters.trust_start"]
    assert (share.at(0.0), share.at(0.5), share.at(1.0)) == pytest.approx((0.25, 0.5, 0.75))
    scale = known["areas.waste.efficient_scale"]
    assert scale.at(0.5) == pytest.approx(2e6), "half to double: the middle is the default"


def test_a_place_is_that_of_its_value(scenario):
    for factor in list_factors(scenario).values():
        for u in (0.02, 0.31, 0.97):
            value = factor.at(u)
            assert factor.at(factor.place(value)) == pytest.approx(value)
        if not factor.is_choice:
            assert factor.low <= factor.usual <= factor.high


def test_what_a_factor_is_where_nothing_is_varied(scenario):
    changed = scenario.with_({"parameters.notice": 0.7, "trust": "lasting", "cap": 9})
    known = list_factors(changed)
    assert known["parameters.notice"].usual == 0.7
    assert (known["trust"].usual, known["cap"].usual) == ("lasting", 9)
    assert known["mechanisms.forum"].usual == 0.0


def test_words_have_equal_parts(scenario):
    curve = list_factors(scenario)["unit_cost"]
    found = [curve.at(u) for u in np.linspace(0.0, 1.0, 300, endpoint=False)]
    assert {word: found.count(word) for word in curve.words} == dict.fromkeys(curve.words, 100)
    assert curve.at(1.0) == curve.words[-1]


def test_groups_stand_for_their_factors(scenario):
    found = choose_factors(scenario, ["mechanisms", "parameters.notice"])
    assert [factor.name for factor in found] == [
        "mechanisms.forum", "mechanisms.planning", "mechanisms.team", "mechanisms.information",
        "mechanisms.monitoring", "parameters.notice",
    ]  # fmt: skip


def test_ranges_and_words_of_ones_own(scenario):
    wanted = {"parameters.notice": [0.2, 0.4], "decision": ["logit", "best_response"]}
    notice, decision = choose_factors(scenario, wanted)
    assert (notice.low, notice.high) == (0.2, 0.4)
    assert decision.words == ("logit", "best_response")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"parameters.notise": None}, "did you mean 'parameters.notice'"),
        ({"mechanism": None}, "did you mean 'mechanisms'"),
        ({"parameters.notice": [0.9, 0.1]}, "0.9, 0.1 is not allowed; allowed: rising"),
        ({"parameters.notice": [0.1, 3]}, "allowed: rising values from 0.0 to 1.0"),
        ({"parameters.startup_cost": [0, 1e300]}, r"allowed: rising values from 0.0 to 1e\+18"),
        ({"parameters.notice": 0.3}, "give a range, such as"),
        ({"trust": ["recovering"]}, "at least two of recovering, lasting"),
        ({"trust": ["x", "recovering"]}, "at least two of"),
        ({"support": [0, 1]}, "a group has no range"),
        ({"support.ngo.targets": None}, "vary support.ngo too"),
    ],
)
def test_what_is_wrong_is_reported(scenario, wanted, message):
    with pytest.raises(InputError, match=message):
        choose_factors(scenario, wanted)


def test_all_problems_are_reported_at_once(scenario):
    with pytest.raises(InputError) as error:
        choose_factors(scenario, {"parameters.x": None, "cap": [1, 2], "parameters.notice": 2})
    assert len(error.value.problems) == 3


def test_a_factor_of_the_first_edition_is_refused_with_its_successor(scenario):
    with pytest.raises(InputError) as caught:
        choose_factors(scenario, ["parameters.conclude", "parameters.team_negotiation"])
    assert [problem.message for problem in caught.value.problems] == [
        "not a factor of the second edition of the model: 'conclude' has no effect any more "
        "('decision_speed' takes its place, as a rate and not as a chance)",
        "not a factor of the second edition of the model: 'team_negotiation' is now "
        "'team_strength'",
    ]
