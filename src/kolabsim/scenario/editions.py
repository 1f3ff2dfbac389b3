"""Scenario files of the first edition of the model, read as files of the second."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace

from kolabsim.errors import EditionWarning, Problem, shown
from kolabsim.i18n import _, ngettext
from kolabsim.model.first_edition import FIRST_EDITION
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.source import Node


def update_edition(tree: Node) -> Node:
    """Return the tree of a scenario with parameters of the first edition under their new names.

    Those without effect are left out; one warning lists everything that changed. A file is of the
    first edition if it names a parameter that only the first edition had, because some names are
    in both with another meaning.
    """
    parameters = tree.get("parameters")
    if parameters is None or not parameters.is_mapping:
        return tree
    given = {str(name): node for name, node in (parameters.children or {}).items()}
    former = FIRST_EDITION.keys() - PARAMETERS.keys()
    files = {node.location.file for name, node in given.items() if name in former}
    changed = [
        name for name, node in given.items()
        if node.location.file in files
        and (name in former or (name in FIRST_EDITION and FIRST_EDITION[name].because))
    ]  # fmt: skip
    if not changed:
        return tree
    names: dict[str | int, Node] = {n: node for n, node in given.items() if n not in changed}
    keys: dict[str | int, Node] = dict(tree.children or {})
    for name in changed:
        successor = FIRST_EDITION[name].name
        if successor in PARAMETERS:
            names.setdefault(successor, given[name])
        elif successor:
            keys.setdefault(successor, given[name])
    at = next(given[name] for name in changed if name in former)
    place = at.key or at.location
    file = None if place.file is None else shown(place.file)
    text = _("this scenario is of the first edition of the model: {changes}")
    text = text.format(changes=describe_changes(changed))
    warnings.warn(str(Problem(text, file, place.line)), EditionWarning, stacklevel=4)
    keys["parameters"] = replace(parameters, children=names)
    return replace(tree, children=keys)


def describe_changes(names: Iterable[str]) -> str:
    """Return what became of parameters of the first edition, as part of a sentence.

    >>> describe_changes(["team_negotiation", "attention_interest"])
    "'team_negotiation' is now 'team_strength'; 'attention_interest' has no effect any more (the \
second edition of the model has no such effect)"
    """
    parts, without_effect = [], dict[str, list[str]]()
    for name in names:
        one = FIRST_EDITION[name]
        if one.because:
            without_effect.setdefault(one.because, []).append(f"'{name}'")
        elif one.name in PARAMETERS:
            parts.append(_("'{old}' is now '{new}'").format(old=name, new=one.name))
        else:
            text = _("'{name}' is a key of the scenario now, outside 'parameters'")
            parts.append(text.format(name=name))
    for because, some in without_effect.items():
        text = ngettext(
            "{names} has no effect any more ({because})",
            "{names} have no effect any more ({because})",
            len(some),
        )
        parts.append(text.format(names=", ".join(some), because=_(because)))
    return "; ".join(parts)
