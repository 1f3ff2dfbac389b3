"""The steps of an import, in their order: each decides something, and records it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from kolabsim.errors import InputError, suggestion
from kolabsim.i18n import N_, _
from kolabsim.scenario.importer import words
from kolabsim.scenario.importer.columns import (
    Column,
    all_columns,
    area_factor,
    choose_area,
    choose_name,
    choose_places,
    choose_population,
    code_candidates,
    find_label,
    named_columns,
)
from kolabsim.scenario.importer.decisions import (
    CERTAIN,
    GIVEN,
    LIKELY,
    Record,
    Rows,
    list_names,
)
from kolabsim.scenario.importer.numbers import Numbers, read_degrees, read_numbers
from kolabsim.scenario.importer.sheets import Sheet
from kolabsim.scenario.importer.table import Layout, find_layout, split_notes
from kolabsim.scenario.importer.totals import (
    find_totals,
    level_column,
    part_columns,
    year_column,
)
from kolabsim.scenario.importer.words import plain

MANKIND = 1e10
"""More people than there are: such a number is none of people."""
MOST_WRONG = 0.5
"""Share of cells without a number from which on a column is no population."""
MOST_ASKED = 10_000
"""Most cells without a number that are asked about and not refused at once."""
MARK = r"\s*(?:\*+|[†‡]+|[¹²³⁴-⁹]+\)?|\(\d{1,2}\)|\[\d{1,2}\]|\b\d\))$"
"""A mark of a footnote after a name."""


class Work:
    """A table while it is being understood: its layout, rows and people."""

    def __init__(self, layout: Layout, record: Record) -> None:
        self.record = record
        self.layout = layout
        self.people = np.array([])
        self.decimal: str | None = None
        """The sign before decimals, if it follows from the way in which people are written."""
        self.headings: dict[int, str] = {}
        self.parents = np.array([], dtype=object)
        """Names of the totals or headings above each row; '' without one."""
        self.parts: dict[int, list[int]] = {}
        """Rows of the sheet that are parts of the same region on a map, by the first of them."""
        self.used: set[int] = set()
        self.chosen: dict[str, tuple[int, ...]] = {}

    def columns(self) -> list[Column]:
        """The columns of the present rows."""
        return all_columns(self.layout, self.record.given.get("decimal"))

    def keep(self, mask: np.ndarray) -> None:
        """Keep some of the rows."""
        self.layout = replace(self.layout, rows=self.layout.rows[mask])
        self.people = self.people[mask] if len(self.people) else self.people
        self.parents = self.parents[mask] if len(self.parents) else self.parents

    def texts(self, attribute: str, join: str = " ") -> np.ndarray:
        """The cells of an attribute, those of several columns joined."""
        parts = [self.layout.texts(number) for number in self.chosen[attribute]]
        if len(parts) == 1:
            return parts[0]
        return np.array([join.join(filter(None, row)) for row in zip(*parts, strict=True)], object)

    def shown(self) -> np.ndarray:
        """A text of each row by which a reader knows it."""
        if self.chosen.get("name"):
            return self.texts("name")
        cells = self.layout.sheet.cells[self.layout.rows]
        return np.asarray(cells[np.arange(len(cells)), (cells != "").argmax(axis=1)])

    def seen(self, mask: np.ndarray) -> Rows:
        """Some of the rows, as a message names them."""
        return Rows.of(self.layout.lines[mask].tolist(), self.shown()[mask].tolist())

    def label(self, attribute: str) -> str:
        """The name of the column of an attribute."""
        return " + ".join(self.layout.labels[number] for number in self.chosen[attribute])

    def choose(self, attribute: str, numbers: Sequence[int]) -> None:
        """Note the columns of an attribute."""
        if numbers:
            self.chosen[attribute] = tuple(numbers)
            self.used.update(numbers)


def choose_sheet(sheets: Sequence[Sheet], record: Record) -> Sheet:
    """Return the sheet that the user named, or the first one with a table of regions."""
    names = [sheet.name for sheet in sheets]
    wanted = record.given.get("sheet")
    if wanted is not None and len(sheets) > 1:
        if wanted in names:
            found = sheets[names.index(wanted)]
        elif wanted.isdigit() and 1 <= int(wanted) <= len(sheets):
            found = sheets[int(wanted) - 1]
        else:
            message = _("there is no sheet '{sheet}'{suggestion}")
            raise record.fail(message, sheet=wanted, suggestion=suggestion(wanted, names))
        record.note("sheet", found.name, N_("you named it"), certainty=GIVEN, answer="sheet")
        return found
    if len(sheets) == 1:
        return sheets[0]
    tables = [sheet for sheet in sheets if find_layout(sheet, record, quiet=True) is not None]
    if not tables:
        raise record.fail(
            _("no line with names of columns above numbers was found; name it, as --header 5")
        )
    good = [sheet for sheet in tables if has_population(sheet, record)]
    found = (good or tables)[0]
    others = [sheet.name for sheet in good if sheet is not found]
    record.note(
            "sheet", found.name, N_("the first of {number} sheets that holds a table of regions"),
            number=len(sheets), certainty=LIKELY if others else CERTAIN, alternatives=others,
            answer="sheet",
        )  # fmt: skip
    return found


def has_population(sheet: Sheet, record: Record) -> bool:
    """Whether a sheet has a column of the population."""
    trial = Record(record.file, record.given)
    try:
        layout = find_layout(sheet, trial, quiet=True)
        if layout is not None:
            choose_population(layout, all_columns(layout, record.given.get("decimal")), trial)
    except InputError:
        return False
    return layout is not None


def filter_rows(work: Work) -> None:
    """Keep the rows that the user asked for."""
    given = work.record.given.get("rows")
    if not given:
        return
    for name, wanted in given.items():
        number = find_label(work.layout.labels, name)
        if number is None:
            message = _("--rows: there is no column '{column}'{suggestion}")
            hint = suggestion(name, work.layout.labels)
            raise work.record.fail(message, column=name, suggestion=hint)
        texts = work.layout.texts(number)
        values = [part.strip().casefold() for part in wanted.split("|")]
        mask = np.isin([text.casefold() for text in texts], values)
        if not mask.any():
            message = _("--rows: no row has '{value}' in the column '{column}'{suggestion}")
            hint = suggestion(wanted, list(dict.fromkeys(texts))[:30])
            raise work.record.fail(message, value=wanted, column=name, suggestion=hint)
        work.record.note(
            "rows", f"{name}={wanted}", N_("you named the rows: {kept} of {number}"),
            kept=int(mask.sum()), number=len(mask), certainty=GIVEN, answer="rows",
        )  # fmt: skip
        work.keep(mask)


def read_people(work: Work) -> Numbers:
    """Find the population and read its numbers; nothing is left out yet."""
    record, layout = work.record, work.layout
    work.choose("population", choose_population(layout, work.columns(), record))
    parts = [
        read_numbers(
            layout.texts(number), layout.typed(number),
            whole=not words.THOUSANDS.search(plain(layout.labels[number])),
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


def note_format(work: Work, numbers: Numbers) -> None:
    """Note how the numbers of people are written."""
    written = numbers.format
    if written is None:
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
    label = plain(work.label("population"))
    titles = plain(" ".join((*work.layout.titles, work.layout.sheet.name)))
    factor, why, certainty = 1.0, "", CERTAIN
    finite = people[np.isfinite(people)]
    middle = float(np.median(finite)) if len(finite) else 0.0
    fractions = bool((np.abs(finite - np.rint(finite)) > 1e-9).any())
    if given:
        factor = {"persons": 1.0, "thousands": 1e3, "millions": 1e6}[given]
        record.note("unit", given, N_("you named the unit"), certainty=GIVEN, answer="unit")
    else:
        for text, place in (
            (label, N_("stated in the heading of the column")),
            (titles, N_("stated in the title")),
        ):
            for pattern, size in ((words.THOUSANDS, 1e3), (words.MILLIONS, 1e6)):
                if factor == 1.0 and pattern.search(text) and finite.sum() * size < MANKIND:
                    factor, why = size, place
                    certainty = CERTAIN if text is label else LIKELY
        if factor > 1.0:
            unit = "thousands" if factor == 1e3 else "millions"
            record.note("unit", unit, why, certainty=certainty, answer="unit")
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


def drop_notes(work: Work, numbers: Numbers) -> None:
    """Leave out footnotes; headings of parts become the tier of the rows below them."""
    keep, headings = split_notes(work.layout, np.isfinite(numbers.values), work.record)
    parents = np.full(len(keep), "", dtype=object)
    if headings:
        places = np.full(len(keep), -1)
        places[list(headings)] = list(headings)
        above = np.maximum.accumulate(places)
        parents = np.array([headings.get(int(row), "") for row in above], dtype=object)
        rows = np.array(sorted(headings))
        work.record.note(
            "headings", len(headings),
            N_("rows with one text and no number are headings of the rows below: {rows}"),
            rows=Rows.of(work.layout.lines[rows].tolist(), [headings[int(k)] for k in rows]),
            certainty=LIKELY,
        )  # fmt: skip
    work.parents = parents
    work.keep(keep)


def choose_rows(work: Work) -> None:
    """Ask for the level and the parts, and take the latest year, where rows repeat regions."""
    record = work.record
    if record.given.get("rows"):
        return
    columns = [c for c in work.columns() if c.number not in work.used]
    keys = repeat_keys(work, columns)
    if keys is None:
        return
    year = year_column(columns, keys)
    if year is not None:
        column, value = year
        values = sorted(set(work.layout.texts(column.number)) - {value, ""})
        record.note(
            "rows", f"{column.label}={value}",
            N_("the latest year of which all regions have a row"), certainty=LIKELY,
            alternatives=[f"{column.label}={one}" for one in values], answer="rows",
        )  # fmt: skip
        work.keep(work.layout.texts(column.number) == value)
        columns = [c for c in work.columns() if c.number not in work.used]
        keys = repeat_keys(work, columns)
        if keys is None:
            return
    wanted = part_columns(columns, keys)
    filters = [(column.label, value) for column, value in wanted]
    for column, value in wanted:
        work.keep(work.layout.texts(column.number) == value)
    level = find_level(work)
    if level is not None:
        column, lower = level
        filters.append((column.label, "|".join(lower)))
    if wanted:
        ask_rows(work, filters, len(keys))
    if level is not None and wanted:
        work.keep(np.isin(work.layout.texts(level[0].number), level[1]))


def find_level(work: Work) -> tuple[Column, list[str]] | None:
    """Return the column of levels and the values of its lowest level."""
    columns = [c for c in work.columns() if c.number not in work.used]
    totals = find_totals(
        work.people, work.shown().tolist(), None, indents_of(work), 1.0
    ).is_total  # fmt: skip
    return level_column(columns, work.people, totals)


def ask_rows(work: Work, filters: Sequence[tuple[str, str]], number: int) -> None:
    """Ask which of several rows of each region to keep."""
    text = ",".join(f"{label}={value}" for label, value in filters)
    names = list_names([label for label, _value in filters])
    work.record.ask(
        "rows", text,
        N_("the {number} rows are parts or levels of {kept} regions by the columns {names}"),
        N_("keep one row for each region: {option_0}"), [("rows", dict(filters))],
        number=number, kept=len(work.layout.rows), names=names,
    )  # fmt: skip


def repeat_keys(work: Work, columns: Sequence[Column]) -> np.ndarray | None:
    """Return what names each row, if rows have the same; None if all rows differ."""
    coded = [c for c in code_candidates(list(columns), work.used) if c.filled == len(work.people)]
    keys = work.shown()
    for column in coded[:1]:
        keys = np.array(
            [f"{a}\t{b}" for a, b in zip(work.layout.texts(column.number), keys, strict=True)]
        )
    return keys if len(set(keys)) * 1.2 < len(keys) else None


def indents_of(work: Work) -> np.ndarray:
    """Return the blanks before the names."""
    column = (work.chosen.get("name") or (0,))[0]
    indents = work.layout.sheet.indents[work.layout.rows]
    return (
        np.asarray(indents[:, column]) if column < indents.shape[1] else np.zeros(len(indents), int)
    )


def drop_totals(work: Work, step: float) -> None:
    """Ask about rows that are the sum of others, and leave them out unless the answer is no."""
    record = work.record
    columns = [c for c in work.columns() if c.number not in work.used]
    coded = code_candidates(columns, work.used)
    codes = work.layout.texts(coded[0].number).tolist() if coded else None
    totals = find_totals(work.people, work.shown().tolist(), codes, indents_of(work), step)
    mask = totals.is_total.copy()
    level = level_column(columns, work.people, mask)
    options: list[tuple[str, object]] = [("drop_totals", True), ("drop_totals", False)]
    advice = N_("leave them out with {option_0}, or keep them with {option_1}")
    if level is not None and not record.given.get("rows"):
        column, lower = level
        mask |= ~np.isin(work.layout.texts(column.number), lower)
        options.append(("rows", {column.label: "|".join(lower)}))
        advice = N_("leave them out with {option_2} or {option_0}, or keep them with {option_1}")
    if not mask.any() or mask.all():
        return
    drops = record.given.get("drop_totals", True)
    record.ask(
        "totals", int(mask.sum()) if drops else 0,
        N_("rows are the sum of other rows and count people twice: {rows}"), advice, options,
        rows=work.seen(mask),
    )  # fmt: skip
    if drops:
        names = work.shown()
        found = np.where(totals.parent >= 0, names[totals.parent], "")
        work.parents = np.where(work.parents == "", found, work.parents)
        work.keep(~mask)


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


def choose_others(work: Work) -> None:
    """Find names, places, area and price, which need no answers."""
    record, layout = work.record, work.layout
    columns = work.columns()
    work.choose("name", choose_name(layout, columns, record, work.used))
    for attribute, numbers in choose_places(layout, columns, record).items():
        work.choose(attribute, numbers)
    work.choose("area_km2", choose_area(layout, columns, record, work.used))
    price = named_columns(layout, record, "price")  # never guessed: it turns results into money
    if price is not None:
        record.note("price", layout.labels[price[0]], N_("you named the column"), certainty=GIVEN)
        work.choose("price", price)


def numbers_of(work: Work, attribute: str) -> np.ndarray:
    """Return the numbers of an attribute for the present rows."""
    decimal = work.record.given.get("decimal")
    found = []
    for number in work.chosen[attribute]:
        if attribute in {"latitude", "longitude"}:
            texts, typed = work.layout.texts(number), work.layout.typed(number)
            found.append(read_degrees(texts, typed, decimal=decimal).values)
        else:
            found.append(numbers_in(work, number).values)
    values = np.sum(found, axis=0)
    return values * area_factor(work.label(attribute)) if attribute == "area_km2" else values


def numbers_in(work: Work, number: int) -> Numbers:
    """Read the numbers of a column, if possible with the same signs as those of people."""
    texts, typed = work.layout.texts(number), work.layout.typed(number)
    given = work.record.given.get("decimal")
    found = read_numbers(texts, typed, decimal=given or work.decimal)
    if found.wrong.any() and not given:
        found = read_numbers(texts, typed)
    return found


def clean_names(names: np.ndarray) -> np.ndarray:
    """Return names without marks of footnotes and double blanks."""
    texts = pd.Series(names, dtype="string")
    found = texts.str.replace(MARK, "", regex=True).str.split().str.join(" ")
    return np.asarray(found.where(found != "", texts).astype(object))
