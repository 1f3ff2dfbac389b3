"""What many futures say: which strategy stands up, how surely, when it fails, what to measure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.compare import BETTER, UNDECIDED
from kolabsim.analysis.discovery import (
    ALWAYS,
    FEW,
    FOUND,
    NEVER,
    Box,
    Discovery,
    Limit,
    Range,
    Tree,
)
from kolabsim.analysis.robustness import CRITERIA, LEVEL, LOSS, SHARE, Robustness
from kolabsim.language import N_, _
from kolabsim.model.measures import MEASURES
from kolabsim.show.drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    SERIES,
    VERMILION,
    blank,
    place_labels,
    styled,
    write_ticks,
)
from kolabsim.show.numbers import (
    SPACE,
    UNDEFINED,
    Scale,
    count,
    decimal,
    percent,
    scale_of,
    significant,
)
from kolabsim.show.page import Section
from kolabsim.show.report import Picture
from kolabsim.show.sentences import listed
from kolabsim.show.tables import Cell, Table, texts
from kolabsim.show.words import capital, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.analysis.information import Information

SHOWN = 15
"""Most factors in a figure; tables have all."""
SURE = 0.9
"""Share of resamples that must agree before a ranking is called sure."""
COLOURED = 4
"""Strategies whose curves have a colour; the others' are grey."""
GOLDEN = 0.6180339887498949
"""Multiples of it, without their whole parts, spread evenly whatever their number."""
BARE_UNITS = ("", "1", "0..1", "share")
"""Units of factors that are not written after a number."""

CRITERION_TITLES = {
    "regret_max": N_("Largest regret"),
    "regret_90": N_("Regret, nine futures of ten"),
    "satisficing": N_("Good enough: {threshold}"),
    "worst": N_("Worst future"),
    "worst_tenth": N_("Worst tenth of the futures"),
    "mean": N_("Mean over futures"),
    "spread": N_("Spread over futures"),
    "mean_spread": N_("Mean less spread"),
    "best": N_("Best of all"),
    "difference": N_("Difference to {baseline}"),
    "ahead": N_("Ahead of {baseline}"),
}
ANSWERS = {
    "regret_90": N_(
        "Of {number} strategies “{strategy}” stands up best: in nine futures of ten it stays no "
        "more than {value} behind the best that could have been chosen ({level} interval "
        "{interval}; {futures} futures, {runs} runs each)."
    ),
    "regret_max": N_(
        "Of {number} strategies “{strategy}” stands up best: in no future does it stay more than "
        "{value} behind the best that could have been chosen ({level} interval {interval}; "
        "{futures} futures, {runs} runs each)."
    ),
    "satisficing": N_(
        "Of {number} strategies “{strategy}” stands up best: it is good enough in {value} of the "
        "futures ({level} interval {interval}; {futures} futures, {runs} runs each)."
    ),
}
"""The answer by the criteria for which there are own words."""


# Words ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Labels:
    """What things are called. What is not named here keeps its own name."""

    outcome: str
    """Name of a measure, or a title of one's own."""
    unit: str = ""
    """As in :mod:`kolabsim.model.measures`; that of a measure is known."""
    currency: str = ""
    """That of the scenario; '' for cost units."""
    strategies: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[str, str] = field(default_factory=dict)
    """Titles of factors, as they stand within a sentence."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Units of factors."""
    words: Mapping[object, str] = field(default_factory=dict)
    """Titles of the words of choices."""

    @property
    def inner(self) -> str:
        """What the outcome is called within a sentence."""
        return _(MEASURES[self.outcome].title) if self.outcome in MEASURES else self.outcome

    @property
    def title(self) -> str:
        """What the outcome is called, with a capital."""
        return capital(self.inner)

    def strategy(self, name: str) -> str:
        """What a strategy is called."""
        return self.strategies.get(name, name)

    def factor(self, name: str) -> str:
        """What a factor is called."""
        return self.factors.get(name, name)

    def axis(self, name: str) -> str:
        """A factor with its unit, as it stands on an axis."""
        title, unit = capital(self.factor(name)), self.units.get(name, "")
        return title if unit in BARE_UNITS else f"{title} ({unit})"

    def word(self, value: object) -> str:
        """What a word of a choice is called."""
        return self.words.get(value, str(value).replace("_", " "))

    def number(self, name: str, value: float) -> str:
        """A value of a factor with its unit."""
        unit = self.units.get(name, "")
        text = significant(value)
        return text if unit in BARE_UNITS else f"{text}{SPACE}{unit}"

    def scale(
        self, values: np.ndarray, errors: np.ndarray | Sequence[float] = (), *, difference: bool
    ) -> Scale:
        """How values of the outcome, or differences of it, are written."""
        unit = self.unit or (MEASURES[self.outcome].unit if self.outcome in MEASURES else "1")
        return scale_of(
            unit, np.ravel(values), np.ravel(errors), currency=self.currency, difference=difference
        )

    def scale_of_criterion(self, robust: Robustness, criterion: str) -> Scale:
        """How the figures of a criterion are written; those of one kind are written alike."""
        kind = CRITERIA[criterion].kind
        if kind == SHARE:
            return Scale(0.01, 0, "%")
        apart = kind == LOSS or criterion == "difference"
        alike = [
            name for name in robust.criteria
            if CRITERIA[name].kind != SHARE
            and (CRITERIA[name].kind == LOSS or name == "difference") == apart
        ]  # fmt: skip
        table = robust.figures[robust.figures["criterion"].isin(alike)]
        values, errors = table[["value", "low", "high"]], (table["high"] - table["low"]) / 2.0
        return self.scale(values.to_numpy(), errors.to_numpy(), difference=apart)


