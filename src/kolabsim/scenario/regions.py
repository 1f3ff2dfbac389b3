"""Regional governments as a table, read from a file or made up; contacts between them, as listed.

Regions are always in the order of their codes: how a table is sorted changes nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.errors import SHOWN, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.scenario.source import as_written
from kolabsim.scenario.tables import Table, read_csv

if TYPE_CHECKING:
    from kolabsim.scenario.schema import Columns, Measure, Scaled
    from kolabsim.scenario.shapes import Shape

KM_PER_DEGREE = 111.195
"""Kilometres in a degree of a great circle, on a sphere of radius 6371 km."""
FARTHEST = 20_038
"""Kilometres to the other side of the earth."""
DIMENSIONS = 3
"""Dimensions of organisational culture."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Regional governments in the order of their codes, R of them, with A service areas.

    In ``capacity``, ``stress``, ``culture`` and ``interests``, NaN says: to be drawn. Places are
    NaN where the table has none.
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
    """The higher tier that each belongs to; one tier '' where the table has none."""
    capacity: np.ndarray
    """Administrative capacity, 0 to 1 [R, A]."""
    stress: np.ndarray
    """Fiscal stress, 0 to 1 [R]."""
    culture: np.ndarray
    """Organisational culture, as the table has it: not yet standardised [R, 3]."""
    interests: np.ndarray
    """Relative priority of areas, above 0 [R, A]."""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """All columns of the table as they are written, for maps and reports."""
    shapes: Mapping[str, Shape] = field(default_factory=dict, repr=False, compare=False)
    """Shapes on the map, by the codes of the regions that have one; for pictures only."""

    def __post_init__(self) -> None:
        order = np.array(sorted(range(len(self.codes)), key=self.codes.__getitem__), dtype=np.intp)
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray):
                value = value[order]
                value.setflags(write=False)
            elif isinstance(value, tuple):
                value = tuple(value[i] for i in order)
            elif name == "extra":
                value = {key: tuple(column[i] for i in order) for key, column in value.items()}
            object.__setattr__(self, name, value)

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

    __hash__ = None

    @property
    def placed(self) -> bool:
        """Whether every region has a place on earth."""
        return bool(np.isfinite(self.latitude).all() and np.isfinite(self.longitude).all())

    @property
    def mapped(self) -> bool:
        """Whether every region has a place or a shape, so that a map can be drawn."""
        return self.placed or all(
            code in self.shapes or (math.isfinite(north) and math.isfinite(east))
            for code, north, east in zip(self.codes, self.latitude, self.longitude, strict=True)
        )

    def tiers(self) -> dict[str, tuple[str, ...]]:
        """The codes of the regions of each tier."""
        members: dict[str, list[str]] = {}
        for code, tier in zip(self.codes, self.tier, strict=True):
            members.setdefault(tier, []).append(code)
        return {tier: tuple(members[tier]) for tier in sorted(members)}


@dataclass(frozen=True)
class ContactRow:
    """Two regions that know each other: whether they share a land border, and how far apart (km).

    Where no distance is given, it is None, and follows from their places.
    """

    code_a: str
    code_b: str
    land: bool = True
    distance_km: float | None = None


@dataclass(frozen=True)
class Contacts:
    """Which regions know each other: those listed, and each one's ``nearest``."""

    nearest: int
    list: tuple[ContactRow, ...]
    borders: str = "listed"
    """Whether land borders are ``listed``, or follow from ``places``."""


