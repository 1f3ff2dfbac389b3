"""The program that commands join, the options that they share, and how their values are read."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from kolabsim import __version__
from kolabsim.cli.help import NUMBER, Program
from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import N_, LanguageError, _, set_language

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
"""Exit codes: some runs failed; an input or a disk is at fault; stopped before the end."""

program = Program()
"""All commands; each module of this package adds its own."""

Choice = TypeVar("Choice")


def _set_language(code: str | None) -> None:
    if code is not None:
        try:
            set_language(code)
        except LanguageError as error:
            raise InputError([Problem(str(error))]) from None


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"kolabsim {__version__}")
        raise typer.Exit


Language = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar=N_("CODE"),
        callback=_set_language,
        is_eager=True,
        help=N_("Language: en or id."),
    ),
]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar=N_("KEY=VALUE"),
        help=N_("Change a setting of the scenario, by its dotted name."),
    ),
]
ScenarioName = Annotated[
    str, typer.Argument(metavar=N_("SCENARIO"), help=N_("Name or file of a scenario."))
]
StrategyName = Annotated[
    str, typer.Argument(metavar=N_("STRATEGY"), help=N_("Name of one of its strategies."))
]
Seed = Annotated[int, typer.Option(min=0, metavar=NUMBER, help=N_("Seed of all random draws."))]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, metavar=NUMBER, show_default=N_("all cores"), help=N_("Threads that simulate.")
    ),
]
Out = Annotated[
    Path, typer.Option("--out", metavar=N_("FOLDER"), help=N_("Folder of the results."))
]
ResultsFolder = Annotated[
    Path, typer.Argument(metavar=N_("FOLDER"), help=N_("Folder of the results."))
]


@program.callback(
    invoke_without_command=True,
    help=N_("Compare strategies by which regional governments come to share services."),
)
def _options(
    context: typer.Context,
    language: Language = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help=N_("Print the version.")
        ),
    ] = False,
) -> None:
    """Compare strategies by which regional governments come to share services."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def choose(word: str, choices: Mapping[str, Choice]) -> Choice:
    """Return the choice that a word names.

    Raises :class:`~kolabsim.errors.InputError` with the nearest spelling for any other word.
    """
    if word not in choices:
        text = _("'{word}' is not known here{hint}")
        text = text.format(word=word, hint=suggestion(word, choices))
        raise InputError([Problem(text)])
    return choices[word]


def parse_settings(settings: Sequence[str]) -> dict[str, object]:
    """Read settings of the form KEY=VALUE; values are written as in a scenario file.

    Raises :class:`~kolabsim.errors.InputError` with the problems of all settings at once.
    """
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


def command_line() -> str:
    """The command as the user typed it."""
    return shlex.join(["kolabsim", *sys.argv[1:]])
