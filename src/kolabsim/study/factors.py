"""Factors: what an experiment varies, by dotted names, each with its range and its group.

A factor is a number of a scenario (a parameter, an attribute of an area, the intensity of a lever)
or a choice among words (a structure, the legal form, the cap). Names of groups stand for all
their factors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import N_, _
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.declare import RULES, Declared
from kolabsim.model.levers import CAP, FORMS, MECHANISMS, SUPPORTERS, TARGETS
from kolabsim.model.parameters import GROUPS as PARAMETER_GROUPS
from kolabsim.model.parameters import PARAMETERS, Parameter, between, place_in
from kolabsim.scenario.futures import STRUCTURES
from kolabsim.scenario.scenario import Scenario

PART = 0.01
"""Part of what services cost that bounds the budget of a supporter, unless a range is given."""

GROUPS: dict[str, str] = PARAMETER_GROUPS | {
    "areas": N_("service areas"),
    "mechanisms": N_("coordination mechanisms"),
    "support": N_("external support"),
    "targets": N_("targets of support"),
    "budgets": N_("budgets of support"),
    "structures": N_("structure of the model"),
    "institutions": N_("institutions"),
}
"""Groups of factors, in words."""

Value = float | str | int
"""What a factor can be set to."""


@dataclass(frozen=True)
class Factor:
    """Something that an experiment varies."""

    name: str
    """Dotted name, as a scenario is changed by it."""
    meaning: str
    group: str
    """Parameters: their group; mechanisms, support, areas, structures."""
    usual: Value = 0.0
    """What it is where nothing is varied."""
    source: str = ""
    """Where its number comes from; assumed where nobody measured it."""
    low: float = 0.0
    high: float = 1.0
    """Range of a number."""
    words: tuple[Value, ...] = ()
    """Of a choice: what it can be."""
    unit: str = "1"
    least: float = 0.0
    most: float = 1.0
    """What the model accepts at all."""

    @property
    def is_choice(self) -> bool:
        """Whether it is a choice among words instead of a number."""
        return bool(self.words)

    def at(self, u: float) -> Value:
        """Its value at a place between 0 and 1: from low to high, or each word in equal parts."""
        if self.is_choice:
            return self.words[min(int(u * len(self.words)), len(self.words) - 1)]
        return between(self.low, self.high, u)

    def place(self, value: Value) -> float:
        """Where a value lies between 0 and 1; of a word the middle of its part. Clipped."""
        if self.is_choice:
            number = self.words.index(value) if value in self.words else 0
            return (number + 0.5) / len(self.words)
        return place_in(self.low, self.high, float(value))


def _number(
    name: str, entry: Parameter, group: str, usual: float, source: str,
    low: float | None = None, high: float | None = None,
) -> Factor:  # fmt: skip
    return Factor(
        name, entry.meaning, group, float(usual), source,
        float(entry.low if low is None else low), float(entry.high if high is None else high),
        unit=entry.unit, least=entry.least, most=entry.most,
    )  # fmt: skip


def factors_of(scenario: Scenario) -> dict[str, Factor]:
    """All factors of a scenario, by name."""
    given = scenario.parameters
    found = [
        _number(f"parameters.{n}", entry, entry.group, given.get(n, entry.default), entry.source)
        for n, entry in PARAMETERS.items()
    ]
    for rule in BUILT_IN:
        for name, entry in RULES[rule].parameters.items():
            usual = given.get(f"{rule}.{name}", entry.default)
            found.append(_number(f"parameters.{rule}.{name}", entry, "rules", usual, entry.source))
    own = scenario.declared if scenario.is_extended else Declared()
    for name, entry in own.parameters.items():
        usual = given.get(name, entry.default)
        found.append(_number(f"parameters.{name}", entry, "extensions", usual, entry.source))
    for area, values in scenario.areas.items():
        for name, entry in AREA_ATTRIBUTES.items():
            value = getattr(values, name)
            low, high = max(value / 2, entry.least), min(value * 2, entry.most)
            if low == high:  # half and double of nothing
                low, high = entry.low, entry.high
            found.append(
                _number(f"areas.{area}.{name}", entry, "areas", value, values.source, low, high)
            )
    for kind, levers in (("mechanisms", MECHANISMS), ("support", SUPPORTERS)):
        found += [Factor(f"{kind}.{name}", lever.title, kind) for name, lever in levers.items()]
    found += [
        Factor(f"mechanisms.{name}", mechanism.lever.title, "mechanisms")
        for name, mechanism in own.mechanisms.items()
    ]
    whom = (*(target for target in TARGETS if target != "list"), *own.targets)
    most = PART * yearly_cost(scenario)
    for name in SUPPORTERS:
        found.append(
            Factor(f"support.{name}.targets", N_("whom it helps"), "targets", "all", words=whom)
        )
        found.append(
            Factor(
                f"support.{name}.budget", N_("most that it spends in a year"), "budgets", most,
                high=most, unit="currency", most=math.inf,
            )
        )  # fmt: skip
    found += [
        Factor(name, _meaning_of(name), "structures", getattr(scenario, name), words=words)
        for name, words in STRUCTURES.items()
    ]
    form = N_("legal form of new bodies")
    found.append(Factor("form", form, "institutions", scenario.form, words=FORMS))
    caps = tuple(range(largest_group(scenario), CAP + 1))
    most = N_("most members of a body")
    found.append(Factor("cap", most, "institutions", scenario.cap, words=caps))
    return {factor.name: factor for factor in found}


def yearly_cost(scenario: Scenario) -> float:
    """What all services cost a year at efficient scale, in the scenario's currency."""
    people = float(scenario.regions.population.sum())
    return people * sum(area.cost_per_resident for area in scenario.areas.values())


