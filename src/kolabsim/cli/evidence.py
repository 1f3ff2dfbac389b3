"""``kolabsim evidence``: judge the model by published facts, or by observed joint bodies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kolabsim.cli.program import (
    Language,
    Seed,
    Settings,
    Workers,
    command_line,
    parse_settings,
    program,
)
from kolabsim.cli.terminal import announce_compilation, count_runs, print_report_path, terminal
from kolabsim.errors import InputError, Problem
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from kolabsim.validation.network import Network

Bodies = Annotated[
    Path | None, typer.Option(help=N_("Table of observed joint bodies, to compare with the model."))
]
OfBodies = Annotated[
    str | None, typer.Option(help=N_("Scenario with the regions of these joint bodies."))
]
HeldOut = Annotated[
    list[str],
    typer.Option(metavar="TIER", help=N_("Tier that is only scored, not fitted; may be repeated.")),
]
Within = Annotated[
    float, typer.Option(min=1.0, help=N_("Kilometres within which pairs of regions are compared."))
]
Year = Annotated[
    float | None, typer.Option(help=N_("Year of the comparison [default: bodies without an end]."))
]


@program.command(
    help=N_("Judge the model by published facts, or by observed joint bodies of any regions.")
)
def evidence(
    scenario: OfBodies = None,
    bodies: Bodies = None,
    held_out: HeldOut = [],  # noqa: B006 (typer reads it, nobody changes it)
    incomplete: Annotated[
        list[str],
        typer.Option(
            metavar="TIER", help=N_("Tier with incompletely reported bodies; may be repeated.")
        ),
    ] = [],  # noqa: B006
    within: Within = 50.0,
    year: Year = None,
    strategy: Annotated[
        str, typer.Option(help=N_("Strategy under which the model forms joint bodies."))
    ] = "voluntary",
    by: Annotated[
        str,
        typer.Option(
            metavar="COLUMN", help=N_("Column of regions that groups gains [default: their tier].")
        ),
    ] = "",
    settings: Settings = [],  # noqa: B006
    out: Annotated[
        Path | None,
        typer.Option("--out", help=N_("Folder of the results [default: results/evidence].")),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help=N_("A quick look, with few runs and wide intervals."))
    ] = False,
    runs: Annotated[
        int | None, typer.Option(min=2, help=N_("Runs of the scenario, or of each setting."))
    ] = None,
    seed: Seed = 1,
    workers: Workers = None,
    futures: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100,
            help=N_("Plausible futures in which facts are judged [default: 20; quick: none]."),
        ),
    ] = None,
    language: Language = None,
) -> None:
    """Judge the model by published facts, or by observed joint bodies of any regions."""
    from kolabsim.report.output import check_writable
    from kolabsim.validation.network import load_network

    inputs = both_or_neither(scenario, bodies)
    folder = out or Path("results") / ("evidence" if inputs is None else "evidence-bodies")
    if inputs is None:
        check_writable(folder)
        judge_by_facts(folder, quick=quick, runs=runs, seed=seed, workers=workers, futures=futures)
        return
    network = load_network(
        *inputs, held_out=held_out, incomplete=incomplete, within=within, year=year,
        strategy=strategy, by=by, settings=parse_settings(settings),
    )  # fmt: skip
    check_writable(folder)
    judge_by_bodies(network, folder, quick=quick, runs=runs, seed=seed, workers=workers)


def both_or_neither(scenario: str | None, bodies: Path | None) -> tuple[str, Path] | None:
    """A scenario and a table of its joint bodies; None if neither is given.

    Raises :class:`~kolabsim.errors.InputError` if only one of them is.
    """
    if scenario is not None and bodies is not None:
        return scenario, bodies
    if scenario is not None or bodies is not None:
        text = _("--scenario and --bodies need each other: a scenario, and a table of its bodies")
        raise InputError([Problem(text)])
    return None


def judge_by_bodies(
    network: Network,
    folder: Path,
    *,
    quick: bool,
    runs: int | None,
    seed: int,
    workers: int | None,
) -> None:
    """Compare the model with observed joint bodies, and write the page and its tables."""
    from kolabsim.report.provenance import provenance
    from kolabsim.report.validation import partner_headline, structure_headline, write_validation
    from kolabsim.validation.network import QUICK, RUNS, compare_network

    runs = runs or (QUICK if quick else RUNS)
    announce_compilation()
    with count_runs(runs) as show:
        fit = compare_network(network, runs=runs, seed=seed, threads=workers, progress=show)
    facts = provenance(command_line(), seed, network.scenario) | {"runs": runs}
    page = write_validation(
        fit,
        folder,
        lines=[
            _("{number} runs").format(number=runs),
            _("seed {seed}").format(seed=seed),
            _("model {hash}").format(hash=facts["model"]),
        ],
        facts=facts,
    )
    console = terminal(sys.stdout)
    for headline in (partner_headline(fit), structure_headline(fit)):
        console.print(headline.text, soft_wrap=True)
    print_report_path(page)


def judge_by_facts(
    folder: Path,
    *,
    quick: bool,
    runs: int | None,
    seed: int,
    workers: int | None,
    futures: int | None,
) -> None:
    """Judge the model by published facts, and write the scorecard."""
    from kolabsim.report import scorecard
    from kolabsim.report.provenance import provenance
    from kolabsim.scenario.futures import plausible_sets
    from kolabsim.validation.scorecard import FEW, FUTURES, QUICK, runs_needed, score

    runs = runs or (QUICK if quick else runs_needed())
    elsewhere = plausible_sets()[: (0 if quick else FUTURES) if futures is None else futures]
    announce_compilation()
    with count_runs(runs + FEW * len(elsewhere)) as show:
        findings = score(runs=runs, seed=seed, elsewhere=elsewhere, threads=workers, progress=show)
    facts = provenance(command_line(), seed) | {"runs": runs}
    lines = [
        _("{number} runs of each setting").format(number=runs),
        _("{number} plausible futures").format(number=len(elsewhere)),
        _("seed {seed}").format(seed=seed),
        _("model {hash}").format(hash=facts["model"]),
    ]
    scorecard.write_findings(findings, folder / "scorecard.csv")
    page = scorecard.write_scorecard(findings, folder / "evidence.html", lines=lines, facts=facts)
    console = terminal(sys.stdout)
    console.print(scorecard.terminal_table(findings))
    console.print(scorecard.tally(findings))
    print_report_path(page)
