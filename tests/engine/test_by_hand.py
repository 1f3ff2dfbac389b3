"""The Mesa model written by hand, against which speed is measured, does what the ensemble does."""

from __future__ import annotations

import pytest

from benchmarks import by_address
from benchmarks.by_hand import ByHand, World
from kolabsim.scenario.scenario import Scenario

TOWNS = {
    "regions.synthetic.number": 20,
    "regions.synthetic.tiers": 2,
    "regions.synthetic.extent_km": 40,
    "horizon": 32,
    "parameters.attention_base": -2.4,
    "parameters.quality_value": 1.5,
    "parameters.autonomy_cost": 0.0,
    "parameters.startup_cost": 0.05,
    "parameters.exit_base": 2.0,
}
"""A small world in which much happens."""


@pytest.fixture(scope="module")
def towns() -> Scenario:
    return Scenario.load("small-towns").with_(TOWNS)


@pytest.mark.parametrize("strategy", ["voluntary", "full_package"])
def test_a_run_by_hand_has_the_outcomes_of_the_ensemble(towns: Scenario, strategy: str) -> None:
    assert by_address.compare(towns, strategy) < 1e-9


def test_everything_happens_in_that_world(towns: Scenario) -> None:
    model = by_address.ByAddress(World.of(towns, "full_package"), seed=1, run=0)
    for _ in range(towns.horizon):
        model.step()
    table = model.datacollector.get_model_vars_dataframe()
    for name in ("agreements", "refused", "ended", "shortfall"):
        assert table[name].sum() > 0, name
    assert table["largest_body"].max() > 3
    assert table["contracts"].max() > 0


def test_with_draws_of_mesa_a_seed_repeats_its_run(towns: Scenario) -> None:
    first, again, other = (ByHand(World.of(towns, "voluntary"), seed=seed) for seed in (1, 1, 2))
    for model in (first, again, other):
        for _ in range(8):
            model.step()
    assert (first.trust, first.opened) == (again.trust, again.opened)
    assert first.trust != other.trust


@pytest.mark.parametrize(
    "settings", [{"support.ngo": 0.5}, {"consent": "unanimity"}, {"unit_cost": "power"}]
)
def test_it_refuses_rules_that_it_leaves_out(towns: Scenario, settings: dict[str, object]) -> None:
    with pytest.raises(NotImplementedError, match="by hand"):
        World.of(towns.with_(settings), "voluntary")
