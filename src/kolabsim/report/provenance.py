"""How results came about: command, seed, versions and hashes, as data and as a section."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kolabsim import __version__
from kolabsim.figures.formatting import significant
from kolabsim.i18n import _, language
from kolabsim.model.load import imports
from kolabsim.model.version import digest
from kolabsim.report.page import Facts, Quote, Section, separate
from kolabsim.report.workbook import is_possible
from kolabsim.study.ledger import PART
from kolabsim.study.phases import PLANNING, SIMULATING, STORING
from kolabsim.study.spec import ComparisonSpec

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.execution import Progress
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.ledger import Ledger
    from kolabsim.study.phases import Spent

PROVENANCE = "provenance.json"
"""Name of the file with the provenance of results, in their folder."""
PACKAGES = ("numpy", "numba", "pandas", "scipy", "mesa", "pydantic", "pyarrow", "matplotlib")


@dataclass(frozen=True)
class Account:
    """A command that simulated: what was typed, how many runs it took, and how long."""

    command: str
    progress: Progress
    phases: Mapping[str, Spent]
    """The time of each phase so far."""


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


def study_provenance(
    experiment: Experiment, ledger: Ledger, account: Account, pages: Sequence[str] = ()
) -> dict[str, object]:
    """Return the provenance of an experiment: enough to reproduce it, with hashes of its files.

    ``pages`` are the codes of regions that have a page.
    """
    facts = provenance(account.command, experiment.seed, experiment.scenario) | {
        "experiment": experiment.name,
        "kind": experiment.kind,
        "strategies": list(experiment.strategies),
        "runs_wanted": account.progress.wanted,
        "runs_done": account.progress.done,
        "runs_reused": account.progress.reused,
        "runs_failed": account.progress.failed,
        "parts": {name: file.sha256 for name, file in ledger.files.items() if file.role == PART},
        "files": {path.name: hash_file(path) for path in input_files(experiment)},
        **time_facts(account),
        "bytes_per_run": {name: round(size) for name, size in bytes_per_run(ledger).items()},
        "asked": experiment.spec.model_dump(mode="json"),
        "settings": dict(experiment.settings),
        "pages": list(pages),
        "language": language(),
    }
    if isinstance(experiment.spec, ComparisonSpec):
        facts |= {
            "baseline": experiment.spec.baseline,
            "futures": {name: dict(changes) for name, changes in experiment.futures.items()},
            "runs": experiment.spec.runs,
        }
    return facts


def time_facts(account: Account) -> dict[str, object]:
    """Return the time by phase, and its processor time for each run that was simulated now."""
    phases, number = account.phases, account.progress.done + account.progress.repaired
    return {
        "seconds": round(sum(of.seconds for name, of in phases.items() if name != STORING), 3),
        "phases": {
            name: {"seconds": round(of.seconds, 3), "cpu_seconds": round(of.cpu_seconds, 3)}
            for name, of in phases.items()
        },
        "cpu_ms_per_run": {
            name: round(1e3 * of.cpu_seconds / number, 3) for name, of in phases.items() if number
        },
    }


def bytes_per_run(ledger: Ledger) -> dict[str, float]:
    """Bytes in parts for each run: its figures, and of runs with detail quarters and regions."""
    sizes, runs = Counter[str](), Counter[str]()
    for name, file in ledger.files.items():
        if file.role == PART:
            kind = name.split(".")[1]
            sizes[kind] += file.size
            runs[kind] += sum(span.end - span.first for span in ledger.spans(name))
    return {kind: sizes[kind] / number for kind, number in runs.items() if number}


def input_files(experiment: Experiment) -> list[Path]:
    """The files that an experiment consists of, its own first."""
    scenario = experiment.scenario
    points = getattr(experiment.spec, "points", None)
    own = (
        [experiment.file] if points is None else [experiment.file, experiment.file.parent / points]
    )
    sets = [] if experiment.own_sets is None else [experiment.own_sets]
    return list(dict.fromkeys((*own, *scenario.files, *scenario.extensions, *sets)))


def hash_request(experiment: Experiment, pages: Iterable[str]) -> str:
    """Return the hash of all that a report prints: the same hash, the same report."""
    request = {
        "code": hash_package(),
        "packages": {name: version_of_package(name) for name in PACKAGES},
        "platform": [platform.python_version(), platform.platform(terse=True)],
        "name": experiment.name,
        "asked": experiment.spec.model_dump(mode="json"),
        "settings": dict(experiment.settings),
        "files": [hash_file(path) for path in input_files(experiment)],
        "imports": [imports(path) for path in experiment.scenario.extensions],
        "language": language(),
        "pages": list(pages),
        "workbook": is_possible(),
    }
    text = json.dumps(request, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def hash_package() -> str:
    """Return the hash of all of kolabsim: code, templates, and translations."""
    text, package = hashlib.sha256(), Path(__file__).parents[1]
    for path in sorted(package.rglob("*")):
        if path.suffix in (".py", ".po", ".j2", ".css", ".js"):
            text.update(path.read_bytes())
    return text.hexdigest()


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
    rows += [(_("Time"), time_line(facts["phases"]))] if "phases" in facts else []
    quote = Quote(_("Methods, for citation"), methods)
    return Section("reproduce", _("Reproducing the results"), Facts(rows, is_code=True), quote)


def time_line(phases: Any) -> str:
    """Return the time of the phases before the report, which cannot know how long it takes."""
    text = _(
        "planning {planning} s, simulating {simulating} s on the clock; {cpu} s of processor time, "
        "{simulated} s of it for simulating and {storing} s for storing"
    )
    before = [phases[name]["cpu_seconds"] for name in (PLANNING, SIMULATING, STORING)]
    return text.format(
        planning=significant(phases[PLANNING]["seconds"]),
        simulating=significant(phases[SIMULATING]["seconds"]),
        cpu=significant(sum(before)),
        simulated=significant(before[1]),
        storing=significant(before[2]),
    )


def one_line(value: object) -> str:
    """Return a fact in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {part}" for name, part in value.items() if part is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