@dataclass(frozen=True, eq=False)
class Failing:
    """A strategy, when it counts as failing, and where it does."""

    strategy: str
    discovery: Discovery
    tree: Tree | None = None
    threshold: float | None = None
    """It fails where it falls short of this, in the outcome's unit; or"""
    baseline: str | None = None
    """where it does worse than this strategy."""
    words: str = ""
    """Own words for failing, such as "loses money"."""

    def says(self, robust: Robustness, labels: Labels) -> str:
        """What failing is, as it stands after the strategy in a sentence."""
        if self.words:
            return self.words
        if self.baseline is not None:
            return _("does worse than “{baseline}”").format(baseline=labels.strategy(self.baseline))
        scale = labels.scale_of_criterion(robust, "mean")
        text = _("falls below {threshold}") if robust.better > 0 else _("rises above {threshold}")
        return text.format(threshold=scale.text(self.threshold))


def with_unit(title: str, scale: Scale) -> str:
    """A title and a unit, as they stand on an axis or in a head."""
    return f"{title} ({scale.label})" if scale.label else title


def either(words: Sequence[str]) -> str:
    """Words of which one holds."""
    if len(words) < 2:
        return "".join(words)
    return _("{words} or {last}").format(words=", ".join(words[:-1]), last=words[-1])


def condition(name: str, limit: Limit, labels: Labels) -> str:
    """A restriction, as it stands within a sentence."""
    words = {"factor": labels.factor(name)}
    if not isinstance(limit, Range):
        text = _("{factor} is {words}")
        return text.format(words=either(sorted(labels.word(word) for word in limit)), **words)
    if math.isfinite(limit.low) and math.isfinite(limit.high):
        text = _("{factor} is between {low} and {high}")
    elif math.isfinite(limit.low):
        text = _("{factor} is at least {low}")
    else:
        text = _("{factor} is at most {high}")
    low, high = (labels.number(name, end) for end in limit)
    return text.format(low=low, high=high, **words)


def conditions(box: Box, labels: Labels) -> str:
    """All restrictions of a box, as they stand within a sentence."""
    return listed([condition(name, limit, labels) for name, limit in box.limits.items()])


# The answer -------------------------------------------------------------------------------------


