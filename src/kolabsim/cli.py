"""What people type: words become calls, and errors become sentences."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from kolabsim import __version__
from kolabsim.errors import (
    InputError,
    KolabsimError,
    Problem,
    Problems,
    StoppedError,
    suggestion,
)
from kolabsim.language import LANGUAGES, N_, _, set_language

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import click
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from kolabsim.analysis.compare import Comparison
    from kolabsim.show.folder import Account
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.kept import KeptStudy, Progress

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
"""Exit codes: some runs failed; an input or a disk is at fault; stopped before the end."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _say(code: str | None) -> None:
    if code is not None:
        set_language(code)


Language = Annotated[
    str | None,
    typer.Option("--lang", callback=_say, is_eager=True, help=N_("Language: en or id.")),
]
Settings = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help=N_("Change the scenario, by a dotted name.")),
]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"kolabsim {__version__}")
        raise typer.Exit


@app.callback(help=N_("Compare strategies by which regional governments come to share services."))
def _options(
    language: Language = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help=N_("Tell the version.")),
    ] = False,
) -> None:
    """Compare strategies by which regional governments come to share services."""


# run --------------------------------------------------------------------------------------------


@app.command(help=N_("Run an experiment: tables, figures and a report in one folder."))
def run(
    experiment: Annotated[str, typer.Argument(help=N_("Name, file or folder of an experiment."))],
    out: Annotated[
        Path | None,
        typer.Option("--out", help=N_("Folder of the results [default: results/NAME].")),
    ] = None,
    runs: Annotated[
        int | None, typer.Option(help=N_("Runs of each strategy in each future."))
    ] = None,
    seed: Annotated[int | None, typer.Option(help=N_("Seed of all draws."))] = None,
    settings: Settings = [],  # noqa: B006 (typer reads it, nobody changes it)
    fresh: Annotated[
        bool, typer.Option("--fresh", help=N_("Put the study into a new folder."))
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help=N_("Do runs again that failed before."))
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help=N_("Dask scheduler, such as tcp://host:8786.")),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help=N_("Threads that simulate [default: all cores]."))
    ] = None,
    language: Language = None,
) -> None:
    """Run an experiment, or what is missing of it, and write its report."""
    from kolabsim.show.folder import REPORT, Account, check_folder, fresh_folder, is_reported
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.kept import KeptStudy

    started = time.perf_counter()
    found = Experiment.load(experiment, settings=parse_settings(settings), runs=runs, seed=seed)
    folder = out or Path("results") / found.name
    folder = fresh_folder(folder) if fresh else folder
    check_folder(folder)
    warn_of_contacts(found)
    warn_of_rule(found)
    study = KeptStudy.plan(found, folder)
    announce_compilation()
    with executor_at(scheduler) as (executor, number), terminated_as_interrupted():
        progress = run_study(
            study, executor=executor, workers=workers or number, retry_failed=retry_failed
        )
    if progress.done == 0 and is_reported(found, study):
        text = _("All {number} runs were finished before. Report: {path}")
        path = (folder / REPORT).as_posix()
        terminal(sys.stdout).print(text.format(number=progress.reused, path=path), soft_wrap=True)
        warn_of_failures(progress, folder)
        return
    seconds = {"wall": time.perf_counter() - started, "simulated": progress.simulated}
    account = Account(typed(), progress, seconds)
    comparison = report_comparison(found, study, account)
    print_comparison(found, comparison, folder)
    warn_of_failures(progress, folder)


def warn_of_failures(progress: Progress, folder: Path) -> None:
    """Say that runs failed, also by the exit code."""
    if progress.failed:
        message = _("{number} runs failed; see {folder}, and --retry-failed does them again")
        where = (folder / "failures").as_posix()
        terminal().print(message.format(number=progress.failed, folder=where))
        raise typer.Exit(FAILED)


def run_study(study: KeptStudy, **how: object) -> Progress:
    """Do what is missing of a study, telling how far it is."""
    with progress_bar() as tell:
        return study.run(progress=tell, **how)


