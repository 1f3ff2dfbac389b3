"""Joint bodies that the model forms from nothing, against those that real regions formed.

Two questions: does it know *who* shares with whom, better than distance, borders, size and province
say by themselves or in a regression; and does it know *how* they share, in how many areas, in
bodies of which size, in how closed a network, which no model of single pairs can say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from kolabsim.engine.ensemble import Task, build_task, cores, new_state, run_block
from kolabsim.i18n import N_
from kolabsim.model.levers import CAP
from kolabsim.model.state import NOBODY
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.validation.contrasts import logit
from kolabsim.validation.observation import near_pairs

BANDS = ((0.0, 10.0), (10.0, 20.0), (20.0, 30.0), (30.0, 50.0))
"""Kilometres between the two of a pair: within a band, distance itself says little."""
FOLDS = 10
"""Parts of the pairs, each predicted by a regression on the others."""
BIN = 5.0
"""Kilometres of a bin of distance."""
RESAMPLED = 400
"""Samples of regions, drawn anew with replacement, from which intervals come."""


@dataclass(frozen=True, eq=False)
class Network:
    """Real regions, and the joint bodies that they were in. R regions, A areas."""

    scenario: Scenario
    """The regions with their places, people, culture and neighbours; nothing is shared at first."""
    bodies: np.ndarray
    """[R, A] number of the body that provides an area, NOBODY where the region is alone."""
    held: np.ndarray
    """[R] whether a region is only scored."""
    thin: np.ndarray
    """[R] whether few of its bodies were reported."""
    left_out: Mapping[str, int]
    """How many bodies were left out, and why."""

    @cached_property
    def task(self) -> Task:
        """What runs need: nothing is done by anybody but the regions themselves."""
        return build_task(self.scenario, self.scenario.strategies[BASELINE], seed=1)

    @cached_property
    def pairs(self) -> Pairs:
        """All pairs that are near each other."""
        pairs, distance, land = near_pairs(self.task)
        one, other = pairs.T
        size = np.log(self.scenario.regions.population)
        tier = np.array(self.scenario.regions.tier)
        culture = self.scenario.regions.culture
        apart = (culture[one] - culture[other]) / culture.std(axis=0)
        return Pairs(
            rows=pairs,
            distance=distance,
            predictors={
                "land": land.astype(float),
                "distance": -distance,
                "near": -np.log(np.maximum(distance, 1.0)),
                "size": -np.abs(size[one] - size[other]),
                "tier": (tier[one] == tier[other]).astype(float),
                "alike": -(apart**2).sum(axis=1) / (2 * culture.shape[1]),
            },
        )

    def groups(self) -> dict[str, np.ndarray]:
        """Regions by what they are used for, [R] each."""
        return {
            N_("Provinces on which areas were chosen"): ~self.held,
            N_("The same, without thinly reported ones"): ~self.held & ~self.thin,
            N_("Provinces that were only scored"): self.held,
        }


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of regions, P of them, and what may tell who shares with whom: more is likelier."""

    rows: np.ndarray
    """[P, 2]."""
    distance: np.ndarray
    """[P] kilometres."""
    predictors: Mapping[str, np.ndarray]
    """[P] each: common land border, distance, its logarithm, likeness of size, same higher tier,
    likeness of political culture; the last two of distances negative."""

    @property
    def columns(self) -> tuple[np.ndarray, ...]:
        """All predictors, for a regression."""
        return tuple(self.predictors.values())

    def within(self, rows: np.ndarray) -> np.ndarray:
        """[P] whether both of a pair are among these regions [R]."""
        return rows[self.rows].all(axis=1)


