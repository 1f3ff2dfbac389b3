"""The ensemble: many runs in a compiled loop over the same stages that the Mesa agents call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple, TypeVar

import numpy as np

from kolabsim.errors import Problems
from kolabsim.i18n import _
from kolabsim.model.agreements import form_agreements
from kolabsim.model.bodies import tally_all
from kolabsim.model.declare import CustomMeasure, DecisionRule, Extension, TargetRule
from kolabsim.model.initialisation import initialise
from kolabsim.model.interventions import score_regions, start_quarter, support
from kolabsim.model.jit import ahead_of_region, compiled, host_entry, kernel, rebind
from kolabsim.model.levers import CUSTOM_TARGETS, FORMS
from kolabsim.model.measures import MEASURES, REGION_MEASURES, TRACE
from kolabsim.model.parameters import QUARTERS
from kolabsim.model.recording import add_region, clear, conclude, record_region, trace_region
from kolabsim.model.rng import Key
from kolabsim.model.stages import (
    builds_trust,
    communicate,
    coordinate,
    evaluate,
    identify,
    plan,
    produce,
)
from kolabsim.model.state import NOBODY, Policy, State, World, allocate
from kolabsim.model.targeting import score_region
from kolabsim.scenario.compile import (
    build_policy,
    build_rule,
    build_world,
    model_parameters,
    settings_of,
)
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.strategy import Strategy

Item = TypeVar("Item")
Result = TypeVar("Result")

BLOCK = 64
"""Runs in a block: the fixed unit of work, so that grouping cannot change a result."""
REGION = 8
"""Work of a region itself, in that of one of its contacts (measured)."""


@kernel
def simulate_runs(
    w, s, policy, p, rule, custom, seed, runs, traits, history, figures, trace, stop, first, end
):  # fmt: skip
    """Simulate the runs numbered ``runs``; the traits of regions are those of the runs ``traits``.

    They go from quarter ``first`` up to but not including ``end``. A run that does not start with
    quarter 0, or whose traits are those of nobody, goes on from the state that it is given.

    ``rule`` are the parameters of the decision rule, ``custom`` those of other user-defined rules.

    One quarter is the five steps of building collaboration, stage by stage.
    """
    horizon, regions = w.setting[0].horizon, len(s.region)
    quality = np.empty(regions)
    last_year = min(QUARTERS, horizon)
    for k in range(len(runs)):
        if first == 0 and traits[k] != NOBODY:
            initialise(w, s, policy, p, Key(seed, traits[k], 0))
        for quarter in range(first, end):
            if stop[0] != 0:
                return k
            key = Key(seed, runs[k], quarter)
            start_quarter(w, s, policy, p, quarter)
            support(s, policy, p, custom, quarter)
            for i in range(regions):
                ahead_of_region(s, i, False)
                identify(i, s, p, rule, key)
            if builds_trust(s):  # otherwise no trust moves, and no row changes
                for i in range(regions):
                    ahead_of_region(s, i, False)
                    communicate(i, s, p, key)
                tally_all(s, p, quarter)
            for i in range(regions):
                ahead_of_region(s, i, True)
                plan(i, s, p, key)
            form_agreements(s, policy, p, quarter)
            for i in range(regions):
                ahead_of_region(s, i, False)
                coordinate(i, s, p, key)
            produce(s, policy, p, quarter)
            out = history[k, quarter]
            clear(out)
            part = 1.0 / last_year if quarter >= horizon - last_year else 0.0
            for i in range(regions):
                ahead_of_region(s, i, False)
                evaluate(i, s, p, key)
                add_region(i, s, quarter, quality, out)
                if len(figures) > 0:
                    record_region(i, s, part, figures[k])
                if len(trace) > 0:
                    trace_region(i, s, trace[k, quarter])
            conclude(s, p, custom, quarter, quality, out)
    return len(runs)


# User-defined rules -------------------------------------------------------------------------------


def loop_for(rule: DecisionRule | None, extensions: Extensions) -> Callable:
    """The loop for these rules: the one kept on disk, or one compiled with user-defined rules."""
    refuse_uncompiled(rule, extensions)
    if rule is None and not extensions.rules:
        return simulate_runs
    targets, measures = (
        tuple(one.compiled for one in part) for part in (extensions.targets, extensions.measures)
    )
    return rebound(rule and rule.compiled, targets, measures)


def refuse_uncompiled(rule: DecisionRule | None, extensions: Extensions) -> None:
    """Refuse rules that numba cannot compile, because the ensemble runs compiled rules only."""
    problems = Problems()
    for one in (rule, *extensions.rules):
        if one is not None and one.obstacle:
            text = _(
                "numba cannot compile the {kind} {rule}: {reason}. The ensemble runs compiled "
                "rules only; run this one in Mesa, with kolabsim.CollaborationModel(scenario, "
                "strategy)"
            )
            problems.add(text.format(kind=_(one.kind), rule=one.name, reason=one.obstacle))
    problems.raise_if_any()


@cache
def rebound(
    choose: Callable | None, targets: tuple[Callable, ...], measures: tuple[Callable, ...]
) -> Callable:
    """The compiled loop with user-defined rules in place of built-in ones."""
    stages = {}
    if choose:
        stages["identify"] = identify_for(choose)
    if targets:
        stages["support"] = support_for(targets)
    if measures:
        stages["conclude"] = conclude_for(measures, len(targets))
    return rebind(simulate_runs, **stages)


@cache
def identify_for(choose: Callable) -> Callable:
    """The first stage with a user-defined decision rule."""

    def apply(number, options, me, draw, p):
        taken = choose(options, me, draw, p)
        if not 0 <= taken < len(options):
            raise ValueError("the rule chose an option that is not there")  # noqa: EM101, TRY003
        return taken

    return rebind(identify, built_in=compiled(apply, kept=False))


@cache
def scores_for(targets: tuple[Callable, ...]) -> Callable:
    """The scoring of regions by targets, with user-defined targeting rules."""
    score = score_region
    for place, custom_score in enumerate(targets):
        score = compiled(_score_with(custom_score, place, score), kept=False)
    return rebind(score_regions, score_region=score)


@cache
def support_for(targets: tuple[Callable, ...]) -> Callable:
    """The offers of all supporters in a quarter, with user-defined targeting rules."""
    if not targets:
        return host_entry(support)
    return rebind(support, score_regions=scores_for(targets))


def _score_with(custom_score: Callable, place: int, others: Callable) -> Callable:
    number = CUSTOM_TARGETS + place

    def score(target, region, slots, custom):
        if target == number:
            return float(custom_score(region, slots, custom[place]))
        return others(target, region, slots, custom)

    return score


def conclude_for(measures: tuple[Callable, ...], first: int) -> Callable:
    """The end of a quarter with user-defined measures, whose parameters begin at ``first``.

    A value that is not finite is undefined.
    """
    found = conclude
    for place, value in enumerate(measures):
        column = len(MEASURES) + place
        found = compiled(_measure_with(value, first + place, column, found), kept=False)
    return found


def _measure_with(value: Callable, place: int, column: int, others: Callable) -> Callable:
    def conclude(s, p, custom, quarter, quality, out):
        others(s, p, custom, quarter, quality, out)
        found = float(value(s, custom[place]))
        out[column] = found if abs(found) < np.inf else np.nan

    return conclude


class Extensions(NamedTuple):
    """User-defined rules besides the decision rule, as the loop calls them."""

    targets: tuple[TargetRule, ...] = ()
    measures: tuple[CustomMeasure, ...] = ()
    parameters: tuple[np.record, ...] = ()
    """A record for each targeting rule, then one for each measure."""

    @property
    def rules(self) -> tuple[Extension, ...]:
        """All of them, in the order of their parameters."""
        return (*self.targets, *self.measures)


NO_EXTENSIONS = Extensions()
"""No user-defined rules."""


class Task(NamedTuple):
    """The input of a block of runs: the world, a strategy, a future, and rules."""

    world: World
    policy: Policy
    parameters: np.record
    rule: DecisionRule | None
    """A user-defined rule, or None for the built-in one whose number is in the world."""
    rule_parameters: np.record
    seed: int
    extensions: Extensions = NO_EXTENSIONS

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures of its runs."""
        return (*MEASURES, *(measure.name for measure in self.extensions.measures))


