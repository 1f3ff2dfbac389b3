"""A small experiment of each kind, in three places whose names need care."""

from __future__ import annotations

from pathlib import Path

from tests.terminal import kolabsim

FACTORS = "factors: {parameters.trust_start: , parameters.exit_base: }\n"
KINDS = {
    "comparison": "strategies: [voluntary, team]\nplausible: 2\nruns: 4\n",
    "sensitivity": f"{FACTORS}method: morris\nsamples: 4\noutcomes: [trust, trust@3]\nruns: 2\n",
    "robustness": f"{FACTORS}strategies: [voluntary, team]\nsamples: 10\nruns: 2\n",
    "sweep": f"{FACTORS}levels: 3\nplausible: 0\nruns: 2\n",
    "search": "levers: [mechanisms]\npopulation: 8\ngenerations: 2\nruns: [2, 4]\nplausible: 2\n",
}
WORLD = """\
title: The valley
currency: EUR
regions: {table: places.csv}
families: [administration]
"""
PLACES = "code,name,population,latitude,longitude\n" + "".join(
    f"{code},{name},{people},0,0.{k}\n"
    for k, (code, name, people) in enumerate(
        [("a1", "Old Bridge", 20000), ("b/2", "Ferry", 30000), ("c3", "Mill", 25000)], start=1
    )
)


def write_experiment(folder: Path, kind: str) -> Path:
    (folder / "places.csv").write_text(PLACES, encoding="utf-8")
    (folder / "world.yaml").write_text(WORLD, encoding="utf-8")
    text = f"kind: {kind}\nscenario: world.yaml\nset: {{horizon: 4}}\n{KINDS[kind]}"
    (folder / f"{kind}.yaml").write_text(text, encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {name.as_posix(): path.read_bytes() for name, path in files.items()}


def run(folder: Path, kind: str, *more: object):
    command = ["run", f"{kind}.yaml", "--out", "out", *more]
    return kolabsim(
        *command, *(["--regions", "b/2"] if kind == "comparison" else []), folder=folder
    )
