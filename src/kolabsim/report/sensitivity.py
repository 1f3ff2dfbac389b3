"""What a sensitivity analysis says: the answer in sentences, and its tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kolabsim.analysis.sensitivity import Curve, Index, Indices
from kolabsim.analysis.statistics import DIFFERENT, UNDECIDED, Interval
from kolabsim.figures.formatting import UNDEFINED, Scale, count, decimal, percent
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
from kolabsim.i18n import N_, _, ngettext
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
    texts,
)
from kolabsim.report.wording import join_names, name_outcomes
from kolabsim.study.design import DUMMY

if TYPE_CHECKING:
    from kolabsim.analysis.sensitivity import SensitivityResult
    from kolabsim.analysis.surrogate import Surrogate
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.spec import SensitivitySpec

SURE = 0.9
"""Share of resamples that must agree before a ranking is called sure."""
ACROSS = 5
"""Most outcomes beside each other in a table."""
PAIRS = 10
"""Most pairs of factors in a table."""

METHOD_TITLES = {
    "morris": N_("elementary effects (Morris)"),
    "sobol": N_("shares of the variance (Sobol)"),
    "fast": N_("shares of the variance by frequencies (FAST)"),
    "rbd_fast": N_("shares of the variance by frequencies (RBD-FAST)"),
    "delta": N_("shift of the distribution (delta)"),
    "pawn": N_("distance of distributions (PAWN)"),
    "one_at_a_time": N_("one factor at a time"),
    "ice": N_("one factor at a time around many points"),
    "factorial": N_("changes of single factors with all others drawn at random"),
}
READINGS = {
    "ST": N_(
        "The total effect is the share of the variance that a factor influences, alone or with "
        "others; the main effect is the share that it determines alone. The difference comes "
        "from interactions, so total effects may add up to more than 100%."
    ),
    "S1": N_("The main effect is the share of the variance that a factor determines alone."),
    "mu_star": N_(
        "The effect is the change of the outcome if a factor moved over its whole range, "
        "estimated from steps of two thirds of it. Its unevenness is the standard deviation of "
        "the effect: where it is as large as the effect, the effect is nonlinear or depends on "
        "other factors."
    ),
    "delta": N_(
        "The shift is how far the distribution of the outcome moves once a factor is known: 0 "
        "not at all, 1 completely."
    ),
    "median": N_(
        "The distance is the largest one between the cumulative distribution of the outcome "
        "and its distribution within a tenth of the factor’s range: 0 none, 1 complete. Chance "
        "alone keeps it above 0."
    ),
    "range": N_(
        "The range goes from the lowest to the highest outcome as one factor moves from end to "
        "end and all others stay fixed. It does not show interactions."
    ),
    "variety": N_(
        "The range goes from the lowest to the highest outcome along a factor’s curve, "
        "averaged over points with random values of all other factors. Where curves differ, "
        "the effect of the factor depends on the others."
    ),
    "absolute": N_(
        "A change is the change of the outcome when a factor moves by half of its range, or a "
        "choice switches to another option, while all other factors keep random values."
    ),
}
ANSWERS = {
    "sobol": N_("{outcome} depends most on “{factor}”, which influences {value} of the variance"),
    "fast": N_("{outcome} depends most on “{factor}”, which influences {value} of the variance"),
    "rbd_fast": N_(
        "{outcome} depends most on “{factor}”, which alone determines {value} of the variance"
    ),
    "morris": N_("{outcome} depends most on “{factor}”, with a change of {value} over its range"),
    "delta": N_(
        "{outcome} depends most on “{factor}”; knowing it shifts the distribution by {value}"
    ),
    "pawn": N_(
        "{outcome} depends most on “{factor}”, with a distance between distributions of {value}"
    ),
    "one_at_a_time": N_("{outcome} depends most on “{factor}”, with a range of {value}"),
    "ice": N_("{outcome} depends most on “{factor}”, with a range of {value}"),
    "factorial": N_(
        "{outcome} depends most on “{factor}”; changing it changes the outcome by {value}"
    ),
}
"""The first half of an answer, before its interval."""


# The report -------------------------------------------------------------------------------------


def report(experiment: Experiment[SensitivitySpec], answer: SensitivityResult) -> KindReport:
    """What the report of a sensitivity analysis says that others do not."""
    words, points = Labels.from_experiment(experiment), len(answer.study.table)
    first, *others = sensitivity_sections(answer.indices, words, curves=answer.curves)
    blocks: list[Block] = []
    if answer.surrogates:
        text = _(
            "These are indices of a surrogate that was fitted to {number} simulated points, "
            "not of the model itself; they are as good as the surrogate."
        )
        blocks += [text.format(number=count(points)), surrogate_table(answer.surrogates, words)]
    if answer.is_converged is not None:
        text = (
            _("The ranking of the leading factors is stable at {number} samples.")
            if answer.is_converged
            else _(
                "The ranking of the leading factors is not stable at {number} samples, the maximum."
            )
        )
        blocks.append(text.format(number=count(answer.design.samples)))
    counts = {"points": count(points), "runs": count(experiment.spec.runs)}
    uncertainty = _(
        "{points} points in the factors' ranges were simulated, {runs} runs each with common "
        "random numbers. More points (--samples) narrow the intervals of indices; more runs "
        "(--runs) separate chance from effects. “until: settled” in the file of the experiment "
        "doubles the points until the ranking of the leading factors is stable."
    )
    methods = _(
        "We analysed how {outcomes} depends on {factors} factors by {method} at {points} "
        "points, with {runs} runs each."
    )
    return KindReport(
        [Section(first.name, first.title, *first.blocks, *blocks), *others],
        [
            uncertainty.format(**counts),
            chance_table(answer.indices, words),
            Note([*floor_notes(answer.indices[0]), chance_note()]),
        ],
        _(
            "The factors above are the assumptions that were varied, ranked by influence. "
            "Other assumptions are not ranked; they are listed below with their ranges."
        ),
        methods.format(
            outcomes=name_outcomes(experiment),
            factors=count(len(experiment.factors)),
            method=_(METHOD_TITLES[answer.design.method]),
            **counts,
        ),
        {"indices": pd.concat([one.table() for one in answer.indices], ignore_index=True)},
    )


def sensitivity_sections(
    found: Sequence[Indices],
    words: Labels,
    *,
    curves: Mapping[str, Mapping[str, Curve]] | None = None,
) -> list[Section]:
    """Which factors matter for one or more outcomes; the answer comes first.

    ``curves`` are those of each outcome's factors, from one_at_a_time or ice.
    """
    tables = overview_tables(found, words) if len(found) > 1 else []
    first = Section("answer", _("Key findings"), Headlines(headlines(found, words)), *tables)
    return [
        first,
        *(
            outcome_section(indices, words, (curves or {}).get(indices.outcome, {}), number)
            for number, indices in enumerate(found, 1)
        ),
    ]


def headlines(found: Sequence[Indices], words: Labels) -> list[Headline]:
    """The answer in three sentences: what matters most, how surely, and how much is chance."""
    leaders = {  # in few words: what follows a comma is in the sentence
        words.factor(one.order()[0]).split(",")[0]: None for one in found if has_leader(one)
    }
    said = [leading_clause(one, words, is_first=one is found[0]) for one in found]
    told = [
        Headline(
            _("Most influential factor"),
            capitalise(join_names(list(leaders)) or _("no factor above chance")),
            f"{'; '.join(said)}.",
        )
    ]
    ranked = [one for one in found if has_leader(one) and is_ranked(one)]
    sure = [(one, percent(one.stability(1).ordered)) for one in ranked]
    if sure:
        text = _("“{factor}” ranks first for {outcome} in {share} of resamples")
        said = [
            text.format(
                factor=words.factor(one.order()[0]), outcome=words.outcome(one.outcome), share=share
            )
            for one, share in sure
        ]
        brief = _("first in {share} of resamples")
        brief = brief.format(share=join_names([share for _one, share in sure]))
        told.append(Headline(_("Uncertainty"), capitalise(brief), f"{'; '.join(said)}."))
    known = [one for one in found if math.isfinite(one.chance[0])]
    if not known:
        text = _("The role of chance is unknown, because each point was run once.")
        return [*told, Headline(_("Chance"), capitalise(_("unknown")), text)]
    said = [
        _("{share} for {outcome} ({low} to {high})").format(
            share=percent(one.chance[0]), low=percent(one.chance[1]), high=percent(one.chance[2]),
            outcome=words.outcome(one.outcome),
        )
        for one in known
    ]  # fmt: skip
    text = _("Share of the variance between single runs due to chance: {shares}.")
    brief = join_names([percent(one.chance[0]) for one in known])
    return [*told, Headline(_("Chance"), brief, text.format(shares="; ".join(said)))]


def has_leader(indices: Indices) -> bool:
    """Whether any factor can be told from one that changes nothing, or none was added."""
    return not indices.leading.has_floor or bool(indices.leading.above.any())


def is_ranked(indices: Indices) -> bool:
    """Whether resamples say how sure the order of the factors is."""
    ranked = len(indices.units) - indices.has_dummy
    return ranked > 1 and math.isfinite(indices.stability(1).ordered)


def leading_clause(indices: Indices, words: Labels, *, is_first: bool = True) -> str:
    """What an outcome depends on most, by how much, and how surely: a sentence without its end."""
    index, first = indices.leading, indices.units.index(indices.order()[0])
    outcome = words.outcome(indices.outcome)
    filled = {
        "outcome": capitalise(outcome) if is_first else outcome,
        "factor": words.factor(indices.units[first]),
    }
    if not has_leader(indices):
        text = _("{outcome}: no factor can be distinguished from an inert one")
        return text.format(**filled)
    scale = index_scale(indices, indices.main, words)
    text = _(ANSWERS[indices.method]).format(value=scale.text(index.value[first]), **filled)
    if math.isfinite(index.low[first]):
        text += " " + _("({level} interval {interval})").format(
            level=percent(indices.level),
            interval=scale.interval(index.low[first], index.high[first]),
        )
    return text


def answer(indices: Indices, words: Labels) -> str:
    """What one outcome depends on, in sentences."""
    index, order = indices.leading, indices.order()
    above = [name for name in order if index.above[indices.units.index(name)]]
    sentences = [f"{leading_clause(indices, words)}."]
    if has_leader(indices):
        sentences.append(sureness(indices, words))
    if above and index.has_floor:
        text = ngettext(
            "{number} of {all} factors can be distinguished from an inert one.",
            "{number} of {all} factors can be distinguished from an inert one.",
            len(above),
        )
        sentences.append(text.format(number=count(len(above)), all=count(len(order))))
    return " ".join([*(text for text in sentences if text), chance_sentence(indices)])


def sureness(indices: Indices, words: Labels) -> str:
    """How often the first is first, and which others lead."""
    first, leading = indices.stability(1), indices.stability(LEADING)
    if not is_ranked(indices):
        return ""
    filled = {
        "share": percent(first.ordered),
        "names": join_names([f"“{words.factor(name)}”" for name in leading.units[1:]]),
        "same": percent(leading.same),
        "number": count(len(leading.units)),
    }
    if round(first.ordered, 2) >= SURE:  # as it is written
        text = _("It ranks first in {share} of resamples.")
    else:
        text = _("Its lead is uncertain: it ranks first in {share} of resamples.")
    if len(leading.units) > 1:
        text += " " + _("Next are {names}; the same {number} factors lead in {same} of resamples.")
    return text.format(**filled)


def chance_sentence(indices: Indices) -> str:
    """How much of what differs between runs is chance."""
    if not math.isfinite(indices.chance[0]):
        return _("The role of chance is unknown, because each point was run once.")
    share, low, high = (percent(value) for value in indices.chance)
    text = _("Chance causes {share} of the variance between single runs ({low} to {high}).")
    return text.format(share=share, low=low, high=high)


def floor_notes(indices: Indices) -> list[str]:
    """What the noise floor is."""
    if indices.has_dummy and not indices.leading.has_floor:
        return [_("Each point was run once, so there are no intervals and no noise floor.")]
    if not indices.has_dummy:
        return [_("The design has no inert factor, so there is no noise floor.")]
    notes = [
        _(
            "The noise floor is the upper end of the interval of an inert factor. Factors "
            "whose intervals lie above it are marked ◆; those marked ○ cannot be distinguished "
            "from it."
        )
    ]
    if indices.common:
        notes.append(
            _(
                "Runs use the same random draws at all points, so an inert factor has no "
                "effect at all: any factor above the noise floor has an effect, however small."
            )
        )
    return notes


def chance_note() -> str:
    """What resamples say and what they do not."""
    return _(
        "Intervals and resamples redraw the points of the design: they show how much a new "
        "sample would differ, not how well the model matches the world. All results hold "
        "within the given ranges of the factors."
    )


def outcome_section(
    indices: Indices, words: Labels, curves: Mapping[str, Curve], number: int
) -> Section:
    """All indices of one outcome, and its figures."""
    reading = "variety" if indices.method == "ice" else indices.main
    text = _("{method}: {points} points in the factors’ ranges, {replicates} runs each.")
    paragraphs = [
        answer(indices, words),
        text.format(
            method=capitalise(_(METHOD_TITLES[indices.method])),
            points=count(indices.points),
            replicates=count(indices.replicates),
        ),
        _(READINGS[reading]),
    ]
    notes = []
    if indices.method == "fast":
        notes.append(
            _(
                "Intervals come from a few curves with different phases. They do not show "
                "interference between frequencies; the noise floor does."
            )
        )
    return Section(
        f"outcome-{number}",
        capitalise(words.outcome(indices.outcome)),
        *paragraphs,
        index_table(indices, words),
        pair_table(indices, words) if indices.pairs else None,
        *pictures(indices, words, curves),
        Note(notes) if notes else None,
    )


def pictures(indices: Indices, words: Labels, curves: Mapping[str, Curve]) -> list[Picture]:
    """The figures of one outcome."""
    outcome = capitalise(words.outcome(indices.outcome))
    made = [
        Picture(
            index_bars(indices, words),
            _("{outcome}: influence of each factor.").format(outcome=outcome),
            " ".join([_("The most influential factors, with intervals."), rest_of(indices)]),
        )
    ]
    if indices.method == "morris" and np.isfinite(indices.found["sigma"].value).any():
        caption = _(
            "Right: a larger effect. Above the line: the effect varies by more than its size, "
            "because it is nonlinear or depends on other factors."
        )
        made.append(
            Picture(
                morris_plane(indices, words),
                _("{outcome}: size and unevenness of the effects of factors.").format(
                    outcome=outcome
                ),
                " ".join([caption, rest_of(indices)]),
            )
        )
    if curves:
        made.append(
            Picture(
                tornado(indices, curves, words),
                _("{outcome}: effect of the ends of each factor’s range.").format(outcome=outcome),
                " ".join(
                    [
                        _(
                            "Changes from the middle of the range, with {level} intervals. The "
                            "pale bar spans the lowest to the highest outcome in the range."
                        ).format(level=percent(indices.level)),
                        rest_of(indices),
                    ]
                ),
            )
        )
        text = _("{outcome} as a function of each factor.").format(outcome=outcome)
        caption = _(
            "The most influential factors over their ranges. Line: mean; band: its interval."
        )
        if indices.method == "ice":
            caption += " " + _(
                "Thin lines: single points with random values of all other factors, shifted to "
                "the same level."
            )
        if DUMMY in curves:
            caption += " " + _("Grey: what an inert factor reaches.")
        made.append(Picture(ice(indices, curves, words), text, f"{caption} {rest_of(indices)}"))
    if len(indices.steps) > 1:
        caption = _(
            "Results from the first points alone, doubling at each step. Where lines are level "
            "and apart, more points would change little. Intervals of the first step may "
            "exceed the figure."
        )
        text = _("{outcome}: convergence of the indices as points are added.").format(
            outcome=outcome
        )
        made.append(Picture(convergence(indices, words), text, caption))
    return made


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
    return text.format(number=count(left))


# Tables -----------------------------------------------------------------------------------------


def index_cell(indices: Indices, index: Index, u: int, scale: Scale) -> Cell:
    """An index with its interval."""
    below = scale.interval(index.low[u], index.high[u])
    below = "" if below == UNDEFINED else below
    return Cell(scale.bare(index.value[u]), below, verdict=index_verdict(indices, index, u))


def index_table(indices: Indices, words: Labels) -> Table:
    """All indices of all factors, the dummy last."""
    scales = {name: index_scale(indices, name, words) for name in indices.found}
    dummy = [len(indices.units) - 1] if indices.has_dummy else []
    rows = [
        (
            capitalise(words.factor(indices.units[u])),
            [index_cell(indices, index, u, scales[name]) for name, index in indices.found.items()],
        )
        for u in (*leading_units(indices), *dummy)
    ]
    head = [_("Factor"), *(index_title(name, scale) for name, scale in scales.items())]
    caption = _("{outcome}: influence of factors, with {level} intervals").format(
        outcome=capitalise(words.outcome(indices.outcome)), level=percent(indices.level)
    )
    return Table(caption, head, rows)


def pair_table(indices: Indices, words: Labels) -> Table:
    """Pairs of factors that do most together."""
    pairs = [pair for pair in indices.pairs if DUMMY not in pair[:2]][:PAIRS]
    values = np.array([pair[2:] for pair in pairs])
    errors = (values[:, 2] - values[:, 1]) / 2.0
    scale = choose_index_scale(indices.outcome, "S2", values[:, 0], errors, words)
    rows = [
        (
            _("{one} and {other}").format(
                one=capitalise(words.factor(pair.one)), other=words.factor(pair.other)
            ),
            [
                interval_cell(
                    scale,
                    pair.value,
                    pair.low,
                    pair.high,
                    verdict=DIFFERENT if pair.low > 0.0 else UNDECIDED,
                )
            ],
        )
        for pair in pairs
    ]
    caption = _("Strongest interactions of two factors: ◆ interval above 0, ○ not above")
    return Table(caption, [_("Pair"), index_title("S2", scale)], rows)


def overview_tables(found: Sequence[Indices], words: Labels) -> list[Table]:
    """The main index of every factor for every outcome, a few outcomes beside each other."""
    tables = []
    parts = math.ceil(len(found) / ACROSS)
    for k in range(parts):
        some = found[k * len(found) // parts : (k + 1) * len(found) // parts]
        scales = [index_scale(indices, indices.main, words) for indices in some]
        rows = [
            (
                capitalise(words.factor(name)),
                [
                    index_cell(indices, indices.leading, indices.units.index(name), scale)
                    for indices, scale in zip(some, scales, strict=True)
                ],
            )
            for name in overview_order(some)
        ]
        head = [
            _("Factor"),
            *(
                f"{capitalise(words.outcome(indices.outcome))} ({scale.label})"
                if scale.label
                else capitalise(words.outcome(indices.outcome))
                for indices, scale in zip(some, scales, strict=True)
            ),
        ]
        caption = _("{index}, for each outcome").format(index=_(INDEX_TITLES[some[0].main]))
        tables.append(Table(caption, head, rows))
    return tables


def overview_order(found: Sequence[Indices]) -> list[str]:
    """Factors by their best rank for any outcome, then by their mean rank."""
    orders = [indices.order() for indices in found]
    ranks = {name: [order.index(name) for order in orders] for name in orders[0]}
    return sorted(ranks, key=lambda name: (min(ranks[name]), sum(ranks[name])))


def chance_table(found: Sequence[Indices], words: Labels) -> Table:
    """How much is chance, and how sure the ranking is, outcome by outcome."""
    rows = []
    for indices in found:
        leading = indices.stability(LEADING)
        rows.append(
            (
                capitalise(words.outcome(indices.outcome)),
                [
                    share_cell(indices.chance),
                    Cell(percent(indices.chance_left)),
                    Cell(join_names([words.factor(name) for name in leading.units]) or UNDEFINED),
                    Cell(percent(leading.same)),
                    Cell(percent(leading.ordered)),
                ],
            )
        )
    head = [
        _("Outcome"), _("Chance in single runs"), _("Chance in means of runs"),
        _("Leading factors"), _("Same factors (share of resamples)"), _(
            "Same order (share of resamples)"
        ),
    ]  # fmt: skip
    return Table(_("Role of chance, and stability of the ranking"), head, rows, prose=True)


def share_cell(values: Interval) -> Cell:
    """A share with its interval."""
    share, low, high = (percent(value) for value in values)
    if UNDEFINED in (low, high):
        return Cell(share)
    return Cell(share, _("{low} to {high}").format(low=low, high=high))


def surrogate_table(surrogates: Mapping[str, Surrogate], words: Labels) -> Table:
    """How well surrogates foretell points that they were not fitted to, outcome by outcome."""
    kinds = {
        "gaussian process": _("Gaussian process"), "gradient boosting": _("gradient boosting"),
    }  # fmt: skip
    rows = []
    for name, one in surrogates.items():
        scale = words.scale(name, np.array([one.quality.rmse]), difference=True)
        rows.append(
            (
                capitalise(words.outcome(name)),
                texts(
                    kinds[one.kind],
                    count(one.points),
                    decimal(one.quality.r2, 2),
                    scale.text(one.quality.rmse),
                    percent(one.quality.coverage),
                ),
            )
        )
    head = [
        _("Outcome"), _("Surrogate"), _("Points"), "R²", _("Typical error"),
        _("Within their 95% interval"),
    ]  # fmt: skip
    return Table(_("Accuracy of surrogates on points held out from fitting"), head, rows)
