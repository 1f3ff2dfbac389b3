"""Sorting, as one small room: numpy's own would take seconds to compile into the model."""

from __future__ import annotations

import numpy as np

from kolabsim.model.jit import kernel

RUN = 16
"""Values that are sorted by insertion before such runs are merged, and most in a bucket."""


@kernel
def order_of(values):
    """Places of the values from the lowest to the highest; equal ones stay in their order.

    As many buckets as values put them nearly in order, in time that grows with n. Where values
    crowd so that a bucket holds many, short runs are sorted and merged instead: n log n.
    """
    number = len(values)
    order, room = np.empty(number, np.int64), np.empty(number, np.int64)
    if fill_buckets(values, order, room) <= RUN:
        insert(values, order, 0, number)
        return order
    for k in range(number):
        order[k] = k
    for start in range(0, number, RUN):
        insert(values, order, start, min(start + RUN, number))
    width = RUN
    while width < number:
        for start in range(0, number, 2 * width):
            middle, end = min(start + width, number), min(start + 2 * width, number)
            left, right = start, middle
            for k in range(start, end):
                takes_left = left < middle and (
                    right >= end or values[order[left]] <= values[order[right]]
                )
                if takes_left:
                    room[k] = order[left]
                    left += 1
                else:
                    room[k] = order[right]
                    right += 1
        order, room = room, order
        width *= 2
    return order


@kernel
def fill_buckets(values, order, room):
    """Put places into ``order`` by equal steps of value; tell how many are in the fullest step.

    Where that is more than :data:`RUN`, ``order`` is left as it was.
    """
    number, low, high, most = len(values), np.inf, -np.inf, 0
    for k in range(number):
        low, high = min(low, values[k]), max(high, values[k])
        room[k] = 0
    width = high - low
    if not 0.0 < width < np.inf:
        return RUN + 1
    steps = (number - 1) / max(width, 1e-300)
    for k in range(number):
        bucket = int((values[k] - low) * steps)
        room[bucket] += 1
        most = max(most, room[bucket])
    if most > RUN:
        return most
    before = 0
    for bucket in range(number):
        before, room[bucket] = before + room[bucket], before
    for k in range(number):
        bucket = int((values[k] - low) * steps)
        order[room[bucket]] = k
        room[bucket] += 1
    return most


@kernel
def insert(values, order, start, end):
    """Sort a stretch of an order by moving each place down to where it belongs."""
    for k in range(start + 1, end):
        moved = order[k]
        value, place = values[moved], k
        while place > start and values[order[place - 1]] > value:
            order[place] = order[place - 1]
            place -= 1
        order[place] = moved
