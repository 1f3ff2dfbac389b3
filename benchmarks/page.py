"""The web page in a browser: the first visit, and a move."""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

from benchmarks.reading import Reading, SkippedError, environment

MOVES = """values => new Promise(done => {
  const state = document.getElementById('state'), seconds = [];
  const slider = document.getElementById('mechanisms.team');
  let began;
  const move = () => {
    if (seconds.length === values.length) return done(seconds);
    began = performance.now();
    slider.value = values[seconds.length];
    slider.dispatchEvent(new Event('input', {bubbles: true}));
  };
  new MutationObserver(() => {
    if (!state.innerText.startsWith('100 ')) return;
    seconds.push((performance.now() - began) / 1000);
    setTimeout(move, 1000);
  }).observe(state, {childList: true, characterData: true, subtree: true});
  move();
})"""
"""Moves a slider and waits for the first answer, one value after the other."""

SHOWN = "#headline[aria-busy=false]"
VISITS = 3


def page() -> list[Reading]:
    """Seconds on the clock until the headline of a first visit, and until a move is answered; 60 s.

    The model is compiled; each first visit is to a server that has just begun to answer. A move is
    answered from 100 runs of each strategy in 30 regions.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SkippedError("the page needs chromium, which this machine lacks")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise SkippedError("the page needs playwright, which is not installed") from None
    regions = "{synthetic: {number: 30, median_population: 500000, tiers: 2}}"
    scenario = f"extends: indonesia\ntitle: Thirty\nregions: {regions}\n"
    first, moves = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for visit in range(VISITS):
            with tempfile.TemporaryDirectory() as folder:
                server, address = serve(folder)
                try:
                    shown = browser.new_page()
                    shown.set_default_timeout(120_000)
                    started = time.perf_counter()
                    shown.goto(address)
                    shown.locator(SHOWN).wait_for()
                    first.append(time.perf_counter() - started)
                    if visit == VISITS - 1:
                        shown.locator("input[type=file]").first.set_input_files(
                            {"name": "a.yaml", "mimeType": "text/yaml", "buffer": scenario.encode()}
                        )
                        shown.wait_for_url("**scenario=upload-**")
                        shown.locator(SHOWN).wait_for()
                        moves = shown.evaluate(MOVES, [f"{0.05 * k:g}" for k in range(13, 20)])
                    shown.close()
                finally:
                    server.terminate()
                    server.wait()
        browser.close()
    return [
        Reading("headline at a first visit, best of 3", min(first), "s", at_most=2, why=(
            "2,000 runs take some 1.8 s of a core while the browser loads and draws the page on "
            "the other, and the framework alone takes it more than a second")),
        Reading("from a move to its answer, median of 7", statistics.median(moves), "s",
                at_most=0.25, why=(
            "100 runs of 30 regions in 100 futures take .4 s of a core, which two cores share, and "
            "drawing and sending the answer takes .05 s more on one")),
    ]  # fmt: skip


def serve(folder: str) -> tuple[subprocess.Popen[str], str]:
    """Serve the page from a folder; return once it answers."""
    server = subprocess.Popen(
        [sys.executable, "-m", "kolabsim", "app", "--no-browser", "--port", "0"],
        cwd=folder, env=environment(KOLABSIM_LANG="en"), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    address = next(w for w in server.stdout.readline().split() if w.startswith("http"))
    where = urlsplit(address)
    for _ in range(1200):
        try:  # a request would be a visit
            socket.create_connection((where.hostname, where.port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return server, address
    raise TimeoutError(address)
