"""A user's strategy against a baseline, on common random draws, in ever more runs.

Nothing here knows of a web page: a :class:`Session` simulates, with a first :class:`Estimate` after
few runs and better ones until it is stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, cast

import numpy as np

from kolabsim.app.importing import archive
from kolabsim.app.recent import Block, Runs, RunStore
from kolabsim.app.settings import SHOWN, Settings, lever_name
from kolabsim.app.uploads import Upload
from kolabsim.app.work import run_steps, runs_at_a_time, work_of
from kolabsim.engine.ensemble import Task, build_task, run_block
from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.files import table_csv
from kolabsim.i18n import LANGUAGES, N_, _, language, speaking
from kolabsim.model.levers import LEVERS
from kolabsim.model.measures import MEASURES, TRACE
from kolabsim.model.state import BUYER, NOBODY
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.schema import Section
from kolabsim.scenario.source import write_yaml
from kolabsim.scenario.strategy import Phase, Strategy
from kolabsim.study.collect import Results
from kolabsim.study.tables import Terms
from kolabsim.study.tasks import DEFAULT_FUTURE, run_figures

if TYPE_CHECKING:
    from kolabsim.analysis.comparison import Comparison

YOURS = "your_strategy"
"""Name of the strategy that a user composes."""
OWN = "your-strategy.yaml"
"""File of the strategy and assumptions that a user composes, in a study made of a table."""
RUNS = RunStore()
"""Runs of strategies, shared by all visitors."""
QUARTERLY = tuple(
    dict.fromkeys(part for name in SHOWN for part in (name, *MEASURES[name].ratio) if part)
)
"""Measures that are shown over time, and those that they are ratios of."""
DRAWING = Lock()
"""Held while matplotlib draws a report: its settings belong to the whole process."""


# The user's strategy ------------------------------------------------------------------------------


def strategy_text(
    strategy: Strategy, levers: Mapping[str, float], scenario: Scenario
) -> dict[str, object]:
    """Write a strategy as in a scenario file, with some levers at other intensities.

    A lever that is moved keeps its phases, areas and targets.
    """
    found: dict[str, dict[str, object]] = {"mechanisms": {}, "support": {}}
    for name in scenario.levers:
        kind, _dot, _name = lever_name(name).partition(".")
        phases = [
            phase_text(phase, levers.get(name, phase.intensity), name, scenario)
            for phase in strategy.levers.get(name, ())
        ]
        if phases:
            found[kind][name] = phases[0] if len(phases) == 1 else phases
        elif levers.get(name, 0.0) > 0.0:
            found[kind][name] = levers[name]
    mandates = [plain(mandate) for mandate in strategy.mandates]
    text: dict[str, object] = {key: value for key, value in found.items() if value}
    return text | ({"mandates": mandates} if mandates else {})


def phase_text(phase: Phase, intensity: float, lever: str, scenario: Scenario) -> object:
    """Write a phase, at another intensity, as in a scenario file, without its defaults."""
    usual: dict[str, object] = {
        "from": 0, "until": scenario.horizon, "areas": [*scenario.areas],
        "paid_by": scenario.levers[lever].payer if lever in LEVERS else "",
    }  # fmt: skip
    written = plain(phase) | {"intensity": intensity}
    written = {key: value for key, value in written.items() if usual.get(key, ...) != value}
    return intensity if written.keys() == {"intensity"} else written


def plain(section: Section) -> dict[str, object]:
    """Convert a section to the words of a file: lists for tuples, and no open entries."""
    record = section.model_dump(by_alias=True, exclude_none=True)
    return cast("dict[str, object]", json.loads(json.dumps(record)))


# Simulating ---------------------------------------------------------------------------------------


class Session:
    """A user's strategy and its baseline in a scenario, ready to be simulated.

    The ``upload`` that the scenario came with says what a file that builds on it extends, and has
    the files of a study made of a table. Sessions share their runs in :data:`RUNS`, so a baseline
    is simulated once for all. Raises :class:`~kolabsim.errors.InputError` if the scenario does not
    allow the choices.
    """

    def __init__(
        self, settings: Settings, scenario: Scenario, *, upload: Upload | None = None
    ) -> None:
        self.settings, self.source = settings, scenario
        self.upload = upload or Upload(scenario, extends=settings.scenario)
        problems = Problems()
        for name in dict.fromkeys((settings.start, settings.baseline)):
            if name not in scenario.strategies:
                title, hint = scenario.title(language()), suggestion(name, scenario.strategies)
                message = _("'{name}' is not a strategy of {scenario}{hint}")
                problems.add(message, name=name, scenario=title, hint=hint)
        problems.raise_if_any()
        self.scenario = scenario.with_(self.changes())
        self._held: list[Runs] | None = None
        """The runs of both strategies while they are worked on."""

    @cached_property
    def tasks(self) -> tuple[Task, Task]:
        """The input of the engine for the baseline and for the user's strategy."""
        one, other = (
            build_task(self.scenario, self.scenario.strategies[name], seed=self.settings.seed)
            for name in self.strategies
        )
        return one, other

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Numbers of runs after which there is an estimate."""
        return run_steps(work_of(self.tasks[0]))

    @property
    def keys(self) -> tuple[tuple[object, ...], tuple[object, ...]]:
        """All that the runs of the baseline and of the user's strategy depend on."""
        chosen = self.settings
        both = self.source, chosen.seed, tuple(sorted(chosen.assumptions.items()))
        levers = tuple(sorted(chosen.levers.items()))
        return (*both, chosen.baseline), (*both, chosen.start, levers)

    @property
    def strategies(self) -> tuple[str, str]:
        """The baseline and the user's strategy."""
        return self.settings.baseline, YOURS

    def changes(self) -> dict[str, object]:
        """The changes to the scenario, by dotted names."""
        chosen = self.settings
        text = strategy_text(self.source.strategies[chosen.start], chosen.levers, self.source)
        text["title"] = in_all_languages(N_("Your strategy"))
        found: dict[str, object] = {
            f"parameters.{name}": value for name, value in chosen.assumptions.items()
        }
        return found | {f"strategies.{YOURS}": text}

    def estimates(self, stop: np.ndarray) -> Iterator[Estimate]:
        """Yield an estimate after each number of runs; ``stop[0] != 0`` ends them."""
        for runs in self.steps:
            self.fill(runs, stop)
            if stop[0]:
                return
            yield Estimate(self, runs)

    def fill(self, runs: int, stop: np.ndarray | None = None) -> None:
        """Simulate the runs that are missing, in this thread."""
        for job in self.jobs(runs, np.zeros(1, np.int64) if stop is None else stop):
            job()

    def jobs(self, runs: int, stop: np.ndarray) -> list[Callable[[], None]]:
        """Return the work that is missing for some runs of both strategies.

        Each piece stores its block of runs, unless ``stop[0] != 0``. The pieces may be done side by
        side and in any order.
        """
        found: list[Callable[[], None]] = []
        size = runs_at_a_time(work_of(self.tasks[0]))
        # Always the same blocks, because sessions share them.
        edges = sorted({*range(0, self.steps[-1], size), *self.steps})
        for name, stored, task in zip(self.strategies, self.held, self.tasks, strict=True):
            for first, end in pairwise(edges):
                if first < runs and first not in stored.blocks:
                    # The network comes from the trace of the first runs only.
                    trace = first == 0 and name == YOURS
                    numbers = np.arange(first, end)
                    found.append(partial(simulate_block, stored, task, numbers, trace, stop))
        return found

    @property
    def held(self) -> list[Runs]:
        """The stored runs of both strategies, held until :meth:`release`."""
        if self._held is None:
            self._held = [
                RUNS.open((key, name == YOURS))
                for key, name in zip(self.keys, self.strategies, strict=True)
            ]
        return self._held

    def release(self) -> None:
        """Hold the runs no longer; they are simulated again when they are needed."""
        self._held = None
        RUNS.trim()

    def blocks(self, runs: int) -> list[list[Block]]:
        """The blocks of the baseline and of the user's strategy that hold these runs."""
        return [
            [stored.blocks[first] for first in sorted(stored.blocks) if first < runs]
            for stored in self.held
        ]

    def scenario_text(self) -> str:
        """The scenario as a file to keep, to change, and to run with ``kolabsim``."""
        text: dict[str, object] = {"extends": self.upload.extends}
        if self.settings.assumptions:
            text["parameters"] = dict(self.settings.assumptions)
        text["strategies"] = {YOURS: self.changes()[f"strategies.{YOURS}"]}
        return write_yaml(text)

    def study_files(self) -> dict[str, bytes]:
        """The files of a study, with a scenario for the user's strategy where sliders moved."""
        own = {}
        if self.settings.changes:
            own[OWN] = self.scenario_text().encode()
        return {**self.upload.files, **own}


