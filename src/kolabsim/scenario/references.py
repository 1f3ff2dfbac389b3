"""What the lists of a scenario refer to: regions, groups, service areas, quarters.

Problems are told with the place in the file; what is referred to in vain is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kolabsim.errors import SHOWN, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.scenario.source import Node

Path = tuple[str | int, ...]
"""Where something is written within a scenario: keys and positions, outermost first."""


@dataclass(frozen=True)
class References:
    """Everything that a scenario's lists may refer to."""

    tree: Node
    problems: Problems
    codes: tuple[str, ...] | None
    """The regions there are; None where that is not known, and so nothing is told about it."""
    areas: tuple[str, ...]
    areas_known: bool
    horizon: int
    cap: int
    extended: bool
    """Whether there are extensions, which may declare more than is known yet."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.codes or ())

    def add_problem(self, path: Path, message: str, *, at_key: bool = False) -> None:
        """Note a problem with what is written at a path."""
        self.tree.add_problem(path, message, self.problems, at_key=at_key)

    def regions(self, names: Sequence[str], path: Path) -> tuple[str, ...]:
        """The codes that a list of codes and names of groups stands for, in order, each once."""
        found: dict[str, None] = {}
        for position, name in enumerate(names):
            members = self.groups.get(name, (name,))
            if name not in self.groups and self.codes is not None and name not in self._known:
                message = _("no region has the code '{code}'{suggestion}")
                few = len(self.problems.found) < SHOWN
                hint = suggestion(name, [*self.groups, *self.codes]) if few else ""
                self.add_problem((*path, position), message.format(code=name, suggestion=hint))
                continue
            for code in members:
                if code in found:
                    message = _("'{code}' is listed twice").format(code=code)
                    self.add_problem((*path, position), message)
                found[code] = None
        return tuple(sorted(found))

    def lists(
        self, lists: str | Sequence[Sequence[str]], path: Path, *, most: int | None = None
    ) -> str | tuple[tuple[str, ...], ...]:
        """Lists of regions that do not overlap, of two regions at least, or a word for them."""
        if isinstance(lists, str):
            return lists
        found, seen = [], {}
        for position, names in enumerate(lists):
            here = (*path, position)
            codes = self.regions(names, here)
            self.check_size(codes, here, most=most)
            for code in codes:
                if code in seen:
                    message = _("'{code}' is already in list {number} here")
                    self.add_problem(here, message.format(code=code, number=seen[code] + 1))
                seen[code] = position
            found.append(codes)
        return tuple(found)

    def check_size(self, codes: Sequence[str], path: Path, *, most: int | None = None) -> None:
        """See that a list has at least two regions, and no more than a joint body can have."""
        if len(codes) < 2:
            self.add_problem(path, _("at least two regions are needed here"))
        if most is not None and len(codes) > most:
            message = _("{number} regions; allowed: at most {most} (the scenario's cap)")
            self.add_problem(path, message.format(number=len(codes), most=most))

    def area_names(self, names: str | Iterable[str], path: Path) -> tuple[str, ...]:
        """The service areas that a list, or the word ``all``, stands for."""
        if isinstance(names, str):
            return self.areas
        for position, name in enumerate(names):
            self.check_area(name, (*path, position))
        return tuple(name for name in self.areas if name in names)

    def check_area(self, name: str, path: Path) -> None:
        """See that there is such a service area."""
        if self.areas_known and name not in self.areas:
            message = _("'{area}' is not a service area of this scenario{suggestion}")
            hint = suggestion(name, self.areas)
            self.add_problem(path, message.format(area=name, suggestion=hint))

    def until(self, first: int, until: int | None, path: Path) -> int:
        """The first quarter no longer in force, after ``first`` and within the horizon."""
        if first >= self.horizon:
            message = _("quarter {quarter} is not within the horizon of {horizon} quarters")
            self.add_problem((*path, "from"), message.format(quarter=first, horizon=self.horizon))
        if until is None:
            return self.horizon
        if until > self.horizon:
            message = _("quarter {quarter} is not within the horizon of {horizon} quarters")
            self.add_problem((*path, "until"), message.format(quarter=until, horizon=self.horizon))
        elif until <= first:
            message = _("must be later than 'from', which is {quarter}").format(quarter=first)
            self.add_problem((*path, "until"), message)
        return until
