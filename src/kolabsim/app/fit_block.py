"""The tab that asks whether the model fits what is known of the visitor's own regions."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any, Protocol

from nicegui import ui

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
    describe_count,
    done_text,
    download,
    facts_chart,
    nothing_to_judge,
    sentence,
)
from kolabsim.app.queue import Line
from kolabsim.app.session import refused
from kolabsim.app.settings import Settings
from kolabsim.app.uploads import Upload, limits, list_shipped
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
from kolabsim.i18n import _, language
from kolabsim.scenario.scenario import Scenario

REPORTS = 20
"""How often the page reports the number of finished runs."""
ROW, MARGIN = 46, 96
"""Height of a chart in pixels: of each row, and of the rest."""


class Host(Protocol):
    """The page on which the block stands."""

    settings: Settings
    scenario: Scenario
    upload: Upload
    line: Line
    reader: Line

    @property
    def is_closed(self) -> bool:
        """Whether the page was closed."""


class FitBlock:
    """A visitor's facts and joint bodies, and whether the model fits them."""

    def __init__(self, page: Host, call: Callable[..., Any], factor: Callable[[], float]) -> None:
        """``call`` reads files, as in a process of its own."""
        self.page, self.call, self.factor, self.lang = page, call, factor, language()
        self.own = Own()
        self.purpose: object = None
        """That for which the work in the queue is done; None while there is none."""
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

    def drop(self) -> None:
        """Cancel the work that waits."""
        self.page.line.cancel(self.purpose)
        self.purpose = None
        report([], self.alerts)

    @translated
    async def ask(self) -> None:
        """Simulate the scenario, and show whether it fits."""
        self.drop()
        self.purpose = purpose = object()
        page = self.page
        work = FitWork(self.own, page.settings, page.scenario, self.factor())
        self.state.set_content(escape(_("Simulating …")))
        try:
            await self.find(work, purpose)
        except asyncio.CancelledError:  # other files, or the page was closed
            if purpose is self.purpose and not page.is_closed:
                raise
        except Exception as error:
            if purpose is self.purpose and not page.is_closed:
                problems = refused(error) if isinstance(error, InputError) else [unknown(error)]
                report(problems, self.alerts)
                self.state.set_content("")
                self.purpose = None
            if not isinstance(error, InputError):
                traceback.print_exception(error)

    async def find(self, work: FitWork, purpose: object) -> None:
        """Find the answer in pieces, and show it unless another was asked for meanwhile."""
        run = partial(self.page.line.run, is_urgent=False, purpose=purpose)
        await run(work.prepare, is_long=True)
        pieces = list(work.pieces())
        done, step = 0, max(1, len(pieces) // REPORTS)

        async def one(number: int, piece: Callable[[], int]) -> None:
            nonlocal done
            done += await run(piece)
            if number % step == 0 and purpose is self.purpose and not self.page.is_closed:
                self.tell(work.all_runs, done)

        await asyncio.gather(*(one(k, piece) for k, piece in enumerate(pieces)))
        found = await run(work.fit, is_long=True)
        html = await run(answer_html, found, work.source, is_long=True)
        if purpose is self.purpose and not self.page.is_closed:
            self.purpose, self.asked, self.found = None, work, found
            self.shown.set_content(html)
            self.show()

    @translated
    def tell(self, number: int, done: int) -> None:
        """Say how many runs are done."""
        self.state.set_content(escape(describe_count(number, done)))

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
