"""Drawing points of the unit cube uniformly from the small part of it that agrees with facts.

A population of points descends through levels of misfit (subset simulation [au_beck_2001]): it
starts as a uniform draw, each level keeps the better part, and the points that fall out become
copies of others. At each level all points move by steps that leave the uniform distribution over
that level unchanged: some coordinates are drawn again, moved a little, or moved by differences of
two other points [ter_braak_2006]. At the last level, where all facts agree, the population moves on
until it has forgotten where it was when it arrived, so that copies of few ancestors cannot make a
coordinate without effect look identified.

Judging a point takes about a second, so each point first takes many steps on an emulator: a
quadratic regression of each fact on all points that were judged so far. Only where these steps end
is simulated, and the chance to accept corrects for what the emulator gets wrong (surrogate
transitions [liu_2001]): a poor emulator costs time, not accuracy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from kolabsim.analysis.statistics import one_thread
from kolabsim.engine.ensemble import in_threads

BETTER = 0.3
"""Share of the population that each level keeps."""
SPARE = 1.1
"""Size of the population over the number of points that are wanted."""
FIRST = 4
"""Size of the first draw, over the population or the number of predictors, whichever is larger."""
SETTLED = 0.25
"""Moves of each point, on average, before the level falls again."""
SIZES = (1, 2, 3, 5, 8)
"""Numbers of coordinates that a proposal draws again or moves a little."""
NEAREST = 2000
"""Judged points from which the emulator is fitted: those that are nearest to agreeing."""
BLANK = 4.0
"""Spread of a fact that the emulator cannot predict."""
LEAST_POINTS = 20
"""Judged points below which a fact is not predicted."""
STRONGEST = 20
"""Predictors whose products are predictors, too."""
PENALTIES = 10.0 ** np.arange(-1.0, 4.0)
"""Ridge penalties that the emulator chooses from."""
STEPS = 4
"""Steps on the emulator for each coordinate, before a point is judged."""
CAUTION = 1.3
"""Factor by which the emulator overstates what it cannot predict."""
LEAST = 1e-12
"""Least chance of agreeing that the emulator gives a point."""
FORGOTTEN = (0.1, 0.35)
"""Mean and largest correlation of coordinates with their start below which it is forgotten."""


class Judged(NamedTuple):
    """How a point agrees with the facts."""

    positions: np.ndarray
    """Place of each fact in its band: -1 and 1 are its ends; NaN where it was not computed."""
    worst: float
    """Largest excess beyond a band, in half-widths; 0 where all facts agree."""


Judge = Callable[[np.ndarray, float], Judged]
"""Judges a point. An excess beyond the second argument need not be exact."""


@dataclass(frozen=True)
class Space:
    """The unit cube with what its coordinates mean."""

    words: tuple[int, ...]
    """For each coordinate the number of words that it chooses among; 0 for a number."""
    one_sided: tuple[bool, ...]
    """For each fact, whether its band has no upper end."""

    @property
    def numbers(self) -> np.ndarray:
        """Coordinates that are numbers."""
        return np.flatnonzero(np.array(self.words) == 0)


def word_at(u: np.ndarray, words: int) -> np.ndarray:
    """The word at places of a coordinate: the first has one half, the others share the rest.

    Examples
    --------
    >>> word_at(np.array([0.0, 0.49, 0.5, 0.74, 0.75, 1.0]), 3).tolist()
    [0, 0, 1, 1, 2, 2]
    """
    other = 1 + ((u - 0.5) * 2.0 * (words - 1)).astype(int)
    return np.where(u < 0.5, 0, np.minimum(other, words - 1))


@dataclass(frozen=True)
class Population:
    """The points at one moment, and everything that was judged."""

    wanted: int
    """Points that are asked for; the population is a little larger, since some are copies."""
    points: np.ndarray
    """[N, d]."""
    worst: np.ndarray
    positions: np.ndarray
    """[N], [N, F] their misfit and their places in the bands."""
    level: float
    """Misfit that none of them exceeds."""
    arrived: np.ndarray
    """[N, d] where they were when the last level was reached."""
    archive: np.ndarray
    places: np.ndarray
    """[J, d] and [J, F] all judged points and their places in the bands."""
    generation: int = 0
    accepted: float = 1.0
    """Share of the points that moved in the last generation."""
    settled: float = 1.0
    """Moves of each point, on average, since the level fell."""
    levels: tuple[tuple[float, int], ...] = field(default=())
    """Each level with the number of points judged before it."""

    @property
    def judged(self) -> int:
        """Points that were judged."""
        return len(self.archive)

    @property
    def memory(self) -> np.ndarray:
        """[d] correlation of each coordinate with where it was when the last level was reached.

        Where all points were equal, it is the share that has not moved.
        """
        a, b = self.points - self.points.mean(axis=0), self.arrived - self.arrived.mean(axis=0)
        scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
        alike = (a * b).sum(axis=0) / np.where(scale > 0.0, scale, 1.0)
        return np.where(scale > 0.0, alike, (self.points == self.arrived).mean(axis=0))

    @property
    def is_done(self) -> bool:
        """Whether enough points agree and differ, and have forgotten their start."""
        mean, largest = FORGOTTEN
        noise = 2.0 / np.sqrt(len(self.points))  # of a correlation of nothing
        memory = self.memory
        return bool(
            self.level <= 0.0
            and len(self.distinct) >= self.wanted
            and memory.mean() < mean
            and memory.max() < largest + noise
        )

    @property
    def distinct(self) -> np.ndarray:
        """Rows of the points that agree with all facts, without copies, in their order."""
        rows = np.flatnonzero(self.worst <= 0.0)
        return rows[np.sort(np.unique(self.points[rows], axis=0, return_index=True)[1])]


# The emulator -----------------------------------------------------------------------------------


def features(points: np.ndarray, space: Space) -> np.ndarray:
    """Predictors of the emulator: numbers and their squares, and one column for each word."""
    numbers = 2.0 * points[:, space.numbers] - 1.0
    columns = [np.ones((len(points), 1)), numbers, numbers**2]
    for j, words in enumerate(space.words):
        if words:
            found = word_at(points[:, j], words)
            columns.append((found[:, None] == np.arange(1, words)).astype(float))
    return np.concatenate(columns, axis=1)


def compressed(place: np.ndarray) -> np.ndarray:
    """Places in a band, with a logarithmic scale outside: far away, everything is different."""
    size = np.maximum(np.abs(place), 1.0)
    return np.where(np.abs(place) > 1.0, np.sign(place) * (1.0 + np.log(size)), place)


@dataclass(frozen=True)
class Emulator:
    """A ridge regression of the place of each fact in its band."""

    space: Space
    pairs: np.ndarray
    """[P, 2] predictors whose products are predictors, too."""
    slopes: np.ndarray
    """[predictors + P, F]."""
    spread: np.ndarray
    """[F] standard deviation of what it cannot predict."""

    def chance(self, points: np.ndarray, level: float) -> np.ndarray:
        """[N] chance that a point is within a level, facts taken as independent."""
        x = features(points, self.space)
        mean = products(x, self.pairs) @ self.slopes
        spread, edge = CAUTION * self.spread, compressed(np.array(1.0 + level))
        above = np.where(self.space.one_sided, 1.0, ndtr((edge - mean) / spread))
        inside = np.maximum(above - ndtr((-edge - mean) / spread), 0.0)
        return np.clip(inside.prod(axis=1), LEAST, 1.0)


def products(x: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Predictors with the products of some pairs of them [P, 2]."""
    return np.concatenate([x, x[:, pairs[:, 0]] * x[:, pairs[:, 1]]], axis=1)


