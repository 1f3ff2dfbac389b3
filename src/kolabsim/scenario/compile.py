"""Compiling a scenario, a strategy and a future into the arrays that the engine reads.

Shapes: R regions, A areas, P periods without change, K shocks, U user-defined mechanisms.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.model import levers, state
from kolabsim.model.agreements import LISTED
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.decision_rules import BUILT_IN, rule_record
from kolabsim.model.declare import RULES, DecisionRule, Declared, factors
from kolabsim.model.initialisation import BODY_MEMBERS, place_contacts
from kolabsim.model.parameters import QUARTERS, parameter_record
from kolabsim.model.rng import region_ids
from kolabsim.model.state import NOBODY, Policy, World, empty_records
from kolabsim.scenario.geometry import border_pairs, great_circle, nearest_pairs, on_sphere
from kolabsim.scenario.strategy import (
    AT_ONCE,
    ForumPhase,
    Levers,
    Lists,
    Mandate,
    Strategy,
    SupportPhase,
)

if TYPE_CHECKING:
    from kolabsim.scenario.contacts import Contacts
    from kolabsim.scenario.regions import Regions
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.scenario.strategy import Change, Phase

NEVER = 2**31 - 1
"""A quarter after the end of every run."""


def build_world(scenario: Scenario) -> World:
    """Return the engine's input that neither a strategy nor a parameter changes."""
    regions, areas = scenario.regions, list(scenario.areas)
    place, contact = build_contacts(scenario)
    period, population, stress_change, demand = build_changes(scenario)
    shock, shocked = build_shocks(scenario)
    # Copies, because numba would compile the model once more for arrays that are read-only.
    return World(
        region=place,
        contact=contact,
        area=build_areas(scenario),
        setting=build_setting(scenario),
        capacity=np.array(regions.capacity, np.float64, order="C"),
        stress=np.array(regions.stress, np.float64, order="C"),
        culture=np.array(regions.culture, np.float64, order="C"),
        goodwill=np.array(regions.goodwill, np.float64),
        autonomy=np.array(regions.autonomy, np.float64),
        interest=np.array(regions.interests, np.float64, order="C"),
        body=_existing_bodies(scenario, areas),
        period=period,
        population=population,
        stress_change=stress_change,
        demand=demand,
        shock=shock,
        shocked=shocked,
        leaving=build_leaving(scenario),
    )


def build_areas(scenario: Scenario) -> np.ndarray:
    """Return the records of the service areas [A]."""
    records = empty_records(len(scenario.areas), state.AREA)
    for name in AREA_ATTRIBUTES:
        records[name] = [getattr(area, name) for area in scenario.areas.values()]
    for record, name in zip(records, scenario.areas, strict=True):
        record.form = levers.FORM_SETTINGS.index(scenario.areas[name].form or scenario.form)
    return records


def build_setting(scenario: Scenario) -> np.ndarray:
    """Return the record of the structures and the time of the model [1]."""
    setting = empty_records(1, state.MOMENT)
    for name, words in (
        ("shares", levers.SHARES), ("consent", levers.CONSENTS),
        ("unit_cost", levers.UNIT_COSTS), ("trust", levers.TRUSTS),
    ):  # fmt: skip
        setting[name] = words.index(getattr(scenario, name))
    known = scenario.decision in BUILT_IN
    setting["decision"] = BUILT_IN.index(scenario.decision) if known else NOBODY
    setting["cap"], setting["horizon"] = scenario.cap, scenario.horizon
    setting["discount"] = scenario.discount
    return setting


# Contacts ---------------------------------------------------------------------------------------


