"""The report on many futures: robust strategies, failures, and what to measure first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from kolabsim.analysis.robustness import CRITERIA, LEVEL, LOSS, SHARE, Robustness
from kolabsim.figures.formatting import count, percent
from kolabsim.figures.labels import Labels, add_unit, capitalise
from kolabsim.figures.robustness import (
    best_shares,
    criterion_scale,
    regret,
    regret_table,
    satisficing,
    spread_plane,
)
from kolabsim.i18n import N_, _
from kolabsim.report.discovery import Failing, failing_section, failing_sentence
from kolabsim.report.information import information_section, measure_sentence
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
from kolabsim.report.wording import fill, name_outcomes

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.information import Information
    from kolabsim.analysis.robustness import RobustnessResult
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.spec import RobustnessSpec

CRITERION_TITLES = {
    "regret_max": N_("Largest regret"),
    "regret_90": N_("Regret, 90th percentile"),
    "satisficing": N_("Satisfactory: {threshold}"),
    "worst": N_("Worst future"),
    "worst_tenth": N_("Worst tenth of futures"),
    "mean": N_("Mean over futures"),
    "spread": N_("Spread over futures"),
    "mean_spread": N_("Mean minus spread"),
    "best": N_("Best of all strategies"),
    "difference": N_("Difference from “{baseline}”"),
    "ahead": N_("Better than “{baseline}”"),
}
"""Titles of criteria."""
LEADS = {
    "regret_90": N_(
        "“{strategy}” is the most robust of {number} strategies: in nine of ten futures, its "
        "regret (distance from the best strategy) is at most {value} ({level} interval {interval}; "
        "{futures} futures, {runs} runs each)."
    ),
    "regret_max": N_(
        "“{strategy}” is the most robust of {number} strategies: in no future does its regret "
        "(distance from the best strategy) exceed {value} ({level} interval {interval}; {futures} "
        "futures, {runs} runs each)."
    ),
    "satisficing": N_(
        "“{strategy}” is the most robust of {number} strategies: it is satisfactory in {value} of "
        "futures ({level} interval {interval}; {futures} futures, {runs} runs each)."
    ),
}
"""The finding, by the criteria that have a sentence of their own."""
CERTAIN = 0.9
"""Share of resamples that must agree before a ranking is called certain."""

# The report -------------------------------------------------------------------------------------


def report(experiment: Experiment[RobustnessSpec], result: RobustnessResult) -> KindReport:
    """Return the parts of a report that only robustness experiments have."""
    spec = experiment.spec
    labels = Labels.from_experiment(experiment)
    failing = [
        Failing(
            name, box, tree, math.nan if spec.threshold is None else spec.threshold,
            baseline=spec.baseline if spec.threshold is None else None,
        )
        for name, (box, tree) in result.failing.items()
    ]  # fmt: skip
    sections = robustness_sections(
        result.robustness, labels, settings=result.settings, information=result.information,
        failing=failing, sizes=result.sizes,
    )  # fmt: skip
    counts = {
        "strategies": len(experiment.strategies), "futures": len(result.settings),
        "runs": spec.runs,
    }  # fmt: skip
    uncertainty = _(
        "{strategies} strategies were simulated in {futures} futures, {runs} runs each with common "
        "random numbers. “{section}” shows how many runs or futures are needed to distinguish "
        "strategies."
    )
    assumptions = _(
        "“{section}” ranks the assumptions that vary between futures by the value of knowing them. "
        "Assumptions that do not vary are listed below with their ranges."
    )
    methods = _(
        "We compared {strategies} strategies by {outcomes} in {futures} futures, with {runs} runs "
        "each."
    )
    return KindReport(
        sections,
        [fill(uncertainty, section=sections[1].title, **counts)],
        fill(assumptions, section=_("What to measure first")),
        fill(methods, outcomes=name_outcomes(experiment), **counts),
        {
            name: table.assign(outcome=result.robustness.outcome)
            for name, table in {
                "robustness": result.robustness.estimates,
                "information": result.information.factors,
                "sizes": result.sizes,
                "outcomes": result.robustness.by_future(result.futures),
            }.items()
        },
    )


def robustness_sections(
    robust: Robustness,
    labels: Labels,
    *,
    settings: pd.DataFrame | None = None,
    information: Information | None = None,
    failing: Sequence[Failing] = (),
    sizes: pd.DataFrame | None = None,
) -> list[Section]:
    """All that many futures say; the answer comes first.

    ``settings`` [futures, factors] are those of each future, for the figure of a box; ``failing``
    says where strategies fail, that of the most robust one as part of the answer; ``sizes`` are
    from :func:`kolabsim.analysis.robustness.sample_sizes`.
    """
    return [
        answer_section(robust, labels, information, failing),
        robustness_section(robust, labels, sizes),
        *(
            failing_section(one, robust, labels, settings, number)
            for number, one in enumerate(failing, 1)
        ),
        *([] if information is None else [information_section(information, labels)]),
    ]


# The answer -------------------------------------------------------------------------------------


@separate
def answer_section(
    robust: Robustness, labels: Labels, information: Information | None, failing: Sequence[Failing]
) -> Section:
    """Name the most robust strategy, its uncertainty and failures, and what to measure first."""
    first = robust.order()[0]
    most = robust_sentence(robust, labels)
    brief = capitalise(fill(_("first in {share} of resamples"), share=robust.stability()))
    found = [
        Headline(_("Most robust strategy"), labels.strategy(first), most),
        Headline(_("Uncertainty"), brief, rank_sentence(robust, labels)),
    ]
    for one in [one for one in failing if one.strategy == first][:1]:
        fails = one.discovery.fails
        text = _("in {number} of {futures} futures")
        brief = capitalise(fill(text, number=fails.sum(), futures=len(fails)))
        sentence = failing_sentence(one, robust, labels)
        found.append(Headline(_("When it fails"), brief, sentence))
    # The headline says where the best strategy fails; readers ask about the others next.
    where = [one for one in failing if one.strategy != first and one.discovery.box is not None]
    note = _(
        "Futures are samples from assumed ranges. A share of futures is not a probability; it "
        "shows how much of the assumed range a strategy can withstand."
    )
    return Section(
        "answer",
        _("Key findings"),
        Headlines(found),
        None if information is None else measure_sentence(information, labels),
        *(failing_sentence(one, robust, labels) for one in where),
        Note([note]),
    )


def robust_sentence(robust: Robustness, labels: Labels) -> str:
    """Which strategy is most robust by the main criterion."""
    first, scale = robust.order()[0], criterion_scale(robust, robust.main, labels)
    row = robust.table().loc[first]
    text = LEADS.get(
        robust.main,
        N_(
            "“{strategy}” is the most robust of {number} strategies by “{criterion}”: {value} "
            "({level} interval {interval}; {futures} futures, {runs} runs each)."
        ),
    )
    return fill(
        _(text), number=len(robust.names), strategy=labels.strategy(first),
        criterion=criterion_words(robust.main, robust, labels), value=scale.text(row["value"]),
        level=robust.level, interval=scale.interval(row["low"], row["high"]),
        futures=robust.means.shape[1], runs=robust.runs,
    )  # fmt: skip


def rank_sentence(robust: Robustness, labels: Labels) -> str:
    """How certain the first place is, and whether other criteria agree."""
    first, share = robust.order()[0], robust.stability()
    others = [name for name in robust.criteria if CRITERIA[name].ranks and name != robust.main]
    table = robust.table()["first"]
    rival = table.drop(first).idxmax()
    if share >= CERTAIN:
        text = _(
            "It ranks first in {share} of resamples of futures and runs, and by {agree} of {all} "
            "other criteria."
        )
    else:
        text = _(
            "Its lead is uncertain: it ranks first in {share} of resamples of futures and runs, "
            "“{rival}” in {other}; {agree} of {all} other criteria rank it first too."
        )
    agree = int(sum(robust.table(name)["rank"][first] == 1 for name in others))
    shares = {"share": share, "other": float(table[rival])}
    return fill(text, rival=labels.strategy(rival), agree=agree, all=len(others), **shares)


# Robustness -------------------------------------------------------------------------------------


@separate
def robustness_section(robust: Robustness, labels: Labels, sizes: pd.DataFrame | None) -> Section:
    """All criteria, their rankings, and how many runs it would take."""
    text = _(
        "The regret of a strategy in a future is its distance from the best strategy in that "
        "future. A choice by regret looks for a strategy that is never far from the best, "
        "whichever future occurs."
    )
    made = [*criterion_tables(robust, labels), ranking_table(robust, labels)]
    notes = [
        _(
            "Intervals and resamples redraw futures and runs, in the same way for all strategies. "
            "They show the effect of other futures from the same ranges and of other random draws. "
            "The largest regret and the worst future refer to the simulated futures; for these, "
            "only runs are redrawn."
        ),
        _(
            "Intervals of regret, of the worst future, of the spread and of the share of futures "
            "in which a strategy is best are approximate, and so are shares of resamples: with few "
            "runs or much chance they are too short."
        ),
    ]
    if sizes is not None and len(sizes):
        made.append(size_table(sizes, robust, labels))
        notes.append(
            _(
                "The sizes follow from the variance of paired differences between futures, between "
                "runs, and within both. A dash means that no number is enough, because there are "
                "too few of the other."
            )
        )
    title = _("Robustness")
    return Section("robustness", title, text, *made, *pictures(robust, labels), Note(notes))


def pictures(robust: Robustness, labels: Labels) -> list[Picture]:
    """The figures of robustness."""
    is_right = robust.better > 0
    better = _("Lines further to the left and higher are better.")
    if is_right:
        better = _("Lines further to the right and higher are better.")
    bands = _(
        "Bands are {level} intervals of the first two strategies; dashed: the chosen threshold."
    )
    right = _("Right: better on average.") if is_right else _("Left: better on average.")
    stable = _(
        "Down: more stable across futures. Lines: {level} intervals. Filled: no other strategy is "
        "better on both."
    )
    texts = {
        regret: (
            _(
                "Regret of each strategy in {outcome}: its distance from the best strategy of each "
                "future."
            ),
            _(
                "Each dot is a future. Band: middle half of the futures; line: median; diamond: "
                "90th percentile with its {level} interval."
            ),
        ),
        regret_table: (
            _("Regret of each strategy in each future."),
            _(
                "Each column is a future; futures with the same best strategy are next to each "
                "other. Blue: the best strategy of the future; the redder, the larger the regret."
            ),
        ),
        satisficing: (
            _(
                "Share of futures in which each strategy is satisfactory, for any threshold of "
                "{outcome}."
            ),
            f"{better} {bands}",
        ),
        best_shares: (
            _("Share of futures in which each strategy is best."),
            _("By mean over runs; ties are split. Lines: {level} intervals."),
        ),
        spread_plane: (
            _("Mean of {outcome} over futures against its spread, for each strategy."),
            f"{right} {stable}",
        ),
    }
    filled: dict[str, Any] = {"outcome": labels.outcome(robust.outcome), "level": robust.level}
    return [Picture(partial(draw, robust, labels), *said, **filled) for draw, said in texts.items()]


def criterion_words(name: str, robust: Robustness, labels: Labels) -> str:
    """What a criterion is called, with the threshold or the baseline that it has."""
    threshold = ""
    if robust.threshold is not None:
        text = criterion_scale(robust, "mean", labels).text(robust.threshold)
        threshold = f"≥ {text}" if robust.better > 0 else f"≤ {text}"
    baseline = "" if robust.baseline is None else labels.strategy(robust.baseline)
    return fill(_(CRITERION_TITLES[name]), threshold=threshold, baseline=baseline)


def criterion_tables(robust: Robustness, labels: Labels) -> list[Table]:
    """Figures with intervals: criteria in the outcome's unit, and shares of futures."""
    captions = {
        LOSS: _("Regret and spread"), LEVEL: capitalise(labels.outcome(robust.outcome)),
        SHARE: _("Shares of futures"),
    }  # fmt: skip
    made = []
    for kind, caption in captions.items():
        names = [name for name in robust.criteria if CRITERIA[name].kind == kind]
        scales = {name: criterion_scale(robust, name, labels) for name in names}
        found = {name: robust.table(name)[["value", "low", "high"]] for name in names}
        rows = [
            (
                labels.strategy(one),
                *(interval_cell(scales[name], *found[name].loc[one]) for name in names),
            )
            for one in robust.order()
        ]
        head = [add_unit(criterion_words(name, robust, labels), scales[name]) for name in names]
        text = fill(_("{caption}, with {level} intervals"), caption=caption, level=robust.level)
        made.append(Table(text, [_("Strategy"), *head], rows))
    return made


