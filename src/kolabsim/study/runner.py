"""A study that is kept in a folder: only what is missing is run, and nothing finished is lost.

Sample, run and analyse are three steps that are kept apart: the points of a study with everything
that decides their results, their runs in parts, and what is read out of them.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from kolabsim.engine.ensemble import BLOCK, Block, cores, new_state, run_block
from kolabsim.errors import InputError, KolabsimError, Problem, StoppedError, shown
from kolabsim.files import write_whole
from kolabsim.i18n import _
from kolabsim.model.jit import digest
from kolabsim.model.measures import MEASURES, OWN, Measure
from kolabsim.scenario.compile import build_policy
from kolabsim.scenario.source import is_file
from kolabsim.study.spec import MOST_RUNS
from kolabsim.study.store import Held, Store, intact, quarter_rows, region_rows, run_rows
from kolabsim.study.tasks import (
    Plain,
    Point,
    build_futures,
    from_bytes,
    has_obstacle,
    hash_of,
    pack,
    run_figures,
    to_bytes,
    unpack,
)

if TYPE_CHECKING:
    from kolabsim.engine.ensemble import Task
    from kolabsim.model.state import State
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.experiment import Experiment

Given = TypeVar("Given")

MANIFEST = "study.json"
FAILURES = "failures"
INPUTS = "inputs"
SECONDS = 2.0
"""How long a batch should take: long enough that its overhead does not matter, short enough that
little is lost when it is interrupted."""
MOST_BLOCKS = 128
"""Most blocks in a batch, so that what a batch holds in memory stays small."""


class GivenUpError(Exception):
    """A batch that gave up because the study is being stopped."""


@dataclass
class Progress:
    """How far a study is."""

    wanted: int
    """Runs that the study asks for."""
    reused: int = 0
    """Runs that were finished before."""
    done: int = 0
    failed: int = 0
    simulated: float = 0.0
    """Seconds of simulation, summed over workers."""

    @property
    def left(self) -> int:
        """Runs that are still to be done."""
        return self.wanted - self.reused - self.done - self.failed


@dataclass(frozen=True)
class Failure:
    """A run that raised: where it stands, and what it said."""

    strategy: str
    future: str
    run: int
    block: str
    error: str
    traceback: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.block}-{self.run}.json"


@dataclass(frozen=True)
class Study:
    """An experiment's points and the folder in which their runs are kept."""

    folder: Path
    points: tuple[Point, ...]
    packed: Mapping[str, Plain] = field(repr=False)
    """What decides the results of each point, by its hash."""
    runs: int
    seed: int
    detail: int
    """Of how many runs of each point quarters and regions are kept."""
    names: tuple[tuple[str, ...], tuple[str, ...]] = field(repr=False)
    """Codes of the regions, and names of the areas."""
    currency: str = ""
    own: Mapping[str, Measure] = field(default_factory=dict, repr=False)
    """Measures that extensions of the scenario declare."""

    work: ClassVar[Callable[..., dict[str, object]]]
    """What a worker does with a batch."""

    @classmethod
    def plan(cls, experiment: Experiment, folder: Path | str) -> Study:
        """The study of an experiment, and what a folder already has of it.

        Raises :class:`~kolabsim.errors.InputError` if the folder holds runs of a point of this
        name that something else decided: another scenario, seed, or version of the model.
        """
        scenario, folder = experiment.scenario, Path(folder)
        points, packed = [], {}
        futures = build_futures(scenario, experiment.futures, experiment.seed)
        for strategy in experiment.strategies:
            for future, (world, task) in futures.items():
                policy = build_policy(world, world.strategies[strategy])
                plain = pack(task._replace(policy=policy))
                point = Point(strategy, future, hash_of(plain))
                points.append(point)
                packed[point.hash] = plain
        study = cls(
            folder=folder,
            points=tuple(points),
            packed=packed,
            runs=experiment.spec.runs,
            seed=experiment.seed,
            detail=experiment.spec.detail,
            names=(scenario.regions.codes, tuple(scenario.areas)),
            currency=scenario.currency,
            own=own_measures(scenario),
        )
        study.check_manifest()
        return study

    @classmethod
    def open(cls, folder: Path) -> Study:
        """The study that a folder holds, as it was last asked for.

        Raises :class:`~kolabsim.errors.InputError` if the folder holds none.
        """
        manifest = read_manifest(folder)
        if not manifest:
            text = _("there is no study in this folder")
            raise InputError([Problem(text, file=shown(folder))])
        points = tuple(Point(*json.loads(k), v) for k, v in manifest["points"].items())
        return cls(
            folder=folder,
            points=points,
            packed={},
            runs=manifest["runs"],
            seed=manifest["seed"],
            detail=manifest["detail"],
            names=(tuple(manifest["regions"]), tuple(manifest["areas"])),
            currency=manifest["currency"],
            own=kept_measures(manifest),
        )

    @property
    def measures(self) -> dict[str, Measure]:
        """All measures of the whole system that its runs have."""
        return {**MEASURES, **self.own}

    @property
    def store(self) -> Store:
        """The finished runs."""
        return Store(self.folder)

    # What is kept besides the runs --------------------------------------------------------------

    def check_manifest(self) -> None:
        """Refuse a folder whose runs something else decided than what decides this study's."""
        before = read_manifest(self.folder)
        known = before.get("points", {})
        changed = [
            point for point in self.points if known.get(_label(point), point.hash) != point.hash
        ]
        if not changed:
            return
        if before.get("model") != digest():
            what = _("another version of the model made them")
        elif before.get("seed") != self.seed:
            what = _("they have seed {seed}").format(seed=before.get("seed"))
        else:
            names = ", ".join(dict.fromkeys(point.strategy for point in changed))
            what = _("the scenario has changed for: {names}").format(names=names)
        text = _(
            "the runs in this folder are not of this study: {what}; add --fresh to put the study "
            "into a new folder, or choose one with --out"
        )
        raise InputError([Problem(text.format(what=what), file=shown(self.folder))])

    def write_manifest(self) -> None:
        """Keep which points the study has, and for each what decides its results."""
        before = read_manifest(self.folder)
        manifest = {
            "model": digest(),
            "seed": self.seed,
            "runs": max(self.runs, before.get("runs", 0)),
            "detail": max(self.detail, before.get("detail", 0)),
            "regions": list(self.names[0]),
            "areas": list(self.names[1]),
            "currency": self.currency,
            "measures": {name: asdict(entry) for name, entry in self.own.items()},
            "points": self.known_points(before) | {_label(p): p.hash for p in self.points},
        }
        self.write_inputs()
        if manifest != before:
            text = json.dumps(manifest, indent=1, ensure_ascii=False)
            write_whole(self.folder / MANIFEST, text.encode())

    def known_points(self, before: Mapping[str, object]) -> dict[str, str]:
        """The points of an earlier manifest that the folder goes on to know."""
        return before.get("points", {})

    def write_inputs(self) -> None:
        """Keep what decides the results of each point."""
        for point in self.points:
            path = self.folder / INPUTS / f"{point.hash}.npz"
            if not path.is_file():
                write_whole(path, to_bytes(self.packed[point.hash]))

    def failures(self) -> list[Failure]:
        """The runs of this study that raised, and were not done again since."""
        blocks = {point.block(r) for point in self.points for r in range(0, self.runs, BLOCK)}
        found = []
        for path in sorted((self.folder / FAILURES).glob("[!.]*.json")):
            with intact(path):
                failure = Failure(**json.loads(path.read_text(encoding="utf-8")))
            if failure.block in blocks and failure.run < self.runs:
                found.append(failure)
        return found

    # What is to be done -------------------------------------------------------------------------

    def missing(self, *, retry_failed: bool = False) -> list[tuple[Point, np.ndarray]]:
        """The runs that are neither finished nor failed, by block, in the order of the points."""
        held = self.store.held()
        detailed = self.store.held("quarters") if self.detail else {}
        failed: dict[str, set[int]] = {}
        for failure in [] if retry_failed else self.failures():
            failed.setdefault(failure.block, set()).add(failure.run)
        found = []
        for point in self.points:
            for first in range(0, self.runs, BLOCK):
                block = point.block(first)
                numbers = set(range(first, min(first + BLOCK, self.runs)))
                there = held.get(block, set())
                # A run without its detail is done again where detail is now asked for.
                bare = {r for r in numbers & there if r < self.detail} - detailed.get(block, set())
                left = numbers - (there - bare) - failed.get(block, set())
                if left:
                    found.append((point, np.array(sorted(left), np.int64)))
        return found

    def batches(
        self, work: list[tuple[Point, np.ndarray]], blocks: Callable[[], int]
    ) -> Iterator[Plain]:
        """Blocks of one point travel together, as many as ``blocks`` says at the time."""
        position = 0
        while position < len(work):
            point, most = work[position][0], max(blocks(), 1)
            end = position
            while end < len(work) and end - position < most and work[end][0] == point:
                end += 1
            yield {
                "task": self.packed[point.hash],
                "point": point,
                "runs": [numbers for _point, numbers in work[position:end]],
                "detail": self.detail,
                "names": self.names,
            }
            position = end

    def run(
        self,
        *,
        executor: Executor | None = None,
        workers: int | None = None,
        retry_failed: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> Progress:
        """Do what is missing, keeping each finished batch at once.

        ``executor`` is anything with the interface of ``concurrent.futures``, by default threads on
        this machine's cores, or processes where a decision rule cannot be compiled; ``workers`` is
        how many batches it is given at a time. Raises :class:`~kolabsim.errors.StoppedError` when
        it is stopped, or loses its executor.
        """
        self.write_manifest()
        self.store.tidy()
        work = self.missing(retry_failed=retry_failed)
        state = Progress(wanted=len(self.points) * self.runs)
        state.failed = 0 if retry_failed else len(self.failures())
        state.reused = state.wanted - sum(len(numbers) for _point, numbers in work) - state.failed
        own = executor is None
        workers = workers or cores()
        stop = np.zeros(1, np.int64)
        processes = own and self.needs_processes()
        pool = executor or (process_pool(workers) if processes else ThreadPoolExecutor(workers))
        speed = _Speed()
        queue = self.batches(work, speed.blocks)
        under_way: dict[Future, float] = {}
        try:
            while True:
                while len(under_way) < 2 * workers and (batch := next(queue, None)) is not None:
                    call = (self.work, batch, stop)[: 3 if own and not processes else 2]
                    under_way[pool.submit(*call)] = time.perf_counter()
                if not under_way:
                    return state
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    del under_way[future]
                    self.keep(future.result(), state, speed)
                if progress is not None:
                    progress(state)
        except KeyboardInterrupt as error:
            raise self.interrupted(state, _("stopped")) from error
        except KolabsimError:
            raise
        except Exception as error:
            # The executor itself broke: a scheduler that is gone, workers that were killed.
            reason = f"{type(error).__name__}: {error}".strip(": ")
            text = _("the workers were lost ({reason})").format(reason=reason)
            raise self.interrupted(state, text) from error
        finally:
            stop[0] = 1
            for future in under_way:
                future.cancel()
            if own:
                pool.shutdown(wait=True, cancel_futures=True)

    def needs_processes(self) -> bool:
        """Whether a decision rule cannot be compiled, so that threads would wait for each other."""
        ruled = {packed["sources"]: packed for packed in self.packed.values()}
        return any(map(has_obstacle, ruled.values()))

    def keep(self, given: dict[str, object], state: Progress, speed: _Speed) -> None:
        """Write what a batch gives: a part of its runs, and a file for each that failed."""
        finished = sum(part.end - part.first for part in given["holds"]["runs"])
        if finished:
            self.store.write(given["tables"], given["holds"])
        for part in given["holds"]["runs"]:
            for run in range(part.first, part.end):
                (self.folder / FAILURES / f"{part.block}-{run}.json").unlink(missing_ok=True)
        for failure in given["failures"]:
            text = json.dumps(vars(failure), indent=1, ensure_ascii=False)
            write_whole(self.folder / FAILURES / failure.name, text.encode())
        state.done += finished
        state.failed += len(given["failures"])
        state.simulated += given["seconds"]
        speed.learn(finished, given["seconds"])

    def interrupted(self, state: Progress, why: str) -> StoppedError:
        """The error that says how far a study got and how to go on."""
        text = _(
            "{why}; {done} of {wanted} runs are finished and kept in {folder}: the same command "
            "goes on from there"
        )
        return StoppedError(
            text.format(
                why=why,
                done=state.reused + state.done,
                wanted=state.wanted,
                folder=shown(self.folder),
            )
        )


def process_pool(workers: int) -> ProcessPoolExecutor:
    """Processes of this machine that finish their batch when Ctrl-C stops the study."""
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )


