"""The plausible futures of a scenario: each run of a page has one of its own.

A scenario is checked and built once for all visitors. What differs in a future is written into a
copy of what was built, and so are values that a visitor fixes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from kolabsim.app.recent import Recent
from kolabsim.engine.ensemble import Task, build_task
from kolabsim.engine.overrides import Base, vary
from kolabsim.scenario.compile import (
    build_areas,
    build_rule,
    build_setting,
    model_parameters,
)
from kolabsim.scenario.futures import Future, plausible_futures, with_future
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.tasks import DEFAULT_FUTURE, future_seed

if TYPE_CHECKING:
    from kolabsim.analysis.drivers import Grouped

STORED = 16
"""Number of scenarios whose futures are kept."""


class World(NamedTuple):
    """A scenario in one future."""

    scenario: Scenario
    base: Base


class Worlds:
    """A scenario in its plausible futures, or as it is if there are none to vary."""

    def __init__(self, source: Scenario) -> None:
        self.source = source
        found = plausible_futures(None, source)
        self.futures: dict[str, Future] = found if len(found) > 1 else {DEFAULT_FUTURE: {}}
        self._made: dict[str, World] = {}

    @cached_property
    def task_of_source(self) -> Task:
        """The input of runs of the scenario as it is."""
        return build_task(self.source, next(iter(self.source.strategies.values())), seed=0)

    def find(self, name: str) -> World:
        """Return the scenario in a future, made when it is first needed."""
        found = self._made.get(name)
        if found is None:
            scenario = with_future(self.source, self.futures[name])
            base = Base(self.build(scenario), np.zeros(0, bool), tuple(scenario.areas))
            found = self._made[name] = World(scenario, base)
        return found

    def build(self, scenario: Scenario) -> Task:
        """Return the input of runs in a future: that of the source with what differs."""
        task = self.task_of_source
        rule, rule_parameters = build_rule(scenario)
        world = task.world._replace(area=build_areas(scenario), setting=build_setting(scenario))
        return task._replace(
            world=world, parameters=model_parameters(scenario.parameters), rule=rule,
            rule_parameters=rule_parameters,
        )  # fmt: skip

    def task(self, name: str, fixed: Mapping[str, float], seed: int) -> Task:
        """Return the input of runs in a future with some parameters fixed, but for the strategy."""
        base = self.find(name).base
        keys = [f"parameters.{parameter}" for parameter in fixed]
        task = vary(base, keys, list(fixed.values())) if fixed else base.task
        return task._replace(seed=future_seed(seed, name))

    def fixed(self, name: str, fixed: Mapping[str, float]) -> Scenario:
        """Return the scenario in a future with some parameters fixed."""
        found = self.find(name).scenario
        return found.model_copy(update={"parameters": {**found.parameters, **fixed}})


_WORLDS: Recent[Worlds] = Recent(STORED)
_ALONE: Recent[np.ndarray] = Recent(STORED)
_GROUPED: Recent[tuple[pd.DataFrame, Grouped]] = Recent(STORED)


def find_worlds(source: Scenario) -> Worlds:
    """Return a scenario in its plausible futures, shared by all visitors."""
    found = _WORLDS.get(source)
    if found is None:
        found = Worlds(source)
        _WORLDS.put(source, found)
    return found


def find_alone(worlds: Worlds, names: Sequence[str], fixed: Mapping[str, float]) -> np.ndarray:
    """Return the stand-alone cost of regions in some futures [futures, regions], stored."""
    from kolabsim.analysis.outlook import stand_alone_cost

    key = worlds.source, tuple(names), tuple(sorted(fixed.items()))
    found = _ALONE.get(key)
    if found is None:
        found = np.array([stand_alone_cost(worlds.fixed(name, fixed)) for name in names])
        _ALONE.put(key, found)
    return found


def find_groups(worlds: Worlds, futures: Mapping[str, Future]) -> tuple[pd.DataFrame, Grouped]:
    """Return the settings of some of its futures, ready to rank assumptions, stored."""
    from kolabsim.analysis.drivers import group_settings

    key = worlds.source, tuple(futures), frozenset(next(iter(futures.values())))
    found = _GROUPED.get(key)
    if found is None:
        settings = pd.DataFrame([*futures.values()])
        found = settings, group_settings(settings)
        _GROUPED.put(key, found)
    return found


def without(future: Mapping[str, object], fixed: Mapping[str, float]) -> Future:
    """Return the settings of a future that are not fixed."""
    if not fixed:
        return dict(future)
    return {key: value for key, value in future.items() if key.partition(".")[2] not in fixed}
