"""The charts of the page: options of ECharts, without a browser."""

import json
import re
from collections import Counter

import numpy as np
import pytest

from kolabsim.app import charts
from kolabsim.app.session import Session
from kolabsim.app.settings import SHOWN, Settings
from kolabsim.app.texts import differences_html, headline, table_html, verdict_counts
from kolabsim.i18n import speaking
from kolabsim.model.areas import FAMILIES
from kolabsim.scenario.scenario import Scenario


def every(value):
    """All dictionaries in some options."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from every(part)


@pytest.fixture(scope="module", params=["en", "id"])
def drawn(request, estimate):
    """All charts in one language, and that language."""
    with speaking(request.param):
        found = charts.draw(estimate).charts
        found["time"] = charts.envelopes(estimate, "decision_time")
    return found, request.param


def test_options_are_plain_and_have_no_undefined_numbers(drawn):
    for chart in drawn[0].values():
        text = json.dumps(chart.options, allow_nan=False)
        assert json.loads(text) == chart.options
        assert "NaN" not in text


def test_charts_describe_themselves_and_have_their_numbers(drawn):
    found, language = drawn
    words = {
        "differences": {"en": "Differences of your strategy", "id": "Selisih strategi Anda"},
        "envelopes": {"en": "Realised net benefit over", "id": "dari tahun ke tahun"},
        "regions": {"en": "Map of regions", "id": "Peta daerah"},
        "network": {"en": "Network of regions", "id": "Jejaring daerah"},
    }
    for name, texts in words.items():
        chart = found[name]
        assert texts[language] in chart.description
        assert all(len(row) == len(chart.columns) for row in chart.rows)
        assert chart.rows
    numbers = "".join(row[2] for row in found["envelopes"].rows)
    assert ("," in numbers, "." in numbers) == (language == "id", language == "en")


def test_numbers_of_an_axis_are_in_the_language_of_the_page(drawn):
    found, language = drawn
    formatter = found["envelopes"].options["yAxis"]["axisLabel"][":formatter"]
    assert f"toLocaleString('{language}'" in formatter


def test_an_update_replaces_all_of_a_chart(estimate):
    """ECharts merges options: every update must have the same series and the same keys."""

    def shape(options):
        return [sorted(series) for series in options["series"]], sorted(options)

    again = {
        "differences": charts.differences(estimate, SHOWN[1:]),
        "envelopes": charts.envelopes(estimate, "net_saving"),
        "network": charts.network(
            estimate.session.scenario.regions, np.zeros_like(estimate.links), ""
        ),
    }
    for name, chart in charts.draw(estimate).charts.items():
        if name in again:
            assert shape(chart.options) == shape(again[name].options)


def test_intervals_stand_on_their_side_of_zero(estimate):
    chart = charts.differences(estimate, SHOWN)
    lines, points = (series["data"] for series in chart.options["series"])
    for line, point in zip(lines, points, strict=True):
        (low, place), (high, _place) = line["coords"]
        row = estimate.comparison.table(SHOWN[place]).iloc[0]
        assert -1 <= low <= point["value"][0] <= high <= 1
        assert (np.sign(low), np.sign(high)) == (np.sign(row["low"]), np.sign(row["high"]))


def test_bands_hold_the_median(estimate):
    for chart in (charts.envelopes(estimate, name) for name in ("trust", "decision_time")):
        assert len(chart.options["series"]) == 10
        lower, half, low, high, median = (
            [one["value"] if isinstance(one, dict) else one for one in series["data"]]
            for series in chart.options["series"][:5]
        )
        for k in range(len(median)):
            if median[k] is not None:
                assert low[k] <= lower[k] <= median[k] <= lower[k] + half[k] <= high[k]


def test_verdicts_are_shown_by_marks_and_not_by_colour_alone(estimate):
    chart = charts.regions_map(estimate)
    spots = chart.options["series"][1]["data"]
    marks = [row[1][0] for row in chart.rows]
    assert sorted(spot["label"]["formatter"] for spot in spots) == sorted(marks)
    sizes = [spot["symbolSize"] for spot in spots]
    assert sizes == sorted(sizes, reverse=True), "small regions are drawn over large ones"
    counts = verdict_counts(estimate.comparison)
    assert {mark: int(n) for mark, n in re.findall(r"(\S)\s(\d+)", counts)} == Counter(marks)
    gain, lose = (sum(mark in either for mark in marks) for either in ("▲△", "▼▽"))
    assert f"{gain} gain and {lose} lose" in headline(estimate.comparison)


def test_the_headline_says_what_plausible_futures_say(estimate):
    text = headline(estimate.comparison)
    row = estimate.comparison.table(SHOWN[0]).iloc[0]
    words = {"robustly": "robust", "likely": "likely", "depends": "depends on assumptions"}
    word = words.get(row["verdict"].split(" ")[0], "")
    assert word in text
    assert "over plausible assumptions" in text
    assert "interval" not in text


def test_assumptions_that_carry_the_answer_come_with_their_share(scenario, going, monkeypatch):
    monkeypatch.setattr("kolabsim.app.work.RUNS", (20, 40))
    session = Session(Settings(levers={"ngo": 0.5}), scenario.with_(horizon=8))
    first, last = session.estimates(going)
    assert not charts.draw(first).drivers, "somebody waits for a first estimate"
    drawing = charts.draw(last)
    shares = [one.share for one in drawing.drivers]
    assert shares == sorted(shares, reverse=True)
    names = {name for future in session.futures.values() for name in future}
    assert {one.name for one in drawing.drivers} <= names
    assert all(one.title != one.name for one in drawing.drivers)
    assert "assumptions that vary can be distinguished from chance" in drawing.carriers


def test_the_map_holds_all_regions(scenario):
    extent = charts.geography(scenario.regions)["features"][0]["geometry"]["coordinates"][0]
    (west, south), (east, north) = np.min(extent, axis=0), np.max(extent, axis=0)
    place, geo = charts.map_base(scenario.regions)
    assert (place.points >= [west, south]).all()
    assert (place.points <= [east, north]).all()
    assert geo["map"] == charts.GEOGRAPHY
    assert charts.GEOGRAPHY in charts.register_script(scenario.regions)


def test_regions_without_positions_stand_in_a_circle(uploads):
    rows = "".join(f"R{k},{1000 * (k + 1)}\n" for k in range(6))
    still = "".join(f"  {area}: {{haul: 0}}\n" for area in FAMILIES["infrastructure"])
    text = "regions: {table: t.csv}\nfamilies: [infrastructure]\nareas:\n" + still
    text = (text + "contacts: {list: c.csv, nearest: 0}\n").encode()
    pairs = "code_a,code_b,distance_km\n" + "".join(f"R{k},R{k + 1},10\n" for k in range(5))
    files = {"s.yaml": text, "t.csv": b"code,population\n" + rows.encode(), "c.csv": pairs.encode()}
    found = uploads.load(uploads.add(files)).scenario
    chart = charts.network(found.regions, np.eye(6)[::-1], "a circle")
    nodes = [node["value"] for node in chart.options["series"][0]["data"]]
    assert len(np.unique(np.round(nodes, 3), axis=0)) == 6
    assert np.hypot(*np.transpose(nodes)) == pytest.approx(np.ones(6))
    assert chart.options["geo"]["aspectScale"] == 1.0


def test_of_many_lines_the_widest_are_drawn():
    regions = Scenario.load("small-towns").with_({"regions.synthetic.number": 40}).regions
    links = np.triu(np.linspace(0.1, 0.9, 40 * 40).reshape(40, 40), 1)
    chart = charts.network(regions, links, "")
    lines = chart.options["series"][0]["links"]
    assert len(lines) == len(chart.rows) == charts.MOST_LINES < np.count_nonzero(links)
    shares = [links[line["source"], line["target"]] for line in lines]
    assert shares == sorted(shares, reverse=True)
    assert min(shares) == np.sort(links.ravel())[-charts.MOST_LINES]


EVIL = '<script>alert(1)</script>"); alert(1); ("'


def test_texts_of_others_stay_texts(scenario, going):
    named = scenario.with_({"strategies.voluntary.title": EVIL, "currency": "<img src=x>"})
    object.__setattr__(named.regions, "names", (EVIL, *named.regions.names[1:]))
    drawing = charts.draw(next(Session(Settings(), named).estimates(going)))
    differences = drawing.charts["differences"]
    tables = [differences_html(differences.columns, differences.rows)]
    tables += [table_html(chart.columns, chart.rows) for chart in drawing.charts.values()]
    assert not re.search("<script|<img", "".join(tables))
    # JavaScript in options: only kolabsim's own, with texts of others as string literals.
    for chart in drawing.charts.values():
        for options in every(chart.options):
            for key, code in options.items():
                if key.startswith(":") and "alert" in code:
                    assert EVIL in json.loads(code.removeprefix("() => "))
    assert drawing.charts["regions"].options["tooltip"]["renderMode"] == "richText"
    assert "<script>alert" not in charts.register_script(named.regions)


def test_long_tables_are_cut_and_say_so():
    table = table_html(["Region"], [[str(k)] for k in range(150)])
    assert table.count("<tr>") == 101
    assert "... and 50 more" in table
