"""The tab of the page that shows kept strategies side by side."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import replace
from functools import partial
from html import escape
from typing import Protocol

import numpy as np
from nicegui import Client, background_tasks, ui

from kolabsim.app.comparing import (
    FILE,
    Column,
    known_column,
    measures_html,
    overview_chart,
    overview_html,
    regions_html,
    session_of,
    strategies_file,
    summarise,
)
from kolabsim.app.kept import MOST_KEPT, Kept, clean_name, free_name, too_many
from kolabsim.app.queue import Line
from kolabsim.app.session import YOURS, Session, refused
from kolabsim.app.settings import Settings
from kolabsim.app.uploads import Upload
from kolabsim.app.widgets import (
    ChartPlace,
    button,
    caption,
    entry,
    help_line,
    pressed,
    report,
    translated,
    unknown,
    write,
)
from kolabsim.errors import InputError, Problem
from kolabsim.i18n import _, language, speaking
from kolabsim.scenario.scenario import Scenario


class Page(Protocol):
    """What the tab needs of its page."""

    settings: Settings
    scenario: Scenario
    upload: Upload
    line: Line
    alerts: ui.element
    client: Client
    tabs: ui.tabs

    @property
    def lang(self) -> str:
        """The language of the page."""

    @property
    def is_closed(self) -> bool:
        """Whether the page was closed."""

    def choose(self, settings: Settings) -> None:
        """Change the settings; the address and the results follow."""

    def rebuild(self, settings: Settings) -> None:
        """Build all controls again."""


class SideBySide:
    """The strategies that a page keeps: how they are kept, shown, and taken away."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.is_built = False
        """Whether the tab was opened."""
        self.name = ""
        """The name that was typed for the present strategy."""
        self.stop = np.zeros(1, np.int64)
        self.task: asyncio.Task[None] | None = None
        self.sessions: dict[object, Session] = {}

    @property
    def lang(self) -> str:
        """The language of the page."""
        return self.page.lang

    def close(self) -> None:
        """Stop simulating."""
        self.stop[0] = 1
        self.sessions.clear()

    # Building -------------------------------------------------------------------------------------

    def build_field(self) -> None:
        """Build the field and the button that keep the present strategy."""
        with ui.element("div").classes("keep"):
            write(_("Keep this strategy under a name"), tag="label").props('for="keep-name"')
            with ui.element("div").classes("keep-row"):
                entry("keep-name", "", self.call_it)
                ui.button(_("Keep"), on_click=self.keep).props(
                    "outline no-caps id=keep aria-describedby=keep-name-help"
                )
            text = _("Up to {most} stand in the tab “Side by side”, and in the address.")
            help_line("keep-name", text.format(most=MOST_KEPT))

    def build(self) -> None:
        """Build the tab."""
        with ui.element("div").props("id=kept-block aria-live=polite"):
            self.list = ui.html("", sanitize=False, tag="ul").classes("kept-list")
            self.list.props("id=kept-list")
            pressed(self.list, self.press)
            self.empty = write("", tag="p").classes("state").props("id=kept-state")
            with ui.element("figure").classes("kept-figure") as self.figure:
                write(_("Net benefit and cost"), tag="h2")
                self.chart = ChartPlace("kept-chart")
                self.overview = ui.html("", sanitize=False).classes("wide")
                self.overview.props(wide("kept-overview", _("Net benefit and cost")))
                caption(
                    _(
                        "Compared with the baseline: medians over plausible futures, and the range "
                        "of nine tenths of them. Regions gain or lose likely or robustly. Extra "
                        "cost is that of all levers, also of those that the scenario always has."
                    )
                )
            with ui.element("figure").classes("kept-figure") as self.more:
                write(_("Who gains and who loses"), tag="h2")
                self.regions = ui.html("", sanitize=False).classes("wide")
                self.regions.props(wide("kept-regions", _("Who gains and who loses")))
                caption(_("Realised net benefit of each region, compared with the baseline."))
                write(_("All measures"), tag="h2")
                self.measures = ui.html("", sanitize=False).classes("wide")
                self.measures.props(wide("kept-measures", _("All measures")))
            with ui.element("figure").classes("take") as self.take:
                text = _(
                    "An experiment: “kolabsim run {file}” compares the strategies, and “Upload "
                    "regions” opens them here again."
                ).format(file=FILE)
                button("take-kept", _("Strategies (YAML)"), self.download, text)
        self.is_built = True
        self.show()

    def show_list(self) -> None:
        """List what is kept, each with the buttons that show and remove it."""
        lines, labels = [], {"open": escape(_("Show")), "drop": escape(_("Remove"))}
        for number, one in enumerate(self.page.settings.kept):
            name = escape(one.name)
            buttons = "".join(
                f'<button type=button class=plain id={kind}-{number} value="{kind} {name}" '
                f"aria-describedby=kept-{number}>{label}</button>"
                for kind, label in labels.items()
            )
            lines.append(f"<li><b id=kept-{number}>{name}</b>{buttons}</li>")
        self.list.set_content("".join(lines))

    @translated
    def show(self) -> None:
        """Show what is known of the kept strategies."""
        if not self.is_built or self.page.is_closed or self.list.is_deleted:
            return
        kept, scenario = self.page.settings.kept, self.page.scenario
        names = [one.name for one in kept]
        columns = {one.name: found for one in kept if (found := self.column(one)) is not None}
        self.show_list()
        self.empty.set_content("" if kept else escape(nothing_kept()))
        for part in (self.figure, self.more, self.take):
            part.set_visibility(bool(kept))
        if not columns:
            self.overview.set_content(overview_html(names, {}, scenario) if kept else "")
            return
        self.chart.show(overview_chart(names, columns, scenario))
        self.chart.chart.style(f"height:{80 + 46 * len(columns)}px;aspect-ratio:auto")
        self.overview.set_content(overview_html(names, columns, scenario))
        self.regions.set_content(regions_html(names, columns, scenario))
        self.measures.set_content(measures_html(names, columns, scenario))

    # Keeping --------------------------------------------------------------------------------------

    def call_it(self, name: str) -> None:
        """Take the name that was typed."""
        self.name = name

    @translated
    def keep(self) -> None:
        """Keep the present strategy under the name that was typed, or under that of its start."""
        settings, scenario = self.page.settings, self.page.scenario
        name = clean_name(self.name)
        if not name:
            start = scenario.strategies[settings.start].title(language())
            name = free_name(clean_name(start), settings.kept)
        if len(settings.kept) >= MOST_KEPT and name not in (one.name for one in settings.kept):
            report([Problem(too_many())], self.page.alerts)
            return
        self.change(settings.keep(name))
        self.name = ""
        self.page.client.run_javascript("document.getElementById('keep-name').value = ''")
        ui.notify(_("Kept as “{name}”; see the tab “Side by side”.").format(name=name))

    @translated
    def press(self, button: str) -> None:
        """Show the levers of a kept strategy in the controls, or keep it no longer."""
        kind, _space, name = button.partition(" ")
        settings = self.page.settings
        for one in settings.kept:
            if one.name == name and kind == "open":
                self.page.rebuild(settings.showing(one))
            elif one.name == name:
                kept = tuple(other for other in settings.kept if other != one)
                self.change(replace(settings, kept=kept))

    def change(self, settings: Settings) -> None:
        """Change what is kept; the address follows."""
        self.page.choose(settings)
        self.show()
        self.follow()

    # Simulating -----------------------------------------------------------------------------------

    def session(self, one: Kept) -> Session:
        """A kept strategy under the assumptions of the page, ready to be simulated."""
        chosen = self.page.settings
        assumptions = tuple(sorted(chosen.assumptions.items()))
        key = one.choices, chosen.baseline, chosen.seed, assumptions
        if key not in self.sessions:
            while len(self.sessions) >= 4 * MOST_KEPT:
                self.sessions.pop(next(iter(self.sessions)))
            found = session_of(one, chosen, self.page.scenario, self.page.upload)
            self.sessions[key] = found
        return self.sessions[key]

    def column(self, one: Kept) -> Column | None:
        """What is known of a kept strategy."""
        try:
            return known_column(self.session(one))
        except InputError:
            return None

    def follow(self) -> None:
        """Simulate what is missing, while the tab is open."""
        if self.page.tabs.value == "kept":
            self.show()
            if self.task is None or self.task.done():
                self.task = background_tasks.create(self.simulate())

    async def simulate(self) -> None:
        """Simulate kept strategies one after the other, until nothing is missing."""
        tried: set[object] = set()
        while not self.page.is_closed:
            missing = [
                one for one in self.page.settings.kept
                if self.column(one) is None and one.choices not in tried
            ]  # fmt: skip
            if not missing:
                return
            tried.add(missing[0].choices)
            with speaking(self.lang):
                try:
                    await self.simulate_one(self.session(missing[0]))
                except asyncio.CancelledError:
                    return
                except InputError as error:
                    report(refused(error), self.page.alerts)
                except Exception as error:
                    report([unknown(error)], self.page.alerts)
                    traceback.print_exception(error)
            self.show()

    async def simulate_one(self, session: Session) -> None:
        """Simulate a strategy in as many runs as the page does, and summarise them."""
        run = partial(self.page.line.run, purpose=self.stop)
        try:
            await asyncio.gather(*map(run, session.jobs(session.steps[-1], self.stop)))
            if not self.stop[0]:
                await run(summarise, session, is_long=True)
        finally:
            session.release()

    @translated
    def download(self) -> None:
        """Download the kept strategies as an experiment."""
        page = self.page
        text = strategies_file(page.settings, page.scenario, page.upload)
        ui.download.content(text.encode(), FILE)


def wide(name: str, label: str) -> str:
    """The attributes of a place for a table that may be wider than the page, and then scrolls."""
    return f'id={name} role=region tabindex=0 aria-label="{escape(label)}"'


def done_text(session: Session) -> str:
    """What the user's strategy consists of, for readers of the printed page."""
    from kolabsim.report.assumptions import what_is_done

    scenario = session.scenario
    done = what_is_done(scenario.strategies[YOURS], scenario)
    return _("Your strategy: {levers}.").format(levers="; ".join(done) or _("no levers"))


def jumps() -> None:
    """Links between the answer and the controls, for small screens on which one is far below."""
    title = _("On this page")
    with ui.element("nav").classes("jumps").props(f'aria-label="{escape(title)}"'):
        for place, label in (("headline", _("Answer")), ("controls", _("Controls"))):
            write(label, tag="a").props(f'href="#{place}"')


def nothing_kept() -> str:
    """What the tab says before anything is kept."""
    return _(
        "Nothing is kept yet. Adjust a strategy, name it under “Strategies” and press “Keep”; then "
        "change it and keep the next."
    )
