"""What was used recently: runs of strategies and answers, shared by all visitors."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

import numpy as np

MOST_BYTES = 100_000_000
"""Most bytes of runs that are kept for the next visitor; simulating them again takes seconds."""

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The values that were used last, by their keys; safe with threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Value | None:
        """Return a value, or None if it is not there any more."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value; the one that was not used for longest makes room."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self.most:
                self._values.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()


class Block(NamedTuple):
    """What is kept of a block of runs: all that the page shows, a fifth of all that there is."""

    runs: np.ndarray
    """The figures of every measure [runs, measures]."""
    quarters: np.ndarray
    """Those measures that the page shows over time [runs, quarters, measures]."""
    regions: np.ndarray
    """[runs, regions, areas, measures by region]"""
    trace: np.ndarray
    """The end of the traces of the runs, or nothing."""


@dataclass
class Runs:
    """The runs of one strategy in blocks, by their places among all."""

    blocks: dict[int, Block] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all blocks."""
        return sum(part.nbytes for block in [*self.blocks.values()] for part in block)


class RunStore:
    """Runs by all that they depend on."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._runs: OrderedDict[Hashable, Runs] = OrderedDict()
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Bytes of all runs."""
        return sum(runs.size for runs in self._runs.values())

    def open(self, key: Hashable) -> Runs:
        """Return the runs with this key, at first none. Those who hold them may add blocks."""
        with self._lock:
            runs = self._runs.setdefault(key, Runs())
            self._runs.move_to_end(key)
            return runs

    def trim(self) -> None:
        """Forget the runs that were not used for longest if there are too many."""
        with self._lock:
            size = self.size
            while size > self.most and len(self._runs) > 1:
                size -= self._runs.popitem(last=False)[1].size

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._runs.clear()
