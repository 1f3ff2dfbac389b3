"""The steps of an import, from the bytes of a file to regions, in their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kolabsim.errors import InputError, Problem
from kolabsim.i18n import _
from kolabsim.scenario.importer.borders import Outlines, read_outlines
from kolabsim.scenario.importer.codes import choose_codes, merge_duplicates, tiers_of, unite_parts
from kolabsim.scenario.importer.decisions import (
    ANSWERS,
    ATTRIBUTES,
    Record,
    check_answers,
)
from kolabsim.scenario.importer.joining import match_shapes
from kolabsim.scenario.importer.maps import in_degrees
from kolabsim.scenario.importer.places import note_map, read_places
from kolabsim.scenario.importer.population import (
    apply_unit,
    check_people,
    drop_missing,
    note_format,
    read_people,
)
from kolabsim.scenario.importer.reading import Files, gather, read_sheets, split_map
from kolabsim.scenario.importer.result import Imported, Source
from kolabsim.scenario.importer.sheets import Sheet
from kolabsim.scenario.importer.steps import (
    choose_others,
    choose_rows,
    choose_sheet,
    drop_notes,
    drop_totals,
    filter_rows,
)
from kolabsim.scenario.importer.table import find_layout
from kolabsim.scenario.importer.words import tokens, years
from kolabsim.scenario.importer.work import Work, clean_names, numbers_in, numbers_of
from kolabsim.scenario.outlines import name_some, repair, too_tangled

AnySource = str | Path | Mapping[str, bytes]
"""A path, or files by name."""


def read(
    source: AnySource,
    *,
    shapes: AnySource | None = None,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    rows: Mapping[str, str] | str | None = None,
    header: int | str | None = None,
    sheet: str | int | None = None,
    drop_totals: bool | None = None,
    missing: str | None = None,
    duplicates: str | None = None,
    places: str | None = None,
    unit: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    projection: str | None = None,
    decisions: str | Path | Mapping[str, Any] | None = None,
) -> Imported:
    """Read regions from a table or map of any kind.

    Parameters
    ----------
    source
        A path; or files by name, as they are uploaded. CSV of any encoding and separator, Excel,
        OpenDocument, JSON, GeoJSON, a shapefile with the files beside it, GeoPackage, or a ZIP
        archive of one of them.
    shapes
        A map of the same regions, if ``source`` is a table: its shapes are found by codes or names.
        Among files by name it is recognised.
    columns
        Columns by attribute, where they are not recognised: ``{"population": "Total 2023"}``, or
        ``["population=Total 2023"]``. ``"A + B"`` adds two columns of numbers, and joins two of
        codes. Attributes: code, name, population, tier, area_km2, latitude, longitude, price.
    rows
        The rows to keep: ``"Level=DISTRICT,TRU=Total"`` or a mapping; ``"Level=City|Town"`` keeps
        both.
    header
        Line of the header, or its first and last line: ``"3-4"``.
    sheet
        Name or number of the sheet of a workbook, or the file in an archive.
    drop_totals
        True leaves out rows that are the sum of others; False keeps them as regions.
    missing
        ``"leave-out"``: do without regions that have no population.
    duplicates
        Rows with the same code: keep the ``"first"``, or ``"sum"`` their people.
    places
        Places that lie far from all others: ``"swap"`` latitude and longitude, ``"keep"`` or
        ``"leave-out"``.
    unit
        What the population counts: ``"persons"``, ``"thousands"`` or ``"millions"``.
    decimal
        The sign before decimals: ``"point"`` or ``"comma"``.
    encoding
        Encoding of a text file: ``"cp1252"``.
    separator
        Sign between cells: ``"comma"``, ``"semicolon"``, ``"tab"`` or ``"bar"``.
    projection
        Coordinate system of a map that does not name it: ``"EPSG:32748"``.
    decisions
        An earlier import to repeat, also with next year's file: ``import.json`` or its content.
        Other arguments take precedence.

    Returns
    -------
    Imported
        Regions, shapes, land neighbours, and all decisions.

    Raises
    ------
    InputError
        If the source cannot be read, or a question is open: one sentence for each, with what was
        seen and what to type.
    """
    found, record = _understand(source, shapes, _given(locals()), decisions)
    record.raise_questions()
    return found


def examine(
    source: AnySource,
    *,
    shapes: AnySource | None = None,
    decisions: str | Path | Mapping[str, Any] | None = None,
    **answers: Any,
) -> Imported:
    """Read regions as :func:`read` does, and return open questions in place of refusing.

    Until a question is answered, its likely answer holds. ``answers`` are the arguments of
    :func:`read`. Raises :class:`~kolabsim.errors.InputError` only if there is no table of regions.
    """
    return _understand(source, shapes, answers, decisions)[0]


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers among the arguments of a function."""
    return {name: arguments[name] for name in ANSWERS}


