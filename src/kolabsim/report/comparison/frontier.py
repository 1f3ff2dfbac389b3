"""What strategies bring for the same money: net benefit over programme cost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.levels import COST as PROGRAMME_COST
from kolabsim.analysis.levels import strength
from kolabsim.figures.formatting import Scale, choose_scale, money, percent, write_interval
from kolabsim.figures.frontier import cost_frontier
from kolabsim.i18n import _
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import QUARTERS
from kolabsim.report.comparison.tables import same_money_table
from kolabsim.report.comparison.view import View
from kolabsim.report.page import Block, Cell, Folded, Section, Table, separate
from kolabsim.report.wording import fill, join_names

if TYPE_CHECKING:
    import pandas as pd


@separate
def frontier_section(view: View, along: pd.DataFrame | None, equal_cost: float | None) -> Section:
    """Net benefit for the same money, over programme cost, and the strategies at equal cost."""
    same, blocks = view.same_money, list[Block](money_lines(view, along, equal_cost))
    if same is not None:
        text = _(
            "Strategies differ in programme cost as they are. Below, those whose mean cost is not "
            "within a tenth of that of “{reference}” are simulated once more with all their levers "
            "scaled in proportion until it is, on the same draws."
        )
        reference = view.title(str(same["reference"].iloc[0]))
        text = fill(text, reference=reference)
        blocks = [text, *blocks, same_money_table(view, same)]
    if along is not None:
        blocks += frontier_blocks(view, along, equal_cost)
    if not blocks:
        blocks = [_("Fewer than two strategies have a programme cost, so none is scaled.")]
    return Section("money", _("The same money"), *blocks)


def frontier_blocks(view: View, along: pd.DataFrame, equal_cost: float | None) -> list[Block]:
    """Net benefit over programme cost along intensities, as a figure and a table."""
    text = _(
        "A strategy at full intensity has its strongest lever at 1 and the others in proportion. "
        "Curves show the median over {futures} futures at several intensities; strategies without "
        "an intensity, such as mandates, have no curve."
    )
    return [
        fill(text, futures=int(along["futures"].iloc[0])),
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
    ]


def money_lines(view: View, along: pd.DataFrame | None, equal_cost: float | None) -> list[str]:
    """What strategies bring for the same money, in sentences."""
    found = ["" if equal_cost is None else equal_sentence(view, equal_cost)]
    if view.same_money is not None:
        found += [scaled_sentence(view, view.same_money), left_out_sentence(view, view.same_money)]
    elif along is not None:
        found.append(same_money_sentence(view, along))
    return [text for text in found if text]


def scaled_sentence(view: View, same: pd.DataFrame) -> str:
    """Which strategy brings most at the cost of one of them."""
    best, reference = str(same.index[0]), str(same["reference"].iloc[0])
    row = same.loc[best]
    text = _(
        "For the money of “{reference}” ({cost} a year), “{best}” brings most: {difference} "
        "({interval}), at {level} of its own intensity; “{reference}” brings {other}."
    )
    if best == reference:
        text = _(
            "For the money of “{reference}” ({cost} a year), no strategy brings more than itself: "
            "{difference} ({interval})."
        )
    if len(same) < 2:
        text = _("No other strategy can be scaled to the cost of “{reference}” ({cost} a year).")
    return fill(
        text, reference=view.title(reference), best=view.title(best),
        cost=money(float(same.loc[reference, "cost"]), view.scenario.currency),
        difference=view.scale.text(row["difference"], signed=True), level=float(row["level"]),
        interval=write_interval(
            view.scale, row["low"], row["high"], signed=True,
            futures=row["futures"] if view.is_varied else 0,
        ),
        other=view.scale.text(same.loc[reference, "difference"], signed=True),
    )  # fmt: skip


def left_out_sentence(view: View, same: pd.DataFrame) -> str:
    """Which strategies with a cost are not scaled to that of another one, and why."""
    found = []
    for name in view.order:
        row = view.money[(view.money["strategy"] == name) & (view.money["item"] == PROGRAMME_COST)]
        if name in same.index or not (row["value"] > 0.0).any():
            continue
        is_duty = strength(view.scenario, name) == 0.0
        text = _("{strategy} (a duty has no intensity)") if is_duty else "{strategy}"
        found.append(fill(text, strategy=view.title(name)))
    if not found:
        return ""
    return fill(_("Not to be scaled to this cost: {names}."), names=join_names(found))


def equal_sentence(view: View, equal_cost: float) -> str:
    """Which strategies of the page cost the same, at which intensities, and which have none."""
    scenario, found, duties = view.scenario, [], []
    costs = view.money[view.money["item"] == PROGRAMME_COST].set_index("strategy")["value"]
    years = scenario.horizon / QUARTERS
    for name in view.order:
        share = strength(scenario, name)
        if share > 0.0:
            text = _("{strategy} {share}")
            found.append(fill(text, strategy=view.title(name), share=percent(share)))
        else:
            own = money(float(costs[name]) / years, scenario.currency)
            text = _("{strategy} ({cost} a year)")
            duties.append(fill(text, strategy=view.title(name), cost=own))
    text = _(
        "The strategies on this page were scaled to a mean programme cost of {cost} a year; the "
        "intensity of the strongest lever is then: {list}."
    )
    said = fill(text, cost=money(equal_cost, scenario.currency), list="; ".join(found))
    if duties:
        text = _("Not scaled, because a duty holds or does not and has no intensity: {names}.")
        said = f"{said} {fill(text, names=join_names(duties))}"
    return said


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
                write_interval(scale, row.low, row.high, futures=row.futures, signed=True),
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
