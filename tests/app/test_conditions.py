"""Times, payers and budgets of a user's levers, and strategies that are kept under a name."""

from dataclasses import replace
from urllib.parse import parse_qsl

import numpy as np
import pytest
import yaml

from kolabsim.app.comparing import (
    measures_html,
    overview_chart,
    overview_html,
    own_strategies,
    regions_html,
    session_of,
    strategies_file,
    summarise,
)
from kolabsim.app.conditions import (
    NAMES,
    describe_phases,
    describe_times,
    phases_of,
    presets,
)
from kolabsim.app.kept import MOST_KEPT, Kept, clean_name, free_name, keys_of, write_as_scenario
from kolabsim.app.session import YOURS, Session
from kolabsim.app.settings import SHOWN, Settings, read_query
from kolabsim.app.uploads import Upload
from kolabsim.errors import Problems
from kolabsim.i18n import LANGUAGES, speaking
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.experiment import Experiment
from tests.builders import make_scenario, region_rows

SET = Settings(
    start="full_package",
    levers={"ngo": 0.5},
    conditions={
        "budget": 2e9, "until": 8, "paid_by": "tier", "mechanisms.team.until": 10,
        "mechanisms.team.phase_out": 2, "support.ngo.paid_by": "ngo",
    },
    kept=(
        Kept("Ours & theirs", "forum", {"team": 1.0}, {"mechanisms.team.from": 4}),
        Kept("Hutan #2", "grants", {}, {"budget": 123456789.25}),
    ),
)  # fmt: skip


def read(query):
    problems = Problems()
    return read_query(parse_qsl(query, keep_blank_values=True), problems), [
        p.message for p in problems.found
    ]


def test_an_address_carries_conditions_and_kept_strategies():
    assert read(SET.query) == (SET, [])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("until=0", "until: 0 is not a whole number from 1 to 400"),
        ("mechanisms.team.from=2.5", "mechanisms.team.from: 2.5 is not a whole number"),
        ("budget=-1", "budget: -1 is not a number from 0"),
        ("budget=nan", "budget: nan is not a number from 0"),
        ("paid_by=tiers", "'tiers' is not known here; did you mean 'tier'"),
        ("mechanisms.team.untl=3", "'mechanisms.team.untl' is not known here; did you mean"),
        ("kept.1=start%3Dteam", "a kept strategy in this address has no name"),
        ("kept.1=name%3Da%26start%3Dteam%26until%3D-3", "until: -3 is not a whole number"),
        ("kept.1=name%3Da%26start%3Dteam&kept.2=name%3Da%26start%3Dteam", "'a' is kept twice"),
        ("kept.1=name%3Da%26start%3Dteam%26until%3D", "until: '' is not a whole number"),
        ("kept.1=name%3Da%26start%3Dteam%26budget%3D1%26budget%3D2", "'budget' is in this address"),
        ("kept.1=name%3Da%26start%3Dteam%26support.ngo%3D7", "support.ngo: 7 is not a number"),
        (f"kept.1=name%3D{'a' * 61}%26start%3Dteam", f"'{'a' * 60}' cannot name a strategy"),
        ("kept.1=name%3Da%00b%26start%3Dteam", "'a b' cannot name a strategy"),
    ],
)
def test_what_an_address_cannot_mean_is_told(query, message):
    _settings, problems = read(query)
    assert len(problems) == 1
    assert problems[0].startswith(message)


def test_an_address_holds_six_strategies_and_no_more():
    many = "&".join(f"kept.{k}=name%3Ds{k}%26start%3Dteam" for k in range(MOST_KEPT + 1))
    settings, problems = read(many)
    assert len(settings.kept) == MOST_KEPT
    assert problems == ["6 strategies are side by side at most; remove one first"]


def levers_of(settings, scenario):
    strategy = Session(settings, scenario).scenario.strategies[YOURS]
    return strategy, {
        name: [(p.from_, p.until, p.phase_out, p.paid_by) for p in phases]
        for name, phases in strategy.levers.items()
    }


