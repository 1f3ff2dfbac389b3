"""The points of a sweep: all combinations of levels, points that are drawn, or those of a table."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.engine.ensemble import build_task, work_of
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.scenario.tables import Table, as_number, not_a_number, read_csv
from kolabsim.study.factors import Factor, Value, list_factors
from kolabsim.study.spec import BASELINE, LEVER_GROUPS, NO_COMPARISON, PATTERNS

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.spec import SweepSpec

FIRST = 0.2
"""Share of the points of a search for patterns that are spread evenly at first."""
MOST_POINTS = 100_000
"""Most points of a sweep."""
MOST_RUNS = 5_000_000
"""Most runs of a sweep, of all points and futures together."""
SECONDS = 35e-9
"""Time of a core for one unit of work (:func:`kolabsim.engine.ensemble.work_of`), measured."""


def is_lever(name: str) -> bool:
    """Whether a factor belongs to a lever: its intensity, target or budget."""
    return name.partition(".")[0] in LEVER_GROUPS


def reference(spec: SweepSpec, factors: Iterable[Factor]) -> str | None:
    """The strategy with which points are compared; None if outcomes are shown as they are."""
    if spec.method == PATTERNS:
        return None
    if spec.against is not None:
        return None if spec.against == NO_COMPARISON else spec.against
    compared = spec.strategy != BASELINE or any(is_lever(one.name) for one in factors)
    return BASELINE if compared else None


# Points -----------------------------------------------------------------------------------------


def draw_points(spec: SweepSpec, factors: Sequence[Factor]) -> pd.DataFrame:
    """The settings at each point, [points, factors]; of a grid the last factor moves first."""
    import pandas as pd

    names = [factor.name for factor in factors]
    if spec.method == "factorial":
        levels = [factor.levels(spec.levels or 2) for factor in factors]
        return pd.DataFrame(list(product(*levels)), columns=names)
    from scipy.stats import qmc

    if spec.method == PATTERNS:  # the search finds the others
        places = first_points(len(names), spec.samples or 2, spec.seed)
        return settings_at(factors, places)
    number, rng = spec.samples or 2, np.random.default_rng(spec.seed)
    sampler = qmc.LatinHypercube if spec.method == "latin" else qmc.Halton
    return settings_at(factors, sampler(len(names), seed=rng).random(number))


def first_points(factors: int, samples: int, seed: int) -> np.ndarray:
    """The first places of a search for patterns, [points, factors] in the unit cube.

    They are a fifth of all points, at least two.
    """
    from scipy.stats import qmc

    sampler = qmc.Halton(factors, seed=np.random.default_rng(seed))
    return np.asarray(sampler.random(min(samples, max(2, round(FIRST * samples)))))


def settings_at(factors: Sequence[Factor], places: np.ndarray) -> pd.DataFrame:
    """The settings at places of the unit cube, [points, factors]."""
    import pandas as pd

    return pd.DataFrame({
        one.name: [one.at(u) if one.is_choice else round(float(one.at(u)), 6) for u in places[:, k]]
        for k, one in enumerate(factors)
    })  # fmt: skip


@dataclass(frozen=True, eq=False)
class PointTable:
    """A table of points, and the factors that are its columns."""

    factors: tuple[Factor, ...]
    points: pd.DataFrame


def read_points(path: Path, scenario: Scenario) -> PointTable:
    """Read a CSV table of points: a column for each factor, a row for each point.

    Raises :class:`~kolabsim.errors.InputError` with all problems at once, each with its line.
    """
    problems = Problems()
    table = read_csv(path, problems)
    problems.raise_if_any()
    assert table is not None
    return check_points(table, scenario)


def take_points(points: pd.DataFrame, scenario: Scenario) -> PointTable:
    """Take the points of a table in memory, as :func:`read_points` does; rows count from 1."""
    rows = tuple(tuple(str(value) for value in row) for row in points.itertuples(index=False))
    header = tuple(str(name) for name in points.columns)
    lines = tuple(range(1, len(rows) + 1))
    return check_points(Table(Path("points"), header, rows, lines, Problems()), scenario)


def check_points(table: Table, scenario: Scenario) -> PointTable:
    """Check a table of points, and return it with its factors."""
    import pandas as pd

    known, columns = list_factors(scenario), dict[str, tuple[Value, ...]]()
    for name in table.header:
        if name not in known:
            hint = suggestion(name, known)
            table.add_problem(
                1, _("the column '{name}' is not a factor{hint}"), name=name, hint=hint
            )
    if len(table.rows) < 2:
        message = _("{number} points; a sweep needs at least two")
        table.add_problem(1, message, number=len(table.rows))
    if len(table.rows) > MOST_POINTS:
        message = _("{number} points are too many; allowed: at most {most}")
        table.add_problem(1, message, number=len(table.rows), most=MOST_POINTS)
        table.problems.raise_if_any()
    for name in (name for name in dict.fromkeys(table.header) if name in known):
        cells = zip(table.lines, table.texts(name), strict=True)
        columns[name] = tuple(_cell(table, line, known[name], text) for line, text in cells)
    table.problems.raise_if_any()
    first = dict[tuple[Value, ...], int]()
    for line, point in zip(table.lines, zip(*columns.values(), strict=True), strict=True):
        if first.setdefault(point, line) != line:
            message = _("the same point as on line {line}")
            table.add_problem(line, message, line=first[point])
    for name, values in columns.items():
        if len(set(values)) < 2:
            message = _("{name}: all rows have {value}; write it under 'set' instead")
            table.add_problem(1, message, name=name, value=values[0])
    table.problems.raise_if_any()
    factors = tuple(_used(known[name], values) for name, values in columns.items())
    return PointTable(factors, pd.DataFrame(columns))


def _cell(table: Table, line: int, factor: Factor, text: str) -> Value:
    """The value in a cell; a problem, and the text, if the factor cannot have it."""
    value = as_number(text)
    if factor.is_choice:
        for word in factor.words:
            if text == str(word) or word == value:
                return word
        message = _("{name}: '{value}' is not known here{hint}")
        words = [str(word) for word in factor.words]
        hint = suggestion(text, words)
        table.add_problem(line, message, name=factor.name, value=text, hint=hint)
    elif not math.isfinite(value):
        table.add_problem(line, f"{factor.name}: {not_a_number(text)}")
    elif not factor.least <= value <= factor.most:
        message = _("{name}: {value} is not allowed; allowed: from {least} to {most}")
        bounds = {"least": f"{factor.least:g}", "most": f"{factor.most:g}"}
        table.add_problem(line, message, name=factor.name, value=text, **bounds)
    else:
        return value
    return text


def _used(factor: Factor, values: Collection[Value]) -> Factor:
    """A factor whose range, words and levels are those of a table."""
    if factor.is_choice:
        words = tuple(word for word in factor.words if word in set(values))
        return replace(factor, words=words)
    levels = tuple(sorted({float(value) for value in values}))
    return replace(factor, low=levels[0], high=levels[-1], chosen=levels)


def grid_levels(points: pd.DataFrame, factors: Sequence[Factor]) -> dict[str, tuple[Value, ...]]:
    """The levels of each factor if the points are all of their combinations; else nothing."""
    levels = dict[str, tuple[Value, ...]]()
    for factor in factors:
        used = dict.fromkeys(points[factor.name])
        order = factor.words if factor.is_choice else tuple(sorted(used))
        levels[factor.name] = tuple(value for value in order if value in used)
    return levels if math.prod(map(len, levels.values())) == len(points) else {}


def in_grid_order(points: pd.DataFrame, levels: Mapping[str, Sequence[Value]]) -> pd.DataFrame:
    """The points of a grid in the order of its levels, whose last factor moves first."""
    import pandas as pd

    return pd.DataFrame(list(product(*levels.values())), columns=list(points.columns))


# Cost -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What a sweep takes."""

    points: int
    futures: int
    runs: int
    """Runs at each point in each future."""
    total: int
    """All runs, those of the strategy that points are compared with among them."""
    seconds: float
    """Estimated time of a core."""


def sweep_cost(
    scenario: Scenario, spec: SweepSpec, factors: Sequence[Factor], points: int, base: int
) -> Cost:
    """What a sweep of so many points takes, and ``base`` points that they are compared with."""
    futures, runs = max(spec.plausible, 1), spec.runs or 2
    total = (points + base) * futures * runs
    task = build_task(scenario, scenario.strategies[spec.strategy], seed=spec.seed)
    return Cost(points, futures, runs, total, SECONDS * work_of(task) * total)


def check_size(cost: Cost) -> None:
    """Refuse a sweep that is too large; the message has its cost."""
    if cost.points <= MOST_POINTS and cost.total <= MOST_RUNS:
        return
    text = _(
        "{points} points in {futures} futures with {runs} runs each, and the runs that they are "
        "compared with, are {total} runs, about {hours} hours of one core; allowed: at most {most} "
        "points and {limit} runs. Use fewer levels, futures or runs, or draw points (method: "
        "halton)"
    )
    raise InputError.of(
        text, points=cost.points, futures=cost.futures, runs=cost.runs, total=cost.total,
        hours=f"{cost.seconds / 3600.0:.0f}", most=MOST_POINTS, limit=MOST_RUNS,
    )  # fmt: skip
