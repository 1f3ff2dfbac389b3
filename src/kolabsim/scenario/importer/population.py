"""Which column is the population, and how many people each region has."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from kolabsim.i18n import N_, Amount, _
from kolabsim.scenario.importer import words
from kolabsim.scenario.importer.columns import Column, named_columns
from kolabsim.scenario.importer.decisions import (
    CERTAIN,
    GIVEN,
    LIKELY,
    Record,
    Rows,
    list_names,
)
from kolabsim.scenario.importer.numbers import Numbers, read_numbers
from kolabsim.scenario.importer.table import YEAR, Layout
from kolabsim.scenario.importer.words import count, plain, tokens, years
from kolabsim.scenario.importer.work import Work

SEXES = words.MALE | words.FEMALE
ASIAN_SEXES = frozenset(word for word in SEXES if word > "\u2e7f")
ALIKE = 0.02
"""Difference of two totals, as a share, below which two columns count the same people."""
Columns = dict[str, tuple[int, ...]]
"""The columns of each attribute; several are added or joined."""


MANKIND = 1e10
"""More people than there are: such a number is none of people."""
MOST_WRONG = 0.5
"""Share of cells without a number from which on a column is no population."""
MOST_ASKED = 10_000
"""Most cells without a number that are asked about and not refused at once."""


def population_score(column: Column, titles: str) -> int:
    """Return how well a column's name fits a population; 0: not at all."""
    own = column.layout.own[column.number] or column.label
    if words.EVERYBODY.fullmatch(words.plain(own)):
        return 3 if count(titles, words.PEOPLE) else 2
    is_year = bool(YEAR.fullmatch(own.strip()))
    ages = re.search(r"\b\d{1,2} ?(?:-|–|to|bis|sampai) ?\d{1,2}\b|\d\+", own)
    if column.has(words.NOT_PEOPLE) or (ages and not is_year):
        return 0
    if re.search(r"(?<!\d)(?:1[89]|20)\d\d\s*[-–/]\s*(?:1[89]|20)?\d\d(?![-/.\d])", own):
        return 0  # from one year to another: growth
    if set(tokens(column.label)) & SEXES or count(own, ASIAN_SEXES):
        return 0
    if set(tokens(column.label)) & {"per"}:
        return 0
    if column.has(words.PEOPLE) or re.search(r"\b(?:tot(?:al)?[ _]p|t_tl)\b", words.plain(own)):
        return 3
    if column.has(words.PEOPLE_WEAK):
        return 2 if count(titles, words.PEOPLE) else 1
    is_bare = is_year or set(tokens(column.label)) <= words.VALUES
    return 2 if is_bare and count(titles, words.PEOPLE) else 0


def can_be_people(column: Column) -> bool:
    """Whether the content of a column may be numbers of people."""
    if not column.is_numeric:
        return False
    found = column.finite
    return bool(found.min() >= 0.0 and np.median(found) > 0.0)


