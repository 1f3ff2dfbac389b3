"""Whether there were runs enough: how the answer and its interval settle as runs are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kolabsim.analysis.comparison import NET_BENEFIT, UNDECIDED, verdicts
from kolabsim.figures.formatting import UNDEFINED, Scale, count, percent, scale_of
from kolabsim.figures.labels import strategy_title, wrapped
from kolabsim.figures.style import BLUE, INK, blank, styled, write_ticks
from kolabsim.i18n import _
from kolabsim.model.measures import MEASURES
from kolabsim.report.page import Picture
from kolabsim.report.tables import Cell, Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from kolabsim.analysis.comparison import Comparison


def convergence_sentence(comparison: Comparison, found: pd.DataFrame) -> str:
    """What half of the runs would have said, and whether the answer would have been another."""
    last, half = found.iloc[-1], found.iloc[-2] if len(found) > 1 else None
    scale = scale_of_rows(comparison, found)
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


def scale_of_rows(comparison: Comparison, found: pd.DataFrame) -> Scale:
    """How the differences are written: as those of all runs."""
    last = found.iloc[-1]
    values = [last[name] for name in ("difference", "low", "high")]
    half = (last["high"] - last["low"]) / 2.0
    unit, currency = MEASURES[NET_BENEFIT].unit, comparison.scenario.currency
    return scale_of(unit, values, [half], currency=currency)


def convergence_table(comparison: Comparison, found: pd.DataFrame) -> Table:
    """The difference to the baseline and the lead over the next, by number of runs."""
    scale, order = scale_of_rows(comparison, found), comparison.order()

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
        convergence_figure(comparison, found),
        _("Difference between {strategy} and {baseline} with its interval, by number of runs"),
        _(
            "{strategy} less {baseline} in realised net benefit, from the first runs alone to all "
            "of them, with {level} intervals. Where it hardly moves, more runs would mainly "
            "narrow the interval."
        ),
        **words,
    )


@styled
def convergence_figure(comparison: Comparison, found: pd.DataFrame) -> Figure:
    """A mark with its interval for each number of runs."""
    scale = scale_of_rows(comparison, found)
    figure, panels = blank(2.2)
    axes = panels[0, 0]
    axes.grid(axis="y")
    axes.axhline(0.0, color=INK, linewidth=0.9, zorder=1)
    at = range(len(found))
    low, middle, high = (found[name] / scale.divisor for name in ("low", "difference", "high"))
    axes.axhline(middle.iloc[-1], color=BLUE, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    axes.vlines(at, low, high, color=BLUE, linewidth=1.8, zorder=2)
    hollow = [verdict == UNDECIDED for verdict in verdicts(low.to_numpy(), high.to_numpy(), 1)]
    for x, y, is_hollow in zip(at, middle, hollow, strict=True):
        face = "white" if is_hollow else BLUE
        axes.plot(x, y, "o", color=BLUE, markerfacecolor=face, markersize=5.5, zorder=3)
    axes.set_xticks(at, [count(runs) for runs in found["runs"]])
    axes.set_xlabel(_("Runs"))
    axes.set_ylabel(wrapped(scale.label, 18))
    axes.margins(x=0.06, y=0.08)
    write_ticks(axes.yaxis, 1.0)
    return figure
