"""Indices on functions whose indices are known, and against SALib."""

import re
import warnings
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
from SALib.analyze import delta as salib_delta
from SALib.analyze import morris as salib_morris
from SALib.analyze import pawn as salib_pawn
from SALib.analyze import rbd_fast as salib_rbd
from SALib.analyze import sobol as salib_sobol
from SALib.analyze.fast import compute_orders
from scipy.special import ndtri
from scipy.stats import norm

from kolabsim.analysis.indices import KINDS
from kolabsim.analysis.sensitivity import analyse, contrasts, curve, is_converged
from kolabsim.analysis.statistics import one_thread
from kolabsim.errors import InputError
from kolabsim.study.design import CURVES, HARMONICS, METHODS, make_design

SAMPLES = {
    "morris": 64, "sobol": 512, "fast": 4 * 513, "rbd_fast": 1024, "delta": 256, "pawn": 256,
    "one_at_a_time": 9, "ice": 32, "factorial": 64,
}  # fmt: skip
NAMES = ("x1", "x2", "x3")


def ishigami(points):
    x = np.pi * (2.0 * points[:, :3] - 1.0)
    return np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


ISHIGAMI = {"S1": (0.3139, 0.4424, 0.0), "ST": (0.5576, 0.4424, 0.2437)}
"""Analytic indices, from Ishigami and Homma (1990); the pair of the first and third: 0.2437."""
WEIGHTS = np.array([0.0, 1.0, 4.5, 9.0, 99.0])


def sobol_g(points):
    x = points[:, : len(WEIGHTS)]
    return np.prod((np.abs(4.0 * x - 2.0) + WEIGHTS) / (1.0 + WEIGHTS), axis=1)


def sobol_g_indices():
    parts = 1.0 / (3.0 * (1.0 + WEIGHTS) ** 2)
    whole = np.prod(1.0 + parts)
    return {"S1": parts / (whole - 1.0), "ST": parts / (1.0 + parts) * whole / (whole - 1.0)}


def linear(points):
    return points[:, 0] * 4.0 - points[:, 1] * 2.0 + points[:, 2]


def design_of(method, names=NAMES, **options):
    return make_design(method, names, **{"samples": SAMPLES[method], "seed": 5, **options})


def salib_problem(design):
    names = list(design.names)
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def noisy(values, *, replicates=4, sd=1.0, seed=2):
    return values[:, None] + np.random.default_rng(seed).normal(0.0, sd, (len(values), replicates))


def within(index, truth, tolerance):
    value, low, high = (part[: len(truth)] for part in index[:3])
    assert np.abs(value - truth).max() < tolerance
    assert (low <= np.array(truth) + 1e-9).all()
    assert (high >= np.array(truth) - 1e-9).all()


# Known answers ----------------------------------------------------------------------------------


def test_sobol_finds_the_indices_of_ishigami():
    design = design_of("sobol", samples=1024, second_order=True)
    found = analyse(design, ishigami(design.points))
    for name, truth in ISHIGAMI.items():
        within(found.found[name], truth, 0.03)
    pairs = {(pair.one, pair.other): pair for pair in found.pairs}
    assert found.pairs[0][:2] == ("x1", "x3")
    assert pairs["x1", "x3"].value == pytest.approx(0.2437, abs=0.03)
    assert pairs["x1", "x3"].low < 0.2437 < pairs["x1", "x3"].high
    assert pairs["x1", "x2"].low < 0.0 < pairs["x1", "x2"].high
    assert len(found.pairs) == 6


def test_sobol_finds_the_indices_of_the_g_function():
    design = design_of("sobol", "abcde", samples=2048)
    found = analyse(design, sobol_g(design.points))
    for name, truth in sobol_g_indices().items():
        within(found.found[name], truth, 0.03)
    assert found.order() == ["a", "b", "c", "d", "e"]


def test_fast_finds_both_but_for_the_interference_of_frequencies():
    for function, names, truth in (
        (ishigami, NAMES, ISHIGAMI),
        (sobol_g, "abcde", sobol_g_indices()),
    ):
        design = design_of("fast", names, samples=4 * 1025)
        found = analyse(design, function(design.points)).found
        for name, values in truth.items():
            assert np.abs(found[name].value[: len(values)] - values).max() < 0.06


def test_rbd_fast_finds_first_order_indices():
    design = design_of("rbd_fast", samples=4096)
    within(analyse(design, ishigami(design.points)).found["S1"], ISHIGAMI["S1"], 0.04)


