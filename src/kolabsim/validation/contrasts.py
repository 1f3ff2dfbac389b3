"""Contrasts: the number that a published fact is about, computed from a run.

A contrast takes one run of each setting that its fact names, in that order; all of them share
their random draws. It returns NaN where the runs do not define it. Its docstring is its description
in the table of the facts.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from kolabsim.validation.runs import Run

OLD = 24
"""Quarters after which a membership counts as established: six years."""
YOUNG = 12
"""Quarters of the first term, in which no member can leave: three years."""
SHOCK = slice(64, 72)
"""Quarters in which demand is shocked."""

Contrast: TypeAlias = Callable[..., float]
"""A number from one run of each setting that a fact names."""


def described(text: str, contrast: Contrast) -> Contrast:
    """The contrast with this description."""
    contrast.__doc__ = text
    return contrast


def difference(value: Contrast) -> Contrast:
    """A contrast of one run in a setting, less the same in another."""
    text = f"{value.__doc__} The first setting less the second."
    return described(text, lambda one, other: value(one) - value(other))


def log_ratio(number: Contrast) -> Contrast:
    """Logarithm of the ratio of a number in two settings; NaN unless both are positive."""

    def contrast(one: Run, other: Run) -> float:
        values = number(one), number(other)
        return float(np.log(values[0] / values[1])) if min(values) > 0 else np.nan

    return described(f"{number.__doc__} Log ratio of two settings.", contrast)


def mean(values: np.ndarray) -> float:
    """Mean of the finite values; NaN if there are none."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else np.nan


