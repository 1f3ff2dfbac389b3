"""The report of a sweep: where an outcome is best, and how it changes over the factors."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.figures.labels import Labels, capitalise
from kolabsim.figures.sweep import MOST_PANELS, level_title, map_scale, sweep_map
from kolabsim.i18n import _
from kolabsim.report.page import (
    Headline,
    Headlines,
    KindReport,
    Note,
    Picture,
    Section,
    Table,
    interval_cell,
    separate,
)
from kolabsim.report.wording import fill, join_names, name_outcomes

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
        "points": len(result.settings), "runs": experiment.spec.runs,
        "factors": len(experiment.factors),
    }  # fmt: skip
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
        [fill(uncertainty, **counts)],
        assumptions,
        fill(methods, outcomes=name_outcomes(experiment), **counts),
        {"map": result.table()} if result.maps else {},
    )


@separate
def answer_section(result: SweepResult, labels: Labels) -> Section:
    """The answer: for each outcome the best and the worst point, and how many are unclear."""
    headlines = [headline(one, labels) for one in result.maps]
    others = [one.text for one in headlines[3:]]
    note = _(
        "These are contrasts within a thought experiment with stated assumptions, not predictions."
    )
    found = Headlines(headlines[:3]) if headlines else None
    return Section("answer", _("Key findings"), found, *others, *result.left_out, Note([note]))


def headline(found: OutcomeMap, labels: Labels) -> Headline:
    """The best point of a map, the worst one, and how many points are unclear."""
    scale, signed = map_scale(found, labels), found.is_difference
    outcome = capitalise(labels.outcome(found.outcome))
    best, worst = (describe(found, point, labels) for point in (found.best, found.worst))
    high, low = (
        scale.text(found.mean[point], signed=signed) for point in (found.best, found.worst)
    )
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
    text = fill(
        f"{text} {rest}", outcome=outcome, best=best, worst=worst, high=high, low=low,
        interval=scale.interval(found.low[found.best], found.high[found.best], signed=signed),
        level=found.level, unclear=found.unclear.sum(), points=len(found.mean),
    )  # fmt: skip
    return Headline(outcome, capitalise(f"{best}: {high}"), text)


def describe(found: OutcomeMap, point: int, labels: Labels) -> str:
    """The levels of a point in words."""
    levels = found.setting(point).items()
    return join_names(
        [f"{labels.factor(name)} = {level_title(name, at, labels)}" for name, at in levels]
    )


@separate
def map_section(found: OutcomeMap, labels: Labels) -> Section:
    """The map of an outcome, and its table."""
    title, others = capitalise(labels.outcome(found.outcome)), math.prod(found.shape[2:])
    picture: Picture | str
    if others <= MOST_PANELS:
        meaning = (
            _("A circle marks points whose {level} interval includes no difference.")
            if found.is_difference
            else _("A circle marks points that cannot be told apart from the best.")
        )
        picture = Picture(
            partial(sweep_map, found, labels),
            _("Map of {outcome} by {factors}. Best at {best}: {value}."),
            _("{outcome} by {factors}, mean over runs. {meaning} Lines join equal values."),
            outcome=title, factors=join_names(list(map(labels.factor, found.levels))),
            best=describe(found, found.best, labels), meaning=fill(meaning, level=found.level),
            value=map_scale(found, labels).text(found.mean[found.best], signed=found.is_difference),
        )  # fmt: skip
    else:
        text = _("The map would need {number} panels; the table lists all points.")
        picture = fill(text, number=others)
    name = f"map-{found.outcome}".replace("@", "-").strip("()")
    return Section(name, title, picture, map_table(found, labels))


def map_table(found: OutcomeMap, labels: Labels) -> Table:
    """The points of a map from the best to the worst, with intervals."""
    scale = map_scale(found, labels)
    order = np.argsort(-found.mean * (found.better or 1), kind="stable")[:MOST_ROWS]
    unclear, rows = _("not distinguishable from the best"), []
    if found.is_difference:
        unclear = _("no clear difference")
    for point in map(int, order):
        cell = interval_cell(
            scale, found.mean[point], found.low[point], found.high[point],
            signed=found.is_difference, remark=unclear if found.unclear[point] else "",
        )  # fmt: skip
        levels = found.setting(point).items()
        rows.append((*(level_title(name, at, labels) for name, at in levels), cell))
    head = [capitalise(labels.factor(name)) for name in found.levels]
    caption = _("{outcome} at all points")
    if len(order) < len(found.mean):
        caption = _("{outcome} at the {number} best points")
    outcome = capitalise(labels.outcome(found.outcome))
    caption = fill(caption, outcome=outcome, number=len(order))
    return Table(caption, [*head, labels.head(found.outcome, scale)], rows)