def ranking_table(robust: Robustness, labels: Labels) -> Table:
    """The rank of each strategy by each criterion, and in how many resamples it is first."""
    names = [name for name in robust.criteria if CRITERIA[name].ranks]
    found = [robust.table(name) for name in names]
    rows = [
        (
            labels.strategy(one),
            *(Cell(count(t["rank"][one]), remark=percent(t["first"][one])) for t in found),
        )
        for one in robust.order()
    ]
    caption = _(
        "Rank by each criterion, with the share of resamples in which the strategy ranks first"
    )
    head = [_("Strategy"), *(criterion_words(name, robust, labels) for name in names)]
    return Table(caption, head, rows)


def size_table(sizes: pd.DataFrame, robust: Robustness, labels: Labels) -> Table:
    """Numbers of runs or futures needed to distinguish strategies."""
    values = sizes[["difference", "detectable"]].to_numpy()
    scale = labels.scale(robust.outcome, values, sizes["error"], difference=True)
    rows = [
        (
            labels.strategy(row.strategy),
            scale.bare(row.difference, signed=True),
            scale.bare(row.error),
            scale.bare(row.detectable),
            *map(count, (row.runs, row.futures, row.runs_here)),
        )
        for row in sizes.itertuples()
    ]
    head = [
        _("Strategy"), add_unit(_("Difference"), scale), add_unit(_("Standard error"), scale),
        add_unit(_("Smallest detectable difference"), scale),
        fill(_("Runs needed in {number} futures"), number=robust.means.shape[1]),
        fill(_("Futures needed with {number} runs"), number=robust.runs),
        _("Runs needed in the simulated futures"),
    ]  # fmt: skip
    return Table(_("Runs or futures needed to distinguish strategies"), head, rows)
