"""``kolabsim new``: make a scenario and an experiment from a table of regions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kolabsim.cli.program import Language, program
from kolabsim.i18n import N_, _


@program.command(help=N_("Make a scenario and an experiment from a table of your own regions."))
def new(
    folder: Annotated[Path, typer.Argument(help=N_("Folder to make, or an empty one."))],
    regions: Annotated[
        Path, typer.Option("--regions", help=N_("CSV file with a row for each region."))
    ],
    language: Language = None,
) -> None:
    """Make a scenario and an experiment from a table of your own regions."""
    from kolabsim.study.scaffold import start

    for path in start(folder, regions):
        typer.echo(path.as_posix())
    text = _("Read {file}, and then: kolabsim run {folder}")
    file = (folder / "scenario.yaml").as_posix()
    typer.echo(text.format(file=file, folder=folder.as_posix()))
