"""Which requests the page answers: those that a browser sends to it by its own name.

Another page in the same browser could otherwise reach it: under a name of its own that points to
this machine (the ``Host`` shows it), or across pages (the ``Origin`` shows it).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from kolabsim.i18n import _

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})
ANY = "*"
"""The name that admits every host and every origin."""
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "  # as the framework does
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Headers of every response: nothing from other hosts, and not within another page."""

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Hosts:
    """The names under which the page may be reached, from the address that it is bound to."""

    def __init__(self, bound: str, allowed: Iterable[str] = ()) -> None:
        bound = host_of(bound) or bound.lower()
        self.allowed = {host_of(name) or name.lower() for name in allowed}
        self.is_everywhere = bound in EVERYWHERE
        self.names = {bound, *self.allowed}
        if self.is_everywhere:
            own = socket.gethostname().lower()
            self.names |= {*LOCAL, own, f"{own}.local", socket.getfqdn().lower()}
        elif is_loopback(bound):
            self.names |= LOCAL

    def is_host(self, header: str) -> bool:
        """Whether a request with this ``Host`` is meant for the page.

        Where it listens at all addresses, any address will do: only a name can be made to point to
        another machine.
        """
        host = host_of(header)
        if ANY in self.allowed:
            return True
        return host in self.names or (self.is_everywhere and is_address(host))

    def is_origin(self, origin: str, header: str) -> bool:
        """Whether a page with this ``Origin`` may use the page at this ``Host``: it is the same.

        A proxy may give the page another ``Host``; then the name is among those allowed.
        """
        if ANY in self.allowed or not origin:
            return True
        try:
            place = urlsplit(origin).netloc.lower()
        except ValueError:
            return False
        return bool(place) and (place == header.lower() or host_of(place) in self.allowed)


def host_of(header: str) -> str:
    """The name or address in a ``Host`` header, without its port; '' if there is none.

    >>> host_of("[::1]:8765"), host_of("Localhost:80"), host_of("::1")
    ('::1', 'localhost', '::1')
    """
    if is_address(header):
        return header.lower()
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_address(host: str) -> bool:
    """Whether this is an address, and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    return host in LOCAL or (is_address(host) and ipaddress.ip_address(host).is_loopback)


class Guard:
    """Refuse what does not come from the page's own address, and add headers to responses."""

    def __init__(self, app: Application, hosts: Hosts) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        hosts, origins = texts_of(scope, b"host"), texts_of(scope, b"origin")
        host, origin = hosts[0] if hosts else "", origins[0] if origins else ""
        reason = ""
        is_ours = self.hosts.is_host(host)
        if len(hosts) > 1 or len(origins) > 1 or not (is_ours or host_of(host)):
            reason = _("A request has one Host, the name of this page, and at most one Origin.")
        elif not is_ours:
            reason = _(
                "This page does not answer to the name {name}. If it should, start it with "
                "--allow-host {name}."
            ).format(name=host_of(host))
        elif not self.hosts.is_origin(origin, host):
            reason = _("Another page, at {origin}, may not use this one.").format(origin=origin)
        if not reason:
            await self.app(scope, receive, with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            text = [(b"content-type", b"text/plain; charset=utf-8")]
            await with_headers(send)(
                {"type": "http.response.start", "status": 403, "headers": text}
            )
            await send({"type": "http.response.body", "body": reason.encode()})


def texts_of(scope: Scope, name: bytes) -> list[str]:
    """The texts of all headers of a request that have this name."""
    return [text.decode("latin-1") for key, text in scope["headers"] if key == name]


def with_headers(send: Send) -> Send:
    """Return a function that adds the headers to a response."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            added = [(name.encode(), text.encode()) for name, text in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return sending
