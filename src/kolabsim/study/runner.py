"""Studies: which runs an experiment needs, and how the missing ones are run.

A study lives in a folder. Only what is missing or damaged there is run, and an interruption loses
no finished batch. The file is long because planning, entering and running a study share its class.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import asdict, astuple, dataclass, field, replace
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.engine.ensemble import BLOCK, cores
from kolabsim.engine.overrides import is_quick
from kolabsim.errors import KolabsimError, StoppedError, shown
from kolabsim.files import table_csv
from kolabsim.i18n import _
from kolabsim.model.measures import CUSTOM, MEASURES, Measure
from kolabsim.scenario.compile import build_policy
from kolabsim.study.cluster import INTERVAL, Cluster, LostWorkersError
from kolabsim.study.factors import list_factors
from kolabsim.study.identity import Identity
from kolabsim.study.inputs import read_inputs, write_inputs
from kolabsim.study.ledger import (
    INPUT,
    PART,
    Fact,
    Failure,
    Ledger,
    Point,
    Settings,
    held,
    hold,
    no_study,
)
from kolabsim.study.parts import KINDS, part_files, part_name, read_part
from kolabsim.study.tables import TABLES, Terms
from kolabsim.study.tasks import (
    Bases,
    Moments,
    Plain,
    Recipe,
    TaskKey,
    build_futures,
    hash_packed,
    identify,
    pack,
    settings_text,
    share,
)
from kolabsim.study.worker import Batch, Finished, Work, simulate_batch

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.spec import ComparisonSpec

FAILURES = "failures.csv"
"""The runs that raised an error, to be read by people."""
FUTURES = "futures.csv"
"""The settings of each future, to be read by people."""
SECONDS = 2.0
"""Target duration of a batch: long enough to hide its overhead, short enough that an interruption
loses little."""
MOST_BLOCKS = 128
"""Most full blocks in a batch, to bound its memory."""
MOST_TASKS = 512
"""Most blocks of any size in a batch."""
MOST_BASES = 64
"""Most bases in a batch, each of which carries a world."""


@dataclass
class Progress:
    """How many of its runs a study has."""

    wanted: int
    reused: int = 0
    done: int = 0
    failed: int = 0
    repaired: int = 0
    """Finished runs whose files were damaged or lost, and that were simulated again."""
    simulating: float = 0.0
    """Seconds of processor time for simulating, summed over workers."""
    storing: float = 0.0
    """Seconds of processor time for compressing what was simulated, summed over workers."""

    @property
    def left(self) -> int:
        """Runs that are still missing."""
        return self.wanted - self.reused - self.done - self.failed


@dataclass(frozen=True, kw_only=True)
class Study:
    """The tasks of an experiment, and the folder that stores their runs."""

    folder: Path
    tasks: tuple[TaskKey, ...]
    recipes: Mapping[str, Recipe] = field(default_factory=dict, repr=False)
    """How each task is made, by its hash."""
    bases: Mapping[str, Plain] = field(default_factory=dict, repr=False)
    """What recipes begin with, by its hash."""
    runs: int
    seed: int
    detail: int = 0
    """Runs of each task whose quarters and regions are stored."""
    regions: tuple[str, ...] = field(repr=False)
    areas: tuple[str, ...]
    currency: str = ""
    custom_measures: Mapping[str, Measure] = field(default_factory=dict, repr=False)
    """Measures that extensions of the scenario declare."""
    strategies: tuple[str, ...] = ()
    factors: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    """The unit and the meaning of each setting of its futures that is a factor."""
    futures: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The settings of each future by its name (:func:`~kolabsim.study.tasks.settings_text`)."""
    table: pd.DataFrame | None = field(default=None, repr=False)
    """Of a design: the settings of each point, a row for a point and a column for a factor."""
    moments: Moments = ()
    """Measures that are also stored at a quarter."""
    place: np.ndarray | None = field(default=None, repr=False)
    """Of a design: [strategies, points] the position in ``tasks``; equal points share a task, and
    points with the same settings a future."""
    identity: Identity | None = field(default=None, repr=False)
    """What decides whether it may continue the study in its folder."""

    @classmethod
    def plan(cls, experiment: Experiment[ComparisonSpec], folder: Path | str) -> Study:
        """Plan the study of a comparison; finished runs of the same tasks in the folder are used.

        Raises :class:`~kolabsim.errors.InputError` if the folder holds runs of a task of the same
        name that something else decided: another scenario, seed, or version of the model.
        """
        scenario, spec = experiment.scenario, experiment.spec
        tasks, bases, known = [], {}, dict[object, np.ndarray]()
        futures = build_futures(scenario, experiment.futures, experiment.seed)
        for strategy in experiment.strategies:
            for future, (world, task) in futures.items():
                policy = build_policy(world, world.strategies[strategy])
                plain = share(pack(task._replace(policy=policy)), known)
                tasks.append(TaskKey(strategy, future, hash_packed(plain)))
                bases[tasks[-1].hash] = plain
        study = cls(
            folder=Path(folder),
            tasks=tuple(tasks),
            recipes={name: Recipe(name) for name in bases},
            bases=bases,
            runs=spec.runs,
            seed=experiment.seed,
            detail=spec.detail,
            strategies=experiment.strategies,
            futures={name: settings_text(of) for name, of in experiment.futures.items()},
            identity=experiment.identity,
            **_facts(scenario, chain.from_iterable(experiment.futures.values())),
        )
        study._refuse_other_study(study.ledger)
        return study

    @classmethod
    def plan_design(
        cls,
        scenario: Scenario,
        strategies: Sequence[str],
        table: pd.DataFrame,
        folder: Path | str,
        *,
        runs: int,
        seed: int,
        moments: Sequence[tuple[str, int]] = (),
        identity: Identity | None = None,
    ) -> Study:
        """Plan the study of a design: every strategy at every point, all on common random numbers.

        The points are the rows of a table [points, factors] of settings under dotted names; each
        strategy runs ``runs`` times at each. Several designs may share a folder: finished runs are
        found by what decides them. ``moments`` are measures that are also stored at a quarter,
        ``identity`` is that of the experiment, if there is one.
        """
        quick = tuple(name for name in table.columns if is_quick(name))
        slow = [name for name in table.columns if name not in quick]
        values = table[list(quick)].to_numpy(np.float64).reshape(len(table), len(quick))
        choices = table[slow].to_dict("records") if slow else [{}] * len(table)
        bases, read_at = Bases(scenario, seed, quick), tuple(moments)
        futures = [settings_text(settings) for settings in table.to_dict("records")]
        names = {text: str(number) for number, text in enumerate(dict.fromkeys(futures))}
        tasks: dict[tuple[str, str], TaskKey] = {}
        recipes, place = {}, np.empty((len(strategies), len(table)), np.int64)
        order: dict[str, int] = {}
        for s, strategy in enumerate(strategies):
            for row, choice in enumerate(choices):
                future = names[futures[row]]
                recipe = Recipe(bases.add(strategy, choice), quick, values[row])
                hash = recipe.hash(read_at)
                tasks.setdefault((strategy, future), TaskKey(strategy, future, hash))
                place[s, row] = order.setdefault(hash, len(tasks) - 1)
                recipes[hash] = recipe
        study = cls(
            folder=Path(folder),
            tasks=tuple(tasks.values()),
            recipes=recipes,
            bases=bases.packed,
            runs=runs,
            seed=seed,
            strategies=tuple(strategies),
            futures={name: text for text, name in names.items()},
            table=table,
            moments=read_at,
            place=place,
            identity=identity or identify(scenario, strategies, "design", seed),
            **_facts(scenario, table.columns),
        )
        ledger = study.ledger
        study._refuse_other_study(ledger)
        return study._numbered(ledger)

    @classmethod
    def open(cls, folder: Path) -> Study:
        """Open the study in a folder, as it was last planned, to read its runs.

        Raises :class:`~kolabsim.errors.InputError` if the folder holds none.
        """
        ledger = held(folder) or Ledger.read(folder)
        about = ledger.facts.get("study")
        if about is None:
            raise no_study(folder)
        measures = {name: Measure(*entry) for name, entry in about["measures"].items()}
        CUSTOM.update({name: entry for name, entry in measures.items() if name not in CUSTOM})
        points = ledger.points.values()
        return cls(
            folder=folder,
            tasks=tuple(TaskKey(one.strategy, one.future, one.hash) for one in points),
            runs=max(one.runs for one in points),
            seed=about["seed"],
            detail=max(one.detail for one in points),
            regions=tuple(about["regions"]),
            areas=tuple(about["areas"]),
            currency=about["currency"],
            custom_measures=measures,
            factors={name: tuple(of) for name, of in about.get("factors", {}).items()},
            strategies=tuple(dict.fromkeys(one.strategy for one in points)),
            futures={name: one.settings for name, one in ledger.futures.items()},
            moments=tuple(
                dict.fromkeys(
                    (measure, quarter)
                    for name in dict.fromkeys(one.columns for one in points)
                    for measure, quarter in ledger.facts[name][1]
                )
            ),
        )

    @property
    def terms(self) -> Terms:
        """The units and meanings of what its tables hold."""
        return Terms(self.measures, self.currency, self.factors)

    @property
    def measures(self) -> dict[str, Measure]:
        """All measures of the whole system that its runs have."""
        return {**MEASURES, **self.custom_measures}

    @property
    def blocks(self) -> Iterator[tuple[int, int, str]]:
        """The position of the task, the first run and the hash of each block.

        Tasks that are equal have the same blocks, which come once.
        """
        known: set[str] = set()
        for k, task in enumerate(self.tasks):
            if task.hash not in known:
                known.add(task.hash)
                for first in range(0, self.runs, BLOCK):
                    yield k, first, task.block(first)

    @property
    def size(self) -> int:
        """Number of different runs that it wants."""
        return len({task.hash for task in self.tasks}) * self.runs

    @property
    def ledger(self) -> Ledger:
        """The ledger of its folder: the one that this thread holds, or one read now."""
        return held(self.folder) or Ledger.read(self.folder)

    # The folder ---------------------------------------------------------------------------------

    def _refuse_other_study(self, ledger: Ledger) -> None:
        named = () if self.table is not None else self.tasks
        assert self.identity is not None
        ledger.refuse_other(self.identity, [(t.strategy, t.future, t.hash) for t in named])

    def _numbered(self, ledger: Ledger) -> Study:
        """The study of a design with the numbers that a ledger has for its futures."""
        if self.table is None:
            return self
        known = {one.settings: name for name, one in ledger.futures.items()}
        free = map(str, count(len(known)))
        names = {name: known.get(text) or next(free) for name, text in self.futures.items()}
        return replace(
            self,
            tasks=tuple(replace(task, future=names[task.future]) for task in self.tasks),
            futures={names[name]: text for name, text in self.futures.items()},
        )

    def _record(self, ledger: Ledger) -> None:
        """Enter the study, its points, and everything that decides the results of these."""
        self._refuse_other_study(ledger)
        assert self.identity is not None
        before = ledger.identity
        identity = self.identity if before is None else self.identity.over(before)
        factors = {**ledger.facts.get("study", {}).get("factors", {}), **self.factors}
        about = {
            "seed": self.seed, "regions": self.regions, "areas": self.areas,
            "currency": self.currency, "factors": factors,
            "measures": {name: astuple(entry) for name, entry in self.custom_measures.items()},
        }  # fmt: skip
        named = Fact("identity", json.dumps(asdict(identity), sort_keys=True))
        ledger.put(named, Fact("study", json.dumps(about)))
        write_inputs(ledger, self.bases)
        ledger.put(*self._new_futures(ledger))
        ledger.write({FUTURES: table_csv(futures_table(ledger))}, INPUT)
        ledger.put(*self._new_points(ledger))

    def _new_futures(self, ledger: Ledger) -> list[Settings]:
        """The futures that the ledger lacks, or has with other settings of no effect."""
        known = ledger.futures
        stage = 1 + max((one.stage for one in known.values()), default=0)
        wanted = (
            Settings(name, known[name].stage if name in known else stage, text)
            for name, text in self.futures.items()
        )
        return [one for one in wanted if known.get(one.future) != one]

    def _new_points(self, ledger: Ledger) -> Iterator[Fact | Point]:
        """The tasks that the ledger lacks, or has with fewer runs."""
        columns: dict[str, Fact] = {}
        for task in self.tasks:
            recipe = self.recipes[task.hash]
            text = json.dumps([recipe.names, self.moments])
            if text not in columns:
                hash = hashlib.sha256(text.encode()).hexdigest()[:12]
                columns[text] = Fact(f"columns-{hash}", text)
                yield columns[text]
            before = ledger.points.get(task.name)
            if before and before.hash != task.hash:  # other measures are read at a quarter
                before = None
            point = Point(
                task.name, task.hash, task.strategy, task.future,
                max(self.runs, before.runs if before else 0),
                max(self.detail, before.detail if before else 0),
                recipe.base, columns[text].name, recipe.values.tobytes(),
            )  # fmt: skip
            if point != before:
                yield point

    def failures(self, ledger: Ledger | None = None) -> list[Failure]:
        """The runs of this study that raised an error and have not been repeated since."""
        blocks = {block for _k, _first, block in self.blocks}
        found = (ledger or self.ledger).failed.values()
        return [one for one in found if one.block in blocks and one.run < self.runs]

    def missing(self, *, retry_failed: bool = False) -> list[tuple[TaskKey, np.ndarray]]:
        """The numbers of the runs that have neither finished nor failed, block by block."""
        ledger = self.ledger
        finished = ledger.finished()
        detailed = ledger.finished("quarters") if self.detail else {}
        failed: dict[str, set[int]] = {}
        for failure in [] if retry_failed else self.failures(ledger):
            failed.setdefault(failure.block, set()).add(failure.run)
        found = []
        for k, first, block in self.blocks:
            numbers = set(range(first, min(first + BLOCK, self.runs)))
            there = finished.get(block, set())
            # A run without its detail is repeated where detail is now wanted.
            bare = {r for r in numbers & there if r < self.detail} - detailed.get(block, set())
            left = numbers - (there - bare) - failed.get(block, set())
            if left:
                found.append((self.tasks[k], np.array(sorted(left), np.int64)))
        return found

    def values(self, columns: Sequence[str]) -> np.ndarray:
        """Read figures of a design's runs, [columns, strategies, points, runs].

        Columns are measures, or measures at a quarter among ``moments``: ``trust@8``. NaN where a
        run is missing or a measure is undefined.
        """
        assert self.place is not None
        found = np.full((len(columns), len(self.tasks), self.runs), np.nan)
        position = {block: k for k, _first, block in self.blocks}
        ledger, wanted = self.ledger, ["block", "run", *dict.fromkeys(columns)]
        index = ledger.index()
        files = {name for block in position.keys() & index.keys() for name in index[block]}
        for file in sorted(files):
            part = read_part(ledger.checked(file), "runs", wanted).unify_dictionaries()
            block = part.column("block").combine_chunks()
            names = np.array([position.get(one, -1) for one in block.dictionary.to_pylist()])
            task, run = names[block.indices.to_numpy()], part.column("run").to_numpy()
            here = (task >= 0) & (run < self.runs)
            for k, name in enumerate(columns):
                found[k, task[here], run[here]] = part.column(name).to_numpy()[here]
        return found[:, self.place]

    # Running ------------------------------------------------------------------------------------

    def run(
        self,
        *,
        executor: Executor | None = None,
        workers: int | None = None,
        retry_failed: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> Progress:
        """Run what is missing, and store each finished batch at once.

        ``executor`` is anything with the interface of ``concurrent.futures`` (default: threads), or
        the workers of Dask (:class:`~kolabsim.study.cluster.Cluster`), ``workers`` the number of
        batches that run at a time (default: that of the cores, or of the workers that answer).
        ``retry_failed`` repeats runs that failed before. ``progress`` is called after each batch.

        Raises :class:`~kolabsim.errors.StoppedError` if it is stopped or loses its executor, with
        finished batches stored, and :class:`~kolabsim.errors.StorageError` if the disk refuses.
        """
        cluster = executor if isinstance(executor, Cluster) else None
        with hold(self.folder) as ledger, cluster.serving(ledger) if cluster else nullcontext():
            faulty, study = ledger.mend(INPUT, PART), self._numbered(ledger)
            study._record(ledger)
            state = study._run(ledger, faulty, executor, workers, retry_failed, progress)
            self._list_failures(ledger)
        return state

    def _run(
        self,
        ledger: Ledger,
        faulty: Sequence[str],
        executor: Executor | None,
        workers: int | None,
        retry_failed: bool,
        progress: Callable[[Progress], None] | None,
    ) -> Progress:
        repairs = list(self._repairs(ledger, faulty))
        work = self.missing(retry_failed=retry_failed)
        state = Progress(wanted=self.size)
        state.failed = 0 if retry_failed else len(self.failures(ledger))
        state.reused = state.wanted - sum(len(numbers) for _task, numbers in work) - state.failed
        stop = np.zeros(1, np.int64)
        cluster = executor if isinstance(executor, Cluster) else None
        pool = executor or ThreadPoolExecutor(workers or cores())
        # Threads of this process can be stopped within a batch; an executor may be anywhere.
        simulate = simulate_batch if executor else partial(simulate_batch, stop=stop)
        speed = _Speed()
        queue = chain(repairs, self._batches(work, speed.blocks))
        under_way: set[Future[Finished]] = set()
        try:
            while True:
                most = 2 * (workers or (cluster.workers if cluster else cores()))
                while len(under_way) < most and (batch := next(queue, None)) is not None:
                    under_way.add(pool.submit(simulate, batch))
                if not under_way:
                    return state
                timeout = INTERVAL if cluster else None
                done, under_way = wait(under_way, timeout, return_when=FIRST_COMPLETED)
                for future in done:
                    self._store(ledger, future.result(), state, speed)
                    if cluster:
                        cluster.release(future)
                if cluster:
                    cluster.check()
                if progress is not None and done:
                    progress(state)
        except KeyboardInterrupt as error:
            raise self._stopped(state, _("stopped")) from error
        except KolabsimError:
            raise
        except LostWorkersError as error:
            raise self._stopped(state, str(error), error.later) from error
        except Exception as error:
            # The executor itself broke: a scheduler that is gone, workers that were killed.
            reason = f"{type(error).__name__}: {error}".strip(": ")
            text = _("the workers were lost ({reason})").format(reason=reason)
            raise self._stopped(state, text) from error
        finally:
            stop[0] = 1
            for future in under_way:
                future.cancel()
            if executor is None:
                pool.shutdown(wait=True, cancel_futures=True)

    def _batches(
        self, work: list[tuple[TaskKey, np.ndarray]], blocks: Callable[[], int]
    ) -> Iterator[Batch]:
        """Batches with as many runs as ``blocks`` blocks hold when each batch is made."""
        waiting = deque(Work(task, self.recipes[task.hash], numbers) for task, numbers in work)
        while waiting:
            some: list[Work] = []
            bases: dict[str, Plain] = {}
            most, number = max(blocks(), 1) * BLOCK, 0
            while waiting and number < most and len(some) < MOST_TASKS and len(bases) < MOST_BASES:
                some.append(waiting.popleft())
                number += len(some[-1].runs)
                base = some[-1].recipe.base
                bases[base] = self.bases[base]
            yield Batch(some, bases, self.detail, self.moments, self.regions, self.areas)

    def _repairs(self, ledger: Ledger, faulty: Sequence[str]) -> Iterator[Batch]:
        """For each part with a faulty file, a batch that gives all its files again.

        A part whose inputs are lost too is given up.
        """
        parts = dict.fromkeys(
            name.split(".")[0] for name in faulty if ledger.files[name].role == PART
        )
        works: dict[str, Work] = {}
        if parts:
            points = [(TaskKey(p.strategy, p.future, p.hash), p) for p in ledger.points.values()]
            for key, point in points:
                recipe = self.recipes.get(key.hash) or ledger_recipe(ledger, point)[0]
                for first in range(0, point.runs, BLOCK):
                    works[key.block(first)] = Work(key, recipe, np.zeros(0))
        for part in parts:
            files = part_files(part)
            spans = {
                kind: ledger.spans(name) for kind, name in files.items() if name in ledger.files
            }
            work = [
                works[block]._replace(runs=np.arange(first, end))
                for block, first, end in spans.get("runs", ())
                if block in works
            ]
            bases = {one.recipe.base for one in work}
            found = {name: self.bases[name] for name in bases & self.bases.keys()}
            found |= read_inputs(ledger, bases - found.keys())
            if not work or len(found) < len(bases):
                ledger.remove(files.values())
                continue
            detail = max((span.end for span in spans.get("quarters", ())), default=0)
            names = {point.hash: point for _key, point in points}
            moments = ledger_recipe(ledger, names[work[0].task.hash])[1]
            yield Batch(work, found, detail, moments, self.regions, self.areas)

    def _store(self, ledger: Ledger, found: Finished, state: Progress, speed: _Speed) -> None:
        """Write what a batch gave: a part with its runs, and each of its failures."""
        if found.runs:
            names = part_files(part_name(found.spans["runs"]))
            if names["runs"] in ledger.files:
                state.repaired += found.runs
            else:
                state.done += found.runs
            ledger.write(  # runs last: where they are, the detail is too
                {names[kind]: found.files[kind] for kind in KINDS if kind in found.files},
                PART,
                {names[kind]: spans for kind, spans in found.spans.items()},
            )
            done = [
                f"{s.block}-{run}" for s in found.spans["runs"] for run in range(s.first, s.end)
            ]
            ledger.drop(Failure, done)
        ledger.put(*found.failures)
        state.failed += len(found.failures)
        state.simulating += found.simulating
        state.storing += found.storing
        speed.learn(found.runs, found.simulating + found.storing)

    def _list_failures(self, ledger: Ledger) -> None:
        """Write the runs that raised an error as a table, or remove it if there are none."""
        if ledger.failed:
            import pandas as pd

            rows = pd.DataFrame(list(ledger.failed.values())).drop(columns="name")
            ledger.write({FAILURES: table_csv(TABLES["failures"].arrange(rows))}, INPUT)
        else:
            ledger.remove([FAILURES])

    def _stopped(self, state: Progress, why: str, later: str = "") -> StoppedError:
        text = _(
            "{why}; {done} of {wanted} runs are finished and stored in {folder}: the same command "
            "continues from there"
        )
        done = state.reused + state.done
        folder = shown(self.folder)
        text = text.format(why=why, done=done, wanted=state.wanted, folder=folder)
        return StoppedError(f"{text}, {later}" if later else text)


def ledger_recipe(ledger: Ledger, point: Point) -> tuple[Recipe, Moments]:
    """How a point of a ledger is made, and the measures that are read at a quarter."""
    names, moments = ledger.facts[point.columns]
    recipe = Recipe(point.base, tuple(names), np.frombuffer(point.numbers))
    return recipe, tuple((name, quarter) for name, quarter in moments)


def futures_table(ledger: Ledger) -> pd.DataFrame:
    """The settings of all futures that a study ever wanted: a row a future, a column a factor."""
    import pandas as pd

    futures = ledger.futures.values()
    settings = pd.DataFrame([json.loads(one.settings) for one in futures])
    keys = {
        "future": [one.future for one in futures],
        "stage": [one.stage for one in futures],
    }
    return TABLES["futures"].arrange(settings[sorted(settings)].assign(**keys))


def future_names(ledger: Ledger, settings: pd.DataFrame) -> list[str]:
    """The futures of a ledger that have some settings, a row each."""
    known = {one.settings: name for name, one in ledger.futures.items()}
    return [known[settings_text(row)] for row in settings.to_dict("records")]


def _facts(scenario: Scenario, settings: Iterable[str]) -> dict[str, Any]:
    """What a study stores of its scenario besides its tasks."""
    known = list_factors(scenario)
    return {
        "factors": {
            name: ("" if known[name].is_choice else known[name].unit, known[name].meaning)
            for name in settings
            if name in known
        },
        "regions": scenario.regions.codes,
        "areas": tuple(scenario.areas),
        "currency": scenario.currency,
        "custom_measures": {
            name: MEASURES[name] for name in scenario.measures if name not in dict(MEASURES)
        },
    }


@dataclass
class _Speed:
    """The processor time of a run, and so how many blocks make a batch.

    Not the time on a clock: on a machine that others use too, parts would become small.
    """

    seconds: float = 0.0
    runs: int = 0

    def learn(self, runs: int, seconds: float) -> None:
        # The first runs of a process also load or compile the model: old figures fade.
        self.seconds, self.runs = 0.5 * self.seconds + seconds, int(0.5 * self.runs) + runs

    def blocks(self) -> int:
        if not self.runs or not self.seconds:
            return 1
        return int(np.clip(SECONDS * self.runs / self.seconds / BLOCK, 1, MOST_BLOCKS))
