"""Every public figure, drawn from small results: the values are made up, the titles are real."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from kolabsim import figures
from kolabsim.analysis.comparison import compare
from kolabsim.analysis.discovery import discover, failures
from kolabsim.analysis.drivers import SOURCES, find_drivers
from kolabsim.analysis.influence import Influence
from kolabsim.analysis.information import information
from kolabsim.analysis.novelty import Patterns
from kolabsim.analysis.pareto import Budget, Front, Objective, reevaluate
from kolabsim.analysis.region import region_outlook
from kolabsim.analysis.robustness import robustness
from kolabsim.analysis.search import search
from kolabsim.analysis.sensitivity import analyse, curve
from kolabsim.analysis.sweep import OutcomeMap, map_outcome
from kolabsim.engine.mesa_model import CollaborationModel
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.shapes import Shape
from kolabsim.study.api import simulate
from kolabsim.study.collect import Results
from kolabsim.study.design import make_design
from kolabsim.study.experiment import Experiment
from kolabsim.validation.calibration import Calibration
from kolabsim.validation.evidence import Evidence
from kolabsim.validation.facts import FACTS, SETTINGS
from kolabsim.validation.network import compare_network, load_network
from kolabsim.validation.predictive import Prediction
from kolabsim.validation.prior import choose_axes
from kolabsim.validation.sampling import Population
from tests.builders import make_scenario
from tests.sweeps import LEVELS, draw
from tests.validation.towns import write_towns

NAMES = ("voluntary", "mandate", "planning", "full_package")


@cache
def results() -> Results:
    """Twelve runs of all strategies, for ten quarters."""
    scenario = Scenario.load("kartamantul").with_(horizon=10)
    return simulate(scenario, runs=12, seed=2)


@cache
def calibrated() -> Calibration:
    """Sets that agree with two facts: one number is narrowed, one is not."""
    facts = tuple(fact for fact in FACTS if fact.id in ("SF18", "SF20"))
    evidence = Evidence(facts, SETTINGS, choose_axes(["trust_start", "notice", "trust"])[0])
    points = np.random.default_rng(1).random((60, 3)) * [0.3, 1.0, 1.0]
    none = np.zeros((60, 2))
    return Calibration(
        evidence, Population(50, points, none[:, 0], none, 0.0, points, points, none)
    )


@cache
def predicted() -> list[Prediction]:
    """What sets predict of a band, of a direction, and of a fact that they do not define."""
    rng = np.random.default_rng(2)
    band, direction = calibrated().facts
    wide, narrow = rng.normal(0.3, 0.2, 100), rng.normal(0.25, 0.05, 50)
    return [
        Prediction(band, wide, narrow), Prediction(direction, wide, narrow),
        Prediction(band, wide, np.full(50, np.nan)),
    ]  # fmt: skip


@cache
def comparison() -> Any:
    return compare(results())


@cache
def shaped() -> Any:
    """The same comparison, on a map in which every region but the first is a square."""
    found = results()
    regions = found.scenario.regions
    shapes = {
        code: Shape((square(east, north), square(east, north, 0.01)[::-1]), (east + 0.02, north))
        for code, east, north in zip(
            regions.codes, regions.longitude, regions.latitude, strict=True
        )
        if code != regions.codes[0]
    }
    regions = dataclasses.replace(regions, shapes=shapes)
    scenario = found.scenario.model_copy(update={"regions": regions})
    return compare(Results(**{**vars(found), "scenario": scenario}))


@cache
def many() -> Any:
    """A comparison of more regions than can be drawn one by one."""
    scenario = make_scenario(40, strategies={"all": {"mechanisms": {"forum": 1.0}}})
    return compare(simulate(scenario, ["voluntary", "all"], runs=6))


@cache
def moved() -> Influence:
    """A made-up difference in 80 futures that follows start-up cost, the rule, and notice."""
    rng = np.random.default_rng(4)
    names = ("startup_cost", "notice", "decision_speed", "exit_base")
    settings = pd.DataFrame({f"parameters.{name}": rng.random(80) for name in names})
    settings["decision"] = rng.choice(["best_response", "imitation", "satisficing"], 80)
    cost, notice = (settings[f"parameters.{name}"] for name in names[:2])
    rule = settings["decision"].map({"best_response": 0.01, "imitation": -0.004}).fillna(0.003)
    difference = 0.03 - 0.05 * cost + 0.01 * notice**2 + rule + 0.004 * rng.normal(size=80)
    drivers = find_drivers(difference.to_numpy(), settings, permuted=100, resamples=100)
    return Influence("full_package", 0.95, pd.DataFrame(), drivers)


def variance() -> pd.DataFrame:
    """The shares of two measures; the second does not vary."""
    return pd.DataFrame({
        "measure": np.repeat(["realised_benefit", "trust"], 3),
        "source": [*SOURCES, *SOURCES],
        "share": [0.71, 0.04, 0.25, np.nan, np.nan, np.nan],
    })  # fmt: skip


def along() -> pd.DataFrame:
    """Made-up cost and net benefit of all strategies along their intensity."""
    names = [name for name in comparison().strategies if name != "mandate"]
    parts = []
    for k, name in enumerate(names, 1):
        level = np.linspace(0.0, 1.0, 5)
        benefit = 0.02 * np.sqrt(level) / k - 0.001 * level * k
        parts.append(pd.DataFrame({
            "strategy": name, "level": level, "cost": 8e9 * level / (1 + k % 4),
            "difference": benefit, "low": benefit - 0.004, "high": benefit + 0.004, "futures": 40,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@cache
def futures() -> SimpleNamespace:
    """Four strategies in 120 futures: the full package is best unless trust is low at the start."""
    rng = np.random.default_rng(2)
    experiment = Experiment.load("mandate")
    settings = pd.DataFrame(
        {one.name: [one.at(u) for u in rng.random(120)] for one in experiment.factors}
    )
    trust, cost = settings["parameters.trust_start"], settings["parameters.startup_cost"]
    bad = ((trust < trust.median()) & (cost > cost.median())).to_numpy()
    means = np.stack([
        np.zeros(120), np.full(120, -0.01) + 0.004 * rng.random(120), np.full(120, 0.008),
        np.where(bad, -0.02, 0.03),
    ])  # fmt: skip
    chance = 0.01 * rng.normal(size=(1, 1, 8))
    values = means[:, :, None] + chance + 0.002 * rng.normal(size=(4, 120, 8))
    given: dict[str, Any] = {"better": 1, "outcome": "net_efficiency"}
    fails = failures(values, NAMES, "full_package", better=1, baseline="voluntary")
    return SimpleNamespace(
        experiment=experiment,
        settings=settings,
        robust=robustness(
            values, NAMES, baseline="voluntary", threshold=0.0, resamples=40, **given
        ),
        discovery=discover(settings, fails, resamples=10),
        information=information(values, NAMES, settings, resamples=40, **given),
    )


@cache
def sensitivity(method: str) -> SimpleNamespace:
    """Indices and curves of a made-up outcome that depends on half of the factors."""
    experiment = Experiment.load("what-drives")
    names = [factor.name for factor in experiment.factors]
    samples = {"morris": 16, "sobol": 64, "one_at_a_time": 5, "ice": 8}[method]
    design = make_design(method, names, samples=samples, seed=3)
    slopes = np.zeros(len(design.names))
    slopes[: len(names)] = 0.1 * 0.7 ** np.arange(len(names))
    chance = np.random.default_rng(1).normal(0, 0.004, (len(design.points), 3))
    values = (design.points @ slopes)[:, None] + 0.02 * design.points[:, :1] ** 2 + chance
    found = analyse(design, values, outcome="net_efficiency", resamples=40)
    drawn = method in ("one_at_a_time", "ice")
    curves = {unit: curve(design, values, unit) for unit in design.units} if drawn else {}
    return SimpleNamespace(experiment=experiment, indices=found, curves=curves)


@cache
def found_packages() -> SimpleNamespace:
    """A front of packages: a forum helps at a price, support of NGOs does nothing."""
    experiment = Experiment.load("best-package")
    names = [factor.name for factor in experiment.factors]
    forum, ngo = names.index("mechanisms.forum"), names.index("support.ngo")

    def evaluate(points: np.ndarray, runs: Any) -> np.ndarray:
        f = points[:, forum]
        rest = points.sum(axis=1) - f
        exact = np.stack(
            [0.05 * np.sqrt(f) + 0.002 * rest, 0.1 * f * (2 - f), 0.3 + 0.02 * rest,
             2e9 * f + 4e8 * rest + 1e9 * points[:, ngo]], axis=1,
        )  # fmt: skip
        chance = np.array([np.random.default_rng(run).standard_normal() for run in runs])
        return exact[:, :, None] * (1.0 + 0.1 * chance)

    def in_futures(points: np.ndarray, runs: Any) -> np.ndarray:
        return np.stack([evaluate(points, runs) * size for size in (0.8, 1.0, 1.3)], axis=2)

    sought = [Objective(one.name, one.better) for one in experiment.outcomes]
    front: Front = search(
        evaluate, experiment.factors, sought, budget=Budget(1.5e9),
        starts=np.zeros((1, len(names))), generations=8, population=24, runs=(4, 8), steps=20,
    )  # fmt: skip
    robust = reevaluate(front, in_futures, "abc", runs=range(50, 54), members=front.spread(6))
    nothing = evaluate(np.zeros((1, len(names))), range(8))[0]
    return SimpleNamespace(experiment=experiment, front=front, robust=robust, nothing=nothing)


@cache
def moments() -> tuple[Scenario, dict[int, list[dict[str, Any]]]]:
    """One run as Mesa's agents live it, quarter by quarter."""
    model = CollaborationModel(Scenario.load("kartamantul").with_(horizon=8), "mandate", seed=1)
    found = {0: model.agreements()}
    while model.running:
        model.step()
        found[model.quarter] = model.agreements()
    return model.simulated, found


