"""The tables of a comparison: what stands in them, in words of the language spoken now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.statistics import BETTER, GAINS, LOSES, UNDECIDED, WORSE
from kolabsim.figures.formatting import (
    UNDEFINED,
    Scale,
    choose_scale,
    count,
    decimal,
    format_interval,
    percent,
)
from kolabsim.figures.labels import (
    capitalise,
    channel_title,
    choose_measure_scale,
    choose_winner_scale,
    measure_label,
    strategy_title,
)
from kolabsim.i18n import _
from kolabsim.model.areas import AREA_TITLES
from kolabsim.model.measures import MEASURES
from kolabsim.report.page import Cell, Table, interval_cell, texts
from kolabsim.report.wording import in_groups, unit_of_money

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.comparison import Comparison

ACROSS = 5
"""Most measures beside each other, so that a table fits on a printed page."""
LONGEST = 12
"""Most regions at either end of a table of winners and losers."""


def fairness_table(fair: pd.DataFrame, areas: Sequence[str]) -> Table:
    """Shares of joint cost in the bodies at the end of a run, by each rule and by Shapley."""
    rules = {
        "population": _("By population served"), "equal": _("Equal"),
        "ability": _("By ability to pay"), "benefit": _("By stand-alone cost"),
        "shapley": _("Shapley"),
    }  # fmt: skip
    rows = [
        (
            f"{capitalise(_(AREA_TITLES.get(row['area'], row['area'])))}: {row['name']}",
            texts(*(percent(row[name]) for name in ("alone", *rules))),
        )
        for _place, row in fair[fair["area"].isin(areas)].iterrows()
    ]
    head = [_("Member"), _("Stand-alone cost"), *rules.values()]
    return Table(_("Shares of the cost of each joint body"), head, rows)


# The comparison ---------------------------------------------------------------------------------


def difference_tables(comparison: Comparison, measures: Sequence[str], future: str) -> list[Table]:
    """Paired differences from the baseline with intervals, a few measures a table."""
    made, groups = [], in_groups(measures, ACROSS)
    for number, some in enumerate(groups, 1):
        tables = {name: comparison.table(name, future=future) for name in some}
        scales = {
            name: choose_measure_scale(comparison, name, table) for name, table in tables.items()
        }
        caption = _("Difference from “{baseline}”, part {part} of {parts}").format(
            baseline=strategy_title(comparison, comparison.baseline), part=number, parts=len(groups)
        )
        rows = [
            (
                strategy_title(comparison, strategy),
                [difference_cell(tables[name].loc[strategy], scales[name]) for name in some],
            )
            for strategy in comparison.order(future=future)
        ]
        head = [_("Strategy"), *(measure_label(name, scales[name]) for name in some)]
        made.append(Table(caption, head, rows))
    return made


def difference_cell(row: pd.Series, scale: Scale) -> Cell:
    """A paired difference; a dash and how many pairs are undefined where there is none."""
    pairs = int(row["runs"] + row["undefined"])
    if not math.isfinite(row["difference"]):
        return Cell(UNDEFINED, remark=_("undefined runs: {number}").format(number=count(pairs)))
    remark = []
    if math.isfinite(row["better_share"]):
        remark.append(_("better: {share}").format(share=percent(row["better_share"])))
    if row["undefined"]:
        number = count(row["undefined"])
        remark.append(_("undefined runs: {number}").format(number=number))
    return interval_cell(
        scale, row["difference"], row["low"], row["high"],
        signed=True, verdict=row["verdict"], remark="; ".join(remark),
    )  # fmt: skip


def envelope_table(
    comparison: Comparison, names: Sequence[str], time: np.ndarray, middle: np.ndarray
) -> Table:
    """Medians over time of the difference in realised net benefit, [strategies, years]."""
    scale = choose_scale(MEASURES[NET_BENEFIT].unit, middle.ravel())
    scale = scale.with_decimals(2, 2)
    rows = [
        (strategy_title(comparison, name), texts(*(scale.bare(v, signed=True) for v in values)))
        for name, values in zip(names, middle, strict=True)
    ]
    caption = _("Median difference in realised net benefit, {unit}").format(unit=scale.label)
    return Table(caption, [_("Strategy"), *(str(t) for t in time)], rows)


def brief_table(comparison: Comparison, future: str) -> Table:
    """What matters most, in a few short columns: benefit, its uncertainty, cost, and who loses."""
    net = comparison.table(NET_BENEFIT, future=future)
    scale, money = (
        choose_measure_scale(comparison, NET_BENEFIT, net),
        cost_scale(comparison, future),
    )
    costs = comparison.costs[comparison.costs["future"] == future].pivot(
        index="strategy", columns="item", values="value"
    )
    lost = comparison.winners[comparison.winners["future"] == future]
    lost = lost[lost["verdict"] == LOSES]["strategy"].value_counts()
    rows = []
    for name in comparison.order(future=future):
        row, cost = net.loc[name], costs.loc[name]
        half = f"± {scale.bare((row['high'] - row['low']) / 2.0)}"
        cells = [
            Cell(scale.bare(row["difference"], signed=True), half, verdict=row["verdict"]),
            *texts(
                percent(row["better_share"]),
                money.bare(cost["programme_cost"]),
                money.bare(cost["net_saving"]),
                decimal(cost["saving_per_cost"], 2),
                count(lost.get(name, 0)) if len(comparison.winners) else UNDEFINED,
            ),
        ]
        rows.append((strategy_title(comparison, name), cells))
    head = [
        _("Strategy"), _("Net benefit"), _("Better in"), _("Cost"), _("Net saving"), _(
            "Saved per unit"
        ),
        _("Losers"),
    ]  # fmt: skip
    caption = _(
        "Differences from “{baseline}” with {level} intervals; {runs} runs each. Net benefit in "
        "{unit}; money over the run in {money}; “saved per unit” is the saving for each unit of "
        "money spent; the last column counts the regions that lose."
    ).format(
        baseline=strategy_title(comparison, comparison.baseline),
        level=percent(comparison.level),
        runs=count(comparison.runs),
        unit=scale.label,
        money=money.label,
    )
    return Table(caption, head, rows)


# Who wins and who loses -------------------------------------------------------------------------


def winner_table(
    comparison: Comparison, strategy: str, future: str, pages: Mapping[str, str]
) -> Table:
    """What each region gains or loses under a strategy; of many, those at either end.

    ``pages``: files of regions that have a page of their own, by their codes.
    """
    table = comparison.winners
    table = table[(table["future"] == future) & (table["strategy"] == strategy)]
    table = table.sort_values("difference", kind="stable")
    if len(table) > 2 * LONGEST:
        table = table.iloc[[*range(LONGEST), *range(-LONGEST, 0)]]
    share = choose_winner_scale(comparison)
    cash = choose_scale(
        "currency", table["money"], (table["money_high"] - table["money_low"]) / 2.0,
        currency=comparison.scenario.currency,
    )  # fmt: skip
    rows = [
        (
            region_title(row.name_, row.region),
            [
                interval_cell(
                    share, row.difference, row.low, row.high, signed=True, verdict=row.verdict
                ),
                interval_cell(cash, row.money, row.money_low, row.money_high, signed=True),
                Cell(percent(row.better_share)),
            ],
        )
        for row in table.rename(columns={"name": "name_"}).itertuples()
    ]
    head = [
        _("Region"),
        capitalise(share.label),
        _("Money over the run ({unit})").format(unit=cash.label),
        _("Share of runs in which it is better off"),
    ]
    caption = _("Realised net benefit under “{strategy}”, relative to “{baseline}”").format(
        strategy=strategy_title(comparison, strategy),
        baseline=strategy_title(comparison, comparison.baseline),
    )
    links = {
        region_title(row.name_, row.region): pages[row.region]
        for row in table.rename(columns={"name": "name_"}).itertuples()
        if row.region in pages
    }
    return Table(caption, head, rows, links=links)


def region_title(name: str, code: str) -> str:
    """What a region is called, with the code by which commands know it."""
    return name if name == code else f"{name} ({code})"


def verdict_table(comparison: Comparison, future: str) -> Table:
    """How many regions gain, lose and neither, and who loses most, under every strategy."""
    table = comparison.winners[comparison.winners["future"] == future]
    scale, rows = choose_winner_scale(comparison), []
    for strategy in comparison.order(future=future):
        here = table[table["strategy"] == strategy]
        counts = [int((here["verdict"] == verdict).sum()) for verdict in (GAINS, UNDECIDED, LOSES)]
        worst = here.sort_values("difference", kind="stable").iloc[0]
        rows.append(
            (
                strategy_title(comparison, strategy),
                [
                    *texts(*(count(number) for number in counts)),
                    Cell(worst["name"]),
                    interval_cell(
                        scale,
                        *(worst[name] for name in ("difference", "low", "high")),
                        signed=True,
                        verdict=worst["verdict"],
                    ),
                ],
            )
        )
    head = [
        _("Strategy"), _("Gaining regions"), _("Undecided"), _("Losing regions"),
        _("Worst-off region"), capitalise(scale.label),
    ]  # fmt: skip
    return Table(_("Regions that gain and lose, and the worst-off region"), head, rows)


# Reasons, costs, uncertainty ----------------------------------------------------------------


def channel_table(comparison: Comparison, future: str) -> Table:
    """Through what net benefit differs from the baseline's."""
    table = comparison.channels[comparison.channels["future"] == future]
    order, total = comparison.order(future=future), comparison.table(NET_BENEFIT, future=future)
    scale = choose_measure_scale(comparison, NET_BENEFIT, total)
    scale = scale.with_decimals(least=2)
    grid = table.pivot(index="strategy", columns="channel", values="difference").loc[order]
    rows = [
        (
            strategy_title(comparison, name),
            texts(
                *(scale.bare(value, signed=True) for value in grid.loc[name]),
                scale.bare(total.loc[name, "difference"], signed=True),
            ),
        )
        for name in order
    ]
    head = [_("Strategy"), *(channel_title(name) for name in grid.columns), _("Sum")]
    caption = _("Difference in realised net benefit by channel, {unit}").format(unit=scale.label)
    return Table(caption, head, rows)