def build_task(
    scenario: Scenario,
    strategy: Strategy,
    *,
    seed: int,
    settings: Mapping[str, float] | None = None,
) -> Task:
    """Build the input for runs of a strategy, with the scenario's parameters or other settings."""
    parameters = model_parameters(scenario.parameters if settings is None else settings)
    rule, rule_parameters = build_rule(scenario)
    return Task(
        build_world(scenario), build_policy(scenario, strategy), parameters, rule,
        rule_parameters, seed, build_extensions(scenario),
    )  # fmt: skip


def build_extensions(scenario: Scenario) -> Extensions:
    """The targeting rules and measures that a scenario's extensions declare."""
    declared = scenario.declared
    targets, measures = tuple(declared.targets.values()), tuple(declared.measures.values())
    settings = scenario.parameters
    records = (
        rule.parameter_record(settings_of(rule.name, settings)) for rule in (*targets, *measures)
    )
    return Extensions(targets, measures, tuple(records))


class Block(NamedTuple):
    """The results of a block: [runs, quarters, measures], and [runs, regions, areas, ...]."""

    history: np.ndarray
    figures: np.ndarray
    trace: np.ndarray
    """[runs, quarters, regions, areas, columns of TRACE], or nothing unless asked for."""
    measures: tuple[str, ...] = tuple(MEASURES)
    """Names of the measures in ``history``."""


