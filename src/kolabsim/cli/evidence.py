"""``kolabsim evidence``: judge the model by published facts and by observed joint bodies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kolabsim.cli.program import Language, command_line, program
from kolabsim.cli.terminal import announce_compilation, count_runs, print_report_path, terminal
from kolabsim.errors import require
from kolabsim.i18n import N_, _


@program.command(help=N_("Judge the model by published facts: which it reproduces, and which not."))
def evidence(
    out: Annotated[Path, typer.Option("--out", help=N_("Folder of the results."))] = Path(
        "results/evidence"
    ),
    quick: Annotated[
        bool, typer.Option("--quick", help=N_("A quick look, with few runs and wide intervals."))
    ] = False,
    runs: Annotated[int | None, typer.Option(min=2, help=N_("Runs of each setting."))] = None,
    seed: Annotated[int, typer.Option(min=0, help=N_("Seed of all draws."))] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help=N_("Threads that simulate [default: all cores]."))
    ] = None,
    futures: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100,
            help=N_("Plausible futures to look at the facts in too [default: 20; quick: none]."),
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help=N_("Folder of samples of real regions, to judge it by too."))
    ] = None,
    language: Language = None,
) -> None:
    """Judge the model by published facts: which it reproduces, and which not."""
    from kolabsim.model.jit import digest
    from kolabsim.report import validation
    from kolabsim.report.output import check_writable
    from kolabsim.report.provenance import provenance
    from kolabsim.report.validation_samples import (
        RUNS,
        read_samples,
        sample_sections,
        without_samples,
    )
    from kolabsim.scenario.futures import plausible_sets
    from kolabsim.validation.scorecard import FEW, FUTURES, QUICK, runs_needed, score

    if data is not None:
        require("sklearn", extra="learning", what="--data")
    samples = None if data is None else read_samples(data)
    runs = runs or (QUICK if quick else runs_needed())
    check_writable(out)
    elsewhere = plausible_sets()[: (0 if quick else FUTURES) if futures is None else futures]
    announce_compilation()
    with count_runs(runs + FEW * len(elsewhere)) as tell:
        findings = score(runs=runs, seed=seed, elsewhere=elsewhere, threads=workers, progress=tell)
    more = [without_samples()]
    if samples is not None:
        sampled = RUNS // 10 if quick else RUNS
        with count_runs(sampled + sampled // 4) as tell:
            more = sample_sections(samples, out, runs=sampled, threads=workers, progress=tell)
    lines = [
        _("{number} runs of each setting").format(number=runs),
        _("{number} plausible futures").format(number=len(elsewhere)),
        _("seed {seed}").format(seed=seed),
        _("model {hash}").format(hash=digest()),
    ]
    validation.write_file(findings, out / "validation.csv")
    page = validation.write_scorecard(
        findings, out / "evidence.html", lines=lines, more=more,
        facts=provenance(command_line(), seed) | {"runs": runs},
    )  # fmt: skip
    console = terminal(sys.stdout)
    console.print(validation.terminal_table(findings))
    console.print(validation.tally(findings))
    print_report_path(page)
