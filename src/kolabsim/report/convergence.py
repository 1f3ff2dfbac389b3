"""Whether there were runs enough: how the answer and its interval settle as runs are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kolabsim.analysis.comparison import verdicts
from kolabsim.figures.comparison import convergence_by_runs, convergence_scale
from kolabsim.figures.formatting import UNDEFINED, count, percent
from kolabsim.figures.labels import strategy_title
from kolabsim.i18n import _
from kolabsim.report.page import Picture
from kolabsim.report.tables import Cell, Table

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.comparison import Comparison


def convergence_sentence(comparison: Comparison, found: pd.DataFrame) -> str:
    """What half of the runs would have said, and whether the answer would have been another."""
    last, half = found.iloc[-1], found.iloc[-2] if len(found) > 1 else None
    scale = convergence_scale(comparison, found)
    if half is None:
        text = _("There are too few runs to see how the answer settles.")
        return text
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
    text = _(
        "From {half} runs to {runs}, the difference between {strategy} and {baseline} went from "
        "{before} ± {wide} to {after} ± {narrow} ({unit})."
    )
    sentences = [text.format(**words)]
    since = settled_since(found)
    if since < half["runs"] or half["best"] == last["best"]:
        text = _("{strategy} came first from {since} runs on.")
        sentences.append(text.format(since=count(since), **words))
    else:
        text = _("With half of the runs {other} would have come first: more runs are needed.")
        sentences.append(text.format(**words))
    sentences.append(_("Four times as many runs halve an interval."))
    return " ".join(sentences)


def settled_since(found: pd.DataFrame) -> int:
    """The number of runs from which on the strategy that is best in the end came first."""
    since = int(found["runs"].iloc[-1])
    for runs, best in zip(found["runs"][::-1], found["best"][::-1], strict=True):
        if best != found["best"].iloc[-1]:
            break
        since = int(runs)
    return since


def convergence_table(comparison: Comparison, found: pd.DataFrame) -> Table:
    """The difference to the baseline and the lead over the next, by number of runs."""
    scale, order = convergence_scale(comparison, found), comparison.order()

    def cell(middle: float, low: float, high: float) -> Cell:
        if not (low <= high):
            return Cell(UNDEFINED)
        verdict = verdicts(low, high, 1).item()
        below = scale.interval(low, high, signed=True)
        return Cell(scale.bare(middle, signed=True), below, verdict=verdict)

    rows = [
        (
            count(row.runs),
            [
                cell(row.difference, row.low, row.high),
                *([cell(row.lead, row.lead_low, row.lead_high)] if len(order) > 1 else []),
                Cell(strategy_title(comparison, row.best)),
            ],
        )
        for row in found.itertuples()
    ]
    titles = [strategy_title(comparison, name) for name in (comparison.baseline, *order[:2])]
    head = [_("Runs"), _("Difference to {baseline}").format(baseline=titles[0])]
    if len(order) > 1:
        head.append(_("Lead over {next}").format(next=titles[2]))
    caption = _("{strategy} by number of runs: realised net benefit, {unit}").format(
        strategy=titles[1], unit=scale.label
    )
    return Table(caption, [*head, _("Comes first")], rows)


def convergence_picture(comparison: Comparison, found: pd.DataFrame) -> Picture:
    """The intervals by number of runs."""
    words = {
        "strategy": strategy_title(comparison, comparison.order()[0]),
        "baseline": strategy_title(comparison, comparison.baseline),
        "level": percent(comparison.level),
    }
    return Picture.of(
        convergence_by_runs(comparison, found),
        _("Difference between {strategy} and {baseline} with its interval, by number of runs"),
        _(
            "{strategy} less {baseline} in realised net benefit, from the first runs alone to all "
            "of them, with {level} intervals. Where it hardly moves, more runs would mainly "
            "narrow the interval."
        ),
        **words,
    )
