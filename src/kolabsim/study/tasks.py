"""Tasks: what is simulated, addressed by everything that decides its results.

A task is one strategy under one future or at one point of a design. Its hash is that of everything
that decides its results: the engine's arrays, parameters, decision rule with its source, seed, and
the version of the model. A block is 64 runs of a task at fixed numbers, so that more runs never
move a boundary.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kolabsim.engine.ensemble import BLOCK, Extensions, Task, build_task, refuse_uncompiled
from kolabsim.engine.overrides import Base, build_base, vary
from kolabsim.errors import InputError, KolabsimError
from kolabsim.i18n import _
from kolabsim.model.load import imports, run_extensions
from kolabsim.model.measures import LAST_YEAR, MEASURES, RATIO
from kolabsim.model.state import Policy, World
from kolabsim.model.version import digest
from kolabsim.scenario.compile import build_policy
from kolabsim.scenario.futures import is_plausible
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.identity import Identity

DEFAULT_FUTURE = "default"
"""The one future of a study that names none: the scenario's own parameters."""
Plain = dict[str, Any]
"""Arrays, numbers and texts: what travels to a worker in another process or on another machine."""
CODE = ("model", "engine", "scenario", "study", "analysis")
"""Packages whose code decides a stored number or a published figure."""
MOST_KEPT = 256
"""Most futures whose scenarios are kept: more than a comparison usually has."""
Moments = tuple[tuple[str, int], ...]
"""Measures that are read at a quarter, each with its quarter."""


@dataclass(frozen=True)
class TaskKey:
    """The name of a task in its study, and its hash."""

    strategy: str
    future: str
    """The name of the future; in a design, its number."""
    hash: str

    @property
    def name(self) -> str:
        """Its name in a ledger."""
        return json.dumps([self.strategy, self.future], ensure_ascii=False)

    def block(self, run: int) -> str:
        """The hash of the block in which a run lies."""
        text = f"{self.hash}:{run // BLOCK}"
        return hashlib.sha256(text.encode()).hexdigest()[:24]


class Recipe(NamedTuple):
    """How a task is made: a base, and numbers that are written into it."""

    base: str
    names: tuple[str, ...] = ()
    values: np.ndarray = np.zeros(0)

    def hash(self, moments: Moments) -> str:
        """The hash of the task."""
        text = hashlib.sha256(f"{self.base}:{self.names}:{moments}".encode())
        text.update(np.ascontiguousarray(self.values).tobytes())
        return text.hexdigest()

    def make(self, bases: Mapping[str, Base]) -> Task:
        """The task."""
        base = bases[self.base]
        return vary(base, self.names, self.values.tolist()) if self.names else base.task


def settings_text(settings: Mapping[str, object]) -> str:
    """The settings of a future as JSON: the same settings give the same text.

    >>> settings_text({"form": "merged", "cap": 4.0}) == settings_text({"cap": 4, "form": "merged"})
    True
    """

    def plain(value: object) -> object:
        if isinstance(value, float | np.floating):
            return int(value) if value.is_integer() else float(value)
        return value

    given = {name: plain(value) for name, value in settings.items() if value == value}
    return json.dumps(given, sort_keys=True, ensure_ascii=False, default=str)


def in_future(scenario: Scenario, settings: Mapping[str, object]) -> Scenario:
    """The scenario with the settings of a future.

    Planning, running and reporting ask for the same futures, so the last ones are kept, but not
    those with extensions, whose files may change.
    """
    if not settings:
        return scenario
    if scenario.extensions:
        return scenario.with_(settings)
    return _resolved(Asked(id(scenario), settings_text(settings), scenario, settings))


@dataclass(frozen=True)
class Asked:
    """A scenario, and the settings of a future; it is equal to another with the same of both."""

    place: int
    text: str
    scenario: Scenario = field(compare=False)
    settings: Mapping[str, object] = field(compare=False)


@lru_cache(maxsize=MOST_KEPT)
def _resolved(asked: Asked) -> Scenario:
    return asked.scenario.with_(asked.settings)


def build_futures(
    scenario: Scenario, futures: Mapping[str, Mapping[str, object]], seed: int
) -> dict[str, tuple[Scenario, Task]]:
    """The scenario with the settings of each future, and the engine's input for it.

    Raises :class:`~kolabsim.errors.InputError` if a future changes regions, areas or the horizon.
    """
    worlds = {}
    for name, settings in futures.items():
        world = in_future(scenario, settings)
        if table_shape(world) != table_shape(scenario):
            text = _("future '{name}' must not change regions, areas or the horizon")
            raise InputError.of(text, name=name)
        first, own = next(iter(world.strategies.values())), future_seed(seed, name)
        worlds[name] = (world, build_task(world, first, seed=own))
    return worlds


