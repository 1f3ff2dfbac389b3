"""A page for one region: whom to approach, what a strategy brings, its cost, and the next steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.analysis.statistics import GAINS, LOSES, UNDECIDED
from kolabsim.figures.formatting import UNDEFINED, choose_scale, count, percent, significant
from kolabsim.figures.labels import area_title, capitalise, channel_title
from kolabsim.figures.region import (
    gain_verdict,
    money_scale,
    region_channels,
    region_saving,
    share_scale,
)
from kolabsim.i18n import _, language
from kolabsim.report.assumptions import assumption_section
from kolabsim.report.html import write_page
from kolabsim.report.legal import legal_section
from kolabsim.report.page import Cell, Note, Page, Picture, Section, Table, interval_cell, texts
from kolabsim.report.provenance import reproduction_section

if TYPE_CHECKING:
    from kolabsim.analysis.region import RegionOutlook

BEST = 10
"""Most prospects in the ranking; the other table has all."""
OFTEN = 3
"""Most partners that are named for an area."""
RARE = 0.01
"""Partners in fewer runs than this are not named."""
NEVER_WORTH = 0.5
"""A contact that would gain too in at most this share of draws is told as unlikely to agree."""


def write_region(
    found: RegionOutlook, path: Path, *, facts: Mapping[str, object], workbook: bool = False
) -> Path:
    """Write the page of a region, whole, in the language spoken now.

    ``facts`` say how it came about, among them its ``seed``; with ``workbook`` its tables are
    written beside it for Excel too, where that is possible.
    """
    scenario = found.scenario
    place = scenario.regions.codes.index(found.code)
    lines = [
        _("code {code}").format(code=found.code),
        _("{number} inhabitants").format(number=count(scenario.regions.population[place])),
        _("{strategy}, compared with {baseline}").format(**strategy_words(found)),
        _("{number} pairs of runs").format(number=count(found.runs)),
        _("seed {seed}").format(seed=facts["seed"]),
    ]
    sections = [
        answer_section(found),
        approach_section(found),
        channel_section(found),
        cost_section(found),
        partner_section(found),
        legal_section(scenario),
        uncertainty_section(found),
        assumption_section(scenario),
        reproduction_section(facts, methods(found, facts)),
    ]
    page = Page(found.name, sections, lines=lines, kind=scenario.title(language()))
    return write_page(page, path, workbook=workbook)


def strategy_words(found: RegionOutlook) -> dict[str, str]:
    """What the two strategies are called."""
    titles = found.scenario.strategies
    return {
        "strategy": titles[found.strategy].title(language()),
        "baseline": titles[found.baseline].title(language()),
    }


def names_of(found: RegionOutlook, codes: Iterable[str]) -> str:
    """What regions are called, one after the other."""
    regions = found.scenario.regions
    names = dict(zip(regions.codes, regions.names, strict=True))
    return ", ".join(names[code] for code in codes)


# In short -----------------------------------------------------------------------------------------


def answer_section(found: RegionOutlook) -> Section:
    """What a planner takes away."""
    notes = [
        _(
            "A thought experiment with stated assumptions, not a prediction. What the table of "
            "regions does not contain is drawn at random. Intervals cover these draws and "
            "other chance events; they do not show whether the assumptions are right."
        )
    ]
    return Section(
        "answer",
        _("Key findings"),
        benefit_sentence(found),
        channel_sentence(found),
        cost_sentence(found),
        approach_sentence(found),
        Note(notes),
    )


def benefit_sentence(found: RegionOutlook) -> str:
    """What the region gains or loses, and how sure that is."""
    row, years = found.costs.set_index("item").loc["benefit"], significant(found.years[-1])
    share, better = float(found.benefit["difference"]), float(found.benefit["better_share"])
    if found.benefit["low"] == found.benefit["high"] == 0.0:
        text = _("Under {strategy}, nothing changes for {region} compared with {baseline}.")
        return text.format(region=found.name, **strategy_words(found))
    texts_of = {
        GAINS: _(
            "Under {strategy}, {region} gains {money} in {years} years compared with "
            "{baseline} ({level} interval: {low} to {high}), or {share} of its stand-alone "
            "cost. It is better off in {better} of runs."
        ),
        LOSES: _(
            "Under {strategy}, {region} loses {money} in {years} years compared with "
            "{baseline} ({level} interval: {low} to {high}), or {share} of its stand-alone "
            "cost. It is better off in {better} of runs."
        ),
        UNDECIDED: _(
            "Whether {region} gains or loses under {strategy} is undecided: {money} in {years} "
            "years compared with {baseline} ({level} interval: {low} to {high}), or {share} of "
            "its stand-alone cost. It is better off in {better} of runs."
        ),
    }
    verdict = str(found.benefit["verdict"])
    sized = money_scale(found, row[["difference", "low", "high"]])
    plain = verdict == UNDECIDED
    turn = -1.0 if verdict == LOSES else 1.0
    ends = sorted((turn * row["low"], turn * row["high"]))
    return texts_of[verdict].format(
        region=found.name,
        money=sized.text(turn * row["difference"], signed=plain),
        low=sized.text(ends[0], signed=plain),
        high=sized.text(ends[1], signed=plain),
        share=percent_of(turn * share),
        better=percent(better),
        level=percent(found.level),
        years=years,
        **strategy_words(found),
    )


def percent_of(share: float) -> str:
    """A share that may be negative, in per cent with three digits at most."""
    return choose_scale("share", [share], difference=False).text(share)


def channel_sentence(found: RegionOutlook) -> str:
    """The channels that bring and cost it most."""
    table = found.channels
    best, worst = (table.loc[find] for find in (table["money"].idxmax(), table["money"].idxmin()))
    if not best["money"] > 0.0 > worst["money"]:
        return ""
    scale = money_scale(found, table["money"])
    return _(
        "In the last year, the largest gain comes from {best} ({gain} a year) and the largest "
        "loss from {worst} ({loss} a year)."
    ).format(
        best=channel_title(best["channel"]).lower(),
        gain=scale.text(best["money"], signed=True),
        worst=channel_title(worst["channel"]).lower(),
        loss=scale.text(worst["money"], signed=True),
    )


def cost_sentence(found: RegionOutlook) -> str:
    """What it pays, and when it breaks even."""
    costs = found.costs.set_index("item")
    paid = costs.loc[["startup", "programme"], "mean"]
    scale = money_scale(found, paid)
    text = _("It pays {startup} of start-up cost and {programme} of programme cost over the run. ")
    text = text.format(startup=scale.text(paid["startup"]), programme=scale.text(paid["programme"]))
    year, ends = found.break_even(), float((found.paths[:, -1] > 0.0).mean())
    if year is None:
        text += _(
            "Its budget does not break even within {years} years: mean net saving stays below "
            "that under {baseline}."
        )
    elif year == found.years[0]:
        text += _("On average, its budget is ahead of {baseline} from year {year} on.")
    else:
        text += _("On average, its budget breaks even with {baseline} in year {year}.")
    text += " " + _("In {share} of runs, it is ahead at the end.")
    return text.format(
        years=significant(found.years[-1]),
        year=significant(year or 0.0),
        share=percent(ends),
        **strategy_words(found),
    )


def approach_sentence(found: RegionOutlook) -> str:
    """Whom to approach first."""
    table = found.prospects
    if not len(table):
        return _("It has no prospective partners.")
    good = table[(table["low"] > 0.0) & (table["both"] > NEVER_WORTH)]
    if not len(good):
        return _(
            "Judged at the start and without error, no joint body clearly promises a gain to "
            "both sides; the closest is {area} with {partners}."
        ).format(
            area=area_title(table.iloc[0]["area"]).lower(),
            partners=names_of(found, table.iloc[0]["partners"]),
        )
    first = good.iloc[0]
    return _(
        "Judged at the start and without error, the best prospective partner is {partners} for "
        "{area}: a gain of {gain} of the area's cost a year. Both sides would gain in {both} "
        "of draws."
    ).format(
        partners=names_of(found, first["partners"]),
        area=area_title(first["area"]).lower(),
        gain=percent_of(first["gain"]),
        both=percent(first["both"]),
    )


# Whom to approach ---------------------------------------------------------------------------------


def approach_section(found: RegionOutlook) -> Section:
    """Contacts ranked by what uniting with them would bring."""
    paragraphs = [
        _(
            "The table judges each prospective partner in each service area as regions in the "
            "model do at the start: saving, quality, autonomy, start-up cost and the partner's "
            "benefit, but without their errors of judgement. A partner that already belongs to "
            "a joint body brings the whole body. Percentages refer to the stand-alone cost of "
            "{region} in the area."
        ).format(region=found.name)
    ]
    table = found.prospects
    if not len(table):
        return Section(
            "approach", _("Potential for collaboration"), _("There are no prospective partners.")
        )
    notes = [
        _(
            "“Both sides gain” is the share of random draws in which the prospective partner "
            "gains too. A joint body that is asked decides by a vote of all its members."
        ),
        _(
            "In the runs, regions judge with errors and their relations change. Joint bodies "
            "that promise little here may therefore still form, and others may not."
        ),
    ]
    tables = [ranking_table(found), contact_table(found)]
    return Section("approach", _("Potential for collaboration"), *paragraphs, *tables, Note(notes))


def ranking_table(found: RegionOutlook) -> Table:
    """The best unions, each party once."""
    table = found.prospects.drop_duplicates(["area", "partners"]).head(BEST)
    scale, money = share_scale(table, "gain"), money_scale(found, table["money"])
    rows = [
        (
            f"{area_title(row.area)}: {names_of(found, row.partners)}",
            [
                interval_cell(
                    scale,
                    row.gain,
                    row.low,
                    row.high,
                    signed=True,
                    verdict=gain_verdict(row.low, row.high),
                ),
                *texts(money.bare(row.money, signed=True), percent(row.share), percent(row.both)),
            ],
        )
        for row in table.itertuples()
    ]
    head = [
        _("Service area and partners"), _("Annual gain ({unit})").format(unit=scale.label),
        _("In money per year ({unit})").format(unit=money.label), _("Region gains"),
        _("Both sides gain"),
    ]  # fmt: skip
    caption = _(
        "Best prospective joint bodies for {region}, across all service areas and partners"
    ).format(region=found.name)
    return Table(caption, head, rows)


def contact_table(found: RegionOutlook) -> Table:
    """All contacts by all areas: the gain, and in which share of draws both would gain."""
    table, areas = found.prospects, list(found.scenario.areas)
    scale = share_scale(table, "gain")
    scale = scale.with_decimals(most=1)
    order = table.groupby("region")["gain"].max().sort_values(ascending=False).index
    found_at = {(row.region, row.area): row for row in table.itertuples()}
    rows = []
    for code in order:
        cells = []
        for area in areas:
            row = found_at.get((code, area))
            if row is None:
                cells.append(Cell(UNDEFINED, remark=_("already joint, or too large")))
                continue
            cells.append(
                Cell(
                    scale.bare(row.gain, signed=True),
                    _("both gain {share}").format(share=percent(row.both)),
                    verdict=gain_verdict(row.low, row.high),
                )
            )
        km = table.loc[table["region"] == code, "km"].iloc[0]
        head = _("{name} ({km} km)").format(name=names_of(found, [code]), km=count(km))
        rows.append((head, cells))
    caption = _(
        "Each prospective partner in each service area: annual gain ({unit}), and the share of "
        "draws in which both sides gain"
    ).format(unit=scale.label)
    return Table(caption, ["", *(area_title(area) for area in areas)], rows)


# What it gains, and through what ------------------------------------------------------------------


def channel_section(found: RegionOutlook) -> Section:
    """The channels of gain and loss, in figure and table."""
    words = strategy_words(found)
    paragraphs = [
        _(
            "Differences between {strategy} and {baseline} in the last year, run by run with "
            "the same random draws. Channels right of zero add to the net benefit of {region}; "
            "channels left of zero reduce it."
        ).format(region=found.name, **words)
    ]
    table = found.channels
    scale, money = share_scale(table, "difference"), money_scale(found, table["money"])
    rows = [
        (
            channel_title(row.channel),
            [
                interval_cell(
                    scale,
                    row.difference,
                    row.low,
                    row.high,
                    signed=True,
                    verdict=gain_verdict(row.low, row.high),
                ),
                Cell(money.bare(row.money, signed=True)),
            ],
        )
        for row in table.itertuples()
    ]
    rows.append(
        (
            _("Sum"),
            texts(
                scale.bare(table["difference"].sum(), signed=True),
                money.bare(table["money"].sum(), signed=True),
            ),
        )
    )
    head = [
        _("Channel"), capitalise(scale.label),
        _("In money per year ({unit})").format(unit=money.label),
    ]  # fmt: skip
    caption = _("Net benefit in the last year by channel")
    picture = Picture.of(
        region_channels(found),
        _("Channels through which {strategy} changes the net benefit of {region}"),
        _("Differences from {baseline} with {level} intervals, in the last year."),
        region=found.name,
        level=percent(found.level),
        **words,
    )
    title = _("Gains and losses by channel")
    return Section("channels", title, *paragraphs, Table(caption, head, rows), picture)


# What it costs ------------------------------------------------------------------------------------


def cost_section(found: RegionOutlook) -> Section:
    """What the region would pay, and when that is earned back."""
    words = strategy_words(found)
    titles = {
        "startup": _("Start-up cost that it pays"),
        "joint": _("Its share of the cost of joint bodies"),
        "alone": _("Stand-alone cost of the same services"),
        "programme": _("Programme cost that it pays"),
        "saving": _("Net saving (budget)"),
        "benefit": _("Net benefit (also quality and autonomy, in money)"),
    }
    table = found.costs
    # By the differences: they are what is read, and far smaller than the cost of services.
    scale = money_scale(found, table["difference"])
    scale = scale.with_decimals(1, 1)
    good = {"saving", "benefit"}
    rows = [
        (
            titles[row.item],
            [
                *texts(scale.bare(row.baseline), scale.bare(row.mean)),
                interval_cell(
                    scale,
                    row.difference,
                    row.low,
                    row.high,
                    signed=True,
                    verdict=gain_verdict(row.low, row.high) if row.item in good else "",
                ),
            ],
        )
        for row in table.itertuples()
    ]
    head = ["", words["baseline"], words["strategy"], _("Difference")]
    caption = _("Over {years} years, {unit}: means of runs, and the difference with its interval")
    caption = caption.format(years=significant(found.years[-1]), unit=scale.label)
    paragraphs = [
        _(
            "Sums over the run in today's prices, not discounted. Start-up cost is what "
            "remains after grants and co-finance. A larger share of joint cost is no loss as "
            "long as the stand-alone cost of the same services would be higher."
        )
    ]
    picture = Picture.of(
        region_saving(found),
        _("Cumulative net saving of {region}, {strategy} minus {baseline}"),
        _(
            "Above zero, the budget of {region} is ahead of what it would be under {baseline}, "
            "including all start-up and programme cost paid so far."
        ),
        region=found.name,
        **words,
    )
    title = _("Cost and break-even")
    return Section("costs", title, *paragraphs, Table(caption, head, rows), picture)


# With whom ----------------------------------------------------------------------------------------


def partner_section(found: RegionOutlook) -> Section:
    """In which share of runs the region is in a body, and with whom."""
    words = strategy_words(found)
    table = found.partners.set_index(["strategy", "area"]).sort_index()
    rows = []
    for area in found.scenario.areas:
        cells = []
        for strategy in (found.baseline, found.strategy):
            here = table.loc[[(strategy, area)]].set_index("region")["share"]
            others = here.drop(found.code).sort_values(ascending=False, kind="stable")
            often = others[others >= RARE].head(OFTEN)
            named = "; ".join(
                f"{names_of(found, [code])} {percent(share)}" for code, share in often.items()
            )
            cells.append(Cell(percent(here[found.code]), remark=named))
        rows.append((area_title(area), cells))
    paragraphs = [
        _(
            "Share of runs in which {region} belongs to a joint body at the end, with its most "
            "frequent partners (up to {number})."
        ).format(region=found.name, number=count(OFTEN))
    ]
    head = [_("Service area"), words["baseline"], words["strategy"]]
    made = Table(_("Membership in joint bodies, and partners"), head, rows, prose=True)
    return Section("partners", _("Partners at the end"), *paragraphs, made)


# How sure, and what it rests on -------------------------------------------------------------------


def uncertainty_section(found: RegionOutlook) -> Section:
    """What the intervals say, and what they do not."""
    text = _(
        "{strategy} and {baseline} were simulated {runs} times each with common random "
        "numbers; differences are taken run by run. The {level} intervals are for the mean "
        "difference: they show how precisely the simulation is known, not how well it matches "
        "the world. The share of runs in which {region} is better off shows how often this "
        "would happen with other random draws. Four times as many runs (--runs) halve an "
        "interval."
    ).format(
        region=found.name, runs=count(found.runs), level=percent(found.level),
        **strategy_words(found),
    )  # fmt: skip
    return Section("uncertainty", _("Uncertainty"), text)


def methods(found: RegionOutlook, facts: Mapping[str, object]) -> str:
    """A paragraph on methods, to be cited."""
    return _(
        "We compared “{strategy}” with “{baseline}” for {region} in the scenario “{scenario}” "
        "by simulation with kolabsim {version}, an agent-based model of collaboration between "
        "regional governments in public services, in {runs} pairs of runs with common random "
        "numbers (seed {seed}). We report means of paired differences with {level} t "
        "intervals. Joint bodies that the region could propose are judged at the start, "
        "without error, over random draws of attributes that no data describe. Parameters "
        "without a source are assumed; results are contrasts within a thought experiment, not "
        "predictions."
    ).format(
        region=found.name, scenario=found.scenario.title(language()), runs=count(found.runs),
        version=facts["kolabsim"], seed=facts["seed"], level=percent(found.level),
        **strategy_words(found),
    )  # fmt: skip
