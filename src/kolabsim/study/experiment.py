"""Experiments: a file of any kind, checked against its scenario, with nothing left open."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import ValidationError

from kolabsim.errors import InputError, Problem, Problems, suggestion, warn_renamed
from kolabsim.i18n import _
from kolabsim.scenario.files import is_file
from kolabsim.scenario.futures import STRUCTURES, plausible_futures, structural_futures
from kolabsim.scenario.scenario import Scenario, shipped, shipped_names
from kolabsim.scenario.schema import explain, in_language, validate
from kolabsim.scenario.source import Node, format_value, read_yaml
from kolabsim.study.design import Design, make_design
from kolabsim.study.factors import Factor, choose_factors
from kolabsim.study.spec import (
    KINDS,
    LEVER_GROUPS,
    RENAMED_KINDS,
    ComparisonSpec,
    Outcome,
    RobustnessSpec,
    SearchSpec,
    SensitivitySpec,
    Spec,
    SweepSpec,
    parse_outcome,
)
from kolabsim.study.tasks import DEFAULT_FUTURE, table_shape

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 100_000
"""Most points of a sweep."""
AnySpec = TypeVar("AnySpec", bound=Spec)


@dataclass(frozen=True, kw_only=True)
class Experiment(Generic[AnySpec]):
    """A question of one of five kinds, with everything that decides its result.

    Examples
    --------
    >>> experiment = Experiment.load("kartamantul", runs=4)
    >>> experiment.kind, experiment.spec.runs, experiment.strategies[:2]
    ('comparison', 4, ('voluntary', 'forum'))
    """

    name: str
    spec: AnySpec
    """What the file says, with the changes of the caller."""
    scenario: Scenario = field(repr=False)
    strategies: tuple[str, ...]
    """The strategies that are simulated, the baseline among them."""
    futures: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Of a comparison: settings of each future, by dotted names."""
    factors: tuple[Factor, ...] = ()
    """The factors that are varied."""
    outcomes: tuple[Outcome, ...] = ()
    file: Path

    @property
    def kind(self) -> str:
        """One of :data:`kolabsim.study.spec.KINDS`."""
        return self.spec.kind

    @property
    def seed(self) -> int:
        """Seed of all random draws."""
        return self.spec.seed

    @property
    def moments(self) -> tuple[tuple[str, int], ...]:
        """Measures that outcomes read at a quarter, with that quarter."""
        found = [(o.measure, o.quarter) for o in self.outcomes if o.quarter is not None]
        return tuple(dict.fromkeys(found))

    def question(self, language: str) -> str:
        """The question in a language: ``en`` or ``id``."""
        return in_language(self.spec.question, language)

    @classmethod
    def load(
        cls,
        source: str | Path,
        *,
        settings: Mapping[str, object] | None = None,
        quick: bool = False,
        **changes: Any,
    ) -> Experiment[Any]:
        """Load an experiment of any kind and check it against its scenario.

        Parameters
        ----------
        source
            Name of a shipped experiment, a file, or a folder with an ``experiment.yaml``.
        settings
            Further changes to the scenario, by dotted names.
        quick
            Whether to apply the ``quick`` section of the file: fewer samples, fewer runs.
        changes
            Values that replace those of the file, by its keys: ``runs``, ``seed``, ``samples``,
            ``plausible``, ``structures``, ... None changes nothing.

        Raises
        ------
        InputError
            With all problems of all files at once.
        """
        problems = Problems()
        path = find_experiment(source)
        tree = read_yaml(path, problems)
        problems.raise_if_any()
        assert tree is not None
        shape = KINDS[_read_kind(tree, path, problems)]
        for key in shape.required:
            node = tree.get(key)
            if node is None or node.plain() in (None, ""):
                tree.add_problem((key,), _("missing"), problems)
        tree, spec = validate(tree, problems, shape)
        spec = _changed(tree, spec, quick, changes, problems)
        futures = spec.futures if isinstance(spec, ComparisonSpec) else {}
        scenario = _load_scenario(tree, spec, path, settings or {}, futures, problems)
        if scenario is None:
            problems.raise_if_any()
        assert scenario is not None
        strategies = _check_strategies(tree, spec, scenario, problems)
        outcomes = _check_outcomes(tree, spec, scenario, problems)
        factors = _check_factors(tree, spec, scenario, problems)
        if isinstance(spec, ComparisonSpec):
            _check_measures(tree, spec, scenario, problems)
            structures = STRUCTURES if spec.structures == "all" else spec.structures
            futures = futures or {DEFAULT_FUTURE: {}}
            futures |= structural_futures(structures) | plausible_futures(spec.plausible)
        problems.raise_if_any()
        found: Experiment[Any] = Experiment(
            name=path.parent.name if path.name == "experiment.yaml" else path.stem,
            spec=spec,
            scenario=scenario,
            strategies=strategies,
            futures=futures,
            factors=factors,
            outcomes=outcomes,
            file=path,
        )
        if isinstance(spec, SensitivitySpec):
            try:
                sensitivity_design(found)
            except InputError as error:
                for problem in error.problems:
                    tree.add_problem((), problem.message, problems)
                problems.raise_if_any()
        return found


