"""The assumptions that matter most: how far they move the difference in net benefit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.statistics import DIFFERENT, UNDECIDED
from kolabsim.figures.formatting import (
    UNDEFINED,
    choose_scale,
    count,
    decimal,
    percent,
    significant,
)
from kolabsim.figures.labels import setting_title, strategy_title
from kolabsim.i18n import _, ngettext
from kolabsim.model.measures import MEASURES
from kolabsim.report.page import Block, Cell, Table

if TYPE_CHECKING:
    from kolabsim.analysis.comparison import Comparison, Influence

MOST = 10
"""Most assumptions in a ranking."""
PLAUSIBLE = 20
"""Plausible futures that a reader is advised to add."""


def influence_blocks(
    comparison: Comparison, found: Influence, futures: Mapping[str, Mapping[str, object]]
) -> list[Block]:
    """Which assumptions matter: what was varied, and how far each moves the difference."""
    if len(comparison.futures) < 2:
        text = _(
            "A single future cannot show which assumption matters most. To rank assumptions, add "
            "futures: write “plausible: {number}” (parameter sets that agree with what is known) "
            "and “structures: all” (each alternative form of an equation or rule) in the "
            "experiment file, or add --plausible {number} --structures to the command. A "
            "sensitivity analysis (“kind: sensitivity”) ranks all assumptions over their whole "
            "ranges."
        )
        return [text.format(number=count(PLAUSIBLE))]
    words = {
        "strategy": strategy_title(comparison, found.strategy),
        "baseline": strategy_title(comparison, comparison.baseline),
        "level": percent(found.level),
        "futures": count(found.futures),
    }
    blocks: list[Block] = []
    if len(found.single):
        number = int(found.single["moves"].sum())
        text = ngettext(
            "{number} of {all} futures with a single change clearly moves the difference between "
            "“{strategy}” and “{baseline}”.",
            "{number} of {all} futures with a single change clearly move the difference between "
            "“{strategy}” and “{baseline}”.",
            number,
        )
        blocks.append(text.format(number=count(number), all=count(len(found.single)), **words))
        blocks.append(alone_table(comparison, found, futures))
    if len(found.ranked):
        number = int(found.ranked["moves"].sum())
        text = _(
            "{futures} futures vary {all} assumptions at once. The table ranks assumptions by how "
            "closely the difference between “{strategy}” and “{baseline}” follows them; {number} "
            "can be distinguished from chance at the {level} level, corrected for multiple "
            "comparisons."
        )
        blocks.append(text.format(number=count(number), all=count(len(found.ranked)), **words))
        if not number:
            blocks.append(
                _(
                    "So few futures reveal only very close connections; other assumptions may "
                    "matter too. More futures or a sensitivity analysis would show them."
                )
            )
        blocks.append(ranking_table(comparison, found))
    return blocks or [
        _("There are too few futures, and they change too much at once, to rank assumptions.")
    ]


def alone_table(
    comparison: Comparison, found: Influence, futures: Mapping[str, Mapping[str, object]]
) -> Table:
    """How far each future that changes little moves the difference."""
    table = found.single
    scale = choose_scale(
        MEASURES[NET_BENEFIT].unit, table["shift"], (table["high"] - table["low"]) / 2.0,
        currency=comparison.scenario.currency,
    )  # fmt: skip
    rows = [
        (
            row.future,
            [
                Cell(describe_future(comparison, futures[row.future])),
                Cell(scale.bare(row.difference, signed=True)),
                Cell(
                    scale.bare(row.shift, signed=True),
                    scale.interval(row.low, row.high, signed=True),
                    verdict=DIFFERENT if row.moves else UNDECIDED,
                ),
            ],
        )
        for row in table.itertuples()
    ]
    head = [
        _("Future"), _("Settings"), _("Difference ({unit})").format(unit=scale.label),
        _("Shift ({unit})").format(unit=scale.label),
    ]  # fmt: skip
    caption = _(
        "Effect of a single change on the difference between “{strategy}” and “{baseline}”, "
        "compared with the first future"
    )
    return Table(caption.format(**titles(comparison, found)), head, rows, prose=True)


def ranking_table(comparison: Comparison, found: Influence) -> Table:
    """Assumptions that futures vary together, the strongest first."""
    table = found.ranked.head(MOST)
    scale = choose_scale(
        MEASURES[NET_BENEFIT].unit, table[["lower", "upper"]].to_numpy().ravel(),
        currency=comparison.scenario.currency,
    )  # fmt: skip
    rows = []
    for number, row in enumerate(table.itertuples(), 1):
        halves = [row.lower, row.upper]
        cells = [
            Cell(
                decimal(row.correlation, 2, signed=True),
                verdict=DIFFERENT if row.moves else UNDECIDED,
            ),
            Cell(percent(row.share)),
            *(Cell(scale.bare(v, signed=True) if math.isfinite(v) else UNDEFINED) for v in halves),
            Cell(_("< 0.001") if row.p < 0.001 else decimal(row.p, 3)),
        ]
        rows.append((f"{number}. {setting_title(comparison.scenario, row.setting)}", cells))
    head = [
        _("Assumption"), _("Rank correlation"), _("Share of rank variance"),
        _("Difference in the lower half ({unit})").format(unit=scale.label),
        _("Difference in the upper half ({unit})").format(unit=scale.label), _("p-value"),
    ]  # fmt: skip
    caption = _(
        "Assumptions ranked by their influence on the difference between “{strategy}” and "
        "“{baseline}”: the first {number} of {all}"
    ).format(number=count(len(table)), all=count(len(found.ranked)), **titles(comparison, found))
    return Table(caption, head, rows)


def titles(comparison: Comparison, found: Influence) -> dict[str, str]:
    """What the two strategies are called."""
    return {
        "strategy": strategy_title(comparison, found.strategy),
        "baseline": strategy_title(comparison, comparison.baseline),
    }


def describe_future(comparison: Comparison, settings: Mapping[str, object]) -> str:
    """What a future sets, in words."""
    parts = [
        f"{setting_title(comparison.scenario, name)}: "
        f"{significant(value) if isinstance(value, (int, float)) else value}"
        for name, value in settings.items()
    ]
    return "; ".join(parts) or _("unchanged")
