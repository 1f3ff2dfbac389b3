"""One region's outlook agrees with the comparison of all, and its page is whole."""

import re
from dataclasses import replace

import numpy as np
import pytest

from kolabsim import i18n
from kolabsim.analysis.comparison import compare
from kolabsim.analysis.region import region_outlook
from kolabsim.analysis.statistics import SAME
from kolabsim.errors import InputError
from kolabsim.report.page import Table, select
from kolabsim.report.ranges import verdict_sentence
from kolabsim.report.region import (
    answer_section,
    benefit_headline,
    potential_section,
    write_region,
)
from kolabsim.scenario.futures import plausible_futures
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate

CODE, RUNS = "34.04", 12

FACTS = {"command": "kolabsim region here", "seed": 3, "kolabsim": "9.8.7"}


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(i18n, "_chosen", ["en"])


@pytest.fixture(scope="module")
def scenario():
    return Scenario.load("kartamantul").with_(horizon=18)


@pytest.fixture(scope="module")
def found(scenario):
    return region_outlook(scenario, CODE, "team", futures={}, runs=RUNS, seed=3)


@pytest.fixture(scope="module")
def futures(scenario):
    return plausible_futures(24, scenario)


@pytest.fixture(scope="module")
def varied(scenario, futures):
    return region_outlook(scenario, CODE, "team", futures=futures, runs=3, seed=3)


@pytest.fixture(scope="module")
def results(scenario):
    return simulate(scenario, ["voluntary", "team"], runs=RUNS, seed=3)


def test_gains_over_futures_are_those_of_the_comparison(varied, scenario, futures):
    """One rule: the same futures and draws give the same ranges, shares and verdict."""
    results = simulate(scenario, ["voluntary", "team"], futures=futures, runs=3, seed=3)
    table = compare(results).winner_ranges.set_index("region")
    row, many = table.loc[CODE], len(scenario.regions)
    names = ("difference", "low", "high", "chance_low", "chance_high", "better_share",
             "worse_share")  # fmt: skip
    for name in names:
        assert varied.benefit[name] == pytest.approx(row[name]), name
    money = varied.costs.set_index("item").loc["benefit"]
    assert money["difference"] == pytest.approx(row["money"])
    assert money["low"] == pytest.approx(row["money_low"])
    assert varied.is_varied
    again = region_outlook(
        scenario, CODE, "team", futures=futures, runs=3, seed=3, comparisons=many
    )
    assert again.benefit["verdict"] == row["verdict"]


def test_a_gain_below_the_practical_threshold_hardly_changes_anything(scenario, futures):
    """Whatever the sign of a difference, a threshold above all futures leaves one verdict."""
    found = region_outlook(
        scenario, CODE, "team", futures=futures, runs=3, seed=3, practical_threshold=0.5
    )
    assert found.benefit["verdict"] == SAME
    assert set(found.costs.set_index("item").loc[["saving", "benefit"], "verdict"]) == {SAME}
    strict = region_outlook(
        scenario, CODE, "team", futures={}, runs=RUNS, seed=3, practical_threshold=0.0
    )
    assert strict.benefit["verdict"] != SAME


def test_channels_over_futures_add_up(varied):
    """They are means, and net benefit of the last year is their sum in money too."""
    shares = varied.channels.set_index("channel")["difference"]
    assert (np.sign(shares) == np.sign(varied.channels.set_index("channel")["money"])).mean() > 0.8
    assert varied.paths.shape == (24, 5)
    assert varied.prospects["both"].between(0.0, 1.0).all()
    assert (varied.prospects["low"] <= varied.prospects["gain"]).all()


def test_gains_are_those_of_the_comparison(found, results):
    winners = compare(results).winners.set_index("region").loc[CODE]
    benefit = found.costs.set_index("item").loc["benefit"]
    assert benefit["difference"] == pytest.approx(winners["money"])
    assert benefit["low"] == pytest.approx(winners["money_low"])
    for name in ("difference", "low", "high", "better_share"):
        assert found.benefit[name] == pytest.approx(winners[name])
    assert found.benefit["verdict"] == winners["verdict"]
    assert not found.is_varied


def test_money_adds_up(found):
    item = found.costs.set_index("item")
    for side in ("baseline", "mean"):
        sums = item[side]
        saved = sums["alone"] - sums["joint"] - sums["startup"] - sums["programme"]
        assert sums["saving"] == pytest.approx(saved)
    # The joint secretariat is in place at the start, and members pay for it.
    assert item.loc["programme", "mean"] > item.loc["programme", "baseline"] > 0.0


def test_a_run_that_ends_earlier_is_the_beginning_of_a_longer_one(found, scenario):
    assert found.years.tolist() == [1, 2, 3, 4, 4.5]
    short = region_outlook(scenario.with_(horizon=8), CODE, "team", futures={}, runs=RUNS, seed=3)
    assert np.array_equal(found.paths[:, :2], short.paths)
    saving = found.costs.set_index("item").loc["saving", "difference"]
    assert found.paths[:, -1].mean() == pytest.approx(saving)


def test_channels_add_up_to_net_benefit(found, results):
    table = results.regions
    here = table[(table["region"] == CODE)].groupby("strategy", observed=True)
    parts = here[["realised_benefit", *found.channels["channel"]]].sum()
    assert parts["realised_benefit"].to_numpy() == pytest.approx(
        parts[list(found.channels["channel"])].sum(axis=1).to_numpy()
    )
    assert np.isfinite(found.channels["difference"]).all()


