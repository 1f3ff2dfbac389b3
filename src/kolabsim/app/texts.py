"""The texts of the page: what was found, what controls do, and tables of numbers as HTML."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from kolabsim.analysis.arrays import is_numeric
from kolabsim.analysis.statistics import (
    BETTER,
    DEPENDS,
    GAINS,
    LIKELY,
    LOSES,
    ROBUST,
    SAME,
    UNDECIDED,
    WORSE,
)
from kolabsim.app.settings import SHOWN, Settings
from kolabsim.app.uploads import LARGEST
from kolabsim.figures.formatting import SPACE, count, percent, significant
from kolabsim.figures.labels import (
    assumption_title,
    capitalise,
    choose_measure_scale,
    strategy_title,
)
from kolabsim.figures.palette import MARKS
from kolabsim.i18n import _, language, ngettext
from kolabsim.model.jit import is_compiled_before
from kolabsim.model.measures import MEASURES

if TYPE_CHECKING:
    from kolabsim.analysis.comparison import Comparison
    from kolabsim.app.importing import View
    from kolabsim.app.session import Estimate
    from kolabsim.scenario.importer.decisions import Decision
    from kolabsim.scenario.scenario import Scenario

FIRST = 3
"""Regions that a preview shows."""
MOST_DRIVERS = 6
"""Most assumptions that are shown to carry the answer."""
MOST_ROWS = 100
"""Most rows of a table of numbers."""


def headline(comparison: Comparison) -> str:
    """Sum up the effect of the user's strategy in three sentences."""
    table = comparison.table(SHOWN[0])
    row, scale = table.iloc[0], choose_measure_scale(comparison, SHOWN[0], table)
    text = _(
        "Compared with “{baseline}”, your strategy changes realised net benefit by {difference} "
        "({level} interval: {interval}). Of {regions} regions, {gain} gain and {lose} lose."
    )
    if comparison.is_varied:
        text = _(
            "Compared with “{baseline}”, your strategy changes realised net benefit by "
            "{difference} ({interval} over plausible assumptions). {verdict} Of {regions} regions, "
            "{gain} gain and {lose} lose, likely or robustly."
        )
    gain, lose = len(comparison.gainers()), len(comparison.losers())
    return text.format(
        baseline=strategy_title(comparison, comparison.baseline),
        difference=scale.text(row.difference, signed=True),
        level=percent(comparison.level),
        interval=scale.interval(row.low, row.high, signed=True),
        verdict=verdict_sentence(comparison) if comparison.is_varied else "",
        regions=count(len(comparison.regions())), gain=count(gain), lose=count(lose),
    )  # fmt: skip


def verdict_sentence(comparison: Comparison) -> str:
    """What plausible futures say of the difference in net benefit."""
    row = comparison.table(SHOWN[0]).iloc[0]
    texts = {
        ROBUST[BETTER]: _("This is robust: better in {better} of {futures} plausible futures."),
        LIKELY[BETTER]: _("This is likely: better in {better} of {futures} plausible futures."),
        LIKELY[WORSE]: _("It is likely worse: in {worse} of {futures} plausible futures."),
        ROBUST[WORSE]: _("It is robustly worse: in {worse} of {futures} plausible futures."),
        SAME: _("That hardly changes anything: {threshold} of cost at most."),
        DEPENDS: _(
            "Whether it is better depends on assumptions: better in {better}, worse in {worse} of "
            "{futures} plausible futures."
        ),
    }
    undecided = _("Chance leaves open whether it is better; more runs may show it.")
    threshold = f"{significant(100.0 * comparison.criteria.threshold)}%"
    return texts.get(str(row.verdict), undecided).format(
        better=percent(row.better_share), worse=percent(row.worse_share),
        futures=count(row.futures), threshold=threshold,
    )  # fmt: skip


def verdict_counts(comparison: Comparison) -> str:
    """Count the regions by verdict, each with its mark."""
    verdicts = comparison.regions()["verdict"]
    labels = {GAINS: _("gain"), SAME: _("hardly change"), UNDECIDED: _("undecided")}
    labels[LOSES] = _("lose")
    if comparison.is_varied:
        labels = {
            ROBUST[GAINS]: _("robustly gain"), LIKELY[GAINS]: _("likely gain"),
            SAME: _("hardly change"), DEPENDS: _("depend on assumptions"),
            UNDECIDED: _("undecided"), LIKELY[LOSES]: _("likely lose"),
            ROBUST[LOSES]: _("robustly lose"),
        }  # fmt: skip
    return ", ".join(
        f"{MARKS[verdict][0]}{SPACE}{count((verdicts == verdict).sum())} {label}"
        for verdict, label in labels.items()
        if (verdicts == verdict).any() or not comparison.is_varied
    )


