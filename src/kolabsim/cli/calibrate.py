"""``kolabsim calibrate``: find parameters that agree with facts or observed bodies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kolabsim.cli.evidence import Bodies, HeldOut, OfBodies, Within, Year, both_or_neither
from kolabsim.cli.program import Language, Seed, Workers, program
from kolabsim.cli.terminal import announce_compilation, terminal
from kolabsim.errors import InputError, Problem
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from kolabsim.validation.network import Network


@program.command(
    help=N_("Find parameter sets that agree with the facts, or fit a scenario to observed bodies.")
)
def calibrate(
    scenario: OfBodies = None,
    bodies: Bodies = None,
    held_out: HeldOut = [],  # noqa: B006 (typer reads it, nobody changes it)
    area: Annotated[
        list[str],
        typer.Option(
            metavar="AREA", help=N_("Service area whose attributes are fitted; may be repeated.")
        ),
    ] = [],  # noqa: B006
    within: Within = 50.0,
    year: Year = None,
    rounds: Annotated[int, typer.Option(min=1, help=N_("Rounds of the fit."))] = 30,
    out: Annotated[Path, typer.Option("--out", help=N_("Folder of the results."))] = Path(
        "results/calibration"
    ),
    sets: Annotated[int, typer.Option(min=10, help=N_("Parameter sets to find."))] = 100,
    most: Annotated[
        int, typer.Option(min=10, help=N_("Parameter sets to judge before giving up."))
    ] = 50_000,
    seed: Seed = 1,
    workers: Workers = None,
    language: Language = None,
) -> None:
    """Find parameter sets that agree with the facts, or fit a scenario to observed bodies."""
    from kolabsim.report.output import check_writable
    from kolabsim.validation.network import load_network

    inputs = both_or_neither(scenario, bodies)
    if inputs is None:
        check_writable(out)
        match_facts(out, sets=sets, most=most, seed=seed, workers=workers)
        return
    network = load_network(*inputs, held_out=held_out, within=within, year=year)
    check_writable(out)
    fit_bodies(network, area, out, rounds=rounds, seed=seed, workers=workers)


def match_facts(out: Path, *, sets: int, most: int, seed: int, workers: int | None) -> None:
    """Find parameter sets that agree with all facts for calibration, and write them."""
    from kolabsim.files import write_whole
    from kolabsim.report.scorecard import (
        identification_table,
        structures_table,
        write_identified,
    )
    from kolabsim.scenario.futures import FILE, as_text
    from kolabsim.validation.calibration import Narrowed
    from kolabsim.validation.calibration import calibrate as search

    def show(one: Narrowed) -> None:
        text = _("{number} of {wanted} sets found, {drawn} judged")
        line = text.format(number=len(one.points), wanted=sets, drawn=one.drawn)
        terminal().print(line, end="\r" if terminal().is_terminal else "\n")

    announce_compilation()
    found = search(sets=sets, most=most, seed=seed, threads=workers, progress=show)
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


def fit_bodies(
    network: Network,
    areas: list[str],
    out: Path,
    *,
    rounds: int,
    seed: int,
    workers: int | None,
) -> None:
    """Fit a scenario to observed joint bodies, and write the fitted settings by dotted names."""
    from kolabsim.files import write_whole
    from kolabsim.validation.fitting import Loss, fit_network, search_space

    def show(number: int, best: Loss) -> None:
        text = _("round {number} of {rounds}: {loss}")
        text = text.format(number=number, rounds=rounds, loss=f"{best.total:.1f}")
        terminal().print(text, end="\r" if terminal().is_terminal else "\n")

    space = search_space(network, areas)
    announce_compilation()
    found = fit_network(network, space, rounds=rounds, seed=seed, threads=workers, progress=show)
    path = out / "fitted.yaml"
    text = "".join(f"{name}: {value:.3g}\n" for name, value in found.items())
    write_whole(path, text.encode())
    typer.echo(path.as_posix())