def test_delta_finds_how_far_a_distribution_moves():
    """A sum of two normal factors: the truth follows by integration of two normal densities."""
    design = design_of("delta", samples=2048)
    normal = ndtri(np.clip(design.points, 1e-9, 1.0 - 1e-9))
    found = analyse(design, normal[:, 0] + 0.5 * normal[:, 1])
    y, x = np.linspace(-8.0, 8.0, 2001)[:, None], np.linspace(-4.0, 4.0, 401)
    for k, (own, rest) in enumerate(((1.0, 0.5), (0.5, 1.0))):
        apart = np.abs(norm.pdf(y, 0.0, 1.25**0.5) - norm.pdf(y, own * x, rest))
        truth = np.trapezoid(np.trapezoid(apart, y, axis=0) / 2.0 * norm.pdf(x), x)
        assert found.found["delta"].value[k] == pytest.approx(truth, abs=0.05)
    assert found.found["S1"].value[:2] == pytest.approx([0.8, 0.2], abs=0.05)
    assert found.found["delta"].value[2:].max() < 0.06
    assert found.found["delta"].above[:2].all()
    assert not found.found["delta"].above[-1]


def test_morris_effects_of_a_linear_function_are_its_slopes():
    design = design_of("morris")
    found = analyse(design, linear(design.points)).found
    assert found["mu_star"].value == pytest.approx([4.0, 2.0, 1.0, 0.0])
    assert found["mu"].value == pytest.approx([4.0, -2.0, 1.0, 0.0])
    assert found["sigma"].value == pytest.approx(np.zeros(4), abs=1e-9)
    assert found["mu"].above.tolist() == [True, True, True, False]
    assert not found["mu_star"].has_floor  # exchanged points have the same sizes
    found = analyse(design, noisy(linear(design.points), sd=1e-6)).found
    assert found["mu_star"].value == pytest.approx([4.0, 2.0, 1.0, 0.0], abs=1e-4)
    assert found["mu_star"].above[:3].all()


def test_curves_and_their_ranges_are_exact():
    for method, ranges in (("one_at_a_time", [4.0, 2.0, 1.0, 0.0]), ("ice", [4.0, 2.0, 1.0, 0.0])):
        design = design_of(method)
        values = linear(design.points)
        found = analyse(design, values)
        assert found.leading.value == pytest.approx(ranges)
        line = curve(design, values, "x2")
        assert line.middle - line.middle[0] == pytest.approx(-2.0 * line.places)
        if method == "ice":
            assert line.each.shape == (32, 9)
            assert line.low == pytest.approx(line.middle)  # all curves have the same shape
            assert found.found["variety"].value == pytest.approx(np.zeros(4), abs=1e-9)
        else:
            assert np.isnan(line.low).all()  # one run says nothing of chance
            assert np.isnan(found.leading.low).all()
            assert found.table()["above"].isna().all()


def test_ice_shows_that_a_factor_works_differently_elsewhere():
    design = design_of("ice")
    values = (design.points[:, 0] - 0.5) * (design.points[:, 1] - 0.5)
    found = analyse(design, noisy(values, sd=1e-6)).found
    assert found["variety"].above.tolist() == [True, True, False, False]


def test_factorial_finds_what_each_word_changes():
    design = design_of("factorial", samples=256)
    word = (design.points[:, 1] * 3).astype(int)
    values = np.array([0.0, 1.0, 5.0])[word] + 2.0 * (design.points[:, 0] > 0.5)
    found = analyse(design, values).found
    assert found["mean"].value[0] == pytest.approx(2.0)
    assert found["absolute"].value[[0, 2, 3]] == pytest.approx([2.0, 0.0, 0.0])
    table = contrasts(design, values, "x2", 3)
    assert table[["from", "to"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 2]]
    assert table["change"].tolist() == pytest.approx([1.0, 5.0, 4.0])
    assert table["pairs"].sum() == 256


def test_groups_get_the_share_of_all_their_factors():
    groups = ("x", "y", "x")
    design = design_of("sobol", groups=groups, samples=1024)
    values = design.points @ np.array([3.0, 2.0, 1.0, 0.0])
    found = analyse(design, values)
    assert found.units == ("x", "y", "dummy")
    within(found.found["ST"], (10.0 / 14.0, 4.0 / 14.0, 0.0), 0.03)
    design = design_of("morris", groups=groups)
    found = analyse(design, design.points @ np.array([3.0, 2.0, 1.0, 0.0])).found
    assert found["mu_star"].value[1] == pytest.approx(2.0)
    assert 2.0 < found["mu_star"].value[0] < 4.0
    assert np.isnan(found["sigma"].value).tolist() == [True, False, False]


