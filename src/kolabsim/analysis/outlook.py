"""What the outlooks of a region and of a group share: places, costs and draws at the start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kolabsim.engine.ensemble import Task, new_state, support_for
from kolabsim.errors import InputError, nearest, suggestion
from kolabsim.i18n import _
from kolabsim.model import laws
from kolabsim.model.initialisation import initialise
from kolabsim.model.interventions import start_quarter
from kolabsim.model.jit import host_entry
from kolabsim.model.levers import UNIT_COSTS
from kolabsim.model.parameters import QUARTERS
from kolabsim.model.rng import Key
from kolabsim.model.state import NOBODY, State
from kolabsim.scenario.compile import build_changes
from kolabsim.scenario.names import plain
from kolabsim.scenario.scenario import Scenario

LOOKED_AT = 100
"""Most draws of traits for which unions are judged, in all futures together."""
LEAST_DRAWS = 2
"""Fewest draws of traits in each future, which tell chance apart."""
ROOM = 20_000_000
"""Most numbers of a trace in memory at a time."""


def place_of(scenario: Scenario, code: str) -> int:
    """Return the position of the region with a code; refuse others and suggest the nearest."""
    codes, names = scenario.regions.codes, scenario.regions.labels
    code = plain(code)
    if code in codes:
        return codes.index(code)
    hint = suggestion(code, codes)
    if nearest(code, codes) is None:
        # Users type names too: Sleman for Kabupaten Sleman.
        within = (name for name in names if code.casefold() in name.casefold())
        called = next(within, None) or nearest(code, names)
        if called is not None:
            hint = _("; did you mean '{code}' ({name})?")
            hint = hint.format(code=codes[names.index(called)], name=called)
    text = _("no region has the code '{code}'{suggestion}").format(code=code, suggestion=hint)
    raise InputError.of(text)


def look(tasks: Sequence[Task], runs: int) -> Iterator[tuple[int, int]]:
    """The futures and draws in which bodies are judged."""
    yield from np.ndindex(len(tasks), min(runs, max(LEAST_DRAWS, LOOKED_AT // len(tasks))))


def run_draws(
    tasks: Sequence[Task], draws: Sequence[tuple[int, int]]
) -> Iterator[tuple[tuple[int, int], State]]:
    """The state of each draw when the first quarter begins, always in the same arrays."""
    state = new_state(tasks[0].world)
    support = support_for(tuple(rule.compiled for rule in tasks[0].extensions.targets))
    for f, draw in draws:
        world, policy, p, *_rest = tasks[f]
        host_entry(initialise)(world, state, policy, p, Key(tasks[f].seed, draw, 0))
        host_entry(start_quarter)(world, state, policy, p, 0)
        support(state, policy, p, tasks[f].extensions.parameters, 0)
        yield (f, draw), state


def party_at(state: State, i: int, a: int) -> list[int]:
    """Return the regions of region i's party in an area."""
    body = int(state.slot["body"][i, a])
    if body == NOBODY:
        return [i]
    return state.members[body, : state.body["members"][body]].tolist()


def unit_costs(scenario: Scenario, people: np.ndarray) -> np.ndarray:
    """Return the stand-alone unit cost for people served [..., areas]."""
    economics = (
        np.array([getattr(area, name) for area in scenario.areas.values()])
        for name in ("efficient_scale", "curvature_below", "curvature_above")
    )
    curve = UNIT_COSTS.index(scenario.unit_cost)
    return np.vectorize(laws.unit_cost, otypes=[np.float64])(people, *economics, curve)


def stand_alone_cost(scenario: Scenario) -> np.ndarray:
    """Return what each region would pay over the run without any sharing, in money [regions]."""
    return stand_alone_costs(scenario).sum(axis=1)


def stand_alone_costs(scenario: Scenario) -> np.ndarray:
    """Return the same for each service area [regions, areas]."""
    return stand_alone_quarters(scenario).sum(axis=0) / QUARTERS


def stand_alone_quarters(scenario: Scenario) -> np.ndarray:
    """Return what it would pay a year at the rate of each quarter [quarters, regions, areas]."""
    period, population, _stress, demand = build_changes(scenario)
    people = population[:, :, None] * demand
    price = np.array([area.cost_per_resident for area in scenario.areas.values()])
    return (people * unit_costs(scenario, people) * price)[period]
