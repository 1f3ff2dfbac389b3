"""A first scenario and experiment from a table of regions, in files that explain themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from textwrap import wrap

from kolabsim.errors import InputError, Problem, Problems, shown
from kolabsim.files import write_whole
from kolabsim.i18n import _
from kolabsim.model.areas import FAMILIES
from kolabsim.model.levers import MECHANISMS, SUPPORTERS
from kolabsim.scenario.headers import recognise_columns, unused
from kolabsim.scenario.regions import Columns, Regions
from kolabsim.scenario.scenario import shipped
from kolabsim.scenario.source import read_yaml
from kolabsim.scenario.tables import Table, read_csv

TABLE, CONTACTS = "regions.csv", "contacts.csv"
WIDE = 98
"""Maximum length of a line of comment."""
COMPARED = ("voluntary", "information", "forum", "team", "monitoring", "secretariat")
"""Strategies of the first experiment; the last one is part of the new scenario."""
KEMENDAGRI = re.compile(r"\d{2}\.\d{2}")
"""Code of an Indonesian district in the spelling of the Ministry of Home Affairs."""


def start(folder: Path, table: Path) -> list[Path]:
    """Write a scenario, an experiment, a copy of the table and a guide into an empty folder.

    The table is a CSV file with a row for each region; the folder may not exist yet. Raises
    :class:`~kolabsim.errors.InputError` if the folder is not empty or the table is not one of
    regions, and :class:`~kolabsim.errors.StorageError` if the disk refuses. No file is left behind
    then.
    """
    check_is_free(folder)
    problems = Problems()
    read = read_csv(table, problems)
    problems.raise_if_any()
    assert read is not None
    columns, regions = recognise_columns(read)
    texts = {
        "scenario.yaml": scenario_text(folder, read, columns, regions),
        "experiment.yaml": experiment_text(),
        "README.md": guide_text(folder),
    }
    if not regions.placed:
        texts = {CONTACTS: "code_a,code_b,land,distance_km\n"} | texts
    contents = {TABLE: table.read_bytes()} | {name: t.encode() for name, t in texts.items()}
    return write_all(folder, contents)


def check_is_free(folder: Path) -> None:
    """Refuse a folder that is not empty, so that no file is overwritten."""
    problem = None
    try:
        if folder.exists() and not folder.is_dir():
            problem = _("this is a file; a scenario needs a folder")
        elif folder.is_dir() and any(folder.iterdir()):
            problem = _("this folder is not empty; choose another one")
    except OSError as error:
        problem = _("the disk refuses ({reason})").format(reason=error.strerror or error)
    if problem:
        raise InputError([Problem(problem, file=shown(folder))])


def write_all(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write all files, or none of them."""
    is_new, paths = not folder.exists(), [folder / name for name in contents]
    try:
        for path, content in zip(paths, contents.values(), strict=True):
            write_whole(path, content)
    except BaseException:  # also on Ctrl-C
        with suppress(OSError):
            for path in paths:
                path.unlink(missing_ok=True)
            if is_new:
                folder.rmdir()
        raise
    return paths


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


def scenario_text(folder: Path, table: Table, columns: Columns, regions: Regions) -> str:
    """Return the scenario, with comments on every key."""
    is_indonesian = all(map(KEMENDAGRI.fullmatch, regions.codes))
    first = _(
        "A first scenario, made from {table}, which you can run as it is. Comments "
        "explain every key. Check the file after each change: kolabsim check {file}"
    )
    sections = (
        f"""\
{remark(first.format(table=table.path.name, file="scenario.yaml"))}
title: {quoted(folder.resolve().name)}
""",
        region_text(table, columns),
        contact_text(regions),
        time_text(is_indonesian),
        area_text(is_indonesian, regions.placed),
        strategy_text(),
    )
    return "\n".join(sections)


def region_text(table: Table, columns: Columns) -> str:
    """Return the columns of each attribute; the other attributes are drawn."""
    meanings = {
        "code": _("unique code of the region"),
        "name": _("name of the region in reports"),
        "population": _("population in persons"),
        "latitude": _("degrees north; negative in the south"),
        "longitude": _("degrees east; negative in the west"),
        "tier": _(
            "the higher tier of the region, such as a province, whose regions meet in forums"
        ),
    }
    lines = []
    for attribute, meaning in meanings.items():
        column = getattr(columns, attribute)
        if column is None:
            text = _("{attribute}: no column was found for it ({meaning})")
            lines.append(remark(text.format(attribute=attribute, meaning=meaning), indent=4))
        else:
            lines += [remark(meaning, indent=4), f"    {attribute}: {quoted(column)}"]
    drawn = _(
        "Every run draws administrative capacity, fiscal stress, culture and interests "
        "at random. To use a column for one of them, remove the # signs and give the "
        "name of the column, two of its values (from), and the values between 0 and 1 "
        "that they stand for (to)."
    )
    lines.append(remark(drawn, indent=4))
    spare = unused(table, columns)
    column, low, high = _("debt_per_head"), "500", "4000"
    if spare:
        column, values = spare[0], table.texts(spare[0])
        low, high = min(values, key=float), max(values, key=float)
        text = _("Unused columns with numbers: {names}")
        lines.append(remark(text.format(names=", ".join(map(quoted, spare))), indent=4))
    each = _(
        "The regions: each row of the table is one. The columns were recognised by their names."
    )
    reason = _("State here why the column stands for it.")
    found = "\n".join(lines)
    return f"""\
{remark(each)}
regions:
  table: {TABLE}
  columns:
{found}
    # stress:
    #   column: {quoted(column)}
    #   from: [{low}, {high}]
    #   to: [0.1, 0.8]
    #   reason: {quoted(reason)}
"""


