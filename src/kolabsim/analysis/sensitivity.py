"""Sensitivity analysis: which factors decide an outcome, with intervals and a noise floor.

:func:`analyse` computes the indices of a design (:mod:`kolabsim.analysis.indices`) and their
intervals, whether they exceed the noise floor of a dummy factor, whether they have converged, and
how much of the variance is chance. The file is long because it holds the whole kind: results,
analysis, curves and the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import RunStudy, contrast_values, run_sample, settings_table
from kolabsim.analysis.floors import noise_floors
from kolabsim.analysis.indices import (
    BOOTSTRAP,
    CORRECTED,
    FEW_PARTS,
    KINDS,
    Kind,
    changes,
    part_count,
    resampled,
)
from kolabsim.analysis.statistics import (
    ROUNDING,
    Interval,
    chance_share,
    halvings,
    mean_interval,
    one_thread,
    percentile_interval,
    ranked,
    t_quantile,
)
from kolabsim.analysis.surrogate import Surrogate, fit_surrogate
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.study.design import DUMMY, METHODS, PLACES, Design, draw_seeds
from kolabsim.study.experiment import Experiment, sensitivity_design
from kolabsim.study.runner import Study
from kolabsim.study.spec import SensitivitySpec

SHARES = ("ST", "S1")
"""Indices that are shares of a variance, not below zero."""
LEADING = 5
"""Factors whose ranking must be stable for a sample to have converged."""


class Index(NamedTuple):
    """One index of all units."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    floor: np.ndarray
    """[U] noise floor: what such a factor reaches if it is permuted over the same runs; where that
    shows nothing, how far the interval of the dummy reaches from zero. NaN where neither is known,
    as with a dummy that is zero because it shares its draws."""

    @property
    def has_floor(self) -> bool:
        """Whether there is a noise floor."""
        return bool(np.isfinite(self.floor).any())

    @property
    def above(self) -> np.ndarray:
        """Whether each unit is above its floor; False without a floor."""
        size = np.abs(self.value)
        return size > self.floor + ROUNDING * size.max(initial=0.0, where=np.isfinite(size))


class Pair(NamedTuple):
    """Interaction of two units: a share of the variance."""

    one: str
    other: str
    value: float
    low: float
    high: float


class Step(NamedTuple):
    """The main index from the first samples alone."""

    samples: int
    points: int
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Stability(NamedTuple):
    """Whether the leading units lead in resamples too."""

    units: tuple[str, ...]
    """The leading units, of those above the floor if there is one."""
    same: float
    """Share of resamples in which the same units lead, in any order."""
    ordered: float
    """Share of resamples in which they lead in the same order."""


class Curve(NamedTuple):
    """An outcome along one factor. K curves, L places."""

    places: np.ndarray
    """[L] places of the factor between 0 and 1."""
    each: np.ndarray
    """[K, L] a curve for each base point (ice) or replicate (one_at_a_time)."""
    middle: np.ndarray
    """[L] their mean."""
    low: np.ndarray
    high: np.ndarray
    """[L] ends of the mean's interval, for ice once all curves are moved to the same level; NaN
    for a single curve."""


