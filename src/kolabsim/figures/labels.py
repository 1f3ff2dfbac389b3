"""Titles of everything that figures, reports and the page name, in the current language.

Titles are declared with what they describe, in :mod:`kolabsim.model` and
:mod:`kolabsim.study.factors`; this module translates them and adds units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kolabsim.analysis.comparison import NET_BENEFIT, PROGRAMME
from kolabsim.analysis.statistics import (
    BETTER,
    DEPENDS,
    DIFFERENT,
    GAINS,
    LIKELY,
    LOSES,
    ROBUST,
    SAME,
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
from kolabsim.i18n import _, language, ngettext
from kolabsim.model.areas import AREA_ATTRIBUTES, AREA_TITLES
from kolabsim.model.levers import FORM_TITLES, STRUCTURE_TITLES, SUPPORTERS
from kolabsim.model.measures import CHANNELS, MEASURES
from kolabsim.model.parameters import PARAMETERS
from kolabsim.study.design import DUMMY
from kolabsim.study.factors import GROUPS, list_factors

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.analysis.statistics import Criteria
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.factors import Factor
    from kolabsim.study.spec import Outcome

BARE_UNITS = ("", "1", "0..1", "share")
"""Units of factors that are not shown after a number."""


def capitalise(text: str) -> str:
    """A title with a capital, to begin a line."""
    return text[:1].upper() + text[1:]


def uncapitalise(title: str) -> str:
    """A title within a sentence; abbreviations keep their capitals."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def wrap_lines(text: str, width: int, most: int = 6) -> str:
    """Break a text into lines of at most ``width`` characters; an ellipsis ends the last one."""
    return "\n".join(wrap(text, width, max_lines=most, placeholder="…"))


def add_unit(title: str, scale: Scale) -> str:
    """A title with its unit, for an axis or a head."""
    return f"{title} ({scale.label})" if scale.label else title


# Comparisons ------------------------------------------------------------------------------------


def measure_title(measure: str) -> str:
    """Title of a measure."""
    return capitalise(_(MEASURES[measure].title))


def measure_label(measure: str, scale: Scale) -> str:
    """Title of a measure with its unit."""
    return add_unit(measure_title(measure), scale)


def measure_hint(measure: str, scale: Scale) -> str:
    """Unit of a measure, and a hint if less of it is better."""
    if MEASURES[measure].better < 0:
        return _("{unit}; less is better").format(unit=scale.label)
    return scale.label


def strategy_title(comparison: Comparison, name: str) -> str:
    """Title of a strategy."""
    return comparison.scenario.strategy_titles(language())[name]


def channel_title(name: str) -> str:
    """Title of a channel of net benefit."""
    title = MEASURES["programme_cost"].title if name == PROGRAMME else CHANNELS[name].title
    return capitalise(_(title))


def area_title(name: str) -> str:
    """Title of a service area; that of a user is its name."""
    return capitalise(_(AREA_TITLES[name])) if name in AREA_TITLES else name


def choose_measure_scale(comparison: Comparison, measure: str, table: pd.DataFrame) -> Scale:
    """Choose the scale of differences; ``table`` has columns difference, low and high."""
    difference, low, high = (
        table[name].to_numpy(np.float64, na_value=np.nan) for name in ("difference", "low", "high")
    )
    return choose_scale(
        MEASURES[measure].unit, [*difference, *low, *high], (high - low) / 2.0,
        currency=comparison.scenario.currency,
    )  # fmt: skip


def choose_winner_scale(comparison: Comparison) -> Scale:
    """Choose the scale of gains and losses of regions: at most two decimals of a per cent."""
    table = comparison.regions()
    return choose_measure_scale(comparison, NET_BENEFIT, table).with_decimals(most=2)


class Judged(Protocol):
    """A result with verdicts, over plausible futures or in one: a comparison or an outlook."""

    @property
    def criteria(self) -> Criteria:
        """When a difference matters, and in how many futures it must hold."""

    @property
    def is_varied(self) -> bool:
        """Whether it is over plausible futures."""