def report_comparison(found: Experiment, study: KeptStudy, account: Account) -> Comparison:
    """Compare the strategies of a study whose runs are finished, and publish it."""
    from kolabsim.analysis.compare import compare
    from kolabsim.analysis.fairness import fairness
    from kolabsim.analysis.variance import attributes_share, default_measures
    from kolabsim.show.folder import publish
    from kolabsim.study.joined import join

    terminal().print(_("Comparing strategies and writing the report ..."))
    worlds, repeats = (32, 16) if found.runs >= 100 else (8, 8)
    variance = unless_it_raises(
        _("the share of the variance that drawn attributes carry"),
        lambda: attributes_share(
            found.scenario, found.baseline, default_measures(), worlds=worlds, repeats=repeats,
            seed=found.seed,
        ),
    )  # fmt: skip
    results = join(study, found.scenario, found.futures)
    comparison = compare(results, baseline=found.baseline)
    # Of many regions, who pays what in one run is no longer something to read.
    few = len(found.scenario.regions) <= 40
    fair = None
    if few:
        fair = unless_it_raises(
            _("who pays what in joint bodies"),
            lambda: fairness(found.scenario, comparison.order()[0], seed=found.seed),
        )
    publish(found, study, results, comparison, variance=variance, fair=fair, account=account)
    return comparison


def unless_it_raises(what: str, work: Callable[[], pd.DataFrame]) -> pd.DataFrame | None:
    """A part of the report that needs runs of its own; None, and a word, where a run raises."""
    try:
        return work()
    except KolabsimError:
        raise
    except Exception as error:  # a user's rule may raise anything
        text = _("{what} is left out, because a run failed ({error})")
        message = text.format(what=what, error=f"{type(error).__name__}: {error}")
        terminal().print(_("Warning: {message}").format(message=message))
        return None


