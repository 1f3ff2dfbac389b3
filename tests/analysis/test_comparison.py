import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kolabsim.analysis.comparison import COSTS, compare, convergence
from kolabsim.analysis.outlook import stand_alone_cost
from kolabsim.errors import InputError
from kolabsim.model.measures import CHANNELS, MEASURES
from kolabsim.scenario.futures import plausible_futures
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate
from kolabsim.study.collect import Results
from tests.builders import make_scenario

RNG = np.random.default_rng(20260101)
STRATEGIES = {"a": {}, "b": {}}


@pytest.fixture(scope="module")
def scenario():
    return make_scenario(3, strategies=STRATEGIES)


def table_of(values: dict[str, dict[str, np.ndarray]], futures=("default",)) -> pd.DataFrame:
    """A table of runs from arrays [futures, runs] by strategy and measure; all else is 0."""
    parts = []
    for strategy, measures in values.items():
        shape = next(iter(measures.values())).shape
        grid = np.indices(shape).reshape(2, -1)
        columns = {name: np.zeros(grid.shape[1]) for name in MEASURES}
        columns |= {name: np.asarray(part, float).ravel() for name, part in measures.items()}
        keys = {"strategy": strategy, "future": np.array(futures)[grid[0]], "run": grid[1]}
        parts.append(pd.DataFrame(keys | columns))
    table = pd.concat(parts, ignore_index=True)
    table["strategy"] = pd.Categorical(table["strategy"], categories=list(values))
    table["future"] = pd.Categorical(table["future"], categories=list(futures))
    return table


def results_of(scenario, values, futures=("default",), regions=None) -> Results:
    values = {
        name: {measure: np.atleast_2d(part) for measure, part in measures.items()}
        for name, measures in values.items()
    }
    return Results(
        scenario=scenario,
        strategies=tuple(values),
        futures={name: {} for name in futures},
        seed=1,
        runs=table_of(values, futures),
        quarters=None,
        regions=regions,
    )


def row(scenario, base, other, measure="efficiency", **options):
    """The difference between two strategies in one measure."""
    values = {"voluntary": {measure: base}, "a": {measure: other}}
    return compare(results_of(scenario, values), **options).table(measure).loc["a"]


# Differences ------------------------------------------------------------------------------------


def test_a_difference_worked_by_hand(scenario):
    found = row(scenario, [1, 2, 3], [2, 4, 3])
    # Differences 1, 2, 0: mean 1, standard deviation 1; t with 2 degrees of freedom is 4.303.
    assert found["difference"] == pytest.approx(1)
    assert found["high"] - found["difference"] == pytest.approx(4.302653 / 3**0.5, rel=1e-6)
    assert (found["baseline"], found["mean"]) == (2, 3)
    assert found["better_share"] == pytest.approx(2.5 / 3)
    assert (found["runs"], found["undefined"]) == (3, 0)
    # Variances 1 and 1 apart, 1 paired.
    assert found["variance_reduction"] == pytest.approx(2)
    assert found["verdict"] == "undecided"


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_intervals_cover_the_true_difference_as_often_as_they_say(scenario, level):
    studies, runs = 4000, 9
    common = RNG.normal(size=(studies, runs))
    base, other = common + RNG.normal(size=(2, studies, runs)) * 0.3
    futures = tuple(f"f{k}" for k in range(studies))
    values = {"voluntary": {"efficiency": base}, "a": {"efficiency": other + 0.7}}
    found = compare(results_of(scenario, values, futures), level=level).differences
    found = found[found["measure"] == "efficiency"]
    covered = ((found["low"] <= 0.7) & (found["high"] >= 0.7)).mean()
    assert covered == pytest.approx(level, abs=4 * (level * (1 - level) / studies) ** 0.5)
    one = stats.ttest_rel(other[0] + 0.7, base[0]).confidence_interval(level)
    assert tuple(found.iloc[0][["low", "high"]]) == pytest.approx(tuple(one))


