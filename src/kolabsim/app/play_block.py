"""The place on the page where a visitor plays a region, in the tab of a single run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from nicegui import ui

from kolabsim.analysis.play import KEEP, STAY
from kolabsim.app.conditions import read_number
from kolabsim.app.play import (
    MOST_RUN,
    Play,
    arrangement_text,
    channels_html,
    choices_told,
    known_lines,
    news,
    option_text,
    option_title,
    order_choices,
    outcome_html,
    outcome_sentence,
    play_moment,
    question_title,
)
from kolabsim.app.texts import history_html
from kolabsim.app.widgets import alerts, entry, help_line, menu, report, translated, write
from kolabsim.errors import Problems
from kolabsim.figures.labels import area_title
from kolabsim.i18n import _

if TYPE_CHECKING:
    from kolabsim.app.queue import Line
    from kolabsim.app.session import Session
    from kolabsim.scenario.scenario import Scenario

FOCUS = "document.getElementById('play-now')?.focus()"
"""After a choice the button is gone: the keyboard goes on from the next question."""


class PlayBlock:
    """The choice of a region, its open question, its arrangements, and what came of choices."""

    def __init__(
        self, scenario: Scenario, lang: str, line: Line, session: Callable[[], Session | None]
    ) -> None:
        self.lang, self.line, self.session = lang, line, session
        self.codes = list(scenario.regions.codes)
        self.region = self.codes[0]
        self.run: int | None = 0
        """The run of the next game; None if what was typed is none."""
        self.play: Play | None = None
        self.is_busy = False
        self.client = ui.context.client
        write(_("Play a region"), tag="h2")
        text = _(
            "You decide for one region under your strategy: with whom it negotiates, how it votes, "
            "and whether it stays and keeps its promises. You see only what it sees. All others "
            "decide by the rule, with the random numbers of the same run without you."
        )
        help_line("play", text)
        with ui.element("div").classes("choice play-start"):
            write(_("Region"), tag="label").props('for="play-region"')
            labels = zip(self.codes, scenario.regions.labels, strict=True)
            region = menu("play-region", [(code, label, True) for code, label in labels],
                          self.region, self.choose_region)  # fmt: skip
            write(_("Run"), tag="label").props('for="play-run"')
            number = entry("play-run", "0", self.choose_run, kind="number")
            number.props(f"min=0 max={MOST_RUN} step=1")
            for control in (region, number):
                control.props("aria-describedby=play-help")
            ui.button(_("Start"), on_click=self.start).props(
                "outline no-caps id=play-start aria-describedby=play-help"
            )
        self.alerts = alerts()
        self.place = ui.element("div").props("id=play")

    def choose_region(self, value: str) -> None:
        """Choose the region of the next game."""
        self.region = value if value in self.codes else self.region

    @translated
    def choose_run(self, value: str) -> None:
        """Choose the run of the next game, or report why it is none."""
        problems = Problems()
        run = read_number(_("Run"), value, 0, MOST_RUN, problems, is_whole=True)
        self.run = None if run is None else int(run)
        report(problems.found, self.alerts)

    def forget(self) -> None:
        """End the game, because its settings are no longer those of the page."""
        if self.play is not None:
            self.play = None
            self.place.clear()

    @translated
    async def start(self) -> None:
        """Begin a game."""
        session = self.session()
        if session is not None and self.run is not None and not self.is_busy:
            await self.work(partial(Play, session, self.region, self.run))

    @translated
    async def go_on(self, answer: int | None = None) -> None:
        """Answer the open question, or play on."""
        if self.play is not None and not self.is_busy:
            await self.work(None, answer)

    async def work(self, begin: Callable[[], Play] | None, answer: int | None = None) -> None:
        """Play up to the next stop, and show it."""
        self.is_busy = True
        try:
            play = self.play if begin is None else await self.line.run(begin, is_long=True)
            if play is None:
                return
            await self.line.run(play.go_on, answer, is_long=True)
            if self.client.is_deleted or (begin is None and self.play is not play):
                return
            self.play = play
            self.show(play)
        finally:
            self.is_busy = False

    # Showing --------------------------------------------------------------------------------------

    def show(self, play: Play) -> None:
        """Show where the game stands."""
        game = play.game
        self.place.clear()
        with self.place:
            write(play_moment(play), tag="p").classes("state").props("id=play-moment")
            with ui.element("div").props('id=play-now tabindex="-1" aria-live=polite'):
                if game.question is not None:
                    self.show_question(play)
                elif game.is_over:
                    write(outcome_sentence(play), tag="p").props("id=play-outcome")
                else:
                    write(_("A new year begins. Look at what your region has, and go on."), tag="p")
                    ui.button(_("Go on"), on_click=self.go_on).props("outline no-caps id=play-on")
            told = news(play)
            if told:
                write(_("What came of it"), tag="h3")
                ui.html(history_html(told), sanitize=False).props("id=play-news")
            if game.is_over:
                self.show_end(play)
            else:
                self.show_arrangements(play)
        self.client.run_javascript(FOCUS)

    def show_question(self, play: Play) -> None:
        """Show the open question, with a button for each option."""
        question, found = play.game.question, play.game.replay
        assert question is not None
        write(question_title(question), tag="h3").props("id=play-question")
        with ui.element("div").classes("play-options"):
            for place, option in enumerate(question.options):
                with ui.element("div").classes("play-option"):
                    ui.button(
                        option_title(found, option), on_click=partial(self.go_on, place)
                    ).props(
                        f"outline no-caps id=play-{place} aria-describedby=play-{place}-help"
                    )  # fmt: skip
                    help_line(f"play-{place}", option_text(option))
                    if option.channels:
                        with ui.element("details").classes("numbers"):
                            write(_("Where it comes from"), tag="summary")
                            ui.html(channels_html(option), sanitize=False)
        for line in known_lines(question):
            write(line, tag="p").classes("help")

    def show_arrangements(self, play: Play) -> None:
        """Show the present arrangements, with standing orders for joint bodies."""
        write(_("Your region now"), tag="h3")
        with ui.element("ul").classes("play-areas"):
            for row in play.game.status().itertuples():
                with ui.element("li"):
                    text = f"<b>{escape(area_title(row.area))}</b>: "
                    text += escape(arrangement_text(play, row))
                    ui.html(text, sanitize=False, tag="span")
                    if row.form:
                        for kind, label in ((STAY, _("Membership")), (KEEP, _("Promises"))):
                            self.show_order(play, kind, row.area, label)

    def show_order(self, play: Play, kind: str, area: str, label: str) -> None:
        """A list of the standing orders for a joint body."""
        identity = f"play-{kind}-{area}"
        with ui.element("div").classes("choice"):
            write(label, tag="label").props(f'for="{identity}"')
            options = [(value, text, True) for value, text in order_choices(kind).items()]
            found = menu(
                identity, options, play.ordered(kind, area), partial(play.order, kind, area)
            )
            found.props["aria-describedby"] = "play-help"

    def show_end(self, play: Play) -> None:
        """Show the outcome against the rule, and all choices."""
        ui.html(outcome_html(play), sanitize=False).classes("play-table").props("id=play-compared")
        told = choices_told(play, is_over=True)
        if told:
            write(_("Your choices"), tag="h3")
            text = _(
                "Net benefits are yearly shares of the area's stand-alone cost, of what you chose "
                "or turned down."
            )
            write(text, tag="p").classes("help")
            ui.html(history_html(told), sanitize=False).props("id=play-choices")
