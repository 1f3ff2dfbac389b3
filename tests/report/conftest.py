"""What the tests of reports share: one small comparison, and its page in both languages."""

import numpy as np
import pandas as pd
import pytest

from kolabsim.analysis.comparison import compare
from kolabsim.analysis.drivers import SOURCES
from kolabsim.i18n import set_language, speaking
from kolabsim.report.comparison import comparison_page
from kolabsim.report.html import render
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate
from tests.report.reader import Reader

FACTS = {
    "kolabsim": "9.8.7",
    "command": "kolabsim run here",
    "seed": 4,
    "scenario_hash": "0123abcd",
    "packages": {"numpy": "2.0", "mesa": None},
    "parts": {"a": "hidden"},
}


@pytest.fixture(autouse=True)
def speak_english():
    set_language("en")
    yield
    set_language("en")


@pytest.fixture(scope="session")
def results():
    scenario = Scenario.load("kartamantul").with_(horizon=12)
    names = ["voluntary", "forum", "team", "mandate", "grants", "business"]
    return simulate(scenario, names, runs=24, seed=4)


@pytest.fixture(scope="session")
def comparison(results):
    return compare(results)


@pytest.fixture(scope="session")
def variance():
    share = [0.0, 0.4, 0.6, 0.0, np.nan, np.nan]
    return pd.DataFrame({
        "measure": np.repeat(["realised_benefit", "trust"], 3), "source": [*SOURCES, *SOURCES],
        "share": share, "low": np.subtract(share, 0.2), "high": np.add(share, 0.2),
    })  # fmt: skip


@pytest.fixture(scope="session")
def pages(results, comparison, variance):
    """The report in both languages: its text, and what it holds."""
    made = {}
    for code, question in (("en", "What <helps> & why?"), ("id", "Apa yang membantu?")):
        with speaking(code):
            text = render(
                comparison_page(
                    results, comparison, provenance=FACTS, question=question, variance=variance
                )
            )
        made[code] = text, Reader(text)
    return made
