"""What it rests on most: assumptions ranked by how much they move the headline difference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kolabsim.analysis.comparison import DIFFERENT, NET_BENEFIT, UNDECIDED
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
from kolabsim.report.tables import Cell, Table

if TYPE_CHECKING:
    from kolabsim.analysis.comparison import Comparison
    from kolabsim.analysis.influence import Influence

MOST = 10
"""Most assumptions in a ranking."""
PLAUSIBLE = 20
"""Plausible futures that a reader is told to add."""


def influence_sentences(comparison: Comparison, found: Influence) -> list[str]:
    """What was looked at, and what can be told from chance."""
    if len(comparison.futures) < 2:
        return [
            _(
                "Which assumption matters most cannot be told from a single future, and nothing is "
                "ranked here that was not varied. A ranking needs futures: add the lines "
                "“plausible: {number}” (parameter sets that agree with what is known) and "
                "“structures: all” (each other form of a law or rule by itself) to the file of the "
                "experiment, or --plausible {number} --structures to the command. A sensitivity "
                "analysis (“kind: sensitivity”) ranks all assumptions over their whole ranges."
            ).format(number=count(PLAUSIBLE))
        ]
    words = {
        "strategy": strategy_title(comparison, found.strategy),
        "baseline": strategy_title(comparison, comparison.baseline),
        "level": percent(found.level),
        "futures": count(found.futures),
    }
    said = []
    if len(found.alone):
        number = int(found.alone["moves"].sum())
        text = ngettext(
            "{number} of {all} futures that change one thing clearly moves the difference between "
            "{strategy} and {baseline}.",
            "{number} of {all} futures that change one thing clearly move the difference between "
            "{strategy} and {baseline}.",
            number,
        )
        said.append(text.format(number=count(number), all=count(len(found.alone)), **words))
    if len(found.ranked):
        number = int(found.ranked["moves"].sum())
        text = _(
            "{futures} futures vary {all} assumptions all at once. They are ranked by how closely "
            "the difference between {strategy} and {baseline} follows each of them over these "
            "futures; {number} can be told from chance at {level}, counting how many are looked at."
        )
        said.append(text.format(number=count(number), all=count(len(found.ranked)), **words))
        if not number:
            text = _(
                "With so few futures only a very close connection shows: that none is clear does "
                "not say that none matters. More futures, or a sensitivity analysis, would tell."
            )
            said.append(text)
    if not said:
        said.append(
            _("The futures are too few, and change too much at once, to rank assumptions by them.")
        )
    return said


def influence_tables(
    comparison: Comparison, found: Influence, futures: Mapping[str, Mapping[str, object]]
) -> list[Table]:
    """Futures that change little by how far they move the difference, and assumptions by rank."""
    made = []
    if len(found.alone):
        made.append(alone_table(comparison, found, futures))
    if len(found.ranked):
        made.append(ranking_table(comparison, found))
    return made


def alone_table(
    comparison: Comparison, found: Influence, futures: Mapping[str, Mapping[str, object]]
) -> Table:
    """How far each future that changes little moves the difference."""
    table = found.alone
    scale = choose_scale(
        MEASURES[NET_BENEFIT].unit, table["shift"], (table["high"] - table["low"]) / 2.0,
        currency=comparison.scenario.currency,
    )  # fmt: skip
    rows = [
        (
            row.future,
            [
                Cell(told(comparison, futures[row.future])),
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
        _("Future"), _("What it sets"), _("Difference in it ({unit})").format(unit=scale.label),
        _("Moved by ({unit})").format(unit=scale.label),
    ]  # fmt: skip
    caption = _("What one change moves: {strategy} less {baseline}, against the first future")
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
        _("Assumption"), _("Rank correlation"), _("Share of the variance of ranks"),
        _("Difference in the lower half ({unit})").format(unit=scale.label),
        _("In the upper half ({unit})").format(unit=scale.label), _("p-value"),
    ]  # fmt: skip
    caption = _(
        "Assumptions ranked by influence on the difference between {strategy} and {baseline}: the "
        "first {number} of {all}"
    ).format(number=count(len(table)), all=count(len(found.ranked)), **titles(comparison, found))
    return Table(caption, head, rows)


def titles(comparison: Comparison, found: Influence) -> dict[str, str]:
    """What the two strategies are called."""
    return {
        "strategy": strategy_title(comparison, found.strategy),
        "baseline": strategy_title(comparison, comparison.baseline),
    }


def told(comparison: Comparison, settings: Mapping[str, object]) -> str:
    """What a future sets, in words."""
    parts = [
        f"{setting_title(comparison.scenario, name)}: "
        f"{significant(value) if isinstance(value, (int, float)) else value}"
        for name, value in settings.items()
    ]
    return "; ".join(parts) or _("as it is")
