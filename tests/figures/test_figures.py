import ast
import dataclasses
import itertools
import sys
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest
import scipy.stats
from matplotlib.figure import Figure
from matplotlib.text import Text

import kolabsim as ks
from kolabsim import figures
from kolabsim.analysis.arrays import yearly
from kolabsim.analysis.comparison import compare
from kolabsim.analysis.robustness import robustness
from kolabsim.analysis.sensitivity import analyse, curve
from kolabsim.analysis.statistics import quantiles
from kolabsim.app import charts
from kolabsim.errors import InputError
from kolabsim.figures import maps, network
from kolabsim.figures.labels import choose_winner_scale, strategy_title, verdict_labels
from kolabsim.figures.marks import place_labels
from kolabsim.figures.palette import MARKS
from kolabsim.figures.style import fit_columns, open_canvas, styled
from kolabsim.i18n import set_language, speaking
from kolabsim.model.measures import MEASURES
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate
from kolabsim.study.collect import Results
from kolabsim.study.design import make_design
from tests.figures import gallery

SVG = "{http://www.w3.org/2000/svg}"
EVERY_DAY = dict(zip(gallery.FIGURES, itertools.cycle(("en", "id"))))
"""The language in which each figure is drawn every day; the long tests draw it in the other one."""


@pytest.fixture(autouse=True)
def speak_english():
    set_language("en")
    yield
    set_language("en")


@pytest.fixture(scope="session")
def results():
    return gallery.results()


@pytest.fixture(scope="session")
def comparison():
    return gallery.comparison()


@pytest.fixture(scope="session")
def shaped():
    return gallery.shaped()


@pytest.fixture(scope="session")
def moments():
    return gallery.moments()


@pytest.fixture(scope="module")
def futures():
    """Three strategies in 40 futures: one is best in most, another in the others."""
    means = np.zeros((3, 40))
    means[0] = np.linspace(-0.02, 0.06, 40)
    means[1] = 0.01
    values = means[:, :, None] + 0.001 * np.random.default_rng(1).normal(size=(1, 40, 6))
    names = ("bold", "steady", "alone")
    return robustness(values, names, better=1, outcome="realised_benefit", resamples=40)


@cache
def draw(name: str, language: str) -> Figure:
    """A figure of the gallery, drawn once in each language."""
    with speaking(language):
        return gallery.FIGURES[name](None)


@cache
def drawn(name: str, language: str) -> str:
    """A figure of the gallery as SVG."""
    with speaking(language):
        return figures.to_svg(draw(name, language), alt="a <b> & c")


def one_at_a_time(names, effects, sd=0.0):
    """Indices and curves of an outcome that the factors move by their effects, in straight lines.

    The last factor bends: it does as much at both ends.
    """
    design = make_design("one_at_a_time", names, samples=5, seed=1, dummy=False)
    u = design.points - 0.5
    u[:, len(names) - 1] = np.abs(u[:, len(names) - 1]) * 2
    luck = np.random.default_rng(1).normal(0, sd, (len(u), 4))
    values = (u[:, : len(names)] @ np.array(effects))[:, None] + luck
    found = analyse(design, values, outcome="trust", resamples=20)
    return found, {name: curve(design, values, name) for name in design.units}


def texts(figure) -> str:
    """All words of a figure."""
    root = ET.fromstring(figures.to_svg(figure, alt="a figure"))
    return " ".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))


# Every figure -----------------------------------------------------------------------------------


def test_every_public_figure_is_in_the_gallery():
    drawn = {name.split(" of ")[0] for name in gallery.FIGURES}
    assert drawn == {*figures.__all__} - {"Labels", "Reference", "to_png", "to_svg"}
    for name in figures.__all__:
        assert getattr(figures, name).__doc__, name
    assert ks.figures is figures


def test_only_figures_draw_and_all_that_they_draw_is_public():
    package = Path(figures.__file__).parent
    for path in package.parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            alias.name
            for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
            for alias in node.names if node.module and "matplotlib" not in node.module
        }  # fmt: skip
        if package not in path.parents:
            assert not names & {"styled", "open_canvas"}, f"{path} draws a figure of its own"
            continue
        for node in tree.body:
            decorators = [ast.unparse(one) for one in getattr(node, "decorator_list", ())]
            if "styled" in decorators:
                assert node.name in figures.__all__, f"{node.name} is not public"


