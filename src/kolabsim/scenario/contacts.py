"""Contacts between regions: which of them may cooperate, and which share a land border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from kolabsim.errors import SHOWN, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.scenario.names import plain
from kolabsim.scenario.resolve import Resolver
from kolabsim.scenario.schema import OneOf, Section
from kolabsim.scenario.source import format_value
from kolabsim.scenario.tables import read_csv

FARTHEST = 20_038
"""Kilometres to the other side of the earth."""
BORDERS = ("listed", "places")
"""Sources of land borders."""
WITHIN = ("tier", "all")
"""Groups of regions that all know each other."""
LARGEST_CIRCLE = 300
"""Most regions that may all know each other: contacts grow with the square of their number."""


class ContactSource(Section):
    """Contacts between regions."""

    list_: str | None = Field(default=None, alias="list")
    """CSV file with code_a, code_b, land (yes or no) and distance_km, the last two optional."""
    borders: Annotated[str, OneOf(BORDERS)] | None = None
    """Source of land borders: ``listed``, or ``places``: two regions between which no other region
    lies. Default: listed, or places for synthetic regions."""
    nearest: int = Field(default=8, ge=0, le=100)
    """Number of nearest regions that are also contacts of each region; 0: only those listed."""
    within: Annotated[str, OneOf(WITHIN)] | None = None
    """Regions that are also contacts of each other: those of each ``tier``, or ``all``.
    Without coordinates, all of them are equally near."""

    def resolve(self, codes: Sequence[str] | None, is_synthetic: bool, known: Resolver) -> Contacts:
        """Return the contacts between regions with these codes; None if the regions are unknown."""
        rows: tuple[ContactRow, ...] = ()
        if self.list_ is not None:
            rows = read_contacts(known.file("contacts", "list"), codes, known.problems)
        usual = "places" if is_synthetic else "listed"
        return Contacts(self.nearest, rows, self.borders or usual, self.within)


@dataclass(frozen=True)
class ContactRow:
    """Two regions in contact, whether they share a land border, and their distance in km.

    A distance of None is computed from their coordinates.
    """

    code_a: str
    code_b: str
    land: bool = True
    distance_km: float | None = None


@dataclass(frozen=True)
class Contacts:
    """The contacts of a scenario: those listed, and the ``nearest`` regions of each region."""

    nearest: int
    list: tuple[ContactRow, ...]
    borders: str = "listed"
    """Whether land borders are ``listed`` or follow from ``places``."""
    within: str | None = None
    """Whether the regions of each ``tier``, or ``all`` regions, are contacts of each other."""


def read_contacts(
    path: Path, codes: Sequence[str] | None, problems: Problems
) -> tuple[ContactRow, ...]:
    """Read contacts from a CSV file: code_a, code_b, optionally land (yes, no) and distance_km.

    Codes that are not in ``codes``, a region with itself, and pairs listed twice, in any order, are
    problems. ``codes`` is None if the regions are unknown.
    """
    table = read_csv(path, problems)
    if table is None or not all([table.has("code_a"), table.has("code_b")]):
        return ()
    known = None if codes is None else frozenset(codes)
    ends = (map(plain, table.texts(column)) for column in ("code_a", "code_b"))
    pairs = list(zip(*ends, strict=True))
    lands = table.texts_or("land", ("yes",) * len(pairs))
    distances = table.texts_or("distance_km", ("",) * len(pairs))
    if "distance_km" in table.header:
        table.check_points("distance_km", ["-".join(pair) for pair in pairs])
    first: dict[tuple[str, ...], int] = {}
    rows = []
    for line, pair, land, distance in zip(table.lines, pairs, lands, distances, strict=True):
        for code in pair:
            if known is not None and code not in known:
                hint = suggestion(code, codes or ()) if len(problems.found) < SHOWN else ""
                message = _("no region has the code '{code}'{suggestion}")
                table.add_problem(line, message, code=code, suggestion=hint)
        sorted_pair = min(pair), max(pair)
        if pair[0] == pair[1]:
            table.add_problem(line, _("'{code}' is not a contact of itself"), code=pair[0])
        elif sorted_pair in first:
            message = _("these two regions are listed twice, first on line {line}")
            table.add_problem(line, message, line=first[sorted_pair])
        first.setdefault(sorted_pair, line)
        if land not in {"yes", "no", ""}:
            message = _("land: {value} is not yes or no")
            table.add_problem(line, message, value=format_value(land))
        km = table.number(line, "distance_km", distance, "-".join(pair)) if distance else None
        if km is not None and (km < 0 or km > FARTHEST):
            message = _("distance_km: {value} is not between 0 and {limit} kilometres")
            table.add_problem(line, message, value=distance, limit=FARTHEST)
        rows.append(ContactRow(*sorted_pair, land != "no", km))
    return tuple(sorted(rows, key=lambda row: (row.code_a, row.code_b)))
