"""The search for all combinations of outcomes that a model can reach."""

import numpy as np
import pandas as pd
import pytest

import kolabsim as ks
from kolabsim.analysis.novelty import cells_of, explore
from kolabsim.errors import InputError
from kolabsim.report.sweep import report
from kolabsim.study.factors import list_factors
from kolabsim.study.sweep import draw_points
from kolabsim.study.tables import TABLES
from tests.builders import make_scenario
from tests.sweeps import write_sweep

NAMES = ("parameters.trust_start", "parameters.attention_base", "parameters.notice")


@pytest.fixture(scope="module")
def factors():
    known = list_factors(make_scenario(3, horizon=4))
    return [known[name] for name in NAMES]


def shares(points, factors):
    if not len(points.columns):
        return np.full((1, len(factors)), 0.5)
    return np.stack(
        [(points[one.name] - one.low) / (one.high - one.low) for one in factors], axis=1
    )


def found(factors, evaluate=None, **more):
    def rare(points):
        """The second outcome is near zero nearly everywhere."""
        u = shares(points, factors)
        return np.stack([u[:, 0], u[:, 0] ** 8 * u[:, 1] * u[:, 2]], axis=1)

    given = {"outcomes": ("a", "b"), "samples": 300, "seed": 3} | more
    return explore(evaluate or rare, factors, **given)


def test_the_search_reaches_more_than_points_that_are_spread_evenly(factors):
    points, patterns = found(factors)
    assert len(points) == len(patterns.values) == 300
    assert patterns.first == 60
    even = np.random.default_rng(1).random((300, 3))
    values = np.stack([even[:, 0], even[:, 0] ** 8 * even[:, 1] * even[:, 2]], axis=1)
    spread = len(np.unique(cells_of(values, patterns.origin, patterns.width), axis=0))
    assert patterns.reached > 1.5 * spread
    assert patterns.reached_first < patterns.reached


def test_cells_hold_the_points_that_reached_them(factors):
    points, patterns = found(factors)
    for k in range(2):
        low, high = patterns.edges(k)
        value = patterns.values[patterns.position, k]
        assert ((low - 1e-6 <= value) & (value <= high + 1e-6)).all()
    assert patterns.hits.sum() == 300
    assert (np.diff(patterns.position) > 0).all()
    assert patterns.baseline.tolist() == [0.5, 0.5**10]
    assert len(patterns.table()) == 2 * patterns.reached
    again = found(factors)
    pd.testing.assert_frame_equal(points, again[0])
    for name, factor in zip(NAMES, factors, strict=True):
        assert points[name].between(factor.low, factor.high).all()


def test_points_without_a_defined_outcome_reach_no_cell(factors):
    def half(points):
        u = shares(points, factors)[:, :2].copy()
        u[u[:, 0] > 0.5, 1] = np.nan
        return u

    patterns = found(factors, half, samples=60)[1]
    defined = np.isfinite(patterns.values[:, 1])
    assert patterns.hits.sum() == defined.sum() < 60
    assert defined[patterns.position].all()


def test_a_sweep_searches_for_patterns_and_goes_on_where_it_was(tmp_path):
    scenario = make_scenario(4, horizon=6, parameters={"attention_base": 1.0})
    given = {
        "factors": ["parameters.trust_start", "parameters.decision_speed", "mechanisms.team"],
        "method": "patterns", "outcomes": ["trust", "cooperation"], "samples": 12, "runs": 2,
        "folder": tmp_path,
    }  # fmt: skip
    one = ks.sweep(scenario, **given)
    patterns = one.patterns
    assert len(one.settings) == 12
    assert [found.outcome for found in one.maps] == ["trust", "cooperation"]
    for k, outcome in enumerate(one.maps):
        np.testing.assert_allclose(outcome.value, patterns.values[:, k], rtol=1e-12)
    alone = ks.simulate(scenario, ["voluntary"], runs=2, regions=False).runs
    assert patterns.baseline[0] == pytest.approx(alone["trust"].mean())
    again = ks.sweep(scenario, **given)
    pd.testing.assert_frame_equal(one.settings, again.settings)
    assert again.patterns.table().equals(patterns.table())


def test_the_report_counts_and_draws_the_reached_combinations(tmp_path):
    from kolabsim.analysis.sweep import run_sweep

    experiment = write_sweep(tmp_path, "method: patterns\nsamples: 8\n")
    assert len(experiment.points) == 2
    assert draw_points(experiment.spec, experiment.factors).equals(experiment.points)
    result = run_sweep(experiment, tmp_path / "r", lambda study: study.run())
    written = report(experiment, result)
    section = written.sections[1]
    assert section.name == "patterns"
    assert len(section.pictures) == len(section.tables) == 1
    assert (
        f"reached {result.patterns.reached} combinations" in written.sections[0].headlines[0].text
    )
    table = written.tables["patterns"]
    assert table.equals(result.patterns.table())
    assert list(table) == list(TABLES["patterns"].names({}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"outcomes": ["trust"]}, "a search for patterns needs two or more"),
        ({"against": "voluntary"}, "a search for patterns shows outcomes as they are"),
        ({"method": "halton", "cells": 5}, "only a search for patterns has cells"),
        ({"cells": 1}, "cells"),
        ({"samples": 200_000}, "samples"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(given, message):
    keys = {"method": "patterns", "outcomes": ["trust", "cooperation"]} | given
    with pytest.raises(InputError, match=message):
        ks.sweep(make_scenario(3, horizon=4), ["mechanisms.team"], **keys)
