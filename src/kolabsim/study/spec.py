"""The keys of experiment files, one class for each kind of question.

A class declares the keys of its kind and names what refers to a scenario; the checks against the
scenario are the same for all kinds (:mod:`kolabsim.study.experiment`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from kolabsim.errors import InputError
from kolabsim.i18n import N_, _
from kolabsim.model.measures import MEASURES, REPORT, measure_hint, shown_in
from kolabsim.scenario.futures import STRUCTURES, plausible_sets
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.schema import Keywords, Section, Title
from kolabsim.study.design import METHODS

BASELINE = "voluntary"
"""The strategy without any intervention; others are compared with it unless the file says else."""
MOST_RUNS = 1_000_000
"""Most runs of each strategy in each future."""
RUNS, ALL_RUNS = 200, 500
"""Runs of each strategy in a comparison: in each future, or in all plausible futures together."""
QUICK_RUNS, QUICK_FUTURES = 20, {"plausible": 20, "runs": 4}
"""What --quick changes of a comparison without and with plausible futures."""
LEVELS_OF_ONE, LEVELS_OF_MORE, SAMPLES = 11, 6, 100
"""Levels of a factor that varies alone or with others in a sweep, and points that are drawn."""
PATTERNS, PATTERN_SAMPLES, PATTERN_RUNS, CELLS = "patterns", 400, 50, 10
"""The method that searches for patterns, with its points, runs at each, and cells."""
NO_COMPARISON = "none"
"""Instead of a strategy to compare with: a sweep shows outcomes as they are."""
MOST_NAMES = 1000
"""Most strategies, futures, measures or factors that a file names."""
LEVER_GROUPS = ("mechanisms", "support", "targets", "budgets")
"""Groups of factors that are levers."""
RENAMED_KINDS = {"uncertainty": "robustness"}
"""Old names of kinds that this version still reads."""
OUTCOME = re.compile(r"^(spread\()?([a-z_]+)(?:@([0-9]{1,9}))?(?(1)\))$")

if TYPE_CHECKING:
    Structure: TypeAlias = str
    Method: TypeAlias = str
else:
    Structure, Method = Literal[tuple(STRUCTURES)], Literal[tuple(METHODS)]


def default_runs(futures: int) -> int:
    """Return how many runs a strategy has in each of so many plausible futures, if nothing says.

    >>> default_runs(100), default_runs(1)
    (5, 200)
    """
    return max(2, ALL_RUNS // futures) if futures > 1 else RUNS


SETS = "sets"
"""Key of the context of a validation: how many parameter sets the scenario has."""


def _number_of_futures(value: Any, info: ValidationInfo) -> int:
    """Read a number of plausible futures; ``all`` stands for as many as the scenario has."""
    most = (info.context or {}).get(SETS) or len(plausible_sets())
    if value == "all":
        return most
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise PydanticCustomError("plausible", "{le}", {"le": most})  # noqa: EM101
    return value


PlausibleFutures = Annotated[
    int,
    PlainValidator(_number_of_futures),
    WithJsonSchema({"anyOf": [{"const": "all"}, {"type": "integer", "minimum": 0}]}),
]
"""How many of the plausible futures of the scenario, the first ones, or ``all``."""
Names = Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_NAMES)]
RunsAPoint = Annotated[int, Field(ge=2, le=10_000)]
Path = tuple[str | int, ...]
"""A place in a file: keys, and positions in lists."""


def _no_number_of_points(value: Any) -> Any:
    """Refuse a number where a table of points is named: other keys say how many there are."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticCustomError("points", "points")  # noqa: EM101
    return value


def _names_as_keys(value: Any) -> Any:
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return dict.fromkeys(value)
    return value


def _lists_as_tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Groups = dict[str, Annotated[Names, BeforeValidator(_lists_as_tuples)]]
"""Names of groups, each with its members."""
Factors = Annotated[dict[str, Any], BeforeValidator(_names_as_keys), Field(max_length=MOST_NAMES)]
"""Factors and groups, each with a range, words, or nothing for the usual ones."""