def by_runs() -> pd.DataFrame:
    """The difference of the best strategy to the baseline, as runs are added."""
    runs = np.array([12, 25, 50, 100, 200])
    half = 0.02 / np.sqrt(runs)
    middle = np.array([0.004, 0.007, 0.005, 0.0055, 0.0054])
    return pd.DataFrame(
        {"runs": runs, "difference": middle, "low": middle - half, "high": middle + half}
    )


@cache
def outlook() -> Any:
    scenario = Scenario.load("kartamantul").with_(horizon=12)
    return region_outlook(scenario, scenario.regions.codes[-1], "full_package", runs=2, seed=3)


@cache
def observed() -> Any:
    """The model against observed joint bodies of thirty towns."""
    with TemporaryDirectory() as room:
        folder = write_towns(Path(room))
        network = load_network(folder / "towns.yaml", folder / "bodies.csv", held_out=["East"])
    return compare_network(network, runs=4)


def square(east: float, north: float, half: float = 0.05) -> np.ndarray:
    corners = [(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)]
    return np.array([[east + x, north + y] for x, y in corners])


def of(drawn: Callable[..., Any], made: SimpleNamespace, *parts: Any, **options: Any) -> Any:
    """Draw with the labels of the experiment, in the current language."""
    labels = figures.Labels.from_experiment(made.experiment)
    return drawn(*parts, labels, **options)


