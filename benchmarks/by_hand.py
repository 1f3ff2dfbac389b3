"""The model as a Mesa user writes it by hand: plain objects and lists, no numpy, no compiler.

Regions are agents, their services and joint bodies are objects, and random numbers come from
Mesa's own generator. It has all rules that act in regions of `small-towns` under strategies of
coordination mechanisms. It leaves out what does nothing there: external supporters, mandates, the
scenario's changes and departures, bodies that exist at the start, budgets, and forms, rules and
curves other than the defaults. `World` refuses them. Who knows whom, how far apart they lie and who
has a common border is read from the scenario, as from a table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import mesa

EARTH, NEAR_KM = 6371.0, 50.0
PARTNERS = {"contract": 1.2, "board": 1.0}
ROUNDING = 1e-9
MEASURES = (
    "cooperation", "efficiency", "net_efficiency", "quality", "quality_change",
    "perceived_benefit", "realised_benefit", "decision_time", "matter_time", "trust",
    "trust_in_bodies", "shortfall", "commitment", "worse_off", "exit_rate", "membership_age",
    "body_age", "bodies", "contracts", "body_size", "largest_body", "saving", "programme_cost",
    "net_saving", "opened", "refused", "agreements", "ended",
)  # fmt: skip


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def clip(x: float) -> float:
    return min(max(x, 0.0), 1.0)


def mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values) if values else math.nan


def quarterly(yearly: float, times: float = 1.0) -> float:
    """A share a year as a share a quarter, so many times faster."""
    return 1 - (1 - yearly) ** (times / 4)


# The world: what is the same in all runs ----------------------------------------------------------


@dataclass
class Area:
    """A service area, with the strength of each mechanism in it."""

    number: int
    scale: float
    below: float
    above: float
    difficulty: float
    spillover: float
    haul: float
    price: float
    forum: float = 0.0
    planning: float = 0.0
    team: float = 0.0
    information: float = 0.0
    monitoring: float = 0.0

    def unit_cost(self, people: float) -> float:
        distance = math.log(people / self.scale)
        curve = self.above if distance >= 0 else self.below
        return math.exp(curve * distance * distance / 2)


@dataclass
class Place:
    """A region of the map."""

    code: str
    people: float
    tier: str
    x: float
    y: float
    z: float
    near: dict[int, float] = field(default_factory=dict)
    """Nearness of each contact, by its row."""
    spill: dict[int, float] = field(default_factory=dict)
    """Weight of each land neighbour in spillover, by its row."""


@dataclass
class World:
    """Regions, areas, parameters, and the shares of a full lever that the strategy sets."""

    places: list[Place]
    areas: list[Area]
    p: Mapping[str, float]
    levers: Mapping[str, float]
    forum_of_tiers: bool
    horizon: int
    cap: int

    @classmethod
    def of(cls, scenario, strategy: str) -> World:
        """Read a scenario of kolabsim; refuse what this model leaves out."""
        from kolabsim.model.parameters import PARAMETERS
        from kolabsim.scenario.compile import contact_arrays

        p = {name: entry.default for name, entry in PARAMETERS.items()} | dict(scenario.parameters)
        chosen, regions = scenario.strategies[strategy], scenario.regions
        rules = (scenario.unit_cost, scenario.shares, scenario.consent, scenario.trust,
                 scenario.decision, scenario.form)  # fmt: skip
        usual = ("log_quadratic", "population", "three_quarters", "recovering", "best_response",
                 "choice")  # fmt: skip
        extra = (scenario.changes, scenario.bodies, scenario.leaves, scenario.mandates,
                 scenario.mechanisms, scenario.support, chosen.support,
                 chosen.mandates, chosen.budget, scenario.extensions,
                 any(area.form for area in scenario.areas.values()))  # fmt: skip
        given = (regions.stress, regions.goodwill, regions.autonomy, regions.culture,
                 regions.interests, regions.capacity)  # fmt: skip
        drawn = all(value != value for column in given for value in column.ravel().tolist())
        if rules != usual or any(extra) or not drawn or not regions.placed:
            raise NotImplementedError("the model by hand has no such rule")
        levers, of_tiers = {}, False
        for name, phases in chosen.mechanisms.items():
            (phase,) = phases
            if phase.from_ > 0 or phase.until < scenario.horizon or phase.paid_by != "members":
                raise NotImplementedError("the model by hand has no dated levers")
            levers[name] = phase.intensity
            if name == "forum":
                of_tiers = phase.members == "tiers"
        places = []
        for code, people, tier, north, east in zip(
            regions.codes, regions.population.tolist(), regions.tier,
            [math.radians(v) for v in regions.latitude.tolist()],
            [math.radians(v) for v in regions.longitude.tolist()], strict=True,
        ):  # fmt: skip
            x, y = math.cos(north) * math.cos(east), math.cos(north) * math.sin(east)
            places.append(Place(code, people, str(tier), x, y, math.sin(north)))
        areas = [
            Area(number, area.efficient_scale, area.curvature_below, area.curvature_above,
                 area.difficulty, area.spillover, area.haul, area.cost_per_resident)
            for number, area in enumerate(scenario.areas.values())
        ]  # fmt: skip
        for area, (name, intensity) in product(areas, levers.items()):
            setattr(area, name, p[f"{name}_strength"] * intensity)
        world = cls(places, areas, p, levers, of_tiers, scenario.horizon, scenario.cap)
        row, contact, distance = contact_arrays(scenario)
        for place, first, end in zip(places, row["first"], row["end"], strict=True):
            known = zip(contact["target"][first:end].tolist(), distance[first:end].tolist(),
                        contact["land"][first:end].tolist(), strict=True)  # fmt: skip
            world.meet(place, list(known))
        return world

    def meet(self, place: Place, known: list[tuple[int, float, float]]) -> None:
        """Let a region know others: of each its row, its distance, and whether it has a border."""
        if not known:
            return
        reach = 1.5 * mean(km for _row, km, _land in known)
        near = {row: math.exp(-km / reach) * (1 + 2 * land) for row, km, land in known}
        whole = mean(near.values())
        place.near = {row: value / whole for row, value in near.items()}
        pull = {row: self.places[row].people / km**2 for row, km, land in known if land}
        place.spill = {row: value / sum(pull.values()) for row, value in pull.items()}


# Bodies and unions --------------------------------------------------------------------------------


class Service:
    """One service of one region."""

    def __init__(self, region: Region, area: Area) -> None:
        self.region, self.area = region, area
        self.alone = area.unit_cost(region.people)
        self.money = region.people * self.alone * area.price
        self.capacity = self.interest = self.practice = 0.0
        self.body: Body | None = None
        self.entered = 0
        self.talk: Region | None = None
        self.opened = 0
        self.order: float | None = None
        self.leaves = False
        self.judged = self.expected = self.realised = self.entry = self.startup = 0.0
        self.kept = self.seen = True
        self.due, self.cost, self.quality = region.people * self.alone, 1.0, 0.0
        self.load = self.body_trust = self.programme = 0.0
        self.errors: dict[Region, float] = {}

    @property
    def party(self) -> list[Region]:
        return [self.region] if self.body is None else self.body.members

    @property
    def buys(self) -> bool:
        return self.body is not None and self.body.provider not in (None, self.region)


class Body:
    """Regions that share a service, or might: members, form, provider, age."""

    def __init__(
        self, model: ByHand, area: Area, members: list[Region], form: str,
        provider: Region | None, began: int,
    ) -> None:  # fmt: skip
        self.model, self.area, self.form, self.provider = model, area, form, provider
        self.members, self.began = members, began

    @property
    def ties(self) -> list[tuple[Region, Region]]:
        if self.provider is not None:
            return [(self.provider, one) for one in self.members if one is not self.provider]
        return list(combinations(self.members, 2))

    def transition(self, quarter: int) -> float:
        return self.model.p["transition_cost"] * math.exp(-(quarter - self.began) / 4 / 1.5)

    def look(
        self, penalty: float, short: float, *, foreseen: float = 1.0, partners: float = 0.0,
        first: Sequence[Region] = (), opener: Region | None = None,
    ) -> None:  # fmt: skip
        """Work out what its members produce together; across two parties, as an opener knows."""
        model, area, members, ties = self.model, self.area, self.members, self.ties
        p, number, form, a = model.p, len(members), self.form, area.number
        people = sum(one.people for one in members)
        culture = interests = practice = trust = again = 0.0
        for one, other in ties:
            culture += model.culture_apart(one, other)
            interests += model.interests_apart(one, other)
            practice += (one.services[a].practice - other.services[a].practice) ** 2 / 2
            again += model.partners_elsewhere(one, other, area)
            if opener in (None, one, other) or (one in first) == (other in first):
                trust += one.trust.get(other, other.reputation)
                trust += other.trust.get(one, one.reputation)
            else:
                trust += one.reputation + other.reputation
        count = len(ties)
        self.apart = (culture + interests) / count
        self.trust, self.again = trust / (2 * count), again / count
        meeting = 0.0
        if area.forum:
            pairs = list(combinations(members, 2))
            meeting = area.forum * sum(model.meet(*pair) for pair in pairs) / len(pairs)
        known = 1 - p["scope"] * self.again
        growth = PARTNERS[form] - area.team * max(0.0, PARTNERS[form] - 0.6)
        information = p["information_cost"] + p["culture_cost"] * culture / count
        information *= (1 - meeting) * (1 - area.information)
        negotiation = p["negotiation_cost"] * (1 + p["interest_weight"] * interests / count)
        negotiation *= max((partners or number) - 1, 1) ** growth * known
        negotiation *= (1 - area.planning) * (1 - area.team)
        weight = p["contract_difficulty"] if form == "contract" else 1.0
        enforcement = p["enforcement_cost"] * (1 - self.trust) * (1 + weight * area.difficulty)
        enforcement *= 1 - area.monitoring
        overhead = 0.0 if form == "contract" else p["overhead_cost"] * known
        self.load = information + negotiation
        self.load += p["practice_cost"] * practice / count * (1 - area.information)
        x, y, z = (sum(one.people * at for one, at in zip(members, where, strict=True))
                   for where in zip(*[one.at for one in members], strict=True))  # fmt: skip
        radius = EARTH * math.sqrt(max(1 - (x * x + y * y + z * z) / people**2, 0.0))
        coordination = foreseen * (self.load + enforcement + overhead)
        haul = area.haul * radius / NEAR_KM
        self.people = people
        # Of a person: shares go by population.
        self.price = area.unit_cost(people) * (1 + coordination + haul + penalty)
        if self.provider is not None:
            capacity = self.provider.services[a].capacity
            self.wish = self.provider.services[a].interest
        else:
            capacities = [one.services[a].capacity for one in members]
            capacity = sum(
                one.people * of for one, of in zip(members, capacities, strict=True)
            ) / people  # fmt: skip
            pooling = p["pooling"] + (1 - p["pooling"]) * meeting
            capacity += pooling * (max(capacities) - capacity)
            self.wish = sum(one.people * one.services[a].interest for one in members) / people
        self.quality = capacity * (1 - 0.15 * short) * (1 - min(penalty, 1))
        self.quality *= 1 - min(0.02 * radius / NEAR_KM, 1)

    def tally(self, quarter: int) -> None:
        """Judge the present arrangement."""
        members = self.members
        short = 1 - sum(one.reputation for one in members) / len(members)
        self.look(self.transition(quarter), short)
        a = self.area.number
        self.practice = sum(one.services[a].practice for one in members) / len(members)
        if self.provider is not None:
            self.practice = self.provider.services[a].practice
        for one in members:
            one.services[a].judged = self.benefit(one, one.omega(members))

    def benefit(self, one: Region, omega: float) -> float:
        """Net benefit of a member a year, as a share of its cost alone."""
        p, service = self.model.p, one.services[self.area.number]
        misfit = len(self.model.areas) * (service.interest - self.wish)
        return (
            1 - (self.price - self.area.spillover * omega) / service.alone
            + p["quality_value"] * (self.quality - service.capacity)
            - p["autonomy_cost"] * one.autonomy * (1 - one.people / self.people)
            - p["interest_fit"] * misfit**2 * (1 - self.area.planning)
        )  # fmt: skip

    def decision_rate(self, trust: float, again: float, members: Sequence[Region] = ()) -> float:
        """Joint decisions a quarter."""
        p, members = self.model.p, members or self.members
        rate = p["decision_speed"] * math.exp(
            p["decision_trust"] * (trust - 0.5)
            + p["decision_commitment"] * (sum(m.commitment for m in members) / len(members) - 0.5)
            - 0.25 * self.apart
            + 0.5 * again
        )
        if self.form == "board":
            rate /= (len(members) - 1) ** 0.4
        return rate / (1 - self.area.planning) / (1 - self.area.team)


class Union:
    """Two parties that might become one body."""

    def __init__(
        self, model: ByHand, opener: Region, other: Region, area: Area, quarter: int,
        planning: float = 0.0,
    ) -> None:  # fmt: skip
        self.model, self.area = model, area
        one, two = opener.services[area.number], other.services[area.number]
        self.first, self.second = list(one.party), list(two.party)
        self.host: Body | None = None
        self.enters = (True, True)
        if one.body is None and two.body is None:
            self.found(opener, other, planning)
            return
        here, there = (sum(m.people for m in side) for side in (self.first, self.second))
        self.host = host_of(one.body, two.body, here > there)
        self.enters = (here <= there, here > there)
        if self.host.form == "contract":
            self.enters = (one.body is None, two.body is None)
        members = self.first + self.second
        self.body = Body(
            model, area, members, self.host.form, self.host.provider, self.host.began
        )  # fmt: skip
        short = 1 - sum(m.reputation for m in members) / len(members)
        self.body.look(self.host.transition(quarter), short, first=self.first, opener=opener)

    def found(self, one: Region, other: Region, planning: float) -> None:
        """Two regions alone choose the form in which the worse off gains more."""
        model, area, p = self.model, self.area, self.model.p
        years = p["horizon_years"]
        penalty = p["transition_cost"] * 1.5 / years * (1 - math.exp(-years / 1.5))
        short = 1 - (one.reputation + other.reputation) / 2
        foreseen = 1 - (1 - p["foreseen"]) * (1 - area.information) * (1 - planning)
        people = (one.people + other.people) / 2
        partners = min(max(area.scale / people, 2.0), float(model.world.cap))
        a, best = area.number, -math.inf
        key = (one.services[a].capacity, one.people), (other.services[a].capacity, other.people)
        provider = one if key[0] > key[1] or (key[0] == key[1] and one.row < other.row) else other
        for form in ("contract", "board"):
            body = Body(
                model, area, [one, other], form, provider if form == "contract" else None, 0
            )  # fmt: skip
            body.look(penalty, short, foreseen=foreseen, partners=partners)
            self.body = body
            worse = min(self.change(one), self.change(other))
            if worse > best:
                best, taken = worse, body
        self.body = taken
        self.body.look(penalty, short, foreseen=foreseen)

    def change(self, one: Region, opener: Region | None = None) -> float:
        """Change of a member's judged benefit, its start-up taken off.

        An opener who judges it counts only spillover of its own contacts across the union.
        """
        p, service = self.model.p, one.services[self.area.number]
        is_first = one in self.first
        own, across = (self.first, self.second) if is_first else (self.second, self.first)
        if opener is not None and one is not opener:
            across = () if is_first else (opener,)
        omega = one.omega(own) + one.omega(across)
        change = self.body.benefit(one, omega) - service.judged
        if self.enters[not is_first]:
            change -= (
                p["startup_cost"] * (1 + one.stress) * self.body.price / service.alone
                / p["horizon_years"]
            )  # fmt: skip
        return change

    def with_goodwill(self, one: Region, changes: Mapping[Region, float]) -> float:
        """Its own change, and by goodwill the mean change of all others."""
        rest = (sum(changes.values()) - changes[one]) / (len(changes) - 1)
        return changes[one] + one.goodwill * rest

    def changes(self, opener: Region | None = None) -> dict[Region, float]:
        return {one: self.change(one, opener) for one in self.body.members}


def host_of(one: Body | None, two: Body | None, first_is_larger: bool) -> Body:
    """The body that goes on: of two, that of the party with more people."""
    if one is None or two is None:
        host = two if one is None else one
    else:
        host = one if first_is_larger else two
    assert host is not None
    return host


# Agents -------------------------------------------------------------------------------------------


class Region(mesa.Agent):
    """A regional government."""

    model: ByHand

    def __init__(self, model: ByHand, row: int, place: Place) -> None:
        super().__init__(model)
        self.row, self.code, self.people, self.tier = row, place.code, place.people, place.tier
        self.at, self.near, self.spill = (place.x, place.y, place.z), place.near, place.spill
        self.commitment, self.reputation = model.p["commitment_start"], model.p["reputation_start"]
        self.aspiration = 0.0
        self.stress = self.goodwill = self.autonomy = 0.0
        self.culture: list[float] = []
        self.trust: dict[Region, float] = {}
        self.trust_start: dict[Region, float] = {}
        self.services = [Service(self, area) for area in model.areas]
        self.moving = False

    def omega(self, others: Sequence[Region]) -> float:
        """Weight of its land neighbours among others."""
        return sum(self.spill.get(other.row, 0.0) for other in others)

    # 1
    def identify(self) -> None:
        """Consider the areas, look for partners, and open negotiations."""
        for service in self.services:
            if service.talk is None and self.trust and not service.buys and self.attends(service):
                service.talk = self.choose(service)
                if service.talk is not None:
                    service.opened = self.model.quarter
                    self.model.opened += 1

    def attends(self, service: Service) -> bool:
        model, p, a = self.model, self.model.p, service.area.number
        draw = model.chance("attention", self, self, a)
        odds = p["attention_base"] + p["attention_cost"] * (service.alone - 1) + self.stress
        forum = 1 - service.area.forum
        if draw > logistic(odds + 1.5) / forum:  # not even if all contacts shared
            return False
        peers = sum(other.services[a].body is not None for other in self.trust) / len(self.trust)
        return draw <= logistic(odds + 1.5 * peers) / forum

    def notices(self, other: Region, area: Area) -> bool:
        model = self.model
        chance = model.p["notice"] * self.near[other.row] * (0.5 + self.trust[other])
        chance = clip(chance * (2.0 if self.tier == other.tier else 1.0))
        if model.meet(self, other):
            chance = 1 - (1 - chance) * (1 - area.forum)
        return model.chance("notice", self, other, area.number) < chance

    def choose(self, service: Service) -> Region | None:
        """The contact through which it opens a negotiation: that with the largest gain."""
        model, area = self.model, service.area
        speakers: dict[object, Region] = {}
        for other, trust in self.trust.items():
            if model.may_unite(self, other, area) and self.notices(other, area):
                party = other.services[area.number].body or other
                before = speakers.get(party)
                if before is None or trust > self.trust[before]:
                    speakers[party] = other
        best, taken = 0.0, None
        for other in speakers.values():
            union = Union(model, self, other, area, model.quarter)
            gain = union.with_goodwill(self, union.changes(self)) + self.error(other, area, 0.0)
            if gain > best:
                best, taken = gain, other
        return taken

    def error(self, other: Region, area: Area, planning: float) -> float:
        """Its misperception of uniting through a contact: one draw that lasts the run."""
        errors = self.services[area.number].errors
        if other not in errors:
            errors[other] = self.model.normal("error", self, other, area.number)
        forum = area.forum if self.model.meet(self, other) else 0.0
        return errors[other] * self.model.p["misperception"] * (1 - forum) * (1 - planning)

    # 2
    def communicate(self) -> None:
        """Forums and teams build trust."""
        model, learning = self.model, quarterly(self.model.p["learning"])
        for other, trust in self.trust.items():
            forum = model.mean_forum if model.meet(self, other) else 0.0
            team = max(
                (s.area.team for s in self.services if model.are_partners(self, other, s.area)),
                default=0.0,
            )
            self.trust[other] = trust + min(learning * (forum + team), 1) * max(0, 1 - trust)

    # 3
    def plan(self) -> None:
        """Advance its negotiations, and decide whether to leave."""
        quarter = self.model.quarter
        for service in self.services:
            body = service.body
            if body is not None and body.provider is not self and quarter - service.entered >= 10:
                service.leaves = self.wants_to_leave(service)
            if service.talk is not None and service.opened < quarter:
                self.advance(service)

    def wants_to_leave(self, service: Service) -> bool:
        p = self.model.p
        hazard = p["exit_base"] * math.exp(
            0.7 * (service.load / 0.045 - 1)
            + p["exit_trust"] * (0.5 - service.body_trust) / 0.15
            - 2 * (self.commitment - 0.5)
        )
        chance = 1 - math.exp(-hazard / 4)
        return self.model.chance("leaving", self, self, service.area.number) < chance

    def advance(self, service: Service) -> None:
        model, area, other = self.model, service.area, service.talk
        assert other is not None
        if not model.may_unite(self, other, area):
            service.talk = None
            return
        there = other.services[area.number]
        members = service.party + there.party
        form, provider, began = "board", None, model.quarter
        if service.body is not None or there.body is not None:
            larger = sum(m.people for m in service.party) > sum(m.people for m in there.party)
            host = host_of(service.body, there.body, larger)
            form, provider, began = host.form, host.provider, host.began
        body = Body(model, area, members, form, provider, began)
        body.apart = mean(
            model.culture_apart(*tie) + model.interests_apart(*tie) for tie in body.ties
        )
        trust = (self.trust[other] + other.trust[self]) / 2
        rate = body.decision_rate(trust, model.partners_elsewhere(self, other, area))
        if model.chance("conclusion", self, self, area.number) < 1 - math.exp(-rate):
            service.order = model.chance("order", self, self, area.number)

    # 4
    def coordinate(self) -> None:
        """Keep its promises in its bodies, or fall short."""
        model = self.model
        for service in self.services:
            body, area = service.body, service.area
            if body is None:
                service.realised = service.load = service.body_trust = 0.0
                service.cost, service.quality = 1.0, service.capacity
                service.due = self.people * service.alone
                continue
            seen = 1 - 0.6 * (1 - area.monitoring) * (1 - area.information)
            temptation = 0.1 * (1 - self.people / body.people) * (1 - seen)
            chance = logistic(
                model.p["honour_base"]
                + 3 * (self.goodwill - 0.25)
                + 2 * (self.commitment - 0.5)
                + 2 * (body.trust - 0.5)
                - self.stress
                - temptation / 0.05
            )
            service.kept = model.chance("honour", self, self, area.number) < chance
            service.seen = model.chance("observation", self, self, area.number) < seen

    # 5
    def evaluate(self) -> None:
        """Observe its partners and learn."""
        p, learning = self.model.p, quarterly(self.model.p["learning"])
        mine = [service for service in self.services if service.body is not None]
        self.learn_trust(mine)
        if not mine:
            self.commitment += quarterly(0.05) * (p["commitment_start"] - self.commitment)
            return
        joint = sum(service.money for service in mine)
        realised = sum(service.money * service.realised for service in mine) / joint
        seen = [service for service in mine if service.seen]
        if seen:
            kept = sum(service.kept for service in seen) / len(seen)
            self.reputation += learning * (kept - self.reputation)
        goal = logistic(0.405 + (realised - self.aspiration) / 0.05)
        self.commitment += learning * (goal - self.commitment)
        self.aspiration += quarterly(p["learning"], 2.5) * (realised - self.aspiration)
        for service in mine:
            if service.body.provider is not self:
                service.practice += learning * (service.body.practice - service.practice)

    def learn_trust(self, mine: list[Service]) -> None:
        p, model = self.model.p, self.model
        gain, loss = quarterly(p["learning"], 0.5), quarterly(p["learning"], 1.5)
        drift, starts = quarterly(0.05), self.trust_start
        for other, trust in self.trust.items():
            observed = False
            for service in mine:
                if model.are_partners(self, other, service.area):
                    there = other.services[service.area.number]
                    if there.seen:
                        observed = True
                        trust += gain * (1 - trust) if there.kept else -loss * trust
            if not observed:
                trust += drift * (starts[other] - trust)
            self.trust[other] = trust


# The model ----------------------------------------------------------------------------------------


class ByHand(mesa.Model):
    """Regional governments that decide, area by area, whether to share services and with whom."""

    def __init__(self, world: World, seed: int | None = None, rng: int | None = None) -> None:
        super().__init__(**({"seed": seed} if rng is None else {"rng": rng}))
        self.world, self.p, self.areas = world, world.p, world.areas
        self.quarter = 0
        self.mean_forum = mean(area.forum for area in self.areas)
        self.has_forum = "forum" in world.levers
        self.regions = [Region(self, row, place) for row, place in enumerate(world.places)]
        self.culture: dict[tuple[int, int], float] = {}
        self.interests: dict[tuple[int, int], float] = {}
        wishes = len(self.areas)
        self.usual = 2 * (1 - 1 / wishes) / (2 * wishes + 1)
        self.together: dict[tuple[int, int], set[int]] = {}
        self.draw_traits()
        for one in self.regions:
            for row in one.near:
                other = self.regions[row]
                apart = self.culture_apart(one, other) - 1
                noise = 0.08 * self.normal("trust", one, other, 0)
                start = self.p["trust_start"] - self.p["trust_culture"] * apart + noise
                one.trust[other] = one.trust_start[other] = clip(start)
        for one in self.regions:
            for service in one.services:
                service.quality = service.capacity
        self.datacollector = mesa.DataCollector(
            model_reporters={name: name for name in MEASURES} | {"bodies": "bodies_number"}
        )

    # Random numbers: of Mesa's generator. All arguments but the kind serve subclasses that draw by
    # address, as the ensemble does.
    def chance(self, _kind: str, _one: Region, _other: Region, _area: int) -> float:
        return self.random.random()

    def normal(self, _kind: str, _one: Region, _other: Region, _area: int) -> float:
        return self.random.gauss(0, 1)

    def draw_traits(self) -> None:
        """What regions are."""
        p, draw = self.p, self.random
        shared: dict[str, list[float]] = {}
        for one in self.regions:
            one.goodwill = self.beta(p["goodwill_mean"], 8)
            one.autonomy = self.beta(p["autonomy_mean"], 6)
            one.stress = self.beta(p["stress_mean"], 4)
            tier = shared.setdefault(one.tier, [draw.gauss(0, 1) for _ in range(3)])
            self.set_traits(
                one, tier, [draw.gauss(0, 1) for _ in range(3)],
                [draw.gammavariate(p["interest_concentration"], 1) for _ in self.areas],
            )  # fmt: skip

    def beta(self, centre: float, concentration: float) -> float:
        return self.random.betavariate(centre * concentration, (1 - centre) * concentration)

    def set_traits(
        self, one: Region, tier: Sequence[float], own: Sequence[float], wishes: Sequence[float]
    ) -> None:
        p = self.p
        between, within = math.sqrt(p["culture_between"]), math.sqrt(1 - p["culture_between"])
        one.culture = [
            p["culture_spread"] * (between * t + within * o)
            for t, o in zip(tier, own, strict=True)
        ]  # fmt: skip
        size = 0.6 + 0.04 * math.log(one.people / 26_000)
        for service, wish in zip(one.services, wishes, strict=True):
            a = service.area.number
            service.interest = wish / sum(wishes)
            deviation = self.normal("capacity", one, one, a)
            service.capacity = clip(size + p["capacity_spread"] * deviation)
            service.practice = self.normal("practice", one, one, a)

    # Who is what to whom
    def culture_apart(self, one: Region, other: Region) -> float:
        pair = (one.row, other.row) if one.row < other.row else (other.row, one.row)
        if pair not in self.culture:
            both = zip(one.culture, other.culture, strict=True)
            self.culture[pair] = sum((x - y) ** 2 for x, y in both) / 6
        return self.culture[pair]

    def interests_apart(self, one: Region, other: Region) -> float:
        pair = (one.row, other.row) if one.row < other.row else (other.row, one.row)
        if pair not in self.interests:
            both = zip(one.services, other.services, strict=True)
            apart = sum((x.interest - y.interest) ** 2 for x, y in both)
            self.interests[pair] = apart / self.usual
        return self.interests[pair]

    def meet(self, one: Region, other: Region) -> bool:
        if not self.has_forum:
            return False
        return not self.world.forum_of_tiers or one.tier == other.tier

    def are_partners(self, one: Region, other: Region, area: Area) -> bool:
        body = one.services[area.number].body
        if body is None or other.services[area.number].body is not body or one is other:
            return False
        return body.provider is None or body.provider in (one, other)

    def partners_elsewhere(self, one: Region, other: Region, area: Area) -> bool:
        """Whether two regions were partners in another area when the quarter began."""
        pair = (one.row, other.row) if one.row < other.row else (other.row, one.row)
        shared = self.together.get(pair)
        return shared is not None and len(shared) > (area.number in shared)

    def may_unite(self, one: Region, other: Region, area: Area) -> bool:
        here, there = one.services[area.number], other.services[area.number]
        if here.body is not None and here.body is there.body:
            return False
        if len(here.party) + len(there.party) > self.world.cap:
            return False
        for own, region, else_ in ((here.body, one, there.body), (there.body, other, here.body)):
            is_contract = own is not None and own.form == "contract"
            if is_contract and (region is not own.provider or else_ is not None):
                return False
        return True

    def bodies(self) -> list[Body]:
        found = {id(s.body): s.body for one in self.regions for s in one.services if s.body}
        return list(found.values())

    # One quarter
    def step(self) -> None:
        """The five steps of building collaboration."""
        self.opened = self.refused = self.agreements = self.deciding = self.ended = 0
        bodies = self.bodies()
        self.before = sum(len(body.members) for body in bodies)
        self.together = {}
        for body in bodies:
            for one, other in body.ties:
                pair = (one.row, other.row) if one.row < other.row else (other.row, one.row)
                self.together.setdefault(pair, set()).add(body.area.number)
        for body in bodies:
            body.tally(self.quarter)
        for one in self.regions:
            for service in one.services:
                service.startup = 0.0
        self.agents.do("identify")
        if self.world.levers.keys() & {"forum", "team"}:
            self.agents.do("communicate")
            for body in bodies:
                body.tally(self.quarter)
        self.agents.do("plan")
        self.form_agreements()
        self.agents.do("coordinate")
        self.produce()
        self.agents.do("evaluate")
        self.record()
        self.datacollector.collect(self)
        self.quarter += 1
        self.running = self.quarter < self.world.horizon

    def form_agreements(self) -> None:
        concluding = []
        for one in self.regions:
            for service in one.services:
                if service.leaves and service.body is not None:
                    self.leave(service)
                service.leaves = False
                if service.order is not None:
                    concluding.append((service.order, one.row, service.area.number, service))
                    service.order = None
        for *_order, service in sorted(concluding):
            self.conclude(service)

    def leave(self, service: Service) -> None:
        body = service.body
        assert body is not None
        body.members.remove(service.region)
        ends = len(body.members) == 1 or body.provider is service.region
        gone = [service.region, *(body.members if ends else ())]
        for one in gone:
            own = one.services[body.area.number]
            own.body, own.judged, own.expected = None, 0.0, 0.0
        self.ended += len(gone)
        if not ends:
            body.tally(self.quarter)

    def conclude(self, service: Service) -> None:
        """Both parties vote; what both want is done."""
        opener, other, area = service.region, service.talk, service.area
        service.talk = None
        assert other is not None
        if not self.may_unite(opener, other, area):
            return
        union = Union(self, opener, other, area, self.quarter, area.planning)
        changes, seen = union.changes(), {}
        yes, people = [0.0, 0.0], [0.0, 0.0]
        for one in union.body.members:
            own, side, wrong = one.services[area.number], one not in union.first, 0.0
            if one is opener or own.body is None:
                contact = opener if side else other
                wrong = one.error(contact, area, area.planning)
            seen[one] = union.body.benefit(one, one.omega(union.body.members)) + wrong
            if not own.buys:
                people[side] += one.people
                if union.with_goodwill(one, changes) + wrong > 0:
                    yes[side] += one.people
        if any(votes < 0.75 * all_ for votes, all_ in zip(yes, people, strict=True)):
            self.refused += 1
            return
        self.agreements += 1
        self.deciding += self.quarter - service.opened
        host = union.host
        if host is None:
            host = Body(self, area, [], union.body.form, union.body.provider, self.quarter)
        new = {one for one in union.body.members if one.services[area.number].body is None}
        for one in union.body.members:
            own = one.services[area.number]
            if own.body is not host:
                own.body, own.entered = host, self.quarter
        host.members = sorted(union.body.members, key=lambda one: one.row)
        host.tally(self.quarter)
        for one in union.body.members:
            own = one.services[area.number]
            if union.enters[one not in union.first]:
                own.startup += self.p["startup_cost"] * (1 + one.stress) * host.price * one.people
            own.expected = seen[one]
            if one in new:
                before = sum(s.money for s in one.services if s.body and s is not own)
                one.aspiration = (one.aspiration * before + seen[one] * own.money) / (
                    before + own.money
                )

    def produce(self) -> None:
        """All bodies produce, and members pay for the mechanisms."""
        p = self.p
        for one in self.regions:
            for service in one.services:
                service.entry = -4 * service.startup / (one.people * service.alone)
        self.matters = []
        for body in self.bodies():
            members, a = body.members, body.area.number
            short = sum(m.people for m in members if not m.services[a].kept) / body.people
            body.look(body.transition(self.quarter), short)
            self.matters.append(3 / body.decision_rate(body.trust, body.again))
            back = {
                m: 0.0 if m.services[a].kept or m.services[a].seen else 0.1 * body.price * m.people
                for m in members
            }
            missing = sum(back.values()) / body.people
            for one in members:
                service = one.services[a]
                service.due = body.price * one.people
                shifted = (missing * one.people - back[one]) / (one.people * service.alone)
                omega = one.omega(members)
                service.cost = (body.price - body.area.spillover * omega) / service.alone + shifted
                service.quality = body.quality
                service.realised = body.benefit(one, omega) - shifted
                service.load, service.body_trust = body.load, body.trust
        self.spent = 0.0
        levers = self.world.levers
        for one in self.regions:
            for service in one.services:
                price = 0.0
                if "forum" in levers:
                    price += levers["forum"] * 0.25 * p["lever_price"]
                if service.body is not None:
                    price += p["lever_price"] * sum(
                        levers.get(name, 0.0)
                        for name in ("planning", "team", "information", "monitoring")
                    )
                charge = price * service.due * service.area.price
                service.programme = charge / service.money
                self.spent += charge / 4

    def record(self) -> None:
        """Outcomes of the quarter."""
        services = [service for one in self.regions for service in one.services]
        joint = [service for service in services if service.body is not None]
        bodies, quarter = self.bodies(), self.quarter
        total = sum(s.money for s in services) / 4
        people = sum(s.region.people for s in services)
        self.saving = sum(s.money / 4 * (1 - s.cost + s.entry) for s in services)
        net = sum(s.money / 4 * (s.realised + s.entry) for s in services)
        self.programme_cost, self.net_saving = self.spent, self.saving - self.spent
        self.cooperation = len(joint) / len(services)
        self.efficiency, self.net_efficiency = self.saving / total, self.net_saving / total
        self.quality = sum(s.region.people * s.quality for s in services) / people
        self.quality_change = (
            sum(s.region.people * (s.quality - s.capacity) for s in services) / people
        )
        self.perceived_benefit = sum(s.money / 4 * s.expected for s in joint) / total
        self.realised_benefit = (net - self.spent) / total
        self.decision_time = self.deciding / self.agreements if self.agreements else math.nan
        self.matter_time = mean(self.matters)
        self.trust = mean(trust for one in self.regions for trust in one.trust.values())
        ties = [len(body.ties) for body in bodies]
        self.trust_in_bodies = math.nan
        if bodies:
            trusts = (body.trust * number for body, number in zip(bodies, ties, strict=True))
            self.trust_in_bodies = sum(trusts) / sum(ties)
        self.shortfall = mean(not s.kept for s in joint)
        self.commitment = mean(one.commitment for one in self.regions)
        self.worse_off = mean(
            sum(s.money * (s.realised + s.entry - s.programme) for s in one.services) / 4
            < -ROUNDING
            for one in self.regions
        )
        self.exit_rate = 4 * self.ended / self.before if self.before else math.nan
        self.membership_age = mean((quarter - s.entered) / 4 for s in joint)
        self.body_age = mean((quarter - body.began) / 4 for body in bodies)
        self.bodies_number = len(bodies)
        self.contracts = mean(s.body.form == "contract" for s in joint)
        self.body_size = mean(len(body.members) for body in bodies)
        self.largest_body = max((len(body.members) for body in bodies), default=0)
