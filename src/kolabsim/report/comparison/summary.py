"""What a comparison says, in sentences made from its numbers: the answer, and the methods."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT, compare
from kolabsim.analysis.statistics import GAINS, LOSES
from kolabsim.figures.formatting import (
    Scale,
    choose_scale,
    count,
    decimal,
    format_interval,
    percent,
    significant,
)
from kolabsim.figures.labels import choose_measure_scale, choose_winner_scale, strategy_title
from kolabsim.i18n import _, language, ngettext
from kolabsim.model.parameters import QUARTERS
from kolabsim.report.page import Headline
from kolabsim.report.wording import join_names, unit_of_money

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.study.collect import Results


def headlines(results: Results, comparison: Comparison, future: str) -> list[Headline]:
    """The answer in three sentences: what does best, what that costs, and who loses by it."""
    found = [best_headline(results, comparison, future), cost_headline(comparison, future)]
    return [*found, loser_headline(comparison, future)] if len(comparison.winners) else found


def best_headline(results: Results, comparison: Comparison, future: str) -> Headline:
    """Name the best strategy, its lead over the baseline and the next, and their uncertainty."""
    table = comparison.table(NET_BENEFIT, future=future)
    order = comparison.order(future=future)
    best = table.loc[order[0]]
    scale = choose_measure_scale(comparison, NET_BENEFIT, table)
    words = {
        "strategy": strategy_title(comparison, order[0]),
        "baseline": strategy_title(comparison, comparison.baseline),
        "difference": scale.text(abs(best["difference"])),
        "interval": scale.interval(best["low"], best["high"], signed=best["low"] < 0.0),
        "level": percent(comparison.level),
        "runs": count(best["runs"]),
        "better": percent(best["better_share"]),
        "best": percent(best["best_share"]),
        "number": count(len(order) + 1),
    }
    if best["low"] > 0.0:
        text = _(
            "“{strategy}” is best: its realised net benefit is {difference} higher than under "
            "“{baseline}” ({level} interval {interval}; better in {better} of {runs} runs, and the "
            "best of all {number} strategies in {best} of runs)."
        )
    elif best["high"] < 0.0:
        text = _(
            "Every strategy is worse than “{baseline}”; the least bad is “{strategy}”, whose "
            "realised net benefit is {difference} lower ({level} interval {interval}; better in "
            "{better} of {runs} runs)."
        )
    else:
        text = _(
            "No strategy is clearly better than “{baseline}”; the best in these runs, "
            "“{strategy}”, differs by {difference} in realised net benefit ({level} interval "
            "{interval}; better in {better} of {runs} runs)."
        )
    brief = f"{words['strategy']}: {scale.text(best['difference'], signed=True)}"
    more = tuple(lead_sentence(results, comparison, future))
    return Headline(_("Best strategy"), brief, text.format(**words), more)


def lead_sentence(results: Results, comparison: Comparison, future: str) -> list[str]:
    """How far the best strategy is ahead of the next, if there is a next."""
    order = comparison.order(future=future)
    if len(order) < 2:
        return []
    table = compare(results, baseline=order[1], level=comparison.level).table(
        NET_BENEFIT, future=future
    )
    lead = table.loc[[order[0]]]
    scale, row = choose_measure_scale(comparison, NET_BENEFIT, lead), lead.iloc[0]
    if row["low"] > 0.0:
        text = _(
            "The lead of “{strategy}” over the runner-up, “{next}”, is {difference} ({interval})."
        )
    else:
        text = _(
            "“{next}” may be as good as “{strategy}”: they differ by {difference} ({interval})."
        )
    return [
        text.format(
            strategy=strategy_title(comparison, order[0]),
            next=strategy_title(comparison, order[1]),
            difference=scale.text(row["difference"]),
            interval=scale.interval(row["low"], row["high"], signed=row["low"] < 0.0),
        )
    ]


def cost_headline(comparison: Comparison, future: str) -> Headline:
    """What the best strategy costs and saves; what costs most, saves most, and does not pay."""
    table = comparison.costs[comparison.costs["future"] == future].set_index(["item", "strategy"])
    cost, saving, net, ratio = (
        table.loc[item] for item in ("programme_cost", "saving", "net_saving", "saving_per_cost")
    )
    best, currency = comparison.order(future=future)[0], comparison.scenario.currency
    (spent, spent_interval), (saved, saved_interval) = (
        sum_of_money(part.loc[best], currency) for part in (cost, saving)
    )
    title = strategy_title(comparison, best)
    words = {
        "strategy": title,
        "baseline": strategy_title(comparison, comparison.baseline),
        "years": significant(comparison.scenario.horizon / QUARTERS),
        "level": percent(comparison.level),
        "runs": count(cost.loc[best, "runs"]),
        "spent": spent,
        "spent_interval": spent_interval,
        "saved": saved,
        "saved_interval": saved_interval,
        "one": unit_of_money(currency),
        "ratio": saved_per_unit(ratio.loc[best, "value"], currency),
        "ratio_interval": ratio_interval(ratio.loc[best]),
    }
    if cost.loc[best, "value"] > 0.0:
        text = _(
            "“{strategy}” costs {spent} over {years} years ({spent_interval}), no matter who pays. "
            "Services then cost {saved} less than under “{baseline}” ({saved_interval}): each "
            "{one} spent saves {ratio} ({ratio_interval}; {level} intervals, {runs} runs)."
        )
        brief = f"{title}: {spent}"
    else:
        text = _(
            "“{strategy}” has no programme cost beyond that of “{baseline}”, and services cost "
            "{saved} less over {years} years ({level} interval {saved_interval}; {runs} runs)."
        )
        brief = _("No added cost")
    more = cost_sentences(comparison, cost, net, ratio)
    return Headline(_("Cost"), brief, text.format(**words), tuple(more))


def cost_sentences(
    comparison: Comparison, cost: pd.DataFrame, net: pd.DataFrame, ratio: pd.DataFrame
) -> list[str]:
    """What costs most, what saves most for each unit spent, and what costs more than it saves."""
    if not (cost["value"] > 0.0).any():
        text = _("No strategy has a programme cost beyond that of “{baseline}”.")
        return [text.format(baseline=strategy_title(comparison, comparison.baseline))]
    costliest, currency = cost["value"].idxmax(), comparison.scenario.currency
    spent, interval = sum_of_money(cost.loc[costliest], currency)
    text = _("“{strategy}” is the most costly strategy: {spent} ({interval}).")
    title = strategy_title(comparison, costliest)
    sentences = [text.format(strategy=title, spent=spent, interval=interval)]
    bounded = ratio[np.isfinite(ratio["low"])]
    if len(bounded) > 1:
        best = bounded["value"].idxmax()
        text = _(
            "“{strategy}” saves most for its cost: {ratio} for each {one} spent ({ratio_interval})."
        )
        sentences.append(
            text.format(
                strategy=strategy_title(comparison, best),
                one=unit_of_money(currency),
                ratio=saved_per_unit(ratio.loc[best, "value"], currency),
                ratio_interval=ratio_interval(ratio.loc[best]),
            )
        )
    waste = [strategy_title(comparison, name) for name in net.index[net["high"] < 0.0]]
    if waste:
        text = ngettext(
            "{names} costs more than it saves.", "{names} cost more than they save.", len(waste)
        )
        sentences.append(text.format(names=join_names(waste)))
    return sentences


def sum_of_money(row: pd.Series, currency: str) -> tuple[str, str]:
    """A sum of money, and its interval in the same unit."""
    half = (row["high"] - row["low"]) / 2.0
    scale = choose_scale("currency", [row["value"]], [half], currency=currency)
    return scale.text(row["value"]), scale.interval(row["low"], row["high"])


def saved_per_unit(value: float, currency: str) -> str:
    """A saving for one unit of money, in the same unit."""
    return Scale(1.0, 2, "", currency).text(value)


def ratio_interval(row: pd.Series) -> str:
    """The interval of a saving per unit spent."""
    if not math.isfinite(row["low"]):
        return _("unbounded interval")
    return format_interval(decimal(row["low"], 2), decimal(row["high"], 2))


def loser_headline(comparison: Comparison, future: str) -> Headline:
    """Who loses under the best strategy, and who loses most under any."""
    table = comparison.winners[comparison.winners["future"] == future]
    best = comparison.order(future=future)[0]
    here = table[table["strategy"] == best].sort_values("difference", kind="stable")
    losers, worst = here[here["verdict"] == LOSES]["name"], here.iloc[0]
    scale = choose_winner_scale(comparison)
    words = {
        "strategy": strategy_title(comparison, best),
        "gain": count((here["verdict"] == GAINS).sum()),
        "lose": count(len(losers)),
        "number": count(len(here)),
        "region": worst["name"],
        "difference": scale.text(worst["difference"], signed=True),
        "interval": scale.interval(worst["low"], worst["high"], signed=True),
        "level": percent(comparison.level),
        "better": percent(worst["better_share"]),
        "runs": count(worst["runs"]),
    }
    if len(losers):
        text = ngettext(
            "Under “{strategy}”, {gain} of {number} regions gain and {lose} loses, after the "
            "programme cost that it bears. The largest loss is that of {region}: {difference} "
            "({level} interval {interval}; better off in {better} of {runs} runs).",
            "Under “{strategy}”, {gain} of {number} regions gain and {lose} lose, after the "
            "programme cost that they bear. The largest loss is that of {region}: {difference} "
            "({level} interval {interval}; better off in {better} of {runs} runs).",
            len(losers),
        )
    else:
        text = _(
            "Under “{strategy}”, {gain} of {number} regions gain and none clearly loses, after the "
            "programme cost that they bear. The lowest result is that of {region}: {difference} "
            "({level} interval {interval}; better off in {better} of {runs} runs)."
        )
    more = []
    if len(losers) > 1:
        names = _("Regions that lose under “{strategy}”: {names}.")
        more.append(names.format(names=join_names(list(losers)), **words))
    lost = table[table["verdict"] == LOSES]
    if len(lost):
        row = lost.loc[lost["difference"].idxmin()]
        most = _(
            "The largest loss under any strategy is that of {region} under “{strategy}”: "
            "{difference} ({interval})."
        )
        more.append(
            most.format(
                region=row["name"],
                strategy=strategy_title(comparison, row["strategy"]),
                difference=scale.text(-row["difference"]),
                interval=scale.interval(-row["high"], -row["low"]),
            )
        )
    else:
        more.append(_("No region clearly loses under any strategy."))
    brief = _("{strategy}: {lose} of {number} regions").format(**words)
    return Headline(_("Who loses"), brief, text.format(**words), tuple(more))


def methods(comparison: Comparison, provenance: Mapping[str, object]) -> str:
    """A paragraph on methods, to be cited."""
    from kolabsim import __version__

    scenario = comparison.scenario
    text = _(
        "We compared {strategies} strategies with “{baseline}” in the scenario “{scenario}” "
        "({regions} regional governments, {areas} service areas, {quarters} quarters) by "
        "simulation with kolabsim {version}, an agent-based model of collaboration between "
        "regional governments in public services. In each quarter regions identify potential for "
        "collaboration, communicate, plan, coordinate and evaluate; they decide by the rule "
        "“{decision}” with errors of judgement. Each strategy was run {runs} times in {futures} "
        "with common random numbers (seed {seed}). We report means of paired differences with "
        "{level} t intervals; measures are for the last four quarters, money is summed over the "
        "run. Parameters without a source are assumed; results are contrasts within a thought "
        "experiment, not predictions."
    )
    number = len(comparison.futures)
    futures = ngettext("{number} future", "{number} futures", number)
    return text.format(
        strategies=count(len(comparison.strategies)),
        baseline=strategy_title(comparison, comparison.baseline),
        scenario=scenario.title(language()),
        regions=count(len(scenario.regions)),
        areas=count(len(scenario.areas)),
        quarters=count(scenario.horizon),
        version=provenance.get("kolabsim", __version__),
        decision=scenario.decision,
        runs=count(comparison.runs),
        futures=futures.format(number=count(number)),
        seed=provenance.get("seed", "–"),
        level=percent(comparison.level),
    )