@pytest.mark.parametrize(
    ("name", "language"),
    [
        pytest.param(name, language, marks=() if EVERY_DAY[name] == language else pytest.mark.long)
        for name in gallery.FIGURES
        for language in ("en", "id")
    ],
)
def test_every_figure_is_an_accessible_picture_with_text(name, language):
    svg = drawn(name, language)
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "a <b> & c"
    assert root.get("aria-labelledby") == root[0].get("id")
    words = " ".join("".join(node.itertext()) for node in root.iter(f"{SVG}text")).split()
    assert words
    assert "nan" not in words
    assert "http" not in svg.replace("http://www.w3.org", "")


@pytest.mark.parametrize("name", gallery.FIGURES)
def test_a_figure_draws_in_the_axes_that_it_is_given(name):
    panels = [axes for axes in draw(name, "en").axes if axes.get_subplotspec()]  # not of colours
    number = sum(axes.axison or axes.has_data() for axes in panels)
    mine = Figure((4.0 * number, 5.0), layout="constrained")
    part = mine.subfigures(1, 1)
    given = part.subplots(1, number, squeeze=False)[0]
    assert gallery.FIGURES[name](given) is mine
    assert all(axes.has_data() for axes in given)
    with pytest.raises(InputError, match=f"{number} panels, but {number + 1} axes"):
        gallery.FIGURES[name]([*given, Figure().subplots()])


def test_no_ids_of_figures_on_a_page_clash():
    svgs = [drawn(name, language) for name, language in EVERY_DAY.items()]
    every = []
    for svg in set(svgs):
        root = ET.fromstring(svg)
        own = {node.get("id") for node in root.iter() if node.get("id")}
        links = {node.get("{http://www.w3.org/1999/xlink}href", "#") for node in root.iter()}
        assert {link[1:] for link in links if link.startswith("#")} - {""} <= own
        every += own
    assert len(every) == len(set(every))


@pytest.mark.parametrize("name", ["forest", "regions_map of shapes", "spread_plane"])
def test_a_figure_is_the_same_bytes_each_time(name):
    assert figures.to_svg(gallery.FIGURES[name](None), alt="a <b> & c") == drawn(name, "en")


def test_figures_have_one_look_and_leave_no_trace():
    with matplotlib.rc_context(
        {"font.size": 31, "axes.facecolor": "red", "font.family": "cursive"}
    ):
        before = dict(matplotlib.rcParams)
        svg = figures.to_svg(gallery.FIGURES["channels"](None), alt="a <b> & c")
        assert dict(matplotlib.rcParams) == before
    assert svg == drawn("channels", "en")
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


def test_dollars_in_a_title_are_no_formula(comparison):
    @styled
    def draw():
        canvas = open_canvas(None, 2.0)
        canvas.panels[0].set_title("from $1 to $2")
        return canvas.figure

    assert "from $1 to $2" in texts(draw())


def test_a_forest_marks_verdicts_by_shape_and_colour(comparison):
    figure = figures.forest(comparison, ["realised_benefit"])
    axes = figure.axes[0]
    table = comparison.table("realised_benefit").loc[comparison.order()]
    marks = [line for line in axes.lines if line.get_marker() in "^vo"]
    expected = {"better": "^", "worse": "v", "undecided": "o", "hardly changes": "o"}
    assert [line.get_marker() for line in marks] == [expected[v] for v in table["verdict"]]
    drawn = [float(line.get_xdata()[0]) for line in marks]
    assert drawn == pytest.approx(list(100 * table["difference"]))
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[0] == strategy_title(comparison, comparison.order()[0])
    seen = {verdict_labels(comparison)[verdict] for verdict in table["verdict"]}
    assert all(label in texts(figure) for label in seen)


def test_a_difference_that_is_undefined_says_so(results):
    runs = results.runs.assign(decision_time=np.nan)
    comparison = compare(Results(**{**vars(results), "runs": runs}))
    found = texts(figures.forest(comparison, ["decision_time"]))
    assert found.count("undefined") == len(comparison.order())


def test_measures_of_which_less_is_better_say_so(comparison):
    assert "quarters; less is better" in texts(figures.forest(comparison, ["decision_time"]))


