"""The published facts by which the model is judged, each declared once.

Numbers, bands and grades come from the literature review behind the model (see the page on
evidence). Where a band is an assumption rather than a source's, the fact says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log
from typing import Any

from kolabsim.i18n import N_
from kolabsim.validation import contrasts as c
from kolabsim.validation.runs import Setting

CALIBRATION, VALIDATION, DIRECTION, NULL = "calibration", "validation", "direction", "null"
USES = (CALIBRATION, VALIDATION, DIRECTION, NULL)
"""What a fact is used for: calibration, validation on held-out facts, a direction only, or a test
that an effect vanishes when its cause is removed."""


def _years(
    years: int, changes: dict[str, Any] | None = None, strategy: str = "voluntary"
) -> Setting:
    return Setting(changes={"horizon": 4 * years, **(changes or {})}, strategy=strategy)


SETTINGS: dict[str, Setting] = {
    "towns": _years(20),
    "contracts": _years(20, {"form": "contract"}),
    "lead": _years(20, {"form": "lead"}),
    "grants": _years(20, strategy="grants"),
    "forum": _years(20, strategy="forum"),
    "planning": _years(20, strategy="planning"),
    "mandate": _years(20, strategy="mandate"),
    "majority": _years(20, {"consent": "majority"}),
    "unanimity": _years(20, {"consent": "unanimity"}),
    "capped": _years(20, {"cap": 5}),
    "half a team": _years(20, {
        "strategies.half.mechanisms.team": {
            "intensity": 0.6, "areas": ["finance", "procurement"],
        },
    }, "half"),
    "shock": _years(20, {"changes": [
        {"what": "demand", "factor": 1.3, "from": c.SHOCK.start, "until": c.SHOCK.stop}
    ]}),
    "long": _years(60),
    "growing": _years(60, {"changes": [{"what": "population", "growth": 0.02}]}),
    "nothing to gain": _years(20, {
        f"areas.{name}.{key}": value
        for name in ("finance", "procurement", "training", "technology")
        for key, value in (("efficient_scale", 100.0), ("spillover", 0.0))
    } | {
        f"parameters.{name}": 0.0
        for name in ("misperception", "capacity_spread", "capacity_size")
    }),
    "free of cost": _years(20, {
        f"parameters.{name}": 0.0
        for name in (
            "information_cost", "negotiation_cost", "enforcement_cost", "overhead_cost",
            "transition_cost", "startup_cost", "autonomy_cost", "misperception",
            "shortfall_quality", "shortfall_share",
        )
    }),
    "culture without weight": _years(20, {
        "parameters.culture_weight": 0.0, "parameters.trust_culture": 0.0,
    }),
}  # fmt: skip
"""The simulations behind the facts; all share their random draws."""


@dataclass(frozen=True)
class Fact:
    """A published fact, the contrast that stands for it, and where that contrast must lie."""

    id: str
    statement: str
    use: str
    grade: str
    """A several studies, B one strong one, C surveys and cases, D theory."""
    source: str
    contrast: c.Contrast | None = None
    """None if the model cannot express the fact."""
    settings: tuple[str, ...] = ("towns",)
    low: float = -inf
    high: float = inf
    """Bounds that must contain the whole interval of the contrast."""
    includes: float | None = None
    """Alternatively: a number that the interval must include."""
    not_above: float | None = None
    """Alternatively: a number that the interval must not lie entirely above."""
    remark: str = ""
    """Why the model cannot express the fact, or how to read the contrast."""


FACTS: tuple[Fact, ...] = (
    Fact("SF1a", N_("Agreements six years old that save more than 3%"), CALIBRATION, "A",
         "Bel and Sebő; New York survey", c.share_saving, low=0.40, high=0.60),
    Fact("SF1b", N_("Agreements six years old that cost about the same (3%)"), CALIBRATION, "A",
         "Bel and Sebő; New York survey", c.share_similar, low=0.20, high=0.45),
    Fact("SF1c", N_("Agreements six years old that cost over 3% more"), CALIBRATION, "A",
         "Bel and Sebő; New York survey", c.share_costlier, low=0.10, high=0.25),
    Fact("SF2a", N_("Median saving of members far below efficient scale"), CALIBRATION, "A",
         "Struk and Bakoš; Gradus; Ferraresi", c.small_saving, low=0.05, high=0.20),
    Fact("SF2b", N_("Effect on the total budget of all services"), CALIBRATION, "A", "Ferraresi",
         c.total_saving, low=-0.05, high=0.05),
    Fact("SF3a", N_("The larger a member, the less it saves"), VALIDATION, "A",
         "Niaounakis and Blank 2017", c.saving_by_size, high=0.0,
         remark=N_("the slope of unit cost itself is an input and does not count")),
    Fact("SF3b", N_("Members that already had efficient scale save nothing"), VALIDATION, "A",
         "Elston, Bel and Wang 2023", c.large_saving, not_above=0.0),
    Fact("SF4", N_("At equal scale, members and non-members are about as efficient"), VALIDATION,
         "B", "Niaounakis and Blank 2017", c.dummy, low=-0.08, high=0.08),
    Fact("SF5a", N_("At equal population served, saving falls with the number of partners"),
         VALIDATION, "B", "Blåka 2017", c.by_partners, high=0.0),
    Fact("SF5b", N_("Saving falls faster with partners under contracts than in joint boards"),
         DIRECTION, "B", "Blåka 2017", c.difference(c.by_partners), ("contracts", "towns"),
         high=0.0),
    Fact("SF5c", N_("Bodies of three to seven members do better than smaller or larger ones"),
         VALIDATION, "B", "Blåka 2017", c.middling, low=0.0),
    Fact("SF6", N_("Delegation to a lead saves more than a board of equals"), DIRECTION, "A",
         "Bel and Sebő; Bel and others 2023", c.difference(c.member_saving), ("lead", "towns"),
         low=0.0),
    Fact("SF7a", N_("Technology and procurement save more than finance"), DIRECTION, "A",
         "Aldag and others; Elston 2025", c.capital_over_finance, low=0.0),
    Fact("SF7b", N_("Finance saves more than staff development"), DIRECTION, "A",
         "Aldag and others; Elston 2025", c.finance_over_training, low=0.0),
    Fact("SF7c", N_("Staff development saves nothing in its first three years"), DIRECTION, "A",
         "Blåka 2017", c.early_training, includes=0.0),
    Fact("SF8a", N_("No net benefit in the first year"), VALIDATION, "A",
         "Dijkgraaf and Gradus 2013; Ferraresi", c.first_year, high=0.0),
    Fact("SF8b", N_("Benefits recover the start-up cost after three to six years"), CALIBRATION,
         "A", "Dijkgraaf and Gradus 2013; Ferraresi", c.break_even, low=3.0, high=6.0),
    Fact("SF9", N_("Where populations grow, the saving of old agreements declines"), DIRECTION, "B",
         "Catalonia 2000 to 2019", c.difference(c.old_saving), ("growing", "long"), high=0.0),
    Fact("SF10", N_("Grants raise the number of new agreements by a fifth or more"), DIRECTION, "B",
         "Bischoff and Wolfschütz", c.log_ratio(c.formation), ("grants", "towns"), low=log(1.2),
         remark=N_("the size is assumed; the sign is known")),
    Fact("SF11", N_("Fiscal stress raises cooperation on average"), DIRECTION, "A",
         "Bel and Warner 2016", c.by_stress, low=0.0,
         remark=N_("one study finds the opposite (Bischoff)")),
    Fact("SF12", N_("At equal distance, similar regions cooperate more"), VALIDATION, "A",
         "Gerber and others; Bischoff", c.tie_effect("alike"), low=0.0,
         remark=N_("a Dutch sample shows little of this effect")),
    Fact("SF13a", N_("At equal distance, neighbours cooperate more"), VALIDATION, "B",
         "Bel and Warner; Dutch joint bodies", c.tie_effect("land"), low=0.0),
    Fact("SF13b", N_("Cooperation falls with each quartile of distance"), VALIDATION, "B",
         "Dutch joint bodies", c.by_distance, low=0.0),
    Fact("SF14", N_("Regular forums increase ties among participants"), VALIDATION, "A",
         "LeRoux and others 2010", c.log_ratio(c.ties_within_tiers), ("forum", "towns"), low=0.0),
    Fact("SF15a", N_("Difference in size has no effect on ties"), VALIDATION, "B", "Blaeschke",
         c.tie_effect("size"), includes=0.0),
    Fact("SF15b", N_("Difference in capacity increases ties where one region leads"), VALIDATION,
         "B", "Blåka 2017", c.tie_effect("capacity"), ("lead",), low=0.0),
    Fact("SF17", N_("Pairs that share one service area are more likely to share another"),
         DIRECTION, "B", "Andrew and Kendra", c.multiplex, low=0.0),
    Fact("SF18", N_("Share of region and service area pairs under an agreement"), CALIBRATION, "C",
         "New York survey", c.cooperation, low=0.15, high=0.40),
    Fact("SF19a", N_("Mean age of memberships in the long run (years)"), CALIBRATION, "C",
         "New York survey", c.membership_age, ("long",), low=10.0, high=25.0),
    Fact("SF19b", N_("Share of memberships that end in a year"), CALIBRATION, "C",
         "New York survey", c.exits, ("long",), low=0.03, high=0.10),
    Fact("SF20", N_("Exit depends more on burden and trust than on saving"), CALIBRATION, "C",
         "Elston, Rackwitz and Bel 2023; Aldag and Warner", c.exit_drivers, low=0.0),
    Fact("SF21a", N_("Quality hardly changes in the long run"), VALIDATION, "A",
         "Elston 2025; Ferraresi; Gori; Bel and Mur", c.quality_change, low=-0.05, high=0.05),
    Fact("SF21b", N_("Quality falls at first in labour-intensive areas"), VALIDATION, "A",
         "Elston 2025", c.early_quality, high=0.0),
    Fact("SF21c", N_("The smallest members gain quality"), VALIDATION, "A", "Elston 2025",
         c.smallest_quality, low=0.0),
    Fact("SF22a", N_("A demand shock harms members less"), DIRECTION, "B", "Bel and Elston 2023",
         c.resilience, ("shock", "towns"), low=0.0),
    Fact("SF22b", N_("Members do not respond faster to a shock"), DIRECTION, "B",
         "Bel and Elston 2023", None, (),
         remark=N_("the model does not represent the speed of service")),
    Fact("SF23a", N_("Mandated members save as much as voluntary members"), DIRECTION, "B",
         "Tricaud", c.mandated_saving, ("mandate", "towns"), includes=0.0),
    Fact("SF23b", N_("Mandated members are worse off overall"), DIRECTION, "B", "Tricaud",
         c.mandated_benefit, ("mandate", "towns"), high=0.0),
    Fact("SF24a", N_("Trust and outcome are correlated"), VALIDATION, "C", "Klijn; MRDH",
         c.trust_outcome, ("half a team",), low=0.0,
         remark=N_("the ratio of loss to gain of trust is an input and does not count")),
    Fact("SF24b", N_("They are less correlated once management is held fixed"), VALIDATION, "C",
         "Klijn", c.mediated, ("half a team",), low=0.0),
    Fact("SF25", N_("Unlimited group size lowers cooperation"), DIRECTION, "D",
         "Smaldino and Lubell; Santos and Pacheco", c.difference(c.cooperation),
         ("capped", "towns"), low=0.0),
    Fact("SF26a", N_("Joint planning raises the success rate of negotiations"), DIRECTION, "D",
         "Choi and Robertson 2014", c.difference(c.success), ("planning", "towns"), low=0.0),
    Fact("SF26b", N_("A three-quarters rule satisfies more members than a simple majority"),
         DIRECTION, "D", "Choi and Robertson 2014", c.difference(c.satisfied),
         ("towns", "majority"), low=0.0),
    Fact("SF26c", N_("A three-quarters rule succeeds more often than unanimity"), DIRECTION, "D",
         "Choi and Robertson 2014", c.difference(c.success), ("towns", "unanimity"), low=0.0),
    Fact("N1", N_("Regions that gain nothing by sharing do not share"), NULL, "", "", c.cooperation,
         ("nothing to gain",), high=0.01),
    Fact("N2", N_("Where sharing costs nothing, regions reach efficient scale"), NULL, "", "",
         c.pooled, ("free of cost",), low=1.0),
    Fact("N3", N_("Culture with zero weight has no effect"), NULL, "", "", c.tie_effect("alike"),
         ("culture without weight",), includes=0.0),
)  # fmt: skip
"""All facts, in the order of the literature review."""
