"""One of the five questions about uploaded regions, on their page."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from html import escape

from nicegui import ui

from kolabsim.app.form import Choice
from kolabsim.app.importing import View, begin_choice, explain, impossible, options_of
from kolabsim.app.texts import labels_of_parts
from kolabsim.app.widgets import alerts, entry, help_line, menu, report, write
from kolabsim.errors import Problem
from kolabsim.figures.labels import capitalise
from kolabsim.i18n import _, speaking
from kolabsim.scenario.question_forms import QUESTIONS


class QuestionBlock:
    """One of the five questions: its options, the parts of its answer, and the reason."""

    def __init__(
        self, name: str, lang: str, newest: Callable[[], View | None],
        choose: Callable[[str, Choice], Awaitable[None]],
    ) -> None:  # fmt: skip
        self.name, self.lang, self.newest, self.choose = name, lang, newest, choose
        self.options: object = None
        self.parts: object = None
        self.values: dict[str, str] = {}
        with ui.element("div").classes("asked-question").props(f"id=ask-{name}"):
            write(_(QUESTIONS[name].title), tag="label").props(f'for="{name}"')
            self.menu = ui.element("div").classes("menu")
            self.fields = ui.element("div").classes("fields")
            self.reason = help_line(name, "")
            self.refusal = alerts()

    def show(self, view: View) -> None:
        """Show the question as it stands in a view."""
        name = self.name
        if view.setup is None:
            self.menu.clear()
            self.fields.clear()
            self.reason.set_content("")
            report([], self.refusal)
            self.options = self.parts = None
            return
        answer, choice = view.setup.answers[name], view.choice(name)
        options = [
            (one.value, one.title, not one.obstacle) for one in options_of(answer, view.lists)
        ]
        if self.options != (options, choice.option):
            self.menu.clear()
            with self.menu:
                menu(name, options, choice.option, self.select)
            self.options = options, choice.option
        if self.parts != choice.names:
            self.build_fields(view, choice)
        for part in choice.names:
            value = choice.parts.get(part, "")
            if self.values.get(part) != value:
                self.values[part] = value
                code = f"document.getElementById('{name}-{part}').value = {json.dumps(value)}"
                self.menu.client.run_javascript(code)
        lines = [capitalise(f"{explain(answer, choice)}."), *impossible(answer, view.lists)]
        self.reason.set_content("<br>".join(map(escape, lines)))
        text = view.refusals.get(name)
        report([Problem(text)] if text else [], self.refusal)

    def build_fields(self, view: View, choice: Choice) -> None:
        """Build a field for each part of the answer."""
        self.parts = choice.names
        self.values = {part: choice.parts.get(part, "") for part in choice.names}
        labels = labels_of_parts()
        self.fields.clear()
        with self.fields:
            for part in choice.names:
                identity = f"{self.name}-{part}"
                with ui.element("div").classes(f"field {part}"):
                    write(labels[part], tag="label").props(f'for="{identity}"')
                    change = partial(self.fill, part)
                    known = {"column": view.amounts(), "file": view.lists}.get(part)
                    if known:
                        options = [("", "", True), *((one, one, True) for one in known)]
                        found = menu(identity, options, self.values[part], change)
                    else:
                        kind = "number" if part in ("km", "number") else "text"
                        found = entry(identity, self.values[part], change, kind=kind)
                    found.props["aria-describedby"] = f"{self.name}-help"

    async def select(self, option: str) -> None:
        """Choose another option."""
        view = self.newest()
        if view is None or view.setup is None:
            return
        self.options = self.options and (self.options[0], option)  # type: ignore[index]
        with speaking(self.lang):
            choice = begin_choice(self.name, option, view)
        await self.choose(self.name, choice)

    async def fill(self, part: str, value: str) -> None:
        """Fill in a part of the answer."""
        view = self.newest()
        if view is None or view.setup is None:
            return
        self.values[part] = value
        choice = view.choice(self.name)
        await self.choose(self.name, Choice(choice.option, {**choice.parts, part: value}))
