"""What became of the parameters of the first edition of the model, so that its files still load."""

from __future__ import annotations

from dataclasses import dataclass

from kolabsim.i18n import N_


@dataclass(frozen=True)
class Successor:
    """What became of a parameter: another name, or no effect any more and why."""

    name: str = ""
    """Name of the parameter, or key of a scenario, that has its meaning now."""
    because: str = ""
    """Why it has no effect any more; empty if it has a successor."""


CONSTANT = N_("a constant now: results hardly depend on it, or another parameter is varied instead")
GONE = N_("the second edition of the model has no such effect")
LEARNING = N_("'learning' sets all speeds of learning")
STRENGTH = N_("a lever has one strength for all that it acts on, such as 'team_strength'")
PRICE = N_("'lever_price' is the price of all levers; a phase may have a 'price' of its own")
CULTURE = N_("'culture_cost' takes its place, as a share of joint cost")
DECISION = N_("'decision_speed' takes its place, as a rate and not as a chance")
LEAVING = N_("leaving starts from distrust, so the number means something else")


def _kept(*names: str) -> dict[str, Successor]:
    return {name: Successor(name) for name in names}


def _without_effect(because: str, *names: str) -> dict[str, Successor]:
    return {name: Successor(because=because) for name in names}


FIRST_EDITION: dict[str, Successor] = {
    **_kept(
        "capacity_spread", "stress_mean", "commitment_start", "reputation_start", "trust_start",
        "trust_culture", "transition_cost", "startup_cost", "horizon_years", "pooling",
        "quality_value", "autonomy_cost", "information_cost", "negotiation_cost",
        "interest_weight", "enforcement_cost", "overhead_cost", "attention_base",
        "attention_cost", "notice", "misperception", "honour_base",
    ),
    "forum_information": Successor("forum_strength"),
    "planning_negotiation": Successor("planning_strength"),
    "team_negotiation": Successor("team_strength"),
    "system_information": Successor("information_strength"),
    "monitoring_enforcement": Successor("monitoring_strength"),
    "grant_share": Successor("grant_strength"),
    "mediation_negotiation": Successor("ngo_strength"),
    "cofinance_share": Successor("business_strength"),
    "discount": Successor("discount"),
    **_without_effect(
        CONSTANT,
        "capacity_mean", "capacity_size", "stress_spread", "trust_spread", "transition_years",
        "shortfall_quality", "strain", "partners_contract", "partners_board", "partners_lead",
        "attention_stress", "attention_peers", "notice_tier", "near_reach", "near_land",
        "conclude_interests", "mandate_goodwill", "mandate_commitment", "honour_goodwill",
        "honour_commitment", "honour_trust", "honour_stress", "honour_temptation",
        "shortfall_share", "observation", "exit_load", "first_term", "trust_damage",
        "trust_mending", "trust_drift",
    ),
    **_without_effect(GONE, "attention_interest", "exit_saving", "capacity_learning"),
    **_without_effect(LEARNING, "trust_gain", "trust_loss", "reputation_learning"),
    **_without_effect(
        STRENGTH,
        "attention_grant", "attention_forum", "notice_forum", "misperception_forum",
        "misperception_system", "misperception_planning", "conclude_planning", "conclude_team",
        "conclude_mediation", "honour_voice", "trust_forum", "trust_team", "trust_mediation",
    ),
    **_without_effect(
        PRICE,
        "forum_price", "planning_price", "team_price", "information_price", "monitoring_price",
        "ngo_price", "business_price", "community_price",
    ),
    **_without_effect(CULTURE, "culture_weight"),
    **_without_effect(DECISION, "conclude"),
    **_without_effect(LEAVING, "exit_base", "exit_trust"),
}  # fmt: skip
"""The 92 parameters of the first edition, and what became of each.

``discount`` is a key of scenarios now. ``exit_base`` and ``exit_trust`` are names of the second
edition too, with other meanings: in files that name a parameter of the first edition only, their
values are not taken."""