@dataclass(frozen=True)
class Outcome:
    """A number that a run gives, or the spread of that number over runs."""

    name: str
    """As the file writes it: net_efficiency, trust@8, spread(net_efficiency)."""
    measure: str
    quarter: int | None = None
    """The quarter at which the measure is read; None for the figure of the whole run."""
    is_spread: bool = False
    """Whether it is the standard deviation over runs."""

    @property
    def column(self) -> str:
        """The column of the table of runs from which it is computed."""
        return self.measure if self.quarter is None else f"{self.measure}@{self.quarter}"

    @property
    def better(self) -> int:
        """1 if more is better, -1 if less is, 0 if neither; less spread is better."""
        return -1 if self.is_spread else MEASURES[self.measure].better


def parse_outcome(word: str, horizon: int, measures: Sequence[str] = tuple(MEASURES)) -> Outcome:
    """Read an outcome as a file writes it.

    Raises :class:`~kolabsim.errors.InputError` if it is none of the scenario's measures, or beyond
    the quarters of the horizon.

    >>> parse_outcome("trust@8", horizon=40).quarter
    8
    """
    match = OUTCOME.match(word.replace(" ", ""))
    if match is None or match[2] not in measures:
        name = match[2] if match else word
        text = _("'{name}' is not a measure{hint}")
        hint = measure_hint(name, measures)
        raise InputError.of(text, name=name, hint=hint)
    quarter = None if match[3] is None else int(match[3])
    if quarter is not None and quarter >= horizon:
        text = _("'{name}': the last quarter is {last}")
        raise InputError.of(text, name=word, last=horizon - 1)
    return Outcome(word, match[2], quarter, match[1] is not None)


