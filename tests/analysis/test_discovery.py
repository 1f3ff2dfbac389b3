"""Where strategies fail: planted boxes, words, noise, and nothing to find."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from kolabsim.analysis import discovery as d
from kolabsim.analysis.discovery import discover, failures, tree
from kolabsim.analysis.prim import QUASI_P, SMALLEST, Field
from kolabsim.errors import InputError, KolabsimError

FORMS = ("association", "contract", "joint_company")


def futures(seed, number=200, numbers=6):
    rng = np.random.default_rng(seed)
    settings = pd.DataFrame(
        rng.random((number, numbers)), columns=[f"x{k}" for k in range(numbers)]
    )
    settings["form"] = rng.choice(FORMS, number)
    settings["cap"] = rng.integers(2, 13, number)
    return settings, rng


def test_a_planted_box_of_numbers_and_words_is_found():
    settings, rng = futures(1, 300)
    inside = (settings["x0"] > 0.55) & (settings["x1"] < 0.5) & (settings["form"] != "contract")
    fails = inside.to_numpy() ^ (rng.random(300) < 0.03)
    found = discover(settings, fails, permutations=99)
    assert found.verdict == d.FOUND
    assert set(found.box.limits) == {"x0", "x1", "form"}
    assert found.box.limits["x0"].low == pytest.approx(0.55, abs=0.05)
    assert found.box.limits["x0"].high == np.inf
    assert found.box.limits["x1"].high == pytest.approx(0.5, abs=0.08)
    assert found.box.limits["form"] == {"association", "joint_company"}
    assert found.box.coverage > 0.7
    assert found.box.density > 0.8
    assert max(found.box.quasi_p.values()) < QUASI_P
    assert min(found.stability.values()) > 0.6
    assert found.p <= d.SIGNIFICANT
    coverage, density = found.out_of_bag
    assert 0.4 < coverage < 1.0
    assert 0.4 < density < 1.0


def test_figures_of_a_box_are_those_of_the_futures_inside():
    settings, rng = futures(2, 250)
    fails = ((settings["x2"] < 0.4) & (settings["cap"] >= 6)).to_numpy()
    fails = fails ^ (rng.random(250) < 0.05)
    found = discover(settings, fails, resamples=5, permutations=99)
    box, inside = found.box, found.box.holds(settings)
    assert (box.futures, box.failures) == (inside.sum(), fails[inside].sum())
    assert box.mass == pytest.approx(inside.mean())
    assert box.coverage == pytest.approx(fails[inside].sum() / fails.sum())
    assert box.density == pytest.approx(fails[inside].mean())
    for name, p in box.quasi_p.items():
        rest = Field.of(settings).box(
            {other: one for other, one in box.limits.items() if other != name}, fails
        )
        assert p == pytest.approx(binom.sf(box.failures - 1, box.futures, rest.density))
    assert box.limits["cap"].low == 6
    first, *_others = found.trajectory
    assert first.limits == {}
    assert first.coverage == first.mass == 1.0
    assert found.trajectory[-1].mass >= SMALLEST
    masses = [step.mass for step in found.trajectory]
    assert masses == sorted(masses, reverse=True)


def test_a_box_of_words_alone_is_found():
    settings, rng = futures(3)
    fails = (settings["form"] == "contract").to_numpy() ^ (rng.random(200) < 0.1)
    found = discover(settings, fails, resamples=20, permutations=99)
    assert found.box.limits == {"form": {"contract"}}
    assert found.stability["form"] > 0.9


def test_no_more_factors_are_restricted_than_asked():
    settings, _rng = futures(4, 120)
    fails = (settings[["x0", "x1", "x2"]] > 0.4).all(axis=1).to_numpy()
    assert set(discover(settings, fails, resamples=2, permutations=99).box.limits) == {
        "x0",
        "x1",
        "x2",
    }
    assert len(discover(settings, fails, most=2, resamples=2, permutations=99).box.limits) == 2


@pytest.mark.parametrize(
    ("share", "seeds"),
    [(0.3, 6), *(pytest.param(share, 30, marks=pytest.mark.long) for share in (0.1, 0.3, 0.6))],
)
def test_noise_is_not_reported_but_once_in_a_hundred(share, seeds):
    reported = 0
    for seed in range(seeds):
        settings, _rng = futures(seed, 80)
        noise = np.random.default_rng([7, seed, int(10 * share)]).random(80) < share
        found = discover(settings, noise, seed=seed, resamples=1, permutations=99)
        reported += found.verdict == d.FOUND
        if found.verdict == d.NOWHERE:
            assert found.box is None
            assert found.p > d.SIGNIFICANT
            assert np.isnan(found.out_of_bag).all()
    assert reported <= 2


@pytest.mark.parametrize(
    ("number", "verdict"),
    [(0, d.NEVER), (100, d.ALWAYS), (4, d.FEW), (97, d.FEW)],
)
def test_where_there_is_nothing_to_find_it_says_so(number, verdict):
    settings, _rng = futures(5, 100)
    found = discover(settings, np.arange(100) < number)
    assert found.verdict == verdict
    assert found.box is None
    assert found.share == number / 100


def test_the_same_seed_finds_the_same():
    settings, _rng = futures(6, 80)
    fails = (settings["x0"] > 0.7).to_numpy()
    one, two = (discover(settings, fails, seed=3, resamples=10, permutations=99) for _ in range(2))
    assert one.box.limits == two.box.limits
    assert one.stability == two.stability


# Failures ---------------------------------------------------------------------------------------

MEANS = np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]])


def test_failures_fall_short_of_a_threshold_or_a_baseline():
    values = np.repeat(MEANS[:, :, None], 2, axis=2)
    ask = {"values": values, "names": ("moving", "steady"), "strategy": "moving"}
    assert failures(**ask, better=1, threshold=2.0).tolist() == [True, False, False]
    assert failures(**ask, better=-1, threshold=2.0).tolist() == [False, False, True]
    assert failures(**ask, better=1, baseline="steady").tolist() == [True, False, False]
    assert failures(**ask, better=-1, baseline="steady").tolist() == [False, False, True]
    for wrong, message in (
        ({}, "give either a threshold or a baseline"),
        ({"threshold": 1.0, "baseline": "steady"}, "give either"),
        ({"baseline": "stedy"}, "did you mean 'steady'"),
    ):
        with pytest.raises(InputError, match=message):
            failures(**ask, better=1, **wrong)


def test_settings_that_do_not_fit_are_refused():
    settings, _rng = futures(7, 50)
    with pytest.raises(InputError, match="50 rows for 40 futures"):
        discover(settings, np.ones(40, bool))
    settings.loc[3, "form"] = None
    with pytest.raises(InputError, match="'form' is undefined in 1 of 50 futures"):
        discover(settings, np.arange(50) < 20)


# The tree ---------------------------------------------------------------------------------------


def test_a_tree_finds_the_same_box_and_its_leaves_are_boxes():
    pytest.importorskip("sklearn")
    settings, rng = futures(8, 300)
    fails = ((settings["x0"] > 0.6) & (settings["form"] != "contract")).to_numpy()
    fails = fails ^ (rng.random(300) < 0.02)
    found = tree(settings, fails)
    best = found.leaves[0]
    assert set(best.limits) >= {"x0", "form"}
    assert best.limits["x0"].low == pytest.approx(0.6, abs=0.05)
    assert best.limits["form"] == {"association", "joint_company"}
    assert best.futures == best.holds(settings).sum()
    assert best.failures == fails[best.holds(settings)].sum()
    assert found.skill > 0.9


def test_a_tree_has_no_skill_in_noise():
    pytest.importorskip("sklearn")
    skills = []
    for seed in range(10):
        settings, rng = futures(seed, 150)
        skills.append(tree(settings, rng.random(150) < 0.3).skill)
    assert np.mean(skills) == pytest.approx(0.5, abs=0.08)


def test_a_tree_of_too_few_failures_is_refused():
    pytest.importorskip("sklearn")
    settings, _rng = futures(9, 60)
    with pytest.raises(KolabsimError, match="at least 5 futures that fail"):
        tree(settings, np.arange(60) < 3)


def test_a_tree_says_what_it_needs(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.tree", None)
    settings, _rng = futures(9, 60)
    with pytest.raises(KolabsimError, match="needs the extra 'learning': pip install"):
        tree(settings, np.arange(60) < 30)
