"""What has no effect in an experiment that can be run, and where its file says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kolabsim.errors import Problems
from kolabsim.i18n import _
from kolabsim.scenario.inheritance import lay_over, nest
from kolabsim.scenario.notices import Notice
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.source import NOWHERE, Location, Node, python_node
from kolabsim.study.factors import Factor
from kolabsim.study.spec import ComparisonSpec, SensitivitySpec, Spec, SweepSpec
from kolabsim.study.sweep import is_lever, reference
from kolabsim.study.tasks import settings_text


def experiment_notices(
    tree: Node, spec: Spec, scenario: Scenario, strategies: Sequence[str],
    factors: Sequence[Factor], settings: Mapping[str, object],
) -> tuple[Notice, ...]:  # fmt: skip
    """Return what has no effect in an experiment: of its file, and of the caller's ``settings``."""
    found = [
        *replaced_settings(tree, spec, factors, settings),
        *partly_fixed_levers(tree, spec, scenario, strategies, factors),
        *same_futures(tree, spec),
    ]
    return tuple(found)


def replaced_settings(
    tree: Node, spec: Spec, factors: Sequence[Factor], settings: Mapping[str, object]
) -> Iterator[Notice]:
    """Say which settings of ``set`` a factor replaces."""
    stated = as_tree(dict(spec.set) | dict(settings))
    wanted: Mapping[str, object] = getattr(spec, spec.factor_key, {})
    for factor in factors:
        at_usual = isinstance(spec, SensitivitySpec) and spec.method == "one_at_a_time"
        # The usual range of an attribute of an area follows from its value.
        follows = factor.group == "areas" and wanted.get(factor.name) is None
        if not states(stated, factor.name) or at_usual or follows:
            continue
        text = _("{name} is a factor, so the value that 'set' gives it has no effect.")
        if isinstance(spec, SweepSpec) and is_lever(factor.name) and reference(spec, factors):
            text = _(
                "{name} is a factor, so the value that 'set' gives it has an effect only on the "
                "strategy that points are compared with."
            )
        keys = [key for key in spec.set if states(as_tree({key: spec.set[key]}), factor.name)]
        place = locate(tree, "set", keys[-1]) if keys else NOWHERE
        yield Notice(text.format(name=factor.name), place=place)


def partly_fixed_levers(
    tree: Node, spec: Spec, scenario: Scenario, strategies: Sequence[str],
    factors: Sequence[Factor],
) -> Iterator[Notice]:  # fmt: skip
    """Say which levers among the factors some of the strategies set themselves.

    If all of them do, the experiment is refused.
    """
    if isinstance(spec, SweepSpec):
        return  # the other strategy is there to be compared with
    for factor in factors:
        own = [
            name for name in strategies
            if is_lever(factor.name)
            and factor.name.split(".")[1] in scenario.strategies[name].phases()
        ]  # fmt: skip
        if own:
            text = _("{name}: the factor has no effect on {strategies}, which set this lever.")
            text = text.format(name=factor.name, strategies=", ".join(own))
            yield Notice(text, place=locate(tree, spec.factor_key, factor.name))


def same_futures(tree: Node, spec: Spec) -> Iterator[Notice]:
    """Say which futures of a comparison have the same settings."""
    same: dict[str, list[str]] = {}
    for name, changes in spec.futures.items() if isinstance(spec, ComparisonSpec) else ():
        same.setdefault(settings_text(changes), []).append(name)
    for names in same.values():
        if len(names) > 1:
            text = _("{names} are the same future under {number} names.")
            text = text.format(names=", ".join(names), number=len(names))
            yield Notice(text, place=locate(tree, "futures", names[-1]))


def as_tree(settings: Mapping[str, object]) -> Node:
    """Return settings by dotted names as a tree."""
    found, problems = Node(NOWHERE, children={}), Problems()
    for key, value in settings.items():
        found = lay_over(found, nest(key, python_node(value, key, problems)))
    return found


def states(tree: Node, name: str) -> bool:
    """Whether a tree gives a value to a factor.

    >>> states(as_tree({"support.ngo": {"targets": "smallest"}}), "support.ngo")
    False
    >>> states(as_tree({"support.ngo": {"intensity": 0.5}}), "support.ngo")
    True
    """
    kind, _dot, rest = name.partition(".")
    node = tree.get(kind, rest) if kind == "parameters" else tree.get(*name.split("."))
    if node is not None and node.is_mapping:
        node = node.get("intensity")
    return node is not None and not node.is_empty


def locate(tree: Node, *path: str) -> Location:
    """Return where a file has a key, or the key that it would belong to."""
    node = tree.trace(path)[2]
    return node.key or node.location
