"""Calibration: an ensemble of futures that agree with the facts, rather than one best fit.

History matching [craig_1997]: a future is ruled out if it disagrees with any calibration fact, and
the ensemble is a uniform draw from everything that is not ruled out (:mod:`.sampling` says how it
is found). Nothing is weighted, so a range that the facts do not constrain stays as wide as it was.

What varies are all assumed parameters, attributes of the service areas, and the structures of the
model. The ensemble thus leaves open what the facts leave open.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from math import inf, isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kolabsim.analysis.statistics import mean_interval
from kolabsim.engine.ensemble import in_threads
from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.parameters import PARAMETERS, Parameter, between, number, place_in
from kolabsim.model.version import digest
from kolabsim.scenario.futures import AREA_FACTOR, STRUCTURES, Future
from kolabsim.scenario.tables import as_number, read_csv
from kolabsim.validation.facts import CALIBRATION, FACTS, SETTINGS, Fact
from kolabsim.validation.runs import Setting, simulate_runs
from kolabsim.validation.sampling import (
    SPARE,
    Judged,
    Population,
    Space,
    features,
    ridge,
    sample,
    word_at,
)

UNDEFINED = 20.0
"""Excess of a fact whose contrast the runs do not define."""
FAR = 1.0
"""Excess with one run of each setting beyond which a set is not looked at with more runs."""
LOOKS = (1, 4)
"""Runs of the first and of the second look."""

AREA_FACTORS: dict[str, Parameter] = {
    "efficient_scale": number(1.0, "", "", low=0.5, high=2.0),
    "curvature_below": number(1.0, "", "", low=0.75, high=1.33),
    "haul": number(1.0, "", "", low=0.5, high=2.0),
    "spillover": number(1.0, "", "", low=0.5, high=2.0),
    "difficulty": number(1.0, "", "", low=0.5, high=1.5),
}
"""Factors by which attributes of all service areas vary, assumed; the literature bounds the fall of
unit cost with scale more closely than the rest (SF3)."""

NEAR_FACTS = 3.0
"""Places in a band from which effects are estimated: far away, everything is different."""
OPPOSITE = -0.3
"""Cosine of two changes below which facts pull against each other."""


# What varies --------------------------------------------------------------------------------------


class Axis(NamedTuple):
    """Something that varies: a number in a range, or a choice among words, the default first."""

    name: str
    low: float = 0.0
    high: float = 1.0
    default: float = 0.0
    words: tuple[str, ...] = ()

    def at(self, u: float) -> float | str:
        """Its value at a place from 0 to 1."""
        if self.words:
            return self.words[int(word_at(np.array(u), len(self.words)))]
        return between(self.low, self.high, u)

    def place(self, value: float | str) -> float:
        """The place from 0 to 1 of a value; for a word, the middle of its part."""
        if not self.words:
            return place_in(self.low, self.high, float(value))
        k, others = self.words.index(str(value)), len(self.words) - 1
        return 0.25 if k == 0 else 0.5 + 0.5 * (k - 0.5) / others


def assumed() -> dict[str, Parameter]:
    """The assumed parameters, by name.

    The speeds at which trust grows and falls are not among them: the literature bounds their ratio
    (SF24).
    """
    return {name: entry for name, entry in PARAMETERS.items() if entry.source == "assumed"}


def axes() -> tuple[Axis, ...]:
    """Everything that varies: assumed parameters, attributes of all areas, structures."""
    numbers = {f"parameters.{name}": entry for name, entry in assumed().items()}
    numbers |= {
        f"{AREA_FACTOR}{name}": entry
        for name, entry in AREA_FACTORS.items()
        if name in AREA_ATTRIBUTES
    }
    found = [Axis(name, one.low, one.high, one.default) for name, one in numbers.items()]
    return (*found, *(Axis(name, words=words) for name, words in STRUCTURES.items()))


def future_at(point: np.ndarray) -> Future:
    """The future at a point of the unit cube: each parameter from low (0) to high (1)."""
    return {axis.name: axis.at(float(u)) for axis, u in zip(axes(), point, strict=True)}


def point_of(future: Mapping[str, object]) -> np.ndarray:
    """The point of the unit cube of a future; what it does not set has its default."""
    return np.array([
        axis.place(future.get(axis.name, axis.words[0] if axis.words else axis.default))  # type: ignore[arg-type]
        for axis in axes()
    ])  # fmt: skip


# Judging ----------------------------------------------------------------------------------------


@cache
def calibration_facts() -> dict[str, tuple[Fact, ...]]:
    """The facts for calibration by setting; the setting with the fewest quarters comes first."""
    found: dict[str, list[Fact]] = {}
    for fact in FACTS:
        if fact.use == CALIBRATION:
            (setting,) = fact.settings
            found.setdefault(setting, []).append(fact)
    order = sorted(found, key=lambda name: SETTINGS[name].changes["horizon"])
    return {name: tuple(found[name]) for name in order}


def half_width(fact: Fact) -> float:
    """Half the width of the band of a fact; a tenth where it has one end only."""
    width = (fact.high - fact.low) / 2.0
    return width if isfinite(width) else 0.1


def position(fact: Fact, value: float) -> float:
    """The place of a value in the band of a fact: -1 and 1 are its ends.

    A fact with one end only counts as agreeing from that end on, which is -1.

    Examples
    --------
    >>> (share,) = (fact for fact in FACTS if fact.id == "SF18")  # 15 to 40 percent
    >>> round(position(share, 0.275), 3), round(position(share, 0.45), 3)
    (0.0, 1.4)
    """
    if not isfinite(value):
        return np.nan
    if isfinite(fact.low):
        return (value - fact.low) / half_width(fact) - 1.0
    return (fact.high - value) / half_width(fact) - 1.0


def excess(fact: Fact, value: float) -> float:
    """How far a value lies outside the band of a fact, in half-widths of the band; 0 inside.

    Examples
    --------
    >>> (share,) = (fact for fact in FACTS if fact.id == "SF18")  # 15 to 40 percent
    >>> round(excess(share, 0.45), 3)
    0.4
    """
    if not isfinite(value):
        return UNDEFINED
    return min(max(fact.low - value, value - fact.high, 0.0) / half_width(fact), UNDEFINED)


def judge(
    future: Mapping[str, object],
    enough: float = inf,
    *,
    seed: int = 1,
    facts: Mapping[str, Sequence[Fact]] | None = None,
) -> Judged:
    """Judge a future by all facts for calibration.

    A first look with one run of each setting is final if a fact is :data:`FAR` outside its band;
    otherwise a second look with four decides. All futures share their random draws. Beyond an
    excess of ``enough``, the remaining settings are not simulated.
    """
    facts = calibration_facts() if facts is None else facts
    places = {fact.id: np.nan for some in facts.values() for fact in some}
    values: dict[str, list[np.ndarray]] = {name: [] for name in facts}
    worst = 0.0
    for runs, limit in zip(LOOKS, (max(enough, FAR), enough), strict=True):
        worst = 0.0
        for name, some in facts.items():
            numbers = range(len(values[name]), runs)
            values[name] += [*simulated(SETTINGS[name], some, numbers, future, seed)]
            means = mean_interval(np.array(values[name])).mean
            for fact, value in zip(some, means, strict=True):
                places[fact.id] = position(fact, value)
                worst = max(worst, excess(fact, value))
            if worst > limit:
                break
        if worst > FAR or worst > limit:
            break
    return Judged(np.array(list(places.values())), worst)


def simulated(
    setting: Setting,
    facts: Sequence[Fact],
    numbers: range,
    future: Mapping[str, object],
    seed: int,
) -> np.ndarray:
    """[numbers, facts] contrasts of facts that need one setting only."""
    each = setting.repeats
    runs = range(numbers.start * each, numbers.stop * each)
    found = [
        [float(fact.contrast(run)) for fact in facts if fact.contrast]
        for run in simulate_runs(setting, runs, future=future, seed=seed)
    ]
    return np.array(found).reshape(len(numbers), each, -1).mean(axis=1)


def misfit(future: Mapping[str, object], *, runs: int, seed: int, enough: float = inf) -> float:
    """Largest excess over all facts for calibration, with ``runs`` runs of each setting.

    All futures share their random draws. Beyond an excess of ``enough``, the remaining settings are
    not simulated.
    """
    worst = 0.0
    for facts in calibration_facts().values():
        found = simulated(SETTINGS[facts[0].settings[0]], facts, range(runs), future, seed)
        worst = max(worst, *map(excess, facts, mean_interval(found).mean))
        if worst > enough:
            break
    return worst


# The ensemble -------------------------------------------------------------------------------------


def calibrate(
    *,
    sets: int = 200,
    most: int = 50_000,
    seed: int = 1,
    threads: int | None = None,
    known: Sequence[Mapping[str, object]] = (),
    checkpoint: Path | None = None,
    progress: Callable[[Population], None] | None = None,
) -> Calibration:
    """Find ``sets`` futures that agree with all facts for calibration.

    The search descends from a uniform draw, or begins with those of the ``known`` sets that agree.
    After each generation it is saved to the file ``checkpoint``, and a search that was interrupted
    continues from it. Raises :class:`~kolabsim.errors.InputError` if the file is of another search,
    or if no known set agrees.
    """
    asked = identity(sets, seed, known)
    begin = None if checkpoint is None else load_population(checkpoint, asked)
    if begin is None and known:
        begin = begin_with(known, wanted=sets, seed=seed, threads=threads)

    def show(one: Population) -> None:
        if checkpoint is not None:
            save_population(checkpoint, one, asked)
        if progress is not None:
            progress(one)

    found = sample(
        lambda point, enough: judge(future_at(point), enough, seed=seed),
        space_of(axes(), all_facts()),
        wanted=sets, most=most, seed=seed, threads=threads, begin=begin, progress=show,
    )  # fmt: skip
    return Calibration(axes(), all_facts(), found)


def all_facts() -> tuple[Fact, ...]:
    """The facts for calibration, in the order in which a future is judged by them."""
    return tuple(fact for some in calibration_facts().values() for fact in some)


def read_known(path: Path) -> tuple[Future, ...]:
    """Read sets that an earlier search found; what a file does not name has its default.

    Raises :class:`~kolabsim.errors.InputError` with every column or cell that does not fit.
    """
    problems, known = Problems(), {axis.name: axis for axis in axes()}
    table = read_csv(path, problems)
    problems.raise_if_any()
    assert table is not None  # otherwise there is a problem
    for name in table.header:
        if name not in known:
            text = _("{setting}: not a setting that calibration varies{suggestion}")
            near = suggestion(name, known)
            problems.add(text, file=path, line=1, setting=name, suggestion=near)
    problems.raise_if_any()
    columns = {name: table.texts(name) for name in table.header}
    for name, cells in columns.items():
        axis = known[name]
        for line, cell in zip(table.lines, cells, strict=True):
            if axis.words and cell not in axis.words:
                text = _("{setting}: {value} is not one of its words{suggestion}")
                near = suggestion(cell, axis.words)
                text = text.format(setting=name, value=repr(cell), suggestion=near)
                problems.add(text, file=path, line=line)
            elif not axis.words and not axis.low <= as_number(cell) <= axis.high:
                text = _("{setting}: {value} must be a number from {low} to {high}")
                low, high = f"{axis.low:g}", f"{axis.high:g}"
                text = text.format(setting=name, value=repr(cell), low=low, high=high)
                problems.add(text, file=path, line=line)
    if not table.lines:
        problems.add(_("this table has no rows"), file=path)
    problems.raise_if_any()
    rows = zip(*columns.values(), strict=True)
    return tuple(
        {
            name: cell if known[name].words else float(cell)
            for name, cell in zip(columns, row, strict=True)
        }
        for row in rows
    )


def begin_with(
    known: Sequence[Mapping[str, object]], *, wanted: int, seed: int, threads: int | None
) -> Population:
    """A population at the last level: those known sets that agree, and copies of them.

    Raises :class:`~kolabsim.errors.InputError` if none agrees.
    """
    points = np.array([point_of(one) for one in known])
    found = list(
        in_threads(lambda point: judge(future_at(point), 0.0, seed=seed), points, threads=threads)
    )
    worst = np.array([one.worst for one in found])
    positions = np.array([one.positions for one in found])
    rows = np.flatnonzero(worst <= 0.0)
    if not len(rows):
        raise InputError([Problem(_("none of the sets to begin with agrees with all facts"))])
    number = max(int(np.ceil(SPARE * wanted)) - len(rows), 0)
    copies = np.random.default_rng(seed).choice(rows, number, replace=number > len(rows))
    rows = np.concatenate([rows, copies])
    return Population(
        wanted, points[rows], worst[rows], positions[rows], 0.0, points[rows], points, positions,
        levels=((0.0, 0),),
    )  # fmt: skip


def identity(sets: int, seed: int, known: Sequence[Mapping[str, object]] = ()) -> str:
    """A hash of everything that decides the course of a search."""
    facts = [(one.id, one.low, one.high, repr(SETTINGS[one.settings[0]])) for one in all_facts()]
    what = (axes(), facts, LOOKS, FAR, sets, seed, digest(), *map(repr, known))
    return hashlib.sha256(repr(what).encode()).hexdigest()


def save_population(path: Path, one: Population, asked: str) -> None:
    """Save the state of a search, replacing the file as a whole."""
    from kolabsim.files import write_whole

    kept: dict[str, Any] = {part.name: getattr(one, part.name) for part in fields(one)}
    content = io.BytesIO()
    np.savez_compressed(content, asked=np.array(asked), **kept)
    write_whole(path, content.getvalue())


def load_population(path: Path, asked: str) -> Population | None:
    """Read the state of a search; None if there is none.

    Raises :class:`~kolabsim.errors.InputError` if it is of another search, or not readable.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["asked"]) != asked:
                text = _(
                    "{path}: this search has other facts, ranges, sets, seed or model; delete it "
                    "or choose another folder"
                )
                raise InputError.of(text.format(path=path.as_posix()))
            parts = {part.name: kept[part.name] for part in fields(Population)}
    except (OSError, ValueError, KeyError, EOFError) as error:
        text = _("{path}: this is not a saved search; delete it or choose another folder")
        raise InputError.of(text.format(path=path.as_posix())) from error
    levels = tuple((float(level), int(judged)) for level, judged in parts["levels"].reshape(-1, 2))
    plain = {
        name: parts[name].item() for name in ("wanted", "level", "generation", "accepted")
    }  # fmt: skip
    return Population(**(parts | plain | {"levels": levels}))