def tied(bodies: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Whether the two of each pair are in one body, by area: [P, A] from bodies [R, A]."""
    one, other = bodies[pairs[:, 0]], bodies[pairs[:, 1]]
    return (one == other) & (one != NOBODY)


def grown(
    task: Task,
    runs: int,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """The bodies at the end of runs that begin with none, [runs, R, A]."""

    def one(number: int) -> np.ndarray:
        state = new_state(task.world)
        run_block(task, np.array([number]), regions=False, state=state)
        return state.slot["body"].copy()

    found = []
    with ThreadPoolExecutor(threads or cores()) as pool:
        for bodies in pool.map(one, range(runs)):
            found.append(bodies)
            if progress is not None:
                progress(len(found))
    return np.array(found)


def chances(bodies: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Share of runs in which a pair shares any area, [P] from bodies [runs, R, A]."""
    return np.mean([tied(one, pairs).any(axis=1) for one in bodies], axis=0)


# Who with whom ----------------------------------------------------------------------------------


class PairScore(NamedTuple):
    """How well something tells pairs that share from pairs that do not."""

    name: str
    auc: float
    """Chance that a pair that shares is ranked above one that does not."""
    precision: float
    """Average precision; by chance it is the share of pairs that share."""
    bands: tuple[float, ...]
    """The first within each of :data:`BANDS`; NaN where all or none of a band share."""


def predicted(y: np.ndarray, columns: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Log odds that a regression with these coefficients gives."""
    return np.column_stack([*columns, np.ones(len(y))]) @ weights


def regression(y: np.ndarray, columns: Sequence[np.ndarray], seed: int = 1) -> np.ndarray:
    """Log odds by a logistic regression, each part of the pairs by one on the other parts."""
    part = np.random.default_rng(seed).permutation(len(y)) % FOLDS
    found = np.empty(len(y))
    for fold in range(FOLDS):
        here = part == fold
        weights = logit(y[~here], *(column[~here] for column in columns))
        found[here] = predicted(y[here], [column[here] for column in columns], weights)
    return found


def auc(y: np.ndarray, score: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Area under the receiver operating curve; NaN where all or none share."""
    from sklearn.metrics import roc_auc_score

    there = y if weights is None else y[weights > 0.0]
    if len(np.unique(there)) < 2:
        return np.nan
    return float(roc_auc_score(y, score, sample_weight=weights))


def pair_score(name: str, y: np.ndarray, score: np.ndarray, distance: np.ndarray) -> PairScore:
    """How well a score of pairs [P] tells who shares (``y``, 0 or 1)."""
    from sklearn.metrics import average_precision_score

    bands = []
    for low, high in BANDS:
        here = (distance >= low) & (distance < high)
        bands.append(auc(y[here], score[here]))
    return PairScore(name, auc(y, score), float(average_precision_score(y, score)), tuple(bands))


class PairJudgement(NamedTuple):
    """Pairs of one group of regions."""

    group: str
    pairs: int
    share: float
    """Share of the pairs that share an area."""
    scores: tuple[PairScore, ...]
    """The model's, the regression's, and those of single predictors."""
    gap: tuple[float, float, float]
    """AUC of the model less that of the regression, and its 95 % interval."""
    by_distance: np.ndarray
    """[4, bins] middle of each bin of :data:`BIN` km, its pairs, the share of them that share an
    area, and the mean chance that the model gives them."""


def judge_pairs(network: Network, chance: np.ndarray, group: str) -> PairJudgement:
    """How well the model knows who shares with whom within a group, and how well others do.

    On regions that were looked at, the regression predicts each part of the pairs from the others;
    on those that are only scored, it is one on the regions that were looked at.
    """
    pairs, rows = network.pairs, network.groups()[group]
    here, y = pairs.within(rows), tied(network.bodies, pairs.rows).any(axis=1).astype(float)
    columns = [column[here] for column in pairs.columns]
    if (rows & network.held).any():
        seen = pairs.within(~network.held)
        weights = logit(y[seen], *(column[seen] for column in pairs.columns))
        rival = predicted(y[here], columns, weights)
    else:
        rival = regression(y[here], columns)
    distance, y, chance = pairs.distance[here], y[here], chance[here]
    scores = [
        pair_score(N_("The model"), y, chance, distance),
        pair_score(N_("Logistic regression on all below"), y, rival, distance),
    ]
    titles = {
        "land": N_("Land border"), "distance": N_("Distance"), "size": N_("Likeness of size"),
        "tier": N_("Same province"), "alike": N_("Likeness of political culture"),
    }  # fmt: skip
    for name, title in titles.items():
        scores.append(pair_score(title, y, pairs.predictors[name][here], distance))

    def gap(weights: np.ndarray) -> float:
        return auc(y, chance, weights) - auc(y, rival, weights)

    low, high = np.nanquantile([gap(w) for w in resampled(pairs.rows[here])], (0.025, 0.975))
    whole = scores[0].auc - scores[1].auc
    gaps = (whole, float(low), float(high))
    bins = binned(distance, y, chance)
    return PairJudgement(group, len(y), float(y.mean()), tuple(scores), gaps, bins)


def binned(distance: np.ndarray, *values: np.ndarray) -> np.ndarray:
    """Means of values by distance, [2 + values, bins]: middles and numbers of pairs come first."""
    place = (distance // BIN).astype(int)
    number = np.bincount(place)
    here = number > 0
    middles = (np.arange(len(number)) + 0.5) * BIN
    means = [np.bincount(place, value)[here] / number[here] for value in values]
    return np.array([middles[here], number[here], *means])


def resampled(pairs: np.ndarray, seed: int = 1) -> Iterator[np.ndarray]:
    """Weights of pairs when their regions are drawn anew with replacement."""
    luck = np.random.default_rng(seed)
    present, place = np.unique(pairs, return_inverse=True)
    place = place.reshape(pairs.shape)
    for _sample in range(RESAMPLED):
        count = np.bincount(luck.integers(len(present), size=len(present)), minlength=len(present))
        weights = (count[place[:, 0]] * count[place[:, 1]]).astype(float)
        if weights.any():
            yield weights


# What draws regions together --------------------------------------------------------------------


class TieEffect(NamedTuple):
    """How a predictor moves the log odds that a pair shares, the others held fixed."""

    name: str
    observed: tuple[float, float, float]
    """Among the real bodies, with its 95 % interval over regions drawn anew."""
    model: tuple[float, float, float]
    """Mean over runs, and where 95 % of runs lie."""

    @property
    def agrees(self) -> bool:
        """Whether the mean over runs lies in the interval of what was observed."""
        return self.observed[1] <= self.model[0] <= self.observed[2]


def judge_effects(network: Network, bodies: np.ndarray, group: str) -> tuple[TieEffect, ...]:
    """What draws regions of a group together, observed and in the model."""
    pairs = network.pairs
    here = pairs.within(network.groups()[group])
    columns = [
        column[here] / (column[here].std() if name == "alike" else 1.0)
        for name, column in pairs.predictors.items()
        if name != "distance"
    ]
    names = [name for name in pairs.predictors if name != "distance"]

    def effects(of: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        y = tied(of, pairs.rows[here]).any(axis=1).astype(float)
        if weights is None:
            return logit(y, *columns)
        return logit(np.repeat(y, weights), *(np.repeat(column, weights) for column in columns))

    observed = effects(network.bodies)
    again = [effects(network.bodies, w.astype(int)) for w in resampled(pairs.rows[here])]
    spread = np.nanquantile(again, (0.025, 0.975), axis=0)
    runs = np.array([effects(one) for one in bodies])
    mean, ends = np.nanmean(runs, axis=0), np.nanquantile(runs, (0.025, 0.975), axis=0)
    return tuple(
        TieEffect(
            name,
            (float(observed[k]), float(spread[0, k]), float(spread[1, k])),
            (float(mean[k]), float(ends[0, k]), float(ends[1, k])),
        )
        for k, name in enumerate(names)
    )


# How they share ---------------------------------------------------------------------------------


def structure(bodies: np.ndarray, ties: np.ndarray | None = None) -> dict[str, float]:
    """What describes a network of joint bodies [R, A] as a whole.

    ``share.a`` and ``size.a`` are the share of regions in a body of area a and the mean number of
    members of its bodies; the others are of the network of who shares anything with whom, which is
    ``ties`` [R, R] or follows from the bodies.
    """
    import networkx as nx

    found = {}
    for a, column in enumerate(bodies.T):
        sizes = np.unique(column[column != NOBODY], return_counts=True)[1]
        found[f"share.{a}"] = float((column != NOBODY).mean())
        found[f"size.{a}"] = float(sizes.mean()) if len(sizes) else np.nan
    if ties is None:
        same = (bodies[:, None] == bodies[None]) & (bodies[:, None] != NOBODY)
        ties = same.any(axis=2)
    ties = ties & ~np.eye(len(ties), dtype=bool)
    degree = np.sort(ties.sum(axis=1))
    rank = 2 * np.arange(1, len(degree) + 1) - len(degree) - 1
    found["partners"] = float(degree.mean())
    found["isolates"] = float((degree == 0).mean())
    found["degree_gini"] = float(rank @ degree / max(len(degree) * degree.sum(), 1))
    found["transitivity"] = float(nx.transitivity(nx.from_numpy_array(ties)))
    return found


def drawn_ties(network: Network, rows: np.ndarray, number: int, seed: int = 1) -> Iterator[dict]:
    """Structures of networks whose ties are drawn from regressions of single pairs.

    One regression an area, on the regions that were looked at. Whoever is linked by ties of an area
    counts as one of its bodies.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs, luck = network.pairs, np.random.default_rng(seed)
    seen, here = pairs.within(~network.held), pairs.within(rows)
    place = np.cumsum(rows) - 1
    one, other = place[pairs.rows[here]].T
    columns = [column[here] for column in pairs.columns]
    observed = tied(network.bodies, pairs.rows).astype(float)
    size, odds = int(rows.sum()), []
    for y in observed.T:
        weights = logit(y[seen], *(column[seen] for column in pairs.columns))
        odds.append(np.clip(predicted(y[here], columns, weights), -50, 50))
    for _draw in range(number):
        bodies = np.full((size, len(odds)), NOBODY)
        ties = np.zeros((size, size), bool)
        for a, log_odds in enumerate(odds):
            on = luck.random(len(log_odds)) < 1.0 / (1.0 + np.exp(-log_odds))
            links = coo_array((np.ones(on.sum()), (one[on], other[on])), shape=(size, size))
            label = connected_components(links, directed=False)[1]
            label[np.bincount(label)[label] < 2] = NOBODY
            bodies[:, a] = label
            ties[one[on], other[on]] = ties[other[on], one[on]] = True
        yield structure(bodies, ties)


class Feature(NamedTuple):
    """One figure of a structure."""

    name: str
    observed: float
    model: tuple[float, float, float]
    """Mean over runs, and where 95 % of runs lie."""
    drawn: tuple[float, float, float]
    """The same of ties that are drawn from regressions."""


class StructureJudgement(NamedTuple):
    """How a group of regions shares."""

    group: str
    features: tuple[Feature, ...]
    apart: tuple[float, float]
    """Mean distance from what was observed, of the model and of drawn ties: differences of shares
    and indices, and of logarithms of sizes and partners."""
    apart_ties: tuple[float, float]
    """The same of what needs no bodies: partners, isolates, and how unequal and closed ties are."""
    sizes: np.ndarray
    """[2, 17] share of bodies with 0 to 16 members, observed and in the model."""


def judge_structure(network: Network, bodies: np.ndarray, group: str) -> StructureJudgement:
    """How far the model's networks of a group are from the observed one, against drawn ties."""
    rows = network.groups()[group]
    observed = structure(network.bodies[rows])
    runs = [structure(one[rows]) for one in bodies]
    draws = list(drawn_ties(network, rows, len(bodies)))
    features, apart = [], {}
    for name, value in observed.items():
        if not np.isfinite(value):
            continue
        summed = [summary([one[name] for one in many]) for many in (runs, draws)]
        features.append(Feature(name, value, *summed))
        apart[name] = [distance(name, value, mean) for mean, _low, _high in summed]
    of_ties = [found for name, found in apart.items() if "." not in name]
    distances = (
        tuple(float(mean) for mean in np.mean(found, axis=0))
        for found in (list(apart.values()), of_ties)
    )
    sizes = np.array([shares_by_size([network.bodies[rows]]), shares_by_size(bodies[:, rows])])
    return StructureJudgement(group, tuple(features), *distances, sizes)


def shares_by_size(networks: Iterable[np.ndarray]) -> np.ndarray:
    """Share of bodies with 0 to :data:`CAP` members, over networks [R, A]."""
    number = np.zeros(CAP + 1)
    for bodies in networks:
        for column in bodies.T:
            sizes = np.unique(column[column != NOBODY], return_counts=True)[1]
            number += np.bincount(sizes, minlength=CAP + 1)[: CAP + 1]
    return number / max(number.sum(), 1.0)


def distance(name: str, observed: float, found: float) -> float:
    """How far a figure of a structure is from what was observed."""
    if name == "partners" or name.startswith("size."):
        return float(abs(np.log(max(found, 0.1) / max(observed, 0.1))))
    return abs(found - observed)


def summary(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, and the ends of the middle 95 %, of what is defined."""
    defined = np.asarray([value for value in values if np.isfinite(value)])
    if not len(defined):
        return np.nan, np.nan, np.nan
    return (float(defined.mean()), *(float(end) for end in np.quantile(defined, (0.025, 0.975))))


class Judgement(NamedTuple):
    """The model against a real network, group by group of regions."""

    pairs: tuple[PairJudgement, ...]
    effects: tuple[TieEffect, ...]
    """What draws regions together, among those that are only scored."""
    structures: tuple[StructureJudgement, ...]
    runs: int
    left_out: Mapping[str, int]


def judge_network(
    network: Network,
    *,
    runs: int,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Judgement:
    """Let the model run from nothing, and compare with what was observed."""
    bodies = grown(network.task, runs, threads=threads, progress=progress)
    chance = chances(bodies, network.pairs.rows)
    groups = list(network.groups())
    return Judgement(
        tuple(judge_pairs(network, chance, group) for group in groups),
        judge_effects(network, bodies, groups[-1]),
        tuple(judge_structure(network, bodies, group) for group in groups),
        runs,
        network.left_out,
    )
