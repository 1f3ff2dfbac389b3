"""Against Mesa: a model written by hand, and `mesa.batch_run` with kolabsim's Mesa model."""

from __future__ import annotations

import inspect

from benchmarks.reading import Reading, SkippedError, interleaved
from benchmarks.worlds import runner, towns

CLOSE = 1e-9
SEEDS = 8
"""Runs by hand in one measurement, each with its own draws: runs differ in what happens."""


def mesa() -> list[Reading]:
    """Runs of 30 regions: by hand in Mesa, in Mesa with kolabsim, in its ensemble; 60 s.

    The model by hand (`by_hand.py`) has the same rules. Its outcomes are compared with the
    ensemble's on the same draws first; without agreement there is no ratio.
    """
    from mesa.batchrunner import batch_run

    from benchmarks.by_address import compare
    from benchmarks.by_hand import ByHand, World
    from kolabsim.engine.mesa_model import CollaborationModel

    scenario, found = towns(30), []
    more = {"rng": [1]} if "rng" in inspect.signature(batch_run).parameters else {}

    def batch(runs: int) -> None:
        batch_run(
            CollaborationModel, {"scenario": scenario, "run": range(runs)}, number_processes=1,
            max_steps=40, display_progress=False, **more,
        )  # fmt: skip

    def in_mesa(strategy: str, runs: int) -> None:
        for run in range(runs):
            model = CollaborationModel(scenario, strategy, run=run, seed=1)
            for _ in range(40):
                model.step()

    def by_hand(world: World) -> None:
        for seed in range(SEEDS):
            model = ByHand(world, seed=seed)
            for _ in range(world.horizon):
                model.step()

    batch(1)
    for strategy in ("voluntary", "full_package"):
        apart = compare(scenario, strategy)
        if not apart < CLOSE:
            raise SkippedError(f"the model by hand differs from the ensemble by {apart}: no ratio")
        in_mesa(strategy, 1)
        world = World.of(scenario, strategy)
        times = interleaved({
            "hand": (lambda world=world: by_hand(world), SEEDS),
            "mesa": (lambda strategy=strategy: in_mesa(strategy, SEEDS), SEEDS),
            "ensemble": (runner(scenario, 200, strategy), 200),
        })  # fmt: skip
        hand, own, ensemble = (times[name] for name in ("hand", "mesa", "ensemble"))
        found += [
            Reading(f"by hand in Mesa over the ensemble, {strategy}", hand / ensemble),
            Reading(f"kolabsim in Mesa over by hand, {strategy}", own / hand, at_most=1),
            Reading(f"a Mesa run with kolabsim, {strategy}", 1e3 * own, "ms", at_most=10),
            Reading(f"a Mesa run by hand, {strategy}", 1e3 * hand, "ms"),
        ]
    times = interleaved({
        "batch": (lambda: batch(30), 30), "ensemble": (runner(scenario, 200), 200)
    })  # fmt: skip
    ratio = times["batch"] / times["ensemble"]
    why = "Mesa builds the agents of every run and its tables; the loop takes a small part"
    found.append(Reading("mesa.batch_run over the ensemble, voluntary", ratio, at_most=8, why=why))
    return found