def distance(places: np.ndarray, space: Space) -> np.ndarray:
    """[J] largest excess of the facts that were computed, in half-widths."""
    above = np.where(space.one_sided, 0.0, places - 1.0)
    return np.nan_to_num(np.maximum(-1.0 - places, above)).max(axis=1)


@one_thread()
def fit_emulator(points: np.ndarray, places: np.ndarray, space: Space) -> Emulator:
    """Fit the emulator to judged points [J, d] and their places in the bands [J, F].

    The facts are first regressed on all predictors, then also on the products of the strongest.
    """
    x, known = features(points, space), np.isfinite(places)
    strength = np.zeros(x.shape[1])
    for y, here in zip(places.T, known.T, strict=True):
        if here.sum() >= LEAST_POINTS:
            slopes, errors, _spread = ridge(x[here], compressed(y[here]))
            strength += np.minimum((slopes / np.where(errors > 0.0, errors, np.inf)) ** 2, 100.0)
    strong = np.sort(np.argsort(-strength, kind="stable")[:STRONGEST])
    pairs = np.array([(a, b) for a in strong for b in strong if a < b]).reshape(-1, 2)
    x = products(x, pairs)
    slopes, spread = np.zeros((x.shape[1], len(known.T))), np.full(len(known.T), BLANK)
    for f, (y, here) in enumerate(zip(places.T, known.T, strict=True)):
        if here.sum() >= LEAST_POINTS:
            slopes[:, f], _errors, spread[f] = ridge(x[here], compressed(y[here]))
    return Emulator(space, pairs, slopes, spread)


