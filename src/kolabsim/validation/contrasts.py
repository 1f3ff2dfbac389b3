"""Contrasts: what a fact compares, as one number of a run (or of runs on common draws).

Each takes the runs of the settings that its fact names, in that order, and gives NaN where the run
does not define it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from kolabsim.validation.observation import Observed

OLD = 24
"""Quarters after which a membership counts as settled: six years."""
YOUNG = 12
"""Quarters of the first term, in which nothing can have been left: three years."""


def mean(values: np.ndarray) -> float:
    """Mean of what is defined; NaN of nothing."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else np.nan


def slope(y: np.ndarray, *columns: np.ndarray) -> float:
    """Coefficient of the first column in a least-squares regression with a constant."""
    x = np.column_stack([*columns, np.ones(len(y))])
    if len(y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        return np.nan
    return float(np.linalg.lstsq(x, y, rcond=None)[0][0])


def logit(y: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """Coefficients of a logistic regression, by Newton's method; NaN if it does not settle.

    A trace of ridge (1e-6) keeps it finite where a column separates the answers.
    """
    x = np.column_stack([*columns, np.ones(len(y))])
    beta = np.zeros(x.shape[1])
    if len(y) <= x.shape[1] or y.min() == y.max():
        return np.full(x.shape[1], np.nan)
    for _step in range(50):
        chance = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -30, 30)))
        weight = chance * (1.0 - chance)
        hessian = (x * weight[:, None]).T @ x + 1e-6 * np.eye(len(beta))
        move = np.linalg.solve(hessian, x.T @ (y - chance) - 1e-6 * beta)
        beta = beta + move
        if np.abs(move).max() < 1e-8:
            return beta
    return np.full(len(beta), np.nan)


def standard(values: np.ndarray) -> np.ndarray:
    """Values with mean 0 and standard deviation 1; all 0 where they do not vary."""
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 0.0 else 1.0)


def settled(o: Observed) -> np.ndarray:
    """[R, A] memberships of at least six years at the end."""
    return np.nan_to_num(o.age[-1], nan=-1.0) >= OLD


# Savings ------------------------------------------------------------------------------------------


def share_saving(o: Observed) -> float:
    """Share of settled memberships that save more than 3 % of stand-alone cost."""
    return mean((o.saving[-1] > 0.03)[settled(o)].astype(float))


def share_alike(o: Observed) -> float:
    """Share of settled memberships whose cost is within 3 % of stand-alone cost."""
    return mean((np.abs(o.saving[-1]) <= 0.03)[settled(o)].astype(float))


def share_dearer(o: Observed) -> float:
    """Share of settled memberships that cost over 3 % more than serving alone."""
    return mean((o.saving[-1] < -0.03)[settled(o)].astype(float))


def small_saving(o: Observed) -> float:
    """Median saving of members below a third of efficient scale, where scale matters."""
    scale_matters = [a for a, name in enumerate(o.areas) if name != "training"]
    people, saving = o.at("people")[:, scale_matters], o.saving[-1][:, scale_matters]
    values = saving[(people < o.scale[scale_matters] / 3.0) & np.isfinite(saving)]
    return float(np.median(values)) if len(values) else np.nan


def total_saving(o: Observed) -> float:
    """Saving over all regions and areas, members or not."""
    return float(o.history["efficiency"][-4:].mean())


def saving_by_size(o: Observed) -> float:
    """Change of a member's saving when it is e times as large."""
    here = o.member[-1]
    return slope(o.saving[-1][here], np.log(o.at("people")[here]))


def large_saving(o: Observed) -> float:
    """Mean saving of members that had efficient scale by themselves."""
    return mean(o.saving[-1][o.at("people") >= o.scale])


def dummy(o: Observed) -> float:
    """Coefficient of cooperation in a regression of log unit cost on log scale."""
    here, body = o.member[-1], o.at("body")
    people, unit = o.at("people"), o.alone * o.at("cost")
    scale = people.copy()
    for name in np.unique(body[here]):
        scale[body == name] = people[body == name].sum()
    size = np.log(scale) - np.log(o.scale)
    areas = [np.broadcast_to(np.arange(len(o.areas)) == a, here.shape) for a in range(len(o.areas))]
    terms = [term for area in areas for term in (area, area * size, area * size**2)][1:]
    columns = [here, *terms]
    return slope(np.log(unit).ravel(), *(part.astype(float).ravel() for part in columns))


