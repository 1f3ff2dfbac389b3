"""Random draws by address instead of in sequence.

Each number is a pure function of (seed, run, quarter, purpose, region, other region): Philox4x32-10
[salmon_2011]. A draw therefore does not depend on other draws, their order, the number of threads
or the strategy, and two strategies with one seed differ only by their own effects.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kolabsim.model.jit import device, kernel

CAPACITY, INTERESTS, CULTURE, PREFERENCES, TRUST, ERROR = range(6)
ATTENTION, NOTICE, CHOICE, STATUS_QUO, CONCLUSION = range(6, 11)
ORDER, LEAVING, HONOUR, OBSERVATION = range(11, 15)
PRACTICE, TIER = range(15, 17)
"""Purposes of draws; each kind has its own number, which must never change."""
ONLY = 0
"""The block of an address that needs at most four words."""

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
FIRST, SECOND = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
STEP_FIRST, STEP_SECOND = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


class Key(NamedTuple):
    """The part of an address that a whole quarter of a run shares."""

    seed: int
    run: int
    quarter: int


@kernel
def philox(c0, c1, c2, c3, k0, k1):
    """Four words of 32 bits from a counter of four and a key of two [salmon_2011]."""
    for _ in range(10):
        one, two = FIRST * c0, SECOND * c2
        c0, c1, c2, c3 = (
            ((two >> HALF) ^ c1 ^ k0) & LOW,
            two & LOW,
            ((one >> HALF) ^ c3 ^ k1) & LOW,
            one & LOW,
        )
        k0, k1 = (k0 + STEP_FIRST) & LOW, (k1 + STEP_SECOND) & LOW
    return c0, c1, c2, c3


@kernel
def words(key, purpose, block, i, j):
    """The four words of an address; ``block`` counts groups of four areas (or further words).

    A draw of one region alone has j = i.
    """
    counter = np.uint64(key.quarter) | np.uint64(purpose << 16) | np.uint64(block << 24)
    seed = np.uint64(key.seed)
    return philox(np.uint64(i), np.uint64(j), counter, np.uint64(key.run), seed & LOW, seed >> HALF)


@kernel
def unit(word):
    """A word as a number strictly between 0 and 1."""
    return (float(word) + 0.5) * 2.0**-32


CUBIC, QUARTIC = 1.0 / 6.0, 1.0 / 24.0
"""Terms of the series of the exponential."""
MARGIN = 1.000001
"""More than rounding can make of one."""


@device
def logistic_bound(odds):
    """At least the logistic function of negative odds, without an exponential; 1 of others.

    The exponential is at least the first terms of its series, and the margin exceeds all rounding
    by far: no draw above it is below the function itself.
    """
    x = -odds
    if not x > 0.0:
        return 1.0
    return MARGIN / (2.0 + x * (1.0 + x * (0.5 + x * (CUBIC + x * QUARTIC))))


@device
def pick(four, k):
    """The k-th of four words."""
    word = four[0]
    if k == 1:
        word = four[1]
    elif k == 2:
        word = four[2]
    elif k == 3:
        word = four[3]
    return word


NO_WORDS = (np.uint64(0),) * 4
"""Words before any were drawn."""


@device
def uniform_of(four, area):
    """The number of a service area among the words of its group of four areas."""
    return unit(pick(four, area % 4))


@kernel
def uniform_by_area(key, purpose, i, j, area):
    """One number strictly between 0 and 1 for a service area; four areas share one call's words."""
    return uniform_of(words(key, purpose, area // 4, i, j), area)


@kernel
def normals(four):
    """Four standard normal numbers from four words (Box and Muller)."""
    one = math.sqrt(-2.0 * math.log(unit(four[0])))
    two = math.sqrt(-2.0 * math.log(unit(four[2])))
    turn, other = 2.0 * math.pi * unit(four[1]), 2.0 * math.pi * unit(four[3])
    return one * math.cos(turn), one * math.sin(turn), two * math.cos(other), two * math.sin(other)


@kernel
def normal_by_area(key, purpose, i, j, area):
    """One standard normal number for a service area: one of :func:`normals` of its words."""
    four, place = words(key, purpose, area // 4, i, j), area % 4
    length = math.sqrt(-2.0 * math.log(unit(pick(four, place - place % 2))))
    turn = 2.0 * math.pi * unit(pick(four, place - place % 2 + 1))
    return length * (math.cos(turn) if place % 2 == 0 else math.sin(turn))


ATTEMPTS = 64
"""Most attempts of :func:`gamma`: all are rejected once in 10^80 draws."""


@device
def gamma(key, purpose, i, number, shape):
    """One number of a Gamma distribution of this shape and scale 1 [marsaglia_tsang_2000].

    ``number`` tells several numbers of one region and purpose apart; attempts are blocks.
    """
    raised = shape if shape >= 1.0 else shape + 1.0
    middle = raised - 1.0 / 3.0
    width, found = 1.0 / math.sqrt(9.0 * middle), middle
    for attempt in range(ATTEMPTS):
        four = words(key, purpose, attempt, i, number)
        normal = normals(four)[0]
        root = 1.0 + width * normal
        if root > 0.0:
            cube = root * root * root
            most = 0.5 * normal * normal + middle * (1.0 - cube + math.log(cube))
            if math.log(unit(four[2])) < most:
                found = middle * cube
                break
    if shape < 1.0:
        found *= unit(words(key, purpose, ATTEMPTS, i, number)[0]) ** (1.0 / shape)
    return found


def region_ids(codes: Sequence[str]) -> np.ndarray:
    """The number of each region in addresses: a hash of its code, never its row.

    Shape (regions,), each below 2**32. ``codes`` must be sorted: where two hashes collide, the
    later code takes the next free number, so that the ids do not depend on the order of a table.
    """
    taken: set[int] = set()
    ids = np.empty(len(codes), np.int64)
    for row, code in enumerate(codes):
        number = zlib.crc32(code.encode())
        while number in taken:
            number = (number + 1) % 2**32
        taken.add(number)
        ids[row] = number
    return ids
