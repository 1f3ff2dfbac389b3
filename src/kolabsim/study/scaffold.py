"""A first study from any table or map of regions, in files that explain themselves."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.errors import InputError, Problem, Problems, shown
from kolabsim.files import table_csv, write_whole
from kolabsim.i18n import _, ngettext
from kolabsim.scenario import importer
from kolabsim.scenario.contacts import read_contacts
from kolabsim.scenario.importer.result import CONTACTS, RECORD
from kolabsim.scenario.notices import Notice, find_notices
from kolabsim.scenario.question_forms import QUESTIONS
from kolabsim.scenario.questions import Setup, answer_questions
from kolabsim.scenario.regions import Regions
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.shapes import some
from kolabsim.study.scaffold_texts import (
    EXPERIMENT,
    GUIDE,
    SCENARIO,
    experiment_text,
    guide_text,
    scenario_text,
)

if TYPE_CHECKING:
    from kolabsim.scenario.importer import Imported


@dataclass(frozen=True)
class Draft:
    """A study that may not be written yet: what was understood and decided, and its files."""

    imported: Imported
    setup: Setup
    files: Mapping[str, bytes]
    """Content by name."""
    scenario: Scenario
    notices: tuple[Notice, ...]
    """What keeps the regions from cooperating."""
    paths: tuple[Path, ...] = ()
    """Where the files were written."""


def draft_study(
    name: str,
    source: str | Path | Mapping[str, bytes],
    *,
    shapes: str | Path | Mapping[str, bytes] | None = None,
    decisions: str | Path | Mapping[str, Any] | None = None,
    **answers: Any,
) -> Draft:
    """Make the files of a study from a table or map of regions, without writing them.

    Parameters
    ----------
    name
        Name of the study, and of its folder.
    source
        A table or map, as :func:`kolabsim.regions.read` takes it.
    shapes
        A map of the regions of a table, as :func:`kolabsim.regions.read` takes it.
    decisions
        The file ``import.json`` of an earlier study, or its content: the same answers once more.
    answers
        Answers of the import (the arguments of :func:`kolabsim.regions.read`), and to the five
        questions: ``neighbourhood``, ``services``, ``prices``, ``neighbours``, ``acquaintance``.

    Raises
    ------
    InputError
        If the table is not one of regions, or a question of the import is open.
    """
    earlier = importer.read_record(decisions) if decisions is not None else {}
    given = {**(earlier.get("study") or {}), **{k: v for k, v in answers.items() if v is not None}}
    questions = {key: given.pop(key) for key in QUESTIONS if key in given}
    imported = importer.read(source, shapes=shapes, decisions=earlier or None, **given)
    return finish_draft(name, imported, questions)


def finish_draft(
    name: str,
    imported: Imported,
    questions: Mapping[str, str],
    lists: Mapping[str, Path] | None = None,
) -> Draft:
    """Make the files of a study from imported regions and answers to the five questions.

    ``lists``: the files that answers may name; by default any file.
    """
    questions = {key: questions[key] for key in QUESTIONS if key in questions}
    setup = answer_questions(as_regions(imported), imported.borders, questions, lists)
    files = dict(data_files(imported, setup, questions))
    has_list = CONTACTS in files
    files[SCENARIO] = scenario_text(name, imported, setup, has_list=has_list).encode()
    files[EXPERIMENT] = experiment_text().encode()
    files[GUIDE] = guide_text(name, files, imported, setup).encode()
    scenario = load_files(files)
    notices = (*unplaced(setup.regions), *find_notices(scenario))
    return Draft(imported, setup, files, scenario, notices)


def new_study(
    folder: str | Path,
    source: str | Path | Mapping[str, bytes],
    *,
    shapes: str | Path | Mapping[str, bytes] | None = None,
    decisions: str | Path | Mapping[str, Any] | None = None,
    **answers: Any,
) -> Draft:
    r"""Make a study from a table or map of regions, in a new or empty folder.

    Takes what :func:`draft_study` takes. Raises :class:`~kolabsim.errors.InputError` if the folder
    is not empty, and :class:`~kolabsim.errors.StorageError` if the disk refuses; no file is left
    behind then.

    Examples
    --------
    >>> import tempfile
    >>> import kolabsim as ks
    >>> table = {"towns.csv": b"Town;Inhabitants\nUpper Ford;8200\nLower Ford;14500\n"}
    >>> folder = Path(tempfile.mkdtemp()) / "valley"
    >>> study = ks.new_study(folder, table, services="administration")
    >>> study.scenario.regions.codes
    ('Lower Ford', 'Upper Ford')
    >>> ks.Experiment.load(folder).kind
    'comparison'
    """
    folder = Path(folder)
    check_is_free(folder)
    name = folder.resolve().name
    draft = draft_study(name, source, shapes=shapes, decisions=decisions, **answers)
    return replace(draft, paths=tuple(write_all(folder, draft.files)))


def as_regions(imported: Imported) -> Regions:
    """Return imported regions as those of a scenario, with all columns and nothing drawn yet."""
    table, others = imported.regions, imported.others
    number = len(table)
    unknown = np.full(number, np.nan)
    return Regions(
        codes=tuple(table["code"]),
        names=tuple(table["name"]),
        population=table["population"].to_numpy(float),
        latitude=table["latitude"].to_numpy(float) if "latitude" in table else unknown,
        longitude=table["longitude"].to_numpy(float) if "longitude" in table else unknown,
        tier=tuple(table["tier"]) if "tier" in table else ("",) * number,
        capacity=np.empty((number, 0)),
        stress=unknown,
        goodwill=unknown,
        autonomy=unknown,
        culture=np.empty((number, 0)),
        interests=np.empty((number, 0)),
        extra={
            str(name): tuple(map(str, column))
            for frame in (table, others)
            for name, column in frame.items()
        },
    )


def unplaced(regions: Regions) -> list[Notice]:
    """Return the notice that some regions have no place, so that none of the places is used."""
    known = np.isfinite(regions.latitude) & np.isfinite(regions.longitude)
    lost = [code for code, is_known in zip(regions.codes, known, strict=True) if not is_known]
    if not lost or len(lost) == len(known):
        return []
    text = ngettext(
        "{number} region has no place, so the places of the others are not used: {codes}.",
        "{number} regions have no place, so the places of the others are not used: {codes}.",
        len(lost),
    )
    return [Notice(text.format(number=len(lost), codes=some(lost)))]


def data_files(
    imported: Imported, setup: Setup, questions: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the files with regions, borders, shapes and decisions, by name."""
    chosen = imported.only(set(setup.regions.codes))
    if not setup.regions.placed:
        places = [name for name in ("latitude", "longitude") if name in chosen.regions]
        chosen = replace(chosen, regions=chosen.regions.drop(columns=places))
    files = chosen.files()
    contacts = files.pop(CONTACTS, None)
    if setup.border_file is not None:
        contacts = listed_borders(setup)
    elif setup.borders is None:
        contacts = None
    files.pop(RECORD)
    record = json.loads(imported.to_json())  # of all regions, to repeat the import
    record["study"] = dict(questions)
    record["answered"] = {name: answer.value for name, answer in setup.answers.items()}
    yield from files.items()
    if contacts is not None:
        yield CONTACTS, contacts
    yield RECORD, (json.dumps(record, ensure_ascii=False, indent=1) + "\n").encode()


