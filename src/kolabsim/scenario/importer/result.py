"""What an import gives: regions, shapes, neighbours, and the record of all decisions."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kolabsim.scenario.importer.decisions import Decision
from kolabsim.scenario.importer.sheets import Geometry

if TYPE_CHECKING:
    import pandas as pd

TABLE, CONTACTS, SHAPES, RECORD = "regions.csv", "contacts.csv", "shapes.geojson", "import.json"
"""Names of the files of an import."""


@dataclass(frozen=True)
class Source:
    """The file that was read."""

    name: str
    sha256: str
    """Hash of its content, and of the files beside a shapefile."""


@dataclass(frozen=True, eq=False)
class Imported:
    """Regions that were read from a table or map, and what was decided on the way."""

    regions: pd.DataFrame
    """A row for each region: ``code`` and ``name`` (texts), ``population`` in persons, and
    ``tier``, ``area_km2``, ``latitude``, ``longitude`` and ``price`` where the source has them."""
    others: pd.DataFrame
    """The other columns of the source, in the order of the regions; numbers are numbers."""
    shapes: Mapping[str, Geometry]
    """Surfaces by code, as geometries of GeoJSON in degrees; empty without a map."""
    neighbours: pd.DataFrame
    """Pairs of regions with a common land border: ``code_a``, ``code_b``, ``border_km``."""
    decisions: tuple[Decision, ...]
    """Every decision, in the order in which they were made."""
    columns: Mapping[str, str]
    """The column of the source for each attribute."""
    source: Source
    answers: Mapping[str, Any] = field(default_factory=dict)
    """The answers that the user gave."""

    @property
    def questions(self) -> tuple[Decision, ...]:
        """The decisions that need an answer before the regions can be used."""
        return tuple(one for one in self.decisions if one.needs_answer)

    @property
    def borders(self) -> list[tuple[str, str, float]] | None:
        """Pairs of codes with a common border, and its length in km; None without shapes."""
        if not self.shapes:
            return None
        return list(self.neighbours.itertuples(index=False, name=None))

    def only(self, codes: Collection[str]) -> Imported:
        """Return the import with these regions only; its decisions stay those of all."""
        kept = self.regions["code"].isin(list(codes)).to_numpy()
        pairs = self.neighbours
        both = pairs["code_a"].isin(list(codes)) & pairs["code_b"].isin(list(codes))
        return replace(
            self,
            regions=self.regions[kept].reset_index(drop=True),
            others=self.others[kept].reset_index(drop=True),
            shapes={code: shape for code, shape in self.shapes.items() if code in codes},
            neighbours=pairs[both].reset_index(drop=True),
        )

    def to_json(self) -> str:
        """Return every decision, answer and the hash of the source, the same in every language.

        ``read(source, decisions=...)`` repeats an import by it, also of next year's file.
        """
        content = {
            "source": {"name": self.source.name, "sha256": self.source.sha256},
            "answers": dict(self.answers),
            "columns": dict(self.columns),
            "regions": len(self.regions),
            "population": self.regions["population"].sum().item(),
            "decisions": [one.to_json() for one in self.decisions],
        }
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    def files(self) -> dict[str, bytes]:
        """Return the content of a study's files by name.

        ``regions.csv`` is UTF-8 with commas; ``contacts.csv`` and ``shapes.geojson`` are there only
        for a map; ``import.json`` is :meth:`to_json`.
        """
        import pandas as pd

        table = pd.concat([self.regions, self.others], axis=1)
        found = {TABLE: table.to_csv(index=False, lineterminator="\n").encode()}
        if self.shapes:
            pairs = self.neighbours.assign(land="yes")[["code_a", "code_b", "land", "border_km"]]
            found[CONTACTS] = pairs.to_csv(index=False, lineterminator="\n").encode()
            features = [
                {"type": "Feature", "properties": {"code": code}, "geometry": geometry}
                for code, geometry in self.shapes.items()
            ]
            collection = {"type": "FeatureCollection", "features": features}
            found[SHAPES] = (json.dumps(collection, ensure_ascii=False) + "\n").encode()
        found[RECORD] = self.to_json().encode()
        return found