def state_size(world: World) -> tuple[int, int, int, int]:
    """What decides the size of a state: worlds of equal size can be simulated in the same one."""
    region = world.region
    most = int((region["end"] - region["first"]).max(initial=0))
    return len(region), len(world.area), len(world.contact), most


def new_state(world: World) -> State:
    """Empty arrays that fit a world."""
    return allocate(*state_size(world))


def run_block(
    task: Task,
    runs: np.ndarray,
    *,
    traits: np.ndarray | None = None,
    regions: bool = True,
    trace: bool = False,
    stop: np.ndarray | None = None,
    state: State | None = None,
) -> Block:
    """Simulate the runs with these numbers, one after the other, on one core.

    ``traits`` gives for each run the number of the run whose draws of traits it uses (by default
    its own). With ``trace`` every slot is recorded in every quarter. ``stop[0] != 0`` ends the
    block early; results of runs that were not simulated are NaN.
    """
    # Copies, because numba would compile the loop once more for arrays that are read-only.
    runs = np.array(runs, np.int64)
    traits = runs if traits is None else np.array(traits, np.int64)
    horizon = int(task.world.setting[0].horizon)
    shape = (len(runs), len(task.world.region), len(task.world.area), len(REGION_MEASURES))
    history = np.full((len(runs), horizon, len(task.measures)), np.nan)
    figures = np.zeros(shape if regions else (0, 1, 1, 1))
    kept = np.full((len(runs), horizon, *shape[1:3], len(TRACE)) if trace else (0,) * 5, np.nan)
    loop = loop_for(task.rule, task.extensions)
    done = loop(
        task.world, state or new_state(task.world), task.policy, task.parameters,
        task.rule_parameters, task.extensions.parameters, task.seed, runs, traits, history,
        figures, kept, np.zeros(1, np.int64) if stop is None else stop, 0, horizon,
    )  # fmt: skip
    figures[done:] = np.nan
    kept[done:] = np.nan
    return Block(history, figures, kept, task.measures)