def by_partners(o: Observed) -> float:
    """Change of a body's saving by one more member, its people and area held fixed."""
    size, people, saving, area = o.bodies()[:, :4].T
    areas = [(area == a).astype(float) for a in range(1, len(o.areas))]
    return slope(saving, size, np.log(people), np.log(people) ** 2, *areas)


def steeper(one: Observed, other: Observed) -> float:
    """Difference of the fall of saving with partners between two settings."""
    return by_partners(one) - by_partners(other)


def middling(o: Observed) -> float:
    """Net benefit of bodies of 3 to 7 members over that of smaller and larger ones."""
    size, net = o.bodies()[:, 0], o.bodies()[:, 5]
    inside = (size >= 3) & (size <= 7)
    outside = [part.mean() for part in (net[size < 3], net[size > 7]) if len(part)]
    return mean(net[inside]) - max(outside, default=np.nan)


def member_saving(o: Observed) -> float:
    """Mean saving of all memberships at the end."""
    return mean(o.saving[-1])


def more_saving(one: Observed, other: Observed) -> float:
    """Difference of members' mean saving between two settings."""
    return member_saving(one) - member_saving(other)


def area_saving(o: Observed, *names: str) -> float:
    """Mean saving of members in some areas."""
    return mean(np.concatenate([o.saving[-1][:, o.area(name)] for name in names]))


def capital_over_finance(o: Observed) -> float:
    """Saving in technology and procurement over that in financial management."""
    return area_saving(o, "technology", "procurement") - area_saving(o, "finance")


def finance_over_training(o: Observed) -> float:
    """Saving in financial management over that in development of staff."""
    return area_saving(o, "finance") - area_saving(o, "training")


def early_training(o: Observed) -> float:
    """Mean saving in development of staff in the first three years of a membership."""
    a = o.area("training")
    return mean(o.saving[:, :, a][o.age[:, :, a] < YOUNG])


# Time ---------------------------------------------------------------------------------------------


def net_by_age(o: Observed) -> np.ndarray:
    """Mean net benefit a year, start-up included, by quarters of membership."""
    age = o.age[o.member].astype(int)
    net = (o.column["realised"] + o.column["entry"])[o.member]
    count = np.bincount(age)
    return np.bincount(age, net) / np.where(count > 0, count, np.nan)


def first_year(o: Observed) -> float:
    """Mean net benefit in the first year of a membership."""
    return mean(net_by_age(o)[:4])


def break_even(o: Observed) -> float:
    """Years until the sum of mean net benefits since entry is above zero; NaN if never."""
    total = np.nancumsum(net_by_age(o)) / 4.0
    later = np.flatnonzero(total[1:] >= 0.0)
    return (later[0] + 2.0) / 4.0 if len(later) else np.nan


def old_saving(o: Observed) -> float:
    """Change of the mean saving of memberships between years 5 to 8 and years 20 to 25."""
    early, late = (o.age >= 20) & (o.age < 32), (o.age >= 80) & (o.age < 100)
    return mean(o.saving[late]) - mean(o.saving[early])


def erosion(growing: Observed, steady: Observed) -> float:
    """What growth of the regions adds to the change of old agreements' saving."""
    return old_saving(growing) - old_saving(steady)


def membership_age(o: Observed) -> float:
    """Mean age of live memberships at the end, years."""
    return mean(o.age[-1]) / 4.0


def exits(o: Observed) -> float:
    """Memberships that end in a year, per membership."""
    history = o.history
    return float(history["ended"].sum() / history["membership_years"].sum())


