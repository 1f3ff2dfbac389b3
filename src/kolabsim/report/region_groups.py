"""The section of a region's page on the best groups of up to five members."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any

from kolabsim.analysis.statistics import GAINS, PLAIN
from kolabsim.figures.formatting import choose_scale, count
from kolabsim.figures.labels import area_title, uncapitalise
from kolabsim.figures.region import money_scale, region_groups, share_scale
from kolabsim.i18n import _
from kolabsim.model.levers import FORM_TITLES
from kolabsim.report.page import Note, Picture, Section, Table, interval_cell, separate
from kolabsim.report.wording import fill, join_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from kolabsim.analysis.region import RegionOutlook
    from kolabsim.figures.formatting import Scale


@separate
def group_section(found: RegionOutlook) -> Section:
    """The best groups in each service area, and plainly where there are none."""
    title, table = _("Best groups"), found.groups.table
    if not len(table):
        text = _("{region} cannot form or enlarge a joint body in any service area.")
        return Section("groups", title, fill(text, region=found.name))
    text = _(
        "Joint bodies of up to five members that contain {region}, searched among its contacts and "
        "theirs, and judged at the start as founders do, but without their errors and without "
        "goodwill: saving, quality, autonomy and start-up cost. A group is listed only if {region} "
        "gains and no other member is expected to lose. Percentages refer to the stand-alone cost "
        "of each member in the area."
    )
    notes = [
        *search_texts(found),
        fill(
            _("To simulate a group over the whole run, with cost shares and departures: {command}"),
            command=example(found),
        ),
    ]
    return Section(
        "groups", title, fill(text, region=found.name), picture(found), good_table(found),
        *closest_texts(found),
        Note(notes),
    )  # fmt: skip


def picture(found: RegionOutlook) -> Picture:
    """The gains of the best groups, and where there is none, of the closest to one."""
    caption = _(
        "Gains of {region} with plausible ranges, and of the other members. In service areas "
        "without a good group, the closest to one is drawn."
    )
    if not found.is_varied:
        caption = _(
            "Gains of {region} with {level} intervals, and of the other members. In service areas "
            "without a good group, the closest to one is drawn."
        )
    return Picture(
        partial(region_groups, found), _("Annual gains of {region} and its partners in groups"),
        caption, region=found.name, level=found.level,
    )  # fmt: skip


def good_table(found: RegionOutlook) -> Table | None:
    """The best groups of each service area, if there are any."""
    table = found.groups.good
    if not len(table):
        return None
    scale, money = share_scale(table, "gain"), money_scale(found, table["money"])
    runs, futures = (0, len(found.futures)) if found.is_varied else (found.runs, 0)
    rows = [
        (
            area_title(row.area),
            others(found, scale, row),
            interval_cell(
                scale, row.gain, row.low, row.high, signed=True, runs=runs, futures=futures,
                verdict=str(row.verdict),
            ),
            money.bare(row.money, signed=True),
            row.all,
            _(FORM_TITLES[row.form]),
        )
        for row in table.itertuples()
    ]  # fmt: skip
    head = [
        _("Service area"), fill(_("Partners and their gains ({unit})"), unit=scale.label),
        fill(_("Annual gain ({unit})"), unit=scale.label),
        fill(_("In money per year ({unit})"), unit=money.label),
        _("All gain"), _("Legal form"),
    ]  # fmt: skip
    caption = _("Best groups for {region}, up to three in each service area")
    return Table(fill(caption, region=found.name), head, rows, prose=True)


def others(found: RegionOutlook, scale: Scale, row: Any) -> str:
    """The gains of the other members."""
    gains = (
        f"{names(found, [code])} {scale.bare(gain, signed=True)}"
        for code, gain in zip(row.members[1:], row.gains, strict=True)
    )
    return "; ".join(gains)


def closest_texts(found: RegionOutlook) -> list[str]:
    """What stands in the way where no group is good: somebody loses, or the region itself."""
    table = found.groups.table
    table = table[~table["is_good"].astype(bool)]
    gains = [PLAIN.get(row.verdict, row.verdict) == GAINS for row in table.itertuples()]
    texts = []
    for row in table[gains].itertuples():
        losing = [
            code for code, gain in zip(row.members[1:], row.gains, strict=True) if gain <= 0.0
        ]
        text = _(
            "{area}: no group promises {region} a gain without a loss to another member. The "
            "closest is with {partners}: {region} would gain {gain} of its cost a year, but "
            "{losing} would not gain."
        )
        if not losing:
            text = _(
                "{area}: no group promises {region} a gain without a loss to another member. The "
                "closest is with {partners}: {region} would gain {gain} of its cost a year, but "
                "another member is likely to lose."
            )
        texts.append(fill(
            text, area=area_title(row.area), region=found.name,
            partners=names(found, row.members[1:]), losing=names(found, losing),
            gain=share(row.gain),
        ))  # fmt: skip
    none = [uncapitalise(area_title(area)) for area in table[[not one for one in gains]]["area"]]
    if none:
        text = _("No group of up to five members clearly promises {region} a gain in: {areas}.")
        texts.append(fill(text, region=found.name, areas=", ".join(none)))
    counts = found.groups.counts
    shut = [uncapitalise(area_title(area)) for area in counts[counts["judged"] == 0]["area"]]
    if shut:
        text = _(
            "{region} cannot form or enlarge a joint body in: {areas}. It buys the service "
            "already, its body has five members or more, or no contact is free."
        )
        texts.append(fill(text, region=found.name, areas=", ".join(shut)))
    return texts


def search_texts(found: RegionOutlook) -> list[str]:
    """How many groups were judged, and where not all of them were."""
    counts: pd.DataFrame = found.groups.counts
    searched = counts[counts["judged"] > 0]
    part = searched[~searched["is_all"].astype(bool)]
    whole = searched[searched["is_all"].astype(bool)]
    texts = []
    if len(whole):
        text = _("All groups that contacts allow were judged: {number}.")
        if len(part):
            text = _("In {areas}, all groups that contacts allow were judged: {number}.")
        texts.append(in_areas(text, whole))
    if len(part):
        text = _(
            "In {areas}, {number} groups were compared: the best of each size grew by one more "
            "contact, so that a better group may have been missed."
        )
        texts.append(in_areas(text, part))
    return texts


def in_areas(text: str, counts: pd.DataFrame) -> str:
    """Fill a text with the number of groups and their areas."""
    areas = join_names([uncapitalise(area_title(area)) for area in counts["area"]])
    return fill(text, number=count(int(counts["judged"].sum())), areas=areas)


def example(found: RegionOutlook) -> str:
    """The command that judges the first group of the table over the whole run."""
    row = found.groups.table.iloc[0]
    words = ["kolabsim", "region", found.code, "--scenario", found.scenario.name]
    words += ["--with", ",".join(row["members"][1:]), "--area", row["area"]]
    return shlex.join(words)


def group_sentence(found: RegionOutlook) -> str:
    """The best group in a sentence, or that there is none."""
    good = found.groups.good
    if not len(found.groups.table):
        return ""
    if not len(good):
        text = _("No group of up to five members promises a gain without a loss to another member.")
        return text
    row = good.loc[good["gain"].astype(float).idxmax()]
    text = _(
        "The best group is with {partners} for {area}: a gain of {gain} of the area's cost a year, "
        "and no other member is expected to lose."
    )
    return fill(
        text, partners=names(found, row["members"][1:]), area=uncapitalise(area_title(row["area"])),
        gain=share(row["gain"]),
    )  # fmt: skip


def share(value: float) -> str:
    """Format a gain as a share of stand-alone cost."""
    return choose_scale("share", [value], difference=False).text(value)


def names(found: RegionOutlook, codes: Iterable[str]) -> str:
    """The names of regions in a row."""
    regions = found.scenario.regions
    return join_names([regions.labels[regions.codes.index(code)] for code in codes])