@contextmanager
def executor_at(address: str | None) -> Iterator[tuple[Executor | None, int | None]]:
    """The workers of a Dask scheduler and how many they are; None for this machine's cores."""
    if address is None:
        yield None, None
        return
    try:
        from distributed import Client
    except ImportError as error:
        text = _("--scheduler needs the extra 'cluster': pip install kolabsim[cluster]")
        raise InputError([Problem(text)]) from error
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        text = _("no Dask scheduler answers at {address} ({reason})")
        raise InputError([Problem(text.format(address=address, reason=error))]) from error
    with client:
        number = sum(client.nthreads().values())
        if not number:
            text = _("the Dask scheduler at {address} has no workers")
            raise InputError([Problem(text.format(address=address))])
        yield client.get_executor(), number


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let a request to terminate stop a study as Ctrl-C does: in order, keeping what is done."""

    def interrupt(*_signal: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def announce_compilation() -> None:
    """Say that the model is compiled, where no earlier process did it: it takes a while once."""
    from kolabsim.model.kernel import is_compiled_before

    if not is_compiled_before():
        terminal().print(
            _("The model is being compiled, once for this version; this takes up to half a minute.")
        )


def warn_of_contacts(study: Experiment) -> None:
    """Say which regions have no contact, or no land neighbour though areas spill over."""
    from kolabsim.world.world import without_neighbours

    lone, islands = without_neighbours(study.scenario)
    spills = any(area.spillover > 0.0 for area in study.scenario.areas.values())
    for codes, text in (
        (lone, _("{number} regions have no contact and stay alone: {codes}")),
        (
            islands if spills else [],
            _("{number} regions have no land neighbour, so nothing spills over to them: {codes}"),
        ),
    ):
        if codes:
            names = ", ".join(codes[:8]) + (" ..." if len(codes) > 8 else "")
            message = text.format(number=len(codes), codes=names)
            terminal().print(_("Warning: {message}").format(message=message))


def warn_of_rule(study: Experiment) -> None:
    """Say that a decision rule cannot be compiled, and why."""
    from kolabsim.world.world import build_rule

    rule, _settings = build_rule(study.scenario)
    if rule is not None and rule.obstacle:
        message = _(
            "decision rule {rule} cannot be compiled ({reason}): it runs in plain Python, in a "
            "process for each core, about a hundred times slower"
        ).format(rule=rule.name, reason=rule.obstacle)
        terminal().print(_("Warning: {message}").format(message=message))


def print_comparison(study: Experiment, comparison: Comparison, folder: Path) -> None:
    """The comparison as a table in the terminal, and where the rest of it is."""
    from kolabsim.show.report import terminal_table

    console = terminal(sys.stdout)
    console.print(terminal_table(study, comparison))
    console.print(
        _(
            "A thought experiment with stated assumptions, not a prediction: read the contrasts "
            "between strategies, not the levels."
        )
    )
    report = (folder / "report.html").as_posix()
    console.print(_("Report: {path}").format(path=report), soft_wrap=True)


# check ------------------------------------------------------------------------------------------


@app.command(help=N_("Check scenario and experiment files, and tell all their problems at once."))
def check(
    files: Annotated[list[str], typer.Argument(help=N_("Scenarios and experiments to check."))],
    language: Language = None,
) -> None:
    """Check scenario and experiment files, and tell all their problems at once."""
    problems = Problems()
    fine = []
    for name in files:
        try:
            fine.append((name, describe(name)))
        except InputError as error:
            for found in error.problems:
                problems.add(found.message, file=found.file, line=found.line, column=found.column)
    for name, text in fine:
        typer.echo(f"{name}: {text}")
    problems.raise_if_any()


def describe(name: str) -> str:
    """What a scenario or experiment is, in a line; its problems as an error."""
    from kolabsim.study.experiment import Experiment
    from kolabsim.world.reading import read_yaml
    from kolabsim.world.scenario import Scenario
    from kolabsim.world.world import build_rule

    path = Path(name)
    if path.is_dir():
        path = path / "experiment.yaml"
    tree = read_yaml(path, Problems()) if path.is_file() else None
    if tree is not None and tree.get("kind") is not None:
        study = Experiment.load(path)
        text = _("a comparison of {strategies} strategies, {runs} runs each, in {scenario}")
        return text.format(
            strategies=len(study.strategies), runs=study.runs, scenario=study.scenario.name
        )
    scenario = Scenario.load(name if tree is None else path)
    if not scenario.extensions:
        build_rule(scenario)
    text = _("a scenario of {regions} regions, {areas} service areas and {strategies} strategies")
    return text.format(
        regions=len(scenario.regions),
        areas=len(scenario.areas),
        strategies=len(scenario.strategies),
    )


# verify and results -----------------------------------------------------------------------------


@app.command(help=N_("Do a sample of a study's runs again, and compare every bit."))
def verify(
    folder: Annotated[Path, typer.Argument(help=N_("Folder of the results."))],
    sample: Annotated[int, typer.Option(min=1, help=N_("Runs to do again."))] = 20,
    language: Language = None,
) -> None:
    """Do a sample of a study's runs again, and compare every bit."""
    from kolabsim.study import verify as verifying

    announce_compilation()
    verdict = verifying.verify(folder, sample=sample)
    for name in verdict.strangers:
        typer.echo(_("the kept inputs of {point} are not those of its runs").format(point=name))
    for strategy, future, run_number, measure in verdict.differing:
        text = _("{strategy}, {future}, run {run}: {measure} differs")
        typer.echo(text.format(strategy=strategy, future=future, run=run_number, measure=measure))
    if not verdict.is_good:
        typer.echo(
            _(
                "Not the same to the last bit: the results were changed, or another machine's "
                "mathematics differ in the last digit."
            )
        )
        raise typer.Exit(FAILED)
    text = _("{number} runs done again: the same to the last bit.")
    typer.echo(text.format(number=verdict.checked))


