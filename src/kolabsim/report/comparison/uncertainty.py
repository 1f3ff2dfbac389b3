"""How certain a comparison is: intervals, convergence over runs, pairing and random attributes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT, convergence
from kolabsim.analysis.statistics import verdicts
from kolabsim.figures.comparison import convergence_by_runs
from kolabsim.figures.formatting import UNDEFINED, count, decimal, format_interval, percent
from kolabsim.figures.labels import choose_measure_scale, measure_title, strategy_title
from kolabsim.i18n import _
from kolabsim.report.page import Block, Cell, Heading, Picture, Section, Table, interval_cell, texts

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.study.collect import Results


def uncertainty_section(
    results: Results,
    comparison: Comparison,
    measures: Sequence[str],
    variance: pd.DataFrame | None,
) -> Section:
    """How to read the intervals, and whether there were enough runs."""
    by_runs = convergence(results, comparison)
    words = {
        "runs": count(comparison.runs),
        "level": percent(comparison.level),
        "rest": percent(1.0 - comparison.level),
        "baseline": strategy_title(comparison, comparison.baseline),
        "strategy": strategy_title(comparison, comparison.order()[0]),
    }
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
    drawn: list[Block] = []
    attributes = _(
        "Runs under “{baseline}” differ for two reasons: attributes of regions that no data "
        "provide are drawn again, and chance events occur, such as who notices whom, who keeps "
        "promises, and when negotiations end. The table shows the share of drawn attributes; the "
        "rest is chance."
    )
    if variance is not None:
        drawn = [
            Heading(_("Drawn attributes and chance")),
            attributes.format(**words),
            variance_table(variance, 0.95),
        ]
    return Section(
        "uncertainty",
        _("Uncertainty"),
        *(text.format(**words) for text in paragraphs),
        Heading(_("Number of runs")),
        convergence_sentence(comparison, by_runs),
        Picture.of(
            convergence_by_runs(comparison, by_runs),
            _("Difference of “{strategy}” from “{baseline}” with its interval, by number of runs"),
            _(
                "Difference of “{strategy}” from “{baseline}” in realised net benefit, from the "
                "first few runs to all of them, with {level} intervals. Once it hardly moves, more "
                "runs mainly narrow the interval."
            ),
            "convergence",
            **words,
        ),
        convergence_table(comparison, by_runs),
        Heading(_("Gain from common random numbers")),
        _(
            "With common random numbers, fewer runs are enough. The table shows how many times as "
            "many independent runs the same intervals would need; below 1, pairing widened them."
        ),
        pairing_table(comparison, measures, comparison.futures[0]),
        *drawn,
    )


def convergence_sentence(comparison: Comparison, by_runs: pd.DataFrame) -> str:
    """What half of the runs would have shown, and whether the best strategy would differ."""
    if len(by_runs) < 2:
        return _("There are too few runs to judge convergence.")
    half, last = by_runs.iloc[-2], by_runs.iloc[-1]
    scale = choose_measure_scale(comparison, NET_BENEFIT, by_runs.tail(1))
    words = {
        "half": count(half["runs"]),
        "runs": count(last["runs"]),
        "before": scale.bare(half["difference"], signed=True),
        "after": scale.bare(last["difference"], signed=True),
        "wide": scale.bare((half["high"] - half["low"]) / 2.0),
        "narrow": scale.bare((last["high"] - last["low"]) / 2.0),
        "unit": scale.label,
        "strategy": strategy_title(comparison, last["best"]),
        "other": strategy_title(comparison, half["best"]),
        "baseline": strategy_title(comparison, comparison.baseline),
    }
    sentences = [
        _(
            "From {half} to {runs} runs, the difference of “{strategy}” from “{baseline}” went "
            "from {before} ± {wide} to {after} ± {narrow} ({unit})."
        ).format(**words)
    ]
    since = first_stable(by_runs)
    if since < half["runs"] or half["best"] == last["best"]:
        text = _("“{strategy}” has ranked first since {since} runs.")
        sentences.append(text.format(since=count(since), **words))
    else:
        text = _("With half of the runs, “{other}” would have ranked first: more runs are needed.")
        sentences.append(text.format(**words))
    sentences.append(_("Four times as many runs halve an interval."))
    return " ".join(sentences)


def first_stable(by_runs: pd.DataFrame) -> int:
    """Return the number of runs since which the strategy that is best in the end ranked first."""
    since = int(by_runs["runs"].iloc[-1])
    for runs, best in zip(by_runs["runs"][::-1], by_runs["best"][::-1], strict=True):
        if best != by_runs["best"].iloc[-1]:
            break
        since = int(runs)
    return since


def convergence_table(comparison: Comparison, by_runs: pd.DataFrame) -> Table:
    """The difference from the baseline and the lead over the runner-up, by number of runs."""
    scale = choose_measure_scale(comparison, NET_BENEFIT, by_runs.tail(1))
    order = comparison.order()

    def cell(middle: float, low: float, high: float) -> Cell:
        if not (low <= high):
            return Cell(UNDEFINED)
        verdict = verdicts(np.array([low]), np.array([high]), 1)[0]
        return interval_cell(scale, middle, low, high, signed=True, verdict=verdict)

    rows = [
        (
            count(row.runs),
            [
                cell(row.difference, row.low, row.high),
                *([cell(row.lead, row.lead_low, row.lead_high)] if len(order) > 1 else []),
                Cell(strategy_title(comparison, row.best)),
            ],
        )
        for row in by_runs.itertuples()
    ]
    titles = [strategy_title(comparison, name) for name in (comparison.baseline, *order[:2])]
    head = [_("Runs"), _("Difference from “{baseline}”").format(baseline=titles[0])]
    if len(order) > 1:
        head.append(_("Lead over “{next}”").format(next=titles[2]))
    caption = _("{strategy} by number of runs: realised net benefit, {unit}").format(
        strategy=titles[1], unit=scale.label
    )
    return Table(caption, [*head, _("Ranks first")], rows)


def pairing_table(comparison: Comparison, measures: Sequence[str], future: str) -> Table:
    """How many times as many runs would be needed without common draws, by measure."""
    rows = []
    for name in measures:
        found = comparison.table(name, future=future)["variance_reduction"].dropna()
        # Where the baseline never varies (it costs nothing), there is nothing to pair.
        if len(found) and not np.allclose(found, 1.0):
            middle, least, most = (
                decimal(value, 1) for value in (found.median(), found.min(), found.max())
            )
            rows.append((measure_title(name), texts(middle, format_interval(least, most))))
    head = [_("Measure"), _("Median over strategies"), _("Range")]
    return Table(_("Variance of independent runs divided by variance of pairs"), head, rows)


def variance_table(variance: pd.DataFrame, level: float) -> Table:
    """The share of the variance between runs that drawn attributes of regions explain."""
    rows = [
        (
            measure_title(row.measure),
            [
                Cell(percent(row.share)),
                Cell(
                    UNDEFINED
                    if not (math.isfinite(row.low) and math.isfinite(row.high))
                    else format_interval(percent(row.low), percent(row.high))
                ),
            ],
        )
        for row in variance.itertuples()
    ]
    interval = _("{level} interval").format(level=percent(level))
    head = [_("Measure"), _("Drawn attributes"), interval]
    return Table(_("Share of the variance between runs due to drawn attributes"), head, rows)
