"""Where a user's strategy stops paying over the whole range of a factor: the work and the answer.

Nothing here knows of a web page. The simulations, the maps and the words are those of ``kind:
sweep``; the page does them in pieces that its queue does in turn.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from html import escape
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.analysis.sweep import Simulated, SweepResult, map_outcomes, plan_points, plan_sweep
from kolabsim.app.recent import Recent
from kolabsim.app.session import DRAWING, YOURS, Session, in_all_languages, strategy_text
from kolabsim.app.settings import SHOWN, Settings
from kolabsim.app.uploads import Upload
from kolabsim.app.work import MOST_WORK, runs_at_a_time
from kolabsim.engine.ensemble import build_task, new_state, run_block, work_of
from kolabsim.engine.overrides import Base
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.figures.labels import Labels, capitalise, factor_title
from kolabsim.files import table_csv
from kolabsim.i18n import N_, Amount, _
from kolabsim.report.html import render_sections
from kolabsim.report.page import Block, Section, Table, select
from kolabsim.report.sweep import answer_section, map_section, pays_sentence
from kolabsim.scenario.source import write_yaml
from kolabsim.study.experiment import compared_points, experiment_cost
from kolabsim.study.factors import GROUPS, Factor, list_factors
from kolabsim.study.tasks import run_figures, unpack_base

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.runner import Study
    from kolabsim.study.spec import SweepSpec

LEFT_OUT = ("targets", "budgets")
"""Groups of factors that the page does not offer: they need an intensity beside them."""
SIZES = {1: ((9, 17), 10), 2: ((5, 9), 4)}
"""For one factor and for two: levels of the first answer and of the last, and runs in a future."""
LEAST_RUNS = 2
MOST_FOR_A_SWEEP = 10 * MOST_WORK
"""Most work of a sweep: less than a minute of one core."""
STORED = 32
"""Number of answers that are kept for the next visitor."""
ANSWERED: Recent[SweepAnswer] = Recent(STORED)
"""Results by all that they depend on, shared by all visitors."""
FILE = "sweep.yaml"


# What is chosen -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SweepChoice:
    """The factor that varies, and perhaps a second one."""

    factors: tuple[str, ...]
    """One name, or two."""

    @classmethod
    def read(cls, settings: Settings, scenario: Scenario, problems: Problems) -> SweepChoice:
        """Return the factors of an address; report what the scenario does not have."""
        known, found = offered(scenario), list[str]()
        for name in filter(None, settings.sweep.split(",")):
            if name not in known:
                short = name[:60]
                message, hint = _("'{name}' is not a factor{hint}"), suggestion(short, known)
                problems.add(message, name=short, hint=hint)
            elif name in found:
                problems.add(_("'{name}' is named twice"), name=name)
            else:
                found.append(name)
        if len(found) > 2:
            problems.add(_("a sweep on this page has one factor or two"))
        return cls(tuple(found[:2]) or (usual_factor(settings, scenario),))

    def written(self, settings: Settings) -> Settings:
        """Return settings that hold these factors for an address."""
        return replace(settings, sweep=",".join(self.factors))

    def with_factor(self, place: int, name: str) -> SweepChoice:
        """Return the choice with another first or second factor; '' is none."""
        both = [*self.factors, ""][:2]
        both[place] = name
        return SweepChoice(tuple(dict.fromkeys(filter(None, both))))


def usual_factor(settings: Settings, scenario: Scenario) -> str:
    """The factor that varies if nobody chose one: the first lever of the user's strategy."""
    start = scenario.strategies[settings.start].levers
    used = [name for name in scenario.levers if settings.levers.get(name, 0.0) > 0 or name in start]
    for name in offered(scenario):
        if name.rpartition(".")[2] in used:
            return name
    return next(iter(offered(scenario)))


def offered(scenario: Scenario) -> dict[str, Factor]:
    """The factors that can be chosen by name, levers first."""
    found = {n: one for n, one in list_factors(scenario).items() if one.group not in LEFT_OUT}
    first = ("mechanisms", "support")
    return dict(sorted(found.items(), key=lambda item: item[1].group not in first))


def offered_titles(scenario: Scenario) -> dict[str, dict[str, str]]:
    """Titles of the factors by name, under the titles of their groups."""
    found: dict[str, dict[str, str]] = {}
    for name, one in offered(scenario).items():
        title = capitalise(_(GROUPS.get(one.group, one.group)))
        found.setdefault(title, {})[name] = capitalise(factor_title(one))
    return found


# The work -----------------------------------------------------------------------------------------


