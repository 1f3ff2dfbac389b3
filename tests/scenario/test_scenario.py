import json
import math
import pickle
import re
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kolabsim.errors import EditionWarning, InputError, RenamedWarning
from kolabsim.model.areas import AREA_ATTRIBUTES, FAMILIES
from kolabsim.model.first_edition import FIRST_EDITION
from kolabsim.model.levers import LEVERS
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.scenario import Scenario, schema, shipped, shipped_names

TABLE = """\
code,name,population,latitude,longitude,tier,hdi
34.71,Yogyakarta,415605,-7.80,110.37,DIY,88
34.04,Sleman,1157292,-7.68,110.34,DIY,84
34.02,Bantul,1006692,-7.90,110.37,DIY,81
34.10,Klaten,1302648,-7.68,110.62,Jateng,76
"""
START = """\
regions:
  table: regions.csv
families: [infrastructure]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a table of four regions, which is where we are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def load(folder):
    """Load a scenario that begins like START and goes on like this."""

    def load(text: str = "", *, start: str = START, name: str = "x.yaml") -> Scenario:
        (folder / name).write_text(start + text, encoding="utf-8")
        return Scenario.load(name)

    return load


@pytest.fixture
def problems_of(load):
    """The problems of such a scenario, one text each."""

    def problems_of(text: str = "", *, start: str = START) -> list[str]:
        with pytest.raises(InputError) as caught:
            load(text, start=start)
        return [str(problem) for problem in caught.value.problems]

    return problems_of


# What a scenario says -----------------------------------------------------------------------------


def test_three_lines_make_a_scenario_with_all_defaults(load) -> None:
    scenario = load()
    assert scenario.name == "x"
    assert scenario.regions.codes == ("34.02", "34.04", "34.10", "34.71")
    assert list(scenario.areas) == list(FAMILIES["infrastructure"])
    assert (scenario.horizon, scenario.start_year, scenario.cap) == (40, 2026, 16)
    assert (scenario.form, scenario.shares, scenario.consent, scenario.decision) == (
        "choice", "population", "three_quarters", "best_response",
    )  # fmt: skip
    assert (scenario.contacts.nearest, scenario.contacts.list) == (8, ())
    assert scenario.parameters == {}
    assert "voluntary" in scenario.strategies
    assert not scenario.strategies["voluntary"].levers
    assert scenario.title("id") == "x"
    assert {path.name for path in scenario.files} == {"x.yaml", "regions.csv", "strategies.yaml"}


def test_titles_are_read_in_one_or_both_languages(load) -> None:
    both = load("title: {en: Towns, id: Kota}\ndescription: Some words\n")
    assert (both.title("en"), both.title("id")) == ("Towns", "Kota")
    assert both.description("id") == "Some words"
    assert load("title: {id: Kota}\n").title("en") == "Kota"


def test_areas_are_changed_and_added(load) -> None:
    scenario = load(
        "areas:\n"
        "  waste: {haul: 0.1, cost_per_resident: 40000}\n"
        "  sports: {efficient_scale: 50000, curvature_below: 0.1, curvature_above: 0.02,\n"
        "           difficulty: 0.5, spillover: 0.1, haul: 0}\n"
    )
    assert scenario.areas["waste"].haul == 0.1
    assert scenario.areas["waste"].efficient_scale == 2_000_000
    assert scenario.areas["sports"].efficient_scale == 50_000
    assert scenario.areas["sports"].cost_per_resident == 1.0


def test_levers_become_phases_with_nothing_left_open(load) -> None:
    scenario = load(
        "horizon: 20\n"
        "groups: {city: ['34.71', '34.04']}\n"
        "mechanisms: {monitoring: 0.2}\n"
        "strategies:\n"
        "  mine:\n"
        "    title: {en: Mine}\n"
        "    mechanisms:\n"
        "      team: 0.6\n"
        "      forum: {intensity: 0.5, members: [city, [34.02, 34.10]], from: 4, areas: [waste]}\n"
        "      planning: [{intensity: 0.3, until: 8}, {intensity: 0.6, from: 8, paid_by: centre}]\n"
        "    support:\n"
        "      ngo: 0.4\n"
        "      government: {intensity: 1, targets: [city, '34.02'], share: 0.5, budget: 5.0e9}\n"
        "    mandates:\n"
        "      - {groups: [city], areas: [waste], from: 2, until: 6}\n"
    )
    mine = scenario.strategies["mine"]
    every = tuple(scenario.areas)
    assert (mine.title("id"), mine.name) == ("Mine", "mine")
    (team,) = mine.mechanisms["team"]
    assert (team.intensity, team.from_, team.until, team.areas) == (0.6, 0, 20, every)
    assert team.paid_by == "members"
    (forum,) = mine.levers["forum"]
    assert forum.members == (("34.04", "34.71"), ("34.02", "34.10"))
    assert (forum.from_, forum.areas) == (4, ("waste",))
    assert [(p.intensity, p.from_, p.until, p.paid_by) for p in mine.mechanisms["planning"]] == [
        (0.3, 0, 8, "members"), (0.6, 8, 20, "centre"),
    ]  # fmt: skip
    (ngo,) = mine.support["ngo"]
    assert (ngo.targets, ngo.share, ngo.budget, ngo.paid_by) == ("all", 0.3, None, "supporter")
    (government,) = mine.support["government"]
    assert government.targets == ("34.02", "34.04", "34.71")
    assert (government.share, government.budget) == (0.5, 5e9)
    (mandate,) = mine.mandates
    assert mandate.groups == (("34.04", "34.71"),)
    assert (mandate.areas, mandate.from_, mandate.until) == (("waste",), 2, 6)
    assert scenario.mechanisms["monitoring"][0].intensity == 0.2
    assert load("mechanisms: {forum: 1}").mechanisms["forum"][0].members == "tiers"


def test_strategies_that_ship_are_there_and_can_be_changed_in_part(load) -> None:
    scenario = load("strategies: {team: {mechanisms: {team: {until: 8}, forum: 0.1}}}\n")
    (team,) = scenario.strategies["team"].mechanisms["team"]
    assert (team.intensity, team.until) == (0.6, 8)
    assert scenario.strategies["team"].mechanisms["forum"][0].intensity == 0.1
    assert scenario.strategies["team"].title("en") == "Coordination team"
    assert scenario.strategies["mandate"].mandates[0].groups == "tiers"


def test_bodies_changes_and_population(load) -> None:
    scenario = load(
        "form: contract\n"
        "bodies: [{area: waste, members: [34.71, 34.10], provider: 34.10, began: -8,"
        " source: somewhere}]\n"
        "population: {growth: 0.01}\n"
        "changes:\n"
        "  - {what: stress, add: 0.2, from: 8, until: 16, regions: ['34.71']}\n"
        "  - {what: demand, factor: 1.3, areas: [waste]}\n"
    )
    (body,) = scenario.bodies
    assert (body.area, body.form, body.members) == ("waste", "contract", ("34.10", "34.71"))
    assert body.provider == "34.10"
    assert (body.began, body.mandated) == (-8, False)
    growth, stress, demand = scenario.changes
    assert (growth.what, growth.growth, growth.regions, growth.until) == (
        "population",
        0.01,
        "all",
        40,
    )
    assert (stress.add, stress.from_, stress.until, stress.regions) == (0.2, 8, 16, ("34.71",))
    assert (demand.factor, demand.areas) == (1.3, ("waste",))


def test_codes_written_without_quotes_keep_their_last_zero(load) -> None:
    assert load("groups: {g: [34.10, 34.71]}\n").groups == {"g": ("34.10", "34.71")}


def test_regions_can_be_synthetic(load) -> None:
    start = "regions: {synthetic: {number: 12, median_population: 1000, tiers: 3}}\n"
    scenario = load(start=start + "families: [administration]\n")
    assert len(scenario.regions) == 12
    assert scenario.regions.capacity.shape == (12, 4)


def test_a_user_defined_rule_is_named_with_its_file(load, folder, problems_of) -> None:
    (folder / "my_rules.py").write_text("", encoding="utf-8")
    scenario = load(
        "extensions: [my_rules.py]\ndecision: cautious\nparameters: {cautious.patience: 0.5}\n"
    )
    assert [path.name for path in scenario.extensions] == ["my_rules.py"]
    assert scenario.parameters == {"cautious.patience": 0.5}
    assert problems_of("extensions: [my_rule.py]\n") == [
        "x.yaml:4:14: extensions.0: my_rule.py: there is no such file; did you mean 'my_rules.py'?"
    ]


def test_built_in_rules_have_parameters_of_their_own(load, problems_of) -> None:
    assert load("decision: logit\nparameters: {logit.temperature: 0.05}\n").parameters == {
        "logit.temperature": 0.05
    }
    (unknown,) = problems_of("parameters: {logit.temprature: 0.05}\n")
    assert unknown == (
        "x.yaml:4:14: parameters.logit.temprature: not a parameter;"
        " did you mean 'logit.temperature'?"
    )
    (outside,) = problems_of("parameters: {logit.temperature: -1}\n")
    assert outside.startswith("x.yaml:4:33: parameters.logit.temperature: -1.0 is not allowed")


# Inheritance --------------------------------------------------------------------------------------


def test_a_scenario_extends_its_parent(load, folder) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "child.yaml").write_text(
        "extends: ../x.yaml\nhorizon: 8\nareas: {waste: {haul: 0.2}}\nfamilies: [infrastructure]\n"
        "parameters: {past_trust: 0.2}\nbodies: []\n",
        encoding="utf-8",
    )
    parent = load(
        "horizon: 20\nconsent: open\nareas: {waste: {spillover: 0.1}}\n"
        "parameters: {learning: 0.4}\nbodies: [{area: waste, members: ['34.71', '34.04']}]\n"
    )
    child = Scenario.load("below/child.yaml")
    assert (child.horizon, child.consent) == (8, "open")
    assert (child.areas["waste"].haul, child.areas["waste"].spillover) == (0.2, 0.1)
    assert child.parameters == {"learning": 0.4, "past_trust": 0.2}
    assert child.bodies == ()
    # The path of the table stands in the parent, and starts from there.
    assert child.regions == parent.regions


def test_made_up_regions_replace_a_table_and_the_reverse(load, folder) -> None:
    synthetic = "regions: {synthetic: {number: 3, median_population: 10}}\n"
    load(name="table.yaml")
    assert len(load(start="extends: table.yaml\n" + synthetic).regions) == 3
    load(start=synthetic + "families: [administration]\n", name="made.yaml")
    assert len(load(start="extends: made.yaml\nregions: {table: regions.csv}\n").regions) == 4


def test_parents_that_are_not_there_or_extend_their_children(load, problems_of, folder) -> None:
    assert problems_of("extends: kartamantl\n") == [
        "x.yaml:4:10: extends: there is no scenario 'kartamantl'; did you mean 'kartamantul'?"
    ]
    (folder / "y.yaml").write_text("extends: x.yaml\n", encoding="utf-8")
    (problem,) = problems_of("extends: y.yaml\n")
    assert problem == (
        "y.yaml:1:10: extends: a scenario cannot extend itself: x.yaml -> y.yaml -> x.yaml"
    )


def test_problems_of_parent_and_child_are_reported_together(problems_of, folder) -> None:
    (folder / "parent.yaml").write_text("horizn: 8\nform: bord\n", encoding="utf-8")
    assert problems_of("extends: parent.yaml\ncap: 99\n") == [
        "parent.yaml:1:1: horizn: unknown key; did you mean 'horizon'?",
        "parent.yaml:2:7: form: 'bord' is not known here; did you mean 'board'?",
        "x.yaml:5:6: cap: 99 is too large; allowed: at most 16",
    ]


# Changes ------------------------------------------------------------------------------------------


def test_with_changes_a_copy_and_nothing_else(load) -> None:
    scenario = load("parameters: {past_trust: 0.2}\nareas: {waste: {haul: 0.3}}\n")
    before = scenario.resolved()
    changed = scenario.with_(
        {"areas.waste.haul": 0.1, "strategies.team.mechanisms.team.intensity": 0.9},
        horizon=20,
        **{"parameters.quality_value": 0.7, "parameters.logit.temperature": 0.05},
    )
    assert scenario.resolved() == before
    assert changed.horizon == 20
    assert changed.areas["waste"].haul == 0.1
    assert changed.strategies["team"].mechanisms["team"][0].intensity == 0.9
    assert changed.strategies["team"].mechanisms["team"][0].until == 20
    assert changed.parameters == {
        "past_trust": 0.2, "quality_value": 0.7, "logit.temperature": 0.05,
    }  # fmt: skip
    # Regions are read once and shared.
    assert changed.regions is scenario.regions
    assert changed.with_(horizon=40).horizon == 40


def test_with_takes_lists_numpy_numbers_and_positions(load) -> None:
    scenario = load("bodies: [{area: waste, members: ['34.71', '34.04']}]\n")
    changed = scenario.with_(
        {
            "bodies.0.form": "lead",
            "parameters.past_trust": np.float64(0.25),
            "horizon": np.int64(8),
            "changes": [{"what": "demand", "factor": 2}],
        }
    )
    assert changed.bodies[0].form == "lead"
    assert changed.bodies[0].members == ("34.04", "34.71")
    assert changed.parameters == {"past_trust": 0.25}
    assert (changed.horizon, changed.changes[0].factor) == (8, 2.0)


def test_with_changes_a_key_of_items_in_one_of_them_or_in_all(load) -> None:
    scenario = load(
        "mechanisms: {team: [{intensity: 0.5, until: 10}, {intensity: 0.8, from: 20}]}\n"
    )

    def team(changes):
        phases = scenario.with_(changes).mechanisms["team"]
        return [(phase.from_, phase.until, phase.intensity) for phase in phases]

    last = scenario.horizon
    assert team({"mechanisms.team.1.intensity": 0.3}) == [(0, 10, 0.5), (20, last, 0.3)]
    assert team({"mechanisms.team.intensity": 0.3}) == [(0, 10, 0.3), (20, last, 0.3)]
    assert team({"mechanisms.team": 0.3}) == [(0, last, 0.3)]


def test_with_reports_all_problems_with_the_nearest_spelling(load) -> None:
    scenario = load()
    with pytest.raises(InputError) as caught:
        scenario.with_({"parameters.qualty_value": 1, "horizn": 2, "areas.waste.hual": 1,
                        "mechanisms.forum": 1.4, "groups.g": [34.71], "extends": "y.yaml",
                        "parameters.past_trust": math.nan})  # fmt: skip
    assert {str(problem) for problem in caught.value.problems} == {
        "parameters.qualty_value: not a parameter; did you mean 'quality_value'?",
        "horizn: unknown key; did you mean 'horizon'?",
        "areas.waste.hual: unknown key; did you mean 'haul'?",
        "mechanisms.forum.intensity: 1.4 is too large; allowed: at most 1",
        "groups.g.0: 34.71 is not text; write it in quotes",
        "extends: a loaded scenario keeps its parent",
        "parameters.past_trust: nan is not a finite number",
    }
    deep: list[object] = []
    deep.append(deep)
    with pytest.raises(InputError) as caught:
        scenario.with_({"horizon": object(), "bodies": deep, "cap": 1})
    assert {
        "horizon: a value of type object cannot be part of a scenario",
        "bodies: nested more than 50 deep",
        "cap: 1 is too small; allowed: at least 2",
    } <= {str(problem) for problem in caught.value.problems}


# What is wrong ------------------------------------------------------------------------------------


def test_all_problems_of_a_scenario_are_reported_at_once(problems_of) -> None:
    assert problems_of(
        "horizon: sepuluh\n"
        "form: bord\n"
        "parameters:\n"
        "  pasttrust: 0.2\n"
        "  learning: 1.5\n"
        "  notice: high\n"
        "  startup_cost: -1.0\n"
        "  exit_base: 1.0e+300\n"
        "strategies:\n"
        "  mine:\n"
        "    mechanisms: {forun: 0.6, team: 1.4}\n"
        "    support:\n"
        "      ngo: {intensity: 0.6, targets: smalest}\n"
    ) == [
        "x.yaml:4:10: horizon: 'sepuluh' is not a whole number",
        "x.yaml:5:7: form: 'bord' is not known here; did you mean 'board'?",
        "x.yaml:7:3: parameters.pasttrust: not a parameter; did you mean 'past_trust'?",
        "x.yaml:8:13: parameters.learning: 1.5 is not allowed; allowed: 0 to 0.99 share/year"
        " (sensitivity analyses try 0.08 to 0.4)",
        "x.yaml:9:11: parameters.notice: 'high' is not a number",
        "x.yaml:10:17: parameters.startup_cost: -1.0 is not allowed; allowed: at least 0"
        " (sensitivity analyses try 0.08 to 0.5)",
        "x.yaml:11:14: parameters.exit_base: 1e+300 is not allowed; allowed: 0 to 1e+18 1/year"
        " (sensitivity analyses try 0.2 to 2.5)",
        "x.yaml:14:18: strategies.mine.mechanisms.forun: unknown key; did you mean 'forum'?",
        "x.yaml:14:36: strategies.mine.mechanisms.team.intensity: 1.4 is too large;"
        " allowed: at most 1",
        "x.yaml:16:38: strategies.mine.support.ngo.targets: 'smalest' is not known here;"
        " did you mean 'smallest'?",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("regoins: {}", "4:1: regoins: unknown key; did you mean 'regions'?"),
        ("horizon: 40\nhorizon: 41\ncap: 1", "5:1: 'horizon' is written twice, first on line 4"),
        ("horizon: 40\nhorizon: 41\ncap: 1", "6:6: cap: 1 is too small; allowed: at least 2"),
        ("horizon: 401", "4:10: horizon: 401 is too large; allowed: at most 400"),
        ("horizon: 1.5", "4:10: horizon: 1.5 is not a whole number"),
        ("horizon: true", "4:10: horizon: True is not a whole number"),
        ("shares: [a]", "4:9: shares: ('a',) is not known here; allowed: population, equal,"),
        ("currency: 5", "4:11: currency: 5 is not text; write it in quotes"),
        ("title: {fr: Villes}", "4:9: title.fr: 'fr' is not known here; allowed: en, id"),
        ("parameters: 5", "4:13: parameters: keys with values are needed here, and not 5"),
        ("parameters: {past_trust: .nan}", "4:26: parameters.past_trust: nan is not a finite"),
        ("parameters: {past_trust: 1e999}", "parameters.past_trust: 1e999 is not a finite number"),
        ("parameters: {past_trust: }", "4:25: parameters.past_trust: nothing is not a number"),
        ("areas: {sports: {haul: 0}}",
         "4:9: areas.sports: not an area of the families; allowed: waste, wastewater,"
         " drinking_water, transport; a new area needs efficient_scale, curvature_below,"
         " curvature_above, difficulty, spillover"),
        ("areas: {waste: {haul: 11}}",
         "4:23: areas.waste.haul: 11.0 is not allowed; allowed: 0 to 10 (sensitivity analyses"
         " try 0 to 0.6)"),
        ("areas: {Big Waste: {haul: 1}}", "4:9: areas.Big Waste: 'Big Waste' is not a name"),
        ("decision: logti", "4:11: decision: no decision rule 'logti'; did you mean 'logit'?;"),
        ("groups: {g: ['34.17', '34.71']}",
         "4:14: groups.g.0: no region has the code '34.17'; did you mean '34.71'?"),
        ("groups: {g: ['34.71', '34.71']}", "4:23: groups.g.1: '34.71' is listed twice"),
        ("groups: {'34.71': ['34.04']}", "groups.34.71: '34.71' is the code of a region"),
        ("bodies: [{area: wste, members: ['34.71', '34.04']}]",
         "4:17: bodies.0.area: 'wste' is not a service area of this scenario;"
         " did you mean 'waste'?"),
        ("bodies: [{area: waste, members: ['34.71']}]",
         "4:33: bodies.0.members: at least two regions are needed here"),
        ("bodies: [{area: waste, members: ['34.71', '34.04'], began: 3}]",
         "4:60: bodies.0.began: 3 is in the future: a body of the start began by quarter 0"),
        ("bodies: [{area: waste, members: ['34.71', '34.04'], began: 2030}]",
         "4:60: bodies.0.began: 2030 is in the future: a body of the start began by quarter 0, "
         "the first of 2026"),
        ("start_year: 2020\nbodies: [{area: waste, members: ['34.71', '34.04'], began: 2017}]",
         "5:60: bodies.0.began: 2017 is a year, and not a quarter: write -12 for its first"
         " quarter, counted from that of 2020"),
        ("bodies: [{area: waste, form: contract, members: ['34.71', '34.04']}]",
         "4:10: bodies.0: a contract needs a 'provider', one of its members: 34.04, 34.71"),
        ("bodies: [{area: waste, members: ['34.71', '34.04'], provider: 34.02}]",
         "4:63: bodies.0.provider: '34.02' is not a member of this body; did you mean '34.0"),
        ("bodies: [{area: waste, form: lead, members: ['34.71', '34.04'], provider: 34.71}]",
         "4:75: bodies.0.provider: only a contract has a provider; a lead has none"),
        ("bodies: [{area: waste, members: ['34.71', '34.04'], provider: ['34.71', '34.04']}]",
         "4:63: bodies.0.provider: a contract has one provider, and not a list"),
        ("bodies: [{area: waste, members: ['34.71', '34.04'], provider: 34.04},\n"
         "         {area: waste, members: ['34.02', '34.04'], provider: 34.02}]",
         "5:33: bodies.1.members: '34.04' is already in body 1 of this list for waste; a region"
         " has one role in an area, provider or buyer"),
        ("mechanisms: {team: {intensity: 1, price: 2}}",
         "4:42: mechanisms.team.price: 2 is too large; allowed: at most 1"),
        ("discount: 1.5", "4:11: discount: 1.5 is too large; allowed: at most 1"),
        ("areas: {waste: {form: bord}}",
         "4:23: areas.waste.form: 'bord' is not known here; did you mean 'board'?"),
        ("bodies: [{area: waste}]", "4:10: bodies.0.members: missing"),
        ("cap: 2\nbodies: [{area: waste, members: ['34.71', '34.04', '34.02']}]",
         "5:33: bodies.0.members: 3 regions; allowed: at most 2 (the scenario's cap)"),
        ("bodies: [{area: waste, members: ['34.71', '34.04']},\n"
         "         {area: waste, members: ['34.02', '34.04']}]",
         "5:33: bodies.1.members: '34.04' is already in body 1 of this list for waste"),
        ("cap: 2\nmandates: [{groups: [['34.71', '34.04', '34.02']]}]",
         "5:22: mandates.0.groups.0: 3 regions; allowed: at most 2 (the scenario's cap)"),
        ("mandates: [{groups: [['34.71', '34.04'], ['34.02', '34.04']]}]",
         "4:42: mandates.0.groups.1: '34.04' is already in list 1 here"),
        ("mandates: [{areas: all}]", "4:12: mandates.0.groups: missing"),
        ("mandates: [{groups: tier}]",
         "4:21: mandates.0.groups: 'tier' is not known here; did you mean 'tiers'?"),
        ("mechanisms: {forum: {intensity: 1, members: tiers, targets: all}}",
         "4:52: mechanisms.forum.targets: unknown key; allowed: from, until, areas, intensity,"),
        ("mechanisms: {forum: {from: 4}}", "4:21: mechanisms.forum.intensity: missing"),
        ("mechanisms: {team: {intensity: 1, from: 8, until: 8}}",
         "4:51: mechanisms.team.until: must be later than 'from', which is 8"),
        ("horizon: 20\nmechanisms: {team: [{intensity: 1}, {intensity: 1, until: 21}]}",
         "5:59: mechanisms.team.1.until: quarter 21 is not within the horizon of 20 quarters"),
        ("horizon: 20\nmechanisms: {team: {intensity: 1, from: 20}}",
         "5:41: mechanisms.team.from: quarter 20 is not within the horizon of 20 quarters"),
        ("mechanisms: {team: {intensity: 1, areas: [wste]}}",
         "4:43: mechanisms.team.areas.0: 'wste' is not a service area of this scenario;"),
        ("mechanisms: {team: {intensity: 1, paid_by: center}}",
         "4:44: mechanisms.team.paid_by: 'center' is not known here; did you mean 'centre'?"),
        ("support: {ngo: {intensity: 1, targets: list}}",
         "4:40: support.ngo.targets: 'list' is not known here;"),
        ("support: {ngo: {intensity: 1, budget: -1}}",
         "4:39: support.ngo.budget: -1 is too small; allowed: at least 0"),
        ("strategies: {voluntary: {mechanisms: {team: 0.1}}}",
         "4:25: strategies.voluntary: the baseline has no intervention;"),
        ("strategies: {two words: {}}", "4:14: strategies.two words: 'two words' is not a name"),
        ("strategies: {mine: 5}", "4:20: strategies.mine: keys with values are needed here"),
        ("changes: [{what: stress, factor: 2}]",
         "4:11: changes.0: a change of stress needs add, and nothing else"),
        ("changes: [{what: demand, factor: 2, growth: 0.1}]",
         "4:11: changes.0: a change of demand needs growth or factor, and nothing else"),
        ("changes: [{what: trust, add: -0.2}]",
         "4:11: changes.0: a change of trust needs factor, and nothing else"),
        ("changes: [{what: election, from: 4}]",
         "4:11: changes.0: an election needs reset, and no other size"),
        ("changes: [{what: trust, factor: 1.5}]",
         "4:33: changes.0.factor: 1.5 is too large; allowed: at most 1"),
        ("changes: [{what: trust, factor: 0.5, until: 8}]",
         "4:45: changes.0.until: a shock to trust happens once, in quarter 'from'; it has no end"),
        ("changes: [{what: stress, add: 0.1, every: 8}]",
         "4:43: changes.0.every: only an election recurs"),
        ("changes: [{what: election, reset: 1.2}]",
         "4:35: changes.0.reset: 1.2 is too large; allowed: at most 1"),
        ("changes: [{what: election, reset: 0.2, every: 0}]",
         "4:47: changes.0.every: 0 is too small; allowed: at least 1"),
        ("changes: [{what: election, reset: 0.2, areas: [waste]}]",
         "4:47: changes.0.areas: only demand can change in single areas"),
        ("population: {growth: 0.1, areas: [waste]}",
         "4:34: population.areas: only demand can change in single areas"),
        ("contacts: {nearest: -1}", "4:21: contacts.nearest: -1 is too small"),
        ("contacts: {list: contacts.csv}", "contacts.csv: there is no such file"),
        ("extends: indonesia\nfamilies: [administration, administration_indonesia]",
         "5:28: families.1: area 'finance' is in an earlier family too"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_reported_with_its_place_and_the_way_out(
    problems_of, text, problem
) -> None:
    start = START.replace("families", "# families") if "families" in text else START
    problems = problems_of(text + "\n", start=start)
    assert [p for p in problems if problem in p], problems


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        ("families: [infrastructure]\n", "x.yaml:1:1: regions: give either a 'table' or"),
        (START.replace("table: regions.csv", "table: region.csv"),
         "region.csv: there is no such file; did you mean 'regions.csv'?"),
        (START + "synthetic:\n", "synthetic: unknown key"),
        ("regions: {table: regions.csv}\n", "x.yaml:1:1: no service area; name 'families'"),
        ("regions: {table: regions.csv}\nfamilies: [infrastructur]\n",
         "x.yaml:2:12: families.0: 'infrastructur' is not known here; did you mean"),
        ("regions: {synthetic: {number: 0, median_population: 10}}\nfamilies: [administration]\n",
         "x.yaml:1:31: regions.synthetic.number: 0 is too small; allowed: at least 1"),
        ("regions: {synthetic: {number: 2, median_population: 1, tiers: 3}}\n"
         "families: [administration]\n",
         "x.yaml:1:63: regions.synthetic.tiers: there cannot be more tiers than regions"),
        # So many would take all memory: they are refused before they are generated.
        ("regions: {synthetic: {number: 3, median_population: 9, tiers: 1000000000000}}\n"
         "families: [administration]\n",
         "x.yaml:1:63: regions.synthetic.tiers: there cannot be more tiers than regions"),
        (START.replace("families", "  columns: {capacity: {column: hdi, from: [5], to: [0, 1],"
                       " reason: x}}\nfamilies"),
         "x.yaml:3:43: regions.columns.capacity.from: two numbers are needed here, such as"),
        ("regions: {synthetic: {median_population: 10}}\nfamilies: [administration]\n",
         "x.yaml:1:22: regions.synthetic.number: missing"),
        (START.replace("families", "  columns: {capacity: {column: hdi, from: [5, 5], to: [0, 1],"
                       " reason: x}}\nfamilies"),
         "x.yaml:3:23: regions.columns.capacity: the two values of 'from' must differ"),
        (START.replace("families", "  columns: {stress: {column: hdi, from: [5, 6], to: [0, 2],"
                       " reason: x}}\nfamilies"),
         "x.yaml:3:57: regions.columns.stress.to.1: 2 is too large; allowed: at most 1"),
        (START.replace("families", "  columns: {stress: {column: hdi, from: [5, 6], to: [0, 1]}}"
                       "\nfamilies"),
         "x.yaml:3:21: regions.columns.stress.reason: missing"),
        (START.replace("families", "  columns: {stress: {column: hdi, from: [5, 6], to: [0, 1],"
                       " reason: {en: x, id: ''}}}\nfamilies"),
         "regions.columns.stress.reason.id: empty"),
        (START.replace("families", "  columns: {interests: {wste: {column: hdi, from: [5, 6],"
                       " to: [1, 2], reason: x}}}\nfamilies"),
         "regions.columns.interests.wste: 'wste' is not a service area of this scenario; did"),
        (START.replace("families", "  columns: {culture: [{column: hdi, reason: x}]}\nfamilies"),
         "x.yaml:3:23: regions.columns.culture.0.scale: missing: the difference that is usual "
         "between two regions, such as the standard deviation of the column over many regions; "
         "that of this table is 4.38: write scale: 4.38"),
        (START.replace("families", "  columns: {culture: [{column: hdi, scale: 0, reason: x}]}\n"
                       "families"),
         "x.yaml:3:44: regions.columns.culture.0.scale: 0 is too small; allowed: above 0"),
        (START.replace("families", "  columns: {goodwill: {column: hdi, from: [60, 90],"
                       " to: [0, 2], reason: x}}\nfamilies"),
         "regions.columns.goodwill.to.1: 2 is too large; allowed: at most 1"),
        (START.replace("families", "  columns: {population: populasi}\nfamilies"),
         "regions.csv:1: there is no column 'populasi' for regions.columns.population; did you"),
    ],
)  # fmt: skip
def test_scenarios_without_regions_or_areas(problems_of, start, problem) -> None:
    (problem_found,) = problems_of(start=start)
    assert problem in problem_found


def test_a_former_key_still_works_with_one_warning_for_each_place(load) -> None:
    column = "{column: hdi, from: [60, 90], to: [0, 1], because: a trial}"
    columns = f"  columns:\n    stress: {column}\n    goodwill: {column}\nfamilies"
    start = START.replace("families", columns)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scenario = load(start=start)
        for _time in range(2):  # as for each of many futures
            scenario = scenario.with_(horizon=9)
    told = "'because' is now 'reason'; the next version refuses the old spelling"
    found = [str(one.message) for one in caught if one.category is RenamedWarning]
    assert found == [f"x.yaml:{line}: {told}" for line in (4, 5)]
    assert scenario.columns is not None
    assert scenario.columns.stress.reason["en"] == "a trial"


def test_files_of_the_first_edition_load_with_one_warning(load) -> None:
    """Settings with the same meaning are taken; the others are named with the reason."""
    text = (
        "parameters:\n  quality_value: 0.7\n  team_negotiation: 0.5\n  discount: 0.02\n"
        "  exit_base: 0.06\n  near_reach: 2\n  near_land: 3\n"
    )
    with pytest.warns(EditionWarning) as caught:
        scenario = load(text)
    (warning,) = caught
    assert str(warning.message) == (
        "x.yaml:6: this scenario is of the first edition of the model: "
        "'team_negotiation' is now 'team_strength'; "
        "'discount' is a key of the scenario now, outside 'parameters'; "
        "'exit_base' has no effect any more (leaving starts from distrust, so the number means "
        "something else); 'near_reach', 'near_land' have no effect any more (a constant now: "
        "results hardly depend on it, or another parameter is varied instead)"
    )
    assert scenario.parameters == {"quality_value": 0.7, "team_strength": 0.5}
    assert scenario.discount == 0.02
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scenario.with_(horizon=8).parameters == scenario.parameters
        assert load("parameters: {exit_base: 0.06}\n").parameters == {"exit_base": 0.06}
    with pytest.warns(EditionWarning, match="'conclude' has no effect any more"):
        assert not load().with_({"parameters.conclude": 0.3}).parameters


def test_every_parameter_of_the_first_edition_is_known() -> None:
    assert len(FIRST_EDITION) == 92
    for name, successor in FIRST_EDITION.items():
        assert bool(successor.name) != bool(successor.because), name
        assert not successor.name or successor.name in {*PARAMETERS, *Scenario.model_fields}
    kept = {name for name in FIRST_EDITION if name in PARAMETERS}
    assert {name for name in kept if FIRST_EDITION[name].because} == {"exit_base", "exit_trust"}


def test_a_payer_must_exist(problems_of, folder) -> None:
    text = "mechanisms: {team: {intensity: 1, paid_by: tier}}\n"
    (folder / "regions.csv").write_text(TABLE.replace(",tier", ",other"), encoding="utf-8")
    because = "these regions have no higher tier that could pay; give them a column 'tier', or"
    (problem,) = problems_of(text)
    assert problem.startswith(f"x.yaml:4:44: mechanisms.team.paid_by: {because}")
    (problem,) = problems_of("mandates: [{groups: [['34.71', '34.04']], paid_by: tier}]\n")
    assert problem.startswith(f"x.yaml:4:52: mandates.0.paid_by: {because}")


def test_a_provider_may_belong_to_a_group(load) -> None:
    bodies = "bodies: [{area: waste, members: [city], provider: 34.10}]\n"
    (body,) = load("groups: {city: [34.10, 34.71]}\n" + bodies).bodies
    assert (body.form, body.provider) == ("contract", "34.10")
    (body,) = load("bodies: [{area: waste, members: ['34.71', '34.04']}]\n").bodies
    assert (body.form, body.provider) == ("board", None)


def test_strategies_that_are_not_offered_are_compared_only_when_named() -> None:
    scenario = Scenario.load("kartamantul")
    assert {"team", "team_and_monitoring"} <= set(scenario.strategies)
    assert not {"team", "team_and_monitoring"} & set(scenario.offered)
    assert scenario.mechanisms["team"][0].intensity == 0.6


def test_what_is_wrong_does_not_make_more_look_wrong(problems_of) -> None:
    """A horizon, areas or groups that cannot be read say nothing about what refers to them."""
    assert len(problems_of("horizon: many\nmechanisms: {team: {intensity: 1, until: 60}}\n")) == 1
    assert len(problems_of("areas: 5\nmechanisms: {team: {intensity: 1, areas: [sports]}}\n")) == 1
    assert len(problems_of("groups: 5\nsupport: {ngo: {intensity: 1, targets: [city]}}\n")) == 1
    assert len(problems_of("strategies: 5\n")) == 1


def test_regions_without_places_need_contacts_with_distances(load, problems_of, folder) -> None:
    (folder / "regions.csv").write_text("code,population\na,10\nb,20\n", encoding="utf-8")
    (folder / "contacts.csv").write_text("code_a,code_b\na,b\n", encoding="utf-8")
    because = "because the table gives no latitude"
    assert problems_of("contacts: {list: contacts.csv}\nareas: {drinking_water: {haul: 0}}\n") == [
        f"x.yaml:4:11: contacts.nearest: must be 0, {because} and longitude",
        f"x.yaml:4:18: contacts.list: each needs a distance_km, {because}, longitude",
        f"x.yaml:5:8: areas.waste.haul: must be 0, {because} and longitude",
        f"x.yaml:5:8: areas.wastewater.haul: must be 0, {because} and longitude",
        f"x.yaml:5:8: areas.transport.haul: must be 0, {because} and longitude",
    ]
    (folder / "contacts.csv").write_text("code_a,code_b,distance_km\na,b,9\n", encoding="utf-8")
    start = START.replace("infrastructure", "administration")
    scenario = load("contacts: {list: contacts.csv, nearest: 0}\n", start=start)
    assert scenario.contacts.list[0].distance_km == 9


def test_problems_in_tables_are_reported_with_those_in_the_scenario(problems_of, folder) -> None:
    (folder / "contacts.csv").write_text("code_a,code_b\n34.71,34.99\n", encoding="utf-8")
    (folder / "regions.csv").write_text(TABLE.replace("415605", "0"), encoding="utf-8")
    problems = problems_of("contacts: {list: contacts.csv}\ncap: 1\ngroups: {g: ['34.72']}\n")
    assert [re.match(r"[a-z.]+(:\d+)*", problem)[0] for problem in problems] == [
        "x.yaml:5:6", "x.yaml:6:14", "regions.csv:2", "contacts.csv:2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("kartamantl", "there is no scenario 'kartamantl'; did you mean 'kartamantul'?"),
        ("y.yaml", "y.yaml: there is no such file"),
        (".", "a folder, where a file is needed"),
        ("a\0b.yaml", "there is no such file"),
        ("x" * 5000 + ".yaml", "cannot be read"),
    ],
)
def test_sources_that_are_not_there(folder, source, message) -> None:
    with pytest.raises(InputError) as caught:
        Scenario.load(source)
    assert message in str(caught.value)


# What ships ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped_names("scenarios"))
def test_every_scenario_that_ships_loads(name) -> None:
    scenario = Scenario.load(name)
    for language in ("en", "id"):
        assert scenario.title(language) != name
        assert scenario.description(language)
        for strategy in scenario.strategies.values():
            assert strategy.title(language) != strategy.name
            assert strategy.description(language)
    assert set().union(*(s.levers for s in scenario.strategies.values())) == set(LEVERS)


def test_scenarios_that_only_serve_to_be_extended_are_not_listed() -> None:
    names = shipped_names("scenarios")
    assert {"kartamantul", "small-towns", "archipelago"} <= set(names)
    assert not {"indonesia", "strategies"} & set(names)
    assert (shipped("scenarios") / "indonesia.yaml").is_file()


def test_what_determines_results_is_plain_and_names_no_folder(load, folder) -> None:
    (folder / "my_rules.py").write_text("# a rule\n", encoding="utf-8")
    scenario = load("extensions: [my_rules.py]\ntitle: Once\n")
    text = json.dumps(scenario.resolved(), allow_nan=False)
    assert str(folder) not in text
    assert "Once" not in text
    assert set(PARAMETERS) <= set(scenario.resolved()["parameters"])
    (folder / "my_rules.py").write_text("# another rule\n", encoding="utf-8")
    assert scenario.resolved() != json.loads(text)


def test_what_changes_results_changes_what_is_resolved(load) -> None:
    scenario = load()
    assert scenario.with_(title="Other", start_year=2030).resolved() == scenario.resolved()
    for changes in (
        {"horizon": 8}, {"parameters.past_trust": 0.2}, {"areas.waste.haul": 0.2},
        {"mechanisms.team": 0.1}, {"contacts.nearest": 2},
        {"changes": [{"what": "stress", "add": 0.1}]},
        {"regions.columns.stress": {"column": "hdi", "from": [0, 9], "to": [0, 1], "reason": "-"}},
    ):  # fmt: skip
        assert scenario.with_(changes).resolved() != scenario.resolved()


def test_scenarios_travel_between_processes(load) -> None:
    scenario = load()
    copy = pickle.loads(pickle.dumps(scenario))
    assert copy.resolved() == scenario.resolved()
    assert copy.with_(horizon=8).horizon == 8


def test_the_schema_knows_every_name_and_range() -> None:
    described = schema()
    json.dumps(described, allow_nan=False)
    assert set(described["properties"]["parameters"]["properties"]) == set(PARAMETERS)
    trust = described["properties"]["parameters"]["properties"]["past_trust"]
    assert (trust["default"], trust["minimum"], trust["maximum"]) == (
        PARAMETERS["past_trust"].default,
        0,
        1,
    )
    culture = described["$defs"]["CultureColumn"]
    assert culture["required"] == ["column", "reason", "scale"]
    assert described["$defs"]["Body"]["properties"]["began"]["maximum"] == 0
    definitions = described["$defs"]
    levers = definitions["Mechanisms"]["properties"] | definitions["Supporters"]["properties"]
    assert set(levers) == set(LEVERS)
    assert set(AREA_ATTRIBUTES) < set(definitions["AreaSettings"]["properties"])
    assert described["properties"]["families"]["items"]["enum"] == list(FAMILIES)
    assert described["additionalProperties"] is False


# Whatever is written ------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["regions", "table", "synthetic", "number", "horizon", "strategies", "team", "mechanisms",
     "forum", "members", "groups", "mandates", "areas", "waste", "bodies", "changes", "what",
     "parameters", "past_trust", "logit.temperature", "from", "until", "all", "extends", "title",
     "en", "support", "ngo", "targets", "34.71", "intensity", "extensions", "decision", "[key]",
     "columns", "capacity", "column", "contacts", "list", "families", "infrastructure",
     "population"]
)  # fmt: skip
SCALARS = st.one_of(
    WORDS,
    st.none(),
    st.booleans(),
    st.integers(-5, 50),
    st.just(10**30),
    st.floats(),
    st.text(max_size=4),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=5)),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(tree=st.dictionaries(WORDS, TREES, max_size=8), whole=st.booleans())
@example(tree={"extensions": [None, "regions"]}, whole=False)
def test_any_scenario_loads_or_reports_problems(tmp_path_factory, tree, whole) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "regions.csv").write_text(TABLE, encoding="utf-8")
    if whole:
        tree = {"regions": {"table": "regions.csv"}, "families": ["infrastructure"]} | tree
    path = folder / "fuzz.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8")
    try:
        scenario = Scenario.load(path)
    except InputError:
        pass
    else:
        json.dumps(scenario.resolved(), allow_nan=False)
