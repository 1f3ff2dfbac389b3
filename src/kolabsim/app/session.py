"""What if: a strategy of one's own against a baseline, on common draws, in ever more runs.

Nothing here knows of a web page. :class:`Settings` is all that one can choose, and goes into an
address and back; :class:`WhatIf` simulates it, with a first answer after few runs and better ones
while one looks, until it is told to stop.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import numpy as np

from kolabsim.engine.ensemble import Block, build_task, cores, run_block
from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import LANGUAGES, _, language
from kolabsim.model.levers import LEVERS, SUPPORTERS
from kolabsim.model.measures import MEASURES, PAGE, TRACE, shown_in
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.scenario.scenario import BASELINE, Scenario, shipped_names
from kolabsim.scenario.source import write_yaml
from kolabsim.scenario.strategy import Phase, Strategy
from kolabsim.study.collect import Results
from kolabsim.study.tasks import DEFAULT_FUTURE

if TYPE_CHECKING:
    from pathlib import Path

    from kolabsim.analysis.comparison import Comparison

WHAT_IF = "what_if"
"""Name of the strategy that one puts together."""
STEPS = (100, 300, 1000)
"""Runs of each strategy after which there is an answer."""
SLOTS = 300
"""Regions times areas up to which these numbers hold; of larger worlds there are fewer runs, so
that the first answer is there as soon."""
FEWEST = 8
"""Fewest runs of an answer."""
PART = 25
"""Most runs that one core does at a time, which is also how finely work is divided."""
MAIN = shown_in(PAGE)
"""Measures whose differences are shown."""
ASSUMPTIONS = (
    "misperception", "honour_base", "information_cost", "negotiation_cost", "attention_base",
    "horizon_years", "trust_start", "startup_cost",
)  # fmt: skip
"""Parameters that can be moved: those of all that change efficiency, quality, net benefit and
cooperation most when each goes through its range (the mean over two scenarios, with no programme
and with the full package, 96 runs each)."""
LARGEST_SEED = 2**31 - 1

POOL = ThreadPoolExecutor(cores(), thread_name_prefix="whatif")
"""The cores, which all who look share."""
DRAWING = Lock()
"""Held while matplotlib draws: its settings are those of the whole process."""


# Settings -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """All that one can choose; what is not chosen is as the scenario and the strategy have it."""

    scenario: str = "kartamantul"
    """Name of a shipped scenario, or of one that was uploaded."""
    start: str = "team"
    """Strategy of the scenario that one's own begins with."""
    baseline: str = BASELINE
    """Strategy with which it is compared."""
    measure: str = MAIN[0]
    """What is drawn over time."""
    seed: int = 1
    lang: str = "en"
    levers: Mapping[str, float] = field(default_factory=dict)
    """Intensities, 0 to 1, of levers that were moved."""
    assumptions: Mapping[str, float] = field(default_factory=dict)
    """Values of parameters that were moved."""

    @property
    def changes(self) -> dict[str, float]:
        """What was moved, by dotted names as in a scenario."""
        levers = {lever_name(name): value for name, value in self.levers.items()}
        return levers | {f"parameters.{name}": value for name, value in self.assumptions.items()}

    @property
    def query(self) -> str:
        """The part of an address after the question mark: whatever is not as it usually is."""
        usual = Settings()
        plain = {
            name: getattr(self, name) for name in PLAIN
            if getattr(self, name) != getattr(usual, name)
        }  # fmt: skip
        return urlencode(plain | {name: f"{value:g}" for name, value in self.changes.items()})

    def moved(self, name: str, value: float | None) -> Settings:
        """With a lever or a parameter, by its dotted name, at a value; None: where it was."""
        kind, _dot, rest = name.partition(".")
        of = "assumptions" if kind == "parameters" else "levers"
        others = {key: v for key, v in getattr(self, of).items() if key != rest}
        return replace(self, **{of: others if value is None else others | {rest: value}})


PLAIN = ("scenario", "start", "baseline", "measure", "seed", "lang")
"""Settings that are one word or number, by their names in an address."""


