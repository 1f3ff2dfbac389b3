"""The tab that asks whether the model fits what is known of the visitor's own regions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

from nicegui import ui

from kolabsim.app.asking import Asking, Host
from kolabsim.app.fitting import (
    FILE,
    Fit,
    FitWork,
    Own,
    answer_html,
    bodies_chart,
    check_own,
    check_own_files,
    commands,
    done_text,
    download,
    facts_chart,
    nothing_to_judge,
    sentence,
)
from kolabsim.app.session import refused
from kolabsim.app.uploads import limits, list_shipped
from kolabsim.app.widgets import (
    ChartPlace,
    alerts,
    button,
    caption,
    read_upload,
    report,
    translated,
    unknown,
    uploader,
    write,
)
from kolabsim.errors import InputError, Problem
from kolabsim.figures.labels import capitalise
from kolabsim.i18n import _

ROW, MARGIN = 46, 96
"""Height of a chart in pixels: of each row, and of the rest."""


class FitBlock(Asking):
    """A visitor's facts and joint bodies, and whether the model fits them."""

    def __init__(self, page: Host, call: Callable[..., Any], factor: Callable[[], float]) -> None:
        """``call`` reads files, as in a process of its own."""
        super().__init__(page, factor)
        self.call, self.own = call, Own()
        self.asked: FitWork | None = None
        self.found: Fit | None = None
        text = _(
            "Does the model fit what is known of these regions? Choose your own published numbers "
            "(facts.yaml) or joint bodies (bodies.csv), or see what becomes of those that the "
            "scenario documents."
        )
        write(text, tag="p").classes("state")
        text = _(
            "One file of facts, one table of joint bodies, or both; the how-to on your own "
            "evidence describes them."
        )
        with ui.element("div").classes("fit-files"):
            uploader("fit-files", _("Choose facts or joint bodies"), text, self.receive,
                     self.reject)  # fmt: skip
        self.chosen = write("", tag="p").classes("state").props("id=fit-chosen")
        self.alerts = alerts()
        with ui.element("div").classes("group-buttons"):
            text = _(
                "In 20 plausible futures. Your strategy plays no part: joint bodies are followed "
                "under the one at “Compare with”."
            )
            button("ask-fit", _("Does it fit?"), self.ask, text)
        self.headline = write("", tag="p").classes("headline")
        self.headline.props("id=fit-headline aria-live=polite")
        self.state = write("", tag="p").classes("state").props("id=fit-state aria-live=polite")
        with ui.element("figure").classes("fit-figure") as self.facts:
            write(_("Facts and what the model gives"), tag="h2")
            self.facts_chart = ChartPlace("fit-facts")
            text = _(
                "A band goes from −1 to 1, and a point inside it fits. Lines hold 90% of the "
                "plausible futures."
            )
            caption(text)
        with ui.element("figure").classes("fit-figure") as self.bodies:
            write(_("What becomes of the joint bodies of today"), tag="h2")
            self.bodies_chart = ChartPlace("fit-bodies")
            caption(_("Shares of runs over plausible futures, at the end of the scenario."))
        self.shown = ui.html("", sanitize=False).classes("group-answer").props("id=fit-answer")
        with ui.element("div").classes("group-buttons") as self.taking:
            text = _("All facts and joint bodies with their numbers.")
            button("take-fit", _("Tables (ZIP)"), self.take, text)
        text = _(
            "Parameters that agree with your facts are found by a search that takes minutes. "
            "It is a command:"
        )
        write(text, tag="p").classes("state")
        self.command = ui.html("", sanitize=False).classes("fit-command").props("id=fit-command")
        for part in (self.facts, self.bodies, self.taking):
            part.set_visibility(False)
        self.tell_files()

    # Files ----------------------------------------------------------------------------------------

    @translated
    async def receive(self, event: Any) -> None:
        """Check files, and judge by them; or report their problems in place."""
        self.drop()
        report([], self.alerts)
        files = await read_upload(event)
        try:
            own = check_own(files)
            work = FitWork(own, self.page.settings, self.page.scenario)
            await self.page.reader.run(self.call, check_own_files, work.scenario, own)
        except InputError as error:
            report(refused(error), self.alerts)
            return
        except Exception as error:
            report([unknown(error)], self.alerts)
            raise
        if not self.page.is_closed:
            self.own = own
            self.tell_files()
            await self.ask()

    @translated
    def reject(self) -> None:
        """Report that files are too many or too large."""
        report([Problem(capitalise(limits()))], self.alerts)

    @translated
    def tell_files(self) -> None:
        """Say by what the model is judged."""
        if self.own.files:
            text = _("Judged by: {files}").format(files=", ".join(self.own.files))
        elif self.page.scenario.bodies:
            text = _("Judged by the joint bodies that the scenario lists.")
        else:
            text = capitalise(nothing_to_judge()) + "."
        self.chosen.set_content(escape(text))
        extends = self.page.upload.extends
        typed = commands(
            self.own, self.page.settings, extends, is_shipped=extends in list_shipped()
        )
        lines = "\n".join(escape(line) for line in typed)
        self.command.set_content(f'<pre tabindex="0" class="commands">{lines}</pre>')

    @translated
    def compare(self) -> None:
        """Say that an answer is that of an earlier baseline or of other assumptions."""
        self.tell_files()
        now = self.page.settings
        if self.asked is not None and not self.asked.is_on(now):
            self.state.set_content(escape(_("The answer below is that of earlier choices.")))

    # Answering ------------------------------------------------------------------------------------

    @translated
    async def ask(self) -> None:
        """Simulate the scenario, and show whether it fits."""
        report([], self.alerts)
        work = FitWork(self.own, self.page.settings, self.page.scenario, self.factor())
        self.state.set_content(escape(_("Simulating …")))
        await self.pursue(partial(self.find, work))

    async def find(self, work: FitWork, purpose: object) -> None:
        """Find the answer in pieces, and show it unless another was asked for meanwhile."""
        run = self.runner(purpose)
        await run(work.prepare, is_long=True)
        await self.do(work.pieces(), work.all_runs, purpose)
        found = await run(work.fit, is_long=True)
        html = await run(answer_html, found, work.source, is_long=True)
        if self.is_wanted(purpose):
            self.purpose, self.asked, self.found = None, work, found
            self.shown.set_content(html)
            self.show()

    @translated
    def show(self) -> None:
        """Show an answer."""
        work, found = self.asked, self.found
        if work is None or found is None:
            return
        self.headline.set_content(escape(sentence(found, work.own)))
        self.state.set_content(escape(done_text(found)))
        facts = len(found.findings) if work.own.files else 0
        for figure, place, rows, draw in (
            (self.facts, self.facts_chart, facts, partial(facts_chart, found)),
            (self.bodies, self.bodies_chart, len(found.kept),
             partial(bodies_chart, found, work.source)),
        ):  # fmt: skip
            figure.set_visibility(rows > 0)
            if rows:
                place.chart.style(f"aspect-ratio: auto; height: {MARGIN + ROW * rows}px")
                place.show(draw())
        self.taking.set_visibility(True)

    @translated
    def take(self) -> None:
        """Download the numbers of the answer that is shown."""
        if self.found is not None:
            ui.download.content(download(self.found), FILE)
