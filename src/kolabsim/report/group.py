"""The page of a group that somebody means: what one joint body would bring each of its members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from kolabsim.analysis.statistics import GAINS, LOSES, PLAIN
from kolabsim.figures.formatting import UNDEFINED, Scale, choose_scale, count, significant
from kolabsim.figures.labels import area_title, capitalise, uncapitalise
from kolabsim.figures.region import share_scale
from kolabsim.files import file_names
from kolabsim.i18n import _, language
from kolabsim.model.levers import FORM_TITLES
from kolabsim.model.parameters import QUARTERS
from kolabsim.report.assumptions import assumption_section
from kolabsim.report.html import write_page
from kolabsim.report.legal import legal_section
from kolabsim.report.page import (
    Cell,
    Headline,
    Headlines,
    Note,
    Page,
    Section,
    Table,
    interval_cell,
    separate,
)
from kolabsim.report.provenance import reproduction_section
from kolabsim.report.ranges import (
    paragraphs_of_runs,
    plausible_paragraphs,
    reported_text,
    words_of,
)
from kolabsim.report.wording import fill, join_names, sharing_titles
from kolabsim.scenario.notices import find_notices

if TYPE_CHECKING:
    from kolabsim.analysis.group import GroupOutlook

LISTED = 5
"""Most further members in a list."""
SELDOM = 0.5
"""Share of runs below which a body that loses a member seldom lasts."""
FOREVER = 50.0
"""Years after the end of a run that count as never."""


def write_group(
    found: GroupOutlook, path: Path, *, facts: Mapping[str, object], workbook: bool = False
) -> Path:
    """Write the page of a group in the current language.

    ``facts`` is the provenance, with the ``seed``; ``workbook`` writes the tables beside the page
    for Excel too, if openpyxl is installed. The file is written completely or not at all.
    """
    return write_page(group_page(found, facts), path, workbook=workbook)


def group_page(found: GroupOutlook, facts: Mapping[str, object]) -> Page:
    """The page of a group in the current language."""
    scenario = found.scenario
    lines = [
        say(found, _("{area}, {form}")),
        say(found, _("“{strategy}”, with and without the joint body")),
        say(found, _("{number} pairs of runs"), number=found.runs * len(found.futures)),
        say(found, _("seed {seed}"), seed=str(facts["seed"])),
    ]
    if found.is_varied:
        lines.insert(-1, say(found, _("{number} plausible futures"), number=len(found.futures)))
    sections = [
        *result_sections(found),
        legal_section(scenario),
        uncertainty_section(found),
        assumption_section(scenario),
        reproduction_section(facts, methods(found, facts)),
    ]
    title = join_names([name(found, code) for code in found.members])
    notices = find_notices(scenario, [found.strategy])
    return Page(title, sections, lines=lines, kind=scenario.title(language()), notices=notices)


def result_sections(found: GroupOutlook) -> list[Section]:
    """The sections on what was found, the key findings first."""
    return [
        answer_section(found), gain_section(found), rule_section(found), further_section(found),
        departure_section(found),
    ]  # fmt: skip


def group_file(found: GroupOutlook) -> str:
    """The name of the file of its page."""
    names = file_names(found.scenario.regions.codes)
    return f"group-{'-'.join(names[code] for code in found.members)}-{found.area}.html"


def name(found: GroupOutlook, code: str) -> str:
    """The name of a region."""
    regions = found.scenario.regions
    return regions.labels[regions.codes.index(code)]


def names_of(found: GroupOutlook, codes: Iterable[str]) -> str:
    """The names of regions in a row."""
    return join_names([name(found, code) for code in codes])


def say(found: GroupOutlook, text: str, **values: Any) -> str:
    """Fill the places of a text; the group, its area and form, and criteria are known."""
    words = {
        "strategy": found.scenario.strategy_titles(language())[found.strategy],
        "region": name(found, found.code),
        "area": area_title(found.area),
        "service": uncapitalise(area_title(found.area)),
        "form": _(FORM_TITLES[found.form]),
        "partners": names_of(found, found.members[1:]),
        "members": names_of(found, found.members),
        "runs": found.runs,
        "futures": len(found.futures),
        "years": found.leaves_after,
        "together": found.together,
    } | words_of(found.criteria)  # fmt: skip
    return fill(text, **(words | values))


def share(value: float) -> str:
    """Format a gain or loss as a share of stand-alone cost."""
    return choose_scale("share", [value], difference=False).text(value, signed=True)


def cell(found: GroupOutlook, scale: Scale, row: Any, value: float) -> Cell:
    """Return the cell of a gain; ``row`` has the ends of its range and its verdict."""
    runs, futures = (0, len(found.futures)) if found.is_varied else (found.runs, 0)
    return interval_cell(
        scale, value, row.low, row.high, signed=True, runs=runs, futures=futures,
        verdict=str(row.verdict),
    )  # fmt: skip


# Key findings -------------------------------------------------------------------------------------


@separate
def answer_section(found: GroupOutlook) -> Section:
    """Who gains, who would refuse, the best further member, and what a departure does."""
    note = _(
        "A thought experiment with stated assumptions, not a prediction. Intervals cover chance; "
        "they do not show whether the assumptions are right."
    )
    if found.is_varied:
        note = _(
            "A thought experiment with stated assumptions, not a prediction. Ranges are those of "
            "90% of {futures} plausible futures. ▲ gains by more than {threshold} of cost in at "
            "least {robust} of futures, △ in at least {likely}; ▼ ▽ loses; ● hardly changes; □ "
            "depends on assumptions; ○ undecided by chance."
        )
    exists = _("These regions share this service already: nothing would change.")
    return Section(
        "answer",
        _("Key findings"),
        Headlines([gain_headline(found), refusal_headline(found), further_headline(found),
                   departure_headline(found)]),
        exists if found.exists else "",
        "" if found.is_varied else _("Assumptions were not varied: intervals show chance only."),
        Note([say(found, note)]),
    )  # fmt: skip


def by_verdict(found: GroupOutlook, table: pd.DataFrame, wanted: str) -> list[str]:
    """Codes of the regions of a table that gain, or lose."""
    return [
        row.region for row in table.itertuples() if PLAIN.get(row.verdict, row.verdict) == wanted
    ]


def gain_headline(found: GroupOutlook) -> Headline:
    """Who gains and who loses, against what regions do by themselves."""
    table = found.gains[found.gains["against"] == "baseline"]
    gaining, losing = (by_verdict(found, table, one) for one in (GAINS, LOSES))
    own = table.iloc[0]
    filled = {
        "gain": share(own["difference"]), "low": share(own["low"]), "high": share(own["high"]),
        "better": own["better_share"], "gaining": names_of(found, gaining),
        "losing": names_of(found, losing),
    }  # fmt: skip
    text = _(
        "With {partners}, sharing {service} changes the net benefit of {region} by {gain} of its "
        "stand-alone cost of the service ({low} to {high}), compared with what regions do by "
        "themselves; it is better in {better} of futures."
    )
    if not found.is_varied:
        text = _(
            "With {partners}, sharing {service} changes the net benefit of {region} by {gain} of "
            "its stand-alone cost of the service ({low} to {high}), compared with what regions do "
            "by themselves; it is better in {better} of runs."
        )
    texts = [text]
    if found.is_varied:
        sure = (
            _("Gaining, likely or robustly: {gaining}."),
            _("Losing, likely or robustly: {losing}."),
        )
        unsure = _("No member is likely to gain or to lose.")
    else:
        sure = _("Gaining beyond chance: {gaining}."), _("Losing beyond chance: {losing}.")
        unsure = _("No member gains or loses beyond chance.")
    texts += [text for text, some in zip(sure, (gaining, losing), strict=True) if some]
    if not gaining and not losing:
        texts.append(unsure)
    texts.append(_("In {together} of runs, all members are still together at the end."))
    texts += horizon_texts(found, found.members[:1])
    brief = _("no member clearly gains")
    if len(gaining) == len(found.members):
        brief = _("all members gain")
    elif gaining:
        brief = _("gain: {gaining}")
    brief = capitalise(say(found, brief, **filled))
    return Headline(_("Gain or loss"), brief, say(found, " ".join(texts), **filled))


def refusal_headline(found: GroupOutlook) -> Headline:
    """Who would refuse under the rule of the scenario, and which rule none refuses."""
    usual = found.scenario.shares
    refusing = found.refusing(usual)
    none = [rule for rule in sharing_titles() if not found.refusing(rule)]
    texts = [
        _("Judged at the start, {refusing} would refuse under the scenario's rule ({rule}).")
        if refusing
        else _("Judged at the start, nobody would refuse under the scenario's rule ({rule}).")
    ]
    if refusing and none:
        texts.append(_("Nobody would refuse under: {rules}."))
    elif refusing:
        texts.append(_("Under every rule of sharing cost, somebody would refuse."))
    titles = sharing_titles()
    brief = names_of(found, refusing) if refusing else capitalise(_("nobody"))
    text = say(
        found, " ".join(texts), refusing=names_of(found, refusing),
        rule=uncapitalise(titles[usual]),
        rules=join_names([uncapitalise(titles[one]) for one in none]),
    )  # fmt: skip
    return Headline(_("Would refuse"), brief, text)


def further_headline(found: GroupOutlook) -> Headline:
    """The best further member, if both sides gain and nobody loses."""
    label, good = _("Next partner"), found.further[found.further["is_good"].astype(bool)]
    if not len(good):
        text = _(
            "No further partner clearly adds to the gain of {region}, gains itself and harms no "
            "member."
        )
        return Headline(label, capitalise(_("none")), say(found, text))
    first = good.iloc[0]
    text = _(
        "Judged at the start, {newcomer} would be the best further partner: it adds {gain} of cost "
        "a year to the gain of {region} ({low} to {high}), and gains {own} itself."
    )
    filled = {one: share(first[one]) for one in ("gain", "low", "high")}
    newcomer = name(found, first["region"])
    text = say(found, text, newcomer=newcomer, own=share(first["newcomer"]), **filled)
    return Headline(label, newcomer, text)


def departure_headline(found: GroupOutlook) -> Headline:
    """The departure of another member that hurts the region most, and whether the rest remain."""
    table = found.departures
    others = table[(table["leaver"] != found.code) & (table["region"] == found.code)]
    worst = others.loc[others["difference"].idxmin()]
    text = _(
        "If {leaver} leaves at the end of year {years}, the net benefit of {region} changes by "
        "{change} of its stand-alone cost ({low} to {high})"
    )
    if len(found.members) > 2:
        text += _("; at least two of the others are still together at the end in {remain} of runs")
    filled = {"low": share(worst["low"]), "high": share(worst["high"])}
    change, leaver = share(worst["difference"]), name(found, worst["leaver"])
    text = say(found, text, leaver=leaver, change=change, remain=float(worst["remain"]), **filled)
    return Headline(_("If a member leaves"), f"{leaver}: {change}", f"{text}.")


def horizon_texts(found: GroupOutlook, codes: Iterable[str]) -> list[str]:
    """Why members lose over the run although the body promises them a gain, and for how long."""
    by = found.gains.set_index(["against", "region"])["difference"]
    texts = []
    for code in codes:
        gain, alone = (float(by[against, code]) for against in ("baseline", "alone"))
        judged = float(found.judged[code])
        if not gain < 0.0 < judged:
            continue
        if alone > 0.0:
            text = _(
                "Judged at the start, {member} would gain {judged} of its cost a year, yet over "
                "{horizon} years it is behind: it gains against serving alone, but by themselves "
                "regions come to share the service too."
            )
        elif found.together < SELDOM:
            text = _(
                "Judged at the start, {member} would gain {judged} of its cost a year, yet over "
                "{horizon} years it loses: start-up cost is paid at once, and the body seldom "
                "lasts; all members are still together at the end in {together} of runs."
            )
        else:
            text = _(
                "Judged at the start, {member} would gain {judged} of its cost a year, yet over "
                "{horizon} years it loses: start-up cost is paid at once and a new body is costly "
                "at first, and what the body brings year by year has not made up for that."
            )
        texts.append(say(
            found, f"{text} {pace_text(found, code)}", member=name(found, code),
            judged=share(judged).lstrip("+"),
            horizon=significant(found.scenario.horizon / QUARTERS),
            later=significant(found.years_behind(code) or 0.0, 2),
            quarter=count(found.break_even(code) or 0),
        ))  # fmt: skip
    return texts


def pace_text(found: GroupOutlook, code: str) -> str:
    """When a member that is behind would break even."""
    if found.break_even(code) is not None:
        text = _("On average over runs, it is ahead from quarter {quarter} on.")
        if found.is_varied:
            text = _("In the median future, it is ahead from quarter {quarter} on.")
    elif (found.years_behind(code) or FOREVER) < FOREVER:
        text = _(
            "At the pace of the last year, it would break even about {later} years after the end "
            "of the run."
        )
    else:
        text = _("At the pace of the last year, it would not break even.")
    return text


# Tables -------------------------------------------------------------------------------------------


@separate
def gain_section(found: GroupOutlook) -> Section:
    """What each member gains, against the baseline and against serving alone."""
    table = found.gains
    scale = share_scale(table, "difference")
    money = choose_scale("currency", table["money"], currency=found.scenario.currency)
    by = {one: rows.set_index("region") for one, rows in table.groupby("against")}

    def cells(code: str) -> tuple[Any, ...]:
        rows = [by[against].loc[code] for against in ("baseline", "alone")]
        first = rows[0]
        return (
            name(found, code), cell(found, scale, first, first["difference"]),
            money.bare(first["money"], signed=True), float(first["better_share"]),
            cell(found, scale, rows[1], rows[1]["difference"]),
            money.bare(rows[1]["money"], signed=True), ahead_text(found, code),
        )  # fmt: skip

    in_money = fill(_("in money ({unit})"), unit=money.label)
    head = [
        _("Member"), fill(_("Against what regions do by themselves ({unit})"), unit=scale.label),
        in_money, _("Better off"), fill(_("Against serving alone ({unit})"), unit=scale.label),
        in_money, _("Ahead from"),
    ]  # fmt: skip
    text = _(
        "The body is founded in the first quarter, whatever its members would decide, and they pay "
        "its start-up cost; afterwards they may leave it, and others may join. The same runs "
        "without it show what regions do by themselves under “{strategy}”. Gains are net benefit "
        "over the run in {service}. The last column is the quarter from which a member is ahead of "
        "what regions do by themselves, all start-up cost included."
    )
    caption = say(found, _("What a joint body for {service} brings each member"))
    title = _("Gains of the members")
    return Section(
        "gains", title, say(found, text), Table(caption, head, map(cells, found.members)),
        *horizon_texts(found, found.members),
    )  # fmt: skip


def ahead_text(found: GroupOutlook, code: str) -> str:
    """The quarter from which a member is ahead, in a cell."""
    quarter = found.break_even(code)
    if quarter is not None:
        return fill(_("quarter {quarter}"), quarter=count(quarter))
    return _("not in the run") if found.path(code).any() else UNDEFINED


@separate
def rule_section(found: GroupOutlook) -> Section:
    """Cost shares and gains by each rule, and who would refuse."""
    scale = share_scale(found.rules, "gain")
    rows = []
    for rule, title in sharing_titles().items():
        members = found.rules[found.rules["rule"] == rule].set_index("region")
        cells = []
        for code in found.members:
            row = members.loc[code]
            of = (
                _("refuses in {share} of futures")
                if found.is_varied
                else _("refuses in {share} of draws")
            )
            remark = fill(
                _("cost share {part}; {refuses}"), part=float(row["part"]),
                refuses=fill(of, share=float(row["refuses"])),
            )  # fmt: skip
            made = cell(found, scale, row, row["gain"])
            cells.append(Cell(made.main, made.below, remark, made.verdict))
        refusing = found.refusing(rule)
        rows.append((title, *cells, names_of(found, refusing) if refusing else _("nobody")))
    head = ["", *(name(found, code) for code in found.members), _("Would refuse")]
    caption = fill(
        _("Annual gain of each member by rule of sharing cost ({unit})"), unit=scale.label
    )
    text = _(
        "Judged at the start as founders do, but without their errors: saving, quality, autonomy "
        "and start-up cost. A member refuses where its gain, with its goodwill towards the others, "
        "is not above zero. Founders spread start-up and transition over their horizon; these "
        "weigh more in a short run, so that a body may look better here than above. The Shapley "
        "value charges each member its mean marginal cost over all orders of joining; it is a "
        "yardstick, no rule of the model."
    )
    return Section("rules", _("Cost shares and refusals"), text, Table(caption, head, rows))


@separate
def further_section(found: GroupOutlook) -> Section:
    """Further members, the best first."""
    title, table = _("Further partners"), found.further.head(LISTED)
    if not len(table):
        return Section(
            "further", title, _("No contact of the members is free to join, or the body is full.")
        )
    scale = share_scale(table, "gain")
    rows = [
        (
            name(found, row.region), cell(found, scale, row, row.gain),
            Cell(scale.bare(row.newcomer, signed=True), verdict=row.newcomer_verdict),
            names_of(found, row.loses) or _("nobody"), _("yes") if row.is_good else _("no"),
        )
        for row in table.itertuples()
    ]  # fmt: skip
    head = [
        _("Further partner"),
        say(found, _("Adds to the gain of {region} ({unit})"), unit=scale.label),
        fill(_("Its own gain ({unit})"), unit=scale.label), _("Members that lose"),
        _("Worth asking"),
    ]  # fmt: skip
    text = _(
        "Contacts of the members that serve alone at the start. A partner is worth asking if it "
        "adds to the gain of {region}, gains itself, and makes no member lose."
    )
    caption = _("Regions that could join from the start, the best first")
    return Section("further", title, say(found, text), Table(caption, head, rows))


@separate
def departure_section(found: GroupOutlook) -> Section:
    """What the departure of each member changes for all."""
    scale, rows = share_scale(found.departures, "difference"), []
    for leaver, table in found.departures.groupby("leaver", sort=False):
        members = table.set_index("region")
        cells = [
            cell(found, scale, members.loc[code], members.loc[code]["difference"])
            for code in found.members
        ]
        remain = float(table["remain"].iloc[0])
        rows.append((name(found, str(leaver)), *cells, remain if len(found.members) > 2 else "–"))
    head = [_("Leaves"), *(name(found, code) for code in found.members), _("Others together")]
    text = _(
        "In each row one member leaves at the end of year {years} and stays out, whatever it would "
        "decide. The last column is the share of runs in which at least two of the others are in "
        "one body at the end."
    )
    caption = fill(
        _("Change of the net benefit of each member over the run ({unit})"), unit=scale.label
    )
    title = say(found, _("If a member leaves at the end of year {years}"))
    return Section("departures", title, say(found, text), Table(caption, head, rows))


@separate
def uncertainty_section(found: GroupOutlook) -> Section:
    """How to read ranges, intervals and verdicts."""
    paragraphs = plausible_paragraphs() if found.is_varied else paragraphs_of_runs()
    return Section("uncertainty", _("Uncertainty"), *(say(found, text) for text in paragraphs))


def methods(found: GroupOutlook, facts: Mapping[str, object]) -> str:
    """A paragraph on methods, to be cited."""
    text = _(
        "We compared a joint body of {members} for {service} with what regions do by themselves "
        "under “{strategy}” in the scenario “{scenario}” by simulation with kolabsim {version}, an "
        "agent-based model of collaboration between regional governments in public services, in "
        "{pairs} pairs of runs with common random numbers (seed {seed}). {reported}. Parameters "
        "without a source are assumed; results are contrasts within a thought experiment, not "
        "predictions."
    )
    return say(
        found, text, scenario=found.scenario.title(language()), version=facts["kolabsim"],
        seed=str(facts["seed"]), pairs=found.runs * len(found.futures),
        reported=say(found, reported_text(is_varied=found.is_varied)),
    )  # fmt: skip
