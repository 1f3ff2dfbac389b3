"""The five questions whose answers make a scenario of a table of regions.

Each answer is a short text, the same on the command line, on the web page and in Python. A question
without an answer gets the default that its data suggest; the language has no part in it. The file
is long because the five questions complete one record together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import numpy as np

from kolabsim.errors import InputError, suggestion
from kolabsim.i18n import _, ngettext
from kolabsim.model.areas import FAMILIES, Area
from kolabsim.model.laws import unit_cost
from kolabsim.scenario.contacts import LARGEST_CIRCLE
from kolabsim.scenario.geometry import great_circle, on_sphere
from kolabsim.scenario.presets import PRESETS, Preset
from kolabsim.scenario.question_forms import QUESTIONS
from kolabsim.scenario.regions import Regions
from kolabsim.scenario.tables import as_number

FEW = 30
"""Most regions that all know each other unless the answer says otherwise."""
NEAREST = 8
"""Acquaintances of each region where regions are too many to all know each other."""
MANY = 600
"""An ensemble of more regions takes minutes: choosing a neighbourhood is advised."""


@dataclass(frozen=True)
class Option:
    """A form of answer, and what these regions have to say about it."""

    value: str
    title: str
    note: str = ""
    obstacle: str = ""
    """Why it is impossible with these regions; "" if it is possible."""


@dataclass(frozen=True)
class Answer:
    """The answer to a question."""

    question: str
    value: str
    reason: str
    """Why: what the data suggest, or that somebody chose it."""
    is_given: bool
    options: tuple[Option, ...] = ()
    suggested: str = ""
    """The answer that the data suggest."""


@dataclass
class Setup:
    """What the answers make of a table: the regions that take part and the scenario's settings."""

    regions: Regions
    borders: Sequence[tuple[str, str, float]] | None
    """Pairs of regions with a common border, and its length in km; None without shapes."""
    everybody: tuple[str, ...]
    """Codes of all regions of the table."""
    answers: dict[str, Answer] = field(default_factory=dict)
    families: tuple[str, ...] = ()
    prices: dict[str, float] = field(default_factory=dict)
    """Cost per resident at efficient scale by area."""
    currency: str | None = None
    contacts: dict[str, object] = field(default_factory=dict)
    """Keys of the section ``contacts`` of the scenario, without ``list``."""
    border_file: Path | None = None
    """File that lists land borders, if the answer names one."""
    files: Mapping[str, Path] | None = None
    """The only files that answers may name, by their names; None: any file."""

    @property
    def areas(self) -> dict[str, Area]:
        """The service areas of the families."""
        return {name: area for family in self.families for name, area in FAMILIES[family].items()}


def answer_questions(
    regions: Regions,
    borders: Sequence[tuple[str, str, float]] | None,
    given: Mapping[str, str | None],
    files: Mapping[str, Path] | None = None,
) -> Setup:
    """Answer the questions about regions.

    Parameters
    ----------
    regions
        All regions of the table.
    borders
        Pairs of codes with a common border, and its length in km; None if there are no shapes.
    given
        Answers by the names of :data:`QUESTIONS`. None, or no entry, is the default.
    files
        Where the files are that answers may name; by default any file.

    Raises
    ------
    InputError
        If an answer cannot be understood, or is impossible with these regions.

    Examples
    --------
    >>> from kolabsim import load
    >>> setup = answer_questions(load("kartamantul").regions, None, {"acquaintance": "nearest:3"})
    >>> setup.answers["acquaintance"].is_given, setup.answers["services"].is_given
    (True, False)
    >>> setup.contacts
    {'borders': 'places', 'nearest': 3}
    """
    for name in given:
        if name not in QUESTIONS:
            text = _("there is no question '{name}'{hint}")
            raise InputError.of(text, name=name, hint=suggestion(name, QUESTIONS))
    setup = Setup(regions, borders, regions.codes, files=files)
    for name in QUESTIONS:
        ask, apply = _STEPS[name]
        options, default, reason = ask(setup)
        value = given.get(name)
        if value is None:
            setup.answers[name] = Answer(name, default, reason, False, tuple(options), default)
        else:
            text, value = _("chosen"), value.strip()
            setup.answers[name] = Answer(name, value, text, True, tuple(options), default)
            for option in options:
                if option.value == value and option.obstacle:
                    _refuse(name, value, option.obstacle)
        apply(setup, setup.answers[name].value)
    chosen = setup.answers["neighbourhood"]
    if chosen.is_given:
        reason = f"{chosen.reason}; {_number_of(len(setup.regions))}"
        setup.answers["neighbourhood"] = replace(chosen, reason=reason)
    return setup