def front_with_references(ax: Any) -> Any:
    made = found_packages()
    labels = figures.Labels.from_experiment(made.experiment)
    reference = figures.Reference(labels.strategy("voluntary"), made.nothing)
    return figures.pareto_front(made.front, labels, [reference], ax=ax)


def indexed(drawn: Callable[..., Any], method: str, *, curves: bool = False) -> Callable[..., Any]:
    def draw(ax: Any) -> Any:
        made = sensitivity(method)
        parts = (made.indices, made.curves) if curves else (made.indices,)
        return of(drawn, made, *parts, ax=ax)

    return draw


def best() -> str:
    return comparison().order()[0]


@cache
def reached() -> Patterns:
    """The cells that some points of two outcomes reached."""
    values = np.random.default_rng(1).random((40, 2))
    cells, place, hits = np.unique(
        np.floor(values * 5).astype(int), axis=0, return_index=True, return_counts=True
    )
    return Patterns(
        ("trust", "cooperation"), values, np.array([0.5, 0.5]), np.zeros(2), np.full(2, 0.2),
        cells, place, hits, 10,
    )  # fmt: skip


def sweep() -> OutcomeMap:
    means = np.array([0.0, 0.5, 0.2, 0.9, 0.4, 1.0])
    return map_outcome(draw(means), LEVELS, outcome="trust", better=1)


@cache
def price_curve() -> OutcomeMap:
    prices, rng = np.linspace(0.0, 1.0, 6), np.random.default_rng(3)
    places = np.linspace(0.2, 0.8, 20)
    values = places[:, None] - prices[:, None, None] + 0.1 * rng.standard_normal((1, 20, 5))
    levels = {"parameters.lever_price": tuple(prices)}
    return map_outcome(values, levels, outcome="trust", better=1, is_difference=True)


