"""Search under a budget: packages of levers that no other package dominates.

NSGA-II [deb_2002] over an ``evaluate`` that simulates candidates on common random numbers.
Candidates race: those whose comparison is undecided get more runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import RunStudy, check_level, run_sample, settings_table
from kolabsim.analysis.pareto import (
    LESS,
    MORE,
    Budget,
    Front,
    FrontRobustness,
    Generation,
    Objective,
    distinct,
    hypervolumes,
    knee_of,
    knee_shares,
    reevaluate,
    settings_at,
)
from kolabsim.analysis.race import Evaluate, Race
from kolabsim.engine.overrides import is_lever
from kolabsim.errors import KolabsimError, Problems
from kolabsim.i18n import _
from kolabsim.model.levers import LEVERS
from kolabsim.scenario.futures import plausible_futures
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.strategy import Phase, SupportPhase
from kolabsim.study.collect import tidy
from kolabsim.study.experiment import Experiment
from kolabsim.study.factors import Factor
from kolabsim.study.ledger import Ledger, held
from kolabsim.study.record import future_names
from kolabsim.study.spec import SearchSpec

LEAST_POPULATION = 8
"""A smaller population has too few parents."""
COST = "programme_cost"
"""The measure that a budget limits."""
STEPS = 4
"""Steps along the range of a number, so that packages can be carried out: none, light, half,
strong and full intensity."""
MOST_MEMBERS = 12
"""Most packages that are evaluated in other futures."""
FRESH_RUNS = 16
"""Runs of these packages in each future, on draws that the search did not use."""


def search(
    evaluate: Evaluate,
    factors: Sequence[Factor],
    objectives: Sequence[Objective],
    *,
    budget: Budget | None = None,
    generations: int = 40,
    population: int = 60,
    runs: tuple[int, int] = (8, 64),
    steps: int = 100,
    starts: np.ndarray | None = None,
    seed: int = 1,
    level: float = 0.95,
    progress: Callable[[Generation], None] | None = None,
) -> Front:
    """Search for packages within a budget that no other package dominates.

    The same request returns the same front, bit for bit.

    ``evaluate`` simulates candidates (:data:`Evaluate`); a package sets ``factors``, the columns of
    a point. A generation has ``population`` candidates, at least 8. ``runs`` are the fewest and the
    most of a candidate, at least 2: one that others do not clearly dominate, run by run, gets twice
    as many in each generation. ``steps`` along the range of a number are the resolution of the
    search; ``starts`` [S, factors] are known packages that take part from the first generation.
    ``progress`` is called after each generation.

    Raises :class:`~kolabsim.errors.KolabsimError`, with the cheapest candidate, if none keeps
    within the budget.
    """
    factors, objectives = tuple(factors), tuple(objectives)
    starts = np.empty((0, len(factors))) if starts is None else np.asarray(starts, np.float64)
    wholes = {
        "generations": (generations, 1), "population": (population, LEAST_POPULATION),
        "steps": (steps, 1), "seed": (seed, 0),
    }  # fmt: skip
    check_request(factors, objectives, budget, wholes, runs, starts, level)
    race = Race(evaluate, objectives, budget, runs, level)
    algorithm = nsga(factors, len(objectives), population, steps, starts, seed)
    history: list[Generation] = []
    for number in range(1, generations + 1):
        offspring = algorithm.ask()
        if offspring is None:  # the space holds no other candidate
            break
        race.enter(offspring.get("X"))
        pool = type(offspring).merge(algorithm.pop, offspring)
        points = pool.get("X")
        race.extend(points[race.undecided(points)])
        costs, violation = race.judge(points)
        # Parents included: their runs may have doubled since they were selected.
        pool.set("F", costs, "G", violation[:, None], "CV", violation[:, None])
        algorithm.tell(infills=offspring)
        points = algorithm.pop.get("X")
        members = int(race.leaders(points).sum())
        total = sum(race.granted.values())
        history.append(Generation(number, len(race.simulated), total, members))
        if progress is not None:
            progress(history[-1])
    points = race.decide()
    if not len(points):
        raise nothing_found(race, factors)
    history[-1] = history[-1]._replace(runs=sum(race.granted.values()))
    points = points[np.argsort(points.sum(axis=1), kind="stable")]  # of equals, the smallest first
    sides = race.senses[:, None] * race.values(points)[:, : len(objectives)]
    points = points[distinct(sides, level)]
    volumes = hypervolumes(*race.judge(race.points), [one.candidates for one in history])
    along = race.columns.index(budget.name) if budget else 0
    along = along if along < len(objectives) else 0
    points = points[np.argsort(race.values(points)[:, along].mean(axis=1), kind="stable")]
    values = race.values(points)
    costs = -race.senses[:, None] * values[:, : len(objectives)]
    return Front(
        factors, objectives, budget, level, points, values, tuple(history), volumes,
        knee_of(costs.mean(axis=2)), knee_shares(costs, seed),
    )  # fmt: skip


def check_request(
    factors: Sequence[Factor],
    objectives: Sequence[Objective],
    budget: Budget | None,
    wholes: Mapping[str, tuple[int, int]],
    runs: tuple[int, int],
    starts: np.ndarray,
    level: float,
) -> None:
    """Refuse a search that makes no sense, with all problems at once.

    ``wholes`` are whole numbers, each with the least that is allowed.
    """
    problems = Problems()
    for kind, names in (
        ("factors", [factor.name for factor in factors]),
        ("objectives", [objective.name for objective in objectives]),
    ):
        if not names:
            problems.add(_("{kind}: give at least one").format(kind=kind))
        for name in sorted({name for name in names if names.count(name) > 1}):
            problems.add(_("{kind}: '{name}' is given twice").format(kind=kind, name=name))
    for objective in objectives:
        if objective.direction not in (MORE, LESS):
            text = _("{name}: direction {value} is unknown; 1: more is better, -1: less is better")
            problems.add(text.format(name=objective.name, value=objective.direction))
    if budget is not None and not np.isfinite(budget.most):
        problems.add(_("budget: {value} is not a sum of money").format(value=budget.most))
    for name, (value, least) in (*wholes.items(), ("runs", (runs[0], 2)), ("runs", (runs[1], 2))):
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not is_whole or value < least:
            text = _("{name}: {value} is not a whole number of at least {least}")
            problems.add(text.format(name=name, value=value, least=least))
    if runs[0] > runs[1]:
        text = _("runs: the fewest, {least}, exceed the most, {most}")
        problems.add(text.format(least=runs[0], most=runs[1]))
    check_level(level, problems)
    if starts.ndim != 2 or starts.shape[1] != len(factors):
        text = _("starts: the shape is {shape}; allowed: any number of points, {number} factors")
        problems.add(text.format(shape=starts.shape, number=len(factors)))
    elif not ((starts >= 0.0) & (starts <= 1.0)).all():
        problems.add(_("starts: not all points lie in the unit cube"))
    problems.raise_if_any()


def nsga(
    factors: Sequence[Factor],
    objectives: int,
    population: int,
    steps: int,
    starts: np.ndarray,
    seed: int,
) -> Any:
    """Return NSGA-II of pymoo, which begins with ``starts`` and a Latin hypercube."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem as Space
    from pymoo.core.repair import Repair
    from pymoo.core.termination import NoTermination
    from pymoo.operators.mutation.pm import PM

    dimensions, idle = len(factors), dependents(factors)
    words = np.array([len(factor.words) for factor in factors])

    class OnGrid(Repair):
        """Candidates with the same settings are the same point."""

        def _do(self, problem: Space, points: np.ndarray, **_how: object) -> np.ndarray:
            return on_grid(points, words, steps, idle)

    class Mutation(PM):
        """A number changes to a near one; a word to any, because words have no order."""

        def _do(self, problem: Space, points: np.ndarray, *more: object, **how: Any) -> np.ndarray:
            changed = super()._do(problem, points, *more, **how)
            rng = how["random_state"]
            drawn = rng.random(points.shape)
            redrawn = (words > 0) & (rng.random(points.shape) < 1.0 / dimensions)
            return np.where(redrawn, drawn, np.where(words > 0, points, changed))

    rng = np.random.default_rng(seed)
    cells = rng.permuted(np.tile(np.arange(population), (dimensions, 1)), axis=1).T
    first = np.vstack([starts, (cells + rng.random(cells.shape)) / population])
    algorithm = NSGA2(
        pop_size=population, sampling=first[: max(population, len(starts))],
        mutation=Mutation(eta=20), repair=OnGrid(),
    )  # fmt: skip
    space = Space(n_var=dimensions, n_obj=objectives, n_ieq_constr=1, xl=0.0, xu=1.0)
    return algorithm.setup(space, termination=NoTermination(), seed=int(seed))


