"""The value of information, where it is known by hand or by integral."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from kolabsim.analysis import information as i
from kolabsim.analysis.information import information
from kolabsim.analysis.smoothing import Smoother
from kolabsim.errors import InputError

WORDS = {"a": -0.3, "b": 0.0, "c": 0.3}


def known(mean, spread):
    """Expected value of knowing a normal difference of this mean and spread."""
    return spread * norm.pdf(mean / spread) + mean * norm.cdf(mean / spread) - max(mean, 0.0)


def two(seed, futures=1000, runs=4, noise=0.2):
    """Two strategies: 0.1 + 0.5 x + 0.3 z + a word apart, on common draws; y is nothing."""
    rng = np.random.default_rng(seed)
    settings = pd.DataFrame(rng.normal(size=(futures, 3)), columns=["x", "z", "y"])
    settings["word"] = rng.choice(list(WORDS), futures)
    apart = 0.1 + 0.5 * settings["x"] + 0.3 * settings["z"] + settings["word"].map(WORDS)
    base = rng.normal(size=(futures, 1)) + rng.normal(size=runs)
    values = np.stack([base, base + apart.to_numpy()[:, None]])
    return values + noise * rng.normal(size=values.shape), settings


def valued(found):
    return found.factors.set_index("factor")


def test_values_are_those_known_by_integral():
    values, settings = two(1, futures=4000)
    found = information(values, "ab", settings, better=1, resamples=100)
    table = valued(found)
    assert table["value"]["x"] == pytest.approx(known(0.1, 0.5), rel=0.08)
    assert table["value"]["z"] == pytest.approx(known(0.1, 0.3), rel=0.15)
    word = np.maximum(0.1 + np.array([*WORDS.values()]), 0.0).mean() - 0.1
    assert table["value"]["word"] == pytest.approx(word, rel=0.2)
    assert table["value"]["y"] < 0.003
    apart = np.random.default_rng(2).normal(size=10**6) * np.hypot(0.5, 0.3) + 0.1
    apart += np.random.default_rng(3).choice([*WORDS.values()], 10**6)
    everything = np.maximum(apart, 0.0).mean() - 0.1
    assert found.evpi.value == pytest.approx(everything, rel=0.05)
    assert found.evpi.lower <= found.evpi.value <= found.evpi.upper
    assert found.chosen == "b"
    assert found.above_floor == ["x", "z", "word"]
    assert table["share"]["x"] == pytest.approx(table["value"]["x"] / found.evpi.value)


def test_a_uniform_factor_and_curves_are_known_too():
    rng = np.random.default_rng(4)
    u = rng.random(3000)
    for apart, expected in ((u - 0.5, 1 / 8), ((2 * u - 1) ** 2 - 1 / 3, 2 / (9 * np.sqrt(3)))):
        values = np.stack([np.zeros(3000), apart])[:, :, None].repeat(2, axis=2)
        found = information(values, "ab", pd.DataFrame({"u": u}), better=1, resamples=20)
        assert found.evpi.value == pytest.approx(expected, rel=0.06)
        assert found.factors["value"][0] == pytest.approx(expected, rel=0.06)


def test_intervals_cover_and_no_useless_factor_is_above_the_floor():
    truth = {"x": known(0.1, 0.5), "z": known(0.1, 0.3)}
    inside, above, trials = dict.fromkeys(truth, 0), 0, 40
    for seed in range(trials):
        values, settings = two(seed, futures=100, runs=8, noise=1.0)
        found = information(values, "ab", settings, better=1, resamples=150, seed=seed)
        table = valued(found)
        for name, expected in truth.items():
            inside[name] += table["low"][name] <= expected <= table["high"][name]
        above += table["above"]["y"]
    assert min(inside.values()) >= 0.85 * trials
    assert above <= 2


def test_pure_noise_has_no_value():
    found_any = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        settings = pd.DataFrame(rng.random((80, 8)))
        settings[8] = rng.choice(list("abcdefgh"), 80)
        values = rng.normal(size=(5, 80, 4))
        found = information(values, "abcde", settings, better=1, resamples=20, seed=seed)
        found_any += bool(found.above_floor)
        assert (found.factors["floor"] > 0.0).all()
    assert found_any <= 3


def test_noise_is_not_taken_for_information():
    truth, most, value = known(0.0, 0.3), [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        apart = 0.3 * rng.normal(size=(200, 1)) + rng.normal(size=(200, 16))
        settings = pd.DataFrame({"x": rng.random(200)})
        values = np.stack([np.zeros((200, 16)), apart])
        found = information(values, "ab", settings, better=1, resamples=5)
        most.append(found.evpi.upper)
        value.append(found.evpi.value)
    assert np.mean(most) > 1.2 * truth
    assert np.mean(value) == pytest.approx(truth, rel=0.1)


def test_what_always_wins_is_worth_no_knowledge():
    values, settings = two(5, futures=200)
    values[1] += 10.0
    found = information(values, "ab", settings, better=1, resamples=50)
    assert found.evpi.value == 0.0
    assert (found.factors["value"] == 0.0).all()
    assert found.above_floor == []
    assert found.factors["share"].isna().all()


def test_the_best_at_both_ends_is_told_of_numbers_only():
    values, settings = two(6)
    table = valued(information(values, "ab", settings, better=1, resamples=20))
    assert (table["lowest"]["x"], table["highest"]["x"]) == ("a", "b")
    less = valued(information(values, "ab", settings, better=-1, resamples=20))
    assert (less["lowest"]["x"], less["highest"]["x"]) == ("b", "a")
    assert not isinstance(table["lowest"]["word"], str)


def test_a_straight_line_is_kept_and_few_numbers_are_words():
    x = np.linspace(0.0, 1.0, 50)
    curve = Smoother.of(pd.Series(x))
    y = np.stack([x, 3.0 - 2.0 * x], axis=1)
    np.testing.assert_allclose(curve.fit(y, curve.strengths(y)), y, atol=1e-6)
    assert Smoother.of(pd.Series([1, 2, 3, 1])).columns.shape == (4, 3)
    assert Smoother.of(pd.Series([True, False, True])).columns.shape == (3, 2)


def test_weights_and_repeated_futures_are_the_same():
    rng = np.random.default_rng(7)
    curve, y = Smoother.of(pd.Series(rng.random(30))), rng.normal(size=(30, 2))
    strengths = curve.strengths(y)
    even = curve.refit(y.T[..., None], np.full((30, 1), 1.0 / 30.0), strengths)[..., 0].T
    np.testing.assert_allclose(even, curve.fit(y, strengths), atol=1e-6)
    places = rng.integers(30, size=(30, 3))
    np.testing.assert_allclose(i.future_weights(places).sum(axis=0), 1.0)
    assert i.future_weights(places)[places[0, 1], 1] == np.mean(places[:, 1] == places[0, 1])


def test_the_same_seed_says_the_same():
    values, settings = two(8, futures=60)
    one, two_ = (information(values, "ab", settings, better=1, resamples=30) for _ in range(2))
    assert one.factors.equals(two_.factors)
    assert one.evpi == two_.evpi


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.iloc[:50], "there are 50 rows for 60 futures"),
        (lambda s: s.assign(x=np.nan), "'x' is undefined in 60 of 60 futures"),
        (lambda s: s[[]], "there is no factor"),
        (lambda s: s.rename(columns={"x": "z"}), "a factor is given twice"),
    ],
)
def test_settings_that_do_not_fit_are_refused(change, message):
    values, settings = two(9, futures=60)
    with pytest.raises(InputError, match=message):
        information(values, "ab", change(settings), better=1)
    values[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="undefined in 1 of 480 runs"):
        information(values, "ab", settings, better=1)
