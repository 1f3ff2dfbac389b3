"""Plausible futures: the parameter sets that agree with what is known, as calibration left them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from kolabsim.world.scenario import shipped

FILE = "plausible.csv"


def plausible_sets(path: Path | None = None) -> tuple[Mapping[str, float], ...]:
    """All sets of a file that calibration wrote, by default the shipped ones, in its order."""
    path = shipped("scenarios") / FILE if path is None else path
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            {name: float(value) for name, value in row.items()} for row in csv.DictReader(file)
        )


def plausible_futures(number: int) -> dict[str, dict[str, object]]:
    """The first ``number`` plausible futures by name, as experiments take futures."""
    return {
        f"plausible-{k + 1}": {f"parameters.{name}": value for name, value in one.items()}
        for k, one in enumerate(plausible_sets()[:number])
    }


def as_text(sets: Sequence[Mapping[str, float]]) -> str:
    """Sets as the text of a file, six digits each."""
    lines = [",".join(sets[0])]
    lines += [",".join(f"{value:.6g}" for value in one.values()) for one in sets]
    return "\n".join(lines) + "\n"
