"""Columns whose cells hold several things: a place, a shape, or a code before a name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from kolabsim.scenario.importer.sheets import Geometry, Sheet
from kolabsim.scenario.importer.words import plain

MOST = 0.8
"""Share of the cells of a column that must have the same form."""
PLACE = re.compile(r"[(\[]?\s*(-?\d{1,3}\.\d+)°?\s*[,;/ ]\s*(-?\d{1,3}\.\d+)°?\s*[)\]]?")
CODED = re.compile(r"([A-Z]{0,3}\d[\dA-Z]{1,11})\s*(?:[-–:]\s*)?(?<=[\s\-–:])([^\W\d_].{2,})")
SHAPE = re.compile(
    r"(?:SRID=(\d+);)?\s*((?:MULTI)?(?:POLYGON|POINT)\s*(?:Z|M|ZM)?\s*\(.*)", re.DOTALL | re.I
)


def unfold(sheet: Sheet) -> Sheet:
    """Return a sheet in which every such column is two columns, or shapes of its rows."""
    if sheet.geometries or min(sheet.cells.shape, default=0) < 2:
        return sheet
    for column in range(sheet.cells.shape[1] - 1, -1, -1):
        texts = sheet.cells[:, column]
        if _share(texts, PLACE):
            sheet = _split(sheet, column, PLACE, lambda label: _place_labels(label))
        elif _share(texts, CODED):
            sheet = _split(sheet, column, CODED, lambda label: (f"{label} code", label))
        elif find_spec("shapely") and (_share(texts, SHAPE) or _share(texts, re.compile("{.*"))):
            return _with_shapes(sheet, column)
    return sheet


def _share(texts: np.ndarray, form: re.Pattern[str]) -> bool:
    """Whether most cells of a column have a form."""
    filled = [text for text in texts if text]
    if len(filled) < 3 or not any(form.fullmatch(text) for text in filled[:30]):
        return False
    found = [match for text in filled if (match := form.fullmatch(text))]
    if form is CODED:  # and not an amount before its unit
        if len({match[2] for match in found}) < 0.5 * len({match[0] for match in found}):
            return False
        if len({len(match[1]) for match in found}) > 2:
            return False
    return len(found) >= MOST * (len(filled) - 1)


def _split(
    sheet: Sheet, column: int, form: re.Pattern[str], labels: Callable[[str], tuple[str, str]]
) -> Sheet:
    """Return a sheet with two columns in place of one; a text of another form is a name."""
    texts, pairs = sheet.cells[:, column], []
    first = next(row for row, text in enumerate(texts) if form.fullmatch(text))
    header = max((row for row in range(first) if texts[row]), default=-1)
    for row, text in enumerate(texts):
        match = form.fullmatch(text)
        other = ("", text) if form is CODED or row < first else ("", "")
        pairs.append((match[1], match[2]) if match else labels(text) if row == header else other)
    new = np.array(pairs, dtype=object).reshape(len(texts), 2)
    cells = np.hstack([sheet.cells[:, :column], new, sheet.cells[:, column + 1 :]])
    typed = sheet.typed
    if typed is not None:
        typed = np.insert(typed, column, np.nan, axis=1)
        typed[:, column + 1] = np.nan
    merged = tuple(
        ((top, left + (left > column)), (bottom, right + (right >= column)))
        for (top, left), (bottom, right) in sheet.merged
    )
    indents = sheet.indents
    if column < indents.shape[1]:
        indents = np.insert(indents, column, 0, axis=1)
    return replace(sheet, cells=cells, typed=typed, merged=merged, indents=indents)


def _place_labels(label: str) -> tuple[str, str]:
    """Return the names of the columns of a place; x or longitude comes first if it says so."""
    names = (f"{label} latitude".strip(), f"{label} longitude".strip())
    return names[::-1] if re.match(r"\W*(?:lon|lng|x\b|bujur)", plain(label)) else names


def _with_shapes(sheet: Sheet, column: int) -> Sheet:
    """Return a sheet whose rows have the shapes that a column writes as text."""
    import shapely

    shapes: list[Geometry | None] = []
    projection = ""
    for text in sheet.cells[1:, column]:
        match = SHAPE.fullmatch(text)
        try:
            if match:
                projection = f"EPSG:{match[1]}" if match[1] else projection
                shapes.append(json.loads(shapely.to_geojson(shapely.from_wkt(match[2]))))
            else:
                found = json.loads(text) if text.startswith("{") else None
                shapes.append(found.get("geometry", found) if found else None)
        except (ValueError, shapely.errors.ShapelyError):
            shapes.append(None)
    rest = np.delete(np.arange(sheet.cells.shape[1]), column)
    typed = None if sheet.typed is None else sheet.typed[:, rest]
    return replace(
        sheet, cells=sheet.cells[:, rest], typed=typed, indents=sheet.indents[:, :0],
        has_header=True, geometries=tuple(shapes), projection=projection,
    )  # fmt: skip
