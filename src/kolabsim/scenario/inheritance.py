"""Scenario files by name or path, with the parents that they extend."""

from __future__ import annotations

from pathlib import Path

from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.scenario.files import is_file, shipped
from kolabsim.scenario.source import NOWHERE, Node, read_yaml

LIBRARY = "strategies.yaml"
"""The strategies that every scenario starts from."""


def shipped_names(kind: str) -> tuple[str, ...]:
    """Return the names of the ``scenarios`` or ``experiments`` that ship with kolabsim.

    A scenario without regions, which only serves as a parent, is not among them.
    """
    folder = shipped(kind)
    if kind == "experiments":
        return tuple(sorted(path.parent.name for path in folder.glob("*/experiment.yaml")))
    lineages = {path.stem: read_lineage(path, Problems()) for path in folder.glob("*.yaml")}
    keys = ("table", "synthetic")
    return tuple(
        name for name, trees in sorted(lineages.items())
        if any(tree.get("regions", key) for tree in trees.values() for key in keys)
    )  # fmt: skip


def find_scenario(source: str | Path) -> Path:
    """Return the file of a scenario, given its path or the name of a shipped one."""
    path = Path(source)
    if isinstance(source, Path) or path.suffix or path.name != source or is_file(path):
        return path
    named = shipped("scenarios") / f"{source}.yaml"
    if is_file(named):
        return named
    hint = suggestion(source, shipped_names("scenarios"))
    raise InputError.of(
        _("there is no scenario '{name}'{suggestion}"), name=source, suggestion=hint
    )


def read_tree(path: Path, problems: Problems) -> tuple[Node, list[Path]]:
    """Read a scenario over its parents and the library of strategies.

    Returns the merged tree and all files. Raises :class:`~kolabsim.errors.InputError` at once if a
    file is missing, because too much of the scenario would look wrong without it.
    """
    trees = read_lineage(path, problems)
    library = read_yaml(shipped("scenarios") / LIBRARY, problems)
    if library is None or not trees or _parent_name([*trees.values()][-1]):
        problems.raise_if_any()
    assert library is not None
    tree = library
    for child in reversed(trees.values()):
        tree = lay_over(tree, child)
    return tree, [*trees, shipped("scenarios") / LIBRARY]


def read_lineage(path: Path, problems: Problems) -> dict[Path, Node]:
    """Read a scenario's file, its parent's, and so on, as far as possible."""
    found: dict[Path, Node] = {}
    following: Path | None = path
    while following is not None:
        tree = read_yaml(following, problems)
        if tree is None:
            break
        found[following] = tree
        following = _find_parent(tree, problems)
        if following and following.resolve() in {earlier.resolve() for earlier in found}:
            names = " -> ".join(p.name for p in (*found, following))
            message = _("a scenario cannot extend itself: {names}")
            tree.add_problem(("extends",), message, problems, names=names)
            break
    return found


def _parent_name(tree: Node) -> str | None:
    extends = tree.get("extends")
    return extends.value if extends and isinstance(extends.value, str) else None


def _find_parent(tree: Node, problems: Problems) -> Path | None:
    name, folder = _parent_name(tree), shipped("scenarios")
    if name is None or tree.location.file is None:
        return None
    candidates = (tree.location.file.parent / name, folder / f"{name}.yaml")
    path = next((p for p in candidates if is_file(p)), None)
    if path is None:
        beside = [p.name for p in candidates[0].parent.glob("*.yaml")]
        names = [*beside, *(p.stem for p in folder.glob("*.yaml") if p.name != LIBRARY)]
        message, hint = _("there is no scenario '{name}'{suggestion}"), suggestion(name, names)
        tree.add_problem(("extends",), message, problems, name=name, suggestion=hint)
    return path


def lay_over(under: Node, over: Node) -> Node:
    """Return a scenario changed by another: synthetic regions replace a table, and vice versa."""
    of_table = ("table", "columns", "shapes", "shapes_code")
    for chosen, dropped in (("synthetic", of_table), ("table", ("synthetic",))):
        if over.get("regions", chosen):
            for key in dropped:
                if under.get("regions", key):
                    under = under.without(("regions", key))
    return under.merged(over)


def nest(key: str, node: Node, under: Node | None = None) -> Node:
    """Return a value under a dotted key; below ``parameters``, the rest is one name with dots.

    Where ``under``, the tree that it changes, has a list, a key without a position is that of each
    of its items: the intensity of a lever is that of all its phases.
    """
    first, _dot, rest = key.partition(".")
    parts = [first, rest] if first == "parameters" and rest else key.split(".")
    return _nest(parts, node, under)


def _nest(parts: list[str], node: Node, under: Node | None) -> Node:
    if not parts:
        return node
    part, *rest = parts
    items = {str(key): child for key, child in (under.children or {}).items()} if under else {}
    if under and under.is_list and items and not part.isdecimal():
        return Node(NOWHERE, children={key: _nest(parts, node, items[key]) for key in items})
    return Node(NOWHERE, children={part: _nest(rest, node, items.get(part))})
