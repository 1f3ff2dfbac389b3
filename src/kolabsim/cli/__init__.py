"""The command line: one module for each command, and :func:`main`, which runs them."""

from __future__ import annotations

import atexit
import errno
import gc
import io
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import typer

from kolabsim.cli.program import INTERRUPTED, REFUSED, program
from kolabsim.cli.terminal import extension_announcer, warn
from kolabsim.errors import KolabsimError, StoppedError
from kolabsim.i18n import LANGUAGES, _, set_language
from kolabsim.model.load import listeners

COMMANDS = (
    "run", "verify", "results", "new", "region", "why", "check", "list", "schema", "graph", "app",
    "evidence", "calibrate",
)  # fmt: skip
"""Modules of this package that each add a command, in the order in which the help lists them."""

COLLECTING = 5_000
"""New objects after which Python looks for garbage. A short command makes hundreds of thousands of
objects that stay: looking after every 700, and again at the end, took a third of its time."""

for _name in COMMANDS:
    import_module(f"kolabsim.cli.{_name}")


def set_typed_language(words: Sequence[str]) -> None:
    """Speak the language that the words ask for, also where ``--help`` stands before it."""
    for word, value in zip(words, [*words[1:], ""], strict=False):
        code = value if word == "--lang" else word.removeprefix("--lang=")
        if code != word and code in LANGUAGES:
            set_language(code)


def open_streams() -> None:
    """Open the streams with which a service or ``>&-`` started the command closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115


def discard_output(file: int) -> None:
    """Redirect a stream, so that Python does not fail again when it writes there or closes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), file)


class LossyFile(io.FileIO):
    """A file of a stream that loses what cannot be written, so that the command goes on."""

    losses: type[OSError] = OSError

    def write(self, data: Any) -> int:
        """Write bytes, or lose them."""
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except self.losses:
            discard_output(self.fileno())
            return memoryview(data).nbytes


class PipedFile(LossyFile):
    """One that loses only what nobody reads: results that find a full disk are a fault."""

    losses = BrokenPipeError


def outlast_readers() -> None:
    """Let no command stop because nobody reads what it prints, or its messages have no room."""
    for name, kind in (("stdout", PipedFile), ("stderr", LossyFile)):
        stream = getattr(sys, name)
        buffer = getattr(stream, "buffer", None)
        raw = getattr(buffer, "raw", buffer)
        if type(raw) is io.FileIO:  # not a console of Windows, nor what a program put there
            stream.flush()
            file = io.BufferedWriter(kind(os.dup(raw.fileno()), "wb"))
            text = io.TextIOWrapper(
                file, stream.encoding, stream.errors, line_buffering=stream.line_buffering
            )
            setattr(sys, name, text)


def main() -> None:
    """Run the command that was typed, and exit with its code.

    The code is 0 if all went well, 1 if some runs failed or a part of a report is missing, 2 with a
    message on stderr if an input or a disk is at fault, and 130 if the command was interrupted.
    """
    gc.set_threshold(COLLECTING)
    atexit.register(gc.freeze)
    open_streams()
    outlast_readers()
    if hasattr(sys.stdout, "reconfigure"):
        # Characters that the encoding of the terminal lacks must not stop a command.
        sys.stdout.reconfigure(errors="backslashreplace")
    # Its advice on folders for its own cache is for programmers, and concerns no result.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    announce, show = extension_announcer(), warnings.showwarning
    warnings.showwarning = warn
    listeners.append(announce)
    try:
        words = sys.argv[1:]
        set_typed_language(words)
        # Not standalone, so that all errors are printed here, in one way.
        command = typer.main.get_command(program)
        code = command.main(words, prog_name="kolabsim", standalone_mode=False)
        sys.stdout.flush()
    except KolabsimError as error:
        typer.echo(str(error), err=True)
        code = INTERRUPTED if isinstance(error, StoppedError) else REFUSED
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(_("Interrupted."), err=True)
        code = INTERRUPTED
    except OSError as error:
        if error.errno == errno.ENOSPC and error.filename is None:
            discard_output(sys.stdout.fileno())
        reason = error.strerror or str(error)
        if error.filename is not None:
            reason = f"{os.fsdecode(error.filename)}: {reason}"
        typer.echo(str(KolabsimError(reason)), err=True)
        code = REFUSED
    except MemoryError:
        typer.echo(_("This machine has too little memory for that."), err=True)
        code = REFUSED
    finally:
        listeners.remove(announce)
        warnings.showwarning = show
    sys.exit(code or 0)
