"""A block of the page that asks one question at a time, whose answer takes seconds."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from html import escape
from typing import Any, Protocol

from nicegui import ui

from kolabsim.app.queue import Line
from kolabsim.app.session import refused
from kolabsim.app.settings import Settings
from kolabsim.app.uploads import Upload
from kolabsim.app.widgets import report, translated, unknown
from kolabsim.errors import InputError
from kolabsim.figures.formatting import count
from kolabsim.i18n import _, language
from kolabsim.scenario.scenario import Scenario

REPORTS = 20
"""How often the page reports the number of finished runs."""


class Host(Protocol):
    """The page on which a block stands."""

    settings: Settings
    scenario: Scenario
    upload: Upload
    line: Line
    reader: Line

    @property
    def is_closed(self) -> bool:
        """Whether the page was closed."""

    async def write(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Return what a function returns in a process of its own."""

    def remember(self, settings: Settings) -> None:
        """Keep settings that change nothing else, and write them into the address."""


class Asking:
    """What all such blocks do: work in pieces, drop it for another question, report failures."""

    state: ui.html
    """A line that says what is being done, and what was."""
    alerts: ui.element

    def __init__(self, page: Host, factor: Callable[[], float]) -> None:
        self.page, self.factor, self.lang = page, factor, language()
        self.purpose: object = None
        """That for which the work in the queue is done; None while there is none."""

    def is_wanted(self, purpose: object) -> bool:
        """Whether nothing else was asked meanwhile, and the page is still open."""
        return purpose is self.purpose and not self.page.is_closed

    def drop(self) -> None:
        """Cancel the work that waits."""
        if self.purpose is not None:  # None is the purpose of all other work of the page
            self.page.line.cancel(self.purpose)
        self.purpose = None

    async def pursue(self, find: Callable[[object], Awaitable[None]]) -> None:
        """Find an answer for a new purpose in place of an earlier one; report why there is none."""
        self.drop()
        self.purpose = purpose = object()
        try:
            await find(purpose)
        except asyncio.CancelledError:  # another question, or the page was closed
            if self.is_wanted(purpose):
                raise
        except Exception as error:
            if self.is_wanted(purpose):
                problems = refused(error) if isinstance(error, InputError) else [unknown(error)]
                report(problems, self.alerts)
                self.state.set_content("")
                self.purpose = None
            if not isinstance(error, InputError):
                traceback.print_exception(error)

    def runner(self, purpose: object) -> Callable[..., Any]:
        """Return what gives work of this purpose to the queue, behind that which is urgent."""
        return partial(self.page.line.run, is_urgent=False, purpose=purpose)

    async def do(
        self, pieces: Iterable[Callable[[], int]], number: int, purpose: object, *,
        is_quiet: bool = False,
    ) -> None:  # fmt: skip
        """Do pieces of work side by side, each of which returns how many of all runs it did.

        The page tells now and then how many are done, unless it is to be quiet.
        """
        run, todo, done = self.runner(purpose), list(pieces), 0
        step = max(1, len(todo) // REPORTS)

        async def one(place: int, piece: Callable[[], int]) -> None:
            nonlocal done
            found = await run(piece)
            done += found  # in a line of its own: others add to it while this one waits
            if place % step == 0 and not is_quiet and self.is_wanted(purpose):
                self.tell(done, number)

        await asyncio.gather(*(one(place, piece) for place, piece in enumerate(todo)))

    @translated
    def tell(self, done: int, number: int) -> None:
        """Say how many runs are done."""
        text = _("{done} of {number} runs …")
        self.state.set_content(escape(text.format(done=count(done), number=count(number))))