def verdict_labels(comparison: Comparison) -> dict[str, str]:
    """Meanings of the marks of differences."""
    baseline = strategy_title(comparison, comparison.baseline)
    return over_futures(comparison, {
        BETTER: _("better than {baseline}").format(baseline=baseline),
        DIFFERENT: _("different, neither better nor worse"),
        SAME: hardly(comparison),
        WORSE: _("worse than {baseline}").format(baseline=baseline),
    })  # fmt: skip


def over_futures(comparison: Judged, plain: Mapping[str, str]) -> dict[str, str]:
    """Meanings of the marks of a comparison, from those of single futures.

    The order is that of legends: what is good first, then what is open, then what is bad.
    """
    criteria, found = comparison.criteria, dict[str, str]()
    in_futures = _("{verdict}, in at least {share} of futures")
    for word, text in plain.items():
        if word == SAME:
            found[SAME] = text
            found[DEPENDS] = _("depends on assumptions")
            found[UNDECIDED] = _("undecided: chance leaves it open")
        elif not comparison.is_varied:
            found[word] = text
        else:
            levels = [(ROBUST, criteria.robust), (LIKELY, criteria.likely)]
            for names, share in levels if word not in (WORSE, LOSES) else levels[::-1]:
                found[names[word]] = in_futures.format(verdict=text, share=percent(share))
    return found if comparison.is_varied else {n: t for n, t in found.items() if n != DEPENDS}


def hardly(comparison: Judged) -> str:
    """What it is to hardly change: by how much at most."""
    threshold = f"{significant(100.0 * comparison.criteria.threshold)}%"
    return _("hardly changes: by {threshold} of cost at most").format(threshold=threshold)


def winner_labels(comparison: Judged) -> dict[str, str]:
    """Meanings of the marks of regions that gain or lose."""
    return over_futures(
        comparison, {GAINS: _("gains"), SAME: hardly(comparison), LOSES: _("loses")}
    )


# Experiments ------------------------------------------------------------------------------------


def factor_title(factor: Factor) -> str:
    """Title of a factor."""
    parts = factor.name.split(".")
    if parts[0] == "areas":
        return f"{area_title(parts[1])}: {_(AREA_ATTRIBUTES[parts[2]].title)}"
    if factor.name in STRUCTURE_TITLES:
        return capitalise(_(STRUCTURE_TITLES[factor.name]))
    title = capitalise(_(factor.meaning).rstrip(".").replace("``", ""))
    if factor.group in ("targets", "budgets"):
        return f"{capitalise(_(SUPPORTERS[parts[1]].title))}: {uncapitalise(title)}"
    return title


def setting_title(scenario: Scenario, name: str) -> str:
    """Title of a setting of a future, by its dotted name."""
    factor = list_factors(scenario).get(name)
    return name if factor is None else factor_title(factor)


def assumption_title(scenario: Scenario, name: str, together: Sequence[str] = ()) -> str:
    """Title of an assumption: a setting of futures, and those that always move with it."""
    title = setting_title(scenario, name)
    kind, *parts = name.split(".")
    if not together:
        return title
    if kind == "areas" and all(other.endswith(f".{parts[-1]}") for other in together):
        text = _("{attribute} in all service areas together (value: {area})")
        attribute = capitalise(_(AREA_ATTRIBUTES[parts[-1]].title))
        return text.format(attribute=attribute, area=area_title(parts[0]))
    text = ngettext(
        "{title}, with {number} setting that moves with it",
        "{title}, with {number} settings that move with it",
        len(together),
    )
    return text.format(title=title, number=count(len(together)))


def outcome_title(experiment: Experiment[Any], outcome: Outcome) -> str:
    """Title of an outcome."""
    title = measure_title(outcome.measure)
    if outcome.quarter is not None:
        title = _("{measure} after {number} quarters").format(
            measure=title, number=count(outcome.quarter + 1)
        )
    if outcome.is_spread:
        title = _("Spread over runs: {measure}").format(measure=title)
    if experiment.reference is not None and len(experiment.strategies) == 1:
        other = experiment.scenario.strategy_titles(language())[experiment.reference]
        title = _("{measure} against “{other}”").format(measure=title, other=other)
    elif experiment.kind in ("sensitivity", "sweep") and len(experiment.strategies) > 1:
        titles = experiment.scenario.strategy_titles(language())
        one, other = (titles[name] for name in experiment.strategies)
        title = _("{measure}: {one} less {other}").format(measure=title, one=one, other=other)
    return title


