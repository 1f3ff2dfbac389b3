"""The tables of a comparison: what stands in them, in words of the language spoken now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kolabsim.analysis.arrays import yearly
from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.plausible import PER_COST
from kolabsim.analysis.statistics import (
    BETTER,
    DEPENDS,
    GAINS,
    LOSES,
    PLAIN,
    SAME,
    UNDECIDED,
    WORSE,
    quantiles,
)
from kolabsim.figures.formatting import (
    UNDEFINED,
    Scale,
    choose_scale,
    decimal,
    format_interval,
    percent,
    undefined_interval,
    write_interval,
)
from kolabsim.figures.labels import (
    area_title,
    capitalise,
    channel_title,
    choose_measure_scale,
    choose_winner_scale,
    measure_label,
)
from kolabsim.i18n import _
from kolabsim.model.measures import MEASURES
from kolabsim.report.comparison.view import View
from kolabsim.report.page import Cell, Table, interval_cell
from kolabsim.report.wording import fill, in_groups, sharing_titles, unit_of_money

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.study.collect import Results

ACROSS = 5
"""Most measures beside each other, so that a table fits on a printed page."""
LONGEST = 12
"""Most regions at either end of a table of winners and losers."""


def difference_tables(view: View, measures: Sequence[str]) -> list[Table]:
    """Paired differences from the baseline with intervals, a few measures a table."""
    comparison, made, groups = view.comparison, [], in_groups(measures, ACROSS)
    for number, some in enumerate(groups, 1):
        found = {name: comparison.table(name, future=view.future) for name in some}
        scales = {name: choose_measure_scale(comparison, name, found[name]) for name in some}
        rows = [
            (
                view.title(strategy),
                *(
                    difference_cell(
                        found[name].loc[strategy], scales[name], is_varied=view.is_varied
                    )
                    for name in some
                ),
            )
            for strategy in view.order
        ]
        caption = _("Difference from “{baseline}”, part {part} of {parts}")
        head = [_("Strategy"), *(measure_label(name, scales[name]) for name in some)]
        made.append(Table(view.fill(caption, part=number, parts=len(groups)), head, rows))
    return made


def difference_cell(row: pd.Series, scale: Scale, *, is_varied: bool = False) -> Cell:
    """A paired difference; a dash and how many pairs are undefined where there is none."""
    undefined, remark = _("undefined runs: {number}"), []
    if not math.isfinite(row["difference"]):
        number = int(row.get("runs", 0) + row.get("undefined", 0))
        return Cell(UNDEFINED, remark=fill(undefined, number=number))
    if math.isfinite(row["better_share"]):
        better = _("better: {share}")
        if is_varied:
            better = _("better in {share} of futures")
        remark.append(fill(better, share=row["better_share"]))
    if row.get("undefined", 0):
        remark.append(fill(undefined, number=int(row["undefined"])))
    return interval_cell(
        scale, row["difference"], row["low"], row["high"],
        signed=True, verdict=row["verdict"], remark="; ".join(remark),
        runs=row.get("runs", 0), futures=row["futures"] if is_varied else 0,
    )  # fmt: skip


def envelope_table(results: Results, view: View, names: Sequence[str]) -> Table:
    """Medians over time of the difference in realised net benefit."""
    time, values = yearly(
        results, NET_BENEFIT, names, baseline=view.comparison.baseline, future=view.future
    )
    middle = quantiles(values, (0.5,), axis=1)[0]
    scale = choose_scale(MEASURES[NET_BENEFIT].unit, middle.ravel()).with_decimals(2, 2)
    rows = [
        (view.title(name), *(scale.bare(value, signed=True) for value in medians))
        for name, medians in zip(names, middle, strict=True)
    ]
    caption = fill(_("Median difference in realised net benefit, {unit}"), unit=scale.label)
    return Table(caption, [_("Strategy"), *map(str, time)], rows)


def brief_table(view: View) -> Table:
    """What matters most, in a few short columns: benefit, its uncertainty, cost, and who loses."""
    scale, money = view.scale, view.cost_scale
    costs = view.money.pivot(index="strategy", columns="item", values="value")
    lost = view.losers["strategy"].value_counts()
    rows = []
    for name in view.order:
        row, cost = view.net.loc[name], costs.loc[name]
        if view.is_varied:
            around = write_interval(
                scale, row["low"], row["high"], futures=row["futures"], signed=row["low"] < 0.0
            )
            shares = [row["better_share"], row["best_share"]]
        else:
            around = scale.bare((row["high"] - row["low"]) / 2.0)
            is_open = around == UNDEFINED or row["low"] == row["high"]
            around = undefined_interval(row["runs"]) if is_open else f"± {around}"
            shares = [row["better_share"]]
        rows.append(
            (
                view.title(name),
                Cell(scale.bare(row["difference"], signed=True), around, verdict=row["verdict"]),
                *shares,
                *([] if view.same_money is None else [same_cell(view, name)]),
                money.bare(cost["programme_cost"]),
                money.bare(cost["net_saving"]),
                *([] if view.is_varied else [decimal(cost[PER_COST], 2)]),
                int(lost.get(name, 0)) if view.has_winners else UNDEFINED,
            )
        )
    heads = [_("Better in futures"), _("First in futures")] if view.is_varied else [_("Better in")]
    head = [
        _("Strategy"), _("Net benefit"), *heads,
        *([] if view.same_money is None else [_("Same money")]), _("Cost"), _("Net saving"),
        *([] if view.is_varied else [_("Saved per unit")]), _("Losers"),
    ]  # fmt: skip
    caption = _(
        "Differences from “{baseline}”: {level} intervals, which show chance only; {runs} runs "
        "each. Net benefit in {unit}; money over the run in {money}; “saved per unit” is the "
        "saving for each unit of money spent; the last column counts the regions that lose more "
        "than {threshold} of cost."
    )
    if view.is_varied:
        caption = _(
            "Differences from “{baseline}”: median over {futures} plausible futures and the range "
            "of 90% of them ({runs} runs each). ▲ better by more than {threshold} of cost in at "
            "least {robust} of futures, △ in at least {likely}; ▼ ▽ worse; ● hardly changes; □ "
            "depends on assumptions; ○ undecided by chance. Net benefit in {unit}; money over the "
            "run in {money}; the last column counts the regions that lose, likely or robustly."
        )
    made = view.fill(caption, unit=scale.label, money=money.label)
    if view.same_money is not None:
        text = _(
            "“Same money”: net benefit if the strategy is scaled to the cost of “{reference}”; a "
            "dash if it cannot be."
        )
        reference = view.title(str(view.same_money["reference"].iloc[0]))
        made = f"{made} {fill(text, reference=reference)}"
    return Table(made, head, rows)


def same_cell(view: View, strategy: str) -> Cell:
    """The net benefit of a strategy that is scaled to the cost of another one."""
    if view.same_money is None or strategy not in view.same_money.index:
        return Cell(UNDEFINED)
    row = view.same_money.loc[strategy]
    return Cell(view.scale.bare(row["difference"], signed=True), verdict=row["verdict"])


def same_money_table(view: View, same: pd.DataFrame) -> Table:
    """What each strategy brings at the cost of one of them, and at which intensity."""
    cost = choose_scale("currency", same["cost"], currency=view.scenario.currency)
    rows = []
    for strategy, row in same.iterrows():
        difference = difference_cell(row, view.scale, is_varied=view.is_varied)
        rows.append(
            (view.title(str(strategy)), percent(row["level"]), cost.bare(row["cost"]), difference,
             row["best_share"])
        )  # fmt: skip
    head = [
        _("Strategy"), _("Share of its own intensity"),
        fill(_("Programme cost a year ({unit})"), unit=cost.label),
        fill(_("Difference ({unit})"), unit=view.scale.label),
        _("First in futures") if view.is_varied else _("First in runs"),
    ]  # fmt: skip
    caption = _("Strategies scaled to the programme cost of “{reference}”")
    reference = view.title(str(same["reference"].iloc[0]))
    return Table(fill(caption, reference=reference), head, rows)


# Who wins and who loses -------------------------------------------------------------------------


def winner_table(view: View, pages: Mapping[str, str]) -> Table:
    """What each region gains or loses under the best strategy; of many, those at either end.

    ``pages``: files of regions that have a page of their own, by their codes.
    """
    table = view.regions
    table = table[table["strategy"] == view.best].sort_values("difference", kind="stable")
    if len(table) > 2 * LONGEST:
        table = table.iloc[[*range(LONGEST), *range(-LONGEST, 0)]]
    share, currency = choose_winner_scale(view.comparison), view.scenario.currency
    errors = (table["money_high"] - table["money_low"]) / 2.0
    cash = choose_scale("currency", table["money"], errors, currency=currency)
    rows, links = [], {}
    for code, row in table.set_index("region").iterrows():
        name = row["name"]
        title = name if name == code or f"({code})" in name else f"{name} ({code})"
        if code in pages:
            links[title] = pages[code]
        ends = row["money_low"], row["money_high"]
        money = interval_cell(cash, row["money"], *ends, signed=True, **sample(row))
        often = [row["better_share"], *([row["worse_share"]] if view.is_varied else [])]
        rows.append((title, gain_cell(share, row), money, *often))
    head = [
        _("Region"), capitalise(share.label),
        fill(_("Money over the run ({unit})"), unit=cash.label),
        _("Share of futures in which it gains")
        if view.is_varied
        else _("Share of runs in which it is better off"),
    ]  # fmt: skip
    if view.is_varied:
        head.append(_("Share of futures in which it loses"))
    caption = _("Realised net benefit under “{strategy}”, relative to “{baseline}”")
    return Table(view.fill(caption), head, rows, links=links)


def gain_cell(scale: Scale, row: pd.Series) -> Cell:
    """A gain or a loss of a region."""
    ends = row["low"], row["high"]
    return interval_cell(
        scale, row["difference"], *ends, signed=True, verdict=row["verdict"], **sample(row)
    )


def sample(row: pd.Series) -> dict[str, Any]:
    """What is behind an interval of a row: futures, or the runs of one future."""
    return {"futures": row["futures"]} if "futures" in row else {"runs": row["runs"]}


def verdict_table(view: View) -> Table:
    """How many regions gain, lose and neither, and who loses most, under every strategy."""
    table, scale, rows = view.regions, choose_winner_scale(view.comparison), []
    others = [SAME, DEPENDS, UNDECIDED] if view.is_varied else [SAME, UNDECIDED]
    for strategy in view.order:
        here = table[table["strategy"] == strategy]
        plain = here["verdict"].astype(object).replace(PLAIN)
        counts = [(plain == verdict).sum() for verdict in (GAINS, *others, LOSES)]
        worst = here.sort_values("difference", kind="stable").iloc[0]
        rows.append((view.title(strategy), *counts, worst["name"], gain_cell(scale, worst)))
    head = [
        _("Strategy"), _("Gaining regions"), _("Hardly changing regions"),
        *([_("Depends on assumptions")] if view.is_varied else []), _("Undecided"),
        _("Losing regions"), _("Worst-off region"), capitalise(scale.label),
    ]  # fmt: skip
    return Table(_("Regions that gain and lose, and the worst-off region"), head, rows)


def fairness_table(fair: pd.DataFrame, areas: Sequence[str]) -> Table:
    """Shares of joint cost in the bodies at the end of a run, by each rule and by Shapley."""
    rules = {"alone": _("Stand-alone cost")} | sharing_titles()
    rows = [
        (f"{area_title(row['area'])}: {row['name']}", *(row[name] for name in rules))
        for _place, row in fair[fair["area"].isin(areas)].iterrows()
    ]
    return Table(_("Shares of the cost of each joint body"), [_("Member"), *rules.values()], rows)


# Channels and costs -----------------------------------------------------------------------------


def channel_table(view: View) -> Table:
    """Through what net benefit differs from the baseline's."""
    scale = view.scale.with_decimals(least=2)
    grid = view.comparison.channel_grid(future=view.future)
    rows = []
    for name in view.order:
        values = (*grid.loc[name], grid.loc[name].sum())
        rows.append((view.title(name), *(scale.bare(value, signed=True) for value in values)))
    head = [_("Strategy"), *(channel_title(name) for name in grid.columns), _("Sum")]
    caption = _("Difference in realised net benefit by channel, {unit}")
    if view.is_varied:
        caption = _("Difference in realised net benefit by channel, mean over futures, {unit}")
    return Table(fill(caption, unit=scale.label), head, rows)


