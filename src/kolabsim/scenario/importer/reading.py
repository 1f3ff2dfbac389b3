"""From the bytes of any file to sheets: text tables, workbooks, JSON, maps and archives."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from kolabsim.errors import InputError, Problems, require
from kolabsim.i18n import N_, _
from kolabsim.scenario.files import read_bytes
from kolabsim.scenario.importer.decisions import Record, list_names
from kolabsim.scenario.importer.maps import (
    features_of_topology,
    read_geopackage,
    read_shapefile,
    sheet_of_features,
)
from kolabsim.scenario.importer.markup import read_html, read_xml_workbook
from kolabsim.scenario.importer.sheets import Sheet, as_float, as_text, make_sheet, sheet_of_records
from kolabsim.scenario.importer.texts import decode, read_text_table
from kolabsim.scenario.importer.unfolding import unfold

LARGEST = 200_000_000
"""Most bytes of a source, and of what an archive unpacks to."""
MOST_MEMBERS = 2000
"""Most files of an archive."""
BESIDE = (".dbf", ".shx", ".prj", ".cpg")
"""Endings of the files that belong to a shapefile."""
Files = Mapping[str, bytes]
"""Files by name."""

MAGIC: Mapping[bytes, str] = {
    b"%PDF": N_("a PDF file"),
    b"\x89PNG": N_("a picture"),
    b"\xff\xd8\xff": N_("a picture"),
    b"GIF8": N_("a picture"),
    b"BM": N_("a picture"),
    b"II*\x00": N_("a picture"),
    b"MM\x00*": N_("a picture"),
    b"RIFF": N_("a picture"),
    b"7z\xbc\xaf": N_("a file packed with 7-Zip"),
    b"Rar!": N_("a file packed with RAR"),
    b"PAR1": N_("a Parquet file"),
    b"\x7fELF": N_("a program"),
    b"MZ": N_("a program"),
    b"{\\rtf": N_("a text document"),
}
"""What files are that hold no table, by their first bytes."""
WORKBOOK, OLD_WORKBOOK, DATABASE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"SQLite format 3\x00"
TABLES = (".shp", ".geojson", ".json", ".gpkg", ".xlsx", ".xls", ".ods", ".csv", ".tsv", ".txt")
"""Files of an archive that may be the table, the likely one first."""


def gather(source: object) -> tuple[str, Files]:
    """Return the main file of a source and all its files by name.

    A source is a path, or files by name as they are uploaded. A shapefile brings the files beside
    it. Raises :class:`~kolabsim.errors.InputError` if a path cannot be read.
    """
    if isinstance(source, Mapping):
        files = {str(name): bytes(data) for name, data in source.items()}
        endings = {PurePath(name).suffix.lower(): name for name in files}
        main = next((endings[end] for end in TABLES if end in endings), next(iter(files), ""))
        if len(files) > 1 and PurePath(main).suffix.lower() == ".shp":
            files = {main.rpartition(".")[0] + PurePath(n).suffix.lower(): files[n] for n in files}
            main = main.rpartition(".")[0] + ".shp"
        return main, files
    path, problems = Path(source), Problems()  # type: ignore[arg-type]
    if path.suffix.lower() in BESIDE and path.with_suffix(".shp").is_file():
        path = path.with_suffix(".shp")
    data = read_bytes(path, LARGEST, problems)
    problems.raise_if_any()
    assert data is not None
    files = {path.name: data}
    if path.suffix.lower() == ".shp":
        for beside in path.parent.glob(f"{glob_escape(path.stem)}.*"):
            if beside.suffix.lower() in BESIDE:
                files[path.stem + beside.suffix.lower()] = beside.read_bytes()
    return path.name, files


def split_map(files: Files) -> tuple[Files, Files | None]:
    """Return the table and the map of files that were uploaded together; None without both."""
    maps = (".geojson", ".shp", ".gpkg", *BESIDE)
    of_map = {name: data for name, data in files.items() if name.lower().endswith(maps)}
    table = {name: data for name, data in files.items() if name not in of_map}
    return (table, of_map) if table and of_map else (files, None)


def glob_escape(text: str) -> str:
    """Return a file name as a pattern that matches it alone."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)


def read_sheets(name: str, files: Files, record: Record) -> list[Sheet]:
    """Read all sheets of a source; columns that hold several things are several columns.

    Raises :class:`~kolabsim.errors.InputError` if the file is of another kind, empty, damaged or
    protected, with one sentence about what it is and what to do.
    """
    return [unfold(sheet) for sheet in read_file(name, files, record)]


