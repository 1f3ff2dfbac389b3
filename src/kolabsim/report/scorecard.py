"""The scorecard of published facts and the results of calibration: page, tables and CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.analysis.statistics import BETTER, WORSE
from kolabsim.analysis.statistics import UNDECIDED as OPEN
from kolabsim.figures.formatting import UNDEFINED, format_interval, percent, significant
from kolabsim.files import rows_csv, write_whole
from kolabsim.i18n import _, speaking
from kolabsim.report.html import write_page
from kolabsim.report.page import Cell, Note, Page, Section, Table, separate
from kolabsim.report.provenance import reproduction_section
from kolabsim.report.wording import fill
from kolabsim.validation.calibration import Calibration, Identified
from kolabsim.validation.facts import CALIBRATION, DIRECTION, NULL, VALIDATION, Fact
from kolabsim.validation.scorecard import ABSENT, MISSED, REPRODUCED, UNDECIDED, Finding

if TYPE_CHECKING:
    from rich.table import Table as TerminalTable

LOOKS = {REPRODUCED: BETTER, MISSED: WORSE, ABSENT: WORSE, UNDECIDED: OPEN}
"""The verdict of a comparison whose mark each verdict has."""


def verdict_labels() -> dict[str, str]:
    """Titles of verdicts."""
    return {
        REPRODUCED: _("reproduced"), MISSED: _("not reproduced"), UNDECIDED: _("undecided"),
        ABSENT: _("not represented"),
    }  # fmt: skip


def use_titles() -> dict[str, tuple[str, str]]:
    """Title and meaning of each use of facts."""
    return {
        VALIDATION: (
            _("Held out: validation"),
            _("The model was never calibrated with these facts. They are the strongest test."),
        ),
        DIRECTION: (
            _("Held out: direction only"),
            _("Facts of which the literature gives only a direction, or weak evidence."),
        ),
        CALIBRATION: (
            _("Used for calibration"),
            _("Facts to which parameters may be fitted. Their fit is no evidence."),
        ),
        NULL: (_("Removed causes"), _("Where a cause is removed, its effect must vanish.")),
    }


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


def fact_table(findings: Sequence[Finding], use: str) -> Table:
    """The facts of one use, one row each."""
    widely, grade = any(isfinite(one.elsewhere) for one in findings), _("grade {grade}")
    rows = []
    for one in findings:
        fact = one.fact
        if fact.use == use:
            source = Cell(fact.source, remark=fill(grade, grade=str(fact.grade)))
            rows.append(
                (
                    fact.id,
                    Cell(_(fact.statement), remark=_(fact.remark)),
                    expected_text(fact),
                    Cell(significant(one.value), below=interval_text(one)),
                    verdict_cell(one),
                    *([percent(one.elsewhere)] if widely else []),
                    source if fact.grade else UNDEFINED,
                )
            )
    head = ["", _("Fact"), _("Expected"), _("Model"), _("Verdict")]
    head += [*([_("Plausible futures")] if widely else []), _("Source")]
    return Table(use_titles()[use][0], head, rows, prose=True)


def summary_table(findings: Sequence[Finding]) -> Table:
    """Number of facts by use and verdict."""
    words = verdict_labels()
    rows = []
    for use, (title, _meaning) in use_titles().items():
        here = [one.verdict for one in findings if one.fact.use == use]
        rows.append((title, *map(here.count, words)))
    return Table(_("Facts by use and verdict"), ["", *words.values()], rows)


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
    for use, (title, _meaning) in use_titles().items():
        table.add_section()
        table.add_row("", title, style="bold")
        for one in findings:
            if one.fact.use == use:
                cells = _(one.fact.statement), expected_text(one.fact), interval_text(one)
                table.add_row(one.fact.id, *cells, verdict_cell(one).line)
    return table


@separate
def answer_section(findings: Sequence[Finding]) -> Section:
    """Number of facts by verdict, and how to read it."""
    notes = [
        _(
            "A fact counts as reproduced only if the whole 95% interval of the contrast lies where "
            "the fact says. A fact that the model cannot express counts as not reproduced. Facts "
            "used for calibration are a weak test; the model was not tuned to the others."
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
    return Section("answer", _("Key findings"), summary_table(findings), Note(notes))


def write_scorecard(
    findings: Sequence[Finding], path: Path, *, lines: Sequence[str], facts: Mapping[str, object]
) -> Path:
    """Write the page, and its tables for Excel where that is possible.

    ``lines`` stand under the title; ``facts`` are how the findings came about.
    """
    methods = _(
        "We compared kolabsim {version}, an agent-based model of how regional governments come to "
        "share services, with {number} published facts, each with its source, in {runs} runs of "
        "each setting (seed {seed}). A fact counts as reproduced if the whole 95% interval of the "
        "contrast lies where the fact says; facts used for calibration are distinguished from "
        "those held out."
    )
    made_by = {"version": facts["kolabsim"], "seed": str(facts["seed"]), "runs": facts["runs"]}
    sections = [
        answer_section(findings),
        *(
            Section(use, title, meaning, fact_table(findings, use))
            for use, (title, meaning) in use_titles().items()
        ),
        reproduction_section(facts, fill(methods, number=len(findings), **made_by)),
    ]
    title = _("Published facts that the model reproduces")
    return write_page(Page(title, sections, lines=lines), path, workbook=True)


def write_findings(findings: Sequence[Finding], path: Path) -> Path:
    """Write all findings as CSV, in English."""
    head = ["id", "use", "grade", "statement", "contrast", "value", "low", "high", "runs"]
    head += ["expected", "verdict", "plausible_futures", "source", "remark"]
    rows: list[list[object]] = [[*head]]
    with speaking("en"):
        for one in findings:
            fact = one.fact
            contrast = (fact.contrast.__doc__ or "").strip() if fact.contrast else ""
            numbers = (repr(v) if isfinite(v) else "" for v in (one.value, one.low, one.high))
            rows.append(
                [
                    fact.id, fact.use, fact.grade, fact.statement, contrast, *numbers, one.runs,
                    expected_text(fact), one.verdict,
                    repr(one.elsewhere) if isfinite(one.elsewhere) else "", fact.source,
                    fact.remark,
                ]
            )  # fmt: skip
    write_whole(path, rows_csv(rows))
    return path


def write_identified(found: Calibration, path: Path) -> Path:
    """Write how far calibration narrows each parameter and structure, as CSV."""
    rows: list[list[object]] = [["name", "left", "p", "agreeing"]]
    rows += [
        [name, f"{one.left:.4g}", f"{one.p:.3g}", ""] for name, one in found.identified.items()
    ]
    rows += [[name, "", "", f"{share:.3g}"] for name, share in found.agreeing.items()]
    write_whole(path, rows_csv(rows))
    return path


def identification_table(identified: Mapping[str, Identified]) -> TerminalTable:
    """The parameters that calibration narrows, for a terminal."""
    level = 0.05 / len(identified)
    heads = _("Parameter"), _("Remaining range"), _("p-value of a uniform draw")
    table = open_table(*heads, are_numbers=True)
    for name, one in sorted(identified.items(), key=lambda entry: entry[1].p):
        if one.p < level:
            p = "< 0.001" if one.p < 0.001 else significant(one.p)
            table.add_row(name, percent(one.left), p)
    rest = sum(one.p >= level for one in identified.values())
    table.caption = fill(_("The facts do not narrow {number} other parameters."), number=rest)
    return table


def structures_table(agreeing: Mapping[str, float]) -> TerminalTable:
    """Share of the sets that also agree under each alternative structure, for a terminal."""
    table = open_table(_("Structure"), _("Sets that also agree under it"), are_numbers=True)
    for name, share in sorted(agreeing.items(), key=lambda entry: -entry[1]):
        table.add_row(name, percent(share))
    return table


def tally(findings: Sequence[Finding]) -> str:
    """The number of held-out facts that are reproduced, in a sentence."""
    held = [one for one in findings if one.fact.use in (VALIDATION, DIRECTION)]
    good = sum(one.verdict == REPRODUCED for one in held)
    return fill(_("{number} of {all} held-out facts are reproduced."), number=good, all=len(held))
