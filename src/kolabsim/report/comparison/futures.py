"""The comparison in all its futures: what changes between them, however many they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.statistics import BETTER, GAINS, LOSES, UNDECIDED, WORSE, verdicts
from kolabsim.figures.formatting import UNDEFINED, Scale, count
from kolabsim.figures.labels import (
    channel_title,
    choose_measure_scale,
    choose_winner_scale,
    measure_label,
    strategy_title,
)
from kolabsim.i18n import _
from kolabsim.report.comparison.tables import (
    ACROSS,
    LONGEST,
    cost_scale,
    cost_titles,
    difference_cell,
)
from kolabsim.report.page import Block, Cell, Facts, Folded, Heading, Table, texts
from kolabsim.report.wording import in_groups

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.comparison import Comparison


def futures_sentence(comparison: Comparison) -> str:
    """How far the answer of the first future holds in the others."""
    if len(comparison.futures) < 2:
        return ""
    best = comparison.order()[0]
    table = comparison.differences
    table = table[(table["measure"] == NET_BENEFIT) & (table["strategy"] == best)]
    scale = choose_measure_scale(comparison, NET_BENEFIT, table)
    firsts = [comparison.order(future=name)[0] for name in comparison.futures]
    text = _(
        "These findings are for the first of {number} futures, “{future}”. Over all futures, "
        "“{strategy}” ranks first in {first}, is clearly better than “{baseline}” in {better} and "
        "clearly worse in {worse}; its difference ranges from {low} to {high}."
    )
    return text.format(
        number=count(len(comparison.futures)),
        future=comparison.futures[0],
        strategy=strategy_title(comparison, best),
        baseline=strategy_title(comparison, comparison.baseline),
        first=count(firsts.count(best)),
        better=count((table["verdict"] == BETTER).sum()),
        worse=count((table["verdict"] == WORSE).sum()),
        low=scale.text(table["difference"].min(), signed=True),
        high=scale.text(table["difference"].max(), signed=True),
    )


def range_cells(scale: Scale, values: Iterable[float], *, signed: bool = True) -> list[Cell]:
    """The median over futures, and from the least to the most."""
    values = np.array([*values], np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return texts(UNDEFINED)
    least, most = values.min(), values.max()
    below = scale.interval(least, most, signed=signed)
    return [Cell(scale.bare(float(np.median(values)), signed=signed), below)]


def verdict_cells(found: pd.Series, words: Iterable[str]) -> list[Cell]:
    """In how many futures the interval says what."""
    return texts(*(count((found == word).sum()) for word in words))


def strategies_in_futures(comparison: Comparison) -> Table:
    """How each strategy does over all futures, against the baseline of the same future."""
    table = comparison.differences[comparison.differences["measure"] == NET_BENEFIT]
    scale = choose_measure_scale(comparison, NET_BENEFIT, table)
    firsts = [comparison.order(future=name)[0] for name in comparison.futures]
    lost = comparison.winners[comparison.winners["verdict"] == LOSES]
    rows = []
    for name in comparison.order():
        here = table[table["strategy"] == name]
        losers = lost[lost["strategy"] == name].groupby("future", observed=False).size()
        losers = losers.reindex(list(comparison.futures), fill_value=0)
        cells = [
            *range_cells(scale, here["difference"]),
            Cell(count(firsts.count(name))),
            *verdict_cells(here["verdict"], (BETTER, UNDECIDED, WORSE)),
        ]
        if len(comparison.winners):
            whole = Scale(1.0, 0, "")
            least, most = float(losers.min()), float(losers.max())
            cells.append(Cell(count(losers.median()), whole.interval(least, most)))
        rows.append((strategy_title(comparison, name), cells))
    head = [
        _("Strategy"), _("Median of futures (range)"), _("Ranks first"),
        _("Clearly better"), _("Undecided"), _("Clearly worse"),
    ]  # fmt: skip
    head += [_("Losing regions")] if len(comparison.winners) else []
    caption = _("{measure}: {number} futures, and the number of futures with each result").format(
        measure=measure_label(NET_BENEFIT, scale), number=count(len(comparison.futures))
    )
    return Table(caption, head, rows)


def differences_in_futures(comparison: Comparison) -> list[Table]:
    """The differences from the baseline: a row a future, a few strategies a table."""
    table = comparison.differences[comparison.differences["measure"] == NET_BENEFIT]
    scale = choose_measure_scale(comparison, NET_BENEFIT, table)
    found = table.set_index(["future", "strategy"])
    made, groups = [], in_groups(comparison.order(), ACROSS)
    for number, some in enumerate(groups, 1):
        rows = [
            (future, [difference_cell(found.loc[(future, name)], scale) for name in some])
            for future in comparison.futures
        ]
        caption = measure_label(NET_BENEFIT, scale)
        if len(groups) > 1:
            text = _("{measure}, part {part} of {parts}")
            caption = text.format(measure=caption, part=number, parts=len(groups))
        head = [_("Future"), *(strategy_title(comparison, name) for name in some)]
        made.append(Table(caption, head, rows))
    return made


def channels_in_futures(comparison: Comparison) -> Table | None:
    """Through what the best strategy's net benefit differs, over all futures."""
    if len(comparison.futures) < 2:
        return None
    strategy = comparison.order()[0]
    table = comparison.channels[comparison.channels["strategy"] == strategy]
    total = comparison.differences[comparison.differences["measure"] == NET_BENEFIT]
    scale = choose_measure_scale(comparison, NET_BENEFIT, total)
    scale = scale.with_decimals(least=2)
    rows = []
    for name in table["channel"].cat.categories:
        here = table[table["channel"] == name]
        found = verdicts(here["low"].to_numpy(), here["high"].to_numpy(), 1)
        rows.append(
            (channel_title(name), over_futures(comparison, here, "difference", scale, found))
        )
    head = [_("Channel"), *range_heads(comparison), _("Increases"), _("Undecided"), _("Reduces")]
    caption = _(
        "Difference in realised net benefit by channel in all futures, {unit}: “{strategy}”"
    )
    caption = caption.format(unit=scale.label, strategy=strategy_title(comparison, strategy))
    return Table(caption, head, rows)


