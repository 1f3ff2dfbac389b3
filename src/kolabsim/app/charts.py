"""Pictures that keep up with a hand on a control: SVG written as text, within milliseconds.

The figures of reports are drawn by matplotlib, which takes a tenth of a second for each. These show
the same numbers in the same colours and marks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.statistics import GAINS, LOSES, UNDECIDED
from kolabsim.app.session import MAIN, Answer
from kolabsim.figures.comparison import quantiles, yearly
from kolabsim.figures.formatting import choose_scale, decimal, percent
from kolabsim.figures.labels import (
    capitalise,
    choose_measure_scale,
    choose_winner_scale,
    measure_hint,
    measure_label,
    measure_title,
    strategy_title,
)
from kolabsim.figures.maps import RegionMap, neighbours
from kolabsim.figures.style import (
    BLUE,
    FONTS,
    GREY,
    INK,
    MARKS,
    ORANGE,
    PALE,
    VERMILION,
    marker_face,
)
from kolabsim.i18n import _, language
from kolabsim.model.measures import MEASURES

if TYPE_CHECKING:
    from kolabsim.scenario.regions import Regions
    from kolabsim.scenario.shapes import Shape

WIDE, HIGH = 520, 300
"""Units across and down a picture."""
NAMED = 40
"""Most regions whose names are written."""
MARKED = 6.0
"""Units from the middle of a shape to its mark's edge."""
SEEN = 0.02
"""Share of services above which a link is drawn."""


def svg(body: str, alt: str, *, wide: int = WIDE, high: int = HIGH) -> str:
    """A picture that fills its place, and says what it shows to who cannot see it."""
    return (
        f'<svg viewBox="0 0 {wide} {high}" role="img" aria-label="{escape(alt)}" width="100%" '
        f'font-family="{FONTS}" font-size="12.5" fill="{INK}">{body}</svg>'
    )


# Differences ------------------------------------------------------------------------------------


def differences(answer: Answer, measures: Sequence[str]) -> str:
    """A table: of each measure the baseline, the difference, its interval, and a picture of it."""
    comparison, rows = answer.comparison, []
    for measure in measures:
        table = comparison.table(measure)
        row, scale = table.iloc[0], choose_measure_scale(comparison, measure, table)
        mark, _marker, colour = MARKS[row.verdict]
        rows.append(
            f'<tr><th scope="row" title="{escape(capitalise(_(MEASURES[measure].meaning)))}">'
            f"{escape(measure_title(measure))}"
            f"<small>{escape(measure_hint(measure, scale))}</small></th>"
            f"<td>{escape(level_of(measure, row.baseline, comparison.scenario.currency))}</td>"
            f'<td class="bar">{interval_bar(row, colour)}</td>'
            f'<td class="difference"><span style="color:{colour}" aria-hidden="true">{mark}</span>'
            f" {scale.bare(row.difference, signed=True)}</td>"
            f"<td>{scale.interval(row.low, row.high, signed=True)}</td></tr>"
        )
    head = "".join(
        f'<th scope="col">{escape(text)}</th>'
        for text in (
            _("Measure"), _("Baseline"), "", _("Difference"),
            _("{level} interval").format(level=percent(comparison.level)),
        )
    )  # fmt: skip
    return f'<table class="differences"><thead><tr>{head}</tr></thead>{"".join(rows)}</table>'


def level_of(measure: str, value: float, currency: str) -> str:
    """A value in short: its unit stands beside the measure already, but for money and shares."""
    unit = MEASURES[measure].unit
    scale = choose_scale(unit, [value], currency=currency, difference=False)
    if unit == "currency":
        return scale.text(value)
    return scale.bare(value) + ("%" if scale.unit.startswith("%") else "")


