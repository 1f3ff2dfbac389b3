"""What an import decides, and what it asks: every decision is data, and every answer has a name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kolabsim.errors import InputError, Problem, suggestion
from kolabsim.i18n import N_, _, speaking
from kolabsim.scenario.importer.words import UNITS_OF_PEOPLE

FIRST = 3
"""Number of rows that a decision or question names."""
LONGEST = 40
"""Most letters of a cell that is quoted."""
ATTRIBUTES = ("code", "name", "population", "tier", "area_km2", "latitude", "longitude", "price")
"""Attributes of regions that a column may stand for."""


@dataclass(frozen=True)
class Answer:
    """An answer that a user may give: the same in a terminal, on the page and in Python."""

    name: str
    """Name of the argument of :func:`read`."""
    flag: str
    """Flag of ``kolabsim new``."""
    meaning: str
    """What it says, as an untranslated message."""
    values: tuple[str, ...] = ()
    """Allowed values; empty: any text."""
    is_mapping: bool = False
    """Whether it is given several times, each as KEY=VALUE."""
    is_switch: bool = False
    """Whether it is yes or no; no is the flag with ``no-`` in it."""

    def typed(self, value: Any) -> str:
        """Return what to type for a value: ``--drop-totals``, ``--rows "Level=DISTRICT"``.

        >>> ANSWERS["drop_totals"].typed(False)
        '--no-drop-totals'
        """
        if self.is_switch:
            return self.flag if value else self.flag.replace("--", "--no-", 1)
        if self.name == "rows":
            pairs = ",".join(f"{key}={one}" for key, one in value.items())
            return f'{self.flag} "{pairs}"'
        if self.is_mapping:
            return " ".join(f'{self.flag} {key}="{one}"' for key, one in value.items())
        return f"{self.flag} {value}"


ANSWERS: Mapping[str, Answer] = {
    answer.name: answer
    for answer in (
        Answer(
            "columns",
            "--column",
            N_("the column of an attribute, as population=COLUMN; A + B adds or joins two columns"),
            is_mapping=True,
        ),
        Answer(
            "rows",
            "--rows",
            N_("the rows to keep, as COLUMN=VALUE; separate several values by |"),
            is_mapping=True,
        ),
        Answer("header", "--header", N_("the line of the header, or its first and last: 3-4")),
        Answer("sheet", "--sheet", N_("the sheet of a workbook, or the file in an archive")),
        Answer(
            "drop_totals",
            "--drop-totals",
            N_("leave out rows that are the sum of other rows"),
            is_switch=True,
        ),
        Answer(
            "missing",
            "--missing",
            N_("regions without a population: leave-out"),
            ("leave-out",),
        ),
        Answer(
            "duplicates",
            "--duplicates",
            N_("rows with the same code: keep the first, or sum their people"),
            ("first", "sum"),
        ),
        Answer(
            "places",
            "--places",
            N_("far-off places: swap latitude and longitude, keep them, or leave them out"),
            ("swap", "keep", "leave-out"),
        ),
        Answer(
            "unit",
            "--unit",
            N_("the unit of the population: persons, thousands, millions ..."),
            ("persons", *UNITS_OF_PEOPLE),
        ),
        Answer(
            "decimal",
            "--decimal",
            N_("the sign before decimals: point or comma"),
            ("point", "comma"),
        ),
        Answer("encoding", "--encoding", N_("the encoding of a text file, such as cp1252")),
        Answer(
            "separator",
            "--separator",
            N_("the sign between cells: comma, semicolon, tab or bar"),
            ("comma", "semicolon", "tab", "bar"),
        ),
        Answer(
            "projection",
            "--projection",
            N_("the coordinate system of a map or of coordinates, such as EPSG:32748"),
        ),
    )
}
"""Every answer, once: flags, fields of the page and arguments follow from it."""

CERTAIN, LIKELY, DOUBTFUL, GIVEN = "certain", "likely", "doubtful", "given"
"""Certainty of a decision: beyond doubt, noted without a question, asked, or answered."""


SUBJECTS: Mapping[str, str] = {
    "file": N_("file"),
    "sheet": N_("sheet"),
    "encoding": N_("encoding"),
    "separator": N_("separator"),
    "projection": N_("projection"),
    "header": N_("header"),
    "rows": N_("rows"),
    "footnotes": N_("footnotes"),
    "headings": N_("headings"),
    "totals": N_("totals"),
    "missing": N_("missing population"),
    "duplicates": N_("duplicates"),
    "numbers": N_("numbers"),
    "unit": N_("unit"),
    "places": N_("places"),
    "shapes": N_("shapes"),
    "neighbours": N_("neighbours"),
    "code": N_("code"),
    "name": N_("name"),
    "population": N_("population"),
    "tier": N_("tier"),
    "area_km2": N_("area"),
    "latitude": N_("latitude"),
    "longitude": N_("longitude"),
    "price": N_("price"),
}
"""What decisions are about, as a reader sees it."""
LEFT_OUT = frozenset({"footnotes", "totals", "missing"})
"""Subjects whose value is the number of rows that are left out."""


@dataclass(frozen=True)
class Decision:
    """One thing that was decided about a source."""

    subject: str
    """What it is about: ``population``, ``totals``, ``encoding`` ..."""
    value: Any
    """What was decided, as JSON knows it."""
    message: str
    """Why, as an untranslated message in which ``values`` are filled."""
    values: Mapping[str, Any] = field(default_factory=dict)
    certainty: str = CERTAIN
    alternatives: tuple[str, ...] = ()
    """Other values that were possible."""
    answer: str = ""
    """Name of the answer that changes it; see :data:`ANSWERS`."""
    options: tuple[tuple[str, Any], ...] = ()
    """Possible answers, the likely one first: names of :data:`ANSWERS` with values."""
    advice: str = ""
    """What to type to answer it, as an untranslated message; '' unless it is a question."""
    needs_answer: bool = False
    """Whether it changes results and nobody has answered it."""

    @property
    def title(self) -> str:
        """What it is about, in the language spoken now."""
        return _(SUBJECTS[self.subject])

    @property
    def shown(self) -> str:
        """What was decided, as text."""
        if isinstance(self.value, (list, tuple)):
            return ", ".join(map(str, self.value))
        if self.subject in LEFT_OUT and isinstance(self.value, int):
            return _("{number} left out").format(number=self.value)
        if self.subject == "numbers":
            return quote(self.value)
        return "" if self.value is None else str(self.value)

    @property
    def why(self) -> str:
        """The reason, or what was seen, in the language spoken now."""
        return _(self.message).format(**self.values)

    @property
    def typed(self) -> tuple[str, ...]:
        """What to type for each of the options."""
        return tuple(ANSWERS[name].typed(value) for name, value in self.options)

    @property
    def question(self) -> str:
        """One sentence with what was seen and what to type; '' if it is no question."""
        if not self.advice:
            return ""
        typed = dict(enumerate(self.typed))
        words = {f"option_{k}": text for k, text in typed.items()}
        return f"{self.why}; {_(self.advice).format(**self.values, **words)}"

    def to_json(self) -> dict[str, Any]:
        """Return the decision as it is written into a file, the same in every language."""
        with speaking("en"):
            why = self.why
        return {
            "what": self.subject,
            "value": self.value,
            "why": why,
            "certainty": self.certainty,
            "alternatives": list(self.alternatives),
            "answer": ANSWERS[self.answer].flag if self.answer else None,
            "needs_answer": self.needs_answer,
            "options": list(self.typed),
        }


@dataclass
class Record:
    """The decisions about one source, in the order in which they are made."""

    file: str
    given: Mapping[str, Any]
    """Answers of the user, by name."""
    made: list[Decision] = field(default_factory=list)

    def note(self, subject: str, value: object, message: str, **details: Any) -> None:
        """Note a decision that needs no answer; :class:`Decision` explains the details."""
        known = {k: details.pop(k) for k in ("certainty", "alternatives", "answer") if k in details}
        known["alternatives"] = tuple(known.get("alternatives", ()))
        self.made.append(Decision(subject, value, message, details, **known))

    def ask(
        self,
        subject: str,
        value: object,
        message: str,
        advice: str,
        options: Sequence[tuple[str, Any]],
        *,
        is_open: bool = False,
        **values: Any,
    ) -> None:
        """Note a decision that changes results: a question, unless it is answered already.

        ``value`` is what is done; until there is an answer it is the likely one of ``options``.
        ``advice`` may name them as ``{option_0}``, ``{option_1}``. ``is_open`` asks on although
        one of them was answered, because the answer leaves something open.
        """
        given = [name for name, _value in options if self.given.get(name) is not None]
        is_given = bool(given) and not is_open
        self.made.append(
            Decision(
                subject, value, message, values, GIVEN if is_given else DOUBTFUL, (),
                given[0] if given else options[0][0], tuple(options), advice, not is_given,
            )
        )  # fmt: skip

    def fail(self, message: str, *, line: int | None = None, **values: object) -> InputError:
        """Return the error of a source that cannot be read; the caller raises it."""
        text = message.format(**values) if values else message
        return InputError([Problem(text, self.file, line)])

    @property
    def questions(self) -> tuple[Decision, ...]:
        """The decisions that need an answer."""
        return tuple(one for one in self.made if one.needs_answer)

    def raise_questions(self) -> None:
        """Refuse to go on while a question is open: one sentence for each."""
        if self.questions:
            raise InputError([Problem(one.question, self.file) for one in self.questions])


def check_answers(given: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Return the answers in one form and order; refuse those that no source could have.

    Mappings may be written as text, ``"Level=DISTRICT,TRU=Total"``.
    """
    checked: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name not in ANSWERS:
            text = _("there is no answer '{name}'{suggestion}")
            text = text.format(name=name, suggestion=suggestion(name, ANSWERS))
            raise InputError([Problem(text, file)])
        answer = ANSWERS[name]
        if answer.is_mapping:
            value = _mapping(value, answer, file)
            if not value:
                continue
        elif answer.is_switch:
            value = bool(value)
        else:
            value = str(value)
        if answer.values and value not in answer.values:
            text = _("{flag}: '{value}' is unknown{suggestion}")
            hint = suggestion(str(value), answer.values)
            text = text.format(flag=answer.flag, value=value, suggestion=hint)
            raise InputError([Problem(text, file)])
        checked[name] = value
    for attribute in checked.get("columns", {}):
        if attribute not in ATTRIBUTES:
            text = _("--column: regions have no '{name}'{suggestion}")
            hint = suggestion(attribute, ATTRIBUTES)
            raise InputError([Problem(text.format(name=attribute, suggestion=hint), file)])
    return {name: checked[name] for name in ANSWERS if name in checked}


