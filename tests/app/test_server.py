"""The web page in a real browser: Debian's chromium, driven by Playwright, with no other host."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest

from kolabsim.model.measures import MEASURES
from kolabsim.scenario.scenario import Scenario

pytest.importorskip("nicegui", reason="the extra 'app' is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
]
PATIENCE = 120_000
"""Milliseconds that anything may take before it counts as lost: others may be at work as well."""

THIRTY = """\
extends: indonesia
title: Thirty made-up regions
regions: {synthetic: {number: 30, median_population: 500000, tiers: 2}}
"""
TABLE = "code,name,population,latitude,longitude\n" + "".join(
    f"R{k},Region {k},{20000 + 9000 * k},{-7 + 0.1 * (k % 3)},{110 + 0.1 * (k // 3)}\n"
    for k in range(9)
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    environment = {key: v for key, v in os.environ.items() if "PYTEST" not in key}
    server = subprocess.Popen(
        [sys.executable, "-m", "kolabsim", "app", "--no-browser", "--port", "0"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        env=environment | {"KOLABSIM_LANG": "en"},
    )  # fmt: skip
    lines, found = [], None
    while not found:
        lines.append(server.stdout.readline())
        assert lines[-1], f"the server ended: {''.join(lines)}"
        found = re.search(r"http://127\.0\.0\.1:\d+", lines[-1])
    rest = threading.Thread(target=lambda: lines.extend(server.stdout), daemon=True)
    rest.start()
    wait_until_it_answers(found[0], server)
    yield found[0]
    server.send_signal(signal.SIGINT)
    server.wait(timeout=60)
    rest.join(timeout=60)
    server.stdout.close()
    assert "Traceback" not in "".join(lines), "".join(lines)
    assert not list(folder.rglob("*")), "the page leaves nothing behind"


def wait_until_it_answers(address, server):
    while server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=60).close()
        except OSError:
            threading.Event().wait(0.1)
        else:
            return
    pytest.fail("the server ended before it answered")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1400, "height": 1200}, locale="en")
    found, strangers, errors = context.new_page(), [], []

    def only_here(route):
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    context.route("**/*", only_here)
    found.on("pageerror", lambda error: errors.append(str(error)))
    context.set_default_timeout(PATIENCE)
    found.goto(address)
    yield found
    context.close()
    assert not strangers, "the page asks other hosts"
    assert not errors


def settle(page, **settings):
    """Wait until the address says this, and the last answer is there.

    What is on its way is marked as busy before the address changes, so that an earlier answer is
    never taken for it.
    """
    page.wait_for_function(
        """settings => {
          const found = Object.fromEntries(new URLSearchParams(location.search));
          return Object.entries(settings).every(([name, value]) => found[name] === value)
            && document.getElementById('headline')?.getAttribute('aria-busy') === 'false'
            && document.getElementById('headline').innerText;
        }""",
        arg=settings,
    )


def move(page, name, value):
    """Move a slider as a hand does: the browser sets the value and tells of it."""
    page.locator(f"[id='{name}']").evaluate(
        "(slider, value) => { slider.value = value;"
        " slider.dispatchEvent(new Event('input', {bubbles: true})); }",
        str(value),
    )


def fix(page):
    """Fix the first assumption on the list at the highest value that its steps reach.

    Returns its name and that value.
    """
    name = page.locator("#fix option").nth(1).get_attribute("value")
    page.select_option("#fix", name)
    slider = page.locator(f"[id='{name}']")
    slider.wait_for()
    move(page, name, slider.get_attribute("max"))
    return {name: slider.input_value()}


def headline(page):
    return page.locator("#headline").inner_text()


def settings_in(page):
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def test_the_page_loads_and_compares(page):
    settle(page)
    assert "Compared with “Voluntary”, your strategy changes realised net benefit" in headline(page)
    assert "1,000 runs" in page.locator("#state").inner_text()
    assert page.locator(".differences tbody tr").count() == 11
    for name in ("differences", "envelopes", "regions", "network"):
        chart = page.locator(f"#{name}[role=img]")
        assert chart.get_attribute("aria-label")
        assert chart.locator("svg path").count() > 5
    assert page.locator("input[type=range]").count() == 9


@pytest.mark.parametrize("lang", ["en", "id"])
def test_every_control_has_a_name_and_a_line_of_help(page, address, lang):
    page.goto(f"{address}/?lang={lang}")
    settle(page)
    seen = set()
    for tab, shown in ((0, "#measure"), (2, "#moment")):
        page.get_by_role("tab").nth(tab).click()
        page.locator(f"{shown}:visible").wait_for()
        page.locator("#measure, #moment").nth(1).wait_for(state="detached")
        for control in page.locator("input:not([type=file]), select, button").all():
            name = control.get_attribute("id")
            label = page.locator(f"label[for='{name}']")
            assert label.inner_text() if label.count() else control.text_content(), name
            helped = control.get_attribute("aria-describedby")
            assert page.locator(f"[id='{helped}']").text_content(), name
            seen.add(helped)
    assert {"lang-help", "scenario-help", "upload-help", "start-help", "baseline-help"} < seen
    assert {"measure-help", "reset-help", "take-address-help", "step-help"} < seen


def test_help_follows_what_is_chosen(page):
    settle(page)
    page.select_option("#measure", "trust")
    page.select_option("#baseline", "full_package")
    settle(page, measure="trust", baseline="full_package")
    meaning = MEASURES["trust"].meaning
    assert meaning[1:] in page.locator("#measure-help").inner_text()
    strategy = Scenario.load("kartamantul").strategies["full_package"]
    assert page.locator("#baseline-help").inner_text() == strategy.description("en")


def test_a_move_changes_the_answer_the_address_and_nothing_else(page):
    settle(page)
    before = headline(page)
    move(page, "mechanisms.team", 1)
    settle(page, **{"mechanisms.team": "1"})
    assert headline(page) != before
    assert settings_in(page) == {"mechanisms.team": "1"}
    move(page, "mechanisms.team", 0.6)
    page.wait_for_function("() => !location.search.includes('team')")
    settle(page)
    assert headline(page) == before
    assert settings_in(page) == {}


def test_a_move_updates_the_charts_that_are_there(page):
    settle(page)
    page.evaluate("() => document.querySelectorAll('.chart svg').forEach(one => one.mark = true)")
    band = "[...document.querySelectorAll('#envelopes svg path')].map(p => p.outerHTML).join()"
    before = page.evaluate(f"() => {band}")
    move(page, "mechanisms.team", 1)
    settle(page, **{"mechanisms.team": "1"})
    page.wait_for_function(f"before => {band} !== before", arg=before)
    kept = "() => [...document.querySelectorAll('.chart svg')].map(one => !!one.mark)"
    assert page.evaluate(kept) == [True] * 4


def test_numbers_are_under_the_charts(page):
    settle(page)
    page.locator(".numbers summary").nth(1).press("Enter")
    table = page.locator(".numbers table").nth(1)
    table.wait_for()
    assert "Kabupaten Bantul" in table.inner_text()
    assert re.search(r"[+−]\d", table.inner_text())


def test_whoever_opens_the_address_sees_the_same(page, browser, address):
    settle(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page.select_option("#start", "mandate")
    page.wait_for_function("() => document.getElementById('mechanisms.team')?.value === '0'")
    move(page, "support.ngo", 0.25)
    fixed = fix(page)
    page.select_option("#baseline", "forum")
    page.select_option("#measure", "trust")
    chosen = {
        "start": "mandate", "baseline": "forum", "measure": "trust", "support.ngo": "0.25", **fixed,
    }  # fmt: skip
    settle(page, **chosen)
    page.get_by_role("button", name="Address of this page").click()
    page.wait_for_function("() => document.getElementById('address').innerText")
    shared = page.locator("#address").inner_text()
    assert shared == page.url
    assert page.evaluate("() => navigator.clipboard.readText()") == shared

    elsewhere = browser.new_context(locale="en")
    elsewhere.set_default_timeout(PATIENCE)
    other = elsewhere.new_page()
    other.goto(shared)
    settle(other)
    assert settings_in(other) == chosen
    assert headline(other) == headline(page)
    for name, value in chosen.items():
        assert other.locator(f"[id='{name}']").input_value() == value
    elsewhere.close()


def test_sliders_move_by_keys_and_again_after_a_move(page):
    settle(page)
    page.locator("[id='support.ngo']").focus()
    for _press in range(4):
        page.keyboard.press("ArrowRight")
    settle(page, **{"support.ngo": "0.2"})
    page.keyboard.press("ArrowLeft")
    settle(page, **{"support.ngo": "0.15"})
    assert page.locator("output[for='support.ngo']").inner_text() == "0.15"
    page.keyboard.press("End")
    settle(page, **{"support.ngo": "1"})
    page.keyboard.press("Tab")  # to the times and the payer of this lever, which has one now
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "support.business"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Home")
    page.wait_for_function("() => !location.search")
    settle(page)
    assert page.locator("output[for='support.ngo']").inner_text() == "0"


def test_an_assumption_is_fixed_moved_and_let_vary_again(page):
    settle(page)
    page.locator("#fix-0").wait_for()
    varied = page.locator("#fix option").count()
    page.locator("#fix-0").click()
    page.wait_for_function("() => location.search.includes('parameters.')")
    settle(page)
    slider = page.locator("input[type=range][id^='parameters.']")
    name, usual = slider.get_attribute("id"), slider.input_value()
    assert page.locator("#fix option").count() == varied - 1
    slider.press("ArrowRight")
    settle(page)
    assert slider.input_value() != usual
    assert page.locator("#driver-0").count() <= 1
    page.locator("#free").click()
    page.wait_for_function("name => !location.search.includes(name)", arg=name)
    settle(page)
    assert page.locator("input[type=range][id^='parameters.']").count() == 0


def test_a_move_cancels_what_is_being_refined(page):
    """Each first answer is followed by a move at once: only the last is ever refined to the end."""
    page.locator("input[type=file]").set_input_files(
        {"name": "thirty.yaml", "mimeType": "text/yaml", "buffer": THIRTY.encode()}
    )
    page.wait_for_function("() => location.search.includes('scenario=upload-')")
    settle(page)
    page.evaluate(
        """() => {
          window.told = [];
          const state = document.getElementById('state');
          const slider = document.getElementById('mechanisms.team');
          const values = ['0.7', '0.75', '0.8', '0.85', '0.9'];
          const next = () => {
            if (!values.length) return;
            slider.value = values.shift();
            slider.dispatchEvent(new Event('input', {bubbles: true}));
          };
          new MutationObserver(() => {
            const runs = state.innerText.split(' ')[0];
            told.push([runs, values.length]);
            if (runs === '100' || runs === '1,000') next();
          }).observe(state, {childList: true, characterData: true, subtree: true});
          next();
        }"""
    )
    settle(page, **{"mechanisms.team": "0.9"})
    told = page.evaluate("() => told")
    told = [(runs, left) for runs, left in told if runs in ("100", "1,000")]
    assert [left for _runs, left in told if left] == [4, 3, 2, 1]
    # On a machine that is busy with other things a first answer and its refinement may come as one.
    assert [runs for runs, left in told if left].count("1,000") <= 1
    assert told[-1] == ("1,000", 0)
    told = headline(page)
    page.reload()
    settle(page)
    assert headline(page) == told


def test_the_newest_of_many_moves_is_answered(page):
    settle(page)
    for k in range(21):
        move(page, "mechanisms.forum", k / 20)
    settle(page, **{"mechanisms.forum": "1"})
    told = headline(page)
    page.reload()
    settle(page)
    assert headline(page) == told


def test_another_language_keeps_the_settings(page):
    settle(page)
    page.select_option("#start", "mandate")
    page.wait_for_function("() => document.getElementById('mechanisms.team')?.value === '0'")
    page.select_option("#baseline", "full_package")
    page.select_option("#measure", "trust")
    page.wait_for_selector("#envelopes[aria-label^=Trust]")
    move(page, "mechanisms.forum", 0.5)
    fixed = fix(page)
    settle(page, **{"mechanisms.forum": "0.5"} | fixed)
    assert "Full package" in headline(page)
    before = settings_in(page)
    page.select_option("#lang", "id")
    page.wait_for_function("() => document.documentElement.lang === 'id'")
    settle(page)
    assert settings_in(page) == before | {"lang": "id"}
    assert "1.000 simulasi" in page.locator("#state").inner_text()
    assert "Kerja sama wajib" in page.locator("#start").inner_text()
    assert page.locator("[id='mechanisms.forum']").input_value() == "0.5"
    assert page.locator("output[for='mechanisms.forum']").inner_text() == "0,5"
    page.select_option("#lang", "en")
    page.wait_for_function("() => document.documentElement.lang === 'en'")
    settle(page)
    assert settings_in(page) == before


def test_everything_is_put_back(page):
    settle(page)
    before = headline(page)
    move(page, "mechanisms.forum", 0.5)
    fixed = fix(page)
    settle(page, **{"mechanisms.forum": "0.5"} | fixed)
    page.get_by_role("button", name="Reset all sliders").click()
    page.wait_for_function("() => !location.search")
    settle(page)
    assert page.locator("[id='mechanisms.forum']").input_value() == "0"
    assert headline(page) == before


def upload(page, files):
    page.locator("input[type=file]").first.set_input_files(
        [
            {"name": name, "mimeType": "application/octet-stream", "buffer": content}
            for name, content in files.items()
        ]
    )


def preview(page):
    """Wait until the page says what it understood of an upload."""
    page.wait_for_url("**/import?**")
    page.locator("#summary table, .problems p").first.wait_for()


def make_study(page):
    page.locator("#make-study:not([disabled])").click()
    page.wait_for_function("() => location.search.includes('scenario=upload-')")
    settle(page)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"program.yaml": b"extends: kartamantul\nextensions: [evil.py]\n"},
         ["program.yaml:2", "programs cannot be uploaded"]),
        ({"huge.csv": b"0" * 20_500_000}, ["20 MB"]),
        ({f"{k}.csv": b"a" for k in range(9)}, ["at most 8 files"]),
        ({"import.json": b"{}"}, ["upload a table or map"]),
    ],
    ids=["program", "huge", "many", "record"],
)  # fmt: skip
def test_what_is_wrong_with_an_upload_is_told_in_place(page, files, told):
    settle(page)
    before = page.url
    upload(page, files)
    place = page.locator("fieldset [role=alert] p")
    place.first.wait_for()
    text = "\n".join(place.all_inner_texts())
    for part in told:
        assert part in text
    assert "/" not in text, "no path of the server is told"
    assert page.url == before
    assert headline(page)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe", ["picture.csv"]),
        ("page.html", b"<!doctype html><b>no</b>", ["page.html", "web page"]),
        ("letters.csv", b"name,population\na,few\nb,many\n", ["letters.csv"]),
    ],
)
def test_what_is_no_table_is_told_on_the_page_of_imports(page, name, content, told):
    settle(page)
    upload(page, {name: content})
    preview(page)
    text = "\n".join(page.locator(".problems p").all_inner_texts())
    for part in told:
        assert part in text
    assert "/tmp" not in text
    assert page.locator("#make-study").is_disabled()
    page.get_by_role("button", name="Upload other regions").click()
    settle(page)
    upload(page, {"mine.csv": TABLE.encode()})
    preview(page)
    make_study(page)
    assert "Of 9 regions" in headline(page)
    assert not page.locator("[role=alert] p").count()


OFFICE = """\
Jumlah Penduduk per Kabupaten/Kota;;;