def largest_group(scenario: Scenario) -> int:
    """Members of the largest body or mandate that a scenario names: the cap must allow them."""
    mandates = [*scenario.mandates]
    mandates += [one for strategy in scenario.strategies.values() for one in strategy.mandates]
    groups = [group for one in mandates if one.groups != "tiers" for group in one.groups]
    return max([2, *map(len, groups), *(len(body.members) for body in scenario.bodies)])


def _meaning_of(structure: str) -> str:
    from kolabsim.scenario.schema import ScenarioText

    return (ScenarioText.model_fields[structure].description or structure).strip()


def choose_factors(
    scenario: Scenario, wanted: Mapping[str, object] | Iterable[str]
) -> tuple[Factor, ...]:
    """The factors that an experiment asks for, with the ranges or words that it gives them.

    A target or budget of support needs its intensity as a factor too: by itself it is nothing.

    Keys are names of factors or of groups; values are None (the usual range), [low, high], or a
    list of words. Raises :class:`~kolabsim.errors.InputError` with all problems at once.
    """
    problems = Problems()
    known = factors_of(scenario)
    groups: dict[str, list[Factor]] = {}
    for factor in known.values():
        groups.setdefault(factor.group, []).append(factor)
    asked = wanted if isinstance(wanted, Mapping) else dict.fromkeys(wanted)
    found: dict[str, Factor] = {}
    for name, given in asked.items():
        if name in groups:
            if given is not None:
                message = _("{name}: a group takes no range; name its factors")
                problems.add(message.format(name=name))
            found |= {factor.name: factor for factor in groups[name]}
        elif name in known:
            try:
                found[name] = known[name] if given is None else ranged(known[name], given)
            except InputError as error:
                for problem in error.problems:
                    problems.add(problem.message)
        else:
            hint = suggestion(name, [*known, *groups])
            message = _("'{name}' is not a factor{hint}")
            problems.add(message.format(name=name, hint=hint))
    for name in found:
        kind, *parts = name.split(".")
        if kind == "support" and len(parts) > 1 and f"support.{parts[0]}" not in found:
            message = _("{name}: vary support.{lever} too; without an intensity it is nothing")
            problems.add(message.format(name=name, lever=parts[0]))
    problems.raise_if_any()
    return tuple(found.values())


def ranged(factor: Factor, given: object) -> Factor:
    """A factor with a range or words of one's own."""

    def refused(text: str, **words: object) -> InputError:
        return InputError([Problem(f"{factor.name}: " + text.format(**words))])

    values = list(given) if isinstance(given, list | tuple) else None
    if factor.is_choice:
        wrong = [value for value in values or [given] if value not in factor.words]
        if values is None or wrong or len(set(values)) < 2:
            text = _("give at least two of {words}")
            raise refused(text, words=", ".join(map(str, factor.words)))
        return replace(factor, words=tuple(values))
    numbers = values is not None and len(values) == 2
    numbers = numbers and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in values
    )
    if not numbers:
        raise refused(_("give a range, such as [{low}, {high}]"), low=factor.low, high=factor.high)
    low, high = (float(value) for value in values)
    if not factor.least <= low < high <= factor.most:
        text = _("{low} to {high} is not allowed; allowed: from {least} to {most}, rising")
        raise refused(text, low=low, high=high, least=factor.least, most=factor.most)
    return replace(factor, low=low, high=high)