# What was found -----------------------------------------------------------------------------------


class Identified(NamedTuple):
    """How far the facts narrow something that varies."""

    left: float
    """Width of the middle 90% of what is left, relative to a uniform draw."""
    p: float
    """p-value of a Kolmogorov-Smirnov test against a uniform draw."""


def identified(points: np.ndarray, names: Sequence[str]) -> dict[str, Identified]:
    """How far the facts narrow each dimension, given the points [sets, dimensions] they left."""
    from scipy.special import kolmogorov

    found = {}
    n = len(points)
    rank = np.arange(n)
    for name, values in zip(names, np.sort(points, axis=0).T, strict=True):
        width = float(np.subtract(*np.quantile(values, (0.95, 0.05))) / 0.9)
        apart = max(np.max((rank + 1) / n - values), np.max(values - rank / n))
        p = kolmogorov((np.sqrt(n) + 0.12 + 0.11 / np.sqrt(n)) * float(apart))
        found[name] = Identified(width, float(p))
    return found


class Pull(NamedTuple):
    """Two facts that ask for opposite changes."""

    one: str
    other: str
    cosine: float
    """Cosine of the changes that bring each of them to the middle of its band."""


@dataclass(frozen=True)
class Calibration:
    """An ensemble of futures that agree with all facts for calibration, and what it says."""

    axes: tuple[Axis, ...]
    facts: tuple[Fact, ...]
    population: Population

    @property
    def points(self) -> np.ndarray:
        """[sets, d] the sets that agree, as points of the unit cube."""
        return self.population.points[self.population.distinct[: self.population.wanted]]

    @property
    def futures(self) -> tuple[Future, ...]:
        """Parameters, areas and structures of each."""
        return tuple(
            {axis.name: axis.at(float(u)) for axis, u in zip(self.axes, point, strict=True)}
            for point in self.points
        )

    @property
    def numbers(self) -> np.ndarray:
        """Positions of the axes that are numbers."""
        return np.array([k for k, axis in enumerate(self.axes) if not axis.words])

    @property
    def identified(self) -> dict[str, Identified]:
        """How far the facts narrow each number."""
        names = [self.axes[k].name for k in self.numbers]
        return identified(self.points[:, self.numbers], names)

    @property
    def shares(self) -> dict[str, dict[str, float]]:
        """Share of the sets with each word of each structure."""
        return {
            axis.name: {
                word: float(np.mean(word_at(values, len(axis.words)) == k))
                for k, word in enumerate(axis.words)
            }
            for axis, values in zip(self.axes, self.points.T, strict=True)
            if axis.words
        }

    @property
    def medoid(self) -> int:
        """The set with the smallest mean distance to all others.

        Among those with the default structures, if there are any.
        """
        points, words = self.points[:, self.numbers], [a for a in self.axes if a.words]
        apart = np.sqrt(((points[:, None] - points[None, :]) ** 2).mean(axis=2)).mean(axis=1)
        usual = np.array([all(one[a.name] == a.words[0] for a in words) for one in self.futures])
        return int(np.argmin(np.where(usual | ~usual.any(), apart, np.inf)))

    @property
    def places(self) -> np.ndarray:
        """[F] mean place of each fact in its band, over the sets."""
        rows = self.population.distinct[: self.population.wanted]
        return self.population.positions[rows].mean(axis=0)

    @property
    def effects(self) -> np.ndarray:
        """[F, d] change of each fact by each number over its whole range, in half-widths.

        Linear effects in a regression on the judged points that are not far from the facts, with
        all else held fixed; 0 where the effect is within three standard errors.
        """
        one, numbers = self.population, self.numbers
        every = space_of(self.axes, self.facts)
        found = np.zeros((len(self.facts), len(self.axes)))
        for f, values in enumerate(one.places.T):
            near = np.flatnonzero(np.isfinite(values) & (np.abs(values) <= NEAR_FACTS))
            if len(near) < 2 * len(self.axes):
                continue
            slopes, errors, _spread = ridge(features(one.archive[near], every), values[near])
            linear = slice(1, 1 + len(numbers))
            clear = np.abs(slopes[linear]) > 3.0 * errors[linear]
            found[f, numbers] = np.where(clear, 2.0 * slopes[linear], 0.0)
        return found

    @property
    def pulls(self) -> list[Pull]:
        """Pairs of facts whose bands ask for opposite changes, the strongest first.

        A fact asks for the change that brings it to the middle of its band, along its effects. Only
        facts that lie off the middle, by a quarter of the way to the end, ask for anything.
        """
        wishes = -np.sign(self.places)[:, None] * self.effects
        length = np.sqrt((wishes**2).sum(axis=1))
        asks = (length > 0.0) & (np.abs(self.places) > 0.25)
        found = []
        for a in range(len(self.facts)):
            for b in range(a):
                if asks[a] and asks[b]:
                    cosine = float(wishes[a] @ wishes[b] / (length[a] * length[b]))
                    if cosine < OPPOSITE:
                        found.append(Pull(self.facts[b].id, self.facts[a].id, cosine))
        return sorted(found, key=lambda pull: pull.cosine)

    def as_json(self) -> str:
        """What was found, as the text of a file that documentation and figures read."""
        narrowed, effects, best = self.identified, self.effects, self.futures[self.medoid]
        numbers = {}
        for k in self.numbers:
            axis, one = self.axes[k], narrowed[self.axes[k].name]
            low, middle, high = (
                float(f"{axis.at(float(u)):.4g}")
                for u in np.quantile(self.points[:, k], (0.05, 0.5, 0.95))
            )
            by = {
                fact.id: round(float(effects[f, k]), 3)
                for f, fact in enumerate(self.facts)
                if effects[f, k]
            }
            numbers[axis.name] = {
                "prior": [axis.low, axis.high], "default": axis.default,
                "posterior": [low, middle, high], "medoid": float(f"{best[axis.name]:.4g}"),
                "left": round(one.left, 4), "p": float(f"{one.p:.3g}"), "effects": by,
            }  # fmt: skip
        search = self.population
        what = {
            "model": digest(), "sets": len(self.points), "judged": search.judged,
            "level": search.level, "levels": [[level, judged] for level, judged in search.levels],
            "memory": [round(float(v), 3) for v in (search.memory.mean(), search.memory.max())],
            "facts": {
                fact.id: {
                    "statement": fact.statement, "low": finite(fact.low), "high": finite(fact.high),
                    "place": round(float(place), 3),
                }
                for fact, place in zip(self.facts, self.places, strict=True)
            },
            "numbers": numbers, "structures": self.shares,
            "pulls": [[*pull[:2], round(pull.cosine, 3)] for pull in self.pulls],
        }  # fmt: skip
        return json.dumps(what, ensure_ascii=False, indent=1) + "\n"


def finite(value: float) -> float | None:
    """A number, or None where it is not finite."""
    return value if isfinite(value) else None


def space_of(axes: Sequence[Axis], facts: Sequence[Fact]) -> Space:
    """The unit cube of some axes and facts."""
    return Space(
        tuple(len(axis.words) for axis in axes),
        tuple(not (isfinite(fact.low) and isfinite(fact.high)) for fact in facts),
    )