@app.command(help=N_("Export a study's results for other tools."))
def results(
    folder: Annotated[Path, typer.Argument(help=N_("Folder of the results."))],
    to: Annotated[str, typer.Option(help=N_("csv, parquet or netcdf."))] = "csv",
    out: Annotated[
        Path | None, typer.Option(help=N_("Folder to write to [default: FOLDER/export]."))
    ] = None,
    language: Language = None,
) -> None:
    """Export a study's results for other tools."""
    from kolabsim.study.export import FORMATS, export

    one_of(to, dict.fromkeys(FORMATS))
    for path in export(folder, to=to, out=out or folder / "export"):
        typer.echo(path.as_posix())


# evidence ---------------------------------------------------------------------------------------


@app.command(help=N_("Judge the model by published facts: which it reproduces, and which not."))
def evidence(
    out: Annotated[Path, typer.Option("--out", help=N_("Folder of the results."))] = Path(
        "results/evidence"
    ),
    quick: Annotated[
        bool, typer.Option("--quick", help=N_("A quick look, with few runs and wide intervals."))
    ] = False,
    runs: Annotated[int | None, typer.Option(min=2, help=N_("Runs of each setting."))] = None,
    seed: Annotated[int, typer.Option(min=0, help=N_("Seed of all draws."))] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help=N_("Threads that simulate [default: all cores]."))
    ] = None,
    futures: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100,
            help=N_("Plausible futures to look at the facts in too [default: 20; quick: none]."),
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help=N_("Folder of samples of real regions, to judge it by too."))
    ] = None,
    language: Language = None,
) -> None:
    """Judge the model by published facts: which it reproduces, and which not."""
    from kolabsim.evidence.scorecard import FEW, FUTURES, QUICK, runs_needed, score
    from kolabsim.model.kernel import digest
    from kolabsim.show import scorecard
    from kolabsim.show.samples import RUNS, read_samples, sample_sections, without_samples
    from kolabsim.world.futures import plausible_sets

    if data is not None:
        needs_learning("--data")
    samples = None if data is None else read_samples(data)
    runs = runs or (QUICK if quick else runs_needed())
    elsewhere = plausible_sets()[: (0 if quick else FUTURES) if futures is None else futures]
    announce_compilation()
    with counting_bar(runs + FEW * len(elsewhere)) as tell:
        findings = score(runs=runs, seed=seed, elsewhere=elsewhere, threads=workers, progress=tell)
    more = [without_samples()]
    if samples is not None:
        sampled = RUNS // 10 if quick else RUNS
        with counting_bar(sampled + sampled // 4) as tell:
            more = sample_sections(samples, out, runs=sampled, threads=workers, progress=tell)
    lines = [
        _("{number} runs of each setting").format(number=runs),
        _("{number} plausible futures").format(number=len(elsewhere)),
        _("seed {seed}").format(seed=seed),
        _("model {hash}").format(hash=digest()),
    ]
    scorecard.write_file(findings, out / "scorecard.csv")
    page = scorecard.write_page(findings, out / "evidence.html", lines=lines, more=more)
    console = terminal(sys.stdout)
    console.print(scorecard.terminal_table(findings))
    console.print(scorecard.tally(findings))
    console.print(_("Report: {path}").format(path=page.as_posix()), soft_wrap=True)


@app.command(help=N_("Find the parameter sets that agree with the facts for calibration."))
def calibrate(
    out: Annotated[Path, typer.Option("--out", help=N_("Folder of the results."))] = Path(
        "results/calibration"
    ),
    sets: Annotated[int, typer.Option(min=10, help=N_("Parameter sets to find."))] = 100,
    most: Annotated[
        int, typer.Option(min=10, help=N_("Parameter sets to look at before giving up."))
    ] = 50_000,
    seed: Annotated[int, typer.Option(min=0, help=N_("Seed of all draws."))] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help=N_("Threads that simulate [default: all cores]."))
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option(
            help=N_("Instead, choose areas and parameters on the Dutch sample in this folder.")
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help=N_("Rounds of that choice."))] = 30,
    language: Language = None,
) -> None:
    """Find the parameter sets that agree with the facts for calibration."""
    if network is not None:
        choose_on(network, out, rounds=rounds, seed=seed, threads=workers)
        return
    from kolabsim.evidence.calibration import Narrowed
    from kolabsim.evidence.calibration import calibrate as search
    from kolabsim.show.scorecard import (
        identification_table,
        structures_table,
        write_identified,
    )
    from kolabsim.study.store import write_whole
    from kolabsim.world.futures import FILE, as_text

    def tell(one: Narrowed) -> None:
        text = _("{number} of {wanted} sets found, {drawn} looked at")
        line = text.format(number=len(one.points), wanted=sets, drawn=one.drawn)
        terminal().print(line, end="\r" if terminal().is_terminal else "\n")

    announce_compilation()
    found = search(sets=sets, most=most, seed=seed, threads=workers, progress=tell)
    if not found.futures:
        raise InputError([Problem(_("no parameter set agrees with all facts"))])
    write_whole(out / FILE, as_text(found.futures).encode())
    write_identified(found, out / "identified.csv")
    console = terminal(sys.stdout)
    console.print(identification_table(found.said))
    console.print(structures_table(found.agreeing))
    text = _("{number} of {all} sets agree with all facts for calibration; they are in {path}")
    path = (out / FILE).as_posix()
    text = text.format(number=len(found.futures), all=found.narrowed.drawn, path=path)
    console.print(text, soft_wrap=True)