@dataclass(frozen=True, eq=False)
class Indices:
    """Sensitivity indices of one outcome. U units: factors or groups."""

    method: str
    outcome: str
    units: tuple[str, ...]
    """[U]; the dummy comes last."""
    main: str
    found: Mapping[str, Index] = field(repr=False)
    pairs: tuple[Pair, ...] = field(repr=False)
    """Second order indices (Sobol), the largest first."""
    chance: Interval
    """Share of the variance between single runs that is chance."""
    steps: tuple[Step, ...] = field(repr=False)
    """Convergence, from few samples to all."""
    resampled: np.ndarray = field(repr=False)
    """[resamples, U] the main index of each resample."""
    points: int
    replicates: int
    level: float

    @property
    def leading(self) -> Index:
        """The main index."""
        return self.found[self.main]

    @property
    def has_dummy(self) -> bool:
        """Whether the last unit is the dummy."""
        return self.units[-1] == DUMMY

    @property
    def chance_left(self) -> float:
        """Share of the variance between points that is chance, after the mean over replicates.

        It is part of delta and PAWN; other indices are freed of it.
        """
        share, many = self.chance[0], self.replicates
        return share / (share + many * (1.0 - share)) if share > 0.0 else share

    def order(self) -> list[str]:
        """Return the units by their main index, the largest first, without the dummy."""
        return [self.units[u] for u in ranked(self.leading.value[: self.real])]

    @property
    def real(self) -> int:
        """Number of units without the dummy."""
        return len(self.units) - self.has_dummy

    def stability(self, leading: int = 5) -> Stability:
        """Return whether the same units lead in resamples.

        Units that are not above the noise floor have no rank to keep; of all units, the last has
        none either, because it follows from the others.
        """
        order = ranked(self.leading.value[: self.real])
        if self.leading.has_floor:
            order = order[self.leading.above[order]]
        first = order[: min(leading, self.real - 1)]
        drawn = self.resampled[:, : self.real]
        drawn = drawn[np.isfinite(drawn).all(axis=1)]  # undefined where nothing varies
        if not len(first) or not len(drawn):
            return Stability((), np.nan, np.nan)
        leads = ranked(drawn)[:, : len(first)]
        same = (np.sort(leads, axis=1) == np.sort(first)).all(axis=1).mean()
        ordered = (leads == first).all(axis=1).mean()
        return Stability(tuple(self.units[u] for u in first), float(same), float(ordered))

    def table(self) -> pd.DataFrame:
        """Return all indices as a tidy table (:ref:`columns <indices-table>`)."""
        rows = [
            (
                factor, "", name, index.value[u], index.low[u], index.high[u], index.floor[u],
                bool(index.above[u]) if index.has_floor else pd.NA,
            )
            for name, index in self.found.items()
            for u, factor in enumerate(self.units)
        ]  # fmt: skip
        rows += [
            (one, other, "S2", value, low, high, np.nan, pd.NA)
            for one, other, value, low, high in self.pairs
        ]
        names = ("factor", "other", "index", "value", "low", "high", "floor", "above")
        table = pd.DataFrame(rows, columns=names).astype({"above": "boolean"})
        table.insert(0, "method", self.method)
        table.insert(0, "outcome", self.outcome)
        return table


# Analysing --------------------------------------------------------------------------------------


