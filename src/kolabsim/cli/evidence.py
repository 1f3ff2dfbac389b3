"""``kolabsim evidence``: judge the model by published facts, or by observed joint bodies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kolabsim.cli.program import (
    LANGUAGE,
    SEED,
    SETTINGS,
    WORKERS,
    command_line,
    number,
    parse_settings,
    program,
)
from kolabsim.cli.terminal import announce_compilation, count_runs, print_report_path, terminal
from kolabsim.errors import InputError
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.validation.evidence import Evidence
    from kolabsim.validation.network import Network

FACTS_FILE = "facts.yaml"
"""Name of a file of facts that is read if it lies beside a scenario."""
BODIES: Any = typer.Option(
    None, metavar=N_("FILE"), help=N_("Table of observed joint bodies, to compare with the model.")
)
SCENARIO: Any = typer.Option(
    None, metavar=N_("SCENARIO"), help=N_("Scenario with the regions of your own evidence.")
)
FACTS: Any = typer.Option(
    None, metavar=N_("FILE"), help=N_("File of published numbers on the regions of the scenario.")
)
HELD_OUT: Any = typer.Option(
    [], metavar=N_("TIER"), help=N_("Tier that is only scored, not fitted; may be repeated.")
)
WITHIN: Any = typer.Option(
    50.0, min=1, metavar="KM", show_default="50",
    help=N_("Kilometres within which pairs of regions are compared."),
)  # fmt: skip
YEAR: Any = typer.Option(
    None, metavar=N_("YEAR"), show_default=N_("bodies without an end"),
    help=N_("Year of the comparison."),
)  # fmt: skip


@program.command(
    help=N_("Judge the model by published facts, or by observed joint bodies of any regions.")
)
def evidence(
    scenario: str | None = SCENARIO,
    facts: Path | None = FACTS,
    bodies: Path | None = BODIES,
    held_out: list[str] = HELD_OUT,
    incomplete: list[str] = typer.Option(
        [], metavar=N_("TIER"), help=N_("Tier with incompletely reported bodies; may be repeated.")
    ),
    within: float = WITHIN,
    year: float | None = YEAR,
    strategy: str = typer.Option(
        "voluntary",
        metavar=N_("STRATEGY"),
        help=N_("Strategy under which the model forms joint bodies."),
    ),
    by: str = typer.Option(
        "",
        metavar=N_("COLUMN"),
        show_default=N_("their tier"),
        help=N_("Column of the table of regions by which gains are grouped."),
    ),
    settings: list[str] = SETTINGS,
    out: Path | None = typer.Option(
        None,
        metavar=N_("FOLDER"),
        show_default="results/evidence",
        help=N_("Folder of the results."),
    ),
    quick: bool = typer.Option(
        False, "--quick", help=N_("A quick look, with few runs and wide intervals.")
    ),
    runs: int | None = number(None, N_("Runs of the scenario, or of each setting."), min=2),
    seed: int = SEED,
    workers: int | None = WORKERS,
    futures: int | None = number(
        None,
        N_("Plausible futures in which facts are judged."),
        show_default=N_("20, or none with --quick"),
        min=0,
        max=100,
    ),
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.report.output import check_writable
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.validation.facts_file import read_evidence
    from kolabsim.validation.network import load_network

    facts = facts_beside(scenario, facts, bodies)
    check_inputs(scenario, facts, bodies)
    how: dict[str, Any] = {"quick": quick, "runs": runs, "seed": seed, "threads": workers}
    if scenario is None or facts is not None:
        own = None
        if scenario is not None:
            world = Scenario.load(scenario)
            world = world.with_(parse_settings(settings)) if settings else world
            own = world, read_evidence(world, facts, bodies=bodies, year=year)
        folder = out or Path("results") / ("evidence" if own is None else f"evidence-{world.name}")
        check_writable(folder)
        judge_by_facts(folder, futures, own, **how)
        return
    assert bodies is not None  # as was checked
    folder = out or Path("results/evidence-bodies")
    network = load_network(
        scenario, bodies, held_out=held_out, incomplete=incomplete, within=within, year=year,
        strategy=strategy, by=by, settings=parse_settings(settings),
    )  # fmt: skip
    check_writable(folder)
    judge_by_bodies(network, folder, **how)


def facts_beside(scenario: str | None, facts: Path | None, bodies: Path | None) -> Path | None:
    """The file of facts: the one that was named, or ``facts.yaml`` beside the scenario."""
    from kolabsim.scenario.files import is_file
    from kolabsim.scenario.inheritance import find_scenario

    if scenario is None or facts is not None or bodies is not None:
        return facts
    beside = find_scenario(scenario).parent / FACTS_FILE
    return beside if is_file(beside) else None


def check_inputs(scenario: str | None, facts: Path | None, bodies: Path | None) -> None:
    """Refuse a scenario without evidence, and evidence without a scenario."""
    if scenario is None and (facts is not None or bodies is not None):
        text = _("--facts and --bodies need --scenario: the regions that they are about")
        raise InputError.of(text)
    if scenario is not None and facts is None and bodies is None:
        text = _(
            "--scenario needs evidence: --facts with a file of numbers, or --bodies with a table "
            "of joint bodies; {file} beside the scenario is read too"
        )
        raise InputError.of(text, file=FACTS_FILE)


def judge_by_bodies(
    network: Network, folder: Path, *, quick: bool, runs: int | None, seed: int, **how: Any
) -> None:
    """Compare the model with observed joint bodies, and write the page and its tables."""
    from kolabsim.report.provenance import provenance
    from kolabsim.report.validation import partner_headline, structure_headline, write_validation
    from kolabsim.validation.network import QUICK, RUNS, compare_network

    runs = runs or (QUICK if quick else RUNS)
    announce_compilation()
    with count_runs(runs) as show:
        fit = compare_network(network, runs=runs, seed=seed, progress=show, **how)
    facts = provenance(command_line(), seed, network.scenario) | {"runs": runs}
    lines = [_("{number} runs").format(number=runs), *described(facts)]
    page = write_validation(fit, folder, lines=lines, facts=facts)
    for headline in (partner_headline(fit), structure_headline(fit)):
        terminal(sys.stdout).print(headline.text, soft_wrap=True)
    print_report_path(page)


def judge_by_facts(
    folder: Path, futures: int | None, own: tuple[Scenario, Evidence] | None, *, quick: bool,
    runs: int | None, seed: int, **how: Any,
) -> None:  # fmt: skip
    """Judge the model by published facts, or a scenario by its own, and write the scorecard."""
    from kolabsim.report import scorecard
    from kolabsim.report.provenance import provenance
    from kolabsim.scenario.futures import plausible_futures, plausible_sets
    from kolabsim.validation.evidence import published
    from kolabsim.validation.scorecard import FEW, FUTURES, QUICK, runs_needed, score

    runs = runs or (QUICK if quick else runs_needed())
    wanted = (0 if quick else FUTURES) if futures is None else futures
    world, evidence = (None, published()) if own is None else own
    elsewhere = (
        [*plausible_sets()[:wanted]]
        if world is None
        else [*plausible_futures(wanted, world).values()]
    )
    announce_compilation()
    with count_runs(runs + FEW * len(elsewhere)) as show:
        findings = score(
            evidence.facts, settings=evidence.settings, runs=runs, seed=seed, elsewhere=elsewhere,
            progress=show, **how,
        )  # fmt: skip
    facts = provenance(command_line(), seed, world) | {"runs": runs}
    lines = [
        _("{number} runs of each setting").format(number=runs),
        _("{number} plausible futures").format(number=len(elsewhere)),
        *described(facts),
    ]
    scorecard.write_findings(findings, folder, facts)
    page = scorecard.write_scorecard(
        findings, folder / "evidence.html", lines=lines, facts=facts, scenario=world
    )
    console = terminal(sys.stdout)
    for line in scorecard.tally(findings):
        console.print(line, soft_wrap=True)
    console.print(scorecard.terminal_table(findings))
    print_report_path(page)


def described(facts: dict[str, Any]) -> list[str]:
    """The seed and the model of results, for the head of their page."""
    seed, model = facts["seed"], facts["model"]
    return [_("seed {seed}").format(seed=seed), _("model {hash}").format(hash=model)]
