"""An uploaded table or map until it is a study: the answers of a visitor, and what they make of it.

Nothing here knows of a web page. A :class:`~kolabsim.app.form.Form` holds the answers, a
:class:`View` what follows from them: decisions, open questions, the five questions with their
options, and the study. The study is the one of ``kolabsim new`` with the same answers, to the byte.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from kolabsim.app.form import Choice, Form
from kolabsim.errors import InputError, Problem, Problems
from kolabsim.i18n import _
from kolabsim.scenario.importer.decisions import Decision
from kolabsim.scenario.importer.result import RECORD
from kolabsim.scenario.question_forms import QUESTIONS

if TYPE_CHECKING:
    from kolabsim.scenario.importer import Imported
    from kolabsim.scenario.questions import Answer, Option, Setup
    from kolabsim.scenario.regions import Regions
    from kolabsim.study.scaffold import Draft

MOST_REGIONS = 600
"""Most regions that the page simulates: with more, the first estimate takes too long."""
MOST_LISTED = 100
"""Most regions with which a list of regions starts."""
KILOMETRES = "50"
"""Distance around a region at first."""


Call = Callable[..., Any]
"""Calls a function with arguments, and returns what it returns: here, or in another process."""


# What follows from it -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class View:
    """What a form makes of the files."""

    form: Form
    found: Imported | None = None
    """What was understood; None if nothing was."""
    regions: Regions | None = None
    """All regions that were found, with their shapes."""
    setup: Setup | None = None
    """The five questions with their answers and options."""
    lists: tuple[str, ...] = ()
    """Names of the files that list borders."""
    draft: Draft | None = None
    """The study, unless something is open."""
    problems: tuple[Problem, ...] = ()
    """Why the files are not understood, or make no study."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Why an answer to one of the five questions does not hold, by question."""

    @property
    def questions(self) -> tuple[Decision, ...]:
        """The open questions of the import."""
        return self.found.questions if self.found else ()

    @property
    def is_too_large(self) -> bool:
        """Whether more regions take part than the page simulates."""
        return self.setup is not None and len(self.setup.regions) > MOST_REGIONS

    @property
    def taking_part(self) -> frozenset[str]:
        """Codes of the regions that take part."""
        return frozenset(self.setup.regions.codes if self.setup else ())

    def choice(self, question: str) -> Choice:
        """Return the present choice in one of the five questions."""
        assert self.setup is not None
        return self.form.choices.get(question) or Choice.read(
            question, self.setup.answers[question].value
        )

    def columns(self) -> list[str]:
        """Return the names of the columns of the table."""
        return [*dict.fromkeys([*self.found.columns.values(), *self.found.others])] if (
            self.found
        ) else []  # fmt: skip

    def amounts(self) -> list[str]:
        """Return the names of the columns that hold numbers, without those already used."""
        table = self.found.others if self.found else None
        names = [] if table is None else [n for n in table if table[n].dtype.kind in "if"]
        return [str(name) for name in names]


