"""The choices of a user: the strategy, the assumptions, and what is shown.

:class:`Settings` holds all choices and converts them to the address of a page and back;
:func:`controls` lists the sliders that change them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from kolabsim.app.conditions import (
    NAMES,
    Condition,
    Conditions,
    lever_name,
    read_condition,
    read_number,
    read_once,
    write_condition,
    write_number,
)
from kolabsim.app.kept import Kept, read_kept
from kolabsim.errors import Problems, suggestion
from kolabsim.figures.formatting import format_price, significant
from kolabsim.figures.labels import capitalise
from kolabsim.i18n import LANGUAGES, _, language
from kolabsim.model.levers import BASE_TITLES, LEVERS, STEPS, SUPPORTERS, usual_price
from kolabsim.model.measures import PAGE, shown_in
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.scenario.strategy import Strategy

SHOWN = shown_in(PAGE)
"""Measures whose differences are shown."""
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Settings:
    """All choices of a user; the rest is as the scenario and the strategy have it.

    >>> Settings(baseline="forum").moved("mechanisms.team", 1.0).query
    'baseline=forum&mechanisms.team=1'
    """

    scenario: str = "kartamantul"
    """Name of a shipped or an uploaded scenario."""
    start: str = "team"
    """Strategy of the scenario from which the user's own starts."""
    baseline: str = BASELINE
    """Strategy with which it is compared."""
    measure: str = SHOWN[0]
    """Measure that is drawn over time."""
    seed: int = 1
    lang: str = "en"
    group: str = field(default="", compare=False)
    """Codes of a group for its own tab, with commas, the region that asks first."""
    area: str = field(default="", compare=False)
    form: str = field(default="", compare=False)
    leaves: str = field(default="", compare=False)
    """Its service area, its legal form, and the years after which members leave."""
    sweep: str = field(default="", compare=False)
    """Names of the factors of a sweep, with a comma between two."""
    levers: Mapping[str, float] = field(default_factory=dict)
    """Intensities, 0 to 1, of the levers that were moved."""
    conditions: Conditions = field(default_factory=dict)
    """Times, payers and budget that were set, by dotted names; see :mod:`.conditions`."""
    kept: tuple[Kept, ...] = ()
    """Strategies that are kept under a name, side by side."""
    assumptions: Mapping[str, float] = field(default_factory=dict)
    """Values of the parameters that are fixed; all others vary from future to future."""

    @property
    def changes(self) -> dict[str, float]:
        """The values that were moved, by dotted names as in a scenario."""
        levers = {lever_name(name): value for name, value in self.levers.items()}
        return levers | {f"parameters.{name}": value for name, value in self.assumptions.items()}

    @property
    def query(self) -> str:
        """The part of an address after the question mark: all that differs from the defaults."""
        usual = Settings()
        words = {
            name: getattr(self, name) for name in WORDS
            if getattr(self, name) != getattr(usual, name)
        }  # fmt: skip
        words |= {name: write_number(value) for name, value in self.changes.items()}
        words |= {name: write_condition(value) for name, value in self.conditions.items()}
        words |= {f"kept.{number}": one.text for number, one in enumerate(self.kept, 1)}
        return urlencode(words)

    def moved(self, name: str, value: float | None) -> Settings:
        """Return settings with a lever moved or a parameter fixed; None puts it back."""
        kind, _dot, rest = name.partition(".")
        group = "assumptions" if kind == "parameters" else "levers"
        others = {key: v for key, v in getattr(self, group).items() if key != rest}
        changed = others if value is None else others | {rest: value}
        return replace(self, **{group: changed})  # type: ignore[arg-type]

    def under(self, name: str, value: Condition | None) -> Settings:
        """Return settings with a condition; None puts it back."""
        others = {key: v for key, v in self.conditions.items() if key != name}
        return replace(self, conditions=others if value is None else others | {name: value})

    def keep(self, name: str) -> Settings:
        """Return settings that keep the present strategy under a name, in place of that before."""
        one = Kept(name, self.start, dict(self.levers), dict(self.conditions))
        others = tuple(other for other in self.kept if other.name != name)
        return replace(self, kept=(*others, one))

    def showing(self, one: Kept) -> Settings:
        """Return settings with the levers and conditions of a kept strategy."""
        return replace(self, start=one.start, levers=one.levers, conditions=one.conditions)


WORDS = (
    "scenario", "start", "baseline", "measure", "seed", "lang", "group", "area", "form", "leaves",
    "sweep",
)  # fmt: skip
"""Settings that are one word or number, by their names in an address."""


def language_of(pairs: Iterable[tuple[str, str]]) -> str:
    """The language that an address asks for; that of the server if it asks for none that is."""
    wanted = dict(pairs).get("lang", "")
    return wanted if wanted in LANGUAGES else language()


