"""Inquiries: experiments that vary factors.

An inquiry is written in a file as an experiment is; its kind says what is asked:

- *sensitivity*: which factors decide an outcome;
- *uncertainty*: which strategy does well in many futures, in which it fails, what to measure first;
- *search*: which package of levers does best under a budget.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import N_, _
from kolabsim.model.measures import MEASURES
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.schema import Section, Title, validate
from kolabsim.scenario.source import Node, read_yaml
from kolabsim.scenario.strategy import in_language
from kolabsim.study.comparison_spec import (
    BASELINE,
    MOST_NAMES,
    Experiment,
    Names,
    check_strategies,
    find_experiment,
    is_missing,
    load_scenario,
)
from kolabsim.study.design import METHODS, Design, make_design
from kolabsim.study.factors import Factor, choose_factors

OUTCOME = re.compile(r"^(spread\()?([a-z_]+)(?:@([0-9]{1,9}))?(?(1)\))$")
"""An outcome: a measure, a measure at a quarter (trust@8), or its spread over runs."""


def _keys(value: Any) -> Any:
    """A list of names as keys without values; what holds no names stays as it is."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return dict.fromkeys(value)
    return value


Wanted = Annotated[dict[str, Any], BeforeValidator(_keys), Field(max_length=MOST_NAMES)]
"""Factors and groups, each with a range, words, or nothing for the usual ones."""


@dataclass(frozen=True)
class Outcome:
    """What is asked of a run, or of the runs of a point."""

    name: str
    """As it is written: net_efficiency, trust@8, spread(net_efficiency)."""
    measure: str
    quarter: int | None = None
    """The quarter it is read at; None for the figure of the run."""
    is_spread: bool = False
    """Whether it is the standard deviation over runs."""

    @property
    def column(self) -> str:
        """The column of a study's runs that it is read from."""
        return self.measure if self.quarter is None else f"{self.measure}@{self.quarter}"

    @property
    def better(self) -> int:
        """1 if more is better, -1 if less is; less spread is better."""
        return -1 if self.is_spread else MEASURES[self.measure].better


class InquiryText(Section):
    """What the files of all inquiries say."""

    question: Title = Field(default={})
    """What is asked, in a sentence."""
    scenario: str | None = None
    """Name of a shipped scenario, or a file relative to this one."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    """Seed of all draws, of factors and of runs."""
    set: dict[str, Any] = Field(default={})
    """Changes to the scenario, by dotted names."""
    quick: dict[str, Any] = Field(default={})
    """What --quick changes in this file: fewer samples, fewer runs."""


class SensitivityText(InquiryText):
    """Which factors decide an outcome."""

    kind: Literal["sensitivity"]
    strategy: str = BASELINE
    """The strategy that is simulated."""
    against: str | None = None
    """Instead of outcomes, look at what the strategy changes compared with this one."""
    factors: Wanted = Field(default={})
    """Factors and groups of factors; a range, words, or nothing for the usual ones."""
    method: Literal[tuple(METHODS)] = "sobol"
    """How the space of factors is looked at."""
    samples: int = Field(default=128, ge=2, le=1_000_000)
    """Trajectories (morris), base points (sobol, ice, factorial), points of a curve, or points."""
    second_order: bool = False
    """Whether pairs of factors get an index too (sobol)."""
    grouped: bool = False
    """Whether groups of factors get an index instead of factors (sobol, morris, ...)."""
    until: Literal["settled"] | None = None
    """``settled``: the samples are doubled until the leading factors are known well enough."""
    most: int = Field(default=4096, ge=2, le=1_000_000)
    """Most samples of ``until``."""
    surrogate: int | None = Field(default=None, ge=20, le=100_000)
    """Simulate only so many points, drawn evenly, and look at a surrogate that is fitted to them:
    for runs that are dear. Its cross-validated error is told."""
    runs: int = Field(default=5, ge=1, le=10_000)
    """Runs at each point: how much is chance."""
    outcomes: Names = ("net_efficiency",)
    """Measures, measures at a quarter (trust@8), or spreads over runs: spread(net_efficiency)."""


class UncertaintyText(InquiryText):
    """Which strategy does well in many futures, in which it fails, and what to measure first."""

    kind: Literal["uncertainty"]
    strategies: Names | None = None
    """Strategies to compare; default: all of the scenario."""
    baseline: str = BASELINE
    """The strategy that a strategy fails against, unless there is a threshold."""
    plausible: int = Field(default=0, ge=0, le=100)
    """So many plausible futures: parameters and structures that agree with what is known."""
    factors: Wanted = Field(default={})
    """Or futures that are drawn evenly from the ranges of these factors and groups."""
    samples: int = Field(default=100, ge=2, le=1_000_000)
    """How many futures are drawn."""
    outcome: str = "net_efficiency"
    """What the strategies are compared by."""
    threshold: float | None = None
    """What the outcome must reach for a strategy not to fail; default: the baseline's."""
    runs: int = Field(default=16, ge=2, le=10_000)
    """Runs of each strategy in each future."""