def test_envelopes_are_quantiles_of_years(results):
    time, values = yearly(results, "cooperation", ["forum"], baseline=None, future="default")
    assert time.tolist() == [2026, 2027]  # ten quarters: the last two are no year
    table = results.quarters[results.quarters["strategy"] == "forum"]
    first = table[table["quarter"] < 4].groupby("run")["cooperation"].mean()
    assert values[0, :, 0] == pytest.approx(first.to_numpy())
    bands = quantiles(values, (0.05, 0.5), axis=1)
    assert bands[1, 0, 0] == pytest.approx(first.median())
    assert bands[0, 0, 0] == pytest.approx(first.quantile(0.05))


def test_a_year_of_a_ratio_is_the_ratio_of_its_sums(results):
    _time, values = yearly(results, "decision_time", ["forum"], baseline=None, future=None)
    table = results.quarters[results.quarters["strategy"] == "forum"]
    sums = table[table["quarter"] < 4].groupby("run")[["deciding", "agreements"]].sum()
    some = sums["agreements"] > 0
    expected = (sums["deciding"] / sums["agreements"])[some]
    assert values[0, some.to_numpy(), 0] == pytest.approx(expected.to_numpy())
    assert np.isnan(values[0, ~some.to_numpy(), 0]).all()
    _time, money = yearly(results, "saving", ["forum"], baseline=None, future=None)
    saved = table[table["quarter"] < 4].groupby("run")["saving"].sum()
    assert money[0, :, 0] == pytest.approx(saved.to_numpy())


def test_differences_over_time_are_taken_run_by_run(results):
    both = ["forum", "voluntary"]
    _time, apart = yearly(results, "trust", both, baseline=None, future=None)
    _time, found = yearly(results, "trust", ["forum"], baseline="voluntary", future=None)
    np.testing.assert_array_equal(found[0], apart[0] - apart[1])


def test_what_is_nowhere_defined_has_no_quantiles():
    values = np.full((1, 3, 2), np.nan)
    values[0, :2, 1] = [1.0, 3.0]
    bands = quantiles(values, (0.5,), axis=1)
    assert np.isnan(bands[0, 0, 0])
    assert bands[0, 0, 1] == 2.0


def test_few_strategies_share_a_panel_and_more_have_their_own(results):
    names = list(results.strategies)
    assert len(figures.envelopes(results, "trust", names[:4]).axes) == 1
    assert sum(a.axison for a in figures.envelopes(results, "trust", names[:5]).axes) == 5


def test_a_short_run_is_drawn_quarter_by_quarter():
    scenario = Scenario.load("kartamantul").with_(horizon=5)
    short = simulate(scenario, ["voluntary", "forum"], runs=3)
    time, values = yearly(short, "trust", ["forum"], baseline=None, future=None)
    assert time.tolist() == [0, 1, 2, 3, 4]
    assert values.shape == (1, 3, 5)
    figures.envelopes(short, "trust", ["forum"])


def test_the_grid_of_winners_has_every_value_with_its_mark(comparison):
    found = texts(figures.winners(comparison, ["mandate", "forum"]))
    scale = choose_winner_scale(comparison)
    for row in comparison.winners.itertuples():
        if row.strategy in {"mandate", "forum"}:
            mark = MARKS[row.verdict][0]
            assert f"{mark} {scale.bare(row.difference, signed=True)}" in found


def test_of_many_regions_it_is_counted_how_many_gain_and_lose():
    many = gallery.many()
    figure = figures.winners(many)
    bars = [patch.get_width() for patch in figure.axes[0].patches]
    counts = many.winners["verdict"].value_counts()
    shown = ("gains", "hardly changes", "undecided", "loses")
    assert bars == [counts.get(verdict, 0) for verdict in shown]
    assert len(figures.regions_map(many, "all").axes[0].collections[1].get_offsets()) == 40


def test_a_map_has_every_region_where_it_lies(comparison):
    figure = figures.regions_map(comparison, "mandate")
    regions = comparison.scenario.regions
    drawn = [marks.get_offsets() for marks in figure.axes[0].collections]
    drawn = {tuple(place) for places in drawn for place in places.tolist()}
    assert set(zip(regions.longitude, regions.latitude, strict=True)) <= drawn
    assert all(name in texts(figure) for name in regions.names)