class DriverText(NamedTuple):
    """An assumption that moves the difference in net benefit, in words."""

    name: str
    """Dotted name of the setting."""
    title: str
    share: float
    """Share of the variance between futures that it explains alone."""
    moves: bool
    """Whether that is more than chance would show."""
    effect: str


def describe_drivers(estimate: Estimate) -> tuple[str, list[DriverText]]:
    """Which assumptions carry the answer, the strongest first."""
    if not estimate.is_ranked:
        return _("Assumptions are ranked after the next runs."), []
    found, comparison = estimate.drivers, estimate.comparison
    if found is None:
        return _("There are too few plausible futures to rank assumptions."), []
    scale = choose_measure_scale(comparison, SHOWN[0], comparison.table(SHOWN[0]))
    rows = []
    for row in found.ranked.head(MOST_DRIVERS).itertuples():
        effect = _("{start} to {end} from its lowest to its highest value")
        if not is_numeric(found.settings[row.assumption]):
            effect = _("{start} to {end} by option")
        ends = scale.bare(row.lowest, signed=True), scale.text(row.highest, signed=True)
        title = assumption_title(
            estimate.session.source, row.assumption, found.together[row.assumption]
        )
        effect = effect.format(start=ends[0], end=ends[1])
        rows.append(DriverText(row.assumption, title, row.share, bool(row.moves), effect))
    text = ngettext(
        "{number} of {all} assumptions that vary can be distinguished from chance. The share is "
        "that of the variance between futures that an assumption explains alone.",
        "{number} of {all} assumptions that vary can be distinguished from chance. The share is "
        "that of the variance between futures that an assumption explains alone.",
        found.moving,
    )
    return text.format(number=count(found.moving), all=count(len(found.ranked))), rows


def describe(name: str, settings: Settings, scenario: Scenario) -> str:
    """Describe the present choice of a setting: language, scenario, strategies, or measure."""
    value = getattr(settings, name)
    if name == "lang":
        return _("Language of this page and of its report.")
    if name == "measure":
        return _("{meaning}.").format(meaning=capitalise(_(MEASURES[value].meaning)))
    if name == "scenario":
        return scenario.description(language())
    strategy = scenario.strategies.get(value)
    return strategy.description(language()) if strategy else ""


def downloads(*, is_study: bool = False) -> dict[str, tuple[str, str]]:
    """The files that the page offers: the labels of their buttons, and their descriptions.

    ``is_study``: whether the regions come from a table, so that all files of a study are offered.
    """
    scenario = _("Scenario (YAML)"), _("Your strategy and assumptions as a scenario file.")
    study = (
        _("Study (ZIP)"),
        _("The files that kolabsim new makes, and your strategy if you moved a slider."),
    )
    return {
        "scenario": study if is_study else scenario,
        "differences": (
            _("Differences (CSV)"),
            _("The numbers behind the table above, in each plausible future."),
        ),
        "data": (
            _("All data (ZIP)"),
            _("Every run, quarter and region, with the meaning of the columns."),
        ),
        "report": (_("Report (HTML)"), _("A page to print or send, with methods and sources.")),
    }  # fmt: skip


