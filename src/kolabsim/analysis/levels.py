"""The same strategies at other intensities: net benefit over programme cost, and equal cost.

A strategy at full intensity has its strongest lever at 1, the others in proportion; its level is
the share of full intensity. A mandate holds or does not: it has no intensity, stays as it is, and
costs what it costs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import RunStudy
from kolabsim.analysis.comparison import NET_BENEFIT, Comparison, measure_columns, measure_values
from kolabsim.analysis.plausible import plausible_range
from kolabsim.analysis.statistics import BETTER, PLAIN, quantiles
from kolabsim.errors import Problems
from kolabsim.i18n import _
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import QUARTERS
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate_in
from kolabsim.study.collect import Results
from kolabsim.study.experiment import Experiment
from kolabsim.study.runner import Study
from kolabsim.study.spec import ComparisonSpec
from kolabsim.study.tasks import build_futures

FULL = 1000
"""Full intensity: levels are thousandths of it."""
CURVE = (250, 500, 750, FULL)
"""Levels of each strategy on a frontier."""
MOST_FUTURES = 40
"""Most futures in which levels are simulated."""
RUNS = 2
"""Runs of each level in each future."""
CLOSE = 0.005
"""Relative difference of cost at which bisection ends."""
RANGE = (0.05, 0.5, 0.95)
"""Quantiles over futures."""
COST = "programme_cost"
NEAR = 0.1
"""Relative difference of cost within which strategies are said to cost the same."""
ROUNDS = 4
"""Most levels at which a strategy is simulated to find that of the same money."""
FEW_FUTURES = 20
"""Most futures in which that level is looked for."""
SAME_MONEY = (
    "strategy", "reference", "level", "cost", "difference", "low", "high", "verdict",
    "better_share", "best_share", "futures",
)  # fmt: skip
"""Columns of the table of strategies for the same money."""

Levels = Mapping[str, float]
"""The level of each strategy, in thousandths of full intensity."""


def strength(scenario: Scenario, strategy: str) -> float:
    """Return the intensity of the strongest lever of a strategy; 0 if it has none."""
    levers = scenario.strategies[strategy].levers.values()
    return max((phase.intensity for phases in levers for phase in phases), default=0.0)


def levers_at(scenario: Scenario, strategy: str, level: float) -> dict[str, Any]:
    """Return the levers of a strategy at a level, as a scenario file writes them."""
    found, strongest = scenario.strategies[strategy], strength(scenario, strategy)

    def scaled(levers: Mapping[str, Iterable[Any]]) -> dict[str, list[dict[str, Any]]]:
        return {
            name: [
                phase.model_dump(by_alias=True, exclude_none=True)
                | {"intensity": phase.intensity / strongest * level / FULL}
                for phase in phases
            ]
            for name, phases in levers.items()
        }

    return {"mechanisms": scaled(found.mechanisms), "support": scaled(found.support)}


def with_levels(scenario: Scenario, levels: Levels) -> Scenario:
    """Return a scenario with strategies at other levels, under their own names."""
    changes = {name: levers_at(scenario, name, level) for name, level in levels.items()}
    return scenario.with_({"strategies": changes}) if changes else scenario


@dataclass
class Ladder:
    """Simulates strategies of a comparison at levels; what was simulated before is remembered."""

    experiment: Experiment[ComparisonSpec]
    folder: Path
    run: RunStudy
    known: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)
    """[measures, futures, runs] yearly cost and net benefit, by strategy and level."""

    @property
    def futures(self) -> dict[str, Mapping[str, object]]:
        """The futures in which levels are simulated: evenly many of those of the comparison."""
        names = [*self.experiment.futures]
        number = min(len(names), MOST_FUTURES)
        chosen = [names[k * len(names) // number] for k in range(number)]
        return {name: self.experiment.futures[name] for name in chosen}

    @property
    def baseline(self) -> np.ndarray:
        """The same of the baseline."""
        return self.known[self.experiment.spec.baseline, 0]

    def climb(self, wanted: Iterable[tuple[str, int]]) -> None:
        """Simulate levels of strategies, all on the draws of the comparison."""
        base, scenario = self.experiment.spec.baseline, self.experiment.scenario
        wanted = [(base, 0), *wanted]
        new = {one: self.name(*one) for one in dict.fromkeys(wanted) if one not in self.known}
        if not new:
            return
        changes = {
            name: levers_at(scenario, strategy, level)
            | {"mandates": [m.model_dump(by_alias=True)
                            for m in scenario.strategies[strategy].mandates],
               "budget": scenario.strategies[strategy].budget}
            for (strategy, level), name in new.items() if name != strategy
        }  # fmt: skip
        experiment = replace(
            self.experiment,
            scenario=scenario.with_({"strategies": changes}) if changes else scenario,
            strategies=tuple(new.values()),
            futures=self.futures,
        )
        study = Study.plan(experiment, self.folder)
        place = np.arange(len(study.tasks)).reshape(len(new), -1)
        study = replace(study, runs=RUNS, detail=0, place=place)
        self.run(study)
        values = study.values((COST, NET_BENEFIT))
        values[0] *= QUARTERS / scenario.horizon
        self.known |= dict(zip(new, np.moveaxis(values, 1, 0), strict=True))

    def name(self, strategy: str, level: int) -> str:
        """Return the name of a strategy at a level; the baseline keeps its own."""
        is_baseline = strategy == self.experiment.spec.baseline
        return strategy if is_baseline else f"{strategy}-at-{level}-of-{FULL}"

    def cost(self, strategy: str, level: int) -> float:
        """Return the mean yearly cost of a strategy at a level beyond the baseline's."""
        return float(np.nanmean((self.known[strategy, level] - self.baseline)[0]))

    @property
    def scalable(self) -> list[str]:
        """The strategies with an intensity, without the baseline."""
        scenario, base = self.experiment.scenario, self.experiment.spec.baseline
        return [n for n in self.experiment.strategies if n != base and strength(scenario, n) > 0.0]


