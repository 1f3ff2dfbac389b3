"""Noise floors of sensitivity indices: what factors reach that are permuted over the same runs.

A factor is permuted by exchanging the runs that differ in nothing else, each replicate on its own,
or by giving its values to other points. Its index is then that of a factor without effect, with the
same outcomes and the same random draws. The floor is what the largest index of so many permuted
factors stays below with the probability of the intervals, so that all factors together are tested.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from kolabsim.analysis.indices import (
    KINDS,
    Estimates,
    absolute,
    changes,
    crossed,
    crossing,
    elementary,
    reach,
    response_variance,
)
from kolabsim.analysis.statistics import PERMUTATIONS, RESAMPLING_MEMORY, noise_floor
from kolabsim.study.design import PLACES, Design


def noise_floors(
    design: Design, values: np.ndarray, level: float, rng: np.random.Generator
) -> Estimates:
    """Return the noise floor of each index, [units].

    Left out where permuted factors show nothing: in the search curves of FAST, whose frequencies
    interfere, and of sizes and ranges with a single replicate, which keep them when their points
    are exchanged.
    """
    tests = len(design.units) - design.has_dummy
    number = max(PERMUTATIONS, math.ceil(tests / (1.0 - level)))
    permute = PERMUTED.get(design.method)
    if permute is None:
        return {}
    found: dict[str, list[np.ndarray]] = {}
    for part in permute(design, values, number, rng):
        for name, indices in part.items():
            found.setdefault(name, []).append(indices)
    return {
        name: np.array([noise_floor(unit, level, tests) for unit in np.concatenate(parts).T])
        for name, parts in found.items()
    }


def signs(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw 1 and -1 with equal chances."""
    return 1.0 - 2.0 * rng.integers(2, size=shape)


def portions(number: int, each: int) -> Iterator[int]:
    """Divide permutations into portions that fit in memory, if each takes so many numbers."""
    together = max(1, RESAMPLING_MEMORY // each)
    for start in range(0, number, together):
        yield min(together, number - start)


def of_crossing(
    design: Design, values: np.ndarray, number: int, rng: np.random.Generator
) -> Iterator[Estimates]:
    """Exchange pairs of points that differ in a unit: the difference between them changes sign."""
    a, ab, _ba, b = crossing(design, values)
    variance = response_variance(np.ones((1, len(a))), np.concatenate([a, b], axis=1))
    difference, product = a - ab, crossed(b, ab - a)
    replicates = values.shape[1]
    for size in portions(number, difference.size):
        found = {"S1": signs((size, len(a)), rng) @ product / len(a) / variance}
        if replicates > 1:
            flip = signs((size, len(a), replicates), rng)
            means = np.einsum("knr,nur->knu", flip, difference, optimize=True) / replicates
            square = replicates * (means**2).mean(axis=1) - (difference**2).mean(axis=(0, 2))
            found["ST"] = square / (replicates - 1) / 2.0 / variance
        yield found


def of_differences(
    effects: Callable[[Design, np.ndarray], np.ndarray], names: Sequence[str]
) -> Callable[[Design, np.ndarray, int, np.random.Generator], Iterator[Estimates]]:
    """Exchange pairs of points that differ in a unit: its effect changes sign."""
    size_name, mean_name, deviation_name = names

    def permute(
        design: Design, values: np.ndarray, number: int, rng: np.random.Generator
    ) -> Iterator[Estimates]:
        found = effects(design, values)
        samples, _units, replicates = found.shape
        for size in portions(number, found.size):
            flip = signs((size, samples), rng)
            indices = {mean_name: np.abs(flip @ found.mean(axis=2) / samples)}
            if replicates > 1:
                flipped = signs((size, samples, 1, replicates), rng) * found
                means = flipped.mean(axis=1)
                square = crossed(flipped, flipped).mean(axis=1) - crossed(means, means)
                indices[size_name] = absolute(flipped).mean(axis=1)
                indices[deviation_name] = np.sqrt(np.maximum(square, 0.0) * samples / (samples - 1))
            yield indices

    return permute


def of_curves(
    design: Design, values: np.ndarray, number: int, rng: np.random.Generator
) -> Iterator[Estimates]:
    """Permute the places along curves, each replicate on its own."""
    units, replicates = len(design.units), values.shape[1]
    if replicates < 2:
        return
    is_single = design.method == "one_at_a_time"
    shape = (-1, units, design.samples if is_single else PLACES, replicates)
    y = values.reshape(shape)
    order = np.broadcast_to(np.arange(y.shape[2])[:, None], (len(y), *y.shape[2:]))
    for _time in range(number):
        places = rng.permuted(order, axis=1)[:, None]
        permuted = np.take_along_axis(y, places, axis=2)
        if is_single:
            yield {"range": np.ptp(permuted.mean(axis=3), axis=2)}
            continue
        level = permuted - permuted.mean(axis=2, keepdims=True)
        means = level.mean(axis=0)
        square = crossed(level, level).mean(axis=0) - crossed(means, means)
        variety = np.sqrt(np.maximum(square, 0.0).mean(axis=1) * len(y) / (len(y) - 1))
        yield {"range": reach(permuted).mean(axis=0)[None], "variety": variety[None]}


def of_points(
    design: Design, values: np.ndarray, number: int, rng: np.random.Generator
) -> Iterator[Estimates]:
    """Give the values of a factor to other points; all factors have the same floor."""
    names = tuple(map(str, range(number)))
    other = replace(design, names=names, groups=None, points=rng.random((len(values), number)))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = KINDS[design.method].estimate(other, values, np.ones((1, len(values))))
    yield {name: np.repeat(part.T, len(design.units), axis=1) for name, part in found.items()}


PERMUTED: dict[
    str, Callable[[Design, np.ndarray, int, np.random.Generator], Iterator[Estimates]]
] = {
    "morris": of_differences(elementary, ("mu_star", "mu", "sigma")),
    "sobol": of_crossing,
    "rbd_fast": of_points,
    "delta": of_points,
    "pawn": of_points,
    "one_at_a_time": of_curves,
    "ice": of_curves,
    "factorial": of_differences(changes, ("absolute", "mean", "spread")),
}
"""Indices [permutations, units] of permuted factors, by method."""
