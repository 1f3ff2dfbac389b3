"""The program that commands join, the options that they share, and how their values are read."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from kolabsim import __version__
from kolabsim.cli.help import NUMBER, Program
from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import N_, LanguageError, _, set_language

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
"""Exit codes: some runs or parts of a report failed; an input or a disk is at fault; stopped."""

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


def number(default: int | None, help: str, **limits: Any) -> Any:
    """Return an option whose value is a whole number."""
    return typer.Option(default, metavar=NUMBER, help=help, **limits)


LANGUAGE: Any = typer.Option(
    None, "--lang", metavar=N_("CODE"), callback=_set_language, is_eager=True,
    help=N_("Language: en or id."),
)  # fmt: skip
SETTINGS: Any = typer.Option(
    [], "--set", metavar=N_("KEY=VALUE"),
    help=N_("Change a setting of the scenario, by its dotted name."),
)  # fmt: skip
SEED: Any = number(1, N_("Seed of all random draws."), min=0)
WORKERS: Any = number(None, N_("Threads that simulate."), min=1, show_default=N_("all cores"))
ALLOW: Any = typer.Option(
    False, "--allow-extensions", help=N_("Run user-defined code that the folder brings.")
)
FOLDER: Any = typer.Argument(metavar=N_("FOLDER"), help=N_("Folder of the results."))


@program.callback(
    invoke_without_command=True,
    help=N_("Compare strategies by which regional governments come to share services."),
)
def _options(
    context: typer.Context,
    language: str | None = LANGUAGE,
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help=N_("Print the version.")
    ),
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def choose(word: str, choices: Mapping[str, Choice]) -> Choice:
    """Return the choice that a word names.

    Raises :class:`~kolabsim.errors.InputError` with the nearest spelling for any other word.
    """
    if word not in choices:
        text = _("'{word}' is not known here{hint}")
        text = text.format(word=word, hint=suggestion(word, choices))
        raise InputError.of(text)
    return choices[word]


def parse_settings(settings: Sequence[str]) -> dict[str, object]:
    """Read settings of the form KEY=VALUE; values are written as in a scenario file.

    Raises :class:`~kolabsim.errors.InputError` with the problems of all settings at once.
    """
    from kolabsim.scenario.source import read_value

    found, problems = {}, Problems()
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign or not all(part.strip() for part in key.split(".")):
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


def number_of_futures(word: str, scenario: Scenario) -> int:
    """Read a number of plausible futures; ``all`` stands for as many as the scenario has.

    Raises :class:`~kolabsim.errors.InputError` for anything else.
    """
    from kolabsim.scenario.futures import scenario_sets

    most = len(scenario_sets(scenario))
    if word == "all":
        return most
    if not word.isdecimal() or int(word) > most:
        text = _("--plausible {word}: allowed are whole numbers from 0 to {most}, and all")
        raise InputError.of(text, word=word, most=most)
    return int(word)


def command_line() -> str:
    """The command as the user typed it; bytes that are no text become escapes."""
    typed = shlex.join(["kolabsim", *sys.argv[1:]])
    return os.fsencode(typed).decode(errors="backslashreplace")
