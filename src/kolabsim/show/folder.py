"""One folder of results: tables, figures, a report, and how it all came about.

A folder is written whole under another name beside its place and then put there, so that what is
found is complete, and what was there before stays until then.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim import __version__
from kolabsim.errors import InputError, Problem, StorageError, shown
from kolabsim.language import _, language
from kolabsim.model.kernel import digest

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.compare import Comparison
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.results import Results

PROVENANCE = "provenance.json"
"""The file by which a folder of results is known as one."""

PACKAGES = ("numpy", "numba", "pandas", "scipy", "mesa", "pydantic", "pyarrow", "matplotlib")


@dataclass(frozen=True)
class Account:
    """How results came about: the command, and the seconds that parts of it took."""

    command: str
    seconds: Mapping[str, float]


def check_folder(folder: Path) -> None:
    """Refuse a place where results cannot be put, before the first run."""
    problem = None
    if folder.exists() and not folder.is_dir():
        problem = _("this is a file; results need a folder")
    elif folder.is_dir() and any(folder.iterdir()) and not (folder / PROVENANCE).is_file():
        problem = _("this folder holds something else than results; choose another with --out")
    if problem:
        raise InputError([Problem(problem, file=shown(folder))])
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent):
            pass
    except OSError as error:
        raise _refused(folder, error) from error


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of ``folder`` once all is in it, or leaves no trace."""
    try:
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    except OSError as error:
        raise _refused(folder, error) from error
    old = part.with_name(f"{part.name}-old")
    try:
        part.chmod(0o755)
        yield part
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    except OSError as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise _refused(folder, error) from error
    finally:
        for rest in (part, old):
            with suppress(OSError):
                shutil.rmtree(rest)


def _refused(folder: Path, error: OSError) -> StorageError:
    text = _("{folder}: the disk refuses to write ({reason}); nothing was changed")
    return StorageError(text.format(folder=shown(folder), reason=error.strerror or error))


def provenance(experiment: Experiment, account: Account) -> dict[str, object]:
    """How results came about, as plain data: enough to have them again."""
    resolved = experiment.scenario.resolved()
    text = json.dumps(resolved, sort_keys=True, separators=(",", ":"))
    files = (experiment.file, *experiment.scenario.files, *experiment.scenario.extensions)
    return {
        "kolabsim": __version__,
        "model": digest(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": account.command,
        "experiment": experiment.name,
        "scenario": experiment.scenario.name,
        "scenario_hash": hashlib.sha256(text.encode()).hexdigest(),
        "strategies": list(experiment.strategies),
        "baseline": experiment.baseline,
        "futures": {name: dict(changes) for name, changes in experiment.futures.items()},
        "runs": experiment.runs,
        "seed": experiment.seed,
        "files": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in dict.fromkeys(files)
        },
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "packages": {name: _version(name) for name in PACKAGES},
        "seconds": {name: round(value, 3) for name, value in account.seconds.items()},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def publish(
    folder: Path,
    experiment: Experiment,
    results: Results,
    comparison: Comparison,
    *,
    variance: pd.DataFrame | None,
    account: Account,
) -> Path:
    """Write everything about a comparison into a folder, whole or not at all.

    Raises :class:`~kolabsim.errors.StorageError` if the disk refuses.
    """
    from kolabsim.show.report import write_figures, write_report

    facts = provenance(experiment, account)
    with replaced(folder) as part:
        tables = {"runs": results.runs, "quarters": results.quarters, "regions": results.regions}
        for name, table in tables.items():
            table.to_parquet(part / f"{name}.parquet", index=False)
        tables = {
            "runs": results.runs,
            "differences": comparison.differences,
            "winners": comparison.winners,
            "costs": comparison.costs,
            "channels": comparison.channels,
        }
        if variance is not None:
            tables["variance"] = variance
        for name, table in tables.items():
            table.to_csv(part / f"{name}.csv", index=False, lineterminator="\n")
        (part / "scenario.json").write_text(
            json.dumps(experiment.scenario.resolved(), indent=1, sort_keys=True), encoding="utf-8"
        )
        write_figures(results, comparison, part / "figures", measures=experiment.measures)
        write_report(
            results,
            comparison,
            language=language(),
            provenance=facts,
            variance=variance,
            question=experiment.question(language()),
            measures=experiment.measures,
            path=part / "report.html",
        )
        (part / PROVENANCE).write_text(
            json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8"
        )
    return folder
