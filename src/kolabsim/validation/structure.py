"""How regions share: the structure of a network of joint bodies, which scores of pairs cannot show.

The model is compared with networks whose ties are drawn pair by pair from regressions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.analysis.statistics import Interval
from kolabsim.model.levers import CAP
from kolabsim.model.state import NOBODY
from kolabsim.validation.pairs import Pairs, mean_and_range
from kolabsim.validation.runs import share_body

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Layers = Mapping[str, np.ndarray]
"""Bodies by compared service area: [R, columns] each, one column, or all where no area is known."""

NOT_COUNTED = ("largest_component",)
"""Features that are shown but do not enter the distance between networks."""


def describe_network(layers: Layers, ties: csr_array | None = None) -> dict[str, float]:
    """Describe a network of joint bodies by a few numbers.

    ``ties`` are 1 where two regions share anything [R, R]; by default they follow from the bodies.
    The result has for each area ``share.AREA`` (share of regions in a body) and ``size.AREA`` (mean
    number of members); then ``partners`` (mean number of regions that a region shares with),
    ``isolates`` (share of regions without partner), ``degree_gini`` (inequality of the number of
    partners), ``transitivity``, and ``largest_component`` (share of regions in it).
    """
    from scipy.sparse.csgraph import connected_components

    found = {}
    for area, bodies in layers.items():
        sizes = body_sizes(bodies)
        found[f"share.{area}"] = float((bodies != NOBODY).any(axis=1).mean())
        found[f"size.{area}"] = float(sizes.mean()) if len(sizes) else np.nan
    ties = ties_between(np.hstack(list(layers.values()))) if ties is None else ties
    degree = ties.sum(axis=1)
    number, triples = len(degree), float((degree * (degree - 1)).sum())
    closed = float(((ties @ ties) * ties).sum())
    rank = 2 * np.arange(1, number + 1) - number - 1
    component = connected_components(ties, directed=False)[1]
    found["partners"] = float(degree.mean())
    found["isolates"] = float((degree == 0).mean())
    found["degree_gini"] = float(rank @ np.sort(degree) / max(number * degree.sum(), 1))
    found["transitivity"] = closed / triples if triples > 0.0 else 0.0
    found["largest_component"] = float(np.bincount(component).max() / number)
    return found


def ties_between(bodies: np.ndarray, buyers: np.ndarray | None = None) -> csr_array:
    """1 where two regions are partners in a body of any column of [R, columns], as [R, R].

    ``buyers`` of the same shape are those who buy under a contract: two buyers are no partners.
    """
    from scipy.sparse import coo_array

    region, column = np.nonzero(bodies != NOBODY)
    names = np.column_stack([column, bodies[region, column]])
    body = np.unique(names, axis=0, return_inverse=True)[1].reshape(-1)
    shape = (len(bodies), int(body.max(initial=0)) + 1)
    member = coo_array((np.ones(len(region)), (region, body)), shape=shape).tocsr()
    ties = member @ member.T
    if buyers is not None:
        buys = buyers[region, column]
        buyer = coo_array((np.ones(buys.sum()), (region[buys], body[buys])), shape=shape).tocsr()
        ties = ties - buyer @ buyer.T
    return unweighted(ties)


def unweighted(ties: csr_array) -> csr_array:
    """The same ties, each counted once, and none of a region with itself."""
    ties = ties.tocsr()
    ties.setdiag(0.0)
    ties.eliminate_zeros()
    ties.data[:] = 1.0
    return ties


def body_sizes(bodies: np.ndarray) -> np.ndarray:
    """Numbers of members of the bodies in [R, columns], column by column."""
    sizes = [np.unique(c[c != NOBODY], return_counts=True)[1] for c in bodies.T]
    return np.concatenate(sizes)


def share_by_size(networks: Iterable[np.ndarray]) -> np.ndarray:
    """Share of the bodies that have 0, 1, ... :data:`CAP` members, over networks [R, A]."""
    number = np.zeros(CAP + 1)
    for bodies in networks:
        number += np.bincount(body_sizes(bodies), minlength=CAP + 1)[: CAP + 1]
    return number / max(number.sum(), 1.0)


def is_count(name: str) -> bool:
    """Whether a feature is a number of regions rather than a share or an index."""
    return name == "partners" or name.startswith("size.")


def feature_distance(name: str, observed: float, found: float) -> float:
    """How far a feature is from what was observed; counts are compared by their logarithms."""
    if is_count(name):
        return float(abs(np.log(max(found, 0.1) / max(observed, 0.1))))
    return abs(found - observed)


def draw_ties(
    pairs: Pairs, slots: np.ndarray, rows: np.ndarray, held_out: np.ndarray, number: int,
    *, areas: Sequence[str], seed: int = 1,
) -> Iterator[dict[str, float]]:  # fmt: skip
    """Describe networks whose ties are drawn from logistic regressions of single pairs.

    One regression for each area, on the regions that were not held out. Regions that ties of an
    area connect count as one body.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rng = np.random.default_rng(seed)
    seen, here = pairs.inside(~held_out), pairs.inside(rows)
    place = np.cumsum(rows) - 1
    one, other = place[pairs.rows[here]].T
    size, odds = int(rows.sum()), []
    for y in share_body(slots, pairs.rows).astype(float).T:
        known = pairs.regressed(y, seen, here) if pairs.predictors else np.full(len(one), np.nan)
        odds.append(np.nan_to_num(np.clip(known, -50, 50), nan=-50.0))
    for _draw in range(number):
        layers, every = {}, coo_array((size, size))
        for area, log_odds in zip(areas, odds, strict=True):
            on = rng.random(len(log_odds)) < 1.0 / (1.0 + np.exp(-log_odds))
            links = coo_array((np.ones(on.sum()), (one[on], other[on])), shape=(size, size))
            label = connected_components(links, directed=False)[1]
            label[np.bincount(label)[label] < 2] = NOBODY
            layers[area] = label[:, None]
            every = every + links + links.T
        yield describe_network(layers, unweighted(every))


