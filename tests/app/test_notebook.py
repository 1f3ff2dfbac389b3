"""The form of the what-if in a notebook."""

from pathlib import Path

import pytest

pytest.importorskip("ipywidgets", reason="the extra 'notebook' is not installed")
from kolabsim.app.notebook import what_if
from kolabsim.app.session import Estimate, Session
from kolabsim.app.settings import Settings
from kolabsim.app.texts import headline
from kolabsim.errors import InputError
from kolabsim.i18n import speaking
from kolabsim.scenario.scenario import Scenario


def parts(form):
    """The sliders of a form by their labels, and its answer."""
    controls, answer = form.children[0].children
    return {one.description: one for one in controls.children if hasattr(one, "max")}, answer


def test_a_slider_gives_the_answer_of_the_web_page_in_the_language_of_the_form():
    world = Scenario.load("kartamantul").with_({"horizon": 2})
    with speaking("id"):
        form = what_if(world, start="forum")
    sliders, answer = parts(form)
    assert "<svg" in answer.value
    sliders["Tim koordinasi antardaerah"].value = 0.5
    settings = Settings(start="forum", levers={"team": 0.5}, lang="id")
    session = Session(settings, world)
    assert form.session.settings.query == settings.query
    with speaking("id"):
        expected = headline(Estimate(session, session.steps[-1]).comparison)
    assert f"<p>{expected}</p>" in answer.value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"start": "forun"}, "'forun'.*forum"),
        ({"baseline": "volontary"}, "'volontary'.*voluntary"),
        ({"seed": 1.5}, "seed: 1.5 is not a whole number from 0"),
        ({"seed": -1}, "seed: -1 is not a whole number from 0"),
        ({"scenario": Path("kartamentul")}, "kartamentul"),
    ],
)
def test_what_a_form_cannot_show_is_told(given, said):
    with pytest.raises(InputError, match=said):
        what_if(**given)