def test_pairing_saves_as_much_as_the_correlation_of_the_pairs_says(scenario):
    correlation, runs = 0.9, 40_000
    common, one, other = RNG.normal(size=(3, runs))
    base, changed = (
        correlation**0.5 * common + (1 - correlation) ** 0.5 * own for own in (one, other)
    )
    found = row(scenario, base, changed)
    assert found["variance_reduction"] == pytest.approx(1 / (1 - correlation), rel=0.05)
    exact = (base.var(ddof=1) + changed.var(ddof=1)) / (changed - base).var(ddof=1)
    assert found["variance_reduction"] == pytest.approx(exact)


def test_a_strategy_that_changes_nothing_differs_by_exactly_nothing(scenario):
    values = RNG.normal(size=50)
    found = row(scenario, values, values)
    assert found["difference"] == found["low"] == found["high"] == 0.0
    assert (found["better_share"], found["verdict"]) == (0.5, "undecided")
    assert np.isnan(found["variance_reduction"])


def test_a_constant_difference_is_certain_only_after_enough_runs(scenario):
    base = RNG.normal(size=6)
    found = row(scenario, base, base + 1.0)
    assert found["low"] == found["high"] == pytest.approx(1.0)
    assert found["verdict"] == "better"
    found = row(scenario, base[:5], base[:5] + 1.0)  # by chance, 1 of 16 series has one sign
    assert np.isnan([found["low"], found["high"]]).all()
    assert found["verdict"] == "undecided"


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e12])
def test_rounding_errors_vary_nothing(scenario, size):
    base = size * (1.0 + RNG.random(8))
    for difference in (0.0, 1e-9 * size, 0.1 * size):
        changed = base + difference * (1.0 + 1e-15 * RNG.normal(size=8))
        found = row(scenario, base, changed)
        assert np.isnan(found["variance_reduction"])
        assert found["low"] == found["high"] == found["difference"]
    assert row(scenario, base, base * (1 + 1e-15))["verdict"] == "undecided"


def test_nulls_are_left_out_and_counted(scenario):
    nan = np.nan
    found = row(scenario, [1, nan, 3, nan, 5], [3, 4, nan, nan, 6], "decision_time")
    assert (found["runs"], found["undefined"]) == (2, 3)
    # The means are of the pairs used, so that they differ by the difference.
    assert (found["baseline"], found["mean"], found["difference"]) == (3, 4.5, 1.5)
    assert found["better_share"] == 0.0


def test_what_is_nowhere_defined_has_no_difference(scenario):
    nothing = np.full(4, np.nan)
    found = row(scenario, nothing, [1, 2, 3, 4], "decision_time")
    assert found[["difference", "low", "high", "better_share"]].isna().all()
    assert (found["runs"], found["undefined"], found["verdict"]) == (0, 4, "undecided")


def test_one_run_has_a_difference_but_no_interval(scenario):
    found = row(scenario, [1], [3])
    assert found["difference"] == 2
    assert np.isnan(found["low"])
    assert np.isnan(found["high"])
    assert found["verdict"] == "undecided"


def test_less_is_better_where_a_measure_says_so(scenario):
    found = row(scenario, [4, 5, 6, 5], [2, 2, 3, 2], "decision_time")
    assert (found["verdict"], found["better_share"], found["best_share"]) == ("better", 1, 1)
    found = row(scenario, [4, 5, 6, 5], [5, 6, 7, 6.5], "decision_time")
    assert (found["verdict"], found["better_share"], found["best_share"]) == ("worse", 0, 0)
    found = row(scenario, [4, 5, 6, 5], [5, 6, 7, 6.5], "cooperation")
    assert found["verdict"] == "different"
    assert np.isnan(found["better_share"])


