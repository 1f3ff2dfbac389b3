"""The report of a comparison over plausible futures: its result, in words, tables and figures."""

import numpy as np
import pytest

from kolabsim import figures
from kolabsim.analysis.comparison import compare
from kolabsim.report.comparison import comparison_page, terminal_lines
from kolabsim.report.comparison.summary import notes
from kolabsim.report.comparison.view import View
from kolabsim.scenario.futures import plausible_futures, plausible_sets
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate
from tests.report.conftest import FACTS
from tests.report.reader import text_without_figures


@pytest.fixture(scope="module")
def results():
    scenario = Scenario.load("kartamantul").with_(horizon=8)
    some = {"default": {}, **plausible_futures(20, scenario)}
    names = ["voluntary", "team", "mandate"]
    return simulate(scenario, names, futures=some, runs=3, seed=2)


@pytest.fixture(scope="module")
def comparison(results):
    return compare(results)


@pytest.fixture(scope="module")
def page(results, comparison):
    return comparison_page(results, comparison, provenance=FACTS, question="Which?")


def section(page, name):
    return next(one for one in page.sections if one.name == name)


def test_the_first_card_has_median_range_and_shares_of_futures(comparison):
    text = terminal_lines(comparison)[1][0]
    row = comparison.table("realised_benefit").loc[comparison.order()[0]]
    better, first = (round(20 * row[name]) for name in ("better_share", "best_share"))
    assert f"better in {better} of 20 futures, best of all 3 strategies in {first} of 20" in text
    assert "over plausible assumptions" in text
    assert f"{100 * row['difference']:+.2f}".replace("-", "−") in text or "%" in text


def test_shares_are_of_futures_and_intervals_of_chance(page):
    assert page.errors == []
    text = text_without_figures(page)
    assert "% of runs" not in text
    assert "plausible range" in text
    assert "Student's" not in text
    assert "95% interval of the median" in text


def test_named_futures_stand_apart(page, comparison):
    assert View(comparison).named == ["default"]
    head = [table for table in section(page, "comparison").tables if table.head[0] == "Future"]
    assert [row[0] for table in head for row in table.rows] == ["default"]


def test_few_runs_and_few_futures_are_said_with_what_is_possible(results, comparison):
    said = notes(View(comparison))
    assert any("below what chance leaves open" in one and "runs in each future" in one
               for one in said)  # fmt: skip
    assert not any("too few" in one for one in said)
    few = results.runs[results.runs["future"].isin(["plausible-1", "plausible-2"])]
    some = {name: results.futures[name] for name in ("plausible-1", "plausible-2")}
    regions = results.regions[results.regions["future"].isin([*some])]
    small = type(results)(**{**vars(results), "futures": some, "runs": few, "regions": regions})
    said = notes(View(compare(small)))
    assert said[0].startswith("2 plausible futures are too few for a range of 90% (20 needed)")
    without = compare(results, practical_threshold=0.0)
    assert not any("threshold" in one for one in notes(View(without)))


def test_what_was_not_varied_is_said_first(results):
    one = {"default": {}}
    here = results.runs[results.runs["future"] == "default"]
    regions = results.regions[results.regions["future"] == "default"]
    single = type(results)(**{**vars(results), "futures": one, "runs": here, "regions": regions})
    above, below = terminal_lines(compare(single))
    assert above[0].startswith("Assumptions were not varied: intervals show chance only.")
    assert below == []
    name, value = next(iter(plausible_sets()[0].items()))
    stated = results.scenario.with_({name: value})
    known = type(results)(**{**vars(results), "scenario": stated})
    said = notes(View(compare(known)))
    assert any(one.endswith(f"states it: {name}.") for one in said)


def test_a_forest_draws_ranges_and_what_chance_leaves(comparison):
    axes = figures.forest(comparison, ["realised_benefit"]).axes[0]
    table = comparison.table("realised_benefit").loc[comparison.order()]
    drawn = sorted(
        (line.get_segments()[0][:, 0].tolist() for line in axes.collections), key=np.ptp,
    )[::-1]  # fmt: skip
    ends = [[100 * row.low, 100 * row.high] for row in table.itertuples()]
    for pair in ends:
        assert any(pair == pytest.approx(found) for found in drawn)
    assert len(drawn) >= len(ends) + 1, "the interval of chance is drawn"
