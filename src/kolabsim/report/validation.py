"""The scorecard of evidence: a table for the terminal, a page, and a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.analysis.comparison import BETTER, WORSE
from kolabsim.analysis.comparison import UNDECIDED as OPEN
from kolabsim.figures.formatting import UNDEFINED, count, format_interval, percent, significant
from kolabsim.files import rows_csv, write_whole
from kolabsim.i18n import _, speaking
from kolabsim.report.html import write_page
from kolabsim.report.page import Cell, Note, Page, Section, Table, texts
from kolabsim.report.provenance import reproduction_section
from kolabsim.validation.calibration import Calibration, Identified
from kolabsim.validation.facts import CALIBRATION, DIRECTION, NULL, VALIDATION, Fact
from kolabsim.validation.scorecard import ABSENT, MISSED, REPRODUCED, UNDECIDED, Finding

if TYPE_CHECKING:
    from rich.table import Table as TerminalTable

LOOKS = {REPRODUCED: BETTER, MISSED: WORSE, ABSENT: WORSE, UNDECIDED: OPEN}
"""How verdicts look: as those of comparisons do."""


def verdict_labels() -> dict[str, str]:
    """Verdicts as people say them."""
    return {
        REPRODUCED: _("reproduced"), MISSED: _("not reproduced"), UNDECIDED: _("undecided"),
        ABSENT: _("not represented"),
    }  # fmt: skip


def use_words() -> dict[str, tuple[str, str]]:
    """What facts are used for: a title, and what it means."""
    return {
        VALIDATION: (
            _("Held out: validation"),
            _("Facts with which the model was never calibrated. They say most about trust."),
        ),
        DIRECTION: (
            _("Held out: direction only"),
            _("Facts of which the literature gives a direction, or that are weakly known."),
        ),
        CALIBRATION: (
            _("Used for calibration"),
            _("Facts that parameters may be fitted to. That they fit is no evidence."),
        ),
        NULL: (
            _("Nothing from nothing"),
            _("Where a cause is taken out, its effect must go."),
        ),
    }


def expected(fact: Fact) -> str:
    """Where the whole interval must lie, in words."""
    if not fact.is_represented:
        return UNDEFINED
    if fact.includes is not None:
        return _("includes {number}").format(number=significant(fact.includes))
    if fact.not_above is not None:
        return _("not above {number}").format(number=significant(fact.not_above))
    if isfinite(fact.low) and isfinite(fact.high):
        low, high = significant(fact.low), significant(fact.high)
        return format_interval(low, high)
    if isfinite(fact.low):
        return _("above {number}").format(number=significant(fact.low))
    return _("below {number}").format(number=significant(fact.high))


def found(finding: Finding) -> str:
    """The interval of what the model makes of a fact."""
    if not (isfinite(finding.low) and isfinite(finding.high)):
        return UNDEFINED
    low, high = significant(finding.low), significant(finding.high)
    return format_interval(low, high)


def fact_table(findings: Sequence[Finding], use: str) -> Table:
    """The facts of one use, a row each."""
    words = verdict_labels()
    widely = any(isfinite(one.elsewhere) for one in findings)
    rows = [
        (
            one.fact.id,
            [
                Cell(_(one.fact.statement), remark=_(one.fact.remark) if one.fact.remark else ""),
                Cell(expected(one.fact)),
                Cell(significant(one.value), below=found(one)),
                Cell(words[one.verdict], verdict=LOOKS[one.verdict]),
                *([Cell(percent(one.elsewhere))] if widely else []),
                Cell(one.fact.source, remark=_("grade {grade}").format(grade=one.fact.grade))
                if one.fact.grade
                else Cell(UNDEFINED),
            ],
        )
        for one in findings
        if one.fact.use == use
    ]
    head = ["", _("Fact"), _("Expected"), _("Model"), _("Verdict")]
    head += [*([_("Plausible futures")] if widely else []), _("Source")]
    return Table(use_words()[use][0], head, rows, prose=True)


def summary_table(findings: Sequence[Finding]) -> Table:
    """How many facts of each use have each verdict."""
    words = verdict_labels()
    rows = []
    for use, (title, _meaning) in use_words().items():
        here = [one.verdict for one in findings if one.fact.use == use]
        rows.append((title, texts(*(count(here.count(verdict)) for verdict in words))))
    return Table(_("Facts by what they are used for"), ["", *words.values()], rows)


def terminal_table(findings: Sequence[Finding]) -> TerminalTable:
    """All facts in short, for a terminal."""
    from rich import box
    from rich.table import Table as Terminal

    table = Terminal(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for head in ("", _("Fact"), _("Expected"), _("Model"), _("Verdict")):
        table.add_column(head)
    words, uses = verdict_labels(), use_words()
    for use in uses:
        table.add_section()
        table.add_row("", uses[use][0], style="bold")
        for one in findings:
            if one.fact.use == use:
                verdict = Cell(words[one.verdict], verdict=LOOKS[one.verdict]).line
                cells = _(one.fact.statement), expected(one.fact), found(one), verdict
                table.add_row(one.fact.id, *cells)
    return table


def fact_sections(findings: Sequence[Finding]) -> list[Section]:
    """The facts, use by use."""
    return [
        Section(use, title, meaning, fact_table(findings, use))
        for use, (title, meaning) in use_words().items()
    ]


def answer_section(findings: Sequence[Finding]) -> Section:
    """How many facts of each use are reproduced, and how to read that."""
    notes = [
        _(
            "A fact counts as reproduced only if the whole 95 % interval of what is compared lies "
            "where the fact says. Facts that fail stay on this page; what the model cannot express "
            "counts as not reproduced. Facts used for calibration say little about trust: the "
            "others were not tuned to."
        ),
        _(
            "Plausible futures are parameters and structures that agree with the facts for "
            "calibration. Where they were looked at, the share of them in which a fact holds on "
            "average says how far a verdict hangs on numbers that nobody has measured."
        ),
    ]
    return Section("answer", _("Key findings"), summary_table(findings), Note(notes))


def write_scorecard(
    findings: Sequence[Finding],
    path: Path,
    *,
    lines: Sequence[str],
    more: Sequence[Section] = (),
    facts: Mapping[str, object] | None = None,
) -> Path:
    """Write the page, whole, and its tables for Excel where that is possible.

    ``lines`` say in short how the findings came about, and ``facts`` so that they can be had
    again; ``more`` follows the findings.
    """
    sections = [answer_section(findings), *fact_sections(findings), *more]
    if facts is not None:
        sections.append(reproduction_section(facts, methods(findings, facts)))
    title = _("How far can the model be trusted?")
    return write_page(Page(title, sections, lines=lines), path, workbook=True)


def methods(findings: Sequence[Finding], facts: Mapping[str, object]) -> str:
    """A paragraph on methods, to be cited."""
    return _(
        "We set kolabsim {version}, an agent-based model of how regional governments come to share "
        "services, against {number} published facts, each with its source, by {runs} runs of each "
        "setting (seed {seed}). A fact counts as reproduced if the whole 95 % interval of the "
        "contrast lies where the fact says; facts used for calibration are told apart from those "
        "that were held out."
    ).format(
        version=facts["kolabsim"], number=count(len(findings)), runs=count(int(str(facts["runs"]))),
        seed=facts["seed"],
    )  # fmt: skip


def write_file(findings: Sequence[Finding], path: Path) -> Path:
    """Write all findings as CSV, in English."""
    head = ["id", "use", "grade", "statement", "contrast", "value", "low", "high", "runs"]
    head += ["expected", "verdict", "plausible_futures", "source", "remark"]
    rows: list[list[object]] = [[*head]]
    with speaking("en"):
        for one in findings:
            fact = one.fact
            told = (fact.contrast.__doc__ or "").strip() if fact.contrast else ""
            numbers = (repr(v) if isfinite(v) else "" for v in (one.value, one.low, one.high))
            rows.append(
                [
                    fact.id, fact.use, fact.grade, fact.statement, told, *numbers, one.runs,
                    expected(fact), one.verdict,
                    repr(one.elsewhere) if isfinite(one.elsewhere) else "", fact.source,
                    fact.remark,
                ]
            )  # fmt: skip
    write_whole(path, rows_csv(rows))
    return path


def write_identified(found: Calibration, path: Path) -> Path:
    """Write how much calibration says of each parameter and structure, as CSV."""
    rows: list[list[object]] = [["name", "left", "p", "agreeing"]]
    rows += [[name, f"{one.left:.4g}", f"{one.p:.3g}", ""] for name, one in found.said.items()]
    rows += [[name, "", "", f"{share:.3g}"] for name, share in found.agreeing.items()]
    write_whole(path, rows_csv(rows))
    return path


def identification_table(told: Mapping[str, Identified]) -> TerminalTable:
    """The parameters of which calibration says something, and how many it says nothing of."""
    from rich import box
    from rich.table import Table as Terminal

    level = 0.05 / len(told)
    table = Terminal(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in (_("Parameter"), _("Left of its range"), _("p-value of an even draw")):
        table.add_column(head, justify="right" if table.columns else "left")
    for name, one in sorted(told.items(), key=lambda entry: entry[1].p):
        if one.p < level:
            p = "< 0.001" if one.p < 0.001 else significant(one.p)
            table.add_row(name, percent(one.left), p)
    rest = sum(one.p >= level for one in told.values())
    table.caption = _("The facts say nothing of {number} others.").format(number=count(rest))
    return table


def structures_table(agreeing: Mapping[str, float]) -> TerminalTable:
    """How many of the sets agree with the facts under each other structure."""
    from rich import box
    from rich.table import Table as Terminal

    table = Terminal(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(_("Structure"))
    table.add_column(_("Sets that agree under it too"), justify="right")
    for name, share in sorted(agreeing.items(), key=lambda entry: -entry[1]):
        table.add_row(name, percent(share))
    return table


def tally(findings: Sequence[Finding]) -> str:
    """How many facts are reproduced, in a sentence."""
    held = [one for one in findings if one.fact.use in (VALIDATION, DIRECTION)]
    good = sum(one.verdict == REPRODUCED for one in held)
    return _("{number} of {all} held-out facts are reproduced.").format(
        number=count(good), all=count(len(held))
    )
