"""What things are called, and how their numbers are written, in the language spoken now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import (
    BETTER,
    DIFFERENT,
    GAINS,
    LOSES,
    NET_BENEFIT,
    PROGRAMME,
    UNDECIDED,
    WORSE,
)
from kolabsim.figures.formatting import (
    SPACE,
    Scale,
    choose_scale,
    count,
    decimal,
    percent,
    significant,
)
from kolabsim.i18n import _, language
from kolabsim.model.areas import AREA_ATTRIBUTES, AREA_TITLES
from kolabsim.model.levers import STRUCTURE_TITLES, SUPPORTERS
from kolabsim.model.measures import CHANNELS, MEASURES
from kolabsim.model.parameters import PARAMETERS
from kolabsim.study.design import DUMMY
from kolabsim.study.factors import GROUPS, factors_of

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.factors import Factor
    from kolabsim.study.spec import Outcome

BARE_UNITS = ("", "1", "0..1", "share")
"""Units of factors that are not written after a number."""


def measure_title(measure: str) -> str:
    """What a measure is called, with a capital."""
    return capitalise(_(MEASURES[measure].title))


def capitalise(text: str) -> str:
    """A text that begins a line."""
    return text[:1].upper() + text[1:]


def strategy_title(comparison: Comparison, name: str) -> str:
    """What a strategy is called, in the language spoken now."""
    return comparison.scenario.strategies[name].title(language())


def channel_title(name: str) -> str:
    """What a channel is called."""
    title = MEASURES["programme_cost"].title if name == PROGRAMME else CHANNELS[name].title
    return capitalise(_(title))


def area_title(name: str) -> str:
    """What a service area is called."""
    return capitalise(_(AREA_TITLES[name])) if name in AREA_TITLES else name


def setting_title(scenario: Scenario, name: str) -> str:
    """What a setting of a future is called, by its dotted name."""
    factor = factors_of(scenario).get(name)
    return name if factor is None else factor_title(factor)


def measure_label(measure: str, scale: Scale) -> str:
    """A measure and its unit."""
    title = measure_title(measure)
    return f"{title} ({scale.label})" if scale.label else title


def measure_hint(measure: str, scale: Scale) -> str:
    """The unit of a measure, and where better lies when it is not to the right."""
    if MEASURES[measure].better < 0:
        return _("{unit}; less is better").format(unit=scale.label)
    return scale.label


def choose_measure_scale(comparison: Comparison, measure: str, table: pd.DataFrame) -> Scale:
    """How differences of a measure are written; ``table`` has difference, low and high."""
    return choose_scale(
        MEASURES[measure].unit,
        np.concatenate([table["difference"], table["low"], table["high"]]),
        (table["high"] - table["low"]) / 2.0,
        currency=comparison.scenario.currency,
    )


def choose_winner_scale(comparison: Comparison) -> Scale:
    """How the gains and losses of regions are written: two decimals of a per cent at most."""
    scale = choose_measure_scale(comparison, NET_BENEFIT, comparison.winners)
    return scale.with_decimals(most=2)


def verdict_labels(comparison: Comparison) -> dict[str, str]:
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


def winner_labels(comparison: Comparison) -> dict[str, str]:
    """What the marks of winners and losers mean."""
    level = percent(comparison.level)
    return {
        GAINS: _("gains"),
        LOSES: _("loses"),
        UNDECIDED: _("undecided: the {level} interval includes no difference").format(level=level),
    }


def wrap_lines(text: str, width: int) -> str:
    """A text broken into lines of so many characters."""
    return "\n".join(wrap(text, width))


def add_unit(title: str, scale: Scale) -> str:
    """A title and a unit, as they stand on an axis or in a head."""
    return f"{title} ({scale.label})" if scale.label else title


# Experiments --------------------------------------------------------------------------------------


def factor_title(factor: Factor) -> str:
    """What a factor is called."""
    parts = factor.name.split(".")
    if parts[0] == "areas":
        return f"{area_title(parts[1])}: {_(AREA_ATTRIBUTES[parts[2]].title)}"
    if factor.name in STRUCTURE_TITLES:
        return capitalise(_(STRUCTURE_TITLES[factor.name]))
    title = capitalise(_(factor.meaning).rstrip(".").replace("``", ""))
    if factor.group in ("targets", "budgets"):
        return f"{capitalise(_(SUPPORTERS[parts[1]].title))}: {uncapitalise(title)}"
    return title


def titles_of(experiment: Experiment) -> dict[str, str]:
    """What factors, groups and parameters of futures are called, by name."""
    found = {f"parameters.{name}": capitalise(_(p.meaning)) for name, p in PARAMETERS.items()}
    found |= {name: capitalise(_(title)) for name, title in GROUPS.items()}
    return found | {factor.name: factor_title(factor) for factor in experiment.factors}


def outcome_title(experiment: Experiment, outcome: Outcome) -> str:
    """What an outcome is called."""
    title = measure_title(outcome.measure)
    if outcome.quarter is not None:
        title = _("{measure} after {number} quarters").format(
            measure=title, number=count(outcome.quarter + 1)
        )
    if outcome.is_spread:
        title = _("Spread over runs: {measure}").format(measure=title)
    if experiment.kind == "sensitivity" and len(experiment.strategies) > 1:
        one, other = (
            experiment.scenario.strategies[name].title(language()) for name in experiment.strategies
        )
        title = _("{measure}: {one} less {other}").format(measure=title, one=one, other=other)
    return title


def uncapitalise(title: str) -> str:
    """A title as it stands within a sentence; names in capitals stay as they are."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


