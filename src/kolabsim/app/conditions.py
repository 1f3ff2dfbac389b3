"""The times, payers and budget of a user's levers.

A condition of one lever has its name in front, as in ``mechanisms.team.until``; without one it
holds for all levers, as the keys of a strategy do. A lever's own condition comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from kolabsim.errors import Problems, suggestion
from kolabsim.figures.formatting import Scale, choose_scale, money_unit, significant
from kolabsim.i18n import _, ngettext
from kolabsim.model.levers import LEVERS, PAYER_TITLES, PAYERS, SUPPORTERS
from kolabsim.model.parameters import QUARTERS
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.schema import LONGEST
from kolabsim.scenario.strategy import Mandate, Phase, Strategy

FROM, UNTIL, PHASE_OUT, PAID_BY, BUDGET = "from", "until", "phase_out", "paid_by", "budget"
NUMBERS = {FROM: (0, LONGEST - 1), UNTIL: (1, LONGEST), PHASE_OUT: (0, LONGEST)}
"""Conditions that are quarters, with their limits."""
OF_LEVERS = (*NUMBERS, PAID_BY)
"""Conditions that a lever can have of its own."""
MOST_MONEY = 1e18
"""Largest budget a year."""
THREE_YEARS = 3 * QUARTERS
"""Quarters for which the higher tier pays in the first preset."""
RUPIAH, TWO_BILLION = "IDR", 2e9
"""The budget a year of the second preset, and its currency."""
SAME_SHARE = 0.0012
"""The same in another currency: this share of the yearly cost of all services, as in Kartamantul.
It is written with one digit."""

Condition = int | float | str
Conditions = Mapping[str, Condition]
AnyPeriod = TypeVar("AnyPeriod", Phase, Mandate)


def lever_name(name: str) -> str:
    """The dotted name of a lever.

    >>> lever_name("team"), lever_name("ngo")
    ('mechanisms.team', 'support.ngo')
    """
    return f"{'support' if name in SUPPORTERS else 'mechanisms'}.{name}"


NAMES = (
    *OF_LEVERS, BUDGET, *(f"{lever_name(name)}.{key}" for name in LEVERS for key in OF_LEVERS)
)  # fmt: skip
"""All names of conditions, as in an address."""


def read_condition(name: str, text: str, problems: Problems) -> Condition | None:
    """Read a condition; report any text that it cannot be, and return None."""
    key = name.rpartition(".")[2]
    if key == PAID_BY:
        if text in PAYERS:
            return text
        message = _("'{word}' is not known here{hint}")
        problems.add(message.format(word=text[:60], hint=suggestion(text[:60], PAYERS)))
        return None
    least, most = NUMBERS.get(key, (0, MOST_MONEY))
    return read_number(name, text, least, most, problems, is_whole=key != BUDGET)


def read_number(
    name: str, text: str, least: float, most: float, problems: Problems, *, is_whole: bool = False
) -> float | None:
    """Read a number within limits from an address; report any other text and return None."""
    # Python would read 1_0 as ten, and digits of all scripts, which no other file here may hold.
    is_plain = text.isascii() and "_" not in text and not any(map(str.isspace, text))
    try:
        value = float(text) if is_plain else np.nan
    except ValueError:
        value = np.nan
    if least <= value <= most and not (is_whole and not value.is_integer()):
        return int(value) if is_whole else value
    kind = _("a whole number") if is_whole else _("a number")
    message = _("{name}: {value} is not {kind} from {least} to {most}")
    low, high, value_text = write_number(least), write_number(most), text[:40] or "''"
    problems.add(message, name=name, value=value_text, kind=kind, least=low, most=high)
    return None


def write_number(value: float) -> str:
    """A number with all of its digits, so that an address gives what is on the screen.

    >>> write_number(1.0), write_number(0.1 + 0.2), write_number(2e9)
    ('1', '0.30000000000000004', '2000000000')
    """
    return repr(float(value)).removesuffix(".0")


def write_condition(value: Condition) -> str:
    """A condition as an address has it."""
    return value if isinstance(value, str) else write_number(value)


def read_once(pairs: Iterable[tuple[str, str]], problems: Problems) -> dict[str, str]:
    """Return the words of an address; report those that it gives more than once, and drop them."""
    found: dict[str, list[str]] = {}
    for name, text in pairs:
        found.setdefault(name, []).append(text)
    for name, texts in found.items():
        if len(texts) > 1:
            message = _("'{name}' is in this address {number} times; give it once")
            problems.add(message, name=name[:60], number=len(texts))
    return {name: texts[0] for name, texts in found.items() if len(texts) == 1}


# Applying -----------------------------------------------------------------------------------------


def under_conditions(
    periods: Sequence[AnyPeriod], lever: str, conditions: Conditions, horizon: int
) -> list[AnyPeriod]:
    """Return the phases of a lever, or mandates, under conditions; those of no length are left out.

    What holds for all levers cuts phases, and lengthens none. ``lever`` is '' for mandates.
    """
    own = {key: conditions[f"{lever}.{key}"] for key in OF_LEVERS if f"{lever}.{key}" in conditions}
    every = {key: conditions[key] for key in OF_LEVERS if key in conditions}
    found = []
    for place, period in enumerate(periods):
        first, until = period.from_, period.until
        if len(periods) == 1:
            first, until = int(own.get(FROM, first)), min(int(own.get(UNTIL, until)), horizon)
        if FROM not in own:
            first = max(first, int(every.get(FROM, 0)))
        if UNTIL not in own:
            until = min(until, int(every.get(UNTIL, until)))
        if first >= until:
            continue
        update: dict[str, object] = {"from_": first, "until": until}
        if payer := own.get(PAID_BY, every.get(PAID_BY)):
            update["paid_by"] = payer
        if isinstance(period, Phase):
            wanted = own.get(PHASE_OUT, every.get(PHASE_OUT, period.phase_out))
            is_last = place == len(periods) - 1
            update["phase_out"] = min(int(wanted if is_last else period.phase_out), until - first)
        found.append(period.model_copy(update=update))
    return found


def phases_of(
    strategy: Strategy, name: str, intensity: float, conditions: Conditions, scenario: Scenario
) -> list[Phase]:
    """Return the phases of a lever: those of a strategy, or one at an intensity, under conditions.

    A lever that the strategy lacks is in force from the first to the last quarter.
    """
    phases: Sequence[Phase] = strategy.levers.get(name, ())
    if not phases and intensity > 0.0:
        payer = scenario.levers[name].payer
        areas, until = tuple(scenario.areas), scenario.horizon
        phases = [Phase(intensity=intensity, areas=areas, until=until, paid_by=payer)]
    return under_conditions(phases, lever_name(name), conditions, scenario.horizon)


def budget_of(strategy: Strategy, conditions: Conditions) -> float | None:
    """The most that a user's strategy may cost in a year; None if there is no limit."""
    value = conditions.get(BUDGET, strategy.budget)
    return None if value is None else float(value)