class SearchText(InquiryText):
    """Which package of levers does best under a budget."""

    kind: Literal["search"]
    levers: Wanted = Field(default={"mechanisms": None, "support": None})
    """Levers and groups of levers that a package is made of."""
    objectives: Names = ("net_efficiency", "quality_change", "worst_tenth")
    """Measures that are to be high, or low where less is better."""
    budget: float | None = Field(default=None, gt=0)
    """Most that a package may cost a year, in the scenario's currency."""
    population: int = Field(default=40, ge=8, le=10_000)
    """Packages in a generation."""
    generations: int = Field(default=25, ge=1, le=10_000)
    """Generations of packages."""
    runs: tuple[Annotated[int, Field(ge=2, le=10_000)], Annotated[int, Field(ge=2, le=10_000)]] = (
        8,
        64,
    )
    """Fewest and most runs of a package."""
    plausible: int = Field(default=20, ge=0, le=100)
    """Plausible futures in which the best packages are judged again."""


TEXTS: dict[str, type[InquiryText]] = {
    "sensitivity": SensitivityText,
    "uncertainty": UncertaintyText,
    "search": SearchText,
}


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """An inquiry with nothing left open."""

    name: str
    text: SensitivityText | UncertaintyText | SearchText
    """What the file says."""
    scenario: Scenario = field(repr=False)
    strategies: tuple[str, ...]
    factors: tuple[Factor, ...]
    outcomes: tuple[Outcome, ...]
    seed: int
    file: Path

    @property
    def kind(self) -> str:
        """sensitivity, uncertainty or search."""
        return self.text.kind

    def question(self, language: str) -> str:
        """What is asked, in a language."""
        return in_language(self.text.question, language)

    def design(self) -> Design:
        """The points at which a sensitivity inquiry looks.

        Raises :class:`~kolabsim.errors.InputError` if its method cannot do what is asked.
        """
        usual = [factor.place(factor.usual) for factor in self.factors]
        return make_design(
            self.text.method,
            [factor.name for factor in self.factors],
            groups=groups_of(self.factors) if self.text.grouped else None,
            samples=self.text.samples,
            seed=self.seed,
            second_order=self.text.second_order,
            usual=usual if self.text.method == "one_at_a_time" else None,
        )

    @property
    def moments(self) -> tuple[tuple[str, int], ...]:
        """Measures that are read at a quarter."""
        found = [(o.measure, o.quarter) for o in self.outcomes if o.quarter is not None]
        return tuple(dict.fromkeys(found))

    @classmethod
    def load(
        cls,
        source: str | Path,
        *,
        settings: Mapping[str, object] | None = None,
        changes: Mapping[str, object] | None = None,
        quick: bool = False,
    ) -> Inquiry:
        """The inquiry of this name among the experiments that ship, or in this file or folder.

        ``settings`` are further changes to the scenario by dotted names; ``changes`` take the
        place of what the file says (samples, runs, seed), as do those of its ``quick`` where that
        is asked for. All problems are told at once.
        """
        problems = Problems()
        path = find_experiment(source)
        tree = read_yaml(path, problems)
        problems.raise_if_any()
        kind = tree.get("kind")
        if is_missing(kind) or kind.value not in TEXTS:
            tree.add_problem(("kind",), _("missing"), problems)
            problems.raise_if_any()
        for key in ("scenario", *(("factors",) if kind.value == "sensitivity" else ())):
            if is_missing(tree.get(key)):
                tree.add_problem((key,), _("missing"), problems)
        tree, text = validate(tree, problems, TEXTS[kind.value])
        text = _changed(tree, text, quick, changes or {}, problems)
        scenario = load_scenario(tree, text, path, settings or {}, problems)
        if scenario is None:
            problems.raise_if_any()
        strategies = _strategies(tree, text, scenario, problems)
        outcomes = _outcomes(tree, text, scenario, problems)
        factors = _factors(tree, text, scenario, problems)
        problems.raise_if_any()
        found = cls(
            name=path.parent.name if path.name == "experiment.yaml" else path.stem,
            text=text,
            scenario=scenario,
            strategies=strategies,
            factors=factors,
            outcomes=outcomes,
            seed=text.seed,
            file=path,
        )
        if isinstance(text, SensitivityText):
            try:
                found.design()
            except InputError as error:
                for problem in error.problems:
                    tree.add_problem((), problem.message, problems)
        problems.raise_if_any()
        return found


