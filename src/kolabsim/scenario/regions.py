"""Regional governments, and the table that they are read from.

Regions are always in the order of their codes, so the order of the rows has no effect.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from kolabsim.errors import Problems
from kolabsim.i18n import _, ngettext
from kolabsim.scenario.names import plain, tell_apart
from kolabsim.scenario.schema import LARGEST, Pair, Reason, Section, Share
from kolabsim.scenario.shapes import Shape, some
from kolabsim.scenario.tables import Table, read_csv

DIMENSIONS = 3
"""Dimensions of organisational culture."""


@dataclass(frozen=True, eq=False)
class Regions:
    """R regional governments in the order of their codes, with A service areas.

    NaN in an attribute (``capacity`` to ``interests``) means: drawn at random in each
    run. Coordinates are NaN where the table has none.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    population: np.ndarray
    """Persons, above 0 [R]."""
    latitude: np.ndarray
    """Degrees north [R]."""
    longitude: np.ndarray
    """Degrees east [R]."""
    tier: tuple[str, ...]
    """The province, or other higher tier, of each; '' where the table has none."""
    capacity: np.ndarray
    """Administrative capacity, 0 to 1 [R, A]."""
    stress: np.ndarray
    """Fiscal stress, 0 to 1 [R]."""
    goodwill: np.ndarray
    """Weight on the benefit of partners, 0 to 1 [R]."""
    autonomy: np.ndarray
    """Preference for autonomy, 0 to 1 [R]."""
    culture: np.ndarray
    """Organisational culture in units of the scales of its columns [R, 3]."""
    interests: np.ndarray
    """Relative priority of areas, above 0 [R, A]."""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """All columns of the table as text, for maps and reports."""
    shapes: Mapping[str, Shape] = field(default_factory=dict, repr=False, compare=False)
    """Shapes by the codes of the regions that have one; for maps only."""

    def __post_init__(self) -> None:
        order = sorted(range(len(self.codes)), key=self.codes.__getitem__)
        for name, value in self._selected(order).items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, name, value)

    def _selected(self, rows: Sequence[int]) -> dict[str, Any]:
        """Return the fields of some rows, with the shapes of all."""
        found: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, value in found.items():
            if isinstance(value, np.ndarray):
                found[name] = value[np.array(rows, np.intp)]
            elif isinstance(value, tuple):
                found[name] = tuple(value[i] for i in rows)
        found["extra"] = {k: tuple(column[i] for i in rows) for k, column in self.extra.items()}
        return found

    def __len__(self) -> int:
        return len(self.codes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Regions):
            return NotImplemented
        pairs = [(getattr(self, f.name), getattr(other, f.name)) for f in fields(self) if f.compare]
        return all(
            np.array_equal(a, b, equal_nan=True) if isinstance(a, np.ndarray) else a == b
            for a, b in pairs
        )

    def __hash__(self) -> int:
        return hash(self.codes)

    def subset(self, codes: Collection[str]) -> Regions:
        """Return the regions with these codes."""
        found = self._selected([i for i, code in enumerate(self.codes) if code in codes])
        found["shapes"] = {code: shape for code, shape in self.shapes.items() if code in codes}
        return Regions(**found)

    @property
    def placed(self) -> bool:
        """Whether every region has coordinates."""
        return bool(np.isfinite(self.latitude).all() and np.isfinite(self.longitude).all())

    @property
    def mapped(self) -> bool:
        """Whether every region has coordinates or a shape, so that a map can be drawn."""
        return self.placed or all(
            code in self.shapes or (math.isfinite(north) and math.isfinite(east))
            for code, north, east in zip(self.codes, self.latitude, self.longitude, strict=True)
        )

    def describe_missing_shapes(self) -> str:
        """Return a sentence on the regions without a shape; '' if all or none have one."""
        missing = [code for code in self.codes if code not in self.shapes]
        if not missing or not self.shapes:
            return ""
        text = ngettext(
            "{number} region has no shape and is a circle: {codes}.",
            "{number} regions have no shape and are circles: {codes}.",
            len(missing),
        )
        return text.format(number=len(missing), codes=some(missing))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Names as they are shown: those of several regions have the code added."""
        return tuple(tell_apart(dict(zip(self.codes, self.names, strict=True))).values())

    def tiers(self) -> dict[str, tuple[str, ...]]:
        """Return the codes of the regions of each tier."""
        members: dict[str, list[str]] = {}
        for code, tier in zip(self.codes, self.tier, strict=True):
            members.setdefault(tier, []).append(code)
        return {tier: tuple(members[tier]) for tier in sorted(members)}


# The columns of a table ---------------------------------------------------------------------------


class ProxyColumn(Section):
    """A numeric column of the table that stands for an attribute."""

    column: str
    """Name of the column."""
    reason: Reason
    """Why this column represents the attribute."""
    renamed: ClassVar[Mapping[str, str]] = {"because": "reason"}


def usual_scale(values: np.ndarray) -> str:
    """Return the standard deviation of a column as a file gives it; '' if there is none.

    >>> usual_scale(np.array([76.0, 84.0, 88.0])), usual_scale(np.array([1e9, 5e9]))
    ('4.99', '2000000000')
    >>> usual_scale(np.array([3.0, 3.0]))
    ''
    """
    spread = float(f"{values.std():.3g}") if len(values) else 0.0
    return np.format_float_positional(spread, trim="-") if 0.0 < spread < math.inf else ""


def _require_scale(schema: dict[str, Any]) -> None:
    schema["required"] = [*schema.get("required", ()), "scale"]


class CultureColumn(ProxyColumn):
    """A column of organisational culture, whose differences count in units of its scale."""

    model_config = ConfigDict(json_schema_extra=_require_scale)
    scale: float | None = Field(default=None, gt=0)
    """Difference that is usual between two regions, in the unit of the column: its standard
    deviation over a large reference population. Needed."""


class ScaledColumn(ProxyColumn):
    """A column whose values ``from`` become the values ``to``, in a straight line, clipped."""

    from_: Pair = Field(alias="from")
    """Two values of the column."""
    to: Pair
    """The values of the attribute that they stand for, which are also its bounds."""

    def rescale(self, values: np.ndarray) -> np.ndarray:
        """Return values of the column as values of the attribute."""
        (low, high), (start, end) = self.from_, self.to
        share = np.clip((values - low) / (high - low), 0.0, 1.0)
        return start + share * (end - start)

    @model_validator(mode="after")
    def _two_values(self) -> Self:
        if self.from_[0] == self.from_[1]:
            raise PydanticCustomError("same", "from")  # noqa: EM101
        return self


class ShareColumn(ScaledColumn):
    """A column that becomes a share between 0 and 1."""

    to: tuple[Share, Share]
    """The shares, between 0 and 1, that the two values of ``from`` stand for."""


class PriorityColumn(ScaledColumn):
    """A column that becomes a relative priority."""

    to: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
    """The priorities, above 0, that the two values of ``from`` stand for."""


class Columns(Section):
    """How the columns of a table become attributes of regions."""

    code: str = "code"
    """Column of the code that names a region."""
    name: str | None = None
    """Column of its name; default ``name``, or else the code."""
    population: str = "population"
    """Column of the number of people, above 0."""
    latitude: str | None = None
    """Column of degrees north; default ``latitude`` where there is one."""
    longitude: str | None = None
    """Column of degrees east; default ``longitude`` where there is one."""
    tier: str | None = None
    """Column of the higher tier it belongs to; default ``tier``, or else all share one."""
    capacity: ShareColumn | None = None
    """Administrative capacity in every area; default: drawn."""
    capacity_by_area: Mapping[str, ShareColumn] = Field(default={})
    """Administrative capacity in single areas."""
    stress: ShareColumn | None = None
    """Fiscal stress; default: drawn."""
    goodwill: ShareColumn | None = None
    """Weight on the benefit of partners; default: drawn."""
    autonomy: ShareColumn | None = None
    """Preference for autonomy; default: drawn."""
    culture: tuple[CultureColumn, ...] = Field(default=(), max_length=3)
    """Up to three dimensions of organisational culture; the others are drawn."""
    interests: Mapping[str, PriorityColumn] = Field(default={})
    """Relative priority of single areas; the others are drawn."""


def read_table(
    path: Path, columns: Columns, areas: Sequence[str], problems: Problems
) -> Regions | None:
    """Read regions from a CSV file with a header and commas, semicolons or tabs between cells.

    The result is to be used only if there are no problems; it is None if not even the codes could
    be read.
    """
    table = read_csv(path, problems)
    if table is None:
        return None
    optional = {
        attribute: getattr(columns, attribute) or (attribute if attribute in table.header else None)
        for attribute in ("name", "latitude", "longitude", "tier")
    }
    wanted = {"code": columns.code, "population": columns.population} | {
        attribute: column for attribute, column in optional.items() if column
    }
    proxies = _proxies(columns)
    wanted |= {key: proxy.column for key, proxy in proxies.items()}
    missing = {
        key
        for key, column in wanted.items()
        if not table.has(column, why=_(" for {place}").format(place=f"regions.columns.{key}"))
    }
    if "code" in missing:
        return None
    table = _with_codes(table, columns.code)
    codes = table.texts(columns.code)
    if not codes:
        problems.add(_("this table has no regions; it needs at least one"), file=path, line=2)
        return None
    names = tuple(
        name if plain(name) else code
        for name, code in zip(table.texts_or(optional["name"], codes), codes, strict=True)
    )
    other = {"code", "name", "tier"} | missing
    numeric = dict.fromkeys(column for key, column in wanted.items() if key not in other)
    numbers = {column: np.array(table.numbers(column, names)) for column in numeric}
    unknown = np.full(len(codes), np.nan)
    population = numbers.get(columns.population, unknown)
    _check_population(table, columns.population, population, names)
    for key, proxy in proxies.items():
        if key not in missing:
            _check_points(table, proxy, names)
    for attribute, limit in (("latitude", 90), ("longitude", 180)):
        _check_degrees(table, optional[attribute], numbers, limit, names)
    tiers = table.texts_or(optional["tier"], ("",) * len(codes))
    if optional["tier"]:
        _check_filled(table, optional["tier"], tiers, names)

    def values_of(key: str) -> np.ndarray:
        proxy = proxies.get(key)
        values = numbers.get(proxy.column, unknown) if proxy else unknown
        if isinstance(proxy, CultureColumn):
            return values / (proxy.scale or 1.0)  # one without a scale is refused later
        return proxy.rescale(values) if isinstance(proxy, ScaledColumn) else values

    capacity = [
        values_of(f"capacity_by_area.{area}" if area in columns.capacity_by_area else "capacity")
        for area in areas
    ]
    return Regions(
        codes=codes,
        names=names,
        population=population,
        latitude=numbers.get(optional["latitude"], unknown),
        longitude=numbers.get(optional["longitude"], unknown),
        tier=tiers,
        capacity=_side_by_side(capacity, len(codes)),
        stress=values_of("stress"),
        goodwill=values_of("goodwill"),
        autonomy=values_of("autonomy"),
        culture=_side_by_side([values_of(f"culture.{d}") for d in range(DIMENSIONS)], len(codes)),
        interests=_side_by_side([values_of(f"interests.{area}") for area in areas], len(codes)),
        extra=table.columns(),
    )


def _proxies(columns: Columns) -> dict[str, ProxyColumn]:
    """Return the columns that stand for attributes, by their keys in the scenario."""
    proxies: dict[str, ProxyColumn | None]
    proxies = {
        name: getattr(columns, name) for name in ("capacity", "stress", "goodwill", "autonomy")
    }
    proxies |= {f"capacity_by_area.{area}": p for area, p in columns.capacity_by_area.items()}
    proxies |= {f"culture.{d}": p for d, p in enumerate(columns.culture)}
    proxies |= {f"interests.{area}": p for area, p in columns.interests.items()}
    return {key: proxy for key, proxy in proxies.items() if proxy is not None}


def _with_codes(table: Table, column: str) -> Table:
    """Return the rows with a code of their own; the others are problems.

    Codes that look the same are the same: they are composed, without invisible characters.
    """
    first: dict[str, int] = {}
    keep, codes = [], [*map(plain, table.texts(column))]
    for row, (code, line) in enumerate(zip(codes, table.lines, strict=True)):
        if not code:
            table.add_problem(line, _("{column}: the code of this region is empty"), column=column)
        elif code in first:
            message = _("{column}: '{code}' is there twice, first on line {line}")
            table.add_problem(line, message, column=column, code=code, line=first[code])
        else:
            first[code] = line
            keep.append(row)
    place = table.header.index(column)
    rows = tuple(
        (*table.rows[row][:place], codes[row], *table.rows[row][place + 1 :]) for row in keep
    )
    lines = tuple(table.lines[row] for row in keep)
    return Table(table.path, table.header, rows, lines, table.problems)


def _check_population(
    table: Table, column: str, population: np.ndarray, names: Sequence[str]
) -> None:
    texts = table.texts_or(column, ("",) * len(names))
    for line, people, text, name in zip(table.lines, population, texts, names, strict=True):
        message = ""
        if re.fullmatch(r"\d{1,3}\.\d{3}", text):
            message = _("{column}: {value} is read as a fraction; write {right} ({name})")
        elif people < 1:
            message = _("{column}: {value} people; a region needs at least one ({name})")
        elif people > LARGEST:
            message = _("{column}: {value} people; a region has at most {most} ({name})")
        if message:
            words = {"column": column, "value": text, "right": text.replace(".", "")}
            table.add_problem(line, message, name=name, most=f"{LARGEST:g}", **words)


def _check_points(table: Table, proxy: ProxyColumn, names: Sequence[str]) -> None:
    """Check that no number can be read in two ways, where that would matter."""
    if isinstance(proxy, ScaledColumn):
        table.check_points(proxy.column, names, proxy.from_)
    # A scale does not show the notation, so only columns in which some have no points are doubtful.
    elif any("." not in text for text in table.texts(proxy.column)):
        table.check_points(proxy.column, names)


def _check_degrees(
    table: Table,
    column: str | None,
    numbers: Mapping[str | None, np.ndarray],
    limit: int,
    names: Sequence[str],
) -> None:
    for line, degrees, name in zip(table.lines, numbers.get(column, ()), names, strict=False):
        if abs(degrees) > limit:
            message = _("{column}: {value} is not between -{limit} and {limit} degrees ({name})")
            words = {"column": column, "value": f"{degrees:g}", "limit": limit}
            table.add_problem(line, message, name=name, **words)


def _check_filled(table: Table, column: str, texts: Sequence[str], names: Sequence[str]) -> None:
    if column in table.header:
        for line, text, name in zip(table.lines, texts, names, strict=True):
            if not text:
                message = _("{column}: the cell is empty ({name})")
                table.add_problem(line, message, column=column, name=name)


def _side_by_side(columns: Sequence[np.ndarray], rows: int) -> np.ndarray:
    return np.column_stack(columns) if columns else np.empty((rows, 0))
