"""The web page of ``kolabsim app``: controls on the left, their effects on the right.

Simulations come from :mod:`kolabsim.app.session` and :mod:`kolabsim.app.stepper`, charts from
:mod:`kolabsim.app.charts`, the parts of a page from :mod:`kolabsim.app.widgets`; here are controls
and events. Uploaded tables have a page of their own, :mod:`kolabsim.app.import_page`. Pages load
nothing from any other host. This file is long because it is one page: each control is built beside
the events that it causes.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import numpy as np
from fastapi.dependencies import models
from nicegui import Client, app, background_tasks, ui
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from kolabsim.app import apart
from kolabsim.app.ahead import Ahead
from kolabsim.app.answers import Answers
from kolabsim.app.assets import Assets
from kolabsim.app.charts import MOST_LINES, Drawing, register_script
from kolabsim.app.comparing import own_strategies
from kolabsim.app.conditions import of_all
from kolabsim.app.fit_block import FitBlock
from kolabsim.app.futures import find_worlds
from kolabsim.app.group_block import STYLE as GROUPS
from kolabsim.app.group_block import GroupBlock
from kolabsim.app.groups import without_group
from kolabsim.app.guard import Guard, Hosts
from kolabsim.app.import_page import ImportPage
from kolabsim.app.pages import Pages
from kolabsim.app.play_block import PlayBlock
from kolabsim.app.queue import CORES, READERS, WRITERS
from kolabsim.app.session import Estimate, Session, open_scenario, refused, write_file
from kolabsim.app.settings import (
    SHOWN,
    Control,
    Settings,
    assumptions_title,
    controls,
    fixable,
    language_of,
    read_query,
    usual_value,
)
from kolabsim.app.side_by_side import SideBySide, done_text, jumps
from kolabsim.app.stepper import Stepper
from kolabsim.app.sweep_block import STYLE as RANGES
from kolabsim.app.sweep_block import SweepBlock
from kolabsim.app.texts import (
    describe,
    differences_html,
    downloads,
    drivers_html,
    history_html,
    quarter_html,
    waiting,
)
from kolabsim.app.timeline import Money, Timeline
from kolabsim.app.uploads import LARGEST, Uploads, is_scenario, limits, list_shipped, load_shipped
from kolabsim.app.widgets import (
    ChartPlace,
    alerts,
    begin_page,
    button,
    caption,
    group,
    help_line,
    menu,
    pressed,
    read_upload,
    report,
    translated,
    unknown,
    uploader,
    write,
)
from kolabsim.errors import InputError, KolabsimError, Problem, Problems
from kolabsim.figures.formatting import count, decimal, significant
from kolabsim.figures.labels import capitalise, measure_title
from kolabsim.garbage import return_memory
from kolabsim.i18n import LANGUAGES, _, language, ngettext, speaking
from kolabsim.scenario.notices import find_notices

RECONNECTING = 10.0
"""Seconds that a page whose connection broke is kept, as for a browser that is busy."""
LOOKING = 3.0
"""Seconds for which the first visitor looks at the first answer, before readers are started."""
OVERHEAD = 100_000
"""Bytes that a request may have besides the files of an upload."""
COLLECTED = 5000
"""Number of deleted elements after which garbage is collected, those of some twenty pages that were
open: hundreds of pages would wait otherwise. It is collected too when nobody is there to wait."""
CLEARING = 0.1
"""Seconds after which a page that is being deleted is garbage."""
MOST_TOLD = 150
"""Most regions of a scenario whose events are listed: a replay takes longer than the run itself."""
WRITING = apart.Limits(seconds=120, megabytes=3000)
"""What a file to take away may need: some ten times as much as usual, for the largest world."""
COPY = """Promise.resolve(navigator.clipboard?.writeText(location.href).then(() => true))
  .then(copied => [location.href, !!copied], () => [location.href, false])"""
"""The page's address, and whether it was copied: browsers allow that at safe addresses only."""
UPLOADS = Uploads()
ANSWERS = Answers()
PAGES = Pages()


