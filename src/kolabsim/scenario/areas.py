"""Service areas of a scenario: those of its families, with its own changes and additions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, create_model

from kolabsim.errors import suggestion
from kolabsim.i18n import _
from kolabsim.model.areas import AREA_ATTRIBUTES, FAMILIES, Area
from kolabsim.model.levers import FORM_SETTINGS
from kolabsim.scenario.schema import OneOf, Section

if TYPE_CHECKING:
    from kolabsim.scenario.resolve import Resolver

AreaSettings = create_model(
    "AreaSettings",
    __base__=Section,
    __doc__="Attributes of a service area: all of a new area, or changes to one of a family.",
    source=(str | None, None),
    form=(
        Annotated[str, OneOf(FORM_SETTINGS)] | None,
        Field(default=None, description="legal form of new joint bodies in this area"),
    ),
    **{
        name: (float | None, Field(default=None, description=entry.meaning))
        for name, entry in AREA_ATTRIBUTES.items()
    },  # type: ignore[call-overload]
)
AreaName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def resolve_areas(
    families: Sequence[str], settings: Mapping[str, Section], known: Resolver
) -> dict[str, Area]:
    """Return the service areas by name: those of the families, changed, then the new ones."""
    areas: dict[str, Area] = {}
    for position, family in enumerate(families):
        for name, area in FAMILIES[family].items():
            if name in areas:
                message = _("area '{area}' is in an earlier family too; choose one of them")
                known.add_problem(("families", position), message, area=name)
            areas[name] = area
    of_families = tuple(areas)
    for name, attributes in settings.items():
        path = ("areas", name)
        given = {key: value for key, value in attributes if value is not None}
        for key, value in given.items():
            if key in AREA_ATTRIBUTES:
                known.check_number((*path, key), AREA_ATTRIBUTES[key], value)
        if name in areas:
            areas[name] = replace(areas[name], **given)
            continue
        needed = [key for key in AREA_ATTRIBUTES if key not in {*given, "cost_per_resident"}]
        if needed:
            message = _("not an area of the families{suggestion}; a new area needs {needed}")
            hint, names = suggestion(name, of_families), ", ".join(needed)
            known.add_problem(path, message, at_key=True, suggestion=hint, needed=names)
        areas[name] = Area(**{key: AREA_ATTRIBUTES[key].default for key in needed} | given)
    if not areas and known.is_valid("families") and known.is_valid("areas"):
        message = _("no service area; name 'families' ({families}) or describe 'areas'")
        known.add_problem((), message, families=", ".join(FAMILIES))
    return areas
