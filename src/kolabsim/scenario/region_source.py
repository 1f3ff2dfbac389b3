"""The section ``regions`` of a scenario: a table, or synthetic regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kolabsim.i18n import _
from kolabsim.scenario.regions import Columns, Regions, read_table, usual_scale
from kolabsim.scenario.resolve import Resolver
from kolabsim.scenario.schema import Section
from kolabsim.scenario.shapes import read_shapes
from kolabsim.scenario.synthetic import Synthetic


class RegionSource(Section):
    """Source of the regions: a table, or synthetic regions."""

    table: str | None = None
    """CSV file, relative to the file that names it."""
    columns: Columns = Columns()
    shapes: str | None = None
    """GeoJSON file or shapefile with the shapes of the table's regions, relative to the file that
    names it. For maps only: it has no effect on results."""
    shapes_code: str = "code"
    """Property of its features that holds the code of a region."""
    synthetic: Synthetic | None = None

    def _check_scales(self, regions: Regions, known: Resolver) -> None:
        """Check that columns of culture have a scale; propose that of the table."""
        for position, column in enumerate(self.columns.culture):
            if column.scale is None and known.is_valid("regions"):
                message = _(
                    "missing: the difference that is usual between two regions, such as "
                    "the standard deviation of the column over many regions{proposal}"
                )
                proposal, number = "", usual_scale(regions.culture[:, position])
                if number:
                    proposal = _("; that of this table is {number}: write scale: {number}")
                path = ("regions", "columns", "culture", position, "scale")
                known.add_problem(path, message, proposal=proposal.format(number=number))

    def resolve(self, known: Resolver) -> Regions | None:
        """Return the regions; None, after adding the problem, if there are none."""
        if (self.table is None) == (self.synthetic is None):
            if known.is_valid("regions"):
                message = _("give either a 'table' or 'synthetic', and not both")
                known.add_problem(("regions",), message)
            return None
        if self.synthetic:
            if self.shapes is not None:
                message = _("only the regions of a table have shapes")
                known.add_problem(("regions", "shapes"), message, at_key=True)
            if self.synthetic.tiers > self.synthetic.number:
                message = _("there cannot be more tiers than regions, of which there are {number}")
                message = message.format(number=self.synthetic.number)
                known.add_problem(("regions", "synthetic", "tiers"), message)
                return None
            return self.synthetic.generate(known.areas)
        table = known.file("regions", "table")
        regions = read_table(table, self.columns, known.areas, known.problems)
        if regions is not None:
            self._check_scales(regions, known)
        if self.shapes is None or regions is None:
            return regions
        places = np.column_stack([regions.longitude, regions.latitude]) if regions.placed else None
        file = known.file("regions", "shapes")
        shapes = read_shapes(file, self.shapes_code, regions.codes, places, known.problems)
        return replace(regions, shapes=shapes)