def contact_text(regions: Regions) -> str:
    """Return the contacts: from coordinates, or from a list that is still empty."""
    if regions.placed:
        text = _(
            "Possible partners of each region: the nearest ones. Two regions share a land "
            "border if no other region lies between them (places). A list of the real "
            "borders is better: write list: contacts.csv, with the columns code_a, code_b "
            "and land (yes or no), and borders: listed."
        )
        return f"""\
{remark(text)}
contacts:
  nearest: {min(8, max(len(regions) - 1, 1))}
  borders: places
"""
    text = _(
        "The table has no coordinates, so no region has a possible partner yet. Add a "
        "line to {file} for each pair of regions that may cooperate: their codes, "
        "whether they share a land border (yes or no), and their distance in km. For "
        "example: {example}. Or add the columns latitude and longitude to the table, "
        "and write nearest: 8 and borders: places."
    )
    example = ",".join((*regions.codes, "A", "B")[:2])
    return f"""\
{remark(text.format(file=CONTACTS, example=f"{example},yes,25"))}
contacts:
  list: {CONTACTS}
  nearest: 0
"""


def time_text(is_indonesian: bool) -> str:
    """Return the horizon and the currency."""
    horizon = _(
        "Length of a run in quarters: 40 quarters are ten years from the budget year start_year."
    )
    currency = _("Currency, written before sums of money. Without it, money is in cost units.")
    return f"""\
{remark(horizon)}
horizon: 40
start_year: 2026
{remark(currency)}
{"currency: IDR" if is_indonesian else "# currency: EUR"}
"""


def area_text(is_indonesian: bool, placed: bool) -> str:
    """Return the service areas and their cost."""
    families = ["administration"]
    if is_indonesian:
        families = [*(["infrastructure"] if placed else []), "administration_indonesia"]
    text = _(
        "Services that regions may share. A family is a set of service areas with their"
        " economics: {families}."
    )
    lines = [remark(text.format(families=", ".join(FAMILIES)))]
    if not placed:
        text = _("Infrastructure is missing here, because its cost depends on distances.")
        lines.append(remark(text))
    lines.append(f"families: [{', '.join(families)}]")
    text = _(
        "Annual cost per resident at efficient scale. It weights the service areas and "
        "converts results into money: replace it with the figures of your budgets."
    )
    prices = indonesian_prices() if is_indonesian else {}
    lines += [remark(text), "areas:" if prices else "# areas:"]
    for name in (name for family in families for name in FAMILIES[family]):
        price = prices.get(name)
        line = f"  {name}: {{cost_per_resident: {price or '30'}}}"
        lines.append(line if price else f"# {line}")
    return "\n".join(lines) + "\n"


def indonesian_prices() -> dict[str, object]:
    """Return the annual rupiah per resident and area that the shipped scenarios assume."""
    tree = read_yaml(shipped("scenarios") / "indonesia.yaml", Problems())
    areas = tree.get("areas") if tree else None
    found = (areas.children or {}) if areas else {}
    prices = {str(name): area.get("cost_per_resident") for name, area in found.items()}
    return {name: price.value for name, price in prices.items() if price}


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
        remark(_("Runs of each strategy. Four times as many runs halve the intervals.")),
        "runs: 200",
        remark(_("Seed of all random draws. The same seed gives the same results.")),
        "seed: 1",
    ]
    return "\n".join(lines) + "\n"


def guide_text(folder: Path) -> str:
    """Return the guide: the files of the folder and the commands to type."""
    name = folder.resolve().name
    start = _("Created by `kolabsim new`. Type in the parent folder:")
    table, scenario = _("your table, unchanged"), _("regions, service areas and strategies")
    experiment = _("the question and the strategies to compare")
    caution = _(
        "Results are a thought experiment with stated assumptions, not a prediction: "
        "compare strategies with each other, and do not read the levels."
    )
    return f"""\
# {name}

{start}

```sh
kolabsim check {name}/scenario.yaml {name}/experiment.yaml
kolabsim run {name}
```

- `{TABLE}`: {table}
- `scenario.yaml`: {scenario}
- `experiment.yaml`: {experiment}

{caution}
"""
