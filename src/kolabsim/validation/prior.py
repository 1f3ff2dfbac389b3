"""What varies in calibration, and in which range: the prior.

A *future* is a point of the unit cube of all axes: each number from the low (0) to the high (1) end
of the range that the model declares, and a choice among the forms of each structure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kolabsim.errors import suggestion
from kolabsim.i18n import _
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.parameters import PARAMETERS, Parameter, between, number, place_in
from kolabsim.scenario.futures import AREA_FACTOR, STRUCTURES, Future
from kolabsim.validation.sampling import word_at

AREA_FACTORS: dict[str, Parameter] = {
    "efficient_scale": number(1.0, "", "", low=0.5, high=2.0),
    "curvature_below": number(1.0, "", "", low=0.75, high=1.33),
    "haul": number(1.0, "", "", low=0.5, high=2.0),
    "spillover": number(1.0, "", "", low=0.5, high=2.0),
    "difficulty": number(1.0, "", "", low=0.5, high=1.5),
}
"""Factors by which attributes of all service areas vary, assumed; the literature bounds the fall of
unit cost with scale more closely than the rest (SF3)."""


class Axis(NamedTuple):
    """Something that varies: a number in a range, or a choice among words, the default first."""

    name: str
    low: float = 0.0
    high: float = 1.0
    default: float = 0.0
    words: tuple[str, ...] = ()

    @property
    def usual(self) -> float | str:
        """The value that it has where nothing varies."""
        return self.words[0] if self.words else self.default

    def at(self, u: float) -> float | str:
        """Its value at a place from 0 to 1."""
        if self.words:
            return self.words[int(word_at(np.array(u), len(self.words)))]
        return between(self.low, self.high, u)

    def place(self, value: float | str) -> float:
        """The place from 0 to 1 of a value; for a word, the middle of its part."""
        if not self.words:
            return place_in(self.low, self.high, float(value))
        k, others = self.words.index(str(value)), len(self.words) - 1
        return 0.25 if k == 0 else 0.5 + 0.5 * (k - 0.5) / others


def assumed() -> dict[str, Parameter]:
    """The assumed parameters, by name.

    The speeds at which trust grows and falls are not among them: the literature bounds their ratio
    (SF24).
    """
    return {name: entry for name, entry in PARAMETERS.items() if entry.source == "assumed"}


def axes() -> tuple[Axis, ...]:
    """Everything that varies: assumed parameters, attributes of all areas, structures."""
    numbers = {f"parameters.{name}": entry for name, entry in assumed().items()}
    numbers |= {
        f"{AREA_FACTOR}{name}": entry
        for name, entry in AREA_FACTORS.items()
        if name in AREA_ATTRIBUTES
    }
    found = [Axis(name, *ends(one)) for name, one in numbers.items()]
    return (*found, *(Axis(name, words=words) for name, words in STRUCTURES.items()))


def future_at(point: np.ndarray, along: Sequence[Axis] | None = None) -> Future:
    """The future at a point of the unit cube of some axes, by default all."""
    along = axes() if along is None else along
    return {axis.name: axis.at(float(u)) for axis, u in zip(along, point, strict=True)}


def point_of(future: Mapping[str, object], along: Sequence[Axis] | None = None) -> np.ndarray:
    """The point of the unit cube of a future; what it does not set has its default."""
    along = axes() if along is None else along
    return np.array([axis.place(future.get(axis.name, axis.usual)) for axis in along])  # type: ignore[arg-type]


def choose_axes(names: Iterable[str]) -> tuple[tuple[Axis, ...], dict[str, str]]:
    """The axes with these names, and for each name that is none a sentence.

    A parameter may be named without its family: ``trust_start`` for ``parameters.trust_start``. One
    whose value has a source does not vary unless it is named.
    """
    known = {axis.name: axis for axis in axes()}
    for name, one in PARAMETERS.items():
        known.setdefault(f"parameters.{name}", Axis(f"parameters.{name}", *ends(one)))
    found, wrong = {}, {}
    for name in names:
        full = name if name in known else f"parameters.{name}"
        if full in known:
            found[full] = known[full]
        else:
            bare = [each.removeprefix("parameters.") for each in known]
            text = _("'{name}' is not a setting that calibration varies{suggestion}")
            wrong[name] = text.format(name=name, suggestion=suggestion(name, bare))
    return tuple(found.values()), wrong


def ends(entry: Parameter) -> tuple[float, float, float]:
    """The low and high end of the range of a parameter, and its default."""
    return entry.low, entry.high, entry.default
