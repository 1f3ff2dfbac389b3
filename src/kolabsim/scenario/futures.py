"""Futures: other structures of the model, and parameter sets that agree with what is known.

A structure is a choice among forms of a law or rule that nobody has measured apart. Parameter sets
ship with kolabsim; those that ``kolabsim calibrate`` found for a scenario of your own lie beside
it, and its experiments draw from them instead.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.levers import CONSENTS, SHARES, TRUSTS, UNIT_COSTS
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.files import is_file
from kolabsim.scenario.inheritance import find_scenario
from kolabsim.scenario.scenario import Scenario, shipped
from kolabsim.scenario.tables import as_number, read_csv

FILE = "plausible.csv"
PLAUSIBLE = "plausible-"
"""Prefix of the names of plausible futures."""
DIGITS = 1e-5
"""Share of a range by which a number may lie outside it, because files have six digits."""
AREA_FACTOR = "area_factors."
"""Prefix of a setting that multiplies an attribute of every service area of any scenario."""

STRUCTURES: dict[str, tuple[str, ...]] = {
    name: (usual, *(word for word in words if word != usual))
    for name, words in (
        ("unit_cost", UNIT_COSTS),
        ("decision", BUILT_IN),
        ("trust", TRUSTS),
        ("shares", SHARES),
        ("consent", CONSENTS),
    )
    for usual in (Scenario.model_fields[name].default,)
}
"""Settings of a scenario that are structures, with their alternatives, the default first."""

Future = dict[str, object]
"""Settings by dotted keys, as :meth:`Scenario.with_` takes them."""


def structural_futures(names: Iterable[str] = STRUCTURES) -> dict[str, Future]:
    """Return the alternatives of these structures by name, one change each."""
    return {
        f"{name}-{word}".replace("_", "-"): {name: word}
        for name in names
        for word in STRUCTURES[name][1:]
    }


def in_scenario(future: Mapping[str, object], scenario: Scenario) -> Future:
    """Return a future in the settings of a scenario.

    Scenarios have different service areas, so a future that calibration found says by which factor
    an attribute of all areas differs. The result has a setting for each area of the scenario, kept
    within the bounds of the attribute.

    Examples
    --------
    >>> towns = Scenario.load("small-towns")
    >>> found = in_scenario({"area_factors.difficulty": 2.0, "horizon": 8}, towns)
    >>> found["areas.finance.difficulty"], found["areas.training.difficulty"], found["horizon"]
    (0.6, 1.0, 8)
    """
    found: Future = {}
    for name, value in future.items():
        if not name.startswith(AREA_FACTOR):
            found[name] = value
            continue
        attribute = name.removeprefix(AREA_FACTOR)
        entry, factor = AREA_ATTRIBUTES[attribute], float(str(value))
        for area, own in scenario.areas.items():
            changed = min(max(getattr(own, attribute) * factor, entry.least), entry.most)
            found[f"areas.{area}.{attribute}"] = changed
    return found


def plausible_sets(path: Path | None = None) -> tuple[Future, ...]:
    """Return the parameter sets of a file that calibration wrote; default: the shipped ones.

    :func:`in_scenario` turns them into settings of a scenario.
    """
    if path is None:
        return read_sets(shipped("scenarios") / FILE)
    facts = path.stat()
    return read_sets(path, (facts.st_mtime_ns, facts.st_size))


@cache
def read_sets(path: Path, _version: object = None) -> tuple[Future, ...]:
    """Return the parameter sets of a file; a changed one is read again as another version."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            {name: value if name in STRUCTURES else float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        )


def own_sets(scenario: Scenario | Path) -> Path | None:
    """Return the file of parameter sets beside a scenario, or None if the shipped ones serve it."""
    file = scenario if isinstance(scenario, Path) else scenario.files[0]
    folder = shipped("scenarios").resolve()
    beside = file.parent / FILE
    return beside if file.parent.resolve() != folder and is_file(beside) else None


def scenario_sets(scenario: Scenario) -> tuple[Future, ...]:
    """Return the parameter sets of a scenario: those beside its file, or else the shipped ones.

    Raises :class:`~kolabsim.errors.InputError` with every column or cell of its own file that does
    not fit.
    """
    own = own_sets(scenario)
    return plausible_sets() if own is None else check_own(own)


def check_own(path: Path) -> tuple[Future, ...]:
    """Return the parameter sets of a user's file, checked."""
    facts = path.stat()
    return _check_own(path, (facts.st_mtime_ns, facts.st_size))


@cache
def _check_own(path: Path, _version: object) -> tuple[Future, ...]:
    allowed: dict[str, Allowed] = {
        f"parameters.{name}": (entry.least, entry.most) for name, entry in PARAMETERS.items()
    }
    allowed |= {f"{AREA_FACTOR}{name}": (0.0, inf) for name in AREA_ATTRIBUTES}
    return read_checked(path, allowed | STRUCTURES)


Allowed = tuple[float, float] | tuple[str, ...]
"""The ends of the range of a number, or words."""


