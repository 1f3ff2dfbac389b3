"""Commands that make: files to begin with, and the page of a region."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from kolabsim.cli.shared import (
    Language,
    announce_compilation,
    app,
    counting_bar,
    tell_report,
    terminal,
    typed,
)
from kolabsim.i18n import N_, _


@app.command(help=N_("Make a scenario and an experiment from a table of your own regions."))
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


@app.command(help=N_("Make a page for one region: whom to approach, gains, cost and next steps."))
def region(
    code: Annotated[str, typer.Argument(help=N_("Code of the region."))],
    scenario: Annotated[str, typer.Option(help=N_("Name or file of a scenario."))],
    strategy: Annotated[
        str, typer.Option(help=N_("Strategy that is compared with doing nothing."))
    ] = "team",
    runs: Annotated[int, typer.Option(min=2, help=N_("Runs of each strategy."))] = 200,
    seed: Annotated[int, typer.Option(min=0, help=N_("Seed of all draws."))] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", help=N_("File of the page [default: results/region-CODE.html].")),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help=N_("Threads that simulate [default: all cores]."))
    ] = None,
    language: Language = None,
) -> None:
    """Make a page for one region: whom to approach, gains, cost and next steps."""
    from kolabsim.analysis.region import region_outlook
    from kolabsim.report.output import circumstances
    from kolabsim.report.region import answer_section, write_region
    from kolabsim.scenario.scenario import Scenario

    world = Scenario.load(scenario)
    announce_compilation()
    with counting_bar(2 * runs) as tell:
        found = region_outlook(
            world, code, strategy, runs=runs, seed=seed, threads=workers, progress=tell
        )
    facts = circumstances(typed(), seed, world) | {"runs": runs}
    file = re.sub(r"[^\w.-]", "_", f"region-{code}.html")
    path = out or Path("results") / file
    write_region(found, path, facts=facts, workbook=True)
    console = terminal(sys.stdout)
    for paragraph in answer_section(found).paragraphs:
        console.print(paragraph, soft_wrap=True)
    tell_report(path)
