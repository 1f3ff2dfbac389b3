"""Simulation in memory: strategies under futures, many runs each, on common random numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.engine.ensemble import BLOCK, run_blocks
from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.measures import REGION_MEASURES, measure_hint
from kolabsim.scenario.compile import build_policy
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.collect import Results
from kolabsim.study.spec import MOST_RUNS
from kolabsim.study.tasks import DEFAULT_FUTURE, build_futures

if TYPE_CHECKING:
    from pathlib import Path

    from kolabsim.engine.ensemble import Task


def simulate(
    scenario: Scenario | str | Path,
    strategies: Sequence[str] | None = None,
    *,
    futures: Mapping[str, Mapping[str, object]] | None = None,
    runs: int = 100,
    seed: int = 1,
    traits: Sequence[int] | None = None,
    regions: bool = True,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Results:
    """Simulate strategies under futures, ``runs`` times each.

    Parameters
    ----------
    scenario
        A scenario, the name of a shipped one, or the path of a file.
    strategies
        Names of strategies of the scenario; default: all.
    futures
        Settings by dotted names, as in ``scenario.with_``, for each named future; default: one
        future without changes.
    runs
        Number of runs, at least 1. More runs keep the first ones as they are.
    seed
        Seed of all random draws, 0 or above.
    traits
        [runs] the run whose drawn traits of regions each run takes; default: its own.
    regions
        Whether to give figures by region and area as well.
    threads
        Threads that simulate side by side; default: all cores.
    progress
        Called with the number of runs that a finished block adds.

    Returns
    -------
    Results
        Tables of runs, quarters and regions.

    Raises
    ------
    InputError
        With all problems at once, before the first run.

    Examples
    --------
    >>> import kolabsim as ks
    >>> results = ks.simulate("kartamantul", ["voluntary", "team"], runs=2)
    >>> results.runs[["strategy", "run"]].to_numpy().tolist()
    [['voluntary', 0], ['voluntary', 1], ['team', 0], ['team', 1]]
    """
    if not isinstance(scenario, Scenario):
        scenario = Scenario.load(scenario)
    chosen = scenario.offered if strategies is None else tuple(strategies)
    check_request(scenario, chosen, runs=runs, seed=seed)
    futures = dict(futures or {DEFAULT_FUTURE: {}})
    worlds = build_futures(scenario, futures, seed)
    return simulate_in(
        scenario, chosen, futures, worlds, runs=runs, seed=seed, traits=traits, regions=regions,
        threads=threads, progress=progress,
    )  # fmt: skip


def simulate_in(
    scenario: Scenario,
    chosen: Sequence[str],
    futures: Mapping[str, Mapping[str, object]],
    worlds: Mapping[str, tuple[Scenario, Task]],
    *,
    runs: int,
    seed: int,
    traits: Sequence[int] | None = None,
    regions: bool = True,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Results:
    """Do what :func:`simulate` does, in futures that are built (:func:`build_futures`)."""
    drawn = None if traits is None else np.asarray(traits, np.int64)
    shape = (len(chosen), len(futures), runs)
    places = (len(scenario.regions), len(scenario.areas))
    measures = scenario.measures
    history = np.full((*shape, scenario.horizon, len(measures)), np.nan)
    figures = np.zeros((*shape, *places, len(REGION_MEASURES)) if regions else (*shape, 0, 0, 0))
    work, slices = [], []
    for s, strategy in enumerate(chosen):
        for f, (world, task) in enumerate(worlds.values()):
            policy = build_policy(world, world.strategies[strategy])
            for first in range(0, runs, BLOCK):
                numbers = np.arange(first, min(first + BLOCK, runs))
                of = None if drawn is None else drawn[numbers]
                work.append((task._replace(policy=policy), numbers, of))
                slices.append((s, f, slice(first, first + len(numbers))))
    for (s, f, part), block in zip(
        slices, run_blocks(work, threads=threads, regions=regions), strict=True
    ):
        history[s, f, part] = block.history
        if regions:
            figures[s, f, part] = block.figures
        if progress is not None:
            progress(len(block.history))
    return Results.from_arrays(
        scenario, chosen, futures, seed, history, figures if regions else None
    )


def as_function(
    scenario: Scenario | str | Path,
    strategy: str | None = None,
    measures: Sequence[str] | None = None,
    *,
    runs: int = 100,
    seed: int = 1,
    threads: int | None = None,
) -> Callable[..., dict[str, float]]:
    """Wrap a scenario as a plain function, for tools that vary the arguments of one.

    The function takes settings by dotted names, as ``scenario.with_`` does, and ``strategy``,
    which may be left out if one is given here. It returns the mean over runs of each measure. All
    calls share their random draws. It can be sent to other processes.

    The parameters are those of :func:`simulate`; ``strategy`` is used unless a call names another.
    Raises :class:`~kolabsim.errors.InputError` for a strategy or measure that does not exist and
    for numbers out of range; the function raises it for its own arguments.

    Examples
    --------
    >>> import kolabsim as ks
    >>> trust = ks.as_function("kartamantul", "team", ["trust"], runs=2)
    >>> sorted(trust(**{"parameters.trust_start": 0.6}))
    ['trust']
    """
    if not isinstance(scenario, Scenario):
        scenario = Scenario.load(scenario)
    chosen = tuple(scenario.measures) if measures is None else tuple(measures)
    check_request(scenario, [] if strategy is None else [strategy], runs=runs, seed=seed)
    problems = Problems()
    for name in chosen:
        if name not in scenario.measures:
            hint = measure_hint(name, scenario.measures)
            text = _("'{name}' is not a measure of {scenario}{hint}")
            problems.add(text.format(name=name, scenario=scenario.name, hint=hint))
    problems.raise_if_any()
    options = {"runs": runs, "seed": seed, "threads": threads}
    return partial(_means, scenario, chosen, options, strategy=strategy)


def _means(
    scenario: Scenario,
    measures: Sequence[str],
    options: Mapping[str, Any],
    *,
    strategy: str | None,
    **settings: object,
) -> dict[str, float]:
    if strategy is None:
        raise InputError([Problem(_("a strategy is missing: pass strategy=NAME"))])
    world = scenario.with_(settings) if settings else scenario
    results = simulate(world, [strategy], regions=False, **options)
    return {name: float(results.runs[name].mean()) for name in measures}


def check_request(scenario: Scenario, strategies: Iterable[str], *, runs: int, seed: int) -> None:
    """Refuse strategies that do not exist, and numbers of runs or seeds that are out of range."""
    problems, names = Problems(), list(strategies)
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(_("'{name}' is listed twice").format(name=name))
    for name in names:
        if name not in scenario.strategies:
            hint = suggestion(str(name), scenario.strategies)
            text = _("'{name}' is not a strategy of {scenario}{hint}")
            problems.add(text.format(name=name, scenario=scenario.name, hint=hint))
    if isinstance(runs, bool) or not isinstance(runs, int | np.integer) or runs < 1:
        problems.add(_("runs: {value} is not a positive whole number").format(value=runs))
    elif runs > MOST_RUNS:
        text = _("{value} is too large; allowed: at most {limit}")
        problems.add("runs: " + text.format(value=runs, limit=MOST_RUNS))
    is_whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not is_whole or not 0 <= seed < 2**63:
        problems.add(_("seed: {value} is not a whole number from 0").format(value=seed))
    problems.raise_if_any()