class Spec(Section):
    """The keys that the files of all kinds have."""

    required: ClassVar[tuple[str, ...]] = ("kind", "scenario")
    """Keys that a file must have."""
    factor_key: ClassVar[str] = "factors"
    """The key that names factors, if the kind varies any."""
    outcome_keys: ClassVar[tuple[str, ...]] = ()
    """The key that names outcomes, if the kind has any."""
    is_ranked: ClassVar[bool] = True
    """Whether outcomes are compared, so that more of one must be better or worse."""

    kind: str
    question: Title = Field(default={})
    """The question in a sentence."""
    scenario: str = ""
    """Name of a shipped scenario, or a file relative to this one."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    """Seed of all random draws, of factors and of runs."""
    set: dict[str, Any] = Field(default={})
    """Changes to the scenario, by dotted names."""
    quick: dict[str, Any] = Field(default={})
    """Keys of this file that --quick replaces: fewer samples, fewer runs."""

    def quick_changes(self) -> dict[str, Any]:
        """The keys that --quick replaces, with their values."""
        return self.quick

    def strategy_names(self, scenario: Scenario) -> dict[Path, str]:
        """The strategies that are simulated, in order, by their places in the file."""
        return {("baseline",): BASELINE}

    def named(self, *keys: str) -> dict[Path, str]:
        """The names that keys of the file give, each one or a list, by their places."""
        found: dict[Path, str] = {}
        for key in keys:
            given = getattr(self, key)
            if isinstance(given, str):
                found[key,] = given
            else:
                found |= {(key, k): name for k, name in enumerate(given or ())}
        return found


class StrategiesSpec(Spec):
    """The keys of kinds that compare strategies with a baseline."""

    strategies: Names | None = None
    """Strategies to compare; default: all that the scenario offers."""
    baseline: str = BASELINE
    """The strategy with which the others are compared."""

    def strategy_names(self, scenario: Scenario) -> dict[Path, str]:
        """The strategies, in the order of the file; the baseline first if it is not among them."""
        found = self.named("strategies")
        found = found or {("strategies", k): name for k, name in enumerate(scenario.offered)}
        return found if self.baseline in found.values() else self.named("baseline") | found


class FactorsSpec(Spec):
    """The keys of kinds that vary factors of one strategy."""

    required: ClassVar[tuple[str, ...]] = ("kind", "scenario", "factors")
    outcome_keys = ("outcomes",)
    is_ranked = False

    strategy: str = BASELINE
    """The strategy that is simulated."""
    against: str | None = None
    """A second strategy: outcomes are then the difference between the two."""
    factors: Factors = Field(default={})
    """Factors and groups of factors; a range, words, or nothing for the usual ones."""
    outcomes: Names = ("net_efficiency",)
    """Measures, measures at a quarter (trust@8), or spreads over runs: spread(net_efficiency)."""

    def strategy_names(self, scenario: Scenario) -> dict[Path, str]:
        """The strategy, and the one it is compared with if there is one."""
        return self.named("strategy", "against")


class ComparisonSpec(StrategiesSpec):
    """Comparison of strategies on common random numbers."""

    kind: Literal["comparison"]
    plausible: PlausibleFutures = Field(default="all", validate_default=True)
    """Number of plausible futures over which results are taken, or ``all``: parameter sets that
    agree with observations. 0: assumptions are not varied; this is the default with ``futures``."""
    futures: dict[str, dict[str, Any]] = Field(default={}, max_length=MOST_NAMES)
    """Further futures with names of your own: for each, settings by dotted names."""
    structures: Annotated[tuple[Structure, ...], Keywords(("all",))] = ()
    """Structures of the model whose alternatives become futures too."""
    runs: int | None = Field(default=None, ge=2, le=MOST_RUNS)
    """Runs of each strategy in each future; default: so many that a strategy has about 500 in all
    plausible futures, such as 5 in each of 100, and 200 where assumptions are not varied."""
    practical_threshold: float = Field(default=0.001, ge=0, lt=1)
    """Smallest net benefit that matters, as a share of stand-alone cost."""
    robust: float = Field(default=0.95, gt=0.5, lt=1)
    """Share of plausible futures in which a statement must hold to be called robust."""
    likely: float = Field(default=0.8, gt=0.5, lt=1)
    """Share of plausible futures in which a statement must hold to be called likely."""
    detail: int = Field(default=1000, ge=2, le=MOST_RUNS)
    """Runs of each strategy in each future whose quarters and regions are stored."""
    measures: Names = shown_in(REPORT)
    """Measures that the report shows."""
    equal_cost: float | None = Field(default=None, gt=0)
    """Programme cost a year beyond the baseline's at which strategies are compared, in the
    scenario's currency: their intensities are scaled until each costs so much on average over
    futures. Mandates have no intensity and take part as they are."""
    frontier: bool = False
    """Whether to show net benefit over programme cost along the intensity of each strategy."""
    quick: dict[str, Any] = Field(default={})
    """Keys of this file that --quick replaces; default: 4 runs in each of 20 plausible futures, or
    20 runs where assumptions are not varied."""

    @property
    def number_of_futures(self) -> int:
        """The number of plausible futures."""
        is_list = self.futures and "plausible" not in self.model_fields_set
        return 0 if is_list else self.plausible

    def quick_changes(self) -> dict[str, Any]:
        """What --quick replaces: fewer plausible futures with fewer runs, or fewer runs."""
        if self.quick:
            return self.quick
        return QUICK_FUTURES if self.number_of_futures > 1 else {"runs": QUICK_RUNS}

    def sized(self) -> ComparisonSpec:
        """It, with the numbers of plausible futures and of runs that it leaves open."""
        futures = self.number_of_futures
        runs = self.runs or default_runs(futures)
        return self.model_copy(update={"plausible": futures, "runs": runs})


class SensitivitySpec(FactorsSpec):
    """The factors that decide an outcome."""

    kind: Literal["sensitivity"]
    method: Method = "sobol"
    """The method of sensitivity analysis."""
    samples: int = Field(default=128, ge=2, le=1_000_000)
    """Trajectories (morris), base points (sobol, ice, factorial), points of a curve, or points."""
    second_order: bool = False
    """Whether pairs of factors get an index too (sobol)."""
    grouped: bool = False
    """Whether groups of factors get an index instead of factors (sobol, morris, ...)."""
    groups: Groups = Field(default={}, max_length=MOST_NAMES)
    """Groups of your own, each a name with its factors; a factor outside is alone, or in its usual
    group with ``grouped``."""
    until: Literal["settled"] | None = None
    """``settled``: double the samples until the ranking of the leading factors is stable."""
    most: int = Field(default=4096, ge=2, le=1_000_000)
    """Maximum number of samples with ``until``."""
    surrogate: int | None = Field(default=None, ge=20, le=100_000)
    """Simulate only this many points and analyse a surrogate fitted to them, for costly runs. The
    report gives its cross-validated error."""
    runs: int = Field(default=5, ge=1, le=10_000)
    """Runs at each point; they show how much is chance."""


class RobustnessSpec(StrategiesSpec):
    """Strategies in many futures: which is robust, where each fails, what to measure first."""

    outcome_keys = ("outcome",)

    kind: Annotated[
        Literal["robustness"], BeforeValidator(lambda word: RENAMED_KINDS.get(word, word))
    ]
    baseline: str = BASELINE
    """A strategy fails where it does worse than this one, unless there is a threshold."""
    plausible: PlausibleFutures = 0
    """Number of plausible futures, or ``all``: parameters and structures that agree with
    observations."""
    factors: Factors = Field(default={})
    """Instead: factors and groups from whose ranges futures are drawn."""
    samples: int = Field(default=100, ge=2, le=1_000_000)
    """Number of futures that are drawn."""
    outcome: str = "net_efficiency"
    """The outcome by which strategies are compared."""
    threshold: float | None = None
    """A strategy fails where the outcome does not reach this value; default: the baseline's."""
    runs: int = Field(default=16, ge=2, le=10_000)
    """Runs of each strategy in each future."""

    def strategy_names(self, scenario: Scenario) -> dict[Path, str]:
        """The strategies, the baseline first."""
        found = super().strategy_names(scenario)
        return dict(sorted(found.items(), key=lambda item: item[1] != self.baseline))


