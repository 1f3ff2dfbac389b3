"""Joint bodies that exist at the start: which persist, and with how many of their members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kolabsim.model.state import NOBODY
from kolabsim.scenario.scenario import Scenario
from kolabsim.validation.bodies import ANY_AREA, ObservedBodies
from kolabsim.validation.runs import Run
from kolabsim.validation.scorecard import median_and_range

TOGETHER, SIZE = 0, 1
"""Columns of what is observed of a body at the end of a run."""


class KeptBody(NamedTuple):
    """What becomes of a joint body that exists at the start, over runs in plausible futures."""

    area: str
    members: tuple[str, ...]
    """Codes of its members at the start."""
    whole: float
    """Share of runs in which all of them are together at the end."""
    parts: float
    """Share of runs in which some of them have left, and at least two are together."""
    ended: float
    """Share of runs in which no two of them are together."""
    together: float
    low: float
    high: float
    """Of its members at the start, how many are together at the end: the mean of a future, its
    median over futures and their range."""
    size: float
    """Members of the body at the end, those that joined among them: mean of runs in which two or
    more of the first are together; NaN if there is none."""


def bodies_as_listed(observed: ObservedBodies, scenario: Scenario) -> list[dict[str, Any]]:
    """Observed joint bodies as a scenario lists them, to begin with; those without an area are not.

    Their legal form is that which the scenario gives to bodies that do not state one.
    """
    codes, found = scenario.regions.codes, []
    for k, area in enumerate(observed.areas):
        if area == ANY_AREA:
            continue
        column = observed.slots[:, k]
        for number in np.unique(column[column != NOBODY]):
            members = [codes[row] for row in np.flatnonzero(column == number)]
            found.append({"area": area, "members": members})
    return found


def follow_bodies(run: Run) -> np.ndarray:
    """What became of the bodies that the scenario lists, [bodies, 2].

    How many of the first members are together at the end, 0 if no two are, and how many members
    their body then has.
    """
    found = []
    for area, members in run.listed:
        column = run.at("body")[:, area]
        numbers, count = np.unique(column[list(members)], return_counts=True)
        count = np.where((numbers != NOBODY) & (count > 1), count, 0)
        best = int(np.argmax(count))
        size = int((column == numbers[best]).sum()) if count[best] else 0
        found.append((int(count[best]), size))
    return np.array(found, np.float64).reshape(len(found), 2)


def kept_bodies(
    listed: Sequence[tuple[str, tuple[str, ...]]], followed: np.ndarray
) -> list[KeptBody]:
    """Sum up what became of bodies, whose areas and members are listed.

    ``followed`` are the results of :func:`follow_bodies`, [futures, runs, bodies, 2].
    """
    found = []
    for place, (area, members) in enumerate(listed):
        together, size = np.moveaxis(followed[:, :, place], -1, 0)
        whole, ended = together == len(members), together == 0
        sizes = size[~ended]
        found.append(
            KeptBody(
                area, members, float(whole.mean()), float((~whole & ~ended).mean()),
                float(ended.mean()), *median_and_range(together.mean(axis=1)),
                float(sizes.mean()) if len(sizes) else np.nan,
            )
        )  # fmt: skip
    return found


def listed_with_codes(
    scenario: Scenario, bodies: Sequence[Mapping[str, Any]] | None = None
) -> list[tuple[str, tuple[str, ...]]]:
    """Area and codes of the members of each body at the start, in the order of a run."""
    if bodies is not None:
        return [(str(one["area"]), tuple(one["members"])) for one in bodies]
    return [(one.area, tuple(one.members)) for one in scenario.bodies]