def ridge(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Slopes, standard errors and residual spread; cross-validation (generalised) sets the penalty.

    The first column of ``x`` is the constant, which is not penalised.
    """
    middle, level = x[:, 1:].mean(axis=0), y.mean()
    centred = x[:, 1:] - middle
    values, vectors = np.linalg.eigh(centred.T @ centred)
    values = np.maximum(values, 0.0)
    along = vectors.T @ (centred.T @ (y - level))
    best = (np.inf, 0.0, np.zeros(0), np.zeros(0))
    for penalty in PENALTIES:
        shrunk = along / (values + penalty)
        freedom = 1.0 + (values / (values + penalty)).sum()
        left = y - level - centred @ (vectors @ shrunk)
        if freedom < 0.9 * len(y):
            variance = (left**2).sum() / (len(y) - freedom)
            score = variance / (1.0 - freedom / len(y))
            if score < best[0]:
                error = np.sqrt(variance * (vectors**2 @ (values / (values + penalty) ** 2)))
                best = (score, float(np.sqrt(score)), vectors @ shrunk, error)
    if not len(best[2]):
        return np.concatenate([[level], np.zeros(len(middle))]), np.zeros(x.shape[1]), BLANK
    slopes = np.concatenate([[level - middle @ best[2]], best[2]])
    return slopes, np.concatenate([[0.0], best[3]]), max(best[1], 0.05)


# The population ---------------------------------------------------------------------------------


def propose(
    points: np.ndarray, others: np.ndarray, space: Space, rng: np.random.Generator
) -> np.ndarray:
    """Propose a step of each point; the chance of the step back is the same.

    ``others`` are points that do not move meanwhile.
    """
    (number, d), numbers = points.shape, np.array(space.words) == 0
    kind = rng.random((number, 1))
    size = rng.choice(SIZES, (number, 1))
    some = rng.random((number, d)).argsort(axis=1).argsort(axis=1) < size
    again = np.where(some, rng.random((number, d)), points)
    spread = 0.5 * (others.std(axis=0) + 1e-3)
    little = points + (some & numbers) * rng.normal(0.0, 1.0, (number, d)) * spread
    share = rng.choice((0.2, 0.5, 1.0), (number, 1))
    part = numbers & (rng.random((number, d)) < share)
    factor = 2.38 / np.sqrt(2.0 * np.maximum(part.sum(axis=1, keepdims=True), 1))
    factor = factor * rng.uniform(0.3, 1.2, (number, 1))
    two = rng.random((number, len(others))).argsort(axis=1)[:, :2]
    apart = others[two[:, 0]] - others[two[:, 1]] + rng.normal(0.0, 1e-3, (number, d))
    along = points + part * factor * apart
    step = np.where(kind < 0.4, again, np.where(kind < 0.7, little, along))
    return 1.0 - np.abs(1.0 - np.abs(step) % 2.0)  # reflected at the faces of the cube


@one_thread()
def wander(
    points: np.ndarray,
    others: np.ndarray,
    level: float,
    emulator: Emulator,
    space: Space,
    rng: np.random.Generator,
) -> np.ndarray:
    """Take many steps on the emulator, each accepted by its chance of agreeing."""
    points, chance = points.copy(), emulator.chance(points, level)
    for _step in range(STEPS * points.shape[1]):
        step = propose(points, others, space, rng)
        likely = emulator.chance(step, level)
        taken = rng.random(len(points)) * chance < likely
        points[taken], chance[taken] = step[taken], likely[taken]
    return points


def move(
    one: Population, judge: Judge, space: Space, *, seed: int, threads: int | None
) -> Population:
    """Move all points by one generation: one half of them, then the other.

    Each half proposes by differences within the other half, which stands still meanwhile.
    """
    rng = np.random.default_rng((seed, one.generation))
    near = np.sort(np.argsort(distance(one.places, space), kind="stable")[:NEAREST])
    emulator = fit_emulator(one.archive[near], one.places[near], space)
    points, worst, positions = one.points.copy(), one.worst.copy(), one.positions.copy()
    half, rows = len(points) // 2, np.arange(len(points))
    tried, moved = [], 0
    for part, others in ((rows[:half], rows[half:]), (rows[half:], rows[:half])):
        ends = wander(points[part], points[others], one.level, emulator, space, rng)
        here, there = (emulator.chance(each, one.level) for each in (points[part], ends))
        draws = rng.random(len(part))
        found = in_threads(lambda point: judge(point, one.level), ends, threads=threads)
        for k, new in enumerate(found):
            tried.append((ends[k], new.positions))
            if new.worst <= one.level and draws[k] * there[k] < here[k]:
                i = part[k]
                points[i], worst[i], positions[i] = ends[k], new.worst, new.positions
                moved += 1
    archive, places = (np.array(each) for each in zip(*tried, strict=True))
    return replace(
        one, points=points, worst=worst, positions=positions, generation=one.generation + 1,
        accepted=moved / len(points), settled=one.settled + moved / len(points),
        archive=np.concatenate([one.archive, archive]),
        places=np.concatenate([one.places, places]),
    )  # fmt: skip


def descend(one: Population, *, seed: int) -> Population:
    """Lower the level, and replace points beyond it by copies of others, each about as often."""
    level = max(float(np.quantile(one.worst, BETTER)), 0.0)
    stay = one.worst <= level
    rng = np.random.default_rng((seed, one.generation, len(one.points)))
    pool, rows = np.flatnonzero(stay), np.arange(len(one.points))
    times = -(-len(rows) // len(pool))
    copies = np.concatenate([rng.permutation(pool) for _ in range(times)])
    rows[~stay] = copies[: int((~stay).sum())]
    points = one.points[rows]
    return replace(
        one, points=points, worst=one.worst[rows], positions=one.positions[rows], level=level,
        arrived=points, settled=0.0, levels=(*one.levels, (level, one.judged)),
    )  # fmt: skip


def first_draw(space: Space, *, wanted: int, most: int) -> int:
    """Points of the uniform draw with which a search begins."""
    number = int(np.ceil(SPARE * wanted))
    predictors = features(np.zeros((1, len(space.words))), space).size
    return max(number, min(FIRST * max(number, predictors), most))


def start(
    judge: Judge, space: Space, *, wanted: int, most: int, seed: int, threads: int | None
) -> Population:
    """The better part of a uniform draw, from which the emulator learns what matters."""
    number = int(np.ceil(SPARE * wanted))
    drawn = first_draw(space, wanted=wanted, most=most)
    points = np.random.default_rng(seed).random((drawn, len(space.words)))
    found = list(in_threads(lambda point: judge(point, np.inf), points, threads=threads))
    positions = np.array([one.positions for one in found])
    worst = np.array([one.worst for one in found])
    best = np.sort(np.argsort(worst, kind="stable")[:number])
    level = max(float(worst[best].max()), 0.0)
    return Population(
        wanted, points[best], worst[best], positions[best], level, points[best], points, positions,
        levels=((level, 0),),
    )  # fmt: skip


def sample(
    judge: Judge,
    space: Space,
    *,
    wanted: int,
    most: int = 50_000,
    seed: int = 1,
    threads: int | None = None,
    begin: Population | None = None,
    progress: Callable[[Population], None] | None = None,
) -> Population:
    """Draw ``wanted`` points uniformly from those that agree with all facts.

    The search ends once the population has forgotten its start, or ``most`` points are judged; then
    its level may be above 0. ``begin`` continues an earlier search with the same arguments.
    ``progress`` is called after each generation. Threads change nothing.
    """
    one = begin or start(judge, space, wanted=wanted, most=most, seed=seed, threads=threads)
    while True:
        if progress is not None:
            progress(one)
        if one.is_done or one.judged >= most:
            return one
        if one.level > 0.0 and one.settled >= SETTLED:
            one = descend(one, seed=seed)
        one = move(one, judge, space, seed=seed, threads=threads)