def choose_population(layout: Layout, columns: list[Column], record: Record) -> tuple[int, ...]:
    """Return the column of the population, or its columns by sex.

    Of several, that of the latest year counts. Raises :class:`~kolabsim.errors.InputError` if there
    is none, naming the columns.
    """
    given = named_columns(layout, record, "population")
    if given is not None:
        return given
    titles = " ".join((*layout.titles, layout.sheet.name, record.file, *constants(columns)))
    scored = [(population_score(c, titles), c) for c in columns]
    possible = [(s, c) for s, c in scored if s and can_be_people(c)]
    named = [c for s, c in scored if s == 3 and not can_be_people(c)]
    best = max((s for s, _c in possible), default=0)
    if best < 2 and named:  # reported when its cells are read
        record.note("population", named[0].label, N_("recognised by its name"), answer="columns")
        return (named[0].number,)
    if best < 2:
        by_sex = columns_by_sex(columns)
        if by_sex:
            label = " + ".join(c.label for c in by_sex)
            record.note(
                "population", label, N_("men and women are added, because no column has both"),
                certainty=LIKELY, answer="columns",
            )  # fmt: skip
            return tuple(c.number for c in by_sex)
    if not best:
        raise no_population(layout, columns, record)
    found = [c for s, c in possible if s == best]
    current = [c for c in found if not c.has(words.PROJECTED)] or found
    latest = max(max(years(c.label), default=0) for c in current)
    recent = [c for c in current if max(years(c.label), default=0) == latest]
    chosen = recent[0]
    if best == 1 and len(recent) + len(by_years(found)) > 1:
        raise no_population(layout, columns, record)
    own = [c for c in found if c.label.casefold() == "population"]
    if own and len(found) > 1 and len([c for c in found if not years(c.label)]) == 1:
        recent, chosen = own, own[0]  # beside it are those of earlier years
    others = [c.label for c in found if c is not chosen]
    if len(recent) > 1:
        choose_among(recent, record)
    elif others:
        why = N_("it has the latest year of {number} columns")
        if own and chosen is own[0]:
            why = N_("it is called population without a year, beside {number} columns in all")
        record.note(
            "population", chosen.label, why,
            number=len(found), certainty=LIKELY, alternatives=others, answer="columns",
        )  # fmt: skip
    else:
        record.note(
            "population", chosen.label, N_("recognised by its name"),
            certainty=CERTAIN if best == 3 else LIKELY, answer="columns",
        )  # fmt: skip
    return (chosen.number,)


def constants(columns: list[Column]) -> list[str]:
    """Return the texts that all rows share: a unit of measurement, an indicator."""
    same = [c for c in columns if len(set(c.texts)) == 1 and not c.is_numeric]
    return [str(c.texts[0]) for c in same if c.distinct == 1]


def by_years(columns: list[Column]) -> list[Column]:
    """Return the columns whose names state a year."""
    return [c for c in columns if years(c.label)]


def choose_among(recent: list[Column], record: Record) -> None:
    """Note or ask which of several columns of the same year is the population.

    Columns that count nearly the same people are noted; others are asked about.
    """
    chosen, labels = recent[0], [c.label for c in recent]
    sums = [float(c.finite.sum()) * full_share(c) for c in recent]
    gap = max(abs(one / sums[0] - 1.0) for one in sums)
    if gap <= ALIKE:
        record.note(
            "population", chosen.label,
            N_("{number} columns count nearly the same people (difference {percent}%)"),
            number=len(recent), percent=Amount(100.0 * gap, 2), certainty=LIKELY,
            alternatives=labels[1:], answer="columns",
        )  # fmt: skip
        return
    record.ask(
        "population", chosen.label, N_("the columns {names} give different populations"),
        N_("choose one, as {option_0}"),
        [("columns", {"population": label}) for label in labels], names=list_names(labels),
    )  # fmt: skip


def full_share(column: Column) -> float:
    """Return by how much more cells the whole column has than its sample."""
    return column.filled / max(1, len(column.texts))


def columns_by_sex(columns: list[Column]) -> list[Column]:
    """Return the columns of men and women of the latest year, if there is one of each."""
    found = []
    for vocabulary in (words.MALE, words.FEMALE):
        fits = [
            c for c in columns
            if set(tokens(c.label)) & vocabulary and can_be_people(c)
            and not c.has(words.NOT_PEOPLE - {"age"})
        ]  # fmt: skip
        latest = max((max(years(c.label), default=0) for c in fits), default=0)
        fits = [c for c in fits if max(years(c.label), default=0) == latest]
        if len(fits) != 1:
            return []
        found += fits
    return found


