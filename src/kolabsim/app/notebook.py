"""The what-if of the web page as a form in a notebook: sliders, the answer, and a picture."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kolabsim import figures
from kolabsim.app.session import Estimate, Session, refused
from kolabsim.app.settings import SHOWN, Control, Settings, controls
from kolabsim.app.texts import headline, verdict_counts
from kolabsim.errors import InputError, require
from kolabsim.figures.formatting import count
from kolabsim.i18n import _, language, ngettext, speaking
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import check_request

if TYPE_CHECKING:
    from ipywidgets import VBox


def what_if(
    scenario: Scenario | str | Path = Settings.scenario, *, start: str = Settings.start,
    baseline: str = Settings.baseline, seed: int = Settings.seed,
) -> VBox:  # fmt: skip
    """Return a form that compares a strategy with a baseline whenever a slider is moved.

    It has the levers of the web page, at the intensities, 0 to 1, that they have in the strategy
    ``start``, and answers over plausible futures as the page does: a sentence, who gains and
    loses, and the differences with their ranges. ``form.session`` is what was simulated last.
    The form is in the current language (:func:`kolabsim.i18n.set_language`).

    Parameters
    ----------
    scenario
        A scenario, its name or its file.
    start, baseline
        Strategies of the scenario.
    seed
        Seed of the runs, not negative.

    Raises
    ------
    InputError
        A strategy is not there, the scenario or the seed is invalid, or ipywidgets is not
        installed.

    Examples
    --------
    >>> from kolabsim.app.notebook import what_if
    >>> form = what_if("kartamantul", start="forum")
    >>> form.session.strategies
    ('voluntary', 'your_strategy')
    """
    require("ipywidgets", extra="notebook", what=_("a form in a notebook"))
    import ipywidgets as widgets

    world = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    check_request(world, [start, baseline], runs=1, seed=seed)
    chosen = Settings(world.name, start, baseline, seed=seed, lang=language())
    form = widgets.VBox()
    answer = widgets.HTML()

    def ask() -> None:
        """Simulate what is set, and show it."""
        form.session = session = Session(chosen, world)
        answer.value = answer_html(Estimate(session, session.steps[-1]))

    def move(control: Control, change: Any) -> None:
        """Take the position of a slider, and ask again."""
        nonlocal chosen
        chosen = chosen.moved(control.name, control.setting(change["new"]))
        with speaking(chosen.lang):
            try:
                ask()
            except InputError as error:
                answer.value = "".join(f"<p>{escape(str(one))}</p>" for one in refused(error))

    sliders: list[Any] = []
    for title, steps in controls(chosen, world).items():
        found = [control for group in steps.values() for control in group]
        if found:
            sliders.append(widgets.HTML(f"<b>{escape(title)}</b>"))
        for control in found:
            slider = widgets.FloatSlider(
                control.value, min=control.low, max=control.high, step=control.step,
                description=control.label, tooltip=control.help, continuous_update=False,
                style={"description_width": "50%"}, layout={"width": "24em"},
            )  # fmt: skip
            slider.observe(lambda change, control=control: move(control, change), "value")
            sliders.append(slider)
    ask()
    parts = widgets.VBox(sliders, layout={"flex": "none"}), answer
    form.children = [widgets.HBox(parts, layout={"flex_flow": "row wrap"})]
    return form


def answer_html(estimate: Estimate) -> str:
    """The answer of an estimate: its sentences, and a picture of the differences."""
    comparison, number = estimate.comparison, len(estimate.session.futures)
    runs = ngettext(
        "{runs} runs of each strategy in {futures} future.",
        "{runs} runs of each strategy in {futures} plausible futures.",
        number,
    ).format(runs=count(estimate.runs), futures=count(number))
    said = (headline(comparison), verdict_counts(comparison), runs)
    picture = figures.to_svg(figures.forest(comparison, SHOWN), alt=said[0])
    found = "".join(f"<p>{escape(text)}</p>" for text in said if text) + picture
    estimate.release()
    estimate.session.release()
    return found
