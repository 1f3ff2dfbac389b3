"""The published facts that the model is judged by, each declared once.

Numbers, bands and grades are those of the review of the literature behind the model (see the page
on evidence); where a band is ours and not a source's, the fact says assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log
from typing import Any

from kolabsim.i18n import N_
from kolabsim.validation import contrasts as c
from kolabsim.validation.observation import Setting

CALIBRATION, VALIDATION, DIRECTION, NULL = "calibration", "validation", "direction", "null"
USES = (CALIBRATION, VALIDATION, DIRECTION, NULL)
"""Whether a fact may be calibrated on, was held out, gives a direction only, or must be nothing."""

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
"""What is simulated for the facts; all on common draws."""


@dataclass(frozen=True)
class Fact:
    """A published fact, what is compared for it, and where the contrast must lie."""

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
    """The whole interval of the contrast must lie between these."""
    includes: float | None = None
    """Instead: the interval must include this number."""
    not_above: float | None = None
    """Instead: the interval must reach down to this number, or lie below it."""
    remark: str = ""
    """Why it is not represented, or how the contrast stands for the fact."""

    @property
    def is_represented(self) -> bool:
        """Whether the model can express the fact at all."""
        return self.contrast is not None


def _fact(
    id_: str, statement: str, use: str, grade: str, source: str, *rest: Any, **how: Any
) -> Fact:
    settings, contrast = rest if rest else ((), None)
    return Fact(id_, statement, use, grade, source, tuple(settings), contrast, **how)


FACTS: tuple[Fact, ...] = (
    _fact("SF1a", N_("Agreements six years old that save more than 3 %"), CALIBRATION, "A",
          "Bel and Sebő; New York survey", ["towns"], c.share_saving, low=0.40, high=0.60),
    _fact("SF1b", N_("Agreements six years old that cost about the same (3 %)"), CALIBRATION, "A",
          "Bel and Sebő; New York survey", ["towns"], c.share_alike, low=0.20, high=0.45),
    _fact("SF1c", N_("Agreements six years old that cost over 3 % more"), CALIBRATION, "A",
          "Bel and Sebő; New York survey", ["towns"], c.share_dearer, low=0.10, high=0.25),
    _fact("SF2a", N_("Median saving of members far below efficient scale"), CALIBRATION, "A",
          "Struk and Bakoš; Gradus; Ferraresi", ["towns"], c.small_saving, low=0.05, high=0.20),
    _fact("SF2b", N_("Effect on the budget of all services together"), CALIBRATION, "A",
          "Ferraresi", ["towns"], c.total_saving, low=-0.05, high=0.05),
    _fact("SF3a", N_("The larger a member, the less it saves"), VALIDATION, "A",
          "Niaounakis and Blank 2017", ["towns"], c.saving_by_size, high=0.0,
          remark=N_("the slope of unit cost itself is an input, and is not counted")),
    _fact("SF3b", N_("Members that had efficient scale by themselves save nothing"), VALIDATION,
          "A", "Elston, Bel and Wang 2023", ["towns"], c.large_saving, not_above=0.0),
    _fact("SF4", N_("Given scale, those who cooperate are about as efficient"), VALIDATION, "B",
          "Niaounakis and Blank 2017", ["towns"], c.dummy, low=-0.08, high=0.08),
    _fact("SF5a", N_("Given people served, saving falls with partners"), VALIDATION, "B",
          "Blåka 2017", ["towns"], c.by_partners, high=0.0),
    _fact("SF5b", N_("It falls faster under contracts than in joint boards"), DIRECTION, "B",
          "Blåka 2017", ["contracts", "towns"], c.steeper, high=0.0),
    _fact("SF5c", N_("Bodies of three to seven do better than smaller and larger ones"), VALIDATION,
          "B", "Blåka 2017", ["towns"], c.middling, low=0.0),
    _fact("SF6", N_("Delegation to a lead saves more than a board of equals"), DIRECTION, "A",
          "Bel and Sebő; Bel and others 2023", ["lead", "towns"], c.more_saving, low=0.0),
    _fact("SF7a", N_("Technology and procurement save more than finance"), DIRECTION, "A",
          "Aldag and others; Elston 2025", ["towns"], c.capital_over_finance, low=0.0),
    _fact("SF7b", N_("Finance saves more than development of staff"), DIRECTION, "A",
          "Aldag and others; Elston 2025", ["towns"], c.finance_over_training, low=0.0),
    _fact("SF7c", N_("Development of staff saves nothing in its first three years"), DIRECTION, "A",
          "Blåka 2017", ["towns"], c.early_training, includes=0.0),
    _fact("SF8a", N_("No net benefit in the first year"), VALIDATION, "A",
          "Dijkgraaf and Gradus 2013; Ferraresi", ["towns"], c.first_year, high=0.0),
    _fact("SF8b", N_("Benefits make up for the start after three to six years"), CALIBRATION, "A",
          "Dijkgraaf and Gradus 2013; Ferraresi", ["towns"], c.break_even, low=3.0, high=6.0),
    _fact("SF9", N_("Where regions grow, old agreements save less and less"), DIRECTION, "B",
          "Catalonia 2000 to 2019", ["growing", "long"], c.erosion, high=0.0),
    _fact("SF10", N_("Grants raise the formation of agreements by a fifth or more"), DIRECTION, "B",
          "Bischoff and Wolfschütz", ["grants", "towns"], c.formation, low=log(1.2),
          remark=N_("the size is assumed, the sign is known")),
    _fact("SF11", N_("Fiscal stress raises cooperation on average"), DIRECTION, "A",
          "Bel and Warner 2016", ["towns"], c.by_stress, low=0.0,
          remark=N_("one study finds the contrary (Bischoff)")),
    _fact("SF12", N_("Alike regions cooperate more, given distance"), VALIDATION, "A",
          "Gerber and others; Bischoff", ["towns"], c.alike, low=0.0,
          remark=N_("a Dutch sample shows little of it")),
    _fact("SF13a", N_("Neighbours cooperate more, given distance"), VALIDATION, "B",
          "Bel and Warner; Dutch joint bodies", ["towns"], c.adjacent, low=0.0),
    _fact("SF13b", N_("Cooperation falls from each quartile of distance to the next"), VALIDATION,
          "B", "Dutch joint bodies", ["towns"], c.by_distance, low=0.0),
    _fact("SF14", N_("Regular forums raise ties among those who meet"), VALIDATION, "A",
          "LeRoux and others 2010", ["forum", "towns"], c.more_ties, low=0.0),
    _fact("SF15a", N_("Difference of size has no effect on ties"), VALIDATION, "B",
          "Blaeschke", ["towns"], c.size_apart, includes=0.0),
    _fact("SF15b", N_("Difference of capacity raises ties where one leads"), VALIDATION, "B",
          "Blåka 2017", ["lead"], c.capacity_apart, low=0.0),
    _fact("SF17", N_("Pairs that share one area are likelier to share another"), DIRECTION, "B",
          "Andrew and Kendra", ["towns"], c.multiplex, low=0.0),
    _fact("SF18", N_("Share of regions and areas under an agreement"), CALIBRATION, "C",
          "New York survey", ["towns"], c.cooperation, low=0.15, high=0.40),
    _fact("SF19a", N_("Mean age of memberships in the long run, years"), CALIBRATION, "C",
          "New York survey", ["long"], c.membership_age, low=10.0, high=25.0),
    _fact("SF19b", N_("Memberships that end in a year"), CALIBRATION, "C",
          "New York survey", ["long"], c.exits, low=0.03, high=0.10),
    _fact("SF20", N_("Leaving depends more on burden and trust than on saving"), CALIBRATION, "C",
          "Elston, Rackwitz and Bel 2023; Aldag and Warner", ["towns"], c.exit_drivers, low=0.0),
    _fact("SF21a", N_("Quality hardly changes in the long run"), VALIDATION, "A",
          "Elston 2025; Ferraresi; Gori; Bel and Mur", ["towns"], c.quality_change,
          low=-0.05, high=0.05),
    _fact("SF21b", N_("Quality falls at first in labour-intensive areas"), VALIDATION, "A",
          "Elston 2025", ["towns"], c.early_quality, high=0.0),
    _fact("SF21c", N_("The smallest members gain quality"), VALIDATION, "A",
          "Elston 2025", ["towns"], c.smallest_quality, low=0.0),
    _fact("SF22a", N_("A shock of demand harms members less"), DIRECTION, "B",
          "Bel and Elston 2023", ["shock", "towns"], c.resilience, low=0.0),
    _fact("SF22b", N_("Members are no faster in a shock"), DIRECTION, "B", "Bel and Elston 2023",
          remark=N_("the model has no speed of service")),
    _fact("SF23a", N_("Mandated members save as much as free ones"), DIRECTION, "B", "Tricaud",
          ["mandate", "towns"], c.mandated_saving, includes=0.0),
    _fact("SF23b", N_("Mandated members are worse off all in all"), DIRECTION, "B", "Tricaud",
          ["mandate", "towns"], c.mandated_content, high=0.0),
    _fact("SF24a", N_("Trust and outcome go together"), VALIDATION, "C", "Klijn; MRDH",
          ["half a team"], c.trust_outcome, low=0.0,
          remark=N_("how much faster trust goes than comes is an input, and is not counted")),
    _fact("SF24b", N_("They do so less once management is held fixed"), VALIDATION, "C", "Klijn",
          ["half a team"], c.mediated, low=0.0),
    _fact("SF25", N_("Groups of unlimited size lower cooperation"), DIRECTION, "D",
          "Smaldino and Lubell; Santos and Pacheco", ["capped", "towns"], c.less_cooperation,
          low=0.0),
    _fact("SF26a", N_("Joint planning raises the success of negotiations"), DIRECTION, "D",
          "Choi and Robertson 2014", ["planning", "towns"], c.more_success, low=0.0),
    _fact("SF26b", N_("Three quarters please more members than a simple majority"), DIRECTION, "D",
          "Choi and Robertson 2014", ["towns", "majority"], c.more_content, low=0.0),
    _fact("SF26c", N_("Three quarters succeed more often than unanimity"), DIRECTION, "D",
          "Choi and Robertson 2014", ["towns", "unanimity"], c.more_success, low=0.0),
    _fact("N1", N_("Who gains nothing by sharing shares nothing"), NULL, "", "",
          ["nothing to gain"], c.cooperation, high=0.01),
    _fact("N2", N_("Where sharing is free, efficient scale is reached"), NULL, "", "",
          ["free of cost"], c.pooled, low=1.0),
    _fact("N3", N_("Culture without weight has no effect"), NULL, "", "",
          ["culture without weight"], c.alike, includes=0.0),
)  # fmt: skip
"""All facts, in the order of the review."""
