"""A comparison over plausible futures or in one, with titles and numbers that pages repeat."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kolabsim.analysis.comparison import NET_BENEFIT
from kolabsim.analysis.plausible import PER_COST
from kolabsim.figures.formatting import Scale, choose_scale
from kolabsim.figures.labels import choose_measure_scale, strategy_title
from kolabsim.i18n import _
from kolabsim.report.page import Picture
from kolabsim.report.ranges import words_of
from kolabsim.report.wording import fill

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.figures.style import Figure


class View:
    """What the sections of a page look at: a comparison, by default its result.

    That is over plausible futures if there are any, and else in the first future.
    """

    def __init__(self, comparison: Comparison, future: str | None = None) -> None:
        """Look at a comparison, in a future or at its result."""
        self.comparison, self.scenario = comparison, comparison.scenario
        self.is_varied = comparison.is_varied and future is None
        """Whether numbers are medians and ranges over plausible futures."""
        self.future = None if self.is_varied else future or comparison.futures[0]
        """The future whose numbers are shown; None over plausible futures."""
        self.order = comparison.order(future=self.future)
        """Strategies without the baseline, the best first."""
        self.best = self.order[0]
        self.net = comparison.table(NET_BENEFIT, future=self.future)
        """Differences in realised net benefit, by strategy."""
        self.scale = choose_measure_scale(comparison, NET_BENEFIT, self.net)
        self.has_futures = len(comparison.futures) > 1
        self.has_winners = len(comparison.winners) > 0
        self.regions = comparison.regions(future=self.future)
        """Gains and losses of regions."""
        self.money = comparison.money(future=self.future)
        """Costs and savings."""
        self.losers = comparison.losers(future=self.future)
        """The regions that lose."""
        self.gainers = comparison.gainers(future=self.future)
        """The regions that gain."""
        found = comparison.same_money if future is None else None
        self.same_money = None if found is None or not len(found) else found.set_index("strategy")
        """Strategies at the cost of one of them, by name; None if there are none."""
        self.number = len(comparison.plausible)
        """Number of plausible futures."""
        self.named = [name for name in comparison.futures if name not in comparison.plausible]
        """Futures that are not plausible ones."""

    def share(self, row: pd.Series, name: str = "better_share") -> str:
        """How often something is better: in how many futures, or in which share of runs."""
        if not self.is_varied:
            return fill(_("{share} of runs"), share=float(row[name]))
        futures = int(row["futures"])
        number = round(float(row[name]) * futures)
        return fill(_("{number} of {futures} futures"), number=number, futures=futures)

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
            "runs": self.comparison.runs, "futures": self.number, "range": self.range,
        } | words_of(self.comparison.criteria)  # fmt: skip

    @property
    def range(self) -> str:
        """The name of the range beside a number."""
        if not self.is_varied:
            return fill(_("{level} interval"), level=self.comparison.level)
        return _("plausible range")

    def here(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of this future."""
        return table[table["future"] == self.future]

    @property
    def cost_scale(self) -> Scale:
        """The scale of costs and savings."""
        table = self.money
        money = table[table["item"] != PER_COST]
        errors = (money["high"] - money["low"]) / 2.0
        return choose_scale("currency", money["value"], errors, currency=self.scenario.currency)
