"""What strategies bring for the same money: net benefit over programme cost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.levels import strength
from kolabsim.figures.formatting import Scale, choose_scale, money, percent
from kolabsim.figures.frontier import cost_frontier
from kolabsim.i18n import _
from kolabsim.model.measures import MEASURES
from kolabsim.report.comparison.view import View
from kolabsim.report.page import Cell, Folded, Section, Table, separate
from kolabsim.report.wording import fill

if TYPE_CHECKING:
    import pandas as pd


@separate
def frontier_section(view: View, along: pd.DataFrame, equal_cost: float | None) -> Section:
    """Net benefit over programme cost, and the strategies at equal cost."""
    return Section(
        "money",
        _("The same money"),
        fill(
            _(
                "A strategy at full intensity has its strongest lever at 1 and the others in "
                "proportion. Curves show the median over {futures} futures at several intensities; "
                "strategies without an intensity, such as mandates, have no curve."
            ),
            futures=int(along["futures"].iloc[0]),
        ),
        *money_lines(view, along, equal_cost),
        view.picture(
            partial(cost_frontier, view.comparison, along, equal_cost),
            _("Net benefit over programme cost of each strategy, along its intensity"),
            _(
                "Median difference from “{baseline}” in realised net benefit over mean programme "
                "cost a year, along the intensity of each strategy."
            ),
            "frontier",
        ),
        Folded(_("Intensities as a table"), [level_table(view, along)]),
    )


def money_lines(view: View, along: pd.DataFrame, equal_cost: float | None) -> list[str]:
    """What strategies bring for the same money, in sentences."""
    equal = "" if equal_cost is None else equal_sentence(view, equal_cost)
    return [text for text in (equal, same_money_sentence(view, along)) if text]


def equal_sentence(view: View, equal_cost: float) -> str:
    """That all strategies of the page cost the same, and at which intensities."""
    scenario, found = view.scenario, []
    for name in view.order:
        share = percent(strength(scenario, name))
        found.append(fill(_("{strategy} {share}"), strategy=view.title(name), share=share))
    text = _(
        "All strategies on this page were scaled to a mean programme cost of {cost} a year; the "
        "intensity of the strongest lever is then: {list}."
    )
    return fill(text, cost=money(equal_cost, scenario.currency), list="; ".join(found))


def same_money_sentence(view: View, along: pd.DataFrame) -> str:
    """Which strategy brings most for the money of the cheapest at full intensity."""
    full = along.groupby("strategy", sort=False)["cost"].max()
    full = full[full > 0.0]
    if len(full) < 2:
        return ""
    cost = float(full.min())
    values = {}
    for name in full.index:
        curve = along[along["strategy"] == name].sort_values("cost")
        values[str(name)] = float(np.interp(cost, curve["cost"], curve["difference"]))
    best, cheapest = max(values, key=values.__getitem__), str(full.idxmin())
    scale = benefit_scale(view, along)
    text = _(
        "For the money of “{cheapest}” at full intensity ({cost} a year), “{best}” brings most: "
        "{difference}, compared with {other} of “{cheapest}”."
    )
    if best == cheapest:
        text = _(
            "For the money of “{cheapest}” at full intensity ({cost} a year), no strategy brings "
            "more than “{cheapest}” itself: {difference}."
        )
    return fill(
        text, cheapest=view.title(cheapest), best=view.title(best),
        cost=money(cost, view.scenario.currency),
        difference=scale.text(values[best], signed=True),
        other=scale.text(values[cheapest], signed=True),
    )  # fmt: skip


def benefit_scale(view: View, along: pd.DataFrame) -> Scale:
    """The scale of net benefit along intensities."""
    unit, currency = MEASURES[NET_BENEFIT].unit, view.scenario.currency
    return choose_scale(unit, along["difference"], currency=currency).with_decimals(most=2)


def level_table(view: View, along: pd.DataFrame) -> Table:
    """Cost and net benefit of each strategy at each intensity."""
    scale = benefit_scale(view, along)
    cost = choose_scale("currency", along["cost"], currency=view.scenario.currency)
    rows = [
        (
            view.title(str(row.strategy)),
            percent(row.level, decimals=1),
            cost.bare(row.cost),
            Cell(
                scale.bare(row.difference, signed=True),
                scale.interval(row.low, row.high, signed=True),
            ),
        )
        for row in along.itertuples()
        if row.level > 0.0
    ]
    head = [
        _("Strategy"), _("Share of full intensity"),
        fill(_("Programme cost a year ({unit})"), unit=cost.label),
        fill(_("Difference ({unit})"), unit=scale.label),
    ]  # fmt: skip
    caption = _("Medians over futures, with 90% of the futures below")
    return Table(caption, head, rows)
