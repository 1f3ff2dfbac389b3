"""Resolving the names in a scenario: regions, groups, service areas, quarters, files.

A :class:`Resolver` replaces a name by what it refers to. A name that refers to nothing is a problem
at its place in the file, and is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kolabsim.errors import SHOWN, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.parameters import Parameter
from kolabsim.scenario.schema import LARGEST, LONGEST, Model, WrittenAs
from kolabsim.scenario.source import Node, NodePath, format_value


class Resolver:
    """Everything that the names in a scenario may refer to, known step by step.

    ``tree`` is the scenario without its invalid parts, and ``written`` the whole one. Files that
    are resolved join the ``files`` that have been read.
    """

    horizon: int = LONGEST
    cap: int
    start_year: int
    has_tiers: bool = True
    """Whether regions belong to higher tiers, which may pay."""
    extended: bool
    """Whether there are extension files, which may declare more than is known yet."""

    def __init__(
        self, tree: Node, written: Node, problems: Problems, files: Iterable[Path]
    ) -> None:
        self.tree, self.written, self.problems = tree, written, problems
        self.files = dict.fromkeys(files)
        self.areas: tuple[str, ...] = ()
        self.groups: Mapping[str, tuple[str, ...]] = {}
        self.codes: dict[str, None] | None = None
        """Codes of the regions; None if unknown, which suspends the checks of codes."""

    def is_valid(self, *path: str) -> bool:
        """Whether validation left everything at this path in place."""
        return self.tree.get(*path) == self.written.get(*path)

    def add_problem(self, path: NodePath, message: str, /, **words: Any) -> None:
        """Add a problem with the value at a path, as :meth:`Node.add_problem` does."""
        self.tree.add_problem(path, message, self.problems, **words)

    def locate_file(self, *path: str | int) -> Path:
        """Return the absolute path of a file, which a scenario names relative to itself."""
        node = self.tree.get(*path)
        assert node is not None
        folder = node.location.file.parent if node.location.file else Path()
        return Path(folder / str(node.value)).absolute()

    def file(self, *path: str | int) -> Path:
        """Like :meth:`locate_file`, and count it among the files of the scenario."""
        found = self.locate_file(*path)
        self.files[found] = None
        return found

    def regions_or_word(self, names: str | Sequence[str], path: NodePath) -> str | tuple[str, ...]:
        """Like :meth:`regions`, of a list; a word stands for itself."""
        return names if isinstance(names, str) else self.regions(names, path)

    def regions(self, names: Sequence[str], path: NodePath) -> tuple[str, ...]:
        """Return the sorted codes that a list of codes and names of groups stands for."""
        found: dict[str, None] = {}
        for position, name in enumerate(names):
            here = (*path, position)
            if name not in self.groups and self.codes is not None and name not in self.codes:
                few = len(self.problems.found) < SHOWN
                hint = suggestion(name, [*self.groups, *self.codes]) if few else ""
                message = _("no region has the code '{code}'{suggestion}")
                self.add_problem(here, message, code=name, suggestion=hint)
                continue
            for code in self.groups.get(name, (name,)):
                if code in found:
                    self.add_problem(here, _("'{code}' is listed twice"), code=code)
                found[code] = None
        return tuple(sorted(found))

    def lists(
        self, lists: str | Sequence[Sequence[str]], path: NodePath, *, most: int | None = None
    ) -> str | tuple[tuple[str, ...], ...]:
        """Return disjoint lists of at least two regions each; a word stands for itself."""
        if isinstance(lists, str):
            return lists
        found: list[tuple[str, ...]] = []
        list_of: dict[str, int] = {}
        for position, names in enumerate(lists):
            here = (*path, position)
            codes = self.regions(names, here)
            self.check_size(codes, here, most=most)
            for code in codes:
                if code in list_of:
                    message = _("'{code}' is already in list {number} here")
                    self.add_problem(here, message, code=code, number=list_of[code] + 1)
                list_of[code] = position
            found.append(codes)
        return tuple(found)

    def pieces(
        self, lists: str | Sequence[Sequence[str]], path: NodePath
    ) -> str | tuple[tuple[str, ...], ...]:
        """Like :meth:`lists`, each no larger than a joint body."""
        return self.lists(lists, path, most=self.cap)

    def check_size(self, codes: Sequence[str], path: NodePath, *, most: int | None = None) -> None:
        """Check that a list has at least two regions, and no more than a joint body may have."""
        if len(codes) < 2:
            self.add_problem(path, _("at least two regions are needed here"))
        if most is not None and len(codes) > most:
            message = _("{number} regions; allowed: at most {most} (the scenario's cap)")
            self.add_problem(path, message, number=len(codes), most=most)

    def area_names(self, names: str | Sequence[str], path: NodePath) -> tuple[str, ...]:
        """Return the service areas that a list, or the word ``all``, stands for."""
        if isinstance(names, str):
            return self.areas
        for position, name in enumerate(names):
            self.check_area(name, (*path, position))
        return tuple(name for name in self.areas if name in names)

    def check_area(self, name: str, path: NodePath) -> None:
        """Check that a service area exists."""
        is_known = self.is_valid("families") and self.is_valid("areas")
        if is_known and name not in self.areas:
            message = _("'{area}' is not a service area of this scenario{suggestion}")
            hint = suggestion(name, self.areas)
            self.add_problem(path, message, area=name, suggestion=hint)

    def check_payer(self, payer: str | None, path: NodePath) -> None:
        """Check that the payer exists in these regions."""
        if payer == "tier" and not self.has_tiers:
            message = _(
                "these regions have no higher tier that could pay; give them a column 'tier', or "
                "another payer"
            )
            self.add_problem((*path, "paid_by"), message)

    def until(self, first: int, until: int | None, path: NodePath) -> int:
        """Return the first quarter no longer in force: after ``first``, within the horizon."""
        outside = _("quarter {quarter} is not within the horizon of {horizon} quarters")
        if first >= self.horizon:
            self.add_problem((*path, "from"), outside, quarter=first, horizon=self.horizon)
        if until is None:
            return self.horizon
        if until > self.horizon:
            self.add_problem((*path, "until"), outside, quarter=until, horizon=self.horizon)
        elif until <= first:
            message = _("must be later than 'from', which is {quarter}")
            self.add_problem((*path, "until"), message, quarter=first)
        return until

    def check_number(self, path: NodePath, entry: Parameter, value: float) -> None:
        """Check a number against the bounds of a parameter or of an attribute of areas."""
        most = min(entry.most, LARGEST)
        if max(entry.least, -LARGEST) <= value <= most:
            return
        unit = "" if entry.unit == "1" else f" {_(entry.unit)}"
        message = _(
            "{value} is not allowed; allowed: {least} to {most}{unit}"
            " (sensitivity analyses try {low} to {high})"
        )
        if math.isinf(entry.most) and value < most:
            message = _(
                "{value} is not allowed; allowed: at least {least}{unit}"
                " (sensitivity analyses try {low} to {high})"
            )
        bounds = {name: f"{getattr(entry, name):g}" for name in ("least", "low", "high")}
        bounds["most"] = f"{most:g}"
        self.add_problem(path, message, value=format_value(value), unit=unit, **bounds)


def resolve_fields(section: Model, path: NodePath, known: Resolver) -> Model:
    """Return a copy of a section whose fields are resolved as their :class:`WrittenAs` says."""
    found = {
        name: one.resolve(known, getattr(section, name), (*path, field.alias or name))
        for name, field in type(section).model_fields.items()
        for one in field.metadata
        if isinstance(one, WrittenAs) and one.resolve
    }
    return section.model_copy(update=found)
