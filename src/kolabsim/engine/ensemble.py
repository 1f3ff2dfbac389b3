"""The ensemble: many runs in a compiled loop over the same stages that the Mesa agents call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import FunctionType
from typing import NamedTuple

import numpy as np

from kolabsim.errors import InputError, Problem
from kolabsim.i18n import _
from kolabsim.model.agreements import settle
from kolabsim.model.bodies import tally_all
from kolabsim.model.declare import DecisionRule, Extension, OwnMeasure, TargetRule
from kolabsim.model.initialisation import first_state
from kolabsim.model.interventions import begin, offer, support, target_bar
from kolabsim.model.jit import compiled, door, first_call, kernel, rebind
from kolabsim.model.levers import OWN_TARGETS
from kolabsim.model.measures import (
    MEASURES,
    REGION_MEASURES,
    TRACE,
    add_region,
    clear,
    conclude,
    record_region,
    trace_region,
)
from kolabsim.model.prefetch import fetch_parties, fetch_region, is_large
from kolabsim.model.rng import Key
from kolabsim.model.stages import (
    builds_trust,
    communicate,
    coordinate,
    evaluate,
    identify,
    look,
    myself,
    negotiate,
    own_luck,
    plan,
    produce,
)
from kolabsim.model.state import Me, Policy, State, World, allocate
from kolabsim.model.targeting import score_of
from kolabsim.scenario.compile import (
    build_policy,
    build_rule,
    build_world,
    model_parameters,
    settings_of,
)
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.strategy import Strategy

BLOCK = 64
"""Runs in a block: the fixed unit of work, so that no grouping can change a result."""


@kernel
def simulate_runs(w, s, policy, p, rule, own, seed, runs, natures, history, figures, trace, stop):
    """Simulate the runs numbered ``runs``; what regions are comes from the runs in ``natures``.

    ``rule`` are the parameters of the decision rule, ``own`` those of other rules of one's own.

    One quarter is the five steps of building collaboration, stage by stage.
    """
    regions, horizon = len(s.region), w.setting[0].horizon
    last_year, large, quality = min(4, horizon), is_large(s), np.empty(regions)
    for k in range(len(runs)):
        first_state(w, s, policy, p, Key(seed, natures[k], 0))
        for quarter in range(horizon):
            if stop[0] != 0:
                return k
            key = Key(seed, runs[k], quarter)
            begin(w, s, policy, p, quarter)
            support(s, policy, p, own, quarter)
            for i in range(regions):
                if large:
                    fetch_region(s, i)
                identify(i, s, p, rule, key)
            if builds_trust(s):  # else no trust moves, and no row would change
                for i in range(regions):
                    if large:
                        fetch_region(s, i)
                    communicate(i, s, p, key)
                tally_all(s, p, quarter)
            for i in range(regions):
                if large:
                    fetch_region(s, i)
                    fetch_parties(s, i)
                plan(i, s, p, key)
            settle(s, policy, p, quarter)
            for i in range(regions):
                if large:
                    fetch_region(s, i)
                coordinate(i, s, p, key)
            produce(s, policy, p, quarter)
            out = history[k, quarter]
            clear(out)
            part = 1.0 / last_year if quarter >= horizon - last_year else 0.0
            for i in range(regions):
                if large:
                    fetch_region(s, i)
                evaluate(i, s, p, key)
                add_region(i, s, quarter, quality, out)
                if len(figures) > 0:
                    record_region(i, s, part, figures[k])
                if len(trace) > 0:
                    trace_region(i, s, trace[k, quarter])
            conclude(s, p, own, quarter, quality, out)
    return len(runs)


def loop_for(rule: DecisionRule | None, own: Own) -> Callable:
    """The loop for rules: the one kept on disk, or one made for rules of one's own.

    With one that cannot be compiled, the same loop in plain Python calls the compiled stages.
    """
    if rule is None and not own.parameters:
        return simulate_runs
    if any(one.obstacle for one in (*own.rules, rule) if one is not None):
        return interpreted(rule, own.targets, own.measures)
    compiled_twins = (tuple(one.compiled for one in part) for part in (own.targets, own.measures))
    return rebound(rule and rule.compiled, *compiled_twins)


@cache
def rebound(
    choose: Callable | None, targets: tuple[Callable, ...], measures: tuple[Callable, ...]
) -> Callable:
    """The compiled loop under a user's decision rule, targeting rules and measures."""
    stages = {}
    if choose:
        stages["identify"] = identify_for(choose)
    if targets:
        stages["support"] = rebind(support, offer=offer_for(targets))
    if measures:
        stages["conclude"] = conclude_for(measures, len(targets))
    return rebind(simulate_runs, **stages)


