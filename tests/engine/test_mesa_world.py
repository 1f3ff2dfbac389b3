"""What the tools of the Mesa world do with a model: sweeps, collectors, drawers, EMA Workbench."""

import inspect
import pickle
import warnings
from collections import Counter

import mesa
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from mesa.batchrunner import batch_run

import kolabsim as ks
from kolabsim.engine.mesa_model import (
    CollaborationModel,
    RegionalGovernment,
    Supporter,
    on_the_map,
)
from kolabsim.errors import InputError
from kolabsim.model.parameters import PARAMETERS
from tests.builders import make_scenario, region_rows


class Watched(CollaborationModel):
    """A model whose user collects more than the measures."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.datacollector = mesa.DataCollector(
            model_reporters={"bodies": lambda model: len(model.agreements()), "joint": joint},
            agenttype_reporters={
                RegionalGovernment: {"code": "code", "commitment": "commitment", "trust": trust}
            },
        )


class Loner(RegionalGovernment):
    """A region that keeps things as they are, and counts how often it did."""

    kept = 0

    def choose(self, options, me, draw):
        self.kept += 1
        return 0


def joint(model):
    return model.measures["cooperation"]


def trust(region):
    return sum(region.trust.values())


@pytest.fixture(scope="module")
def scenario():
    help_ = {"mechanisms": {"team": 0.6}, "support": {"ngo": 0.6, "government": 0.6}}
    keen = {"attention_base": 2.0, "decision_speed": 3.0}
    return make_scenario(6, horizon=8, strategies={"helped": help_}, parameters=keen)


@pytest.fixture(scope="module")
def finished(scenario):
    model = Watched(scenario, "helped", run=2, seed=5)
    model.run_model()
    return model


def sweep(scenario, processes, **more):
    """Rows of a sweep; from 3.5 on batch_run takes the seeds itself."""
    takes_seeds = "rng" in inspect.signature(batch_run).parameters
    seeds = {} if takes_seeds else {"seed": 5}
    return batch_run(
        Watched,
        {"scenario": scenario, "strategy": ["voluntary", "helped"], "run": range(2)} | seeds | more,
        number_processes=processes, max_steps=100, data_collection_period=1,
        display_progress=False, **({"rng": [5]} if takes_seeds else {}),
    )  # fmt: skip


@pytest.mark.long
def test_a_sweep_in_two_processes_is_a_sweep_in_one(scenario):
    rows = [
        pd.DataFrame(sweep(scenario, processes, horizon=[3, 4])).drop(columns=["scenario"])
        for processes in (1, 2)
    ]
    # Who is ready first is written first; from 3.5 on there is a row for each agent.
    keys = [name for name in ("RunId", "Step", "AgentID") if name in rows[0]]
    rows = [table.sort_values(keys, ignore_index=True) for table in rows]
    pd.testing.assert_frame_equal(*rows)
    assert rows[0].groupby(["strategy", "horizon"])["run"].nunique().eq(2).all()
    assert rows[0].groupby("horizon")["Step"].nunique().to_dict() == {3: 3, 4: 4}


def test_a_collector_of_ones_own_follows_model_and_agents(finished):
    of_model = finished.datacollector.get_model_vars_dataframe()
    of_regions = finished.datacollector.get_agenttype_vars_dataframe(RegionalGovernment)
    assert list(of_model) == ["bodies", "joint"]
    assert of_model["bodies"].iloc[-1] == len(finished.agreements()) > 0
    last = of_regions.xs(8, level="Step")
    assert last["code"].tolist() == list(finished.simulated.regions.codes)
    assert last["commitment"].tolist() == [one.commitment for one in finished.regional_governments]
    assert of_regions.groupby("Step")["commitment"].mean().iloc[-1] == pytest.approx(
        finished.measures["commitment"]
    )


def test_agent_sets_select_sort_group_and_aggregate(finished):
    regions = finished.agents_by_type[RegionalGovernment]
    ordered = regions.sort("population", ascending=True)
    assert ordered.get("population") == sorted(regions.get("population"))
    largest = regions.select(at_most=2, filter_func=lambda region: region.population > 0)
    assert len(largest) == 2
    tiers = regions.groupby("tier")
    assert tiers.count() == Counter(finished.simulated.regions.tier)
    east = [one.commitment for one in finished.regional_governments if one.tier == "east"]
    assert tiers.agg("commitment", np.mean)["east"] == pytest.approx(np.mean(east))
    seen = []
    regions.shuffle_do(lambda region: seen.append(region.code))
    assert sorted(seen) == list(finished.simulated.regions.codes)


def test_who_looks_at_agent_sets_changes_no_history(scenario, finished):
    model = Watched(scenario, "helped", run=2, seed=5)
    while model.running:
        model.agents_by_type[RegionalGovernment].shuffle_do(lambda region: region.contacts)
        _ = model.grid
        model.step()
    pd.testing.assert_frame_equal(
        model.datacollector.get_model_vars_dataframe(),
        finished.datacollector.get_model_vars_dataframe(),
    )


def test_subclassed_regions_that_keep_alone_stay_alone(scenario, finished):
    model = CollaborationModel(scenario, "helped", run=2, seed=5, agents=Loner)
    model.run_model()
    assert model.agents_by_type[Loner].agg("kept", sum) > 0
    assert not model.agreements()
    assert finished.agreements(), "nobody cooperates anyway: the test says nothing"


def end_of(model):
    """How a run ended, to the last bit."""
    model.run_model()
    figures = [*model.measures.values(), *model.state.contact["trust"].tolist()]
    return np.array(figures, float).tobytes()


def test_regions_of_several_classes_all_take_part(scenario, finished):
    class Other(RegionalGovernment):
        """Decides as the scenario says, like the rest."""

    def half(model, row):
        return (Other if row % 2 else RegionalGovernment)(model, row)

    def some_alone(model, row):
        return (Loner if row < 4 else RegionalGovernment)(model, row)

    model = CollaborationModel(scenario, "helped", run=2, seed=5, agents=half)
    assert len(model.agents_by_type[Other]) == 3
    assert end_of(model) == end_of(finished)
    model = CollaborationModel(scenario, "helped", run=2, seed=5, agents=some_alone)
    assert end_of(model) != end_of(finished)
    assert model.agents_by_type[Loner].agg("kept", sum) > 0


def test_agents_of_ones_own_may_stand_beside(scenario, finished):
    class Journalist(mesa.Agent):
        pass

    model = CollaborationModel(scenario, "helped", run=2, seed=5)
    journalist = Journalist(model)
    model.step()
    journalist.remove()
    assert end_of(model) == end_of(finished)


def test_regions_come_and_go_with_the_scenario_only(scenario):
    model = CollaborationModel(scenario)
    with pytest.raises(InputError, match="R000 cannot be removed from a run; leave it out of"):
        model.regional_governments[0].remove()
    with pytest.raises(InputError, match="ngo cannot be removed"):
        model.supporters[1].remove()
    with pytest.raises(InputError, match="cannot be added to a run"):
        RegionalGovernment(model, 0)
    with pytest.raises(InputError, match="cannot be added to a run"):
        Supporter(model, "ngo")
    assert len(model.agents) == 6 + 4
    assert repr(model.regional_governments[0]) == "<RegionalGovernment R000 R000>"
    assert repr(model.supporters[1]) == "<Supporter ngo>"


def test_the_name_scenario_is_left_to_mesa(finished):
    assert getattr(finished, "scenario", None) is None
    with pytest.raises(AttributeError, match="what is simulated is in 'simulated'"):
        _ = finished.scenario


def test_the_grid_is_who_knows_whom(finished):
    assert finished.grid is finished.grid
    assert len(finished.grid.agents) == 6
    for region in finished.regional_governments:
        near = [agent for cell in region.cell.neighborhood for agent in cell.agents]
        assert sorted(one.code for one in near) == sorted(one.code for one in region.contacts)


def test_regions_lie_on_the_map_where_the_table_says(finished):
    places, table = on_the_map(finished.grid.G), finished.simulated.regions
    assert [places[row] for row in range(6)] == list(
        zip(table.longitude, table.latitude, strict=True)
    )


def test_without_places_there_is_a_network_and_no_map():
    rows = [{"code": row["code"], "population": row["population"]} for row in region_rows(3)]
    pairs = [("R000", "R001", "yes", 5), ("R001", "R002", "yes", 5)]
    model = CollaborationModel(make_scenario(rows, contacts=pairs, areas={"water": {"haul": 0}}))
    assert nx.is_connected(model.grid.G)
    with pytest.raises(InputError, match="some regions have no coordinates"):
        on_the_map(model.grid.G)


def drawers():
    for package in ("solara", "altair"):
        pytest.importorskip(package, reason=f"Mesa's drawers need {package}: make compatibility")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what solara and others do when they are imported
        import mesa.visualization
        import mesa.visualization.mpl_space_drawing
    return mesa.visualization


@pytest.mark.parametrize("how", [{}, {"layout_alg": on_the_map}], ids=["network", "map"])
def test_mesas_drawers_draw_the_regions(finished, how):
    viz = drawers()
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

    def portray(region):
        return viz.components.AgentPortrayalStyle(size=10 + 90 * region.commitment)

    ax = viz.mpl_space_drawing.draw_space(finished.grid, portray, ax=Figure().add_subplot(), **how)
    points = np.concatenate(
        [part.get_offsets() for part in ax.collections if isinstance(part, PathCollection)]
    )
    assert len(points) == 6
    if how:
        expected = np.array(list(on_the_map(finished.grid.G).values()))
        np.testing.assert_allclose(np.sort(points, axis=0), np.sort(expected, axis=0))


def widgets(found):
    """All widgets below one."""
    from ipywidgets import Widget

    seen, left = {}, [found]
    while left:
        value = left.pop()
        if isinstance(value, Widget) and id(value) not in seen:
            seen[id(value)] = value
            left += [getattr(value, key, None) for key in value.keys]
        elif isinstance(value, list | tuple | dict):
            left += value.values() if isinstance(value, dict) else value
    return list(seen.values())


def named(box, kind, name):
    """The one widget of a kind that bears a name."""
    found = [
        one for one in widgets(box)
        if type(one).__name__ == kind
        and (getattr(one, "label", None) == name or name in (getattr(one, "children", None) or []))
    ]  # fmt: skip
    assert len(found) == 1, (kind, name, found)
    return found[0]


@pytest.mark.filterwarnings("ignore")  # of what Mesa, Solara and others say of each other
def test_a_page_of_mesa_steps_resets_and_follows_its_controls(scenario):
    viz = drawers()
    import solara

    def portray(region):
        return viz.components.AgentPortrayalStyle(size=10 + 90 * region.commitment)

    model = solara.reactive(CollaborationModel(scenario, "helped", seed=5))
    page = viz.SolaraViz(
        model,
        components=[
            viz.make_space_component(portray, layout_alg=on_the_map),
            viz.make_plot_component("cooperation"),
        ],
        model_params={
            "scenario": scenario, "strategy": "helped",
            "run": viz.Slider("Run", 0, 0, 9, 1),
            "parameters.trust_start": viz.Slider("Trust", 0.5, 0.3, 0.7, 0.1),
        },
    )  # fmt: skip
    # With the layout around it, because controls stand in its sidebar.
    box, context = solara.render(solara.AppLayout(children=[page]), handle_error=False)
    pictures = {one.value for one in widgets(box) if type(one).__name__ == "Image"}
    assert len(pictures) == 2
    for _click in range(4):
        named(box, "Btn", "Step").click()
    assert model.value.quarter == 4
    assert pictures != {one.value for one in widgets(box) if type(one).__name__ == "Image"}
    named(box, "Slider", "Run").v_model = 7
    named(box, "Slider", "Trust").v_model = 0.6
    named(box, "Btn", "Reset").click()
    assert (model.value.quarter, model.value.run_number) == (0, 7)
    assert model.value.parameters.trust_start == 0.6
    assert model.value.strategy.name == "helped"
    context.close()


# EMA Workbench -----------------------------------------------------------------------------------


def test_a_function_gives_the_means_of_runs(scenario):
    function = ks.as_function(scenario, "voluntary", ["efficiency", "trust"], runs=3, seed=5)
    settings = {"parameters.quality_value": 0.9}
    for strategy in ("voluntary", "helped"):
        runs = ks.simulate(scenario.with_(settings), [strategy], runs=3, seed=5).runs
        expected = {name: runs[name].mean() for name in ("efficiency", "trust")}
        assert function(strategy=strategy, **settings) == expected
    again = pickle.loads(pickle.dumps(function))
    assert again() == function()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"strategy": "helpd"}, "did you mean 'helped'"),
        ({"measures": ["trst"]}, "did you mean 'trust'"),
        ({"runs": 0}, "runs: 0 is not"),
    ],
)
def test_a_function_of_what_is_not_there_is_refused(scenario, given, words):
    with pytest.raises(InputError, match=words):
        ks.as_function(scenario, **given)


def test_a_function_refuses_settings_that_are_not_there(scenario):
    function = ks.as_function(scenario, measures=["trust"], runs=1)
    with pytest.raises(InputError, match="strategy=NAME"):
        function()
    with pytest.raises(InputError, match="quality_value"):
        function(strategy="helped", **{"parameters.qualty_value": 0.5})


def test_the_ema_workbench_drives_it(scenario):
    pytest.importorskip("ema_workbench", reason="ema_workbench is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it, and what it brings, do when imported
        from ema_workbench import (
            CategoricalParameter,
            Model,
            RealParameter,
            ScalarOutcome,
            perform_experiments,
        )

        names = ("quality_value", "learning")
        measures = ["efficiency", "trust"]
        function = ks.as_function(scenario, measures=measures, runs=2, seed=5)
        model = Model("kolabsim", function=function)
        model.uncertainties = [
            RealParameter(
                name, PARAMETERS[name].low, PARAMETERS[name].high,
                variable_name=f"parameters.{name}",
            )
            for name in names
        ]  # fmt: skip
        model.levers = [CategoricalParameter("strategy", ["voluntary", "helped"])]
        model.outcomes = [ScalarOutcome(name) for name in measures]
        experiments, outcomes = perform_experiments(model, scenarios=3, policies=2)
    assert len(experiments) == len(outcomes["trust"]) == 6
    for k, row in enumerate(experiments.to_dict("records")):
        settings = {f"parameters.{name}": row[name] for name in names}
        expected = function(strategy=row["strategy"], **settings)
        assert {name: outcomes[name][k] for name in measures} == expected
