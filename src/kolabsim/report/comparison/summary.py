"""What a comparison says, in sentences made from its numbers: the answer, and the methods."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kolabsim import __version__
from kolabsim.analysis.comparison import NET_BENEFIT, measure_columns, measure_values
from kolabsim.figures.formatting import (
    UNDEFINED,
    Scale,
    choose_scale,
    decimal,
    format_interval,
    significant,
    write_interval,
)
from kolabsim.figures.labels import choose_measure_scale, choose_winner_scale
from kolabsim.i18n import _, ngettext
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import QUARTERS
from kolabsim.report.comparison.view import View
from kolabsim.report.page import Headline
from kolabsim.report.ranges import ensemble_notes, reported_text, verdict_sentence
from kolabsim.report.wording import fill, join_names, scenario_words, unit_of_money

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.study.collect import Results


def headlines(results: Results, view: View) -> list[Headline]:
    """The answer in three sentences: what does best, what that costs, and who loses by it."""
    best = plausible_headline(view) if view.is_varied else best_headline(results, view)
    found = [best, cost_headline(view)]
    return [*found, loser_headline(view)] if view.has_winners else found


def plausible_headline(view: View) -> Headline:
    """Name the strategy that comes first, with its range over plausible futures and its verdict."""
    best, scale = view.net.loc[view.best], view.scale
    text = _(
        "“{strategy}” comes first: {difference} in realised net benefit compared with “{baseline}” "
        "({interval} over plausible assumptions); better in {better}, best of all {number} "
        "strategies in {best}."
    )
    interval = written_interval(scale, best, signed=best["low"] < 0.0)
    difference = scale.text(best["difference"], signed=True)
    text = view.fill(
        text, difference=difference, interval=interval, better=view.share(best),
        best=view.share(best, "best_share"), number=len(view.order) + 1,
    )  # fmt: skip
    brief = f"{view.title(view.best)}: {difference}"
    sentence = verdict_sentence(str(best["verdict"]), view.comparison.criteria)
    return Headline(
        _("Best strategy"), f"{brief} ({interval})", f"{text} {sentence}",
        tuple(lead_over_futures(view)),
    )  # fmt: skip


def lead_over_futures(view: View) -> list[str]:
    """In how many futures the best strategy is ahead of the next, if there is a next."""
    found = view.comparison.headline
    if found is None or len(view.order) < 2:
        return []
    one, next = (found.effects.values[found.strategies.index(n)] for n in view.order[:2])
    lead = one - next
    scale = view.scale
    text = _(
        "“{strategy}” is ahead of the runner-up, “{next}”, in {number} of {futures} futures; the "
        "median lead is {difference}."
    )
    number = int((lead * (MEASURES[NET_BENEFIT].better or 1) > 0.0).sum())
    difference = scale.text(float(np.nanmedian(lead)), signed=True)
    return [view.fill(text, next=view.title(view.order[1]), number=number, difference=difference)]


def notes(view: View) -> list[str]:
    """What a reader must know of the result: what was not varied, and what is too few."""
    if not view.comparison.is_varied:
        text = _(
            "Assumptions were not varied: intervals show chance only. “plausible: all” varies them."
        )
        return [text]
    half = float(np.nanmedian(view.net["chance_high"] - view.net["chance_low"])) / 2.0
    return ensemble_notes(
        view.scenario, view.comparison.criteria, futures=view.number, runs=view.comparison.runs,
        half=half,
    )  # fmt: skip


def best_headline(results: Results, view: View) -> Headline:
    """Name the best strategy, its lead over the baseline and the next, and their uncertainty."""
    best, scale = view.net.loc[view.best], view.scale
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
    text = view.fill(
        text, difference=scale.text(abs(best["difference"])), runs=int(best["runs"]),
        interval=written_interval(scale, best, signed=best["low"] < 0.0),
        better=best["better_share"], best=best["best_share"], number=len(view.order) + 1,
    )  # fmt: skip
    brief = f"{view.title(view.best)}: {scale.text(best['difference'], signed=True)}"
    return Headline(_("Best strategy"), brief, text, tuple(lead_sentence(results, view)))


def lead_sentence(results: Results, view: View) -> list[str]:
    """How far the best strategy is ahead of the next in a future, if there is a next."""
    if len(view.order) < 2 or view.future is None:
        return []
    rival = view.order[1]
    values = measure_values(results, NET_BENEFIT, (rival, view.best), (view.future,))
    found = measure_columns(values, MEASURES[NET_BENEFIT], view.comparison.criteria)
    lead = pd.DataFrame(
        {name: found[name].ravel() for name in ("difference", "low", "high", "runs")}
    )
    scale, row = choose_measure_scale(view.comparison, NET_BENEFIT, lead), lead.iloc[0]
    if row["low"] > 0.0:
        text = _(
            "The lead of “{strategy}” over the runner-up, “{next}”, is {difference} ({interval})."
        )
    else:
        text = _(
            "“{next}” may be as good as “{strategy}”: they differ by {difference} ({interval})."
        )
    interval = written_interval(scale, row, signed=row["low"] < 0.0)
    difference = scale.text(row["difference"])
    return [view.fill(text, next=view.title(rival), difference=difference, interval=interval)]


def cost_headline(view: View) -> Headline:
    """What the best strategy costs and saves; what costs most, saves most, and does not pay."""
    table = view.money.set_index(["item", "strategy"])
    cost, saving, net, ratio = (
        table.loc[item] for item in ("programme_cost", "saving", "net_saving", "saving_per_cost")
    )
    currency = view.scenario.currency
    spent, spent_interval = sum_of_money(cost.loc[view.best], currency)
    saved, saved_interval = sum_of_money(saving.loc[view.best], currency)
    is_paid = cost.loc[view.best, "value"] > 0.0
    brief = f"{view.title(view.best)}: {spent}" if is_paid else _("No added cost")
    if view.is_varied and is_paid:
        text = _(
            "“{strategy}” costs {spent} over {years} years ({spent_interval} over plausible "
            "assumptions), no matter who pays. Services then cost {saved} less than under "
            "“{baseline}” ({saved_interval}): each {one} spent saves {ratio} ({ratio_interval})."
        )
    elif view.is_varied:
        text = _(
            "“{strategy}” has no programme cost beyond that of “{baseline}”, and services cost "
            "{saved} less over {years} years ({saved_interval} over plausible assumptions)."
        )
    elif is_paid:
        text = _(
            "“{strategy}” costs {spent} over {years} years ({spent_interval}), no matter who pays. "
            "Services then cost {saved} less than under “{baseline}” ({saved_interval}): each "
            "{one} spent saves {ratio} ({ratio_interval}; {level} intervals, {runs} runs)."
        )
    else:
        text = _(
            "“{strategy}” has no programme cost beyond that of “{baseline}”, and services cost "
            "{saved} less over {years} years ({level} interval {saved_interval}; {runs} runs)."
        )
    text = view.fill(
        text, spent=spent, spent_interval=spent_interval, saved=saved,
        saved_interval=saved_interval, years=significant(view.scenario.horizon / QUARTERS),
        runs=int(cost.loc[view.best].get("runs", 0)),
        **describe_ratio(ratio.loc[view.best], currency),
    )  # fmt: skip
    return Headline(_("Cost"), brief, text, tuple(cost_sentences(view, cost, net, ratio)))


def cost_sentences(
    view: View, cost: pd.DataFrame, net: pd.DataFrame, ratio: pd.DataFrame
) -> list[str]:
    """What costs most, what saves most for each unit spent, and what costs more than it saves."""
    if not (cost["value"] > 0.0).any():
        return [view.fill(_("No strategy has a programme cost beyond that of “{baseline}”."))]
    costliest, currency = cost["value"].idxmax(), view.scenario.currency
    spent, interval = sum_of_money(cost.loc[costliest], currency)
    text = _("“{strategy}” is the most costly strategy: {spent} ({interval}).")
    sentences = [fill(text, strategy=view.title(costliest), spent=spent, interval=interval)]
    bounded = ratio[np.isfinite(ratio["low"])]
    if len(bounded) > 1:
        best = bounded["value"].idxmax()
        text = _(
            "“{strategy}” saves most for its cost: {ratio} for each {one} spent ({ratio_interval})."
        )
        described = describe_ratio(ratio.loc[best], currency)
        sentences.append(fill(text, strategy=view.title(best), **described))
    waste = [view.title(name) for name in net.index[net["high"] < 0.0]]
    if waste:
        text = ngettext(
            "{names} costs more than it saves.", "{names} cost more than they save.", len(waste)
        )
        sentences.append(fill(text, names=join_names(waste)))
    return sentences


def sum_of_money(row: pd.Series, currency: str) -> tuple[str, str]:
    """A sum of money, and its interval in the same unit."""
    half = (row["high"] - row["low"]) / 2.0
    scale = choose_scale("currency", [row["value"]], [half], currency=currency)
    return scale.text(row["value"]), written_interval(scale, row)


def written_interval(scale: Scale, row: pd.Series, *, signed: bool = False) -> str:
    """The interval of a row, or why there is none."""
    futures = row.get("futures", 0)  # which tables of one future do not have
    runs = 0 if futures else row.get("runs", 0)
    return write_interval(scale, row["low"], row["high"], runs=runs, futures=futures, signed=signed)


def describe_ratio(row: pd.Series, currency: str) -> dict[str, str]:
    """A saving for one unit of money, in the same unit, with its interval."""
    interval: str = _("unbounded interval")
    if math.isfinite(row["low"]):
        interval = format_interval(decimal(row["low"], 2), decimal(row["high"], 2))
    saved = Scale(1.0, 2, "", currency).text(row["value"])
    return {"one": unit_of_money(currency), "ratio": saved, "ratio_interval": interval}


def loser_headline(view: View) -> Headline:
    """Who loses under the best strategy, and who loses most under any."""
    table, scale = view.regions, choose_winner_scale(view.comparison)
    here = table[table["strategy"] == view.best].sort_values("difference", kind="stable")
    lost = view.losers
    losers, worst = lost[lost["strategy"] == view.best]["name"], here.iloc[0]
    numbers: dict[str, Any] = {"lose": len(losers), "number": len(here)}
    currency = view.scenario.currency
    if view.is_varied:
        text = ngettext(
            "Under “{strategy}”, {gain} of {number} regions gain and {lose} loses in at least "
            "{likely} of futures, by more than {threshold} of cost and after the programme cost "
            "that it bears. The lowest result is that of {region}: {difference} ({interval} over "
            "plausible assumptions), or {money} ({sums}); it loses in {worse}.",
            "Under “{strategy}”, {gain} of {number} regions gain and {lose} lose in at least "
            "{likely} of futures, by more than {threshold} of cost and after the programme cost "
            "that they bear. The lowest result is that of {region}: {difference} ({interval} over "
            "plausible assumptions), or {money} ({sums}); it loses in {worse}.",
            len(losers),
        )
        sums = choose_scale("currency", worst[["money", "money_low", "money_high"]],
                            currency=currency)  # fmt: skip
        numbers |= {
            "money": sums.text(worst["money"], signed=True),
            "sums": write_interval(
                sums, worst["money_low"], worst["money_high"], futures=worst["futures"], signed=True
            ),
            "worse": view.share(worst, "worse_share"),
        }
    elif len(losers):
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
    text = view.fill(
        text, **numbers, region=worst["name"],
        gain=(view.gainers["strategy"] == view.best).sum(),
        difference=scale.text(worst["difference"], signed=True), better=worst["better_share"],
        interval=written_interval(scale, worst, signed=True), runs=int(worst["runs"]),
    )  # fmt: skip
    more = []
    if len(losers) > 1:
        names = _("Regions that lose under “{strategy}”: {names}.")
        more.append(view.fill(names, names=join_names(list(losers))))
    if len(lost):
        row = lost.loc[lost["difference"].idxmin()]
        most = _(
            "The largest loss under any strategy is that of {region} under “{strategy}”: "
            "{difference} ({interval})."
        )
        interval = scale.interval(-row["high"], -row["low"])
        title, loss = view.title(row["strategy"]), scale.text(-row["difference"])
        filled = {"strategy": title, "difference": loss, "interval": interval}
        more.append(fill(most, region=row["name"], **filled))
    else:
        more.append(_("No region clearly loses under any strategy."))
    brief = view.fill(_("{strategy}: {lose} of {number} regions"), **numbers)
    return Headline(_("Who loses"), brief, text, tuple(more))


def methods(view: View, provenance: Mapping[str, object]) -> str:
    """A paragraph on methods, to be cited."""
    text = _(
        "We compared {strategies} strategies with “{baseline}” in the scenario “{scenario}” "
        "({regions} regional governments, {areas} service areas, {quarters} quarters) by "
        "simulation with kolabsim {version}, an agent-based model of collaboration between "
        "regional governments in public services. In each quarter regions identify potential for "
        "collaboration, communicate, plan, coordinate and evaluate; they decide by the rule "
        "“{decision}” with errors of judgement. Each strategy was run {runs} times in {futures} "
        "with common random numbers (seed {seed}). {reported}; measures are for the last four "
        "quarters, money is summed over the run. Parameters without a source are assumed; results "
        "are contrasts within a thought experiment, not predictions."
    )
    number, strategies = len(view.comparison.futures), len(view.comparison.strategies)
    futures = fill(ngettext("{number} future", "{number} futures", number), number=number)
    return view.fill(
        text, strategies=strategies, futures=futures, decision=view.scenario.decision,
        reported=view.fill(reported_text(is_varied=view.is_varied)),
        version=str(provenance.get("kolabsim", __version__)),
        seed=str(provenance.get("seed", UNDEFINED)), **scenario_words(view.scenario),
    )  # fmt: skip