def choose_on(data: Path, out: Path, *, rounds: int, seed: int, threads: int | None) -> None:
    """Choose what the Dutch sample leaves open, and write it as settings of a scenario."""
    import yaml

    from kolabsim.evidence.choosing import Loss, choose
    from kolabsim.evidence.netherlands import read_netherlands
    from kolabsim.study.store import write_whole

    needs_learning("--network")
    sample = read_netherlands(data)

    def tell(number: int, best: Loss) -> None:
        text = _("round {number} of {rounds}: {loss}")
        text = text.format(number=number, rounds=rounds, loss=f"{best.all:.1f}")
        terminal().print(text, end="\r" if terminal().is_terminal else "\n")

    announce_compilation()
    found = choose(sample, rounds=rounds, seed=seed, threads=threads, progress=tell)
    path = out / "chosen.yaml"
    rounded = {name: float(f"{value:.3g}") for name, value in found.items()}
    write_whole(path, yaml.safe_dump(rounded, sort_keys=False).encode())
    typer.echo(path.as_posix())


def needs_learning(option: str) -> None:
    """Refuse an option that needs an extra which is not installed."""
    if find_spec("sklearn") is None:
        text = _("{option} needs the extra 'evidence': pip install kolabsim[evidence]")
        raise InputError([Problem(text.format(option=option))])


# list and schema --------------------------------------------------------------------------------


@app.command("list", help=N_("List scenarios, experiments, strategies, factors or measures."))
def list_(
    what: Annotated[
        str, typer.Argument(help=N_("scenarios, experiments, strategies, factors or measures."))
    ],
    scenario: Annotated[
        str, typer.Option(help=N_("Scenario whose strategies and factors are listed."))
    ] = "kartamantul",
    language: Language = None,
) -> None:
    """List scenarios, strategies, factors, measures or experiments."""
    tables: dict[str, Callable[[], Table]] = {
        "scenarios": scenario_table,
        "experiments": experiment_table,
        "strategies": lambda: strategy_table(scenario),
        "factors": lambda: factor_table(scenario),
        "measures": measure_table,
    }
    terminal(sys.stdout).print(one_of(what, tables)())


def scenario_table() -> Table:
    """Scenarios that ship with kolabsim."""
    from kolabsim.language import language
    from kolabsim.world.scenario import Scenario, shipped_names

    table = plain_table(_("scenario"), _("regions"), _("areas"), _("title"))
    for name in shipped_names("scenarios"):
        found = Scenario.load(name)
        table.add_row(name, str(len(found.regions)), str(len(found.areas)), found.title(language()))
    return table


