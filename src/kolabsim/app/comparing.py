"""Kept strategies side by side: what each changes, costs and whom it makes lose.

All are compared with the baseline of the page, in the same futures and on the same random draws.
Nothing here knows of a web page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import NamedTuple

import numpy as np

from kolabsim.app.charts import BASE, TOOLTIP, Chart, Options, number_formatter
from kolabsim.app.kept import MOST_KEPT, Kept, clean_name, free_name, keys_of
from kolabsim.app.recent import Recent
from kolabsim.app.session import YOURS, Estimate, Session, strategy_text
from kolabsim.app.settings import SHOWN, Settings
from kolabsim.app.texts import rows_html
from kolabsim.app.uploads import Upload
from kolabsim.figures.formatting import SPACE, Scale, choose_scale, count
from kolabsim.figures.labels import measure_hint, measure_label, measure_title
from kolabsim.figures.palette import GREY, HOLLOW, INK, MARKS, PALE
from kolabsim.i18n import LANGUAGES, _, language, speaking
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import QUARTERS
from kolabsim.report.assumptions import what_is_done
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.source import write_yaml

COST = "programme_cost"
MOST_NAMED = 4
"""Most regions that a cell names."""
MOST_REGIONS = 40
"""Most regions that the table of regions lists."""
FILE = "strategies.yaml"
"""Name of the file of an experiment that compares kept strategies."""
STORED = 60
"""Number of summaries that are kept."""


class Figure(NamedTuple):
    """The median of a number over futures, with the range of nine tenths of them."""

    value: float
    low: float
    high: float
    verdict: str = ""


class Column(NamedTuple):
    """All that is shown of one strategy."""

    differences: Mapping[str, Figure]
    """Differences to the baseline by measure."""
    cost: Figure
    """Programme cost a year beyond that of the baseline, in money."""
    regions: Mapping[str, Figure]
    """Differences in net benefit by code of region."""
    gainers: tuple[str, ...]
    losers: tuple[str, ...]
    """Codes of the regions that gain and lose, likely or robustly, the most affected first."""
    done: str
    """The levers, in words."""


_COLUMNS: Recent[Column] = Recent(STORED)


def session_of(one: Kept, settings: Settings, scenario: Scenario, upload: Upload) -> Session:
    """A kept strategy, ready to be simulated as the page simulates its own."""
    return Session(replace(settings.showing(one), kept=()), scenario, upload=upload)


def known_column(session: Session) -> Column | None:
    """What was found of a strategy before, if it is remembered."""
    return _COLUMNS.get((session.keys, language()))


def summarise(session: Session) -> Column:
    """Compare a strategy with the baseline in all runs, and remember what is shown of it."""
    estimate = Estimate(session, session.steps[-1])
    comparison = estimate.comparison
    differences = {}
    for measure in SHOWN:
        row = comparison.table(measure).iloc[0]
        differences[measure] = Figure(row.difference, row.low, row.high, str(row.verdict))
    runs, yearly = estimate.shown.runs, QUARTERS / session.scenario.horizon
    of_each = runs.groupby(["strategy", "future"], observed=True)[COST].mean().unstack("future")
    baseline, own = (of_each.loc[name].to_numpy() for name in session.strategies)
    low, middle, high = np.quantile((own - baseline) * yearly, (0.05, 0.5, 0.95))
    table = comparison.regions()
    regions = {
        row.region: Figure(row.difference, row.low, row.high, str(row.verdict))
        for row in table.itertuples()
    }
    gainers, losers = (
        tuple(found.sort_values("difference", ascending=ascending, kind="stable")["region"])
        for found, ascending in ((comparison.gainers(), False), (comparison.losers(), True))
    )
    cost = Figure(float(middle), float(low), float(high))
    own = session.scenario.strategies[YOURS]
    done = "; ".join(what_is_done(own, session.scenario)) or _("no levers")
    column = Column(differences, cost, regions, gainers, losers, done)
    estimate.release()
    _COLUMNS.put((session.keys, language()), column)
    return column


# Tables and charts --------------------------------------------------------------------------------

Columns = Mapping[str, Column]
"""What is known of strategies, by their names in the order in which they are shown."""


def overview_html(names: Sequence[str], columns: Columns, scenario: Scenario) -> str:
    """A table of strategies: net benefit, cost a year, and who gains and loses."""
    currency = scenario.currency
    money = choose_scale(
        "currency", [one.cost.high for one in columns.values()], currency=currency
    )  # fmt: skip
    scale = choose_scale(MEASURES[SHOWN[0]].unit, *spread(columns, SHOWN[0]))
    labels = dict(zip(scenario.regions.codes, scenario.regions.labels, strict=True))
    rows = []
    for name in names:
        if name not in columns:
            rows.append([escape(name), *[escape(_("Simulating …"))], "", "", ""])
            continue
        one = columns[name]
        net, (cost, low, high, _verdict) = one.differences[SHOWN[0]], one.cost
        rows.append(
            [
                escape(name) + small(one.done),
                marked(net.verdict, scale.bare(net.value, signed=True))
                + small(scale.interval(net.low, net.high, signed=True)),
                f"<b>{escape(money.text(cost, signed=True))}</b>"
                + small(money.interval(low, high, signed=True)),
                named(one.gainers, labels),
                named(one.losers, labels),
            ]
        )
    head = [
        _("Strategy"), measure_label(SHOWN[0], scale), _("Extra cost a year"), _("Gain"), _("Lose"),
    ]  # fmt: skip
    return rows_html(head, rows)


def measures_html(names: Sequence[str], columns: Columns, scenario: Scenario) -> str:
    """A table of all measures by strategy: the difference with its range."""
    known = [name for name in names if name in columns]
    rows = []
    for measure in SHOWN:
        scale = choose_scale(
            MEASURES[measure].unit, *spread(columns, measure), currency=scenario.currency
        )
        cells = [columns[name].differences[measure] for name in known]
        title = f"{escape(measure_title(measure))} {small(measure_hint(measure, scale))}"
        rows.append([title, *(figure_html(one, scale) for one in cells)])
    return rows_html([_("Measure"), *known], rows)


def regions_html(names: Sequence[str], columns: Columns, scenario: Scenario) -> str:
    """A table of regions by strategy: what each gains or loses."""
    known = [name for name in names if name in columns]
    if not known:
        return ""
    labels, rows = scenario.regions.labels, []
    scale = choose_scale(
        MEASURES[SHOWN[0]].unit,
        [one.value for name in known for one in columns[name].regions.values()],
    ).with_decimals(most=2)
    affected = {code for name in known for code in (*columns[name].gainers, *columns[name].losers)}
    for code, label in zip(scenario.regions.codes, labels, strict=True):
        if len(labels) > MOST_REGIONS and code not in affected:
            continue
        cells = [columns[name].regions[code] for name in known]
        rows.append([escape(label), *(figure_html(one, scale) for one in cells)])
    return rows_html([_("Region"), *known], rows[: 5 * MOST_REGIONS])


def spread(columns: Columns, measure: str) -> tuple[list[float], list[float]]:
    """All numbers of a measure, and half of their ranges."""
    found = [one.differences[measure] for one in columns.values()]
    return [one.value for one in found], [(one.high - one.low) / 2.0 for one in found]


def figure_html(one: Figure, scale: Scale) -> str:
    """A difference with its mark and range."""
    if not math.isfinite(one.value):
        return "–"
    number = scale.bare(one.value, signed=True)
    interval = scale.interval(one.low, one.high, signed=True)
    return marked(one.verdict, number) + small(interval)


def marked(verdict: str, text: str) -> str:
    """A text after the coloured mark of a verdict."""
    mark, _marker, colour = MARKS[verdict]
    return f'<b><span style="color:{colour}">{mark}</span>{SPACE}{escape(text)}</b>'


def small(text: str) -> str:
    """A text in small letters, in a line of its own in a cell."""
    return f"<small>{escape(text)}</small>"


def named(codes: Sequence[str], labels: Mapping[str, str]) -> str:
    """The number of regions, and the names of the first."""
    if not codes:
        return escape(_("none"))
    shown = ", ".join(labels[code] for code in codes[:MOST_NAMED])
    if len(codes) > MOST_NAMED:
        shown += ", …"
    return f"<b>{count(len(codes))}</b>{small(shown)}"


def overview_chart(names: Sequence[str], columns: Columns, scenario: Scenario) -> Chart:
    """Draw net benefit and cost a year of each strategy, medians with ranges, in two panels."""
    known = [name for name in names if name in columns]
    benefit = choose_scale(MEASURES[SHOWN[0]].unit, *spread(columns, SHOWN[0]))
    money = choose_scale(
        "currency", [columns[name].cost.high for name in known], currency=scenario.currency
    )  # fmt: skip
    panels = (
        (measure_title(SHOWN[0]), benefit, [columns[n].differences[SHOWN[0]] for n in known]),
        (_("Extra cost a year"), money, [columns[n].cost for n in known]),
    )
    grids, across, down, titles, series = [], [], [], [], []
    for k, (title, scale, figures) in enumerate(panels):
        side = {"left": "30%", "right": "37%"} if k == 0 else {"left": "66%", "right": "3%"}
        grids.append({**side, "top": 44, "bottom": 24})
        text = f"{title}\n{scale.unit if k == 0 else scale.label}"
        titles.append(
            {"text": text, "left": side["left"], "top": 0, "padding": 0,
             "textStyle": {"fontSize": 12, "fontWeight": "normal", "color": GREY, "lineHeight": 16}}
        )  # fmt: skip
        across.append(
            {"type": "value", "gridIndex": k, **extent(figures, scale.divisor),
             "splitLine": {"lineStyle": {"color": PALE}}, "splitNumber": 3,
             "axisLabel": {"color": INK, "hideOverlap": True, ":formatter": number_formatter()}}
        )  # fmt: skip
        down.append(
            {"type": "category", "gridIndex": k, "data": known, "inverse": True,
             "axisTick": {"show": False}, "axisLine": {"show": k > 0, "lineStyle": {"color": GREY}},
             "axisLabel": {"show": k == 0, "color": INK, "width": 140, "overflow": "break",
                           "lineHeight": 15}}
        )  # fmt: skip
        lines, points = [], []
        for place, (name, one) in enumerate(zip(known, figures, strict=True)):
            colour = MARKS[one.verdict][2] if one.verdict else INK
            low, middle, high = (v / scale.divisor for v in (one.low, one.value, one.high))
            words = scale.text(one.value, signed=True)
            text = f"{name}: {words} ({scale.interval(one.low, one.high, signed=True)})"
            lines.append(
                {"coords": [[low, place], [high, place]], "text": text,
                 "lineStyle": {"color": colour}}
            )  # fmt: skip
            face = "white" if one.verdict in HOLLOW else colour
            points.append(
                {"value": [middle, place], "text": text,
                 "itemStyle": {"color": face, "borderColor": colour}}
            )  # fmt: skip
        axes = {"xAxisIndex": k, "yAxisIndex": k}
        series += [
            {"type": "lines", "coordinateSystem": "cartesian2d", **axes, "data": lines,
             "lineStyle": {"width": 3, "opacity": 1}},
            {"type": "scatter", **axes, "data": points, "symbolSize": 9,
             "itemStyle": {"borderWidth": 1.8}},
        ]  # fmt: skip
    options: Options = BASE | {
        "tooltip": TOOLTIP, "title": titles, "grid": grids, "xAxis": across, "yAxis": down,
        "series": series,
    }  # fmt: skip
    description = _("Net benefit and programme cost of each kept strategy, with ranges")
    return Chart(options, description, [], [])


def extent(figures: Sequence[Figure], divisor: float) -> dict[str, float]:
    """Round ends of an axis that holds zero and all ranges."""
    ends = [0.0, *(end / divisor for one in figures for end in (one.low, one.high))]
    low, high = min(ends), max(ends)
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-9))) / 2.0
    return {"min": step * math.floor(low / step), "max": step * math.ceil(high / step)}


# Files --------------------------------------------------------------------------------------------


def strategies_file(settings: Settings, scenario: Scenario, upload: Upload) -> str:
    """The experiment that compares the kept strategies, for ``kolabsim run`` and for this page."""
    keys = keys_of(settings.kept, scenario.strategies)
    changes: dict[str, object] = {
        f"parameters.{name}": value for name, value in settings.assumptions.items()
    }
    for key, one in zip(keys, settings.kept, strict=True):
        start = scenario.strategies[one.start]
        text = strategy_text(start, one.levers, scenario, one.conditions)
        changes[f"strategies.{key}"] = {"title": one.name, **text}
    question = {}
    for code in LANGUAGES:
        with speaking(code):
            question[code] = _("What does each of these strategies change?")
    return write_yaml(
        {
            "kind": "comparison",
            "question": question,
            "scenario": upload.extends,
            "baseline": settings.baseline,
            "strategies": list(dict.fromkeys((settings.baseline, *keys))),
            "seed": settings.seed,
            "set": changes,
        }
    )


def own_strategies(scenario: Scenario, usual: Scenario) -> tuple[Kept, ...]:
    """The strategies that a scenario has and another lacks, to be kept, the first ones."""
    kept: tuple[Kept, ...] = ()
    for name, one in scenario.strategies.items():
        if name not in usual.strategies and len(kept) < MOST_KEPT:
            title = free_name(clean_name(one.title(language())) or name, kept)
            kept = (*kept, Kept(title, name))
    return kept
