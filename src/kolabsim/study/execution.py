"""Execution: the missing runs of a study, batch by batch, by threads or workers, into parts."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import numpy as np

from kolabsim.engine.ensemble import BLOCK, cores
from kolabsim.errors import KolabsimError, StoppedError, shown
from kolabsim.i18n import _
from kolabsim.study.cluster import INTERVAL, Cluster, LostWorkersError
from kolabsim.study.inputs import read_inputs
from kolabsim.study.ledger import PART, Ledger
from kolabsim.study.parts import KINDS, part_files, part_name
from kolabsim.study.plan import Plan
from kolabsim.study.record import ledger_recipe
from kolabsim.study.rows import Failure
from kolabsim.study.tasks import Moments, Plain, TaskKey
from kolabsim.study.worker import Batch, Finished, Work, simulate_batch

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
    writing: float = 0.0
    """Seconds on the clock for writing parts, while workers go on simulating."""

    @property
    def left(self) -> int:
        """Runs that are still missing."""
        return self.wanted - self.reused - self.done - self.failed


@dataclass
class Speed:
    """The processor time of a run, and so how many blocks make a batch.

    Not the time on a clock: on a machine that others use too, parts would become small.
    """

    seconds: float = 0.0
    runs: int = 0

    def learn(self, runs: int, seconds: float) -> None:
        """Take account of a batch."""
        # The first runs of a process also load or compile the model: old figures fade.
        self.seconds, self.runs = 0.5 * self.seconds + seconds, int(0.5 * self.runs) + runs

    def blocks(self) -> int:
        """How many full blocks a batch should have now."""
        if not self.runs or not self.seconds:
            return 1
        return int(np.clip(SECONDS * self.runs / self.seconds / BLOCK, 1, MOST_BLOCKS))


@dataclass
class Execution:
    """The running of a study whose folder is held."""

    plan: Plan
    ledger: Ledger
    executor: Executor | None
    """What runs batches: an executor, the workers of Dask, or None for threads."""
    workers: int | None
    """Batches that run at a time; by default as many as there are cores or workers."""
    state: Progress = field(default_factory=lambda: Progress(0))
    speed: Speed = field(default_factory=Speed)

    def run(
        self,
        faulty: Sequence[str],
        *,
        retry_failed: bool,
        report: Callable[[Progress], None] | None,
    ) -> Progress:
        """Run what is missing, and what was in faulty files."""
        plan, state, executor, workers = self.plan, self.state, self.executor, self.workers
        repairs = list(self.repairs(faulty))
        work = plan.missing_in(self.ledger, retry_failed=retry_failed)
        state.wanted = plan.size
        state.failed = 0 if retry_failed else len(plan.failures_in(self.ledger))
        state.reused = state.wanted - sum(len(numbers) for _task, numbers in work) - state.failed
        stop = np.zeros(1, np.int64)
        cluster = executor if isinstance(executor, Cluster) else None
        pool = executor or ThreadPoolExecutor(workers or cores())
        # Threads of this process can be stopped within a batch; an executor may be anywhere.
        simulate = simulate_batch if executor else partial(simulate_batch, stop=stop)
        queue = chain(repairs, self.batches(work))
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
                    self.store(future.result())
                    if cluster:
                        cluster.release(future)
                if cluster:
                    cluster.check()
                if report is not None and done:
                    report(state)
        except KeyboardInterrupt as error:
            raise self.stopped(_("stopped")) from error
        except KolabsimError:
            raise
        except LostWorkersError as error:
            raise self.stopped(str(error), error.later) from error
        except Exception as error:
            # The executor itself broke: a scheduler that is gone, workers that were killed.
            reason = f"{type(error).__name__}: {error}".strip(": ")
            text = _("the workers were lost ({reason})").format(reason=reason)
            raise self.stopped(text) from error
        finally:
            stop[0] = 1
            for future in under_way:
                future.cancel()
            if executor is None:
                pool.shutdown(wait=True, cancel_futures=True)

    def batches(self, work: list[tuple[TaskKey, np.ndarray]]) -> Iterator[Batch]:
        """Batches with as many runs as are right when each batch is made."""
        plan = self.plan
        waiting = deque(Work(task, plan.recipes[task.hash], numbers) for task, numbers in work)
        while waiting:
            some: list[Work] = []
            bases: dict[str, Plain] = {}
            most, number = self.speed.blocks() * BLOCK, 0
            while waiting and number < most and len(some) < MOST_TASKS and len(bases) < MOST_BASES:
                some.append(waiting.popleft())
                number += len(some[-1].runs)
                base = some[-1].recipe.base
                bases[base] = plan.bases[base]
            yield self.batch(some, bases, plan.detail, plan.moments)

    def batch(
        self, work: list[Work], bases: dict[str, Plain], detail: int, moments: Moments
    ) -> Batch:
        """A batch of this plan."""
        return Batch(work, bases, detail, moments, self.plan.regions, self.plan.areas)

    def repairs(self, faulty: Sequence[str]) -> Iterator[Batch]:
        """For each part with a faulty file, a batch that gives all its files again.

        A part whose inputs are lost too is given up.
        """
        plan, ledger = self.plan, self.ledger
        parts = dict.fromkeys(
            name.split(".")[0] for name in faulty if ledger.files[name].role == PART
        )
        works: dict[str, Work] = {}
        if parts:
            points = [(TaskKey(p.strategy, p.future, p.hash), p) for p in ledger.points.values()]
            for key, point in points:
                recipe = plan.recipes.get(key.hash) or ledger_recipe(ledger, point)[0]
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
            found = {name: plan.bases[name] for name in bases & plan.bases.keys()}
            found |= read_inputs(ledger, bases - found.keys())
            if not work or len(found) < len(bases):
                ledger.remove(files.values())
                continue
            detail = max((span.end for span in spans.get("quarters", ())), default=0)
            names = {point.hash: point for _key, point in points}
            moments = ledger_recipe(ledger, names[work[0].task.hash])[1]
            yield self.batch(work, found, detail, moments)

    def store(self, found: Finished) -> None:
        """Write what a batch gave: a part with its runs, and each of its failures."""
        ledger, state, began = self.ledger, self.state, time.perf_counter()
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
        state.writing += time.perf_counter() - began
        self.speed.learn(found.runs, found.simulating + found.storing)

    def stopped(self, why: str, later: str = "") -> StoppedError:
        """The error of a study that is stopped."""
        text = _(
            "{why}; {done} of {wanted} runs are finished and stored in {folder}: the same command "
            "continues from there"
        )
        done, wanted = self.state.reused + self.state.done, self.state.wanted
        folder = shown(self.ledger.folder)
        text = text.format(why=why, done=done, wanted=wanted, folder=folder)
        return StoppedError(f"{text}, {later}" if later else text)