def test_ties_for_the_best_are_divided(scenario):
    values = {
        "voluntary": {"efficiency": [0, 2, 1, np.nan]},
        "a": {"efficiency": [1, 2, 1, np.nan]},
        "b": {"efficiency": [1, 0, 1, 5]},
    }
    table = compare(results_of(scenario, values)).table("efficiency")
    assert table.loc["a", "best_share"] == pytest.approx((1 / 2 + 1 / 2 + 1 / 3 + 0) / 4)
    assert table.loc["b", "best_share"] == pytest.approx((1 / 2 + 0 + 1 / 3 + 1) / 4)


def test_runs_are_paired_by_number_however_the_table_is_sorted(scenario):
    base, other = RNG.normal(size=(2, 30))
    values = {"voluntary": {"efficiency": base}, "a": {"efficiency": other}}
    results = results_of(scenario, values)
    expected = compare(results).differences
    shuffled = results.runs.sample(frac=1, random_state=3)
    shuffled = shuffled.astype({"strategy": str, "future": str})
    found = compare(Results(**{**vars(results), "runs": shuffled})).differences
    pd.testing.assert_frame_equal(found, expected)


def test_a_run_that_failed_on_one_side_is_left_out(scenario):
    values = {"voluntary": {"efficiency": [1, 2, 3]}, "a": {"efficiency": [2, 3, 9]}}
    results = results_of(scenario, values)
    failed = (results.runs["strategy"] == "a") & (results.runs["run"] == 2)
    results = Results(**{**vars(results), "runs": results.runs[~failed]})
    found = compare(results).table("efficiency").loc["a"]
    assert (found["difference"], found["runs"], found["undefined"]) == (1, 2, 1)


def test_any_strategy_can_be_the_baseline(scenario):
    base, other = RNG.normal(size=(2, 20))
    there = row(scenario, base, other)
    values = {"voluntary": {"efficiency": base}, "a": {"efficiency": other}}
    back = compare(results_of(scenario, values), baseline="a").table("efficiency")
    assert back.loc["voluntary", "difference"] == pytest.approx(-there["difference"])
    assert back.loc["voluntary", "low"] == pytest.approx(-there["high"])


def test_strategies_are_put_in_order_with_undefined_ones_last(scenario):
    values = {
        "voluntary": {"decision_time": [5, 5]},
        "a": {"decision_time": [np.nan, np.nan]},
        "b": {"decision_time": [4, 4]},
    }
    comparison = compare(results_of(scenario, values))
    assert comparison.order("decision_time") == ["b", "a"]
    assert comparison.strategies == ("a", "b")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": "volontary"}, "was not simulated; did you mean 'voluntary'"),
        ({"level": 95}, "level: 95 is not between 0 and 1"),
    ],
)
def test_requests_that_make_no_sense_are_refused(scenario, options, message):
    values = {"voluntary": {"efficiency": [1, 2]}, "a": {"efficiency": [1, 2]}}
    with pytest.raises(InputError, match=message):
        compare(results_of(scenario, values), **options)
    with pytest.raises(InputError, match="nothing to compare"):
        compare(results_of(scenario, {"voluntary": {"efficiency": [1, 2]}}))


# Costs ------------------------------------------------------------------------------------------


def test_costs_are_beyond_the_baseline(scenario):
    values = {
        "voluntary": {"programme_cost": [1.0, 1.0], "saving": [5.0, 7.0]},
        "a": {"programme_cost": [3.0, 3.0], "saving": [9.0, 13.0]},
    }
    costs = compare(results_of(scenario, values)).costs.set_index("item")
    assert list(costs.index) == [*COSTS, "saving_per_cost"]
    assert costs.loc["programme_cost", "value"] == 2
    assert costs.loc["saving", "value"] == 5
    assert costs.loc["saving_per_cost", "value"] == 2.5


# What the engine gives --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    scenario = Scenario.load("kartamantul").with_(horizon=12)
    futures = {"default": {}, "costly": {"areas.waste.cost_per_resident": 80_000}}
    names = ["voluntary", "forum", "mandate", "grants"]
    return simulate(scenario, names, futures=futures, runs=24, seed=3)


@pytest.fixture(scope="module")
def comparison(real):
    return compare(real)


