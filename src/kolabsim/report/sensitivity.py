"""The report of a sensitivity analysis: which assumptions matter, how certainly, and how much."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kolabsim.analysis.sensitivity import Curve, Index, Indices
from kolabsim.analysis.statistics import DIFFERENT, UNDECIDED
from kolabsim.figures.formatting import UNDEFINED, Scale, decimal, format_interval, percent
from kolabsim.figures.labels import Labels, capitalise
from kolabsim.figures.sensitivity import (
    INDEX_TITLES,
    LEADING,
    SHOWN,
    choose_index_scale,
    convergence,
    ice,
    index_bars,
    index_scale,
    index_title,
    index_verdict,
    leading_units,
    morris_plane,
    tornado,
)
from kolabsim.i18n import _, ngettext
from kolabsim.report.page import (
    Block,
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
from kolabsim.report.readings import (
    LEADS,
    METHOD_TITLES,
    READINGS,
    chance_note,
    floor_notes,
    share_notes,
)
from kolabsim.report.wording import fill, in_groups, join_names, name_outcomes
from kolabsim.study.design import DUMMY

if TYPE_CHECKING:
    from kolabsim.analysis.sensitivity import SensitivityResult
    from kolabsim.analysis.surrogate import Surrogate
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.spec import SensitivitySpec

CERTAIN = 0.9
"""Share of resamples that must agree before a ranking is called certain."""
ACROSS = 5
"""Most outcomes beside each other in a table."""
PAIRS = 10
"""Most pairs of factors in a table."""

# The report -------------------------------------------------------------------------------------


def report(experiment: Experiment[SensitivitySpec], result: SensitivityResult) -> KindReport:
    """Return the parts of a report that only sensitivity analyses have."""
    table = result.study.table
    labels, points = Labels.from_experiment(experiment), 0 if table is None else len(table)
    found = result.indices
    first, *others = sensitivity_sections(found, labels, curves=result.curves)
    blocks: list[Block] = [*result.left_out]
    if result.surrogates:
        text = _(
            "These are indices of a surrogate that was fitted to {number} simulated points, not of "
            "the model itself; they are as good as the surrogate."
        )
        blocks += [fill(text, number=points), surrogate_table(result.surrogates, labels)]
    if result.is_converged is not None:
        text = (
            _("The ranking of the leading factors is stable at {number} samples.")
            if result.is_converged
            else _(
                "The ranking of the leading factors is not stable at {number} samples, the maximum."
            )
        )
        blocks.append(fill(text, number=result.design.samples))
    counts = {"points": points, "runs": experiment.spec.runs}
    uncertainty = _(
        "{points} points in the factors' ranges were simulated, {runs} runs each. Points that are "
        "compared with each other share random draws; all others have draws of their own. More "
        "points (--samples) narrow the intervals of indices; more runs (--runs) separate chance "
        "from effects. “until: settled” in the experiment file doubles the points, and the random "
        "draws with them, until the ranking of the leading factors is stable."
    )
    methods = _(
        "We analysed the influence of {factors} factors on {outcomes} by {method} at {points} "
        "points, with {runs} runs each."
    )
    return KindReport(
        [Section(first.name, first.title, *first.blocks, *blocks), *others],
        [
            fill(uncertainty, **counts),
            *([chance_table(found, labels)] if found else []),
            Note([*(floor_notes(found[0]) if found else []), chance_note()]),
        ],
        _(
            "The factors above are the assumptions that were varied, ranked by influence. Other "
            "assumptions are not ranked; they are listed below with their ranges."
        ),
        fill(
            methods, outcomes=name_outcomes(experiment), factors=len(experiment.factors),
            method=_(METHOD_TITLES[result.design.method]), **counts,
        ),
        {"indices": pd.concat([one.table() for one in found], ignore_index=True)} if found else {},
    )  # fmt: skip


def sensitivity_sections(
    found: Sequence[Indices],
    labels: Labels,
    *,
    curves: Mapping[str, Mapping[str, Curve]] | None = None,
) -> list[Section]:
    """Which factors matter for one or more outcomes; the answer comes first.

    ``curves`` are those of each outcome's factors, from one_at_a_time or ice.
    """
    tables = overview_tables(found, labels) if len(found) > 1 else []
    answer = [Headlines(headlines(found, labels))] if found else []
    first = Section("answer", _("Key findings"), *answer, *tables)
    return [
        first,
        *(
            outcome_section(indices, labels, (curves or {}).get(indices.outcome, {}), number)
            for number, indices in enumerate(found, 1)
        ),
    ]


def headlines(found: Sequence[Indices], labels: Labels) -> list[Headline]:
    """The key findings: what matters most, how certainly, and how much is chance."""
    clauses = [leading_clause(one, labels, is_first=one is found[0]) for one in found]
    leaders = {  # in brief: the sentence has what follows a comma
        labels.factor(one.order()[0]).split(",")[0]: None for one in found if has_leader(one)
    }
    brief = join_names(list(leaders)) or _("no factor above chance")
    text = f"{'; '.join(clauses)}."
    if any(has_few_points(one) for one in found):
        text += " " + few_points()
    lines = [Headline(_("Most influential factor"), capitalise(brief), text)]
    ranked = [one for one in found if has_leader(one) and is_ranked(one)]
    if ranked:
        text, clauses = _("“{factor}” ranks first for {outcome} in {share} of resamples"), []
        for one in ranked:
            factor, outcome = labels.factor(one.order()[0]), labels.outcome(one.outcome)
            clauses.append(fill(text, factor=factor, outcome=outcome, share=share_of(one)))
        brief = fill(
            _("first in {share} of resamples"), share=join_names(list(map(share_of, ranked)))
        )
        lines.append(Headline(_("Uncertainty"), capitalise(brief), f"{'; '.join(clauses)}."))
    return [*lines, chance_headline(found, labels)]


def chance_headline(found: Sequence[Indices], labels: Labels) -> Headline:
    """The share of the variance between single runs that is due to chance."""
    known = [one for one in found if math.isfinite(one.chance[0])]
    if not known:
        return Headline(_("Chance"), capitalise(_("unknown")), chance_unknown(found[0]))
    clause, clauses = _("{share} for {outcome} ({low} to {high})"), []
    for one in known:
        share, low, high = one.chance
        outcome = labels.outcome(one.outcome)
        clauses.append(fill(clause, share=share, low=low, high=high, outcome=outcome))
    text = _("Share of the variance between single runs due to chance: {shares}.")
    brief = join_names([percent(one.chance[0]) for one in known])
    return Headline(_("Chance"), brief, fill(text, shares="; ".join(clauses)))


def has_leader(indices: Indices) -> bool:
    """Whether any factor can be distinguished from one without effect, or there is none."""
    return not indices.leading.has_floor or bool(indices.leading.above.any())


def has_few_points(indices: Indices) -> bool:
    """Whether the largest index is not known to within its own size."""
    index, first = indices.leading, indices.units.index(indices.order()[0])
    width = index.high[first] - index.low[first]
    if math.isfinite(width):
        return bool(width >= index.value[first] > 0.0)
    return bool(index.has_floor and index.value[first] > 0.0 and not index.above[first])


def few_points() -> str:
    """What too few points mean, beside the numbers."""
    return _(
        "The points are too few: the largest index is not known to within its own size, so zeros "
        "and the order of factors say little. More points (--samples) narrow the intervals."
    )


def share_of(indices: Indices) -> str:
    """The share of resamples in which the first factor is first."""
    return percent(indices.stability(1).ordered)


def is_ranked(indices: Indices) -> bool:
    """Whether resamples show how certain the order of the factors is."""
    ranked = len(indices.units) - indices.has_dummy
    return ranked > 1 and math.isfinite(indices.stability(1).ordered)


def leading_clause(indices: Indices, labels: Labels, *, is_first: bool = True) -> str:
    """Name the leading factor, its share and uncertainty: a sentence without its end."""
    index, first = indices.leading, indices.units.index(indices.order()[0])
    outcome = labels.outcome(indices.outcome)
    outcome = capitalise(outcome) if is_first else outcome
    if not has_leader(indices):
        text = _("{outcome}: no factor can be distinguished from one without effect")
        return fill(text, outcome=outcome)
    scale = index_scale(indices, indices.main, labels)
    value, factor = scale.text(index.value[first]), labels.factor(indices.units[first])
    text = fill(_(LEADS[indices.method]), value=value, outcome=outcome, factor=factor)
    if math.isfinite(index.low[first]):
        interval = scale.interval(index.low[first], index.high[first])
        clause = _("({level} interval {interval})")
        text += " " + fill(clause, level=indices.level, interval=interval)
    return text


def summarise(indices: Indices, labels: Labels) -> str:
    """What one outcome depends on, in sentences."""
    index, order = indices.leading, indices.order()
    above = [name for name in order if index.above[indices.units.index(name)]]
    sentences = [f"{leading_clause(indices, labels)}."]
    if has_few_points(indices):
        sentences.append(few_points())
    if has_leader(indices):
        sentences.append(rank_sentence(indices, labels))
    if above and index.has_floor:
        text = ngettext(
            "{number} of {all} factors can be distinguished from one without effect.",
            "{number} of {all} factors can be distinguished from one without effect.",
            len(above),
        )
        sentences.append(fill(text, number=len(above), all=len(order)))
    return " ".join([*(text for text in sentences if text), chance_sentence(indices)])


def rank_sentence(indices: Indices, labels: Labels) -> str:
    """How often the first is first, and which others lead."""
    first, leading = indices.stability(1), indices.stability(LEADING)
    if not is_ranked(indices):
        return ""
    if round(first.ordered, 2) >= CERTAIN:  # as it is written
        text = _("It ranks first in {share} of resamples.")
    else:
        text = _("Its lead is uncertain: it ranks first in {share} of resamples.")
    if len(leading.units) > 1:
        text += " " + _("Next are {names}; the same {number} factors lead in {same} of resamples.")
    names = join_names([f"“{labels.factor(name)}”" for name in leading.units[1:]])
    number, same = len(leading.units), leading.same
    return fill(text, share=first.ordered, names=names, number=number, same=same)


def chance_sentence(indices: Indices) -> str:
    """How much of what differs between runs is chance."""
    if not math.isfinite(indices.chance[0]):
        return chance_unknown(indices)
    share, low, high = indices.chance
    text = _("Chance causes {share} of the variance between single runs ({low} to {high}).")
    return fill(text, share=share, low=low, high=high)


def chance_unknown(indices: Indices) -> str:
    """Why the share of chance is not known."""
    if indices.replicates < 2:
        return _("The role of chance is unknown, because each point has one outcome.")
    return _("The role of chance is unknown, because all points have the same random draws.")


@separate
def outcome_section(
    indices: Indices, labels: Labels, curves: Mapping[str, Curve], number: int
) -> Section:
    """All indices of one outcome, and its figures."""
    reading = "variety" if indices.method == "ice" else indices.main
    method = capitalise(_(METHOD_TITLES[indices.method]))
    design = _("{method}: {points} points in the factors’ ranges, {replicates} runs each.")
    fast = _(
        "Intervals come from a few curves with different phases. They do not show interference "
        "between frequencies; the noise floor does."
    )
    return Section(
        f"outcome-{number}",
        capitalise(labels.outcome(indices.outcome)),
        summarise(indices, labels),
        fill(design, method=method, points=indices.points, replicates=indices.replicates),
        _(READINGS[reading]),
        index_table(indices, labels),
        pair_table(indices, labels) if indices.pairs else None,
        *pictures(indices, labels, curves),
        Note([fast]) if indices.method == "fast" else None,
        Note(notes) if (notes := share_notes(indices)) else None,
    )


def pictures(indices: Indices, labels: Labels, curves: Mapping[str, Curve]) -> list[Picture]:
    """The figures of one outcome."""
    made = [
        (
            partial(index_bars, indices, labels),
            _("{outcome}: influence of each factor."),
            _("The most influential factors, with intervals."),
        )
    ]
    if indices.method == "morris" and np.isfinite(indices.found["sigma"].value).any():
        alt = _("{outcome}: size and unevenness of the effects of factors.")
        caption = _(
            "Right: a larger effect. Above the line: the effect varies by more than its size, "
            "because it is nonlinear or depends on other factors."
        )
        made.append((partial(morris_plane, indices, labels), alt, caption))
    if curves:
        alt = _("{outcome}: effect of the ends of each factor’s range.")
        caption = _(
            "Changes from the middle of the range, with {level} intervals. The pale bar spans the "
            "lowest to the highest outcome in the range."
        )
        made.append((partial(tornado, indices, curves, labels), alt, caption))
        captions = [
            _("The most influential factors over their ranges. Line: mean; band: its interval.")
        ]
        if indices.method == "ice":
            text = _(
                "Thin lines: single points with random values of all other factors, shifted to the "
                "same level."
            )
            captions.append(text)
        if DUMMY in curves:
            captions.append(_("Grey: what a factor without effect reaches."))
        alt = _("{outcome} as a function of each factor.")
        made.append((partial(ice, indices, curves, labels), alt, " ".join(captions)))
    rest = rest_of(indices)
    made = [(figure, alt, f"{caption} {rest}".strip()) for figure, alt, caption in made]
    if len(indices.steps) > 1:
        alt = _("{outcome}: convergence of the indices as points are added.")
        caption = _(
            "Results from the first points alone, doubling at each step. Where lines are level and "
            "apart, more points would change little. Intervals of the first step may exceed the "
            "figure."
        )
        made.append((partial(convergence, indices, labels), alt, caption))
    outcome, level = capitalise(labels.outcome(indices.outcome)), indices.level
    return [Picture(*picture, outcome=outcome, level=level) for picture in made]


def rest_of(indices: Indices) -> str:
    """How many factors a figure leaves out."""
    left = len(indices.order()) - SHOWN
    if left <= 0:
        return ""
    text = ngettext(
        "{number} factor with a smaller index is in the table.",
        "{number} factors with smaller indices are in the table.",
        left,
    )
    return fill(text, number=left)


# Tables -----------------------------------------------------------------------------------------


def index_cell(indices: Indices, index: Index, u: int, scale: Scale) -> Cell:
    """An index with its interval."""
    below = scale.interval(index.low[u], index.high[u])
    below = "" if below == UNDEFINED else below
    return Cell(scale.bare(index.value[u]), below, verdict=index_verdict(indices, index, u))


def index_table(indices: Indices, labels: Labels) -> Table:
    """All indices of all factors, the dummy last."""
    scales = {name: index_scale(indices, name, labels) for name in indices.found}
    dummy = [len(indices.units) - 1] if indices.has_dummy else []
    rows = [
        (
            capitalise(labels.factor(indices.units[u])),
            *(index_cell(indices, index, u, scales[name]) for name, index in indices.found.items()),
        )
        for u in (*leading_units(indices), *dummy)
    ]
    head = [_("Factor"), *(index_title(name, scale) for name, scale in scales.items())]
    caption = _("{outcome}: influence of factors, with {level} intervals")
    outcome = capitalise(labels.outcome(indices.outcome))
    return Table(fill(caption, outcome=outcome, level=indices.level), head, rows)


def pair_table(indices: Indices, labels: Labels) -> Table:
    """Pairs of factors that do most together."""
    pairs = [pair for pair in indices.pairs if DUMMY not in pair[:2]][:PAIRS]
    values = np.array([pair[2:] for pair in pairs])
    errors = (values[:, 2] - values[:, 1]) / 2.0
    scale = choose_index_scale(indices.outcome, "S2", values[:, 0], errors, labels)
    rows = []
    for pair in pairs:
        one, other = capitalise(labels.factor(pair.one)), labels.factor(pair.other)
        verdict = DIFFERENT if pair.low > 0.0 else UNDECIDED
        cell = interval_cell(scale, *pair[2:5], verdict=verdict)
        rows.append((fill(_("{one} and {other}"), one=one, other=other), cell))
    caption = _("Strongest interactions of two factors: ◆ interval above 0, ○ not above")
    return Table(caption, [_("Pair"), index_title("S2", scale)], rows)


def overview_tables(found: Sequence[Indices], labels: Labels) -> list[Table]:
    """The main index of every factor for every outcome, a few outcomes beside each other."""
    tables = []
    for some in in_groups(found, ACROSS):
        scales = [index_scale(indices, indices.main, labels) for indices in some]
        rows = [
            (
                capitalise(labels.factor(name)),
                *(
                    index_cell(indices, indices.leading, indices.units.index(name), scale)
                    for indices, scale in zip(some, scales, strict=True)
                ),
            )
            for name in overview_order(some)
        ]
        heads = [labels.head(one.outcome, s) for one, s in zip(some, scales, strict=True)]
        caption = fill(_("{index}, for each outcome"), index=_(INDEX_TITLES[some[0].main]))
        tables.append(Table(caption, [_("Factor"), *heads], rows))
    return tables


def overview_order(found: Sequence[Indices]) -> list[str]:
    """Factors by their best rank for any outcome, then by their mean rank."""
    orders = [indices.order() for indices in found]
    ranks = {name: [order.index(name) for order in orders] for name in orders[0]}
    return sorted(ranks, key=lambda name: (min(ranks[name]), sum(ranks[name])))


def chance_table(found: Sequence[Indices], labels: Labels) -> Table:
    """The role of chance and the stability of the ranking, outcome by outcome."""
    rows = []
    for indices in found:
        leading = indices.stability(LEADING)
        names = join_names(list(map(labels.factor, leading.units))) or UNDEFINED
        cells = indices.chance_left, names, leading.same, leading.ordered
        outcome = capitalise(labels.outcome(indices.outcome))
        share, low, high = map(percent, indices.chance)
        interval = "" if UNDEFINED in (low, high) else format_interval(low, high)
        rows.append((outcome, Cell(share, interval), *cells))
    head = [
        _("Outcome"), _("Chance in single runs"), _("Chance in means of runs"),
        _("Leading factors"), _("Same factors (share of resamples)"),
        _("Same order (share of resamples)"),
    ]  # fmt: skip
    return Table(_("Role of chance, and stability of the ranking"), head, rows, prose=True)


def surrogate_table(surrogates: Mapping[str, Surrogate], labels: Labels) -> Table:
    """The accuracy of surrogates on points that they were not fitted to, outcome by outcome."""
    kinds = {
        "gaussian process": _("Gaussian process"), "gradient boosting": _("gradient boosting"),
    }  # fmt: skip
    rows = []
    for name, one in surrogates.items():
        quality = one.quality
        scale = labels.scale(name, np.array([quality.rmse]), difference=True)
        errors = decimal(quality.r2, 2), scale.text(quality.rmse), quality.coverage
        rows.append((capitalise(labels.outcome(name)), kinds[one.kind], one.points, *errors))
    head = [
        _("Outcome"), _("Surrogate"), _("Points"), "R²", _("Typical error"),
        _("Within their 95% interval"),
    ]  # fmt: skip
    return Table(_("Accuracy of surrogates on points held out from fitting"), head, rows)
