"""The pages that are open, so that those who only load pages cannot fill the memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Protocol

MOST_WAITING = 20
"""Most pages that were loaded and have not connected; a browser connects within a second or two."""
PATIENCE = 10.0
"""Seconds in which a page may connect, even if more wait: on a machine that is busy."""
MOST_LOADED = 60
"""Most pages that wait at all, each with a megabyte or two."""
MOST_OPEN = 400
"""Most pages that are open."""


class Client(Protocol):
    """What is needed of a page of the framework."""

    id: str

    def on_connect(self, handler: Callable[[], None]) -> None:
        """Call a function when a browser connects."""

    def on_delete(self, handler: Callable[[], None]) -> None:
        """Call a function when the page is deleted."""

    def delete(self) -> None:
        """Delete the page."""


class Pages:
    """The pages that are open, and those that wait for a browser to connect."""

    def __init__(
        self, most_waiting: int = MOST_WAITING, most_open: int = MOST_OPEN,
        most_loaded: int = MOST_LOADED, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.most_waiting, self.most_open, self.most_loaded = most_waiting, most_open, most_loaded
        self._clock = clock
        self._waiting: OrderedDict[str, tuple[float, Client]] = OrderedDict()
        self._open: set[str] = set()

    @property
    def number(self) -> int:
        """Number of pages that a browser has opened."""
        return len(self._open)

    def enter(self, client: Client) -> bool:
        """Note that a page was loaded; False if too many are open.

        The page that has waited longest makes room, unless browsers may still be on their way to
        all that wait. If there is a slow browser behind it after all, it loads the page once more.
        """
        if len(self._open) >= self.most_open:
            return False
        now = self._clock()
        self._waiting[client.id] = now, client
        client.on_connect(partial(self.connect, client.id))
        client.on_delete(partial(self.leave, client.id))
        while len(self._waiting) > self.most_waiting:
            since, oldest = next(iter(self._waiting.values()))
            if len(self._waiting) <= self.most_loaded and now - since < PATIENCE:
                break
            self._waiting.popitem(last=False)
            oldest.delete()
        return True

    def connect(self, name: str) -> None:
        """Note that a browser has opened a page."""
        self._waiting.pop(name, None)
        self._open.add(name)

    def leave(self, name: str) -> None:
        """Note that a page was closed."""
        self._waiting.pop(name, None)
        self._open.discard(name)