def test_neighbours_are_those_listed(comparison):
    codes = comparison.scenario.regions.codes
    found = {tuple(sorted((codes[i], codes[j]))) for i, j in maps.neighbours(comparison)[0]}
    listed = {(c.code_a, c.code_b) for c in comparison.scenario.contacts.list if c.land}
    assert found == listed


def test_stacked_channels_end_where_their_sums_are(comparison):
    figure = figures.channels(comparison)
    table = comparison.channels.pivot(index="strategy", columns="channel", values="difference")
    order = comparison.order()
    right = 100 * table.loc[order].clip(lower=0).sum(axis=1).max()
    ends = max(patch.get_x() + patch.get_width() for patch in figure.axes[0].patches)
    assert ends == pytest.approx(right, rel=0.05)
    diamonds = next(line for line in figure.axes[0].lines if line.get_marker() == "D")
    assert diamonds.get_xdata() == pytest.approx(
        100 * comparison.table("realised_benefit").loc[order, "difference"].to_numpy()
    )


def test_what_costs_nothing_is_said_to_cost_nothing(comparison):
    free = comparison.costs["item"] == "saving_per_cost"
    costs = comparison.costs.assign(
        **{name: comparison.costs[name].mask(free) for name in ("value", "low", "high")}
    )
    bare = dataclasses.replace(comparison, costs=costs)
    assert "no cost" in texts(figures.cost_effectiveness(bare))


def test_numbers_on_axes_are_written_by_locale(comparison):
    set_language("id")
    found = texts(figures.forest(comparison, ["realised_benefit", "net_saving"]))
    assert "% dari biaya jika diselenggarakan sendiri" in found
    assert "miliar rupiah" in found
    assert "Paket lengkap" in found


def test_measures_of_every_unit_can_be_drawn(results, comparison):
    for name in {measure.unit: name for name, measure in MEASURES.items()}.values():
        figures.forest(comparison, [name])
        figures.envelopes(results, name, ["voluntary", "forum"])


def test_a_png_is_a_picture(comparison, tmp_path):
    path = tmp_path / "forest.png"
    figures.to_png(figures.forest(comparison, ["trust"]), str(path))
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_legend_has_as_many_columns_as_fit():
    assert fit_columns(["short"] * 4, 4, 600.0) == 4
    assert fit_columns(["a" * 60] * 4, 4, 700.0) == 2
    assert fit_columns(["a" * 200] * 2, 2, 100.0) == 1


def test_labels_cover_neither_marks_nor_each_other_nor_the_edge():
    figure = Figure()
    axes = figure.subplots()
    places = [(0.0, 0.0), (0.02, 0.0), (0.0, 0.02), (0.5, 0.5), (1.0, 1.0)]
    axes.plot(*np.transpose(places), "o")
    texts = ["first label", "", "second\nlabel", "third label", "last label"]
    place_labels(axes, places, texts, radii=[3.0] * 5, avoid=[(0.53, 0.5)])
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without the lines to marks
    assert [text.get_text() for text in axes.texts] == [text for text in texts if text]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    marks = axes.transData.transform([*places, (0.53, 0.5)])
    assert not any(box.contains(*mark) for box in boxes for mark in marks)
    assert all(axes.get_window_extent().containsx(box.x1) for box in boxes)


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


# Sensitivity ------------------------------------------------------------------------------------


def test_a_tornado_has_both_ends_of_each_range_the_strongest_factor_first():
    found, curves = one_at_a_time(("weak", "strong", "bent"), (0.1, -0.4, 0.2))
    axes = figures.tornado(found, curves).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Strong", "Bent", "Weak"]
    bars = [(p.get_facecolor(), p.get_x(), p.get_width()) for p in axes.patches]
    pale, low, high = bars[0::3], bars[1::3], bars[2::3]
    # In points of 100: trust is between 0 and 1.
    assert [width for _colour, _left, width in low] == pytest.approx([20, 20, -5])
    assert [width for _colour, _left, width in high] == pytest.approx([-20, 20, 5])
    assert [width for _colour, _left, width in pale] == pytest.approx([40, 20, 10])
    assert len({colour for colour, *_rest in low}) == 1
    assert low[0][0] != high[0][0]