def in_all_languages(message: str) -> dict[str, str]:
    """A message in all languages."""
    found = {}
    for code in LANGUAGES:
        with speaking(code):
            found[code] = _(message)
    return found


def simulate_block(
    stored: Runs, task: Task, runs: np.ndarray, trace: bool, stop: np.ndarray
) -> None:
    """Simulate a block of runs on one core, unless another visitor's work did so meanwhile."""
    if stop[0] or int(runs[0]) in stored.blocks:
        return
    block = run_block(task, runs, trace=trace, stop=stop)
    if not stop[0]:
        stored.blocks[int(runs[0])] = Block(
            run_figures(block.history, block.measures),
            block.history[..., [block.measures.index(name) for name in QUARTERLY]],
            block.figures,
            block.trace[:, -1:].copy(),
        )


def open_scenario(
    settings: Settings, load: Callable[[str], Upload], problems: Problems
) -> tuple[Settings, Upload]:
    """Load the scenario of some settings; report what is impossible, and use defaults instead."""
    usual = Settings()
    try:
        found = load(settings.scenario)
    except InputError as error:
        problems.found |= dict.fromkeys(refused(error))
        settings = replace(settings, scenario=usual.scenario)
        found = load(usual.scenario)
    try:
        Session(settings, found.scenario)
    except InputError as error:
        problems.found |= dict.fromkeys(refused(error))
        settings = replace(settings, start=usual.start, baseline=usual.baseline, assumptions={})
    return settings, found


