"""Experiments from their first point to their answer: sample, run, analyse.

Each kind keeps its runs in the folder of a study: what was finished is never run again, and a
sample that grows keeps the points it had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.discovery import Discovery, Tree, discover, failures, tree
from kolabsim.analysis.information import Information, information
from kolabsim.analysis.robustness import Robustness, robustness, sample_sizes
from kolabsim.analysis.search import (
    Budget,
    Front,
    FrontRobustness,
    Generation,
    Objective,
    reevaluate,
    search,
)
from kolabsim.analysis.sensitivity import Curve, Indices, analyse, curve, settled
from kolabsim.analysis.surrogate import Surrogate, fit_surrogate
from kolabsim.engine.overrides import is_lever
from kolabsim.errors import InputError, KolabsimError, require
from kolabsim.i18n import _
from kolabsim.model.levers import LEVERS
from kolabsim.scenario.futures import plausible_sets
from kolabsim.study.design import Design
from kolabsim.study.experiment import Experiment, sensitivity_design
from kolabsim.study.factors import Factor
from kolabsim.study.runner import Study
from kolabsim.study.spec import Outcome, RobustnessSpec

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.scenario.scenario import Scenario
    from kolabsim.scenario.strategy import Phase
    from kolabsim.study.runner import Progress, Study

LEADING = 5
"""Factors whose ranking must be known for a sample to be large enough."""

Run = Callable[["Study"], "Progress"]
"""Does what is missing of a study, and says how much that was."""


def settings_table(factors: Sequence[Factor], points: np.ndarray) -> pd.DataFrame:
    """What points of the unit cube [N, D] set each factor to: a row a point, a column a factor."""
    import pandas as pd

    return pd.DataFrame(
        {factor.name: [factor.at(u) for u in points[:, k]] for k, factor in enumerate(factors)}
    )


def outcome_values(study: Study, outcome: Outcome) -> np.ndarray:
    """An outcome of every run, or its spread over them: [strategies, points, runs], or 1 for runs.

    All runs of a point are of the same draws as those of any other.
    """
    (values,) = study.values([outcome.column])
    return values.std(axis=-1, ddof=1, keepdims=True) if outcome.is_spread else values


# Sensitivity ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SensitivityAnswer:
    """Which factors decide the outcomes."""

    design: Design
    study: Study
    indices: tuple[Indices, ...]
    """One for each outcome."""
    values: Mapping[str, np.ndarray]
    """[points, runs] of each outcome."""
    is_settled: bool | None
    """Whether the leading factors are known well enough; None where that was not asked."""
    surrogates: Mapping[str, Surrogate] = field(default_factory=dict)
    """By outcome, what stood in for the model."""

    @property
    def curves(self) -> dict[str, dict[str, Curve]]:
        """The curves of each outcome's factors, where the design draws curves."""
        if self.design.method not in ("one_at_a_time", "ice"):
            return {}
        return {
            name: {unit: curve(self.design, values, unit) for unit in self.design.units}
            for name, values in self.values.items()
        }