def _mapping(value: object, answer: Answer, file: str) -> dict[str, str]:
    """Return KEY=VALUE texts, or a mapping, as a mapping of texts."""
    if isinstance(value, Mapping):
        return {str(key): str(one) for key, one in value.items()}
    parts = [value] if isinstance(value, str) else list(map(str, value))  # type: ignore[call-overload]
    if answer.name == "rows":
        parts = [piece for part in parts for piece in re.split(r",(?=[^,=]*=)", part)]
    found = {}
    for part in parts:
        key, sign, one = part.partition("=")
        if not sign or not key.strip():
            text = _("{flag}: '{value}' needs a sign =, as in {flag} \"A=B\"")
            raise InputError([Problem(text.format(flag=answer.flag, value=part), file)])
        found[key.strip()] = one.strip()
    return found


def quote(text: object) -> str:
    """Quote the content of a cell, cut short."""
    text = str(text)
    return f"'{text[: LONGEST - 3]}...'" if len(text) > LONGEST else f"'{text}'"


@dataclass(frozen=True)
class Rows:
    """Rows that a message names by number and the first three, in the language of its reader."""

    number: int
    first: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, lines: Any, texts: Any) -> Rows:
        """Return these rows, each with a text that shows which it is."""
        first = zip(lines[:FIRST], texts[:FIRST], strict=True)
        return cls(len(lines), tuple((int(line), quote(text)) for line, text in first))

    def __str__(self) -> str:
        shown = [_("line {line} {cell}").format(line=line, cell=cell) for line, cell in self.first]
        rest = ", ..." if self.number > len(shown) else ""
        return f"{self.number} ({', '.join(shown)}{rest})"


def list_names(names: Sequence[object], most: int = 12) -> str:
    """Return the first few names, each in quotes."""
    return ", ".join(map(quote, names[:most])) + (", ..." if len(names) > most else "")
