"""Experiments: a file of any kind, checked against its scenario, with nothing left open."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import ValidationError

from kolabsim.engine.overrides import is_quick
from kolabsim.errors import InputError, Problems, suggestion, warn_renamed
from kolabsim.i18n import _
from kolabsim.model.measures import measure_hint
from kolabsim.scenario.files import is_file
from kolabsim.scenario.futures import (
    STRUCTURES,
    applicable,
    is_plausible,
    own_sets,
    plausible_futures,
    sets_of,
    structural_futures,
)
from kolabsim.scenario.notices import find_notices
from kolabsim.scenario.scenario import Scenario, shipped, shipped_names
from kolabsim.scenario.schema import explain, in_language, validate
from kolabsim.scenario.source import Node, format_value, read_yaml
from kolabsim.study.design import Design, make_design
from kolabsim.study.factors import GROUPS as FACTOR_GROUPS
from kolabsim.study.factors import Factor, choose_factors, list_factors
from kolabsim.study.notices import experiment_notices
from kolabsim.study.spec import (
    BASELINE,
    KINDS,
    LEVER_GROUPS,
    NO_COMPARISON,
    PATTERNS,
    RENAMED_KINDS,
    SETS,
    ComparisonSpec,
    Outcome,
    RobustnessSpec,
    SearchSpec,
    SensitivitySpec,
    Spec,
    StrategiesSpec,
    SweepSpec,
    parse_outcome,
)
from kolabsim.study.sweep import (
    Cost,
    PointTable,
    check_size,
    draw_points,
    grid_levels,
    in_grid_order,
    is_lever,
    read_points,
    reference,
    sweep_cost,
)
from kolabsim.study.tasks import DEFAULT_FUTURE, identify, table_shape

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.scenario.notices import Notice
    from kolabsim.study.identity import Identity

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
    outcomes: tuple[Outcome, ...] = ()
    reference: str | None = None
    """Of a sweep: the strategy with which each point is compared; None for outcomes as they are."""
    points: pd.DataFrame | None = field(default=None, repr=False)
    """Of a sweep: the settings at each point, [points, factors]."""
    file: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    """Further changes to the scenario that the caller made, by dotted names."""
    own_notices: tuple[Notice, ...] = field(default=(), repr=False)
    """What in its file has no effect."""

    @property
    def kind(self) -> str:
        """One of :data:`kolabsim.study.spec.KINDS`."""
        return self.spec.kind

    @property
    def seed(self) -> int:
        """Seed of all random draws."""
        return self.spec.seed

    @property
    def notices(self) -> list[Notice]:
        """What to know before and beside its result, of its scenario and of its file."""
        return [*find_notices(self.scenario, self.strategies), *self.own_notices]

    @cached_property
    def identity(self) -> Identity:
        """What decides whether it may continue the study in a folder."""
        asked = self.spec.model_dump(mode="json")
        return identify(self.scenario, self.strategies, self.kind, self.seed, asked)

    @property
    def own_sets(self) -> Path | None:
        """The file beside the scenario from which plausible futures are drawn; None if none is."""
        return own_sets(self.scenario) if getattr(self.spec, "plausible", 0) else None

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
        named = tree.get("scenario")
        context = {SETS: sets_of(str(named.value), path.parent)} if named else {}
        tree, spec = validate(tree, problems, shape, context)
        changed = _changed(tree, spec, quick, changes, problems, context)
        check = _Check(tree, changed, problems)
        spec = check.spec
        futures: Mapping[str, Mapping[str, object]] = {}
        if isinstance(spec, ComparisonSpec):
            futures = spec.futures
        scenario = check.scenario(path, settings or {}, futures)
        if scenario is None:
            problems.raise_if_any()
        assert scenario is not None
        check.repeated_names()
        strategies = check.strategies(scenario)
        outcomes = check.outcomes(scenario)
        factors = check.factors(scenario)
        if isinstance(spec, ComparisonSpec):
            for k, name in enumerate(spec.measures):
                if name not in scenario.measures:
                    message = _("'{name}' is not a measure{hint}")
                    hint = measure_hint(name, scenario.measures)
                    check.add(("measures", k), message.format(name=name, hint=hint))
            if spec.likely > spec.robust:
                message = _("{value} is more than robust: {robust}")
                check.add(("likely",), message.format(value=spec.likely, robust=spec.robust))
            spec = spec.sized()
            futures = check.all_futures(spec, scenario)
        compared, points = None, None
        if isinstance(spec, SweepSpec) and not problems.found:
            spec, factors, points = check.sweep(spec, scenario, factors, path)
            compared = reference(spec, factors)
            strategies = tuple(dict.fromkeys([*strategies, *filter(None, [compared])]))
        problems.raise_if_any()
        found: Experiment[Any] = Experiment(
            name=path.parent.name if path.name == "experiment.yaml" else path.stem,
            spec=spec,
            scenario=scenario,
            strategies=strategies,
            futures=futures,
            factors=factors,
            outcomes=outcomes,
            reference=compared,
            points=points,
            file=path,
            settings=settings or {},
            own_notices=experiment_notices(
                tree, spec, scenario, strategies, factors, settings or {}
            ),
        )
        if isinstance(spec, SensitivitySpec):
            with check.passing(()):
                sensitivity_design(found)
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
        groups=index_groups(spec, factors),
        samples=spec.samples,
        seed=spec.seed,
        second_order=spec.second_order,
        usual=usual if spec.method == "one_at_a_time" else None,
    )


def index_groups(spec: SensitivitySpec, factors: Sequence[Factor]) -> list[str] | None:
    """The group of each factor, or the factor's own name if it is alone; None without groups.

    >>> from kolabsim import Experiment
    >>> experiment = Experiment.load("what-drives", groups={"help": ["mechanisms", "support"]})
    >>> index_groups(experiment.spec, experiment.factors)[8:10]
    ['help', 'parameters.culture_spread']
    """
    own = {member: group for group, members in spec.groups.items() for member in members}
    found = [
        own.get(factor.name)
        or own.get(factor.group)
        or (factor.group if spec.grouped else factor.name)
        for factor in factors
    ]
    size = Counter(found)
    if all(number == 1 for number in size.values()):
        return None
    return [
        factor.name if size[group] == 1 else group
        for factor, group in zip(factors, found, strict=True)
    ]


def sweep_futures(experiment: Experiment[SweepSpec]) -> list[Mapping[str, object]]:
    """The settings of each future of a sweep; one without any if assumptions are not varied."""
    number = experiment.spec.plausible
    return list(plausible_futures(number, experiment.scenario).values()) if number else [{}]


def resolve_sweep(
    spec: SweepSpec,
    scenario: Scenario,
    factors: tuple[Factor, ...],
    table: PointTable | None = None,
) -> tuple[SweepSpec, tuple[Factor, ...], pd.DataFrame]:
    """What a sweep leaves open: its sizes, its factors, and its points.

    ``table`` has the points if the sweep does not draw them. Raises
    :class:`~kolabsim.errors.InputError` for a sweep that is too large, or that cannot be compared.
    """
    problems = Problems()
    if table is not None:
        factors = table.factors
    if not factors:
        problems.add(_("give either 'factors' or 'points', and not both"))
    if spec.likely > spec.robust:
        message = _("{value} is more than robust: {robust}")
        problems.add("likely: " + message.format(value=spec.likely, robust=spec.robust))
    if table is not None and (spec.method != "factorial" or spec.levels is not None):
        problems.add(_("points: a table of points has neither a method nor levels"))
    elif spec.samples is not None and spec.method == "factorial":
        problems.add(
            _("samples: only points that are drawn have samples (method: latin, halton, patterns)")
        )
    if spec.method == PATTERNS:
        if len(set(spec.outcomes)) < 2:
            problems.add(_("outcomes: a search for patterns needs two or more"))
        if spec.against not in (None, NO_COMPARISON):
            problems.add(_("against: a search for patterns shows outcomes as they are"))
        if "plausible" not in spec.model_fields_set:
            spec = spec.model_copy(update={"plausible": 0})
    elif spec.cells is not None:
        problems.add(_("cells: only a search for patterns has cells (method: patterns)"))
    levers = [one.name for one in factors if is_lever(one.name)]
    parts = [one for one in factors if one.group in ("targets", "budgets")]
    for message in (
        *fixed_levers(scenario, [spec.strategy], parts),
        *changing_levers(scenario, spec.strategy, factors),
    ):
        problems.add(message)
    compared = reference(spec, factors)
    if compared == spec.strategy and not levers:
        message = _("there is nothing to compare '{name}' with; name another strategy")
        problems.add("against: " + message.format(name=compared))
    elif compared is not None and compared not in scenario.strategies:
        message = _("'{name}' is not a strategy of {scenario}{hint}")
        hint = suggestion(compared, [*scenario.strategies, NO_COMPARISON])
        problems.add("against: " + message.format(name=compared, scenario=scenario.name, hint=hint))
    if spec.plausible and not applicable(scenario):
        if "plausible" in spec.model_fields_set:
            problems.add(
                "plausible: "
                + _("the scenario states all settings that plausible futures vary; allowed: 0")
            )
        spec = spec.model_copy(update={"plausible": 0})
    problems.raise_if_any()
    spec = spec.sized(len(factors))
    number = spec.samples or 0
    if table is not None:
        number = len(table.points)
    elif spec.method == "factorial":
        number = math.prod(len(factor.levels(spec.levels or 2)) for factor in factors)
    others = math.prod(
        len(one.levels(spec.levels or 2)) for one in factors if one.name not in levers
    )
    base = 0 if compared is None else min(number, others)
    check_size(sweep_cost(scenario, spec, factors, number, base))
    points = draw_points(spec, factors) if table is None else table.points
    levels = grid_levels(points, factors)
    is_grid = bool(levels) and spec.method != PATTERNS
    return spec, factors, in_grid_order(points, levels) if is_grid else points


def fixed_levers(
    scenario: Scenario, strategies: Sequence[str], factors: Sequence[Factor]
) -> Iterator[str]:
    """A sentence for each lever among the factors that all of these strategies set themselves."""
    own = [scenario.strategies[name].phases() for name in strategies if name in scenario.strategies]
    for one in factors:
        if own and is_lever(one.name) and all(one.name.split(".")[1] in each for each in own):
            message = _(
                "{name}: '{strategy}' sets this lever itself, so that the factor has no effect; "
                "use strategy: {baseline}, or another without it"
            )
            yield message.format(name=one.name, strategy=strategies[0], baseline=BASELINE)


def changing_levers(scenario: Scenario, strategy: str, factors: Sequence[Factor]) -> Iterator[str]:
    """A sentence for each lever among the factors that a strategy changes over time."""
    own = scenario.strategies[strategy].phases() if strategy in scenario.strategies else {}
    for one in factors:
        phases = own.get(one.name.split(".")[1], ()) if is_lever(one.name) else ()
        if len(phases) > 1:
            message = _(
                "{name}: '{strategy}' changes this lever over time, in {number} phases, so that it "
                "has no single intensity to vary; use a strategy with one phase of it, or without "
                "it"
            )
            yield message.format(name=one.name, strategy=strategy, number=len(phases))


def own_levers(scenario: Scenario, strategy: str, factors: Sequence[Factor]) -> dict[str, str]:
    """The settings that levers among the factors are where a strategy sets them itself, by name.

    They keep their times, areas and payer; what varies is their intensity. A lever that a strategy
    lacks is in force for all strategies, all areas and the whole horizon.
    """
    own = scenario.strategies[strategy].phases()
    return {
        one.name: f"strategies.{strategy}.{one.name}" + ("" if is_quick(one.name) else ".intensity")
        for one in factors
        if one.group in ("mechanisms", "support") and one.name.split(".")[1] in own
    }  # fmt: skip


def compared_points(points: pd.DataFrame, factors: Sequence[Factor]) -> pd.DataFrame:
    """The settings of the strategy that points are compared with: theirs, without levers."""
    import pandas as pd

    kept = [one.name for one in factors if not is_lever(one.name)]
    return points[kept].drop_duplicates() if kept else pd.DataFrame(index=[0])


def experiment_cost(experiment: Experiment[SweepSpec]) -> Cost:
    """What a sweep takes."""
    points, factors = experiment.points, experiment.factors
    assert points is not None  # since the experiment was loaded
    base = 0 if experiment.reference is None else len(compared_points(points, factors))
    number = len(points)
    if experiment.spec.method == PATTERNS:  # the search will find the others
        number = experiment.spec.samples or number
    return sweep_cost(experiment.scenario, experiment.spec, factors, number, base)


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
    raise InputError.of(text)


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
    tree: Node, spec: AnySpec, quick: bool, changes: Mapping[str, object], problems: Problems,
    context: Mapping[str, object],
) -> AnySpec:  # fmt: skip
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
    wanted |= (spec.quick_changes() if quick else {}) | given
    wanted = {name: tuple(v) if isinstance(v, list) else v for name, v in wanted.items()}
    try:
        return type(spec).model_validate(wanted, context=context)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            where = ".".join(str(part) for part in one["loc"])
            problems.add(f"{where}: {explain(one, type(spec))}")
        return spec


@dataclass(frozen=True)
class _Check:
    """Checks a file against its scenario; problems are added where the file causes them."""

    tree: Node
    spec: Spec
    problems: Problems

    def add(self, path: tuple[str | int, ...], message: str) -> None:
        """Add a problem at a path, or at the key that its message begins with."""
        word, colon, rest = message.partition(": ")
        if colon and self.tree.get(*path, word) is not None:
            path, message = (*path, word), rest
        elif colon and word in type(self.spec).model_fields:
            path, message = (word,), rest
        self.tree.add_problem(path, message, self.problems)

    @contextmanager
    def passing(self, path: tuple[str | int, ...] | None) -> Iterator[None]:
        """Add the problems of another file as they are, and those without a file at a path."""
        try:
            yield
        except InputError as error:
            for problem in error.problems:
                if problem.file is None and path is not None:
                    self.add(path, problem.message)
                else:
                    self.problems.found[problem] = None

    def scenario(
        self,
        file: Path,
        settings: Mapping[str, object],
        futures: Mapping[str, Mapping[str, object]],
    ) -> Scenario | None:
        """The scenario with the changes of the experiment; None if there is none."""
        scenario, named = None, self.spec.scenario
        if not named:
            return None
        beside = file.parent / named
        with self.passing(("scenario",)):
            scenario = _declared(Scenario.load(beside if is_file(beside) else named))
        if scenario is None:
            return None
        for path, changes in ((("set",), self.spec.set), (None, settings)):
            if changes:
                with self.passing(path):
                    scenario = _declared(scenario.with_(changes))
        for name, changes in futures.items():
            with self.passing(("futures", name)):
                future = _declared(scenario.with_(changes))
                if table_shape(future) != table_shape(scenario):
                    message = _("a future must not change regions, areas or the horizon")
                    self.add(("futures", name), message)
        return scenario

    def all_futures(
        self, spec: ComparisonSpec, scenario: Scenario
    ) -> Mapping[str, Mapping[str, object]]:
        """The futures of a comparison: its own, other structures, and plausible ones."""
        for name in spec.futures:
            if is_plausible(name):
                message = _("the name is reserved for plausible futures; choose another one")
                self.add(("futures", name), message)
        structures = STRUCTURES if spec.structures == "all" else spec.structures
        futures = dict(spec.futures)
        if spec.plausible and not applicable(scenario):
            message = _(
                "the scenario states all settings that plausible futures vary; allowed: 0, and "
                "futures of your own"
            )
            self.add(("plausible",), message)
        if not futures and (structures or spec.plausible < 2):
            futures[DEFAULT_FUTURE] = {}  # with which a change of structure is compared
        futures |= structural_futures(structures)
        return futures | plausible_futures(spec.plausible, scenario)

    def repeated_names(self) -> None:
        """Refuse names that a list of the file has twice."""
        for key in type(self.spec).model_fields:
            node = self.tree.get(key)
            names = node.plain() if node is not None else None
            if not isinstance(names, list | tuple):
                continue
            for place, name in enumerate(names):
                if isinstance(name, str) and name in names[:place]:
                    self.add((key, place), _("'{name}' is listed twice").format(name=name))

    def strategies(self, scenario: Scenario) -> tuple[str, ...]:
        """The strategies that are simulated."""
        named = self.spec.strategy_names(scenario)
        needs_others = isinstance(self.spec, StrategiesSpec) or len(named) > 1
        if needs_others and len(set(named.values())) < 2:
            message = _("there is nothing to compare '{name}' with; name another strategy")
            name, place = next(iter(named.values())), next(reversed(named))
            self.add(place[:1], message.format(name=name))
        for path, name in named.items():
            if name not in scenario.strategies:
                message = _("'{name}' is not a strategy of {scenario}{hint}")
                hint = suggestion(name, scenario.strategies)
                self.add(path, message.format(name=name, scenario=scenario.name, hint=hint))
        return tuple(dict.fromkeys(named.values()))

    def outcomes(self, scenario: Scenario) -> tuple[Outcome, ...]:
        """The outcomes that are analysed."""
        found, runs = [], getattr(self.spec, "runs", None)
        for path, word in self.spec.named(*self.spec.outcome_keys).items():
            with self.passing(path):
                outcome = parse_outcome(word, scenario.horizon, scenario.measures)
                if self.spec.is_ranked and (outcome.is_spread or not outcome.better):
                    self.add(path, _("more of it is neither better nor worse"))
                if outcome.is_spread and isinstance(runs, int) and runs < 2:
                    self.add(path, _("a spread needs at least two runs"))
                found.append(outcome)
        return tuple(found)

    def factors(self, scenario: Scenario) -> tuple[Factor, ...]:
        """The factors that are varied."""
        spec = self.spec
        wanted: Mapping[str, object] = getattr(spec, spec.factor_key, {})
        if isinstance(spec, RobustnessSpec) and bool(wanted) == bool(spec.plausible):
            self.add((), _("give either 'plausible' or 'factors', and not both"))
        found: tuple[Factor, ...] = ()
        if wanted:
            with self.passing((spec.factor_key,)):
                found = choose_factors(scenario, wanted)
        if isinstance(spec, SensitivitySpec):
            self.groups(spec, scenario, found)
        if isinstance(spec, SensitivitySpec | RobustnessSpec):
            compared = [*dict.fromkeys(spec.strategy_names(scenario).values())]
            for message in fixed_levers(scenario, compared, found):
                self.add((spec.factor_key,), message)
        if isinstance(spec, SearchSpec) and any(one.group not in LEVER_GROUPS for one in found):
            self.add(("levers",), _("a package consists of mechanisms and support only"))
        return found

    def sweep(
        self, spec: SweepSpec, scenario: Scenario, factors: tuple[Factor, ...], file: Path
    ) -> tuple[SweepSpec, tuple[Factor, ...], pd.DataFrame | None]:
        """The sizes, factors and points of a sweep."""
        table = None
        if bool(spec.points) == bool(spec.factors):
            self.add((), _("give either 'factors' or 'points', and not both"))
            return spec, factors, None
        with self.passing(("points",)):
            table = read_points(file.parent / spec.points, scenario) if spec.points else None
        if spec.points and table is None:
            return spec, factors, None
        with self.passing(("points",) if spec.points else ("factors",)):
            return resolve_sweep(spec, scenario, factors, table)
        return spec, factors, None

    def groups(self, spec: SensitivitySpec, scenario: Scenario, factors: Sequence[Factor]) -> None:
        """The groups that a file forms of its factors."""
        known = {factor.name for factor in factors} | {factor.group for factor in factors}
        taken = {*list_factors(scenario), *FACTOR_GROUPS}
        seen: dict[str, str] = {}
        for group, members in spec.groups.items():
            if group in taken:
                message = _("'{name}' is the name of a factor or of a usual group; use another")
                self.add(("groups", group), message.format(name=group))
            for k, member in enumerate(members):
                if member not in known:
                    message = _("'{name}' is not among the factors of this file{hint}")
                    hint = suggestion(member, sorted(known))
                    self.add(("groups", group, k), message.format(name=member, hint=hint))
                elif member in seen:
                    message = _("'{name}' is already in the group '{group}'")
                    self.add(("groups", group, k), message.format(name=member, group=seen[member]))
                seen.setdefault(member, group)


def _declared(scenario: Scenario) -> Scenario:
    """The scenario, after its extensions were run and found to declare everything it names."""
    if scenario.extensions:
        _run = scenario.declared
    return scenario