KINDS = (N_("comparison"), N_("sensitivity"), N_("uncertainty"), N_("search"))
"""Kinds of experiments."""


def kind_of(source: str | Path) -> str:
    """The kind of an experiment's file.

    Raises :class:`~kolabsim.errors.InputError` for a kind that there is not; a file that says
    none is a comparison, and is refused as such.
    """
    problems = Problems()
    tree = read_yaml(find_experiment(source), problems)
    problems.raise_if_any()
    node = tree.get("kind")
    if is_missing(node):
        return KINDS[0]
    if node.value not in KINDS:
        message = _("'{word}' is not a kind of experiment{hint}")
        word = str(node.value)
        tree.add_problem(
            ("kind",), message.format(word=word, hint=suggestion(word, KINDS)), problems
        )
        problems.raise_if_any()
    return node.value


OF_COMPARISONS = ("runs", "seed", "plausible", "structures")
"""What the command may change in a comparison."""


def load(
    source: str | Path,
    *,
    settings: Mapping[str, object] | None = None,
    changes: Mapping[str, object] | None = None,
    quick: bool = False,
) -> Experiment | Inquiry:
    """An experiment of any kind."""
    if kind_of(source) != "comparison":
        return Inquiry.load(source, settings=settings, changes=changes, quick=quick)
    given = {name: value for name, value in (changes or {}).items() if value is not None}
    foreign = [name for name in given if name not in OF_COMPARISONS]
    if foreign:
        text = _("--{option} means nothing for an experiment of this kind")
        raise InputError([Problem(text.format(option=name)) for name in foreign])
    return Experiment.load(source, settings=settings, quick=quick, **given)


def _changed(
    tree: Node,
    text: InquiryText,
    quick: bool,
    changes: Mapping[str, object],
    problems: Problems,
) -> InquiryText:
    """What a file says, with changes from its ``quick`` and from the command."""
    for name in text.quick:
        if name not in type(text).model_fields or name in ("quick", "kind", "scenario"):
            hint = suggestion(name, type(text).model_fields)
            message = _("'{name}' is not something to change{hint}")
            tree.add_problem(
                ("quick", name), message.format(name=name, hint=hint), problems, at_key=True
            )
    given = {name: value for name, value in changes.items() if value is not None}
    for name in given:
        if name not in type(text).model_fields:
            message = _("--{option} means nothing for an experiment of this kind")
            problems.add(message.format(option=name))
    if problems.found:
        return text
    wanted = {name: getattr(text, name) for name in text.model_fields_set}
    lists = {name: tuple(v) if isinstance(v, list) else v for name, v in text.quick.items()}
    wanted |= (lists if quick else {}) | given
    try:
        return type(text).model_validate(wanted)
    except ValidationError as error:
        for one in error.errors():
            where = ".".join(str(part) for part in one["loc"])
            problems.add(f"{where}: {one['msg']}")
        return text