def interval_bar(row: object, colour: str) -> str:
    """An interval around its difference, and where zero is."""
    wide, high = 130, 18
    if not all(map(math.isfinite, (row.low, row.high))):
        return ""
    reach = max(abs(row.low), abs(row.high)) * 1.08 or 1.0
    low, middle, high_end = (
        wide / 2 * (1 + value / reach) for value in (row.low, row.difference, row.high)
    )
    return (
        f'<svg viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" aria-hidden="true">'
        f'<line x1="{wide / 2}" x2="{wide / 2}" y1="0" y2="{high}" stroke="{GREY}"/>'
        f'<line x1="{low:.1f}" x2="{high_end:.1f}" y1="9" y2="9" stroke="{colour}" '
        f'stroke-width="3"/><circle cx="{middle:.1f}" cy="9" r="4.5" '
        f'fill="{marker_face(row.verdict)}" stroke="{colour}" stroke-width="1.8"/></svg>'
    )


def headline(answer: Answer) -> str:
    """What one's own strategy does, in two sentences."""
    comparison = answer.comparison
    table = comparison.table(MAIN[0])
    row, scale = table.iloc[0], choose_measure_scale(comparison, MAIN[0], table)
    verdicts = comparison.winners["verdict"]
    words = {
        "baseline": strategy_title(comparison, comparison.baseline),
        "difference": scale.text(row.difference, signed=True),
        "interval": scale.interval(row.low, row.high, signed=True),
        "gain": decimal(int((verdicts == GAINS).sum()), 0),
        "lose": decimal(int((verdicts == LOSES).sum()), 0),
        "regions": decimal(len(verdicts), 0),
    }
    return _(
        "Against “{baseline}”, your strategy changes realised net benefit by {difference} (95 % "
        "interval: {interval}). Of {regions} regions, {gain} gain and {lose} lose."
    ).format(**words)


# Over time --------------------------------------------------------------------------------------


def envelopes(answer: Answer, measure: str) -> str:
    """Median and bands of half and nine tenths of the runs, for both strategies, year by year."""
    scenario = answer.of.scenario
    time, values = yearly(answer.results, measure, answer.of.strategies, baseline=None, future=None)
    bands = quantiles(values, (0.05, 0.25, 0.5, 0.75, 0.95))
    scale = choose_scale(
        MEASURES[measure].unit, bands.ravel(), currency=scenario.currency, difference=False
    )
    bands = bands / scale.divisor
    ticks = round_ticks(bands[np.isfinite(bands)])
    left, right, top, bottom = 50, WIDE - 10, 38, HIGH - 26
    span = max(time[-1] - time[0], 1)

    def x(value: float) -> float:
        return left + (right - left) * (value - time[0]) / span

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - ticks[0]) / (ticks[-1] - ticks[0])

    parts, decimals = [], max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    for tick in ticks:
        colour = GREY if abs(tick) < 1e-12 else PALE
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" '
            f'stroke="{colour}"/><text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">'
            f"{decimal(tick, decimals)}</text>"
        )
    for value in time[:: max(1, math.ceil(len(time) / 8))]:
        parts.append(f'<text x="{x(value):.1f}" y="{HIGH - 8}" text-anchor="middle">{value}</text>')
    legend = left
    for k, (name, colour) in enumerate(zip(answer.of.strategies, (ORANGE, BLUE), strict=True)):
        parts += draw_bands(time, bands[:, k], colour, x, y)
        title = scenario.strategies[name].title(language())
        parts.append(
            f'<line x1="{legend}" x2="{legend + 22}" y1="12" y2="12" stroke="{colour}" '
            f'stroke-width="3"/><text x="{legend + 28}" y="16">{escape(title)}</text>'
        )
        legend += 50 + 7.2 * len(title)
    parts.append(
        f'<text x="{left}" y="30" fill="{GREY}">{escape(measure_label(measure, scale))}</text>'
    )
    alt = _("{measure} over the years under both strategies").format(measure=measure_title(measure))
    return svg("".join(parts), alt)


