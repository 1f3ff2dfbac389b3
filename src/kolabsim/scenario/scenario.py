"""Scenarios: files become regions, service areas, strategies and everything else a run needs.

All problems of all files involved are told at once, each with its file, line and column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.areas import Area
from kolabsim.model.levers import LEVERS, Lever
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.scenario.regions import Contacts, Regions
from kolabsim.scenario.resolve import BASELINE, Settling
from kolabsim.scenario.schema import Synthetic, schema
from kolabsim.scenario.source import DEEPEST, Node, Place, is_file, python_node, read_yaml
from kolabsim.scenario.strategy import Body, Change, Mandate, Phase, Strategy, in_language

if TYPE_CHECKING:
    from kolabsim.model.declare import Declared

__all__ = [
    "BASELINE",
    "Body",
    "Change",
    "Contacts",
    "Mandate",
    "Phase",
    "Scenario",
    "Strategy",
    "schema",
    "shipped",
    "shipped_names",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scenario:
    """A world of regions, the rules they live by, and the strategies to compare in it.

    Nothing is left open: areas have all their attributes, phases their quarters, lists their codes.
    """

    name: str
    regions: Regions = field(repr=False)
    areas: Mapping[str, Area] = field(repr=False)
    parameters: Mapping[str, float]
    """Settings of uncertain parameters; those of a decision rule as ``rule.parameter``."""
    form: str
    shares: str
    consent: str
    decision: str
    unit_cost: str
    trust: str
    cap: int
    horizon: int
    """Quarters."""
    start_year: int
    currency: str
    contacts: Contacts = field(repr=False)
    groups: Mapping[str, tuple[str, ...]] = field(repr=False)
    bodies: tuple[Body, ...] = field(repr=False)
    changes: tuple[Change, ...] = field(repr=False)
    mechanisms: Mapping[str, tuple[Phase, ...]] = field(repr=False)
    """In force in every strategy, as are ``support`` and ``mandates``."""
    support: Mapping[str, tuple[Phase, ...]] = field(repr=False)
    mandates: tuple[Mandate, ...] = field(repr=False)
    strategies: Mapping[str, Strategy] = field(repr=False)
    extensions: tuple[Path, ...] = field(repr=False)
    files: tuple[Path, ...] = field(repr=False)
    """All files that were read."""
    titles: Mapping[str, str] = field(repr=False)
    descriptions: Mapping[str, str] = field(repr=False)
    _tree: Node = field(repr=False)
    _rule_parameters: Mapping[str, Parameter] | None = field(repr=False)

    @classmethod
    def load(
        cls, source: str | Path, *, rule_parameters: Mapping[str, Parameter] | None = None
    ) -> Scenario:
        """The scenario of this name among those that ship, or in this file.

        ``rule_parameters`` are the parameters of decision rules by ``rule.parameter``, by default
        those of all rules known so far. Raises :class:`~kolabsim.errors.InputError` with all
        problems of all files at once.
        """
        problems = Problems()
        path = _source(source)
        trees = _lineage(path, problems)
        library = read_yaml(shipped("scenarios") / "strategies.yaml", problems)
        if library is None or not trees or _parent_name(trees[-1][1]):
            # Without one of its files, too much of the scenario would look wrong.
            problems.raise_if_any()
        tree = library
        for _path, child in reversed(trees):
            tree = _laid_over(tree, child)
        files = [path for path, _tree in trees] + [library.place.file]
        return _settled(tree, path.stem, files, problems, rule_parameters)

    def with_(self, changes: Mapping[str, object] | None = None, /, **dotted: object) -> Scenario:
        """A copy with some settings changed, by dotted keys, and checked again.

        ``scenario.with_(horizon=20, **{"parameters.quality_value": 0.7, "areas.waste.haul": 0})``.
        Mappings are changed key by key, lists as a whole. Raises
        :class:`~kolabsim.errors.InputError` for keys and values that are not allowed.
        """
        tree, problems = self._tree, Problems()
        for key, value in {**(changes or {}), **dotted}.items():
            if key == "extends":
                problems.add(_("extends: a scenario that is loaded keeps its parent"))
            if key.count(".") >= DEEPEST:
                message = _("{key}: nested more than {deepest} deep")
                problems.add(message.format(key=key, deepest=DEEPEST))
                continue
            tree = _laid_over(tree, _nested(key, python_node(value, key, problems)))
        return _settled(tree, self.name, self.files, problems, self._rule_parameters, self)

    @cached_property
    def declared(self) -> Declared:
        """What its extensions declare; their files are run when this is first asked for.

        Raises :class:`~kolabsim.errors.InputError` where a file cannot be run, and for every name
        of a decision rule, mechanism, targeting rule or parameter that nothing declares.
        """
        from kolabsim.scenario.extensions import declared_in

        return declared_in(self)

    @property
    def levers(self) -> dict[str, Lever]:
        """All levers by name: the built-in ones, then mechanisms of one's own that it knows."""
        own = self.declared.mechanisms if self.is_extended else {}
        return LEVERS | {name: mechanism.lever for name, mechanism in own.items()}

    @property
    def is_extended(self) -> bool:
        """Whether anything of one's own may be in it, so that :attr:`declared` has to be asked."""
        strategies = (self, *self.strategies.values())
        named = {name for one in strategies for name in (*one.mechanisms, *one.support)}
        return bool(self.extensions) or not named <= set(LEVERS)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures of the whole system: the built-in ones, then its extensions'."""
        from kolabsim.model.measures import MEASURES  # late: it brings the compiler

        return (*MEASURES, *(self.declared.measures if self.extensions else ()))

    def title(self, language: str) -> str:
        """What the scenario is called, in a language; its name if it has no title."""
        return in_language(self.titles, language) or self.name

    def description(self, language: str) -> str:
        """What the scenario is about, in a language."""
        return in_language(self.descriptions, language)

    def resolved(self) -> dict[str, object]:
        """Everything that determines results, as plain data without paths or texts for people.

        Extensions are there with a hash of what is in their files.
        """
        plain = (
            "form", "shares", "consent", "decision", "unit_cost", "trust", "cap", "horizon"
        )  # fmt: skip
        numbers = {name: entry.default for name, entry in PARAMETERS.items()}
        made_up = self._tree.get("regions", "synthetic")
        regions = (
            Synthetic.model_validate(made_up.plain()).model_dump()
            if made_up
            else _arrays(self.regions)
        )
        return {
            **{name: getattr(self, name) for name in plain},
            "regions": regions,
            "areas": {name: _without(asdict(area), "source") for name, area in self.areas.items()},
            "parameters": numbers | dict(self.parameters),
            "contacts": asdict(self.contacts),
            "bodies": [_without(asdict(body), "source") for body in self.bodies],
            "changes": [asdict(change) for change in self.changes],
            "always": _levers(self),
            "strategies": {name: _levers(strategy) for name, strategy in self.strategies.items()},
            "extensions": {
                path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.extensions
            },
        }


