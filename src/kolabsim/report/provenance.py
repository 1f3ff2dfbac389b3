"""How results came about: command, seed, versions and hashes, as data and as a section."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim import __version__
from kolabsim.i18n import _, language
from kolabsim.model.jit import digest
from kolabsim.report.page import Facts, Quote, Section, separate
from kolabsim.report.workbook import is_possible
from kolabsim.study.store import KINDS, Store

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.runner import Progress, Study

PROVENANCE = "provenance.json"
"""Name of the file with the provenance of results, in their folder."""
PACKAGES = ("numpy", "numba", "pandas", "scipy", "mesa", "pydantic", "pyarrow", "matplotlib")


@dataclass(frozen=True)
class Account:
    """A command that simulated: what was typed, how many runs it took, and how many seconds."""

    command: str
    progress: Progress
    seconds: Mapping[str, float]


# Facts ------------------------------------------------------------------------------------------


def provenance(command: str, seed: int, scenario: Scenario | None = None) -> dict[str, object]:
    """Return the provenance of anything that was simulated: command, seed, versions, hashes."""
    facts: dict[str, object] = {
        "kolabsim": __version__,
        "model": digest(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "seed": seed,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "packages": {name: version_of_package(name) for name in PACKAGES},
    }
    if scenario is not None:
        text = json.dumps(scenario.resolved(), sort_keys=True, separators=(",", ":"))
        facts["scenario"] = scenario.name
        facts["scenario_hash"] = hashlib.sha256(text.encode()).hexdigest()
    return facts


def study_provenance(experiment: Experiment, store: Store, account: Account) -> dict[str, object]:
    """Return the provenance of an experiment: also its runs, and hashes of its files."""
    files = (experiment.file, *experiment.scenario.files, *experiment.scenario.extensions)
    parts = [path for kind in KINDS for path in store.files(kind)]
    return provenance(account.command, experiment.seed, experiment.scenario) | {
        "experiment": experiment.name,
        "kind": experiment.kind,
        "strategies": list(experiment.strategies),
        "runs_done": account.progress.done,
        "runs_reused": account.progress.reused,
        "runs_failed": account.progress.failed,
        "parts": {path.name: hash_file(path) for path in parts},
        "files": {path.name: hash_file(path) for path in dict.fromkeys(files)},
        "seconds": {name: round(value, 3) for name, value in account.seconds.items()},
    }


def comparison_provenance(
    experiment: Experiment, study: Study, account: Account, pages: Iterable[str] = ()
) -> dict[str, object]:
    """Return the provenance of a comparison: enough to reproduce it, and to know its report."""
    return study_provenance(experiment, study.store, account) | {
        "request": hash_request(experiment, study, pages),
        "baseline": experiment.spec.baseline,
        "futures": {name: dict(changes) for name, changes in experiment.futures.items()},
        "runs": experiment.spec.runs,
        "points": {f"{p.strategy}, {p.future}": p.hash for p in study.tasks},
    }


def hash_request(experiment: Experiment, study: Study, pages: Iterable[str]) -> str:
    """Return the hash of all that a report depends on: the same hash, the same report."""
    request = {
        "kolabsim": __version__,
        "points": [[p.strategy, p.future, p.hash] for p in study.tasks],
        "baseline": experiment.spec.baseline,
        "measures": list(experiment.spec.measures),
        "question": experiment.question(language()),
        "runs": [experiment.spec.runs, experiment.spec.detail],
        "language": language(),
        "pages": list(pages),
        "workbook": is_possible(),
    }
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def version_of_package(name: str) -> str | None:
    """Return the installed version of a package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


# The section ------------------------------------------------------------------------------------


@separate
def reproduction_section(facts: Mapping[str, object], methods: str) -> Section:
    """Return the section on how to reproduce results, with a paragraph on methods."""
    titles = {
        "command": _("Command"), "experiment": _("Experiment"), "scenario": _("Scenario"),
        "scenario_hash": _("Hash of the scenario"), "seed": _("Seed"), "runs": _("Runs"),
        "runs_done": _("Runs simulated now"), "runs_reused": _("Runs reused"),
        "runs_failed": _("Failed runs"), "kolabsim": _("Version of kolabsim"),
        "model": _("Hash of the model"), "files": _("Hashes of files"),
        "packages": _("Packages"), "python": _("Python"), "platform": _("Platform"),
        "made": _("Date"),
    }  # fmt: skip
    rows = [(title, one_line(facts[name])) for name, title in titles.items() if name in facts]
    quote = Quote(_("Methods, for citation"), methods)
    return Section("reproduce", _("Reproducing the results"), Facts(rows, is_code=True), quote)


def one_line(value: object) -> str:
    """Return a fact in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {part}" for name, part in value.items() if part is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
