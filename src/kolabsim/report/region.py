"""The page of one region: prospective partners, gains by channel, cost, and legal next steps.

The file is long because this page shares no section with the reports of experiments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kolabsim.analysis.statistics import DEPENDS, GAINS, PLAIN, SAME, UNDECIDED
from kolabsim.figures.formatting import (
    UNDEFINED,
    Scale,
    choose_scale,
    count,
    percent,
    significant,
    write_interval,
)
from kolabsim.figures.labels import area_title, capitalise, channel_title, uncapitalise
from kolabsim.figures.region import (
    money_scale,
    region_channels,
    region_saving,
    share_scale,
)
from kolabsim.files import file_names
from kolabsim.i18n import _, language
from kolabsim.report.assumptions import assumption_section
from kolabsim.report.html import write_page
from kolabsim.report.legal import legal_section
from kolabsim.report.page import (
    Cell,
    Headline,
    Headlines,
    Note,
    Page,
    Picture,
    Section,
    Table,
    interval_cell,
    separate,
)
from kolabsim.report.provenance import reproduction_section
from kolabsim.report.ranges import (
    ensemble_notes,
    paragraphs_of_runs,
    plausible_paragraphs,
    reported_text,
    verdict_sentence,
    words_of,
)
from kolabsim.report.region_groups import group_section, group_sentence
from kolabsim.report.wording import fill
from kolabsim.scenario.notices import find_notices

if TYPE_CHECKING:
    from kolabsim.analysis.region import RegionOutlook
    from kolabsim.scenario.scenario import Scenario

BEST = 10
"""Most prospects in the ranking; the other table has all."""
OFTEN = 3
"""Most partners that are named for an area."""
RARE = 0.01
"""Partners in fewer runs than this are not named."""
MOSTLY = 0.5
"""A prospective partner that gains in at most this share of futures or draws is unlikely to
agree."""


def write_region(
    found: RegionOutlook, path: Path, *, facts: Mapping[str, object], workbook: bool = False
) -> Path:
    """Write the page of a region in the current language.

    ``facts`` is the provenance, with the ``seed``; ``workbook`` writes the tables beside the page
    for Excel too, if openpyxl is installed. The file is written completely or not at all.
    """
    scenario = found.scenario
    place = scenario.regions.codes.index(found.code)
    lines = [
        say(found, _("code {code}"), code=found.code),
        say(found, _("{number} inhabitants"), number=count(scenario.regions.population[place])),
        say(found, _("“{strategy}”, compared with “{baseline}”")),
        say(found, _("{number} pairs of runs"), number=found.runs * len(found.futures)),
        say(found, _("seed {seed}"), seed=str(facts["seed"])),
    ]
    if found.is_varied:
        lines.insert(-1, say(found, _("{number} plausible futures"), number=len(found.futures)))
    sections = [
        answer_section(found),
        potential_section(found),
        group_section(found),
        channel_section(found),
        cost_section(found),
        partner_section(found),
        legal_section(scenario),
        uncertainty_section(found),
        assumption_section(scenario),
        reproduction_section(facts, methods(found, facts)),
    ]
    notices = find_notices(scenario, [found.baseline, found.strategy])
    page = Page(found.name, sections, lines=lines, kind=scenario.title(language()), notices=notices)
    return write_page(page, path, workbook=workbook)


def page_names(scenario: Scenario) -> dict[str, str]:
    """The file of the page of each region, by its code."""
    names = file_names(scenario.regions.codes)
    return {code: f"region-{name}.html" for code, name in names.items()}


def words(found: RegionOutlook) -> dict[str, Any]:
    """The values of places that many texts have."""
    titles = found.scenario.strategy_titles(language())
    return {
        "strategy": titles[found.strategy], "region": found.name,
        "baseline": titles[found.baseline], "runs": found.runs, "futures": len(found.futures),
        "years": significant(found.years[-1]),
    } | words_of(found.criteria)  # fmt: skip


def say(found: RegionOutlook, text: str, **values: Any) -> str:
    """Fill the places of a text; region, strategies, runs, years and criteria are known."""
    return fill(text, **(words(found) | values))


def name_regions(found: RegionOutlook, codes: Iterable[str]) -> str:
    """Return the names of regions in a row."""
    regions = found.scenario.regions
    names = dict(zip(regions.codes, regions.labels, strict=True))
    return ", ".join(names[code] for code in codes)


# Key findings -------------------------------------------------------------------------------------


@separate
def answer_section(found: RegionOutlook) -> Section:
    """The key findings: gain or loss, cost, and the best prospective partner."""
    note = _(
        "A thought experiment with stated assumptions, not a prediction. What the table of regions "
        "does not contain is drawn at random. Intervals cover these draws and other chance events; "
        "they do not show whether the assumptions are right."
    )
    if found.is_varied:
        note = _(
            "A thought experiment with stated assumptions, not a prediction. What the table of "
            "regions does not contain is drawn at random. Ranges are those of 90% of {futures} "
            "plausible futures. ▲ gains by more than {threshold} of cost in at least {robust} of "
            "futures, △ in at least {likely}; ▼ ▽ loses; ● hardly changes; □ depends on "
            "assumptions; ○ undecided by chance."
        )
    return Section(
        "answer",
        _("Key findings"),
        Headlines([benefit_headline(found), cost_headline(found), partner_headline(found)]),
        channel_sentence(found),
        *notes(found),
        Note([say(found, note)]),
    )


def notes(found: RegionOutlook) -> list[str]:
    """What a reader must know of the result: what was not varied, and what is too few."""
    if not found.is_varied:
        return [_("Assumptions were not varied: intervals show chance only.")]
    half = float(found.benefit["chance_high"] - found.benefit["chance_low"]) / 2.0
    return ensemble_notes(
        found.scenario, found.criteria, futures=len(found.futures), runs=found.runs, half=half
    )


def benefit_headline(found: RegionOutlook) -> Headline:
    """What the region gains or loses, with its range and its verdict."""
    row, judged = found.costs.set_index("item").loc["benefit"], found.benefit
    label, verdict = _("Gain or loss"), str(judged["verdict"])
    if judged["low"] == judged["high"] == 0.0:
        text = _("Under “{strategy}”, nothing changes for {region} compared with “{baseline}”.")
        return Headline(label, capitalise(_("no change")), say(found, text))
    text = _(
        "Under “{strategy}”, the net benefit of {region} over {years} years differs by {money} "
        "from that under “{baseline}” ({level} interval: {interval}), or {share} of its "
        "stand-alone cost; it is better off in {better} of {runs} runs."
    )
    if found.is_varied:
        text = _(
            "Under “{strategy}”, the net benefit of {region} over {years} years differs by {money} "
            "from that under “{baseline}” ({interval} over plausible assumptions), or {share} of "
            "its stand-alone cost; it gains in {gains} of {futures} futures and loses in {loses}."
        )
    scale = money_scale(found, row[["difference", "low", "high"]])
    runs, futures = sample(found)
    interval = write_interval(
        scale, row["low"], row["high"], signed=True, runs=runs, futures=futures
    )
    money = scale.text(row["difference"], signed=True)
    text = say(
        found, text, money=money, interval=interval, better=float(judged["better_share"]),
        gains=in_futures(found, "better_share"), loses=in_futures(found, "worse_share"),
        share=format_share(float(judged["difference"]), signed=True),
    )  # fmt: skip
    brief = f"{money} ({interval})"
    if verdict in (SAME, DEPENDS, UNDECIDED):
        title = Cell("", verdict=verdict).verdict_title
        brief = capitalise(fill(_("{verdict}: {money}"), verdict=title, money=money))
    sentence = verdict_sentence(verdict, found.criteria, is_region=True)
    return Headline(label, brief, f"{text} {sentence}")


def sample(found: RegionOutlook) -> tuple[float, float]:
    """The runs of one future, or the futures, that are behind an interval; 0 for the other."""
    return (0, len(found.futures)) if found.is_varied else (found.runs, 0)


def in_futures(found: RegionOutlook, share: str) -> int:
    """The number of futures in which the region gains or loses."""
    return round(float(found.benefit[share]) * len(found.futures))


def format_share(share: float, *, signed: bool = False) -> str:
    """Format a share that may be negative, with three digits at most."""
    return choose_scale("share", [share], difference=False).text(share, signed=signed)


def channel_sentence(found: RegionOutlook) -> str:
    """The channels with the largest gain and the largest loss, if there are both."""
    table = found.channels
    best, worst = (table.loc[find] for find in (table["money"].idxmax(), table["money"].idxmin()))
    if not best["money"] > 0.0 > worst["money"]:
        return ""
    scale = money_scale(found, table["money"])
    text = _(
        "In the last year, the largest gain comes from {best} ({gain} a year) and the largest loss "
        "from {worst} ({loss} a year)."
    )
    titles = {"best": channel_title(best["channel"]), "worst": channel_title(worst["channel"])}
    gain, loss = (scale.text(row["money"], signed=True) for row in (best, worst))
    return fill(text, gain=gain, loss=loss, **{name: t.lower() for name, t in titles.items()})


def cost_headline(found: RegionOutlook) -> Headline:
    """What the region pays, and when it breaks even."""
    paid = found.costs.set_index("item").loc[["startup", "programme"], "mean"]
    scale = money_scale(found, paid)
    text = _("It pays {startup} of start-up cost and {programme} of programme cost over the run. ")
    year = found.break_even()
    if year is None and found.is_varied:
        text += _(
            "In the median future, its budget does not break even within {years} years: net saving "
            "stays below that under “{baseline}”."
        )
    elif year is None:
        text += _(
            "Its budget does not break even within {years} years: mean net saving stays below that "
            "under “{baseline}”."
        )
    elif year == found.years[0] and found.is_varied:
        text += _("In the median future, its budget is ahead of “{baseline}” from year {year} on.")
    elif year == found.years[0]:
        text += _("On average, its budget is ahead of “{baseline}” from year {year} on.")
    elif found.is_varied:
        text += _("In the median future, its budget breaks even with “{baseline}” in year {year}.")
    else:
        text += _("On average, its budget breaks even with “{baseline}” in year {year}.")
    ahead = found.paths[:, -1] > 0.0
    text += " " + (
        _("In {number} of {futures} futures, it is ahead at the end.")
        if found.is_varied
        else _("In {share} of runs, it is ahead at the end.")
    )
    text = say(
        found, text, startup=scale.text(paid["startup"]), programme=scale.text(paid["programme"]),
        year=significant(year or 0.0), share=ahead.mean(), number=int(ahead.sum()),
    )  # fmt: skip
    return Headline(_("Cost"), scale.text(paid.sum()), text)


def partner_headline(found: RegionOutlook) -> Headline:
    """The best prospective partner, if uniting with it clearly promises a gain to both sides."""
    label, table = _("Prospective partner"), found.prospects
    if not len(table):
        return Headline(label, capitalise(_("none")), _("It has no prospective partners."))
    is_gain = table["verdict"].replace(PLAIN) == GAINS
    good = table[is_gain & (table["both"] > MOSTLY)]
    first = good.iloc[0] if len(good) else table.iloc[0]
    partners, area = name_regions(found, first["partners"]), area_title(first["area"])
    if not len(good):
        brief = capitalise(_("no clear gain"))
        text = _(
            "Judged at the start and without error, no joint body clearly promises a gain to both "
            "sides; the closest is {area} with {partners}."
        )
    else:
        brief = f"{partners}: {uncapitalise(area)}"
        text = _(
            "Judged at the start and without error, the best prospective partner is {partners} for "
            "{area}: a gain of {gain} of the area's cost a year. Both sides would gain in {both} "
            "of draws."
        )
        if found.is_varied:
            text = _(
                "Judged at the start and without error, the best prospective partner is {partners} "
                "for {area}: a gain of {gain} of the area's cost a year ({low} to {high} over "
                "plausible assumptions). Both sides would gain in {both} of futures."
            )
    filled = {name: format_share(first[name]) for name in ("gain", "low", "high")}
    both = float(first["both"])
    text = fill(text, partners=partners, area=area.lower(), both=both, **filled)
    return Headline(label, brief, f"{text} {group_sentence(found)}".strip())


# Potential for collaboration ----------------------------------------------------------------------


@separate
def potential_section(found: RegionOutlook) -> Section:
    """Prospective partners, ranked by what a joint body with them would bring."""
    title = _("Potential for collaboration")
    if not len(found.prospects):
        return Section("potential", title, _("There are no prospective partners."))
    text = _(
        "The table judges each prospective partner in each service area as regions in the model do "
        "at the start: saving, quality, autonomy, start-up cost and the partner's benefit, but "
        "without their errors of judgement. A partner that already belongs to a joint body brings "
        "the whole body. Percentages refer to the stand-alone cost of {region} in the area."
    )
    shares = _("“Both sides gain” is the share of random draws in which the partner gains too.")
    if found.is_varied:
        shares = _(
            "“Region gains” and “both sides gain” are shares of {futures} plausible futures in "
            "which they do, by more than {threshold} of cost."
        )
    notes = [
        say(found, shares),
        _(
            "A joint board that is asked decides by a vote of all its members, the provider "
            "of a contract alone. A dash means that the two cannot unite: they belong to one joint "
            "body already, one of them buys the service, or there would be too many members."
        ),
        _(
            "In the runs, regions judge with errors and their relations change. Joint bodies that "
            "promise little here may therefore still form, and others may not."
        ),
    ]
    best = ranking_table(found)
    none = "" if best else say(found, _("None of them clearly promises a gain to {region}."))
    return Section(
        "potential", title, say(found, text), none, best, contact_table(found), Note(notes)
    )


def ranking_table(found: RegionOutlook) -> Table | None:
    """The best prospective joint bodies, each once, if any promises the region a gain."""
    table = found.prospects[found.prospects["verdict"].replace(PLAIN) == GAINS]
    table = table.drop_duplicates(["area", "partners"]).head(BEST)
    if not len(table):
        return None
    scale, money = share_scale(table, "gain"), money_scale(found, table["money"])
    rows = [
        (
            f"{area_title(row.area)}: {name_regions(found, row.partners)}",
            gain_cell(found, scale, row.gain, row),
            money.bare(row.money, signed=True),
            row.share,
            row.both,
            form_text(found, row),
        )
        for row in table.itertuples()
    ]
    head = [
        _("Service area and partners"), fill(_("Annual gain ({unit})"), unit=scale.label),
        fill(_("In money per year ({unit})"), unit=money.label), _("Region gains"),
        _("Both sides gain"), _("Legal form"),
    ]  # fmt: skip
    caption = _("Best prospective joint bodies for {region}, across all service areas and partners")
    return Table(say(found, caption), head, rows)


def form_text(found: RegionOutlook, row: Any) -> str:
    """The legal form that the union would take, and who would provide under a contract."""
    if row.contract < RARE:
        return _("no contract")
    others = row.contract - row.provides
    text = (
        _("contract in {contract} of draws; provider: {region}")
        if others < RARE
        else _("contract in {contract} of draws; provider: {partners}")
        if row.provides < RARE
        else _("contract in {contract} of draws; provider: {region} in {provides}, else {partners}")
    )
    return say(
        found, text, contract=row.contract, provides=row.provides,
        partners=name_regions(found, [row.region]),
    )  # fmt: skip


def contact_table(found: RegionOutlook) -> Table:
    """All prospective partners by all service areas."""
    table, areas = found.prospects, list(found.scenario.areas)
    scale = share_scale(table, "gain").with_decimals(most=1)
    order = table.groupby("region")["gain"].max().sort_values(ascending=False).index
    found_at = {(row.region, row.area): row for row in table.itertuples()}

    def cell(code: str, area: str) -> Cell:
        if (row := found_at.get((code, area))) is None:
            return Cell(UNDEFINED)
        return Cell(scale.bare(row.gain, signed=True), percent(row.both), verdict=row.verdict)

    rows = []
    for code in order:
        km = count(table.loc[table["region"] == code, "km"].iloc[0])
        head = fill(_("{name} ({km} km)"), name=name_regions(found, [code]), km=km)
        rows.append((head, *(cell(code, area) for area in areas)))
    caption = _(
        "Each prospective partner in each service area: annual gain ({unit}), and the share of "
        "draws in which both sides gain"
    )
    if found.is_varied:
        caption = _(
            "Each prospective partner in each service area: annual gain ({unit}), and the share of "
            "futures in which both sides gain"
        )
    return Table(fill(caption, unit=scale.label), ["", *(area_title(area) for area in areas)], rows)


# Channels ----------------------------------------------------------------------------------------


@separate
def channel_section(found: RegionOutlook) -> Section:
    """Gains and losses by channel in the last year, in a table and a figure."""
    table = found.channels
    scale, money = share_scale(table, "difference"), money_scale(found, table["money"])
    rows: list[tuple[str, str | Cell, str]] = [
        (
            channel_title(row.channel),
            gain_cell(found, scale, row.difference, row),
            money.bare(row.money, signed=True),
        )
        for row in table.itertuples()
    ]
    sums = table[["difference", "money"]].sum()
    benefit = scale.bare(sums["difference"], signed=True)
    rows.append((_("Sum"), benefit, money.bare(sums["money"], signed=True)))
    in_money = fill(_("In money per year ({unit})"), unit=money.label)
    head = [_("Channel"), capitalise(scale.label), in_money]
    text = _(
        "Differences between “{strategy}” and “{baseline}” in the last year, run by run with the "
        "same random draws. Channels right of zero add to the net benefit of {region}; channels "
        "left of zero reduce it."
    )
    if found.is_varied:
        text = _(
            "Differences between “{strategy}” and “{baseline}” in the last year: means over "
            "plausible futures, which add up, with the range of 90% of the futures. Channels right "
            "of zero add to the net benefit of {region}; channels left of zero reduce it."
        )
    picture = Picture(
        partial(region_channels, found),
        _("Channels through which “{strategy}” changes the net benefit of {region}"),
        _("Differences from “{baseline}” with plausible ranges, in the last year.")
        if found.is_varied
        else _("Differences from “{baseline}” with {level} intervals, in the last year."),
        **words(found),
    )
    made = Table(_("Net benefit in the last year by channel"), head, rows)
    title = _("Gains and losses by channel")
    return Section("channels", title, say(found, text), made, picture)


def gain_cell(
    found: RegionOutlook, scale: Scale, value: float, row: Any, *, is_judged: bool = True
) -> Cell:
    """Return the cell of a gain or loss; ``row`` has the ends of its range and its verdict."""
    runs, futures = sample(found)
    return interval_cell(
        scale, value, row.low, row.high, signed=True, runs=runs, futures=futures,
        verdict=str(row.verdict) if is_judged else "",
    )  # fmt: skip


# Cost and break-even ------------------------------------------------------------------------------


@separate
def cost_section(found: RegionOutlook) -> Section:
    """What the region would pay, and when it would break even."""
    items = {
        "startup": _("Start-up cost that it pays"),
        "joint": _("Its share of the cost of joint bodies"),
        "alone": _("Stand-alone cost of the same services"),
        "programme": _("Programme cost that it pays"),
        "saving": _("Net saving (budget)"),
        "benefit": _("Net benefit (also quality and autonomy, in money)"),
    }
    # By the differences: readers look at these, and they are far smaller than the costs.
    scale, judged = money_scale(found, found.costs["difference"]), ("saving", "benefit")
    scale = scale.with_decimals(1, 1)
    rows = [
        (
            items[row.item],
            scale.bare(row.baseline),
            scale.bare(row.mean),
            gain_cell(found, scale, row.difference, row, is_judged=row.item in judged),
        )
        for row in found.costs.itertuples()
    ]
    head = ["", words(found)["baseline"], words(found)["strategy"], _("Difference")]
    caption = _("Over {years} years, {unit}: means of runs, and the difference with its interval")
    if found.is_varied:
        caption = _(
            "Over {years} years, {unit}: medians over futures, which do not add up, and the "
            "difference with its plausible range"
        )
    return Section(
        "costs",
        _("Cost and break-even"),
        _(
            "Sums over the run in today's prices, not discounted. Start-up cost is what remains "
            "after grants and co-finance. A larger share of joint cost is no loss as long as the "
            "stand-alone cost of the same services would be higher."
        ),
        Table(say(found, caption, unit=scale.label), head, rows),
        Picture(
            partial(region_saving, found),
            _("Cumulative net saving of {region}, “{strategy}” minus “{baseline}”"),
            _(
                "Above zero, the budget of {region} is ahead of what it would be under "
                "“{baseline}”, including all start-up and programme cost paid so far."
            ),
            **words(found),
        ),
    )


# Partners -----------------------------------------------------------------------------------------


@separate
def partner_section(found: RegionOutlook) -> Section:
    """Share of runs in which the region belongs to a joint body, and its partners."""
    table = found.partners.set_index(["strategy", "area"]).sort_index()

    def cell(strategy: str, area: str) -> Cell:
        here = table.loc[[(strategy, area)]].set_index("region")
        others = here.drop(found.code).sort_values("share", ascending=False, kind="stable")
        often = others[others["share"] >= RARE].head(OFTEN)
        named = "; ".join(partner_text(found, row) for row in often.itertuples())
        return Cell(percent(here.loc[found.code, "share"]), remark=named)

    compared = (found.baseline, found.strategy)
    rows = [
        (area_title(area), *(cell(one, area) for one in compared)) for area in found.scenario.areas
    ]
    text = _(
        "Share of all runs in which {region} belongs to a joint body at the end, with its most "
        "frequent partners (up to {number}) and, in brackets, the share of runs in which the "
        "partner provides the service to it or buys it from it under a contract."
    )
    head = [_("Service area"), words(found)["baseline"], words(found)["strategy"]]
    made = Table(_("Membership in joint bodies, and partners"), head, rows, prose=True)
    return Section("partners", _("Partners at the end"), say(found, text, number=OFTEN), made)


def partner_text(found: RegionOutlook, row: Any) -> str:
    """A partner with the share of runs in which it is one, and its role under contracts."""
    if row.provides < RARE and row.buys < RARE:
        text = _("{partner} {share}")
    elif row.buys < RARE:
        text = _("{partner} {share} (as provider: {provides})")
    elif row.provides < RARE:
        text = _("{partner} {share} (as buyer: {buys})")
    else:
        text = _("{partner} {share} (as provider: {provides}, as buyer: {buys})")
    return say(
        found, text, partner=name_regions(found, [row.Index]), share=row.share,
        provides=row.provides, buys=row.buys,
    )  # fmt: skip


# Uncertainty and methods --------------------------------------------------------------------------


@separate
def uncertainty_section(found: RegionOutlook) -> Section:
    """How to read ranges, intervals and verdicts."""
    paragraphs = plausible_paragraphs() if found.is_varied else paragraphs_of_runs()
    return Section("uncertainty", _("Uncertainty"), *(say(found, text) for text in paragraphs))


def methods(found: RegionOutlook, facts: Mapping[str, object]) -> str:
    """A paragraph on methods, to be cited."""
    text = _(
        "We compared “{strategy}” with “{baseline}” for {region} in the scenario “{scenario}” by "
        "simulation with kolabsim {version}, an agent-based model of collaboration between "
        "regional governments in public services, in {pairs} pairs of runs with common random "
        "numbers (seed {seed}). {reported}. "
        "Joint bodies that the region could propose are judged at the start, without error, over "
        "random draws of attributes that no data describe. Parameters without a source are "
        "assumed; results are contrasts within a thought experiment, not predictions."
    )
    made_by = {
        "version": facts["kolabsim"], "seed": str(facts["seed"]),
        "reported": say(found, reported_text(is_varied=found.is_varied)),
        "pairs": found.runs * len(found.futures),
    }  # fmt: skip
    return say(found, text, scenario=found.scenario.title(language()), **made_by)
