"""Phrases that reports of every kind share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from kolabsim.figures.formatting import UNDEFINED, Scale, count, percent
from kolabsim.figures.labels import outcome_title, uncapitalise
from kolabsim.i18n import _, language, ngettext

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.factors import Factor

T = TypeVar("T")

LISTED = 5
"""Most names in a sentence."""


def write(value: str | float) -> str:
    """Write a value: a whole number as a count, any other as a percentage, a text as it is."""
    if isinstance(value, str):
        return value
    return count(value) if isinstance(value, (int, np.integer)) else percent(value)


def fill(text: str, **values: Any) -> str:
    """Fill the places of a text with values as :func:`write` writes them.

    >>> fill("{share} of {number} regions", share=0.25, number=8)
    '25% of 8 regions'
    """
    return text.format(**{name: write(value) for name, value in values.items()})


def join_names(names: Sequence[str]) -> str:
    """Names in a row, as a sentence has them; of many, the first and how many more."""
    if len(names) > LISTED:
        text = _("{names} and {number} more")
        return fill(text, names=", ".join(names[:LISTED]), number=len(names) - LISTED)
    if len(names) < 2:
        return "".join(names)
    if len(names) == 2:
        return _("{one} and {other}").format(one=names[0], other=names[1])
    return _("{names} and {last}").format(names=", ".join(names[:-1]), last=names[-1])


def sharing_titles() -> dict[str, str]:
    """The rules of sharing cost in words, with the Shapley value."""
    return {
        "population": _("By population served"), "equal": _("Equal"),
        "ability": _("By ability to pay"), "benefit": _("By stand-alone cost"),
        "shapley": _("Shapley"),
    }  # fmt: skip


def warn_of_failed_runs(provenance: Mapping[str, object]) -> str:
    """That runs failed, and what it means for what is shown; empty if none did."""
    number = int(str(provenance.get("runs_failed", 0)))
    if not number:
        return ""
    text = ngettext(
        "{number} run failed and is missing from this page; the folder “failures” has the reason. "
        "Runs that would be compared with it are left out too.",
        "{number} runs failed and are missing from this page; the folder “failures” has the "
        "reasons. Runs that would be compared with them are left out too: if runs fail because of "
        "the measure itself, differences are biased.",
        number,
    )
    return fill(text, number=number)


def name_outcomes(experiment: Experiment) -> str:
    """Return the titles of an experiment's outcomes, as they stand within a sentence."""
    return join_names([uncapitalise(outcome_title(experiment, one)) for one in experiment.outcomes])


def scenario_words(scenario: Scenario) -> dict[str, str | int]:
    """What sentences on methods say of a scenario: its title, regions, areas and quarters."""
    return {
        "scenario": scenario.title(language()), "regions": len(scenario.regions),
        "areas": len(scenario.areas), "quarters": scenario.horizon,
    }  # fmt: skip


def unit_of_money(currency: str) -> str:
    """Return one unit of a currency as text, or "cost unit" where a scenario has no currency.

    >>> print(unit_of_money("EUR").replace("\N{NO-BREAK SPACE}", " "))
    EUR 1
    """
    return Scale(1.0, 0, "", currency).text(1.0) if currency else _("cost unit")


def source_text(factor: Factor | None) -> str:
    """Return the source of the value of a factor."""
    source = "" if factor is None else factor.source
    return _("assumed") if source == "assumed" else _(source or UNDEFINED)


def in_groups(items: Sequence[T], most: int) -> list[Sequence[T]]:
    """Split items into as few groups as possible of about the same size, at most ``most``.

    >>> in_groups("abcdefg", 3)
    ['ab', 'cd', 'efg']
    """
    number = -(-len(items) // most)
    ends = [k * len(items) // number for k in range(number + 1)]
    return [items[start:end] for start, end in pairwise(ends)]