def test_intervals_of_a_tornado_are_of_differences_to_the_middle():
    found, curves = one_at_a_time(("a", "b"), (0.4, 0.2), sd=0.02)
    axes = figures.tornado(found, curves).axes[0]
    each = 100 * (curves["a"].each - curves["a"].each[:, [2]])
    half = scipy.stats.t.ppf(0.975, len(each) - 1) * each.std(axis=0, ddof=1) / len(each) ** 0.5
    [line] = [c for c in axes.collections if c.get_segments()[0][0][1] == pytest.approx(-0.18)]
    low, high = line.get_segments()[0][:, 0]
    assert (low, high) == pytest.approx((each[:, 0].mean() - half[0], each[:, 0].mean() + half[0]))


def test_a_tornado_names_the_ends_of_ranges_and_the_words_of_choices():
    found, curves = one_at_a_time(("share", "form"), (0.4, 0.2))
    forms = ("joint_board", "contract")
    words = figures.Labels(
        factors={"share": "share of the cost"},
        choices={"joint_board": "joint board"},
        at={"share": lambda u: 10 + 20 * u, "form": lambda u: forms[int(u > 0.5)]},
    )
    said = texts(figures.tornado(found, curves, words))
    assert "Share of the cost (10 to 30)" in said
    assert "joint board" in said
    assert "contract" in said


# Many futures -----------------------------------------------------------------------------------


def test_a_regret_table_has_every_future_and_how_large_regret_gets(futures):
    figure = figures.regret_table(futures)
    heat, told = figure.axes[:2]
    order = [futures.names.index(name) for name in futures.order()]
    regret = futures.regret[order]
    drawn = heat.images[0].get_array()
    assert drawn.shape == (3, 40)
    for shown, real in zip(drawn, regret, strict=True):
        np.testing.assert_allclose(np.sort(shown.filled(0.0)), np.sort(real))
    assert (drawn.mask.sum(axis=0) == 1).all()  # one strategy is best in each future
    best = drawn.mask.argmax(axis=0)
    assert (np.diff(best) >= 0).all()  # those in which the same is best stand together
    numbers = [float(text.get_text()) for text in told.texts]
    quantiles = np.stack([np.quantile(regret, q, axis=1) for q in (0.5, 0.9, 1.0)])
    assert numbers == pytest.approx(100 * quantiles.T.ravel(), abs=0.06)
    assert texts(figure).count("40 futures") == 1


# Maps -------------------------------------------------------------------------------------------


def test_a_map_draws_shapes_and_circles_for_those_that_have_none(shaped):
    figure = figures.regions_map(shaped, "mandate")
    axes, regions = figure.axes[0], shaped.scenario.regions
    outlines = [p.get_path() for p in axes.patches if p.get_fill()]
    assert len(outlines) == len(regions) - 1
    east, north = regions.longitude[1], regions.latitude[1]
    assert outlines[0].contains_point((east + 0.03, north))
    drawn = {tuple(place) for marks in axes.collections for place in marks.get_offsets().tolist()}
    assert drawn == {(regions.longitude[0], regions.latitude[0])}
    table = shaped.winners[shaped.winners["strategy"] == "mandate"]
    hatched = [p for p in axes.patches if p.get_hatch()]
    found = table["verdict"][table["region"] != regions.codes[0]]
    assert len(hatched) == found.isin(["undecided", "hardly changes"]).sum()
    assert axes.get_aspect() == pytest.approx(1 / np.cos(np.radians(north)), rel=0.01)
    assert all(name in texts(figure) for name in regions.names)


def test_a_hole_is_no_part_of_its_region(shaped):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = figures.regions_map(shaped, "mandate")
    canvas, axes, regions = FigureCanvasAgg(figure), figure.axes[0], shaped.scenario.regions
    canvas.draw()
    place = axes.transData.transform((regions.longitude[-1], regions.latitude[-1]))
    picture = np.asarray(canvas.buffer_rgba())
    x, y = int(place[0]), picture.shape[0] - int(place[1])
    assert picture[y, x, :3].tolist() == [255, 255, 255]


def test_the_web_page_draws_shapes_too(shaped):
    one = shaped.winners[shaped.winners["strategy"] == "mandate"]
    comparison = dataclasses.replace(shaped, winners=one)
    session = SimpleNamespace(scenario=shaped.scenario)
    estimate = SimpleNamespace(comparison=comparison, session=session)
    options = charts.regions_map(estimate).options
    shapes = [region for region in options["geo"]["regions"] if region["name"]]
    circles = [
        spot for spot in options["series"][1]["data"] if spot["itemStyle"]["color"] != "transparent"
    ]
    assert len(shapes) == len(shaped.scenario.regions) - 1
    assert len(circles) == 1


