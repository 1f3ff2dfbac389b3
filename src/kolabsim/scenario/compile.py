"""From a scenario, a strategy and a future to the arrays that the engine reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.model.agreements import LISTED
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.bodies import EARTH
from kolabsim.model.decision_rules import BUILT_IN, rule_record
from kolabsim.model.declare import RULES, DecisionRule, Declared, factors
from kolabsim.model.initialisation import BODY_MEMBERS, place_contacts
from kolabsim.model.levers import (
    BASES,
    CAP,
    CONSENTS,
    CUSTOM_TARGETS,
    FORMS,
    LEVERS,
    PAYERS,
    SHARES,
    SUPPORTERS,
    TARGETS,
    TERMS,
    TRUSTS,
    UNIT_COSTS,
)
from kolabsim.model.parameters import parameter_record
from kolabsim.model.rng import region_ids
from kolabsim.model.state import (
    AREA,
    CONTACT,
    MOMENT,
    NOBODY,
    REGION,
    SHOCK,
    Policy,
    World,
    empty_records,
)
from kolabsim.scenario.strategy import AT_ONCE

if TYPE_CHECKING:
    from kolabsim.scenario.regions import Regions
    from kolabsim.scenario.scenario import Phase, Scenario, Strategy
    from kolabsim.scenario.strategy import Change

NEVER = 2**31 - 1
"""A quarter that no run reaches."""


def build_world(scenario: Scenario, parameters: np.record) -> World:
    """The part of the engine's input that no strategy changes; ``parameters`` is one future."""
    regions, areas = scenario.regions, list(scenario.areas)
    place, contact = build_contacts(scenario, parameters)
    period, population, stress_change, demand = build_changes(scenario)
    shock, shocked = build_shocks(scenario)
    return World(
        region=place,
        contact=contact,
        area=_area_records(scenario),
        setting=_setting(scenario),
        capacity=np.ascontiguousarray(regions.capacity, np.float64),
        stress=np.ascontiguousarray(regions.stress, np.float64),
        culture=np.ascontiguousarray(regions.culture, np.float64),
        interest=np.ascontiguousarray(regions.interests, np.float64),
        body=_existing_bodies(scenario, areas),
        period=period,
        population=population,
        stress_change=stress_change,
        demand=demand,
        shock=shock,
        shocked=shocked,
    )


def _area_records(scenario: Scenario) -> np.ndarray:
    records = empty_records(len(scenario.areas), AREA)
    for a, area in enumerate(scenario.areas.values()):
        for name in AREA_ATTRIBUTES:
            records[name][a] = getattr(area, name)
    for term in TERMS:  # nothing acts on any term yet
        records[f"{term}_times"] = 1.0
    return records


def _setting(scenario: Scenario) -> np.ndarray:
    setting = empty_records(1, MOMENT)
    setting["form"] = FORMS.index(scenario.form)
    setting["shares"] = SHARES.index(scenario.shares)
    setting["consent"] = CONSENTS.index(scenario.consent)
    setting["unit_cost"] = UNIT_COSTS.index(scenario.unit_cost)
    setting["trust"] = TRUSTS.index(scenario.trust)
    known = scenario.decision in BUILT_IN
    setting["decision"] = BUILT_IN.index(scenario.decision) if known else NOBODY
    setting["cap"] = scenario.cap
    setting["horizon"] = scenario.horizon
    setting["median_population"] = np.median(scenario.regions.population)
    return setting


# Contacts ---------------------------------------------------------------------------------------


def on_sphere(regions: Regions) -> np.ndarray:
    """Places on the unit sphere, [R, 3]; the same point for all where there are no places."""
    north, east = np.radians(regions.latitude), np.radians(regions.longitude)
    places = np.column_stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)]
    )
    return np.where(np.isfinite(places), places, np.array([1.0, 0.0, 0.0]))


def great_circle(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Distance in km along the earth's surface between places on the unit sphere."""
    chord = np.sqrt(((one - other) ** 2).sum(axis=-1))
    return 2.0 * EARTH * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0))