def build_contacts(scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """Return the records of regions [R] and of their contacts.

    Contacts are symmetric: those listed, those within a tier (or of all regions), and the nearest
    regions. In CSR form, the contacts of region i are rows ``first`` to ``end``, sorted by target.
    """
    place, contact = _placed(scenario.regions, scenario.contacts)
    return place.copy(), contact.copy()


@lru_cache(maxsize=2)  # the futures of a study share them
def _placed(regions: Regions, contacts: Contacts) -> tuple[np.ndarray, np.ndarray]:
    place, contact, distance = _list_contacts(regions, contacts)
    place_contacts(place, contact, distance)
    return place, contact


def contact_arrays(scenario: Scenario) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the records of regions and contacts, and the distance of each contact in km.

    They do not depend on any parameter.
    """
    return _list_contacts(scenario.regions, scenario.contacts)


def _list_contacts(
    regions: Regions, contacts: Contacts
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    number, places = len(regions), on_sphere(regions)
    row = {code: i for i, code in enumerate(regions.codes)}
    listed = contacts.list
    pairs = np.array([(row[c.code_a], row[c.code_b]) for c in listed], np.int64).reshape(-1, 2)
    land = np.array([c.land for c in listed], np.float64)
    given = np.array([c.distance_km or math.nan for c in listed], np.float64)
    if contacts.borders == "places":
        borders = border_pairs(places)
        pairs = np.concatenate([pairs, borders])
        land = np.concatenate([land, np.ones(len(borders))])
        given = np.concatenate([given, np.full(len(borders), math.nan)])
    close = _acquainted(regions, contacts.within)
    if regions.placed:
        close = np.concatenate([close, nearest_pairs(places, contacts.nearest)])
    # Listed pairs come first, because np.unique keeps the first entry of a pair.
    both = np.concatenate([pairs, pairs[:, ::-1], close, close[:, ::-1]])
    none, unknown = np.zeros(2 * len(close)), np.full(2 * len(close), math.nan)
    land = np.concatenate([land, land, none])
    given = np.concatenate([given, given, unknown])
    keys, kept = np.unique(both[:, 0] * number + both[:, 1], return_index=True)
    source, target = keys // number, keys % number
    land, given = land[kept], given[kept]
    distance = np.where(np.isfinite(given), given, great_circle(places[source], places[target]))
    distance = np.maximum(distance, 1.0)

    place = empty_records(number, state.REGION)
    place["id"] = region_ids(regions.codes)
    tiers = {tier: k for k, tier in enumerate(sorted(set(regions.tier)))}
    place["tier"] = [tiers[tier] for tier in regions.tier]
    # A region without a higher tier shares the culture of none.
    numbers = dict(zip(tiers, region_ids(list(tiers)), strict=True))
    place["tier_id"] = [
        numbers[tier] if tier else own for tier, own in zip(regions.tier, place["id"], strict=True)
    ]
    place["first"] = np.searchsorted(source, np.arange(number), "left")
    place["end"] = np.searchsorted(source, np.arange(number), "right")
    place["rank"][np.argsort(regions.population, kind="stable")] = np.arange(number)
    place["x"], place["y"], place["z"] = places.T

    contact = empty_records(len(keys), state.CONTACT)
    contact["target"], contact["land"] = target, land
    contact["reverse"] = np.lexsort((source, target))
    pull = land * regions.population[target] / distance**2
    total = np.bincount(source, pull, number)
    contact["spill"] = np.divide(pull, total[source], out=np.zeros_like(pull), where=pull > 0.0)
    return place, contact, distance


def _acquainted(regions: Regions, within: str | None) -> np.ndarray:
    """Return the pairs (i, j), i < j, of regions in one tier, or of all regions, [pairs, 2]."""
    if within is None:
        return np.empty((0, 2), np.int64)
    groups = [regions.codes] if within == "all" else regions.tiers().values()
    row = {code: i for i, code in enumerate(regions.codes)}
    pairs = [(row[a], row[b]) for group in groups for a, b in itertools.combinations(group, 2)]
    return np.array(pairs, np.int64).reshape(-1, 2)


# Shocks and trends ------------------------------------------------------------------------------


def build_changes(scenario: Scenario) -> tuple[np.ndarray, ...]:
    """Return the course of events that lasts.

    These are the period of each quarter, persons [P, R], the change of fiscal stress [P, R], and
    demand relative to the start [P, R, A].
    """
    regions, number, areas = scenario.regions, len(scenario.regions), list(scenario.areas)
    lasting = [change for change in scenario.changes if change.what not in AT_ONCE]
    edges = [quarter for change in lasting for quarter in (change.from_, change.until)]
    for change in lasting:
        edges += range(change.from_, change.until) if change.growth else ()
    starts, period = _periods(edges, scenario.horizon)
    population = np.tile(np.asarray(regions.population, np.float64), (len(starts), 1))
    stress = np.zeros((len(starts), number))
    demand = np.ones((len(starts), number, len(areas)))
    for change in lasting:
        first, end = change.from_, change.until
        affected = _affected_regions(scenario, change)
        which = np.array([name in change.areas for name in areas])
        for k, quarter in enumerate(starts):
            if quarter < first or (quarter >= end and not change.growth):
                continue
            factor = change.factor if change.factor is not None else 1.0
            if change.growth:
                # The level that growth has reached remains when growth stops.
                factor *= (1.0 + change.growth) ** ((min(quarter, end) - first) / 4.0)
            if change.what == "population":
                population[k, affected] *= factor
            elif change.what == "stress":
                stress[k, affected] += change.add or 0.0
            else:
                demand[k][np.ix_(affected, which)] *= factor
    return period, population, stress, demand


def _periods(edges: Iterable[int], horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first quarter of each period between edges, and the period of each quarter."""
    starts = np.array(sorted({0, *(quarter for quarter in edges if quarter < horizon)}))
    return starts, (np.searchsorted(starts, np.arange(horizon), "right") - 1).astype(np.int64)


def build_shocks(scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """Return the records of shocks and elections [K], and the regions they affect [K, R]."""
    shocks = [change for change in scenario.changes if change.what in AT_ONCE]
    shock = empty_records(len(shocks), state.SHOCK)
    shocked = np.zeros((len(shocks), len(scenario.regions)), np.int64)
    for k, change in enumerate(shocks):
        factor = 1.0 if change.factor is None else change.factor
        until = change.until if change.every else change.from_ + 1
        shock[k] = (change.from_, until, change.every or 1, factor, change.reset or 0.0)
        shocked[k] = _affected_regions(scenario, change)
    return shock, shocked


def build_leaving(scenario: Scenario) -> np.ndarray:
    """Return the regions that leave joint bodies, in each area, and when [L, 4]."""
    row = {code: i for i, code in enumerate(scenario.regions.codes)}
    found = [
        (row[code], a, event.from_, event.until)
        for event in scenario.leaves
        for code in event.regions
        for a, area in enumerate(scenario.areas)
        if area in event.areas
    ]
    return np.array(found, np.int64).reshape(-1, 4)


def _affected_regions(scenario: Scenario, change: Change) -> np.ndarray:
    """Return whether a change affects each region [R]."""
    codes = scenario.regions.codes
    return np.isin(codes, codes if change.regions == "all" else change.regions)


def _existing_bodies(scenario: Scenario, areas: Sequence[str]) -> np.ndarray:
    row = {code: i for i, code in enumerate(scenario.regions.codes)}
    bodies = np.full((len(scenario.bodies), BODY_MEMBERS + levers.CAP), NOBODY, np.int64)
    for k, body in enumerate(scenario.bodies):
        form, until = levers.FORMS.index(body.form), NEVER if body.mandated else 0
        provider = row[body.provider] if body.provider else NOBODY
        bodies[k, :BODY_MEMBERS] = areas.index(body.area), form, body.began, until, provider
        members = sorted(row[code] for code in body.members)
        bodies[k, BODY_MEMBERS : BODY_MEMBERS + len(members)] = members
    return bodies


# Strategies -------------------------------------------------------------------------------------


def build_policy(scenario: Scenario, strategy: Levers) -> Policy:
    """Return a strategy, on top of the scenario's own levers, as the engine reads it.

    Where phases of a lever overlap, the later one in the list wins; the strategy's phases come
    after the scenario's.
    """
    regions, areas = scenario.regions, list(scenario.areas)
    declared = scenario.declared
    always, chosen = scenario.phases(), strategy.phases()
    phases: dict[str, tuple[Phase, ...]] = {
        name: (*always.get(name, ()), *chosen.get(name, ()))
        for name in (*levers.LEVERS, *declared.mechanisms)
    }
    edges = [q for of_lever in phases.values() for p in of_lever for q in p.edges]
    starts, period = _periods(edges, scenario.horizon)
    intensity = np.zeros((len(starts), len(areas), len(phases)))
    budget = np.full((len(starts), len(levers.SUPPORTERS)), math.inf)
    known = [*levers.LEVERS.values(), *(own.lever for own in declared.mechanisms.values())]
    usual = np.array([levers.PAYERS.index(lever.payer) for lever in known], np.int64)
    payer = np.tile(usual, (len(starts), 1))
    price = np.full((len(starts), len(known)), math.nan)
    target = np.zeros((len(starts), len(levers.SUPPORTERS)), np.int64)
    part_of = np.ones((len(starts), len(levers.SUPPORTERS)))
    listed = np.zeros((len(starts), len(levers.SUPPORTERS), len(regions)), np.int64)
    forum = np.full((len(starts), len(regions)), NOBODY, np.int64)
    counted = np.zeros((len(starts), len(phases)), np.int64)
    for position, (name, of_lever) in enumerate(phases.items()):
        for place, phase in enumerate(of_lever):
            on = (starts >= phase.from_) & (starts < phase.until)
            which = np.array([area in phase.areas for area in areas])
            strength = np.array([[phase.intensity_in(int(quarter))] for quarter in starts[on]])
            intensity[..., position][np.ix_(on, which)] = strength
            counted[on, position] = place >= len(always.get(name, ()))
            if phase.paid_by:
                payer[on, position] = levers.PAYERS.index(phase.paid_by)
            if phase.price is not None:
                price[on, position] = phase.price
            if isinstance(phase, ForumPhase):
                forum[on] = _forums(scenario, phase)
            if isinstance(phase, SupportPhase):
                supporter = list(levers.SUPPORTERS).index(name)
                budget[on, supporter] = math.inf if phase.budget is None else phase.budget / 4.0
                target[on, supporter] = target_number(phase.targets, declared)
                named = () if isinstance(phase.targets, str) else phase.targets
                listed[on, supporter] = np.isin(np.array(regions.codes), list(named))
                part_of[on, supporter] = phase.share
    number, base = len(levers.LEVERS), levers.BASES.index
    effect, rate = custom_effects(declared, intensity[..., number:], scenario.parameters)
    mandates = (*scenario.mandates, *strategy.mandates)
    return Policy(
        period=period, lever=intensity[..., :number].copy(), budget=budget, target=target,
        part=part_of, listed=listed, payer=payer[:, :number].copy(),
        price=price[:, :number].copy(), forum=forum, ceiling=_ceiling(strategy), counted=counted,
        effect=effect, rate=rate,
        base=np.array([base(one.lever.base) for one in declared.mechanisms.values()], np.int64),
        bearer=payer[:, number:].copy(),
        **_mandates(scenario, mandates, areas, len(scenario.mandates)),
    )  # fmt: skip


def _ceiling(strategy: Levers) -> np.ndarray:
    """Return the most that a strategy may cost in a quarter, in money [1]."""
    budget = strategy.budget if isinstance(strategy, Strategy) else None
    return np.array([math.inf if budget is None else budget / QUARTERS])


def target_number(targets: str | tuple[str, ...], declared: Declared) -> int:
    """Return the number by which the engine knows a targeting rule."""
    word = targets if isinstance(targets, str) else "list"
    if word in levers.TARGETS:
        return levers.TARGETS.index(word)
    return levers.CUSTOM_TARGETS + list(declared.targets).index(word)


def custom_effects(
    declared: Declared, intensity: np.ndarray, settings: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the effects of user-defined mechanisms on each term, and their cost rates (E14).

    Given their intensities [P, A, U], these are a factor and an addition for each of T terms
    [P, A, T, 2], and the share of the base that each mechanism costs [P, A, U].
    """
    effect = np.zeros((*intensity.shape[:2], len(levers.TERMS), 2))
    effect[..., 0] = 1.0
    rate, terms = np.zeros(intensity.shape), list(levers.TERMS)
    for u, mechanism in enumerate(declared.mechanisms.values()):
        p = mechanism.parameter_record(settings_of(mechanism.name, settings))
        for (phase, a), value in np.ndenumerate(intensity[..., u]):
            rate[phase, a, u] = p.price * value
            for term in mechanism.effects if value > 0.0 else ():
                times, plus = factors(mechanism, term, float(value), p)
                now = effect[phase, a, terms.index(term)]
                now[:] = times * now[0], times * now[1] + plus
    return effect, rate


def _forums(scenario: Scenario, phase: ForumPhase) -> np.ndarray:
    """Return the number of each region's forum in a phase, -1 for none [R]."""
    number = len(scenario.regions)
    if phase.members == "all":
        return np.zeros(number, np.int64)
    forum = np.full(number, NOBODY, np.int64)
    for k, group in enumerate(_groups(scenario, phase.members)):
        forum[group] = k
    return forum


def _groups(scenario: Scenario, lists: Lists) -> list[list[int]]:
    """Return lists of codes, or the regions of each tier, as positions of regions."""
    row = {code: i for i, code in enumerate(scenario.regions.codes)}
    groups = scenario.regions.tiers().values() if isinstance(lists, str) else lists
    return [sorted(row[code] for code in group) for group in groups]


def split_tier(places: np.ndarray, rows: Sequence[int], most: int) -> list[list[int]]:
    """Split regions into compact groups of at most ``most``, by halving along the longer side."""
    if len(rows) <= most:
        return [sorted(rows)]
    points = places[rows]
    axis = int(np.argmax(np.ptp(points, axis=0)))
    order = [rows[k] for k in np.argsort(points[:, axis], kind="stable")]
    half = len(order) // 2
    return split_tier(places, order[:half], most) + split_tier(places, order[half:], most)


def _mandates(
    scenario: Scenario, mandates: Iterable[Mandate], areas: Sequence[str], always: int
) -> dict[str, np.ndarray]:
    """Return mandates by the names of arrays; the first ones, ``always``, are the scenario's."""
    places, found, prices, counted = on_sphere(scenario.regions), [], [], []
    for place, mandate in enumerate(mandates):
        groups = _groups(scenario, mandate.groups)
        if isinstance(mandate.groups, str):
            pieces = [piece for rows in groups for piece in split_tier(places, rows, mandate.size)]
            groups = [piece for piece in pieces if len(piece) > 1]
        for a, area in enumerate(areas):
            if area in mandate.areas:
                for group in groups:
                    free = [NOBODY] * (levers.CAP - len(group))
                    bearer = levers.PAYERS.index(mandate.paid_by)
                    found.append([a, mandate.from_, mandate.until, bearer, *group, *free])
                    prices.append(math.nan if mandate.price is None else mandate.price)
                    counted.append(place >= always)
    return {
        "mandate": np.array(found, np.int64).reshape(-1, LISTED + levers.CAP),
        "mandate_price": np.array(prices, np.float64),
        "mandate_counted": np.array(counted, np.int64),
    }


# Rules ------------------------------------------------------------------------------------------


def settings_of(name: str, settings: Mapping[str, float]) -> dict[str, float]:
    """Return the settings of a rule or mechanism, without the prefix ``name.``."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): v for key, v in settings.items() if key.startswith(prefix)}


def build_rule(scenario: Scenario) -> tuple[DecisionRule | None, np.record]:
    """Return the user-defined decision rule (None for a built-in one) and its parameters.

    All built-in rules share one record type, so the kernel cached on disk serves all of them.
    """
    name, settings = scenario.decision, settings_of(scenario.decision, scenario.parameters)
    rule = RULES[name] if name in BUILT_IN else scenario.declared.rules[name]
    own = rule.parameter_record(settings)
    return (None, rule_record(rule, settings)) if name in BUILT_IN else (rule, own)


def model_parameters(settings: Mapping[str, float]) -> np.record:
    """Return the model's parameters with these settings; settings of rules are skipped."""
    return parameter_record({name: v for name, v in settings.items() if "." not in name})
