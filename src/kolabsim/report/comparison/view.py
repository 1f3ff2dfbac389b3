"""A comparison in one of its futures, with the titles and numbers that its page repeats."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.figures.formatting import Scale, choose_scale
from kolabsim.figures.labels import choose_measure_scale, strategy_title
from kolabsim.report.page import Picture
from kolabsim.report.wording import fill

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.figures.style import Figure


class View:
    """What the sections of a page look at: a comparison, in its first future by default."""

    def __init__(self, comparison: Comparison, future: str | None = None) -> None:
        """Look at a comparison in a future."""
        self.comparison, self.scenario = comparison, comparison.scenario
        self.future = comparison.futures[0] if future is None else future
        self.order = comparison.order(future=self.future)
        """Strategies without the baseline, the best first."""
        self.best = self.order[0]
        self.net = comparison.table(NET_BENEFIT, future=self.future)
        """Differences in realised net benefit, by strategy."""
        self.scale = choose_measure_scale(comparison, NET_BENEFIT, self.net)
        self.has_futures = len(comparison.futures) > 1
        self.has_winners = len(comparison.winners) > 0

    def title(self, name: str) -> str:
        """Title of a strategy."""
        return strategy_title(self.comparison, name)

    def fill(self, text: str, **values: Any) -> str:
        """Fill the places of a text; baseline, best strategy, level and runs are known."""
        return fill(text, **(self.words | values))

    def picture(
        self, draw: Callable[[], Figure], alt: str, caption: str, name: str, **values: Any
    ) -> Picture:
        """A picture whose texts have the places of :meth:`fill`."""
        return Picture(draw, alt, caption, name, **(self.words | values))

    @property
    def words(self) -> dict[str, Any]:
        """The values of places that many texts have."""
        return {
            "baseline": self.title(self.comparison.baseline), "strategy": self.title(self.best),
            "level": self.comparison.level, "runs": self.comparison.runs,
        }  # fmt: skip

    def here(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of this future."""
        return table[table["future"] == self.future]

    @property
    def cost_scale(self) -> Scale:
        """The scale of costs and savings."""
        table = self.here(self.comparison.costs)
        money = table[table["item"] != "saving_per_cost"]
        errors = (money["high"] - money["low"]) / 2.0
        return choose_scale("currency", money["value"], errors, currency=self.scenario.currency)
