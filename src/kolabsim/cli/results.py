"""``kolabsim results``: export a study's results for other tools."""

from __future__ import annotations

from pathlib import Path

import typer

from kolabsim.cli.program import ALLOW, FOLDER, LANGUAGE, choose, program
from kolabsim.cli.terminal import guarded
from kolabsim.i18n import N_


@program.command(help=N_("Export a study's results for other tools."))
def results(
    folder: Path = FOLDER,
    to: str = typer.Option(
        "csv", metavar=N_("FORMAT"), help=N_("csv, parquet, netcdf, xlsx or geojson.")
    ),
    out: Path | None = typer.Option(
        None, metavar=N_("FOLDER"), show_default="FOLDER/export", help=N_("Folder to write to.")
    ),
    allow_extensions: bool = ALLOW,
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.report.geojson import export_geojson
    from kolabsim.study.export import FORMATS, export

    choose(to, dict.fromkeys((*FORMATS, "geojson")))
    out = out or folder / "export"
    with guarded(allow_extensions):
        written = export_geojson(folder, out) if to == "geojson" else export(folder, to=to, out=out)
    for path in written:
        typer.echo(path.as_posix())
