"""The effects of the built-in mechanisms and supporters on the terms of the model.

They are declared like user-defined ones, with parameters from the table of the model. The laws
apply these functions to a term with the intensity that counts there: of a forum, for the pairs that
meet in it; of a supporter, for its targets. (A grant pays start-up, which is no effect on a term:
:func:`kolabsim.model.laws.aided`.)
"""

from __future__ import annotations

from kolabsim.model.declare import mechanism
from kolabsim.model.levers import LEVERS
from kolabsim.model.parameters import named

# Mechanisms ---------------------------------------------------------------------------------------


@mechanism(
    lever=LEVERS["forum"], acts_on="information",
    **named("forum_information", "attention_forum", "notice_forum", "misperception_forum",
            "trust_forum"),
)  # fmt: skip
def forum(term, intensity, p):
    """Regions that meet and train together inform each other at less cost."""
    return term * (1.0 - p.forum_information * intensity)


@forum.also("pooling")
def forum_on_pooling(term, intensity, p):
    """They learn from the best."""
    return term + 0.5 * intensity


@forum.also("attention_odds")
def forum_on_attention_odds(term, intensity, p):
    """They hear about services that could be shared."""
    return term + p.attention_forum * intensity


@forum.also("notice")
def forum_on_notice(term, intensity, p):
    """They notice each other."""
    return term * (1.0 + p.notice_forum * intensity)


@forum.also("error")
def forum_on_error(term, intensity, p):
    """They judge each other better."""
    return term * (1.0 - p.misperception_forum * intensity)


@forum.also("trust")
def forum_on_trust(term, intensity, p):
    """They come to trust each other."""
    return term + p.trust_forum * intensity


@mechanism(
    lever=LEVERS["planning"], acts_on="negotiation",
    **named("planning_negotiation", "misperception_planning", "conclude_planning"),
)  # fmt: skip
def planning(term, intensity, p):
    """Partners with a joint vision agree at less cost."""
    return term * (1.0 - p.planning_negotiation * intensity)


@planning.also("error")
def planning_on_error(term, intensity, p):
    """They understand the proposal better at the vote."""
    return term * (1.0 - p.misperception_planning * intensity)


@planning.also("conclusion")
def planning_on_conclusion(term, intensity, p):
    """Negotiations with a plan conclude sooner."""
    return term * (1.0 + p.conclude_planning * intensity)


@mechanism(
    lever=LEVERS["team"], acts_on="negotiation",
    **named("team_negotiation", "conclude_team", "trust_team"),
)  # fmt: skip
def team(term, intensity, p):
    """A secretariat makes agreement cheaper."""
    return term * (1.0 - p.team_negotiation * intensity)


@team.also("steering")
def team_on_steering(term, intensity, p):
    """It holds many members together, as a lead region would."""
    return term + intensity


@team.also("conclusion")
def team_on_conclusion(term, intensity, p):
    """It carries negotiations to an end."""
    return term * (1.0 + p.conclude_team * intensity)


@team.also("trust")
def team_on_trust(term, intensity, p):
    """Members that work with it come to trust each other."""
    return term + p.trust_team * intensity


@mechanism(
    lever=LEVERS["information"], acts_on="information",
    **named("system_information", "misperception_system"),
)  # fmt: skip
def information(term, intensity, p):
    """One system for all reduces the cost of informing each other."""
    return term * (1.0 - p.system_information * intensity)


@information.also("pooling")
def information_on_pooling(term, intensity, p):
    """All members can use the methods of the best."""
    return term + intensity


@information.also("error")
def information_on_error(term, intensity, p):
    """Comparable figures reduce errors."""
    return term * (1.0 - p.misperception_system * intensity)


@information.also("observation")
def information_on_observation(term, intensity, p):
    """Records show who keeps its promises, half as well as monitoring does."""
    return term + (1.0 - term) * (0.5 * intensity)


@mechanism(
    lever=LEVERS["monitoring"], acts_on="enforcement", **named("monitoring_enforcement"),
)  # fmt: skip
def monitoring(term, intensity, p):
    """Promises that are followed up cost less to enforce."""
    return term * (1.0 - p.monitoring_enforcement * intensity)


@monitoring.also("observation")
def monitoring_on_observation(term, intensity, p):
    """Conduct is observed."""
    return term + (1.0 - term) * intensity


# Supporters ---------------------------------------------------------------------------------------


@mechanism(lever=LEVERS["government"], acts_on="attention_odds", **named("attention_grant"))
def government(term, intensity, p):
    """The offer of a grant makes regions consider an area."""
    return term + p.attention_grant * intensity


@mechanism(
    lever=LEVERS["ngo"], acts_on="negotiation",
    **named("mediation_negotiation", "conclude_mediation", "trust_mediation"),
)  # fmt: skip
def ngo(term, intensity, p):
    """A mediator makes agreement cheaper."""
    return term * (1.0 - p.mediation_negotiation * intensity)


@ngo.also("conclusion")
def ngo_on_conclusion(term, intensity, p):
    """It helps partners to agree sooner."""
    return term * (1.0 + p.conclude_mediation * intensity)


@ngo.also("trust")
def ngo_on_trust(term, intensity, p):
    """It helps partners to understand each other."""
    return term + p.trust_mediation * intensity


@mechanism(lever=LEVERS["business"], acts_on="pooling")
def business(term, intensity, p):
    """Firms bring technology that all members can use."""
    return term + 0.5 * intensity


@mechanism(lever=LEVERS["community"], acts_on="conduct_odds", **named("honour_voice"))
def community(term, intensity, p):
    """Members that are questioned in public keep their promises more often."""
    return term + p.honour_voice * intensity


BUILT_IN = (
    forum, planning, team, information, monitoring, government, ngo, business, community,
)  # fmt: skip
"""All of them, in the order of :data:`~kolabsim.model.levers.LEVERS`."""

(
    forum_on_information, planning_on_negotiation, team_on_negotiation, information_on_information,
    monitoring_on_enforcement, government_on_attention_odds, ngo_on_negotiation,
    business_on_pooling, community_on_conduct_odds,
) = (one.compiled for one in BUILT_IN)  # fmt: skip
