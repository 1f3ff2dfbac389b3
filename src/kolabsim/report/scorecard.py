"""The scorecard of published facts and the results of calibration: page, tables and CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.statistics import BETTER, WORSE
from kolabsim.analysis.statistics import UNDECIDED as OPEN
from kolabsim.figures.formatting import UNDEFINED, format_interval, percent, significant
from kolabsim.files import rows_csv, write_whole
from kolabsim.i18n import _, language, speaking
from kolabsim.report.html import write_page
from kolabsim.report.page import Cell, Note, Page, Section, Table, separate
from kolabsim.report.provenance import reproduction_section
from kolabsim.report.wording import fill
from kolabsim.validation.calibration import Calibration
from kolabsim.validation.facts import CALIBRATION, CLASSES, HELD_OUT, IN_VIEW, NULL, Fact
from kolabsim.validation.scorecard import ABSENT, MISSED, REPRODUCED, UNDECIDED, Finding

if TYPE_CHECKING:
    from rich.table import Table as TerminalTable

    from kolabsim.scenario.scenario import Scenario

MADE = ("kolabsim", "model", "seed", "runs")
"""What the JSON file says of how findings came about."""
LOOKS = {REPRODUCED: BETTER, MISSED: WORSE, ABSENT: WORSE, UNDECIDED: OPEN}
"""The verdict of a comparison whose mark each verdict has."""


def verdict_labels() -> dict[str, str]:
    """Titles of verdicts."""
    return {
        REPRODUCED: _("reproduced"), MISSED: _("not reproduced"), UNDECIDED: _("undecided"),
        ABSENT: _("not represented"),
    }  # fmt: skip


def class_titles() -> dict[str, tuple[str, str]]:
    """Title and meaning of each class of facts."""
    found = {
        HELD_OUT: (
            _("Held out"),
            _(
                "Facts that never changed the model: no parameter was fitted to them, and no miss "
                "changed its structure. They are the strongest test."
            ),
        ),
        IN_VIEW: (
            _("In view"),
            _(
                "Facts that were held out until a miss changed the structure of the model. Their "
                "agreement is weak evidence."
            ),
        ),
        CALIBRATION: (
            _("Used for calibration"),
            _("Facts to which parameters may be fitted. Their fit is no evidence."),
        ),
        NULL: (_("Removed causes"), _("Where a cause is removed, its effect must vanish.")),
    }
    return {name: found[name] for name in CLASSES}


def present_classes(findings: Sequence[Finding]) -> dict[str, tuple[str, str]]:
    """Title and meaning of each class that has facts."""
    uses = {one.fact.use for one in findings}
    return {name: of for name, of in class_titles().items() if name in uses}


def kind_label(fact: Fact) -> str:
    """Whether a fact states a direction or a band, in words."""
    return {"direction": _("direction"), "band": _("band")}[fact.kind]


def expected_text(fact: Fact) -> str:
    """Where the whole interval must lie."""
    if fact.contrast is None:
        return UNDEFINED
    if fact.includes is not None:
        return fill(_("includes {number}"), number=significant(fact.includes))
    if fact.not_above is not None:
        return fill(_("not above {number}"), number=significant(fact.not_above))
    if (found := interval_text(fact)) != UNDEFINED:
        return found
    if isfinite(fact.low):
        return fill(_("above {number}"), number=significant(fact.low))
    return fill(_("below {number}"), number=significant(fact.high))


def interval_text(found: Fact | Finding) -> str:
    """The interval of the model's value, or the one in which it must lie."""
    if not (isfinite(found.low) and isfinite(found.high)):
        return UNDEFINED
    return format_interval(significant(found.low), significant(found.high))


def verdict_cell(finding: Finding) -> Cell:
    """The verdict on a fact, with its mark."""
    return Cell(verdict_labels()[finding.verdict], verdict=LOOKS[finding.verdict])


def fact_table(findings: Sequence[Finding], name: str) -> Table:
    """The facts of one class, one row each."""
    widely, grade = any(isfinite(one.elsewhere) for one in findings), _("grade {grade}")
    rows = []
    for one in findings:
        fact = one.fact
        if fact.use == name:
            told = fill(grade, grade=fact.grade) if fact.grade else ""
            source = Cell(_(fact.source) if fact.source else "", remark=told)
            rows.append(
                (
                    fact.id,
                    Cell(_(fact.statement), remark=remark_text(one)),
                    Cell(expected_text(fact), remark=kind_label(fact)),
                    Cell(significant(one.value), below=interval_text(one)),
                    verdict_cell(one),
                    *([percent(one.elsewhere)] if widely else []),
                    source if fact.source and name != NULL else UNDEFINED,
                )
            )
    head = ["", _("Fact"), _("Expected"), _("Model"), _("Verdict")]
    head += [*([_("Plausible futures")] if widely else []), _("Source")]
    return Table(class_titles()[name][0], head, rows, prose=True)


