"""Which studies may share a folder: one rule for all kinds of experiments."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kolabsim.i18n import _

CONTINUES = frozenset((
    "question", "quick", "measures", "baseline", "against", "threshold", "outcome", "outcomes",
    "practical_threshold", "robust", "likely", "strategies", "futures", "plausible", "structures",
    "runs", "detail", "samples", "until", "most", "surrogate", "levels", "population",
    "generations", "frontier",
    "kind", "seed", "scenario", "set",
))  # fmt: skip
"""Keys of an experiment's file that may change within a folder: how much is simulated, and what is
shown of it. The last four are compared as what they stand for."""


@dataclass(frozen=True)
class Identity:
    """What decides which runs may be in one folder."""

    kind: str
    seed: int
    code: str
    """The hash of all code that decides a number."""
    spec: Mapping[str, Any] = field(default_factory=dict)
    """The keys of the experiment's file."""
    extensions: Mapping[str, str] = field(default_factory=dict)
    """The hash of each file of user-defined code, with what it imports."""
    worlds: Mapping[str, str] = field(default_factory=dict)
    """The hash of the scenario under each strategy."""
    version: str = field(default_factory=lambda: str(sys.modules["kolabsim"].__version__))

    def over(self, before: Identity) -> Identity:
        """It, with the code and worlds that another study of the same folder used besides."""
        extensions = {**before.extensions, **self.extensions}
        return replace(self, extensions=extensions, worlds={**before.worlds, **self.worlds})

    def differences(self, before: Identity) -> str:
        """What keeps this study from continuing another one, in words; empty if nothing does."""
        if before.kind != self.kind:
            text = _("they are those of a {there}, and this is a {here}")
            return text.format(there=_(before.kind), here=_(self.kind))
        if before.code != self.code:
            text = _("another version of the model made them (kolabsim {version}, {code})")
            return text.format(version=before.version, code=before.code)
        if before.seed != self.seed:
            return _("they have seed {seed}").format(seed=before.seed)
        changed = [name for name, hash in self.extensions.items()
                   if before.extensions.get(name, hash) != hash]  # fmt: skip
        if changed:
            text = _("user-defined code has changed: {names}")
            return text.format(names=", ".join(changed))
        keys = (before.spec.keys() | self.spec.keys()) - CONTINUES
        changed = sorted(key for key in keys if before.spec.get(key) != self.spec.get(key))
        if changed:
            return _("these keys had other values: {names}").format(names=", ".join(changed))
        worlds = before.worlds
        return changed_worlds([n for n, hash in self.worlds.items() if worlds.get(n, hash) != hash])


def changed_worlds(strategies: Collection[str]) -> str:
    """The strategies for which the scenario was another one, in words; empty if there are none."""
    text = _("the scenario has changed for: {names}")
    return text.format(names=", ".join(strategies)) if strategies else ""
