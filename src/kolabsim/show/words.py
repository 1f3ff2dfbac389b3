"""What things are called, and how their numbers are written, in the language spoken now."""

from __future__ import annotations

from dataclasses import replace
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.compare import (
    BETTER,
    DIFFERENT,
    GAINS,
    LOSES,
    NET_BENEFIT,
    PROGRAMME,
    UNDECIDED,
    WORSE,
)
from kolabsim.language import _, language
from kolabsim.model.areas import AREA_TITLES
from kolabsim.model.measures import CHANNELS, MEASURES
from kolabsim.show.numbers import Scale, percent, scale_of

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.compare import Comparison


def title_of(measure: str) -> str:
    """What a measure is called, with a capital."""
    return capital(_(MEASURES[measure].title))


def capital(text: str) -> str:
    """A text that begins a line."""
    return text[:1].upper() + text[1:]


def strategy_title(comparison: Comparison, name: str) -> str:
    """What a strategy is called, in the language spoken now."""
    return comparison.scenario.strategies[name].title(language())


def channel_title(name: str) -> str:
    """What a channel is called."""
    title = MEASURES["programme_cost"].title if name == PROGRAMME else CHANNELS[name].title
    return capital(_(title))


def area_title(name: str) -> str:
    """What a service area is called."""
    return capital(_(AREA_TITLES[name])) if name in AREA_TITLES else name


def label_of(measure: str, scale: Scale) -> str:
    """A measure and its unit."""
    title = title_of(measure)
    return f"{title} ({scale.label})" if scale.label else title


def hint_of(measure: str, scale: Scale) -> str:
    """The unit of a measure, and where better lies when it is not to the right."""
    if MEASURES[measure].better < 0:
        return _("{unit}; less is better").format(unit=scale.label)
    return scale.label


def measure_scale(comparison: Comparison, measure: str, table: pd.DataFrame) -> Scale:
    """How differences of a measure are written; ``table`` has difference, low and high."""
    return scale_of(
        MEASURES[measure].unit,
        np.concatenate([table["difference"], table["low"], table["high"]]),
        (table["high"] - table["low"]) / 2.0,
        currency=comparison.scenario.currency,
    )


def winner_scale(comparison: Comparison) -> Scale:
    """How the gains and losses of regions are written: two decimals of a per cent at most."""
    scale = measure_scale(comparison, NET_BENEFIT, comparison.winners)
    return replace(scale, decimals=min(scale.decimals, 2))


def verdict_words(comparison: Comparison) -> dict[str, str]:
    """What the marks of differences mean."""
    words = {
        "baseline": strategy_title(comparison, comparison.baseline),
        "level": percent(comparison.level),
    }
    return {
        BETTER: _("better than {baseline}").format(**words),
        WORSE: _("worse than {baseline}").format(**words),
        DIFFERENT: _("different, neither better nor worse"),
        UNDECIDED: _("the {level} interval includes no difference").format(**words),
    }


def winner_words(comparison: Comparison) -> dict[str, str]:
    """What the marks of winners and losers mean."""
    level = percent(comparison.level)
    return {
        GAINS: _("gains"),
        LOSES: _("loses"),
        UNDECIDED: _("undecided: the {level} interval includes no difference").format(level=level),
    }


def wrapped(text: str, width: int) -> str:
    """A text broken into lines of so many characters."""
    return "\n".join(wrap(text, width))
