"""What the columns of a table are likely to mean, from how they are called."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from kolabsim.i18n import _
from kolabsim.scenario.regions import Columns, read_table
from kolabsim.scenario.tables import Table, as_number

WORDS: dict[str, tuple[str, ...]] = {
    "code": (
        "code", "kode", "region code", "kode wilayah", "kode daerah", "kode kemendagri",
        "kode bps", "kode kabupaten", "kode kabupaten kota", "kode kab kota", "id",
    ),
    "name": (
        "name", "nama", "region", "region name", "municipality", "district", "nama daerah",
        "nama wilayah", "daerah", "wilayah", "kabupaten kota", "nama kabupaten kota", "kab kota",
        "kabupaten", "nama kabupaten",
    ),
    "population": ("population", "inhabitants", "residents", "people", "penduduk", "populasi"),
    "latitude": ("latitude", "lat", "lintang", "garis lintang"),
    "longitude": ("longitude", "lon", "long", "lng", "bujur", "garis bujur"),
    "tier": ("tier", "province", "provinsi", "prov", "nama provinsi", "county"),
}  # fmt: skip
"""How the column of an attribute may be called, the likeliest first."""
FILLERS = frozenset(
    ("number", "of", "total", "jumlah", "jiwa", "orang", "persons", "tahun", "year")
)
"""Words that change nothing. ``Thousands`` and ``ribu`` do, and so do all that are not here."""


def match_header(header: Sequence[str]) -> dict[str, str]:
    """The column of each attribute that has one, by what it is called.

    Of several with the same words, the one with the latest year. A table without codes takes its
    names for them.
    """
    found: dict[str, str] = {}
    for attribute, spellings in WORDS.items():
        for spelling in spellings:
            alike = [name for name in header if _bare(name) == spelling]
            if alike:
                found[attribute] = max(alike, key=_year)
                break
    if "name" in found:
        found.setdefault("code", found["name"])
    return found


def _bare(name: str) -> str:
    """The words of a column's name, without those that change nothing."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    return " ".join(word for word in words if word not in FILLERS)


def _year(name: str) -> int:
    return max(map(int, re.findall(r"\d{4}", name)), default=0)


def recognise_columns(table: Table) -> Columns:
    """What the columns of a table are taken for.

    Raises :class:`~kolabsim.errors.InputError` with all that keeps it from being a table of
    regions, line by line.
    """
    found = match_header(table.header)
    if "code" not in found:
        _miss(table, "code", _("no column gives a region its code or name; call one '{words}'"))
    if "population" not in found:
        _miss(table, "population", _("no column gives the number of people; call one '{words}'"))
    # A place needs both.
    if not {"latitude", "longitude"} <= found.keys():
        for attribute in ("latitude", "longitude"):
            found.pop(attribute, None)
    table.problems.raise_if_any()
    columns = Columns.model_validate(found)
    read_table(table.path, columns, (), table.problems)
    table.problems.raise_if_any()
    return columns


def _miss(table: Table, attribute: str, message: str) -> None:
    words = {"code": ("code", "kode"), "population": ("population", "penduduk")}[attribute]
    there = _("; its columns are {names}").format(names=", ".join(table.header))
    table.add_problem(1, message.format(words=_("' or '").join(words)) + there)


def unused(table: Table, columns: Columns) -> list[str]:
    """Columns that hold numbers and stand for nothing yet."""
    used = {getattr(columns, attribute) for attribute in WORDS}
    return [
        name for name in table.header
        if name and name not in used
        and all(math.isfinite(as_number(text)) for text in table.texts(name))
    ]  # fmt: skip
