"""What commands share: the application, options, and how things are printed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from kolabsim import __version__
from kolabsim.errors import (
    InputError,
    Problem,
    Problems,
    install_command,
    printable,
    shown,
    suggestion,
)
from kolabsim.i18n import N_, LanguageError, _, set_language

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from kolabsim.study.runner import Progress

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
"""Exit codes: some runs failed; an input or a disk is at fault; stopped before the end."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _say(code: str | None) -> None:
    if code is not None:
        try:
            set_language(code)
        except LanguageError as error:
            raise InputError([Problem(str(error))]) from None


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


Kind = TypeVar("Kind")


def one_of(word: str, choices: Mapping[str, Kind]) -> Kind:
    """The choice that a word names; another word is refused with the nearest spelling."""
    if word not in choices:
        text = _("'{word}' is not known here{hint}")
        text = text.format(word=word, hint=suggestion(word, choices))
        raise InputError([Problem(text)])
    return choices[word]


def parse_settings(settings: Sequence[str]) -> dict[str, object]:
    """Settings by dotted names from KEY=VALUE; a value is read as in a scenario file."""
    from kolabsim.scenario.source import read_value

    found, problems = {}, Problems()
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign or not key.strip():
            message = _("--set {setting}: write KEY=VALUE, such as parameters.quality_value=0.7")
            problems.add(message.format(setting=setting))
            continue
        wrong = Problems()
        value = read_value(text, wrong)
        for problem in wrong.found:
            message = _("--set {setting}: the value cannot be read: {reason}")
            problems.add(message.format(setting=setting, reason=problem.message))
        if value is not None:
            found[key.strip()] = value.plain()
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


def tell_report(path: Path) -> None:
    """Where a report is, and its tables for Excel, or what they need."""
    from kolabsim.report.workbook import is_possible

    console = terminal(sys.stdout)
    console.print(_("Report: {path}").format(path=path.as_posix()), soft_wrap=True)
    if is_possible():
        tables = path.with_suffix(".xlsx").as_posix()
        console.print(_("Its tables for Excel: {path}").format(path=tables), soft_wrap=True)
    else:
        text = _(
            "The tables were not written for Excel; that needs the extra '{extra}': {command}"
        ).format(extra="export", command=install_command("export"))
        console.print(text, soft_wrap=True)


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


def extension_announcer() -> Callable[[Path], None]:
    """What says, once for each file and what is in it, that somebody's program is about to run."""
    import hashlib

    told: set[tuple[Path, str]] = set()

    def announce(path: Path) -> None:
        try:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            return  # it cannot be run either
        if (path, content) not in told:
            told.add((path, content))
            message = _(
                "Running the extension {file} (SHA-256 {hash}): a program that may do whatever you "
                "may."
            )
            message = message.format(file=shown(path), hash=content)
            terminal().print(printable(message), soft_wrap=True)

    return announce


def show_warning(message: Warning | str, *_place: object) -> None:
    """Print a warning as a sentence, without the place in the code that gave it."""
    text = _("Warning: {message}").format(message=message)
    terminal().print(printable(text), soft_wrap=True)


def announce_compilation() -> None:
    """Say that the model is compiled, where no earlier process did it: it takes a while once."""
    from kolabsim.model.jit import is_compiled_before

    if not is_compiled_before():
        terminal().print(
            _("The model is being compiled, once for this version; this takes up to half a minute.")
        )