def test_conditions_are_in_the_strategy_that_is_simulated(scenario):
    strategy, levers = levers_of(SET, scenario)
    assert strategy.budget == 2e9
    assert levers["forum"] == [(0, 8, 0, "tier")]
    assert levers["team"] == [(0, 10, 2, "tier")], "a lever's own end comes first"
    assert levers["ngo"] == [(0, 8, 0, "ngo")]


def test_an_end_for_all_cuts_phases_and_leaves_out_what_never_begins(scenario):
    phases = [{"intensity": 0.2, "until": 4}, {"intensity": 0.4, "from": 6, "phase_out": 2}]
    mandate = {"groups": [["34.71", "34.04"]], "from": 2}
    rich = scenario.with_(
        {"strategies.rich": {
            "mechanisms": {"team": phases, "forum": {"intensity": 0.1, "from": 9}},
            "mandates": [mandate], "budget": 5e9}}
    )  # fmt: skip
    settings = Settings(start="rich", conditions={"until": 8, "phase_out": 1, "paid_by": "centre"})
    strategy, levers = levers_of(settings, rich)
    assert levers == {"team": [(0, 4, 0, "centre"), (6, 8, 1, "centre")]}
    assert [(m.from_, m.until, m.paid_by) for m in strategy.mandates] == [(2, 8, "centre")]
    assert strategy.budget == 5e9, "that of the strategy itself"


@pytest.mark.parametrize("name", NAMES)
def test_every_condition_changes_the_policy(scenario, name):
    value = {"from": 2, "until": 3, "phase_out": 2, "paid_by": "business", "budget": 1e6}
    kind, *_rest, lever = ("", name) if "." not in name else name.split(".")[:2]
    moved = {lever: 0.9} if kind else {"team": 0.9}
    start = Settings(start="voluntary", levers=moved)
    key = name.rpartition(".")[2]
    one, other = (
        Session(settings, scenario).policies[1]
        for settings in (start, start.under(name, value[key]))
    )
    assert any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def test_presets_are_those_that_people_ask_for(scenario):
    province, budget = presets(scenario)
    assert province.conditions == {"paid_by": "tier", "until": 12}
    assert budget.conditions == {"budget": 2e9}
    assert budget.label == "2 billion rupiah a year"
    with speaking("id"):
        assert [one.label for one in presets(scenario)] == [
            "Provinsi membayar selama tiga tahun", "2 miliar rupiah per tahun",
        ]  # fmt: skip


def test_presets_fit_regions_without_tiers_and_another_currency():
    rows = [{key: v for key, v in row.items() if key != "tier"} for row in region_rows(4)]
    (budget,) = presets(make_scenario(rows, currency="EUR"))
    digits = f"{budget.conditions['budget']:.15g}".rstrip("0")
    assert len(digits) == 1
    assert budget.label.endswith("euro a year")


def test_times_are_told_in_words(scenario):
    conditions = {"from": 4, "phase_out": 3, "paid_by": "tier"}
    strategy = scenario.strategies["forum"]
    told = describe_times(phases_of(strategy, "forum", 0.6, conditions, scenario), scenario)
    assert told == (
        "2027, quarter 1 to 2028, quarter 4, phased out over 3 quarters; paid by the higher tier"
    )
    whole = describe_times(phases_of(strategy, "forum", 0.6, {}, scenario), scenario)
    assert whole == "all 3 years; paid by members"
    none = phases_of(strategy, "forum", 0.6, {"mechanisms.forum.from": 12}, scenario)
    assert describe_times(none, scenario) == "never in force"


# Side by side -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def columns(scenario):
    upload = Upload(scenario, extends="kartamantul")
    other = replace(SET, seed=9)  # no other test finds these few runs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kolabsim.app.work.RUNS", (30,))
        return {
            one.name: summarise(session_of(one, other, scenario, upload))
            for one in (Kept("<b>", "voluntary"), Kept("Forum", "forum", {}, {"budget": 1e9}))
        }


