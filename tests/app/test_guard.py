"""Which requests the page answers."""

import asyncio

import pytest

from kolabsim.app.guard import HEADERS, Guard, Hosts


@pytest.mark.parametrize(
    ("bound", "allowed", "host", "is_fine"),
    [
        ("127.0.0.1", [], "127.0.0.1:8765", True),
        ("127.0.0.1", [], "localhost:8765", True),
        ("127.0.0.1", [], "LOCALHOST.", True),
        ("127.0.0.1", [], "[::1]:8765", True),
        ("127.0.0.1", [], "evil.example:8765", False),
        ("127.0.0.1", [], "127.0.0.1.evil.example", False),
        ("127.0.0.1", [], "192.168.1.5", False),
        ("127.0.0.1", [], "", False),
        ("127.0.0.1", [], "[::1", False),
        ("127.0.0.1", ["class.example"], "class.example", True),
        ("127.0.0.1", ["*"], "anything.example", True),
        ("::1", [], "localhost", True),
        ("localhost", [], "localhost:1", True),
        ("0.0.0.0", [], "192.168.1.5:8765", True),
        ("0.0.0.0", [], "[fe80::1]:8765", True),
        ("0.0.0.0", [], "evil.example", False),
        ("0.0.0.0", ["Class.example"], "class.example:443", True),
        ("192.168.1.5", [], "192.168.1.5:8765", True),
        ("192.168.1.5", [], "localhost:8765", False),
    ],
)  # fmt: skip
def test_a_name_is_that_of_the_address_it_is_bound_to(bound, allowed, host, is_fine):
    assert Hosts(bound, allowed).is_host(host) == is_fine


@pytest.mark.parametrize(
    ("allowed", "origin", "is_fine"),
    [
        ([], "", True),
        ([], "http://localhost:8765", True),
        ([], "http://localhost:3000", False),
        ([], "https://evil.example", False),
        ([], "null", False),
        ([], "http://[", False),
        (["class.example"], "https://class.example", True),
        (["*"], "https://evil.example", True),
    ],
)
def test_a_page_of_another_origin_may_not_use_the_page(allowed, origin, is_fine):
    assert Hosts("127.0.0.1", allowed).is_origin(origin, "localhost:8765") == is_fine


def ask(kind, *repeated, **headers):
    """What the guard sends on a request with these headers."""
    sent = []

    async def page(scope, receive, send):
        await send({"type": f"{kind}.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    scope = {
        "type": kind,
        "headers": [(k.encode(), v.encode()) for k, v in (*repeated, *headers.items())],
    }
    asyncio.run(Guard(page, Hosts("127.0.0.1"))(scope, None, send))
    return sent


def test_responses_have_the_headers():
    (start,) = ask("http", host="localhost")
    assert start["status"] == 200
    assert {name.decode() for name, _text in start["headers"]} == set(HEADERS)


def test_refusals_say_why():
    start, body = ask("http", host="evil.example:8765")
    assert start["status"] == 403
    assert b"--allow-host evil.example" in body["body"]
    start, body = ask("http", host="localhost", origin="https://evil.example")
    assert start["status"] == 403
    assert b"https://evil.example" in body["body"]
    assert ask("websocket", host="localhost", origin="https://evil.example") == [
        {"type": "websocket.close", "code": 1008}
    ]


@pytest.mark.parametrize("headers", [[], ["localhost", "evil.example"], ["[::1"], ["evil", "::1"]])
def test_a_request_without_one_host_is_refused(headers):
    start, body = ask("http", *(("host", text) for text in headers))
    assert start["status"] == 403
    assert b"one Host" in body["body"]


def test_a_request_of_two_origins_is_refused():
    start, _body = ask("http", ("origin", "http://evil"), ("origin", "http://[::1]"), host="[::1]")
    assert start["status"] == 403


def test_starting_and_ending_are_not_requests():
    assert ask("lifespan") == [{"type": "lifespan.response.start", "status": 200, "headers": []}]
