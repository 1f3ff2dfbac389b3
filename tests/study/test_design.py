"""Designs: their shapes, their nesting, and what they refuse."""

import numpy as np
import pytest
from SALib.sample import sobol

from kolabsim.errors import InputError
from kolabsim.study.design import CURVES, METHODS, PLACES, make_design

NAMES = ("a", "b", "c")
SAMPLES = {"sobol": 32, "fast": 4 * 129, "one_at_a_time": 5}


def small(method, **options):
    samples = SAMPLES.get(method, max(METHODS[method].least, 8))
    return make_design(method, NAMES, **{"samples": samples, "seed": 3, **options})


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_places_in_the_unit_cube_from_its_seed_alone(method):
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (that it is left alone is the point)
    design = small(method)
    assert design.names == (*NAMES, "dummy")
    assert design.has_dummy
    assert design.points.shape[1] == 4
    assert design.points.min() >= 0.0
    assert design.points.max() <= 1.0
    assert np.array_equal(design.points, small(method).points)
    assert not small(method, dummy=False).has_dummy
    if method != "one_at_a_time":
        assert not np.array_equal(design.points, small(method, seed=4).points)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("method", "points"),
    [
        ("morris", 8 * 5), ("sobol", 32 * 6), ("fast", 4 * 129 * 4), ("rbd_fast", 128),
        ("delta", 128), ("pawn", 128), ("one_at_a_time", 4 * 5), ("ice", 8 * 4 * PLACES),
        ("factorial", 8 * 5),
    ],
)  # fmt: skip
def test_designs_have_as_many_points_as_they_should(method, points):
    assert len(small(method).points) == points


@pytest.mark.parametrize("method", [name for name, kind in METHODS.items() if kind.extends])
def test_a_larger_design_begins_with_the_smaller_one(method):
    design = small(method)
    larger = design.extended(2 * design.samples - (method == "one_at_a_time"))
    assert len(larger.points) > len(design.points)
    if method == "one_at_a_time":
        there = {tuple(point) for point in larger.points}
        assert all(tuple(point) in there for point in design.points)
    else:
        assert np.array_equal(larger.points[: len(design.points)], design.points)
    assert larger.samples > design.samples
    assert (larger.names, larger.seed) == (design.names, design.seed)


@pytest.mark.parametrize("method", ["fast", "rbd_fast", "delta", "pawn"])
def test_methods_that_cannot_be_extended_say_so(method):
    with pytest.raises(InputError, match=f"{method}: a design of this method cannot grow"):
        small(method).extended(10_000)


def test_designs_are_not_made_smaller_or_moved():
    with pytest.raises(InputError, match="8 is not more than the present 8"):
        small("morris").extended(8)
    with pytest.raises(InputError, match="8 would move the points; allowed: 9, 13, 17"):
        small("one_at_a_time").extended(8)
    with pytest.raises(InputError, match="48 is not a power of two; the nearest are 32 and 64"):
        small("sobol").extended(48)


def test_seed_nought_is_a_seed():
    one, other = (make_design("morris", NAMES, samples=8, seed=0).points for _ in range(2))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, make_design("morris", NAMES, samples=8, seed=1).points)


def test_sobol_points_are_those_of_salib():
    problem = {"num_vars": 2, "names": ["a", "b"], "bounds": [[0.0, 1.0]] * 2}
    theirs = sobol.sample(problem, 16, calc_second_order=True, seed=8)
    design = make_design("sobol", "ab", samples=16, seed=7, second_order=True, dummy=False)
    assert np.array_equal(design.points, theirs)


@pytest.mark.parametrize("method", [name for name, kind in METHODS.items() if kind.groups])
def test_factors_of_a_group_move_together(method):
    design = small(method, groups=("x", "y", "x"))
    assert design.units == ("x", "y", "dummy")
    assert design.members.tolist() == [[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    steps = {"morris": 4, "factorial": 4, "sobol": 5}.get(method)
    if steps:
        points = design.points.reshape(-1, steps, 4)
        moved = np.diff(points, axis=1) if method == "morris" else points[:, 1:4] - points[:, :1]
        moved = np.abs(moved) > 1e-9
        assert np.array_equal(moved[..., 0], moved[..., 2])
        assert ((moved @ design.members.T > 0).sum(axis=2) == 1).all()


def test_pairs_of_a_factorial_differ_in_one_factor_and_in_its_word():
    points = small("factorial", samples=64).points.reshape(64, 5, 4)
    differs = points[:, 1:] != points[:, :1]
    assert (differs == np.eye(4, dtype=bool)).all()
    for words in (2, 3, 5):
        word = (points * words).astype(int)
        assert ((word[:, 1:] != word[:, :1]) == np.eye(4, dtype=bool)).all()


def test_curves_leave_the_other_factors_at_their_usual_places():
    design = small("one_at_a_time", usual=(0.1, 0.2, 0.3))
    curve = design.points.reshape(4, 5, 4)[1]
    assert curve[:, 1].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert (curve[:, [0, 2, 3]] == (0.1, 0.3, 0.5)).all()


def test_on_the_curves_of_fast_no_two_factors_move_as_one():
    names = [f"x{k}" for k in range(12)]
    points = make_design("fast", names, samples=4 * 129, seed=1, dummy=False).points
    curve = points.reshape(CURVES, 12, 129, 12)[0, 0]
    together = np.abs(np.corrcoef(curve.T) - np.eye(12)).max()
    assert together < 0.999


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "sobbol"}, "'sobbol' is unknown; did you mean 'sobol'?"),
        ({"method": "regression"}, "'regression' is unknown; allowed: morris, sobol, fast"),
        ({"samples": 100}, "100 is not a power of two; the nearest are 64 and 128"),
        ({"samples": 8}, "8 base points are too few for sobol; at least 16"),
        ({"samples": 32.5}, "32.5 is not a whole number"),
        ({"method": "fast", "samples": 301}, "4 curves; the nearest are 300 and 304"),
        ({"method": "fast", "samples": 300, "groups": "xyz"}, "with groups: morris, sobol"),
        ({"method": "delta", "samples": 128, "groups": "xyz"}, "delta analyses single factors"),
        ({"method": "morris", "second_order": True}, "only sobol analyses pairs"),
        ({"usual": (0.5, 0.5, 0.5)}, "only one_at_a_time has them"),
        ({"method": "one_at_a_time", "usual": (0.5, 2.0, 0.5)}, "place 2.0 is not between 0 and 1"),
        ({"method": "one_at_a_time", "usual": (0.5,)}, "1 are given for 3 factors"),
        ({"names": ("a",)}, "1 is too few; at least two factors"),
        ({"names": ("a", "b", "a")}, "'a' is named more than once"),
        ({"names": ("a", "dummy")}, "'dummy' is reserved for the factor without effect"),
        ({"groups": "xx"}, "2 are given for 3 factors"),
        ({"groups": "xxx"}, "1 is too few; at least two factors or groups"),
        ({"seed": -1}, "-1 is not allowed; allowed: from 0"),
    ],
)
def test_bad_requests_are_told_with_what_is_allowed(options, message):
    asked = {"method": "sobol", "names": NAMES, "samples": 32, "seed": 1, **options}
    with pytest.raises(InputError) as caught:
        make_design(**asked)
    assert message in str(caught.value)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(InputError) as caught:
        make_design("sobol", ["a"], samples=33, seed=-2)
    assert len(caught.value.problems) == 3
