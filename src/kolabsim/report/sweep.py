"""The report of a sweep: where an outcome is best, and where a difference changes its sign."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.analysis.statistics import BETTER, DEPENDS, PLAIN, SAME, WORSE, Criteria
from kolabsim.figures.labels import Labels, capitalise
from kolabsim.figures.sweep import (
    MOST_PANELS,
    level_title,
    map_scale,
    round_level,
    sweep_curve,
    sweep_map,
    sweep_patterns,
    sweep_points,
)
from kolabsim.i18n import _, language
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
    separate,
)
from kolabsim.report.ranges import ensemble_notes, words_of
from kolabsim.report.wording import fill, join_names, name_outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kolabsim.analysis.novelty import Patterns
    from kolabsim.analysis.sweep import Crossing, OutcomeMap, SweepResult
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.factors import Value
    from kolabsim.study.spec import SweepSpec

MOST_ROWS = 200
"""Most points of a map that the page lists; the CSV table has all."""
FEW_ROWS = 12
"""Most points that a terminal lists."""


def report(experiment: Experiment[SweepSpec], result: SweepResult) -> KindReport:
    """What the report of a sweep says that others do not."""
    labels, spec = Labels.from_experiment(experiment), experiment.spec
    criteria = Criteria(spec.practical_threshold, spec.robust, spec.likely)
    base = experiment.reference or ""
    titles = experiment.scenario.strategy_titles(language())
    counts = {
        "points": len(result.settings), "runs": spec.runs, "futures": max(spec.plausible, 1),
        "factors": len(experiment.factors), "other": titles.get(base, ""),
    } | words_of(criteria)  # fmt: skip
    uncertainty = [_("{points} points were simulated, {runs} runs each on common random numbers.")]
    if spec.plausible > 1:
        uncertainty = [
            _(
                "{points} points were simulated in {futures} plausible futures, {runs} runs each. "
                "Values are medians over futures, and the range holds 90% of them: it shows what "
                "assumptions do. The {level} interval of the median shows what chance leaves open. "
                "In a future all points share their random draws, and factors keep their values."
            )
        ]
    if base:
        uncertainty.append(
            _(
                "Each point is compared with “{other}” without the levers among the factors, run "
                "by run. A difference is better or worse only by more than {threshold} of cost if "
                "it is a net benefit; it is robust if that holds in at least {robust} of futures, "
                "and likely if in at least {likely}. Verdicts on all points hold together at the "
                "{level} level (Bonferroni). Where the sign changes is interpolated linearly "
                "between points; its range is that of the places in each future."
            )
        )
    uncertainty.append(_("More runs (--runs) narrow intervals, and finished runs are used again."))
    notes = []
    if spec.plausible > 1:
        notes = ensemble_notes(
            experiment.scenario, criteria, futures=spec.plausible, runs=spec.runs or 2, half=0.0
        )
    assumptions = _(
        "The factors above were varied over these ranges. All other assumptions stay as they are "
        "in the scenario; they are listed below with their ranges."
    )
    if spec.plausible > 1:
        assumptions = _(
            "The factors above were varied over these ranges. All other assumptions are those of "
            "the plausible futures; they are listed below with their ranges."
        )
    methods = _(
        "We simulated {outcomes} at {points} points of {factors} factors, {runs} runs each."
    )
    if spec.plausible > 1:
        methods = _(
            "We simulated {outcomes} at {points} points of {factors} factors in {futures} "
            "plausible futures, {runs} runs each, and report medians with the range of 90% of "
            "futures."
        )
    tables: dict[str, Any] = {}
    if result.maps:
        tables = {"map": result.table(), "map_futures": result.by_future()}
        if any(one.crossings for one in result.maps):
            tables["crossings"] = result.crossings()
    if result.patterns is not None:
        tables["patterns"] = result.patterns.table()
    return KindReport(
        [
            answer_section(result, labels),
            *([pattern_section(result, labels)] if result.patterns else ()),
            *(map_section(one, labels) for one in result.maps),
        ],
        [*(fill(text, **counts) for text in uncertainty), *notes],
        assumptions,
        fill(methods, outcomes=name_outcomes(experiment), **counts),
        tables,
    )


# The answer -------------------------------------------------------------------------------------


@separate
def answer_section(result: SweepResult, labels: Labels) -> Section:
    """The answer: where signs change, the best and the worst point, and how many are unclear."""
    headlines = [headline(one, labels) for one in result.maps]
    if result.patterns is not None:
        headlines.insert(0, pattern_headline(result.patterns))
    others = [one.text for one in headlines[3:]]
    note = _(
        "These are contrasts within a thought experiment with stated assumptions, not predictions."
    )
    found = Headlines(headlines[:3]) if headlines else None
    return Section("answer", _("Key findings"), found, *others, *result.left_out, Note([note]))


def pattern_headline(found: Patterns) -> Headline:
    """How many combinations of outcomes were reached, by the first points and by the search."""
    text = _(
        "The model reached {reached} combinations of outcomes at {points} points; the first "
        "{first} points, which were spread evenly, reached {before} of them. More points may reach "
        "more combinations."
    )
    text = fill(
        text, reached=found.reached, points=len(found.values), first=found.first,
        before=found.reached_first,
    )  # fmt: skip
    brief = fill(_("{reached} combinations reached"), reached=found.reached)
    return Headline(_("Reach"), brief, text)


@separate
def pattern_section(result: SweepResult, labels: Labels) -> Section:
    """The figure of the reached combinations, and the point that reached each first."""
    found = result.patterns
    assert found is not None
    scales = [
        labels.scale(name, [found.values[:, k]], found.width[k] / 2.0, difference=False)
        for k, name in enumerate(found.outcomes)
    ]
    rows = []
    for cell in range(min(found.reached, MOST_ROWS)):
        row: list[Any] = []
        for k, scale in enumerate(scales):
            low, high = (edge[cell] for edge in found.edges(k))
            row.append(scale.interval(low, high))
        setting = {name: result.settings[name].tolist()[found.position[cell]]
                   for name in map(str, result.settings)}  # fmt: skip
        row += [level_title(name, value, labels) for name, value in setting.items()]
        rows.append([*row, found.hits[cell]])
    head = [labels.head(name, scale) for name, scale in zip(found.outcomes, scales, strict=True)]
    head += [*(capitalise(labels.factor(str(name))) for name in result.settings), _("Points")]
    caption = _("Combinations of outcomes, with the point that reached each first")
    if found.reached > len(rows):
        caption = _("The first {number} combinations, with the point that reached each first")
    notes = []
    for k, (name, scale) in enumerate(zip(found.outcomes, scales, strict=True)):
        text = _(
            "{outcome}: cells are {width} wide. The {level} interval of a point goes {half} to "
            "either side (median); a part of it is common to all points, because they share their "
            "random draws. Nearer combinations may differ by chance."
        )
        for one in result.maps:
            if one.outcome == name:
                half = float(np.median(one.chance_high - one.chance_low)) / 2.0
                notes.append(fill(
                    text, outcome=capitalise(labels.outcome(name)), level=one.level,
                    width=scale.text(found.width[k]), half=scale.text(half),
                ))  # fmt: skip
    names = join_names([labels.outcome(name) for name in found.outcomes])
    picture = Picture(
        partial(sweep_patterns, found, labels),
        _("{reached} combinations of {outcomes} that the model reached."),
        _(
            "Cells that the model reached: {outcomes}. The darker, the more points. A thick edge: "
            "reached by the first points, which were spread evenly. The star is the scenario as it "
            "is."
        ),
        outcomes=names, reached=str(found.reached),
    )  # fmt: skip
    return Section(
        "patterns", _("What the model can reach"), picture,
        *notes, Table(fill(caption, number=len(rows)), head, rows),
    )  # fmt: skip


def headline(found: OutcomeMap, labels: Labels) -> Headline:
    """Where the sign changes if it is a difference; the best point, and how certain it is."""
    outcome = capitalise(labels.outcome(found.outcome))
    if not found.is_difference and not np.ptp(found.by_future, axis=0).any():
        text = _("{outcome} is {value} at all {points} points: no factor changes it.")
        value = value_text(found, labels)
        text = fill(text, outcome=outcome, value=value, points=len(found.points))
        return Headline(outcome, fill(_("{value} at all points"), value=value), text)
    parts = [best_sentence(found, labels)]
    brief = capitalise(f"{describe(found, found.best, labels)}: {value_text(found, labels)}")
    if found.is_difference:
        parts = [f"{outcome}: {sign_sentence(found, labels)}", *parts, count_sentence(found)]
        if len(found.crossings) == 1 and not found.crossings[0].others:
            one = found.crossings[0]
            brief = _("sign changes at {at} ({factor})")
            brief = capitalise(fill(
                brief, factor=labels.factor(one.factor), at=place_text(one.at, found, one, labels)
            ))  # fmt: skip
    else:
        text = _("{unclear} of {points} points, the best included, cannot be told apart from it.")
        parts.append(fill(text, unclear=found.unclear.sum(), points=len(found.points)))
        parts[0] = f"{outcome}: {parts[0]}"
    return Headline(outcome, brief, " ".join(parts))


def pays_sentence(found: OutcomeMap, labels: Labels) -> str:
    """Where a difference in net benefit stops paying, in a sentence, and how certain it is."""
    names, signs = [str(name) for name in found.points], np.sign(found.value * (found.better or 1))
    plain = {PLAIN.get(word, word) for word in found.verdict}
    used = signs[signs != 0.0]
    if not len(used):
        text = _("It makes no difference anywhere in the range of {factors}.")
    elif (used > 0.0).all():
        text = _("It pays over the whole range of {factors}.")
    elif (used < 0.0).all():
        text = _("It pays nowhere in the range of {factors}.")
    elif len(names) > 1:
        text = _(
            "It pays at {number} of {points} combinations of {factors}; the thick line in the "
            "figure is the boundary."
        )
    elif found.crossings:
        text = turning_text(found, labels)
    else:
        text = _("It pays with {words}, and not with the others, along {factors}.")
    words = [
        f"“{level_title(names[0], level, labels)}”"
        for level, sign in zip(found.points[names[0]].tolist(), signs, strict=True) if sign > 0.0
    ]  # fmt: skip
    text = fill(
        text, factors=join_names([range_title(found, name, labels) for name in names]),
        number=(signs > 0.0).sum(), points=len(signs), words=join_names(words),
    )  # fmt: skip
    if not found.is_varied or not len(used):
        return text
    if not plain & {BETTER, WORSE}:
        more = _(
            "That is only the median: at no point is it likely better or worse, so that nothing "
            "certain can be said."
        )
        if len(found.crossings) == 1 and is_bounded(found.crossings[0]):
            more = _("At no level, however, is it likely better or worse.")
    elif WORSE not in plain:
        more = _("At {better} of {points} points that is likely or robust.")
        if (used < 0.0).any():
            more = _("It is likely or robustly better at {better} of {points} points.")
    elif BETTER not in plain:
        more = _("It is likely or robustly worse at {worse} of {points} points.")
    else:
        more = _(
            "It is likely or robustly better at {better} of {points} points, and worse at {worse}."
        )
    counts = Counter(PLAIN.get(word, word) for word in found.verdict)
    return f"{text} " + fill(
        more, better=counts[BETTER], worse=counts[WORSE], points=len(found.verdict)
    )


def turning_text(found: OutcomeMap, labels: Labels) -> str:
    """Where a difference along one factor stops to pay, or begins to."""
    one, *others = found.crossings
    if others:
        text = _("Along {factors}, it turns from paying to not paying, or back, at {places}.")
        places = [place_text(each.at, found, each, labels) for each in found.crossings]
        return text.replace("{places}", join_names(places))
    text = _("It stops paying where “{factor}” exceeds {at}.")
    if one.rises == (found.better > 0):
        text = _("It pays only where “{factor}” exceeds {at}.")
    if found.is_varied:
        text += " " + _("In 90% of futures this point lies {range}.")
    return fill(
        text, at=place_text(one.at, found, one, labels), factor=labels.factor(one.factor),
        range=range_text(one.low, one.high, found, one, labels),
    )  # fmt: skip


def is_bounded(one: Crossing) -> bool:
    """Whether neither assumptions nor chance move a change of sign beyond the levels."""
    return all(map(math.isfinite, (one.low, one.high, one.chance_low, one.chance_high)))


def range_title(found: OutcomeMap, name: str, labels: Labels) -> str:
    """A factor with the ends of its range."""
    title = f"“{labels.factor(name)}”"
    if isinstance(found.points[name].iloc[0], str):
        return title
    low, high = (labels.number(name, end) for end in ends_of(found, name))
    return fill(_("{title} ({low} to {high})"), title=title, low=low, high=high)


def value_text(found: OutcomeMap, labels: Labels) -> str:
    """The value at the best point."""
    scale = map_scale(found, labels)
    return scale.text(found.value[found.best], signed=found.is_difference)


def best_sentence(found: OutcomeMap, labels: Labels) -> str:
    """The best and the worst point, with the range of the best one."""
    scale, signed = map_scale(found, labels), found.is_difference
    best, worst = (describe(found, point, labels) for point in (found.best, found.worst))
    interval = _("{level} interval {interval}")
    if found.is_varied:
        interval = _("{interval} in 90% of futures")
    interval = fill(
        interval, level=found.level,
        interval=scale.interval(found.low[found.best], found.high[found.best], signed=signed),
    )  # fmt: skip
    if found.better:
        text = _("it is best at {best}: {high} ({interval}), and worst at {worst}: {low}.")
    else:
        text = _("it is largest at {best}: {high} ({interval}), and smallest at {worst}: {low}.")
    text = fill(
        text, best=best, worst=worst, high=value_text(found, labels), interval=interval,
        low=scale.text(found.value[found.worst], signed=signed),
    )  # fmt: skip
    return capitalise(text) if signed else text


def sign_sentence(found: OutcomeMap, labels: Labels) -> str:
    """Where a difference changes its sign, or that it does not."""
    if found.crossings:
        if not found.crossings[0].others:
            return " ".join(crossing_sentence(found, one, labels) for one in found.crossings)
        return several_sentence(found, labels)
    signs = set(np.sign(found.value) * (found.better or 1))
    if not found.better:
        text = _("the sign changes; the figure shows where.")
        if not {1.0, -1.0} <= signs:
            text = _("the sign does not change.")
    elif {1.0, -1.0} <= signs:
        text = _("better at some points and worse at others; the figure shows where.")
    elif 1.0 in signs:
        text = _("better at all points.") if 0.0 not in signs else _("nowhere worse.")
    elif -1.0 in signs:
        text = _("worse at all points.") if 0.0 not in signs else _("nowhere better.")
    else:
        text = _("no difference at any point.")
    if not found.is_varied:
        return text
    return _("in the median of futures, {text}").format(text=text)


def crossing_sentence(found: OutcomeMap, one: Crossing, labels: Labels) -> str:
    """Where a difference changes its sign along one factor, with its uncertainty."""
    texts = {
        1: _("better below “{factor}” {at}, and worse above."),
        -1: _("worse below “{factor}” {at}, and better above."),
        0: _("the difference changes its sign at “{factor}” {at}."),
    }
    text = texts[(-1 if one.rises else 1) * found.better]
    more = _("Chance leaves open {chance}.")
    if found.is_varied:
        more = _(
            "That is the median; in 90% of futures the sign changes {range}, and {share} of "
            "futures change it within these levels. Of the median, chance leaves open {chance}."
        )
    chance = range_text(one.chance_low, one.chance_high, found, one, labels)
    return fill(
        f"{text} {more}", at=place_text(one.at, found, one, labels),
        factor=labels.factor(one.factor), share=one.share, chance=chance,
        range=range_text(one.low, one.high, found, one, labels),
    )  # fmt: skip


def several_sentence(found: OutcomeMap, labels: Labels) -> str:
    """The span of the places at which a difference changes its sign, of several factors."""
    name = found.crossings[0].factor
    combinations = len(found.points) // max(len(found.levels[name]), 1)
    crossed = {tuple(one.others.items()) for one in found.crossings}
    ends = [pick(found.crossings, key=lambda one: one.at) for pick in (min, max)]
    text = _(
        "along “{factor}” the sign changes at {number} of {all} combinations of the other factors: "
        "between {low} ({first}) and {high} ({last})."
    )
    low, high = (place_text(one.at, found, one, labels) for one in ends)
    first, last = (
        describe_levels(one.others, labels)
        for one in ends
    )  # fmt: skip
    return fill(
        text, factor=labels.factor(name), number=len(crossed), all=combinations, low=low,
        high=high, first=first, last=last,
    )  # fmt: skip


def count_sentence(found: OutcomeMap) -> str:
    """At how many points a difference is better or worse, and at how many it is open."""
    plain = Counter(PLAIN.get(word, word) for word in found.verdict)
    text = _(
        "By verdict, it is better at {better} of {points} points and worse at {worse}; at {same} "
        "it hardly changes, and at {open} chance leaves it open."
    )
    if found.is_varied:
        text = _(
            "By verdict, it is robustly or likely better at {better} of {points} points and worse "
            "at {worse}; at {same} it hardly changes, at {depends} it depends on assumptions, and "
            "at {open} chance leaves it open."
        )
    known = {
        name: plain[word]
        for name, word in (
            ("better", BETTER),
            ("worse", WORSE),
            ("same", SAME),
            ("depends", DEPENDS),
        )
    }
    if not found.better:
        text = _("At {open} of {points} points there is no clear difference.")
        return fill(text, points=len(found.points), open=found.unclear.sum())
    rest = len(found.points) - sum(known.values())
    return fill(text, points=len(found.points), open=rest, **known)


def place_text(value: float, found: OutcomeMap, one: Crossing, labels: Labels) -> str:
    """A place along a factor, with the digits that its range supports."""
    return labels.number(one.factor, round_level(value, ends_of(found, one.factor)))


def ends_of(found: OutcomeMap, name: str) -> tuple[float, float]:
    """The least and the most level of a factor."""
    return float(found.points[name].min()), float(found.points[name].max())


def range_text(low: float, high: float, found: OutcomeMap, one: Crossing, labels: Labels) -> str:
    """A range of places along a factor, some of which lie beyond its levels."""
    first, last = (place_text(end, found, one, labels) for end in ends_of(found, one.factor))
    known = [place_text(end, found, one, labels) if math.isfinite(end) else ""
             for end in (low, high)]  # fmt: skip
    if all(known):
        return _("from {low} to {high}").format(low=known[0], high=known[1])
    if low == high:
        text = _("below {first}") if low < 0 else _("above {last}")
    elif known[0]:
        text = _("from {low} to above {last}")
    elif known[1]:
        text = _("from below {first} to {high}")
    else:
        text = _("from below {first} to above {last}")
    return text.format(low=known[0], high=known[1], first=first, last=last)


def describe(found: OutcomeMap, point: int, labels: Labels) -> str:
    """The levels of a point in words."""
    return describe_levels(found.setting(point), labels)


def describe_levels(levels: Mapping[str, Value], labels: Labels) -> str:
    """Levels of factors in words."""
    return join_names(
        [f"“{labels.factor(name)}” {level_title(name, at, labels)}" for name, at in levels.items()]
    )


# Maps -------------------------------------------------------------------------------------------


@separate
def map_section(found: OutcomeMap, labels: Labels) -> Section:
    """The figure of an outcome, where its sign changes, and its table."""
    title = capitalise(labels.outcome(found.outcome))
    name = f"map-{found.outcome}".replace("@", "-").strip("()")
    tables = [map_table(found, labels)]
    if found.crossings and found.crossings[0].others:
        tables.insert(0, crossing_table(found, labels))
    return Section(name, title, picture(found, labels), *tables)


def picture(found: OutcomeMap, labels: Labels) -> Picture | str:
    """The figure that fits the number of factors and the points."""
    names = [str(name) for name in found.points]
    panels, marks = math.prod(found.shape[2:]), _("Marks are verdicts.")
    if not found.is_difference:
        marks = _("A circle marks points that cannot be told apart from the best.")
    if len(names) == 1:
        draw: Any = sweep_curve
        marks = _("Band: {level} interval of the mean.")
        if found.is_varied:
            marks = _("Bands: 90% of futures, and the {level} interval of the median.")
        caption = _("{outcome} over {factors}. {marks}")
    elif found.levels and panels <= MOST_PANELS:
        draw = sweep_map
        caption = _("{outcome} by {factors}. {marks} Lines join equal values.")
        if found.is_difference:
            caption = _("{outcome} by {factors}. {marks} The thick line is where the sign changes.")
    elif len(names) <= MOST_PANELS:
        draw = sweep_points
        caption = _("{outcome} at all points, over {factors}. {marks}")
    else:
        text = _("The map would need {number} panels; the table lists all points.")
        return fill(text, number=len(names))
    return Picture(
        partial(draw, found, labels),
        _("{outcome} over {factors}. Best at {best}: {value}."), caption,
        outcome=capitalise(labels.outcome(found.outcome)),
        factors=join_names(list(map(labels.factor, names))),
        best=describe(found, found.best, labels), marks=fill(marks, level=found.level),
        value=value_text(found, labels),
    )  # fmt: skip


def map_table(found: OutcomeMap, labels: Labels, most: int = MOST_ROWS) -> Table:
    """The points of a map with their ranges: of one factor in its order, else the best first."""
    scale = map_scale(found, labels)
    is_curve = found.points.shape[1] == 1
    order = np.argsort(-found.value * (found.better or 1), kind="stable")[:most]
    if is_curve and len(found.points) <= most:
        order = np.arange(len(found.points))
        if not isinstance(found.points.iloc[0, 0], str):
            order = np.argsort(found.points.iloc[:, 0].to_numpy(np.float64))
    remark, rows = _("not distinguishable from the best"), []
    for point in map(int, order):
        cell = interval_cell(
            scale, found.value[point], found.low[point], found.high[point],
            signed=found.is_difference, verdict=str(found.verdict[point]),
            futures=found.futures if found.is_varied else 0,
            remark=remark if found.unclear[point] and not found.is_difference else "",
        )  # fmt: skip
        levels = found.setting(point).items()
        row: list[Any] = [*(level_title(name, at, labels) for name, at in levels), cell]
        if found.is_varied:
            chance = scale.interval(
                found.chance_low[point], found.chance_high[point], signed=found.is_difference
            )
            row.append(chance)
        if found.is_difference and found.better:
            row += [float(found.better_share[point]), float(found.worse_share[point])]
        rows.append(row)
    head = [*(capitalise(labels.factor(name)) for name in found.points),
            labels.head(found.outcome, scale)]  # fmt: skip
    if found.is_varied:
        head.append(fill(_("{level} interval of the median"), level=found.level))
    if found.is_difference and found.better:
        of = _("futures") if found.is_varied else _("runs")
        head += [fill(_("Better, of {of}"), of=of), fill(_("Worse, of {of}"), of=of)]
    caption = _("{outcome} at all points")
    if len(order) < len(found.points):
        caption = _("{outcome} at the {number} best points")
    outcome = capitalise(labels.outcome(found.outcome))
    return Table(fill(caption, outcome=outcome, number=len(order)), head, rows)


def crossing_table(found: OutcomeMap, labels: Labels) -> Table:
    """Where the sign changes, at each combination of the other factors."""
    first = found.crossings[0]
    rows = []
    for one in found.crossings[:MOST_ROWS]:
        levels = [level_title(name, at, labels) for name, at in one.others.items()]
        cell = Cell(
            place_text(one.at, found, one, labels),
            range_text(one.low, one.high, found, one, labels) if found.is_varied else "",
        )
        chance = range_text(one.chance_low, one.chance_high, found, one, labels)
        rows.append([*levels, cell, chance, *([one.share] if found.is_varied else [])])
    head = [*(capitalise(labels.factor(name)) for name in first.others),
            capitalise(labels.factor(first.factor)), _("By chance alone")]  # fmt: skip
    if found.is_varied:
        head.append(_("Futures that change their sign"))
    return Table(_("Where the sign changes"), head, rows)


def terminal_tables(experiment: Experiment[SweepSpec], result: SweepResult) -> Sequence[Table]:
    """What a terminal lists of each outcome."""
    labels = Labels.from_experiment(experiment)
    return [map_table(one, labels, max(FEW_ROWS, 2)) for one in result.maps]
