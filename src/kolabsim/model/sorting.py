"""Sorting, as one small function: numpy's own would take seconds to compile into the model."""

from __future__ import annotations

import numpy as np

from kolabsim.model.kernel import kernel

RUN = 16
"""Values that are sorted by insertion before such runs are merged."""


@kernel
def order_of(values):
    """Places of the values from the lowest to the highest; equal ones stay in their order.

    Short runs are sorted by insertion and then merged: time grows with n log n.
    """
    number = len(values)
    order, room = np.empty(number, np.int64), np.empty(number, np.int64)
    for start in range(0, number, RUN):
        for k in range(start, min(start + RUN, number)):
            place = k
            while place > start and values[order[place - 1]] > values[k]:
                order[place] = order[place - 1]
                place -= 1
            order[place] = k
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