def lever_name(name: str) -> str:
    """The dotted name of a lever."""
    return f"{'support' if name in SUPPORTERS else 'mechanisms'}.{name}"


def read_query(query: Mapping[str, str], problems: Problems) -> Settings:
    """The settings in an address; what cannot be is told, and is left as it usually is."""
    found = Settings()
    movable = {lever_name(name): (0.0, 1.0) for name in LEVERS}
    movable |= {f"parameters.{name}": bounds(PARAMETERS[name]) for name in ASSUMPTIONS}
    words = {"measure": MAIN, "lang": tuple(LANGUAGES)}
    for name, text in query.items():
        if name in movable:
            value = number_in(name, text, *movable[name], problems)
            found = found if value is None else found.moved(name, value)
        elif name == "seed":
            value = number_in(name, text, 0, LARGEST_SEED, problems)
            found = found if value is None else replace(found, seed=int(value))
        elif name in PLAIN and text in words.get(name, (text,)):
            found = replace(found, **{name: text})
        else:
            known, word = (words[name], text) if name in words else ((*PLAIN, *movable), name)
            message = _("'{word}' is not known here{hint}")
            problems.add(message.format(word=word[:60], hint=suggestion(word[:60], known)))
    return found


def number_in(name: str, text: str, least: float, most: float, problems: Problems) -> float | None:
    """A number between two others, or None with a problem told."""
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if least <= value <= most:
        return value
    message = _("{name}: {value} is not a number from {least} to {most}")
    problems.add(message.format(name=name, value=text[:40], least=f"{least:g}", most=f"{most:g}"))
    return None


def bounds(entry: Parameter) -> tuple[float, float]:
    """How far a parameter can be moved: over its usual range."""
    return entry.low, entry.high


# A strategy of one's own --------------------------------------------------------------------------


def intensity(strategy: Strategy, lever: str) -> float:
    """How strongly a strategy uses a lever: 0 to 1, the most of its phases."""
    return max((phase.intensity for phase in strategy.levers.get(lever, ())), default=0.0)


def strategy_text(
    strategy: Strategy, levers: Mapping[str, float], scenario: Scenario
) -> dict[str, object]:
    """A strategy as one writes it in a scenario, with some levers at other intensities.

    A lever that is moved keeps its phases, areas and targets.
    """
    found: dict[str, object] = {"mechanisms": {}, "support": {}}
    for name in scenario.levers:
        kind, _dot, _name = lever_name(name).partition(".")
        phases = [
            phase_text(
                phase.model_copy(update={"intensity": levers.get(name, phase.intensity)}),
                name,
                scenario,
            )
            for phase in strategy.levers.get(name, ())
        ]
        if phases:
            found[kind][name] = phases[0] if len(phases) == 1 else phases
        elif levers.get(name, 0.0) > 0.0:
            found[kind][name] = levers[name]
    found["mandates"] = [plain(mandate.model_dump()) for mandate in strategy.mandates]
    return {key: value for key, value in found.items() if value}


def phase_text(phase: Phase, lever: str, scenario: Scenario) -> object:
    """A phase as one writes it: what is as it usually is goes without saying."""
    usual = {
        "from": 0, "until": scenario.horizon, "areas": [*scenario.areas],
        "paid_by": scenario.levers[lever].payer if lever in LEVERS else "",
    }  # fmt: skip
    written = plain(phase.model_dump())
    written = {key: value for key, value in written.items() if usual.get(key, ...) != value}
    return phase.intensity if written.keys() == {"intensity"} else written


def plain(record: Mapping[str, object]) -> dict[str, object]:
    """A record in the words of a file: lists for tuples, and nothing that is left open."""
    return {key.rstrip("_"): listed(value) for key, value in record.items() if value is not None}


def listed(value: object) -> object:
    """A value with lists for tuples."""
    return [listed(part) for part in value] if isinstance(value, list | tuple) else value


# Simulating ---------------------------------------------------------------------------------------