class SearchSpec(Spec):
    """The best packages of levers under a budget."""

    factor_key = "levers"
    outcome_keys = ("objectives",)

    kind: Literal["search"]
    levers: Factors = Field(default={"mechanisms": None, "support": None})
    """Levers and groups of levers that a package is made of."""
    objectives: Names = ("net_efficiency", "quality_change", "worst_tenth")
    """Measures to maximise, or to minimise where less is better."""
    budget: float | None = Field(default=None, gt=0)
    """Largest cost of a package in a year, in the scenario's currency."""
    population: int = Field(default=40, ge=8, le=10_000)
    """Packages in a generation."""
    generations: int = Field(default=25, ge=1, le=10_000)
    """Generations of packages."""
    runs: tuple[RunsAPoint, RunsAPoint] = (8, 64)
    """Fewest and most runs of a package."""
    plausible: PlausibleFutures = 20
    """Plausible futures in which the best packages are evaluated again."""


class SweepSpec(FactorsSpec):
    """Outcomes over levers and factors: where they are best, and where differences change sign.

    Factors vary over their levels, at points that are drawn, or at the points of a table.
    """

    required: ClassVar[tuple[str, ...]] = ("kind", "scenario")

    kind: Literal["sweep"]
    factors: Factors = Field(default={})
    """Levers, parameters, traits and structures: each with a range, words, ``{levels: [...]}``, or
    nothing for the usual range. The first two become the axes of the map."""
    points: Annotated[str | None, BeforeValidator(_no_number_of_points)] = Field(
        default=None, min_length=1, max_length=1000
    )
    """Instead of factors: a CSV table of points, relative to this file, with a column for each
    factor and a row for each point."""
    method: Literal["factorial", "latin", "halton", "patterns"] = "factorial"
    """``factorial``: all combinations of levels; ``latin``: a Latin hypercube; ``halton``: a
    scrambled Halton sequence, of which more samples keep the first ones; ``patterns``: a search for
    all combinations of two or more outcomes that the model can reach."""
    levels: int | None = Field(default=None, ge=2, le=1000)
    """Levels of each factor without words or levels of its own; default: 11 of a single factor, 6
    of each of several."""
    samples: int | None = Field(default=None, ge=2, le=100_000)
    """Points that are drawn (latin, halton, patterns); default: 100, and 400 of patterns."""
    cells: int | None = Field(default=None, ge=2, le=100)
    """Of patterns: cells along the range of each outcome at the first points; default: 10."""
    against: str | None = None
    """The strategy with which each point is compared, without the levers among the factors;
    ``none``: outcomes as they are. Default: doing nothing (``voluntary``) if there are levers among
    the factors or ``strategy`` is another one, and else ``none``."""
    outcomes: Names = ("realised_benefit",)
    """Measures, measures at a quarter (trust@8), or spreads over runs: spread(net_efficiency)."""
    plausible: PlausibleFutures = 20
    """Plausible futures in which each point is simulated, or ``all``: so few can just show that
    something is robust, and a factor keeps its own value in all of them. 0, the default of
    patterns: assumptions are not varied."""
    runs: int | None = Field(default=None, ge=2, le=10_000)
    """Runs at each point in each future; default: about 200 at each point, such as 10 in each of
    20 futures, and 50 of patterns."""
    practical_threshold: float = Field(default=0.001, ge=0, lt=1)
    """Smallest net benefit that matters, as a share of stand-alone cost."""
    robust: float = Field(default=0.95, gt=0.5, lt=1)
    """Share of plausible futures in which a statement must hold to be called robust."""
    likely: float = Field(default=0.8, gt=0.5, lt=1)
    """Share of plausible futures in which a statement must hold to be called likely."""
    quick: dict[str, Any] = Field(default={})
    """Keys of this file that --quick replaces; default: 4 runs in each future, or 20 runs where
    assumptions are not varied."""

    def strategy_names(self, scenario: Scenario) -> dict[Path, str]:
        """The strategy; the one it is compared with follows from the factors."""
        return self.named("strategy")

    def quick_changes(self) -> dict[str, Any]:
        """What --quick replaces: fewer runs."""
        return self.quick or {"runs": 4 if self.plausible > 1 else QUICK_RUNS}

    def sized(self, factors: int) -> SweepSpec:
        """It, with the numbers of levels, samples and runs that it leaves open."""
        runs = PATTERN_RUNS if self.method == PATTERNS else RUNS
        sizes: dict[str, int] = {"runs": self.runs or max(2, runs // max(self.plausible, 1))}
        if self.method != "factorial":
            is_search = self.method == PATTERNS
            sizes["samples"] = self.samples or (PATTERN_SAMPLES if is_search else SAMPLES)
            if is_search:
                sizes["cells"] = self.cells or CELLS
        elif self.points is None:
            sizes["levels"] = self.levels or (LEVELS_OF_ONE if factors == 1 else LEVELS_OF_MORE)
        return self.model_copy(update=sizes)


KINDS: dict[str, type[Spec]] = {
    N_("comparison"): ComparisonSpec,
    N_("sensitivity"): SensitivitySpec,
    N_("robustness"): RobustnessSpec,
    N_("search"): SearchSpec,
    N_("sweep"): SweepSpec,
}
"""The kinds of experiments."""


def schema(kind: str) -> dict[str, Any]:
    """JSON Schema of the files of a kind, with which editors complete and check them."""
    shape = KINDS[kind]
    described = shape.model_json_schema()
    described["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    described["title"] = f"kolabsim {kind}"
    described["required"] = list(shape.required)
    if "measures" in described["properties"]:
        names = {"anyOf": [{"enum": list(MEASURES)}, {"type": "string"}]}
        described["properties"]["measures"]["items"] = names
    return described


def experiment_schema() -> dict[str, Any]:
    """JSON Schema of the files of all kinds, which their key ``kind`` tells apart."""
    kinds = {kind: schema(kind) for kind in KINDS}
    parts = {name: part for one in kinds.values() for name, part in one.pop("$defs", {}).items()}
    for one in kinds.values():
        address = one.pop("$schema")
    places = {kind: f"#/$defs/{kind}" for kind in kinds}
    return {
        "$schema": address,
        "title": "kolabsim experiment",
        "type": "object",
        "oneOf": [{"$ref": place} for place in places.values()],
        "discriminator": {"propertyName": "kind", "mapping": places},
        "$defs": parts | kinds,
    }