def slope(y: np.ndarray, *columns: np.ndarray) -> float:
    """Coefficient of the first column in a least-squares regression with a constant."""
    x = np.column_stack([*columns, np.ones(len(y))])
    if len(y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        return np.nan
    return float(np.linalg.lstsq(x, y, rcond=None)[0][0])


def logit(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Fit a logistic regression by Newton's method.

    ``y`` are the outcomes, 0 or 1 [N], and ``x`` the predictors [N, K]. A ridge penalty of 1e-6
    keeps the coefficients finite where a predictor separates the outcomes. The result has a
    coefficient for each predictor, then the constant; all are NaN where the fit does not converge
    or ``y`` does not vary.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    >>> logit(y, np.array([[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]]).T).round(3)
    array([ 2.197, -1.099])
    """
    x = np.column_stack([x, np.ones(len(y))])
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


def established(run: Run) -> np.ndarray:
    """[R, A] memberships of at least six years at the end."""
    return np.nan_to_num(run.age[-1], nan=-1.0) >= OLD


# Savings ------------------------------------------------------------------------------------------


def share_where(text: str, holds: Callable[[np.ndarray], np.ndarray]) -> Contrast:
    """Share of established memberships whose saving meets a condition."""
    return described(
        f"Share of established memberships {text}.",
        lambda run: mean(holds(run.saving[-1])[established(run)].astype(float)),
    )


share_saving = share_where("that save more than 3% of stand-alone cost", lambda x: x > 0.03)
share_similar = share_where(
    "whose cost is within 3% of stand-alone cost", lambda x: np.abs(x) <= 0.03
)
share_costlier = share_where(
    "that cost over 3% more than stand-alone provision", lambda x: x < -0.03
)


def small_saving(run: Run) -> float:
    """Median saving of members below a third of efficient scale, where scale matters."""
    scale_matters = [a for a, name in enumerate(run.areas) if name != "training"]
    people, saving = run.at("people")[:, scale_matters], run.saving[-1][:, scale_matters]
    values = saving[(people < run.scale[scale_matters] / 3.0) & np.isfinite(saving)]
    return float(np.median(values)) if len(values) else np.nan


def total_saving(run: Run) -> float:
    """Saving over all regions and areas, of members and non-members."""
    return float(run.history["efficiency"][-4:].mean())


def saving_by_size(run: Run) -> float:
    """Change of a member's saving per unit of log population."""
    here = run.member[-1]
    return slope(run.saving[-1][here], np.log(run.at("people")[here]))


def large_saving(run: Run) -> float:
    """Mean saving of members that have efficient scale on their own."""
    return mean(run.saving[-1][run.at("people") >= run.scale])


def dummy(run: Run) -> float:
    """Coefficient of cooperation in a regression of log unit cost on log scale."""
    here, unit = run.member[-1], run.alone * run.at("cost")
    size = np.log(run.served) - np.log(run.scale)
    areas = [
        np.broadcast_to(np.arange(len(run.areas)) == a, here.shape) for a in range(len(run.areas))
    ]
    terms = [term for area in areas for term in (area, area * size, area * size**2)][1:]
    columns = [here, *terms]
    return slope(np.log(unit).ravel(), *(part.astype(float).ravel() for part in columns))


def by_partners(run: Run) -> float:
    """Change of a body's saving by one more member, with people served and area held fixed."""
    bodies, people = run.bodies, np.log(run.bodies.people)
    areas = [(bodies.area == a).astype(float) for a in range(1, len(run.areas))]
    return slope(bodies.saving, bodies.size, people, people**2, *areas)


def middling(run: Run) -> float:
    """Net benefit of bodies of 3 to 7 members, less that of smaller and of larger ones."""
    size, net = run.bodies.size, run.bodies.net
    outside = [part.mean() for part in (net[size < 3], net[size > 7]) if len(part)]
    return mean(net[(size >= 3) & (size <= 7)]) - max(outside, default=np.nan)


def member_saving(run: Run) -> float:
    """Mean saving of all memberships at the end."""
    return mean(run.saving[-1])


def area_saving(run: Run, *names: str) -> float:
    """Mean saving of members in some areas."""
    return mean(np.concatenate([run.saving[-1][:, run.area(name)] for name in names]))


def capital_over_finance(run: Run) -> float:
    """Saving in technology and procurement, less that in financial management."""
    return area_saving(run, "technology", "procurement") - area_saving(run, "finance")


def finance_over_training(run: Run) -> float:
    """Saving in financial management, less that in staff development."""
    return area_saving(run, "finance") - area_saving(run, "training")


def in_early_training(values: np.ndarray, run: Run, quarters: int) -> float:
    """Mean of values [Q, R, A] in staff development in the first quarters of a membership."""
    a = run.area("training")
    return mean(values[:, :, a][run.age[:, :, a] < quarters])


def early_training(run: Run) -> float:
    """Mean saving in staff development in the first three years of a membership."""
    return in_early_training(run.saving, run, YOUNG)


# Time ---------------------------------------------------------------------------------------------


def net_by_age(run: Run) -> np.ndarray:
    """Mean net benefit a year, start-up included, by quarters of membership."""
    age = run.age[run.member].astype(int)
    net = (run.column["realised"] + run.column["entry"])[run.member]
    count = np.bincount(age)
    return np.bincount(age, net) / np.where(count > 0, count, np.nan)


def first_year(run: Run) -> float:
    """Mean net benefit in the first year of a membership."""
    return mean(net_by_age(run)[:4])


def break_even(run: Run) -> float:
    """Years until the sum of mean net benefits since entry is above zero; NaN if never."""
    total = np.nancumsum(net_by_age(run)) / 4.0
    later = np.flatnonzero(total[1:] >= 0.0)
    return (later[0] + 2.0) / 4.0 if len(later) else np.nan


def old_saving(run: Run) -> float:
    """Change of the mean saving of memberships between years 5 to 8 and years 20 to 25."""
    early, late = (run.age >= 20) & (run.age < 32), (run.age >= 80) & (run.age < 100)
    return mean(run.saving[late]) - mean(run.saving[early])


def membership_age(run: Run) -> float:
    """Mean age of live memberships at the end, years."""
    return mean(run.age[-1]) / 4.0


def exits(run: Run) -> float:
    """Memberships that end in a year, per membership."""
    return float(run.history["ended"].sum() / run.history["membership_years"].sum())


def exit_drivers(run: Run) -> float:
    """Effect of burden or trust on leaving, whichever is larger, less that of realised saving."""
    at_risk = run.member[:-1] & (np.nan_to_num(run.age[:-1], nan=-1.0) >= YOUNG)
    leaves = (at_risk & ~run.member[1:])[at_risk].astype(float)
    columns = [
        standard(run.column[name][:-1][at_risk]) for name in ("load", "body_trust", "realised")
    ]
    load, trust, saving = np.abs(logit(leaves, np.column_stack(columns))[:3])
    return max(load, trust) - saving


def cooperation(run: Run) -> float:
    """Share of regions and areas in a joint body at the end."""
    return float(run.member[-1].mean())


# Partners -----------------------------------------------------------------------------------------


TIES = {
    "alike": "per standard deviation of cultural similarity, at equal distance",
    "land": "for land neighbours, at equal distance",
    "size": "by difference of log population",
    "capacity": "by difference of capacity, in standard deviations",
}
"""Attributes of pairs whose effect on ties facts are about."""


def tie_effect(name: str) -> Contrast:
    """Effect of one attribute of near pairs on a tie in any area, with the others held fixed."""

    def contrast(run: Run) -> float:
        one, other = run.pairs.T
        size = np.log(run.population)
        columns = {
            "alike": -standard(run.unlike),
            "land": run.land.astype(float),
            "distance": np.log(np.maximum(run.distance, 1.0)),
            "size": np.abs(size[one] - size[other]),
            "capacity": standard(np.abs(run.capacity[one] - run.capacity[other]).max(axis=1)),
            "tier": (run.tier[one] == run.tier[other]).astype(float),
        }
        tied = run.tied.any(axis=1).astype(float)
        effects = logit(tied, np.column_stack([*columns.values()]))
        return effects[list(columns).index(name)]

    return described(f"Log odds of a tie {TIES[name]}.", contrast)


def by_distance(run: Run) -> float:
    """Smallest fall of the share of tied pairs from one quartile of distance to the next."""
    order = np.argsort(run.distance, kind="stable")
    tied = np.asarray(run.tied.any(axis=1))[order]
    quarters = [mean(part.astype(float)) for part in np.array_split(tied, 4)]
    return min(before - after for before, after in pairwise(quarters))


def ties_within_tiers(run: Run) -> float:
    """Number of ties between regions of one tier."""
    same = run.tier[run.pairs[:, 0]] == run.tier[run.pairs[:, 1]]
    return float(run.tied[same].sum())


def multiplex(run: Run) -> float:
    """Log odds ratio of sharing an area for pairs that share another, mean over pairs of areas."""
    found = []
    for a in range(len(run.areas)):
        for b in range(a):
            one, other = run.tied[:, a], run.tied[:, b]
            both, neither = (one & other).sum() + 0.5, (~one & ~other).sum() + 0.5
            only, rather = (one & ~other).sum() + 0.5, (~one & other).sum() + 0.5
            found.append(np.log(both * neither / (only * rather)))
    return float(np.mean(found)) if found else np.nan


# Formation ---------------------------------------------------------------------------------------


def formation(run: Run) -> float:
    """Agreements concluded in ten years."""
    return run.history["agreements"][:40].sum()


def by_stress(run: Run) -> float:
    """Share ever in a joint body, most stressed third of regions less the least stressed."""
    ever = run.member.any(axis=0).mean(axis=1)
    low, high = np.quantile(run.stress, (1 / 3, 2 / 3))
    return mean(ever[run.stress >= high]) - mean(ever[run.stress <= low])


def success(run: Run) -> float:
    """Share of negotiations put to the vote that are agreed."""
    agreed, refused = run.history["agreements"].sum(), run.history["refused"].sum()
    return float(agreed / (agreed + refused)) if agreed + refused > 0 else np.nan


def satisfied(run: Run) -> float:
    """Share of members that expected a benefit when they agreed."""
    return mean((run.at("expected")[run.member[-1]] > 0.0).astype(float))


# Quality, trust, mandates -------------------------------------------------------------------------


def quality_change(run: Run) -> float:
    """Mean relative change of members' quality in the long run."""
    return mean(run.gain[-1][established(run)])


def early_quality(run: Run) -> float:
    """Mean relative change of quality in staff development in the first two years."""
    return in_early_training(run.gain, run, 8)


def smallest_quality(run: Run) -> float:
    """Mean relative change of quality of established members in the smallest third of regions."""
    small = (run.population <= np.quantile(run.population, 1 / 3))[:, None]
    return mean(run.gain[-1][established(run) & small])


def resilience(shocked: Run, calm: Run) -> float:
    """Quality that non-members lose in a shock of demand, less that which members lose."""
    lost = calm.column["quality"][SHOCK] - shocked.column["quality"][SHOCK]
    both = calm.member[SHOCK] & shocked.member[SHOCK]
    neither = ~calm.member[SHOCK] & ~shocked.member[SHOCK]
    return mean(lost[neither]) - mean(lost[both])


def mandate_effect(text: str, value: Callable[[Run], np.ndarray]) -> Contrast:
    """Mean of a value [R, A] of members under a mandate, less that of voluntary members."""

    def contrast(ordered: Run, free: Run) -> float:
        bound = ordered.member[-1] & (ordered.at("bound_until") > ordered.quarters - 1)
        return mean(value(ordered)[bound]) - mean(value(free)[free.member[-1]])

    return described(
        f"{text} of members under a mandate, less that of voluntary members.", contrast
    )


mandated_saving = mandate_effect("Saving", lambda run: run.saving[-1])
mandated_benefit = mandate_effect("Net benefit", lambda run: run.at("realised"))


def partial(run: Run) -> tuple[float, float]:
    """Correlation of trust and net benefit over bodies: raw, and with the team held fixed."""
    bodies, trust, net = run.bodies, run.bodies.trust.copy(), run.bodies.net.copy()
    team = bodies.area < len(run.areas) / 2
    if len(net) < 8 or team.all() or not team.any():
        return np.nan, np.nan
    plain = np.corrcoef(trust, net)[0, 1]
    for group in (team, ~team):
        trust[group] -= trust[group].mean()
        net[group] -= net[group].mean()
    return float(plain), float(np.corrcoef(trust, net)[0, 1])


def trust_outcome(run: Run) -> float:
    """Correlation of trust and net benefit over bodies."""
    return partial(run)[0]


def mediated(run: Run) -> float:
    """Fall of that correlation when the coordination team is held fixed."""
    plain, held = partial(run)
    return plain - held


def pooled(run: Run) -> float:
    """People served over efficient scale, the mean over regions in the lowest area."""
    return float((run.served / run.scale).mean(axis=0).min())
