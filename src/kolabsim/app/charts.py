"""The charts of the page: options for ECharts, made of plain dictionaries, lists and numbers.

A chart is updated in place while a slider moves, so that a function here takes milliseconds. The
map and the network lie on a map of the scenario's regions, which the page registers once
(:func:`geography`). Keys that begin with a colon hold JavaScript; all of it stands in this file,
which is long because the charts share their axes, colours and JavaScript.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kolabsim.analysis.statistics import quantiles
from kolabsim.app.session import Estimate
from kolabsim.app.settings import SHOWN
from kolabsim.app.texts import DriverText, describe_drivers, headline, verdict_counts
from kolabsim.figures.formatting import SPACE, choose_scale, count, percent
from kolabsim.figures.labels import (
    add_unit,
    choose_measure_scale,
    measure_hint,
    measure_label,
    measure_title,
)
from kolabsim.figures.maps import RegionMap, neighbours
from kolabsim.figures.palette import BLUE, FONTS, GREY, HOLLOW, INK, MARKS, ORANGE, PALE, VERMILION
from kolabsim.i18n import _, language
from kolabsim.model.measures import MEASURES

if TYPE_CHECKING:
    from kolabsim.analysis.comparison import Comparison
    from kolabsim.scenario.regions import Regions

Options = dict[str, Any]

GEOGRAPHY = "regions"
"""Name by which charts refer to the registered map."""
LARGEST_CIRCLE = 44.0
"""Diameter of the circle of the most populous region, in pixels."""
CROWDED = 40
"""Number of regions from which on circles are smaller and regions lose their names."""
MOST_DRAWN = 3000
"""Most regions of a table that its map shows: the most populous."""
SEEN = 0.02
"""Share of services from which on two regions are joined by a line."""
MOST_LINES = 400
"""Most lines of a network: more are a blot, and take longer than all the rest of the page."""
BASE: Options = {
    "textStyle": {"fontFamily": FONTS, "fontSize": 12.5, "color": INK},
    ":animation": "!matchMedia('(prefers-reduced-motion: reduce)').matches",
    "animationDuration": 0,
    "animationDurationUpdate": 150,
}
"""What all charts have in common."""
TOOLTIP: Options = {
    # As plain text: names of uploaded regions are never read as HTML.
    "renderMode": "richText", "confine": True, "textStyle": {"fontSize": 12},
    ":formatter": "item => [item].flat().map(one => one.data?.text).filter(Boolean).join('\\n')",
}  # fmt: skip
"""A tooltip with the ``text`` of a data item, or the texts of all items at a position."""


class Chart(NamedTuple):
    """A chart as the page shows it."""

    options: Options
    """What ECharts draws."""
    description: str
    """What the chart shows, for people who cannot see it."""
    columns: list[str]
    """Head of the table of its numbers."""
    rows: list[list[str]]


class Drawing(NamedTuple):
    """An estimate as the page shows it."""

    estimate: Estimate
    headline: str
    verdicts: str
    carriers: str
    """A sentence on the assumptions that carry the answer."""
    drivers: list[DriverText]
    charts: dict[str, Chart]


def draw(estimate: Estimate) -> Drawing:
    """Draw everything that the page shows of an estimate."""
    regions = estimate.session.scenario.regions
    title = _("Network of regions that share services under your strategy")
    charts = {
        "differences": differences(estimate, SHOWN),
        "envelopes": envelopes(estimate, estimate.session.settings.measure),
        "regions": regions_map(estimate),
        "network": network(regions, estimate.links, title),
    }
    comparison = estimate.comparison
    drawing = Drawing(
        estimate, headline(comparison), verdict_counts(comparison), *describe_drivers(estimate),
        charts,
    )  # fmt: skip
    estimate.release()  # a page may stay open for hours
    return drawing


def differences(estimate: Estimate, measures: Sequence[str]) -> Chart:
    """Draw the difference of each measure with its interval, one row each.

    Each row has its own scale, with zero in the middle. The table has the marks, levels,
    differences and intervals that belong to the rows.
    """
    comparison = estimate.comparison
    every = comparison.differences
    if not comparison.plausible:
        every = every[every["future"] == comparison.futures[0]]
    levels = every.groupby("measure", observed=True)["baseline"].median()
    table = comparison.ranges if comparison.is_varied else every
    found = {row.measure: row for row in table.itertuples()}  # of the only strategy
    lines, points, rows = [], [], []
    for place, measure in enumerate(measures):
        row = found[measure]
        scale = choose_scale(
            MEASURES[measure].unit, [row.difference, row.low, row.high], (row.high - row.low) / 2.0,
            currency=comparison.scenario.currency,
        )  # fmt: skip
        mark, _marker, colour = MARKS[row.verdict]
        difference = scale.bare(row.difference, signed=True)
        interval = scale.interval(row.low, row.high, signed=True)
        title, hint = measure_title(measure), measure_hint(measure, scale)
        level = format_level(measure, levels[measure], comparison.scenario.currency)
        rows.append([title, hint, level, f"{mark}{SPACE}{difference}", interval])
        if not all(map(math.isfinite, (row.low, row.high))):
            continue
        reach = 1.08 * max(abs(row.low), abs(row.high)) or 1.0
        low, middle, high = (float(v) / reach for v in (row.low, row.difference, row.high))
        text = f"{title}: {difference} ({interval})"
        face = "white" if row.verdict in HOLLOW else colour
        line, edge = {"color": colour}, {"color": face, "borderColor": colour}
        coords = [[low, place], [high, place]]
        lines.append({"coords": coords, "text": text, "lineStyle": line})
        points.append({"value": [middle, place], "text": text, "itemStyle": edge})
    options = BASE | {
        "tooltip": TOOLTIP,
        "grid": {"left": 2, "right": 2, "top": 0, "bottom": 0},
        "xAxis": {"type": "value", "min": -1, "max": 1, "show": False},
        "yAxis": {
            "type": "category", "data": list(range(len(measures))), "inverse": True, "show": False,
        },
        "series": [
            {"type": "lines", "coordinateSystem": "cartesian2d", "data": lines,
             "lineStyle": {"width": 3, "opacity": 1}},
            {"type": "scatter", "data": points, "symbolSize": 9, "itemStyle": {"borderWidth": 1.8},
             "markLine": {"silent": True, "symbol": "none", "label": {"show": False},
                          "lineStyle": {"color": GREY, "type": "solid", "width": 1},
                          "data": [{"xAxis": 0}]}},
        ],
    }  # fmt: skip
    description = _("Differences of your strategy to the baseline, with intervals")
    head = [_("Measure"), "", _("Baseline"), _("Difference"), interval_title(comparison)]
    return Chart(options, description, head, rows)


def interval_title(comparison: Comparison) -> str:
    """The title of a column of intervals."""
    if comparison.is_varied:
        return _("Plausible range")
    return _("{level} interval").format(level=percent(comparison.level))


def format_level(measure: str, value: float, currency: str) -> str:
    """Write a level without the unit that stands beside its measure, except money and per cent."""
    unit = MEASURES[measure].unit
    scale = choose_scale(unit, [value], currency=currency, difference=False)
    if unit == "currency" or scale.unit == "%":
        return scale.text(value)
    return scale.bare(value) + ("%" if scale.unit.startswith("%") else "")


def envelopes(estimate: Estimate, measure: str) -> Chart:
    """Draw the median of a measure over the years under both strategies, with two bands.

    The filled band holds half of the runs; dashed lines enclose nine tenths of them.
    """
    scenario = estimate.session.scenario
    time, values = estimate.over_years(measure)
    bands = quantiles(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=1)
    scale = choose_scale(
        MEASURES[measure].unit, bands.ravel(), currency=scenario.currency, difference=False
    )
    years, series, rows, names = [str(year) for year in time], [], [], []
    for k, (name, colour) in enumerate(
        zip(estimate.session.strategies, (ORANGE, BLUE), strict=True)
    ):
        title = scenario.strategy_titles(language())[name]
        names.append(title)
        texts = [
            [scale.bare(bands[2, k, t]), scale.interval(bands[0, k, t], bands[4, k, t])]
            for t in range(len(years))
        ]
        rows += [[title, year, *text] for year, text in zip(years, texts, strict=True)]
        labels = [
            f"{year}, {title}: {median} ({interval})"
            for year, (median, interval) in zip(years, texts, strict=True)
        ]
        series += band_series(bands[:, k] / scale.divisor, colour, title, labels)
    options = BASE | {
        "tooltip": TOOLTIP | {"trigger": "axis"},
        "legend": {"data": names, "top": 0, "left": 0, "icon": "roundRect", "itemHeight": 4,
                   "selectedMode": False, "textStyle": {"color": INK}},
        "title": {"text": measure_label(measure, scale), "left": 0, "top": 22, "padding": [0, 4],
                  "textStyle": {"fontSize": 12, "fontWeight": "normal", "color": GREY}},
        "grid": {"left": 4, "right": 16, "top": 50, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "category", "data": years, "boundaryGap": False,
                  "axisLine": {"onZero": False, "lineStyle": {"color": GREY}},
                  "axisLabel": {"color": INK, "margin": 12}},
        "yAxis": {"type": "value", "scale": True, "splitLine": {"lineStyle": {"color": PALE}},
                  "axisLabel": {"color": INK, ":formatter": number_formatter()}},
        "series": series,
    }  # fmt: skip
    title = measure_title(measure)
    description = _("{measure} over the years under both strategies").format(measure=title)
    head = [_("Strategy"), _("Year"), _("Median"), _("Nine tenths of the runs")]
    return Chart(options, description, head, rows)


def band_series(bands: np.ndarray, colour: str, title: str, labels: Sequence[str]) -> list[Options]:
    """Series of one strategy from its five quantiles [5, years]; ``labels`` are of the median."""

    def points(values: np.ndarray) -> list[float | None]:
        return [float(value) if math.isfinite(value) else None for value in values]

    low, lower, middle, upper, high = bands
    plain = {"type": "line", "symbol": "none", "silent": True, "color": colour}
    hidden = {"lineStyle": {"opacity": 0}, "stack": title, "stackStrategy": "all"}
    dashed = {"lineStyle": {"type": "dashed", "width": 1}}
    return [
        plain | hidden | {"data": points(lower)},
        plain | hidden | {"data": points(upper - lower), "areaStyle": {"opacity": 0.2}},
        plain | dashed | {"data": points(low)},
        plain | dashed | {"data": points(high)},
        plain | {
            "name": title, "lineStyle": {"width": 2.4},
            "data": [
                {"value": value, "text": label}
                for value, label in zip(points(middle), labels, strict=True)
            ],
        },
    ]  # fmt: skip


def number_formatter() -> str:
    """JavaScript that writes the numbers of an axis in the language spoken now."""
    options = "{maximumFractionDigits: 6}"
    return f"value => value.toLocaleString('{language()}', {options}).replace('-', '\u2212')"


# Maps -------------------------------------------------------------------------------------------


def geography(regions: Regions) -> Options:
    """The map on which charts place regions, as GeoJSON: their shapes, and the extent of all.

    Regions without positions stand on a circle.
    """
    place = RegionMap(regions)
    (west, south), (east, north) = place.bounds.tolist()
    east, north = max(east, west + 1e-6), max(north, south + 1e-6)
    extent = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    features = [feature("", [extent])]
    for code, shape in place.shapes.items():
        # Rings of holes run the other way round, so that they stay empty wherever they stand.
        rings = sorted(shape.rings, key=lambda ring: -np.ptp(ring, axis=0).prod())
        features.append(feature(code, [ring.round(4).tolist() for ring in rings]))
    return {"type": "FeatureCollection", "features": features}


def feature(name: str, rings: list[list[list[float]]]) -> Options:
    """A shape with its name as GeoJSON."""
    geometry = {"type": "Polygon", "coordinates": rings}
    return {"type": "Feature", "properties": {"name": name}, "geometry": geometry}


def register_script(regions: Regions) -> str:
    """HTML that registers the map of a page before its charts are drawn."""
    text = json.dumps(geography(regions)).replace("<", "\\u003c")
    return (
        '<script type="module">import { echarts } from "nicegui-echart";'
        f'echarts.registerMap("{GEOGRAPHY}", {text});</script>'
    )


def register_code(regions: Regions) -> str:
    """JavaScript that registers the map on a page that is open already."""
    text = json.dumps(geography(regions))
    return (
        'import("nicegui-echart").then('
        f'({{ echarts }}) => {{ echarts.registerMap("{GEOGRAPHY}", {text}); return true; }})'
    )


def map_base(regions: Regions) -> tuple[RegionMap, Options]:
    """The positions of regions, and a map on which nothing is drawn yet."""
    place = RegionMap(regions)
    plain = {"areaColor": "transparent", "borderWidth": 0}
    margin = 68 if len(regions) <= CROWDED else 24  # room for names
    geo = {
        "map": GEOGRAPHY, "aspectScale": place.aspect if regions.mapped else 1.0,
        "left": margin, "right": margin, "top": 24, "bottom": 32,
        "itemStyle": plain, "emphasis": {"disabled": True}, "label": {"show": False},
        "tooltip": TOOLTIP, "regions": [{"name": "", "silent": True, "itemStyle": plain}],
    }  # fmt: skip
    return place, geo


def diameters(regions: Regions) -> np.ndarray:
    """Diameters of circles in pixels, with areas in proportion to population [R]."""
    largest = LARGEST_CIRCLE * min(1.0, math.sqrt(CROWDED / 2 / len(regions)))
    return np.maximum(largest * np.sqrt(regions.population / regions.population.max()), 5.0)


def name_series(place: RegionMap, sizes: np.ndarray) -> Options:
    """The names of regions below their marks; ECharts hides those that would overlap."""
    regions = place.regions
    shown = range(len(regions) if len(regions) <= CROWDED else 0)
    return {
        "type": "scatter", "coordinateSystem": "geo", "silent": True, "z": 5,
        "itemStyle": {"color": "transparent"}, "labelLayout": {"hideOverlap": True},
        "data": [
            {
                "value": place.points[i].tolist(), "symbolSize": float(sizes[i]),
                "label": {"show": True, "position": "bottom", "distance": 2, "fontSize": 11,
                          ":formatter": f"() => {json.dumps(regions.labels[i])}", "color": INK,
                          "textBorderColor": "white", "textBorderWidth": 2.5},
            }
            for i in sorted(shown, key=lambda i: -regions.population[i])
        ],
    }  # fmt: skip


def blend(share: float) -> str:
    """The colour of a share from loss (-1) over nothing (0) to gain (1)."""
    share = min(max(share, -1.0), 1.0) if math.isfinite(share) else 0.0
    end = BLUE if share > 0 else VERMILION
    parts = (int(end[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(250 + (part - 250) * abs(share)):02x}" for part in parts)


def regions_map(estimate: Estimate) -> Chart:
    """Draw the regions with what each gains or loses: by shape, or by a circle for its population.

    A mark and the edge show the verdict, so that colour alone never does.
    """
    comparison, regions = estimate.comparison, estimate.session.scenario.regions
    table = comparison.regions().set_index("region").reindex(regions.codes)
    scale = choose_measure_scale(comparison, SHOWN[0], comparison.regions()).with_decimals(most=2)
    limit = float(table["difference"].abs().max()) or 1.0
    place, geo = map_base(regions)
    shaped = np.isin(regions.codes, list(place.shapes))
    sizes = np.where(shaped, 14.0, diameters(regions))
    spots, rows = [], []
    for i, row in enumerate(table.itertuples()):
        mark, _marker, colour = MARKS[row.verdict]
        difference = scale.bare(row.difference, signed=True)
        interval = scale.interval(row.low, row.high, signed=True)
        rows.append([regions.labels[i], f"{mark}{SPACE}{difference}", interval])
        text = f"{regions.labels[i]}: {scale.text(row.difference, signed=True)} ({interval})"
        look = {
            "borderColor": colour, "borderWidth": 1.4,
            "borderType": "dashed" if row.verdict in HOLLOW else "solid",
        }  # fmt: skip
        fill, ink = blend(row.difference / limit), INK
        if shaped[i]:
            tip, area = {":formatter": f"() => {json.dumps(text)}"}, look | {"areaColor": fill}
            geo["regions"].append({"name": regions.codes[i], "itemStyle": area, "tooltip": tip})
        if abs(row.difference) > 0.6 * limit:
            ink = "white"
        spots.append(
            {
                "value": place.points[i].tolist(), "symbolSize": float(sizes[i]), "text": text,
                "itemStyle": {"color": "transparent"} if shaped[i] else look | {"color": fill},
                "label": {"show": bool(sizes[i] > 9), "formatter": mark, "color": ink},
            }
        )  # fmt: skip
    joined = [] if shaped.any() else neighbours(comparison)[0]
    on_top = np.argsort(-regions.population, kind="stable")  # small regions over large ones
    options = BASE | {
        "tooltip": TOOLTIP, "geo": geo,
        "series": [
            {"type": "lines", "coordinateSystem": "geo", "silent": True,
             "lineStyle": {"color": PALE, "opacity": 1, "width": 1},
             "data": [{"coords": place.points[[i, j]].tolist()} for i, j in joined]},
            {"type": "scatter", "coordinateSystem": "geo", "z": 4,
             "data": [spots[i] for i in on_top]},
            name_series(place, sizes),
        ],
    }  # fmt: skip
    description = _("Map of regions that gain and lose under your strategy")
    head = [_("Region"), add_unit(_("Difference"), scale), interval_title(comparison)]
    return Chart(options, description, head, rows)


def network(regions: Regions, links: np.ndarray, description: str) -> Chart:
    """Draw regions, joined by lines whose width is the share of services that two share [R, R].

    Of many lines, those of the pairs that share most are drawn.
    """
    place, geo = map_base(regions)
    largest = max(float(links.max(initial=0.0)), 0.25)
    edges, rows = [], []
    pairs = np.argwhere(np.triu(links) > SEEN)
    order = np.argsort(-links[tuple(pairs.T)], kind="stable")
    for i, j in pairs[order[:MOST_LINES]]:
        share = float(links[i, j])
        rows.append([regions.labels[i], regions.labels[j], percent(share)])
        text = f"{regions.labels[i]} – {regions.labels[j]}: {percent(share)}"
        style = {
            "color": BLUE, "width": 0.4 + 6.0 * share / largest,
            "opacity": 0.25 + 0.6 * share / largest,
        }  # fmt: skip
        edges.append({"source": int(i), "target": int(j), "text": text, "lineStyle": style})
    sizes = np.maximum(0.6 * diameters(regions), 5.0)
    nodes = [
        {"name": code, "value": point, "symbolSize": size, "text": name}
        for code, name, point, size in zip(
            regions.codes, regions.labels, place.points.tolist(), sizes.tolist(), strict=True
        )
    ]
    options = BASE | {
        "tooltip": TOOLTIP, "geo": geo,
        "series": [
            {"type": "graph", "coordinateSystem": "geo", "data": nodes, "links": edges,
             "emphasis": {"focus": "adjacency"},
             "itemStyle": {"color": "white", "borderColor": INK, "borderWidth": 1}},
            name_series(place, sizes),
        ],
    }  # fmt: skip
    return Chart(options, description, [_("Region"), _("Region"), _("Shared services")], rows)


ROAM = "matchMedia('(pointer: fine)').matches || 'scale'"
"""JavaScript: whether a crowded map moves; under a finger, it leaves moves to the page."""


# Choosing regions -------------------------------------------------------------------------------


def choice_map(regions: Regions, chosen: frozenset[str]) -> Chart:
    """Draw all regions of a table, and which of them take part; marks are shapes or circles."""
    place, geo = map_base(regions)
    is_crowded = len(regions) > CROWDED
    zoom = {":roam": ROAM, "scaleLimit": {"min": 1, "max": 60}} if is_crowded else {"roam": False}
    shaped = np.isin(regions.codes, list(place.shapes))
    sizes = np.where(shaped, 0.0, np.maximum(0.6 * diameters(regions), 5.0))
    order = np.argsort(-regions.population, kind="stable")
    order = order if shaped.any() else order[:MOST_DRAWN]
    spots = []
    for i in order:
        code, is_in = regions.codes[i], regions.codes[i] in chosen
        look = {"borderColor": BLUE if is_in else GREY, "borderWidth": 0.6 if is_crowded else 1.2}
        fill = blend(0.45) if is_in else "white"
        text = f"{regions.names[i]}: {count(regions.population[i])}"
        if shaped[i]:
            tip = {":formatter": f"() => {json.dumps(text)}"}
            look |= {"areaColor": fill}
            geo["regions"].append({"name": code, "itemStyle": look, "tooltip": tip})
        else:
            look |= {"color": fill, "opacity": 0.85}
            point = place.points[i].tolist()
            spots.append({"name": code, "value": point, "symbolSize": float(sizes[i]),
                          "text": text, "itemStyle": look})  # fmt: skip
    options = BASE | {
        "tooltip": TOOLTIP,
        "geo": geo | zoom,
        "series": [
            {"type": "scatter", "coordinateSystem": "geo", "z": 4, "data": spots,
             "cursor": "pointer"},
            name_series(place, np.maximum(sizes, 4.0)),
        ],
    }  # fmt: skip
    return Chart(options, _("Map of all regions, with those that take part in blue"), [], [])
