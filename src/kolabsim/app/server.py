"""The web page of ``kolabsim app``: controls on the left, their effects on the right.

This is the only file that imports NiceGUI. Simulations come from :mod:`kolabsim.app.session` and
:mod:`kolabsim.app.stepper`, charts from :mod:`kolabsim.app.charts`; here are controls and events.
The page loads nothing from any other host. The file is longer than most, because no other file may
import NiceGUI.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial, wraps
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from nicegui import app, background_tasks, ui
from starlette.requests import Request
from starlette.responses import Response

from kolabsim.app.charts import Chart, Drawing, draw, register_script
from kolabsim.app.session import Estimate, Session, open_scenario, refused
from kolabsim.app.settings import SHOWN, Control, Settings, controls, read_query
from kolabsim.app.stepper import Stepper
from kolabsim.app.texts import (
    describe,
    differences_html,
    downloads,
    quarter_html,
    table_html,
    uploads_help,
    waiting,
)
from kolabsim.app.uploads import (
    LARGEST,
    LARGEST_SHAPES,
    MOST_FILES,
    SCENARIO,
    SHAPES,
    TABLE,
    Uploads,
    endings,
    limits,
)
from kolabsim.errors import InputError, KolabsimError, Problem, Problems
from kolabsim.figures.formatting import count, decimal, significant
from kolabsim.figures.labels import capitalise, measure_title
from kolabsim.figures.palette import BLUE
from kolabsim.i18n import LANGUAGES, _, language, speaking
from kolabsim.scenario.scenario import Scenario, shipped_names

STYLE = (Path(__file__).parent / "app.css").read_text(encoding="utf-8")
OVERHEAD = 100_000
"""Bytes that a request may have besides the files of an upload."""
COPY = """Promise.resolve(navigator.clipboard?.writeText(location.href).then(() => true))
  .then(copied => [location.href, !!copied], () => [location.href, false])"""
"""The page's address, and whether it was copied: browsers allow that at safe addresses only."""
MOST_PROBLEMS = 12
UPLOADS = Uploads()


def serve(host: str, port: int, *, scenario: str, show: bool) -> None:
    """Serve the page until it is interrupted; ``show`` opens it in a browser."""

    @ui.page("/", title="kolabsim")
    def index(request: Request) -> None:
        Page({"scenario": scenario} | dict(request.query_params)).build()

    app.middleware("http")(limit_uploads)
    app.on_shutdown(UPLOADS.close)
    ui.run(
        host=host, port=port, show=show, reload=False, show_welcome_message=False, title="kolabsim",
        uvicorn_logging_level="warning",
    )  # fmt: skip


