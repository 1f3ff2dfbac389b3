"""How certain a comparison is: intervals, convergence over runs, and pairing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT, convergence
from kolabsim.analysis.statistics import verdicts
from kolabsim.figures.comparison import convergence_by_runs
from kolabsim.figures.formatting import UNDEFINED, decimal, format_interval
from kolabsim.figures.labels import choose_measure_scale, measure_title
from kolabsim.i18n import _
from kolabsim.report.comparison.view import View
from kolabsim.report.page import Cell, Heading, Section, Table, interval_cell, separate
from kolabsim.report.wording import fill

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.study.collect import Results


@separate
def uncertainty_section(results: Results, view: View, measures: Sequence[str]) -> Section:
    """How to read the intervals, and whether there were enough runs."""
    by_runs = convergence(results, view.comparison)
    paragraphs = (
        _(
            "Each strategy was simulated {runs} times. Runs with the same number share all random "
            "draws, so that two strategies differ only by the strategy; differences are taken run "
            "by run."
        ),
        _(
            "The {level} intervals are for the mean difference over all possible runs (Student's "
            "t). They show how precisely the simulation is known, not how well it matches the "
            "world: see “Assumptions”. About {rest} of all intervals miss the true value by chance."
        ),
        _(
            "The share of runs in which a strategy does better shows how often it would win with "
            "other random draws; a tie counts half."
        ),
    )
    return Section(
        "uncertainty",
        _("Uncertainty"),
        *(view.fill(text, rest=1.0 - view.comparison.level) for text in paragraphs),
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
        Heading(_("Gain from common random numbers")),
        _(
            "With common random numbers, fewer runs are enough. The table shows how many times as "
            "many independent runs the same intervals would need; below 1, pairing widened them."
        ),
        pairing_table(view, measures),
    )


def convergence_sentence(view: View, by_runs: pd.DataFrame) -> str:
    """What half of the runs would have shown, and whether the best strategy would differ."""
    if len(by_runs) < 2:
        return _("There are too few runs to judge convergence.")
    half, last = by_runs.iloc[-2], by_runs.iloc[-1]
    scale = choose_measure_scale(view.comparison, NET_BENEFIT, by_runs.tail(1))
    before, after = (scale.bare(row["difference"], signed=True) for row in (half, last))
    wide, narrow = (scale.bare((row["high"] - row["low"]) / 2.0) for row in (half, last))
    text = _(
        "From {half} to {runs} runs, the difference of “{strategy}” from “{baseline}” went "
        "from {before} ± {wide} to {after} ± {narrow} ({unit})."
    )
    strategy, runs = (
        view.title(last["best"]),
        {"half": int(half["runs"]), "runs": int(last["runs"])},
    )
    filled = {"before": before, "after": after, "wide": wide, "narrow": narrow, "unit": scale.label}
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
        table = view.comparison.table(name, future=view.future)
        found = table["variance_reduction"].dropna()
        # Where the baseline never varies (it costs nothing), there is nothing to pair.
        if len(found) and not np.allclose(found, 1.0):
            ends = format_interval(decimal(found.min(), 1), decimal(found.max(), 1))
            rows.append((measure_title(name), decimal(found.median(), 1), ends))
    head = [_("Measure"), _("Median over strategies"), _("Range")]
    return Table(_("Variance of independent runs divided by variance of pairs"), head, rows)