def _settled(
    tree: Node,
    name: str,
    files: Iterable[Path],
    problems: Problems,
    rule_parameters: Mapping[str, Parameter] | None,
    earlier: Scenario | None = None,
) -> Scenario:
    """The scenario that a tree describes; its regions are the earlier one's where they can be."""
    fields = Settling(tree, files, problems, rule_parameters, earlier).scenario()
    problems.raise_if_any()
    return Scenario(name=name, _tree=tree, _rule_parameters=rule_parameters, **fields)


# What a scenario is, in plain data ----------------------------------------------------------------


def _levers(of: Scenario | Strategy) -> dict[str, object]:
    phases = {**of.mechanisms, **of.support}
    return {
        "levers": {name: [asdict(phase) for phase in part] for name, part in phases.items()},
        "mandates": [asdict(mandate) for mandate in of.mandates],
    }


def _without(record: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in record.items() if name != key}


def _arrays(regions: Regions) -> dict[str, object]:
    """The attributes of regions as lists, with None for what is drawn."""
    plain: dict[str, object] = {"codes": regions.codes, "tier": regions.tier}
    for name, values in vars(regions).items():
        if isinstance(values, np.ndarray):
            plain[name] = np.where(np.isnan(values), None, values).tolist()
    return plain


# Files --------------------------------------------------------------------------------------------


