"""Service areas: their economics, and the families of areas that ship with kolabsim."""

from __future__ import annotations

from dataclasses import dataclass

from kolabsim.model.parameters import Parameter, number, share

AREA_ATTRIBUTES: dict[str, Parameter] = {
    "efficient_scale": number(60_000, "N^*", "people served at which a unit costs least",
                              unit="persons", least=1.0, title="efficient scale"),
    "curvature_below": number(0.19, r"\kappa^-", "rise of unit cost below efficient scale",
                              low=0.05, high=0.3, most=1.0,
                              title="rise of cost below efficient scale"),
    "curvature_above": number(0.02, r"\kappa^+", "rise of unit cost above efficient scale", low=0.0,
                              high=0.1, most=1.0, title="rise of cost above efficient scale"),
    "difficulty": share(0.3, "s", "difficulty of measuring the results of the service",
                        title="difficulty of measurement"),
    "spillover": number(0.03, r"\sigma",
                        "gain from serving together with all neighbours, share of cost", most=1.0,
                        title="spillover"),
    "haul": number(0.3, r"\eta", "rise of cost per 50 km between members", low=0.0, high=0.6,
                   most=10.0, title="cost of distance"),
    "cost_per_resident": number(1.0, "c", "yearly cost per resident at efficient scale",
                                unit="currency/person", least=1e-9, title="cost per resident"),
}  # fmt: skip
"""Attributes of a service area; defaults only set the ranges, as every area has its own values."""


@dataclass(frozen=True)
class Area:
    """A service area's economics: one number for each entry of :data:`AREA_ATTRIBUTES`."""

    efficient_scale: float
    curvature_below: float
    difficulty: float
    curvature_above: float = AREA_ATTRIBUTES["curvature_above"].default
    spillover: float = AREA_ATTRIBUTES["spillover"].default
    haul: float = 0.0
    cost_per_resident: float = 1.0
    source: str = "assumed"
    form: str = ""
    """Legal form of new joint bodies in it; empty where that of the scenario holds."""


_DUTCH = "niaounakis_blank_2017 for financial management, the rest assumed"
_PROVINCIAL = "assumed: Indonesian training and data centres work at the scale of provinces"
_KARTAMANTUL = "assumed after looking at Kartamantul: fitted, not validated"


def _administration(scales: tuple[float, float, float, float], source: str) -> dict[str, Area]:
    finance, procurement, training, technology = scales
    return {
        "finance": Area(finance, 0.19, 0.3, source=source),
        "procurement": Area(procurement, 0.12, 0.4, source=source),
        "training": Area(training, 0.08, 0.9, source=source),
        "technology": Area(technology, 0.14, 0.5, source=source),
    }


def _infrastructure(scale: float) -> Area:
    return Area(scale, 0.15, 0.2, spillover=0.3, haul=0.3, source=_KARTAMANTUL)


FAMILIES: dict[str, dict[str, Area]] = {
    "administration": _administration((60_000, 80_000, 30_000, 90_000), _DUTCH),
    "administration_indonesia": _administration(
        (300_000, 1_000_000, 1_000_000, 1_500_000), _PROVINCIAL
    ),
    "infrastructure": {
        "waste": _infrastructure(2_000_000),
        "wastewater": _infrastructure(2_000_000),
        "drinking_water": _infrastructure(1_500_000),
        "transport": _infrastructure(3_000_000),
    },
}
"""Families of areas: administration as calibrated on small municipalities, its Indonesian variant,
and the urban infrastructure that Indonesian joint bodies really share."""

AREA_TITLES: dict[str, str] = {
    "finance": "financial management",
    "procurement": "procurement",
    "training": "human-resource development",
    "technology": "information technology",
    "waste": "waste",
    "wastewater": "wastewater",
    "drinking_water": "drinking water",
    "transport": "public transport",
    "social_services": "social services",
    "sheltered_employment": "sheltered employment",
}
"""Titles of the areas of shipped scenarios."""
