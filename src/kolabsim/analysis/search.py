"""Search under a budget: packages of levers that no other package beats in everything.

NSGA-II [deb_2002] over an ``evaluate`` that simulates candidates on common draws. What luck leaves
open is simulated more often; what was simulated once is kept, and never simulated again.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from kolabsim.analysis.comparison import paired
from kolabsim.errors import (
    InputError,
    KolabsimError,
    Problem,
    Problems,
    StoppedError,
    StorageError,
    shown,
)
from kolabsim.files import write_whole
from kolabsim.i18n import _
from kolabsim.study.factors import Factor, Value

if TYPE_CHECKING:
    import pandas as pd

Evaluate: TypeAlias = "Callable[[np.ndarray, range], np.ndarray]"
"""Simulates points of the unit cube [N, factors], all with the runs of these numbers, and gives
[N, columns, runs]; columns are those of :func:`columns_of`. Run k of one point shares its draws
with run k of every other, and is always the same; NaN says undefined."""
EvaluateInFutures: TypeAlias = "Callable[[np.ndarray, range], np.ndarray]"
"""The same in many futures: [N, columns, futures, runs]."""

MORE, LESS = 1, -1
"""Directions of objectives: more is better, less is."""
LEAST_POPULATION = 8
"""Fewer candidates have too few parents to choose from."""
RESAMPLES = 1000
"""Bootstrap resamples of the runs by which it is judged how sure the knee is."""
TAIL = 0.1
"""The worst tenth of futures."""


@dataclass(frozen=True)
class Objective:
    """An outcome that is sought, as a mean over runs."""

    name: str
    direction: int
    """1 where more is better, -1 where less is."""


@dataclass(frozen=True)
class Budget:
    """The most that a package may cost, as a mean over runs."""

    most: float
    """In the unit of the cost."""
    name: str = "programme_cost"
    """The outcome that is the cost; it may be an objective as well."""


class Generation(NamedTuple):
    """How far a search is."""

    number: int
    """From 1."""
    candidates: int
    """Different candidates so far."""
    runs: int
    """Runs that these were judged by."""
    members: int
    """Of the round's survivors, those within the budget that none beats, as far as is known."""