def read_checked(path: Path, allowed: Mapping[str, Allowed]) -> tuple[Future, ...]:
    """Read parameter sets, each with its range or words.

    Raises :class:`~kolabsim.errors.InputError` with every column or cell that does not fit.
    """
    problems = Problems()
    table = read_csv(path, problems)
    problems.raise_if_any()
    assert table is not None  # otherwise there is a problem
    for name in table.header:
        if name not in allowed:
            text = _("{setting}: not a setting that calibration varies{suggestion}")
            near = suggestion(name, allowed)
            problems.add(text, file=path, line=1, setting=name, suggestion=near)
    problems.raise_if_any()
    columns = {name: table.texts(name) for name in table.header}
    for name, cells in columns.items():
        ends = allowed[name]
        for line, cell in zip(table.lines, cells, strict=True):
            message = wrong_cell(name, cell, ends)
            if message:
                problems.add(message, file=path, line=line)
    if not table.lines:
        problems.add(_("this table has no rows"), file=path)
    problems.raise_if_any()
    rows = zip(*columns.values(), strict=True)
    return tuple(
        {
            name: cell if is_words(allowed[name]) else float(cell)
            for name, cell in zip(columns, row, strict=True)
        }
        for row in rows
    )


def is_words(ends: Allowed) -> bool:
    """Whether these are words rather than the ends of a range."""
    return isinstance(ends[0], str)


def wrong_cell(name: str, cell: str, ends: Allowed) -> str:
    """Return what is wrong with a cell, in a sentence; empty if it fits."""
    if is_words(ends):
        if cell in ends:
            return ""
        text = _("{setting}: {value} is not one of its words{suggestion}")
        near = suggestion(cell, map(str, ends))
        return text.format(setting=name, value=repr(cell), suggestion=near)
    low, high = (float(end) for end in ends)
    slack = DIGITS * (abs(low) + abs(high)) if high < inf else 0.0
    if low - slack <= as_number(cell) <= high + slack and as_number(cell) < inf:
        return ""
    text = _("{setting}: {value} must be a number from {low} to {high}")
    return text.format(setting=name, value=repr(cell), low=f"{low:g}", high=f"{high:g}")


def sets_of(source: str, folder: Path) -> int:
    """Return how many parameter sets a scenario has, given its name or its file in a folder.

    A scenario that is not there has the shipped ones.
    """
    beside = folder / source
    try:
        own = own_sets(beside if is_file(beside) else find_scenario(source))
    except InputError:
        own = None
    return len(plausible_sets() if own is None else check_own(own))


def plausible_futures(number: int | None, scenario: Scenario) -> dict[str, Future]:
    """Return the first ``number`` plausible futures by name, in a scenario's settings.

    None stands for all. What a scenario states itself, and what it has no use for, is left out.
    """
    sets = () if number == 0 else scenario_sets(scenario)[:number]
    kept = applicable(scenario) if sets else ()
    return {
        f"{PLAUSIBLE}{k + 1}": in_scenario({name: one[name] for name in kept}, scenario)
        for k, one in enumerate(sets)
    }


def with_future(scenario: Scenario, future: Mapping[str, object]) -> Scenario:
    """Return a scenario in one of its plausible futures.

    It is what :meth:`Scenario.with_` returns, in a twentieth of the time: the settings of these
    futures were checked when they were read.
    """
    parameters, areas = dict(scenario.parameters), dict(scenario.areas)
    structures: dict[str, object] = {}
    for name, value in future.items():
        kind, _dot, rest = name.partition(".")
        if kind == "parameters":
            parameters[rest] = float(str(value))
        elif kind == "areas":
            area, _dot, attribute = rest.partition(".")
            changed: dict[str, Any] = {attribute: value}
            areas[area] = replace(areas[area], **changed)
        else:
            structures[name] = value
    return scenario.model_copy(update={**structures, "parameters": parameters, "areas": areas})


def applicable(scenario: Scenario) -> tuple[str, ...]:
    """Return the settings of the plausible futures of a scenario that apply to it.

    A scenario that states a setting knows it, so it is not varied; areas that it has not are of no
    use. Factors of areas apply to whatever it states of them.
    """

    def applies(name: str) -> bool:
        family, _dot, rest = name.partition(".")
        if family == "areas" and rest.partition(".")[0] not in scenario.areas:
            return False
        return name.startswith(AREA_FACTOR) or not scenario.states(name)

    return tuple(name for name in scenario_sets(scenario)[0] if applies(name))


def is_plausible(name: str) -> bool:
    """Whether a future of this name is one of the plausible ones, over which ranges are taken."""
    return name.startswith(PLAUSIBLE)


def plausible_names(futures: Iterable[str]) -> tuple[str, ...]:
    """Return the futures over which results are taken; none unless there are several."""
    names = tuple(name for name in futures if is_plausible(name))
    return names if len(names) > 1 else ()


def as_text(sets: Sequence[Mapping[str, object]]) -> str:
    """Return parameter sets as the text of a CSV file, numbers with six digits."""
    lines = [",".join(sets[0])]
    lines += [
        ",".join(v if isinstance(v, str) else f"{v:.6g}" for v in one.values()) for one in sets
    ]
    return "\n".join(lines) + "\n"
