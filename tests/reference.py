"""A second, slow transcription of the model in plain Python, to hold against the compiled one.

Written from docs/explanation/odd.md and not from the model's code: no running sums, no rows, no
compiled functions. A party is a list of its members, and everything about it is worked out anew
whenever it is asked for. Only words of random draws come from :mod:`kolabsim.model.rng`, which have
tests of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from kolabsim.model import rng
from kolabsim.model.levers import LEVERS, PAYERS, SUPPORTERS
from kolabsim.model.parameters import PARAMETERS
from kolabsim.model.rng import Key
from tests.builders import Run

EARTH = 6371.0
RUNNING = (
    "scale", "spill", "pooled", "coordination", "distance", "newness", "conduct", "self_rule",
    "fit",
)  # fmt: skip
"""Channels but for start-up and programme."""
PARTNERS = {"contract": 1.2, "board": 1.0, "lead": 0.6}
FIRST_TERM, TRANSITION_YEARS, PAST_YEARS = 2.5, 1.5, 6.0
SHORTFALL_SHARE = 0.1
ENOUGH = {"majority": (0.5, False), "three_quarters": (0.75, True), "unanimity": (1.0, True)}
NEVER = 10**9


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-min(max(x, -50), 50)))


def clip(x: float, low: float = 0.0, high: float = 1.0) -> float:
    return min(max(x, low), high)


def quarterly(yearly: float, times: float = 1.0) -> float:
    """A share a year as a share a quarter, so many times faster."""
    return 1 - (1 - yearly) ** (times / 4)


@dataclass(eq=False)
class Body:
    area: int
    form: str
    began: int
    members: list[int] = field(default_factory=list)
    provider: int | None = None


@dataclass(frozen=True)
class Outlook:
    """What some regions produce together."""

    cost: float
    quality: float
    load: float
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
    provider: int | None
    enters: tuple[bool, bool]
    """Whether the opener's party enters and pays start-up, and whether the other does."""

    @property
    def members(self) -> list[int]:
        return self.first + self.second


