"""``kolabsim region``: make the page of one region."""

from __future__ import annotations

import sys
from collections.abc import Iterable
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
from kolabsim.errors import InputError
from kolabsim.i18n import N_, _


@program.command(help=N_("Make a page for one region: best partners, gains, cost and next steps."))
def region(
    code: str = typer.Argument(metavar=N_("CODE"), help=N_("Code of the region.")),
    scenario: str = typer.Option(metavar=N_("SCENARIO"), help=N_("Name or file of a scenario.")),
    partners: str | None = typer.Option(
        None,
        "--with",
        metavar=N_("CODES"),
        help=N_("Codes of partners, with commas: judge one joint body of these regions."),
    ),
    area: str | None = typer.Option(
        None, metavar=N_("AREA"), help=N_("Service area of this joint body.")
    ),
    form: str | None = typer.Option(
        None,
        metavar=N_("FORM"),
        show_default=N_("as founders choose"),
        help=N_("Legal form of this joint body: contract, board or lead."),
    ),
    leaves_after: int | None = number(
        None, N_("Years after which each of its members leaves in turn."), min=1, show_default="3"
    ),
    strategy: str | None = typer.Option(
        None,
        metavar=N_("STRATEGY"),
        show_default=N_("team; voluntary with --with"),
        help=N_("Strategy to compare with voluntary cooperation, or in force with --with."),
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
        show_default="results/region-CODE.html, results/group-CODES-AREA.html",
        help=N_("File of the page."),
    ),
    workers: int | None = WORKERS,
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.analysis.group import LEAVES_AFTER, check_group, group_outlook
    from kolabsim.analysis.region import region_outlook
    from kolabsim.report import group as of_group
    from kolabsim.report.provenance import provenance
    from kolabsim.report.region import answer_section, page_names, write_region
    from kolabsim.scenario.futures import plausible_futures
    from kolabsim.scenario.scenario import BASELINE, Scenario
    from kolabsim.study.spec import default_runs

    if partners is None and (area or form or leaves_after):
        text = _("--area, --form and --leaves-after are of a joint body: name partners by --with")
        raise InputError.of(text)
    if partners is not None and area is None:
        raise InputError.of(_("name the service area of the joint body by --area"))
    world = Scenario.load(scenario)
    futures = plausible_futures(number_of_futures(plausible, world), world)
    runs = runs or default_runs(len(futures))
    if partners is not None and area is not None:
        codes = [one.strip() for one in partners.split(",") if one.strip()]
        leaves_after = leaves_after or LEAVES_AFTER
        check_group(world, code, codes, area, form, leaves_after)
        announce_compilation()
        with count_runs((len(codes) + 3) * runs * max(len(futures), 1)) as progress:
            group = group_outlook(
                world, code, codes, area, futures=futures, strategy=strategy or BASELINE,
                form=form, leaves_after=leaves_after, runs=runs, seed=seed, threads=workers,
                progress=progress,
            )  # fmt: skip
        facts = provenance(command_line(), seed, world) | {"runs": runs * len(group.futures)}
        path = out or Path("results") / of_group.group_file(group)
        of_group.write_group(group, path, facts=facts, workbook=True)
        show(of_group.answer_section(group).summary, path)
        return
    strategy = strategy or "team"
    announce_compilation()
    with count_runs(2 * runs * max(len(futures), 1)) as progress:
        found = region_outlook(
            world, code, strategy, futures=futures, runs=runs, seed=seed, threads=workers,
            progress=progress,
        )  # fmt: skip
    facts = provenance(command_line(), seed, world) | {"runs": runs * len(found.futures)}
    path = out or Path("results") / page_names(world)[found.code]
    write_region(found, path, facts=facts, workbook=True)
    show(answer_section(found).summary, path)


def show(summary: Iterable[str], path: Path) -> None:
    """Print the answer of a page and where it is."""
    from kolabsim.report.html import errors_file

    for paragraph in summary:
        terminal(sys.stdout).print(paragraph, soft_wrap=True)
    print_report_path(path)
    if errors_file(path).exists():
        raise typer.Exit(FAILED)
