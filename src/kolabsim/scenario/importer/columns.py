"""What the columns of a table mean, by their names and by their content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from kolabsim.errors import suggestion
from kolabsim.i18n import N_, _
from kolabsim.scenario.importer import words
from kolabsim.scenario.importer.decisions import CERTAIN, GIVEN, LIKELY, Record, list_names, quote
from kolabsim.scenario.importer.numbers import SAMPLED, Numbers, read_degrees, read_numbers
from kolabsim.scenario.importer.table import Layout
from kolabsim.scenario.importer.words import count, tokens

Columns = dict[str, tuple[int, ...]]
"""The columns of each attribute; several are added or joined."""


@dataclass(eq=False)
class Column:
    """A column, and what a sample of its cells looks like."""

    layout: Layout
    number: int
    decimal: str | None = None
    seen: dict[str, object] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name."""
        return self.layout.labels[self.number]

    @cached_property
    def _sample(self) -> np.ndarray:
        rows = len(self.layout.rows)
        if rows <= SAMPLED:
            return np.arange(rows)
        return np.linspace(0, rows - 1, SAMPLED).astype(int)

    @cached_property
    def texts(self) -> np.ndarray:
        """The cells of the sample that are not empty."""
        found = self.layout.texts(self.number)[self._sample]
        return found[found != ""]

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers of the sample."""
        typed = self.layout.typed(self.number)
        part = None if typed is None else typed[self._sample]
        texts = self.layout.texts(self.number)[self._sample]
        return read_numbers(texts, part, decimal=self.decimal)

    @cached_property
    def finite(self) -> np.ndarray:
        """The finite numbers of the sample."""
        return self.numbers.values[np.isfinite(self.numbers.values)]

    @cached_property
    def is_empty(self) -> bool:
        """Whether no cell has content."""
        return not (self.layout.texts(self.number) != "").any()

    @cached_property
    def is_numeric(self) -> bool:
        """Whether nearly all cells with content are numbers."""
        return len(self.finite) > 0 and self.numbers.share >= 0.7

    @cached_property
    def distinct(self) -> int:
        """Number of different contents, in the whole column."""
        texts = self.layout.texts(self.number)
        return int(pd.Series(texts[texts != ""]).nunique())

    @cached_property
    def filled(self) -> int:
        """Number of cells with content, in the whole column."""
        return int((self.layout.texts(self.number) != "").sum())

    def has(self, vocabulary: frozenset[str]) -> int:
        """How many words of its name are in a vocabulary."""
        return count(self.label, vocabulary)

    def within(self, low: float, high: float) -> bool:
        """Whether all numbers lie in a range, and differ."""
        found = self.finite
        return len(found) > 0 and low <= float(found.min()) and float(found.max()) <= high


def all_columns(layout: Layout, decimal: str | None) -> list[Column]:
    """Return the columns of a table that have content."""
    found = [Column(layout, number, decimal) for number in range(len(layout.labels))]
    return [column for column in found if not column.is_empty]


def named_columns(layout: Layout, record: Record, attribute: str) -> tuple[int, ...] | None:
    """Return and note the columns that the user named for an attribute; None without any."""
    wanted = record.given.get("columns", {}).get(attribute)
    if wanted is None:
        return None
    exact = find_label(layout.labels, wanted)
    found = [] if exact is None else [exact]
    for part in [] if found else wanted.split(" + " if " + " in wanted else "+"):
        number = find_label(layout.labels, part.strip())
        if number is None:
            message = _("there is no column '{column}'{suggestion}")
            hint = suggestion(part.strip(), layout.labels)
            raise record.fail(message, column=part.strip(), suggestion=hint)
        found.append(number)
    label = " + ".join(layout.labels[number] for number in found)
    record.note(attribute, label, N_("you named the column"), certainty=GIVEN, answer="columns")
    return tuple(found)


def find_label(labels: Sequence[str], wanted: str) -> int | None:
    """Return the column of this name, by its exact spelling or its words."""
    if wanted in labels:
        return labels.index(wanted)
    alike = [k for k, label in enumerate(labels) if tokens(label) == tokens(wanted) != ()]
    return alike[0] if len(alike) == 1 else None


# Places, area, price ------------------------------------------------------------------------------


def choose_places(layout: Layout, columns: list[Column], record: Record) -> Columns:
    """Return the columns of latitude and longitude, by name and range, or else by content."""
    given = {
        attribute: numbers
        for attribute in ("latitude", "longitude")
        if (numbers := named_columns(layout, record, attribute)) is not None
    }
    if len(given) == 2:
        return given
    pairs = []
    for north in (c for c in columns if c.has(words.LATITUDES)):
        for east in (c for c in columns if c.has(words.LONGITUDES) and c.number != north.number):
            rest = [
                tuple(t for t in tokens(c.label) if t not in words.LATITUDES | words.LONGITUDES)
                for c in (north, east)
            ]
            is_short = max(len(t) for t in tokens(north.label)) > 1
            pairs.append((rest[0] == rest[1], is_short, -north.number, north, east))
    for _same, _short, _first, north, east in sorted(pairs, key=lambda p: p[:3], reverse=True):
        found = ranges(layout, north, east)
        if found is None:
            continue
        if found:
            note_places(record, north, east, N_("recognised by its name and values"), CERTAIN)
            return {"latitude": (north.number,), "longitude": (east.number,)}
        note_places(
            record,
            east,
            north,
            N_("numbers above 90 are longitudes, whatever the name says"),
            LIKELY,
        )
        return {"latitude": (east.number,), "longitude": (north.number,)}
    return {}


def ranges(layout: Layout, north: Column, east: Column) -> bool | None:
    """Return whether two columns are degrees north and east; False: exchanged; None: neither."""
    found = []
    for column in (north, east):
        typed = layout.typed(column.number)
        numbers = read_degrees(layout.texts(column.number), typed, decimal=column.decimal)
        values = numbers.values[np.isfinite(numbers.values)]
        if len(values) == 0 or numbers.share < 0.7:
            return None
        found.append(np.abs(values))
    bad_north, bad_east = float(np.mean(found[0] > 90.0)), float(np.mean(found[1] > 180.0))
    if max(bad_north, bad_east) > 0.5:
        return (
            False
            if bad_north <= 1.0
            and bad_east == 0.0
            and found[1].max() <= 90.0
            and (found[0].max() <= 180.0)
            else None
        )
    return True


def note_places(record: Record, north: Column, east: Column, why: str, certainty: str) -> None:
    """Note the columns of the places."""
    for attribute, column in (("latitude", north), ("longitude", east)):
        record.note(attribute, column.label, why, certainty=certainty, answer="columns")


def choose_area(
    layout: Layout, columns: list[Column], record: Record, used: set[int]
) -> tuple[int, ...]:
    """Return the column of the area, by its name."""
    given = named_columns(layout, record, "area_km2")
    if given is not None:
        return given
    for column in columns:
        is_free = column.number not in used and column.is_numeric and column.has(words.SURFACES)
        if not is_free or column.has(words.NOT_PEOPLE - {"km2"}) or "per" in tokens(column.label):
            continue
        if float(column.finite.min()) >= 0.0:
            record.note(
                "area_km2", column.label, N_("recognised by its name"), certainty=LIKELY,
                answer="columns",
            )  # fmt: skip
            return (column.number,)
    return ()


AREA_UNITS: Mapping[str, float] = {
    "hectares": 0.01,
    "hektar": 0.01,
    "ha": 0.01,
    "acres": 0.00404686,
    "m": 1e-6,
}
"""Square kilometres of a unit of area."""


def area_factor(label: str) -> float:
    """Return the square kilometres of the unit that a column's name states."""
    text = words.plain(label)
    if re.search(r"\bm2\b|\bsq\.? ?m\b|m\^2", text):
        return AREA_UNITS["m"]
    if re.search(r"\bsq\.? ?mi|\bmi2\b|square miles?", text):
        return 2.589988
    return next(
        (f for unit, f in AREA_UNITS.items() if len(unit) > 1 and unit in tokens(label)), 1.0
    )


