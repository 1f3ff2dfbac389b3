"""A user's strategy against a baseline, on common random draws, in ever more runs.

Nothing here knows of a web page: a :class:`Session` simulates, with a first :class:`Estimate` after
few runs and better ones until it is stopped. The two stand in one file, which is long for that,
because an estimate is nothing but the runs of its session.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import islice, pairwise
from threading import Lock
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from kolabsim.app.conditions import (
    Conditions,
    budget_of,
    lever_name,
    phases_of,
    under_conditions,
)
from kolabsim.app.futures import Worlds, find_alone, find_groups, find_worlds, without
from kolabsim.app.importing import archive
from kolabsim.app.kept import Kept
from kolabsim.app.recent import Block, Runs, RunStore
from kolabsim.app.settings import SHOWN, Settings
from kolabsim.app.uploads import Upload
from kolabsim.app.work import STRATEGIES, is_heavy, run_steps, runs_at_a_time
from kolabsim.engine.ensemble import Task, new_state, run_block, work_of
from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.files import table_csv
from kolabsim.i18n import LANGUAGES, N_, _, language, speaking
from kolabsim.model.levers import LEVERS
from kolabsim.model.measures import MEASURES, REGION_MEASURES, TRACE
from kolabsim.model.state import BUYER, NOBODY, Policy
from kolabsim.scenario.compile import build_policy
from kolabsim.scenario.futures import Future, plausible_names
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.schema import Section
from kolabsim.scenario.source import write_yaml
from kolabsim.scenario.strategy import Phase, Strategy
from kolabsim.study.collect import Results
from kolabsim.study.tables import Terms
from kolabsim.study.tasks import future_seed, run_figures

if TYPE_CHECKING:
    from kolabsim.analysis.comparison import Comparison
    from kolabsim.analysis.drivers import Drivers
    from kolabsim.engine.ensemble import Block as RunBlock

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
PERMUTATIONS = 200
"""Permutations for the floor of assumptions, which are ranked at each estimate but the first."""
DRAWING = Lock()
"""Held while matplotlib draws a report: its settings belong to the whole process."""


# The user's strategy ------------------------------------------------------------------------------


def strategy_text(
    strategy: Strategy, levers: Mapping[str, float], scenario: Scenario,
    conditions: Conditions | None = None,
) -> dict[str, object]:  # fmt: skip
    """Write a strategy as in a scenario file, with some levers at other intensities.

    A lever that is moved keeps its phases, areas and targets. Conditions change its times and
    payers, and the budget.
    """
    conditions = conditions or {}
    found: dict[str, dict[str, object]] = {"mechanisms": {}, "support": {}}
    for name in scenario.levers:
        kind, _dot, _name = lever_name(name).partition(".")
        phases = [
            phase_text(phase, levers.get(name, phase.intensity), name, scenario)
            for phase in phases_of(strategy, name, levers.get(name, 0.0), conditions, scenario)
        ]
        if phases:
            found[kind][name] = phases[0] if len(phases) == 1 else phases
    bound = under_conditions(strategy.mandates, "", conditions, scenario.horizon)
    mandates = [plain(mandate) for mandate in bound]
    text: dict[str, object] = {key: value for key, value in found.items() if value}
    if (budget := budget_of(strategy, conditions)) is not None:
        text["budget"] = budget
    return text | ({"mandates": mandates} if mandates else {})


def phase_text(phase: Phase, intensity: float, lever: str, scenario: Scenario) -> object:
    """Write a phase, at another intensity, as in a scenario file, without its defaults."""
    usual: dict[str, object] = {
        "from": 0, "until": scenario.horizon, "areas": [*scenario.areas], "phase_out": 0,
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
    def worlds(self) -> Worlds:
        """The scenario in its plausible futures."""
        return find_worlds(self.source)

    @cached_property
    def _work(self) -> int:
        """The work of a run."""
        return work_of(self.worlds.task(next(iter(self.worlds.futures)), {}, 0))

    @property
    def is_heavy(self) -> bool:
        """Whether a single run takes long."""
        return is_heavy(self._work)

    @cached_property
    def futures(self) -> dict[str, Future]:
        """The settings of each future; as many as the first estimate has runs, at most."""
        most, fixed = run_steps(self._work)[0], self.settings.assumptions
        found = islice(self.worlds.futures.items(), most)
        return {name: without(settings, fixed) for name, settings in found}

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Numbers of runs after which there is an estimate: as many in each future."""
        number = len(self.futures)
        steps = (max(1, round(runs / number)) * number for runs in run_steps(self._work))
        return tuple(dict.fromkeys(steps))

    @cached_property
    def pieces(self) -> dict[int, np.ndarray]:
        """The numbers of the runs of each block, in the order of the blocks.

        They are always the same, because sessions share them. What is simulated after the first
        estimate has its runs by future: a core then turns to Python once for all runs of a future,
        and not while others wait for that.
        """
        size, found = runs_at_a_time(self._work), {}
        for low, high in pairwise((0, *self.steps)):
            numbers = np.arange(low, high)
            if low:
                numbers = numbers[np.argsort(numbers % len(self.futures), kind="stable")]
            for first in range(0, high - low, size):
                found[low + first] = numbers[first : first + size]
        return found

    @cached_property
    def policies(self) -> tuple[Policy, Policy]:
        """The baseline and the user's strategy, as the engine reads them."""
        one, other = (
            build_policy(self.scenario, self.scenario.strategies[name]) for name in self.strategies
        )
        return one, other

    def task(self, place: int, future: str) -> Task:
        """The input of the engine for one of the strategies in a future."""
        task = self.worlds.task(future, self.settings.assumptions, self.settings.seed)
        return task._replace(policy=self.policies[place])

    @property
    def first_world(self) -> tuple[Scenario, int]:
        """The scenario and the seed of the first run."""
        name, settings = next(iter(self.futures.items()))
        return self.source.with_(settings | self.changes()), future_seed(self.settings.seed, name)

    @property
    def keys(self) -> tuple[tuple[object, ...], tuple[object, ...]]:
        """All that the runs of the baseline and of the user's strategy depend on."""
        chosen = self.settings
        both = self.source, chosen.seed, tuple(sorted(chosen.assumptions.items()))
        levers, conditions = (
            tuple(sorted(one.items())) for one in (chosen.levers, chosen.conditions)
        )
        return (*both, chosen.baseline), (*both, chosen.start, levers, conditions)

    @property
    def strategies(self) -> tuple[str, str]:
        """The baseline and the user's strategy."""
        return self.settings.baseline, YOURS

    def changes(self) -> dict[str, object]:
        """The changes to the scenario, by dotted names."""
        chosen = self.settings
        start = self.source.strategies[chosen.start]
        text = strategy_text(start, chosen.levers, self.source, chosen.conditions)
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
        for place, stored in enumerate(self.held):
            for first, numbers in self.pieces.items():
                if first < runs and first not in stored.blocks:
                    # The network comes from the trace of the first runs only.
                    trace = first == 0 and self.strategies[place] == YOURS
                    simulate = partial(simulate_block, self, place, stored)
                    found.append(partial(simulate, first, numbers, trace=trace, stop=stop))
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

    def blocks(self, runs: int) -> list[dict[int, Block]]:
        """The blocks of the baseline and of the user's strategy that hold these runs."""
        return [
            {first: stored.blocks[first] for first in sorted(stored.blocks) if first < runs}
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
        if self.settings.changes or self.settings.conditions:
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
    session: Session, place: int, stored: Runs, first: int, numbers: np.ndarray, *, trace: bool,
    stop: np.ndarray,
) -> None:  # fmt: skip
    """Simulate a block of runs on one core, unless another visitor's work did so meanwhile.

    The runs go through the futures in turn.
    """
    if stop[0] or first in stored.blocks:
        return
    futures, state = list(session.futures), None
    parts: dict[int, tuple[RunBlock, int]] = {}
    for k in dict.fromkeys((numbers % len(futures)).tolist()):
        here = numbers[numbers % len(futures) == k]
        task = session.task(place, futures[k])
        state = state or new_state(task.world)
        found = run_block(task, here // len(futures), trace=trace, stop=stop, state=state)
        if stop[0]:
            return
        parts |= {int(run): (found, row) for row, run in enumerate(here)}
    rows = [parts[run] for run in numbers.tolist()]
    measures = rows[0][0].measures
    # Of all runs at once: for each alone, Python would take as long as the simulation.
    history = np.array([block.history[row] for block, row in rows])
    stored.blocks[first] = Block(
        run_figures(history, measures),
        history[..., [measures.index(name) for name in QUARTERLY]],
        np.array([block.figures[row] for block, row in rows]),
        np.array([block.trace[row, -1:] for block, row in rows if len(block.trace)]),
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
        settings = replace(
            settings, start=usual.start, baseline=usual.baseline, assumptions={}, conditions={}
        )
    settings = replace(
        settings, kept=tuple(one for one in settings.kept if is_kept(one, found, problems))
    )
    return settings, found


def is_kept(one: Kept, found: Upload, problems: Problems) -> bool:
    """Whether a strategy that is kept can be simulated here; otherwise report why not."""
    try:
        Session(Settings().showing(one), found.scenario)
    except InputError as error:
        problems.found |= dict.fromkeys(refused(error))
        return False
    return True


# Estimates ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown(Results):
    """The runs of an estimate with the measures that the page shows, in worlds that are there."""

    known: list[Scenario] = field(default_factory=list, repr=False)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures that are compared."""
        return SHOWN

    def columns(self, names: Sequence[str], kind: str = "runs") -> pd.DataFrame:
        """The runs, quarters or regions, all columns of which are in memory."""
        table: pd.DataFrame = getattr(self, kind)
        return table

    def worlds(self) -> Iterable[Scenario]:
        """The scenario in each future."""
        return self.known


@dataclass(frozen=True)
class Estimate:
    """The difference that the user's strategy makes, after some runs."""

    session: Session = field(repr=False)
    runs: int

    @property
    def is_ranked(self) -> bool:
        """Whether assumptions are ranked: not while somebody waits for a first estimate."""
        return self.is_last or self.runs > self.session.steps[0]

    @property
    def is_last(self) -> bool:
        """Whether no better estimate follows."""
        return self.runs == self.session.steps[-1]

    @property
    def results(self) -> Results:
        """The runs of both strategies as tidy tables; these are simulated once more."""
        session = self.session
        runs = np.arange(self.runs // len(session.futures))
        blocks = [
            [run_block(session.task(place, name), runs) for name in session.futures]
            for place in range(STRATEGIES)
        ]
        history, regions = (
            np.array([[getattr(block, kind) for block in of] for of in blocks])
            for kind in ("history", "figures")
        )
        return Results.from_arrays(*self._origin, history, regions)

    @cached_property
    def arrays(self) -> Block:
        """What is stored of the runs [strategies, futures, runs, ...], but for traces."""
        return Block(self.part("runs"), self.part("quarters"), self.part("regions"), np.empty(0))

    def part(self, kind: str, column: int | slice = slice(None)) -> np.ndarray:
        """One part of what is stored of the runs, or a column of it, in the same order."""
        session, futures = self.session, len(self.session.futures)
        session.fill(self.runs)
        stored = session.blocks(self.runs)
        some = getattr(stored[0][0], kind)[..., column]
        shape = STRATEGIES, futures, self.runs // futures, *some.shape[1:]
        found = np.empty(shape, some.dtype)
        for place, blocks in enumerate(stored):
            for first, block in blocks.items():
                numbers = session.pieces[first]
                values = getattr(block, kind)[..., column]
                found[place, numbers % futures, numbers // futures] = values
        return found

    @property
    def shown(self) -> Shown:
        """The same as tables, with what the page shows only."""
        session, (runs, quarters, regions, _trace) = self.session, self.arrays
        found = Shown.from_arrays(*self._origin, quarters, regions, runs=runs, quarterly=QUARTERLY)
        fixed, worlds = session.settings.assumptions, session.worlds
        found.known.extend(worlds.fixed(name, fixed) for name in session.futures)
        return found

    def over_years(self, measure: str) -> tuple[np.ndarray, np.ndarray]:
        """Years, and a measure in all runs side by side [strategies, runs, years]."""
        from kolabsim.analysis.arrays import over_years, quarterly_columns

        places = [QUARTERLY.index(name) for name in quarterly_columns(measure)]
        values = self.part("quarters")[..., places].astype(np.float64)
        values = values.reshape(STRATEGIES, self.runs, *values.shape[3:])
        return over_years(values, measure, self.session.scenario.start_year)

    @cached_property
    def drivers(self) -> Drivers | None:
        """Which assumptions move the difference in net benefit; None for too few futures."""
        from kolabsim.analysis.drivers import find_drivers

        found = self.comparison.headline
        if found is None:
            return None
        settings, grouped = find_groups(self.session.worlds, self.session.futures)
        return find_drivers(
            found.effects.values[0], settings, level=self.comparison.level,
            permuted=PERMUTATIONS, resamples=1, grouped=grouped,
        )  # fmt: skip

    @property
    def _origin(self) -> tuple[Scenario, tuple[str, str], dict[str, Future], int]:
        """Scenario, strategies, futures and seed of the runs."""
        session = self.session
        return session.scenario, session.strategies, session.futures, session.settings.seed

    @cached_property
    def comparison(self) -> Comparison:
        """The user's strategy against the baseline: over plausible futures, if there are any."""
        from kolabsim.analysis.comparison import RunArrays, compare, compare_ranges

        session = self.session
        if len(plausible_names(session.futures)) < len(session.futures):
            return compare(self.shown, baseline=session.settings.baseline)
        measures, all_names = self.part("runs"), tuple(session.scenario.measures)
        found = {
            name: np.ascontiguousarray(measures[..., all_names.index(name)], np.float64)
            for name in SHOWN
        }
        money = self.part("regions", [*REGION_MEASURES].index("benefit_money"))
        runs = RunArrays(
            found, np.ascontiguousarray(money, np.float64).sum(axis=-1),
            find_alone(session.worlds, [*session.futures], session.settings.assumptions),
        )  # fmt: skip
        return compare_ranges(runs, session.scenario, session.strategies, [*session.futures])

    def compare_all(self) -> tuple[Results, Comparison]:
        """The runs with all measures, and their comparison, for files to take away."""
        from kolabsim.analysis.comparison import compare

        results = self.results
        return results, compare(results, baseline=self.session.settings.baseline)

    def release(self) -> None:
        """Free the large tables; they are rebuilt from the runs when they are needed."""
        self.comparison  # noqa: B018 (needs the tables, and is stored)
        self.links  # noqa: B018
        self.__dict__.pop("arrays", None)

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
            return "differences.csv", table_csv(self.compare_all()[1].differences)
        return ("kolabsim.zip", self.data()) if kind == "data" else ("kolabsim.html", self.report())

    def data(self) -> bytes:
        """A ZIP file: differences, winners, runs, quarters, their columns, and the study."""
        scenario, (results, comparison) = self.session.scenario, self.compare_all()
        tables = {
            "differences": comparison.differences,
            "winners": comparison.winners,
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
        results, comparison = self.compare_all()
        with DRAWING:
            page = comparison_page(
                results, comparison, provenance=facts, question=question, measures=SHOWN
            )
            return render(page).encode()


def write_file(
    kind: str, settings: Settings, source: Scenario, upload: Upload, runs: int
) -> tuple[str, bytes]:
    """What :meth:`Estimate.download` returns, from all that an estimate depends on.

    So another process can be given these few arguments instead of all runs, and simulates again.
    """
    return Estimate(Session(settings, source, upload=upload), runs).download(kind)


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
