"""The comparison in all its futures: what changes between them, however many they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.statistics import BETTER, GAINS, LOSES, SAME, UNDECIDED, WORSE, verdicts
from kolabsim.figures.formatting import UNDEFINED, Scale, write_interval
from kolabsim.figures.labels import (
    channel_title,
    choose_measure_scale,
    choose_winner_scale,
    measure_label,
)
from kolabsim.i18n import _
from kolabsim.report.comparison.tables import ACROSS, LONGEST, cost_titles, difference_cell
from kolabsim.report.comparison.view import View
from kolabsim.report.page import Block, Cell, Facts, Folded, Heading, Table
from kolabsim.report.wording import fill, in_groups

SENSES = (BETTER, UNDECIDED, WORSE)
FEW = 12
"""Most settings of a future that are listed one by one."""


def futures_blocks(view: View, futures: Mapping[str, Mapping[str, object]]) -> Sequence[Block]:
    """The comparison over all futures, and each of them; nothing for a single future.

    Beside plausible futures, only those with names of their own.
    """
    if not view.has_futures or (view.is_varied and not view.named):
        return []
    if view.is_varied:
        futures = {name: futures[name] for name in view.named}

    def listed(settings: Mapping[str, object]) -> str:
        if len(settings) > FEW:
            return fill(_("{number} parameters"), number=len(settings))
        return "; ".join(f"{key} = {value}" for key, value in settings.items()) or _("unchanged")

    text = _("Unless they name a future, figures and tables show the future “{future}”.")
    rows = [(name, listed(settings)) for name, settings in futures.items()]
    if view.is_varied:
        return [Heading(_("Other futures")), Facts(rows), *differences_in_futures(view)]
    return [
        Heading(_("Other futures")),
        fill(text, future=view.future),
        strategies_in_futures(view),
        Folded(_("Each future"), [Facts(rows), *differences_in_futures(view)]),
    ]


def futures_sentence(view: View) -> str:
    """How far the answer of the first future holds in the others."""
    if not view.has_futures or view.is_varied:
        return ""
    table, scale = net_benefit(view)
    table = table[table["strategy"] == view.best]
    text = _(
        "These findings are for the first of {number} futures, “{future}”. Over all futures, "
        "“{strategy}” ranks first in {first}, is clearly better than “{baseline}” in {better} and "
        "clearly worse in {worse}; its difference ranges from {low} to {high}."
    )
    scale = choose_measure_scale(view.comparison, NET_BENEFIT, table)
    return view.fill(
        text, number=len(view.comparison.futures), future=view.future,
        first=firsts(view).count(view.best), better=(table["verdict"] == BETTER).sum(),
        worse=(table["verdict"] == WORSE).sum(),
        low=scale.text(table["difference"].min(), signed=True),
        high=scale.text(table["difference"].max(), signed=True),
    )  # fmt: skip


def net_benefit(view: View) -> tuple[pd.DataFrame, Scale]:
    """Differences in realised net benefit in all futures, and their scale."""
    table = view.comparison.differences
    table = table[table["measure"] == NET_BENEFIT]
    return table, choose_measure_scale(view.comparison, NET_BENEFIT, table)


def firsts(view: View) -> list[str]:
    """The best strategy of each future."""
    return [view.comparison.order(future=name)[0] for name in view.comparison.futures]


def range_cell(scale: Scale, values: Iterable[float], *, signed: bool = True) -> Cell:
    """The median over futures, and from the least to the most."""
    values = np.array([*values], np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return Cell(UNDEFINED)
    ends = values.min(), values.max()
    below = write_interval(scale, *ends, futures=len(values), signed=signed)
    return Cell(scale.bare(float(np.median(values)), signed=signed), below)


def range_heads(view: View) -> list[str]:
    """What stands over the first future, and over all."""
    return [fill(_("Future “{future}”"), future=view.future), _("Median of futures (range)")]


def over_futures(
    view: View,
    table: pd.DataFrame,
    scale: Scale,
    found: Sequence[str],
    words: Sequence[str] = SENSES,
) -> list[str | int | Cell]:
    """A difference in the first future, its range over all, and in how many what is clear."""
    first = view.here(table)["difference"].iloc[0]
    counts = [found.count(word) for word in words]
    return [scale.bare(first, signed=True), range_cell(scale, table["difference"]), *counts]


def strategies_in_futures(view: View) -> Table:
    """How each strategy does over all futures, against the baseline of the same future."""
    table, scale = net_benefit(view)
    best, rows = firsts(view), []
    lost = pd.concat([view.comparison.losers(future=name) for name in view.comparison.futures])
    for name in view.order:
        here = table[table["strategy"] == name]
        found = here["verdict"].replace({SAME: UNDECIDED}).tolist()
        losers = lost[lost["strategy"] == name].groupby("future", observed=False).size()
        losers = losers.reindex(list(view.comparison.futures), fill_value=0)
        cells = [range_cell(scale, here["difference"]), best.count(name), *map(found.count, SENSES)]
        if view.has_winners:
            cells.append(range_cell(Scale(1.0, 0, ""), losers, signed=False))
        rows.append((view.title(name), *cells))
    head = [
        _("Strategy"), _("Median of futures (range)"), _("Ranks first"),
        _("Clearly better"), _("Undecided"), _("Clearly worse"),
    ]  # fmt: skip
    head += [_("Losing regions")] if view.has_winners else []
    caption = _("{measure}: {number} futures, and the number of futures with each result")
    measure = measure_label(NET_BENEFIT, scale)
    return Table(fill(caption, measure=measure, number=len(best)), head, rows)


def differences_in_futures(view: View) -> list[Table]:
    """The differences from the baseline: a row a future, a few strategies a table."""
    table, scale = net_benefit(view)
    found = table.set_index(["future", "strategy"])
    made, groups = [], in_groups(view.order, ACROSS)
    for number, some in enumerate(groups, 1):
        rows = [
            (future, *(difference_cell(found.loc[(future, name)], scale) for name in some))
            for future in view.named
        ]
        caption = measure_label(NET_BENEFIT, scale)
        if len(groups) > 1:
            text = _("{measure}, part {part} of {parts}")
            caption = fill(text, measure=caption, part=number, parts=len(groups))
        made.append(Table(caption, [_("Future"), *map(view.title, some)], rows))
    return made


def channels_in_futures(view: View) -> Table | None:
    """Through what the best strategy's net benefit differs, over all futures."""
    if not view.has_futures or view.is_varied:
        return None
    table, scale = view.comparison.channels, net_benefit(view)[1].with_decimals(least=2)
    table, rows = table[table["strategy"] == view.best], []
    for name in table["channel"].cat.categories:
        here = table[table["channel"] == name]
        found = list(verdicts(here["low"].to_numpy(), here["high"].to_numpy(), 1))
        rows.append((channel_title(name), *over_futures(view, here, scale, found)))
    head = [_("Channel"), *range_heads(view), _("Increases"), _("Undecided"), _("Reduces")]
    caption = _(
        "Difference in realised net benefit by channel in all futures, {unit}: “{strategy}”"
    )
    return Table(view.fill(caption, unit=scale.label), head, rows)