# Joint bodies -----------------------------------------------------------------------------------


def test_joint_bodies_are_drawn_moment_by_moment(moments):
    scenario, found = moments
    figure = figures.bodies_over_time(scenario, found, ["waste", "transport"])
    assert len(figure.axes) == 12  # two areas, six of nine moments
    titles = [axes.get_title(loc="center") for axes in figure.axes[:6]]
    assert titles[0] == "2026"
    assert titles[-1] == "2028"
    last = figure.axes[5]
    members = [body["members"] for body in found[8] if body["area"] == "waste"]
    assert len(last.lines) == sum(map(len, members))
    coloured = [tuple(c) for c in last.collections[0].get_facecolors() if tuple(c[:3]) != (1, 1, 1)]
    assert len(coloured) == sum(map(len, members))
    assert len(set(coloured)) == len(members)
    said = texts(figure)
    assert all(name.replace(" ", "\xa0") in said for name in scenario.regions.names)


def test_a_body_keeps_its_number_when_members_change():
    def body(age, *members):
        return {"area": "waste", "form": "board", "age": age, "members": list(members),
                "provider": None}  # fmt: skip

    found = network.follow(
        {
            0: [body(1.0, "a", "b")],
            2: [body(0.25, "d", "e"), body(1.5, "a", "b", "c")],
            3: [body(0.5, "d", "e"), body(1.75, "b", "c")],
            8: [body(0.5, "a", "b")],
        },
        "waste",
    )
    assert {
        quarter: {k: body["members"] for k, body in bodies.items()}
        for quarter, bodies in found.items()
    } == {
        0: {0: ["a", "b"]},
        2: {0: ["a", "b", "c"], 1: ["d", "e"]},
        3: {0: ["b", "c"], 1: ["d", "e"]},
        8: {2: ["a", "b"]},
    }


def test_lines_join_the_provider_of_a_contract_with_its_buyers(moments):
    scenario, _found = moments
    codes = list(scenario.regions.codes)[:3]
    contract = {"area": "waste", "form": "contract", "age": 1.0, "members": codes,
                "provider": codes[1]}  # fmt: skip
    [axes] = figures.bodies_over_time(scenario, {4: [contract]}, ["waste"]).axes
    ends = [np.asarray(line.get_xydata())[0] for line in axes.lines]
    assert len({tuple(end) for end in ends}) == 1
    edges = [width for part in axes.collections for width in part.get_linewidths()]
    assert sum(width == max(edges) for width in edges) == 1


def test_partners_are_joined_in_cliques_and_stars(moments):
    scenario, _found = moments
    codes = list(scenario.regions.codes)
    board = {"area": "waste", "form": "board", "age": 1.0, "members": codes[:4], "provider": None}
    contract = {"area": "transport", "form": "contract", "age": 1.0, "members": codes[:4],
                "provider": codes[1]}  # fmt: skip
    figure = figures.joint_bodies(scenario, [board, contract])
    assert len(figure.axes) == len(scenario.areas)
    drawn = {axes.get_title(loc="center"): len(axes.lines) for axes in figure.axes}
    assert drawn.pop("Waste") == 6
    assert drawn.pop("Public transport") == 3
    assert not any(drawn.values())
    with pytest.raises(InputError, match="'wste' is not a service area; did you mean 'waste'"):
        figures.joint_bodies(scenario, [], ["wste"])


def test_joint_bodies_of_no_moment_or_no_such_area_are_refused(moments):
    scenario, found = moments
    with pytest.raises(InputError, match="no moments to draw"):
        figures.bodies_over_time(scenario, {})
    with pytest.raises(InputError, match="'wste' is not a service area; did you mean 'waste'"):
        figures.bodies_over_time(scenario, found, ["wste"])


def test_regions_without_places_stand_in_a_circle(moments):
    scenario, found = moments
    nowhere = np.full(len(scenario.regions), np.nan)
    regions = dataclasses.replace(scenario.regions, latitude=nowhere, longitude=nowhere)
    figure = figures.bodies_over_time(scenario.model_copy(update={"regions": regions}), found)
    offsets = figure.axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(np.hypot(*offsets.T), 1.0)