def test_the_channels_and_the_programme_add_up_to_the_difference(comparison):
    total = comparison.channels.groupby(["strategy", "future"], observed=True)["difference"].sum()
    net = comparison.differences.set_index(["measure", "strategy", "future"])["difference"]
    pd.testing.assert_series_equal(
        total, net["realised_benefit"].loc[total.index], check_names=False, rtol=1e-9
    )
    assert set(comparison.channels["channel"]) == set(CHANNELS)
    programme = comparison.channels.set_index(["channel", "strategy", "future"]).loc["programme"]
    for strategy in ("forum", "mandate"):
        assert (programme["difference"].xs(strategy) < 0.0).all()


def test_stand_alone_cost_is_what_the_engine_divides_by():
    changes = [
        {"what": "population", "growth": 0.05},
        {"what": "demand", "factor": 1.5, "from": 3, "until": 6, "areas": ["waste"]},
    ]
    scenario = Scenario.load("kartamantul").with_(horizon=9, changes=changes)
    quarters = simulate(scenario, ["voluntary"], runs=3).quarters
    paid = (quarters["saving"] / quarters["efficiency"]).groupby(quarters["run"]).sum()
    assert paid.to_numpy() == pytest.approx(stand_alone_cost(scenario).sum())
    alone = simulate(scenario, ["voluntary"], runs=1)
    assert len(stand_alone_cost(alone.scenario)) == len(scenario.regions)


def test_winners_are_what_the_regions_table_says(real, comparison):
    table = real.regions
    money = table.groupby(["strategy", "future", "run", "region"], observed=True)["benefit_money"]
    money = money.sum().unstack("strategy")
    for strategy, future, code in (("mandate", "costly", "34.04"), ("forum", "default", "34.71")):
        pair = money.xs(future, level="future").xs(code, level="region")
        difference = pair[strategy] - pair["voluntary"]
        low, high = stats.ttest_1samp(difference, 0).confidence_interval(0.95)
        here = comparison.winners.set_index(["strategy", "future", "region"])
        here = here.loc[(strategy, future, code)]
        assert here["money"] == pytest.approx(difference.mean())
        assert (here["money_low"], here["money_high"]) == pytest.approx((low, high))
        world = real.scenario.with_(real.futures[future])
        place = world.regions.codes.index(code)
        assert here["difference"] == pytest.approx(
            difference.mean() / stand_alone_cost(world)[place]
        )
        # Of 3 strategies in 7 regions; what is less than 0.1% of cost hardly matters.
        strict = stats.ttest_1samp(difference, 0).confidence_interval(1 - 0.05 / 21)
        low, high = (end / stand_alone_cost(world)[place] for end in strict)
        assert here["verdict"] == (
            "gains"
            if low > 0.001
            else "loses"
            if high < -0.001
            else "hardly changes"
            if max(-low, high) <= 0.001
            else "undecided"
        )
        assert here["name"] == world.regions.names[place]


def test_gains_of_regions_add_up_to_the_whole_where_they_bear_the_cost(comparison):
    gains = comparison.winners.groupby(["strategy", "future"], observed=True)["money"].sum()
    whole = comparison.differences.set_index(["measure", "strategy", "future"])["difference"]
    whole = whole["benefit_money"]
    for future in comparison.futures:
        assert gains["forum", future] == pytest.approx(whole["forum", future])
        # Central government pays for these, so regions gain more than all together.
        for strategy in ("grants", "mandate"):
            assert gains[strategy, future] > whole[strategy, future]


def test_tables_are_tidy(comparison):
    assert len(comparison.differences) == 3 * 2 * len(MEASURES)
    assert len(comparison.winners) == 3 * 2 * 7
    assert len(comparison.channels) == 3 * 2 * len(CHANNELS)
    assert len(comparison.costs) == 3 * 2 * (len(COSTS) + 1)
    assert comparison.runs == 24
    assert (comparison.differences["runs"] + comparison.differences["undefined"] == 24).all()