def no_population(layout: Layout, columns: list[Column], record: Record) -> Exception:
    """Return the refusal of a table without a population."""
    numeric = [
        c for c in columns
        if can_be_people(c) and not c.has(words.LATITUDES | words.LONGITUDES | words.CODES)
        and not (c.finite[0] < 2 and (np.diff(c.finite) == 1.0).all())
    ]  # fmt: skip
    usual = words.VALUES | words.PEOPLE_WEAK
    values = [c for c in numeric if set(tokens(c.label)) & usual]
    dated = sorted(by_years(numeric), key=lambda c: max(years(c.label)), reverse=True)
    likely = next((c.label for c in (*values, *dated, *numeric)), None)
    message = _(
        "no column is the population of a region; the columns are {names}; name the right one, as "
        '--column population="{example}", or use a table that has it'
    )
    names = list_names([c.label for c in columns])
    return record.fail(message, names=names, example=likely or _("COLUMN"))


# The numbers of people ---------------------------------------------------------------------------


def read_people(work: Work) -> Numbers:
    """Find the population and read its numbers; nothing is left out yet."""
    record, layout = work.record, work.layout
    work.choose("population", choose_population(layout, work.columns(), record))
    parts = [
        read_numbers(
            layout.texts(number), layout.typed(number),
            whole=stated_unit(work) is None,
            decimal=record.given.get("decimal"),
        )
        for number in work.chosen["population"]
    ]  # fmt: skip
    found = parts[0]
    if len(parts) > 1:
        found = replace(
            found, values=np.sum([one.values for one in parts], axis=0),
            missing=np.any([one.missing for one in parts], axis=0),
            wrong=np.any([one.wrong for one in parts], axis=0),
        )  # fmt: skip
    too_many = found.values > MANKIND
    found = replace(
        found, values=np.where(too_many, np.nan, found.values), wrong=found.wrong | too_many
    )
    work.people = found.values
    return found


def stated_unit(work: Work) -> str | None:
    """Return the unit of people that the column or, above it, a title names."""
    titles = plain(" ".join((*work.layout.titles, work.layout.sheet.name)))
    return words.unit_of(plain(work.label("population"))) or words.unit_of(titles)


def note_format(work: Work, numbers: Numbers) -> None:
    """Note how the numbers of people are written."""
    written = numbers.format
    if written is None:
        return
    if numbers.other is not None and stated_unit(work):
        signs = ["comma" if one.decimal == "," else "point" for one in (written, numbers.other)]
        rows = np.isfinite(work.people) & (work.people != np.rint(work.people))
        work.record.ask(
            "numbers", signs[0],
            N_("'{column}' can be read in two ways: {rows}"),
            N_("name the sign before decimals: {option_0} or {option_1}"),
            [("decimal", sign) for sign in signs],
            column=work.label("population"), rows=Rows.of(
                work.layout.lines[rows].tolist(), work.texts("population")[rows].tolist()
            ),
        )  # fmt: skip
        return
    if written.thousands in {"", ".", ","}:
        work.decimal = "comma" if written.decimal == "," else "point"
    thousands = {
        "": N_("no sign separates thousands"), ".": N_("points separate thousands"),
        ",": N_("commas separate thousands"), " ": N_("blanks separate thousands"),
        "'": N_("apostrophes separate thousands"),
    }  # fmt: skip
    work.record.note(
        "numbers", written.thousands or written.decimal,
        thousands[written.thousands] if written.thousands else (
            N_("commas separate decimals") if written.decimal == "," else
            N_("points separate decimals")
        ),
        certainty=LIKELY if numbers.other else CERTAIN, answer="decimal",
    )  # fmt: skip


