"""The effects of the built-in mechanisms and supporters on the terms of the model.

Each lever has one strength: the share of every friction it acts on that it removes at full
intensity. A friction is a cost, an error, what is not seen or not noticed, or a waiting time. The
levers are declared like user-defined ones. The laws apply these functions to a term with the
intensity that counts there: of a forum, for the pairs that meet in it; of a supporter, for its
targets. (Aid to start-up is no effect on a term: :func:`kolabsim.model.laws.aided`.)
"""

from __future__ import annotations

from kolabsim.model.declare import mechanism
from kolabsim.model.levers import LEVERS
from kolabsim.model.parameters import named

# Mechanisms ---------------------------------------------------------------------------------------


@mechanism(lever=LEVERS["forum"], acts_on="information", **named("forum_strength", "learning"))
def forum(term, intensity, p):
    """Regions that meet and train together inform each other at less cost."""
    return term * (1.0 - p.forum_strength * intensity)


@forum.also("attention")
def forum_on_attention(term, intensity, p):
    """They hear sooner about services that could be shared."""
    return term / (1.0 - p.forum_strength * intensity)


@forum.also("notice")
def forum_on_notice(term, intensity, p):
    """They overlook each other less often."""
    return term + (1.0 - term) * (p.forum_strength * intensity)


@forum.also("error")
def forum_on_error(term, intensity, p):
    """They judge each other better."""
    return term * (1.0 - p.forum_strength * intensity)


@forum.also("trust")
def forum_on_trust(term, intensity, p):
    """They come to trust each other."""
    return term + p.learning * (p.forum_strength * intensity)


@forum.also("pooling")
def forum_on_pooling(term, intensity, p):
    """They learn from the best."""
    return term + (1.0 - term) * (p.forum_strength * intensity)


@mechanism(lever=LEVERS["planning"], acts_on="negotiation", **named("planning_strength"))
def planning(term, intensity, p):
    """Partners with a joint vision agree at less cost."""
    return term * (1.0 - p.planning_strength * intensity)


@planning.also("conclusion")
def planning_on_conclusion(term, intensity, p):
    """Decisions on a plan are taken sooner."""
    return term / (1.0 - p.planning_strength * intensity)


@planning.also("fit")
def planning_on_fit(term, intensity, p):
    """A plan makes room for unlike wishes."""
    return term * (1.0 - p.planning_strength * intensity)


@planning.also("unforeseen")
def planning_on_unforeseen(term, intensity, p):
    """Founders foresee more of the cost of coordination when they vote."""
    return term * (1.0 - p.planning_strength * intensity)


@planning.also("error")
def planning_on_error(term, intensity, p):
    """They understand the proposal better at the vote."""
    return term * (1.0 - p.planning_strength * intensity)


@mechanism(lever=LEVERS["team"], acts_on="negotiation", **named("team_strength", "learning"))
def team(term, intensity, p):
    """A secretariat makes agreement cheaper."""
    return term * (1.0 - p.team_strength * intensity)


@team.also("steering")
def team_on_steering(term, intensity, p):
    """It holds many members together, as a lead region would."""
    return term + (1.0 - term) * (p.team_strength * intensity)


@team.also("conclusion")
def team_on_conclusion(term, intensity, p):
    """It brings decisions about sooner."""
    return term / (1.0 - p.team_strength * intensity)


@team.also("trust")
def team_on_trust(term, intensity, p):
    """Members that work with it come to trust each other."""
    return term + p.learning * (p.team_strength * intensity)


@mechanism(lever=LEVERS["information"], acts_on="information", **named("information_strength"))
def information(term, intensity, p):
    """One system for all reduces the cost of informing each other."""
    return term * (1.0 - p.information_strength * intensity)


@information.also("practice")
def information_on_practice(term, intensity, p):
    """It spares members from translating between unlike practices."""
    return term * (1.0 - p.information_strength * intensity)


@information.also("unforeseen")
def information_on_unforeseen(term, intensity, p):
    """Comparable figures show what coordination will cost."""
    return term * (1.0 - p.information_strength * intensity)


@information.also("observation")
def information_on_observation(term, intensity, p):
    """Records show who keeps its promises."""
    return term + (1.0 - term) * (p.information_strength * intensity)


@mechanism(lever=LEVERS["monitoring"], acts_on="enforcement", **named("monitoring_strength"))
def monitoring(term, intensity, p):
    """Promises that are followed up cost less to enforce."""
    return term * (1.0 - p.monitoring_strength * intensity)


@monitoring.also("observation")
def monitoring_on_observation(term, intensity, p):
    """Conduct is observed more often."""
    return term + (1.0 - term) * (p.monitoring_strength * intensity)


# Supporters ---------------------------------------------------------------------------------------


@mechanism(lever=LEVERS["government"], acts_on="attention", **named("grant_strength"))
def government(term, intensity, p):
    """The offer of a grant makes regions consider an area sooner."""
    return term / (1.0 - p.grant_strength * intensity)


@mechanism(lever=LEVERS["ngo"], acts_on="negotiation", **named("ngo_strength", "learning"))
def ngo(term, intensity, p):
    """A mediator makes agreement cheaper."""
    return term * (1.0 - p.ngo_strength * intensity)


@ngo.also("conclusion")
def ngo_on_conclusion(term, intensity, p):
    """It helps partners to decide sooner."""
    return term / (1.0 - p.ngo_strength * intensity)


@ngo.also("trust")
def ngo_on_trust(term, intensity, p):
    """It helps partners to understand each other."""
    return term + p.learning * (p.ngo_strength * intensity)


@mechanism(lever=LEVERS["business"], acts_on="pooling", **named("business_strength"))
def business(term, intensity, p):
    """Firms bring technology that all members can use."""
    return term + (1.0 - term) * (p.business_strength * intensity)


@mechanism(lever=LEVERS["community"], acts_on="conduct", **named("community_strength"))
def community(term, intensity, p):
    """Members that are questioned in public fall short less often."""
    return term + (1.0 - term) * (p.community_strength * intensity)


@community.also("remoteness")
def community_on_remoteness(term, intensity, p):
    """Citizens who are heard keep a distant service good."""
    return term * (1.0 - p.community_strength * intensity)


BUILT_IN = (
    forum, planning, team, information, monitoring, government, ngo, business, community,
)  # fmt: skip
"""All of them, in the order of :data:`~kolabsim.model.levers.LEVERS`."""

(
    forum_on_information, planning_on_negotiation, team_on_negotiation, information_on_information,
    monitoring_on_enforcement, government_on_attention, ngo_on_negotiation, business_on_pooling,
    community_on_conduct,
) = (one.compiled for one in BUILT_IN)  # fmt: skip