def test_without_regions_there_are_no_winners(real):
    bare = Results(**{**vars(real), "regions": None})
    assert len(compare(bare).winners) == 0


# Convergence -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulated():
    scenario = Scenario.load("kartamantul").with_(horizon=8)
    futures = {
        "first": {},
        "same": {"parameters.attention_base": scenario.parameters.get("attention_base", -5.0)},
        "costly": {"parameters.startup_cost": 1.0, "parameters.transition_cost": 0.1},
    }
    return simulate(scenario, ["voluntary", "forum", "team"], futures=futures, runs=20, seed=2)


def test_all_runs_say_what_the_comparison_says(simulated):
    comparison = compare(simulated)
    found = convergence(simulated, comparison)
    assert found["runs"].tolist() == [10, 20]
    last, order = found.iloc[-1], comparison.order()
    row = comparison.table("realised_benefit").loc[order[0]]
    assert last["best"] == order[0]
    assert tuple(last[["difference", "low", "high"]]) == pytest.approx(
        tuple(row[["difference", "low", "high"]])
    )
    next_ = compare(simulated, baseline=order[1]).table("realised_benefit").loc[order[0]]
    assert last["lead"] == pytest.approx(next_["difference"])
    fewer = compare(
        type(simulated)(**{**vars(simulated), "runs": simulated.runs[simulated.runs["run"] < 10]})
    )
    row = fewer.table("realised_benefit").loc[order[0]]
    assert found["low"].iloc[0] == pytest.approx(row["low"])


# Plausible futures ------------------------------------------------------------------------------


PLAUSIBLE = tuple(f"plausible-{k}" for k in range(1, 21))


def plausible(scenario, differences, **options):
    """A comparison of "a" and "b" with a baseline of zero, from differences by future."""
    values = {"voluntary": {"realised_benefit": np.zeros((20, 2))}}
    for name, some in differences.items():
        values[name] = {"realised_benefit": np.repeat(np.asarray(some)[:, None], 2, axis=1)}
    return compare(results_of(scenario, values, PLAUSIBLE), **options)


def test_the_result_over_plausible_futures_worked_by_hand(scenario):
    one = np.full(20, 0.02)
    other = np.array([0.05] * 3 + [0.0102] * 8 + [0.0098] * 8 + [-0.05])
    found = plausible(scenario, {"a": one, "b": other})
    assert found.is_varied
    table = found.table("realised_benefit")
    assert table.loc["a", ["difference", "low", "high"]].tolist() == pytest.approx([0.02] * 3)
    assert table.loc["b", "difference"] == pytest.approx(0.0102)
    # Quantiles of 20 values: 0.95 of the way from the first to the second, 0.05 from the last.
    assert table.loc["b", "low"] == pytest.approx(-0.05 + 0.95 * 0.0598)
    assert table.loc["b", "high"] == pytest.approx(0.05)
    assert table["better_share"].tolist() == [1.0, 0.95]
    assert table["worse_share"].tolist() == [0.0, 0.05]
    assert table["best_share"].tolist() == [0.85, 0.15]
    assert table["verdict"].tolist() == ["robustly better", "robustly better"]
    assert (table["futures"] == 20).all()
    assert (table["runs"] == 40).all()
    assert found.order() == ["a", "b"]
    # A single future is there too.
    assert found.table("realised_benefit", future="plausible-1").loc["b", "difference"] == 0.05


def test_the_record_of_the_headline_has_every_run(scenario):
    found = plausible(scenario, {"a": np.linspace(0.01, 0.03, 20), "b": np.zeros(20)}).headline
    assert (found.strategies, found.futures) == (("a", "b"), PLAUSIBLE)
    assert found.differences.shape == (2, 20, 2)
    assert found.effects.values[0] == pytest.approx(np.linspace(0.01, 0.03, 20))
    assert found.median == pytest.approx([0.02, 0.0])
    assert found.verdict.tolist() == ["robustly better", "hardly changes"]
    assert (found.better.tolist(), found.first.tolist()) == ([1.0, 0.0], [1.0, 0.0])


