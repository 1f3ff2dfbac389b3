"""Intervals of sensitivity indices cover, and factors without effect are called so.

The reference of the model is made once, in about ten minutes of one core, and again whenever the
model changes: `python -m tests.analysis.test_coverage_sensitivity` prints it.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from kolabsim.analysis.sensitivity import analyse
from kolabsim.engine.ensemble import in_threads, run_block
from kolabsim.engine.overrides import SEED, build_base, vary
from kolabsim.model.measures import MEASURES
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.design import make_design
from kolabsim.study.factors import choose_factors
from kolabsim.study.spec import SensitivitySpec
from kolabsim.study.tasks import run_figures

SCENARIO = """
title: Eight regions
regions:
  table: regions.csv
  columns:
    population: population
    latitude: lat
    longitude: lon
    stress: {column: debt, from: [500, 4000], to: [0.1, 0.8], reason: Debt leaves less.}
    capacity: {column: staff, from: [0.2, 0.6], to: [0.3, 0.8], reason: Trained staff.}
    culture:
      - {column: individualism, scale: 12, reason: A survey.}
      - {column: uncertainty, scale: 9, reason: A survey.}
contacts: {nearest: 4}
currency: CHF
families: [administration, infrastructure]
changes:
  - {what: election, from: 11, reset: 0.4, every: 16}
"""
REGIONS = """code,name,population,lat,lon,debt,staff,individualism,uncertainty
R1,Aldorf,12400,46.90,9.10,1200,0.35,30,60
R2,Bergen,8300,46.95,9.25,2500,0.28,35,62
R3,Chur-Land,38200,46.85,9.53,1800,0.55,55,45
R4,Davos,10900,46.80,9.84,900,0.48,60,40
R5,Ems,8100,46.83,9.40,3100,0.31,40,58
R6,Flims,2900,46.84,9.28,2200,0.25,33,65
R7,Grub,5200,47.00,9.45,3800,0.22,28,66
R8,Heid,15700,46.72,9.55,1500,0.41,45,50
"""
FACTORS = tuple(
    f"parameters.{name}" for name in ("trust_start", "startup_cost", "information_cost", "notice")
)
OUTCOME = "net_efficiency"
SAMPLES, RUNS = (SensitivitySpec.model_fields[key].default for key in ("samples", "runs"))
"""The default size."""
REFERENCE = {
    "ST": (0.8265, 0.0663, 0.1336, 0.0013),
    "S1": (0.8003, 0.0440, 0.1216, 0.0044),
    "chance": 0.5213,
}
"""8,192 base points with as many runs as the default size, seed 7: standard errors of 0.001 to
0.01. Made on 1 December 2026."""


def simulated(design, scenario, runs):
    """The outcome at all points of a design, [points, runs]."""
    factors = choose_factors(scenario, FACTORS)
    base = build_base(scenario, "voluntary", seed=1, names=FACTORS)
    column = list(MEASURES).index(OUTCOME)
    settings = [
        (*(factor.at(u) for factor, u in zip(factors, point[:-1], strict=True)), float(seed))
        for point, seed in zip(design.points, design.seeds, strict=True)
    ]

    def outcome(values):
        block = run_block(vary(base, (*FACTORS, SEED), values), np.arange(runs), regions=False)
        return run_figures(block.history)[:, column]

    different = list(dict.fromkeys(settings))  # a dummy changes nothing
    found = dict(zip(different, in_threads(outcome, different), strict=True))
    return np.array([found[values] for values in settings])


def alps(folder):
    (folder / "regions.csv").write_text(REGIONS, encoding="utf-8")
    path = folder / "alps.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return Scenario.load(path)


@pytest.mark.long
def test_intervals_of_the_model_cover_a_reference_of_many_runs(tmp_path):
    """At the default size, each index in at least 18 of 20 seeds."""
    scenario, found = alps(tmp_path), []
    for seed in range(100, 120):
        design = make_design("sobol", FACTORS, samples=SAMPLES, seed=seed)
        found.append(analyse(design, simulated(design, scenario, RUNS)))
    for name in ("ST", "S1"):
        low, high = (
            np.array([getattr(one.found[name], end)[:4] for one in found])
            for end in ("low", "high")
        )
        truth = np.array(REFERENCE[name])
        assert ((low <= truth) & (truth <= high)).mean(axis=0).min() >= 0.9
        assert np.mean([one.found[name].above[-1] for one in found]) <= 0.05  # the dummy
    _share, low, high = np.array([one.chance for one in found]).T
    assert ((low <= REFERENCE["chance"]) & (REFERENCE["chance"] <= high)).mean() >= 0.9


SLOPES = np.array([3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0])
"""Effects of six factors, three of them without any, and of the dummy."""
NAMES = "abcdef"


def noisy(design, rng, sd=1.0):
    """A sum of effects; chance is shared within base points, but for the half of its variance."""
    blocks = design.draw_sets
    together = rng.normal(0.0, sd, (blocks[-1] + 1, RUNS))[blocks]
    apart = rng.normal(0.0, sd, (len(blocks), RUNS))
    return (design.points @ SLOPES)[:, None] + (together + apart) / np.sqrt(2.0)


@pytest.mark.long
def test_shares_of_a_noisy_sum_are_covered_and_nothing_is_found_where_nothing_is():
    truth = SLOPES**2 / (SLOPES**2).sum()
    rng = np.random.default_rng(8)
    found = []
    for seed in range(100):
        design = make_design("sobol", NAMES, samples=SAMPLES, seed=seed)
        found.append(analyse(design, noisy(design, rng), resamples=200))
    for name in ("ST", "S1"):
        low, high, value, above = (
            np.array([getattr(one.found[name], part)[:6] for one in found])
            for part in ("low", "high", "value", "above")
        )
        assert ((low <= truth[:6]) & (truth[:6] <= high)).mean() >= 0.92
        assert value.mean(axis=0) == pytest.approx(truth[:6], abs=0.03)  # without bias
        assert above[:, :2].all(axis=1).mean() > (0.95 if name == "ST" else 0.5)
        assert above[:, 3:].any(axis=1).mean() <= 0.1  # 5% for all factors together


@pytest.mark.long
@pytest.mark.parametrize("method", ["morris", "ice", "factorial"])
def test_effects_of_factors_without_any_stay_below_their_floor(method):
    rng, wrong, sizes = np.random.default_rng(9), [], []
    for seed in range(60):
        design = make_design(method, NAMES, samples=24, seed=seed)
        found = analyse(design, noisy(design, rng), resamples=20).leading
        wrong.append(found.above[3:6])
        sizes.append(found.value)
    assert np.mean(wrong) <= 0.05
    assert np.mean(sizes, axis=0)[3:] == pytest.approx(np.zeros(4), abs=0.1)  # no noise in it


if __name__ == "__main__":
    big = make_design("sobol", FACTORS, samples=8192, seed=7)
    with TemporaryDirectory() as room:
        found = analyse(big, simulated(big, alps(Path(room)), RUNS))
    made = {name: found.found[name].value[:4].round(4).tolist() for name in ("ST", "S1")}
    sys.stdout.write(f"{made | {'chance': round(found.chance[0], 4)}}\n")
