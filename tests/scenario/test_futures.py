"""Plausible futures: their quick way into a scenario gives what the checked one gives."""

import pytest

import kolabsim as ks
from kolabsim.scenario.futures import STRUCTURES, plausible_futures, with_future


@pytest.mark.parametrize("name", ["kartamantul", "sarbagita", "small-towns"])
def test_a_plausible_future_needs_no_second_check(name):
    scenario = ks.load(name)
    futures = plausible_futures(None, scenario)
    for future in [*futures.values()][::40]:
        assert with_future(scenario, future).resolved() == scenario.with_(future).resolved()


def test_every_structure_can_differ_in_a_future():
    scenario = ks.load("kartamantul")
    for name, words in STRUCTURES.items():
        for word in words:
            found = with_future(scenario, {name: word, "areas.waste.difficulty": 0.4})
            wanted = scenario.with_({name: word, "areas.waste.difficulty": 0.4})
            assert found.resolved() == wanted.resolved()
    assert found.areas["waste"].difficulty == 0.4