# SALib ------------------------------------------------------------------------------------------


def test_sobol_and_morris_say_what_salib_says():
    design = design_of("sobol", second_order=True)
    values = ishigami(design.points)
    theirs = salib_sobol.analyze(salib_problem(design), values, calc_second_order=True, seed=1)
    found = analyse(design, values)
    for name in ("S1", "ST"):
        assert found.found[name].value == pytest.approx(np.maximum(theirs[name], 0.0))
    for pair in found.pairs:
        j, k = (design.names.index(name) for name in pair[:2])
        assert pair.value == pytest.approx(theirs["S2"][j, k])
    width = found.found["ST"].high - found.found["ST"].low
    assert width[:3] == pytest.approx(2.0 * theirs["ST_conf"][:3], rel=0.35)

    design = design_of("morris")
    values = ishigami(design.points)
    theirs = salib_morris.analyze(salib_problem(design), design.points.copy(), values, seed=1)
    found = analyse(design, values).found
    for name in ("mu_star", "mu", "sigma"):
        assert found[name].value == pytest.approx(np.array(theirs[name], float))


@contextmanager
def isolated_salib():
    """SALib seeds NumPy's global state and changes the filters of warnings."""
    state, formatter = np.random.get_state(), warnings.formatwarning  # noqa: NPY002
    with warnings.catch_warnings():
        yield
    np.random.set_state(state)  # noqa: NPY002
    warnings.formatwarning = formatter


def test_frequencies_and_distributions_are_those_of_salib():
    design = design_of("rbd_fast")
    values = ishigami(design.points)
    theirs = salib_rbd.analyze(salib_problem(design), design.points.copy(), values, seed=1)
    shares = np.maximum(theirs["S1"], 0.0)
    assert analyse(design, values).found["S1"].value == pytest.approx(shares)

    design = design_of("pawn")
    values = ishigami(design.points)
    theirs = salib_pawn.analyze(salib_problem(design), design.points.copy(), values)
    found = analyse(design, values, resamples=10).found
    for name in ("median", "maximum"):
        assert found[name].value == pytest.approx(theirs[name])

    design = design_of("delta", samples=1024)
    values = ishigami(design.points)
    with isolated_salib(), one_thread():
        theirs = salib_delta.analyze(
            salib_problem(design), design.points.copy(), values, seed=1, num_resamples=20
        )
    found = analyse(design, values, resamples=30).found  # SALib corrects by resamples of its own
    assert found["delta"].value[:3] == pytest.approx(theirs["delta_raw"][:3], abs=0.04)
    assert found["S1"].value == pytest.approx(theirs["S1"], abs=0.04)

    design = design_of("fast")
    values = ishigami(design.points)
    length = design.samples // CURVES
    own = (length - 1) // (2 * HARMONICS)
    curves = values.reshape(CURVES, 4, length)
    found = analyse(design, values).found
    for u in range(3):
        theirs = [compute_orders(one[u], length, HARMONICS, own) for one in curves]
        first, total = np.mean(theirs, axis=0)
        assert found["S1"].value[u] == pytest.approx(first, abs=0.005)
        assert found["ST"].value[u] == pytest.approx(total, abs=0.005)


# Chance -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_results_are_the_same_whenever_called_and_nothing_else_is_touched(method):
    design = design_of(method)
    values = noisy(linear(design.points))
    kept, points = values.copy(), design.points.copy()
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, other = (analyse(design, values, resamples=20) for _time in range(2))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    assert one.table().equals(other.table())
    assert one.chance == other.chance
    assert np.array_equal(values, kept)
    assert np.array_equal(design.points, points)
    assert (one.leading.low < one.leading.high).all()


@pytest.mark.parametrize("method", METHODS)
def test_what_changes_nothing_is_at_the_floor_and_what_matters_above_it(method):
    design = design_of(method)
    values = noisy(4.0 * design.points[:, 0] + (design.points[:, 0] > 0.5), replicates=6, sd=0.5)
    found = analyse(design, values)
    assert found.order()[0] == "x1"
    assert found.leading.above.tolist()[0] is True
    assert found.leading.above.sum() <= 2  # of three that change nothing, one may seem to
    assert not found.leading.above[-1]
    table = found.table()
    assert set(table["index"]) == set(found.found)
    assert table[table["factor"] == "x1"]["above"].all() or method in ("ice", "factorial", "morris")