@cache
def identify_for(choose: Callable) -> Callable:
    """The first stage under a user's decision rule."""

    def apply(number, options, me, luck, p):
        taken = choose(options, me, luck, p)
        if not 0 <= taken < len(options):
            raise ValueError("the rule chose an option that is not there")  # noqa: EM101, TRY003
        return taken

    return rebind(identify, built_in=compiled(apply, kept=False))


@cache
def offer_for(targets: tuple[Callable, ...]) -> Callable:
    """What supporters do where some are told whom to help by targeting rules of one's own."""
    score = score_of
    for place, own_score in enumerate(targets):
        score = compiled(scored_by(own_score, place, score), kept=False)
    return rebind(offer, score_of=score, target_bar=rebind(target_bar, score_of=score))


def offer_by(own: Own) -> Callable:
    """Python's way into what a supporter does, with the targeting rules of one's own."""
    if not own.targets:
        return door(offer)
    if any(rule.obstacle for rule in own.targets):
        return offer_in_python(own.targets)
    return offer_for(tuple(rule.compiled for rule in own.targets))


def scored_by(own_score: Callable, place: int, others: Callable) -> Callable:
    """Scores by a targeting rule of one's own, or by the others where another is asked for."""
    number = OWN_TARGETS + place

    def score(target, region, slots, own):
        if target == number:
            return float(own_score(region, slots, own[place]))
        return others(target, region, slots, own)

    return score


def conclude_for(measures: tuple[Callable, ...], first: int) -> Callable:
    """What ends a quarter where measures of one's own are looked at, whose parameters begin there.

    What is not finite is undefined.
    """
    found = conclude
    for place, value in enumerate(measures):
        column = len(MEASURES) + place
        found = compiled(measured_by(value, first + place, column, found), kept=False)
    return found


def measured_by(value: Callable, place: int, column: int, others: Callable) -> Callable:
    """What ends a quarter, and then one measure more."""

    def conclude(s, p, own, quarter, quality, out):
        others(s, p, own, quarter, quality, out)
        found = float(value(s, own[place]))
        out[column] = found if abs(found) < np.inf else np.nan

    return conclude


@cache
def interpreted(
    rule: DecisionRule | None,
    targets: tuple[TargetRule, ...],
    measures: tuple[OwnMeasure, ...],
) -> Callable:
    """The loop in plain Python, with rules of which some cannot be compiled."""
    stages: dict[str, Callable] = {"is_large": lambda s: False}
    if rule:

        def identify(i, s, p, parameters, key):
            identify_by(lambda *seen: rule.python(*seen, parameters), i, s, p, key)

        stages["identify"] = identify
    if targets:
        stages["support"] = in_python(support, offer=offer_in_python(targets))
    if measures:
        last = door(conclude)
        for place, one in enumerate(measures):
            column = len(MEASURES) + place
            last = measured_by(one.python, len(targets) + place, column, last)

        def conclude_(s, p, own, quarter, quality, out):
            with np.errstate(all="ignore"):
                last(s, p, own, quarter, quality, out)

        stages["conclude"] = conclude_
    return in_python(simulate_runs, **stages)


@cache
def offer_in_python(targets: tuple[TargetRule, ...]) -> Callable:
    """What supporters do, in plain Python, with targeting rules of which some are not compiled."""
    score = door(score_of)
    for place, one in enumerate(targets):
        score = scored_by(one.python, place, score)
    return in_python(offer, score_of=score, target_bar=in_python(target_bar, score_of=score))


def in_python(function: Callable, **names: Callable) -> Callable:
    """A part of the model in plain Python, with some functions in place of those that it calls."""
    plain = getattr(function, "py_func", function)
    called = {
        name: door(part)
        for name in plain.__code__.co_names
        if hasattr(part := plain.__globals__.get(name), "py_func")
    }
    return FunctionType(plain.__code__, plain.__globals__ | called | names)


def identify_by(
    choose: Callable, i: int, s: State, p: np.record, key: Key, *, name: str = ""
) -> None:
    """The first stage of region i, which chooses by ``choose(options, me, luck)`` in Python."""
    for a in range(s.slot.shape[1]):
        number = door(look)(i, a, s, p, key)
        if number > 1:
            me, luck = door(myself)(i, a, s), door(own_luck)(s.region[i], a, key)
            taken = choose(s.option[:number], Me(*me), luck)
            if not is_whole(taken, number):
                text = _("{region} chose option {taken}, but there are {number}")
                text = text.format(region=name or i, taken=taken, number=number)
                raise InputError([Problem(text)])
            door(negotiate)(i, a, int(taken), s, key)