def serve(
    host: str, port: int, *, scenario: str, show: bool, allowed: Sequence[str] = (),
    factor: float = 1.0, ahead: Ahead | None = None,
) -> None:  # fmt: skip
    """Serve the page until it is interrupted; ``show`` opens it in a browser.

    ``allowed`` are further names under which browsers may reach it, and ``factor`` raises or lowers
    the limits on what a visitor may ask for. The answer that is made ``ahead`` may have been begun.
    """
    ahead = ahead or Ahead(scenario)
    UPLOADS.factor = factor
    UPLOADS.call = partial(apart.call, limits=apart.Limits().scaled(factor))

    @ui.page("/", title="kolabsim")
    def index(request: Request) -> None:
        if is_admitted():
            Page(request.query_params.multi_items(), scenario).begin()

    @ui.page("/import", title="kolabsim")
    def preview(request: Request) -> None:
        if is_admitted():
            ImportPage(UPLOADS, request.query_params.multi_items()).build()

    async def prepare() -> None:
        """Answer ahead; then start readers, which import for seconds, before an upload."""
        await ahead.answer(ANSWERS)
        await asyncio.sleep(LOOKING)
        READERS.line().submit(apart.call, len, "")

    app.add_exception_handler(404, not_found)
    app.middleware("http")(limit_uploads)
    app.add_middleware(Assets)
    app.add_middleware(Guard, hosts=Hosts(host, allowed))
    app.on_startup(lambda: background_tasks.create(prepare()))
    app.on_startup(gc.freeze)
    app.on_delete(forget_routes)
    app.on_shutdown(UPLOADS.close)
    ui.run(
        host=host, port=port, show=show, reload=False, show_welcome_message=False, title="kolabsim",
        uvicorn_logging_level="warning", reconnect_timeout=RECONNECTING,
    )  # fmt: skip


DELETED = [0]
"""Elements that were deleted since the last time."""


def forget_routes(client: Client) -> None:
    """Clear the caches of FastAPI, which hold the route of each upload and so a whole page."""
    for found in vars(models).values():
        if hasattr(found, "cache_clear"):
            found.cache_clear()
    DELETED[0] += len(client.elements)
    if DELETED[0] >= COLLECTED or not PAGES.number:
        asyncio.get_running_loop().call_later(CLEARING, clear)


def clear() -> None:
    """Return the memory of pages that were deleted, unless that was done meanwhile."""
    if DELETED[0]:
        DELETED[0] = 0
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        return_memory()


def is_admitted() -> bool:
    """Whether one more page may be opened; otherwise this page says so."""
    is_free = PAGES.enter(ui.context.client)
    if not is_free:
        write(_("Too many pages are open here. Please try again in a few minutes."), tag="p")
    return is_free


def not_found(_request: Request, _error: Exception) -> Response:
    """Answer at an address where nothing is, without a page that the server would have to keep."""
    text = _("There is nothing at this address; the page begins at /.")
    return PlainTextResponse(text, status_code=404)