@dataclass(frozen=True)
class Front:
    """The packages within the budget that no other beats in everything: the Pareto front found.

    Of all candidates of the search, not only of the last round's; without those that are on it by
    luck alone (:func:`distinct`).

    The means are of the runs on which the front was chosen, and flatter it a little: the lucky are
    chosen with the good. :func:`reevaluate` judges them on other draws.
    """

    factors: tuple[Factor, ...]
    objectives: tuple[Objective, ...]
    budget: Budget | None
    level: float
    """Confidence level of all intervals."""
    points: np.ndarray = field(repr=False)
    """[members, factors] of the unit cube; from the cheapest member to the dearest, or if the cost
    is no objective from the least to the most of the first objective."""
    values: np.ndarray = field(repr=False)
    """[members, columns, runs]; all members have the same runs."""
    history: tuple[Generation, ...] = field(repr=False)
    """All generations; the last with the runs that decided the front."""
    hypervolume: np.ndarray = field(repr=False)
    """[generations] share of the box between the best and the worst of each objective, of all
    candidates within the budget, that those up to the generation beat, by what is known at the end
    [zitzler_thiele_1999]."""
    knee: int
    """The member after which more of one objective costs most of another: :func:`knee_of`."""
    knee_shares: np.ndarray = field(repr=False)
    """[members] share of bootstrap resamples of the runs in which each is the knee."""

    def __len__(self) -> int:
        return len(self.points)

    @property
    def columns(self) -> tuple[str, ...]:
        """What is known of each member: the objectives, then the cost if it is none of them."""
        return columns_of(self.objectives, self.budget)

    @property
    def cost(self) -> int | None:
        """The column that is the cost; None without a budget."""
        return None if self.budget is None else self.columns.index(self.budget.name)

    @property
    def price(self) -> int | None:
        """The column that is the cost, if it is an objective: only then do members trade it."""
        return None if self.cost is None or self.cost >= len(self.objectives) else self.cost

    @property
    def senses(self) -> np.ndarray:
        """[columns] 1 where more is better, -1 where less is; a cost is better less."""
        known = {objective.name: objective.direction for objective in self.objectives}
        return np.array([known.get(name, LESS) for name in self.columns])

    @property
    def means(self) -> np.ndarray:
        """[members, columns] means over runs."""
        return self.values.mean(axis=2)

    @property
    def intervals(self) -> np.ndarray:
        """[members, columns, 2] intervals of the means."""
        return np.stack(paired(self.values, self.level)[1:3], axis=2)

    def against(self, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, low and high of the paired differences of all members to values [columns, runs].

        Runs that only one side has are left out.
        """
        runs = min(other.shape[-1], self.values.shape[2])
        return paired(self.values[..., :runs] - other[..., :runs], self.level)[:3]

    def settings(self, member: int) -> dict[str, Value]:
        """What a member sets each factor to."""
        return settings_of(self.factors, self.points[member])

    @property
    def extremes(self) -> dict[str, int]:
        """For each objective the member that does best in it."""
        best = (self.means * self.senses).argmax(axis=0)
        return {objective.name: int(best[k]) for k, objective in enumerate(self.objectives)}

    def spread(self, number: int) -> list[int]:
        """At most so many members in their order: the knee, the extremes, and others between."""
        chosen = list(dict.fromkeys([self.knee, *self.extremes.values()]))[:number]
        goals = self.means[:, : len(self.objectives)]
        place = scaled(goals, goals.min(axis=0), goals.max(axis=0))
        while len(chosen) < min(number, len(self)):
            gap = np.linalg.norm(place[:, None] - place[chosen], axis=2).min(axis=1)
            gap[chosen] = -1.0
            chosen.append(int(gap.argmax()))
        return sorted(chosen)

    def table(self) -> pd.DataFrame:
        """A row for each member: factors, means with ``_low`` and ``_high``, ``knee_share``."""
        import pandas as pd

        rows = []
        for k in range(len(self)):
            row: dict[str, object] = dict(self.settings(k))
            for name, mean, ends in zip(
                self.columns, self.means[k], self.intervals[k], strict=True
            ):
                row |= {name: mean, f"{name}_low": ends[0], f"{name}_high": ends[1]}
            rows.append(row | {"knee_share": self.knee_shares[k]})
        return pd.DataFrame(rows)


def columns_of(objectives: Sequence[Objective], budget: Budget | None) -> tuple[str, ...]:
    """What candidates are judged by: the objectives, then the cost if it is none of them."""
    names = [objective.name for objective in objectives]
    return tuple(dict.fromkeys([*names, *([budget.name] if budget else [])]))


def settings_of(factors: Sequence[Factor], point: np.ndarray) -> dict[str, Value]:
    """What a point of the unit cube sets each factor to."""
    return {factor.name: factor.at(float(u)) for factor, u in zip(factors, point, strict=True)}


# The search -------------------------------------------------------------------------------------


def search(
    evaluate: Evaluate,
    factors: Sequence[Factor],
    objectives: Sequence[Objective],
    *,
    budget: Budget | None = None,
    generations: int = 40,
    population: int = 60,
    runs: tuple[int, int] = (8, 64),
    steps: int = 100,
    starts: np.ndarray | None = None,
    seed: int = 1,
    level: float = 0.95,
    path: Path | None = None,
    identity: str = "",
    progress: Callable[[Generation], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Front:
    """Search for packages within a budget that no other package beats in everything.

    The same request gives the same front, bit for bit. With a ``path``, whatever was simulated is
    kept: a search that was interrupted, or that is asked for more generations, does every step of
    the first ones again, finds their values in the file, and so goes on from where it was.

    Parameters
    ----------
    evaluate
        Simulates candidates on common draws; see :data:`Evaluate`.
    factors
        What a package sets: the columns of a point.
    objectives
        What is sought, at least one.
    budget
        The most that a package may cost; None: there is no limit.
    generations
        Rounds of candidates, at least 1.
    population
        Candidates in a round, at least 8.
    runs
        The least and the most runs by which a candidate is judged, at least 2. A candidate that
        others do not clearly beat, run by run, has its runs doubled in each round.
    steps
        Parts of the range of a number; finer differences are not sought.
    starts
        [S, factors] points that take part from the first round: packages that are known.
    seed
        Seed of the search, 0 or above; the draws of the runs are those of ``evaluate``.
    level
        Confidence level of the intervals, between 0 and 1.
    path
        File in which what was simulated is kept, written whole after every call of ``evaluate``.
    identity
        Whatever else decides the values, as a text: hashes of the scenario, model and seed. A file
        with other factors, columns or identity is refused; all else may change.
    progress
        Called after each round.
    stop
        Asked before each call of ``evaluate``; true stops the search.

    Raises
    ------
    InputError
        With all problems of the request at once, or if the file is of another search.
    KolabsimError
        If no candidate keeps within the budget, with the cheapest one that was found.
    StoppedError
        If ``stop`` says so; what was finished is kept.
    StorageError
        If the disk refuses.
    """
    factors, objectives = tuple(factors), tuple(objectives)
    starts = np.empty((0, len(factors))) if starts is None else np.asarray(starts, np.float64)
    check_request(
        factors, objectives, budget, generations=generations, population=population, runs=runs,
        steps=steps, starts=starts, seed=seed, level=level,
    )  # fmt: skip
    columns = columns_of(objectives, budget)
    known = Known(evaluate, len(columns), stop, path, request_of(factors, columns, identity))
    known.read()
    race = Race(known, objectives, budget, runs, level)
    algorithm = nsga(factors, len(objectives), population, steps, starts, seed)
    history: list[Generation] = []
    for number in range(1, generations + 1):
        offspring = algorithm.ask()
        if offspring is None:  # there is no other candidate
            break
        race.enter(offspring.get("X"))
        pool = type(offspring).merge(algorithm.pop, offspring)
        points = pool.get("X")
        race.extend(points[race.undecided(points)])
        costs, violation = race.judge(points)
        # The parents' values too: their runs may have been doubled since they were chosen.
        pool.set("F", costs, "G", violation[:, None], "CV", violation[:, None])
        algorithm.tell(infills=offspring)
        points = algorithm.pop.get("X")
        members = int(race.leaders(points).sum())
        history.append(Generation(number, len(race.granted), sum(race.granted.values()), members))
        if progress is not None:
            progress(history[-1])
    points = race.decide()
    if not len(points):
        raise nothing_found(race, factors)
    history[-1] = history[-1]._replace(runs=sum(race.granted.values()))
    points = points[np.argsort(points.sum(axis=1), kind="stable")]  # of equals, what sets least
    sides = race.senses[:, None] * race.values(points)[:, : len(objectives)]
    points = points[distinct(sides, level)]
    volumes = hypervolumes(*race.judge(race.points), [one.candidates for one in history])
    along = race.cost if budget and race.cost < len(objectives) else 0
    points = points[np.argsort(race.values(points)[:, along].mean(axis=1), kind="stable")]
    values = race.values(points)
    costs = -race.senses[:, None] * values[:, : len(objectives)]
    return Front(
        factors, objectives, budget, level, points, values, tuple(history), volumes,
        knee_of(costs.mean(axis=2)), knee_shares(costs, seed),
    )  # fmt: skip


def check_request(
    factors: Sequence[Factor],
    objectives: Sequence[Objective],
    budget: Budget | None,
    *,
    generations: int,
    population: int,
    runs: tuple[int, int],
    steps: int,
    starts: np.ndarray,
    seed: int,
    level: float,
) -> None:
    """Refuse a search that makes no sense, with all problems at once."""
    problems = Problems()
    for kind, names in (
        ("factors", [factor.name for factor in factors]),
        ("objectives", [objective.name for objective in objectives]),
    ):
        if not names:
            problems.add(_("{kind}: give at least one").format(kind=kind))
        for name in sorted({name for name in names if names.count(name) > 1}):
            problems.add(_("{kind}: '{name}' is there twice").format(kind=kind, name=name))
    for objective in objectives:
        if objective.direction not in (MORE, LESS):
            text = _("{name}: direction {value} is unknown; 1: more is better, -1: less is better")
            problems.add(text.format(name=objective.name, value=objective.direction))
    if budget is not None and not np.isfinite(budget.most):
        problems.add(_("budget: {value} is not a sum of money").format(value=budget.most))
    wholes = (
        ("generations", generations, 1), ("population", population, LEAST_POPULATION),
        ("steps", steps, 1), ("seed", seed, 0), ("runs", runs[0], 2), ("runs", runs[1], 2),
    )  # fmt: skip
    for name, value, least in wholes:
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not is_whole or value < least:
            text = _("{name}: {value} is not a whole number from {least}")
            problems.add(text.format(name=name, value=value, least=least))
    if runs[0] > runs[1]:
        text = _("runs: the least, {least}, is above the most, {most}")
        problems.add(text.format(least=runs[0], most=runs[1]))
    if not 0.0 < level < 1.0:
        problems.add(_("level: {value} is not between 0 and 1").format(value=level))
    if starts.ndim != 2 or starts.shape[1] != len(factors):
        text = _("starts: the shape is {shape}; allowed: any number of points, {number} factors")
        problems.add(text.format(shape=starts.shape, number=len(factors)))
    elif not ((starts >= 0.0) & (starts <= 1.0)).all():
        problems.add(_("starts: not all points lie in the unit cube"))
    problems.raise_if_any()


def nsga(
    factors: Sequence[Factor],
    objectives: int,
    population: int,
    steps: int,
    starts: np.ndarray,
    seed: int,
) -> object:
    """NSGA-II of pymoo, to be asked and told; it begins with ``starts`` and a Latin hypercube."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem as Space
    from pymoo.core.repair import Repair
    from pymoo.core.termination import NoTermination
    from pymoo.operators.mutation.pm import PM

    dimensions = len(factors)
    words = np.array([len(factor.words) for factor in factors])

    class OnGrid(Repair):
        """Candidates that set everything to the same are the same point."""

        def _do(self, problem: Space, points: np.ndarray, **_how: object) -> np.ndarray:
            return on_grid(points, words, steps)

    class Mutation(PM):
        """A number goes to a near one; a word to any, as none is nearer than another."""

        def _do(
            self, problem: Space, points: np.ndarray, *more: object, **how: object
        ) -> np.ndarray:
            changed = super()._do(problem, points, *more, **how)
            luck = how["random_state"]
            drawn = luck.random(points.shape)
            redrawn = (words > 0) & (luck.random(points.shape) < 1.0 / dimensions)
            return np.where(redrawn, drawn, np.where(words > 0, points, changed))

    luck = np.random.default_rng(seed)
    cells = luck.permuted(np.tile(np.arange(population), (dimensions, 1)), axis=1).T
    first = np.vstack([starts, (cells + luck.random(cells.shape)) / population])
    algorithm = NSGA2(
        pop_size=population, sampling=first[: max(population, len(starts))],
        mutation=Mutation(eta=20), repair=OnGrid(),
    )  # fmt: skip
    space = Space(n_var=dimensions, n_obj=objectives, n_ieq_constr=1, xl=0.0, xu=1.0)
    return algorithm.setup(space, termination=NoTermination(), seed=int(seed))


def on_grid(points: np.ndarray, words: np.ndarray, steps: int) -> np.ndarray:
    """Points with numbers at one of so many steps, and choices in the middle of their word."""
    points = np.clip(points, 0.0, 1.0)
    parts = np.maximum(words, 1)
    middle = (np.minimum(np.floor(points * parts), parts - 1) + 0.5) / parts
    return np.where(words > 0, middle, np.round(points * steps) / steps)


def nothing_found(race: Race, factors: Sequence[Factor]) -> KolabsimError:
    """What to say where no candidate is within the budget."""
    points = race.points
    cost = race.values(points)[:, race.cost].mean(axis=1) if race.budget else np.array([np.nan])
    if not np.isfinite(cost).any():
        return KolabsimError(_("in no candidate are all objectives and the cost defined"))
    cheapest = int(np.nanargmin(cost))
    settings = settings_of(factors, points[cheapest])
    text = _(
        "no package was found within the budget of {budget}: the cheapest costs {cost} "
        "({settings}); raise the budget, or give the search more generations"
    )
    said = ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in settings.items()
    )
    return KolabsimError(
        text.format(budget=f"{race.budget.most:.6g}", cost=f"{cost[cheapest]:.6g}", settings=said)
    )