def range_heads(comparison: Comparison) -> list[str]:
    """What stands over the first future, and over all."""
    return [
        _("Future “{future}”").format(future=comparison.futures[0]),
        _("Median of futures (range)"),
    ]


def over_futures(
    comparison: Comparison,
    here: pd.DataFrame,
    column: str,
    scale: Scale,
    found: Iterable[str],
    words: tuple[str, str, str] = (BETTER, UNDECIDED, WORSE),
) -> list[Cell]:
    """A number in the first future, its range over all, and in how many what is clear."""
    first = here.loc[here["future"] == comparison.futures[0], column].iloc[0]
    found = list(found)
    return [
        Cell(scale.bare(first, signed=True)),
        *range_cells(scale, here[column]),
        *texts(*(count(found.count(word)) for word in words)),
    ]


def costs_in_futures(comparison: Comparison) -> Table | None:
    """What the best strategy costs and saves, over all futures."""
    if len(comparison.futures) < 2:
        return None
    strategy = comparison.order()[0]
    table = comparison.costs[comparison.costs["strategy"] == strategy]
    scale = cost_scale(comparison, comparison.futures[0])
    rows = []
    for item, title in cost_titles(comparison.scenario.currency).items():
        here = table[table["item"] == item]
        first = here.loc[here["future"] == comparison.futures[0], "value"].iloc[0]
        written = Scale(1.0, 2, "") if item == "saving_per_cost" else scale
        rows.append(
            (title, [Cell(written.bare(first)), *range_cells(written, here["value"], signed=False)])
        )
    net = table[table["item"] == "net_saving"]
    caption = _(
        "{strategy}: cost and saving in all futures, over the run and relative to “{baseline}”, "
        "{unit}. Cost clearly exceeds saving in {worse} of {number} futures"
    ).format(
        baseline=strategy_title(comparison, comparison.baseline),
        unit=scale.label,
        strategy=strategy_title(comparison, strategy),
        worse=count((net["high"] < 0.0).sum()),
        number=count(len(comparison.futures)),
    )
    return Table(caption, [_("Item"), *range_heads(comparison)], rows)


def winners_in_futures(comparison: Comparison) -> Table | None:
    """In how many futures each region gains and loses; of many, those that lose most often."""
    if len(comparison.futures) < 2 or not len(comparison.winners):
        return None
    strategy = comparison.order()[0]
    table = comparison.winners[comparison.winners["strategy"] == strategy]
    scale, found = choose_winner_scale(comparison), []
    for name, here in table.groupby("name", observed=True, sort=False):
        words = here["verdict"].tolist()
        cells = over_futures(
            comparison, here, "difference", scale, words, (GAINS, UNDECIDED, LOSES)
        )
        found.append((words.count(LOSES), -float(here["difference"].median()), name, cells))
    found.sort(key=lambda row: (-row[0], -row[1]))
    rows = [(name, cells) for _lost, _middle, name, cells in found[: 2 * LONGEST]]
    head = [_("Region"), *range_heads(comparison), _("Gains"), _("Undecided"), _("Loses")]
    caption = _(
        "{measure} under “{strategy}” in all futures, and the number of futures in which each "
        "region gains or loses"
    )
    caption = caption.format(
        measure=measure_label(NET_BENEFIT, scale), strategy=strategy_title(comparison, strategy)
    )
    return Table(caption, head, rows)


# The section on futures -------------------------------------------------------------------------

FEW = 12
"""Most settings of a future that are listed one by one."""


def futures_blocks(
    comparison: Comparison, futures: Mapping[str, Mapping[str, object]]
) -> Sequence[Block]:
    """The comparison over all futures, and each of them; nothing for a single future."""
    if len(comparison.futures) < 2:
        return []
    text = _("Unless they name a future, figures and tables show the future “{future}”.")
    return [
        Heading(_("Other futures")),
        text.format(future=comparison.futures[0]),
        strategies_in_futures(comparison),
        Folded(
            _("Each future"), [Facts(future_rows(futures)), *differences_in_futures(comparison)]
        ),
    ]


def future_rows(futures: Mapping[str, Mapping[str, object]]) -> list[tuple[str, str]]:
    """Each future, and its settings."""

    def listed(settings: Mapping[str, object]) -> str:
        if len(settings) > FEW:
            return _("{number} parameters").format(number=count(len(settings)))
        return "; ".join(f"{key} = {value}" for key, value in settings.items()) or _("unchanged")

    return [(name, listed(settings)) for name, settings in futures.items()]
