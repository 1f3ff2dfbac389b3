"""A second, slow transcription of the model in plain Python, to hold against the compiled one.

Written from docs/explanation/odd.md and not from the model's code: no running sums, no rows, no
compiled functions. A party is a list of its members, and everything about it is worked out anew
whenever it is asked for. What regions *are* is taken from the first state of a run, and draws from
:mod:`kolabsim.model.rng`, which have tests of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np

from kolabsim.model import rng
from kolabsim.model.levers import LEVERS, SUPPORTERS
from kolabsim.model.parameters import PARAMETERS
from kolabsim.model.rng import Key
from tests.builders import Run

EARTH = 6371.0
RATES = (
    "trust_gain", "trust_loss", "trust_forum", "trust_team", "trust_mediation", "trust_drift",
    "reputation_learning", "capacity_learning", "trust_damage", "trust_mending",
)  # fmt: skip
RUNNING = (
    "scale", "spill", "pooled", "coordination", "distance", "newness", "conduct", "self_rule",
)  # fmt: skip
"""Channels but for start-up and programme."""
ENOUGH = {"majority": (0.5, False), "three_quarters": (0.75, True), "unanimity": (1.0, True)}
NEVER = 10**9


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-min(max(x, -50), 50)))


def clip(x: float, low: float = 0.0, high: float = 1.0) -> float:
    return min(max(x, low), high)


@dataclass(eq=False)
class Body:
    area: int
    form: str
    began: int
    members: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Outlook:
    """What some regions produce together."""

    cost: float
    quality: float
    information: float
    negotiation: float
    coordination: float
    haul: float
    penalty: float
    trust: float


@dataclass(frozen=True)
class Union:
    """Two parties that might become one."""

    first: list[int]
    second: list[int]
    outlook: Outlook
    host: Body | None
    form: str
    enters: tuple[bool, bool]
    """Whether the opener's party enters and pays start-up, and whether the other does."""

    @property
    def members(self) -> list[int]:
        return self.first + self.second


