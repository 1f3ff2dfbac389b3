"""``kolabsim verify``: check a results folder, repeat some of its runs, and derive its report."""

from __future__ import annotations

from pathlib import Path

import typer

from kolabsim.cli.program import ALLOW, FAILED, FOLDER, LANGUAGE, number, program
from kolabsim.cli.terminal import announce_compilation, guarded
from kolabsim.errors import InputError, shown
from kolabsim.i18n import N_, _


@program.command(help=N_("Check all files, repeat a sample of runs, and derive the report again."))
def verify(
    folder: Path = FOLDER,
    sample: int = number(20, N_("Runs to repeat."), min=1),
    allow_extensions: bool = ALLOW,
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.report.derive import derive
    from kolabsim.study import verify as study
    from kolabsim.study.ledger import Ledger

    announce_compilation()
    ledger = Ledger.read(folder)
    with guarded(allow_extensions):
        verdict = study.verify(folder, sample=sample)
        states = {"missing": _("{file}: missing"), "damaged": _("{file}: damaged")}
        for name, state in verdict.faults.items():
            typer.echo(states[state].format(file=name))
        text = _("{good} of {number} files are as kolabsim wrote them.")
        good = verdict.files - len(verdict.faults)
        typer.echo(text.format(good=good, number=verdict.files))
        text = _("Strategies: {strategies}. Futures: {futures}. Stages: {stages}.")
        typer.echo(text.format(**vars(verdict)))
        text = _("{present} of {wanted} runs present, {checked} recomputed.")
        typer.echo(text.format(**vars(verdict)))
        if verdict.version:
            text = _("another version made these runs (kolabsim {version}): verify them with it")
            raise InputError.of(text, shown(folder), version=verdict.version)
        for name in verdict.strangers:
            text = _("the stored inputs of {point} are not those of its runs")
            typer.echo(text.format(point=name))
        for strategy, future, run, column in verdict.differing:
            text = _("{strategy}, {future}, run {run}: {measure} differs")
            typer.echo(text.format(strategy=strategy, future=future, run=run, measure=column))
        wrong: list[str] = []
        if verdict.present < verdict.wanted or verdict.faults:
            typer.echo(_("The report was not derived, because files or runs are missing."))
        elif (derived := derive(ledger)) is None:
            typer.echo(_("This folder has no report."))
        else:
            names, wrong = derived
            for name in wrong:
                typer.echo(_("{file}: the runs give another content").format(file=name))
            text = _("{number} published files derived from the runs, {wrong} of them differ.")
            typer.echo(text.format(number=len(names), wrong=len(wrong)))
    if verdict.differing or verdict.strangers:
        text = _(
            "The repeated runs differ: the results were changed, or the mathematics of another "
            "machine differ in the last digit."
        )
        typer.echo(text)
    if wrong or not verdict.is_good:
        typer.echo(_("This folder is not what kolabsim wrote."), err=True)
        raise typer.Exit(FAILED)
    typer.echo(_("All are identical to the last bit."))
