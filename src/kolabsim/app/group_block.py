"""The tab for a group that a visitor means: regions to tick, and what their joint body brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from nicegui import ui

from kolabsim.app.asking import Asking, Host
from kolabsim.app.groups import (
    OUTLOOKS,
    GroupChoice,
    GroupWork,
    answer_html,
    download,
    longest_stay,
    partners,
)
from kolabsim.app.widgets import (
    alerts,
    button,
    entry,
    help_line,
    menu,
    report,
    translated,
    write,
)
from kolabsim.errors import Problem, Problems
from kolabsim.figures.formatting import count
from kolabsim.figures.labels import area_title, capitalise
from kolabsim.i18n import _, language
from kolabsim.model.levers import FORM_TITLES, FORMS

STYLE = (Path(__file__).parent / "groups.css").read_text(encoding="utf-8")
"""The style of the block, which its page adds to its own."""


class GroupBlock(Asking):
    """Regions to tick, and what a joint body of them would bring each of them."""

    def __init__(self, page: Host, factor: Callable[[], float]) -> None:
        super().__init__(page, factor)
        self.asked: GroupWork | None = None
        problems = Problems()
        self.choice = GroupChoice.read(page.settings, page.scenario, problems)
        text = _(
            "Choose a region, tick its partners, and see what one joint body would bring each of "
            "them: founded in the first quarter, over plausible futures, against what regions do "
            "by themselves."
        )
        write(text, tag="p").classes("state")
        with ui.element("div").classes("group-form"):
            self.build_form()
        self.alerts = alerts()
        self.mistakes = [*problems.found]
        """What the address says of it and cannot mean."""
        report(self.mistakes, self.alerts)
        with ui.element("div").classes("group-buttons"):
            button("ask-group", _("What would it bring?"), self.ask, self.strategy_help)
        self.state = write("", tag="p").classes("state").props("id=group-state aria-live=polite")
        self.answer = ui.html("", sanitize=False).classes("group-answer").props("id=group-answer")
        self.taking = ui.element("div").classes("group-buttons")
        self.taking.set_visibility(False)
        with self.taking:
            text = _("The same page as the command writes, to print or send.")
            button("take-group", _("Report on this group (HTML)"), self.take, text)

    @property
    def strategy_help(self) -> str:
        """Which strategy is in force."""
        titles = self.page.scenario.strategy_titles(language())
        text = _("“{strategy}” is in force with and without it, as chosen under “Compare with”.")
        return text.format(strategy=titles[self.page.settings.baseline])

    def build_form(self) -> None:
        """Build the controls."""
        regions, choice = self.page.scenario.regions, self.choice
        pairs = zip(regions.codes, regions.labels, strict=True)
        with ui.element("div").classes("choice"):
            write(_("Region that asks"), tag="label").props('for="group-region"')
            options = [(code, name, True) for code, name in pairs]
            menu("group-region", options, choice.members[0], self.choose_region)
            help_line("group-region", _("Its contacts can be ticked as partners."))
        with ui.element("fieldset").classes("partners").props('aria-describedby="partners-help"'):
            write(_("Partners"), tag="legend")
            self.partners = ui.element("div").classes("ticks")
            help_line("partners", _("The nearest first; up to four, so that five share."))
        self.build_partners()
        with ui.element("div").classes("choice"):
            write(_("Service area"), tag="label").props('for="group-area"')
            options = [(one, area_title(one), True) for one in self.page.scenario.areas]
            menu("group-area", options, choice.area, partial(self.choose, "area"))
            help_line("group-area", _("The service that they would share."))
        with ui.element("div").classes("choice"):
            write(_("Legal form"), tag="label").props('for="group-form"')
            forms = [(one, capitalise(_(FORM_TITLES[one])), True) for one in FORMS]
            options = [("", _("As founders choose"), True), *forms]
            menu("group-form", options, choice.form, partial(self.choose, "form"))
            text = _("A group that contains a joint body keeps the form of that body.")
            help_line("group-form", text)
        with ui.element("div").classes("choice"):
            write(_("Members leave after (years)"), tag="label").props('for="group-leaves"')
            years = entry("group-leaves", str(choice.leaves), self.choose_leaves, kind="number")
            years.props(f"min=1 max={longest_stay(self.page.scenario)} step=1")
            help_line("group-leaves", _("Each member in turn leaves at the end of that year."))

    def build_partners(self) -> None:
        """Build a box for each partner that can be ticked."""
        self.partners.clear()
        with self.partners:
            found = partners(self.page.scenario, self.choice)
            for code, name in found:
                with ui.element("div").classes("tick"):
                    box = ui.element("input").props("type=checkbox aria-describedby=partners-help")
                    # Not in a text of attributes, which a code could end to add its own.
                    box.props["id"] = f"with-{code}"
                    if code in self.choice.members:
                        box.props["^checked"] = True
                    emit = "(event) => emit(event.target.checked)"
                    box.on("change", partial(self.tick, code), js_handler=emit)
                    write(name, tag="label").props["for"] = f"with-{code}"
            if not found:
                write(_("This region has no contacts."), tag="p").classes("help")

    # Choosing -------------------------------------------------------------------------------------

    def take_choice(self, choice: GroupChoice) -> None:
        """Take another choice into the address; the answer stays until the button is pressed."""
        self.choice = choice
        self.page.remember(choice.written(self.page.settings))
        text = choice.refusal if len(choice.members) > 2 else ""
        report([Problem(text)] if text else [], self.alerts)
        self.compare()

    @translated
    def choose(self, name: str, value: str) -> None:
        """Choose the service area or the form."""
        self.take_choice(replace(self.choice, **{name: value}))  # type: ignore[arg-type]

    @translated
    def choose_region(self, code: str) -> None:
        """Choose the region that asks; its own contacts can be ticked."""
        self.take_choice(replace(self.choice, members=(code,)))
        self.build_partners()

    @translated
    def choose_leaves(self, value: str) -> None:
        """Choose after how many years members leave."""
        most = longest_stay(self.page.scenario)
        if value.isdecimal() and 1 <= int(value) <= most:
            self.take_choice(replace(self.choice, leaves=int(value)))
        else:
            text = _("members leave after a whole number of years from 1 to {most}")
            report([Problem(capitalise(text.format(most=most)))], self.alerts)

    @translated
    def tick(self, code: str, event: Any) -> None:
        """Tick a partner, or take it out."""
        self.take_choice(self.choice.with_member(code, is_in=bool(event.args)))

    @translated
    def compare(self) -> None:
        """Say that an answer is that of earlier choices."""
        if self.asked is not None and self.work().key != self.asked.key:
            self.state.set_content(escape(_("The answer below is that of earlier choices.")))

    def work(self) -> GroupWork:
        """The work on the present choice."""
        return GroupWork(self.choice, self.page.settings, self.page.scenario, self.factor())

    # Answering ------------------------------------------------------------------------------------

    @translated
    async def ask(self) -> None:
        """Simulate the group, and show what it brings."""
        self.drop()
        text = self.choice.refusal
        report([Problem(text)] if text else [], self.alerts)
        if not text:
            self.state.set_content(escape(_("Judging the group …")))
            await self.pursue(partial(self.find, self.work()))

    async def find(self, work: GroupWork, purpose: object) -> None:
        """Find the outlook in pieces, and show it unless another was asked for meanwhile."""
        run, found = self.runner(purpose), OUTLOOKS.get(work.key)
        if found is None:
            study = await run(work.prepare, is_long=True)
            await self.do(work.pieces(study), study.all_runs, purpose)
            found = await run(study.outlook, is_long=True)
            OUTLOOKS.put(work.key, found)
        html = await run(answer_html, found, is_long=True)
        if self.is_wanted(purpose):
            self.asked = work
            self.answer.set_content(html)
            self.tell_all(found)
            self.taking.set_visibility(True)
            self.compare()

    @translated
    def tell_all(self, found: Any) -> None:
        """Say what was simulated."""
        text = _("{number} pairs of runs in {futures} plausible futures.")
        if not found.is_varied:
            text = _("{number} pairs of runs; assumptions were not varied.")
        futures = len(found.futures)
        self.state.set_content(
            escape(text.format(number=count(found.runs * futures), futures=count(futures)))
        )

    @translated
    async def take(self) -> None:
        """Download the page of the group that is shown."""
        work = self.asked
        found = OUTLOOKS.get(work.key) if work else None
        if work is None or found is None:
            await self.ask()
            return
        name, content = await self.page.write(download, found, work.settings, work.source)
        if not self.page.is_closed:
            ui.download.content(content, name)