@dataclass
class SweepPlan:
    """A sweep whose runs are simulated in pieces, which may be done side by side."""

    experiment: Experiment[SweepSpec]
    points: Simulated
    base: Simulated | None
    bases: dict[str, Base]
    at_a_time: int
    """Runs of a piece."""
    done: dict[str, np.ndarray] = field(default_factory=dict)
    """The outcome in the runs of each task, by its hash; shared with the plan before."""

    @property
    def studies(self) -> list[Study]:
        """The studies of the points and of what they are compared with."""
        return [one.study for one in (self.points, self.base) if one is not None]

    @property
    def runs(self) -> int:
        """Runs of a task."""
        return self.points.study.runs

    @property
    def all_runs(self) -> int:
        """All runs of the sweep."""
        return self.runs * sum(len(one.tasks) for one in self.studies)

    def pieces(self) -> Iterator[Callable[[], int]]:
        """Yield the simulations that are missing; they return how many runs they did."""
        jobs = iter([
            (study, task.hash) for study in self.studies for task in study.tasks
            if task.hash not in self.done
        ])  # fmt: skip
        size = max(1, self.at_a_time // self.runs)
        while some := [*islice(jobs, size)]:
            yield partial(self.simulate, some)

    def simulate(self, jobs: list[tuple[Study, str]]) -> int:
        """Simulate some tasks."""
        (outcome,), state = self.experiment.outcomes, None
        for study, name in jobs:
            task = study.recipes[name].make(self.bases)
            state = state or new_state(task.world)
            block = run_block(task, np.arange(self.runs), regions=False, state=state)
            figures = run_figures(block.history, block.measures)
            self.done[name] = figures[:, block.measures.index(outcome.measure)]
        return len(jobs) * self.runs

    def answer(self) -> SweepAnswer:
        """What the runs say, as the command computes it."""

        def values(one: Simulated) -> dict[str, np.ndarray]:
            study, (outcome,) = one.study, self.experiment.outcomes
            assert study.place is not None
            rows = [self.done[study.tasks[k].hash] for k in study.place[0]]
            return {outcome.name: np.array(rows)}

        points = self.experiment.points
        assert points is not None  # as of every sweep that was planned
        base = None if self.base is None else values(self.base)
        names = [str(k) for k in range(len(self.points.table))]
        found = map_outcomes(self.experiment, points, values(self.points), base)
        return SweepAnswer(self.experiment, SweepResult(self.points.study, points, names, *found))


class SweepWork:
    """The work on one sweep of a user's strategy, in ever more levels."""

    def __init__(
        self, choice: SweepChoice, settings: Settings, source: Scenario, upload: Upload,
        factor: float = 1.0,
    ) -> None:  # fmt: skip
        self.choice, self.settings, self.factor = choice, settings, factor
        self.source, self.upload = source, upload

    @cached_property
    def key(self) -> Hashable:
        """All that the answer depends on."""
        one = self.settings
        parts = (one.levers, one.conditions, one.assumptions)
        return (
            self.source, self.choice, one.start, one.baseline, one.seed,
            *(tuple(sorted(part.items())) for part in parts),
        )  # fmt: skip

    @cached_property
    def changes(self) -> dict[str, object]:
        """The changes to the scenario, as an experiment sets them.

        The strategy has the levers that vary, at full intensity if it did not use them, so that
        they keep its times, areas and payers.
        """
        chosen = self.settings
        start, levers = self.source.strategies[chosen.start], dict(chosen.levers)
        for name in self.levers:
            phases = start.levers.get(name, ())
            if not levers.get(name, max((one.intensity for one in phases), default=0.0)):
                levers[name] = 1.0
        text = strategy_text(start, levers, self.source, chosen.conditions)
        title = in_all_languages(N_("Your strategy"))
        found: dict[str, object] = {
            f"parameters.{name}": value for name, value in chosen.assumptions.items()
        }
        return found | {f"strategies.{YOURS}": {"title": title, **text}}

    @property
    def levers(self) -> list[str]:
        """The levers that vary."""
        kinds = ("mechanisms", "support")
        names = [name for name in self.choice.factors if name.partition(".")[0] in kinds]
        return [name.partition(".")[2] for name in names]

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario with the user's strategy.

        Raises :class:`~kolabsim.errors.InputError` for a lever that is never in force.
        """
        Session(self.settings, self.source, upload=self.upload)  # checks the choices
        found = self.source.with_(self.changes)
        own, problems = found.strategies[YOURS].phases(), Problems()
        for name, title in zip(self.levers, self.titles_of_levers, strict=True):
            if name not in own:
                text = _("“{lever}” is never in force under these times, so that nothing varies")
                problems.add(text, lever=title)
        problems.raise_if_any()
        return found

    @property
    def titles_of_levers(self) -> list[str]:
        """Titles of the levers that vary."""
        return [capitalise(_(self.source.levers[name].title)) for name in self.levers]

    @cached_property
    def work(self) -> int:
        """The work of a run."""
        return work_of(build_task(self.source, self.source.strategies[self.settings.start], seed=1))

    def sizes(self) -> Iterator[tuple[int, int]]:
        """Levels of each factor and runs in a future, for the first answer and for the last.

        Larger scenarios get fewer runs, down to two. Raises
        :class:`~kolabsim.errors.InputError` for a sweep that is too large even so.
        """
        levels, most_runs = SIZES[len(self.choice.factors)]
        limit, runs = self.factor * MOST_FOR_A_SWEEP, most_runs
        costs = [experiment_cost(self.experiment(number, LEAST_RUNS)) for number in levels]
        least = self.work * costs[0].total
        if least > limit:
            text = _(
                "this is {times} times the work that this page takes on; choose one factor, or use "
                "the command 'kolabsim run' with the experiment below, which has no limit"
            )
            times = least / limit
            raise InputError.of(text, times=Amount(times, 0 if times >= 10 else 1))
        runs = max(LEAST_RUNS, min(runs, int(LEAST_RUNS * limit / (10 * least))))
        yield levels[0], runs
        total = self.work * costs[-1].total * runs / LEAST_RUNS
        if costs[-1].points > costs[0].points and total <= limit:  # words are all there at once
            yield levels[-1], runs

    def experiment(self, levels: int, runs: int) -> Experiment[SweepSpec]:
        """The sweep as ``kolabsim run`` has it, in as many plausible futures as by default."""
        return plan_sweep(
            self.scenario, self.choice.factors, strategy=YOURS, against=self.settings.baseline,
            outcomes=[SHOWN[0]], levels=levels, runs=runs, seed=self.settings.seed,
        )  # fmt: skip

    def plan(self, levels: int, runs: int, before: SweepPlan | None = None) -> SweepPlan:
        """Plan the runs; those of a plan with fewer levels are not simulated again."""
        experiment = self.experiment(levels, runs)
        points, base = experiment.points, None
        assert points is not None  # as of every sweep that was planned
        with tempfile.TemporaryDirectory() as scratch:  # nothing is stored there
            found = plan_points(experiment, Path(scratch), YOURS, points)
            if experiment.reference is not None:
                others = compared_points(points, experiment.factors)
                base = plan_points(experiment, Path(scratch), experiment.reference, others)
        studies = [one.study for one in (found, base) if one is not None]
        bases = {n: unpack_base(one) for study in studies for n, one in study.bases.items()}
        done = {} if before is None else before.done
        return SweepPlan(experiment, found, base, bases, runs_at_a_time(self.work), done)


# The answer ---------------------------------------------------------------------------------------


class SweepAnswer(NamedTuple):
    """A sweep with its result."""

    experiment: Experiment[SweepSpec]
    result: SweepResult

    @property
    def labels(self) -> Labels:
        """Titles and units in the language spoken now."""
        return Labels.from_experiment(self.experiment)

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        maps = self.result.maps
        return pays_sentence(maps[0], self.labels) if maps else self.result.left_out[0]

    @property
    def html(self) -> str:
        """The figure, the findings, and folded tables, as the report of the command has them."""
        labels, result = self.labels, self.result
        with DRAWING:
            sections = [map_section(one, labels) for one in result.maps]
            shown = [Section(one.name, one.title, *others(one)) for one in sections]
            first = render_sections([*shown, answer_section(result, labels)])
        tables = [Section(one.name, one.title, *select(Table, one.blocks)) for one in sections]
        title = escape(_("Numbers"))
        numbers = f"<summary>{title}</summary>{render_sections(tables)}"
        return f'{first}<details class="numbers">{numbers}</details>'

    @property
    def table(self) -> bytes:
        """All points with their values, ranges and verdicts as CSV."""
        return table_csv(self.result.table())


def others(section: Section) -> list[Block]:
    """The blocks of a section that are no tables."""
    return [block for block in section.blocks if not isinstance(block, Table)]


def experiment_file(work: SweepWork, experiment: Experiment[SweepSpec]) -> bytes:
    """The experiment as a file, with which ``kolabsim run`` gives the same."""
    spec, names = experiment.spec, work.choice.factors
    question = in_all_languages(N_("Where does your strategy stop paying?"))
    text: dict[str, object] = {
        "kind": "sweep", "question": question, "scenario": work.upload.extends,
        "strategy": spec.strategy, "against": spec.against, "factors": [*names],
        "outcomes": [*spec.outcomes], "levels": spec.levels, "plausible": spec.plausible,
        "runs": spec.runs, "seed": spec.seed, "set": work.changes,
    }  # fmt: skip
    return write_yaml(text).encode()
