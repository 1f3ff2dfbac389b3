"""Records: what a study enters into the ledger of its folder, and what is read back from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, astuple
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.files import table_csv
from kolabsim.study.inputs import write_inputs
from kolabsim.study.ledger import INPUT, Ledger
from kolabsim.study.plan import Plan
from kolabsim.study.rows import Fact, Point, Settings
from kolabsim.study.tables import TABLES
from kolabsim.study.tasks import Moments, Recipe, settings_text

if TYPE_CHECKING:
    import pandas as pd


FAILURES = "failures.csv"
"""The runs that raised an error, to be read by people."""
FUTURES = "futures.csv"
"""The settings of each future, to be read by people."""


def enter_study(plan: Plan, ledger: Ledger) -> None:
    """Enter a study, its points, and everything that decides the results of these."""
    assert plan.identity is not None
    before = ledger.identity
    identity = plan.identity if before is None else plan.identity.over(before)
    factors = {**ledger.facts.get("study", {}).get("factors", {}), **plan.factors}
    about = {
        "seed": plan.seed, "regions": plan.regions, "areas": plan.areas,
        "currency": plan.currency, "factors": factors,
        "measures": {name: astuple(entry) for name, entry in plan.custom_measures.items()},
    }  # fmt: skip
    named = Fact("identity", json.dumps(asdict(identity), sort_keys=True))
    ledger.put(named, Fact("study", json.dumps(about)))
    write_inputs(ledger, plan.bases)
    ledger.put(*new_futures(plan, ledger))
    ledger.write({FUTURES: table_csv(futures_table(ledger))}, INPUT)
    ledger.put(*new_points(plan, ledger))


def new_futures(plan: Plan, ledger: Ledger) -> list[Settings]:
    """The futures that the ledger lacks, or has with other settings of no effect."""
    known = ledger.futures
    stage = 1 + max((one.stage for one in known.values()), default=0)
    wanted = (
        Settings(name, known[name].stage if name in known else stage, text)
        for name, text in plan.futures.items()
    )
    return [one for one in wanted if known.get(one.future) != one]


def new_points(plan: Plan, ledger: Ledger) -> Iterator[Fact | Point]:
    """The tasks that the ledger lacks, or has with fewer runs."""
    columns: dict[str, Fact] = {}
    for task in plan.tasks:
        recipe = plan.recipes[task.hash]
        text = json.dumps([recipe.names, plan.moments])
        if text not in columns:
            hash = hashlib.sha256(text.encode()).hexdigest()[:12]
            columns[text] = Fact(f"columns-{hash}", text)
            yield columns[text]
        before = ledger.points.get(task.name)
        if before and before.hash != task.hash:  # other measures are read at a quarter
            before = None
        point = Point(
            task.name, task.hash, task.strategy, task.future,
            max(plan.runs, before.runs if before else 0),
            max(plan.detail, before.detail if before else 0),
            recipe.base, columns[text].name, recipe.values.tobytes(),
        )  # fmt: skip
        if point != before:
            yield point


def list_failures(ledger: Ledger) -> None:
    """Write the runs that raised an error as a table, or remove it if there are none."""
    if ledger.failed:
        import pandas as pd

        rows = pd.DataFrame(list(ledger.failed.values())).drop(columns="name")
        ledger.write({FAILURES: table_csv(TABLES["failures"].arrange(rows))}, INPUT)
    else:
        ledger.remove([FAILURES])


def ledger_recipe(ledger: Ledger, point: Point) -> tuple[Recipe, Moments]:
    """How a point of a ledger is made, and the measures that are read at a quarter."""
    names, moments = ledger.facts[point.columns]
    recipe = Recipe(point.base, tuple(names), np.frombuffer(point.numbers))
    return recipe, tuple((name, quarter) for name, quarter in moments)


def futures_table(ledger: Ledger) -> pd.DataFrame:
    """The settings of all futures that a study ever wanted: a row a future, a column a factor."""
    import pandas as pd

    futures = ledger.futures.values()
    settings = pd.DataFrame([json.loads(one.settings) for one in futures])
    keys = {
        "future": [one.future for one in futures],
        "stage": [one.stage for one in futures],
    }
    return TABLES["futures"].arrange(settings[sorted(settings)].assign(**keys))


def future_names(ledger: Ledger, settings: pd.DataFrame) -> list[str]:
    """The futures of a ledger that have some settings, a row each."""
    known = {one.settings: name for name, one in ledger.futures.items()}
    return [known[settings_text(row)] for row in settings.to_dict("records")]
