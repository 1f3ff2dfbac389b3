"""What the first visitor needs, made while the server starts and the browser loads the page.

The answer to the scenario that the page starts with depends on no visitor. Its runs are simulated
on all cores, while Python still imports the framework on one.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import Future

import numpy as np

from kolabsim.app.answers import Answers
from kolabsim.app.queue import CORES
from kolabsim.app.session import Session, open_scenario
from kolabsim.app.settings import Settings
from kolabsim.app.uploads import Uploads, list_shipped, load_shipped
from kolabsim.errors import Problems
from kolabsim.i18n import language
from kolabsim.scenario.notices import find_notices

SWITCHING = 0.001
"""Seconds after which a thread that draws lets another one go on. Answering a request takes a dozen
turns, so that Python's 5 ms would add up while somebody's large map is drawn."""


class Ahead:
    """The session of a visitor who comes to the page as it is, and changes nothing."""

    def __init__(self, scenario: str) -> None:
        sys.setswitchinterval(SWITCHING)
        self.line = CORES.line()
        self.stop = np.zeros(1, np.int64)
        self._prepared: Future[Session] = self.line.submit(self.prepare, scenario, is_urgent=True)

    def prepare(self, scenario: str) -> Session:
        """Load what pages show, and let the cores simulate."""
        usual = Settings(scenario=scenario, lang=language())
        settings, upload = open_scenario(usual, Uploads().load, Problems())
        session = Session(settings, upload.scenario, upload=upload)
        for job in session.jobs(session.steps[-1], self.stop):
            self.line.submit(job)
        for name in list_shipped():
            load_shipped(name)
        find_notices(session.source)
        return session

    async def answer(self, answers: Answers) -> None:
        """Store the answers that the page shows one after the other."""
        session = await asyncio.wrap_future(self._prepared)
        for place, runs in enumerate(session.steps):
            await answers.find(session, runs, self.line, self.stop, is_urgent=place == 0)
        session.release()
