"""What keeps regions from cooperating in a scenario, and what looks the same, before any run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.errors import Problem, shown
from kolabsim.i18n import Amount, _, language, ngettext
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.scenario.compile import contact_arrays
from kolabsim.scenario.effects import idle_levers, same_strategies
from kolabsim.scenario.names import plain
from kolabsim.scenario.shapes import some
from kolabsim.scenario.source import NOWHERE, Location

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario


FAR = 6.0
"""How many times larger or smaller than efficient scale is far from it: as far as unit costs were
measured below it (:data:`kolabsim.model.laws.SIXTH`), and as far above it, which is assumed."""


@dataclass(frozen=True)
class Notice:
    """A sentence on files that can be run but cannot show what their author probably expects."""

    text: str
    is_total: bool = False
    """Whether nothing at all can happen, so that all results are zero."""
    place: Location = NOWHERE
    """Where it is written, if in a file."""

    def __str__(self) -> str:
        file, line = self.place.file, self.place.line
        return str(Problem(self.text, None if file is None else shown(file), line))

    @property
    def sentence(self) -> str:
        """The text with file and line, without the folders of this machine."""
        file = self.place.file
        named = Location(file and Path(file.name), self.place.line)
        return str(replace(self, place=named))


def find_notices(scenario: Scenario, strategies: Collection[str] | None = None) -> list[Notice]:
    """Return what keeps regions from cooperating, the gravest first, and which labels are equal.

    Notices on what strategies do are about those that are named, by default all.

    Examples
    --------
    >>> from kolabsim import load
    >>> scenario = load("small-towns")
    >>> find_notices(scenario)
    []
    >>> alone = scenario.with_({"contacts.nearest": 0, "contacts.borders": "listed"})
    >>> [notice.is_total for notice in find_notices(alone)]
    [True]
    """
    regions, areas = scenario.regions, scenario.areas
    place, contact, _distance = contact_arrays(scenario)
    degree = place["end"] - place["first"]
    source = np.repeat(np.arange(len(regions)), degree)
    has_border = np.bincount(source, contact["land"], len(regions)) > 0.0
    if not degree.any():
        if len(regions) == 1:
            text = _("Nothing can happen: there is only one region.")
        else:
            text = _(
                "Nothing can happen: no region has a contact, so none can propose a joint body. "
                "Give contacts: within (tier or all), nearest, or a list."
            )
        total = Notice(text, is_total=True, place=scenario.locate("contacts"))
        return [total, *_equal_labels(scenario)]
    found = []
    spills = any(area.spillover > 0.0 for area in areas.values())
    smallest = min(regions.population[degree > 0])
    if smallest >= max(a.efficient_scale for a in areas.values()) and not (
        spills and has_border.any()
    ):
        text = _(
            "Nobody can gain from scale: even the smallest region ({smallest} people) is "
            "larger than the efficient scale of every service (at most {scale}), and no "
            "benefit spills over. Choose services that were made for regions of such a size."
        )
        scale = max(area.efficient_scale for area in areas.values())
        text = text.format(smallest=Amount(smallest), scale=Amount(scale))
        found.append(Notice(text, is_total=True, place=scenario.locate("families")))
    else:
        found += _far_from_scale(scenario)
    lone = [code for code, number in zip(regions.codes, degree, strict=True) if not number]
    if lone:
        text = ngettext(
            "{number} region has no contact and stays alone: {codes}.",
            "{number} regions have no contact and stay alone: {codes}.",
            len(lone),
        )
        text = text.format(number=len(lone), codes=some(lone))
        found.append(Notice(text, place=scenario.locate("contacts")))
    islands = [c for c, bordering in zip(regions.codes, has_border, strict=True) if not bordering]
    if spills and not has_border.any():
        text = _(
            "No two regions share a land border, so no benefit spills over to neighbours. "
            "Import the regions with places or a map, or give borders: "
            "contacts.borders: places, or a list."
        )
        found.append(Notice(text, place=scenario.locate("contacts", "borders")))
    elif spills and islands:
        text = ngettext(
            "{number} region has no land neighbour, so nothing spills over to it: {codes}.",
            "{number} regions have no land neighbour, so nothing spills over to them: {codes}.",
            len(islands),
        )
        text = text.format(number=len(islands), codes=some(islands))
        found.append(Notice(text, place=scenario.locate("contacts")))
    partners = set(zip(source.tolist(), contact["target"].tolist(), strict=True))
    found += _strangers(scenario, partners)
    if regions.shapes and (bare := [c for c in regions.codes if c not in regions.shapes]):
        text = ngettext(
            "{number} region has no shape in the map, so it is drawn as a circle: {codes}.",
            "{number} regions have no shape in the map, so they are drawn as circles: {codes}.",
            len(bare),
        )
        text = text.format(number=len(bare), codes=some(bare))
        found.append(Notice(text, place=scenario.locate("regions", "shapes")))
    named = scenario.strategies if strategies is None else strategies
    effects = _without_effect(scenario, named)
    return [*found, *_without_price(scenario), *effects, *_equal_labels(scenario)]


def _far_from_scale(scenario: Scenario) -> Iterator[Notice]:
    """Say which services were made for regions of quite another size.

    Unit costs are known from regions between a sixth of efficient scale and efficient scale.
    """
    people = np.sort(scenario.regions.population)
    smallest, most = people[0], people[-scenario.cap :].sum()
    areas = scenario.areas.items()
    over = [name for name, area in areas if smallest > FAR * area.efficient_scale]
    under = [name for name, area in areas if most < area.efficient_scale / FAR]
    told = (
        (over, smallest, _(
            "{areas}: even the smallest region ({people} people) has more than six times the "
            "efficient scale, so these services save nothing by scale. Choose services that were "
            "made for regions of such a size."
        )),
        (under, most, _(
            "{areas}: even the largest possible joint body ({people} people) has less than a sixth "
            "of the efficient scale, where costs are a mere extrapolation. Choose services that "
            "were made for regions of such a size."
        )),
    )  # fmt: skip
    for names, people, text in told:
        if names:
            text = text.format(areas=some(names), people=Amount(people))
            yield Notice(text, place=scenario.locate("families"))


def _without_price(scenario: Scenario) -> Iterator[Notice]:
    """Say which services cost one unit of a real currency, because nobody gave a price."""
    usual = AREA_ATTRIBUTES["cost_per_resident"].default
    bare = [name for name, one in scenario.areas.items() if one.cost_per_resident == usual]
    if scenario.currency and bare:
        text = _(
            "{areas}: without a price (areas: cost_per_resident), they cost {price} {currency} per "
            "resident and year, so sums of money mean little."
        )
        text = text.format(areas=some(bare), price=Amount(usual), currency=scenario.currency)
        yield Notice(text, place=scenario.locate("currency"))


def _without_effect(scenario: Scenario, strategies: Collection[str]) -> Iterator[Notice]:
    """Say which levers do nothing, and which strategies do the same."""
    for path in idle_levers(scenario, strategies):
        text = _("{lever} has the intensity 0, so it does nothing.").format(lever=".".join(path))
        yield Notice(text, place=scenario.locate(*path))
    for names in same_strategies(scenario, strategies):
        text = _("{names} are the same strategy under {number} names, so their results are equal.")
        text = text.format(names=", ".join(names), number=len(names))
        yield Notice(text, place=scenario.locate("strategies", names[-1]))


def _strangers(scenario: Scenario, contacts: Set[tuple[int, int]]) -> Iterator[Notice]:
    """Say which joint bodies have members without a contact among their partners."""
    row = {code: i for i, code in enumerate(scenario.regions.codes)}
    for number, body in enumerate(scenario.bodies):
        partners = [body.provider] if body.provider else body.members
        lone = [
            code for code in body.members
            if code != body.provider
            and not any((row[code], row[other]) in contacts for other in partners if other)
        ]  # fmt: skip
        if lone:
            text = _(
                "In the body for {area}, no partner is a contact of {codes}, so trust never grows "
                "between them: add contacts."
            )
            text = text.format(area=body.area, codes=some(lone))
            yield Notice(text, place=scenario.locate("bodies", number))


def _equal_labels(scenario: Scenario) -> Iterator[Notice]:
    """Say which regions and strategies look the same, and how reports tell them apart."""
    regions, titles = scenario.regions, {}
    for name, strategy in scenario.strategies.items():
        titles[name] = strategy.title(language())
    names = dict(zip(regions.codes, regions.names, strict=True))
    of_regions = _("{number} regions are called “{label}”; reports add their codes: {keys}.")
    of_titles = _("{number} strategies are titled “{label}”; reports add their names: {keys}.")
    for section, labels, text in (
        ("regions", names, of_regions), ("strategies", titles, of_titles),
    ):  # fmt: skip
        same: dict[str, list[str]] = {}
        for key, label in labels.items():
            same.setdefault(plain(label), []).append(key)
        for label, keys in same.items():
            if len(keys) > 1:
                told = text.format(number=len(keys), label=label, keys=some(keys))
                yield Notice(told, place=scenario.locate(section, keys[-1]))
