"""The search of the best groups for a region finds what judging every group one by one finds."""

from itertools import combinations

import numpy as np
import pytest

from kolabsim import i18n
from kolabsim.analysis import group_search
from kolabsim.analysis.group import Case, Judge, Plan, choose_form, host_of
from kolabsim.analysis.group_search import MOST_MEMBERS, Searched, search_groups
from kolabsim.analysis.outlook import look, run_draws
from kolabsim.analysis.region import region_outlook
from kolabsim.analysis.statistics import CRITERIA, GAINS
from kolabsim.engine.ensemble import build_task
from kolabsim.figures.labels import area_title
from kolabsim.model.levers import FORMS
from kolabsim.report.region_groups import group_section, group_sentence
from kolabsim.scenario.scenario import Scenario

RUNS = 5
CITY = "34.71"


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(i18n, "_chosen", ["en"])


@pytest.fixture(scope="module")
def towns():
    """Six small towns with a few contacts each; none of them shares anything yet."""
    few = {"number": 6, "median_population": 20_000, "tiers": 1}
    return Scenario.load("small-towns").with_(
        {"regions": {"synthetic": few}, "contacts": {"nearest": 3}, "bodies": [], "horizon": 8}
    )


@pytest.fixture(scope="module")
def cities():
    """Regions of which some gain by sharing waste."""
    return Scenario.load("kartamantul")


def ask(scenario, i, **settings):
    task = build_task(scenario, scenario.strategies["voluntary"], seed=1)
    return task, search_groups(scenario, [task], i, RUNS, CRITERIA)


def is_connected(group, contacts):
    reached, frontier = set(), {group[0]}
    while frontier:
        reached |= frontier
        frontier = {j for i in frontier for j in contacts[i]} & {*group} - reached
    return reached == {*group}


def brute_force(scenario, task, i, a):
    """Gains of all members of all groups that contain a region, judged one by one."""
    draws = list(look([task], RUNS))
    (_place, state), *_rest = run_draws([task], draws[:1])
    region = state.region
    contacts = [
        state.contact["target"][region["first"][j] : region["end"][j]].tolist()
        for j in range(len(region))
    ]
    others, found = [j for j in range(len(region)) if j != i], {}
    for size in range(1, MOST_MEMBERS):
        for some in combinations(others, size):
            group = tuple(sorted((i, *some)))
            if not is_connected(group, contacts):
                continue
            case = Case(scenario, group, a)
            form = choose_form([task], draws, case)
            plan = Plan(case, FORMS.index(form), host_of(state, case))
            gains = [
                Judge(now, task.parameters, plan).judge(group)[1][:, 0]
                for _place, now in run_draws([task], draws)
            ]
            found[group] = dict(zip(group, np.mean(gains, axis=0), strict=True)), form
    return found


def codes(scenario, group):
    return {scenario.regions.codes[j] for j in group}


@pytest.mark.parametrize(("world", "chosen"), [("towns", None), ("cities", "waste")])
def test_the_search_finds_what_judging_every_group_finds(request, world, chosen):
    """The best group, its form and the gain of every member."""
    scenario, goods = request.getfixturevalue(world), 0
    i = 0 if world == "towns" else scenario.regions.codes.index(CITY)
    task, found = ask(scenario, i)
    for a, area in enumerate(scenario.areas):
        if chosen not in (None, area):
            continue
        every = brute_force(scenario, task, i, a)
        row = found.table[found.table["area"] == area].iloc[0]
        counted = found.counts.set_index("area").loc[area]
        assert (counted["judged"], counted["is_all"]) == (len(every), True)
        if row["is_good"]:
            some = [group for group, (gains, _form) in every.items() if min(gains.values()) > 0.0]
            best = max(some, key=lambda group: every[group][0][i])
        else:
            best = max(every, key=lambda group: min(every[group][0].values()))
        assert {*row["members"]} == codes(scenario, best)
        gains, form = every[best]
        assert row["form"] == form
        assert row["gain"] == pytest.approx(gains[i])
        place = {code: scenario.regions.codes.index(code) for code in row["members"]}
        assert row["gains"] == pytest.approx([gains[place[c]] for c in row["members"][1:]])
        goods += bool(row["is_good"])
    assert bool(goods) == (world == "cities"), "one world with good groups, one without"


def test_growing_the_best_finds_the_same_as_judging_all(towns, monkeypatch):
    _task, whole = ask(towns, 0)
    monkeypatch.setattr(group_search, "ALL", 3)
    monkeypatch.setattr(group_search, "WIDTH", 4)
    _task, grown = ask(towns, 0)
    assert not grown.counts["is_all"].any()
    assert (grown.counts["judged"] < whole.counts["judged"]).any()
    one, other = (
        found.table.groupby("area")[["members", "gain"]].first() for found in (whole, grown)
    )
    assert one["members"].equals(other["members"])
    assert one["gain"].to_numpy() == pytest.approx(other["gain"].to_numpy())


def test_only_what_gains_and_harms_nobody_is_good(cities):
    _task, found = ask(cities, cities.regions.codes.index(CITY))
    assert len(found.good)
    assert found.good["verdict"].eq(GAINS).all()
    assert all(min(gains) > 0.0 for gains in found.good["gains"])
    assert found.table.groupby("area").size().max() <= 3


def test_a_body_comes_as_a_whole(towns):
    """A region of a joint body brings all its members, which a new member joins."""
    _first, second, third = towns.regions.codes[:3]
    body = {"area": "waste", "members": [second, third], "form": "board", "began": -8}
    area = next(iter(towns.areas))
    world = towns.with_({"bodies": [body | {"area": area}], "contacts": {"within": "all"}})
    _task, found = ask(world, 0)
    here = found.table[found.table["area"] == area]
    assert all((second in row) == (third in row) for row in here["members"])
    _task, found = ask(world, 1)
    here = found.table[found.table["area"] == area]
    assert all(third in row for row in here["members"])
    assert {*here["form"]} == {"board"}


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_page_lists_the_good_and_says_where_there_are_none(cities, monkeypatch, language):
    monkeypatch.setattr(i18n, "_chosen", [language])
    found = region_outlook(cities.with_(horizon=4), CITY, "team", futures={}, runs=RUNS)
    section = group_section(found)
    good = found.groups.good
    assert len(section.tables[0].rows) == len(good)
    shut = found.groups.counts.set_index("area")["judged"].eq(0)
    assert shut.sum() == shut["drinking_water"] == 1, "the city buys water already"
    assert area_title("drinking_water").lower() in section.paragraphs[-1]
    text = " ".join([*section.paragraphs, *section.notes, group_sentence(found)])
    assert "{" not in text
    assert str(found.groups.counts["judged"].sum()) in text
    nothing = found.groups.table.assign(is_good=False, verdict="same").head(1)
    object.__setattr__(found, "groups", Searched(nothing, found.groups.counts))
    assert not group_section(found).tables