def of_all(conditions: Conditions) -> Conditions:
    """The conditions that hold for all levers, and not for one."""
    return {name: value for name, value in conditions.items() if "." not in name}


# Choices ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preset:
    """Conditions that one click sets."""

    name: str
    label: str
    help: str
    conditions: Conditions


def presets(scenario: Scenario) -> list[Preset]:
    """The questions that people ask most of time and money, as conditions of all levers."""
    found = []
    if has_tiers(scenario):
        until = min(THREE_YEARS, scenario.horizon)
        text = _("The higher tier pays for all levers, which end after {number} quarters.")
        found.append(
            Preset(
                "province", _("The province pays for three years"), text.format(number=until),
                {PAID_BY: "tier", UNTIL: until},
            )
        )  # fmt: skip
    amount = usual_budget(scenario)
    text = _(
        "All levers together cost no more. Running levers are cut in proportion, and grants get "
        "what is left."
    )
    label = _("{amount} a year").format(amount=amount_in_words(amount, scenario.currency))
    found.append(Preset("budget", label, text, {BUDGET: amount}))
    return found


def usual_budget(scenario: Scenario) -> float:
    """The budget a year of the preset: two billion rupiah, or as much of another currency."""
    if scenario.currency == RUPIAH:
        return TWO_BILLION
    people = float(scenario.regions.population.sum())
    yearly = people * sum(area.cost_per_resident for area in scenario.areas.values())
    return float(f"{SAME_SHARE * yearly:.0e}")


