"""One run, step by step, as Mesa's agents live it: for teaching."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.app.charts import network
from kolabsim.app.session import WHAT_IF, WhatIf, shared_services
from kolabsim.figures.formatting import choose_scale, count, decimal
from kolabsim.figures.labels import area_title, measure_title
from kolabsim.i18n import _, ngettext
from kolabsim.model.measures import MEASURES, STEPPER, shown_in

if TYPE_CHECKING:
    from kolabsim.engine.mesa_model import CollaborationModel

WATCHED = shown_in(STEPPER)
"""Measures of the quarter that are told."""
MOST_TOLD = 12
"""Most events of a step that are told."""


class Lesson:
    """Run number 0 of one's own strategy, quarter by quarter."""

    def __init__(self, of: WhatIf) -> None:
        from kolabsim.engine.mesa_model import CollaborationModel

        self.model: CollaborationModel = CollaborationModel(
            of.scenario, WHAT_IF, run=0, seed=of.settings.seed
        )
        self.events: list[str] = []

    @property
    def is_over(self) -> bool:
        """Whether the horizon is reached."""
        return self.model.quarter >= self.model.simulated.horizon

    def step(self, quarters: int = 1) -> None:
        """Let some quarters pass, and note what joint bodies begin, change or end."""
        before = self._bodies()
        for _quarter in range(quarters):
            self.model.step()
        after = self._bodies()
        self.events = [_("{body} begins").format(body=body) for body in after if body not in before]
        self.events += [_("{body} ends").format(body=body) for body in before if body not in after]

    def _bodies(self) -> list[str]:
        """The joint bodies as they stand, in words: one with other members is another."""
        regions = self.model.simulated.regions
        name = dict(zip(regions.codes, regions.names, strict=True))
        return [
            f"{area_title(body['area'])}: {', '.join(name[code] for code in body['members'])}"
            for body in self.model.agreements()
        ]

    @property
    def when(self) -> str:
        """How far the run is."""
        scenario, quarter = self.model.simulated, self.model.quarter
        year = scenario.start_year + quarter // 4
        return _(
            "Quarter {quarter} of {horizon}: the beginning of quarter {part} of {year}"
        ).format(
            quarter=count(quarter), horizon=count(scenario.horizon), part=quarter % 4 + 1, year=year
        )

    def picture(self) -> str:
        """Who shares services with whom now."""
        links = shared_services(self.model.state.slot["body"])
        alt = _("Regions that share services now")
        return network(self.model.simulated.regions, links, alt)

    def told(self) -> str:
        """The quarter's measures, and what happened, as parts of a page."""
        rows = []
        for name in WATCHED:
            value = self.model.measures.get(name, np.nan)
            scale = choose_scale(MEASURES[name].unit, [value], difference=False)
            text = count(value) if scale.divisor == 1.0 else scale.text(value)
            rows.append(f"<tr><th>{escape(measure_title(name))}</th><td>{text}</td></tr>")
        shown = self.events[:MOST_TOLD]
        left = len(self.events) - len(shown)
        items = "".join(f"<li>{escape(event)}</li>" for event in shown)
        if left:
            more = ngettext("and {number} more", "and {number} more", left)
            items += f"<li>{escape(more.format(number=decimal(left, 0)))}</li>"
        nothing = _("No joint body begins or ends.")
        items = items or f"<li>{escape(nothing)}</li>"
        return f"<table class=told>{''.join(rows)}</table><ul class=events>{items}</ul>"
