"""Surrogates, on functions that are known and on nothing but noise."""

import numpy as np
import pytest

from kolabsim.analysis import surrogate as s
from kolabsim.analysis.surrogate import BOOSTING, GAUSSIAN, fit_surrogate
from kolabsim.errors import InputError, KolabsimError
from kolabsim.study.factors import Factor

pytest.importorskip("sklearn")

FACTORS = (
    *(Factor(f"x{k}", f"number {k}", "made up") for k in range(3)),
    Factor("word", "a choice", "made up", words=("a", "b", "c")),
)
EFFECT = np.array([0.0, 1.0, 0.2])


def points(number, seed):
    return np.random.default_rng(seed).random((number, 4))


def smooth(u):
    word = np.minimum((u[:, 3] * 3).astype(int), 2)
    return np.sin(4.0 * u[:, 0]) + 2.0 * u[:, 1] ** 2 + EFFECT[word]


def steps(u):
    return np.where(u[:, 0] > 0.5, 1.0, 0.0) + (u[:, 1] > 0.3) * (u[:, 2] > 0.6)


def noise(number, seed):
    return np.random.default_rng(seed).standard_normal(number)


def test_a_smooth_function_is_known_by_a_gaussian_process():
    u, new = points(120, 1), points(400, 2)
    found = fit_surrogate(u, smooth(u), FACTORS)
    assert found.kind == GAUSSIAN
    assert set(found.qualities) == {GAUSSIAN, BOOSTING}
    assert found.quality.r2 > 0.99
    mean, spread = found.predict(new)
    assert np.sqrt(((mean - smooth(new)) ** 2).mean()) < 2.0 * found.quality.rmse + 0.02
    assert (spread > 0.0).all()


def test_steps_are_known_by_boosting():
    u, new = points(300, 1), points(400, 2)
    found = fit_surrogate(u, steps(u), FACTORS)
    assert found.kind == BOOSTING
    mean, spread = found.predict(new)
    assert np.abs(mean - steps(new)).mean() < 0.1
    assert np.unique(spread).tolist() == [pytest.approx(found.quality.rmse)]


def test_the_error_that_is_said_is_that_on_new_points():
    u, new = points(250, 3), points(2000, 4)
    for kind in s.KINDS:
        found = fit_surrogate(u, smooth(u) + 0.3 * noise(250, 5), FACTORS, kinds=[kind])
        mean, spread = found.predict(new)
        truth = smooth(new) + 0.3 * noise(2000, 6)
        error = np.sqrt(((mean - truth) ** 2).mean())
        assert found.quality.rmse == pytest.approx(error, rel=0.15)
        assert found.quality.coverage == pytest.approx(0.95, abs=0.04)
        assert (np.abs(mean - truth) < 1.96 * spread).mean() == pytest.approx(0.95, abs=0.04)
        assert found.quality.r2 == pytest.approx(1.0 - error**2 / truth.var(), abs=0.05)


def test_noise_is_not_predicted_unless_forced():
    u = points(80, 1)
    found = fit_surrogate(u, noise(80, 2), FACTORS)
    assert found.quality.r2 < 0.2
    assert "R²" in str(found.quality)
    with pytest.raises(KolabsimError, match=r"too inaccurate .* at least 0\.5"):
        found.predict(u)
    mean, spread = found.predict(u, force=True)
    assert mean.shape == spread.shape == (80,)
    constant = fit_surrogate(u[:30], np.ones(30), FACTORS)
    assert constant.quality.r2 == 0.0


def test_the_error_is_seen_wherever_a_surrogate_is():
    u = points(60, 1)
    assert "rmse=" in repr(fit_surrogate(u, smooth(u), FACTORS, kinds=[BOOSTING]))


def test_the_same_points_give_the_same_surrogate():
    u, new = points(40, 1), points(50, 2)
    y = smooth(u) + 0.2 * noise(40, 3)
    for kind in s.KINDS:
        one, two = (fit_surrogate(u, y, FACTORS, kinds=[kind], seed=7) for _ in range(2))
        assert one.qualities == two.qualities
        np.testing.assert_array_equal(one.predict(new), two.predict(new))


def test_words_have_no_order_and_all_points_are_on_one_scale():
    inputs = s.inputs_of(np.array([[0.1, 0.2, 0.3, 0.0], [0.1, 0.2, 0.3, 1.0]]), FACTORS)
    assert inputs.tolist() == [[0.1, 0.2, 0.3, 1, 0, 0], [0.1, 0.2, 0.3, 0, 0, 1]]


def test_of_many_points_no_gaussian_process_is_tried(monkeypatch):
    monkeypatch.setattr(s, "MOST_FOR_GAUSSIAN", 50)
    u = points(60, 1)
    assert set(fit_surrogate(u, smooth(u), FACTORS).qualities) == {BOOSTING}
    assert set(fit_surrogate(u, smooth(u), FACTORS, kinds=[GAUSSIAN]).qualities) == {GAUSSIAN}


@pytest.mark.parametrize(
    ("u", "y", "how", "message"),
    [
        (points(19, 1), np.ones(19), {}, "19 are too few; at least 20 are needed"),
        (points(30, 1)[:, :2], np.ones(30), {}, r"shape is \(30, 2\).* 4 factors"),
        (points(30, 1) + 1.0, np.ones(30), {}, "unit cube"),
        (points(30, 1), np.ones(29), {}, r"outcomes: the shape is \(29,\)"),
        (points(30, 1), np.full(30, np.nan), {}, "not all are defined"),
        (points(30, 1), np.ones(30), {"kinds": ["gaussian"]}, "did you mean 'gaussian process'"),
        (points(30, 1), np.ones(30), {"kinds": []}, "kinds: give at least one"),
    ],
)
def test_what_cannot_be_fitted_to_is_refused(u, y, how, message):
    with pytest.raises(InputError, match=message):
        fit_surrogate(u, y, FACTORS, **how)


def test_points_outside_are_not_foretold():
    u = points(40, 1)
    found = fit_surrogate(u, smooth(u), FACTORS, kinds=[GAUSSIAN])
    with pytest.raises(InputError, match="unit cube"):
        found.predict(u + 0.5)
