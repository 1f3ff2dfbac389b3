"""Recognising the columns of a table of regions by their names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from kolabsim.i18n import _
from kolabsim.scenario.regions import Columns, Regions, read_table
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
"""Names of the column for each attribute, the most likely first."""
FILLERS = frozenset(
    ("number", "of", "total", "jumlah", "jiwa", "orang", "persons", "tahun", "year")
)
"""Words that a name may contain besides. Other words, such as ``thousands``, change its meaning."""


def match_header(header: Sequence[str]) -> dict[str, str]:
    """Return the column of each attribute that the header names.

    Of several columns with the same words, the one with the latest year counts. In a table without
    codes, names are the codes.

    >>> match_header(["Kode", "Penduduk 2023", "Penduduk 2024"])
    {'code': 'Kode', 'population': 'Penduduk 2024'}
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
    """Return the words of a column's name without :data:`FILLERS`."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    return " ".join(word for word in words if word not in FILLERS)


def _year(name: str) -> int:
    return max(map(int, re.findall(r"\d{4}", name)), default=0)


def recognise_columns(table: Table) -> tuple[Columns, Regions]:
    """Recognise the columns of a table, and read its regions by them.

    Raises :class:`~kolabsim.errors.InputError` with all problems, line by line, if the table is not
    one of regions.
    """
    found = match_header(table.header)
    if "code" not in found:
        _add_missing(table, "code", _("no column for the code or name of a region; add '{words}'"))
    if "population" not in found:
        _add_missing(table, "population", _("no column for the population; add '{words}'"))
    if not {"latitude", "longitude"} <= found.keys():  # useless without each other
        for attribute in ("latitude", "longitude"):
            found.pop(attribute, None)
    table.problems.raise_if_any()
    columns = Columns.model_validate(found)
    regions = read_table(table.path, columns, (), table.problems)
    table.problems.raise_if_any()
    assert regions is not None
    return columns, regions


def _add_missing(table: Table, attribute: str, message: str) -> None:
    words = {"code": ("code", "kode"), "population": ("population", "penduduk")}[attribute]
    there = _("; its columns are {names}").format(names=", ".join(table.header))
    table.add_problem(1, message.format(words=_("' or '").join(words)) + there)


def unused(table: Table, columns: Columns) -> list[str]:
    """Return the numeric columns that stand for no attribute."""
    used = {getattr(columns, attribute) for attribute in WORDS}
    return [
        name for name in table.header
        if name and name not in used
        and all(math.isfinite(as_number(text)) for text in table.texts(name))
    ]  # fmt: skip
