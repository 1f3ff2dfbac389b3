"""Mesa's page, as the how-to writes it, in a real browser that reaches no other host."""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium")
MISSING = [
    name for name in ("solara", "solara_assets", "altair") if not importlib.util.find_spec(name)
]
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(MISSING), reason=f"Mesa's page needs {MISSING}: the extra 'solara'"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
]
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "mesa.md"
NOWHERE = "http://127.0.0.1:9"
"""A proxy that is not there: the server reaches no other host through it."""


@pytest.fixture
def address(tmp_path):
    text = HOW_TO.read_text(encoding="utf-8")
    code = re.search(r"```text\n(import solara\n.*?)```", text, re.DOTALL)[1]
    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = tried.getsockname()[1]
    proxies = {f"{kind}_proxy": NOWHERE for kind in ("http", "https", "all")}
    server = subprocess.Popen(
        [sys.executable, "-m", "solara", "run", "page.py", "--no-open", "--production",
         "--host", "127.0.0.1", "--port", str(port)],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | proxies | {key.upper(): v for key, v in proxies.items()},
    )  # fmt: skip
    found = f"http://127.0.0.1:{port}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _trial in range(300):
        try:
            opener.open(f"{found}/readyz", timeout=5).close()
            break
        except OSError:
            assert server.poll() is None, "the server ended before it answered"
            threading.Event().wait(0.1)
    yield found
    server.terminate()
    server.wait(timeout=30)


def test_mesas_page_draws_joint_bodies_and_asks_no_other_host(address):
    strangers = []

    def only_here(route):
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(50_000)
        page.route("**/*", only_here)
        page.goto(address)
        pictures = page.locator("img[src^='data:image'], img[src^='blob:'], .solara-image svg")
        pictures.nth(1).wait_for()
        before = pictures.first.evaluate("one => one.outerHTML")
        page.get_by_role("button", name="Step").click()
        page.wait_for_function(
            """before => [...document.querySelectorAll('img, svg')].every(
                 one => one.outerHTML !== before)""",
            arg=before,
        )
        browser.close()
    assert not strangers, strangers
