"""The page's part on a search under a budget: the front, its knee, and what more or less buys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.pareto import Front, FrontRobustness
from kolabsim.analysis.statistics import verdicts
from kolabsim.figures.formatting import UNDEFINED, Scale, format_interval
from kolabsim.figures.labels import PLAIN, Labels, capitalise
from kolabsim.figures.search import (
    DOWN,
    INTENSITIES,
    Reference,
    apart_from_knee,
    apart_scales,
    front_in_futures,
    hypervolume,
    level_scales,
    package,
    package_title,
    packages,
    pareto_front,
    robust_rows,
    robust_scales,
    setting_text,
)
from kolabsim.i18n import _, ngettext
from kolabsim.model.parameters import QUARTERS
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
from kolabsim.report.wording import fill, join_names, name_outcomes

if TYPE_CHECKING:
    from kolabsim.analysis.search import SearchResult
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.spec import SearchSpec

ACROSS = 7
"""Most packages beside each other in a table."""
USED = 0.005
"""Intensities below half a per cent are no use of a lever."""


def settings_text(front: Front, member: int, labels: Labels) -> str:
    """A package in words: what it sets, and which levers it does without."""
    used, unused = [], []
    idle = idle_settings(front, member)
    for factor, value in zip(front.factors, front.settings(member).values(), strict=True):
        title = labels.factor(factor.name)
        if factor.group in INTENSITIES and float(value) < USED:
            unused.append(title)
        elif factor.name not in idle:
            text = _("{factor} {value}")
            used.append(fill(text, factor=title, value=setting_text(factor, value, labels)))
    if not used:
        return _("no lever at all")
    settings = ", ".join(used)
    if not unused:
        return settings
    return fill(_("{used}; without {unused}"), used=settings, unused=join_names(unused))


def idle_settings(front: Front, member: int) -> set[str]:
    """The targets and budgets of support that a package does not use."""
    settings = front.settings(member)
    names = [name for name in settings if name.rpartition(".")[0] in settings]
    return {name for name in names if float(settings[name.rpartition(".")[0]]) < USED}


# Tables -----------------------------------------------------------------------------------------


def outcome_heads(front: Front, labels: Labels, scales: Sequence[Scale]) -> list[str]:
    """Titles and units of costs and outcomes."""
    return [labels.head(name, scale) for name, scale in zip(front.columns, scales, strict=True)]


def member_table(front: Front, labels: Labels = PLAIN) -> Table:
    """What packages along the front cost and bring, and how likely each is the knee."""
    scales, intervals = level_scales(front, labels), front.intervals
    rows = [
        (
            package_title(front, member),
            *(
                Cell(scale.bare(front.means[member, k]), scale.interval(*intervals[member, k]))
                for k, scale in enumerate(scales)
            ),
            front.knee_shares[member],
        )
        for member in front.spread(DOWN)
    ]
    heads = outcome_heads(front, labels, scales)
    head = [_("Package"), *heads, _("Knee (share of resamples)")]
    caption = _("Means over {runs} runs, with their {level} intervals")
    return Table(fill(caption, runs=front.values.shape[2], level=front.level), head, rows)


def settings_table(front: Front, labels: Labels = PLAIN) -> Table:
    """What packages along the front set: a column a package."""
    members = front.spread(ACROSS)
    settings = [front.settings(member) for member in members]
    idle = [idle_settings(front, member) for member in members]
    rows = [
        (
            capitalise(labels.factor(factor.name)),
            *(
                UNDEFINED
                if factor.name in unused
                else setting_text(factor, values[factor.name], labels)
                for values, unused in zip(settings, idle, strict=True)
            ),
        )
        for factor in front.factors
    ]
    head = [_("Setting"), *(package_title(front, member) for member in members)]
    return Table(_("Settings of packages along the front"), head, rows)


def step_table(front: Front, labels: Labels = PLAIN, references: Sequence[Reference] = ()) -> Table:
    """What other packages and known strategies cost and bring beyond the knee."""
    apart = apart_from_knee(front, references)
    scales = apart_scales(front, labels, apart)
    names = {member: package(member) for member in front.spread(ACROSS) if member != front.knee}
    names |= {len(front) + k: one.title for k, one in enumerate(references)}
    rows = []
    for place, name in names.items():
        values, low, high = apart.mean[place], apart.low[place], apart.high[place]
        found = verdicts(low, high, front.senses)
        cells = (
            interval_cell(scale, values[k], low[k], high[k], signed=True, verdict=found[k])
            for k, scale in enumerate(scales)
        )
        rows.append((name, *cells))
    caption = _("Difference from {knee}, with {level} intervals from the same runs")
    caption = fill(caption, knee=package_title(front, front.knee), level=front.level)
    return Table(caption, ["", *outcome_heads(front, labels, scales)], rows)


def robustness_table(front: Front, robust: FrontRobustness, labels: Labels = PLAIN) -> Table:
    """How packages do in many futures: mean with interval, the worst tenth, and who stays."""
    scales, rows = robust_scales(front, robust, labels), []
    for row in robust_rows(front, robust):
        cells = [
            Cell(
                scale.bare(robust.means[row, k]),
                scale.interval(*robust.intervals[row, k]),
                fill(_("worst tenth {value}"), value=scale.bare(robust.worst[row, k])),
            )
            for k, scale in enumerate(scales)
        ]
        title = package_title(front, robust.members[row])
        rows.append((title, *cells, robust.within[row], robust.stays[row]))
    heads = outcome_heads(front, labels, scales)
    head = [_("Package"), *heads, _("Within budget"), _("Within budget and undominated")]
    number = len(robust.futures)
    caption = ngettext("{number} future", "{number} futures", number)
    return Table(fill(caption, number=number), head, rows)


# The report -------------------------------------------------------------------------------------


def report(experiment: Experiment[SearchSpec], result: SearchResult) -> KindReport:
    """Return the parts of a report that only searches have."""
    labels, front = Labels.from_experiment(experiment), result.front
    known = [Reference(labels.strategy(name), values) for name, values in result.references.items()]
    years = experiment.scenario.horizon / QUARTERS
    sections = search_sections(
        front, labels, references=known, robust=result.robustness, years=years
    )
    last = front.history[-1]
    uncertainty = _(
        "Each package on the front was simulated {most} times. The hypervolume under “{section}” "
        "shows whether more rounds would find better packages; the key findings show how well "
        "other random draws and other futures confirm these."
    )
    methods = _(
        "We searched for packages of {factors} levers that are best in {outcomes}, with "
        "NSGA-II and racing of runs ({candidates} packages, {runs} runs)."
    )
    return KindReport(
        sections,
        [fill(uncertainty, most=front.values.shape[2], section=sections[-1].title)],
        _(
            "Plausible futures vary assumptions together, so they are not ranked here; a "
            "sensitivity analysis (“kind: sensitivity”) ranks them."
        ),
        fill(
            methods, factors=len(experiment.factors), candidates=last.candidates,
            outcomes=name_outcomes(experiment), runs=last.runs,
        ),
        result.tables(),
    )  # fmt: skip


# The page ---------------------------------------------------------------------------------------


def search_sections(
    front: Front,
    labels: Labels = PLAIN,
    *,
    references: Sequence[Reference] = (),
    robust: FrontRobustness | None = None,
    years: float = 1.0,
) -> list[Section]:
    """The sections of a page on a search; the first is the result.

    ``references`` are known strategies on the same draws, ``robust`` how the front does in futures,
    ``years`` the length of a run, by which costs are divided in the headline.
    """
    return [
        answer_section(front, labels, references, robust, years),
        packages_section(front, labels),
        *([] if robust is None else [futures_section(front, labels, robust)]),
        search_section(front),
    ]


@separate
def answer_section(
    front: Front,
    labels: Labels,
    references: Sequence[Reference],
    robust: FrontRobustness | None,
    years: float,
) -> Section:
    """The knee's package, what it costs and brings, and what spending more or less would do."""
    found = [
        knee_headline(front, labels),
        gain_headline(front, labels, robust, years) or outcome_headline(front, labels),
        certainty_headline(front, robust),
    ]
    picture = Picture(
        partial(pareto_front, front, labels, references),
        _("Costs and outcomes of packages on the front; the knee is package {knee} of {all}."),
        _(
            "Each dot is a package that no other package clearly dominates (as good in every "
            "objective and better in one). Lines are {level} intervals of the difference from the "
            "knee in the same runs."
        ),
        knee=front.knee + 1, all=len(front), level=front.level,
    )  # fmt: skip
    table = step_table(front, labels, references) if len(front) > 1 or references else None
    return Section(
        "answer", _("Key findings"), Headlines(found), *step_sentences(front, labels),
        along_sentence(front, labels), table, picture,
    )  # fmt: skip


