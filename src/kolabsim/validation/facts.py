"""The published facts by which the model is judged, each declared once.

Each fact has a class. Parameters may be fitted to *calibration* facts. Facts *in view* were held
out until a miss changed the structure of the model; they say why, and their agreement is weak
evidence. Facts *held out* never changed the model; each was declared with its band before the model
was run on it. *Nulls* test that an effect disappears with its cause.

Numbers, bands and grades come from the literature (see the page on evidence). Where a band is an
assumption rather than a source's, the fact says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, log
from typing import Any

from kolabsim.i18n import N_
from kolabsim.model.parameters import PARAMETERS
from kolabsim.validation import contrasts as c
from kolabsim.validation.runs import Setting

CALIBRATION, IN_VIEW, HELD_OUT, NULL = "calibration", "in view", "held out", "null"
CLASSES = (HELD_OUT, IN_VIEW, CALIBRATION, NULL)
"""Classes of facts, in the order in which they are shown."""

MEASURED = ("finance", "procurement", "training", "technology")
"""Service areas of the small towns."""


def _years(
    years: int,
    changes: dict[str, Any] | None = None,
    strategy: str = "voluntary",
    scenario: str = "small-towns",
    repeats: int = 1,
) -> Setting:
    return Setting(scenario, {"horizon": 4 * years, **(changes or {})}, strategy, repeats)


def _difficult(difficulty: float) -> Setting:
    """Small towns in which the results of every service are as difficult to measure."""
    return _years(20, {f"areas.{name}.difficulty": difficulty for name in MEASURED})


def _barlingmascakeb(strategy: str = "voluntary", **changes: float) -> Setting:
    settings = {f"parameters.{name}": value for name, value in changes.items()}
    return _years(10, settings, strategy, "barlingmascakeb", repeats=8)


SETTINGS: dict[str, Setting] = {
    "towns": _years(20),
    "boards": _years(20, {"form": "board"}),
    "contracts": _years(20, {"form": "contract"}),
    "lead": _years(20, {"form": "lead"}),
    "grants": _years(20, strategy="grants"),
    "mediation": _years(20, strategy="ngo"),
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
    "easy to measure": _difficult(0.1),
    "harder to measure": _difficult(0.5),
    "hard to measure": _difficult(0.9),
    "kartamantul": _years(10, scenario="kartamantul", repeats=24),
    "barlingmascakeb": _barlingmascakeb(),
    "barlingmascakeb with grants": _barlingmascakeb("grants"),
    "barlingmascakeb, committed": _barlingmascakeb(commitment_start=0.9),
    "barlingmascakeb, uncommitted": _barlingmascakeb(commitment_start=0.3),
    "nothing to gain": _years(20, {
        f"areas.{name}.{key}": value
        for name in MEASURED
        for key, value in (("efficient_scale", 100.0), ("spillover", 0.0))
    } | {
        f"parameters.{name}": 0.0
        for name in ("misperception", "quality_value")
    }),
    "free of cost": _years(20, {
        f"parameters.{name}": 0.0
        for name in (
            "information_cost", "culture_cost", "practice_cost", "negotiation_cost",
            "enforcement_cost", "overhead_cost", "transition_cost", "startup_cost",
            "autonomy_cost", "interest_fit", "misperception",
        )
    } | {"parameters.honour_base": PARAMETERS["honour_base"].most}),
    # Differences too small to act, which an observer can still rank.
    "culture without weight": _years(20, {"parameters.culture_spread": 1e-6}),
}  # fmt: skip
"""The simulations behind the facts; all share their random draws."""


SIGN = N_("the source gives the direction; no size is required")
"""Basis of a fact that states a direction only."""
WIDENED = N_("shares of studies and of services, widened because no source counts agreements")


@dataclass(frozen=True)
class Fact:
    """A published fact, the contrast that stands for it, and where that contrast must lie."""

    id: str
    statement: str
    use: str
    """Its class, of :data:`CLASSES`."""
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
    cites: tuple[str, ...] = ()
    """Keys of the bibliography."""
    basis: str = SIGN
    """What of its bounds comes from the source, and what is assumed."""
    seen: str = ""
    """Why it is in view: what a miss changed in the model."""
    miss: str = ""
    """Why the model misses it, as far as is known; shown where it does."""
    width: float = 0.0
    """Of a fact with one end only: the distance beyond it that counts as far in calibration."""
    about: str = ""
    """What a user's fact measures, in the words of its file."""

    @property
    def is_expressed(self) -> bool:
        """Whether the present model can express it."""
        return self.contrast is not None

    @property
    def kind(self) -> str:
        """``band`` if both ends are bounded or a value is stated, else ``direction``."""
        bounded = isfinite(self.low) and isfinite(self.high)
        return "band" if bounded or self.includes is not None else "direction"