def _strategies(
    tree: Node, text: InquiryText, scenario: Scenario, problems: Problems
) -> tuple[str, ...]:
    if isinstance(text, SensitivityText):
        named = {("strategy",): text.strategy}
        if text.against is not None:
            named[("against",)] = text.against
    elif isinstance(text, UncertaintyText):
        chosen = text.strategies or tuple(scenario.strategies)
        named = {("strategies", k): name for k, name in enumerate(chosen)}
        named |= {} if text.baseline in chosen else {("baseline",): text.baseline}
    else:
        named = {("baseline",): BASELINE}
    check_strategies(tree, named, scenario, problems)
    found = tuple(dict.fromkeys(named.values()))
    if isinstance(text, UncertaintyText):
        return (text.baseline, *(name for name in found if name != text.baseline))
    return found


def parse_outcome(word: str, horizon: int, measures: Sequence[str] = tuple(MEASURES)) -> Outcome:
    """An outcome from how it is written.

    Raises :class:`~kolabsim.errors.InputError` for what is no measure, or no quarter of the run.
    """
    match = OUTCOME.match(word.replace(" ", ""))
    if match is None or match[2] not in measures:
        name = match[2] if match else word
        text = _("'{name}' is not a measure{hint}")
        hint = suggestion(name, measures)
        raise InputError([Problem(text.format(name=name, hint=hint))])
    quarter = None if match[3] is None else int(match[3])
    if quarter is not None and quarter >= horizon:
        text = _("'{name}': the last quarter is {last}")
        raise InputError([Problem(text.format(name=word, last=horizon - 1))])
    return Outcome(word, match[2], quarter, match[1] is not None)


def _outcomes(
    tree: Node, text: InquiryText, scenario: Scenario, problems: Problems
) -> tuple[Outcome, ...]:
    named: dict[tuple[str | int, ...], str] = {}
    if isinstance(text, SensitivityText):
        named = {("outcomes", k): word for k, word in enumerate(text.outcomes)}
    elif isinstance(text, UncertaintyText):
        named = {("outcome",): text.outcome}
    else:
        named = {("objectives", k): word for k, word in enumerate(text.objectives)}
    found = []
    for path, word in named.items():
        try:
            outcome = parse_outcome(word, scenario.horizon, scenario.measures)
        except InputError as error:
            tree.add_problem(path, error.problems[0].message, problems)
            continue
        decides = not isinstance(text, SensitivityText)
        if decides and (outcome.is_spread or not outcome.better):
            tree.add_problem(path, _("more of it is neither better nor worse"), problems)
        if outcome.is_spread and text.runs < 2:
            tree.add_problem(path, _("a spread needs at least two runs"), problems)
        found.append(outcome)
    return tuple(found)


def _factors(
    tree: Node, text: InquiryText, scenario: Scenario, problems: Problems
) -> tuple[Factor, ...]:
    key = "levers" if isinstance(text, SearchText) else "factors"
    wanted: Mapping[str, object] = getattr(text, key)
    if isinstance(text, UncertaintyText):
        if bool(wanted) == bool(text.plausible):
            tree.add_problem((), _("give either 'plausible' or 'factors', and not both"), problems)
        if not wanted:
            return ()
    try:
        found = choose_factors(scenario, wanted)
    except InputError as error:
        for problem in error.problems:
            tree.add_problem((key,), problem.message, problems)
        return ()
    levers = ("mechanisms", "support", "targets", "budgets")
    if isinstance(text, SearchText) and any(factor.group not in levers for factor in found):
        tree.add_problem((key,), _("a package is made of mechanisms and support only"), problems)
    return found


def groups_of(factors: Sequence[Factor]) -> tuple[str, ...]:
    """The group of each factor."""
    return tuple(factor.group for factor in factors)


def schema_of(kind: str) -> dict[str, Any]:
    """JSON Schema of the files of a kind, with which editors complete and check what one writes."""
    described = TEXTS[kind].model_json_schema()
    described["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    described["title"] = f"kolabsim {kind}"
    described["required"] = ["kind", "scenario"]
    return described
