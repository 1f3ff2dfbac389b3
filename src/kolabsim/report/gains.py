"""The section on where sharing pays: by service area, by group of regions, and by region."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.figures.formatting import UNDEFINED, Scale, count, money, percent
from kolabsim.figures.labels import area_title, channel_title
from kolabsim.figures.validation import gains_map
from kolabsim.i18n import _
from kolabsim.report.page import Cell, Picture, Section, Table, separate
from kolabsim.validation.gains import MEASURE, AreaGain, gains_by_area

if TYPE_CHECKING:
    from kolabsim.validation.network import NetworkFit

MOST_REGIONS = 15
"""Regions that the table of largest gains lists."""
BENEFITS = ("scale", "spill", "pooled")
"""Channels through which sharing can pay; all others are costs."""
PERCENT = Scale(0.01, 1, "%")
"""How gains as shares of the stand-alone cost are written."""


@separate
def gain_section(fit: NetworkFit) -> Section:
    """What sharing brings in the model: by area, by group of regions, and to single regions."""
    text = _(
        "What sharing brings in the model, compared with serving alone. How many regions share is "
        "less certain than what sharing brings to those that do."
    )
    has_strata = len(set(fit.network.strata)) > 1
    picture = Picture(
        partial(gains_map, fit),
        _("Maps of what sharing brings to each region, one for each service area."),
        _(
            "Realised net benefit of sharing in percent of the stand-alone cost, mean over runs: "
            "blue gains, red loses. Pale dots: regions that hardly ever share."
        ),
    )
    return Section(
        "gains", _("Where sharing pays"), text, gain_table(fit),
        strata_table(fit) if has_strata else None, largest_gains(fit), picture,
    )  # fmt: skip


def every_gain(fit: NetworkFit, rows: np.ndarray | None = None) -> Iterable[AreaGain]:
    """What sharing brings to some regions [R], by default all, in each area of the scenario."""
    scenario = fit.network.scenario
    rows = np.ones(len(scenario.regions), bool) if rows is None else rows
    return gains_by_area(fit.simulated.figures, list(scenario.areas), rows)


def share_text(share: float) -> str:
    """A gain or loss as a share of the stand-alone cost."""
    return PERCENT.text(share, signed=True) if math.isfinite(share) else UNDEFINED


def gain_table(fit: NetworkFit) -> Table:
    """What sharing brings in each area, by channel."""
    rows = []
    for one in every_gain(fit):
        costs = sum(value for name, value in one.channels.items() if name not in BENEFITS)
        numbers = (*(one.channels[name] for name in BENEFITS), costs)
        cells = one.sharing, share_text(one.benefit), one.winners
        rows.append((area_title(one.area), *cells, *map(share_text, numbers)))
    head = [
        _("Service area"), _("Regions that share"), _("Net benefit"), _("Share of these that gain"),
        *(channel_title(name) for name in BENEFITS), _("All costs"),
    ]  # fmt: skip
    caption = _("What sharing brings to regions that share, in percent of the stand-alone cost")
    return Table(caption, head, rows)


def strata_table(fit: NetworkFit) -> Table:
    """Net benefit of those that share, by group of regions and area."""
    strata = fit.network.strata
    rows = [
        (
            f"{name} ({count((strata == name).sum())})",
            *(
                Cell(share_text(one.benefit), below=percent(one.sharing))
                for one in every_gain(fit, strata == name)
            ),
        )
        for name in sorted(set(strata))
    ]
    head = [_("Regions"), *(area_title(name) for name in fit.network.scenario.areas)]
    return Table(_("Net benefit of regions that share, and how many share"), head, rows)


def largest_gains(fit: NetworkFit) -> Table:
    """The regions to which sharing brings most, and through which channel."""
    scenario, figures = fit.network.scenario, fit.simulated.figures
    regions, areas = scenario.regions, list(scenario.areas)
    total = figures[:, :, MEASURE["benefit_money"]].sum(axis=1)
    each_year = total / regions.population / (scenario.horizon / 4.0)
    rows = []
    for i in np.argsort(-each_year, kind="stable")[:MOST_REGIONS]:
        best = int(np.argmax(figures[i, :, MEASURE["realised_benefit"]]))
        through = max(BENEFITS, key=lambda name: float(figures[i, best, MEASURE[name]]))
        each = money(float(each_year[i]), scenario.currency)
        people = count(regions.population[i])
        place = area_title(areas[best]), channel_title(through)
        rows.append((regions.labels[i], regions.tier[i], people, each, *place))
    head = [
        _("Region"), _("Higher tier"), _("Population"), _("Net benefit per resident and year"),
        _("Mostly in"), _("Mostly through"),
    ]  # fmt: skip
    return Table(_("Regions to which sharing brings most"), head, rows, prose=True)