async def limit_uploads(
    request: Request, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Refuse a request that is larger than an upload may be, before it is read."""
    size = request.headers.get("content-length", "")
    most = LARGEST + OVERHEAD
    if request.method == "POST" and not (size.isdecimal() and int(size) <= most):
        return Response(status_code=413)
    return await answer(request)


class Page:
    """An open page: its settings, its controls, and the estimate that it shows."""

    def __init__(self, query: Sequence[tuple[str, str]], scenario: str) -> None:
        """``query`` has the words of the address, and ``scenario`` is what it usually opens."""
        problems, query = Problems(), [*query]
        if "scenario" not in dict(query):
            query.append(("scenario", scenario))
        with speaking(language_of(query)):
            self.settings = replace(read_query(query, problems), lang=language())
            self.settings, self.upload = open_scenario(self.settings, UPLOADS.load, problems)
            self.scenario = self.upload.scenario
            self.problems = [*problems.found]
        self.client = ui.context.client
        self.line, self.reader, self.writer = CORES.line(), READERS.line(), WRITERS.line()
        self.wanted: Settings | None = None
        """The newest settings that have not been simulated."""
        self.stop = np.zeros(1, np.int64)
        self.has_estimate = False
        """Whether the present simulation has given its first estimate."""
        self.task: asyncio.Task[None] | None = None
        self.session: Session | None = None
        self.estimate: Estimate | None = None
        self.is_settled = asyncio.Event()
        """Set while the estimate, or the problem, is that of the newest settings."""
        self.stepper: Stepper | None = None
        self.playing: PlayBlock | None = None
        self.stepping = asyncio.Lock()
        """Held while a step is simulated, because the steps of one run follow each other."""
        self.side_by_side = SideBySide(self)
        self.charts: dict[str, ChartPlace] = {}
        self.help: dict[str, ui.html] = {}
        self.timelines: dict[str, Timeline] = {}
        self.unopened: dict[str, tuple[ui.tab_panel, Callable[[], None]]] = {}
        """Tabs that were not opened, and what builds them."""
        self.group: GroupBlock | None = None
        self.sweep: SweepBlock | None = None
        self.fit: FitBlock | None = None

    @property
    def lang(self) -> str:
        """The language of the page."""
        return self.settings.lang

    # Building -------------------------------------------------------------------------------------

    @translated
    def begin(self) -> None:
        """Begin the page with all that a browser needs before it connects.

        The rest is built for browsers only, because it takes ten times as long.
        """
        self.client.on_connect(self.connect)
        self.client.on_delete(self.close)
        ui.on_exception(self.fail)
        begin_page(GROUPS + RANGES)
        ui.add_head_html(register_script(self.scenario.regions))
        self.header = ui.element("header")
        with self.header:
            write(_("What if?"), tag="h1")
            write(_("kolabsim compares ways to share services; it does not predict."), tag="p")
        self.alerts = alerts()

    def build(self) -> None:
        """Build the controls and the places for results."""
        with self.header:
            self.choice("lang", _("Language"), LANGUAGES)
        with ui.element("div").props("role=note").classes("notices"):
            for notice in find_notices(self.scenario):
                write(notice.sentence, tag="p").classes("total" if notice.is_total else "")
        with ui.element("div").classes("columns"):
            self.controls = ui.element("aside").props("id=controls")
            with self.controls:
                self.build_controls()
            with ui.element("section"):
                self.build_results()
        jumps()
        report(self.problems, self.alerts)

    def build_controls(self) -> None:
        """Build everything that can be moved."""
        chosen, source = self.settings, self.scenario
        with group(_("Regions")):
            known = {name: load_shipped(name).title(language()) for name in list_shipped()}
            if chosen.scenario not in known:
                known[chosen.scenario] = _("Uploaded: {name}").format(name=source.title(language()))
            self.choice("scenario", _("Scenario"), known)
            uploader("upload", _("Upload regions"), "", self.receive, self.reject_upload)
            self.upload_alerts = alerts()
        with group(_("Strategies")):
            strategies = source.strategy_titles(language())
            self.choice("start", _("Start with"), strategies)
            self.choice("baseline", _("Compare with"), strategies)
            self.side_by_side.build_field()
        Money(self)
        for title, parts in controls(chosen, source).items():
            with group(title):
                for heading, sliders in parts.items():
                    if heading:
                        write(heading, tag="h2").classes("step")
                    for control in sliders:
                        self.build_slider(control)
                if title == assumptions_title():
                    self.build_choice_of_assumption()
        text = _(
            "Levers return to the values, times and payers of the strategy, and all assumptions "
            "vary."
        )
        button("reset", _("Reset all sliders"), self.reset, text)

    def choice(self, name: str, label: str, choices: Mapping[str, str]) -> None:
        """Build a native list of choices for a setting, with a line of help."""
        with ui.element("div").classes("choice"):
            write(label, tag="label").props(f'for="{name}"')
            options = [(value, title, True) for value, title in choices.items()]
            menu(name, options, getattr(self.settings, name), partial(self.change, name))
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
                if name in self.timelines:
                    self.timelines[name].show()

            emit = "(event) => emit(event.target.value)"
            slider.on("input", move, throttle=0.05, js_handler=emit)
            slider.on("change", move, js_handler=emit)  # at once, so before a button is clicked
            help_line(name, control.help)
            if not control.is_fixed:
                self.timelines[name] = Timeline(self, name)

    def build_choice_of_assumption(self) -> None:
        """Build the list of assumptions that can be fixed, and the button that frees them."""
        found = fixable(find_worlds(self.scenario).futures, self.settings)
        if self.settings.assumptions:
            text = _("Fixed assumptions vary again from run to run.")
            button("free", _("Let all vary"), self.free, text)
        write(_("Fix an assumption"), tag="label").props('for="fix"')
        options = [("", _("none"), True), *((name, text, True) for name, text in found.items())]
        menu("fix", options, "", self.fix)
        help_line("fix", _("All others vary from run to run, over what is plausible together."))

    def build_results(self) -> None:
        """Build the places for results."""
        with ui.tabs(on_change=self.open_tab).props("no-caps align=left") as tabs:
            ui.tab("compare", _("Compare"))
            ui.tab("kept", _("Side by side"))
            ui.tab("step", _("One run, step by step"))
            ui.tab("group", _("A group I mean"))
            ui.tab("sweep", _("Whole range"))
            ui.tab("fit", _("My country's bodies"))
        self.tabs = tabs
        opened = "sweep" if self.settings.sweep else "compare"
        # With a mistake in any of its words, too: the tab says so.
        opened = "group" if without_group(self.settings).query != self.settings.query else opened
        with ui.tab_panels(tabs, value=opened).props("keep-alive").classes("panels"):
            with ui.tab_panel("compare"):
                # Read out when it is no longer busy, instead of at every estimate on the way.
                self.headline = write("", tag="p").classes("headline")
                self.headline.props("id=headline aria-live=polite aria-busy=true")
                self.state = write(waiting(), tag="p").classes("state").props("id=state")
                self.done = write("", tag="p").classes("printed").props("id=done")
                with ui.element("div").props("id=differences-block"):
                    self.table = ui.html("", sanitize=False).classes("differences")
                    self.charts["differences"] = ChartPlace("differences")
                with ui.element("div").classes("pictures"):
                    self.build_pictures()
            for name, build in (
                ("kept", self.side_by_side.build), ("step", self.build_stepper),
                ("group", self.build_group), ("sweep", self.build_sweep),
                ("fit", self.build_fit),
            ):  # fmt: skip
                self.unopened[name] = ui.tab_panel(name), build
        self.build_tab(opened)

    def build_tab(self, name: str) -> None:
        """Build a tab when it is opened for the first time."""
        panel, build = self.unopened.pop(name, (None, None))
        if panel is not None and build is not None:
            with panel:
                build()

    def build_group(self) -> None:
        """Build the tab for a group."""
        self.group = GroupBlock(self, lambda: UPLOADS.factor)

    def build_sweep(self) -> None:
        """Build the tab for a whole range."""
        self.sweep = SweepBlock(self, lambda: UPLOADS.factor)

    def build_fit(self) -> None:
        """Build the tab for a visitor's own evidence."""
        self.fit = FitBlock(self, UPLOADS.call, lambda: UPLOADS.factor)

    def build_pictures(self) -> None:
        """Build the charts of the comparison, and the buttons for downloads."""
        with ui.element("figure"):
            titles = {name: measure_title(name) for name in SHOWN}
            self.choice("measure", _("Over time"), titles)
            self.charts["envelopes"] = ChartPlace("envelopes", numbers=True)
            caption(
                _(
                    "Line: median of the runs. Band: half of the runs. Dashes: nine tenths. Runs "
                    "differ in assumptions and in chance."
                )
            )
        with ui.element("figure"):
            write(_("Gains and losses of regions"), tag="h2")
            self.verdicts = write("", tag="p").classes("state").props("id=verdicts")
            self.charts["regions"] = ChartPlace("regions", numbers=True)
            caption(_("Realised net benefit of each region, compared with the baseline."))
        with ui.element("figure"):
            write(_("Assumptions that carry the answer"), tag="h2")
            self.carriers = write("", tag="p").classes("state").props("id=carriers")
            self.drivers = ui.html("", sanitize=False).classes("drivers").props("id=drivers")
            pressed(self.drivers, self.fix)
        with ui.element("figure"):
            write(_("Shared services at the end"), tag="h2")
            self.charts["network"] = ChartPlace("network", numbers=True)
            text = _(
                "The wider a line, the more services two regions share (first runs; of many lines, "
                "the {most} widest)."
            )
            caption(text.format(most=count(MOST_LINES)))
        with ui.element("figure").classes("take"):
            write(_("Share and download"), tag="h2")
            text = _("It holds all settings: anyone who opens it sees the same.")
            button("take-address", _("Address of this page"), self.take_address, text)
            self.address = write("", tag="output").props("id=address").classes("address")
            for kind, (label, text) in downloads(is_study=bool(self.upload.files)).items():
                button(f"take-{kind}", label, partial(self.download, kind), text)

    def build_stepper(self) -> None:
        """Build the buttons that advance one run, and the places for its state."""
        text = _(
            "Run 0 of the comparison under your strategy, in its first plausible future: same "
            "agents, draws and results."
        )
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
            if len(self.scenario.regions) <= MOST_TOLD:
                with ui.element("figure").classes("told"):
                    self.build_history()
                with ui.element("figure").classes("told play"):
                    self.playing = PlayBlock(
                        self.scenario, self.lang, self.line, lambda: self.session
                    )

    def build_history(self) -> None:
        """Build the list of regions, and the place for the events of the chosen one."""
        write(_("Why? Events and reasons of a region"), tag="h2")
        regions = self.scenario.regions
        with ui.element("div").classes("choice"):
            write(_("Region"), tag="label").props('for="told-region"')
            options = [
                (code, name, True) for code, name in zip(regions.codes, regions.labels, strict=True)
            ]
            self.told = regions.codes[0]
            menu("told-region", options, self.told, self.tell)
            text = _(
                "Random numbers decide with chances: an event happens if its number is below. The "
                "command “kolabsim why” also finds what would have changed it."
            )
            help_line("told-region", text)
        self.history = ui.html("", sanitize=False).props("id=history aria-live=polite")

    # Simulating -----------------------------------------------------------------------------------

    @translated
    def connect(self) -> None:
        """Build the page and begin to simulate when a browser opened it, not for mere readers."""
        if self.task is None:
            self.build()
            # Python would go through all open pages again and again to find garbage among them.
            gc.freeze()
            self.restart()
            # A question with mistakes is shown with them, and not answered as if it were another.
            if self.group is not None and not self.group.mistakes and "," in self.settings.group:
                background_tasks.create(self.group.ask())
            if self.sweep is not None and not self.sweep.mistakes and self.settings.sweep:
                background_tasks.create(self.sweep.ask())

    def choose(self, settings: Settings) -> None:
        """Change the settings; the address and the results follow."""
        if settings == self.settings:
            return
        report([], self.alerts)
        self.remember(settings)
        for block in (self.group, self.sweep, self.fit):
            if block is not None:
                block.compare()
        self.restart()

    def remember(self, settings: Settings) -> None:
        """Take settings into the address."""
        self.settings = settings
        address = json.dumps(f"/?{settings.query}")
        self.client.run_javascript(f"history.replaceState(null, '', {address})")

    def restart(self) -> None:
        """Simulate the newest settings.

        This cancels refinements, but not a first estimate on its way: otherwise nothing would
        be drawn while a slider moves.
        """
        self.wanted, self.stepper = self.settings, None
        self.is_settled.clear()
        self.headline.props("aria-busy=true")
        if self.has_estimate:
            self.stop[0] = 1
            self.line.cancel(self.stop)
        if self.task is None or self.task.done():
            self.task = background_tasks.create(self.simulate())

    def close(self) -> None:
        """Stop simulating for a page that was closed, and let go of everything."""
        self.wanted, self.stop[0] = None, 1
        self.side_by_side.close()
        self.line.close()
        self.reader.close()
        self.writer.close()
        self.session = self.estimate = self.stepper = None

    @property
    def is_closed(self) -> bool:
        """Whether the page was closed, as may happen whenever it waits for something."""
        return self.client.is_deleted

    def fail(self, error: Exception) -> None:
        """Show that a handler of this page failed; the terminal shows where."""
        with speaking(self.lang):
            report([unknown(error)], self.alerts)

    async def simulate(self) -> None:
        """Simulate the newest settings in ever more runs, until there are no newer ones."""
        while self.wanted is not None:
            settings, self.wanted = self.wanted, None
            self.stop, self.has_estimate = np.zeros(1, np.int64), False
            with speaking(settings.lang):
                try:
                    await self.refine(settings, self.stop, time.perf_counter())
                except asyncio.CancelledError:  # the page was closed
                    return
                except Exception as error:
                    if not self.is_closed:
                        self.give_up(error)
                    if not isinstance(error, InputError):
                        traceback.print_exception(error)
            self.has_estimate = True

    def give_up(self, error: Exception) -> None:
        """Show why there is no estimate of the present settings."""
        problems = refused(error) if isinstance(error, InputError) else [unknown(error)]
        report(problems, self.alerts)
        self.estimate = None
        self.state.set_content("")
        self.headline.props("aria-busy=false")
        self.is_settled.set()

    def prepare(self, settings: Settings) -> tuple[Session, tuple[int, ...]]:
        """Check settings, and return the numbers of runs after which there are answers."""
        session = Session(settings, self.scenario, upload=self.upload)
        return session, ANSWERS.steps(session)

    async def refine(self, settings: Settings, stop: np.ndarray, started: float) -> None:
        """Show one estimate after the other."""
        session, steps = await self.line.run(self.prepare, settings)
        if self.is_closed:
            return
        self.session, self.line.is_heavy = session, session.is_heavy
        if self.playing is not None:
            self.playing.forget()
        if self.tabs.value == "step":
            await self.step(0)
        try:
            for runs in steps:
                is_first = not self.has_estimate
                found = await ANSWERS.find(session, runs, self.line, stop, is_urgent=is_first)
                if found is None or self.is_closed or (stop[0] and self.has_estimate):
                    return
                self.show(found, time.perf_counter() - started)
                self.has_estimate = True
                if self.wanted is not None:
                    stop[0] = 1
                    return
        finally:
            session.release()

    def show(self, found: Drawing, seconds: float) -> None:
        """Show an estimate."""
        self.estimate = estimate = found.estimate
        self.headline.set_content(escape(found.headline))
        self.verdicts.set_content(escape(found.verdicts))
        self.done.set_content(escape(done_text(estimate.session)))
        differences = found.charts["differences"]
        self.table.set_content(differences_html(differences.columns, differences.rows))
        for name, chart in found.charts.items():
            self.charts[name].show(chart)
        self.show_drivers(found)
        futures = len(estimate.session.futures)
        text = ngettext(
            "{runs} runs of each strategy in {futures} future, after {seconds} s.",
            "{runs} runs of each strategy in {futures} plausible futures, after {seconds} s.",
            futures,
        ).format(runs=count(estimate.runs), futures=count(futures), seconds=decimal(seconds, 2))
        if not estimate.is_last:
            text += " " + _("More are on their way …")
        elif self.wanted is None:
            self.headline.props("aria-busy=false")
        self.state.set_content(escape(text))
        self.state.props["data-answers"] = estimate.session.settings.query
        if estimate.session.settings == self.settings:
            self.is_settled.set()
        if estimate.is_last:
            self.side_by_side.follow()

    def show_drivers(self, found: Drawing) -> None:
        """Show which assumptions carry the answer, each with a button that fixes it."""
        self.carriers.set_content(escape(found.carriers))
        if not found.drivers and not found.estimate.is_ranked:
            return  # the last ranking stays until there is a new one
        can_be_fixed = fixable(found.estimate.session.futures, self.settings)
        self.drivers.set_content(drivers_html(found.drivers, can_be_fixed))

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
        if name == "scenario":
            self.reload(without_group(settings))
        elif name == "lang":
            self.reload(settings)
        elif name == "start":  # its levers replace those that were moved
            self.rebuild(replace(settings, levers={}, conditions=of_all(settings.conditions)))
        else:
            self.choose(settings)
            text = describe(name, self.settings, self.scenario)
            self.help[name].set_content(escape(text))

    @translated
    def fix(self, name: str) -> None:
        """Fix an assumption at its usual value; a slider moves it from there."""
        if name:
            usual = usual_value(name.removeprefix("parameters."), self.scenario)
            self.rebuild(self.settings.moved(name, usual))

    @translated
    def free(self) -> None:
        """Let all assumptions vary."""
        self.rebuild(replace(self.settings, assumptions={}))

    @translated
    def reset(self) -> None:
        """Put all sliders back."""
        self.rebuild(replace(self.settings, levers={}, assumptions={}, conditions={}))

    def rebuild(self, settings: Settings) -> None:
        """Build all controls again."""
        self.choose(settings)
        self.timelines.clear()
        self.controls.clear()
        with self.controls:
            self.build_controls()

    @translated
    async def receive(self, event: Any) -> None:
        """Open uploaded regions, or report their problems in place."""
        files = await read_upload(event)
        usual = Settings()
        try:
            if not is_scenario(files):
                token = UPLOADS.open(files)
                self.close()
                ui.navigate.to(f"/import?regions={token}&lang={self.lang}")
                return
            name = await self.reader.run(UPLOADS.add, files)
            if self.is_closed:
                return
        except InputError as error:
            report(refused(error), self.upload_alerts)
            return
        except Exception as error:
            report([unknown(error)], self.upload_alerts)
            raise
        known = UPLOADS.load(name).scenario
        own = own_strategies(known, load_shipped(usual.scenario))
        settings = replace(without_group(self.settings), scenario=name, kept=own)
        self.reload(replace(settings, start=usual.start, baseline=usual.baseline))

    @translated
    def reject_upload(self) -> None:
        """Report that files are too many or too large."""
        report([Problem(capitalise(limits()))], self.upload_alerts)

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
        """Download the estimate of the present settings, when it is there, as a file."""
        if kind == "report":
            ui.notify(_("Writing the report ..."))
        await self.is_settled.wait()
        estimate = self.estimate
        if estimate is None or self.is_closed:
            return
        try:
            if kind == "scenario":
                name, content = await self.line.run(estimate.download, kind)
            else:
                one = estimate.session
                given = kind, one.settings, one.source, one.upload, estimate.runs
                name, content = await self.write(write_file, *given)
        except KolabsimError as error:
            report([Problem(str(error))], self.alerts)
        else:
            if not self.is_closed:
                ui.download.content(content, name)

    async def write(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Return what a function returns in a process of its own: a file that takes seconds."""
        limits = WRITING.scaled(UPLOADS.factor)
        return await self.writer.run(partial(apart.call, limits=limits), function, *arguments)

    # One run --------------------------------------------------------------------------------------

    @translated
    async def open_tab(self, event: Any) -> None:
        """Build a tab when it is opened, and start its run."""
        self.build_tab(event.value)
        if event.value == "step" and self.stepper is None:
            await self.step(0)
        elif event.value == "kept":
            self.side_by_side.follow()

    @translated
    async def step(self, quarters: int) -> None:
        """Advance the run by some quarters; 0 restarts it."""
        async with self.stepping:
            if self.session is None:
                return
            stepper = self.stepper
            if stepper is None or not quarters:
                stepper = self.stepper = await self.line.run(Stepper, self.session, is_long=True)
            await self.line.run(stepper.step, quarters, is_long=True)
            if self.is_closed:
                return
            self.moment.set_content(escape(stepper.moment))
            self.charts["stepper"].show(stepper.chart())
            self.stepper_numbers.set_content(quarter_html(stepper.measures(), stepper.events()))
            await self.show_history()

    @translated
    async def tell(self, region: str) -> None:
        """Tell the events and reasons of another region."""
        self.told = region
        async with self.stepping:
            await self.show_history()

    async def show_history(self) -> None:
        """Show the events of the chosen region up to the present quarter."""
        if self.stepper is not None and len(self.scenario.regions) <= MOST_TOLD:
            told = await self.line.run(self.stepper.tell, self.told, is_long=True)
            if not self.is_closed:
                self.history.set_content(history_html(told))
