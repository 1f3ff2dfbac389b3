"""Synthetic regions, for questions about number, size and distance, not about real places."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from kolabsim.scenario.regions import DIMENSIONS, Regions
from kolabsim.scenario.schema import Section

KM_PER_DEGREE = 111.195
"""Kilometres per degree of a great circle, on a sphere of radius 6371 km."""


class Synthetic(Section):
    """Synthetic regions: points on a jittered grid with log-normal populations."""

    number: int = Field(ge=1, le=1_000_000)
    """Number of regions."""
    median_population: float = Field(ge=1, le=1e9)
    """Median population."""
    spread: float = Field(default=0.8, ge=0, le=3)
    """Standard deviation of the logarithm of population."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    """Seed of places and populations."""
    extent_km: float = Field(default=250, gt=0, le=10_000)
    """Side of the square they lie in."""
    tiers: int = Field(default=1, ge=1)
    """Number of higher tiers, each a compact block."""

    def generate(self, areas: Sequence[str] = ()) -> Regions:
        """Generate the regions; the same settings always give the same regions.

        The square lies around latitude and longitude 0. Codes consist of the tier and a number
        within it, from west to east in strips, so regions with similar codes lie close together.

        >>> len(Synthetic(number=12, median_population=1000, tiers=3).generate())
        12
        """
        number = self.number
        generator = np.random.Generator(np.random.PCG64(self.seed))
        people = self.median_population * np.exp(self.spread * generator.standard_normal(number))
        side = math.ceil(math.sqrt(number))
        cells = np.sort(generator.permutation(side * side)[:number])
        jitter = generator.uniform(0.1, 0.9, (2, number))
        north = ((cells // side + jitter[0]) / side - 0.5) * self.extent_km
        east = ((cells % side + jitter[1]) / side - 0.5) * self.extent_km
        tier = _blocks(north, east, self.tiers)
        order = np.lexsort((east, _strips(north, tier), tier))
        widths = len(str(self.tiers)), len(str(math.ceil(number / self.tiers)))
        within = np.arange(number) - np.searchsorted(tier[order], tier[order])
        labels = [f"{t + 1:0{widths[0]}d}" for t in range(self.tiers)]
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
            goodwill=np.full(number, np.nan),
            autonomy=np.full(number, np.nan),
            culture=np.full((number, DIMENSIONS), np.nan),
            interests=np.full((number, len(areas)), np.nan),
        )


def _blocks(north: np.ndarray, east: np.ndarray, blocks: int) -> np.ndarray:
    """Return the compact block, from 0, of each point: strips, cut into blocks."""
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
    """Return the strip of each point within its tier, counted from the south."""
    strip = np.empty(len(north), dtype=np.int64)
    order = np.lexsort((north, tier))
    starts = np.flatnonzero(np.diff(tier[order], prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        size = end - start
        strips = max(1, round(math.sqrt(size)))
        strip[order[start:end]] = np.arange(size) * strips // size
    return strip
