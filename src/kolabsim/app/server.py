"""The web page of ``kolabsim app``: controls on the left, what they change on the right.

The only file that imports NiceGUI. What is simulated and drawn comes from
:mod:`kolabsim.app.session`, :mod:`kolabsim.app.charts` and :mod:`kolabsim.app.stepper`; here are
only controls, and what happens when they are moved. Nothing is asked of any other host.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import wraps
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
from nicegui import app, background_tasks, ui
from starlette.requests import Request
from starlette.responses import Response

from kolabsim.app import charts
from kolabsim.app.session import (
    ASSUMPTIONS,
    MAIN,
    Answer,
    Settings,
    WhatIf,
    bounds,
    intensity,
    lever_name,
    read_query,
    refused,
    scenarios,
)
from kolabsim.app.stepper import Lesson
from kolabsim.app.uploads import (
    LARGEST,
    LARGEST_SHAPES,
    MOST_FILES,
    SCENARIO,
    SHAPES,
    TABLE,
    Uploads,
    too_much,
)
from kolabsim.errors import InputError, KolabsimError, Problem, Problems
from kolabsim.figures.formatting import count, decimal, significant
from kolabsim.figures.labels import capitalise, measure_title
from kolabsim.figures.style import BLUE
from kolabsim.i18n import LANGUAGES, _, language, speaking
from kolabsim.model.jit import is_compiled_before
from kolabsim.model.levers import MECHANISMS, SUPPORTERS, Lever
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.scenario import Scenario

STYLE = (Path(__file__).parent / "app.css").read_text(encoding="utf-8")
OVERHEAD = 100_000
"""Bytes that a request may have besides the files of an upload."""
COPY = """Promise.resolve(navigator.clipboard?.writeText(location.href).then(() => true))
  .then(copied => [location.href, !!copied], () => [location.href, false])"""
"""The page's address, and whether it could be copied: browsers allow it at safe addresses only."""
UPLOADS = Uploads()


def serve(host: str, port: int, *, scenario: str, show: bool) -> None:
    """Serve the page until it is interrupted; ``show`` opens it in a browser."""

    @ui.page("/", title="kolabsim")
    def index(request: Request) -> None:
        query = {"scenario": scenario} | dict(request.query_params)
        Page(query).build()

    app.middleware("http")(limited)
    app.on_shutdown(UPLOADS.close)
    ui.run(
        host=host, port=port, show=show, reload=False, show_welcome_message=False, title="kolabsim",
        uvicorn_logging_level="warning",
    )  # fmt: skip


