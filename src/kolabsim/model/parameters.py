"""Every uncertain number of the model, declared once.

Validation, the scenario schema, the command line's help, the bounds of sensitivity analyses,
reports and the documentation are all read from :data:`PARAMETERS`. A *future* is a setting of some
of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kolabsim.i18n import N_

QUARTERS = 4
"""Quarters in a year: one step of the model is a quarter."""

EARTH = 6371.0
"""Mean radius of the earth, km."""

# Constants of the model --------------------------------------------------------------------------
# Numbers that no analysis varies: references to which differences are measured, and numbers that a
# group sensitivity found to move no headline outcome, or that only stretch a parameter's effect.

REFERENCE_POPULATION = 26_000.0
"""Median population of the Dutch municipalities of 2014 [niaounakis_blank_2017]: the size to which
the capacity of a region is compared, so that no region's figures depend on the others."""

REFERENCE_CONCENTRATION = 2.0
"""Concentration of interests whose mean distance between two regions counts as 1."""

MEAN_CAPACITY, CAPACITY_BY_SIZE = 0.6, 0.04
"""Capacity of a region of the reference population, and its rise per unit of log population. Only
differences in capacity act; their size is the parameter ``capacity_spread``. Assumed."""

GOODWILL_CONCENTRATION, AUTONOMY_CONCENTRATION, STRESS_CONCENTRATION = 8.0, 6.0, 4.0
"""Concentrations of the Beta distributions of traits (the sum of both shapes): standard deviations
of .14, .19 and .2 at the default means. Assumed; their means are what matters."""

TRUST_SPREAD = 0.08
"""Standard deviation of trust at the start. Inert within half to double."""

PAST_YEARS = 6.0
"""Years in which the trust of partners comes 63% nearer to what a long past builds. Assumed."""

TRANSITION_YEARS = 1.5
"""Years in which the penalty of a new body falls to 37% [dijkgraaf_gradus_2013]. Acts together with
``transition_cost``."""

SHORTFALL_SHARE, SHORTFALL_QUALITY = 0.1, 0.15
"""Share of its due that a member keeps back, and quality lost when all do. Assumed; how often
members fall short is the parameter ``honour_base``."""

STRAIN = 0.5
"""Elasticity by which demand above normal lowers quality. Acts only where demand changes."""

REMOTENESS = 0.02
"""Quality lost per 50 km between the people of a body. Assumed."""

HAUL_UNIT = 50.0
"""Distance (km) to which the cost of haul and the loss of quality refer."""

PARTNERS_CONTRACT, PARTNERS_BOARD, PARTNERS_LEAD = 1.2, 1.0, 0.6
"""Exponents by which negotiation grows with partners, by legal form [blaka_2017]: bilateral
contracts cost more with many partners, a lead region spares members from agreeing pairwise."""

ATTENTION_STRESS, ATTENTION_PEERS = 1.0, 1.5
"""Log odds of attention gained by full fiscal stress, and by contacts that all share the area
[kwon_feiock_2010]. Below 5% of the leading parameter on all outcomes."""

NOTICE_TIER = 1.0
"""Rise of the chance of noticing a contact in the same higher tier. Inert."""

NEAR_REACH, NEAR_LAND = 1.5, 2.0
"""Distance over which nearness falls to 37%, in mean contact distances, and its rise between land
neighbours. Inert: nearness is scaled to mean 1 over a region's contacts."""

DECISION_DIFFERENCE, DECISION_PARTNERS, DECISION_MEMBERS = 0.25, 0.5, 0.4
"""Log rates of decisions lost per unit of cultural and of interest difference, gained by sharing a
body in another area, and exponent of the members of a board. Assumed."""

MATTER_MONTHS = 3.0
"""Months in a quarter: the time of a joint matter is this over the rate of decisions."""

HONOUR_GOODWILL, HONOUR_COMMITMENT, HONOUR_TRUST, HONOUR_STRESS, HONOUR_TEMPTATION = (
    3.0, 2.0, 2.0, 1.0, 1.0,
)  # fmt: skip
"""Log odds of keeping promises gained by goodwill, commitment and trust, and lost by stress and by
the temptation to keep back a share unseen. Assumed; one standard deviation of each of the first
three moves shortfalls by some points."""

TEMPTATION_UNIT = 0.05
"""Share of a body's cost, kept back unseen, that counts as one unit of temptation."""

REFERENCE_GOODWILL, REFERENCE_COMMITMENT, REFERENCE_TRUST = 0.25, 0.5, 0.5
"""Values at which goodwill, commitment and trust neither raise nor lower a rate."""

