"""The report of a sweep: where an outcome is best, and how it changes over the factors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.figures.formatting import count, percent
from kolabsim.figures.labels import Labels, capitalise
from kolabsim.figures.sweep import MOST_PANELS, level_title, map_scale, sweep_map
from kolabsim.i18n import _
from kolabsim.report.page import (
    Cell,
    Headline,
    Headlines,
    KindReport,
    Note,
    Picture,
    Section,
    Table,
    interval_cell,
    texts,
)
from kolabsim.report.wording import join_names, name_outcomes

if TYPE_CHECKING:
    from kolabsim.analysis.sweep import OutcomeMap, SweepResult
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.spec import SweepSpec

MOST_ROWS = 200
"""Most points of a map that the page lists; the CSV table has all."""


def report(experiment: Experiment[SweepSpec], result: SweepResult) -> KindReport:
    """What the report of a sweep says that others do not."""
    labels = Labels.from_experiment(experiment)
    counts = {
        "points": count(len(result.settings)),
        "runs": count(experiment.spec.runs),
        "factors": count(len(experiment.factors)),
    }
    uncertainty = _(
        "{points} combinations of levels were simulated, {runs} runs each on common random "
        "numbers. More runs (--runs) narrow the intervals; more levels refine the map and "
        "reuse the runs at unchanged levels."
    )
    assumptions = _(
        "The factors above were varied over the levels of the map. All other assumptions stay as "
        "they are in the scenario; they are listed below with their ranges."
    )
    methods = _(
        "We simulated {outcomes} at every combination of the levels of {factors} factors "
        "({points} combinations, {runs} runs each)."
    )
    return KindReport(
        [answer_section(result, labels), *(map_section(one, labels) for one in result.maps)],
        [uncertainty.format(**counts)],
        assumptions,
        methods.format(outcomes=name_outcomes(experiment), **counts),
        {"map": result.table()},
    )


def answer_section(result: SweepResult, labels: Labels) -> Section:
    """The answer: for each outcome the best and the worst point, and how many are unclear."""
    headlines = [headline(one, labels) for one in result.maps[:3]]
    others = [headline(one, labels).text for one in result.maps[3:]]
    note = _(
        "These are contrasts within a thought experiment with stated assumptions, not predictions."
    )
    return Section("answer", _("Key findings"), Headlines(headlines), *others, Note([note]))


def headline(found: OutcomeMap, labels: Labels) -> Headline:
    """The best point of a map, the worst one, and how many points are unclear."""
    scale = map_scale(found, labels)
    ends = [found.best, found.worst]
    words = {
        "outcome": capitalise(labels.outcome(found.outcome)),
        "best": describe(found, ends[0], labels),
        "worst": describe(found, ends[1], labels),
        "high": scale.text(found.mean[ends[0]], signed=found.is_difference),
        "low": scale.text(found.mean[ends[1]], signed=found.is_difference),
        "interval": scale.interval(
            found.low[ends[0]], found.high[ends[0]], signed=found.is_difference
        ),
        "level": percent(found.level),
        "unclear": count(int(found.unclear.sum())),
        "points": count(len(found.mean)),
    }
    if found.better:
        text = _(
            "{outcome} is best at {best}: {high} ({level} interval {interval}). It is worst at "
            "{worst}: {low}."
        )
    else:
        text = _(
            "{outcome} is largest at {best}: {high} ({level} interval {interval}). It is smallest "
            "at {worst}: {low}."
        )
    rest = (
        _("At {unclear} of {points} points the {level} interval includes no difference.")
        if found.is_difference
        else _("{unclear} of {points} points, the best included, cannot be told apart from it.")
    )
    brief = capitalise(f"{describe(found, ends[0], labels)}: {words['high']}")
    return Headline(words["outcome"], brief, f"{text} {rest}".format(**words))


def describe(found: OutcomeMap, point: int, labels: Labels) -> str:
    """The levels of a point in words."""
    return join_names(
        [
            f"{labels.factor(name)} = {level_title(name, value, labels)}"
            for name, value in found.setting(point).items()
        ]
    )


def map_section(found: OutcomeMap, labels: Labels) -> Section:
    """The map of an outcome, and its table."""
    title = capitalise(labels.outcome(found.outcome))
    scale = map_scale(found, labels)
    others = math.prod(found.shape[2:])
    blocks: list[Picture | Table | str] = []
    if others <= MOST_PANELS:
        meaning = (
            _("A circle marks points whose {level} interval includes no difference.")
            if found.is_difference
            else _("A circle marks points that cannot be told apart from the best.")
        )
        values = {
            "outcome": title,
            "factors": join_names([labels.factor(name) for name in found.levels]),
            "best": describe(found, found.best, labels),
            "value": scale.text(found.mean[found.best], signed=found.is_difference),
            "meaning": meaning.format(level=percent(found.level)),
        }
        alt = _("Map of {outcome} by {factors}. Best at {best}: {value}.")
        caption = _("{outcome} by {factors}, mean over runs. {meaning} Lines join equal values.")
        blocks.append(Picture.of(sweep_map(found, labels), alt, caption, **values))
    else:
        blocks.append(
            _("The map would need {number} panels; the table lists all points.").format(
                number=count(others)
            )
        )
    blocks.append(map_table(found, labels))
    return Section(f"map-{found.outcome}".replace("@", "-").strip("()"), title, *blocks)


def map_table(found: OutcomeMap, labels: Labels) -> Table:
    """The points of a map from the best to the worst, with intervals."""
    scale = map_scale(found, labels)
    order = np.argsort(-found.mean * (found.better or 1), kind="stable")[:MOST_ROWS]
    names = list(found.levels)
    rows: list[tuple[str, list[Cell]]] = []
    for point in order:
        first, *others = (
            level_title(name, value, labels) for name, value in found.setting(int(point)).items()
        )
        remark = ""
        if found.unclear[point]:
            remark = (
                _("no clear difference")
                if found.is_difference
                else _("not distinguishable from the best")
            )
        cell = interval_cell(
            scale, found.mean[point], found.low[point], found.high[point],
            signed=found.is_difference, remark=remark,
        )  # fmt: skip
        rows.append((first, [*texts(*others), cell]))
    head = [
        *(capitalise(labels.factor(name)) for name in names),
        labels.head(found.outcome, scale),
    ]
    caption = _("{outcome} at all points").format(outcome=capitalise(labels.outcome(found.outcome)))
    if len(order) < len(found.mean):
        caption = _("{outcome} at the {number} best points").format(
            outcome=capitalise(labels.outcome(found.outcome)), number=count(len(order))
        )
    return Table(caption, head, rows)
