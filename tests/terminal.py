"""The command line as a user meets it: in this process, which is quick, or in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path
from unittest import mock

from click import Command
from typer.main import get_command

from kolabsim import i18n


def kolabsim(
    *words: object, folder: Path, typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, in a folder, and return its exit code and what it printed.

    ``typed`` is what the user answers when asked.
    """
    from kolabsim.cli import main, typer

    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", ["kolabsim", *map(str, words)]),
        mock.patch.object(sys, "stdin", io.StringIO(typed)),
        mock.patch.object(i18n, "_chosen", []),
        mock.patch.object(typer.main, "get_command", built),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        warnings.resetwarnings()
        warnings.simplefilter("default")
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def built(_program: object) -> Command:
    """All commands, which tests build once in each language."""
    return built_in(i18n.language())


@cache
def built_in(_language: str) -> Command:
    from kolabsim.cli import program

    return get_command(program)


def kolabsim_process(
    *words: object, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own: where signals, streams or a fresh start matter."""
    return subprocess.run(
        [sys.executable, "-m", "kolabsim", *map(str, words)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