def test_the_threshold_and_levels_are_those_of_the_caller(scenario):
    some = {"a": [0.005] * 18 + [-0.005] * 2}
    verdict = lambda **options: plausible(scenario, some, **options).headline.verdict[0]  # noqa: E731
    assert verdict() == "likely better"
    assert verdict(robust=0.9) == "robustly better"
    assert verdict(practical_threshold=0.006) == "hardly changes"


def test_criteria_that_make_no_sense_are_refused_together(scenario):
    with pytest.raises(InputError) as refusal:
        plausible(scenario, {"a": np.zeros(20)}, practical_threshold=-1.0, robust=95, likely=0.2)
    assert [problem.message for problem in refusal.value.problems] == [
        "practical_threshold: -1.0 is not allowed; allowed: from 0 to below 1",
        "robust: 95 is not allowed; allowed: more than 0.5 and less than 1",
        "likely: 0.2 is not allowed; allowed: more than 0.5 and less than 1",
    ]


def test_named_futures_are_no_part_of_the_range(scenario):
    values = {
        "voluntary": {"realised_benefit": np.zeros((3, 4))},
        "a": {"realised_benefit": np.repeat([[9.0], [1.0], [3.0]], 4, axis=1)},
    }
    found = compare(results_of(scenario, values, ("default", "plausible-1", "plausible-2")))
    assert found.plausible == ("plausible-1", "plausible-2")
    assert found.table("realised_benefit").loc["a", ["low", "high"]].tolist() == [1.0, 3.0]
    alone = compare(results_of(scenario, values, ("default", "plausible-1", "other")))
    assert not alone.is_varied
    assert alone.table("realised_benefit").loc["a", "difference"] == 9.0


def test_regions_lose_over_plausible_futures_by_one_definition():
    scenario = Scenario.load("kartamantul")
    results = simulate(
        scenario, ["voluntary", "mandate", "team"], futures=plausible_futures(20, scenario), runs=3
    )
    found = compare(results)
    losers, table = found.losers(), found.regions()
    assert set(losers["verdict"]) <= {"likely loses", "robustly loses"}
    assert (losers["worse_share"] >= 0.8).all()
    assert (losers["difference"] < -0.001).all()
    # By hand: the median over futures of a region's money, from differences by future.
    code, each = table["region"].iloc[0], found.winners
    here = each[(each["strategy"] == "mandate") & (each["region"] == code)]
    row = table[(table["strategy"] == "mandate") & (table["region"] == code)].iloc[0]
    middle, spread = here["money"].mean(), here["money"].to_numpy() - here["money"].mean()
    kept = (row["money_high"] - row["money_low"]) / np.ptp(np.quantile(spread, (0.05, 0.95)))
    assert 0.0 < kept <= 1.0
    assert row["money"] == pytest.approx(middle + kept * np.median(spread))
    assert len(found.money()) == 2 * (len(COSTS) + 1)


def test_plausible_futures_have_draws_of_their_own_that_strategies_share():
    scenario = Scenario.load("small-towns").with_(horizon=4)
    futures = {"default": {}, "same": {}, "plausible-1": {}, "plausible-2": {}}
    runs = simulate(scenario, ["voluntary", "team"], futures=futures, runs=3, seed=5).runs
    values = {
        name: runs[(runs["future"] == name) & (runs["strategy"] == "voluntary")]["trust"].to_numpy()
        for name in futures
    }
    assert (values["default"] == values["same"]).all()
    assert (values["default"] != values["plausible-1"]).all()
    assert (values["plausible-1"] != values["plausible-2"]).all()
    unchanged = {"plausible-1": {"mechanisms.team": 0}}
    again = simulate(scenario, ["voluntary"], futures=unchanged, runs=3, seed=5).runs
    assert (again["trust"].to_numpy() == values["plausible-1"]).all()