Kabupaten/Kota;Lintang;Bujur;Jumlah Penduduk 2023
Kota Rasake;-7,1;110,2;279.679
Kabupaten Ritoke;-7,2;110,4;200.674
Kabupaten Kelogo;-7,4;110,1;659.989
Kabupaten Sumade;-7,5;110,5;401.000
Provinsi Radugo;;;1.541.342
Sumber: Badan Statistik
"""


def test_an_office_table_is_previewed_answered_and_simulated(page, tmp_path):
    settle(page)
    upload(page, {"penduduk (1).csv": OFFICE.encode()})
    preview(page)
    assert page.locator("#make-study").is_disabled()
    question = page.locator("#open-questions")
    assert "Provinsi Radugo" in question.inner_text()
    question.get_by_role("button", name="Leave them out").press("Enter")
    page.locator("#make-study:not([disabled])").wait_for()
    assert "4 regions with 1,541,342 people" in page.locator("#summary").inner_text()
    assert not question.inner_text()

    page.select_option("#prices", "total:AMOUNT CURRENCY")
    page.locator("#prices-amount").fill("9e11")
    page.keyboard.press("Tab")
    page.keyboard.type("IDR")
    page.keyboard.press("Tab")
    page.locator("#make-study:not([disabled])").wait_for()
    assert page.locator("#prices-currency").input_value() == "IDR"

    chart = page.locator("#choice-map")
    assert chart.get_attribute("aria-label")
    for number in range(3):
        chart.locator("svg path[fill-opacity='0.85']").nth(number).click()
        page.wait_for_function(
            "number => document.getElementById('neighbourhood-regions')?.value.split(',').length "
            "=== number", arg=number + 1,
        )  # fmt: skip
    assert page.locator("#neighbourhood").input_value() == "list:CODE,CODE"
    with page.expect_download() as waiting:
        page.locator("#take-study:not([disabled])").click()
    taken = tmp_path / "taken.zip"
    waiting.value.save_as(taken)
    make_study(page)
    assert "Of 3 regions" in headline(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Study (ZIP)").click()
    waiting.value.save_as(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == taken.read_bytes()
    page.go_back()
    preview(page)
    assert page.locator("#neighbourhood").input_value() == "list:CODE,CODE"
    page.select_option("#lang", "id")
    page.wait_for_function("() => document.documentElement.lang === 'id'")
    page.locator("#summary table").wait_for()
    assert page.locator("#prices-amount").input_value() == "9e11"


def test_a_study_in_which_nothing_can_happen_says_so_before_its_results(page):
    settle(page)
    upload(page, {"mine.csv": TABLE.encode()})
    preview(page)
    page.select_option("#neighbourhood", "list:CODE,CODE")
    field = page.locator("#neighbourhood-regions")
    field.fill("R3")
    field.press("Enter")
    page.locator("#notices p.total").wait_for()
    assert page.evaluate("() => document.activeElement.id") == "neighbourhood-regions"
    make_study(page)
    assert "only one region" in page.locator(".notices p.total").inner_text()


def test_shapes_come_with_a_table_and_are_on_the_map(page):
    settle(page)
    features = []
    for k in range(9):
        south, west = -7 + 0.1 * (k % 3) - 0.04, 110 + 0.1 * (k // 3) - 0.04
        ring = [(0, 0), (0.08, 0), (0.08, 0.08), (0, 0.08), (0, 0)]
        at = [[west + x, south + y] for x, y in ring]
        features.append({"type": "Feature", "properties": {"code": f"R{k}"},
                         "geometry": {"type": "Polygon", "coordinates": [at]}})  # fmt: skip
    shapes = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    upload(page, {"mine.csv": TABLE.encode(), "mine.geojson": shapes})
    preview(page)
    make_study(page)
    drawn = page.locator("#regions svg path[stroke-width='1.4']")
    assert drawn.count() == 9
    assert not any("A" in shape.get_attribute("d") for shape in drawn.all()), "circles"


def test_files_are_chosen_by_keyboard(page):
    settle(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload regions").press("Enter")
    chooser.value.set_files({"name": "a.csv", "mimeType": "text/csv", "buffer": TABLE.encode()})
    preview(page)


def test_a_preview_that_is_gone_says_so(page, address):
    page.goto(f"{address}/import?regions=gone")
    page.locator("[role=alert] p").wait_for()
    assert "please upload them again" in page.locator("[role=alert]").inner_text()
    page.get_by_role("link", name="Back to the page").click()
    settle(page)


def test_the_server_itself_refuses_what_is_too_large(page, address):
    reply = page.request.post(f"{address}/_nicegui/client/x/upload/1", data=b"0" * 20_500_000)
    assert reply.status == 413


def test_an_address_with_mistakes_says_so_and_shows_the_rest(page, address):
    page.goto(
        f"{address}/?mechanisms.team=7&colour=red&scenario=upload-gone&support.ngo=0.5&start=teem"
    )
    page.locator("[role=alert] p").first.wait_for()
    told = " ".join(page.locator("[role=alert] p").all_inner_texts())
    assert "mechanisms.team: 7 is not a number from 0 to 1" in told
    assert "'colour' is not known here" in told
    assert "please upload them again" in told
    assert "'teem' is not a strategy" in told
    settle(page)
    assert page.locator("[id='support.ngo']").input_value() == "0.5"
    assert page.locator("#start").input_value() == "team"
    move(page, "support.ngo", 0.6)
    page.wait_for_function("() => !document.querySelector('[role=alert]')?.innerText")


def test_everything_can_be_taken_away(page, tmp_path):
    settle(page)
    move(page, "mechanisms.monitoring", 0.5)
    settle(page, **{"mechanisms.monitoring": "0.5"})

    def take(button):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=button).click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    strategy = Scenario.load(take("Scenario (YAML)")).strategies["your_strategy"]
    assert {name: parts[0].intensity for name, parts in strategy.levers.items()} == {
        "team": 0.6, "monitoring": 0.5,
    }  # fmt: skip
    table = take("Differences (CSV)").read_text(encoding="utf-8")
    assert table.startswith("strategy,future,measure,baseline,mean,difference,low,high")
    with zipfile.ZipFile(take("All data (ZIP)")) as archive:
        assert {"runs.csv", "differences.csv", "scenario.yaml"} <= {*archive.namelist()}
    report = take("Report (HTML)").read_text(encoding="utf-8")
    assert "Your strategy" in report
    assert "<svg" in report


def wait_for_moment(page, words):
    page.wait_for_function(
        "words => document.getElementById('moment')?.innerText.includes(words)", arg=words
    )


def test_one_run_goes_step_by_step(page):
    settle(page)
    page.get_by_role("tab", name="One run, step by step").click()
    page.wait_for_function(
        "() => document.getElementById('moment')?.innerText.includes('After 0 of 40')"
    )
    page.get_by_role("button", name="One year on").click()
    page.wait_for_function(
        "() => document.getElementById('moment')?.innerText.includes('After 4 of 40')"
    )
    page.get_by_role("button", name="One quarter on").click()
    page.wait_for_function(
        "() => document.getElementById('moment')?.innerText.includes('After 5 of 40')"
    )
    assert page.locator("#stepper svg path").count() >= 7
    assert "Cooperation rate" in page.locator("#stepper-numbers").inner_text()
    move(page, "mechanisms.team", 1)
    page.wait_for_function(
        "() => document.getElementById('moment')?.innerText.includes('After 0 of 40')"
    )


def test_a_group_is_ticked_judged_shared_and_downloaded(page, browser, tmp_path):
    """Every control has a name and help, more than five members are one sentence, and the address
    gives the same answer elsewhere."""
    settle(page)
    page.get_by_role("tab", name="A group I mean").click()
    page.select_option("#group-region", "34.71")
    page.wait_for_function("() => location.search.includes('group=34.71')")
    boxes = page.locator(".tick input")
    boxes.nth(5).wait_for()
    for control in [*boxes.all(), *page.locator(".group-form select, #group-leaves").all()]:
        name = control.get_attribute("id")
        assert page.locator(f"label[for='{name}']").inner_text()
        helped = control.get_attribute("aria-describedby")
        assert page.locator(f"[id='{helped}']").text_content()
    for box in boxes.all():
        box.check()
    page.get_by_text("A group on this page has at most 5 members, and these are 7").wait_for()
    for box in boxes.all()[2:]:
        box.uncheck()
    page.wait_for_function("() => location.search.split('%2C').length === 3")
    page.locator("#ask-group").click()
    page.locator("#group-answer .answers").wait_for()
    told = page.locator("#group-answer").inner_text()
    assert "sharing waste changes the net benefit of Kota Yogyakarta" in told
    assert "Shapley" in told
    with page.expect_download() as waiting:
        page.locator("#take-group").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert "kolabsim region 34.71 --scenario kartamantul --with" in path.read_text("utf-8")
    other = browser.new_context(locale="en").new_page()
    other.set_default_timeout(PATIENCE)
    other.goto(page.url)
    other.locator("#group-answer .answers").wait_for()
    assert other.locator("#group-answer").inner_text() == told
    other.context.close()
    page.select_option("#group-area", "finance")
    page.get_by_text("The answer below is that of earlier choices.").wait_for()


def test_a_region_is_played_with_the_keyboard_alone(page):
    settle(page)
    page.get_by_role("tab", name="One run, step by step").click()
    page.locator("#play-start").focus()
    page.keyboard.press("Enter")
    asked = 0
    for _press in range(100):
        page.locator("#play-now:not([data-seen])").wait_for()
        assert page.evaluate("document.activeElement.id") == "play-now"
        asked += page.locator("#play-question").count()
        if asked == 3:
            break
        page.evaluate("document.getElementById('play-now').dataset.seen = 1")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    assert asked == 3
    assert "Votes needed" in page.locator("#play").inner_text()
    assert page.locator("#play-news").count() == 1
    move(page, "mechanisms.team", 1)
    page.locator("#play-now").wait_for(state="detached")
