"""Strategies that a user keeps under a name: in an address, and as a file of an experiment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from kolabsim.app.conditions import (
    NAMES,
    Conditions,
    lever_name,
    read_condition,
    read_number,
    read_once,
    write_condition,
    write_number,
)
from kolabsim.errors import Problems
from kolabsim.files import write_whole
from kolabsim.i18n import _
from kolabsim.model.levers import LEVERS
from kolabsim.scenario.source import read_yaml, write_yaml

MOST_KEPT = 6
"""Most strategies side by side."""
LONGEST_NAME = 60
"""Most letters of a name."""


@dataclass(frozen=True)
class Kept:
    """A user's strategy under a name; assumptions are those of the page."""

    name: str
    start: str
    """Strategy of the scenario from which it starts."""
    levers: Mapping[str, float] = field(default_factory=dict)
    conditions: Conditions = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All of it, as part of an address.

        >>> Kept("Ours", "team", {"team": 1.0}, {"budget": 2e9}).text
        'name=Ours&start=team&mechanisms.team=1&budget=2000000000'
        """
        words = {"name": self.name, "start": self.start}
        words |= {lever_name(name): write_number(value) for name, value in self.levers.items()}
        words |= {name: write_condition(value) for name, value in self.conditions.items()}
        return urlencode(words)

    @property
    def choices(self) -> tuple[object, ...]:
        """All that decides what it gives."""
        levers, conditions = (tuple(sorted(one.items())) for one in (self.levers, self.conditions))
        return self.start, levers, conditions


def read_kept(text: str, known: tuple[Kept, ...], problems: Problems) -> tuple[Kept, ...]:
    """Read a kept strategy from an address, and add it to those that are known.

    What it cannot be is reported and left out.
    """
    words = read_once(parse_qsl(text, keep_blank_values=True), problems)
    name, start = words.pop("name", ""), words.pop("start", "")
    if name != clean_name(name):
        message = _("'{name}' cannot name a strategy: one line of at most {most} visible letters")
        problems.add(message, name=clean_name(name), most=LONGEST_NAME)
        return known
    if not name or not start:
        problems.add(_("a kept strategy in this address has no name or no strategy to start with"))
        return known
    if len(known) == MOST_KEPT:
        problems.add(too_many())
        return known
    if name in (one.name for one in known):
        problems.add(_("'{name}' is kept twice"), name=name)
        return known
    levers: dict[str, float] = {}
    conditions = {}
    places = {lever_name(lever): lever for lever in LEVERS}
    for key, written in words.items():
        if key in NAMES:
            if (value := read_condition(key, written, problems)) is not None:
                conditions[key] = value
        elif key in places:
            if (share := read_number(key, written, 0.0, 1.0, problems)) is not None:
                levers[places[key]] = share
        else:
            message = _("'{word}' is not known here{hint}")
            problems.add(message.format(word=f"{key[:40]}={written[:20]}", hint=""))
    return (*known, Kept(name, start, levers, conditions))


def clean_name(text: str) -> str:
    """A name in one line without invisible characters, no longer than allowed."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST_NAME]


def too_many() -> str:
    """Why no further strategy is kept."""
    return _("{most} strategies are side by side at most; remove one first").format(most=MOST_KEPT)


def free_name(wanted: str, known: tuple[Kept, ...]) -> str:
    """A name that no kept strategy has: the wanted one, with a number if it is taken.

    >>> free_name("Ours", (Kept("Ours", "team"),))
    'Ours 2'
    """
    taken, number, name = {one.name for one in known}, 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted[: LONGEST_NAME - 3]} {number}"
    return name


def keys_of(kept: tuple[Kept, ...], taken: Mapping[str, object]) -> list[str]:
    """Names of kept strategies in a file: letters, digits and _, apart from those taken."""
    found: list[str] = []
    for number, one in enumerate(kept, 1):
        plain = re.sub(r"[^a-z0-9]+", "_", one.name.lower()).strip("_")
        if not plain or not plain[0].isalpha():
            plain = f"strategy_{plain or number}"
        key = plain
        while key in taken or key in found:
            key = f"{plain}_{number}"
            plain = key
        found.append(key)
    return found


def write_as_scenario(path: Path) -> None:
    """Rewrite an experiment that sets strategies as a scenario that has them.

    Any other file stays as it is.
    """
    tree = read_yaml(path, Problems())
    text = tree.plain() if tree else None
    if not isinstance(text, dict) or "kind" not in text or not isinstance(text.get("set"), dict):
        return
    parts: dict[str, dict[str, object]] = {"strategies": {}, "parameters": {}}
    for key, value in json.loads(json.dumps(text["set"], default=str)).items():
        kind, _dot, name = key.partition(".")
        if kind in parts and name:
            parts[kind][name] = value
    if parts["strategies"]:
        scenario: dict[str, object] = {"extends": str(text.get("scenario", ""))}
        scenario |= {kind: found for kind, found in parts.items() if found}
        write_whole(path, write_yaml(scenario).encode())
