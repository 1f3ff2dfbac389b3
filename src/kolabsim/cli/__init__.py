"""What people type: words become calls, and errors become sentences."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from kolabsim.cli import judging, looking, making, running, serving
from kolabsim.cli.shared import INTERRUPTED, REFUSED, app
from kolabsim.errors import InputError, KolabsimError, Problem, StoppedError
from kolabsim.language import LANGUAGES, _, set_language

if TYPE_CHECKING:
    import click

PARTS = (
    running.__name__, making.__name__, looking.__name__, serving.__name__, judging.__name__
)  # fmt: skip
"""Where commands are, in the order in which the help tells them."""

app.registered_commands.sort(key=lambda command: PARTS.index(command.callback.__module__))


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
