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

COMMITMENT_LEARNING = 1.0 - 0.8**0.25
ASPIRATION_LEARNING = 1.0 - 0.5**0.25
"""Shares per quarter, from 0.2 and 0.5 a year, by which commitment and aspiration learn. They are
assumed, and fixed because no data identify them."""

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
    return Parameter(default, symbol=symbol, meaning=meaning, most=1.0, **more)


def rate(default: float, symbol: str, meaning: str, **more: Any) -> Parameter:
    """A share per year, at most 0.99 so that the share per quarter is defined."""
    settings: dict[str, Any] = {"unit": "share/year", "most": 0.99} | more
    return Parameter(default, symbol=symbol, meaning=meaning, rate=True, **settings)


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
    "programme": N_("prices of levers"),
    "rules": N_("decision rules"),
    "extensions": N_("user-defined rules"),
}
"""Titles of the groups of parameters: of the model, of decision rules, and of extensions."""


PARAMETERS: dict[str, Parameter] = {
    **grouped(
        "start",
        capacity_mean=share(0.6, r"\bar k",
                            "capacity of a region of median size, where no column gives it",
                            low=0.4, high=0.8),
        capacity_size=number(0.04, "k_N", "capacity gained per unit of log population"),
        capacity_spread=number(0.1, "s_k", "standard deviation of capacity, by region and area"),
        stress_mean=share(0.3, r"\bar f", "mean fiscal stress, where no column gives it"),
        stress_spread=number(0.2, "s_f", "standard deviation of fiscal stress between regions"),
        commitment_start=share(0.6, "m_0", "commitment at the start", low=0.3, high=0.9),
        reputation_start=share(0.6, "r_0",
                               "probability of keeping promises, as others see it at the start",
                               low=0.3, high=0.9),
        trust_start=share(0.5, "T_0",
                          "trust at the start between regions of average cultural distance",
                          low=0.25, high=0.75),
        trust_culture=number(0.08, "T_d", "trust lost at the start per unit of cultural distance"),
        trust_spread=number(0.08, "s_T", "standard deviation of trust at the start"),
    ),
    **grouped(
        "economics",
        transition_cost=number(0.05, r"\rho", "cost and quality penalty of a new joint body"),
        transition_years=number(2.0, r"\theta",
                                "years in which the penalty of a new body falls to 37%",
                                unit="year", least=0.05),
        startup_cost=number(0.13, "k_0",
                            "start-up paid by an entering member, share of its first yearly cost"),
        horizon_years=number(
            5.0,
            "H",
            "years over which a region spreads start-up and transition in its judgement",
            unit="year",
            least=0.25,
        ),
        pooling=share(0.3, r"\tau", "how far joint quality moves from mean to best capacity"),
        shortfall_quality=share(0.15, r"\varphi", "quality lost when every member falls short"),
        strain=share(0.5, r"\varsigma", "elasticity by which demand above normal lowers quality",
                     low=0.0, high=1.0),
        quality_value=number(0.5, r"\mu",
                             "value of one unit of quality, share of stand-alone cost"),
        autonomy_cost=number(0.02, r"\alpha_v",
                             "value of full autonomy to the region that values it most"),
    ),
    **grouped(
        "coordination",
        information_cost=number(0.03, r"\alpha_i", "cost of informing each other, share of cost"),
        negotiation_cost=number(0.012, r"\alpha_n",
                                "cost of agreeing between two members, share of cost"),
        enforcement_cost=number(0.03, r"\alpha_e",
                                "cost of enforcing promises without any trust, share of cost"),
        overhead_cost=number(0.01, r"\alpha_b",
                             "overhead of a board or lead region, share of cost"),
        culture_weight=number(0.25, r"\gamma_d", "rise of information cost with cultural distance"),
        interest_weight=number(0.5, r"\gamma_q", "rise of negotiation cost with unlike interests"),
        partners_contract=number(1.2, r"\nu_c",
                                 "growth of negotiation cost with partners, under a contract",
                                 low=0.9, high=1.5),
        partners_board=number(1.0, r"\nu_b",
                              "growth of negotiation cost with partners, under a joint board",
                              low=0.7, high=1.3),
        partners_lead=number(0.6, r"\nu_l",
                             "growth of negotiation cost with partners, under a lead region",
                             low=0.3, high=0.9),
        forum_information=share(0.25, r"\iota_F", "information cost saved by a full forum"),
        system_information=share(0.35, r"\iota_I", "information cost saved by a shared system"),
        planning_negotiation=share(0.25, r"\iota_P", "negotiation cost saved by joint planning"),
        team_negotiation=share(0.3, r"\iota_C", "negotiation cost saved by a coordination team"),
        mediation_negotiation=share(0.2, r"\iota_O", "negotiation cost saved by NGO mediation"),
        monitoring_enforcement=share(0.35, r"\iota_M", "enforcement cost saved by monitoring"),
    ),
    **grouped(
        "attention",
        attention_base=Parameter(
            -4.0,
            -5.0,
            -3.0,
            symbol=r"\beta_0",
            unit="log odds/quarter",
            least=-20.0,
            most=20.0,
            meaning="log odds that a region considers an area in a quarter without special reason",
        ),
        attention_cost=number(3.0, r"\beta_c",
                              "attention raised by unit costs above those at efficient scale"),
        attention_stress=number(1.0, r"\beta_f", "attention raised by fiscal stress"),
        attention_peers=number(1.5, r"\beta_p", "attention raised by contacts that share the area"),
        attention_interest=number(0.5, r"\beta_w", "attention raised by the area's priority"),
        attention_grant=number(1.5, r"\beta_G", "attention raised by a full central grant"),
        attention_forum=number(0.7, r"\beta_F", "attention raised by a full forum"),
        notice=share(0.5, "n_0", "chance of noticing a contact at mean nearness and trust 0.5"),
        notice_forum=number(1.4, r"\chi",
                            "rise of the chance of noticing a contact in the same forum"),
        notice_tier=number(1.0, r"\chi_t",
                           "rise of the chance of noticing a contact in the same tier"),
        near_reach=number(1.5, "d_0",
                          "distance over which nearness falls to 37%, in mean contact distances",
                          least=0.05),
        near_land=number(2.0, "n_l", "rise of nearness between land neighbours"),
        misperception=number(
            0.12,
            r"\varepsilon",
            "standard deviation of the error in judging a union, share of stand-alone cost",
        ),
        misperception_forum=share(0.3, r"\varepsilon_F", "error avoided by a full forum"),
        misperception_system=share(0.3, r"\varepsilon_I", "error avoided by a shared system"),
        misperception_planning=share(0.5, r"\varepsilon_P",
                                     "error avoided at the vote by joint planning"),
    ),
    **grouped(
        "agreement",
        conclude=share(0.25, "p_0", "chance that a negotiation concludes in a quarter"),
        conclude_planning=number(
            1.0, "p_P", "rise of the chance of concluding a negotiation by joint planning"
        ),
        conclude_team=number(
            0.5, "p_C", "rise of the chance of concluding a negotiation by a coordination team"
        ),
        conclude_mediation=number(
            0.5, "p_O", "rise of the chance of concluding a negotiation by NGO mediation"
        ),
        conclude_interests=number(
            0.5, "p_q", "fall of the chance of concluding a negotiation with unlike interests"
        ),
        mandate_goodwill=share(0.7, "g_m", "goodwill left in a mandated member"),
        mandate_commitment=share(0.7, "m_m", "commitment target left in a mandated member"),
    ),
    **grouped(
        "conduct",
        honour_base=Parameter(
            2.4,
            1.2,
            4.8,
            symbol="h_0",
            unit="log odds",
            least=-20.0,
            most=20.0,
            meaning="log odds that a member keeps its promises, all else at its reference",
        ),
        honour_goodwill=number(1.5, "h_g", "promises kept out of goodwill"),
        honour_commitment=number(1.0, "h_m", "promises kept out of commitment"),
        honour_trust=number(2.0, "h_T", "promises kept because of trust within the body"),
        honour_voice=number(0.7, "h_V", "promises kept because of a full community voice"),
        honour_stress=number(1.0, "h_f", "promises broken because of fiscal stress"),
        honour_temptation=number(1.0, "h_x", "promises broken for a gain that nobody observes"),
        shortfall_share=share(0.1, r"\varphi_s", "share of its due that a member keeps back"),
        observation=share(0.4, "o", "chance that conduct is observed without any monitoring"),
    ),
    **grouped(
        "exit",
        exit_base=number(0.06, "x_0", "hazard of leaving at reference load, trust and saving",
                         unit="1/year"),
        exit_load=number(1.0, "x_L", "rise of the hazard with coordination load"),
        exit_trust=number(0.5, "x_T", "rise of the hazard with distrust"),
        exit_saving=number(0.1, "x_s", "fall of the hazard with realised net benefit"),
        first_term=number(3.0, "t_1", "years in which a new member may not leave", unit="year"),
    ),
    **grouped(
        "learning",
        trust_gain=rate(0.1, r"\lambda^+", "trust gained from promises kept",
                        source="pant_yu_2025"),
        trust_loss=rate(0.3, r"\lambda^-", "trust lost from promises broken",
                        source="pant_yu_2025"),
        trust_damage=rate(0.6, r"\mu_R",
                          "trust put out of reach by broken promises, where damage is lasting",
                          source="pant_yu_2025"),
        trust_mending=rate(0.03, r"\delta_R",
                           "part of lasting damage to trust mended by promises kept",
                           source="pant_yu_2025"),
        trust_forum=rate(0.05, r"\lambda_F", "trust built by a full forum"),
        trust_team=rate(0.03, r"\lambda_C", "trust built by a full coordination team"),
        trust_mediation=rate(0.03, r"\lambda_O", "trust built by full mediation"),
        trust_drift=rate(0.05, r"\lambda_0", "return of trust and commitment to their start"),
        reputation_learning=rate(0.2, r"\lambda_r", "reputation learnt from observed conduct"),
        capacity_learning=rate(0.02, r"\lambda_k", "capacity learnt from the best in the body"),
    ),
    **grouped(
        "programme",
        forum_price=number(0.002, "c_F",
                           "yearly cost of a full forum, share of its regions' service cost"),
        planning_price=number(0.005, "c_P",
                              "yearly cost of full joint planning, share of joint cost"),
        team_price=number(0.01, "c_C", "yearly cost of a full team, share of joint cost"),
        information_price=number(0.02, "c_I",
                                 "yearly cost of a full information system, share of joint cost"),
        monitoring_price=number(0.005, "c_M",
                                "yearly cost of full monitoring, share of joint cost"),
        ngo_price=number(0.005, "c_O", "yearly cost of full NGO mediation, share of joint cost"),
        business_price=number(0.005, "c_B",
                              "yearly cost of full business support, share of joint cost"),
        community_price=number(0.001, "c_V",
                               "yearly cost of full community voice, share of service cost"),
        grant_share=share(0.5, "s_G", "share of start-up that a full central grant pays"),
        discount=number(0.04, "r_d", "yearly discount rate", unit="1/year"),
        cofinance_share=share(0.5, "s_B", "share of start-up that full co-finance pays"),
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
