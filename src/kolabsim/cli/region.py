"""``kolabsim region``: make the page of one region."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from kolabsim.cli.program import (
    FAILED,
    LANGUAGE,
    SEED,
    WORKERS,
    command_line,
    number,
    number_of_futures,
    program,
)
from kolabsim.cli.terminal import announce_compilation, count_runs, print_report_path, terminal
from kolabsim.i18n import N_


@program.command(help=N_("Make a page for one region: best partners, gains, cost and next steps."))
def region(
    code: str = typer.Argument(metavar=N_("CODE"), help=N_("Code of the region.")),
    scenario: str = typer.Option(metavar=N_("SCENARIO"), help=N_("Name or file of a scenario.")),
    strategy: str = typer.Option(
        "team", metavar=N_("STRATEGY"), help=N_("Strategy to compare with voluntary cooperation.")
    ),
    plausible: str = typer.Option(
        "all",
        metavar=N_("NUMBER"),
        help=N_("Plausible futures, or all; 0 does not vary assumptions."),
    ),
    runs: int | None = number(
        None, N_("Runs of each strategy in each future."), min=2, show_default=N_("500 in all")
    ),
    seed: int = SEED,
    out: Path | None = typer.Option(
        None,
        metavar=N_("FILE"),
        show_default="results/region-CODE.html",
        help=N_("File of the page."),
    ),
    workers: int | None = WORKERS,
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.analysis.region import region_outlook
    from kolabsim.report.html import errors_file
    from kolabsim.report.provenance import provenance
    from kolabsim.report.region import answer_section, page_names, write_region
    from kolabsim.scenario.futures import plausible_futures
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.spec import default_runs

    world = Scenario.load(scenario)
    futures = plausible_futures(number_of_futures(plausible), world)
    runs = runs or default_runs(len(futures))
    announce_compilation()
    with count_runs(2 * runs * max(len(futures), 1)) as progress:
        found = region_outlook(
            world, code, strategy, futures=futures, runs=runs, seed=seed, threads=workers,
            progress=progress,
        )  # fmt: skip
    facts = provenance(command_line(), seed, world) | {"runs": runs * len(found.futures)}
    path = out or Path("results") / page_names(world)[found.code]
    write_region(found, path, facts=facts, workbook=True)
    for paragraph in answer_section(found).summary:
        terminal(sys.stdout).print(paragraph, soft_wrap=True)
    print_report_path(path)
    if errors_file(path).exists():
        raise typer.Exit(FAILED)