def _refuse(question: str, value: str, why: str, **words: object) -> NoReturn:
    text = _("{question}: '{value}': {why}")
    text = text.format(question=question, value=value, why=why.format(**words))
    raise InputError.of(text)


def _misunderstood(question: str, value: str) -> NoReturn:
    forms = ", ".join(QUESTIONS[question].forms)
    _refuse(question, value, _("this is no answer; answers are {forms}"), forms=forms)


def _no_places(regions: Regions) -> str:
    if regions.placed:
        return ""
    return _("the regions have no places; add latitude and longitude, or a map with shapes")


Asked = tuple[list[Option], str, str]
"""Options, the default answer, and the reason for it."""


# Neighbourhood ----------------------------------------------------------------------------------


def _number_of(number: int) -> str:
    return ngettext("{number} region", "{number} regions", number).format(number=number)


def _ask_neighbourhood(setup: Setup) -> Asked:
    regions = setup.regions
    number, tiers = len(regions), regions.tiers()
    options = [Option("all", _("all of them"), _number_of(number))]
    if len(tiers) > 1:
        options += [
            Option(f"tier:{name}", name, _number_of(len(codes)))
            for name, codes in tiers.items() if name
        ]  # fmt: skip
    away = _("all within a distance of a region")
    options.append(Option("around:CODE:KM", away, obstacle=_no_places(regions)))
    options.append(Option("list:CODE,CODE", _("the regions of a list")))
    reason = _("no selection was made")
    if number > MANY:
        reason = _("no selection was made; {number} regions take minutes, so choose some of them")
    return options, "all", reason.format(number=number)


def _apply_neighbourhood(setup: Setup, value: str) -> None:
    regions = setup.regions
    kind, _colon, rest = value.partition(":")
    if value == "all":
        return
    if kind == "tier" and rest:
        tiers = regions.tiers()
        if rest not in tiers:
            hint = suggestion(rest, [tier for tier in tiers if tier])
            _refuse(
                "neighbourhood", value, _("there is no tier '{name}'{hint}"), name=rest, hint=hint
            )
        codes = set(tiers[rest])
    elif kind == "around" and (found := re.fullmatch(r"(.+):([\d.]+)(?: ?km)?", rest)):
        if obstacle := _no_places(regions):
            _refuse("neighbourhood", value, obstacle)
        centre, places = _code_of(regions, found[1], value), on_sphere(regions)
        near = great_circle(places, places[regions.codes.index(centre)]) <= float(found[2])
        codes = {code for code, is_near in zip(regions.codes, near, strict=True) if is_near}
    elif kind == "list" and rest:
        codes = {_code_of(regions, word.strip(), value) for word in rest.split(",") if word.strip()}
    else:
        _misunderstood("neighbourhood", value)
    setup.regions = regions.subset(codes)
    if setup.borders is not None:
        setup.borders = [pair for pair in setup.borders if pair[0] in codes and pair[1] in codes]


def _code_of(regions: Regions, word: str, value: str) -> str:
    """Return the code of a region that is given by its code or its name."""
    if word in regions.codes:
        return word
    both = zip(regions.codes, regions.names, strict=True)
    alike = [code for code, name in both if name.casefold() == word.casefold()]
    if len(alike) == 1:
        return alike[0]
    text = _("no region has the code or name '{word}'{hint}")
    if alike:
        text = _("several regions are called '{word}'; give a code: {codes}")
    hint = suggestion(word, [*regions.codes, *regions.names])
    _refuse("neighbourhood", value, text, word=word, hint=hint, codes=", ".join(alike[:5]))


# Services ---------------------------------------------------------------------------------------


def inside(preset: Preset, population: np.ndarray) -> np.ndarray:
    """Whether the economics of some service of a preset were made for each population [R].

    Unit costs are those of regions between a sixth of efficient scale and efficient scale.
    """
    scales = np.array([area.efficient_scale for area in preset.areas.values()])
    people = np.asarray(population, float)[:, None]
    return np.any((people >= scales / 6.0) & (people <= scales), axis=1)


def _hauling(setup: Setup, areas: Mapping[str, Area]) -> str:
    """Return why services whose cost depends on distances are impossible; "" if they are not."""
    if setup.regions.placed or not any(area.haul for area in areas.values()):
        return ""
    return _("its cost depends on distances, and {why}").format(why=_no_places(setup.regions))


