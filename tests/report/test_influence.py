"""The three sentences on what a result depends on, and their section."""

import numpy as np
import pandas as pd
import pytest

from kolabsim.analysis.drivers import SOURCES, find_drivers
from kolabsim.analysis.influence import Influence
from kolabsim.i18n import speaking
from kolabsim.report.comparison import View, influence_lines
from kolabsim.report.comparison.influence import influence_section

COST = "parameters.startup_cost"


def influence_of(difference, settings):
    found = find_drivers(difference, pd.DataFrame(settings), permuted=50, resamples=50)
    single = pd.DataFrame(columns=["future", "difference", "shift", "low", "high", "moves"])
    return Influence("forum", 0.95, single, found)


@pytest.fixture(scope="module")
def variance():
    return pd.DataFrame({
        "measure": "realised_benefit", "source": [*SOURCES], "share": [0.7, 0.1, 0.2],
        "low": [0.6, 0.0, 0.1], "high": [0.8, 0.2, 0.3],
    })  # fmt: skip


@pytest.fixture
def view(comparison):
    return View(comparison)


@pytest.fixture(scope="module")
def line():
    """A difference that falls from 3 to -1 hundredths as the start-up cost rises from 0 to 1."""
    cost = np.linspace(0.0, 1.0, 41)
    return influence_of(0.03 - 0.04 * cost, {COST: cost})


def test_the_three_lines_say_source_assumptions_and_break_even(view, line, variance):
    source, strongest, turn = influence_lines(view, line, variance)
    assert "(70% of the variance)" in source
    assert "no table gives (10%) and chance (20%)" in source
    assert "share of its first yearly cost (>99%; +3.00 to −1.00% of stand-alone cost" in strongest
    assert "the difference becomes negative where" in turn
    assert "is above 0.75 (95% interval 0.75 to 0.75; range 0 to 1; source: assumed)" in turn


def test_a_difference_that_keeps_its_sign_has_no_break_even(view, variance):
    cost = np.linspace(0.0, 1.0, 41)
    lines = influence_lines(view, influence_of(0.05 - 0.04 * cost, {COST: cost}), variance)
    assert "None of these assumptions turns the sign" in lines[2]


def test_a_bad_strategy_turns_positive(view):
    cost = np.linspace(0.0, 1.0, 41)
    turn = influence_lines(view, influence_of(0.01 - 0.04 * cost, {COST: cost}), None)[-1]
    assert "becomes positive where" in turn
    assert "is below 0.25" in turn


def test_words_turn_the_sign_by_name(view):
    rule = np.repeat(["best_response", "imitation"], 12)
    difference = np.where(rule == "imitation", -0.01, 0.02) + np.tile([0.001, 0.0], 12)
    turn = influence_lines(view, influence_of(difference + 0.001, {"decision": rule}), None)[-1]
    assert "is negative where decision rule is imitation (of best response, imitation;" in turn


def test_what_is_weaker_than_chance_is_said_to_be(view):
    rng = np.random.default_rng(3)
    names = ("notice", "decision_speed", "exit_base", "startup_cost")
    settings = {f"parameters.{name}": rng.random(40) for name in names}
    lines = influence_lines(view, influence_of(0.01 * rng.normal(size=40), settings), None)
    assert lines[0].startswith("No assumption stands out between 40 futures: the strongest, ")
    assert "the strongest of 4 without effect would reach" in lines[0]
    assert len(lines) == 1  # what does not move it has no break-even


def test_settings_of_all_areas_are_one_assumption(view):
    x = np.linspace(0.5, 2.0, 20)
    areas = {f"areas.{area}.difficulty": x * k for k, area in enumerate(("waste", "water"), 1)}
    lines = influence_lines(view, influence_of(x, areas), None)
    assert "in all service areas together (value: " in lines[0]


@pytest.mark.parametrize("code", ["en", "id"])
def test_the_section_has_the_lines_the_figures_and_the_ranking(view, line, variance, code):
    with speaking(code):
        section = influence_section(view, line, variance, {"first": {}})
        assert section.paragraphs[:3] == influence_lines(view, line, variance)
        assert [picture.name for picture in section.pictures] == ["variance", "main_effects"]
        shares, ranking = section.tables
    assert [cell.main for cell in shares.rows[0][1]] == ["70%", "10%", "20%"]
    assert len(ranking.rows) == 1
