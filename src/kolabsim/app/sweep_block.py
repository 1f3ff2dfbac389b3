"""The tab for the whole range of a lever or an assumption: where a strategy stops paying."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from pathlib import Path

from nicegui import ui

from kolabsim.app.asking import Asking, Host
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
from kolabsim.app.widgets import (
    alerts,
    button,
    help_line,
    listen,
    report,
    translated,
    write,
)
from kolabsim.errors import Problems
from kolabsim.figures.formatting import count
from kolabsim.i18n import _, ngettext

STYLE = (Path(__file__).parent / "sweep.css").read_text(encoding="utf-8")


class SweepBlock(Asking):
    """One factor or two to choose, and where the page's strategy stops paying over their range."""

    def __init__(self, page: Host, factor: Callable[[], float]) -> None:
        super().__init__(page, factor)
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
        self.mistakes = [*problems.found]
        """What the address says of it and cannot mean."""
        report(self.mistakes, self.alerts)
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

    def work(self) -> SweepWork:
        """The work on the present choice."""
        page = self.page
        return SweepWork(self.choice, page.settings, page.scenario, page.upload, self.factor())

    # Answering ------------------------------------------------------------------------------------

    @translated
    async def ask(self) -> None:
        """Simulate the range, and show where the strategy stops paying."""
        report([], self.alerts)
        self.asked = self.work()
        self.state.set_content(escape(_("Simulating …")))
        await self.pursue(partial(self.find, self.asked))

    async def find(self, work: SweepWork, purpose: object) -> None:
        """Find answers with ever more levels, and show each unless another was asked for."""
        run, found = self.runner(purpose), ANSWERED.get(work.key)
        if found is None:
            plan: SweepPlan | None = None
            sizes = await run(list, work.sizes(), is_long=True)
            for place, (levels, runs) in enumerate(sizes):
                plan = await run(work.plan, levels, runs, plan, is_long=True)
                pieces, is_quiet = plan.pieces(), self.answer is not None
                await self.do(pieces, plan.all_runs, purpose, is_quiet=is_quiet)
                found = await run(plan.answer, is_long=True)
                if place < len(sizes) - 1:
                    await self.show(found, purpose, is_last=False)
            if found is None:
                return
            ANSWERED.put(work.key, found)
        await self.show(found, purpose, is_last=True)

    async def show(self, found: SweepAnswer, purpose: object, *, is_last: bool) -> None:
        """Show an answer, unless another was asked for meanwhile."""
        html, sentence = await self.runner(purpose)(
            lambda: (found.html, found.sentence), is_long=True
        )
        if not self.is_wanted(purpose):
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