def is_whole(value: object, end: int) -> bool:
    """Whether a value is a whole number from 0 up to, but not including, an end."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and 0 <= value < end


class Own(NamedTuple):
    """Rules of one's own besides the decision rule, as the loop calls them."""

    targets: tuple[TargetRule, ...] = ()
    measures: tuple[OwnMeasure, ...] = ()
    parameters: tuple[np.record, ...] = ()
    """A record for each targeting rule, then one for each measure."""

    @property
    def rules(self) -> tuple[Extension, ...]:
        """All of them, in the order of their parameters."""
        return (*self.targets, *self.measures)


NOTHING = Own()
"""No rules of one's own."""


class Task(NamedTuple):
    """What a block of runs needs: the world, a strategy, a future, and rules."""

    world: World
    policy: Policy
    parameters: np.record
    rule: DecisionRule | None
    """A user's rule; None for the built-in one whose number is in the world."""
    rule_parameters: np.record
    seed: int
    own: Own = NOTHING

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures that its runs give."""
        return (*MEASURES, *(measure.name for measure in self.own.measures))


def build_task(
    scenario: Scenario,
    strategy: Strategy,
    *,
    seed: int,
    settings: Mapping[str, float] | None = None,
) -> Task:
    """Everything that a run of a strategy needs, under the scenario's parameters or others."""
    parameters = model_parameters(scenario.parameters if settings is None else settings)
    rule, rule_parameters = build_rule(scenario)
    return Task(
        build_world(scenario, parameters), build_policy(scenario, strategy), parameters, rule,
        rule_parameters, seed, build_own(scenario),
    )  # fmt: skip


def build_own(scenario: Scenario) -> Own:
    """The targeting rules and measures that a scenario's extensions declare."""
    declared = scenario.declared
    targets, measures = tuple(declared.targets.values()), tuple(declared.measures.values())
    settings = scenario.parameters
    records = (rule.settle(settings_of(rule.name, settings)) for rule in (*targets, *measures))
    return Own(targets, measures, tuple(records))


class Block(NamedTuple):
    """What a block of runs gives: [runs, quarters, measures], and [runs, regions, areas, ...]."""

    history: np.ndarray
    figures: np.ndarray
    trace: np.ndarray
    """[runs, quarters, regions, areas, columns of TRACE], or nothing unless asked for."""
    measures: tuple[str, ...] = tuple(MEASURES)
    """Names of the measures in ``history``."""


def new_state(world: World) -> State:
    """Empty arrays that fit a world."""
    region = world.region
    most = int((region["end"] - region["first"]).max(initial=0))
    return allocate(len(region), len(world.area), len(world.contact), most)


def run_block(
    task: Task,
    runs: np.ndarray,
    *,
    natures: np.ndarray | None = None,
    regions: bool = True,
    trace: bool = False,
    stop: np.ndarray | None = None,
    state: State | None = None,
) -> Block:
    """Simulate the runs with these numbers, one after the other, on one core.

    ``natures`` names for each run the run whose draws of what regions are it takes (default: its
    own). With ``trace`` every slot is kept of every quarter. ``stop[0] != 0`` ends the block early;
    what was not simulated is NaN.
    """
    runs = np.asarray(runs, np.int64)
    natures = runs if natures is None else np.asarray(natures, np.int64)
    horizon = int(task.world.setting[0].horizon)
    shape = (len(runs), len(task.world.region), len(task.world.area), len(REGION_MEASURES))
    history = np.full((len(runs), horizon, len(task.measures)), np.nan)
    figures = np.zeros(shape if regions else (0, 1, 1, 1))
    kept = np.full((len(runs), horizon, *shape[1:3], len(TRACE)) if trace else (0,) * 5, np.nan)
    loop = loop_for(task.rule, task.own)
    with first_call(loop):
        done = loop(
            task.world, state or new_state(task.world), task.policy, task.parameters,
            task.rule_parameters, task.own.parameters, task.seed, runs, natures, history, figures,
            kept, np.zeros(1, np.int64) if stop is None else stop,
        )  # fmt: skip
    figures[done:] = np.nan
    kept[done:] = np.nan
    return Block(history, figures, kept, task.measures)


def cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def run_blocks(
    work: Iterable[tuple[Task, np.ndarray, np.ndarray | None]],
    *,
    threads: int | None = None,
    regions: bool = True,
) -> Iterable[Block]:
    """Simulate blocks on this machine's cores and give them back in order.

    The compiled loops release the interpreter, so threads run them truly side by side.
    """
    work = list(work)
    with ThreadPoolExecutor(threads or cores()) as pool:
        yield from pool.map(
            lambda part: run_block(part[0], part[1], natures=part[2], regions=regions), work
        )