def draw_bands(time: np.ndarray, bands: np.ndarray, colour: str, x: object, y: object) -> list[str]:
    """A median, a band of half of the runs, and dashed edges of nine tenths of them."""
    kept = np.isfinite(bands).all(axis=0)

    def points(values: np.ndarray, of: np.ndarray) -> str:
        return " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in zip(of, values, strict=True))

    time, (low, lower, middle, upper, high) = time[kept], bands[:, kept]
    around = points(np.r_[lower, upper[::-1]], np.r_[time, time[::-1]])
    edges = "".join(
        f'<polyline points="{points(edge, time)}" fill="none" stroke="{colour}" '
        'stroke-dasharray="3 3"/>'
        for edge in (low, high)
    )
    return [
        f'<polygon points="{around}" fill="{colour}" fill-opacity="0.2"/>{edges}'
        f'<polyline points="{points(middle, time)}" fill="none" stroke="{colour}" '
        'stroke-width="2.4"/>'
    ]


def round_ticks(values: np.ndarray) -> np.ndarray:
    """Four to seven round numbers that reach from the least to the most of some values."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / 4.0
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * k for k in (1, 2, 5, 10) if size * k >= raw)
    return np.arange(math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9) + 1) * step


# Regions ----------------------------------------------------------------------------------------


def spots(regions: Regions) -> np.ndarray:
    """Where regions stand in a picture [R, 2]: as they lie, or in a circle if that is unknown."""
    return in_picture(regions, RegionMap(regions).points)


def in_picture(regions: Regions, degrees: np.ndarray) -> np.ndarray:
    """Where places in degrees east and north [N, 2] are in a picture that shows all regions."""
    room = np.array([WIDE - 90.0, HIGH - 90.0])
    middle = np.array([WIDE / 2.0, HIGH / 2.0 + 6.0])
    stretch = np.array([RegionMap(regions).aspect, -1.0])
    ends = RegionMap(regions).bounds * stretch
    extent = np.maximum(np.ptp(ends, axis=0), 1e-9)
    if not regions.mapped:
        return middle + (degrees * stretch - ends.mean(axis=0)) * room / extent
    return middle + (degrees * stretch - ends.mean(axis=0)) * (room / extent).min()


def drawn_shape(regions: Regions, shape: Shape, look: str) -> str:
    """A region by its shape, holes and islands as they are."""
    lines = (
        "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in in_picture(regions, ring)) + "Z"
        for ring in shape.rings
    )
    return f'<path d="{"".join(lines)}" fill-rule="evenodd" {look}/>'


def radii(regions: Regions) -> np.ndarray:
    """Radii of circles whose areas are proportional to population [R]."""
    largest = 20.0 * min(1.0, math.sqrt(20.0 / len(regions)))
    return np.maximum(largest * np.sqrt(regions.population / regions.population.max()), 2.5)


def blend(share: float) -> str:
    """A colour from losing (-1) through nothing (0) to gaining (1)."""
    share = min(max(share, -1.0), 1.0) if math.isfinite(share) else 0.0
    end = BLUE if share > 0 else VERMILION
    parts = (int(end[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(250 + (part - 250) * abs(share)):02x}" for part in parts)


def regions_map(answer: Answer) -> str:
    """Regions as large as their population, coloured and marked by what they gain or lose."""
    comparison, regions = answer.comparison, answer.of.scenario.regions
    table = comparison.winners.set_index("region").reindex(regions.codes)
    scale = choose_winner_scale(comparison)
    limit = float(table["difference"].abs().max()) or 1.0
    parts, shapes = [], RegionMap(regions).shapes
    shaped = np.isin(regions.codes, list(shapes))
    sizes = np.where(shaped, MARKED, radii(regions))
    drawn = [(x, y, r) for (x, y), r in zip(spots(regions).tolist(), sizes, strict=True)]
    for i, j in neighbours(comparison) if not shapes else ():
        (x, y, _r), (u, v, _s) = drawn[i], drawn[j]
        parts.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{u:.1f}" y2="{v:.1f}" stroke="{PALE}"/>')
    for i, (row, circle) in enumerate(zip(table.itertuples(), drawn, strict=True)):
        mark, _marker, colour = MARKS[row.verdict]
        told = (
            f"{regions.names[i]}: {scale.text(row.difference, signed=True)} "
            f"({scale.interval(row.low, row.high, signed=True)})"
        )
        ink = "white" if abs(row.difference) > 0.6 * limit else INK
        dashed = ' stroke-dasharray="3 2"' if row.verdict == UNDECIDED else ""
        x, y, radius = circle
        shape, fill = shapes.get(regions.codes[i]), blend(row.difference / limit)
        look = f'fill="{fill}" stroke="{colour}" stroke-width="1.4"{dashed}'
        figure = (
            drawn_shape(regions, shape, look)
            if shape
            else f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {look}/>'
        )
        parts.append(
            f"<g><title>{escape(told)}</title>{figure}"
            f'<text x="{x:.1f}" y="{y + 3.5:.1f}" text-anchor="middle" font-size="11" fill="{ink}">'
            f"{mark if radius > 5 else ''}</text></g>"
        )
    parts += names(regions, sizes)
    at = 6.0
    words = {GAINS: _("gains"), LOSES: _("loses"), UNDECIDED: _("undecided")}
    for verdict, text in words.items():
        mark, _marker, colour = MARKS[verdict]
        number = int((table["verdict"] == verdict).sum())
        told = f" {text}: {decimal(number, 0)}"
        parts.append(
            f'<text x="{at}" y="14"><tspan fill="{colour}">{mark}</tspan>{escape(told)}</text>'
        )
        at += 31 + 7.0 * len(told)
    return svg("".join(parts), _("Map of regions that gain and lose under your strategy"))


def circles(regions: Regions) -> list[tuple[float, float, float]]:
    """Where each region's circle is, and its radius."""
    return [(x, y, r) for (x, y), r in zip(spots(regions).tolist(), radii(regions), strict=True)]