def outcome_sentence(front: Front, labels: Labels, columns: Sequence[int]) -> str:
    """Outcomes of the knee with their intervals, in a row."""
    scales, intervals = level_scales(front, labels), front.intervals[front.knee]
    return "; ".join(
        fill(
            _("{outcome} {value} ({interval})"), outcome=labels.outcome(front.columns[k]),
            value=scales[k].text(front.means[front.knee, k]),
            interval=scales[k].interval(*intervals[k]),
        )
        for k in columns
    )  # fmt: skip


def knee_headline(front: Front, labels: Labels) -> Headline:
    """Which package the knee is, in words."""
    number = len(front)
    if front.budget is None:
        text = ngettext(
            "{number} package is not clearly dominated by any other.",
            "{number} packages are not clearly dominated by any other.",
            number,
        )
        size = fill(text, number=number)
    else:
        text = ngettext(
            "Within the budget of {budget}, {number} package is not clearly dominated by any "
            "other.",
            "Within the budget of {budget}, {number} packages are not clearly dominated by any "
            "other.",
            number,
        )
        budget = labels.scale(front.budget.name, np.array([front.budget.most]), difference=False)
        size = fill(text, budget=budget.text(front.budget.most), number=number)
    title = package_title(front, front.knee)
    knee = _(
        "{knee}, is where further gains in one objective start to cost most in the others: "
        "{settings}."
    )
    settings = settings_text(front, front.knee, labels)
    knee = fill(knee, knee=title, settings=settings)
    return Headline(_("Best compromise"), capitalise(settings), f"{size} {knee}")


