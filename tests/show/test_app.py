"""The web page in a real browser: Debian's chromium, driven by Playwright, with no other host."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest

from kolabsim.world.scenario import Scenario

pytest.importorskip("nicegui", reason="the extra 'app' is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
    pytest.mark.skipif(
        not os.environ.get("KOLABSIM_BROWSER"), reason="make browser runs the tests in a browser"
    ),
]

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
    found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
    assert found, "the server does not say where it is"
    yield found[0]
    server.send_signal(signal.SIGINT)
    told = server.communicate(timeout=20)[0]
    assert "Traceback" not in told, told
    assert not list(folder.rglob("*")), "the page leaves nothing behind"


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
    found.set_default_timeout(15_000)
    for _attempt in range(100):
        try:
            found.goto(address)
            break
        except playwright.Error:
            time.sleep(0.2)
    yield found
    context.close()
    assert not strangers, "the page asks other hosts"
    assert not errors


def wait_for_runs(page, number="1,000"):
    page.wait_for_function(
        "number => document.getElementById('state')?.innerText.startsWith(number + ' ')",
        arg=number,
    )


def move(page, name, value):
    """Move a slider as a hand does: the browser sets the value and tells of it."""
    page.locator(f"[id='{name}']").evaluate(
        "(slider, value) => { slider.value = value;"
        " slider.dispatchEvent(new Event('input', {bubbles: true})); }",
        str(value),
    )


def headline(page):
    return page.locator(".headline").inner_text()


def settings_in(page):
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def test_the_page_loads_and_compares(page):
    wait_for_runs(page)
    assert "Against “Voluntary”, your strategy changes realised net benefit" in headline(page)
    assert page.locator("table.differences tbody tr, table.differences > tr").count() >= 11
    for name in ("envelopes", "regions", "network"):
        assert page.locator(f"#{name} svg[role=img]").get_attribute("aria-label")
    for slider in page.locator("input[type=range]").all():
        name = slider.get_attribute("id")
        assert page.locator(f"label[for='{name}']").inner_text()
        assert page.locator(f"[id='{slider.get_attribute('aria-describedby')}']").inner_text()
    assert page.locator("input[type=range]").count() == 17


def test_a_move_changes_the_answer_the_address_and_nothing_else(page, address):
    wait_for_runs(page)
    before = headline(page)
    move(page, "mechanisms.team", 1)
    page.wait_for_function(
        "before => document.querySelector('.headline')?.innerText !== before", arg=before
    )
    wait_for_runs(page)
    after = headline(page)
    assert settings_in(page) == {"mechanisms.team": "1"}
    other = page.context.new_page()
    other.goto(page.url)
    wait_for_runs(other)
    assert headline(other) == after
    assert other.locator("[id='mechanisms.team']").input_value() == "1"
    move(page, "mechanisms.team", 0.6)
    page.wait_for_function(
        "before => document.querySelector('.headline')?.innerText === before", arg=before
    )
    assert settings_in(page) == {}


def test_sliders_move_by_keys_and_again_after_a_move(page):
    wait_for_runs(page)
    page.locator("[id='support.ngo']").focus()
    for _press in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('support.ngo=0.2')")
    assert page.locator("output[for='support.ngo']").inner_text() == "0.2"


def test_the_newest_of_many_moves_is_answered(page):
    wait_for_runs(page)
    for k in range(21):
        move(page, "mechanisms.forum", k / 20)
    wait_for_runs(page)
    page.wait_for_function("() => location.search.includes('mechanisms.forum=1')")
    page.wait_for_timeout(500)
    wait_for_runs(page)
    told = headline(page)
    page.reload()
    wait_for_runs(page)
    assert headline(page) == told


def test_other_strategies_measures_and_languages(page):
    wait_for_runs(page)
    page.select_option("#start", "mandate")
    page.wait_for_function("() => document.getElementById('mechanisms.team')?.value === '0'")
    page.select_option("#baseline", "full_package")
    page.select_option("#measure", "trust")
    page.wait_for_function(
        "() => document.querySelector('.headline')?.innerText.includes('Full package')"
    )
    page.wait_for_selector("#envelopes svg[aria-label^=Trust]")
    page.select_option("#lang", "id")
    page.wait_for_function("() => document.documentElement.lang === 'id'")
    assert settings_in(page)["lang"] == "id"
    wait_for_runs(page, "1.000")
    assert "Kerja sama wajib" in page.locator("#start").inner_text()
    assert settings_in(page)["start"] == "mandate"


def test_an_upload_is_shown_and_what_is_wrong_with_one_is_told_in_place(page, address):
    wait_for_runs(page)
    chosen = page.locator("input[type=file]")
    files = {
        "name": "bad.csv",
        "mimeType": "text/csv",
        "buffer": b"code,population,latitude,longitude\na,-3,0,0\na,x,0,0\n",
    }
    chosen.set_input_files(files)
    told = page.locator("fieldset .problems p")
    told.first.wait_for()
    assert "bad.csv:2: population: -3" in told.first.inner_text()
    assert "<" not in told.first.inner_text()
    chosen.set_input_files({**files, "name": "huge.csv", "buffer": b"0" * 1_500_000})
    page.wait_for_function(
        "() => document.querySelector('fieldset .problems')?.innerText.includes('1000 kB')"
    )
    chosen.set_input_files({**files, "name": "mine.csv", "buffer": TABLE.encode()})
    page.wait_for_function("() => location.search.includes('scenario=upload-')")
    wait_for_runs(page)
    assert "Region 8" in page.locator("#regions").inner_text()
    assert "Of 9 regions" in headline(page)


def test_the_server_itself_refuses_what_is_too_large(page, address):
    reply = page.request.post(f"{address}/_nicegui/client/x/upload/1", data=b"0" * 1_500_000)
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
    wait_for_runs(page)
    assert page.locator("[id='support.ngo']").input_value() == "0.5"
    assert page.locator("#start").input_value() == "team"
    move(page, "support.ngo", 0.6)
    page.wait_for_function("() => !document.querySelector('[role=alert]')?.innerText")


def test_everything_can_be_taken_away(page, tmp_path):
    wait_for_runs(page)
    move(page, "mechanisms.monitoring", 0.5)
    page.wait_for_function("() => location.search.includes('monitoring')")
    page.wait_for_timeout(300)
    wait_for_runs(page)

    def take(button):
        with page.expect_download(timeout=60_000) as waiting:
            page.get_by_role("button", name=button).click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    strategy = Scenario.load(take("Scenario (YAML)")).strategies["what_if"]
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


def test_one_run_goes_step_by_step(page):
    wait_for_runs(page)
    page.get_by_role("tab", name="One run, step by step").click()
    page.wait_for_function("() => document.getElementById('when')?.innerText.includes('0 of 40')")
    page.get_by_role("button", name="One year on").click()
    page.wait_for_function("() => document.getElementById('when')?.innerText.includes('4 of 40')")
    page.get_by_role("button", name="One quarter on").click()
    page.wait_for_function("() => document.getElementById('when')?.innerText.includes('5 of 40')")
    assert page.locator("#lesson-picture svg").count() == 1
    assert "Cooperation rate" in page.locator("#lesson-told").inner_text()
    move(page, "mechanisms.team", 1)
    page.wait_for_function("() => document.getElementById('when')?.innerText.includes('0 of 40')")


@pytest.mark.slow
def test_a_move_is_answered_soon(page, address):
    """Of thirty regions, by a hundred runs: in half a second on two idle cores; others may work."""
    page.locator("input[type=file]").set_input_files(
        {"name": "thirty.yaml", "mimeType": "text/yaml", "buffer": THIRTY.encode()}
    )
    page.wait_for_function("() => location.search.includes('scenario=upload-')")
    wait_for_runs(page)
    seconds = []
    for k in range(5):
        before = headline(page)
        began = time.perf_counter()
        move(page, "mechanisms.team", 0.65 + 0.05 * k)
        page.wait_for_function(
            "before => document.querySelector('.headline')?.innerText !== before", arg=before,
            polling=10,
        )  # fmt: skip
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 1.0, seconds
