"""The texts of a first study: scenario, experiment and guide, with comments on every key."""

from __future__ import annotations

import json
from collections.abc import Collection
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.errors import typed
from kolabsim.i18n import _
from kolabsim.model.areas import FAMILIES
from kolabsim.model.levers import MECHANISMS, SUPPORTERS
from kolabsim.scenario.importer.result import CONTACTS, RECORD, SHAPES, TABLE
from kolabsim.scenario.question_forms import QUESTIONS
from kolabsim.scenario.regions import usual_scale

if TYPE_CHECKING:
    from kolabsim.scenario.importer import Imported
    from kolabsim.scenario.questions import Setup

SCENARIO, EXPERIMENT, GUIDE = "scenario.yaml", "experiment.yaml", "README.md"
WIDE = 98
"""Maximum length of a line of comment."""
COMPARED = ("voluntary", "information", "forum", "team", "monitoring", "secretariat")
"""Strategies of the first experiment; the last one is part of the new scenario."""


def remark(text: str, *, indent: int = 0) -> str:
    """Return a text as lines of comment."""
    mark = " " * indent + "# "
    return "\n".join(
        wrap(
            text, WIDE, initial_indent=mark, subsequent_indent=mark, break_long_words=False,
            break_on_hyphens=False,
        )
    )  # fmt: skip


def quoted(text: str) -> str:
    """Quote a text for YAML, of which JSON strings are a part."""
    return json.dumps(text, ensure_ascii=False)


def digits(value: float) -> str:
    """Return a number with six significant digits and no exponent."""
    return np.format_float_positional(float(f"{value:.6g}"), trim="-")


def answered(setup: Setup, name: str) -> str:
    """Return the answer to one of the five questions and its reason, as a comment."""
    answer = setup.answers[name]
    return remark(f"{_(QUESTIONS[name].title)} {answer.value} ({answer.reason})")


def scenario_text(name: str, imported: Imported, setup: Setup, *, has_list: bool) -> str:
    """Return the scenario, with comments on every key."""
    first = _(
        "A first scenario, made from {table}, which you can run as it is. Comments explain every "
        "key. Check the file after each change: kolabsim check {file}"
    )
    sections = (
        f"""\
{remark(first.format(table=imported.source.name, file=SCENARIO))}
title: {quoted(name)}
""",
        region_text(imported, setup),
        contact_text(setup, has_list=has_list),
        time_text(),
        area_text(setup),
        strategy_text(),
    )
    return "\n".join(sections)


def region_text(imported: Imported, setup: Setup) -> str:
    """Return where the regions are, and how a column becomes an attribute."""
    each = _("The regions: each row of the table is one. {record} holds all decisions made.")
    drawn = _(
        "Every run draws administrative capacity, fiscal stress, goodwill, autonomy, culture and "
        "interests at random. To use a column for one of them, remove the # signs and give the "
        "name of the column, two of its values (from), and the values between 0 and 1 that they "
        "stand for (to). Culture needs the difference that is usual between two regions (scale); "
        "the number here is the standard deviation in this table."
    )
    notes = [remark(drawn, indent=2)]
    column, low, high, scale = _("debt_per_head"), "500", "4000", "900"
    spare = [
        str(name) for name, values in imported.others.items()
        if values.dtype.kind in "if" and np.isfinite(values.to_numpy(float)).all()
    ]  # fmt: skip
    if spare:
        column, values = spare[0], imported.others[spare[0]]
        low, high = digits(values.min()), digits(values.max())
        scale = usual_scale(values.to_numpy(float)) or "1"
        text = _("Unused columns with numbers: {names}")
        notes.append(remark(text.format(names=", ".join(map(quoted, spare))), indent=2))
    shapes = f"\n  shapes: {SHAPES}" if imported.shapes else ""
    found, reason = "\n".join(notes), _("State here why the column stands for it.")
    return f"""\
{remark(each.format(record=RECORD))}
{answered(setup, "neighbourhood")}
regions:
  table: {TABLE}{shapes}
{found}
  # columns:
  #   stress:
  #     column: {quoted(column)}
  #     from: [{low}, {high}]
  #     to: [0.1, 0.8]
  #     reason: {quoted(reason)}
  #   culture:
  #     - column: {quoted(column)}
  #       scale: {scale}
  #       reason: {quoted(reason)}
"""


