"""The tab for the whole range of a lever or an assumption: where a strategy stops paying."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from pathlib import Path
from typing import Protocol

from nicegui import ui

from kolabsim.app.queue import Line
from kolabsim.app.session import refused
from kolabsim.app.settings import Settings
from kolabsim.app.sweeping import (
    ANSWERED,
    FILE,
    SweepAnswer,
    SweepChoice,
    SweepPlan,
    SweepWork,
    experiment_file,
    offered_titles,
)
from kolabsim.app.uploads import Upload
from kolabsim.app.widgets import (
    alerts,
    button,
    help_line,
    listen,
    report,
    translated,
    unknown,
    write,
)
from kolabsim.errors import InputError, Problems
from kolabsim.figures.formatting import count
from kolabsim.i18n import _, language, ngettext
from kolabsim.scenario.scenario import Scenario

STYLE = (Path(__file__).parent / "sweep.css").read_text(encoding="utf-8")
REPORTS = 20
"""How often the page reports the number of finished runs."""


class Host(Protocol):
    """The page on which the block stands."""

    settings: Settings
    scenario: Scenario
    upload: Upload
    line: Line

    @property
    def is_closed(self) -> bool:
        """Whether the page was closed."""

    def remember(self, settings: Settings) -> None:
        """Keep settings that change nothing else, and write them into the address."""


class SweepBlock:
    """One factor or two to choose, and where the page's strategy stops paying over their range."""

    def __init__(self, page: Host, factor: Callable[[], float]) -> None:
        self.page, self.factor, self.lang = page, factor, language()
        self.purpose: object = None
        """That for which the work in the queue is done; None while there is none."""
        self.asked: SweepWork | None = None
        """The question of the work, or of the answer that is shown."""
        self.answer: SweepAnswer | None = None
        problems = Problems()
        self.choice = SweepChoice.read(page.settings, page.scenario, problems)
        text = _(
            "Your strategy against the one under “Compare with”, at all levels of a lever or an "
            "assumption at once: from where on does it pay, and where does it stop?"
        )
        write(text, tag="p").classes("state")
        with ui.element("div").classes("group-form"):
            self.build_form()
        self.alerts = alerts()
        report(problems.found, self.alerts)
        with ui.element("div").classes("group-buttons"):
            text = _("Your strategy as it is set now, in 20 plausible futures.")
            button("ask-sweep", _("Show the whole range"), self.ask, text)
        self.headline = write("", tag="p").classes("headline sweep-headline")
        self.headline.props("id=sweep-headline aria-live=polite")
        self.state = write("", tag="p").classes("state").props("id=sweep-state aria-live=polite")
        self.shown = ui.html("", sanitize=False).classes("group-answer").props("id=sweep-answer")
        with ui.element("div").classes("group-buttons") as self.taking:
            text = _(
                "“kolabsim run {file}” gives the same, and takes more levels, futures and runs."
            )
            button("take-sweep", _("Experiment (YAML)"), self.take, text.format(file=FILE))
            text = _("All levels with their values, ranges and verdicts.")
            button("take-sweep-table", _("Table (CSV)"), self.take_table, text)
        self.taking.set_visibility(False)

    def build_form(self) -> None:
        """Build the lists of factors."""
        titles = offered_titles(self.page.scenario)
        labels = (
            (_("Over the range of"), _("A lever, an assumption, or another factor.")),
            (_("and of"), _("With a second one, the answer is a map.")),
        )
        chosen = [*self.choice.factors, ""]
        for place, (label, text) in enumerate(labels):
            name = f"sweep-{place + 1}"
            with ui.element("div").classes("choice"):
                write(label, tag="label").props(f'for="{name}"')
                first = {"": _("none")} if place else {}
                html = options_html(titles, chosen[place], first)
                found = ui.html(html, sanitize=False, tag="select")
                found.props(f'id="{name}" aria-describedby="{name}-help"')
                listen(found, partial(self.choose, place))
                help_line(name, text)

    # Choosing -------------------------------------------------------------------------------------

    @translated
    def choose(self, place: int, name: str) -> None:
        """Choose the first or the second factor."""
        self.choice = self.choice.with_factor(place, name)
        self.page.remember(self.choice.written(self.page.settings))
        report([], self.alerts)
        self.compare()

    @translated
    def compare(self) -> None:
        """Drop the work on earlier choices, and say that an answer is theirs."""
        if self.asked is None or self.work().key == self.asked.key:
            return
        if self.purpose is not None:
            self.drop()
            self.state.set_content(escape(_("Your choices have changed; ask again.")))
        elif self.answer is not None:
            self.state.set_content(escape(_("The answer below is that of earlier choices.")))

    def drop(self) -> None:
        """Cancel the work that waits."""
        self.page.line.cancel(self.purpose)
        self.purpose = None

    def work(self) -> SweepWork:
        """The work on the present choice."""
        page = self.page
        return SweepWork(self.choice, page.settings, page.scenario, page.upload, self.factor())

    # Answering ------------------------------------------------------------------------------------

    @translated
    async def ask(self) -> None:
        """Simulate the range, and show where the strategy stops paying."""
        self.drop()
        report([], self.alerts)
        self.asked, self.purpose = self.work(), object()
        work, purpose = self.asked, self.purpose
        self.state.set_content(escape(_("Simulating …")))
        try:
            await self.find(work, purpose)
        except asyncio.CancelledError:  # other choices, or the page was closed
            if purpose is self.purpose and not self.page.is_closed:
                raise
        except Exception as error:
            if purpose is self.purpose and not self.page.is_closed:
                problems = refused(error) if isinstance(error, InputError) else [unknown(error)]
                report(problems, self.alerts)
                self.state.set_content("")
                self.purpose = None
            if not isinstance(error, InputError):
                traceback.print_exception(error)

    async def find(self, work: SweepWork, purpose: object) -> None:
        """Find answers with ever more levels, and show each unless another was asked for."""
        run = partial(self.page.line.run, is_urgent=False, purpose=purpose)
        found = ANSWERED.get(work.key)
        if found is None:
            plan: SweepPlan | None = None
            sizes = await run(list, work.sizes(), is_long=True)
            for place, (levels, runs) in enumerate(sizes):
                plan = await run(work.plan, levels, runs, plan, is_long=True)
                await self.simulate(plan, purpose)
                found = await run(plan.answer, is_long=True)
                if place < len(sizes) - 1:
                    await self.show(found, purpose, is_last=False)
            if found is None:
                return
            ANSWERED.put(work.key, found)
        await self.show(found, purpose, is_last=True)

    async def simulate(self, plan: SweepPlan, purpose: object) -> None:
        """Do the pieces of a plan."""
        run = partial(self.page.line.run, is_urgent=False, purpose=purpose)
        pieces = list(plan.pieces())
        done, step = 0, max(1, len(pieces) // REPORTS)

        async def one(number: int, piece: Callable[[], int]) -> None:
            nonlocal done
            done += await run(piece)
            if number % step == 0 and self.answer is None:
                self.tell(done, plan, purpose)

        await asyncio.gather(*(one(k, piece) for k, piece in enumerate(pieces)))

    @translated
    def tell(self, done: int, plan: SweepPlan, purpose: object) -> None:
        """Say how many runs are done."""
        if purpose is self.purpose and not self.page.is_closed:
            words = {"done": count(done), "number": count(plan.all_runs)}
            self.state.set_content(escape(_("{done} of {number} runs …").format(**words)))

    async def show(self, found: SweepAnswer, purpose: object, *, is_last: bool) -> None:
        """Show an answer, unless another was asked for meanwhile."""
        run = partial(self.page.line.run, is_urgent=False, purpose=purpose)
        html, sentence = await run(lambda: (found.html, found.sentence), is_long=True)
        if purpose is not self.purpose or self.page.is_closed:
            return
        self.answer = found
        self.headline.set_content(escape(sentence))
        self.shown.set_content(html)
        self.taking.set_visibility(True)
        if is_last:
            self.purpose = None
        self.tell_all(found)

    @translated
    def tell_all(self, found: SweepAnswer) -> None:
        """Say what was simulated."""
        points, spec = len(found.result.settings), found.experiment.spec
        futures = max(spec.plausible, 1)
        text = ngettext(
            "{points} levels in {futures} future, {runs} runs each.",
            "{points} levels in {futures} plausible futures, {runs} runs each.",
            futures,
        ).format(points=count(points), futures=count(futures), runs=count(spec.runs or 0))
        if len(found.experiment.factors) > 1:
            text = ngettext(
                "{points} combinations of levels in {futures} future, {runs} runs each.",
                "{points} combinations of levels in {futures} plausible futures, {runs} runs each.",
                futures,
            ).format(points=count(points), futures=count(futures), runs=count(spec.runs or 0))
        if self.purpose is not None:
            text += " " + _("More are on their way …")
        self.state.set_content(escape(text))

    # Downloading ----------------------------------------------------------------------------------

    @translated
    def take(self) -> None:
        """Download the experiment of the answer that is shown."""
        if self.asked is not None and self.answer is not None:
            ui.download.content(experiment_file(self.asked, self.answer.experiment), FILE)

    @translated
    def take_table(self) -> None:
        """Download the table of the answer that is shown."""
        if self.answer is not None:
            ui.download.content(self.answer.table, "map.csv")


def options_html(
    titles: Mapping[str, Mapping[str, str]], chosen: str, first: Mapping[str, str]
) -> str:
    """Options of a list of factors, in groups."""

    def options(some: Mapping[str, str]) -> str:
        return "".join(
            f'<option value="{escape(name)}"{" selected" * (name == chosen)}>{escape(title)}'
            "</option>" for name, title in some.items()
        )  # fmt: skip

    groups = (
        f'<optgroup label="{escape(title)}">{options(some)}</optgroup>'
        for title, some in titles.items()
    )
    return options(first) + "".join(groups)
