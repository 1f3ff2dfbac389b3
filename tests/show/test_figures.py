import sys
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pandas as pd
import pytest

from kolabsim.analysis.compare import compare
from kolabsim.language import set_language
from kolabsim.model.measures import MEASURES
from kolabsim.show import figures, places
from kolabsim.show.drawing import MARKS, overlap, spots, styled
from kolabsim.show.words import winner_scale
from kolabsim.study.results import Results
from kolabsim.study.runner import simulate
from kolabsim.world.scenario import Scenario
from tests.builders import make_scenario

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def speak_english():
    set_language("en")
    yield
    set_language("en")


@pytest.fixture(scope="module")
def results():
    scenario = Scenario.load("kartamantul").with_(horizon=10)
    return simulate(scenario, runs=12, seed=2)


@pytest.fixture(scope="module")
def comparison(results):
    return compare(results)


def texts(figure) -> str:
    """All words of a figure."""
    root = ET.fromstring(figures.to_svg(figure, alt="a figure"))
    return " ".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))


def all_figures(results, comparison):
    order = comparison.order()
    yield figures.forest(comparison, ["realised_benefit", "decision_time", "cooperation"])
    yield figures.forest(comparison, ["net_saving"])
    yield figures.envelopes(results, "cooperation", ["voluntary", *order[:2]])
    yield figures.envelopes(results, "realised_benefit", order, baseline="voluntary")
    yield figures.winners(comparison)
    yield figures.regions_map(comparison, order[0])
    yield figures.channels(comparison)
    yield figures.cost_effectiveness(comparison)


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_figure_is_an_accessible_picture_with_text(results, comparison, language):
    set_language(language)
    for figure in all_figures(results, comparison):
        svg = figures.to_svg(figure, alt="a <b> & c")
        root = ET.fromstring(svg)
        assert root.tag == f"{SVG}svg"
        assert root.get("role") == "img"
        assert root[0].tag == f"{SVG}title"
        assert root[0].text == "a <b> & c"
        assert root.get("aria-labelledby") == root[0].get("id")
        assert root.find(f".//{SVG}text") is not None
        assert "nan" not in texts(figure).split()
        assert "http" not in svg.replace("http://www.w3.org", "")