def read_table(
    path: Path, columns: Columns, areas: Sequence[str], problems: Problems
) -> Regions | None:
    """The regions of a CSV file with a header, comma, semicolon or tab between its cells.

    ``columns`` says which columns become which attributes. All problems are noted with their lines;
    what is returned is to be used only if there are none. None: not even codes could be read.
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
    measures = _measures(columns)
    wanted |= {place: measure.column for place, measure in measures.items()}
    missing = {place for place, column in wanted.items() if not _told(table, place, column)}
    if "code" in missing:
        return None
    table = _with_codes(table, columns.code)
    codes = table.texts(columns.code)
    if not codes:
        problems.add(_("this table has no regions; it needs at least one"), file=path, line=2)
        return None
    names = tuple(
        name or code
        for name, code in zip(_texts(table, optional["name"], codes), codes, strict=True)
    )
    other = {"code", "name", "tier"} | missing
    numeric = dict.fromkeys(column for place, column in wanted.items() if place not in other)
    numbers = {column: np.array(table.numbers(column, names)) for column in numeric}
    unknown = np.full(len(codes), np.nan)
    population = numbers.get(columns.population, unknown)
    _check_population(table, columns.population, population, names)
    for place, measure in measures.items():
        if place not in missing:
            _check_points(table, measure, names)
    for attribute, limit in (("latitude", 90), ("longitude", 180)):
        _check_degrees(table, optional[attribute], numbers, limit, names)
    tiers = _texts(table, optional["tier"], ("",) * len(codes))
    if optional["tier"]:
        _check_filled(table, optional["tier"], tiers, names)

    def attribute(place: str) -> np.ndarray:
        measure = measures.get(place)
        values = numbers.get(measure.column, unknown) if measure else unknown
        return _scaled(values, measure) if hasattr(measure, "to") else values

    capacity = [
        attribute(f"capacity_by_area.{area}" if area in columns.capacity_by_area else "capacity")
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
        stress=attribute("stress"),
        culture=_side_by_side([attribute(f"culture.{d}") for d in range(DIMENSIONS)], len(codes)),
        interests=_side_by_side([attribute(f"interests.{area}") for area in areas], len(codes)),
        extra=table.columns(),
    )


def _measures(columns: Columns) -> dict[str, Measure]:
    """The columns that stand for attributes, by their place in the scenario."""
    measures: dict[str, Measure | None] = {"capacity": columns.capacity, "stress": columns.stress}
    measures |= {f"capacity_by_area.{area}": m for area, m in columns.capacity_by_area.items()}
    measures |= {f"culture.{d}": m for d, m in enumerate(columns.culture)}
    measures |= {f"interests.{area}": m for area, m in columns.interests.items()}
    return {place: measure for place, measure in measures.items() if measure is not None}


def _told(table: Table, place: str, column: str) -> bool:
    return table.has(column, why=_(" for {place}").format(place=f"regions.columns.{place}"))


def _with_codes(table: Table, column: str) -> Table:
    """The rows whose code is there, and there for the first time; the others are problems."""
    first: dict[str, int] = {}
    keep = []
    for row, (code, line) in enumerate(zip(table.texts(column), table.lines, strict=True)):
        if not code:
            table.add_problem(
                line, _("{column}: the code of this region is empty").format(column=column)
            )
        elif code in first:
            message = _("{column}: '{code}' is there twice, first on line {line}")
            table.add_problem(line, message.format(column=column, code=code, line=first[code]))
        else:
            first[code] = line
            keep.append(row)
    rows = tuple(table.rows[row] for row in keep)
    lines = tuple(table.lines[row] for row in keep)
    return Table(table.path, table.header, rows, lines, table.problems)


def _texts(table: Table, column: str | None, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    return table.texts(column) if column in table.header else otherwise


def _check_population(
    table: Table, column: str, population: np.ndarray, names: Sequence[str]
) -> None:
    texts = _texts(table, column, ("",) * len(names))
    for line, people, text, name in zip(table.lines, population, texts, names, strict=True):
        if re.fullmatch(r"\d{1,3}\.\d{3}", text):
            message = _("{column}: {value} is read as a fraction; write {right} ({name})")
            right = text.replace(".", "")
        elif people < 1:
            message = _("{column}: {value} people; a region needs at least one ({name})")
            right = ""
        else:
            continue
        table.add_problem(line, message.format(column=column, value=text, right=right, name=name))


def _check_points(table: Table, measure: Measure, names: Sequence[str]) -> None:
    """See that no number of a measure can be read in two ways, where that would matter."""
    if hasattr(measure, "to"):
        table.check_points(measure.column, names, measure.from_)
    # A dimension is standardised: it is all the same, unless only some numbers have points.
    elif any("." not in text for text in table.texts(measure.column)):
        table.check_points(measure.column, names)


def _check_degrees(
    table: Table,
    column: str | None,
    numbers: Mapping[str, np.ndarray],
    limit: int,
    names: Sequence[str],
) -> None:
    for line, degrees, name in zip(table.lines, numbers.get(column, ()), names, strict=False):
        if abs(degrees) > limit:
            message = _("{column}: {value} is not between -{limit} and {limit} degrees ({name})")
            message = message.format(column=column, value=f"{degrees:g}", limit=limit, name=name)
            table.add_problem(line, message)


def _check_filled(table: Table, column: str, texts: Sequence[str], names: Sequence[str]) -> None:
    if column in table.header:
        for line, text, name in zip(table.lines, texts, names, strict=True):
            if not text:
                message = _("{column}: the cell is empty ({name})").format(column=column, name=name)
                table.add_problem(line, message)


def _scaled(values: np.ndarray, measure: Scaled) -> np.ndarray:
    """Values of a column in a straight line from ``from`` to ``to``, clipped."""
    (low, high), (start, end) = measure.from_, measure.to
    share = np.clip((values - low) / (high - low), 0.0, 1.0)
    return start + share * (end - start)


def _side_by_side(columns: Sequence[np.ndarray], rows: int) -> np.ndarray:
    return np.column_stack(columns) if columns else np.empty((rows, 0))


def synthetic(
    number: int,
    median_population: float,
    spread: float,
    seed: int,
    extent_km: float,
    tiers: int,
    *,
    areas: Sequence[str] = (),
) -> Regions:
    """Regions that are made up, and the same whenever they are made again.

    Populations are log-normal around the median, ``spread`` being the standard deviation of their
    logarithm. Places lie on a jittered grid over a square of ``extent_km`` around latitude and
    longitude 0, so that no two coincide. Tiers are compact blocks of about equally many regions.
    Codes are those of the tier and the region in it, from west to east in strips, so that regions
    with nearby codes lie near each other.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    people = median_population * np.exp(spread * generator.standard_normal(number))
    side = math.ceil(math.sqrt(number))
    cells = np.sort(generator.permutation(side * side)[:number])
    jitter = generator.uniform(0.1, 0.9, (2, number))
    north = ((cells // side + jitter[0]) / side - 0.5) * extent_km
    east = ((cells % side + jitter[1]) / side - 0.5) * extent_km
    tier = _blocks(north, east, tiers)
    order = np.lexsort((east, _strips(north, tier), tier))
    widths = len(str(tiers)), len(str(math.ceil(number / tiers)))
    within = np.arange(number) - np.searchsorted(tier[order], tier[order])
    labels = [f"{t + 1:0{widths[0]}d}" for t in range(tiers)]
    codes = tuple(
        f"{labels[t]}.{i + 1:0{widths[1]}d}"
        for t, i in zip(tier[order].tolist(), within.tolist(), strict=True)
    )
    return Regions(
        codes=codes,
        names=codes,
        population=np.maximum(np.round(people), 1.0)[order],
        latitude=north[order] / KM_PER_DEGREE,
        longitude=east[order] / KM_PER_DEGREE,
        tier=tuple(labels[t] for t in tier[order].tolist()),
        capacity=np.full((number, len(areas)), np.nan),
        stress=np.full(number, np.nan),
        culture=np.full((number, DIMENSIONS), np.nan),
        interests=np.full((number, len(areas)), np.nan),
    )


def _blocks(north: np.ndarray, east: np.ndarray, blocks: int) -> np.ndarray:
    """Number of the compact block, 0 and up, that each place lies in: strips, cut into blocks."""
    number = len(north)
    bounds = np.arange(blocks + 1) * number // blocks
    strips = max(1, round(math.sqrt(blocks)))
    by_east = np.argsort(east, kind="stable")
    block = np.empty(number, dtype=np.int64)
    for s in range(strips):
        first, last = s * blocks // strips, (s + 1) * blocks // strips
        strip = by_east[bounds[first] : bounds[last]]
        strip = strip[np.argsort(north[strip], kind="stable")]
        sizes = np.diff(bounds[first : last + 1])
        block[strip] = np.repeat(np.arange(first, last), sizes)
    return block


def _strips(north: np.ndarray, tier: np.ndarray) -> np.ndarray:
    """Number of the strip, from the south, that each place lies in within its tier."""
    strip = np.empty(len(north), dtype=np.int64)
    order = np.lexsort((north, tier))
    starts = np.flatnonzero(np.diff(tier[order], prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        size = end - start
        strips = max(1, round(math.sqrt(size)))
        strip[order[start:end]] = np.arange(size) * strips // size
    return strip


def read_contacts(
    path: Path, codes: Sequence[str] | None, problems: Problems
) -> tuple[ContactRow, ...]:
    """The contacts listed in a CSV file: code_a, code_b; optional are land (yes, no), distance_km.

    Codes that are not in ``codes``, a region with itself, and pairs listed twice, in whatever
    order, are problems; ``codes`` is None where it is not known which regions there are.
    """
    table = read_csv(path, problems)
    if table is None or not all([table.has("code_a"), table.has("code_b")]):
        return ()
    known = None if codes is None else frozenset(codes)
    pairs = list(zip(table.texts("code_a"), table.texts("code_b"), strict=True))
    lands = _texts(table, "land", ("yes",) * len(pairs))
    distances = _texts(table, "distance_km", ("",) * len(pairs))
    if "distance_km" in table.header:
        table.check_points("distance_km", ["-".join(pair) for pair in pairs])
    first: dict[tuple[str, ...], int] = {}
    rows = []
    for line, pair, land, distance in zip(table.lines, pairs, lands, distances, strict=True):
        for code in pair:
            if known is not None and code not in known:
                message = _("no region has the code '{code}'{suggestion}")
                hint = suggestion(code, codes) if len(problems.found) < SHOWN else ""
                table.add_problem(line, message.format(code=code, suggestion=hint))
        key = tuple(sorted(pair))
        if pair[0] == pair[1]:
            message = _("'{code}' is not a contact of itself").format(code=pair[0])
            table.add_problem(line, message)
        elif key in first:
            message = _("these two regions are listed twice, first on line {line}")
            table.add_problem(line, message.format(line=first[key]))
        first.setdefault(key, line)
        if land not in {"yes", "no", ""}:
            table.add_problem(
                line, _("land: {value} is not yes or no").format(value=as_written(land))
            )
        km = _distance(table, line, distance, "-".join(pair))
        rows.append(ContactRow(*key, land=land != "no", distance_km=km))
    return tuple(sorted(rows, key=lambda row: (row.code_a, row.code_b)))


def _distance(table: Table, line: int, text: str, name: str) -> float | None:
    if not text:
        return None
    km = table.number(line, "distance_km", text, name)
    if not 0 <= km <= FARTHEST and not math.isnan(km):
        message = _("distance_km: {value} is not between 0 and {limit} kilometres")
        table.add_problem(line, message.format(value=text, limit=FARTHEST))
    return km