def listed_borders(setup: Setup) -> bytes:
    """Return the user's list of borders between the regions that take part."""
    import pandas as pd

    assert setup.border_file is not None
    problems = Problems()
    rows = read_contacts(setup.border_file, setup.everybody, problems)
    problems.raise_if_any()
    codes = set(setup.regions.codes)
    kept = [row for row in rows if {row.code_a, row.code_b} <= codes]
    table = pd.DataFrame(
        {
            "code_a": [row.code_a for row in kept],
            "code_b": [row.code_b for row in kept],
            "land": ["yes" if row.land else "no" for row in kept],
        }
    )
    if any(row.distance_km is not None for row in kept):
        table["distance_km"] = ["" if r.distance_km is None else f"{r.distance_km:g}" for r in kept]
    return table_csv(table)


def load_files(files: Mapping[str, bytes]) -> Scenario:
    """Load the scenario among these files; its problems name the files without a folder."""
    with tempfile.TemporaryDirectory(prefix="kolabsim-") as name:
        for file, content in files.items():
            (Path(name) / file).write_bytes(content)
        try:
            return Scenario.load(Path(name) / SCENARIO)
        except InputError as error:
            raise InputError(
                replace(problem, file=Path(problem.file).name if problem.file else None)
                for problem in error.problems
            ) from None


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
