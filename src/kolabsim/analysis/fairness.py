"""Fairness of cost sharing: the cost of joint bodies by every sharing rule and by Shapley's value.

Shapley's value [shapley_1953] charges each member its mean marginal cost over all orders in which
the members could have joined. The model never uses it: regions judge a union by the sharing rule of
the scenario. It is a yardstick for those rules.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial

import numpy as np
import pandas as pd

from kolabsim.engine.ensemble import Task, build_task, new_state, run_block
from kolabsim.errors import InputError, suggestion
from kolabsim.i18n import _
from kolabsim.model import laws
from kolabsim.model.bodies import hub_row, outlook, partners_before
from kolabsim.model.jit import host_entry
from kolabsim.model.levers import SHARES
from kolabsim.model.parameters import QUARTERS
from kolabsim.model.state import NOBODY, ROW, State
from kolabsim.scenario.scenario import Scenario

EXACT = 8
"""Largest body for which all orders count; for larger ones, orders are sampled."""


def shapley_shares(
    cost: Callable[[tuple[int, ...]], float], members: int, *, orders: int = 500, seed: int = 1
) -> np.ndarray:
    """Return Shapley's value of each member, in the unit of the cost.

    ``cost`` gives the cost of a coalition from the positions of its members in ascending order;
    that of nobody is 0. With more than :data:`EXACT` members, random ``orders`` are sampled, each
    with its reverse.

    >>> shapley_shares(lambda some: 10.0 if len(some) == 1 else 14.0, 2).tolist()
    [7.0, 7.0]
    """
    if members < 1:
        text = f"{members} members: at least one is needed"
        raise ValueError(text)
    known: dict[tuple[int, ...], float] = {(): 0.0}

    def of(some: tuple[int, ...]) -> float:
        if some not in known:
            known[some] = float(cost(some))
        return known[some]

    shares = np.zeros(members)
    if members <= EXACT:
        for number in range(2**members):
            before = tuple(k for k in range(members) if number >> k & 1)
            size = len(before)
            for k in set(range(members)).difference(before):
                weight = factorial(size) * factorial(members - size - 1) / factorial(members)
                shares[k] += weight * (of(tuple(sorted((*before, k)))) - of(before))
        return shares
    generator = np.random.Generator(np.random.Philox(seed))
    for _order in range(orders):
        order = generator.permutation(members).tolist()
        for turned in (order, order[::-1]):
            for position, k in enumerate(turned):
                joined, others = sorted(turned[: position + 1]), sorted(turned[:position])
                shares[k] += of(tuple(joined)) - of(tuple(others))
    return shares / (2 * orders)


def fairness(
    scenario: Scenario,
    strategy: str = "voluntary",
    *,
    seed: int = 1,
    run: int = 0,
    orders: int = 500,
) -> pd.DataFrame:
    """Return shares of joint cost in the bodies at the end of a run, by every rule and by Shapley.

    One row for each member of each body (:ref:`columns <fairness-table>`). All shares but ``alone``
    add up to 1 in a body.
    The cost of a coalition is that of the model in the last quarter, at the body's age and without
    start-up. ``orders`` is the number of sampled orders in large bodies (:func:`shapley_shares`).
    Raises :class:`~kolabsim.errors.InputError` for an unknown strategy.
    """
    if strategy not in scenario.strategies:
        hint = suggestion(strategy, scenario.strategies)
        text = _("'{name}' is not a strategy{hint}").format(name=strategy, hint=hint)
        raise InputError.of(text)
    task = build_task(scenario, scenario.strategies[strategy], seed=seed)
    state = new_state(task.world)
    run_block(task, np.array([run]), regions=False, state=state)
    regions, rows = scenario.regions, []
    for a, area in enumerate(scenario.areas):
        places = np.flatnonzero((state.body["members"] > 0) & (state.body["area"] == a))
        bodies = sorted(places, key=lambda body: state.members[body, 0])
        for number, body in enumerate(bodies, 1):
            members = state.members[body, : state.body["members"][body]]
            cost = _cost_of_some(task, state, int(body))
            joint = cost(tuple(range(len(members))))
            slots = state.slot[members, a]
            shares = {"alone": slots["people"] * slots["alone"] / joint}
            shares |= {rule: _shares(rule, state, members, a) for rule in SHARES}
            shares["shapley"] = shapley_shares(cost, len(members), orders=orders, seed=seed) / joint
            price = scenario.areas[area].cost_per_resident
            for k, i in enumerate(members):
                first = {"area": area, "body": number, "region": regions.codes[i]}
                first |= {"name": regions.labels[i], "joint_cost": joint * price}
                rows.append(first | {name: values[k] for name, values in shares.items()})
    columns = ["area", "body", "region", "name", "joint_cost", "alone", *SHARES, "shapley"]
    return pd.DataFrame(rows, columns=columns)


def _shares(rule: str, state: State, members: np.ndarray, a: int) -> np.ndarray:
    """Return the members' shares of joint cost by a rule."""
    number, pairs = SHARES.index(rule), zip(members, state.slot[members, a], strict=True)
    weights = [
        laws.sharing_weight(number, slot.people, slot.alone, state.region[i].stress)
        for i, slot in pairs
    ]
    return np.array(weights, float) / np.array(weights, float).sum()


def _cost_of_some(task: Task, state: State, body: int) -> Callable[[tuple[int, ...]], float]:
    """Return the cost of any coalition of a body in the last quarter, per year (E4).

    The unit is one person served at efficient scale. Buyers of a contract serve alone where their
    provider is not of the coalition.
    """
    p, now, areas = task.parameters, state.moment[0], state.slot.shape[1]
    a, form = int(state.body["area"][body]), int(state.body["form"][body])
    members = state.members[body, : state.body["members"][body]]
    region, area = state.region[members], state.area[a]
    age = (now.horizon - 1 - state.body["began"][body]) / QUARTERS
    penalty = laws.transition(age, p)
    trust = np.tile(region["reputation"], (len(members), 1))
    for k, i in enumerate(members):
        for c in range(state.region[i].first, state.region[i].end):
            trust[k, members == state.contact[c].target] = state.contact[c].trust
    forum = region["forum"]
    meet = (forum[:, None] == forum[None, :]) & (forum[:, None] != NOBODY)
    provider = int(state.body["provider"][body])
    hub = state.sums[host_entry(hub_row)(state, provider, a)]
    tied = ~np.eye(len(members), dtype=bool)
    if provider != NOBODY:
        tied &= (members[:, None] == provider) | (members[None, :] == provider)
    again = np.array([
        [host_entry(partners_before)(state.slot, i, j, a) for j in members] for i in members
    ])  # fmt: skip

    def cost(some: tuple[int, ...]) -> float:
        chosen = list(some)
        if len(chosen) == 1 or (provider != NOBODY and provider not in members[chosen]):
            slots = state.slot[members[chosen], a]
            return float((slots["people"] * slots["alone"]).sum())
        alone = state.sums[members[chosen] * areas + a]
        row = alone.sum(axis=0)
        row[ROW.best] = alone[:, ROW.best].max()
        apart = ~np.eye(len(chosen), dtype=bool)
        among = np.ix_(chosen, chosen)
        row[ROW.trust] = trust[among][tied[among]].sum()
        row[ROW.again] = again[among][tied[among]].sum() / 2.0
        pairs = meet[among][apart].mean()
        view = host_entry(outlook)(
            area, state.effect[a], now, p, row, hub, form, penalty, float(pairs), 0.0, 1.0,
            float(len(chosen)),
        )  # fmt: skip
        return view.price * row[ROW.weight]

    return cost
