"""The page on which uploaded regions become a study: what was understood, and five questions.

What answers mean follows from :mod:`kolabsim.app.importing`; here are controls and events. Controls
stay where they are while answers change, so that nobody loses what they type or where they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

from nicegui import ui

from kolabsim.app.charts import MOST_DRAWN, choice_map, register_code
from kolabsim.app.conditions import read_once
from kolabsim.app.form import Choice, title_of
from kolabsim.app.importing import Preview, View, archive, click_region
from kolabsim.app.question_block import QuestionBlock
from kolabsim.app.queue import READERS
from kolabsim.app.session import refused
from kolabsim.app.settings import Settings, language_of, read_query
from kolabsim.app.texts import decision_texts, import_summary
from kolabsim.app.uploads import MOST_REGIONS, Uploads, check_files, limits, too_many
from kolabsim.app.widgets import (
    ChartPlace,
    alerts,
    ask_browser,
    begin_page,
    button,
    entry,
    group,
    help_line,
    menu,
    read_upload,
    report,
    translated,
    unknown,
    uploader,
    write,
)
from kolabsim.errors import InputError, Problem, Problems
from kolabsim.figures.formatting import count
from kolabsim.figures.labels import capitalise
from kolabsim.i18n import LANGUAGES, _, speaking
from kolabsim.scenario.importer.decisions import ANSWERS, ATTRIBUTES, SUBJECTS
from kolabsim.scenario.question_forms import QUESTIONS


class ImportPage:
    """An open page on uploaded regions."""

    def __init__(self, uploads: Uploads, query: Sequence[tuple[str, str]]) -> None:
        self.lang, problems = language_of(query), Problems()
        with speaking(self.lang):
            words = read_once(query, problems)
            self.token = words.pop("regions", "")
            read_query(words.items(), problems, known=("lang",))
        self.mistakes = [*problems.found]
        """What the address says besides its regions and cannot mean."""
        self.uploads = uploads
        self.client = ui.context.client
        self.reader = READERS.line()
        self.view: View | None = None
        self.is_busy = False
        self.drawn: object = None
        """The regions whose map the browser knows."""
        self.controlled: set[str] = set()
        """Answers that the table of decisions has controls for."""
        self.shown: dict[str, object] = {}
        """What each part of the page shows, so that only changed parts are built again."""

    # Building -------------------------------------------------------------------------------------

    @translated
    def build(self) -> None:
        """Build the page; it looks at the files when a browser has opened it."""
        ui.on_exception(self.fail)
        begin_page()
        with ui.element("header"):
            write(_("Your regions"), tag="h1")
            write(_("Check what was understood, and answer five questions."), tag="p")
            with ui.element("div").classes("choice"):
                write(_("Language"), tag="label").props('for="lang"')
                languages = [(code, title, True) for code, title in LANGUAGES.items()]
                menu("lang", languages, self.lang, self.change_language)
                help_line("lang", _("Language of this page and of its report."))
        self.alerts = alerts()
        try:
            self.preview: Preview = self.uploads.preview(self.token)
        except InputError as error:
            report([*self.mistakes, *refused(error)], self.alerts)
            ui.link(_("Back to the page"), f"/?{Settings(lang=self.lang).query}")
            return
        report(self.mistakes, self.alerts)
        with ui.element("main").classes("import"):
            self.build_parts()
        self.client.on_connect(self.connect)
        self.client.on_delete(self.close)

    @translated
    async def connect(self) -> None:
        """Look at the files when a browser has opened the page."""
        if self.view is None:
            await self.refresh()

    def close(self) -> None:
        """Let go of everything when the page was closed."""
        self.reader.close()
        self.view = self.drawn = None
        self.shown.clear()

    def fail(self, error: Exception) -> None:
        """Show that a handler of this page failed; the terminal shows where."""
        with speaking(self.lang):
            report([unknown(error)], self.alerts)

    def build_parts(self) -> None:
        """Build the places for everything."""
        with ui.element("div").classes("understood"):
            with ui.element("fieldset"):
                write(_("What was understood"), tag="legend")
                self.summary = ui.html("", sanitize=False).props("id=summary aria-live=polite")
                reading = _("Reading the files …")
                self.summary.set_content(f"<p>{escape(reading)}</p>")
                self.questions = ui.element("div").props("id=open-questions").classes("open")
                self.decisions = ui.element("div").props("id=decisions")
                self.more = ui.element("details").classes("more").props("id=corrections")
                with self.more:
                    write(_("More corrections"), tag="summary")
                    self.corrections = ui.element("div").classes("fields")
            self.figure = ui.element("figure").props("id=choice")
            with self.figure:
                write(_("Regions that take part"), tag="h2")
                self.map = ChartPlace("choice-map")
                self.map.chart.on("componentClick", self.click_map, ["name"])
                self.map_note = write("", tag="figcaption").props("id=choice-note")
        self.five = group(_("Five questions"))
        with self.five:
            self.blocks = {
                name: QuestionBlock(name, self.lang, lambda: self.newest, self.choose)
                for name in QUESTIONS
            }
        with group(_("The study")):
            self.notices = ui.element("div").props("role=status id=notices").classes("notices")
            with ui.element("div").classes("choice name"):
                write(_("Name of the study"), tag="label").props('for="study-name"')
                entry("study-name", self.preview.form.name, self.rename)
                help_line("study-name", _("Title of the scenario and name of the folder."))
            text = _("Opens the page with sliders, results, maps and a report.")
            self.make = button("make-study", _("Make the study"), self.make_study, text)
            self.make.props(remove="outline").props("unelevated")
            text = _("The files that kolabsim new makes, to change and run on your own machine.")
            self.take = button("take-study", _("Download the study (ZIP)"), self.take_study, text)
            text = _(
                "A map of the same regions, a list of borders with the columns code_a and code_b, "
                "or import.json of an earlier study."
            )
            uploader("add-files", _("Add files"), text, self.add_files, self.reject_files)
            text = _("Leaves this page; nothing is stored.")
            button("leave", _("Upload other regions"), self.leave, text)

    # Answering ------------------------------------------------------------------------------------

    @translated
    async def answer(self, name: str, value: Any) -> None:
        """Give an answer of the import, or take it back."""
        self.preview.form = self.preview.form.answered(name, value)
        await self.refresh()

    @translated
    async def choose(self, question: str, choice: Choice | None) -> None:
        """Answer one of the five questions."""
        self.preview.form = self.preview.form.chosen(question, choice)
        await self.refresh()

    @translated
    async def click_map(self, event: Any) -> None:
        """Choose the region that was clicked."""
        code, view = (event.args or {}).get("name"), self.newest
        if view and view.regions and code in view.regions.codes:
            await self.choose("neighbourhood", click_region(view, code))

    @translated
    async def rename(self, name: str) -> None:
        """Give the study another name."""
        self.preview.rename(name)
        await self.refresh()

    @translated
    async def add_files(self, event: Any) -> None:
        """Read more files together with those that are there."""
        files = await read_upload(event)
        try:
            check_files(self.preview.files | files)
            self.preview.add(files)
        except InputError as error:
            report(refused(error), self.alerts)
            return
        await self.refresh()

    @translated
    def reject_files(self) -> None:
        """Report that files are too many or too large."""
        report([Problem(capitalise(limits()))], self.alerts)

    def change_language(self, code: str) -> None:
        """Open the page again in another language; all answers stay."""
        ui.navigate.to(f"/import?regions={self.token}&lang={code}")

    @translated
    def leave(self) -> None:
        """Go back to the first page."""
        ui.navigate.to(f"/?{Settings(lang=self.lang).query}")

    @property
    def newest(self) -> View | None:
        """What is shown, with the newest answers, which may not be shown yet."""
        return self.view and replace(self.view, form=self.preview.form)

    # Looking --------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Show what follows from the newest answers."""
        if self.is_busy:
            return  # the call that is busy looks again
        self.is_busy = True
        try:
            while True:
                form = self.preview.form
                view = await self.reader.run(self.preview.look_apart, form, self.uploads.call)
                if form is self.preview.form:
                    break
        except InputError as error:  # it was too much; another answer may be less
            if self.is_closed:
                return
            with speaking(self.lang):
                report(refused(error), self.alerts)
                self.summary.set_content("")
            return
        finally:
            self.is_busy = False
        with speaking(self.lang):
            await self.show(view)

    @property
    def is_closed(self) -> bool:
        """Whether the page was closed, as may happen whenever it waits for something."""
        return self.client.is_deleted

    async def show(self, view: View) -> None:
        """Show a view; parts that did not change stay as they are."""
        if self.is_closed:
            return
        self.view = view
        focus = await ask_browser(self.client, "document.activeElement?.id || ''", 20.0)
        if self.is_closed:
            return
        found = refused(InputError(view.problems)) if view.problems else []
        report([*self.mistakes, *found], self.alerts)
        self.summary.set_content(import_summary(view))
        self.show_part("questions", self.questions, self.build_questions, view.questions)
        self.show_part("decisions", self.decisions, self.build_decisions, view.found)
        self.show_part("corrections", self.corrections, self.build_corrections, view.found or 0)
        for part in (self.figure, self.five):
            part.set_visibility(view.found is not None)
        if view.found is None:
            self.more.props("open")
        for block in self.blocks.values():
            block.show(view)
        self.show_part("notices", self.notices, self.build_notices, view)
        for one in (self.make, self.take):
            is_open = view.draft is None and not (view.is_too_large and one is self.take)
            one.set_enabled(not is_open)
        await self.show_map(view)
        if focus and not self.is_closed:
            self.client.run_javascript(f"document.getElementById({json.dumps(focus)})?.focus()")

    def show_part(self, name: str, place: ui.element, build: Any, content: object) -> None:
        """Build a part again if its content changed."""
        if name in self.shown and self.shown[name] is content:
            return
        self.shown[name] = content
        place.clear()
        with place:
            build()

    async def show_map(self, view: View) -> None:
        """Show which regions take part, where regions have places."""
        regions = view.regions
        has_map = regions is not None and regions.mapped
        self.map.chart.set_visibility(has_map)
        if regions is None or not has_map:
            text = _("There is no map: the table has no places. Add a map of the same regions.")
            self.map_note.set_content(escape(text if regions is not None else ""))
            return
        if self.drawn is not regions:
            await ask_browser(self.client, register_code(regions), 60.0)
            if self.is_closed:
                return
            self.drawn = regions
        self.map.show(choice_map(regions, view.taking_part))
        text = _("Click regions to choose them. Those that take part are blue.")
        if len(regions) > MOST_DRAWN and not regions.shapes:
            more = _("The map shows the {number} regions with most people.")
            text = f"{text} {more.format(number=count(MOST_DRAWN))}"
        self.map_note.set_content(escape(text))

    def build_questions(self) -> None:
        """Build the open questions, each with a button for every option."""
        assert self.view is not None
        for number, one in enumerate(self.view.questions):
            with ui.element("div").classes("question").props(f"id=question-{number} role=group"):
                write(f"{capitalise(one.title)}: {one.why}.", tag="p")
                for k, (name, value) in enumerate(one.options):
                    ui.button(
                        capitalise(title_of(name, value)),
                        on_click=partial(self.answer, name, value),
                    ).props(f"no-caps id=question-{number}-{k}" + (" outline" if k else ""))

    def build_decisions(self) -> None:
        """Build the table of decisions, each with the control that changes it."""
        if self.view is None or self.view.found is None:
            return
        self.controlled.clear()
        with ui.element("table").classes("decisions"):
            with ui.element("thead"), ui.element("tr"):
                for text in (_("What"), _("Decision"), _("Reason"), _("Change it")):
                    write(text, tag="th").props("scope=col")
            with ui.element("tbody"):
                for one in self.view.found.decisions:
                    with ui.element("tr").classes("asked" if one.needs_answer else ""):
                        write(capitalise(one.title), tag="th").props("scope=row")
                        for text in decision_texts(one):
                            write(text, tag="td")
                        with ui.element("td"):
                            part = one.subject if one.answer == "columns" else ""
                            name = f"{one.answer}.{part}"
                            if one.answer and name not in self.controlled:
                                self.controlled.add(name)
                                self.control(one.answer, part, one.title)

    def build_corrections(self) -> None:
        """Build controls for all other answers, those of columns that were not found too."""
        found = self.controlled if self.view and self.view.found else set()
        for attribute in ATTRIBUTES:
            if f"columns.{attribute}" not in found:
                title = _("Column of: {attribute}").format(attribute=_(SUBJECTS[attribute]))
                self.control("columns", attribute, title, is_labelled=True)
        for name, answer in ANSWERS.items():
            if name != "columns" and f"{name}." not in found:
                self.control(name, "", capitalise(_(answer.meaning)), is_labelled=True)

    def control(self, name: str, part: str, title: str, *, is_labelled: bool = False) -> None:
        """Build the control of an answer, or of the column of an attribute."""
        assert self.view is not None
        answer, identity = ANSWERS[name], f"answer-{name}" + (f"-{part}" if part else "")
        given = self.preview.form.answers.get(name)
        automatic = ("", _("automatic"), True)

        async def change(value: str) -> None:
            typed: Any = value
            if part:
                typed = {part: value}
            elif answer.is_switch:
                typed = {"yes": True, "no": False}.get(value)
            await self.answer(name, typed)

        with ui.element("div").classes("field" if is_labelled else "change"):
            if is_labelled:
                write(title, tag="label").props(f'for="{identity}"')
                write(answer.flag, tag="code")
            if part and self.view.found:
                options = [(one, one, True) for one in self.view.columns()]
                value = (given or {}).get(part, "")
                if value and value not in self.view.columns():
                    options.append((value, value, True))
                found = menu(identity, [automatic, *options], value, change)
            elif answer.is_switch:
                options = [("yes", title_of(name, True), True), ("no", title_of(name, False), True)]
                value = {True: "yes", False: "no"}.get(given, "") if given is not None else ""
                found = menu(identity, [automatic, *options], value, change)
            elif answer.values:
                options = [(one, title_of(name, one), True) for one in answer.values]
                found = menu(identity, [automatic, *options], str(given or ""), change)
            else:
                text = (given or {}).get(part, "") if part else show_given(given)
                found = entry(identity, text, change)
                found.props.update(placeholder=_("automatic"))
            if not is_labelled:
                found.props["aria-label"] = _("Change: {what}").format(what=title)
            del found.props["aria-describedby"]

    def build_notices(self) -> None:
        """Build what keeps the regions from cooperating, and what is still open."""
        view = self.view
        if view is None or view.found is None:
            return
        if view.questions:
            write(_("Please answer the open questions above first."), tag="p")
        if view.refusals:
            write(_("Please correct the answers to the five questions first."), tag="p")
        if view.is_too_large:
            assert view.setup is not None
            words = {"number": len(view.setup.regions), "most": MOST_REGIONS}
            text = _("Choose a part of them, or download the study and run it yourself.")
            write(f"{capitalise(too_many().format(**words))}. {text}", tag="p")
        for notice in view.draft.notices if view.draft else ():
            write(notice.text, tag="p").classes("total" if notice.is_total else "")

    # Making the study -----------------------------------------------------------------------------

    @translated
    async def make_study(self) -> None:
        """Store the study and open the page that shows it."""
        if self.view is None or self.view.draft is None:
            return
        files, name = self.view.draft.files, self.view.form.name
        try:
            stored = await self.reader.run(partial(self.uploads.add, files, study=name))
        except InputError as error:
            report(refused(error), self.alerts)
            return
        if not self.is_closed:
            ui.navigate.to(f"/?{Settings(scenario=stored, lang=self.lang).query}")

    @translated
    async def take_study(self) -> None:
        """Download the study."""
        if self.view is None or self.view.found is None:
            return
        try:
            draft = await self.reader.run(self.uploads.call, self.preview.draft, self.view)
        except InputError as error:
            report(refused(error), self.alerts)
            return
        if self.view is not None:
            ui.download.content(archive(draft.files), f"{self.view.form.name}.zip")


def show_given(given: object) -> str:
    """Return an answer as it is typed."""
    if isinstance(given, Mapping):
        return ",".join(f"{key}={value}" for key, value in given.items())
    return "" if given is None else str(given)
