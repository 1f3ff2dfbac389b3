"""Experiments: a question, the strategies and futures that answer it, and how many runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.measures import MEASURES, REPORT, shown_in
from kolabsim.scenario.futures import STRUCTURES, plausible_futures, structural_futures
from kolabsim.scenario.scenario import Scenario, shipped, shipped_names
from kolabsim.scenario.schema import Keywords, Section, Title, validate
from kolabsim.scenario.source import Node, is_file, read_yaml
from kolabsim.scenario.strategy import in_language
from kolabsim.study.api import DEFAULT_FUTURE, shape_of

BASELINE = "voluntary"
"""The strategy in which nothing is done, and with which others are compared unless told."""

MOST_RUNS = 1_000_000
"""Most runs of each strategy in each future."""
MOST_NAMES = 1000
"""Most strategies, futures, measures or factors that a file names."""
Names = Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_NAMES)]


class QuickText(Section):
    """A quick look at a comparison."""

    runs: int = Field(default=20, ge=2, le=MOST_RUNS)
    """Runs of each strategy in each future."""


class ExperimentText(Section):
    """An experiment as a file says it."""

    kind: Literal["comparison"] | None = None
    """Comparison of strategies on common draws."""
    question: Title = Field(default={})
    """What is asked, in a sentence."""
    scenario: str | None = None
    """Name of a shipped scenario, or a file relative to this one."""
    strategies: Names | None = None
    """Strategies to compare; default: all of the scenario."""
    baseline: str = BASELINE
    """The strategy with which the others are compared."""
    futures: dict[str, dict[str, Any]] = Field(default={}, max_length=MOST_NAMES)
    """Settings of uncertain parameters by dotted names, for each named future; default: one."""
    plausible: int = Field(default=0, ge=0, le=100)
    """So many plausible futures besides: parameter sets that agree with what is known."""
    structures: Annotated[tuple[Literal[tuple(STRUCTURES)], ...], Keywords(("all",))] = ()
    """Structures of the model of which each alternative is a future too."""
    runs: int = Field(default=200, ge=2, le=MOST_RUNS)
    """Runs of each strategy in each future."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    """Seed of all draws."""
    detail: int = Field(default=1000, ge=2, le=MOST_RUNS)
    """Of how many runs of each strategy and future quarters and regions are kept."""
    measures: Names = shown_in(REPORT)
    """Measures that the report shows."""
    set: dict[str, Any] = Field(default={})
    """Changes to the scenario, by dotted names."""
    quick: QuickText = Field(default=QuickText())
    """What --quick changes in this file: fewer runs."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """An experiment with nothing left open."""

    name: str
    kind: str
    questions: Mapping[str, str]
    scenario: Scenario = field(repr=False)
    strategies: tuple[str, ...]
    baseline: str
    futures: Mapping[str, Mapping[str, object]]
    runs: int
    seed: int
    detail: int
    """Of how many runs of each strategy and future quarters and regions are kept."""
    measures: tuple[str, ...]
    file: Path

    def question(self, language: str) -> str:
        """What is asked, in a language."""
        return in_language(self.questions, language)

    @classmethod
    def load(
        cls,
        source: str | Path,
        *,
        settings: Mapping[str, object] | None = None,
        runs: int | None = None,
        seed: int | None = None,
        plausible: int | None = None,
        structures: Sequence[str] | Literal["all"] | None = None,
        quick: bool = False,
    ) -> Experiment:
        """The experiment of this name among those that ship, or in this file or folder.

        ``settings`` are further changes to the scenario by dotted names; ``runs``, ``seed``,
        ``plausible`` and ``structures`` take the place of the file's. All problems of all files
        are told at once.
        """
        problems = Problems()
        path = find_experiment(source)
        tree = read_yaml(path, problems)
        problems.raise_if_any()
        for key in ("kind", "scenario"):
            if is_missing(tree.get(key)):
                tree.add_problem((key,), _("missing"), problems)
        tree, text = validate(tree, problems, ExperimentText)
        scenario = load_scenario(tree, text, path, settings or {}, problems, text.futures)
        if scenario is not None:
            named = {("strategies", k): name for k, name in enumerate(text.strategies or ())}
            check_strategies(tree, named | {("baseline",): text.baseline}, scenario, problems)
            _check_measures(tree, text, scenario, problems)
        for word, value, least, most in (
            ("runs", runs, 2, MOST_RUNS), ("seed", seed, 0, 2**63 - 1)
        ):  # fmt: skip
            if value is not None and not least <= value <= most:
                message = _("{word}: {value} is not allowed; allowed: {least} to {most}")
                problems.add(message.format(word=word, value=value, least=least, most=most))
        problems.raise_if_any()
        plausible = text.plausible if plausible is None else plausible
        structures = text.structures if structures is None else structures
        strategies = text.strategies or tuple(scenario.strategies)
        if text.baseline not in strategies:
            strategies = (text.baseline, *strategies)
        return cls(
            name=path.parent.name if path.name == "experiment.yaml" else path.stem,
            kind=text.kind,
            questions=text.question,
            scenario=scenario,
            strategies=strategies,
            baseline=text.baseline,
            futures=(text.futures or {DEFAULT_FUTURE: {}})
            | structural_futures(STRUCTURES if structures == "all" else structures)
            | plausible_futures(plausible),
            runs=runs or (text.quick.runs if quick else text.runs),
            seed=text.seed if seed is None else seed,
            detail=text.detail,
            measures=text.measures,
            file=path,
        )


def is_missing(node: Node | None) -> bool:
    """Whether a key is not there, or has no value."""
    return node is None or node.is_empty


def find_experiment(source: str | Path) -> Path:
    """The file of an experiment that is given by its name, its file or its folder."""
    path = Path(source)
    if is_file(path / "experiment.yaml"):
        return path / "experiment.yaml"
    if isinstance(source, Path) or path.suffix or is_file(path):
        return path
    named = shipped("experiments") / path.name / "experiment.yaml"
    if path.name == str(source) and is_file(named):
        return named
    hint = suggestion(path.name, shipped_names("experiments"))
    text = _("there is no experiment '{name}'{hint}").format(name=source, hint=hint)
    raise InputError([Problem(text)])


class Asks(Protocol):
    """What the files of all experiments say of their scenario."""

    scenario: str | None
    set: dict[str, Any]


def load_scenario(
    tree: Node,
    text: Asks,
    path: Path,
    settings: Mapping[str, object],
    problems: Problems,
    futures: Mapping[str, Mapping[str, object]] | None = None,
) -> Scenario | None:
    """The scenario, changed as the experiment says; None if there is none to be had."""
    if text.scenario is None:
        return None
    beside = path.parent / text.scenario
    try:
        scenario = complete(Scenario.load(beside if is_file(beside) else text.scenario))
    except InputError as error:
        _pass_on(error.problems, tree, ("scenario",), problems)
        return None
    for key, changes in (("set", text.set), (None, settings)):
        if changes:
            try:
                scenario = complete(scenario.with_(changes))
            except InputError as error:
                _pass_on(error.problems, tree, (key,) if key else (), problems)
    for name, changes in (futures or {}).items():
        try:
            future = complete(scenario.with_(changes))
        except InputError as error:
            _pass_on(error.problems, tree, ("futures", name), problems)
            continue
        if shape_of(future) != shape_of(scenario):
            message = _("future '{name}' must not change regions, areas or the horizon")
            tree.add_problem(("futures", name), message.format(name=name), problems)
    return scenario


def complete(scenario: Scenario) -> Scenario:
    """The scenario, once its extensions have been run and declare all that it names.

    Raises :class:`~kolabsim.errors.InputError` where they do not.
    """
    if scenario.extensions:
        _run = scenario.declared
    return scenario


def _pass_on(
    found: Iterable[Problem], tree: Node, path: tuple[str, ...], problems: Problems
) -> None:
    """Tell problems of another file as they are, and those without a file at a place of ours."""
    for problem in found:
        if problem.file is None and path:
            tree.add_problem(path, problem.message, problems)
        else:
            problems.add(
                problem.message, file=problem.file, line=problem.line, column=problem.column
            )


def check_strategies(
    tree: Node,
    named: Mapping[tuple[str | int, ...], str],
    scenario: Scenario,
    problems: Problems,
) -> None:
    """See that strategies, each named at a place of a file, are those of a scenario."""
    for path, name in named.items():
        if name not in scenario.strategies:
            message = _("'{name}' is not a strategy of {scenario}{hint}")
            hint = suggestion(name, scenario.strategies)
            message = message.format(name=name, scenario=scenario.name, hint=hint)
            tree.add_problem(path, message, problems)


def _check_measures(
    tree: Node, text: ExperimentText, scenario: Scenario, problems: Problems
) -> None:
    measures = scenario.measures if text.measures else ()
    for k, name in enumerate(text.measures):
        if name not in measures:
            message = _("'{name}' is not a measure{hint}")
            message = message.format(name=name, hint=suggestion(name, measures))
            tree.add_problem(("measures", k), message, problems)


def schema() -> dict[str, Any]:
    """JSON Schema of an experiment file, with which editors complete and check what one writes."""
    described = ExperimentText.model_json_schema()
    described["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    described["title"] = "kolabsim experiment"
    described["required"] = ["kind", "scenario"]
    described["properties"]["measures"]["items"] = {
        "anyOf": [{"enum": list(MEASURES)}, {"type": "string"}]
    }
    return described