def read_file(name: str, files: Files, record: Record) -> list[Sheet]:
    """Read all sheets of a source as they are."""
    data, suffix = files[name], PurePath(name).suffix.lower()
    if data.startswith(b"\x1f\x8b"):
        data, suffix = unpack_gzip(data, record), PurePath(PurePath(name).stem).suffix.lower()
    if not data.strip(b" \t\r\n\0"):
        raise record.fail(_("this file is empty; choose the file that holds the regions"))
    kind = next((kind for start, kind in MAGIC.items() if data.startswith(start)), None)
    if kind is not None and (b"\x00" in data[:4096] or data.startswith((b"%PDF", b"{\\rtf"))):
        message = _(
            "this is {kind}, not a table or map of regions; ask for it as CSV, Excel or GeoJSON"
        )
        raise record.fail(message, kind=_(kind))
    if data.startswith(WORKBOOK):
        return read_archive(data, record)
    if data.startswith(OLD_WORKBOOK):
        return read_workbook(data, record)
    if data.startswith(DATABASE):
        return read_geopackage(data, record)
    if suffix == ".shp" or data.startswith(b"\x00\x00\x27\x0a"):
        return [read_shapefile(name, files, record)]
    begins = data[:400].lstrip(b"\xef\xbb\xbf \t\r\n")
    if begins[:1] in {b"{", b"["} and suffix not in {".csv", ".tsv", ".txt"}:
        return read_json(data, record)
    if begins[:1] == b"<":
        return read_markup(data, record)
    return [read_text_table(data, record)]


def read_markup(data: bytes, record: Record) -> list[Sheet]:
    """Read the tables of a web page or of XML Spreadsheet 2003."""
    stated = re.search(rb"charset=[\"']?([\w-]+)", data[:4000])
    encoding = stated[1].decode().lower() if stated else ""
    if encoding and "encoding" not in record.given and _fits(data, encoding):
        text = data.decode(encoding)
        record.note("encoding", encoding, N_("the page states it"), answer="encoding")
    else:
        text = decode(data, record)
    sheets = read_xml_workbook(data)
    if sheets is None:
        sheets = read_html(text)
    if not sheets:
        message = _(
            "this is a web page or XML without a table; save the table as CSV, .xlsx or GeoJSON"
        )
        raise record.fail(message)
    return sheets


def _fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (LookupError, UnicodeError):
        return False
    return True


# Archives and workbooks ---------------------------------------------------------------------------