def read_query(
    pairs: Iterable[tuple[str, str]], problems: Problems, known: Collection[str] = ()
) -> Settings:
    """Read settings from an address; report invalid ones, and leave them at their defaults.

    ``known`` are the words of a page that has no others.
    """
    found = Settings()
    ranges = {lever_name(name): (0.0, 1.0) for name in LEVERS}
    ranges |= {f"parameters.{name}": (entry.low, entry.high) for name, entry in PARAMETERS.items()}
    words = {"measure": SHOWN, "lang": tuple(LANGUAGES)}
    for name, text in read_once(pairs, problems).items():
        if known and name not in known:
            report_unknown(name, known, problems)
        elif name in ranges:
            value = read_number(name, text, *ranges[name], problems)
            found = found if value is None else found.moved(name, value)
        elif name == "seed":
            value = read_number(name, text, 0, LARGEST_SEED, problems, is_whole=True)
            found = found if value is None else replace(found, seed=int(value))
        elif name in NAMES:
            found = found.under(name, read_condition(name, text, problems))
        elif name.startswith("kept."):
            found = replace(found, kept=read_kept(text, found.kept, problems))
        elif name in WORDS and text in words.get(name, (text,)):
            found = replace(found, **{name: text})  # type: ignore[arg-type]
        else:
            valid, word = (words[name], text) if name in words else ((*WORDS, *ranges), name)
            report_unknown(word, valid, problems)
    return found


def report_unknown(word: str, known: Collection[str], problems: Problems) -> None:
    """Report a word of an address that is none of those that are known."""
    message = _("'{word}' is not known here{hint}")
    problems.add(message.format(word=word[:60], hint=suggestion(word[:60], known)))


# Controls -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Control:
    """A slider: a lever's intensity, or the value of a fixed assumption."""

    name: str
    """Dotted name, as in a scenario."""
    label: str
    help: str
    low: float
    high: float
    value: float
    usual: float
    """Value in the scenario and in the strategy from which the user's own starts."""
    is_fixed: bool = False
    """Whether its usual value is a choice like all others."""

    @property
    def step(self) -> float:
        """Distance between two positions; the usual value is a whole number of steps up.

        A twentieth of an intensity. A parameter reaches its usual value in ten or twenty steps,
        because it lies a third or half of the range up.
        """
        if (self.low, self.high) == (0.0, 1.0):
            return 0.05
        share = (self.usual - self.low) / (self.high - self.low)
        steps = max(10 * round(3.0 * share), 1)
        return (self.usual - self.low) / steps if share else (self.high - self.low) / 30.0

    def setting(self, value: float) -> float | None:
        """The setting for a position of the slider; None for the usual intensity of a lever."""
        if self.is_fixed:
            return value
        return None if abs(value - self.usual) < self.step / 100.0 else value


def controls(settings: Settings, scenario: Scenario) -> dict[str, dict[str, list[Control]]]:
    """List the sliders by the title of their group and of the step that they belong to.

    Levers come in the order of the five steps of collaboration, then the supporters, then the
    assumptions that are fixed.
    """
    start = scenario.strategies.get(settings.start)
    steps: dict[str, list[Control]] = {}
    supporters: list[Control] = []
    for name, lever in LEVERS.items():
        price = scenario.parameters.get(lever.price, PARAMETERS[lever.price].default)
        price = usual_price(lever, price)
        usual = intensity(start, name) if start else 0.0
        text = _("{meaning}. Price: {share} of {base}.").format(
            meaning=capitalise(_(lever.meaning)), base=_(BASE_TITLES[lever.base]),
            share=format_price(price),
        )  # fmt: skip
        value, label = settings.levers.get(name, usual), capitalise(_(lever.title))
        title = f"{[*STEPS].index(lever.step) + 1}. {capitalise(_(STEPS[lever.step]))}"
        group = supporters if name in SUPPORTERS else steps.setdefault(title, [])
        group.append(Control(lever_name(name), label, text, 0.0, 1.0, value, usual))
    assumptions = [assumption(name, settings, scenario) for name in settings.assumptions]
    external = STEPS["support"]
    return {
        _("Steps of collaboration"): steps,
        capitalise(_(external)): {"": supporters},
        assumptions_title(): {"": assumptions},
    }


def assumptions_title() -> str:
    """Title of the group of assumptions."""
    return _("Assumptions")


def fixable(futures: Mapping[str, Mapping[str, object]], settings: Settings) -> dict[str, str]:
    """Titles of the assumptions that vary and can be fixed, by dotted names, in their order."""
    varied = dict.fromkeys(name for future in futures.values() for name in future)
    names = (name.removeprefix("parameters.") for name in varied if name.startswith("parameters."))
    titles = {
        f"parameters.{name}": capitalise(_(PARAMETERS[name].meaning))
        for name in names
        if name in PARAMETERS and name not in settings.assumptions
    }
    return dict(sorted(titles.items(), key=lambda item: item[1]))


def usual_value(name: str, scenario: Scenario) -> float:
    """The value of a parameter in a scenario."""
    return float(scenario.parameters.get(name, PARAMETERS[name].default))


def assumption(name: str, settings: Settings, scenario: Scenario) -> Control:
    """The slider of a parameter."""
    entry = PARAMETERS[name]
    usual = usual_value(name, scenario)
    unit = "" if entry.unit == "1" else f" {_(entry.unit)}"
    text = _("{low} to {high}{unit}; usually {usual}. Source: {source}.").format(
        low=significant(entry.low), high=significant(entry.high), unit=unit,
        usual=significant(usual), source=_(entry.source),
    )  # fmt: skip
    return Control(
        f"parameters.{name}", capitalise(_(entry.meaning)), text, min(entry.low, usual),
        max(entry.high, usual), settings.assumptions.get(name, usual), usual, is_fixed=True,
    )  # fmt: skip


def intensity(strategy: Strategy, lever: str) -> float:
    """The intensity, 0 to 1, with which a strategy uses a lever: the largest of its phases."""
    return max((phase.intensity for phase in strategy.levers.get(lever, ())), default=0.0)