def future_seed(seed: int, name: str) -> int:
    """The seed of the runs in a future: plausible futures have draws of their own.

    Chance then averages out over them; with common draws, it would move all futures alike. All
    other futures share their draws, so that a single change shows its own effect.

    >>> future_seed(1, "default"), future_seed(1, "plausible-1") == future_seed(1, "plausible-2")
    (1, False)
    """
    if not is_plausible(name):
        return seed
    digits = hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8]
    return int.from_bytes(digits, "big") >> 1


def table_shape(scenario: Scenario) -> tuple[object, ...]:
    """What all futures of a study must share, so that one table holds their results."""
    measures = scenario.measures
    return scenario.regions.codes, tuple(scenario.areas), scenario.horizon, measures


@dataclass
class Bases:
    """The bases of a design: one for each strategy and combination of settings that need a new one.

    Most settings are written into a base (:func:`kolabsim.engine.overrides.vary`), which takes less
    time than to build the world again.
    """

    scenario: Scenario
    seed: int
    quick: Sequence[str]
    """Settings that are written into a base."""
    packed: dict[str, Plain] = field(default_factory=dict)
    _known: dict[tuple[object, ...], str] = field(default_factory=dict)
    _arrays: dict[object, np.ndarray] = field(default_factory=dict)

    def add(self, strategy: str, choice: Mapping[str, Any]) -> str:
        """The hash of the base for a strategy and settings; it is built if it is new.

        Raises :class:`~kolabsim.errors.InputError` if a setting changes regions, areas or the
        horizon.
        """
        key = (strategy, *choice.values())
        if key not in self._known:
            support = {name: value for name, value in choice.items() if name.startswith("support.")}
            free = {name: value for name, value in choice.items() if name not in support}
            scenario = self.scenario.with_(free) if free else self.scenario
            if table_shape(scenario) != table_shape(self.scenario):
                text = _("a factor must not change regions, areas or the horizon")
                raise InputError.of(text)
            base = build_base(
                scenario, strategy, seed=self.seed, names=self.quick, settings=support
            )
            plain = share(pack_base(base), self._arrays)
            self._known[key] = hash_packed(plain)
            self.packed[self._known[key]] = plain
        return self._known[key]


def run_figures(history: np.ndarray, measures: Sequence[str] = tuple(MEASURES)) -> np.ndarray:
    """The figure of each run for every measure, [runs, measures], from [runs, quarters, measures].

    The mean over the last four quarters that define the measure, a sum over the run, or a ratio of
    two sums, as the measure declares; NaN where it is undefined.
    """
    place = {name: k for k, name in enumerate(measures)}
    sums, last = np.nansum(history, axis=1), history[:, -4:]
    total, defined = np.nansum(last, axis=1), np.isfinite(last).sum(axis=1)
    means = np.divide(total, defined, out=np.full_like(total, np.nan), where=defined > 0)
    figures = sums.copy()
    for name, k in place.items():
        measure = MEASURES[name]
        if measure.figure == LAST_YEAR:
            figures[:, k] = means[:, k]
        elif measure.figure == RATIO:
            above, below = (sums[:, place[part]] for part in measure.ratio)
            nothing = np.full_like(above, np.nan)
            figures[:, k] = np.divide(above, below, out=nothing, where=below > 0)
    return figures


def identify(
    scenario: Scenario,
    strategies: Sequence[str],
    kind: str,
    seed: int,
    asked: Mapping[str, Any] | None = None,
) -> Identity:
    """What decides whether a study of a scenario may continue another one in a folder."""
    worlds = {}
    if kind != "comparison":  # its points are compared by their names
        task = build_task(scenario, scenario.strategies[strategies[0]], seed=seed)
        for name in strategies:
            policy = build_policy(scenario, scenario.strategies[name])
            worlds[name] = hash_packed(pack(task._replace(policy=policy)))
    extensions = {
        path.name: hashlib.sha256(path.read_bytes() + repr(imports(path)).encode()).hexdigest()
        for path in scenario.extensions
    }
    return Identity(kind, seed, digest(*CODE), asked or {}, extensions, worlds)


# Packing ------------------------------------------------------------------------------------------


