"""What keeps regions from cooperating in a scenario, and what looks the same, before any run."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.i18n import Amount, _, language, ngettext
from kolabsim.scenario.compile import contact_arrays
from kolabsim.scenario.names import plain
from kolabsim.scenario.shapes import some

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario


@dataclass(frozen=True)
class Notice:
    """A sentence on a scenario that runs but cannot show what its author probably expects."""

    text: str
    is_total: bool = False
    """Whether nothing at all can happen, so that all results are zero."""


def find_notices(scenario: Scenario) -> list[Notice]:
    """Return what keeps regions from cooperating, the gravest first, and which labels are equal.

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
        return [Notice(text, is_total=True), *_equal_labels(scenario)]
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
        found.append(Notice(text, is_total=True))
    lone = [code for code, number in zip(regions.codes, degree, strict=True) if not number]
    if lone:
        text = ngettext(
            "{number} region has no contact and stays alone: {codes}.",
            "{number} regions have no contact and stay alone: {codes}.",
            len(lone),
        )
        found.append(Notice(text.format(number=len(lone), codes=some(lone))))
    islands = [c for c, bordering in zip(regions.codes, has_border, strict=True) if not bordering]
    if spills and not has_border.any():
        text = _(
            "No two regions share a land border, so no benefit spills over to neighbours. "
            "Import the regions with places or a map, or give borders: "
            "contacts.borders: places, or a list."
        )
        found.append(Notice(text))
    elif spills and islands:
        text = ngettext(
            "{number} region has no land neighbour, so nothing spills over to it: {codes}.",
            "{number} regions have no land neighbour, so nothing spills over to them: {codes}.",
            len(islands),
        )
        found.append(Notice(text.format(number=len(islands), codes=some(islands))))
    partners = set(zip(source.tolist(), contact["target"].tolist(), strict=True))
    found += _strangers(scenario, partners)
    return [*found, *_equal_labels(scenario)]


def _strangers(scenario: Scenario, contacts: Set[tuple[int, int]]) -> Iterator[Notice]:
    """Say which joint bodies have members without a contact among their partners."""
    row = {code: i for i, code in enumerate(scenario.regions.codes)}
    for body in scenario.bodies:
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
            yield Notice(text.format(area=body.area, codes=some(lone)))


def _equal_labels(scenario: Scenario) -> Iterator[Notice]:
    """Say which regions and strategies look the same, and how reports tell them apart."""
    regions, titles = scenario.regions, {}
    for name, strategy in scenario.strategies.items():
        titles[name] = strategy.title(language())
    texts = {
        _("{number} regions are called “{label}”; reports add their codes: {keys}."): dict(
            zip(regions.codes, regions.names, strict=True)
        ),
        _("{number} strategies are titled “{label}”; reports add their names: {keys}."): titles,
    }
    for text, labels in texts.items():
        same: dict[str, list[str]] = {}
        for key, label in labels.items():
            same.setdefault(plain(label), []).append(key)
        for label, keys in same.items():
            if len(keys) > 1:
                yield Notice(text.format(number=len(keys), label=label, keys=some(keys)))
