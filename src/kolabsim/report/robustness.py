"""What many futures say: which strategy stands up, how surely, when it fails, what to measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kolabsim.analysis.robustness import CRITERIA, LEVEL, LOSS, SHARE, Robustness
from kolabsim.analysis.statistics import BETTER, UNDECIDED
from kolabsim.figures.formatting import UNDEFINED, count, percent
from kolabsim.figures.labels import Labels, add_unit, capitalise
from kolabsim.figures.robustness import (
    best_shares,
    criterion_scale,
    information_scale,
    regret,
    regret_table,
    satisficing,
    spread_plane,
    value_of_information,
)
from kolabsim.i18n import N_, _
from kolabsim.report.discovery import Failing, failing_section, failing_sentence
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
from kolabsim.report.wording import name_outcomes

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.information import Information
    from kolabsim.analysis.robustness import RobustnessResult
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.spec import RobustnessSpec

FIGURES = ["value", "low", "high"]
"""Columns of a table of criteria: the figure and its interval."""
SURE = 0.9
"""Share of resamples that must agree before a ranking is called sure."""

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
    "difference": N_("Difference from {baseline}"),
    "ahead": N_("Better than {baseline}"),
}
ANSWERS = {
    "regret_90": N_(
        "“{strategy}” is the most robust of {number} strategies: in nine of ten futures, its "
        "regret (distance from the best strategy) is at most {value} ({level} interval "
        "{interval}; {futures} futures, {runs} runs each)."
    ),
    "regret_max": N_(
        "“{strategy}” is the most robust of {number} strategies: in no future does its regret "
        "(distance from the best strategy) exceed {value} ({level} interval {interval}; "
        "{futures} futures, {runs} runs each)."
    ),
    "satisficing": N_(
        "“{strategy}” is the most robust of {number} strategies: it is satisfactory in {value} "
        "of futures ({level} interval {interval}; {futures} futures, {runs} runs each)."
    ),
}
"""The answer by the criteria for which there are own words."""


# Labels ------------------------------------------------------------------------------------------


# The report -------------------------------------------------------------------------------------


def report(experiment: Experiment[RobustnessSpec], answer: RobustnessResult) -> KindReport:
    """What the report of a robustness experiment says that others do not."""
    spec = experiment.spec
    words, best = Labels.from_experiment(experiment), answer.robustness.order()[0]
    failing = [
        Failing(
            name, box, tree, math.nan if spec.threshold is None else spec.threshold,
            baseline=spec.baseline if spec.threshold is None else None,
        )
        for name, (box, tree) in answer.failing.items()
    ]  # fmt: skip
    first, *others = robustness_sections(
        answer.robustness, words, settings=answer.settings, information=answer.information,
        failing=failing, sizes=answer.sizes,
    )  # fmt: skip
    # The headline says where the best strategy fails; readers ask about the others next.
    where = [
        failing_sentence(one, answer.robustness, words)
        for one in failing
        if one.strategy != best and one.discovery.box is not None
    ]
    *blocks, note = first.blocks
    counts = {
        "strategies": count(len(experiment.strategies)),
        "futures": count(len(answer.settings)),
        "runs": count(spec.runs),
    }
    uncertainty = _(
        "{strategies} strategies were simulated in {futures} futures, {runs} runs each with "
        "common random numbers. “{section}” shows how many runs or futures are needed to "
        "distinguish strategies."
    )
    assumptions = _(
        "“{section}” ranks the assumptions that vary between futures by the value of knowing "
        "them. Assumptions that do not vary are listed below with their ranges."
    )
    methods = _(
        "We compared {strategies} strategies by {outcomes} in {futures} futures, with {runs} "
        "runs each."
    )
    return KindReport(
        [Section(first.name, first.title, *blocks, *where, note), *others],
        [uncertainty.format(section=others[0].title, **counts)],
        assumptions.format(section=_("What to measure first")),
        methods.format(
            outcomes=name_outcomes(experiment),
            **counts,
        ),
        {
            "robustness": answer.robustness.estimates,
            "information": answer.information.factors,
            "sizes": answer.sizes,
            "futures": answer.settings.assign(
                **{
                    f"mean.{name}": answer.values[k].mean(axis=1)
                    for k, name in enumerate(answer.study.strategies)
                }
            ),
        },
    )


# The answer -------------------------------------------------------------------------------------


def robustness_sections(
    robust: Robustness,
    words: Labels,
    *,
    settings: pd.DataFrame | None = None,
    information: Information | None = None,
    failing: Sequence[Failing] = (),
    sizes: pd.DataFrame | None = None,
) -> list[Section]:
    """All that many futures say; the answer comes first.

    Parameters
    ----------
    robust
        How strategies stand up.
    words
        What things are called.
    settings
        [futures, factors] what each future is, for the figure of a box.
    information
        What knowing would be worth.
    failing
        Strategies and where they fail; that of the most robust strategy is part of the answer.
    sizes
        How many runs and futures it takes (:func:`kolabsim.analysis.robustness.sample_sizes`).
    """
    sections = [answer_section(robust, words, information, failing)]
    sections.append(robustness_section(robust, words, sizes))
    sections += [
        failing_section(one, robust, words, settings, number)
        for number, one in enumerate(failing, 1)
    ]
    if information is not None:
        sections.append(information_section(information, words))
    return sections


def answer_section(
    robust: Robustness,
    words: Labels,
    information: Information | None,
    failing: Sequence[Failing],
) -> Section:
    """Which strategy is most robust, how surely, when it fails, and what to measure first."""
    first, sure = robust.order()[0], percent(robust.stability())
    brief = _("first in {share} of resamples").format(share=sure)
    found = [
        Headline(_("Most robust strategy"), words.strategy(first), robust_sentence(robust, words)),
        Headline(_("Uncertainty"), capitalise(brief), sure_sentence(robust, words)),
    ]
    for one in [one for one in failing if one.strategy == first][:1]:
        fails = one.discovery.fails
        brief = _("in {number} of {futures} futures")
        brief = brief.format(number=count(fails.sum()), futures=count(len(fails)))
        text = failing_sentence(one, robust, words)
        found.append(Headline(_("When it fails"), capitalise(brief), text))
    return Section(
        "answer",
        _("Key findings"),
        Headlines(found),
        None if information is None else measure_sentence(information, words),
        Note([future_note()]),
    )


def robust_sentence(robust: Robustness, words: Labels) -> str:
    """Which strategy is most robust by the main criterion."""
    first, scale = robust.order()[0], criterion_scale(robust, robust.main, words)
    row = robust.table().loc[first]
    text = ANSWERS.get(
        robust.main,
        N_(
            "“{strategy}” is the most robust of {number} strategies by “{criterion}”: {value} "
            "({level} interval {interval}; {futures} futures, {runs} runs each)."
        ),
    )
    return _(text).format(
        number=count(len(robust.names)),
        strategy=words.strategy(first),
        criterion=criterion_words(robust.main, robust, words),
        value=scale.text(row["value"]),
        level=percent(robust.level),
        interval=scale.interval(row["low"], row["high"]),
        futures=count(robust.means.shape[1]),
        runs=count(robust.runs),
    )


def sure_sentence(robust: Robustness, words: Labels) -> str:
    """How surely the first is first, and whether other criteria agree."""
    first, sure = robust.order()[0], robust.stability()
    others = [name for name in robust.criteria if CRITERIA[name].ranks and name != robust.main]
    table = robust.table()["first"]
    rival = table.drop(first).idxmax()
    if sure >= SURE:
        text = _(
            "It ranks first in {share} of resamples of futures and runs, and by {agree} of "
            "{all} other criteria."
        )
    else:
        text = _(
            "Its lead is uncertain: it ranks first in {share} of resamples of futures and "
            "runs, “{rival}” in {other}; {agree} of {all} other criteria rank it first too."
        )
    return text.format(
        share=percent(sure),
        rival=words.strategy(rival),
        other=percent(table[rival]),
        agree=count(sum(robust.table(name)["rank"][first] == 1 for name in others)),
        all=count(len(others)),
    )


def measure_sentence(information: Information, words: Labels) -> str:
    """What to measure first, and what it would change."""
    if not information.above_floor:
        return _(
            "No factor is worth measuring first: knowing any of them would change the choice "
            "no more than knowing an irrelevant factor."
        )
    row = information.factors[information.factors["above"]].iloc[0]
    scale = information_scale(information, words)
    text = _(
        "Measure {factor} first: knowing it before choosing is worth {value} on average "
        "({level} interval {interval})"
    )
    if math.isfinite(row["share"]):
        text += _(", {share} of the value of perfect information")
    if isinstance(row["lowest"], str) and row["lowest"] != row["highest"]:
        text += _("; “{lowest}” is best where it is lowest, “{highest}” where it is highest")
    text += "."
    return text.format(
        factor=words.factor(row["factor"]),
        value=scale.text(row["value"]),
        level=percent(information.level),
        interval=scale.interval(row["low"], row["high"]),
        share=percent(row["share"]),
        lowest=words.strategy(row["lowest"]),
        highest=words.strategy(row["highest"]),
    )


def future_note() -> str:
    """What shares of futures are not."""
    return _(
        "Futures are samples from assumed ranges. A share of futures is not a probability; it "
        "shows how much of the assumed range a strategy can withstand."
    )


# Robustness -------------------------------------------------------------------------------------


def robustness_section(robust: Robustness, words: Labels, sizes: pd.DataFrame | None) -> Section:
    """All criteria, their rankings, and how many runs it would take."""
    text = _(
        "The regret of a strategy in a future is its distance from the best strategy in that "
        "future. A choice by regret looks for a strategy that is never far from the best, "
        "whichever future occurs."
    )
    made = [*criterion_tables(robust, words), ranking_table(robust, words)]
    notes = [
        _(
            "Intervals and resamples redraw futures and runs, in the same way for all "
            "strategies. They show the effect of other futures from the same ranges and of "
            "other random draws. The largest regret and the worst future refer to the "
            "simulated futures; for these, only runs are redrawn."
        )
    ]
    if sizes is not None and len(sizes):
        made.append(size_table(sizes, robust, words))
        notes.append(
            _(
                "The sizes follow from the variance of paired differences between futures, "
                "between runs, and within both. A dash means that no number is enough, because "
                "there are too few of the other."
            )
        )
    title = _("Robustness")
    return Section("robustness", title, text, *made, *pictures(robust, words), Note(notes))


def pictures(robust: Robustness, words: Labels) -> list[Picture]:
    """The figures of robustness."""
    filled = {"outcome": words.outcome(robust.outcome), "level": percent(robust.level)}
    return [
        Picture.of(
            regret(robust, words),
            _(
                "Regret of each strategy in {outcome}: its distance from the best strategy of "
                "each future."
            ),
            _(
                "Each dot is a future. Band: middle half of the futures; line: median; "
                "diamond: 90th percentile with its {level} interval."
            ),
            **filled,
        ),
        Picture.of(
            regret_table(robust, words),
            _("Regret of each strategy in each future."),
            _(
                "Each column is a future; futures with the same best strategy are next to each "
                "other. Blue: the best strategy of the future; the redder, the larger the "
                "regret."
            ),
        ),
        Picture.of(
            satisficing(robust, words),
            _(
                "Share of futures in which each strategy is satisfactory, for any threshold of "
                "{outcome}."
            ),
            _(
                "Lines further to the right and higher are better. Bands are {level} intervals "
                "of the first two strategies; dashed: the chosen threshold."
            )
            if robust.better > 0
            else _(
                "Lines further to the left and higher are better. Bands are {level} intervals "
                "of the first two strategies; dashed: the chosen threshold."
            ),
            **filled,
        ),
        Picture.of(
            best_shares(robust, words),
            _("Share of futures in which each strategy is best."),
            _("By mean over runs; ties are split. Lines: {level} intervals."),
            **filled,
        ),
        Picture.of(
            spread_plane(robust, words),
            _("Mean of {outcome} over futures against its spread, for each strategy."),
            _(
                "Right: better on average. Down: more stable across futures. Lines: {level} "
                "intervals. Filled: no other strategy is better on both."
            )
            if robust.better > 0
            else _(
                "Left: better on average. Down: more stable across futures. Lines: {level} "
                "intervals. Filled: no other strategy is better on both."
            ),
            **filled,
        ),
    ]


def criterion_words(name: str, robust: Robustness, words: Labels) -> str:
    """What a criterion is called, with the threshold or the baseline that it has."""
    threshold = ""
    if robust.threshold is not None:
        text = criterion_scale(robust, "mean", words).text(robust.threshold)
        threshold = f"≥ {text}" if robust.better > 0 else f"≤ {text}"
    baseline = "" if robust.baseline is None else words.strategy(robust.baseline)
    return _(CRITERION_TITLES[name]).format(threshold=threshold, baseline=baseline)


def criterion_tables(robust: Robustness, words: Labels) -> list[Table]:
    """Figures with intervals: criteria in the outcome's unit, and shares of futures."""
    kinds = [
        (_("Regret and spread"), [name for name in robust.criteria if CRITERIA[name].kind == LOSS]),
        (
            capitalise(words.outcome(robust.outcome)),
            [name for name in robust.criteria if CRITERIA[name].kind == LEVEL],
        ),
        (
            _("Shares of futures"),
            [name for name in robust.criteria if CRITERIA[name].kind == SHARE],
        ),
    ]
    made = []
    for caption, names in kinds:
        scales = {name: criterion_scale(robust, name, words) for name in names}
        tables = {name: robust.table(name) for name in names}
        rows = [
            (
                words.strategy(strategy),
                [
                    interval_cell(scales[name], *tables[name].loc[strategy, FIGURES])
                    for name in names
                ],
            )
            for strategy in robust.order()
        ]
        head = [
            _("Strategy"),
            *(add_unit(criterion_words(name, robust, words), scales[name]) for name in names),
        ]
        text = _("{caption}, with {level} intervals").format(
            caption=caption, level=percent(robust.level)
        )
        made.append(Table(text, head, rows))
    return made


