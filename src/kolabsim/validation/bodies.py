"""Observed joint bodies: who really shares which service with whom, read from any CSV table.

A row of the table is one membership: a joint body, the code of a region, and optionally the
service area, the years of the membership, how many members the body has in all, and a reason for
leaving the body out. The how-to guide on observed joint bodies describes the columns.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.errors import InputError, Problem, Problems, nearest, shown, suggestion
from kolabsim.i18n import N_, _
from kolabsim.model.levers import CAP
from kolabsim.model.state import NOBODY
from kolabsim.scenario.tables import as_number, read_csv

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.scenario.tables import Table

REQUIRED = ("body", "region")
"""Columns that the table must have."""
OPTIONAL = ("area", "since", "until", "members", "left_out")
"""Columns that the table may have; others are ignored."""
ANY_AREA = ""
"""Stands for the service area of bodies whose area the table does not give."""


@dataclass(frozen=True)
class Body:
    """An observed joint body that is compared with the model."""

    name: str
    areas: tuple[str, ...]
    """Names of service areas, or :data:`ANY_AREA` alone."""
    members: tuple[int, ...]
    """Rows of its members among the regions of the scenario, in order."""


@dataclass(frozen=True, eq=False)
class ObservedBodies:
    """Observed joint bodies as arrays: R regions, L service areas that the table names."""

    areas: tuple[str, ...]
    """The service areas in the order of the scenario; :data:`ANY_AREA` comes last."""
    slots: np.ndarray
    """[R, L] number of the body that provides an area, NOBODY where there is none."""
    bodies: tuple[Body, ...]
    """The bodies, by name."""
    left_out: Mapping[str, int]
    """How many bodies were left out, by reason."""
    ignored: tuple[str, ...] = ()
    """Columns of the table that were not used."""


@dataclass
class _Reported:
    """The rows of one body."""

    members: dict[str, set[int]] = field(default_factory=dict)
    """Rows of its present members, by area."""
    size: float = 0.0
    """Members in all, also those that are no regions of the scenario."""
    reason: str = ""
    """Why the table leaves it out."""


def read_bodies(path: Path, scenario: Scenario, *, year: float | None = None) -> ObservedBodies:
    """Read observed joint bodies from a CSV table, for the regions and areas of a scenario.

    Where a region is in several bodies of one area, the body with the most members counts. Bodies
    of a ``year`` are compared, by default those whose membership has no end. Raises
    :class:`~kolabsim.errors.InputError` with every problem of the table, or if no body is left to
    compare.
    """
    problems = Problems()
    table = read_csv(path, problems)
    reported = {} if table is None else _read_rows(table, scenario, year)
    problems.raise_if_any()
    assert table is not None  # otherwise there was a problem
    left_out: Counter[str] = Counter()
    kept: dict[str, _Reported] = {}
    for name, one in reported.items():
        present = set().union(*one.members.values())
        if one.reason:
            left_out[one.reason] += 1
        elif max(one.size, len(present)) > CAP:
            left_out[N_("with more members than the model allows")] += 1
        elif len(present) < 2:
            left_out[N_("with fewer than two members among these regions")] += 1
        else:
            kept[name] = one
    if not kept:
        message = _("no joint body with at least two members is left to compare")
        raise InputError([Problem(message, shown(path))])
    used = {area for one in kept.values() for area in one.members}
    areas = tuple(area for area in (*scenario.areas, ANY_AREA) if area in used)
    bodies = tuple(
        Body(
            name,
            tuple(area for area in areas if area in kept[name].members),
            tuple(sorted(set().union(*kept[name].members.values()))),
        )
        for name in sorted(kept)
    )
    slots = _assign_slots(kept, areas, len(scenario.regions))
    ignored = tuple(c for c in table.header if c and c not in (*REQUIRED, *OPTIONAL))
    return ObservedBodies(areas, slots, bodies, dict(left_out), ignored)


def _assign_slots(
    bodies: Mapping[str, _Reported], areas: tuple[str, ...], regions: int
) -> np.ndarray:
    """The body of each region and area [R, L]; the largest of several, and none with one member."""
    slots = np.full((regions, len(areas)), NOBODY, np.int64)
    parts = sorted(
        (len(members), name, area)
        for name, one in bodies.items()
        for area, members in one.members.items()
    )
    for number, (_size, name, area) in enumerate(parts):  # the largest overwrites the others
        slots[sorted(bodies[name].members[area]), areas.index(area)] = number
    for column in slots.T:
        present, size = np.unique(column, return_counts=True)
        column[np.isin(column, present[size < 2])] = NOBODY
    return slots


# Rows -------------------------------------------------------------------------------------------


def _read_rows(table: Table, scenario: Scenario, year: float | None) -> dict[str, _Reported]:
    """The bodies of a table by name; all its problems are noted."""
    if not all([table.has(column) for column in REQUIRED]):
        return {}
    _check_header(table)
    columns = table.columns()
    blank = ("",) * len(table.rows)
    cells = zip(*(columns.get(name, blank) for name in (*REQUIRED, *OPTIONAL)), strict=True)
    row = {code: i for i, code in enumerate(scenario.regions.codes)}
    found: dict[str, _Reported] = {}
    for line, (body, region, area, since, until, members, reason) in zip(
        table.lines, cells, strict=True
    ):
        for column, cell in zip(REQUIRED, (body, region), strict=True):
            if not cell:
                message = _("{column}: the cell is empty").format(column=column)
                table.add_problem(line, message)
        one = found.setdefault(body, _Reported())
        one.reason = one.reason or reason
        if members:
            one.size = max(one.size, _read_size(table, line, members))
        began, ended = _read_years(table, line, since, until)
        if region and region not in row:
            message = _("region: the scenario has no region '{code}'{suggestion}")
            hint = suggestion(region, row)
            table.add_problem(line, message.format(code=region, suggestion=hint))
        elif reason:
            continue
        elif area and area not in scenario.areas:
            message = _("area: the scenario has no service area '{area}'{suggestion}")
            hint = suggestion(area, scenario.areas)
            table.add_problem(line, message.format(area=area, suggestion=hint))
        elif region and (ended == math.inf if year is None else began <= year < ended):
            one.members.setdefault(area or ANY_AREA, set()).add(row[region])
    return found


def _check_header(table: Table) -> None:
    """Refuse a column whose name is nearly that of an optional column that is missing."""
    missing = [name for name in OPTIONAL if name not in table.header]
    for column in table.header:
        if not column or column in (*REQUIRED, *OPTIONAL):
            continue
        meant = nearest(column, missing)
        if meant is not None:
            message = _("there is a column '{column}'; did you mean '{name}'?")
            table.add_problem(1, message.format(column=column, name=meant))


def _read_years(table: Table, line: int, since: str, until: str) -> tuple[float, float]:
    """When a membership began and ended; without an end, it lasts."""
    years = [-math.inf, math.inf]
    for k, (column, text) in enumerate((("since", since), ("until", until))):
        if text:
            years[k] = as_number(text)
            if not (math.isfinite(years[k]) and 1000.0 <= years[k] <= 3000.0):
                message = _("{column}: '{text}' is not a year").format(column=column, text=text)
                table.add_problem(line, message)
    began, ended = years
    if ended < began:
        message = _("until: the membership ends in {until}, before it begins in {since}")
        table.add_problem(line, message.format(until=until, since=since))
    return began, ended


def _read_size(table: Table, line: int, text: str) -> float:
    """How many members a body has in all."""
    size = as_number(text)
    if not (math.isfinite(size) and size >= 1.0):
        message = _("members: '{text}' is not a number of members").format(text=text)
        table.add_problem(line, message)
    return size if math.isfinite(size) else 0.0
