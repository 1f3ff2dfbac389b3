"""The choices of planners: coordination mechanisms, external support, and institutions.

Mechanisms and supporters have an intensity from 0 to 1 in each quarter and area; each costs money.
"""

from __future__ import annotations

from dataclasses import dataclass

from kolabsim.i18n import N_
from kolabsim.model.parameters import MEETING_PRICE


@dataclass(frozen=True)
class Lever:
    """A mechanism or the offer of a supporter: its symbol, meaning, and price.

    ``base`` is the cost that the price is a share of: ``members`` (all service cost of its
    regions), ``joint`` (the cost of joint bodies), or ``entry`` (the start-up it pays). ``step`` is
    the step of building collaboration that it serves, of :data:`STEPS`.
    """

    symbol: str
    title: str
    meaning: str
    base: str
    payer: str
    step: str = "support"
    price: str = "lever_price"
    """Name of the parameter that is its yearly price at full intensity."""


STEPS: dict[str, str] = {
    "identify": N_("identify the potential"),
    "communicate": N_("communicate"),
    "plan": N_("plan jointly"),
    "coordinate": N_("coordinate"),
    "evaluate": N_("monitor and evaluate"),
    "support": N_("external support"),
}
"""The five steps of building collaboration, and what supporters add to all of them. Levers are
declared in this order, and shown in the order of their declaration."""


MECHANISMS: dict[str, Lever] = {
    "forum": Lever("F", "forum and training",
                   "regular meetings and training for the regions of a forum", base="members",
                   payer="members", step="communicate"),
    "planning": Lever("P", "joint planning", "a joint vision, targets and an action plan",
                      base="joint", payer="members", step="plan"),
    "team": Lever("C", "coordination team",
                  "a secretariat that coordinates the members of joint bodies", base="joint",
                  payer="members", step="coordinate"),
    "information": Lever("I", "integrated information system",
                         "one information system for all partners", base="joint",
                         payer="members", step="coordinate"),
    "monitoring": Lever("M", "monitoring and evaluation",
                        "conduct and results are measured and discussed", base="joint",
                        payer="members", step="evaluate"),
}  # fmt: skip

SUPPORTERS: dict[str, Lever] = {
    "government": Lever("G", "central government grants",
                        "central government pays part of the start-up cost", base="entry",
                        payer="centre", price="grant_strength"),
    "ngo": Lever("O", "NGO mediation",
                 "a mediator helps partners to understand each other and agree", base="joint",
                 payer="supporter"),
    "business": Lever("B", "business co-finance",
                      "firms pay part of the start-up cost and bring technology", base="joint",
                      payer="supporter"),
    "community": Lever("V", "community voice", "citizens ask in public whether promises are kept",
                       base="members", payer="supporter"),
}  # fmt: skip

LEVERS: dict[str, Lever] = MECHANISMS | SUPPORTERS
"""All levers, in the order in which the engine's arrays hold them."""

FORUM, PLANNING, TEAM, INFORMATION, MONITORING, GOVERNMENT, NGO, BUSINESS, COMMUNITY = range(9)
"""Positions of the levers in the engine's arrays, in the order of :data:`LEVERS`."""


def usual_price(lever: Lever, value: float) -> float:
    """Yearly price of a lever at full intensity, from the value of its parameter.

    Levers that are paid on all service cost have a lower one: see :data:`MEETING_PRICE`.
    """
    is_shared = lever.base == "members" and lever.price == "lever_price"
    return value * MEETING_PRICE if is_shared else value


CUSTOM = len(LEVERS)
"""Position in the ledger of all user-defined mechanisms together."""
MANDATE = CUSTOM + 1
"""Position in the ledger of all mandates together."""


@dataclass(frozen=True)
class Term:
    """A quantity of the model that mechanisms and supporters act on, within its bounds."""

    meaning: str
    unit: str = "0..1"
    least: float = 0.0
    most: float = 1.0


TERMS: dict[str, Term] = {}
"""All terms by name. Each is declared where it is applied: :func:`kolabsim.model.laws.term`."""

BASES = ("members", "joint")
"""Bases of the price of a user-defined mechanism: all service cost, or joint cost."""
BASE_TITLES = {
    "members": N_("all service cost"), "joint": N_("joint cost"), "entry": N_("start-up cost"),
}  # fmt: skip
"""Titles of the bases of the price of any lever."""

TARGETS = ("all", "smallest", "poorest", "newest", "best", "list")
"""Targets of a supporter: all regions; the smallest or most stressed regions; the youngest bodies,
or those with the highest net benefit; or named regions."""
ALL, SMALLEST, POOREST, NEWEST, BEST, LISTED = range(6)
CUSTOM_TARGETS = len(TARGETS)
"""Position of the first user-defined targeting rule."""

PAYERS = ("members", "centre", "supporter", "tier", "ngo", "business")
"""Bearers of the cost of a lever; ``tier`` is the higher tier, such as a province. Measures count
what NGOs and firms pay, whatever the lever, as paid by supporters."""
PAYER_TITLES = {
    "members": N_("members"), "centre": N_("central government"), "supporter": N_("the supporter"),
    "tier": N_("the higher tier"), "ngo": N_("an NGO"), "business": N_("firms"),
}  # fmt: skip
"""The same in words."""

FORMS = ("contract", "board", "lead")
"""Legal forms of a joint body: a contract, in which one provider serves its buyers; a joint board
of equals; or a lead region, to which the members delegate."""
FORM_TITLES = {
    "contract": N_("contract"), "board": N_("joint board"), "lead": N_("lead region"),
    "choice": N_("choice of the founders"),
}  # fmt: skip
"""The same in words, and what leaves the form to the founders."""
CONTRACT, BOARD, LEAD = range(3)
CHOICE = len(FORMS)
"""The number that stands for a form that the founders choose themselves."""
FORM_SETTINGS = (*FORMS, "choice")
"""What a scenario may say of the form of new bodies; under ``choice`` their founders choose between
contract and joint board."""

SHARES = ("population", "equal", "ability", "benefit")
"""How joint cost is divided: by people served, equally, by people times (1 - fiscal stress), or by
stand-alone cost."""
BY_POPULATION, EQUAL, BY_ABILITY, BY_BENEFIT = range(4)

CONSENTS = ("majority", "three_quarters", "unanimity", "open")
"""Which part of a party's people must be governed by a region in favour; under ``open`` the party
that is asked does not vote."""
MAJORITY, THREE_QUARTERS, UNANIMITY, OPEN = range(4)

UNIT_COSTS = ("log_quadratic", "power", "hyperbola")
"""How unit cost rises below efficient scale."""
LOG_QUADRATIC, POWER, HYPERBOLA = range(3)

TRUSTS = ("recovering", "lasting")
"""Effect of broken promises on trust: it recovers in full, or leaves damage that mends slowly."""
RECOVERING, LASTING = range(2)

STRUCTURE_TITLES = {
    "unit_cost": N_("curve of unit cost below efficient scale"),
    "decision": N_("decision rule"),
    "trust": N_("effect of broken promises on trust"),
    "shares": N_("how joint cost is divided"),
    "consent": N_("share of a party that must be in favour"),
}
"""Settings of a scenario that choose between forms of a law or rule, in words."""

CAP = 16
"""Most members that a joint body can have: a limit of the engine."""