@dataclass
class _Speed:
    """How long a run takes, and so how many blocks make a batch."""

    seconds: float = 0.0
    runs: int = 0

    def learn(self, runs: int, seconds: float) -> None:
        # The first runs of a process also load or compile the model: old figures fade.
        self.seconds, self.runs = 0.5 * self.seconds + seconds, int(0.5 * self.runs) + runs

    def blocks(self) -> int:
        if not self.runs or not self.seconds:
            return 1
        return int(np.clip(SECONDS * self.runs / self.seconds / BLOCK, 1, MOST_BLOCKS))


def _label(point: Point) -> str:
    return json.dumps([point.strategy, point.future], ensure_ascii=False)


class Manifest(BaseModel):
    """What a folder of results says that it holds."""

    model_config = ConfigDict(strict=True)

    model: str
    seed: int
    runs: int = Field(ge=0, le=MOST_RUNS)
    detail: int = Field(ge=0, le=MOST_RUNS)
    regions: list[str]
    areas: list[str]
    currency: str
    measures: dict[str, Measure] = {}
    points: dict[str, Annotated[str, Field(pattern="^[0-9a-f]+$")]]


def read_manifest(folder: Path) -> dict[str, object]:
    """What a folder says that it holds; nothing if it holds no study."""
    path = folder / MANIFEST
    if not is_file(path):
        return {}
    with intact(path):
        found = Manifest.model_validate_json(path.read_bytes())
        for label in found.points:
            _strategy, _future = json.loads(label)
    return found.model_dump()