OBSERVATION = 0.4
"""Chance that conduct is observed in a quarter without any lever. Assumed; acts together with the
speed of learning."""

FIRST_TERM = 2.5
"""Years in which a new member may not leave. Assumed."""

EXIT_LOAD, EXIT_COMMITMENT, LOAD_UNIT, DISTRUST_UNIT = 0.7, 2.0, 0.045, 0.15
"""Log hazards of leaving gained by coordination load above its unit, and lost by commitment; units
of load and distrust [elston_rackwitz_bel_2023]. Load and distrust pull on the same facts: the
parameter ``exit_trust`` is varied for both."""

TRUST_GAIN, TRUST_LOSS = 0.5, 1.5
"""Speed at which trust is gained and lost, relative to ``learning``: lost three times as fast
[pant_yu_2025]."""

ASPIRATION_LEARNING = 2.5
"""Speed at which aspirations follow results, relative to ``learning``. Inert."""

TRUST_DRIFT = 0.05
"""Share a year by which trust and commitment return to their start where nothing renews them.
Inert within half to double."""

TRUST_DAMAGE, TRUST_MENDING = 0.6, 0.03
"""Shares a year of the structure "lasting" of trust [pant_yu_2025]: trust put out of reach by a
broken promise, and mended by kept ones."""

MANDATED = 0.7
"""Goodwill and commitment left in a mandated member. Assumed."""

MEETING_PRICE = 0.25
"""Price of levers that are paid on all service cost, relative to those paid on joint cost, which is
about a quarter of it where cooperation is common. Assumed."""

EARNED, EARNED_UNIT = 0.405, 0.05
"""Log odds of the commitment that results earn if they are as expected (0.6), and the difference
between result and aspiration that moves them by one [ansell_gash_2008]. Assumed."""

NEGLIGIBLE = 1e-9
"""Share below which a loss is one of rounding."""


@dataclass(frozen=True)
class Parameter:
    """An uncertain number with its meaning, source and ranges.

    Parameters
    ----------
    default
        Its value unless a scenario sets another.
    low, high
        Bounds for sensitivity analyses; by default half and double the default.
    unit, symbol, meaning, source
        Texts for tables; the source is a key of the bibliography, or "assumed".
    group
        One of :data:`GROUPS`.
    least, most
        Bounds that the model accepts: a cost may be 0, but never negative.
    rate
        Whether it is a share per year, which the engine turns into a share per quarter,
        ``1 - (1 - y)**(1/4)``.
    title
        A short name for tables in which the meaning is too long.

    Examples
    --------
    >>> chance = Parameter(0.4, meaning="chance to agree", most=1.0)
    >>> chance.low, chance.high
    (0.2, 0.8)
    >>> round(Parameter(0.19, rate=True).per_quarter(0.19), 4)
    0.0513
    """

    default: float
    low: float = math.nan
    high: float = math.nan
    unit: str = "1"
    symbol: str = ""
    meaning: str = ""
    source: str = "assumed"
    group: str = ""
    least: float = 0.0
    most: float = math.inf
    rate: bool = False
    title: str = ""

    def __post_init__(self) -> None:
        low, high = sorted((self.default / 2, self.default * 2))
        low = max(low, self.least) if math.isnan(self.low) else self.low
        high = min(high, self.most) if math.isnan(self.high) else self.high
        object.__setattr__(self, "low", float(low))
        object.__setattr__(self, "high", float(high))

    def per_quarter(self, value: float) -> float:
        """A value as the engine uses it: a rate per quarter, any other number unchanged."""
        return 1.0 - (1.0 - value) ** (1.0 / QUARTERS) if self.rate else value


def is_scale(low: float, high: float) -> bool:
    """Whether a range is multiplicative, such as half to double, rather than additive."""
    return low > 0.0 and high / low > 3.9


def between(low: float, high: float, u: float) -> float:
    """The value at a position from 0 to 1 in a range; logarithmic in a multiplicative one."""
    return float(low * (high / low) ** u if is_scale(low, high) else low + u * (high - low))


def place_in(low: float, high: float, value: float) -> float:
    """The position from 0 to 1 of a value in a range; values outside are clipped."""
    if is_scale(low, high):
        u = math.log(max(value, 1e-300) / low) / math.log(high / low)
    else:
        u = (value - low) / (high - low)
    return min(max(u, 0.0), 1.0)


def number(default: float, symbol: str, meaning: str, **more: Any) -> Parameter:
    """A parameter that is not negative."""
    return Parameter(default, symbol=symbol, meaning=meaning, **more)


def share(default: float, symbol: str, meaning: str, **more: Any) -> Parameter:
    """A parameter between 0 and 1."""
    return Parameter(default, symbol=symbol, meaning=meaning, **({"most": 1.0} | more))