async def limit_uploads(
    request: Request, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Refuse a request that is larger than an upload may be, before it is read."""
    size = request.headers.get("content-length", "")
    most = LARGEST + LARGEST_SHAPES + OVERHEAD
    if request.method == "POST" and not (size.isdecimal() and int(size) <= most):
        return Response(status_code=413)
    return await answer(request)


def translated(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Run a handler of a page in the language of that page."""

    @wraps(handler)
    def run(page: Page, *args: object) -> object:
        with speaking(page.settings.lang):
            return handler(page, *args)

    @wraps(handler)
    async def run_async(page: Page, *args: object) -> object:
        with speaking(page.settings.lang):
            return await handler(page, *args)

    return run_async if asyncio.iscoroutinefunction(handler) else run


class Page:
    """An open page: its settings, its controls, and the estimate that it shows."""

    def __init__(self, query: Mapping[str, str]) -> None:
        problems = Problems()
        with speaking(query["lang"] if query.get("lang") in LANGUAGES else language()):
            self.settings = replace(read_query(query, problems), lang=language())
            self.settings, self.scenario = open_scenario(self.settings, UPLOADS.load, problems)
            self.problems = [*problems.found]
        self.client = ui.context.client
        self.wanted: Settings | None = None
        """The newest settings that have not been simulated."""
        self.stop = np.zeros(1, np.int64)
        self.has_estimate = False
        """Whether the present simulation has given its first estimate."""
        self.task: asyncio.Task[None] | None = None
        self.session: Session | None = None
        self.estimate: Estimate | None = None
        self.stepper: Stepper | None = None
        self.charts: dict[str, ChartPlace] = {}
        self.help: dict[str, ui.html] = {}

    # Building -------------------------------------------------------------------------------------

    @translated
    def build(self) -> None:
        """Build the page and start to simulate."""
        self.client.on_delete(self.close)
        ui.add_css(STYLE)
        ui.add_head_html(register_script(self.scenario.regions))
        ui.colors(primary=BLUE)
        self.client.content.classes("page")
        ui.run_javascript(f"document.documentElement.lang = {json.dumps(language())}")
        with ui.element("header"):
            write(_("What if?"), tag="h1")
            write(_("kolabsim compares ways to share services; it does not predict."), tag="p")
            self.choice("lang", _("Language"), LANGUAGES)
        self.alerts = ui.element("div").props("role=alert").classes("problems")
        with ui.element("div").classes("columns"):
            self.controls = ui.element("aside")
            with self.controls:
                self.build_controls()
            with ui.element("section"):
                self.build_results()
        self.report(self.problems)
        self.restart()

    def build_controls(self) -> None:
        """Build everything that can be moved."""
        chosen, source = self.settings, self.scenario
        with group(_("Regions")):
            known = {
                name: Scenario.load(name).title(language()) for name in shipped_names("scenarios")
            }
            if chosen.scenario not in known:
                known[chosen.scenario] = _("Uploaded: {name}").format(name=source.title(language()))
            self.choice("scenario", _("Scenario"), known)
            self.build_upload()
        with group(_("Strategies")):
            strategies = source.strategy_titles(language())
            self.choice("start", _("Start with"), strategies)
            self.choice("baseline", _("Compare with"), strategies)
        for title, parts in controls(chosen, source).items():
            with group(title):
                for heading, sliders in parts.items():
                    if heading:
                        write(heading, tag="h3")
                    for control in sliders:
                        self.build_slider(control)
        text = _("All sliders return to the values of the scenario and of the strategy.")
        button("reset", _("Reset all sliders"), self.reset, text)

    def build_upload(self) -> None:
        """Build the place for users' own regions, where problems with them are reported too."""
        accepted = ",".join(TABLE + SCENARIO + SHAPES)
        uploads = ui.upload(
            multiple=True, auto_upload=True, max_files=MOST_FILES,
            max_total_size=LARGEST + LARGEST_SHAPES,
            on_multi_upload=self.upload, on_rejected=self.reject_upload,
        ).props(f'accept="{accepted}" flat').classes("upload")  # fmt: skip
        # Quasar's own button is an icon without a name.
        label = escape(_("Upload regions"))
        uploads.add_slot("header", (
            f'<q-btn outline no-caps id="upload" aria-label="{label}" label="{label}" '
            'aria-describedby="upload-help" @click="props.pickFiles"><q-uploader-add-trigger />'
            "</q-btn>"
        ))  # fmt: skip
        help_line("upload", uploads_help())
        self.upload_alerts = ui.element("div").props("role=alert").classes("problems")

    def choice(self, name: str, label: str, choices: Mapping[str, str]) -> None:
        """Build a native list of choices for a setting, with a line of help."""
        with ui.element("div").classes("choice"):
            write(label, tag="label").props(f'for="{name}"')
            with ui.element("select").props(f'id="{name}" aria-describedby="{name}-help"') as menu:
                for value, title in choices.items():
                    option = write(title, tag="option")
                    option.props["value"] = value
                    if value == getattr(self.settings, name):
                        option.props["selected"] = True
            emit = "(event) => emit(event.target.value)"
            menu.on("change", lambda event: self.change(name, event.args), js_handler=emit)
            self.help[name] = help_line(name, describe(name, self.settings, self.scenario))

    def build_slider(self, control: Control) -> None:
        """Build a native slider with its name, its value, and a line of help."""
        name = control.name
        with ui.element("div").classes("control"):
            with ui.element("div").classes("head"):
                write(control.label, tag="label").props(f'for="{name}"')
                shown = write(significant(control.value), tag="output").props(f'for="{name}"')
            slider = ui.element("input").props(
                f'type=range id="{name}" min={control.low} max={control.high} '
                f'step={control.step:g} aria-describedby="{name}-help"'
            )
            # As an attribute: a property would be put back at each update of the page.
            slider.props["^value"] = control.value

            def move(event: Any) -> None:
                value = float(event.args)
                with speaking(self.settings.lang):
                    shown.set_content(significant(value))
                self.choose(self.settings.moved(name, control.setting(value)))

            emit = "(event) => emit(event.target.value)"
            slider.on("input", move, throttle=0.05, js_handler=emit)
            help_line(name, control.help)

    def build_results(self) -> None:
        """Build the places for results."""
        with ui.tabs(on_change=self.open_tab).props("no-caps align=left") as tabs:
            ui.tab("compare", _("Compare"))
            ui.tab("step", _("One run, step by step"))
        self.tabs = tabs
        with ui.tab_panels(tabs, value="compare").props("keep-alive").classes("panels"):
            with ui.tab_panel("compare"):
                # Read out when it is no longer busy, instead of at every estimate on the way.
                self.headline = write("", tag="p").classes("headline")
                self.headline.props("id=headline aria-live=polite aria-busy=true")
                self.state = write(waiting(), tag="p").classes("state").props("id=state")
                with ui.element("div").props("id=differences-block"):
                    self.table = ui.html("", sanitize=False).classes("differences")
                    self.charts["differences"] = ChartPlace("differences")
                with ui.element("div").classes("pictures"):
                    self.build_pictures()
            with ui.tab_panel("step"):
                self.build_stepper()

    def build_pictures(self) -> None:
        """Build the charts of the comparison, and the buttons for downloads."""
        with ui.element("figure"):
            titles = {name: measure_title(name) for name in SHOWN}
            self.choice("measure", _("Over time"), titles)
            self.charts["envelopes"] = ChartPlace("envelopes", numbers=True)
            caption(_("Line: median of the runs. Band: half of the runs. Dashes: nine tenths."))
        with ui.element("figure"):
            write(_("Gains and losses of regions"), tag="h2")
            self.verdicts = write("", tag="p").classes("state").props("id=verdicts")
            self.charts["regions"] = ChartPlace("regions", numbers=True)
            caption(_("Realised net benefit of each region, compared with the baseline."))
        with ui.element("figure"):
            write(_("Shared services at the end"), tag="h2")
            self.charts["network"] = ChartPlace("network", numbers=True)
            caption(_("The wider a line, the more services two regions share (first runs)."))
        with ui.element("figure").classes("take"):
            write(_("Share and download"), tag="h2")
            text = _("It holds all settings: anyone who opens it sees the same.")
            button("take-address", _("Address of this page"), self.take_address, text)
            self.address = write("", tag="output").props("id=address").classes("address")
            for kind, (label, text) in downloads().items():
                button(f"take-{kind}", label, partial(self.download, kind), text)

    def build_stepper(self) -> None:
        """Build the buttons that advance one run, and the places for its state."""
        text = _("Run 0 of the comparison under your strategy: same agents, draws and results.")
        help_line("step", text)
        with ui.element("div").classes("steps"):
            for text, quarters in (
                (_("Restart"), 0), (_("One quarter on"), 1), (_("One year on"), 4),
            ):  # fmt: skip
                ui.button(text, on_click=partial(self.step, quarters)).props(
                    "outline no-caps aria-describedby=step-help"
                )
        self.moment = write("", tag="p").classes("state").props("aria-live=polite id=moment")
        with ui.element("div").classes("pictures"):
            with ui.element("figure"):
                self.charts["stepper"] = ChartPlace("stepper", numbers=True)
                caption(_("Lines join regions that share services now."))
            with ui.element("figure"):
                self.stepper_numbers = ui.html("", sanitize=False).props("id=stepper-numbers")

    def report(self, problems: list[Problem], *, where: ui.element | None = None) -> None:
        """Show problems where they belong, or clear the place if there are none."""
        place = self.alerts if where is None else where
        place.clear()
        with place:
            for problem in problems[:MOST_PROBLEMS]:
                write(str(problem), tag="p")
            if len(problems) > MOST_PROBLEMS:
                left = len(problems) - MOST_PROBLEMS
                write(_("... and {number} more").format(number=left), tag="p")

    # Simulating -----------------------------------------------------------------------------------

    def choose(self, settings: Settings) -> None:
        """Change the settings; the address and the results follow."""
        self.settings = settings
        address = json.dumps(f"/?{settings.query}")
        self.report([])
        self.client.run_javascript(f"history.replaceState(null, '', {address})")
        self.restart()

    def restart(self) -> None:
        """Simulate the newest settings.

        This cancels refinements, but not a first estimate on its way: otherwise nothing would
        be drawn while a slider moves.
        """
        self.wanted, self.stepper = self.settings, None
        self.headline.props("aria-busy=true")
        if self.has_estimate:
            self.stop[0] = 1
        if self.task is None or self.task.done():
            self.task = background_tasks.create(self.simulate())

    def close(self) -> None:
        """Stop simulating for a page that was closed."""
        self.wanted, self.stop[0] = None, 1

    async def simulate(self) -> None:
        """Simulate the newest settings in ever more runs, until there are no newer ones."""
        while self.wanted is not None:
            settings, self.wanted = self.wanted, None
            self.stop, self.has_estimate = np.zeros(1, np.int64), False
            with speaking(settings.lang):
                try:
                    await self.refine(settings, self.stop, time.perf_counter())
                except InputError as error:
                    self.report(refused(error))
                    self.state.set_content("")
                    self.headline.props("aria-busy=false")
            self.has_estimate = True

    async def refine(self, settings: Settings, stop: np.ndarray, started: float) -> None:
        """Show one estimate after the other."""
        written = UPLOADS.written(settings.scenario)
        self.session = await asyncio.to_thread(
            Session, settings, self.scenario, written=written, earlier=self.session
        )
        estimates = self.session.estimates(stop)
        if self.tabs.value == "step":
            await self.step(0)

        def following() -> Drawing | None:
            estimate = next(estimates, None)
            return draw(estimate) if estimate else None

        while found := await asyncio.to_thread(following):
            if stop[0] and self.has_estimate:
                return
            self.show(found, time.perf_counter() - started)
            self.has_estimate = True
            if self.wanted is not None:
                stop[0] = 1

    def show(self, found: Drawing, seconds: float) -> None:
        """Show an estimate."""
        self.estimate = estimate = found.estimate
        self.headline.set_content(escape(found.headline))
        self.verdicts.set_content(escape(found.verdicts))
        differences = found.charts["differences"]
        self.table.set_content(differences_html(differences.columns, differences.rows))
        for name, chart in found.charts.items():
            self.charts[name].show(chart)
        text = _("{runs} runs of each strategy, after {seconds} s.").format(
            runs=count(estimate.runs), seconds=decimal(seconds, 2)
        )
        if not estimate.is_last:
            text += " " + _("More are on their way …")
        elif self.wanted is None:
            self.headline.props("aria-busy=false")
        self.state.set_content(escape(text))

    # Choosing -------------------------------------------------------------------------------------

    def reload(self, settings: Settings) -> None:
        """Open the page again with other settings."""
        self.close()
        ui.navigate.to(f"/?{settings.query}")

    @translated
    def change(self, name: str, value: str) -> None:
        """Change a setting by its name: language, regions, strategies, or measure over time."""
        changed: dict[str, Any] = {name: value}
        settings = replace(self.settings, **changed)
        if name in ("lang", "scenario"):
            self.reload(settings)
        elif name == "start":  # its levers replace those that were moved
            self.rebuild(replace(settings, levers={}))
        else:
            self.choose(settings)
            text = describe(name, self.settings, self.scenario)
            self.help[name].set_content(escape(text))

    @translated
    def reset(self) -> None:
        """Put all sliders back."""
        self.rebuild(replace(self.settings, levers={}, assumptions={}))

    def rebuild(self, settings: Settings) -> None:
        """Build all controls again."""
        self.choose(settings)
        self.controls.clear()
        with self.controls:
            self.build_controls()

    @translated
    async def upload(self, event: Any) -> None:
        """Load uploaded regions, or report their problems in place."""
        files = {file.name: await file.read() for file in event.files}
        event.sender.reset()
        try:
            name = await asyncio.to_thread(UPLOADS.add, files)
        except InputError as error:
            self.report(refused(error), where=self.upload_alerts)
            return
        usual = Settings()
        self.reload(
            replace(self.settings, scenario=name, start=usual.start, baseline=usual.baseline)
        )

    @translated
    def reject_upload(self) -> None:
        """Report that files are too many, too large, or of another kind."""
        problem = Problem(f"{capitalise(limits())}; {endings()}")
        self.report([problem], where=self.upload_alerts)

    # Downloading ----------------------------------------------------------------------------------

    @translated
    async def take_address(self) -> None:
        """Show the address, which holds all settings, and copy it where the browser allows it."""
        address, is_copied = await self.client.run_javascript(COPY, timeout=10.0)
        self.address.set_content(escape(address))
        if is_copied:
            ui.notify(_("The address is copied."))

    @translated
    async def download(self, kind: str) -> None:
        """Download the present estimate as a file of some kind."""
        if self.estimate is None:
            return
        if kind == "report":
            ui.notify(_("Writing the report ..."))
        try:
            name, content = await asyncio.to_thread(self.estimate.download, kind)
        except KolabsimError as error:
            self.report([Problem(str(error))])
        else:
            ui.download.content(content, name)

    # One run --------------------------------------------------------------------------------------

    async def open_tab(self, event: Any) -> None:
        """Start a run when its tab is opened."""
        if event.value == "step" and self.stepper is None:
            await self.step(0)

    @translated
    async def step(self, quarters: int) -> None:
        """Advance the run by some quarters; 0 restarts it."""
        if self.session is None:
            return
        if self.stepper is None or not quarters:
            self.stepper = await asyncio.to_thread(Stepper, self.session)
        stepper = self.stepper
        await asyncio.to_thread(stepper.step, quarters)
        self.moment.set_content(escape(stepper.moment))
        self.charts["stepper"].show(stepper.chart())
        self.stepper_numbers.set_content(quarter_html(stepper.measures(), stepper.events()))


# Parts of a page ----------------------------------------------------------------------------------


class ChartPlace:
    """A place for a chart, updated as often as there are new options, and for its numbers."""

    def __init__(self, name: str, *, numbers: bool = False) -> None:
        self.chart = ui.echart({}, renderer="svg").props(f"id={name} role=img").classes("chart")
        self.numbers = None
        if numbers:
            with ui.element("details").classes("numbers"):
                write(_("Numbers"), tag="summary")
                self.numbers = ui.html("", sanitize=False)

    def show(self, chart: Chart) -> None:
        """Draw other options in the same chart."""
        self.chart.props["aria-label"] = chart.description
        self.chart.props["options"] = chart.options
        if self.numbers is not None:
            self.numbers.set_content(table_html(chart.columns, chart.rows))


def write(text: str, *, tag: str) -> ui.html:
    """Show a text, as text, in an element of this kind."""
    return ui.html(escape(text), sanitize=False, tag=tag)


def group(title: str) -> ui.element:
    """A group of controls with its title."""
    fieldset = ui.element("fieldset")
    with fieldset:
        write(title, tag="legend")
    return fieldset


def caption(text: str) -> None:
    """Explain a chart below it."""
    write(text, tag="figcaption")


def help_line(name: str, text: str) -> ui.html:
    """Explain a control below it."""
    return write(text, tag="p").classes("help").props(f'id="{name}-help"')


def button(name: str, label: str, click: Callable[..., Any], text: str) -> None:
    """A button with its explanation beside it."""
    with ui.element("div").classes("button"):
        ui.button(label, on_click=click).props(
            f'outline no-caps id="{name}" aria-describedby="{name}-help"'
        )
        help_line(name, text)