def dependents(factors: Sequence[Factor]) -> list[tuple[int, int]]:
    """Return the targets and budgets of support, each with the intensity without which it is idle.

    >>> names = ("support.ngo", "support.ngo.targets", "form")
    >>> dependents([Factor(name, "", "") for name in names])
    [(1, 0)]
    """
    place = {factor.name: k for k, factor in enumerate(factors) if factor.low == 0.0}
    owners = [(k, place.get(one.name.rpartition(".")[0])) for k, one in enumerate(factors)]
    return [(k, owner) for k, owner in owners if owner is not None]


def on_grid(
    points: np.ndarray, words: np.ndarray, steps: int, idle: Sequence[tuple[int, int]] = ()
) -> np.ndarray:
    """Return points with numbers at one of so many steps, and words in the middle of their part.

    What has no effect because the intensity that it belongs to is zero is at its first value, so
    that packages with the same effect are the same point.
    """
    points = np.clip(points, 0.0, 1.0)
    parts = np.maximum(words, 1)
    middle = (np.minimum(np.floor(points * parts), parts - 1) + 0.5) / parts
    found = np.where(words > 0, middle, np.round(points * steps) / steps)
    for dependent, owner in idle:
        first = 0.5 / words[dependent] if words[dependent] else 0.0
        found[found[:, owner] == 0.0, dependent] = first
    return found


