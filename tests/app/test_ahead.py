"""What is made before the first visitor asks for it, and once for all of them."""

import asyncio
import gzip

import pytest

from kolabsim.app.ahead import Ahead
from kolabsim.app.answers import Answers
from kolabsim.app.assets import SMALLEST, Assets
from kolabsim.app.recent import RunStore
from kolabsim.app.session import Session
from kolabsim.app.settings import Settings
from kolabsim.app.uploads import load_shipped


def test_the_answer_is_there_before_anybody_asks(monkeypatch, going):
    monkeypatch.setattr("kolabsim.app.work.RUNS", (8, 16))
    monkeypatch.setattr("kolabsim.app.session.RUNS", RunStore())
    answers = Answers()
    asyncio.run(Ahead("kartamantul").answer(answers))
    visitor = Session(Settings(), load_shipped("kartamantul"))
    assert answers.steps(visitor) == (16,)
    assert not visitor.jobs(16, going), "everything was simulated"


SCRIPT = b"let a = 1;\n" * SMALLEST


class Framework:
    """Serves one script in two parts, and counts how often."""

    def __init__(self, kind="text/javascript", status=200):
        self.kind, self.status, self.asked = kind, status, 0

    async def __call__(self, scope, receive, send):
        self.asked += 1
        headers = [
            (b"content-type", self.kind.encode()), (b"content-length", b"%d" % len(SCRIPT)),
            (b"cache-control", b"immutable"),
        ]  # fmt: skip
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": SCRIPT[:99], "more_body": True})
        await send({"type": "http.response.body", "body": SCRIPT[99:]})


def asked(app, path="/_nicegui/9/static/a.js", **headers):
    """Return the status, the headers and the body of a response."""
    headers = {"accept-encoding": "gzip, br"} | {k.replace("_", "-"): v for k, v in headers.items()}
    scope = {
        "type": "http", "method": "GET", "path": path,
        "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
    }  # fmt: skip
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, None, send))
    body = b"".join(one.get("body", b"") for one in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


def test_a_script_is_compressed_once():
    framework = Framework()
    assets = Assets(framework)
    first, again = asked(assets), asked(assets)
    assert first == again
    status, headers, body = again
    assert (status, gzip.decompress(body)) == (200, SCRIPT)
    assert headers[b"content-encoding"] == b"gzip"
    assert headers[b"content-length"] == b"%d" % len(body)
    assert headers[b"cache-control"] == b"immutable"
    assert framework.asked == 1


@pytest.mark.parametrize(
    ("framework", "request_"),
    [
        (Framework(), {"path": "/"}),
        (Framework(), {"path": "/_nicegui/9/dynamic_resources/a.css"}),
        (Framework(), {"accept_encoding": "identity"}),
        (Framework(), {"range": "bytes=0-9"}),
        (Framework(), {"if_none_match": "x"}),
        (Framework(kind="font/woff2"), {}),
        (Framework(status=404), {}),
    ],
)
def test_all_else_is_passed_on(framework, request_):
    assets = Assets(framework)
    for _again in range(2):
        status, headers, body = asked(assets, **request_)
        assert (status, body) == (framework.status, SCRIPT)
        assert b"content-encoding" not in headers
    assert framework.asked == 2
