"""Pages that are open, and those that nobody looks at."""

import asyncio
import gc
import weakref

import pytest

from kolabsim.app.pages import PATIENCE, Pages


class Client:
    def __init__(self, name):
        self.id, self.is_deleted, self.connected, self.deleted = name, False, [], []
        self.on_connect, self.on_delete = self.connected.append, self.deleted.append

    def connect(self):
        for handler in self.connected:
            handler()

    def delete(self):
        self.is_deleted = True
        for handler in self.deleted:
            handler()


def test_pages_that_never_connect_make_room():
    now = [0.0]
    pages = Pages(most_waiting=2, clock=lambda: now[0])
    clients = [Client(str(k)) for k in range(5)]
    assert pages.enter(clients[0])
    clients[0].connect()
    for client in clients[1:4]:
        assert pages.enter(client)
    assert not any(client.is_deleted for client in clients)  # their browsers may be on their way
    now[0] = 2 * PATIENCE
    assert pages.enter(clients[4])
    assert [client.is_deleted for client in clients] == [False, True, True, False, False]


def test_those_who_only_load_pages_have_a_limit_however_quick_they_are():
    pages, clients = Pages(most_waiting=2, most_loaded=5), [Client(str(k)) for k in range(9)]
    for client in clients:
        assert pages.enter(client)
    assert sum(not client.is_deleted for client in clients) == 5


def test_too_many_open_pages_are_refused_until_some_close():
    pages, clients = Pages(most_open=2), [Client(str(k)) for k in range(3)]
    for client in clients[:2]:
        assert pages.enter(client)
        client.connect()
    assert not pages.enter(clients[2])
    clients[0].delete()
    assert pages.enter(clients[2])


def test_no_cache_holds_what_an_upload_to_a_closed_page_called():
    pytest.importorskip("nicegui", reason="the extra 'app' is not installed")
    from fastapi.routing import APIRoute

    from kolabsim.app.server import forget_routes

    class Page:
        elements = ()

        async def receive(self):
            return 0

    page = Page()
    APIRoute("/upload", page.receive)
    is_left = weakref.ref(page)

    async def close(client):
        forget_routes(client)

    asyncio.run(close(page))
    del page
    gc.collect()
    assert is_left() is None
