"""Whom supporters help: rules that give each region a score, of which the highest are chosen.

A rule sees the region, its slots in all areas, and its own parameters. (Who helps the newest or
best joint bodies looks at bodies instead: :mod:`kolabsim.model.interventions`.)
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
    """Whether whom a supporter helps is decided by scores of regions."""
    return target in (SMALLEST, POOREST) or target >= CUSTOM_TARGETS


@device
def score_region(target, region, slots, custom):
    """The score that a target gives a region; the engine adds user-defined rules."""
    if target == SMALLEST:
        return _SMALLEST(region, slots, custom)
    return _POOREST(region, slots, custom)
