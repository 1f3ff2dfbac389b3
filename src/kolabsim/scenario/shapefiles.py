"""Shapefiles, the format in three or more files: rows of a table, each with its shape."""

from __future__ import annotations

import io
import logging
import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from kolabsim.errors import require
from kolabsim.i18n import _

USUAL = ("utf-8", "cp1252")
"""Encodings of the texts of a table that does not state its own."""
DEGREES = re.compile(
    r"^(?!.*PROJ(CS|CRS|ECTEDCRS))(?=.*(GEOG|GEOD|GEOGRAPHIC|GEODETIC)(CS|CRS))"
    r"|CRS84|EPSG:{1,2}4326|OGC:CRS84",
    re.IGNORECASE | re.DOTALL,
)
"""Names of coordinate systems in degrees."""
SHORTEST = 100
"""Bytes of the head of a file of shapes."""


class Shapefile(NamedTuple):
    """The content of a shapefile."""

    records: list[dict[str, Any]]
    """The row of each shape."""
    geometries: tuple[Mapping[str, Any] | None, ...]
    """The shape of each row as in GeoJSON; None for a row without a shape."""
    encoding: str
    """The encoding of the texts."""
    projection: str
    """What the .prj file says; '' if there is none."""


def read_shapefile(parts: Mapping[str, bytes], encoding: str | None = None) -> Shapefile:
    """Read a shapefile from its parts, by their endings (``.shp``, ``.dbf``, ``.prj``, ``.cpg``).

    Raises :class:`ValueError` with the reason if the parts are damaged or do not belong together.
    """
    require("shapefile", extra="maps", what=_("a shapefile"))
    check_length(parts[".shp"])
    names = [encoding] if encoding else [code_page(parts.get(".cpg", b"")), *USUAL]
    reason: object = _("unknown encoding")
    for name in filter(None, names):
        try:
            records, geometries = _read(parts[".shp"], parts[".dbf"], name)
        except LookupError as error:
            reason = reason if "encoding" in str(error) else error
        except (struct.error, EOFError):
            reason = _("a part of the file is missing")
        except Exception as error:  # damaged files fail in every way
            reason = error
        else:
            if len(records) != len(geometries):
                text = _("{shapes} shapes, but {rows} rows in its table")
                raise ValueError(text.format(shapes=len(geometries), rows=len(records)))
            projection = parts.get(".prj", b"").decode("utf-8-sig", "replace").strip()
            return Shapefile(records, geometries, name, projection)
    raise ValueError(str(reason)[:100]) from None


def _read(
    shp: bytes, dbf: bytes, encoding: str
) -> tuple[list[dict[str, Any]], tuple[Mapping[str, Any] | None, ...]]:
    import shapefile

    with _without_remarks(), shapefile.Reader(
        shp=io.BytesIO(shp), dbf=io.BytesIO(dbf), encoding=encoding
    ) as reader:  # fmt: skip
        records = [dict(one.as_dict()) for one in reader.records()]
        geometries = tuple(
            one.__geo_interface__ if one.shapeType else None for one in reader.shapes()
        )
    return records, geometries


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Keep the remarks of the library to itself.

    The order of rings is mended, and what cannot be read is refused in sentences.
    """
    logger = logging.getLogger("shapefile")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def check_length(shp: bytes) -> None:
    """Refuse a file of shapes that is shorter than its head says."""
    if len(shp) < SHORTEST:
        raise ValueError(_("a part of the file is missing"))
    stated = 2 * int(struct.unpack(">i", shp[24:28])[0])
    if len(shp) < stated:
        text = _("a part of the file is missing: {size} of {stated} bytes are there")
        raise ValueError(text.format(size=len(shp), stated=stated))


def code_page(stated: bytes) -> str | None:
    """Return the encoding that a .cpg file states."""
    text = stated.decode("ascii", "ignore").strip().lower()
    if text.isdigit():
        return "utf-8" if text == "65001" else f"cp{text}"
    return re.sub(r"^(ansi|oem) ", "cp", text) or None
