"""Which columns name a region: the codes, and what to do with rows of the same code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from kolabsim.i18n import N_, _
from kolabsim.scenario.importer import words
from kolabsim.scenario.importer.columns import (
    Column,
    choose_tier,
    code_candidates,
    code_score,
    is_row_number,
    named_columns,
)
from kolabsim.scenario.importer.decisions import CERTAIN, LIKELY, Rows
from kolabsim.scenario.importer.words import tokens
from kolabsim.scenario.importer.work import Work, clean_names

NAMED = 5.0
"""Score of a column whose name says that it holds codes."""
SHORT = 3
"""Most digits of a code that is unique only within a higher level."""


def choose_codes(work: Work) -> np.ndarray:
    """Return the codes of the present rows: of a column, of two, or the names.

    Rows of the same code are asked about, or are parts of one region on a map.
    """
    record = work.record
    columns = [c for c in work.columns() if c.number not in work.used]
    names = clean_names(work.texts("name")) if work.chosen.get("name") else None
    given = named_columns(work.layout, record, "code")
    if given is not None:
        work.choose("code", given)
        return join_codes(work, given)
    candidates = code_candidates(columns, work.used)
    if names is not None and len(set(names)) == len(names):
        candidates = [c for c in candidates if not is_row_number(c) or tokens(c.label) == ("id",)]
    found = unique_codes(work, candidates)
    if found is not None:
        return found
    rows = len(work.layout.rows)
    for column in candidates:  # codes of which a few are written twice
        most = min(0.9 * column.filled, column.filled - 1)
        if column.filled == rows and names is not None:
            most = min(most, len(set(names)))
        if code_score(column) >= NAMED and column.distinct >= most and column.filled > 0.45 * rows:
            work.choose("code", (column.number,))
            record.note(
                "code",
                column.label,
                N_("recognised by its name"),
                answer="columns",
                certainty=LIKELY,
            )
            return join_codes(work, (column.number,))
    if names is None:
        if candidates:
            work.choose("code", (candidates[0].number,))
            return join_codes(work, (candidates[0].number,))
        why = N_("no column has codes or names, so regions have the numbers of their lines")
        record.note("code", "#", why, certainty=LIKELY, answer="columns")
        return np.array([str(line) for line in work.layout.lines], dtype=object)
    return names_as_codes(work, names, columns)


def unique_codes(work: Work, candidates: Sequence[Column]) -> np.ndarray | None:
    """Return the codes of the first column, or pair of columns, that differ in every row."""
    record, rows = work.record, len(work.layout.rows)
    unique = [c for c in candidates if c.distinct == c.filled == rows]
    higher = [c for c in candidates if c not in unique and c.filled == rows]
    for column in unique:
        upper = levels_above(column, higher)
        lengths = set(map(len, column.texts))
        if upper and len(lengths) == 1 and max(lengths) <= SHORT:
            pair = (upper[0].number, column.number)
            return compose(
                work, pair, N_("codes this short are unique only within the other column")
            )
        others = [c.label for c in unique if c is not column]
        why = N_("it differs in every row")
        if code_score(column) >= NAMED:
            why = N_("recognised by its name; different in every row")
        work.choose("code", (column.number,))
        record.note(
            "code", column.label, why, certainty=CERTAIN if code_score(column) >= NAMED else LIKELY,
            alternatives=others, answer="columns",
        )  # fmt: skip
        return join_codes(work, (column.number,))
    for lower in higher:
        upper = levels_above(lower, higher)
        in_order = sorted(upper, key=lambda c: c.number)
        for above in (*((one,) for one in upper), *combinations(in_order, 2)):
            numbers = (*(one.number for one in above), lower.number)
            if len(set(zip(*map(work.layout.texts, numbers), strict=True))) == rows:
                return compose(work, numbers, N_("together the columns differ in every row"))
    return None


def levels_above(lower: Column, columns: Sequence[Column]) -> list[Column]:
    """Return the columns of codes before one: those of states first, and the nearest first."""
    before = [c for c in columns if c.number < lower.number]
    return sorted(before, key=lambda c: (not c.has(words.TIERS), -c.number))


def compose(work: Work, numbers: tuple[int, ...], why: str) -> np.ndarray:
    """Return codes of several columns, and note it."""
    work.choose("code", numbers)
    work.record.note("code", work.label("code"), why, certainty=LIKELY, answer="columns")
    return join_codes(work, numbers)


def join_codes(work: Work, numbers: tuple[int, ...]) -> np.ndarray:
    """Return the cells of columns as codes; digits of several are written after each other."""
    parts = [codes_of(work, number) for number in numbers]
    if len(parts) == 1:
        return parts[0]
    digits = all(text.isdigit() for part in parts for text in part)
    sign = "" if digits and all(len(set(map(len, part))) == 1 for part in parts) else "-"
    return np.array([sign.join(row) for row in zip(*parts, strict=True)], dtype=object)


def codes_of(work: Work, number: int) -> np.ndarray:
    """Return codes as they are written; 34.1 of a workbook becomes 34.10 if others are 34.04."""
    texts = work.layout.texts(number)
    typed = work.layout.typed(number)
    if typed is not None and np.isfinite(typed).all() and (typed % 1 != 0).any():
        places = max(len(text.partition(".")[2]) for text in texts)
        if places <= 4:
            return np.array([f"{value:.{places}f}" for value in typed], dtype=object)
    return texts


def names_as_codes(work: Work, names: np.ndarray, columns: Sequence[Column]) -> np.ndarray:
    """Return the names as codes, with those of the higher level where names repeat."""
    record, rows = work.record, len(names)
    label = work.label("name")
    work.chosen["code"] = work.chosen["name"]
    if len(set(names)) == rows:
        record.note(
            "code", label, N_("no column has codes, and no name is used twice"), answer="columns"
        )
        return names
    tiers = [work.parents] if len(work.parents) == rows and (work.parents != "").all() else []
    for column in columns:
        if column.has(words.TIERS) and column.filled == rows:
            tiers.append(work.layout.texts(column.number))
    for tier in tiers:
        both = np.array([f"{name}, {one}" for name, one in zip(names, tier, strict=True)], object)
        if len(set(both)) == rows:
            record.note(
                "code", label, N_("names that are used twice have that of the higher level added"),
                certainty=LIKELY, answer="columns",
            )  # fmt: skip
            counts = pd.Series(names).map(pd.Series(names).value_counts()).to_numpy()
            return np.where(counts > 1, both, names)
    record.note("code", label, N_("no column has codes"), certainty=LIKELY, answer="columns")
    return names


def unite_parts(work: Work) -> dict[int, list[int]]:
    """Keep one of the features of a map that are equal in every cell; return the rows of each."""
    rows = work.layout.rows
    if not work.layout.sheet.geometries:
        return {}
    cells = pd.DataFrame(work.layout.sheet.cells[rows])
    first = ~cells.duplicated().to_numpy()
    groups = cells.groupby(list(cells.columns), sort=False).indices
    parts = {int(rows[group[0]]): [int(row) for row in rows[group]] for group in groups.values()}
    if not first.all():
        work.record.note(
            "duplicates", "first",
            N_("features with equal properties are parts of one region: {rows}"),
            rows=work.seen(~first), certainty=LIKELY,
        )  # fmt: skip
        work.keep(first)
    return parts


def merge_duplicates(work: Work, codes: np.ndarray) -> np.ndarray:
    """Ask about rows of the same code, and return the codes of the rows that stay."""
    record = work.record
    empty = codes == ""
    if empty.any():
        message = _(
            "rows have no code in '{column}': {rows}; add it, or name another column, as --column "
            'code="COLUMN"'
        )
        raise record.fail(message, column=work.label("code"), rows=work.seen(empty))
    first = ~pd.Series(codes).duplicated().to_numpy()
    if first.all():
        return codes
    repeated = pd.Series(codes).duplicated(keep=False).to_numpy()
    record.ask(
        "duplicates", record.given.get("duplicates", "first"),
        N_("rows share their code in '{column}' with other rows: {rows}"),
        N_(
            "keep the first with {option_0}, add their people with {option_1}, or name another "
            'column, as --column code="COLUMN"'
        ),
        [("duplicates", "first"), ("duplicates", "sum")],
        column=work.label("code"),
        rows=Rows.of(work.layout.lines[repeated].tolist(), codes[repeated].tolist()),
    )  # fmt: skip
    if record.given.get("duplicates") == "sum":
        work.people = pd.Series(work.people).groupby(codes).transform("sum").to_numpy()
        by_code = pd.Series(work.layout.rows).groupby(codes).indices
        for rows in by_code.values():
            together = [part for row in work.layout.rows[rows] for part in work.parts.get(row, [])]
            work.parts[int(work.layout.rows[rows[0]])] = together
    work.keep(first)
    return codes[first]


def tiers_of(work: Work) -> np.ndarray | None:
    """Return what each region belongs to: a column, or the totals and headings above the rows."""
    record = work.record
    columns = work.columns()
    used = (
        work.used - set(work.chosen.get("code", ()))
        if len(work.chosen.get("code", ())) > 1
        else work.used
    )
    numbers = choose_tier(work.layout, columns, record, set(used))
    if numbers:
        work.choose("tier", numbers)
        texts = work.texts("tier")
        gaps = texts == ""
        if gaps.any() and not gaps[0]:
            places = np.maximum.accumulate(np.where(gaps, 0, np.arange(len(texts))))
            texts = texts[places]
        return np.array([" ".join(text.split()) for text in texts], dtype=object)
    if len(work.parents) and (work.parents != "").any():
        names = clean_names(np.array([re.sub(r"\s+", " ", text) for text in work.parents], object))
        why = N_("the totals or headings above the rows name what they belong to")
        record.note("tier", names[0], why, certainty=LIKELY, answer="columns")
        return names
    return None
