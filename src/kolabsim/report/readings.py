"""How to read a sensitivity analysis: methods, indices, the noise floor and chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from kolabsim.analysis.sensitivity import Indices

METHOD_TITLES = {
    "morris": N_("elementary effects (Morris)"),
    "sobol": N_("shares of the variance (Sobol)"),
    "fast": N_("shares of the variance by frequencies (FAST)"),
    "rbd_fast": N_("shares of the variance by frequencies (RBD-FAST)"),
    "delta": N_("shift of the distribution (delta)"),
    "pawn": N_("distance of distributions (PAWN)"),
    "one_at_a_time": N_("one factor at a time"),
    "ice": N_("one factor at a time around many points"),
    "factorial": N_("changes of single factors with all others drawn at random"),
}
"""What methods are called within a sentence."""
READINGS = {
    "ST": N_(
        "The total effect is the share of the variance that a factor influences, alone or with "
        "others; the main effect is the share that it determines alone. The difference comes from "
        "interactions, so total effects may add up to more than 100%."
    ),
    "S1": N_("The main effect is the share of the variance that a factor determines alone."),
    "mu_star": N_(
        "The effect is the change of the outcome if a factor moved over its whole range, estimated "
        "from steps of two thirds of it. Its unevenness is the standard deviation of the effect: "
        "where it is as large as the effect, the effect is nonlinear or depends on other factors."
    ),
    "delta": N_(
        "The shift is how far the distribution of the outcome moves once a factor is known: 0 not "
        "at all, 1 completely."
    ),
    "median": N_(
        "The distance is the largest one between the cumulative distribution of the outcome and "
        "its distribution within a tenth of the factor’s range: 0 none, 1 complete. Chance alone "
        "keeps it above 0."
    ),
    "range": N_(
        "The range goes from the lowest to the highest outcome as one factor moves from end to end "
        "and all others stay fixed. It does not show interactions."
    ),
    "variety": N_(
        "The range goes from the lowest to the highest outcome along a factor’s curve, averaged "
        "over points with random values of all other factors. Where curves differ, the effect of "
        "the factor depends on the others."
    ),
    "absolute": N_(
        "A change is the change of the outcome when a factor moves by half of its range, or a "
        "choice switches to another option, while all other factors keep random values."
    ),
}
"""How to read the main index, by its name."""
LEADS = {
    "sobol": N_("{outcome} depends most on “{factor}”, which influences {value} of the variance"),
    "fast": N_("{outcome} depends most on “{factor}”, which influences {value} of the variance"),
    "rbd_fast": N_(
        "{outcome} depends most on “{factor}”, which alone determines {value} of the variance"
    ),
    "morris": N_("{outcome} depends most on “{factor}”, with a change of {value} over its range"),
    "delta": N_(
        "{outcome} depends most on “{factor}”; knowing it shifts the distribution by {value}"
    ),
    "pawn": N_(
        "{outcome} depends most on “{factor}”, with a distance between distributions of {value}"
    ),
    "one_at_a_time": N_("{outcome} depends most on “{factor}”, with a range of {value}"),
    "ice": N_("{outcome} depends most on “{factor}”, with a range of {value}"),
    "factorial": N_(
        "{outcome} depends most on “{factor}”; changing it changes the outcome by {value}"
    ),
}
"""The first clause of a finding, before its interval; by method."""


def floor_notes(indices: Indices) -> list[str]:
    """How to read the noise floor, if the design has one."""
    if not indices.leading.has_floor:
        if indices.replicates < 2:
            text = _(
                "With one outcome at each point, effects cannot be distinguished from chance: "
                "indices include chance, and the main index has no noise floor."
            )
            return [text]
        return [_("The design has no factor without effect, so there is no noise floor.")]
    reading = _(
        "Factors above the noise floor are marked ◆; those marked ○ cannot be distinguished from a "
        "factor without effect."
    )
    if indices.method == "fast" or indices.replicates < 2:
        text = _("The noise floor is the upper end of the interval of a factor without effect.")
        return [text, reading]
    text = _(
        "The noise floor is what a factor reaches whose values are permuted over the same runs. "
        "With a probability of {level}, no permuted factor exceeds its floor."
    )
    return [text.format(level=f"{indices.level:.0%}"), reading]


def share_notes(indices: Indices) -> list[str]:
    """Why shares have no interval, or what those below 0 or above 100% mean, if there are any."""
    if indices.method == "sobol" and not np.isfinite(indices.leading.low).all():
        return [
            _(
                "Shares have no intervals here: in some resamples the mean response does not vary "
                "beyond chance, so a share of its variance has no bounds. More points (--samples) "
                "or more runs (--runs) give intervals."
            )
        ]
    shares = [one for name, one in indices.found.items() if name in ("ST", "S1")]
    ends = [end for one in shares for end in (one.value, one.low, one.high)]
    ends += [np.array(pair[2:]) for pair in indices.pairs]
    if not any(((end < 0.0) | (end > 1.0)).any() for end in ends):
        return []
    return [
        _(
            "Estimated shares are differences of noisy numbers. An estimate or the end of an "
            "interval below 0% or above 100% is sampling error: the share itself lies between."
        )
    ]


def chance_note() -> str:
    """What intervals and resamples show, and what they do not."""
    return _(
        "Intervals and resamples redraw the points of the design with their random draws: they "
        "show how much a new sample would differ, not how well the model matches the world. All "
        "results hold within the given ranges of the factors."
    )
