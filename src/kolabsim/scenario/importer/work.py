"""A table while it is being understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from kolabsim.scenario.importer.columns import Column, all_columns, area_factor
from kolabsim.scenario.importer.decisions import Record, Rows
from kolabsim.scenario.importer.numbers import Numbers, read_degrees, read_numbers
from kolabsim.scenario.importer.table import Layout

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
        cells = self.layout.sheet.cells[self.layout.rows]
        first = np.asarray(cells[np.arange(len(cells)), (cells != "").argmax(axis=1)])
        if not self.chosen.get("name"):
            return first
        names = self.texts("name")
        return np.where(names == "", first, names)

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