def cost_titles(currency: str) -> dict[str, str]:
    """Titles of the sums of money, and of the saving for each unit spent."""
    saved = _("Saved per {one} spent").format(one=unit_of_money(currency))
    return {
        "programme_members": _("Paid by members"),
        "programme_centre": _("Paid by central government"),
        "programme_supporters": _("Paid by supporters"),
        "programme_cost": _("Programme cost, total"),
        "saving": _("Saving in services"),
        "net_saving": _("Net saving"),
        "saving_per_cost": saved,
    }


def cost_table(comparison: Comparison, future: str) -> Table:
    """Costs of strategies, who pays them, and savings."""
    table = comparison.costs[comparison.costs["future"] == future]
    titles = cost_titles(comparison.scenario.currency)
    found, scale = table.set_index(["strategy", "item"]), cost_scale(comparison, future)
    rows = []
    for strategy in comparison.order(future=future):
        *sums, ratio = (found.loc[(strategy, item)] for item in titles)
        cells = [
            interval_cell(scale, row["value"], row["low"], row["high"])
            if row["high"] > row["low"]
            else Cell(scale.bare(row["value"]))
            for row in sums
        ]
        rows.append((strategy_title(comparison, strategy), [*cells, ratio_cell(ratio)]))
    caption = _("Over the run and relative to “{baseline}”, {unit}").format(
        baseline=strategy_title(comparison, comparison.baseline), unit=scale.label
    )
    return Table(caption, [_("Strategy"), *titles.values()], rows)


def cost_scale(comparison: Comparison, future: str) -> Scale:
    """How costs and savings are written."""
    table = comparison.costs
    money = table[(table["future"] == future) & (table["item"] != "saving_per_cost")]
    return choose_scale(
        "currency", money["value"], (money["high"] - money["low"]) / 2.0,
        currency=comparison.scenario.currency,
    )  # fmt: skip


def ratio_cell(row: pd.Series) -> Cell:
    """Saving per unit spent; a dash where nothing is spent."""
    if not math.isfinite(row["value"]):
        return Cell(UNDEFINED, remark=_("no cost"))
    low, high = row["low"], row["high"]
    below = _("unbounded interval")
    if math.isfinite(low) and math.isfinite(high):
        below = format_interval(decimal(low, 2), decimal(high, 2))
    verdict = BETTER if low > 1.0 else WORSE if high < 1.0 else UNDECIDED
    return Cell(decimal(row["value"], 2), below, verdict=verdict)
