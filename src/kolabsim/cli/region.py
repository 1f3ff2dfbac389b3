"""``kolabsim region``: make the page of one region."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from kolabsim.cli.help import NUMBER
from kolabsim.cli.program import Language, Seed, Workers, command_line, program
from kolabsim.cli.terminal import announce_compilation, count_runs, print_report_path, terminal
from kolabsim.i18n import N_


@program.command(help=N_("Make a page for one region: best partners, gains, cost and next steps."))
def region(
    code: Annotated[str, typer.Argument(metavar=N_("CODE"), help=N_("Code of the region."))],
    scenario: Annotated[
        str, typer.Option(metavar=N_("SCENARIO"), help=N_("Name or file of a scenario."))
    ],
    strategy: Annotated[
        str,
        typer.Option(
            metavar=N_("STRATEGY"), help=N_("Strategy to compare with voluntary cooperation.")
        ),
    ] = "team",
    runs: Annotated[
        int, typer.Option(min=2, metavar=NUMBER, help=N_("Runs of each strategy."))
    ] = 200,
    seed: Seed = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar=N_("FILE"),
            show_default="results/region-CODE.html",
            help=N_("File of the page."),
        ),
    ] = None,
    workers: Workers = None,
    language: Language = None,
) -> None:
    """Make a page for one region: best partners, gains, cost and next steps."""
    from kolabsim.analysis.region import region_outlook
    from kolabsim.report.provenance import provenance
    from kolabsim.report.region import answer_section, write_region
    from kolabsim.scenario.scenario import Scenario

    world = Scenario.load(scenario)
    announce_compilation()
    with count_runs(2 * runs) as progress:
        found = region_outlook(
            world, code, strategy, runs=runs, seed=seed, threads=workers, progress=progress
        )
    facts = provenance(command_line(), seed, world) | {"runs": runs}
    file = re.sub(r"[^\w.-]", "_", f"region-{code}.html")
    path = out or Path("results") / file
    write_region(found, path, facts=facts, workbook=True)
    console = terminal(sys.stdout)
    for paragraph in answer_section(found).summary:
        console.print(paragraph, soft_wrap=True)
    print_report_path(path)
