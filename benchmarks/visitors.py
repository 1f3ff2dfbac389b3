"""Visitors of the web page, without browsers: what each waits for, and what the server needs.

python benchmarks/visitors.py [--visitors 20] [--seconds 120] [--attack]

A visitor opens the page, connects as a browser does, moves a slider, waits for the first answer to
that move, thinks for two to four seconds, and moves another one. An attacker opens pages without
connecting, uploads outlines that cross themselves, damaged shapefiles and scenarios as large as the
page accepts, takes away report after report, and never waits. Prints one JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
import psutil
import socketio

ELEMENTS = re.compile(r"parseElements\(String\.raw`(.*?)`\)", re.DOTALL)
CLIENT = re.compile(r"""client_id["']?:\s*["']([0-9a-f-]+)""")
ENTITIES = {"&#36;": "$", "&#96;": "`", "&gt;": ">", "&lt;": "<", "&amp;": "&"}
PATIENCE = 120.0
"""Seconds after which a visitor counts an answer as lost."""


class LostError(Exception):
    """An answer did not come."""


class Visitor:
    """One open page, as its browser sees it."""

    def __init__(self, address: str, http: aiohttp.ClientSession, language: str = "en") -> None:
        self.address, self.http, self.language = address, http, language
        self.elements: dict[str, dict[str, Any]] = {}
        self.socket: socketio.AsyncClient | None = None
        self.changed = asyncio.Condition()
        self.query = ""
        """The query of the address that the page shows."""
        self.opened: list[str] = []
        """Addresses to which the page sent its visitor."""
        self.downloads: list[tuple[str, bytes]] = []
        self.next_message = 0
        self.states = 0

    async def open(self, path: str = "/") -> int:
        """Load the page, connect, and wait for what is built then; return the response's status."""
        async with self.http.get(self.address + path) as reply:
            text, status = await reply.text(), reply.status
        found = ELEMENTS.search(text)
        if found is None:
            return status
        written = found[1]
        for entity, sign in ENTITIES.items():
            written = written.replace(entity, sign)
        self.elements = json.loads(written)
        client = CLIENT.search(text)
        assert client is not None
        self.client, self.query = client[1], urlsplit(path).query
        await self.connect()
        if urlsplit(path).path == "/":
            await self.until(lambda: self.has("state"))
        return status

    async def connect(self) -> None:
        """Open the socket over which the page is updated."""
        self.socket = socketio.AsyncClient(
            reconnection=False, http_session=self.http, websocket_extra_options={"max_msg_size": 0}
        )
        for name, handler in (
            ("update", self.update), ("run_javascript", self.run), ("open", self.follow),
            ("download", self.keep),
        ):  # fmt: skip
            self.socket.on(name, handler)
        words = {
            "client_id": self.client, "document_id": str(uuid.uuid4()), "tab_id": str(uuid.uuid4()),
            "next_message_id": "0", "implicit_handshake": "true",
        }  # fmt: skip
        query = "&".join(f"{name}={quote(word)}" for name, word in words.items())
        await self.socket.connect(
            f"{self.address}/?{query}", transports=["websocket"], wait_timeout=PATIENCE,
            socketio_path="/_nicegui_ws/socket.io", headers={"Origin": self.address},
        )  # fmt: skip

    async def close(self) -> None:
        """Close the page."""
        if self.socket is not None:
            await self.socket.disconnect()

    # What the server sends ------------------------------------------------------------------------

    async def update(self, data: dict[str, Any]) -> None:
        for key, element in data.items():
            if key == "_id":
                await self.acknowledge(element)
            elif element is None:
                self.elements.pop(key, None)
            else:
                self.elements[key] = element
                if element.get("props", {}).get("id") == "state":
                    self.states += 1
        await self.tell()

    async def run(self, data: dict[str, Any]) -> None:
        await self.acknowledge(data["_id"])
        found = re.search(r"history\.replaceState\(null, '', \"(.*?)\"\)", data["code"])
        if found:
            self.query = urlsplit(found[1]).query
        if "request_id" in data and self.socket is not None:
            answer = {"request_id": data["request_id"], "client_id": self.client, "result": ""}
            await self.socket.emit("javascript_response", answer)
        await self.tell()

    async def follow(self, data: dict[str, Any]) -> None:
        await self.acknowledge(data["_id"])
        self.opened.append(data["path"])
        await self.tell()

    async def keep(self, data: dict[str, Any]) -> None:
        await self.acknowledge(data["_id"])
        content = data["src"]
        if isinstance(content, str):
            async with self.http.get(self.address + content) as reply:
                content = await reply.read()
        self.downloads.append((data["filename"], content))
        await self.tell()

    async def acknowledge(self, number: int) -> None:
        """Tell the server now and then which messages arrived, as the script of the page does."""
        if number >= self.next_message + 20 and self.socket is not None:
            self.next_message = number
            await self.socket.emit("ack", {"client_id": self.client, "next_message_id": number + 1})

    async def tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, holds: Callable[[], Any], seconds: float = PATIENCE) -> None:
        """Wait until something holds on the page."""
        async with self.changed:
            try:
                await asyncio.wait_for(self.changed.wait_for(holds), seconds)
            except TimeoutError:
                raise LostError from None

    # What is on the page --------------------------------------------------------------------------

    def element(self, name: str) -> tuple[int, dict[str, Any]]:
        """The element with this id in HTML, and the server's number of it."""
        for number, element in self.elements.items():
            if element.get("props", {}).get("id") == name:
                return int(number), element
        raise LostError(name)

    def has(self, name: str) -> bool:
        """Whether there is an element with this id in HTML."""
        return any(one.get("props", {}).get("id") == name for one in self.elements.values())

    def text(self, name: str) -> str:
        """The HTML of an element."""
        return str(self.element(name)[1].get("props", {}).get("innerHTML", ""))

    def alerts(self) -> list[str]:
        """All problems that the page reports."""
        places = [e for e in self.elements.values() if e.get("props", {}).get("role") == "alert"]
        children = [str(child) for place in places for child in place.get("children", ())]
        return [self.elements[c]["props"].get("innerHTML", "") for c in children]

    def is_answered(self) -> bool:
        """Whether the page shows an answer to the settings in its address."""
        answers = self.element("state")[1]["props"].get("data-answers")
        if answers is None:
            return bool(self.text("headline"))
        return bool(parse_qs(str(answers)) == parse_qs(self.query) and self.text("headline"))

    async def emit(self, name: str, kind: str, value: object) -> None:
        """Let an event happen at an element: ``input``, ``change`` or ``click``."""
        number, element = self.element(name)
        (listener,) = [e["listener_id"] for e in element["events"] if e["type"] == kind][:1]
        assert self.socket is not None
        await self.socket.emit("event", {
            "id": number, "client_id": self.client, "listener_id": listener,
            "args": [json.dumps(value)],
        })  # fmt: skip

    async def move(self, name: str, value: float) -> float:
        """Move a slider, and return the seconds until the first answer to it."""
        started, before = time.perf_counter(), self.query
        await self.emit(name, "input", f"{value:g}")
        await self.until(lambda: self.query != before)
        if self.element("state")[1]["props"].get("data-answers") is None:
            seen = self.states
            await self.until(lambda: self.states > seen and self.text("state").startswith("100 "))
        await self.until(self.is_answered)
        return time.perf_counter() - started

    async def upload(self, files: dict[str, bytes], name: str = "upload") -> int:
        """Upload files, and return the status of the response."""
        button = next(
            n for n, e in self.elements.items()
            if f'id="{name}"' in str(e.get("slots", {}).get("header", ""))
        )  # fmt: skip
        form = aiohttp.FormData()
        for file, content in files.items():
            form.add_field(file, content, filename=file)
        address = f"{self.address}/_nicegui/client/{self.client}/upload/{button}"
        headers = {"Origin": self.address}
        async with self.http.post(address, data=form, headers=headers) as reply:
            return reply.status