def sensitivity_design(experiment: Experiment[SensitivitySpec]) -> Design:
    """The points at which a sensitivity analysis simulates.

    Raises :class:`~kolabsim.errors.InputError` if its method cannot do what the file asks.
    """
    spec, factors = experiment.spec, experiment.factors
    usual = [factor.place(factor.usual) for factor in factors]
    return make_design(
        spec.method,
        [factor.name for factor in factors],
        groups=[factor.group for factor in factors] if spec.grouped else None,
        samples=spec.samples,
        seed=spec.seed,
        second_order=spec.second_order,
        usual=usual if spec.method == "one_at_a_time" else None,
    )


def sweep_table(experiment: Experiment[SweepSpec]) -> pd.DataFrame:
    """The settings at every combination of levels, [points, factors]; the last factor moves first.

    >>> from kolabsim import Experiment
    >>> list(sweep_table(Experiment.load("team-and-trust", levels=2)).columns)
    ['mechanisms.team', 'parameters.trust_start']
    """
    import pandas as pd

    levels = [factor.levels(experiment.spec.levels) for factor in experiment.factors]
    names = [factor.name for factor in experiment.factors]
    return pd.DataFrame(list(product(*levels)), columns=names)


def find_experiment(source: str | Path) -> Path:
    """The file of an experiment.

    ``source`` is the name of a shipped experiment, a file or a folder. Raises
    :class:`~kolabsim.errors.InputError` if no shipped experiment has this name.
    """
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


# Checks -------------------------------------------------------------------------------------------


def _read_kind(tree: Node, path: Path, problems: Problems) -> str:
    node = tree.get("kind")
    if node is None or node.is_empty:
        tree.add_problem(("kind",), _("missing"), problems)
        problems.raise_if_any()
    assert node is not None
    kind = node.value
    if isinstance(kind, str) and kind in RENAMED_KINDS:
        warn_renamed(kind, RENAMED_KINDS[kind], file=path, line=node.location.line)
        return RENAMED_KINDS[kind]
    if not isinstance(kind, str) or kind not in KINDS:
        message = _("{word} is not a kind of experiment{hint}")
        hint = suggestion(str(kind), KINDS)
        message = message.format(word=format_value(node.plain()), hint=hint)
        tree.add_problem(("kind",), message, problems)
        problems.raise_if_any()
    return str(kind)


def _changed(
    tree: Node, spec: AnySpec, quick: bool, changes: Mapping[str, object], problems: Problems
) -> AnySpec:
    """What a file says, with the changes of its ``quick`` section and of the caller."""
    fields = type(spec).model_fields
    for name in spec.quick:
        if name not in fields or name in ("quick", "kind", "scenario"):
            message = _("--quick cannot change '{name}'{hint}")
            message = message.format(name=name, hint=suggestion(name, fields))
            tree.add_problem(("quick", name), message, problems, at_key=True)
    given = {name: value for name, value in changes.items() if value is not None}
    for name in given:
        if name not in fields:
            message = _("--{option} does not apply to a {kind}")
            problems.add(message.format(option=name, kind=_(spec.kind)))
    if problems.found:
        return spec
    wanted = {name: getattr(spec, name) for name in spec.model_fields_set}
    wanted |= (spec.quick if quick else {}) | given
    wanted = {name: tuple(v) if isinstance(v, list) else v for name, v in wanted.items()}
    try:
        return type(spec).model_validate(wanted)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            where = ".".join(str(part) for part in one["loc"])
            problems.add(f"{where}: {explain(one, type(spec))}")
        return spec


