"""Drawing from what agrees with the facts: on problems whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from kolabsim.validation import sampling as s

SPACE = s.Space(words=(0,) * 10 + (3,), one_sided=(False, False, True))
"""Ten numbers, of which five matter, and a choice among three words, of which the last is out."""


def places(points: np.ndarray) -> np.ndarray:
    x, word = 2.0 * points[:, :10] - 1.0, s.word_at(points[:, 10], 3)
    return np.stack([
        (x[:, 0] + x[:, 1]) / 0.2,
        (x[:, 2] - 0.5 + 0.4 * x[:, 3] ** 2) / 0.15,
        5.0 * x[:, 4] - 2.0 + 3.0 * (word != 2) - 3.0,
    ], axis=1)  # fmt: skip


def agrees(points: np.ndarray) -> np.ndarray:
    return s.distance(places(points), SPACE) <= 0.0


def judge(point: np.ndarray, _enough: float) -> s.Judged:
    found = places(point[None])
    return s.Judged(found[0], max(float(s.distance(found, SPACE)[0]), 0.0))


@pytest.fixture(scope="module")
def found() -> s.Population:
    return s.sample(judge, SPACE, wanted=300, seed=3)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """An even draw from what agrees, by trying a million points."""
    points = np.random.default_rng(1).random((1_000_000, 11))
    return points[agrees(points)]


def test_what_is_found_is_an_even_draw_from_what_agrees(found, truth):
    """The region holds about one point in seventy; means and spreads are those of the truth."""
    assert 0.002 < len(truth) / 1e6 < 0.03
    assert found.is_done
    assert len(found.distinct) >= 300
    points = found.points[found.distinct[:300]]
    assert agrees(points).all()
    error = truth.std(axis=0) * np.sqrt(2.0 / 300)  # neighbours in a chain are alike
    assert (np.abs(points.mean(axis=0) - truth.mean(axis=0)) < 4.5 * error).all()
    np.testing.assert_allclose(points.std(axis=0), truth.std(axis=0), rtol=0.25)
    assert found.judged < 300 / (len(truth) / 1e6) / 4, "far fewer than plain draws would need"


def test_words_have_the_shares_that_they_should(found, truth):
    shares, true = (
        [np.mean(s.word_at(points[:, 10], 3) == k) for k in range(3)]
        for points in (found.points, truth)
    )
    np.testing.assert_allclose(shares, true, atol=0.13)
    assert true[2] < 0.1, "its share of the cube is a quarter"


def test_threads_change_nothing_and_a_search_can_be_continued(found):
    one, two = (s.sample(judge, SPACE, wanted=40, seed=5, threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_array_equal(one.archive, two.archive)
    halted = s.sample(judge, SPACE, wanted=40, seed=5, most=400)
    assert halted.judged < one.judged
    assert not halted.is_done
    resumed = s.sample(judge, SPACE, wanted=40, seed=5, begin=halted)
    np.testing.assert_array_equal(resumed.points, one.points)


def test_a_search_for_nothing_ends():
    def never(_point, _enough):
        return s.Judged(np.array([5.0, 5.0, -5.0]), 4.0)

    ended = s.sample(never, SPACE, wanted=10, most=200)
    assert ended.judged >= 200
    assert ended.level > 0.0
    assert not len(ended.distinct)
    assert not ended.is_done


@pytest.mark.long
def test_steps_on_a_wrong_emulator_still_lead_to_an_even_draw(monkeypatch, truth):
    """An emulator that knows one fact only: the others decide when points are judged."""
    fit = s.fit_emulator

    def poor(points, values, space):
        good = fit(points, values, space)
        return replace(good, spread=np.array([1.0, 1.0, 1.0]) * np.array([1.0, 50.0, 50.0]))

    monkeypatch.setattr(s, "fit_emulator", poor)
    found = s.sample(judge, SPACE, wanted=100, seed=4, most=40_000)
    points = found.points[found.distinct]
    assert agrees(points).all()
    error = truth.std(axis=0) * np.sqrt(2.0 / len(points))
    assert (np.abs(points.mean(axis=0) - truth.mean(axis=0)) < 4.5 * error).all()


def test_the_emulator_learns_squares_and_products():
    rng = np.random.default_rng(2)
    points = rng.random((600, 11))
    x = 2.0 * points - 1.0
    made = 0.6 * x[:, [0]] - 0.5 * x[:, [1]] ** 2 + 0.3 * x[:, [0]] * x[:, [1]]
    space = s.Space((0,) * 11, (False,))
    emulator = s.fit_emulator(points, made, space)
    assert emulator.spread[0] < 0.06
    sure, out = np.full((2, 11), 0.5)
    sure[0], out[0], out[1] = 0.5, 0.0, 1.0
    assert emulator.chance(sure[None], 0.0)[0] > 0.99
    assert emulator.chance(out[None], 0.0)[0] < 0.01, "0.6 below, 0.5 and 0.3 more"


def test_steps_can_go_back_and_stay_in_the_cube():
    rng = np.random.default_rng(6)
    points, others = rng.random((50, 11)), rng.random((40, 11))
    for _step in range(50):
        step = s.propose(points, others, SPACE, rng)
        assert ((step >= 0.0) & (step <= 1.0)).all()
        assert (step != points).any(axis=1).mean() > 0.9
        points = step
    assert np.abs(points.mean() - 0.5) < 0.1, "an even draw stays even"
