"""Factors: the inputs that an experiment varies, each with a range and a group.

A factor is a number of a scenario (a parameter, an attribute of an area, the intensity of a lever)
or a choice among words (a structure, the legal form, the cap), under its dotted name. The name of a
group stands for all its factors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import N_, _
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.declare import RULES, Declared, shipped_mechanisms
from kolabsim.model.first_edition import FIRST_EDITION
from kolabsim.model.levers import CAP, FORM_SETTINGS, MECHANISMS, SUPPORTERS, TARGETS
from kolabsim.model.parameters import GROUPS as PARAMETER_GROUPS
from kolabsim.model.parameters import PARAMETERS, Parameter, between, place_in
from kolabsim.scenario.editions import describe_changes
from kolabsim.scenario.futures import STRUCTURES
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.schema import LARGEST

PART = 0.01
"""Share of the cost of all services that bounds the budget of a supporter by default."""

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
"""A setting of a factor."""


@dataclass(frozen=True)
class Factor:
    """An input that an experiment varies."""

    name: str
    """Dotted name, as in ``scenario.with_``."""
    meaning: str
    group: str
    """One of :data:`GROUPS`."""
    usual: Value = 0.0
    source: str = ""
    """Source of its value; assumed if nobody measured it."""
    low: float = 0.0
    high: float = 1.0
    words: tuple[Value, ...] = ()
    unit: str = "1"
    least: float = 0.0
    most: float = 1.0
    """Bounds that the model accepts."""
    chosen: tuple[Value, ...] = ()
    """Levels of a sweep, if the file lists them."""

    @property
    def is_choice(self) -> bool:
        """Whether it is a choice among words rather than a number."""
        return bool(self.words)

    def at(self, u: float) -> Value:
        """Its value at a place between 0 and 1; words divide the interval equally."""
        if self.is_choice:
            return self.words[min(int(u * len(self.words)), len(self.words) - 1)]
        return between(self.low, self.high, u)

    def place(self, value: Value) -> float:
        """The place of a value between 0 and 1, clipped; of a word the middle of its part."""
        if self.is_choice:
            number = self.words.index(value) if value in self.words else 0
            return (number + 0.5) / len(self.words)
        return place_in(self.low, self.high, float(value))

    def levels(self, number: int) -> tuple[Value, ...]:
        """Its levels in a sweep: those of the file, all words, or ``number`` equal steps.

        >>> Factor("parameters.notice", "", "attention", low=0.2, high=0.6).levels(3)
        (0.2, 0.4, 0.6)
        """
        if self.chosen or self.is_choice:
            return self.chosen or self.words
        step = (self.high - self.low) / (number - 1)
        return tuple(round(self.low + k * step, 12) for k in range(number))


def _number(
    name: str,
    entry: Parameter,
    group: str,
    usual: float,
    source: str,
    span: tuple[float | None, float | None] | None = None,
) -> Factor:
    low, high = span or (entry.low, entry.high)
    assert low is not None and high is not None  # noqa: PT018
    return Factor(
        name, entry.meaning, group, float(usual), source, float(low), float(high), unit=entry.unit,
        least=max(entry.least, -LARGEST), most=min(entry.most, LARGEST),
    )  # fmt: skip


def list_factors(scenario: Scenario) -> dict[str, Factor]:
    """All factors of a scenario, by name."""
    given = scenario.parameters
    custom = (
        scenario.declared if scenario.is_extended else Declared(mechanisms=shipped_mechanisms())
    )
    entries = {name: (entry, entry.group) for name, entry in PARAMETERS.items()}
    for rule in BUILT_IN:
        own = RULES[rule].parameters
        entries |= {f"{rule}.{name}": (entry, "rules") for name, entry in own.items()}
    entries |= {name: (entry, "extensions") for name, entry in custom.parameters.items()}
    found = [
        _number(f"parameters.{n}", entry, group, given.get(n, entry.default), entry.source)
        for n, (entry, group) in entries.items()
    ]
    for area, values in scenario.areas.items():
        for name, entry in AREA_ATTRIBUTES.items():
            value = getattr(values, name)
            low, high = max(value / 2, entry.least), min(value * 2, entry.most)
            span = (low, high) if low < high else None  # half and double of zero are zero
            named = f"areas.{area}.{name}"
            found.append(_number(named, entry, "areas", value, values.source, span))
    own_levers = {name: mechanism.lever for name, mechanism in custom.mechanisms.items()}
    kinds = (("mechanisms", MECHANISMS), ("support", SUPPORTERS), ("mechanisms", own_levers))
    for kind, levers in kinds:
        found += [Factor(f"{kind}.{name}", lever.title, kind) for name, lever in levers.items()]
    targets = (*(target for target in TARGETS if target != "list"), *custom.targets)
    prices = (area.cost_per_resident for area in scenario.areas.values())
    budget = PART * (float(scenario.regions.population.sum()) * sum(prices))
    for name in SUPPORTERS:
        meaning = N_("regions that it supports")
        found.append(Factor(f"support.{name}.targets", meaning, "targets", "all", words=targets))
        found.append(
            Factor(
                f"support.{name}.budget", N_("largest spending in a year"), "budgets", budget,
                high=budget, unit="currency", most=LARGEST,
            )
        )  # fmt: skip
    for name, words in STRUCTURES.items():
        meaning = (Scenario.model_fields[name].description or name).strip()
        found.append(Factor(name, meaning, "structures", getattr(scenario, name), words=words))
    meaning = N_("legal form of new bodies")
    found.append(Factor("form", meaning, "institutions", scenario.form, words=FORM_SETTINGS))
    meaning, caps = N_("most members of a body"), tuple(range(largest_group(scenario), CAP + 1))
    found.append(Factor("cap", meaning, "institutions", scenario.cap, words=caps))
    return {factor.name: factor for factor in found}


def largest_group(scenario: Scenario) -> int:
    """Members of the largest body or mandate of a scenario, which the cap must allow."""
    mandates = [*scenario.mandates]
    mandates += [one for strategy in scenario.strategies.values() for one in strategy.mandates]
    groups = [group for one in mandates if one.groups != "tiers" for group in one.groups]
    return max([2, *map(len, groups), *(len(body.members) for body in scenario.bodies)])


def choose_factors(
    scenario: Scenario, wanted: Mapping[str, object] | Iterable[str]
) -> tuple[Factor, ...]:
    """The factors of an experiment, with the ranges or words that it gives them.

    ``wanted`` names factors and groups, each with None (the usual range), ``[low, high]``, a list
    of words, or ``{"levels": [...]}`` (a sweep). A target or budget of support has no effect
    without an intensity, so that one needs the intensity as a factor too. Raises
    :class:`~kolabsim.errors.InputError` with all problems at once.
    """
    problems = Problems()
    known = list_factors(scenario)
    groups: dict[str, list[Factor]] = {}
    for factor in known.values():
        groups.setdefault(factor.group, []).append(factor)
    chosen = wanted if isinstance(wanted, Mapping) else dict.fromkeys(wanted)
    found: dict[str, Factor] = {}
    for name, given in chosen.items():
        if name in groups:
            if given is not None:
                message = _("{name}: a group has no range; name its factors")
                problems.add(message.format(name=name))
            for factor in groups[name]:
                found.setdefault(factor.name, factor)  # a range of its own stays
        elif name in known:
            try:
                found[name] = known[name] if given is None else with_range(known[name], given)
            except InputError as error:
                for problem in error.problems:
                    problems.add(problem.message)
        else:
            hint = suggestion(name, [*known, *groups])
            message = _("'{name}' is not a factor{hint}")
            if name.removeprefix("parameters.") in FIRST_EDITION:
                hint = describe_changes([name.removeprefix("parameters.")])
                message = _("not a factor of the second edition of the model: {hint}")
            problems.add(message.format(name=name, hint=hint))
    for name in found:
        kind, *parts = name.split(".")
        if kind == "support" and len(parts) > 1 and f"support.{parts[0]}" not in found:
            message = _("{name}: vary support.{lever} too; it has no effect without an intensity")
            problems.add(message.format(name=name, lever=parts[0]))
    problems.raise_if_any()
    return tuple(found.values())


def with_range(factor: Factor, given: object) -> Factor:
    """The factor with a range, words or levels of its own.

    Raises :class:`~kolabsim.errors.InputError` if the factor cannot have them.
    """
    if isinstance(given, Mapping):
        levels = given.get("levels")
        if set(given) != {"levels"} or not isinstance(levels, list | tuple) or len(levels) < 2:
            raise _refused(factor, _("give levels: a list of at least two values"))
        if factor.is_choice:
            return replace(factor, chosen=with_range(factor, levels).words)
        return replace(factor, chosen=_rising(factor, levels))
    if not factor.is_choice:
        if not isinstance(given, list | tuple) or len(given) != 2:
            text = _("give a range, such as [{low}, {high}]")
            raise _refused(factor, text, low=factor.low, high=factor.high)
        low, high = _rising(factor, given)
        return replace(factor, low=low, high=high)
    words = tuple(given) if isinstance(given, list | tuple) else ()
    unknown = any(word not in factor.words for word in words)
    if unknown or len(words) < 2 or len(set(words)) < len(words):
        allowed = ", ".join(map(str, factor.words))
        raise _refused(factor, _("give at least two of {words}, each once"), words=allowed)
    return replace(factor, words=words)


def _rising(factor: Factor, values: Sequence[object]) -> tuple[float, ...]:
    """Numbers that rise within the bounds of a factor."""
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values):
        text = _("give a range, such as [{low}, {high}]")
        raise _refused(factor, text, low=factor.low, high=factor.high)
    if not all(map(math.isfinite, numbers)):
        listed = ", ".join(f"{value:g}" for value in numbers)
        raise _refused(factor, _("{values}: a range has two finite numbers"), values=listed)
    rising = all(low < high for low, high in pairwise(numbers))
    if not rising or not factor.least <= numbers[0] <= numbers[-1] <= factor.most:
        text = _("{values} is not allowed; allowed: rising values from {least} to {most}")
        listed = ", ".join(f"{value:g}" for value in numbers)
        raise _refused(factor, text, values=listed, least=factor.least, most=factor.most)
    return tuple(numbers)


def _refused(factor: Factor, text: str, **words: object) -> InputError:
    return InputError([Problem(f"{factor.name}: " + text.format(**words))])