# Names, codes, tiers ------------------------------------------------------------------------------


def choose_name(
    layout: Layout, columns: list[Column], record: Record, used: set[int]
) -> tuple[int, ...]:
    """Return the column of the names: of those with words for it, the one that differs most."""
    given = named_columns(layout, record, "name")
    if given is not None:
        return given
    texts = [c for c in columns if c.number not in used and c.numbers.share < 0.5]
    texts = [c for c in texts if not is_code_like(c) or is_called_name(c)]
    if not texts:
        return ()
    best = max(texts, key=lambda c: (name_score(c), -c.number))
    why = N_("recognised by its name") if name_score(best) >= 6.0 else N_("its texts differ most")
    record.note("name", best.label, why, certainty=LIKELY, answer="columns")
    return (best.number,)


def name_score(column: Column) -> float:
    """Return how well a column with texts fits the names of regions."""
    score = 6.0 * column.distinct / max(1, len(column.layout.rows))
    score += 3.0 * bool(column.has(words.NAMES)) + 2.0 * bool(column.has(words.UNITS))
    score -= 1.5 * bool(column.has(words.TIERS) and not column.has(words.UNITS - words.TIERS))
    score -= 4.0 * bool(column.has(words.CODES) or column.has(words.LEVELS))
    level = re.search(r"(?:adm|level|lev|name)_?(\d)", words.plain(column.label))
    if level:
        score += 2.0 + 0.5 * int(level[1])
    return score + (
        0.5 if re.search(r"_(?:en|id|latn?)$|\ben\b", words.plain(column.label)) else 0.0
    )