def own_measures(scenario: Scenario) -> dict[str, Measure]:
    """The measures that the extensions of a scenario declare."""
    return {name: MEASURES[name] for name in scenario.measures if name not in dict(MEASURES)}


def kept_measures(manifest: Mapping[str, object]) -> dict[str, Measure]:
    """The measures of one's own that a folder has, which no extension need be run for."""
    entries = manifest.get("measures", {}).items()
    found = {name: Measure(**{**entry, "ratio": tuple(entry["ratio"])}) for name, entry in entries}
    OWN.update({name: entry for name, entry in found.items() if name not in OWN})
    return found


def read_inputs(folder: Path, point: str) -> Plain:
    """What decided the results of a point, as it was kept."""
    path = folder / INPUTS / f"{point}.npz"
    with intact(path):
        return from_bytes(path.read_bytes())


# In a worker --------------------------------------------------------------------------------------


def simulate_batch(batch: Plain, stop: np.ndarray | None = None) -> dict[str, object]:
    """Simulate a batch of blocks of one point; what a worker does, wherever it is.

    Gives the tables of its runs, which blocks they hold, the runs that raised, and the seconds.
    """
    import pyarrow as pa

    point: Point = batch["point"]
    task = unpack(batch["task"])
    state, started = new_state(task.world), time.perf_counter()
    rows: dict[str, list[pa.Table]] = {"runs": [], "quarters": [], "regions": []}
    holds: dict[str, list[Held]] = {kind: [] for kind in rows}
    failures: list[Failure] = []
    for numbers in batch["runs"]:
        block = point.block(int(numbers[0]))
        simulate = partial(unless_stopped, task, state=state, stop=stop)
        for done, given in attempts(simulate, numbers, point, failures):
            detailed = done < batch["detail"]
            figures = run_figures(given.history, given.measures)
            rows["runs"].append(run_rows(block, done, figures, given.measures))
            holds["runs"] += spans(block, done)
            if detailed.any():
                few = given._replace(
                    history=given.history[detailed], figures=given.figures[detailed]
                )
                rows["quarters"].append(quarter_rows(block, done[detailed], few))
                rows["regions"].append(region_rows(block, done[detailed], batch["names"], few))
                for kind in ("quarters", "regions"):
                    holds[kind] += spans(block, done[detailed])
    tables = {kind: pa.concat_tables(parts) for kind, parts in rows.items() if parts}
    tables = {kind: table.unify_dictionaries() for kind, table in tables.items()}
    seconds = time.perf_counter() - started
    return {"tables": tables, "holds": holds, "failures": failures, "seconds": seconds}


