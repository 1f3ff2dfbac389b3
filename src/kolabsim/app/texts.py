"""The texts of the page: what was found, what controls do, and tables of numbers as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from kolabsim.analysis.statistics import GAINS, LOSES, UNDECIDED
from kolabsim.app.settings import SHOWN, Settings
from kolabsim.app.uploads import LARGEST, LARGEST_SHAPES
from kolabsim.figures.formatting import SPACE, count, percent
from kolabsim.figures.labels import capitalise, choose_measure_scale, strategy_title
from kolabsim.figures.palette import MARKS
from kolabsim.i18n import _, language
from kolabsim.model.jit import is_compiled_before
from kolabsim.model.measures import MEASURES

if TYPE_CHECKING:
    from kolabsim.analysis.comparison import Comparison
    from kolabsim.scenario.scenario import Scenario

MOST_ROWS = 100
"""Most rows of a table of numbers."""


def headline(comparison: Comparison) -> str:
    """Sum up the effect of the user's strategy in two sentences."""
    table = comparison.table(SHOWN[0])
    row, scale = table.iloc[0], choose_measure_scale(comparison, SHOWN[0], table)
    verdicts = comparison.winners["verdict"]
    return _(
        "Compared with “{baseline}”, your strategy changes realised net benefit by {difference} "
        "({level} interval: {interval}). Of {regions} regions, {gain} gain and {lose} lose."
    ).format(
        baseline=strategy_title(comparison, comparison.baseline),
        difference=scale.text(row.difference, signed=True),
        level=percent(comparison.level),
        interval=scale.interval(row.low, row.high, signed=True),
        regions=count(len(verdicts)),
        gain=count((verdicts == GAINS).sum()),
        lose=count((verdicts == LOSES).sum()),
    )


def verdict_counts(comparison: Comparison) -> str:
    """Count the regions that gain, that lose and that are undecided, each with its mark."""
    verdicts = comparison.winners["verdict"]
    labels = {GAINS: _("gain"), LOSES: _("lose"), UNDECIDED: _("undecided")}
    return ", ".join(
        f"{MARKS[verdict][0]}{SPACE}{count((verdicts == verdict).sum())} {label}"
        for verdict, label in labels.items()
    )


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


def downloads() -> dict[str, tuple[str, str]]:
    """The files that the page offers: the labels of their buttons, and their descriptions."""
    return {
        "scenario": (
            _("Scenario (YAML)"), _("Your strategy and assumptions as a scenario file.")
        ),
        "differences": (_("Differences (CSV)"), _("The numbers of the table above.")),
        "data": (
            _("All data (ZIP)"),
            _("Every run, quarter and region, with the meaning of the columns."),
        ),
        "report": (_("Report (HTML)"), _("A page to print or send, with methods and sources.")),
    }  # fmt: skip


def uploads_help() -> str:
    """Explain which files can be uploaded."""
    return _(
        "A table (CSV) with the columns code, population, latitude and longitude, and optional "
        "columns name and tier; or a scenario (YAML) with its tables. Up to {size} kB. You can "
        "add the shapes of the regions (GeoJSON): up to {shapes} kB."
    ).format(size=count(LARGEST // 1000), shapes=count(LARGEST_SHAPES // 1000))


def waiting() -> str:
    """What the page shows until there is a first estimate."""
    if is_compiled_before():
        return _("Simulating …")
    return _("The model is being compiled, once for this version; this takes up to half a minute.")


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