def is_code_like(column: Column) -> bool:
    """Whether the cells look like codes: short, without blanks, with digits in most of them."""
    texts = column.texts
    if not len(texts):
        return False
    coded = [
        bool(re.fullmatch(r"[A-Za-z]{0,4}[-_.]?\d[\dA-Za-z.\-_/]{0,19}", t)) for t in texts[:100]
    ]
    return sum(coded) >= 0.9 * len(coded)


def could_be_code(column: Column) -> bool:
    """Whether numbers without a word for codes in their column's name may be codes."""
    zeros = any(text.startswith("0") and len(text) > 1 for text in column.texts)
    return zeros or bool(column.has(words.UNITS | words.TIERS))


def is_called_name(column: Column) -> bool:
    """Whether a column's name says that it holds names, and not codes."""
    return bool(column.has(words.NAMES)) and not column.has(words.CODES)


def code_score(column: Column) -> float:
    """Return how well a column fits the codes of regions; 0: not at all."""
    label = column.label
    named = column.has(words.CODES)
    if column.has(words.NOT_CODES | words.YEARS) or is_called_name(column):
        return 0.0
    if column.has(words.PEOPLE) or column.has(words.SURFACES):
        return 0.0
    score = 0.0
    if named:
        score = 5.0
    elif is_weakly_named(column):
        score = 3.0
    if is_code_like(column):
        lengths = {len(text) for text in column.texts}
        score += 2.0 if len(lengths) == 1 else 1.0 if len(lengths) <= 3 else 0.5
        score += 0.5 * any(text.startswith("0") for text in column.texts)
    elif score == 0.0:
        return 0.0
    if score < 3.0 and column.is_numeric and not could_be_code(column):
        return 0.0
    score += 0.6 * bool(column.has(words.UNITS - words.TIERS))
    if named and column.has(words.TIERS) and not column.has(words.UNITS - words.TIERS):
        score -= 1.0
    if re.search(r"alfanum|alphanum", words.plain(label)):
        score += 0.5
    level = re.search(r"(?:adm|level|lev)_?(\d)", words.plain(label))
    return score + (0.5 * int(level[1]) if level else 0.0)


def is_weakly_named(column: Column) -> bool:
    """Whether a column's name has a word for codes and no other but words for regions."""
    others = [t for t in tokens(column.label) if t not in words.CODES_WEAK and not t.isdigit()]
    return bool(column.has(words.CODES_WEAK)) and all(
        t in words.UNITS | words.TIERS for t in others
    )


def is_measured(column: Column) -> bool:
    """Whether numbers are measured and no codes: they have decimals, or lengths of all kinds."""
    if not column.is_numeric:
        return False
    lengths = {len(text) for text in column.texts}
    has_decimals = column.numbers.format is not None and bool((column.finite % 1).any())
    return len(lengths) > 3 or (has_decimals and len(lengths) > 1)


def code_candidates(columns: list[Column], used: set[int]) -> list[Column]:
    """Return the columns that may hold codes, the likely one first."""
    fits = [c for c in columns if c.number not in used and code_score(c) > 0.0]
    fits = [c for c in fits if code_score(c) >= 3.0 or not is_measured(c)]
    return sorted(fits, key=lambda c: (is_row_number(c), -code_score(c), c.number))


def is_row_number(column: Column) -> bool:
    """Whether a column numbers the rows: 1, 2, 3 ... under No or ID."""
    label = tokens(column.label)
    if not column.is_numeric or not label or set(label) - words.ROW_NUMBERS:
        return False
    found, rows = column.finite, len(column.layout.rows)
    return bool((np.diff(found) > 0).all() and found[0] >= 0 and found[-1] <= 1.3 * rows + 3)


def choose_tier(
    layout: Layout, columns: list[Column], record: Record, used: set[int]
) -> tuple[int, ...]:
    """Return the column of what regions belong to; of several, the one with most texts."""
    given = named_columns(layout, record, "tier")
    if given is not None:
        return given
    rows = len(layout.rows)
    fits = [
        c for c in columns
        if c.number not in used
        and (c.has(words.TIERS) or re.search("(?:adm|name)_?[01]", words.plain(c.label)))
        and not c.has(words.PEOPLE | words.SURFACES)
        and not is_measured(c) and (c.distinct < rows or rows <= 2)
        and not c.has(words.LEVELS - {"administrative"})
    ]  # fmt: skip
    if not fits:
        return ()
    best = max(fits, key=lambda c: (not is_code_like(c), c.distinct, -c.number))
    others = [c.label for c in fits if c is not best]
    why = N_("recognised by its name; {number} different values")
    record.note("tier", best.label, why, number=best.distinct, certainty=LIKELY,
                alternatives=others, answer="columns")  # fmt: skip
    return (best.number,)


def describe(column: Column) -> str:
    """Return a column's name and its first cells."""
    return f"{quote(column.label)}: {list_names(list(column.texts[:3]))}"
