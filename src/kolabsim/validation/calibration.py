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
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kolabsim.engine.ensemble import in_threads
from kolabsim.errors import InputError, Problem
from kolabsim.i18n import _
from kolabsim.model.version import digest
from kolabsim.scenario.futures import Future, read_checked
from kolabsim.study.tasks import CODE
from kolabsim.validation.evidence import FAR, Evidence, judge, published
from kolabsim.validation.facts import Fact
from kolabsim.validation.prior import Axis, future_at, point_of
from kolabsim.validation.sampling import SPARE, Population, features, ridge, sample, word_at

NEAR_FACTS = 3.0
"""Places in a band from which effects are estimated: far away, everything is different."""
OPPOSITE = -0.3
"""Cosine of two changes below which facts pull against each other."""


# The ensemble -------------------------------------------------------------------------------------


def calibrate(
    evidence: Evidence | None = None,
    *,
    sets: int = 200,
    most: int = 50_000,
    seed: int = 1,
    threads: int | None = None,
    known: Sequence[Mapping[str, object]] = (),
    checkpoint: Path | None = None,
    progress: Callable[[Population], None] | None = None,
) -> Calibration:
    """Find ``sets`` futures that agree with all facts for calibration, by default the published.

    The search descends from a uniform draw, or begins with those of the ``known`` sets that agree.
    After each generation it is saved to the file ``checkpoint``, and a search that was interrupted
    continues from it. Raises :class:`~kolabsim.errors.InputError` if the file is of another search,
    or if no known set agrees.
    """
    evidence = published() if evidence is None else evidence
    asked = identity(evidence, sets, seed, known)
    begin = None if checkpoint is None else load_population(checkpoint, asked)
    if begin is None and known:
        begin = begin_with(evidence, known, wanted=sets, seed=seed, threads=threads)

    def show(one: Population) -> None:
        if checkpoint is not None:
            save_population(checkpoint, one, asked)
        if progress is not None:
            progress(one)

    found = sample(
        lambda point, enough: judge(
            future_at(point, evidence.axes), enough, seed=seed, evidence=evidence
        ),
        evidence.space,
        wanted=sets, most=most, seed=seed, threads=threads, begin=begin, progress=show,
    )  # fmt: skip
    return Calibration(evidence, found, seed)


def read_known(path: Path, evidence: Evidence | None = None) -> tuple[Future, ...]:
    """Read sets that an earlier search found; what a file does not name has its default.

    Raises :class:`~kolabsim.errors.InputError` with every column or cell that does not fit.
    """
    along = published().axes if evidence is None else (*evidence.axes, *evidence.free)
    return read_checked(path, {axis.name: axis.words or (axis.low, axis.high) for axis in along})


def begin_with(
    evidence: Evidence, known: Sequence[Mapping[str, object]], *, wanted: int, seed: int,
    threads: int | None,
) -> Population:  # fmt: skip
    """A population at the last level: those known sets that agree, and copies of them.

    Raises :class:`~kolabsim.errors.InputError` if none agrees.
    """
    points = np.array([point_of(one, evidence.axes) for one in known])
    found = list(
        in_threads(
            lambda point: judge(
                future_at(point, evidence.axes), 0.0, seed=seed, evidence=evidence
            ),
            points, threads=threads,
        )
    )  # fmt: skip
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


def identity(
    evidence: Evidence, sets: int, seed: int, known: Sequence[Mapping[str, object]] = ()
) -> str:
    """A hash of everything that decides the course of a search."""
    facts = [
        (one.id, one.low, one.high, *(repr(evidence.settings[n]) for n in one.settings))
        for one in evidence.calibration
    ]
    code = digest(*CODE, "validation")
    how = (evidence.looks, FAR, sets, seed, code, evidence.origin)
    what = (evidence.axes, facts, *how, *map(repr, known))
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

    evidence: Evidence
    population: Population
    seed: int = 1

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What was searched."""
        return self.evidence.axes

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts for calibration."""
        return self.evidence.calibration

    @property
    def points(self) -> np.ndarray:
        """[sets, d] the sets that agree, as points of the unit cube."""
        return self.population.points[self.population.distinct[: self.population.wanted]]

    @property
    def futures(self) -> tuple[Future, ...]:
        """Parameters, areas and structures of each."""
        return tuple(
            future_at(point, self.axes) | future_at(rest, self.evidence.free)
            for point, rest in zip(self.points, self.drawn(len(self.points)), strict=True)
        )

    def drawn(self, number: int) -> np.ndarray:
        """[number, free axes] uniform draws of what the facts do not change."""
        rng = np.random.default_rng((self.seed, number))
        return rng.random((number, len(self.evidence.free)))

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
        every = self.evidence.space
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