def exit_drivers(o: Observed) -> float:
    """How much more leaving depends on burden or trust than on realised saving."""
    at_risk = o.member[:-1] & (np.nan_to_num(o.age[:-1], nan=-1.0) >= YOUNG)
    leaves = (at_risk & ~o.member[1:])[at_risk].astype(float)
    columns = [
        standard(o.column[name][:-1][at_risk]) for name in ("load", "body_trust", "realised")
    ]
    load, trust, saving = np.abs(logit(leaves, *columns)[:3])
    return max(load, trust) - saving


def cooperation(o: Observed) -> float:
    """Share of regions and areas in a joint body at the end."""
    return float(o.member[-1].mean())


def less_cooperation(one: Observed, other: Observed) -> float:
    """Difference of the share in joint bodies between two settings."""
    return cooperation(one) - cooperation(other)


# Who with whom ------------------------------------------------------------------------------------


def tie_model(o: Observed) -> dict[str, float]:
    """Coefficients of a logistic regression of ties between near pairs, in any area."""
    one, other = o.pairs.T
    size = np.log(o.population)
    found = logit(
        o.tied.any(axis=1).astype(float),
        -standard(o.unlike),
        o.land.astype(float),
        np.log(np.maximum(o.distance, 1.0)),
        np.abs(size[one] - size[other]),
        standard(np.abs(o.capacity[one] - o.capacity[other]).max(axis=1)),
        (o.tier[one] == o.tier[other]).astype(float),
    )
    return dict(
        zip(("alike", "land", "distance", "size", "capacity", "tier"), found[:6], strict=True)
    )


def alike(o: Observed) -> float:
    """Log odds of a tie by one standard deviation of cultural similarity, distance held fixed."""
    return tie_model(o)["alike"]


def adjacent(o: Observed) -> float:
    """Log odds of a tie for land neighbours, distance held fixed."""
    return tie_model(o)["land"]


def by_distance(o: Observed) -> float:
    """Smallest fall of the share of tied pairs from one quartile of distance to the next."""
    order = np.argsort(o.distance, kind="stable")
    tied = o.tied.any(axis=1)[order]
    quarters = [mean(part.astype(float)) for part in np.array_split(tied, 4)]
    return min(before - after for before, after in pairwise(quarters))


def size_apart(o: Observed) -> float:
    """Log odds of a tie by difference of log population."""
    return tie_model(o)["size"]


def capacity_apart(o: Observed) -> float:
    """Log odds of a tie by difference of capacity."""
    return tie_model(o)["capacity"]


def ties_within_tiers(o: Observed) -> float:
    """Number of ties between regions of one tier."""
    same = o.tier[o.pairs[:, 0]] == o.tier[o.pairs[:, 1]]
    return float(o.tied[same].sum())


def more_ties(one: Observed, other: Observed) -> float:
    """Log ratio of ties within tiers between two settings."""
    ties = ties_within_tiers(one), ties_within_tiers(other)
    return float(np.log(ties[0] / ties[1])) if min(ties) > 0 else np.nan


def multiplex(o: Observed) -> float:
    """Log odds ratio of sharing an area for pairs that share another, mean over pairs of areas."""
    found = []
    for a in range(len(o.areas)):
        for b in range(a):
            one, other = o.tied[:, a], o.tied[:, b]
            both, neither = (one & other).sum() + 0.5, (~one & ~other).sum() + 0.5
            only, rather = (one & ~other).sum() + 0.5, (~one & other).sum() + 0.5
            found.append(np.log(both * neither / (only * rather)))
    return float(np.mean(found)) if found else np.nan


# What raises formation ----------------------------------------------------------------------------


def formation(one: Observed, other: Observed) -> float:
    """Log ratio of agreements concluded in ten years between two settings."""
    made = [o.history["agreements"][:40].sum() for o in (one, other)]
    return float(np.log(made[0] / made[1])) if min(made) > 0 else np.nan


def by_stress(o: Observed) -> float:
    """Share that ever shared in the most stressed third over that in the least."""
    ever = o.member.any(axis=0).mean(axis=1)
    low, high = np.quantile(o.stress, (1 / 3, 2 / 3))
    return mean(ever[o.stress >= high]) - mean(ever[o.stress <= low])


