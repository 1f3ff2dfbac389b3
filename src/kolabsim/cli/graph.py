"""``kolabsim graph``: write the joint bodies of one run as a network."""

from __future__ import annotations

from pathlib import Path

import typer

from kolabsim.cli.program import LANGUAGE, SEED, SETTINGS, number, parse_settings, program
from kolabsim.cli.terminal import announce_compilation
from kolabsim.errors import InputError
from kolabsim.i18n import N_, _


@program.command(help=N_("Write the network of joint bodies of one run, as GraphML or as a table."))
def graph(
    scenario: str = typer.Argument(metavar=N_("SCENARIO"), help=N_("Name or file of a scenario.")),
    strategy: str = typer.Argument(
        metavar=N_("STRATEGY"), help=N_("Name of one of its strategies.")
    ),
    out: Path = typer.Option(
        metavar=N_("FILE"), help=N_("File to write: .graphml, or .csv with one row per member.")
    ),
    run: int = number(0, N_("Number of the run."), min=0),
    seed: int = SEED,
    quarter: int | None = number(
        None, N_("Quarters to simulate."), min=0, show_default=N_("all of them")
    ),
    settings: list[str] = SETTINGS,
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.engine.mesa_model import CollaborationModel
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.export import ending, write_graph

    ending(out)
    world = Scenario.load(scenario).with_(parse_settings(settings))
    last = world.horizon if quarter is None else quarter
    if last > world.horizon:
        text = _("--quarter {quarter}: {scenario} ends after {horizon} quarters")
        text = text.format(quarter=last, scenario=world.name, horizon=world.horizon)
        raise InputError.of(text)
    announce_compilation()
    model = CollaborationModel(world, strategy, run=run, seed=seed)
    for _quarter in range(last):
        model.step()
    write_graph(model, out)
    text = _("{file}: joint bodies: {bodies}, after quarter {quarter} of {horizon}")
    about = {"bodies": len(model.agreements()), "quarter": last, "horizon": world.horizon}
    typer.echo(text.format(file=out.as_posix(), **about))
