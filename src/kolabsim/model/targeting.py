"""Whom supporters help: rules that give each region a score, of which the highest are chosen.

A rule sees the region, its slots in all areas, and its own parameters. (Who helps the newest or
best joint bodies looks at bodies instead: :mod:`kolabsim.model.interventions`.)
"""

from __future__ import annotations

from kolabsim.model.declare import target_rule
from kolabsim.model.jit import part
from kolabsim.model.levers import OWN_TARGETS, POOREST, SMALLEST


@target_rule()
def smallest(region, slots, p):
    """The smallest regions, by population."""
    return -float(region.rank)


@target_rule()
def poorest(region, slots, p):
    """The regions under most fiscal stress."""
    return region.stress


_SMALLEST, _POOREST = smallest.compiled, poorest.compiled


@part
def scores_regions(target):
    """Whether whom a supporter helps is decided by scores of regions."""
    return target in (SMALLEST, POOREST) or target >= OWN_TARGETS


@part
def score_of(target, region, slots, own):
    """The score that a target gives a region; the engine puts in those of one's own."""
    return _SMALLEST(region, slots, own) if target == SMALLEST else _POOREST(region, slots, own)
