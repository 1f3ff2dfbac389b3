"""Numbers as people write them: thousands and decimals by the signs that a whole column uses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kolabsim.scenario.importer import words

Texts = Sequence[str] | np.ndarray
"""Cells of a column."""
BLANKS = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_BEFORE = r"(?i)^(?:Rp\.?|IDR|PHP|USD|EUR|[$€£₱])\s*"
_MARK = (
    r"\*+|\([a-zA-Z0-9]{1,2}\)|\[[^\]]{1,10}\]|[¹²³⁰-⁹]+[)⁾]?|[†‡]+|,-|%|"
    r"(?:jiwa|orang|persons|people|inhabitants|hab\.?|Einw\.?|km²|km2|ha|人)"
)
AFTER = rf"(?:\s*(?:{_MARK}))*(?:\s[a-zA-Z]{{1,3}})?(?:\s*(?:{_MARK}))*"
"""Currencies before a number; marks of footnotes and units after it."""
_AROUND = f"{_BEFORE}|{AFTER}$"
SAMPLED = 400
"""Cells of a column that are looked at before it is chosen."""


@dataclass(frozen=True)
class Format:
    """How numbers are written: the signs between thousands and before decimals."""

    thousands: str
    decimal: str

    @property
    def pattern(self) -> str:
        """The regular expression of a whole cell."""
        t, d = re.escape(self.thousands), re.escape(self.decimal)
        fraction = rf"(?:{d}\d+)?"
        if not t:
            return rf"[-+]?(?:\d+{d}?\d*|{d}\d+)(?:[eE][-+]?\d+)?"
        groups = rf"[1-9]\d{{0,2}}(?:{t}\d{{3}})+"
        if self.thousands == ",":  # also as in India: 12,34,567
            groups = rf"(?:{groups}|\d{{1,2}}(?:{t}\d{{2}})+{t}\d{{3}})"
        return rf"[-+]?(?:{groups}|\d+){fraction}"


FORMATS = tuple(
    Format(*signs)
    for signs in (("", "."), ("", ","), (",", "."), (".", ","), (" ", ","), (" ", "."),
                  ("'", "."), ("'", ","))
)  # fmt: skip
TWO_WAYS = re.compile(r"[-+]?[1-9]\d{0,2}([.,])\d{3}")
"""A number whose sign may separate thousands or decimals."""


@dataclass(frozen=True)
class Numbers:
    """The numbers of a column."""

    values: np.ndarray
    """The numbers, NaN where a cell has none."""
    missing: np.ndarray
    """Cells that are empty or say that the number is unknown."""
    wrong: np.ndarray
    """Cells that say something else."""
    format: Format | None
    """How they are written; None if they come as numbers, or as digits alone."""
    other: Format | None = None
    """Another format that fits every cell and gives other numbers."""

    @property
    def share(self) -> float:
        """The share of the cells with content that are numbers."""
        filled = np.count_nonzero(~self.missing)
        return float(np.isfinite(self.values).sum() / filled) if filled else 0.0


def clean(texts: Texts) -> pd.Series:
    """Return cells without currencies, units, marks of footnotes and kinds of blanks."""
    cells = pd.Series(np.asarray(texts, dtype=object), dtype="string")
    odd = ~cells.str.fullmatch(r"[-+]?[\d.,]+").fillna(False)
    if odd.any():
        cells[odd] = _clean_odd(cells[odd])
    return cells


def _clean_odd(cells: pd.Series) -> pd.Series:
    """Return the cells that have more than digits, points and commas."""
    cells = cells.str.replace(BLANKS, " ", regex=True).str.strip()
    cells = cells.str.replace("[’‘`´ʼ]", "'", regex=True).str.replace("[−–]", "-", regex=True)
    return cells.str.replace(_AROUND, "", regex=True)


def read_numbers(
    texts: Texts,
    typed: np.ndarray | None = None,
    *,
    whole: bool = False,
    decimal: str | None = None,
) -> Numbers:
    """Read the numbers of a column.

    Parameters
    ----------
    texts
        The cells.
    typed
        The numbers of those cells that a workbook or map stores as numbers, NaN elsewhere.
    whole
        Whether whole numbers are expected, as of people: ``19.801`` then has a sign between
        thousands. Otherwise it has three decimals.
    decimal
        ``point`` or ``comma``, if it is known.
    """
    raw = pd.Series(np.asarray(texts, dtype=object), dtype="string")
    values = np.full(len(raw), np.nan) if typed is None else typed.astype(float)
    is_text = ~np.isfinite(values)
    if not is_text.any():
        nothing = np.zeros(len(raw), bool)
        return Numbers(values, nothing, nothing, None)
    cells = clean(np.asarray(texts, dtype=object)[is_text])
    missing = np.zeros(len(raw), bool)
    missing[is_text] = cells.isin(words.MISSING).to_numpy(bool) | (
        raw[is_text].isin(words.MISSING).to_numpy(bool)
    )
    filled = is_text & ~missing
    if not filled.any():
        return Numbers(values, missing, filled, None)
    cells = cells[~missing[is_text]]
    chosen, other = choose_format(cells, whole=whole, decimal=decimal)
    fits = cells.str.fullmatch(chosen.pattern).fillna(False).to_numpy(bool)
    numbers = cells
    if chosen.thousands:
        numbers = numbers.str.replace(chosen.thousands, "", regex=False)
    if chosen.decimal == ",":
        numbers = numbers.str.replace(",", ".", regex=False)
    found = pd.to_numeric(numbers.where(fits), errors="coerce").to_numpy(float, na_value=np.nan)
    values[filled] = found
    wrong = filled & ~np.isfinite(values)
    digits = bool(cells.str.fullmatch(r"[-+]?\d+").fillna(False)[fits].all())
    return Numbers(values, missing, wrong, None if digits else chosen, other)


def choose_format(
    cells: pd.Series, *, whole: bool, decimal: str | None
) -> tuple[Format, Format | None]:
    """Return the format that fits most cells, and another one that fits as many."""
    sign = {"point": ".", "comma": ","}.get(decimal or "")
    present = {one for one in ".,' " if cells.str.contains(one, regex=False).any()}
    possible = [
        one for one in FORMATS
        if (not one.thousands or one.thousands in present)
        and one.decimal in ({sign} if sign else present | {"," if one.thousands == "." else "."})
    ]  # fmt: skip
    possible = possible or [one for one in FORMATS if sign is None or one.decimal == sign]
    for mark in present & {".", ","} if whole and sign is None else ():
        marked = cells[cells.str.contains(mark, regex=False)]
        grouped = marked.str.fullmatch(rf"[-+]?[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+").mean()
        if len(marked) > 2 and 0.75 <= grouped < 1.0:  # the others are wrong
            return Format(mark, "," if mark == "." else "."), None
    fits = {one: int(cells.str.fullmatch(one.pattern).fillna(False).sum()) for one in possible}
    most = max(fits.values())
    best = [one for one in possible if fits[one] == most]
    if len(best) == 1:
        return best[0], None
    grouped = [one for one in best if one.thousands and one.thousands in present]
    plain = [one for one in best if not one.thousands and one.decimal in present]
    if grouped and plain and decimal is None:
        return (grouped[0], plain[0]) if whole else (plain[0], grouped[0])
    return (grouped or plain or best)[0], None


ANGLE = re.compile(
    r"(?P<d>\d{1,3}(?:[.,]\d+)?)\s*(?:°|º|deg|d)\s*(?:(?P<m>\d{1,2}(?:[.,]\d+)?)\s*['’′]\s*)?"
    r"(?:(?P<s>\d{1,2}(?:[.,]\d+)?)\s*(?:\"|”|″|''|’’)?\s*)?(?P<side>[NSEWOUTB]|LU|LS|BT|BB)?\.?",
    re.IGNORECASE,
)
"""An angle in degrees, minutes and seconds; LS and BB are south and west in Indonesian."""


def read_degrees(
    texts: Texts, typed: np.ndarray | None = None, *, decimal: str | None = None
) -> Numbers:
    """Read a column of latitudes or longitudes, in decimal degrees or as ``7°48'12" S``."""
    found = read_numbers(texts, typed, decimal=decimal)
    for row in np.flatnonzero(found.wrong):
        text = str(texts[int(row)]).strip()
        before = re.match(r"(N|S|E|W|LS|LU|BT|BB)\s*(?=\d)", text, re.IGNORECASE)
        if before:
            text = f"{text[before.end() :]} {before[1]}"
        match = ANGLE.fullmatch(text.lstrip("-"))
        side = re.fullmatch(r"(\d+(?:[.,]\d+)?)\s*(N|S|E|W|LS|LU|BT|BB)", text, re.IGNORECASE)
        if match:
            parts = [float((match[k] or "0").replace(",", ".")) for k in "dms"]
            angle, where = parts[0] + parts[1] / 60.0 + parts[2] / 3600.0, match["side"] or ""
        elif side:
            angle, where = float(side[1].replace(",", ".")), side[2]
        else:
            continue
        is_negative = text.startswith("-") or where.upper() in {"S", "W", "LS", "BB"}
        found.values[row] = -angle if is_negative else angle
        found.wrong[row] = False
    return found