def _understand(
    source: AnySource,
    shapes: AnySource | None,
    answers: Mapping[str, Any],
    decisions: str | Path | Mapping[str, Any] | None,
) -> tuple[Imported, Record]:
    """Take all steps of an import."""
    if shapes is None and isinstance(source, Mapping):
        source, shapes = split_map(source)
    name, files = gather(source)
    sha256 = _hash(name, files)
    given = check_answers(answers, name)
    earlier = read_record(decisions) if decisions is not None else {}
    repeated = check_answers(earlier.get("answers") or {}, name)
    for mapping in ("columns", "rows"):
        if mapping in given and mapping in repeated:
            given[mapping] = {**repeated[mapping], **given[mapping]}
    given = check_answers({**repeated, **given}, name)
    record = Record(name, dict(given))
    sheets = read_sheets(name, files, record)
    is_new = bool(earlier) and (earlier.get("source") or {}).get("sha256") != sha256
    if is_new and "sheet" in given:
        wanted = _latest(given["sheet"], [sheet.name for sheet in sheets])
        record.given = {**record.given, "sheet": wanted or given["sheet"]}
    sheet = choose_sheet(sheets, record)
    layout = find_layout(sheet, record)
    if layout is None:
        message = _("no line with names of columns above numbers was found; name it, as --header 5")
        raise record.fail(message)
    if is_new:
        record.given = _renewed(record.given, earlier.get("columns") or {}, layout.labels)
    shape_sheet = None
    if shapes is not None:
        map_name, map_files = gather(shapes)
        of_map = Record(map_name, {k: v for k, v in record.given.items() if k == "projection"})
        shape_sheet = next(
            (s for s in read_sheets(map_name, map_files, of_map) if s.geometries), None
        )
        if shape_sheet is None:
            raise of_map.fail(_("this is no map; use GeoJSON, a shapefile or a GeoPackage"))
        sha256 = hashlib.sha256(f"{sha256} {_hash(map_name, map_files)}".encode()).hexdigest()
    work = Work(layout, record)
    filter_rows(work)
    work.parts = unite_parts(work)
    numbers = read_people(work)
    before = work.layout.rows
    note_format(work, numbers)
    drop_notes(work, numbers)
    check_people(work, numbers, before)
    choose_others(work)
    choose_rows(work)
    step = apply_unit(work)
    drop_totals(work, step)
    drop_missing(work, numbers, before)
    if not len(work.people):
        raise record.fail(_("no region is left; keep other rows, or name another --column"))
    codes = np.array([" ".join(code.split()) for code in choose_codes(work)], dtype=object)
    codes = merge_duplicates(work, codes)
    return _finish(work, codes, Source(name, sha256), given, shape_sheet), record


def _finish(
    work: Work, codes: np.ndarray, source: Source,
    given: Mapping[str, Any], shapes: Sheet | None,
) -> Imported:  # fmt: skip
    """Put the regions together."""
    record = work.record
    names = clean_names(work.texts("name")) if work.chosen.get("name") else codes
    people = work.people
    is_whole = bool((people == np.rint(people)).all())
    table: dict[str, Any] = {
        "code": [str(code) for code in codes],
        "name": [str(name) for name in names],
        "population": np.rint(people).astype(np.int64) if is_whole else people,
    }
    tiers = tiers_of(work)
    if tiers is not None:
        table["tier"] = tiers.astype(str)
    for attribute in ("area_km2", "price"):
        if attribute in work.chosen:
            table[attribute] = numbers_of(work, attribute)
    placed = read_places(work)
    if placed is not None:
        table["latitude"], table["longitude"] = placed
    outlines = _outlines(work, table, shapes)
    if record.given.get("projection") and placed is None and outlines is None:
        raise record.fail(
            _(
                "--projection has no coordinates to act on; name their columns, as --column "
                'longitude="X" --column latitude="Y"'
            )
        )
    if outlines is not None:
        if placed is None:
            _check_places(outlines, table["code"], record)
        table.setdefault("area_km2", np.round(outlines.area_km2, 3))
        table.setdefault("latitude", np.round(outlines.latitude, 6))
        table.setdefault("longitude", np.round(outlines.longitude, 6))
    order = [attribute for attribute in ATTRIBUTES if attribute in table]
    regions = pd.DataFrame({attribute: table[attribute] for attribute in order})
    return Imported(
        regions=regions.dropna(axis=1, how="all"),
        others=_others(work, set(order)),
        shapes=outlines.shapes if outlines else {},
        neighbours=outlines.neighbours if outlines else _no_neighbours(),
        decisions=tuple(record.made),
        columns={a: work.label(a) for a in ATTRIBUTES if a in work.chosen},
        source=source,
        answers=given,
    )