Study.work = staticmethod(simulate_batch)


def attempts(
    simulate: Callable[[np.ndarray], Given],
    numbers: np.ndarray,
    point: Point,
    failures: list[Failure],
) -> Iterator[tuple[np.ndarray, Given]]:
    """The runs of a block; where one raises, the others one by one, and its failure noted."""
    try:
        yield numbers, simulate(numbers)
    except GivenUpError:
        raise
    except Exception:  # a user's rule may raise anything
        for number in numbers:
            try:
                yield np.array([number]), simulate(np.array([number]))
            except GivenUpError:
                raise
            except Exception as error:
                failures.append(
                    Failure(
                        point.strategy, point.future, int(number), point.block(int(numbers[0])),
                        f"{type(error).__name__}: {error}",
                        "".join(traceback.format_exception(error)),
                    )
                )  # fmt: skip


def unless_stopped(
    task: Task,
    numbers: np.ndarray,
    state: State,
    stop: np.ndarray | None,
    **how: bool,
) -> Block:
    """The runs with these numbers; a batch gives up where the study is being stopped."""
    given = run_block(task, numbers, stop=stop, state=state, **how)
    if stop is not None and stop[0] != 0:
        raise GivenUpError
    return given


def spans(block: str, numbers: np.ndarray) -> list[Held]:
    """Consecutive run numbers as spans."""
    if not len(numbers):
        return []
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    parts = np.split(numbers, breaks)
    return [Held(block, int(part[0]), int(part[-1]) + 1) for part in parts]
