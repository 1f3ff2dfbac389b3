"""Studies: which runs an experiment needs, and which of them its folder lacks.

A study lives in a folder. Only what is missing or damaged there is run, and an interruption loses
no finished batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.engine.overrides import is_quick
from kolabsim.model.measures import CUSTOM, MEASURES, Measure
from kolabsim.scenario.compile import build_policy
from kolabsim.study.cluster import Cluster
from kolabsim.study.execution import Execution, Progress
from kolabsim.study.factors import list_factors
from kolabsim.study.identity import Identity
from kolabsim.study.ledger import (
    INPUT,
    PART,
    Failure,
    Ledger,
    held,
    hold,
    no_study,
)
from kolabsim.study.parts import read_part
from kolabsim.study.plan import Plan
from kolabsim.study.record import enter_study, list_failures
from kolabsim.study.tables import Terms
from kolabsim.study.tasks import (
    Bases,
    Recipe,
    TaskKey,
    build_futures,
    hash_packed,
    identify,
    pack,
    settings_text,
    share,
)

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.spec import ComparisonSpec


@dataclass(frozen=True, kw_only=True)
class Study(Plan):
    """The tasks of an experiment, and the folder that stores their runs."""

    folder: Path

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
        assert spec.runs is not None  # since the experiment was loaded
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

    def failures(self) -> list[Failure]:
        """The runs of this study that raised an error and have not been repeated since."""
        return self.failures_in(self.ledger)

    def missing(self, *, retry_failed: bool = False) -> list[tuple[TaskKey, np.ndarray]]:
        """The numbers of the runs that have neither finished nor failed, block by block."""
        return self.missing_in(self.ledger, retry_failed=retry_failed)

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
            study._refuse_other_study(ledger)
            enter_study(study, ledger)
            execution = Execution(study, ledger, executor, workers)
            state = execution.run(faulty, retry_failed=retry_failed, report=progress)
            list_failures(ledger)
        return state


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