def contact_text(setup: Setup, *, has_list: bool) -> str:
    """Return the contacts, and the land borders among them."""
    text = _(
        "Contacts: the regions that may propose to each other to share a service. Benefits spill "
        "over between contacts with a common land border."
    )
    keys = {**({"list": CONTACTS} if has_list else {}), **setup.contacts}
    lines = "\n".join(f"  {key}: {value}" for key, value in keys.items())
    return f"""\
{remark(text)}
{answered(setup, "acquaintance")}
{answered(setup, "neighbours")}
contacts:
{lines}
"""


def time_text() -> str:
    """Return the horizon."""
    horizon = _(
        "Length of a run in quarters: 40 quarters are ten years from the budget year start_year."
    )
    return f"""\
{remark(horizon)}
horizon: 40
start_year: 2026
"""


def area_text(setup: Setup) -> str:
    """Return the service areas and their cost."""
    text = _(
        "Services that regions may share. A family is a set of service areas with their economics: "
        "{families}."
    )
    price = _(
        "Annual cost per resident at efficient scale. It weights the service areas and converts "
        "results into money."
    )
    prices = setup.prices.items()
    areas = "\n".join(f"  {name}: {{cost_per_resident: {digits(value)}}}" for name, value in prices)
    return f"""\
{remark(text.format(families=", ".join(FAMILIES)))}
{answered(setup, "services")}
families: [{", ".join(setup.families)}]

{remark(price)}
{answered(setup, "prices")}
{f"currency: {setup.currency}" if setup.currency else "# currency: EUR"}
areas:
{areas}
"""


def strategy_text() -> str:
    """Return a strategy of the scenario's own."""
    text = _(
        "Strategies. Every scenario has the strategies that kolabsim list strategies "
        "shows; below is one of your own. Intensities go from 0 to 1. Quarters count "
        "from 0, so until: 20 ends a measure after five years. Mechanisms: "
        "{mechanisms}. Support: {supporters}."
    ).format(mechanisms=", ".join(MECHANISMS), supporters=", ".join(SUPPORTERS))
    title, done = _("Joint secretariat"), _("A secretariat for five years, with mediation.")
    return f"""\
{remark(text)}
strategies:
  secretariat:
    title: {quoted(title)}
    description: {quoted(done)}
    mechanisms:
      team: {{intensity: 0.8, until: 20}}
    support:
      ngo: {{intensity: 0.5, until: 20}}
"""


def experiment_text() -> str:
    """Return the experiment."""
    lines = [
        remark(
            _(
                "An experiment with the scenario. Run it with kolabsim run and the name of this "
                "folder."
            )
        ),
        "kind: comparison",
        remark(_("The question at the top of the report.")),
        "question: "
        + quoted(_("Which strategy serves our regions best, at what cost, and who loses?")),
        "scenario: scenario.yaml",
        remark(_("The strategies to compare, and the baseline without any programme.")),
        f"strategies: [{', '.join(COMPARED)}]",
        f"baseline: {COMPARED[0]}",
        remark(
            _(
                "Plausible futures over which results are taken: all, or how many. 0 does not vary "
                "assumptions."
            )
        ),
        "plausible: all",
        remark(_("Seed of all random draws. The same seed gives the same results.")),
        "seed: 1",
    ]
    return "\n".join(lines) + "\n"


def guide_text(name: str, files: Collection[str], imported: Imported, setup: Setup) -> str:
    """Return the guide: the commands to type, the files of the folder, and the answers."""
    meanings = {
        TABLE: _("regions, read from {table}").format(table=imported.source.name),
        CONTACTS: _("land borders"),
        SHAPES: _("shapes of the regions, for maps"),
        RECORD: _("what the import understood and decided"),
        SCENARIO: _("regions, service areas and strategies"),
        EXPERIMENT: _("the question and the strategies to compare"),
    }
    listed = "\n".join(f"- `{file}`: {text}" for file, text in meanings.items() if file in files)
    answers = "\n".join(
        f"- {_(QUESTIONS[answer.question].title)} `{answer.value}` ({answer.reason})"
        for answer in setup.answers.values()
    )
    start = _("Created by `kolabsim new`. Type in the parent folder:")
    scenario, experiment = (typed(f"{name}/{file}") for file in (SCENARIO, EXPERIMENT))
    disclaimer = _(
        "Results are a thought experiment with stated assumptions, not a prediction: compare "
        "strategies with each other, and do not read the levels."
    )
    return f"""\
# {name}

{start}

```sh
kolabsim check {scenario} {experiment}
kolabsim run {typed(name)}
```

{listed}

{answers}

{disclaimer}
"""
