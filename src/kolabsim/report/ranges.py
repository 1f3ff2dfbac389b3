"""What ranges and verdicts mean, in sentences that comparisons and pages of regions share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kolabsim.analysis.statistics import (
    BETTER,
    DEPENDS,
    GAINS,
    LEAST_RANGE,
    LIKELY,
    LOSES,
    ROBUST,
    SAME,
    WORSE,
    least_futures,
)
from kolabsim.figures.formatting import significant
from kolabsim.i18n import _, ngettext
from kolabsim.report.wording import fill, join_names
from kolabsim.scenario.futures import applicable, own_sets, scenario_sets

if TYPE_CHECKING:
    from kolabsim.analysis.statistics import Criteria
    from kolabsim.scenario.scenario import Scenario


def words_of(criteria: Criteria) -> dict[str, Any]:
    """The values of places that texts on verdicts have."""
    return {
        "threshold": f"{significant(100.0 * criteria.threshold)}%", "robust": criteria.robust,
        "likely": criteria.likely, "level": criteria.level, "rest": 1.0 - criteria.level,
    }  # fmt: skip


def verdict_sentence(verdict: str, criteria: Criteria, *, is_region: bool = False) -> str:
    """What a verdict means on a strategy, or on a region under it."""
    texts = {
        ROBUST[BETTER]: _("This is robust: better in at least {robust} of futures."),
        LIKELY[BETTER]: _("This is likely: better in at least {likely} of futures."),
        LIKELY[WORSE]: _("It is likely worse: in at least {likely} of futures."),
        ROBUST[WORSE]: _("It is robustly worse: in at least {robust} of futures."),
        ROBUST[GAINS]: _("This is robust: it gains in at least {robust} of futures."),
        LIKELY[GAINS]: _("This is likely: it gains in at least {likely} of futures."),
        LIKELY[LOSES]: _("It likely loses: in at least {likely} of futures."),
        ROBUST[LOSES]: _("It robustly loses: in at least {robust} of futures."),
        GAINS: _("It clearly gains, by more than {threshold} of cost."),
        LOSES: _("It clearly loses, by more than {threshold} of cost."),
        SAME: _("It hardly changes anything: by {threshold} of cost at most."),
        DEPENDS: _("Whether it gains or loses depends on assumptions.")
        if is_region
        else _("Whether it is better depends on assumptions."),
    }
    undecided = _("Chance leaves open whether it is better: more runs or futures would show it.")
    if is_region:
        undecided = _("Chance leaves open whether it gains: more runs or futures would show it.")
    return fill(texts.get(verdict, undecided), **words_of(criteria))


def ensemble_notes(
    scenario: Scenario, criteria: Criteria, *, futures: int, runs: int, half: float
) -> list[str]:
    """What a reader must know of a result over futures: what is too few, and what did not vary.

    ``half`` is what chance leaves open, in shares of cost.
    """
    found, least = [], least_futures(criteria.robust)
    if futures < max(least, LEAST_RANGE):
        text = _(
            "{futures} plausible futures are too few for a range of 90% ({range} needed) or for a "
            "robust statement ({least} needed): ranges are from the least to the most."
        )
        found.append(fill(text, futures=futures, range=LEAST_RANGE, least=least))
    if 0.0 < criteria.threshold < half:
        wanted = math.ceil(runs * (half / criteria.threshold) ** 2)
        text = _(
            "The practical threshold of {threshold} of cost is below what chance leaves open (± "
            "{half}): use about {runs} runs in each future, or a threshold of {half}."
        )
        half_text = f"{significant(100.0 * half, 2)}%"
        found.append(fill(text, **(words_of(criteria) | {"half": half_text, "runs": wanted})))
    own = own_sets(scenario)
    if own is not None:
        text = _(
            "Plausible futures are parameter sets that agree with your own evidence on this "
            "scenario, from {file}; they replace those that ship with kolabsim."
        )
        found.append(fill(text, file=own.name))
    kept = [name for name in scenario_sets(scenario)[0] if name not in applicable(scenario)]
    if kept:
        text = ngettext(
            "{number} setting was not varied because the scenario states it: {names}.",
            "{number} settings were not varied because the scenario states them: {names}.",
            len(kept),
        )
        found.append(fill(text, number=len(kept), names=join_names(kept)))
    return found


def reported_text(*, is_varied: bool) -> str:
    """What is reported, for a paragraph on methods."""
    if not is_varied:
        return _("We report means of paired differences with {level} t intervals")
    return _(
        "We report medians of paired differences over {futures} plausible futures with ranges of "
        "90% of them, freed of the chance of the runs in each"
    )


def paragraphs_of_runs() -> tuple[str, ...]:
    """How to read intervals over runs, and the verdicts on them."""
    return (
        _(
            "Each strategy was simulated {runs} times. Runs with the same number share all random "
            "draws, so that two strategies differ only by the strategy; differences are taken run "
            "by run."
        ),
        _(
            "The {level} intervals are for the mean difference over all possible runs (Student's "
            "t). They show how precisely the simulation is known, not how well it matches the "
            "world: see “Assumptions”. About {rest} of all intervals miss the true value by chance."
        ),
        _(
            "A strategy is better, and a region gains, only by more than {threshold} of cost. "
            "Verdicts are corrected for the number of strategies, and for regions also for their "
            "number: all of them hold together at the {level} level (Bonferroni)."
        ),
        _(
            "The share of runs in which a strategy does better shows how often it would win with "
            "other random draws; a tie counts half."
        ),
    )


def plausible_paragraphs() -> tuple[str, ...]:
    """How to read ranges over plausible futures, and the verdicts on them."""
    return (
        _(
            "Each strategy was simulated {runs} times in each of {futures} plausible futures: sets "
            "of parameters and structures of the model that agree with what is known. In a future, "
            "runs with the same number share all random draws, so that strategies differ only by "
            "what they do; each future has draws of its own, so that chance averages out."
        ),
        _(
            "The plausible range shows what assumptions do to a number: 90% of futures lie in it. "
            "The {level} interval of the median shows what chance leaves open; figures draw it as "
            "a thicker line where it can be seen. The chance of the few runs in each future is "
            "taken out of ranges and of shares of futures."
        ),
        _(
            "A statement is robust if it holds in at least {robust} of futures, and likely if it "
            "does in at least {likely}; otherwise the answer depends on assumptions. A strategy is "
            "better, and a region gains, only by more than {threshold} of cost. Verdicts hold "
            "wherever the effects lie within what chance leaves open, corrected for the number of "
            "strategies, and for regions also for their number (Bonferroni, {level})."
        ),
        _(
            "Shares of futures are not probabilities: all futures agree with what is known, and "
            "nothing says which of them are closer to the truth."
        ),
    )