def _outlines(work: Work, table: Mapping[str, Any], shapes: Sheet | None) -> Outlines | None:
    """Return what the shapes of a map give; None for a table without one."""
    sheet = shapes or work.layout.sheet
    if not any(sheet.geometries):
        return None
    found = in_degrees(sheet, work.record)
    import shapely

    if shapes is None:
        parts = [np.array(work.parts[int(first)]) - 1 for first in work.layout.rows]
    else:
        parts = match_shapes(shapes, table["code"], table["name"], work.record)
    region = np.arange(len(found)) + len(parts)
    for number, rows in enumerate(parts):
        region[rows] = number
    found, tangled = repair(found, region)
    pairs = zip(table["code"], parts, strict=True)
    lost = [code for code, rows in pairs if np.isin(rows, tangled).any()] if len(tangled) else []
    if lost:
        raise work.record.fail(too_tangled(lost))
    whole = [found[rows[0]] if len(rows) == 1 else shapely.union_all(found[rows]) for rows in parts]
    outlines = read_outlines(table["code"], np.array(whole, dtype=object))
    note_map(work, len(outlines.neighbours), has_columns="latitude" in table)
    return outlines


def _check_places(outlines: Outlines, codes: Iterable[str], record: Record) -> None:
    """Refuse a map that is all that says where regions are, and leaves some of them out."""
    lost = [code for code, north in zip(codes, outlines.latitude, strict=True) if np.isnan(north)]
    if lost:
        text = _(
            "some regions ({regions}) have no shape in the map that can be read, and the table "
            "gives no latitude and longitude; add their shapes, or leave these rows out"
        )
        raise record.fail(text, regions=name_some(lost))


def _no_neighbours() -> pd.DataFrame:
    return pd.DataFrame({"code_a": [], "code_b": [], "border_km": []})


def _others(work: Work, taken: set[str]) -> pd.DataFrame:
    """Return the columns that stand for no attribute; numbers become numbers."""
    found: dict[str, Any] = {}
    single = {numbers[0] for numbers in work.chosen.values() if len(numbers) == 1}
    for column in work.columns():
        if column.number in single or column.label in taken:
            continue
        codes = any(text[:1] == "0" and text.isdigit() and len(text) > 1 for text in column.texts)
        if column.is_numeric and not codes:
            numbers = numbers_in(work, column.number)
            if not numbers.wrong.any():
                values = numbers.values
                whole = bool((values == np.rint(values)).all() and np.abs(values).max() < 2**53)
                found[column.label] = values.astype(np.int64) if whole else values
                continue
        found[column.label] = work.layout.texts(column.number).astype(str)
    return pd.DataFrame(found, index=range(len(work.layout.rows)))


def _hash(name: str, files: Files) -> str:
    """Return the SHA-256 of the only file, or of all files with their endings."""
    if len(files) == 1:
        return hashlib.sha256(files[name]).hexdigest()
    digest = hashlib.sha256()
    for one in sorted(files):
        digest.update(one.rpartition(".")[2].encode() + b"\0" + files[one] + b"\0")
    return digest.hexdigest()


# Repeating an import ------------------------------------------------------------------------------


def read_record(decisions: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the content of ``import.json``, the record of an earlier import."""
    if isinstance(decisions, Mapping):
        return decisions
    path = Path(decisions)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        text = _("this is not the record of an import ({reason}); use the file import.json")
        raise InputError([Problem(text.format(reason=error), str(path))]) from None
    if not isinstance(found, dict):
        text = _("this is not the record of an import ({reason}); use the file import.json")
        raise InputError([Problem(text.format(reason=type(found).__name__), str(path))])
    return found


def _renewed(
    given: Mapping[str, Any], earlier: Mapping[str, str], labels: Sequence[str]
) -> dict[str, Any]:
    """Return answers for a new file: columns have the names of before, of the latest year there."""
    columns = {**earlier, **given.get("columns", {})}
    found = {}
    for attribute, label in columns.items():
        parts = [_latest(part.strip(), labels) for part in label.split(" + ")]
        exact = _latest(label, labels)
        if exact is not None:
            found[attribute] = exact
        elif all(part is not None for part in parts):
            found[attribute] = " + ".join(str(part) for part in parts)
        elif attribute in given.get("columns", {}):
            found[attribute] = label
    rows = {
        label: value
        for label, value in given.get("rows", {}).items()
        if not (value.isdigit() and years(value))  # the latest year is found again
    }
    return {**given, "columns": found, "rows": rows}


def _latest(wanted: str, labels: Sequence[str]) -> str | None:
    """Return the name that differs in its year at most; of several, the one of the latest year."""

    def bare(label: str) -> tuple[str, ...]:
        stated = {str(year) for year in years(label)}
        stated |= {year[2:] for year in stated}
        return tuple(token for token in tokens(label) if token not in stated)

    alike = [one for one in labels if bare(one) == bare(wanted) and (bare(one) or years(one))]
    return max(alike, key=years, default=None)
