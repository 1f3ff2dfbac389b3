"""Shipped futures: other structures of the model, and parameter sets that agree with the facts.

A structure is a choice among forms of a law or rule that nobody has measured apart.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.levers import CONSENTS, SHARES, TRUSTS, UNIT_COSTS
from kolabsim.scenario.scenario import Scenario, shipped

FILE = "plausible.csv"
PLAUSIBLE = "plausible-"
"""Prefix of the names of plausible futures."""
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
    path = shipped("scenarios") / FILE if path is None else path
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            {name: value if name in STRUCTURES else float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        )


def plausible_futures(number: int, scenario: Scenario) -> dict[str, Future]:
    """Return the first ``number`` shipped plausible futures by name, in a scenario's settings."""
    sets = plausible_sets()[:number] if number else ()
    return {f"{PLAUSIBLE}{k + 1}": in_scenario(one, scenario) for k, one in enumerate(sets)}


def is_plausible(name: str) -> bool:
    """Whether a future of this name is one of the plausible ones, over which ranges are taken."""
    return name.startswith(PLAUSIBLE)


def as_text(sets: Sequence[Mapping[str, object]]) -> str:
    """Return parameter sets as the text of a CSV file, numbers with six digits."""
    lines = [",".join(sets[0])]
    lines += [
        ",".join(v if isinstance(v, str) else f"{v:.6g}" for v in one.values()) for one in sets
    ]
    return "\n".join(lines) + "\n"