async def limited(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse what is larger than an upload may be, before it is read."""
    size = request.headers.get("content-length", "")
    most = LARGEST + LARGEST_SHAPES + OVERHEAD
    if request.method == "POST" and not (size.isdecimal() and int(size) <= most):
        return Response(status_code=413)
    return await answer(request)


class Drawn(NamedTuple):
    """An answer as parts of a page."""

    answer: Answer
    headline: str
    differences: str
    envelopes: str
    regions: str
    network: str


def draw(answer: Answer) -> Drawn:
    """Everything that is shown of an answer."""
    alt = _("Network of regions that share services under your strategy")
    drawn = Drawn(
        answer,
        charts.headline(answer),
        charts.differences(answer, MAIN),
        charts.envelopes(answer, answer.of.settings.measure),
        charts.regions_map(answer),
        charts.network(answer.of.scenario.regions, answer.links, alt),
    )
    answer.let_go()  # a page may stay open for hours
    return drawn


def spoken(handler: Callable) -> Callable:
    """Let a handler of a page speak the language of that page."""
    if asyncio.iscoroutinefunction(handler):

        @wraps(handler)
        async def speak(page: Page, *args: object) -> object:
            with speaking(page.settings.lang):
                return await handler(page, *args)
    else:

        @wraps(handler)
        def speak(page: Page, *args: object) -> object:
            with speaking(page.settings.lang):
                return handler(page, *args)

    return speak


class Page:
    """One open page: its settings, its controls, and the answer that it shows."""

    def __init__(self, query: Mapping[str, str]) -> None:
        problems = Problems()
        with speaking(query["lang"] if query.get("lang") in LANGUAGES else language()):
            self.settings = replace(read_query(query, problems), lang=language())
            self.problems = [*problems.found]
            self.scenario = self._load()
        self.client = ui.context.client
        self.wanted: Settings | None = None
        """What is to be simulated next: always the newest that was chosen."""
        self.stop = np.zeros(1, np.int64)
        self.has_answer = False
        """Whether what is being simulated has given its first answer."""
        self.task: asyncio.Task | None = None
        self.now: WhatIf | None = None
        self.answer: Answer | None = None
        self.lesson: Lesson | None = None

    def _load(self) -> Scenario:
        """The scenario of the address; what cannot be is told, and is put back to what is usual."""
        usual = Settings()
        try:
            found = UPLOADS.load(self.settings.scenario)
        except InputError as error:
            self.problems += refused(error)
            self.settings = replace(self.settings, scenario=usual.scenario)
            found = UPLOADS.load(usual.scenario)
        try:
            WhatIf(self.settings, found)
        except InputError as error:
            self.problems += refused(error)
            self.settings = replace(
                self.settings, start=usual.start, baseline=usual.baseline, assumptions={}
            )
        return found

    # What is shown ------------------------------------------------------------------------------

    @spoken
    def build(self) -> None:
        """Put the page together, and begin to simulate."""
        self.client.on_delete(self.close)
        ui.add_css(STYLE)
        ui.colors(primary=BLUE)
        self.client.content.classes("page")
        ui.run_javascript(f"document.documentElement.lang = {json.dumps(language())}")
        with ui.element("header"):
            words(_("What if?"), tag="h1")
            words(_("kolabsim compares ways to share services; it does not predict."), tag="p")
            languages = {code: name for code, name in LANGUAGES.items()}
            text = _("Of this page and of its report.")
            choice("lang", _("Language"), languages, language(), self.change_language, text)
        self.told = ui.element("div").props("role=alert").classes("problems")
        with ui.element("div").classes("columns"):
            self.controls = ui.element("aside")
            with self.controls:
                self.build_controls()
            with ui.element("section"):
                self.build_results()
        self.tell(self.problems)
        self.kick()

    def build_controls(self) -> None:
        """Everything that can be moved."""
        chosen, source = self.settings, self.scenario
        with ui.element("fieldset"):
            words(_("Regions"), tag="legend")
            known = {name: Scenario.load(name).title(language()) for name in scenarios()}
            if chosen.scenario not in known:
                known[chosen.scenario] = _("Uploaded: {name}").format(name=source.title(language()))
            text = source.description(language())
            choice("scenario", _("Scenario"), known, chosen.scenario, self.change_scenario, text)
            self.upload_control()
        with ui.element("fieldset"):
            words(_("Strategies"), tag="legend")
            strategies = {name: s.title(language()) for name, s in source.strategies.items()}
            text = self.strategy_help(chosen.start)
            choice("start", _("Begin with"), strategies, chosen.start, self.change_start, text)
            text = self.strategy_help(chosen.baseline)
            self.baseline_help = choice(
                "baseline", _("Compare with"), strategies, chosen.baseline, self.change_baseline,
                text,
            )  # fmt: skip
        for title, levers in ((_("Mechanisms"), MECHANISMS), (_("Support"), SUPPORTERS)):
            with ui.element("fieldset"):
                words(title, tag="legend")
                for name, lever in levers.items():
                    self.lever_control(name, lever)
        with ui.element("fieldset"):
            words(_("Assumptions that matter most"), tag="legend")
            for name in ASSUMPTIONS:
                self.assumption_control(name)
        button("reset", _("Put everything back"), self.reset,
               _("All sliders go to where the scenario and the strategy have them."))  # fmt: skip

    def upload_control(self) -> None:
        """Where regions of one's own come in, and what is wrong with them is told."""
        endings = ",".join(TABLE + SCENARIO + SHAPES)
        uploads = ui.upload(
            multiple=True, auto_upload=True, max_files=MOST_FILES,
            max_total_size=LARGEST + LARGEST_SHAPES,
            on_multi_upload=self.upload, on_rejected=self.too_large,
        ).props(f'accept="{endings}" flat').classes("upload")  # fmt: skip
        # Quasar's own button is an icon without a name.
        label = escape(_("Upload regions"))
        uploads.add_slot("header", (
            f'<q-btn outline no-caps id="upload" aria-label="{label}" label="{label}" '
            'aria-describedby="upload-help" @click="props.pickFiles"><q-uploader-add-trigger />'
            "</q-btn>"
        ))  # fmt: skip
        text = _(
            "A table (CSV) with the columns code, population, latitude and longitude, and if "
            "there are name and tier; or a scenario (YAML) with its tables. Up to {size} kB. The "
            "shapes of the regions (GeoJSON) can come with them: up to {shapes} kB."
        )
        sizes = {"size": LARGEST // 1000, "shapes": LARGEST_SHAPES // 1000}
        help_line("upload", text.format(**sizes))
        self.upload_told = ui.element("div").props("role=alert").classes("problems")

    def strategy_help(self, name: str) -> str:
        """What a strategy of the scenario does."""
        strategy = self.scenario.strategies.get(name)
        return strategy.description(language()) if strategy else ""

    def lever_control(self, name: str, lever: Lever) -> None:
        """The intensity of a mechanism or of support."""
        start = self.scenario.strategies.get(self.settings.start)
        usual = intensity(start, name) if start else 0.0
        price = PARAMETERS[lever.price]
        text = _("{meaning}. {price}: {value}.").format(
            meaning=capitalise(_(lever.meaning)), price=capitalise(_(price.meaning)),
            value=significant(self.scenario.parameters.get(lever.price, price.default)),
        )  # fmt: skip
        value = self.settings.levers.get(name, usual)
        self.slider(lever_name(name), _(lever.title), text, (0.0, 1.0), value, usual)

    def assumption_control(self, name: str) -> None:
        """The value of a parameter."""
        entry = PARAMETERS[name]
        usual = self.scenario.parameters.get(name, entry.default)
        low, high = bounds(entry)
        source = _(entry.source) if entry.source == "assumed" else entry.source
        text = _("{low} to {high}{unit}; usually {usual}. Source: {source}.").format(
            low=significant(low), high=significant(high), unit=measure_unit(entry.unit),
            usual=significant(usual), source=source,
        )  # fmt: skip
        value = self.settings.assumptions.get(name, usual)
        range_ = (min(low, usual), max(high, usual))
        self.slider(f"parameters.{name}", _(entry.meaning), text, range_, value, usual)

    def slider(
        self,
        name: str,
        label: str,
        text: str,
        range_: tuple[float, float],
        value: float,
        usual: float,
    ) -> None:
        """A native slider with its name, its value, and a line of help."""
        step = step_of(range_, usual)
        with ui.element("div").classes("control"):
            with ui.element("div").classes("head"):
                words(capitalise(label), tag="label").props(f'for="{name}"')
                shown = words(significant(value), tag="output").props(f'for="{name}"')
            slider = ui.element("input").props(
                f'type=range id="{name}" min={range_[0]} max={range_[1]} step={step:g} '
                f'aria-describedby="{name}-help"'
            )
            # As an attribute: as a property, it would be put back whenever the page is drawn anew.
            slider.props["^value"] = value

            def move(event: object) -> None:
                found = float(event.args)
                is_usual = abs(found - usual) < step / 100.0
                with speaking(self.settings.lang):
                    shown.set_content(significant(found))
                self.choose(self.settings.moved(name, None if is_usual else found))

            emit = "(event) => emit(event.target.value)"
            slider.on("input", move, throttle=0.05, js_handler=emit)
            help_line(name, text)

    def build_results(self) -> None:
        """Where answers are shown, and what can be taken away."""
        with ui.tabs(on_change=self.open_tab).props("no-caps align=left") as tabs:
            ui.tab("compare", _("Compare"))
            ui.tab("step", _("One run, step by step"))
        self.tabs = tabs
        with ui.tab_panels(tabs, value="compare").props("keep-alive").classes("panels"):
            with ui.tab_panel("compare"):
                # It is read out when it is no longer busy: not each answer on the way.
                self.headline = words("", tag="p").classes("headline")
                self.headline.props("id=headline aria-live=polite aria-busy=true")
                self.state = words(waiting(), tag="p").classes("state").props("id=state")
                self.differences = block("differences-block")
                with ui.element("div").classes("pictures"):
                    with ui.element("figure"):
                        measures = {name: measure_title(name) for name in MAIN}
                        self.measure_help = choice(
                            "measure", _("Over time"), measures, self.settings.measure,
                            self.change_measure, measure_help(self.settings.measure),
                        )  # fmt: skip
                        self.envelopes = block("envelopes")
                        words(_("Line: median of the runs. Band: half of them. Dashes: nine tenths "
                                "of them."), tag="figcaption")  # fmt: skip
                    with ui.element("figure"):
                        words(_("Who gains and who loses"), tag="h2")
                        self.regions = block("regions")
                        words(_("Realised net benefit of each region against the baseline. Point "
                                "at a circle to read its number."), tag="figcaption")  # fmt: skip
                    with ui.element("figure"):
                        words(_("Who shares with whom at the end"), tag="h2")
                        self.network = block("network")
                        words(_("The wider a line, the more services two regions share under your "
                                "strategy, over the first runs."), tag="figcaption")  # fmt: skip
                    with ui.element("figure").classes("take"):
                        words(_("Take it with you"), tag="h2")
                        self.build_taking()
            with ui.tab_panel("step"):
                self.build_lesson()

    def build_taking(self) -> None:
        """Buttons that take away what the page shows."""
        for name, text, take, told in (
            ("address", _("Address of this page"), self.take_address,
             _("It carries all settings: whoever opens it sees the same.")),
            ("scenario", _("Scenario (YAML)"), self.take_scenario,
             _("Your strategy and assumptions as a scenario file.")),
            ("differences", _("Differences (CSV)"), self.take_differences,
             _("The table above, as numbers.")),
            ("data", _("All data (ZIP)"), self.take_data,
             _("Every run, quarter and region, with what the columns mean.")),
            ("report", _("Report (HTML)"), self.take_report,
             _("One page to print or send, with methods and sources.")),
        ):  # fmt: skip
            button(f"take-{name}", text, take, told)
            if name == "address":
                self.address = words("", tag="output").props("id=address").classes("address")

    def build_lesson(self) -> None:
        """Buttons that let time pass, and what happens then."""
        help_line("step", _(
            "One run of your strategy, with the same agents, draws and results as run 0 of the "
            "comparison."
        ))  # fmt: skip
        with ui.element("div").classes("steps"):
            for text, quarters in (
                (_("Begin again"), 0), (_("One quarter on"), 1), (_("One year on"), 4),
            ):  # fmt: skip

                async def go(quarters: int = quarters) -> None:
                    await self.step(quarters)

                ui.button(text, on_click=go).props("outline no-caps aria-describedby=step-help")
        self.when = words("", tag="p").classes("state").props("aria-live=polite id=when")
        with ui.element("div").classes("pictures"):
            with ui.element("figure"):
                self.lesson_picture = block("lesson-picture")
                words(_("Lines join regions that share services now."), tag="figcaption")
            with ui.element("figure"):
                self.lesson_told = block("lesson-told")

    def tell(self, problems: list[Problem], *, where: ui.element | None = None) -> None:
        """Show problems where they belong; none clears the place."""
        place = self.told if where is None else where
        place.clear()
        with place:
            for problem in problems[:12]:
                words(str(problem), tag="p")
            if len(problems) > 12:
                words(_("... and {number} more").format(number=len(problems) - 12), tag="p")

    # What happens when something is moved ---------------------------------------------------------

    def choose(self, settings: Settings) -> None:
        """Change the settings: the address follows, and so does the answer."""
        self.settings = settings
        address = json.dumps(f"/?{settings.query}")
        self.tell([])
        self.client.run_javascript(f"history.replaceState(null, '', {address})")
        self.kick()

    def kick(self) -> None:
        """Simulate what was chosen last.

        What is being refined is cancelled. A first answer on its way may arrive, though, or else
        nothing would be drawn while one drags.
        """
        self.wanted, self.lesson = self.settings, None
        self.headline.props("aria-busy=true")
        if self.has_answer:
            self.stop[0] = 1
        if self.task is None or self.task.done():
            self.task = background_tasks.create(self.refine())

    def close(self) -> None:
        """Stop simulating for a page that nobody looks at any more."""
        self.wanted, self.stop[0] = None, 1

    async def refine(self) -> None:
        """Simulate the newest settings, in ever more runs, until no newer ones are there."""
        while self.wanted is not None:
            settings, self.wanted = self.wanted, None
            self.stop, self.has_answer = np.zeros(1, np.int64), False
            with speaking(settings.lang):
                try:
                    await self.follow(settings, self.stop, time.perf_counter())
                except InputError as error:
                    self.tell(refused(error))
                    self.state.set_content("")
                    self.headline.props("aria-busy=false")
            self.has_answer = True

    async def follow(self, settings: Settings, stop: np.ndarray, began: float) -> None:
        """Show one answer after the other."""
        written = UPLOADS.written(settings.scenario)
        self.now = await asyncio.to_thread(
            WhatIf, settings, self.scenario, written=written, earlier=self.now
        )
        answers = self.now.answers(stop)
        if self.tabs.value == "step":
            await self.step(0)

        def following() -> Drawn | None:
            answer = next(answers, None)
            return draw(answer) if answer else None

        while (drawn := await asyncio.to_thread(following)) and not (stop[0] and self.has_answer):
            self.show(drawn, time.perf_counter() - began)
            self.has_answer = True
            if self.wanted is not None:
                stop[0] = 1

    def show(self, drawn: Drawn, seconds: float) -> None:
        """Show an answer."""
        self.answer = drawn.answer
        self.headline.set_content(escape(drawn.headline))
        for name in ("differences", "envelopes", "regions", "network"):
            getattr(self, name).set_content(getattr(drawn, name))
        if drawn.answer.is_last and self.wanted is None:
            self.headline.props("aria-busy=false")
        text = _("{runs} runs of each strategy, after {seconds} s.").format(
            runs=count(drawn.answer.runs), seconds=decimal(seconds, 2)
        )
        if not drawn.answer.is_last:
            text += " " + _("More are on their way …")
        self.state.set_content(escape(text))

    def go(self, settings: Settings) -> None:
        """Open the page anew with other settings."""
        self.close()
        ui.navigate.to(f"/?{settings.query}")

    def change_language(self, event: object) -> None:
        """Speak another language."""
        self.go(replace(self.settings, lang=str(event.args)))

    def change_scenario(self, event: object) -> None:
        """Go to other regions; what was moved stays moved."""
        self.go(replace(self.settings, scenario=str(event.args)))

    @spoken
    def change_start(self, event: object) -> None:
        """Begin with another strategy, whose levers take the place of those that were moved."""
        self.again(replace(self.settings, start=str(event.args), levers={}))

    @spoken
    def reset(self) -> None:
        """Put all sliders back."""
        self.again(replace(self.settings, levers={}, assumptions={}))

    def again(self, settings: Settings) -> None:
        """Draw all controls anew."""
        self.choose(settings)
        self.controls.clear()
        with self.controls:
            self.build_controls()

    @spoken
    def change_baseline(self, event: object) -> None:
        """Compare with another strategy."""
        self.choose(replace(self.settings, baseline=str(event.args)))
        self.baseline_help.set_content(escape(self.strategy_help(self.settings.baseline)))

    @spoken
    def change_measure(self, event: object) -> None:
        """Draw another measure over time."""
        self.choose(replace(self.settings, measure=str(event.args)))
        self.measure_help.set_content(escape(measure_help(self.settings.measure)))

    # Uploads --------------------------------------------------------------------------------------

    @spoken
    async def upload(self, event: object) -> None:
        """Take regions that were uploaded, or say in place what is wrong with them."""
        files = {file.name: await file.read() for file in event.files}
        event.sender.reset()
        try:
            name = await asyncio.to_thread(UPLOADS.add, files)
        except InputError as error:
            self.tell(refused(error), where=self.upload_told)
            return
        usual = Settings()
        self.go(replace(self.settings, scenario=name, start=usual.start, baseline=usual.baseline))

    @spoken
    def too_large(self) -> None:
        """Say that files were too many, too large, or of another kind."""
        kind = _("only files that end in .csv, .yaml or .geojson can be read").format()
        self.tell([Problem(f"{capitalise(too_much())}; {kind}")], where=self.upload_told)

    # Taking away ----------------------------------------------------------------------------------

    @spoken
    async def take_address(self) -> None:
        """Show the address, which carries all settings, and copy it where the browser lets us."""
        address, is_copied = await self.client.run_javascript(COPY, timeout=10.0)
        self.address.set_content(escape(address))
        if is_copied:
            ui.notify(_("The address is copied."))

    def take_scenario(self) -> None:
        """Save the scenario file."""
        if self.now is not None:
            ui.download.content(self.now.scenario_text(), "what-if.yaml", "text/yaml")

    def take_differences(self) -> None:
        """Save the table of differences."""
        from kolabsim.files import table_csv

        if self.answer is not None:
            table = self.answer.comparison.differences
            ui.download.content(table_csv(table), "differences.csv", "text/csv")

    async def take_data(self) -> None:
        """Save all tables."""
        if self.answer is not None:
            content = await asyncio.to_thread(self.answer.data)
            ui.download.content(content, "what-if.zip", "application/zip")

    @spoken
    async def take_report(self) -> None:
        """Save the report."""
        if self.answer is None:
            return
        ui.notify(_("Writing the report ..."))
        try:
            content = await asyncio.to_thread(self.report_of, self.answer)
        except KolabsimError as error:
            self.tell([Problem(str(error))])
            return
        ui.download.content(content, "what-if.html", "text/html")

    def report_of(self, answer: Answer) -> bytes:
        """The report on an answer, as a file's content."""
        command = f"kolabsim app ?{answer.of.settings.query}"
        with tempfile.TemporaryDirectory() as folder:
            return answer.report(Path(folder) / "report.html", command=command).read_bytes()

    # The lesson -----------------------------------------------------------------------------------

    async def open_tab(self, event: object) -> None:
        """Begin a run when its tab is opened."""
        if event.value == "step" and self.lesson is None:
            await self.step(0)

    @spoken
    async def step(self, quarters: int) -> None:
        """Let time pass in one run; no time begins it anew."""
        if self.now is None:
            return
        if self.lesson is None or not quarters:
            self.lesson = await asyncio.to_thread(Lesson, self.now)
        lesson = self.lesson
        await asyncio.to_thread(lesson.step, quarters)
        self.when.set_content(escape(lesson.when))
        self.lesson_picture.set_content(lesson.picture())
        self.lesson_told.set_content(lesson.told())


# Parts of a page ----------------------------------------------------------------------------------


def words(text: str, *, tag: str) -> ui.html:
    """A text, as text, in an element of this kind."""
    return ui.html(escape(text), sanitize=False, tag=tag)


def block(name: str) -> ui.html:
    """A place for a picture or a table."""
    return ui.html("", sanitize=False).props(f"id={name}").classes("block")


def help_line(name: str, text: str) -> ui.html:
    """What a control does, below it."""
    return words(text, tag="p").classes("help").props(f'id="{name}-help"')


def button(name: str, label: str, click: Callable, text: str) -> None:
    """A button, and beside it what it does."""
    with ui.element("div").classes("button"):
        ui.button(label, on_click=click).props(
            f'outline no-caps id="{name}" aria-describedby="{name}-help"'
        )
        help_line(name, text)


def choice(
    name: str, label: str, choices: Mapping[str, str], chosen: str, change: Callable, text: str
) -> ui.html:
    """A native list of choices with its name; gives the line of help below it."""
    with ui.element("div").classes("choice"):
        words(label, tag="label").props(f'for="{name}"')
        with ui.element("select").props(f'id="{name}" aria-describedby="{name}-help"') as select:
            for value, title in choices.items():
                option = words(title, tag="option")
                option.props["value"] = value
                if value == chosen:
                    option.props["selected"] = True
        select.on("change", change, js_handler="(event) => emit(event.target.value)")
        return help_line(name, text)


def measure_help(name: str) -> str:
    """What a measure means."""
    return _("{meaning}.").format(meaning=capitalise(_(MEASURES[name].meaning)))


def waiting() -> str:
    """What is said until there is a first answer."""
    if is_compiled_before():
        return _("Simulating …")
    return _("The model is being compiled, once for this version; this takes up to half a minute.")


def step_of(range_: tuple[float, float], usual: float) -> float:
    """How far a slider moves at a time: its usual value is a whole number of steps from its least.

    A twentieth of an intensity; of a parameter ten or twenty steps up to its usual value, which
    lies a third or half of its range up.
    """
    low, high = range_
    if range_ == (0.0, 1.0):
        return 0.05
    share = (usual - low) / (high - low)
    return (usual - low) / max(10 * round(3.0 * share), 1) if share else (high - low) / 30.0


def measure_unit(unit: str) -> str:
    """A unit after a number, if there is one."""
    return "" if unit == "1" else f" {_(unit)}"
