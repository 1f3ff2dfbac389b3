"""Points of a study, and the blocks of runs that answer them, addressed by what decides them.

A point is one strategy under one future. Its hash is that of everything that decides its results:
the engine's arrays, parameters, decision rule with its source, seed, and the model's own version. A
block is 64 runs of a point at fixed numbers: growth never moves a boundary.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from kolabsim.engine.ensemble import BLOCK, Own, Task, build_task
from kolabsim.errors import InputError, KolabsimError, Problem
from kolabsim.i18n import _
from kolabsim.model.jit import digest
from kolabsim.model.load import run_extensions
from kolabsim.model.measures import LAST_YEAR, MEASURES, RATIO
from kolabsim.model.state import Policy, World
from kolabsim.scenario.scenario import Scenario

DEFAULT_FUTURE = "default"
"""The one future of a study that names none: the scenario's own parameters."""
Plain = dict[str, object]
"""Arrays, numbers and texts: what travels to a worker in another process or on another machine."""


@dataclass(frozen=True)
class Point:
    """One strategy under one future, with the hash of all that decides its results."""

    strategy: str
    future: str
    hash: str

    def block(self, run: int) -> str:
        """The hash of the block in which a run lies."""
        text = f"{self.hash}:{run // BLOCK}"
        return hashlib.sha256(text.encode()).hexdigest()[:24]


def build_futures(
    scenario: Scenario, futures: Mapping[str, Mapping[str, object]], seed: int
) -> dict[str, tuple[Scenario, Task]]:
    """The scenario as each future has it, and the engine's input for it."""
    worlds = {}
    for name, settings in futures.items():
        world = scenario.with_(settings) if settings else scenario
        if shape_of(world) != shape_of(scenario):
            text = _("future '{name}' must not change regions, areas or the horizon")
            raise InputError([Problem(text.format(name=name))])
        worlds[name] = (world, build_task(world, next(iter(world.strategies.values())), seed=seed))
    return worlds


def shape_of(scenario: Scenario) -> tuple[object, ...]:
    """What all futures of a study must share, so that their results can stand in one table."""
    measures = scenario.measures
    return scenario.regions.codes, tuple(scenario.areas), scenario.horizon, measures


def run_figures(history: np.ndarray, measures: Sequence[str] = tuple(MEASURES)) -> np.ndarray:
    """Each run's figure of every measure, [runs, measures], from [runs, quarters, measures].

    The mean of the last four quarters in which it is defined, a sum over the run, or a ratio of
    two sums; NaN where it is undefined.
    """
    figures = np.empty((len(history), len(measures)))
    place = {name: k for k, name in enumerate(measures)}
    sums = np.nansum(history, axis=1)
    last = history[:, -4:]
    defined = np.isfinite(last).sum(axis=1)
    total = np.nansum(last, axis=1)
    means = np.divide(total, defined, out=np.full_like(total, np.nan), where=defined > 0)
    for name, k in place.items():
        measure = MEASURES[name]
        if measure.figure == LAST_YEAR:
            figures[:, k] = means[:, k]
        elif measure.figure == RATIO:
            above, below = (sums[:, place[part]] for part in measure.ratio)
            figures[:, k] = np.divide(
                above, below, out=np.full_like(above, np.nan), where=below > 0
            )
        else:
            figures[:, k] = sums[:, k]
    return figures


def pack(task: Task) -> Plain:
    """A task as plain arrays, numbers and texts."""
    packed: Plain = {"seed": task.seed, "model": digest()}
    for kind, part in (("world", task.world), ("policy", task.policy)):
        for name, array in part._asdict().items():
            packed[f"{kind}.{name}"] = np.asarray(array).view(np.ndarray)
    for name, record in (
        ("parameters", task.parameters),
        ("rule_parameters", task.rule_parameters),
    ):
        packed[name] = np.array([tuple(record)], record.dtype.descr)
    for place, record in enumerate(task.own.parameters):
        packed[f"own.{place}"] = np.array([tuple(record)], record.dtype.descr)
    own = [one for one in (task.rule, *task.own.rules) if one is not None]
    files = list(dict.fromkeys(Path(one.file) for one in own))
    packed["rule"] = task.rule.name if task.rule else ""
    packed["targets"] = json.dumps([one.name for one in task.own.targets])
    packed["measures"] = json.dumps([one.name for one in task.own.measures])
    packed["files"] = json.dumps([str(file) for file in files])
    packed["sources"] = json.dumps([_as_text(file) for file in files])
    return packed