def amount_in_words(value: float, currency: str) -> str:
    """A sum of money with its unit in words: 2 billion rupiah."""
    scale = choose_scale("currency", [value], currency=currency)
    return f"{significant(value / scale.divisor)} {unit_in_words(value, currency)}"


def amount_unit(scenario: Scenario) -> str:
    """The unit in which a budget is typed, in words: billion rupiah."""
    return unit_in_words(usual_budget(scenario), scenario.currency)


def unit_in_words(value: float, currency: str) -> str:
    """The unit of a sum of money in words."""
    names = {"IDR": _("rupiah"), "EUR": _("euro"), "USD": _("US dollars")}
    return f"{money_unit(value, currency)[1]} {names.get(currency, currency)}".strip()


def money_scale(scenario: Scenario) -> Scale:
    """The unit in which a budget is typed."""
    return choose_scale("currency", [usual_budget(scenario)], currency=scenario.currency)


def has_tiers(scenario: Scenario) -> bool:
    """Whether the regions have a higher tier, which may pay."""
    return any(scenario.regions.tier)


def payers(scenario: Scenario, usual: str = "") -> dict[str, str]:
    """The bearers of cost among which a user chooses, with the usual one first, under ''."""
    text = _("as usual ({payer})").format(payer=_(PAYER_TITLES[usual])) if usual else _("as usual")
    known = (who for who in PAYERS if who != "tier" or has_tiers(scenario))
    return {"": text} | {who: _(PAYER_TITLES[who]) for who in known if who != "supporter"}


def quarter_title(scenario: Scenario, quarter: int) -> str:
    """A quarter as a year and its part."""
    year, part = scenario.start_year + quarter // QUARTERS, quarter % QUARTERS + 1
    return _("{year}, quarter {part}").format(year=year, part=part)


def length_title(quarters: int) -> str:
    """A number of quarters in words: in years where they are whole."""
    if quarters and quarters % QUARTERS == 0:
        years = quarters // QUARTERS
        return ngettext("{number} year", "{number} years", years).format(number=years)
    return ngettext("{number} quarter", "{number} quarters", quarters).format(number=quarters)


def describe_times(phases: Sequence[Phase], scenario: Scenario) -> str:
    """When levers are in force and who pays: 2026 to 2028, then out over 1 year; members pay."""
    if not phases:
        return _("never in force")
    first, last = min(p.from_ for p in phases), max(p.until for p in phases)
    text = _("all {number} years").format(number=f"{scenario.horizon / QUARTERS:g}")
    if (first, last) != (0, scenario.horizon):
        text = _("{first} to {last}").format(
            first=quarter_title(scenario, first), last=quarter_title(scenario, last - 1)
        )
    if out := phases[-1].phase_out:
        text += _(", phased out over {length}").format(length=length_title(out))
    who = " + ".join(dict.fromkeys(_(PAYER_TITLES[p.paid_by]) for p in phases))
    return _("{times}; paid by {payer}").format(times=text, payer=who)


def describe_phases(phases: Sequence[Phase], scenario: Scenario) -> str:
    """The phases of a lever in words: when each is in force, and how strong it is."""
    text = _("{first} to {last}: {intensity}")
    return "; ".join(
        text.format(
            first=quarter_title(scenario, one.from_), last=quarter_title(scenario, one.until - 1),
            intensity=significant(one.intensity),
        )
        for one in phases
    )  # fmt: skip