class Preview:
    """Uploaded files, and the newest form of the visitor who uploaded them."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = {name: data for name, data in files.items() if name != RECORD}
        """A table or map with the files beside it, and lists of borders."""
        self.record = read_record(files[RECORD]) if RECORD in files else None
        self.form = Form(study_name(self.files))
        self._repeat()
        self._examined: tuple[Mapping[str, Any], Imported, Regions] | None = None

    def _repeat(self) -> None:
        """Answer the five questions as an earlier study did."""
        for name, answer in ((self.record or {}).get("study") or {}).items():
            if name in QUESTIONS:
                self.form = self.form.chosen(name, Choice.read(name, str(answer)))

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(map(len, self.files.values()))

    @property
    def lists(self) -> tuple[str, ...]:
        """Names of the files that list borders."""
        return tuple(name for name, data in self.files.items() if is_list(data))

    @property
    def source(self) -> dict[str, bytes]:
        """The table or map with the files beside it."""
        return {name: data for name, data in self.files.items() if not is_list(data)}

    @contextmanager
    def listed(self) -> Iterator[dict[str, Path]]:
        """Where the lists of borders are, for a while."""
        with TemporaryDirectory(prefix="kolabsim-") as folder:
            places = {name: Path(folder, name) for name in self.lists}
            for name, place in places.items():
                place.write_bytes(self.files[name])
            yield places

    def rename(self, name: str) -> None:
        """Give the study another name."""
        name = study_name({f"{name}.": b""}) if name.strip() else study_name(self.files)
        self.form = replace(self.form, name=name)

    def add(self, files: Mapping[str, bytes]) -> None:
        """Add files, such as a map of the regions."""
        if RECORD in files:
            self.record = read_record(files[RECORD])
            self._repeat()
        self.files |= {name: data for name, data in files.items() if name != RECORD}
        self._examined, self.form = None, replace(self.form)

    def look(self, form: Form) -> View:
        """Return what a form makes of the files. Seconds for the largest of them."""
        from kolabsim.scenario.questions import answer_questions
        from kolabsim.study.scaffold import finish_draft

        try:
            found, regions = self._examine(form.answers)
        except InputError as error:
            return View(form, problems=error.problems)
        with self.listed() as lists:
            given, refusals = sort_out(form, found, regions, lists)
            setup = answer_questions(regions, found.borders, given, lists)
            view = View(form, found, regions, setup, self.lists, refusals=refusals)
            if found.questions or refusals or view.is_too_large:
                return view
            try:
                return replace(view, draft=finish_draft(form.name, found, given, lists))
            except InputError as error:
                return replace(view, problems=error.problems)

    def look_apart(self, form: Form, call: Call) -> View:
        """Return what a form makes of the files, as somebody else calls the function that does."""
        view, examined = call(_look, self, form)
        if examined is not None:
            self._examined = examined
        elif view.found is not None:  # the same objects, so that a page sees that nothing changed
            assert self._examined is not None
            found, regions = self._examined[1:]
            view = replace(view, found=found, regions=regions)
        return view

    def draft(self, view: View) -> Draft:
        """Return the study of a view, of any size. Raises :class:`InputError` if parts are open."""
        from kolabsim.study.scaffold import finish_draft

        if view.draft is not None:
            return view.draft
        assert view.found is not None
        assert view.regions is not None
        with self.listed() as lists:
            given, _refusals = sort_out(view.form, view.found, view.regions, lists)
            return finish_draft(view.form.name, view.found, given, lists)

    def _examine(self, answers: Mapping[str, Any]) -> tuple[Imported, Regions]:
        """Read the files, unless they were read with these answers before."""
        from kolabsim.scenario.importer import examine
        from kolabsim.scenario.shapes import simplify
        from kolabsim.study.scaffold import as_regions

        if self._examined is None or self._examined[0] != answers:
            found = examine(self.source, decisions=self.record, **answers)
            parts = {code: [geometry] for code, geometry in found.shapes.items()}
            shapes = simplify(parts, Path(found.source.name), Problems()) if parts else {}
            self._examined = answers, found, replace(as_regions(found), shapes=shapes)
        return self._examined[1:]


def _look(preview: Preview, form: Form) -> tuple[View, tuple[Any, ...] | None]:
    """Return a view, and what was examined for it unless that was there before."""
    before = preview._examined
    view = preview.look(form)
    return view, None if preview._examined is before else preview._examined


def sort_out(
    form: Form, found: Imported, regions: Regions, lists: Mapping[str, Path]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the answers to the five questions that hold, and why others do not.

    An answer that the data suggest anyhow counts as not given, as if nobody had chosen it.
    """
    from kolabsim.scenario.questions import answer_questions

    given: dict[str, str] = {}
    refusals: dict[str, str] = {}
    for name in QUESTIONS:
        choice = form.choices.get(name)
        if choice is None:
            continue
        answer = choice.answer
        if answer is None:
            refusals[name] = _("please fill in all parts of this answer")
        else:
            try:
                setup = answer_questions(regions, found.borders, given | {name: answer}, lists)
            except InputError as error:
                refusals[name] = "; ".join(problem.message for problem in error.problems)
            else:
                if answer != setup.answers[name].suggested:
                    given[name] = answer
    return given, refusals


def read_record(data: bytes) -> Mapping[str, Any]:
    """Return the content of an uploaded ``import.json``."""
    try:
        found = json.loads(data)
    except ValueError as error:
        found = error
    if not isinstance(found, dict) or not isinstance(found.get("study") or {}, dict):
        text = _("this is not the record of an import ({reason}); use the file import.json")
        raise InputError.of(text, RECORD, reason=found if isinstance(found, ValueError) else "...")
    return found


