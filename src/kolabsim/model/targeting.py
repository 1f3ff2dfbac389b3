"""The built-in targeting rules: scores of regions, of which supporters help the highest.

A rule takes a region, its slots in all areas, and its parameters. (The targets ``newest`` and
``best`` choose joint bodies instead: :mod:`kolabsim.model.interventions`.)
"""

from __future__ import annotations

from kolabsim.model.declare import target_rule
from kolabsim.model.jit import device
from kolabsim.model.levers import CUSTOM_TARGETS, POOREST, SMALLEST


@target_rule()
def smallest(region, slots, p):
    """The smallest regions, by population."""
    return -float(region.rank)


@target_rule()
def poorest(region, slots, p):
    """The regions under most fiscal stress."""
    return region.stress


_SMALLEST, _POOREST = smallest.compiled, poorest.compiled


@device
def scores_regions(target):
    """Whether a target chooses regions by their scores."""
    return target in (SMALLEST, POOREST) or target >= CUSTOM_TARGETS


@device
def score_region(target, region, slots, custom):
    """The score of a region by a target; the engine adds user-defined rules."""
    if target == SMALLEST:
        return _SMALLEST(region, slots, custom)
    return _POOREST(region, slots, custom)