def test_a_figure_is_the_same_bytes_each_time_and_no_ids_clash(results, comparison):
    once, twice = (list(all_figures(results, comparison)) for _ in range(2))
    svgs = [figures.to_svg(figure, alt="x") for figure in once]
    assert svgs == [figures.to_svg(figure, alt="x") for figure in twice]
    ids = [node.get("id") for svg in svgs for node in ET.fromstring(svg).iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    for svg in svgs:
        root = ET.fromstring(svg)
        own = {node.get("id") for node in root.iter()}
        links = {node.get("{http://www.w3.org/1999/xlink}href", "#") for node in root.iter()}
        assert {link[1:] for link in links if link.startswith("#")} - {""} <= own


def test_figures_have_one_look_and_leave_no_trace(comparison):
    with matplotlib.rc_context(
        {"font.size": 31, "axes.facecolor": "red", "font.family": "cursive"}
    ):
        before = dict(matplotlib.rcParams)
        svg = figures.to_svg(figures.channels(comparison), alt="x")
        assert dict(matplotlib.rcParams) == before
    assert svg == figures.to_svg(figures.channels(comparison), alt="x")
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


def test_dollars_in_a_title_are_no_formula(comparison):
    @styled
    def draw():
        figure, axes = figures.blank(2.0)
        axes[0, 0].set_title("from $1 to $2")
        return figure

    assert "from $1 to $2" in texts(draw())


def test_a_forest_marks_verdicts_by_shape_and_colour(comparison):
    figure = figures.forest(comparison, ["realised_benefit"])
    axes = figure.axes[0]
    table = comparison.table("realised_benefit").loc[comparison.order()[::-1]]
    marks = [line for line in axes.lines if line.get_marker() in "^vo"]
    expected = {"better": "^", "worse": "v", "undecided": "o"}
    assert [line.get_marker() for line in marks] == [expected[v] for v in table["verdict"]]
    drawn = [float(line.get_xdata()[0]) for line in marks]
    assert drawn == pytest.approx(list(100 * table["difference"]))
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[-1] == figures.strategy_title(comparison, comparison.order()[0])
    assert "better than Voluntary" in texts(figure)


def test_a_difference_that_is_undefined_says_so(results):
    runs = results.runs.assign(decision_time=np.nan)
    comparison = compare(Results(**{**vars(results), "runs": runs}))
    assert texts(figures.forest(comparison, ["decision_time"])).count("undefined") == 12


def test_measures_of_which_less_is_better_say_so(comparison):
    assert "quarters; less is better" in texts(figures.forest(comparison, ["decision_time"]))


def test_envelopes_are_quantiles_of_years(results):
    time, values = figures.yearly(
        results, "cooperation", ["forum"], baseline=None, future="default"
    )
    assert time.tolist() == [2026, 2027]  # ten quarters: the last two are no year
    table = results.quarters[results.quarters["strategy"] == "forum"]
    first = table[table["quarter"] < 4].groupby("run")["cooperation"].mean()
    assert values[0, :, 0] == pytest.approx(first.to_numpy())
    bands = figures.quantiles(values, (0.05, 0.5))
    assert bands[1, 0, 0] == pytest.approx(first.median())
    assert bands[0, 0, 0] == pytest.approx(first.quantile(0.05))


def test_a_year_of_a_ratio_is_the_ratio_of_its_sums(results):
    _time, values = figures.yearly(results, "decision_time", ["forum"], baseline=None, future=None)
    table = results.quarters[results.quarters["strategy"] == "forum"]
    sums = table[table["quarter"] < 4].groupby("run")[["deciding", "agreements"]].sum()
    some = sums["agreements"] > 0
    expected = (sums["deciding"] / sums["agreements"])[some]
    assert values[0, some.to_numpy(), 0] == pytest.approx(expected.to_numpy())
    assert np.isnan(values[0, ~some.to_numpy(), 0]).all()
    _time, money = figures.yearly(results, "saving", ["forum"], baseline=None, future=None)
    saved = table[table["quarter"] < 4].groupby("run")["saving"].sum()
    assert money[0, :, 0] == pytest.approx(saved.to_numpy())


def test_differences_over_time_are_taken_run_by_run(results):
    both = ["forum", "voluntary"]
    _time, apart = figures.yearly(results, "trust", both, baseline=None, future=None)
    _time, found = figures.yearly(results, "trust", ["forum"], baseline="voluntary", future=None)
    np.testing.assert_array_equal(found[0], apart[0] - apart[1])


def test_what_is_nowhere_defined_has_no_quantiles():
    values = np.full((1, 3, 2), np.nan)
    values[0, :2, 1] = [1.0, 3.0]
    bands = figures.quantiles(values, (0.5,))
    assert np.isnan(bands[0, 0, 0])
    assert bands[0, 0, 1] == 2.0


def test_few_strategies_share_a_panel_and_more_have_their_own(results):
    names = list(results.strategies)
    assert len(figures.envelopes(results, "trust", names[:4]).axes) == 1
    assert sum(a.axison for a in figures.envelopes(results, "trust", names[:5]).axes) == 5


def test_a_short_run_is_drawn_quarter_by_quarter():
    scenario = Scenario.load("kartamantul").with_(horizon=5)
    short = simulate(scenario, ["voluntary", "forum"], runs=3)
    time, values = figures.yearly(short, "trust", ["forum"], baseline=None, future=None)
    assert time.tolist() == [0, 1, 2, 3, 4]
    assert values.shape == (1, 3, 5)
    figures.envelopes(short, "trust", ["forum"])


def test_the_grid_of_winners_has_every_value_with_its_mark(comparison):
    found = texts(figures.winners(comparison, ["mandate", "forum"]))
    scale = winner_scale(comparison)
    for row in comparison.winners.itertuples():
        if row.strategy in {"mandate", "forum"}:
            mark = MARKS[row.verdict][0]
            assert f"{mark} {scale.bare(row.difference, signed=True)}" in found


def test_of_many_regions_it_is_counted_how_many_gain_and_lose():
    scenario = make_scenario(40, strategies={"all": {"mechanisms": {"forum": 1.0}}})
    many = compare(simulate(scenario, ["voluntary", "all"], runs=6))
    figure = figures.winners(many)
    bars = [patch.get_width() for patch in figure.axes[0].patches]
    counts = many.winners["verdict"].value_counts()
    assert bars == [counts.get(verdict, 0) for verdict in ("gains", "undecided", "loses")]
    figures.to_svg(figures.regions_map(many, "all"), alt="x")


def test_a_map_has_every_region_where_it_lies(comparison):
    figure = figures.regions_map(comparison, "mandate")
    regions = comparison.scenario.regions
    drawn = [marks.get_offsets() for marks in figure.axes[0].collections]
    drawn = {tuple(place) for places in drawn for place in places.tolist()}
    assert set(zip(regions.longitude, regions.latitude, strict=True)) <= drawn
    assert all(name in texts(figure) for name in regions.names)


def test_neighbours_are_those_listed(comparison):
    codes = comparison.scenario.regions.codes
    found = {tuple(sorted((codes[i], codes[j]))) for i, j in places.neighbours(comparison)}
    listed = {(c.code_a, c.code_b) for c in comparison.scenario.contacts.list if c.land}
    assert found == listed


def test_stacked_channels_end_where_their_sums_are(comparison):
    figure = figures.channels(comparison)
    table = comparison.channels.pivot(index="strategy", columns="channel", values="difference")
    order = comparison.order()[::-1]
    right = 100 * table.loc[order].clip(lower=0).sum(axis=1).max()
    ends = max(patch.get_x() + patch.get_width() for patch in figure.axes[0].patches)
    assert ends == pytest.approx(right, rel=0.05)
    diamonds = next(line for line in figure.axes[0].lines if line.get_marker() == "D")
    assert diamonds.get_xdata() == pytest.approx(
        100 * comparison.table("realised_benefit").loc[order, "difference"].to_numpy()
    )


def test_what_costs_nothing_is_said_to_cost_nothing(comparison):
    assert "nothing spent" in texts(figures.cost_effectiveness(comparison))


def test_numbers_on_axes_are_written_by_locale(comparison):
    set_language("id")
    found = texts(figures.forest(comparison, ["realised_benefit", "net_saving"]))
    assert "% dari biaya bila sendiri" in found
    assert "Rp miliar" in found
    assert "Paket lengkap" in found


def test_measures_of_every_unit_can_be_drawn(results, comparison):
    for name in {measure.unit: name for name, measure in MEASURES.items()}.values():
        figures.forest(comparison, [name])
        figures.envelopes(results, name, ["voluntary", "forum"])


def test_a_png_is_a_picture(comparison, tmp_path):
    path = tmp_path / "forest.png"
    figures.to_png(figures.forest(comparison, ["trust"]), path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_labels_have_eight_places_around_a_mark():
    boxes = [spot.box for spot in spots((0.0, 0.0), 5.0, (20.0, 10.0), 0.0)]
    assert len(boxes) == 8
    assert all(overlap(box, (-2.0, -2.0, 2.0, 2.0)) == 0.0 for box in boxes)
    assert overlap((0, 0, 2, 2), (1, 1, 3, 3)) == 1.0
    assert overlap((0, 0, 1, 1), (2, 2, 3, 3)) == 0.0


def test_two_futures_have_their_own_figures():
    scenario = Scenario.load("kartamantul").with_(horizon=8)
    futures = {"plain": {}, "keen": {"parameters.attention_base": -3}}
    two = simulate(scenario, ["voluntary", "forum", "grants"], futures=futures, runs=8)
    comparison = compare(two)
    assert isinstance(comparison.table("trust", future="keen"), pd.DataFrame)
    svgs = {
        figures.to_svg(figures.forest(comparison, ["trust"], future=future), alt="x")
        for future in futures
    }
    assert len(svgs) == 2