def ask_sensitivity(experiment: Experiment, folder: Path, run: Run) -> SensitivityAnswer:
    """Sample the space of the factors, run what is missing, and say which of them matter."""
    text, design = experiment.spec, sensitivity_design(experiment)
    if text.surrogate is not None:
        return ask_surrogate(experiment, design, folder, run)
    while True:
        study, values = simulated_at(experiment, design.points, folder, run)
        if text.until is None:
            is_settled = None
            break
        # Of few factors half, because all of them together always lead.
        leading = min(LEADING, max(1, len(experiment.factors) // 2))
        is_settled = all(settled(design, found, leading) for found in values.values())
        if is_settled or design.samples * 2 > text.most:
            break
        design = design.extended(design.samples * 2)
    return SensitivityAnswer(
        design, study, analysed(experiment, design, values), values, is_settled
    )


def analysed(
    experiment: Experiment, design: Design, values: Mapping[str, np.ndarray]
) -> tuple[Indices, ...]:
    """The indices of each outcome."""
    return tuple(
        analyse(design, found, outcome=name, common=True, seed=experiment.seed)
        for name, found in values.items()
    )


def simulated_at(
    experiment: Experiment, points: np.ndarray, folder: Path, run: Run
) -> tuple[Study, dict[str, np.ndarray]]:
    """The study of points of the unit cube, and each outcome [points, runs]."""
    study = Study.plan_design(
        experiment.scenario,
        experiment.strategies,
        settings_table(experiment.factors, points),
        folder,
        runs=experiment.spec.runs,
        seed=experiment.seed,
        moments=experiment.moments,
    )
    run(study)
    return study, {one.name: contrast(study, one) for one in experiment.outcomes}


def ask_surrogate(
    experiment: Experiment, design: Design, folder: Path, run: Run
) -> SensitivityAnswer:
    """Simulate a few points, fit a surrogate for each outcome, and look at that."""
    number, width = experiment.spec.surrogate, len(experiment.factors)
    points = np.random.default_rng(experiment.seed).random((number, width))
    study, simulated = simulated_at(experiment, points, folder, run)
    surrogates = {
        name: fit_surrogate(points, found.mean(axis=1), experiment.factors, seed=experiment.seed)
        for name, found in simulated.items()
    }
    values = {
        name: one.predict(design.points[:, :width])[0][:, None] for name, one in surrogates.items()
    }
    indices = analysed(experiment, design, values)
    return SensitivityAnswer(design, study, indices, values, None, surrogates)


def contrast(study: Study, outcome: Outcome) -> np.ndarray:
    """An outcome of the first strategy, less that of the second if there is one: [points, runs]."""
    values = outcome_values(study, outcome)
    return values[0] - values[1] if len(values) > 1 else values[0]


# Uncertainty ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class UncertaintyAnswer:
    """Strategies in many futures: which lasts, where they fail, and what to measure first."""

    study: Study
    settings: pd.DataFrame
    """What each future is: a row a future, a column a factor."""
    values: np.ndarray
    """[strategies, futures, runs] of the outcome."""
    robustness: Robustness
    information: Information
    failing: Mapping[str, tuple[Discovery, Tree | None]]
    """Where each strategy but the baseline fails."""
    sizes: pd.DataFrame
    """How many runs and futures tell strategies apart."""


def ask_uncertainty(experiment: Experiment, folder: Path, run: Run) -> UncertaintyAnswer:
    """Simulate all strategies in all futures, on common draws."""
    import pandas as pd

    text = experiment.spec
    if text.plausible:
        settings = pd.DataFrame(list(plausible_sets()[: text.plausible]))
    else:
        # Independent of each other, so that futures can be drawn anew for intervals, and so that
        # more of them keep the first ones.
        points = np.random.default_rng(experiment.seed).random(
            (text.samples, len(experiment.factors))
        )
        settings = settings_table(experiment.factors, points)
    study = Study.plan_design(
        experiment.scenario, experiment.strategies, settings, folder, runs=text.runs,
        seed=experiment.seed, moments=experiment.moments,
    )  # fmt: skip
    run(study)
    (outcome,) = experiment.outcomes
    values, names = outcome_values(study, outcome), study.strategies
    what = {"better": outcome.better, "outcome": outcome.name}
    robust = robustness(
        values,
        names,
        baseline=text.baseline,
        threshold=text.threshold,
        seed=experiment.seed,
        **what,
    )
    differences = (values[1:] - values[:1]).mean(axis=(1, 2))
    typical = float(np.abs(differences).max(initial=0.0)) / 2.0
    return UncertaintyAnswer(
        study,
        settings,
        values,
        robust,
        information(values, names, settings, seed=experiment.seed, **what),
        {name: where_it_fails(values, names, name, settings, text, what) for name in names[1:]},
        sample_sizes(
            values, names, against=text.baseline, difference=typical or 1.0, outcome=outcome.name
        ),
    )


def where_it_fails(
    values: np.ndarray,
    names: Sequence[str],
    strategy: str,
    settings: pd.DataFrame,
    text: RobustnessSpec,
    what: Mapping[str, object],
) -> tuple[Discovery, Tree | None]:
    """The futures in which a strategy fails, as a box and as a tree; no tree of too few."""
    against = {"baseline": text.baseline} if text.threshold is None else {}
    fails = failures(values, names, strategy, threshold=text.threshold, **against, **what)
    try:
        second = tree(settings, fails, seed=text.seed)
    except InputError:
        raise
    except KolabsimError:  # too few failures, or no scikit-learn: the box stands by itself
        second = None
    return discover(settings, fails, seed=text.seed), second


# Search -----------------------------------------------------------------------------------------

COST = "programme_cost"
"""The measure that a budget limits."""
MOST = 12
"""Most packages that are judged in other futures: the knee, the best in each goal, and between."""
FRESH = 16
"""Runs in each future by which the best packages are judged again; on draws of their own."""


@dataclass(frozen=True)
class SearchAnswer:
    """The best packages under a budget, and how they do in other futures."""

    front: Front
    robustness: FrontRobustness | None
    known: Mapping[str, np.ndarray]
    """[columns, runs] of the scenario's own strategies that are packages, for comparison."""


def ask_search(
    experiment: Experiment,
    folder: Path,
    run: Run,
    progress: Callable[[Generation], None] | None = None,
) -> SearchAnswer:
    """Search for packages that no other beats in everything, and judge them in other futures."""
    text, scenario = experiment.spec, experiment.scenario
    years = scenario.horizon / 4.0
    budget = None if text.budget is None else Budget(text.budget * years, COST)
    objectives = [Objective(one.name, one.better) for one in experiment.outcomes]
    columns = [*(one.column for one in experiment.outcomes), *([COST] if budget else [])]
    columns = list(dict.fromkeys(columns))

    def simulated(table: pd.DataFrame, runs: range) -> np.ndarray:
        """[rows, columns, runs]."""
        study = Study.plan_design(
            scenario, experiment.strategies, table, folder, runs=runs.stop, seed=experiment.seed,
            moments=experiment.moments,
        )  # fmt: skip
        run(study)
        return np.moveaxis(study.values(columns)[:, 0, :, runs.start :], 0, 1)

    def evaluate(points: np.ndarray, runs: range) -> np.ndarray:
        return simulated(settings_table(experiment.factors, points), runs)

    futures = plausible_sets()[: text.plausible]

    def in_futures(points: np.ndarray, runs: range) -> np.ndarray:
        import pandas as pd

        packages = settings_table(experiment.factors, points).to_dict("records")
        table = pd.DataFrame([package | future for package in packages for future in futures])
        values = simulated(table, runs)
        return np.moveaxis(values.reshape(len(points), len(futures), *values.shape[1:]), 1, 2)

    starts = known_packages(experiment)
    front = search(
        evaluate, experiment.factors, objectives, budget=budget, generations=text.generations,
        population=text.population, runs=text.runs, seed=experiment.seed, progress=progress,
        starts=np.array(list(starts.values())).reshape(-1, len(experiment.factors)),
    )  # fmt: skip
    again = None
    if futures:
        names = [f"plausible-{k + 1}" for k in range(len(futures))]
        first = text.runs[1]
        runs = range(first, first + FRESH)
        again = reevaluate(front, in_futures, names, runs=runs, members=front.spread(MOST))
    least = range(front.values.shape[2])
    values = evaluate(np.array(list(starts.values())), least) if starts else []
    return SearchAnswer(front, again, dict(zip(starts, values, strict=True)))


def known_packages(experiment: Experiment) -> dict[str, np.ndarray]:
    """The scenario's own strategies that are packages of these levers, as points of the cube.

    Left out are those with mandates, and those whose levers change over time, differ by area or
    are targeted.
    """
    found, names = {}, {factor.name for factor in experiment.factors}
    for name, strategy in experiment.scenario.strategies.items():
        point = np.array(
            [0.0 if is_lever(f.name) else f.place(f.usual) for f in experiment.factors]
        )
        fits = not strategy.mandates
        for lever, phases in strategy.levers.items():
            places = [k for k, f in enumerate(experiment.factors) if f.name.endswith(f".{lever}")]
            plain = len(phases) == 1 and is_plain(phases[0], experiment.scenario)
            # A strategy without a limit is no package of levers that have one.
            plain = plain and f"support.{lever}.budget" not in names
            fits = fits and lever in LEVERS and len(places) == 1 and plain
            if fits:
                factor = experiment.factors[places[0]]
                u = (phases[0].intensity - factor.low) / (factor.high - factor.low)
                fits = 0.0 <= u <= 1.0
                point[places[0]] = min(max(u, 0.0), 1.0)
        idle = [f for k, f in enumerate(experiment.factors) if is_lever(f.name) and point[k] == 0.0]
        if fits and all(factor.low == 0.0 for factor in idle):
            found[name] = point
    return found


def is_plain(phase: Phase, scenario: Scenario) -> bool:
    """Whether a phase is in force in all quarters and areas, for everybody, without a limit."""
    whole = phase.from_ == 0 and phase.until >= scenario.horizon
    everywhere = phase.areas == "all" or set(phase.areas) == set(scenario.areas)
    return whole and everywhere and phase.targets == "all" and phase.budget is None


Answer = SensitivityAnswer | UncertaintyAnswer | SearchAnswer
"""What an experiment says."""


def ask(experiment: Experiment, folder: Path, run: Run) -> Answer:
    """Answer an experiment of any kind; ``run`` does what is missing of a study.

    Raises :class:`~kolabsim.errors.InputError` before the first run where an extra is missing.
    """
    if experiment.kind == "search":
        require("pymoo", extra="search", what=_("a search"))
    if getattr(experiment.spec, "surrogate", None) is not None:
        require("sklearn", extra="learning", what=_("a surrogate"))
    asked = {
        "sensitivity": ask_sensitivity, "robustness": ask_uncertainty, "search": ask_search,
    }  # fmt: skip
    return asked[experiment.kind](experiment, folder, run)
