"""What Mesa users expect of a Mesa model."""

import inspect

import mesa
import numpy as np
import pandas as pd
import pytest
from mesa.batchrunner import batch_run

from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.engine.mesa_model import CHANGEABLE, CollaborationModel, RegionalGovernment, Supporter
from kolabsim.errors import InputError
from kolabsim.model.measures import MEASURES
from kolabsim.model.state import ROW
from kolabsim.scenario.scenario import Scenario
from tests.builders import make_scenario


@pytest.fixture(scope="module")
def scenario():
    help_ = {"mechanisms": {"team": 0.6}, "support": {"ngo": 0.6, "government": 0.6}}
    keen = {"attention_base": 2.0, "decision_speed": 3.0}
    return make_scenario(6, horizon=10, strategies={"helped": help_}, parameters=keen)


@pytest.fixture(scope="module")
def finished(scenario):
    model = CollaborationModel(scenario, "helped", run=2, seed=5)
    while model.running:
        model.step()
    return model


def test_batch_run_gives_what_the_ensemble_gives(scenario):
    # From 3.5 on, batch_run takes the seeds itself, and overrules one among the parameters.
    takes_seeds = "rng" in inspect.signature(batch_run).parameters
    rows = batch_run(
        CollaborationModel,
        {"scenario": scenario, "strategy": ["voluntary", "helped"], "run": range(3)}
        | ({} if takes_seeds else {"seed": 5}),
        number_processes=1, max_steps=100, data_collection_period=1, display_progress=False,
        **({"rng": [5]} if takes_seeds else {}),
    )  # fmt: skip
    table = pd.DataFrame(rows)
    assert len(table) == 2 * 3 * 10
    for strategy in ("voluntary", "helped"):
        task = build_task(scenario, scenario.strategies[strategy], seed=5)
        history = run_block(task, np.arange(3)).history
        for run in range(3):
            rows = table[(table["strategy"] == strategy) & (table["run"] == run)]
            np.testing.assert_array_equal(rows[list(MEASURES)].to_numpy(float), history[run])


def test_it_ends_with_the_horizon(finished):
    assert finished.quarter == 10
    assert not finished.running


def test_after_the_horizon_nothing_happens(scenario):
    model = CollaborationModel(scenario, horizon=2)
    for _step in range(5):
        model.step()
    assert model.quarter == 2
    assert not model.running
    assert len(model.datacollector.get_model_vars_dataframe()) == 2


def test_the_data_collector_has_every_measure(finished):
    table = finished.datacollector.get_model_vars_dataframe()
    assert list(table) == list(MEASURES)
    assert len(table) == 10


def test_agent_sets_work(finished):
    regions = finished.agents_by_type[RegionalGovernment]
    assert len(regions) == 6
    mean = regions.agg("commitment", np.mean)
    assert mean == pytest.approx(finished.measures["commitment"])
    large = regions.select(lambda region: region.population > 30_000)
    assert {region.code for region in large} == {
        code
        for code, people in zip(
            finished.simulated.regions.codes, finished.simulated.regions.population, strict=True
        )
        if people > 30_000
    }
    assert len(regions.get("reputation")) == 6


def test_a_region_is_a_view_on_its_row(finished):
    region = finished.regional_governments[2]
    assert region.commitment == finished.state.region[2].commitment
    assert set(region.trust) == {other.code for other in region.contacts}
    assert all(0 <= value <= 1 for value in region.trust.values())
    with pytest.raises(AttributeError, match="comitment"):
        _ = region.comitment


def test_setting_a_column_changes_the_region(scenario):
    model = CollaborationModel(scenario, "helped", seed=5)
    model.step()
    regions = model.agents_by_type[RegionalGovernment]
    regions.set("commitment", 0.25)
    regions.set("reputation", 0.125)
    assert (model.state.region["commitment"] == 0.25).all()
    model.regional_governments[3].stress = 1.0
    assert model.state.region[3].stress == model.regional_governments[3].stress == 1.0
    at = model.state.sums[: model.state.slot.size, ROW.reputation]
    assert (at == 0.125).all(), "what follows from a column follows at once"
    with pytest.raises(AttributeError, match="'first' cannot be set"):
        model.regional_governments[0].first = 3
    with pytest.raises(AttributeError, match="'tier' cannot be set"):
        model.regional_governments[0].tier = "elsewhere"
    model.step()


@pytest.mark.parametrize(
    "value",
    [7, -0.1, np.nan, np.inf, 10**400, np.bool_(True), "0.5", None, 0.5 + 0j,
     np.complex128(0.5), np.timedelta64(1)],
)  # fmt: skip
def test_values_that_no_scenario_could_give_are_refused(scenario, value):
    region = CollaborationModel(scenario, "helped").regional_governments[0]
    before = region.commitment
    with pytest.raises(InputError, match=r"commitment is .*; allowed: from 0 to 1"):
        region.commitment = value
    assert region.commitment == before


@pytest.mark.parametrize("value", [1, np.int8(1), np.float16(1), np.float32(1), np.uint64(1)])
def test_numbers_of_any_kind_are_taken(scenario, value):
    region = CollaborationModel(scenario, "helped").regional_governments[0]
    region.commitment = region.population = region.aspiration = value
    assert region.commitment == region.population == region.aspiration == 1.0