def rate(default: float, symbol: str, meaning: str, **more: Any) -> Parameter:
    """A share per year, at most 0.99 so that the share per quarter is defined."""
    settings: dict[str, Any] = {"unit": "share/year", "most": 0.99} | more
    return Parameter(default, symbol=symbol, meaning=meaning, rate=True, **settings)


def strength(symbol: str, lever: str, default: float = 0.3, high: float = 0.6) -> Parameter:
    """The strength of a lever: the share that it takes off every friction it acts on."""
    meaning = f"share of each friction it acts on that a full {lever} removes"
    return share(default, "\\" + symbol, meaning, low=0.0, high=high, most=0.95)


def grouped(group: str, **table: Parameter) -> dict[str, Parameter]:
    """The table with its group's name written into every entry."""
    return {name: replace(entry, group=group) for name, entry in table.items()}


GROUPS: dict[str, str] = {
    "start": N_("initial state of regions"),
    "economics": N_("economics"),
    "coordination": N_("cost of coordination"),
    "attention": N_("attention and judgement"),
    "agreement": N_("agreement"),
    "conduct": N_("conduct"),
    "exit": N_("leaving"),
    "learning": N_("learning and trust"),
    "levers": N_("levers"),
    "rules": N_("decision rules"),
    "extensions": N_("user-defined rules"),
}
"""Titles of the groups of parameters: of the model, of decision rules, and of extensions."""