@dataclass(frozen=True)
class Labels:
    """What the parts of an experiment are called, and how their numbers are written.

    Titles stand as they do within a sentence. What is not named here keeps its own name; the
    titles and units of measures are known.
    """

    factors: Mapping[str, str] = field(default_factory=dict)
    """Titles of factors and groups of factors."""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    """Titles of outcomes."""
    strategies: Mapping[str, str] = field(default_factory=dict)
    """Titles of strategies."""
    choices: Mapping[object, str] = field(default_factory=dict)
    """Titles of the words that factors are set to."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Units of factors, and of outcomes that are no measures."""
    at: Mapping[str, Callable[[float], object]] = field(default_factory=dict)
    """The value of a factor at a place between 0 and 1."""
    currency: str = ""
    """That of the scenario; '' for cost units."""
    beyond: str = ""
    """What outcomes are differences to, if they are differences."""

    @classmethod
    def from_experiment(cls, experiment: Experiment) -> Labels:
        """Labels of an experiment, in the current language."""
        outcomes = {
            one.name: uncapitalise(outcome_title(experiment, one)) for one in experiment.outcomes
        }
        if experiment.kind == "search":
            years = decimal(experiment.scenario.horizon / 4.0, 0)
            outcomes["programme_cost"] = _("programme cost over {years} years").format(years=years)
        units = {f"parameters.{name}": entry.unit for name, entry in PARAMETERS.items()}
        units |= {one.name: MEASURES[one.measure].unit for one in experiment.outcomes}
        return cls(
            factors={name: uncapitalise(title) for name, title in titles_of(experiment).items()},
            outcomes=outcomes,
            strategies={
                name: strategy.title(language())
                for name, strategy in experiment.scenario.strategies.items()
            },
            units=units | {factor.name: factor.unit for factor in experiment.factors},
            at={factor.name: factor.at for factor in experiment.factors},
            currency=experiment.scenario.currency,
        )

    def factor(self, name: str) -> str:
        """What a factor or group is called."""
        return _("a factor that changes nothing") if name == DUMMY else self.factors.get(name, name)

    def outcome(self, name: str) -> str:
        """What an outcome is called."""
        known = _(MEASURES[name].title) if name in MEASURES else name
        return self.outcomes.get(name, known) or _("the outcome")

    def strategy(self, name: str) -> str:
        """What a strategy is called."""
        return self.strategies.get(name, name)

    def choice(self, value: object) -> str:
        """What a word that a factor is set to is called."""
        return self.choices.get(value, str(value).replace("_", " "))

    def axis(self, name: str) -> str:
        """A factor with its unit, as it stands on an axis."""
        title, unit = capitalise(self.factor(name)), self.units.get(name, "")
        return title if unit in BARE_UNITS else f"{title} ({unit})"

    def number(self, name: str, value: float) -> str:
        """A value of a factor with its unit."""
        text, unit = significant(value), self.units.get(name, "")
        return text if unit in BARE_UNITS else f"{text}{SPACE}{unit}"

    def scale(
        self,
        outcome: str,
        values: np.ndarray,
        errors: np.ndarray | Sequence[float] = (),
        *,
        difference: bool,
    ) -> Scale:
        """How values of an outcome, or differences of it, are written."""
        unit = MEASURES[outcome].unit if outcome in MEASURES else self.units.get(outcome, "1")
        return choose_scale(
            unit, np.ravel(values), np.ravel(errors), currency=self.currency,
            difference=difference or bool(self.beyond),
        )  # fmt: skip

    def head(self, outcome: str, scale: Scale) -> str:
        """An outcome with its unit, for the head of a column or an axis."""
        return add_unit(capitalise(self.outcome(outcome)), scale)


PLAIN = Labels()
"""Everything by its own name."""
