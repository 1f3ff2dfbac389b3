"""Help pages and errors of usage, in the language spoken now.

The command-line library has both in English only. Its commands are given classes here that take
what they need (parameters, defaults, ranges) from the library and the words from the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup

from kolabsim.errors import InputError, Problem, suggestion
from kolabsim.i18n import N_, _

# Versions of the library differ in the modules of these classes, and in their types.
Context: TypeAlias = Any
HelpFormatter: TypeAlias = Any
Parameter: TypeAlias = Any

NUMBER = N_("NUMBER")
"""Placeholder of whole numbers: the only values that a command itself refuses."""


class _Translated:
    """What commands and the program have in common."""

    def format_help(self: Any, ctx: Context, formatter: HelpFormatter) -> None:
        arguments = [p for p in self.params if p.param_type_name == "argument"]
        options = [p for p in self.get_params(ctx) if p.param_type_name == "option"]
        commands = getattr(self, "commands", {})
        words = ["[" + _("OPTIONS") + "]", *map(placeholder, arguments)]
        words += [_("COMMAND")] if commands else []
        formatter.write_usage(ctx.command_path, " ".join(words), _("Usage:") + " ")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_(self.help))
        parts = {
            _("Arguments"): [(placeholder(p), explanation(p)) for p in arguments],
            _("Options"): [(spelling(p), explanation(p)) for p in options],
            _("Commands"): [(name, _(command.help)) for name, command in commands.items()],
        }
        for title, rows in parts.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def parse_args(self: Any, ctx: Context, args: list[str]) -> list[str]:
        refuse_without_value(self.get_params(ctx), args)
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]
        except Exception as error:
            if not hasattr(error, "format_message"):  # not an error of usage
                raise
            raise InputError([Problem(usage_problem(self.params, error))]) from None


class _Command(_Translated, TyperCommand):
    """A command."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        if rest:
            text = _("too many arguments: {words}").format(words=" ".join(rest))
            raise InputError.of(text)
        return rest


class _Group(_Translated, TyperGroup):
    """The program with its commands."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        if args[0] not in self.commands:
            text = _("there is no command '{name}'{hint}")
            hint = suggestion(args[0], self.commands)
            raise InputError.of(text, name=args[0], hint=hint)
        return super().resolve_command(ctx, args)


class Program(typer.Typer):
    """A program whose commands speak the language spoken now."""

    def __init__(self) -> None:
        super().__init__(
            cls=_Group, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
        )

    def command(self, name: str | None = None, **settings: Any) -> Callable[..., Any]:
        """Add a command; superfluous words reach it, so that it refuses them itself."""
        allowed = {"allow_extra_args": True}
        return super().command(name, cls=_Command, context_settings=allowed, **settings)


def placeholder(parameter: Parameter) -> str:
    """What stands for the value of a parameter: ``FOLDER``, ``NUMBER``, ``[KIND]``, ``FILE...``."""
    text = _(parameter.metavar or parameter.name.upper())
    text += "..." if parameter.nargs == -1 else ""
    is_optional = parameter.param_type_name == "argument" and not parameter.required
    return f"[{text}]" if is_optional else text


def spelling(option: Parameter) -> str:
    """How an option is typed: ``--runs NUMBER``."""
    names = ", ".join(option.opts)
    return names if option.is_flag else f"{names} {placeholder(option)}"


def explanation(parameter: Parameter) -> str:
    """The help of a parameter, with its default and range in brackets."""
    if parameter.name == "help":
        return _("Show this page.")
    notes = [*default_note(parameter), *range_note(parameter)]
    if parameter.param_type_name == "option" and parameter.required:
        notes.append(_("required"))
    return _(parameter.help) + (f" [{'; '.join(notes)}]" if notes else "")


def default_note(parameter: Parameter) -> list[str]:
    """The default of a parameter in words, if it has one."""
    shown, value = getattr(parameter, "show_default", None), parameter.default
    if isinstance(shown, str):
        value = _(shown)
    elif value is None or value is False or value in ([], (), "") or callable(value):
        return []
    return [_("default: {default}").format(default=value)]


def range_note(parameter: Parameter) -> list[str]:
    """The range of a number in words, if it has one."""
    # Later versions of the library have the limits on the option, earlier ones on its type.
    limits = parameter if hasattr(parameter, "min") else getattr(parameter, "type", None)
    low, high = getattr(limits, "min", None), getattr(limits, "max", None)
    if low is None:
        return []
    text = _("at least {low}") if high is None else _("from {low} to {high}")
    return [text.format(low=low, high=high)]


def refuse_without_value(parameters: list[Parameter], words: list[str]) -> None:
    """Refuse an option whose value is blank or the next option, as an unset variable leaves it.

    The library would take the name of the next option for the value.
    """
    options = [parameter for parameter in parameters if parameter.param_type_name == "option"]
    names = {name for option in options for name in option.opts}
    taking = {name for option in options if not option.is_flag for name in option.opts}
    words = words[: words.index("--")] if "--" in words else words
    for word, following in zip(words, [*words[1:], None], strict=False):
        name, sign, value = word.partition("=")
        given = value if sign else following
        if name in taking and given is not None and (not given.strip() or given in names):
            raise InputError.of(_("{name} needs a value"), name=name)


def usage_problem(parameters: list[Parameter], error: Any) -> str:
    """Say what is wrong with the words of a command, given the error that the library raised."""
    kind, parameter = type(error).__name__, getattr(error, "param", None)
    options = {name: p for p in parameters for name in p.opts if name.startswith("-")}
    name: str = getattr(error, "option_name", "")
    if parameter is not None:
        is_option = parameter.param_type_name == "option"
        name = parameter.opts[-1] if is_option else placeholder(parameter)
    if kind == "NoSuchOption":
        hint = suggestion(name, [*options, "--help"])
        return _("there is no option {name}{hint}").format(name=name, hint=hint)
    if kind == "BadOptionUsage" and name in options:
        takes_none = options[name].is_flag
        text = _("{name} takes no value") if takes_none else _("{name} needs a value")
    elif kind == "MissingParameter" and parameter is not None:
        text = _("the option {name} is missing") if is_option else _("{name} is missing")
    elif parameter is not None and parameter.metavar == NUMBER:
        limits = range_note(parameter)
        text = _("{name}: write a whole number")
        if limits:
            text = _("{name}: write a whole number ({range})")
        return text.format(name=name, range="".join(limits))
    else:
        return str(error.format_message())
    return text.format(name=name)
