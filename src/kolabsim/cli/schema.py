"""``kolabsim schema``: print the JSON Schema of a kind of file."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from kolabsim.cli.program import Language, choose, program
from kolabsim.i18n import N_


@program.command(
    help=N_("Print the JSON Schema of a kind of file, for editors that complete and check it.")
)
def schema(
    kind: Annotated[
        str, typer.Argument(metavar=N_("KIND"), help=N_("Kind of file: scenario or experiment."))
    ] = "scenario",
    language: Language = None,
) -> None:
    """Print the JSON Schema of scenario or experiment files, for editors that complete them."""
    from kolabsim.scenario import scenario
    from kolabsim.study import spec

    schemas: dict[str, Callable[[], object]] = {
        "scenario": scenario.schema,
        "experiment": partial(spec.schema, "comparison"),
    }
    schemas |= {name: partial(spec.schema, name) for name in spec.KINDS}
    typer.echo(json.dumps(choose(kind, schemas)(), indent=1, ensure_ascii=False))