def success(o: Observed) -> float:
    """Share of negotiations put to the vote that are agreed."""
    agreed, refused = o.history["agreements"].sum(), o.history["refused"].sum()
    return float(agreed / (agreed + refused)) if agreed + refused > 0 else np.nan


def more_success(one: Observed, other: Observed) -> float:
    """Difference of the share of negotiations that are agreed between two settings."""
    return success(one) - success(other)


def content(o: Observed) -> float:
    """Share of members that saw a benefit in the agreement they are in."""
    return mean((o.at("expected")[o.member[-1]] > 0.0).astype(float))


def more_content(one: Observed, other: Observed) -> float:
    """Difference of the share of members that saw a benefit between two settings."""
    return content(one) - content(other)


# Quality, trust, mandates -------------------------------------------------------------------------


def gain(o: Observed, quarter: int = -1) -> np.ndarray:
    """[R, A] quality of members over their own at the start, as a share of it."""
    change = o.at("quality", quarter) / np.maximum(o.capacity, 0.05) - 1.0
    return np.where(o.member[quarter], change, np.nan)


def quality_change(o: Observed) -> float:
    """Mean relative change of members' quality in the long run."""
    return mean(gain(o)[settled(o)])


def early_quality(o: Observed) -> float:
    """Mean relative change of quality in development of staff in the first two years."""
    a = o.area("training")
    young = o.age[:, :, a] < 8
    change = o.column["quality"][:, :, a] / np.maximum(o.capacity[:, a], 0.05) - 1.0
    return mean(change[young])


def smallest_quality(o: Observed) -> float:
    """Mean relative change of quality of settled members in the smallest third of regions."""
    small = (o.population <= np.quantile(o.population, 1 / 3))[:, None]
    return mean(gain(o)[settled(o) & small])


SHOCK = slice(64, 72)
"""Quarters in which demand is shocked."""


def resilience(shocked: Observed, calm: Observed) -> float:
    """Quality that a shock of demand takes from those who serve alone, over what members lose."""
    lost = calm.column["quality"][SHOCK] - shocked.column["quality"][SHOCK]
    both = calm.member[SHOCK] & shocked.member[SHOCK]
    neither = ~calm.member[SHOCK] & ~shocked.member[SHOCK]
    return mean(lost[neither]) - mean(lost[both])


def mandated_saving(ordered: Observed, free: Observed) -> float:
    """Saving of those who joined by mandate over that of those who joined freely."""
    bound = ordered.at("bound_until") > ordered.quarters - 1
    return mean(ordered.saving[-1][bound]) - member_saving(free)


def mandated_content(ordered: Observed, free: Observed) -> float:
    """Net benefit of those who joined by mandate over that of those who joined freely."""
    bound = ordered.at("bound_until") > ordered.quarters - 1
    return mean(ordered.at("realised")[bound & ordered.member[-1]]) - mean(
        free.at("realised")[free.member[-1]]
    )


def partial(o: Observed) -> tuple[float, float]:
    """Correlation of trust and net benefit over bodies: plain, and with the team held fixed."""
    rows = o.bodies()
    trust, net, team = rows[:, 4], rows[:, 5], rows[:, 3] < len(o.areas) / 2
    if len(rows) < 8 or team.all() or not team.any():
        return np.nan, np.nan
    plain = np.corrcoef(trust, net)[0, 1]
    trust, net = trust.copy(), net.copy()
    for group in (team, ~team):
        trust[group] -= trust[group].mean()
        net[group] -= net[group].mean()
    return float(plain), float(np.corrcoef(trust, net)[0, 1])


def trust_outcome(o: Observed) -> float:
    """Correlation of trust and net benefit over bodies."""
    return partial(o)[0]


def mediated(o: Observed) -> float:
    """How much of that correlation goes when the coordination team is held fixed."""
    plain, held = partial(o)
    return plain - held


def pooled(o: Observed) -> float:
    """People served by a slot's body (or region) over efficient scale, mean of the lowest area."""
    body, people = o.at("body"), o.at("people")
    scale = people.copy()
    for name in np.unique(body[body >= 0]):
        scale[body == name] = people[body == name].sum()
    return float((scale / o.scale).mean(axis=0).min())