@one_thread()
def analyse(
    design: Design,
    values: np.ndarray,
    *,
    outcome: str = "",
    level: float = 0.95,
    resamples: int | None = None,
    seed: int = 1,
) -> Indices:
    """Compute the sensitivity indices of the mean response of an outcome.

    Products of outcomes come from different replicates, so that chance does not count as an effect
    [mazo_2021]; with a single replicate it does. Intervals resample the parts of the design with
    the random draws of their points.

    Parameters
    ----------
    design
        The points of the space of factors, N of them.
    values
        [N, replicates], or [N] for single runs, with the random draws that the design gives its
        points (:attr:`~kolabsim.study.design.Design.seeds`).
    resamples
        How many resamples of the design's parts; default: as many as suit the method
        (:data:`kolabsim.analysis.indices.KINDS`).

    Examples
    --------
    >>> from kolabsim.study.design import make_design
    >>> design = make_design("morris", ["a", "b"], samples=16, seed=1)
    >>> analyse(design, 2.0 * design.points[:, 0] + design.points[:, 1]).order()
    ['a', 'b']
    """
    values = check_values(design, values, outcome)
    kind, rng = KINDS[design.method], np.random.default_rng(seed)
    number = kind.resamples if resamples is None else resamples
    whole, drawn = resampled(design, values, number, rng)
    floors = noise_floors(design, values, level, np.random.default_rng(seed))
    found: dict[str, Index] = {}
    pairs: tuple[Pair, ...] = ()
    for name in whole:
        value, low, high = interval(
            kind, whole[name], drawn[name], level, part_count(design, values)
        )
        if name in SHARES:
            value, low, high = above_zero(value, low, high)
        if name == "S2":
            units = list(combinations(design.units, 2))
            ends = np.stack([value, low, high], axis=1).tolist()
            pairs = tuple(Pair(*units[k], *ends[k]) for k in ranked(value))
            continue
        if name in floors:
            floor = floors[name]
            if kind.interval == CORRECTED:  # like the value
                floor = floor + np.abs(value) - np.abs(whole[name][0])
        else:
            end = max(abs(low[-1]), abs(high[-1])) if design.has_dummy else 0.0
            floor = np.full(len(value), end if end > 0.0 else np.nan)
        found[name] = Index(value, low, high, floor)
    steps = convergence(design, values, level, number // 2, rng, found[kind.main])
    return Indices(
        method=design.method,
        outcome=outcome,
        units=design.units,
        main=kind.main,
        found=found,
        pairs=pairs,
        chance=chance_share(values, blocks=int(design.draw_sets[-1]) + 1, level=level),
        steps=tuple(steps),
        resampled=drawn[kind.main],
        points=values.shape[0],
        replicates=values.shape[1],
        level=level,
    )


def is_converged(
    design: Design, values: np.ndarray, leading: int = LEADING, level: float = 0.9
) -> bool:
    """Whether the same factors lead in at least a share ``level`` of resamples.

    Only factors above the noise floor lead; without one, nothing has converged. Raises like
    :func:`analyse`.
    """
    return analyse(design, values).stability(leading).same >= level


def check_values(design: Design, values: np.ndarray, outcome: str) -> np.ndarray:
    """Return values as [points, replicates]; refuse those that have no indices."""
    values = np.asarray(values, np.float64)
    values = values[:, None] if values.ndim == 1 else values
    error = refusal(design, values, outcome)
    if error is not None:
        raise error
    return values


def refusal(design: Design, values: np.ndarray, outcome: str) -> InputError | None:
    """Return why values [points, replicates] have no indices, if they have none."""
    words = {"outcome": outcome or _("the outcome"), "points": f"{len(design.points):,}"}
    if values.ndim != 2 or len(values) != len(design.points) or not values.shape[1]:
        message = _("{outcome}: values have the shape {shape}; there are {points} points")
        return InputError.of(message, shape=values.shape, **words)
    undefined = int((~np.isfinite(values)).any(axis=1).sum())
    if undefined:
        message = _(
            "{outcome} is undefined at {number} of {points} points; choose an outcome that is "
            "always defined, or narrow the ranges of factors"
        )
        return InputError.of(message, number=f"{undefined:,}", **words)
    means = values.mean(axis=1)
    if np.ptp(means) <= ROUNDING * np.abs(values).max():
        message = _("{outcome} is {value} at all {points} points: no factor changes it")
        return InputError.of(message, value=f"{means[0]:g}", **words)
    return None


def interval(
    kind: Kind, whole: np.ndarray, drawn: np.ndarray, level: float, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the estimate and the ends of its interval, [units] each; NaN where undefined.

    From the estimate of all ``size`` parts [1, units] and those of resamples [resamples, units].
    """
    value, undefined = whole[0], np.full(whole.shape[1], np.nan)
    if len(drawn) < 2:
        return value, undefined, undefined
    if kind.interval == BOOTSTRAP:
        defined = np.isfinite(drawn).all(axis=0)
        low, high = percentile_interval(np.where(defined, drawn, 0.0), level, axis=0)
        return value, np.where(defined, low, np.nan), np.where(defined, high, np.nan)
    if kind.interval == FEW_PARTS:
        error, freedom = drawn.std(axis=0) * np.sqrt(size / (size - 1.0)), size - 1
    else:
        error, freedom = drawn.std(axis=0, ddof=1), len(drawn) - 1
    if kind.interval == CORRECTED:
        value = 2.0 * value - drawn.mean(axis=0)
    half = t_quantile(freedom, level) * error
    return value, value - half, value + half


def above_zero(
    value: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Move estimates of a share that lie below zero to zero, with their intervals.

    Without chance in its products, the estimate of a factor that hardly acts falls below zero as
    often as above; an interval that lies there as a whole would contain no possible share.

    >>> above_zero(np.array([-0.01]), np.array([-0.03]), np.array([0.02]))
    (array([0.]), array([0.]), array([0.03]))
    """
    moved = np.stack([value, low, high]) - np.minimum(value, 0.0)
    value, low, high = np.maximum(moved, 0.0)
    return value, low, high


def convergence(
    design: Design,
    values: np.ndarray,
    level: float,
    resamples: int,
    rng: np.random.Generator,
    main: Index,
) -> Iterator[Step]:
    """Compute the main index from the first samples, twice as many at each step, up to all."""
    if design.method == "one_at_a_time":  # its samples are no random sample
        return
    size, kind = part_count(design, values), KINDS[design.method]
    least = 1 if design.method == "fast" else METHODS[design.method].least
    for first in halvings(size, least)[:-1]:
        # An interval of two curves would mean nothing and dwarf all others.
        number = 0 if kind.interval == FEW_PARTS and first < 3 else resamples
        whole, drawn = resampled(design, values, number, rng, first)
        value, low, high = interval(kind, whole[kind.main], drawn[kind.main], level, first)
        if kind.main in SHARES:
            value, low, high = above_zero(value, low, high)
        share = first / size
        points = round(share * len(design.points))
        yield Step(round(share * design.samples), points, value, low, high)
    yield Step(design.samples, len(design.points), main.value, main.low, main.high)


# Curves and choices -----------------------------------------------------------------------------


def unit_number(design: Design, unit: str, *methods: str) -> int:
    """Return the position of a unit; refuse unknown units and other methods than these."""
    problems = Problems()
    if design.method not in methods:
        message = _("{method} has no such points; allowed: {methods}")
        problems.add(message.format(method=design.method, methods=", ".join(methods)))
    if unit not in design.units:
        message = _("'{name}' is not in the design{suggestion}")
        problems.add(message.format(name=unit, suggestion=suggestion(unit, design.units)))
    problems.raise_if_any()
    return design.units.index(unit)


def curve(
    design: Design, values: np.ndarray, unit: str, *, outcome: str = "", level: float = 0.95
) -> Curve:
    """Return the outcome along one factor or group, from one_at_a_time or ice.

    Raises :class:`~kolabsim.errors.InputError` like :func:`analyse`, and for other designs.
    """
    u = unit_number(design, unit, "one_at_a_time", "ice")
    values, units = check_values(design, values, outcome), len(design.units)
    if design.method == "ice":
        each = values.mean(axis=1).reshape(-1, units, PLACES)[:, u]
        level_curves = each - each.mean(axis=1, keepdims=True) + each.mean()
    else:
        each = level_curves = values.reshape(units, -1, values.shape[1])[u].T
    places = np.arange(each.shape[1]) / (each.shape[1] - 1)
    return Curve(places, each, *mean_interval(level_curves, level)[:3])


def contrasts(
    design: Design,
    values: np.ndarray,
    unit: str,
    words: int,
    *,
    outcome: str = "",
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the effect of each switch between two words of a choice, from a factorial design.

    Columns: from, to (numbers of the words, of which there are ``words``), change, low, high,
    pairs. Raises :class:`~kolabsim.errors.InputError` like :func:`analyse`, and for other designs.
    """
    u, values = unit_number(design, unit, "factorial"), check_values(design, values, outcome)
    change = changes(design, values).mean(axis=2)[:, u]
    column = np.flatnonzero(design.members[u])[0]
    points = design.points.reshape(design.samples, len(design.units) + 1, -1)
    places = np.sort(points[:, [0, u + 1], column], axis=1)
    lower, upper = np.minimum((places * words).astype(int), words - 1).T
    rows = []
    for one, other in combinations(range(words), 2):
        here = change[(lower == one) & (upper == other)]
        if len(here):
            rows.append((one, other, *map(float, mean_interval(here, level)[:3]), len(here)))
    return pd.DataFrame(rows, columns=["from", "to", "change", "low", "high", "pairs"])


@dataclass(frozen=True)
class SensitivityResult:
    """Sensitivity indices of all outcomes of an experiment, and the runs behind them."""

    design: Design
    study: Study
    indices: tuple[Indices, ...]
    values: Mapping[str, np.ndarray]
    """[points, runs] of each outcome."""
    is_converged: bool | None
    """Whether the leading factors are stable; None unless the experiment asks for it."""
    surrogates: Mapping[str, Surrogate] = field(default_factory=dict)
    """Surrogates by outcome, if they stood in for the model."""
    left_out: tuple[str, ...] = ()
    """Why an outcome has no indices, in a sentence each."""

    @property
    def curves(self) -> dict[str, dict[str, Curve]]:
        """The curves of each outcome's factors, for one_at_a_time and ice."""
        if self.design.method not in ("one_at_a_time", "ice"):
            return {}
        found = {one.outcome: self.values[one.outcome] for one in self.indices}
        return {
            name: {unit: curve(self.design, values, unit) for unit in self.design.units}
            for name, values in found.items()
        }


def run_sensitivity(
    experiment: Experiment[SensitivitySpec], folder: Path, run: RunStudy
) -> SensitivityResult:
    """Sample the factors, simulate what is missing, and compute indices.

    With ``until`` the sample doubles until the leading factors are stable. With ``surrogate`` only
    so many points are simulated, and the indices are those of surrogates fitted to them.
    """
    spec, design = experiment.spec, sensitivity_design(experiment)
    width = len(experiment.factors)

    def simulate(points: np.ndarray, seeds: np.ndarray) -> tuple[Study, dict[str, np.ndarray]]:
        settings = settings_table(experiment.factors, points, seeds)
        study = run_sample(experiment, settings, folder, spec.runs, run)
        return study, {one.name: contrast_values(study, one) for one in experiment.outcomes}

    surrogates: dict[str, Surrogate] = {}
    converged = None
    if spec.surrogate is not None:
        points = np.random.default_rng(experiment.seed).random((spec.surrogate, width))
        study, simulated = simulate(points, draw_seeds(experiment.seed, np.arange(len(points))))
        surrogates = {
            name: fit_surrogate(
                points, found.mean(axis=1), experiment.factors, seed=experiment.seed
            )
            for name, found in simulated.items()
        }
        values = {
            name: one.predict(design.points[:, :width])[0][:, None]
            for name, one in surrogates.items()
        }
    else:
        study, values = simulate(design.points, design.seeds)
        while spec.until is not None:
            # Half of few factors, because all of them together always lead.
            leading = min(LEADING, max(1, width // 2))
            converged = all(
                is_converged(design, found, leading)
                for name, found in values.items()
                if refusal(design, found, name) is None
            )
            if converged or design.samples * 2 > spec.most:
                break
            design = design.extended(design.samples * 2)
            study, values = simulate(design.points, design.seeds)
    refused = {name: refusal(design, found, name) for name, found in values.items()}
    indices = tuple(
        analyse(design, found, outcome=name, seed=experiment.seed)
        for name, found in values.items()
        if refused[name] is None
    )
    left_out = tuple(error.problems[0].message for error in refused.values() if error)
    return SensitivityResult(design, study, indices, values, converged, surrogates, left_out)
