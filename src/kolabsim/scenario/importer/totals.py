"""Rows that are no regions: totals of other rows, levels above, parts of a region, other years."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from kolabsim.scenario.importer import words
from kolabsim.scenario.importer.columns import Column
from kolabsim.scenario.importer.table import YEAR
from kolabsim.scenario.importer.words import plain

MOST_VALUES = 60
"""Most different values of a column of levels, parts or years."""
COVERED = 0.8
"""Share of the rows that must lie under sums before sums are taken for totals, not for chance."""
STEPS = 100
"""Most additions for each row while sums are looked for."""
CLOSE = 0.001
"""Difference, as a share, of a total that was rounded or corrected from the sum of its rows."""

PERIOD = re.compile(
    rf"(?:1[89]|20)\d\d(?:[-/ ]?(?:JJ00|[MQTK]\w{{1,3}}|\d{{2,4}}))?|{YEAR.pattern}", re.IGNORECASE
)
"""A year, month or quarter."""


class Totals(NamedTuple):
    """Rows that are the sum of other rows."""

    is_total: np.ndarray
    parent: np.ndarray
    """The total to which each row belongs; -1: none, or one of everything."""


def find_totals(
    values: np.ndarray,
    names: Sequence[str],
    codes: Sequence[str] | None,
    indents: np.ndarray,
    step: float,
) -> Totals:
    """Find totals by their sums, their names, indented rows below them, and their codes.

    Parameters
    ----------
    values
        People of each row, NaN where they are missing.
    names
        Names of the rows.
    codes
        Codes of the rows, if there are any.
    indents
        Blanks before each name.
    step
        The unit to which values are rounded, for sums that differ by rounding.
    """
    people = np.nan_to_num(values)
    number = len(people)
    none = np.full(number, -1)
    if number < 3:
        return Totals(named_totals(names) & (number > 1), none)
    above = nested(people, step)
    below = nested(people[::-1], step)
    below = Totals(below.is_total[::-1], turn(below.parent))
    found = max(above, below, key=lambda one: int(one.is_total.sum()))
    is_total, parent = found.is_total.copy(), found.parent.copy()
    is_total = extend(is_total, marks(names, codes, indents))
    if not is_total.any():
        is_total |= by_layout(people, codes, indents)
        parent = np.where(is_total, -1, last_before(is_total))
    is_total |= named_totals(names) & (people >= np.median(people))
    is_total |= np.array([bool(words.OF_WHICH.fullmatch(plain(name))) for name in names], bool)
    rest = float(people[~is_total].sum())
    for end in (0, number - 1):
        others = rest - people[end]
        if number > 5 and not is_total[end] and abs(people[end] - others) <= CLOSE * people[end]:
            is_total[end] = True
    if is_total.all():
        is_total[:] = False
    top = {
        row
        for row in np.flatnonzero(is_total)
        if (parent == row).sum() >= 0.999 * (~is_total).sum()
    }
    parent = np.where(np.isin(parent, list(top)) | is_total, -1, parent)
    return Totals(is_total, parent)


def named_totals(names: Sequence[str]) -> np.ndarray:
    """Return which names say that their row is a total."""
    return np.array([bool(words.TOTALS.fullmatch(plain(name))) for name in names], bool)


def turn(parent: np.ndarray) -> np.ndarray:
    """Return the parents of rows in the reverse order."""
    turned = parent[::-1]
    return np.where(turned >= 0, len(parent) - 1 - turned, -1)


def nested(people: np.ndarray, step: float) -> Totals:
    """Return the rows that are the sum of the rows below them, at any depth.

    From the last row upwards, the rows or sums that are still open lie on a stack. A row that is
    the sum of the nearest of them, two at least, closes them. Sums may arise by chance, so they
    count only if nearly all rows belong to one.
    """
    number = len(people)
    most = STEPS * number
    is_total, parent = np.zeros(number, bool), np.full(number, -1)
    stack: list[tuple[float, int]] = []
    amounts, steps = people.tolist(), 0
    for row in range(number - 1, -1, -1):
        amount, total, taken = amounts[row], 0.0, 0
        if amount <= 0.0:
            continue
        for taken, (one, _row) in enumerate(reversed(stack), 1):
            total += one
            slack = 0.5 * step * (taken + 1) if step != 1.0 else 0.25
            if taken > 1 and abs(total - amount) <= slack and steps < most:
                is_total[row] = True
                parent[[child for _one, child in stack[-taken:]]] = row
                del stack[-taken:]
                break
            steps += 1
            if total > amount + slack or steps > most:
                break
        stack.append((amount, row))
    if not is_total.any():
        return Totals(is_total, parent)
    below = np.append(people[1:], 0.0)
    for row in np.flatnonzero(~is_total & (people == below) & (people > 0.0)).tolist():
        siblings = is_total & (parent == parent[row])
        is_known = is_total[row + 1] or parent[row] < 0
        if is_known and parent[row + 1] < 0 and (parent[row] < 0 or siblings.any()):
            is_total[row], parent[row + 1] = True, row  # a province with one region
    leaves = ~is_total & (people > 0.0)
    if float((parent[leaves] >= 0).mean()) < COVERED:
        return Totals(np.zeros(number, bool), np.full(number, -1))
    return Totals(is_total, parent)


def marks(
    names: Sequence[str], codes: Sequence[str] | None, indents: np.ndarray
) -> list[np.ndarray]:
    """Return properties of rows that totals may have in common."""
    found = [indents == indents.min(), np.array([name.isupper() for name in names], bool)]
    if codes is not None:
        lengths = np.array([len(code) for code in codes])
        found += [
            lengths == lengths.min(),
            np.array([code.endswith("000") for code in codes], bool),
        ]
    return found


def extend(is_total: np.ndarray, shared: Sequence[np.ndarray]) -> np.ndarray:
    """Return also the rows that look as all totals and hardly any region do.

    A province whose districts do not add up, because one is missing, is a total all the same.
    """
    number = int(is_total.sum())
    if number < 3:
        return is_total
    for one in shared:
        others = int((one & ~is_total).sum())
        if one[is_total].all() and 0 < others <= 0.25 * number:
            return is_total | one
    return is_total


def by_layout(people: np.ndarray, codes: Sequence[str] | None, indents: np.ndarray) -> np.ndarray:
    """Return rows above indented rows, or whose code begins the codes of the next rows."""
    number, found = len(people), np.zeros(len(people), bool)
    if indents.max() > indents.min():
        found[:-1] = (indents[1:] > indents[:-1]) & (people[:-1] >= people[1:])
        if found.sum() * 2 <= number and (indents[found] == indents.min()).any():
            return found
        found[:] = False
    if codes is not None and len({len(code) for code in codes}) > 1:
        found[:-1] = [
            len(one) < len(other) and other.startswith(one) and one != ""
            for one, other in pairwise(codes)
        ]
        found &= people >= np.append(people[1:], 0.0)
    return found


def last_before(is_total: np.ndarray) -> np.ndarray:
    """Return the nearest total above each row; -1 if there is none."""
    rows = np.where(is_total, np.arange(len(is_total)), -1)
    return np.maximum.accumulate(rows)


# Columns that choose rows -------------------------------------------------------------------------


def part_columns(columns: Sequence[Column], keys: np.ndarray) -> list[tuple[Column, str]]:
    """Return the columns that cut regions into parts, each with the value of the whole.

    ``keys`` has the name or code of each row: every region must have a row of the whole.
    """
    found = []
    for column in columns:
        if not 1 < column.distinct <= MOST_VALUES:
            continue
        texts = column.layout.texts(column.number)
        whole = [text for text in pd.unique(texts) if words.is_whole(text)]
        people = [text for text in pd.unique(texts) if words.count(text, words.PEOPLE)]
        whole = whole or (people if len(people) == 1 else [])  # one of several indicators
        if not whole:
            continue
        rows = texts == whole[0]
        if rows.sum() > 1 and set(keys[rows]) == set(keys) and len(set(keys)) * 1.5 < len(keys):
            found.append((column, whole[0]))
    return found


def year_column(columns: Sequence[Column], keys: np.ndarray) -> tuple[Column, str] | None:
    """Return the column of years of which regions have several, and the latest of all of them."""
    for column in columns:
        texts = column.layout.texts(column.number)
        if not 1 < column.distinct <= MOST_VALUES or not column.has(words.YEARS):
            continue
        values = [text for text in pd.unique(texts) if text]
        values.sort(key=lambda text: (words.years(text), text))
        if not all(PERIOD.fullmatch(value) for value in values):
            continue
        if len(set(keys)) == len(keys):
            continue
        for value in reversed(values):
            if len(set(keys[texts == value])) >= 0.95 * len(set(keys)):
                return column, value
    return None


def level_column(
    columns: Sequence[Column], people: np.ndarray, is_total: np.ndarray
) -> tuple[Column, list[str]] | None:
    """Return the column of levels, and the values of its lowest level.

    A value is of a higher level if its rows are sums, or if all its people are those of another
    value with more rows.
    """
    for column in columns:
        texts = column.layout.texts(column.number)
        if not 1 < column.distinct <= 12 or not (column.has(words.LEVELS) or has_levels(texts)):
            continue
        frame = pd.DataFrame({"level": texts, "people": np.nan_to_num(people), "total": is_total})
        frame = frame[frame["level"] != ""]
        by_level = frame.groupby("level", sort=False).agg(
            people=("people", "sum"), rows=("people", "size"), total=("total", "mean")
        )
        upper = set(by_level.index[by_level["total"] >= 0.9])
        for level, row in by_level.iterrows():
            more = by_level[by_level["rows"] > row["rows"]]
            if len(more) and (abs(more["people"] / max(row["people"], 1.0) - 1.0) <= 0.005).any():
                upper.add(level)
        lower = [str(level) for level in by_level.index if level not in upper]
        if upper and lower:
            return column, lower
    return None


def has_levels(texts: np.ndarray) -> bool:
    """Whether values are names of administrative levels, as STATE and DISTRICT."""
    values = [text for text in pd.unique(texts) if text]
    named = [words.count(text, words.TIERS | words.UNITS) > 0 for text in values]
    return 2 * len(values) <= len(texts) and sum(named) >= 0.6 * len(named)