FIGURES: dict[str, Callable[[Any], Any]] = {
    "forest": lambda ax: figures.forest(
        comparison(), ["realised_benefit", "decision_time", "net_saving"], ax=ax
    ),
    "envelopes": lambda ax: figures.envelopes(
        results(), "cooperation", ["voluntary", *comparison().order()[:2]], ax=ax
    ),
    "channels": lambda ax: figures.channels(comparison(), ax=ax),
    "cost_effectiveness": lambda ax: figures.cost_effectiveness(comparison(), ax=ax),
    "cost_frontier": lambda ax: figures.cost_frontier(comparison(), along(), 1.5e9, ax=ax),
    "convergence_by_runs": lambda ax: figures.convergence_by_runs(
        comparison(), by_runs(), ax=ax
    ),
    "variance_sources": lambda ax: figures.variance_sources(
        variance(), ["realised_benefit", "trust"], ax=ax
    ),
    "main_effects": lambda ax: figures.main_effects(comparison(), moved(), ax=ax),
    "winners": lambda ax: figures.winners(comparison(), ax=ax),
    "winners of many": lambda ax: figures.winners(many(), ax=ax),
    "regions_map": lambda ax: figures.regions_map(comparison(), best(), ax=ax),
    "regions_map of shapes": lambda ax: figures.regions_map(shaped(), "mandate", ax=ax),
    "bodies_over_time": lambda ax: figures.bodies_over_time(*moments(), ["waste"], ax=ax),
    "joint_bodies": lambda ax: figures.joint_bodies(
        moments()[0], moments()[1][8], ["waste"], ax=ax
    ),
    "region_channels": lambda ax: figures.region_channels(outlook(), ax=ax),
    "region_groups": lambda ax: figures.region_groups(outlook(), ax=ax),
    "region_saving": lambda ax: figures.region_saving(outlook(), ax=ax),
    "laws": lambda ax: figures.laws(["leaving(trust)"], ax=ax),
    "laws of variants": lambda ax: figures.laws(["unit_cost", "negotiation_cost"], ax=ax),
    "index_bars": indexed(figures.index_bars, "sobol"),
    "convergence": indexed(figures.convergence, "sobol"),
    "morris_plane": indexed(figures.morris_plane, "morris"),
    "tornado": indexed(figures.tornado, "one_at_a_time", curves=True),
    "ice": indexed(figures.ice, "ice", curves=True),
    "regret": lambda ax: of(figures.regret, futures(), futures().robust, ax=ax),
    "regret_table": lambda ax: of(figures.regret_table, futures(), futures().robust, ax=ax),
    "satisficing": lambda ax: of(figures.satisficing, futures(), futures().robust, ax=ax),
    "best_shares": lambda ax: of(figures.best_shares, futures(), futures().robust, ax=ax),
    "spread_plane": lambda ax: of(figures.spread_plane, futures(), futures().robust, ax=ax),
    "prim_box": lambda ax: of(
        figures.prim_box, futures(), futures().discovery, futures().settings, ax=ax
    ),
    "value_of_information": lambda ax: of(
        figures.value_of_information, futures(), futures().information, ax=ax
    ),
    "pareto_front": front_with_references,
    "packages": lambda ax: of(figures.packages, found_packages(), found_packages().front, ax=ax),
    "front_in_futures": lambda ax: of(
        figures.front_in_futures, found_packages(), found_packages().front,
        found_packages().robust, ax=ax,
    ),
    **{
        drawn.__name__: lambda ax, drawn=drawn: drawn(observed(), ax=ax)
        for drawn in (
            figures.pair_ranking, figures.sharing_and_sizes, figures.shared_pairs_map,
            figures.gains_map,
        )
    },
    "sweep_map": lambda ax: figures.sweep_map(sweep(), ax=ax),
    "sweep_curve": lambda ax: figures.sweep_curve(price_curve(), ax=ax),
    "sweep_points": lambda ax: figures.sweep_points(sweep(), ax=ax),
    "posteriors": lambda ax: figures.posteriors(
        calibrated(), Scenario.load("small-towns"), ax=ax
    ),
    "predictions": lambda ax: figures.predictions(predicted(), ax=ax),
    "sweep_patterns": lambda ax: figures.sweep_patterns(reached(), ax=ax),
    "hypervolume": lambda ax: figures.hypervolume(found_packages().front, ax=ax),
}  # fmt: skip
