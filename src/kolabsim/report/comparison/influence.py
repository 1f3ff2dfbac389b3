"""What the result depends on: variance by source, the assumptions that move it, break-evens."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.arrays import is_numeric
from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.drivers import ABOVE, ASSUMPTIONS, LEAST_FUTURES, SOURCES
from kolabsim.analysis.statistics import DIFFERENT, UNDECIDED
from kolabsim.figures.formatting import (
    SPACE,
    UNDEFINED,
    Scale,
    choose_scale,
    format_interval,
    percent,
    significant,
)
from kolabsim.figures.influence import main_effects, source_titles, variance_sources
from kolabsim.figures.labels import (
    BARE_UNITS,
    assumption_title,
    capitalise,
    measure_title,
    setting_title,
    uncapitalise,
)
from kolabsim.i18n import _, ngettext
from kolabsim.model.measures import MEASURES
from kolabsim.report.comparison.view import View
from kolabsim.report.page import Block, Cell, Folded, Heading, Picture, Section, Table, separate
from kolabsim.report.wording import fill, source_text
from kolabsim.study.factors import list_factors

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from kolabsim.analysis.drivers import Drivers
    from kolabsim.analysis.influence import Influence

MOST = 10
"""Most assumptions in a ranking."""
PLAUSIBLE = 20
"""Plausible futures that a reader is advised to add."""


@separate
def influence_section(
    view: View,
    found: Influence,
    variance: pd.DataFrame | None,
    futures: Mapping[str, Mapping[str, object]],
) -> Section:
    """Where the spread of the result comes from, and which assumptions move it."""
    blocks: list[Block] = [*influence_lines(view, found, variance)]
    if variance is not None:
        blocks.append(variance_picture(view, variance))
        blocks.append(Folded(_("Variance by source as a table"), [variance_table(variance)]))
    drivers = found.drivers
    if drivers is not None:
        blocks += [effects_picture(view, found), *ranking_blocks(view, drivers)]
    if len(found.single):
        blocks += [Heading(_("Single changes")), *single_blocks(view, found, futures)]
    return Section("influence", _("What the result depends on"), *blocks)


# The result in three sentences ------------------------------------------------------------------


def influence_lines(view: View, found: Influence, variance: pd.DataFrame | None) -> list[str]:
    """Where the spread comes from, which assumptions move it most, and where one turns its sign."""
    lines = [] if variance is None else [source_sentence(view, variance)]
    if found.drivers is None:
        return [*lines, unranked_sentence(view)]
    lines.append(driver_sentence(view, found.drivers))
    return [*lines, turn_sentence(view, found.drivers)] if found.drivers.moving else lines


def source_sentence(view: View, variance: pd.DataFrame) -> str:
    """The shares of the variance of the difference by source."""
    share = variance[variance["measure"] == NET_BENEFIT].set_index("source")["share"]
    if not np.isfinite(share).all():
        text = _("The difference between “{strategy}” and “{baseline}” is the same in all runs.")
        return view.fill(text)
    text = _(
        "The difference between “{strategy}” and “{baseline}” varies between single runs because "
        "of assumptions ({assumptions} of the variance), attributes of regions that no table gives "
        "({traits}) and chance ({chance})."
    )
    if share[ASSUMPTIONS] == 0.0 and not view.has_futures:
        text = _(
            "Assumptions were not varied. The difference between “{strategy}” and “{baseline}” "
            "varies between single runs because of attributes of regions that no table gives "
            "({traits} of the variance) and chance ({chance})."
        )
    return view.fill(text, **{name: float(share[name]) for name in SOURCES})


def unranked_sentence(view: View) -> str:
    """Why assumptions are not ranked."""
    if view.has_futures:
        return _(
            "There are too few futures that vary the same assumptions to rank them: at least "
            "{least} are needed."
        ).format(least=LEAST_FUTURES)
    text = _(
        "A single future cannot show which assumption matters most. To rank assumptions, add "
        "futures: write “plausible: {number}” (parameter sets that agree with what is known) "
        "and “structures: all” (each alternative form of an equation or rule) in the "
        "experiment file, or add --plausible {number} --structures to the command. A "
        "sensitivity analysis (“kind: sensitivity”) ranks all assumptions over their whole "
        "ranges."
    )
    return fill(text, number=PLAUSIBLE)


def driver_sentence(view: View, drivers: Drivers) -> str:
    """The assumptions that move the difference most, with the difference at their ends."""
    scale, parts = effect_scale(view, drivers), []
    if not drivers.moving:
        text = _(
            "No assumption stands out between {futures} futures: the strongest, {assumption}, "
            "explains {share} of the variance alone; the strongest of {all} without effect would "
            "reach {floor}."
        )
        first = drivers.curves[0]
        title = uncapitalise(
            assumption_title(view.scenario, first.name, drivers.together[first.name])
        )
        return fill(
            text, futures=drivers.futures, assumption=title, share=first.share,
            all=len(drivers.ranked), floor=drivers.floor,
        )  # fmt: skip
    for one in drivers.curves[: drivers.moving]:
        text = _("{assumption} ({share}; {start} to {end} from its lowest to its highest value)")
        if not one.has_order:
            text = _("{assumption} ({share}; {start} to {end} by option)")
        start, end = scale.bare(one.effect[0], signed=True), scale.text(one.effect[1], signed=True)
        title = uncapitalise(assumption_title(view.scenario, one.name, drivers.together[one.name]))
        parts.append(fill(text, assumption=title, share=one.share, start=start, end=end))
    text = _(
        "Assumptions that move it most, with the share of the variance between {futures} futures "
        "that each explains alone: {list}."
    )
    text = fill(text, futures=drivers.futures, list="; ".join(parts))
    if drivers.moving >= len(drivers.curves):
        return text
    more = _("The strongest of {all} assumptions without effect would reach {floor}.")
    return f"{text} {fill(more, all=len(drivers.ranked), floor=drivers.floor)}"


def turn_sentence(view: View, drivers: Drivers) -> str:
    """Where the strongest assumption that can turns the sign of the difference."""
    one = drivers.turning
    if one is None or one.turn is None:
        text = _(
            "None of these assumptions turns the sign of the difference on its own within its "
            "plausible range."
        )
        return text
    factor = list_factors(view.scenario).get(one.name)
    becomes = _("negative") if drivers.median > 0.0 else _("positive")
    title = uncapitalise(assumption_title(view.scenario, one.name, drivers.together[one.name]))
    filled = {"becomes": becomes, "assumption": title, "source": source_text(factor)}
    if not one.has_order:
        text = _(
            "Break-even: on average over futures the difference is {becomes} where {assumption} is "
            "{words} (of {all}; source: {source})."
        )
        words = [str(word).replace("_", " ") for word in one.turn.words]
        every = [str(word).replace("_", " ") for word in one.values]
        filled |= {"words": _(" or ").join(words), "all": ", ".join(every)}
        return fill(text, **filled)
    text = _(
        "Break-even: on average over futures the difference becomes {becomes} where {assumption} "
        "is below {at} ({level} interval {interval}; range {range}; source: {source})."
    )
    if one.turn.side == ABOVE:
        text = _(
            "Break-even: on average over futures the difference becomes {becomes} where "
            "{assumption} is above {at} ({level} interval {interval}; range {range}; source: "
            "{source})."
        )
    numbers = one.turn.at, one.turn.low, one.turn.high, one.values[0], one.values[-1]
    at, low, high, least, most = (significant(number, 2) for number in numbers)
    unit = "" if factor is None or factor.unit in BARE_UNITS else f"{SPACE}{_(factor.unit)}"
    filled |= {
        "at": at + unit, "interval": format_interval(low, high),
        "range": format_interval(least, most),
    }  # fmt: skip
    return view.fill(text, **filled)


# Variance by source -----------------------------------------------------------------------------


def variance_picture(view: View, variance: pd.DataFrame) -> Picture:
    """The variance of the difference in net benefit as one bar."""
    return view.picture(
        partial(variance_sources, variance),
        _("Variance of the difference between “{strategy}” and “{baseline}” by source"),
        _(
            "Variance of the difference between “{strategy}” and “{baseline}” in realised net "
            "benefit between single runs: between plausible futures, between draws of attributes "
            "that no table gives, and between other random draws."
        ),
        "variance",
    )


def variance_table(variance: pd.DataFrame) -> Table:
    """The shares of the variance of differences by source, of each measure."""
    titles, rows = source_titles(), []
    for measure, table in variance.groupby("measure", sort=False):
        cells = []
        for row in table.itertuples():
            ends: str = format_interval(percent(row.low), percent(row.high))
            if not np.isfinite([row.low, row.high]).all():
                ends = UNDEFINED
            cells.append(Cell(percent(row.share), ends))
        rows.append((measure_title(str(measure)), *cells))
    caption = _("Share of the variance of differences between single runs, with {level} intervals")
    head = [_("Measure"), *(capitalise(titles[name]) for name in SOURCES)]
    return Table(fill(caption, level=0.95), head, rows)


# Assumptions ------------------------------------------------------------------------------------


def effect_scale(view: View, drivers: Drivers) -> Scale:
    """The scale of mean differences at the ends of assumptions."""
    scale = benefit_scale(view, np.ravel(drivers.ranked[["lowest", "highest"]]))
    return scale.with_decimals(most=2)


def effects_picture(view: View, found: Influence) -> Picture:
    """The curves of the strongest assumptions."""
    return view.picture(
        partial(main_effects, view.comparison, found),
        _("The difference between “{strategy}” and “{baseline}” by the strongest assumptions"),
        _(
            "Mean difference between “{strategy}” and “{baseline}” in realised net benefit at each "
            "value of an assumption, over all values of the others, with its {level} band. Dots "
            "are plausible futures; a dashed line marks where the mean turns its sign."
        ),
        "main_effects",
    )


def ranking_blocks(view: View, drivers: Drivers) -> list[Block]:
    """All assumptions that futures vary together, by the variance that each explains alone."""
    number = drivers.moving
    text = _(
        "{futures} futures vary {all} assumptions at once. The table ranks them by the share of "
        "the variance between futures that a curve of each explains alone. {number} exceed "
        "{floor}, which at the {level} level none of them would by chance."
    )
    filled = {"number": number, "all": len(drivers.ranked), "futures": drivers.futures}
    blocks: list[Block] = [fill(text, floor=drivers.floor, level=drivers.level, **filled)]
    if not number:
        blocks.append(
            _(
                "So few futures reveal only very close connections; other assumptions may matter "
                "too. More futures or a sensitivity analysis would show them."
            )
        )
    return [*blocks, ranking_table(view, drivers)]


def ranking_table(view: View, drivers: Drivers) -> Table:
    """The strongest assumptions, with their ranges and sources."""
    table, scale = drivers.ranked.head(MOST), effect_scale(view, drivers)
    factors, rows = list_factors(view.scenario), []
    for number, row in enumerate(table.itertuples(), 1):
        values = drivers.settings[row.assumption]
        ends: str = ", ".join(sorted({str(value) for value in values}))
        if is_numeric(values):
            ends = format_interval(*(significant(end) for end in (values.min(), values.max())))
        title = assumption_title(view.scenario, row.assumption, drivers.together[row.assumption])
        verdict = DIFFERENT if row.moves else UNDECIDED
        rows.append(
            (
                f"{number}. {title}",
                Cell(percent(row.share), verdict=verdict),
                scale.bare(row.lowest, signed=True),
                scale.bare(row.highest, signed=True),
                ends,
                source_text(factors.get(row.assumption)),
            )
        )
    heads = _("Difference at the lowest value ({unit})"), _("Difference at the highest ({unit})")
    head = [
        _("Assumption"), _("Share of variance between futures"),
        *(fill(text, unit=scale.label) for text in heads), _("Range"), _("Source"),
    ]  # fmt: skip
    caption = _(
        "Assumptions ranked by their influence on the difference between “{strategy}” and "
        "“{baseline}”: the first {number} of {all}"
    )
    return Table(view.fill(caption, number=len(table), all=len(drivers.ranked)), head, rows)


# Single changes ---------------------------------------------------------------------------------


def single_blocks(
    view: View, found: Influence, futures: Mapping[str, Mapping[str, object]]
) -> list[Block]:
    """How far each future with a single change moves the difference."""
    number = int(found.single["moves"].sum())
    text = ngettext(
        "{number} of {all} futures with a single change clearly moves the difference between "
        "“{strategy}” and “{baseline}”.",
        "{number} of {all} futures with a single change clearly move the difference between "
        "“{strategy}” and “{baseline}”.",
        number,
    )
    filled = view.fill(text, number=number, all=len(found.single))
    return [filled, alone_table(view, found, futures)]


def benefit_scale(view: View, values: ArrayLike, errors: ArrayLike = ()) -> Scale:
    """The scale of some differences in realised net benefit."""
    unit, currency = MEASURES[NET_BENEFIT].unit, view.scenario.currency
    return choose_scale(unit, values, errors, currency=currency)


def alone_table(view: View, found: Influence, futures: Mapping[str, Mapping[str, object]]) -> Table:
    """How far each future that changes little moves the difference."""
    table = found.single
    scale = benefit_scale(view, table["shift"], (table["high"] - table["low"]) / 2.0)
    rows = [
        (
            row.future,
            describe_future(view, futures[row.future]),
            scale.bare(row.difference, signed=True),
            Cell(
                scale.bare(row.shift, signed=True),
                scale.interval(row.low, row.high, signed=True),
                verdict=DIFFERENT if row.moves else UNDECIDED,
            ),
        )
        for row in table.itertuples()
    ]
    with_unit = _("Difference ({unit})"), _("Shift ({unit})")
    head = [_("Future"), _("Settings"), *(fill(text, unit=scale.label) for text in with_unit)]
    caption = _(
        "Effect of a single change on the difference between “{strategy}” and “{baseline}”, "
        "compared with the first future"
    )
    return Table(view.fill(caption), head, rows, prose=True)


def describe_future(view: View, settings: Mapping[str, object]) -> str:
    """What a future sets, in words."""
    parts = [
        f"{setting_title(view.scenario, name)}: "
        f"{significant(value) if isinstance(value, (int, float)) else value}"
        for name, value in settings.items()
    ]
    return "; ".join(parts) or _("unchanged")