def nothing_found(race: Race, factors: Sequence[Factor]) -> KolabsimError:
    """Return the error for a search without any candidate within the budget."""
    points = race.points
    cost = race.costs_of(race.values(points)).mean(axis=1)
    if race.budget is None or not np.isfinite(cost).any():
        return KolabsimError(_("no candidate has defined objectives and cost"))
    cheapest = int(np.nanargmin(cost))
    text = _(
        "no package was found within the budget of {budget}: the cheapest costs {cost} "
        "({settings}); raise the budget, or give the search more generations"
    )
    settings = ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in settings_at(factors, points[cheapest]).items()
    )
    budget = f"{race.budget.most:.6g}"
    return KolabsimError(
        text.format(budget=budget, cost=f"{cost[cheapest]:.6g}", settings=settings)
    )


@dataclass(frozen=True)
class SearchResult:
    """The best packages under a budget, and how they do in other futures."""

    front: Front
    futures: Sequence[str]
    """The future of each package on the front, as the study numbers it."""
    robustness: FrontRobustness | None
    references: Mapping[str, np.ndarray]
    """[columns, runs] of the scenario's own strategies that are packages, for comparison."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """The packages on the front and, if they were simulated in other futures, how they do.

        :ref:`Columns <front-table>` of ``front``, and of ``stability``.
        """
        front, robust = self.front, self.robustness
        packages = front.table().assign(package=range(1, len(front) + 1), future=self.futures)
        if robust is None:
            return {"front": packages}
        numbers = tuple(member + 1 for member in robust.members)
        columns = {
            "mean": robust.means, "low": robust.intervals[..., 0],
            "high": robust.intervals[..., 1], "worst_tenth": robust.worst,
        }  # fmt: skip
        table = tidy({"package": numbers, "outcome": front.columns}, columns)
        shares = {"within_budget": robust.within, "undominated": robust.stays}
        each = len(front.columns)
        shares = {name: np.repeat(values, each) for name, values in shares.items()}
        return {"front": packages, "stability": table.assign(**shares)}


def run_search(
    experiment: Experiment[SearchSpec],
    folder: Path,
    run: RunStudy,
    progress: Callable[[Generation], None] | None = None,
) -> SearchResult:
    """Search for the best packages, and evaluate them in the plausible futures."""
    spec, factors = experiment.spec, experiment.factors
    years = experiment.scenario.horizon / 4.0
    budget = None if spec.budget is None else Budget(spec.budget * years, COST)
    objectives = [Objective(one.name, one.better) for one in experiment.outcomes]
    columns = [*(one.column for one in experiment.outcomes), *([COST] if budget else [])]
    columns = list(dict.fromkeys(columns))

    def simulate(settings: pd.DataFrame, runs: range) -> np.ndarray:
        study = run_sample(experiment, settings, folder, runs.stop, run)
        return np.moveaxis(study.values(columns)[:, 0, :, runs.start :], 0, 1)

    def evaluate(points: np.ndarray, runs: range) -> np.ndarray:
        return simulate(settings_table(factors, points), runs)

    futures = plausible_futures(spec.plausible, experiment.scenario)

    def simulate_in_futures(packages: Sequence[Mapping[str, Any]], runs: range) -> np.ndarray:
        table = pd.DataFrame(
            [{**package, **future} for package in packages for future in futures.values()]
        )
        values = simulate(table, runs)
        return np.moveaxis(values.reshape(len(packages), len(futures), *values.shape[1:]), 1, 2)

    def evaluate_in_futures(points: np.ndarray, runs: range) -> np.ndarray:
        return simulate_in_futures(settings_table(factors, points).to_dict("records"), runs)

    known = known_packages(experiment)
    starts = np.array(list(known.values())).reshape(-1, len(factors))
    front = search(
        evaluate, factors, objectives, budget=budget, generations=spec.generations,
        population=spec.population, runs=spec.runs, seed=experiment.seed, progress=progress,
        starts=starts, steps=STEPS,
    )  # fmt: skip
    robustness = None
    if futures:
        fresh = range(spec.runs[1], spec.runs[1] + FRESH_RUNS)
        none = {one.name: 0.0 if is_lever(one.name) else one.usual for one in factors}
        robustness = reevaluate(
            front, evaluate_in_futures, list(futures), runs=fresh,
            members=front.spread(MOST_MEMBERS), nothing=simulate_in_futures([none], fresh)[0],
        )  # fmt: skip
        front = replace(front, knee=robustness.members[robustness.best])
    values = evaluate(starts, range(front.values.shape[2])) if known else starts
    names = future_names(held(folder) or Ledger.read(folder), settings_table(factors, front.points))
    return SearchResult(front, names, robustness, dict(zip(known, values, strict=True)))


def known_packages(experiment: Experiment[SearchSpec]) -> dict[str, np.ndarray]:
    """Return the scenario's own strategies that are packages of these levers, as points.

    Strategies with mandates are left out, and those whose levers change over time, differ by area
    or are targeted.
    """
    found, factors = {}, experiment.factors
    names = {factor.name for factor in factors}
    for name, strategy in experiment.scenario.strategies.items():
        point = np.array([0.0 if is_lever(f.name) else f.place(f.usual) for f in factors])
        fits = not strategy.mandates
        for lever, phases in strategy.levers.items():
            places = [k for k, f in enumerate(factors) if f.name.endswith(f".{lever}")]
            plain = len(phases) == 1 and is_plain(phases[0], experiment.scenario)
            # A strategy without a limit is no package of levers that have one.
            plain = plain and f"support.{lever}.budget" not in names
            fits = fits and lever in LEVERS and len(places) == 1 and plain
            if fits:
                factor = factors[places[0]]
                u = (phases[0].intensity - factor.low) / (factor.high - factor.low)
                fits = 0.0 <= u <= 1.0
                point[places[0]] = min(max(u, 0.0), 1.0)
        idle = [f for k, f in enumerate(factors) if is_lever(f.name) and point[k] == 0.0]
        if fits and all(factor.low == 0.0 for factor in idle):
            found[name] = point
    return found


def is_plain(phase: Phase, scenario: Scenario) -> bool:
    """Whether a phase covers all quarters and areas alike, without targets or a budget."""
    whole = phase.from_ == 0 and phase.until >= scenario.horizon and not phase.phase_out
    everywhere = phase.areas == "all" or set(phase.areas) == set(scenario.areas)
    limited = isinstance(phase, SupportPhase) and (
        phase.targets != "all" or phase.budget is not None
    )
    return whole and everywhere and not limited
