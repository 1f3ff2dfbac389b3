"""``kolabsim new``: make a study from any table or map of regions."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kolabsim.cli.program import LANGUAGE, program
from kolabsim.cli.terminal import terminal, warn
from kolabsim.errors import InputError, typed
from kolabsim.i18n import N_, _
from kolabsim.scenario.importer.decisions import ANSWERS, Decision
from kolabsim.scenario.question_forms import QUESTIONS

if TYPE_CHECKING:
    from kolabsim.scenario.importer import Imported
    from kolabsim.study.scaffold import Draft

FIRST = 3
"""Regions that the preview shows."""


def new(
    folder: Path = typer.Argument(metavar=N_("FOLDER"), help=N_("New or empty folder.")),
    regions: Path = typer.Option(
        metavar=N_("FILE"),
        help=N_("Table or map of regions: CSV, Excel, OpenDocument, JSON, GeoJSON, shapefile ..."),
    ),
    shapes: Path | None = typer.Option(
        None, metavar=N_("FILE"), help=N_("Map of the regions of a table: GeoJSON, shapefile ...")
    ),
    ask: bool = typer.Option(False, "--ask", help=N_("Ask what is open, and the five questions.")),
    repeat: Path | None = typer.Option(
        None, metavar="import.json",
        help=N_("Decide as an earlier import did, also with next year's file."),
    ),
    language: str | None = LANGUAGE,
    **answers: Any,
) -> None:  # fmt: skip
    """Make a study from a table or map of regions."""
    from kolabsim.study.scaffold import check_is_free, new_study

    check_is_free(folder)
    given = {name: value for name, value in answers.items() if value not in (None, [])}
    if ask:
        given |= ask_everything(regions, shapes, given, repeat)
    draft = new_study(folder, regions, shapes=shapes, decisions=repeat, **given)
    if not ask:
        print_import(draft.imported)
    print_answers(draft)
    for path in draft.paths:
        typer.echo(path.as_posix())
    text = _("Read {file}, then run: kolabsim run {folder}")
    typer.echo(text.format(file=typed(folder / "scenario.yaml"), folder=typed(folder)))


def _options() -> list[inspect.Parameter]:
    """An option for each answer of the import and each of the five questions."""
    options: dict[str, tuple[Any, Any]] = {}
    for name, answer in ANSWERS.items():
        form = "|".join(answer.values) or (N_("KEY=VALUE") if answer.is_mapping else N_("TEXT"))
        if answer.is_switch:
            flags = f"{answer.flag}/{answer.typed(False)}"
            options[name] = bool | None, typer.Option(None, flags, help=answer.meaning)
        elif answer.is_mapping:
            of = typer.Option([], answer.flag, metavar=form, help=answer.meaning)
            options[name] = list[str], of
        else:
            of = typer.Option(None, answer.flag, metavar=form, help=answer.meaning)
            options[name] = str | None, of
    for name, question in QUESTIONS.items():
        of = typer.Option(None, f"--{name}", metavar=N_("ANSWER"), help=question.help)
        options[name] = str | None, of
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in options.items()
    ]


def _with_options(function: Any) -> Any:
    """Give a command the options of all answers in place of ``**answers``."""
    signature = inspect.signature(function, eval_str=True)
    named = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in named] + _options()
    function.__signature__ = signature.replace(parameters=parameters)
    function.__annotations__ = {p.name: p.annotation for p in parameters}
    return function


program.command(help=N_("Make a study from any table or map of regions."))(_with_options(new))


# Questions in a terminal --------------------------------------------------------------------------


def ask_everything(
    regions: Path, shapes: Path | None, given: dict[str, Any], repeat: Path | None
) -> dict[str, Any]:
    """Ask what is open, and the five questions; return the answers."""
    from kolabsim.scenario.importer import examine
    from kolabsim.scenario.questions import answer_questions
    from kolabsim.study.scaffold import as_regions

    of_import = {name: value for name, value in given.items() if name in ANSWERS}
    while True:
        found = examine(regions, shapes=shapes, decisions=repeat, **of_import)
        if not found.questions:
            break
        of_import |= ask_decision(found.questions[0])
    print_import(found)
    table, borders = as_regions(found), found.borders
    answers = {name: given[name] for name in QUESTIONS if name in given}
    for name, question in QUESTIONS.items():
        while name not in answers:
            suggested = answer_questions(table, borders, answers).answers[name]
            typer.echo(f"\n{_(question.title)}")
            for option in suggested.options:
                note = option.note
                if option.obstacle:
                    note = _("not possible: {why}").format(why=option.obstacle)
                typer.echo(f"  {option.value}: {option.title}" + (f" ({note})" if note else ""))
            value = typer.prompt(_("Answer"), default=suggested.value)
            try:
                answer_questions(table, borders, answers | {name: value})
            except InputError as error:
                typer.echo(error.problems[0].message, err=True)
                continue
            answers[name] = value
    return of_import | answers


def ask_decision(decision: Decision) -> dict[str, Any]:
    """Ask one open question of the import."""
    typer.echo(f"\n{decision.question}")
    for number, answer in enumerate(decision.typed, 1):
        typer.echo(f"  {number}: {answer}")
    while True:
        number = typer.prompt(_("Answer"), default="1").strip()
        if number.isdecimal() and 1 <= int(number) <= len(decision.options):
            name, value = decision.options[int(number) - 1]
            return {name: value}
        text = _("type a number from 1 to {most}")
        typer.echo(text.format(most=len(decision.options)), err=True)


# The preview --------------------------------------------------------------------------------------


def print_answers(draft: Draft) -> None:
    """Print the answers to the five questions, and what keeps the regions from cooperating."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (_("Question"), _("Answer"), _("Reason"), _("Change it with")):
        table.add_column(heading)
    for name, answer in draft.setup.answers.items():
        table.add_row(_(QUESTIONS[name].title), answer.value, answer.reason, f"--{name}")
    console = terminal(sys.stdout)
    console.print(table)
    console.print()
    for notice in draft.notices:
        warn(notice.text)


def print_import(found: Imported) -> None:
    """Print the decisions of an import, the first regions and the total population."""
    from rich.table import Table

    from kolabsim.figures.formatting import count

    console = terminal(sys.stdout)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (_("What"), _("Decision"), _("Reason"), _("Change it with")):
        table.add_column(heading)
    for one in found.decisions:
        flag = ANSWERS[one.answer].flag if one.answer else ""
        if one.answer == "columns":
            flag += f" {one.subject}=..."
        table.add_row(one.title, one.shown, one.why, flag)
    console.print(table)
    console.print()
    for row in found.regions.head(FIRST).itertuples():
        console.print(f"  {row.code}  {row.name}  {count(row.population)}", highlight=False)
    total = count(found.regions["population"].sum())
    text = _("{number} regions with {people} people")
    console.print(text.format(number=count(len(found.regions)), people=total), highlight=False)
    console.print()