def _ask_services(setup: Setup) -> Asked:
    regions, options, shares = setup.regions, [], {}
    for name, preset in PRESETS.items():
        number, obstacle = (
            int(inside(preset, regions.population).sum()),
            _hauling(setup, preset.areas),
        )
        note = ngettext(
            "made for {what}; {number} of {all} regions is of that size",
            "made for {what}; {number} of {all} regions are of that size",
            number,
        ).format(what=_(preset.made_for), number=number, all=len(regions))
        if not obstacle:
            shares[name] = number / len(regions)
        options.append(Option(name, _(preset.title), note, obstacle))
    best = max(shares, key=lambda name: shares[name])
    reason = _("made for {what}; {share:.0%} of these regions are of that size")
    return options, best, reason.format(what=_(PRESETS[best].made_for), share=shares[best])


def _apply_services(setup: Setup, value: str) -> None:
    families: list[str] = []
    for word in re.split(r"\s*,\s*", value):
        if word not in PRESETS:
            hint = suggestion(word, PRESETS)
            _refuse(
                "services", value, _("there are no services '{word}'{hint}"), word=word, hint=hint
            )
        families += [family for family in PRESETS[word].families if family not in families]
    home: dict[str, str] = {}
    for family in families:
        for area in FAMILIES[family]:
            if area in home:
                text = _("'{one}' and '{other}' both have {area}")
                _refuse("services", value, text, one=home[area], other=family, area=area)
            home[area] = family
    setup.families = tuple(families)
    if obstacle := _hauling(setup, setup.areas):
        _refuse("services", value, obstacle)


# Prices -----------------------------------------------------------------------------------------

MONEY = re.compile(
    r"(?P<how>total|per-resident|column):\s*(?P<what>.+?)\s+(?P<currency>[A-Za-z]{2,8})\s*(;.*)?"
)
WEIGHT = re.compile(r"(\w+)\s*=\s*([\d.]+)\s*%?")


def _ask_prices(setup: Setup) -> Asked:
    prices, currency = _preset_prices(setup)
    unknown = "" if prices else _("these services have no known prices")
    options = [
        Option("units", _("cost units, no money"), _("a service costs one unit a resident")),
        Option("preset", _("assumed prices"), currency, unknown),
        Option("total:AMOUNT CURRENCY", _("yearly cost of all services in all regions together")),
        Option("per-resident:AMOUNT CURRENCY", _("yearly cost of all services per resident")),
        Option("column:NAME CURRENCY", _("a column with the yearly cost of all services")),
    ]
    return options, "units", _("no price was given, so results show no money")


def _preset_prices(setup: Setup) -> tuple[dict[str, float], str]:
    """Return the assumed prices of the services; {} if some have none."""
    for preset in PRESETS.values():
        if set(preset.families) == set(setup.families):
            return preset.prices()
    return {}, ""


def _apply_prices(setup: Setup, value: str) -> None:
    prices, currency = _preset_prices(setup)
    kind, _semicolon, shares = value.partition(";")
    weights = {name: prices.get(name, 1.0) for name in setup.areas}
    if shares.strip():
        weights = _read_shares(setup, value, shares)
    if kind.strip() == "preset" and prices:
        setup.prices, setup.currency = prices, currency
        return
    people = np.asarray(setup.regions.population, float)
    if kind.strip() == "units":
        amount, costs = float(len(weights)), dict.fromkeys(weights, 1.0)
    elif found := MONEY.fullmatch(value):
        # The cost of a service at efficient scale is below what regions spend at their own scale.
        costs = {
            name: float(people @ unit_costs(area, people)) for name, area in setup.areas.items()
        }
        setup.currency = found["currency"].upper()
        if found["how"] == "column":
            amount = float(_column(setup, found["what"], value).sum())
        else:
            amount = _amount(found["what"], value)
            amount *= float(people.sum()) if found["how"] == "per-resident" else 1.0
    else:
        _misunderstood("prices", value)
    scale = amount / sum(weights[name] * costs[name] for name in weights)
    setup.prices = {name: weight * scale for name, weight in weights.items()}


def _read_shares(setup: Setup, value: str, text: str) -> dict[str, float]:
    shares = {name: float(share) for name, share in WEIGHT.findall(text)}
    for name in shares:
        if name not in setup.areas:
            hint = suggestion(name, setup.areas)
            _refuse("prices", value, _("there is no service '{name}'{hint}"), name=name, hint=hint)
    if missing := ", ".join(name for name in setup.areas if not shares.get(name)):
        _refuse("prices", value, _("the shares need a number above 0 for {names}"), names=missing)
    return shares


def _amount(text: str, value: str) -> float:
    try:
        amount = float(text.replace("_", "").replace(" ", ""))
    except ValueError:
        amount = 0.0
    if not 0.0 < amount < math.inf:
        why = _("'{text}' is not an amount above 0; write it in digits, such as 2500000")
        _refuse("prices", value, why, text=text)
    return amount


