"""The scripts and styles of the framework, compressed once for all visitors.

They are megabytes, and compressing them takes a quarter of a second: longer than all else that a
page takes to open, and each visitor's browser asks for them.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import MutableMapping
from typing import Any, NamedTuple

from kolabsim.app.guard import Application, Receive, Scope, Send

PLACE = "/_nicegui/"
"""Where all of them are."""
KINDS = ("text/", "application/javascript", "application/json")
"""Contents that become smaller, by the beginning of their types."""
SMALLEST = 500
"""Bytes from which on it is worth while."""
MOST_BYTES = 10_000_000
"""Most bytes that are stored; all of them have one or two million."""

Headers = list[tuple[bytes, bytes]]


class Asset(NamedTuple):
    """A compressed response."""

    headers: Headers
    body: bytes


class Assets:
    """Answer requests for a script or style with what was compressed for the first of them."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self._stored: dict[str, Asset] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if not is_meant(scope):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        found = self._stored.get(path)
        if found is None:
            found = await self._make(scope, receive, send)
        if found is not None:
            start = {"type": "http.response.start", "status": 200, "headers": [*found.headers]}
            await send(start)
            await send({"type": "http.response.body", "body": found.body})

    async def _make(self, scope: Scope, receive: Receive, send: Send) -> Asset | None:
        """Compress a response and store it; None if it was sent as it is."""
        started: MutableMapping[str, Any] = {}
        parts: list[bytes] = []
        is_plain = False

        async def collect(message: MutableMapping[str, Any]) -> None:
            nonlocal is_plain
            if message["type"] == "http.response.start":
                started.update(message)
                is_plain = not is_compressible(message)
                if is_plain:
                    await send(message)
            elif is_plain:
                await send(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, collect)
        if is_plain or not started:
            return None
        body = await asyncio.to_thread(gzip.compress, b"".join(parts), 9, mtime=0)
        kept = [one for one in started["headers"] if one[0].lower() != b"content-length"]
        size = str(len(body)).encode()
        added = [
            (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding"),
            (b"content-length", size),
        ]  # fmt: skip
        found = Asset([*kept, *added], body)
        if sum(len(one.body) for one in self._stored.values()) + len(body) <= MOST_BYTES:
            self._stored[scope["path"]] = found
        return found


def is_meant(scope: Scope) -> bool:
    """Whether this asks for a whole file of the framework, and takes it compressed."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path = str(scope["path"])
    # What the framework makes while it runs may change.
    if not path.startswith(PLACE) or "/dynamic_resources/" in path or "/client/" in path:
        return False
    headers = dict(scope["headers"])
    if b"range" in headers or b"if-none-match" in headers or b"if-modified-since" in headers:
        return False
    return b"gzip" in headers.get(b"accept-encoding", b"")


def is_compressible(message: MutableMapping[str, Any]) -> bool:
    """Whether a response is a text of some size that nobody has compressed."""
    headers = {name.lower(): value for name, value in message.get("headers", ())}
    kind = headers.get(b"content-type", b"").decode("latin-1")
    size = headers.get(b"content-length", b"0")
    is_large = size.isdigit() and int(size) >= SMALLEST
    is_whole = message["status"] == 200 and b"content-encoding" not in headers
    return is_whole and is_large and kind.startswith(KINDS)