def resume(task: Task, state: State, run: int, first: int, end: int, traits: int) -> np.ndarray:
    """Let one run go on from quarter ``first``, in whose beginning ``state`` is, up to ``end``.

    The state is changed in place. The task may differ from that of the earlier quarters. Returns
    the slots of these quarters, [quarters, regions, areas, columns of TRACE].
    """
    horizon, places = int(task.world.setting[0].horizon), state.slot.shape
    history = np.full((1, horizon, len(task.measures)), np.nan)
    kept = np.full((1, horizon, *places, len(TRACE)), np.nan)
    loop = loop_for(task.rule, task.extensions)
    loop(
        task.world, state, task.policy, task.parameters, task.rule_parameters,
        task.extensions.parameters, task.seed, np.array([run]), np.array([traits]), history,
        np.zeros((0, 1, 1, 1)), kept, np.zeros(1, np.int64), first, end,
    )  # fmt: skip
    return kept[0, first:end]


def advance(task: Task, state: State, run: int, quarter: int, history: np.ndarray) -> np.ndarray:
    """Let one run go on for a quarter, in whose beginning ``state`` is; return its measures.

    The state is changed in place, and the quarter's row of ``history``, [1, quarters, measures].
    """
    loop = loop_for(task.rule, task.extensions)
    loop(
        task.world, state, task.policy, task.parameters, task.rule_parameters,
        task.extensions.parameters, task.seed, np.array([run]), np.array([NOBODY]), history,
        np.zeros((0, 1, 1, 1)), np.zeros((0,) * 5), np.zeros(1, np.int64), quarter, quarter + 1,
    )  # fmt: skip
    return history[0, quarter]


def list_bodies(scenario: Scenario, state: State, quarter: int) -> list[dict[str, Any]]:
    """The joint bodies of a run when a quarter begins: area, form, age in years, and members.

    Members are codes. Of a contract, ``provider`` is the code of the region that serves the others;
    it is None in all other forms.
    """
    names, codes = list(scenario.areas), scenario.regions.codes
    found = [
        {
            "area": names[record.area],
            "form": FORMS[record.form],
            "age": (quarter - int(record.began)) / QUARTERS,
            "members": [codes[i] for i in members[: record.members]],
            "provider": None if record.provider == NOBODY else codes[record.provider],
        }
        for record, members in zip(state.body, state.members, strict=True)
        if record.members > 0
    ]
    return sorted(found, key=lambda entry: (entry["area"], entry["members"]))


def list_ties(agreement: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The pairs of partners in a joint body: all pairs, or the provider with each buyer."""
    members, provider = agreement["members"], agreement["provider"]
    return [pair for pair in combinations(members, 2) if provider is None or provider in pair]


def cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Result]:  # fmt: skip
    """Apply a function to all items, and yield the results in order.

    There is a thread for each core by default: the compiled loops release the interpreter's lock,
    so they run in parallel. ``progress`` is called with the number of finished items.
    """
    with ThreadPoolExecutor(threads or cores()) as pool:
        for number, result in enumerate(pool.map(function, items), 1):
            if progress is not None:
                progress(number)
            yield result


def work_of(task: Task) -> int:
    """Return the work of a run: quarters, times areas, times regions and their contacts.

    The unit is what one contact of a region takes in one area and quarter, some 20 to 40 ns.
    """
    world = task.world
    each = REGION * len(world.region) + len(world.contact)
    return int(world.setting[0].horizon) * len(world.area) * each


def run_blocks(
    work: Iterable[tuple[Task, np.ndarray, np.ndarray | None]],
    *,
    threads: int | None = None,
    regions: bool = True,
) -> Iterator[Block]:
    """Simulate blocks (task, runs, traits) on all cores, and yield them in order."""
    return in_threads(
        lambda part: run_block(part[0], part[1], traits=part[2], regions=regions), work,
        threads=threads,
    )  # fmt: skip
