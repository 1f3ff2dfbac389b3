"""Sets of services to start from: what they were made for, and what they cost if that is known."""

from __future__ import annotations

from dataclasses import dataclass

from kolabsim.errors import Problems
from kolabsim.i18n import N_
from kolabsim.model.areas import FAMILIES, Area
from kolabsim.scenario.files import shipped
from kolabsim.scenario.source import read_yaml


@dataclass(frozen=True)
class Preset:
    """Service areas that belong together."""

    title: str
    families: tuple[str, ...]
    made_for: str
    """The regions whose costs these services have."""
    priced_by: str = ""
    """Shipped scenario with assumed prices, and the currency."""

    @property
    def areas(self) -> dict[str, Area]:
        """The service areas by name."""
        return {name: area for family in self.families for name, area in FAMILIES[family].items()}

    def prices(self) -> tuple[dict[str, float], str]:
        """Return the assumed cost per resident of each area, and its currency; {} if unknown."""
        if not self.priced_by:
            return {}, ""
        tree = read_yaml(shipped("scenarios") / self.priced_by, Problems())
        found = tree.plain() if tree else {}
        assert isinstance(found, dict)
        prices = {name: float(area["cost_per_resident"]) for name, area in found["areas"].items()}
        return {name: prices[name] for name in self.areas}, str(found["currency"])


PRESETS: dict[str, Preset] = {
    "administration": Preset(
        N_("administration of municipalities"),
        ("administration",),
        N_("Dutch municipalities"),
    ),
    "indonesia": Preset(
        N_("urban infrastructure and administration of Indonesian districts"),
        ("infrastructure", "administration_indonesia"),
        N_("regencies and cities of Indonesia"),
        "indonesia.yaml",
    ),
    "administration_indonesia": Preset(
        N_("administration of Indonesian districts"),
        ("administration_indonesia",),
        N_("regencies and cities of Indonesia"),
        "indonesia.yaml",
    ),
    "infrastructure": Preset(
        N_("urban infrastructure"),
        ("infrastructure",),
        N_("metropolitan areas of Indonesia"),
        "indonesia.yaml",
    ),
}
"""Presets by name; their sources stand at the families (:data:`kolabsim.model.areas.FAMILIES`)."""
