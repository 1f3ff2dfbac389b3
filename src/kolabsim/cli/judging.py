"""Commands about evidence: judge the model, and calibrate it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from kolabsim.errors import InputError, Problem, require
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    pass


@app.command(help=N_("Judge the model by published facts: which it reproduces, and which not."))
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
    from kolabsim.report.output import check_room, circumstances
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
    check_room(out)
    elsewhere = plausible_sets()[: (0 if quick else FUTURES) if futures is None else futures]
    announce_compilation()
    with counting_bar(runs + FEW * len(elsewhere)) as tell:
        findings = score(runs=runs, seed=seed, elsewhere=elsewhere, threads=workers, progress=tell)
    more = [without_samples()]
    if samples is not None:
        sampled = RUNS // 10 if quick else RUNS
        with counting_bar(sampled + sampled // 4) as tell:
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
        facts=circumstances(typed(), seed) | {"runs": runs},
    )  # fmt: skip
    console = terminal(sys.stdout)
    console.print(validation.terminal_table(findings))
    console.print(validation.tally(findings))
    tell_report(page)


@app.command(help=N_("Find the parameter sets that agree with the facts for calibration."))
def calibrate(
    out: Annotated[Path, typer.Option("--out", help=N_("Folder of the results."))] = Path(
        "results/calibration"
    ),
    sets: Annotated[int, typer.Option(min=10, help=N_("Parameter sets to find."))] = 100,
    most: Annotated[
        int, typer.Option(min=10, help=N_("Parameter sets to look at before giving up."))
    ] = 50_000,
    seed: Annotated[int, typer.Option(min=0, help=N_("Seed of all draws."))] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help=N_("Threads that simulate [default: all cores]."))
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option(
            help=N_("Instead, choose areas and parameters on the Dutch sample in this folder.")
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help=N_("Rounds of that choice."))] = 30,
    language: Language = None,
) -> None:
    """Find the parameter sets that agree with the facts for calibration."""
    from kolabsim.report.output import check_room

    check_room(out)
    if network is not None:
        choose_on(network, out, rounds=rounds, seed=seed, threads=workers)
        return
    from kolabsim.report.validation import (
        identification_table,
        structures_table,
        write_identified,
    )
    from kolabsim.scenario.futures import FILE, as_text
    from kolabsim.study.store import write_whole
    from kolabsim.validation.calibration import Narrowed
    from kolabsim.validation.calibration import calibrate as search

    def tell(one: Narrowed) -> None:
        text = _("{number} of {wanted} sets found, {drawn} looked at")
        line = text.format(number=len(one.points), wanted=sets, drawn=one.drawn)
        terminal().print(line, end="\r" if terminal().is_terminal else "\n")

    announce_compilation()
    found = search(sets=sets, most=most, seed=seed, threads=workers, progress=tell)
    if not found.futures:
        raise InputError([Problem(_("no parameter set agrees with all facts"))])
    write_whole(out / FILE, as_text(found.futures).encode())
    write_identified(found, out / "identified.csv")
    console = terminal(sys.stdout)
    console.print(identification_table(found.said))
    console.print(structures_table(found.agreeing))
    text = _("{number} of {all} sets agree with all facts for calibration; they are in {path}")
    path = (out / FILE).as_posix()
    text = text.format(number=len(found.futures), all=found.narrowed.drawn, path=path)
    console.print(text, soft_wrap=True)


def choose_on(data: Path, out: Path, *, rounds: int, seed: int, threads: int | None) -> None:
    """Choose what the Dutch sample leaves open, and write it as settings of a scenario."""
    import yaml

    from kolabsim.study.store import write_whole
    from kolabsim.validation.choosing import Loss, choose
    from kolabsim.validation.netherlands import read_netherlands

    require("sklearn", extra="learning", what="--network")
    sample = read_netherlands(data)

    def tell(number: int, best: Loss) -> None:
        text = _("round {number} of {rounds}: {loss}")
        text = text.format(number=number, rounds=rounds, loss=f"{best.all:.1f}")
        terminal().print(text, end="\r" if terminal().is_terminal else "\n")

    announce_compilation()
    found = choose(sample, rounds=rounds, seed=seed, threads=threads, progress=tell)
    path = out / "chosen.yaml"
    rounded = {name: float(f"{value:.3g}") for name, value in found.items()}
    write_whole(path, yaml.safe_dump(rounded, sort_keys=False).encode())
    typer.echo(path.as_posix())
