"""``kolabsim calibrate``: find parameters that agree with facts or observed bodies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kolabsim.cli.evidence import BODIES, HELD_OUT, SCENARIO, WITHIN, YEAR, both_or_neither
from kolabsim.cli.program import LANGUAGE, SEED, WORKERS, number, program
from kolabsim.cli.terminal import announce_compilation, print_over, terminal
from kolabsim.errors import InputError, Problem
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from kolabsim.validation.calibration import Narrowed
    from kolabsim.validation.fitting import Loss


@program.command(
    help=N_("Find parameter sets that agree with the facts, or fit a scenario to observed bodies.")
)
def calibrate(
    scenario: str | None = SCENARIO,
    bodies: Path | None = BODIES,
    held_out: list[str] = HELD_OUT,
    area: list[str] = typer.Option(
        [],
        metavar=N_("AREA"),
        help=N_("Service area whose attributes are fitted; may be repeated."),
    ),
    within: float = WITHIN,
    year: float | None = YEAR,
    rounds: int = number(30, N_("Rounds of the fit."), min=1),
    out: Path = typer.Option(
        Path("results/calibration"), metavar=N_("FOLDER"), help=N_("Folder of the results.")
    ),
    sets: int = number(100, N_("Parameter sets to find."), min=10),
    most: int = number(50_000, N_("Parameter sets to judge before giving up."), min=10),
    seed: int = SEED,
    workers: int | None = WORKERS,
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.files import write_whole
    from kolabsim.report.output import check_writable
    from kolabsim.validation.fitting import fit_network, search_space
    from kolabsim.validation.network import load_network

    inputs = both_or_neither(scenario, bodies)
    if inputs is None:
        check_writable(out)
        match_facts(out, sets=sets, most=most, seed=seed, threads=workers)
        return

    def show(number: int, best: Loss) -> None:
        text = _("round {number} of {rounds}: {loss}")
        print_over(text.format(number=number, rounds=rounds, loss=f"{best.total:.1f}"))

    network = load_network(*inputs, held_out=held_out, within=within, year=year)
    check_writable(out)
    space = search_space(network, area)
    announce_compilation()
    found = fit_network(network, space, rounds=rounds, seed=seed, threads=workers, progress=show)
    text = "".join(f"{name}: {value:.3g}\n" for name, value in found.items())
    write_whole(out / "fitted.yaml", text.encode())
    typer.echo((out / "fitted.yaml").as_posix())


def match_facts(out: Path, *, sets: int, **how: Any) -> None:
    """Find parameter sets that agree with all facts for calibration, and write them."""
    from kolabsim.files import write_whole
    from kolabsim.report.scorecard import (
        identification_table,
        structures_table,
        write_identified,
    )
    from kolabsim.scenario.futures import FILE, as_text
    from kolabsim.validation import calibration

    def show(one: Narrowed) -> None:
        text = _("{number} of {wanted} sets found, {drawn} judged")
        print_over(text.format(number=len(one.points), wanted=sets, drawn=one.drawn))

    announce_compilation()
    found = calibration.calibrate(sets=sets, progress=show, **how)
    if not found.futures:
        raise InputError([Problem(_("no parameter set agrees with all facts"))])
    write_whole(out / FILE, as_text(found.futures).encode())
    write_identified(found, out / "identified.csv")
    console = terminal(sys.stdout)
    console.print(identification_table(found.identified))
    console.print(structures_table(found.agreeing))
    text = _("{number} of {all} sets agree with all facts for calibration; they are in {path}")
    path = (out / FILE).as_posix()
    text = text.format(number=len(found.futures), all=found.narrowed.drawn, path=path)
    console.print(text, soft_wrap=True)