# What was simulated -----------------------------------------------------------------------------


def request_of(factors: Sequence[Factor], columns: Sequence[str], identity: str) -> str:
    """The hash of all that decides what a point's values are."""
    parts = [[asdict(factor) for factor in factors], list(columns), identity]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass
class Known:
    """The values of all points that were simulated, in memory and in a file."""

    evaluate: Evaluate
    columns: int
    stop: Callable[[], bool] | None
    path: Path | None
    request: str
    values: dict[bytes, np.ndarray] = field(default_factory=dict)
    """[columns, runs] of each point."""

    def provide(self, wanted: Mapping[bytes, int]) -> None:
        """Simulate what is missing for these points to have so many runs each."""
        nothing = np.empty((self.columns, 0))
        missing: dict[tuple[int, int], list[bytes]] = {}
        for key, runs in wanted.items():
            held = self.values.get(key, nothing).shape[1]
            if held < runs:
                missing.setdefault((held, runs), []).append(key)
        for (first, end), keys in sorted(missing.items()):
            if self.stop is not None and self.stop():
                raise StoppedError(_("stopped; what was simulated is kept"))
            points = np.array([np.frombuffer(key) for key in keys])
            found = np.asarray(self.evaluate(points, range(first, end)), np.float64)
            if found.shape != (len(keys), self.columns, end - first):
                text = _("evaluate gave values of shape {found}; expected: {expected}")
                expected = (len(keys), self.columns, end - first)
                raise KolabsimError(text.format(found=found.shape, expected=expected))
            for key, part in zip(keys, found, strict=True):
                self.values[key] = np.hstack([self.values.get(key, nothing), part])
            self.write()

    def write(self) -> None:
        """Keep everything in the file, if there is to be one."""
        if self.path is None:
            return

        def content(file: io.BufferedIOBase) -> None:
            np.savez(
                file,
                request=np.array(self.request),
                points=np.array([np.frombuffer(key) for key in self.values]),
                runs=np.array([part.shape[1] for part in self.values.values()]),
                values=np.concatenate([part.ravel() for part in self.values.values()]),
            )

        write_whole(self.path, content)

    def read(self) -> None:
        """Take what the file has, if there is one; nothing in it is run.

        Raises :class:`~kolabsim.errors.InputError` if it is of another search, or damaged.
        """
        if self.path is None or not self.path.exists():
            return
        try:
            held = self.path.read_bytes()
        except OSError as error:
            text = _("{file}: the disk refuses to read ({reason})")
            text = text.format(file=shown(self.path), reason=error.strerror or error)
            raise StorageError(text) from error
        text = _("this is no kept search, or it is damaged; name another file, or take it away")
        try:
            with np.load(io.BytesIO(held), allow_pickle=False) as file:
                request = str(file["request"])
                points, runs, values = file["points"], file["runs"], file["values"]
            parts = np.split(values, np.cumsum(runs * self.columns))
            if request == self.request:
                text = ""
                self.values = {
                    point.tobytes(): part.reshape(self.columns, -1)
                    for point, part in zip(points, parts[:-1], strict=True)
                }
            else:
                text = _(
                    "this is another search: it has other factors, outcomes, scenario or model; "
                    "name another file, or take it away"
                )
        except (KeyError, ValueError, TypeError, EOFError, OSError, zipfile.BadZipFile):
            self.values = {}
        if text:
            raise InputError([Problem(text, shown(self.path))])


