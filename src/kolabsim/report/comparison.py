"""The report of a comparison: one page that needs no network, in English or Indonesian.

What is said stands in :mod:`kolabsim.report.summary`, what is tabled in
:mod:`kolabsim.report.tables`, what is drawn in :mod:`kolabsim.figures`; here they come together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim import figures
from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.convergence import convergence
from kolabsim.analysis.influence import influence
from kolabsim.figures.comparison import quantiles, yearly
from kolabsim.figures.formatting import count, percent, significant
from kolabsim.figures.labels import strategy_title
from kolabsim.figures.style import to_png
from kolabsim.files import write_whole
from kolabsim.i18n import _, language, speaking
from kolabsim.model.measures import MEASURES, RATIO, REPORT, shown_in
from kolabsim.report import assumptions, summary, tables
from kolabsim.report.all_futures import futures_sentence, in_futures
from kolabsim.report.convergence import convergence_picture, convergence_sentence, convergence_table
from kolabsim.report.influence import influence_sentences, influence_tables
from kolabsim.report.page import Picture, template
from kolabsim.report.provenance import again_section
from kolabsim.report.workbook import write_workbook
from kolabsim.scenario.shapes import without_shape

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table as TerminalTable

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.study.collect import Results
    from kolabsim.study.experiment import Experiment

PANELS = 9
"""Most measures in the forest plot; the tables have all."""
PANELS_OVER_TIME = 12
"""Most strategies whose differences are drawn over time."""
PERCEIVED = "perceived_benefit"
STANDARD = shown_in(REPORT)
"""Measures that a report shows unless others are named."""


# The page ---------------------------------------------------------------------------------------


def write_report(
    results: Results,
    comparison: Comparison,
    *,
    language: str,
    provenance: Mapping[str, object],
    question: str,
    path: Path,
    variance: pd.DataFrame | None = None,
    fair: pd.DataFrame | None = None,
    measures: Sequence[str] = STANDARD,
    pages: Mapping[str, str] | None = None,
    workbook: bool = False,
) -> Path:
    """Write a comparison as one self-contained HTML file.

    Parameters
    ----------
    results, comparison
        What was simulated, and what it says.
    language
        Code of the language of the page: en or id.
    provenance
        How the results came about: command, seed, versions, hashes.
    question
        What was asked, in a sentence of that language.
    path
        The file, which is written whole or not at all.
    variance
        Share of the variance between runs that drawn attributes carry: measure, share, low, high.
    fair
        Shares of joint cost, by each rule.
    measures
        Measures that are tabled.
    pages
        Files of the pages of single regions, relative to the report, by their codes.
    workbook
        Whether its tables are written beside it as an Excel workbook, where that is possible.

    Raises
    ------
    InputError
        For a language that kolabsim does not speak.
    StorageError
        If the disk refuses to write.
    """
    with speaking(language):
        view = view_of(
            results, comparison, provenance, question, variance, fair, measures, pages or {}
        )
        text = template("report.html.j2").render(**view, lang=language)
        if workbook:
            facts = [(answer.heading, answer.text) for answer in view["answers"]]
            facts += [*view["again"].facts, view["again"].quote]
            write_workbook(
                path.with_suffix(".xlsx"), view["question"], sheets_of(view), facts=facts
            )
    write_whole(path, text.encode())
    return path


FEW = 12
"""Most settings of a future that are told one by one."""


def tabled(measures: Sequence[str]) -> list[str]:
    """The measures whose differences are tabled; ratios to programme cost stand with the costs."""
    ratio_of_cost = {
        name for name, entry in MEASURES.items()
        if entry.figure == RATIO and entry.ratio[1] == "programme_cost"
    }  # fmt: skip
    return [name for name in measures if name not in ratio_of_cost] or [NET_BENEFIT]


def view_of(
    results: Results,
    comparison: Comparison,
    provenance: Mapping[str, object],
    question: str,
    variance: pd.DataFrame | None,
    fair: pd.DataFrame | None,
    measures: Sequence[str],
    pages: Mapping[str, str],
) -> dict[str, object]:
    """Everything that the page shows, in its order, in words of the language spoken now."""
    from kolabsim import __version__

    scenario, future = comparison.scenario, comparison.futures[0]
    chosen, order = tabled(measures), comparison.order(future=comparison.futures[0])
    best, has_regions = order[0], bool(len(comparison.winners))
    answers = summary.answers(results, comparison, future)
    settling = convergence(results, comparison)
    moved = influence(results, comparison, best)
    drawn = pictures(results, comparison, measures)
    drawn["convergence"] = convergence_picture(comparison, settling)
    elsewhere = in_futures(comparison, best)
    return {
        "scenario": scenario.title(language()),
        "description": scenario.description(language()),
        "question": question or _("Which strategy does best, at what cost, and who loses?"),
        "facts": fact_line(comparison),
        "answers": answers,
        "said": [text for text in (*answers[0].more, futures_sentence(comparison)) if text],
        "pictures": drawn,
        "strategies": assumptions.strategy_table(scenario, [comparison.baseline, *order]),
        "glossary": assumptions.measure_glossary(measures),
        "differences": tables.difference_tables(comparison, chosen, future),
        "over_time": over_time_table(results, comparison, order[:PANELS_OVER_TIME]),
        "futures": elsewhere["strategies"],
        "by_future": elsewhere["differences"],
        "costs": tables.cost_table(comparison, future),
        "costs_in_futures": elsewhere["costs"],
        "future": future,
        "future_settings": future_lines(results) if len(comparison.futures) > 1 else [],
        "verdicts": tables.verdict_table(comparison, future) if has_regions else None,
        "winners": tables.winner_table(comparison, best, future, pages) if has_regions else None,
        "winners_in_futures": elsewhere["winners"],
        "pages": pages_sentence(provenance, pages),
        "fairness": fairness_table(comparison, fair),
        "best": strategy_title(comparison, best),
        "baseline": strategy_title(comparison, comparison.baseline),
        "channels": tables.channel_table(comparison, future),
        "channels_in_futures": elsewhere["channels"],
        "surety": summary.surety(comparison),
        "settling": convergence_sentence(comparison, settling),
        "convergence": convergence_table(comparison, settling),
        "pairing": tables.pairing_table(comparison, chosen, future),
        "variance": None if variance is None else tables.variance_table(variance, 0.95),
        "failed": summary.failed(provenance),
        "caveats": summary.caveats(scenario),
        "influence": influence_sentences(comparison, moved),
        "ranking": influence_tables(comparison, moved, results.futures),
        "mapping": assumptions.mapping_table(scenario),
        "bodies": assumptions.body_table(scenario),
        "areas": assumptions.area_table(scenario),
        "parameters": assumptions.parameter_tables(scenario),
        "again": again_section(provenance, summary.methods(comparison, provenance)),
        "version": provenance.get("kolabsim", __version__),
    }


def fairness_table(comparison: Comparison, fair: pd.DataFrame | None) -> tables.Table | None:
    """Who would pay what, where there is a body to be looked at."""
    if fair is None or not len(fair):
        return None
    return tables.fairness_table(fair, list(comparison.scenario.areas))


def pages_sentence(provenance: Mapping[str, object], pages: Mapping[str, str]) -> str:
    """Where the pages of single regions are, or how they are made."""
    if pages:
        return _(
            "Regions with a link have a page of their own, in a file beside this one: whom to "
            "approach, gain or loss, channels, cost and break-even, legal forms and next steps."
        )
    command = str(provenance.get("command", ""))
    if not command.startswith("kolabsim run "):
        return ""
    text = _(
        "A region has a page of its own, with whom to approach, gain or loss, channels, cost and "
        "break-even, legal forms and next steps, if its code is added to the command: {command}"
    )
    code = _("CODE")
    return text.format(command=f"{command} --regions {code}")


def sheets_of(view: Mapping[str, object]) -> list[tables.Table]:
    """All tables of a report, in its order."""
    found = [part for parts in view.values() for part in (
        parts if isinstance(parts, (list, tuple)) else [parts]
    )]  # fmt: skip
    return [part for part in found if isinstance(part, tables.Table)]


def fact_line(comparison: Comparison) -> list[str]:
    """What was simulated, in a few words each."""
    scenario = comparison.scenario
    return [
        _("{number} regions").format(number=count(len(scenario.regions))),
        _("{number} service areas").format(number=count(len(scenario.areas))),
        _("{number} strategies").format(number=count(len(comparison.strategies) + 1)),
        _("{number} years from {year}").format(
            number=significant(scenario.horizon / 4), year=scenario.start_year
        ),
        _("{number} runs each").format(number=count(comparison.runs)),
    ]


def over_time_table(results: Results, comparison: Comparison, names: Sequence[str]) -> tables.Table:
    """Medians over time of the differences in realised net benefit."""
    time, values = yearly(
        results, NET_BENEFIT, names, baseline=comparison.baseline, future=comparison.futures[0]
    )
    middle = quantiles(values, (0.5,))[0]
    return tables.envelope_table(comparison, names, time, middle)


def future_lines(results: Results) -> list[tuple[str, str]]:
    """Each future, and what it sets."""

    def told(settings: Mapping[str, object]) -> str:
        if len(settings) > FEW:
            return _("{number} parameters").format(number=count(len(settings)))
        return "; ".join(f"{key} = {value}" for key, value in settings.items()) or _("as it is")

    return [(name, told(settings)) for name, settings in results.futures.items()]


# Figures ----------------------------------------------------------------------------------------


def pictures(
    results: Results, comparison: Comparison, measures: Sequence[str]
) -> dict[str, Picture]:
    """All figures of a comparison, by name."""
    best = comparison.order()[0]
    chosen = [NET_BENEFIT, *(name for name in tabled(measures) if name != NET_BENEFIT)][:PANELS]
    shown_over_time = comparison.order()[:PANELS_OVER_TIME]
    words = {
        "baseline": strategy_title(comparison, comparison.baseline),
        "best": strategy_title(comparison, best),
        "level": percent(comparison.level),
    }
    made = {
        "forest": Picture.of(
            figures.forest(comparison, chosen),
            _("Forest plot: difference of each strategy to {baseline} with its {level} interval"),
            _(
                "Differences to {baseline}, paired by run, with {level} intervals. Strategies are "
                "in the order of their realised net benefit."
            ),
            **words,
        ),
        "over_time": Picture.of(
            figures.envelopes(results, NET_BENEFIT, shown_over_time, baseline=comparison.baseline),
            _("Difference of each strategy to {baseline} in realised net benefit over the years"),
            _(
                "Difference to {baseline} in realised net benefit, run by run and year by year. "
                "The bands are of runs: they show what other luck and other draws can do."
            ),
            **words,
        ),
        "benefits": Picture.of(
            figures.forest(comparison, [PERCEIVED, NET_BENEFIT], same_scale=True),
            _("Perceived and realised net benefit of each strategy, as differences to {baseline}"),
            _(
                "Left, what regions believed when they voted; right, what happened, after "
                "programme cost, whoever bears it. Both are differences to {baseline}, with "
                "{level} intervals."
            ),
            **words,
        ),
        "channels": Picture.of(
            figures.channels(comparison),
            _("Channels through which each strategy changes realised net benefit"),
            _(
                "What adds to the difference in realised net benefit stands to the right of zero, "
                "what takes away from it to the left; the diamond is their sum."
            ),
        ),
        "costs": Picture.of(
            figures.cost_effectiveness(comparison),
            _("Saving and programme cost of each strategy, and saving per unit spent"),
            _(
                "Left, what services cost less and what programmes cost, by who pays, beyond "
                "{baseline} and over the run; right, the ratio of the two, with its {level} "
                "interval."
            ),
            **words,
        ),
    }
    if len(comparison.winners):
        made["winners"] = Picture.of(
            figures.winners(comparison),
            _("Gains and losses of regions under each strategy against {baseline}"),
            _(
                "Realised net benefit of regions over the run against {baseline}, as a share of "
                "what they would pay alone, after the programme cost that they bear themselves."
            ),
            **words,
        )
        if comparison.scenario.regions.mapped:
            made |= maps(comparison, best, words["baseline"])
    return made


def maps(comparison: Comparison, best: str, baseline: str) -> dict[str, Picture]:
    """A map for the best strategy, and one for the strategy under which most is lost."""
    table = comparison.winners[comparison.winners["future"] == comparison.futures[0]]
    worst = table.groupby("strategy", observed=True)["difference"].min().idxmin()
    names = {"map": best} if worst == best else {"map": best, "map_of_losses": worst}
    regions = comparison.scenario.regions
    caption = _(
        "{strategy}: gains and losses against {baseline}. Areas of circles are proportional to "
        "population; thin lines join land neighbours."
    )
    if regions.shapes:
        caption = _("{strategy}: gains and losses against {baseline}. Hatched: undecided.")
        caption = " ".join(filter(None, [caption, without_shape(regions)]))
    return {
        name: Picture.of(
            figures.regions_map(comparison, strategy),
            _("Map of regions that gain and lose under {strategy}"),
            caption,
            strategy=strategy_title(comparison, strategy),
            baseline=baseline,
        )
        for name, strategy in names.items()
    }


def write_figures(
    results: Results,
    comparison: Comparison,
    folder: Path,
    *,
    measures: Sequence[str] = STANDARD,
) -> None:
    """Write all figures of a comparison into a folder, each as SVG and as PNG.

    In the language spoken now. Raises :class:`~kolabsim.errors.StorageError` if the disk refuses.
    """
    for name, picture in pictures(results, comparison, measures).items():
        write_whole(folder / f"{name}.svg", picture.svg.encode())
        to_png(picture.figure, folder / f"{name}.png")


# The terminal -----------------------------------------------------------------------------------


def terminal_table(study: Experiment, comparison: Comparison) -> TerminalTable:
    """The comparison in short, for a terminal; of several futures, one below the other."""
    from rich import box
    from rich.table import Table

    brief = {name: tables.brief_table(comparison, name) for name in comparison.futures}
    first = brief[comparison.futures[0]]
    table = Table(
        title=study.question(language()) or comparison.scenario.title(language()),
        caption=first.caption, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD,
        pad_edge=False, collapse_padding=True,
    )  # fmt: skip
    for k, head in enumerate(first.head):
        words = head.replace(" ", "\n") if k > 1 else head
        table.add_column(words, justify="right" if k else "left", min_width=None if k else 20)
    for future, part in brief.items():
        if len(brief) > 1:
            table.add_section()
            table.add_row(future, style="bold")
        for title, cells in part.rows:
            table.add_row(title, *(cell.line for cell in cells))
    return table
