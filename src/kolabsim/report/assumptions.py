"""Tables of assumptions: strategies, measures, columns, bodies, areas, parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.figures.formatting import (
    UNDEFINED,
    count,
    format_interval,
    money,
    percent,
    significant,
)
from kolabsim.figures.labels import area_title, capitalise, measure_title
from kolabsim.i18n import _, language
from kolabsim.model.levers import FORM_TITLES, PAYER_TITLES
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import GROUPS, PARAMETERS, QUARTERS, Parameter
from kolabsim.report.page import Block, Cell, Folded, Section, Table, separate
from kolabsim.report.wording import fill
from kolabsim.scenario.regions import ProxyColumn, ScaledColumn
from kolabsim.scenario.schema import in_language

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.scenario.strategy import Strategy


@separate
def assumption_section(scenario: Scenario, *blocks: Block) -> Section:
    """Return the section on assumptions: caveats, then ``blocks``, then the scenario's own."""
    text = _(
        "Sensitivity analyses vary each parameter over this range. These parameters have never "
        "been measured; any value in the range is as plausible as another."
    )
    return Section(
        "assumptions",
        _("Assumptions"),
        *caveats(scenario),
        *blocks,
        mapping_table(scenario),
        body_table(scenario),
        area_table(scenario),
        Folded(
            _("All assumed parameters with their values and ranges"),
            [text, *parameter_tables(scenario)],
        ),
    )


def strategy_table(scenario: Scenario, names: Iterable[str]) -> Table:
    """What each strategy is, and what is done in it."""
    rows, titles = [], scenario.strategy_titles(language())
    for name in names:
        strategy = scenario.strategies[name]
        done = "; ".join(what_is_done(strategy, scenario)) or _("none")
        rows.append((titles[name], strategy.description(language()), done))
    head = [_("Strategy"), _("Description"), _("Levers")]
    return Table(_("Strategies"), head, rows, prose=True)


def what_is_done(strategy: Strategy, scenario: Scenario) -> list[str]:
    """The levers of a strategy with their intensities, their times, and who pays."""
    done = []
    for name, phases in strategy.levers.items():
        lever = scenario.levers[name]
        for phase in phases:
            period, payer = "", _(PAYER_TITLES[phase.paid_by or lever.payer])
            if (phase.from_, phase.until) != (0, scenario.horizon):
                text = _(" (quarters {first} to {last})")
                period = fill(text, first=phase.from_, last=phase.until - 1)
            if phase.phase_out:
                period += fill(_(", phased out over {number} quarters"), number=phase.phase_out)
            text, intensity = _("{lever} {intensity}{period}, paid by {payer}"), phase.intensity
            filled = {"intensity": significant(intensity), "period": period, "payer": payer}
            done.append(fill(text, lever=_(lever.title), **filled))
    text = _("a mandate in {number} service areas")
    done += [fill(text, number=len(mandate.areas)) for mandate in strategy.mandates]
    if strategy.budget is not None:
        text, amount = _("at most {amount} a year"), money(strategy.budget, scenario.currency)
        done.append(fill(text, amount=amount))
    return done


def measure_glossary(measures: Iterable[str]) -> Table:
    """What measures mean."""
    sense = {
        1: _("higher is better"), -1: _("lower is better"), 0: _("neither direction is better")
    }  # fmt: skip
    rows = [
        (measure_title(name), capitalise(_(entry.meaning)), sense[entry.better])
        for name, entry in ((name, MEASURES[name]) for name in measures)
    ]
    head = [_("Measure"), _("Description"), _("Direction")]
    return Table(_("Measures"), head, rows, prose=True)


def parameter_tables(scenario: Scenario) -> list[Table]:
    """The assumed parameters with their values and ranges, group by group."""
    groups: dict[str, list[Sequence[str | Cell]]] = {}
    own = scenario.declared.parameters if scenario.is_extended else {}
    grouped = {name: replace(entry, group="extensions") for name, entry in own.items()}
    for name, entry in (PARAMETERS | grouped).items():
        if entry.source == "assumed":
            row = parameter_row(name, entry, scenario.parameters)
            groups.setdefault(entry.group, []).append(row)
    head = [_("Parameter"), _("Value"), _("Range"), _("Unit")]
    return [Table(capitalise(_(GROUPS[group])), head, rows) for group, rows in groups.items()]


def parameter_row(
    name: str, entry: Parameter, settings: Mapping[str, float]
) -> Sequence[str | Cell]:
    """An assumed number; where the scenario sets it, its default too."""
    value, remark = settings.get(name, entry.default), ""
    if value != entry.default:
        remark = fill(_("default {value}"), value=significant(entry.default))
    ends = format_interval(*(significant(end or 0.0) for end in (entry.low, entry.high)))
    unit = "" if entry.unit == "1" else _(entry.unit)
    return capitalise(_(entry.meaning)), Cell(significant(value), remark=remark), ends, unit


