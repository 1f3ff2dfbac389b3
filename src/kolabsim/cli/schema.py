"""``kolabsim schema``: print the JSON Schema of a kind of file."""

from __future__ import annotations

import json
from functools import partial

import typer

from kolabsim.cli.program import LANGUAGE, choose, program
from kolabsim.i18n import N_


@program.command(
    help=N_("Print the JSON Schema of a kind of file, for editors that complete and check it.")
)
def schema(
    kind: str = typer.Argument(
        "scenario",
        metavar=N_("KIND"),
        help=N_("scenario, experiment, or one kind of experiment such as comparison."),
    ),
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.scenario import scenario
    from kolabsim.study import spec

    schemas = {"scenario": scenario.schema, "experiment": spec.experiment_schema} | {
        name: partial(spec.schema, name) for name in spec.KINDS
    }
    typer.echo(json.dumps(choose(kind, schemas)(), indent=1, ensure_ascii=False))
