"""The parts of which pages are made: texts, native controls, buttons, uploads and charts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import wraps
from html import escape
from pathlib import Path
from typing import Any

from nicegui import Client, ui

from kolabsim.app.charts import Chart
from kolabsim.app.texts import table_html, uploads_help
from kolabsim.app.uploads import LARGEST
from kolabsim.errors import Problem
from kolabsim.figures.palette import BLUE
from kolabsim.i18n import _, language, speaking

STYLE = (Path(__file__).parent / "app.css").read_text(encoding="utf-8")
MOST_PROBLEMS = 12
PRINTED = """<script>addEventListener('beforeprint', () => {
  for (const one of document.querySelectorAll('.chart svg')) {
    const {width, height} = one.getBoundingClientRect();
    if (width && !one.hasAttribute('viewBox'))
      one.setAttribute('viewBox', `0 0 ${one.getAttribute('width')} ${one.getAttribute('height')}`);
  }
})
addEventListener('afterprint', () => document.querySelectorAll('.chart svg').forEach(
  one => one.removeAttribute('viewBox')))</script>"""
"""Lets charts, which have the size of the screen, shrink on paper."""


def translated(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Run a handler of a page in the language of that page, its ``lang``."""

    @wraps(handler)
    def run(page: Any, *args: object) -> object:
        with speaking(page.lang):
            return handler(page, *args)

    @wraps(handler)
    async def run_async(page: Any, *args: object) -> object:
        with speaking(page.lang):
            return await handler(page, *args)

    return run_async if asyncio.iscoroutinefunction(handler) else run


def begin_page(style: str = "") -> None:
    """Give a page its style, with more of its own, its colours and its language."""
    ui.add_css(STYLE + style)
    ui.add_head_html(PRINTED)
    ui.colors(primary=BLUE)
    ui.context.client.content.classes("page")
    ui.run_javascript(f"document.documentElement.lang = {language()!r}")


async def ask_browser(client: Client, code: str, seconds: float) -> Any:
    """Return what JavaScript returns; None if the browser is gone, or takes longer."""
    try:
        return await client.run_javascript(code, timeout=seconds)
    except TimeoutError:
        return None


class ChartPlace:
    """A place for a chart, updated as often as there are new options, and for its numbers."""

    def __init__(self, name: str, *, numbers: bool = False) -> None:
        self.chart = ui.echart({}, renderer="svg").props(f"id={name} role=img").classes("chart")
        self.chart.props["aria-label"] = _("Simulating …")
        self.numbers = None
        if numbers:
            with ui.element("details").classes("numbers"):
                write(_("Numbers"), tag="summary")
                self.numbers = ui.html("", sanitize=False)

    def show(self, chart: Chart) -> None:
        """Draw other options in the same chart."""
        self.chart.props["aria-label"] = chart.description
        # Past the framework, which would copy thousands of numbers to see whether they change.
        dict.__setitem__(self.chart.props, "options", chart.options)
        self.chart.update()
        if self.numbers is not None:
            self.numbers.set_content(table_html(chart.columns, chart.rows))


# Texts --------------------------------------------------------------------------------------------


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


def alerts() -> ui.element:
    """A place for problems, which are read out."""
    return ui.element("div").props("role=alert").classes("problems")


def report(problems: Iterable[Problem], place: ui.element) -> None:
    """Show problems where they belong, or clear the place if there are none.

    A page that was closed meanwhile has no such place any more.
    """
    if place.is_deleted:
        return
    problems = list(problems)
    place.clear()
    with place:
        for problem in problems[:MOST_PROBLEMS]:
            write(str(problem), tag="p")
        if len(problems) > MOST_PROBLEMS:
            left = len(problems) - MOST_PROBLEMS
            write(_("... and {number} more").format(number=left), tag="p")


def unknown(error: Exception) -> Problem:
    """The problem for an error that nobody expected."""
    text = _(
        "this failed for a reason that kolabsim does not know ({reason}); the terminal of "
        "'kolabsim app' shows where"
    )
    return Problem(text.format(reason=f"{type(error).__name__}: {str(error)[:200]}"))


# Controls -----------------------------------------------------------------------------------------


def button(name: str, label: str, click: Callable[..., Any], text: str) -> ui.button:
    """A button with its explanation beside it."""
    with ui.element("div").classes("button"):
        found = ui.button(label, on_click=click).props(
            f'outline no-caps id="{name}" aria-describedby="{name}-help"'
        )
        help_line(name, text)
    return found


def menu(
    name: str, options: Iterable[tuple[str, str, bool]], value: str, change: Callable[[str], Any],
) -> ui.element:  # fmt: skip
    """A native list of choices: the value of each, its title, and whether it is possible."""
    written = []  # as one text, because a page is built while others wait: hundreds of options
    for one, title, is_possible in options:
        state = " selected" * (one == value) + " disabled" * (not is_possible)
        written.append(f'<option value="{escape(one)}"{state}>{escape(title)}</option>')
    found = ui.html("".join(written), sanitize=False, tag="select")
    found.props(f'id="{name}" aria-describedby="{name}-help"')
    listen(found, change)
    return found


def entry(name: str, value: str, change: Callable[[str], Any], *, kind: str = "text") -> ui.element:
    """A native field for a text or number; a change counts when the field is left, or at Enter."""
    found = ui.element("input").props(
        f'id="{name}" type={kind} autocomplete=off aria-describedby="{name}-help"'
    )
    found.props["^value"] = value  # as an attribute, so that no update replaces what is typed
    listen(found, change)
    return found


def listen(element: ui.element, change: Callable[[str], Any]) -> None:
    """Call a function with the new value of a native control."""

    def changed(event: Any) -> Any:
        return change(str(event.args))

    async def changed_async(event: Any) -> None:
        await change(str(event.args))

    handler = changed_async if asyncio.iscoroutinefunction(change) else changed
    # A browser gives '' for what is no number in a field of numbers, which would clear it.
    value = "event.target.validity.badInput ? '?' : event.target.value"
    element.on("change", handler, js_handler=f"(event) => emit({value})")


def pressed(element: ui.html, press: Callable[[str], Any]) -> None:
    """Call a function with the value of the native button in a text that is clicked.

    It is heard around the text, which may be replaced while a click is on its way.
    """
    handler = "(event) => { if (event.target.value) emit(event.target.value) }"
    element.on("click", lambda event: press(str(event.args)), js_handler=handler)


def uploader(
    name: str, label: str, text: str, upload: Callable[..., Any], reject: Callable[..., Any]
) -> None:
    """A button that uploads files, with its explanation."""
    place = ui.upload(
        multiple=True, auto_upload=True, max_total_size=LARGEST,
        on_multi_upload=upload, on_rejected=reject,
    ).props("flat").classes("upload")  # fmt: skip
    # Quasar's own button is an icon without a name; its field for files needs no place.
    label = escape(label)
    place.add_slot("header", (
        f'<q-btn outline no-caps id="{name}" aria-label="{label}" label="{label}" '
        f'aria-describedby="{name}-help" @click="props.pickFiles" />'
        '<div style="display:none"><q-uploader-add-trigger /></div>'
    ))  # fmt: skip
    help_line(name, text or uploads_help())


async def read_upload(event: Any) -> dict[str, bytes]:
    """Return the files of an upload by name, and make room for another one."""
    files = {file.name: await file.read() for file in event.files}
    event.sender.reset()
    return files
