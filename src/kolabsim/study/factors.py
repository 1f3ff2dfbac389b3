"""Factors: what an experiment varies, by dotted names, each with its range and its group.

A factor is a number of a scenario (a parameter, an attribute of an area, the intensity of a lever)
or a choice among words (a structure, the legal form, the cap). Names of groups stand for all
their factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.language import _
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.extension import RULES
from kolabsim.model.levers import CAP, FORMS, MECHANISMS, SUPPORTERS
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.model.rules import BUILT_IN
from kolabsim.world.futures import STRUCTURES
from kolabsim.world.scenario import Scenario

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

    @property
    def is_scale(self) -> bool:
        """Whether its range is one of factors, such as half to double, drawn by logarithm."""
        return not self.is_choice and self.low > 0.0 and self.high / self.low > 3.9

    def at(self, u: float) -> Value:
        """Its value at a place between 0 and 1: from low to high, or each word in equal parts."""
        if self.is_choice:
            return self.words[min(int(u * len(self.words)), len(self.words) - 1)]
        if self.is_scale:
            return float(self.low * (self.high / self.low) ** u)
        return float(self.low + u * (self.high - self.low))


def _number(name: str, entry: Parameter, group: str, low: float, high: float) -> Factor:
    return Factor(
        name, entry.meaning, group, float(low), float(high), unit=entry.unit, least=entry.least,
        most=entry.most,
    )  # fmt: skip


def factors_of(scenario: Scenario) -> dict[str, Factor]:
    """All factors of a scenario, by name."""
    found = [
        _number(f"parameters.{name}", entry, entry.group, entry.low, entry.high)
        for name, entry in PARAMETERS.items()
    ]
    found += [
        _number(f"parameters.{rule}.{name}", entry, "rules", entry.low, entry.high)
        for rule in BUILT_IN
        for name, entry in RULES[rule].parameters.items()
    ]
    for area, values in scenario.areas.items():
        for name, entry in AREA_ATTRIBUTES.items():
            value = getattr(values, name)
            low, high = max(value / 2, entry.least), min(value * 2, entry.most)
            found.append(_number(f"areas.{area}.{name}", entry, "areas", low, high))
    for kind, levers in (("mechanisms", MECHANISMS), ("support", SUPPORTERS)):
        found += [Factor(f"{kind}.{name}", lever.title, kind) for name, lever in levers.items()]
    found += [
        Factor(name, _meaning_of(name), "structures", words=words)
        for name, words in STRUCTURES.items()
    ]
    found.append(Factor("form", "legal form of new bodies", "institutions", words=FORMS))
    caps = tuple(range(largest_group(scenario), CAP + 1))
    found.append(Factor("cap", "most members of a body", "institutions", words=caps))
    return {factor.name: factor for factor in found}


def largest_group(scenario: Scenario) -> int:
    """Members of the largest body or mandate that a scenario names: the cap must allow them."""
    mandates = [*scenario.mandates]
    mandates += [one for strategy in scenario.strategies.values() for one in strategy.mandates]
    groups = [group for one in mandates if one.groups != "tiers" for group in one.groups]
    return max([2, *map(len, groups), *(len(body.members) for body in scenario.bodies)])


def _meaning_of(structure: str) -> str:
    from kolabsim.world.schema import ScenarioText

    return (ScenarioText.model_fields[structure].description or structure).strip()


def choose_factors(
    scenario: Scenario, wanted: Mapping[str, object] | Iterable[str]
) -> tuple[Factor, ...]:
    """The factors that an experiment asks for, with the ranges or words that it gives them.

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
