"""``kolabsim verify``: check a results folder, and repeat a sample of its runs."""

from __future__ import annotations

from pathlib import Path

import typer

from kolabsim.cli.program import FAILED, FOLDER, LANGUAGE, number, program
from kolabsim.cli.terminal import announce_compilation
from kolabsim.i18n import N_, _


@program.command(help=N_("Repeat a sample of a study's runs and compare every bit."))
def verify(
    folder: Path = FOLDER,
    sample: int = number(20, N_("Runs to repeat."), min=1),
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.study import verify as study

    announce_compilation()
    verdict = study.verify(folder, sample=sample)
    states = {"missing": _("{file}: missing"), "damaged": _("{file}: damaged")}
    for name, state in verdict.faults.items():
        typer.echo(states[state].format(file=name))
    text = _("{good} of {number} files are as kolabsim wrote them.")
    typer.echo(text.format(good=verdict.files - len(verdict.faults), number=verdict.files))
    text = _("{present} of {wanted} runs present, {checked} recomputed.")
    typer.echo(text.format(**vars(verdict)))
    for name in verdict.strangers:
        typer.echo(_("the stored inputs of {point} are not those of its runs").format(point=name))
    for strategy, future, run_number, column in verdict.differing:
        text = _("{strategy}, {future}, run {run}: {measure} differs")
        typer.echo(text.format(strategy=strategy, future=future, run=run_number, measure=column))
    if verdict.differing or verdict.strangers:
        text = _(
            "The repeated runs differ: the results were changed, or the mathematics of another "
            "machine differ in the last digit."
        )
        typer.echo(text)
    if not verdict.is_good:
        typer.echo(_("This folder is not what kolabsim wrote."), err=True)
        raise typer.Exit(FAILED)
    typer.echo(_("All are identical to the last bit."))
