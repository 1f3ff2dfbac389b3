"""The answers of a visitor about uploaded regions, and their words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kolabsim.i18n import N_, _
from kolabsim.scenario.importer.decisions import ANSWERS
from kolabsim.scenario.question_forms import QUESTIONS

# Words for answers --------------------------------------------------------------------------------

TITLES: Mapping[tuple[str, object], str] = {
    ("drop_totals", True): N_("leave them out"),
    ("drop_totals", False): N_("keep them as regions"),
    ("missing", "leave-out"): N_("leave them out"),
    ("duplicates", "first"): N_("keep the first of them"),
    ("duplicates", "sum"): N_("add up their people"),
    ("places", "swap"): N_("swap latitude and longitude"),
    ("places", "keep"): N_("keep them"),
    ("places", "leave-out"): N_("do without their places"),
    ("unit", "persons"): N_("it counts persons"),
    ("unit", "thousands"): N_("it counts thousands"),
    ("unit", "millions"): N_("it counts millions"),
    ("decimal", "point"): N_("a point before decimals"),
    ("decimal", "comma"): N_("a comma before decimals"),
    ("separator", "comma"): N_("commas between cells"),
    ("separator", "semicolon"): N_("semicolons between cells"),
    ("separator", "tab"): N_("tabs between cells"),
    ("separator", "bar"): N_("bars between cells"),
}
"""Answers of an import in words."""


def title_of(name: str, value: Any) -> str:
    """Return an answer of an import in words, for a button or a list."""
    if isinstance(value, Mapping):
        pairs = (f"{key} = {one.replace('|', ' | ')}" for key, one in value.items())
        if name == "columns":
            return ", ".join(value.values())
        return _("keep {rows}").format(rows=", ".join(pairs))
    title = TITLES.get((name, value))
    return _(title) if title else str(value)


# The form -----------------------------------------------------------------------------------------

FIELDS: Mapping[str, str] = {
    "around:CODE:KM": "around:{region}:{km}",
    "list:CODE,CODE": "list:{regions}",
    "total:AMOUNT CURRENCY": "total:{amount} {currency}{shares}",
    "per-resident:AMOUNT CURRENCY": "per-resident:{amount} {currency}{shares}",
    "column:NAME CURRENCY": "column:{column} {currency}{shares}",
    "nearest:NUMBER": "nearest:{number}",
    "list:FILE": "list:{file}",
}
"""Answers to the five questions that have parts, by the value of their options."""
PATTERNS: Mapping[str, str] = {
    "km": r"[\d.]+", "number": r"\d+", "amount": "[^;]+", "currency": "[A-Za-z]+",
}  # fmt: skip
"""What parts look like in an answer, where it is not any text."""
OPTIONAL = ("shares",)
"""Parts that may be empty; a semicolon comes before them."""


@dataclass(frozen=True)
class Choice:
    """An option of one of the five questions, with the parts of its answer."""

    option: str
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The parts that the answer has."""
        return tuple(re.findall(r"\{(\w+)\}", FIELDS.get(self.option, "")))

    @property
    def answer(self) -> str | None:
        """The answer, as ``kolabsim new`` takes it; None while a part is missing."""
        if self.option not in FIELDS:
            return self.option
        parts = {name: self.parts.get(name, "").strip() for name in self.names}
        if not all(parts[name] for name in self.names if name not in OPTIONAL):
            return None
        if parts.get("shares"):
            parts["shares"] = f"; {parts['shares']}"
        return FIELDS[self.option].format(**parts)

    @classmethod
    def read(cls, question: str, answer: str) -> Choice:
        """Return the choice that an answer to a question states."""
        for option in set(QUESTIONS[question].forms) & set(FIELDS):
            form = FIELDS[option]
            pattern = form.replace("{shares}", r"\s*(?:;\s*(?P<shares>.*))?")
            for name in cls(option).names:
                pattern = pattern.replace(f"{{{name}}}", f"(?P<{name}>{PATTERNS.get(name, '.+')})")
            if found := re.fullmatch(pattern, answer.strip()):
                return cls(option, {name: text or "" for name, text in found.groupdict().items()})
        return cls(answer.strip())


@dataclass(frozen=True)
class Form:
    """All that a visitor answered."""

    name: str
    """Name of the study."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    """Answers of the import, by the names of :data:`ANSWERS`."""
    choices: Mapping[str, Choice] = field(default_factory=dict)
    """Answers to the five questions."""

    def answered(self, name: str, value: Any) -> Form:
        """Return the form with an answer of the import; an empty one is taken back.

        Columns are added to those that are there.
        """
        if name not in ANSWERS:
            return self
        if name == "columns":
            value = {**self.answers.get(name, {}), **value}
            value = {key: one for key, one in value.items() if one}
        answers = {**self.answers, name: value}
        if value in ("", None, {}):
            del answers[name]
        return replace(self, answers=answers)

    def chosen(self, question: str, choice: Choice | None) -> Form:
        """Return the form with an answer to one of the five questions; None takes it back."""
        choices = {name: one for name, one in self.choices.items() if name != question}
        if choice is not None and question in QUESTIONS:
            choices[question] = choice
        return replace(self, choices=choices)
