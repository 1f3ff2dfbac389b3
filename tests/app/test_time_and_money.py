"""Time, money and kept strategies on the page, on a phone, on paper, and without barriers."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from kolabsim.scenario.scenario import Scenario
from kolabsim.study.experiment import Experiment

pytest.importorskip("nicegui", reason="the extra 'app' is not installed")
pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
from tests.app.test_server import (
    address,
    browser,
    move,
    page,
    pytestmark,
    settings_in,
    settle,
)

__all__ = ["address", "browser", "page", "pytestmark"]  # fixtures that are the same here
KEPT = (
    "kept.1=name%3DOurs%26start%3Dforum&kept.2=name%3DThree+years%26start%3Dfull_package"
    "%26paid_by%3Dtier%26until%3D12"
)
PHONE = {"width": 390, "height": 844}


def axe_core() -> str:
    """The program that looks for barriers; skips if it is not installed."""
    found = find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe-playwright-python is not installed")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def open_tab(page, name):
    page.get_by_role("tab", name=name).click()


def wait_for_columns(page, number):
    page.wait_for_function(
        "n => document.querySelectorAll('#kept-overview tbody td:nth-child(2) b').length === n",
        arg=number,
    )


def test_presets_and_timelines_change_the_strategy_and_the_address(page, tmp_path):
    settle(page)
    page.get_by_role("button", name="The province pays for three years").click()
    settle(page, until="12", paid_by="tier")
    assert page.evaluate("() => document.activeElement.id") == "preset-province"
    line = page.locator("[id='mechanisms.team']").locator("xpath=../details")
    assert "2028, quarter 4; paid by the higher tier" in line.inner_text()
    line.locator("summary").click()
    page.select_option("[id='mechanisms.team.phase_out']", "4")
    page.select_option("[id='mechanisms.team.paid_by']", "ngo")
    assert page.locator("[id='support.ngo']").locator("xpath=../details").is_hidden()
    move(page, "support.ngo", 0.5)
    page.locator("#budget").fill("2.5")
    page.keyboard.press("Tab")
    chosen = {
        "until": "12", "paid_by": "tier", "budget": "2500000000", "support.ngo": "0.5",
        "mechanisms.team.phase_out": "4", "mechanisms.team.paid_by": "ngo",
    }  # fmt: skip
    settle(page, **chosen)
    assert settings_in(page) == chosen
    assert "phased out over 1 year; paid by an NGO" in line.inner_text()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Scenario (YAML)").click()
    waiting.value.save_as(tmp_path / "mine.yaml")
    strategy = Scenario.load(tmp_path / "mine.yaml").strategies["your_strategy"]
    (team,), (ngo,) = strategy.levers["team"], strategy.levers["ngo"]
    assert (team.until, team.phase_out, team.paid_by) == (12, 4, "ngo")
    assert (ngo.until, ngo.paid_by, strategy.budget) == (12, "tier", 2.5e9)
    page.get_by_role("button", name="The province pays for three years").click()
    page.wait_for_function("() => !location.search.includes('until')")


def test_strategies_are_kept_shown_taken_away_and_opened_again(page, tmp_path):
    settle(page)
    page.locator("#keep-name").fill("With <b>team</b>")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.wait_for_function("() => location.search.includes('kept.1')")
    move(page, "support.ngo", 0.5)
    page.get_by_role("button", name="Keep", exact=True).click()
    page.wait_for_function("() => location.search.includes('kept.2')")
    open_tab(page, "Side by side")
    page.locator("#drop-1").evaluate("one => { one.dataset.seen = 'yes' }")
    wait_for_columns(page, 2)
    assert page.locator("#drop-1").get_attribute("data-seen"), "built again while a user clicks"
    assert "With <b>team</b>" in page.locator("#kept-overview").inner_text()
    assert page.locator("#kept-chart svg path").count() > 5
    assert page.locator("#kept-regions tbody tr").count() == 7
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Strategies (YAML)").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert len(Experiment.load(path).strategies) == 3
    page.locator("#drop-1").click()
    page.wait_for_function("() => !location.search.includes('kept.2')")
    page.locator("#open-0").click()
    page.wait_for_function("() => !location.search.includes('support.ngo')")
    page.locator("input[type=file]").first.set_input_files(path)
    page.wait_for_function("() => location.search.includes('scenario=upload-')")
    settle(page)
    open_tab(page, "Side by side")
    wait_for_columns(page, 2)
    names = [*yaml.safe_load(path.read_text(encoding="utf-8"))["set"].values()]
    assert [one["title"] for one in names] == page.locator("#kept-list b").all_inner_texts()


def test_a_phone_shows_the_answer_first_and_cuts_nothing_off(page, address):
    page.set_viewport_size(PHONE)
    page.goto(f"{address}/?lang=id&start=full_package&{KEPT}")
    settle(page)
    open_tab(page, "Berdampingan")
    wait_for_columns(page, 2)
    for tab in ("Berdampingan", "Bandingkan"):
        open_tab(page, tab)
        # The panels move, on a busy machine for as long as it takes.
        page.wait_for_function("() => !document.querySelector('[class*=\"-leave-active\"]')")
        wide = """() => [...document.querySelectorAll('.page *')].filter(
          one => one.getBoundingClientRect().right > innerWidth + 1
            && !one.closest('.wide, .numbers, .chart')).map(one => one.outerHTML.slice(0, 90))"""
        assert page.evaluate(wide) == []
        assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
    top, controls = (
        page.locator(place).bounding_box()["y"] for place in ("#headline", "#controls")
    )
    assert top < PHONE["height"] / 2 < controls
    page.get_by_role("link", name="Kendali").click()
    page.wait_for_function(
        "() => Math.abs(document.getElementById('controls').getBoundingClientRect().top) < 100"
    )


def test_the_page_prints_on_two_sheets(page, address):
    page.goto(f"{address}/?start=full_package&{KEPT}")
    settle(page)
    for tab in ("Compare", "Side by side"):
        open_tab(page, tab)
        if tab != "Compare":
            wait_for_columns(page, 2)
        page.wait_for_timeout(400)
        pdf = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2, tab


def test_axe_finds_no_barriers(page, address):
    axe = axe_core()
    page.goto(f"{address}/?start=full_package&{KEPT}")
    settle(page)
    page.locator("details.times:not(.idle) summary").first.click()
    page.locator(".times select").first.wait_for()
    page.evaluate(f"{axe};0")
    found = []
    for size in ({"width": 1280, "height": 900}, PHONE):
        page.set_viewport_size(size)
        for place in range(page.get_by_role("tab").count()):
            page.get_by_role("tab").nth(place).click()
            page.wait_for_timeout(700)  # the panels move, and fade in
            report = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
            found += [
                (size["width"], place, one["id"], [node["html"][:200] for node in one["nodes"]])
                for one in report["violations"]
            ]
    assert found == []


def test_the_whole_range_is_answered_in_place_and_as_an_experiment(page, address, tmp_path):
    page.goto(f"{address}/?start=forum&until=8&sweep=mechanisms.forum")
    page.get_by_text(re.compile("^17 levels.*each.$")).wait_for()
    assert "“forum and training”" in page.locator("#sweep-headline").inner_text()
    assert page.locator("#sweep-answer svg").count() == 1
    assert page.locator("#sweep-answer tbody tr").count() == 17
    with page.expect_download() as waiting:
        page.locator("#take-sweep").click()
    waiting.value.save_as(tmp_path / "sweep.yaml")
    assert len(Experiment.load(tmp_path / "sweep.yaml").points) == 17
    page.evaluate(f"{axe_core()};0")
    report = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in report["violations"]] == []
    page.select_option("#sweep-2", "parameters.lever_price")
    page.wait_for_function("() => location.search.includes('lever_price')")
    assert "earlier choices" in page.locator("#sweep-state").inner_text()
    page.locator("#ask-sweep").click()
    page.select_option("#sweep-1", "mechanisms.team")  # while it is simulated
    page.get_by_text("Your choices have changed; ask again.").wait_for()
    page.select_option("#sweep-2", "")
    move(page, "mechanisms.forum", 0.0)
    page.locator("[id='from']").select_option("7")
    page.locator("[id='until']").select_option("4")
    page.locator("#ask-sweep").click()
    page.get_by_text("“Coordination team” is never in force").wait_for()


def test_facts_and_joint_bodies_of_a_visitor_are_judged_in_place(page, tmp_path):
    page.get_by_role("tab", name="My country's bodies").click()
    page.locator("#ask-fit").click()
    page.get_by_text("All 3 joint bodies of today keep all their members").wait_for()
    assert page.locator("#fit-bodies svg path").count() > 5
    facts, bodies = tmp_path / "facts.yaml", tmp_path / "bodies.csv"
    facts.write_text("facts: {a: {measure: trsut, low: 0.1, source: x}}", encoding="utf-8")
    bodies.write_text("body,region,area\nA,34.71,waste\nA,34.04,waste\n", encoding="utf-8")
    chosen = page.locator(".fit-files input[type=file]")
    chosen.set_input_files([facts])
    page.get_by_text(re.compile("facts.yaml:1:.*did you mean 'trust'")).wait_for()
    facts.write_text(facts.read_text(encoding="utf-8").replace("trsut", "trust"), encoding="utf-8")
    chosen.set_input_files([facts, bodies])
    page.get_by_text(re.compile("The model as it is fits . of 4 facts")).wait_for()
    assert page.locator("#fit-facts svg path").count() > 5
    command = "kolabsim calibrate --scenario mine.yaml --facts facts.yaml --bodies bodies.csv"
    assert command in page.locator("#fit-command").inner_text()
    with page.expect_download() as waiting:
        page.locator("#take-fit").click()
    assert waiting.value.suggested_filename == "fit.zip"
    page.evaluate(f"{axe_core()};0")
    report = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in report["violations"]] == []
