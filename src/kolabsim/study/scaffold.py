"""A first scenario and experiment from a table of regions, in files that teach what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from textwrap import wrap

from kolabsim.errors import InputError, Problem, Problems, shown
from kolabsim.files import write_whole
from kolabsim.i18n import _, language
from kolabsim.model.areas import FAMILIES
from kolabsim.scenario.importer import recognise_columns, unused
from kolabsim.scenario.regions import Columns, Regions, read_table
from kolabsim.scenario.scenario import shipped
from kolabsim.scenario.source import read_yaml
from kolabsim.scenario.tables import Table, read_csv

TABLE, CONTACTS = "regions.csv", "contacts.csv"
WIDE = 98
"""Most characters of a comment's line."""
COMPARED = ("voluntary", "forum", "team", "information", "monitoring", "secretariat")
"""Strategies of the first experiment; the last is the scenario's own."""
KEMENDAGRI = re.compile(r"\d{2}\.\d{2}")
"""Code of an Indonesian district as the Ministry of Home Affairs writes it."""


def start(folder: Path, table: Path) -> list[Path]:
    """Write a scenario, an experiment, a copy of the table and a guide into an empty folder.

    Returns the files. Raises :class:`~kolabsim.errors.InputError` for a folder that holds
    something and for a table that is none of regions, :class:`~kolabsim.errors.StorageError` if
    the disk refuses; nothing is left behind then.
    """
    check_is_free(folder)
    problems = Problems()
    read = read_csv(table, problems)
    problems.raise_if_any()
    columns = recognise_columns(read)
    regions = read_table(table, columns, (), problems)
    contents = {
        TABLE: table.read_bytes(),
        **({} if regions.placed else {CONTACTS: b"code_a,code_b,land,distance_km\n"}),
        "scenario.yaml": as_file(scenario_text(folder, read, columns, regions)),
        "experiment.yaml": as_file(experiment_text()),
        "README.md": as_file(guide_text(folder)),
    }
    return write_all(folder, contents)


def check_is_free(folder: Path) -> None:
    """Refuse a folder in which something could be overwritten."""
    problem = None
    try:
        if folder.exists() and not folder.is_dir():
            problem = _("this is a file; a scenario needs a folder")
        elif folder.is_dir() and any(folder.iterdir()):
            problem = _("this folder is not empty; choose another, so that nothing is overwritten")
    except OSError as error:
        problem = _("the disk refuses ({reason})").format(reason=error.strerror or error)
    if problem:
        raise InputError([Problem(problem, file=shown(folder))])