def area_table(scenario: Scenario) -> Table:
    """The service areas: efficient scale, cost, and where that comes from."""
    rows = [
        (
            area_title(name),
            count(area.efficient_scale),
            money(area.cost_per_resident, scenario.currency),
            percent(area.spillover),
            _(area.source),
        )
        for name, area in scenario.areas.items()
    ]
    head = [
        _("Service area"), _("People served at the lowest unit cost"),
        _("Annual cost per resident at that scale"), _("Spillover"), _("Source"),
    ]  # fmt: skip
    return Table(_("Service areas"), head, rows, prose=True)


def mapping_table(scenario: Scenario) -> Table | None:
    """How columns of the region table became attributes, each with its reason."""
    columns = scenario.columns
    if columns is None:
        return None
    titles = {
        "capacity": _("Administrative capacity"), "stress": _("Fiscal stress"),
        "culture": _("Organisational culture"), "interests": _("Interests"),
        "capacity_by_area": _("Administrative capacity"),
    }  # fmt: skip
    rows = []
    for attribute, title in titles.items():
        for area, proxy in proxies_of(getattr(columns, attribute)):
            name = f"{title}: {area_title(area)}" if area else title
            why = in_language(proxy.reason, language())
            rows.append((name, proxy.column, ends_of(proxy), why))
    head = [_("Attribute"), _("Column"), _("Mapping"), _("Reason")]
    caption = _("Columns of the table and the attributes they stand for")
    return Table(caption, head, rows, prose=True) if rows else None


def proxies_of(
    written: ProxyColumn | Sequence[ProxyColumn] | Mapping[str, ProxyColumn] | None,
) -> list[tuple[str, ProxyColumn]]:
    """Return the columns for an attribute, each with its area, if any."""
    if isinstance(written, Mapping):
        return [*written.items()]
    columns = [written] if isinstance(written, ProxyColumn) else written or ()
    return [("", column) for column in columns]


def ends_of(proxy: ProxyColumn) -> str:
    """Describe how the values of a column become those of an attribute."""
    if not isinstance(proxy, ScaledColumn):
        return _("standardised")
    first, last, low, high = map(significant, (*proxy.from_, *proxy.to))
    text = _("{first} becomes {low}, {last} becomes {high}, linear in between")
    return fill(text, first=first, last=last, low=low, high=high)


def body_table(scenario: Scenario) -> Table | None:
    """The joint bodies that exist at the start."""
    if not scenario.bodies:
        return None
    names = dict(zip(scenario.regions.codes, scenario.regions.labels, strict=True))
    rows = [
        (
            area_title(body.area),
            ", ".join(names[code] for code in body.members),
            _(FORM_TITLES[body.form]),
            str(scenario.start_year + body.began // QUARTERS),
            body.source or UNDEFINED,
        )
        for body in scenario.bodies
    ]
    head = [_("Service area"), _("Members"), _("Form"), _("Since"), _("Source")]
    return Table(_("Joint bodies at the start"), head, rows, prose=True)


def caveats(scenario: Scenario) -> list[str]:
    """What the results are not, and the assumptions that carry them."""
    error = scenario.parameters.get("misperception", PARAMETERS["misperception"].default)
    levels = _("Compare strategies with each other; do not read the levels.")
    if scenario.currency == "IDR":
        levels = _(
            "Compare strategies with each other; do not read the levels. Simulated cooperation "
            "in Indonesia is about ten times as frequent as documented cooperation, and the "
            "documentation is incomplete."
        )
    found = [
        _(
            "This is a thought experiment, not a prediction. It shows what follows from stated "
            "assumptions in a simulated world, not what will happen."
        ),
        levels,
        _(
            "Errors of judgement matter. In trials with small synthetic municipalities, misjudged "
            "gains caused about two thirds of all cooperation. The standard deviation of these "
            "errors, {error} of stand-alone cost, is an assumption. This is why the report shows "
            "perceived and realised net benefit side by side."
        ),
        _(
            "Intensities and prices of mechanisms and support, cost per resident and efficient "
            "scale of services are assumed unless a source is given."
        ),
        _(
            "No data describe these attributes of regions, so every run draws them at random: "
            "{names}."
        ),
    ]
    names = ", ".join(drawn_attributes(scenario))
    return [fill(text, error=float(error), names=names) for text in found]


def drawn_attributes(scenario: Scenario) -> list[str]:
    """The attributes of regions that are drawn, wholly or in part."""
    regions = scenario.regions
    columns = {
        _("administrative capacity"): regions.capacity,
        _("fiscal stress"): regions.stress,
        _("organisational culture"): regions.culture,
        _("interests"): regions.interests,
    }
    drawn = [title for title, values in columns.items() if np.isnan(values).any()]
    return [*drawn, _("preference for autonomy"), _("goodwill"), _("initial trust")]