def experiment_table() -> Table:
    """Experiments that ship with kolabsim."""
    from kolabsim.language import language
    from kolabsim.study.experiment import Experiment
    from kolabsim.world.scenario import shipped_names

    table = plain_table(_("experiment"), _("scenario"), _("question"))
    for name in shipped_names("experiments"):
        found = Experiment.load(name)
        table.add_row(name, found.scenario.name, found.question(language()))
    return table


def strategy_table(scenario: str) -> Table:
    """Strategies of a scenario."""
    from kolabsim.language import language
    from kolabsim.world.scenario import Scenario

    table = plain_table(_("strategy"), _("title"), _("what is done"))
    for name, found in Scenario.load(scenario).strategies.items():
        table.add_row(name, found.title(language()), found.description(language()))
    return table


def factor_table(scenario: str) -> Table:
    """What can be varied: parameters, attributes of areas, and institutions."""
    from kolabsim.model.areas import AREA_ATTRIBUTES
    from kolabsim.model.extension import RULES
    from kolabsim.model.levers import FORMS
    from kolabsim.model.parameters import PARAMETERS
    from kolabsim.model.rules import BUILT_IN
    from kolabsim.world.futures import STRUCTURES
    from kolabsim.world.scenario import Scenario

    found = Scenario.load(scenario)
    head = (_("factor"), _("default"), _("range"), _("unit"), _("meaning"), _("source"))
    table = plain_table(*head)

    def row(name: str, value: float, low: float, high: float, *texts: str) -> None:
        table.add_row(name, f"{value:g}", f"{low:g} .. {high:g}", *texts)

    for name, entry in PARAMETERS.items():
        source = _(entry.source) if entry.source == "assumed" else entry.source
        row(f"parameters.{name}", entry.default, entry.low, entry.high, entry.unit,
            _(entry.meaning), source)  # fmt: skip
    for rule in BUILT_IN:
        for name, entry in RULES[rule].parameters.items():
            row(f"parameters.{rule}.{name}", entry.default, entry.low, entry.high, entry.unit,
                _(entry.meaning), _(entry.source))  # fmt: skip
    for area, values in found.areas.items():
        for name, entry in AREA_ATTRIBUTES.items():
            value = getattr(values, name)
            row(f"areas.{area}.{name}", value, value / 2, value * 2, entry.unit,
                _(entry.meaning), values.source)  # fmt: skip
    for name, words in (("form", FORMS), *STRUCTURES.items()):
        table.add_row(name, getattr(found, name), " | ".join(words), "", _("institution"), "")
    table.add_row("cap", str(found.cap), "2 .. 16", _("regions"), _("most members of a body"), "")
    return table


def measure_table() -> Table:
    """Measures: what comes out."""
    from kolabsim.model.measures import MEASURES, REGION_MEASURES

    table = plain_table(_("measure"), _("unit"), _("by region"), _("meaning"))
    for name, entry in (MEASURES | REGION_MEASURES).items():
        by_region = _("yes") if name in REGION_MEASURES else ""
        table.add_row(name, _(entry.unit), by_region, _(entry.meaning))
    return table


@app.command(
    help=N_("Print the JSON Schema of a kind of file, for editors that complete and check it.")
)
def schema(
    kind: Annotated[str, typer.Argument(help=N_("scenario or experiment."))] = "scenario",
    language: Language = None,
) -> None:
    """Print the JSON Schema of scenario or experiment files, for editors that complete them."""
    from kolabsim.study import experiment
    from kolabsim.world import scenario

    shapes = {"scenario": scenario.schema, "experiment": experiment.schema}
    typer.echo(json.dumps(one_of(kind, shapes)(), indent=1, ensure_ascii=False))


# What commands share ------------------------------------------------------------------------------


Kind = TypeVar("Kind")


def one_of(word: str, choices: Mapping[str, Kind]) -> Kind:
    """The choice that a word names; another word is refused with the nearest spelling."""
    if word not in choices:
        text = _("'{word}' is not known here{hint}")
        text = text.format(word=word, hint=suggestion(word, choices))
        raise InputError([Problem(text)])
    return choices[word]


