"""A table and a map of the same regions: which shape belongs to which row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kolabsim.i18n import N_, _
from kolabsim.scenario.importer.decisions import CERTAIN, LIKELY, Record, list_names
from kolabsim.scenario.importer.sheets import Sheet
from kolabsim.scenario.importer.words import plain

ENOUGH = 0.5
"""Share of the regions that must be on a map before it is taken for theirs."""


def match_shapes(
    sheet: Sheet, codes: Sequence[str], names: Sequence[str], record: Record
) -> list[np.ndarray]:
    """Return the features of each region: by the property that has most of the codes, or names.

    Raises :class:`~kolabsim.errors.InputError` if no property has half of them.
    """
    header, body = sheet.cells[0], sheet.cells[1:]
    best: tuple[int, int, str] = (0, 0, "code")
    for kind, wanted in (("code", set(map(bare, codes))), ("name", set(map(plain, names)))):
        for column in range(len(header)):
            found = {(bare if kind == "code" else plain)(text) for text in body[:, column]} - {""}
            if len(found & wanted) > best[0]:
                best = (len(found & wanted), column, kind)
    number, column, kind = best
    if number < ENOUGH * len(codes):
        message = _(
            "the map has few of the regions: the best property is '{property}' with {first}, and "
            "the table has the codes {codes}; use a map with these codes or names"
        )
        raise record.fail(
            message, property=header[column], first=list_names(list(body[:3, column])),
            codes=list_names(list(codes)[:3]),
        )  # fmt: skip
    key = bare if kind == "code" else plain
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(body[:, column]):
        rows.setdefault(key(text), []).append(row)
    found_rows = [
        np.array(rows.get(key(one), []), dtype=int) for one in (codes if kind == "code" else names)
    ]
    without = [name for name, one in zip(names, found_rows, strict=True) if not len(one)]
    record.note(
        "shapes", str(header[column]),
        N_("this property of the map has {number} of {all} regions; without a shape: {without}"),
        number=len(codes) - len(without), all=len(codes), certainty=LIKELY if without else CERTAIN,
        without=list_names(without, 3) or "-",
    )  # fmt: skip
    return found_rows


def bare(code: str) -> str:
    """Return a code without points and leading zeros, which offices write or leave out."""
    return plain(code).replace(".", "").lstrip("0")