# The server ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def served(*words: str) -> Any:
    """Serve the page from a folder that is empty: its address, its process, and what it prints."""
    # The framework serves nothing where it finds the variables of pytest.
    environment = {key: text for key, text in os.environ.items() if "PYTEST" not in key}
    environment["KOLABSIM_LANG"] = "en"
    with tempfile.TemporaryDirectory() as folder, Path(folder, "out").open("w+") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "kolabsim", "app", "--no-browser", "--port", "0", *words],
            cwd=folder, stdout=out, stderr=subprocess.STDOUT,
            env=environment,
        )  # fmt: skip

        def printed() -> str:
            return Path(folder, "out").read_text(encoding="utf-8")

        try:
            while not (found := re.search(r"http://[^ ]+:\d+", printed())):
                assert server.poll() is None, printed()
                time.sleep(0.1)
            yield found[0], psutil.Process(server.pid), printed
        finally:
            server.terminate()
            server.wait(60)


def memory(server: psutil.Process) -> float:
    """Megabytes that the server and its processes have."""
    found = 0
    for one in (server, *server.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            found += one.memory_full_info().pss
    return found / 2**20


def processor(server: psutil.Process) -> float:
    """Seconds of processor time of the server, with those of processes that it ended."""
    times = server.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def session(**options: Any) -> aiohttp.ClientSession:
    """A client without limits."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(PATIENCE), **options
    )


async def wait_for(address: str) -> None:
    """Wait until the server answers, and has compiled the model."""
    until = time.monotonic() + 600.0
    async with session() as http:
        while time.monotonic() < until:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                visitor = Visitor(address, http)
                await visitor.open()
                await visitor.until(visitor.is_answered, 600.0)
                await visitor.close()
                return
            await asyncio.sleep(0.2)
    raise LostError(address)


# A class, and an attacker -------------------------------------------------------------------------

SLIDERS = ("mechanisms.team", "mechanisms.forum", "mechanisms.monitoring", "support.ngo")


async def learn(
    address: str, number: int, until: float, seconds: list[float], errors: list[str]
) -> None:
    """Open the page and move sliders until a time."""
    chance = random.Random(number)
    async with session() as http:
        visitor = Visitor(address, http)
        try:
            await asyncio.sleep(chance.uniform(0.0, 5.0))
            assert await visitor.open() == 200
            await visitor.until(visitor.is_answered)
            while time.perf_counter() < until:
                await asyncio.sleep(chance.uniform(2.0, 4.0))
                name, value = chance.choice(SLIDERS), chance.randrange(20) / 20
                if f"{name}={value:g}" in visitor.query or value in (0.0, 0.6):
                    continue
                seconds.append(await visitor.move(name, value))
                errors.extend(visitor.alerts())
        except Exception as error:  # of any kind: it counts
            errors.append(repr(error))
        finally:
            await visitor.close()


def scribble(points: int) -> dict[str, bytes]:
    """A table, and a map with one ring that crosses itself everywhere."""
    chance = random.Random(points)
    ring = [[round(chance.random(), 4), round(chance.random(), 4)] for _ in range(points)]
    shape = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    feature = {"type": "Feature", "properties": {"code": "a"}, "geometry": shape}
    table = b"code,name,population,latitude,longitude\na,A,1000,0.5,0.5\nb,B,2000,0.5,0.6\n"
    shapes = json.dumps({"type": "FeatureCollection", "features": [feature]})
    return {"s.csv": table, "g.geojson": shapes.encode()}


def damaged(cut: int) -> dict[str, bytes]:
    """A shapefile of squares whose end is missing."""
    import shapefile

    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf) as writer:
        writer.field("code", "C")
        for k in range(40):
            x, y = 110 + 0.1 * k, -7.0
            writer.poly([[[x, y], [x, y + 0.1], [x + 0.1, y + 0.1], [x, y]]])
            writer.record(str(k))
    return {"m.shp": shp.getvalue()[:-cut], "m.shx": shx.getvalue(), "m.dbf": dbf.getvalue()}


HEAVY = """\
extends: indonesia
regions: {synthetic: {number: %d, median_population: 30000}}
horizon: %d
contacts: {nearest: %d}
"""


async def attack(address: str, until: float, done: dict[str, int]) -> None:
    """Do what stopped the page for everybody, again and again."""
    chance = random.Random(0)

    async def flood(http: aiohttp.ClientSession) -> None:
        while time.perf_counter() < until:
            with contextlib.suppress(Exception):
                async with http.get(f"{address}/?seed={chance.randrange(10**9)}") as reply:
                    await reply.read()
                done["loads"] = done.get("loads", 0) + 1
            await asyncio.sleep(0.5)

    async def send(http: aiohttp.ClientSession, kind: str, make: Callable[[], Any]) -> None:
        while time.perf_counter() < until:
            visitor, page = Visitor(address, http), Visitor(address, http)
            with contextlib.suppress(Exception):
                await visitor.open()
                await visitor.upload(make())
                await visitor.until(lambda v=visitor: v.opened or v.alerts(), 20.0)
                done[kind] = done.get(kind, 0) + 1
                if visitor.opened:
                    await page.open(visitor.opened[0])
                    await asyncio.sleep(5.0)
            with contextlib.suppress(Exception):
                await visitor.close()
                await page.close()
            await asyncio.sleep(0.5)

    async def take(http: aiohttp.ClientSession) -> None:
        while time.perf_counter() < until:
            page = Visitor(address, http)
            with contextlib.suppress(Exception):
                await page.open(f"/?seed={chance.randrange(10**9)}")
                await page.until(page.is_answered)
                await page.emit("take-report", "click", {})
                await page.until(lambda p=page: p.downloads, until - time.perf_counter())
                done["reports"] = done.get("reports", 0) + 1
            with contextlib.suppress(Exception):
                await page.close()

    async with session() as http:
        await asyncio.gather(
            flood(http), take(http),
            send(http, "scribbles", lambda: scribble(chance.choice([300, 400, 3000]))),
            send(http, "shapefiles", lambda: damaged(chance.randrange(1, 4000))),
            send(http, "scenarios", lambda: {
                "x.yaml": (HEAVY % chance.choice([(600, 400, 100), (300, 40, 20)])).encode()
            }),
        )  # fmt: skip


async def measure(
    address: str, server: psutil.Process, words: argparse.Namespace
) -> dict[str, Any]:
    """Let visitors come, with or without an attacker."""
    await wait_for(address)
    before, busy = memory(server), processor(server)
    started = time.perf_counter()
    until = started + words.seconds
    seconds: list[float] = []
    errors: list[str] = []
    attacks: dict[str, int] = {}
    track: list[float] = []

    async def watch() -> None:
        while time.perf_counter() < until:
            track.append(round(memory(server)))
            await asyncio.sleep(words.seconds / 12)

    tasks = [learn(address, k, until, seconds, errors) for k in range(words.visitors)]
    if words.attack:
        tasks.append(attack(address, until, attacks))
    await asyncio.gather(watch(), *tasks)
    wall = time.perf_counter() - started
    ordered = sorted(seconds)
    return {
        "visitors": words.visitors, "seconds": round(wall), "moves": len(seconds),
        "median": round(statistics.median(ordered), 2) if ordered else None,
        "ninth_decile": round(ordered[int(0.9 * len(ordered))], 2) if ordered else None,
        "longest": round(ordered[-1], 2) if ordered else None,
        "errors": errors[:5], "attacks": attacks, "cores_busy": (processor(server) - busy) / wall,
        "megabytes_before": round(before), "megabytes": track,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--attack", action="store_true")
    words = parser.parse_args()
    with served() as (address, server, printed):
        found = asyncio.run(measure(address, server, words))
        found["printed"] = printed()[-2000:]
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