def apply_unit(work: Work) -> float:
    """Turn people into persons; return the step to which they are rounded."""
    record, people = work.record, work.people
    given = record.given.get("unit")
    factor = 1.0
    finite = people[np.isfinite(people)]
    middle = float(np.median(finite)) if len(finite) else 0.0
    fractions = bool((np.abs(finite - np.rint(finite)) > 1e-9).any())
    if given:
        factor = words.UNITS_OF_PEOPLE.get(given, (1.0,))[0]
        record.note("unit", given, N_("you named the unit"), certainty=GIVEN, answer="unit")
    else:
        unit = stated_unit(work)
        size = words.UNITS_OF_PEOPLE[unit][0] if unit else 1.0
        if unit and finite.sum() * size < MANKIND:
            factor = size
            by_column = words.unit_of(plain(work.label("population"))) is not None
            why = N_("stated in the heading of the column")
            record.note(
                "unit", unit, why if by_column else N_("stated in the title"),
                certainty=CERTAIN if by_column else LIKELY, answer="unit",
            )  # fmt: skip
        elif fractions and middle < 20_000.0 and not is_fine(finite):
            rows = np.isfinite(people) & (np.abs(people - np.rint(people)) > 1e-9)
            record.ask(
                "unit", "thousands",
                N_("people are whole numbers, but '{column}' has decimals: {rows}"),
                N_("say what it counts: {option_0} or {option_1}"),
                [("unit", "thousands"), ("unit", "persons")],
                column=work.label("population"), rows=work.seen(rows),
            )  # fmt: skip
            factor = 1e3
    if factor > 1.0:
        work.people = np.round(people * factor, 3)
    else:
        work.people = np.round(people, 3)
    decimals = 1.0 if not fractions else 0.1 if (np.abs(finite * 10 % 1) < 1e-6).all() else 0.01
    return factor * decimals


def is_fine(finite: np.ndarray) -> bool:
    """Whether numbers have so many decimals that a program computed them, as sums over a grid."""
    return bool((np.abs(finite * 1000 - np.rint(finite * 1000)) > 1e-6).mean() > 0.5)


def check_people(work: Work, numbers: Numbers, before: np.ndarray) -> None:
    """Refuse a population that most rows lack. ``before`` has the rows of the numbers."""
    kept = np.isin(before, work.layout.rows)
    bad = kept & ~(numbers.values > 0.0)
    wrong = bad & numbers.wrong
    is_hopeless = wrong[kept].mean() > MOST_WRONG or (
        wrong.sum() > MOST_ASKED and not work.record.given.get("missing")
    )
    if len(work.people) and not bad[kept].all() and not is_hopeless:
        return
    label, cells = work.label("population"), work.layout.sheet.cells
    rows = np.flatnonzero(wrong if wrong.any() else bad)
    texts = cells[before[rows[:3]], work.chosen["population"][0]]
    seen = Rows(len(rows), Rows.of(work.layout.sheet.lines[before[rows[:3]]], texts).first)
    message = _(
        "the cells of '{column}' are not numbers of people: {rows}; name another column, as "
        '--column population="COLUMN", or the line of the header, as --header 5'
    )
    raise work.record.fail(message, column=label, rows=seen)


def drop_missing(work: Work, numbers: Numbers, before: np.ndarray) -> None:
    """Ask about regions without people.

    ``before`` has the rows of the sheet that the numbers belong to.
    """
    record = work.record
    wrong = np.isin(work.layout.rows, before[numbers.wrong])
    empty = ~wrong & ~(work.people > 0.0)
    label = work.label("population")
    if wrong.any():
        texts = work.texts("population")
        record.ask(
            "missing", int(wrong.sum()),
            N_("cells of '{column}' are not numbers: {rows}"),
            N_("correct them, or leave these regions out with {option_0}"),
            [("missing", "leave-out")], column=label,
            rows=Rows.of(work.layout.lines[wrong].tolist(), texts[wrong].tolist()),
        )  # fmt: skip
    if empty.any():
        record.ask(
            "missing", int(empty.sum()),
            N_("regions have no population in '{column}': {rows}"),
            N_("add it, or leave these regions out with {option_0}"),
            [("missing", "leave-out")], column=label, rows=work.seen(empty),
        )  # fmt: skip
    work.keep(~(wrong | empty))