class Reference:
    """A run, worked out from the specification."""

    def __init__(self, run: Run) -> None:
        scenario = run.scenario
        self.scenario, self.strategy = scenario, run.strategy
        self.seed, self.run = run.seed, run.run
        self.areas = list(scenario.areas.values())
        self.names = list(scenario.areas)
        self.n = len(scenario.regions)
        self.codes = scenario.regions.codes
        row = {code: i for i, code in enumerate(self.codes)}
        p = {name: entry.default for name, entry in PARAMETERS.items()} | dict(scenario.parameters)
        self.p, self.learning = p, p["learning"]
        every = [(i, a) for i in range(self.n) for a in range(len(self.areas))]
        self.slots = every

        # What regions are.
        self.people_at_start = scenario.regions.population
        self.tier = scenario.regions.tier
        self.ids = rng.region_ids(self.codes).tolist()
        self._meet_neighbours()
        self._draw_traits()
        self.k_start = [list(row) for row in self.k]
        self.T_start, self.drawn = dict(self.T), dict(self.T)
        self.damage = dict.fromkeys(self.T, 0.0)
        self.m = [p["commitment_start"]] * self.n
        self.r = [p["reputation_start"]] * self.n
        self.u = [0.0] * self.n
        self.success = [0.0] * self.n

        # What changes.
        self.body: dict[tuple[int, int], Body] = {}
        self.entered = dict.fromkeys(every, 0)
        self.bound = dict.fromkeys(every, 0)
        self.mandate: dict[tuple[int, int], object] = {}
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
        self.listed = []
        for given in scenario.bodies:
            a = self.names.index(given.area)
            provider = row[given.provider] if given.provider else None
            members = sorted(row[c] for c in given.members)
            body = Body(a, given.form, given.began, members, provider)
            self.listed.append((a, members[:]))
            for i in body.members:
                self.body[i, a], self.entered[i, a] = body, given.began
                self.bound[i, a] = NEVER if given.mandated else 0
            self._share_past(body)
        self.kept_listed = [True] * len(self.listed)
        self.before = self.partners()
        for i, a in self.body:
            outlook = self.present(self.body[i, a], 0)
            self.load[i, a] = outlook.load
            self.body_trust[i, a] = outlook.trust
            self.realised[i, a] = self.judged(i, a, 0)
            self.expected[i, a] = self.judged(i, a, 0)
        for i in range(self.n):
            mine = {a: self.money(i, a) for a in range(len(self.areas)) if (i, a) in self.body}
            if mine:
                hoped = sum(cost * self.expected[i, a] for a, cost in mine.items())
                self.u[i] = hoped / sum(mine.values())

    # What regions are -------------------------------------------------------------------------
    def gamma(self, purpose: int, i: int, number: int, shape: float) -> float:
        """A Gamma number by the method of Marsaglia and Tsang."""
        key = Key(self.seed, self.run, 0)
        d = (shape + 1 if shape < 1 else shape) - 1 / 3
        for attempt in range(64):
            words = rng.words(key, purpose, attempt, self.ids[i], number)
            x, u = rng.normals(words)[0], rng.unit(words[2])
            v = (1 + x / math.sqrt(9 * d)) ** 3
            if v > 0 and math.log(u) < x * x / 2 + d - d * v + d * math.log(v):
                break
        if shape < 1:
            more = rng.unit(rng.words(key, purpose, 64, self.ids[i], number)[0])
            return d * v * more ** (1 / shape)
        return d * v

    def beta(self, i: int, place: int, mean: float, concentration: float) -> float:
        one = self.gamma(rng.PREFERENCES, i, place, mean * concentration)
        other = self.gamma(rng.PREFERENCES, i, place + 1, (1 - mean) * concentration)
        return one / (one + other)

    def _draw_traits(self) -> None:
        regions, p, key = self.scenario.regions, self.p, Key(self.seed, self.run, 0)
        areas = range(len(self.areas))
        tiers = sorted(set(self.tier))
        tier_ids = dict(zip(tiers, rng.region_ids(tiers).tolist(), strict=True))
        self.v, self.g, self.stress_start, self.x, self.w, self.k, self.y = ([] for _ in range(7))
        for i, number in enumerate(self.ids):

            def given(values: np.ndarray, drawn: float) -> float:
                return float(drawn if np.isnan(values) else values)

            self.g.append(given(regions.goodwill[i], self.beta(i, 0, p["goodwill_mean"], 8)))
            self.v.append(given(regions.autonomy[i], self.beta(i, 2, p["autonomy_mean"], 6)))
            self.stress_start.append(given(regions.stress[i], self.beta(i, 4, p["stress_mean"], 4)))
            own = rng.normals(rng.words(key, rng.CULTURE, 0, number, number))
            tier = tier_ids[self.tier[i]] if self.tier[i] else number
            shared = rng.normals(rng.words(key, rng.TIER, 0, tier, tier))
            part, spread = p["culture_between"], p["culture_spread"]
            self.x.append([
                spread * given(
                    regions.culture[i, d],
                    math.sqrt(part) * shared[d] + math.sqrt(1 - part) * own[d],
                )
                for d in range(3)
            ])  # fmt: skip
            wish = [
                given(regions.interests[i, a],
                      self.gamma(rng.INTERESTS, i, a, p["interest_concentration"]))
                for a in areas
            ]  # fmt: skip
            self.w.append([one / sum(wish) for one in wish])
            size = 0.6 + 0.04 * math.log(self.people_at_start[i] / 26_000)
            self.k.append([
                given(regions.capacity[i, a],
                      clip(size + p["capacity_spread"] * self.normal(rng.CAPACITY, i, i, a)))
                for a in areas
            ])  # fmt: skip
            self.y.append([self.normal(rng.PRACTICE, i, i, a) for a in areas])
        self.x = np.array(self.x)
        self.T = {
            (i, j): clip(
                p["trust_start"]
                - p["trust_culture"] * (self.culture_apart([(i, j)]) - 1)
                + 0.08 * self.normal(rng.TRUST, i, j, 0)
            )
            for i, j in sorted(self.distance)
        }

    def normal(self, purpose: int, i: int, j: int, a: int) -> float:
        """A normal number that is the same in all quarters of a run."""
        key = Key(self.seed, self.run, 0)
        return rng.normal_by_area(key, purpose, self.ids[i], self.ids[j], a)

    def _share_past(self, body: Body) -> None:
        """Trust and practice of members that have worked together for some years."""
        years, past = -body.began / 4, self.p["past_trust"]
        ties = self.ties(body.members, body)
        for i, j in (*ties, *((j, i) for i, j in ties)):
            if (i, j) in self.T and past > self.drawn[i, j]:
                grown = (past - self.drawn[i, j]) * (1 - math.exp(-years / PAST_YEARS))
                self.T[i, j] = max(self.T[i, j], self.drawn[i, j] + grown)
                self.T_start[i, j] = self.T[i, j]
        self._converge(body, 1 - (1 - self.learning) ** years)

    def _converge(self, body: Body, part: float) -> None:
        """The practice of members moves towards what they share."""
        a = body.area
        goal = sum(self.y[i][a] for i in body.members) / len(body.members)
        if body.provider is not None:
            goal = self.y[body.provider][a]
        for i in body.members:
            self.y[i][a] += part * (goal - self.y[i][a])

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
                j: math.exp(-self.distance[i, j] / (1.5 * mean)) * (1 + 2 * self.land[i, j])
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
        forum = self.strength("forum", self.levers["forum"][a] * self.meet(i, j))
        spread = self.p["misperception"] * (1 - forum) * (1 - self.strength("planning", planning))
        return self.normal(rng.ERROR, i, j, a) * spread

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
        return self.k[i][a] * max(self.demand[i][a], 1) ** -0.5

    # Ties and distances ---------------------------------------------------------------------------
    def ties(self, members: list[int], body: Body | Union) -> list[tuple[int, int]]:
        """Pairs of partners: all members of a board or lead, or a provider and each buyer."""
        if body.form == "contract":
            return [(body.provider, i) for i in members if i != body.provider]
        return list(combinations(members, 2))

    def partners(self) -> set[tuple[int, int, int]]:
        """Partners in each area, both ways."""
        found = set()
        for body in set(self.body.values()):
            for i, j in self.ties(body.members, body):
                found |= {(i, j, body.area), (j, i, body.area)}
        return found

    def are_partners(self, i: int, j: int, a: int) -> bool:
        body = self.body.get((i, a))
        if body is None or j == i or j not in body.members:
            return False
        return body.provider is None or body.provider in (i, j)

    def again(self, ties: list[tuple[int, int]], a: int) -> float:
        """Share of ties whose regions were partners in another area when the quarter began."""
        others = [b for b in range(len(self.areas)) if b != a]
        return mean(any((i, j, b) in self.before for b in others) for i, j in ties)

    def culture_apart(self, ties: list[tuple[int, int]]) -> float:
        return mean(((self.x[i] - self.x[j]) ** 2).sum() / 6 for i, j in ties)

    def interests_apart(self, ties: list[tuple[int, int]]) -> float:
        number = len(self.areas)
        if number == 1:
            return 0.0
        usual = 2 * (1 - 1 / number) / (2 * number + 1)
        wish = np.array(self.w)
        return mean(((wish[i] - wish[j]) ** 2).sum() / usual for i, j in ties)

    def practice_apart(self, ties: list[tuple[int, int]], a: int) -> float:
        return mean((self.y[i][a] - self.y[j][a]) ** 2 / 2 for i, j in ties)

    # Trust and forums ---------------------------------------------------------------------------
    def meet(self, i: int, j: int) -> bool:
        return self.forum[i] >= 0 and self.forum[i] == self.forum[j]

    def meeting(self, members: list[int]) -> float:
        return mean(self.meet(i, j) for i, j in combinations(members, 2))

    def trust_among(
        self, ties: list[tuple[int, int]], first: list[int] = (), opener: int = -1
    ) -> float:
        """Mean over both ways of ties; across two parties only the opener's contacts count."""
        total = 0.0
        for i, j in (*ties, *((j, i) for i, j in ties)):
            across = opener >= 0 and (i in first) != (j in first)
            known = (i, j) in self.T and (not across or opener in (i, j))
            total += self.T[i, j] if known else self.r[j]
        return total / (2 * len(ties))

    def strength(self, lever: str, intensity: float) -> float:
        """Share of a friction that a lever of this intensity removes."""
        name = {"government": "grant"}.get(lever, lever)
        return self.p[f"{name}_strength"] * intensity

    def running_strength(self, lever: str, a: int) -> float:
        return self.strength(lever, self.levers[lever][a])

    def mean_strength(self, supporter: str, members: list[int], a: int) -> float:
        return self.strength(supporter, mean(self.aid[supporter][i, a] for i in members))

    # E3, E4, E5 ---------------------------------------------------------------------------------
    def transition(self, age: float) -> float:
        return self.p["transition_cost"] * math.exp(-age / TRANSITION_YEARS)

    def mean_transition(self) -> float:
        p = self.p
        spent = 1 - math.exp(-p["horizon_years"] / TRANSITION_YEARS)
        return p["transition_cost"] * TRANSITION_YEARS / p["horizon_years"] * spent

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
        self, members: list[int], a: int, body: Body | Union, *, penalty: float, trust: float,
        short: float, foreseen: float = 1.0, partners: float = 0.0,
    ) -> Outlook:  # fmt: skip
        """Of members under the form and provider of a body; ``partners`` are those to expect."""
        p, area, number, form = self.p, self.areas[a], partners or len(members), body.form
        ties = self.ties(members, body)
        people = sum(self.served(i, a) for i in members)
        forum = self.strength("forum", self.levers["forum"][a] * self.meeting(members))
        planning, team, system, monitoring = (
            self.running_strength(lever, a)
            for lever in ("planning", "team", "information", "monitoring")
        )
        mediation = self.mean_strength("ngo", members, a)
        business = self.mean_strength("business", members, a)
        voice = self.mean_strength("community", members, a)
        known = 1 - p["scope"] * self.again(ties, a)
        growth = PARTNERS[form] - team * max(0, PARTNERS[form] - PARTNERS["lead"])
        information = (
            (p["information_cost"] + p["culture_cost"] * self.culture_apart(ties))
            * (1 - forum) * (1 - system)
        )  # fmt: skip
        practice = p["practice_cost"] * self.practice_apart(ties, a) * (1 - system)
        negotiation = (
            p["negotiation_cost"] * (1 + p["interest_weight"] * self.interests_apart(ties))
            * max(number - 1, 1) ** growth
            * (1 - planning) * (1 - team) * (1 - mediation) * known
        )  # fmt: skip
        weight = p["contract_difficulty"] if form == "contract" else 1.0
        enforcement = (
            p["enforcement_cost"] * (1 - trust) * (1 + weight * area.difficulty) * (1 - monitoring)
        )
        overhead = 0 if form == "contract" else p["overhead_cost"] * known
        radius = self.radius(members)
        haul = area.haul * radius / 50
        load = information + practice + negotiation
        coordination = foreseen * (load + enforcement + overhead)
        cost = people * self.unit_cost(people, a) * (1 + coordination + haul + penalty)
        average = sum(self.served(i, a) * self.k[i][a] for i in members) / people
        best = max(self.k[i][a] for i in members)
        pooling = 1 - (1 - p["pooling"]) * (1 - forum) * (1 - business)
        capacity = average + pooling * (best - average)
        if form == "contract":
            capacity = self.k[body.provider][a]
        residents = sum(self.N[i] for i in members)
        capacity *= max(people / residents, 1) ** -0.5
        quality = capacity * (1 - 0.15 * short) * (1 - min(penalty, 1))
        quality *= 1 - 0.02 * radius / 50 * (1 - voice)
        return Outlook(cost, quality, load, coordination, haul, penalty, trust)

    def present(self, body: Body, quarter: int) -> Outlook:
        """What a body produces if members are as good as their reputation."""
        members = body.members
        short = 1 - sum(self.r[i] for i in members) / len(members)
        penalty = self.transition((quarter - body.began) / 4)
        trust = self.trust_among(self.ties(members, body))
        return self.outlook(members, body.area, body, penalty=penalty, trust=trust, short=short)

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

    def fit(self, i: int, members: list[int], a: int, provider: int | None) -> float:
        """What region i loses because the joint service is unlike its wishes."""
        wish = sum(self.N[m] * self.w[m][a] for m in members) / sum(self.N[m] for m in members)
        if provider is not None:
            wish = self.w[provider][a]
        apart = len(self.areas) * (self.w[i][a] - wish)
        return self.p["interest_fit"] * apart**2 * (1 - self.running_strength("planning", a))

    def autonomy(self, i: int, members: list[int]) -> float:
        part = self.N[i] / sum(self.N[m] for m in members)
        return self.p["autonomy_cost"] * self.v[i] * (1 - part)

    def benefit(
        self, i: int, members: list[int], a: int, outlook: Outlook, omega: float,
        provider: int | None,
    ) -> float:  # fmt: skip
        """Net benefit of member i a year, per unit of its stand-alone cost."""
        people = self.served(i, a)
        ac = self.unit_cost(people, a)
        cost = self.share(i, members, a) * outlook.cost / people - self.areas[a].spillover * omega
        return (
            (ac - cost) / ac
            + self.p["quality_value"] * (outlook.quality - self.reference(i, a))
            - self.autonomy(i, members)
            - self.fit(i, members, a, provider)
        )

    def judged(self, i: int, a: int, quarter: int) -> float:
        """Net benefit of the present arrangement."""
        body = self.body.get((i, a))
        if body is None:
            return 0.0
        omega = self.omega(i, body.members)
        outlook = self.present(body, quarter)
        return self.benefit(i, body.members, a, outlook, omega, body.provider)

    def party(self, i: int, a: int) -> list[int]:
        body = self.body.get((i, a))
        return [i] if body is None else body.members

    def is_away(self, i: int, a: int, quarter: int) -> bool:
        """Whether an event of the scenario keeps a region out of joint bodies."""
        return any(
            self.codes[i] in event.regions
            and self.names[a] in event.areas
            and event.from_ <= quarter < event.until
            for event in self.scenario.leaves
        )

    def may_unite(self, i: int, j: int, a: int) -> bool:
        """Whether the parties of i and its contact j can become one."""
        if any((m, a) not in self.body and self.is_away(m, a, self.quarter) for m in (i, j)):
            return False
        one, two = self.body.get((i, a)), self.body.get((j, a))
        if j in self.party(i, a) or len(self.party(i, a) + self.party(j, a)) > self.scenario.cap:
            return False
        for body, region, other in ((one, i, two), (two, j, one)):
            star = body is not None and body.form == "contract"
            if star and (region != body.provider or other is not None):
                return False
        return True

    def more_capable(self, group: list[int], a: int) -> int:
        """The provider of a contract; then the larger region, then the first by code."""
        return max(group, key=lambda m: (self.k[m][a], self.N[m], -m))

    def union(self, i: int, j: int, a: int, quarter: int, planning: float) -> Union:
        """The union of i's party with that of its contact j."""
        one, two = self.body.get((i, a)), self.body.get((j, a))
        first, second = list(self.party(i, a)), list(self.party(j, a))
        if one is None and two is None:
            return self.founding(i, j, a, planning)
        here, there = (sum(self.N[m] for m in party) for party in (first, second))
        if one is None or two is None:
            host = two if one is None else one
        else:
            host = one if here > there else two
        enters = (here <= there, here > there)
        if host.form == "contract":
            enters = (one is None, two is None)
        members = first + second
        outlook = self.outlook(
            members, a, host,
            penalty=self.transition((quarter - host.began) / 4),
            trust=self.trust_among(self.ties(members, host), first, i),
            short=1 - sum(self.r[m] for m in members) / len(members),
        )  # fmt: skip
        return Union(first, second, outlook, host, host.form, host.provider, enters)

    def founding(self, i: int, j: int, a: int, planning: float) -> Union:
        """The union of two regions alone, in the form that is set or that they choose."""
        form = self.areas[a].form or self.scenario.form
        if form != "choice":
            return self.found(i, j, a, form, planning)
        people = (self.served(i, a) + self.served(j, a)) / 2
        partners = clip(self.areas[a].efficient_scale / people, 2, self.scenario.cap)
        forms = ("contract", "board")
        worst = {}
        for form in forms:
            union = self.found(i, j, a, form, planning, partners)
            worst[form] = min(self.change(m, union, a, 0, [i + j - m]) for m in (i, j))
        better = max(forms, key=lambda form: worst[form])
        return self.found(i, j, a, better, planning)

    def found(
        self, i: int, j: int, a: int, form: str, planning: float, partners: float = 0.0
    ) -> Union:
        p, pair = self.p, [i, j]
        provider = self.more_capable(pair, a) if form == "contract" else None
        body = Body(a, form, 0, pair, provider)
        missed = 1 - p["foreseen"]
        missed *= 1 - self.running_strength("information", a)
        missed *= 1 - self.strength("planning", planning)
        outlook = self.outlook(
            pair, a, body,
            penalty=self.mean_transition(), trust=self.trust_among([(i, j)]),
            short=1 - (self.r[i] + self.r[j]) / 2, foreseen=1 - missed, partners=partners,
        )  # fmt: skip
        return Union([i], [j], outlook, None, form, provider, (True, True))

    def first_year(self, i: int, union: Union, a: int) -> float:
        return self.share(i, union.members, a) * union.outlook.cost

    def offered(self, i: int, a: int) -> tuple[float, float]:
        """Parts of a start-up that central government and business offer to pay."""
        grant = self.strength("government", self.aid["government"][i, a])
        finance = self.strength("business", self.aid["business"][i, a])
        whole = max(grant + finance, 1)
        return grant / whole, finance / whole

    def change(self, i: int, union: Union, a: int, quarter: int, across: list[int]) -> float:
        """Change of i's own judged net benefit; its neighbours ``across`` are known to count."""
        own = union.first if i in union.first else union.second
        omega = self.omega(i, own) + self.omega(i, across)
        change = self.benefit(i, union.members, a, union.outlook, omega, union.provider)
        if union.enters[i in union.second]:
            due = self.p["startup_cost"] * (1 + self.f[i]) * self.first_year(i, union, a)
            due *= 1 - sum(self.offered(i, a))
            change -= due / self.p["horizon_years"] / self.alone(i, a)
        return change - self.judged(i, a, quarter)

    def other_side(self, i: int, union: Union) -> list[int]:
        return union.second if i in union.first else union.first

    def goodwill(self, i: int, a: int, quarter: int) -> float:
        return self.g[i] * (0.7 if self.bound[i, a] > quarter else 1)

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
                if (left := phase.until - quarter) <= phase.phase_out:
                    value = round(value * left / (phase.phase_out + 1), 12)
        return value

    def in_force(self, lever: str, quarter: int) -> object | None:
        """The last of a lever's phases that are in force: its settings but intensity are valid."""
        found = [p for p in self.phases(lever) if p.from_ <= quarter < p.until]
        return found[-1] if found else None

    def budget(self, supporter: str, quarter: int) -> float:
        phase = self.in_force(supporter, quarter)
        return math.inf if phase is None or phase.budget is None else phase.budget / 4

    def start_quarter(self, quarter: int) -> None:
        self.quarter = quarter
        self.before = self.partners()
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
                elif self.ceiling < math.inf and self.ration[supporter] == 0 < budget:
                    self.ration[supporter] = float(self.unspent(quarter) > 0)
            else:
                need = self.running(supporter, quarter)
                self.ration[supporter] = 1.0 if need <= budget else budget / need
            self.aid[supporter] = {
                slot: offer * self.ration[supporter] for slot, offer in offers.items()
            }
        self.keep_to_ceiling(quarter)
        self.startup = dict.fromkeys(self.slots, 0.0)
        self.granted = dict.fromkeys(self.slots, 0.0)
        self.cofinanced = dict.fromkeys(self.slots, 0.0)
        self.counts = dict.fromkeys(("opened", "refused", "agreements", "deciding", "ended"), 0)
        self.members_before = len(self.body)

    @property
    def ceiling(self) -> float:
        """What all levers together may cost in a quarter."""
        budget = getattr(self.strategy, "budget", None)
        return math.inf if budget is None else budget / 4

    def is_counted(self, lever: str, quarter: int) -> bool:
        """Whether a lever is one of the strategy, and not of the scenario."""
        own = {**self.strategy.mechanisms, **self.strategy.support}.get(lever, ())
        return any(self.in_force(lever, quarter) is phase for phase in own)

    def payable(self, lever: str, quarter: int, startup: float = 0.0) -> float:
        """What a running lever costs within its own budget."""
        if lever == "government" or not self.is_counted(lever, quarter):
            return 0.0
        need = self.running(lever, quarter)
        if lever in SUPPORTERS:
            need = min(need, max(self.budget(lever, quarter) - startup, 0.0))
        return need

    def unspent(self, quarter: int) -> float:
        """What the ceiling leaves for start-up after mandates and running levers."""
        need = sum(self.payable(lever, quarter) for lever in LEVERS)
        return max(self.ceiling - self.mandates_due(quarter) - need, 0.0)

    def mandates_due(self, quarter: int) -> float:
        return sum(
            (self.p["lever_price"] if mandate.price is None else mandate.price)
            * self.due[slot] * self.areas[slot[1]].cost_per_resident / 4
            for slot, mandate in self.mandate.items()
            if self.bound[slot] > quarter and any(m is mandate for m in self.strategy.mandates)
        )  # fmt: skip

    def keep_to_ceiling(self, quarter: int) -> None:
        rest = max(self.ceiling - self.mandates_due(quarter), 0.0)
        need = sum(self.payable(lever, quarter) for lever in LEVERS)
        if need <= rest:
            return
        for lever in (lever for lever in LEVERS if self.is_counted(lever, quarter)):
            if lever in SUPPORTERS and lever != "government":
                for slot in self.slots:
                    self.aid[lever][slot] *= rest / need
            elif lever != "government":
                self.levers[lever] = [value * rest / need for value in self.levers[lever]]

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
            buys = (i, a) in self.body and self.body[i, a].provider not in (None, i)
            free = (i, a) not in self.talks and self.contacts[i] and not buys
            if free and self.attends(i, a, quarter):
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
            + self.f[i]
            + 1.5 * peers
        )
        chance /= 1 - self.strength("government", self.aid["government"][i, a])
        chance /= 1 - self.strength("forum", self.levers["forum"][a] * (self.forum[i] >= 0))
        return self.uniform(rng.ATTENTION, quarter, i, i, a) <= chance

    def notices(self, i: int, j: int, a: int, quarter: int) -> bool:
        chance = clip(
            self.p["notice"] * self.near[i, j] * (0.5 + self.T[i, j])
            * (1 + (self.tier[i] == self.tier[j]))
        )  # fmt: skip
        forum = self.strength("forum", self.levers["forum"][a] * self.meet(i, j))
        return self.uniform(rng.NOTICE, quarter, i, j, a) < 1 - (1 - chance) * (1 - forum)

    def choose(self, i: int, a: int, quarter: int) -> int | None:
        """The contact through which region i opens a negotiation, if any."""
        speaker: dict[frozenset[int], int] = {}
        for j in self.contacts[i]:
            party = self.party(j, a)
            if self.may_unite(i, j, a) and self.notices(i, j, a, quarter):
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
        union = self.union(i, j, a, quarter, 0.0)
        known = {
            m: self.change(m, union, a, quarter, union.second if m == i else
                           [i] if m in union.second else [])
            for m in union.members
        }  # fmt: skip
        return self.with_goodwill(i, union, a, quarter, known) + self.error(i, j, a, 0.0)

    # 2 communicate ------------------------------------------------------------------------------
    def communicate(self, quarter: int) -> None:
        areas = range(len(self.areas))
        for i, j in self.T:
            forum = sum(self.levers["forum"]) / len(self.areas) * self.meet(i, j)
            shared = [a for a in areas if self.are_partners(i, j, a)]
            team = max((self.levers["team"][a] for a in shared), default=0.0)
            mediation = sum(self.aid["ngo"][i, a] for a in areas) / len(self.areas)
            built = quarterly(self.learning) * (
                self.strength("forum", forum)
                + self.strength("team", team)
                + self.strength("ngo", mediation)
            )
            self.T[i, j] += min(built, 1) * max(0, 1 - self.damage[i, j] - self.T[i, j])

    # 3 plan -------------------------------------------------------------------------------------
    def plan(self, quarter: int) -> None:
        p = self.p
        self.leaving = []
        self.concluding: list[tuple[float, int, int]] = []
        for i, a in self.slots:
            body = self.body.get((i, a))
            if body and body.provider != i and self.bound[i, a] <= quarter:
                stayed = (quarter - self.entered[i, a]) / 4
                hazard = p["exit_base"] * math.exp(
                    0.7 * (self.load[i, a] / 0.045 - 1)
                    + p["exit_trust"] * (0.5 - self.body_trust[i, a]) / 0.15
                    - 2 * (self.m[i] - 0.5)
                )
                chance = 1 - math.exp(-hazard / 4)
                draw = self.uniform(rng.LEAVING, quarter, i, i, a)
                if stayed >= FIRST_TERM and draw < chance:
                    self.leaving.append((i, a))
            is_taken_out = body and self.is_away(i, a, quarter) and self.bound[i, a] <= quarter
            if is_taken_out and (i, a) not in self.leaving:
                self.leaving.append((i, a))
            if (i, a) in self.talks and self.talks[i, a][1] < quarter:
                self.advance(i, a, quarter)

    def advance(self, i: int, a: int, quarter: int) -> None:
        j = self.talks[i, a][0]
        if not self.may_unite(i, j, a):
            del self.talks[i, a]
            return
        members = self.party(i, a) + self.party(j, a)
        host = self.union(i, j, a, quarter, 0.0).host or Body(a, "board", quarter)
        speed = self.decision_rate(
            members, a, host,
            trust=(self.T[i, j] + self.T[j, i]) / 2,
            again=self.again([(i, j)], a),
        )  # fmt: skip
        if self.uniform(rng.CONCLUSION, quarter, i, i, a) < 1 - math.exp(-speed):
            self.concluding.append((self.uniform(rng.ORDER, quarter, i, i, a), i, a))

    def decision_rate(
        self, members: list[int], a: int, body: Body, *, trust: float, again: float
    ) -> float:
        """Joint decisions a quarter."""
        p, ties = self.p, self.ties(members, body)
        apart = self.culture_apart(ties) + self.interests_apart(ties)
        rate = p["decision_speed"] * math.exp(
            p["decision_trust"] * (trust - 0.5)
            + p["decision_commitment"] * (mean(self.m[i] for i in members) - 0.5)
            - 0.25 * apart
            + 0.5 * again
        )
        if body.form == "board":
            rate /= (len(members) - 1) ** 0.4
        rate /= 1 - self.running_strength("planning", a)
        rate /= 1 - self.running_strength("team", a)
        return rate / (1 - self.mean_strength("ngo", members, a))

    # settling -----------------------------------------------------------------------------------
    def form_agreements(self, quarter: int) -> None:
        for i, a in self.leaving:
            self.leave(i, a)
        for mandate in (*self.scenario.mandates, *self.strategy.mandates):
            groups = [[self.codes.index(code) for code in group] for group in self.groups(mandate)]
            for a, name in enumerate(self.names):
                for group in groups if name in mandate.areas and mandate.from_ == quarter else ():
                    self.oblige(sorted(group), a, mandate, quarter)
        for _order, i, a in sorted(self.concluding):
            if (i, a) in self.talks:
                self.conclude(i, a, quarter)
        self.fund(quarter)

    def leave(self, i: int, a: int) -> None:
        body = self.body.get((i, a))
        if body is None:
            return
        body.members.remove(i)
        dissolves = len(body.members) == 1 or body.provider == i
        gone = [i, *body.members] if dissolves else [i]
        for m in gone:
            del self.body[m, a]
            self.mandate.pop((m, a), None)
            self.bound[m, a], self.expected[m, a] = 0, 0.0
            for number, (area, members) in enumerate(self.listed):
                self.kept_listed[number] &= area != a or m not in members
        self.counts["ended"] += len(gone)

    def groups(self, mandate: object) -> list[list[str]]:
        """The groups of a mandate; those of tiers are halved until they are small enough."""
        if mandate.groups != "tiers":
            return mandate.groups
        regions = self.scenario.regions
        north, east = np.radians(regions.latitude), np.radians(regions.longitude)
        place = np.column_stack(
            [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)]
        )

        def pieces(rows: list[int]) -> list[list[int]]:
            if len(rows) <= mandate.size:
                return [rows]
            axis = np.ptp(place[rows], axis=0).argmax()
            rows = sorted(rows, key=lambda i: place[i, axis])
            half = len(rows) // 2
            return pieces(rows[:half]) + pieces(rows[half:])

        tiers = [[self.codes.index(c) for c in tier] for tier in regions.tiers().values()]
        return [[self.codes[i] for i in piece] for tier in tiers for piece in pieces(tier)]

    def oblige(self, group: list[int], a: int, mandate: object, quarter: int) -> None:
        if len(group) < 2:
            return
        inside = {b for m in group if (b := self.body.get((m, a))) and set(b.members) <= set(group)}
        host = max(inside, key=lambda b: sum(self.N[m] for m in b.members), default=None)
        for m in group:
            if (m, a) in self.body and self.body[m, a] is not host:
                self.leave(m, a)
        if host is None:
            form = self.areas[a].form or self.scenario.form
            form = "board" if form == "choice" else form
            host = Body(a, form, quarter)
            if form == "contract":
                host.provider = self.more_capable(group, a)
        new = [m for m in group if m not in host.members]
        host.members = sorted(host.members + new)
        for m in new:
            self.body[m, a], self.entered[m, a] = host, quarter
            self.talks.pop((m, a), None)
        for m in group:
            self.bound[m, a], self.mandate[m, a] = mandate.until, mandate
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
        if not self.may_unite(i, j, a):
            return
        union = self.union(i, j, a, quarter, self.levers["planning"][a])
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
            provider = union.provider
            seen[m] = self.benefit(m, union.members, a, union.outlook, omega, provider) + wrong
            if gain > 0 and self.votes(m, a):
                yes[int(m in union.second)] += self.N[m]
        agreed = []
        for side, party in enumerate((union.first, union.second)):
            people = sum(self.N[m] for m in party if self.votes(m, a))
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
        host = union.host or Body(a, union.form, quarter, [], union.provider)
        for m in union.members:
            if m not in host.members:
                self.body[m, a], self.entered[m, a] = host, quarter
        host.members = sorted(union.members)
        cost = self.present(host, quarter).cost
        for m in union.members:
            if union.enters[m in union.second]:
                self.pay_startup(m, a, self.share(m, host.members, a) * cost)
            self.expect(m, a, seen[m], is_new=m in was_alone)

    def votes(self, i: int, a: int) -> bool:
        """Whether region i votes in its party: not if it buys from a provider."""
        return (i, a) not in self.body or self.body[i, a].provider in (None, i)

    def money(self, i: int, a: int) -> float:
        return self.alone(i, a) * self.areas[a].cost_per_resident

    def fund(self, quarter: int) -> None:
        """Grants, then co-finance after running support, within the budgets."""
        prices = [area.cost_per_resident for area in self.areas]
        asked = sum(self.granted[i, a] * prices[a] for i, a in self.slots)
        budget, free = self.budget("government", quarter), self.unspent(quarter)
        if self.is_counted("government", quarter):
            budget = min(budget, free)
            free -= min(asked, budget)
        part = 1.0 if asked <= budget else budget / asked
        if asked > 0:
            whole = asked / self.ration["government"]
            self.ration["government"] = min(1.0, budget / whole)
        wanted = sum(self.cofinanced[i, a] * prices[a] for i, a in self.slots)
        left = self.budget("business", quarter)
        if wanted > 0 and left < math.inf:
            left = max(left - self.running("business", quarter), 0.0)
        if self.is_counted("business", quarter):
            left = min(left, max(free, 0.0))
        met = 1.0 if wanted <= left else left / wanted
        for slot in self.slots:
            self.granted[slot] *= part
            self.cofinanced[slot] *= met
        self.startup_paid = {"government": asked * part, "business": wanted * met}

    # 4 coordinate -------------------------------------------------------------------------------
    def seen_chance(self, a: int) -> float:
        missed = 1 - self.running_strength("monitoring", a)
        return 1 - 0.6 * missed * (1 - self.running_strength("information", a))

    def honour_chance(self, i: int, a: int, quarter: int) -> float:
        body = self.body[i, a]
        part = self.N[i] / sum(self.N[m] for m in body.members)
        temptation = SHORTFALL_SHARE * (1 - part) * (1 - self.seen_chance(a))
        chance = logistic(
            self.p["honour_base"]
            + 3 * (self.goodwill(i, a, quarter) - 0.25)
            + 2 * (self.m[i] - 0.5)
            + 2 * (self.trust_among(self.ties(body.members, body)) - 0.5)
            - self.f[i]
            - temptation / 0.05
        )
        voice = self.strength("community", self.aid["community"][i, a])
        return 1 - (1 - chance) * (1 - voice)

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
        self.matters = []
        for body in set(self.body.values()):
            a, members = body.area, body.members
            ties = self.ties(members, body)
            people = sum(self.served(i, a) for i in members)
            short = sum(self.served(i, a) for i in members if not self.kept[i, a]) / people
            penalty = self.transition((quarter - body.began) / 4)
            trust = self.trust_among(ties)
            outlook = self.outlook(members, a, body, penalty=penalty, trust=trust, short=short)
            rate = self.decision_rate(members, a, body, trust=trust, again=self.again(ties, a))
            self.matters.append(3 / rate)
            shares = {i: self.share(i, members, a) * outlook.cost for i in members}
            back = {
                i: 0.0 if self.kept[i, a] or self.seen[i, a]
                else SHORTFALL_SHARE * shares[i]
                for i in members
            }  # fmt: skip
            for i in members:
                borne = shares[i] - back[i] + sum(back.values()) * shares[i] / outlook.cost
                omega = self.omega(i, members)
                alone = self.alone(i, a)
                gain = self.areas[a].spillover * omega * self.served(i, a)
                fit, autonomy = self.fit(i, members, a, body.provider), self.autonomy(i, members)
                self.due[i, a] = shares[i]
                self.cost[i, a] = (borne - gain) / alone
                self.quality[i, a] = outlook.quality
                self.realised[i, a] = (
                    1 - self.cost[i, a]
                    + self.p["quality_value"] * (outlook.quality - self.reference(i, a))
                    - autonomy
                    - fit
                )  # fmt: skip
                self.load[i, a] = outlook.load
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
                    "self_rule": -autonomy,
                    "fit": -fit,
                }.items():
                    self.channels[name][i, a] = value
        self.bill(quarter)

    def price(self, lever: str, quarter: int) -> float:
        """Yearly price of a full lever."""
        phase = self.in_force(lever, quarter)
        if phase and phase.price is not None:
            return phase.price
        return self.p["lever_price"] * (0.25 if lever in ("forum", "community") else 1)

    def charge(self, lever: str, i: int, a: int, quarter: int) -> float:
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
        price = self.price(lever, quarter) * self.areas[a].cost_per_resident
        return price * intensity * base

    def running(self, lever: str, quarter: int) -> float:
        """What a lever costs this quarter, start-up aside, in money."""
        return sum(self.charge(lever, i, a, quarter) for i, a in self.slots) / 4

    def bill(self, quarter: int) -> None:
        self.paid = {}
        self.payer = {}
        self.programme = dict.fromkeys(self.slots, 0.0)
        counted = [lever for lever in LEVERS if self.is_counted(lever, quarter)]
        startups = sum(self.startup_paid.get(lever, 0.0) for lever in counted)
        left = self.ceiling - self.mandates_due(quarter) - startups
        need = sum(
            self.payable(lever, quarter, self.startup_paid.get(lever, 0.0)) for lever in LEVERS
        )
        left = max(left, 0.0)
        covered = 1.0 if need <= left else left / need
        for lever, entry in LEVERS.items():
            phase = self.in_force(lever, quarter)
            payer = phase.paid_by if phase else entry.payer
            startup = self.startup_paid.get(lever, 0.0)
            running, part = 0.0, 1.0
            if lever != "government":
                running = self.running(lever, quarter)
            if lever in SUPPORTERS:
                left = max(self.budget(lever, quarter) - startup, 0.0)
                part = 1.0 if running <= left else left / running
            part *= covered if lever in counted else 1.0
            self.paid[lever], self.payer[lever] = running * part + startup, payer
            if payer == "members":
                aid = {"government": self.granted, "business": self.cofinanced}.get(lever, {})
                for i, a in self.slots:
                    price = self.areas[a].cost_per_resident
                    own = 4 * aid.get((i, a), 0.0) * price
                    if lever != "government":
                        own += self.charge(lever, i, a, quarter) * part
                    self.programme[i, a] += own / self.money(i, a)

        self.mandates_cost = dict.fromkeys(PAYERS, 0.0)
        for (i, a), mandate in self.mandate.items():
            if self.bound[i, a] <= quarter:
                continue
            price = self.p["lever_price"] if mandate.price is None else mandate.price
            yearly = price * self.due[i, a] * self.areas[a].cost_per_resident
            self.mandates_cost[mandate.paid_by] += yearly / 4
            if mandate.paid_by == "members":
                self.programme[i, a] += yearly / self.money(i, a)

    # 5 evaluate ---------------------------------------------------------------------------------
    def evaluate(self, quarter: int) -> None:
        p, areas, learning = self.p, range(len(self.areas)), quarterly(self.learning)
        trust, damage = dict(self.T), self.damage
        for i, j in trust:
            shared = [a for a in areas if self.are_partners(i, j, a)]
            observed = [a for a in shared if self.seen[j, a]]
            for a in observed:
                if self.kept[j, a]:
                    gain = quarterly(self.learning, 0.5)
                    trust[i, j] += gain * max(0, 1 - damage[i, j] - trust[i, j])
                    damage[i, j] -= quarterly(0.03) * damage[i, j]
                else:
                    trust[i, j] -= quarterly(self.learning, 1.5) * trust[i, j]
                    if self.scenario.trust == "lasting":
                        damage[i, j] += quarterly(0.6) * (1 - damage[i, j])
            if not observed:
                back_to = min(self.T_start[i, j], 1 - damage[i, j])
                trust[i, j] += quarterly(0.05) * (back_to - trust[i, j])
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
                self.r[i] += learning * (kept - self.r[i])
            if mine:
                realised = gained / joint
                bound = sum(cost[a] for a in mine if self.bound[i, a] > quarter) / joint
                goal = logistic(0.405 + (realised - self.u[i]) / 0.05)
                goal *= 1 - 0.3 * bound
                self.m[i] += learning * (goal - self.m[i])
                self.u[i] += quarterly(self.learning, 2.5) * (realised - self.u[i])
            else:
                self.m[i] += quarterly(0.05) * (p["commitment_start"] - self.m[i])
        for body in set(self.body.values()):
            self._converge(body, learning)

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
        total = sum(money.values())
        spent = sum(self.paid.values()) + sum(self.mandates_cost.values())
        saved = sum(money[s] * (1 - self.cost[s] + self.entry[s]) for s in slots)
        net = sum(money[s] * (self.realised[s] + self.entry[s]) for s in slots)
        bodies = set(self.body.values())
        by_payer = {
            payer: sum(self.paid[lever] for lever in LEVERS if self.payer[lever] == payer)
            + self.mandates_cost[payer]
            for payer in PAYERS
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
            graph.add_edges_from(self.ties(body.members, body))
        degrees = [degree for _node, degree in graph.degree]
        pairs = {body: len(self.ties(body.members, body)) for body in bodies}
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
            "matter_time": mean(self.matters),
            "trust": mean(self.T.values()),
            "trust_in_bodies": trust / sum(pairs.values()) if bodies else math.nan,
            "shortfall": mean([not self.kept[s] for s in self.body]),
            "commitment": mean(self.m),
            "quality_gini": gini(mean_quality),
            "worst_tenth": mean(mean_quality[:tenth]),
            "worse_off": mean([gain < -1e-9 for gain in losing]),
            "exit_rate": 4 * self.counts["ended"] / self.members_before
            if self.members_before else math.nan,
            "membership_age": mean([(quarter - self.entered[s]) / 4 for s in self.body]),
            "body_age": mean([(quarter - body.began) / 4 for body in bodies]),
            "bodies": len(bodies),
            "contracts": mean([b.form == "contract" for b in self.body.values()]),
            "listed_bodies_kept": mean(self.kept_listed),
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
            "programme_tiers": by_payer["tier"],
            "programme_supporters": sum(by_payer[who] for who in ("supporter", "ngo", "business")),
            "net_saving": saved - spent,
            "net_saving_discounted": (saved - spent)
            * (1 + self.scenario.discount) ** -((quarter + 0.5) / 4),
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