def read_archive(data: bytes, record: Record) -> list[Sheet]:
    """Read a ZIP file: a workbook, or an archive of one table or map."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        check_size(archive, data, record)
        names = [one.filename for one in archive.infolist() if not one.is_dir()]
        if "[Content_Types].xml" in names or "mimetype" in names:
            if any(name.startswith("word/") for name in names):
                raise record.fail(
                    _("this is a text document; save its table as CSV or .xlsx and use that")
                )
            return read_workbook(data, record)
        tables = find_tables(names, record)
        if any(one.flag_bits & 1 for one in archive.infolist()):
            raise record.fail(_("this archive has a password; unpack it and use the file in it"))
        stem = tables.rpartition(".")[0]
        parts = [n for n in names if n.rpartition(".")[0] == stem] or [tables]
        suffixes = {n: n.rpartition(".")[2].lower() for n in parts}
        files = {f"{PurePath(stem).name}.{suffixes[n]}": archive.read(n) for n in parts}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        message = _("this archive or workbook is damaged ({reason}); download it again")
        raise record.fail(message, reason=error) from None
    main = f"{PurePath(stem).name}.{tables.rpartition('.')[2].lower()}"
    if files[main].startswith(WORKBOOK) and not main.endswith((".xlsx", ".ods", ".xlsm")):
        raise record.fail(_("this archive holds another archive; unpack it and use the file in it"))
    return read_sheets(main, files, record)


def unpack_gzip(data: bytes, record: Record) -> bytes:
    """Return the content of a file packed with gzip; refuse one that is damaged or too large."""
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = unpack.decompress(data, LARGEST)
    except zlib.error as error:
        message = _("this archive or workbook is damaged ({reason}); download it again")
        raise record.fail(message, reason=error) from None
    if unpack.unconsumed_tail:
        raise too_large(record)
    return found


def too_large(record: Record) -> InputError:
    """Return the refusal of an archive that unpacks to far more than a table."""
    message = _(
        "this archive unpacks to more than {megabytes} MB; unpack it yourself and use the table"
    )
    return record.fail(message, megabytes=LARGEST // 1_000_000)


def check_size(archive: zipfile.ZipFile, data: bytes, record: Record) -> None:
    """Refuse an archive that unpacks to far more than a table, whatever it states."""
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS or size > LARGEST or expands(members, data):
        raise too_large(record)


def expands(members: list[zipfile.ZipInfo], data: bytes) -> bool:
    """Whether members unpack to more than they state."""
    left = LARGEST
    for member in members:
        if member.compress_type != zipfile.ZIP_DEFLATED:
            continue
        begin = member.header_offset
        lengths = data[begin + 26 : begin + 30]
        begin += 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        piece = data[begin : begin + member.compress_size]
        while piece and left > 0:
            left -= len(unpack.decompress(piece, 10_000_000))
            piece = unpack.unconsumed_tail
    return left <= 0


def find_tables(names: list[str], record: Record) -> str:
    """Return the file of an archive that is the table or map."""
    wanted = record.given.get("sheet")
    if wanted in names:
        return str(wanted)
    visible = [
        n for n in names if not PurePath(n).name.startswith((".", "_", "~")) and "__" not in n
    ]
    for ending in TABLES:
        found = [name for name in visible if name.lower().endswith(ending)]
        if not found:
            continue
        if len(found) > 1:
            message = _("this archive holds several tables: {names}; choose one: --sheet {first}")
            raise record.fail(message, names=list_names(found), first=f'"{found[0]}"')
        record.note("file", found[0], N_("it is the table or map in the archive"), answer="sheet")
        return found[0]
    message = _("this archive holds no table or map but {names}; pack a CSV, Excel or GeoJSON file")
    raise record.fail(message, names=list_names(names, 3))


def read_workbook(data: bytes, record: Record) -> list[Sheet]:
    """Read the sheets of a workbook: .xlsx, .xls, .xlsb or .ods."""
    protected = _("this workbook has a password; open it, remove the password and save it again")
    if "EncryptedPackage".encode("utf-16-le") in data[:1_000_000]:
        raise record.fail(protected)
    require("python_calamine", extra="tables", what=_("a workbook"))
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [
            sheet_of_cells(one.name, book.get_sheet_by_name(one.name))
            for one in book.sheets_metadata
            if one.typ == calamine.SheetTypeEnum.WorkSheet
        ]
    except calamine.PasswordError:
        raise record.fail(protected) from None
    except (calamine.CalamineError, OSError, ValueError, zipfile.BadZipFile) as error:
        message = _("this workbook cannot be read ({reason}); open it and save it again as .xlsx")
        raise record.fail(message, reason=error) from None
    if not any(sheet.cells.size for sheet in sheets):
        raise record.fail(_("this workbook is empty; choose the file that holds the regions"))
    return sheets


def sheet_of_cells(name: str, sheet: Any) -> Sheet:
    """Return a sheet of a workbook; its lines are the rows that a spreadsheet program shows."""
    values = sheet.to_python(skip_empty_area=False)
    rows = [[as_text(value) for value in row] for row in values]
    typed = np.array([[as_float(value) for value in row] for row in values], dtype=float)
    merged = tuple(sheet.merged_cell_ranges or ())
    shape = (len(rows), max(map(len, rows), default=0))
    return make_sheet(name, rows, range(1, len(rows) + 1), typed.reshape(shape), merged=merged)


# JSON ---------------------------------------------------------------------------------------------


HALF = re.compile(
    r"\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})"
    r"|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}",
    re.IGNORECASE,
)
"""Half of a letter, as cutting a text leaves it: no file could hold it."""


def read_json(data: bytes, record: Record) -> list[Sheet]:
    """Read JSON: features of a map, a list of objects or of lists, or lists by name."""
    text = HALF.sub(r"\\ufffd", decode(data, record))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            message = _("this is not JSON ({reason}); download it again, or save it as CSV")
            line = getattr(error, "lineno", None)
            raise record.fail(message, reason=error, line=line) from None
    if isinstance(found, dict) and found.get("type") == "Topology":
        return [
            sheet_of_features(features, None, record, name)
            for name, features in features_of_topology(found, record).items()
        ]
    if isinstance(found, dict) and found.get("type") in {"FeatureCollection", "Feature"}:
        features = found.get("features", [found])
        return [sheet_of_features(features, found.get("crs"), record)]
    sheets = [sheet for sheet in lists_of(found, "") if sheet.cells.size]
    if not sheets:
        raise record.fail(_("this JSON holds no list of regions; save the table as CSV"))
    return sheets


def lists_of(found: object, name: str) -> Iterator[Sheet]:
    """Yield every list of JSON that may be a table."""
    if isinstance(found, list) and found:
        if all(isinstance(one, dict) for one in found):
            if "properties" in found[0] and "geometry" in found[0]:
                return
            yield sheet_of_records(name, [flat(one) for one in found])
        elif all(isinstance(one, list) for one in found):
            rows = [[as_text(value) for value in row] for row in found]
            width = max(map(len, rows))
            typed = np.array(
                [[as_float(v) for v in row] + [np.nan] * (width - len(row)) for row in found]
            )
            yield make_sheet(name, rows, range(1, len(rows) + 1), typed)
    elif isinstance(found, dict) and found:
        parts = list(found.values())
        if all(isinstance(one, list) and len(one) == len(parts[0]) for one in parts) and not any(
            isinstance(value, dict | list) for one in parts for value in one
        ):
            records = [dict(zip(found, row, strict=True)) for row in zip(*parts, strict=True)]
            yield sheet_of_records(name, records)
            return
        if len(parts) > 1 and all(isinstance(one, dict) for one in parts):
            yield sheet_of_records(name, [{"key": k} | flat(one) for k, one in found.items()])
            return
        for key, one in found.items():
            yield from lists_of(one, str(key))


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without objects in it: their keys follow that of the whole."""
    found: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            found |= {f"{key} {inner}": one for inner, one in value.items()}
        elif not isinstance(value, list):
            found[str(key)] = value
    return {k: v for k, v in found.items() if not isinstance(v, dict | list)}
