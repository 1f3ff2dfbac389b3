"""Shipped futures: other structures of the model, and parameter sets that agree with the facts.

A structure is a choice among forms of a law or rule that nobody has measured apart.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
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
    return read_sets(shipped("scenarios") / FILE if path is None else path)


@cache
def read_sets(path: Path) -> tuple[Future, ...]:
    """Return the parameter sets of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            {name: value if name in STRUCTURES else float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        )


def plausible_futures(number: int, scenario: Scenario) -> dict[str, Future]:
    """Return the first ``number`` shipped plausible futures by name, in a scenario's settings.

    What a scenario states itself, and what it has no use for, is left out.
    """
    sets = plausible_sets()[:number] if number else ()
    kept = applicable(scenario)
    return {
        f"{PLAUSIBLE}{k + 1}": in_scenario({name: one[name] for name in kept}, scenario)
        for k, one in enumerate(sets)
    }


def applicable(scenario: Scenario) -> tuple[str, ...]:
    """Return the settings of the shipped plausible futures that apply to a scenario.

    A scenario that states a setting knows it, so it is not varied; areas that it has not are of no
    use. Factors of areas apply to whatever it states of them.
    """

    def applies(name: str) -> bool:
        family, _dot, rest = name.partition(".")
        if family == "areas" and rest.partition(".")[0] not in scenario.areas:
            return False
        return name.startswith(AREA_FACTOR) or not scenario.states(name)

    return tuple(name for name in plausible_sets()[0] if applies(name))


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
