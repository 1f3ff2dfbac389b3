"""From what is written in a scenario to what it means: areas, regions, contacts, strategies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.errors import Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model.areas import AREA_ATTRIBUTES, FAMILIES, Area
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.scenario.references import References
from kolabsim.scenario.regions import Contacts, Regions, read_contacts, read_table, synthetic
from kolabsim.scenario.schema import LONGEST, ScenarioText, validate
from kolabsim.scenario.shapes import read_shapes
from kolabsim.scenario.source import LARGEST_YAML, Node, as_written, read_bytes
from kolabsim.scenario.strategy import (
    Strategy,
    settle_bodies,
    settle_change,
    settle_levers,
    settle_mandates,
    settle_strategy,
)

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario

BASELINE = "voluntary"
"""The strategy in which nothing is done."""


class Settling:
    """Settles the parts of a scenario one after the other, and notes all their problems."""

    def __init__(
        self,
        tree: Node,
        files: Iterable[Path],
        problems: Problems,
        rule_parameters: Mapping[str, Parameter] | None,
        earlier: Scenario | None = None,
    ) -> None:
        self.problems, self.written = problems, tree
        self.files = dict.fromkeys(files)
        self.rule_parameters, self.earlier = rule_parameters, earlier
        self.tree, self.text = validate(tree, problems, ScenarioText)

    def _add_problem(
        self, path: tuple[str | int, ...], message: str, *, at_key: bool = False
    ) -> None:
        self.tree.add_problem(path, message, self.problems, at_key=at_key)

    def _is_whole(self, *path: str) -> bool:
        """Whether nothing that is written here had to be set aside."""
        return self.tree.get(*path) == self.written.get(*path)

    def scenario(self) -> dict[str, object]:
        """The fields of the scenario; to be used only if there are no problems."""
        text = self.text
        areas = self._areas()
        extensions = self._extensions()
        parameters = self._parameters()
        before = len(self.problems.found)
        regions = self._regions(tuple(areas))
        sound = len(self.problems.found) == before
        known = References(
            tree=self.tree,
            problems=self.problems,
            codes=regions.codes if regions and self._is_whole("groups") else None,
            areas=tuple(areas),
            areas_known=self._is_whole("families") and self._is_whole("areas"),
            horizon=text.horizon if self._is_whole("horizon") else LONGEST,
            cap=text.cap,
            extended=bool(text.extensions),
        )
        known = replace(known, groups=self._groups(known))
        self._check_columns(known)
        contacts = self._contacts(regions)
        if regions and sound:
            self._check_places(regions, areas, contacts)
        changes = [
            settle_change(change, ("changes", position), known)
            for position, change in enumerate(text.changes)
        ]
        if text.population:
            changes.insert(0, settle_change(text.population, ("population",), known))
        strategies = {
            name: settle_strategy(name, strategy, ("strategies", name), known)
            for name, strategy in text.strategies.items()
        }
        self._check_baseline(strategies)
        as_written = (
            "form", "shares", "consent", "decision", "unit_cost", "trust", "cap", "horizon",
            "start_year", "currency",
        )  # fmt: skip
        return {key: getattr(text, key) for key in as_written} | {
            "regions": regions,
            "areas": areas,
            "parameters": parameters,
            "contacts": contacts,
            "groups": known.groups,
            "bodies": settle_bodies(text.bodies, text.form, known),
            "changes": tuple(changes),
            "mechanisms": settle_levers(text, "mechanisms", (), known),
            "support": settle_levers(text, "support", (), known),
            "mandates": settle_mandates(text, (), known),
            "strategies": strategies,
            "extensions": extensions,
            "files": tuple(self.files),
            "titles": text.title,
            "descriptions": text.description,
        }

    def _path(self, *keys: str | int) -> Path:
        """A path as it is written somewhere, from the folder of the file it is written in."""
        node = self.tree.get(*keys)
        folder = node.place.file.parent if node.place.file else Path()
        return Path(folder / node.value).absolute()

    def _areas(self) -> dict[str, Area]:
        areas: dict[str, Area] = {}
        for position, family in enumerate(self.text.families):
            for name, area in FAMILIES[family].items():
                if name in areas:
                    message = _("area '{area}' is in an earlier family too; choose one of them")
                    self._add_problem(("families", position), message.format(area=name))
                areas[name] = area
        of_families = tuple(areas)
        for name, text in self.text.areas.items():
            path = ("areas", name)
            given = {key: value for key, value in text if value is not None}
            for key, value in given.items():
                if key != "source":
                    self._check_number((*path, key), AREA_ATTRIBUTES[key], value)
            if name in areas:
                areas[name] = replace(areas[name], **given)
                continue
            needed = [key for key in AREA_ATTRIBUTES if key not in {*given, "cost_per_resident"}]
            if needed:
                message = _("not an area of the families{suggestion}; a new area needs {needed}")
                hint = suggestion(name, of_families)
                message = message.format(suggestion=hint, needed=", ".join(needed))
                self._add_problem(path, message, at_key=True)
            areas[name] = Area(**{key: AREA_ATTRIBUTES[key].default for key in needed} | given)
        if not areas and self._is_whole("families") and self._is_whole("areas"):
            message = _("no service area; name 'families' ({families}) or describe 'areas'")
            self._add_problem((), message.format(families=", ".join(FAMILIES)))
        return areas

    def _check_number(self, path: tuple[str | int, ...], entry: Parameter, value: float) -> None:
        if entry.least <= value <= entry.most:
            return
        unit = "" if entry.unit == "1" else f" {_(entry.unit)}"
        if math.isinf(entry.most):
            message = _(
                "{value} is not allowed; allowed: at least {least}{unit}"
                " (sensitivity analyses try {low} to {high})"
            )
        else:
            message = _(
                "{value} is not allowed; allowed: {least} to {most}{unit}"
                " (sensitivity analyses try {low} to {high})"
            )
        bounds = {name: f"{getattr(entry, name):g}" for name in ("least", "most", "low", "high")}
        self._add_problem(path, message.format(value=as_written(value), unit=unit, **bounds))

    def _parameters(self) -> dict[str, float]:
        """The settings of parameters, and whether there is such a decision rule."""
        from kolabsim.model.decision_rules import BUILT_IN
        from kolabsim.model.declare import ACTING, CUSTOM_MEASURES, RULES, TARGET_RULES

        own = self.rule_parameters
        if own is None:
            known = (RULES, ACTING, TARGET_RULES, CUSTOM_MEASURES)
            own = {
                name: entry
                for part in known
                for of in part.values()
                for name, entry in of.settable.items()
            }
        text = self.text
        if not text.extensions and text.decision not in RULES:
            message = _("no decision rule '{name}'{suggestion}; your own rules need 'extensions'")
            hint = suggestion(text.decision, BUILT_IN)
            self._add_problem(("decision",), message.format(name=text.decision, suggestion=hint))
        for name, value in text.parameters.items():
            path, entry = ("parameters", name), PARAMETERS.get(name) or own.get(name)
            if entry is not None:
                self._check_number(path, entry, value)
            elif not text.extensions or name.partition(".")[0] in BUILT_IN or "." not in name:
                message = _("not a parameter{suggestion}")
                hint = suggestion(name, [*PARAMETERS, *own])
                self._add_problem(path, message.format(suggestion=hint), at_key=True)
        return dict(text.parameters)

    def _extension(self, position: int) -> Path:
        """The file of an extension: beside what names it, or of an installed package."""
        from kolabsim.model.load import installed

        name = self.tree.get("extensions", position).value
        found = None if name.endswith(".py") else installed(name)
        return found or self._path("extensions", position)

    def _extensions(self) -> tuple[Path, ...]:
        written = self.tree.get("extensions")
        positions = written.children if self.text.extensions else ()
        paths = {position: self._extension(position) for position in positions}
        for position, path in paths.items():
            found = Problems()
            read_bytes(path, LARGEST_YAML, found)
            for problem in found.found:
                self._add_problem(("extensions", position), f"{problem.file}: {problem.message}")
        self.files |= dict.fromkeys(paths.values())
        return tuple(paths.values())

    def _regions(self, areas: tuple[str, ...]) -> Regions | None:
        text = self.text.regions
        if (text.table is None) == (text.synthetic is None):
            if self._is_whole("regions"):
                message = _("give either a 'table' or 'synthetic', and not both")
                self._add_problem(("regions",), message)
            return None
        same = self.earlier and tuple(self.earlier.areas) == areas
        if same and self.earlier._tree.get("regions") == self.tree.get("regions"):
            return self.earlier.regions
        if text.synthetic:
            if text.shapes is not None:
                message = _("only the regions of a table have shapes")
                self._add_problem(("regions", "shapes"), message, at_key=True)
            if text.synthetic.tiers > text.synthetic.number:
                message = _("there cannot be more tiers than regions, of which there are {number}")
                path = ("regions", "synthetic", "tiers")
                self._add_problem(path, message.format(number=text.synthetic.number))
                return None
            return synthetic(**dict(text.synthetic), areas=areas)
        path = self._path("regions", "table")
        self.files[path] = None
        return self._shaped(read_table(path, text.columns, areas, self.problems))

    def _shaped(self, regions: Regions | None) -> Regions | None:
        """Regions with the shapes that they have on a map."""
        text = self.text.regions
        if text.shapes is None or regions is None:
            return regions
        path = self._path("regions", "shapes")
        self.files[path] = None
        return replace(regions, shapes=read_shapes(path, text.shapes_code, regions, self.problems))

    def _check_columns(self, known: References) -> None:
        """See that columns stand for service areas that there are."""
        for kind in ("capacity_by_area", "interests"):
            for area in getattr(self.text.regions.columns, kind):
                known.check_area(area, ("regions", "columns", kind, area))

    def _groups(self, known: References) -> dict[str, tuple[str, ...]]:
        groups = {}
        for name, codes in self.text.groups.items():
            if name in (known.codes or ()):
                message = _("'{name}' is the code of a region, and cannot name a group")
                self._add_problem(("groups", name), message.format(name=name), at_key=True)
            groups[name] = known.regions(codes, ("groups", name))
        return groups

    def _contacts(self, regions: Regions | None) -> Contacts:
        text, rows = self.text.contacts, ()
        if (
            self.earlier
            and self.earlier.regions is regions
            and (self.earlier._tree.get("contacts", "list") == self.tree.get("contacts", "list"))
        ):
            rows = self.earlier.contacts.list
        elif text.list_ is not None:
            path = self._path("contacts", "list")
            self.files[path] = None
            rows = read_contacts(path, regions.codes if regions else None, self.problems)
        made_up = self.text.regions.synthetic is not None
        return Contacts(text.nearest, rows, text.borders or ("places" if made_up else "listed"))

    def _check_places(
        self, regions: Regions, areas: Mapping[str, Area], contacts: Contacts
    ) -> None:
        """See that nothing needs the places of regions where the table has none."""
        if regions.placed:
            return
        message = _("must be 0, because the table gives no latitude and longitude")
        if contacts.nearest and len(regions) > 1:
            self._add_problem(("contacts", "nearest"), message)
        if contacts.borders == "places":
            message_places = _("must be listed, because the table gives no latitude and longitude")
            self._add_problem(("contacts", "borders"), message_places)
        for name, area in areas.items():
            if area.haul:
                self._add_problem(("areas", name, "haul"), message)
        if any(row.distance_km is None for row in contacts.list):
            message = _("each needs a distance_km, because the table gives no latitude, longitude")
            self._add_problem(("contacts", "list"), message)

    def _check_baseline(self, strategies: Mapping[str, Strategy]) -> None:
        if BASELINE not in strategies and self._is_whole("strategies"):
            message = _("the strategy '{name}', in which nothing is done, is missing")
            self._add_problem(("strategies",), message.format(name=BASELINE))
        baseline = strategies.get(BASELINE, Strategy(name=BASELINE))
        if baseline.levers or baseline.mandates:
            message = _(
                "nothing is done in this strategy; write what is always done outside strategies"
            )
            self._add_problem(("strategies", BASELINE), message)