def _as_text(path: Path) -> str:
    """A program's source, byte by byte, in whatever encoding it says that it has."""
    return path.read_bytes().decode(errors="surrogateescape")


def unpack(packed: Mapping[str, object]) -> Task:
    """The task that was packed.

    Raises :class:`~kolabsim.errors.KolabsimError` where this process has another version of the
    model than the one that packed it: its results would not be the same study's.
    """
    if packed["model"] != digest():
        text = _("this worker has version {here} of the model, the study has {there}")
        raise KolabsimError(text.format(here=digest(), there=packed["model"]))
    parts = {
        kind: {
            name.partition(".")[2]: _records(array)
            for name, array in packed.items()
            if name.startswith(f"{kind}.")
        }
        for kind in ("world", "policy")
    }
    declared = run_extensions(_extension_files(packed))
    targets, measures = (
        tuple(part[name] for name in json.loads(packed[kind]))
        for kind, part in (("targets", declared.targets), ("measures", declared.measures))
    )
    records = [packed[f"own.{k}"] for k in range(len(targets) + len(measures))]
    return Task(
        World(**parts["world"]),
        Policy(**parts["policy"]),
        packed["parameters"].view(np.recarray)[0],
        declared.rules[packed["rule"]] if packed["rule"] else None,
        packed["rule_parameters"].view(np.recarray)[0],
        int(packed["seed"]),
        Own(targets, measures, tuple(record.view(np.recarray)[0] for record in records)),
    )


def has_obstacle(packed: Mapping[str, object]) -> bool:
    """Whether a packed task has a rule that cannot be compiled, and so runs in plain Python."""
    if not json.loads(packed["files"]):
        return False
    task = unpack(packed)
    own = (task.rule, *task.own.rules)
    return any(one.obstacle for one in own if one is not None)


def _extension_files(packed: Mapping[str, object]) -> list[Path]:
    """The files of a user's rules; on another machine, copies under the hash of their source."""
    texts = zip(json.loads(packed["files"]), json.loads(packed["sources"]), strict=True)
    return [
        _extension_file(Path(name), text.encode(errors="surrogateescape")) for name, text in texts
    ]


def _extension_file(path: Path, source: bytes) -> Path:
    if path.is_file() and path.read_bytes() == source:
        return path
    copy = _room(hashlib.sha256(source).hexdigest()[:16]) / path.name
    if not copy.is_file():
        copy.write_bytes(source)
    return copy


@cache
def _room(name: str) -> Path:
    """A folder for the copy of a program, as long as this process lives."""
    folder = Path(tempfile.mkdtemp(prefix=f"kolabsim-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _records(array: np.ndarray) -> np.ndarray:
    return array.view(np.recarray) if array.dtype.names else array


def hash_of(packed: Mapping[str, object]) -> str:
    """The hash of everything in a packed task but where on this machine its rules lie."""
    text = hashlib.sha256()
    for name in sorted(packed):
        if name == "files":
            continue
        value = packed[name]
        text.update(name.encode())
        if isinstance(value, np.ndarray):
            text.update(f"{value.dtype.descr}{value.shape}".encode())
            text.update(np.ascontiguousarray(value).tobytes())
        else:
            text.update(repr(value).encode())
    return text.hexdigest()


def to_bytes(packed: Mapping[str, object]) -> bytes:
    """A packed task as the content of a file, from which its runs can be had again."""
    room = io.BytesIO()
    np.savez_compressed(room, **{name: np.asarray(value) for name, value in packed.items()})
    return room.getvalue()


def from_bytes(content: bytes) -> Plain:
    """The packed task that a file holds; nothing in it is run."""
    with np.load(io.BytesIO(content), allow_pickle=False) as held:
        found: Plain = {name: held[name] for name in held.files}
    texts = ("model", "rule", "targets", "measures", "files", "sources")
    found |= {name: str(found[name]) for name in texts}
    return found | {"seed": int(found["seed"])}
