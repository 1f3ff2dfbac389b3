"""Asking memory ahead of need, in worlds too large for a processor's cache.

What is asked for is on its way while the stages work on the regions before. It changes no result.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from kolabsim.model.jit import part

LINE = 64
"""Bytes that a processor takes from memory at a time."""

LARGE = 1_000
"""Regions from which on a world does not fit into a cache: smaller ones would only lose time."""

AHEAD = 12
"""Regions ahead of the one at work: far enough to hide the delay of memory."""

PLACES = 24
"""Places for bodies ahead of the one at work; most are free."""


@intrinsic
def _fetch_line(_context, array, place):
    """Ask for one line of an array, ``place`` bytes from its start."""

    def generate(context, builder, signature, arguments):
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        address = builder.gep(builder.bitcast(data, byte), [arguments[1]])
        to_read, all_caches, data_not_code = (ir.Constant(number, k) for k in (0, 3, 1))
        builder.call(function, [address, to_read, all_caches, data_not_code])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@part
def fetch(array, start, size):
    """Ask for so many bytes of an array from a place on, in bytes; in plain Python do nothing."""
    if not config.DISABLE_JIT:
        for place in range(start, start + size, LINE):
            _fetch_line(array, place)


@part
def is_large(s):
    """Whether a world is too large for a cache."""
    return len(s.region) >= LARGE


@part
def fetch_items(array, start, number):
    """Ask for items of an array's first axis."""
    fetch(array, start * array.strides[0], number * array.strides[0])


@part
def fetch_slot(s, i, a):
    """Ask for a slot, its region and its own row."""
    fetch(s.slot, i * s.slot.strides[0] + a * s.slot.strides[1], s.slot.strides[1])
    fetch_items(s.region, i, 1)
    fetch_items(s.sums, i * s.slot.shape[1] + a, 1)


@part
def fetch_contacts(s, i):
    """Ask for a region's contacts."""
    fetch_items(s.contact, s.region[i].first, s.region[i].end - s.region[i].first)


@part
def fetch_region(s, i):
    """Ask for a region that comes soon, its slots and their rows, and the contacts of one nearer.

    What an address is read from must have come before: hence the nearer one.
    """
    far, near, areas = i + AHEAD, i + AHEAD // 2, s.slot.shape[1]
    fetch_items(s.slot, far, 1)
    fetch_items(s.region, far, 1)
    fetch_items(s.sums, far * areas, areas)
    if near < len(s.region):
        fetch_contacts(s, near)


@part
def fetch_parties(s, i):
    """Ask for the rows of the parties that a region that comes soon negotiates with."""
    near, areas = i + AHEAD // 2, s.slot.shape[1]
    for a in range(areas if near < len(s.region) else 0):
        contact = s.slot[near, a].contact
        if contact >= 0:
            j = s.contact[contact].target
            body = s.slot[j, a].body
            fetch_items(s.sums, j * areas + a if body < 0 else s.slot.size + body, 1)


@part
def fetch_body(s, body):
    """Ask for a body that comes soon, the members of one nearer, and the contacts of one nearer."""
    far, near, soon = body + 2 * PLACES, body + PLACES, body + PLACES // 2
    if far < len(s.body) and s.body[far].members > 0:
        fetch_items(s.members, far, 1)
        fetch_items(s.sums, s.slot.size + far, 1)
    for k in range(s.body[near].members if near < len(s.body) else 0):
        fetch_slot(s, s.members[near, k], s.body[near].area)
    for k in range(s.body[soon].members if soon < len(s.body) else 0):
        fetch_contacts(s, s.members[soon, k])


@part
def fetch_negotiation(s, queue, k):
    """Ask for both sides of the negotiations in the queue (slots as i A + a) that come soon."""
    areas = s.slot.shape[1]
    if k + 8 < len(queue):
        fetch_slot(s, queue[k + 8] // areas, queue[k + 8] % areas)
    if k + 4 < len(queue):
        i, a = queue[k + 4] // areas, queue[k + 4] % areas
        fetch_contacts(s, i)
        if s.slot[i, a].contact >= 0:
            fetch_slot(s, s.contact[s.slot[i, a].contact].target, a)
    if k + 2 < len(queue):
        i, a = queue[k + 2] // areas, queue[k + 2] % areas
        if s.slot[i, a].contact >= 0:
            fetch_contacts(s, s.contact[s.slot[i, a].contact].target)