def pack(task: Task) -> Plain:
    """A task as plain arrays, numbers and texts.

    Raises :class:`~kolabsim.errors.InputError` for a rule that numba cannot compile: no worker
    could run it.
    """
    refuse_uncompiled(task.rule, task.extensions)
    packed: Plain = {"seed": task.seed, "model": digest(*CODE)}
    for kind, part in (("world", task.world), ("policy", task.policy)):
        for name, array in part._asdict().items():
            packed[f"{kind}.{name}"] = np.asarray(array).view(np.ndarray)
    records = {"parameters": task.parameters, "rule_parameters": task.rule_parameters}
    records |= {f"own.{place}": own for place, own in enumerate(task.extensions.parameters)}
    for name, record in records.items():
        packed[name] = np.array([tuple(record)], record.dtype.descr)
    own = [one for one in (task.rule, *task.extensions.rules) if one is not None]
    files = list(dict.fromkeys(Path(one.file) for one in own if one.file))
    packed["rule"] = task.rule.name if task.rule else ""
    packed["targets"] = json.dumps([one.name for one in task.extensions.targets])
    packed["measures"] = json.dumps([one.name for one in task.extensions.measures])
    packed["files"] = json.dumps([str(file) for file in files])
    sources = [file.read_bytes().decode(errors="surrogateescape") for file in files]
    packed["sources"] = json.dumps(sources)  # byte by byte, whatever their encoding
    packed["imports"] = json.dumps({file.name: imports(file) for file in files}, sort_keys=True)
    return packed


@cache
def type_text(kind: np.dtype) -> str:
    """The fields of an array's type as a text; numpy lists them again each time, which is slow."""
    return str(kind.descr)


def share(packed: Plain, known: dict[object, np.ndarray]) -> Plain:
    """A packed task in which arrays that other tasks have too are the same objects.

    Bases differ in few arrays; memory and messages to workers hold the others once.
    """
    return {
        name: known.setdefault((type_text(value.dtype), value.shape, value.tobytes()), value)
        if isinstance(value, np.ndarray)
        else value
        for name, value in packed.items()
    }


def unpack(packed: Plain) -> Task:
    """The task that was packed.

    Raises :class:`~kolabsim.errors.KolabsimError` if this process has another version of the model
    than the one that packed it, because results would differ.
    """
    if packed["model"] != digest(*CODE):
        text = _("this worker has version {here} of the model, the study has {there}")
        raise KolabsimError(text.format(here=digest(*CODE), there=packed["model"]))
    parts = {
        kind: {
            name.partition(".")[2]: array.view(np.recarray) if array.dtype.names else array
            for name, array in packed.items()
            if name.startswith(f"{kind}.")
        }
        for kind in ("world", "policy")
    }
    declared = run_extensions(_extension_files(packed))
    targets = tuple(declared.targets[name] for name in json.loads(packed["targets"]))
    measures = tuple(declared.measures[name] for name in json.loads(packed["measures"]))
    records = [packed[f"own.{k}"] for k in range(len(targets) + len(measures))]
    return Task(
        World(**parts["world"]),
        Policy(**parts["policy"]),
        packed["parameters"].view(np.recarray)[0],
        declared.rules[packed["rule"]] if packed["rule"] else None,
        packed["rule_parameters"].view(np.recarray)[0],
        int(packed["seed"]),
        Extensions(targets, measures, tuple(record.view(np.recarray)[0] for record in records)),
    )


def pack_base(base: Base) -> Plain:
    """A base as plain arrays, numbers and texts."""
    more = {"lever_on": base.lever_on, "areas": ",".join(base.areas)}
    return pack(base.task) | {f"base.{name}": value for name, value in more.items()}


def unpack_base(plain: Plain) -> Base:
    """The base that was packed; a task without settings that vary is one too."""
    if "base.areas" not in plain:
        return Base(unpack(plain), np.zeros((0, 0, 0), bool), ())
    return Base(unpack(plain), plain["base.lever_on"], tuple(str(plain["base.areas"]).split(",")))


def _extension_files(packed: Plain) -> list[Path]:
    """The files of user-defined rules, or on another machine copies of them."""
    found = []
    for name, text in zip(json.loads(packed["files"]), json.loads(packed["sources"]), strict=True):
        path, source = Path(name), text.encode(errors="surrogateescape")
        if not path.is_file() or path.read_bytes() != source:
            path = _scratch_folder(hashlib.sha256(source).hexdigest()[:16]) / path.name
            if not path.is_file():
                path.write_bytes(source)
        found.append(path)
    return found


@cache
def _scratch_folder(name: str) -> Path:
    """A folder for the copy of a program, removed when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"kolabsim-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def hash_packed(packed: Plain) -> str:
    """The hash of everything in a packed task except the places of its files on this machine."""
    text = hashlib.sha256()
    for name in sorted(packed):
        if name == "files":
            continue
        value = packed[name]
        text.update(name.encode())
        if isinstance(value, np.ndarray):
            text.update(f"{type_text(value.dtype)}{value.shape}".encode())
            text.update(np.ascontiguousarray(value).tobytes())
        else:
            text.update(repr(value).encode())
    return text.hexdigest()
