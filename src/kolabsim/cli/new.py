"""``kolabsim new``: make a scenario and an experiment from a table of regions."""

from __future__ import annotations

from pathlib import Path

import typer

from kolabsim.cli.program import LANGUAGE, program
from kolabsim.i18n import N_, _


@program.command(help=N_("Make a scenario and an experiment from a table of your own regions."))
def new(
    folder: Path = typer.Argument(metavar=N_("FOLDER"), help=N_("New or empty folder.")),
    regions: Path = typer.Option(metavar=N_("FILE"), help=N_("CSV file with one row per region.")),
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.study.scaffold import start

    for path in start(folder, regions):
        typer.echo(path.as_posix())
    text = _("Read {file}, then run: kolabsim run {folder}")
    file = (folder / "scenario.yaml").as_posix()
    typer.echo(text.format(file=file, folder=folder.as_posix()))
