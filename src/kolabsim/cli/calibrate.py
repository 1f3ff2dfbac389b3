"""``kolabsim calibrate``: find parameters that agree with facts or observed bodies."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kolabsim.cli.evidence import (
    BODIES,
    FACTS,
    HELD_OUT,
    SCENARIO,
    WITHIN,
    YEAR,
    check_inputs,
    described,
    facts_beside,
)
from kolabsim.cli.program import LANGUAGE, SEED, WORKERS, command_line, number, program
from kolabsim.cli.terminal import (
    announce_compilation,
    count_runs,
    print_over,
    print_report_path,
    terminal,
    warn,
)
from kolabsim.errors import InputError, Problem, shown
from kolabsim.i18n import N_, Amount, _

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.validation.calibration import Calibration
    from kolabsim.validation.evidence import Evidence
    from kolabsim.validation.fitting import Loss
    from kolabsim.validation.network import Network
    from kolabsim.validation.sampling import Population

LEAST_SETS = 20
"""Fewest sets of a scenario of your own: experiments draw 20 plausible futures by default."""
ROUGH = 0.5
"""Chance in the mean of a fact, over half its band, beyond which more runs are advised."""
PREDICTIONS = "facts.csv"
"""File with what the sets predict of each fact."""
CHECKPOINT, RESULT, MEDOID = "search.npz", "calibration.json", "medoid.yaml"
"""Files of a calibration besides the sets: its state, what was found, and the set in the middle."""


@program.command(
    help=N_(
        "Find parameter sets that agree with published facts or your own, or fit a scenario to "
        "observed bodies."
    )
)
def calibrate(
    scenario: str | None = SCENARIO,
    facts: Path | None = FACTS,
    bodies: Path | None = BODIES,
    vary: str | None = typer.Option(
        None,
        metavar=N_("NAMES"),
        show_default=N_("all that change a fact"),
        help=N_("With --facts: settings that vary, with commas between them."),
    ),
    runs: int | None = number(
        None, N_("With --facts: runs of each setting by which a set is judged."), min=2,
        show_default="16",
    ),
    held_out: list[str] = HELD_OUT,
    area: list[str] = typer.Option(
        [],
        metavar=N_("AREA"),
        help=N_("Service area whose attributes are fitted; may be repeated."),
    ),
    within: float = WITHIN,
    year: float | None = YEAR,
    rounds: int = number(30, N_("Rounds of the fit."), min=1),
    out: Path | None = typer.Option(
        None, metavar=N_("FOLDER"), show_default="results/calibration",
        help=N_("Folder of the results."),
    ),
    sets: int | None = number(
        None, N_("Parameter sets to find."), min=10, show_default=N_("200, or 100 with --facts")
    ),
    most: int | None = number(
        None, N_("Parameter sets to judge before giving up."), min=10,
        show_default=N_("50000, or 10000 with --facts"),
    ),
    begin: Path | None = typer.Option(
        None,
        metavar=N_("FILE"),
        help=N_("Sets of an earlier search to begin with, in place of a uniform draw."),
    ),
    seed: int = SEED,
    workers: int | None = WORKERS,
    language: str | None = LANGUAGE,
) -> None:  # fmt: skip
    from kolabsim.report.output import check_writable
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.validation.calibration import read_known
    from kolabsim.validation.facts_file import RUNS, read_evidence
    from kolabsim.validation.network import load_network

    facts = facts_beside(scenario, facts, bodies)
    check_inputs(scenario, facts, bodies)
    if scenario is None:
        out = out or Path("results/calibration")
        known = () if begin is None else read_known(begin)
        check_writable(out)
        match_facts(
            out, sets=sets or 200, most=most or 50_000, seed=seed, threads=workers, known=known
        )
        return
    if facts is not None:
        if sets is not None and sets < LEAST_SETS:
            text = _(
                "--sets must be at least {least} with --facts, not {sets}: experiments draw as "
                "many plausible futures by default"
            )
            raise InputError.of(text, least=LEAST_SETS, sets=sets)
        world = Scenario.load(scenario)
        names = None if vary is None else [one.strip() for one in vary.split(",") if one.strip()]
        evidence = read_evidence(
            world, facts, bodies=bodies, year=year, vary=names, runs=runs or RUNS
        )
        sources = tuple(path for path in (facts, bodies) if path is not None)
        out = out or Path("results") / f"calibration-{world.name}"
        match_own(
            world, evidence, out, begin, sources, sets=sets or 100,
            most=most or 10_000, seed=seed, threads=workers,
        )  # fmt: skip
        return
    assert bodies is not None  # as was checked
    network = load_network(scenario, bodies, held_out=held_out, within=within, year=year)
    out = out or Path("results/calibration")
    check_writable(out)
    fit_bodies(network, area, out, rounds=rounds, seed=seed, threads=workers)


def fit_bodies(network: Network, area: list[str], out: Path, *, rounds: int, **how: Any) -> None:
    """Fit a scenario to observed joint bodies, and write the settings."""
    from kolabsim.files import write_whole
    from kolabsim.validation.fitting import fit_network, search_space

    def show(number: int, best: Loss) -> None:
        text = _("round {number} of {rounds}: {loss}")
        print_over(text.format(number=number, rounds=rounds, loss=Amount(best.total, 1)))

    space = search_space(network, area)
    announce_compilation()
    found = fit_network(network, space, rounds=rounds, progress=show, **how)
    text = "".join(f"{name}: {value:.3g}\n" for name, value in found.items())
    write_whole(out / "fitted.yaml", text.encode())
    typer.echo((out / "fitted.yaml").as_posix())


# A user's own facts -----------------------------------------------------------------------------


def match_own(
    world: Scenario,
    evidence: Evidence,
    out: Path,
    begin: Path | None,
    sources: tuple[Path, ...],
    *,
    sets: int,
    most: int,
    seed: int,
    threads: int | None,
) -> None:
    """Find parameter sets of a scenario that agree with a user's facts, and write all about them.

    The sets are written last, beside the scenario, so that its experiments draw from them.
    """
    from kolabsim.files import rows_csv, write_whole
    from kolabsim.report.calibration import (
        answer_section,
        conflict_problems,
        prediction_rows,
        write_calibration,
    )
    from kolabsim.report.output import check_writable
    from kolabsim.report.provenance import hash_file, provenance
    from kolabsim.scenario.futures import FILE, as_text
    from kolabsim.scenario.scenario import shipped
    from kolabsim.validation.calibration import calibrate, read_known
    from kolabsim.validation.predictive import PRIOR, find_acting, predict, probes

    beside = world.files[0].parent / FILE
    if beside.resolve().is_relative_to(shipped("scenarios").resolve()):
        text = _(
            "{scenario}: this scenario ships with kolabsim, and its plausible futures stay as they "
            "are; write a scenario of your own with 'extends: {scenario}', and calibrate that"
        )
        raise InputError.of(text, scenario=world.name)
    if not evidence.calibration:
        raise InputError.of(_("no fact is for calibration; give one 'use: calibration'"))
    known = () if begin is None else read_known(begin, evidence)
    for folder in (out, beside.parent):
        check_writable(folder)
    announce_compilation()
    if not evidence.is_chosen:
        terminal().print(_("Looking for the settings that change a fact ..."))
        with count_runs(1 + sum(1 for _probe in probes(evidence.axes))) as show_probe:
            evidence = find_acting(evidence, seed=seed, threads=threads, progress=show_probe)
    if not evidence.axes:
        raise InputError.of(_("no setting changes any of the facts, so nothing can be learned"))
    tell_outset(evidence, sets=sets, most=most, seed=seed, threads=threads)
    found = calibrate(
        evidence, sets=sets, most=most, seed=seed, threads=threads, known=known,
        checkpoint=out / CHECKPOINT, progress=show_search,
    )  # fmt: skip
    if not len(found.points):
        raise InputError(conflict_problems(found))
    with count_runs(PRIOR + len(found.points)) as show:
        predicted = predict(found, threads=threads, progress=show)
    about = provenance(command_line(), seed, world) | {
        "runs": evidence.looks[-1], "files": {path.name: hash_file(path) for path in sources},
    }  # fmt: skip
    lines = [
        _("{number} parameter sets").format(number=len(found.points)),
        _("{number} runs of each setting").format(number=evidence.looks[-1]), *described(about),
    ]  # fmt: skip
    write_whole(out / RESULT, found.as_json().encode())
    write_whole(out / MEDOID, medoid_text(found).encode())
    write_whole(out / PREDICTIONS, rows_csv(prediction_rows(predicted)))
    page = write_calibration(
        found, predicted, world, out / "calibration.html", lines=lines, facts=about
    )
    write_whole(beside, as_text(found.futures).encode())
    console = terminal(sys.stdout)
    for line in answer_section(found, predicted, world).summary:
        console.print(line, soft_wrap=True)
    text = _("The sets are in {path}; experiments of this scenario draw from them.")
    console.print(text.format(path=shown(beside)), soft_wrap=True)
    if not found.population.is_done:
        console.print(ended_at_limit(), soft_wrap=True)
    print_report_path(page)


def tell_outset(
    evidence: Evidence, *, sets: int, most: int, seed: int, threads: int | None
) -> None:
    """Say what the search takes, and which bands are narrow for so few runs."""
    from kolabsim.figures.formatting import count, percent, significant
    from kolabsim.validation.predictive import PRIOR, measure_outset
    from kolabsim.validation.sampling import first_draw

    outset, runs = measure_outset(evidence, seed=seed, threads=threads), evidence.looks[-1]
    least = first_draw(evidence.space, wanted=sets, most=most)
    text = _(
        "{number} settings vary, and {facts} facts are for calibration. A set takes {each} s; the "
        "search judges from {least} to {most} sets, which takes about {low} to {high} minutes."
    )
    minutes, after = outset.seconds / 60.0, PRIOR + sets
    numbers = {
        "number": count(len(evidence.axes)), "facts": count(len(evidence.calibration)),
        "each": significant(outset.seconds, 2), "least": count(least), "most": count(most),
        "low": significant(max(minutes * (least + after), 0.1), 1),
        "high": significant(max(minutes * (most + after), 0.1), 1),
    }  # fmt: skip
    terminal().print(text.format(**numbers), soft_wrap=True)
    for name, noise in outset.noise.items():
        if noise > ROUGH:
            text = _(
                "'{fact}': chance in the mean of {runs} runs is {share} of half its band; about "
                "{more} runs (--runs) would bring it below {rough}"
            )
            more = count(math.ceil(runs * (noise / ROUGH) ** 2))
            words = {"share": percent(noise), "rough": percent(ROUGH), "more": more}
            warn(text.format(fact=name, runs=runs, **words))


def show_search(one: Population) -> None:
    """Show how far a search is."""
    if one.level > 0.0:
        text = _("misfit at most {level}; {judged} sets judged")
        print_over(text.format(level=Amount(one.level, 2), judged=one.judged))
        return
    text = _("{number} of {wanted} sets agree, {judged} judged; like their start: {memory}")
    number = min(len(one.distinct), one.wanted)
    memory = f"{one.memory.mean():.2f}, {one.memory.max():.2f}"
    print_over(text.format(number=number, wanted=one.wanted, judged=one.judged, memory=memory))


def ended_at_limit() -> str:
    """What to do about a search that ended at its limit."""
    return _(
        "The search ended at its limit: the sets are fewer than asked for, or still resemble "
        "their start. The same command with a larger --most continues it."
    )


# The published facts ----------------------------------------------------------------------------


def match_facts(out: Path, *, sets: int, **how: Any) -> None:
    """Find parameter sets that agree with all facts for calibration, and write them.

    An interrupted search continues from its checkpoint.
    """
    from kolabsim.files import write_whole
    from kolabsim.report.scorecard import identification_table, pulls_table, structures_table
    from kolabsim.scenario.futures import FILE, as_text
    from kolabsim.validation import calibration

    announce_compilation()
    found = calibration.calibrate(
        sets=sets, checkpoint=out / CHECKPOINT, progress=show_search, **how
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
        console.print(ended_at_limit(), soft_wrap=True)


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