def _load_scenario(
    tree: Node,
    spec: Spec,
    path: Path,
    settings: Mapping[str, object],
    futures: Mapping[str, Mapping[str, object]],
    problems: Problems,
) -> Scenario | None:
    """The scenario with the changes of the experiment; None, and the problems, if there is none."""
    if not spec.scenario:
        return None
    beside = path.parent / spec.scenario
    try:
        scenario = _declared(Scenario.load(beside if is_file(beside) else spec.scenario))
    except InputError as error:
        _pass_on(error.problems, tree, ("scenario",), problems)
        return None
    for key, changes in (("set", spec.set), (None, settings)):
        if changes:
            try:
                scenario = _declared(scenario.with_(changes))
            except InputError as error:
                _pass_on(error.problems, tree, (key,) if key else (), problems)
    for name, changes in futures.items():
        try:
            future = _declared(scenario.with_(changes))
        except InputError as error:
            _pass_on(error.problems, tree, ("futures", name), problems)
            continue
        if table_shape(future) != table_shape(scenario):
            message = _("future '{name}' must not change regions, areas or the horizon")
            tree.add_problem(("futures", name), message.format(name=name), problems)
    return scenario


def _declared(scenario: Scenario) -> Scenario:
    """The scenario, after its extensions were run and found to declare everything it names."""
    if scenario.extensions:
        _run = scenario.declared
    return scenario


def _pass_on(
    found: Iterable[Problem], tree: Node, path: tuple[str, ...], problems: Problems
) -> None:
    """Add problems of another file as they are, and those without a file at a place of this one."""
    for problem in found:
        if problem.file is None and path:
            tree.add_problem(path, problem.message, problems)
        else:
            problems.found[problem] = None


def _check_strategies(
    tree: Node, spec: Spec, scenario: Scenario, problems: Problems
) -> tuple[str, ...]:
    named = spec.strategy_names(scenario)
    for path, name in named.items():
        if name not in scenario.strategies:
            message = _("'{name}' is not a strategy of {scenario}{hint}")
            hint = suggestion(name, scenario.strategies)
            message = message.format(name=name, scenario=scenario.name, hint=hint)
            tree.add_problem(path, message, problems)
    return tuple(dict.fromkeys(named.values()))


def _check_outcomes(
    tree: Node, spec: Spec, scenario: Scenario, problems: Problems
) -> tuple[Outcome, ...]:
    found, runs = [], getattr(spec, "runs", None)
    for path, word in spec.outcome_names().items():
        try:
            outcome = parse_outcome(word, scenario.horizon, scenario.measures)
        except InputError as error:
            tree.add_problem(path, error.problems[0].message, problems)
            continue
        if spec.is_ranked and (outcome.is_spread or not outcome.better):
            tree.add_problem(path, _("more of it is neither better nor worse"), problems)
        if outcome.is_spread and isinstance(runs, int) and runs < 2:
            tree.add_problem(path, _("a spread needs at least two runs"), problems)
        found.append(outcome)
    return tuple(found)


def _check_factors(
    tree: Node, spec: Spec, scenario: Scenario, problems: Problems
) -> tuple[Factor, ...]:
    wanted = spec.factor_names()
    if isinstance(spec, RobustnessSpec) and bool(wanted) == bool(spec.plausible):
        tree.add_problem((), _("give either 'plausible' or 'factors', and not both"), problems)
    if not wanted:
        return ()
    try:
        found = choose_factors(scenario, wanted)
    except InputError as error:
        for problem in error.problems:
            tree.add_problem((spec.factor_key,), problem.message, problems)
        return ()
    if isinstance(spec, SweepSpec):
        _check_grid(tree, spec, found, problems)
    if isinstance(spec, SearchSpec) and any(one.group not in LEVER_GROUPS for one in found):
        tree.add_problem(
            ("levers",), _("a package consists of mechanisms and support only"), problems
        )
    return found


def _check_grid(tree: Node, spec: SweepSpec, factors: Sequence[Factor], problems: Problems) -> None:
    if len(factors) < 2:
        tree.add_problem(("factors",), _("a sweep needs at least two factors"), problems)
    points = math.prod(len(factor.levels(spec.levels)) for factor in factors)
    if points > MOST_POINTS:
        message = _("{points} combinations of levels are too many; allowed: at most {most}")
        message = message.format(points=points, most=MOST_POINTS)
        tree.add_problem(("factors",), message, problems)


def _check_measures(
    tree: Node, spec: ComparisonSpec, scenario: Scenario, problems: Problems
) -> None:
    measures = scenario.measures
    for k, name in enumerate(spec.measures):
        if name not in measures:
            message = _("'{name}' is not a measure{hint}")
            message = message.format(name=name, hint=suggestion(name, measures))
            tree.add_problem(("measures", k), message, problems)
