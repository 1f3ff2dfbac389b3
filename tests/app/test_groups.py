"""A group that a visitor means: its address, its limits, and the answer of the command."""

import re
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qsl

import numpy as np
import pytest

from kolabsim.analysis.group import group_outlook
from kolabsim.app import groups
from kolabsim.app.groups import GroupChoice, GroupWork, answer_html, download, partners
from kolabsim.app.settings import Settings, read_query
from kolabsim.errors import InputError, Problems
from kolabsim.i18n import speaking
from kolabsim.report.group import answer_section
from kolabsim.scenario.futures import plausible_futures
from kolabsim.scenario.scenario import Scenario
from tests.hostile.worlds import TOWNS, write_world

CITY, SLEMAN, BANTUL = "34.71", "34.04", "34.02"
ASKED = Settings(group=f"{CITY},{SLEMAN},{BANTUL}", area="waste", form="board", leaves="2")


@pytest.fixture(scope="module")
def few(scenario, tmp_path_factory):
    """Futures of which the page takes three, so that tests are quick."""
    patch = pytest.MonkeyPatch()
    patch.setattr(groups, "FEWEST_RUNS", 3)
    patch.setattr(groups, "USUAL", 1)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def answered(scenario, few):
    work = GroupWork(GroupChoice.read(ASKED, scenario, Problems()), ASKED, scenario)
    study = work.prepare()
    assert sum(piece() for piece in work.pieces(study)) == study.all_runs
    return study.outlook()


def test_an_address_holds_the_group(scenario):
    problems = Problems()
    choice = GroupChoice.read(ASKED, scenario, problems)
    assert not problems.found
    assert choice == GroupChoice((CITY, SLEMAN, BANTUL), "waste", "board", 2)
    written = choice.written(Settings())
    again = read_query(parse_qsl(written.query), problems)
    assert "34.71%2C34.04%2C34.02" in written.query
    assert (again.area, again.form, again.leaves) == ("waste", "board", "2")


def test_a_group_changes_nothing_of_the_comparison():
    assert Settings() == replace(Settings(), group=CITY, area="waste")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"group": f"{CITY},34.99"}, "no region has the code '34.99'"),
        ({"group": f"{CITY},{SLEMAN},{CITY}"}, "'34.71' is named twice"),
        ({"area": "wast"}, "'wast' is not a service area of this scenario; did you mean 'waste'"),
        ({"form": "boards"}, "'boards' is not a legal form; did you mean 'board'"),
        ({"leaves": "9"}, "leaves: 9 is not a whole number from 1 to 2"),
    ],
)
def test_what_an_address_should_not_say_is_reported(scenario, changed, text):
    problems = Problems()
    choice = GroupChoice.read(replace(ASKED, **changed), scenario, problems)
    assert text in " ".join(map(str, problems.found))
    assert choice.members[0] == CITY
    assert choice.area == "waste"


def test_partners_are_contacts_and_what_an_address_adds(scenario):
    choice = GroupChoice((CITY,), "waste")
    names = dict(partners(scenario, choice))
    assert SLEMAN in names
    assert CITY not in names
    assert next(code for code, _name in partners(scenario, choice)) in (SLEMAN, BANTUL)


def test_more_than_five_members_are_one_sentence():
    choice = GroupChoice(tuple("abcdef"), "waste")
    assert "at most 5 members, and these are 6" in choice.refusal
    assert GroupChoice(("a",), "waste").refusal == "Tick at least one partner."
    assert not choice.with_member("f", is_in=False).refusal


def test_the_answer_is_that_of_the_command(answered, scenario):
    futures = dict(list(plausible_futures(200, scenario).items())[:3])
    told = group_outlook(
        scenario, CITY, [SLEMAN, BANTUL], "waste", form="board", leaves_after=2, futures=futures,
        runs=2,
    )  # fmt: skip
    assert answered.gains.equals(told.gains)
    assert answered.departures.equals(told.departures)
    np.testing.assert_array_equal(answered.paths["money"], told.paths["money"])


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_page_shows_the_texts_of_the_command(answered, scenario, language):
    with speaking(language):
        html = answer_html(answered)
        for part in answer_section(answered).headlines:
            assert part.brief.split("<")[0] in html
        assert html.count("<table>") + html.count("<table ") >= 3
        assert not re.search(r"\{\w+\}|<script|\bnan\b", html)
        name, content = download(answered, ASKED, scenario)
    assert name == "group-34.71-34.04-34.02-waste.html"
    assert f'<html lang="{language}">' in content.decode()
    assert "--with 34.04,34.02 --area waste --form board --leaves-after 2" in content.decode()


def test_more_work_than_the_page_takes_on_is_refused(scenario):
    choice = GroupChoice((CITY, SLEMAN), "waste", leaves=1)
    with pytest.raises(InputError, match="times the work that this page takes on"):
        GroupWork(choice, Settings(), scenario, factor=1e-4).prepare()


def test_a_code_is_a_text_and_no_attribute(tmp_path):
    """A code comes from an uploaded table, which another visitor may open by its address."""
    nicegui = pytest.importorskip("nicegui", reason="the extra 'app' is not installed")
    from kolabsim.app.group_block import GroupBlock

    hostile = 'x" onclick="alert(1)'
    world = write_world(tmp_path, [*TOWNS[:3], (hostile, "West", 55_000, 51.1, 3.7)])
    source = Scenario.load(world.with_name("world.yaml")).with_({"contacts.nearest": 3})
    page = SimpleNamespace(settings=Settings(), scenario=source)
    with nicegui.Client(nicegui.ui.page("/"), request=None) as client:
        GroupBlock(page, lambda: 1.0)
    found = [one.props for one in client.elements.values()]
    assert not [props for props in found if "onclick" in props]
    assert {f"with-{hostile}"} < {props.get("id") for props in found}
    assert {f"with-{hostile}"} < {props.get("for") for props in found}


def test_any_code_can_stand_in_an_address(tmp_path):
    codes = ("a,b", "c%2Cd", "%", "e")
    rows = [(code, *row[1:]) for code, row in zip(codes, TOWNS, strict=True)]
    source = Scenario.load(write_world(tmp_path, rows).with_name("world.yaml"))
    problems = Problems()
    written = GroupChoice(codes, "finance").written(Settings())
    again = read_query(parse_qsl(written.query), problems)
    assert GroupChoice.read(again, source, problems).members == codes
    assert not problems.found