PARAMETERS: dict[str, Parameter] = {
    **grouped(
        "start",
        culture_spread=number(1.0, "s_x", "cultural difference, 1 as in the reference population",
                              low=0.0, high=2.0),
        culture_between=share(0.3, "b", "part of cultural difference that lies between tiers",
                              low=0.0, high=0.8),
        interest_concentration=number(
            2.0, r"\alpha_w", "how alike interests are: concentration of their distribution",
            low=0.5, high=8.0, least=0.05, most=1000.0),
        capacity_spread=number(0.088, "s_k", "standard deviation of capacity, by region and area",
                               low=0.02, high=0.2, most=1.0),
        stress_mean=share(0.3, r"\bar f", "mean fiscal stress, where no column gives it",
                          low=0.1, high=0.6),
        goodwill_mean=share(0.25, r"\bar g", "mean weight on the benefit of partners",
                            low=0.1, high=0.5),
        autonomy_mean=share(0.5, r"\bar v", "mean preference for autonomy", low=0.25, high=0.75),
        commitment_start=share(0.6, "m_0", "commitment at the start", low=0.3, high=0.9),
        reputation_start=share(0.78, "r_0",
                               "probability of keeping promises, as others see it at the start",
                               low=0.4, high=0.95),
        trust_start=share(0.5, "T_0",
                          "trust at the start between regions of average cultural distance",
                          low=0.25, high=0.75),
        trust_culture=number(0.1, "t_d", "trust lost at the start per unit of cultural distance",
                             low=0.0, high=0.2, most=1.0),
        past_trust=share(0.95, "T_p", "trust that partners with a long past have in each other",
                         low=0.7, high=0.98),
    ),
    **grouped(
        "economics",
        transition_cost=number(0.043, r"\rho", "cost and quality penalty of a new joint body",
                               low=0.0, high=0.1),
        startup_cost=number(0.22, "k_0",
                            "start-up paid by an entering member, share of its first yearly cost",
                            low=0.08, high=0.5),
        horizon_years=number(
            16.5, "H",
            "years over which a region spreads start-up and transition in its judgement",
            unit="year", least=0.25, low=4.0, high=25.0),
        pooling=share(0.22, r"\tau", "how far joint quality moves from mean to best capacity",
                      low=0.0, high=0.6),
        quality_value=number(0.69, r"\mu",
                             "value of one unit of quality, share of stand-alone cost",
                             low=0.2, high=1.3),
        autonomy_cost=number(0.019, r"\alpha_v",
                             "value of full autonomy to the region that values it most",
                             low=0.0, high=0.06),
        interest_fit=number(0.017, r"\psi",
                            "loss from a joint service unlike a member's wishes",
                            low=0.0, high=0.06),
        scope=share(0.5, "z", "negotiation and overhead saved among partners of other areas",
                    low=0.0, high=0.9),
    ),
    **grouped(
        "coordination",
        information_cost=number(0.019, r"\alpha_i",
                                "cost of informing each other, all alike, share of joint cost",
                                low=0.008, high=0.05),
        culture_cost=number(0.012, r"\alpha_d", "rise of that cost per unit of cultural distance",
                            low=0.0, high=0.03),
        practice_cost=number(0.047, r"\alpha_p",
                             "cost of unlike practice, share of joint cost per unit of distance",
                             low=0.0, high=0.1),
        negotiation_cost=number(0.015, r"\alpha_n",
                                "cost of agreeing between two members, share of joint cost",
                                low=0.004, high=0.03),
        interest_weight=number(0.5, r"\gamma_q",
                               "rise of negotiation cost per unit of interest distance",
                               low=0.0, high=1.5),
        enforcement_cost=number(0.012, r"\alpha_e",
                                "cost of enforcing promises without any trust, share of joint cost",
                                low=0.005, high=0.04),
        contract_difficulty=number(9.8, "w",
                                   "rise of enforcement cost with difficulty, under a contract",
                                   low=4.0, high=24.0),
        overhead_cost=number(0.012, r"\alpha_b",
                             "overhead of a board or lead region, share of joint cost",
                             low=0.0, high=0.03),
    ),
    **grouped(
        "attention",
        attention_base=Parameter(
            -4.2, -5.0, -2.0, symbol=r"\beta_0", unit="log odds/quarter", least=-20.0, most=20.0,
            meaning="log odds that a region considers an area in a quarter without special reason",
        ),
        attention_cost=number(1.7, r"\beta_c",
                              "attention raised by unit costs above those at efficient scale",
                              low=0.0, high=5.0),
        notice=share(0.59, "n_0", "chance of noticing a contact at mean nearness and trust 0.5",
                     low=0.2, high=0.95),
        misperception=number(
            0.068, r"\varepsilon",
            "standard deviation of the error in judging a union, share of stand-alone cost",
            low=0.0, high=0.12),
        foreseen=share(0.65, "f_0", "share of coordination cost that founders foresee",
                       low=0.4, high=1.0),
    ),
    **grouped(
        "agreement",
        decision_speed=number(0.29, "h_0", "rate at which joint decisions are taken, all else at "
                              "its reference", unit="1/quarter", low=0.15, high=0.7),
        decision_trust=number(1.5, "b_T", "log rate of joint decisions gained by full trust",
                              low=0.0, high=3.0),
        decision_commitment=number(1.0, "b_m",
                                   "log rate of joint decisions gained by full commitment",
                                   low=0.0, high=3.0),
    ),
    **grouped(
        "conduct",
        honour_base=Parameter(
            3.5, 1.6, 4.8, symbol="h_p", unit="log odds", least=-20.0, most=20.0,
            meaning="log odds that a member keeps its promises, all else at its reference",
        ),
    ),
    **grouped(
        "exit",
        exit_base=number(0.97, "x_0", "hazard of leaving at reference load, trust and commitment",
                         unit="1/year", low=0.2, high=2.5),
        exit_trust=number(1.9, "x_T", "log hazard of leaving per unit of distrust",
                          low=0.5, high=4.0),
    ),
    **grouped(
        "learning",
        learning=rate(0.21, r"\lambda",
                      "speed at which trust, reputation, commitment and practice learn",
                      low=0.08, high=0.4),
    ),
    **grouped(
        "levers",
        forum_strength=strength("iota_F", "forum"),
        planning_strength=strength("iota_P", "plan"),
        team_strength=strength("iota_C", "coordination team"),
        information_strength=strength("iota_I", "information system"),
        monitoring_strength=strength("iota_M", "monitoring"),
        grant_strength=strength("iota_G", "central grant", default=0.5, high=0.95),
        ngo_strength=strength("iota_O", "mediation"),
        business_strength=strength("iota_B", "business support"),
        community_strength=strength("iota_V", "community voice"),
        lever_price=number(0.006, "c",
                           "yearly cost of a full lever, share of the cost it applies to",
                           low=0.0, high=0.02),
    ),
}  # fmt: skip


def named(*names: str) -> dict[str, Any]:
    """The parameters of these names."""
    return {name: PARAMETERS[name] for name in names}


RECORD = np.dtype([(name, np.float64) for name in PARAMETERS])
"""The type of the engine's record of parameters, with one field for each."""


def parameter_record(settings: Mapping[str, float] | None = None) -> np.record:
    """One setting of all parameters as the engine reads it; rates are shares a quarter.

    Raises ``KeyError`` for an unknown name; scenario files are checked before they come here.
    """
    settings = settings or {}
    for name in settings:
        PARAMETERS[name]
    record = np.zeros(1, RECORD).view(np.recarray)
    for name, entry in PARAMETERS.items():
        record[name] = entry.per_quarter(float(settings.get(name, entry.default)))
    return record[0]
