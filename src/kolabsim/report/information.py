"""The value of knowing an assumption before choosing: what to measure first."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from kolabsim.analysis.statistics import BETTER, UNDECIDED
from kolabsim.figures.formatting import UNDEFINED
from kolabsim.figures.labels import Labels, add_unit, capitalise
from kolabsim.figures.robustness import information_scale, value_of_information
from kolabsim.i18n import _
from kolabsim.report.page import Note, Picture, Section, Table, interval_cell, separate
from kolabsim.report.wording import fill

if TYPE_CHECKING:
    from kolabsim.analysis.information import Information


def measure_sentence(information: Information, labels: Labels) -> str:
    """What to measure first, and what it would change."""
    if not information.above_floor:
        return _(
            "No factor is worth measuring first: knowing any of them would change the choice no "
            "more than knowing an irrelevant factor."
        )
    row = information.factors[information.factors["above"]].iloc[0]
    scale = information_scale(information, labels)
    text = _(
        "Measure {factor} first: knowing it before choosing is worth {value} on average ({level} "
        "interval {interval})"
    )
    if math.isfinite(row["share"]):
        text += _(", {share} of the value of perfect information")
    if isinstance(row["lowest"], str) and row["lowest"] != row["highest"]:
        text += _("; “{lowest}” is best where it is lowest, “{highest}” where it is highest")
    text += "."
    return fill(
        text, factor=labels.factor(row["factor"]), value=scale.text(row["value"]),
        level=information.level, interval=scale.interval(row["low"], row["high"]),
        share=row["share"], lowest=labels.strategy(row["lowest"]),
        highest=labels.strategy(row["highest"]),
    )  # fmt: skip


@separate
def information_section(information: Information, labels: Labels) -> Section:
    """What it is worth to know each factor before choosing."""
    scale, perfect = information_scale(information, labels), information.evpi
    text = _(
        "Without further information, the choice is “{chosen}”. Perfect information about the "
        "future would add {value} on average ({level} interval {interval}; between {least} and "
        "{most}, depending on how much of it is attributed to chance in the runs). Knowing a "
        "single factor is worth part of that."
    )
    text = fill(
        text, chosen=labels.strategy(information.chosen), value=scale.text(perfect.value),
        level=information.level, interval=scale.interval(perfect.low, perfect.high),
        least=scale.bare(perfect.lower), most=scale.bare(perfect.upper),
    )  # fmt: skip
    picture = Picture(
        partial(value_of_information, information, labels),
        _("Value of knowing each factor before choosing."),
        _(
            "Lines: {level} intervals, which are approximate. The tick is the noise floor: the "
            "apparent value of a factor with the same values that is unrelated to the outcome. "
            "Hollow: not above it."
        ),
        level=information.level,
    )
    note = _(
        "A factor without information value may still change the outcome a lot: its value is zero "
        "because the same strategy is best whatever its value."
    )
    title = _("What to measure first")
    table = information_table(information, labels)
    return Section("information", title, text, table, picture, Note([note]))


def information_table(information: Information, labels: Labels) -> Table:
    """The value of knowing each factor, its floor, and what is best at both ends of it."""
    scale = information_scale(information, labels)
    rows = []
    for row in information.factors.itertuples():
        ends = [
            labels.strategy(end) if isinstance(end, str) else UNDEFINED
            for end in (row.lowest, row.highest)
        ]
        verdict = BETTER if row.above else UNDECIDED
        value = interval_cell(scale, row.value, row.low, row.high, verdict=verdict)
        title = capitalise(labels.factor(row.factor))
        rows.append((title, value, scale.bare(row.floor), row.share, *ends))
    head = [
        _("Factor"), add_unit(_("Value of information"), scale), add_unit(_("Noise floor"), scale),
        _("Share of perfect information"), _("Best at its lowest"),
        _("Best at its highest"),
    ]  # fmt: skip
    caption = _("Value of knowing a factor before choosing: ▲ above the noise floor, ○ not above")
    return Table(caption, head, rows)