def find_levels(ladder: Ladder, target: float) -> dict[str, int]:
    """Find the level at which each strategy costs so much a year, by bisection.

    Strategies of mandates alone have no intensity and are left as they are. All others are halved
    at the same time; the same request simulates the same levels, and
    those that are stored are not simulated again. Raises
    :class:`~kolabsim.errors.InputError` if a strategy cannot cost so much, with what it can cost.
    """
    duties = [*unscaled(ladder.experiment)]
    names = [
        name for name in ladder.experiment.strategies
        if name != ladder.experiment.spec.baseline and name not in duties
    ]  # fmt: skip
    ladder.climb((name, FULL) for name in ladder.scalable)
    refuse_unreachable(ladder, names, target)
    low, high = dict.fromkeys(names, 0), dict.fromkeys(names, FULL)
    found = {n: FULL for n in names if ladder.cost(n, FULL) <= target * (1.0 + CLOSE)}
    while open_ := [name for name in names if name not in found]:
        middle = {name: (low[name] + high[name]) // 2 for name in open_}
        ladder.climb((name, level) for name, level in middle.items() if level > 0)
        for name, level in middle.items():
            if level == low[name]:  # no level is left between the two: the nearer one
                near = [one for one in (level, high[name]) if one > 0]
                apart = [abs(ladder.cost(name, one) - target) for one in near]
                found[name] = near[int(np.argmin(apart))]
            elif abs(ladder.cost(name, level) - target) <= CLOSE * target:
                found[name] = level
            elif ladder.cost(name, level) < target:
                low[name] = level
            else:
                high[name] = level
    refuse_too_low(ladder, found, target)
    return {name: found[name] for name in names}


def refuse_too_low(ladder: Ladder, found: Mapping[str, int], target: float) -> None:
    """Refuse a cost so low that no level of a strategy comes near it, and say what is possible."""
    problems = Problems()
    for name, level in found.items():
        cost = ladder.cost(name, level)
        if abs(cost - target) > NEAR * target:
            text = _(
                "equal_cost: no intensity of '{name}' costs about {target} a year; the nearest "
                "costs {cost}: raise equal_cost, or leave it out of 'strategies'"
            )
            problems.add(text.format(name=name, target=f"{target:.6g}", cost=f"{cost:.3g}"))
    problems.raise_if_any()


def unscaled(experiment: Experiment[ComparisonSpec]) -> Iterator[str]:
    """Yield the strategies that consist of mandates alone: a duty holds or does not."""
    scenario, base = experiment.scenario, experiment.spec.baseline
    for name in experiment.strategies:
        is_duty = bool(scenario.strategies[name].mandates) and strength(scenario, name) == 0.0
        if name != base and is_duty:
            yield name


def refuse_unreachable(ladder: Ladder, names: Iterable[str], target: float) -> None:
    """Refuse a cost that a strategy does not reach at full intensity, and say what is possible."""
    problems, most = Problems(), {}
    for name in names:
        most[name] = ladder.cost(name, FULL) if name in ladder.scalable else 0.0
        words = {"name": name, "most": f"{most[name]:.3g}", "target": f"{target:.6g}"}
        if most[name] <= 0.0:
            text = _(
                "equal_cost: '{name}' has no programme cost at any intensity; leave it out of "
                "'strategies'"
            )
            problems.add(text.format(**words))
        elif most[name] < target * (1.0 - CLOSE):
            text = _(
                "equal_cost: '{name}' costs {most} a year at full intensity, less than {target}; "
                "lower equal_cost, or leave it out of 'strategies'"
            )
            problems.add(text.format(**words))
    possible = [value for value in most.values() if value > 0.0]
    if problems.found and possible:
        text = _("equal_cost: at most {most} a year is possible for all strategies with a cost")
        problems.add(text.format(most=f"{min(possible):.3g}"))
    problems.raise_if_any()


def equalise(
    experiment: Experiment[ComparisonSpec], folder: Path, run: RunStudy
) -> tuple[Experiment[ComparisonSpec], Ladder]:
    """Return a comparison with strategies at the levels at which they cost the same.

    Without ``equal_cost`` it stays as it is. Raises :class:`~kolabsim.errors.InputError` if a
    strategy cannot cost so much.
    """
    ladder, target = Ladder(experiment, folder, run), experiment.spec.equal_cost
    if target is None:
        return experiment, ladder
    levels = find_levels(ladder, target)
    return replace(experiment, scenario=with_levels(experiment.scenario, levels)), ladder


def frontier(ladder: Ladder) -> pd.DataFrame:
    """Return cost and net benefit of each strategy along its intensity, over futures.

    A row for each strategy and level, from none to full (:ref:`columns <frontier-table>`).
    """
    ladder.climb((name, level) for name in ladder.scalable for level in CURVE)
    known = sorted(one for one in ladder.known if one[0] in ladder.scalable)
    rows = []
    for name in ladder.scalable:
        rows.append((name, 0.0, 0.0, 0.0, 0.0, 0.0))
        for strategy, level in known:
            if strategy == name:
                each = np.nanmean(ladder.known[name, level] - ladder.baseline, axis=2)
                low, median, high = quantiles(each[1], RANGE)
                rows.append((name, level / FULL, float(np.nanmean(each[0])), median, low, high))
    columns = ["strategy", "level", "cost", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=columns).assign(futures=len(ladder.futures))


# The same money ----------------------------------------------------------------------------------


def same_money(results: Results, comparison: Comparison) -> pd.DataFrame:
    """Simulate strategies at the cost of the cheapest that is better than the baseline.

    If none is better, it is the cost of the strategy in the middle of those with an intensity. Each
    strategy whose mean cost is not within a tenth of that one's is scaled until it is, and
    simulated in the futures of the comparison and on the same draws (:ref:`columns
    <same_money-table>`). The table is empty if fewer than two strategies have a cost. Strategies
    that do not reach this cost are left out, and those without an intensity, such as mandates,
    unless they cost as much as they are.
    """
    names = comparison.plausible or comparison.futures[:1]
    every = (comparison.baseline, *comparison.strategies)
    costs, benefits = (
        dict(zip(every, measure_values(results, measure, every, names), strict=True))
        for measure in (COST, NET_BENEFIT)
    )
    years, base = comparison.scenario.horizon / QUARTERS, comparison.baseline
    own = {name: float(np.nanmean(costs[name] - costs[base])) / years for name in every[1:]}
    own = {name: cost for name, cost in own.items() if cost > 0.0}
    if len(own) < 2:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in SAME_MONEY})
    verdict = comparison.table(NET_BENEFIT)["verdict"].astype(object).replace(PLAIN)
    better = [name for name in own if verdict[name] == BETTER]
    # A cost that is reached by scaling suits more strategies than that of a mandate.
    middle = [name for name in own if strength(comparison.scenario, name) > 0.0]
    ordered = sorted(better or middle or own, key=own.__getitem__)
    reference = ordered[0 if better else (len(ordered) - 1) // 2]
    levels = levels_of_cost(results, names, costs, own, own[reference])
    scaled = {name: level for name, level in levels.items() if level != 1.0}
    runs = RUNS if comparison.is_varied else comparison.runs
    if scaled:
        made = simulate_at(results, scaled, names, runs)
        for measure, known in ((COST, costs), (NET_BENEFIT, benefits)):
            values = measure_values(made, measure, [*scaled], names)
            for name, value in zip(scaled, values, strict=True):
                known[name] = np.full(costs[base].shape, np.nan)
                known[name][:, :runs] = value
    table = difference_table(
        np.stack([benefits[name] for name in (base, *levels)]), tuple(levels), names, comparison
    )
    table["level"] = list(levels.values())
    table["cost"] = [float(np.nanmean(costs[name] - costs[base])) / years for name in levels]
    table["reference"], table["futures"] = reference, len(names)
    order = table["difference"].sort_values(ascending=False, kind="stable").index
    return table.loc[order, [*SAME_MONEY]].reset_index(drop=True)


def levels_of_cost(
    results: Results,
    names: Sequence[str],
    costs: Mapping[str, np.ndarray],
    own: Mapping[str, float],
    target: float,
) -> dict[str, float]:
    """Return the level of each strategy, as a multiple of its own, at which it costs the target.

    ``costs`` are those of runs in the futures ``names``, of the baseline first; ``own`` the mean
    yearly cost of each strategy. A few futures are enough to see how cost follows intensity.
    """
    scenario, number = results.scenario, min(len(names), FEW_FUTURES)
    few = [k * len(names) // number for k in range(number)]
    runs = RUNS if number > 1 else next(iter(costs.values())).shape[1]
    base = next(iter(costs.values()))[few, :runs]
    found = {name: 1.0 for name, cost in own.items() if abs(cost / target - 1.0) <= NEAR}
    known = {name: {0.0: 0.0, 1.0: cost} for name, cost in own.items()}
    open_ = [name for name in own if name not in found and strength(scenario, name) > 0.0]
    for _round in range(ROUNDS):
        tried = {
            name: next_level(known[name], target, 1.0 / strength(scenario, name)) for name in open_
        }
        levels = {name: level for name, level in tried.items() if level is not None}
        if not levels:
            break
        made = simulate_at(results, levels, [names[k] for k in few], runs)
        values = measure_values(made, COST, [*levels], [names[k] for k in few])
        for name, value in zip(levels, values, strict=True):
            share = np.nanmean(value - base) / np.nanmean(costs[name][few, :runs] - base)
            known[name][levels[name]] = own[name] * float(share)
            if abs(known[name][levels[name]] / target - 1.0) <= NEAR:
                found[name] = levels[name]
        open_ = [name for name in levels if name not in found]
    return {name: found[name] for name in own if name in found}


def simulate_at(
    results: Results, levels: Mapping[str, float], futures: Sequence[str], runs: int
) -> Results:
    """Simulate strategies at multiples of their own intensities, on the draws of a comparison."""
    scenario, seed = results.scenario, results.seed
    wanted = {name: level * strength(scenario, name) * FULL for name, level in levels.items()}
    scaled, settings = with_levels(scenario, wanted), {n: results.futures[n] for n in futures}
    worlds = build_futures(scenario, settings, seed)
    if all(world.strategies == scenario.strategies for world, _task in worlds.values()):
        # A future that leaves strategies alone leaves them so at another level.
        changes = {"strategies": scaled.strategies}
        worlds = {n: (one.model_copy(update=changes), task) for n, (one, task) in worlds.items()}
    else:
        worlds = build_futures(scaled, settings, seed)
    return simulate_in(
        scaled, [*levels], settings, worlds, runs=runs, seed=seed, regions=False
    )  # fmt: skip


def next_level(costs: Mapping[float, float], target: float, most: float) -> float | None:
    """Return the level at which a cost is expected, from the costs at levels known so far.

    Between known levels costs are taken as linear, beyond them as proportional. None where no new
    level is left, since it would lie above the most.

    >>> next_level({0.0: 0.0, 1.0: 4.0}, 1.0, 1.5)
    0.25
    >>> next_level({0.0: 0.0, 1.0: 4.0}, 5.0, 1.5)
    1.25
    """
    levels = sorted(costs, key=costs.__getitem__)
    known = [costs[level] for level in levels]
    level = float(np.interp(target, known, levels))
    if target > known[-1]:
        level = min(levels[-1] * target / known[-1], most)
    return None if any(math.isclose(level, one) for one in costs) else level


def difference_table(
    values: np.ndarray, strategies: tuple[str, ...], futures: tuple[str, ...],
    comparison: Comparison,
) -> pd.DataFrame:  # fmt: skip
    """Return the differences in net benefit of scaled strategies, by the rule of comparisons.

    ``values`` are [baseline and strategies, futures, runs].
    """
    measure, criteria = MEASURES[NET_BENEFIT], comparison.criteria
    if len(futures) > 1:
        return plausible_range(values, strategies, futures, measure, criteria).table()
    columns = measure_columns(values, measure, criteria)
    return pd.DataFrame({"strategy": strategies} | {n: of[:, 0] for n, of in columns.items()})
