"""``kolabsim results``: export a study's results for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kolabsim.cli.program import Language, ResultsFolder, choose, program
from kolabsim.i18n import N_


@program.command(help=N_("Export a study's results for other tools."))
def results(
    folder: ResultsFolder,
    to: Annotated[
        str, typer.Option(metavar=N_("FORMAT"), help=N_("csv, parquet, netcdf or xlsx."))
    ] = "csv",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar=N_("FOLDER"), show_default="FOLDER/export", help=N_("Folder to write to.")
        ),
    ] = None,
    language: Language = None,
) -> None:
    """Export a study's results for other tools."""
    from kolabsim.study.export import FORMATS, export

    choose(to, dict.fromkeys(FORMATS))
    for path in export(folder, to=to, out=out or folder / "export"):
        typer.echo(path.as_posix())
