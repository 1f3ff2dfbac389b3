"""``kolabsim run``: run an experiment and write its report."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kolabsim.cli.program import (
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
    print_report_path,
    show_progress,
    terminal,
    warn,
)
from kolabsim.errors import InputError, KolabsimError, Problems, require
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.report.provenance import Account
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.runner import Progress, Study

PATIENCE = 10.0
"""Seconds that a command waits for a scheduler to answer."""


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
        None, N_("Samples of a sensitivity or robustness experiment."), min=2
    ),
    quick: bool = typer.Option(False, "--quick", help=N_("Quick look with few runs and samples.")),
    plausible: int | None = number(
        None, N_("Plausible futures to add to those of the file."), min=0, max=100
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
    scheduler: str | None = typer.Option(
        None, metavar=N_("ADDRESS"), help=N_("Dask scheduler, such as tcp://host:8786.")
    ),
    workers: int | None = WORKERS,
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.report.output import check_folder, fresh_folder
    from kolabsim.scenario.notices import find_notices
    from kolabsim.study.experiment import Experiment

    started = time.perf_counter()
    changes = {
        "runs": runs, "seed": seed, "samples": samples, "plausible": plausible,
        "structures": "all" if structures else None,
    }  # fmt: skip
    found = Experiment.load(experiment, settings=parse_settings(settings), quick=quick, **changes)
    folder = out or Path("results") / found.name
    folder = fresh_folder(folder) if fresh else folder
    codes = codes_of(found, regions)
    check_folder(folder)
    for notice in find_notices(found.scenario):
        warn(notice.text)
    announce_compilation()  # before planning, which compiles a part of the model
    with executor_at(scheduler) as (executor, number), terminated_as_interrupted():
        simulate = partial(
            run_study, executor=executor, workers=workers or number, retry_failed=retry_failed
        )
        if found.kind == "comparison":
            run_comparison(found, folder, simulate, started, codes)
        else:
            run_experiment(found, folder, simulate, started)


def codes_of(found: Experiment, regions: str | None) -> list[str]:
    """Return the codes of the regions that get a page: those typed, each once, or all."""
    from kolabsim.analysis.region import place_of

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


def run_study(study: Study, **how: Any) -> Progress:
    """Run the missing part of a study and show its progress."""
    with show_progress() as progress:
        return study.run(progress=progress, **how)


def warn_of_failures(progress: Progress, folder: Path) -> None:
    """Report failed runs, and exit with the code for them."""
    if progress.failed:
        message = _("{number} runs failed; see {folder}. Repeat them with --retry-failed.")
        where = (folder / "failures").as_posix()
        terminal().print(message.format(number=progress.failed, folder=where))
        raise typer.Exit(FAILED)


def exit_if_incomplete(folder: Path) -> None:
    """Exit with the code for failures if a page lacks a part, of which a warning was printed."""
    from kolabsim.report.html import errors_file

    if any(errors_file(page).exists() for page in folder.glob("*.html")):
        raise typer.Exit(FAILED)


def account_for(progress: Progress, started: float) -> Account:
    """Account for this command, whose runs and report have just been made."""
    from kolabsim.report.provenance import Account

    seconds = {"wall": time.perf_counter() - started, "simulated": progress.simulated}
    return Account(command_line(), progress, seconds)


def run_experiment(
    experiment: Experiment, folder: Path, simulate: Callable[[Study], Progress], started: float
) -> None:
    """Run an experiment of any kind but a comparison, and write its report."""
    from kolabsim.analysis.run import run_experiment as run_to_result
    from kolabsim.report.experiment import publish_experiment
    from kolabsim.report.output import REPORT
    from kolabsim.study.runner import Progress

    whole = Progress(0)

    def run(study: Study) -> Progress:
        done = simulate(study)
        for name, value in vars(done).items():
            setattr(whole, name, getattr(whole, name) + value)
        warn_of_failures(done, folder)
        return done

    answer = run_to_result(experiment, folder, run)
    terminal().print(_("Writing the report ..."))
    first, *_rest = publish_experiment(experiment, answer, folder, account_for(whole, started))
    for paragraph in first.summary:
        terminal(sys.stdout).print(paragraph, soft_wrap=True)
    print_report_path(folder / REPORT)
    exit_if_incomplete(folder)


def run_comparison(
    found: Experiment,
    folder: Path,
    simulate: Callable[[Study], Progress],
    started: float,
    codes: list[str],
) -> None:
    """Run a comparison, and write its report and the pages of regions, unless they are there."""
    from kolabsim.report.comparison import terminal_table
    from kolabsim.report.output import REPORT, is_reported
    from kolabsim.study.runner import Study

    study, console = Study.plan(found, folder), terminal(sys.stdout)
    progress = simulate(study)
    if progress.done == 0 and is_reported(found, study, codes):
        text = _("All {number} runs were finished before. Report: {path}")
        path = (folder / REPORT).as_posix()
        console.print(text.format(number=progress.reused, path=path), soft_wrap=True)
    else:
        comparison = report_comparison(found, study, account_for(progress, started), codes)
        text = _(
            "This is a thought experiment, not a prediction: compare strategies, and do not read "
            "single values as forecasts."
        )
        console.print(terminal_table(found, comparison))
        console.print(text)
        print_report_path(folder / REPORT)
    warn_of_failures(progress, folder)
    exit_if_incomplete(folder)


def report_comparison(
    found: Experiment, study: Study, account: Account, codes: list[str]
) -> Comparison:
    """Compare the strategies of a finished study and write its report."""
    from kolabsim.analysis.comparison import compare, trait_shares
    from kolabsim.analysis.fairness import fairness
    from kolabsim.report.experiment import publish_comparison
    from kolabsim.study.collect import collect

    terminal().print(_("Comparing strategies and writing the report ..."))
    scenario, baseline = found.scenario, found.spec.baseline
    worlds, repeats = (32, 16) if found.spec.runs >= 100 else (8, 8)
    variance = or_warn(
        _("the share of the variance due to traits"),
        lambda: trait_shares(scenario, baseline, worlds=worlds, repeats=repeats, seed=found.seed),
    )
    results = collect(study, scenario, found.futures)
    comparison = compare(results, baseline=baseline)
    fair = None
    if len(scenario.regions) <= 40:  # of more, nobody reads who pays what in one run
        fair = or_warn(
            _("the cost shares in joint bodies"),
            lambda: fairness(scenario, comparison.order()[0], seed=found.seed),
        )
    pages = region_pages(found, comparison, study.folder, codes)
    publish_comparison(
        found, study, results, comparison, variance=variance, fair=fair, account=account,
        pages=pages,
    )  # fmt: skip
    return comparison


def region_pages(
    found: Experiment, comparison: Comparison, folder: Path, codes: list[str]
) -> dict[str, str]:
    """Write the pages of regions for the best strategy; return their addresses by code."""
    from kolabsim.analysis.region import region_outlook
    from kolabsim.files import link
    from kolabsim.report.provenance import provenance
    from kolabsim.report.region import page_names, write_region

    if not codes:
        return {}
    world = found.scenario.with_(found.futures[comparison.futures[0]])
    facts = provenance(command_line(), found.seed, world) | {"runs": found.spec.runs}
    made: dict[str, str] = {}
    names = page_names(world)
    each = 2 * found.spec.runs
    with count_runs(each * len(codes)) as progress:

        def show(done: int) -> None:
            progress(each * len(made) + done)

        for code in codes:
            outlook = region_outlook(
                world, code, comparison.order()[0], baseline=found.spec.baseline,
                runs=found.spec.runs, seed=found.seed, progress=show,
            )  # fmt: skip
            write_region(outlook, folder / names[code], facts=facts, workbook=True)
            made[code] = link(names[code])
    return made


def or_warn(what: str, work: Callable[[], pd.DataFrame]) -> pd.DataFrame | None:
    """Return a part of the report that needs more runs, or warn and return None if a run fails."""
    try:
        return work()
    except KolabsimError:
        raise
    except Exception as error:  # a user's rule may raise anything
        text = _("{what} is missing because a run failed ({error})")
        warn(text.format(what=what, error=f"{type(error).__name__}: {error}"))
        return None


@contextmanager
def executor_at(address: str | None) -> Iterator[tuple[Executor | None, int | None]]:
    """Connect to a Dask scheduler: its workers and their number, or None for this machine."""
    if address is None:
        yield None, None
        return
    require("distributed", extra="cluster", what="--scheduler")
    from distributed import Client

    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        text = _("no Dask scheduler answers at {address} ({reason})")
        raise InputError.of(text, address=address, reason=error) from error
    with client:
        number = sum(client.nthreads().values())
        if not number:
            text = _("the Dask scheduler at {address} has no workers")
            raise InputError.of(text, address=address)
        yield client.get_executor(), number


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
