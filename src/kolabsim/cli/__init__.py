"""The command line: one module for each command, and :func:`main`, which runs them."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import typer

from kolabsim.cli.program import INTERRUPTED, REFUSED, program
from kolabsim.cli.terminal import extension_announcer, show_warning
from kolabsim.errors import InputError, KolabsimError, Problem, StoppedError
from kolabsim.i18n import LANGUAGES, _, set_language
from kolabsim.model.load import witnesses

if TYPE_CHECKING:
    import click

COMMANDS = (
    "run", "verify", "results", "new", "region", "check", "list", "schema", "graph", "app",
    "evidence", "calibrate",
)  # fmt: skip
"""Modules of this package that each add a command, in the order in which the help lists them."""

for _name in COMMANDS:
    import_module(f"kolabsim.cli.{_name}")


def command_in_language(words: Sequence[str]) -> click.Command:
    """The command with its help in the language that the words ask for."""
    for word, value in zip(words, [*words[1:], ""], strict=True):
        code = value if word == "--lang" else word.removeprefix("--lang=")
        if code != word and code in LANGUAGES:
            set_language(code)
    command = typer.main.get_command(program)
    for part in (command, *command.commands.values()):
        if part.help:
            part.help = _(part.help)
        for parameter in part.params:
            if getattr(parameter, "help", None):
                parameter.help = _(parameter.help)
    return command


def reason_of(error: OSError) -> str:
    """What a disk, or whatever else is not kolabsim's, has refused."""
    reason = error.strerror or str(error)
    return reason if error.filename is None else f"{os.fsdecode(error.filename)}: {reason}"


def discard_output() -> None:
    """Let Python not fail again when it closes an output that takes no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Entry point: exit code 0, or 2 with a sentence where an input or a disk is at fault."""
    if hasattr(sys.stdout, "reconfigure"):
        # A letter that the terminal's encoding lacks is no reason to stop.
        sys.stdout.reconfigure(errors="backslashreplace")
    announce, show = extension_announcer(), warnings.showwarning
    warnings.showwarning = show_warning
    witnesses.append(announce)
    try:
        words = sys.argv[1:] or ["--help"]
        # Not standalone, so that what is refused is told here, in one voice.
        code = command_in_language(words).main(words, prog_name="kolabsim", standalone_mode=False)
        sys.stdout.flush()
    except KolabsimError as error:
        typer.echo(str(error), err=True)
        code = INTERRUPTED if isinstance(error, StoppedError) else REFUSED
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(_("Interrupted."), err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        discard_output()  # who reads has seen enough
        code = 0
    except OSError as error:
        if error.errno == errno.ENOSPC and error.filename is None:
            discard_output()
        typer.echo(str(KolabsimError(reason_of(error))), err=True)
        code = REFUSED
    except MemoryError:
        typer.echo(_("This machine has too little memory for that."), err=True)
        code = REFUSED
    except Exception as error:
        if not hasattr(error, "format_message"):  # errors of usage, which typer raises
            raise
        typer.echo(str(InputError([Problem(error.format_message())])), err=True)
        code = REFUSED
    finally:
        witnesses.remove(announce)
        warnings.showwarning = show
    sys.exit(code or 0)