def test_without_a_dummy_fast_has_no_floor():
    design = design_of("fast", dummy=False)
    found = analyse(design, linear(design.points))
    assert np.isnan(found.leading.floor).all()
    assert found.table()["above"].isna().all()
    assert found.stability(2).units == ("x1", "x2")


def test_intervals_hold_what_they_promise():
    inside = []
    for seed in range(60):
        design = design_of("morris", samples=24, seed=seed)
        found = analyse(design, ishigami(design.points), resamples=200).found["mu_star"]
        inside.append(found.low[2] <= 6.25 <= found.high[2])
    assert np.mean(inside) > 0.85


def test_the_chance_in_a_design_is_that_of_its_runs():
    design = design_of("sobol", samples=256)
    values = linear(design.points)
    variance = (16.0 + 4.0 + 1.0) / 12.0
    found = analyse(design, noisy(values, replicates=3, sd=variance**0.5))
    assert found.chance[0] == pytest.approx(0.5, abs=0.05)
    assert found.chance[1] < 0.5 < found.chance[2]
    assert found.chance_left == pytest.approx(0.25, abs=0.05)
    assert np.isnan(analyse(design, values).chance).all()


# Enough? ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [name for name in METHODS if name != "one_at_a_time"])
def test_convergence_ends_with_all_points_and_doubles(method):
    design = design_of(method)
    found = analyse(design, noisy(linear(design.points), sd=0.1))
    samples = [step.samples for step in found.steps]
    assert samples[-1] == design.samples
    assert found.steps[-1].points == len(design.points)
    assert all(2 * one == other for one, other in pairwise(samples))
    assert found.steps[-1].value == pytest.approx(found.leading.value, abs=0.02, rel=0.02)
    if method in ("morris", "sobol", "ice", "factorial"):
        half = design_of(method, samples=samples[-2])
        assert np.array_equal(half.points, design.points[: len(half.points)])
        alone = analyse(half, noisy(linear(design.points), sd=0.1)[: len(half.points)])
        assert alone.leading.value == pytest.approx(found.steps[-2].value)


def test_a_clear_ranking_has_converged_and_an_open_one_is_not():
    design = design_of("sobol", "abcdefgh", samples=256)
    slopes = np.array([8.0, 6.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    clear = noisy(design.points @ slopes, sd=0.5)
    assert is_converged(design, clear)
    assert analyse(design, clear).stability().ordered >= 0.9
    assert analyse(design, clear).stability().units == ("a", "b", "c")
    alike = noisy(design.points @ np.array([2.0] * 8 + [0.0]), sd=0.2)
    assert not is_converged(design, alike, leading=3)
    assert not is_converged(design, noisy(np.zeros(len(design.points))))


def test_the_order_may_be_open_where_the_leading_are_not():
    design = design_of("sobol", "abcd", samples=128)
    values = noisy(design.points @ np.array([4.0, 4.0, 0.5, 0.5, 0.0]), sd=0.05)
    assert is_converged(design, values, leading=2)
    assert analyse(design, values).stability(2).ordered < 0.9


# Refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", KINDS)
def test_what_no_index_can_be_told_from_is_refused(method):
    design = design_of(method)
    values = noisy(linear(design.points), replicates=2)
    points = f"{len(values):,}"
    for wrong, message in (
        (values[:-1], f"there are {points} points"),
        (values[:, :0], f"there are {points} points"),
        (np.full_like(values, 3.0), f"trust is 3 at all {points} points: no factor changes it"),
        (np.where(np.arange(len(values))[:, None] < 7, np.nan, values),
         f"trust is undefined at 7 of {points} points"),
        (np.where(np.arange(len(values))[:, None] == 1, np.inf, values), "undefined at 1 of"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=re.escape(message)):
            analyse(design, wrong, outcome="trust")


def test_a_single_undefined_run_is_not_passed_over():
    design = design_of("morris")
    values = noisy(linear(design.points))
    values[3, 2] = np.nan
    with pytest.raises(InputError, match="undefined at 1 of"):
        is_converged(design, values)


def test_curves_are_only_of_designs_that_have_them():
    design = design_of("morris")
    values = linear(design.points)
    with pytest.raises(InputError, match="morris has no such points; allowed: one_at_a_time, ice"):
        curve(design, values, "x1")
    design = design_of("ice")
    with pytest.raises(InputError, match="'x4' is not in the design"):
        curve(design, linear(design.points), "x4")