def write_all(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write all files, or none."""
    is_new, paths = not folder.exists(), [folder / name for name in contents]
    try:
        for path, content in zip(paths, contents.values(), strict=True):
            write_whole(path, content)
    except BaseException:  # also where somebody presses Ctrl-C
        with suppress(OSError):
            for path in paths:
                path.unlink(missing_ok=True)
            if is_new:
                folder.rmdir()
        raise
    return paths


def as_file(lines: Iterator[str]) -> bytes:
    """Lines as the content of a file."""
    return ("\n".join(lines) + "\n").encode()


def remark(text: str, *, indent: int = 0) -> Iterator[str]:
    """A text as lines of comment."""
    start = " " * indent + "# "
    for line in wrap(text, WIDE - len(start), break_long_words=False, break_on_hyphens=False):
        yield start + line


def quoted(text: str) -> str:
    """A text as YAML reads it back, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


# The scenario -----------------------------------------------------------------------------------


def scenario_text(folder: Path, table: Table, columns: Columns, regions: Regions) -> Iterator[str]:
    """The lines of the scenario: what was found, what is assumed, and what could be changed."""
    is_indonesian = language() == "id" or all(map(KEMENDAGRI.fullmatch, regions.codes))
    yield from remark(
        _(
            "A first scenario, made from {table}. It can be run as it is. Every key says what it "
            "is for and what to change; check the file after each change: kolabsim check {file}"
        ).format(table=table.path.name, file="scenario.yaml")
    )
    yield f"title: {quoted(folder.resolve().name)}"
    yield ""
    yield from region_lines(table, columns)
    yield ""
    yield from contact_lines(regions)
    yield ""
    yield from time_lines(is_indonesian)
    yield ""
    yield from area_lines(is_indonesian, regions.placed)
    yield ""
    yield from strategy_lines()


def region_lines(table: Table, columns: Columns) -> Iterator[str]:
    """Which column was taken for what, and what is left to be drawn."""
    meanings = {
        "code": _("names a region; must differ from row to row"),
        "name": _("what the region is called in reports"),
        "population": _("number of people, in whole persons"),
        "latitude": _("degrees north, negative in the south"),
        "longitude": _("degrees east, negative in the west"),
        "tier": _("the higher tier it belongs to, such as a province; its regions meet in forums"),
    }
    yield from remark(
        _("Who takes part: a row of the table for each region. Columns were found by their names.")
    )
    yield "regions:"
    yield f"  table: {TABLE}"
    yield "  columns:"
    for attribute, meaning in meanings.items():
        column = getattr(columns, attribute)
        if column is None:
            text = _("{attribute}: no column was found. It would say: {meaning}")
            yield from remark(text.format(attribute=attribute, meaning=meaning), indent=4)
        else:
            yield from remark(meaning, indent=4)
            yield f"    {attribute}: {quoted(column)}"
    yield from remark(
        _(
            "Administrative capacity, fiscal stress, culture and interests are left to be drawn "
            "at random, anew in every run. If a column says something about one of them, let it: "
            "take the signs # away, name the column, two of its values (from), and the values "
            "between 0 and 1 that they stand for (to)."
        ),
        indent=4,
    )
    spare = unused(table, columns)
    column, low, high = _("debt_per_head"), "500", "4000"
    if spare:
        column, values = spare[0], table.texts(spare[0])
        low, high = min(values, key=float), max(values, key=float)
        text = _("Columns with numbers that stand for nothing yet: {names}")
        yield from remark(text.format(names=", ".join(map(quoted, spare))), indent=4)
    example = {
        "stress:": "",
        "  column:": quoted(column),
        "  from:": f"[{low}, {high}]",
        "  to:": "[0.1, 0.8]",
        "  reason:": quoted(_("Say here why the column says something about it.")),
    }
    for key, value in example.items():
        yield f"    # {key} {value}".rstrip()


def contact_lines(regions: Regions) -> Iterator[str]:
    """Who knows whom: from places, or from a list that is still to be filled."""
    if regions.placed:
        yield from remark(
            _(
                "Who knows whom: each region and the nearest so many. Two regions count as land "
                "neighbours where no other lies between them (places); a list of true borders is "
                "better: list: contacts.csv, with code_a, code_b and land (yes or no), and "
                "borders: listed."
            )
        )
        yield "contacts:"
        yield f"  nearest: {min(8, max(len(regions) - 1, 1))}"
        yield "  borders: places"
        return
    example = ",".join((*regions.codes, "A", "B")[:2])
    yield from remark(
        _(
            "The table gives no places, so nobody knows yet who knows whom, and nothing can happen "
            "until you say it: write into {file} a line for each two regions that deal with each "
            "other: their codes, whether they share a land border (yes or no), and how far apart "
            "they are in km. For example: {example}. Or give the table the columns latitude and "
            "longitude, and write nearest: 8 and borders: places."
        ).format(file=CONTACTS, example=f"{example},yes,25")
    )
    yield "contacts:"
    yield f"  list: {CONTACTS}"
    yield "  nearest: 0"


def time_lines(is_indonesian: bool) -> Iterator[str]:
    """How long a run is, and in which money."""
    yield from remark(_("Quarters of a run: 40 are ten years, from the budget year start_year."))
    yield "horizon: 40"
    yield "start_year: 2026"
    yield from remark(_("Letters before sums of money. Without it, money is in cost units."))
    yield "currency: IDR" if is_indonesian else "# currency: EUR"


def area_lines(is_indonesian: bool, placed: bool) -> Iterator[str]:
    """Which services may be shared, and what they cost."""
    families = ["administration"]
    if is_indonesian:
        families = [*(["infrastructure"] if placed else []), "administration_indonesia"]
    yield from remark(
        _(
            "Services that may be shared. A family brings several, with their economics; there "
            "are: {families}."
        ).format(families=", ".join(FAMILIES))
    )
    if not placed:
        yield from remark(
            _("Infrastructure is left out, because its cost depends on distance between places.")
        )
    yield f"families: [{', '.join(families)}]"
    yield from remark(
        _(
            "What an area costs a year per resident at efficient scale. It weighs areas against "
            "each other and turns results into money: replace it by what your budgets say."
        )
    )
    prices = indonesian_prices() if is_indonesian else {}
    names = [name for family in families for name in FAMILIES[family]]
    yield "areas:" if prices else "# areas:"
    for name in names:
        price = prices.get(name)
        line = f"  {name}: {{cost_per_resident: {price or '30'}}}"
        yield line if price else f"# {line}"


def indonesian_prices() -> dict[str, object]:
    """Rupiah a year per resident in each area, as the Indonesian scenarios that ship assume."""
    areas = read_yaml(shipped("scenarios") / "indonesia.yaml", Problems()).get("areas").plain()
    return {name: area["cost_per_resident"] for name, area in areas.items()}


def strategy_lines() -> Iterator[str]:
    """A strategy of one's own beside those that every scenario has."""
    yield from remark(
        _(
            "What could be done. Every scenario has the strategies that this command lists: "
            "kolabsim list strategies. Here is one of your own. Intensities are from 0 to 1; "
            "quarters count from 0, and until: 20 ends it after five years. Mechanisms: forum, "
            "planning, team, information, monitoring. Support: government, ngo, business, "
            "community."
        )
    )
    title, done = _("Joint secretariat"), _("A secretariat for five years, with mediation.")
    yield "strategies:"
    yield "  secretariat:"
    yield f"    title: {quoted(title)}"
    yield f"    description: {quoted(done)}"
    yield "    mechanisms:"
    yield "      team: {intensity: 0.8, until: 20}"
    yield "    support:"
    yield "      ngo: {intensity: 0.5, until: 20}"


# The experiment, and the guide --------------------------------------------------------------------


def experiment_text() -> Iterator[str]:
    """The lines of the experiment."""
    yield from remark(
        _("What is asked of the scenario. Run it with: kolabsim run, and the name of this folder.")
    )
    yield "kind: comparison"
    yield from remark(_("The question, as it stands at the head of the report."))
    text = _("Which strategy serves our regions best, at what cost, and who loses?")
    yield f"question: {quoted(text)}"
    yield "scenario: scenario.yaml"
    yield from remark(_("What is compared, and with what: in the baseline nothing is done."))
    yield f"strategies: [{', '.join(COMPARED)}]"
    yield f"baseline: {COMPARED[0]}"
    yield from remark(
        _("Runs of each strategy. More runs make intervals narrower: four times as many, by half.")
    )
    yield "runs: 200"
    yield from remark(_("Where all draws begin. The same seed gives the same results."))
    yield "seed: 1"


def guide_text(folder: Path) -> Iterator[str]:
    """What is in the folder, and what to type."""
    name = folder.resolve().name
    files = {
        TABLE: _("your table, as it was"),
        "scenario.yaml": _("regions, services, strategies: what is simulated"),
        "experiment.yaml": _("the question: what is compared"),
    }
    yield f"# {name}"
    yield ""
    yield _("Made by `kolabsim new`. From the folder that holds this one:")
    yield ""
    yield "```sh"
    yield f"kolabsim check {name}/scenario.yaml {name}/experiment.yaml"
    yield f"kolabsim run {name}"
    yield "```"
    yield ""
    yield from (f"- `{file}`: {text}" for file, text in files.items())
    yield ""
    yield _(
        "Results are a thought experiment with stated assumptions, not a prediction: read the "
        "contrasts between strategies, not the levels."
    )