def uploads_help() -> str:
    """Explain which files can be uploaded."""
    return _(
        "A table or map of regions as you have it: CSV, Excel, OpenDocument, JSON, GeoJSON, "
        "shapefile with the files beside it, GeoPackage or ZIP; or a scenario (YAML) with its "
        "files. Up to {size} MB."
    ).format(size=count(LARGEST // 1_000_000))


def waiting() -> str:
    """What the page shows until there is a first estimate."""
    if is_compiled_before():
        return _("Simulating …")
    return _("The model is being compiled, once for this version; this takes about a minute.")


# Imports ----------------------------------------------------------------------------------------


def import_summary(view: View) -> str:
    """The file, the number of regions, their people, and the first of them, as HTML."""
    if view.found is None:
        return ""
    table = view.found.regions
    text = _("{file}: {number} regions with {people} people").format(
        file=view.found.source.name, number=count(len(table)),
        people=count(table["population"].sum()),
    )  # fmt: skip
    rows = [[row.code, row.name, count(row.population)] for row in table.head(FIRST).itertuples()]
    head = [_("Code"), _("Name"), _("Population")]
    more = "<tr><td colspan=3>…</td></tr></tbody>" if len(table) > FIRST else "</tbody>"
    return f"<p>{escape(text)}</p>" + table_html(head, rows).replace("</tbody>", more)


def decision_texts(decision: Decision) -> tuple[str, str]:
    """What was decided, and why."""
    return decision.shown, capitalise(decision.why)


def labels_of_parts() -> dict[str, str]:
    """Labels of the parts of answers to the five questions."""
    return {
        "region": _("Region (name or code)"),
        "km": _("Distance in km"),
        "regions": _("Codes or names, with commas between them"),
        "amount": _("Amount"),
        "currency": _("Currency"),
        "shares": _("Shares of services (optional), such as finance=3, training=1"),
        "column": _("Column"),
        "file": _("File"),
        "number": _("Number of regions"),
    }


# Tables -----------------------------------------------------------------------------------------


def differences_html(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """The table of differences; its rows are as high as those of the chart beside it."""
    colours = {mark: colour for mark, _marker, colour in MARKS.values()}
    lines = []
    for title, hint, level, difference, interval in rows:
        mark, _space, number = difference.partition(SPACE)
        coloured = f'<span style="color:{colours[mark]}">{mark}</span> {escape(number)}'
        first = f"{escape(title)} <small>{escape(hint)}</small>"
        lines.append([first, escape(level), coloured, escape(interval)])
    return rows_html(filter(None, columns), lines)


def drivers_html(drivers: Iterable[DriverText], can_be_fixed: Container[str]) -> str:
    """Which assumptions carry an answer: a bar each, and a button whose value is its name."""
    parts, fix = [], escape(_("Fix"))
    for number, one in enumerate(drivers):
        kind = "driver" if one.moves else "driver weak"
        button = (
            f'<button type=button class=plain id=fix-{number} value="{escape(one.name)}" '
            f"aria-describedby=driver-{number}>{fix}</button>"
        )
        button *= one.name in can_be_fixed
        parts.append(
            f'<div class="{kind}"><div class=head><span id=driver-{number}>{escape(one.title)}'
            f"</span><output>{escape(percent(max(one.share, 0.0)))}</output></div>"
            f'<div class=bar style="width:{100.0 * one.share:.1f}%"></div><div class=head>'
            f"<p class=help>{escape(one.effect)}</p>{button}</div></div>"
        )
    return "".join(parts)


def table_html(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of numbers; each row begins with its name."""
    lines = [[escape(cell) for cell in row] for row in rows]
    more = ""
    if len(lines) > MOST_ROWS:
        text = _("... and {number} more").format(number=count(len(lines) - MOST_ROWS))
        more = f"<p>{escape(text)}</p>"
    return rows_html(columns, lines[:MOST_ROWS]) + more


def rows_html(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are HTML already; each row begins with its name."""
    lines = [
        f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
        for first, *cells in rows
    ]
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in columns)
    head = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f"<table>{head}<tbody>{''.join(lines)}</tbody></table>"


def quarter_html(measures: Iterable[tuple[str, str]], events: Iterable[str]) -> str:
    """The measures and the events of a quarter."""
    items = "".join(f"<li>{escape(event)}</li>" for event in events)
    return f"{table_html([], measures)}<ul class=events>{items}</ul>"


class Told(NamedTuple):
    """An event of a region: when and where, what, and why."""

    where: str
    what: str
    why: str


def history_html(told: Iterable[Told]) -> str:
    """The events of a region, each with the reasons behind it."""
    items = []
    for one in told:
        why = f"<small>{escape(one.why)}</small>" if one.why else ""
        items.append(f"<li><b>{escape(one.where)}</b> {escape(one.what)}{why}</li>")
    if not items:
        nothing = _("Nothing has happened to this region yet.")
        return f"<p>{escape(nothing)}</p>"
    return f"<ol class=history>{''.join(items)}</ol>"
