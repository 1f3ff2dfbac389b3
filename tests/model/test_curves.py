"""The curves of the laws: each does what its sentence claims, and nothing is missing."""

import numpy as np
import pytest

from kolabsim.model import laws
from kolabsim.model.curves import BENDS, CURVES, FALLS, RISES, STEPS, chosen
from kolabsim.model.parameters import PARAMETERS


@pytest.mark.parametrize("curve", CURVES, ids=lambda one: one.name)
def test_a_law_moves_in_the_direction_that_is_claimed(curve):
    for line in curve.lines:
        values = curve.values(line=line)
        assert np.isfinite(values).all()
        change = np.diff(values)
        # Some variants do not move at all: a provider decides alone.
        if curve.direction == RISES:
            assert (change >= -1e-12).all()
        elif curve.direction == FALLS:
            assert (change <= 1e-12).all()
        else:
            assert curve.direction == BENDS
            assert change.min() < 0.0 < change.max()
    assert any(np.ptp(curve.values(line=line)) > 0.0 for line in curve.lines)


def test_a_curve_reads_the_parameters_of_its_law_and_of_those_it_calls():
    [trust] = chosen(["leaving(trust)"])
    assert trust.parameters == ("exit_base", "exit_trust")
    [pooling] = chosen(["pooling"])
    assert pooling.parameters == ("pooling", "forum_strength", "business_strength")
    high = trust.values({"exit_trust": PARAMETERS["exit_trust"].high})
    assert not np.array_equal(high, trust.values())
    assert np.array_equal(trust.values({"scope": 0.0}), trust.values())


def test_curves_are_chosen_by_law_by_argument_and_by_group():
    assert chosen() == CURVES
    assert {one.law for one in chosen(["leaving", "noticing"])} == {"leaving", "noticing"}
    assert all(one.group == "conduct" for one in chosen(["conduct"]))
    assert {one.group for one in CURVES} == set(STEPS)
    assert len({one.name for one in CURVES}) == len(CURVES)


def test_every_parameter_of_a_law_is_in_some_curve():
    """All but those of distributions, which are no laws, and those of sums over the whole model."""
    read = {name for one in CURVES for name in one.parameters}
    elsewhere = {
        "culture_spread", "culture_between", "interest_concentration", "stress_mean",
        "goodwill_mean", "autonomy_mean", "commitment_start", "reputation_start", "horizon_years",
        "overhead_cost", "lever_price",
    }  # fmt: skip
    assert read | elsewhere == set(PARAMETERS)
    assert not read & elsewhere
    assert all(hasattr(laws, one.law) for one in CURVES)
