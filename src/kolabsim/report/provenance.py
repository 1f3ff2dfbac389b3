"""How to have results again: command, seed, versions and hashes, and a paragraph to be cited."""

from __future__ import annotations

from collections.abc import Mapping

from kolabsim.i18n import _
from kolabsim.report.page import Section


def again_section(facts: Mapping[str, object], methods: str) -> Section:
    """How the results of a page came about, and its methods."""
    return Section(
        "again",
        _("How to reproduce it"),
        [],
        facts=provenance_lines(facts),
        quote=(_("Methods, to be cited"), methods),
    )


def provenance_lines(provenance: Mapping[str, object]) -> list[tuple[str, str]]:
    """How the results came about, a line for each fact."""
    titles = {
        "command": _("Command"), "experiment": _("Experiment"), "scenario": _("Scenario"),
        "scenario_hash": _("Hash of the scenario"), "seed": _("Seed"), "runs": _("Runs"),
        "runs_done": _("Runs simulated now"), "runs_reused": _("Runs kept from before"),
        "runs_failed": _("Runs that failed"), "kolabsim": _("Version of kolabsim"),
        "model": _("Hash of the model"), "files": _("Hashes of files"),
        "packages": _("Packages"), "python": _("Python"), "platform": _("Platform"),
        "made": _("Made"),
    }  # fmt: skip
    return [
        (title, as_line(provenance[name])) for name, title in titles.items() if name in provenance
    ]


def as_line(value: object) -> str:
    """A fact of the provenance in a line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {part}" for name, part in value.items() if part is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