def nearest_pairs(places: np.ndarray, nearest: int) -> np.ndarray:
    """Pairs (i, j) in which j is among the nearest regions of i, [pairs, 2]."""
    number = min(nearest, len(places) - 1)
    if number < 1:
        return np.empty((0, 2), np.int64)
    from scipy.spatial import cKDTree

    # One more than asked for, because each region is its own nearest; where places coincide,
    # itself may be missing among them, and one too many is dropped.
    found = cKDTree(places).query(places, number + 1)[1].reshape(len(places), number + 1)
    own = np.arange(len(places))
    pairs = [
        (own[rows], found[rows, k]) for k in range(number + 1) if (rows := found[:, k] != own).any()
    ]
    pairs = np.column_stack([np.concatenate(part) for part in zip(*pairs, strict=True)])
    order = np.argsort(pairs[:, 0], kind="stable")
    pairs = pairs[order]
    starts = np.searchsorted(pairs[:, 0], own)
    rank = np.arange(len(pairs)) - starts[pairs[:, 0]]
    return pairs[rank < number]


def border_pairs(places: np.ndarray) -> np.ndarray:
    """Pairs (i, j), i < j, between which no other region lies, [pairs, 2].

    No other place is in the circle that has the two at its ends (a Gabriel graph): a stand-in for
    land borders where only places are known. Its pairs are among those of a triangulation, which
    is laid through the plane that touches the earth amid the regions.
    """
    from scipy.spatial import Delaunay, QhullError, cKDTree

    middle = places.mean(axis=0)
    axes = np.linalg.svd(places - middle, full_matrices=False)[2][:2]
    flat = (places - middle) @ axes.T
    if len(flat) < 4:
        pairs = np.array([(i, j) for j in range(len(flat)) for i in range(j)], np.int64)
    else:
        try:
            corners = Delaunay(flat).simplices
            pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
        except QhullError:  # all on one line
            order = np.lexsort((flat[:, 1], flat[:, 0]))
            pairs = np.column_stack([order[:-1], order[1:]])
    pairs = np.unique(np.sort(pairs.reshape(-1, 2), axis=1), axis=0)
    ends = flat[pairs]
    half = np.sqrt(((ends[:, 0] - ends[:, 1]) ** 2).sum(axis=1)) / 2.0
    closest = cKDTree(flat).query(ends.mean(axis=1))[0]
    return pairs[closest >= half * (1.0 - 1e-9)]


def build_contacts(scenario: Scenario, parameters: np.record) -> tuple[np.ndarray, np.ndarray]:
    """Regions with their places, and their contacts: those listed and the nearest, symmetric.

    In CSR form: the contacts of region i are rows ``first`` to ``end``, sorted by target.
    """
    place, contact, distance = contact_arrays(scenario)
    place_contacts(place, contact, distance, parameters)
    return place, contact