def ranking_table(robust: Robustness, words: Labels) -> Table:
    """The rank of each strategy by each criterion, and in how many resamples it is first."""
    names = [name for name in robust.criteria if CRITERIA[name].ranks]
    tables = {name: robust.table(name) for name in names}
    rows = [
        (
            words.strategy(strategy),
            [
                Cell(
                    count(tables[name]["rank"][strategy]),
                    remark=percent(tables[name]["first"][strategy]),
                )
                for name in names
            ],
        )
        for strategy in robust.order()
    ]
    caption = _(
        "Rank by each criterion, with the share of resamples in which the strategy ranks first"
    )
    head = [_("Strategy"), *(criterion_words(name, robust, words) for name in names)]
    return Table(caption, head, rows)


def size_table(sizes: pd.DataFrame, robust: Robustness, words: Labels) -> Table:
    """How many runs or futures it takes to tell strategies apart."""
    values = sizes[["difference", "detectable"]].to_numpy()
    scale = words.scale(robust.outcome, values, sizes["error"], difference=True)
    rows = [
        (
            words.strategy(row.strategy),
            texts(
                scale.bare(row.difference, signed=True),
                scale.bare(row.error),
                scale.bare(row.detectable),
                *(
                    count(number) if math.isfinite(number) else UNDEFINED
                    for number in (row.runs, row.futures, row.runs_here)
                ),
            ),
        )
        for row in sizes.itertuples()
    ]
    head = [
        _("Strategy"), add_unit(_("Difference"), scale), add_unit(_("Standard error"), scale),
        add_unit(_("Smallest detectable difference"), scale),
        _("Runs needed in {number} futures").format(number=count(robust.means.shape[1])),
        _("Futures needed with {number} runs").format(number=count(robust.runs)),
        _("Runs needed in the simulated futures"),
    ]  # fmt: skip
    return Table(_("Runs or futures needed to distinguish strategies"), head, rows)


