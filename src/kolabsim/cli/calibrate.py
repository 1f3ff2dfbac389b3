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
from kolabsim.i18n import N_, Amount, _

if TYPE_CHECKING:
    from kolabsim.validation.calibration import Calibration
    from kolabsim.validation.fitting import Loss
    from kolabsim.validation.sampling import Population

CHECKPOINT, RESULT, MEDOID = "search.npz", "calibration.json", "medoid.yaml"
"""Files of a calibration besides the sets: its state, what was found, and the set in the middle."""


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
    sets: int = number(200, N_("Parameter sets to find."), min=10),
    most: int = number(50_000, N_("Parameter sets to judge before giving up."), min=10),
    begin: Path | None = typer.Option(
        None,
        metavar=N_("FILE"),
        help=N_("Sets of an earlier search to begin with, in place of a uniform draw."),
    ),
    seed: int = SEED,
    workers: int | None = WORKERS,
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.files import write_whole
    from kolabsim.report.output import check_writable
    from kolabsim.validation.calibration import read_known
    from kolabsim.validation.fitting import fit_network, search_space
    from kolabsim.validation.network import load_network

    inputs = both_or_neither(scenario, bodies)
    if inputs is None:
        known = () if begin is None else read_known(begin)
        check_writable(out)
        match_facts(out, sets=sets, most=most, seed=seed, threads=workers, known=known)
        return

    def show(number: int, best: Loss) -> None:
        text = _("round {number} of {rounds}: {loss}")
        print_over(text.format(number=number, rounds=rounds, loss=Amount(best.total, 1)))

    network = load_network(*inputs, held_out=held_out, within=within, year=year)
    check_writable(out)
    space = search_space(network, area)
    announce_compilation()
    found = fit_network(network, space, rounds=rounds, seed=seed, threads=workers, progress=show)
    text = "".join(f"{name}: {value:.3g}\n" for name, value in found.items())
    write_whole(out / "fitted.yaml", text.encode())
    typer.echo((out / "fitted.yaml").as_posix())


def match_facts(out: Path, *, sets: int, **how: Any) -> None:
    """Find parameter sets that agree with all facts for calibration, and write them.

    An interrupted search continues from its checkpoint.
    """
    from kolabsim.files import write_whole
    from kolabsim.report.scorecard import identification_table, pulls_table, structures_table
    from kolabsim.scenario.futures import FILE, as_text
    from kolabsim.validation import calibration

    def show(one: Population) -> None:
        if one.level > 0.0:
            text = _("misfit at most {level}; {judged} sets judged")
            print_over(text.format(level=Amount(one.level, 2), judged=one.judged))
            return
        text = _("{number} of {wanted} sets agree, {judged} judged; like their start: {memory}")
        number = min(len(one.distinct), one.wanted)
        memory = f"{one.memory.mean():.2f}, {one.memory.max():.2f}"
        print_over(text.format(number=number, wanted=one.wanted, judged=one.judged, memory=memory))

    announce_compilation()
    found = calibration.calibrate(
        sets=sets, checkpoint=out / CHECKPOINT, progress=show, **how
    )  # fmt: skip
    if not len(found.points):
        raise InputError([Problem(_("no parameter set agrees with all facts"))])
    write_whole(out / FILE, as_text(found.futures).encode())
    write_whole(out / RESULT, found.as_json().encode())
    write_whole(out / MEDOID, medoid_text(found).encode())
    console = terminal(sys.stdout)
    for table in (identification_table, structures_table, pulls_table):
        console.print(table(found))
    text = _("{number} of {all} sets agree with all facts for calibration; they are in {path}")
    path = (out / FILE).as_posix()
    text = text.format(number=len(found.points), all=found.population.judged, path=path)
    console.print(text, soft_wrap=True)
    text = _("The set in the middle of them, as settings of a scenario: {path}")
    console.print(text.format(path=(out / MEDOID).as_posix()), soft_wrap=True)
    if not found.population.is_done:
        text = _(
            "The search ended at its limit: the sets are fewer than asked for, or still resemble "
            "their start. The same command with a larger --most continues it."
        )
        console.print(text, soft_wrap=True)


def medoid_text(found: Calibration) -> str:
    """The medoid as YAML: parameters and structures as in a scenario, factors of areas."""
    nested: dict[str, dict[str, str]] = {}
    plain = []
    for name, value in found.futures[found.medoid].items():
        text = value if isinstance(value, str) else f"{value:.4g}"
        head, _dot, last = name.rpartition(".")
        if head:
            nested.setdefault(head, {})[last] = text
        else:
            plain.append(f"{name}: {text}\n")
    lines = [
        f"{head}:\n" + "".join(f"  {name}: {text}\n" for name, text in part.items())
        for head, part in nested.items()
    ]
    return "".join([*lines, *plain])