def gain_headline(
    front: Front, labels: Labels, robust: FrontRobustness | None, years: float
) -> Headline | None:
    """What the knee brings against doing nothing over futures, and what it costs a year."""
    if robust is None or robust.gains is None or front.knee not in robust.members:
        return None
    row, parts, brief = robust.members.index(front.knee), [], []
    for k, name in enumerate(front.columns):
        if k == front.cost:
            continue
        median, low, high, better = robust.gain(row, k, int(front.senses[k]))
        scale = labels.scale(name, [median, low, high], difference=True).with_decimals(most=2)
        value, interval = scale.text(median, signed=True), scale.interval(low, high, signed=True)
        text = _("{outcome} {value} ({interval}; better in {share} of futures)")
        outcome = labels.outcome(name)
        parts.append(fill(text, outcome=outcome, value=value, interval=interval, share=better))
        brief.append(fill(_("{outcome} {value}"), outcome=outcome, value=value))
    text = _(
        "Compared with doing nothing, the package changes, as medians and 90% ranges over {number} "
        "futures: {gains}."
    )
    found, shown = fill(text, number=len(robust.futures), gains="; ".join(parts)), brief[:1]
    if front.cost is not None:
        median, low, high, _better = robust.gain(row, front.cost, -1)
        costs = np.array([median, low, high]) / years
        scale = labels.scale(front.columns[front.cost], costs, difference=True)
        text = _("It costs {cost} a year ({interval}).")
        cost = scale.text(costs[0])
        found += " " + fill(text, cost=cost, interval=scale.interval(costs[1], costs[2]))
        shown.append(fill(_("{cost} a year"), cost=cost))
    return Headline(_("Gain and cost"), capitalise("; ".join(shown)), found)


def outcome_headline(front: Front, labels: Labels) -> Headline:
    """What the knee costs and brings."""
    rest = [k for k in range(len(front.columns)) if k != front.cost]
    filled = {"brings": outcome_sentence(front, labels, rest)}
    text, shown = _("Outcomes ({level} intervals of the means in brackets): {brings}."), rest[:1]
    if front.cost is not None:
        shown = [front.cost]
        filled["cost"] = outcome_sentence(front, labels, shown)
        text = _("Cost ({level} intervals of the means in brackets): {cost}.")
        text += " " + _("Outcomes: {brings}.") if rest else ""
    value = level_scales(front, labels)[shown[0]].text(front.means[front.knee, shown[0]])
    outcome = labels.outcome(front.columns[shown[0]])
    brief = capitalise(fill(_("{outcome} {value}"), outcome=outcome, value=value))
    return Headline(_("Cost and outcomes"), brief, fill(text, level=front.level, **filled))


def step_sentences(front: Front, labels: Labels) -> list[str]:
    """What one gains and loses by going from the knee to either end of the front."""
    apart = apart_from_knee(front)
    scales = apart_scales(front, labels, apart)

    def step(text: str, member: int, goal: str = "") -> str:
        differences = "; ".join(
            fill(
                _("{outcome} {value} ({interval})"), outcome=labels.outcome(name),
                value=scale.text(apart.mean[member, k], signed=True),
                interval=scale.interval(apart.low[member, k], apart.high[member, k], signed=True),
            )
            for k, (name, scale) in enumerate(zip(front.columns, scales, strict=True))
        )  # fmt: skip
        goal = labels.outcome(goal)
        return fill(text, package=package(member), goal=goal, differences=differences)

    if front.price is None:
        text = _("Compared with the knee, {package}, the best in {goal}, has: {differences}.")
        ends = front.extremes.items()
        found = [step(text, member, name) for name, member in ends if member != front.knee]
        if front.cost is not None:
            text = _(
                "The effect of a larger budget is unknown: cost was a constraint here, not an "
                "objective."
            )
            found.append(text)
        return found
    less = _(
        "Spending less: compared with the knee, {package}, the least costly, has: {differences}."
    )
    more = _(
        "Spending more: compared with the knee, {package}, the most costly, has: {differences}."
    )
    last = len(front) - 1
    return [
        step(less, 0) if front.knee > 0 else _("No package on the front costs less."),
        step(more, last) if front.knee < last else _("No package on the front costs more."),
    ]