def test_prospects_are_ranked_and_leave_out_partners(found):
    table = found.prospects
    assert table["gain"].is_monotonic_decreasing
    assert (table["both"] <= table["share"]).all()
    pairs = set(zip(table["area"], table["region"], strict=True))
    assert ("waste", "34.71") in pairs
    assert ("wastewater", "34.71") not in pairs, "they share it already"


def test_contracts_name_their_provider_and_buyers(scenario):
    only = {"form": "contract", "bodies": [], "parameters.misperception": 0.12}
    found = region_outlook(scenario.with_(only), CODE, "team", futures={}, runs=RUNS, seed=3)
    table = found.prospects
    assert (table["contract"] == 1.0).any()
    assert table["provides"].between(0.0, table["contract"]).all()
    partners = found.partners
    own = partners["region"] == CODE
    joined = partners.merge(partners[own], on=["strategy", "area"], suffixes=("", "_own"))[
        ~own.to_numpy()
    ]
    # Others provide in no more runs than it buys in, and buy in no more than it provides in.
    assert (joined["provides"] <= joined["buys_own"] + 1e-9).all()
    assert (joined["buys"] <= joined["provides_own"] + 1e-9).all()
    assert joined["share"].to_numpy() == pytest.approx(
        (joined["provides"] + joined["buys"]).to_numpy()
    )


def test_partners_are_shares_of_runs(found):
    table = found.partners.set_index(["strategy", "area", "region"])["share"]
    assert table.between(0, 1).all()
    for (strategy, area, _code), share in table.items():
        assert share <= table[strategy, area, CODE]


@pytest.mark.parametrize(("word", "right"), [("34.4", "34.04"), ("sleman", "34.04")])
def test_unknown_codes_get_the_nearest_spelling(scenario, word, right):
    with pytest.raises(InputError, match=f"did you mean '{right}'"):
        region_outlook(scenario, word, "team", runs=2)


def test_unknown_strategies_are_refused(scenario):
    with pytest.raises(InputError, match="did you mean 'team'"):
        region_outlook(scenario, CODE, "teem", runs=2)
    with pytest.raises(InputError, match="two different strategies"):
        region_outlook(scenario, CODE, "voluntary", runs=2)


@pytest.mark.parametrize("number", [-1.0, float("nan"), 1.0])
def test_thresholds_out_of_range_are_refused(scenario, number):
    with pytest.raises(InputError, match="practical_threshold"):
        region_outlook(scenario, CODE, "team", runs=2, futures={}, practical_threshold=number)


def test_the_headline_has_range_futures_and_verdict(varied):
    text = benefit_headline(varied).text
    assert "over plausible assumptions" in text
    assert re.search(r"gains in \d+ of 24 futures and loses in \d+", text)
    assert text.endswith(verdict_sentence(varied.benefit["verdict"], varied.criteria,
                                          is_region=True))  # fmt: skip


def test_a_page_of_one_future_says_that_assumptions_were_not_varied(found):
    assert "Assumptions were not varied" in " ".join(answer_section(found).paragraphs)


@pytest.mark.parametrize("spoken", ["en", "id"])
@pytest.mark.parametrize("kind", ["found", "varied"])
def test_the_page_needs_nothing_else(request, tmp_path, spoken, kind):
    i18n.set_language(spoken)
    found = request.getfixturevalue(kind)
    text = write_region(found, tmp_path / "page.html", facts=FACTS).read_text(encoding="utf-8")
    assert f'<html lang="{spoken}">' in text
    assert "28/2018" in text
    assert "kolabsim region here" in text
    sections = re.findall(r'<section id="(\w+)"', text)
    assert sections[0] == "answer"
    assert sections[-3:] == ["uncertainty", "assumptions", "reproduce"]
    assert "DPRD" in text
    assert text.count("<svg") == 3
    assert not re.search(r"<script|\bsrc=|<link|\bnan\b", text)


def test_a_region_without_contacts_has_a_page_too(tmp_path):
    (tmp_path / "r.csv").write_text("code,population\nA,5000\nB,9000\n", encoding="utf-8")
    text = "regions: {table: r.csv}\ncontacts: {nearest: 0}\nfamilies: [administration]\n"
    (tmp_path / "s.yaml").write_text(text + "horizon: 4\n", encoding="utf-8")
    found = region_outlook(Scenario.load(tmp_path / "s.yaml"), "A", "team", futures={}, runs=3)
    assert found.break_even() is None
    text = write_region(found, tmp_path / "page.html", facts=FACTS).read_text(encoding="utf-8")
    assert "There are no prospective partners" in text


def test_only_what_gains_is_called_best(found):
    """Where nothing promises a gain, the page says so and lists nothing as best."""
    assert {"gains"} >= {*best_verdicts(found)}
    nothing = replace(found, prospects=found.prospects.assign(verdict=SAME))
    section = potential_section(nothing)
    assert "None of them clearly promises a gain to Kabupaten Sleman." in section.paragraphs
    assert [table.caption for table in select(Table, section.blocks)] == [
        table.caption for table in select(Table, potential_section(found).blocks)
    ][-1:]


def best_verdicts(found):
    """The verdicts of all rows that the page lists as best."""
    captions = ("Best prospective",)
    tables = select(Table, potential_section(found).blocks)
    best = [table for table in tables if table.caption.startswith(captions)]
    return [cells[0].verdict for table in best for _head, cells in table.rows]