class Feature(NamedTuple):
    """One feature of a network's structure."""

    name: str
    observed: float
    model: Interval
    """Mean over runs, and the range of 95% of runs."""
    drawn: Interval
    """The same of ties drawn from regressions."""

    @property
    def is_nearer(self) -> bool:
        """Whether the model is nearer to what was observed than drawn ties are."""
        return abs(self.model[0] - self.observed) < abs(self.drawn[0] - self.observed)


class StructureFit(NamedTuple):
    """How far the model's networks are from the observed one, in one group of regions."""

    group: str
    features: tuple[Feature, ...]
    distance: tuple[float, float]
    """Mean distance of all features from what was observed, of the model and of drawn ties."""
    distance_of_ties: tuple[float, float]
    """The same of the features that need no bodies: partners, isolates, Gini and transitivity."""
    sizes: np.ndarray
    """[2, CAP + 1] share of bodies with 0 to 16 members, observed and in the model."""


def fit_structure(
    observed: Layers, runs: Sequence[Layers], draws: Iterable[Mapping[str, float]],
    *, ties: Sequence[csr_array | None] | None = None, group: str = "",
) -> StructureFit:  # fmt: skip
    """Compare the observed bodies of a group with those at the end of runs and with drawn ties.

    ``draws`` are descriptions of networks, from :func:`draw_ties`; ``ties`` those of each run, by
    default between all members of a body.
    """
    found = zip(runs, ties or [None] * len(runs), strict=True)
    simulated, drawn = [describe_network(*one) for one in found], list(draws)

    def over(networks: Sequence[Mapping[str, float]], name: str) -> Interval:
        return mean_and_range([one[name] for one in networks])

    features = [
        Feature(name, value, over(simulated, name), over(drawn, name))
        for name, value in describe_network(observed).items()
        if np.isfinite(value)
    ]
    counted = [one for one in features if one.name not in NOT_COUNTED]
    sizes = np.array([share_by_size(observed.values())] * 2)
    sizes[1] = share_by_size(bodies for one in runs for bodies in one.values())
    return StructureFit(
        group,
        tuple(features),
        mean_distance(counted),
        mean_distance([one for one in counted if "." not in one.name]),
        sizes,
    )


def mean_distance(features: Sequence[Feature]) -> tuple[float, float]:
    """Mean distance of features from what was observed, of the model and of drawn ties."""
    apart = [
        [feature_distance(one.name, one.observed, v[0]) for v in (one.model, one.drawn)]
        for one in features
    ]
    model, drawn = np.mean(apart, axis=0)
    return float(model), float(drawn)