def remark_text(one: Finding) -> str:
    """How to read a fact: its remark, the basis of its bounds, and why it is in view or missed."""
    fact = one.fact
    parts = [_(text) for text in (fact.remark, fact.basis) if text]
    if fact.seen:
        parts.append(fill(_("in view: {reason}"), reason=_(fact.seen)))
    if fact.miss and one.verdict != REPRODUCED:
        parts.append(fill(_("missed: {reason}"), reason=_(fact.miss)))
    return "; ".join(parts)


def summary_table(findings: Sequence[Finding]) -> Table:
    """Number of facts by class and verdict."""
    words = verdict_labels()
    rows = []
    for name, (title, _meaning) in present_classes(findings).items():
        here = [one.verdict for one in findings if one.fact.use == name]
        rows.append((title, *map(here.count, words)))
    return Table(_("Facts by class and verdict"), ["", *words.values()], rows)


def open_table(*heads: str, are_numbers: bool = False) -> TerminalTable:
    """A table for a terminal without rows; columns of numbers after the first go to the right."""
    from rich import box
    from rich.table import Table as Terminal

    table = Terminal(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for head in heads:
        table.add_column(head, justify="right" if are_numbers and table.columns else "left")
    return table


def terminal_table(findings: Sequence[Finding]) -> TerminalTable:
    """All facts, briefly, for a terminal."""
    table = open_table("", _("Fact"), _("Expected"), _("Model"), _("Verdict"))
    for name, (title, _meaning) in present_classes(findings).items():
        table.add_section()
        table.add_row("", title, style="bold")
        for one in findings:
            if one.fact.use == name:
                cells = _(one.fact.statement), expected_text(one.fact), interval_text(one)
                table.add_row(one.fact.id, *cells, verdict_cell(one).line)
    return table


@separate
def answer_section(findings: Sequence[Finding]) -> Section:
    """Number of facts by verdict, and how to read it."""
    notes = [
        _(
            "A fact counts as reproduced only if the whole 95% interval of the contrast lies where "
            "the fact says. A fact that the model cannot express counts as not reproduced."
        ),
        _(
            "Plausible futures are sets of parameters and structures that agree with the facts for "
            "calibration. The share of them in which a fact holds on average shows how far a "
            "verdict depends on numbers that nobody has measured."
        ),
        _(
            "To compare the model with joint bodies of real regions, run: kolabsim evidence "
            "--scenario FILE --bodies TABLE"
        ),
    ]
    return Section(
        "answer", _("Key findings"), *tally(findings), summary_table(findings), Note(notes)
    )


@separate
def miss_section(findings: Sequence[Finding]) -> Section:
    """Facts that are not reproduced, with the reason where one is known."""
    rows = [
        (
            one.fact.id,
            _(one.fact.statement),
            class_titles()[one.fact.use][0],
            verdict_cell(one),
            _(one.fact.miss or one.fact.remark) or _("unknown"),
        )
        for one in findings
        if one.verdict in (MISSED, ABSENT)
    ]
    head = ["", _("Fact"), _("Class"), _("Verdict"), _("Reason or remark")]
    return Section(
        "misses", _("What the model misses"), Table(_("Missed facts"), head, rows, prose=True)
    )


def write_scorecard(
    findings: Sequence[Finding], path: Path, *, lines: Sequence[str], facts: Mapping[str, object],
    scenario: Scenario | None = None,
) -> Path:  # fmt: skip
    """Write the page, and its tables for Excel where that is possible.

    ``lines`` stand under the title; ``facts`` are how the findings came about. The facts are the
    published ones, or those of a user on a ``scenario``.
    """
    methods = _(
        "We compared kolabsim {version}, an agent-based model of how regional governments come to "
        "share services, with {number} published facts, each with its source, in {runs} runs of "
        "each setting (seed {seed}). A fact counts as reproduced if the whole 95% interval of the "
        "contrast lies where the fact says. Facts held out are distinguished from those in view, "
        "whose misses changed the model, and from those used for calibration."
    )
    if scenario is not None:
        methods = _(
            "We compared kolabsim {version}, an agent-based model of how regional governments come "
            "to share services, with {number} facts of our own, each with its source, in {runs} "
            "runs of each setting (seed {seed}). A fact counts as reproduced if the whole 95% "
            "interval of the contrast lies where the fact says. Facts held out are distinguished "
            "from those used for calibration."
        )
    made_by = {"version": facts["kolabsim"], "seed": str(facts["seed"]), "runs": facts["runs"]}
    sections = [
        answer_section(findings),
        *(
            Section(name.replace(" ", "-"), title, meaning, fact_table(findings, name))
            for name, (title, meaning) in present_classes(findings).items()
        ),
        miss_section(findings),
        reproduction_section(facts, fill(methods, number=len(findings), **made_by)),
    ]
    title = _("Published facts that the model reproduces")
    if scenario is not None:
        title = fill(_("Your own evidence: {scenario}"), scenario=scenario.title(language()))
    return write_page(Page(title, sections, lines=lines), path, workbook=True)


def write_findings(
    findings: Sequence[Finding], folder: Path, facts: Mapping[str, object] | None = None
) -> list[Path]:
    """Write all findings as CSV and, with counts by class first, as JSON; both in English.

    ``facts`` are how the findings came about.
    """
    with speaking("en"):
        rows = [finding_row(one) for one in findings]
    table: list[list[object]] = [[*rows[0]]]
    table += [["" if value is None else value for value in row.values()] for row in rows]
    write_whole(folder / "scorecard.csv", rows_csv(table))
    made = {name: value for name, value in (facts or {}).items() if name in MADE}
    counts = {"counts": counts_by_class(findings), "made": made, "facts": rows}
    text = json.dumps(counts, ensure_ascii=False, indent=1) + "\n"
    write_whole(folder / "scorecard.json", text.encode())
    return [folder / "scorecard.csv", folder / "scorecard.json"]


def finding_row(one: Finding) -> dict[str, object]:
    """A finding as plain values; None where something is not defined."""
    fact = one.fact

    def defined(value: float) -> float | None:
        return value if isfinite(value) else None

    contrast = (fact.contrast.__doc__ or "").strip() if fact.contrast else None
    return {
        "id": fact.id, "class": fact.use, "kind": fact.kind, "grade": fact.grade,
        "statement": fact.statement, "contrast": contrast, "value": defined(one.value),
        "low": defined(one.low), "high": defined(one.high), "runs": one.runs,
        "expected": expected_text(fact), "basis": fact.basis, "verdict": one.verdict,
        "plausible_futures": defined(one.elsewhere), "source": fact.source,
        "cites": " ".join(fact.cites), "remark": fact.remark, "in_view_because": fact.seen,
        "missed_because": fact.miss,
    }  # fmt: skip


def counts_by_class(findings: Sequence[Finding]) -> dict[str, dict[str, int]]:
    """Number of facts of each class, and how many are reproduced."""
    found = {}
    for name in CLASSES:
        here = [one.verdict for one in findings if one.fact.use == name]
        found[name] = {"facts": len(here), "reproduced": here.count(REPRODUCED)}
    return found


def identification_table(found: Calibration) -> TerminalTable:
    """The numbers that calibration narrows, with the facts that narrow them, for a terminal."""
    identified, effects = found.identified, found.effects
    level = 0.05 / len(identified)
    heads = (
        _("Setting"),
        _("Prior range"),
        _("Middle 90% of sets"),
        _("Remaining range"),
        _("Facts"),
    )
    table = open_table(*heads)
    places = {axis.name: k for k, axis in enumerate(found.axes)}
    for name, one in sorted(identified.items(), key=lambda entry: entry[1].p):
        if one.p < level:
            k = places[name]
            axis, strong = found.axes[k], np.argsort(-np.abs(effects[:, k]), kind="stable")[:3]
            ends = (float(axis.at(float(u))) for u in np.quantile(found.points[:, k], (0.05, 0.95)))
            table.add_row(
                name,
                format_interval(significant(axis.low), significant(axis.high)),
                format_interval(*map(significant, ends)),
                percent(one.left),
                ", ".join(found.facts[f].id for f in strong if effects[f, k]),
            )
    rest = sum(one.p >= level for one in identified.values())
    table.caption = fill(_("The facts do not narrow {number} other settings."), number=rest)
    return table


def structures_table(found: Calibration) -> TerminalTable:
    """Share of the sets with each word of each structure, for a terminal."""
    table = open_table(_("Structure"), _("Share of sets"))
    for name, shares in found.shares.items():
        words = (f"{word} {percent(share)}" for word, share in shares.items())
        table.add_row(name, ", ".join(words))
    table.caption = _("Half of all sets were drawn with the default, which comes first.")
    return table


def pulls_table(found: Calibration) -> TerminalTable:
    """Pairs of facts that ask for opposite changes, for a terminal."""
    table = open_table(_("Facts that pull against each other"), "", _("Cosine"))
    statement = {fact.id: _(fact.statement) for fact in found.facts}
    for pull in found.pulls[:10]:
        sides = (f"{name} {statement[name]}" for name in (pull.one, pull.other))
        table.add_row(*sides, significant(pull.cosine))
    return table


def tally(findings: Sequence[Finding]) -> list[str]:
    """How many facts held out, and how many in view, are reproduced: a sentence for each."""
    counts = counts_by_class(findings)
    held, seen = counts[HELD_OUT], counts[IN_VIEW]
    found = [
        fill(
            _("Held out: {number} of {all} facts are reproduced."),
            number=held["reproduced"], all=held["facts"],
        ),
        fill(
            _("In view (a miss changed the model): {number} of {all} facts are reproduced."),
            number=seen["reproduced"], all=seen["facts"],
        ),
    ]  # fmt: skip
    return [text for text, one in zip(found, (held, seen), strict=True) if one["facts"]]