def shipped(kind: str) -> Path:
    """The folder of the ``scenarios`` or ``experiments`` that ship with kolabsim."""
    package = Path(__file__).parents[1]
    inside = package / "shipped" / kind
    return inside if inside.is_dir() else package.parents[1] / kind


def shipped_names(kind: str) -> tuple[str, ...]:
    """The names of the ``scenarios`` or ``experiments`` that ship with kolabsim.

    A scenario that brings no regions, and so only serves to be extended, is not among them.
    """
    folder = shipped(kind)
    if kind == "experiments":
        return tuple(sorted(path.parent.name for path in folder.glob("*/experiment.yaml")))
    return tuple(sorted(path.stem for path in folder.glob("*.yaml") if _has_regions(path)))


def _has_regions(path: Path) -> bool:
    trees = [tree for _path, tree in _lineage(path, Problems())]
    return any(tree.get("regions", key) for tree in trees for key in ("table", "synthetic"))


def _source(source: str | Path) -> Path:
    """The file of a scenario that is given by its name or its path."""
    path = Path(source)
    if isinstance(source, Path) or path.suffix or path.name != source or is_file(path):
        return path
    named = shipped("scenarios") / f"{source}.yaml"
    if is_file(named):
        return named
    message = _("there is no scenario '{name}'{suggestion}").format(
        name=source, suggestion=suggestion(source, shipped_names("scenarios"))
    )
    raise InputError([Problem(message)])


def _lineage(path: Path, problems: Problems) -> list[tuple[Path, Node]]:
    """A scenario's file, its parent's, and so on, as far as they can be read."""
    found: dict[Path, Node] = {}
    while True:
        tree = read_yaml(path, problems)
        if tree is None:
            break
        found[path] = tree
        path = _parent(tree, problems)
        if path is None:
            break
        if path.resolve() in {earlier.resolve() for earlier in found}:
            names = " -> ".join(p.name for p in (*found, path))
            message = _("a scenario cannot extend itself: {names}").format(names=names)
            tree.add_problem(("extends",), message, problems)
            break
    return list(found.items())


def _parent_name(tree: Node) -> str | None:
    extends = tree.get("extends")
    return extends.value if extends and isinstance(extends.value, str) else None


def _parent(tree: Node, problems: Problems) -> Path | None:
    text, folder = _parent_name(tree), shipped("scenarios")
    if text is None:
        return None
    candidates = (tree.place.file.parent / text, folder / f"{text}.yaml")
    path = next((p for p in candidates if is_file(p)), None)
    if path is None:
        beside = [p.name for p in candidates[0].parent.glob("*.yaml")]
        names = [*beside, *(p.stem for p in folder.glob("*.yaml") if p.stem != "strategies")]
        message = _("there is no scenario '{name}'{suggestion}")
        message = message.format(name=text, suggestion=suggestion(text, names))
        tree.add_problem(("extends",), message, problems)
    return path


def _laid_over(under: Node, over: Node) -> Node:
    """A scenario changed by another: regions made up take the place of a table, and vice versa."""
    of_table = ("table", "columns", "shapes", "shapes_code")
    for chosen, dropped in (("synthetic", of_table), ("table", ("synthetic",))):
        if over.get("regions", chosen):
            for key in dropped:
                if under.get("regions", key):
                    under = under.without(("regions", key))
    return under.merged(over)


def _nested(key: str, node: Node) -> Node:
    """A value under a dotted key; what stands below ``parameters`` is one name, dots and all."""
    first, _dot, rest = key.partition(".")
    parts = (first, rest) if first == "parameters" and rest else key.split(".")
    for part in reversed(parts):
        node = Node(Place(), children={part: node})
    return node
