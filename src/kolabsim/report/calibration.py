"""The page on a calibration to a user's own evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.statistics import BETTER, CRITERIA, UNDECIDED, WORSE
from kolabsim.errors import Problem
from kolabsim.figures.calibration import axis_title, chosen_numbers, posteriors, predictions
from kolabsim.figures.formatting import UNDEFINED, format_interval, percent, significant
from kolabsim.i18n import _, language, ngettext
from kolabsim.report.html import write_page
from kolabsim.report.page import (
    Cell,
    Folded,
    Headline,
    Headlines,
    Note,
    Page,
    Picture,
    Section,
    Table,
    separate,
)
from kolabsim.report.provenance import reproduction_section
from kolabsim.report.scorecard import expected_text
from kolabsim.report.wording import fill, join_names
from kolabsim.validation.facts import CALIBRATION
from kolabsim.validation.predictive import PRIOR, find_conflicts
from kolabsim.validation.sampling import FORGOTTEN

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.validation.calibration import Calibration, Identified
    from kolabsim.validation.evidence import Evidence
    from kolabsim.validation.predictive import Prediction

PANELS = 12
"""Most parameters whose distribution is drawn."""
LEVEL = 0.05
"""Level of the test by which a number counts as narrowed, before it is divided by their number."""


def write_calibration(
    found: Calibration,
    predicted: Sequence[Prediction],
    scenario: Scenario,
    path: Path,
    *,
    lines: Sequence[str],
    facts: Mapping[str, object],
) -> Path:
    """Write the page, and its tables for Excel where that is possible.

    ``lines`` stand under the title; ``facts`` are how the results came about.
    """
    sections = [
        answer_section(found, predicted, scenario),
        parameter_section(found, scenario),
        fact_section(found, predicted),
        conflict_section(found),
        reproduction_section(facts, methods(found, facts)),
    ]
    title = fill(_("Your own evidence: {scenario}"), scenario=scenario.title(language()))
    return write_page(Page(title, sections, lines=lines), path, workbook=True)


# Key findings -----------------------------------------------------------------------------------


def narrowed(found: Calibration) -> dict[str, Identified]:
    """The numbers that the facts narrow: by the test, at its level over their number."""
    every = found.identified
    level = LEVEL / max(len(every), 1)
    return {name: one for name, one in every.items() if one.p < level}


@separate
def answer_section(
    found: Calibration, predicted: Sequence[Prediction], scenario: Scenario
) -> Section:
    """What was found, in three sentences, and how to read it."""
    heads = [sets_headline(found), narrowed_headline(found, scenario), *held_headline(predicted)]
    notes = [
        _(
            "The experiments of this scenario draw their plausible futures from these sets. They "
            "agree with your facts; they were not asked to agree with the published facts by which "
            "the model was calibrated before."
        ),
    ]
    if found.evidence.is_chosen:
        notes.append(
            _(
                "Only the settings that you named vary in these sets; all others stay at their "
                "defaults, so that ranges of experiments leave out what they might do."
            )
        )
    return Section("answer", _("Key findings"), Headlines(heads), Note(notes), unfinished(found))


def sets_headline(found: Calibration) -> Headline:
    """How many sets agree, of how many."""
    number, judged = len(found.points), found.population.judged
    text = ngettext(
        "{number} of {all} judged parameter sets agree with {facts} fact for calibration.",
        "{number} of {all} judged parameter sets agree with all {facts} facts for calibration.",
        len(found.facts),
    )
    brief = fill(_("{number} sets agree"), number=number)
    text = fill(text, number=number, all=judged, facts=len(found.facts))
    return Headline(_("Plausible futures"), brief, text)


def narrowed_headline(found: Calibration, scenario: Scenario) -> Headline:
    """Which numbers the facts narrow."""
    these, every = narrowed(found), len(found.numbers) + len(free_numbers(found))
    brief = fill(_("{number} of {all} numbers narrowed"), number=len(these), all=every)
    text = _("The facts narrow {number} of the {all} numbers that vary: {names}.")
    names = join_names([axis_title(scenario, name) for name in these])
    if not these:
        text = _("The facts narrow none of the {all} numbers that vary.")
    return Headline(
        _("What the facts identify"), brief,
        fill(text, number=len(these), all=every, names=names),
    )  # fmt: skip


def held_headline(predicted: Sequence[Prediction]) -> Iterable[Headline]:
    """How many of the held-out facts hold, if there are any."""
    held = [one for one in predicted if one.fact.use != CALIBRATION]
    if not held:
        return
    number = sum(one.holds is True for one in held)
    text = _(
        "{number} of {all} held-out facts hold in at least {share} of the sets; nothing was fitted "
        "to them."
    )
    text = fill(text, number=number, all=len(held), share=CRITERIA.likely)
    brief = fill(_("{number} of {all} hold"), number=number, all=len(held))
    yield Headline(_("Held-out facts"), brief, text)


def unfinished(found: Calibration) -> Note | None:
    """That the search ended at its limit, if it did."""
    if found.population.is_done:
        return None
    text = _(
        "The search ended at its limit: the sets are fewer than asked for, or still resemble their "
        "start. The same command with a larger --most continues it."
    )
    return Note([text], is_alarm=True)


# Parameters -------------------------------------------------------------------------------------


def free_numbers(found: Calibration) -> list[str]:
    """Numbers that change no fact."""
    return [axis.name for axis in found.evidence.free if not axis.words]


@separate
def parameter_section(found: Calibration, scenario: Scenario) -> Section:
    """What is left of each range, and what the facts do not identify."""
    these = narrowed(found)
    text = _(
        "Before calibration, every value of a range was as plausible as any other. A number counts "
        "as narrowed if a Kolmogorov-Smirnov test tells the sets from a uniform draw (p below "
        "{level}, which is {whole} over the {number} numbers searched). All others are not "
        "identified: facts on something else are needed to learn about them."
    )
    every = len(found.numbers)
    text = fill(
        text, level=significant(LEVEL / max(every, 1), 2), whole=significant(LEVEL, 2), number=every
    )
    blocks: list[object] = [text]
    if every:
        picture = Picture(
            partial(posteriors, found, scenario, most=PANELS),
            _("Bars: share of the sets over the range of each of {number} numbers."),
            _(
                "What the facts leave of each range. Dotted lines are defaults; the numbers that "
                "the facts narrow most come first."
            ),
            name="posteriors", number=min(every, PANELS),
        )  # fmt: skip
        blocks += [picture, number_table(found, scenario, these)]
    if any(axis.words for axis in found.axes):
        blocks.append(structure_table(found, scenario))
    if found.evidence.free:
        names = [axis_title(scenario, axis.name) for axis in found.evidence.free]
        free = _(
            "{number} settings change none of the facts for calibration at either end of their "
            "range, so the facts cannot narrow them. They vary over their whole range in the sets:"
        )
        blocks.append(
            Folded(
                _("Settings that change no fact"),
                [fill(free, number=len(names)), "; ".join(names)],
            )
        )
    return Section("parameters", _("Parameters before and after"), *blocks)  # type: ignore[arg-type]


def number_table(found: Calibration, scenario: Scenario, these: Mapping[str, Identified]) -> Table:
    """The range of each number before and after, and the facts that narrow it."""
    effects, every = found.effects, found.identified
    rows = []
    for k in chosen_numbers(found, len(found.numbers)):
        axis, one = found.axes[k], every[found.axes[k].name]
        low, middle, high = (
            significant(float(axis.at(float(u))))
            for u in np.quantile(found.points[:, k], (0.05, 0.5, 0.95))
        )
        strong = np.argsort(-np.abs(effects[:, k]), kind="stable")[:3]
        names = ", ".join(found.facts[f].id for f in strong if effects[f, k])
        is_narrow = axis.name in these
        rows.append((
            Cell(axis_title(scenario, axis.name), remark=axis.name),
            format_interval(significant(axis.low), significant(axis.high)),
            Cell(middle, below=format_interval(low, high)),
            Cell(percent(one.left), remark=_("narrowed") if is_narrow else _("not identified")),
            f"{one.p:.1g}" if one.p >= 0.001 else "< 0.001",
            names or UNDEFINED,
        ))  # fmt: skip
    head = [
        _("Setting"), _("Before"), _("Median and middle 90% after"), _("Remaining range"), "p",
        _("Facts that move it"),
    ]  # fmt: skip
    return Table(_("Numbers before and after calibration"), head, rows, prose=True)


def structure_table(found: Calibration, scenario: Scenario) -> Table:
    """The share of the sets with each form of each structure."""
    rows = [
        (
            axis_title(scenario, name),
            ", ".join(f"{word} {percent(share)}" for word, share in shares.items()),
        )
        for name, shares in found.shares.items()
    ]
    title = _("Structures: half of all sets were drawn with the default, which comes first")
    return Table(title, [_("Structure"), _("Share of sets")], rows, prose=True)


# Facts ------------------------------------------------------------------------------------------


@separate
def fact_section(found: Calibration, predicted: Sequence[Prediction]) -> Section:
    """What was predicted of each fact before and after, and whether held-out facts hold."""
    text = _(
        "Each fact was simulated again with random draws that calibration did not see: in {prior} "
        "sets of a uniform draw, and in all sets that agree. The chance of the runs is taken out "
        "of ranges and shares. If a fact for calibration holds in few sets, they met its band by "
        "chance, and a larger --runs helps. Held-out facts were not used: they are the test."
    )
    picture = Picture(
        partial(predictions, predicted),
        _("Range of 90% of the sets for each of {number} facts, before and after calibration."),
        _(
            "What the sets predict of each fact, on the scale of its band. What lies far outside "
            "is cut off."
        ),
        name="predictions", number=len(predicted),
    )  # fmt: skip
    tables = []
    for title, here in (
        (_("Facts used for calibration"), [p for p in predicted if p.fact.use == CALIBRATION]),
        (_("Held-out facts"), [p for p in predicted if p.fact.use != CALIBRATION]),
    ):
        if here:
            tables.append(prediction_table(title, here, found.evidence))
    return Section("facts", _("Facts and predictions"), fill(text, prior=PRIOR), picture, *tables)


def prediction_table(title: str, predicted: Sequence[Prediction], evidence: Evidence) -> Table:
    """The band of each fact, and what the sets predict of it."""
    rows = []
    for one in predicted:
        fact = one.fact
        parts = [fact.about] if fact.id in evidence.places else []
        parts = [part for part in parts if part != fact.statement]
        parts += [_(fact.basis)] if fact.basis else []
        rows.append((
            fact.id,
            Cell(_(fact.statement), remark="; ".join(parts)),
            expected_text(fact),
            middle_cell(one.prior),
            middle_cell(one.posterior),
            verdict_cell(one),
            fact.source,
        ))  # fmt: skip
    head = ["", _("Fact"), _("Expected"), _("Before"), _("After"), _("Holds in"), _("Source")]
    return Table(title, head, rows, prose=True)


def middle_cell(values: np.ndarray) -> Cell:
    """The median over sets and the range of 90% of them."""
    values = values[np.isfinite(values)]
    if not len(values):
        return Cell(UNDEFINED)
    low, middle, high = (significant(float(v)) for v in np.quantile(values, (0.05, 0.5, 0.95)))
    return Cell(middle, below=format_interval(low, high))


def verdict_cell(one: Prediction) -> Cell:
    """The share of the sets in which a fact holds, with its mark."""
    mark = {True: BETTER, False: WORSE, None: UNDECIDED}[one.holds]
    share = percent(one.share) if isfinite(one.share) else UNDEFINED
    before = percent(one.before) if isfinite(one.before) else UNDEFINED
    return Cell(share, verdict=mark, remark=fill(_("before: {share}"), share=before))


# Conflicts --------------------------------------------------------------------------------------


@separate
def conflict_section(found: Calibration) -> Section:
    """Facts that pull against each other, or that no set satisfies together."""
    text = _(
        "Two facts conflict if the changes that would bring each of them to the middle of its band "
        "are opposite, though all sets meet both."
    )
    rows = [
        (pull.one, pull.other, statement(found, pull.one), statement(found, pull.other),
         significant(pull.cosine))
        for pull in found.pulls[:10]
    ]  # fmt: skip
    if not rows:
        return Section("conflicts", _("Conflicts"), text, _("No two facts conflict."))
    head = [_("Fact"), _("Other fact"), "", "", _("Cosine")]
    table = Table(_("Facts that pull against each other"), head, rows, prose=True)
    return Section("conflicts", _("Conflicts"), text, table)


def statement(found: Calibration, name: str) -> str:
    """The statement of a fact for calibration, by its name."""
    return next(_(fact.statement) for fact in found.facts if fact.id == name)


def methods(found: Calibration, facts: Mapping[str, object]) -> str:
    """How it was done, in a paragraph that can be cited."""
    text = _(
        "We calibrated kolabsim {version} to {facts} facts by history matching: of {judged} "
        "parameter sets, drawn by subset simulation from the declared ranges, we kept {sets} whose "
        "means over {runs} runs lie in all bands (seed {seed}). The search ended when sets had "
        "forgotten their start (mean correlation below {mean})."
    )
    return fill(
        text, version=str(facts["kolabsim"]), facts=len(found.facts),
        judged=found.population.judged, sets=len(found.points), runs=found.evidence.looks[-1],
        seed=str(facts["seed"]), mean=significant(FORGOTTEN[0], 1),
    )  # fmt: skip


def conflict_problems(found: Calibration) -> list[Problem]:
    """Why no set agrees: a sentence for each fact or pair of facts at fault, and its place."""
    evidence = found.evidence
    conflicts = find_conflicts(evidence, found.population)
    judged = found.population.judged
    problems = []
    for fact, value in conflicts.unreached:
        text = _(
            "'{fact}': none of {judged} judged sets reaches its band ({band}); the nearest value "
            "is {value}. Widen the band, let other settings vary, or change the scenario"
        )
        text = fill(
            text, fact=fact.id, judged=judged, band=expected_text(fact), value=significant(value)
        )
        problems.append(Problem(text, *evidence.places.get(fact.id, ())))
    for clash in conflicts.clashes:
        text = _(
            "'{one}' and '{other}' contradict each other: of {judged} judged sets, one holds in "
            "{first} and the other in {second}, and both in none"
        )
        text = fill(
            text, one=clash.one.id, other=clash.other.id, judged=judged, first=clash.holds_one,
            second=clash.holds_other,
        )  # fmt: skip
        problems.append(Problem(text, *evidence.places.get(clash.other.id, ())))
    if not problems:
        text = _(
            "none of {judged} judged sets agrees with all facts at once; a larger --most continues "
            "the search, and wider bands or more runs make it easier"
        )
        problems.append(Problem(fill(text, judged=judged)))
    return problems


def prediction_rows(predicted: Sequence[Prediction]) -> list[list[object]]:
    """What the sets predict of each fact as plain values, with a header."""
    head = ["fact", "use", "low", "high"]
    head += [f"{when}_{part}" for when in ("before", "after") for part in ("low", "median", "high")]
    rows: list[list[object]] = [[*head, "before_share", "after_share", "source"]]
    for one in predicted:
        ends = (end if isfinite(end) else "" for end in (one.fact.low, one.fact.high))
        row: list[object] = [one.fact.id, one.fact.use, *ends]
        for values in (one.prior, one.posterior):
            values = values[np.isfinite(values)]
            found = np.quantile(values, (0.05, 0.5, 0.95)).tolist() if len(values) else [""] * 3
            row += [f"{value:.6g}" if value != "" else "" for value in found]
        shares = (f"{share:.4g}" if isfinite(share) else "" for share in (one.before, one.share))
        rows.append([*row, *shares, one.fact.source])
    return rows