@dataclass(frozen=True)
class Labels:
    """Titles and units of the parts of an experiment.

    Titles are written as within a sentence. Factors, strategies and choices that have no title
    here keep their names; measures always have their declared titles and units.

    Examples
    --------
    >>> from kolabsim.figures import Labels
    >>> labels = Labels(factors={"parameters.startup_cost": "start-up cost"})
    >>> labels.factor("parameters.startup_cost"), labels.outcome("trust")
    ('start-up cost', 'trust')
    """

    factors: Mapping[str, str] = field(default_factory=dict)
    """Titles of factors and groups of factors."""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    """Titles of outcomes."""
    strategies: Mapping[str, str] = field(default_factory=dict)
    """Titles of strategies."""
    choices: Mapping[Any, str] = field(default_factory=dict)
    """Titles of the options of factors that are choices."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Units of factors, and of outcomes that are no measures."""
    at: Mapping[str, Callable[[float], Any]] = field(default_factory=dict)
    """The value of a factor at a position between 0 and 1 of its range."""
    currency: str = ""
    """Code of the scenario's currency; '' for cost units."""

    @classmethod
    def from_experiment(cls, experiment: Experiment[Any]) -> Labels:
        """Labels of an experiment, in the current language."""
        scenario = experiment.scenario
        factors = {f"parameters.{name}": _(entry.meaning) for name, entry in PARAMETERS.items()}
        factors |= {name: _(title) for name, title in GROUPS.items()}
        factors |= {factor.name: factor_title(factor) for factor in experiment.factors}
        outcomes = {one.name: outcome_title(experiment, one) for one in experiment.outcomes}
        outcomes = {name: uncapitalise(title) for name, title in outcomes.items()}
        if experiment.kind == "search":
            years = decimal(scenario.horizon / 4.0, 0)
            outcomes["programme_cost"] = _("programme cost over {years} years").format(years=years)
        units = {f"parameters.{name}": entry.unit for name, entry in PARAMETERS.items()}
        units |= {one.name: MEASURES[one.measure].unit for one in experiment.outcomes}
        return cls(
            factors={name: uncapitalise(title) for name, title in factors.items()},
            outcomes=outcomes,
            strategies=scenario.strategy_titles(language()),
            choices={name: _(title) for name, title in FORM_TITLES.items()},
            units=units | {factor.name: factor.unit for factor in experiment.factors},
            at={factor.name: factor.at for factor in experiment.factors},
            currency=scenario.currency,
        )

    def factor(self, name: str) -> str:
        """Title of a factor or group."""
        return _("a factor without effect") if name == DUMMY else self.factors.get(name, name)

    def outcome(self, name: str) -> str:
        """Title of an outcome."""
        known = _(MEASURES[name].title) if name in MEASURES else name
        return self.outcomes.get(name, known) or _("the outcome")

    def strategy(self, name: str) -> str:
        """Title of a strategy."""
        return self.strategies.get(name, name)

    def choice(self, value: object) -> str:
        """Title of an option of a factor that is a choice."""
        return self.choices.get(value, str(value).replace("_", " "))

    def axis(self, name: str) -> str:
        """A factor with its unit, for an axis."""
        title, unit = capitalise(self.factor(name)), self.units.get(name, "")
        return title if unit in BARE_UNITS else f"{title} ({_(unit)})"

    def number(self, name: str, value: float) -> str:
        """A value of a factor with its unit."""
        text, unit = significant(value), self.units.get(name, "")
        return text if unit in BARE_UNITS else f"{text}{SPACE}{_(unit)}"

    def scale(
        self,
        outcome: str,
        values: ArrayLike,
        errors: ArrayLike = (),
        *,
        difference: bool,
    ) -> Scale:
        """Choose the scale of values of an outcome, or of differences of it."""
        unit = MEASURES[outcome].unit if outcome in MEASURES else self.units.get(outcome, "1")
        return choose_scale(unit, values, errors, currency=self.currency, difference=difference)

    def head(self, outcome: str, scale: Scale) -> str:
        """An outcome with its unit, for an axis or a head."""
        return add_unit(capitalise(self.outcome(outcome)), scale)


PLAIN = Labels()
"""Labels that leave all names as they are."""
