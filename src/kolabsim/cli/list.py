"""``kolabsim list``: list scenarios, experiments, strategies, levers, factors or measures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from kolabsim.cli.program import Language, choose, program
from kolabsim.cli.terminal import plain_table, terminal
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from rich.table import Table


@program.command(
    "list", help=N_("List scenarios, experiments, strategies, levers, factors or measures.")
)
def list_(
    what: Annotated[
        str,
        typer.Argument(help=N_("scenarios, experiments, strategies, levers, factors or measures.")),
    ],
    scenario: Annotated[
        str,
        typer.Option(
            help=N_("Scenario whose strategies, levers, factors and measures are listed.")
        ),
    ] = "kartamantul",
    language: Language = None,
) -> None:
    """List scenarios, experiments, strategies, levers, factors or measures."""
    tables: dict[str, Callable[[], Table]] = {
        "scenarios": scenario_table,
        "experiments": experiment_table,
        "strategies": lambda: strategy_table(scenario),
        "levers": lambda: lever_table(scenario),
        "factors": lambda: factor_table(scenario),
        "measures": lambda: measure_table(scenario),
    }
    terminal(sys.stdout).print(choose(what, tables)())


def scenario_table() -> Table:
    """Scenarios that ship with kolabsim."""
    from kolabsim.i18n import language
    from kolabsim.scenario.scenario import Scenario, shipped_names

    table = plain_table(_("scenario"), _("regions"), _("areas"), _("title"))
    for name in shipped_names("scenarios"):
        found = Scenario.load(name)
        table.add_row(name, str(len(found.regions)), str(len(found.areas)), found.title(language()))
    return table


def experiment_table() -> Table:
    """Experiments that ship with kolabsim."""
    from kolabsim.i18n import language
    from kolabsim.scenario.scenario import shipped_names
    from kolabsim.study.experiment import Experiment

    table = plain_table(_("experiment"), _("kind"), _("scenario"), _("question"))
    for name in shipped_names("experiments"):
        found = Experiment.load(name)
        table.add_row(name, _(found.kind), found.scenario.name, found.question(language()))
    return table


def strategy_table(scenario: str) -> Table:
    """Strategies of a scenario."""
    from kolabsim.i18n import language
    from kolabsim.scenario.scenario import Scenario

    table = plain_table(_("strategy"), _("title"), _("what is done"))
    for name, found in Scenario.load(scenario).strategies.items():
        table.add_row(name, found.title(language()), found.description(language()))
    return table


def lever_table(scenario: str) -> Table:
    """Mechanisms and supporters, also of the extensions of a scenario, and what they act on."""
    from kolabsim.model.declare import ACTING
    from kolabsim.model.levers import BASE_TITLES, PAYER_TITLES, SUPPORTERS
    from kolabsim.model.parameters import PARAMETERS
    from kolabsim.scenario.scenario import Scenario

    head = (_("lever"), _("kind"), _("what it is"), _("acts on"), _("price"), _("paid by"))
    table, found = plain_table(*head), Scenario.load(scenario)
    known = PARAMETERS | found.declared.parameters
    for name, lever in found.levers.items():
        kind = _("support") if name in SUPPORTERS else _("mechanism")
        what = f"{_(lever.title)}: {_(lever.meaning)}"
        price = _("{share} of {base}").format(
            share=f"{known[lever.price].default:g}", base=_(BASE_TITLES[lever.base])
        )
        acts_on = ", ".join(ACTING[name].effects)
        table.add_row(name, kind, what, acts_on, price, _(PAYER_TITLES[lever.payer]))
    return table


def factor_table(scenario: str) -> Table:
    """What can be varied: parameters, attributes of areas, levers, structures, institutions."""
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.factors import factors_of

    head = (_("factor"), _("group"), _("usual"), _("range"), _("unit"), _("meaning"), _("source"))
    table = plain_table(*head)
    for factor in factors_of(Scenario.load(scenario)).values():
        if factor.is_choice:
            usual, span, unit = str(factor.usual), " | ".join(map(str, factor.words)), ""
        else:
            usual, span = f"{factor.usual:g}", f"{factor.low:g} .. {factor.high:g}"
            unit = factor.unit
        source = _("assumed") if factor.source == "assumed" else factor.source
        table.add_row(
            factor.name, factor.group, usual, span, unit, _(factor.meaning), source
        )  # fmt: skip
    return table


def measure_table(scenario: str) -> Table:
    """Measures: what comes out, also of the extensions of a scenario."""
    from kolabsim.model.measures import MEASURES, REGION_MEASURES
    from kolabsim.scenario.scenario import Scenario

    whole = {name: MEASURES[name] for name in Scenario.load(scenario).measures}

    table = plain_table(_("measure"), _("unit"), _("by region"), _("meaning"))
    for name, entry in (whole | REGION_MEASURES).items():
        by_region = _("yes") if name in REGION_MEASURES else ""
        table.add_row(name, _(entry.unit), by_region, _(entry.meaning))
    return table