# What to measure --------------------------------------------------------------------------------


def information_section(information: Information, words: Labels) -> Section:
    """What it is worth to know each factor before choosing."""
    scale, perfect = information_scale(information, words), information.evpi
    text = _(
        "Without further information, the choice is “{chosen}”. Perfect information about the "
        "future would add {value} on average ({level} interval {interval}; between {least} and "
        "{most}, depending on how much of it is attributed to chance in the runs). Knowing a "
        "single factor is worth part of that."
    ).format(
        chosen=words.strategy(information.chosen),
        value=scale.text(perfect.value),
        level=percent(information.level),
        interval=scale.interval(perfect.low, perfect.high),
        least=scale.bare(perfect.lower),
        most=scale.bare(perfect.upper),
    )
    picture = Picture.of(
        value_of_information(information, words),
        _("Value of knowing each factor before choosing."),
        _(
            "Lines: {level} intervals. The tick is the noise floor: the apparent value of a "
            "factor with the same values that is unrelated to the outcome. Hollow: not above "
            "it."
        ),
        level=percent(information.level),
    )
    note = _(
        "A factor without information value may still change the outcome a lot: its value is "
        "zero because the same strategy is best whatever its value."
    )
    title = _("What to measure first")
    table = information_table(information, words)
    return Section("information", title, text, table, picture, Note([note]))


def information_table(information: Information, words: Labels) -> Table:
    """The value of knowing each factor, its floor, and what is best at both ends of it."""
    scale = information_scale(information, words)
    rows = []
    for row in information.factors.itertuples():
        ends = [
            words.strategy(end) if isinstance(end, str) else UNDEFINED
            for end in (row.lowest, row.highest)
        ]
        value = Cell(
            scale.bare(row.value),
            scale.interval(row.low, row.high),
            verdict=BETTER if row.above else UNDECIDED,
        )
        cells = [value, *texts(scale.bare(row.floor), percent(row.share), *ends)]
        rows.append((capitalise(words.factor(row.factor)), cells))
    head = [
        _("Factor"), add_unit(_("Value of information"), scale), add_unit(_("Noise floor"), scale),
        _("Share of perfect information"), _("Best at its lowest"),
        _("Best at its highest"),
    ]  # fmt: skip
    caption = _("Value of knowing a factor before choosing: ▲ above the noise floor, ○ not above")
    return Table(caption, head, rows)