class Reference:
    """A run, worked out from the specification."""

    def __init__(self, run: Run) -> None:
        scenario, s = run.scenario, run.state
        self.scenario, self.strategy = scenario, run.strategy
        self.seed, self.run = run.seed, run.run
        self.areas = list(scenario.areas.values())
        self.names = list(scenario.areas)
        self.n = len(scenario.regions)
        self.codes = scenario.regions.codes
        row = {code: i for i, code in enumerate(self.codes)}
        p = {name: entry.default for name, entry in PARAMETERS.items()} | dict(scenario.parameters)
        p |= {name: 1 - (1 - p[name]) ** 0.25 for name in RATES}
        self.p = p

        # What regions are.
        self.people_at_start = scenario.regions.population
        self.stress_start = s.region["stress_start"].tolist()
        self.v, self.g = s.region["autonomy"].tolist(), s.region["goodwill"].tolist()
        self.w = s.slot["interest"].tolist()
        self.k = s.slot["capacity"].tolist()
        self.k_start = s.slot["capacity"].tolist()
        first_culture = len(s.sums[0]) - len(self.areas) - 3
        rows = np.arange(self.n) * len(self.areas)
        self.x = s.sums[rows, first_culture : first_culture + 3]
        self.T = run.trust()
        self.T_start = dict(self.T)
        self.damage = dict.fromkeys(self.T, 0.0)
        self.tier = scenario.regions.tier
        self.ids = rng.region_ids(self.codes).tolist()
        self.m = [p["commitment_start"]] * self.n
        self.r = [p["reputation_start"]] * self.n
        self.u = [0.0] * self.n
        self.success = [0.0] * self.n
        self._meet_neighbours()
        apart = [self.misaligned(i, j) for i, j in permutations(range(self.n), 2)]
        self.mean_misaligned = sum(apart) / len(apart) if apart else 0.0

        # What changes.
        every = [(i, a) for i in range(self.n) for a in range(len(self.areas))]
        self.slots = every
        self.body: dict[tuple[int, int], Body] = {}
        self.entered = dict.fromkeys(every, 0)
        self.bound = dict.fromkeys(every, 0)
        self.talks: dict[tuple[int, int], tuple[int, int]] = {}
        self.expected = dict.fromkeys(every, 0.0)
        self.aid = dict.fromkeys(SUPPORTERS, dict.fromkeys(every, 0.0))
        self.ration = dict.fromkeys(SUPPORTERS, 1.0)
        self.befall(0)
        self.due = {slot: self.alone(*slot) for slot in every}
        self.levers = {name: [0.0] * len(self.areas) for name in LEVERS}
        self.forum = [-1] * self.n
        self.realised = dict.fromkeys(every, 0.0)
        self.load, self.body_trust = dict.fromkeys(every, 0.0), dict.fromkeys(every, 0.0)
        for given in scenario.bodies:
            a = self.names.index(given.area)
            body = Body(a, given.form, given.began, sorted(row[c] for c in given.members))
            for i in body.members:
                self.body[i, a], self.entered[i, a] = body, given.began
                self.bound[i, a] = NEVER if given.mandated else 0
            for i in body.members:
                outlook = self.present(body, 0)
                self.load[i, a] = outlook.information + outlook.negotiation
                self.body_trust[i, a] = outlook.trust
                self.realised[i, a] = self.judged(i, a, 0)
                self.expect(i, a, self.judged(i, a, 0), is_new=True)

    # Who knows whom ---------------------------------------------------------------------------
    def _meet_neighbours(self) -> None:
        regions, contacts = self.scenario.regions, self.scenario.contacts
        row = {code: i for i, code in enumerate(self.codes)}
        self.distance: dict[tuple[int, int], float] = {}
        self.land: dict[tuple[int, int], bool] = {}
        for listed in contacts.list:
            i, j = row[listed.code_a], row[listed.code_b]
            km = listed.distance_km or self.great_circle(i, j)
            for pair in ((i, j), (j, i)):
                self.distance[pair], self.land[pair] = max(km, 1.0), listed.land
        if regions.placed:
            for i in range(self.n):
                others = sorted((self.great_circle(i, j), j) for j in range(self.n) if j != i)
                for km, j in others[: contacts.nearest]:
                    for pair in ((i, j), (j, i)):
                        self.distance.setdefault(pair, max(km, 1.0))
                        self.land.setdefault(pair, False)
        self.contacts = [sorted(j for i2, j in self.distance if i2 == i) for i in range(self.n)]
        self.near: dict[tuple[int, int], float] = {}
        self.spill: dict[tuple[int, int], float] = {}
        for i, known in enumerate(self.contacts):
            if not known:
                continue
            mean = sum(self.distance[i, j] for j in known) / len(known)
            near = {
                j: math.exp(-self.distance[i, j] / (self.p["near_reach"] * mean))
                * (1 + self.p["near_land"] * self.land[i, j])
                for j in known
            }
            scale = sum(near.values()) / len(known)
            pull = {
                j: self.people_at_start[j] / self.distance[i, j] ** 2
                for j in known
                if self.land[i, j]
            }
            for j in known:
                self.near[i, j] = near[j] / scale
                self.spill[i, j] = pull[j] / sum(pull.values()) if j in pull else 0.0

    def great_circle(self, i: int, j: int) -> float:
        """Haversine distance, km."""
        places = self.scenario.regions
        north, other = math.radians(places.latitude[i]), math.radians(places.latitude[j])
        east = math.radians(places.longitude[j] - places.longitude[i])
        half = math.sin((other - north) / 2) ** 2
        half += math.cos(north) * math.cos(other) * math.sin(east / 2) ** 2
        return 2 * EARTH * math.asin(math.sqrt(half))

    # Draws --------------------------------------------------------------------------------------
    def uniform(self, purpose: int, quarter: int, i: int, j: int, a: int) -> float:
        key = Key(self.seed, self.run, quarter)
        return rng.uniform_by_area(key, purpose, self.ids[i], self.ids[j], a)

    def error(self, i: int, j: int, a: int, planning: float) -> float:
        """Misperception of uniting through a contact."""
        key, p = Key(self.seed, self.run, 0), self.p
        normal = rng.normal_by_area(key, rng.ERROR, self.ids[i], self.ids[j], a)
        forum = self.levers["forum"][a] * self.meet(i, j)
        return (
            normal * p["misperception"]
            * (1 - p["misperception_forum"] * forum)
            * (1 - p["misperception_system"] * self.levers["information"][a])
            * (1 - p["misperception_planning"] * planning)
        )  # fmt: skip

    # E1, E2 -------------------------------------------------------------------------------------
    def unit_cost(self, people: float, a: int) -> float:
        area = self.areas[a]
        log = math.log(people / area.efficient_scale)
        if log >= 0:
            return math.exp(area.curvature_above * log**2 / 2)
        at_sixth = math.exp(area.curvature_below * math.log(6) ** 2 / 2)
        if self.scenario.unit_cost == "power":
            return (people / area.efficient_scale) ** (-math.log(at_sixth) / math.log(6))
        if self.scenario.unit_cost == "hyperbola":
            fixed = area.efficient_scale * (at_sixth - 1) / (6 - at_sixth)
            return (1 + fixed / people) / (1 + fixed / area.efficient_scale)
        return math.exp(area.curvature_below * log**2 / 2)

    def served(self, i: int, a: int) -> float:
        return self.N[i] * self.demand[i][a]

    def alone(self, i: int, a: int) -> float:
        """What region i would pay alone a year."""
        return self.served(i, a) * self.unit_cost(self.served(i, a), a)

    def reference(self, i: int, a: int) -> float:
        """Quality that region i has alone."""
        return self.k[i][a] * max(self.demand[i][a], 1) ** -self.p["strain"]

    def misaligned(self, i: int, j: int) -> float:
        """1 - cos of interests."""
        one, two = np.array(self.w[i]), np.array(self.w[j])
        return 1 - one @ two / math.sqrt((one @ one) * (two @ two))

    def culture_apart(self, members: list[int]) -> float:
        pairs = list(permutations(members, 2))
        variance = self.x.var(axis=0, ddof=1) if self.n > 1 else np.ones(3)
        variance[variance < 1e-12] = np.inf
        return sum(((self.x[i] - self.x[j]) ** 2 / variance).sum() for i, j in pairs) / (
            2 * 3 * len(pairs)
        )

    def interests_apart(self, members: list[int]) -> float:
        pairs = list(permutations(members, 2))
        if self.mean_misaligned < 1e-12:
            return 0.0
        return sum(self.misaligned(i, j) for i, j in pairs) / len(pairs) / self.mean_misaligned

    # Trust and forums ---------------------------------------------------------------------------
    def meet(self, i: int, j: int) -> bool:
        return self.forum[i] >= 0 and self.forum[i] == self.forum[j]

    def meeting(self, members: list[int]) -> float:
        pairs = list(permutations(members, 2))
        return sum(self.meet(i, j) for i, j in pairs) / len(pairs)

    def trust_among(self, first: list[int], second: list[int], opener: int = -1) -> float:
        """Mean over ordered pairs; across the parties only the opener's contacts count."""
        total, members = 0.0, first + second
        for i, j in permutations(members, 2):
            across = (i in first) != (j in first)
            known = (i, j) in self.T and (not across or opener in (i, j))
            total += self.T[i, j] if known else self.r[j]
        return total / (len(members) * (len(members) - 1))

    # E3, E4, E5 ---------------------------------------------------------------------------------
    def transition(self, age: float) -> float:
        return self.p["transition_cost"] * math.exp(-age / self.p["transition_years"])

    def mean_transition(self) -> float:
        p = self.p
        spent = 1 - math.exp(-p["horizon_years"] / p["transition_years"])
        return p["transition_cost"] * p["transition_years"] / p["horizon_years"] * spent

    def radius(self, members: list[int]) -> float:
        """Root-mean-square distance of the people from their centroid, km."""
        places = self.scenario.regions
        if not places.placed:
            return 0.0
        north = np.radians(places.latitude[members])
        east = np.radians(places.longitude[members])
        xyz = np.array([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
        weight = np.array([self.N[i] for i in members]) / sum(self.N[i] for i in members)
        centre = xyz @ weight
        return EARTH * math.sqrt((((xyz - centre[:, None]) ** 2).sum(axis=0) * weight).sum())

    def outlook(
        self, members: list[int], a: int, form: str, penalty: float, trust: float, short: float
    ) -> Outlook:
        p, area, n = self.p, self.areas[a], len(members)
        people = sum(self.served(i, a) for i in members)
        forum = self.levers["forum"][a] * self.meeting(members)
        planning, team, system, monitoring = (
            self.levers[name][a] for name in ("planning", "team", "information", "monitoring")
        )
        mediation = sum(self.aid["ngo"][i, a] for i in members) / n
        business = sum(self.aid["business"][i, a] for i in members) / n
        growth = p[f"partners_{form}"]
        growth -= team * max(0, growth - p["partners_lead"])
        information = (
            p["information_cost"]
            * max(1 + p["culture_weight"] * (self.culture_apart(members) - 1), 0)
            * (1 - p["forum_information"] * forum) * (1 - p["system_information"] * system)
        )  # fmt: skip
        negotiation = (
            p["negotiation_cost"]
            * max(1 + p["interest_weight"] * (self.interests_apart(members) - 1), 0)
            * (n - 1) ** growth
            * (1 - p["planning_negotiation"] * planning) * (1 - p["team_negotiation"] * team)
            * (1 - p["mediation_negotiation"] * mediation)
        )  # fmt: skip
        enforcement = (
            p["enforcement_cost"] * (1 - trust) * (1 + area.difficulty / 2)
            * (1 - p["monitoring_enforcement"] * monitoring)
        )  # fmt: skip
        overhead = 0 if form == "contract" else p["overhead_cost"]
        haul = area.haul * self.radius(members) / 50
        coordination = information + negotiation + enforcement + overhead
        cost = people * self.unit_cost(people, a) * (1 + coordination + haul + penalty)
        mean = sum(self.served(i, a) * self.k[i][a] for i in members) / people
        best = max(self.k[i][a] for i in members)
        pooling = min(1, p["pooling"] * (1 + system + forum / 2 + business / 2))
        capacity = mean + pooling * (best - mean)
        residents = sum(self.N[i] for i in members)
        capacity *= max(people / residents, 1) ** -p["strain"]
        quality = capacity * (1 - p["shortfall_quality"] * short) * (1 - min(penalty, 1))
        return Outlook(cost, quality, information, negotiation, coordination, haul, penalty, trust)

    def present(self, body: Body, quarter: int) -> Outlook:
        """What a body produces if members are as good as their reputation."""
        members = body.members
        short = 1 - sum(self.r[i] for i in members) / len(members)
        penalty = self.transition((quarter - body.began) / 4)
        trust = self.trust_among(members, [])
        return self.outlook(members, body.area, body.form, penalty, trust, short)

    def share(self, i: int, members: list[int], a: int) -> float:
        """Part of the joint cost that member i bears."""

        def weight(m: int) -> float:
            people = self.served(m, a)
            return {
                "population": people,
                "equal": 1.0,
                "ability": people * max(1 - self.f[m], 0.01),
                "benefit": people * self.unit_cost(people, a),
            }[self.scenario.shares]

        return weight(i) / sum(weight(m) for m in members)

    # E6 -----------------------------------------------------------------------------------------
    def omega(self, i: int, others: list[int]) -> float:
        return sum(self.spill.get((i, j), 0.0) for j in others)

    def benefit(self, i: int, members: list[int], a: int, outlook: Outlook, omega: float) -> float:
        """Net benefit of member i a year, per unit of its stand-alone cost."""
        p, people = self.p, self.served(i, a)
        ac = self.unit_cost(people, a)
        cost = self.share(i, members, a) * outlook.cost / people - self.areas[a].spillover * omega
        part = self.N[i] / sum(self.N[m] for m in members)
        return (
            (ac - cost) / ac
            + p["quality_value"] * (outlook.quality - self.reference(i, a))
            - p["autonomy_cost"] * self.v[i] * (1 - part)
        )

    def judged(self, i: int, a: int, quarter: int) -> float:
        """Net benefit of the present arrangement."""
        body = self.body.get((i, a))
        if body is None:
            return 0.0
        omega = self.omega(i, body.members)
        return self.benefit(i, body.members, a, self.present(body, quarter), omega)

    def party(self, i: int, a: int) -> list[int]:
        body = self.body.get((i, a))
        return [i] if body is None else body.members

    def union(self, i: int, j: int, a: int, quarter: int) -> Union:
        """The union of i's party with that of its contact j."""
        one, two = self.body.get((i, a)), self.body.get((j, a))
        first, second = list(self.party(i, a)), list(self.party(j, a))
        here, there = (sum(self.N[m] for m in party) for party in (first, second))
        if one is None and two is None:
            host, form, penalty = None, self.scenario.form, self.mean_transition()
            enters = (True, True)
        else:
            if one is None or two is None:
                host = two if one is None else one
            else:
                host = one if here > there else two
            form, penalty = host.form, self.transition((quarter - host.began) / 4)
            enters = (here <= there, here > there)
        members = first + second
        short = 1 - sum(self.r[m] for m in members) / len(members)
        trust = self.trust_among(first, second, i)
        outlook = self.outlook(members, a, form, penalty, trust, short)
        return Union(first, second, outlook, host, form, enters)

    def first_year(self, i: int, union: Union, a: int) -> float:
        return self.share(i, union.members, a) * union.outlook.cost

    def offered(self, i: int, a: int) -> tuple[float, float]:
        """Parts of a start-up that central government and business offer to pay."""
        grant = self.p["grant_share"] * self.aid["government"][i, a]
        finance = self.p["cofinance_share"] * self.aid["business"][i, a]
        whole = max(grant + finance, 1)
        return grant / whole, finance / whole

    def change(self, i: int, union: Union, a: int, quarter: int, across: list[int]) -> float:
        """Change of i's own judged net benefit; its neighbours ``across`` are known to count."""
        own = union.first if i in union.first else union.second
        omega = self.omega(i, own) + self.omega(i, across)
        change = self.benefit(i, union.members, a, union.outlook, omega)
        if union.enters[i in union.second]:
            due = self.p["startup_cost"] * (1 + self.f[i]) * self.first_year(i, union, a)
            due *= 1 - sum(self.offered(i, a))
            change -= due / self.p["horizon_years"] / self.alone(i, a)
        return change - self.judged(i, a, quarter)

    def other_side(self, i: int, union: Union) -> list[int]:
        return union.second if i in union.first else union.first

    def goodwill(self, i: int, a: int, quarter: int) -> float:
        return self.g[i] * (self.p["mandate_goodwill"] if self.bound[i, a] > quarter else 1)

    def with_goodwill(
        self, i: int, union: Union, a: int, quarter: int, others: dict[int, float]
    ) -> float:
        """Own change, and by goodwill the mean change of all others."""
        own = self.change(i, union, a, quarter, self.other_side(i, union))
        rest = [change for m, change in others.items() if m != i]
        return own + self.goodwill(i, a, quarter) * sum(rest) / len(rest)

    # 0 What is in force -------------------------------------------------------------------------
    def befall(self, quarter: int) -> None:
        """Population, stress and demand of the quarter."""
        self.N = [float(n) for n in self.people_at_start]
        stress = list(self.stress_start)
        self.demand = [[1.0] * len(self.areas) for _ in range(self.n)]
        for change in self.scenario.changes:
            if change.what in ("trust", "election"):
                continue
            if quarter < change.from_ or (quarter >= change.until and not change.growth):
                continue
            factor = 1.0 if change.factor is None else change.factor
            if change.growth:
                factor *= (1 + change.growth) ** ((min(quarter, change.until) - change.from_) / 4)
            for i, code in enumerate(self.codes):
                if change.regions != "all" and code not in change.regions:
                    continue
                if change.what == "population":
                    self.N[i] *= factor
                elif change.what == "stress":
                    stress[i] += change.add
                else:
                    for a, name in enumerate(self.names):
                        if name in change.areas:
                            self.demand[i][a] *= factor
        self.f = [clip(value) for value in stress]

    def apply_shocks(self, quarter: int) -> None:
        """Shocks to trust and elections of the quarter, in the order of the list."""
        for change in self.scenario.changes:
            if change.what == "trust":
                due = quarter == change.from_
            elif change.what == "election":
                due = quarter in range(change.from_, change.until, change.every)
            else:
                continue
            all_ = change.regions == "all"
            struck = [i for i in range(self.n) if all_ or self.codes[i] in change.regions]
            for i, j in self.T if due else ():
                if i not in struck and j not in struck:
                    continue
                if change.what == "trust":
                    self.T[i, j] *= change.factor
                else:
                    start = min(self.T_start[i, j], 1 - self.damage[i, j])
                    self.T[i, j] += change.reset * (start - self.T[i, j])
            for i in struck if due and change.what == "election" else ():
                self.m[i] += change.reset * (self.p["commitment_start"] - self.m[i])

    def phases(self, lever: str) -> list[object]:
        return [
            phase
            for source in (self.scenario, self.strategy)
            for phase in {**source.mechanisms, **source.support}.get(lever, ())
        ]

    def intensity(self, lever: str, a: int, quarter: int) -> float:
        value = 0.0
        for phase in self.phases(lever):
            if self.names[a] in phase.areas and phase.from_ <= quarter < phase.until:
                value = phase.intensity
        return value

    def in_force(self, lever: str, quarter: int) -> object | None:
        """The last of a lever's phases that are in force: its settings but intensity are valid."""
        found = [p for p in self.phases(lever) if p.from_ <= quarter < p.until]
        return found[-1] if found else None

    def budget(self, supporter: str, quarter: int) -> float:
        phase = self.in_force(supporter, quarter)
        return math.inf if phase is None or phase.budget is None else phase.budget / 4

    def start_quarter(self, quarter: int) -> None:
        self.befall(quarter)
        self.apply_shocks(quarter)
        for lever in LEVERS:
            self.levers[lever] = [self.intensity(lever, a, quarter) for a in range(len(self.areas))]
        forum = self.in_force("forum", quarter)
        self.forum = [-1] * self.n
        if forum:
            members = forum.members
            tiers = self.scenario.regions.tiers().values()
            groups = {"all": [self.codes], "tiers": list(tiers)}.get(str(members), members)
            for number, group in enumerate(groups):
                for code in group:
                    self.forum[self.codes.index(code)] = number
        for supporter in SUPPORTERS:
            offers = {
                (i, a): self.levers[supporter][a] * self.is_target(supporter, i, a, quarter)
                for i, a in self.slots
            }
            self.aid[supporter] = offers
            budget = self.budget(supporter, quarter)
            if supporter == "government":
                if quarter > 0 and budget != self.budget(supporter, quarter - 1):
                    self.ration[supporter] = 1.0
            else:
                need = self.running(supporter)
                self.ration[supporter] = 1.0 if need <= budget else budget / need
            self.aid[supporter] = {
                slot: offer * self.ration[supporter] for slot, offer in offers.items()
            }
        self.startup = dict.fromkeys(self.slots, 0.0)
        self.granted = dict.fromkeys(self.slots, 0.0)
        self.cofinanced = dict.fromkeys(self.slots, 0.0)
        self.counts = dict.fromkeys(("opened", "refused", "agreements", "deciding", "ended"), 0)
        self.members_before = len(self.body)

    def is_target(self, supporter: str, i: int, a: int, quarter: int) -> bool:
        phase = self.in_force(supporter, quarter)
        if phase is None:
            return False
        targets, part = phase.targets, phase.share
        if not isinstance(targets, str):
            return self.codes[i] in targets
        bodies, own = set(self.body.values()), self.body.get((i, a))
        if targets == "all":
            return True
        if targets == "smallest":
            order = sorted(range(self.n), key=lambda m: (self.people_at_start[m], m))
            return order.index(i) < math.ceil(part * self.n)
        if targets == "poorest":
            return among_highest(self.f[i], self.f, part)
        if targets == "newest":
            new = own is None or among_highest(own.began, [b.began for b in bodies], part)
            return part > 0 and new
        success = {b: np.mean([self.realised[m, b.area] for m in b.members]) for b in bodies}
        return own is not None and among_highest(success[own], list(success.values()), part)

    # 1 identify ---------------------------------------------------------------------------------
    def identify(self, quarter: int) -> None:
        opened = {}
        for i, a in self.slots:
            if (i, a) not in self.talks and self.contacts[i] and self.attends(i, a, quarter):
                j = self.choose(i, a, quarter)
                if j is not None:
                    opened[i, a] = (j, quarter)
        self.talks |= opened
        self.counts["opened"] += len(opened)

    def attends(self, i: int, a: int, quarter: int) -> bool:
        p = self.p
        peers = sum((j, a) in self.body for j in self.contacts[i]) / len(self.contacts[i])
        chance = logistic(
            p["attention_base"]
            + p["attention_cost"] * (self.unit_cost(self.served(i, a), a) - 1)
            + p["attention_stress"] * self.f[i]
            + p["attention_peers"] * peers
            + p["attention_interest"] * (len(self.areas) * self.w[i][a] - 1)
            + p["attention_grant"] * self.aid["government"][i, a]
            + p["attention_forum"] * self.levers["forum"][a] * (self.forum[i] >= 0)
        )
        return self.uniform(rng.ATTENTION, quarter, i, i, a) <= chance

    def notices(self, i: int, j: int, a: int, quarter: int) -> bool:
        p = self.p
        chance = (
            p["notice"] * self.near[i, j] * (0.5 + self.T[i, j])
            * (1 + p["notice_forum"] * self.levers["forum"][a] * self.meet(i, j))
            * (1 + p["notice_tier"] * (self.tier[i] == self.tier[j]))
        )  # fmt: skip
        return self.uniform(rng.NOTICE, quarter, i, j, a) < clip(chance)

    def choose(self, i: int, a: int, quarter: int) -> int | None:
        """The contact through which region i opens a negotiation, if any."""
        own = self.party(i, a)
        speaker: dict[frozenset[int], int] = {}
        for j in self.contacts[i]:
            party = self.party(j, a)
            fits = j not in own and len(own) + len(party) <= self.scenario.cap
            if fits and self.notices(i, j, a, quarter):
                before = speaker.get(frozenset(party))
                if before is None or self.T[i, j] > self.T[i, before]:
                    speaker[frozenset(party)] = j
        options = list(speaker.values())
        gains = [self.gain(i, j, a, quarter) for j in options]
        draws = [self.uniform(rng.CHOICE, quarter, i, j, a) for j in options]
        if not options:
            return None
        choice_draw = self.uniform(rng.CHOICE, quarter, i, i, a)
        settings = {"temperature": 0.02, "threshold": 0.05, "intensity": 20.0}
        for name in settings:
            settings[name] = self.p.get(f"{self.scenario.decision}.{name}", settings[name])
        if self.scenario.decision == "best_response":
            best = max(range(len(options)), key=lambda k: gains[k])
            return options[best] if gains[best] > 0 else None
        if self.scenario.decision == "logit":
            keep = self.uniform(rng.STATUS_QUO, quarter, i, i, a)
            worth = [
                gain / settings["temperature"] - math.log(-math.log(draw))
                for gain, draw in zip([0.0, *gains], [keep, *draws], strict=True)
            ]
            best = max(range(len(worth)), key=lambda k: worth[k])
            return options[best - 1] if best else None
        order = sorted(range(len(options)), key=lambda k: draws[k])
        if self.scenario.decision == "satisficing":
            return next((options[k] for k in order if gains[k] > settings["threshold"]), None)
        model = options[order[0]]
        follow = logistic(settings["intensity"] * (self.success[model] - self.success[i]))
        return model if choice_draw < follow else None

    def gain(self, i: int, j: int, a: int, quarter: int) -> float:
        """What region i thinks that uniting through j would bring."""
        union = self.union(i, j, a, quarter)
        known = {
            m: self.change(m, union, a, quarter, union.second if m == i else
                           [i] if m in union.second else [])
            for m in union.members
        }  # fmt: skip
        return self.with_goodwill(i, union, a, quarter, known) + self.error(i, j, a, 0.0)

    # 2 communicate ------------------------------------------------------------------------------
    def communicate(self, quarter: int) -> None:
        p, areas = self.p, range(len(self.areas))
        for i, j in self.T:
            forum = sum(self.levers["forum"]) / len(self.areas) * self.meet(i, j)
            shared = [a for a in areas if (i, a) in self.body and j in self.party(i, a)]
            team = max((self.levers["team"][a] for a in shared), default=0.0)
            mediation = sum(self.aid["ngo"][i, a] for a in areas) / len(self.areas)
            built = (
                p["trust_forum"] * forum + p["trust_team"] * team + p["trust_mediation"] * mediation
            )
            self.T[i, j] += min(built, 1) * max(0, 1 - self.damage[i, j] - self.T[i, j])

    # 3 plan -------------------------------------------------------------------------------------
    def plan(self, quarter: int) -> None:
        p = self.p
        self.leaving = []
        self.concluding: list[tuple[float, int, int]] = []
        for i, a in self.slots:
            if (i, a) in self.body and self.bound[i, a] <= quarter:
                stayed = (quarter - self.entered[i, a]) / 4
                hazard = p["exit_base"] * math.exp(
                    p["exit_load"] * (self.load[i, a] / 0.03 - 1)
                    + p["exit_trust"] * (0.5 - self.body_trust[i, a]) / 0.15
                    - p["exit_saving"] * self.realised[i, a] / 0.10
                )
                chance = 1 - math.exp(-hazard / 4)
                draw = self.uniform(rng.LEAVING, quarter, i, i, a)
                if stayed >= p["first_term"] and draw < chance:
                    self.leaving.append((i, a))
            if (i, a) in self.talks and self.talks[i, a][1] < quarter:
                self.advance(i, a, quarter)

    def advance(self, i: int, a: int, quarter: int) -> None:
        p, j = self.p, self.talks[i, a][0]
        first, second = self.party(i, a), self.party(j, a)
        members = first + second
        if j in first or len(members) > self.scenario.cap:
            del self.talks[i, a]
            return
        mediation = sum(self.aid["ngo"][m, a] for m in members) / len(members)
        chance = (
            p["conclude"]
            * (1 + p["conclude_planning"] * self.levers["planning"][a])
            * (1 + p["conclude_team"] * self.levers["team"][a])
            * (1 + p["conclude_mediation"] * mediation)
            / (1 + p["conclude_interests"] * self.interests_apart(members))
        )
        if self.uniform(rng.CONCLUSION, quarter, i, i, a) < clip(chance):
            self.concluding.append((self.uniform(rng.ORDER, quarter, i, i, a), i, a))

    # settling -----------------------------------------------------------------------------------
    def form_agreements(self, quarter: int) -> None:
        for i, a in self.leaving:
            self.leave(i, a)
        for mandate in (*self.scenario.mandates, *self.strategy.mandates):
            tiers = list(self.scenario.regions.tiers().values())
            groups = tiers if mandate.groups == "tiers" else mandate.groups
            for a, name in enumerate(self.names):
                for group in groups if name in mandate.areas and mandate.from_ == quarter else ():
                    members = sorted(self.codes.index(code) for code in group)
                    self.oblige(members, a, mandate.until, quarter)
        for _order, i, a in sorted(self.concluding):
            if (i, a) in self.talks:
                self.conclude(i, a, quarter)
        self.fund(quarter)

    def leave(self, i: int, a: int) -> None:
        body = self.body.get((i, a))
        if body is None:
            return
        body.members.remove(i)
        gone = [i] if len(body.members) > 1 else [i, *body.members]
        for m in gone:
            del self.body[m, a]
            self.bound[m, a], self.expected[m, a] = 0, 0.0
        self.counts["ended"] += len(gone)

    def oblige(self, group: list[int], a: int, until: int, quarter: int) -> None:
        if len(group) < 2:
            return
        inside = {b for m in group if (b := self.body.get((m, a))) and set(b.members) <= set(group)}
        host = max(inside, key=lambda b: sum(self.N[m] for m in b.members), default=None)
        for m in group:
            if (m, a) in self.body and self.body[m, a] is not host:
                self.leave(m, a)
        if host is None:
            host = Body(a, self.scenario.form, quarter)
        new = [m for m in group if m not in host.members]
        host.members = sorted(host.members + new)
        for m in new:
            self.body[m, a], self.entered[m, a] = host, quarter
            self.talks.pop((m, a), None)
        for m in group:
            self.bound[m, a] = until
        cost = self.present(host, quarter).cost
        for m in new:
            self.pay_startup(m, a, self.share(m, host.members, a) * cost)
            self.expect(m, a, self.judged(m, a, quarter), is_new=True)

    def pay_startup(self, i: int, a: int, first_year: float) -> None:
        due = self.p["startup_cost"] * (1 + self.f[i]) * first_year
        grant, finance = self.offered(i, a)
        self.startup[i, a] += due
        self.granted[i, a] += due * grant
        self.cofinanced[i, a] += due * finance

    def expect(self, i: int, a: int, seen: float, *, is_new: bool) -> None:
        self.expected[i, a] = seen
        if is_new:
            cost = {b: self.money(i, b) for b in range(len(self.areas))}
            before = sum(cost[b] for b in cost if b != a and (i, b) in self.body)
            self.u[i] = (self.u[i] * before + seen * cost[a]) / (before + cost[a])

    def conclude(self, i: int, a: int, quarter: int) -> None:
        """Both parties vote; what both want is done."""
        j, opened = self.talks.pop((i, a))
        if j in self.party(i, a) or len(self.party(i, a) + self.party(j, a)) > self.scenario.cap:
            return
        union = self.union(i, j, a, quarter)
        changes = {
            m: self.change(m, union, a, quarter, self.other_side(m, union)) for m in union.members
        }
        seen, yes = {}, dict.fromkeys((0, 1), 0.0)
        for m in union.members:
            wrong = 0.0
            if m == i or (m, a) not in self.body:
                contact = j if m in union.first else i
                wrong = self.error(m, contact, a, self.levers["planning"][a])
            gain = self.with_goodwill(m, union, a, quarter, changes) + wrong
            omega = self.omega(m, union.members)
            seen[m] = self.benefit(m, union.members, a, union.outlook, omega) + wrong
            if gain > 0:
                yes[int(m in union.second)] += self.N[m]
        agreed = []
        for side, party in enumerate((union.first, union.second)):
            people = sum(self.N[m] for m in party)
            if self.scenario.consent == "open" and side == 1:
                agreed.append(True)
                continue
            needed, reached = ENOUGH.get(self.scenario.consent, ENOUGH["three_quarters"])
            agreed.append(yes[side] > needed * people or (reached and yes[side] >= needed * people))
        if not all(agreed):
            self.counts["refused"] += 1
            return
        self.counts["agreements"] += 1
        self.counts["deciding"] += quarter - opened
        was_alone = [m for m in union.members if (m, a) not in self.body]
        due = {m: self.first_year(m, union, a) for m in union.members}
        host = union.host or Body(a, union.form, quarter)
        for m in union.members:
            if m not in host.members:
                self.body[m, a], self.entered[m, a] = host, quarter
        host.members = sorted(union.members)
        for m in union.members:
            if union.enters[m in union.second]:
                self.pay_startup(m, a, due[m])
            self.expect(m, a, seen[m], is_new=m in was_alone)

    def money(self, i: int, a: int) -> float:
        return self.alone(i, a) * self.areas[a].cost_per_resident

    def fund(self, quarter: int) -> None:
        """Grants, then co-finance after running support, within the budgets."""
        prices = [area.cost_per_resident for area in self.areas]
        asked = sum(self.granted[i, a] * prices[a] for i, a in self.slots)
        budget = self.budget("government", quarter)
        part = 1.0 if asked <= budget else budget / asked
        if asked > 0:
            whole = asked / self.ration["government"]
            self.ration["government"] = min(1.0, budget / whole)
        wanted = sum(self.cofinanced[i, a] * prices[a] for i, a in self.slots)
        left = self.budget("business", quarter)
        if wanted > 0 and left < math.inf:
            left = max(left - self.running("business"), 0.0)
        met = 1.0 if wanted <= left else left / wanted
        for slot in self.slots:
            self.granted[slot] *= part
            self.cofinanced[slot] *= met
        self.startup_paid = {"government": asked * part, "business": wanted * met}

    # 4 coordinate -------------------------------------------------------------------------------
    def seen_chance(self, a: int) -> float:
        alone, watched = self.p["observation"], self.levers["monitoring"][a]
        return alone + (1 - alone) * max(watched, self.levers["information"][a] / 2)

    def honour_chance(self, i: int, a: int, quarter: int) -> float:
        p, members = self.p, self.body[i, a].members
        part = self.N[i] / sum(self.N[m] for m in members)
        temptation = p["shortfall_share"] * (1 - part) * (1 - self.seen_chance(a))
        return logistic(
            p["honour_base"]
            + p["honour_goodwill"] * (self.goodwill(i, a, quarter) - 0.25)
            + p["honour_commitment"] * (self.m[i] - 0.5)
            + p["honour_trust"] * (self.trust_among(members, []) - 0.5)
            + p["honour_voice"] * self.aid["community"][i, a]
            - p["honour_stress"] * self.f[i]
            - p["honour_temptation"] * temptation / 0.05
        )

    def coordinate(self, quarter: int) -> None:
        self.kept, self.seen = {}, {}
        for i, a in self.body:
            draw = self.uniform(rng.HONOUR, quarter, i, i, a)
            self.kept[i, a] = draw < self.honour_chance(i, a, quarter)
            self.seen[i, a] = self.uniform(rng.OBSERVATION, quarter, i, i, a) < self.seen_chance(a)

    def produce(self, quarter: int) -> None:
        self.cost, self.quality, self.entry = {}, {}, {}
        self.channels = {name: dict.fromkeys(self.slots, 0.0) for name in RUNNING}
        for i, a in self.slots:
            paid = self.startup[i, a] - self.granted[i, a] - self.cofinanced[i, a]
            self.entry[i, a] = -4 * paid / self.alone(i, a)
            self.due[i, a] = self.alone(i, a)
            self.cost[i, a], self.quality[i, a] = 1.0, self.reference(i, a)
            self.realised[i, a] = self.load[i, a] = self.body_trust[i, a] = 0.0
        for body in set(self.body.values()):
            a, members = body.area, body.members
            people = sum(self.served(i, a) for i in members)
            short = sum(self.served(i, a) for i in members if not self.kept[i, a]) / people
            penalty = self.transition((quarter - body.began) / 4)
            trust = self.trust_among(members, [])
            outlook = self.outlook(members, a, body.form, penalty, trust, short)
            shares = {i: self.share(i, members, a) * outlook.cost for i in members}
            back = {
                i: 0.0 if self.kept[i, a] or self.seen[i, a]
                else self.p["shortfall_share"] * shares[i]
                for i in members
            }  # fmt: skip
            for i in members:
                borne = shares[i] - back[i] + sum(back.values()) * shares[i] / outlook.cost
                omega = self.omega(i, members)
                alone = self.alone(i, a)
                gain = self.areas[a].spillover * omega * self.served(i, a)
                part = self.N[i] / sum(self.N[m] for m in members)
                self.due[i, a] = shares[i]
                self.cost[i, a] = (borne - gain) / alone
                self.quality[i, a] = outlook.quality
                self.realised[i, a] = (
                    1 - self.cost[i, a]
                    + self.p["quality_value"] * (outlook.quality - self.reference(i, a))
                    - self.p["autonomy_cost"] * self.v[i] * (1 - part)
                )  # fmt: skip
                self.load[i, a] = outlook.information + outlook.negotiation
                self.body_trust[i, a] = outlook.trust
                bare = self.share(i, members, a) * people * self.unit_cost(people, a) / alone
                for name, value in {
                    "scale": 1 - bare,
                    "coordination": -bare * outlook.coordination,
                    "distance": -bare * outlook.haul,
                    "newness": -bare * outlook.penalty,
                    "conduct": (shares[i] - borne) / alone,
                    "spill": gain / alone,
                    "pooled": self.p["quality_value"] * (outlook.quality - self.reference(i, a)),
                    "self_rule": -self.p["autonomy_cost"] * self.v[i] * (1 - part),
                }.items():
                    self.channels[name][i, a] = value
        self.bill(quarter)

    def charge(self, lever: str, i: int, a: int) -> float:
        """Yearly price of a running lever for a slot, in money."""
        together = (i, a) in self.body
        base = self.due[i, a] if together else self.alone(i, a)
        if lever == "forum":
            intensity = self.levers["forum"][a] * (self.forum[i] >= 0)
        elif lever == "community":
            intensity = self.aid["community"][i, a]
        elif lever in SUPPORTERS:
            intensity = self.aid[lever][i, a] * together
        else:
            intensity = self.levers[lever][a] * together
        return self.p[LEVERS[lever].price] * intensity * base * self.areas[a].cost_per_resident

    def running(self, lever: str) -> float:
        """What a lever costs this quarter, start-up aside, in money."""
        return sum(self.charge(lever, i, a) for i, a in self.slots) / 4

    def bill(self, quarter: int) -> None:
        self.paid = {}
        self.payer = {}
        self.programme = dict.fromkeys(self.slots, 0.0)
        for lever, entry in LEVERS.items():
            phase = self.in_force(lever, quarter)
            payer = phase.paid_by if phase else entry.payer
            startup = self.startup_paid.get(lever, 0.0)
            running, part = 0.0, 1.0
            if lever != "government":
                running = self.running(lever)
            if lever in SUPPORTERS:
                left = max(self.budget(lever, quarter) - startup, 0.0)
                part = 1.0 if running <= left else left / running
            self.paid[lever], self.payer[lever] = running * part + startup, payer
            if payer == "members":
                aid = {"government": self.granted, "business": self.cofinanced}.get(lever, {})
                for i, a in self.slots:
                    price = self.areas[a].cost_per_resident
                    own = 4 * aid.get((i, a), 0.0) * price
                    if lever != "government":
                        own += self.charge(lever, i, a) * part
                    self.programme[i, a] += own / self.money(i, a)

    # 5 evaluate ---------------------------------------------------------------------------------
    def evaluate(self, quarter: int) -> None:
        p, areas = self.p, range(len(self.areas))
        best = {slot: max(self.k[m][slot[1]] for m in b.members) for slot, b in self.body.items()}
        trust, damage = dict(self.T), self.damage
        for i, j in trust:
            shared = [a for a in areas if (i, a) in self.body and j in self.party(i, a)]
            observed = [a for a in shared if self.seen[j, a]]
            for a in observed:
                if self.kept[j, a]:
                    trust[i, j] += p["trust_gain"] * max(0, 1 - damage[i, j] - trust[i, j])
                    damage[i, j] -= p["trust_mending"] * damage[i, j]
                else:
                    trust[i, j] -= p["trust_loss"] * trust[i, j]
                    if self.scenario.trust == "lasting":
                        damage[i, j] += p["trust_damage"] * (1 - damage[i, j])
            if not observed:
                back_to = min(self.T_start[i, j], 1 - damage[i, j])
                trust[i, j] += p["trust_drift"] * (back_to - trust[i, j])
        self.T = trust
        for i in range(self.n):
            mine = [a for a in areas if (i, a) in self.body]
            cost = {a: self.money(i, a) for a in areas}
            joint = sum(cost[a] for a in mine)
            gained = sum(cost[a] * self.realised[i, a] for a in mine)
            self.success[i] = gained / sum(cost.values())
            seen = [a for a in mine if self.seen[i, a]]
            if seen:
                kept = sum(self.kept[i, a] for a in seen) / len(seen)
                self.r[i] += p["reputation_learning"] * (kept - self.r[i])
            if mine:
                realised = gained / joint
                bound = sum(cost[a] for a in mine if self.bound[i, a] > quarter) / joint
                goal = logistic(0.405 + (realised - self.u[i]) / 0.05)
                goal *= 1 - bound * (1 - p["mandate_commitment"])
                self.m[i] += (1 - 0.8**0.25) * (goal - self.m[i])
                self.u[i] += (1 - 0.5**0.25) * (realised - self.u[i])
            else:
                self.m[i] += p["trust_drift"] * (p["commitment_start"] - self.m[i])
            for a in mine:
                self.k[i][a] += p["capacity_learning"] * (best[i, a] - self.k[i][a])

    def advance_quarter(self, quarter: int) -> None:
        """The five steps of building collaboration."""
        for stage in (
            self.start_quarter, self.identify, self.communicate, self.plan, self.form_agreements,
            self.coordinate, self.produce, self.evaluate,
        ):  # fmt: skip
            stage(quarter)

    # 8 ------------------------------------------------------------------------------------------
    def measures(self, quarter: int) -> dict[str, float]:
        """Outcomes of a quarter, in the names of the model's measures."""
        import networkx as nx

        slots, people = self.slots, [self.N[i] for i, _a in self.slots]
        money = {slot: self.money(*slot) / 4 for slot in slots}
        total, spent = sum(money.values()), sum(self.paid.values())
        saved = sum(money[s] * (1 - self.cost[s] + self.entry[s]) for s in slots)
        net = sum(money[s] * (self.realised[s] + self.entry[s]) for s in slots)
        bodies = set(self.body.values())
        by_payer = {
            payer: sum(self.paid[lever] for lever in LEVERS if self.payer[lever] == payer)
            for payer in ("members", "centre", "supporter")
        }
        change = [self.quality[i, a] - self.k_start[i][a] for i, a in slots]
        mean_quality = sorted(
            np.mean([self.quality[i, a] for a in range(len(self.areas))]) for i in range(self.n)
        )
        tenth = math.ceil(self.n / 10)
        losing = [
            sum(
                money[i, a] * (self.realised[i, a] + self.entry[i, a] - self.programme[i, a])
                for a in range(len(self.areas))
            )
            for i in range(self.n)
        ]
        graph = nx.Graph()
        graph.add_nodes_from(range(self.n))
        for body in bodies:
            graph.add_edges_from((i, j) for i, j in permutations(body.members, 2))
        degrees = [degree for _node, degree in graph.degree]
        pairs = {body: len(body.members) * (len(body.members) - 1) for body in bodies}
        trust = sum(pairs[body] * self.body_trust[body.members[0], body.area] for body in bodies)
        return {
            "cooperation": len(self.body) / len(slots),
            "efficiency": saved / total,
            "net_efficiency": (saved - spent) / total,
            "quality": float(np.average([self.quality[s] for s in slots], weights=people)),
            "quality_change": float(np.average(change, weights=people)),
            "perceived_benefit": sum(money[s] * self.expected[s] for s in self.body) / total,
            "realised_benefit": (net - spent) / total,
            **{
                name: sum(money[s] * values[s] for s in slots) / total
                for name, values in {**self.channels, "entry": self.entry}.items()
            },
            "decision_time": self.counts["deciding"] / self.counts["agreements"]
            if self.counts["agreements"] else math.nan,
            "trust": mean(self.T.values()),
            "trust_in_bodies": trust / sum(pairs.values()) if bodies else math.nan,
            "shortfall": mean([not self.kept[s] for s in self.body]),
            "commitment": mean(self.m),
            "quality_gini": gini(mean_quality),
            "worst_tenth": mean(mean_quality[:tenth]),
            "losers": mean([gain < -1e-9 for gain in losing]),
            "exit_rate": 4 * self.counts["ended"] / self.members_before
            if self.members_before else math.nan,
            "membership_age": mean([(quarter - self.entered[s]) / 4 for s in self.body]),
            "body_age": mean([(quarter - body.began) / 4 for body in bodies]),
            "bodies": len(bodies),
            "body_size": mean([len(body.members) for body in bodies]),
            "largest_body": max((len(body.members) for body in bodies), default=0),
            "density": nx.density(graph) if self.n > 1 else 0.0,
            "transitivity": nx.transitivity(graph)
            if any(degree > 1 for degree in degrees) else math.nan,
            "isolates": mean([degree == 0 for degree in degrees]),
            "degree_gini": gini(degrees),
            "saving": saved,
            "programme_cost": spent,
            "programme_members": by_payer["members"],
            "programme_centre": by_payer["centre"],
            "programme_supporters": by_payer["supporter"],
            "net_saving": saved - spent,
            "net_saving_discounted": (saved - spent)
            * (1 + self.p["discount"]) ** -((quarter + 0.5) / 4),
            "benefit_money": net - spent,
            "saving_per_cost": saved / spent if spent > 0 else math.nan,
            "membership_years": self.members_before / 4,
            **{name: self.counts[name] for name in
               ("opened", "refused", "agreements", "deciding", "ended")},
        }  # fmt: skip


def mean(values: object) -> float:
    """Mean, undefined of nothing."""
    values = list(values)
    return float(np.mean(values)) if values else math.nan


def among_highest(value: float, values: list[float], part: float) -> bool:
    """Whether a value is as high as those in this highest part of all."""
    number = math.ceil(part * len(values))
    return number > 0 and value >= sorted(values, reverse=True)[number - 1]


def gini(values: list[float]) -> float:
    """Mean difference between all pairs, over twice the mean."""
    values = np.array(values, float)
    if values.sum() == 0:
        return 0.0
    apart = np.abs(values[:, None] - values[None, :]).mean()
    return float(apart / (2 * values.mean()))