class WhatIf:
    """A strategy of one's own and its baseline in a scenario, ready to be simulated.

    Parameters
    ----------
    settings
        What was chosen.
    scenario
        The scenario that ``settings`` name.
    written
        What a file begins with that goes on from it; default: that it extends it.
    earlier
        What was looked at before: where only the strategy is another, runs of the baseline are
        taken from there.

    Raises
    ------
    InputError
        If the scenario does not allow what was chosen.
    """

    def __init__(
        self,
        settings: Settings,
        scenario: Scenario,
        *,
        written: Mapping[str, object] | None = None,
        earlier: WhatIf | None = None,
    ) -> None:
        self.settings, self.source = settings, scenario
        self.written = written or {"extends": settings.scenario}
        strategies, problems = scenario.strategies, Problems()
        for name in dict.fromkeys((settings.start, settings.baseline)):
            if name not in strategies:
                message = _("'{name}' is not a strategy of {scenario}{hint}")
                hint = suggestion(name, strategies)
                title = scenario.title(language())
                problems.add(message.format(name=name, scenario=title, hint=hint))
        problems.raise_if_any()
        self.scenario = scenario.with_(self.changes())
        self.steps = steps_of(self.scenario)
        same = earlier is not None and earlier.shared == self.shared
        self._baseline: dict[int, Block] = earlier._baseline if same else {}
        self._own: dict[int, Block] = {}

    @property
    def shared(self) -> tuple[object, ...]:
        """What runs of the baseline depend on."""
        chosen = self.settings
        return id(self.source), chosen.baseline, chosen.seed, tuple(chosen.assumptions.items())

    @property
    def strategies(self) -> tuple[str, str]:
        """The baseline and one's own strategy."""
        return self.settings.baseline, WHAT_IF

    def changes(self) -> dict[str, object]:
        """What is other than in the scenario, by dotted names."""
        chosen = self.settings
        text = strategy_text(self.source.strategies[chosen.start], chosen.levers, self.source)
        text["title"] = titles()
        found = {f"parameters.{name}": value for name, value in chosen.assumptions.items()}
        return found | {f"strategies.{WHAT_IF}": text}

    def answers(self, stop: np.ndarray) -> Iterator[Answer]:
        """An answer after 100 runs, after 300, and after 1000; ``stop[0] != 0`` ends them."""
        done = 0
        for runs in self.steps:
            self._simulate(range(done, runs, PART), runs, stop)
            if stop[0]:
                return
            yield Answer(self, runs)
            done = runs

    def _simulate(self, starts: range, end: int, stop: np.ndarray) -> None:
        """Simulate runs of both strategies, side by side, unless they are there."""
        work = []
        for name, kept in zip(self.strategies, (self._baseline, self._own), strict=True):
            task = build_task(
                self.scenario, self.scenario.strategies[name], seed=self.settings.seed
            )
            for first in starts:
                if first not in kept:
                    runs = np.arange(first, min(first + PART, end))
                    # What joins regions is looked up in a trace, of the first runs only.
                    trace = first == 0 and name == WHAT_IF
                    part = POOL.submit(run_block, task, runs, trace=trace, stop=stop)
                    work.append((kept, first, part))
        for kept, first, part in work:
            block = part.result()
            if not stop[0]:
                kept[first] = block

    def blocks(self, runs: int) -> list[list[Block]]:
        """Blocks of the baseline and of one's own strategy, as far as there are these runs."""
        return [
            [kept[first] for first in sorted(kept) if first < runs]
            for kept in (self._baseline, self._own)
        ]

    def scenario_text(self) -> str:
        """The scenario as a file that one can keep, change, and give to ``kolabsim``."""
        changes = self.changes()
        text = dict(self.written)
        if self.settings.assumptions:
            text["parameters"] = dict(self.settings.assumptions)
        text["strategies"] = {WHAT_IF: changes[f"strategies.{WHAT_IF}"]}
        return write_yaml(text)


def titles() -> dict[str, str]:
    """What one's own strategy is called, in all languages."""
    from kolabsim.i18n import speaking

    found = {}
    for code in LANGUAGES:
        with speaking(code):
            found[code] = _("Your strategy")
    return found