def certainty_headline(front: Front, robust: FrontRobustness | None) -> Headline:
    """How certain the knee is, by resamples of the runs and in other futures."""
    filled = {"share": front.knee_shares[front.knee], "runs": front.values.shape[2]}
    text = _("This package is the knee in {share} of resamples of the {runs} runs.")
    if robust is not None and front.knee in robust.members:
        row = robust.members.index(front.knee)
        filled |= {"within": robust.within[row], "stays": robust.stays[row]}
        filled["number"] = len(robust.futures)
        more = _(
            "In {stays} of {number} futures, no other package of those evaluated dominates it."
        )
        if front.budget is not None:
            more = _(
                "It stays within the budget in {within} of {number} futures; in {stays}, moreover, "
                "no other evaluated package within the budget dominates it."
            )
        text += " " + more
    brief = capitalise(fill(_("the knee in {share} of resamples"), **filled))
    return Headline(_("Uncertainty"), brief, fill(text, **filled))


def along_sentence(front: Front, labels: Labels) -> str:
    """Where the knee lies in resamples of the runs."""
    along = front.price or 0
    place, shares = front.means[:, along], front.knee_shares.cumsum()
    ends = [place[int(np.searchsorted(shares, share))] for share in (0.05, 0.95)]
    scale = level_scales(front, labels)[along]
    text = _("In nine of ten resamples, the knee has {outcome} of {interval}.")
    interval = format_interval(*(scale.text(end) for end in ends))
    return fill(text, outcome=labels.outcome(front.columns[along]), interval=interval)


@separate
def packages_section(front: Front, labels: Labels) -> Section:
    """What packages along the front set, and what comes of it."""
    picture = Picture(
        partial(packages, front, labels),
        _("Settings, costs and outcomes of packages along the front, from the least costly."),
        _(
            "Each column is a package, each row a setting; the darker, the higher in its range. "
            "Below the settings: means of cost and outcomes. Framed: the knee."
        ),
    )
    tables = [settings_table(front, labels), member_table(front, labels)]
    return Section("packages", _("Packages along the front"), *tables, picture)


@separate
def futures_section(front: Front, labels: Labels, robust: FrontRobustness) -> Section:
    """How the front does in many futures."""
    text = _(
        "{packages} packages are evaluated in {number} other futures with separate random draws: "
        "the mean over them, the mean over the worst tenth, and the number of futures in which a "
        "package stays within the budget and no other dominates it."
    )
    text = fill(text, packages=len(robust.members), number=len(robust.futures))
    picture = Picture(
        partial(front_in_futures, front, robust, labels),
        _(
            "Packages in many futures: means, worst tenth, and share of futures in which they stay "
            "undominated."
        ),
        _("The knee is vermilion. Intervals are for the mean over futures."),
    )
    table = robustness_table(front, robust, labels)
    return Section("futures", _("Other futures"), text, table, picture)


@separate
def search_section(front: Front) -> Section:
    """How the front was found, and what must be known to read it right."""
    last = front.history[-1]
    text = _(
        "{candidates} packages were simulated in {rounds} rounds, {runs} runs in all, with "
        "common random numbers. Packages that others clearly dominate received few runs; those "
        "on the front received {most} each. Some packages that differ only by chance were left "
        "out."
    )
    text = fill(
        text, candidates=last.candidates, rounds=last.number, runs=last.runs,
        most=front.values.shape[2],
    )  # fmt: skip
    picture = Picture(
        partial(hypervolume, front),
        _("Hypervolume of the front, round by round."),
        _(
            "Hypervolume is the part of the space of objectives that packages on the front "
            "dominate. Once it stops rising, more rounds add little."
        ),
    )
    notes = [
        _(
            "A search finds good packages; it does not prove that there are no better ones. "
            "Packages close to the front may be as good."
        ),
        _(
            "Means come from the runs that selected the packages and are slightly optimistic: "
            "selection also favours packages that did well by chance. Means over other random "
            "draws are not."
        ),
        _(
            "The knee is the package farthest from the line, plane or hyperplane through the best "
            "in each objective, after objectives are scaled from worst to best on the front. It is "
            "a starting point for discussion, not a recommendation: people decide how much an "
            "objective is worth."
        ),
    ]
    return Section("search", _("Search"), text, picture, Note(notes))