def contact_arrays(scenario: Scenario) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regions, their contacts, and how far each contact is (km): what no parameter changes."""
    regions = scenario.regions
    number, places = len(regions), on_sphere(regions)
    row = {code: i for i, code in enumerate(regions.codes)}
    listed = scenario.contacts.list
    pairs = np.array([(row[c.code_a], row[c.code_b]) for c in listed], np.int64).reshape(-1, 2)
    land = np.array([c.land for c in listed], np.float64)
    given = np.array([c.distance_km or math.nan for c in listed], np.float64)
    if scenario.contacts.borders == "places":
        borders = border_pairs(places)
        pairs = np.concatenate([pairs, borders])
        land = np.concatenate([land, np.ones(len(borders))])
        given = np.concatenate([given, np.full(len(borders), math.nan)])
    close = (
        nearest_pairs(places, scenario.contacts.nearest)
        if regions.placed
        else np.empty((0, 2), np.int64)
    )
    # Listed pairs come first, so that of two entries for a pair the one with facts is kept.
    both = np.concatenate([pairs, pairs[:, ::-1], close, close[:, ::-1]])
    none, unknown = np.zeros(2 * len(close)), np.full(2 * len(close), math.nan)
    land = np.concatenate([land, land, none])
    given = np.concatenate([given, given, unknown])
    keys, kept = np.unique(both[:, 0] * number + both[:, 1], return_index=True)
    source, target = keys // number, keys % number
    land, given = land[kept], given[kept]
    distance = np.where(np.isfinite(given), given, great_circle(places[source], places[target]))
    distance = np.maximum(distance, 1.0)

    place = empty_records(number, REGION)
    place["id"] = region_ids(regions.codes)
    tiers = {tier: k for k, tier in enumerate(sorted(set(regions.tier)))}
    place["tier"] = [tiers[tier] for tier in regions.tier]
    place["first"] = np.searchsorted(source, np.arange(number), "left")
    place["end"] = np.searchsorted(source, np.arange(number), "right")
    place["rank"][np.argsort(regions.population, kind="stable")] = np.arange(number)
    place["x"], place["y"], place["z"] = places.T

    contact = empty_records(len(keys), CONTACT)
    contact["target"], contact["land"] = target, land
    contact["reverse"] = np.lexsort((source, target))
    pull = land * regions.population[target] / distance**2
    total = np.bincount(source, pull, number)
    contact["spill"] = np.divide(pull, total[source], out=np.zeros_like(pull), where=pull > 0.0)
    return place, contact, distance


def regions_without_contacts(scenario: Scenario) -> tuple[list[str], list[str]]:
    """Codes of the regions without any contact, and of those without a land neighbour."""
    place, contact = build_contacts(scenario, model_parameters(scenario.parameters))
    lone = [c for c, p in zip(scenario.regions.codes, place, strict=True) if p.first == p.end]
    bounds = zip(scenario.regions.codes, place["first"], place["end"], strict=True)
    islands = [c for c, first, end in bounds if not contact["land"][first:end].any()]
    return lone, islands


# What befalls regions ---------------------------------------------------------------------------


def build_changes(scenario: Scenario) -> tuple[np.ndarray, ...]:
    """Population, change of stress, and demand by period, and the period of each quarter."""
    regions, horizon = scenario.regions, scenario.horizon
    number, areas = len(regions), list(scenario.areas)
    lasting = [change for change in scenario.changes if change.what not in AT_ONCE]
    spans = [(c, c.from_, horizon if c.until is None else c.until) for c in lasting]
    moving = [(first, end) for c, first, end in spans if c.growth]
    edges = {0} | {q for _change, first, end in spans for q in (first, end) if q < horizon}
    for first, end in moving:
        edges |= set(range(first, min(end, horizon)))
    starts = np.array(sorted(edges))
    period = (np.searchsorted(starts, np.arange(horizon), "right") - 1).astype(np.int64)
    population = np.tile(np.asarray(regions.population, np.float64), (len(starts), 1))
    stress = np.zeros((len(starts), number))
    demand = np.ones((len(starts), number, len(areas)))
    for change, first, end in spans:
        who = _befallen(scenario, change)
        which = [change.areas == "all" or name in change.areas for name in areas]
        for k, quarter in enumerate(starts):
            if quarter < first or (quarter >= end and not change.growth):
                continue
            factor = change.factor if change.factor is not None else 1.0
            if change.growth:
                # Growth stays when it stops: what has grown does not shrink back.
                factor *= (1.0 + change.growth) ** ((min(quarter, end) - first) / 4.0)
            if change.what == "population":
                population[k, who] *= factor
            elif change.what == "stress":
                stress[k, who] += change.add or 0.0
            else:
                demand[k][np.ix_(who, which)] *= factor
    return period, population, stress, demand


def build_shocks(scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """What happens at once, in the order of the list, and to which regions: [K] and [K, R]."""
    changes = [change for change in scenario.changes if change.what in AT_ONCE]
    shock = empty_records(len(changes), SHOCK)
    shocked = np.zeros((len(changes), len(scenario.regions)), np.int64)
    for k, change in enumerate(changes):
        factor = 1.0 if change.factor is None else change.factor
        until = change.until if change.every else change.from_ + 1
        shock[k] = (change.from_, until, change.every or 1, factor, change.reset or 0.0)
        shocked[k] = _befallen(scenario, change)
    return shock, shocked


def _befallen(scenario: Scenario, change: Change) -> np.ndarray:
    """Whether a change befalls each region [R]."""
    if change.regions == "all":
        return np.ones(len(scenario.regions), bool)
    return np.isin(np.array(scenario.regions.codes), list(change.regions))


def _existing_bodies(scenario: Scenario, areas: Sequence[str]) -> np.ndarray:
    row = {code: i for i, code in enumerate(scenario.regions.codes)}
    bodies = np.full((len(scenario.bodies), BODY_MEMBERS + CAP), NOBODY, np.int64)
    for k, body in enumerate(scenario.bodies):
        bodies[k, :BODY_MEMBERS] = (
            areas.index(body.area),
            FORMS.index(body.form or scenario.form),
            body.began,
            NEVER if body.mandated else 0,
        )
        bodies[k, BODY_MEMBERS : BODY_MEMBERS + len(body.members)] = sorted(
            row[code] for code in body.members
        )
    return bodies


# Strategies -------------------------------------------------------------------------------------


def build_policy(scenario: Scenario, strategy: Strategy) -> Policy:
    """A strategy, with what is in force in the scenario anyway, as the engine reads it.

    Where phases of a lever overlap, the later one in the list wins; the strategy's come after the
    scenario's own.
    """
    regions, horizon, areas = scenario.regions, scenario.horizon, list(scenario.areas)
    declared = scenario.declared
    phases: dict[str, tuple[Phase, ...]] = {
        name: tuple(
            part
            for source in (scenario, strategy)
            for part in (source.mechanisms | source.support).get(name, ())
        )
        for name in (*LEVERS, *declared.mechanisms)
    }
    edges = {0}
    for parts in phases.values():
        for part in parts:
            edges |= {q for q in (part.from_, part.until) if q is not None and q < horizon}
    starts = np.array(sorted(edges))
    period = (np.searchsorted(starts, np.arange(horizon), "right") - 1).astype(np.int64)
    lever = np.zeros((len(starts), len(areas), len(phases)))
    budget = np.full((len(starts), len(SUPPORTERS)), math.inf)
    levers = [*LEVERS.values(), *(own.lever for own in declared.mechanisms.values())]
    usual = [PAYERS.index(entry.payer) for entry in levers]
    payer = np.tile(np.array(usual, np.int64), (len(starts), 1))
    target = np.zeros((len(starts), len(SUPPORTERS)), np.int64)
    part_of = np.ones((len(starts), len(SUPPORTERS)))
    listed = np.zeros((len(starts), len(SUPPORTERS), len(regions)), np.int64)
    forum = np.full((len(starts), len(regions)), NOBODY, np.int64)
    row = {code: i for i, code in enumerate(regions.codes)}
    for position, (name, parts) in enumerate(phases.items()):
        supporter = list(SUPPORTERS).index(name) if name in SUPPORTERS else None
        for part in parts:
            until = horizon if part.until is None else part.until
            on = (starts >= part.from_) & (starts < until)
            which = [part.areas == "all" or area in part.areas for area in areas]
            lever[np.ix_(on, which, [position])] = part.intensity
            if part.paid_by:
                payer[on, position] = PAYERS.index(part.paid_by)
            if name == "forum":
                forum[on] = _forums(scenario, part)
            if supporter is None:
                continue
            budget[on, supporter] = math.inf if part.budget is None else part.budget / 4.0
            is_word = isinstance(part.targets, str)
            target[on, supporter] = target_number(part.targets, declared)
            named = () if is_word else part.targets
            listed[on, supporter] = np.isin(np.arange(len(regions)), [row[c] for c in named])
            part_of[on, supporter] = part.share
    own = lever[..., len(LEVERS) :]
    effect, rate = custom_effects(declared, own, scenario.parameters)
    return Policy(
        period=period, lever=lever[..., : len(LEVERS)].copy(), budget=budget, target=target,
        part=part_of, listed=listed, payer=payer[:, : len(LEVERS)].copy(), forum=forum,
        effect=effect, rate=rate,
        base=np.array([BASES.index(m.lever.base) for m in declared.mechanisms.values()], np.int64),
        bearer=payer[:, len(LEVERS) :].copy(),
        mandate=_mandates(scenario, (*scenario.mandates, *strategy.mandates), areas),
    )  # fmt: skip


def target_number(targets: str | tuple[str, ...], declared: Declared) -> int:
    """The position of whom a supporter helps, as the engine knows it."""
    word = targets if isinstance(targets, str) else "list"
    if word in TARGETS:
        return TARGETS.index(word)
    return CUSTOM_TARGETS + list(declared.targets).index(word)


def custom_effects(
    declared: Declared, intensity: np.ndarray, settings: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """What mechanisms of one's own make of each term, and their rates, by phase and area.

    From intensities [P, A, U]; factors and additions are [P, A, 13, 2], rates [P, A, U] (E14).
    """
    effect = np.zeros((*intensity.shape[:2], len(TERMS), 2))
    effect[..., 0] = 1.0
    rate, terms = np.zeros(intensity.shape), list(TERMS)
    for u, mechanism in enumerate(declared.mechanisms.values()):
        p = mechanism.settle(settings_of(mechanism.name, settings))
        for (phase, a), value in np.ndenumerate(intensity[..., u]):
            rate[phase, a, u] = p.price * value
            for term in mechanism.effects if value > 0.0 else ():
                times, plus = factors(mechanism, term, float(value), p)
                now = effect[phase, a, terms.index(term)]
                now[:] = times * now[0], times * now[1] + plus
    return effect, rate


def _forums(scenario: Scenario, part: Phase) -> np.ndarray:
    """The number of each region's forum in a phase, -1 for none [R]."""
    regions = scenario.regions
    forum = np.full(len(regions), NOBODY, np.int64)
    if part.members == "all":
        forum[:] = 0
        return forum
    row = {code: i for i, code in enumerate(regions.codes)}
    groups = regions.tiers().values() if part.members == "tiers" else part.members
    for k, group in enumerate(groups):
        forum[[row[code] for code in group]] = k
    return forum


