"""The page of a comparison: which strategy is best, at what cost, and who loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from kolabsim import figures
from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.influence import influence
from kolabsim.figures.formatting import significant
from kolabsim.figures.maps import neighbours
from kolabsim.i18n import _, language
from kolabsim.model.measures import MEASURES, RATIO, REPORT, shown_in
from kolabsim.report import assumptions
from kolabsim.report.comparison import tables
from kolabsim.report.comparison.frontier import frontier_section
from kolabsim.report.comparison.futures import (
    channels_in_futures,
    costs_in_futures,
    futures_blocks,
    futures_sentence,
    winners_in_futures,
)
from kolabsim.report.comparison.influence import influence_section
from kolabsim.report.comparison.summary import (
    cost_headline,
    headlines,
    loser_headline,
    methods,
    notes,
    plausible_headline,
)
from kolabsim.report.comparison.uncertainty import uncertainty_section
from kolabsim.report.comparison.view import View
from kolabsim.report.page import (
    Folded,
    Gallery,
    Heading,
    Headlines,
    Note,
    Page,
    Picture,
    Section,
    separate,
)
from kolabsim.report.provenance import reproduction_section
from kolabsim.report.wording import fill, warn_of_failed_runs
from kolabsim.scenario.notices import find_notices

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table as TerminalTable

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.analysis.influence import Influence
    from kolabsim.report.page import Block
    from kolabsim.scenario.notices import Notice
    from kolabsim.study.collect import Results
    from kolabsim.study.experiment import Experiment

PANELS = 9
"""Most measures in the forest plot; the tables have all."""
PANELS_OVER_TIME = 12
"""Most strategies whose differences are drawn over time."""
PERCEIVED = "perceived_benefit"


def comparison_page(
    results: Results,
    comparison: Comparison,
    *,
    provenance: Mapping[str, object],
    question: str,
    moved: Influence | None = None,
    along: pd.DataFrame | None = None,
    equal_cost: float | None = None,
    variance: pd.DataFrame | None = None,
    fair: pd.DataFrame | None = None,
    measures: Sequence[str] = shown_in(REPORT),
    pages: Mapping[str, str] | None = None,
    notices: Sequence[Notice] | None = None,
) -> Page:
    """Build the page of a comparison in the current language.

    Parameters
    ----------
    results, comparison
        The runs, and the differences between strategies in them.
    provenance
        How the results came about: command, seed, versions, hashes.
    question
        The question of the experiment, in the current language.
    moved
        What moves the difference of the best strategy; default: found here.
    along
        Cost and net benefit of strategies along their intensity
        (:func:`kolabsim.analysis.levels.frontier`).
    equal_cost
        The programme cost a year to which strategies were scaled.
    variance
        Its variance by source (:func:`kolabsim.analysis.influence.difference_sources`).
    fair
        Shares of joint cost by each rule.
    measures
        Measures in the tables of differences.
    pages
        Files of the pages of single regions, relative to the report, by code of the region.
    notices
        What stands before the answer; default: notices on the scenario and the strategies.
    """
    view, scenario = View(comparison), comparison.scenario
    lines: dict[str, Any] = {
        _("{number} regions"): len(scenario.regions),
        _("{number} service areas"): len(scenario.areas),
        _("{number} strategies"): len(comparison.strategies) + 1,
        _("{number} years from {year}"): significant(scenario.horizon / 4),
        _("{number} runs each"): comparison.runs * max(len(comparison.plausible), 1),
    }
    if comparison.is_varied:
        lines[_("{number} plausible futures")] = len(comparison.plausible)
    sections = [
        answer_section(results, view, provenance),
        comparison_section(results, view, measures),
        cost_section(view),
        None
        if along is None and comparison.same_money is None
        else frontier_section(view, along, equal_cost),
        winner_section(view, fair, provenance, pages or {}) if view.has_winners else None,
        source_section(view),
        influence_section(
            view, moved or influence(results, comparison, view.best), variance, results.futures
        ),
        uncertainty_section(results, view, in_tables(measures)),
        assumptions.assumption_section(scenario),
        reproduction_section(provenance, methods(view, provenance)),
    ]
    return Page(
        question or _("Which strategy is best, what does it cost, and who loses?"),
        [section for section in sections if section is not None],
        lines=[
            fill(text, number=number, year=str(scenario.start_year))
            for text, number in lines.items()
        ],
        kind=scenario.title(language()),
        notices=find_notices(scenario, results.strategies) if notices is None else notices,
    )


def in_tables(measures: Sequence[str]) -> list[str]:
    """The measures whose differences are tabled; ratios to programme cost stand with the costs."""
    ratio_of_cost = {
        name for name, entry in MEASURES.items()
        if entry.figure == RATIO and entry.ratio and entry.ratio[1] == "programme_cost"
    }  # fmt: skip
    return [name for name in measures if name not in ratio_of_cost] or [NET_BENEFIT]


# Sections ---------------------------------------------------------------------------------------


@separate
def answer_section(results: Results, view: View, provenance: Mapping[str, object]) -> Section:
    """The headlines, how they hold in other futures, and what they are not."""
    failed, found = warn_of_failed_runs(provenance), headlines(results, view)
    return Section(
        "answer",
        _("Key findings"),
        None if view.is_varied else notes(view)[0],
        Headlines(found),
        *found[0].more,
        *(notes(view) if view.is_varied else ()),
        futures_sentence(view),
        Note([failed], is_alarm=True) if failed else None,
        Note([" ".join(assumptions.caveats(view.scenario)[:2])]),
        view.scenario.description(language()),
    )


@separate
def comparison_section(results: Results, view: View, measures: Sequence[str]) -> Section:
    """Differences to the baseline in all measures, over time, and in other futures."""
    comparison, drawn = view.comparison, view.order[:PANELS_OVER_TIME]
    chosen = [NET_BENEFIT, *(name for name in in_tables(measures) if name != NET_BENEFIT)][:PANELS]
    forest = view.picture(
        partial(figures.forest, comparison, chosen),
        _("Forest plot: difference of each strategy from “{baseline}” with its {range}"),
        _(
            "Differences from “{baseline}”: medians over {futures} plausible futures. The line is "
            "the plausible range, 90% of futures; its thicker part is the {level} interval of the "
            "median, which chance leaves, where it can be seen. Strategies are sorted by realised "
            "net benefit."
        )
        if view.is_varied
        else _(
            "Differences from “{baseline}”, paired by run, with {level} intervals. Strategies are "
            "sorted by realised net benefit."
        ),
        "forest",
    )
    over_time = view.picture(
        partial(figures.envelopes, results, NET_BENEFIT, drawn, baseline=comparison.baseline),
        _("Difference of each strategy from “{baseline}” in realised net benefit over the years"),
        _(
            "Difference from “{baseline}” in realised net benefit, run by run and year by year. "
            "The bands show how much single runs vary, by chance and by assumptions."
        )
        if view.is_varied
        else _(
            "Difference from “{baseline}” in realised net benefit, run by run and year by year. "
            "The bands show how much single runs vary by chance."
        ),
        "over_time",
    )
    benefits = view.picture(
        partial(figures.forest, comparison, [PERCEIVED, NET_BENEFIT], same_scale=True),
        _("Perceived and realised net benefit of each strategy, as differences from “{baseline}”"),
        _(
            "Left: what regions believed when they voted. Right: what happened, after programme "
            "cost, no matter who paid it. Both are differences from “{baseline}”, each with its "
            "{range}."
        ),
        "benefits",
    )
    text = _(
        "Each number is a difference from “{baseline}”: the mean over pairs of runs with the "
        "same random draws. Below it are its interval and the share of runs in which the "
        "strategy did better. Marks are corrected for the number of strategies."
    )
    if view.is_varied:
        text = _(
            "Each number is a difference from “{baseline}”: the median over {futures} plausible "
            "futures. Below it are its plausible range and the share of futures in which the "
            "strategy is better."
        )
    strategies = assumptions.strategy_table(view.scenario, [comparison.baseline, *view.order])
    over_time_table = tables.envelope_table(results, view, drawn)
    return Section(
        "comparison",
        _("Comparison of strategies"),
        view.fill(text),
        Folded(_("Strategies"), [strategies]),
        Folded(_("Measures"), [assumptions.measure_glossary(measures)]),
        forest,
        *tables.difference_tables(view, in_tables(measures)),
        over_time,
        Folded(_("Differences over time as a table"), [over_time_table]),
        Heading(_("Perceived and realised benefit")),
        _(
            "Regional bureaucracies decide by what they believe. Where belief exceeds the outcome, "
            "they enter agreements that disappoint; where it falls short, they miss agreements "
            "that would pay off."
        ),
        benefits,
        *futures_blocks(view, results.futures),
    )


@separate
def cost_section(view: View) -> Section:
    """Costs, who pays them, and savings."""
    return Section(
        "cost",
        _("Costs and savings"),
        _(
            "Programme cost is the cost of mechanisms and support, no matter who pays. A strategy "
            "without programme cost, such as a mandate, may still be costly to single regions; see "
            "winners and losers."
        ),
        " ".join(cost_headline(view).more),
        view.picture(
            partial(figures.cost_effectiveness, view.comparison),
            _("Saving and programme cost of each strategy, and their ratio"),
            _(
                "Left: savings in services and programme cost by payer, relative to “{baseline}” "
                "and over the whole run. Right: their ratio with its {range}."
            ),
            "costs",
        ),
        tables.cost_table(view),
        costs_in_futures(view),
    )


@separate
def winner_section(
    view: View,
    fair: pd.DataFrame | None,
    provenance: Mapping[str, object],
    pages: Mapping[str, str],
) -> Section:
    """Gains and losses of regions, on a map and in tables."""
    maps = map_pictures(view) if view.scenario.regions.mapped else []
    return Section(
        "winners",
        _("Winners and losers"),
        _(
            "Gains and losses cover the whole run and all service areas, after the programme cost "
            "that a region bears itself. What central government and supporters pay is not "
            "included. The value of quality and autonomy is."
        ),
        " ".join(loser_headline(view).more),
        Gallery(maps) if maps else None,
        tables.winner_table(view, pages),
        pages_sentence(provenance, pages),
        view.picture(
            partial(figures.winners, view.comparison),
            _("Gains and losses of regions under each strategy, relative to “{baseline}”"),
            _(
                "Realised net benefit of regions over the run relative to “{baseline}”, as a share "
                "of their stand-alone cost, after the programme cost that they bear."
            ),
            "winners",
        ),
        tables.verdict_table(view),
        winners_in_futures(view),
        *fairness_blocks(view, fair),
    )


def map_pictures(view: View) -> list[Picture]:
    """A map for the best strategy, and one for the strategy with the largest loss."""
    lowest = view.regions.groupby("strategy", observed=True)["difference"]
    worst, regions = str(lowest.min().idxmin()), view.scenario.regions
    caption = _(
        "{strategy}: gains and losses relative to “{baseline}”. Areas of circles are proportional "
        "to population; thin lines join neighbours on land."
    )
    if not neighbours(view.comparison)[1]:
        caption = _(
            "{strategy}: gains and losses relative to “{baseline}”. Areas of circles are "
            "proportional to population; thin lines join contacts, because no land neighbours are "
            "known."
        )
    if regions.shapes:
        caption = _("{strategy}: gains and losses relative to “{baseline}”. Hatched: undecided.")
        caption = " ".join(filter(None, [caption, regions.describe_missing_shapes()]))
    alt = _("Map of gains and losses of regions under “{strategy}”")
    return [
        view.picture(
            partial(figures.regions_map, view.comparison, name),
            alt,
            caption,
            file,
            strategy=view.title(name),
        )
        for name, file in ({worst: "map_of_losses"} | {view.best: "map"}).items()
    ][::-1]


def fairness_blocks(view: View, fair: pd.DataFrame | None) -> Sequence[Block]:
    """Who would pay what by each rule, if there is a joint body."""
    if fair is None or not len(fair):
        return []
    text = _(
        "Joint bodies at the end of the first run under “{best}”, with each member's share of "
        "joint cost by every rule. The Shapley value charges each member the mean of what it adds "
        "to the cost, over all orders in which the members could have joined. It is a yardstick: "
        "regions in the model do not use it. A member gains where its share is below its "
        "stand-alone cost."
    )
    return [
        Heading(_("Fairness of cost sharing")),
        fill(text, best=view.title(view.best)),
        Folded(_("Shares by rule"), [tables.fairness_table(fair, list(view.scenario.areas))]),
    ]


def pages_sentence(provenance: Mapping[str, object], pages: Mapping[str, str]) -> str:
    """Where the pages of single regions are, or how to make them."""
    if pages:
        return _(
            "Linked regions have a page of their own in a file beside this one: prospective "
            "partners, gain or loss by channel, cost and break-even, legal forms and next steps."
        )
    command = str(provenance.get("command", ""))
    if not command.startswith("kolabsim run "):
        return ""
    text = _(
        "To get a page for a region, with prospective partners, gain or loss by channel, cost and "
        "break-even, legal forms and next steps, add its code to the command: {command}"
    )
    code = _("CODE")
    return fill(text, command=f"{command} --regions {code}")


@separate
def source_section(view: View) -> Section:
    """The channels of net benefit."""
    return Section(
        "why",
        _("Where net benefit comes from"),
        _(
            "Net benefit changes through channels: production at another scale, services across "
            "borders, and pooled capacity on the one hand; the cost of coordination, distance, "
            "starting up, lost autonomy, services unlike a region's wishes and the programme "
            "itself on the other."
        ),
        Picture(
            partial(figures.channels, view.comparison),
            _("Channels through which each strategy changes realised net benefit"),
            _(
                "Channels right of zero add to the difference in realised net benefit, channels "
                "left of zero reduce it: means over plausible futures. The diamond is the median "
                "of the difference with its plausible range."
            )
            if view.is_varied
            else _(
                "Channels right of zero add to the difference in realised net benefit, channels "
                "left of zero reduce it; the diamond is their sum."
            ),
            "channels",
        ),
        Folded(_("Channels as a table"), [tables.channel_table(view)]),
        channels_in_futures(view),
    )


# The terminal -----------------------------------------------------------------------------------


def terminal_lines(comparison: Comparison) -> tuple[list[str], list[str]]:
    """What stands above the table of a comparison in a terminal, and what stands below it."""
    view = View(comparison)
    if not view.is_varied:
        return notes(view), []
    found = plausible_headline(view)
    return [], [found.text, *found.more, *notes(view)]


def terminal_table(experiment: Experiment, comparison: Comparison) -> TerminalTable:
    """The comparison in short for a terminal, one future below the other."""
    from rich import box
    from rich.table import Table

    view = View(comparison)
    futures = view.named if comparison.is_varied else comparison.futures
    brief = {name: tables.brief_table(View(comparison, name)) for name in futures}
    if comparison.is_varied:
        brief = {_("plausible"): tables.brief_table(view)}
    first = next(iter(brief.values()))
    table = Table(
        title=experiment.question(language()) or comparison.scenario.title(language()),
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
