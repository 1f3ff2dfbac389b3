"""A scenario and its first estimate that the tests of the page share."""

import numpy as np
import pytest

from kolabsim.app.session import Session
from kolabsim.app.settings import Settings
from kolabsim.app.uploads import Uploads
from kolabsim.i18n import set_language
from kolabsim.scenario.scenario import Scenario


@pytest.fixture(scope="session")
def scenario():
    return Scenario.load("kartamantul").with_(horizon=12)


@pytest.fixture(scope="session")
def estimate(scenario):
    session = Session(Settings(levers={"ngo": 0.5}), scenario)
    return next(session.estimates(np.zeros(1, np.int64)))


@pytest.fixture
def going():
    """The flag of a simulation that nobody stops."""
    return np.zeros(1, np.int64)


@pytest.fixture
def uploads():
    found = Uploads()
    yield found
    found.close()


@pytest.fixture(autouse=True)
def speak_english():
    set_language("en")