def test_a_kept_strategy_that_is_the_baseline_changes_nothing(columns):
    same = columns["<b>"]
    assert all(one.value == 0 for one in same.differences.values())
    assert (same.cost.low, same.cost.value, same.cost.high) == (0, 0, 0)
    assert same.gainers == same.losers == ()


def test_a_forum_with_a_budget_costs_at_most_that_and_what_the_rest_costs_more(columns):
    cost = columns["Forum"].cost
    assert 0 < cost.low <= cost.value <= 1.1e9


@pytest.mark.parametrize("lang", LANGUAGES)
def test_tables_and_chart_show_each_strategy_and_escape_its_name(columns, scenario, lang):
    names = [*columns, "Later"]
    with speaking(lang):
        overview = overview_html(names, columns, scenario)
        measures = measures_html(names, columns, scenario)
        regions = regions_html(names, columns, scenario)
        chart = overview_chart(names, columns, scenario)
    assert "<b>&lt;b&gt;" not in overview
    assert "&lt;b&gt;" in overview
    assert overview.count("<tr>") == 4, "the head, two results, and one on its way"
    assert measures.count("<tr>") == 1 + len(SHOWN)
    assert regions.count("<tr>") == 1 + len(scenario.regions)
    assert [axis["data"] for axis in chart.options["yAxis"]] == [["<b>", "Forum"]] * 2
    for axis, series in zip(chart.options["xAxis"], chart.options["series"][::2], strict=True):
        for line in series["data"]:
            assert axis["min"] <= line["coords"][0][0] <= line["coords"][1][0] <= axis["max"]


def test_the_file_is_an_experiment_and_opens_again_as_a_scenario(scenario, tmp_path):
    upload = Upload(scenario, extends="kartamantul")
    path = tmp_path / "strategies.yaml"
    path.write_text(strategies_file(SET, scenario, upload), encoding="utf-8")
    experiment = Experiment.load(path)
    assert [*experiment.strategies] == ["voluntary", "ours_theirs", "hutan_2"]
    write_as_scenario(path)
    opened = Scenario.load(path)
    kept = own_strategies(opened, Scenario.load("kartamantul"))
    assert [one.name for one in kept] == ["Ours & theirs", "Hutan #2"]
    for one, other in zip(SET.kept, kept, strict=True):
        here = session_of(one, SET, scenario, upload).scenario.strategies[YOURS]
        assert opened.strategies[other.start].plain_levers()["mandates"] == []
        there = session_of(other, SET, opened.with_(horizon=12), upload).scenario.strategies[YOURS]
        assert there.plain_levers() == here.plain_levers()


def test_another_file_stays_as_it_is(tmp_path):
    path = tmp_path / "scenario.yaml"
    for text in (
        "extends: kartamantul\n",
        "kind: comparison\nscenario: kartamantul\n",
        "{",
        "- 1\n",
    ):
        path.write_text(text, encoding="utf-8")
        write_as_scenario(path)
        assert path.read_text(encoding="utf-8") == text


def test_names_are_clean_free_and_keys_of_a_file():
    assert clean_name("  a\n\tb\u202ec  ") == "a b c"
    assert len(clean_name("x" * 500)) == 60
    kept = (Kept("Ours", "team"), Kept("OURS!", "team"), Kept("団体", "team"), Kept("2", "team"))
    assert free_name("Ours", kept) == "Ours 2"
    keys = keys_of(kept, {"ours": 1})
    assert len({*keys, "ours"}) == 5
    assert yaml.safe_load("\n".join(f"{key}: 1" for key in keys)).keys() == set(keys)


def test_phases_of_a_lever_are_told_in_words(scenario):
    phases = [{"intensity": 1, "until": 4}, {"intensity": 0.25, "from": 6}]
    found = scenario.with_({"strategies.team.mechanisms.team": phases}).strategies["team"]
    assert describe_phases(found.levers["team"], scenario) == (
        "2026, quarter 1 to 2026, quarter 4: 1; 2027, quarter 3 to 2028, quarter 4: 0.25"
    )
