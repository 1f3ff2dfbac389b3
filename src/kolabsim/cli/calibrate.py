"""``kolabsim calibrate``: find the parameter sets that agree with what is known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kolabsim.cli.program import Language, program
from kolabsim.cli.terminal import announce_compilation, terminal
from kolabsim.errors import InputError, Problem, require
from kolabsim.i18n import N_, _


@program.command(help=N_("Find the parameter sets that agree with the facts for calibration."))
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
    from kolabsim.report.output import check_writable

    check_writable(out)
    if network is not None:
        choose_on(network, out, rounds=rounds, seed=seed, threads=workers)
        return
    from kolabsim.files import write_whole
    from kolabsim.report.validation import (
        identification_table,
        structures_table,
        write_identified,
    )
    from kolabsim.scenario.futures import FILE, as_text
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

    from kolabsim.files import write_whole
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