def names(regions: Regions, sizes: np.ndarray) -> list[str]:
    """Names of regions, where there are few.

    Below or above their circles, of these sizes; of two that would overlap, that of the larger
    region.
    """
    if len(regions) > NAMED:
        return []
    places, taken, parts = spots(regions), [], []
    for i in np.argsort(-regions.population, kind="stable"):
        (x, y), text = places[i], regions.names[i]
        half = 3.2 * len(text)
        x = min(max(x, half + 2.0), WIDE - half - 2.0)
        free = (
            line for line in (y + sizes[i] + 11.0, y - sizes[i] - 3.0)
            if all(abs(x - u) > half + v or abs(line - w) > 11.0 for u, v, w in taken)
        )  # fmt: skip
        if (line := next(free, None)) is not None:
            taken.append((x, half, line))
            parts.append(
                f'<text x="{x:.1f}" y="{line:.1f}" text-anchor="middle" font-size="11" '
                f'paint-order="stroke" stroke="white" stroke-width="2.5">{escape(text)}</text>'
            )
    return parts


def network(regions: Regions, links: np.ndarray, alt: str) -> str:
    """Regions, joined by lines as wide as the share of services that two of them share [R, R]."""
    places, parts = spots(regions), []
    largest = max(float(links.max(initial=0.0)), 0.25)
    for i, j in zip(*np.nonzero(np.triu(links) > SEEN), strict=True):
        share, ((x, y), (u, v)) = links[i, j], (places[i], places[j])
        told = f"{regions.names[i]} – {regions.names[j]}: {percent(share)}"
        parts.append(
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{u:.1f}" y2="{v:.1f}" stroke="{BLUE}" '
            f'stroke-width="{0.4 + 6.0 * share / largest:.1f}" '
            f'stroke-opacity="{0.25 + 0.6 * share / largest:.2f}">'
            f"<title>{escape(told)}</title></line>"
        )
    for (x, y, radius), name in zip(circles(regions), regions.names, strict=True):
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{max(radius * 0.6, 2.0):.1f}" fill="white" '
            f'stroke="{INK}"><title>{escape(name)}</title></circle>'
        )
    return svg("".join(parts + names(regions, radii(regions))), alt)
