"""``kolabsim why``: tell the history of a region in one run, and what would have turned it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kolabsim.cli.program import (
    ALLOW,
    FAILED,
    LANGUAGE,
    SETTINGS,
    WORKERS,
    command_line,
    number,
    parse_settings,
    program,
)
from kolabsim.cli.terminal import (
    announce_compilation,
    count_runs,
    guarded,
    plain_table,
    print_report_path,
    terminal,
)
from kolabsim.errors import InputError, suggestion
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from kolabsim.analysis.why import Why
    from kolabsim.engine.ensemble import Task
    from kolabsim.scenario.scenario import Scenario

ENDINGS = (".html", ".csv")
RUNS = 200


@program.command(
    help=N_("Tell why a region shares services or stops, in one run, and what would change that.")
)
def why(
    region: str = typer.Argument(metavar=N_("REGION"), help=N_("Code or name of the region.")),
    scenario: str | None = typer.Option(
        None, metavar=N_("SCENARIO"), help=N_("Name or file of a scenario.")
    ),
    experiment: str | None = typer.Option(
        None,
        metavar=N_("EXPERIMENT"),
        help=N_("Name, file or folder of an experiment, in place of a scenario."),
    ),
    results: Path | None = typer.Option(
        None,
        metavar=N_("FOLDER"),
        help=N_("Folder of the results of a comparison, in place of a scenario."),
    ),
    strategy: str = typer.Option(
        "voluntary", metavar=N_("STRATEGY"), help=N_("Name of one of its strategies.")
    ),
    area: str | None = typer.Option(
        None, metavar=N_("AREA"), help=N_("Service area to tell about; default: all.")
    ),
    future: str | None = typer.Option(
        None,
        metavar=N_("FUTURE"),
        help=N_("Name of a plausible or structural future, such as plausible-3."),
    ),
    run: int | None = number(None, N_("Number of the run, in place of the typical one."), min=0),
    typical: bool = typer.Option(
        False, "--typical", help=N_("The run nearest to the median (the default).")
    ),
    worst: bool = typer.Option(
        False, "--worst", help=N_("The run with the lowest net benefit of the region.")
    ),
    best: bool = typer.Option(
        False, "--best", help=N_("The run with the highest net benefit of the region.")
    ),
    left: bool = typer.Option(
        False, "--left", help=N_("Choose among the runs in which it loses a membership.")
    ),
    table: bool = typer.Option(False, "--table", help=N_("Print the events as a table.")),
    settings: list[str] = SETTINGS,
    out: Path | None = typer.Option(
        None,
        metavar=N_("FILE"),
        help=N_("File to write: .html, an animated page, or .csv, a table of events."),
    ),
    runs: int | None = number(
        None, N_("Runs from which the run is chosen."), min=1, show_default=str(RUNS)
    ),
    seed: int | None = number(None, N_("Seed of all random draws."), min=0, show_default="1"),
    allow_extensions: bool = ALLOW,
    workers: int | None = WORKERS,
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.analysis.why import explain
    from kolabsim.report.why import event_table

    ending = check_ending(out)
    choice = check_choice(run, typical=typical, worst=worst, best=best, left=left)
    changes = parse_settings(settings)
    brings_code = results is not None or (experiment is not None and Path(experiment).is_dir())
    with guarded(allow_extensions or not brings_code):
        world, task, name, size, seed = choose_task(
            scenario, experiment, results, strategy, future, changes, runs=runs, seed=seed
        )
    announce_compilation()
    with count_runs(size) as progress:
        found = explain(
            world, task, region, strategy=strategy, future=name, area=area, choice=choice, run=run,
            left=left, runs=size, threads=workers, progress=progress,
        )  # fmt: skip
    if table:
        print_table(found)
    else:
        tell(found)
    if out is not None and ending == ".csv":
        from kolabsim.files import table_csv, write_whole

        write_whole(out, table_csv(event_table(found)))
        typer.echo(out.as_posix())
    elif out is not None:
        write_page(found, out, seed)


def check_ending(out: Path | None) -> str:
    """The ending of the file to write; others are refused."""
    ending = "" if out is None else out.suffix.lower()
    if out is not None and ending not in ENDINGS:
        text = _("{file}: the ending of the name must say the format{hint}")
        hint = suggestion(ending, ENDINGS)
        raise InputError.of(text, file=out.as_posix(), hint=hint)
    return ending


def check_choice(run: int | None, *, typical: bool, worst: bool, best: bool, left: bool) -> str:
    """How the run is chosen; two ways at once are refused."""
    asked = [name for name, is_asked in (
        ("--typical", typical), ("--worst", worst), ("--best", best), ("--run", run is not None),
    ) if is_asked]  # fmt: skip
    if run is not None and left:
        asked.append("--left")
    if len(asked) > 1:
        text = _("{options}: give one of them, because each chooses the run")
        raise InputError.of(text, options=", ".join(asked))
    return "worst" if worst else "best" if best else "typical"


def choose_task(
    scenario: str | None,
    experiment: str | None,
    results: Path | None,
    strategy: str,
    future: str | None,
    changes: dict[str, object],
    *,
    runs: int | None,
    seed: int | None,
) -> tuple[Scenario, Task, str, int, int]:
    """The scenario in its future, the engine's input, the future's name, runs, and the seed."""
    from kolabsim.report.derive import stored_run
    from kolabsim.scenario.scenario import Scenario as Loaded
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.replay import prepare

    given = [one for one in (scenario, experiment, results) if one is not None]
    if len(given) != 1:
        text = _("give one of --scenario, --experiment and --results: where the region is")
        raise InputError.of(text)
    if results is not None:
        if changes or seed is not None or runs is not None:
            text = _("--set, --seed and --runs are those of the study; leave them out")
            raise InputError.of(text)
        return stored_run(results, strategy, future)
    if experiment is not None:
        found: Experiment[Any] = Experiment.load(experiment, settings=changes)
        seed = found.seed if seed is None else seed
        world, task, name = prepare(
            found.scenario, strategy, future, seed=seed, futures=found.futures
        )
        return world, task, name, runs or RUNS, seed
    assert scenario is not None
    seed = 1 if seed is None else seed
    loaded = Loaded.load(scenario)
    loaded = loaded.with_(changes) if changes else loaded
    world, task, name = prepare(loaded, strategy, future, seed=seed)
    return world, task, name, runs or RUNS, seed


def tell(found: Why) -> None:
    """Print the history in sentences."""
    from kolabsim.report.why import lines

    console = terminal(sys.stdout)
    for line in lines(found):
        console.print(line, soft_wrap=True)


def print_table(found: Why) -> None:
    """Print the events of the region as a table."""
    from kolabsim.report.why import event_rows

    head, *rows = event_rows(found)
    shown = plain_table(*head)
    for row in rows:
        shown.add_row(*row)
    terminal(sys.stdout).print(shown)


def write_page(found: Why, out: Path, seed: int) -> None:
    """Write the animated page."""
    from kolabsim.report.html import errors_file
    from kolabsim.report.provenance import provenance
    from kolabsim.report.why import write_why

    facts = provenance(command_line(), seed, found.replay.scenario) | {"runs": found.runs}
    write_why(found, out, facts=facts, workbook=True)
    print_report_path(out)
    if errors_file(out).exists():
        raise typer.Exit(FAILED)