def is_list(data: bytes) -> bool:
    """Whether a file lists borders: its first line has the columns ``code_a`` and ``code_b``."""
    head = data[:1000].partition(b"\n")[0]
    return b"code_a" in head and b"code_b" in head


def options_of(answer: Answer, lists: Sequence[str] = ()) -> list[Option]:
    """Return the options of one of the five questions; a list of borders needs a file."""
    from kolabsim.scenario.questions import Option

    text = _("add a file with the columns code_a and code_b first")
    found = [
        replace(one, obstacle=text) if one.value == "list:FILE" and not lists else one
        for one in answer.options
    ]
    if answer.question == "services":
        found += pairs_of(found)
    known = {option.value for option in found}
    present = Choice.read(answer.question, answer.value).option
    return found if present in known else [*found, Option(present, answer.value)]


def pairs_of(options: Sequence[Option]) -> list[Option]:
    """Return the pairs of services that have no service in common."""
    from kolabsim.scenario.presets import PRESETS
    from kolabsim.scenario.questions import Option

    single = {one.value: one for one in options}
    families = [set(preset.families) for preset in PRESETS.values()]
    found = []
    for one, other in combinations(PRESETS, 2):
        both = PRESETS[one], PRESETS[other]
        is_new = {*both[0].families, *both[1].families} not in families
        if is_new and not both[0].areas.keys() & both[1].areas.keys():
            titles = _(both[0].title), _(both[1].title)
            obstacle = single[one].obstacle or single[other].obstacle
            found.append(Option(f"{one},{other}", " + ".join(titles), obstacle=obstacle))
    return found


def explain(answer: Answer, choice: Choice) -> str:
    """Return what the data say about the chosen option, and why it was suggested."""
    note = next((one.note for one in answer.options if one.value == choice.option), "")
    is_said = answer.question == "services" or answer.is_given
    return "; ".join(filter(None, (note, "" if note and is_said else answer.reason)))


def impossible(answer: Answer, lists: Sequence[str] = ()) -> list[str]:
    """Return a sentence for each reason why options of a question are impossible."""
    reasons: dict[str, list[str]] = {}
    for option in options_of(answer, lists):
        if option.obstacle:
            reasons.setdefault(option.obstacle, []).append(option.title)
    text = _("Not possible: {options} ({why}).")
    return [text.format(options="; ".join(titles), why=why) for why, titles in reasons.items()]


def begin_choice(question: str, option: str, view: View) -> Choice:
    """Return a choice that was just made, with parts to begin with."""
    earlier = dict(view.choice(question).parts)
    assert view.regions is not None
    regions, taking_part = view.regions, view.taking_part
    if option == "around:CODE:KM" and "region" not in earlier:
        largest = regions.codes[int(regions.population.argmax())]
        earlier |= {"region": largest, "km": KILOMETRES}
    if option == "list:CODE,CODE":
        listed = [code for code in regions.codes if code in taking_part]
        if len(listed) <= MOST_LISTED:
            earlier["regions"] = ",".join(listed)
    if option == "list:FILE" and view.lists:
        earlier["file"] = view.lists[0]
    if option == "nearest:NUMBER":
        from kolabsim.scenario.questions import NEAREST

        earlier.setdefault("number", str(NEAREST))
    return Choice(option, earlier)


def click_region(view: View, code: str) -> Choice | None:
    """Return the neighbourhood after a click on a region: centre of a circle, or on or off a list.

    A list begins with the region that is clicked first.
    """
    choice = view.choice("neighbourhood")
    if choice.option == "around:CODE:KM":
        return Choice(choice.option, {**choice.parts, "region": code})
    listed = []
    if choice.option == "list:CODE,CODE":
        listed = [word.strip() for word in choice.parts.get("regions", "").split(",")]
    listed = [one for one in listed if one and one != code] + [code] * (code not in listed)
    if not listed:
        return None
    return Choice("list:CODE,CODE", {**choice.parts, "regions": ",".join(listed)})


def study_name(files: Mapping[str, bytes]) -> str:
    """Return a name for a study of these files."""
    stem = PurePosixPath(next(iter(files), "")).stem
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.") or "my-study"


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return files as a ZIP file, the same for the same files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in files.items():
            member = zipfile.ZipInfo(name)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            written.writestr(member, data)
    return content.getvalue()
