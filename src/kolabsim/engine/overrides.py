"""One world under many settings, written directly into the input of the engine.

Checking a scenario and building its world takes longer than a few runs. Numbers that only change a
parameter, an attribute of an area or the intensity of a lever are therefore written into a copy of
the arrays; the result equals that of the scenario with this setting to the last bit, and a test
compares them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kolabsim.engine.ensemble import Task, build_task
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.declare import RULES
from kolabsim.model.levers import LEVERS, SUPPORTERS
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.compile import build_policy
from kolabsim.scenario.scenario import Scenario

SEED = "seed"
"""The setting that gives a point random draws of its own."""


class Base(NamedTuple):
    """A task whose settings can be varied."""

    task: Task
    lever_on: np.ndarray
    """[L, P, A] where the intensity of a lever over the whole horizon sets that of a phase."""
    areas: tuple[str, ...]


def is_quick(name: str) -> bool:
    """Whether a factor can be written straight into a task."""
    kind, _dot, rest = name.partition(".")
    if kind == "parameters":
        return rest in PARAMETERS or rest.partition(".")[0] in RULES
    if kind == "areas":
        return rest.rpartition(".")[2] in AREA_ATTRIBUTES
    lever, _dot, part = rest.partition(".")
    is_budget = kind in ("mechanisms", "support") and lever in LEVERS and part == "budget"
    return is_lever(name) or is_budget or name == SEED


def build_base(
    scenario: Scenario,
    strategy: str,
    *,
    seed: int,
    names: Iterable[str],
    settings: Mapping[str, object] | None = None,
) -> Base:
    """A strategy in a scenario, ready to vary the quick factors among ``names``.

    ``settings`` are further changes to the scenario, by dotted names: a target of support has no
    effect without an intensity, so that both must be set together.
    """
    settings = dict(settings or {})
    levers = [name for name in names if is_lever(name)]
    full = scenario.with_(settings | {f"{name}.intensity": 1.0 for name in levers})
    task = build_task(full, full.strategies[strategy], seed=seed)
    lever_on = np.zeros((len(LEVERS), *task.policy.lever.shape[:2]), bool)
    if levers:
        half = scenario.with_(settings | {f"{name}.intensity": 0.5 for name in levers})
        other = build_policy(half, half.strategies[strategy]).lever
        lever_on = np.moveaxis(task.policy.lever != other, -1, 0).copy()
    return Base(task, lever_on, tuple(scenario.areas))


def is_lever(name: str) -> bool:
    """Whether a factor is the intensity of a lever, of all strategies or of one of them.

    >>> is_lever("mechanisms.team"), is_lever("strategies.mine.mechanisms.team")
    (True, True)
    """
    first, *parts = name.split(".")
    if first == "strategies" and len(parts) == 3:
        first, *parts = parts[1:]
    return first in ("mechanisms", "support") and len(parts) == 1 and parts[0] in LEVERS


def vary(base: Base, names: Sequence[str], values: Sequence[float]) -> Task:
    """The task with each named quick factor set to its value."""
    setting = dict(zip(names, values, strict=True))
    task, world, policy = base.task, base.task.world, base.task.policy
    seed = int(setting.get(SEED, task.seed))
    parameters, rule = _parameters(task, setting)
    areas = {n: v for n, v in setting.items() if n.startswith("areas.")}
    if areas:
        area = world.area.copy()
        for name, value in areas.items():
            _kind, of, attribute = name.split(".")
            area[attribute][base.areas.index(of)] = value
        world = world._replace(area=area)
    budgets = {name: value for name, value in setting.items() if name.endswith(".budget")}
    if budgets:
        budget = policy.budget.copy()
        for name, value in budgets.items():
            lever = name.split(".")[1]
            on = base.lever_on[list(LEVERS).index(lever)].any(axis=1)
            budget[on, list(SUPPORTERS).index(lever)] = value / 4.0
        policy = policy._replace(budget=budget)
    levers = {name: value for name, value in setting.items() if is_lever(name)}
    if levers:
        intensity = policy.lever.copy()
        for name, value in levers.items():
            k = list(LEVERS).index(name.rpartition(".")[2])
            on = base.lever_on[k]
            # At full intensity, the base has the part that a phase-out leaves.
            intensity[..., k][on] = value * policy.lever[..., k][on]
        policy = policy._replace(lever=intensity)
    return task._replace(
        world=world, policy=policy, parameters=parameters, rule_parameters=rule, seed=seed
    )


def _parameters(task: Task, setting: Mapping[str, float]) -> tuple[np.record, np.record]:
    """The records of the model's and the rule's parameters, with those of a setting."""
    records = [
        np.array([record], record.dtype).view(np.recarray)
        for record in (task.parameters, task.rule_parameters)
    ]
    for name, value in setting.items():
        kind, _dot, rest = name.partition(".")
        if kind != "parameters":
            continue
        rule, _dot, own = rest.partition(".")
        if rest in PARAMETERS:
            records[0][rest] = PARAMETERS[rest].per_quarter(value)
        elif (rule == task.rule.name) if task.rule else (rule in BUILT_IN):
            records[1][own] = RULES[rule].parameters[own].per_quarter(value)
    return records[0][0], records[1][0]
