"""``kolabsim run``: run an experiment and write its report."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    describe_cost,
    guarded,
    print_report_path,
    report_table,
    show_progress,
    terminal,
    warn,
)
from kolabsim.errors import InputError, Problems, require, shown
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from kolabsim.study.cluster import Cluster
    from kolabsim.study.execution import Progress
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.ledger import Ledger
    from kolabsim.study.phases import Phases
    from kolabsim.study.runner import Study

PATIENCE = 10.0
"""Seconds that a command waits for a scheduler to answer."""
GRACE = 4.0
"""Seconds that it waits for a first worker, which may be starting too."""


@program.command(help=N_("Run an experiment: tables, figures and a report in one folder."))
def run(
    experiment: str = typer.Argument(
        metavar=N_("EXPERIMENT"), help=N_("Name, file or folder of an experiment.")
    ),
    out: Path | None = typer.Option(
        None, metavar=N_("FOLDER"), show_default="results/NAME", help=N_("Folder of the results.")
    ),
    runs: int | None = number(None, N_("Runs of each strategy in each future.")),
    seed: int | None = number(None, N_("Seed of all random draws.")),
    samples: int | None = number(
        None,
        N_("Samples of a sensitivity or robustness experiment, or points that a sweep draws."),
        min=2,
    ),
    quick: bool = typer.Option(False, "--quick", help=N_("Quick look with few runs and samples.")),
    plausible: str | None = typer.Option(
        None,
        metavar=N_("NUMBER"),
        help=N_("Plausible futures, or all; 0 does not vary assumptions."),
    ),
    structures: bool = typer.Option(
        False,
        "--structures",
        help=N_("Add a future for each alternative form of a law or rule."),
    ),
    regions: str | None = typer.Option(
        None,
        metavar=N_("CODES"),
        help=N_("Regions that get a page of their own: all, or codes with commas."),
    ),
    settings: list[str] = SETTINGS,
    fresh: bool = typer.Option(False, "--fresh", help=N_("Write the results into a new folder.")),
    retry_failed: bool = typer.Option(
        False, "--retry-failed", help=N_("Repeat the runs that failed before.")
    ),
    allow_extensions: bool = ALLOW,
    scheduler: str | None = typer.Option(
        None, metavar=N_("ADDRESS"), help=N_("Dask scheduler, such as tcp://host:8786.")
    ),
    workers: int | None = WORKERS,
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.report.output import check_folder, fresh_folder
    from kolabsim.study.experiment import Experiment, experiment_cost
    from kolabsim.study.ledger import hold
    from kolabsim.study.phases import Phases

    phases = Phases()
    changes = {
        "runs": runs, "seed": seed, "samples": samples,
        "plausible": int(plausible) if plausible and plausible.isdecimal() else plausible,
        "structures": "all" if structures else None,
    }  # fmt: skip
    with guarded(allow_extensions or not Path(experiment).is_dir()):
        found = Experiment.load(
            experiment, settings=parse_settings(settings), quick=quick, **changes
        )
    folder = out or Path("results") / found.name
    folder = fresh_folder(folder) if fresh else folder
    codes = codes_of(found, regions)
    check_folder(folder)
    for notice in found.notices:
        warn(str(notice))
    if found.own_sets is not None:
        text = _("Plausible futures are drawn from {path}, which agrees with your own evidence.")
        terminal().print(text.format(path=shown(found.own_sets)), soft_wrap=True)
    if found.kind == "sweep":
        terminal().print(describe_cost(experiment_cost(found)))
    announce_compilation()  # before planning, which compiles a part of the model
    with (
        executor_at(scheduler) as executor,
        terminated_as_interrupted(),
        hold(folder) as ledger,
    ):
        how = {"executor": executor, "workers": workers, "retry_failed": retry_failed}
        publish(found, ledger, codes, phases, how)


def publish(
    found: Experiment, ledger: Ledger, codes: list[str], phases: Phases, how: Mapping[str, Any]
) -> None:
    """Run an experiment and write its report, unless all of it is there."""
    from kolabsim.analysis.comparison import Comparison
    from kolabsim.analysis.sweep import SweepResult
    from kolabsim.report.comparison import terminal_lines, terminal_table
    from kolabsim.report.derive import source_files
    from kolabsim.report.experiment import Publication, runs_of_pages
    from kolabsim.report.output import REPORT, write_facts
    from kolabsim.report.provenance import Account, hash_request, study_provenance, time_facts
    from kolabsim.report.sweep import terminal_tables
    from kolabsim.study.execution import Progress
    from kolabsim.study.ledger import INPUT, PART, PUBLISHED
    from kolabsim.study.phases import PLANNING, REPORTING, SIMULATING

    ledger.refuse_other(found.identity)
    key, faults = hash_request(found, codes), ledger.mend(INPUT, PART, PUBLISHED)
    before, folder = ledger.published(key), ledger.folder
    console = terminal(sys.stdout)
    if before and not faults and not is_incomplete(ledger) and not how["retry_failed"]:
        text = _("All {number} runs were finished before. Report: {path}")
        number, path = before["runs_wanted"] - before["runs_failed"], (folder / REPORT).as_posix()
        console.print(text.format(number=number, path=path), soft_wrap=True)
        warn_of_failures(before["runs_failed"], folder)
        return
    whole, sources = Progress(0), source_files(found)
    ledger.write(sources, INPUT)
    wanted: dict[str, int] = {}
    failed: set[str] = set()

    def run(study: Study) -> Progress:
        phases.begin(SIMULATING)
        with show_progress() as progress:
            done = study.run(progress=progress, **how)
        phases.begin(PLANNING)
        for task in study.tasks:  # which other stages may want too
            wanted[task.hash] = max(study.runs, wanted.get(task.hash, 0))
        failed.update(failure.name for failure in study.failures())
        whole.wanted, whole.failed = sum(wanted.values()), len(failed)
        whole.done, whole.repaired = whole.done + done.done, whole.repaired + done.repaired
        whole.reused = whole.wanted - whole.done - whole.failed
        whole.simulating += done.simulating
        whole.storing += done.storing
        whole.writing += done.writing
        if found.kind != "comparison":
            warn_of_failures(done.failed, folder)
        return done

    def facts() -> dict[str, Any]:
        if before and not whole.done:  # what is written again is what it was
            return before
        return study_provenance(found, ledger, account(), codes) | {"source": next(iter(sources))}

    def account() -> Account:
        spent = phases.spent(whole, is_local=how["executor"] is None)
        return Account(command_line(), whole, spent)

    def begin() -> None:
        phases.begin(REPORTING)
        terminal().print(_("Writing the report ..."))

    pages = 2 * len(codes) * runs_of_pages(found) if codes else 0
    with ledger.publishing(key) as about, count_runs(pages) as progress:
        plan = Publication(found, folder, run, facts, codes, begin, progress)
        result, lines = plan.publish()
        if not before or whole.done:  # how long the report took is known when it is there
            plan.facts.update(time_facts(account()))
            write_facts(folder, plan.facts)
        about |= plan.facts
    if faults:  # of points that this experiment no longer has
        ledger.remove(ledger.faults(INPUT, PART))
    if isinstance(result, Comparison):
        text = _(
            "This is a thought experiment, not a prediction: compare strategies, and do not read "
            "single values as forecasts."
        )
        above, below = terminal_lines(result)
        for line in above:
            console.print(line, soft_wrap=True)
        console.print(terminal_table(found, result))
        for line in (*below, text):
            console.print(line, soft_wrap=True)
    if isinstance(result, SweepResult):
        for table in terminal_tables(found, result):
            console.print(report_table(table))
    for line in lines:
        console.print(line, soft_wrap=True)
    print_report_path(folder / REPORT)
    warn_of_failures(whole.failed, folder)
    if is_incomplete(ledger):
        raise typer.Exit(FAILED)


def is_incomplete(ledger: Ledger) -> bool:
    """Whether a page lacks a part, of which a warning was printed."""
    from kolabsim.report.html import FAILURES

    return any(name.startswith(f"{FAILURES}/") for name in ledger.files)


def codes_of(found: Experiment, regions: str | None) -> list[str]:
    """Return the codes of the regions that get a page: those typed, each once, or all."""
    from kolabsim.analysis.outlook import place_of

    if regions is None:
        return []
    if found.kind != "comparison":
        text = _("--{option} does not apply to a {kind}")
        raise InputError.of(text, option="regions", kind=_(found.kind))
    codes, problems = found.scenario.regions.codes, Problems()
    if regions.strip() == "all":
        return list(codes)
    chosen, wanted = [], [part.strip() for part in regions.split(",") if part.strip()]
    for code in wanted:
        try:
            chosen.append(codes[place_of(found.scenario, code)])
        except InputError as error:
            problems.found |= dict.fromkeys(error.problems)
    problems.raise_if_any()
    return list(dict.fromkeys(chosen))


def warn_of_failures(number: int, folder: Path) -> None:
    """Report failed runs, and exit with the code for them."""
    from kolabsim.study.record import FAILURES

    if number:
        message = _("{number} runs failed; see {folder}. Repeat them with --retry-failed.")
        where = (folder / FAILURES).as_posix()
        terminal().print(message.format(number=number, folder=where))
        raise typer.Exit(FAILED)


async def greet(address: str) -> None:
    """Exchange greetings with a scheduler; raise an error if it gives no answer.

    A client of Dask itself would wait without end for one that hangs.
    """
    from distributed.comm import connect
    from distributed.security import Security

    how = Security().get_connection_args("client")
    connection = await asyncio.wait_for(connect(address, timeout=PATIENCE, **how), PATIENCE + 1.0)
    connection.abort()


@contextmanager
def executor_at(address: str | None) -> Iterator[Cluster | None]:
    """Connect to the workers of a Dask scheduler; None for this machine."""
    if address is None:
        yield None
        return
    require("distributed", extra="cluster", what="--scheduler")
    from distributed import Client

    from kolabsim.study.cluster import Cluster

    # What goes wrong is reported here in sentences, without the tracebacks of Dask's log.
    for name in logging.root.manager.loggerDict:
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        asyncio.run(greet(address))
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except Exception as error:  # of any kind: what is wrong with an address depends on its scheme
        text = _("no Dask scheduler answers at {address} ({reason})")
        silence = _("no answer within {seconds} seconds").format(seconds=f"{PATIENCE:g}")
        reason = str(error) or silence
        raise InputError.of(text, address=address, reason=reason) from error
    with client:
        deadline = time.monotonic() + GRACE
        while not client.nthreads():
            if time.monotonic() > deadline:
                text = _(
                    "the Dask scheduler at {address} has no workers; start some, then type the "
                    "same command again: dask worker {address} --nthreads 1"
                )
                raise InputError.of(text, address=address)
            time.sleep(0.5)
        yield Cluster(client)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Treat a request to terminate like Ctrl-C: the study stops in order and keeps its runs."""

    def interrupt(*_signal: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