def keeps_members(setting: str) -> Fact:
    """The fact that documented bodies persist, for a setting whose scenario lists bodies."""
    return Fact(
        "KEEP", N_("Documented joint bodies keep all members for ten years without any lever"),
        CALIBRATION, "C", N_("Kartamantul and its joint secretariat; cases"), c.listed_kept,
        (setting,), low=0.8, high=1.0, cites=("hudalah_2014",),
        basis=N_(
            "the bodies and their years are documented; the share of four fifths is assumed, since "
            "bodies that ended are documented less often than those that persist"
        ),
        remark=N_(
            "share of the bodies listed at the start whose members were together in every quarter"
        ),
    )  # fmt: skip


FACTS: tuple[Fact, ...] = (
    Fact("SF1a", N_("Agreements six years old that save more than 3%"), CALIBRATION, "A",
         "Bel and Sebő; New York survey", c.share_saving, low=0.40, high=0.60,
         cites=("bel_sebo_2021", "aldag_2020"), basis=WIDENED),
    Fact("SF1b", N_("Agreements six years old that cost about the same (3%)"), CALIBRATION, "A",
         "Bel and Sebő; New York survey", c.share_similar, low=0.20, high=0.45,
         cites=("bel_sebo_2021", "aldag_2020"), basis=WIDENED),
    Fact("SF1c", N_("Agreements six years old that cost over 3% more"), CALIBRATION, "A",
         "Bel and Sebő; New York survey", c.share_costlier, low=0.10, high=0.25,
         cites=("bel_sebo_2021", "aldag_2020"), basis=WIDENED),
    Fact("SF2a", N_("Median saving of members far below efficient scale"), CALIBRATION, "A",
         "Struk and Bakoš; Gradus; Ferraresi", c.small_saving, low=0.05, high=0.20,
         cites=("struk_bakos_2021", "ferraresi_2018"),
         basis=N_("sources find 5%, 13.5% and 17%; the band rounds them outwards")),
    Fact("SF2b", N_("Effect on the total budget of all services"), CALIBRATION, "A", "Ferraresi",
         c.total_saving, low=-0.05, high=0.05, cites=("ferraresi_2018",),
         basis=N_("the source finds 5%, others find nothing or more spending")),
    Fact("SF3a", N_("The larger a member, the less it saves"), HELD_OUT, "A",
         "Niaounakis and Blank 2017", c.saving_by_size, high=0.0, cites=("niaounakis_blank_2017",),
         remark=N_("the slope of unit cost itself is an input and does not count")),
    Fact("SF3b", N_("Members that already had efficient scale save nothing"), HELD_OUT, "A",
         "Elston, Bel and Wang 2023", c.large_saving, not_above=0.0,
         cites=("elston_bel_wang_2023",),
         basis=N_("the source finds no gain of cost or quality")),
    Fact("SF4", N_("At equal scale, members and non-members are about as efficient"), HELD_OUT,
         "B", "Niaounakis and Blank 2017", c.dummy, low=-0.08, high=0.08,
         cites=("niaounakis_blank_2017",),
         basis=N_("the source finds no difference; the width of the band is assumed")),
    Fact("SF5a", N_("At equal population served, saving falls with the number of partners"),
         IN_VIEW, "B", "Blåka 2017", c.by_partners, high=0.0, cites=("blaka_2017",),
         seen=N_("its miss led to the cost of partners by legal form, and to contracts with one "
                 "provider")),
    Fact("SF5b", N_("Saving falls faster with partners under contracts than in joint boards"),
         IN_VIEW, "B", "Blåka 2017", c.difference(c.by_partners), ("contracts", "boards"), high=0.0,
         cites=("blaka_2017",), seen=N_("considered when contracts received one provider")),
    Fact("SF5c", N_("Bodies of three to seven members do better than smaller or larger ones"),
         IN_VIEW, "B", "Blåka 2017", c.middling, low=0.0, cites=("blaka_2017",),
         seen=N_("considered when contracts received one provider")),
    Fact("SF6", N_("Delegation to a lead saves more than a board of equals"), IN_VIEW, "A",
         "Bel and Sebő; Bel and others 2023", c.difference(c.member_saving), ("lead", "boards"),
         low=0.0, cites=("bel_sebo_2021", "bel_2023"),
         seen=N_("considered when the legal forms were redesigned")),
    Fact("SF7a", N_("Technology and procurement save more than finance"), HELD_OUT, "A",
         "Aldag and others; Elston 2025", c.capital_over_finance, low=0.0,
         cites=("aldag_2020", "elston_2025")),
    Fact("SF7b", N_("Finance saves more than staff development"), HELD_OUT, "A",
         "Aldag and others; Elston 2025", c.finance_over_training, low=0.0,
         cites=("aldag_2020", "elston_2025")),
    Fact("SF7c", N_("Staff development saves nothing in its first three years"), HELD_OUT, "A",
         "Elston 2025", c.early_training, includes=0.0, cites=("elston_2025",),
         basis=N_("the source finds no short-term saving in a labour-intensive service")),
    Fact("SF8a", N_("No net benefit in the first year"), HELD_OUT, "A",
         "Dijkgraaf and Gradus 2013; Ferraresi", c.first_year, high=0.0,
         cites=("dijkgraaf_gradus_2013", "ferraresi_2018")),
    Fact("SF8b", N_("Benefits recover the start-up cost after three to six years"), CALIBRATION,
         "A", "Dijkgraaf and Gradus 2013; Ferraresi", c.break_even, low=3.0, high=6.0,
         cites=("dijkgraaf_gradus_2013", "ferraresi_2018"),
         basis=N_("extra costs disappear after five or six years; the lower end is assumed")),
    Fact("SF9", N_("Where populations grow, the saving of old agreements declines"), HELD_OUT, "B",
         "Catalonia 2000 to 2019", c.difference(c.old_saving), ("growing", "long"), high=0.0,
         cites=("bel_elston_2023",)),
    Fact("SF10", N_("Grants raise the number of new agreements by a fifth or more"), HELD_OUT, "B",
         "Bischoff and Wolfschütz", c.log_ratio(c.formation), ("grants", "towns"), low=log(1.2),
         cites=("bischoff_wolfschuetz_2021",), basis=N_("the size is assumed; the sign is known")),
    Fact("SF11", N_("Fiscal stress raises cooperation on average"), HELD_OUT, "A",
         "Bel and Warner 2016", c.by_stress, low=0.0, cites=("bel_warner_2016",),
         remark=N_("one study finds the opposite (Bischoff)")),
    Fact("SF12", N_("At equal distance, similar regions cooperate more"), HELD_OUT, "A",
         "Gerber and others; Bischoff", c.tie_effect("alike"), low=0.0, cites=("gerber_2013",),
         remark=N_("a Dutch sample shows little of this effect")),
    Fact("SF13a", N_("At equal distance, neighbours cooperate more"), HELD_OUT, "B",
         "Bel and Warner; Dutch joint bodies", c.tie_effect("land"), low=0.0,
         cites=("bel_warner_2016",)),
    Fact("SF13b", N_("Cooperation falls with each quartile of distance"), HELD_OUT, "B",
         "Dutch joint bodies", c.by_distance, low=0.0),
    Fact("SF14", N_("Regular forums increase ties among participants"), HELD_OUT, "A",
         "LeRoux and others 2010", c.log_ratio(c.ties_within_tiers), ("forum", "towns"), low=0.0,
         cites=("leroux_2010",)),
    Fact("SF15a", N_("Difference in size has no effect on ties"), IN_VIEW, "B", "Blaeschke",
         c.tie_effect("size"), includes=0.0, cites=("blaeschke_2014",),
         basis=N_("the source finds no monotone effect"),
         seen=N_("considered when providers of contracts were introduced")),
    Fact("SF15b", N_("Difference in capacity increases ties where one region leads"), IN_VIEW,
         "B", "Blåka 2017", c.tie_effect("capacity"), ("lead",), low=0.0, cites=("blaka_2017",),
         seen=N_("considered when providers of contracts were introduced")),
    Fact("SF17", N_("Pairs that share one service area are more likely to share another"),
         IN_VIEW, "B", "Andrew and Kendra", c.multiplex, low=0.0, cites=("andrew_kendra_2009",),
         seen=N_("led to lower costs for partners that already share another service area")),
    Fact("SF18", N_("Share of region and service area pairs under an agreement"), CALIBRATION, "C",
         "New York survey", c.cooperation, low=0.15, high=0.40, cites=("homsy_2013",),
         basis=N_("the source finds 27%; the width of the band is assumed")),
    Fact("SF19a", N_("Mean age of memberships in the long run (years)"), CALIBRATION, "C",
         "New York survey", c.membership_age, ("long",), low=10.0, high=25.0, cites=("homsy_2013",),
         basis=N_("the source finds 18 years; the width of the band is assumed")),
    Fact("SF19b", N_("Share of memberships that end in a year"), CALIBRATION, "C",
         "New York survey", c.exits, ("long",), low=0.03, high=0.10, cites=("homsy_2013",),
         basis=N_("derived from the mean age of 18 years, by order of magnitude")),
    Fact("SF20", N_("Exit depends more on burden and trust than on saving"), CALIBRATION, "C",
         "Elston, Rackwitz and Bel 2023; Aldag and Warner", c.exit_drivers, low=0.0,
         cites=("elston_rackwitz_bel_2023", "aldag_warner_2018")),
    keeps_members("kartamantul"),
    Fact("SF21a", N_("Quality hardly changes in the long run"), HELD_OUT, "A",
         "Elston 2025; Ferraresi; Gori; Bel and Mur", c.quality_change, low=-0.05, high=0.05,
         cites=("elston_2025", "ferraresi_2018", "gori_2025", "bel_mur_2009"),
         basis=N_("sources find little or no change; the width of the band is assumed"),
         miss=N_("in the model, pooled capacity has no disadvantage except for shortfalls and "
                 "transition")),
    Fact("SF21b", N_("Quality falls at first in labour-intensive areas"), HELD_OUT, "A",
         "Elston 2025", c.early_quality, high=0.0, cites=("elston_2025",)),
    Fact("SF21c", N_("The smallest members gain quality"), HELD_OUT, "A", "Elston 2025",
         c.smallest_quality, low=0.0, cites=("bel_mur_2009", "gori_2025")),
    Fact("SF22a", N_("A demand shock harms members less"), HELD_OUT, "B", "Elston and Bel 2023",
         c.resilience, ("shock", "towns"), low=0.0, cites=("elston_bel_2023",)),
    Fact("SF22b", N_("Members do not respond faster to a shock"), HELD_OUT, "B",
         "Elston and Bel 2023", None, (), cites=("elston_bel_2023",),
         remark=N_("the model does not represent the speed of service")),
    Fact("SF23a", N_("Mandated members save as much as voluntary members"), HELD_OUT, "B",
         "Tricaud", c.mandated_saving, ("mandate", "towns"), includes=0.0, cites=("tricaud_2021",),
         basis=N_("the source finds the same fiscal benefits"),
         miss=N_("voluntary members choose their partners, mandated ones do not")),
    Fact("SF23b", N_("Mandated members are worse off overall"), HELD_OUT, "B", "Tricaud",
         c.mandated_benefit, ("mandate", "towns"), high=0.0, cites=("tricaud_2021",)),
    Fact("SF24a", N_("Trust and outcome are correlated"), HELD_OUT, "C", "Klijn; MRDH",
         c.trust_outcome, ("half a team",), low=0.0, cites=("klijn_2010",),
         remark=N_("the ratio of loss to gain of trust is an input and does not count")),
    Fact("SF24b", N_("They are less correlated once management is held fixed"), HELD_OUT, "C",
         "Klijn", c.mediated, ("half a team",), low=0.0, cites=("klijn_2010",)),
    Fact("SF25", N_("Unlimited group size lowers cooperation"), HELD_OUT, "D",
         "Smaldino and Lubell; Santos and Pacheco", c.difference(c.cooperation),
         ("capped", "towns"), low=0.0, cites=("smaldino_lubell_2011", "santos_pacheco_2011")),
    Fact("SF26a", N_("Joint planning raises the success rate of negotiations"), IN_VIEW, "D",
         "Choi and Robertson 2014", c.difference(c.success), ("planning", "towns"), low=0.0,
         cites=("choi_robertson_2014",),
         seen=N_("its miss led to costs that founders foresee in part, and better with planning")),
    Fact("SF26b", N_("A three-quarters rule satisfies more members than a simple majority"),
         IN_VIEW, "D", "Choi and Robertson 2014", c.difference(c.satisfied),
         ("towns", "majority"), low=0.0, cites=("choi_robertson_2014",),
         seen=N_("considered when judgement at the vote was redesigned")),
    Fact("SF26c", N_("A three-quarters rule succeeds more often than unanimity"), IN_VIEW, "D",
         "Choi and Robertson 2014", c.difference(c.success), ("towns", "unanimity"), low=0.0,
         cites=("choi_robertson_2014",),
         basis=N_("our reading of the source, which compares a super-majority with both"),
         seen=N_("considered when judgement at the vote was redesigned")),
    Fact("SF27", N_("A region is more likely to start sharing if its neighbours share"), HELD_OUT,
         "B", "Di Porto and others 2017", c.contagion, low=0.0, cites=("di_porto_2017",)),
    Fact("SF28", N_("Partners that share another service area stay together longer"), HELD_OUT, "B",
         "Aldag and Warner 2018", c.exit_by_overlap, high=0.0, cites=("aldag_warner_2018",),
         remark=N_("the source measures past experience with the partners")),
    Fact("SF29", N_("Quality explains long agreements better than cost savings do"), HELD_OUT, "B",
         "Aldag and Warner 2018", c.age_by_quality, ("long",), low=0.0,
         cites=("aldag_warner_2018",)),
    Fact("SF30a", N_("Different partners in different areas lower the cost of coordination"),
         HELD_OUT, "B", "Klok and others 2018", c.variety_effect("load"), high=0.0,
         cites=("klok_2018",), remark=N_("the source measures perceived costs")),
    Fact("SF30b", N_("Different partners in different areas do not change the benefit"), HELD_OUT,
         "B", "Klok and others 2018", c.variety_effect("realised"), low=-0.02, high=0.02,
         cites=("klok_2018",),
         basis=N_("the source finds no effect; the width of the band is assumed")),
    Fact("SF31a", N_("Cooperation rises from easily to moderately measurable services"), HELD_OUT,
         "B", "Shrestha and Feiock 2011", c.difference(c.cooperation),
         ("harder to measure", "easy to measure"), low=0.0, cites=("shrestha_feiock_2011",),
         remark=N_("difficulties of 0.1, 0.5 and 0.9 are assumed to span the source’s services")),
    Fact("SF31b", N_("Cooperation falls from moderately to hardly measurable services"), HELD_OUT,
         "B", "Shrestha and Feiock 2011", c.difference(c.cooperation),
         ("hard to measure", "harder to measure"), high=0.0, cites=("shrestha_feiock_2011",),
         remark=N_("difficulties of 0.1, 0.5 and 0.9 are assumed to span the source’s services")),
    Fact("SF32", N_("Results exceed expectations more often than they disappoint"), HELD_OUT, "C",
         "Gendźwiłł and others 2019", c.surprise, low=0.0, cites=("gendzwill_2019",),
         remark=N_("a survey of managers of joint bodies; self-reports are rosier than accounts")),
    Fact("SF33a", N_("The larger the host of a body, the more quality its partners gain"), HELD_OUT,
         "B", "Arntsen and others 2021", c.partner_gain, ("lead",), low=0.0,
         cites=("arntsen_2021",)),
    Fact("SF33b", N_("The larger a host is than its partners, the less quality it gains itself"),
         HELD_OUT, "B", "Arntsen and others 2021", c.host_gain, ("lead",), high=0.0,
         cites=("arntsen_2021",)),
    Fact("SF34", N_("Small regions cooperate more than large ones"), HELD_OUT, "B",
         "Arntsen and others 2018", c.small_cooperate, low=0.0, cites=("arntsen_2018",),
         remark=N_("other Norwegian studies find that large regions cooperate as often")),
    Fact("SF35a", N_("Contracts and joint boards save about as much"), HELD_OUT, "B",
         "Aldag and Warner 2024", c.difference(c.member_saving), ("contracts", "boards"),
         low=-0.03, high=0.03, cites=("aldag_warner_2024",),
         basis=N_("the source often finds no effect of formality; the width of the band is "
                  "assumed, as for agreements that cost about the same")),
    Fact("SF35b", N_("Non-profit partners lower the cost of shared services"), HELD_OUT, "B",
         "Aldag and Warner 2024", c.difference(c.member_saving), ("mediation", "towns"), low=0.0,
         cites=("aldag_warner_2024",),
         remark=N_("the source’s partners also produce; the model’s NGOs mediate")),
    Fact("SF36", N_("Two thirds or more of small mandated members save"), HELD_OUT, "C",
         "Giacomini and others 2018", c.small_mandated_saving, ("mandate",), low=2 / 3,
         cites=("giacomini_2018",),
         basis=N_("the share is the source’s, as reported by the municipalities themselves")),
    Fact("SF37", N_("Large regions are in contracts more often than small ones"), HELD_OUT, "C",
         "Bakoš and others 2021", c.contract_by_size, low=0.0, cites=("bakos_2021",),
         remark=N_("Czech municipalities that prefer contracts: 21% of the smallest, 61% of large "
                   "ones")),
    Fact("SF38", N_("Providers buy other services from their buyers"), HELD_OUT, "B",
         "Shrestha and Feiock 2009", c.reciprocity, ("contracts",), low=0.0,
         cites=("shrestha_feiock_2009",),
         remark=N_("cross-service reciprocity in a Florida county")),
    Fact("SF39", N_("Early and late agreements save as much at the same age"), HELD_OUT, "B",
         "Bel and Elston 2023", c.late_saving, ("long",), low=-0.02, high=0.02,
         cites=("bel_elston_2023",),
         basis=N_("the source finds that timing is irrelevant; the width of the band is assumed")),
    Fact("SF40a", N_("Indonesia: committed heads of region raise cooperation"), HELD_OUT, "C",
         "Harsanto and others 2015", c.difference(c.cooperation),
         ("barlingmascakeb, committed", "barlingmascakeb, uncommitted"), low=0.0,
         cites=("harsanto_2015",)),
    Fact("SF40b", N_("Indonesia: funding by the centre raises cooperation"), HELD_OUT, "C",
         "Harsanto and others 2015", c.difference(c.cooperation),
         ("barlingmascakeb with grants", "barlingmascakeb"), low=0.0, cites=("harsanto_2015",)),
    Fact("SH1", N_("Joint bodies have three to seven members (median)"), IN_VIEW, "B",
         "Dutch joint bodies", c.median_size, low=3.0, high=7.0,
         basis=N_("the median of the sample is 5, and most bodies have 3 to 7 members"),
         seen=N_("bodies that stayed too small led to new forms of joint bodies")),
    Fact("SH2", N_("Contracts have open triads, joint boards closed ones"), IN_VIEW, "B",
         "Andrew 2009", c.difference(c.transitivity), ("contracts", "boards"), high=0.0,
         cites=("andrew_2009",),
         seen=N_("contracts received one provider because of this fact")),
    Fact("N1", N_("Regions that gain nothing by sharing do not share"), NULL, "", "", c.cooperation,
         ("nothing to gain",), high=0.01, basis=""),
    Fact("N2", N_("Where sharing costs nothing, regions reach efficient scale"), NULL, "", "",
         c.pooled, ("free of cost",), low=1.0, basis=""),
    Fact("N3", N_("Culture with zero weight has no effect"), NULL, "", "", c.tie_effect("alike"),
         ("culture without weight",), includes=0.0, basis=""),
)  # fmt: skip
"""All facts, in the order of the literature review."""
