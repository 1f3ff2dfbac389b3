"""``kolabsim verify``: repeat a sample of a study's runs and compare every bit."""

from __future__ import annotations

from typing import Annotated

import typer

from kolabsim.cli.help import NUMBER
from kolabsim.cli.program import FAILED, Language, ResultsFolder, program
from kolabsim.cli.terminal import announce_compilation
from kolabsim.i18n import N_, _


@program.command(help=N_("Repeat a sample of a study's runs and compare every bit."))
def verify(
    folder: ResultsFolder,
    sample: Annotated[int, typer.Option(min=1, metavar=NUMBER, help=N_("Runs to repeat."))] = 20,
    language: Language = None,
) -> None:
    """Repeat a sample of a study's runs and compare every bit."""
    from kolabsim.study import verify as study

    announce_compilation()
    verdict = study.verify(folder, sample=sample)
    for name in verdict.strangers:
        typer.echo(_("the stored inputs of {point} are not those of its runs").format(point=name))
    for strategy, future, run_number, measure in verdict.differing:
        text = _("{strategy}, {future}, run {run}: {measure} differs")
        typer.echo(text.format(strategy=strategy, future=future, run=run_number, measure=measure))
    if not verdict.is_good:
        typer.echo(
            _(
                "The repeated runs differ: the results were changed, or the mathematics of another "
                "machine differ in the last digit."
            )
        )
        raise typer.Exit(FAILED)
    text = _("{number} runs repeated: identical to the last bit.")
    typer.echo(text.format(number=verdict.checked))
