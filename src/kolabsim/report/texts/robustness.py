"""Titles of criteria of robustness, and the sentences that name the most robust strategy."""

from __future__ import annotations

from kolabsim.i18n import N_

CRITERION_TITLES = {
    "regret_max": N_("Largest regret"),
    "regret_90": N_("Regret, 90th percentile"),
    "satisficing": N_("Satisfactory: {threshold}"),
    "worst": N_("Worst future"),
    "worst_tenth": N_("Worst tenth of futures"),
    "mean": N_("Mean over futures"),
    "spread": N_("Spread over futures"),
    "mean_spread": N_("Mean minus spread"),
    "best": N_("Best of all strategies"),
    "difference": N_("Difference from “{baseline}”"),
    "ahead": N_("Better than “{baseline}”"),
}
LEADS = {
    "regret_90": N_(
        "“{strategy}” is the most robust of {number} strategies: in nine of ten futures, its "
        "regret (distance from the best strategy) is at most {value} ({level} interval {interval}; "
        "{futures} futures, {runs} runs each)."
    ),
    "regret_max": N_(
        "“{strategy}” is the most robust of {number} strategies: in no future does its regret "
        "(distance from the best strategy) exceed {value} ({level} interval {interval}; {futures} "
        "futures, {runs} runs each)."
    ),
    "satisficing": N_(
        "“{strategy}” is the most robust of {number} strategies: it is satisfactory in {value} of "
        "futures ({level} interval {interval}; {futures} futures, {runs} runs each)."
    ),
}
"""The finding by the criteria that have a sentence of their own."""


# Labels ------------------------------------------------------------------------------------------
