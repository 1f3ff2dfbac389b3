"""The published facts by which the model is judged, each declared once.

Numbers, bands and grades come from the literature review behind the model (see the page on
evidence). Where a band is an assumption rather than a source's, the fact says so.
"""

from __future__ import annotations

from collections.abc import Callable
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

TWENTY = {"horizon": 80}
"""Twenty years."""


SETTINGS: dict[str, Setting] = {
    "towns": Setting(changes=TWENTY),
    "contracts": Setting(changes=TWENTY | {"form": "contract"}),
    "lead": Setting(changes=TWENTY | {"form": "lead"}),
    "grants": Setting(changes=TWENTY, strategy="grants"),
    "forum": Setting(changes=TWENTY, strategy="forum"),
    "planning": Setting(changes=TWENTY, strategy="planning"),
    "mandate": Setting(changes=TWENTY, strategy="mandate"),
    "majority": Setting(changes=TWENTY | {"consent": "majority"}),
    "unanimity": Setting(changes=TWENTY | {"consent": "unanimity"}),
    "capped": Setting(changes=TWENTY | {"cap": 5}),
    "half a team": Setting(
        changes=TWENTY
        | {
            "strategies.half.mechanisms.team": {
                "intensity": 0.6,
                "areas": ["finance", "procurement"],
            }
        },
        strategy="half",
    ),
    "shock": Setting(
        changes=TWENTY
        | {
            "changes": [
                {"what": "demand", "factor": 1.3, "from": c.SHOCK.start, "until": c.SHOCK.stop}
            ]
        }
    ),
    "long": Setting(changes={"horizon": 240}),
    "growing": Setting(
        changes={"horizon": 240, "changes": [{"what": "population", "growth": 0.02}]}
    ),
    "nothing to gain": Setting(
        changes=TWENTY
        | {
            f"areas.{name}.{key}": value
            for name in ("finance", "procurement", "training", "technology")
            for key, value in (("efficient_scale", 100.0), ("spillover", 0.0))
        }
        | {
            "parameters.misperception": 0.0,
            "parameters.capacity_spread": 0.0,
            "parameters.capacity_size": 0.0,
        }
    ),
    "free of cost": Setting(
        changes=TWENTY
        | {
            f"parameters.{name}": 0.0
            for name in (
                "information_cost", "negotiation_cost", "enforcement_cost", "overhead_cost",
                "transition_cost", "startup_cost", "autonomy_cost", "misperception",
                "shortfall_quality", "shortfall_share",
            )
        }
    ),
    "culture without weight": Setting(
        changes=TWENTY | {"parameters.culture_weight": 0.0, "parameters.trust_culture": 0.0}
    ),
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
    settings: tuple[str, ...] = ()
    contrast: Callable[..., float] | None = None
    low: float = -inf
    high: float = inf
    """Bounds that must contain the whole interval of the contrast."""
    includes: float | None = None
    """Alternatively: a number that the interval must include."""
    not_above: float | None = None
    """Alternatively: a number that the interval must not lie entirely above."""
    remark: str = ""
    """Why the model cannot express the fact, or how to read the contrast."""

    @property
    def is_represented(self) -> bool:
        """Whether the model can express the fact."""
        return self.contrast is not None


def _fact(
    id_: str, statement: str, use: str, grade: str, source: str, *rest: Any, **how: Any
) -> Fact:
    settings, contrast = rest if rest else ((), None)
    return Fact(id_, statement, use, grade, source, tuple(settings), contrast, **how)


FACTS: tuple[Fact, ...] = (
    _fact("SF1a", N_("Agreements six years old that save more than 3%"), CALIBRATION, "A",
          "Bel and Sebő; New York survey", ["towns"], c.share_saving, low=0.40, high=0.60),
    _fact("SF1b", N_("Agreements six years old that cost about the same (3%)"), CALIBRATION, "A",
          "Bel and Sebő; New York survey", ["towns"], c.share_similar, low=0.20, high=0.45),
    _fact("SF1c", N_("Agreements six years old that cost over 3% more"), CALIBRATION, "A",
          "Bel and Sebő; New York survey", ["towns"], c.share_costlier, low=0.10, high=0.25),
    _fact("SF2a", N_("Median saving of members far below efficient scale"), CALIBRATION, "A",
          "Struk and Bakoš; Gradus; Ferraresi", ["towns"], c.small_saving, low=0.05, high=0.20),
    _fact("SF2b", N_("Effect on the total budget of all services"), CALIBRATION, "A",
          "Ferraresi", ["towns"], c.total_saving, low=-0.05, high=0.05),
    _fact("SF3a", N_("The larger a member, the less it saves"), VALIDATION, "A",
          "Niaounakis and Blank 2017", ["towns"], c.saving_by_size, high=0.0,
          remark=N_("the slope of unit cost itself is an input and does not count")),
    _fact("SF3b", N_("Members that already had efficient scale save nothing"), VALIDATION,
          "A", "Elston, Bel and Wang 2023", ["towns"], c.large_saving, not_above=0.0),
    _fact("SF4", N_("At equal scale, members and non-members are about as efficient"),
          VALIDATION, "B",
          "Niaounakis and Blank 2017", ["towns"], c.dummy, low=-0.08, high=0.08),
    _fact("SF5a", N_("At equal population served, saving falls with the number of partners"),
          VALIDATION, "B",
          "Blåka 2017", ["towns"], c.by_partners, high=0.0),
    _fact("SF5b", N_("Saving falls faster with partners under contracts than in joint boards"),
          DIRECTION, "B",
          "Blåka 2017", ["contracts", "towns"], c.steeper, high=0.0),
    _fact("SF5c", N_("Bodies of three to seven members do better than smaller or larger ones"),
          VALIDATION,
          "B", "Blåka 2017", ["towns"], c.middling, low=0.0),
    _fact("SF6", N_("Delegation to a lead saves more than a board of equals"), DIRECTION, "A",
          "Bel and Sebő; Bel and others 2023", ["lead", "towns"], c.more_saving, low=0.0),
    _fact("SF7a", N_("Technology and procurement save more than finance"), DIRECTION, "A",
          "Aldag and others; Elston 2025", ["towns"], c.capital_over_finance, low=0.0),
    _fact("SF7b", N_("Finance saves more than staff development"), DIRECTION, "A",
          "Aldag and others; Elston 2025", ["towns"], c.finance_over_training, low=0.0),
    _fact("SF7c", N_("Staff development saves nothing in its first three years"), DIRECTION, "A",
          "Blåka 2017", ["towns"], c.early_training, includes=0.0),
    _fact("SF8a", N_("No net benefit in the first year"), VALIDATION, "A",
          "Dijkgraaf and Gradus 2013; Ferraresi", ["towns"], c.first_year, high=0.0),
    _fact("SF8b", N_("Benefits recover the start-up cost after three to six years"),
          CALIBRATION, "A",
          "Dijkgraaf and Gradus 2013; Ferraresi", ["towns"], c.break_even, low=3.0, high=6.0),
    _fact("SF9", N_("Where populations grow, the saving of old agreements declines"),
          DIRECTION, "B",
          "Catalonia 2000 to 2019", ["growing", "long"], c.erosion, high=0.0),
    _fact("SF10", N_("Grants raise the number of new agreements by a fifth or more"),
          DIRECTION, "B",
          "Bischoff and Wolfschütz", ["grants", "towns"], c.formation, low=log(1.2),
          remark=N_("the size is assumed; the sign is known")),
    _fact("SF11", N_("Fiscal stress raises cooperation on average"), DIRECTION, "A",
          "Bel and Warner 2016", ["towns"], c.by_stress, low=0.0,
          remark=N_("one study finds the opposite (Bischoff)")),
    _fact("SF12", N_("At equal distance, similar regions cooperate more"), VALIDATION, "A",
          "Gerber and others; Bischoff", ["towns"], c.alike, low=0.0,
          remark=N_("a Dutch sample shows little of this effect")),
    _fact("SF13a", N_("At equal distance, neighbours cooperate more"), VALIDATION, "B",
          "Bel and Warner; Dutch joint bodies", ["towns"], c.adjacent, low=0.0),
    _fact("SF13b", N_("Cooperation falls with each quartile of distance"), VALIDATION,
          "B", "Dutch joint bodies", ["towns"], c.by_distance, low=0.0),
    _fact("SF14", N_("Regular forums increase ties among participants"), VALIDATION, "A",
          "LeRoux and others 2010", ["forum", "towns"], c.more_ties, low=0.0),
    _fact("SF15a", N_("Difference in size has no effect on ties"), VALIDATION, "B",
          "Blaeschke", ["towns"], c.size_apart, includes=0.0),
    _fact("SF15b", N_("Difference in capacity increases ties where one region leads"),
          VALIDATION, "B",
          "Blåka 2017", ["lead"], c.capacity_apart, low=0.0),
    _fact("SF17", N_("Pairs that share one service area are more likely to share another"),
          DIRECTION, "B",
          "Andrew and Kendra", ["towns"], c.multiplex, low=0.0),
    _fact("SF18", N_("Share of region and service area pairs under an agreement"), CALIBRATION, "C",
          "New York survey", ["towns"], c.cooperation, low=0.15, high=0.40),
    _fact("SF19a", N_("Mean age of memberships in the long run (years)"), CALIBRATION, "C",
          "New York survey", ["long"], c.membership_age, low=10.0, high=25.0),
    _fact("SF19b", N_("Share of memberships that end in a year"), CALIBRATION, "C",
          "New York survey", ["long"], c.exits, low=0.03, high=0.10),
    _fact("SF20", N_("Exit depends more on burden and trust than on saving"), CALIBRATION, "C",
          "Elston, Rackwitz and Bel 2023; Aldag and Warner", ["towns"], c.exit_drivers, low=0.0),
    _fact("SF21a", N_("Quality hardly changes in the long run"), VALIDATION, "A",
          "Elston 2025; Ferraresi; Gori; Bel and Mur", ["towns"], c.quality_change,
          low=-0.05, high=0.05),
    _fact("SF21b", N_("Quality falls at first in labour-intensive areas"), VALIDATION, "A",
          "Elston 2025", ["towns"], c.early_quality, high=0.0),
    _fact("SF21c", N_("The smallest members gain quality"), VALIDATION, "A",
          "Elston 2025", ["towns"], c.smallest_quality, low=0.0),
    _fact("SF22a", N_("A demand shock harms members less"), DIRECTION, "B",
          "Bel and Elston 2023", ["shock", "towns"], c.resilience, low=0.0),
    _fact("SF22b", N_("Members do not respond faster to a shock"),
          DIRECTION, "B", "Bel and Elston 2023",
          remark=N_("the model does not represent the speed of service")),
    _fact("SF23a", N_("Mandated members save as much as voluntary members"),
          DIRECTION, "B", "Tricaud",
          ["mandate", "towns"], c.mandated_saving, includes=0.0),
    _fact("SF23b", N_("Mandated members are worse off overall"), DIRECTION, "B", "Tricaud",
          ["mandate", "towns"], c.mandated_benefit, high=0.0),
    _fact("SF24a", N_("Trust and outcome are correlated"), VALIDATION, "C", "Klijn; MRDH",
          ["half a team"], c.trust_outcome, low=0.0,
          remark=N_("the ratio of loss to gain of trust is an input and does not count")),
    _fact("SF24b", N_("They are less correlated once management is held fixed"),
          VALIDATION, "C", "Klijn",
          ["half a team"], c.mediated, low=0.0),
    _fact("SF25", N_("Unlimited group size lowers cooperation"), DIRECTION, "D",
          "Smaldino and Lubell; Santos and Pacheco", ["capped", "towns"], c.less_cooperation,
          low=0.0),
    _fact("SF26a", N_("Joint planning raises the success rate of negotiations"), DIRECTION, "D",
          "Choi and Robertson 2014", ["planning", "towns"], c.more_success, low=0.0),
    _fact("SF26b", N_("A three-quarters rule satisfies more members than a simple majority"),
          DIRECTION, "D",
          "Choi and Robertson 2014", ["towns", "majority"], c.more_satisfied, low=0.0),
    _fact("SF26c", N_("A three-quarters rule succeeds more often than unanimity"), DIRECTION, "D",
          "Choi and Robertson 2014", ["towns", "unanimity"], c.more_success, low=0.0),
    _fact("N1", N_("Regions that gain nothing by sharing do not share"), NULL, "", "",
          ["nothing to gain"], c.cooperation, high=0.01),
    _fact("N2", N_("Where sharing costs nothing, regions reach efficient scale"), NULL, "", "",
          ["free of cost"], c.pooled, low=1.0),
    _fact("N3", N_("Culture with zero weight has no effect"), NULL, "", "",
          ["culture without weight"], c.alike, includes=0.0),
)  # fmt: skip
"""All facts, in the order of the literature review."""
