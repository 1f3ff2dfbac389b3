"""``kolabsim list``: list scenarios, experiments, strategies, levers, laws, factors, measures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from kolabsim.cli.program import LANGUAGE, choose, program
from kolabsim.cli.terminal import plain_table, terminal
from kolabsim.i18n import N_, _, language

if TYPE_CHECKING:
    from rich.table import Table

    from kolabsim.scenario.scenario import Scenario


@program.command(
    "list",
    help=N_("List scenarios, experiments, laws, terms, strategies, levers, factors or measures."),
)
def list_(
    what: str = typer.Argument(
        metavar=N_("WHAT"),
        help=N_("scenarios, experiments, laws, terms, strategies, levers, factors or measures."),
    ),
    scenario: str = typer.Option(
        "kartamantul",
        metavar=N_("SCENARIO"),
        help=N_("Scenario whose strategies, levers, factors and measures are listed."),
    ),
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.scenario.scenario import Scenario

    of_kolabsim = {
        "scenarios": scenario_table, "experiments": experiment_table, "laws": law_table,
        "terms": term_table,
    }  # fmt: skip
    of_scenario: dict[str, Callable[[Scenario], Table]] = {
        "strategies": strategy_table,
        "levers": lever_table,
        "factors": factor_table,
        "measures": measure_table,
    }
    choose(what, dict.fromkeys((*of_kolabsim, *of_scenario)))
    if what in of_kolabsim:
        table = of_kolabsim[what]()
    else:
        table = of_scenario[what](Scenario.load(scenario))
    terminal(sys.stdout).print(table)


def scenario_table() -> Table:
    from kolabsim.scenario.scenario import Scenario, shipped_names

    table = plain_table(_("scenario"), _("regions"), _("areas"), _("title"))
    for name in shipped_names("scenarios"):
        found = Scenario.load(name)
        table.add_row(name, str(len(found.regions)), str(len(found.areas)), found.title(language()))
    return table


def experiment_table() -> Table:
    from kolabsim.scenario.scenario import shipped_names
    from kolabsim.study.experiment import Experiment

    table = plain_table(_("experiment"), _("kind"), _("scenario"), _("question"))
    for name in shipped_names("experiments"):
        found = Experiment.load(name)
        table.add_row(name, _(found.kind), found.scenario.name, found.question(language()))
    return table


def law_table() -> Table:
    """List what each law of the model claims, over which argument."""
    from kolabsim.figures.formatting import format_interval, significant
    from kolabsim.figures.labels import capitalise
    from kolabsim.model.curves import CURVES

    table = plain_table(_("law"), _("claim"), _("over"), _("range"), _("parameters"))
    for one in CURVES:
        span = format_interval(significant(one.low), significant(one.high))
        table.add_row(
            one.law, _(one.claim), capitalise(_(one.along)), span, ", ".join(one.parameters)
        )  # fmt: skip
    return table


def term_table() -> Table:
    """List the terms of the laws on which levers, user-defined ones too, can act."""
    from kolabsim.model.declare import ACTING, load_built_in
    from kolabsim.model.levers import TERMS

    load_built_in()
    table = plain_table(_("term"), _("unit"), _("meaning"), _("levers"))
    for name, term in TERMS.items():
        acting = [lever for lever, one in ACTING.items() if name in one.effects]
        table.add_row(name, unit_title(term.unit, ""), _(term.meaning), ", ".join(acting))
    return table


def strategy_table(scenario: Scenario) -> Table:
    table = plain_table(_("strategy"), _("title"), _("what is done"))
    for name, found in scenario.strategies.items():
        table.add_row(name, found.title(language()), found.description(language()))
    return table


def lever_table(scenario: Scenario) -> Table:
    """List the levers of a scenario, user-defined ones too, in the order of the five steps."""
    from kolabsim.figures.formatting import format_price, percent
    from kolabsim.model.declare import ACTING
    from kolabsim.model.levers import BASE_TITLES, PAYER_TITLES, STEPS, usual_price
    from kolabsim.model.parameters import PARAMETERS

    table = plain_table(
        _("lever"), _("step"), _("meaning"), _("acts on"), _("strength"), _("price"),
        _("paid by"),
    )  # fmt: skip
    known = PARAMETERS | scenario.declared.parameters
    for name, lever in scenario.levers.items():
        strength = next((
            percent(scenario.parameters.get(key, entry.default))
            for key, entry in ACTING[name].parameters.items() if key.endswith("_strength")
        ), "")  # fmt: skip
        share = scenario.parameters.get(lever.price, known[lever.price].default)
        share = usual_price(lever, float(share))
        price = _("{share} of {base}").format(
            share=format_price(share), base=_(BASE_TITLES[lever.base])
        )
        table.add_row(
            name, _(STEPS[lever.step]), f"{_(lever.title)}: {_(lever.meaning)}",
            ", ".join(ACTING[name].effects), strength, price, _(PAYER_TITLES[lever.payer]),
        )  # fmt: skip
    return table


def factor_table(scenario: Scenario) -> Table:
    """List what an experiment can vary: parameters, areas, levers, structures, institutions."""
    from kolabsim.figures.formatting import format_interval, significant
    from kolabsim.figures.labels import factor_title
    from kolabsim.study.factors import GROUPS, list_factors

    table = plain_table(
        _("factor"), _("group"), _("default"), _("range"), _("unit"), _("meaning"), _("source")
    )
    for factor in list_factors(scenario).values():
        if factor.is_choice:
            usual, span = str(factor.usual), " | ".join(map(str, factor.words))
        else:
            usual = significant(float(factor.usual))
            span = format_interval(significant(factor.low), significant(factor.high))
        table.add_row(
            factor.name, _(GROUPS[factor.group]), usual, span,
            unit_title(factor.unit, scenario.currency), factor_title(factor), _(factor.source),
        )  # fmt: skip
    return table


def measure_table(scenario: Scenario) -> Table:
    from kolabsim.model.measures import MEASURES, REGION_MEASURES

    table = plain_table(_("measure"), _("unit"), _("by region"), _("meaning"))
    whole = {name: MEASURES[name] for name in scenario.measures}
    for name, entry in (whole | REGION_MEASURES).items():
        by_region = _("yes") if name in REGION_MEASURES else ""
        unit = unit_title(entry.unit, scenario.currency)
        table.add_row(name, unit, by_region, f"{_(entry.title)}: {_(entry.meaning)}")
    return table


def unit_title(unit: str, currency: str) -> str:
    """A unit in words; money in the currency of the scenario, if it has one."""
    if unit == "1":
        return ""
    return currency or _(unit) if unit == "currency" else _(unit)