@dataclass
class Race:
    """Candidates, and how many runs each is judged by: more where the runs leave it open.

    How many depends on nothing but the steps of the search, whatever more is known from before.
    """

    known: Known
    objectives: tuple[Objective, ...]
    budget: Budget | None
    runs: tuple[int, int]
    level: float
    granted: dict[bytes, int] = field(default_factory=dict)
    luck: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    """[columns, runs] means over the candidates with the most runs: how lucky each run was."""

    @property
    def senses(self) -> np.ndarray:
        """[objectives] their directions."""
        return np.array([objective.direction for objective in self.objectives], np.float64)

    @property
    def points(self) -> np.ndarray:
        """[N, factors] all candidates, as they came."""
        return np.array([np.frombuffer(key) for key in self.granted])

    @property
    def cost(self) -> int:
        """The column of the cost."""
        return columns_of(self.objectives, self.budget).index(self.budget.name)

    def enter(self, points: np.ndarray) -> None:
        """Judge new candidates by the least runs."""
        self._grant({key: self.runs[0] for key in keys_of(points) if key not in self.granted})

    def extend(self, points: np.ndarray) -> None:
        """Double the runs of candidates, up to the most."""
        self._grant({key: min(2 * self.granted[key], self.runs[1]) for key in keys_of(points)})

    def _grant(self, runs: Mapping[bytes, int]) -> None:
        self.known.provide(runs)
        self.granted |= runs
        most = max(self.granted.values())
        found = [self.known.values[key][:, :most] for key, n in self.granted.items() if n == most]
        found = [values for values in found if np.isfinite(values).all()]
        self.luck = np.mean(found, axis=0) if found else np.zeros((self.known.columns, most))

    def values(self, points: np.ndarray) -> np.ndarray:
        """[N, columns, runs] by which candidates are judged; NaN past the runs of each."""
        keys = keys_of(points)
        most = max(self.granted[key] for key in keys)
        found = np.full((len(keys), self.known.columns, most), np.nan)
        for row, key in zip(found, keys, strict=True):
            row[:, : self.granted[key]] = self.known.values[key][:, : self.granted[key]]
        return found

    def judge(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means of the objectives, less being better [N, objectives], and what is not allowed [N].

        A candidate with fewer runs than others is taken to have been as lucky in the others' runs
        as they were: to a mean of its runs comes what those others' means gained by theirs. What is
        not allowed is the excess over the budget, as a share of it, plus the share of runs in which
        anything is undefined.
        """
        mean = self.luck.mean(axis=1)
        means = np.empty((len(points), self.known.columns))
        violation = np.empty(len(points))
        for k, key in enumerate(keys_of(points)):
            values = self.known.values[key][:, : self.granted[key]]
            means[k] = values.mean(axis=1) + mean - self.luck[:, : values.shape[1]].mean(axis=1)
            violation[k] = (~np.isfinite(values)).any(axis=0).mean()
        if self.budget is not None:
            excess = (means[:, self.cost] - self.budget.most) / (abs(self.budget.most) or 1.0)
            violation += np.nan_to_num(np.maximum(excess, 0.0), posinf=1e9)
        costs = -self.senses * means[:, : len(self.objectives)]
        return np.nan_to_num(costs, posinf=0.0, neginf=0.0), violation

    def leaders(self, points: np.ndarray) -> np.ndarray:
        """Whether each is within the budget, and no other that is so beats it in the means."""
        costs, violation = self.judge(points)
        return undominated(costs, violation <= 0.0)

    def undecided(self, points: np.ndarray) -> np.ndarray:
        """Whether more runs of each are worth while, and allowed.

        They are for the leaders, and for whatever its intervals put neither over the budget nor
        behind a leader.
        """
        keys = keys_of(points)
        left = np.array([self.granted[key] < self.runs[1] for key in keys])
        leads = self.leaders(points)
        values = self.values(points)
        sides = self.senses[:, None] * values[:, : len(self.objectives)]
        out = beaten(sides, leads, self.level)
        if self.budget is not None:
            out |= paired(values[:, self.cost, None], self.level)[1][:, 0] > self.budget.most
        out |= np.array([not np.isfinite(self.known.values[key]).all() for key in keys])
        return left & (leads | ~out)

    def decide(self) -> np.ndarray:
        """The leaders of all candidates when each of them has the most runs."""
        points = self.points
        while True:
            leaders = points[self.leaders(points)]
            left = [self.granted[key] < self.runs[1] for key in keys_of(leaders)]
            if not any(left):
                return leaders
            self.extend(leaders[left])


def keys_of(points: np.ndarray) -> list[bytes]:
    """What each point is known by: its value."""
    return [point.tobytes() for point in np.ascontiguousarray(points, np.float64)]


def undominated(costs: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Whether each [N, objectives], less being better, is allowed and beaten by none that is.

    One beats another that is nowhere better and somewhere worse.
    """
    found = np.zeros(len(costs), bool)
    kept = np.empty((0, costs.shape[1]))
    # In this order whatever beats another comes before it.
    for k in np.lexsort(costs.T[::-1]):
        here = costs[k]
        if allowed[k] and not ((kept <= here).all(axis=1) & (kept < here).any(axis=1)).any():
            found[k] = True
            kept = np.vstack([kept, here])
    return found


def beaten(values: np.ndarray, leads: np.ndarray, level: float) -> np.ndarray:
    """Whether a leader clearly beats each candidate, from [N, objectives, runs], more being better.

    Clearly: by the intervals of the paired differences it is nowhere worse and somewhere better.
    """
    found = np.zeros(len(values), bool)
    for k in np.flatnonzero(leads):
        low = paired(values[k] - values, level)[1]
        found |= (low >= 0.0).all(axis=1) & (low > 0.0).any(axis=1)
    return found


def distinct(values: np.ndarray, level: float) -> np.ndarray:
    """Which members of a front [N, objectives, runs], more being better, are not so by luck alone.

    By luck alone: another that stays is clearly better in something, by the interval of the paired
    differences, and nowhere clearly worse; or it comes earlier and is the same in every run. Those
    that the fewest others would put out stay first, so that of a row of members, each not clearly
    apart from the next, some stay all along it.
    """
    outdoes = np.empty((len(values), len(values)), bool)
    for k in range(len(values)):
        _mean, low, high, _number = paired(values[k] - values, level)
        outdoes[k] = (low > 0.0).any(axis=1) & ~(high < 0.0).any(axis=1)
        outdoes[k, k + 1 :] |= (values[k] == values[k + 1 :]).all(axis=(1, 2))
    stays = np.zeros(len(values), bool)
    for k in np.argsort(outdoes.sum(axis=0), kind="stable"):
        stays[k] = not outdoes[stays, k].any()
    return stays


# What the front says ----------------------------------------------------------------------------


def scaled(costs: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Costs with 0 at the best and 1 at the worst; 0 where all are the same."""
    width = np.where(high > low, high - low, 1.0)
    return (costs - low) / width


def knee_of(costs: np.ndarray) -> int:
    """The member of a front [members, objectives], less being better, that is its knee.

    Objectives are scaled from the best (0) to the worst (1) on the front; the knee lies farthest on
    the better side of the line, plane or hyperplane through the members that are best in one
    objective each [das_1999]. Where these do not span one that faces the best, it is that through
    the worst of each objective. A front that bulges nowhere has an extreme as its knee.
    """
    z = scaled(costs, costs.min(axis=0), costs.max(axis=0))
    normal = facing(z[z.argmin(axis=0)])
    return int(((1.0 - z @ normal) / np.linalg.norm(normal)).argmax())


def facing(extremes: np.ndarray) -> np.ndarray:
    """The normal n of the plane n·z = 1 through extremes [M, M]; ones where it has no such face.

    Where one member is the best in several objectives, of all planes through the extremes the one
    with the shortest normal: these objectives then share what each would weigh alone.
    """
    ones = np.ones(len(extremes))
    normal = np.linalg.lstsq(extremes, ones)[0]
    return normal if (normal > 1e-9).all() else ones


def knee_shares(costs: np.ndarray, seed: int, *, resamples: int = RESAMPLES) -> np.ndarray:
    """Share of bootstrap resamples of the runs in which each member is the knee.

    From costs [members, objectives, runs], less being better, on common draws.
    """
    members, _objectives, runs = costs.shape
    luck = np.random.default_rng(seed)
    weights = luck.multinomial(runs, np.full(runs, 1.0 / runs), resamples) / runs
    means = np.einsum("mor,br->bmo", costs, weights)
    return np.bincount([knee_of(one) for one in means], minlength=members) / resamples


def hypervolumes(costs: np.ndarray, violation: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """Hypervolume of the first ``numbers`` candidates each, as shares of one box.

    From costs [N, objectives], less being better; of those with a violation [N] above 0 none
    counts. The box reaches from the best to the worst of each objective of the others.
    """
    from pymoo.indicators.hv import HV

    within = violation <= 0.0
    low, high = costs[within].min(axis=0), costs[within].max(axis=0)
    volume = HV(ref_point=np.ones(costs.shape[1]))
    z, found = scaled(costs, low, high), []
    for number in numbers:
        front = z[:number][undominated(costs[:number], within[:number])]
        found.append(float(volume(front)) if len(front) else 0.0)
    return np.array(found)


# In many futures --------------------------------------------------------------------------------


@dataclass(frozen=True)
class FrontRobustness:
    """How the members of a front do in many futures, on draws that they were not chosen by."""

    futures: tuple[str, ...]
    members: tuple[int, ...]
    """The members that were judged, by their places in the front."""
    means: np.ndarray
    """[members, columns] means over futures of the means over runs, of what is defined."""
    intervals: np.ndarray
    """[members, columns, 2] t intervals of these, futures being the sample; NaN for one future."""
    worst: np.ndarray
    """[members, columns] means over the worst tenth of the futures, at least one."""
    within: np.ndarray
    """[members] share of futures in which the member keeps within the budget."""
    stays: np.ndarray
    """[members] share of futures in which it does so, and no other of them that does so beats it.
    """


def reevaluate(
    front: Front,
    evaluate: EvaluateInFutures,
    futures: Sequence[str],
    *,
    runs: range = range(16),
    members: Sequence[int] | None = None,
) -> FrontRobustness:
    """Judge the members of a front in many futures.

    Parameters
    ----------
    front
        What :func:`search` found.
    evaluate
        Simulates the members in all futures; see :data:`EvaluateInFutures`.
    futures
        What they are called.
    runs
        Numbers of the runs in each future. Draws that the search did not use do not flatter.
    members
        Those that are judged, such as ``front.spread(12)``; None: all.

    Raises
    ------
    KolabsimError
        If ``evaluate`` gives values of another shape.
    """
    members = tuple(range(len(front)) if members is None else members)
    values = np.asarray(evaluate(front.points[list(members)], runs), np.float64)
    expected = (len(members), len(front.columns), len(futures), len(runs))
    if values.shape != expected or not values.size:
        text = _("evaluate gave values of shape {found}; expected: {expected}")
        raise KolabsimError(text.format(found=values.shape, expected=expected))
    flat = values.reshape(-1, len(futures), len(runs))
    each = paired(flat, front.level)[0].reshape(expected[:3])
    mean, low, high, _number = paired(each, front.level)
    within = np.ones((len(members), len(futures)), bool)
    if front.budget is not None:
        within = each[:, front.cost] <= front.budget.most
    costs = -front.senses[: len(front.objectives), None] * each[:, : len(front.objectives)]
    allowed = within & np.isfinite(costs).all(axis=1)
    stays = [undominated(costs[..., k], allowed[:, k]) for k in range(len(futures))]
    return FrontRobustness(
        tuple(futures), members, mean, np.stack([low, high], axis=2),
        worst_tenth(each, front.senses), within.mean(axis=1), np.mean(stays, axis=0),
    )  # fmt: skip


def worst_tenth(values: np.ndarray, senses: np.ndarray) -> np.ndarray:
    """Means over the worst tenth of futures (at least one) of [members, columns, futures].

    ``senses`` are 1 where more is better, -1 where less is. Futures in which a value is undefined
    do not count.
    """
    side = np.sort(values * senses[:, None], axis=2)  # from the worst; NaN come last
    defined = np.isfinite(side).sum(axis=2)
    number = np.maximum(np.ceil(TAIL * defined - 1e-9), 1)
    chosen = np.arange(side.shape[2]) < number[..., None]
    return senses * np.where(chosen, side, 0.0).sum(axis=2) / number
