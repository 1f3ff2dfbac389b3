"""Contrasts: the number that a published fact is about, computed from a run.

A contrast takes one run of each setting that its fact names, in that order; all of them share
their random draws. It returns NaN where the runs do not define it. Its docstring is its description
in the table of the facts. The file is long because it holds all contrasts, a few lines each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import QUARTERS
from kolabsim.study.tasks import run_figures
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


def slopes(y: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """Coefficients of a least-squares regression, the constant last; NaN if not identified."""
    x = np.column_stack([*columns, np.ones(len(y))])
    if len(y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        return np.full(x.shape[1], np.nan)
    return np.linalg.lstsq(x, y, rcond=None)[0]


def slope(y: np.ndarray, *columns: np.ndarray) -> float:
    """Coefficient of the first column in a least-squares regression with a constant."""
    return float(slopes(y, *columns)[0])


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


def late_saving(run: Run) -> float:
    """Saving in years 6 to 8 of late memberships, less that of early ones (first ten years)."""
    same_age, began = (run.age >= 20) & (run.age < 32), run.column["entered"]
    early, late = same_age & (began < 40), same_age & (began >= run.quarters // 2)
    return mean(run.saving[late]) - mean(run.saving[early])


def listed_kept(run: Run) -> float:
    """Share of the joint bodies listed at the start whose members stay together throughout."""
    kept = []
    for area, members in run.listed:
        body = run.column["body"][:, list(members), area]
        kept.append(bool(np.all((body >= 0) & (body == body[:, :1]))))
    return float(np.mean(kept)) if kept else np.nan


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


def shares_elsewhere(run: Run) -> np.ndarray:
    """[Q, R, A] whether a member shares another area with one of its partners, too."""
    found = np.zeros(run.member.shape, bool)
    for quarter in range(run.quarters):
        ties = run.ties_in(quarter)
        again = ties.sum(axis=2) > 1
        found[quarter] = (ties & again[:, :, None]).any(axis=1)
    return found


def exit_by_overlap(run: Run) -> float:
    """Log odds of leaving for members that share another area with a partner, at equal age."""
    at_risk = run.member[:-1] & (np.nan_to_num(run.age[:-1], nan=-1.0) >= YOUNG)
    leaves = (at_risk & ~run.member[1:])[at_risk].astype(float)
    overlap = shares_elsewhere(run)[:-1][at_risk].astype(float)
    age = np.log(run.age[:-1][at_risk] + 1.0)
    return float(logit(leaves, np.column_stack([overlap, age]))[0])


def age_by_quality(run: Run) -> float:
    """Years of age by a standard deviation of quality gained, less those by one of saving."""
    here = run.member[-1]
    quality, saving = standard(run.gain[-1][here]), standard(run.saving[-1][here])
    found = slopes(run.age[-1][here] / 4.0, quality, saving)
    return float(found[0] - found[1])


def surprise(run: Run) -> float:
    """Share of established members whose benefit exceeds what they expected, less the others."""
    here = established(run)
    return mean(np.sign(run.at("realised")[here] - run.at("expected")[here]))


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


def contagion(run: Run) -> float:
    """Log odds of starting to share in years 11 to 20, by share of land neighbours that share."""
    half = run.quarters // 2
    before = run.member[half - 1]
    later = np.asarray(run.member[half:].any(axis=0))
    pairs = run.pairs[run.land]
    number, sharing = np.zeros(len(before)), np.zeros(before.shape)
    for one, other in ((0, 1), (1, 0)):
        np.add.at(number, pairs[:, one], 1.0)
        np.add.at(sharing, pairs[:, one], before[pairs[:, other]].astype(float))
    outside = ~before & (number > 0.0)[:, None]
    share = (sharing / np.maximum(number, 1.0)[:, None])[outside]
    size = np.broadcast_to(np.log(run.population)[:, None], before.shape)[outside]
    area = np.broadcast_to(np.arange(before.shape[1]), before.shape)[outside]
    others = [(area == a).astype(float) for a in np.unique(area)[1:]]
    return float(logit(later[outside].astype(float), np.column_stack([share, size, *others]))[0])


def small_cooperate(run: Run) -> float:
    """Share ever in a joint body, smallest third of regions less the largest."""
    ever = run.member.any(axis=0).mean(axis=1)
    low, high = np.quantile(run.population, (1 / 3, 2 / 3))
    return mean(ever[run.population <= low]) - mean(ever[run.population >= high])


def variety_effect(name: str) -> Contrast:
    """Effect of having other partners in other areas, with the number of partners held fixed."""

    def contrast(run: Run) -> float:
        partners = run.ties.sum(axis=(1, 2))
        several = (run.member[-1].sum(axis=1) >= 2) & (partners > 0)
        variety = run.ties.any(axis=2).sum(axis=1)[several] / partners[several]
        here = np.where(run.member[-1], run.at(name), np.nan)[several]
        y, number = np.nanmean(here, axis=1), np.log(partners[several])
        return slope(y, standard(variety), number) if len(y) > 2 else np.nan

    what = {"load": "coordination load", "realised": "realised net benefit"}[name]
    return described(
        f"Change of the {what} by one standard deviation of the variety of partners, at equal "
        "number of partners.", contrast,
    )  # fmt: skip


def median_size(run: Run) -> float:
    """Median number of members of the joint bodies at the end."""
    return float(np.median(run.bodies.size)) if len(run.bodies.size) else np.nan


def transitivity(run: Run) -> float:
    """Share of connected triads that are closed, the mean over areas."""
    found = []
    for a in range(len(run.areas)):
        ties = run.ties[:, :, a].astype(float)
        degree = ties.sum(axis=1)
        triads = (degree * (degree - 1.0)).sum()
        found.append((ties @ ties * ties).sum() / triads if triads > 0 else np.nan)
    return mean(np.array(found))


def contract_by_size(run: Run) -> float:
    """Log odds of a region to be in a contract, by log population."""
    contract = run.in_contract.any(axis=1).astype(float)
    return float(logit(contract, np.log(run.population)[:, None])[0])


def reciprocity(run: Run) -> float:
    """Log odds ratio that a region buys from its own buyer in another area, near pairs."""
    sells = run.provider[:, None] & run.ties  # [provider, buyer, area]
    one, other = np.concatenate([run.pairs, run.pairs[:, ::-1]]).T
    forward, back = sells[one, other], sells[other, one]
    found = []
    for a in range(len(run.areas)):
        rest = np.delete(back, a, axis=1).any(axis=1)
        cells = [
            ((forward[:, a] == x) & (rest == y)).sum() + 0.5
            for x, y in ((True, True), (False, False), (True, False), (False, True))
        ]
        found.append(np.log(cells[0] * cells[1] / (cells[2] * cells[3])))
    return float(np.mean(found)) if run.in_contract.any() else np.nan


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


def hosts(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """[R, A] whether a member is the largest of its body, and how many times as large its host is.

    For a host itself, the second is how many times as large it is as the mean of its partners.
    """
    body, people = run.at("body"), run.at("people")
    host, ratio = np.zeros(body.shape, bool), np.full(body.shape, np.nan)
    for name in np.unique(body[run.member[-1]]):
        here = np.nonzero(body == name)
        sizes = people[here]
        first = int(np.argmax(sizes))
        if len(sizes) < 2:
            continue
        host[here[0][first], here[1][first]] = True
        relative = sizes[first] / sizes
        relative[first] = sizes[first] / np.delete(sizes, first).mean()
        ratio[here] = relative
    return host, ratio


def partner_gain(run: Run) -> float:
    """Change of partners' quality gain by log of the host's size over their own."""
    host, ratio = hosts(run)
    here = np.isfinite(ratio) & ~host
    return slope(run.gain[-1][here], np.log(ratio[here]))


def host_gain(run: Run) -> float:
    """Change of hosts' quality gain by log of their size over their partners'."""
    host, ratio = hosts(run)
    here = np.isfinite(ratio) & host
    return slope(run.gain[-1][here], np.log(ratio[here]))


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


def small_mandated_saving(run: Run) -> float:
    """Share of mandated members in the smallest third of regions that save."""
    small = (run.population <= np.quantile(run.population, 1 / 3))[:, None]
    bound = run.member[-1] & (run.at("bound_until") > run.quarters - 1)
    return mean((run.saving[-1][bound & small] > 0.0).astype(float))


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


# Contrasts that a user's facts may name ---------------------------------------------------------

NAMED: dict[str, Contrast] = {
    "share_saving": share_saving, "share_similar": share_similar,
    "share_costlier": share_costlier, "member_saving": member_saving,
    "small_saving": small_saving, "first_year": first_year, "break_even": break_even,
    "median_size": median_size, "by_stress": by_stress, "small_cooperate": small_cooperate,
    "success": success, "satisfied": satisfied,
}  # fmt: skip
"""Contrasts of one run that make sense in any scenario, by the names that files give them."""


def measured(name: str, year: int | None = None, since: int | None = None) -> Contrast:
    """A measure of the model in a year from 1, or the figure of the whole run.

    With ``since``, the change from that year to ``year``.
    """

    def figure(run: Run, year: int | None) -> float:
        first, end = (0, None) if year is None else (QUARTERS * (year - 1), QUARTERS * year)
        names = (name, *filter(None, MEASURES[name].ratio))
        history = np.stack([run.history[one][first:end] for one in names], axis=-1)[None]
        return float(run_figures(history, names)[0, 0])

    if since is None:
        return described(f"{name}.", lambda run: figure(run, year))
    return described(
        f"Change of {name} since year {since}.", lambda run: figure(run, year) - figure(run, since)
    )


def quotient(number: Contrast) -> Contrast:
    """Ratio of a number in two settings; NaN unless the second is positive."""

    def contrast(one: Run, other: Run) -> float:
        above, below = number(one), number(other)
        return above / below if below > 0.0 else np.nan

    return described(f"{number.__doc__} Ratio of two settings.", contrast)


def sharing(columns: Sequence[int]) -> Contrast:
    """Share of regions in a joint body of any of some areas at the end."""
    text = "Share of regions in a joint body at the end."
    return described(text, lambda run: float(run.member[-1][:, list(columns)].any(axis=1).mean()))


def partners(columns: Sequence[int]) -> Contrast:
    """Mean number of partners of a region in some areas at the end."""
    text = "Mean number of partners of a region at the end."
    return described(
        text, lambda run: float(run.ties[:, :, list(columns)].any(axis=2).sum(axis=1).mean())
    )


def observed_pairs(shares: np.ndarray, columns: Sequence[int]) -> Contrast:
    """Share of the pairs that were seen to share that are tied at the end, less that of others.

    ``shares`` [R, R] are the observed ties; all pairs that are near each other are compared.
    """

    def contrast(run: Run) -> float:
        seen = shares[run.pairs[:, 0], run.pairs[:, 1]]
        tied = run.tied[:, list(columns)].any(axis=1).astype(float)
        return mean(tied[seen]) - mean(tied[~seen])

    text = "Share of observed pairs that are tied at the end, less that of other near pairs."
    return described(text, contrast)
