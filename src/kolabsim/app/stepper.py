"""One run of the user's strategy, quarter by quarter, as Mesa's agents live it: for teaching."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, cast

import numpy as np

from kolabsim.app.charts import Chart, network
from kolabsim.app.session import YOURS, Session, shared_services
from kolabsim.app.texts import Told
from kolabsim.engine.ensemble import build_task
from kolabsim.figures.formatting import choose_scale, count
from kolabsim.figures.labels import area_title, measure_title
from kolabsim.i18n import _, ngettext
from kolabsim.model.measures import MEASURES, STEPPER, shown_in
from kolabsim.report.history import event_sentence, listed_events, listed_reasons, moment
from kolabsim.study.replay import Replay, replay_task
from kolabsim.study.tasks import DEFAULT_FUTURE

if TYPE_CHECKING:
    from kolabsim.engine.mesa_model import CollaborationModel

WATCHED = shown_in(STEPPER)
"""Measures of a quarter that are shown."""
MOST_EVENTS = 12
"""Most events of a step that are shown."""


class Stepper:
    """Run 0 of the user's strategy, which advances by quarters."""

    def __init__(self, session: Session) -> None:
        from kolabsim.engine.mesa_model import CollaborationModel

        scenario, seed = session.first_world
        self.model: CollaborationModel = CollaborationModel(scenario, YOURS, run=0, seed=seed)
        self._events: list[str] = []
        self._lock = Lock()
        self._seed = seed
        self._histories: dict[str, Replay] = {}

    @property
    def is_over(self) -> bool:
        """Whether the run has reached its horizon."""
        return self.model.quarter >= self.model.simulated.horizon

    def step(self, quarters: int = 1) -> None:
        """Simulate some quarters, and note which joint bodies begin, change or end.

        Steps that are asked for while another one is under way wait for it.
        """
        with self._lock:
            before = self._bodies()
            for _quarter in range(quarters):
                self.model.step()
            after = self._bodies()
            begun = [_("{body} begins").format(body=body) for body in after if body not in before]
            ended = [_("{body} ends").format(body=body) for body in before if body not in after]
            self._events = begun + ended

    def tell(self, region: str) -> list[Told]:
        """The events of a region up to the present quarter, the last first, with their reasons.

        The whole run is replayed when a region is first asked for, because a run that is replayed
        is the same run.
        """
        with self._lock:
            if region not in self._histories:
                scenario = self.model.simulated
                task = build_task(scenario, scenario.strategies[YOURS], seed=self._seed)
                self._histories[region] = replay_task(
                    scenario, task, strategy=YOURS, run=0, future=DEFAULT_FUTURE, regions=[region]
                )
        found = self._histories[region]
        return [
            Told(
                f"{moment(found, row.quarter)} · {area_title(row.area)}",
                event_sentence(found, row), listed_reasons(found, row),
            )
            for row in reversed(listed_events(found, region, None, self.model.quarter))
        ]  # fmt: skip

    def _bodies(self) -> list[str]:
        """The present joint bodies in words; with other members, a body is another one."""
        regions = self.model.simulated.regions
        names = dict(zip(regions.codes, regions.labels, strict=True))
        found = []
        for body in self.model.agreements():
            area, members = area_title(cast(str, body["area"])), cast(list[str], body["members"])
            provider = cast("str | None", body["provider"])
            listed = ", ".join(names[code] for code in members if code != provider)
            text = _("{area}: {members}")
            if provider is not None:
                text = _("{area}: {provider} serves {members}")
            filled = {"area": area, "members": listed, "provider": names.get(provider or "", "")}
            found.append(text.format(**filled))
        return found

    @property
    def moment(self) -> str:
        """The present quarter in words."""
        scenario, quarter = self.model.simulated, self.model.quarter
        text = _("After {quarter} of {horizon} quarters: start of quarter {part} of {year}")
        return text.format(
            quarter=count(quarter), horizon=count(scenario.horizon), part=quarter % 4 + 1,
            year=scenario.start_year + quarter // 4,
        )  # fmt: skip

    def chart(self) -> Chart:
        """The network of regions that share services now."""
        slot = self.model.state.slot
        links = shared_services(slot["body"], slot["role"])
        return network(self.model.simulated.regions, links, _("Regions that share services now"))

    def measures(self) -> list[tuple[str, str]]:
        """The measures of the quarter: titles and values."""
        rows = []
        for name in WATCHED:
            value = self.model.measures.get(name, np.nan)
            scale = choose_scale(MEASURES[name].unit, [value], difference=False)
            text = count(value) if scale.divisor == 1.0 else scale.text(value)
            rows.append((measure_title(name), text))
        return rows

    def events(self) -> list[str]:
        """The events of the last step in words."""
        left = len(self._events) - MOST_EVENTS
        found = self._events[:MOST_EVENTS] or [_("No joint body begins or ends.")]
        if left > 0:
            more = ngettext("and {number} more", "and {number} more", left)
            found = [*found, more.format(number=count(left))]
        return found
