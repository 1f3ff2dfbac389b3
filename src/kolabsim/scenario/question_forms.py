"""The five questions about a table of regions, and the forms of their answers."""

from __future__ import annotations

from dataclasses import dataclass

from kolabsim.i18n import N_


@dataclass(frozen=True)
class Question:
    """One of the five questions, as untranslated messages."""

    title: str
    """The question in words."""
    help: str
    """What is answered, and in which forms."""
    forms: tuple[str, ...]
    """The forms of an answer; letters in capitals stand for names and numbers."""


QUESTIONS: dict[str, Question] = {
    "neighbourhood": Question(
        N_("Which of these regions take part?"),
        N_("the regions that take part: all, tier:NAME, around:CODE:KM or list:CODE,CODE"),
        ("all", "tier:NAME", "around:CODE:KM", "list:CODE,CODE"),
    ),
    "services": Question(
        N_("Which services may they share?"),
        N_("the services that they may share: administration, infrastructure, indonesia ..."),
        ("NAME", "NAME,NAME"),
    ),
    "prices": Question(
        N_("What do these services cost?"),
        N_(
            "what the services cost: units, preset, 'total:AMOUNT CURRENCY', 'per-resident:AMOUNT "
            "CURRENCY' or 'column:NAME CURRENCY'; '; finance=3, training=1' gives shares"
        ),
        ("units", "preset", "total:AMOUNT CURRENCY", "per-resident:AMOUNT CURRENCY",
         "column:NAME CURRENCY"),
    ),
    "neighbours": Question(
        N_("Which regions share a land border?"),
        N_("the regions with a common land border: from shapes, from places, list:FILE or none"),
        ("shapes", "places", "list:FILE", "none"),
    ),
    "acquaintance": Question(
        N_("Which regions know each other well enough to negotiate?"),
        N_("the regions that know each other: everybody, tier, nearest:NUMBER or neighbours"),
        ("everybody", "tier", "nearest:NUMBER", "neighbours"),
    ),
}  # fmt: skip
"""The questions in the order in which they are asked: later defaults depend on earlier answers."""