@pytest.mark.parametrize("people", [0, -5, 1e300])
def test_a_population_has_the_bounds_of_a_table(scenario, people):
    region = CollaborationModel(scenario, "helped").regional_governments[0]
    with pytest.raises(InputError, match=r"population is .*; allowed: from 1 to 1e\+18"):
        region.population = people


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [10**400, float("nan"), float("inf"), "1", None, True, [0.5]])
def test_values_that_no_region_may_have_are_refused(scenario, value):
    region = CollaborationModel(scenario, "helped").regional_governments[0]
    for name in CHANGEABLE:
        with pytest.raises(InputError, match=f"{name} is .*; allowed: from"):
            setattr(region, name, value)
    region.stress = np.float32(0.25)
    assert region.stress == 0.25


def test_partners_are_mutual_and_in_the_agreements(finished):
    codes = {
        (agreement["area"], code) for agreement in finished.agreements()
        for code in agreement["members"]
    }  # fmt: skip
    assert codes, "nobody cooperates: the test says nothing"
    for region in finished.regional_governments:
        for area in finished.simulated.areas:
            partners = region.partners(area)
            assert ((area, region.code) in codes) == bool(partners)
            assert all(region in partner.partners(area) for partner in partners)


def test_supporters_are_agents_who_spend(finished):
    supporters = finished.agents_by_type[Supporter]
    assert [one.kind for one in supporters] == ["government", "ngo", "business", "community"]
    spent = dict(zip(supporters.get("kind"), supporters.get("spent"), strict=True))
    assert spent["ngo"] > 0
    assert spent["business"] == spent["community"] == 0
    assert all(one.title for one in supporters)


def test_an_agent_can_be_subclassed_with_state_of_its_own(scenario):
    class Diary(RegionalGovernment):
        def __init__(self, model, row):
            super().__init__(model, row)
            self.looks = 0

        def choose(self, options, me, draw):
            self.looks += 1
            assert options[0].gain == 0.0
            assert 0 <= me.stress <= 1
            return super().choose(options, me, draw)

    model = CollaborationModel(scenario, "helped", run=2, seed=5, agents=Diary)
    while model.running:
        model.step()
    assert sum(region.looks for region in model.regional_governments) > 0
    task = build_task(scenario, scenario.strategies["helped"], seed=5)
    expected = run_block(task, np.array([2])).history[0]
    found = model.datacollector.get_model_vars_dataframe().to_numpy()
    np.testing.assert_array_equal(found, expected)


def test_settings_by_dotted_names():
    model = CollaborationModel("kartamantul", **{"horizon": 3, "parameters.quality_value": 0.9})
    assert model.simulated.horizon == 3
    assert model.parameters.quality_value == 0.9
    assert Scenario.load("kartamantul").horizon == 40


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"strategy": "helpd"}, "did you mean 'helped'"),
        ({"horizn": 3}, "did you mean 'horizon'"),
        ({"seed": -1}, "seed: -1 is not a whole number from 0"),
        ({"seed": 0.5}, "seed: 0.5 is not"),
        ({"rng": True}, "seed: True is not"),
        ({"seed": 1, "rng": 1}, "either seed or rng"),
        ({"run": "3"}, "run: 3 is not"),
        ({"strategy": None}, "'None' is not a strategy"),
        ({"strategy": ["helped"]}, "is not a strategy"),
        ({"scenario": None}, "scenario: nothing is neither a scenario nor the name or path of one"),
        ({"agents": 3}, "agents: 3 is neither a class nor a function"),
        ({"agents": lambda _model, _row: None}, "nothing is not the RegionalGovernment of row 0"),
        ({"agents": lambda model, _row: RegionalGovernment(model, 0)}, "of row 1"),
    ],
)
def test_what_is_not_there_is_refused(scenario, more, words):
    with pytest.raises(InputError, match=words):
        CollaborationModel(**{"scenario": scenario} | more)


def test_seed_0_is_a_seed_and_none_means_1(scenario):
    seeds = [CollaborationModel(scenario, **more).draws_seed for more in ({"seed": 0}, {"rng": 0})]
    assert seeds == [0, 0]
    assert CollaborationModel(scenario, seed=None, rng=None).draws_seed == 1
    assert CollaborationModel(scenario, rng=np.int64(7)).draws_seed == 7


def test_areas_that_are_not_there_are_refused(finished):
    with pytest.raises(InputError, match="did you mean 'water'"):
        finished.regional_governments[0].partners("watr")


@pytest.mark.parametrize("answer", [99, -1, None, 0.0, True, "0"])
def test_choices_that_are_not_there_are_refused(scenario, answer):
    class Wild(RegionalGovernment):
        def choose(self, options, me, draw):
            return answer

    model = CollaborationModel(scenario, "helped", agents=Wild)
    with pytest.raises(InputError, match=f"chose option {answer}, but there are"):
        model.run_model()


def test_mesa_is_of_a_version_that_is_supported():
    assert mesa.__version__.startswith("3.")
