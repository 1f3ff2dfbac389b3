"""``kolabsim verify``: repeat a sample of a study's runs and compare every bit."""

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
    for name in verdict.strangers:
        typer.echo(_("the stored inputs of {point} are not those of its runs").format(point=name))
    for strategy, future, run_number, measure in verdict.differing:
        text = _("{strategy}, {future}, run {run}: {measure} differs")
        typer.echo(text.format(strategy=strategy, future=future, run=run_number, measure=measure))
    if not verdict.is_good:
        text = _(
            "The repeated runs differ: the results were changed, or the mathematics of another "
            "machine differ in the last digit."
        )
        typer.echo(text)
        raise typer.Exit(FAILED)
    text = _("{number} runs repeated: identical to the last bit.")
    typer.echo(text.format(number=verdict.checked))