def cost_titles(currency: str) -> dict[str, str]:
    """Titles of the sums of money, and of the saving for each unit spent."""
    return {
        "programme_members": _("Paid by members"),
        "programme_centre": _("Paid by central government"),
        "programme_tiers": _("Paid by higher tiers"),
        "programme_supporters": _("Paid by supporters"),
        "programme_cost": _("Programme cost, total"),
        "saving": _("Saving in services"),
        "net_saving": _("Net saving"),
        PER_COST: fill(_("Saved per {one} spent"), one=unit_of_money(currency)),
    }


def cost_table(view: View) -> Table:
    """Costs of strategies, who pays them, and savings."""
    titles, scale = cost_titles(view.scenario.currency), view.cost_scale
    found = view.money.set_index(["strategy", "item"])
    rows = []
    for strategy in view.order:
        *sums, ratio = (found.loc[(strategy, item)] for item in titles)
        cells = [
            scale.bare(row["value"])
            if row["high"] == row["low"] == 0.0  # nobody pays: nothing that could vary
            else interval_cell(scale, row["value"], row["low"], row["high"], **sample(row))
            for row in sums
        ]
        rows.append((view.title(strategy), *cells, ratio_cell(ratio)))
    caption = _("Over the run and relative to “{baseline}”, {unit}")
    if view.is_varied:
        caption = _("Over the run and relative to “{baseline}”, {unit}: medians and {range}s")
    return Table(view.fill(caption, unit=scale.label), [_("Strategy"), *titles.values()], rows)


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
