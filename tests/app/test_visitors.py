"""The page with many visitors, none of them in a browser; seconds are measured in `benchmarks/`."""

import asyncio
import json
import time
import zipfile
from argparse import Namespace
from io import BytesIO

import pytest

pytest.importorskip("nicegui", reason="the extra 'app' is not installed")
pytest.importorskip("psutil", reason="psutil is not installed")
visitors = pytest.importorskip("benchmarks.visitors", reason="aiohttp is not installed")
pytestmark = pytest.mark.long
Visitor = visitors.Visitor


@pytest.fixture(scope="module")
def server():
    with visitors.served() as (address, process, printed):
        asyncio.run(visitors.wait_for(address))
        yield address, process
        said = printed()
        assert "Traceback" not in said, said


@pytest.fixture
def visit(server):
    """Run what a visitor does with a page that is open and answered."""

    def run(story, path="/"):
        async def go():
            async with visitors.session() as http:
                page = Visitor(server[0], http)
                assert await page.open(path) == 200
                await page.until(page.is_answered)
                await story(page)
                await page.close()

        asyncio.run(go())

    return run


def test_a_download_is_of_what_the_controls_show(visit):
    async def story(page):
        for number in range(1, 4):
            before = len(page.downloads)
            await page.emit("support.ngo", "input", f"0.{number}")
            await page.emit("take-scenario", "click", {})
            await page.until(lambda before=before: len(page.downloads) > before)
            assert f"ngo: 0.{number}" in page.downloads[-1][1].decode()
        await page.emit("support.ngo", "input", "0.9")
        await page.emit("take-data", "click", {})
        await page.until(lambda: len(page.downloads) == 4)
        with zipfile.ZipFile(BytesIO(page.downloads[-1][1])) as archive:
            assert "ngo: 0.9" in archive.read("scenario.yaml").decode()

    visit(story)


def test_an_error_of_a_handler_is_shown_on_the_page_and_in_the_terminal():
    async def go(address):
        async with visitors.session() as http:
            page = Visitor(address, http)
            await page.open()
            await page.until(page.is_answered)
            await page.emit("support.ngo", "change", "many")
            await page.until(page.alerts)
            assert "for a reason that kolabsim does not know" in page.alerts()[0]
            assert await page.move("support.ngo", 0.5)
            assert not page.alerts()
            await page.close()

    with visitors.served() as (address, _process, printed):
        asyncio.run(visitors.wait_for(address))
        asyncio.run(go(address))
        assert "ValueError: could not convert string to float" in printed()


def test_twenty_visitors_and_an_attacker_see_no_errors(server):
    words = Namespace(visitors=20, seconds=30.0, attack=True)
    found = asyncio.run(visitors.measure(*server, words))
    assert not found["errors"]
    assert found["moves"] >= 20
    assert found["attacks"]["loads"]


def test_pages_that_were_closed_leave_nothing_behind(server):
    """Half of the pages are opened by a browser, and half are only loaded."""
    address, process = server

    async def load(number):
        async with visitors.session() as http:
            for k in range(number):
                page = Visitor(address, http)
                if k % 2:
                    async with http.get(address) as reply:
                        assert reply.status == 200
                    continue
                await page.open()
                await page.until(page.is_answered)
                await page.close()

    # A page that was closed is kept for some seconds, as its browser may come back: as many as
    # that at a time need memory, and a process does not return it.
    asyncio.run(load(200))
    time.sleep(15.0)
    before = visitors.memory(process)
    asyncio.run(load(200))
    time.sleep(15.0)
    assert visitors.memory(process) - before < 50.0


def test_whoever_only_loads_the_page_gets_no_controls(server):
    async def go():
        async with visitors.session() as http, http.get(server[0]) as reply:
            text = await reply.text()
            assert 'registerMap("regions"' in text
            assert len(json.loads(visitors.ELEMENTS.search(text)[1])) < 20

    asyncio.run(go())


def test_the_socket_is_for_the_page_alone(server):
    address, _process = server

    async def go():
        async with visitors.session() as http:
            place = f"{address}/_nicegui_ws/socket.io/?EIO=4&transport="
            for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
                async with http.get(f"{place}polling", headers=headers) as reply:
                    assert reply.status == 403
                with pytest.raises(visitors.aiohttp.WSServerHandshakeError):
                    await http.ws_connect(f"{place}websocket", headers=headers)

    asyncio.run(go())
