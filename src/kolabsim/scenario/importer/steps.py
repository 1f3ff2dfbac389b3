"""The steps of an import, in their order: each decides something, and records it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kolabsim.errors import InputError, suggestion
from kolabsim.i18n import N_, _
from kolabsim.scenario.importer.columns import (
    Column,
    all_columns,
    choose_area,
    choose_name,
    choose_places,
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
from kolabsim.scenario.importer.numbers import Numbers
from kolabsim.scenario.importer.population import choose_population
from kolabsim.scenario.importer.sheets import Sheet
from kolabsim.scenario.importer.table import find_layout, split_notes
from kolabsim.scenario.importer.totals import (
    find_totals,
    level_column,
    part_columns,
    year_column,
)
from kolabsim.scenario.importer.words import OF_WHICH, plain
from kolabsim.scenario.importer.work import Work

MOST_REGIONS = 300_000
"""Most regions of a table; more rows are those of buildings or people."""


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
    record, given = work.record, work.record.given.get("rows") or {}
    named = work.used | {find_label(work.layout.labels, name) for name in given}
    columns = [c for c in work.columns() if c.number not in named]
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
        columns = [c for c in work.columns() if c.number not in named]
        keys = repeat_keys(work, columns)
        if keys is None:
            return
    wanted = part_columns(columns, keys)
    filters = [(column.label, value) for column, value in wanted]
    for column, value in wanted:
        work.keep(work.layout.texts(column.number) == value)
    level = None if given else find_level(work)
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
    filters = [*(work.record.given.get("rows") or {}).items(), *filters]
    text = ",".join(f"{label}={value}" for label, value in filters)
    names = list_names([label for label, _value in filters])
    work.record.ask(
        "rows", text,
        N_("the {number} rows are parts or levels of {kept} regions by the columns {names}"),
        N_("keep one row for each region: {option_0}"), [("rows", dict(filters))], is_open=True,
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
    number = len(set(keys))
    if number > MOST_REGIONS:
        message = _(
            "this table has {number} regions, too many for one study; keep some of them, as --rows "
            '"COLUMN=VALUE"'
        )
        raise work.record.fail(message, number=number)
    return keys if number * 1.2 < len(keys) else None


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
    message = N_("rows are the sum of other rows and count people twice: {rows}")
    if all(OF_WHICH.fullmatch(plain(name)) for name in work.shown()[mask]):
        message = N_("rows are parts of the rows above and count people twice: {rows}")
    record.ask(
        "totals", int(mask.sum()) if drops else 0, message, advice, options, rows=work.seen(mask)
    )  # fmt: skip
    if drops:
        names = work.shown()
        found = np.where(totals.parent >= 0, names[totals.parent], "")
        work.parents = np.where(work.parents == "", found, work.parents)
        work.keep(~mask)


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
        work.choose("price", price)
