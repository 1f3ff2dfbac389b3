"""The assumptions that matter most: how far they move the difference in net benefit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.statistics import DIFFERENT, UNDECIDED
from kolabsim.figures.formatting import UNDEFINED, Scale, choose_scale, decimal, significant
from kolabsim.figures.labels import setting_title
from kolabsim.i18n import _, ngettext
from kolabsim.model.measures import MEASURES
from kolabsim.report.comparison.view import View
from kolabsim.report.page import Block, Cell, Table
from kolabsim.report.wording import fill

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from kolabsim.analysis.comparison import Influence

MOST = 10
"""Most assumptions in a ranking."""
PLAUSIBLE = 20
"""Plausible futures that a reader is advised to add."""


def influence_blocks(
    view: View, found: Influence, futures: Mapping[str, Mapping[str, object]]
) -> list[Block]:
    """Which assumptions matter: what was varied, and how far each moves the difference."""
    if not view.has_futures:
        text = _(
            "A single future cannot show which assumption matters most. To rank assumptions, add "
            "futures: write “plausible: {number}” (parameter sets that agree with what is known) "
            "and “structures: all” (each alternative form of an equation or rule) in the "
            "experiment file, or add --plausible {number} --structures to the command. A "
            "sensitivity analysis (“kind: sensitivity”) ranks all assumptions over their whole "
            "ranges."
        )
        return [fill(text, number=PLAUSIBLE)]
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
        blocks.append(view.fill(text, number=number, all=len(found.single)))
        blocks.append(alone_table(view, found, futures))
    if len(found.ranked):
        number = int(found.ranked["moves"].sum())
        text = _(
            "{futures} futures vary {all} assumptions at once. The table ranks assumptions by how "
            "closely the difference between “{strategy}” and “{baseline}” follows them; {number} "
            "can be distinguished from chance at the {level} level, corrected for multiple "
            "comparisons."
        )
        filled = {"number": number, "all": len(found.ranked), "futures": found.futures}
        blocks.append(view.fill(text, level=found.level, **filled))
        if not number:
            blocks.append(
                _(
                    "So few futures reveal only very close connections; other assumptions may "
                    "matter too. More futures or a sensitivity analysis would show them."
                )
            )
        blocks.append(ranking_table(view, found))
    return blocks or [
        _("There are too few futures, and they change too much at once, to rank assumptions.")
    ]


def benefit_scale(view: View, values: ArrayLike, errors: ArrayLike = ()) -> Scale:
    """The scale of some differences in realised net benefit."""
    unit, currency = MEASURES[NET_BENEFIT].unit, view.scenario.currency
    return choose_scale(unit, values, errors, currency=currency)


def alone_table(view: View, found: Influence, futures: Mapping[str, Mapping[str, object]]) -> Table:
    """How far each future that changes little moves the difference."""
    table = found.single
    scale = benefit_scale(view, table["shift"], (table["high"] - table["low"]) / 2.0)
    rows = [
        (
            row.future,
            describe_future(view, futures[row.future]),
            scale.bare(row.difference, signed=True),
            Cell(
                scale.bare(row.shift, signed=True),
                scale.interval(row.low, row.high, signed=True),
                verdict=DIFFERENT if row.moves else UNDECIDED,
            ),
        )
        for row in table.itertuples()
    ]
    with_unit = _("Difference ({unit})"), _("Shift ({unit})")
    head = [_("Future"), _("Settings"), *(fill(text, unit=scale.label) for text in with_unit)]
    caption = _(
        "Effect of a single change on the difference between “{strategy}” and “{baseline}”, "
        "compared with the first future"
    )
    return Table(view.fill(caption), head, rows, prose=True)


def ranking_table(view: View, found: Influence) -> Table:
    """Assumptions that futures vary together, the strongest first."""
    table = found.ranked.head(MOST)
    scale = benefit_scale(view, np.ravel(table[["lower", "upper"]]))
    rows = []
    for number, row in enumerate(table.itertuples(), 1):
        verdict = DIFFERENT if row.moves else UNDECIDED
        halves = [
            scale.bare(value, signed=True) if math.isfinite(value) else UNDEFINED
            for value in (row.lower, row.upper)
        ]
        rows.append(
            (
                f"{number}. {setting_title(view.scenario, row.setting)}",
                Cell(decimal(row.correlation, 2, signed=True), verdict=verdict),
                row.share,
                *halves,
                _("< 0.001") if row.p < 0.001 else decimal(row.p, 3),
            )
        )
    heads = _("Difference in the lower half ({unit})"), _("Difference in the upper half ({unit})")
    head = [
        _("Assumption"), _("Rank correlation"), _("Share of rank variance"),
        *(fill(text, unit=scale.label) for text in heads), _("p-value"),
    ]  # fmt: skip
    caption = _(
        "Assumptions ranked by their influence on the difference between “{strategy}” and "
        "“{baseline}”: the first {number} of {all}"
    )
    return Table(view.fill(caption, number=len(table), all=len(found.ranked)), head, rows)


def describe_future(view: View, settings: Mapping[str, object]) -> str:
    """What a future sets, in words."""
    parts = [
        f"{setting_title(view.scenario, name)}: "
        f"{significant(value) if isinstance(value, (int, float)) else value}"
        for name, value in settings.items()
    ]
    return "; ".join(parts) or _("unchanged")