def split_tier(places: np.ndarray, rows: Sequence[int], most: int) -> list[list[int]]:
    """Groups of at most ``most`` regions that lie together: halved along the longer side."""
    if len(rows) <= most:
        return [sorted(rows)]
    points = places[rows]
    axis = int(np.argmax(np.ptp(points, axis=0)))
    order = [rows[k] for k in np.argsort(points[:, axis], kind="stable")]
    half = len(order) // 2
    return split_tier(places, order[:half], most) + split_tier(places, order[half:], most)


def _mandates(scenario: Scenario, mandates: Iterable[object], areas: Sequence[str]) -> np.ndarray:
    row = {code: i for i, code in enumerate(scenario.regions.codes)}
    places, found = on_sphere(scenario.regions), []
    for mandate in mandates:
        if mandate.groups == "tiers":
            groups = [
                group
                for codes in scenario.regions.tiers().values()
                for group in split_tier(places, [row[code] for code in codes], mandate.size)
                if len(group) > 1
            ]
        else:
            groups = [sorted(row[code] for code in group) for group in mandate.groups]
        until = scenario.horizon if mandate.until is None else mandate.until
        for a, area in enumerate(areas):
            if mandate.areas == "all" or area in mandate.areas:
                for group in groups:
                    free = [NOBODY] * (CAP - len(group))
                    found.append([a, mandate.from_, until, *group, *free])
    return np.array(found, np.int64).reshape(-1, LISTED + CAP)


# Rules ------------------------------------------------------------------------------------------


def settings_of(name: str, settings: Mapping[str, float]) -> dict[str, float]:
    """What is set of the parameters of a rule or mechanism, by their own names."""
    prefix = f"{name}."
    return {
        key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)
    }


def build_rule(scenario: Scenario) -> tuple[DecisionRule | None, np.record]:
    """A user's rule (None for a built-in one) and the record of its parameters.

    All built-in rules share one record type, so that the kernel that is kept on disk serves them.
    """
    settings = settings_of(scenario.decision, scenario.parameters)
    if scenario.decision in BUILT_IN:
        RULES[scenario.decision].settle(settings)
        return None, rule_record(RULES[scenario.decision], settings)
    rule = scenario.declared.rules[scenario.decision]
    return rule, rule.settle(settings)


def model_parameters(settings: Mapping[str, float]) -> np.record:
    """One setting of the model's parameters; a rule's own, whose names have a dot, are left out."""
    return parameter_record({name: v for name, v in settings.items() if "." not in name})