# Estimates ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Estimate:
    """The difference that the user's strategy makes, after some runs."""

    session: Session = field(repr=False)
    runs: int

    @property
    def is_last(self) -> bool:
        """Whether no better estimate follows."""
        return self.runs == self.session.steps[-1]

    @property
    def results(self) -> Results:
        """The runs of both strategies as tidy tables; these are simulated once more."""
        session, runs = self.session, np.arange(self.runs)
        blocks = [run_block(task, runs) for task in session.tasks]
        history, regions = (
            np.stack([getattr(block, kind) for block in blocks])[:, None]
            for kind in ("history", "figures")
        )
        return Results.from_arrays(*self._origin, history, regions)

    @cached_property
    def shown(self) -> Results:
        """The same with the quarters of :data:`QUARTERLY` only, from the stored runs."""
        self.session.fill(self.runs)
        runs, quarters, regions = (
            np.stack([np.concatenate([getattr(b, kind) for b in blocks])[: self.runs]
                      for blocks in self.session.blocks(self.runs)])[:, None]
            for kind in ("runs", "quarters", "regions")
        )  # fmt: skip
        return Results.from_arrays(*self._origin, quarters, regions, runs=runs, quarterly=QUARTERLY)

    @property
    def _origin(
        self,
    ) -> tuple[Scenario, tuple[str, str], dict[str, dict[str, object]], int]:
        """Scenario, strategies, futures and seed of the runs."""
        session = self.session
        return session.scenario, session.strategies, {DEFAULT_FUTURE: {}}, session.settings.seed

    @cached_property
    def comparison(self) -> Comparison:
        """The user's strategy against the baseline, run by run, with 95% intervals."""
        from kolabsim.analysis.comparison import compare

        return compare(self.shown, baseline=self.session.settings.baseline)

    def release(self) -> None:
        """Free the large tables; they are rebuilt from the runs when they are needed."""
        self.comparison  # noqa: B018 (needs the tables, and is stored)
        self.links  # noqa: B018
        self.__dict__.pop("shown", None)

    @cached_property
    def links(self) -> np.ndarray:
        """Share of services that two regions share at the end under the user's strategy [R, R]."""
        self.session.fill(1)
        trace = self.session.blocks(1)[1][0].trace
        body, role = (trace[:, -1, :, :, TRACE.index(name)] for name in ("body", "role"))
        return shared_services(body, role)

    def download(self, kind: str) -> tuple[str, bytes]:
        """The name and the content of a file: scenario, differences, data or report.

        Raises :class:`~kolabsim.errors.StorageError` if the disk refuses.
        """
        session = self.session
        if kind == "scenario" and session.upload.files:
            return f"{session.upload.name}.zip", archive(session.study_files())
        if kind == "scenario":
            return "kolabsim.yaml", session.scenario_text().encode()
        if kind == "differences":
            return "differences.csv", table_csv(self.comparison.differences)
        return ("kolabsim.zip", self.data()) if kind == "data" else ("kolabsim.html", self.report())

    def data(self) -> bytes:
        """A ZIP file: differences, winners, runs, quarters, their columns, and the study."""
        scenario, results = self.session.scenario, self.results
        tables = {
            "differences": self.comparison.differences,
            "winners": self.comparison.winners,
            "runs": results.runs,
            "quarters": results.quarters,
        }
        terms = Terms({name: MEASURES[name] for name in scenario.measures}, scenario.currency)
        tables["columns"] = terms.column_table({name: list(of) for name, of in tables.items()})
        files = {f"{name}.csv": table_csv(table) for name, table in tables.items()}
        if self.session.upload.files:
            files |= {f"study/{k}": data for k, data in self.session.study_files().items()}
        else:
            files["scenario.yaml"] = self.session.scenario_text().encode()
        return archive(files)

    def report(self) -> bytes:
        """The report of ``kolabsim run``, as HTML in the language spoken now."""
        from kolabsim import __version__
        from kolabsim.report.comparison import comparison_page
        from kolabsim.report.html import render

        chosen = self.session.settings
        facts = {
            "command": f"kolabsim app ?{chosen.query}", "scenario": self.session.source.name,
            "seed": chosen.seed, "runs": self.runs, "kolabsim": __version__,
        }  # fmt: skip
        question = _("What does your strategy change?")
        with DRAWING:
            page = comparison_page(
                self.results, self.comparison, provenance=facts, question=question, measures=SHOWN
            )
            return render(page).encode()


def shared_services(body: np.ndarray, role: np.ndarray) -> np.ndarray:
    """Share of cases in which two regions are partners [R, R].

    From bodies and roles [..., R, areas]; two buyers of one provider are no partners.
    """
    bodies, roles = (
        np.moveaxis(one.reshape(-1, *one.shape[-2:]), -1, 1).reshape(-1, one.shape[-2])
        for one in (body, role)
    )
    found = np.zeros((bodies.shape[1],) * 2)
    for row, buys in zip(bodies, roles == BUYER, strict=True):
        together = (row[:, None] == row[None, :]) & (row != NOBODY)[:, None]
        found += together & ~(buys[:, None] & buys[None, :])
    np.fill_diagonal(found, 0.0)
    return found / len(bodies)


def refused(error: InputError) -> list[Problem]:
    """The problems of an input, without the folders of the server."""
    return [
        replace(p, file=p.file.replace("\\", "/").rpartition("/")[2] if p.file else None)
        for p in error.problems
    ]
