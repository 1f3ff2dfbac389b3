"""What a folder of results holds besides the runs: tables, figures, a report, and its history.

Each file is written whole under another name and then put in its place, so that what is found is
complete, and what was there before stays until then.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim import __version__
from kolabsim.errors import InputError, Problem, StorageError, shown
from kolabsim.files import table_csv, write_whole
from kolabsim.i18n import _, language
from kolabsim.model.jit import digest
from kolabsim.report.workbook import is_possible
from kolabsim.study.collect import write_joined
from kolabsim.study.runner import INPUTS, MANIFEST
from kolabsim.study.store import KINDS, Store

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.collect import Results
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.runner import Progress, Study

PROVENANCE = "provenance.json"
"""The file that says how results came about."""
MOST_ROWS = 200_000
"""Most runs that are written as CSV too; ``kolabsim results`` exports any number of them."""
REPORT = "report.html"
PACKAGES = ("numpy", "numba", "pandas", "scipy", "mesa", "pydantic", "pyarrow", "matplotlib")


@dataclass(frozen=True)
class Account:
    """How results came about: the command, how much was run for it, and how long that took."""

    command: str
    progress: Progress
    seconds: Mapping[str, float]


def check_folder(folder: Path) -> None:
    """Refuse a place where a study cannot be put, before the first run."""
    check_room(folder)
    if folder.is_dir() and _strange(folder):
        text = _("this folder holds something else than results; choose another with --out")
        raise InputError([Problem(text, file=shown(folder))])


def check_room(folder: Path) -> None:
    """Refuse a place where nothing can be written, before the first run; nothing is left there."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        if folder.exists() and not folder.is_dir():
            text = _("this is a file; results need a folder")
            raise InputError([Problem(text, file=shown(folder))])
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        with suppress(OSError):  # another process may have put something there meanwhile
            for place in missing:
                place.rmdir()
    except OSError as error:
        text = _("{folder}: the disk refuses to write ({reason})")
        text = text.format(folder=shown(folder), reason=error.strerror or error)
        raise StorageError(text) from error


def _strange(folder: Path) -> bool:
    """Whether a folder holds something, and no study: not even one that stopped at once."""
    found = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    return bool(found - {INPUTS}) and MANIFEST not in found


def fresh_folder(folder: Path) -> Path:
    """The folder itself if there is nothing in it, or else the next one with a number."""
    found, number = folder, 1
    while found.exists() and (not found.is_dir() or any(found.iterdir())):
        number += 1
        found = folder.with_name(f"{folder.name}-{number}")
    return found


def request_of(experiment: Experiment, study: Study, pages: Iterable[str]) -> str:
    """The hash of all that a report depends on: as long as it is the same, so is the report."""
    asked = {
        "kolabsim": __version__,
        "points": [[p.strategy, p.future, p.hash] for p in study.points],
        "baseline": experiment.spec.baseline,
        "measures": list(experiment.spec.measures),
        "question": experiment.question(language()),
        "runs": [experiment.spec.runs, experiment.spec.detail],
        "language": language(),
        "pages": list(pages),
        "workbook": is_possible(),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def is_reported(experiment: Experiment, study: Study, pages: Iterable[str] = ()) -> bool:
    """Whether the folder has the report that is asked for, with pages of these regions."""
    path = study.folder / PROVENANCE
    if not (path.is_file() and (study.folder / REPORT).is_file()):
        return False
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:  # damaged: the report is written again
        return False
    return isinstance(facts, dict) and facts.get("request") == request_of(experiment, study, pages)


def provenance(
    experiment: Experiment, study: Study, account: Account, pages: Iterable[str] = ()
) -> dict[str, object]:
    """How a comparison came about, as plain data: enough to have it again."""
    return history_of(experiment, study.store, account) | {
        "request": request_of(experiment, study, pages),
        "baseline": experiment.spec.baseline,
        "futures": {name: dict(changes) for name, changes in experiment.futures.items()},
        "runs": experiment.spec.runs,
        "points": {f"{p.strategy}, {p.future}": p.hash for p in study.points},
    }


def history_of(experiment: Experiment, store: Store, account: Account) -> dict[str, object]:
    """What every kind of experiment says of how its results came about."""
    files = (experiment.file, *experiment.scenario.files, *experiment.scenario.extensions)
    parts = [path for kind in KINDS for path in store.files(kind)]
    return circumstances(account.command, experiment.seed, experiment.scenario) | {
        "experiment": experiment.name,
        "kind": experiment.kind,
        "strategies": list(experiment.strategies),
        "runs_done": account.progress.done,
        "runs_reused": account.progress.reused,
        "runs_failed": account.progress.failed,
        "parts": {path.name: hash_of_file(path) for path in parts},
        "files": {path.name: hash_of_file(path) for path in dict.fromkeys(files)},
        "seconds": {name: round(value, 3) for name, value in account.seconds.items()},
    }


def circumstances(command: str, seed: int, scenario: Scenario | None = None) -> dict[str, object]:
    """What everything that was simulated says of how it came about."""
    facts = {
        "kolabsim": __version__,
        "model": digest(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "seed": seed,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "packages": {name: _version(name) for name in PACKAGES},
    }
    if scenario is not None:
        text = json.dumps(scenario.resolved(), sort_keys=True, separators=(",", ":"))
        facts["scenario"] = scenario.name
        facts["scenario_hash"] = hashlib.sha256(text.encode()).hexdigest()
    return facts


def hash_of_file(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def publish(
    experiment: Experiment,
    study: Study,
    results: Results,
    comparison: Comparison,
    *,
    variance: pd.DataFrame | None,
    fair: pd.DataFrame | None,
    account: Account,
    pages: Mapping[str, str] | None = None,
) -> Path:
    """Write tables, figures, report and provenance of a comparison beside its runs.

    ``pages`` are the files of single regions that the report links to, by their codes.
    Raises :class:`~kolabsim.errors.StorageError` if the disk refuses.
    """
    from kolabsim.report.comparison import write_figures, write_report

    folder, facts = study.folder, provenance(experiment, study, account, pages or ())
    if study.runs * len(study.points) <= MOST_ROWS:
        write_joined(study, "runs", folder / "runs.csv")
    tables = {
        "differences": comparison.differences,
        "winners": comparison.winners,
        "costs": comparison.costs,
        "channels": comparison.channels,
    }
    tables |= {
        name: table for name, table in (("variance", variance), ("fairness", fair))
        if table is not None
    }  # fmt: skip
    for name, table in tables.items():
        write_whole(folder / f"{name}.csv", table_csv(table))
    resolved = json.dumps(experiment.scenario.resolved(), indent=1, sort_keys=True)
    write_whole(folder / "scenario.json", resolved.encode())
    write_figures(results, comparison, folder / "figures", measures=experiment.spec.measures)
    write_report(
        results,
        comparison,
        language=language(),
        provenance=facts,
        variance=variance,
        fair=fair,
        question=experiment.question(language()),
        measures=experiment.spec.measures,
        path=folder / REPORT,
        pages=pages,
        workbook=True,
    )
    write_whole(folder / PROVENANCE, json.dumps(facts, indent=1, ensure_ascii=False).encode())
    return folder
