"""The page's parts on real regions, where their samples are at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from kolabsim.i18n import _
from kolabsim.report.page import Section
from kolabsim.report.validation_nation import nation_section, write_nation
from kolabsim.report.validation_network import network_section, write_network
from kolabsim.validation.indonesia import Nation, judge_nation, read_indonesia
from kolabsim.validation.netherlands import read_netherlands
from kolabsim.validation.network import Network, judge_network

RUNS = 400
"""Runs from which the chance of each pair is taken."""


class Samples(NamedTuple):
    """Samples of real regions."""

    network: Network
    nation: Nation


def read_samples(data: Path) -> Samples:
    """The samples in a folder; all that is wrong is told before anything is simulated."""
    return Samples(read_netherlands(data), read_indonesia(data))


def sample_sections(
    samples: Samples,
    folder: Path,
    *,
    runs: int = RUNS,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Section]:
    """Judge the model by the samples, write what is found into a folder, and tell it."""
    network = judge_network(samples.network, runs=runs, threads=threads, progress=progress)
    nation = judge_nation(
        samples.nation,
        runs=max(runs // 4, 2),
        threads=threads,
        progress=progress and (lambda done: progress(runs + done)),
    )
    areas = list(samples.network.scenario.areas)
    write_network(network, areas, folder / "network.csv")
    write_nation(nation, folder)
    return [network_section(network, areas), nation_section(nation)]


def without_samples() -> Section:
    """What is said where no samples are at hand."""
    text = _(
        "The model was not judged by real regions: samples of Dutch and Indonesian ones do not "
        "come with kolabsim. --data names a folder that holds them."
    )
    return Section("samples", _("Real regions"), text)