def steps_of(scenario: Scenario) -> tuple[int, ...]:
    """Numbers of runs after which there is an answer."""
    shrunk = min(1.0, SLOTS / (len(scenario.regions) * len(scenario.areas)))
    return tuple(max(FEWEST, round(runs * shrunk)) for runs in STEPS)


def scenarios() -> tuple[str, ...]:
    """Names of the scenarios that one can choose."""
    return shipped_names("scenarios")


# Answers ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What so many runs say."""

    of: WhatIf = field(repr=False)
    runs: int

    @property
    def is_last(self) -> bool:
        """Whether no better answer follows."""
        return self.runs == self.of.steps[-1]

    @cached_property
    def results(self) -> Results:
        """The runs of both strategies as tidy tables."""
        history, regions = (
            np.stack([np.concatenate([getattr(b, kind) for b in blocks])[: self.runs]
                      for blocks in self.of.blocks(self.runs)])[:, None]
            for kind in ("history", "figures")
        )  # fmt: skip
        futures: dict[str, dict[str, object]] = {DEFAULT_FUTURE: {}}
        return Results.from_arrays(
            self.of.scenario, self.of.strategies, futures, self.of.settings.seed, history, regions
        )

    @cached_property
    def comparison(self) -> Comparison:
        """One's own strategy against the baseline, run by run, with 95 % intervals."""
        from kolabsim.analysis.comparison import compare

        return compare(self.results, baseline=self.of.settings.baseline)

    def let_go(self) -> None:
        """Let go of the large tables; they are made again from the runs when they are asked for."""
        self.comparison  # noqa: B018 (needs the tables, and is kept)
        self.__dict__.pop("results", None)

    @cached_property
    def links(self) -> np.ndarray:
        """Share of services that two regions share at the end under one's strategy [R, R]."""
        trace = self.of.blocks(1)[1][0].trace
        return shared_services(trace[:, -1, :, :, TRACE.index("body")])

    def data(self) -> bytes:
        """A ZIP file: differences, runs, quarters, what their columns mean, and the scenario."""
        from kolabsim.files import table_csv
        from kolabsim.study.export import column_table

        tables = {
            "differences": self.comparison.differences,
            "regions": self.comparison.winners,
            "runs": self.results.runs,
            "quarters": self.results.quarters,
            "columns": column_table(MEASURES, self.of.scenario.currency),
        }
        room = io.BytesIO()
        with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, table in tables.items():
                archive.writestr(f"{name}.csv", table_csv(table))
            archive.writestr("scenario.yaml", self.of.scenario_text())
        return room.getvalue()

    def report(self, path: Path, *, command: str) -> Path:
        """Write the report that ``kolabsim run`` writes, in the language spoken now.

        Raises :class:`~kolabsim.errors.StorageError` if the disk refuses.
        """
        from kolabsim import __version__
        from kolabsim.report.comparison import write_report

        chosen = self.of.settings
        facts = {
            "command": command, "scenario": self.of.source.name, "seed": chosen.seed,
            "runs": self.runs, "kolabsim": __version__,
        }  # fmt: skip
        with DRAWING:
            return write_report(
                self.results, self.comparison, language=language(), provenance=facts,
                question=_("What does your strategy change?"), path=path, measures=MAIN,
            )  # fmt: skip


def shared_services(body: np.ndarray) -> np.ndarray:
    """Share of cases in which two regions are in one body, from bodies [..., R, areas]."""
    body = np.moveaxis(body.reshape(-1, *body.shape[-2:]), -1, 1).reshape(-1, body.shape[-2])
    found = np.zeros((body.shape[1],) * 2)
    for row in body:
        found += (row[:, None] == row[None, :]) & (row >= 0)[:, None]
    np.fill_diagonal(found, 0.0)
    return found / len(body)


def refused(error: InputError) -> list[Problem]:
    """The problems of an input without the folders in which it was put."""
    return [
        replace(p, file=p.file.replace("\\", "/").rpartition("/")[2] if p.file else None)
        for p in error.problems
    ]