def parse_settings(settings: Sequence[str]) -> dict[str, object]:
    """Settings by dotted names from KEY=VALUE; a value is read as YAML reads it."""
    import yaml

    found, problems = {}, Problems()
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign or not key.strip():
            message = _("--set {setting}: write KEY=VALUE, such as parameters.quality_value=0.7")
            problems.add(message.format(setting=setting))
            continue
        try:
            found[key.strip()] = yaml.safe_load(text)
        except yaml.YAMLError:
            message = _("--set {setting}: the value cannot be read")
            problems.add(message.format(setting=setting))
    problems.raise_if_any()
    return found


def typed() -> str:
    """The command as it was typed."""
    import shlex

    return shlex.join(["kolabsim", *sys.argv[1:]])


def terminal(stream: object = None) -> Console:
    """Where to print: messages go to stderr, results to stdout."""
    from rich.console import Console

    stream = stream or sys.stderr
    is_terminal = stream.isatty()
    return Console(
        file=stream, highlight=False, width=None if is_terminal else 160, emoji=False, markup=False
    )


def plain_table(*columns: str) -> Table:
    """A table with only a line under its head."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None]]:
    """Show how many runs are done, how fast, how long it takes, and failures, if one sees it."""
    console = terminal()
    if not console.is_terminal:
        yield lambda _state: None
        return
    from rich import progress

    shown = progress.Progress(
        progress.TextColumn("{task.description}"), progress.BarColumn(),
        progress.MofNCompleteColumn(), progress.TextColumn("{task.fields[told]}"),
        progress.TimeRemainingColumn(), console=console, transient=True,
    )  # fmt: skip
    started = time.perf_counter()
    with shown as bar:
        task = bar.add_task(_("runs"), total=None, told="")

        def tell(state: Progress) -> None:
            speed = (state.done + state.failed) / (time.perf_counter() - started)
            told = _("{number} a second").format(number=f"{speed:,.0f}")
            if state.failed:
                told += ", " + _("{number} failed").format(number=state.failed)
            bar.update(task, total=state.wanted, completed=state.wanted - state.left, told=told)

        yield tell


@contextmanager
def counting_bar(number: int) -> Iterator[Callable[[int], None]]:
    """Show how many of a number of runs are done, if one sees it."""
    console = terminal()
    if not console.is_terminal:
        yield lambda _done: None
        return
    from rich.progress import Progress as Bar

    with Bar(console=console, transient=True) as bar:
        task = bar.add_task(_("runs"), total=number)
        yield lambda done: bar.update(task, completed=done)


def command_in_language(words: Sequence[str]) -> click.Command:
    """The command with its help in the language that the words ask for."""
    for word, value in zip(words, [*words[1:], ""], strict=True):
        code = value if word == "--lang" else word.removeprefix("--lang=")
        if code != word and code in LANGUAGES:
            set_language(code)
    command = typer.main.get_command(app)
    for part in (command, *command.commands.values()):
        if part.help:
            part.help = _(part.help)
        for parameter in part.params:
            if getattr(parameter, "help", None):
                parameter.help = _(parameter.help)
    return command


def main() -> None:
    """Entry point: exit code 0, or 2 with a sentence where an input or a disk is at fault."""
    try:
        words = sys.argv[1:] or ["--help"]
        # Not standalone, so that what is refused is told here, in one voice.
        code = command_in_language(words).main(words, prog_name="kolabsim", standalone_mode=False)
    except KolabsimError as error:
        typer.echo(str(error), err=True)
        code = INTERRUPTED if isinstance(error, StoppedError) else REFUSED
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(_("Interrupted."), err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        # Who reads has seen enough; do not fail again when Python closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if not hasattr(error, "format_message"):  # errors of usage, which typer raises
            raise
        typer.echo(str(InputError([Problem(error.format_message())])), err=True)
        code = REFUSED
    sys.exit(code or 0)