def _column(setup: Setup, name: str, value: str) -> np.ndarray:
    texts = setup.regions.extra.get(name)
    if texts is None:
        hint = suggestion(name, setup.regions.extra)
        _refuse("prices", value, _("the table has no column '{name}'{hint}"), name=name, hint=hint)
    numbers = np.array([as_number(text) for text in texts])
    if not (np.isfinite(numbers) & (numbers > 0.0)).all():
        text = _("column '{name}' does not hold an amount above 0 for every region")
        _refuse("prices", value, text, name=name)
    return numbers


def unit_costs(area: Area, population: np.ndarray) -> np.ndarray:
    """Cost per person of serving each population alone, 1 at efficient scale [R]."""
    law = unit_cost.py_func  # type: ignore[attr-defined]
    shape = area.efficient_scale, area.curvature_below, area.curvature_above, 0
    return np.array([law(float(people), *shape) for people in population])


# Neighbours and acquaintance --------------------------------------------------------------------


def _ask_neighbours(setup: Setup) -> Asked:
    no_shapes = _("the table has no shapes") if setup.borders is None else ""
    no_places, pairs = _no_places(setup.regions), len(setup.borders or ())
    count = ngettext("{number} pair of regions", "{number} pairs of regions", pairs)
    between = _("from the places: no other region lies between two neighbours")
    options = [
        Option("shapes", _("real borders, from the shapes"), count.format(number=pairs), no_shapes),
        Option("places", between, obstacle=no_places),
        Option("list:FILE", _("a list with the columns code_a and code_b")),
        Option("none", _("none: no benefit spills over to neighbours")),
    ]
    if not no_shapes:
        return options, "shapes", _("the shapes show the borders")
    if not no_places:
        return options, "places", _("the table has places but no shapes")
    return options, "none", _("the table has neither shapes nor places")


def _apply_neighbours(setup: Setup, value: str) -> None:
    kind, _colon, rest = value.partition(":")
    if kind == "list" and rest:
        setup.border_file = Path(rest) if setup.files is None else setup.files.get(rest)
        if setup.border_file is None or not setup.border_file.is_file():
            _refuse("neighbours", value, _("there is no file '{name}'"), name=rest)
    elif value not in ("shapes", "places", "none"):
        _misunderstood("neighbours", value)
    setup.contacts["borders"] = "places" if value == "places" else "listed"
    if value != "shapes":
        setup.borders = None


def _ask_acquaintance(setup: Setup) -> Asked:
    regions = setup.regions
    number, has_tiers = len(regions), any(regions.tier)
    largest = max(map(len, regions.tiers().values()))

    def too_many(circle: int) -> str:
        text = _("{number} regions are too many to all know each other (at most {most})")
        return text.format(number=circle, most=LARGEST_CIRCLE) if circle > LARGEST_CIRCLE else ""

    no_tiers = "" if has_tiers else _("the table names no higher tier")
    options = [
        Option("everybody", _("all of these regions"), obstacle=too_many(number)),
        Option("tier", _("those of the same higher tier"), obstacle=no_tiers or too_many(largest)),
        Option("nearest:NUMBER", _("the nearest regions"), obstacle=_no_places(regions)),
        Option("neighbours", _("only land neighbours")),
    ]
    if number <= FEW:
        return options, "everybody", _("there are few regions")
    if has_tiers and largest <= FEW:
        return options, "tier", _("each tier has few regions")
    if regions.placed:
        return options, f"nearest:{NEAREST}", _("there are many regions")
    for option in options[:2][::-1]:
        if not option.obstacle:
            return options, option.value, _("there are many regions, without places")
    return options, "neighbours", _("there are many regions, without places")


def _apply_acquaintance(setup: Setup, value: str) -> None:
    circles = {"everybody": "all", "tier": "tier"}
    nearest = re.fullmatch(r"nearest:\s*(\d{1,3})", value)
    if not nearest and value not in (*circles, "neighbours"):
        _misunderstood("acquaintance", value)
    if nearest and (obstacle := _no_places(setup.regions)):
        _refuse("acquaintance", value, obstacle)
    setup.contacts["nearest"] = min(int(nearest[1]), 100) if nearest else 0
    if value in circles:
        setup.contacts["within"] = circles[value]


_STEPS: dict[str, tuple[Callable[[Setup], Asked], Callable[[Setup, str], None]]] = {
    "neighbourhood": (_ask_neighbourhood, _apply_neighbourhood),
    "services": (_ask_services, _apply_services),
    "prices": (_ask_prices, _apply_prices),
    "neighbours": (_ask_neighbours, _apply_neighbours),
    "acquaintance": (_ask_acquaintance, _apply_acquaintance),
}
