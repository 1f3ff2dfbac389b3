"""The model by hand on the ensemble's own draws: the same run then has the same outcomes.

Only for comparing results: a Mesa user draws from Mesa's generator, which is what is timed.
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.by_hand import MEASURES, ByHand, Region, World
from kolabsim.model import rng
from kolabsim.model.rng import Key

PURPOSES = {
    "attention": rng.ATTENTION, "notice": rng.NOTICE, "conclusion": rng.CONCLUSION,
    "order": rng.ORDER, "leaving": rng.LEAVING, "honour": rng.HONOUR,
    "observation": rng.OBSERVATION, "error": rng.ERROR, "trust": rng.TRUST,
    "capacity": rng.CAPACITY, "practice": rng.PRACTICE,
}  # fmt: skip


class ByAddress(ByHand):
    """A run whose every draw is that of the same run of the ensemble."""

    def __init__(self, world: World, seed: int, run: int) -> None:
        self.draws = (seed, run)
        self.ids = rng.region_ids([place.code for place in world.places]).tolist()
        super().__init__(world, seed=seed)

    def chance(self, kind: str, one: Region, other: Region, area: int) -> float:
        key = Key(*self.draws, self.quarter)
        ids = self.ids[one.row], self.ids[other.row]
        return rng.uniform_by_area(key, PURPOSES[kind], *ids, area)

    def normal(self, kind: str, one: Region, other: Region, area: int) -> float:
        ids = self.ids[one.row], self.ids[other.row]
        return rng.normal_by_area(Key(*self.draws, 0), PURPOSES[kind], *ids, area)

    def draw_traits(self) -> None:
        tiers = sorted({one.tier for one in self.regions})
        tier_ids = dict(zip(tiers, rng.region_ids(tiers).tolist(), strict=True))
        key, p = Key(*self.draws, 0), self.p
        for one in self.regions:
            i = self.ids[one.row]
            one.goodwill = self.beta_of(i, 0, p["goodwill_mean"], 8)
            one.autonomy = self.beta_of(i, 2, p["autonomy_mean"], 6)
            one.stress = self.beta_of(i, 4, p["stress_mean"], 4)
            tier = tier_ids[one.tier] if one.tier else i
            shared = rng.normals(rng.words(key, rng.TIER, 0, tier, tier))
            own = rng.normals(rng.words(key, rng.CULTURE, 0, i, i))
            wishes = [
                self.gamma(rng.INTERESTS, i, area.number, p["interest_concentration"])
                for area in self.areas
            ]
            self.set_traits(one, shared[:3], own[:3], wishes)

    def beta_of(self, i: int, place: int, centre: float, concentration: float) -> float:
        one = self.gamma(rng.PREFERENCES, i, place, centre * concentration)
        other = self.gamma(rng.PREFERENCES, i, place + 1, (1 - centre) * concentration)
        return one / (one + other)

    def gamma(self, purpose: int, i: int, number: int, shape: float) -> float:
        """Marsaglia and Tsang's method, on numbered attempts."""
        key, raised = Key(*self.draws, 0), shape + 1 if shape < 1 else shape
        d = raised - 1 / 3
        for attempt in range(rng.ATTEMPTS):
            words = rng.words(key, purpose, attempt, i, number)
            x, u = rng.normals(words)[0], rng.unit(words[2])
            v = (1 + x / math.sqrt(9 * d)) ** 3
            if v > 0 and math.log(u) < x * x / 2 + d - d * v + d * math.log(v):
                break
        more = rng.unit(rng.words(key, purpose, rng.ATTEMPTS, i, number)[0]) if shape < 1 else 1.0
        return d * v * more ** (1 / shape)


def compare(scenario, strategy: str, *, seed: int = 1, runs: int = 1) -> float:
    """Largest difference from the ensemble of any measure in any quarter, as a share of its size.

    Money is compared in shares of its largest value; infinite if one is undefined and the other
    is not.
    """
    from kolabsim.engine.ensemble import build_task, run_block
    from kolabsim.model import measures

    task = build_task(scenario, scenario.strategies[strategy], seed=seed)
    history = run_block(task, np.arange(runs)).history
    world, worst = World.of(scenario, strategy), 0.0
    for run in range(runs):
        model = ByAddress(world, seed, run)
        for _ in range(world.horizon):
            model.step()
        table = model.datacollector.get_model_vars_dataframe()
        for name in MEASURES:
            ours = history[run, :, list(measures.MEASURES).index(name)]
            theirs = table[name].to_numpy(float)
            if (np.isnan(ours) != np.isnan(theirs)).any():
                return math.inf
            scale = max(1.0, float(np.nanmax(np.abs(ours), initial=0.0)))
            worst = max(worst, float(np.nanmax(np.abs(ours - theirs), initial=0.0)) / scale)
    return worst