def costs_in_futures(view: View) -> Table | None:
    """What the best strategy costs and saves, over all futures."""
    if not view.has_futures or view.is_varied:
        return None
    table, scale = view.comparison.costs, view.cost_scale
    table, rows = table[table["strategy"] == view.best], []
    for item, title in cost_titles(view.scenario.currency).items():
        here = table[table["item"] == item]
        written = Scale(1.0, 2, "") if item == "saving_per_cost" else scale
        first = written.bare(view.here(here)["value"].iloc[0])
        rows.append((title, first, range_cell(written, here["value"], signed=False)))
    caption = _(
        "{strategy}: cost and saving in all futures, over the run and relative to “{baseline}”, "
        "{unit}. Cost clearly exceeds saving in {worse} of {number} futures"
    )
    worse = (table[table["item"] == "net_saving"]["high"] < 0.0).sum()
    number = len(view.comparison.futures)
    caption = view.fill(caption, unit=scale.label, worse=worse, number=number)
    return Table(caption, [_("Item"), *range_heads(view)], rows)


def winners_in_futures(view: View) -> Table | None:
    """In how many futures each region gains and loses; of many, those that lose most often."""
    if not view.has_futures or view.is_varied or not view.has_winners:
        return None
    table, scale = view.comparison.winners, choose_winner_scale(view.comparison)
    table, found = table[table["strategy"] == view.best], []
    for name, here in table.groupby("name", observed=True, sort=False):
        words = here["verdict"].replace({SAME: UNDECIDED}).tolist()
        cells = over_futures(view, here, scale, words, (GAINS, UNDECIDED, LOSES))
        found.append((-words.count(LOSES), float(here["difference"].median()), (name, *cells)))
    found.sort(key=lambda row: row[:2])
    head = [_("Region"), *range_heads(view), _("Gains"), _("Undecided"), _("Loses")]
    caption = _(
        "{measure} under “{strategy}” in all futures, and the number of futures in which each "
        "region gains or loses"
    )
    caption = view.fill(caption, measure=measure_label(NET_BENEFIT, scale))
    return Table(caption, head, [row for *_order, row in found[: 2 * LONGEST]])