def uncertainty_sections(
    robust: Robustness,
    labels: Labels,
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
    labels
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
    sections = [answer_section(robust, labels, information, failing)]
    sections.append(robustness_section(robust, labels, sizes))
    sections += [
        failing_section(one, robust, labels, settings, number)
        for number, one in enumerate(failing, 1)
    ]
    if information is not None:
        sections.append(information_section(information, labels))
    return sections


def answer_section(
    robust: Robustness,
    labels: Labels,
    information: Information | None,
    failing: Sequence[Failing],
) -> Section:
    """Which strategy is most robust, how surely, when it fails, and what to measure first."""
    first = robust.order()[0]
    sentences = [robust_sentence(robust, labels), sure_sentence(robust, labels)]
    own = [one for one in failing if one.strategy == first]
    sentences += [failing_sentence(one, robust, labels) for one in own[:1]]
    if information is not None:
        sentences.append(measure_sentence(information, labels))
    title = _("What stands up, and when it does not")
    return Section("answer", title, [" ".join(sentences)], notes=[future_note()])


def robust_sentence(robust: Robustness, labels: Labels) -> str:
    """Which strategy is most robust by the main criterion."""
    first, scale = robust.order()[0], labels.scale_of_criterion(robust, robust.main)
    row = robust.table().loc[first]
    text = ANSWERS.get(
        robust.main,
        N_(
            "Of {number} strategies “{strategy}” stands up best by “{criterion}”: {value} ({level} "
            "interval {interval}; {futures} futures, {runs} runs each)."
        ),
    )
    return _(text).format(
        number=count(len(robust.names)),
        strategy=labels.strategy(first),
        criterion=criterion_words(robust.main, robust, labels),
        value=scale.text(row["value"]),
        level=percent(robust.level),
        interval=scale.interval(row["low"], row["high"]),
        futures=count(robust.means.shape[1]),
        runs=count(robust.runs),
    )


def sure_sentence(robust: Robustness, labels: Labels) -> str:
    """How surely the first is first, and whether other criteria agree."""
    first, sure = robust.order()[0], robust.sureness()
    others = [name for name in robust.criteria if CRITERIA[name].ranks and name != robust.main]
    table = robust.table()["first"]
    rival = table.drop(first).idxmax()
    if sure >= SURE:
        text = _(
            "It comes first in {share} of resamples of futures and runs, and by {agree} of {all} "
            "other criteria."
        )
    else:
        text = _(
            "That it comes first is not sure: it does in {share} of resamples of futures and runs, "
            "“{rival}” in {other}; of {all} other criteria, {agree} put it first too."
        )
    return text.format(
        share=percent(sure),
        rival=labels.strategy(rival),
        other=percent(table[rival]),
        agree=count(sum(robust.table(name)["rank"][first] == 1 for name in others)),
        all=count(len(others)),
    )


def failing_sentence(failing: Failing, robust: Robustness, labels: Labels) -> str:
    """When a strategy fails; or that it does not, always does, or that no part stands out."""
    found = failing.discovery
    words = {
        "strategy": labels.strategy(failing.strategy),
        "fails": failing.says(robust, labels),
        "number": count(found.fails.sum()),
        "rest": count((~found.fails).sum()),
        "futures": count(len(found.fails)),
    }
    if found.verdict == FOUND:
        box = found.box
        text = _(
            "“{strategy}” {fails} when {conditions} (coverage {coverage}, density {density}, "
            "n = {inside} of {futures} futures)."
        )
        words |= {
            "conditions": conditions(box, labels),
            "coverage": percent(box.coverage),
            "density": percent(box.density),
            "inside": count(box.futures),
        }
    elif found.verdict == NEVER:
        text = _("“{strategy}” {fails} in none of the {futures} futures.")
    elif found.verdict == ALWAYS:
        text = _("“{strategy}” {fails} in all of the {futures} futures.")
    elif found.verdict == FEW and found.share > 0.5:
        text = _(
            "“{strategy}” {fails} in all but {rest} of {futures} futures: those are too few to say "
            "what they have in common."
        )
    elif found.verdict == FEW:
        text = _(
            "“{strategy}” {fails} in {number} of {futures} futures: too few to say what they have "
            "in common."
        )
    else:
        text = _(
            "“{strategy}” {fails} in {number} of {futures} futures; where these lie cannot be told "
            "from chance."
        )
    return text.format(**words)


def measure_sentence(information: Information, labels: Labels) -> str:
    """What to measure first, and what it would change."""
    if not information.worthwhile:
        return _(
            "No single factor is worth measuring first: knowing any of them would change the "
            "choice no more than a factor that has nothing to do with the outcome."
        )
    row = information.factors[information.factors["above"]].iloc[0]
    scale = information_scale(information, labels)
    text = _(
        "Measure {factor} first: knowing it before choosing is worth {value} on average "
        "({level} interval {interval})"
    )
    if math.isfinite(row["share"]):
        text += _(", {share} of what perfect knowledge of the future is worth")
    if isinstance(row["lowest"], str) and row["lowest"] != row["highest"]:
        text += _("; where it is lowest, “{lowest}” is best, where it is highest, “{highest}”")
    text += "."
    return text.format(
        factor=labels.factor(row["factor"]),
        value=scale.text(row["value"]),
        level=percent(information.level),
        interval=scale.interval(row["low"], row["high"]),
        share=percent(row["share"]),
        lowest=labels.strategy(row["lowest"]),
        highest=labels.strategy(row["highest"]),
    )


def future_note() -> str:
    """What shares of futures are not."""
    return _(
        "Futures are drawn from ranges that somebody thought possible. A share of futures is not a "
        "probability that something will happen; it says how much of what was thought possible a "
        "strategy can bear."
    )


# Robustness -------------------------------------------------------------------------------------


def robustness_section(robust: Robustness, labels: Labels, sizes: pd.DataFrame | None) -> Section:
    """All criteria, their rankings, and how many runs it would take."""
    paragraphs = [
        _(
            "The regret of a strategy in a future is how far it stays behind the strategy that is "
            "best in that future. Whoever chooses by it asks not what is best in the future that "
            "is expected, but what is not far from the best in whatever comes."
        )
    ]
    made = criterion_tables(robust, labels)
    made.append(ranking_table(robust, labels))
    notes = [
        _(
            "Intervals and resamples draw futures and runs anew, the same for all strategies. They "
            "say what other futures from the same ranges, and other luck, would give. The largest "
            "regret and the worst future are those of the futures that were simulated: there, only "
            "runs are drawn anew."
        )
    ]
    if sizes is not None and len(sizes):
        made.append(size_table(sizes, robust, labels))
        notes.append(
            _(
                "Sizes follow from how much paired differences vary between futures, between runs, "
                "and within both. A dash stands where no number would do, because the other of the "
                "two is too small."
            )
        )
    title = _("How strategies stand up in many futures")
    return Section("robustness", title, paragraphs, made, pictures(robust, labels), notes)


def pictures(robust: Robustness, labels: Labels) -> list[Picture]:
    """The figures of robustness."""
    words = {"outcome": labels.inner, "level": percent(robust.level)}
    return [
        Picture.of(
            regret_figure(robust, labels),
            _("How far each strategy stays behind the best of each future, in {outcome}."),
            _(
                "Each dot is a future. Band: the middle half of the futures; line across: median; "
                "diamond: what nine futures of ten do not exceed, with its {level} interval."
            ),
            **words,
        ),
        Picture.of(
            satisficing_figure(robust, labels),
            _("In how many futures each strategy is good enough, for any threshold of {outcome}."),
            _(
                "The further to the right a line reaches, and the higher it lies, the better. "
                "Bands are {level} intervals of the first two; dashed: the threshold that was set."
            )
            if robust.better > 0
            else _(
                "The further to the left a line reaches, and the higher it lies, the better. "
                "Bands are {level} intervals of the first two; dashed: the threshold that was set."
            ),
            **words,
        ),
        Picture.of(
            best_figure(robust, labels),
            _("Share of futures in which each strategy is best."),
            _("By means over runs; ties are divided. Lines: {level} intervals."),
            **words,
        ),
        Picture.of(
            spread_plane(robust, labels),
            _("Mean over futures of {outcome} against its spread, strategy by strategy."),
            _(
                "To the right: better on average. Down: less different from future to future. "
                "Lines: {level} intervals. Filled: nothing is better on both."
            )
            if robust.better > 0
            else _(
                "To the left: better on average. Down: less different from future to future. "
                "Lines: {level} intervals. Filled: nothing is better on both."
            ),
            **words,
        ),
    ]


def criterion_words(name: str, robust: Robustness, labels: Labels) -> str:
    """What a criterion is called, with the threshold or the baseline that it has."""
    threshold = ""
    if robust.threshold is not None:
        text = labels.scale_of_criterion(robust, "mean").text(robust.threshold)
        threshold = f"≥ {text}" if robust.better > 0 else f"≤ {text}"
    baseline = "" if robust.baseline is None else labels.strategy(robust.baseline)
    return _(CRITERION_TITLES[name]).format(threshold=threshold, baseline=baseline)


def criterion_tables(robust: Robustness, labels: Labels) -> list[Table]:
    """Figures with intervals: criteria in the outcome's unit, and shares of futures."""
    kinds = [
        (_("Regret and spread"), [name for name in robust.criteria if CRITERIA[name].kind == LOSS]),
        (labels.title, [name for name in robust.criteria if CRITERIA[name].kind == LEVEL]),
        (
            _("Shares of the futures"),
            [name for name in robust.criteria if CRITERIA[name].kind == SHARE],
        ),
    ]
    made = []
    for caption, names in kinds:
        scales = {name: labels.scale_of_criterion(robust, name) for name in names}
        tables = {name: robust.table(name) for name in names}
        rows = [
            (
                labels.strategy(strategy),
                [figure_cell(tables[name].loc[strategy], scales[name]) for name in names],
            )
            for strategy in robust.order()
        ]
        head = [
            _("Strategy"),
            *(with_unit(criterion_words(name, robust, labels), scales[name]) for name in names),
        ]
        text = _("{caption}, with {level} intervals").format(
            caption=caption, level=percent(robust.level)
        )
        made.append(Table(text, head, rows))
    return made


def figure_cell(row: pd.Series, scale: Scale) -> Cell:
    """A figure with its interval."""
    return Cell(scale.bare(row["value"]), scale.interval(row["low"], row["high"]))


def ranking_table(robust: Robustness, labels: Labels) -> Table:
    """The rank of each strategy by each criterion, and in how many resamples it is first."""
    names = [name for name in robust.criteria if CRITERIA[name].ranks]
    tables = {name: robust.table(name) for name in names}
    rows = [
        (
            labels.strategy(strategy),
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
    caption = _("Rank by each criterion; below it, the share of resamples in which it is first")
    head = [_("Strategy"), *(criterion_words(name, robust, labels) for name in names)]
    return Table(caption, head, rows)


def size_table(sizes: pd.DataFrame, robust: Robustness, labels: Labels) -> Table:
    """How many runs or futures it takes to tell strategies apart."""
    scale = labels.scale(sizes[["difference", "detectable"]], sizes["error"], difference=True)
    rows = [
        (
            labels.strategy(row.strategy),
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
        _("Strategy"), with_unit(_("Difference"), scale), with_unit(_("Standard error"), scale),
        with_unit(_("Least that is told apart now"), scale),
        _("Runs needed in {number} futures").format(number=count(robust.means.shape[1])),
        _("Futures needed with {number} runs").format(number=count(robust.runs)),
        _("Runs needed in these very futures"),
    ]  # fmt: skip
    return Table(_("How many runs or futures it takes to tell strategies apart"), head, rows)


# Where it fails ---------------------------------------------------------------------------------


def failing_section(
    failing: Failing,
    robust: Robustness,
    labels: Labels,
    settings: pd.DataFrame | None,
    number: int,
) -> Section:
    """Where one strategy fails: the sentence, its restrictions, the tree's opinion, the figure."""
    found = failing.discovery
    paragraphs = [failing_sentence(failing, robust, labels)]
    made, drawn, notes = [], [], []
    if found.verdict == FOUND:
        paragraphs.append(fresh_sentence(found))
        made.append(box_table(found, labels))
        notes.append(
            _(
                "Coverage: share of all failures that lie inside; density: share of the futures "
                "inside that fail. The quasi-p value is the chance of so many failures had the one "
                "restriction been dropped; it does not count that the restriction was searched "
                "for. A restriction that seldom comes back may be an accident of these futures."
            )
        )
        if settings is not None:
            drawn.append(box_picture(failing, settings, labels))
    if failing.tree is not None:
        paragraphs.append(tree_sentence(failing.tree, found, labels))
    title = _("When “{strategy}” fails").format(strategy=labels.strategy(failing.strategy))
    return Section(f"failing-{number}", title, paragraphs, made, drawn, notes)


def fresh_sentence(found: Discovery) -> str:
    """How much a box stands out, and how boxes fare where they were not found."""
    coverage, density = found.fresh
    text = _(
        "Of all futures, {share} fail. A box of noise stands out as much in {chance} of trials. "
        "In futures that they were not found in, boxes have coverage {coverage} and density "
        "{density} on average."
    )
    return text.format(
        share=percent(found.share),
        chance=percent(found.chance, decimals=1),
        coverage=percent(coverage),
        density=percent(density),
    )


def tree_sentence(tree: Tree, found: Discovery, labels: Labels) -> str:
    """What a decision tree says, and whether it names the same factors."""
    if not tree.leaves:
        return _(
            "A decision tree finds no part of the futures in which most fail (skill {skill}; 0.5 "
            "is chance)."
        ).format(skill=decimal(tree.skill, 2))
    best = tree.leaves[0]
    text = _(
        "As a second opinion, a decision tree has most failures where {conditions} (coverage "
        "{coverage}, density {density}; skill {skill}, 0.5 is chance)."
    ).format(
        conditions=conditions(best, labels),
        coverage=percent(best.coverage),
        density=percent(best.density),
        skill=decimal(tree.skill, 2),
    )
    if found.box is None:
        return text
    both = [labels.factor(name) for name in found.box.limits if name in best.limits]
    if not both:
        return text + " " + _("It names none of the same factors.")
    return text + " " + _("Both name {factors}.").format(factors=listed(both))


def box_table(found: Discovery, labels: Labels) -> Table:
    """Each restriction, how strongly it is supported, and how often it comes back."""
    rows = [
        (
            capital(condition(name, limit, labels)),
            texts(
                "< 0.001" if p < 0.001 else decimal(p, 3),
                percent(found.returns.get(name, math.nan)),
            ),
        )
        for (name, limit), p in zip(
            found.box.limits.items(), found.box.quasi_p.values(), strict=True
        )
    ]
    head = [_("Restriction"), _("Quasi-p value"), _("Comes back, share of resamples")]
    return Table(_("What the failing futures have in common"), head, rows)


def box_picture(failing: Failing, settings: pd.DataFrame, labels: Labels) -> Picture:
    """The figure of a box, with what it shows in words."""
    names, others = leading(failing.discovery)
    text = _("Futures in which “{strategy}” fails, by {factors}, and the box around them.")
    caption = _("Crosses: futures that fail; circles: others. The box is what was found.")
    if others:
        caption += " " + _("Pale: futures outside its other restrictions ({factors}).").format(
            factors=listed([labels.factor(name) for name in others])
        )
    alt = text.format(
        strategy=labels.strategy(failing.strategy),
        factors=listed([labels.factor(name) for name in names]),
    )
    return Picture(box_figure(failing.discovery, settings, labels), alt, caption)


def leading(found: Discovery) -> tuple[list[str], list[str]]:
    """The two restricted factors that come back most often, and the others."""
    box = found.box
    order = sorted(box.limits, key=lambda name: (-found.returns.get(name, 0.0), box.quasi_p[name]))
    return order[:2], order[2:]


# What to measure --------------------------------------------------------------------------------


def information_scale(information: Information, labels: Labels) -> Scale:
    """How values of information are written."""
    table, perfect = information.factors, information.perfect
    values = np.append(table[["value", "high", "floor"]].to_numpy(), perfect.high)
    errors = (table["high"] - table["low"]).to_numpy() / 2.0
    return labels.scale(values, errors, difference=True)


def information_section(information: Information, labels: Labels) -> Section:
    """What it is worth to know each factor before choosing."""
    scale, perfect = information_scale(information, labels), information.perfect
    text = _(
        "Whoever knows nothing chooses “{chosen}”. Whoever knew the future and chose the best for "
        "it would gain {value} on average ({level} interval {interval}; at least {least}, at most "
        "{most}, as more or less of it is taken for the luck of runs). Knowing one factor alone is "
        "worth a part of that."
    ).format(
        chosen=labels.strategy(information.chosen),
        value=scale.text(perfect.value),
        level=percent(information.level),
        interval=scale.interval(perfect.low, perfect.high),
        least=scale.bare(perfect.least),
        most=scale.bare(perfect.most),
    )
    picture = Picture.of(
        information_figure(information, labels),
        _("What knowing each factor before choosing is worth."),
        _(
            "Lines: {level} intervals. The tick is the floor: what a factor with the same values "
            "seems to be worth that has nothing to do with the outcome. Hollow: not above it."
        ),
        level=percent(information.level),
    )
    note = _(
        "What is worth nothing may still change the outcome much: it is worth nothing because the "
        "same strategy is best whatever it is."
    )
    title = _("What to measure first")
    made = [information_table(information, labels)]
    return Section("information", title, [text], made, [picture], [note])


def information_table(information: Information, labels: Labels) -> Table:
    """The value of knowing each factor, its floor, and what is best at both ends of it."""
    scale = information_scale(information, labels)
    rows = []
    for row in information.factors.itertuples():
        ends = [
            labels.strategy(end) if isinstance(end, str) else UNDEFINED
            for end in (row.lowest, row.highest)
        ]
        value = Cell(
            scale.bare(row.value),
            scale.interval(row.low, row.high),
            verdict=BETTER if row.above else UNDECIDED,
        )
        cells = [value, *texts(scale.bare(row.floor), percent(row.share), *ends)]
        rows.append((capital(labels.factor(row.factor)), cells))
    head = [
        _("Factor"), with_unit(_("Value of knowing it"), scale), with_unit(_("Floor"), scale),
        _("Share of perfect knowledge"), _("Best where it is lowest"),
        _("Best where it is highest"),
    ]  # fmt: skip
    caption = _("What knowing a factor before choosing is worth: ▲ above the floor, ○ not")
    return Table(caption, head, rows)


# Figures ----------------------------------------------------------------------------------------


def write_strategies(axes: Axes, names: Sequence[str], labels: Labels) -> None:
    """Write the names of strategies beside their lines, the first at the top."""
    axes.set_yticks(range(len(names)), [wrapped(labels.strategy(name), 38) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)


@styled
def regret_figure(robust: Robustness, labels: Labels) -> Figure:
    """Regret of each strategy over futures, with that which nine futures of ten do not exceed."""
    order, scale = robust.order(), labels.scale_of_criterion(robust, "regret_90")
    figure, panels = blank(1.1 + 0.36 * len(order))
    axes, table = panels[0, 0], robust.table("regret_90")
    axes.grid(axis="x")
    shift = 0.5 * ((np.arange(robust.means.shape[1]) * GOLDEN) % 1.0 - 0.5)
    for y, name in enumerate(order):
        regret = np.sort(robust.regret[robust.names.index(name)]) / scale.divisor
        lower, middle, upper = np.quantile(regret, (0.25, 0.5, 0.75))
        axes.barh(y, upper - lower, left=lower, height=0.56, color=BLUE, alpha=0.25, linewidth=0,
                  label=_("half of the futures") if y == 0 else None)  # fmt: skip
        axes.plot(regret, y + shift, ".", color=GREY, markersize=3.0, alpha=0.6,
                  markeredgewidth=0, label=_("a future") if y == 0 else None)  # fmt: skip
        axes.vlines(middle, y - 0.28, y + 0.28, color=BLUE, linewidth=2.0,
                    label=_("median") if y == 0 else None)  # fmt: skip
        value, low, high = table.loc[name, ["value", "low", "high"]] / scale.divisor
        axes.hlines(y, low, high, color=INK, linewidth=1.5, zorder=5)
        axes.plot(
            value, y, "D", color=INK, markerfacecolor="white", markersize=5.5, zorder=6,
            linestyle="", label=_("nine futures of ten stay below") if y == 0 else None,
        )  # fmt: skip
    write_strategies(axes, order, labels)
    axes.set_xlim(left=-0.01 * axes.get_xlim()[1])
    axes.set_xlabel(with_unit(_("Regret: behind the best of the same future"), scale))
    write_ticks(axes.xaxis, 1.0)
    figure.legend(loc="outside upper left", ncols=4)
    return figure


@styled
def satisficing_figure(robust: Robustness, labels: Labels) -> Figure:
    """Share of futures at or beyond every threshold, the leading strategies in colour."""
    order, curve = robust.order(), robust.satisficing
    scale = labels.scale_of_criterion(robust, "mean")
    figure, panels = blank(3.7)
    axes = panels[0, 0]
    axes.grid(axis="y")
    x = curve.thresholds / scale.divisor
    for k in range(len(order))[::-1]:
        s = robust.names.index(order[k])
        coloured = k < COLOURED
        colour = SERIES[k] if coloured else PALE
        if k < 2:
            axes.fill_between(x, curve.low[s], curve.high[s], color=colour, alpha=0.18, linewidth=0)
        label = labels.strategy(order[k]) if coloured else None
        if k == COLOURED:
            label = _("other strategies")
        axes.plot(x, curve.share[s], color=colour, linewidth=1.9 if coloured else 1.1, label=label,
                  linestyle=("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), "-")
                  [min(k, COLOURED)], zorder=3 if coloured else 1)  # fmt: skip
    if robust.threshold is not None:
        axes.axvline(robust.threshold / scale.divisor, color=INK, linewidth=1.0,
                     linestyle=(0, (4, 3)), label=_("threshold"))  # fmt: skip
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(0.0, 1.02)
    axes.set_ylabel(_("Share of the futures, %"))
    text = _("{outcome} is at least") if robust.better > 0 else _("{outcome} is at most")
    axes.set_xlabel(with_unit(text.format(outcome=labels.title), scale))
    write_ticks(axes.xaxis, 1.0)
    write_ticks(axes.yaxis, 0.01)
    handles, titles = axes.get_legend_handles_labels()
    place = {title: k for k, title in enumerate(labels.strategy(name) for name in order)}
    ranked = sorted(range(len(titles)), key=lambda i: place.get(titles[i], len(order)))
    figure.legend(
        [handles[i] for i in ranked], [wrapped(titles[i], 46) for i in ranked],
        loc="outside upper left", ncols=3, handlelength=3.0,
    )  # fmt: skip
    return figure


@styled
def best_figure(robust: Robustness, labels: Labels) -> Figure:
    """Share of futures in which each strategy is best, with intervals."""
    table, order = robust.table("best"), robust.order("best")
    figure, panels = blank(0.75 + 0.3 * len(order))
    axes, y = panels[0, 0], np.arange(len(order))
    axes.grid(axis="x")
    value, low, high = (100.0 * table.loc[order, part] for part in ("value", "low", "high"))
    axes.barh(y, value, height=0.66, color=BLUE)
    axes.hlines(y, low, high, color=INK, linewidth=1.4, zorder=5)
    for at, (share, end) in enumerate(zip(value, high, strict=True)):
        axes.annotate(percent(share / 100.0), (max(share, end), at), (4, 0), va="center",
                      textcoords="offset points", fontsize=8.0)  # fmt: skip
    write_strategies(axes, order, labels)
    axes.set_xlim(0.0, 1.08 * max(float(high.max()), 1.0))
    axes.set_xlabel(_("Share of the futures in which it is best, %"))
    write_ticks(axes.xaxis, 1.0)
    return figure


@styled
def spread_plane(robust: Robustness, labels: Labels) -> Figure:
    """Mean over futures across, spread over futures up, each strategy with its name."""
    mean, spread = robust.table("mean"), robust.table("spread")
    scale = labels.scale_of_criterion(robust, "mean")
    apart = labels.scale_of_criterion(robust, "spread")
    figure, panels = blank(4.6)
    axes = panels[0, 0]
    axes.grid()
    places, taken = [], []
    for name in robust.names:
        x, left, right = mean.loc[name, ["value", "low", "high"]] / scale.divisor
        y, low, high = spread.loc[name, ["value", "low", "high"]] / apart.divisor
        beaten = (
            ((mean["value"] - mean["value"][name]) * robust.better > 0.0)
            & (spread["value"] < spread["value"][name])
        ).any()
        colour = GREY if beaten else BLUE
        axes.hlines(y, left, right, color=colour, linewidth=1.0, alpha=0.5)
        axes.vlines(x, low, high, color=colour, linewidth=1.0, alpha=0.5)
        axes.plot(x, y, "o", color=colour, markersize=5.5, zorder=5,
                  markerfacecolor="white" if beaten else colour)  # fmt: skip
        places.append((x, y))
        taken += [(end, y) for end in np.linspace(left, right, 25)]
        taken += [(x, end) for end in np.linspace(low, high, 5)]
    text = _("{outcome}, mean over futures").format(outcome=labels.title)
    axes.set_xlabel(with_unit(text, scale))
    axes.set_ylabel(with_unit(_("Standard deviation over futures"), apart))
    for axis in (axes.xaxis, axes.yaxis):
        write_ticks(axis, 1.0)
    axes.margins(0.08)
    titles = [wrapped(labels.strategy(name), 26) for name in robust.names]
    # Labels keep off intervals too.
    radii = [4.0] * len(places) + [1.5] * len(taken)
    place_labels(axes, places + taken, titles + [""] * len(taken), radii=radii, size=7.5)
    for text in [text for text in axes.texts if not text.get_text()]:
        text.remove()
    return figure


@styled
def box_figure(found: Discovery, settings: pd.DataFrame, labels: Labels) -> Figure:
    """Futures by the two leading restricted factors, failures marked, and the box drawn."""
    from matplotlib.patches import Rectangle

    names, others = leading(found)
    figure, panels = blank(4.2 if len(names) > 1 else 2.2)
    axes = panels[0, 0]
    x, across = coordinates(axes.xaxis, settings, found, names[0], labels)
    if len(names) > 1:
        y, along = coordinates(axes.yaxis, settings, found, names[1], labels)
    else:
        y, along = (np.arange(len(x)) * GOLDEN) % 1.0, [(-0.06, 1.06)]
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    rest = Box({name: found.box.limits[name] for name in others}, 0, 0, 0.0, 0.0, 0.0, {})
    near = rest.holds(settings)
    for here, alpha in ((~near, 0.35), (near, 1.0)):
        passed, failed = here & ~found.fails, here & found.fails
        axes.plot(x[passed], y[passed], "o", color=BLUE, markerfacecolor="none", markersize=4.5,
                  markeredgewidth=0.9, alpha=alpha, linestyle="")  # fmt: skip
        axes.plot(x[failed], y[failed], "x", color=VERMILION, markersize=5.5, markeredgewidth=1.6,
                  alpha=alpha, linestyle="")  # fmt: skip
    for left, right in across:
        for low, high in along:
            axes.add_patch(Rectangle((left, low), right - left, high - low, facecolor=ORANGE,
                                     alpha=0.14, linewidth=0, zorder=0))  # fmt: skip
            axes.add_patch(Rectangle((left, low), right - left, high - low, fill=False,
                                     edgecolor=INK, linewidth=1.3, zorder=4))  # fmt: skip
    explain_box(figure)
    return figure


def explain_box(figure: Figure) -> None:
    """Say above the panel what marks and the box are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], linestyle="", marker="x", color=VERMILION, markeredgewidth=1.6,
               label=_("fails")),
        Line2D([], [], linestyle="", marker="o", color=BLUE, markerfacecolor="none",
               label=_("does not fail")),
        Patch(facecolor="#FBEFDB", edgecolor=INK, label=_("the box")),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper left", ncols=3)


def coordinates(
    axis: object, settings: pd.DataFrame, found: Discovery, name: str, labels: Labels
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Where futures stand along an axis, which is labelled, and what of it the box takes."""
    limit, column = found.box.limits[name], settings[name].to_numpy()
    axis.set_label_text(wrapped(labels.axis(name), 60))
    if isinstance(limit, Range):
        values = column.astype(np.float64)
        room = 0.04 * np.ptp(values)
        ends = values.min() - room, values.max() + room
        axis.axes.set(**{f"{axis.axis_name}lim": ends})
        write_ticks(axis, 1.0)
        # Between the last future inside and the next outside, so that no mark lies on a line.
        inside = (values >= limit.low) & (values <= limit.high)
        below, above = values[values < limit.low], values[values > limit.high]
        low = ends[0] if not len(below) else (below.max() + values[inside].min()) / 2.0
        high = ends[1] if not len(above) else (above.min() + values[inside].max()) / 2.0
        return values, [(float(low), float(high))]
    words = sorted(set(column), key=str)
    place = {word: k for k, word in enumerate(words)}
    spread = 0.6 * ((np.arange(len(column)) * GOLDEN**2) % 1.0 - 0.5)
    axis.set_ticks(range(len(words)), [wrapped(labels.word(word), 16) for word in words])
    axis.axes.set(**{f"{axis.axis_name}lim": (-0.6, len(words) - 0.4)})
    values = np.array([place[word] for word in column]) + spread
    taken = [(place[word] - 0.42, place[word] + 0.42) for word in words if word in limit]
    return values, taken


@styled
def information_figure(information: Information, labels: Labels) -> Figure:
    """What knowing each factor is worth, with intervals and the floor of its dummies."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    table, scale = information.factors.iloc[:SHOWN], information_scale(information, labels)
    figure, panels = blank(1.05 + 0.32 * len(table))
    axes, y = panels[0, 0], np.arange(len(table))
    axes.grid(axis="x")
    value, low, high, floor = (
        table[part].to_numpy() / scale.divisor for part in ("value", "low", "high", "floor")
    )
    faces = [BLUE if above else "white" for above in table["above"]]
    axes.barh(y, value, height=0.62, color=faces, edgecolor=BLUE, linewidth=1.0)
    axes.hlines(y, low, high, color=INK, linewidth=1.3, zorder=5)
    axes.vlines(floor, y - 0.38, y + 0.38, color=VERMILION, linewidth=2.2, zorder=6)
    titles = [wrapped(capital(labels.factor(name)), 38) for name in table["factor"]]
    axes.set_yticks(y, titles)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlim(left=0.0)
    axes.set_xlabel(with_unit(_("Value of knowing it before choosing"), scale))
    write_ticks(axes.xaxis, 1.0)
    handles = [
        Patch(facecolor=BLUE, edgecolor=BLUE, label=_("above its floor")),
        Patch(facecolor="white", edgecolor=BLUE, label=_("not above it")),
        Line2D([], [], color=VERMILION, linewidth=2.2, label=_("floor")),
        Line2D([], [], color=INK, linewidth=1.3,
               label=_("{level} interval").format(level=percent(information.level))),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure
