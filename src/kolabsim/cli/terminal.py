"""How commands print: consoles, tables, progress, warnings and announcements."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from kolabsim.errors import InputError, install_command, printable, shown
from kolabsim.i18n import _
from kolabsim.model.load import listeners

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from kolabsim.report.page import Table as ReportTable
    from kolabsim.study.execution import Progress
    from kolabsim.study.sweep import Cost


def terminal(stream: TextIO | None = None) -> Console:
    """Return a console: for messages on stderr, or for results on the stream given."""
    from rich.console import Console

    stream = stream or sys.stderr
    width = None if stream.isatty() else 160
    return Console(file=stream, highlight=False, width=width, emoji=False, markup=False)


def warn(message: Warning | str, *_place: Any, **_more: Any) -> None:
    """Print a warning, without the place in the code that ``warnings.showwarning`` passes on."""
    text = _("Warning: {message}").format(message=message)
    terminal().print(printable(text), soft_wrap=True)


def print_over(line: str) -> None:
    """Print progress over the line before it, or below it where that is impossible."""
    console = terminal()
    console.print(line, end="\r" if console.is_terminal else "\n")


def print_report_path(path: Path) -> None:
    """Print the paths of a report and of its workbook, or how to get workbooks."""
    from kolabsim.report.workbook import is_possible

    console, tables = terminal(sys.stdout), path.with_suffix(".xlsx").as_posix()
    console.print(_("Report: {path}").format(path=path.as_posix()), soft_wrap=True)
    text = _("The tables were not written for Excel; that needs the extra '{extra}': {command}")
    text = text.format(extra="export", command=install_command("export"))
    if is_possible():
        text = _("Its tables for Excel: {path}").format(path=tables)
    console.print(text, soft_wrap=True)


def plain_table(*columns: str) -> Table:
    """Return an empty table with only a line under its header."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def report_table(table: ReportTable) -> Table:
    """Return a table of a report in short, each cell in one line."""
    from rich import box
    from rich.table import Table

    found = Table(title=table.caption, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for k, head in enumerate(table.head):
        found.add_column(head, justify="right" if k else "left", overflow="fold")
    for title, cells in table.rows:
        found.add_row(title, *(cell.line for cell in cells))
    return found


def describe_cost(cost: Cost) -> str:
    """Say what a sweep takes, before it starts."""
    from kolabsim.figures.formatting import count, significant

    text = _(
        "{points} points in {futures} futures, {runs} runs each: {total} runs in all, about "
        "{minutes} minutes of one core."
    )
    minutes = significant(max(cost.seconds / 60.0, 0.1), 1)
    numbers = {name: count(getattr(cost, name)) for name in ("points", "futures", "runs", "total")}
    return text.format(minutes=minutes, **numbers)


@contextmanager
def show_progress() -> Iterator[Callable[[Progress], None]]:
    """Show the progress, speed, remaining time and failures of a study on a terminal."""
    console = terminal()
    if not console.is_terminal:
        yield lambda _state: None
        return
    from rich import progress

    from kolabsim.figures.formatting import decimal

    bar = progress.Progress(
        progress.TextColumn("{task.description}"), progress.BarColumn(),
        progress.MofNCompleteColumn(), progress.TextColumn("{task.fields[speed]}"),
        progress.TimeRemainingColumn(), console=console, transient=True,
    )  # fmt: skip
    started = time.perf_counter()
    with bar:
        task = bar.add_task(_("runs"), total=None, speed="")

        def update(state: Progress) -> None:
            rate = (state.done + state.failed) / (time.perf_counter() - started)
            speed = _("{number} a second").format(number=decimal(rate, 0))
            if state.failed:
                speed += ", " + _("{number} failed").format(number=state.failed)
            bar.update(task, total=state.wanted, completed=state.wanted - state.left, speed=speed)

        yield update


@contextmanager
def count_runs(number: int) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many of ``number`` runs are done."""
    console = terminal()
    if not console.is_terminal:
        yield lambda _done: None
        return
    from rich.progress import Progress as Bar

    with Bar(console=console, transient=True) as bar:
        task = bar.add_task(_("runs"), total=number)
        yield lambda done: bar.update(task, completed=done)


def extension_announcer() -> Callable[[Path], None]:
    """Return a function that announces each version of an extension once, before it runs."""
    announced: set[str] = set()  # by content: a copy of a program is that program

    def announce(path: Path) -> None:
        try:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            return  # it cannot be run either
        if content not in announced:
            announced.add(content)
            message = _(
                "Running the extension {file} (SHA-256 {hash}): a program that may do whatever you "
                "may."
            )
            message = message.format(file=shown(path), hash=content)
            terminal().print(printable(message), soft_wrap=True)

    return announce


@contextmanager
def guarded(is_allowed: bool) -> Iterator[None]:
    """Refuse extensions that would run within the block, unless they are allowed."""

    def refuse(path: Path) -> None:
        hash = hashlib.sha256(path.read_bytes()).hexdigest()
        text = _(
            "this program comes with the folder and could do whatever you may (SHA-256 {hash}); "
            "read it, then add --allow-extensions"
        )
        raise InputError.of(text, shown(path), hash=hash)

    if not is_allowed:
        listeners.insert(0, refuse)
    try:
        yield
    finally:
        if not is_allowed:
            listeners.remove(refuse)


def announce_compilation() -> None:
    """Announce that the model must be compiled, unless an earlier process has done it."""
    from kolabsim.model.jit import is_compiled_before

    text = _("The model is being compiled, once for this version; this takes about a minute.")
    if not is_compiled_before():
        terminal().print(text)
