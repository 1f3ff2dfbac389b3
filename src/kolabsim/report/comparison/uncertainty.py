"""How certain a comparison is: intervals, convergence over runs, and pairing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT, convergence
from kolabsim.analysis.statistics import verdicts
from kolabsim.figures.comparison import convergence_by_runs
from kolabsim.figures.formatting import (
    UNDEFINED,
    Scale,
    decimal,
    format_interval,
    undefined_interval,
)
from kolabsim.figures.labels import choose_measure_scale, measure_title
from kolabsim.i18n import _
from kolabsim.report.comparison.view import View
from kolabsim.report.page import Block, Cell, Heading, Section, Table, interval_cell, separate
from kolabsim.report.ranges import paragraphs_of_runs, plausible_paragraphs
from kolabsim.report.wording import fill

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.study.collect import Results


@separate
def uncertainty_section(results: Results, view: View, measures: Sequence[str]) -> Section:
    """How to read ranges and intervals, and whether there were enough runs."""
    by_runs = None if view.is_varied else convergence(results, view.comparison)
    paragraphs = plausible_paragraphs() if view.is_varied else paragraphs_of_runs()
    return Section(
        "uncertainty",
        _("Uncertainty"),
        *(view.fill(text) for text in paragraphs),
        *(chance_blocks(view) if by_runs is None else convergence_blocks(view, by_runs)),
        Heading(_("Gain from common random numbers")),
        _(
            "With common random numbers, fewer runs are enough. The table shows how many times as "
            "many independent runs the same intervals would need; below 1, pairing widened them."
        ),
        pairing_table(view, measures),
    )


def chance_blocks(view: View) -> list[Block]:
    """What chance leaves open, beside what assumptions do."""
    scale, rows = view.scale.with_decimals(least=2), []
    for name in view.order:
        row = view.net.loc[name]
        ranges = (
            scale.interval(row[low], row[high], signed=True)
            for low, high in (("low", "high"), ("chance_low", "chance_high"))
        )
        rows.append((view.title(name), scale.bare(row["difference"], signed=True), *ranges))
    head = [
        _("Strategy"), _("Median"), _("Plausible range"),
        view.fill(_("{level} interval of the median")),
    ]  # fmt: skip
    caption = fill(_("Assumptions and chance: realised net benefit, {unit}"), unit=scale.label)
    sentence = _("Four times as many runs in each future halve what chance leaves open.")
    return [Heading(_("Assumptions and chance")), Table(caption, head, rows), sentence]


def convergence_blocks(view: View, by_runs: pd.DataFrame) -> list[Block]:
    """Whether more runs would change the answer."""
    return [
        Heading(_("Number of runs")),
        convergence_sentence(view, by_runs),
        view.picture(
            partial(convergence_by_runs, view.comparison, by_runs),
            _("Difference of “{strategy}” from “{baseline}” with its interval, by number of runs"),
            _(
                "Difference of “{strategy}” from “{baseline}” in realised net benefit, from the "
                "first few runs to all of them, with {level} intervals. Once it hardly moves, more "
                "runs mainly narrow the interval."
            ),
            "convergence",
        ),
        convergence_table(view, by_runs),
    ]


def convergence_sentence(view: View, by_runs: pd.DataFrame) -> str:
    """What half of the runs would have shown, and whether the best strategy would differ."""
    if len(by_runs) < 2:
        return _("There are too few runs to judge convergence.")
    half, last = by_runs.iloc[-2], by_runs.iloc[-1]
    scale = choose_measure_scale(view.comparison, NET_BENEFIT, by_runs.tail(1))
    before, after = (with_half_width(scale, row) for row in (half, last))
    text = _(
        "From {half} to {runs} runs, the difference of “{strategy}” from “{baseline}” went from "
        "{before} to {after} ({unit})."
    )
    strategy, runs = (
        view.title(last["best"]),
        {"half": int(half["runs"]), "runs": int(last["runs"])},
    )
    filled = {"before": before, "after": after, "unit": scale.label}
    sentences = [view.fill(text, strategy=strategy, **runs, **filled)]
    others = by_runs["runs"][by_runs["best"] != last["best"]]
    since = int(min(number for number in by_runs["runs"] if number > max(others, default=0)))
    if since < half["runs"] or half["best"] == last["best"]:
        text = _("“{strategy}” has ranked first since {since} runs.")
        sentences.append(fill(text, strategy=strategy, since=since))
    else:
        text = _("With half of the runs, “{other}” would have ranked first: more runs are needed.")
        sentences.append(fill(text, other=view.title(half["best"])))
    sentences.append(_("Four times as many runs halve an interval."))
    return " ".join(sentences)


def with_half_width(scale: Scale, row: pd.Series) -> str:
    """A difference with half the width of its interval, or that it is equal in all runs."""
    middle, half = scale.bare(row["difference"], signed=True), (row["high"] - row["low"]) / 2.0
    if half > 0.0:
        return f"{middle} ± {scale.bare(half)}"
    return f"{middle}, {undefined_interval(row['runs'])}"


def convergence_table(view: View, by_runs: pd.DataFrame) -> Table:
    """The difference from the baseline and the lead over the runner-up, by number of runs."""
    scale = choose_measure_scale(view.comparison, NET_BENEFIT, by_runs.tail(1))

    def cell(middle: float, low: float, high: float) -> Cell:
        if not (low <= high):
            return Cell(UNDEFINED)
        verdict = verdicts(np.array([low]), np.array([high]), 1)[0]
        return interval_cell(scale, middle, low, high, signed=True, verdict=verdict)

    order = view.comparison.order()
    head = [_("Runs"), view.fill(_("Difference from “{baseline}”"))]
    parts = [("difference", "low", "high")]
    if len(order) > 1:
        head.append(fill(_("Lead over “{next}”"), next=view.title(order[1])))
        parts.append(("lead", "lead_low", "lead_high"))
    rows = [
        (
            int(row["runs"]),
            *(cell(*(row[name] for name in names)) for names in parts),
            view.title(row["best"]),
        )
        for _place, row in by_runs.iterrows()
    ]
    caption = _("{strategy} by number of runs: realised net benefit, {unit}")
    return Table(view.fill(caption, unit=scale.label), [*head, _("Ranks first")], rows)


def pairing_table(view: View, measures: Sequence[str]) -> Table:
    """How many times as many runs would be needed without common draws, by measure."""
    rows = []
    for name in measures:
        table = view.comparison.differences
        table = table[table["measure"] == name]
        futures = view.comparison.plausible if view.is_varied else (view.future,)
        table = table[table["future"].isin(futures)]
        found = table.groupby("strategy", observed=True)["variance_reduction"].median().dropna()
        # Where the baseline never varies (it costs nothing), there is nothing to pair.
        if len(found) and not np.allclose(found, 1.0):
            ends = format_interval(decimal(found.min(), 1), decimal(found.max(), 1))
            rows.append((measure_title(name), decimal(found.median(), 1), ends))
    head = [_("Measure"), _("Median over strategies"), _("Range")]
    return Table(_("Variance of independent runs divided by variance of pairs"), head, rows)
